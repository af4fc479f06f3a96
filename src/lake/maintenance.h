// What keeps tables small: snapshots expire, files that no snapshot needs are removed, small files
// are found for compaction (which the engine does, as it has to read and write them).
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "lake/catalog.h"
#include "lake/manifest_cache.h"
#include "lake/metadata.h"
#include "lake/pruning.h"
#include "lake/scan.h"

namespace meesh::lake {

struct ExpireOptions {
  /// Snapshots before it expire unless a branch keeps them; nothing: what the table's property
  /// history.expire.max-snapshot-age-ms says, 5 days by default.
  std::optional<int64_t> older_than_ms;  // since 1970
  /// How many snapshots a branch keeps at least; nothing: history.expire.min-snapshots-to-keep, 1
  /// by default.
  std::optional<int> retain_last;
  /// These too, wherever they are; one that is a branch or tag is refused.
  std::vector<int64_t> snapshot_ids;
};

struct ExpireReport {
  std::vector<int64_t> snapshots;
  std::vector<std::string> refs;  // branches and tags older than they may be
  int64_t data_files = 0, delete_files = 0;
  int64_t manifests = 0, manifest_lists = 0, statistics_files = 0;
  int64_t bytes = 0;  // of data and delete files
};

/// Branches and tags keep what they say themselves. Removes only files that no remaining snapshot
/// reaches, after the table has forgotten the snapshots. INVALID_ARGUMENTS while gc.enabled is
/// false.
ExpireReport expire_snapshots(Catalog& catalog, ManifestCache& cache, const Identifier& name,
                              const ExpireOptions& options);

struct OrphanOptions {
  /// Younger files stay: they may belong to a commit that is under way.
  std::chrono::milliseconds older_than = std::chrono::days(3);
  bool only_list = false;
  /// Called now and then while it looks; what it throws ends the search, with every file in place.
  std::function<void()> pause;
};

struct OrphanReport {
  std::vector<std::string> files;  // removed, or found if only listed
  int64_t bytes = 0;
  int64_t looked_at = 0;
};

/// Removes files below the table's folder that nothing in its metadata names. Folders of other
/// tables and views below it are left alone. INVALID_ARGUMENTS while gc.enabled is false, or if
/// there is something to remove and another table has the same folder.
OrphanReport remove_orphan_files(Catalog& catalog, ManifestCache& cache, const Identifier& name,
                                 const OrphanOptions& options);

struct PurgeReport {
  int64_t files = 0;
  /// Of what could not be read, so that files that only it names are left.
  std::vector<std::string> unreadable;
};

/// Removes everything that a table, dropped already, reaches. With gc.enabled false its data and
/// delete files stay, as others may use them.
PurgeReport purge(ManifestCache& cache, const Table& dropped);

/// Makes an older snapshot the head of a branch again. INVALID_ARGUMENTS if there is no such
/// snapshot or branch.
Table rollback_to_snapshot(Catalog& catalog, const Identifier& name, int64_t snapshot_id,
                           const std::string& branch = std::string(kMainBranch));

struct CompactionOptions {
  /// 0: the property write.target-file-size-bytes, 512 MiB by default.
  int64_t target_bytes = 0;
  /// Smaller data files are rewritten; 0: three quarters of the target.
  int64_t file_size_threshold = 0;
  /// A partition with fewer small files is left alone, unless they fill a file of the target size.
  int min_input_files = 5;
  /// Files of which deletes hide so large a part of the rows, and at least one, are rewritten alone
  /// too. Deletes by equality count with all their rows.
  double delete_ratio = 0.3;
  /// At most so many bytes are rewritten at once.
  int64_t most_group_bytes = int64_t{100} << 30;
  Predicate where;  // over the table's current schema
};

/// Files that are rewritten together, in one commit.
struct CompactionGroup {
  int spec_id = 0;               // of the inputs
  std::vector<Value> partition;  // of the inputs
  std::vector<ScanFile> files;   // their deletes are places in CompactionPlan::deletes
  /// Paths of delete files that apply to nothing but these files: they leave with them.
  std::vector<std::string> obsolete_deletes;
  int64_t records = 0, bytes = 0;
  int64_t output_files = 1;  // of about the target size
};

struct CompactionPlan {
  /// What the commits read (SnapshotChange::read_snapshot_id). Nothing: an empty table.
  std::optional<int64_t> snapshot_id;
  int64_t target_bytes = 0;
  std::vector<ScanDelete> deletes;
  std::vector<CompactionGroup> groups;
};

/// `snapshot` null: an empty table.
CompactionPlan plan_compaction(ManifestCache& cache, const TableMetadata& table,
                               const Snapshot* snapshot, const CompactionOptions& options);

}  // namespace meesh::lake
