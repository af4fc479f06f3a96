// Tables that C++ produces: `system` and every catalog's information_schema. A VirtualTable is a
// name, columns and a function that makes all rows; DuckDB reads it through the table function
// meesh_virtual('<catalog>', '<schema>', '<table>'[, schema_equals, table_equals]).
#pragma once

#include <chrono>
#include <functional>
#include <initializer_list>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/text.h"
#include "engine/duck.h"
#include "engine/table_listing.h"
#include "sql/catalog.h"

namespace meesh::engine {

class CatalogSet;

struct VirtualColumn {
  std::string name;
  sql::Type type;  // boolean, integer, bigint, double, varchar, array(varchar), timestamp(3) with
                   // time zone
  bool hidden = false;  // not part of `*`
};

/// What of a virtual table is wanted.
struct TableRequest : VirtualRequest {
  std::optional<std::string> catalog_equals;  // pushed down, of tables about all catalogs
  bool details = true;                        // VirtualTable::detail_column is read
};

struct VirtualTable {
  std::string schema, name;
  std::vector<VirtualColumn> columns;
  /// Which column the hint of TableRequest speaks of, "" = none.
  std::string catalog_column, schema_column, table_column;
  /// What takes longer than the other columns: filled only when TableRequest says so. "" = none.
  std::string detail_column;
  /// All rows, each as wide as `columns`. Runs on a query thread; may throw Error.
  std::function<std::vector<VirtualRow>(CatalogSet&, const TableRequest&)> rows;

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

/// Column shorthands.
inline VirtualColumn text_column(std::string name, bool hidden = false) {
  return {std::move(name), sql::Type::varchar(), hidden};
}
inline VirtualColumn bigint_column(std::string name) {
  return {std::move(name), sql::Type::of(sql::TypeKind::kBigint)};
}
inline VirtualColumn boolean_column(std::string name) {
  return {std::move(name), sql::Type::of(sql::TypeKind::kBoolean)};
}
inline VirtualColumn time_column(std::string name) {
  return {std::move(name), sql::Type::of(sql::TypeKind::kTimestampTz, 3)};
}
std::vector<VirtualColumn> text_columns(std::initializer_list<const char*> names);

/// Calls `use` for every table of every catalog, `system` and every information_schema included. A
/// catalog that cannot be reached is left out with a warning in the log.
void for_each_table(CatalogSet& catalogs, const TableRequest& request,
                    const std::function<void(const sql::TableInfo&)>& use);
/// The same without what the tables look like.
void for_each_listed(CatalogSet& catalogs, const TableRequest& request,
                     const std::function<void(const ListedTable&)>& use);
/// The tables of one catalog, its information_schema included; throws what the catalog throws.
std::vector<sql::TableInfo> tables_of(CatalogSet& catalogs, const std::string& catalog,
                                      const TableRequest& request);
/// The same without what the tables look like, by schema and name.
std::vector<ListedTable> list_of(CatalogSet& catalogs, const std::string& catalog,
                                 const TableRequest& request);
/// Schemas of every catalog that answers, as (catalog, schema).
std::vector<std::pair<std::string, std::string>> all_schemas(CatalogSet& catalogs,
                                                             const TableRequest& request);

/// Cells.
inline duckdb::Value null_text() { return duckdb::Value(duckdb::LogicalType::VARCHAR); }
/// Bytes that are no UTF-8 (the text of a statement that was refused for them) are shown as '?'.
inline duckdb::Value text(std::string value) {
  if (!base::valid_utf8(value)) {
    for (char& c : value) c = static_cast<unsigned char>(c) < 0x80 ? c : '?';
  }
  return duckdb::Value(std::move(value));
}
inline duckdb::Value text_or_null(const std::string& value) {
  return value.empty() ? null_text() : text(value);
}
inline duckdb::Value bigint(int64_t value) { return duckdb::Value::BIGINT(value); }
inline duckdb::Value null_bigint() { return duckdb::Value(duckdb::LogicalType::BIGINT); }
inline duckdb::Value null_boolean() { return duckdb::Value(duckdb::LogicalType::BOOLEAN); }
/// NULL for the epoch, which stands for "not yet".
duckdb::Value time_or_null(std::chrono::system_clock::time_point time);

}  // namespace meesh::engine
