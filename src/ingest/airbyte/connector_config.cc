#include "ingest/airbyte/connector_config.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>
#include <charconv>
#include <cmath>
#include <optional>
#include <regex>
#include <set>

#include "base/text.h"
#include "ingest/airbyte/messages.h"

namespace meesh::ingest {
namespace {

namespace json = boost::json;
using yaml::Node;
using NodeKind = yaml::Node::Kind;

constexpr size_t kShortestSecret = 4;
constexpr int kMaxDepth = 50;

std::set<std::string> types_of(const json::object& schema) {
  std::set<std::string> types;
  const auto* type = schema.if_contains("type");
  if (type && type->is_string()) types.emplace(type->as_string());
  if (type && type->is_array())
    for (const auto& one : type->as_array())
      if (one.is_string()) types.emplace(one.as_string());
  return types;
}

std::string_view type_of(const json::value& value) {
  switch (value.kind()) {
    case json::kind::null:
      return "null";
    case json::kind::bool_:
      return "boolean";
    case json::kind::int64:
    case json::kind::uint64:
      return "integer";
    case json::kind::double_:
      return "number";
    case json::kind::string:
      return "string";
    case json::kind::array:
      return "array";
    default:
      return "object";
  }
}

bool is_of(const json::value& value, const std::set<std::string>& types) {
  const auto type = type_of(value);
  if (types.empty() || types.contains(std::string(type))) return true;
  if (type == "integer") return types.contains("number");
  return type == "number" && types.contains("integer") &&
         std::trunc(value.as_double()) == value.as_double();
}

std::string joined(const std::set<std::string>& words) {
  return base::join(std::vector<std::string>(words.begin(), words.end()), " or ");
}

const json::array& list_of(const json::object& object, const char* key) {
  static const json::array none;
  const auto* value = object.if_contains(key);
  return value && value->is_array() ? value->as_array() : none;
}

bool flag_of(const json::object& object, const char* key) {
  const auto* value = object.if_contains(key);
  return value && value->is_bool() && value->as_bool();
}

std::string shown(const json::value& value) {
  return value.is_string() ? "'" + std::string(value.as_string()) + "'" : json::serialize(value);
}

class Checker {
 public:
  Checker(const json::object& root, const std::string& file, std::vector<Error>& problems,
          Secrets& secrets)
      : root_(root), file_(file), problems_(problems), secrets_(secrets) {}

  json::value check(const json::object& given, const Node& node, const std::string& path,
                    int depth = 0) {
    const json::object& schema = resolved(given);
    if (depth > kMaxDepth) {
      complain(node, "it nests too deeply");
      return nullptr;
    }
    json::value value = json_of(node);
    const bool secret = flag_of(schema, "airbyte_secret");
    if (secret || node.substituted) secrets_.add(node.text);
    auto types = types_of(schema);
    if (types.contains("string") && node.is_scalar() && !is_of(value, types))
      value = json::value(node.text);  // 2025 and true, where a text is wanted
    if (types.empty() && schema.contains("properties")) types = {"object"};
    if (!is_of(value, types)) {
      complain(node, fmt::format("{}: expected {}, found {}", path, joined(types),
                                 yaml::describe(node, secret)));
      return value;
    }
    check_values(schema, node, value, path, secret);
    if (node.kind == NodeKind::kMap) return check_object(schema, node, path, depth);
    if (node.kind == NodeKind::kSequence) return check_list(schema, node, path, depth);
    return value;
  }

 private:
  void complain(const Node& at, std::string message, std::string hint = "") {
    Error error(Code::kConfigInvalid, std::move(message), {at.line, at.column, file_});
    if (!hint.empty()) error.with_hint(std::move(hint));
    problems_.push_back(std::move(error));
  }

  /// What a $ref within the spec stands for.
  const json::object& resolved(const json::object& schema) const {
    const std::string reference = text_of(schema, "$ref");
    if (!reference.starts_with("#/")) return schema;
    boost::system::error_code missing;
    const json::value* found = root_value().find_pointer(reference.substr(1), missing);
    return !missing && found && found->is_object() ? found->as_object() : schema;
  }
  const json::value& root_value() const {
    if (!value_) value_ = root_;
    return *value_;
  }

