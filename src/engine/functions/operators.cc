// Operators: + - * / % || and unary minus, comparisons, IN, BETWEEN, LIKE, subscripts. Comparisons
// become DuckDB's own, so that joins hash and filters push down.
#include "duckdb/planner/expression/list.hpp"
#include "engine/functions/coercion.h"
#include "engine/functions/comparisons.h"
#include "engine/functions/decimals.h"
#include "engine/functions/floating.h"
#include "engine/functions/moments.h"
#include "engine/functions/rules.h"
#include "engine/functions/time_tz.h"
#include "engine/functions/zones.h"

namespace meesh::engine {
namespace {

using duckdb::ExpressionType;
using duckdb::LogicalType;
using duckdb::LogicalTypeId;
using duckdb::make_uniq;
using duckdb::Value;
using sql::Type;
using sql::TypeKind;

Exprs two(ExprPtr a, ExprPtr b) {
  Exprs out;
  out.push_back(std::move(a));
  out.push_back(std::move(b));
  return out;
}

[[noreturn]] void cannot_apply(const char* sign, const Exprs& args) {
  raise(Code::kTypeMismatch,
        "Cannot apply operator: " + shown(type_of(*args[0])) + " " + sign + " " +
            shown(type_of(*args[1])),
        args[0].get());
}

bool is_interval(const Type& type) {
  return type.kind == TypeKind::kIntervalDayToSecond || type.kind == TypeKind::kIntervalYearToMonth;
}

// ---------------------------------------------------------------- numbers

template <class T, class F>
void binary_kernel(duckdb::DataChunk& args, duckdb::Vector& result, F function) {
  duckdb::BinaryExecutor::Execute<T, T, T>(args.data[0], args.data[1], result, args.size(),
                                           function);
}

template <class T>
duckdb::scalar_function_t integer_division(bool modulus, const char* type_name) {
  return [modulus, type_name](duckdb::DataChunk& chunk, duckdb::ExpressionState&,
                              duckdb::Vector& result) {
    binary_kernel<T>(chunk, result, [modulus, type_name](T a, T b) -> T {
      if (b == 0) division_by_zero();
      if (b == -1) {
        if (modulus) return 0;
        if (a == std::numeric_limits<T>::min()) {
          raise(Code::kNumericValueOutOfRange,
                std::string(type_name) + " division overflow: " + std::to_string(a) + " / -1");
        }
      }
      return static_cast<T>(modulus ? a % b : a / b);
    });
  };
}

/// Division of integers: DuckDB's own when the divisor is a constant other than 0 and -1.
ExprPtr integer_divide(const Build& build, Exprs args, const LogicalType& type, bool modulus) {
  for (auto& arg : args) arg = build.native_cast(std::move(arg), type);
  if (build.is_constant(*args[1])) {
    auto divisor = build.constant_value(*args[1]);
    if (!divisor.IsNull() && divisor.GetValue<int64_t>() > 0) {
      return build.call(modulus ? "%" : "//", std::move(args));
    }
  }
  duckdb::scalar_function_t function;
  switch (type.id()) {
    case LogicalTypeId::TINYINT:
      function = integer_division<int8_t>(modulus, "tinyint");
      break;
    case LogicalTypeId::SMALLINT:
      function = integer_division<int16_t>(modulus, "smallint");
      break;
    case LogicalTypeId::INTEGER:
      function = integer_division<int32_t>(modulus, "integer");
      break;
    default:
      function = integer_division<int64_t>(modulus, "bigint");
      break;
  }
  duckdb::ScalarFunction kernel(modulus ? "meesh_modulus" : "meesh_divide", {type, type}, type,
                                std::move(function));
  kernel.SetFallible();
  return build.kernel(std::move(kernel), std::move(args));
}

/// Both sides numeric: the native operator at Trino's type.
ExprPtr numeric(const Build& build, const char* sign, Exprs args) {
  const Type a = type_of(*args[0]), b = type_of(*args[1]);
  Type common = *common_type(a, b);
  if (common.kind == TypeKind::kDecimal) return decimal_operation(build, sign, std::move(args));
  const auto type = to_duckdb(common);
  if (is_integral(common) && (*sign == '/' || *sign == '%')) {
    return integer_divide(build, std::move(args), type, *sign == '%');
  }
  // Trino moves a constant to the right of what is none, which errors show.
  const auto constant = [&](size_t i) {
    return args[i]->return_type == type && build.is_constant(*args[i]);
  };
  if ((*sign == '+' || *sign == '*') && constant(0) && !constant(1)) std::swap(args[0], args[1]);
  for (auto& arg : args) arg = build.native_cast(std::move(arg), type);
  return build.call(sign, std::move(args));
}

// ---------------------------------------------------------------- dates, times, intervals

ExprPtr scale_interval(const Build& build, ExprPtr interval, ExprPtr factor, bool divide) {
  const bool months = type_of(*interval).kind == TypeKind::kIntervalYearToMonth;
  const auto type = interval->return_type;
  duckdb::ScalarFunction function(
      divide ? "meesh_interval_divide" : "meesh_interval_multiply",
      {LogicalType::INTERVAL, LogicalType::DOUBLE}, LogicalType::INTERVAL,
      [divide, months](duckdb::DataChunk& chunk, duckdb::ExpressionState&, duckdb::Vector& result) {
        duckdb::BinaryExecutor::Execute<duckdb::interval_t, double, duckdb::interval_t>(
            chunk.data[0], chunk.data[1], result, chunk.size(),
            [divide, months](duckdb::interval_t i, double f) {
              if (divide && f == 0) division_by_zero();
              duckdb::interval_t out{};
              if (months) {
                out.months = static_cast<int32_t>(divide ? i.months / f : i.months * f);
              } else {
                const double millis =
                    (i.days * 86400000.0 + static_cast<double>(i.micros) / 1000.0);
                const double scaled = divide ? millis / f : millis * f;
                if (!(std::abs(scaled) < 9e15))
                  raise(Code::kNumericValueOutOfRange, "interval overflow");
                out.micros = static_cast<int64_t>(scaled) * 1000;
              }
              return out;
            });
      });
  function.SetFallible();
  factor = build.native_cast(std::move(factor), LogicalType::DOUBLE);
  return build.relabel(
      build.kernel(std::move(function), two(build.plain(std::move(interval)), std::move(factor))),
      type);
}

bool is_moment(const Type& type) {
  return type.kind == TypeKind::kDate || type.kind == TypeKind::kTimestamp ||
         type.kind == TypeKind::kTimestampTz;
}

bool is_clock(const Type& type) {
  return type.kind == TypeKind::kTime || type.kind == TypeKind::kTimeTz;
}

/// Whether an interval of the other type can be added: to a clock's time no months.
bool is_shifted_by(const Type& type, const Type& interval) {
  return is_interval(interval) &&
         (is_moment(type) || (is_clock(type) && interval.kind == TypeKind::kIntervalDayToSecond));
}

ExprPtr arithmetic(const Build& build, const char* sign, Exprs args) {
  Type a = type_of(*args[0]), b = type_of(*args[1]);
  if (a.kind == TypeKind::kUnknown && b.kind == TypeKind::kUnknown)
    return build.constant(Value(LogicalType::INTEGER));
  if (a.kind == TypeKind::kUnknown || b.kind == TypeKind::kUnknown) {
    const int null = a.kind == TypeKind::kUnknown ? 0 : 1;
    const Type other = null ? a : b;
    if (is_numeric(other) || is_interval(other)) {
      args[null] =
          build.native_cast(std::move(args[null]), plain_type(args[1 - null]->return_type));
    } else if (is_moment(other) || is_clock(other)) {
      return build.constant(Value(args[1 - null]->return_type));
    }
    a = type_of(*args[0]), b = type_of(*args[1]);
  }
  if (is_numeric(a) && is_numeric(b)) return numeric(build, sign, std::move(args));
  const bool plus = *sign == '+', minus = *sign == '-';
  if (plus || minus) {
    if (is_shifted_by(a, b)) return shift(build, sign, std::move(args[0]), std::move(args[1]));
    if (plus && is_shifted_by(b, a))
      return shift(build, sign, std::move(args[1]), std::move(args[0]));
    if (is_interval(a) && a.kind == b.kind) {
      const auto type = args[0]->return_type;
      for (auto& arg : args) arg = build.plain(std::move(arg));
      return build.relabel(build.call(sign, std::move(args)), type);
    }
    if (minus && ((is_moment(a) && is_moment(b)) || (is_clock(a) && is_clock(b))))
      return difference(build, std::move(args));
  }
  if (*sign == '*' && is_interval(a) && is_numeric(b))
    return scale_interval(build, std::move(args[0]), std::move(args[1]), false);
  if (*sign == '*' && is_interval(b) && is_numeric(a))
    return scale_interval(build, std::move(args[1]), std::move(args[0]), false);
  if (*sign == '/' && is_interval(a) && is_numeric(b))
    return scale_interval(build, std::move(args[0]), std::move(args[1]), true);
  cannot_apply(sign, args);
}

ExprPtr add(const Build& b, Exprs args) { return arithmetic(b, "+", std::move(args)); }
ExprPtr subtract(const Build& b, Exprs args) { return arithmetic(b, "-", std::move(args)); }
ExprPtr multiply(const Build& b, Exprs args) { return arithmetic(b, "*", std::move(args)); }
ExprPtr divide(const Build& b, Exprs args) { return arithmetic(b, "/", std::move(args)); }
ExprPtr modulus(const Build& b, Exprs args) { return arithmetic(b, "%", std::move(args)); }

/// Unary plus; decimals have none in Trino.
ExprPtr plus(const Build&, Exprs args) {
  const Type type = type_of(*args[0]);
  if (type.kind != TypeKind::kUnknown && (!is_numeric(type) || type.kind == TypeKind::kDecimal))
    raise(Code::kTypeMismatch,
          "Unary '+' operator cannot by applied to " + type.display() + " type", args[0].get());
  return std::move(args[0]);
}

ExprPtr negate(const Build& build, Exprs args) {
  const Type type = type_of(*args[0]);
  if (type.kind == TypeKind::kUnknown) return build.constant(Value(LogicalType::INTEGER));
  if (is_integral(type)) {  // 0 - x reports overflow with its operand
    auto zero = build.native_cast(build.constant(Value::INTEGER(0)), args[0]->return_type);
    return build.call("-", std::move(zero), std::move(args[0]));
  }
  if (is_numeric(type)) return build.call("-", std::move(args[0]));
  if (is_interval(type)) {
    const auto label = args[0]->return_type;
    return build.relabel(build.call("-", build.plain(std::move(args[0]))), label);
  }
  raise(Code::kTypeMismatch, "Cannot negate " + shown(type), args[0].get());
}

// ---------------------------------------------------------------- comparisons

ExprPtr negated(ExprPtr condition) {
  auto made = make_uniq<duckdb::BoundOperatorExpression>(ExpressionType::OPERATOR_NOT,
                                                         LogicalType::BOOLEAN);
  made->children.push_back(std::move(condition));
  return made;
}

/// Brings both sides to one type for comparing; false if there is none.
bool align(const Build& build, Exprs& args) {
  std::optional<Type> common = type_of(*args[0]);
  bool chars = common->kind == TypeKind::kChar, same = true;
  for (size_t i = 1; i < args.size(); ++i) {
    const Type type = type_of(*args[i]);
    chars = chars || type.kind == TypeKind::kChar;
    same = same && type == *common;
    common = common_type(*common, type);
    if (!common) return false;
  }
  if (chars && !same) {  // trailing spaces do not count
    for (auto& arg : args) {
      arg = build.native_cast(build.plain(std::move(arg)), LogicalType::VARCHAR);
      arg = build.call("rtrim", std::move(arg), build.constant(Value(" ")));
    }
    return true;
  }
  if (common->kind == TypeKind::kTimestampTz && has_zoned(args, 0)) {
    for (auto& arg : args)
      arg = comparable_instant(build, build.trino_cast(std::move(arg), *common));
    return true;
  }
  const auto target = to_duckdb(*common);
  for (auto& arg : args) {
    arg = build.plain(build.coerce(std::move(arg), target));
    if (common->kind == TypeKind::kTimeTz) arg = comparable_time(build, std::move(arg));
  }
  return true;
}

/// A row that is made of its fields right here; null if it is not.
const Exprs* fields_of(const duckdb::Expression& value) {
  if (value.GetExpressionClass() != duckdb::ExpressionClass::BOUND_FUNCTION) return nullptr;
  const auto& call = value.Cast<duckdb::BoundFunctionExpression>();
  return call.function.name == "row" || call.function.name == "struct_pack" ? &call.children
                                                                            : nullptr;
}

/// What a comparison is for.
enum class Use {
  kAnything,
  kOuterJoin,  // a condition of it, for which unknown is as good as false: a single comparison
               // of DuckDB's, as only those are hashed
};

/// (a, b) = (c, d): field by field, so that joins can hash each. Null if they are no such rows.
ExprPtr equal_fields(const Build& build, const Exprs& args, Use use) {
  const Exprs *left = fields_of(*args[0]), *right = fields_of(*args[1]);
  if (!left || !right || left->empty() || left->size() != right->size()) return nullptr;
  auto all = make_uniq<duckdb::BoundConjunctionExpression>(ExpressionType::CONJUNCTION_AND);
  for (size_t i = 0; i < left->size(); ++i)
    all->children.push_back(build.call(use == Use::kOuterJoin ? "trino_on_eq" : "trino_eq",
                                       two((*left)[i]->Copy(), (*right)[i]->Copy())));
  if (all->children.size() == 1) return std::move(all->children[0]);
  return all;
}

/// Arrays, maps and rows, aligned.
ExprPtr compare_nested(const Build& build, ExpressionType type, Exprs args) {
  switch (type) {
    case ExpressionType::COMPARE_EQUAL:
      return nested_equal(build, std::move(args[0]), std::move(args[1]));
    case ExpressionType::COMPARE_NOTEQUAL:
      return negated(nested_equal(build, std::move(args[0]), std::move(args[1])));
    case ExpressionType::COMPARE_DISTINCT_FROM:
    case ExpressionType::COMPARE_NOT_DISTINCT_FROM:
      return build.compare(type, sorted_maps(build, std::move(args[0])),
                           sorted_maps(build, std::move(args[1])));
    default:
      return build.compare(type, nested_order(build, std::move(args[0]), std::move(args[1])),
                           build.constant(Value::INTEGER(0)));
  }
}

ExprPtr compare(const Build& build, const char* sign, ExpressionType type, Exprs args,
                Use use = Use::kAnything) {
  const auto location = args[0]->GetQueryLocation();
  const bool ordered = *sign == '<';
  const auto common = common_type(type_of(*args[0]), type_of(*args[1]));
  if (!common || (ordered && !is_orderable(*common))) cannot_apply(sign, args);
  ExprPtr made;
  if (type == ExpressionType::COMPARE_EQUAL) made = equal_fields(build, args, use);
  if (!made) {
    align(build, args);
    const bool nested = common->kind == TypeKind::kArray || common->kind == TypeKind::kMap ||
                        common->kind == TypeKind::kRow;
    const bool key = use == Use::kOuterJoin &&
                     (nested ? type == ExpressionType::COMPARE_EQUAL : is_floating(*args[0]));
    if (key) {
      for (auto& arg : args)
        arg = nested ? nested_key(build, std::move(arg)) : number_or_null(build, std::move(arg));
    }
    if (nested && !key) {
      made = compare_nested(build, type, std::move(args));
    } else if (is_floating(*args[0]) && !key) {
      made = compare_floating(build, type, std::move(args));
    } else {
      made = build.compare(type, std::move(args[0]), std::move(args[1]));
    }
  }
  made->SetQueryLocation(location);
  return made;
}

ExprPtr eq(const Build& b, Exprs args) {
  return compare(b, "=", ExpressionType::COMPARE_EQUAL, std::move(args));
}
ExprPtr ne(const Build& b, Exprs args) {
  return compare(b, "=", ExpressionType::COMPARE_NOTEQUAL, std::move(args));
}
ExprPtr lt(const Build& b, Exprs args) {
  return compare(b, "<", ExpressionType::COMPARE_LESSTHAN, std::move(args));
}
ExprPtr le(const Build& b, Exprs args) {
  return compare(b, "<=", ExpressionType::COMPARE_LESSTHANOREQUALTO, std::move(args));
}
ExprPtr gt(const Build& b, Exprs args) {
  return compare(b, "<", ExpressionType::COMPARE_GREATERTHAN, std::move(args));
}
ExprPtr ge(const Build& b, Exprs args) {
  return compare(b, "<=", ExpressionType::COMPARE_GREATERTHANOREQUALTO, std::move(args));
}
ExprPtr on_eq(const Build& b, Exprs args) {
  return compare(b, "=", ExpressionType::COMPARE_EQUAL, std::move(args), Use::kOuterJoin);
}
ExprPtr on_lt(const Build& b, Exprs args) {
  return compare(b, "<", ExpressionType::COMPARE_LESSTHAN, std::move(args), Use::kOuterJoin);
}
ExprPtr on_le(const Build& b, Exprs args) {
  return compare(b, "<=", ExpressionType::COMPARE_LESSTHANOREQUALTO, std::move(args),
                 Use::kOuterJoin);
}
ExprPtr on_gt(const Build& b, Exprs args) {
  return compare(b, "<", ExpressionType::COMPARE_GREATERTHAN, std::move(args), Use::kOuterJoin);
}
ExprPtr on_ge(const Build& b, Exprs args) {
  return compare(b, "<=", ExpressionType::COMPARE_GREATERTHANOREQUALTO, std::move(args),
                 Use::kOuterJoin);
}
ExprPtr distinct(const Build& b, Exprs args) {
  return compare(b, "IS DISTINCT FROM", ExpressionType::COMPARE_DISTINCT_FROM, std::move(args));
}
ExprPtr not_distinct(const Build& b, Exprs args) {
  return compare(b, "IS DISTINCT FROM", ExpressionType::COMPARE_NOT_DISTINCT_FROM, std::move(args));
}

/// IN over arrays, maps or rows: by their own equality.
ExprPtr any_equal(const Build& build, Exprs args) {
  ExprPtr out;
  for (size_t i = 1; i < args.size(); ++i) {
    auto equal = build.call("trino_eq", two(args[0]->Copy(), std::move(args[i])));
    out = out ? build.either(std::move(out), std::move(equal)) : std::move(equal);
  }
  return out;
}

ExprPtr in_list(const Build& build, Exprs args) {
  Type common = type_of(*args[0]);
  for (size_t i = 1; i < args.size(); ++i) {
    auto next = common_type(common, type_of(*args[i]));
    if (!next) {
      raise(Code::kTypeMismatch,
            "IN value and list items must be the same type or coercible to a common type. Cannot "
            "find common type between " +
                shown(common) + " and " + shown(type_of(*args[i])),
            args[i].get());
    }
    common = *next;
  }
  if (!common.children.empty()) return any_equal(build, std::move(args));
  align(build, args);
  if (is_floating(*args[0])) return floating_in(build, std::move(args));
  auto made =
      make_uniq<duckdb::BoundOperatorExpression>(ExpressionType::COMPARE_IN, LogicalType::BOOLEAN);
  made->children = std::move(args);
  return made;
}

ExprPtr between(const Build& build, Exprs args) {
  const std::string message = "Cannot check if " + shown(type_of(*args[0])) + " is BETWEEN " +
                              shown(type_of(*args[1])) + " and " + shown(type_of(*args[2]));
  std::optional<Type> common = type_of(*args[0]);
  for (size_t i = 1; i < 3 && common; ++i) common = common_type(*common, type_of(*args[i]));
  if (!common || !is_orderable(*common)) raise(Code::kTypeMismatch, message, args[0].get());
  if (!common->children.empty()) {
    auto low = build.call("trino_ge", two(args[0]->Copy(), std::move(args[1])));
    auto high = build.call("trino_le", two(std::move(args[0]), std::move(args[2])));
    return make_uniq<duckdb::BoundConjunctionExpression>(ExpressionType::CONJUNCTION_AND,
                                                         std::move(low), std::move(high));
  }
  align(build, args);
  if (is_floating(*args[0])) return floating_between(build, std::move(args));
  return make_uniq<duckdb::BoundBetweenExpression>(std::move(args[0]), std::move(args[1]),
                                                   std::move(args[2]), true, true);
}

/// TRY; DuckDB's own refuses subqueries and random values inside.
ExprPtr attempt(const Build&, Exprs args) {
  auto made = make_uniq<duckdb::BoundOperatorExpression>(ExpressionType::OPERATOR_TRY,
                                                         args[0]->return_type);
  made->children.push_back(std::move(args[0]));
  return made;
}

ExprPtr like(const Build& build, Exprs args) {
  static const char* kWhat[] = {"Left side of LIKE expression", "Pattern for LIKE expression",
                                "Escape for LIKE expression"};
  for (size_t i = 0; i < args.size(); ++i) {
    const Type type = type_of(*args[i]);
    if (!is_text(type) && type.kind != TypeKind::kUnknown) {
      raise(Code::kTypeMismatch,
            std::string(kWhat[i]) + " must evaluate to a varchar (actual: " + shown(type) + ")",
            args[i].get());
    }
    args[i] = build.native_cast(build.plain(std::move(args[i])), LogicalType::VARCHAR);
  }
  if (args.size() == 3 && build.is_constant(*args[2])) {
    auto escape = build.constant_value(*args[2]);
    if (!escape.IsNull() && escape.ToString().size() != 1) {
      raise(Code::kInvalidFunctionArgument, "Escape string must be a single character");
    }
  }
  if (build.is_constant(*args[1]) && build.constant_value(*args[1]).IsNull())
    return build.constant(duckdb::Value(LogicalType::BOOLEAN));
  if (args.size() == 2) return build.call("~~", std::move(args));
  args[1] = build.call("meesh_like_pattern", std::move(args[1]), args[2]->Copy());
  return build.call("like_escape", std::move(args));
}

// ---------------------------------------------------------------- || and [ ]

ExprPtr concat_operator(const Build& build, Exprs args) {
  return build.call("trino_concat", std::move(args));
}

ExprPtr subscript(const Build& build, Exprs args) {
  const Type base = type_of(*args[0]), index = type_of(*args[1]);
  if (base.kind == TypeKind::kArray && (is_integral(index) || index.kind == TypeKind::kUnknown)) {
    auto length = build.call("len", args[0]->Copy());
    auto position = build.native_cast(std::move(args[1]), LogicalType::BIGINT);
    auto checked = build.call("meesh_array_index", std::move(position), std::move(length));
    return build.call("array_extract", std::move(args[0]), std::move(checked));
  }
  if (base.kind == TypeKind::kMap) {
    if (!coercion_cost(index, base.children[0])) cannot_apply("[]", args);
    auto key = build.coerce(std::move(args[1]), duckdb::MapType::KeyType(args[0]->return_type));
    auto text = build.native_cast(key->Copy(), LogicalType::VARCHAR);
    auto value = build.call("map_extract_value", args[0]->Copy(), key->Copy());
    const auto type = value->return_type;
    // The check looks at the map, too: DuckDB evaluates a branch that is constant for no row at
    // all.
    auto contains = build.call("map_contains", args[0]->Copy(), key->Copy());
    auto found =
        build.case_when(build.call("meesh_key_found", std::move(contains), std::move(text)),
                        std::move(value), build.constant(Value(type)));
    return build.case_when(
        build.either(build.is_null(std::move(args[0])), build.is_null(std::move(key))),
        build.constant(Value(type)), std::move(found));
  }
  if (base.kind == TypeKind::kRow && is_integral(index)) {
    auto position = build.constant_value(*args[1]);
    const int64_t at = position.IsNull() ? 0 : position.GetValue<int64_t>();
    if (position.IsNull() ||
        args[1]->GetExpressionClass() == duckdb::ExpressionClass::BOUND_FUNCTION)
      raise(Code::kExpressionNotConstant, "Subscript expression on ROW requires a constant index",
            args[1].get());
    if (at < 1 || at > static_cast<int64_t>(base.children.size())) {
      raise(Code::kInvalidFunctionArgument,
            at < 1 ? "Invalid subscript index: " + std::to_string(at) + ". ROW indices start at 1"
                   : "Subscript index out of bounds: " + std::to_string(at) + ", max value is " +
                         std::to_string(base.children.size()),
            args[1].get());
    }
    return build.call("struct_extract_at", std::move(args[0]), build.constant(Value::BIGINT(at)));
  }
  if (base.kind == TypeKind::kUnknown) return build.constant(Value());
  raise(Code::kTypeMismatch,
        "Cannot use " + shown(index) + " for subscript of " + shown(base) + " type", args[0].get());
}

}  // namespace

const std::vector<NamedHook>& operator_hooks() {
  static const std::vector<NamedHook> hooks = {
      {"trino_add", add},
      {"trino_subtract", subtract},
      {"trino_multiply", multiply},
      {"trino_divide", divide},
      {"trino_modulus", modulus},
      {"trino_negate", negate},
      {"trino_plus", plus},
      {"trino_eq", eq},
      {"trino_ne", ne},
      {"trino_lt", lt},
      {"trino_le", le},
      {"trino_gt", gt},
      {"trino_ge", ge},
      {"trino_on_eq", on_eq},
      {"trino_on_lt", on_lt},
      {"trino_on_le", on_le},
      {"trino_on_gt", on_gt},
      {"trino_on_ge", on_ge},
      {"trino_distinct", distinct},
      {"trino_not_distinct", not_distinct},
      {"trino_in", in_list},
      {"trino_between", between},
      {"trino_like", like},
      {"trino_try", attempt},
      {"trino_concat_op", concat_operator},
      {"trino_subscript", subscript},
  };
  return hooks;
}

}  // namespace meesh::engine
