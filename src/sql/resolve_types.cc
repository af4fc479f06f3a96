#include "sql/resolve_types.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <unordered_map>

#include "sql/resolve_literals.h"
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

std::optional<Type> concat_type(const Type& a, const Type& b) {
  if (a.kind == TypeKind::kVarchar && b.kind == TypeKind::kVarchar) return Type::varchar();
  if (a.kind == TypeKind::kArray && b.kind == TypeKind::kArray) return common_type(a, b);
  return std::nullopt;
}

/// Functions that give a part of a text: as long as it at most.
std::optional<Type> text_of(const std::optional<Type>& from) {
  if (!from || !is_text(*from)) return from ? std::optional(Type::varchar()) : std::nullopt;
  return Type::varchar(from->precision);
}

/// replace(x, y, z) and regexp_replace(x, y, z) have room for z between all letters of x.
std::optional<Type> replaced_type(const std::string& name, const std::optional<Type>& text,
                                  const std::optional<Type>& by) {
  if (!text || text->kind != TypeKind::kVarchar) return std::nullopt;
  const int64_t x = text->precision, z = by ? by->precision : 0;
  if (!by || x == Type::kUnbounded) return text;
  if (by->kind != TypeKind::kVarchar || z == Type::kUnbounded) return Type::varchar();
  const int64_t room = name == "replace" ? x + z * (x + 1) : x + std::max(x * z / 2, z) * (x + 1);
  return Type::varchar(static_cast<int32_t>(std::min<int64_t>(room, Type::kUnbounded)));
}

