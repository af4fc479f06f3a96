// Data files of a statement: DuckDB writes the Parquet, its statistics become the file's metrics.
#pragma once

#include <functional>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "duckdb.hpp"
#include "lake/files.h"
#include "lake/transaction.h"
#include "sql/sql.h"

namespace meesh::engine {

/// Runs DuckDB SQL as the statement's user; throws located errors.
using RunDuck =
    std::function<std::unique_ptr<duckdb::MaterializedQueryResult>(const sql::Printed& text)>;

/// The same text between two others.
sql::Printed around(const std::string& before, sql::Printed text, const std::string& after);

/// A query whose columns are those of the table's current schema, in this order and under any
/// names.
struct RowsToWrite {
  sql::Printed query;
  /// Columns (0-based) that hold one value in all rows: a table that is partitioned by nothing else
  /// gets its files without the rows being told apart. May say less than is true.
  std::set<size_t> constant;
};

struct WrittenFiles {
  std::vector<lake::NewFile> files;
  int64_t rows = 0;
};

/// Writes the rows by the current partition spec, one file a partition at least, in the table's
/// sort order. Files without rows are not kept. If it throws, nothing is left.
WrittenFiles write_data(const lake::TableMetadata& table, const lake::Files& files,
                        const RowsToWrite& rows, const RunDuck& run);

/// Writes a position delete file from a query of (path, position), rows in this order, for data
/// files of one partition. Nothing if the query is empty.
WrittenFiles write_position_deletes(const lake::TableMetadata& table, const lake::Files& files,
                                    const std::string& query, int spec_id,
                                    std::vector<lake::Value> partition, const RunDuck& run);

/// NOT_SUPPORTED unless rows can be written into the table.
void check_writable(const lake::TableMetadata& table);

/// Removes what a failed statement wrote before its commit.
void remove_written(const lake::Files& files, const WrittenFiles& written);

}  // namespace meesh::engine
