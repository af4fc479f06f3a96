// Puffin files: blobs with what they are about, such as a table's statistics. Source: the Puffin
// spec of Iceberg.
//
// Pure functions over bytes. Wrong bytes are Error(kIcebergBadData), what is known of and not
// understood Error(kNotSupported).
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "lake/metadata.h"

namespace meesh::lake {

/// The type of a blob with a theta sketch of one field's values.
inline constexpr std::string_view kThetaBlob = "apache-datasketches-theta-v1";
/// Its property that tells the estimate in decimal digits.
inline constexpr const char* kNdvProperty = "ndv";

struct PuffinBlob {
  BlobMetadata about;
  std::string codec;       // of `bytes`: "" for none, "zstd", or what else its writer named
  std::string_view bytes;  // as they lie in the file; somebody else's
};

struct Puffin {
  std::vector<PuffinBlob> blobs;
  Properties properties;
};

/// The blobs' bytes are in `file`.
Puffin parse_puffin(std::string_view file);

/// What is in the blob. At most 64 MiB.
std::string unpacked(const PuffinBlob& blob);

/// Bytes for a blob of codec "zstd".
std::string packed_zstd(std::string_view bytes);

struct WrittenPuffin {
  std::string bytes;
  int64_t footer_size = 0;
};
/// Blobs are copied as they are.
WrittenPuffin write_puffin(std::span<const PuffinBlob> blobs, const Properties& properties);

}  // namespace meesh::lake
