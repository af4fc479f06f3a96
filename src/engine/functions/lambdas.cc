// Lambdas of several arguments over rows: zip_with, transform_values and their like. DuckDB's
// list_transform runs them; while binding, the lambda's arguments become the fields of one element.
// And reduce, whose state may have another type than the elements.
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
  const size_t count =
      element.id() == LogicalTypeId::STRUCT ? duckdb::StructType::GetChildCount(element) : 0;
  if (index >= count)
    raise(Code::kFunctionNotFound, "The lambda takes " + std::to_string(count) + " arguments");
  return duckdb::StructType::GetChildType(element, index);
}

/// A lambda's n arguments are columns n-1 … 0 of its input and captures come behind; here the row
/// is column 0 and captures move up by n-1.
void use_row(const Build& build, ExprPtr& expression, const LogicalType& row, size_t count) {
  if (expression->GetExpressionClass() == duckdb::ExpressionClass::BOUND_REF) {
    auto& reference = expression->Cast<duckdb::BoundReferenceExpression>();
    if (reference.index >= count) {
      reference.index -= count - 1;
      return;
    }
    const auto field = static_cast<int64_t>(count - reference.index);
    auto whole = make_uniq<duckdb::BoundReferenceExpression>(row, 0ULL);
    expression = build.call("struct_extract_at", std::move(whole),
                            build.constant(duckdb::Value::BIGINT(field)));
    return;
  }
  duckdb::ExpressionIterator::EnumerateChildren(
      *expression, [&](ExprPtr& child) { use_row(build, child, row, count); });
}

duckdb::unique_ptr<duckdb::FunctionData> bind_pairs(duckdb::ClientContext& context,
                                                    duckdb::ScalarFunction& function,
                                                    duckdb::vector<ExprPtr>& args) {
  const auto row = element_of(args[0]->return_type);
  auto& lambda = args[1]->Cast<duckdb::BoundLambdaExpression>();
  auto body = std::move(lambda.lambda_expr);
  use_row(Build(context), body, row, lambda.parameter_count);
  function.arguments[0] = LogicalType::LIST(row);
  function.SetReturnType(LogicalType::LIST(body->return_type));
  return make_uniq<duckdb::ListLambdaBindData>(function.GetReturnType(), std::move(body), false);
}

// ---------------------------------------------------------------- reduce

LogicalType reduce_argument(duckdb::ClientContext&, const duckdb::vector<LogicalType>& types,
                            duckdb::idx_t index) {
  if (types[0].id() != LogicalTypeId::LIST || index > 1)
    raise(Code::kFunctionNotFound,
          "Unexpected parameters for function reduce. Expected: reduce(array(T), S, "
          "function(S,T,S), function(S,R)) T, S, R");
  return index == 0 ? types.back() : duckdb::ListType::GetChildType(types[0]);
}

duckdb::unique_ptr<duckdb::FunctionData> bind_reduce(duckdb::ClientContext& context,
                                                     duckdb::ScalarFunction& function,
                                                     duckdb::vector<ExprPtr>& args) {
  const auto state = args[2]->return_type;
  auto& lambda = args[1]->Cast<duckdb::BoundLambdaExpression>();
  auto body = Build(context).native_cast(std::move(lambda.lambda_expr), state);
  function.arguments[0] = args[0]->return_type;
  function.arguments[2] = state;
  function.SetReturnType(state);
  return make_uniq<duckdb::ListLambdaBindData>(state, std::move(body), false, true);
}

/// The rows that still have elements, and the state of each.
struct Reducing {
  std::vector<duckdb::idx_t> rows;
  duckdb::Vector state;
};

