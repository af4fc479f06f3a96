// The catalog `system`, one source a schema.
#pragma once

#include <vector>

#include "engine/virtual_table.h"

namespace meesh::engine {

std::vector<VirtualTable> system_jdbc_tables();
std::vector<VirtualTable> system_metadata_tables();
std::vector<VirtualTable> system_runtime_tables();

}  // namespace meesh::engine
