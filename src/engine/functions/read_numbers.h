// Numbers and booleans out of text, as Trino's casts of varchar read them.
#pragma once

#include <string>
#include <string_view>

#include "duckdb.hpp"
#include "sql/type.h"

namespace meesh::engine {

/// The type's name in the errors of casts from text: "INT", "BOOLEAN".
const char* cast_word(sql::TypeKind kind);
/// Whole numbers with a sign and spaces around, in the decimal digits of any script.
template <class T>
bool read_integer(std::string_view text, T& out);
/// true, t, 1, false, f, 0 in any case.
bool read_boolean(std::string_view text, bool& out);
/// The unscaled value, rounded half up to the scale; `why` says why it is none.
bool read_decimal(std::string_view text, int precision, int scale, duckdb::hugeint_t& out,
                  const char*& why);

/// A real or double rounded to a whole number; the error as text when there is none that fits.
template <class To>
std::string round_to_integer(double value, bool real, To& out);

}  // namespace meesh::engine
