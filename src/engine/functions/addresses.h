// ipaddress: 16 bytes, IPv4 as ::ffff:a.b.c.d, in network order, so that bytes compare as
// addresses.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>

namespace meesh::engine {

using AddressBytes = std::array<unsigned char, 16>;

/// From text of either version; nullopt when it is none.
std::optional<AddressBytes> read_address(std::string_view text);
/// From 4 or 16 bytes; nullopt for any other number.
std::optional<AddressBytes> address_of_bytes(std::string_view bytes);
/// As Trino writes it: IPv4 with points, IPv6 with its longest run of zeros left out.
std::string address_text(std::string_view bytes);

}  // namespace meesh::engine
