#include "engine/catalogs/postgres_ddl.h"

#include <algorithm>

#include "base/error.h"
#include "engine/catalogs/postgres_types.h"
#include "engine/duck.h"
#include "sql/sql.h"

namespace meesh::engine {
namespace {

using sql::AlterTable;
using sql::CreateTable;
using sql::StatementKind;
using Action = sql::AlterTable::Action;

std::string lowered(std::string name) {
  for (char& c : name) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return name;
}

std::string type_text(const sql::TypeNode& node) { return postgres_type_name(sql::to_type(node)); }

std::string column_text(const sql::ColumnDefinition& column) {
  std::string text = quote_ident(lowered(column.name.back().value)) + " " + type_text(*column.type);
  if (column.default_value) text += " DEFAULT " + sql::print_trino(*column.default_value);
  if (column.not_null) text += " NOT NULL";
  return text;
}

std::string comment_text(const std::string& table, const sql::ColumnDefinition& column) {
  if (!column.comment) return "";
  return "; COMMENT ON COLUMN " + table + "." + quote_ident(lowered(column.name.back().value)) +
         " IS " + quote_string(*column.comment);
}

std::string create_table(const CreateTable& create, const std::string& table) {
  std::string text = create.or_replace ? "DROP TABLE IF EXISTS " + table + "; " : "";
  text +=
      "CREATE TABLE " + std::string(create.if_not_exists ? "IF NOT EXISTS " : "") + table + " (";
  std::string comments;
  for (size_t i = 0; i < create.elements.size(); ++i) {
    const auto& column = *create.elements[i].column;
    text += (i ? ", " : "") + column_text(column);
    comments += comment_text(table, column);
  }
  text += ")";
  // IF NOT EXISTS may have found another table: its comments stay.
  if (create.if_not_exists) return text;
  if (create.comment)
    text += "; COMMENT ON TABLE " + table + " IS " + quote_string(*create.comment);
  return text + comments;
}

std::string alter_table(const AlterTable& alter, const std::string& table,
                        const PostgresTarget& target) {
  const std::string start =
      "ALTER TABLE " + std::string(alter.if_exists ? "IF EXISTS " : "") + table;
  if (alter.action == Action::kAddColumn) {
    return start + " ADD COLUMN " + (alter.column_if_not_exists ? "IF NOT EXISTS " : "") +
           column_text(*alter.column) +
           (alter.column_if_not_exists ? "" : comment_text(table, *alter.column));
  }
  const std::string name = lowered(alter.column_name.back().value);
  const auto real = target.columns.find(name);
  const std::string column = quote_ident(real == target.columns.end() ? name : real->second);
  const std::string change = start + " ALTER COLUMN " + column;
  switch (alter.action) {
    case Action::kSetType: {
      const std::string type = type_text(*alter.type);
      return change + " TYPE " + type + " USING " + column + "::" + type;
    }
    case Action::kSetDefault:
      return change + " SET DEFAULT " + sql::print_trino(*alter.value);
    case Action::kDropDefault:
      return change + " DROP DEFAULT";
    case Action::kDropNotNull:
      return change + " DROP NOT NULL";
    default:
      internal_error("postgres_definition of a statement it does not define");
  }
}

}  // namespace

bool postgres_defines(const sql::Statement& statement) {
  if (const auto* create = sql::try_as<const CreateTable>(&statement)) {
    return std::all_of(create->elements.begin(), create->elements.end(),
                       [](const auto& element) { return element.column.has_value(); });
  }
  if (const auto* alter = sql::try_as<const AlterTable>(&statement)) {
    switch (alter->action) {
      case Action::kAddColumn:
        return alter->column && alter->column->name.size() == 1;
      case Action::kSetType:
      case Action::kSetDefault:
      case Action::kDropDefault:
      case Action::kDropNotNull:
        return alter->column_name.size() == 1;
      default:
        return false;
    }
  }
  return false;
}

std::string postgres_definition(const sql::Statement& statement, const PostgresTarget& target) {
  const std::string table = quote_ident(target.schema) + "." + quote_ident(target.table);
  if (const auto* create = sql::try_as<const CreateTable>(&statement))
    return create_table(*create, table);
  return alter_table(sql::as<const AlterTable>(statement), table, target);
}

std::string postgres_creation(const sql::TableInfo& table, const PostgresTarget& target) {
  const std::string name = quote_ident(target.schema) + "." + quote_ident(target.table);
  std::string text = "CREATE TABLE " + name + " (", comments;
  for (size_t i = 0; i < table.columns.size(); ++i) {
    const auto& column = table.columns[i];
    text += (i ? ", " : "") + quote_ident(column.name) + " " + postgres_type_name(column.type) +
            (column.nullable ? "" : " NOT NULL");
    if (!column.comment.empty()) {
      comments += "; COMMENT ON COLUMN " + name + "." + quote_ident(column.name) + " IS " +
                  quote_string(column.comment);
    }
  }
  text += ")";
  if (!table.comment.empty())
    text += "; COMMENT ON TABLE " + name + " IS " + quote_string(table.comment);
  return text + comments;
}

}  // namespace meesh::engine
