#include <bit>
#include <cmath>
#include <span>

#include "engine/functions/text.h"
#include "engine/functions/value_kernels.h"

namespace meesh::engine {
namespace {

void check_radix(int64_t radix) {
  if (radix < 2 || radix > 36)
    raise(Code::kInvalidFunctionArgument, "Radix must be between 2 and 36");
}

std::string to_base(int64_t value, int64_t radix) {
  check_radix(radix);
  if (value == 0) return "0";
  const bool negative = value < 0;
  uint64_t rest = negative ? -static_cast<uint64_t>(value) : static_cast<uint64_t>(value);
  std::string out;
  for (; rest; rest /= static_cast<uint64_t>(radix))
    out += "0123456789abcdefghijklmnopqrstuvwxyz"[rest % static_cast<uint64_t>(radix)];
  if (negative) out += '-';
  return {out.rbegin(), out.rend()};
}

int64_t from_base(std::string_view text, int64_t radix) {
  check_radix(radix);
  auto bad = [&]() -> int64_t {
    raise(Code::kInvalidFunctionArgument,
          "Not a valid base-" + std::to_string(radix) + " number: " + std::string(text));
  };
  const bool negative = text.starts_with("-");
  const auto digits = negative || text.starts_with("+") ? text.substr(1) : text;
  if (digits.empty()) return bad();
  __int128 value = 0;
  for (char c : digits) {
    const int digit = c >= '0' && c <= '9'   ? c - '0'
                      : c >= 'a' && c <= 'z' ? c - 'a' + 10
                      : c >= 'A' && c <= 'Z' ? c - 'A' + 10
                                             : 99;
    if (digit >= radix) return bad();
    value = value * radix + digit;
    if (value > static_cast<__int128>(INT64_MAX) + negative) return bad();
  }
  return static_cast<int64_t>(negative ? -value : value);
}

int64_t width_bucket(double x, double low, double high, int64_t count) {
  auto fail = [](const char* what) { raise(Code::kInvalidFunctionArgument, what); };
  if (count <= 0) fail("bucketCount must be greater than 0");
  if (std::isnan(x)) fail("operand must not be NaN");
  if (!std::isfinite(low)) fail("first bound must be finite");
  if (!std::isfinite(high)) fail("second bound must be finite");
  if (low == high) fail("bounds cannot equal each other");
  const double lower = std::min(low, high), upper = std::max(low, high);
  int64_t bucket;
  if (x < lower) {
    bucket = 0;
  } else if (x >= upper) {
    if (count == INT64_MAX)
      raise(Code::kNumericValueOutOfRange,
            "Bucket for value " + std::to_string(x) + " is out of range");
    bucket = count + 1;
  } else {
    bucket = static_cast<int64_t>(static_cast<double>(count) * (x - lower) / (upper - lower) + 1);
  }
  return low > high ? count - bucket + 1 : bucket;
}

/// The number of bins whose lower bound the value reaches; the bins ascend.
duckdb::Value bin_of(const Values& in, const duckdb::LogicalType&) {
  const auto fail = [](const std::string& what) { raise(Code::kInvalidFunctionArgument, what); };
  const double value = in[0].GetValue<double>();
  const auto& bins = duckdb::ListValue::GetChildren(in[1]);
  if (bins.empty()) fail("Bins cannot be an empty array");
  if (std::isnan(value)) fail("Operand cannot be NaN");
  int64_t out = 0;
  double last = -INFINITY;
  for (const auto& one : bins) {
    if (one.IsNull()) fail("Bin values cannot be NULL");
    const double bin = one.GetValue<double>();
    if (!std::isfinite(bin)) fail("Bin value must be finite, got " + java_double(bin));
    if (bin < last) fail("Bin values are not sorted in ascending order");
    last = bin;
    if (value >= bin) ++out;
  }
  return duckdb::Value::BIGINT(out);
}

template <class T>
T shift(T value, int64_t by, int32_t how) {
  using U = std::make_unsigned_t<T>;
  constexpr int64_t kBits = sizeof(T) * 8;
  const bool out_of_range = by < 0 || by >= kBits;  // then every bit is shifted out
  if (how == 2) return static_cast<T>(value >> (out_of_range ? kBits - 1 : by));
  if (out_of_range) return 0;
  return how == 0 ? static_cast<T>(static_cast<U>(value) << by)
                  : static_cast<T>(static_cast<U>(value) >> by);
}

int64_t bit_count(int64_t value, int64_t bits) {
  if (bits < 2 || bits > 64)
    raise(Code::kInvalidFunctionArgument,
          "Bits specified in bit_count must be between 2 and 64, got " + std::to_string(bits));
  if (bits == 64) return std::popcount(static_cast<uint64_t>(value));
  const int64_t low = -(int64_t{1} << (bits - 1)), high = (int64_t{1} << (bits - 1)) - 1;
  if (value < low || value > high) {
    raise(Code::kInvalidFunctionArgument,
          "Number must be representable with the bits specified. " + std::to_string(value) +
              " cannot be represented with " + std::to_string(bits) + " bits");
  }
  return std::popcount(static_cast<uint64_t>(value) & ((uint64_t{1} << bits) - 1));
}

int64_t round_integer(int64_t value, int64_t places) {
  if (places >= 0) return value;
  if (places < -19) return 0;
  __int128 step = 1;
  for (int64_t i = places; i < 0; ++i) step *= 10;
  const __int128 half = value < 0 ? -step / 2 : step / 2;
  const __int128 rounded = (value + half) / step * step;
  if (rounded > INT64_MAX || rounded < INT64_MIN)
    raise(Code::kNumericValueOutOfRange, "numerical overflow: " + std::to_string(value));
  return static_cast<int64_t>(rounded);
}

using Doubles = std::span<const double>;

double dot_product(Doubles a, Doubles b) {
  double out = 0;
  for (size_t i = 0; i < a.size(); ++i) out += a[i] * b[i];
  return out;
}

double euclidean_distance(Doubles a, Doubles b) {
  double out = 0;
  for (size_t i = 0; i < a.size(); ++i) out += (a[i] - b[i]) * (a[i] - b[i]);
  return std::sqrt(out);
}

double cosine_similarity(Doubles a, Doubles b) {
  const double lengths = std::sqrt(dot_product(a, a)) * std::sqrt(dot_product(b, b));
  if (lengths == 0) raise(Code::kInvalidFunctionArgument, "Vector magnitude cannot be zero");
  return dot_product(a, b) / lengths;
}

/// A function of two arrays of doubles of one length; NULL when an element is.
template <double (*kFunction)(Doubles, Doubles)>
void on_vectors(duckdb::DataChunk& args, duckdb::ExpressionState&, duckdb::Vector& result) {
  struct Side {
    duckdb::UnifiedVectorFormat lists, items;
    Side(duckdb::Vector& column, size_t rows) {
      column.ToUnifiedFormat(rows, lists);
      duckdb::ListVector::GetEntry(column).ToUnifiedFormat(duckdb::ListVector::GetListSize(column),
                                                           items);
    }
    /// False for a NULL: with values when it is one of them, without when it stands for the list.
    bool read(size_t row, std::vector<double>& out) const {
      out.clear();
      const auto at = lists.sel->get_index(row);
      if (!lists.validity.RowIsValid(at)) return false;
      const auto list = duckdb::UnifiedVectorFormat::GetData<duckdb::list_entry_t>(lists)[at];
      bool whole = true;
      for (size_t i = 0; i < list.length; ++i) {
        const auto item = items.sel->get_index(list.offset + i);
        whole = whole && items.validity.RowIsValid(item);
        out.push_back(duckdb::UnifiedVectorFormat::GetData<double>(items)[item]);
      }
      return whole;
    }
  };
  const bool constant = args.AllConstant();
  const Side left(args.data[0], args.size()), right(args.data[1], args.size());
  std::vector<double> a, b;
  result.SetVectorType(duckdb::VectorType::FLAT_VECTOR);
  for (size_t row = 0; row < (constant ? 1 : args.size()); ++row) {
    const bool whole_a = left.read(row, a), whole_b = right.read(row, b);
    const bool nulls = (!whole_a && a.empty()) || (!whole_b && b.empty());
    if (!nulls && a.size() != b.size())
      raise(Code::kInvalidFunctionArgument, "The arguments must have the same length");
    if (whole_a && whole_b) {
      duckdb::FlatVector::GetData<double>(result)[row] = kFunction(a, b);
    } else {
      duckdb::FlatVector::SetNull(result, row, true);
    }
  }
  if (constant) result.SetVectorType(duckdb::VectorType::CONSTANT_VECTOR);
}

void register_vectors(duckdb::ExtensionLoader& loader) {
  const auto list = duckdb::LogicalType::LIST(kDouble);
  const std::pair<const char*, duckdb::scalar_function_t> all[] = {
      {"meesh_dot_product", on_vectors<dot_product>},
      {"meesh_euclidean_distance", on_vectors<euclidean_distance>},
      {"meesh_cosine_similarity", on_vectors<cosine_similarity>},
  };
  for (const auto& [name, function] : all) {
    duckdb::ScalarFunction made(name, {list, list}, kDouble, function);
    made.SetFallible();
    loader.RegisterFunction(std::move(made));
  }
}

int64_t random_between(int64_t low, int64_t high, double random) {
  if (low >= high)
    raise(Code::kInvalidFunctionArgument,
          low == 0 ? "bound must be positive" : "start value must be less than stop value");
  return static_cast<int64_t>(
      static_cast<__int128>(low) +
      static_cast<__int128>(random * (static_cast<double>(high) - static_cast<double>(low))));
}

}  // namespace

void register_math_kernels(duckdb::ExtensionLoader& loader) {
  register_vectors(loader);
  auto unary = [&](const char* name, double (*function)(double)) {
    add_kernel<double>(loader, name, {kDouble}, kDouble,
                       [function](double x) { return function(x); });
  };
  unary("meesh_exp", [](double x) { return std::exp(x); });
  unary("meesh_ln", [](double x) { return std::log(x); });
  unary("meesh_log2", [](double x) { return std::log2(x); });
  unary("meesh_log10", [](double x) { return std::log10(x); });
  unary("meesh_cbrt", [](double x) {
    const double root = std::cbrt(x);
    if (root == 0 || !std::isfinite(root)) return root;
    return root -
           (root * root * root - x) / (3 * root * root);  // the library may be off by one bit
  });
  unary("meesh_sqrt", [](double x) { return x < 0 ? std::nan("") : std::sqrt(x); });
  unary("meesh_sin", [](double x) { return std::sin(x); });
  unary("meesh_cos", [](double x) { return std::cos(x); });
  unary("meesh_tan", [](double x) { return std::tan(x); });
  unary("meesh_asin", [](double x) { return std::asin(x); });
  unary("meesh_acos", [](double x) { return std::acos(x); });
  unary("meesh_sign", [](double x) { return x > 0 ? 1 : x < 0 ? -1 : x; });
  add_kernel<double, double>(loader, "meesh_power", {kDouble, kDouble}, kDouble,
                             [](double x, double y) { return std::pow(x, y); });
  add_kernel<int64_t, int64_t>(loader, "meesh_to_base", {kLong, kLong}, kText, to_base);
  add_kernel<std::string_view, int64_t>(loader, "meesh_from_base", {kText, kLong}, kLong,
                                        from_base);
  add_kernel<double, double, double, int64_t>(
      loader, "meesh_width_bucket", {kDouble, kDouble, kDouble, kLong}, kLong, width_bucket);
  add_value_kernel(loader, "meesh_bin", {kDouble, duckdb::LogicalType::LIST(kDouble)}, kLong,
                   nullptr, bin_of);
  add_kernel<int64_t, int64_t>(loader, "meesh_bit_count", {kLong, kLong}, kLong, bit_count);
  add_kernel<int64_t, int64_t>(loader, "meesh_round_integer", {kLong, kLong}, kLong, round_integer);
  add_kernel<int64_t, int64_t, double>(loader, "meesh_random", {kLong, kLong, kDouble}, kLong,
                                       random_between);
  using duckdb::LogicalType;
  add_kernel<int8_t, int64_t, int32_t>(loader, "meesh_shift", {LogicalType::TINYINT, kLong, kInt},
                                       LogicalType::TINYINT, shift<int8_t>);
  add_kernel<int16_t, int64_t, int32_t>(loader, "meesh_shift", {LogicalType::SMALLINT, kLong, kInt},
                                        LogicalType::SMALLINT, shift<int16_t>);
  add_kernel<int32_t, int64_t, int32_t>(loader, "meesh_shift", {kInt, kLong, kInt}, kInt,
                                        shift<int32_t>);
  add_kernel<int64_t, int64_t, int32_t>(loader, "meesh_shift", {kLong, kLong, kInt}, kLong,
                                        shift<int64_t>);
}

}  // namespace meesh::engine
