// How DuckDB reads sets of files: what columns they have, the query that gives their rows, and the
// rows that are none.
#pragma once

#include <stop_token>
#include <string>
#include <vector>

#include "engine/catalogs/files.h"
#include "engine/duck.h"

namespace meesh::engine {

/// Registers the readers; again does nothing.
void register_file_readers(Duck& duck);

/// Finds out how files are to be read, with the rights of `user`.
class FileLooker {
 public:
  FileLooker(Duck& duck, objects::Store& store, const FileFormat& format, const std::string& user);

  FileSet look(const std::vector<FileVersion>& files, const std::vector<FileColumn>& declared);

 private:
  struct RawColumn {
    std::string name;
    duckdb::LogicalType type;
  };
  std::vector<RawColumn> columns_of(const std::string& call);
  std::vector<RawColumn> csv_columns(const FileVersion& file, const std::string& delimiter);
  std::vector<RawColumn> columns_of_lines(const std::vector<FileVersion>& files);
  std::vector<RawColumn> described(const std::vector<FileVersion>& files);
  std::string delimiter_of(const FileVersion& file);
  std::string beginning(const std::string& path);
  void add(FileSet& set, std::vector<FileVersion> files, const std::string& delimiter,
           const std::vector<RawColumn>& columns);

  objects::Store& store_;
  const FileFormat& format_;
  duckdb::Connection connection_;
};

/// In parentheses; its columns are the set's.
std::string files_source(const FileSet& set);

MalformedRows find_malformed_rows(Duck& duck, const FileSet& set, const std::string& user,
                                  const std::filesystem::path& staging, std::stop_token stop);

}  // namespace meesh::engine
