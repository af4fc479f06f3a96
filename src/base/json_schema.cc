#include "base/json_schema.h"

#include <fmt/format.h>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

namespace meesh::base {

namespace json = boost::json;
using Type = Shape::Type;

namespace {

constexpr const char* kReference = "\\$\\{[A-Za-z_][A-Za-z0-9_]*\\}";

Shape make(Type type, std::string doc) {
  Shape shape;
  shape.type = type;
  shape.doc = std::move(doc);
  return shape;
}

json::array strings(const std::vector<std::string>& words) {
  json::array array;
  for (const std::string& word : words) array.emplace_back(word);
  return array;
}

// Scalars other than free text may also be written as a reference to a secret.
json::object or_reference(json::object schema) {
  json::object reference{{"type", "string"}, {"pattern", kReference}};
  return {{"anyOf", json::array{std::move(schema), std::move(reference)}}};
}

json::value fallback_value(const std::string& text) {
  switch (yaml::plain_kind(text)) {
    case yaml::Node::Kind::kBoolean:
      return text[0] == 't';
    case yaml::Node::Kind::kInteger: {
      yaml::Node node;
      node.kind = yaml::Node::Kind::kInteger;
      node.text = text;
      return node.integer().value_or(0);
    }
    default:
      return json::string(text);
  }
}

json::object schema_of(const Shape& shape);

json::object schema_of_object(const Shape& shape, const std::string& kind, bool kind_required) {
  json::object properties;
  json::array required;
  if (!kind.empty()) {
    properties["kind"] = json::object{{"const", kind}};
    if (kind_required) required.emplace_back("kind");
  }
  for (const Shape& part : shape.parts) {
    properties[part.key] = schema_of(part);
    if (part.is_required) required.emplace_back(part.key);
  }
  json::object schema{
      {"type", "object"}, {"properties", std::move(properties)}, {"additionalProperties", false}};
  if (!required.empty()) schema["required"] = std::move(required);
  return schema;
}

json::object schema_of_kinds(const Shape& shape) {
  json::array alternatives;
  for (const Shape& part : shape.parts) {
    json::object alternative = schema_of_object(part, part.key, part.key != shape.default_kind);
    alternative["description"] = part.doc;
    alternatives.push_back(std::move(alternative));
  }
  return {{"oneOf", std::move(alternatives)}};
}

json::object schema_of_text(const Shape& shape) {
  json::object schema{{"type", "string"}};
  if (shape.min_length > 0) schema["minLength"] = shape.min_length;
  schema["maxLength"] = shape.max_length;
  if (!shape.pattern.empty()) {
    schema["pattern"] = shape.pattern;
    schema = or_reference(std::move(schema));
  }
  return schema;
}

json::object schema_body(const Shape& shape) {
  switch (shape.type) {
    case Type::kText:
      return schema_of_text(shape);
    case Type::kInteger:
      return or_reference({{"type", "integer"}, {"minimum", shape.least}, {"maximum", shape.most}});
    case Type::kBoolean:
      return or_reference({{"type", "boolean"}});
    case Type::kChoice:
      return or_reference({{"enum", strings(shape.choices)}});
    case Type::kSize: {
      const char* units = "^([0-9]+ ?B?|[0-9]+(\\.[0-9]+)? ?[kKMGT]i?B?)$";
      const char* with_percent = "^([0-9]+ ?B?|[0-9]+(\\.[0-9]+)? ?[kKMGT]i?B?|[1-9][0-9]?%|100%)$";
      json::object text{{"type", "string"}, {"pattern", shape.percent ? with_percent : units}};
      json::object bytes{{"type", "integer"}, {"minimum", 1}};
      return or_reference({{"anyOf", json::array{std::move(bytes), std::move(text)}}});
    }
    case Type::kList:
      return {{"type", "array"}, {"items", schema_of(shape.parts[0])}};
    case Type::kMap:
      return {{"type", "object"},
              {"propertyNames",
               json::object{{"pattern", shape.pattern}, {"maxLength", shape.max_length}}},
              {"additionalProperties", schema_of(shape.parts[0])}};
    case Type::kObject:
      return schema_of_object(shape, "", false);
    case Type::kKinds:
      return schema_of_kinds(shape);
    case Type::kAny:
      return {};
  }
  return {};
}

json::object schema_of(const Shape& shape) {
  json::object schema = schema_body(shape);
  if (!shape.doc.empty()) schema["description"] = shape.doc;
  if (shape.fallback) schema["default"] = fallback_value(*shape.fallback);
  if (shape.secret) schema["writeOnly"] = true;
  return schema;
}

}  // namespace

Shape text(std::string doc) {
  Shape shape = make(Type::kText, std::move(doc));
  shape.min_length = 1;
  return shape;
}

Shape secret_text(std::string doc) {
  Shape shape = text(std::move(doc));
  shape.secret = true;
  return shape;
}

Shape matching(std::string doc, std::string pattern, std::string means, size_t max_length) {
  Shape shape = text(std::move(doc));
  shape.pattern = std::move(pattern);
  shape.pattern_means = std::move(means);
  shape.max_length = max_length;
  return shape;
}

Shape integer(std::string doc, int64_t least, int64_t most) {
  Shape shape = make(Type::kInteger, std::move(doc));
  shape.least = least;
  shape.most = most;
  return shape;
}

Shape boolean(std::string doc) { return make(Type::kBoolean, std::move(doc)); }

Shape choice(std::string doc, std::vector<std::string> choices, std::vector<std::string> not_yet) {
  Shape shape = make(Type::kChoice, std::move(doc));
  shape.choices = std::move(choices);
  shape.not_yet = std::move(not_yet);
  return shape;
}

Shape size(std::string doc, bool percent) {
  Shape shape = make(Type::kSize, std::move(doc));
  shape.percent = percent;
  return shape;
}

Shape list(std::string doc, Shape item) {
  Shape shape = make(Type::kList, std::move(doc));
  shape.parts.push_back(std::move(item));
  return shape;
}

Shape map(std::string doc, std::string key_pattern, std::string key_means, Shape value) {
  Shape shape = make(Type::kMap, std::move(doc));
  shape.pattern = std::move(key_pattern);
  shape.pattern_means = std::move(key_means);
  shape.max_length = 63;
  shape.parts.push_back(std::move(value));
  return shape;
}

Shape object(std::string doc, std::vector<Shape> parts) {
  Shape shape = make(Type::kObject, std::move(doc));
  shape.parts = std::move(parts);
  return shape;
}

Shape kinds(std::string doc, std::vector<Shape> objects, std::string default_kind,
            std::vector<std::string> not_yet) {
  Shape shape = make(Type::kKinds, std::move(doc));
  shape.parts = std::move(objects);
  shape.default_kind = std::move(default_kind);
  shape.not_yet = std::move(not_yet);
  return shape;
}

Shape any(std::string doc) { return make(Type::kAny, std::move(doc)); }

Shape required(std::string key, Shape shape) {
  shape.key = std::move(key);
  shape.is_required = true;
  return shape;
}

Shape optional(std::string key, Shape shape, std::optional<std::string> fallback) {
  shape.key = std::move(key);
  shape.fallback = std::move(fallback);
  return shape;
}

Shape kind(std::string word, Shape object) {
  object.key = std::move(word);
  return object;
}

json::value json_schema(const Shape& shape, std::string_view title) {
  json::object schema{{"$schema", "https://json-schema.org/draft/2020-12/schema"},
                      {"title", title}};
  for (auto& [key, value] : schema_of(shape)) schema[key] = value;
  return schema;
}

}  // namespace meesh::base
