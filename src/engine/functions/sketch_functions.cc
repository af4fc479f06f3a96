// What a sketch tells: cardinality, quantiles, what two sets have in common.
#include <cmath>

#include "engine/functions/value_kernels.h"
#include "engine/sketches/quantile_digest.h"
#include "engine/sketches/set_digest.h"
#include "engine/sketches/tdigest.h"

namespace meesh::engine {
namespace {

using duckdb::LogicalType;
using duckdb::Value;
using View = std::string_view;

View bytes_of(const Value& value) { return duckdb::StringValue::Get(value); }

/// Quantiles as they are asked for, in increasing order.
std::vector<double> quantiles_of(const Value& list, const char* out_of_range) {
  std::vector<double> out;
  for (const auto& value : duckdb::ListValue::GetChildren(list)) {
    if (value.IsNull()) raise(Code::kInvalidFunctionArgument, "All quantiles should be non-null.");
    const double quantile = value.GetValue<double>();
    if (!(quantile >= 0 && quantile <= 1)) raise(Code::kGenericInternalError, out_of_range);
    if (!out.empty() && quantile < out.back())
      raise(Code::kInvalidFunctionArgument, "percentiles must be sorted in increasing order");
    out.push_back(quantile);
  }
  return out;
}
constexpr char kTdigestRange[] = "quantiles should be in [0, 1] range";
constexpr char kQdigestRange[] = "quantile must be between [0,1]";

Value tdigest_values(const Values& in, const LogicalType& type) {
  const auto digest = Tdigest::parse(bytes_of(in[0]));
  Values out;
  for (const double value : digest.values_at(quantiles_of(in[1], kTdigestRange)))
    out.push_back(Value::DOUBLE(value));
  return list_like(type, std::move(out));
}

/// A value of the digest under the type that it was made of.
Value value_of_rank(int64_t rank, const LogicalType& type) {
  switch (type.id()) {
    case duckdb::LogicalTypeId::DOUBLE:
      return Value::DOUBLE(double_of_bits(rank));
    case duckdb::LogicalTypeId::FLOAT:
      return Value::FLOAT(float_of_bits(rank));
    default:
      return Value::BIGINT(rank);
  }
}

Value qdigest_values(const Values& in, const LogicalType& type) {
  const auto digest = QuantileDigest::parse(bytes_of(in[0]));
  const auto& element = duckdb::ListType::GetChildType(type);
  Values out;
  for (const int64_t rank : digest.values_at(quantiles_of(in[1], kQdigestRange)))
    out.push_back(value_of_rank(rank, element));
  return list_like(type, std::move(out));
}

template <class T>
std::optional<double> quantile_at(View bytes, T value) {
  int64_t rank = 0;
  if constexpr (std::is_same_v<T, int64_t>) {
    rank = value;
  } else {
    rank = ordered_bits(value);
  }
  return QuantileDigest::parse(bytes).quantile_of(rank);
}

Value hash_counts(const Values& in, const LogicalType& type) {
  Values hashes, counts;
  for (const auto& [hash, count] : SetDigest::parse(bytes_of(in[0])).counts()) {
    hashes.push_back(Value::BIGINT(hash));
    counts.push_back(Value::SMALLINT(count));
  }
  return Value::MAP(duckdb::MapType::KeyType(type), duckdb::MapType::ValueType(type),
                    std::move(hashes), std::move(counts));
}

void register_set_kernels(duckdb::ExtensionLoader& loader) {
  add_kernel<View>(loader, "meesh_log_cardinality", {kBytes}, kLong,
                   [](View log) { return HyperLogLog::parse(log).cardinality(); });
  add_kernel<View>(loader, "meesh_set_cardinality", {kBytes}, kLong,
                   [](View set) { return SetDigest::parse(set).cardinality(); });
  add_kernel<View, View>(loader, "meesh_set_intersection", {kBytes, kBytes}, kLong,
                         [](View a, View b) {
                           return SetDigest::intersection(SetDigest::parse(a), SetDigest::parse(b));
                         });
  add_kernel<View, View>(
      loader, "meesh_set_jaccard", {kBytes, kBytes}, kDouble, [](View a, View b) {
        return SetDigest::jaccard_index(SetDigest::parse(a), SetDigest::parse(b));
      });
  add_value_kernel(loader, "meesh_hash_counts", {kBytes},
                   LogicalType::MAP(kLong, LogicalType::SMALLINT), nullptr, hash_counts);
  duckdb::ScalarFunction empty(
      "meesh_empty_log", {}, kBytes,
      [](duckdb::DataChunk&, duckdb::ExpressionState&, duckdb::Vector& out) {
        out.Reference(Value::BLOB_RAW(HyperLogLog().bytes()));
      });
  loader.RegisterFunction(std::move(empty));
}

}  // namespace

void register_sketch_kernels(duckdb::ExtensionLoader& loader) {
  register_set_kernels(loader);
  const auto quantiles = LogicalType::LIST(kDouble);
  add_value_kernel(loader, "meesh_tdigest_values", {kBytes, quantiles}, quantiles, nullptr,
                   tdigest_values);
  const std::pair<const char*, LogicalType> kinds[] = {
      {"meesh_qdigest_longs", kLong},
      {"meesh_qdigest_doubles", kDouble},
      {"meesh_qdigest_reals", LogicalType::FLOAT},
  };
  for (const auto& [name, type] : kinds) {
    add_value_kernel(loader, name, {kBytes, quantiles}, LogicalType::LIST(type), nullptr,
                     qdigest_values);
  }
  add_kernel<View, int64_t>(loader, "meesh_qdigest_rank", {kBytes, kLong}, kDouble,
                            quantile_at<int64_t>);
  add_kernel<View, double>(loader, "meesh_qdigest_rank_double", {kBytes, kDouble}, kDouble,
                           quantile_at<double>);
  add_kernel<View, float>(loader, "meesh_qdigest_rank_real", {kBytes, LogicalType::FLOAT}, kDouble,
                          quantile_at<float>);
  add_kernel<double>(loader, "meesh_number_bits", {kDouble}, kLong,
                     [](double value) { return std::bit_cast<int64_t>(value); });
  add_kernel<float>(loader, "meesh_number_bits", {LogicalType::FLOAT}, kLong, [](float value) {
    return static_cast<int64_t>(std::bit_cast<int32_t>(value));
  });
}

}  // namespace meesh::engine
