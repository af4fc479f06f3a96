// `meesh lake import` and `export` with a folder of this machine: Parquet files become a table of
// the lake, a table's rows become Parquet files. What is in between is removed whatever happens.
#pragma once

#include <filesystem>
#include <string>

#include "app/sql/sql_command.h"

namespace meesh::app {

struct LocalTable {
  SqlOptions sql;  // which server is asked, and how answers are shown
  std::string catalog, schema, table;
  std::filesystem::path folder;
  std::string endpoint, region, mesh;  // of the object store, as `meesh lake cp` has them
  int jobs = 8;
  bool recursive = false, quiet = false;
};

/// Copies the folder's Parquet files, or the one file, to where the table's own files go, and makes
/// the table of them. An exit code: 0, 1 failed, 3 no server, 130 interrupted.
int import_local(const LocalTable& table);
/// Writes the table's rows to the folder, which is made and must be empty. An exit code.
int export_local(const LocalTable& table);

}  // namespace meesh::app
