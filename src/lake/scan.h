// Which files a read of a table needs, and which snapshot is meant. Source: the Iceberg table spec,
// "Scan Planning".
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "lake/manifest.h"
#include "lake/manifest_cache.h"
#include "lake/metadata.h"
#include "lake/pruning.h"

namespace meesh::lake {

struct ScanDelete {
  std::shared_ptr<const DataFile> file;  // kPositionDeletes or kEqualityDeletes
  int spec_id = 0;
  int64_t sequence_number = 0;
};

struct ScanFile {
  std::shared_ptr<const DataFile> file;
  int spec_id = 0;
  int64_t sequence_number = 0;  // of its rows
  /// Places in ScanPlan::deletes of what must be applied to it, rising.
  std::vector<uint32_t> deletes;
};

struct ScanPlan {
  std::vector<ScanFile> files;  // in the order of the manifests
  /// Those that apply to one of `files` at least.
  std::vector<ScanDelete> deletes;
  int64_t records = 0;  // in `files`, deleted ones too
  int64_t bytes = 0;    // of `files`
  int64_t delete_bytes = 0;
  /// How many rows the read gives, if that is known without reading: no predicate, no deletes.
  std::optional<int64_t> rows;

  // For people: what was passed over.
  int64_t manifests = 0, manifests_skipped = 0;  // of data files
  int64_t files_skipped = 0;                     // in manifests that were read
};

/// `snapshot` null: an empty table. The predicate is over the fields of `schema`, null meaning the
/// table's current one (a read of an older snapshot gives table.schema_of(*snapshot)).
ScanPlan plan_scan(ManifestCache& cache, const TableMetadata& table, const Snapshot* snapshot,
                   const Predicate& predicate, const Schema* schema = nullptr);

/// Values of columns by the partition alone, field id and value: what a file without these columns
/// has in them (identity transforms; files that were adopted from Hive).
std::vector<std::pair<int, Value>> identity_values(const PartitionSpec& spec, const DataFile& file);

/// Whether two files lie in the same partition of the same spec.
bool same_partition(int spec_a, const DataFile& a, int spec_b, const DataFile& b);

/// The data file that a position delete file is for, if it is for one alone (also if only its
/// bounds say so); else "".
std::string_view referenced_file(const DataFile& deletes);

// Which snapshot a query means. INVALID_ARGUMENTS with Trino's texts if there is none; `name` is
// the table's, for the message.

/// FOR VERSION AS OF 123
const Snapshot& snapshot_by_id(const TableMetadata& table, int64_t id);
/// FOR VERSION AS OF 'branch or tag'
const Snapshot& snapshot_by_ref(const TableMetadata& table, std::string_view ref);
/// FOR TIMESTAMP AS OF …
const Snapshot& snapshot_by_time(const TableMetadata& table, std::string_view name,
                                 int64_t timestamp_ms);

}  // namespace meesh::lake
