// Which overload of the function table a call means, and the types it gives.
#pragma once

#include <optional>
#include <vector>

#include "sql/ast.h"

namespace meesh::sql {

struct Overload {
  std::vector<std::optional<Type>> arguments;  // what each is taken as; nullopt = as it is
  std::optional<Type> result;                  // nullopt = not certain
};

/// The overload whose arguments coerce at the least cost, `types` being those of the arguments
/// (nothing for lambdas, which are read themselves). Where a type is not known, a result that all
/// overloads share is still told; nullopt when no overload fits.
std::optional<Overload> overload_of(const FunctionCall& call,
                                    const std::vector<std::optional<Type>>& types);

/// What a call gives where Trino computes lengths, precisions or the like; nullopt where the
/// function's signature tells it.
std::optional<Type> computed_result(std::string_view name,
                                    const std::vector<std::optional<Type>>& arguments);

/// Where the engine's functions take or give other types than Trino's: gives NULL among the
/// arguments its type, and puts the call (or `a || b`) under a cast.
void fit_call(ExprPtr& slot);

/// What the lambda among the arguments is given, once the other arguments are resolved; an entry
/// is nullopt when not known.
std::vector<std::optional<Type>> lambda_types(const FunctionCall& call, size_t index);

}  // namespace meesh::sql
