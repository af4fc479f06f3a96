// sources/<name>.yaml: where rows come from, which tables, how, and where they land.
#pragma once

#include <chrono>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/json_schema.h"
#include "base/yaml.h"
#include "engine/catalog.h"
#include "engine/catalogs/files.h"
#include "mesh/mesh_files.h"
#include "objects/store.h"

namespace meesh::ingest {

enum class Mode { kFullRefresh, kIncremental };
std::string_view mode_name(Mode mode);  // "full_refresh", "incremental"

/// What happens to rows of files that make no sense.
enum class Malformed { kFail, kSkip, kQuarantine };

/// How far back an incremental read looks behind its position for rows that were committed late: a
/// time for cursors that are times, a number for those that are numbers.
struct Lookback {
  std::optional<std::chrono::seconds> time;
  std::optional<int64_t> number;
};

struct TableConfig {
  std::string name;  // the stream's, lower case
  std::string into;  // table it lands in
  Mode mode = Mode::kFullRefresh;
  std::string cursor;            // kIncremental, of databases
  std::vector<std::string> key;  // "" = the primary key
  Lookback lookback;
  std::vector<std::string> exclude;  // columns left out
  std::string path;                  // files: pattern, s3://… or relative to the mesh folder
  std::map<std::string, sql::Type> columns;  // files: declared types
  int line = 0, column = 0;                  // where it is configured; 0 if it is not
};

struct SourceConfig {
  std::string name;
  std::string kind;                                   // "postgresql", "files"
  std::filesystem::path file;                         // as messages name it
  std::string catalog, schema;                        // postgresql
  std::optional<engine::PostgresOptions> connection;  // postgresql without a catalog
  engine::FileFormat format;                          // files
  bool format_given = false;                          // otherwise each file's ending tells
  Malformed malformed = Malformed::kQuarantine;
  double max_malformed = 0.05;                   // share of all rows
  bool allow_outside = false;                    // files outside of the mesh folder
  std::optional<objects::RemoteOptions> remote;  // files of another S3
  std::string into_catalog = "lake", into_schema = "bronze";
  std::string location;  // "s3://bronze"; "" = the lake's own place
  std::string table_pattern = "{table}";
  std::map<std::string, TableConfig> tables;  // by stream
  bool all_tables = true;                     // no `tables`: whatever the source has

  /// How a stream is taken; nothing if the file does not want it.
  std::optional<TableConfig> table(const std::string& stream) const;
  /// The name a stream lands under, if the table does not say.
  std::string landing(const std::string& stream) const;
  /// "lake.bronze.orders"
  std::string full_name(const TableConfig& table) const {
    return into_catalog + "." + into_schema + "." + table.into;
  }
};

/// Lower-case letters, digits and _, beginning with a letter.
bool valid_source_name(std::string_view text);

const base::Shape& source_shape();
/// Reads a checked document; adds what only the whole can tell to `problems`.
SourceConfig read_source(const yaml::Document& document, std::vector<Error>& problems);
/// All of the mesh's folder `sources`; problems are left in `files`.
std::vector<SourceConfig> read_sources(mesh::MeshFiles& files);

}  // namespace meesh::ingest
