// Where a table's writer puts its data files, for those who read the folders without the table.
// Iceberg leaves paths to the writer; readers of the table find every file wherever it lies.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "lake/metadata.h"

namespace meesh::lake {

inline constexpr const char* kLayoutProperty = "meesh.write.layout";

/// A path with values of a file's partition in it, below the table's data location:
///
///   year={ts_day:%Y}/month={ts_day:%m}/day={ts_day:%d}/data_{file}
///
/// {field} is the value of a field of the partition spec as people write it (2025-01-15), {field:…}
/// parts of a time (%Y, %m, %d, %H), {file} a name that no other file has.
class FileLayout {
 public:
  /// INVALID_TABLE_PROPERTY for what is not such a path, or names what the spec does not have.
  FileLayout(std::string_view text, const PartitionSpec& spec, const Schema& schema);

  /// `partition`: a value for each field of the spec. Values are form-encoded as in
  /// partition_path; null and the empty text are __HIVE_DEFAULT_PARTITION__.
  std::string path(std::span<const Value> partition, std::string_view file) const;

 private:
  struct Piece {
    std::string text;             // said as it is
    std::optional<size_t> field;  // else a value of the partition,
    std::string format;           // or parts of it
    Transform transform;          // of the field
    Type source;                  // of the field
    bool file = false;            // or the file's name
  };
  void add_placeholder(std::string_view text, const PartitionSpec& spec, const Schema& schema);

  std::vector<Piece> pieces_;
};

/// What the table's property meesh.write.layout says; nothing if it has none.
std::optional<FileLayout> file_layout(const TableMetadata& table);

/// The folders that a table's properties name for its files, beside its location: write.data.path,
/// write.metadata.path, write.object-storage.path.
std::vector<std::string> named_places(const Properties& properties);

}  // namespace meesh::lake
