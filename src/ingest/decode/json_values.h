// JSON values under simdjson's on-demand parser, read strictly: what it leaves unchecked until it
// is asked for, is checked here.
#pragma once

#include <simdjson.h>

#include <optional>
#include <string>
#include <string_view>

namespace meesh::ingest {

/// Thrown: what is wrong with a text that is no JSON.
struct NotJson {
  std::string what;
};

[[noreturn]] void fail(simdjson::error_code code);

template <class T>
T checked(simdjson::simdjson_result<T>&& result) {
  T value;
  if (const auto error = std::move(result).get(value)) fail(error);
  return value;
}

/// Objects and arrays may nest 200 levels deep.
void check_depth(int depth);

/// A scalar's text, strings with their quotes; it is one.
std::string_view scalar_token(simdjson::ondemand::value& value);

/// A member's name as it is written, given where it begins behind its quote.
std::string_view member_name(const char* name);

/// A value without spaces, behind `out`; with a null one it is only checked.
void append_compact(simdjson::ondemand::value& value, std::string* out, int depth);
void append_compact(simdjson::ondemand::object& object, std::string* out, int depth);

/// Any text: as JSON without spaces, nothing if it is none.
std::optional<std::string> compact_json(std::string_view text);

}  // namespace meesh::ingest
