// Expiring snapshots: which, and what only they reached. The rules are those of Java's
// RemoveSnapshots.
#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <set>

#include "base/clock.h"
#include "base/error.h"
#include "base/log.h"
#include "lake/maintenance.h"
#include "lake/maintenance_reach.h"
#include "lake/transaction_merge.h"
#include "lake/updates.h"

namespace meesh::lake {
namespace {

constexpr int64_t kFiveDays = int64_t{5} * 24 * 60 * 60 * 1000;

/// `now` - `age`, of which either may be the largest there is.
int64_t ago(int64_t now, int64_t age) {
  int64_t out = 0;
  return __builtin_sub_overflow(now, age, &out) ? std::numeric_limits<int64_t>::min() : out;
}

class Retention {
 public:
  Retention(const TableMetadata& table, const ExpireOptions& options)
      : table_(table), options_(options), now_(base::now_ms()) {
    const Properties& properties = table.properties;
    const int64_t age =
        number_property(properties, "history.expire.max-snapshot-age-ms", kFiveDays, 0);
    older_than_ = options.older_than_ms.value_or(ago(now_, age));
    keep_ = options.retain_last
                ? int64_t{*options.retain_last}
                : number_property(properties, "history.expire.min-snapshots-to-keep", 1, 1);
    ref_age_ = number_property(properties, "history.expire.max-ref-age-ms",
                               std::numeric_limits<int64_t>::max(), 0);
    if (keep_ < 1) {
      throw Error(
          Code::kInvalidArguments,
          fmt::format("Number of snapshots to retain must be at least 1, cannot be: {}", keep_));
    }
  }

  std::vector<Update> updates() {
    std::set<int64_t> of_refs;
    for (const auto& [name, ref] : table_.refs) keep_ref(name, ref, of_refs);
    for (const Snapshot& snapshot : table_.snapshots) {
      // Neither in a branch nor a tag: staged, or left by a rollback.
      if (!reached_.contains(snapshot.id) && snapshot.timestamp_ms >= older_than_) {
        kept_.insert(snapshot.id);
      }
    }
    for (const int64_t id : options_.snapshot_ids) {
      if (of_refs.contains(id)) {
        throw Error(Code::kInvalidArguments,
                    fmt::format("Cannot expire {}. Still referenced by refs: {}", id, refs_of(id)));
      }
      kept_.erase(id);
    }
    std::vector<Update> updates;
    for (const std::string& name : gone_refs_) updates.emplace_back(RemoveSnapshotRef{name});
    RemoveSnapshots removal;
    for (const Snapshot& snapshot : table_.snapshots) {
      if (!kept_.contains(snapshot.id)) removal.ids.push_back(snapshot.id);
    }
    if (!removal.ids.empty()) updates.emplace_back(std::move(removal));
    return updates;
  }

 private:
  std::string refs_of(int64_t id) const {
    std::string names;
    for (const auto& [name, ref] : table_.refs) {
      if (ref.snapshot_id == id) names += (names.empty() ? "" : ", ") + name;
    }
    return names;
  }

  void keep_ref(const std::string& name, const SnapshotRef& ref, std::set<int64_t>& of_refs) {
    const Snapshot* snapshot = table_.find_snapshot(ref.snapshot_id);
    if (snapshot == nullptr) return;
    const int64_t oldest = ago(now_, ref.max_ref_age_ms.value_or(ref_age_));
    if (name != kMainBranch && snapshot->timestamp_ms < oldest) {
      gone_refs_.push_back(name);
      return;
    }
    of_refs.insert(snapshot->id);
    kept_.insert(snapshot->id);
    reached_.insert(snapshot->id);
    if (!ref.tag) keep_branch(ref, *snapshot);
  }

  void keep_branch(const SnapshotRef& ref, const Snapshot& head) {
    const int64_t oldest =
        ref.max_snapshot_age_ms ? ago(now_, *ref.max_snapshot_age_ms) : older_than_;
    const int64_t least = ref.min_snapshots_to_keep.value_or(
        static_cast<int>(std::min<int64_t>(keep_, std::numeric_limits<int>::max())));
    int64_t count = 0;
    bool keeping = true;
    std::set<int64_t> seen;
    for (const Snapshot* at = &head; at != nullptr && seen.insert(at->id).second;
         at = at->parent_id ? table_.find_snapshot(*at->parent_id) : nullptr) {
      reached_.insert(at->id);
      keeping = keeping && (count < least || at->timestamp_ms >= oldest);
      if (keeping) kept_.insert(at->id);
      ++count;
    }
  }

