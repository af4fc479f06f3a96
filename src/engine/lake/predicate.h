// DuckDB's filters as predicates of the lake, to pass over files. What cannot be said exactly is
// left out: DuckDB filters the rows again.
#pragma once

#include <functional>
#include <optional>

#include "duckdb.hpp"
#include "duckdb/planner/expression.hpp"
#include "duckdb/planner/table_filter.hpp"
#include "lake/pruning.h"
#include "lake/types.h"

namespace meesh::engine {

/// The field that a bound column of the scan stands for; null for others.
using FieldOfColumn = std::function<const lake::Field*(const duckdb::Expression& column)>;

/// True of every row of which the expression is true; kTrue if nothing is known.
lake::Predicate predicate_of(const duckdb::Expression& expression, const FieldOfColumn& field_of);

/// The same of a filter that was pushed into the scan, as it is now.
lake::Predicate predicate_of(const duckdb::TableFilter& filter, const lake::Field& field);

}  // namespace meesh::engine
