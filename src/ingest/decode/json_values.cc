#include "ingest/decode/json_values.h"

#include <fmt/format.h>

#include "ingest/decode/cell.h"
#include "ingest/decode/json_text.h"
#include "ingest/decode/numbers.h"

namespace meesh::ingest {
namespace {

namespace ondemand = simdjson::ondemand;

constexpr int kMaxDepth = 200;
constexpr std::string_view kSpaces = " \t\r\n";

std::string_view words_of(simdjson::error_code code) {
  switch (code) {
    case simdjson::UTF8_ERROR:
      return "it is not UTF-8";
    case simdjson::UNCLOSED_STRING:
      return "a string has no end";
    case simdjson::UNESCAPED_CHARS:
      return "a string holds control characters";
    case simdjson::EMPTY:
      return "it is empty";
    case simdjson::CAPACITY:
    case simdjson::MEMALLOC:
      return "it is too large";
    case simdjson::INCOMPLETE_ARRAY_OR_OBJECT:
      return "it is cut short";
    default:
      return "commas, colons, brackets or members are missing or too many";
  }
}

/// What stands between two structural characters may be anything.
void check_scalar(std::string_view token) {
  switch (token.empty() ? '\0' : token[0]) {
    case '"':
      if (token.size() >= 2 && token.back() == '"' && valid_escapes(token.substr(1))) return;
      break;
    case 't':
      if (token == "true") return;
      break;
    case 'f':
      if (token == "false") return;
      break;
    case 'n':
      if (token == "null") return;
      break;
    default:
      if (is_number(token)) return;
  }
  throw NotJson{fmt::format("not JSON: {} is no value", shortened(token))};
}

}  // namespace

void fail(simdjson::error_code code) { throw NotJson{fmt::format("not JSON: {}", words_of(code))}; }

void check_depth(int depth) {
  if (depth > kMaxDepth) throw NotJson{fmt::format("it nests deeper than {}", kMaxDepth)};
}

std::string_view scalar_token(ondemand::value& value) {
  std::string_view token = value.raw_json_token();
  while (!token.empty() && kSpaces.find(token.back()) != std::string_view::npos)
    token.remove_suffix(1);
  check_scalar(token);
  // Taken, else going on would take a string with a colon behind it for a member's name.
  if (token[0] == '"') checked(value.get_raw_json_string());
  return token;
}

std::string_view member_name(const char* name) {
  size_t size = 0;
  for (; name[size] != '"'; ++size) {
    if (name[size] == '\\') ++size;
  }
  if (!valid_escapes({name, size + 1})) throw NotJson{"not JSON: the name of a member"};
  return {name, size};
}

void append_compact(ondemand::value& value, std::string* out, int depth) {
  const auto type = checked(value.type());
  if (type == ondemand::json_type::object) {
    auto object = checked(value.get_object());
    append_compact(object, out, depth);
  } else if (type == ondemand::json_type::array) {
    check_depth(depth);
    bool begun = false;
    for (auto result : checked(value.get_array())) {
      auto item = checked(std::move(result));
      if (out) *out += begun ? ',' : '[';
      begun = true;
      append_compact(item, out, depth + 1);
    }
    if (out) *out += begun ? "]" : "[]";
  } else {
    const auto token = scalar_token(value);
    if (out) out->append(token);
  }
}

void append_compact(ondemand::object& object, std::string* out, int depth) {
  check_depth(depth);
  bool begun = false;
  for (auto result : object) {
    auto field = checked(std::move(result));
    const auto name = member_name(field.key().raw());
    if (out) {
      *out += begun ? ",\"" : "{\"";
      out->append(name);
      *out += "\":";
    }
    begun = true;
    auto value = field.value();
    append_compact(value, out, depth + 1);
  }
  if (out) *out += begun ? "}" : "{}";
}

std::optional<std::string> compact_json(std::string_view text) {
  // In an array of its own, what is no object or array is read alike.
  const simdjson::padded_string padded("[" + std::string(text) + "]");
  const size_t first = text.find_first_not_of(kSpaces);
  if (first == std::string_view::npos) return std::nullopt;
  try {
    thread_local ondemand::parser parser;
    ondemand::document document;
    if (parser.iterate(padded).get(document) != simdjson::SUCCESS) return std::nullopt;
    std::string out;
    size_t values = 0;
    for (auto result : checked(document.get_array())) {
      auto value = checked(std::move(result));
      if (++values > 1) return std::nullopt;
      append_compact(value, &out, 1);
    }
    if (values != 1 || document.current_location().error() != simdjson::OUT_OF_BOUNDS)
      return std::nullopt;
    return out;
  } catch (const NotJson&) {
    return std::nullopt;
  }
}

}  // namespace meesh::ingest
