// Subqueries inside expressions: one value, one row, or what IN, ANY and ALL compare with.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "sql/resolve_check.h"
#include "sql/resolve_types.h"
#include "sql/resolver.h"

namespace meesh::sql {
namespace {

[[noreturn]] void mismatch(const Expr& at, const std::vector<std::optional<Type>>& value,
                           const std::vector<Field>& outputs) {
  const auto name = [](const std::optional<Type>& type) {
    return type ? type->display() : std::string("unknown");
  };
  std::vector<std::string> wanted, found;
  for (const auto& type : value) wanted.push_back(name(type));
  for (const auto& output : outputs)
    found.push_back((output.name ? lower(*output.name) + " " : "") + name(output.known_type()));
  fail(Code::kTypeMismatch, at.pos,
       fmt::format("Value expression and result of subquery must be of the same type: row({}) vs "
                   "row({})",
                   fmt::join(wanted, ", "), fmt::join(found, ", ")));
}

/// ROW(NULL, …) of a row's type.
ExprPtr empty_row(const Type& type, Position pos) {
  auto row = std::make_unique<RowConstructor>();
  row->pos = pos;
  for (size_t i = 0; i < type.children.size(); ++i) {
    row->items.push_back(std::make_unique<NullLiteral>());
    row->items.back()->pos = pos;
  }
  auto cast = std::make_unique<Cast>();
  cast->pos = pos;
  cast->value = std::move(row);
  cast->type = parse_type(type.display());
  return cast;
}

}  // namespace

std::optional<Type> Resolver::as_one_row(QueryPtr& query, Fields outputs) {
  const Position pos = query->pos;
  std::vector<std::string> names;
  std::vector<Type> types;
  auto row = std::make_unique<RowConstructor>();
  row->pos = pos;
  auto relation = std::make_unique<SubqueryRelation>();
  relation->pos = pos;
  relation->query = std::move(query);
  RelationPtr slot = std::move(relation);
  const Fields columns = wrap(slot, outputs, "subquery");
  for (size_t i = 0; i < columns.size(); ++i) {
    const auto& name = outputs[i].name;
    row->items.push_back(reference(columns[i], pos, name.value_or("")));
    row->names.push_back(name ? std::optional(Ident{lower(*name), true, pos}) : std::nullopt);
    names.push_back(name ? lower(*name) : "");
    if (const auto& type = outputs[i].known_type()) types.push_back(*type);
  }
  auto select = std::make_unique<Select>();
  select->pos = pos;
  select->items.push_back({std::move(row), Ident{"_col0", true, pos}, pos});
  select->from = std::move(slot);
  query = std::make_unique<Query>();
  query->pos = pos;
  query->body = std::move(select);
  if (types.size() != names.size()) return std::nullopt;
  return Type::row(std::move(names), std::move(types));
}

void Resolver::scalar_subquery(ExprPtr& slot, const Scope& scope, const Env& env) {
  auto& node = as<SubqueryExpr>(*slot);
  Fields outputs = query(*node.query, env, &scope);
  if (outputs.size() == 1) {
    node.type = outputs.front().known_type();
    return;
  }
  node.type = as_one_row(node.query, std::move(outputs));
  if (!node.type) return;
  // No rows are a row of NULLs.
  auto call = std::make_unique<FunctionCall>();
  call->pos = slot->pos;
  call->name = {{"coalesce", false, slot->pos}};
  ExprPtr nothing = empty_row(*node.type, slot->pos);
  call->args.push_back(std::move(slot));
  call->args.push_back(std::move(nothing));
  slot = std::move(call);
}

void Resolver::in_subquery(InSubquery& node, const Scope& scope, const Env& env) {
  Fields outputs = query(*node.query, env, &scope);
  auto* row = try_as<RowConstructor>(node.value.get());
  if (!row) return compare_subquery(node, node.value, node.query, std::move(outputs));
  std::vector<std::optional<Type>> types, common;
  bool fits = row->items.size() == outputs.size(), same = true;
  for (const auto& item : row->items) types.push_back(infer_type(*item));
  for (size_t i = 0; fits && i < types.size(); ++i) {
    const auto& inner = outputs[i].known_type();
    common.emplace_back();
    if (!types[i] || !inner) continue;
    common.back() = common_type(*types[i], *inner);
    fits = common.back().has_value();
    same = same && fits && !differ(*inner, *common.back());
  }
  if (!fits) mismatch(node, types, outputs);
  for (size_t i = 0; i < common.size(); ++i)
    if (common[i]) coerce(row->items[i], *common[i]);
  if (!same) coerce_outputs(*node.query->body, common);
}

void Resolver::quantified(Quantified& node, const Scope& scope, const Env& env) {
  compare_subquery(node, node.value, node.query, query(*node.query, env, &scope));
}

void Resolver::compare_subquery(const Expr& at, ExprPtr& value, QueryPtr& query, Fields outputs) {
  const auto type = infer_type(*value);
  const bool row = type && type->kind == TypeKind::kRow;
  if (outputs.size() != 1 || (row && type->children.size() == 1)) {
    if (!row || type->children.size() != outputs.size())
      mismatch(at,
               row ? std::vector<std::optional<Type>>(type->children.begin(), type->children.end())
                   : std::vector<std::optional<Type>>{type},
               outputs);
    const auto inner = as_one_row(query, outputs);
    if (inner && !common_type(*type, *inner))
      mismatch(at, {type->children.begin(), type->children.end()}, outputs);
    return;
  }
  const auto& inner = outputs.front().known_type();
  if (!type || !inner) return;
  const auto common = common_type(*type, *inner);
  if (!common) mismatch(at, {type}, outputs);
  coerce(value, *common);
  if (differ(*inner, *common)) coerce_outputs(*query->body, {common});
}

}  // namespace meesh::sql
