// Rounding of decimals, whose results have Trino's digits: ceil, floor, round, truncate, sign.
#include "engine/functions/coercion.h"
#include "engine/functions/rules.h"
#include "engine/int128.h"

namespace meesh::engine {
namespace {

using duckdb::LogicalType;
using duckdb::Value;
using sql::Type;

/// The value with all digits after `places` (of a scale of `scale`) gone; half up, away from zero,
/// when it is rounded.
__int128 at_places(__int128 value, int32_t scale, int64_t places, bool rounded) {
  const int64_t gone = scale - places;
  if (gone <= 0) return value;
  constexpr int64_t kMostDigits = 38;
  if (gone > kMostDigits) return 0;
  __int128 step = 1;
  for (int64_t i = 0; i < gone; ++i) step *= 10;
  __int128 whole = value / step;
  const __int128 rest = value % step;
  if (rounded && (rest < 0 ? -rest : rest) >= step - step / 2) whole += value < 0 ? -1 : 1;
  constexpr __int128 kLimit = static_cast<__int128>(1e18) * static_cast<__int128>(1e18) * 100;
  if ((whole < 0 ? -whole : whole) > kLimit / step)
    raise(Code::kNumericValueOutOfRange, "decimal overflow");
  return whole * step;
}

/// round(x, n) and truncate(x, n): the scale stays, and a round may carry into one more digit.
ExprPtr to_places(const Build& build, Exprs args, bool rounded) {
  const Type type = as_decimal(type_of(*args[0]));
  const Type result = rounded ? Type::decimal(std::min(38, type.precision + 1), type.scale) : type;
  const auto wide_type = LogicalType::DECIMAL(38, static_cast<uint8_t>(type.scale));
  duckdb::ScalarFunction kernel(
      "meesh_decimal_places", {wide_type, LogicalType::BIGINT}, wide_type,
      [scale = type.scale, rounded](duckdb::DataChunk& chunk, duckdb::ExpressionState&,
                                    duckdb::Vector& out) {
        duckdb::BinaryExecutor::Execute<duckdb::hugeint_t, int64_t, duckdb::hugeint_t>(
            chunk.data[0], chunk.data[1], out, chunk.size(),
            [&](const duckdb::hugeint_t& value, int64_t places) {
              return narrow(at_places(wide(value), scale, places, rounded));
            });
      });
  kernel.SetFallible();
  args[0] = build.native_cast(std::move(args[0]), wide_type);
  args[1] = build.native_cast(std::move(args[1]), LogicalType::BIGINT);
  return build.native_cast(build.kernel(std::move(kernel), std::move(args)), to_duckdb(result));
}

/// To an integer, which has one digit more where it may carry into one.
ExprPtr whole(const Build& build, Exprs args, const char* native, bool carries) {
  const Type type = as_decimal(type_of(*args[0]));
  const int digits = type.precision - type.scale + (carries ? std::min(type.scale, 1) : 0);
  auto value = build.native_cast(std::move(args[0]), to_duckdb(type));
  if (type.scale > 0) value = build.call(native, std::move(value));
  return build.native_cast(std::move(value), to_duckdb(Type::decimal(std::max(1, digits), 0)));
}

/// With a constant number of places DuckDB's own does it, in the width that the value has.
ExprPtr places(const Build& build, Exprs args, const char* native, bool rounded) {
  const auto constant = build.constant_value(*args[1]);
  const bool decimal = args[0]->return_type.id() == duckdb::LogicalTypeId::DECIMAL;
  if (!decimal || constant.IsNull()) return to_places(build, std::move(args), rounded);
  const auto count = constant.DefaultCastAs(LogicalType::BIGINT).GetValue<int64_t>();
  if (count < -38) return to_places(build, std::move(args), rounded);
  Type type = type_of(*args[0]);
  if (rounded) type.precision = std::min(38, type.precision + 1);
  auto value = std::move(args[0]);
  if (count < type.scale)
    value = build.call(native, std::move(value),
                       build.constant(Value::INTEGER(static_cast<int32_t>(count))));
  return build.native_cast(std::move(value), to_duckdb(type));
}
ExprPtr round_places(const Build& build, Exprs args) {
  if (args.size() == 2) return places(build, std::move(args), "round", true);
  return whole(build, std::move(args), "round", true);
}
ExprPtr truncate_places(const Build& build, Exprs args) {
  if (args.size() == 2) return places(build, std::move(args), "trunc", false);
  return whole(build, std::move(args), "trunc", false);
}
ExprPtr ceil_decimal(const Build& build, Exprs args) {
  return whole(build, std::move(args), "ceil", true);
}
ExprPtr floor_decimal(const Build& build, Exprs args) {
  return whole(build, std::move(args), "floor", true);
}

}  // namespace

const std::vector<NamedHook>& rounding_hooks() {
  static const std::vector<NamedHook> hooks = {
      {"trino_round", round_places},  {"trino_truncate", truncate_places},
      {"trino_ceil", ceil_decimal},   {"trino_ceiling", ceil_decimal},
      {"trino_floor", floor_decimal},
  };
  return hooks;
}

}  // namespace meesh::engine
