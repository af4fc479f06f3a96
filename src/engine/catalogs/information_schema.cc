// information_schema, the same tables in every catalog; columns are Trino's, hidden ones included.
#include "engine/catalog_set.h"
#include "engine/virtual_table.h"

namespace meesh::engine {
namespace {

using Rows = std::vector<VirtualRow>;

Rows schemata(CatalogSet& catalogs, const TableRequest& request) {
  Rows rows;
  for (const auto& schema : catalogs.schemas(request.catalog))
    rows.push_back({text(request.catalog), text(schema)});
  return rows;
}

constexpr auto kView = sql::TableInfo::Kind::kView;

VirtualRow table_row(const sql::TableName& name, sql::TableInfo::Kind kind,
                     const std::string& comment) {
  return {text(name.catalog),
          text(name.schema),
          text(name.table),
          text(kind == kView ? "VIEW" : "BASE TABLE"),
          text(kind == kView ? "VIEW" : "TABLE"),
          text_or_null(comment)};
}

Rows tables(CatalogSet& catalogs, const TableRequest& request) {
  Rows rows;
  if (request.details) {
    for (const auto& table : tables_of(catalogs, request.catalog, request))
      rows.push_back(table_row(table.name, table.kind, table.comment));
  } else {
    for (const auto& table : list_of(catalogs, request.catalog, request))
      rows.push_back(table_row(table.name, table.kind, ""));
  }
  return rows;
}

Rows columns(CatalogSet& catalogs, const TableRequest& request) {
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

/// "" for a view that has no text in Trino's dialect, or was dropped meanwhile.
std::string view_text(CatalogSet& catalogs, const sql::TableName& name) {
  try {
    const auto view = catalogs.get(name.catalog)->table(name.schema, name.table);
    return view ? view->view_sql : "";
  } catch (const Error& error) {
    if (error.code() != Code::kNotSupported) throw;
    return "";
  }
}

Rows views(CatalogSet& catalogs, const TableRequest& request) {
  Rows rows;
  for (const auto& [name, kind] : list_of(catalogs, request.catalog, request)) {
    if (kind != kView) continue;
    rows.push_back(
        {text(name.catalog), text(name.schema), text(name.table), text(view_text(catalogs, name))});
  }
  return rows;
}

/// No grants and no roles exist yet: these tables are there and empty.
Rows none(CatalogSet&, const TableRequest&) { return {}; }

VirtualTable make(const char* name, std::vector<VirtualColumn> columns,
                  Rows (*rows)(CatalogSet&, const TableRequest&), bool has_hints) {
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
  found.back().detail_column = "table_comment";
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
