#include "sql/resolve_literals.h"

#include <fmt/format.h>

#include <array>
#include <cctype>
#include <optional>

#include "base/calendar.h"
#include "base/time_zone.h"
#include "sql/scope.h"

namespace meesh::sql {
namespace {

bool digit(char c) { return c >= '0' && c <= '9'; }

std::string_view trim(std::string_view text) {
  while (!text.empty() && std::isspace(static_cast<unsigned char>(text.front())))
    text.remove_prefix(1);
  while (!text.empty() && std::isspace(static_cast<unsigned char>(text.back())))
    text.remove_suffix(1);
  return text;
}

/// Takes digits off the front; nullopt if there are none or more than `max`.
std::optional<int> take_number(std::string_view& text, size_t max) {
  size_t n = 0;
  int value = 0;
  while (n < text.size() && digit(text[n]) && n < max) value = value * 10 + (text[n++] - '0');
  if (n == 0) return std::nullopt;
  text.remove_prefix(n);
  return value;
}

bool take(std::string_view& text, char c) {
  if (text.empty() || text.front() != c) return false;
  text.remove_prefix(1);
  return true;
}

int days_in_month(int year, int month) {
  constexpr std::array<int, 12> kDays = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  const bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
  return month == 2 && leap ? 29 : kDays[static_cast<size_t>(month - 1)];
}

bool take_date(std::string_view& text) {
  if (!take(text, '-')) take(text, '+');
  const auto year = take_number(text, 6);
  if (!year || !take(text, '-')) return false;
  const auto month = take_number(text, 2);
  if (!month || *month < 1 || *month > 12 || !take(text, '-')) return false;
  const auto day = take_number(text, 2);
  return day && *day >= 1 && *day <= days_in_month(*year, *month);
}

/// hh:mm[:ss[.fraction]]; tells the digits of the fraction.
std::optional<int> take_time(std::string_view& text) {
  const auto hour = take_number(text, 2);
  if (!hour || *hour > 23 || !take(text, ':')) return std::nullopt;
  const auto minute = take_number(text, 2);
  if (!minute || *minute > 59) return std::nullopt;
  if (!take(text, ':')) return 0;
  const auto second = take_number(text, 2);
  if (!second || *second > 59) return std::nullopt;
  if (!take(text, '.')) return 0;
  int digits = 0;
  while (!text.empty() && digit(text.front())) {
    text.remove_prefix(1);
    ++digits;
  }
  return digits;
}

/// Seconds since the epoch of a checked "yyyy-mm-dd hh:mm[:ss]", as if in UTC.
std::optional<int64_t> local_seconds(std::string_view text) {
  const bool before_christ = take(text, '-');
  if (!before_christ) take(text, '+');
  const auto part = [&text](char before) -> int64_t {
    if (before != ' ' && !take(text, before)) return 0;
    text = trim(text);
    return take_number(text, 6).value_or(0);
  };
  const int64_t year = part(' '), month = part('-'), day = part('-');
  if (month == 0 || day == 0) return std::nullopt;
  const int64_t hour = part(' '), minute = part(':'), second = part(':');
  const int64_t days = days_from_civil(before_christ ? -year : year, static_cast<unsigned>(month),
                                       static_cast<unsigned>(day));
  return ((days * 24 + hour) * 60 + minute) * 60 + second;
}

[[noreturn]] void invalid(const TypedLiteral& literal, std::string_view type) {
  fail(Code::kInvalidLiteral, literal.pos,
       fmt::format("'{}' is not a valid {} literal", literal.value, type));
}

bool is_offset(std::string_view zone) { return zone.starts_with('+') || zone.starts_with('-'); }

/// A zone there is, and a time that its clocks show.
void check_zone(const TypedLiteral& literal, std::string_view name) {
  const auto zone = TimeZone::find(name);
  if (!zone && is_offset(name))
    fail(Code::kNotSupported, literal.pos, fmt::format("Time zone not supported: {}", name));
  // Java knows these three as short names only, and Trino not at all.
  if (!zone || name == "EST" || name == "MST" || name == "HST") invalid(literal, "TIMESTAMP");
  if (is_offset(zone->id()) || zone->id() == "UTC") return;
  const auto local = local_seconds(trim(literal.value));
  bool leapt = false;
  if (local) zone->utc_of(*local, &leapt);
  if (leapt) invalid(literal, "TIMESTAMP");
}

Type datetime(const TypedLiteral& literal, int digits, std::string_view rest, TypeKind plain,
              TypeKind zoned) {
  if (digits > 12) {
    fail(Code::kNumericValueOutOfRange, literal.pos,
         fmt::format("{} precision must be in range [0, 12]: {}",
                     plain == TypeKind::kTime ? "TIME" : "TIMESTAMP", digits));
  }
  return Type::of(trim(rest).empty() ? plain : zoned, digits);
}

}  // namespace

Type type_of_decimal(std::string_view text, Position pos) {
  std::string_view digits = text;
  if (!digits.empty() && (digits.front() == '-' || digits.front() == '+')) digits.remove_prefix(1);
  const size_t dot = digits.find('.');
  std::string_view whole = digits.substr(0, dot);
  const std::string_view fraction =
      dot == std::string_view::npos ? std::string_view() : digits.substr(dot + 1);
  bool any = !whole.empty() || !fraction.empty();
  for (char c : whole) any = any && digit(c);
  for (char c : fraction) any = any && digit(c);
  if (!any)
    fail(Code::kInvalidLiteral, pos, fmt::format("'{}' is not a valid DECIMAL literal", text));
  while (!whole.empty() && whole.front() == '0') whole.remove_prefix(1);
  const size_t precision = std::max<size_t>(1, whole.size() + fraction.size());
  if (precision > 38)
    fail(Code::kInvalidLiteral, pos, fmt::format("Invalid DECIMAL literal: {}", text));
  return Type::decimal(static_cast<int32_t>(precision), static_cast<int32_t>(fraction.size()));
}

Type type_of_literal(const TypedLiteral& literal) {
  const std::string name = lower(literal.type);
  std::string_view text = trim(literal.value);
  if (name == "date") {
    if (!take_date(text) || !text.empty()) invalid(literal, "DATE");
    return Type::of(TypeKind::kDate);
  }
  if (name == "timestamp") {
    if (!take_date(text)) invalid(literal, "TIMESTAMP");
    int digits = 0;
    if (!text.empty() && text.front() != ' ') invalid(literal, "TIMESTAMP");
    if (!text.empty()) {
      const std::string_view after = trim(text);
      if (!after.empty() && digit(after.front())) {
        text = after;
        const auto taken = take_time(text);
        if (!taken) invalid(literal, "TIMESTAMP");
        digits = *taken;
      }
    }
    if (!trim(text).empty()) check_zone(literal, trim(text));
    return datetime(literal, digits, text, TypeKind::kTimestamp, TypeKind::kTimestampTz);
  }
  if (name == "time") {
    const auto digits = take_time(text);
    if (!digits || !(trim(text).empty() || is_offset(trim(text)))) invalid(literal, "TIME");
    return datetime(literal, *digits, text, TypeKind::kTime, TypeKind::kTimeTz);
  }
  if (name == "decimal" || name == "dec" || name == "numeric")
    return type_of_decimal(text, literal.pos);
  if (name == "double precision") return Type::of(TypeKind::kDouble);
  if (name == "char") {
    int32_t length = 0;
    for (char c : literal.value) length += (static_cast<unsigned char>(c) & 0xC0) != 0x80;
    return Type::of(TypeKind::kChar, length);
  }
  try {
    return Type::parse(name);
  } catch (const Error&) {
    throw Error(Code::kTypeNotFound,
                fmt::format("io.trino.spi.TrinoException: line {}:{}: Unknown resolvedType: {}",
                            literal.pos.line, literal.pos.column, upper(literal.type)));
  }
}

// ---------------------------------------------------------------- intervals

namespace {

struct Unit {
  std::string_view name;
  int64_t micros;
  int64_t below;  // how many make one of the unit before
};
constexpr int64_t kSecond = 1'000'000;
constexpr std::array<Unit, 4> kUnits = {{{"day", 86'400 * kSecond, 0},
                                         {"hour", 3'600 * kSecond, 24},
                                         {"minute", 60 * kSecond, 60},
                                         {"second", kSecond, 60}}};

[[noreturn]] void invalid(const IntervalLiteral& literal) {
  if (literal.to.empty())
    fail(Code::kInvalidLiteral, literal.pos,
         fmt::format("Invalid INTERVAL {} value: {}", upper(literal.from), literal.value));
  fail(Code::kInvalidLiteral, literal.pos,
       fmt::format("'{}' is not a valid INTERVAL literal", literal.value));
}

std::optional<int64_t> take_long(std::string_view& text) {
  size_t n = 0;
  int64_t value = 0;
  while (n < text.size() && digit(text[n])) {
    if (n >= 18) return std::nullopt;
    value = value * 10 + (text[n++] - '0');
  }
  if (n == 0) return std::nullopt;
  text.remove_prefix(n);
  return value;
}

size_t unit_index(std::string_view name, const IntervalLiteral& literal) {
  for (size_t i = 0; i < kUnits.size(); ++i)
    if (kUnits[i].name == name) return i;
  invalid(literal);
}

int64_t scaled(int64_t value, int64_t by, const IntervalLiteral& literal) {
  int64_t out = 0;
  if (__builtin_mul_overflow(value, by, &out)) invalid(literal);
  return out;
}

}  // namespace

int64_t interval_micros(const IntervalLiteral& literal) {
  std::string_view text = trim(literal.value);
  bool negative = literal.negative;
  if (take(text, '-'))
    negative = !negative;
  else
    take(text, '+');
  const size_t first = unit_index(literal.from, literal);
  const size_t last = literal.to.empty() ? first : unit_index(literal.to, literal);
  if (last < first) invalid(literal);
  int64_t total = 0;
  for (size_t i = first; i <= last; ++i) {
    if (i > first && !take(text, i == 1 ? ' ' : ':')) invalid(literal);
    const auto value = take_long(text);
    if (!value || (i > first && *value >= kUnits[i].below)) invalid(literal);
    if (__builtin_add_overflow(total, scaled(*value, kUnits[i].micros, literal), &total))
      invalid(literal);
  }
  if (kUnits[last].name == "second" && take(text, '.')) {
    int64_t unit = kSecond;
    while (!text.empty() && digit(text.front())) {
      unit /= 10;
      total += unit * (text.front() - '0');
      text.remove_prefix(1);
    }
  }
  if (!text.empty()) invalid(literal);
  return negative ? -total : total;
}

int32_t interval_months(const IntervalLiteral& literal) {
  if (!literal.to.empty() && literal.to != "month" && literal.to != "year")
    fail(Code::kInvalidLiteral, literal.pos,
         fmt::format("Invalid interval qualifier: {} TO {}", upper(literal.from),
                     upper(literal.to)));
  std::string_view text = trim(literal.value);
  bool negative = literal.negative;
  if (take(text, '-'))
    negative = !negative;
  else
    take(text, '+');
  const auto first = take_number(text, 8);
  if (!first) invalid(literal);
  int64_t months = *first;
  if (literal.from == "year") months *= 12;
  if (literal.from == "year" && literal.to == "month") {
    if (!take(text, '-')) invalid(literal);
    const auto rest = take_number(text, 2);
    if (!rest) invalid(literal);
    months += *rest;
  }
  if (!text.empty()) invalid(literal);
  return static_cast<int32_t>(negative ? -months : months);
}

}  // namespace meesh::sql
