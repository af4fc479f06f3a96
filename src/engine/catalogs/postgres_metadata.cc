#include "engine/catalogs/postgres_metadata.h"

#include <fmt/format.h>

#include <bit>
#include <cstring>
#include <set>

#include "engine/catalogs/postgres_types.h"
#include "engine/duck.h"

namespace meesh::engine {
namespace {

// Lowers as SQL text is lowered here: A-Z only, whatever the server's locale.
#define LOWERED(name) \
  "translate(" name ", 'ABCDEFGHIJKLMNOPQRSTUVWXYZ', 'abcdefghijklmnopqrstuvwxyz')"
#define SHOWN_SCHEMA                                                                               \
  "n.nspname <> 'information_schema' AND n.nspname NOT LIKE 'pg\\_toast%' AND n.nspname NOT LIKE " \
  "'pg\\_temp\\_%'"
#define TABLE_KINDS "c.relkind IN ('r', 'v', 'm', 'f', 'p')"

constexpr const char* kSchemas =
    "SELECT n.nspname FROM pg_namespace n WHERE " SHOWN_SCHEMA " ORDER BY 1";

constexpr const char* kSchema = "SELECT n.nspname FROM pg_namespace n WHERE " LOWERED(
    "n.nspname") " = $1 AND " SHOWN_SCHEMA " ORDER BY n.nspname = $1 DESC, 1 LIMIT 1";

constexpr const char* kTables =
    "SELECT DISTINCT " LOWERED(
        "c.relname") " FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
                     "WHERE " LOWERED("n.nspname") " = $1 AND " SHOWN_SCHEMA " AND " TABLE_KINDS
                                                   " ORDER BY 1";

/// As written; found through an index, however many tables there are.
constexpr const char* kExactTable =
    "SELECT c.*, n.nspname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE "
    "n.nspname = $1 AND c.relname = $2 AND " SHOWN_SCHEMA " AND " TABLE_KINDS;

constexpr const char* kOneTable =
    "SELECT c.*, n.nspname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
    "WHERE " LOWERED("n.nspname") " = $1 AND " LOWERED(
        "c.relname") " = $2 AND " SHOWN_SCHEMA " AND " TABLE_KINDS
                     " ORDER BY n.nspname = $1 DESC, n.nspname, c.relname = $2 DESC, c.relname "
                     "LIMIT 1";

constexpr const char* kAllTables =
    "SELECT c.*, n.nspname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE ($1 "
    "= '' OR " LOWERED("n.nspname") " = $1) AND " SHOWN_SCHEMA " AND " TABLE_KINDS;

/// The server's own tables do not change.
constexpr const char* kOwnTables =
    "SELECT c.*, n.nspname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE "
    "n.nspname <> 'pg_catalog' AND " SHOWN_SCHEMA " AND " TABLE_KINDS;

/// One row a column, at least one a table. typnamespace 11 is pg_catalog. @( … @) is what a
/// fingerprint does not need.
constexpr const char* kColumns = R"(
SELECT t.nspname, t.relname, t.relkind, t.reltuples::bigint, t.relpages, @(obj_description(t.oid, 'pg_class')@),
       @(EXISTS (SELECT 1 FROM pg_inherits i WHERE i.inhparent = t.oid)@), t.oid,
       a.attname, a.attnotnull, a.attndims, a.atttypmod, a.atttypid,
       CASE WHEN ty.typnamespace = 11 THEN ty.typname END, ty.typtype,
       CASE WHEN el.typnamespace = 11 THEN el.typname END, el.typtype,
       CASE WHEN bt.typnamespace = 11 THEN bt.typname END, bt.typtype, ty.typtypmod,
       CASE WHEN 'e' IN (ty.typtype, el.typtype) THEN
         (SELECT string_agg(enumlabel, ',' ORDER BY enumsortorder) FROM pg_enum
          WHERE enumtypid = COALESCE(el.oid, ty.oid)) END,
       @(col_description(t.oid, a.attnum)@), @(pg_get_expr(d.adbin, d.adrelid)@)
FROM t
LEFT JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum > 0 AND NOT a.attisdropped
LEFT JOIN pg_type ty ON ty.oid = a.atttypid
LEFT JOIN pg_type el ON el.oid = ty.typelem AND ty.typcategory = 'A' AND ty.typlen = -1
  AND ty.typname NOT IN ('oidvector', 'int2vector')
LEFT JOIN pg_type bt ON bt.oid = ty.typbasetype AND ty.typtype = 'd'
LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
ORDER BY t.nspname, t.relname = )" LOWERED("t.relname") R"( DESC, t.relname, a.attnum)";

std::string columns_query(const char* tables, bool whole) {
  std::string text = std::string("WITH t AS (") + tables + ")";
  for (const char* at = kColumns; *at != '\0'; ++at) {
    if (*at != '@') {
      text += *at;
      continue;
    }
    ++at;  // past '@', on the bracket
    if (*at == '(' && !whole) {
      at = std::strstr(at, "@)") + 1;
      text += "NULL";
    }
  }
  return text;
}

enum Column {
  kSchemaName,
  kTableName,
  kTableKind,
  kTuples,
  kPages,
  kTableComment,
  kHasChildren,
  kOid,
  kName,
  kNotNull,
  kDimensions,
  kModifier,
  kTypeOid,
  kTypeName,
  kTypeKind,
  kElementName,
  kElementKind,
  kBaseName,
  kBaseKind,
  kBaseModifier,
  kEnumLabels,
  kComment,
  kDefault,
};

std::string lowered(std::string name) {
  for (char& c : name) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return name;
}

PostgresType type_at(const PostgresRows& rows, int row, Column name, Column kind, int modifier) {
  const std::string word = rows.text(row, kind);
  return {rows.text(row, name), word.empty() ? 'b' : word[0], modifier};
}

PostgresColumnType column_type(const PostgresRows& rows, int row) {
  const int modifier = static_cast<int>(rows.number(row, kModifier));
  PostgresColumnType type;
  type.type = type_at(rows, row, kTypeName, kTypeKind, modifier);
  type.dimensions = static_cast<int>(rows.number(row, kDimensions));
  if (!rows.is_null(row, kElementKind))
    type.element = type_at(rows, row, kElementName, kElementKind, modifier);
  if (!rows.is_null(row, kBaseKind)) {
    type.base =
        type_at(rows, row, kBaseName, kBaseKind, static_cast<int>(rows.number(row, kBaseModifier)));
  }
  return type;
}

/// The extension splits a scan by the pages it once saw: notice when a table has grown a lot.
int size_class(int64_t pages) {
  return pages < 1000 ? 0 : std::bit_width(static_cast<uint64_t>(pages));
}

/// A default as the expression says it; what only the server can evaluate is not a default here.
std::string shown_default(const std::string& expression) {
  return expression.starts_with("nextval(") ? "" : expression;
}

}  // namespace

