// The kinds of sources: what a source's file of each kind says, and how such a source is opened. A
// new kind is a file in ingest/sources/ that makes a Kind, and a line in kinds.cc.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "base/json_schema.h"
#include "base/yaml.h"
#include "engine/catalogs/buffers.h"
#include "engine/catalogs/files.h"
#include "engine/engine.h"
#include "ingest/source.h"
#include "ingest/source_config.h"
#include "mesh/mesh.h"
#include "objects/store.h"

namespace meesh::ingest {

/// What sources are opened with. All outlive them.
struct Resources {
  engine::Engine& engine;
  const mesh::Mesh& mesh;
  objects::Store& store;
  const std::vector<engine::PostgresOptions>& catalogs;  // the mesh's PostgreSQL servers
  std::shared_ptr<engine::FileTables> files;             // files as tables, for staged ones too
  std::shared_ptr<engine::BufferTables> buffers;         // rows in the engine's memory as tables
};

/// A checked file while its kind reads it.
class ConfigReader {
 public:
  ConfigReader(const yaml::Document& document, std::vector<Error>& problems)
      : document_(document), problems_(problems) {}
  const yaml::Node& root() const { return document_.root; }
  const std::string& source() const { return document_.source; }
  void complain(const yaml::Node& at, std::string message, std::string hint = "") const;

 private:
  const yaml::Document& document_;
  std::vector<Error>& problems_;
};

struct Kind {
  std::string word;                     // after `kind:`
  std::string doc;                      // "Tables of a PostgreSQL server."
  std::vector<base::Shape> keys;        // of the file, beside those that all kinds have
  std::vector<base::Shape> table_keys;  // of a table, beside those that all kinds have
  std::vector<std::string> modes;       // of "full_refresh", "incremental", "cdc"
  bool needs_tables = false;            // `tables` may not be left out
  std::string table_name_pattern;       // keys of `tables`: ECMAScript
  std::string table_name_means;         // "a table's name"
  /// Fills in `config.options`.
  void (*read)(const ConfigReader& reader, SourceConfig& config) = nullptr;
  /// Fills in `table.options`; may be null.
  void (*read_table)(const ConfigReader& reader, const yaml::Node& node, const SourceConfig& config,
                     TableConfig& table) = nullptr;
  std::unique_ptr<Source> (*open)(const SourceConfig& config, const Resources& resources) = nullptr;
  /// Once before the first open, for what the source needs in the engine (a catalog), and once when
  /// it goes; may be null.
  void (*attach)(const SourceConfig& config, const Resources& resources) = nullptr;
  void (*detach)(const SourceConfig& config, const Resources& resources) = nullptr;
};

/// All of them, in the order that messages name them.
const std::vector<Kind>& kinds();
const Kind& kind_of(const SourceConfig& config);

// Each in a file of its own, ingest/sources/<kind>.cc:
Kind postgresql_kind();
Kind mysql_kind();
Kind files_kind();
Kind rest_kind();
Kind airbyte_kind();

// For kinds that read their own keys. A key that is not there is "", false, none.
std::string text_or(const yaml::Node& node, std::string_view key, std::string otherwise = "");
bool flag(const yaml::Node& node, std::string_view key);
std::vector<std::string> list_of(const yaml::Node& node, std::string_view key);  // lower case
/// Complains of a table that is incremental and does not say by which column.
void need_cursor(const ConfigReader& reader, const yaml::Node& node, const TableConfig& table);

}  // namespace meesh::ingest
