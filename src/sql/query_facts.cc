#include "sql/query_facts.h"

#include <algorithm>

namespace meesh::sql {
namespace {

bool constant(const Expr& value, const Relation* from);

/// The subquery that alone stands in FROM, by the names that the resolver has given it.
const AliasedRelation* subquery(const Relation* from) {
  if (!from || from->kind != RelationKind::kAliased) return nullptr;
  const auto& aliased = as<AliasedRelation>(*from);
  const bool is = aliased.relation && aliased.relation->kind == RelationKind::kSubquery;
  return is ? &aliased : nullptr;
}

const Query& query_of(const AliasedRelation& subquery) {
  return *as<SubqueryRelation>(*subquery.relation).query;
}

bool constant_reference(const ColumnRef& column, const Relation* from) {
  const auto* only = subquery(from);
  if (!only || only->alias.value != column.relation) return false;
  const auto found = std::ranges::find(only->columns, column.column, &Ident::value);
  return found != only->columns.end() &&
         constant_column(query_of(*only), static_cast<size_t>(found - only->columns.begin()));
}

bool constant(const Expr& value, const Relation* from) {
  switch (value.kind) {
    case ExprKind::kNull:
    case ExprKind::kBoolean:
    case ExprKind::kInteger:
    case ExprKind::kDecimal:
    case ExprKind::kDouble:
    case ExprKind::kString:
    case ExprKind::kBinary:
    case ExprKind::kTyped:
      return true;
    case ExprKind::kCast:
      return constant(*as<Cast>(value).value, from);
    case ExprKind::kColumnRef:
      return constant_reference(as<ColumnRef>(value), from);
    default:
      return false;
  }
}

bool constant_item(const QueryBody& body, size_t column) {
  if (body.kind != QueryBodyKind::kSelect) return false;
  const auto& select = as<Select>(body);
  if (select.group_by) return false;  // grouping sets make NULL of what they leave out
  if (column >= select.items.size()) return false;
  const auto is_star = [](const SelectItem& item) { return item.value->kind == ExprKind::kStar; };
  if (std::any_of(select.items.begin(), select.items.begin() + static_cast<ptrdiff_t>(column) + 1,
                  is_star)) {
    return false;
  }
  return constant(*select.items[column].value, select.from.get());
}

}  // namespace

bool constant_column(const Query& query, size_t column) {
  return query.body && constant_item(*query.body, column);
}

}  // namespace meesh::sql
