// Looks into JSON that is known to be valid and to have no spaces, as compact_json
// (ingest/decode/json_values.h) leaves it: no parser, no copies.
#pragma once

#include <functional>
#include <string>
#include <string_view>

namespace meesh::ingest {

inline bool is_object(std::string_view json) { return json.starts_with('{'); }
inline bool is_array(std::string_view json) { return json.starts_with('['); }
inline bool is_null(std::string_view json) { return json == "null"; }

/// Calls `use(name, value)` for each member, until one call is false.
void each_member(std::string_view object,
                 const std::function<bool(std::string_view name, std::string_view value)>& use);
/// Calls `use(value)` for each item, until one call is false.
void each_item(std::string_view array, const std::function<bool(std::string_view value)>& use);
/// A string without its quotes and escapes, anything else as it is written.
std::string plain_text(std::string_view value);

}  // namespace meesh::ingest
