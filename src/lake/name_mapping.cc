#include "lake/name_mapping.h"

#include <algorithm>
#include <boost/json.hpp>

#include "lake/metadata_json.h"

namespace meesh::lake {
namespace {

namespace json = boost::json;

NameMapping read_fields(const std::vector<JsonNode>& items) {
  NameMapping mapping;
  for (const auto& item : items) {
    item.expect_object();
    MappedField field;
    field.id = item.find_integer("field-id");
    for (const auto& name : item.items("names")) field.names.push_back(name.as_text());
    field.fields = read_fields(item.find_items("fields"));
    mapping.push_back(std::move(field));
  }
  return mapping;
}

json::array to_json(const NameMapping& mapping) {
  json::array out;
  for (const auto& field : mapping) {
    json::object one;
    if (field.id) one["field-id"] = *field.id;
    json::array names;
    for (const auto& name : field.names) names.emplace_back(json::string_view(name));
    one["names"] = std::move(names);
    if (!field.fields.empty()) one["fields"] = to_json(field.fields);
    out.push_back(std::move(one));
  }
  return out;
}

}  // namespace

const MappedField* find_mapped(const NameMapping& mapping, std::string_view name) {
  for (const auto& field : mapping) {
    if (std::find(field.names.begin(), field.names.end(), name) != field.names.end()) return &field;
  }
  return nullptr;
}

NameMapping parse_name_mapping(std::string_view json) {
  NameMapping mapping;
  read_json(json, Code::kIcebergInvalidMetadata,
            [&](const JsonNode& root) { mapping = read_fields(root.as_items()); });
  return mapping;
}

std::string name_mapping_json(const NameMapping& mapping) {
  return json::serialize(to_json(mapping));
}

NameMapping mapping_of(const std::vector<Field>& fields) {
  NameMapping mapping;
  for (const auto& field : fields)
    mapping.push_back({field.id, {field.name}, mapping_of(field.type.fields)});
  return mapping;
}

std::optional<NameMapping> mapping_of(const TableMetadata& table) {
  const auto found = table.properties.find(kNameMapping);
  if (found == table.properties.end()) return std::nullopt;
  try {
    return parse_name_mapping(found->second);
  } catch (Error& error) {
    throw error.prefixed(std::string("table property ") + kNameMapping);
  }
}

}  // namespace meesh::lake
