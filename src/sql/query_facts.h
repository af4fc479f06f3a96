// What the text of a resolved query tells of its rows before it runs.
#pragma once

#include "sql/ast.h"

namespace meesh::sql {

/// Whether the column (0-based) is a literal, or casts of one, in every row: followed through
/// subqueries in FROM that stand alone. False where it is not certain.
bool constant_column(const Query& query, size_t column);

}  // namespace meesh::sql
