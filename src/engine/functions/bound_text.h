// Expressions of their own: DuckDB text that is bound to the columns of a DataChunk, for functions
// that evaluate parts of a statement by themselves.
#pragma once

#include <string>
#include <vector>

#include "duckdb/planner/expression/bound_aggregate_expression.hpp"
#include "engine/functions/build.h"

namespace meesh::engine {

/// Binds one expression whose column names are `names`; column i of the chunk has types[i]. Parts
/// without columns are computed now, unless that fails. Throws what DuckDB's binder throws, without
/// a place in the statement.
ExprPtr bind_text(duckdb::ClientContext& context, const std::string& text,
                  const duckdb::vector<std::string>& names,
                  const duckdb::vector<duckdb::LogicalType>& types);

using Aggregates = std::vector<duckdb::unique_ptr<duckdb::BoundAggregateExpression>>;
/// The same with aggregates, which are taken out: the value of aggregates[i] is the column behind
/// the others and i more. NOT_SUPPORTED for those with DISTINCT, FILTER or ORDER BY.
ExprPtr bind_text_with_aggregates(duckdb::ClientContext& context, const std::string& text,
                                  const duckdb::vector<std::string>& names,
                                  const duckdb::vector<duckdb::LogicalType>& types,
                                  Aggregates& aggregates);

/// "v0", "v1", … as many as asked for.
duckdb::vector<std::string> numbered_names(size_t count);

}  // namespace meesh::engine
