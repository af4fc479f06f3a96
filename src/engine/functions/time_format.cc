#include "engine/functions/time_format.h"

#include <fmt/format.h>

#include <array>

#include "engine/functions/build.h"
#include "engine/functions/text.h"
#include "engine/functions/time_parts.h"

namespace meesh::engine {
namespace {

constexpr std::array<std::string_view, 12> kMonths = {
    "January", "February", "March",     "April",   "May",      "June",
    "July",    "August",   "September", "October", "November", "December"};
constexpr std::array<std::string_view, 7> kDays = {"Monday", "Tuesday",  "Wednesday", "Thursday",
                                                   "Friday", "Saturday", "Sunday"};
constexpr int64_t kDayMicros = 86400000000;

[[noreturn]] void bad_argument(const std::string& message) {
  raise(Code::kInvalidFunctionArgument, message);
}

bool same_letters(std::string_view a, std::string_view b) {
  if (a.size() < b.size()) return false;
  for (size_t i = 0; i < b.size(); ++i) {
    if (std::tolower(static_cast<unsigned char>(a[i])) !=
        std::tolower(static_cast<unsigned char>(b[i])))
      return false;
  }
  return true;
}

class Reader {
 public:
  Reader(std::string_view text, std::string_view whole) : rest_(text), whole_(whole) {}

  /// In Joda-Time's words: where it goes on is told only when something was read.
  [[noreturn]] void fail() const {
    std::string message = "Invalid format: \"" + std::string(whole_) + "\"";
    if (rest_.size() < whole_.size()) {
      message +=
          rest_.empty() ? " is too short" : " is malformed at \"" + std::string(rest_) + "\"";
    }
    bad_argument(message);
  }
  bool empty() const { return rest_.empty(); }
  std::string_view rest() const { return rest_; }

  int64_t number(size_t most, bool sign = false) {
    const bool negative = sign && rest_.starts_with("-");
    if (negative) rest_.remove_prefix(1);
    size_t n = 0;
    int64_t out = 0;
    while (n < most && n < rest_.size() && rest_[n] >= '0' && rest_[n] <= '9')
      out = out * 10 + (rest_[n++] - '0');
    if (n == 0) fail();
    rest_.remove_prefix(n);
    digits_ = n;
    return negative ? -out : out;
  }
  int fraction() {
    int64_t value = number(12);
    for (size_t i = digits_; i < 6; ++i) value *= 10;
    for (size_t i = 6; i < digits_; ++i) value /= 10;
    return static_cast<int>(value);
  }
  void literal(char c) {
    if (rest_.empty() || rest_[0] != c) fail();
    rest_.remove_prefix(1);
  }
  template <size_t N>
  int name(const std::array<std::string_view, N>& names) {
    for (size_t i = 0; i < N; ++i) {
      for (auto shape : {names[i], names[i].substr(0, 3)}) {
        if (same_letters(rest_, shape)) {
          rest_.remove_prefix(shape.size());
          return static_cast<int>(i) + 1;
        }
      }
    }
    fail();
  }
  int half_day() {
    for (int i : {0, 1}) {
      if (same_letters(rest_, i ? "PM" : "AM")) {
        rest_.remove_prefix(2);
        return i;
      }
    }
    fail();
  }
  std::string offset() {
    if (rest_.starts_with("Z")) {
      rest_.remove_prefix(1);
      return "UTC";
    }
    if (rest_.empty() || (rest_[0] != '+' && rest_[0] != '-')) fail();
    const char sign = rest_[0];
    rest_.remove_prefix(1);
    const int64_t hours = number(2);
    if (rest_.starts_with(":")) rest_.remove_prefix(1);
    const int64_t minutes =
        rest_.empty() || !std::isdigit(static_cast<unsigned char>(rest_[0])) ? 0 : number(2);
    return fmt::format("{}{:02}:{:02}", sign, hours, minutes);
  }
  std::string zone_name() {
    size_t n = 0;
    while (n < rest_.size() &&
           (std::isalnum(static_cast<unsigned char>(rest_[n])) || std::strchr("/_+-", rest_[n])))
      ++n;
    if (n == 0) fail();
    std::string out(rest_.substr(0, n));
    rest_.remove_prefix(n);
    return out;
  }

