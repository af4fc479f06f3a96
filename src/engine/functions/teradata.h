// The patterns of Teradata's to_char, to_date and to_timestamp.
#pragma once

#include <string>
#include <string_view>

namespace meesh::engine {

/// The pattern in Joda-Time's letters: "yyyy-mm-dd hh24:mi" is "yyyy-MM-dd HH:mm". Throws
/// INVALID_FUNCTION_ARGUMENT at what is no part of a pattern.
std::string joda_of_teradata(std::string_view pattern);

}  // namespace meesh::engine
