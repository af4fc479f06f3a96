// Dates, times and zones: current time, truncation, adding, differences, AT TIME ZONE, formats.
#include "engine/functions/coercion.h"
#include "engine/functions/kernels.h"
#include "engine/functions/text.h"
#include "engine/functions/time_format.h"

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

std::string unit_of(const Build& build, const duckdb::Expression& value, bool time) {
  std::string unit = constant_text(build, value, "The unit");
  for (char& c : unit) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  static const std::set<View> kTime = {"millisecond", "second", "minute", "hour"};
  static const std::set<View> kDate = {"day", "week", "month", "quarter", "year"};
  if (!kTime.contains(unit) && (time || !kDate.contains(unit))) {
    raise(Code::kInvalidFunctionArgument,
          "'" + unit + "' is not a valid " + (time ? "Time" : "Timestamp") + " field", &value);
  }
  return unit;
}

bool clock_unit(const std::string& unit) {
  return unit == "millisecond" || unit == "second" || unit == "minute" || unit == "hour";
}

void date_unit(const std::string& unit, const duckdb::Expression& at) {
  if (clock_unit(unit))
    raise(Code::kInvalidFunctionArgument, "'" + unit + "' is not a valid DATE field", &at);
}

/// Of the month or year: the date less how many days of it have passed. `counted`: DuckDB's
/// function that tells the day's number in it, from 1.
ExprPtr first_day(const Build& build, ExprPtr date, const char* counted) {
  auto number = build.native_cast(build.call(counted, date->Copy()), LogicalType::INTEGER);
  auto passed = build.call("-", std::move(number), build.constant(Value::INTEGER(1)));
  return build.call("-", std::move(date), std::move(passed));
}

ExprPtr date_trunc(const Build& build, Exprs args) {
  const Type type = type_of(*args[1]);
  const auto label = args[1]->return_type;
  const std::string unit = unit_of(build, *args[0], type.kind == TypeKind::kTime);
  auto name = build.constant(Value(unit));
  if (type.kind == TypeKind::kDate) {
    date_unit(unit, *args[0]);
    // Three times as fast as DuckDB's own, which goes by way of timestamps.
    if ((unit == "month" || unit == "year") && !args[1]->IsVolatile())
      return first_day(build, std::move(args[1]), unit == "month" ? "day" : "dayofyear");
    return build.native_cast(build.call("date_trunc", std::move(name), std::move(args[1])),
                             LogicalType::DATE);
  }
  if (type.kind == TypeKind::kTimestampTz) {
    auto local = build.call("date_trunc", std::move(name), build.local_time(std::move(args[1])));
    return build.relabel(build.instant(std::move(local), zone_of(label)), label);
  }
  if (type.kind == TypeKind::kTime) {
    return build.relabel(
        build.call("meesh_time_trunc", std::move(name), build.plain(std::move(args[1]))), label);
  }
  auto value = build.native_cast(build.plain(std::move(args[1])), LogicalType::TIMESTAMP);
  return build.coerce(build.call("date_trunc", std::move(name), std::move(value)), label);
}

ExprPtr date_add(const Build& build, Exprs args) {
  const Type type = type_of(*args[2]);
  const auto label = args[2]->return_type;
  const std::string unit = unit_of(build, *args[0], type.kind == TypeKind::kTime);
  if (type.kind == TypeKind::kDate) date_unit(unit, *args[0]);
  auto count = build.native_cast(std::move(args[1]), LogicalType::BIGINT);
  auto interval = build.call("meesh_interval_of", build.constant(Value(unit)), std::move(count));
  ExprPtr value;
  if (type.kind == TypeKind::kTimestampTz && !clock_unit(unit)) {
    auto local = build.call("+", build.local_time(std::move(args[2])), std::move(interval));
    return build.relabel(build.instant(std::move(local), zone_of(label)), label);
  }
  if (type.kind == TypeKind::kTimestampTz) {
    value = build.relabel(build.plain(std::move(args[2])), LogicalType::TIMESTAMP);
    return build.relabel(build.call("+", std::move(value), std::move(interval)), label);
  }
  if (type.kind == TypeKind::kTimestamp) {
    if (type.precision > 6)
      raise(Code::kNotSupported,
            "date_add on " + type.display() + " is not supported; cast it to timestamp(6)",
            args[2].get());
    return build.relabel(build.call("+", build.plain(std::move(args[2])), std::move(interval)),
                         label);
  }
  auto sum = build.call("+", build.plain(std::move(args[2])), std::move(interval));
  return build.relabel(build.native_cast(std::move(sum), plain_type(label)), label);
}

