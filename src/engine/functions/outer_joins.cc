#include "engine/functions/outer_joins.h"

#include <algorithm>

#include "duckdb/main/config.hpp"
#include "duckdb/optimizer/optimizer_extension.hpp"
#include "duckdb/planner/expression/list.hpp"
#include "duckdb/planner/operator/logical_any_join.hpp"
#include "duckdb/planner/operator/logical_comparison_join.hpp"
#include "duckdb/planner/operator/logical_filter.hpp"
#include "engine/functions/build.h"

namespace meesh::engine {
namespace {

using duckdb::ExpressionType;
using duckdb::JoinCondition;
using duckdb::JoinSide;
using Plan = duckdb::unique_ptr<duckdb::LogicalOperator>;

/// A join's condition by what its parts look at.
class Parts {
 public:
  explicit Parts(duckdb::LogicalAnyJoin& join) : join_(join) {
    duckdb::LogicalJoin::GetTableReferences(*join.children[0], left_);
    duckdb::LogicalJoin::GetTableReferences(*join.children[1], right_);
    Exprs all;
    all.push_back(join.condition->Copy());
    duckdb::LogicalFilter::SplitPredicates(all);
    for (auto& part : all) sort_in(std::move(part));
  }

  /// A join of compared columns alone; null if there is more to the condition.
  Plan compared() {
    const auto equal = std::find_if(conditions_.begin(), conditions_.end(), [](const auto& c) {
      return c.comparison == ExpressionType::COMPARE_EQUAL;
    });
    if (mixed_ || equal == conditions_.end()) return nullptr;
    for (auto& filter : left_filters_)
      equal->left = where(std::move(filter), std::move(equal->left));
    for (auto& filter : right_filters_)
      equal->right = where(std::move(filter), std::move(equal->right));
    auto made = duckdb::make_uniq<duckdb::LogicalComparisonJoin>(join_.join_type);
    made->conditions = std::move(conditions_);
    made->children = std::move(join_.children);
    return made;
  }

 private:
  /// A key that equals nothing where the condition does not hold.
  static ExprPtr where(ExprPtr condition, ExprPtr key) {
    auto null = duckdb::make_uniq<duckdb::BoundConstantExpression>(duckdb::Value(key->return_type));
    return duckdb::make_uniq<duckdb::BoundCaseExpression>(std::move(condition), std::move(key),
                                                          std::move(null));
  }

  JoinSide side(duckdb::Expression& part) const {
    return JoinSide::GetJoinSide(part, left_, right_);
  }

  void sort_in(ExprPtr part) {
    const JoinSide at = side(*part);
    if (part->IsVolatile() || part->HasSubquery()) {
      mixed_ = true;
    } else if (at == JoinSide::LEFT || at == JoinSide::NONE) {
      left_filters_.push_back(std::move(part));
    } else if (at == JoinSide::RIGHT) {
      right_filters_.push_back(std::move(part));
    } else if (part->GetExpressionClass() == duckdb::ExpressionClass::BOUND_COMPARISON) {
      compare(part->Cast<duckdb::BoundComparisonExpression>());
    } else {
      mixed_ = true;
    }
  }

  void compare(duckdb::BoundComparisonExpression& comparison) {
    JoinCondition condition;
    condition.comparison = comparison.GetExpressionType();
    condition.left = std::move(comparison.left);
    condition.right = std::move(comparison.right);
    if (side(*condition.left) == JoinSide::RIGHT) {
      std::swap(condition.left, condition.right);
      condition.comparison = duckdb::FlipComparisonExpression(condition.comparison);
    }
    mixed_ = mixed_ || side(*condition.left) != JoinSide::LEFT ||
             side(*condition.right) != JoinSide::RIGHT;
    conditions_.push_back(std::move(condition));
  }

  duckdb::LogicalAnyJoin& join_;
  duckdb::unordered_set<duckdb::idx_t> left_, right_;
  duckdb::vector<JoinCondition> conditions_;
  Exprs left_filters_, right_filters_;
  bool mixed_ = false;  // a part looks at both sides and is no comparison of one with the other
};

void give_keys(Plan& plan) {
  for (auto& child : plan->children) give_keys(child);
  if (plan->type != duckdb::LogicalOperatorType::LOGICAL_ANY_JOIN) return;
  auto& join = plan->Cast<duckdb::LogicalAnyJoin>();
  const bool outer = join.join_type == duckdb::JoinType::LEFT ||
                     join.join_type == duckdb::JoinType::RIGHT ||
                     join.join_type == duckdb::JoinType::OUTER;
  if (!outer) return;
  if (auto compared = Parts(join).compared()) plan = std::move(compared);
}

}  // namespace

void register_outer_join_keys(duckdb::DatabaseInstance& instance) {
  duckdb::OptimizerExtension extension;
  extension.pre_optimize_function = [](duckdb::OptimizerExtensionInput&, Plan& plan) {
    give_keys(plan);
  };
  duckdb::OptimizerExtension::Register(duckdb::DBConfig::GetConfig(instance), extension);
}

}  // namespace meesh::engine
