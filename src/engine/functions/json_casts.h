// Casts between JSON and everything else.
#pragma once

#include "duckdb.hpp"
#include "sql/type.h"

namespace meesh::engine {

bool castable_to_json(const sql::Type& type);
bool castable_from_json(const sql::Type& type);

/// From or to JSON; to be bound with CastTypes. Types must be castable.
duckdb::cast_function_t json_cast_function(const sql::Type& from, const sql::Type& to);

}  // namespace meesh::engine