std::vector<std::string> PostgresMetadata::schemas() {
  const auto rows = pool_.query("schemas", kSchemas);
  std::set<std::string> names;
  for (int i = 0; i < rows.count(); ++i) names.insert(lowered(rows.text(i, 0)));
  return {names.begin(), names.end()};
}

std::optional<std::string> PostgresMetadata::real_schema(const std::string& schema) {
  const auto rows = pool_.query("schema", kSchema, {schema});
  if (rows.count() == 0) return std::nullopt;
  return rows.text(0, 0);
}

bool PostgresMetadata::schema_exists(const std::string& schema) {
  return real_schema(schema).has_value();
}

std::vector<std::string> PostgresMetadata::tables(const std::string& schema) {
  const auto rows = pool_.query("tables", kTables, {schema});
  std::vector<std::string> names;
  for (int i = 0; i < rows.count(); ++i) names.push_back(rows.text(i, 0));
  return names;
}

std::optional<RemoteTable> PostgresMetadata::table(const std::string& schema,
                                                   const std::string& table) {
  static const std::string exact = columns_query(kExactTable, true);
  static const std::string any_case = columns_query(kOneTable, true);
  auto found = assemble(pool_.query("table", exact, {schema, table}));
  if (found.empty()) found = assemble(pool_.query("table_any_case", any_case, {schema, table}));
  if (found.empty()) return std::nullopt;
  return std::move(found.front());
}

