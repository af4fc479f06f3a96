// Partition transforms inside DuckDB, by the same code that plans and prunes.
#pragma once

#include <string>

#include "engine/duck.h"
#include "lake/transform.h"
#include "lake/types.h"

namespace meesh::engine {

/// Registers meesh_partition('bucket[4]', value) and meesh_refuse_null('column'). Once an instance.
void register_partition_functions(duckdb::DatabaseInstance& instance);

/// DuckDB text: the transformed value as it stands in paths ("2025-01-15"), NULL of NULL.
std::string partition_call(const lake::Transform& transform, const std::string& value);
/// Back from the text.
lake::Value partition_value(const lake::Transform& transform, const lake::Type& source,
                            const std::string& text);

/// DuckDB text that fails as a NULL in a NOT NULL column does; of any type.
std::string refuse_null_call(const std::string& column);

}  // namespace meesh::engine