 private:
  std::string_view rest_, whole_;
  size_t digits_ = 0;
};

int64_t floor_millis(int64_t micros) { return micros - (micros % 1000 + 1000) % 1000; }

std::string padded_number(int64_t value, size_t width) {
  return fmt::format("{:0{}}", value, width);
}

}  // namespace

Fields::Fields(int64_t value) {
  days = value / kDayMicros;
  int64_t rest = value % kDayMicros;
  if (rest < 0) {
    rest += kDayMicros;
    --days;
  }
  civil_of(days, year, month, day);
  hour = static_cast<int>(rest / 3600000000);
  minute = static_cast<int>(rest / 60000000 % 60);
  second = static_cast<int>(rest / 1000000 % 60);
  micros = static_cast<int>(rest % 1000000);
}
int Fields::day_of_week() const {
  const int64_t shifted = (days + 3) % 7;  // 1970-01-01 was a Thursday
  return static_cast<int>(shifted < 0 ? shifted + 7 : shifted) + 1;
}
int Fields::day_of_year() const { return static_cast<int>(days - days_of(year, 1, 1)) + 1; }
void Fields::iso_week(int64_t& week_year, int& week) const {
  const int64_t thursday = days - day_of_week() + 4;
  int month_of, day_of;
  civil_of(thursday, week_year, month_of, day_of);
  week = static_cast<int>((thursday - days_of(week_year, 1, 1)) / 7) + 1;
}

std::string mysql_format(int64_t micros, std::string_view pattern) {
  if (pattern.empty()) bad_argument("Both printing and parsing not supported");
  // Joda-Time keeps milliseconds.
  const Fields f(floor_millis(micros + 500));
  int64_t week_year;
  int week;
  f.iso_week(week_year, week);
  const int hour12 = f.hour % 12 == 0 ? 12 : f.hour % 12;
  std::string out;
  for (size_t i = 0; i < pattern.size(); ++i) {
    if (pattern[i] != '%' || i + 1 == pattern.size()) {
      out += pattern[i];
      continue;
    }
    switch (pattern[++i]) {
      case 'a':
        out += kDays[static_cast<size_t>(f.day_of_week() - 1)].substr(0, 3);
        break;
      case 'b':
        out += kMonths[static_cast<size_t>(f.month - 1)].substr(0, 3);
        break;
      case 'c':
        out += std::to_string(f.month);
        break;
      case 'd':
        out += padded_number(f.day, 2);
        break;
      case 'e':
        out += std::to_string(f.day);
        break;
      case 'f':
        out += padded_number(f.micros, 6);
        break;
      case 'H':
        out += padded_number(f.hour, 2);
        break;
      case 'h':
      case 'I':
        out += padded_number(hour12, 2);
        break;
      case 'i':
        out += padded_number(f.minute, 2);
        break;
      case 'j':
        out += padded_number(f.day_of_year(), 3);
        break;
      case 'k':
        out += std::to_string(f.hour);
        break;
      case 'l':
        out += std::to_string(hour12);
        break;
      case 'M':
        out += kMonths[static_cast<size_t>(f.month - 1)];
        break;
      case 'm':
        out += padded_number(f.month, 2);
        break;
      case 'p':
        out += f.hour < 12 ? "AM" : "PM";
        break;
      case 'r':
        out += fmt::format("{:02}:{:02}:{:02} {}", hour12, f.minute, f.second,
                           f.hour < 12 ? "AM" : "PM");
        break;
      case 'S':
      case 's':
        out += padded_number(f.second, 2);
        break;
      case 'T':
        out += fmt::format("{:02}:{:02}:{:02}", f.hour, f.minute, f.second);
        break;
      case 'v':
        out += padded_number(week, 2);
        break;
      case 'W':
        out += kDays[static_cast<size_t>(f.day_of_week() - 1)];
        break;
      case 'x':
        out += std::to_string(week_year);
        break;
      case 'Y':
        out += padded_number(f.year, 4);
        break;
      case 'y':
        out += padded_number(f.year % 100, 2);
        break;
      case 'D':
      case 'w':
      case 'U':
      case 'u':
      case 'V':
      case 'X':
        bad_argument("%" + std::string(1, pattern[i]) + " not supported in date format string");
      default:
        out += pattern[i];
    }
  }
  return out;
}

int64_t mysql_parse(std::string_view text, std::string_view pattern) {
  if (pattern.empty()) bad_argument("Both printing and parsing not supported");
  Reader in(text, text);
  TimeParts parts;
  for (size_t i = 0; i < pattern.size(); ++i) {
    if (pattern[i] != '%' || i + 1 == pattern.size()) {
      in.literal(pattern[i]);
      continue;
    }
    switch (pattern[++i]) {
      case 'a':
      case 'W':
        parts.day_of_week = in.name(kDays);
        break;
      case 'b':
      case 'M':
        parts.month = in.name(kMonths);
        break;
      case 'c':
      case 'm':
        parts.month = static_cast<int>(in.number(2));
        break;
      case 'd':
      case 'e':
        parts.day = static_cast<int>(in.number(2));
        break;
      case 'f':
        parts.micros = in.fraction();
        break;
      case 'H':
      case 'k':
        parts.hour = static_cast<int>(in.number(2));
        break;
      case 'h':
      case 'I':
      case 'l':
        parts.hour = static_cast<int>(in.number(2));
        parts.clock_hour = true;
        break;
      case 'i':
        parts.minute = static_cast<int>(in.number(2));
        break;
      case 'j':
        parts.day_of_year = static_cast<int>(in.number(3));
        break;
      case 'p':
        parts.half = in.half_day();
        break;
      case 'S':
      case 's':
        parts.second = static_cast<int>(in.number(2));
        break;
      case 'T':
        parts.hour = static_cast<int>(in.number(2));
        in.literal(':');
        parts.minute = static_cast<int>(in.number(2));
        in.literal(':');
        parts.second = static_cast<int>(in.number(2));
        break;
      case 'r':
        parts.hour = static_cast<int>(in.number(2));
        in.literal(':');
        parts.minute = static_cast<int>(in.number(2));
        in.literal(':');
        parts.second = static_cast<int>(in.number(2));
        in.literal(' ');
        parts.half = in.half_day();
        break;
      case 'Y':
        parts.year = in.number(4, true);
        break;
      case 'y': {
        const int64_t two = in.number(2);
        parts.year = two + (two < 70 ? 2000 : 1900);
        break;
      }
      case '%':
        in.literal('%');
        break;
      default:
        bad_argument("%" + std::string(1, pattern[i]) + " not supported in date format string");
    }
  }
  if (!in.empty()) in.fail();
  // Trino reads this pattern without Joda-Time.
  const bool plain = pattern == "%Y-%m-%d" && text.size() == 10;
  if (plain && (*parts.month < 1 || *parts.month > 12 || *parts.day < 1 ||
                *parts.day > month_days(*parts.year, *parts.month)))
    bad_argument(no_such_date(*parts.year, *parts.month, *parts.day));
  return micros_of(parts, text);
}

namespace {

/// Calls `letter(c, count)` for runs of pattern letters and `plain(text)` for the rest.
template <class L, class P>
void walk_joda(std::string_view pattern, L letter, P plain) {
  for (size_t i = 0; i < pattern.size();) {
    const char c = pattern[i];
    if (c == '\'') {
      if (i + 1 < pattern.size() && pattern[i + 1] == '\'') {
        plain("'");
        i += 2;
        continue;
      }
      std::string text;
      for (++i; i < pattern.size(); ++i) {
        if (pattern[i] == '\'') {
          if (i + 1 < pattern.size() && pattern[i + 1] == '\'') {
            text += pattern[i++];
            continue;
          }
          break;
        }
        text += pattern[i];
      }
      if (i == pattern.size()) bad_argument("Unterminated quote in pattern");
      ++i;
      plain(text);
    } else if (std::isalpha(static_cast<unsigned char>(c))) {
      size_t end = i;
      while (end < pattern.size() && pattern[end] == c) ++end;
      letter(c, end - i);
      i = end;
    } else {
      plain(std::string(1, c));
      ++i;
    }
  }
}

[[noreturn]] void bad_letter(char c, size_t count) {
  bad_argument("Illegal pattern component: " + std::string(count, c));
}

std::string joda_year(int64_t year, size_t count) {
  return count == 2 ? padded_number((year % 100 + 100) % 100, 2) : padded_number(year, count);
}

}  // namespace

std::string joda_format(int64_t micros, std::string_view pattern, std::string_view zone,
                        int64_t offset) {
  if (pattern.empty()) bad_argument("Invalid pattern specification: Pattern is null or empty");
  const Fields f(micros);
  int64_t week_year;
  int week;
  f.iso_week(week_year, week);
  std::string out;
  auto letter = [&](char c, size_t n) {
    switch (c) {
      case 'G':
        out += f.year > 0 ? "AD" : "BC";
        break;
      case 'C':
        out += padded_number(f.year / 100, n);
        break;
      case 'Y':
      case 'y':
        out += joda_year(f.year, n);
        break;
      case 'x':
        out += joda_year(week_year, n);
        break;
      case 'w':
        out += padded_number(week, n);
        break;
      case 'e':
        out += padded_number(f.day_of_week(), n);
        break;
      case 'E':
        out += n >= 4 ? kDays[static_cast<size_t>(f.day_of_week() - 1)]
                      : kDays[static_cast<size_t>(f.day_of_week() - 1)].substr(0, 3);
        break;
      case 'D':
        out += padded_number(f.day_of_year(), n);
        break;
      case 'M':
        if (n >= 4)
          out += kMonths[static_cast<size_t>(f.month - 1)];
        else if (n == 3)
          out += kMonths[static_cast<size_t>(f.month - 1)].substr(0, 3);
        else
          out += padded_number(f.month, n);
        break;
      case 'd':
        out += padded_number(f.day, n);
        break;
      case 'a':
        out += f.hour < 12 ? "AM" : "PM";
        break;
      case 'K':
        out += padded_number(f.hour % 12, n);
        break;
      case 'h':
        out += padded_number(f.hour % 12 == 0 ? 12 : f.hour % 12, n);
        break;
      case 'H':
        out += padded_number(f.hour, n);
        break;
      case 'k':
        out += padded_number(f.hour == 0 ? 24 : f.hour, n);
        break;
      case 'm':
        out += padded_number(f.minute, n);
        break;
      case 's':
        out += padded_number(f.second, n);
        break;
      case 'S': {
        std::string fraction = padded_number(f.micros, 6);
        fraction.resize(n, '0');
        out += fraction;
        break;
      }
      case 'Z':
      case 'z':
        if (zone.empty()) {
          bad_argument(
              "format_datetime for TIMESTAMP type, cannot use 'Z' nor 'z' in format, as this type "
              "does not contain TZ information");
        }
        if (c == 'z' || n >= 3) {
          out += zone;
        } else {
          const int64_t minutes = std::abs(offset) / 60;
          out += fmt::format("{}{:02}{}{:02}", offset < 0 ? '-' : '+', minutes / 60,
                             n == 2 ? ":" : "", minutes % 60);
        }
        break;
      default:
        bad_letter(c, n);
    }
  };
  walk_joda(pattern, letter, [&](const std::string& text) { out += text; });
  return out;
}

ParsedTime joda_parse(std::string_view text, std::string_view pattern) {
  if (pattern.empty()) bad_argument("Invalid pattern specification: Pattern is null or empty");
  Reader in(text, text);
  TimeParts parts;
  auto letter = [&](char c, size_t n) {
    switch (c) {
      case 'Y':
      case 'y':
      case 'x': {
        parts.year = in.number(n == 2 ? 2 : 9, true);
        if (n == 2) *parts.year += *parts.year < 70 ? 2000 : 1900;
        break;
      }
      case 'M':
        parts.month = n >= 3 ? in.name(kMonths) : static_cast<int>(in.number(2));
        break;
      case 'd':
        parts.day = static_cast<int>(in.number(2));
        break;
      case 'D':
        parts.day_of_year = static_cast<int>(in.number(3));
        break;
      case 'E':
        parts.day_of_week = in.name(kDays);
        break;
      case 'e':
        parts.day_of_week = static_cast<int>(in.number(1));
        break;
      case 'a':
        parts.half = in.half_day();
        break;
      case 'K':
      case 'h':
        parts.hour = static_cast<int>(in.number(2));
        if (c == 'K' && parts.hour == 0) parts.hour = 12;
        parts.clock_hour = true;
        break;
      case 'H':
        parts.hour = static_cast<int>(in.number(2));
        break;
      case 'k':
        parts.hour = static_cast<int>(in.number(2)) % 24;
        break;
      case 'm':
        parts.minute = static_cast<int>(in.number(2));
        break;
      case 's':
        parts.second = static_cast<int>(in.number(2));
        break;
      case 'S':
        parts.micros = in.fraction();
        break;
      case 'Z':
        parts.zone = n >= 3 ? in.zone_name() : in.offset();
        break;
      case 'z':
        parts.zone = in.zone_name();
        break;
      default:
        bad_letter(c, n);
    }
  };
  walk_joda(pattern, letter, [&](const std::string& plain) {
    for (char c : plain) in.literal(c);
  });
  if (!in.empty()) in.fail();
  return {micros_of(parts, text), parts.zone};
}

}  // namespace meesh::engine
