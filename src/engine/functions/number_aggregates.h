// Aggregates of floating-point numbers that must not be DuckDB's own: NaN and infinity are values
// here as any others.
#pragma once

#include "duckdb/function/aggregate_function.hpp"

namespace meesh::engine {

/// min or max in which NaN gives way to every number.
duckdb::AggregateFunction floating_extreme(const duckdb::LogicalType& type, bool greatest);

/// Variance or standard deviation, of a sample or of the whole, of doubles.
duckdb::AggregateFunction spread_aggregate(bool sample, bool root);

}  // namespace meesh::engine
