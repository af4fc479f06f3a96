#include "pipelines/sql_tables.h"

#include <fmt/format.h>

#include <algorithm>

#include "quality/parameters.h"
#include "sql/sql.h"
#include "sql/table_walk.h"

namespace meesh::pipelines {
namespace {

std::string lower(std::string text) {
  for (char& c : text) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return text;
}

class Collector {
 public:
  Collector(SqlTables& to, std::string file, std::string catalog, std::string schema)
      : to_(to),
        file_(std::move(file)),
        catalog_(std::move(catalog)),
        schema_(std::move(schema)),
        walk_({.table = [this](sql::TableRef& table) { add(table.name, to_.reads); }}) {}

  void statement(sql::Statement& statement);

 private:
  void add(const sql::Name& name, std::vector<TableUse>& to) const {
    if (name.empty() || name.size() > 3) return;
    std::string full = lower(name.back().value);
    const std::string schema = name.size() >= 2 ? name[name.size() - 2].value : schema_;
    const std::string catalog = name.size() == 3 ? name[0].value : catalog_;
    if (schema.empty() || catalog.empty()) return;
    full = fmt::format("{}.{}.{}", lower(catalog), lower(schema), full);
    if (std::ranges::any_of(to, [&](const TableUse& use) { return use.table == full; })) return;
    to.push_back({full, {name[0].pos.line, name[0].pos.column, file_}});
  }

  SqlTables& to_;
  const std::string file_, catalog_, schema_;
  sql::TableWalk walk_;
};

void Collector::statement(sql::Statement& statement) {
  using sql::as;
  using sql::StatementKind;
  const auto inner = [&](sql::QueryPtr& query) {
    if (query) walk_.query(*query);
  };
  switch (statement.kind) {
    case StatementKind::kQuery:
      return inner(as<sql::QueryStatement>(statement).query);
    case StatementKind::kInsert:
      add(as<sql::Insert>(statement).table->name, to_.writes);
      return inner(as<sql::Insert>(statement).query);
    case StatementKind::kDelete:
      add(as<sql::Delete>(statement).table->name, to_.writes);
      return walk_.expression(as<sql::Delete>(statement).where);
    case StatementKind::kUpdate:
      add(as<sql::Update>(statement).table->name, to_.writes);
      for (auto& [column, value] : as<sql::Update>(statement).assignments) walk_.expression(value);
      return walk_.expression(as<sql::Update>(statement).where);
    case StatementKind::kMerge:
      add(as<sql::Merge>(statement).table->name, to_.writes);
      walk_.relation(*as<sql::Merge>(statement).source);
      return walk_.expression(as<sql::Merge>(statement).on);
    case StatementKind::kCreateTableAs:
      add(as<sql::CreateTableAs>(statement).name, to_.writes);
      return inner(as<sql::CreateTableAs>(statement).query);
    case StatementKind::kCreateView:
      add(as<sql::CreateView>(statement).name, to_.writes);
      return inner(as<sql::CreateView>(statement).query);
    case StatementKind::kCreateTable:
      return add(as<sql::CreateTable>(statement).name, to_.writes);
    case StatementKind::kRefreshMaterializedView:
      return add(as<sql::RefreshMaterializedView>(statement).name, to_.writes);
    case StatementKind::kAlterTable:
      return add(as<sql::AlterTable>(statement).name, to_.writes);
    case StatementKind::kTruncate:
      return add(as<sql::Truncate>(statement).table, to_.writes);
    default:
      return;
  }
}

}  // namespace

SqlTables tables_in(const std::string& text, const std::string& file, const std::string& catalog,
                    const std::string& schema) {
  SqlTables found;
  try {
    const auto statement = sql::parse(quality::without_parameters(text));
    Collector(found, file, catalog, schema).statement(*statement);
  } catch (Error& error) {
    throw error.at(file, error.location().line, error.location().column);
  }
  return found;
}

SqlTables tables_at(const std::string& sql, const Location& where) {
  try {
    SqlTables tables = tables_in(sql, where.file, "", "");
    for (auto* uses : {&tables.reads, &tables.writes}) {
      for (TableUse& use : *uses) use.where = where;
    }
    return tables;
  } catch (Error& error) {
    throw error.at(where.file, where.line, where.column);
  }
}

}  // namespace meesh::pipelines
