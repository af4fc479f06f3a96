// Table metadata from JSON: appendix C of the table spec.
#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>
#include <set>
#include <utility>

#include "lake/metadata_json.h"

namespace meesh::lake {
namespace {

constexpr int kNewestVersion = 2;

std::string lower(std::string text) {
  for (char& c : text) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return text;
}

Transform read_transform(const JsonNode& node) {
  Transform transform;
  node.at("transform", [&] { transform = parse_transform(node.text("transform")); });
  return transform;
}

template <typename T>
void refuse_twice(const JsonNode& node, std::string_view member, const std::vector<T>& items) {
  std::set<int64_t> seen;
  for (const T& item : items) {
    if (!seen.insert(item.id).second) {
      node.fail_at(member, fmt::format("two of them have the id {}", item.id));
    }
  }
}

SnapshotLogEntry read_snapshot_log(const JsonNode& node) {
  return {node.long_integer("timestamp-ms"), node.long_integer("snapshot-id")};
}

MetadataLogEntry read_metadata_log(const JsonNode& node) {
  return {node.long_integer("timestamp-ms"), node.text("metadata-file")};
}

void read_schemas(const JsonNode& node, TableMetadata* out) {
  if (node.has("schemas")) {
    for (const JsonNode& item : node.items("schemas")) out->schemas.push_back(read_schema(item));
    refuse_twice(node, "schemas", out->schemas);
    out->current_schema_id = node.integer("current-schema-id");
  } else if (out->format_version == 1) {
    out->schemas.push_back(read_schema(node.member("schema")));
    out->current_schema_id = out->schemas[0].id;
  } else {
    node.fail_at("schemas", "is required and missing");
  }
  if (out->find_schema(out->current_schema_id) == nullptr) {
    node.fail_at("current-schema-id",
                 fmt::format("there is no schema with the id {}", out->current_schema_id));
  }
}

void read_specs(const JsonNode& node, TableMetadata* out) {
  if (node.has("partition-specs")) {
    for (const JsonNode& item : node.items("partition-specs")) {
      PartitionSpec spec;
      spec.id = item.integer("spec-id");
      out->partition_specs.push_back(
          read_partition_fields(item.member("fields"), spec.id, out->format_version == 1));
    }
    refuse_twice(node, "partition-specs", out->partition_specs);
    out->default_spec_id = node.integer("default-spec-id");
  } else if (out->format_version == 1) {
    out->partition_specs.push_back(read_partition_fields(node.member("partition-spec"), 0, true));
    out->default_spec_id = 0;
  } else {
    node.fail_at("partition-specs", "is required and missing");
  }
  if (out->find_spec(out->default_spec_id) == nullptr) {
    node.fail_at("default-spec-id",
                 fmt::format("there is no partition spec with the id {}", out->default_spec_id));
  }
  int highest = kFirstPartitionFieldId - 1;
  for (const PartitionSpec& spec : out->partition_specs) {
    for (const PartitionField& field : spec.fields) highest = std::max(highest, field.field_id);
  }
  out->last_partition_id = out->format_version == 1
                               ? node.find_integer("last-partition-id").value_or(highest)
                               : node.integer("last-partition-id");
}

void read_sort_orders(const JsonNode& node, TableMetadata* out) {
  if (node.has("sort-orders") || out->format_version > 1) {
    for (const JsonNode& item : node.items("sort-orders")) {
      out->sort_orders.push_back(read_sort_order(item));
    }
    refuse_twice(node, "sort-orders", out->sort_orders);
    out->default_sort_order_id = node.integer("default-sort-order-id");
  } else {
    out->sort_orders.emplace_back();
  }
  if (out->find_sort_order(out->default_sort_order_id) == nullptr) {
    node.fail_at("default-sort-order-id",
                 fmt::format("there is no sort order with the id {}", out->default_sort_order_id));
  }
}

void read_refs(const JsonNode& node, TableMetadata* out) {
  std::set<int64_t> existing;
  for (const Snapshot& snapshot : out->snapshots) existing.insert(snapshot.id);
  if (const auto refs = node.find("refs")) {
    refs->expect_object();
    for (const auto& [key, value] : refs->value().get_object()) {
      const std::string name(key.data(), key.size());
      const JsonNode item = refs->member(name);
      const SnapshotRef ref = read_snapshot_ref(item);
      if (!existing.contains(ref.snapshot_id)) {
        item.fail_at("snapshot-id", fmt::format("there is no snapshot {}", ref.snapshot_id));
      }
      out->refs.emplace(name, ref);
    }
  }
  const std::string main(kMainBranch);
  const auto found = out->refs.find(main);
  if (found == out->refs.end()) {
    if (out->current_snapshot_id) {
      out->refs[main].snapshot_id = *out->current_snapshot_id;
    }
  } else if (found->second.tag || out->current_snapshot_id != found->second.snapshot_id) {
    node.fail_at("refs.main", "is not a branch at the current snapshot");
  }
}

void read_snapshots(const JsonNode& node, TableMetadata* out) {
  for (const JsonNode& item : node.find_items("snapshots")) {
    out->snapshots.push_back(read_snapshot(item, out->format_version));
    const int64_t number = out->snapshots.back().sequence_number;
    if (number > out->last_sequence_number) {
      item.fail_at("sequence-number", fmt::format("{} is beyond last-sequence-number {}", number,
                                                  out->last_sequence_number));
    }
  }
  refuse_twice(node, "snapshots", out->snapshots);
  out->current_snapshot_id = node.find_long("current-snapshot-id");
  if (out->current_snapshot_id == -1) out->current_snapshot_id.reset();
  if (out->current_snapshot_id && out->current_snapshot() == nullptr) {
    node.fail_at("current-snapshot-id",
                 fmt::format("there is no snapshot {}", *out->current_snapshot_id));
  }
  read_refs(node, out);
  for (const JsonNode& item : node.find_items("snapshot-log")) {
    out->snapshot_log.push_back(read_snapshot_log(item));
  }
}

int read_format_version(const JsonNode& node) {
  const int version = node.integer("format-version");
  if (version > kNewestVersion) {
    throw Error(
        Code::kNotSupported,
        fmt::format("format-version: Iceberg format version {} is not supported (supported: "
                    "1 and 2)",
                    version))
        .with_hint("write the table with format version 2");
  }
  if (version < 1) node.fail_at("format-version", fmt::format("there is no version {}", version));
  return version;
}

}  // namespace

PartitionSpec read_partition_fields(const JsonNode& array, int spec_id, bool number_them,
                                    bool ids_required) {
  PartitionSpec spec;
  spec.id = spec_id;
  std::set<std::string> names;
  std::set<int> ids;
  for (const JsonNode& item : array.as_items()) {
    PartitionField field;
    field.source_id = item.integer("source-id");
    field.name = item.text("name");
    field.transform = read_transform(item);
    const auto id = item.find_integer("field-id");
    if (!id && !number_them && ids_required) item.fail_at("field-id", "is required and missing");
    const int own = kFirstPartitionFieldId + static_cast<int>(spec.fields.size());
    field.field_id = id ? *id : (number_them ? own : 0);
    if (!names.insert(field.name).second) {
      item.fail_at("name", fmt::format("there are two partition fields '{}'", field.name));
    }
    if (field.field_id != 0 && !ids.insert(field.field_id).second) {
      item.fail_at("field-id", fmt::format("there are two fields with the id {}", field.field_id));
    }
    spec.fields.push_back(std::move(field));
  }
  return spec;
}

PartitionSpec read_partition_spec(const JsonNode& node, bool ids_required) {
  return read_partition_fields(node.member("fields"), node.find_integer("spec-id").value_or(0),
                               false, ids_required);
}

SortOrder read_sort_order(const JsonNode& node) {
  SortOrder order;
  order.id = node.find_integer("order-id").value_or(0);
  for (const JsonNode& item : node.items("fields")) {
    SortField field;
    field.source_id = item.integer("source-id");
    field.transform = read_transform(item);
    const std::string direction = lower(item.text("direction"));
    if (direction != "asc" && direction != "desc") {
      item.fail_at("direction", fmt::format("expected asc or desc, found '{}'", direction));
    }
    const std::string nulls = lower(item.text("null-order"));
    if (nulls != "nulls-first" && nulls != "nulls-last") {
      item.fail_at("null-order",
                   fmt::format("expected nulls-first or nulls-last, found '{}'", nulls));
    }
    field.direction = direction == "asc" ? SortDirection::kAscending : SortDirection::kDescending;
    field.nulls = nulls == "nulls-first" ? NullOrder::kFirst : NullOrder::kLast;
    order.fields.push_back(std::move(field));
  }
  return order;
}

Snapshot read_snapshot(const JsonNode& node, int format_version) {
  Snapshot snapshot;
  snapshot.id = node.long_integer("snapshot-id");
  if (snapshot.id == -1) node.fail_at("snapshot-id", "-1 stands for no snapshot");
  snapshot.parent_id = node.find_long("parent-snapshot-id");
  snapshot.sequence_number =
      format_version == 1 ? kInitialSequenceNumber
                          : node.find_long("sequence-number").value_or(kInitialSequenceNumber);
  snapshot.timestamp_ms = node.long_integer("timestamp-ms");
  snapshot.manifest_list = node.find_text("manifest-list").value_or("");
  if (snapshot.manifest_list.empty()) {
    if (!node.has("manifests")) node.fail_at("manifest-list", "is required and missing");
    for (const JsonNode& item : node.items("manifests")) {
      snapshot.manifests.push_back(item.as_text());
    }
  }
  snapshot.summary = node.find_properties("summary");
  if (!snapshot.summary.empty() && !snapshot.summary.contains("operation")) {
    // Some writers leave it out; readers in Java take the widest meaning.
    snapshot.summary["operation"] = "overwrite";
  }
  snapshot.schema_id = node.find_integer("schema-id");
  return snapshot;
}

SnapshotRef read_snapshot_ref(const JsonNode& node) {
  SnapshotRef ref;
  ref.snapshot_id = node.long_integer("snapshot-id");
  const std::string type = lower(node.text("type"));
  if (type != "branch" && type != "tag") {
    node.fail_at("type", fmt::format("expected branch or tag, found '{}'", type));
  }
  ref.tag = type == "tag";
  ref.min_snapshots_to_keep = node.find_integer("min-snapshots-to-keep");
  ref.max_snapshot_age_ms = node.find_long("max-snapshot-age-ms");
  ref.max_ref_age_ms = node.find_long("max-ref-age-ms");
  if (ref.tag && (ref.min_snapshots_to_keep || ref.max_snapshot_age_ms)) {
    node.fail(
        "tags keep one snapshot: min-snapshots-to-keep and max-snapshot-age-ms are for "
        "branches");
  }
  const auto positive = [&](std::string_view member, bool good) {
    if (!good) node.fail_at(member, "must be greater than 0");
  };
  positive("min-snapshots-to-keep", ref.min_snapshots_to_keep.value_or(1) > 0);
  positive("max-snapshot-age-ms", ref.max_snapshot_age_ms.value_or(1) > 0);
  positive("max-ref-age-ms", ref.max_ref_age_ms.value_or(1) > 0);
  return ref;
}

BlobMetadata read_blob_metadata(const JsonNode& node) {
  BlobMetadata blob;
  blob.type = node.text("type");
  blob.snapshot_id = node.long_integer("snapshot-id");
  blob.sequence_number = node.long_integer("sequence-number");
  for (const JsonNode& item : node.items("fields")) blob.fields.push_back(item.as_integer());
  blob.properties = node.find_properties("properties");
  return blob;
}

StatisticsFile read_statistics(const JsonNode& node) {
  StatisticsFile file;
  file.snapshot_id = node.long_integer("snapshot-id");
  file.path = node.text("statistics-path");
  file.size = node.long_integer("file-size-in-bytes");
  file.footer_size = node.long_integer("file-footer-size-in-bytes");
  file.key_metadata = node.find_text("key-metadata");
  for (const JsonNode& item : node.items("blob-metadata")) {
    file.blobs.push_back(read_blob_metadata(item));
  }
  return file;
}

PartitionStatisticsFile read_partition_statistics(const JsonNode& node) {
  return {node.long_integer("snapshot-id"), node.text("statistics-path"),
          node.long_integer("file-size-in-bytes")};
}

TableMetadata read_metadata(const JsonNode& node) {
  node.expect_object();
  TableMetadata out;
  out.format_version = read_format_version(node);
  const bool old = out.format_version == 1;
  out.uuid = old ? node.find_text("table-uuid").value_or("") : node.text("table-uuid");
  if (!old && out.uuid.empty()) node.fail_at("table-uuid", "is empty");
  out.location = node.text("location");
  while (out.location.ends_with('/') && !out.location.ends_with("://")) out.location.pop_back();
  out.last_sequence_number =
      old ? kInitialSequenceNumber : node.long_integer("last-sequence-number");
  out.last_updated_ms = node.long_integer("last-updated-ms");
  out.last_column_id = node.integer("last-column-id");
  read_schemas(node, &out);
  read_specs(node, &out);
  read_sort_orders(node, &out);
  out.properties = node.find_properties("properties");
  read_snapshots(node, &out);
  for (const JsonNode& item : node.find_items("metadata-log")) {
    out.metadata_log.push_back(read_metadata_log(item));
  }
  for (const JsonNode& item : node.find_items("statistics")) {
    out.statistics.push_back(read_statistics(item));
  }
  for (const JsonNode& item : node.find_items("partition-statistics")) {
    out.partition_statistics.push_back(read_partition_statistics(item));
  }
  return out;
}

TableMetadata parse_metadata(std::string_view text) {
  TableMetadata metadata;
  read_json(text, Code::kIcebergInvalidMetadata,
            [&](const JsonNode& root) { metadata = read_metadata(root); });
  return metadata;
}

PartitionSpec parse_partition_spec(std::string_view text) {
  PartitionSpec spec;
  read_json(text, Code::kIcebergInvalidMetadata,
            [&](const JsonNode& root) { spec = read_partition_spec(root, false); });
  return spec;
}

SortOrder parse_sort_order(std::string_view text) {
  SortOrder order;
  read_json(text, Code::kIcebergInvalidMetadata,
            [&](const JsonNode& root) { order = read_sort_order(root); });
  return order;
}

}  // namespace meesh::lake
