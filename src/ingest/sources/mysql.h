// A MySQL or MariaDB server as a source. Rows come through the engine's catalog of it
// (engine/catalogs/mysql_scan.h), changes from its binlog (mysql_changes.h).
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine/catalogs/mysql_metadata.h"
#include "ingest/kinds.h"
#include "ingest/sources/database_rows.h"

namespace meesh::ingest {

struct MysqlSourceOptions : KindOptions {
  std::string catalog;   // of the mesh; "" = `connection`
  std::string database;  // whose tables are taken, as the file writes it
  std::optional<engine::MysqlOptions> connection;
  uint32_t server_id = 0;  // that changes are asked for with; 0 = one made of the source's name
};

const MysqlSourceOptions& mysql_options(const SourceConfig& config);
/// Where the server is; `name` is the engine's catalog of it. Throws CONFIG_INVALID for a catalog
/// that is not there.
engine::MysqlOptions mysql_server(const SourceConfig& config, const mesh::Mesh& mesh);

Stream mysql_stream(const SourceConfig& config, const engine::MysqlOptions& server,
                    const engine::MysqlTable& table);

}  // namespace meesh::ingest
