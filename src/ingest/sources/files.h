// Files as a source: what a pattern names, as one stream a table. An incremental read takes files
// that are new or have changed.
#pragma once

#include <optional>
#include <string>

#include "engine/catalogs/files.h"
#include "ingest/kinds.h"
#include "ingest/locations/copies.h"
#include "ingest/locations/location.h"

namespace meesh::ingest {

struct FilesOptions : KindOptions {
  engine::FileFormat csv;                        // how CSV is written
  std::optional<FileForm> form;                  // otherwise each file's ending tells
  bool allow_outside = false;                    // files outside of the mesh folder
  std::optional<objects::RemoteOptions> remote;  // files of another S3
  HttpConfig http;                               // for https://
  SftpConfig sftp;                               // for sftp://
};

struct FilesTableOptions : KindOptions {
  /// Pattern, s3://…, https://…, sftp://… or relative to the mesh folder; {date} and {date:%Y/%m}
  /// stand for the run date.
  std::string path;
  bool only_new = false;  // incremental: a file is taken once, even if it changes
  Taking taking;
};

/// Of a source of kind files, and of its tables.
const FilesOptions& files_options(const SourceConfig& config);
const FilesTableOptions& files_options(const TableConfig& table);

/// The keys of the file and of its tables, and what reads them.
std::vector<base::Shape> files_keys();
std::vector<base::Shape> files_table_keys();
void read_files(const ConfigReader& reader, SourceConfig& config);
void read_files_table(const ConfigReader& reader, const yaml::Node& node,
                      const SourceConfig& config, TableConfig& table);

/// The path with the day in place of {date}s.
std::string dated(const std::string& path, const std::string& run_date);

}  // namespace meesh::ingest
