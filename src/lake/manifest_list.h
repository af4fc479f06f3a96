// Manifest lists: which manifests a snapshot has. Source: the Iceberg table spec, "Manifest Lists".
//
// Pure functions over bytes. Wrong bytes are Error(kIcebergInvalidMetadata) that names the file.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "lake/types.h"

namespace meesh::lake {

enum class ManifestContent : uint8_t { kData, kDeletes };

/// Of a manifest that is not in a list yet: it is given the number of the commit that lists it.
inline constexpr int64_t kUnassignedSequenceNumber = -1;

/// The values of one partition field in all files of a manifest.
struct FieldSummary {
  bool contains_null = false;
  std::optional<bool> contains_nan;  // nothing: not known
  /// Over the values that are neither null nor NaN, as to_bytes writes the partition field's type;
  /// nothing if there are none.
  std::optional<std::string> lower, upper;

  bool operator==(const FieldSummary& other) const = default;
};

struct ManifestFile {
  std::string path;
  int64_t length = 0;  // bytes
  int spec_id = 0;
  ManifestContent content = ManifestContent::kData;
  int64_t sequence_number = 0;      // 0 in lists of format version 1
  int64_t min_sequence_number = 0;  // of the live files
  int64_t added_snapshot_id = 0;
  // Nothing: not known, maybe some.
  std::optional<int> added_files, existing_files, deleted_files;
  std::optional<int64_t> added_rows, existing_rows, deleted_rows;
  /// One for each field of the partition spec; nothing: not known.
  std::optional<std::vector<FieldSummary>> partitions;
  std::optional<std::string> key_metadata;

  /// False only if it is known that all its files are deleted.
  bool may_have_live_files() const { return added_files != 0 || existing_files != 0; }
  bool operator==(const ManifestFile& other) const = default;
};

/// `path` is for messages. Lists of format versions 1 and 2.
std::vector<ManifestFile> read_manifest_list(std::string_view bytes, const std::string& path);

/// A list of format version 2 for a snapshot with this sequence number. Manifests with
/// kUnassignedSequenceNumber, which must be the snapshot's own, are written with the snapshot's.
std::string write_manifest_list(std::span<const ManifestFile> manifests, int64_t snapshot_id,
                                std::optional<int64_t> parent_snapshot_id, int64_t sequence_number);

}  // namespace meesh::lake
