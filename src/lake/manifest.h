// Manifests: the data and delete files of a table. Source: the Iceberg table spec, "Manifests".
//
// Pure functions over bytes. Wrong bytes are Error(kIcebergInvalidMetadata) that names the file.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "lake/manifest_list.h"
#include "lake/metadata.h"
#include "lake/types.h"

namespace meesh::lake {

enum class FileContent : uint8_t { kData, kPositionDeletes, kEqualityDeletes };
enum class FileFormat : uint8_t { kAvro, kOrc, kParquet, kPuffin };

/// "PARQUET", as manifests have it.
std::string_view format_name(FileFormat format);

/// What is known about one column of a file. Negative: not known.
struct ColumnMetrics {
  int id = 0;
  int64_t size = -1;    // bytes on disk
  int64_t values = -1;  // with nulls and NaNs
  int64_t nulls = -1;
  int64_t nans = -1;
  /// As to_bytes writes them: no value that is neither null nor NaN lies outside.
  std::optional<std::string_view> lower, upper;

  bool operator==(const ColumnMetrics& other) const = default;
};

/// The metrics of a file's columns, in few bytes.
class FileMetrics {
 public:
  bool empty() const { return columns_.empty(); }
  size_t size() const { return columns_.size(); }
  /// By rising id. Its bounds are good until the metrics change.
  ColumnMetrics at(size_t index) const;
  std::optional<ColumnMetrics> find(int id) const;
  /// Adds a column or replaces it.
  void set(const ColumnMetrics& column);

  bool operator==(const FileMetrics& other) const;

 private:
  friend class ManifestDecoder;

  struct Column {
    int id = 0;
    int32_t lower_size = -1, upper_size = -1;  // -1: no bound
    uint32_t lower_at = 0, upper_at = 0;       // in bounds_
    int64_t size = -1, values = -1, nulls = -1, nans = -1;
  };
  Column& column(int id);
  void set_bound(uint32_t& at, int32_t& size, std::string_view value);

  std::vector<Column> columns_;
  std::string bounds_;
};

struct DataFile {
  FileContent content = FileContent::kData;
  FileFormat format = FileFormat::kParquet;
  std::string path;
  std::vector<Value> partition;  // one for each field of the manifest's partition spec
  int64_t records = 0;
  int64_t bytes = 0;
  FileMetrics metrics;
  std::vector<int64_t> split_offsets;  // empty: not known
  std::vector<int> equality_ids;       // kEqualityDeletes only
  std::optional<int> sort_order_id;
  std::optional<std::string> key_metadata;
  /// Of a kPositionDeletes file that deletes from one data file; "" if it does not say.
  std::string referenced_data_file;

  bool operator==(const DataFile& other) const = default;
};

enum class EntryStatus : uint8_t { kExisting, kAdded, kDeleted };

/// A file in a manifest. What was read has its ids and numbers inherited.
struct ManifestEntry {
  EntryStatus status = EntryStatus::kAdded;
  /// Where it was added or deleted; nothing only before it is written: the manifest's.
  std::optional<int64_t> snapshot_id;
  /// The age of its rows; nothing only before it is written: the commit's.
  std::optional<int64_t> sequence_number;
  /// When it was added; nothing too in old manifests that do not know.
  std::optional<int64_t> file_sequence_number;
  DataFile file;

  bool live() const { return status != EntryStatus::kDeleted; }
  bool operator==(const ManifestEntry& other) const = default;
};

/// What a manifest says about itself.
struct ManifestHeader {
  int format_version = 1;
  int spec_id = 0;
  ManifestContent content = ManifestContent::kData;
  std::string schema;          // JSON; "" if it does not say
  std::string partition_spec;  // JSON of the fields
};

ManifestHeader read_manifest_header(std::string_view bytes, const std::string& path);

struct ManifestReadOptions {
  /// The columns whose metrics are wanted; nothing: all.
  std::optional<std::vector<int>> columns;
  /// Without deleted files.
  bool live_only = false;
};

/// Reads a manifest of format version 1 or 2. `file` is its row in the manifest list, which entries
/// inherit from; `spec` is the partition spec of the table that it names.
std::vector<ManifestEntry> read_manifest(std::string_view bytes, const ManifestFile& file,
                                         const PartitionSpec& spec,
                                         const ManifestReadOptions& options = {});

struct NewManifest {
  std::string path;
  int64_t snapshot_id = 0;
  ManifestContent content = ManifestContent::kData;
};

struct WrittenManifest {
  std::string bytes;
  /// Its row for the manifest list, with kUnassignedSequenceNumber as its number.
  ManifestFile file;
};

/// Writes a manifest of format version 2. Entries without ids inherit them later, which only added
/// ones may; deleted ones carry the new snapshot's id. Files must fit the content and the spec.
WrittenManifest write_manifest(std::span<const ManifestEntry> entries, const Schema& schema,
                               const PartitionSpec& spec, const NewManifest& manifest);

}  // namespace meesh::lake
