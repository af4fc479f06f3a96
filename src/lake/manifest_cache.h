// Decoded manifest lists and manifests. Such files never change, so what was read once is right as
// long as it is kept.
#pragma once

#include <cstddef>
#include <memory>
#include <vector>

#include "base/lru_cache.h"
#include "lake/files.h"
#include "lake/manifest.h"
#include "lake/manifest_list.h"
#include "lake/metadata.h"

namespace meesh::lake {

using ManifestList = std::shared_ptr<const std::vector<ManifestFile>>;
/// All entries, those of deleted files too, with all metrics.
using Manifest = std::shared_ptr<const std::vector<ManifestEntry>>;

/// Thread-safe; one for a warehouse. What it gave stays valid after it dropped it.
class ManifestCache {
 public:
  /// `budget`: bytes of memory for what is kept; what was used longest ago leaves first. `files`
  /// outlives it.
  explicit ManifestCache(const Files& files, size_t budget = size_t{64} << 20)
      : files_(files), kept_(budget) {}

  const Files& files() const { return files_; }

  /// The manifests of a snapshot of the table. ICEBERG_MISSING_DATA, ICEBERG_INVALID_METADATA.
  ManifestList list(const TableMetadata& table, const Snapshot& snapshot);
  /// The files of one of them. A file of another length than the list says is
  /// ICEBERG_INVALID_METADATA.
  Manifest manifest(const TableMetadata& table, const ManifestFile& file);

  /// Several, in order; those that are not kept are read side by side.
  std::vector<Manifest> manifests(const TableMetadata& table,
                                  const std::vector<const ManifestFile*>& files);

 private:
  const Files& files_;
  base::LruCache<void> kept_;  // lists and manifests
};

}  // namespace meesh::lake
