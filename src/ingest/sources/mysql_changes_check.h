// Whether a MySQL server's changes can be followed.
#pragma once

#include <string>
#include <vector>

#include "engine/catalogs/mysql_metadata.h"
#include "ingest/sources/mysql_changes.h"

namespace meesh::ingest {

/// Throws the first thing that cannot be, with how to mend it; gives what is worth telling.
std::vector<std::string> check_mysql_changes(const MysqlChangesOptions& options,
                                             const std::vector<TableConfig>& tables);
/// What keeps binlogs is near its end, or keeps them for a short time.
std::vector<std::string> binlog_warnings(engine::MysqlConnection& connection,
                                         const std::string& source, const std::string& file);

}  // namespace meesh::ingest
