#include "pipelines/sql_tables.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "quality/parameters.h"
#include "sql/resolve_walk.h"
#include "sql/sql.h"

namespace meesh::pipelines {
namespace {

using sql::Expr;
using sql::ExprPtr;
using sql::Query;
using sql::QueryBody;
using sql::Relation;

std::string lower(std::string text) {
  for (char& c : text) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return text;
}

class Collector {
 public:
  Collector(SqlTables& to, std::string file, std::string catalog, std::string schema)
      : to_(to), file_(std::move(file)), catalog_(std::move(catalog)), schema_(std::move(schema)) {}

  void statement(sql::Statement& statement);

 private:
  using Scope = std::set<std::string>;  // names of queries

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

  void query(Query& query, Scope scope) {
    for (auto& named : query.with) {
      const std::string name = lower(named.name.value);
      Scope inner = scope;
      if (query.recursive) inner.insert(name);
      this->query(*named.query, inner);
      scope.insert(name);
    }
    body(*query.body, scope);
    for (auto& item : query.order_by) expression(item.key, scope);
    expression(query.limit, scope);
    expression(query.offset, scope);
  }

  void body(QueryBody& body, const Scope& scope) {
    switch (body.kind) {
      case sql::QueryBodyKind::kSelect:
        return select(sql::as<sql::Select>(body), scope);
      case sql::QueryBodyKind::kSetOperation:
        this->body(*sql::as<sql::SetOperation>(body).left, scope);
        return this->body(*sql::as<sql::SetOperation>(body).right, scope);
      case sql::QueryBodyKind::kValues:
        for (auto& row : sql::as<sql::Values>(body).rows) expression(row, scope);
        return;
      case sql::QueryBodyKind::kTable:
        return relation(*sql::as<sql::TableBody>(body).table, scope);
      case sql::QueryBodyKind::kQuery:
        return query(*sql::as<sql::QueryInParens>(body).query, scope);
    }
  }

  void select(sql::Select& select, const Scope& scope) {
    if (select.from) relation(*select.from, scope);
    for (auto& item : select.items) expression(item.value, scope);
    expression(select.where, scope);
    if (select.group_by) {
      for (auto& element : select.group_by->elements) {
        for (auto& set : element.sets) {
          for (auto& key : set) expression(key, scope);
        }
      }
    }
    expression(select.having, scope);
    for (auto& window : select.windows) {
      for (auto& key : window.spec.partition_by) expression(key, scope);
      for (auto& item : window.spec.order_by) expression(item.key, scope);
    }
  }

  void relation(Relation& relation, const Scope& scope) {
    switch (relation.kind) {
      case sql::RelationKind::kTable: {
        const auto& name = sql::as<sql::TableRef>(relation).name;
        if (name.size() == 1 && scope.contains(lower(name[0].value))) return;
        return add(name, to_.reads);
      }
      case sql::RelationKind::kAliased:
        return this->relation(*sql::as<sql::AliasedRelation>(relation).relation, scope);
      case sql::RelationKind::kJoin: {
        auto& join = sql::as<sql::Join>(relation);
        this->relation(*join.left, scope);
        this->relation(*join.right, scope);
        return expression(join.on, scope);
      }
      case sql::RelationKind::kSubquery:
        return query(*sql::as<sql::SubqueryRelation>(relation).query, scope);
      case sql::RelationKind::kLateral:
        return query(*sql::as<sql::Lateral>(relation).query, scope);
      case sql::RelationKind::kUnnest:
        for (auto& item : sql::as<sql::Unnest>(relation).items) expression(item, scope);
        return;
      case sql::RelationKind::kTableFunction:
        for (auto& argument : sql::as<sql::TableFunction>(relation).args) {
          expression(argument.value, scope);
          if (argument.table) this->relation(*argument.table, scope);
        }
        return;
      case sql::RelationKind::kSampled:
        return this->relation(*sql::as<sql::Sampled>(relation).relation, scope);
      case sql::RelationKind::kMatchRecognize:
        return this->relation(*sql::as<sql::MatchRecognize>(relation).input, scope);
      case sql::RelationKind::kJsonTable:
        return;
    }
  }

  void expression(ExprPtr& expr, const Scope& scope) {
    if (!expr) return;
    sql::for_each_child(
        *expr, [&](ExprPtr& child) { expression(child, scope); },
        [&](Query& inner) { query(inner, scope); });
  }

  SqlTables& to_;
  const std::string file_, catalog_, schema_;
};

void Collector::statement(sql::Statement& statement) {
  using sql::as;
  using sql::StatementKind;
  const auto inner = [&](sql::QueryPtr& query) {
    if (query) this->query(*query, {});
  };
  switch (statement.kind) {
    case StatementKind::kQuery:
      return inner(as<sql::QueryStatement>(statement).query);
    case StatementKind::kInsert:
      add(as<sql::Insert>(statement).table->name, to_.writes);
      return inner(as<sql::Insert>(statement).query);
    case StatementKind::kDelete:
      add(as<sql::Delete>(statement).table->name, to_.writes);
      return expression(as<sql::Delete>(statement).where, {});
    case StatementKind::kUpdate:
      add(as<sql::Update>(statement).table->name, to_.writes);
      for (auto& [column, value] : as<sql::Update>(statement).assignments) expression(value, {});
      return expression(as<sql::Update>(statement).where, {});
    case StatementKind::kMerge:
      add(as<sql::Merge>(statement).table->name, to_.writes);
      relation(*as<sql::Merge>(statement).source, {});
      return expression(as<sql::Merge>(statement).on, {});
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
