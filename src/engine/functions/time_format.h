// Dates as text by pattern: MySQL's specifiers (date_format, date_parse) and Joda's letters
// (format_datetime, parse_datetime).
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace meesh::engine {

/// A local time taken apart.
struct Fields {
  explicit Fields(int64_t micros);
  int64_t days = 0, year = 0;
  int month = 1, day = 1, hour = 0, minute = 0, second = 0, micros = 0;
  int day_of_week() const;  // 1 = Monday
  int day_of_year() const;
  void iso_week(int64_t& year, int& week) const;
};

/// µs of a local time, and the zone when the text named one.
struct ParsedTime {
  int64_t micros = 0;
  std::string zone;
};

std::string mysql_format(int64_t micros, std::string_view pattern);
/// Throws INVALID_FUNCTION_ARGUMENT when text and pattern do not fit.
int64_t mysql_parse(std::string_view text, std::string_view pattern);
/// `zone` and its offset in seconds serve Z and z.
std::string joda_format(int64_t micros, std::string_view pattern, std::string_view zone,
                        int64_t offset);
ParsedTime joda_parse(std::string_view text, std::string_view pattern);

}  // namespace meesh::engine
