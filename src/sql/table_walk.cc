#include "sql/table_walk.h"

#include "sql/resolve_walk.h"

namespace meesh::sql {
namespace {

std::string lower(std::string text) {
  for (char& c : text)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return text;
}

}  // namespace

void TableWalk::query(Query& query, Scope scope) {
  if (hooks_.query) hooks_.query(query);
  for (auto& named : query.with) {
    const std::string name = lower(named.name.value);
    Scope inner = scope;
    if (query.recursive) inner.insert(name);
    this->query(*named.query, std::move(inner));
    scope.insert(name);
  }
  body(*query.body, scope);
  for (auto& item : query.order_by) expression(item.key, scope);
  expression(query.limit, scope);
  expression(query.offset, scope);
}

void TableWalk::body(QueryBody& body, const Scope& scope) {
  switch (body.kind) {
    case QueryBodyKind::kSelect:
      return select(as<Select>(body), scope);
    case QueryBodyKind::kSetOperation:
      this->body(*as<SetOperation>(body).left, scope);
      return this->body(*as<SetOperation>(body).right, scope);
    case QueryBodyKind::kValues:
      for (auto& row : as<Values>(body).rows) expression(row, scope);
      return;
    case QueryBodyKind::kTable:
      return relation(*as<TableBody>(body).table, scope);
    case QueryBodyKind::kQuery:
      return query(*as<QueryInParens>(body).query, scope);
  }
}

void TableWalk::select(Select& select, const Scope& scope) {
  if (select.from) relation(*select.from, scope);
  for (auto& item : select.items) expression(item.value, scope);
  expression(select.where, scope);
  if (select.group_by)
    for (auto& element : select.group_by->elements)
      for (auto& set : element.sets)
        for (auto& key : set) expression(key, scope);
  expression(select.having, scope);
  for (auto& window : select.windows) {
    for (auto& key : window.spec.partition_by) expression(key, scope);
    for (auto& item : window.spec.order_by) expression(item.key, scope);
  }
}

void TableWalk::relation(Relation& relation, const Scope& scope) {
  const auto made = [&] {
    if (hooks_.made) hooks_.made(relation);
  };
  switch (relation.kind) {
    case RelationKind::kTable: {
      auto& table = as<TableRef>(relation);
      if (table.name.size() == 1 && scope.contains(lower(table.name[0].value))) return;
      expression(table.version, scope);
      return hooks_.table(table);
    }
    case RelationKind::kAliased:
      return this->relation(*as<AliasedRelation>(relation).relation, scope);
    case RelationKind::kJoin: {
      auto& join = as<Join>(relation);
      this->relation(*join.left, scope);
      this->relation(*join.right, scope);
      return expression(join.on, scope);
    }
    case RelationKind::kSubquery:
      return query(*as<SubqueryRelation>(relation).query, scope);
    case RelationKind::kLateral:
      return query(*as<Lateral>(relation).query, scope);
    case RelationKind::kUnnest:
      for (auto& item : as<Unnest>(relation).items) expression(item, scope);
      return;
    case RelationKind::kTableFunction:
      made();
      for (auto& argument : as<TableFunction>(relation).args) {
        expression(argument.value, scope);
        if (argument.table) this->relation(*argument.table, scope);
      }
      return;
    case RelationKind::kSampled:
      made();
      return this->relation(*as<Sampled>(relation).relation, scope);
    case RelationKind::kMatchRecognize:
      made();
      return this->relation(*as<MatchRecognize>(relation).input, scope);
    case RelationKind::kJsonTable:
      return made();
  }
}

void TableWalk::expression(ExprPtr& expr, const Scope& scope) {
  if (!expr) return;
  if (hooks_.expression) hooks_.expression(*expr);
  for_each_child(
      *expr, [&](ExprPtr& child) { expression(child, scope); },
      [&](Query& inner) { query(inner, scope); });
}

}  // namespace meesh::sql