ExprPtr date_diff(const Build& build, Exprs args) {
  const Type common = *common_type(type_of(*args[1]), type_of(*args[2]));
  const std::string unit = unit_of(build, *args[0], common.kind == TypeKind::kTime);
  if (common.kind == TypeKind::kDate) date_unit(unit, *args[0]);
  for (size_t i : {1, 2}) {
    args[i] = build.coerce(std::move(args[i]), to_duckdb(common));
    if (common.kind == TypeKind::kTimestampTz) {
      args[i] = clock_unit(unit)
                    ? build.relabel(build.plain(std::move(args[i])), LogicalType::TIMESTAMP)
                    : build.instant(build.plain(std::move(args[i])), "UTC");
      if (!clock_unit(unit)) {
        auto zoned = build.relabel(std::move(args[i]), LogicalType::TIMESTAMP_TZ);
        args[i] = build.local_time(std::move(zoned));
      }
    } else if (common.kind == TypeKind::kTimestamp) {
      args[i] = build.native_cast(build.plain(std::move(args[i])), LogicalType::TIMESTAMP);
    } else {
      args[i] = build.plain(std::move(args[i]));
    }
  }
  // date_sub counts complete units, as Trino's date_diff does.
  return build.call("date_sub", build.constant(Value(unit)), std::move(args[1]),
                    std::move(args[2]));
}

// ---------------------------------------------------------------- zones

ExprPtr at_zone(const Build& build, Exprs args) {
  const Type type = type_of(*args[0]), zone_type = type_of(*args[1]);
  std::string zone;
  if (zone_type.kind == TypeKind::kIntervalDayToSecond) {
    auto value = build.constant_value(*args[1]);
    if (value.IsNull())
      raise(Code::kNotSupported, "The time zone must be a constant", args[1].get());
    const int64_t minutes = value.GetValue<duckdb::interval_t>().micros / 60000000;
    zone = canonical_zone(fmt::format("{}{:02}:{:02}", minutes < 0 ? '-' : '+',
                                      std::abs(minutes) / 60, std::abs(minutes) % 60),
                          args[1].get());
  } else {
    zone = canonical_zone(constant_text(build, *args[1], "The time zone"), args[1].get());
  }
  if (!fixed_offset(zone)) {  // an unknown region is an error now, not at the first row
    try {
      build.constant_value(
          *build.call("timezone", build.constant(Value(zone)),
                      build.constant(Value::TIMESTAMPTZ(duckdb::timestamp_tz_t(0)))));
    } catch (const std::exception&) {
      raise(Code::kInvalidFunctionArgument, "'" + zone + "' is not a valid time zone",
            args[1].get());
    }
  }
  if (type.kind != TypeKind::kTimestamp && type.kind != TypeKind::kTimestampTz &&
      type.kind != TypeKind::kUnknown) {
    raise(Code::kTypeMismatch,
          "Type of value must be a time or timestamp with or without time zone (actual " +
              shown(type) + ")",
          args[0].get());
  }
  const int precision = std::min(6, type.kind == TypeKind::kUnknown ? 3 : type.precision);
  auto zoned = build.trino_cast(std::move(args[0]), Type::of(TypeKind::kTimestampTz, precision));
  return build.relabel(std::move(zoned), timestamp_tz_type(precision, zone));
}

ExprPtr with_zone(const Build& build, Exprs args) {
  const Type type = type_of(*args[0]);
  const std::string zone =
      canonical_zone(constant_text(build, *args[1], "The time zone"), args[1].get());
  return build.relabel(build.instant(std::move(args[0]), zone),
                       timestamp_tz_type(std::min(6, type.precision), zone));
}

