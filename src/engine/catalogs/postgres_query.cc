#include "engine/catalogs/postgres_query.h"

#include <fmt/format.h>

#include <map>
#include <set>

#include "engine/catalogs/postgres_types.h"
#include "engine/duck.h"

namespace meesh::engine {
namespace {

// A type's element and base are named only if they are the server's own.
constexpr const char* kTypes = R"(
SELECT t.oid,
       CASE WHEN t.typnamespace = 'pg_catalog'::regnamespace THEN t.typname ELSE '' END, t.typtype,
       CASE WHEN e.typnamespace = 'pg_catalog'::regnamespace THEN e.typname ELSE '' END, e.typtype,
       CASE WHEN b.typnamespace = 'pg_catalog'::regnamespace THEN b.typname ELSE '' END, b.typtype,
       t.typtypmod
FROM pg_catalog.pg_type t
LEFT JOIN pg_catalog.pg_type e ON t.typcategory = 'A' AND e.oid = t.typelem
LEFT JOIN pg_catalog.pg_type b ON t.typtype = 'd' AND b.oid = t.typbasetype
WHERE t.oid = ANY ($1::oid[]))";

PostgresType type_at(const PostgresRows& rows, int row, int name, int modifier) {
  const std::string kind = rows.text(row, name + 1);
  return {rows.text(row, name), kind.empty() ? 'b' : kind[0], modifier};
}

/// By oid, without the column's modifier.
std::map<int64_t, PostgresColumnType> types_of(PostgresPool& pool, const PostgresRows& columns) {
  std::string oids = "{";
  for (int i = 0; i < columns.columns(); ++i)
    oids += (i ? "," : "") + std::to_string(columns.column_type(i));
  const auto rows = pool.query("types", kTypes, {oids + "}"});
  std::map<int64_t, PostgresColumnType> types;
  for (int row = 0; row < rows.count(); ++row) {
    PostgresColumnType type;
    type.type = type_at(rows, row, 1, -1);
    if (!rows.is_null(row, 4)) type.element = type_at(rows, row, 3, -1);
    if (!rows.is_null(row, 6))
      type.base = type_at(rows, row, 5, static_cast<int>(rows.number(row, 7)));
    types.emplace(rows.number(row, 0), std::move(type));
  }
  return types;
}

}  // namespace

sql::TableInfo postgres_query_table(PostgresPool& pool, const std::string& catalog,
                                    const std::string& query) {
  const std::string table = "SELECT * FROM (" + query + "\n) AS \"_query\"";
  // With a parameter the server takes one statement alone.
  const auto columns = pool.query("", table + " WHERE $1 = 'none' LIMIT 0", {"none"});
  const auto types = types_of(pool, columns);
  sql::TableInfo info;
  info.name = {catalog, "system", "query"};
  std::string list;
  std::set<std::string> names;
  for (int i = 0; i < columns.columns(); ++i) {
    const std::string name = columns.column_name(i);
    if (!names.insert(name).second)
      throw Error(Code::kNotSupported, "The query gives two columns of the name '" + name + "'")
          .with_hint("give one of them another name with AS");
    auto type = types.at(columns.column_type(i));
    type.type.modifier = columns.column_modifier(i);
    if (type.element) type.element->modifier = columns.column_modifier(i);
    const auto mapped = map_postgres_type(type);
    if (!mapped)
      throw Error(Code::kNotSupported,
                  "Column '" + name + "' of the query has a type that cannot be read");
    const std::string quoted = quote_ident(name);
    std::string value = quoted;
    if (!mapped->expression.empty()) {
      const auto at = mapped->expression.find("{}");
      value = mapped->expression.substr(0, at) + quoted + mapped->expression.substr(at + 2);
    }
    list += fmt::format("{}{} AS {}", list.empty() ? "" : ", ", value, quoted);
    sql::ColumnInfo column;
    column.name = name;
    column.type = mapped->type;
    info.columns.push_back(std::move(column));
  }
  if (list.empty()) throw Error(Code::kNotSupported, "The query gives no columns");
  info.duckdb_source = fmt::format("(SELECT {} FROM postgres_query({}, {}))", list,
                                   quote_string(catalog), quote_string(table));
  return info;
}

}  // namespace meesh::engine
