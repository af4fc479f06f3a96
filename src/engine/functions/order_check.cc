// ORDER BY of a query, of an aggregate and of a window: only by types that have an order. Types are
// known when DuckDB has bound the statement, so its plan is looked at.
#include "duckdb/main/config.hpp"
#include "duckdb/optimizer/optimizer_extension.hpp"
#include "duckdb/planner/expression/list.hpp"
#include "duckdb/planner/operator/logical_order.hpp"
#include "engine/functions/comparisons.h"

namespace meesh::engine {
namespace {

bool sorts(const duckdb::Expression& by) {
  const auto id = by.return_type.id();
  const bool simple = !by.return_type.IsNested() && id != duckdb::LogicalTypeId::VARCHAR &&
                      id != duckdb::LogicalTypeId::BLOB;
  return simple || is_orderable(type_of(by));
}

void check_query(const duckdb::LogicalOrder& order) {
  for (const auto& by : order.orders) {
    if (sorts(*by.expression)) continue;
    auto extra = duckdb::unordered_map<std::string, std::string>{
        {kCodeKey, std::string(code_name(Code::kTypeMismatch))}, {"position", "0"}};
    throw duckdb::Exception(extra, duckdb::ExceptionType::BINDER,
                            "Type " + type_of(*by.expression).display() +
                                " is not orderable, and therefore cannot be used in ORDER BY: " +
                                by.expression->GetName());
  }
}

void check_call(const duckdb::vector<duckdb::BoundOrderByNode>& orders,
                const duckdb::Expression& call) {
  for (const auto& by : orders)
    if (!sorts(*by.expression))
      raise(Code::kTypeMismatch,
            "ORDER BY can only be applied to orderable types (actual: " +
                type_of(*by.expression).display() + ")",
            &call);
}

void check(const duckdb::LogicalOperator& plan) {
  if (plan.type == duckdb::LogicalOperatorType::LOGICAL_ORDER_BY)
    check_query(plan.Cast<duckdb::LogicalOrder>());
  for (const auto& expression : plan.expressions) {
    if (expression->GetExpressionClass() == duckdb::ExpressionClass::BOUND_AGGREGATE) {
      const auto& call = expression->Cast<duckdb::BoundAggregateExpression>();
      if (call.order_bys) check_call(call.order_bys->orders, call);
    } else if (expression->GetExpressionClass() == duckdb::ExpressionClass::BOUND_WINDOW) {
      const auto& call = expression->Cast<duckdb::BoundWindowExpression>();
      check_call(call.orders, call);
    }
  }
  for (const auto& child : plan.children) check(*child);
}

}  // namespace

void register_order_check(duckdb::DatabaseInstance& instance) {
  duckdb::OptimizerExtension extension;
  extension.pre_optimize_function = [](duckdb::OptimizerExtensionInput&,
                                       duckdb::unique_ptr<duckdb::LogicalOperator>& plan) {
    check(*plan);
  };
  duckdb::OptimizerExtension::Register(duckdb::DBConfig::GetConfig(instance), extension);
}

}  // namespace meesh::engine
