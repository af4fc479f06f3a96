// Iceberg's types and single values as Trino's and DuckDB's, mapped as Trino's Iceberg connector
// maps them.
#pragma once

#include <optional>

#include "duckdb.hpp"
#include "lake/types.h"
#include "sql/type.h"

namespace meesh::engine {

/// int → integer, timestamptz → timestamp(6) with time zone, fixed → varbinary, …
sql::Type sql_type(const lake::Type& type);

/// The type a column of this type is stored as; `next_id` numbers its parts. Shorter types become
/// the next longer one (smallint: int, timestamp(3): timestamp). NOT_SUPPORTED in Trino's words
/// where there is none.
lake::Type lake_type(const sql::Type& type, int* next_id);

/// What DuckDB reads the column as.
duckdb::LogicalType duck_type(const lake::Type& type);

/// A value in DuckDB's form; of primitive types.
duckdb::Value duck_value(const lake::Type& type, const lake::Value& value);

/// Back. The value may be of any DuckDB type; nullopt if it has no exact counterpart in `type`.
std::optional<lake::Value> lake_value(const lake::Type& type, const duckdb::Value& value);

/// A value from the text that DuckDB's COPY gives in its statistics.
std::optional<lake::Value> value_of_statistics(const lake::Type& type, const std::string& text);

/// One value of a column that has DuckDB's type for `type`.
lake::Value value_at(const lake::Type& type, const duckdb::LogicalType& duck,
                     const duckdb::UnifiedVectorFormat& column, size_t row);

}  // namespace meesh::engine
