// Tables that C++ produces: `system` and every catalog's information_schema. A VirtualTable is a
// name, columns and a function that makes all rows; DuckDB reads it through the table function
// meesh_virtual('<catalog>', '<schema>', '<table>'[, schema_equals, table_equals]).
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "engine/duck.h"
#include "sql/catalog.h"

namespace meesh::engine {

class CatalogSet;

struct VirtualColumn {
  std::string name;
  sql::Type type;  // boolean, integer, bigint, double, varchar, array(varchar), timestamp(3) with time zone
};

struct VirtualTable {
  std::string schema, name;
  std::vector<VirtualColumn> columns;
  /// Which column the hint of VirtualRequest speaks of, "" = none.
  std::string schema_column, table_column;
  /// All rows, each as wide as `columns`. Runs on a query thread; may throw Error.
  std::function<std::vector<VirtualRow>(CatalogSet&, const VirtualRequest&)> rows;

  /// As the resolver sees it in `catalog`.
  sql::TableInfo describe(const std::string& catalog) const;
};

/// The tables of every catalog's information_schema.
const std::vector<VirtualTable>& information_schema_tables();
/// The tables of the catalog `system`, its information_schema not included.
const std::vector<VirtualTable>& system_tables();
/// Null if there is none; does not look at whether the catalog exists.
const VirtualTable* find_virtual_table(const std::string& catalog, const std::string& schema,
                                       const std::string& table);

/// Registers meesh_virtual; `catalogs` must outlive every statement.
void register_virtual_tables(duckdb::DatabaseInstance& instance, CatalogSet& catalogs);

/// Cells.
inline duckdb::Value null_text() { return duckdb::Value(duckdb::LogicalType::VARCHAR); }
inline duckdb::Value text(const std::string& value) { return duckdb::Value(value); }
inline duckdb::Value text_or_null(const std::string& value) { return value.empty() ? null_text() : text(value); }

}  // namespace meesh::engine
