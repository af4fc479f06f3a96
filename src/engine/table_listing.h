// Listing a catalog's tables without describing them, for SHOW TABLES and what drivers and tools
// ask before they ask for columns: names out of an index instead of one file after another.
#pragma once

#include <string>
#include <vector>

#include "sql/catalog.h"

namespace meesh::engine {

struct ListedTable {
  sql::TableName name;
  sql::TableInfo::Kind kind{};
};

/// What a Catalog may be as well. One that is not is described whole.
class TableLister {
 public:
  virtual ~TableLister() = default;
  /// The same tables and views as Catalog::describe, in any order; empty schema = all.
  virtual std::vector<ListedTable> list(const std::string& schema) = 0;
};

}  // namespace meesh::engine
