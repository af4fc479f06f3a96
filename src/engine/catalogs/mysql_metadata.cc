#include "engine/catalogs/mysql_metadata.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <set>

namespace meesh::engine {
namespace {

constexpr size_t kMostIdle = 4;
constexpr const char* kOwnSchemas =
    "('information_schema', 'performance_schema', 'mysql', 'sys', 'ndbinfo')";

using Row = MysqlConnection::Row;

std::string lowered(std::string name) {
  for (char& c : name) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return name;
}

std::string text(const Row& row, size_t at) { return row.at(at).value_or(""); }

int64_t number(const Row& row, size_t at) {
  return row.at(at) ? std::strtoll(row[at]->c_str(), nullptr, 10) : -1;
}

enum ColumnField {
  kSchema,
  kTable,
  kName,
  kDataType,
  kColumnType,
  kCharset,
  kLength,
  kPrecision,
  kScale,
  kFraction,
  kNullable,
  kDefault,
  kComment,
  kJsonCheck,
};

constexpr const char* kColumns =
    "SELECT c.table_schema, c.table_name, c.column_name, lower(c.data_type), c.column_type, "
    "c.character_set_name, c.character_maximum_length, c.numeric_precision, c.numeric_scale, "
    "c.datetime_precision, c.is_nullable, c.column_default, c.column_comment, {} FROM "
    "information_schema.columns c {} WHERE {} ORDER BY c.table_schema, c.table_name, "
    "c.ordinal_position";

/// MariaDB's JSON is a longtext with a check of the column's name.
constexpr const char* kJsonChecks =
    "LEFT JOIN information_schema.check_constraints k ON k.constraint_schema = c.table_schema AND "
    "k.table_name = c.table_name AND k.constraint_name = c.column_name AND k.check_clause IN "
    "(concat('json_valid(`', c.column_name, '`)'), concat('json_valid(\"', c.column_name, '\")'))";

MysqlColumn column_of(const Row& row, bool& readable) {
  MysqlColumn column;
  column.real_name = text(row, kName);
  column.name = lowered(column.real_name);
  column.data_type = text(row, kDataType);
  column.shown = text(row, kColumnType);
  column.charset = text(row, kCharset);
  column.nullable = text(row, kNullable) == "YES";
  column.default_value = text(row, kDefault) == "NULL" ? "" : text(row, kDefault);
  column.comment = text(row, kComment);
  MysqlTypeFacts facts{number(row, kLength), number(row, kPrecision), number(row, kScale),
                       number(row, kFraction), row.at(kJsonCheck).has_value()};
  readable = set_mysql_type(column, facts);
  return column;
}

}  // namespace

std::unique_ptr<MysqlConnection> MysqlMetadata::take() {
  std::lock_guard lock(mutex_);
  if (idle_.empty()) return nullptr;
  auto connection = std::move(idle_.back());
  idle_.pop_back();
  return connection;
}

void MysqlMetadata::give_back(std::unique_ptr<MysqlConnection> connection) {
  std::lock_guard lock(mutex_);
  if (idle_.size() < kMostIdle) idle_.push_back(std::move(connection));
}

std::vector<Row> MysqlMetadata::read(const std::string& sql) {
  while (auto kept = take()) {
    std::optional<std::vector<Row>> rows;
    try {
      rows = kept->query(sql);
    } catch (const Error&) {
      continue;  // dead, most likely; a connection that was just made tells for certain
    }
    give_back(std::move(kept));
    return std::move(*rows);
  }
  return run(sql);
}

std::vector<Row> MysqlMetadata::run(const std::string& sql) {
  auto connection = std::make_unique<MysqlConnection>(options_);
  auto rows = connection->query(sql);
  give_back(std::move(connection));
  return rows;
}

bool MysqlMetadata::is_mariadb() { return version().find("MariaDB") != std::string::npos; }
std::string MysqlMetadata::version() { return text(read("SELECT version()").at(0), 0); }

std::string MysqlMetadata::shown_schemas(const std::string& column) const {
  if (!options_.database.empty()) return column + " = " + mysql_text(options_.database);
  return column + " NOT IN " + kOwnSchemas;
}

std::vector<std::string> MysqlMetadata::schemas() {
  std::set<std::string> names;
  for (const auto& row : read("SELECT schema_name FROM information_schema.schemata s WHERE " +
                              shown_schemas("s.schema_name")))
    names.insert(lowered(text(row, 0)));
  return {names.begin(), names.end()};
}

std::optional<std::string> MysqlMetadata::real_schema(const std::string& schema) {
  const auto rows = read(fmt::format(
      "SELECT schema_name FROM information_schema.schemata s WHERE {} AND lower(schema_name) = {} "
      "ORDER BY schema_name = {} DESC, schema_name LIMIT 1",
      shown_schemas("s.schema_name"), mysql_text(schema), mysql_text(schema)));
  if (rows.empty()) return std::nullopt;
  return text(rows[0], 0);
}

std::vector<std::string> MysqlMetadata::tables(const std::string& schema) {
  std::set<std::string> names;
  for (const auto& row : read(fmt::format(
           "SELECT table_name FROM information_schema.tables t WHERE {} AND lower(table_schema) = "
           "{} AND table_type IN ('BASE TABLE', 'VIEW', 'SYSTEM VERSIONED')",
           shown_schemas("t.table_schema"), mysql_text(schema))))
    names.insert(lowered(text(row, 0)));
  return {names.begin(), names.end()};
}

std::optional<MysqlTable> MysqlMetadata::table(const std::string& schema,
                                               const std::string& table) {
  auto found = find(schema, table, true);
  if (found.empty()) found = find(schema, table, false);
  if (found.empty()) return std::nullopt;
  return std::move(found.front());
}

std::vector<MysqlTable> MysqlMetadata::find(const std::string& schema, const std::string& table,
                                            bool exact) {
  const auto where = [&](const std::string& alias) {
    const auto is = [&](const char* column, const std::string& value) {
      if (value.empty()) return std::string();
      return fmt::format(fmt::runtime(exact ? " AND {}.{} = {}" : " AND lower({}.{}) = {}"), alias,
                         column, mysql_text(value));
    };
    return shown_schemas(alias + ".table_schema") + is("table_schema", schema) +
           is("table_name", table);
  };
  std::map<std::pair<std::string, std::string>, MysqlTable> tables;
  for (const auto& row :
       read("SELECT t.table_schema, t.table_name, t.table_type, t.table_rows, t.table_comment, "
            "t.create_time FROM information_schema.tables t WHERE t.table_type IN ('BASE TABLE', "
            "'VIEW', 'SYSTEM VERSIONED') AND " +
            where("t"))) {
    MysqlTable& found = tables[{text(row, 0), text(row, 1)}];
    found.real_schema = text(row, 0);
    found.real_table = text(row, 1);
    found.schema = lowered(found.real_schema);
    found.table = lowered(found.real_table);
    found.is_view = text(row, 2) == "VIEW";
    found.rows = found.is_view || !row[3] ? -1 : static_cast<double>(number(row, 3));
    found.comment = found.is_view ? "" : text(row, 4);
    found.made = text(row, 5);
  }
  read_columns(tables, where("c"));
  for (const auto& row :
       read("SELECT c.table_schema, c.table_name, c.column_name FROM "
            "information_schema.key_column_usage c WHERE c.constraint_name = 'PRIMARY' AND " +
            where("c") + " ORDER BY c.table_schema, c.table_name, c.ordinal_position")) {
    const auto at = tables.find({text(row, 0), text(row, 1)});
    if (at != tables.end()) at->second.key.push_back(lowered(text(row, 2)));
  }
  std::vector<MysqlTable> all;
  std::set<std::pair<std::string, std::string>> seen;
  for (auto& [name, found] : tables)
    if (seen.insert({found.schema, found.table}).second) all.push_back(std::move(found));
  return all;
}

void MysqlMetadata::read_columns(std::map<std::pair<std::string, std::string>, MysqlTable>& tables,
                                 const std::string& where) {
  const bool checks = is_mariadb();
  const auto rows = read(fmt::format(fmt::runtime(kColumns), checks ? "k.check_clause" : "NULL",
                                     checks ? kJsonChecks : "", where));
  for (const auto& row : rows) {
    const auto at = tables.find({text(row, kSchema), text(row, kTable)});
    if (at == tables.end()) continue;
    bool readable = false;
    auto column = column_of(row, readable);
    column.ordinal = at->second.column_count++;
    const bool twice = std::ranges::count(at->second.columns, column.name, &MysqlColumn::name) > 0;
    if (readable && !twice)
      at->second.columns.push_back(std::move(column));
    else
      at->second.unread.push_back(fmt::format("{} of type {}", column.name, column.shown));
  }
}

}  // namespace meesh::engine
