#include "engine/functions/json_arrays.h"

#include "engine/functions/json_text.h"
#include "engine/functions/kernels.h"
#include "engine/functions/text.h"

namespace meesh::engine {
namespace {

using View = std::string_view;

/// Calls `take(cursor)` at each element, which must read it, until it returns true. nullopt when
/// the text is no array.
template <class F>
std::optional<bool> any_element(View text, F take) {
  const auto json = canonical_json(text);
  if (!json || !json->starts_with('[')) return std::nullopt;
  JsonCursor cursor(*json);
  cursor.take('[');
  while (cursor.peek() != ']' && cursor.peek() != '\0') {
    if (take(cursor)) return true;
    cursor.take(',');
  }
  return false;
}

/// Counted from 0, or from the end when negative. Text comes without its quotes, null as NULL.
std::optional<std::string> element(View text, int64_t index) {
  if (index < 0) {
    int64_t length = 0;
    any_element(text, [&](JsonCursor& cursor) {
      cursor.value();
      ++length;
      return false;
    });
    if (index < -length) return std::nullopt;
    index += length;
  }
  std::optional<std::string> out;
  any_element(text, [&](JsonCursor& cursor) {
    if (index-- > 0) {
      cursor.value();
      return false;
    }
    const bool quoted = cursor.peek() == '"';
    out = quoted ? cursor.string() : std::string(cursor.value());
    if (!quoted && *out == "null") out.reset();
    return true;
  });
  return out;
}

bool is_integral(View number) { return number.find_first_of(".eE") == View::npos; }

std::optional<bool> contains_integer(View text, int64_t wanted) {
  return any_element(text, [wanted](JsonCursor& cursor) {
    const bool number = cursor.peek() == '-' || (cursor.peek() >= '0' && cursor.peek() <= '9');
    return cursor.value() == std::to_string(wanted) && number;
  });
}
std::optional<bool> contains_double(View text, double wanted) {
  return any_element(text, [wanted](JsonCursor& cursor) {
    const bool number = cursor.peek() == '-' || (cursor.peek() >= '0' && cursor.peek() <= '9');
    const auto value = cursor.value();
    return number && !is_integral(value) && read_double(value) == wanted;
  });
}
std::optional<bool> contains_boolean(View text, bool wanted) {
  return any_element(
      text, [wanted](JsonCursor& cursor) { return cursor.value() == (wanted ? "true" : "false"); });
}
std::optional<bool> contains_text(View text, View wanted) {
  return any_element(text, [wanted](JsonCursor& cursor) {
    if (cursor.peek() == '"') return cursor.string() == wanted;
    cursor.value();
    return false;
  });
}

}  // namespace

void register_json_array_kernels(duckdb::ExtensionLoader& loader) {
  const auto json = duckdb::LogicalType::JSON();
  add_kernel<View, int64_t>(loader, "meesh_json_array_get", {kText, kLong}, json, element);
  add_kernel<View, int64_t>(loader, "meesh_json_array_contains_bigint", {kText, kLong}, kBool,
                            contains_integer);
  add_kernel<View, double>(loader, "meesh_json_array_contains_double", {kText, kDouble}, kBool,
                           contains_double);
  add_kernel<View, bool>(loader, "meesh_json_array_contains_boolean", {kText, kBool}, kBool,
                         contains_boolean);
  add_kernel<View, View>(loader, "meesh_json_array_contains_varchar", {kText, kText}, kBool,
                         contains_text);
  add_kernel<View>(loader, "meesh_is_json_scalar", {kText}, kBool, [](View text) {
    const auto made = canonical_json(text);
    if (!made)
      raise(Code::kInvalidFunctionArgument,
            "Invalid JSON value: " + std::string(text.substr(0, 1000)));
    return !made->starts_with('{') && !made->starts_with('[');
  });
  add_kernel<View>(loader, "meesh_json_parse", {kText}, json, [](View text) {
    auto made = canonical_json(text);
    if (!made)
      raise(Code::kInvalidFunctionArgument,
            "Cannot convert value to JSON: '" + std::string(text.substr(0, 1000)) + "'");
    return *made;
  });
}

}  // namespace meesh::engine
