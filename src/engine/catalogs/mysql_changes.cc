#include "engine/catalogs/mysql_changes.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "base/text.h"
#include "duckdb.hpp"
#include "engine/duck_types.h"
#include "engine/statement_runner.h"

namespace meesh::engine {
namespace {

using duckdb::LogicalTypeId;
using sql::as;
using sql::StatementKind;
using Action = sql::AlterTable::Action;

constexpr size_t kBytesOfInsert = 900000;  // a packet may have a megabyte at least

Location at(const sql::Position& position) { return {position.line, position.column, {}}; }

[[noreturn]] void unsupported(const std::string& what, const sql::Position& position) {
  throw Error(Code::kNotSupported, what, at(position));
}

std::string quoted(const MysqlTable& table) {
  return mysql_name(table.real_schema) + "." + mysql_name(table.real_table);
}

/// A value as MySQL reads it.
std::string literal(const duckdb::Value& value) {
  if (value.IsNull()) return "NULL";
  switch (value.type().id()) {
    case LogicalTypeId::BOOLEAN:
      return value.GetValueUnsafe<bool>() ? "1" : "0";
    case LogicalTypeId::BLOB: {
      const auto& bytes = duckdb::StringValue::Get(value);
      return bytes.empty() ? "''" : "0x" + base::to_hex(bytes);
    }
    case LogicalTypeId::TIMESTAMP_TZ:
      // The connection's time is UTC.
      return mysql_text(duckdb::Timestamp::ToString(value.GetValueUnsafe<duckdb::timestamp_t>()));
    case LogicalTypeId::FLOAT:
    case LogicalTypeId::DOUBLE: {
      const std::string text = value.ToString();
      if (text.find_first_of("in") == std::string::npos) return text;
      throw Error(Code::kNotSupported, "MySQL has no " + text);
    }
    default:
      return value.type().IsNumeric() ? value.ToString() : mysql_text(value.ToString());
  }
}

std::string column_text(const sql::ColumnInfo& column) {
  std::string text = mysql_name(lower_case(column.name)) + " " + mysql_type_name(column.type);
  if (!column.nullable) text += " NOT NULL";
  if (!column.comment.empty()) text += " COMMENT " + mysql_text(column.comment);
  return text;
}

}  // namespace

std::string MysqlChange::schema() const {
  const auto real = metadata_.real_schema(name().schema);
  if (!real) throw Error(Code::kSchemaNotFound, "Schema '" + name().schema + "' does not exist");
  return mysql_name(*real);
}

std::optional<MysqlTable> MysqlChange::found() const {
  return metadata_.table(name().schema, name().table);
}

MysqlTable MysqlChange::table() const {
  auto there = found();
  if (!there) throw Error(Code::kTableNotFound, "Table '" + name().display() + "' does not exist");
  return std::move(*there);
}

std::optional<int64_t> MysqlChange::run() {
  auto& statement = change_.statement;
  switch (statement.kind) {
    case StatementKind::kCreateSchema:
      metadata_.run("CREATE DATABASE IF NOT EXISTS " + mysql_name(name().schema));
      return std::nullopt;
    case StatementKind::kDropSchema:
      if (!metadata_.real_schema(name().schema)) return std::nullopt;
      if (!as<sql::DropSchema>(statement).cascade && !metadata_.tables(name().schema).empty()) {
        throw Error(Code::kSchemaNotEmpty, "Cannot drop non-empty schema '" + name().schema + "'",
                    at(statement.pos));
      }
      metadata_.run("DROP DATABASE " + schema());
      return std::nullopt;
    case StatementKind::kCreateTable:
      create_table(as<sql::CreateTable>(statement));
      return std::nullopt;
    case StatementKind::kCreateTableAs:
      return create_table_as(as<sql::CreateTableAs>(statement));
    case StatementKind::kDropTable:
      if (const auto there = found()) metadata_.run("DROP TABLE " + quoted(*there));
      return std::nullopt;
    case StatementKind::kAlterTable:
      alter_table(as<sql::AlterTable>(statement));
      return std::nullopt;
    case StatementKind::kTruncate:
      metadata_.run("TRUNCATE TABLE " + quoted(table()));
      return std::nullopt;
    case StatementKind::kInsert:
      return insert(as<sql::Insert>(statement));
    default:
      throw Error(Code::kNotSupported,
                  "Rows of a MySQL catalog can be added, not changed or deleted one by one",
                  at(statement.pos))
          .with_hint("change them with a client of MySQL");
  }
}

std::string MysqlChange::made(const std::vector<sql::ColumnInfo>& columns,
                              const std::optional<std::string>& comment) const {
  std::vector<std::string> texts;
  for (const auto& column : columns) texts.push_back(column_text(column));
  return fmt::format("CREATE TABLE {}.{} ({}) CHARACTER SET utf8mb4{}", schema(),
                     mysql_name(name().table), fmt::join(texts, ", "),
                     comment ? " COMMENT = " + mysql_text(*comment) : "");
}

void MysqlChange::create_table(const sql::CreateTable& create) {
  if (create.or_replace)
    unsupported("This connector does not support replacing tables", create.pos);
  if (create.if_not_exists && found()) return;
  for (const auto& element : create.elements) {
    if (element.column && element.column->default_value)
      unsupported("This connector does not support default values", element.column->pos);
  }
  metadata_.run(made(change_.analysis.writes.front().columns, create.comment));
}

int64_t MysqlChange::create_table_as(sql::CreateTableAs& create) {
  if (create.or_replace)
    unsupported("This connector does not support replacing tables", create.pos);
  if (found()) {
    if (create.if_not_exists) return 0;
    throw Error(Code::kTableAlreadyExists, "Table '" + name().display() + "' already exists",
                at(create.pos));
  }
  sql::QueryStatement query;
  query.query = std::move(create.query);
  auto columns = change_.columns_of(query);
  for (size_t i = 0; i < columns.size() && i < create.columns.size(); ++i)
    columns[i].name = create.columns[i].value;
  const auto printed = sql::print_duckdb(query);
  create.query = std::move(query.query);
  metadata_.run(made(columns, create.comment));
  if (!create.with_data) return 0;
  std::vector<std::string> names;
  for (const auto& column : columns) names.push_back(lower_case(column.name));
  try {
    return add_rows(schema() + "." + mysql_name(name().table), names, printed);
  } catch (...) {
    metadata_.run("DROP TABLE " + schema() + "." + mysql_name(name().table));
    throw;
  }
}

void MysqlChange::alter_table(const sql::AlterTable& alter) {
  const auto there = found();
  if (!there) return;  // IF EXISTS, or the resolver had refused it
  const std::string start = "ALTER TABLE " + quoted(*there);
  const auto real = [&](const sql::Ident& column) {
    const auto at = std::ranges::find(there->columns, lower_case(column.value), &MysqlColumn::name);
    return at == there->columns.end() ? column.value : at->real_name;
  };
  switch (alter.action) {
    case Action::kRename:
      metadata_.run(start + " RENAME TO " + schema() + "." +
                    mysql_name(lower_case(alter.target.back().value)));
      return;
    case Action::kAddColumn: {
      const auto& column = *alter.column;
      if (column.default_value)
        unsupported("This connector does not support default values", column.pos);
      sql::ColumnInfo added;
      added.name = lower_case(column.name.back().value);
      added.type = sql::to_type(*column.type);
      added.nullable = !column.not_null;
      added.comment = column.comment.value_or("");
      if (alter.column_if_not_exists &&
          std::ranges::count(there->columns, added.name, &MysqlColumn::name) > 0)
        return;
      metadata_.run(start + " ADD COLUMN " + column_text(added));
      return;
    }
    case Action::kDropColumn:
      metadata_.run(start + " DROP COLUMN " + mysql_name(real(alter.column_name.back())));
      return;
    case Action::kRenameColumn:
      metadata_.run(start + " RENAME COLUMN " + mysql_name(real(alter.column_name.back())) +
                    " TO " + mysql_name(lower_case(alter.new_name->value)));
      return;
    default:
      unsupported("This connector does not support this change of a table", alter.pos);
  }
}

int64_t MysqlChange::insert(sql::Insert& insert) {
  const auto there = table();
  sql::QueryStatement query;
  query.query = std::move(insert.query);
  const sql::Printed printed = sql::print_duckdb(query);
  insert.query = std::move(query.query);
  std::vector<std::string> names;
  for (const auto& named : insert.columns) {
    const auto at = std::ranges::find(there.columns, lower_case(named.value), &MysqlColumn::name);
    names.push_back(at == there.columns.end() ? named.value : at->real_name);
  }
  return add_rows(quoted(there), names, printed);
}

int64_t MysqlChange::add_rows(const std::string& table, const std::vector<std::string>& columns,
                              const sql::Printed& query) {
  const auto rows = change_.run(query);
  std::vector<std::string> names;
  for (const auto& column : columns) names.push_back(mysql_name(column));
  const std::string start =
      fmt::format("INSERT INTO {} ({}) VALUES ", table, fmt::join(names, ", "));
  MysqlConnection connection(metadata_.options());
  connection.query("START TRANSACTION");
  std::string text;
  int64_t count = 0;
  const auto send = [&] {
    if (!text.empty()) connection.query(start + text);
    text.clear();
  };
  for (auto& row : rows->Collection().GetRows()) {
    std::string values;
    for (duckdb::idx_t i = 0; i < columns.size(); ++i)
      values += (i ? ", " : "") + literal(row.GetValue(i));
    text += (text.empty() ? "(" : ", (") + values + ")";
    ++count;
    if (text.size() > kBytesOfInsert) send();
  }
  send();
  connection.query("COMMIT");
  return count;
}

}  // namespace meesh::engine
