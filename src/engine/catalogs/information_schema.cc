// information_schema, the same tables in every catalog; columns are Trino's, hidden ones included.
#include "engine/catalog_set.h"
#include "engine/virtual_table.h"

namespace meesh::engine {
namespace {

using Rows = std::vector<VirtualRow>;

Rows schemata(CatalogSet& catalogs, const VirtualRequest& request) {
  Rows rows;
  for (const auto& schema : catalogs.schemas(request.catalog))
    rows.push_back({text(request.catalog), text(schema)});
  return rows;
}

bool is_view(const sql::TableInfo& table) { return table.kind == sql::TableInfo::Kind::kView; }

Rows tables(CatalogSet& catalogs, const VirtualRequest& request) {
  Rows rows;
  for (const auto& table : tables_of(catalogs, request.catalog, request)) {
    rows.push_back({text(table.name.catalog), text(table.name.schema), text(table.name.table),
                    text(is_view(table) ? "VIEW" : "BASE TABLE"),
                    text(is_view(table) ? "VIEW" : "TABLE"), text_or_null(table.comment)});
  }
  return rows;
}

Rows columns(CatalogSet& catalogs, const VirtualRequest& request) {
  Rows rows;
  for (const auto& table : tables_of(catalogs, request.catalog, request)) {
    int64_t position = 0;
    for (const auto& column : table.columns) {
      if (column.hidden) continue;
      const auto comment = text_or_null(column.comment);
      rows.push_back({text(table.name.catalog), text(table.name.schema), text(table.name.table),
                      text(column.name), bigint(++position), text_or_null(column.default_value),
                      text(column.nullable ? "YES" : "NO"), text(column.type.display()), comment,
                      null_text(), comment});
    }
  }
  return rows;
}

Rows views(CatalogSet& catalogs, const VirtualRequest& request) {
  Rows rows;
  for (const auto& table : tables_of(catalogs, request.catalog, request)) {
    if (!is_view(table)) continue;
    rows.push_back({text(table.name.catalog), text(table.name.schema), text(table.name.table),
                    text(table.view_sql)});
  }
  return rows;
}

/// No grants and no roles exist yet: these tables are there and empty.
Rows none(CatalogSet&, const VirtualRequest&) { return {}; }

VirtualTable make(const char* name, std::vector<VirtualColumn> columns,
                  Rows (*rows)(CatalogSet&, const VirtualRequest&), bool has_hints) {
  VirtualTable table;
  table.schema = "information_schema";
  table.name = name;
  table.columns = std::move(columns);
  table.rows = rows;
  if (has_hints) {
    table.schema_column = "table_schema";
    table.table_column = "table_name";
  }
  return table;
}

std::vector<VirtualTable> make_tables() {
  auto of_columns = text_columns({"table_catalog", "table_schema", "table_name", "column_name"});
  of_columns.push_back(bigint_column("ordinal_position"));
  for (const char* name : {"column_default", "is_nullable", "data_type"})
    of_columns.push_back(text_column(name));
  for (const char* name : {"comment", "extra_info", "column_comment"})
    of_columns.push_back(text_column(name, true));
  auto of_tables = text_columns({"table_catalog", "table_schema", "table_name", "table_type"});
  for (const char* name : {"trino_relation_type", "table_comment"})
    of_tables.push_back(text_column(name, true));

  std::vector<VirtualTable> found;
  found.push_back(make("applicable_roles",
                       text_columns({"grantee", "grantee_type", "role_name", "is_grantable"}), none,
                       false));
  found.push_back(make("columns", std::move(of_columns), columns, true));
  found.push_back(make("enabled_roles", text_columns({"role_name"}), none, false));
  found.push_back(make("roles", text_columns({"role_name"}), none, false));
  found.push_back(make("schemata", text_columns({"catalog_name", "schema_name"}), schemata, false));
  found.push_back(make("table_privileges",
                       text_columns({"grantor", "grantor_type", "grantee", "grantee_type",
                                     "table_catalog", "table_schema", "table_name",
                                     "privilege_type", "is_grantable", "with_hierarchy"}),
                       none, false));
  found.push_back(make("tables", std::move(of_tables), tables, true));
  found.push_back(make(
      "views", text_columns({"table_catalog", "table_schema", "table_name", "view_definition"}),
      views, true));
  return found;
}

}  // namespace

const std::vector<VirtualTable>& information_schema_tables() {
  static const std::vector<VirtualTable> tables = make_tables();
  return tables;
}

}  // namespace meesh::engine
