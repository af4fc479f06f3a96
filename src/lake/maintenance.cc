#include "lake/maintenance.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <unordered_set>

#include "base/clock.h"
#include "base/error.h"
#include "base/log.h"
#include "lake/layout.h"
#include "lake/maintenance_reach.h"
#include "lake/transaction_merge.h"
#include "lake/updates.h"

namespace meesh::lake {
namespace {

constexpr std::string_view kVersionHint = "version-hint.text";  // other engines' pointer

/// What is below the folder of a table and belongs to others.
class Neighbours {
 public:
  Neighbours(const Catalog& catalog, const Table& table, const std::function<void()>& pause)
      : catalog_(catalog), table_(table), pause_(pause), location_(table.metadata->location) {
    look_into({});
  }

  bool owns(const std::string& path) const {
    return std::ranges::any_of(folders_,
                               [&](const auto& folder) { return lies_below(path, folder); });
  }

 private:
  void look_into(const Namespace& parent) {
    for (const Namespace& space : catalog_.namespaces(parent)) {
      for (const std::string& name : catalog_.tables(space)) look_at_table({space, name});
      for (const std::string& name : catalog_.views(space)) {
        if (const auto view = catalog_.find_view({space, name})) add(view->metadata->location);
      }
      look_into(space);
    }
  }

  void look_at_table(const Identifier& name) {
    if (pause_) pause_();
    if (name == table_.name) return;
    const auto other = catalog_.find(name);
    if (!other) return;
    const TableMetadata& metadata = *other->metadata;
    if (place_of(metadata.location) == place_of(location_)) {
      throw Error(
          Code::kInvalidArguments,
          fmt::format("Cannot remove orphan files: tables {} and {} have the same folder {}",
                      table_.name.display(), name.display(), location_))
          .with_hint("drop one of them, or give it a folder of its own");
    }
    add(metadata.location);
    for (const std::string& place : named_places(metadata.properties)) add(place);
  }

  void add(const std::string& folder) {
    if (lies_below(folder, location_)) folders_.push_back(folder);
  }

  const Catalog& catalog_;
  const Table& table_;
  const std::function<void()>& pause_;
  const std::string location_;
  std::vector<std::string> folders_;
};

struct Found {
  std::string path;
  int64_t bytes = 0;
};

/// The files of a folder that are old enough.
std::vector<Found> old_files(objects::Store& store, const std::string& location,
                             objects::Time youngest, const std::function<void()>& pause,
                             int64_t& looked_at) {
  const FilePath folder = parse_path(location);
  objects::ListOptions options;
  options.prefix = folder.key + "/";
  std::vector<Found> found;
  for (bool more = true; more;) {
    if (pause) pause();
    const objects::Listing page = store.list(folder.bucket, options);
    for (const objects::Object& object : page.objects) {
      ++looked_at;
      if (object.modified > youngest) continue;
      found.push_back({fmt::format("s3://{}/{}", folder.bucket, object.key),
                       static_cast<int64_t>(object.size)});
    }
    options.after = page.next;
    more = page.truncated;
  }
  return found;
}

/// All files that a table's newest metadata needs, as place_of has them.
std::unordered_set<std::string> needed_places(ManifestCache& cache, const Table& table,
                                              const std::function<void()>& pause) {
  const TableMetadata& metadata = *table.metadata;
  Reach reach;
  for (const Snapshot& snapshot : metadata.snapshots) {
    if (pause) pause();
    reach.add(cache, metadata, snapshot);
  }
  reach.add_statistics(metadata);
  std::unordered_set<std::string> places{place_of(table.metadata_location)};
  for (const MetadataLogEntry& entry : metadata.metadata_log) {
    places.insert(place_of(entry.metadata_file));
  }
  for (const std::string& path : reach.lists) places.insert(place_of(path));
  for (const std::string& path : reach.statistics) places.insert(place_of(path));
  for (const auto& [path, file] : reach.manifests) {
    if (pause) pause();
    places.insert(place_of(path));
    const Manifest entries = cache.manifest(metadata, file);
    for (const ManifestEntry& entry : *entries) {
      if (entry.live()) places.insert(place_of(entry.file.path));
    }
  }
  return places;
}

}  // namespace

OrphanReport remove_orphan_files(Catalog& catalog, ManifestCache& cache, const Identifier& name,
                                 const OrphanOptions& options) {
  const Table before = catalog.load(name);
  const std::string& location = before.metadata->location;
  require_gc(*before.metadata, "remove orphan files");
  cache.files().check(location);
  const objects::Time youngest =
      std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now()) -
      options.older_than;
  OrphanReport report;
  std::vector<Found> found =
      old_files(cache.files().store(), location, youngest, options.pause, report.looked_at);
  // Looked up after the files: what was committed in between is needed too.
  const auto needed = needed_places(cache, catalog.load(name), options.pause);
  std::erase_if(found, [&](const Found& file) {
    return needed.contains(place_of(file.path)) || file.path.ends_with(kVersionHint);
  });
  if (found.empty()) return report;
  // Only now: to look at all other tables for each table takes its time in a large lake.
  const Neighbours neighbours(catalog, before, options.pause);
  for (const Found& file : found) {
    if (neighbours.owns(file.path)) continue;
    report.files.push_back(file.path);
    report.bytes += file.bytes;
  }
  if (!options.only_list) cache.files().remove(report.files);
  return report;
}

