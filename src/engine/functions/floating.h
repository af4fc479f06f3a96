// Comparisons of reals and doubles. NaN is neither equal to anything nor more or less; DuckDB has
// it equal to itself and greater than all. Arguments are of one floating type.
#pragma once

#include "engine/functions/build.h"

namespace meesh::engine {

bool is_floating(const duckdb::Expression& value);
ExprPtr compare_floating(const Build& build, duckdb::ExpressionType type, Exprs args);
/// value, low, high.
ExprPtr floating_between(const Build& build, Exprs args);
/// value, items.
ExprPtr floating_in(const Build& build, Exprs args);
/// NULL in place of NaN: what a join may compare by DuckDB's rules.
ExprPtr number_or_null(const Build& build, ExprPtr value);

}  // namespace meesh::engine
