#include "engine/functions/floating.h"

#include <cmath>

#include "duckdb/planner/expression/list.hpp"

namespace meesh::engine {
namespace {

using duckdb::ExpressionType;
using duckdb::LogicalType;
using duckdb::LogicalTypeId;
using duckdb::make_uniq;
using duckdb::Value;

enum class Known { kNothing, kNull, kNan, kNumber };

Known known(const Build& build, const duckdb::Expression& value) {
  if (!build.is_constant(value)) return Known::kNothing;
  const Value constant = build.constant_value(value);
  if (constant.IsNull()) return Known::kNull;
  return std::isnan(constant.GetValue<double>()) ? Known::kNan : Known::kNumber;
}

/// Whether `value` is a number, where `other` is not NULL. Being a comparison with a constant, it
/// costs nothing on columns whose statistics know of no NaN.
ExprPtr is_number(const Build& build, const duckdb::Expression& value,
                  const duckdb::Expression& other) {
  auto infinity = build.native_cast(
      build.constant(Value::DOUBLE(std::numeric_limits<double>::infinity())), value.return_type);
  auto number =
      build.compare(ExpressionType::COMPARE_LESSTHANOREQUALTO, value.Copy(), std::move(infinity));
  if (build.is_constant(other)) return number;
  return build.either(std::move(number), build.is_null(other.Copy()));
}

ExprPtr both(ExprPtr left, ExprPtr right) {
  return make_uniq<duckdb::BoundConjunctionExpression>(ExpressionType::CONJUNCTION_AND,
                                                       std::move(left), std::move(right));
}

ExprPtr negated(ExprPtr condition) {
  auto made = make_uniq<duckdb::BoundOperatorExpression>(ExpressionType::OPERATOR_NOT,
                                                         LogicalType::BOOLEAN);
  made->children.push_back(std::move(condition));
  return made;
}

template <class T>
void nan_to_null(duckdb::DataChunk& args, duckdb::ExpressionState&, duckdb::Vector& result) {
  duckdb::UnaryExecutor::ExecuteWithNulls<T, T>(
      args.data[0], result, args.size(),
      [](T value, duckdb::ValidityMask& validity, duckdb::idx_t row) {
        if (std::isnan(value)) validity.SetInvalid(row);
        return value;
      });
}

}  // namespace

bool is_floating(const duckdb::Expression& value) {
  return value.return_type.id() == LogicalTypeId::DOUBLE ||
         value.return_type.id() == LogicalTypeId::FLOAT;
}

/// What is greater by DuckDB's rules is looked at: it is a number, then the other side is one, too.
ExprPtr compare_floating(const Build& build, ExpressionType type, Exprs args) {
  bool guarded = true;
  size_t looked_at = 0;
  const Known left = known(build, *args[0]), right = known(build, *args[1]);
  switch (type) {
    case ExpressionType::COMPARE_EQUAL:
    case ExpressionType::COMPARE_NOTEQUAL:
      guarded = left != Known::kNumber && right != Known::kNumber;
      looked_at = left == Known::kNothing ? 0 : 1;
      break;
    case ExpressionType::COMPARE_LESSTHAN:
    case ExpressionType::COMPARE_LESSTHANOREQUALTO:
      guarded = right != Known::kNumber;
      looked_at = 1;
      break;
    case ExpressionType::COMPARE_GREATERTHAN:
    case ExpressionType::COMPARE_GREATERTHANOREQUALTO:
      guarded = left != Known::kNumber;
      break;
    default:
      guarded = false;
  }
  if (left == Known::kNull || right == Known::kNull) guarded = false;
  if (!guarded) return build.compare(type, std::move(args[0]), std::move(args[1]));
  auto number = is_number(build, *args[looked_at], *args[1 - looked_at]);
  const bool unequal = type == ExpressionType::COMPARE_NOTEQUAL;
  auto made = both(build.compare(unequal ? ExpressionType::COMPARE_EQUAL : type, std::move(args[0]),
                                 std::move(args[1])),
                   std::move(number));
  return unequal ? negated(std::move(made)) : std::move(made);
}

ExprPtr floating_between(const Build& build, Exprs args) {
  const Known high = known(build, *args[2]);
  ExprPtr number;
  if (high == Known::kNothing || high == Known::kNan) number = is_number(build, *args[2], *args[0]);
  auto made = make_uniq<duckdb::BoundBetweenExpression>(std::move(args[0]), std::move(args[1]),
                                                        std::move(args[2]), true, true);
  if (!number) return made;
  return both(std::move(made), std::move(number));
}

ExprPtr floating_in(const Build& build, Exprs args) {
  auto in =
      make_uniq<duckdb::BoundOperatorExpression>(ExpressionType::COMPARE_IN, LogicalType::BOOLEAN);
  ExprPtr out;
  for (size_t i = 1; i < args.size(); ++i) {
    const Known item = known(build, *args[i]);
    if (item == Known::kNumber || item == Known::kNull) {
      if (in->children.empty()) in->children.push_back(args[0]->Copy());
      in->children.push_back(std::move(args[i]));
      continue;
    }
    Exprs pair;
    pair.push_back(args[0]->Copy());
    pair.push_back(std::move(args[i]));
    auto equal = compare_floating(build, ExpressionType::COMPARE_EQUAL, std::move(pair));
    out = out ? build.either(std::move(out), std::move(equal)) : std::move(equal);
  }
  if (in->children.empty()) return out;
  return out ? build.either(std::move(in), std::move(out)) : ExprPtr(std::move(in));
}

ExprPtr number_or_null(const Build& build, ExprPtr value) {
  const auto type = value->return_type;
  Exprs args;
  args.push_back(std::move(value));
  return build.kernel(
      duckdb::ScalarFunction(
          "meesh_number", {type}, type,
          type.id() == LogicalTypeId::FLOAT ? nan_to_null<float> : nan_to_null<double>),
      std::move(args));
}

}  // namespace meesh::engine
