// Schemas and types as JSON: appendix C of the table spec.
#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>
#include <set>
#include <utility>

#include "lake/metadata_json.h"
#include "lake/types.h"

namespace meesh::lake {
namespace {

namespace json = boost::json;

Field read_field(const JsonNode& node) {
  Field field;
  field.id = node.integer("id");
  field.name = node.text("name");
  field.required = node.boolean("required");
  field.type = read_type(node.member("type"));
  field.doc = node.find_text("doc").value_or("");
  for (const std::string_view later : {"initial-default", "write-default"}) {
    if (node.has(later)) {
      node.fail_at(later, "default values belong to format version 3, which is not supported yet");
    }
  }
  return field;
}

std::vector<Field> read_fields(const JsonNode& node) {
  std::vector<Field> fields;
  std::set<std::string> names;
  for (const JsonNode& item : node.items("fields")) {
    fields.push_back(read_field(item));
    if (!names.insert(fields.back().name).second) {
      item.fail_at("name", fmt::format("there are two fields '{}'", fields.back().name));
    }
  }
  return fields;
}

json::array fields_json(const std::vector<Field>& fields) {
  json::array out;
  for (const Field& field : fields) {
    json::object item;
    item["id"] = field.id;
    item["name"] = field.name;
    item["required"] = field.required;
    item["type"] = to_json(field.type);
    if (!field.doc.empty()) item["doc"] = field.doc;
    out.push_back(std::move(item));
  }
  return out;
}

void check_ids(const JsonNode& node, const std::vector<Field>& fields, std::set<int>* seen) {
  for (const Field& field : fields) {
    if (!seen->insert(field.id).second) {
      node.fail_at("fields", fmt::format("two fields have the id {}", field.id));
    }
    check_ids(node, field.type.fields, seen);
  }
}

}  // namespace

Type read_type(const JsonNode& node) {
  if (node.value().is_string()) {
    const std::string name = node.as_text();
    try {
      return parse_type_name(name);
    } catch (const Error& error) {
      throw Error(node.code(), fmt::format("{}: {}", node.path(), error.message()))
          .with_hint(error.hint());
    }
  }
  if (!node.value().is_object()) node.fail("expected a type: a name or an object");
  const std::string kind = node.text("type");
  if (kind == "struct") return struct_type(read_fields(node));
  if (kind == "list") {
    return list_type(node.integer("element-id"), read_type(node.member("element")),
                     node.boolean("element-required"));
  }
  if (kind == "map") {
    return map_type(node.integer("key-id"), read_type(node.member("key")), node.integer("value-id"),
                    read_type(node.member("value")), node.boolean("value-required"));
  }
  node.fail_at("type", fmt::format("expected struct, list or map, found '{}'", kind));
}

json::value to_json(const Type& type) {
  json::object out;
  switch (type.kind) {
    case TypeKind::kStruct:
      out["type"] = "struct";
      out["fields"] = fields_json(type.fields);
      return out;
    case TypeKind::kList:
      out["type"] = "list";
      out["element-id"] = type.fields[0].id;
      out["element"] = to_json(type.fields[0].type);
      out["element-required"] = type.fields[0].required;
      return out;
    case TypeKind::kMap:
      out["type"] = "map";
      out["key-id"] = type.fields[0].id;
      out["key"] = to_json(type.fields[0].type);
      out["value-id"] = type.fields[1].id;
      out["value"] = to_json(type.fields[1].type);
      out["value-required"] = type.fields[1].required;
      return out;
    default:
      return json::value(type_name(type));
  }
}

Schema read_schema(const JsonNode& node) {
  node.expect_object();
  if (const auto kind = node.find_text("type"); kind && *kind != "struct") {
    node.fail_at("type", fmt::format("a schema is a struct, found '{}'", *kind));
  }
  Schema schema;
  schema.id = node.find_integer("schema-id").value_or(0);
  schema.fields = read_fields(node);
  std::set<int> ids;
  check_ids(node, schema.fields, &ids);
  for (const JsonNode& item : node.find_items("identifier-field-ids")) {
    const int id = item.as_integer();
    if (!ids.contains(id)) item.fail(fmt::format("there is no field with the id {}", id));
    schema.identifier_field_ids.push_back(id);
  }
  // A set: sorted, so that equal ones compare equal.
  std::ranges::sort(schema.identifier_field_ids);
  const auto repeated = std::ranges::unique(schema.identifier_field_ids);
  schema.identifier_field_ids.erase(repeated.begin(), repeated.end());
  return schema;
}

json::object to_json(const Schema& schema) {
  json::object out;
  out["type"] = "struct";
  out["schema-id"] = schema.id;
  if (!schema.identifier_field_ids.empty()) {
    json::array ids;
    for (const int id : schema.identifier_field_ids) ids.emplace_back(id);
    out["identifier-field-ids"] = std::move(ids);
  }
  out["fields"] = fields_json(schema.fields);
  return out;
}

std::string schema_json(const Schema& schema) { return json::serialize(to_json(schema)); }
std::string type_json(const Type& type) { return json::serialize(to_json(type)); }

Schema parse_schema(std::string_view text) {
  Schema schema;
  read_json(text, Code::kIcebergInvalidMetadata,
            [&](const JsonNode& root) { schema = read_schema(root); });
  return schema;
}

Type parse_type_json(std::string_view text) {
  Type type;
  read_json(text, Code::kIcebergInvalidMetadata,
            [&](const JsonNode& root) { type = read_type(root); });
  return type;
}

}  // namespace meesh::lake
