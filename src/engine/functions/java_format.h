// format(): text by the patterns of Java's Formatter.
#pragma once

#include "duckdb/main/extension/extension_loader.hpp"
#include "engine/functions/build.h"

namespace meesh::engine {

/// format(pattern, value, …).
ExprPtr format_function(const Build& build, Exprs args);
void register_format_kernel(duckdb::ExtensionLoader& loader);

}  // namespace meesh::engine
