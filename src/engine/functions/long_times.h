// Times finer than DuckDB keeps them: timestamp(10..12) and time(7..12) as picoseconds, and the
// casts between all of the local dates and times where one of them is that fine.
#pragma once

#include "duckdb.hpp"
#include "duckdb/function/cast/default_casts.hpp"
#include "engine/functions/build.h"

namespace meesh::engine {

/// Kept as picoseconds: timestamp(10..12), time(7..12).
bool is_long(const sql::Type& type);
/// The cast function between two local dates or times or text, one of them kept as picoseconds;
/// null if there is none.
duckdb::cast_function_t long_cast_function(const sql::Type& from, const sql::Type& to);
/// A date, timestamp or time of any precision as DuckDB's own of microseconds; finer digits are cut
/// off.
ExprPtr in_micros(const Build& build, ExprPtr value);

/// Half up to `precision` digits of a second.
__int128 round_picos(__int128 picos, int precision);
/// "2024-02-29 01:02:03.456789012345", "01:02:03.4567890".
std::string timestamp_text_of_picos(__int128 picos, int precision, char separator = ' ');
std::string clock_text_of_picos(int64_t picos, int precision);

constexpr __int128 kPicosOfMicro = 1000000;
constexpr __int128 kPicosOfSecond = 1000000 * kPicosOfMicro;
constexpr __int128 kPicosOfDay = 86400 * kPicosOfSecond;

constexpr __int128 floor_div(__int128 value, __int128 by) {
  return value / by - (value % by < 0 ? 1 : 0);
}

}  // namespace meesh::engine
