#include "lake/upkeep.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <unordered_set>

#include "lake/transaction_merge.h"

namespace meesh::lake {
namespace {

constexpr int64_t kDay = int64_t{24} * 60 * 60 * 1000;
constexpr int64_t kSnapshotAge = 5 * kDay;
/// A reader opens a file as fast as it reads so many bytes: Iceberg's read.split.open-file-cost.
constexpr int64_t kOpenCost = int64_t{4} << 20;
constexpr int kCrowd = 5;
/// Files are first gathered among those of their size: below 3/4, 3/32, 3/256 of the target.
constexpr int kSizes = 3, kSizeStep = 8;

using Paths = std::unordered_set<std::string>;

/// Files of which deletes hide too much.
Paths worn_files(const CompactionPlan& plan) {
  Paths paths;
  for (const CompactionGroup& group : plan.groups) {
    for (const ScanFile& file : group.files) paths.insert(file.file->path);
  }
  return paths;
}

/// Whether readers win by `plan` what it costs. The largest of a group's small files counts as
/// cost alone: it may be what the last compaction made.
bool worth(const CompactionPlan& plan, const Paths& worn, int64_t threshold) {
  bool wanted = !worn.empty();
  int64_t cost = 0, gain = 0;
  for (const CompactionGroup& group : plan.groups) {
    int64_t largest = 0;
    int small = 0;
    for (const ScanFile& file : group.files) {
      const int64_t weight = std::max(file.file->bytes, kOpenCost);
      cost += file.file->bytes;
      if (worn.contains(file.file->path)) {
        gain += weight;
      } else if (file.file->bytes < threshold) {
        ++small;
        gain += weight;
        largest = std::max(largest, weight);
      }
    }
    gain -= largest;
    wanted = wanted || small >= kCrowd;
  }
  return wanted && gain >= cost - gain;
}

}  // namespace

UpkeepPolicy upkeep_policy(const TableMetadata& table) {
  const auto flag = [&](const char* name) { return flag_property(table.properties, name, true); };
  UpkeepPolicy policy;
  const bool enabled = flag("meesh.maintenance.enabled");
  const bool commits = table.format_version >= 2;
  const bool gc = flag("gc.enabled");
  policy.compaction = flag("meesh.maintenance.compaction") && enabled && commits;
  policy.expire_snapshots = flag("meesh.maintenance.expire-snapshots") && enabled && commits && gc;
  policy.orphan_files = flag("meesh.maintenance.orphan-files") && enabled && gc;
  return policy;
}

std::optional<int64_t> compaction_due(ManifestCache& cache, const TableMetadata& table) {
  const Snapshot* head = table.current_snapshot();
  if (head == nullptr) return std::nullopt;
  CompactionOptions options;
  options.file_size_threshold = 1;  // none is small: worn ones alone
  options.min_input_files = std::numeric_limits<int>::max();
  const CompactionPlan found = plan_compaction(cache, table, head, options);
  const Paths worn = worn_files(found);
  // From here on as optimize will plan it.
  options.min_input_files = 2;
  options.delete_ratio = 0;
  int64_t threshold = found.target_bytes / 4 * 3;
  for (int size = 0; size < kSizes && threshold > 0; ++size, threshold /= kSizeStep) {
    options.file_size_threshold = threshold;
    const CompactionPlan plan = plan_compaction(cache, table, head, options);
    if (plan.groups.empty()) break;
    if (worth(plan, worn, threshold)) return threshold;
  }
  return std::nullopt;
}

ExpireOptions gentle_expiry(const TableMetadata& table, int64_t now_ms) {
  const int64_t age =
      number_property(table.properties, "history.expire.max-snapshot-age-ms", kSnapshotAge, 0);
  const int64_t least =
      number_property(table.properties, "history.expire.min-snapshots-to-keep", 1, 1);
  const int64_t since = now_ms - std::min(age, kDay);
  int64_t kept = 1;  // the one that was the newest when the time began
  std::unordered_set<int64_t> seen;
  for (const Snapshot* at = table.current_snapshot();
       at != nullptr && at->timestamp_ms > since && seen.insert(at->id).second;
       at = at->parent_id ? table.find_snapshot(*at->parent_id) : nullptr) {
    ++kept;
  }
  ExpireOptions options;
  options.retain_last =
      static_cast<int>(std::min<int64_t>(std::max(kept, least), std::numeric_limits<int>::max()));
  return options;
}

OrphanRuns::OrphanRuns(meta::Database& database, std::chrono::milliseconds period)
    : database_(database), period_ms_(period.count()) {
  meta::migrate(database_, "lake_upkeep",
                {{1,
                  "when orphans were looked for",
                  {"CREATE TABLE lake_orphan_run (table_uuid TEXT PRIMARY KEY, "
                   "began_ms BIGINT NOT NULL)"}}});
}

bool OrphanRuns::claim(const std::string& table_uuid) {
  bool due = false;
  database_.write([&](soci::session& sql) {
    const std::string now = database_.now_ms();
    // A run in the future: the clock was set back.
    soci::statement claim =
        (sql.prepare << fmt::format(
             "INSERT INTO lake_orphan_run (table_uuid, began_ms) VALUES (:uuid, {0}) "
             "ON CONFLICT (table_uuid) DO UPDATE SET began_ms = {0} "
             "WHERE lake_orphan_run.began_ms <= {0} - :period OR lake_orphan_run.began_ms > {0}",
             now),
         soci::use(table_uuid, "uuid"), soci::use(period_ms_, "period"));
    claim.execute(true);
    due = claim.get_affected_rows() == 1;
  });
  return due;
}

void OrphanRuns::forget_old() {
  const long long age = 30 * period_ms_;
  database_.write([&](soci::session& sql) {
    sql << "DELETE FROM lake_orphan_run WHERE began_ms < " + database_.now_ms() + " - :age",
        soci::use(age, "age");
  });
}

}  // namespace meesh::lake
