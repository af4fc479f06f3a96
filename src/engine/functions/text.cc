#include "engine/functions/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>

namespace meesh::engine {
namespace {

template <class T>
std::string scientific_of(T value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value < 0 ? "-Infinity" : "Infinity";
  if (value == 0) return std::signbit(value) ? "-0.0E0" : "0.0E0";
  char buffer[64];
  auto end =
      std::to_chars(buffer, buffer + sizeof buffer, value, std::chars_format::scientific).ptr;
  std::string_view text(buffer, static_cast<size_t>(end - buffer));
  const auto e = text.find('e');
  std::string out(text.substr(0, e));
  if (out.find('.') == std::string::npos) out += ".0";
  int exponent = 0;
  auto power = text.substr(e + 1);
  if (power[0] == '+') power.remove_prefix(1);
  std::from_chars(power.data(), power.data() + power.size(), exponent);
  return out + "E" + std::to_string(exponent);
}

template <class T>
std::string java_notation(T value) {
  const T size = std::abs(value);
  if (size != 0 && !(size >= T(1e-3) && size < T(1e7))) return scientific_of(value);
  const std::string text = fmt::format("{}", value);
  return text.find('.') == std::string::npos ? text + ".0" : text;
}

/// Java's hexadecimal notation without its sign: 0x1.8p3.
bool is_hexadecimal(std::string_view text) {
  if (!text.starts_with("0x") && !text.starts_with("0X")) return false;
  const auto power = text.find_first_of("pP");
  if (power == std::string_view::npos) return false;
  auto digits = text.substr(2, power - 2), exponent = text.substr(power + 1);
  const bool sign = exponent.starts_with('+') || exponent.starts_with('-');
  exponent.remove_prefix(sign ? 1 : 0);
  return digits.find_first_of("0123456789abcdefABCDEF") != std::string_view::npos &&
         digits.find_first_not_of("0123456789abcdefABCDEF.") == std::string_view::npos &&
         std::count(digits.begin(), digits.end(), '.') <= 1 && !exponent.empty() &&
         exponent.find_first_not_of("0123456789") == std::string_view::npos;
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && static_cast<unsigned char>(text.front()) <= ' ') text.remove_prefix(1);
  while (!text.empty() && static_cast<unsigned char>(text.back()) <= ' ') text.remove_suffix(1);
  return text;
}

/// Reads least..most digits; false leaves `text` undefined.
bool digits(std::string_view& text, size_t least, size_t most, int64_t& out) {
  size_t n = 0;
  out = 0;
  while (n < text.size() && n < most && text[n] >= '0' && text[n] <= '9')
    out = out * 10 + (text[n++] - '0');
  text.remove_prefix(n);
  return n >= least;
}

bool literal(std::string_view& text, char c) {
  if (text.empty() || text[0] != c) return false;
  text.remove_prefix(1);
  return true;
}

bool clock_part(std::string_view& text, Moment& out) {
  int64_t hour = 0, minute = 0, second = 0, fraction = 0, picos = 0;
  if (!digits(text, 1, 2, hour) || !literal(text, ':') || !digits(text, 1, 2, minute)) return false;
  if (literal(text, ':')) {
    if (!digits(text, 1, 2, second)) return false;
    if (literal(text, '.')) {
      const size_t before = text.size();
      if (!digits(text, 1, 12, fraction)) return false;
      out.digits = static_cast<int>(before - text.size());
      picos = fraction;
      for (int i = out.digits; i < 12; ++i) picos *= 10;
      if (!text.empty() && text[0] >= '5' && text[0] <= '9') ++picos;
      while (!text.empty() && text[0] >= '0' && text[0] <= '9') {
        text.remove_prefix(1);
        ++out.digits;
      }
      out.digits = std::min(out.digits, 12);
      for (int i = out.digits; i < 9; ++i) fraction *= 10;
      for (int i = 9; i < out.digits; ++i)
        fraction = i + 1 == out.digits ? (fraction + 5) / 10 : fraction / 10;
    }
  }
  if (hour > 23 || minute > 59 || second > 59) return false;
  const int64_t seconds = (hour * 60 + minute) * 60 + second;
  out.nanos = seconds * 1000000000 + fraction;
  out.picos = seconds * 1000000000000 + picos;
  out.has_time = true;
  return true;
}

}  // namespace

std::string scientific(double value) { return scientific_of(value); }
std::string scientific(float value) { return scientific_of(value); }

std::string java_double(double value) { return java_notation(value); }
std::string java_real(float value) { return java_notation(value); }

std::optional<double> read_double(std::string_view text) {
  text = trimmed(text);
  if (!text.empty() && text[0] == '+' && text.size() > 1 && text[1] != '-') text.remove_prefix(1);
  if (text == "NaN") return std::nan("");
  if (text == "Infinity") return INFINITY;
  if (text == "-Infinity") return -INFINITY;
  if (!text.empty() &&
      (text.back() == 'd' || text.back() == 'f' || text.back() == 'D' || text.back() == 'F'))
    text.remove_suffix(1);
  if (is_hexadecimal(text.starts_with('-') ? text.substr(1) : text))
    return std::strtod(std::string(text).c_str(), nullptr);
  for (char c : text) {
    if (!((c >= '0' && c <= '9') || c == '.' || c == 'e' || c == 'E' || c == '+' || c == '-'))
      return std::nullopt;
  }
  double out = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  if (end != text.data() + text.size() || text.empty()) return std::nullopt;
  if (error == std::errc::result_out_of_range)
    return std::strtod(std::string(text).c_str(), nullptr);
  if (error != std::errc()) return std::nullopt;
  return out;
}

