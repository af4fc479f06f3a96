// Which types may be compared and ordered, and comparisons of arrays, maps and rows by Trino's
// rules: a NULL inside makes equality unknown where nothing else decides it, and order an error.
#pragma once

#include "engine/functions/build.h"

namespace meesh::engine {

/// Whether values have an order: JSON, maps, sketches and what contains them have none.
bool is_orderable(const sql::Type& type);

/// Both of one array, map or row type, without labels.
ExprPtr nested_equal(const Build& build, ExprPtr left, ExprPtr right);
/// Without labels; NULL where there is a NULL or NaN inside, so that DuckDB's = is true of two keys
/// just where Trino's is of the values.
ExprPtr nested_key(const Build& build, ExprPtr value);
/// -1, 0 or 1; raises NOT_SUPPORTED at a NULL inside.
ExprPtr nested_order(const Build& build, ExprPtr left, ExprPtr right);
/// The value with the entries of its maps sorted by key: equal maps are the same value then.
ExprPtr sorted_maps(const Build& build, ExprPtr value);
/// The greatest of floating numbers: NaN only when there is nothing else.
ExprPtr greatest_number(const Build& build, Exprs args);

/// Refuses plans that sort by what has no order.
void register_order_check(duckdb::DatabaseInstance& instance);

}  // namespace meesh::engine
