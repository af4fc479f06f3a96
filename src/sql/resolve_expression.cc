// Names and calls inside expressions.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "sql/explain_error.h"
#include "sql/resolve_check.h"
#include "sql/resolve_literals.h"
#include "sql/resolve_overload.h"
#include "sql/resolve_text.h"
#include "sql/resolve_types.h"
#include "sql/resolve_walk.h"
#include "sql/resolver.h"

namespace meesh::sql {
namespace {

/// Calls the printers make without an entry in the function table.
bool is_special_form(const std::string& name) {
  return name == "coalesce" || name == "nullif" || name == "if" || name == "try" ||
         name == "position";
}

/// The parts of a.b.c, or empty when the base is not a plain name.
bool name_parts(const Expr& expr, std::vector<const Ident*>& parts) {
  if (expr.kind == ExprKind::kIdentifier) {
    parts.push_back(&as<Identifier>(expr).name);
    return true;
  }
  if (expr.kind != ExprKind::kDereference) return false;
  if (!name_parts(*as<Dereference>(expr).base, parts)) return false;
  parts.push_back(&as<Dereference>(expr).field);
  return true;
}

/// Of the calls that are syntax in Trino.
void check_number(const FunctionCall& call, size_t least, size_t most) {
  if (call.args.size() < least || call.args.size() > most)
    fail(Code::kSyntaxError, call.pos,
         fmt::format("Invalid number of arguments for '{}' function",
                     lower(call.name.back().value)));
}

void check_distinct_order(const FunctionCall& call) {
  for (const auto& item : call.order_by) {
    const auto is_key = [&](const ExprPtr& arg) {
      return fingerprint(*arg) == fingerprint(*item.key);
    };
    if (std::none_of(call.args.begin(), call.args.end(), is_key))
      fail(Code::kExpressionNotInDistinct, item.key->pos,
           "For aggregate function with DISTINCT, ORDER BY expressions must appear in arguments");
  }
}

std::string joined(const std::vector<std::string>& parts) {
  return fmt::format("{}", fmt::join(parts, "."));
}

/// Whether values of the type can be cast to varchar.
bool has_text(const Type& type) {
  return type.children.empty() && type.kind != TypeKind::kVarbinary &&
         type.kind != TypeKind::kColor && type.kind < TypeKind::kHyperLogLog;
}

/// A cast says itself what is wrong with its type.
void check_cast_type(const Cast& cast) {
  try {
    if (to_type(*cast.type).kind == TypeKind::kUnknown)
      fail(Code::kTypeMismatch, cast.pos, "UNKNOWN is not a valid type");
  } catch (const Error& error) {
    const bool number = error.message().starts_with("DECIMAL ");
    if (number || error.code() == Code::kTypeMismatch) throw;
    std::string name = print_type(*cast.type);
    std::erase(name, '"');
    fail(Code::kTypeMismatch, cast.pos, "Unknown type: " + name);
  }
}

}  // namespace

bool is_window(const Expr& expr) {
  return expr.kind == ExprKind::kFunction && as<FunctionCall>(expr).over.has_value();
}

bool is_aggregate(const Expr& expr) {
  if (expr.kind != ExprKind::kFunction || is_window(expr)) return false;
  if (as<FunctionCall>(expr).routine) return false;
  const FunctionInfo* info = find_function(as<FunctionCall>(expr).name.back().value);
  return info && info->kind == FunctionInfo::Kind::kAggregate;
}

void refuse_aggregates(const Expr& predicate, const char* clause) {
  std::vector<std::string> aggregates, windows, groupings;
  walk(predicate, false, [&](const Expr& e) {
    if (is_aggregate(e)) aggregates.push_back(shown(e));
    if (is_window(e)) windows.push_back(shown(e));
    if (e.kind == ExprKind::kGrouping) groupings.push_back(shown(e));
    return true;
  });
  aggregates.insert(aggregates.end(), windows.begin(), windows.end());
  aggregates.insert(aggregates.end(), groupings.begin(), groupings.end());
  if (aggregates.empty()) return;
  fail(Code::kExpressionNotScalar, predicate.pos,
       fmt::format("{} cannot contain aggregations, window functions or grouping operations: [{}]",
                   clause, fmt::join(aggregates, ", ")));
}

ExprPtr Resolver::reference(const Field& field, Position pos, std::string written) {
  std::vector<ExprPtr> refs;
  for (const auto& [relation, column] : field.sources) {
    auto ref = std::make_unique<ColumnRef>();
    ref->pos = pos;
    ref->relation = relation;
    ref->column = column;
    ref->type = field.type;
    ref->inferred = field.inferred;
    ref->written = written;
    refs.push_back(std::move(ref));
  }
  if (refs.size() == 1) return std::move(refs.front());
  auto call = std::make_unique<FunctionCall>();
  call->pos = pos;
  call->name = {{"coalesce", false, pos}};
  call->args = std::move(refs);
  return call;
}

bool Resolver::name(ExprPtr& slot, const Scope& scope) {
  std::vector<const Ident*> idents;
  if (!name_parts(*slot, idents)) return false;
  std::vector<std::string> parts;
  for (const Ident* ident : idents) parts.push_back(lower(ident->value));
  const Found found = find_field(scope, parts, slot->pos);
  if (!found.field) {
    fail(Code::kColumnNotFound, slot->pos,
         fmt::format("Column '{}' cannot be resolved", joined(parts)));
  }
  std::string written;
  for (size_t i = 0; i < found.parts; ++i) written += (i ? "." : "") + idents[i]->value;
  ExprPtr expr = reference(*found.field, slot->pos, std::move(written));
  for (size_t i = found.parts; i < idents.size(); ++i) {
    const auto type = infer_type(*expr);
    if (type && type->kind == TypeKind::kRow &&
        std::none_of(type->field_names.begin(), type->field_names.end(),
                     [&](const std::string& field) { return lower(field) == parts[i]; })) {
      fail(Code::kColumnNotFound, slot->pos,
           fmt::format("Column '{}' cannot be resolved", joined(parts)));
    }
    if (type && type->kind != TypeKind::kRow && type->kind != TypeKind::kUnknown) {
      fail(Code::kTypeMismatch, slot->pos,
           fmt::format("Expression {} is not of type ROW", shown(*expr)));
    }
    auto field = std::make_unique<Dereference>();
    field->pos = slot->pos;
    field->base = std::move(expr);
    field->field = *idents[i];
    expr = std::move(field);
  }
  slot = std::move(expr);
  return true;
}

void Resolver::parameter(ExprPtr& slot, const Scope& scope, const Env& env) {
  if (context_.parameters_unknown) return;
  const auto index = static_cast<size_t>(as<Parameter>(*slot).index);
  if (index >= context_.parameters.size()) {
    fail(Code::kInvalidParameterUsage, slot->pos,
         fmt::format("Incorrect number of parameters: expected {} but found {}", index + 1,
                     context_.parameters.size()));
  }
  const Position pos = slot->pos;
  const Expr& value = *context_.parameters[index];
  walk(value, false, [&](const Expr& e) {
    if (e.kind == ExprKind::kIdentifier || e.kind == ExprKind::kDereference)
      fail(Code::kExpressionNotConstant, pos,
           "Constant expression cannot contain column references");
    if (e.kind == ExprKind::kParameter)
      fail(Code::kInvalidParameterUsage, pos, "Query parameters cannot hold parameters");
    return true;
  });
  slot = clone(value);
  if (!slot)
    fail(Code::kExpressionNotConstant, pos, "Constant expression cannot contain a subquery");
  set_positions(*slot, pos);
  expr(slot, scope, env);
}

void Resolver::current(ExprPtr& slot) {
  const auto& what = as<Current>(*slot).what;
  std::string value;
  if (what == "current_user")
    value = context_.user;
  else if (what == "current_catalog")
    value = context_.catalog;
  else if (what == "current_schema")
    value = context_.schema;
  else if (what == "current_path")
    value = context_.path;
  else
    return;
  const Position pos = slot->pos;
  ExprPtr literal;
  if (value.empty() && what != "current_user" && what != "current_path") {
    literal = std::make_unique<NullLiteral>();
  } else {
    auto text = std::make_unique<StringLiteral>();
    text->value = value;
    literal = std::move(text);
  }
  literal->pos = pos;
  auto cast = std::make_unique<Cast>();
  cast->pos = pos;
  cast->value = std::move(literal);
  cast->type = parse_type("varchar");
  slot = std::move(cast);
}

void Resolver::lambda(Lambda& lambda, const std::vector<std::optional<Type>>& types,
                      const Scope& scope, const Env& env) {
  if (lambda.resolved) return;  // a copy of one that is
  lambda.resolved = true;
  Scope inner{&scope, {}};
  for (size_t i = 0; i < lambda.args.size(); ++i) {
    auto& arg = lambda.args[i];
    Field field;
    field.name = arg.value;
    if (i < types.size()) field.inferred = types[i];
    arg.value = unique(arg.value);
    field.sources = {{"", arg.value}};
    inner.fields.push_back(std::move(field));
  }
  refuse_aggregates(*lambda.body, "Lambda expression");
  walk(*lambda.body, false, [](const Expr& e) {
    if (e.kind == ExprKind::kSubquery || e.kind == ExprKind::kExists ||
        e.kind == ExprKind::kInSubquery || e.kind == ExprKind::kQuantified)
      fail(Code::kNotSupported, e.pos, "Lambda expression cannot contain subqueries");
    return true;
  });
  expr(lambda.body, inner, env);
}

void Resolver::window(WindowSpec& spec, const Scope& scope, const Env& env) {
  if (spec.frame && !(spec.frame->measures.empty() && spec.frame->pattern.empty()))
    fail(Code::kNotSupported, spec.pos,
         "Row patterns in windows are not supported: use MATCH_RECOGNIZE");
  for (auto& key : spec.partition_by) expr(key, scope, env);
  for (auto& item : spec.order_by) expr(item.key, scope, env);
  if (spec.frame) {
    if (spec.frame->start.value) expr(spec.frame->start.value, scope, env);
    if (spec.frame->end && spec.frame->end->value) expr(spec.frame->end->value, scope, env);
  }
  check_window(spec);
}

void Resolver::call(FunctionCall& call, const Scope& scope, const Env& env) {
  if (routine_call(call, scope, env)) return;
  const std::string name = lower(call.name.back().value);
  const FunctionInfo* info = find_function(name);
  if (!info && !is_special_form(name)) {
    for (auto& arg : call.args)
      if (arg->kind != ExprKind::kLambda && arg->kind != ExprKind::kStar) expr(arg, scope, env);
    fail(Code::kFunctionNotFound, call.pos,
         fmt::format("Function '{}' not registered", display_name(call.name)));
  }
  const bool aggregate = info && info->kind == FunctionInfo::Kind::kAggregate;
  const bool window_only = info && info->kind == FunctionInfo::Kind::kWindow;
  if (!call.processing_mode.empty())
    fail(Code::kInvalidProcessingMode, call.pos,
         "RUNNING and FINAL are only valid in MATCH_RECOGNIZE");
  if (call.over && !aggregate && !window_only)
    fail(Code::kFunctionNotWindow, select_at_.value_or(call.pos),
         fmt::format("Not a window function: {}", name));
  if (call.over && call.filter)
    fail(Code::kNotSupported, select_at_.value_or(call.pos),
         "FILTER is not yet supported for window functions");
  if (call.filter && !aggregate)
    fail(Code::kFunctionNotAggregate, call.pos, "Filter is only valid for aggregation functions");
  if (!call.order_by.empty() && !aggregate)
    fail(Code::kFunctionNotAggregate, call.pos, "ORDER BY is only valid for aggregation functions");
  if (call.distinct && !aggregate)
    fail(Code::kFunctionNotAggregate, call.pos,
         "DISTINCT is not supported for non-aggregation functions");
  if (call.nulls != NullTreatment::kNone && aggregate && call.over)
    fail(Code::kNullTreatmentNotAllowed, call.pos,
         fmt::format("Cannot specify null treatment clause for {} function", name));
  if (call.nulls != NullTreatment::kNone && !window_only)
    fail(Code::kNullTreatmentNotAllowed, call.pos,
         "RESPECT/IGNORE NULLS is only valid for window functions");

  for (auto& arg : call.args) {
    if (arg->kind == ExprKind::kLambda) continue;  // its arguments' types follow from the others
    if (arg->kind != ExprKind::kStar) {
      expr(arg, scope, env);
      continue;
    }
    if (name != "count" || as<Star>(*arg).qualifier || call.args.size() != 1)
      fail(Code::kInvalidFunctionArgument, arg->pos,
           fmt::format("* is only valid in count(*), not in {}", name));
  }
  check_count(call);
  check_ambiguity(call);
  for (size_t i = 0; i < call.args.size(); ++i)
    if (auto* given = try_as<Lambda>(call.args[i].get()))
      lambda(*given, lambda_types(call, i), scope, env);
  check_lambdas(call);
  if (window_only && !call.over)
    fail(Code::kMissingOver, call.pos,
         fmt::format("Window function system.builtin.{} requires an OVER clause", name));
  for (auto& item : call.order_by) {
    expr(item.key, scope, env);
    const auto type = infer_type(*item.key);
    if (type && !is_orderable(*type))
      fail(Code::kTypeMismatch, call.pos,
           fmt::format("ORDER BY can only be applied to orderable types (actual: {})",
                       type->display()));
  }
  if (call.filter) {
    expr(call.filter, scope, env);
    refuse_aggregates(*call.filter, "FILTER clause");
    check_boolean(*call.filter, "Filter expression");
  }
  if (call.distinct) check_distinct_order(call);
  if (call.over) window(*call.over, scope, env);

  for (const auto& arg : call.args) {
    walk(*arg, false, [&](const Expr& e) {
      if (aggregate && !call.over && is_aggregate(e))
        fail(Code::kNestedAggregation, call.pos,
             fmt::format("Cannot nest aggregations inside aggregation '{}': [{}]", name, shown(e)));
      if (aggregate && !call.over && is_window(e))
        fail(Code::kNestedWindow, call.pos,
             fmt::format("Cannot nest window functions or row pattern measures inside "
                         "aggregation '{}': [{}]",
                         name, shown(e)));
      if (call.over && is_window(e))
        fail(Code::kNestedWindow, e.pos,
             "Cannot nest window functions or row pattern measures inside window function "
             "arguments");
      return true;
    });
  }
  check_form(call, name);
  settle_arguments(call);
}

/// The calls that are syntax in Trino.
void Resolver::check_form(FunctionCall& call, const std::string& name) {
  auto& args = call.args;
  if (name == "coalesce") {
    if (args.size() < 2)
      fail(Code::kSyntaxError, call.pos,
           "The 'coalesce' function must have at least two arguments");
    std::vector<ExprPtr*> slots;
    for (auto& arg : args) slots.push_back(&arg);
    unify(slots, "All COALESCE operands");
  } else if (name == "format") {
    if (args.size() < 2)
      fail(Code::kSyntaxError, call.pos, "The 'format' function must have at least two arguments");
  } else if (name == "if") {
    check_number(call, 2, 3);
    check_boolean(*args[0], "IF condition");
    if (args.size() == 2) return;
    const auto then = infer_type(*args[1]), otherwise = infer_type(*args[2]);
    if (then && otherwise && !common_type(*then, *otherwise))
      fail(Code::kTypeMismatch, call.pos,
           fmt::format("Result types for IF must be the same: {} vs {}", then->display(),
                       otherwise->display()));
    unify({&args[1], &args[2]}, "Result types for IF");
  } else if (name == "array_join") {
    const auto type = infer_type(*args[0]);
    if (type && type->kind == TypeKind::kArray && !has_text(type->children[0]))
      fail(Code::kOperatorNotFound, call.pos,
           fmt::format("Cannot cast {} to varchar", type->children[0].display()));
  } else if (name == "listagg" && !args.empty()) {
    const auto type = infer_type(*args[0]);
    if (type && type->kind != TypeKind::kVarchar && type->kind != TypeKind::kUnknown)
      fail(Code::kTypeMismatch, call.pos,
           fmt::format("Expected expression of varchar, but '{}' has {} type", shown(*args[0]),
                       type->display()));
  } else if (name == "try") {
    check_number(call, 1, 1);
  } else if (name == "nullif") {
    check_number(call, 2, 2);
    const auto a = infer_type(*args[0]), b = infer_type(*args[1]);
    if (a && b && !common_type(*a, *b))
      fail(Code::kTypeMismatch, call.pos,
           fmt::format("Types are not comparable with NULLIF: {} vs {}", a->display(),
                       b->display()));
  } else if (name == "position") {
    for (auto& arg : args) settle(*arg, Type::varchar());
  } else if (name == "greatest" || name == "least") {
    const auto all = infer_type(call);
    for (auto& arg : args) settle(*arg, all.value_or(Type()));
  }
}

void Resolver::predicate(ExprPtr& slot, const Scope& scope, const Env& env, const char* clause) {
  expr(slot, scope, env);
  settle(*slot, Type::of(TypeKind::kBoolean));
  const auto type = infer_type(*slot);
  if (!type || type->kind == TypeKind::kBoolean || type->kind == TypeKind::kUnknown) return;
  fail(Code::kTypeMismatch, slot->pos,
       fmt::format("{} must evaluate to a boolean: actual type {}", clause, type->display()));
}

namespace {

/// The fields of a row are told by its type alone; those without a name have none.
void check_field(const Dereference& path) {
  const auto row = infer_type(*path.base);
  if (!row || row->kind != TypeKind::kRow) return;
  const std::string wanted = lower(path.field.value);
  for (const std::string& field : row->field_names)
    if (lower(field) == wanted) return;
  fail(Code::kInvalidColumnReference, path.pos,
       fmt::format("Column reference '{}' is invalid", path.field.value));
}

}  // namespace

void Resolver::expr(ExprPtr& slot, const Scope& scope, const Env& env) {
  switch (slot->kind) {
    case ExprKind::kIdentifier:
      name(slot, scope);
      return;
    case ExprKind::kDereference:
      if (name(slot, scope)) return;
      expr(as<Dereference>(*slot).base, scope, env);
      return check_field(as<Dereference>(*slot));
    case ExprKind::kParameter:
      return parameter(slot, scope, env);
    case ExprKind::kCurrent:
      return current(slot);
    case ExprKind::kLambda:
      if (!as<Lambda>(*slot).resolved)
        fail(Code::kTypeMismatch, slot->pos,
             "Lambda expression should always be used inside a function");
      return;
    case ExprKind::kSubquery:
      return scalar_subquery(slot, scope, env);
    case ExprKind::kFunction:
      call(as<FunctionCall>(*slot), scope, env);
      return fit_call(slot);
    case ExprKind::kBinaryOp:
      children(*slot, scope, env);
      check_ambiguity(*slot);
      return fit_call(slot);
    case ExprKind::kStar:
      fail(Code::kNotSupported, slot->pos, "* is only valid in a SELECT list");
    default:
      children(*slot, scope, env);
  }
}

void Resolver::children(Expr& e, const Scope& scope, const Env& env) {
  for_each_child(e, [&](ExprPtr& child) { expr(child, scope, env); }, {});
  switch (e.kind) {
    case ExprKind::kExists: {
      query(*as<Exists>(e).query, env, &scope);
      return;
    }
    case ExprKind::kInSubquery:
      return in_subquery(as<InSubquery>(e), scope, env);
    case ExprKind::kQuantified:
      return quantified(as<Quantified>(e), scope, env);
    case ExprKind::kCast:
      check_cast_type(as<Cast>(e));
      return;
    case ExprKind::kTyped:
      type_of_literal(as<TypedLiteral>(e));
      return;
    case ExprKind::kInterval:
      if (is_year_month(as<IntervalLiteral>(e)))
        interval_months(as<IntervalLiteral>(e));
      else
        interval_micros(as<IntervalLiteral>(e));
      return;
    case ExprKind::kDecimal:
      type_of_decimal(as<DecimalLiteral>(e).text, e.pos);
      return;
    default:
      return check_operands(e);
  }
}

}  // namespace meesh::sql
