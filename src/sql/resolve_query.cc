// Queries: WITH, SELECT lists, set operations, VALUES, ORDER BY, LIMIT.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "sql/resolve_check.h"
#include "sql/resolve_text.h"
#include "sql/resolve_types.h"
#include "sql/resolve_walk.h"
#include "sql/resolver.h"

namespace meesh::sql {

const Resolver::Cte* Resolver::Env::find(const std::string& name) const {
  for (const Env* env = this; env; env = env->parent)
    if (const auto it = env->ctes.find(name); it != env->ctes.end()) return &it->second;
  return nullptr;
}

Resolver::Fields Resolver::query(Query& query, const Env& outer_env, const Scope* outer) {
  if (!query.inline_functions.empty()) inline_functions(query);
  Env env = outer_env.inner();
  with(query, env, outer);
  limits(query, env);
  if (auto* table = try_as<TableBody>(query.body.get())) {
    auto select = std::make_unique<Select>();
    select->pos = table->pos;
    auto star = std::make_unique<Star>();
    star->pos = table->pos;
    select->items.push_back({std::move(star), std::nullopt, table->pos});
    select->from = std::move(table->table);
    query.body = std::move(select);
  }
  if (auto* select = try_as<Select>(query.body.get()))
    return this->select(*select, &query.order_by, env, outer);
  Fields outputs = body(query.body, env, outer);
  if (!query.order_by.empty()) order_outputs(query, outputs, env, outer);
  return outputs;
}

Resolver::Fields Resolver::body(QueryBodyPtr& slot, const Env& env, const Scope* outer) {
  switch (slot->kind) {
    case QueryBodyKind::kSelect:
      return select(as<Select>(*slot), nullptr, env, outer);
    case QueryBodyKind::kSetOperation:
      return set_operation(as<SetOperation>(*slot), env, outer);
    case QueryBodyKind::kValues:
      return values(as<Values>(*slot), env, outer);
    case QueryBodyKind::kQuery:
      return query(*as<QueryInParens>(*slot).query, env, outer);
    case QueryBodyKind::kTable: {
      auto inner = std::make_unique<Query>();
      inner->pos = slot->pos;
      inner->body = std::move(slot);
      Fields outputs = query(*inner, env, outer);
      slot = std::move(inner->body);
      return outputs;
    }
  }
  internal_error("unknown query body");
}

// ---------------------------------------------------------------- WITH

void Resolver::with(Query& query, Env& env, const Scope* outer) {
  std::vector<NamedQuery> resolved;
  for (auto& named : query.with) {
    const std::string name = lower(named.name.value);
    if (env.ctes.count(name))
      fail(Code::kDuplicateNamedQuery, named.pos,
           fmt::format("WITH query name '{}' specified more than once", named.name.value));
    if (query.recursive && is_recursion(named)) {
      for (auto& part : recursive_query(std::move(named), env, outer))
        resolved.push_back(std::move(part));
      continue;
    }
    Fields outputs = this->query(*named.query, env, outer);
    std::string printed = unique(named.name.value);
    env.ctes[name] = cte_of(named, std::move(outputs), std::move(printed));
    resolved.push_back(std::move(named));
  }
  query.with = std::move(resolved);
}

Resolver::Cte Resolver::cte_of(NamedQuery& named, Fields outputs, std::string printed) {
  if (!named.columns.empty() && named.columns.size() != outputs.size())
    fail(Code::kMismatchedColumnAliases, named.columns.front().pos,
         fmt::format("Column alias list has {} entries but relation has {} columns",
                     named.columns.size(), outputs.size()));
  Cte cte{std::move(printed), {}};
  std::set<std::string> used;
  std::vector<Ident> columns;
  for (size_t i = 0; i < outputs.size(); ++i) {
    Field field;
    if (!named.columns.empty())
      field.name = named.columns[i].value;
    else
      field.name = outputs[i].name;
    field.type = outputs[i].type;
    field.inferred = outputs[i].inferred;
    const std::string base = field.name ? *field.name : fmt::format("_col{}", i);
    std::string column = base;
    for (int n = 2; !used.insert(lower(column)).second; ++n) column = fmt::format("{}_{}", base, n);
    columns.push_back({column, true, named.pos});
    field.sources = {{"", std::move(column)}};
    cte.columns.push_back(std::move(field));
  }
  named.columns = std::move(columns);
  named.name.value = cte.printed;
  return cte;
}

// ---------------------------------------------------------------- set operations, VALUES

namespace {

void check_names(const std::vector<Field>& fields, Position pos) {
  std::set<std::string> seen;
  for (const auto& field : fields) {
    if (!field.name)
      fail(Code::kMissingColumnName, pos,
           "Anonymous columns are not allowed in set operations with CORRESPONDING");
    if (!seen.insert(lower(*field.name)).second)
      fail(Code::kAmbiguousName, pos,
           fmt::format("Duplicate columns found when using CORRESPONDING in set operations: {}",
                       *field.name));
  }
}

}  // namespace

/// CORRESPONDING: only the columns that both sides have, as the left one orders them.
void Resolver::correspond(SetOperation& op, Fields& left, Fields& right) {
  check_names(left, op.pos);
  check_names(right, op.pos);
  std::vector<size_t> of_left, of_right;
  for (size_t l = 0; l < left.size(); ++l)
    for (size_t r = 0; r < right.size(); ++r)
      if (lower(*left[l].name) == lower(*right[r].name)) {
        of_left.push_back(l);
        of_right.push_back(r);
      }
  if (of_left.empty()) fail(Code::kMismatchedColumnAliases, op.pos, "No corresponding columns");
  op.left = choose(std::move(op.left), left, of_left);
  op.right = choose(std::move(op.right), right, of_right);
  op.corresponding = false;
}

QueryBodyPtr Resolver::choose(QueryBodyPtr body, Fields& outputs,
                              const std::vector<size_t>& chosen) {
  const Position pos = body->pos;
  auto relation = std::make_unique<SubqueryRelation>();
  relation->pos = pos;
  relation->query = std::make_unique<Query>();
  relation->query->pos = pos;
  relation->query->body = std::move(body);
  RelationPtr slot = std::move(relation);
  const Fields columns = wrap(slot, outputs, "query");
  auto select = std::make_unique<Select>();
  select->pos = pos;
  Fields kept;
  for (const size_t i : chosen) {
    const std::string name = *outputs[i].name;
    select->items.push_back({reference(columns[i], pos, name), Ident{name, true, pos}, pos});
    kept.push_back(outputs[i]);
  }
  select->from = std::move(slot);
  outputs = std::move(kept);
  return select;
}

Resolver::Fields Resolver::set_operation(SetOperation& op, const Env& env, const Scope* outer) {
  Fields left = body(op.left, env, outer);
  Fields right = body(op.right, env, outer);
  if (op.corresponding) correspond(op, left, right);
  const char* word = op.op == SetOperator::kUnion       ? "UNION"
                     : op.op == SetOperator::kIntersect ? "INTERSECT"
                                                        : "EXCEPT";
  if (left.size() != right.size())
    fail(Code::kTypeMismatch, op.pos,
         fmt::format("{} query has different number of fields: {}, {}", word, left.size(),
                     right.size()));
  Fields outputs;
  std::vector<std::optional<Type>> fit_left(left.size()), fit_right(left.size());
  for (size_t i = 0; i < left.size(); ++i) {
    Field field;
    field.name = left[i].name;
    const auto& a = left[i].known_type();
    const auto& b = right[i].known_type();
    if (a && b) {
      field.inferred = common_type(*a, *b);
      if (!field.inferred)
        fail(Code::kTypeMismatch, op.pos,
             fmt::format("column {} in {} query has incompatible types: {}, {}", i + 1, word,
                         a->display(), b->display()));
      if (differ(*a, *field.inferred)) fit_left[i] = field.inferred;
      if (differ(*b, *field.inferred)) fit_right[i] = field.inferred;
    }
    if (left[i].type && left[i].type == right[i].type) field.type = left[i].type;
    outputs.push_back(std::move(field));
  }
  const auto some = [](const auto& type) { return type.has_value(); };
  if (std::any_of(fit_left.begin(), fit_left.end(), some)) coerce_outputs(*op.left, fit_left);
  if (std::any_of(fit_right.begin(), fit_right.end(), some)) coerce_outputs(*op.right, fit_right);
  return outputs;
}

namespace {

/// A row that is no constructor is as many columns as it has fields.
void unfold_row(ExprPtr& slot) {
  const auto type = slot->kind == ExprKind::kRow ? std::nullopt : infer_type(*slot);
  if (!type || type->kind != TypeKind::kRow) return;
  auto row = std::make_unique<RowConstructor>();
  row->pos = slot->pos;
  for (size_t i = 0; i < type->children.size(); ++i) {
    row->items.push_back(field_of(*slot, i + 1, slot->pos));
    if (!row->items.back()) return;  // a subquery
  }
  slot = std::move(row);
}

[[noreturn]] void mismatched_rows(const Values& values, const std::vector<const Expr*>& cells,
                                  const std::vector<Field>& outputs) {
  std::vector<std::string> expected, found;
  for (size_t i = 0; i < cells.size(); ++i) {
    const auto type = infer_type(*cells[i]);
    expected.push_back(outputs[i].inferred ? outputs[i].inferred->display() : "unknown");
    found.push_back(type ? type->display() : "unknown");
  }
  fail(Code::kTypeMismatch, values.pos,
       fmt::format("Values rows have mismatched types: row({}) vs row({})",
                   fmt::join(expected, ", "), fmt::join(found, ", ")));
}

}  // namespace

Resolver::Fields Resolver::values(Values& values, const Env& env, const Scope* outer) {
  const Scope scope{outer, {}};
  Fields outputs;
  bool mixed = false;
  for (size_t r = 0; r < values.rows.size(); ++r) {
    ExprPtr& row = values.rows[r];
    expr(row, scope, env);
    refuse_aggregates(*row, "VALUES clause");
    unfold_row(row);
    std::vector<const Expr*> cells;
    if (const auto* items = try_as<RowConstructor>(row.get()))
      for (const auto& item : items->items) cells.push_back(item.get());
    else
      cells.push_back(row.get());
    if (r == 0) outputs.resize(cells.size());
    if (cells.size() != outputs.size())
      fail(
          Code::kTypeMismatch, values.pos,
          fmt::format("Values rows have mismatched sizes: {} vs {}", outputs.size(), cells.size()));
    for (size_t i = 0; i < cells.size(); ++i) {
      const auto type = infer_type(*cells[i]);
      const auto declared = declared_type(*cells[i]);
      if (r == 0) {
        outputs[i].inferred = type;
        outputs[i].type = declared;
        continue;
      }
      if (outputs[i].type != declared) outputs[i].type.reset();
      if (!type || !outputs[i].inferred) {
        outputs[i].inferred.reset();
        continue;
      }
      const auto common = common_type(*outputs[i].inferred, *type);
      if (!common) mismatched_rows(values, cells, outputs);
      mixed = mixed || differ(*common, *outputs[i].inferred) || differ(*common, *type);
      outputs[i].inferred = common;
    }
  }
  if (mixed) {
    std::vector<std::optional<Type>> types;
    for (const auto& output : outputs) types.push_back(output.inferred);
    coerce_outputs(values, types);
  }
  return outputs;
}

// ---------------------------------------------------------------- SELECT

Resolver::Fields Resolver::select(Select& select, std::vector<SortItem>* order_by, const Env& env,
                                  const Scope* outer) {
  const auto enclosing = std::exchange(select_at_, select.pos);
  Scope scope{outer, {}};
  if (select.from) scope.fields = relation(select.from, env, outer, outer);
  if (select.where) {
    predicate(select.where, scope, env, "WHERE clause");
    refuse_aggregates(*select.where, "WHERE clause");
  }
  Fields outputs = select_items(select, scope, env);
  std::set<std::string> keys;
  if (select.group_by) group_by(select, scope, env, keys);
  if (select.having) {
    predicate(select.having, scope, env, "HAVING clause");
    check_having(*select.having);
  }
  named_windows(select, scope, env);
  if (order_by && !order_by->empty()) order_select(select, outputs, *order_by, scope, env);
  check_grouping(select, order_by, scope, keys);
  select_at_ = enclosing;
  return outputs;
}

void Resolver::named_windows(Select& select, const Scope& scope, const Env& env) {
  std::set<std::string> names;
  const auto known = [&](const WindowSpec& spec) {
    if (spec.base && !names.count(lower(spec.base->value)))
      fail(Code::kInvalidWindowReference, spec.base->pos,
           fmt::format("Cannot resolve WINDOW name {}", spec.base->value));
  };
  for (auto& named : select.windows) {
    known(named.spec);
    window(named.spec, scope, env);
    if (!names.insert(lower(named.name.value)).second)
      fail(Code::kDuplicateWindowName, named.name.pos,
           fmt::format("WINDOW name '{}' specified more than once", named.name.value));
  }
  for (const auto& item : select.items)
    walk(*item.value, false, [&](const Expr& e) {
      if (is_window(e)) known(*as<FunctionCall>(e).over);
      return true;
    });
}

namespace {

/// a.b.c, and nothing else.
bool is_path(const Dereference& path) {
  const Expr* base = path.base.get();
  while (const auto* inner = try_as<const Dereference>(base)) base = inner->base.get();
  return base->kind == ExprKind::kIdentifier;
}

}  // namespace

Resolver::Fields Resolver::select_items(Select& select, const Scope& scope, const Env& env) {
  std::vector<SelectItem> items;
  Fields outputs;
  for (auto& item : select.items) {
    if (item.value->kind == ExprKind::kStar) {
      expand_star(item, scope, env, items, outputs);
      continue;
    }
    Field output;
    if (item.alias)
      output.name = item.alias->value;
    else if (const auto* id = try_as<Identifier>(item.value.get()))
      output.name = id->name.value;
    else if (const auto* d = try_as<Dereference>(item.value.get()); d && is_path(*d))
      output.name = d->field.value;
    expr(item.value, scope, env);
    output.type = declared_type(*item.value);
    output.inferred = infer_type(*item.value);
    outputs.push_back(std::move(output));
    items.push_back(std::move(item));
  }
  for (size_t i = 0; i < items.size(); ++i) {
    outputs[i].output = static_cast<int>(i);
    const std::string name = outputs[i].name ? *outputs[i].name : fmt::format("_col{}", i);
    // Only a name that is written stands elsewhere than its item.
    items[i].alias = Ident{name, true, items[i].alias ? items[i].alias->pos : items[i].pos};
  }
  select.items = std::move(items);
  return outputs;
}

void Resolver::expand_star(SelectItem& item, const Scope& scope, const Env& env,
                           std::vector<SelectItem>& items, Fields& outputs) {
  auto& star = as<Star>(*item.value);
  const Position pos = item.value->pos;
  std::vector<std::pair<ExprPtr, Field>> columns;
  const auto add = [&](const Field& field) {
    Field output;
    output.name = field.name;
    output.type = field.type;
    output.inferred = field.inferred;
    columns.emplace_back(reference(field, pos, field.name.value_or("")), std::move(output));
  };
  if (!star.qualifier) {
    for (const auto& field : scope.fields)
      if (!field.hidden) add(field);
    if (columns.empty())
      fail(Code::kColumnNotFound, pos,
           scope.fields.empty() ? "SELECT * not allowed in queries without FROM clause"
                                : "SELECT * not allowed from relation that has no columns");
  } else {
    std::vector<std::string> parts;
    const Expr* e = star.qualifier.get();
    for (; e->kind == ExprKind::kDereference; e = as<Dereference>(*e).base.get())
      parts.insert(parts.begin(), lower(as<Dereference>(*e).field.value));
    if (e->kind == ExprKind::kIdentifier)
      parts.insert(parts.begin(), lower(as<Identifier>(*e).name.value));
    else
      parts.clear();
    if (!parts.empty())
      for (const Field* field : fields_of(scope, parts)) add(*field);
    // A single name before the star is a relation's, never a column's.
    const bool single = parts.size() == 1;
    if (columns.empty() && !single && (parts.empty() || find_field(scope, parts, pos).field)) {
      expr(star.qualifier, scope, env);
      const auto row = infer_type(*star.qualifier);
      if (!row || row->kind != TypeKind::kRow)
        fail(Code::kTypeMismatch, pos, "expected expression of type Row");
      for (size_t i = 0; i < row->children.size(); ++i) {
        ExprPtr field = field_of(*star.qualifier, i + 1, pos);
        if (!field) fail(Code::kNotSupported, pos, "(subquery).* is not supported");
        Field output;
        if (!row->field_names[i].empty()) output.name = row->field_names[i];
        output.inferred = row->children[i];
        columns.emplace_back(std::move(field), std::move(output));
      }
    }
    if (columns.empty())
      fail(Code::kTableNotFound, star.qualifier->pos,
           fmt::format("Unable to resolve reference {}", fmt::join(parts, ".")));
  }
  if (!star.aliases.empty() && star.aliases.size() != columns.size())
    fail(Code::kMismatchedColumnAliases, star.aliases.front().pos,
         fmt::format("Column alias list has {} entries but relation has {} columns",
                     star.aliases.size(), columns.size()));
  for (size_t i = 0; i < columns.size(); ++i) {
    auto& [value, output] = columns[i];
    // Of all names Trino shows these alone in capitals.
    if (!star.aliases.empty())
      output.name = star.aliases[i].quoted ? star.aliases[i].value : upper(star.aliases[i].value);
    items.push_back({std::move(value), std::nullopt, item.pos});
    outputs.push_back(std::move(output));
  }
}

// ---------------------------------------------------------------- ORDER BY, LIMIT

namespace {

ExprPtr ordinal(int output, Position pos) {
  auto literal = std::make_unique<IntegerLiteral>();
  literal->value = static_cast<uint64_t>(output) + 1;
  literal->pos = pos;
  return literal;
}

void check_ordinal(const IntegerLiteral& literal, const std::vector<Field>& outputs,
                   Position query) {
  if (literal.value < 1 || literal.value > outputs.size())
    fail(Code::kInvalidColumnReference, literal.pos,
         fmt::format("ORDER BY position {} is not in select list", literal.value));
  const size_t i = literal.value - 1;
  check_sort_key(outputs[i].known_type(), fmt::format(":input({})", i), query);
}

}  // namespace

void Resolver::substitute_outputs(ExprPtr& slot, const Select& select, const Scope& outputs,
                                  bool in_aggregate) {
  if (slot->kind == ExprKind::kIdentifier) {
    const Position pos = slot->pos;
    const std::string written = as<Identifier>(*slot).name.value;
    const Found found = find_field(outputs, {lower(written)}, pos);
    if (!found.field) return;
    if (in_aggregate)
      fail(Code::kColumnNotFound, pos,
           "Invalid reference to output projection attribute from ORDER BY aggregation");
    slot = clone(*select.items[static_cast<size_t>(found.field->output)].value);
    if (!slot)
      fail(Code::kNotSupported, pos,
           fmt::format("ORDER BY cannot compute with '{}', which is a subquery", written));
    return;
  }
  // Dotted names are columns of relations; a lambda's names are its own.
  if (slot->kind == ExprKind::kDereference || slot->kind == ExprKind::kLambda) return;
  const bool inside = in_aggregate || is_aggregate(*slot);
  for_each_child(*slot, [&](ExprPtr& child) { substitute_outputs(child, select, outputs, inside); },
                 {});
}

void Resolver::order_select(Select& select, const Fields& outputs, std::vector<SortItem>& order_by,
                            const Scope& scope, const Env& env) {
  const Scope names{nullptr, outputs};
  std::vector<std::string> selected;
  for (const auto& item : select.items) selected.push_back(fingerprint(*item.value));
  for (auto& item : order_by) {
    if (auto* literal = try_as<IntegerLiteral>(item.key.get())) {
      check_ordinal(*literal, outputs, select.pos);
      continue;
    }
    const Position pos = item.key->pos;
    if (const auto* id = try_as<Identifier>(item.key.get())) {
      int output = -1;
      for (const auto& field : outputs) {
        if (!field.name || lower(*field.name) != lower(id->name.value)) continue;
        if (output >= 0)
          fail(Code::kAmbiguousName, pos,
               fmt::format("Column '{}' is ambiguous", lower(id->name.value)));
        output = field.output;
      }
      if (output >= 0) {
        check_sort_key(outputs[output].known_type(), id->name.value, select.pos);
        item.key = ordinal(output, pos);
        continue;
      }
    }
    substitute_outputs(item.key, select, names, false);
    expr(item.key, scope, env);
    check_sort_key(infer_type(*item.key), shown(*item.key), select.pos);
    const auto same = std::find(selected.begin(), selected.end(), fingerprint(*item.key));
    if (same != selected.end()) {
      item.key = ordinal(static_cast<int>(same - selected.begin()), pos);
    } else if (select.quantifier == SetQuantifier::kDistinct) {
      fail(Code::kExpressionNotInDistinct, select.pos,
           "For SELECT DISTINCT, ORDER BY expressions must appear in select list");
    }
  }
}

void Resolver::order_outputs(Query& query, const Fields& outputs, const Env& env,
                             const Scope* outer) {
  // Keys that are columns become ordinals; others need the body as a relation of its own.
  bool simple = true;
  for (auto& item : query.order_by) {
    if (auto* literal = try_as<IntegerLiteral>(item.key.get())) {
      check_ordinal(*literal, outputs, query.pos);
      continue;
    }
    const auto* id = try_as<Identifier>(item.key.get());
    simple = simple && id != nullptr;
    if (!id) continue;
    int output = -1;
    for (size_t i = 0; i < outputs.size(); ++i) {
      if (!outputs[i].name || lower(*outputs[i].name) != lower(id->name.value)) continue;
      if (output >= 0)
        fail(Code::kAmbiguousName, id->pos,
             fmt::format("Column '{}' is ambiguous", lower(id->name.value)));
      output = static_cast<int>(i);
    }
    if (output >= 0) {
      check_sort_key(outputs[output].known_type(), id->name.value, query.pos);
      item.key = ordinal(output, item.key->pos);
    } else {
      simple = false;
    }
  }
  if (simple && !query.with_ties) return;  // ties are found in a SELECT
  auto inner = std::make_unique<Query>();
  inner->pos = query.pos;
  inner->body = std::move(query.body);
  auto relation = std::make_unique<SubqueryRelation>();
  relation->pos = query.pos;
  relation->query = std::move(inner);
  RelationPtr slot = std::move(relation);
  Scope scope{outer, wrap(slot, outputs, "query")};
  auto select = std::make_unique<Select>();
  select->pos = query.pos;
  select->from = std::move(slot);
  for (size_t i = 0; i < scope.fields.size(); ++i) {
    const std::string name = outputs[i].name ? *outputs[i].name : fmt::format("_col{}", i);
    select->items.push_back(
        {reference(scope.fields[i], query.pos, name), Ident{name, true, query.pos}, query.pos});
  }
  for (auto& item : query.order_by)
    if (item.key->kind != ExprKind::kInteger) expr(item.key, scope, env);
  query.body = std::move(select);
}

void Resolver::limits(Query& query, const Env& env) {
  const Scope nothing;
  const auto count = [&](ExprPtr& slot, const char* what) {
    if (!slot) return;
    expr(slot, nothing, env);
    settle(*slot, Type::of(TypeKind::kBigint));
    if (const auto value = number_of(*slot); value && *value >= 0 && *value == std::floor(*value)) {
      auto literal = std::make_unique<IntegerLiteral>();
      literal->pos = slot->pos;
      literal->value = static_cast<uint64_t>(*value);
      slot = std::move(literal);
    }
    if (slot->kind != ExprKind::kInteger && slot->kind != ExprKind::kParameter)
      fail(Code::kTypeMismatch, slot->pos,
           fmt::format("{} must be a whole number, not {}", what, shown(*slot)));
  };
  count(query.offset, "OFFSET row count");
  count(query.limit, query.fetch_first ? "FETCH FIRST row count" : "LIMIT row count");
  if (const auto* rows = try_as<IntegerLiteral>(query.limit.get());
      rows && query.fetch_first && rows->value == 0)
    fail(Code::kNumericValueOutOfRange, query.limit_pos,
         "FETCH FIRST row count must be positive (actual value: 0)");
  if (query.with_ties && query.order_by.empty())
    fail(Code::kMissingOrderBy, query.limit_pos, "FETCH FIRST WITH TIES clause requires ORDER BY");
}

}  // namespace meesh::sql
