// Statements with very many joins.
#pragma once

#include "duckdb.hpp"

namespace meesh::engine {

/// Bounds how many joins are planned together: DuckDB looks at every pair of relations and at every
/// equality that follows from others, which takes the fourth power of their number.
void register_join_bound(duckdb::DatabaseInstance& instance);

}  // namespace meesh::engine
