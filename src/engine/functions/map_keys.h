// Making maps out of keys and values, which no two entries may share.
#pragma once

#include "engine/functions/build.h"

namespace meesh::engine {

/// map(keys, values).
ExprPtr map_of(const Build& build, Exprs args);
/// A call of DuckDB's map() or map_from_entries(), whose errors name the key that is there twice.
ExprPtr tell_duplicate_keys(ExprPtr made);
/// map_from_entries() of an array without a type: empty, or an error when it has elements.
ExprPtr map_of_unknown_entries(const Build& build, ExprPtr entries);

}  // namespace meesh::engine
