// Expressions as text for messages and for equality.
#pragma once

#include <string>

#include "sql/ast.h"

namespace meesh::sql {

/// As Trino shows an expression in its messages: "(a + 1)", "count(*)", names as written.
std::string shown(const Expr& expr);
/// Equal for resolved expressions that mean the same: columns by what they are bound to. Two
/// subqueries never are.
std::string fingerprint(const Expr& expr);

}  // namespace meesh::sql