/// Keeps the rows longer than `step`; the others' state is their result.
void settle_rows(Reducing& now, const duckdb::UnifiedVectorFormat& lists, duckdb::idx_t step,
                 duckdb::Vector& result) {
  const auto* entries = duckdb::UnifiedVectorFormat::GetData<duckdb::list_entry_t>(lists);
  duckdb::SelectionVector kept(now.rows.size() + 1);
  std::vector<duckdb::idx_t> rows;
  for (size_t k = 0; k < now.rows.size(); ++k) {
    if (entries[lists.sel->get_index(now.rows[k])].length > step) {
      kept.set_index(rows.size(), k);
      rows.push_back(now.rows[k]);
    } else {
      result.SetValue(now.rows[k], now.state.GetValue(k));
    }
  }
  if (rows.size() == now.rows.size()) return;
  duckdb::Vector left(now.state.GetType());
  duckdb::VectorOperations::Copy(now.state, left, kept, rows.size(), 0, 0);
  now.rows = std::move(rows);
  now.state.Reference(left);
}

/// One element of every row at a time, all rows at once: columns element, state, captures.
void run_reduce(duckdb::DataChunk& args, duckdb::ExpressionState& state, duckdb::Vector& result) {
  const auto& call = state.expr.Cast<duckdb::BoundFunctionExpression>();
  const auto& lambda = *call.bind_info->Cast<duckdb::ListLambdaBindData>().lambda_expr;
  const bool constant = args.AllConstant();
  const duckdb::idx_t count = constant ? 1 : args.size();
  duckdb::UnifiedVectorFormat lists;
  args.data[0].ToUnifiedFormat(args.size(), lists);
  const auto* entries = duckdb::UnifiedVectorFormat::GetData<duckdb::list_entry_t>(lists);
  result.SetVectorType(duckdb::VectorType::FLAT_VECTOR);

  Reducing now{{}, duckdb::Vector(result.GetType())};
  duckdb::SelectionVector chosen(count + 1);
  for (duckdb::idx_t row = 0; row < count; ++row) {
    if (!lists.validity.RowIsValid(lists.sel->get_index(row))) {
      duckdb::FlatVector::SetNull(result, row, true);
    } else {
      chosen.set_index(now.rows.size(), row);
      now.rows.push_back(row);
    }
  }
  duckdb::VectorOperations::Copy(args.data[1], now.state, chosen, now.rows.size(), 0, 0);
  duckdb::ExpressionExecutor executor(state.GetContext(), lambda);
  auto& elements = duckdb::ListVector::GetEntry(args.data[0]);
  for (duckdb::idx_t step = 0;; ++step) {
    settle_rows(now, lists, step, result);
    const duckdb::idx_t rows = now.rows.size();
    if (rows == 0) break;
    duckdb::SelectionVector element(rows), source(rows);
    for (duckdb::idx_t k = 0; k < rows; ++k) {
      element.set_index(k, entries[lists.sel->get_index(now.rows[k])].offset + step);
      source.set_index(k, now.rows[k]);
    }
    duckdb::DataChunk input;
    duckdb::vector<LogicalType> types = {elements.GetType(), result.GetType()};
    for (size_t i = 2; i < args.ColumnCount(); ++i) types.push_back(args.data[i].GetType());
    input.InitializeEmpty(types);
    input.data[0].Slice(elements, element, rows);
    input.data[1].Reference(now.state);
    for (size_t i = 2; i < args.ColumnCount(); ++i) input.data[i].Slice(args.data[i], source, rows);
    input.SetCardinality(rows);
    duckdb::Vector next(result.GetType());
    executor.ExecuteExpression(input, next);
    // A copy of its own: the executor uses its buffers again.
    duckdb::Vector copied(result.GetType());
    duckdb::VectorOperations::Copy(next, copied, rows, 0, 0);
    now.state.Reference(copied);
  }
  if (constant) result.SetVectorType(duckdb::VectorType::CONSTANT_VECTOR);
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
  duckdb::ScalarFunction reduce(
      "trino_reduce", {LogicalType::LIST(LogicalType::ANY), LogicalType::LAMBDA, LogicalType::ANY},
      LogicalType::ANY, run_reduce, bind_reduce);
  reduce.SetBindLambdaCallback(reduce_argument);
  reduce.SetNullHandling(duckdb::FunctionNullHandling::SPECIAL_HANDLING);
  loader.RegisterFunction(std::move(reduce));
}

}  // namespace meesh::engine
