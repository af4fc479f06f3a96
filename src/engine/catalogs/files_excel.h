// Excel files, by DuckDB's extension.
#pragma once

#include <filesystem>
#include <stop_token>
#include <string>

#include "engine/catalogs/files.h"
#include "engine/duck.h"

namespace meesh::engine {

/// As FileTables::excel_to_json.
void write_excel_as_json(Duck& duck, const std::filesystem::path& file, const ExcelSheet& sheet,
                         const std::filesystem::path& json, const std::string& shown,
                         std::stop_token stop);

}  // namespace meesh::engine
