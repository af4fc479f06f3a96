#include "lake/metadata.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.h"

namespace meesh::lake {
namespace {

template <typename T, typename Id>
const T* find_id(const std::vector<T>& items, Id id) {
  const auto found = std::ranges::find(items, id, &T::id);
  return found == items.end() ? nullptr : &*found;
}

template <typename T>
const T& existing(const T* found, std::string_view what) {
  if (found == nullptr) internal_error(fmt::format("table metadata without its current {}", what));
  return *found;
}

Type source_type(const PartitionField& field, const Schema& schema) {
  const Field* source = find_field(schema, field.source_id);
  return source == nullptr ? primitive_type(TypeKind::kString) : source->type;
}

}  // namespace

std::string form_encoded(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       c == '.' || c == '-' || c == '*' || c == '_';
    if (plain) {
      out.push_back(c);
    } else if (c == ' ') {
      out.push_back('+');
    } else {
      out += fmt::format("%{:02X}", static_cast<uint8_t>(c));
    }
  }
  return out;
}

bool PartitionSpec::unpartitioned() const {
  return std::ranges::all_of(fields, [](const PartitionField& field) {
    return field.transform.kind == TransformKind::kVoid;
  });
}

Type partition_type(const PartitionSpec& spec, const Schema& schema) {
  std::vector<Field> fields;
  for (const PartitionField& field : spec.fields) {
    fields.push_back({.id = field.field_id,
                      .name = field.name,
                      .type = result_type(field.transform, source_type(field, schema)),
                      .required = false,
                      .doc = ""});
  }
  return struct_type(std::move(fields));
}

std::string partition_path(const PartitionSpec& spec, const Schema& schema,
                           std::span<const Value> values) {
  if (values.size() != spec.fields.size()) {
    internal_error(fmt::format("{} values for a partition spec of {} fields", values.size(),
                               spec.fields.size()));
  }
  std::string path;
  for (size_t i = 0; i < values.size(); ++i) {
    const PartitionField& field = spec.fields[i];
    if (!path.empty()) path.push_back('/');
    path += form_encoded(field.name);
    path.push_back('=');
    path += form_encoded(transformed_text(field.transform, source_type(field, schema), values[i]));
  }
  return path;
}

const Schema* TableMetadata::find_schema(int id) const { return find_id(schemas, id); }
const PartitionSpec* TableMetadata::find_spec(int id) const { return find_id(partition_specs, id); }
const SortOrder* TableMetadata::find_sort_order(int id) const { return find_id(sort_orders, id); }
const Snapshot* TableMetadata::find_snapshot(int64_t id) const { return find_id(snapshots, id); }

const SnapshotRef* TableMetadata::find_ref(std::string_view name) const {
  const auto found = refs.find(std::string(name));
  return found == refs.end() ? nullptr : &found->second;
}

const Schema& TableMetadata::schema() const {
  return existing(find_schema(current_schema_id), "schema");
}
const PartitionSpec& TableMetadata::spec() const {
  return existing(find_spec(default_spec_id), "partition spec");
}
const SortOrder& TableMetadata::sort_order() const {
  return existing(find_sort_order(default_sort_order_id), "sort order");
}

const Snapshot* TableMetadata::current_snapshot() const {
  return current_snapshot_id ? find_snapshot(*current_snapshot_id) : nullptr;
}

const Schema& TableMetadata::schema_of(const Snapshot& snapshot) const {
  const Schema* found = snapshot.schema_id ? find_schema(*snapshot.schema_id) : nullptr;
  return found != nullptr ? *found : schema();
}

const Snapshot* TableMetadata::snapshot_at(int64_t timestamp_ms) const {
  const SnapshotLogEntry* last = nullptr;
  for (const SnapshotLogEntry& entry : snapshot_log) {
    if (entry.timestamp_ms <= timestamp_ms) last = &entry;
  }
  return last == nullptr ? nullptr : find_snapshot(last->snapshot_id);
}

}  // namespace meesh::lake
