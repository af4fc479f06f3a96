#include "engine/functions/decimals.h"

#include "engine/functions/coercion.h"
#include "engine/int128.h"

namespace meesh::engine {
namespace {

using duckdb::LogicalType;
using sql::Type;

constexpr __int128 power_of_ten(int exponent) {
  __int128 out = 1;
  while (exponent-- > 0) out *= 10;
  return out;
}

[[noreturn]] void decimal_overflow() { raise(Code::kNumericValueOutOfRange, "Decimal overflow"); }

/// a * 10^shift / b, rounded half up, without overflow on the way.
__int128 divide_scaled(__int128 a, __int128 b, int shift) {
  if (b == 0) division_by_zero();
  const bool negative = (a < 0) != (b < 0);
  const unsigned __int128 ua =
      a < 0 ? -static_cast<unsigned __int128>(a) : static_cast<unsigned __int128>(a);
  const unsigned __int128 ub =
      b < 0 ? -static_cast<unsigned __int128>(b) : static_cast<unsigned __int128>(b);
  static const unsigned __int128 kLimit = static_cast<unsigned __int128>(power_of_ten(38));
  unsigned __int128 quotient = ua / ub, rest = ua % ub;
  for (int i = 0; i < shift; ++i) {
    unsigned digit = 0;
    unsigned __int128 sum = 0;  // ten times the rest, modulo ub
    for (int k = 0; k < 10; ++k) {
      sum += rest;
      if (sum >= ub) {
        sum -= ub;
        ++digit;
      }
    }
    rest = sum;
    if (quotient >= kLimit / 10) decimal_overflow();
    quotient = quotient * 10 + digit;
  }
  if (rest >= ub - rest) ++quotient;
  if (quotient >= kLimit) decimal_overflow();
  return negative ? -static_cast<__int128>(quotient) : static_cast<__int128>(quotient);
}

template <class F>
void binary_kernel(duckdb::DataChunk& args, duckdb::Vector& result, F function) {
  duckdb::BinaryExecutor::Execute<duckdb::hugeint_t, duckdb::hugeint_t, duckdb::hugeint_t>(
      args.data[0], args.data[1], result, args.size(), function);
}

ExprPtr decimal_divide(const Build& build, Exprs args) {
  const Type a = as_decimal(type_of(*args[0])), b = as_decimal(type_of(*args[1]));
  const int scale = std::max(a.scale, b.scale);
  const int precision = std::min(38, a.precision + b.scale + std::max(b.scale - a.scale, 0));
  const int shift = scale + b.scale - a.scale;
  const auto type_a = LogicalType::DECIMAL(38, static_cast<uint8_t>(a.scale));
  const auto type_b = LogicalType::DECIMAL(38, static_cast<uint8_t>(b.scale));
  duckdb::ScalarFunction function(
      "meesh_decimal_divide", {type_a, type_b},
      LogicalType::DECIMAL(38, static_cast<uint8_t>(scale)),
      [shift](duckdb::DataChunk& chunk, duckdb::ExpressionState&, duckdb::Vector& result) {
        binary_kernel(chunk, result, [shift](duckdb::hugeint_t x, duckdb::hugeint_t y) {
          return narrow(divide_scaled(wide(x), wide(y), shift));
        });
      });
  function.SetFallible();
  for (int i : {0, 1}) args[i] = build.native_cast(std::move(args[i]), i ? type_b : type_a);
  return build.native_cast(
      build.kernel(std::move(function), std::move(args)),
      LogicalType::DECIMAL(static_cast<uint8_t>(precision), static_cast<uint8_t>(scale)));
}

ExprPtr decimal_modulus(const Build& build, Exprs args) {
  const Type a = as_decimal(type_of(*args[0])), b = as_decimal(type_of(*args[1]));
  const int scale = std::max(a.scale, b.scale);
  const int precision =
      std::min(38, std::min(a.precision - a.scale, b.precision - b.scale) + scale);
  const auto type = LogicalType::DECIMAL(38, static_cast<uint8_t>(scale));
  duckdb::ScalarFunction function(
      "meesh_decimal_modulus", {type, type}, type,
      [](duckdb::DataChunk& chunk, duckdb::ExpressionState&, duckdb::Vector& result) {
        binary_kernel(chunk, result, [](duckdb::hugeint_t x, duckdb::hugeint_t y) {
          if (wide(y) == 0) division_by_zero();
          return narrow(wide(x) % wide(y));
        });
      });
  function.SetFallible();
  for (auto& arg : args) arg = build.native_cast(std::move(arg), type);
  return build.native_cast(build.kernel(std::move(function), std::move(args)),
                           LogicalType::DECIMAL(static_cast<uint8_t>(std::max(1, precision)),
                                                static_cast<uint8_t>(scale)));
}

/// A product of more than 38 digits is an error.
__int128 checked_product(__int128 a, __int128 b) {
  constexpr auto kLimit = static_cast<unsigned __int128>(power_of_ten(38));
  const bool negative = (a < 0) != (b < 0);
  auto large = a < 0 ? -static_cast<unsigned __int128>(a) : static_cast<unsigned __int128>(a);
  auto small = b < 0 ? -static_cast<unsigned __int128>(b) : static_cast<unsigned __int128>(b);
  if (large < small) std::swap(large, small);
  if ((small >> 64) != 0) decimal_overflow();
  const unsigned __int128 upper = (large >> 64) * small;
  if ((upper >> 64) != 0) decimal_overflow();
  const unsigned __int128 lower =
      static_cast<unsigned __int128>(static_cast<uint64_t>(large)) * small;
  const unsigned __int128 product = (upper << 64) + lower;
  if (product < lower || product >= kLimit) decimal_overflow();
  return negative ? -static_cast<__int128>(product) : static_cast<__int128>(product);
}

template <class A, class B>
duckdb::scalar_function_t decimal_product(bool may_overflow) {
  const auto run = [](duckdb::DataChunk& chunk, duckdb::Vector& result, auto multiply) {
    duckdb::BinaryExecutor::Execute<A, B, duckdb::hugeint_t>(chunk.data[0], chunk.data[1], result,
                                                             chunk.size(), multiply);
  };
  if (may_overflow) {
    return [run](duckdb::DataChunk& chunk, duckdb::ExpressionState&, duckdb::Vector& result) {
      run(chunk, result, [](A a, B b) { return narrow(checked_product(wide(a), wide(b))); });
    };
  }
  return [run](duckdb::DataChunk& chunk, duckdb::ExpressionState&, duckdb::Vector& result) {
    run(chunk, result, [](A a, B b) { return narrow(wide(a) * wide(b)); });
  };
}

/// A product of more than 18 digits. DuckDB would take both sides to 128 bits first and check each
/// product, which costs several times as much.
ExprPtr long_decimal_multiply(const Build& build, Exprs args, const Type& a, const Type& b,
                              const Type& result) {
  // As 64 or 128 bits; what is so already stays as it is.
  const auto stored = [](const Type& type) {
    return LogicalType::DECIMAL(static_cast<uint8_t>(std::max(type.precision, 10)),
                                static_cast<uint8_t>(type.scale));
  };
  const bool may_overflow = a.precision + b.precision > 38;
  const bool long_a = a.precision > 18, long_b = b.precision > 18;
  auto function = long_a ? (long_b ? decimal_product<duckdb::hugeint_t, duckdb::hugeint_t>
                                   : decimal_product<duckdb::hugeint_t, int64_t>)
                         : (long_b ? decimal_product<int64_t, duckdb::hugeint_t>
                                   : decimal_product<int64_t, int64_t>);
  duckdb::ScalarFunction kernel("meesh_decimal_multiply", {stored(a), stored(b)}, to_duckdb(result),
                                function(may_overflow));
  if (may_overflow) kernel.SetFallible();
  args[0] = build.native_cast(std::move(args[0]), stored(a));
  args[1] = build.native_cast(std::move(args[1]), stored(b));
  return build.kernel(std::move(kernel), std::move(args));
}

/// + - * of decimals. DuckDB gives 18 digits at most to operands that have no more; Trino as many
/// as the result may need, up to 38.
ExprPtr arithmetic(const Build& build, const char* sign, Exprs args) {
  Type a = as_decimal(type_of(*args[0])), b = as_decimal(type_of(*args[1]));
  const int scale = *sign == '*' ? a.scale + b.scale : std::max(a.scale, b.scale);
  const int digits = *sign == '*'
                         ? a.precision + b.precision
                         : std::max(a.precision - a.scale, b.precision - b.scale) + scale + 1;
  const Type result = Type::decimal(std::min(38, digits), scale);
  if (*sign == '*' && result.precision > 18)
    return long_decimal_multiply(build, std::move(args), a, b, result);
  if (result.precision > 18 && std::max(a.precision, b.precision) <= 18) a.precision = 19;
  args[0] = build.native_cast(std::move(args[0]), to_duckdb(a));
  args[1] = build.native_cast(std::move(args[1]), to_duckdb(b));
  return build.native_cast(build.call(sign, std::move(args)), to_duckdb(result));
}

}  // namespace

void division_by_zero() { raise(Code::kDivisionByZero, "Division by zero"); }

ExprPtr decimal_operation(const Build& build, const char* sign, Exprs args) {
  if (*sign == '/') return decimal_divide(build, std::move(args));
  if (*sign == '%') return decimal_modulus(build, std::move(args));
  const int scales = as_decimal(type_of(*args[0])).scale + as_decimal(type_of(*args[1])).scale;
  if (*sign == '*' && scales > 38) {
    raise(Code::kInvalidFunctionArgument,
          "DECIMAL scale must be in range [0, precision (38)]: " + std::to_string(scales),
          args[0].get());
  }
  return arithmetic(build, sign, std::move(args));
}

}  // namespace meesh::engine
