// Table metadata to JSON, members in the order in which Java's writer puts them.
#include <boost/json.hpp>
#include <utility>

#include "lake/metadata_json.h"

namespace meesh::lake {
namespace {

namespace json = boost::json;

template <typename Items>
json::array array_of(const Items& items) {
  json::array out;
  out.reserve(items.size());
  for (const auto& item : items) out.push_back(to_json(item));
  return out;
}

// What grows with every commit is made in one storage, as a table has thousands of such parts.

json::array snapshots_json(const TableMetadata& metadata, const json::storage_ptr& storage) {
  json::array out(storage);
  out.reserve(metadata.snapshots.size());
  for (const Snapshot& snapshot : metadata.snapshots) out.push_back(to_json(snapshot, storage));
  return out;
}

json::array snapshot_log_json(const TableMetadata& metadata, const json::storage_ptr& storage) {
  json::array out(storage);
  out.reserve(metadata.snapshot_log.size());
  for (const SnapshotLogEntry& entry : metadata.snapshot_log) {
    out.push_back(json::object(
        {{"timestamp-ms", entry.timestamp_ms}, {"snapshot-id", entry.snapshot_id}}, storage));
  }
  return out;
}

json::array metadata_log_json(const TableMetadata& metadata, const json::storage_ptr& storage) {
  json::array out(storage);
  out.reserve(metadata.metadata_log.size());
  for (const MetadataLogEntry& entry : metadata.metadata_log) {
    out.push_back(json::object(
        {{"timestamp-ms", entry.timestamp_ms}, {"metadata-file", entry.metadata_file}}, storage));
  }
  return out;
}

}  // namespace

json::object to_json(const PartitionSpec& spec) {
  json::object out;
  out["spec-id"] = spec.id;
  json::array fields;
  for (const PartitionField& field : spec.fields) {
    json::object item;
    item["name"] = field.name;
    item["transform"] = transform_name(field.transform);
    item["source-id"] = field.source_id;
    if (field.field_id != 0) item["field-id"] = field.field_id;
    fields.push_back(std::move(item));
  }
  out["fields"] = std::move(fields);
  return out;
}

json::object to_json(const SortOrder& order) {
  json::object out;
  out["order-id"] = order.id;
  json::array fields;
  for (const SortField& field : order.fields) {
    json::object item;
    item["transform"] = transform_name(field.transform);
    item["source-id"] = field.source_id;
    item["direction"] = field.direction == SortDirection::kAscending ? "asc" : "desc";
    item["null-order"] = field.nulls == NullOrder::kFirst ? "nulls-first" : "nulls-last";
    fields.push_back(std::move(item));
  }
  out["fields"] = std::move(fields);
  return out;
}

json::object to_json(const Snapshot& snapshot, const json::storage_ptr& storage) {
  json::object out(storage);
  out.reserve(8);
  out.emplace("sequence-number", snapshot.sequence_number);
  out.emplace("snapshot-id", snapshot.id);
  if (snapshot.parent_id) out.emplace("parent-snapshot-id", *snapshot.parent_id);
  out.emplace("timestamp-ms", snapshot.timestamp_ms);
  if (!snapshot.summary.empty()) out.emplace("summary", to_json(snapshot.summary, storage));
  if (snapshot.manifest_list.empty()) {
    json::array manifests(storage);
    for (const std::string& path : snapshot.manifests) manifests.emplace_back(path);
    out.emplace("manifests", std::move(manifests));
  } else {
    out.emplace("manifest-list", snapshot.manifest_list);
  }
  if (snapshot.schema_id) out.emplace("schema-id", *snapshot.schema_id);
  return out;
}

json::object to_json(const SnapshotRef& ref) {
  json::object out;
  out["snapshot-id"] = ref.snapshot_id;
  out["type"] = ref.tag ? "tag" : "branch";
  if (ref.min_snapshots_to_keep) out["min-snapshots-to-keep"] = *ref.min_snapshots_to_keep;
  if (ref.max_snapshot_age_ms) out["max-snapshot-age-ms"] = *ref.max_snapshot_age_ms;
  if (ref.max_ref_age_ms) out["max-ref-age-ms"] = *ref.max_ref_age_ms;
  return out;
}

json::object to_json(const BlobMetadata& blob) {
  json::object out;
  out["type"] = blob.type;
  out["snapshot-id"] = blob.snapshot_id;
  out["sequence-number"] = blob.sequence_number;
  json::array fields;
  for (const int field : blob.fields) fields.emplace_back(field);
  out["fields"] = std::move(fields);
  if (!blob.properties.empty()) out["properties"] = to_json(blob.properties);
  return out;
}

json::object to_json(const StatisticsFile& file) {
  json::object out;
  out["snapshot-id"] = file.snapshot_id;
  out["statistics-path"] = file.path;
  out["file-size-in-bytes"] = file.size;
  out["file-footer-size-in-bytes"] = file.footer_size;
  if (file.key_metadata) out["key-metadata"] = *file.key_metadata;
  out["blob-metadata"] = array_of(file.blobs);
  return out;
}

json::object to_json(const PartitionStatisticsFile& file) {
  json::object out;
  out["snapshot-id"] = file.snapshot_id;
  out["statistics-path"] = file.path;
  out["file-size-in-bytes"] = file.size;
  return out;
}

json::object to_json(const TableMetadata& metadata, const json::storage_ptr& storage) {
  if (metadata.uuid.empty()) internal_error("table metadata without a uuid cannot be written");
  json::object out(storage);
  out["format-version"] = 2;
  out["table-uuid"] = metadata.uuid;
  out["location"] = metadata.location;
  out["last-sequence-number"] = metadata.last_sequence_number;
  out["last-updated-ms"] = metadata.last_updated_ms;
  out["last-column-id"] = metadata.last_column_id;
  out["current-schema-id"] = metadata.current_schema_id;
  out["schemas"] = array_of(metadata.schemas);
  out["default-spec-id"] = metadata.default_spec_id;
  out["partition-specs"] = array_of(metadata.partition_specs);
  out["last-partition-id"] = metadata.last_partition_id;
  out["default-sort-order-id"] = metadata.default_sort_order_id;
  out["sort-orders"] = array_of(metadata.sort_orders);
  out["properties"] = to_json(metadata.properties);
  // -1, as Java writes for version 2: older readers insist on a number.
  out["current-snapshot-id"] = metadata.current_snapshot_id.value_or(-1);
  json::object refs;
  for (const auto& [name, ref] : metadata.refs) refs[name] = to_json(ref);
  out["refs"] = std::move(refs);
  out["snapshots"] = snapshots_json(metadata, storage);
  out["statistics"] = array_of(metadata.statistics);
  out["partition-statistics"] = array_of(metadata.partition_statistics);
  out["snapshot-log"] = snapshot_log_json(metadata, storage);
  out["metadata-log"] = metadata_log_json(metadata, storage);
  return out;
}

std::string metadata_json(const TableMetadata& metadata) {
  json::monotonic_resource storage;
  return json::serialize(to_json(metadata, &storage));
}
std::string snapshot_json(const Snapshot& snapshot) { return json::serialize(to_json(snapshot)); }
std::string partition_spec_json(const PartitionSpec& spec) {
  return json::serialize(to_json(spec));
}
std::string sort_order_json(const SortOrder& order) { return json::serialize(to_json(order)); }

}  // namespace meesh::lake
