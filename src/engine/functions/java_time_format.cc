#include "engine/functions/java_time_format.h"

#include <fmt/format.h>

#include "engine/functions/build.h"
#include "engine/functions/text.h"
#include "engine/functions/time_format.h"

namespace meesh::engine {
namespace {

using duckdb::LogicalTypeId;
using std::string_view;

constexpr int64_t kSecond = 1000000;

string_view day_name(const Fields& f) {
  static constexpr string_view kDays[] = {"Monday", "Tuesday",  "Wednesday", "Thursday",
                                          "Friday", "Saturday", "Sunday"};
  return kDays[f.day_of_week() - 1];
}

string_view month_name(const Fields& f) {
  static constexpr string_view kMonths[] = {"January",   "February", "March",    "April",
                                            "May",       "June",     "July",     "August",
                                            "September", "October",  "November", "December"};
  return kMonths[f.month - 1];
}

std::string digits(int64_t value, int width) { return fmt::format("{:0{}}", value, width); }

std::string offset_text(int64_t offset, const char* between) {
  const int64_t minutes = std::abs(offset) / 60;
  return fmt::format("{}{:02}{}{:02}", offset < 0 ? '-' : '+', minutes / 60, between, minutes % 60);
}

/// java.time's words for a field that the class does not have.
[[noreturn]] void unsupported(const char* field) {
  raise(Code::kGenericInternalError, std::string("Unsupported field: ") + field);
}

}  // namespace

std::optional<JavaTime> JavaTime::of(const duckdb::Value& value) {
  JavaTime out;
  switch (value.type().id()) {
    case LogicalTypeId::DATE:
      out.micros = int64_t{value.GetValue<duckdb::date_t>().days} * 86400 * kSecond;
      return out;
    case LogicalTypeId::TIME:
      out.kind = Kind::kTime;
      out.micros = value.GetValue<duckdb::dtime_t>().micros;
      return out;
    case LogicalTypeId::TIMESTAMP:
      out.kind = Kind::kDateTime;
      out.micros = value.GetValue<duckdb::timestamp_t>().value;
      return out;
    case LogicalTypeId::TIMESTAMP_NS: {
      out.kind = Kind::kDateTime;
      const int64_t nanos = value.GetValueUnsafe<int64_t>();
      out.nanos = static_cast<int>((nanos % 1000 + 1000) % 1000);
      out.micros = (nanos - out.nanos) / 1000;
      return out;
    }
    case LogicalTypeId::STRUCT: {
      const auto& parts = duckdb::StructValue::GetChildren(value);
      out.kind = Kind::kZoned;
      out.micros = parts[0].GetValue<duckdb::timestamp_t>().value;
      out.zone = parts[1].ToString();
      out.offset = parts[2].GetValue<int64_t>();
      return out;
    }
    default:
      return std::nullopt;
  }
}

const char* JavaTime::java_class() const {
  switch (kind) {
    case Kind::kDate:
      return "java.time.LocalDate";
    case Kind::kTime:
      return "java.time.LocalTime";
    case Kind::kDateTime:
      return "java.time.LocalDateTime";
    default:
      return "java.time.ZonedDateTime";
  }
}

std::string JavaTime::text() const {
  std::string whole = timestamp_text(micros, 6, 0, 'T');
  const size_t date = whole.find('T');
  if (kind == Kind::kDate) return whole.substr(0, date);
  const Fields f(micros);
  const int64_t fraction = int64_t{f.micros} * 1000 + nanos;
  if (fraction % 1000 != 0) {
    whole += fmt::format(".{:09}", fraction);
  } else if (fraction % 1000000 != 0) {
    whole += fmt::format(".{:06}", fraction / 1000);
  } else if (fraction != 0) {
    whole += fmt::format(".{:03}", fraction / 1000000);
  } else if (f.second == 0) {
    whole.resize(whole.size() - 3);
  }
  if (kind == Kind::kTime) return whole.substr(date + 1);
  if (kind == Kind::kDateTime) return whole;
  whole += offset == 0 ? "Z" : offset_text(offset, ":");
  const bool is_offset = zone.starts_with('+') || zone.starts_with('-');
  return is_offset ? whole : whole + "[" + zone + "]";
}

std::string JavaTime::all(const char* letters, char between) const {
  std::string out;
  for (const char* letter = letters; *letter; ++letter) {
    if (letter != letters) out += between;
    out += *converted(*letter);
  }
  return out;
}

std::optional<std::string> JavaTime::of_clock(char letter) const {
  const Fields f(micros);
  const int hour12 = f.hour % 12 == 0 ? 12 : f.hour % 12;
  switch (letter) {
    case 'H':
      return digits(f.hour, 2);
    case 'I':
      return digits(hour12, 2);
    case 'k':
      return std::to_string(f.hour);
    case 'l':
      return std::to_string(hour12);
    case 'M':
      return digits(f.minute, 2);
    case 'S':
      return digits(f.second, 2);
    case 'L':
      return digits(f.micros / 1000, 3);
    case 'N':
      return digits(int64_t{f.micros} * 1000 + nanos, 9);
    case 'p':
      return f.hour < 12 ? "am" : "pm";
    case 'R':
      return all("HM", ':');
    case 'T':
      return all("HMS", ':');
    case 'r':
      return all("IMS", ':') + (f.hour < 12 ? " AM" : " PM");
    default:
      return std::nullopt;
  }
}

std::optional<std::string> JavaTime::of_date(char letter) const {
  const Fields f(micros);
  switch (letter) {
    case 'B':
      return std::string(month_name(f));
    case 'b':
    case 'h':
      return std::string(month_name(f).substr(0, 3));
    case 'A':
      return std::string(day_name(f));
    case 'a':
      return std::string(day_name(f).substr(0, 3));
    case 'C':
      return digits(f.year / 100, 2);
    case 'Y':
      return digits(f.year, 4);
    case 'y':
      return digits(f.year % 100, 2);
    case 'j':
      return digits(f.day_of_year(), 3);
    case 'm':
      return digits(f.month, 2);
    case 'd':
      return digits(f.day, 2);
    case 'e':
      return std::to_string(f.day);
    case 'D':
      return all("mdy", '/');
    case 'F':
      return all("Ymd", '-');
    default:
      return std::nullopt;
  }
}

std::optional<std::string> JavaTime::of_instant(char letter) const {
  const int64_t utc = micros - offset * kSecond;
  const int64_t millis = (utc - (utc % 1000 + 1000) % 1000) / 1000;
  switch (letter) {
    case 'z':
      return offset_text(offset, "");
    case 'Z':
      return zone;
    case 's':
      return std::to_string((millis - (millis % 1000 + 1000) % 1000) / 1000);
    case 'Q':
      return std::to_string(millis);
    case 'c':
      return all("abdTZY", ' ');
    default:
      return std::nullopt;
  }
}

std::optional<std::string> JavaTime::converted(char letter) const {
  if (auto out = of_clock(letter)) {
    if (kind == Kind::kDate)
      unsupported(letter == 'M'                    ? "MinuteOfHour"
                  : letter == 'S'                  ? "SecondOfMinute"
                  : letter == 'L'                  ? "MilliOfSecond"
                  : letter == 'N'                  ? "NanoOfSecond"
                  : letter == 'I' || letter == 'l' ? "ClockHourOfAmPm"
                  : letter == 'p'                  ? "AmPmOfDay"
                                                   : "HourOfDay");
    return out;
  }
  if (auto out = of_date(letter)) {
    if (kind == Kind::kTime)
      unsupported(letter == 'A' || letter == 'a'   ? "DayOfWeek"
                  : letter == 'd' || letter == 'e' ? "DayOfMonth"
                  : letter == 'j'                  ? "DayOfYear"
                  : letter == 'C' || letter == 'Y' || letter == 'y' || letter == 'F'
                      ? "YearOfEra"
                      : "MonthOfYear");
    return out;
  }
  auto out = of_instant(letter);
  if (out && kind != Kind::kZoned)
    unsupported(letter == 'z' || letter == 'Z' ? "OffsetSeconds" : "InstantSeconds");
  return out;
}

}  // namespace meesh::engine
