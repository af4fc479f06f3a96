// Dates, times and zones: current time, truncation, adding, differences, AT TIME ZONE, formats.
#include <fmt/format.h>

#include <chrono>
#include <cmath>

#include "engine/functions/coercion.h"
#include "engine/functions/iso8601.h"
#include "engine/functions/kernels.h"
#include "engine/functions/long_times.h"
#include "engine/functions/moments.h"
#include "engine/functions/teradata.h"
#include "engine/functions/text.h"
#include "engine/functions/time_format.h"
#include "engine/functions/time_tz.h"
#include "engine/functions/time_units.h"
#include "engine/functions/zones.h"

namespace meesh::engine {
namespace {

using duckdb::LogicalType;
using duckdb::Value;
using sql::Type;
using sql::TypeKind;
using View = std::string_view;

std::string constant_text(const Build& build, const duckdb::Expression& value, const char* what) {
  auto found = build.constant_value(value);
  if (found.IsNull()) raise(Code::kNotSupported, std::string(what) + " must be a constant", &value);
  return found.ToString();
}

// ---------------------------------------------------------------- zones

std::string offset_name(int64_t seconds) {
  return fmt::format("{}{:02}:{:02}", seconds < 0 ? '-' : '+', std::abs(seconds) / 3600,
                     std::abs(seconds) / 60 % 60);
}
std::string minutes_zone(int64_t minutes) {
  if (std::abs(minutes) > 14 * 60)
    raise(Code::kInvalidFunctionArgument, "Invalid offset minutes " + std::to_string(minutes));
  return minutes == 0 ? "UTC" : offset_name(minutes * 60);
}
std::string interval_zone(duckdb::interval_t interval) {
  return minutes_zone((interval.days * int64_t{86400000000} + interval.micros) / 60000000);
}

/// The zone an argument names, checked: a name, or an interval from UTC. Nothing when it differs by
/// row (or is NULL).
std::optional<std::string> constant_zone(const Build& build, const duckdb::Expression& value) {
  const auto constant = build.constant_value(value);
  if (constant.IsNull()) return std::nullopt;
  if (type_of(value).kind == TypeKind::kIntervalDayToSecond)
    return interval_zone(constant.GetValue<duckdb::interval_t>());
  return canonical_zone(constant.ToString(), nullptr);
}

/// The zones' names, row by row.
ExprPtr zone_names(const Build& build, ExprPtr value) {
  if (type_of(*value).kind == TypeKind::kIntervalDayToSecond)
    return build.call("meesh_interval_zone", build.plain(std::move(value)));
  return build.native_cast(build.plain(std::move(value)), LogicalType::VARCHAR);
}

/// A clock's time keeps no region: the offset that the zone has now.
ExprPtr time_at_zone(const Build& build, Exprs args) {
  auto offset = build.call("meesh_zone_offset_now", zone_names(build, std::move(args[1])));
  return time_at_offset(build, std::move(args[0]), std::move(offset));
}

ExprPtr at_zone(const Build& build, Exprs args) {
  const Type type = type_of(*args[0]);
  if (type.kind == TypeKind::kTime || type.kind == TypeKind::kTimeTz)
    return time_at_zone(build, std::move(args));
  if (type.kind != TypeKind::kTimestamp && type.kind != TypeKind::kTimestampTz &&
      type.kind != TypeKind::kUnknown) {
    raise(Code::kTypeMismatch,
          "Type of value must be a time or timestamp with or without time zone (actual " +
              shown(type) + ")",
          args[0].get());
  }
  const int precision = type.kind == TypeKind::kUnknown ? 3 : type.precision;
  const auto zone = constant_zone(build, *args[1]);
  auto zoned = build.trino_cast(std::move(args[0]), Type::of(TypeKind::kTimestampTz, precision));
  if (zone && !is_zoned(zoned->return_type))
    return build.relabel(std::move(zoned), timestamp_tz_type(precision, *zone));
  return shown_in_zones(build, std::move(zoned), zone_names(build, std::move(args[1])));
}

ExprPtr with_zone(const Build& build, Exprs args) {
  const Type type = type_of(*args[0]);
  const int precision = type.kind == TypeKind::kTimestamp ? type.precision : 3;
  const auto zone = constant_zone(build, *args[1]);
  if (zone && precision <= 6)
    return build.relabel(build.instant(std::move(args[0]), *zone),
                         timestamp_tz_type(precision, *zone));
  auto local = build.trino_cast(std::move(args[0]), Type::of(TypeKind::kTimestamp, precision));
  return local_in_zones(build, std::move(local), zone_names(build, std::move(args[1])));
}

/// What the printer puts around values that are to keep each its zone.
ExprPtr zoned(const Build& build, Exprs args) {
  return type_of(*args[0]).kind == TypeKind::kTimestampTz
             ? to_zoned_values(build, std::move(args[0]))
             : std::move(args[0]);
}

ExprPtr zone_name(const Build& build, Exprs args) {
  if (type_of(*args[0]).kind == TypeKind::kTimeTz)
    return build.call("meesh_offset_zone", offset_of_time(build, std::move(args[0])));
  if (is_zoned(args[0]->return_type)) return names_of_zoned(build, std::move(args[0]));
  const std::string zone = zone_of(args[0]->return_type);
  auto name = build.constant(Value(zone.empty() ? build.session_zone() : zone));
  return build.case_when(build.is_null(std::move(args[0])),
                         build.constant(Value(LogicalType::VARCHAR)), std::move(name));
}
ExprPtr session_zone(const Build& build, Exprs) {
  return build.constant(Value(build.session_zone()));
}

ExprPtr offset_of(const Build& build, ExprPtr value) {
  return type_of(*value).kind == TypeKind::kTimeTz ? offset_of_time(build, std::move(value))
                                                   : offset_of_moment(build, std::move(value));
}
ExprPtr zone_hour(const Build& build, Exprs args) {
  return build.call("//", offset_of(build, std::move(args[0])),
                    build.constant(Value::BIGINT(3600)));
}
ExprPtr zone_minute(const Build& build, Exprs args) {
  auto minutes =
      build.call("//", offset_of(build, std::move(args[0])), build.constant(Value::BIGINT(60)));
  return build.call("%", std::move(minutes), build.constant(Value::BIGINT(60)));
}

// ---------------------------------------------------------------- now

int precision_of(const Build& build, const Exprs& args) {
  if (args.empty()) return 3;
  auto precision = build.constant_value(*args[0]);
  return precision.IsNull() ? 3 : static_cast<int>(precision.GetValue<int64_t>());
}

ExprPtr now(const Build& build, int precision) {
  return build.trino_cast(build.call("now", Exprs()), Type::of(TypeKind::kTimestampTz, precision));
}
ExprPtr current_timestamp(const Build& build, Exprs args) {
  return now(build, precision_of(build, args));
}
ExprPtr local_timestamp(const Build& build, Exprs args) {
  const int precision = precision_of(build, args);
  return build.trino_cast(build.local_time(now(build, std::min(6, precision))),
                          Type::of(TypeKind::kTimestamp, precision));
}
ExprPtr local_time_now(const Build& build, Exprs args) {
  auto local = build.native_cast(build.local_time(now(build, 6)), LogicalType::TIME);
  return build.trino_cast(std::move(local), Type::of(TypeKind::kTime, precision_of(build, args)));
}
ExprPtr current_time(const Build& build, Exprs args) {
  const int precision = std::min(6, precision_of(build, args));
  return build.trino_cast(now(build, precision), Type::of(TypeKind::kTimeTz, precision));
}
ExprPtr current_date(const Build& build, Exprs) {
  return build.native_cast(build.local_time(build.call("now", Exprs())), LogicalType::DATE);
}

// ---------------------------------------------------------------- the rest

/// What each field can be taken of: d date, t time, z time with zone, s timestamp, m timestamp with
/// zone, y interval year to month, i interval day to second.
struct Field {
  const char* function;
  View of;
};
const std::map<View, Field>& fields() {
  static const std::map<View, Field> all = {{"year", {"year", "dsmy"}},
                                            {"quarter", {"quarter", "dsm"}},
                                            {"month", {"month", "dsmy"}},
                                            {"week", {"week", "dsm"}},
                                            {"day", {"day", "dsmi"}},
                                            {"day_of_month", {"day", "dsm"}},
                                            {"day_of_week", {"day_of_week", "dsm"}},
                                            {"dow", {"day_of_week", "dsm"}},
                                            {"day_of_year", {"day_of_year", "dsm"}},
                                            {"doy", {"day_of_year", "dsm"}},
                                            {"year_of_week", {"year_of_week", "dsm"}},
                                            {"yow", {"year_of_week", "dsm"}},
                                            {"hour", {"hour", "tzsmi"}},
                                            {"minute", {"minute", "tzsmi"}},
                                            {"second", {"second", "tzsmi"}},
                                            {"timezone_hour", {"timezone_hour", "zm"}},
                                            {"timezone_minute", {"timezone_minute", "zm"}}};
  return all;
}

char letter_of(TypeKind kind) {
  switch (kind) {
    case TypeKind::kDate:
      return 'd';
    case TypeKind::kTime:
      return 't';
    case TypeKind::kTimeTz:
      return 'z';
    case TypeKind::kTimestamp:
      return 's';
    case TypeKind::kTimestampTz:
      return 'm';
    case TypeKind::kIntervalYearToMonth:
      return 'y';
    case TypeKind::kIntervalDayToSecond:
      return 'i';
    default:
      return '?';
  }
}

ExprPtr extract(const Build& build, Exprs args) {
  const std::string written = constant_text(build, *args[0], "The field");
  std::string field = written, shouted = written;
  for (char& c : field) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  for (char& c : shouted) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  const auto found = fields().find(field);
  if (found == fields().end())
    raise(Code::kSyntaxError,
          "Invalid EXTRACT field " + written +
              ", valid fields are: YEAR, QUARTER, MONTH, WEEK, DAY, DAY_OF_MONTH, DAY_OF_WEEK, "
              "DOW, DAY_OF_YEAR, DOY, YEAR_OF_WEEK, YOW, HOUR, MINUTE, SECOND, TIMEZONE_MINUTE, "
              "TIMEZONE_HOUR",
          args[0].get());
  const Type type = type_of(*args[1]);
  if (type.kind != TypeKind::kUnknown &&
      found->second.of.find(letter_of(type.kind)) == View::npos) {
    raise(Code::kTypeMismatch, "Cannot extract " + shouted + " from " + shown(type), args[1].get());
  }
  return build.call(std::string("trino_") + found->second.function, std::move(args[1]));
}

/// A zone by name whose lack is Trino's other error: of what takes a zone for the session's.
std::string supported_zone(const std::string& name) {
  const auto zone = find_zone(name);
  if (!zone) raise(Code::kNotSupported, "Time zone not supported: " + name);
  return zone->id();
}

ExprPtr from_unixtime(const Build& build, Exprs args) {
  auto seconds = build.native_cast(std::move(args[0]), LogicalType::DOUBLE);
  auto micros = build.call("meesh_unix_micros", std::move(seconds));
  if (args.size() == 1) return build.relabel(std::move(micros), timestamp_tz_type(3, ""));
  ExprPtr names;
  if (args.size() == 3) {
    for (size_t i : {1, 2}) args[i] = build.native_cast(std::move(args[i]), LogicalType::BIGINT);
    names = build.call("meesh_hours_zone", std::move(args[1]), std::move(args[2]));
  } else {
    names = zone_names(build, std::move(args[1]));
  }
  const auto constant = build.constant_value(*names);
  if (!constant.IsNull())
    return build.relabel(std::move(micros),
                         timestamp_tz_type(3, supported_zone(constant.ToString())));
  auto instants = build.relabel(std::move(micros), timestamp_tz_type(3, ""));
  return shown_in_zones(build, std::move(instants), std::move(names));
}

ExprPtr from_unixtime_nanos(const Build& build, Exprs args) {
  auto nanos = build.native_cast(std::move(args[0]), LogicalType::DECIMAL(38, 0));
  auto instants =
      build.call("meesh_zoned_of_nanos", build.native_cast(std::move(nanos), LogicalType::HUGEINT));
  return build.relabel(shown_in_zones(build, build.relabel(std::move(instants), zoned_type(9)),
                                      build.constant(Value(build.session_zone()))),
                       zoned_type(9));
}

ExprPtr interval_day_time(const Build& build, Exprs args) {
  auto micros = build.native_cast(std::move(args[0]), LogicalType::BIGINT);
  return build.call("to_microseconds", std::move(micros));
}
ExprPtr interval_year_month(const Build& build, Exprs args) {
  auto months = build.native_cast(std::move(args[0]), LogicalType::INTEGER);
  return build.relabel(build.call("to_months", std::move(months)),
                       to_duckdb(Type::of(TypeKind::kIntervalYearToMonth)));
}

ExprPtr format_datetime(const Build& build, Exprs args) {
  const Type type = type_of(*args[0]);
  const bool zoned = type.kind == TypeKind::kTimestampTz;
  ExprPtr offset = build.constant(Value::BIGINT(0)), zone = build.constant(Value(""));
  ExprPtr local;
  if (zoned) {
    Exprs named;
    named.push_back(args[0]->Copy());
    zone = zone_name(build, std::move(named));
    offset = offset_of(build, args[0]->Copy());
    local = build.local_time(std::move(args[0]));
  } else {
    local = in_micros(build, std::move(args[0]));
  }
  return build.call("meesh_joda_format", std::move(local),
                    build.native_cast(build.plain(std::move(args[1])), LogicalType::VARCHAR),
                    std::move(zone), std::move(offset));
}

ExprPtr parse_datetime(const Build& build, Exprs args) {
  auto text = build.constant_value(*args[0]), pattern = build.constant_value(*args[1]);
  if (!text.IsNull() && !pattern.IsNull()) {
    const auto parsed = joda_parse(text.ToString(), pattern.ToString());
    const std::string zone = parsed.zone.empty() ? "" : canonical_zone(parsed.zone, args[0].get());
    auto local = build.constant(Value::TIMESTAMP(duckdb::timestamp_t(parsed.micros)));
    return build.relabel(build.instant(std::move(local), zone), timestamp_tz_type(3, zone));
  }
  for (auto& arg : args) arg = build.native_cast(build.plain(std::move(arg)), LogicalType::VARCHAR);
  auto zone = build.call("meesh_joda_zone", args[0]->Copy(), args[1]->Copy(),
                         build.constant(Value(build.session_zone())));
  auto local = build.call("meesh_joda_local", std::move(args[0]), std::move(args[1]));
  local = build.relabel(std::move(local), to_duckdb(Type::of(TypeKind::kTimestamp, 3)));
  return local_in_zones(build, std::move(local), std::move(zone));
}

/// A constant keeps its zone in the type, a column in every value.
ExprPtr from_iso(const Build& build, ExprPtr text, int precision) {
  text = build.native_cast(build.plain(std::move(text)), LogicalType::VARCHAR);
  auto constant = build.constant_value(*text);
  if (!constant.IsNull() && precision <= 6) {
    const auto parsed = parse_iso_timestamp(constant.ToString());
    const std::string zone =
        parsed.zone.empty() ? build.session_zone() : canonical_zone(parsed.zone, text.get());
    const int64_t micros = parsed.days * 86400000000 + parsed.nanos / 1000000 * 1000;
    auto local = build.constant(Value::TIMESTAMP(duckdb::timestamp_t(micros)));
    return build.relabel(build.instant(std::move(local), zone), timestamp_tz_type(precision, zone));
  }
  auto values =
      build.call("meesh_iso_zoned", std::move(text), build.constant(Value(build.session_zone())),
                 build.constant(Value::BIGINT(precision)));
  return build.relabel(std::move(values), zoned_type(precision));
}
ExprPtr from_iso_timestamp(const Build& build, Exprs args) {
  return from_iso(build, std::move(args[0]), 3);
}
ExprPtr from_iso_nanos(const Build& build, Exprs args) {
  return from_iso(build, std::move(args[0]), 9);
}

/// varchar of the length that Trino's result has.
ExprPtr of_length(const Build& build, ExprPtr text, int length) {
  return build.relabel(std::move(text), to_duckdb(Type::varchar(length)));
}

ExprPtr to_iso(const Build& build, Exprs args) {
  const Type type = type_of(*args[0]);
  if (type.kind == TypeKind::kUnknown) return build.constant(Value(to_duckdb(Type::varchar(16))));
  if (type.kind == TypeKind::kDate)
    return of_length(build, build.trino_cast(std::move(args[0]), Type::varchar()), 16);
  const int fraction = type.precision == 0 ? 0 : type.precision + 1;
  const bool zoned = type.kind == TypeKind::kTimestampTz;
  ExprPtr offset = zoned ? offset_of_moment(build, args[0]->Copy()) : nullptr;
  auto local = build.trino_cast(std::move(args[0]), Type::of(TypeKind::kTimestamp, type.precision));
  auto text = build.call("replace", build.trino_cast(std::move(local), Type::varchar()),
                         build.constant(Value(" ")), build.constant(Value("T")));
  if (!zoned) return of_length(build, std::move(text), 22 + fraction);
  text = build.call("||", std::move(text), build.call("meesh_offset_text", std::move(offset)));
  return of_length(build, std::move(text), 28 + fraction);
}

// ---------------------------------------------------------------- kernels

int64_t interval_part(duckdb::interval_t value, View part) {
  if (part == "year") return value.months / 12;
  if (part == "month") return value.months % 12;
  const int64_t millis = int64_t{value.days} * 86400000 + value.micros / 1000;
  if (part == "total") return millis;
  if (part == "day") return millis / 86400000;
  if (part == "hour") return millis / 3600000 % 24;
  if (part == "minute") return millis / 60000 % 60;
  if (part == "second") return millis / 1000 % 60;
  return millis % 1000;
}

duckdb::interval_t parse_duration(View text) {
  static const std::pair<View, double> kUnits[] = {
      {"ns", 1e-3}, {"us", 1}, {"ms", 1e3}, {"s", 1e6}, {"m", 6e7}, {"h", 3.6e9}, {"d", 8.64e10}};
  size_t n = 0;
  while (n < text.size() && (std::isdigit(static_cast<unsigned char>(text[n])) || text[n] == '.'))
    ++n;
  auto value = read_double(text.substr(0, n));
  auto unit = text.substr(n);
  while (!unit.empty() && unit[0] == ' ') unit.remove_prefix(1);
  for (auto& [name, micros] : kUnits) {
    if (value && unit == name) {
      duckdb::interval_t out{};
      out.micros = static_cast<int64_t>(std::llround(*value * micros / 1000)) * 1000;
      return out;
    }
  }
  const bool letters =
      std::all_of(unit.begin(), unit.end(), [](unsigned char c) { return std::isalpha(c) != 0; });
  if (value && !unit.empty() && letters)
    raise(Code::kInvalidFunctionArgument, "Unknown time unit: " + std::string(unit));
  raise(Code::kInvalidFunctionArgument,
        "duration is not a valid data duration string: " + std::string(text));
}

std::string human_seconds(double seconds) {
  static const std::pair<const char*, int64_t> kUnits[] = {
      {"week", 604800}, {"day", 86400}, {"hour", 3600}, {"minute", 60}, {"second", 1}};
  if (!std::isfinite(seconds))
    raise(Code::kInvalidFunctionArgument, "Invalid argument found: " + scientific(seconds));
  int64_t rest = std::llround(std::abs(seconds));
  std::string out;
  for (auto& [name, size] : kUnits) {
    if (rest / size == 0) continue;
    out += (out.empty() ? "" : ", ") + std::to_string(rest / size) + " " + name +
           (rest / size == 1 ? "" : "s");
    rest %= size;
  }
  return out.empty() ? "0 seconds" : out;
}

int64_t unix_micros(double seconds) {
  const double millis = std::floor(seconds * 1000 + 0.5);
  if (std::isnan(millis)) return 0;
  if (!(std::abs(millis) < 9e15))
    raise(Code::kInvalidFunctionArgument,
          fmt::format("Millis overflow: {}", millis >= 0x1p63    ? INT64_MAX
                                             : millis <= -0x1p63 ? INT64_MIN
                                                                 : static_cast<int64_t>(millis)));
  return static_cast<int64_t>(millis) * 1000;
}

/// Nine digits are java.time's, which wants a time; fewer are cut to milliseconds, as Joda-Time's.
duckdb::hugeint_t iso_zoned(View text, View session, int64_t precision) {
  const auto moment = precision > 3 ? parse_iso_nanos(text) : parse_iso_timestamp(text);
  const int64_t nanos = precision > 3 ? moment.nanos : moment.nanos / 1000000 * 1000000;
  return zoned_value(moment.days * kPicosOfDay + __int128{nanos} * 1000,
                     moment.zone.empty() ? session : View(moment.zone));
}

int64_t zone_offset_now(View name) {
  const auto zone = find_zone(std::string(name));
  if (!zone)
    raise(Code::kInvalidFunctionArgument, "'" + std::string(name) + "' is not a valid time zone");
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return zone->span_at(std::chrono::duration_cast<std::chrono::seconds>(now).count()).offset;
}

}  // namespace

void register_time_kernels(duckdb::ExtensionLoader& loader) {
  using duckdb::timestamp_t;
  const auto timestamp = LogicalType::TIMESTAMP, interval = LogicalType::INTERVAL;
  register_zone_kernels(loader);
  register_time_tz_kernels(loader);
  register_moment_kernels(loader);
  register_unit_kernels(loader);
  add_kernel<duckdb::interval_t, View>(loader, "meesh_interval_part", {interval, kText}, kLong,
                                       interval_part);
  add_kernel<View>(loader, "meesh_parse_duration", {kText}, interval, parse_duration);
  add_kernel<double>(loader, "meesh_human_seconds", {kDouble}, kText, human_seconds);
  add_kernel<timestamp_t, View>(
      loader, "meesh_date_format", {timestamp, kText}, kText,
      [](timestamp_t t, View pattern) { return mysql_format(t.value, pattern); });
  add_kernel<View, View>(
      loader, "meesh_date_parse", {kText, kText}, timestamp,
      [](View text, View pattern) { return timestamp_t(mysql_parse(text, pattern)); });
  add_kernel<timestamp_t, View, View, int64_t>(
      loader, "meesh_joda_format", {timestamp, kText, kText, kLong}, kText,
      [](timestamp_t t, View pattern, View zone, int64_t offset) {
        return joda_format(t.value, pattern, zone, offset);
      });
  add_kernel<View, View>(
      loader, "meesh_joda_local", {kText, kText}, timestamp,
      [](View text, View pattern) { return timestamp_t(joda_parse(text, pattern).micros); });
  add_kernel<View, View, View>(loader, "meesh_joda_zone", {kText, kText, kText}, kText,
                               [](View text, View pattern, View session) {
                                 const std::string zone = joda_parse(text, pattern).zone;
                                 return zone.empty() ? std::string(session) : zone;
                               });
  add_kernel<double>(loader, "meesh_unix_micros", {kDouble}, kLong, unix_micros);
  add_kernel<int64_t>(loader, "meesh_offset_text", {kLong}, kText, [](int64_t seconds) {
    return seconds == 0 ? std::string("Z") : offset_name(seconds);
  });
  add_kernel<View>(loader, "meesh_iso_date", {kText}, LogicalType::DATE, [](View text) {
    return duckdb::date_t(static_cast<int32_t>(parse_iso_date(text)));
  });
  add_kernel<View, View, int64_t>(loader, "meesh_iso_zoned", {kText, kText, kLong},
                                  LogicalType::HUGEINT, iso_zoned);
  add_kernel<View>(loader, "meesh_zone_offset_now", {kText}, kLong, zone_offset_now);
  add_kernel<duckdb::interval_t>(loader, "meesh_interval_zone", {interval}, kText, interval_zone);
  add_kernel<int64_t, int64_t>(
      loader, "meesh_hours_zone", {kLong, kLong}, kText,
      [](int64_t hours, int64_t minutes) { return minutes_zone(hours * 60 + minutes); });
  add_kernel<View>(loader, "meesh_teradata_pattern", {kText}, kText, joda_of_teradata);
}

namespace {

/// What count(DISTINCT …) tells timestamps with time zone apart by.
ExprPtr instant_of(const Build& build, Exprs args) {
  return is_zoned(args[0]->return_type) ? comparable_instant(build, std::move(args[0]))
                                        : std::move(args[0]);
}

}  // namespace

const std::vector<NamedHook>& time_hooks() {
  static const std::vector<NamedHook> hooks = {
      {"trino_date_trunc", date_trunc},
      {"trino_date_add", date_add},
      {"trino_date_diff", date_diff},
      {"trino_instant_of", instant_of},
      {"trino_at_timezone", at_zone},
      {"trino_at_time_zone", at_zone},
      {"trino_with_timezone", with_zone},
      {"trino_zoned", zoned},
      {"trino_timezone", zone_name},
      {"trino_timezone_hour", zone_hour},
      {"trino_timezone_minute", zone_minute},
      {"trino_current_timezone", session_zone},
      {"trino_now", current_timestamp},
      {"trino_current_timestamp", current_timestamp},
      {"trino_localtimestamp", local_timestamp},
      {"trino_localtime", local_time_now},
      {"trino_current_time", current_time},
      {"trino_current_date", current_date},
      {"trino_extract", extract},
      {"trino_from_unixtime", from_unixtime},
      {"trino_interval_day_time", interval_day_time},
      {"trino_interval_year_month", interval_year_month},
      {"trino_format_datetime", format_datetime},
      {"trino_parse_datetime", parse_datetime},
      {"trino_from_iso8601_timestamp", from_iso_timestamp},
      {"trino_from_iso8601_timestamp_nanos", from_iso_nanos},
      {"trino_from_unixtime_nanos", from_unixtime_nanos},
      {"trino_to_iso8601", to_iso},
  };
  return hooks;
}

}  // namespace meesh::engine
