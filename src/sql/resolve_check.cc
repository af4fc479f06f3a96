#include "sql/resolve_check.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "sql/resolve_types.h"
#include "sql/scope.h"

namespace meesh::sql {
namespace {

[[noreturn]] void mismatch(const Expr& at, std::string message) {
  fail(Code::kTypeMismatch, at.pos, std::move(message));
}

bool unknown(const Type& type) { return type.kind == TypeKind::kUnknown; }
bool is_interval(const Type& t) {
  return t.kind == TypeKind::kIntervalDayToSecond || t.kind == TypeKind::kIntervalYearToMonth;
}

std::string type_list(const std::vector<Type>& types) {
  std::vector<std::string> names;
  for (const auto& type : types)
    if (std::find(names.begin(), names.end(), type.display()) == names.end())
      names.push_back(type.display());
  return fmt::format("[{}]", fmt::join(names, ", "));
}

bool arithmetic_fits(BinaryOperator op, const Type& a, const Type& b) {
  if (unknown(a) || unknown(b)) return true;
  if (is_numeric(a) && is_numeric(b)) return true;
  const bool moments = is_dated(a) || is_time(a), other = is_dated(b) || is_time(b);
  const auto is_months = [](const Type& t) { return t.kind == TypeKind::kIntervalYearToMonth; };
  if ((is_time(a) && is_months(b)) || (is_months(a) && is_time(b))) return false;
  switch (op) {
    case BinaryOperator::kAdd:
      return (moments && is_interval(b)) || (is_interval(a) && other) ||
             (is_interval(a) && a.kind == b.kind);
    case BinaryOperator::kSubtract:
      return (moments && is_interval(b)) || (is_interval(a) && a.kind == b.kind) ||
             (is_dated(a) && is_dated(b)) || (is_time(a) && is_time(b));
    case BinaryOperator::kMultiply:
      return (is_interval(a) && is_numeric(b)) || (is_numeric(a) && is_interval(b));
    case BinaryOperator::kDivide:
      return is_interval(a) && is_numeric(b);
    case BinaryOperator::kModulus:
      return false;
    case BinaryOperator::kConcat:
      return true;  // a function: it says itself what it takes
  }
  return true;
}

const char* sign(BinaryOperator op) {
  switch (op) {
    case BinaryOperator::kAdd:
      return "+";
    case BinaryOperator::kSubtract:
      return "-";
    case BinaryOperator::kMultiply:
      return "*";
    case BinaryOperator::kDivide:
      return "/";
    case BinaryOperator::kModulus:
      return "%";
    case BinaryOperator::kConcat:
      return "||";
  }
  return "";
}

/// Trino knows three comparisons; the others are these with their sides changed.
const char* sign(ComparisonOp op) {
  switch (op) {
    case ComparisonOp::kEq:
    case ComparisonOp::kNe:
      return "=";
    case ComparisonOp::kLt:
    case ComparisonOp::kGt:
      return "<";
    case ComparisonOp::kLe:
    case ComparisonOp::kGe:
      return "<=";
  }
  return "";
}

void check_text(Expr& e, const char* what) {
  settle(e, Type::varchar());
  const auto type = infer_type(e);
  if (!type || unknown(*type) || type->kind == TypeKind::kVarchar || type->kind == TypeKind::kChar)
    return;
  mismatch(e, fmt::format("{} must evaluate to a varchar (actual: {})", what, type->display()));
}

void check_between(const Between& e) {
  const auto value = infer_type(*e.value), low = infer_type(*e.low), high = infer_type(*e.high);
  if (!value || !low || !high) return;
  auto all = common_type(*value, *low);
  if (all) all = common_type(*all, *high);
  if (all && is_orderable(*all)) {
    for (const auto* operand : {&e.value, &e.low, &e.high}) settle(**operand, *all);
    return;
  }
  mismatch(e, fmt::format("Cannot check if {} is BETWEEN {} and {}", value->display(),
                          low->display(), high->display()));
}

void check_subscript(const Subscript& e) {
  const auto base = infer_type(*e.base);
  if (base && base->kind == TypeKind::kArray) settle(*e.index, Type::of(TypeKind::kBigint));
  if (base && base->kind == TypeKind::kMap) settle(*e.index, base->children[0]);
  const auto index = infer_type(*e.index);
  if (!base || !index || unknown(*index) || unknown(*base)) return;
  bool fits = false;
  if (base->kind == TypeKind::kArray || base->kind == TypeKind::kRow)
    fits = is_integral(*index);
  else if (base->kind == TypeKind::kMap)
    fits = common_type(base->children[0], *index).has_value();
  if (!fits)
    mismatch(e,
             fmt::format("Cannot use {} for subscript of {}", index->display(), base->display()));
}

void check_case(Case& e) {
  const auto operand = e.operand ? infer_type(*e.operand) : std::nullopt;
  auto all = operand;
  std::vector<ExprPtr*> results;
  for (auto& [when, then] : e.whens) {
    if (!e.operand) check_boolean(*when, "CASE WHEN clause");
    const auto type = infer_type(*when);
    if (operand && type && !common_type(*operand, *type))
      mismatch(*when,
               fmt::format("CASE operand type does not match WHEN clause operand type: {} vs {}",
                           operand->display(), type->display()));
    all = all && type ? common_type(*all, *type) : std::nullopt;
    results.push_back(&then);
  }
  if (all) {
    settle(*e.operand, *all);
    for (auto& [when, then] : e.whens) settle(*when, *all);
  }
  if (e.otherwise) results.push_back(&e.otherwise);
  unify(results, "All CASE results");
}

void check_in(const In& e) {
  auto all = infer_type(*e.value);
  if (!all) return;
  std::vector<Type> seen = {*all};
  for (const auto& item : e.list) {
    const auto type = infer_type(*item);
    if (!type) return;
    seen.push_back(*type);
  }
  for (size_t i = 1; i < seen.size(); ++i) {
    const auto common = common_type(*all, seen[i]);
    if (!common)
      mismatch(*e.list[i - 1],
               fmt::format("IN value and list items must be the same type or coercible to a common "
                           "type. Cannot find common type between {} and {}, all types (without "
                           "duplicates): {}",
                           all->display(), seen[i].display(), type_list(seen)));
    all = common;
  }
  settle(*e.value, *all);
  for (const auto& item : e.list) settle(*item, *all);
}

void check_extract(const Extract& e) {
  const auto type = infer_type(*e.value);
  if (!type || unknown(*type) || is_dated(*type) || is_time(*type) || is_interval(*type)) return;
  std::string field = e.field;
  for (char& c : field) c = static_cast<char>(c >= 'a' && c <= 'z' ? c - 'a' + 'A' : c);
  mismatch(*e.value, fmt::format("Cannot extract {} from {}", field, type->display()));
}

/// What an operator takes beside a value of the type. Trino finds `x * ?` and `x / ?` ambiguous
/// (the other could be an interval) and takes `text || ?` for an element put to an array; what
/// anyone means is told instead.
Type other_operand(BinaryOperator op, const Type& type) {
  const bool text = type.kind == TypeKind::kVarchar || type.kind == TypeKind::kChar;
  if (op == BinaryOperator::kConcat) return text ? Type::varchar() : Type();
  // Trino's overloads for decimals take any; an unknown one becomes the shortest.
  if (type.kind == TypeKind::kDecimal) return Type::decimal(1, 0);
  return is_numeric(type) ? type : Type();
}

void check_binary(const BinaryOp& e) {
  const auto a = infer_type(*e.left), b = infer_type(*e.right);
  if (a && b && !arithmetic_fits(e.op, *a, *b))
    mismatch(
        e, fmt::format("Cannot apply operator: {} {} {}", a->display(), sign(e.op), b->display()));
  if (b) settle(*e.left, other_operand(e.op, *b));
  if (a) settle(*e.right, other_operand(e.op, *a));
}

void check_comparison(const Expr& e, Expr& left, Expr& right, const char* text) {
  const auto a = infer_type(left), b = infer_type(right);
  if (!a || !b) return;
  auto common = common_type(*a, *b);
  const auto* comparison = try_as<const Comparison>(&e);
  const bool ordered =
      comparison && comparison->op != ComparisonOp::kEq && comparison->op != ComparisonOp::kNe;
  if (common && ordered && !is_orderable(*common)) common.reset();
  if (!common) {
    if (e.kind == ExprKind::kIsDistinctFrom)
      mismatch(e, fmt::format("Cannot check if {} is identical to {}", a->display(), b->display()));
    mismatch(e, fmt::format("Cannot apply operator: {} {} {}", a->display(), text, b->display()));
  }
  settle(left, *common);
  settle(right, *common);
}

}  // namespace

void settle(Expr& e, const Type& type) {
  auto* parameter = try_as<Parameter>(&e);
  if (parameter && type.display().find("unknown") == std::string::npos) parameter->type = type;
}

void check_sort_key(const std::optional<Type>& type, std::string_view key, Position query) {
  if (!type || is_orderable(*type)) return;
  fail(Code::kTypeMismatch, query,
       fmt::format("Type {} is not orderable, and therefore cannot be used in ORDER BY: {}",
                   type->display(), key));
}

void check_boolean(Expr& e, const char* what) {
  settle(e, Type::of(TypeKind::kBoolean));
  const auto type = infer_type(e);
  if (!type || unknown(*type) || type->kind == TypeKind::kBoolean) return;
  mismatch(e, fmt::format("{} must evaluate to a boolean (actual: {})", what, type->display()));
}

void check_operands(Expr& e) {
  switch (e.kind) {
    case ExprKind::kBinaryOp:
      return check_binary(as<BinaryOp>(e));
    case ExprKind::kComparison: {
      const auto& op = as<Comparison>(e);
      return check_comparison(e, *op.left, *op.right, sign(op.op));
    }
    case ExprKind::kIsDistinctFrom:
      return check_comparison(e, *as<IsDistinctFrom>(e).left, *as<IsDistinctFrom>(e).right, "");
    case ExprKind::kBetween:
      return check_between(as<Between>(e));
    case ExprKind::kIn:
      return check_in(as<In>(e));
    case ExprKind::kLike:
      check_text(*as<Like>(e).value, "Left side of LIKE expression");
      check_text(*as<Like>(e).pattern, "Pattern for LIKE expression");
      if (as<Like>(e).escape) check_text(*as<Like>(e).escape, "Escape for LIKE expression");
      return;
    case ExprKind::kNot:
      return check_boolean(*as<Not>(e).value, "Value of logical NOT expression");
    case ExprKind::kLogical:
      for (const auto& term : as<Logical>(e).terms) check_boolean(*term, "Logical expression term");
      return;
    case ExprKind::kUnary: {
      const auto type = infer_type(*as<Unary>(e).value);
      const bool plus = as<Unary>(e).op == UnaryOp::kPlus;
      if (plus && type && !unknown(*type) &&
          (!is_numeric(*type) || type->kind == TypeKind::kDecimal))
        mismatch(e,
                 fmt::format("Unary '+' operator cannot by applied to {} type", type->display()));
      if (type && !unknown(*type) && !is_numeric(*type) && !is_interval(*type))
        mismatch(e, fmt::format("Cannot negate {}", type->display()));
      return;
    }
    case ExprKind::kTrim:
      for (const auto* text : {&as<Trim>(e).value, &as<Trim>(e).characters})
        if (*text) settle(**text, Type::varchar());
      return;
    case ExprKind::kCase:
      return check_case(as<Case>(e));
    case ExprKind::kArray: {
      std::vector<ExprPtr*> items;
      for (auto& item : as<ArrayConstructor>(e).items) items.push_back(&item);
      return unify(items, "All ARRAY elements");
    }
    case ExprKind::kSubscript:
      return check_subscript(as<Subscript>(e));
    case ExprKind::kExtract:
      return check_extract(as<Extract>(e));
    case ExprKind::kAtTimeZone: {
      const Expr& value = *as<AtTimeZone>(e).value;
      const auto type = infer_type(value);
      if (type && !unknown(*type) && !is_time(*type) &&
          (!is_dated(*type) || type->kind == TypeKind::kDate))
        mismatch(value, fmt::format("Type of value must be a time or timestamp with or without "
                                    "time zone (actual {})",
                                    type->display()));
      return;
    }
    default:
      return;
  }
}

void unify(const std::vector<ExprPtr*>& slots, const char* what) {
  std::vector<Type> seen;
  for (const ExprPtr* slot : slots) {
    const auto type = infer_type(**slot);
    if (!type) return;
    seen.push_back(*type);
  }
  if (seen.empty()) return;
  Type all = seen.front();
  for (size_t i = 1; i < seen.size(); ++i) {
    const auto common = common_type(all, seen[i]);
    if (!common)
      mismatch(**slots[i],
               fmt::format("{} must be the same type or coercible to a common type. Cannot find "
                           "common type between {} and {}, all types (without duplicates): {}",
                           what, all.display(), seen[i].display(), type_list(seen)));
    all = *common;
  }
  for (ExprPtr* slot : slots) coerce(*slot, all);
}

bool differ(const Type& a, const Type& b) {
  if (a.kind != b.kind) return true;
  if (a.kind == TypeKind::kVarchar) return false;
  if (a.children.empty()) return a != b;
  if (a.children.size() != b.children.size()) return true;
  for (size_t i = 0; i < a.children.size(); ++i)
    if (differ(a.children[i], b.children[i])) return true;
  return false;
}

void coerce(ExprPtr& slot, const Type& to) {
  settle(*slot, to);
  const auto from = infer_type(*slot);
  if (!from || unknown(*from) || unknown(to) || !differ(*from, to)) return;
  // What holds an unknown (ARRAY[NULL]) takes DuckDB's way.
  if (from->display().find("unknown") != std::string::npos ||
      to.display().find("unknown") != std::string::npos)
    return;
  auto cast = std::make_unique<Cast>();
  cast->pos = slot->pos;
  cast->value = std::move(slot);
  cast->type = parse_type(to.display());
  slot = std::move(cast);
}

void coerce_outputs(QueryBody& body, const std::vector<std::optional<Type>>& types) {
  switch (body.kind) {
    case QueryBodyKind::kSelect: {
      auto& items = as<Select>(body).items;
      for (size_t i = 0; i < items.size() && i < types.size(); ++i)
        if (types[i] && items[i].value->kind != ExprKind::kParameter)  // Trino: `?` stays unknown
          coerce(items[i].value, *types[i]);
      return;
    }
    case QueryBodyKind::kValues:
      for (auto& row : as<Values>(body).rows) {
        auto* cells = try_as<RowConstructor>(row.get());
        if (!cells && types[0]) coerce(row, *types[0]);
        for (size_t i = 0; cells && i < cells->items.size() && i < types.size(); ++i)
          if (types[i]) coerce(cells->items[i], *types[i]);
      }
      return;
    case QueryBodyKind::kSetOperation:
      coerce_outputs(*as<SetOperation>(body).left, types);
      return coerce_outputs(*as<SetOperation>(body).right, types);
    case QueryBodyKind::kQuery:
      return coerce_outputs(*as<QueryInParens>(body).query->body, types);
    case QueryBodyKind::kTable:
      return;
  }
}

}  // namespace meesh::sql
