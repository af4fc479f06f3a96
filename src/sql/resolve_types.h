// Types as far as the front end can tell them. DuckDB's binder has the last word; what is known
// here serves error messages, the shape of UNNEST, declared lengths and push-down.
#pragma once

#include <optional>
#include <vector>

#include "sql/ast.h"

namespace meesh::sql {

/// The declared type of a resolved expression: columns, casts, string literals, fields of declared
/// rows. Never guesses.
std::optional<Type> declared_type(const Expr& expr);
/// Trino's type of a resolved expression; nullopt when not sure.
std::optional<Type> infer_type(const Expr& expr);
/// As much as is needed to unfold it: also array(unknown), map(unknown, unknown).
std::optional<Type> shape_of(const Expr& expr);

/// infer_type of a call, of `a op b` over numbers and of `a || b`.
std::optional<Type> call_type(const FunctionCall& call);
std::optional<Type> arithmetic_type(BinaryOperator op, const Type& a, const Type& b);
std::optional<Type> concat_type(const Type& a, const Type& b);

/// Trino's coercions: the type both become when combined, nullopt if there is none.
std::optional<Type> common_type(const Type& a, const Type& b);
/// Whether INSERT may store a value of one type into a column of the other.
bool store_assignable(const Type& from, const Type& to);

/// What `<` and ORDER BY take.
bool is_orderable(const Type& type);
bool is_integral(const Type& type);
bool is_numeric(const Type& type);
bool is_text(const Type& type);   // varchar, char
bool is_dated(const Type& type);  // date, timestamps
bool is_time(const Type& type);   // times
/// An integer's or decimal's type as decimal that holds all of it.
std::optional<Type> as_decimal(const Type& type);
/// common_type of two numeric types.
std::optional<Type> common_numeric(const Type& a, const Type& b);

}  // namespace meesh::sql
