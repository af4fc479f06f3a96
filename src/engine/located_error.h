// DuckDB's errors with their place in the statement the user wrote.
#pragma once

#include "base/error.h"
#include "duckdb.hpp"
#include "sql/sql.h"

namespace meesh::engine {

/// Connections run with errors_as_json, so that the error's offset in the printed text survives;
/// `positions` (may be null) maps it back to the statement.
Error located(const duckdb::ErrorData& error, const sql::Printed* positions);

}  // namespace meesh::engine