  void check_values(const json::object& schema, const Node& node, const json::value& value,
                    const std::string& path, bool secret) {
    std::vector<std::string> allowed;
    const auto& choices = list_of(schema, "enum");
    for (const auto& choice : choices) allowed.push_back(shown(choice));
    const auto* fixed = schema.if_contains("const");
    if (fixed) allowed = {shown(*fixed)};
    const bool known = fixed
                           ? value == *fixed
                           : choices.empty() || std::ranges::find(choices, value) != choices.end();
    if (!known) {
      complain(node, fmt::format("{}: expected one of {}, found {}", path,
                                 base::join(allowed, ", "), yaml::describe(node, secret)));
      return;
    }
    if (value.is_number()) check_number(schema, node, value.to_number<double>(), path);
    if (value.is_string()) check_text(schema, node, std::string(value.as_string()), path, secret);
  }

  void check_number(const json::object& schema, const Node& node, double value,
                    const std::string& path) {
    const double infinity = std::numeric_limits<double>::infinity();
    const double least = number_of(schema, "minimum", -infinity);
    const double most = number_of(schema, "maximum", infinity);
    if (value < least)
      complain(node, fmt::format("{}: {} is less than {}", path, node.text, least));
    if (value > most) complain(node, fmt::format("{}: {} is more than {}", path, node.text, most));
  }

  void check_text(const json::object& schema, const Node& node, const std::string& value,
                  const std::string& path, bool secret) {
    const auto size = static_cast<double>(base::code_points(value));
    if (size < number_of(schema, "minLength", 0))
      complain(node, fmt::format("{}: the text is too short", path));
    if (size > number_of(schema, "maxLength", size))
      complain(node, fmt::format("{}: the text is too long", path));
    const std::string pattern = text_of(schema, "pattern");
    if (pattern.empty()) return;
    try {
      if (std::regex_search(value, std::regex(pattern, std::regex::ECMAScript))) return;
    } catch (const std::regex_error&) {
      return;  // in words of Python's own: the connector checks it itself
    }
    const std::string means = text_of(schema, "pattern_descriptor");
    complain(node, fmt::format("{}: {} does not match {}", path, yaml::describe(node, secret),
                               means.empty() ? pattern : means));
  }

  /// The form of oneOf whose fixed values are those of the node; the only one that takes it; none.
  const json::object* form_of(const json::object& schema, const Node& node,
                              const std::string& path) {
    const auto& forms = list_of(schema, schema.contains("oneOf") ? "oneOf" : "anyOf");
    if (forms.empty()) return nullptr;
    for (const auto& form : forms) {
      if (!form.is_object()) continue;
      const auto& candidate = resolved(form.as_object());
      if (fixed_values_match(candidate, node)) return &candidate;
    }
    std::set<std::string> choices;
    for (const auto& form : forms) {
      if (!form.is_object()) continue;
      for (const auto& [key, value] : object_of(resolved(form.as_object()), "properties"))
        if (const auto* fixed = fixed_value(value))
          choices.insert(fmt::format("{}: {}", std::string_view(key), shown(*fixed)));
    }
    complain(node, fmt::format("{}: it is none of the forms that the connector takes", path),
             joined(choices));
    return nullptr;
  }

  static const json::value* fixed_value(const json::value& property) {
    if (!property.is_object()) return nullptr;
    const auto& schema = property.as_object();
    if (const auto* fixed = schema.if_contains("const")) return fixed;
    const auto& choices = list_of(schema, "enum");
    return choices.size() == 1 ? &choices[0] : nullptr;
  }

  static bool fixed_values_match(const json::object& form, const Node& node) {
    const auto& required = list_of(form, "required");
    for (const auto& [key, property] : object_of(form, "properties")) {
      const auto* fixed = fixed_value(property);
      const Node* given = node.find(key);
      if (fixed && given && json_of(*given) != *fixed) return false;
      const bool needed = std::ranges::find(required, json::value(key)) != required.end();
      if (!given && (needed && !(property.is_object() && property.as_object().contains("default"))))
        return false;
      if (fixed && !given && !needed) return false;
    }
    return true;
  }

  json::object check_object(const json::object& schema, const Node& node, const std::string& path,
                            int depth) {
    json::object properties = object_of(schema, "properties");
    json::array required = list_of(schema, "required");
    if (schema.contains("oneOf") || schema.contains("anyOf")) {
      const json::object* form = form_of(schema, node, path);
      if (!form) return json_of(node).as_object();
      for (const auto& [key, property] : object_of(*form, "properties"))
        properties.insert_or_assign(key, property);
      for (const auto& key : list_of(*form, "required")) required.push_back(key);
    }
    json::object value;
    for (size_t i = 0; i < node.keys.size(); ++i) {
      const auto* property = properties.if_contains(node.keys[i].name);
      if (property && property->is_object()) {
        value[node.keys[i].name] =
            check(property->as_object(), node.items[i], path + "." + node.keys[i].name, depth + 1);
      } else {
        value[node.keys[i].name] = unknown_key(schema, properties, node, i, path);
      }
    }
    fill_in(required, properties, node, path, value);
    return value;
  }

