// Trino's implicit coercions between types (io.trino.type.TypeCoercion, in effect).
#pragma once

#include <optional>

#include "sql/type.h"

namespace meesh::engine {

/// The type both sides of an operator, all elements of an array, … are brought to.
std::optional<sql::Type> common_type(const sql::Type& a, const sql::Type& b);
/// Steps from one type to the other, 0 = same; nullopt if it does not coerce.
std::optional<int> coercion_cost(const sql::Type& from, const sql::Type& to);

bool is_integral(const sql::Type& type);
bool is_numeric(const sql::Type& type);
bool is_text(const sql::Type& type);  // varchar, char
/// Integers as decimals: integer → decimal(10,0).
sql::Type as_decimal(const sql::Type& type);
/// Trino's display without a length: what its operator errors show for varchar.
std::string shown(const sql::Type& type);

}  // namespace meesh::engine
