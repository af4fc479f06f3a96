// time with time zone: a clock's time and its own offset from UTC, DuckDB's TIME_TZ. Trino compares
// it by the time of day in UTC.
#pragma once

#include "duckdb/main/extension/extension_loader.hpp"
#include "engine/functions/build.h"

namespace meesh::engine {

/// CAST where one side is a time with time zone and the other another type that castable() allows.
ExprPtr cast_time_tz(const Build& build, ExprPtr value, const sql::Type& to, bool try_cast);
/// What times with time zone are compared by: microseconds of the day in UTC.
ExprPtr comparable_time(const Build& build, ExprPtr value);
/// The clock's time alone.
ExprPtr clock_of(const Build& build, ExprPtr value);
/// Seconds east of UTC, a BIGINT.
ExprPtr offset_of_time(const Build& build, ExprPtr value);
/// Another clock's time with the offset of `zoned`, of the precision.
ExprPtr with_offset_of(const Build& build, ExprPtr clock, ExprPtr zoned, int precision);
/// A time (with or without zone) as a clock at `offset` seconds (a BIGINT) east of UTC shows it.
ExprPtr time_at_offset(const Build& build, ExprPtr value, ExprPtr offset);
/// The session's offset now, in seconds.
int64_t session_offset(const Build& build);
void register_time_tz_kernels(duckdb::ExtensionLoader& loader);

}  // namespace meesh::engine
