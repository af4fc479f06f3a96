// The aggregate that gathers a column's values in a theta sketch, as the bytes that Iceberg makes
// of them.
#include <algorithm>
#include <bit>

#include "duckdb/function/aggregate_function.hpp"
#include "duckdb/main/extension/extension_loader.hpp"
#include "duckdb/parser/parsed_data/create_aggregate_function_info.hpp"
#include "engine/functions/build.h"
#include "engine/int128.h"
#include "engine/lake/statistics.h"
#include "lake/theta_sketch.h"

namespace meesh::engine {
namespace {

using duckdb::idx_t;
using duckdb::LogicalTypeId;

constexpr const char* kSketch = "meesh_theta_sketch";

/// A state is a pointer to a sketch, null as long as there was nothing to add.
using State = lake::ThetaSketch*;

lake::ThetaSketch& sketch_of(State& state) {
  if (!state) state = new lake::ThetaSketch();
  return *state;
}

static_assert(std::endian::native == std::endian::little, "so are Iceberg's single values");

/// Calls `add` with the place and the bytes, in Iceberg's form, of every row that is not NULL.
template <class T, class Bytes, class Add>
void each_value(const duckdb::UnifiedVectorFormat& column, idx_t count, Bytes bytes, Add add) {
  const T* values = duckdb::UnifiedVectorFormat::GetData<T>(column);
  for (idx_t row = 0; row < count; ++row) {
    const idx_t at = column.sel->get_index(row);
    if (column.validity.RowIsValid(at)) add(row, bytes(values[at]));
  }
}

template <class T>
std::string_view as_it_lies(const T& value) {
  return {reinterpret_cast<const char*>(&value), sizeof value};
}

/// Writes big-endian bytes of decimals and uuids.
class BigEndian {
 public:
  /// As few bytes as hold the number and its sign.
  std::string_view shortest(unsigned __int128 number) {
    whole(number);
    const bool negative = static_cast<signed char>(bytes_[0]) < 0;
    size_t from = 0;
    while (from < 15 && bytes_[from] == (negative ? '\xff' : '\0') &&
           (static_cast<signed char>(bytes_[from + 1]) < 0) == negative) {
      ++from;
    }
    return {bytes_ + from, sizeof bytes_ - from};
  }
  std::string_view whole(unsigned __int128 number) {
    for (size_t i = sizeof bytes_; i > 0; --i, number >>= 8)
      bytes_[i - 1] = static_cast<char>(number & 0xff);
    return {bytes_, sizeof bytes_};
  }

