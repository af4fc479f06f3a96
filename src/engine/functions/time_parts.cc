#include "engine/functions/time_parts.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "engine/functions/build.h"
#include "engine/functions/text.h"

namespace meesh::engine {
namespace {

constexpr int64_t kDayMicros = 86400000000;
/// Joda-Time's year where a text has a month or a day but no year: a leap year.
constexpr int64_t kYearOfDays = 2000;

void check(std::string_view text, const char* field, int64_t value, int64_t least, int64_t most) {
  if (value >= least && value <= most) return;
  raise(Code::kInvalidFunctionArgument,
        fmt::format("Cannot parse \"{}\": Value {} for {} must be in the range [{},{}]", text,
                    value, field, least, most));
}

int year_days(int64_t year) { return month_days(year, 2) + 337; }

/// The day of the week that `day` is in, by its number from Monday = 1.
int64_t in_week(int64_t day, int day_of_week) {
  const int64_t since_monday = ((day + 3) % 7 + 7) % 7;  // 1970-01-01 was a Thursday
  return day - since_monday + day_of_week - 1;
}

int64_t day_of(const TimeParts& parts, std::string_view text) {
  const bool dated = parts.month || parts.day || parts.day_of_year || parts.day_of_week;
  const int64_t year = parts.year.value_or(dated ? kYearOfDays : 1970);
  if (parts.month) check(text, "monthOfYear", *parts.month, 1, 12);
  const int month = parts.month.value_or(1);
  if (parts.day) check(text, "dayOfMonth", *parts.day, 1, month_days(year, month));
  if (parts.day_of_year) {
    check(text, "dayOfYear", *parts.day_of_year, 1, year_days(year));
    return days_of(year, 1, 1) + *parts.day_of_year - 1;
  }
  const int64_t day = days_of(year, month, parts.day.value_or(1));
  if (!parts.day_of_week) return day;
  check(text, "dayOfWeek", *parts.day_of_week, 1, 7);
  // Joda-Time goes over the fields a second time, now without setting the smaller ones back.
  int64_t moved_year = 0;
  int moved_month = 0, moved_day = 0;
  civil_of(in_week(day, *parts.day_of_week), moved_year, moved_month, moved_day);
  moved_day = std::min(moved_day, month_days(year, moved_month));
  if (parts.month) moved_month = *parts.month;
  moved_day = parts.day.value_or(std::min(moved_day, month_days(year, moved_month)));
  return in_week(days_of(year, moved_month, moved_day), *parts.day_of_week);
}

int hour_of(const TimeParts& parts, std::string_view text) {
  const bool half = parts.clock_hour || parts.half >= 0;
  check(text, half ? "clockhourOfHalfday" : "hourOfDay", parts.hour, half ? 1 : 0, half ? 12 : 23);
  return half ? parts.hour % 12 + (parts.half == 1 ? 12 : 0) : parts.hour;
}

}  // namespace

int64_t micros_of(const TimeParts& parts, std::string_view text) {
  const int64_t day = day_of(parts, text), hour = hour_of(parts, text);
  check(text, "minuteOfHour", parts.minute, 0, 59);
  check(text, "secondOfMinute", parts.second, 0, 59);
  return day * kDayMicros + ((hour * 60 + parts.minute) * 60 + parts.second) * 1000000 +
         parts.micros;
}

std::string no_such_date(int64_t year, int month, int day) {
  static constexpr std::array<const char*, 12> kMonths = {
      "JANUARY", "FEBRUARY", "MARCH",     "APRIL",   "MAY",      "JUNE",
      "JULY",    "AUGUST",   "SEPTEMBER", "OCTOBER", "NOVEMBER", "DECEMBER"};
  if (month < 1 || month > 12)
    return fmt::format("Invalid value for MonthOfYear (valid values 1 - 12): {}", month);
  if (day < 1 || day > 31)
    return fmt::format("Invalid value for DayOfMonth (valid values 1 - 28/31): {}", day);
  if (day == 29) return fmt::format("Invalid date 'February 29' as '{}' is not a leap year", year);
  return fmt::format("Invalid date '{} {}'", kMonths[static_cast<size_t>(month - 1)], day);
}

}  // namespace meesh::engine
