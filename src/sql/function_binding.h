// Trino's choice among the signatures of a name: the one that takes the arguments as they are, else
// the most specific of those they can be coerced to. NULLs without a type are taken by many.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "sql/type.h"

namespace meesh::sql {

/// The signatures that Trino cannot choose between for arguments of these types, as its refusal
/// lists them: "(varchar(0),bigint):varchar(0)". Empty when there is one choice or none.
std::vector<std::string> ambiguous_signatures(std::string_view name,
                                              const std::vector<Type>& arguments);

}  // namespace meesh::sql