 private:
  char bytes_[16];
};

template <class T, class Add>
void each_decimal(const duckdb::UnifiedVectorFormat& column, idx_t count, Add add) {
  BigEndian out;
  const auto bytes = [&](const T& value) {
    if constexpr (std::is_same_v<T, duckdb::hugeint_t>) {
      return out.shortest(wide(value));
    } else {
      return out.shortest(static_cast<unsigned __int128>(static_cast<__int128>(value)));
    }
  };
  each_value<T>(column, count, bytes, add);
}

template <class Add>
void each_value(const duckdb::LogicalType& type, const duckdb::UnifiedVectorFormat& column,
                idx_t count, Add add) {
  using duckdb::PhysicalType;
  const PhysicalType stored = type.InternalType();
  if (type.id() == LogicalTypeId::UUID) {
    // DuckDB turns the highest bit so that uuids sort as numbers.
    BigEndian out;
    const auto bytes = [&](const duckdb::hugeint_t& value) {
      return out.whole(wide(value) ^ (static_cast<unsigned __int128>(1) << 127));
    };
    return each_value<duckdb::hugeint_t>(column, count, bytes, add);
  }
  if (type.id() == LogicalTypeId::DECIMAL) {
    if (stored == PhysicalType::INT16) return each_decimal<int16_t>(column, count, add);
    if (stored == PhysicalType::INT32) return each_decimal<int32_t>(column, count, add);
    if (stored == PhysicalType::INT64) return each_decimal<int64_t>(column, count, add);
    return each_decimal<duckdb::hugeint_t>(column, count, add);
  }
  switch (stored) {
    case PhysicalType::BOOL:
      return each_value<bool>(column, count, as_it_lies<bool>, add);
    case PhysicalType::INT32:
      return each_value<int32_t>(column, count, as_it_lies<int32_t>, add);
    case PhysicalType::INT64:
      return each_value<int64_t>(column, count, as_it_lies<int64_t>, add);
    case PhysicalType::FLOAT:
      return each_value<float>(column, count, as_it_lies<float>, add);
    case PhysicalType::DOUBLE:
      return each_value<double>(column, count, as_it_lies<double>, add);
    case PhysicalType::VARCHAR: {
      const auto bytes = [](const duckdb::string_t& text) {
        return std::string_view(text.GetData(), text.GetSize());
      };
      return each_value<duckdb::string_t>(column, count, bytes, add);
    }
    default:
      raise(Code::kNotSupported, "Values of type " + type.ToString() + " cannot be analyzed");
  }
}

duckdb::UnifiedVectorFormat format_of(duckdb::Vector& vector, idx_t count) {
  duckdb::UnifiedVectorFormat format;
  vector.ToUnifiedFormat(count, format);
  return format;
}

State& state_at(const duckdb::UnifiedVectorFormat& states, idx_t row) {
  return *duckdb::UnifiedVectorFormat::GetData<State*>(states)[states.sel->get_index(row)];
}

void update(duckdb::Vector inputs[], duckdb::AggregateInputData&, idx_t, duckdb::Vector& state,
            idx_t count) {
  const auto states = format_of(state, count);
  each_value(
      inputs[0].GetType(), format_of(inputs[0], count), count,
      [&](idx_t row, std::string_view bytes) { sketch_of(state_at(states, row)).add(bytes); });
}

void update_one(duckdb::Vector inputs[], duckdb::AggregateInputData&, idx_t,
                duckdb::data_ptr_t state, idx_t count) {
  // One value for the whole vector counts once.
  if (inputs[0].GetVectorType() == duckdb::VectorType::CONSTANT_VECTOR)
    count = std::min<idx_t>(count, 1);
  auto& sketch = sketch_of(*reinterpret_cast<State*>(state));
  each_value(inputs[0].GetType(), format_of(inputs[0], count), count,
             [&](idx_t, std::string_view bytes) { sketch.add(bytes); });
}

void combine(duckdb::Vector& source, duckdb::Vector& target, duckdb::AggregateInputData&,
             idx_t count) {
  const auto from = format_of(source, count), to = format_of(target, count);
  for (idx_t row = 0; row < count; ++row) {
    if (const State part = state_at(from, row)) sketch_of(state_at(to, row)).merge(*part);
  }
}

void finalize(duckdb::Vector& state, duckdb::AggregateInputData&, duckdb::Vector& result,
              idx_t count, idx_t offset) {
  const auto states = format_of(state, count);
  auto* out = duckdb::FlatVector::GetData<duckdb::string_t>(result);
  for (idx_t row = 0; row < count; ++row) {
    const State sketch = state_at(states, row);
    const std::string bytes = sketch ? sketch->compact() : lake::ThetaSketch().compact();
    out[row + offset] = duckdb::StringVector::AddStringOrBlob(result, bytes.data(), bytes.size());
  }
}

void destroy(duckdb::Vector& state, duckdb::AggregateInputData&, idx_t count) {
  const auto states = format_of(state, count);
  for (idx_t row = 0; row < count; ++row) {
    delete state_at(states, row);
    state_at(states, row) = nullptr;
  }
}

duckdb::unique_ptr<duckdb::FunctionData> bind(
    duckdb::ClientContext&, duckdb::AggregateFunction& function,
    duckdb::vector<duckdb::unique_ptr<duckdb::Expression>>& arguments) {
  function.arguments[0] = arguments.at(0)->return_type;
  return nullptr;
}

}  // namespace

void register_statistics_functions(duckdb::DatabaseInstance& instance) {
  duckdb::AggregateFunction sketch(
      kSketch, {duckdb::LogicalType::ANY}, duckdb::LogicalType::BLOB,
      [](const duckdb::AggregateFunction&) -> idx_t { return sizeof(State); },
      [](const duckdb::AggregateFunction&, duckdb::data_ptr_t state) {
        *reinterpret_cast<State*>(state) = nullptr;
      },
      update, combine, finalize, duckdb::FunctionNullHandling::SPECIAL_HANDLING, update_one, bind,
      destroy);
  sketch.order_dependent = duckdb::AggregateOrderDependent::NOT_ORDER_DEPENDENT;
  sketch.distinct_dependent = duckdb::AggregateDistinctDependent::NOT_DISTINCT_DEPENDENT;
  duckdb::CreateAggregateFunctionInfo info(std::move(sketch));
  info.on_conflict = duckdb::OnCreateConflict::IGNORE_ON_CONFLICT;
  duckdb::ExtensionLoader loader(instance, "meesh");
  loader.RegisterFunction(std::move(info));
}

std::string sketch_call(const std::string& column) {
  return fmt::format("{}({})", kSketch, column);
}

}  // namespace meesh::engine
