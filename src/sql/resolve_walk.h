// Walking, copying and re-positioning trees: what the resolver and the printers share.
#pragma once

#include <functional>

#include "sql/ast.h"

namespace meesh::sql {

using ExprSlotFn = std::function<void(ExprPtr&)>;
using QueryFn = std::function<void(Query&)>;

/// Calls `on_expr` for each direct child expression (the slot, so that it can be replaced) and
/// `on_query` for each direct subquery. `on_query` may be empty. Null slots are skipped.
void for_each_child(Expr& expr, const ExprSlotFn& on_expr, const QueryFn& on_query);
/// The same for everything that hangs directly or through relations and bodies on a query,
/// down to, not into, its expressions and subqueries of expressions. Queries in FROM, WITH and
/// parentheses are entered.
void for_each_expr(Query& query, const ExprSlotFn& on_expr);
void for_each_expr(Relation& relation, const ExprSlotFn& on_expr);

/// Every expression that hangs on the statement.
void for_each_expr(Statement& statement, const ExprSlotFn& on_expr);

/// Pre-order over an expression; `visit` returns whether to descend. Subqueries are entered only
/// when `into_queries`.
void walk(const Expr& expr, bool into_queries, const std::function<bool(const Expr&)>& visit);

/// A deep copy; null when the expression holds a subquery.
ExprPtr clone(const Expr& expr);
/// A copy's field by its number, from 1 on: row[index]. Null when there is no copy.
ExprPtr field_of(const Expr& row, size_t index, Position pos);
TypeNodePtr clone(const TypeNode& type);

/// Gives every node of the query or expression one position: text that is not the user's has no
/// positions of its own.
void set_positions(Query& query, Position pos);
void set_positions(Expr& expr, Position pos);

}  // namespace meesh::sql
