// GROUP BY: what its terms mean, and that nothing else is selected from a group.
#include <fmt/format.h>

#include <algorithm>

#include "sql/resolve_text.h"
#include "sql/resolve_walk.h"
#include "sql/resolver.h"

namespace meesh::sql {

namespace {

/// A query may not have more.
constexpr size_t kMostGroupingSets = 2048;

using Set = std::vector<const Expr*>;

Set joined(Set a, const Set& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

Set pointers(const std::vector<ExprPtr>& from) {
  Set out;
  for (const auto& item : from) out.push_back(item.get());
  return out;
}

/// The grouping sets one element stands for.
std::vector<Set> sets_of(const GroupingElement& element) {
  using Kind = GroupingElement::Kind;
  std::vector<Set> out;
  switch (element.kind) {
    case Kind::kSimple:
    case Kind::kGroupingSets:
      for (const auto& set : element.sets) out.push_back(pointers(set));
      break;
    case Kind::kRollup:
      out.emplace_back();
      for (const auto& set : element.sets) out.push_back(joined(out.back(), pointers(set)));
      std::reverse(out.begin(), out.end());
      break;
    case Kind::kCube:
      out.emplace_back();
      for (auto set = element.sets.rbegin(); set != element.sets.rend(); ++set) {
        const std::vector<Set> without = out;
        out.clear();
        for (const auto& other : without) out.push_back(joined(pointers(*set), other));
        out.insert(out.end(), without.begin(), without.end());
        if (out.size() > kMostGroupingSets) break;
      }
      break;
    case Kind::kAuto:
      break;
  }
  if (out.empty()) out.emplace_back();
  return out;
}

bool is_simple(const GroupBy& group_by) {
  return std::ranges::all_of(group_by.elements, [](const GroupingElement& element) {
    return element.kind == GroupingElement::Kind::kSimple;
  });
}

/// GROUP BY DISTINCT: every grouping set once, whatever its order.
void keep_distinct(Select& select) {
  std::vector<Set> all(1);
  for (const auto& element : select.group_by->elements) {
    std::vector<Set> next;
    const auto sets = sets_of(element);
    if (all.size() * sets.size() > kMostGroupingSets)
      fail(Code::kTooManyGroupingSets, select.pos,
           fmt::format("GROUP BY has more than {} grouping sets", kMostGroupingSets));
    for (const auto& before : all)
      for (const auto& set : sets) next.push_back(joined(before, set));
    all = std::move(next);
  }
  GroupingElement element;
  element.kind = GroupingElement::Kind::kGroupingSets;
  std::set<std::set<std::string>> seen;
  for (const auto& set : all) {
    std::set<std::string> prints;
    std::vector<ExprPtr> once;
    for (const Expr* item : set) {
      if (!prints.insert(fingerprint(*item)).second) continue;
      once.push_back(clone(*item));
      if (!once.back())
        fail(Code::kNotSupported, item->pos, "Subqueries in GROUP BY DISTINCT are not supported");
    }
    if (seen.insert(std::move(prints)).second) element.sets.push_back(std::move(once));
  }
  select.group_by->quantifier = GroupBy::Quantifier::kNone;
  select.group_by->elements.clear();
  select.group_by->elements.push_back(std::move(element));
}

/// GROUP BY AUTO: by whatever is selected and is no aggregate.
void group_by_outputs(Select& select) {
  std::vector<GroupingElement> elements;
  for (size_t i = 0; i < select.items.size(); ++i) {
    const Expr& item = *select.items[i].value;
    if (is_aggregate(item)) continue;
    auto ordinal = std::make_unique<IntegerLiteral>();
    ordinal->pos = item.pos;
    ordinal->value = i + 1;
    elements.emplace_back();
    elements.back().sets.emplace_back();
    elements.back().sets.back().push_back(std::move(ordinal));
  }
  select.group_by->elements = std::move(elements);
  if (select.group_by->elements.empty()) select.group_by->elements.emplace_back();
}

}  // namespace

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
  for (const auto& element : select.group_by->elements)
    if (element.kind == GroupingElement::Kind::kAuto) {
      group_by_outputs(select);
      break;
    }
  for (auto& element : select.group_by->elements)
    for (auto& set : element.sets)
      for (auto& slot : set) {
        const bool simple = element.kind == GroupingElement::Kind::kSimple;
        if (simple || slot->kind != ExprKind::kInteger) term(slot);
        if (!simple && slot->kind != ExprKind::kColumnRef)
          fail(Code::kInvalidColumnReference, slot->pos,
               fmt::format("GROUP BY expression must be a column reference: {}", shown(*slot)));
      }
  if (select.group_by->quantifier == GroupBy::Quantifier::kDistinct && !is_simple(*select.group_by))
    keep_distinct(select);
}

namespace {

/// Checks one expression over the groups.
class GroupCheck {
 public:
  GroupCheck(const Scope& scope, const std::set<std::string>& keys, bool grouped, Position select)
      : keys_(keys), grouped_(grouped), select_(select) {
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
      fail(Code::kMissingGroupBy, select_,
           "A GROUPING() operation can only be used with a corresponding GROUPING "
           "SET/CUBE/ROLLUP/GROUP BY clause");
    for (const auto& arg : e.args) {
      if (!is_key(*arg))
        fail(Code::kInvalidArguments, e.pos,
             fmt::format("The arguments to GROUPING() must be expressions referenced by the GROUP "
                         "BY at the associated query level. Mismatch due to {}.",
                         shown(*arg)));
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
  Position select_;
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
    for (const auto& item : *order_by) {
      grouped = grouped || has_aggregate(*item.key);
      groupings = groupings || has_grouping(*item.key);
    }
  if (!grouped && !groupings) return;
  const GroupCheck check(scope, keys, select.group_by.has_value(), select.pos);
  for (const auto& item : select.items) check.check(*item.value);
  if (select.having) check.check(*select.having);
  if (order_by)
    for (const auto& item : *order_by) check.check(*item.key);
}

}  // namespace meesh::sql