PurgeReport purge(ManifestCache& cache, const Table& dropped) {
  PurgeReport report;
  if (dropped.metadata == nullptr) {
    report.unreadable.push_back(dropped.metadata_location);
    return report;
  }
  const TableMetadata& metadata = *dropped.metadata;
  Reach reach;
  const auto attempt = [&](const std::string& path, const std::function<void()>& read) {
    try {
      read();
    } catch (const Error& error) {
      log::warn("a dropped table has a file that cannot be read; what only it names stays",
                {{"file", path}, {"error", error.what()}});
      report.unreadable.push_back(path);
    }
  };
  for (const Snapshot& snapshot : metadata.snapshots) {
    attempt(snapshot.manifest_list, [&] { reach.add(cache, metadata, snapshot); });
  }
  reach.add_statistics(metadata);
  std::unordered_set<std::string> content;
  if (flag_property(metadata.properties, "gc.enabled", true)) {
    for (const auto& manifest : reach.manifests) {
      attempt(manifest.first, [&] {
        const Manifest entries = cache.manifest(metadata, manifest.second);
        for (const ManifestEntry& entry : *entries) content.insert(entry.file.path);
      });
    }
  }
  // From the leaves to the root, so that what was interrupted can be done again.
  std::vector<std::string> paths(content.begin(), content.end());
  for (const auto& [path, file] : reach.manifests) paths.push_back(path);
  for (const Snapshot& snapshot : metadata.snapshots) paths.push_back(snapshot.manifest_list);
  paths.insert(paths.end(), reach.statistics.begin(), reach.statistics.end());
  for (const MetadataLogEntry& entry : metadata.metadata_log) {
    paths.push_back(entry.metadata_file);
  }
  paths.push_back(dropped.metadata_location);
  paths = removable(cache.files(), std::move(paths));
  cache.files().remove(paths);
  report.files = static_cast<int64_t>(paths.size());
  return report;
}

Table rollback_to_snapshot(Catalog& catalog, const Identifier& name, int64_t snapshot_id,
                           const std::string& branch) {
  const auto make = [&](const Table& base) {
    const TableMetadata& table = *base.metadata;
    if (table.find_snapshot(snapshot_id) == nullptr) {
      throw Error(Code::kInvalidArguments,
                  fmt::format("Cannot roll back to unknown snapshot id: {}", snapshot_id))
          .with_hint("the table's \"$snapshots\" lists those there are");
    }
    const SnapshotRef* ref = table.find_ref(branch);
    if (ref == nullptr ? branch != kMainBranch : ref->tag) {
      throw Error(Code::kInvalidArguments,
                  fmt::format("Cannot roll back: there is no branch '{}'", branch))
          .with_hint("the table's \"$refs\" lists its branches");
    }
    SnapshotRef moved = ref != nullptr ? *ref : SnapshotRef{};
    moved.snapshot_id = snapshot_id;
    const std::vector<Update> updates{SetSnapshotRef{branch, moved}};
    return apply(updates, &table, std::max(base::now_ms(), table.last_updated_ms),
                 base.metadata_location);
  };
  return catalog.commit({{name, make}}).front();
}

}  // namespace meesh::lake
