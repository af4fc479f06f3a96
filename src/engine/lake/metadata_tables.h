// "t$snapshots", "t$files", …: what a table's metadata says, with the columns and types of Trino
// 476's Iceberg connector. DuckDB reads them through
//
//   lake_metadata('s3://…/metadata/00007-….metadata.json', 'lake', 'snapshots')
#pragma once

#include <optional>
#include <string>
#include <utility>

#include "engine/lake/scan.h"
#include "sql/catalog.h"

namespace meesh::engine {

/// "t$snapshots" → t, snapshots; nullopt if the name means no metadata table.
std::optional<std::pair<std::string, std::string>> split_metadata_name(const std::string& name);

/// As the resolver sees it.
sql::TableInfo metadata_table_info(const std::string& catalog, const lake::Table& table,
                                   const std::string& kind);

/// Registers lake_metadata; once an instance.
void register_metadata_tables(duckdb::DatabaseInstance& instance);

}  // namespace meesh::engine
