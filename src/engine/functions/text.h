// Values as Trino writes and reads them as text.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace meesh::engine {

/// Java's digits in scientific notation: "1.0E0", "-2.5E-3", "Infinity", "NaN".
std::string scientific(double value);
std::string scientific(float value);
/// As Java writes a double: decimal notation from a thousandth to ten millions, "1.0", "1.0E7".
std::string java_double(double value);
std::string java_real(float value);
/// Accepts what Java's parseDouble does, spaces trimmed.
std::optional<double> read_double(std::string_view text);

/// A date with optional time and zone, as written.
struct Moment {
  int32_t days = 0;   // since 1970-01-01
  int64_t nanos = 0;  // of the day
  int64_t picos = 0;  // of the day, the same time to twelve digits
  int digits = 0;     // of the fraction as written
  bool has_time = false;
  std::string zone;  // "" = none written
};
std::optional<Moment> read_moment(std::string_view text);
/// hh:mm[:ss[.fff]]; zone after it is kept in `zone`.
std::optional<Moment> read_clock(std::string_view text);

/// Rounds half up to p digits of a second; `unit` is 6 for µs, 9 for ns.
int64_t round_fraction(int64_t value, int unit, int precision);
std::string clock_text(int64_t micros_of_day, int precision);
/// "2020-01-01 00:00:00.123"; value in `unit` digits since the epoch.
std::string timestamp_text(int64_t value, int unit, int precision, char separator = ' ');
/// "1 02:03:04.005", "-0 00:00:01.000".
std::string day_time_text(int32_t days, int64_t micros);
std::string year_month_text(int32_t months);  // "1-2"

/// First n code points; the whole text when it has no more.
std::string_view first_points(std::string_view text, size_t n);
size_t count_points(std::string_view text);
std::string padded(std::string_view text, size_t n);  // with spaces to n code points

/// Civil calendar, proleptic Gregorian.
int32_t days_of(int64_t year, int month, int day);
void civil_of(int64_t days, int64_t& year, int& month, int& day);
int month_days(int64_t year, int month);

/// Valid JSON without spaces, members sorted by key: JSON that is equal is the same text then.
/// nullopt when it nests deeper than a thousand levels.
std::optional<std::string> canonical_json(std::string_view text);

}  // namespace meesh::engine
