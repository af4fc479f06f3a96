// The table of Trino's functions, by theme. A row is one overload:
//
//   {"abs(T:number) -> T", "abs($1)", "Absolute value"}
//
// Types are Trino's; a capital letter is a type variable, which a constraint may narrow (number,
// integral, decimal, orderable). `varchar` takes varchar(n) and char(n), `char` only the
// latter, `timestamp` and `timestamptz` any precision, `local` a date, timestamp or timestamp with
// time zone as local time, `any` anything; a trailing `...` repeats the last argument; result `any`
// is whatever the body gives.
//
// The body is DuckDB text over $1 … $9, bound by types when the statement is planned; "" means C++
// in src/engine/functions; a leading "=" means the text is printed into the statement instead
// (needed for lambdas). Aggregates and windows name DuckDB's function, and after "|" a scalar to
// put around.
#pragma once

#include <span>

#include "sql/sql.h"

namespace meesh::sql {

/// A function that only the resolver writes: the depth after one more step of a recursion, or an
/// error beyond the limit.
inline constexpr const char* kRecursionStep = "$recursion_step";

struct FunctionRow {
  std::string_view signature, body, description;
};

std::span<const FunctionRow> math_functions();
std::span<const FunctionRow> text_functions();
std::span<const FunctionRow> time_functions();
std::span<const FunctionRow> nested_functions();
std::span<const FunctionRow> value_functions();
std::span<const FunctionRow> aggregate_functions();
std::span<const FunctionRow> window_functions();

}  // namespace meesh::sql
