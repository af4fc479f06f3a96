// Trino types ↔ DuckDB logical types. What DuckDB has no type for rides on a type alias with
// modifiers (ExtensionTypeInfo), so that it survives projection, subqueries and CTEs:
//
//   varchar(n)              VARCHAR    alias "varchar" [n]
//   char(n)                 VARCHAR    alias "char" [n], values space-padded to n
//   timestamp(p), p <= 6    TIMESTAMP  kTimestampLabel [p]; plain TIMESTAMP is timestamp(6)
//   timestamp(7..9)         TIMESTAMP_NS, kTimestampLabel [p] below 9
//   timestamp(p) with zone  TIMESTAMPTZ kMomentLabel [p, number of the zone]; see zone_of
//   timestamp(10..12)       HUGEINT    kLongTimestampLabel [p], picoseconds since the epoch
//   timestamp(7..12) with zone, and where values of one column have zones of their own
//                           HUGEINT    kZonedLabel [p], see zoned_value
//   time(p), p <= 6         TIME       kTimeLabel [p]
//   time(7..12)             BIGINT     kLongTimeLabel [p], picoseconds of the day
//   interval year to month  INTERVAL   alias "interval year to month"; plain INTERVAL is day to
//                           second
//   json                    JSON (DuckDB's alias of VARCHAR)
//   ipaddress               BLOB       kAddressLabel, 16 bytes
//   row(...)                STRUCT     anonymous fields are named "field0", "field1", …
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
inline constexpr const char* kLongTimestampLabel = "trino_timestamp_picos";
inline constexpr const char* kLongTimeLabel = "trino_time_picos";
inline constexpr const char* kZonedLabel = "trino_zoned";
inline constexpr const char* kYearMonthLabel = "trino_interval_year_to_month";
inline constexpr const char* kAddressLabel = "ipaddress";
inline constexpr const char* kColorLabel = "color";
inline constexpr const char* kJsonPathLabel = "trino_json_path";
// Sketches, each in its own bytes: BLOB.
inline constexpr const char* kHyperLogLogLabel = "trino_hyperloglog";
inline constexpr const char* kP4HyperLogLogLabel = "trino_p4hyperloglog";
inline constexpr const char* kSetDigestLabel = "trino_setdigest";
inline constexpr const char* kTdigestLabel = "trino_tdigest";
inline constexpr const char* kQdigestLabel = "trino_qdigest";  // [number of the value's TypeKind]
/// The type that a label with these modifiers stands for.
duckdb::LogicalType labelled_type(const std::string& label, const std::vector<int32_t>& modifiers);

sql::Type from_duckdb(const duckdb::LogicalType& type);
/// Throws NOT_SUPPORTED for types that have no representation yet (time(12) with time zone).
duckdb::LogicalType to_duckdb(const sql::Type& type);
/// The zone a "timestamp with time zone" type carries, "" = the session's. The type has its number,
/// given when the zone is first met.
std::string zone_of(const duckdb::LogicalType& type);
duckdb::LogicalType timestamp_tz_type(int precision, const std::string& zone);

/// The number under which types and values carry a zone, given when the zone is first met;
/// 0 = the session's. numbered_zone() in engine/batch.h is the way back.
int32_t zone_number(const std::string& zone);
/// A timestamp with time zone whose values carry each its zone: picoseconds since the epoch in the
/// upper 112 bits, the zone's number in the lower 16.
duckdb::LogicalType zoned_type(int precision);
bool is_zoned(const duckdb::LogicalType& type);
/// Whether the type has the label.
bool has_label(const duckdb::LogicalType& type, const char* label);

}  // namespace meesh::engine
