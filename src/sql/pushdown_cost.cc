#include "sql/pushdown_cost.h"

#include <set>
#include <string>
#include <vector>

#include "sql/resolve_walk.h"
#include "sql/resolver.h"

namespace meesh::sql {
namespace {

constexpr double kLargeTable = 100'000;

/// Relations that a conjunct of the WHERE clause compares with a constant for equality.
void pinned(const Expr& e, std::set<std::string>& relations) {
  if (e.kind == ExprKind::kLogical && as<Logical>(e).is_and) {
    for (const auto& term : as<Logical>(e).terms) pinned(*term, relations);
    return;
  }
  const auto constant = [](const Expr& value) {
    return value.kind == ExprKind::kInteger || value.kind == ExprKind::kString ||
           value.kind == ExprKind::kDecimal || value.kind == ExprKind::kTyped;
  };
  const auto pin = [&](const Expr& value) {
    // A boolean splits a table in two; that is no selective filter.
    const auto* ref = try_as<const ColumnRef>(&value);
    if (ref && ref->type && ref->type->kind != TypeKind::kBoolean) relations.insert(ref->relation);
  };
  if (e.kind == ExprKind::kComparison && as<Comparison>(e).op == ComparisonOp::kEq) {
    const auto& c = as<Comparison>(e);
    if (constant(*c.right)) pin(*c.left);
    if (constant(*c.left)) pin(*c.right);
  }
  if (e.kind == ExprKind::kIn && !as<In>(e).negated && as<In>(e).list.size() <= 100) {
    bool all = true;
    for (const auto& item : as<In>(e).list) all = all && constant(*item);
    if (all) pin(*as<In>(e).value);
  }
}

struct Sources {
  int tables = 0;
  bool subqueries = false;
  std::vector<std::string> large;  // relations of many, or unknown, rows
};

/// False for relations that are not pushed anyway.
bool collect(const Relation& relation, Sources& sources) {
  switch (relation.kind) {
    case RelationKind::kJoin:
      return collect(*as<Join>(relation).left, sources) &&
             collect(*as<Join>(relation).right, sources);
    case RelationKind::kTable: {
      const auto& table = as<TableRef>(relation);
      ++sources.tables;
      const double rows = table.resolved ? table.resolved->estimated_rows : -1;
      if (rows < 0 || rows > kLargeTable) sources.large.push_back(table.alias);
      return true;
    }
    case RelationKind::kAliased: {
      sources.subqueries = true;
      const auto* sub =
          try_as<const SubqueryRelation>(as<AliasedRelation>(relation).relation.get());
      const auto* select = sub ? try_as<const Select>(sub->query->body.get()) : nullptr;
      return select && select->from && collect(*select->from, sources);
    }
    default:
      return false;
  }
}

}  // namespace

bool pushdown_pays(const Query& query, const Select& select) {
  Sources sources;
  if (!collect(*select.from, sources)) return false;
  if (sources.large.empty()) return true;
  std::set<std::string> relations;
  if (select.where) pinned(*select.where, relations);
  bool filtered = true;
  for (const auto& alias : sources.large) filtered = filtered && relations.count(alias) > 0;
  if (filtered) return true;
  if (sources.tables != 1 || sources.subqueries || select.group_by ||
      select.quantifier == SetQuantifier::kDistinct)
    return false;
  bool aggregated = false;
  bool sorts = false;
  for (const auto& item : select.items)
    walk(*item.value, false, [&](const Expr& e) {
      aggregated = aggregated || is_aggregate(e);
      const auto* call = try_as<const FunctionCall>(&e);
      sorts = sorts || (call && call->distinct);
      return true;
    });
  if (sorts) return false;
  return aggregated || query.limit || query.fetch_first;
}

}  // namespace meesh::sql
