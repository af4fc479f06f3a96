// The header field Link (RFC 8288), by which APIs name their next page.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace meesh::ingest {

/// The target of the first link of this relation: `<https://…?page=2>; rel="next"`. Nothing if
/// there is none; what is malformed ends the search.
std::optional<std::string> linked(std::string_view field, std::string_view relation);

}  // namespace meesh::ingest
