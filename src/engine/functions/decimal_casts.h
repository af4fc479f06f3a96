// Casts of whole numbers and decimals to decimals that may have too few digits for them.
#pragma once

#include "duckdb.hpp"
#include "duckdb/function/cast/default_casts.hpp"
#include "sql/type.h"

namespace meesh::engine {

/// Whether a whole number or decimal of the one type may have more digits than the other holds.
bool may_overflow_decimal(const sql::Type& from, const sql::Type& to);
/// DuckDB's own cast between the two, which stores NULL where it fails under TRY_CAST; failures are
/// told in Trino's words.
duckdb::BoundCastInfo narrowing_decimal_cast(const sql::Type& from, const sql::Type& to,
                                             duckdb::BoundCastInfo native);

}  // namespace meesh::engine
