// A PostgreSQL server as a source. Rows come through the engine's catalog of it: DuckDB reads ctid
// ranges over several connections that share one snapshot, by binary COPY.
#pragma once

#include <memory>

#include "engine/engine.h"
#include "ingest/source.h"

namespace meesh::ingest {

/// `options.name` is the catalog, which the engine has.
std::unique_ptr<Source> open_postgres_source(engine::Engine& engine, SourceConfig config,
                                             engine::PostgresOptions options);

}  // namespace meesh::ingest
