// A MySQL table as it is at one place of the binlog.
#pragma once

#include <memory>

#include "ingest/sources/mysql_changes.h"
#include "ingest/sources/mysql_place.h"

namespace meesh::ingest {

/// `server`: whose name and epoch the place gets.
std::unique_ptr<SnapshotReader> read_mysql_snapshot(const MysqlChangesOptions& options,
                                                    const TableConfig& table,
                                                    const MysqlPlace& server,
                                                    const boost::json::value& resume);

}  // namespace meesh::ingest
