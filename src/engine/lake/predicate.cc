#include "engine/lake/predicate.h"

#include <cmath>

#include "duckdb/planner/expression/bound_between_expression.hpp"
#include "duckdb/planner/expression/bound_cast_expression.hpp"
#include "duckdb/planner/expression/bound_comparison_expression.hpp"
#include "duckdb/planner/expression/bound_conjunction_expression.hpp"
#include "duckdb/planner/expression/bound_constant_expression.hpp"
#include "duckdb/planner/expression/bound_function_expression.hpp"
#include "duckdb/planner/expression/bound_operator_expression.hpp"
#include "duckdb/planner/filter/conjunction_filter.hpp"
#include "duckdb/planner/filter/constant_filter.hpp"
#include "duckdb/planner/filter/dynamic_filter.hpp"
#include "duckdb/planner/filter/in_filter.hpp"
#include "duckdb/planner/filter/optional_filter.hpp"
#include "duckdb/planner/filter/struct_filter.hpp"
#include "engine/lake/values.h"
#include "lake/types_calendar.h"

namespace meesh::engine {
namespace {

using duckdb::Expression;
using duckdb::ExpressionClass;
using duckdb::ExpressionType;
using duckdb::LogicalTypeId;
using lake::Predicate;
using Kind = Predicate::Kind;
using Maybe = std::optional<Predicate>;

/// A column, or a field of one, perhaps under a cast that keeps its order and its differences.
struct Operand {
  const lake::Field* field = nullptr;
  bool day_of_timestamp = false;  // CAST(timestamp AS date)
};

bool keeps_order(LogicalTypeId from, LogicalTypeId to) {
  switch (from) {
    case LogicalTypeId::INTEGER:
      return to == LogicalTypeId::BIGINT || to == LogicalTypeId::HUGEINT ||
             to == LogicalTypeId::DECIMAL;
    case LogicalTypeId::BIGINT:
      return to == LogicalTypeId::HUGEINT || to == LogicalTypeId::DECIMAL;
    case LogicalTypeId::FLOAT:
      return to == LogicalTypeId::DOUBLE;
    case LogicalTypeId::DATE:
      return to == LogicalTypeId::TIMESTAMP;
    default:
      return false;
  }
}

bool keeps_order(const duckdb::LogicalType& from, const duckdb::LogicalType& to) {
  if (from.id() == to.id() && from.id() != LogicalTypeId::DECIMAL) return !from.IsNested();
  if (from.id() != LogicalTypeId::DECIMAL || to.id() != LogicalTypeId::DECIMAL)
    return keeps_order(from.id(), to.id());
  return duckdb::DecimalType::GetScale(to) >= duckdb::DecimalType::GetScale(from);
}

const duckdb::Value* constant(const Expression& expression) {
  if (expression.GetExpressionClass() != ExpressionClass::BOUND_CONSTANT) return nullptr;
  return &expression.Cast<duckdb::BoundConstantExpression>().value;
}

const lake::Field* child_field(const lake::Field& parent, const std::string& name) {
  if (parent.type.kind != lake::TypeKind::kStruct) return nullptr;
  for (const auto& field : parent.type.fields)
    if (duckdb::StringUtil::CIEquals(field.name, name)) return &field;
  return nullptr;
}

Operand operand(const Expression& expression, const FieldOfColumn& field_of) {
  switch (expression.GetExpressionClass()) {
    case ExpressionClass::BOUND_COLUMN_REF:
    case ExpressionClass::BOUND_REF:
      return {field_of(expression)};
    case ExpressionClass::BOUND_CAST: {
      const auto& cast = expression.Cast<duckdb::BoundCastExpression>();
      Operand inner = operand(*cast.child, field_of);
      if (!inner.field || inner.day_of_timestamp || cast.try_cast) return {};
      const auto& from = cast.child->return_type;
      if (keeps_order(from, cast.return_type)) return inner;
      if (from.id() == LogicalTypeId::TIMESTAMP && cast.return_type.id() == LogicalTypeId::DATE) {
        inner.day_of_timestamp = true;
        return inner;
      }
      return {};
    }
    case ExpressionClass::BOUND_FUNCTION: {
      const auto& call = expression.Cast<duckdb::BoundFunctionExpression>();
      if (call.function.name != "struct_extract" || call.children.size() != 2) return {};
      const Operand parent = operand(*call.children[0], field_of);
      const auto* name = constant(*call.children[1]);
      if (!parent.field || !name || name->IsNull() || name->type().id() != LogicalTypeId::VARCHAR)
        return {};
      return {child_field(*parent.field, duckdb::StringValue::Get(*name))};
    }
    default:
      return {};
  }
}

Kind mirrored(Kind kind) {
  switch (kind) {
    case Kind::kLess:
      return Kind::kGreater;
    case Kind::kLessEqual:
      return Kind::kGreaterEqual;
    case Kind::kGreater:
      return Kind::kLess;
    case Kind::kGreaterEqual:
      return Kind::kLessEqual;
    default:
      return kind;
  }
}

std::optional<Kind> kind_of(ExpressionType type) {
  switch (type) {
    case ExpressionType::COMPARE_EQUAL:
      return Kind::kEqual;
    case ExpressionType::COMPARE_NOTEQUAL:
      return Kind::kNotEqual;
    case ExpressionType::COMPARE_LESSTHAN:
      return Kind::kLess;
    case ExpressionType::COMPARE_LESSTHANOREQUALTO:
      return Kind::kLessEqual;
    case ExpressionType::COMPARE_GREATERTHAN:
      return Kind::kGreater;
    case ExpressionType::COMPARE_GREATERTHANOREQUALTO:
      return Kind::kGreaterEqual;
    default:
      return std::nullopt;
  }
}

bool is_nan(const lake::Value& value) {
  const auto* number = std::get_if<double>(&value);
  return number && std::isnan(*number);
}

/// A comparison of the day of a timestamp, said of the timestamp.
Maybe compare_day(Kind kind, const lake::Field& field, const duckdb::Value& value) {
  if (value.type().id() != LogicalTypeId::DATE) return std::nullopt;
  const int64_t day = value.GetValue<duckdb::date_t>().days;
  constexpr int64_t kFar = 100'000'000;  // days whose microseconds are far from the limits
  if (day > kFar || day < -kFar) return std::nullopt;
  const lake::Value from = day * lake::kMicrosPerDay, to = (day + 1) * lake::kMicrosPerDay;
  const auto is = [&](Kind k, const lake::Value& v) { return Predicate::compare(k, field.id, v); };
  switch (kind) {
    case Kind::kEqual:
      return Predicate::all_of({is(Kind::kGreaterEqual, from), is(Kind::kLess, to)});
    case Kind::kNotEqual:
      return Predicate::any_of({is(Kind::kLess, from), is(Kind::kGreaterEqual, to)});
    case Kind::kLess:
      return is(Kind::kLess, from);
    case Kind::kLessEqual:
      return is(Kind::kLess, to);
    case Kind::kGreater:
      return is(Kind::kGreaterEqual, to);
    case Kind::kGreaterEqual:
      return is(Kind::kGreaterEqual, from);
    default:
      return std::nullopt;
  }
}

Maybe compare(Kind kind, const Operand& left, const duckdb::Value& right) {
  if (!left.field || left.field->type.nested() || right.IsNull()) return std::nullopt;
  if (left.day_of_timestamp) return compare_day(kind, *left.field, right);
  auto value = lake_value(left.field->type, right);
  if (!value || is_nan(*value)) return std::nullopt;
  return Predicate::compare(kind, left.field->id, std::move(*value));
}

Maybe compare(ExpressionType type, const Expression& left, const Expression& right,
              const FieldOfColumn& field_of) {
  const auto kind = kind_of(type);
  if (!kind) return std::nullopt;
  if (const auto* value = constant(right)) return compare(*kind, operand(left, field_of), *value);
  if (const auto* value = constant(left))
    return compare(mirrored(*kind), operand(right, field_of), *value);
  return std::nullopt;
}

Maybe convert(const Expression& expression, const FieldOfColumn& field_of, bool exact);

/// AND may leave out what is not known, unless the result is to be negated; OR may not.
Maybe junction(const duckdb::BoundConjunctionExpression& junction, const FieldOfColumn& field_of,
               bool exact) {
  const bool all = junction.GetExpressionType() == ExpressionType::CONJUNCTION_AND;
  std::vector<Predicate> children;
  for (const auto& child : junction.children) {
    auto converted = convert(*child, field_of, exact);
    if (converted) {
      children.push_back(std::move(*converted));
    } else if (!all || exact) {
      return std::nullopt;
    }
  }
  if (children.empty()) return std::nullopt;
  return all ? Predicate::all_of(std::move(children)) : Predicate::any_of(std::move(children));
}

Maybe in_list(const duckdb::BoundOperatorExpression& in, const FieldOfColumn& field_of) {
  const Operand left = operand(*in.children.at(0), field_of);
  if (!left.field || left.day_of_timestamp || left.field->type.nested()) return std::nullopt;
  std::vector<lake::Value> values;
  for (size_t i = 1; i < in.children.size(); ++i) {
    const auto* value = constant(*in.children[i]);
    if (!value || value->IsNull()) return std::nullopt;
    auto converted = lake_value(left.field->type, *value);
    if (!converted || is_nan(*converted)) return std::nullopt;
    values.push_back(std::move(*converted));
  }
  const bool negated = in.GetExpressionType() == ExpressionType::COMPARE_NOT_IN;
  auto predicate = Predicate::in(left.field->id, std::move(values));
  return negated ? Predicate::negated(std::move(predicate)) : std::move(predicate);
}

Maybe operation(const duckdb::BoundOperatorExpression& op, const FieldOfColumn& field_of) {
  switch (op.GetExpressionType()) {
    case ExpressionType::COMPARE_IN:
    case ExpressionType::COMPARE_NOT_IN:
      return in_list(op, field_of);
    case ExpressionType::OPERATOR_NOT: {
      auto child = convert(*op.children.at(0), field_of, true);
      if (!child) return std::nullopt;
      return Predicate::negated(std::move(*child));
    }
    case ExpressionType::OPERATOR_IS_NULL:
    case ExpressionType::OPERATOR_IS_NOT_NULL: {
      const Operand child = operand(*op.children.at(0), field_of);
      if (!child.field || child.field->type.nested()) return std::nullopt;
      return op.GetExpressionType() == ExpressionType::OPERATOR_IS_NULL
                 ? Predicate::is_null(child.field->id)
                 : Predicate::not_null(child.field->id);
    }
    default:
      return std::nullopt;
  }
}

/// What a LIKE pattern without an escape begins with; whether that is all it asks (text%).
std::string like_prefix(const std::string& pattern, bool* only_prefix) {
  const size_t wild = pattern.find_first_of("%_");
  *only_prefix = wild != std::string::npos && wild + 1 == pattern.size() && pattern[wild] == '%';
  return pattern.substr(0, wild);
}

Maybe starts_with(const duckdb::BoundFunctionExpression& call, const FieldOfColumn& field_of,
                  bool exact) {
  const std::string& name = call.function.name;
  const bool like = name == "~~";
  if (!like && name != "prefix" && name != "starts_with" && name != "^@") return std::nullopt;
  if (call.children.size() != 2) return std::nullopt;
  const Operand left = operand(*call.children[0], field_of);
  const auto* text = constant(*call.children[1]);
  if (!left.field || left.field->type.kind != lake::TypeKind::kString || !text || text->IsNull() ||
      text->type().id() != LogicalTypeId::VARCHAR) {
    return std::nullopt;
  }
  std::string prefix = duckdb::StringValue::Get(*text);
  bool only_prefix = true;
  if (like) prefix = like_prefix(prefix, &only_prefix);
  if (prefix.empty() || (exact && !only_prefix)) return std::nullopt;
  return Predicate::starts_with(left.field->id, std::move(prefix));
}

Maybe convert(const Expression& expression, const FieldOfColumn& field_of, bool exact) {
  switch (expression.GetExpressionClass()) {
    case ExpressionClass::BOUND_COMPARISON: {
      const auto& comparison = expression.Cast<duckdb::BoundComparisonExpression>();
      return compare(comparison.GetExpressionType(), *comparison.left, *comparison.right, field_of);
    }
    case ExpressionClass::BOUND_BETWEEN: {
      const auto& between = expression.Cast<duckdb::BoundBetweenExpression>();
      auto low = compare(between.LowerComparisonType(), *between.input, *between.lower, field_of);
      auto high = compare(between.UpperComparisonType(), *between.input, *between.upper, field_of);
      if (low && high) return Predicate::all_of({std::move(*low), std::move(*high)});
      if (exact) return std::nullopt;
      return low ? low : high;
    }
    case ExpressionClass::BOUND_CONJUNCTION:
      return junction(expression.Cast<duckdb::BoundConjunctionExpression>(), field_of, exact);
    case ExpressionClass::BOUND_OPERATOR:
      return operation(expression.Cast<duckdb::BoundOperatorExpression>(), field_of);
    case ExpressionClass::BOUND_FUNCTION:
      return starts_with(expression.Cast<duckdb::BoundFunctionExpression>(), field_of, exact);
    case ExpressionClass::BOUND_COLUMN_REF:
    case ExpressionClass::BOUND_REF: {
      const auto* field = field_of(expression);
      if (!field || field->type.kind != lake::TypeKind::kBoolean) return std::nullopt;
      return Predicate::compare(Kind::kEqual, field->id, true);
    }
    default:
      return std::nullopt;
  }
}

Maybe convert(const duckdb::TableFilter& filter, const lake::Field& field) {
  using duckdb::TableFilterType;
  switch (filter.filter_type) {
    case TableFilterType::CONSTANT_COMPARISON: {
      const auto& comparison = filter.Cast<duckdb::ConstantFilter>();
      const auto kind = kind_of(comparison.comparison_type);
      if (!kind) return std::nullopt;
      return compare(*kind, Operand{&field}, comparison.constant);
    }
    case TableFilterType::IS_NULL:
      if (field.type.nested()) return std::nullopt;
      return Predicate::is_null(field.id);
    case TableFilterType::IS_NOT_NULL:
      if (field.type.nested()) return std::nullopt;
      return Predicate::not_null(field.id);
    case TableFilterType::CONJUNCTION_OR:
    case TableFilterType::CONJUNCTION_AND: {
      const bool all = filter.filter_type == TableFilterType::CONJUNCTION_AND;
      std::vector<Predicate> children;
      const auto& both = static_cast<const duckdb::ConjunctionFilter&>(filter);
      for (const auto& child : both.child_filters) {
        auto converted = convert(*child, field);
        if (converted) {
          children.push_back(std::move(*converted));
        } else if (!all) {
          return std::nullopt;
        }
      }
      if (children.empty()) return std::nullopt;
      return all ? Predicate::all_of(std::move(children)) : Predicate::any_of(std::move(children));
    }
    case TableFilterType::IN_FILTER: {
      std::vector<lake::Value> values;
      for (const auto& value : filter.Cast<duckdb::InFilter>().values) {
        if (field.type.nested() || value.IsNull()) return std::nullopt;
        auto converted = lake_value(field.type, value);
        if (!converted || is_nan(*converted)) return std::nullopt;
        values.push_back(std::move(*converted));
      }
      return Predicate::in(field.id, std::move(values));
    }
    case TableFilterType::OPTIONAL_FILTER: {
      const auto& child = filter.Cast<duckdb::OptionalFilter>().child_filter;
      return child ? convert(*child, field) : std::nullopt;
    }
    case TableFilterType::DYNAMIC_FILTER: {
      const auto& data = filter.Cast<duckdb::DynamicFilter>().filter_data;
      if (!data) return std::nullopt;
      std::lock_guard lock(data->lock);
      if (!data->initialized || !data->filter) return std::nullopt;
      return convert(*data->filter, field);
    }
    case TableFilterType::STRUCT_EXTRACT: {
      const auto& inner = filter.Cast<duckdb::StructFilter>();
      const auto* child = child_field(field, inner.child_name);
      return child && inner.child_filter ? convert(*inner.child_filter, *child) : std::nullopt;
    }
    default:
      return std::nullopt;
  }
}

}  // namespace

Predicate predicate_of(const Expression& expression, const FieldOfColumn& field_of) {
  return convert(expression, field_of, false).value_or(Predicate{});
}

Predicate predicate_of(const duckdb::TableFilter& filter, const lake::Field& field) {
  return convert(filter, field).value_or(Predicate{});
}

}  // namespace meesh::engine
