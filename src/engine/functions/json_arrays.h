// Functions over the elements of a JSON array.
#pragma once

#include "duckdb/main/extension/extension_loader.hpp"

namespace meesh::engine {

void register_json_array_kernels(duckdb::ExtensionLoader& loader);

}  // namespace meesh::engine
