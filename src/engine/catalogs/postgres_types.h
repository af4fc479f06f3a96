// PostgreSQL's column types as Trino's, and how to get there from what the DuckDB extension reads.
//
//   smallint … double, boolean, date, bytea, uuid      the same; bytea is varbinary
//   varchar(n), text                                    varchar(n), varchar
//   char(n)                                             char(n); the extension trims, so it is
//   padded again numeric(p,s), p <= 38                               decimal(p,s) numeric,
//   numeric(p > 38)                            decimal(38, 10) (fewer digits behind the point if
//                                                       p - s needs them), exact to 15 significant
//                                                       digits: the extension reads them as double
//   time(p), timestamp(p), timestamptz(p)               the same with Trino's precision (6 by
//   default) json, jsonb                                         json arrays of the above array(…),
//   nested by the declared dimensions domains over the above                              their
//   base type oid                                                 bigint enums, inet, money,
//   intervals, timetz, the rest     varchar: PostgreSQL's or DuckDB's text
//
// A numeric with a negative scale cannot be read by the extension: such a column is left out.
#pragma once

#include <optional>
#include <string>

#include "sql/type.h"

namespace meesh::engine {

/// A type as pg_type and pg_attribute tell it.
struct PostgresType {
  std::string name;   // pg_type.typname of a type in pg_catalog; "" for anything else
  char kind = 'b';    // pg_type.typtype: b, c(omposite), d(omain), e(num), r(ange), …
  int modifier = -1;  // typmod
};

struct PostgresColumnType {
  PostgresType type;
  std::optional<PostgresType> element;  // arrays
  std::optional<PostgresType> base;     // domains
  int dimensions = 0;                   // arrays, as declared; 0 when unknown
};

struct MappedType {
  sql::Type type;
  /// DuckDB expression over the column, with {} for its quoted name; "" = the column itself.
  std::string expression;
};

/// Nothing for what cannot be read.
std::optional<MappedType> map_postgres_type(const PostgresColumnType& column);

/// How PostgreSQL writes a Trino type in CREATE TABLE. Throws NOT_SUPPORTED for what it has none
/// of.
std::string postgres_type_name(const sql::Type& type);

}  // namespace meesh::engine