  /// Most specs allow keys that they do not name; a slip of the pen is told all the same.
  json::value unknown_key(const json::object& schema, const json::object& properties,
                          const Node& node, size_t i, const std::string& path) {
    note_secrets(node.items[i]);
    std::vector<std::string> missing;
    for (const auto& [key, property] : properties)
      if (!node.find(key)) missing.emplace_back(key);
    const auto* more = schema.if_contains("additionalProperties");
    const bool closed = more && more->is_bool() && !more->as_bool();
    const auto& key = node.keys[i];
    const auto meant = base::closest(key.name, missing);
    if ((closed && !properties.empty()) || meant) {
      Error error(Code::kConfigInvalid,
                  fmt::format("{}: the connector knows no key '{}'", path, key.name),
                  {key.line, key.column, file_});
      problems_.push_back(error.with_hint(base::did_you_mean(key.name, missing, "keys: ")));
    }
    return json_of(node.items[i]);
  }

  void note_secrets(const Node& node) {
    if (node.substituted) secrets_.add(node.text);
    for (const auto& item : node.items) note_secrets(item);
  }

  void fill_in(const json::array& required, const json::object& properties, const Node& node,
               const std::string& path, json::object& value) {
    for (const auto& one : required) {
      if (!one.is_string() || value.contains(one.as_string())) continue;
      const auto* property = properties.if_contains(one.as_string());
      const auto* fixed = property ? fixed_value(*property) : nullptr;
      if (property && property->is_object() && !fixed)
        fixed = property->as_object().if_contains("default");
      if (fixed) {
        value[one.as_string()] = *fixed;
        continue;
      }
      const std::string about =
          property && property->is_object() ? text_of(property->as_object(), "description") : "";
      complain(node, fmt::format("{}: '{}' is missing", path, std::string_view(one.as_string())),
               about);
    }
  }

  json::array check_list(const json::object& schema, const Node& node, const std::string& path,
                         int depth) {
    json::array value;
    const auto items = object_of(schema, "items");
    for (size_t i = 0; i < node.items.size(); ++i)
      value.push_back(check(items, node.items[i], fmt::format("{}[{}]", path, i), depth + 1));
    if (static_cast<double>(value.size()) < number_of(schema, "minItems", 0))
      complain(node, fmt::format("{}: it has too few items", path));
    return value;
  }

  const json::object& root_;
  mutable std::optional<json::value> value_;  // a copy of root_ that pointers are looked up in
  const std::string& file_;
  std::vector<Error>& problems_;
  Secrets& secrets_;
};

}  // namespace

void Secrets::add(std::string text) {
  if (text.size() < kShortestSecret || std::ranges::count(texts_, text) > 0) return;
  texts_.push_back(std::move(text));
  // A secret within another is hidden with it.
  std::ranges::sort(texts_, std::greater(), &std::string::size);
}

std::string Secrets::hide(std::string_view text) const {
  std::string out(text);
  for (const auto& secret : texts_) {
    for (size_t at = 0; (at = out.find(secret, at)) != std::string::npos; at += 6)
      out.replace(at, secret.size(), "******");
  }
  return out;
}

json::value json_of(const Node& node) {
  switch (node.kind) {
    case NodeKind::kNull:
      return nullptr;
    case NodeKind::kBoolean:
      return node.boolean();
    case NodeKind::kInteger:
      if (const auto whole = node.integer()) return *whole;
      [[fallthrough]];
    case NodeKind::kNumber: {
      double number = 0;
      const char* const end = node.text.data() + node.text.size();
      if (std::from_chars(node.text.data(), end, number).ptr == end) return number;
      return json::value(node.text);
    }
    case NodeKind::kText:
      return json::value(node.text);
    case NodeKind::kSequence: {
      json::array list;
      for (const auto& item : node.items) list.push_back(json_of(item));
      return list;
    }
    case NodeKind::kMap:
      break;
  }
  json::object object;
  for (size_t i = 0; i < node.keys.size(); ++i) object[node.keys[i].name] = json_of(node.items[i]);
  return object;
}

ConnectorConfig check_config(const json::object& schema, const Node& node, const std::string& file,
                             std::vector<Error>& problems) {
  ConnectorConfig config;
  Node given = node;
  if (given.kind == NodeKind::kNull) given.kind = NodeKind::kMap;  // no config at all
  auto value = Checker(schema, file, problems, config.secrets).check(schema, given, "config");
  if (value.is_object()) config.value = std::move(value.as_object());
  return config;
}

}  // namespace meesh::ingest
