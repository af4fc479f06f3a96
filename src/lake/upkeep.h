// Upkeep that nobody asked for: what of maintenance.h a table needs now, by its properties, and
// when it was last looked through. Doing it is up to the caller.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include "lake/maintenance.h"
#include "lake/manifest_cache.h"
#include "lake/metadata.h"
#include "meta/database.h"

namespace meesh::lake {

/// What may be done to a table unasked.
struct UpkeepPolicy {
  bool compaction = true, expire_snapshots = true, orphan_files = true;
};

/// From the properties meesh.maintenance.enabled, .compaction, .expire-snapshots and .orphan-files,
/// all true by default. With gc.enabled false, or in format version 1 (which a commit would raise),
/// only that which keeps the table as it is. INVALID_TABLE_PROPERTY for what is neither true nor
/// false.
UpkeepPolicy upkeep_policy(const TableMetadata& table);

/// The size below which files of the newest snapshot are worth rewriting now, as
/// file_size_threshold of ALTER TABLE … EXECUTE optimize; nothing: leave the table alone. Worth it
/// means: five small files in one partition, or a file of which deletes hide three rows in ten; and
/// at least half of what would be rewritten has not been rewritten so before. So a file is written
/// again only a few times in its life, however slowly its table grows.
std::optional<int64_t> compaction_due(ManifestCache& cache, const TableMetadata& table);

/// Expiry by the table's properties that leaves readers their time: a snapshot that was the newest
/// within the last day (or within history.expire.max-snapshot-age-ms, if that is less) stays, old
/// as it may be.
ExpireOptions gentle_expiry(const TableMetadata& table, int64_t now_ms);

/// When orphans of each table were last looked for, in the metadata database: a run a period,
/// across restarts and all servers of a mesh. Thread-safe.
class OrphanRuns {
 public:
  /// Creates its table. The database outlives it.
  explicit OrphanRuns(meta::Database& database,
                      std::chrono::milliseconds period = std::chrono::days(1));

  /// Whether a run is due; if so, it counts as begun. One that is killed is not made up for before
  /// the next period, which is soon enough for files that hurt nobody.
  bool claim(const std::string& table_uuid);
  /// Forgets tables that nobody asked for in 30 periods: they are gone.
  void forget_old();

 private:
  meta::Database& database_;
  const long long period_ms_;
};

}  // namespace meesh::lake
