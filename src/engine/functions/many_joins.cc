#include "engine/functions/many_joins.h"

#include "duckdb/main/config.hpp"
#include "duckdb/optimizer/column_binding_replacer.hpp"
#include "duckdb/optimizer/optimizer.hpp"
#include "duckdb/optimizer/optimizer_extension.hpp"
#include "duckdb/planner/binder.hpp"
#include "duckdb/planner/expression/list.hpp"
#include "duckdb/planner/operator/logical_comparison_join.hpp"
#include "duckdb/planner/operator/logical_projection.hpp"
#include "engine/functions/build.h"

namespace meesh::engine {
namespace {

using duckdb::LogicalOperatorType;
using Plan = duckdb::unique_ptr<duckdb::LogicalOperator>;

/// Relations whose joins DuckDB orders together; planning 50 takes a third of a second.
constexpr size_t kTogether = 50;

void same(duckdb::DataChunk& args, duckdb::ExpressionState&, duckdb::Vector& result) {
  result.Reference(args.data[0]);
}

/// The column itself, behind what conditions are not moved through.
ExprPtr shielded(ExprPtr column) {
  const auto type = column->return_type;
  duckdb::ScalarFunction function("meesh_same", {type}, type, same);
  function.SetVolatile();
  function.SetNullHandling(duckdb::FunctionNullHandling::SPECIAL_HANDLING);
  Exprs args;
  args.push_back(std::move(column));
  return duckdb::make_uniq<duckdb::BoundFunctionExpression>(type, std::move(function),
                                                            std::move(args), nullptr);
}

class Divider {
 public:
  Divider(duckdb::Binder& binder, duckdb::LogicalOperator& root) : binder_(binder), root_(root) {}

  /// Puts what is joined already apart wherever more relations than kTogether come together; how
  /// many the operator's parents would order with theirs.
  size_t divide(Plan& plan) {
    if (plan->type == LogicalOperatorType::LOGICAL_FILTER) return divide(plan->children[0]);
    const bool joins =
        plan->type == LogicalOperatorType::LOGICAL_COMPARISON_JOIN &&
        plan->Cast<duckdb::LogicalComparisonJoin>().join_type == duckdb::JoinType::INNER;
    if (!joins) {
      for (auto& child : plan->children) divide(child);
      return 1;
    }
    size_t left = divide(plan->children[0]), right = divide(plan->children[1]);
    while (left + right > kTogether) {
      size_t& larger = left < right ? right : left;
      put_apart(plan->children[left < right ? 1 : 0]);
      larger = 1;
    }
    return left + right;
  }

 private:
  /// A projection is a relation of its own for the order of joins.
  void put_apart(Plan& plan) {
    plan->ResolveOperatorTypes();
    const auto columns = plan->GetColumnBindings();
    const auto index = binder_.GenerateTableIndex();
    duckdb::ColumnBindingReplacer replacer;
    Exprs items;
    for (size_t i = 0; i < columns.size(); ++i) {
      items.push_back(shielded(
          duckdb::make_uniq<duckdb::BoundColumnRefExpression>(plan->types[i], columns[i])));
      replacer.replacement_bindings.emplace_back(columns[i], duckdb::ColumnBinding(index, i));
    }
    auto apart = duckdb::make_uniq<duckdb::LogicalProjection>(index, std::move(items));
    if (plan->has_estimated_cardinality)
      apart->SetEstimatedCardinality(plan->estimated_cardinality);
    apart->children.push_back(std::move(plan));
    plan = std::move(apart);
    replacer.stop_operator = plan.get();
    replacer.VisitOperator(root_);
  }

  duckdb::Binder& binder_;
  duckdb::LogicalOperator& root_;
};

}  // namespace

void register_join_bound(duckdb::DatabaseInstance& instance) {
  duckdb::OptimizerExtension extension;
  extension.pre_optimize_function = [](duckdb::OptimizerExtensionInput& input, Plan& plan) {
    Divider(input.optimizer.binder, *plan).divide(plan);
  };
  duckdb::OptimizerExtension::Register(duckdb::DBConfig::GetConfig(instance), extension);
}

}  // namespace meesh::engine
