// Addresses of networks: whether one lies in a block (CIDR).
#include <arpa/inet.h>

#include <array>
#include <charconv>

#include "engine/functions/kernels.h"

namespace meesh::engine {
namespace {

using View = std::string_view;
using Address = std::array<unsigned char, 16>;  // an IPv4 address is mapped into IPv6

constexpr size_t kMappedBits = 96;  // that an IPv4 address has before its own

std::optional<Address> read_address(View text) {
  Address out{};
  const std::string ended(text);
  if (inet_pton(AF_INET6, ended.c_str(), out.data()) == 1) return out;
  out.fill(0);
  out[10] = out[11] = 0xFF;
  if (inet_pton(AF_INET, ended.c_str(), out.data() + 12) == 1) return out;
  return std::nullopt;
}

bool is_v4(const Address& address) {
  static constexpr Address kMapped = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF};
  return std::equal(address.begin(), address.begin() + 12, kMapped.begin());
}

struct Block {
  Address address;
  size_t bits;  // from the front of the sixteen bytes
};

Block read_block(View text) {
  const auto refuse = [] { raise(Code::kInvalidFunctionArgument, "Invalid CIDR"); };
  const auto slash = text.find('/');
  if (slash == View::npos || text.find('/', slash + 1) != View::npos) refuse();
  const auto address = read_address(text.substr(0, slash));
  if (!address) raise(Code::kInvalidFunctionArgument, "Invalid network IP address");
  const View number = text.substr(slash + 1);
  size_t bits = 0;
  const auto read = std::from_chars(number.data(), number.data() + number.size(), bits);
  const bool v4 = is_v4(*address);
  if (read.ec != std::errc() || read.ptr != number.data() + number.size() || bits > (v4 ? 32 : 128))
    refuse();
  return {*address, bits + (v4 ? kMappedBits : 0)};
}

bool contains(View block_text, const Address& address) {
  const Block block = read_block(block_text);
  if (is_v4(block.address) != is_v4(address)) return false;
  for (size_t i = 0; i < block.bits; ++i) {
    const auto bit = [i](const Address& a) { return a[i / 8] >> (7 - i % 8) & 1; };
    if (bit(block.address) != bit(address)) return false;
  }
  return true;
}

}  // namespace

void register_network_kernels(duckdb::ExtensionLoader& loader) {
  add_kernel<View, View>(
      loader, "meesh_network_contains", {kText, kText}, kBool, [](View block, View text) {
        const auto address = read_address(text);
        if (!address)
          raise(Code::kInvalidFunctionArgument, "Invalid IP address: " + std::string(text));
        return contains(block, *address);
      });
  add_kernel<View, View>(loader, "meesh_network_contains", {kText, kBytes}, kBool,
                         [](View block, View bytes) {
                           Address address{};
                           if (bytes.size() != address.size())
                             raise(Code::kInvalidFunctionArgument,
                                   "Invalid IP address binary: " + std::to_string(bytes.size()));
                           std::copy(bytes.begin(), bytes.end(), address.begin());
                           return contains(block, address);
                         });
}

}  // namespace meesh::engine
