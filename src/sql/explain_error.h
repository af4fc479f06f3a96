// Trino checks a call's types before anything runs and names the call; the engine meets the same
// mistake at one of its arguments and tells its own types. What it says is put into Trino's words
// here, with the resolved statement at hand.
#pragma once

#include "sql/sql.h"

namespace meesh::sql {

/// Throws FUNCTION_NOT_FOUND for a call whose number of arguments no signature of Trino's takes.
void check_count(const FunctionCall& call);

/// Throws for lambdas that take or give something else than the call's signatures say; its
/// arguments are resolved.
void check_lambdas(const FunctionCall& call);

/// Throws AMBIGUOUS_FUNCTION_CALL for a resolved call (or `a || b`) with NULLs of no type that
/// several signatures take.
void check_ambiguity(const Expr& call);

/// What an engine's refusal of the resolved statement means to its author: the place and words of a
/// call without a fitting signature, the place of a cast. Errors of other kinds stay as they are.
Error explained(Statement& statement, const Error& error);

}  // namespace meesh::sql
