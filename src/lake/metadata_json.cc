#include "lake/metadata_json.h"

#include <fmt/format.h>

#include <boost/json.hpp>
#include <limits>
#include <utility>

namespace meesh::lake {
namespace {

namespace json = boost::json;

constexpr size_t kMaxBytes = size_t{256} << 20;
constexpr size_t kMaxDepth = 192;

std::string kind_of(const json::value& value) {
  switch (value.kind()) {
    case json::kind::null:
      return "null";
    case json::kind::bool_:
      return value.get_bool() ? "true" : "false";
    case json::kind::int64:
      return fmt::format("the number {}", value.get_int64());
    case json::kind::uint64:
      return fmt::format("the number {}", value.get_uint64());
    case json::kind::double_:
      return fmt::format("the number {}", value.get_double());
    case json::kind::string:
      return "a text";
    case json::kind::array:
      return "an array";
    case json::kind::object:
      return "an object";
  }
  return "something else";
}

json::string_view view(std::string_view text) { return {text.data(), text.size()}; }

}  // namespace

JsonNode::JsonNode(const json::value& value, Code code, std::string path)
    : value_(&value), code_(code), path_(std::move(path)) {}

std::string JsonNode::path_of(std::string_view member) const {
  return path_.empty() ? std::string(member) : fmt::format("{}.{}", path_, member);
}

void JsonNode::fail(const std::string& what) const {
  throw Error(code_, path_.empty() ? what : fmt::format("{}: {}", path_, what));
}

void JsonNode::fail_at(std::string_view member, const std::string& what) const {
  throw Error(code_, fmt::format("{}: {}", path_of(member), what));
}

void JsonNode::at(std::string_view member, const std::function<void()>& parse) const {
  try {
    parse();
  } catch (const Error& error) {
    throw Error(code_, fmt::format("{}: {}", path_of(member), error.message()))
        .with_hint(error.hint());
  }
}

void JsonNode::expect_object() const {
  if (!value_->is_object()) fail(fmt::format("expected an object, found {}", kind_of(*value_)));
}

const json::value* JsonNode::lookup(std::string_view member) const {
  expect_object();
  const json::value* found = value_->get_object().if_contains(view(member));
  return found == nullptr || found->is_null() ? nullptr : found;
}

bool JsonNode::has(std::string_view member) const { return lookup(member) != nullptr; }

std::optional<JsonNode> JsonNode::find(std::string_view member) const {
  const json::value* found = lookup(member);
  if (found == nullptr) return std::nullopt;
  return JsonNode(*found, code_, path_of(member));
}

JsonNode JsonNode::member(std::string_view member) const {
  const json::value* found = lookup(member);
  if (found == nullptr) fail_at(member, "is required and missing");
  return {*found, code_, path_of(member)};
}

std::string JsonNode::as_text() const {
  if (!value_->is_string()) fail(fmt::format("expected a text, found {}", kind_of(*value_)));
  const json::string& text = value_->get_string();
  return {text.data(), text.size()};
}

int64_t JsonNode::as_long() const {
  if (!value_->is_int64()) fail(fmt::format("expected a whole number, found {}", kind_of(*value_)));
  return value_->get_int64();
}

int JsonNode::as_integer() const {
  const int64_t number = as_long();
  if (number < std::numeric_limits<int>::min() || number > std::numeric_limits<int>::max()) {
    fail(fmt::format("{} is out of range, expected a number of 32 bits", number));
  }
  return static_cast<int>(number);
}

std::vector<JsonNode> JsonNode::as_items() const {
  if (!value_->is_array()) fail(fmt::format("expected an array, found {}", kind_of(*value_)));
  std::vector<JsonNode> items;
  items.reserve(value_->get_array().size());
  for (const json::value& item : value_->get_array()) {
    items.emplace_back(item, code_, fmt::format("{}[{}]", path_, items.size()));
  }
  return items;
}

std::string JsonNode::text(std::string_view name) const { return member(name).as_text(); }
int JsonNode::integer(std::string_view name) const { return member(name).as_integer(); }
int64_t JsonNode::long_integer(std::string_view name) const { return member(name).as_long(); }
std::vector<JsonNode> JsonNode::items(std::string_view name) const {
  return member(name).as_items();
}

bool JsonNode::boolean(std::string_view name) const {
  const JsonNode found = member(name);
  if (!found.value_->is_bool()) {
    found.fail(fmt::format("expected true or false, found {}", kind_of(*found.value_)));
  }
  return found.value_->get_bool();
}

Properties JsonNode::properties(std::string_view name) const {
  const JsonNode found = member(name);
  found.expect_object();
  Properties properties;
  for (const auto& [key, value] : found.value_->get_object()) {
    const std::string key_text(key.data(), key.size());
    if (!value.is_string()) {
      found.fail_at(key_text, fmt::format("expected a text, found {}", kind_of(value)));
    }
    properties[key_text] = std::string(value.get_string().data(), value.get_string().size());
  }
  return properties;
}

std::optional<std::string> JsonNode::find_text(std::string_view name) const {
  return has(name) ? std::optional(text(name)) : std::nullopt;
}
std::optional<int> JsonNode::find_integer(std::string_view name) const {
  return has(name) ? std::optional(integer(name)) : std::nullopt;
}
std::optional<int64_t> JsonNode::find_long(std::string_view name) const {
  return has(name) ? std::optional(long_integer(name)) : std::nullopt;
}
std::vector<JsonNode> JsonNode::find_items(std::string_view name) const {
  return has(name) ? items(name) : std::vector<JsonNode>{};
}
Properties JsonNode::find_properties(std::string_view name) const {
  return has(name) ? properties(name) : Properties{};
}

void read_json(std::string_view text, Code code, const std::function<void(const JsonNode&)>& read) {
  if (text.size() > kMaxBytes) {
    throw Error(code, fmt::format("the document has {} bytes, more than the {} allowed",
                                  text.size(), kMaxBytes));
  }
  json::parse_options options;
  options.max_depth = kMaxDepth;
  json::monotonic_resource memory;
  json::error_code error;
  const json::value root = json::parse(view(text), error, &memory, options);
  if (error) throw Error(code, fmt::format("not JSON: {}", error.message()));
  read(JsonNode(root, code));
}

json::object to_json(const Properties& properties, const json::storage_ptr& storage) {
  json::object out(storage);
  out.reserve(properties.size());
  for (const auto& [key, value] : properties) out.emplace(key, value);
  return out;
}

}  // namespace meesh::lake
