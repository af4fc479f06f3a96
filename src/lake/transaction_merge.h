// Which manifests become one, so that many small commits do not make reads slow.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "lake/manifest_list.h"
#include "lake/metadata.h"

namespace meesh::lake {

struct MergeSettings {
  bool enabled = true;
  int64_t target_bytes = int64_t{8} << 20;
  int64_t min_count = 100;  // of manifests, before new ones are merged
};

/// From the properties commit.manifest…; nonsense is Error(kInvalidTableProperty).
MergeSettings merge_settings(const Properties& properties);

/// Places in `files` that become one manifest each, all of one spec; the newest file comes first.
/// The rule is that of Java's MergeAppend.
std::vector<std::vector<size_t>> merge_bins(const std::vector<ManifestFile>& files,
                                            const MergeSettings& settings);

/// A number from a table's properties; nonsense and less than `least` are
/// Error(kInvalidTableProperty).
int64_t number_property(const Properties& properties, const char* name, int64_t otherwise,
                        int64_t least);
/// "true" or "false", in any case.
bool flag_property(const Properties& properties, const char* name, bool otherwise);

}  // namespace meesh::lake
