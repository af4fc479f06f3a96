// The metadata of an Iceberg table. Source: the table spec, "Table Metadata" and appendix C.
//
// Format versions 1 and 2 are read; what is written is always 2. Pure values: nothing here touches
// a file or a database.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "lake/transform.h"
#include "lake/types.h"

namespace meesh::lake {

using Properties = std::map<std::string, std::string>;

/// Ids of partition fields start here; unpartitioned tables have one less as last-partition-id.
inline constexpr int kFirstPartitionFieldId = 1000;
/// What the sequence number of a table of format version 1 is.
inline constexpr int64_t kInitialSequenceNumber = 0;

struct PartitionField {
  int source_id = 0;  // a field of the schema
  int field_id = 0;   // from 1000; 0 in a request: not given yet
  std::string name;
  Transform transform;

  bool operator==(const PartitionField& other) const = default;
};

struct PartitionSpec {
  int id = 0;
  std::vector<PartitionField> fields;

  /// No field but void ones.
  bool unpartitioned() const;
  bool operator==(const PartitionSpec& other) const = default;
};

/// The struct of a partition's values: field ids, names and result types of the spec; all optional.
/// A source that the schema no longer has (void since) is a string.
Type partition_type(const PartitionSpec& spec, const Schema& schema);

/// application/x-www-form-urlencoded, as names and values stand in paths.
std::string form_encoded(std::string_view text);

/// "day=2025-01-15/country=de%2Fat": form-urlencoded names and values, as Java's partitionToPath.
/// One value for each field of the spec.
std::string partition_path(const PartitionSpec& spec, const Schema& schema,
                           std::span<const Value> values);

enum class SortDirection { kAscending, kDescending };
enum class NullOrder { kFirst, kLast };

struct SortField {
  int source_id = 0;
  Transform transform;
  SortDirection direction = SortDirection::kAscending;
  NullOrder nulls = NullOrder::kFirst;

  bool operator==(const SortField& other) const = default;
};

/// Id 0 is the unsorted order and has no fields.
struct SortOrder {
  int id = 0;
  std::vector<SortField> fields;

  bool operator==(const SortOrder& other) const = default;
};

struct Snapshot {
  int64_t id = 0;
  std::optional<int64_t> parent_id;
  int64_t sequence_number = kInitialSequenceNumber;
  int64_t timestamp_ms = 0;
  std::string manifest_list;           // "" only in format version 1, then `manifests` has them
  std::vector<std::string> manifests;  // paths
  Properties summary;                  // "operation" among them; empty where version 1 left it out
  std::optional<int> schema_id;

  bool operator==(const Snapshot& other) const = default;
};

inline constexpr std::string_view kMainBranch = "main";

struct SnapshotRef {
  int64_t snapshot_id = 0;
  bool tag = false;                            // else a branch
  std::optional<int> min_snapshots_to_keep;    // branches only
  std::optional<int64_t> max_snapshot_age_ms;  // branches only
  std::optional<int64_t> max_ref_age_ms;

  bool operator==(const SnapshotRef& other) const = default;
};

struct SnapshotLogEntry {
  int64_t timestamp_ms = 0;
  int64_t snapshot_id = 0;

  bool operator==(const SnapshotLogEntry& other) const = default;
};

struct MetadataLogEntry {
  int64_t timestamp_ms = 0;
  std::string metadata_file;

  bool operator==(const MetadataLogEntry& other) const = default;
};

/// A blob of a Puffin file.
struct BlobMetadata {
  std::string type;
  int64_t snapshot_id = 0;
  int64_t sequence_number = 0;
  std::vector<int> fields;
  Properties properties;

  bool operator==(const BlobMetadata& other) const = default;
};

struct StatisticsFile {
  int64_t snapshot_id = 0;
  std::string path;
  int64_t size = 0;         // bytes
  int64_t footer_size = 0;  // bytes
  std::optional<std::string> key_metadata;
  std::vector<BlobMetadata> blobs;

  bool operator==(const StatisticsFile& other) const = default;
};

struct PartitionStatisticsFile {
  int64_t snapshot_id = 0;
  std::string path;
  int64_t size = 0;  // bytes

  bool operator==(const PartitionStatisticsFile& other) const = default;
};

struct TableMetadata {
  int format_version = 2;  // as read
  std::string uuid;        // "" only if read from version 1 without one
  std::string location;    // without a slash at the end
  int64_t last_sequence_number = kInitialSequenceNumber;
  int64_t last_updated_ms = 0;
  int last_column_id = 0;
  std::vector<Schema> schemas;
  int current_schema_id = 0;
  std::vector<PartitionSpec> partition_specs;
  int default_spec_id = 0;
  int last_partition_id = kFirstPartitionFieldId - 1;
  Properties properties;
  std::optional<int64_t> current_snapshot_id;
  std::vector<Snapshot> snapshots;
  std::vector<SnapshotLogEntry> snapshot_log;
  std::vector<MetadataLogEntry> metadata_log;
  std::vector<SortOrder> sort_orders;
  int default_sort_order_id = 0;
  std::map<std::string, SnapshotRef> refs;
  std::vector<StatisticsFile> statistics;
  std::vector<PartitionStatisticsFile> partition_statistics;

  // Null if there is none. The plain ones always exist: reading checks it.
  const Schema* find_schema(int id) const;
  const PartitionSpec* find_spec(int id) const;
  const SortOrder* find_sort_order(int id) const;
  const Snapshot* find_snapshot(int64_t id) const;
  const SnapshotRef* find_ref(std::string_view name) const;
  const Schema& schema() const;
  const PartitionSpec& spec() const;
  const SortOrder& sort_order() const;
  const Snapshot* current_snapshot() const;
  /// The schema a snapshot was written with; the current one if it does not say.
  const Schema& schema_of(const Snapshot& snapshot) const;
  /// The current snapshot at a time: the last of the log not after it. Null: none yet.
  const Snapshot* snapshot_at(int64_t timestamp_ms) const;

  bool operator==(const TableMetadata& other) const = default;
};

/// Metadata from its file's text (already decompressed). Unknown members are passed over. Every
/// mistake is Error(kIcebergInvalidMetadata) naming its place ("schemas[0].fields[2].type: …");
/// format version 3 and later Error(kNotSupported).
TableMetadata parse_metadata(std::string_view json);

/// The file's text, format version 2. A table read from version 1 gets its sequence numbers 0;
/// one without a uuid must have been given one.
std::string metadata_json(const TableMetadata& metadata);

/// One snapshot, spec or order as in the metadata, for messages of the REST protocol.
std::string snapshot_json(const Snapshot& snapshot);
std::string partition_spec_json(const PartitionSpec& spec);
std::string sort_order_json(const SortOrder& order);
PartitionSpec parse_partition_spec(std::string_view json);
SortOrder parse_sort_order(std::string_view json);

}  // namespace meesh::lake
