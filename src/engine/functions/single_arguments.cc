#include "engine/functions/single_arguments.h"

#include <algorithm>

#include "duckdb/execution/expression_executor.hpp"
#include "duckdb/execution/expression_executor_state.hpp"
#include "duckdb/planner/expression/list.hpp"
#include "duckdb/planner/expression_iterator.hpp"

namespace meesh::engine {
namespace {

using duckdb::BoundReferenceExpression;
using duckdb::ExpressionClass;
using duckdb::make_uniq;

ExprPtr reference(const duckdb::Expression& to, size_t index) {
  auto made = make_uniq<BoundReferenceExpression>(to.return_type, duckdb::storage_t(index));
  made->SetQueryLocation(to.GetQueryLocation());
  return made;
}

/// Parts of an expression above which it is not copied: calls within calls, each of which uses its
/// argument twice, would grow with every one.
constexpr size_t kLarge = 512;

constexpr const char* kOnce = "meesh_once";

/// Whether the expression has more than `left` parts, which is counted down. What is computed once
/// already has parts that are not seen here.
bool is_larger(const duckdb::Expression& expression, size_t& left) {
  const bool once = expression.GetExpressionClass() == ExpressionClass::BOUND_FUNCTION &&
                    expression.Cast<duckdb::BoundFunctionExpression>().function.name == kOnce;
  if (left == 0 || once) return true;
  --left;
  bool larger = false;
  duckdb::ExpressionIterator::EnumerateChildren(expression, [&](const duckdb::Expression& child) {
    larger = larger || is_larger(child, left);
  });
  return larger;
}

bool is_large(const duckdb::Expression& expression) {
  size_t left = kLarge;
  return is_larger(expression, left);
}

/// Whether there may be only one of the expression.
bool is_single(const duckdb::Expression& expression) {
  return expression.HasSubquery() || expression.IsVolatile() || is_large(expression);
}

void replace_by_reference(ExprPtr& expression, Exprs& taken) {
  auto left_behind = reference(*expression, taken.size());
  taken.push_back(std::move(expression));
  expression = std::move(left_behind);
}

void take_out_subqueries(ExprPtr& expression, Exprs& taken) {
  if (expression->GetExpressionClass() == ExpressionClass::BOUND_SUBQUERY)
    return replace_by_reference(expression, taken);
  duckdb::ExpressionIterator::EnumerateChildren(
      *expression, [&](ExprPtr& child) { take_out_subqueries(child, taken); });
}

/// Moves what there may be only one of out of an argument and leaves references behind. What is
/// constant stays one, as rules look at constants.
void take_out(const Build& build, ExprPtr& argument, Exprs& taken) {
  if (!is_single(*argument)) return;
  duckdb::Value value;
  if (argument->IsFoldable() &&
      duckdb::ExpressionExecutor::TryEvaluateScalar(build.context, *argument, value)) {
    const auto type = argument->return_type;
    argument = build.relabel(build.constant(std::move(value)), type);
  } else if (argument->IsVolatile() || is_large(*argument)) {
    replace_by_reference(argument, taken);
  } else {
    take_out_subqueries(argument, taken);
  }
}

void for_references(ExprPtr& expression, const std::function<void(ExprPtr&, size_t)>& visit) {
  if (expression->GetExpressionClass() == ExpressionClass::BOUND_REF)
    return visit(expression, expression->Cast<BoundReferenceExpression>().index);
  duckdb::ExpressionIterator::EnumerateChildren(
      *expression, [&](ExprPtr& child) { for_references(child, visit); });
}

bool is_computed_from_children(const duckdb::Expression& expression) {
  switch (expression.GetExpressionClass()) {
    case ExpressionClass::BOUND_CONSTANT:
    case ExpressionClass::BOUND_CASE:
    case ExpressionClass::BOUND_CAST:
    case ExpressionClass::BOUND_COMPARISON:
    case ExpressionClass::BOUND_CONJUNCTION:
    case ExpressionClass::BOUND_FUNCTION:
    case ExpressionClass::BOUND_OPERATOR:
    case ExpressionClass::BOUND_BETWEEN:
      return true;
    default:
      return false;
  }
}

/// Moves columns and the like out, too, behind the `inputs` that are there already.
void take_out_leaves(ExprPtr& expression, Exprs& inputs) {
  if (expression->GetExpressionClass() == ExpressionClass::BOUND_REF) return;
  if (is_computed_from_children(*expression)) {
    duckdb::ExpressionIterator::EnumerateChildren(
        *expression, [&](ExprPtr& child) { take_out_leaves(child, inputs); });
    return;
  }
  const auto same = std::find_if(inputs.begin(), inputs.end(), [&](const ExprPtr& input) {
    return input->GetExpressionClass() == expression->GetExpressionClass() &&
           input->Equals(*expression);
  });
  auto left_behind = reference(*expression, static_cast<size_t>(same - inputs.begin()));
  if (same == inputs.end()) inputs.push_back(std::move(expression));
  expression = std::move(left_behind);
}

/// An expression over the arguments of the call it belongs to.
struct Inner : duckdb::FunctionData {
  explicit Inner(ExprPtr e) : expression(std::move(e)) {}
  ExprPtr expression;
  duckdb::unique_ptr<duckdb::FunctionData> Copy() const override {
    return make_uniq<Inner>(expression->Copy());
  }
  bool Equals(const duckdb::FunctionData& other) const override {
    return expression->Equals(*other.Cast<Inner>().expression);
  }
};

struct Running : duckdb::FunctionLocalState {
  Running(duckdb::ClientContext& context, const duckdb::Expression& expression)
      : executor(context, expression) {}
  duckdb::ExpressionExecutor executor;
};

duckdb::unique_ptr<duckdb::FunctionLocalState> begin(duckdb::ExpressionState& state,
                                                     const duckdb::BoundFunctionExpression&,
                                                     duckdb::FunctionData* data) {
  return make_uniq<Running>(state.GetContext(), *data->Cast<Inner>().expression);
}

void run(duckdb::DataChunk& args, duckdb::ExpressionState& state, duckdb::Vector& result) {
  duckdb::ExecuteFunctionState::GetFunctionState(state)->Cast<Running>().executor.ExecuteExpression(
      args, result);
}

/// `expression` over references, as one call of the inputs they mean.
ExprPtr computed_once(ExprPtr expression, Exprs inputs) {
  take_out_leaves(expression, inputs);
  const auto type = expression->return_type;
  duckdb::vector<duckdb::LogicalType> types;
  for (const auto& input : inputs) types.push_back(input->return_type);
  duckdb::ScalarFunction function(kOnce, std::move(types), type, run);
  function.SetInitStateCallback(begin);
  function.SetNullHandling(duckdb::FunctionNullHandling::SPECIAL_HANDLING);
  if (expression->CanThrow()) function.SetFallible();
  if (expression->IsVolatile()) function.SetVolatile();
  return make_uniq<duckdb::BoundFunctionExpression>(type, std::move(function), std::move(inputs),
                                                    make_uniq<Inner>(std::move(expression)));
}

}  // namespace

ExprPtr without_copies(const Build& build, Exprs arguments,
                       const std::function<ExprPtr(Exprs)>& rule) {
  Exprs taken;
  for (auto& argument : arguments) take_out(build, argument, taken);
  auto made = rule(std::move(arguments));
  if (taken.empty()) return made;
  std::vector<size_t> uses(taken.size());
  for_references(made, [&](ExprPtr&, size_t index) { ++uses[index]; });
  if (std::any_of(uses.begin(), uses.end(), [](size_t count) { return count > 1; }))
    return computed_once(std::move(made), std::move(taken));
  for_references(made, [&](ExprPtr& place, size_t index) { place = std::move(taken[index]); });
  return made;
}

}  // namespace meesh::engine
