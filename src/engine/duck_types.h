// Trino types ↔ DuckDB logical types. What DuckDB has no type for rides on a type alias with
// modifiers (ExtensionTypeInfo), so that it survives projection, subqueries and CTEs:
//
//   varchar(n)              VARCHAR    alias "varchar" [n]
//   char(n)                 VARCHAR    alias "char" [n], values space-padded to n
//   timestamp(p), p <= 6    TIMESTAMP  kTimestampLabel [p]; plain TIMESTAMP is timestamp(6)
//   timestamp(7..9)         TIMESTAMP_NS, kTimestampLabel [p] below 9
//   timestamp(p) with zone  TIMESTAMPTZ kMomentLabel [p, number of the zone]; see zone_of
//   time(p)                 TIME       kTimeLabel [p]
//   interval year to month  INTERVAL   alias "interval year to month"; plain INTERVAL is day to
//   second json                    JSON (DuckDB's alias of VARCHAR);  ipaddress VARCHAR alias
//   "ipaddress" row(...)                STRUCT     anonymous fields are named "field0", "field1", …
#pragma once

#include "base/error.h"
#include "duckdb.hpp"
#include "sql/type.h"

namespace meesh::engine {

// Labels that are types of their own in DuckDB: it writes a type as text where it sorts by it, and
// reads it back. Modifiers are therefore numbers alone.
inline constexpr const char* kTimestampLabel = "trino_timestamp";
inline constexpr const char* kMomentLabel = "trino_timestamptz";
inline constexpr const char* kTimeLabel = "trino_time";
inline constexpr const char* kTimeTzLabel = "trino_timetz";
inline constexpr const char* kYearMonthLabel = "trino_interval_year_to_month";
inline constexpr const char* kAddressLabel = "ipaddress";
/// The type that a label with these modifiers stands for.
duckdb::LogicalType labelled_type(const std::string& label, const std::vector<int32_t>& modifiers);

sql::Type from_duckdb(const duckdb::LogicalType& type);
/// Throws NOT_SUPPORTED for types that have no representation yet (timestamp(12)).
duckdb::LogicalType to_duckdb(const sql::Type& type);
/// The zone a "timestamp with time zone" type carries, "" = the session's. The type has its number,
/// given when the zone is first met.
std::string zone_of(const duckdb::LogicalType& type);
duckdb::LogicalType timestamp_tz_type(int precision, const std::string& zone);

}  // namespace meesh::engine
