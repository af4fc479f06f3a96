// Lambdas of two arguments over pairs: zip_with, transform_values and their like. DuckDB's
// list_transform runs them; while binding, the lambda's two arguments become the two fields of one
// element.
#include "duckdb/function/lambda_functions.hpp"
#include "duckdb/main/extension/extension_loader.hpp"
#include "duckdb/planner/expression/bound_lambda_expression.hpp"
#include "duckdb/planner/expression/bound_reference_expression.hpp"
#include "duckdb/planner/expression_iterator.hpp"
#include "engine/functions/rules.h"

namespace meesh::engine {
namespace {

using duckdb::LogicalType;
using duckdb::LogicalTypeId;
using duckdb::make_uniq;

/// The struct type of the list's elements; MAP is a list of its entries.
LogicalType element_of(const LogicalType& list) {
  return list.id() == LogicalTypeId::LIST || list.id() == LogicalTypeId::MAP
             ? duckdb::ListType::GetChildType(list)
             : LogicalType(LogicalTypeId::SQLNULL);
}

LogicalType argument_type(duckdb::ClientContext&, const duckdb::vector<LogicalType>& types,
                          duckdb::idx_t index) {
  const auto element = element_of(types[0]);
  if (element.id() != LogicalTypeId::STRUCT || index > 1) {
    raise(Code::kFunctionNotFound, "The lambda takes two arguments, over pairs of values");
  }
  return duckdb::StructType::GetChildType(element, index);
}

/// A lambda's arguments are columns 1 and 0 of its input and captures come behind; here the pair is
/// column 0 and captures move up by one.
void use_pair(const Build& build, ExprPtr& expression, const LogicalType& pair) {
  if (expression->GetExpressionClass() == duckdb::ExpressionClass::BOUND_REF) {
    auto& reference = expression->Cast<duckdb::BoundReferenceExpression>();
    if (reference.index >= 2) {
      --reference.index;
      return;
    }
    const int64_t field = reference.index == 1 ? 1 : 2;
    auto whole = make_uniq<duckdb::BoundReferenceExpression>(pair, 0ULL);
    expression = build.call("struct_extract_at", std::move(whole),
                            build.constant(duckdb::Value::BIGINT(field)));
    return;
  }
  duckdb::ExpressionIterator::EnumerateChildren(
      *expression, [&](ExprPtr& child) { use_pair(build, child, pair); });
}

duckdb::unique_ptr<duckdb::FunctionData> bind_pairs(duckdb::ClientContext& context,
                                                    duckdb::ScalarFunction& function,
                                                    duckdb::vector<ExprPtr>& args) {
  const auto pair = element_of(args[0]->return_type);
  auto& lambda = args[1]->Cast<duckdb::BoundLambdaExpression>();
  auto body = std::move(lambda.lambda_expr);
  use_pair(Build(context), body, pair);
  function.arguments[0] = LogicalType::LIST(pair);
  function.SetReturnType(LogicalType::LIST(body->return_type));
  return make_uniq<duckdb::ListLambdaBindData>(function.GetReturnType(), std::move(body), false);
}

}  // namespace

void register_lambdas(duckdb::ExtensionLoader& loader) {
  duckdb::ScalarFunction pairs("trino_pairs",
                               {LogicalType::LIST(LogicalType::ANY), LogicalType::LAMBDA},
                               LogicalType::LIST(LogicalType::ANY),
                               duckdb::LambdaFunctions::ListTransformFunction, bind_pairs);
  pairs.SetBindLambdaCallback(argument_type);
  pairs.SetNullHandling(duckdb::FunctionNullHandling::SPECIAL_HANDLING);
  loader.RegisterFunction(std::move(pairs));
}

}  // namespace meesh::engine
