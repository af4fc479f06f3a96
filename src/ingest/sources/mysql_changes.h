// The changes of a MySQL or MariaDB server, from its binlog of rows, and snapshots of its tables
// that stand at a place of it.
//
// A place is a file's number and an offset. A server that took over from another (in MariaDB, by
// GTID) has a binlog of its own: what comes from it counts as a later epoch.
#pragma once

#include <memory>
#include <string>

#include "engine/catalogs/attached.h"
#include "engine/catalogs/buffers.h"
#include "ingest/cdc/change_source.h"

namespace meesh::ingest {

struct MysqlChangesOptions {
  std::string source;  // its name, for messages
  engine::MysqlOptions server;
  std::string database;
  uint32_t server_id = 0;  // that the binlog is asked for with; not 0
  std::shared_ptr<engine::BufferTables> buffers;
  /// From so many rows on, a snapshot is taken in the order of the key, so that it can go on where
  /// it was killed.
  double ordered_from = 1'000'000;
};

std::shared_ptr<ChangeSource> make_mysql_changes(MysqlChangesOptions options);

}  // namespace meesh::ingest