std::optional<Type> binary_type(const BinaryOp& e) {
  const auto a = infer_type(*e.left);
  const auto b = infer_type(*e.right);
  if (!a || !b) return std::nullopt;
  if (e.op == BinaryOperator::kConcat) {
    return concat_type(*a, *b);
  }
  if (is_numeric(*a) && is_numeric(*b)) {
    const auto common = common_numeric(*a, *b);
    if (common->kind != TypeKind::kDecimal) return common;
    return decimal_result(e.op, *as_decimal(*a), *as_decimal(*b));
  }
  const auto is_interval = [](const Type& t) {
    return t.kind == TypeKind::kIntervalDayToSecond || t.kind == TypeKind::kIntervalYearToMonth;
  };
  // Days to seconds are kept in milliseconds.
  const auto moved = [](Type moment, const Type& interval) {
    if (moment.kind != TypeKind::kDate && interval.kind == TypeKind::kIntervalDayToSecond)
      moment.precision = std::max(3, moment.precision);
    return moment;
  };
  if (is_dated(*a) && is_interval(*b)) return moved(*a, *b);
  if (is_interval(*a) && is_dated(*b) && e.op == BinaryOperator::kAdd) return moved(*b, *a);
  if (is_dated(*a) && is_dated(*b) && e.op == BinaryOperator::kSubtract)
    return Type::of(TypeKind::kIntervalDayToSecond);
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

enum class Rule {
  kBigint,
  kDouble,
  kVarchar,
  kBoolean,
  kDate,
  kFirst,
  kSum,
  kAvg,
  kArrayOfFirst,
  kCommon,
  kSecond,
  kIf,
  kArrayOfText,
  kText,     // varchar as long as the first
  kElement,  // of an array or map
  kConcat,
  kOffset,  // the first, and the third if it is there
  kJson
};

/// Functions whose result type is certain whatever the overload.
const std::unordered_map<std::string, Rule>& rules() {
  static const auto* map =
      new std::unordered_map<std::string, Rule>{{"count", Rule::kBigint},
                                                {"count_if", Rule::kBigint},
                                                {"approx_distinct", Rule::kBigint},
                                                {"row_number", Rule::kBigint},
                                                {"rank", Rule::kBigint},
                                                {"dense_rank", Rule::kBigint},
                                                {"ntile", Rule::kBigint},
                                                {"length", Rule::kBigint},
                                                {"strpos", Rule::kBigint},
                                                {"position", Rule::kBigint},
                                                {"cardinality", Rule::kBigint},
                                                {"year", Rule::kBigint},
                                                {"quarter", Rule::kBigint},
                                                {"month", Rule::kBigint},
                                                {"week", Rule::kBigint},
                                                {"day", Rule::kBigint},
                                                {"day_of_week", Rule::kBigint},
                                                {"day_of_year", Rule::kBigint},
                                                {"hour", Rule::kBigint},
                                                {"minute", Rule::kBigint},
                                                {"second", Rule::kBigint},
                                                {"date_diff", Rule::kBigint},
                                                {"percent_rank", Rule::kDouble},
                                                {"cume_dist", Rule::kDouble},
                                                {"sqrt", Rule::kDouble},
                                                {"ln", Rule::kDouble},
                                                {"log10", Rule::kDouble},
                                                {"exp", Rule::kDouble},
                                                {"power", Rule::kDouble},
                                                {"pi", Rule::kDouble},
                                                {"to_unixtime", Rule::kDouble},
                                                {"upper", Rule::kFirst},
                                                {"lower", Rule::kFirst},
                                                {"substr", Rule::kText},
                                                {"substring", Rule::kText},
                                                {"ltrim", Rule::kText},
                                                {"rtrim", Rule::kText},
                                                {"reverse", Rule::kText},
                                                {"url_decode", Rule::kText},
                                                {"element_at", Rule::kElement},
                                                {"concat", Rule::kConcat},
                                                {"lpad", Rule::kVarchar},
                                                {"rpad", Rule::kVarchar},
                                                {"split_part", Rule::kText},
                                                {"url_extract_host", Rule::kText},
                                                {"url_extract_path", Rule::kText},
                                                {"url_extract_query", Rule::kText},
                                                {"url_extract_fragment", Rule::kText},
                                                {"url_extract_protocol", Rule::kText},
                                                {"url_extract_parameter", Rule::kText},
                                                {"regexp_split", Rule::kArrayOfText},
                                                {"repeat", Rule::kArrayOfFirst},
                                                {"map_concat", Rule::kCommon},
                                                {"date_format", Rule::kVarchar},
                                                {"regexp_extract", Rule::kText},
                                                {"json_extract_scalar", Rule::kText},
                                                {"json_format", Rule::kVarchar},
                                                {"listagg", Rule::kVarchar},
                                                {"to_hex", Rule::kVarchar},
                                                {"starts_with", Rule::kBoolean},
                                                {"regexp_like", Rule::kBoolean},
                                                {"contains", Rule::kBoolean},
                                                {"is_nan", Rule::kBoolean},
                                                {"bool_and", Rule::kBoolean},
                                                {"bool_or", Rule::kBoolean},
                                                {"every", Rule::kBoolean},
                                                {"date", Rule::kDate},
                                                {"min", Rule::kFirst},
                                                {"max", Rule::kFirst},
                                                {"arbitrary", Rule::kFirst},
                                                {"any_value", Rule::kFirst},
                                                {"first_value", Rule::kFirst},
                                                {"last_value", Rule::kFirst},
                                                {"nth_value", Rule::kFirst},
                                                {"lag", Rule::kOffset},
                                                {"lead", Rule::kOffset},
                                                {"min_by", Rule::kFirst},
                                                {"max_by", Rule::kFirst},
                                                {"nullif", Rule::kFirst},
                                                {"try", Rule::kFirst},
                                                {"array_distinct", Rule::kFirst},
                                                {"array_sort", Rule::kFirst},
                                                {"shuffle", Rule::kFirst},
                                                {"slice", Rule::kFirst},
                                                {"filter", Rule::kFirst},
                                                {"array_except", Rule::kFirst},
                                                {"array_intersect", Rule::kFirst},
                                                {"array_remove", Rule::kFirst},
                                                {"array_union", Rule::kFirst},
                                                {"map_filter", Rule::kFirst},
                                                {"sum", Rule::kSum},
                                                {"avg", Rule::kAvg},
                                                {"array_agg", Rule::kArrayOfFirst},
                                                {"date_trunc", Rule::kSecond},
                                                {"coalesce", Rule::kCommon},
                                                {"greatest", Rule::kCommon},
                                                {"least", Rule::kCommon},
                                                {"if", Rule::kIf},
                                                {"split", Rule::kArrayOfText},
                                                {"regexp_extract_all", Rule::kArrayOfText},
                                                {"json_parse", Rule::kJson}};
  return *map;
}

std::optional<Type> sum_type(const Type& arg) {
  if (is_integral(arg)) return Type::of(TypeKind::kBigint);
  if (arg.kind == TypeKind::kDecimal) return Type::decimal(38, arg.scale);
  if (arg.kind == TypeKind::kDouble || arg.kind == TypeKind::kReal) return arg;
  return std::nullopt;
}

std::optional<Type> avg_type(const Type& arg) {
  if (is_integral(arg)) return Type::of(TypeKind::kDouble);
  if (is_numeric(arg)) return arg;
  return std::nullopt;
}

/// Functions that build an array or map from their arguments.
std::optional<Type> container_type(const std::string& name, const FunctionCall& call) {
  const auto arg = [&](size_t i) {
    return i < call.args.size() ? infer_type(*call.args[i]) : std::nullopt;
  };
  const auto first = arg(0);
  if (name == "map" && call.args.size() == 2) {
    const auto values = arg(1);
    if (first && values && first->kind == TypeKind::kArray && values->kind == TypeKind::kArray)
      return Type::map(first->children[0], values->children[0]);
  }
  if (name == "chr") return Type::varchar(1);
  if (name == "soundex") return Type::varchar(4);
  if (name == "to_base") return Type::varchar(64);
  if (!first) return std::nullopt;
  if (name == "url_encode" && first->kind == TypeKind::kVarchar) {
    const int64_t room = int64_t{12} * first->precision;
    return Type::varchar(static_cast<int32_t>(std::min<int64_t>(room, Type::kUnbounded)));
  }
  if (name == "histogram") return Type::map(*first, Type::of(TypeKind::kBigint));
  if (name == "map_agg" || name == "multimap_agg") {
    const auto value = arg(1);
    if (!value) return std::nullopt;
    return Type::map(*first, name == "map_agg" ? *value : Type::array(*value));
  }
  if (name == "transform_values" && first->kind == TypeKind::kMap)
    return Type::map(first->children[0], Type::of(TypeKind::kUnknown));
  if (name == "replace" || name == "regexp_replace")
    return call.args.size() < 3 ? first
                                : (arg(2) ? replaced_type(name, first, arg(2)) : std::nullopt);
  if (name == "map_keys" && first->kind == TypeKind::kMap) return Type::array(first->children[0]);
  if (name == "map_values" && first->kind == TypeKind::kMap) return Type::array(first->children[1]);
  if (name == "map_entries" && first->kind == TypeKind::kMap)
    return Type::array(Type::row({"", ""}, first->children));
  if (name == "flatten" && first->kind == TypeKind::kArray) return first->children[0];
  if (name == "sequence" && is_integral(*first)) return Type::array(Type::of(TypeKind::kBigint));
  if (name == "sequence" && is_dated(*first)) return Type::array(*first);
  if (name == "zip") {
    std::vector<Type> fields;
    for (size_t i = 0; i < call.args.size(); ++i) {
      const auto item = i ? arg(i) : first;
      if (!item || item->kind != TypeKind::kArray) return std::nullopt;
      fields.push_back(item->children[0]);
    }
    std::vector<std::string> names(fields.size());
    return Type::array(Type::row(std::move(names), std::move(fields)));
  }
  if (name == "transform" && call.args.size() == 2) {
    if (const auto* lambda = try_as<Lambda>(call.args[1].get()))
      if (const auto body = shape_of(*lambda->body)) return Type::array(*body);
  }
  return std::nullopt;
}

std::optional<Type> call_type(const FunctionCall& call) {
  const std::string name = lower(call.name.back().value);
  const auto arg = [&](size_t i) {
    return i < call.args.size() ? infer_type(*call.args[i]) : std::nullopt;
  };
  const auto rule = rules().find(name);
  if (rule == rules().end()) return container_type(name, call);
  switch (rule->second) {
    case Rule::kBigint:
      return Type::of(TypeKind::kBigint);
    case Rule::kDouble:
      return Type::of(TypeKind::kDouble);
    case Rule::kVarchar:
      return Type::varchar();
    case Rule::kBoolean:
      return Type::of(TypeKind::kBoolean);
    case Rule::kDate:
      return Type::of(TypeKind::kDate);
    case Rule::kJson:
      return Type::of(TypeKind::kJson);
    case Rule::kFirst: {
      // max(x, n) and friends give arrays.
      const bool by = name == "min_by" || name == "max_by";
      const bool extreme = name == "min" || name == "max";
      if ((by && call.args.size() > 2) || (extreme && call.args.size() > 1)) {
        const auto item = arg(0);
        return item ? std::optional(Type::array(*item)) : std::nullopt;
      }
      return arg(0);
    }
    case Rule::kSecond:
      return arg(1);
    case Rule::kSum: {
      const auto item = arg(0);
      return item ? sum_type(*item) : std::nullopt;
    }
    case Rule::kAvg: {
      const auto item = arg(0);
      return item ? avg_type(*item) : std::nullopt;
    }
    case Rule::kArrayOfFirst: {
      const auto item = arg(0);
      return item ? std::optional(Type::array(*item)) : std::nullopt;
    }
    case Rule::kText:
      return text_of(arg(0));
    case Rule::kArrayOfText: {
      const auto text = text_of(arg(0));
      return text ? std::optional(Type::array(*text)) : std::nullopt;
    }
    case Rule::kElement: {
      const auto from = arg(0);
      if (!from || (from->kind != TypeKind::kArray && from->kind != TypeKind::kMap))
        return std::nullopt;
      return from->children.back();
    }
    case Rule::kConcat: {
      std::optional<Type> joined = arg(0);
      for (size_t i = 1; i < call.args.size() && joined; ++i) {
        const auto next = arg(i);
        joined = next ? concat_type(*joined, *next) : std::nullopt;
      }
      return joined;
    }
    case Rule::kOffset: {
      const auto value = arg(0);
      if (!value || call.args.size() < 3) return value;
      const auto otherwise = arg(2);
      return otherwise ? common_type(*value, *otherwise) : std::nullopt;
    }
    case Rule::kCommon:
      return common_of(pointers(call.args));
    case Rule::kIf:
      return common_of(pointers(call.args, 1));
  }
  return std::nullopt;
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
    case ExprKind::kTrim:
      return text_of(infer_type(*as<Trim>(e).value));
    case ExprKind::kAtTimeZone: {
      const auto value = infer_type(*as<AtTimeZone>(e).value);
      if (!value) return std::nullopt;
      if (value->kind == TypeKind::kTimestamp)
        return Type::of(TypeKind::kTimestampTz, value->precision);
      return value;
    }
    case ExprKind::kSubquery:
      return as<SubqueryExpr>(e).type;
    case ExprKind::kParameter:
      return as<Parameter>(e).type.value_or(Type::of(TypeKind::kUnknown));
    case ExprKind::kIdentifier:
    case ExprKind::kStar:
    case ExprKind::kLambda:
    case ExprKind::kJsonFunction:
      return std::nullopt;
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
