#include "ingest/rest/json_view.h"

#include "ingest/decode/json_text.h"

namespace meesh::ingest {

namespace {

/// Behind the string that begins at `at`.
size_t string_end(std::string_view json, size_t at) {
  for (++at; at < json.size(); ++at) {
    if (json[at] == '\\') {
      ++at;
    } else if (json[at] == '"') {
      return at + 1;
    }
  }
  return json.size();
}

/// Behind the value that begins at `at`.
size_t value_end(std::string_view json, size_t at) {
  if (at < json.size() && json[at] == '"') return string_end(json, at);
  size_t depth = 0;
  while (at < json.size()) {
    const char c = json[at];
    if (c == '"') {
      at = string_end(json, at);
      continue;
    }
    if (c == '{' || c == '[') ++depth;
    if (c == '}' || c == ']') {
      if (depth == 0) return at;  // of what is around it
      if (--depth == 0) return at + 1;
    }
    if (c == ',' && depth == 0) return at;
    ++at;
  }
  return at;
}

}  // namespace

void each_member(std::string_view object,
                 const std::function<bool(std::string_view, std::string_view)>& use) {
  std::string unescaped;
  for (size_t at = 1; at < object.size() && object[at] == '"';) {
    const size_t name_end = string_end(object, at);
    std::string_view name = object.substr(at + 1, name_end - at - 2);
    if (name.find('\\') != std::string_view::npos) {
      unescape(name, unescaped);
      name = unescaped;
    }
    const size_t end = value_end(object, name_end + 1);
    if (!use(name, object.substr(name_end + 1, end - name_end - 1))) return;
    at = end + 1;
  }
}

void each_item(std::string_view array, const std::function<bool(std::string_view)>& use) {
  for (size_t at = 1; at < array.size() && array[at] != ']';) {
    const size_t end = value_end(array, at);
    if (!use(array.substr(at, end - at))) return;
    at = end + 1;
  }
}

std::string plain_text(std::string_view value) {
  if (!value.starts_with('"')) return std::string(value);
  const auto inside = value.substr(1, value.size() - 2);
  if (inside.find('\\') == std::string_view::npos) return std::string(inside);
  std::string text;
  unescape(inside, text);
  return text;
}

}  // namespace meesh::ingest
