// date_trunc, date_add and date_diff: what counts in units of time.
#pragma once

#include "duckdb/main/extension/extension_loader.hpp"
#include "engine/functions/build.h"

namespace meesh::engine {

ExprPtr date_trunc(const Build& build, Exprs args);
ExprPtr date_add(const Build& build, Exprs args);
ExprPtr date_diff(const Build& build, Exprs args);
void register_unit_kernels(duckdb::ExtensionLoader& loader);

}  // namespace meesh::engine