std::vector<RemoteTable> PostgresMetadata::describe(const std::string& schema) {
  static const std::string query = columns_query(kAllTables, true);
  return assemble(pool_.query("describe", query, {schema}));
}

std::map<PostgresMetadata::Key, std::string> PostgresMetadata::fingerprints() {
  static const std::string query = columns_query(kOwnTables, false);
  std::map<Key, std::string> found;
  for (auto& table : assemble(pool_.query("fingerprints", query))) {
    found.emplace(Key{table.info.name.schema, table.info.name.table}, std::move(table.fingerprint));
  }
  return found;
}

std::vector<RemoteTable> PostgresMetadata::assemble(const PostgresRows& rows) const {
  std::vector<RemoteTable> found;
  std::set<std::string> seen;
  for (int row = 0; row < rows.count();) {
    const int64_t oid = rows.number(row, kOid);
    RemoteTable table;
    sql::TableInfo& info = table.info;
    info.name = {catalog_, lowered(rows.text(row, kSchemaName)),
                 lowered(rows.text(row, kTableName))};
    info.remote_schema = rows.text(row, kSchemaName);
    info.remote_table = rows.text(row, kTableName);
    info.comment = rows.text(row, kTableComment);
    const int64_t tuples = rows.number(row, kTuples);
    info.estimated_rows = tuples < 0 ? -1 : static_cast<double>(tuples);
    const std::string kind = rows.text(row, kTableKind);
    const bool has_children = rows.flag(row, kHasChildren);
    table.fingerprint = fmt::format("{}:{}", kind, size_class(rows.number(row, kPages)));
    std::vector<std::string> sources;
    std::set<std::string> columns;
    bool all_plain = true;
    for (; row < rows.count() && rows.number(row, kOid) == oid; ++row) {
      if (rows.is_null(row, kName)) continue;
      sql::ColumnInfo column;
      const std::string real = rows.text(row, kName);
      table.fingerprint += fmt::format("|{}:{}:{}:{}:{}:{}:{}", real, rows.number(row, kTypeOid),
                                       rows.number(row, kModifier), rows.number(row, kDimensions),
                                       rows.flag(row, kNotNull), rows.text(row, kEnumLabels),
                                       rows.number(row, kBaseModifier));
      column.name = lowered(real);
      auto mapped = map_postgres_type(column_type(rows, row));
      if (!mapped || !columns.insert(column.name).second) {
        all_plain = false;
        continue;
      }
      column.type = std::move(mapped->type);
      column.nullable = !rows.flag(row, kNotNull);
      column.comment = rows.text(row, kComment);
      column.default_value = shown_default(rows.text(row, kDefault));
      const std::string quoted = quote_ident(real);
      if (mapped->expression.empty()) {
        sources.push_back(quoted);
      } else {
        const auto at = mapped->expression.find("{}");
        sources.push_back(mapped->expression.substr(0, at) + quoted +
                          mapped->expression.substr(at + 2) + " AS " + quoted);
      }
      if (!mapped->expression.empty() || real != column.name) all_plain = false;
      table.real_columns.push_back(real);
      info.columns.push_back(std::move(column));
    }
    if (!seen.insert(info.name.schema + '\0' + info.name.table).second) continue;
    finish(table, kind, has_children, all_plain, sources);
    found.push_back(std::move(table));
  }
  return found;
}

void PostgresMetadata::finish(RemoteTable& table, const std::string& kind, bool has_children,
                              bool all_plain, const std::vector<std::string>& sources) const {
  sql::TableInfo& info = table.info;
  const std::string qualified = quote_ident(catalog_) + "." + quote_ident(info.remote_schema) +
                                "." + quote_ident(info.remote_table);
  info.duckdb_source = qualified;
  if (all_plain) {
    info.remote_database = catalog_;
  } else {
    std::string list;
    for (const auto& source : sources) list += (list.empty() ? "" : ", ") + source;
    if (!list.empty()) info.duckdb_source = "(SELECT " + list + " FROM " + qualified + ")";
  }
  if (!read_only_ && (kind == "r" || kind == "p" || kind == "f")) info.duckdb_target = qualified;
  // The extension finds rows again by ctid, which is unique only within one heap.
  info.insert_only = kind != "r" || has_children;
}

}  // namespace meesh::engine
