// + - * / % of decimals, with Trino's types and roundings.
#pragma once

#include "engine/functions/build.h"

namespace meesh::engine {

[[noreturn]] void division_by_zero();  // DIVISION_BY_ZERO

/// `sign`: "+", "-", "*", "/" or "%". The arguments are decimals or integers. Results that do not
/// fit 38 digits are NUMERIC_VALUE_OUT_OF_RANGE, at run time.
ExprPtr decimal_operation(const Build& build, const char* sign, Exprs args);

}  // namespace meesh::engine
