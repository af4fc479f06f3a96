// What becomes of a source's types in the lake.
#pragma once

#include <string>

#include "sql/type.h"

namespace meesh::ingest {

/// The type of a lake's table that holds the values: smallint becomes integer, char and json
/// varchar, times have six digits of seconds.
sql::Type landed_type(const sql::Type& type);
/// The SQL value `value` of type `from` as its landed type.
std::string landed_value(const std::string& value, const sql::Type& from);

/// How a column of a table takes values of another type. Both are landed types.
enum class Fit {
  kSame,
  kCast,   // it holds them all
  kWiden,  // it would if its type were theirs, and the lake can change it so
  kConflict,
};
Fit fit(const sql::Type& table, const sql::Type& values);

}  // namespace meesh::ingest
