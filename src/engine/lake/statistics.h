// Statistics of Iceberg tables: the aggregate that ANALYZE asks DuckDB for, and what SHOW STATS
// tells, as Trino's Iceberg connector has it.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "duckdb.hpp"
#include "lake/table_statistics.h"
#include "sql/ast.h"
#include "sql/catalog.h"

namespace meesh::engine {

/// Registers the aggregate; once for an instance, later calls do nothing.
void register_statistics_functions(duckdb::DatabaseInstance& instance);

/// The aggregate's call: a compact theta sketch of the column's values, a BLOB that is never NULL.
/// `column` is DuckDB text.
std::string sketch_call(const std::string& column);

/// The fields that ANALYZE … WITH (columns = ARRAY[…]) names, all that can be analyzed if it names
/// none. INVALID_ANALYZE_PROPERTY in Trino's words.
std::vector<const lake::Field*> fields_to_analyze(const std::vector<sql::Property>& properties,
                                                  const lake::Schema& schema,
                                                  const std::string& catalog);

/// What SHOW STATS tells. `ndvs`: of distinct_values().
sql::TableStatistics shown_statistics(const lake::Schema& schema, const lake::TableSummary& summary,
                                      const std::map<int, int64_t>& ndvs);

/// As Java's Double.toString and Float.toString write a finite number: "1.0", "1.5E10".
std::string java_text(double value);
std::string java_text(float value);

}  // namespace meesh::engine
