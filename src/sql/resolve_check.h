// Operands that must fit each other: Trino's refusals with their words and places, and the casts
// that make two Trino types one where DuckDB would choose another.
#pragma once

#include <optional>
#include <vector>

#include "sql/ast.h"

namespace meesh::sql {

/// Throws TYPE_MISMATCH (COMPARISONS, ARITHMETIC, conditions, subscripts …) for a resolved
/// expression whose children are checked already; operands of unknown type pass. Casts the results
/// of CASE and the items of ARRAY to their common type and settles parameters.
void check_operands(Expr& expr);
/// All to their common type; `what` begins the refusal ("All COALESCE operands").
void unify(const std::vector<ExprPtr*>& slots, const char* what);
void check_boolean(Expr& expr, const char* what);
/// Throws TYPE_MISMATCH unless values of a key of ORDER BY, shown as `key`, can be ordered; `query`
/// is where its query begins.
void check_sort_key(const std::optional<Type>& type, std::string_view key, Position query);
/// Throws NESTED_WINDOW for windows in HAVING.
void check_having(const Expr& having);
/// What a window's frame takes and what it needs of ORDER BY; its expressions are resolved.
void check_window(const WindowSpec& spec);
/// Tells a parameter without a value what its place takes; nothing for other expressions.
void settle(Expr& expr, const Type& type);
/// Tells the parameters among a call's arguments what the first overload that fits the others
/// takes.
void settle_arguments(FunctionCall& call);
/// A cast to the type, unless only lengths of varchar differ or the type is not known.
void coerce(ExprPtr& slot, const Type& to);
/// The same for the columns of a query; entries without a type stay.
void coerce_outputs(QueryBody& body, const std::vector<std::optional<Type>>& types);
/// Whether the two differ in more than lengths of varchar.
bool differ(const Type& a, const Type& b);

}  // namespace meesh::sql