  const TableMetadata& table_;
  const ExpireOptions& options_;
  const int64_t now_;
  int64_t older_than_ = 0, keep_ = 1, ref_age_ = 0;
  std::set<int64_t> kept_, reached_;
  std::vector<std::string> gone_refs_;
};

/// What only the expired snapshots reached.
class Cleanup {
 public:
  Cleanup(ManifestCache& cache, const TableMetadata& before, const TableMetadata& after)
      : cache_(cache), before_(before), after_(after) {}

  void find(const std::vector<int64_t>& expired, ExpireReport& report) {
    for (const Snapshot& snapshot : after_.snapshots) kept_.add(cache_, after_, snapshot);
    kept_.add_statistics(after_);
    for (const int64_t id : expired) {
      const Snapshot* snapshot = before_.find_snapshot(id);
      if (snapshot != nullptr) gone_.add(cache_, before_, *snapshot);
    }
    gone_.add_statistics(before_);
    take(gone_.lists, kept_.lists, report.manifest_lists);
    take_statistics(report);
    take_content(report);
  }

  std::vector<std::string> files;

 private:
  void take(const std::unordered_set<std::string>& gone,
            const std::unordered_set<std::string>& kept, int64_t& count) {
    for (const std::string& path : gone) {
      if (kept.contains(path)) continue;
      files.push_back(path);
      ++count;
    }
  }

  /// A file may stay under another name of the scheme: they are told apart by where they lie.
  void take_statistics(ExpireReport& report) {
    std::unordered_set<std::string> kept;
    for (const std::string& path : kept_.statistics) kept.insert(place_of(path));
    for (const std::string& path : gone_.statistics) {
      if (!kept.insert(place_of(path)).second) continue;
      files.push_back(path);
      ++report.statistics_files;
    }
  }

  void take_content(ExpireReport& report) {
    std::unordered_map<std::string, const DataFile*> candidates;
    std::vector<Manifest> held;
    for (const auto& [path, file] : gone_.manifests) {
      if (kept_.manifests.contains(path)) continue;
      files.push_back(path);
      ++report.manifests;
      held.push_back(cache_.manifest(before_, file));
      for (const ManifestEntry& entry : *held.back()) {
        if (entry.live()) candidates.emplace(entry.file.path, &entry.file);
      }
    }
    for (const auto& [path, file] : kept_.manifests) {
      if (candidates.empty()) break;
      const Manifest entries = cache_.manifest(after_, file);
      for (const ManifestEntry& entry : *entries) {
        if (entry.live()) candidates.erase(entry.file.path);
      }
    }
    for (const auto& [path, file] : candidates) {
      files.push_back(path);
      report.bytes += file->bytes;
      ++(file->content == FileContent::kData ? report.data_files : report.delete_files);
    }
  }

  ManifestCache& cache_;
  const TableMetadata& before_;
  const TableMetadata& after_;
  Reach kept_, gone_;
};

}  // namespace

ExpireReport expire_snapshots(Catalog& catalog, ManifestCache& cache, const Identifier& name,
                              const ExpireOptions& options) {
  std::shared_ptr<const TableMetadata> before;
  const TableChange change{name, [&](const Table& base) {
                             require_gc(*base.metadata, "expire snapshots");
                             before = base.metadata;
                             return apply(Retention(*base.metadata, options).updates(),
                                          base.metadata.get(), base::now_ms(),
                                          base.metadata_location);
                           }};
  const Table after = catalog.commit({change}).front();
  ExpireReport report;
  for (const Snapshot& snapshot : before->snapshots) {
    if (after.metadata->find_snapshot(snapshot.id) == nullptr) {
      report.snapshots.push_back(snapshot.id);
    }
  }
  for (const auto& [ref, unused] : before->refs) {
    if (after.metadata->find_ref(ref) == nullptr) report.refs.push_back(ref);
  }
  if (report.snapshots.empty()) return report;
  Cleanup cleanup(cache, *before, *after.metadata);
  try {
    cleanup.find(report.snapshots, report);
    cache.files().remove(removable(cache.files(), std::move(cleanup.files)));
  } catch (const std::exception& error) {  // the snapshots are gone; orphan removal finds the rest
    log::warn("files of expired snapshots could not be removed",
              {{"table", name.display()}, {"error", error.what()}});
  }
  return report;
}

}  // namespace meesh::lake
