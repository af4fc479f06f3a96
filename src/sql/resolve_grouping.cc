// GROUP BY: what its terms mean, and that nothing else is selected from a group.
#include <fmt/format.h>

#include "sql/resolve_text.h"
#include "sql/resolve_walk.h"
#include "sql/resolver.h"

namespace meesh::sql {

void Resolver::group_by(Select& select, const Scope& scope, const Env& env,
                        std::set<std::string>& keys) {
  const auto term = [&](ExprPtr& slot) {
    if (auto* ordinal = try_as<IntegerLiteral>(slot.get())) {
      if (ordinal->value < 1 || ordinal->value > select.items.size())
        fail(Code::kInvalidColumnReference, slot->pos,
             fmt::format("GROUP BY position {} is not in select list", ordinal->value));
      // The printers keep the ordinal: DuckDB and PostgreSQL read it the same way.
      const Expr& item = *select.items[ordinal->value - 1].value;
      refuse_aggregates(item, "GROUP BY clause");
      keys.insert(fingerprint(item));
      return;
    }
    expr(slot, scope, env);
    refuse_aggregates(*slot, "GROUP BY clause");
    keys.insert(fingerprint(*slot));
  };
  for (auto& element : select.group_by->elements) {
    if (element.kind == GroupingElement::Kind::kAuto)
      fail(Code::kNotSupported, select.pos, "GROUP BY AUTO is not supported");
    for (auto& set : element.sets)
      for (auto& slot : set) term(slot);
  }
}

namespace {

/// Checks one expression over the groups.
class GroupCheck {
 public:
  GroupCheck(const Scope& scope, const std::set<std::string>& keys, bool grouped)
      : keys_(keys), grouped_(grouped) {
    for (const auto& field : scope.fields)
      for (const auto& [relation, column] : field.sources) local_.insert(relation);
  }

  void check(const Expr& e) const {
    if (ok(e)) return;
    fail(
        Code::kExpressionNotAggregate, e.pos,
        fmt::format("'{}' must be an aggregate expression or appear in GROUP BY clause", shown(e)));
  }

 private:
  bool is_key(const Expr& e) const { return !keys_.empty() && keys_.count(fingerprint(e)) > 0; }

  bool ok(const Expr& e) const {
    if (is_key(e)) return true;
    if (e.kind == ExprKind::kColumnRef) return local_.count(as<ColumnRef>(e).relation) == 0;
    if (is_aggregate(e)) return true;
    if (e.kind == ExprKind::kGrouping) {
      check_grouping(as<Grouping>(e));
      return true;
    }
    bool all = true;
    for_each_child(
        const_cast<Expr&>(e), [&](ExprPtr& child) { all = all && ok(*child); },
        [&](Query& query) { check_subquery(query); });
    return all;
  }

  void check_grouping(const Grouping& e) const {
    if (!grouped_)
      fail(Code::kMissingGroupBy, e.pos,
           "A GROUPING() operation can only be used with a corresponding GROUPING "
           "SET/CUBE/ROLLUP/GROUP BY clause");
    for (const auto& arg : e.args) {
      if (!is_key(*arg))
        fail(Code::kInvalidArguments, arg->pos,
             "The arguments to GROUPING() must be expressions referenced by the GROUP BY "
             "associated with this query");
    }
  }

  void check_subquery(Query& query) const {
    for_each_expr(query, [&](ExprPtr& child) {
      walk(*child, true, [&](const Expr& e) {
        if (is_key(e)) return false;
        const auto* ref = try_as<const ColumnRef>(&e);
        if (ref && local_.count(ref->relation))
          fail(Code::kExpressionNotAggregate, e.pos,
               fmt::format("Subquery uses '{}' which must appear in GROUP BY clause", shown(e)));
        return true;
      });
    });
  }

  const std::set<std::string>& keys_;
  bool grouped_;
  std::set<std::string> local_;
};

bool has_aggregate(const Expr& expr) {
  bool found = false;
  walk(expr, false, [&](const Expr& e) {
    found = found || is_aggregate(e);
    return !found;
  });
  return found;
}

bool has_grouping(const Expr& expr) {
  bool found = false;
  walk(expr, false, [&](const Expr& e) {
    found = found || e.kind == ExprKind::kGrouping;
    return !found;
  });
  return found;
}

}  // namespace

void Resolver::check_grouping(const Select& select, const std::vector<SortItem>* order_by,
                              const Scope& scope, const std::set<std::string>& keys) {
  bool grouped = select.group_by.has_value() || select.having != nullptr;
  bool groupings = false;
  for (const auto& item : select.items) {
    grouped = grouped || has_aggregate(*item.value);
    groupings = groupings || has_grouping(*item.value);
  }
  if (order_by)
    for (const auto& item : *order_by) grouped = grouped || has_aggregate(*item.key);
  if (!grouped && !groupings) return;
  const GroupCheck check(scope, keys, select.group_by.has_value());
  for (const auto& item : select.items) check.check(*item.value);
  if (select.having) check.check(*select.having);
  if (order_by)
    for (const auto& item : *order_by) check.check(*item.key);
}

}  // namespace meesh::sql
