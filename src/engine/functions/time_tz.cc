#include "engine/functions/time_tz.h"

#include <fmt/format.h>

#include <chrono>

#include "duckdb/parser/parsed_data/create_scalar_function_info.hpp"
#include "engine/functions/cast_functions.h"
#include "engine/functions/coercion.h"
#include "engine/functions/kernels.h"
#include "engine/functions/long_times.h"
#include "engine/functions/text.h"
#include "engine/functions/zones.h"

namespace meesh::engine {
namespace {

using duckdb::dtime_t;
using duckdb::dtime_tz_t;
using duckdb::LogicalType;
using duckdb::Value;
using sql::Type;
using sql::TypeKind;
using View = std::string_view;

constexpr int64_t kDay = 86400000000;

int64_t of_day(int64_t micros) { return (micros % kDay + kDay) % kDay; }

int64_t in_utc(dtime_tz_t value) {
  return of_day(value.time().micros - int64_t{value.offset()} * 1000000);
}

dtime_tz_t at_offset(int64_t micros, int64_t offset) {
  return dtime_tz_t(dtime_t(of_day(micros)), static_cast<int32_t>(offset));
}

std::optional<dtime_tz_t> from_text(View text, int64_t precision, int64_t session, bool lenient) {
  const auto moment = read_clock(text);
  const auto offset = !moment                ? std::nullopt
                      : moment->zone.empty() ? session
                                             : fixed_offset(moment->zone);
  if (!offset) {
    if (lenient) return std::nullopt;
    raise(Code::kInvalidCastArgument,
          "Value cannot be cast to time with time zone: " + std::string(text));
  }
  return at_offset(round_fraction(moment->nanos, 9, static_cast<int>(precision)) / 1000, *offset);
}

std::string offset_text(int64_t seconds) {
  return fmt::format("{}{:02}:{:02}", seconds < 0 ? '-' : '+', std::abs(seconds) / 3600,
                     std::abs(seconds) / 60 % 60);
}

LogicalType time_tz(int precision) { return to_duckdb(Type::of(TypeKind::kTimeTz, precision)); }

ExprPtr text_to_time(const Build& build, ExprPtr value, const Type& to, bool try_cast) {
  auto text = build.native_cast(build.plain(std::move(value)), LogicalType::VARCHAR);
  auto made =
      build.call("meesh_time_tz_text", std::move(text), build.constant(Value::BIGINT(to.precision)),
                 build.constant(Value::BIGINT(session_offset(build))),
                 build.constant(Value::BOOLEAN(try_cast)));
  return build.relabel(std::move(made), time_tz(to.precision));
}

/// Today where the clock is.
ExprPtr to_moment(const Build& build, ExprPtr value, const Type& to, bool try_cast) {
  auto offset = offset_of_time(build, value->Copy());
  auto now = build.relabel(build.call("now", Exprs()), LogicalType::TIMESTAMP);
  if (to.kind == TypeKind::kTimestamp) {
    auto today = build.call("trino_current_date", Exprs());
    auto moment = build.call("+", std::move(today), clock_of(build, std::move(value)));
    return build.trino_cast(std::move(moment), to, try_cast);
  }
  auto shift = build.call("to_seconds", build.native_cast(offset->Copy(), LogicalType::DOUBLE));
  auto today =
      build.native_cast(build.call("+", std::move(now), std::move(shift)), LogicalType::DATE);
  const int precision = type_of(*value).precision;
  auto moment = build.call("+", std::move(today), clock_of(build, std::move(value)));
  moment = build.relabel(std::move(moment), to_duckdb(Type::of(TypeKind::kTimestamp, precision)));
  const auto fixed = build.constant_value(*offset);
  if (!fixed.IsNull()) {
    const std::string zone = canonical_zone(offset_text(fixed.GetValue<int64_t>()), nullptr);
    auto zoned =
        build.relabel(build.instant(std::move(moment), zone), timestamp_tz_type(precision, zone));
    return build.trino_cast(std::move(zoned), to, try_cast);
  }
  auto zoned =
      local_in_zones(build, std::move(moment), build.call("meesh_offset_zone", std::move(offset)));
  return build.trino_cast(std::move(zoned), to, try_cast);
}

ExprPtr from_moment(const Build& build, ExprPtr value, const Type& to) {
  const Type from = type_of(*value);
  ExprPtr offset;
  if (from.kind == TypeKind::kTimestampTz) {
    offset = offset_of_moment(build, value->Copy());
    value = build.trino_cast(std::move(value), Type::of(TypeKind::kTimestamp, from.precision));
  } else {
    auto zoned = build.trino_cast(value->Copy(),
                                  Type::of(TypeKind::kTimestampTz, std::min(6, from.precision)));
    offset = offset_of_moment(build, std::move(zoned));
  }
  auto clock = build.trino_cast(std::move(value), Type::of(TypeKind::kTime, to.precision));
  return build.relabel(
      build.call("meesh_time_tz", in_micros(build, std::move(clock)), std::move(offset)),
      time_tz(to.precision));
}

}  // namespace

int64_t session_offset(const Build& build) {
  const auto zone = find_zone(build.session_zone());
  if (!zone) return 0;
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return zone->span_at(std::chrono::duration_cast<std::chrono::seconds>(now).count()).offset;
}

ExprPtr clock_of(const Build& build, ExprPtr value) {
  return build.native_cast(build.plain(std::move(value)), LogicalType::TIME);
}

ExprPtr offset_of_time(const Build& build, ExprPtr value) {
  return build.call("meesh_time_tz_offset", build.plain(std::move(value)));
}

ExprPtr comparable_time(const Build& build, ExprPtr value) {
  return build.call("meesh_time_tz_utc", build.plain(std::move(value)));
}

ExprPtr with_offset_of(const Build& build, ExprPtr clock, ExprPtr zoned, int precision) {
  return build.relabel(build.call("meesh_time_tz", in_micros(build, std::move(clock)),
                                  offset_of_time(build, std::move(zoned))),
                       time_tz(precision));
}

ExprPtr time_at_offset(const Build& build, ExprPtr value, ExprPtr offset) {
  const int precision = std::min(6, type_of(*value).precision);
  value = build.trino_cast(std::move(value), Type::of(TypeKind::kTimeTz, precision));
  return build.relabel(
      build.call("meesh_time_tz_shown", build.plain(std::move(value)), std::move(offset)),
      time_tz(precision));
}

ExprPtr cast_time_tz(const Build& build, ExprPtr value, const Type& to, bool try_cast) {
  const Type from = type_of(*value);
  if (is_text(from)) return text_to_time(build, std::move(value), to, try_cast);
  if (is_text(to)) {
    auto text = build.call("meesh_text_of_time_tz", build.plain(std::move(value)),
                           build.constant(Value::BIGINT(from.precision)));
    return fitted(std::move(text), from, to, try_cast);
  }
  if (to.kind == TypeKind::kTimestamp || to.kind == TypeKind::kTimestampTz)
    return to_moment(build, std::move(value), to, try_cast);
  if (from.kind == TypeKind::kTimestamp || from.kind == TypeKind::kTimestampTz)
    return from_moment(build, std::move(value), to);
  const Type clock = Type::of(TypeKind::kTime, to.precision);
  if (to.kind == TypeKind::kTime) {
    auto time = build.relabel(clock_of(build, std::move(value)),
                              to_duckdb(Type::of(TypeKind::kTime, from.precision)));
    return build.trino_cast(std::move(time), clock);
  }
  if (from.kind == TypeKind::kTime) {
    auto time = in_micros(build, build.trino_cast(std::move(value), clock));
    return build.relabel(build.call("meesh_time_tz", std::move(time),
                                    build.constant(Value::BIGINT(session_offset(build)))),
                         time_tz(to.precision));
  }
  if (from.precision <= to.precision) return build.relabel(std::move(value), time_tz(to.precision));
  auto time = build.relabel(clock_of(build, value->Copy()),
                            to_duckdb(Type::of(TypeKind::kTime, from.precision)));
  return with_offset_of(build, build.trino_cast(std::move(time), clock), std::move(value),
                        to.precision);
}

void register_time_tz_kernels(duckdb::ExtensionLoader& loader) {
  const auto time = LogicalType::TIME, zoned = LogicalType::TIME_TZ;
  add_kernel<View, int64_t, int64_t, bool>(loader, "meesh_time_tz_text",
                                           {kText, kLong, kLong, kBool}, zoned, from_text);
  add_kernel<dtime_tz_t, int64_t>(loader, "meesh_text_of_time_tz", {zoned, kLong}, kText,
                                  [](dtime_tz_t value, int64_t precision) {
                                    return clock_text(value.time().micros,
                                                      static_cast<int>(precision)) +
                                           offset_text(value.offset());
                                  });
  add_kernel<dtime_t, int64_t>(
      loader, "meesh_time_tz", {time, kLong}, zoned,
      [](dtime_t clock, int64_t offset) { return at_offset(clock.micros, offset); });
  add_kernel<dtime_tz_t, int64_t>(loader, "meesh_time_tz_shown", {zoned, kLong}, zoned,
                                  [](dtime_tz_t value, int64_t offset) {
                                    return at_offset(in_utc(value) + offset * 1000000, offset);
                                  });
  add_kernel<dtime_tz_t>(loader, "meesh_time_tz_offset", {zoned}, kLong,
                         [](dtime_tz_t value) -> int64_t { return value.offset(); });
  add_kernel<dtime_tz_t>(loader, "meesh_time_tz_utc", {zoned}, kLong, in_utc);
  add_kernel<int64_t>(loader, "meesh_offset_zone", {kLong}, kText, offset_text);
  // What DuckDB sorts, groups and joins such times by: its own takes 24:30 in UTC for later than
  // 00:30, and tells times apart by their offsets.
  duckdb::ScalarFunction order(
      "timetz_byte_comparable", {zoned}, LogicalType::UBIGINT,
      [](duckdb::DataChunk& args, duckdb::ExpressionState&, duckdb::Vector& result) {
        duckdb::UnaryExecutor::Execute<dtime_tz_t, uint64_t>(
            args.data[0], result, args.size(),
            [](dtime_tz_t value) { return static_cast<uint64_t>(in_utc(value)); });
      });
  duckdb::CreateScalarFunctionInfo info(std::move(order));
  info.on_conflict = duckdb::OnCreateConflict::REPLACE_ON_CONFLICT;
  loader.RegisterFunction(std::move(info));
}

}  // namespace meesh::engine
