// Whether handing a whole statement to PostgreSQL is faster than fetching the rows.
//
// Measured on two cores against 2 million rows: copying the rows out and grouping
// in DuckDB takes 0.7 s, letting the server group 1.8 s (it works on one core); a count(*)
// pushed whole costs the server's own time, a tenth of fetching the rows. So what is pushed:
//   - global aggregates over one table, unless they are DISTINCT: PostgreSQL sorts for those
//     (0.75 s against 0.45 s in DuckDB),
//   - LIMIT and top-n over one table,
//   - anything, joins and groups too, over tables that are small, or behind a filter that
//     compares a column of every large table with a constant for equality (the server has the
//     index).
// What is not: GROUP BY and joins over tables of more than kLargeTable rows, and plain scans.
#pragma once

#include "sql/ast.h"

namespace meesh::sql {

/// `query` with the body `select`, resolved, all of its tables in one database.
bool pushdown_pays(const Query& query, const Select& select);

}  // namespace meesh::sql
