// What is known of a table's rows as a whole: of its columns from the manifests, and how many
// different values they have from statistics files.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "lake/catalog.h"
#include "lake/manifest_cache.h"
#include "lake/metadata.h"

namespace meesh::lake {

/// What the files of a snapshot say of one column together.
struct ColumnSummary {
  std::optional<int64_t> bytes;  // on disk, of the files that tell
  std::optional<int64_t> nulls;  // nothing if one file does not tell
  Value low, high;               // null if one file with values does not tell
};

struct TableSummary {
  int64_t files = 0;
  int64_t records = 0;                   // deleted ones too
  std::map<int, ColumnSummary> columns;  // by field id: the columns of the current schema
};

TableSummary summarize(ManifestCache& cache, const TableMetadata& table, const Snapshot& snapshot);

/// The statistics of the snapshot or of its nearest ancestor that has some; null if none has.
const StatisticsFile* newest_statistics(const TableMetadata& table, const Snapshot& snapshot);

/// How many different values columns have according to newest_statistics(), by field id. The file
/// itself is read only where the metadata does not tell; one that cannot be read tells nothing.
std::map<int, int64_t> distinct_values(const Files& files, const TableMetadata& table,
                                       const Snapshot& snapshot);

struct NewStatistics {
  std::string path;  // of the file to be written
  std::string table_uuid;
  int64_t snapshot_id = 0;
  std::map<int, std::string> sketches;  // compact theta sketches by field id
};

/// Writes a statistics file and makes it the snapshot's; columns that have no new sketch keep what
/// newest_statistics() has of them. ICEBERG_COMMIT_ERROR if the table has been replaced or the
/// snapshot has expired. If it throws, no file is left.
Table set_statistics(Catalog& catalog, const Identifier& name, const NewStatistics& statistics);

/// The table forgets all its statistics files; orphan removal takes them away.
Table drop_statistics(Catalog& catalog, const Identifier& name);

}  // namespace meesh::lake
