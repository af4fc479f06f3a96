// A PostgreSQL server as a source. Rows come through the engine's catalog of it: DuckDB reads ctid
// ranges over several connections that share one snapshot, by binary COPY.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "engine/catalog.h"
#include "ingest/kinds.h"

namespace meesh::ingest {

struct PostgresqlOptions : KindOptions {
  std::string catalog;  // of the mesh; "" = `connection`
  std::string schema;
  std::optional<engine::PostgresOptions> connection;
  std::string slot, publication;  // cdc; "" = meesh_<source>
};

struct PostgresqlTableOptions : KindOptions {
  /// A table of more rows is read in portions of about so many.
  int64_t chunk_rows = 5'000'000;
  bool consistent = false;  // in one portion, of one moment, however long it takes
};

/// Of a source of kind postgresql, and of its tables.
const PostgresqlOptions& postgresql_options(const SourceConfig& config);
const PostgresqlTableOptions& postgresql_options(const TableConfig& table);
/// Where the server is; `name` is the engine's catalog of it. Throws CONFIG_INVALID for a catalog
/// that is not there.
engine::PostgresOptions postgresql_server(const SourceConfig& config, const Resources& resources);

}  // namespace meesh::ingest
