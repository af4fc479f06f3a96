#include "engine/functions/moments.h"

#include "duckdb/common/types/interval.hpp"
#include "duckdb/common/vector_operations/binary_executor.hpp"
#include "engine/functions/coercion.h"
#include "engine/functions/kernels.h"
#include "engine/functions/long_times.h"
#include "engine/functions/time_tz.h"
#include "engine/functions/zones.h"
#include "engine/int128.h"

namespace meesh::engine {
namespace {

using duckdb::hugeint_t;
using duckdb::interval_t;
using duckdb::LogicalType;
using sql::Type;
using sql::TypeKind;

constexpr int64_t kDayMicros = 86400000000;

Exprs two(ExprPtr a, ExprPtr b) {
  Exprs out;
  out.push_back(std::move(a));
  out.push_back(std::move(b));
  return out;
}

/// The day count of an interval that must have no smaller part.
ExprPtr add_days(const Build& build, ExprPtr date, ExprPtr interval, bool minus) {
  duckdb::ScalarFunction function(
      minus ? "meesh_date_minus" : "meesh_date_plus", {LogicalType::DATE, LogicalType::INTERVAL},
      LogicalType::DATE,
      [minus](duckdb::DataChunk& chunk, duckdb::ExpressionState&, duckdb::Vector& result) {
        duckdb::BinaryExecutor::Execute<duckdb::date_t, duckdb::interval_t, duckdb::date_t>(
            chunk.data[0], chunk.data[1], result, chunk.size(),
            [minus](duckdb::date_t d, duckdb::interval_t i) {
              constexpr int64_t kDay = 86400000000;
              if (i.micros % kDay != 0) {
                raise(Code::kInvalidFunctionArgument,
                      minus ? "Cannot subtract hour, minutes or seconds from a date"
                            : "Cannot add hour, minutes or seconds to a date");
              }
              const int64_t days = i.days + i.micros / kDay;
              return duckdb::date_t(static_cast<int32_t>(d.days + (minus ? -days : days)));
            });
      });
  function.SetFallible();
  return build.kernel(std::move(function), two(std::move(date), std::move(interval)));
}

int64_t micros_in(const interval_t& interval) {
  return interval.days * kDayMicros + interval.micros;
}

/// A local timestamp(12) moved by months, days and smaller parts.
hugeint_t shift_picos(hugeint_t value, interval_t interval) {
  const __int128 micros = floor_div(wide(value), kPicosOfMicro);
  const __int128 rest = wide(value) - micros * kPicosOfMicro;
  const auto moved =
      duckdb::Interval::Add(duckdb::timestamp_t(static_cast<int64_t>(micros)), interval);
  return narrow(moved.value * kPicosOfMicro + rest);
}

int64_t shift_clock(int64_t picos, interval_t interval) {
  const __int128 moved = picos + (interval.micros % kDayMicros) * kPicosOfMicro;
  return static_cast<int64_t>(moved - floor_div(moved, kPicosOfDay) * kPicosOfDay);
}

ExprPtr turned(const Build& build, const char* sign, ExprPtr interval) {
  return *sign == '-' ? build.call("-", std::move(interval)) : std::move(interval);
}

/// Finer than microseconds, local: by way of timestamp(12).
ExprPtr shift_long(const Build& build, const char* sign, ExprPtr value, ExprPtr interval) {
  const Type type = type_of(*value);
  auto picos = build.trino_cast(std::move(value), Type::of(TypeKind::kTimestamp, 12));
  picos = build.relabel(std::move(picos), LogicalType::HUGEINT);
  auto moved =
      build.call("meesh_picos_shift", std::move(picos), turned(build, sign, std::move(interval)));
  moved = build.relabel(std::move(moved), to_duckdb(Type::of(TypeKind::kTimestamp, 12)));
  return build.trino_cast(std::move(moved), type);
}

ExprPtr shift_zoned(const Build& build, const char* sign, ExprPtr value, ExprPtr interval,
                    bool months) {
  const int precision = type_of(*value).precision;
  const auto type = zoned_type(months ? precision : std::max(3, precision));
  if (!months) {
    auto moved =
        build.call("meesh_zoned_shift", build.relabel(std::move(value), LogicalType::HUGEINT),
                   turned(build, sign, std::move(interval)));
    return build.relabel(std::move(moved), type);
  }
  auto names = names_of_zoned(build, value->Copy());
  auto local =
      shift_long(build, sign, local_of_zoned(build, std::move(value)), std::move(interval));
  return build.relabel(local_in_zones(build, std::move(local), std::move(names)), type);
}

ExprPtr shift_time(const Build& build, const char* sign, ExprPtr value, ExprPtr interval) {
  const Type type = type_of(*value);
  const int precision = std::max(3, type.precision);
  if (type.kind == TypeKind::kTimeTz) {
    auto clock = build.call(sign, clock_of(build, value->Copy()), std::move(interval));
    return with_offset_of(build, std::move(clock), std::move(value), precision);
  }
  const auto result = to_duckdb(Type::of(TypeKind::kTime, precision));
  if (!is_long(type))
    return build.relabel(build.call(sign, build.plain(std::move(value)), std::move(interval)),
                         result);
  auto moved = build.call("meesh_clock_shift", build.relabel(std::move(value), LogicalType::BIGINT),
                          turned(build, sign, std::move(interval)));
  return build.relabel(std::move(moved), result);
}

/// Microseconds of both sides of a difference, BIGINTs.
ExprPtr in_common_micros(const Build& build, ExprPtr value, const Type& common) {
  if (common.kind == TypeKind::kTimeTz)
    return comparable_time(build, build.coerce(std::move(value), to_duckdb(common)));
  if (common.kind == TypeKind::kTimestampTz) {
    value = build.coerce(build.trino_cast(std::move(value), common), LogicalType::TIMESTAMP_TZ);
    return build.relabel(build.plain(std::move(value)), LogicalType::BIGINT);
  }
  return build.relabel(in_micros(build, build.coerce(std::move(value), to_duckdb(common))),
                       LogicalType::BIGINT);
}

}  // namespace

ExprPtr shift(const Build& build, const char* sign, ExprPtr value, ExprPtr interval) {
  const Type type = type_of(*value);
  const bool months = type_of(*interval).kind == TypeKind::kIntervalYearToMonth;
  const auto result = value->return_type;
  interval = build.plain(std::move(interval));
  if (type.kind == TypeKind::kDate) {
    if (!months) return add_days(build, std::move(value), std::move(interval), *sign == '-');
    return build.native_cast(build.call(sign, std::move(value), std::move(interval)),
                             LogicalType::DATE);
  }
  if (type.kind == TypeKind::kTime || type.kind == TypeKind::kTimeTz)
    return shift_time(build, sign, std::move(value), std::move(interval));
  if (is_zoned(result))
    return shift_zoned(build, sign, std::move(value), std::move(interval), months);
  if (type.kind == TypeKind::kTimestampTz) {
    const std::string zone = zone_of(result);
    if (months) {
      auto local = build.call(sign, build.local_time(std::move(value)), std::move(interval));
      return build.relabel(build.instant(std::move(local), zone), result);
    }
    auto utc = build.relabel(build.plain(std::move(value)), LogicalType::TIMESTAMP);
    return build.relabel(build.call(sign, std::move(utc), std::move(interval)),
                         timestamp_tz_type(std::max(3, type.precision), zone));
  }
  if (type.precision > 6) return shift_long(build, sign, std::move(value), std::move(interval));
  auto moved = build.call(sign, build.plain(std::move(value)), std::move(interval));
  return build.relabel(std::move(moved),
                       to_duckdb(Type::of(TypeKind::kTimestamp,
                                          months ? type.precision : std::max(3, type.precision))));
}

ExprPtr difference(const Build& build, Exprs args) {
  const Type common = *common_type(type_of(*args[0]), type_of(*args[1]));
  if (common.kind == TypeKind::kDate) {
    auto days = build.call("-", std::move(args));
    return build.call("to_days", build.native_cast(std::move(days), LogicalType::INTEGER));
  }
  for (auto& arg : args) arg = in_common_micros(build, std::move(arg), common);
  return build.call("meesh_interval_between", std::move(args));
}

void register_moment_kernels(duckdb::ExtensionLoader& loader) {
  const auto huge = LogicalType::HUGEINT, interval = LogicalType::INTERVAL;
  add_kernel<hugeint_t, interval_t>(loader, "meesh_picos_shift", {huge, interval}, huge,
                                    shift_picos);
  add_kernel<hugeint_t, interval_t>(
      loader, "meesh_zoned_shift", {huge, interval}, huge, [](hugeint_t value, interval_t i) {
        // The zone's number stands in the lower 16 bits.
        return narrow(wide(value) + micros_in(i) * kPicosOfMicro * (1 << 16));
      });
  add_kernel<int64_t, interval_t>(loader, "meesh_clock_shift", {kLong, interval}, kLong,
                                  shift_clock);
  // Milliseconds, half up.
  add_kernel<int64_t, int64_t>(
      loader, "meesh_interval_between", {kLong, kLong}, interval, [](int64_t a, int64_t b) {
        interval_t out{};
        out.micros = static_cast<int64_t>(floor_div(__int128{a} - b + 500, 1000)) * 1000;
        return out;
      });
}

}  // namespace meesh::engine
