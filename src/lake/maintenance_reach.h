// The files that a table's metadata reaches.
#pragma once

#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "lake/manifest_cache.h"
#include "lake/metadata.h"

namespace meesh::lake {

/// "bucket/key" of a path, so that s3:// and s3a:// are the same file; "" for what is no path.
std::string place_of(const std::string& path);

/// Every path is as the metadata writes it.
struct Reach {
  std::unordered_set<std::string> lists;
  std::unordered_map<std::string, ManifestFile> manifests;
  std::unordered_set<std::string> statistics;

  /// Lists and manifests of these snapshots.
  void add(ManifestCache& cache, const TableMetadata& table, const Snapshot& snapshot);
  void add_statistics(const TableMetadata& table);
};

/// The paths that may be removed: nothing outside the warehouse is ours, whatever a manifest says.
std::vector<std::string> removable(const Files& files, std::vector<std::string> paths);

/// Refuses with INVALID_ARGUMENTS while the table's property gc.enabled is false.
void require_gc(const TableMetadata& table, const char* what);

}  // namespace meesh::lake
