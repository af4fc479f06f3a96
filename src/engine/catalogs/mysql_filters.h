// What DuckDB filters by, as conditions in MySQL's words that leave out no row the filter keeps.
#pragma once

#include <string>
#include <vector>

#include "duckdb.hpp"
#include "engine/catalogs/mysql_types.h"

namespace meesh::engine {

/// Adds what can be said of the filter; its columns are numbers in `columns`.
void add_mysql_conditions(const duckdb::LogicalGet& get, const duckdb::Expression& filter,
                          const std::vector<MysqlColumn>& columns,
                          std::vector<std::string>& conditions);

}  // namespace meesh::engine
