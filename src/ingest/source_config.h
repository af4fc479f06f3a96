// sources/<name>.yaml: where rows come from, which tables, how, and where they land.
#pragma once

#include <chrono>
#include <filesystem>
#include <map>
#include <memory>
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

enum class Mode { kFullRefresh, kIncremental, kCdc };
std::string_view mode_name(Mode mode);  // "full_refresh", "incremental", "cdc"

/// What becomes of rows of an incremental read or of a change stream.
enum class Write {
  kAppend,  // each version of a row is kept: of cdc, in <into>__changes
  kMerge,   // one row a key, the newest
  kBoth,
};

/// What happens to columns and types that the landed table does not have (dlt's words).
enum class SchemaContract { kEvolve, kFreeze, kDiscardRow, kDiscardValue };

/// What a kind's file says beside what all have; each kind derives its own.
struct KindOptions {
  virtual ~KindOptions() = default;
};

/// What happens to rows that make no sense.
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
  Write write = Write::kAppend;
  SchemaContract contract = SchemaContract::kEvolve;
  std::vector<std::string> include;            // columns that are taken; none: all
  std::vector<std::string> exclude;            // columns left out
  std::vector<std::string> hash;               // columns of which the SHA-256 lands instead
  std::vector<std::string> mask;               // columns of which only the shape lands: "Xxxx-nn"
  std::map<std::string, sql::Type> columns;    // declared types
  std::shared_ptr<const KindOptions> options;  // may be null
  int line = 0, column = 0;                    // where it is configured; 0 if it is not

  /// Whether the file wants the column of the source.
  bool takes(const std::string& column_name) const;
  /// Whether what lands says less than what the source has: rows are not shown as they are then.
  bool withholds() const {
    return !include.empty() || !exclude.empty() || !hash.empty() || !mask.empty();
  }
};

struct SourceConfig {
  std::string name;
  std::string kind;                            // "postgresql", "files", …
  std::filesystem::path file;                  // as messages name it
  std::shared_ptr<const KindOptions> options;  // never null
  Malformed malformed = Malformed::kQuarantine;
  double max_malformed = 0.05;  // share of all rows
  std::string hash_salt;        // of hashed columns; "" = none
  bool continuous = false;      // tables of mode cdc are followed while the server runs
  /// Of the implicit pipeline ingest_<name>, as pipelines read them; null if the file has none.
  std::shared_ptr<const yaml::Node> schedule, notify;
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
