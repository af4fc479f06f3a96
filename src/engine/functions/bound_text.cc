#include "engine/functions/bound_text.h"

#include "duckdb/catalog/catalog_entry/aggregate_function_catalog_entry.hpp"
#include "duckdb/execution/expression_executor.hpp"
#include "duckdb/function/function_binder.hpp"
#include "duckdb/parser/expression/bound_expression.hpp"
#include "duckdb/parser/expression/function_expression.hpp"
#include "duckdb/parser/parser.hpp"
#include "duckdb/planner/binder.hpp"
#include "duckdb/planner/expression/list.hpp"
#include "duckdb/planner/expression_binder.hpp"
#include "duckdb/planner/expression_iterator.hpp"

namespace meesh::engine {
namespace {

/// Columns by their place in the chunk; no places in the text.
void settle(ExprPtr& expression) {
  if (expression->GetExpressionClass() == duckdb::ExpressionClass::BOUND_COLUMN_REF) {
    const auto& column = expression->Cast<duckdb::BoundColumnRefExpression>();
    expression = duckdb::make_uniq<duckdb::BoundReferenceExpression>(column.return_type,
                                                                     column.binding.column_index);
    return;
  }
  expression->SetQueryLocation(duckdb::optional_idx());
  duckdb::ExpressionIterator::EnumerateChildren(*expression, settle);
}

/// Computes what is the same for every row. What fails is left: perhaps no row comes there.
void fold(duckdb::ClientContext& context, ExprPtr& expression) {
  const bool constant = expression->GetExpressionClass() == duckdb::ExpressionClass::BOUND_CONSTANT;
  if (!constant && expression->IsFoldable()) {
    duckdb::Value value;
    if (duckdb::ExpressionExecutor::TryEvaluateScalar(context, *expression, value) &&
        value.type() == expression->return_type) {
      expression = duckdb::make_uniq<duckdb::BoundConstantExpression>(std::move(value));
    }
    return;
  }
  duckdb::ExpressionIterator::EnumerateChildren(*expression,
                                                [&](ExprPtr& child) { fold(context, child); });
}

/// Takes aggregates out of an expression.
class AggregateBinder : public duckdb::ExpressionBinder {
 public:
  AggregateBinder(duckdb::Binder& binder, duckdb::ClientContext& client, size_t columns,
                  Aggregates& aggregates)
      : ExpressionBinder(binder, client), columns_(columns), aggregates_(aggregates) {}

 protected:
  duckdb::BindResult BindAggregate(duckdb::FunctionExpression& call,
                                   duckdb::AggregateFunctionCatalogEntry& entry,
                                   duckdb::idx_t depth) override {
    if (call.filter || call.distinct || (call.order_bys && !call.order_bys->orders.empty()))
      raise(Code::kNotSupported, "This form of " + call.function_name + " is not supported here");
    duckdb::ErrorData error;
    for (auto& child : call.children) BindChild(child, depth, error);
    if (error.HasError()) return duckdb::BindResult(std::move(error));
    Exprs children;
    duckdb::vector<duckdb::LogicalType> types;
    for (auto& child : call.children) {
      children.push_back(std::move(duckdb::BoundExpression::GetExpression(*child)));
      types.push_back(children.back()->return_type);
    }
    duckdb::FunctionBinder functions(context);
    const auto best = functions.BindFunction(entry.name, entry.functions, types, error);
    if (!best.IsValid()) return duckdb::BindResult(std::move(error));
    auto made = functions.BindAggregateFunction(
        entry.functions.GetFunctionByOffset(best.GetIndex()), std::move(children));
    for (auto& child : made->children) {
      settle(child);
      fold(context, child);
    }
    const auto type = made->return_type;
    aggregates_.push_back(std::move(made));
    return duckdb::BindResult(duckdb::make_uniq<duckdb::BoundReferenceExpression>(
        type, columns_ + aggregates_.size() - 1));
  }

 private:
  const size_t columns_;
  Aggregates& aggregates_;
};

}  // namespace

duckdb::vector<std::string> numbered_names(size_t count) {
  duckdb::vector<std::string> names;
  for (size_t i = 0; i < count; ++i) names.push_back("v" + std::to_string(i));
  return names;
}

ExprPtr bind_text(duckdb::ClientContext& context, const std::string& text,
                  const duckdb::vector<std::string>& names,
                  const duckdb::vector<duckdb::LogicalType>& types) {
  auto parsed = duckdb::Parser::ParseExpressionList(text, context.GetParserOptions());
  auto binder = duckdb::Binder::CreateBinder(context);
  if (!names.empty())
    binder->bind_context.AddGenericBinding(binder->GenerateTableIndex(), "row", names, types);
  duckdb::ExpressionBinder expression_binder(*binder, context);
  auto bound = expression_binder.Bind(parsed.at(0));
  settle(bound);
  fold(context, bound);
  return bound;
}

ExprPtr bind_text_with_aggregates(duckdb::ClientContext& context, const std::string& text,
                                  const duckdb::vector<std::string>& names,
                                  const duckdb::vector<duckdb::LogicalType>& types,
                                  Aggregates& aggregates) {
  auto parsed = duckdb::Parser::ParseExpressionList(text, context.GetParserOptions());
  auto binder = duckdb::Binder::CreateBinder(context);
  if (!names.empty())
    binder->bind_context.AddGenericBinding(binder->GenerateTableIndex(), "row", names, types);
  AggregateBinder expression_binder(*binder, context, names.size(), aggregates);
  auto bound = expression_binder.Bind(parsed.at(0));
  settle(bound);
  fold(context, bound);
  return bound;
}

}  // namespace meesh::engine
