// Tables and views of the engine's catalogs, as its information schema tells.
#pragma once

#include <stop_token>
#include <string>
#include <vector>

#include "engine/engine.h"

namespace meesh::governance {

struct ColumnFact {
  std::string name, type, comment;
};

struct TableFact {
  std::string name;  // catalog.schema.table
  std::string kind;  // table, view
  std::string comment;
  std::vector<ColumnFact> columns;
};

/// Of one catalog, those of PostgreSQL's and Trino's own schemas left out. Throws as the engine
/// does.
std::vector<TableFact> tables_of(engine::Engine& engine, const std::string& catalog,
                                 std::stop_token stop);

}  // namespace meesh::governance
