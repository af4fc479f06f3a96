// Values of literals whose meaning is more than their text: datetimes, intervals, decimals.
#pragma once

#include <cstdint>

#include "sql/ast.h"

namespace meesh::sql {

/// The type of `TYPE 'text'`: datetimes take precision and zone from the text. Throws
/// INVALID_LITERAL for malformed dates and times, TYPE_NOT_FOUND for unknown types.
Type type_of_literal(const TypedLiteral& literal);
/// decimal(p,s) of digits such as "001.50" (p = 3, s = 2); sign allowed. Throws INVALID_LITERAL
/// beyond 38 digits.
Type type_of_decimal(std::string_view text, Position pos);

inline bool is_year_month(const IntervalLiteral& i) {
  return i.from == "year" || i.from == "month";
}
/// Day-to-second intervals. Throws INVALID_LITERAL.
int64_t interval_micros(const IntervalLiteral& literal);
/// Year-to-month intervals. Throws INVALID_LITERAL.
int32_t interval_months(const IntervalLiteral& literal);

}  // namespace meesh::sql
