// The tables an SQL text names, before anything is known about them.
#pragma once

#include <string>
#include <vector>

#include "pipelines/asset_kind.h"

namespace meesh::pipelines {

struct SqlTables {
  std::vector<TableUse> reads;   // each once, at its first place
  std::vector<TableUse> writes;  // what INSERT, CREATE, MERGE, ALTER … are about
};

/// Names of the text's queries (WITH) are no tables; views and columns are not looked into. Shorter
/// names get `catalog` and `schema`; what stays short is left out. Errors and places carry `file`.
/// `{{ parameters }}` are read as 1. Throws SYNTAX_ERROR.
SqlTables tables_in(const std::string& sql, const std::string& file, const std::string& catalog,
                    const std::string& schema);

/// The same of a text in a YAML file, where all places are that of the text's beginning.
SqlTables tables_at(const std::string& sql, const Location& where);

}  // namespace meesh::pipelines
