// The columns and rows of metadata tables.
#pragma once

#include <string>
#include <vector>

#include "engine/duck.h"
#include "lake/manifest_cache.h"
#include "lake/metadata.h"
#include "sql/catalog.h"

namespace meesh::engine {

/// `kind`: "snapshots", "history", "files", …
std::vector<sql::ColumnInfo> metadata_columns(const lake::TableMetadata& table,
                                              const std::string& kind);
/// `location`: the metadata file of `table`.
std::vector<VirtualRow> metadata_rows(lake::ManifestCache& cache, const lake::TableMetadata& table,
                                      const std::string& location, const std::string& kind);

// The parts that tell of files, metadata_files.cc.

/// The partition fields of all specs, each once; none for tables never partitioned.
lake::Type all_partition_fields(const lake::TableMetadata& table);
std::vector<sql::ColumnInfo> file_columns(const lake::TableMetadata& table);
std::vector<sql::ColumnInfo> entry_columns(const lake::TableMetadata& table);
std::vector<sql::ColumnInfo> partition_columns_of(const lake::TableMetadata& table);
std::vector<VirtualRow> file_rows(lake::ManifestCache& cache, const lake::TableMetadata& table);
std::vector<VirtualRow> entry_rows(lake::ManifestCache& cache, const lake::TableMetadata& table);
std::vector<VirtualRow> partition_rows(lake::ManifestCache& cache,
                                       const lake::TableMetadata& table);

/// A value as people read it, NULL if there is none.
duckdb::Value bound_text(const lake::Type& type, const std::optional<std::string_view>& bytes);
duckdb::Value number_or_null(int64_t value);  // NULL below 0

}  // namespace meesh::engine
