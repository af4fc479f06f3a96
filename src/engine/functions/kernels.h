// Registering plain C++ functions of plain arguments as native scalars.
//
//   add_kernel<double, double>(loader, "meesh_exp", {kDouble}, kDouble, [](double x) { return
//   std::exp(x); });
//
// Text comes as std::string_view and goes as std::string; a function returning std::optional gives
// NULL for nullopt; NULL arguments give NULL without a call. Errors are thrown with raise().
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include "duckdb/main/extension/extension_loader.hpp"
#include "engine/functions/rules.h"

namespace meesh::engine {

template <class T>
struct Stored {
  using type = T;
  static T get(const T& value) { return value; }
};
template <>
struct Stored<std::string_view> {
  using type = duckdb::string_t;
  static std::string_view get(const duckdb::string_t& value) {
    return {value.GetData(), value.GetSize()};
  }
};

/// Writes one result; lists of text are the only nested result.
template <class R>
void write_value(duckdb::Vector& result, size_t row, R value) {
  if constexpr (std::is_same_v<R, std::string>) {
    duckdb::FlatVector::GetData<duckdb::string_t>(result)[row] =
        duckdb::StringVector::AddStringOrBlob(result, value);
  } else if constexpr (std::is_same_v<R, std::vector<std::optional<std::string>>>) {
    auto& child = duckdb::ListVector::GetEntry(result);
    auto offset = duckdb::ListVector::GetListSize(result);
    duckdb::ListVector::Reserve(result, offset + value.size());
    auto data = duckdb::FlatVector::GetData<duckdb::string_t>(child);
    for (size_t i = 0; i < value.size(); ++i) {
      if (value[i]) {
        data[offset + i] = duckdb::StringVector::AddStringOrBlob(child, *value[i]);
      } else {
        duckdb::FlatVector::SetNull(child, offset + i, true);
      }
    }
    duckdb::FlatVector::GetData<duckdb::list_entry_t>(result)[row] = {offset, value.size()};
    duckdb::ListVector::SetListSize(result, offset + value.size());
  } else {
    duckdb::FlatVector::GetData<R>(result)[row] = value;
  }
}

template <class R>
void write_value(duckdb::Vector& result, size_t row, std::optional<R> value) {
  if (value) {
    write_value(result, row, std::move(*value));
  } else {
    duckdb::FlatVector::SetNull(result, row, true);
  }
}

template <class... A, class F, size_t... I>
void run_kernel(duckdb::DataChunk& args, duckdb::Vector& result, const F& function,
                std::index_sequence<I...>) {
  if (args.size() == 0) return;  // constants of a branch no row takes must not raise
  const bool constant = args.AllConstant();
  const size_t rows = constant ? 1 : args.size();
  std::array<duckdb::UnifiedVectorFormat, sizeof...(A)> columns;
  (args.data[I].ToUnifiedFormat(args.size(), columns[I]), ...);
  result.SetVectorType(duckdb::VectorType::FLAT_VECTOR);
  for (size_t row = 0; row < rows; ++row) {
    const std::array<size_t, sizeof...(A)> at = {columns[I].sel->get_index(row)...};
    if (!(columns[I].validity.RowIsValid(at[I]) && ...)) {
      duckdb::FlatVector::SetNull(result, row, true);
      continue;
    }
    write_value(
        result, row,
        function(Stored<A>::get(
            duckdb::UnifiedVectorFormat::GetData<typename Stored<A>::type>(columns[I])[at[I]])...));
  }
  if (constant) result.SetVectorType(duckdb::VectorType::CONSTANT_VECTOR);
}

template <class... A, class F>
void add_kernel(duckdb::ExtensionLoader& loader, const char* name,
                duckdb::vector<duckdb::LogicalType> types, duckdb::LogicalType result, F function,
                bool is_volatile = false) {
  duckdb::ScalarFunction made(
      name, std::move(types), std::move(result),
      [function](duckdb::DataChunk& args, duckdb::ExpressionState&, duckdb::Vector& out) {
        run_kernel<A...>(args, out, function, std::index_sequence_for<A...>());
      });
  made.SetFallible();
  if (is_volatile) made.SetVolatile();
  loader.RegisterFunction(std::move(made));
}

inline const duckdb::LogicalType kBool = duckdb::LogicalType::BOOLEAN;
inline const duckdb::LogicalType kInt = duckdb::LogicalType::INTEGER;
inline const duckdb::LogicalType kLong = duckdb::LogicalType::BIGINT;
inline const duckdb::LogicalType kDouble = duckdb::LogicalType::DOUBLE;
inline const duckdb::LogicalType kText = duckdb::LogicalType::VARCHAR;
inline const duckdb::LogicalType kBytes = duckdb::LogicalType::BLOB;

/// Code points of UTF-8 that is not broken.
std::vector<uint32_t> code_points(std::string_view text);
void append_code_point(std::string& out, uint32_t point);
/// XXH64 with seed 0, as the XXH64 specification describes it.
uint64_t xxhash64(std::string_view bytes);

}  // namespace meesh::engine
