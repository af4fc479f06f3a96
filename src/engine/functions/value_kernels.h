// Kernels over any type: a row's arguments come as DuckDB Values, which is general and slower than
// a typed loop. Used where DuckDB has no function of the same meaning.
#pragma once

#include <set>

#include "engine/functions/kernels.h"

namespace meesh::engine {

using Values = duckdb::vector<duckdb::Value>;

/// An order in which NULL is a value of its own, the least.
struct ValueLess {
  bool operator()(const duckdb::Value& a, const duckdb::Value& b) const {
    if (a.IsNull() || b.IsNull()) return a.IsNull() && !b.IsNull();
    return a < b;
  }
};
using ValueSet = std::set<duckdb::Value, ValueLess>;

inline duckdb::Value list_like(const duckdb::LogicalType& type, Values values) {
  return duckdb::Value::LIST(duckdb::ListType::GetChildType(type), std::move(values));
}

/// Sets the types of the arguments as they are; for bind callbacks.
inline void take_types(duckdb::ScalarFunction& function, const duckdb::vector<ExprPtr>& args) {
  for (size_t i = 0; i < args.size() && i < function.arguments.size(); ++i)
    function.arguments[i] = args[i]->return_type;
}

/// Registers `function(values, result type)`, which is not called when an argument is NULL: the
/// result is NULL then. `bind` chooses the result type when `result` is ANY.
template <class F>
void add_value_kernel(duckdb::ExtensionLoader& loader, const char* name,
                      duckdb::vector<duckdb::LogicalType> types, duckdb::LogicalType result,
                      duckdb::bind_scalar_function_t bind, F function) {
  duckdb::ScalarFunction made(
      name, std::move(types), std::move(result),
      [function](duckdb::DataChunk& args, duckdb::ExpressionState&, duckdb::Vector& out) {
        const bool constant = args.AllConstant();
        const size_t rows = constant ? 1 : args.size();
        for (size_t row = 0; row < rows; ++row) {
          Values in;
          bool null = false;
          for (auto& column : args.data) {
            in.push_back(column.GetValue(row));
            null = null || in.back().IsNull();
          }
          out.SetValue(row, null ? duckdb::Value(out.GetType()) : function(in, out.GetType()));
        }
        if (constant) out.SetVectorType(duckdb::VectorType::CONSTANT_VECTOR);
      },
      bind);
  made.SetFallible();
  loader.RegisterFunction(std::move(made));
}

}  // namespace meesh::engine
