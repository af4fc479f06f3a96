// New tables, and the checks that schemas, specs and orders must pass.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <limits>
#include <utility>

#include "base/error.h"
#include "base/uuid.h"
#include "lake/updates.h"

namespace meesh::lake {
namespace {

/// What Java takes for settings of the format, never stored as properties.
constexpr std::array<std::string_view, 9> kReserved{
    "format-version",      "uuid",
    "snapshot-count",      "current-snapshot-summary",
    "current-snapshot-id", "current-snapshot-timestamp-ms",
    "current-schema",      "default-partition-spec",
    "default-sort-order"};

Error refused(std::string message) { return Error(Code::kBadRequest, std::move(message)); }

/// Ids to all fields of one level first, then to what lies inside each.
void renumber(std::vector<Field>* fields, int* last_id, std::map<int, int>* new_ids) {
  for (Field& field : *fields) {
    if (*last_id == std::numeric_limits<int>::max()) throw refused("field ids are used up");
    ++*last_id;
    new_ids->emplace(field.id, *last_id);
    field.id = *last_id;
  }
  for (Field& field : *fields) renumber(&field.type.fields, last_id, new_ids);
}

int renumbered(const std::map<int, int>& new_ids, int old_id, std::string_view what) {
  const auto found = new_ids.find(old_id);
  if (found == new_ids.end()) {
    throw refused(fmt::format("Cannot find source column for {}: {}", what, old_id));
  }
  return found->second;
}

void check_source(const Schema& schema, int source_id, const Transform& transform,
                  const std::string& what) {
  const Field* source = find_field(schema, source_id);
  if (source == nullptr) {
    throw refused(fmt::format("Cannot find source column for {} (field id {})", what, source_id));
  }
  if (source->type.nested()) {
    throw refused(fmt::format("Cannot use a non-primitive source field for {}: {}", what,
                              type_name(source->type)));
  }
  if (!can_transform(transform, source->type)) {
    throw refused(fmt::format("Invalid source type {} for transform: {}", type_name(source->type),
                              transform_name(transform)));
  }
  for (const Field* parent = find_parent(schema, source_id); parent != nullptr;
       parent = find_parent(schema, parent->id)) {
    if (parent->type.kind != TypeKind::kStruct) {
      throw refused(fmt::format("Cannot use a field inside of a list or map for {}: {}", what,
                                field_name(schema, source_id)));
    }
  }
}

void check_format_property(const Properties& properties) {
  const auto found = properties.find("format-version");
  if (found == properties.end() || found->second == "1" || found->second == "2") return;
  throw Error(Code::kNotSupported,
              fmt::format("Iceberg format version {} is not supported (supported: 1 and 2)",
                          found->second.substr(0, 20)))
      .with_hint("set format-version to 2 or leave it out");
}

}  // namespace

void check_compatible(const PartitionSpec& spec, const Schema& schema) {
  for (const PartitionField& field : spec.fields) {
    if (field.transform.kind == TransformKind::kVoid) continue;
    check_source(schema, field.source_id, field.transform,
                 fmt::format("partition field '{}'", field.name));
  }
}

void check_compatible(const SortOrder& order, const Schema& schema) {
  for (const SortField& field : order.fields) {
    check_source(schema, field.source_id, field.transform,
                 fmt::format("sort field {}({})", transform_name(field.transform),
                             field_name(schema, field.source_id)));
  }
}

void check_identifier_fields(const Schema& schema) {
  for (const int id : schema.identifier_field_ids) {
    const Field* field = find_field(schema, id);
    if (field == nullptr) {
      throw refused(
          fmt::format("Cannot add fieldId {} as an identifier field: field does not exist", id));
    }
    const auto refuse = [&](std::string_view why) {
      throw refused(fmt::format("Cannot add field {} as an identifier field: {}",
                                field_name(schema, id), why));
    };
    if (field->type.nested()) refuse("not a primitive type field");
    if (!field->required) refuse("not a required field");
    if (field->type.kind == TypeKind::kFloat || field->type.kind == TypeKind::kDouble) {
      refuse("must not be float or double field");
    }
    for (const Field* parent = find_parent(schema, id); parent != nullptr;
         parent = find_parent(schema, parent->id)) {
      if (parent->type.kind != TypeKind::kStruct) refuse("must not be nested in a list or map");
      if (!parent->required) refuse("must not be nested in an optional field");
    }
  }
}

Schema with_fresh_ids(const Schema& schema, int* last_id) {
  Schema fresh = schema;
  std::map<int, int> new_ids;
  renumber(&fresh.fields, last_id, &new_ids);
  for (int& id : fresh.identifier_field_ids) id = renumbered(new_ids, id, "identifier field");
  std::ranges::sort(fresh.identifier_field_ids);
  return fresh;
}

TableMetadata new_table_metadata(const Schema& schema, const PartitionSpec& spec,
                                 const SortOrder& order, std::string location,
                                 const Properties& properties, int64_t now_ms) {
  check_format_property(properties);
  int last_id = 0;
  std::map<int, int> new_ids;
  AddSchema fresh{schema};
  renumber(&fresh.schema.fields, &last_id, &new_ids);
  fresh.schema.id = 0;
  for (int& id : fresh.schema.identifier_field_ids) {
    id = renumbered(new_ids, id, "identifier field");
  }
  std::ranges::sort(fresh.schema.identifier_field_ids);
  AddPartitionSpec fresh_spec{spec};
  for (PartitionField& field : fresh_spec.spec.fields) {
    field.source_id = renumbered(new_ids, field.source_id, "partition field " + field.name);
    field.field_id = 0;
  }
  AddSortOrder fresh_order{order};
  for (SortField& field : fresh_order.order.fields) {
    field.source_id = renumbered(new_ids, field.source_id, "sort field");
  }
  SetProperties stored{properties};
  for (const std::string_view name : kReserved) stored.updates.erase(std::string(name));
  stored.updates.emplace("write.parquet.compression-codec", "zstd");
  while (location.ends_with('/') && !location.ends_with("://")) location.pop_back();
  const std::vector<Update> updates{AssignUuid{base::random_uuid()},
                                    SetLocation{std::move(location)},
                                    std::move(fresh),
                                    SetCurrentSchema{kLastAdded},
                                    std::move(fresh_spec),
                                    SetDefaultSpec{kLastAdded},
                                    std::move(fresh_order),
                                    SetDefaultSortOrder{kLastAdded},
                                    std::move(stored)};
  return apply(updates, nullptr, now_ms);
}

}  // namespace meesh::lake
