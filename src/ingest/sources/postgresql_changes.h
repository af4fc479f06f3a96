// The changes of a PostgreSQL server by logical replication: a slot and a publication of our own,
// the server's plug-in pgoutput, and snapshots that it exports at a place of the log.
//
// The place of a snapshot is that of a slot made for it alone, for the blink in which its snapshot
// is taken up: the server's own word for "all that was committed before, and nothing after".
#pragma once

#include <memory>
#include <string>

#include "engine/catalog.h"
#include "engine/catalogs/buffers.h"
#include "ingest/cdc/change_source.h"

namespace meesh::ingest {

struct PostgresChangesOptions {
  std::string source;  // its name, for messages
  engine::PostgresOptions server;
  std::string schema;
  std::string slot, publication;  // "" = meesh_<source>
  std::shared_ptr<engine::BufferTables> buffers;
  /// From so many rows on, a snapshot is taken in the order of the key, so that it can go on where
  /// it was killed.
  double ordered_from = 1'000'000;
};

std::shared_ptr<ChangeSource> make_postgres_changes(PostgresChangesOptions options);

}  // namespace meesh::ingest