ExprPtr zone_name(const Build& build, Exprs args) {
  const std::string zone = zone_of(args[0]->return_type);
  return build.constant(Value(zone.empty() ? build.session_zone() : zone));
}
ExprPtr session_zone(const Build& build, Exprs) {
  return build.constant(Value(build.session_zone()));
}

/// Seconds between the local time and UTC.
ExprPtr offset_of(const Build& build, ExprPtr zoned) {
  auto local = build.relabel(build.local_time(zoned->Copy()), LogicalType::BIGINT);
  auto utc = build.relabel(build.plain(std::move(zoned)), LogicalType::BIGINT);
  return build.call("//", build.call("-", std::move(local), std::move(utc)),
                    build.constant(Value::BIGINT(1000000)));
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
  return build.trino_cast(build.call("now", Exprs()),
                          Type::of(TypeKind::kTimestampTz, std::min(precision, 6)));
}
ExprPtr current_timestamp(const Build& build, Exprs args) {
  return now(build, precision_of(build, args));
}
ExprPtr local_timestamp(const Build& build, Exprs args) {
  const int precision = std::min(6, precision_of(build, args));
  return build.trino_cast(build.local_time(now(build, precision)),
                          Type::of(TypeKind::kTimestamp, precision));
}
ExprPtr local_time_now(const Build& build, Exprs args) {
  const int precision = std::min(6, precision_of(build, args));
  auto local = build.native_cast(build.local_time(now(build, 6)), LogicalType::TIME);
  return build.relabel(build.trino_cast(std::move(local), Type::of(TypeKind::kTime, precision)),
                       to_duckdb(Type::of(TypeKind::kTime, precision)));
}
ExprPtr current_time(const Build& build, Exprs args) {
  const int precision = std::min(6, precision_of(build, args));
  auto value = build.native_cast(now(build, precision)->Copy(), LogicalType::TIME_TZ);
  return build.relabel(std::move(value), to_duckdb(Type::of(TypeKind::kTimeTz, precision)));
}
ExprPtr current_date(const Build& build, Exprs) {
  return build.native_cast(build.local_time(build.call("now", Exprs())), LogicalType::DATE);
}

// ---------------------------------------------------------------- the rest

ExprPtr extract(const Build& build, Exprs args) {
  std::string field = constant_text(build, *args[0], "The field");
  for (char& c : field) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  static const std::map<View, const char*> kFields = {{"year", "year"},
                                                      {"quarter", "quarter"},
                                                      {"month", "month"},
                                                      {"week", "week"},
                                                      {"day", "day"},
                                                      {"day_of_month", "day"},
                                                      {"day_of_week", "day_of_week"},
                                                      {"dow", "day_of_week"},
                                                      {"day_of_year", "day_of_year"},
                                                      {"doy", "day_of_year"},
                                                      {"year_of_week", "year_of_week"},
                                                      {"yow", "year_of_week"},
                                                      {"hour", "hour"},
                                                      {"minute", "minute"},
                                                      {"second", "second"},
                                                      {"millisecond", "millisecond"},
                                                      {"timezone_hour", "timezone_hour"},
                                                      {"timezone_minute", "timezone_minute"}};
  auto found = kFields.find(field);
  if (found == kFields.end())
    raise(Code::kInvalidFunctionArgument, "Invalid EXTRACT field: " + field, args[0].get());
  return build.call(std::string("trino_") + found->second, std::move(args[1]));
}

ExprPtr from_unixtime(const Build& build, Exprs args) {
  std::string zone;
  if (args.size() == 2)
    zone = canonical_zone(constant_text(build, *args[1], "The time zone"), args[1].get());
  auto seconds = build.native_cast(std::move(args[0]), LogicalType::DOUBLE);
  auto micros = build.call("meesh_unix_micros", std::move(seconds));
  return build.relabel(std::move(micros), timestamp_tz_type(3, zone));
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
  ExprPtr offset = build.constant(Value::BIGINT(0)), zone = build.constant(Value(""));
  ExprPtr local;
  if (type.kind == TypeKind::kTimestampTz) {
    const std::string name = zone_of(args[0]->return_type);
    zone = build.constant(Value(name.empty() ? build.session_zone() : name));
    offset = offset_of(build, args[0]->Copy());
    local = build.local_time(std::move(args[0]));
  } else {
    local = build.native_cast(build.plain(std::move(args[0])), LogicalType::TIMESTAMP);
  }
  return build.call("meesh_joda_format", std::move(local),
                    build.native_cast(build.plain(std::move(args[1])), LogicalType::VARCHAR),
                    std::move(zone), std::move(offset));
}

