// Files that others wrote: where they lie, what their folders and their footers say. For adopt.cc.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "duckdb.hpp"
#include "engine/lake/adopt.h"
#include "lake/external_files.h"
#include "lake/name_mapping.h"
#include "lake/transaction.h"

namespace meesh::engine {

struct ForeignFile {
  std::string path;
  int64_t bytes = 0;
  /// Of the folders column=value on the way to it; the columns in lower case.
  std::vector<std::string> columns;
  lake::PartitionValues values;
  size_t shape = 0;  // in ForeignFiles::shapes
};

/// The columns that several files have in common.
struct Shape {
  std::string example;  // path of one of the files
  std::vector<std::string> names;
  std::vector<duckdb::LogicalType> types;
};

struct ForeignFiles {
  std::vector<ForeignFile> files;
  std::vector<Shape> shapes;
  /// Places of Iceberg tables within the folder; files in their metadata folders are none of ours.
  std::vector<std::string> tables;
};

/// What is below the folder but for hidden and empty files; `above` are folders on the way to it
/// that count too. `shapes` stays empty.
ForeignFiles list_foreign(objects::Store& store, const lake::Folder& folder, NestedFolders nested,
                          const std::vector<std::string>& above);
/// The last parts of the folder's own name, as far as they are column=value.
std::vector<std::string> partition_folders(const lake::Folder& folder);
/// Finds the shapes in the files' footers. NOT_SUPPORTED for files with field ids.
void read_shapes(ForeignFiles& foreign, const RunDuck& run);

/// The type a column of a foreign file has in a table; NOT_SUPPORTED, with the column and its file,
/// where Iceberg has none.
lake::Type foreign_type(const std::string& column, const Shape& shape,
                        const duckdb::LogicalType& type, int* next_id);
/// Whether a column of type `file` can be read as one of type `table`: the same, narrower, or with
/// fewer fields.
bool readable_as(const lake::Type& file, const lake::Type& table);
/// Makes `into` a type as which columns of both can be read; false if there is none.
bool unite(lake::Type& into, const lake::Type& more);

/// Rows, bytes and metrics as the footers tell, of the table's columns by its name mapping; the
/// partition stays empty. In the order of `foreign.files`, those without rows too.
std::vector<lake::NewFile> read_footers(const ForeignFiles& foreign,
                                        const lake::TableMetadata& table,
                                        const lake::NameMapping& mapping, const RunDuck& run);

}  // namespace meesh::engine
