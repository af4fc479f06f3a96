// register_functions(): every trino_… scalar is one DuckDB function that takes anything and, while
// a statement is bound, replaces itself by the expression its rule makes.
#include "duckdb/main/extension/extension_loader.hpp"
#include "engine/duck.h"
#include "engine/functions/java_format.h"
#include "engine/functions/many_joins.h"
#include "engine/functions/outer_joins.h"
#include "engine/functions/rules.h"
#include "engine/functions/single_arguments.h"

namespace meesh::engine {
namespace {

struct RuleInfo : duckdb::ScalarFunctionInfo {
  explicit RuleInfo(const Rule* r) : rule(r) {}
  const Rule* rule;
};

struct RuleData : duckdb::FunctionData {
  explicit RuleData(const Rule* r) : rule(r) {}
  const Rule* rule;
  duckdb::unique_ptr<duckdb::FunctionData> Copy() const override {
    return duckdb::make_uniq<RuleData>(rule);
  }
  bool Equals(const duckdb::FunctionData& other) const override {
    return other.Cast<RuleData>().rule == rule;
  }
};

duckdb::unique_ptr<duckdb::FunctionData> remember_rule(duckdb::ClientContext&,
                                                       duckdb::ScalarFunction& function,
                                                       duckdb::vector<ExprPtr>&) {
  return duckdb::make_uniq<RuleData>(function.GetExtraFunctionInfo().Cast<RuleInfo>().rule);
}

ExprPtr replace(duckdb::FunctionBindExpressionInput& input) {
  const Build build(input.context);
  try {
    const Rule& rule = *input.bind_data->Cast<RuleData>().rule;
    return without_copies(build, std::move(input.children), [&](Exprs arguments) {
      return bind_rule(build, rule, std::move(arguments));
    });
  } catch (const Error& error) {
    raise(error.code(), error.message());
  }
}

}  // namespace

std::vector<std::string> rule_names();

void register_functions(duckdb::DatabaseInstance& instance) {
  duckdb::ExtensionLoader loader(instance, "meesh");
  register_math_kernels(loader);
  register_text_kernels(loader);
  register_time_kernels(loader);
  register_array_kernels(loader);
  register_regexp_kernels(loader);
  register_format_kernel(loader);
  register_url_kernels(loader);
  register_statistics_kernels(loader);
  register_encoding_kernels(loader);
  register_language_kernels(loader);
  register_network_kernels(loader);
  register_sketch_kernels(loader);
  register_color_kernels(loader);
  register_collection_kernels(loader);
  register_json_kernels(loader);
  register_group_kernels(loader);
  register_query_kernels(loader);
  register_lambdas(loader);
  register_sequence_table(loader);
  register_aggregates(loader);
  register_sketch_aggregates(loader);
  register_label_casts(loader);
  register_outer_join_keys(instance);
  register_join_bound(instance);
  for (auto& name : rule_names()) {
    duckdb::ScalarFunction function(name, {}, duckdb::LogicalType::ANY, nullptr, remember_rule);
    function.varargs = duckdb::LogicalType::ANY;
    function.SetNullHandling(duckdb::FunctionNullHandling::SPECIAL_HANDLING);
    function.SetExtraFunctionInfo<RuleInfo>(find_rule(name));
    function.SetBindExpressionCallback(replace);
    loader.RegisterFunction(std::move(function));
  }
}

}  // namespace meesh::engine
