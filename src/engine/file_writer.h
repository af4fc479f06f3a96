// A query's rows as one file of Parquet or Excel, for people who take them away. The rows go
// through a DuckDB of its own, so that neither the catalogs nor the settings of the engine's can be
// reached from it, and memory stays bounded.
#pragma once

#include <cstdint>
#include <filesystem>
#include <stop_token>

#include "engine/engine.h"

namespace meesh::engine {

enum class RowFile { kParquet, kExcel };

/// Rows of a sheet of Excel, without its head.
inline constexpr uint64_t kMostExcelRows = 1'048'575;

/// Reads the query to its end into `file`, which must not exist; its folder does. Returns the rows.
/// Throws the query's Error, USER_CANCELED when `stop` is requested, and INVALID_ARGUMENTS for more
/// rows than Excel has; what was written stays then for the caller to remove.
///
/// Names that come twice get numbers, as files have none twice. In Excel, numbers of more than 15
/// digits are text in columns that have one, since Excel would round them; arrays, maps, rows and
/// moments are text. Nothing is ever a formula.
uint64_t write_rows(Query& query, RowFile kind, const std::filesystem::path& file,
                    const Options& options, std::stop_token stop);

}  // namespace meesh::engine