int32_t days_of(int64_t year, int month, int day) {
  const int64_t y = year - (month <= 2);
  const int64_t era = (y >= 0 ? y : y - 399) / 400;
  const int64_t of_era = y - era * 400;
  const int64_t of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
  const int64_t day_of_era = of_era * 365 + of_era / 4 - of_era / 100 + of_year;
  return static_cast<int32_t>(era * 146097 + day_of_era - 719468);
}

void civil_of(int64_t days, int64_t& year, int& month, int& day) {
  const int64_t z = days + 719468;
  const int64_t era = (z >= 0 ? z : z - 146096) / 146097;
  const int64_t doe = z - era * 146097;
  const int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
  const int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
  const int64_t mp = (5 * doy + 2) / 153;
  day = static_cast<int>(doy - (153 * mp + 2) / 5 + 1);
  month = static_cast<int>(mp < 10 ? mp + 3 : mp - 9);
  year = yoe + era * 400 + (month <= 2);
}

int month_days(int64_t year, int month) {
  static constexpr int kDays[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  const bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
  return month == 2 && leap ? 29 : kDays[month - 1];
}

std::optional<Moment> read_moment(std::string_view text) {
  text = trimmed(text);
  bool negative = false;
  if (!text.empty() && (text[0] == '-' || text[0] == '+')) {
    negative = text[0] == '-';
    text.remove_prefix(1);
  }
  Moment out;
  int64_t year = 0, month = 0, day = 0;
  if (!digits(text, 4, 6, year) || !literal(text, '-') || !digits(text, 1, 2, month) ||
      !literal(text, '-') || !digits(text, 1, 2, day)) {
    return std::nullopt;
  }
  if (negative) year = -year;
  if (month < 1 || month > 12 || day < 1 || day > month_days(year, static_cast<int>(month)))
    return std::nullopt;
  out.days = days_of(year, static_cast<int>(month), static_cast<int>(day));
  if (text.empty()) return out;
  if (!literal(text, ' ')) return std::nullopt;
  text = trimmed(text);
  if (!text.empty() && text[0] >= '0' && text[0] <= '9' && !clock_part(text, out))
    return std::nullopt;
  out.zone = std::string(trimmed(text));
  return out;
}

std::optional<Moment> read_clock(std::string_view text) {
  text = trimmed(text);
  Moment out;
  if (!clock_part(text, out)) return std::nullopt;
  out.zone = std::string(trimmed(text));
  return out;
}

int64_t round_fraction(int64_t value, int unit, int precision) {
  int64_t step = 1;
  for (int i = precision; i < unit; ++i) step *= 10;
  if (step == 1) return value;
  int64_t rest = value % step;
  if (rest < 0) rest += step;
  value -= rest;
  return rest * 2 >= step ? value + step : value;
}

std::string clock_text(int64_t micros, int precision) {
  const int64_t seconds = micros / 1000000;
  std::string out =
      fmt::format("{:02}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60);
  if (precision > 0) {
    std::string fraction = fmt::format("{:06}", micros % 1000000);
    fraction.resize(static_cast<size_t>(precision), '0');
    out += "." + fraction;
  }
  return out;
}

std::string timestamp_text(int64_t value, int unit, int precision, char separator) {
  const int64_t second = unit == 9 ? 1000000000 : 1000000;
  const int64_t day = 86400 * second;
  int64_t days = value / day, rest = value % day;
  if (rest < 0) {
    rest += day;
    --days;
  }
  int64_t year;
  int month, dom;
  civil_of(days, year, month, dom);
  const int64_t seconds = rest / second;
  std::string out = year < 0 || year > 9999
                        ? fmt::format("{}{:04}", year < 0 ? "-" : "+", std::abs(year))
                        : fmt::format("{:04}", year);
  out += fmt::format("-{:02}-{:02}{}{:02}:{:02}:{:02}", month, dom, separator, seconds / 3600,
                     seconds / 60 % 60, seconds % 60);
  if (precision > 0) {
    std::string fraction =
        unit == 9 ? fmt::format("{:09}", rest % second) : fmt::format("{:06}", rest % second);
    fraction.resize(static_cast<size_t>(precision), '0');
    out += "." + fraction;
  }
  return out;
}

std::string day_time_text(int32_t days, int64_t micros) {
  __int128 total = static_cast<__int128>(days) * 86400000000 + micros;
  const bool negative = total < 0;
  if (negative) total = -total;
  const int64_t millis = static_cast<int64_t>(total / 1000);
  return fmt::format("{}{} {:02}:{:02}:{:02}.{:03}", negative ? "-" : "", millis / 86400000,
                     millis / 3600000 % 24, millis / 60000 % 60, millis / 1000 % 60, millis % 1000);
}

std::string year_month_text(int32_t months) {
  const int64_t total = std::abs(static_cast<int64_t>(months));
  return fmt::format("{}{}-{}", months < 0 ? "-" : "", total / 12, total % 12);
}

std::string_view first_points(std::string_view text, size_t n) {
  size_t i = 0;
  while (i < text.size()) {
    if (n == 0) break;
    ++i;
    while (i < text.size() && (static_cast<unsigned char>(text[i]) & 0xC0) == 0x80) ++i;
    --n;
  }
  return text.substr(0, i);
}

size_t count_points(std::string_view text) {
  size_t n = 0;
  for (char c : text) n += (static_cast<unsigned char>(c) & 0xC0) != 0x80;
  return n;
}

std::string padded(std::string_view text, size_t n) {
  std::string out(first_points(text, n));
  const size_t points = count_points(out);
  if (points < n) out.append(n - points, ' ');
  return out;
}

}  // namespace meesh::engine
