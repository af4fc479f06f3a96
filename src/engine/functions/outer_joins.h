// Outer joins with conditions on one of their sides.
#pragma once

#include "duckdb.hpp"

namespace meesh::engine {

/// Has DuckDB hash outer joins such as a LEFT JOIN b ON a.x = b.x AND a.y > 1, which it would try
/// row by row because of the condition on the side that keeps all of its rows.
void register_outer_join_keys(duckdb::DatabaseInstance& instance);

}  // namespace meesh::engine