/// Text whose zone may differ by row: all rows are shown in the session's zone.
ExprPtr zoned_from(const Build& build, ExprPtr text, ExprPtr pattern, const char* local,
                   const char* zone) {
  Exprs first, second;
  first.push_back(text->Copy());
  second.push_back(std::move(text));
  if (pattern) {
    first.push_back(pattern->Copy());
    second.push_back(std::move(pattern));
  }
  second.push_back(build.constant(Value(build.session_zone())));
  auto time = build.call("timezone", build.call(zone, std::move(second)),
                         build.call(local, std::move(first)));
  return build.relabel(std::move(time), timestamp_tz_type(3, ""));
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
  return zoned_from(build, std::move(args[0]), std::move(args[1]), "meesh_joda_local",
                    "meesh_joda_zone");
}

ExprPtr from_iso_timestamp(const Build& build, Exprs args) {
  return build.trino_cast(build.native_cast(build.plain(std::move(args[0])), LogicalType::VARCHAR),
                          Type::of(TypeKind::kTimestampTz, 3));
}

ExprPtr to_iso(const Build& build, Exprs args) {
  const Type type = type_of(*args[0]);
  if (type.kind == TypeKind::kDate) return build.trino_cast(std::move(args[0]), Type::varchar());
  if (type.kind != TypeKind::kTimestampTz) {
    auto text = build.trino_cast(std::move(args[0]), Type::varchar());
    return build.call("replace", std::move(text), build.constant(Value(" ")),
                      build.constant(Value("T")));
  }
  auto offset = offset_of(build, args[0]->Copy());
  auto local = build.relabel(build.local_time(std::move(args[0])),
                             to_duckdb(Type::of(TypeKind::kTimestamp, type.precision)));
  auto text = build.call("replace", build.trino_cast(std::move(local), Type::varchar()),
                         build.constant(Value(" ")), build.constant(Value("T")));
  return build.call("||", std::move(text), build.call("meesh_offset_text", std::move(offset)));
}

// ---------------------------------------------------------------- kernels

duckdb::interval_t interval_of(View unit, int64_t count) {
  duckdb::interval_t out{};
  auto months = [&](int64_t each) {
    if (std::abs(count) > INT32_MAX / 12)
      raise(Code::kInvalidFunctionArgument, "value out of range: " + std::to_string(count));
    out.months = static_cast<int32_t>(count * each);
  };
  if (unit == "year")
    months(12);
  else if (unit == "quarter")
    months(3);
  else if (unit == "month")
    months(1);
  else {
    const int64_t each = unit == "week"     ? 604800000000
                         : unit == "day"    ? 86400000000
                         : unit == "hour"   ? 3600000000
                         : unit == "minute" ? 60000000
                         : unit == "second" ? 1000000
                                            : 1000;
    if (__builtin_mul_overflow(count, each, &out.micros))
      raise(Code::kInvalidFunctionArgument, "value out of range: " + std::to_string(count));
    // whole days go where adding them to a date is cheap and exact
    const int64_t days = out.micros / 86400000000;
    if ((unit == "day" || unit == "week") && std::abs(days) < INT32_MAX) {
      out.days = static_cast<int32_t>(days);
      out.micros = 0;
    }
  }
  return out;
}

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

/// Zone named in a text, brought to one that DuckDB's timezone() takes; fixed offsets are taken off
/// the local part instead and become UTC.
std::string zone_part(const std::string& zone, View session) {
  if (zone.empty()) return fixed_offset(std::string(session)) ? "UTC" : std::string(session);
  const std::string known = canonical_zone(zone, nullptr);
  return fixed_offset(known) ? "UTC" : known;
}
int64_t without_offset(int64_t micros, const std::string& zone) {
  if (zone.empty()) return micros;
  return micros - fixed_offset(canonical_zone(zone, nullptr)).value_or(0) * 1000000;
}

