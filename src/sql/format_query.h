// A query laid out as Trino lays out the text of views: a clause a line, several columns each on a
// line of its own, nested queries three spaces further in.
#pragma once

#include <string>
#include <string_view>

namespace meesh::sql {

/// The text itself where it holds what is not laid out here, or what would not read the same.
std::string formatted_query(std::string_view text);

}  // namespace meesh::sql
