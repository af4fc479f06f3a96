// Trino types ↔ DuckDB logical types. What DuckDB has no type for rides on a type alias with
// modifiers (ExtensionTypeInfo), so that it survives projection, subqueries and CTEs:
//
//   varchar(n)              VARCHAR    alias "varchar" [n]
//   char(n)                 VARCHAR    alias "char" [n], values space-padded to n
//   timestamp(p), p <= 6    TIMESTAMP  alias "timestamp" [p]; plain TIMESTAMP is timestamp(6)
//   timestamp(7..9)         TIMESTAMP_NS, alias "timestamp" [p] below 9
//   timestamp(p) with zone  TIMESTAMPTZ alias "timestamptz" [p, zone]; zone '' = the session's
//   time(p)                 TIME       alias "time" [p]
//   interval year to month  INTERVAL   alias "interval year to month"; plain INTERVAL is day to
//   second json                    JSON (DuckDB's alias of VARCHAR);  ipaddress VARCHAR alias
//   "ipaddress" row(...)                STRUCT     anonymous fields are named "field0", "field1", …
#pragma once

#include "base/error.h"
#include "duckdb.hpp"
#include "sql/type.h"

namespace meesh::engine {

sql::Type from_duckdb(const duckdb::LogicalType& type);
/// Throws NOT_SUPPORTED for types that have no representation yet (timestamp(12)).
duckdb::LogicalType to_duckdb(const sql::Type& type);
/// The zone a "timestamp with time zone" type carries, "" = the session's.
std::string zone_of(const duckdb::LogicalType& type);
duckdb::LogicalType timestamp_tz_type(int precision, const std::string& zone);

}  // namespace meesh::engine
