#include "engine/lake/partition_function.h"

#include <cstdlib>

#include "duckdb/execution/expression_executor.hpp"
#include "duckdb/function/scalar_function.hpp"
#include "duckdb/main/extension/extension_loader.hpp"
#include "duckdb/planner/expression/bound_function_expression.hpp"
#include "engine/duck_types.h"
#include "engine/functions/build.h"
#include "engine/lake/values.h"
#include "lake/types_calendar.h"

namespace meesh::engine {
namespace {

using lake::TransformKind;
using lake::TypeKind;

constexpr const char* kPartition = "meesh_partition";
constexpr const char* kRefuseNull = "meesh_refuse_null";

struct PartitionBind : duckdb::FunctionData {
  lake::Transform transform;
  lake::Type source;

  duckdb::unique_ptr<duckdb::FunctionData> Copy() const override {
    return duckdb::make_uniq<PartitionBind>(*this);
  }
  bool Equals(const duckdb::FunctionData& other) const override {
    const auto& that = other.Cast<PartitionBind>();
    return transform == that.transform && source == that.source;
  }
};

/// "-12.50" → -1250. Truncated downwards, a value may have a digit more than its column has.
lake::Int128 unscaled(std::string_view text) {
  lake::Int128 number = 0;
  for (const char c : text) {
    if (c >= '0' && c <= '9') number = number * 10 + (c - '0');
  }
  return text.starts_with('-') ? -number : number;
}

/// Years, months and hours as people write them; the others as single values.
std::string text_of(const lake::Transform& transform, const lake::Type& source,
                    const lake::Value& value) {
  switch (transform.kind) {
    case TransformKind::kYear:
    case TransformKind::kMonth:
    case TransformKind::kHour:
      return lake::transformed_text(transform, source, value);
    default:
      return lake::value_text(lake::result_type(transform, source), value);
  }
}

duckdb::unique_ptr<duckdb::FunctionData> bind(
    duckdb::ClientContext& context, duckdb::ScalarFunction& function,
    duckdb::vector<duckdb::unique_ptr<duckdb::Expression>>& arguments) {
  auto data = duckdb::make_uniq<PartitionBind>();
  data->transform = lake::parse_transform(
      duckdb::ExpressionExecutor::EvaluateScalar(context, *arguments.at(0)).ToString());
  function.arguments[1] = arguments.at(1)->return_type;
  int ids = 1;
  try {
    data->source = lake_type(from_duckdb(arguments[1]->return_type), &ids);
  } catch (const Error& error) {
    raise(error.code(), error.message());
  }
  if (!lake::can_transform(data->transform, data->source)) {
    raise(Code::kInvalidArguments,
          fmt::format("{} cannot partition values of type {}",
                      lake::transform_name(data->transform), lake::type_name(data->source)));
  }
  return data;
}

void run(duckdb::DataChunk& arguments, duckdb::ExpressionState& state, duckdb::Vector& result) {
  const auto& data =
      state.expr.Cast<duckdb::BoundFunctionExpression>().bind_info->Cast<PartitionBind>();
  auto& values = arguments.data[1];
  duckdb::UnifiedVectorFormat column;
  values.ToUnifiedFormat(arguments.size(), column);
  result.SetVectorType(duckdb::VectorType::FLAT_VECTOR);
  auto* out = duckdb::FlatVector::GetData<duckdb::string_t>(result);
  // Rows of one partition often follow one another.
  lake::Value last;
  duckdb::string_t last_text;
  for (size_t row = 0; row < arguments.size(); ++row) {
    const auto value = value_at(data.source, values.GetType(), column, row);
    const auto transformed = lake::is_null(value)
                                 ? lake::Value()
                                 : lake::apply_transform(data.transform, data.source, value);
    if (lake::is_null(transformed)) {
      duckdb::FlatVector::SetNull(result, row, true);
      continue;
    }
    if (lake::is_null(last) || last != transformed) {
      last = transformed;
      last_text =
          duckdb::StringVector::AddString(result, text_of(data.transform, data.source, last));
    }
    out[row] = last_text;
  }
  if (arguments.AllConstant()) result.SetVectorType(duckdb::VectorType::CONSTANT_VECTOR);
}

void refuse_null(duckdb::DataChunk& arguments, duckdb::ExpressionState&, duckdb::Vector& result) {
  if (arguments.size() > 0) {
    raise(Code::kConstraintViolation, "NULL value not allowed for NOT NULL column: " +
                                          arguments.data[0].GetValue(0).ToString());
  }
  result.SetVectorType(duckdb::VectorType::CONSTANT_VECTOR);
  duckdb::ConstantVector::SetNull(result, true);
}

/// Splits "2025-01-15-08" at its last dash; years may begin with one.
std::pair<std::string, int64_t> last_part(const std::string& text) {
  const size_t dash = text.rfind('-');
  return {text.substr(0, dash), std::stoll(text.substr(dash + 1))};
}

}  // namespace

void register_partition_functions(duckdb::DatabaseInstance& instance) {
  duckdb::ExtensionLoader loader(instance, "meesh");
  duckdb::ScalarFunction partition(kPartition,
                                   {duckdb::LogicalType::VARCHAR, duckdb::LogicalType::ANY},
                                   duckdb::LogicalType::VARCHAR, run, bind);
  partition.null_handling = duckdb::FunctionNullHandling::SPECIAL_HANDLING;
  loader.RegisterFunction(partition);
  duckdb::ScalarFunction refuse(kRefuseNull, {duckdb::LogicalType::VARCHAR},
                                duckdb::LogicalType::SQLNULL, refuse_null);
  refuse.SetFallible();
  refuse.SetVolatile();
  loader.RegisterFunction(refuse);
}

std::string partition_call(const lake::Transform& transform, const std::string& value) {
  return fmt::format("{}({}, {})", kPartition, quote_string(lake::transform_name(transform)),
                     value);
}

lake::Value partition_value(const lake::Transform& transform, const lake::Type& source,
                            const std::string& text) {
  switch (transform.kind) {
    case TransformKind::kYear:
      return int64_t{std::stoll(text)} - 1970;
    case TransformKind::kMonth: {
      const auto [year, month] = last_part(text);
      return (int64_t{std::stoll(year)} - 1970) * 12 + month - 1;
    }
    case TransformKind::kHour: {
      const auto [day_text, hour] = last_part(text);
      const auto [month_text, day] = last_part(day_text);
      const auto [year, month] = last_part(month_text);
      return lake::days_of({std::stoll(year), static_cast<int>(month), static_cast<int>(day)}) *
                 24 +
             hour;
    }
    default:
      break;
  }
  const auto type = lake::result_type(transform, source);
  switch (type.kind) {
    case TypeKind::kString:
      return text;
    case TypeKind::kFloat:
    case TypeKind::kDouble:
      return std::strtod(text.c_str(), nullptr);
    case TypeKind::kBoolean:
    case TypeKind::kInt:
    case TypeKind::kLong:
      return lake::parse_value_json(type, text);
    case TypeKind::kDecimal:
      return unscaled(text);
    default:
      return lake::parse_value_json(type, '"' + text + '"');
  }
}

std::string refuse_null_call(const std::string& column) {
  return fmt::format("{}({})", kRefuseNull, quote_string(column));
}

}  // namespace meesh::engine
