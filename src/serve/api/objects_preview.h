// The first rows of a file among objects, whatever is in it. At most kPreviewBytes of it are read,
// but for the latest version of a Parquet file, whose parts are read where they lie.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine/catalogs/files.h"
#include "engine/engine.h"
#include "objects/store.h"

namespace meesh::serve::api {

inline constexpr uint64_t kPreviewBytes = 8 << 20;
inline constexpr size_t kPreviewRows = 200;

struct PreviewedFile {
  std::string format;  // "csv", "json", "parquet"
  struct Column {
    std::string name, type;  // type as SQL writes it
  };
  std::vector<Column> columns;
  std::vector<std::vector<std::optional<std::string>>> rows;  // as text; nothing = NULL
  bool more = false;                                          // there are more rows
  bool beginning_only = false;  // only the file's first kPreviewBytes were read
};

/// Thread-safe.
class FilePreview {
 public:
  /// `staging`: a folder of its own for copies while they are read; emptied. Both outlive this.
  FilePreview(engine::Engine& engine, objects::Store& store, std::filesystem::path staging);
  ~FilePreview();
  FilePreview(const FilePreview&) = delete;
  FilePreview& operator=(const FilePreview&) = delete;

  /// What `key` holds, of which `reader` is the version asked for, `latest` whether it is the one
  /// that s3:// names. The asker may read it. Throws NOT_SUPPORTED for what cannot be read as rows,
  /// USER_CANCELED when it takes too long or `gone` says that nobody waits.
  PreviewedFile look(const std::string& bucket, const std::string& key, objects::Reader& reader,
                     bool latest, const std::function<bool()>& gone);

 private:
  struct Copy;
  std::optional<engine::FileVersion> place(const std::string& bucket, const std::string& key,
                                           const engine::FileFormat& format,
                                           objects::Reader& reader, bool latest,
                                           std::optional<Copy>& copy);

  engine::Engine& engine_;
  const std::filesystem::path staging_;
  const std::shared_ptr<engine::FileTables> files_;
};

}  // namespace meesh::serve::api
