// Rows into new files of a hive table.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "duckdb.hpp"
#include "engine/catalogs/hive_tables.h"
#include "sql/sql.h"

namespace meesh::engine {

/// Runs DuckDB SQL as the statement's user.
using RunHive =
    std::function<std::unique_ptr<duckdb::MaterializedQueryResult>(const sql::Printed& text)>;

struct HiveFiles {
  int64_t rows = 0;
  std::vector<std::string> keys;                    // bucket/key
  std::vector<lake::ExternalPartition> partitions;  // that rows went into
};

/// Writes the rows of a query whose columns are the table's, in their order and under any names:
/// one file, or one for each partition at least. No file is seen before it is whole, and none
/// before all are written. If it throws, nothing is left. Partitions are not made known.
HiveFiles write_hive(const HiveSource& source, const lake::ExternalTable& table,
                     const sql::Printed& query, const std::string& user, const RunHive& run);

/// Removes what killed writes left in a table's folder, which write_hive does too; what cannot be
/// removed is told to the log.
void sweep_staging(const HiveSource& source, const lake::Folder& folder) noexcept;

/// Takes back what write_hive wrote; what cannot be removed is told to the log.
void remove_hive(const HiveSource& source, const HiveFiles& files) noexcept;

}  // namespace meesh::engine