std::optional<duckdb::timestamp_t> local_part(View text, bool lenient) {
  auto moment = read_moment(text);
  if (!moment) {
    if (lenient) return std::nullopt;
    raise(Code::kInvalidCastArgument,
          "Value cannot be cast to timestamp with time zone: " + std::string(text));
  }
  return duckdb::timestamp_t(without_offset(
      int64_t{moment->days} * 86400000000 + round_fraction(moment->nanos, 9, 6) / 1000,
      moment->zone));
}

}  // namespace

void register_time_kernels(duckdb::ExtensionLoader& loader) {
  using duckdb::timestamp_t;
  const auto timestamp = LogicalType::TIMESTAMP, interval = LogicalType::INTERVAL,
             time = LogicalType::TIME;
  add_kernel<View, int64_t>(loader, "meesh_interval_of", {kText, kLong}, interval, interval_of);
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
  add_kernel<View, View>(loader, "meesh_joda_local", {kText, kText}, timestamp,
                         [](View text, View pattern) {
                           const auto parsed = joda_parse(text, pattern);
                           return timestamp_t(without_offset(parsed.micros, parsed.zone));
                         });
  add_kernel<View, View, View>(loader, "meesh_joda_zone", {kText, kText, kText}, kText,
                               [](View text, View pattern, View session) {
                                 return zone_part(joda_parse(text, pattern).zone, session);
                               });
  add_kernel<View, View>(loader, "meesh_zone_part", {kText, kText}, kText,
                         [](View text, View session) {
                           auto moment = read_moment(text);
                           return moment ? zone_part(moment->zone, session) : std::string("UTC");
                         });
  add_kernel<View, bool>(loader, "meesh_local_part", {kText, kBool}, timestamp, local_part);
  add_kernel<double>(loader, "meesh_unix_micros", {kDouble}, kLong, [](double seconds) -> int64_t {
    if (!(std::abs(seconds) < 9e12))
      raise(Code::kInvalidFunctionArgument, "Timestamp out of range: " + scientific(seconds));
    return static_cast<int64_t>(std::llround(seconds * 1000)) * 1000;
  });
  add_kernel<int64_t>(loader, "meesh_offset_text", {kLong}, kText, [](int64_t seconds) {
    if (seconds == 0) return std::string("Z");
    return fmt::format("{}{:02}:{:02}", seconds < 0 ? '-' : '+', std::abs(seconds) / 3600,
                       std::abs(seconds) / 60 % 60);
  });
  add_kernel<View>(loader, "meesh_iso_date", {kText}, LogicalType::DATE, [](View text) {
    auto moment = read_moment(text.size() == 7   ? std::string(text) + "-01"
                              : text.size() == 4 ? std::string(text) + "-01-01"
                                                 : std::string(text));
    if (!moment || moment->has_time)
      raise(Code::kInvalidFunctionArgument, "Invalid format: \"" + std::string(text) + "\"");
    return duckdb::date_t(moment->days);
  });
  add_kernel<View, duckdb::dtime_t>(loader, "meesh_time_trunc", {kText, time}, time,
                                    [](View unit, duckdb::dtime_t t) {
                                      const int64_t step = unit == "hour"     ? 3600000000
                                                           : unit == "minute" ? 60000000
                                                           : unit == "second" ? 1000000
                                                                              : 1000;
                                      return duckdb::dtime_t(t.micros / step * step);
                                    });
}

const std::vector<NamedHook>& time_hooks() {
  static const std::vector<NamedHook> hooks = {
      {"trino_date_trunc", date_trunc},
      {"trino_date_add", date_add},
      {"trino_date_diff", date_diff},
      {"trino_at_timezone", at_zone},
      {"trino_at_time_zone", at_zone},
      {"trino_with_timezone", with_zone},
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
      {"trino_to_iso8601", to_iso},
  };
  return hooks;
}

}  // namespace meesh::engine
