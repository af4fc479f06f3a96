// The catalogs the tests of this room read from: sales and marketing on one PostgreSQL server each,
// a memory catalog with nested types and views, and system.
#pragma once

#include <map>
#include <set>

#include "sql/catalog.h"
#include "sql/sql.h"

namespace meesh::sql::testing {

class TestCatalogs : public CatalogReader {
 public:
  TestCatalogs() {
    const Type integer = Type::of(TypeKind::kInteger), bigint = Type::of(TypeKind::kBigint);
    const Type timestamp = Type::of(TypeKind::kTimestamp, 6);
    postgres("sales", "customers",
             {{"customer_id", integer, false, "", "", false},
              {"name", Type::varchar(100), true, "", "", false},
              {"email", Type::varchar(), true, "who to write to", "", false},
              {"created_at", timestamp, true, "", "", false}},
             200000);
    postgres("sales", "orders",
             {{"order_id", bigint, false, "", "", false},
              {"customer_id", integer, true, "", "", false},
              {"amount", Type::decimal(10, 2), true, "", "", false},
              {"order_date", Type::of(TypeKind::kDate), true, "", "", false},
              {"paid", Type::of(TypeKind::kBoolean), true, "", "", false}},
             2000000);
    postgres("sales", "regions",
             {{"region_id", integer, false, "", "", false},
              {"region", Type::varchar(), true, "", "", false}},
             12);
    postgres("marketing", "leads",
             {{"lead_id", integer, false, "", "", false},
              {"email", Type::varchar(200), true, "", "", false},
              {"campaign_id", integer, true, "", "", false},
              {"score", Type::of(TypeKind::kDouble), true, "", "", false}},
             300000);
    memory("t", {{"a", integer, true, "", "", false},
                 {"b", Type::varchar(), true, "", "", false},
                 {"c", Type::varchar(5), true, "", "", false}});
    memory("u", {{"a", integer, true, "", "", false}, {"d", bigint, true, "", "", false}});
    const Type point = Type::row({"x", "y"}, {integer, Type::varchar()});
    memory("nested", {{"id", integer, true, "", "", false},
                      {"r", Type::row({"f", "p"}, {integer, point}), true, "", "", false},
                      {"xs", Type::array(integer), true, "", "", false},
                      {"points", Type::array(point), true, "", "", false},
                      {"m", Type::map(Type::varchar(), integer), true, "", "", false}});
    TableInfo read_only = tables_["memory.default.t"];
    read_only.name.table = "frozen";
    read_only.duckdb_target.clear();
    tables_["memory.default.frozen"] = read_only;
    view("v", "SELECT a AS number, b FROM t WHERE a > 1", {"number", "b"});
    view("loop1", "SELECT * FROM loop2", {});
    view("loop2", "SELECT * FROM loop1", {});
    view("broken", "SELECT nothing FROM t", {"nothing"});
    schemas_.insert({"system.metadata", "system.jdbc", "memory.other"});
    for (const char* name : {"sales", "marketing", "memory", "system"}) {
      schemas_.insert(std::string(name) + ".information_schema");
      TableInfo tables;
      tables.name = {name, "information_schema", "tables"};
      for (const char* column : {"table_catalog", "table_schema", "table_name", "table_type"})
        tables.columns.push_back({column, Type::varchar(), true, "", "", false});
      add(tables);
      TableInfo schemata;
      schemata.name = {name, "information_schema", "schemata"};
      for (const char* column : {"catalog_name", "schema_name"})
        schemata.columns.push_back({column, Type::varchar(), true, "", "", false});
      add(schemata);
    }
    TableInfo catalogs;
    catalogs.name = {"system", "metadata", "catalogs"};
    for (const char* column : {"catalog_name", "connector_id", "connector_name"})
      catalogs.columns.push_back({column, Type::varchar(), true, "", "", false});
    add(catalogs);
  }

  bool catalog_exists(const std::string& catalog) override { return catalogs_.count(catalog) > 0; }
  bool schema_exists(const std::string& catalog, const std::string& schema) override {
    return schemas_.count(catalog + "." + schema) > 0;
  }
  std::optional<TableInfo> table(const TableName& name) override {
    const auto found = tables_.find(name.display());
    return found == tables_.end() ? std::nullopt : std::optional(found->second);
  }

 private:
  void add(TableInfo info) {
    catalogs_.insert(info.name.catalog);
    schemas_.insert(info.name.catalog + "." + info.name.schema);
    if (info.kind == TableInfo::Kind::kTable && info.duckdb_source.empty()) {
      info.duckdb_source =
          '"' + info.name.catalog + "\".\"" + info.name.schema + "\".\"" + info.name.table + '"';
    }
    tables_[info.name.display()] = std::move(info);
  }
  void postgres(const char* catalog, const char* table, std::vector<ColumnInfo> columns,
                double rows) {
    TableInfo info;
    info.name = {catalog, "public", table};
    info.columns = std::move(columns);
    info.remote_database = catalog;
    info.remote_schema = "public";
    info.remote_table = table;
    info.estimated_rows = rows;
    info.duckdb_target = std::string("\"") + catalog + "\".\"public\".\"" + table + '"';
    add(std::move(info));
  }
  void memory(const char* table, std::vector<ColumnInfo> columns) {
    TableInfo info;
    info.name = {"memory", "default", table};
    info.columns = std::move(columns);
    info.duckdb_target = std::string("\"memory\".\"default\".\"") + table + '"';
    add(std::move(info));
  }
  void view(const char* name, const char* text, std::vector<std::string> columns) {
    TableInfo info;
    info.name = {"memory", "default", name};
    info.kind = TableInfo::Kind::kView;
    info.view_sql = text;
    info.view_catalog = "memory";
    info.view_schema = "default";
    for (auto& column : columns)
      info.columns.push_back({column, Type::varchar(), true, "", "", false});
    add(std::move(info));
  }

  std::set<std::string> catalogs_, schemas_;
  std::map<std::string, TableInfo> tables_;
};

struct Resolved {
  StatementPtr statement;
  Analysis analysis;
};

inline Resolved resolve_text(std::string_view text, std::vector<const Expr*> parameters = {},
                             std::string catalog = "memory", std::string schema = "default") {
  TestCatalogs catalogs;
  ResolveContext context;
  context.catalogs = &catalogs;
  context.catalog = std::move(catalog);
  context.schema = std::move(schema);
  context.user = "ada";
  context.parameters = std::move(parameters);
  Resolved out;
  out.statement = parse(text);
  out.analysis = resolve(out.statement, context);
  return out;
}

inline std::string duckdb(std::string_view text) {
  return print_duckdb(*resolve_text(text).statement).text;
}

/// "CODE: line 1:8: message", or "" when it resolves.
inline std::string error_of(std::string_view text, std::string catalog = "memory",
                            std::string schema = "default") {
  try {
    resolve_text(text, {}, std::move(catalog), std::move(schema));
  } catch (const Error& error) {
    return std::string(code_name(error.code())) + ": " + error.sql_message();
  }
  return "";
}

}  // namespace meesh::sql::testing
