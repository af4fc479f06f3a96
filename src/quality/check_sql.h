// Checks as Trino SQL. Those that one look at each row answers become columns of one aggregate
// query, so that a table is read once however many checks it has.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "quality/check.h"
#include "sql/type.h"

namespace meesh::quality {

/// The table as the statements name it, and what it is made of.
struct Target {
  std::string sql;                           // "lake"."silver"."orders"
  std::map<std::string, sql::Type> columns;  // by name in lower case
  std::map<std::string, std::string> parameters;
};

/// How a check is measured. Rows checked and rows failing, or one number (NULL: there is none).
struct Measure {
  std::vector<std::string> aggregates;  // over the table, together with other checks'
  std::string query;                    // or a query of its own that gives the same columns
  std::string sample;                   // query for a few failing rows; "" = they have no rows
  bool of_rows = false;                 // checked and failing, and not one number
};

/// Throws COLUMN_NOT_FOUND for a column that the table does not have. Not for kSchema, which reads
/// nothing.
Measure compile(const Check& check, const Target& target);

/// One query for all measures that have aggregates, in their order.
std::string scan_query(const std::vector<const Measure*>& measures, const Target& target);

/// What is wrong with the columns, one line a difference; kSchema.
std::vector<std::string> schema_differences(const Check& check, const Target& target);

}  // namespace meesh::quality
