#include "sql/resolve_types.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "sql/resolve_literals.h"
#include "sql/routine.h"
#include "sql/scope.h"
#include "sql/sql.h"

namespace meesh::sql {

namespace {

std::optional<Type> field_type(const Type& row, const std::string& field) {
  if (row.kind != TypeKind::kRow) return std::nullopt;
  for (size_t i = 0; i < row.children.size(); ++i)
    if (lower(row.field_names[i]) == lower(field)) return row.children[i];
  return std::nullopt;
}

Type literal_varchar(const std::string& text) {
  int32_t length = 0;
  for (char c : text) length += (static_cast<unsigned char>(c) & 0xC0) != 0x80;
  return Type::varchar(length);
}

std::optional<Type> decimal_result(BinaryOperator op, const Type& a, const Type& b) {
  const auto clamp = [](int32_t p, int32_t s) -> std::optional<Type> {
    if (s > 38) return std::nullopt;
    return Type::decimal(std::min(38, p), s);
  };
  switch (op) {
    case BinaryOperator::kAdd:
    case BinaryOperator::kSubtract: {
      const int32_t s = std::max(a.scale, b.scale);
      return clamp(std::max(a.precision - a.scale, b.precision - b.scale) + s + 1, s);
    }
    case BinaryOperator::kMultiply:
      return clamp(a.precision + b.precision, a.scale + b.scale);
    case BinaryOperator::kDivide:
      return clamp(a.precision + b.scale + std::max(b.scale - a.scale, 0),
                   std::max(a.scale, b.scale));
    case BinaryOperator::kModulus: {
      const int32_t s = std::max(a.scale, b.scale);
      return clamp(std::min(b.precision - b.scale, a.precision - a.scale) + s, s);
    }
    case BinaryOperator::kConcat:
      return std::nullopt;
  }
  return std::nullopt;
}

std::optional<Type> binary_type(const BinaryOp& e) {
  const auto a = infer_type(*e.left);
  const auto b = infer_type(*e.right);
  if (!a || !b) return std::nullopt;
  if (e.op == BinaryOperator::kConcat) {
    return concat_type(*a, *b);
  }
  if (is_numeric(*a) && is_numeric(*b)) return arithmetic_type(e.op, *a, *b);
  const auto is_interval = [](const Type& t) {
    return t.kind == TypeKind::kIntervalDayToSecond || t.kind == TypeKind::kIntervalYearToMonth;
  };
  // Days to seconds are kept in milliseconds.
  const auto moved = [](Type moment, const Type& interval) {
    if (moment.kind != TypeKind::kDate && interval.kind == TypeKind::kIntervalDayToSecond)
      moment.precision = std::max(3, moment.precision);
    return moment;
  };
  const bool add = e.op == BinaryOperator::kAdd, subtract = e.op == BinaryOperator::kSubtract;
  const auto in_time = [](const Type& t) { return is_dated(t) || is_time(t); };
  if (in_time(*a) && is_interval(*b) && (add || subtract)) return moved(*a, *b);
  if (is_interval(*a) && in_time(*b) && add) return moved(*b, *a);
  if (subtract && ((is_dated(*a) && is_dated(*b)) || (is_time(*a) && is_time(*b))))
    return Type::of(TypeKind::kIntervalDayToSecond);
  if (is_interval(*a) && a->kind == b->kind && (add || subtract)) return a;
  const bool multiply = e.op == BinaryOperator::kMultiply;
  if (is_interval(*a) && is_numeric(*b) && (multiply || e.op == BinaryOperator::kDivide)) return a;
  if (is_numeric(*a) && is_interval(*b) && multiply) return b;
  return std::nullopt;
}

/// The common type of several; nullopt if one is unknown to us or they do not fit.
template <class Range>
std::optional<Type> common_of(const Range& exprs) {
  std::optional<Type> out;
  for (const Expr* e : exprs) {
    const auto type = infer_type(*e);
    if (!type) return std::nullopt;
    out = out ? common_type(*out, *type) : type;
    if (!out) return std::nullopt;
  }
  return out;
}

std::vector<const Expr*> pointers(const std::vector<ExprPtr>& exprs, size_t from = 0) {
  std::vector<const Expr*> out;
  for (size_t i = from; i < exprs.size(); ++i) out.push_back(exprs[i].get());
  return out;
}

std::optional<Type> case_type(const Case& e) {
  std::vector<const Expr*> results;
  for (const auto& [when, then] : e.whens) results.push_back(then.get());
  if (e.otherwise) results.push_back(e.otherwise.get());
  return common_of(results);
}

std::optional<Type> row_constructor_type(const RowConstructor& e) {
  std::vector<std::string> names;
  std::vector<Type> types;
  for (size_t i = 0; i < e.items.size(); ++i) {
    const auto item = infer_type(*e.items[i]);
    types.push_back(item ? *item : Type::of(TypeKind::kUnknown));
    if (!item) return std::nullopt;
    names.push_back(i < e.names.size() && e.names[i] ? e.names[i]->value : "");
  }
  return Type::row(std::move(names), std::move(types));
}

std::optional<Type> subscript_type(const Subscript& e) {
  const auto base = infer_type(*e.base);
  if (!base) return std::nullopt;
  if (base->kind == TypeKind::kArray) return base->children[0];
  if (base->kind == TypeKind::kMap) return base->children[1];
  const auto* index = try_as<IntegerLiteral>(e.index.get());
  if (base->kind == TypeKind::kRow && index && index->value >= 1 &&
      index->value <= base->children.size())
    return base->children[index->value - 1];
  return std::nullopt;
}

std::optional<Type> current_type(const Current& e) {
  const int p = e.precision.value_or(3);
  if (e.what == "current_date") return Type::of(TypeKind::kDate);
  if (e.what == "current_timestamp") return Type::of(TypeKind::kTimestampTz, p);
  if (e.what == "localtimestamp") return Type::of(TypeKind::kTimestamp, p);
  if (e.what == "current_time") return Type::of(TypeKind::kTimeTz, p);
  if (e.what == "localtime") return Type::of(TypeKind::kTime, p);
  return Type::varchar();
}

}  // namespace

std::optional<Type> arithmetic_type(BinaryOperator op, const Type& a, const Type& b) {
  if (!is_numeric(a) || !is_numeric(b)) return std::nullopt;
  const auto common = common_numeric(a, b);
  if (common->kind != TypeKind::kDecimal) return common;
  return decimal_result(op, *as_decimal(a), *as_decimal(b));
}

std::optional<Type> concat_type(const Type& a, const Type& b) {
  const auto null = [](const Type& t) { return t.kind == TypeKind::kUnknown; };
  if (null(a) != null(b)) {
    // An element beside NULL: the overload for an element and an array is the only one that takes
    // it as it is, unless a text or bytes are exactly what another takes.
    const Type& other = null(a) ? b : a;
    const bool exact = other.kind == TypeKind::kVarbinary || other.kind == TypeKind::kChar ||
                       other == Type::varchar();
    if (other.kind == TypeKind::kArray) return other;
    return exact ? std::nullopt : std::optional(Type::array(other));
  }
  const bool arrays = a.kind == TypeKind::kArray || b.kind == TypeKind::kArray;
  if (arrays) {
    if (a.kind == b.kind)
      if (auto both = common_type(a, b)) return both;
    for (const auto& [array, element] : {std::pair(&a, &b), std::pair(&b, &a)}) {
      if (array->kind != TypeKind::kArray) continue;
      if (auto common = common_type(array->children[0], *element)) return Type::array(*common);
    }
    return std::nullopt;
  }
  if (a.kind == TypeKind::kVarbinary && b.kind == TypeKind::kVarbinary) return a;
  if (!is_text(a) || !is_text(b)) return std::nullopt;
  if (a.kind == TypeKind::kVarchar && b.kind == TypeKind::kVarchar) return Type::varchar();
  const int64_t length = int64_t{a.precision} + b.precision;
  constexpr int32_t kLongestChar = 65536;
  if (a.precision == Type::kUnbounded || b.precision == Type::kUnbounded) return Type::varchar();
  return Type::of(TypeKind::kChar, static_cast<int32_t>(std::min<int64_t>(length, kLongestChar)));
}

std::optional<Type> declared_type(const Expr& expr) {
  switch (expr.kind) {
    case ExprKind::kColumnRef:
      return as<ColumnRef>(expr).type;
    case ExprKind::kCast:
      return to_type(*as<Cast>(expr).type);
    case ExprKind::kString:
      return literal_varchar(as<StringLiteral>(expr).value);
    case ExprKind::kDereference: {
      const auto base = declared_type(*as<Dereference>(expr).base);
      return base ? field_type(*base, as<Dereference>(expr).field.value) : std::nullopt;
    }
    default:
      return std::nullopt;
  }
}

std::optional<Type> infer_type(const Expr& e) {
  switch (e.kind) {
    case ExprKind::kNull:
      return Type::of(TypeKind::kUnknown);
    case ExprKind::kInteger:
      return Type::of(as<IntegerLiteral>(e).value <= 2147483647 ? TypeKind::kInteger
                                                                : TypeKind::kBigint);
    case ExprKind::kDecimal:
      return type_of_decimal(as<DecimalLiteral>(e).text, e.pos);
    case ExprKind::kDouble:
      return Type::of(TypeKind::kDouble);
    case ExprKind::kBinary:
      return Type::of(TypeKind::kVarbinary);
    case ExprKind::kTyped:
      return type_of_literal(as<TypedLiteral>(e));
    case ExprKind::kInterval:
      return Type::of(is_year_month(as<IntervalLiteral>(e)) ? TypeKind::kIntervalYearToMonth
                                                            : TypeKind::kIntervalDayToSecond);
    case ExprKind::kString:
    case ExprKind::kCast:
      return declared_type(e);
    case ExprKind::kColumnRef:
      return as<ColumnRef>(e).type ? as<ColumnRef>(e).type : as<ColumnRef>(e).inferred;
    case ExprKind::kDereference: {
      const auto base = infer_type(*as<Dereference>(e).base);
      return base ? field_type(*base, as<Dereference>(e).field.value) : std::nullopt;
    }
    case ExprKind::kUnary: {
      const auto* literal = try_as<IntegerLiteral>(as<Unary>(e).value.get());
      if (literal && literal->value == 2147483648 && as<Unary>(e).op == UnaryOp::kMinus)
        return Type::of(TypeKind::kInteger);
      return infer_type(*as<Unary>(e).value);
    }
    case ExprKind::kBinaryOp:
      return binary_type(as<BinaryOp>(e));
    case ExprKind::kBoolean:
    case ExprKind::kComparison:
    case ExprKind::kLogical:
    case ExprKind::kNot:
    case ExprKind::kIsNull:
    case ExprKind::kIsDistinctFrom:
    case ExprKind::kBetween:
    case ExprKind::kIn:
    case ExprKind::kInSubquery:
    case ExprKind::kLike:
    case ExprKind::kExists:
    case ExprKind::kQuantified:
      return Type::of(TypeKind::kBoolean);
    case ExprKind::kCase:
      return case_type(as<Case>(e));
    case ExprKind::kFunction:
      if (as<FunctionCall>(e).routine) return as<FunctionCall>(e).routine->returns;
      return call_type(as<FunctionCall>(e));
    case ExprKind::kExtract:
      return Type::of(TypeKind::kBigint);
    case ExprKind::kGrouping:
      return Type::of(TypeKind::kInteger);
    case ExprKind::kCurrent:
      return current_type(as<Current>(e));
    case ExprKind::kArray: {
      const auto& items = as<ArrayConstructor>(e).items;
      if (items.empty()) return Type::array(Type::of(TypeKind::kUnknown));
      const auto item = common_of(pointers(items));
      return item ? std::optional(Type::array(*item)) : std::nullopt;
    }
    case ExprKind::kRow:
      return row_constructor_type(as<RowConstructor>(e));
    case ExprKind::kSubscript:
      return subscript_type(as<Subscript>(e));
    case ExprKind::kTrim: {
      const auto text = infer_type(*as<Trim>(e).value);
      if (text && is_text(*text)) return Type::varchar(text->precision);
      return text && text->kind == TypeKind::kUnknown ? std::optional(Type::varchar(0))
                                                      : std::nullopt;
    }
    case ExprKind::kAtTimeZone: {
      const auto value = infer_type(*as<AtTimeZone>(e).value);
      if (!value) return std::nullopt;
      if (value->kind == TypeKind::kTimestamp)
        return Type::of(TypeKind::kTimestampTz, value->precision);
      if (value->kind == TypeKind::kTime) return Type::of(TypeKind::kTimeTz, value->precision);
      return value;
    }
    case ExprKind::kSubquery:
      return as<SubqueryExpr>(e).type;
    case ExprKind::kParameter:
      return as<Parameter>(e).type.value_or(Type::of(TypeKind::kUnknown));
    case ExprKind::kIdentifier:
    case ExprKind::kStar:
    case ExprKind::kLambda:
      return std::nullopt;
    case ExprKind::kJsonFunction: {
      const auto& json = as<JsonFunction>(e);
      if (json.name == "json_exists") return Type::of(TypeKind::kBoolean);
      return json.returning ? to_type(*json.returning) : Type::varchar();
    }
  }
  return std::nullopt;
}

std::optional<Type> shape_of(const Expr& expr) {
  if (auto type = infer_type(expr)) return type;
  if (const auto* row = try_as<const RowConstructor>(&expr)) {
    std::vector<std::string> names;
    for (size_t i = 0; i < row->items.size(); ++i)
      names.push_back(i < row->names.size() && row->names[i] ? row->names[i]->value : "");
    return Type::row(std::move(names),
                     std::vector<Type>(row->items.size(), Type::of(TypeKind::kUnknown)));
  }
  if (const auto* array = try_as<const ArrayConstructor>(&expr)) {
    const auto item = array->items.empty() ? std::nullopt : shape_of(*array->items[0]);
    return Type::array(item ? *item : Type::of(TypeKind::kUnknown));
  }
  const auto* call = try_as<const FunctionCall>(&expr);
  if (!call) return std::nullopt;
  const FunctionInfo* info = find_function(call->name.back().value);
  if (!info) return std::nullopt;
  try {
    return Type::parse(info->return_type);
  } catch (const Error&) {
    // A generic type such as array(T): its outside is all that is needed.
  }
  if (info->return_type.starts_with("map(")) {
    const Type unknown = Type::of(TypeKind::kUnknown);
    return Type::map(unknown, unknown);
  }
  if (info->return_type.starts_with("array(") && !info->return_type.starts_with("array(row"))
    return Type::array(Type::of(TypeKind::kUnknown));
  return std::nullopt;
}

}  // namespace meesh::sql
