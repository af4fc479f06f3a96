// Whole files of tables: metadata JSON, manifests, manifest lists. Paths are s3://bucket/key as
// Iceberg writes them (s3a:// and s3n:// mean the same); every path is checked against the places a
// warehouse may use, so that metadata from outside cannot lead elsewhere.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "objects/store.h"

namespace meesh::lake {

struct FilePath {
  std::string bucket, key;
};
/// Throws ICEBERG_INVALID_METADATA for anything but s3://bucket/key with a plain key (no empty, "."
/// or ".." segment, no control characters).
FilePath parse_path(std::string_view path);
/// Whether `path` is `place` or lies below it; both s3://bucket/…, with any of the scheme's names.
bool lies_below(std::string_view path, std::string_view place);

/// Thread-safe.
class Files {
 public:
  /// `places`: where this warehouse's files may lie ("s3://bucket", "s3://bucket/prefix"), the one
  /// for tables without a location of their own first. The store outlives it.
  Files(objects::Store& store, std::vector<std::string> places)
      : store_(store), places_(std::move(places)) {}

  /// Throws PERMISSION_DENIED for a path outside the places.
  void check(std::string_view path) const;
  /// The same for a folder, which may be a whole bucket and may end in slashes.
  void check_folder(std::string_view folder) const;
  /// The whole file. Throws ICEBERG_MISSING_DATA if it is not there, ICEBERG_BAD_DATA if it is
  /// longer than `most` bytes.
  std::string read(const std::string& path, uint64_t most = 1ull << 30) const;
  /// Durable when it returns. Throws ALREADY_EXISTS: no file is ever written over.
  void write(const std::string& path, std::string_view bytes, const char* content_type) const;
  /// Files that are not there are passed over.
  void remove(const std::vector<std::string>& paths) const;
  bool exists(const std::string& path) const;
  /// Whether a path or folder is one of the places or lies in one.
  bool holds(std::string_view path) const;

  objects::Store& store() const { return store_; }
  const std::vector<std::string>& places() const { return places_; }

 private:
  void require(std::string_view path, std::string_view shown) const;

  objects::Store& store_;
  const std::vector<std::string> places_;
};

}  // namespace meesh::lake
