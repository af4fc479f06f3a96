// What must be true of a table: one check, as checks/*.yaml, the assets of pipelines and contracts
// write it.
//
//   checks:
//     - { kind: not_null, columns: [order_id, customer_id] }
//     - { kind: range, column: quantity, min: 1, at_most: 1%, severity: warn }
//
// Every check measures one number and says between which bounds it may lie; the checks of rows
// measure how many fail.
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/json_schema.h"
#include "base/yaml.h"

namespace meesh::quality {

enum class CheckKind {
  kNotNull,
  kUnique,
  kAcceptedValues,
  kRelationships,
  kRange,
  kRegex,
  kExpression,  // an SQL condition that holds for every row
  kRowCount,
  kFreshness,  // seconds since the newest row
  kSchema,     // columns that are missing, of another type or (if exact) unexpected
  kSql,        // rows that a query returns
  kMeasure,    // the number that a query gives
  kAnomaly,    // how far a metric is from its history
};
std::string_view kind_name(CheckKind kind);  // "not_null"

enum class Severity { kWarn, kError };
std::string_view severity_name(Severity severity);  // "warn", "error"

/// Where a measured number may lie.
struct Bound {
  static constexpr double kNone = std::numeric_limits<double>::infinity();
  double low = 0, high = 0;
  bool low_open = false, high_open = false;
  bool negated = false;  // anywhere but there
  bool percent = false;  // of failing rows among those checked, instead of their number

  static Bound between(double low, double high) { return {.low = low, .high = high}; }
  bool holds(double value) const;
  std::string words() const;  // "0", "at most 1 %", "between 1 and 10", "more than 5"
  bool operator==(const Bound&) const = default;
};

/// A value as a file writes it.
struct Literal {
  std::string text;
  bool number = false;  // written without quotes
  bool operator==(const Literal&) const = default;
};

struct Check {
  CheckKind kind{};
  std::string name;  // its identity in the history of a suite: unique there
  std::string description;
  Severity severity = Severity::kError;
  std::string where;  // SQL condition: only these rows; "" = all
  Bound bound;
  std::vector<std::string> columns;
  std::vector<Literal> values;      // kAcceptedValues; kNotNull: what counts as null besides
  std::string to_table, to_column;  // kRelationships; table as SQL text
  std::optional<Literal> min, max;  // kRange
  bool min_open = false, max_open = false;                    // kRange
  std::string pattern;                                        // kRegex: found anywhere
  std::string sql;                                            // kExpression, kSql, kMeasure
  std::vector<std::pair<std::string, std::string>> expected;  // kSchema: column and type
  bool exact = false;                                         // kSchema: no other columns
  std::string metric;                                         // kAnomaly: row_count, …
  int window = 0, least = 0;                                  // kAnomaly: results looked at
  Location location;
};

/// The shape of one item of a list of checks.
base::Shape check_shape();
/// "checks:" for the shapes of other files.
base::Shape checks_shape();

/// Reads a sequence that checks_shape() accepts. One item may make several checks (one a column).
/// Mistakes that a shape does not see go to `problems`; what is returned is only good without them.
std::vector<Check> parse_checks(const yaml::Document& document, const yaml::Node& sequence,
                                std::vector<Error>& problems);

/// "30s", "10m", "24h", "7d" in seconds.
std::optional<int64_t> parse_age(std::string_view text);
std::string age_words(double seconds);  // "1 d 2 h", "40 s"

/// Gives each check without a name one from its kind and columns, and numbers those that are equal.
void name_checks(std::vector<Check>& checks);

/// "catalog.schema.table" with "quoted" parts where wanted, in lower case, as SQL text
/// ("catalog"."schema"."table"); nothing if it is no such name.
std::optional<std::string> table_sql(std::string_view name);

}  // namespace meesh::quality
