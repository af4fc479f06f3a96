#include "engine/functions/map_keys.h"

#include "duckdb/planner/expression/bound_function_expression.hpp"
#include "engine/functions/value_kernels.h"

namespace meesh::engine {
namespace {

using duckdb::LogicalType;
using duckdb::LogicalTypeId;
using duckdb::Value;

/// `keys`: lists of keys, or of entries that begin with the key.
[[noreturn]] void raise_duplicate(duckdb::Vector& keys, duckdb::idx_t rows) {
  const bool entries = duckdb::ListType::GetChildType(keys.GetType()).id() == LogicalTypeId::STRUCT;
  for (duckdb::idx_t row = 0; row < rows; ++row) {
    const Value list = keys.GetValue(row);
    if (list.IsNull()) continue;
    ValueSet seen;
    for (const Value& element : duckdb::ListValue::GetChildren(list)) {
      const Value& key = entries ? duckdb::StructValue::GetChildren(element)[0] : element;
      if (!seen.insert(key).second)
        raise(Code::kInvalidFunctionArgument,
              "Duplicate map keys (" + key.ToString() + ") are not allowed");
    }
  }
  raise(Code::kInvalidFunctionArgument, "Duplicate map keys are not allowed");
}

bool tells_duplicate(const duckdb::Exception& error) {
  return std::string_view(error.what()).find("Map keys must be unique") != std::string_view::npos;
}

}  // namespace

ExprPtr tell_duplicate_keys(ExprPtr made) {
  if (made->GetExpressionClass() != duckdb::ExpressionClass::BOUND_FUNCTION) return made;
  auto& function = made->Cast<duckdb::BoundFunctionExpression>().function;
  function.SetFunctionCallback(
      [native = function.GetFunctionCallback()](
          duckdb::DataChunk& args, duckdb::ExpressionState& state, duckdb::Vector& result) {
        try {
          native(args, state, result);
        } catch (const duckdb::InvalidInputException& error) {
          if (!tells_duplicate(error)) throw;
          raise_duplicate(args.data[0], args.size());
        }
      });
  return made;
}

ExprPtr map_of(const Build& build, Exprs args) {
  return tell_duplicate_keys(build.call("map", std::move(args)));
}

ExprPtr map_of_unknown_entries(const Build& build, ExprPtr entries) {
  const auto type = build.call("map", Exprs())->return_type;
  duckdb::ScalarFunction function(
      "meesh_map_of_unknown", {entries->return_type}, type,
      [type](duckdb::DataChunk& args, duckdb::ExpressionState&, duckdb::Vector& result) {
        const Value none = Value::MAP(duckdb::MapType::KeyType(type),
                                      duckdb::MapType::ValueType(type), Values(), Values());
        for (duckdb::idx_t row = 0; row < args.size(); ++row) {
          const Value list = args.data[0].GetValue(row);
          if (!list.IsNull() && !duckdb::ListValue::GetChildren(list).empty())
            raise(Code::kInvalidFunctionArgument, "map entry cannot be null");
          result.SetValue(row, list.IsNull() ? Value(type) : none);
        }
        if (args.AllConstant()) result.SetVectorType(duckdb::VectorType::CONSTANT_VECTOR);
      });
  function.SetFallible();
  Exprs args;
  args.push_back(std::move(entries));
  return build.kernel(std::move(function), std::move(args));
}

}  // namespace meesh::engine
