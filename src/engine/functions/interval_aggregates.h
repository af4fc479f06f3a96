// Sums and averages of intervals: months for INTERVAL YEAR TO MONTH, milliseconds for INTERVAL DAY
// TO SECOND, as Trino counts them.
#pragma once

#include "duckdb/function/aggregate_function.hpp"
#include "sql/type.h"

namespace meesh::engine {

/// The sum raises NUMERIC_VALUE_OUT_OF_RANGE where it leaves 64 bits; the average is rounded.
duckdb::AggregateFunction interval_sum(const sql::Type& type);
duckdb::AggregateFunction interval_average(const sql::Type& type);

}  // namespace meesh::engine
