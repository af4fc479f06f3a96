#include "ingest/decode/numbers.h"

#include <array>
#include <charconv>

#include "engine/functions/text.h"
#include "lake/types_calendar.h"

namespace meesh::ingest {
namespace {

using lake::kMicrosPerDay;
using lake::kMicrosPerHour;
using lake::kMicrosPerSecond;

constexpr int kMostDigits = 38;
constexpr int64_t kFirstDay = lake::days_of({1, 1, 1});
constexpr int64_t kLastDay = lake::days_of({9999, 12, 31});

constexpr auto kPowers = [] {
  std::array<__int128, kMostDigits + 1> powers{};
  powers[0] = 1;
  for (size_t i = 1; i < powers.size(); ++i) powers[i] = powers[i - 1] * 10;
  return powers;
}();

bool is_digit(char c) { return c >= '0' && c <= '9'; }

/// A number taken apart: digits · 10^exponent, of which the first 38 are kept.
struct Parts {
  __int128 digits = 0;
  int64_t exponent = 0;
  bool negative = false;
  bool lost = false;  // digits behind the 38th that are not zero
};

Parts take_apart(std::string_view number) {
  Parts out;
  size_t at = 0;
  if (number[0] == '-') out.negative = true, ++at;
  bool fraction = false;
  for (; at < number.size(); ++at) {
    const char c = number[at];
    if (c == '.') {
      fraction = true;
    } else if (is_digit(c)) {
      if (out.digits < kPowers[kMostDigits - 1]) {
        out.digits = out.digits * 10 + (c - '0');
        if (fraction) --out.exponent;
      } else {
        out.lost |= c != '0';
        if (!fraction) ++out.exponent;
      }
    } else {
      break;
    }
  }
  if (at == number.size()) return out;
  ++at;  // e
  if (number[at] == '+') ++at;
  int64_t exponent = 0;
  const auto [end, error] =
      std::from_chars(number.data() + at, number.data() + number.size(), exponent);
  if (error != std::errc() || exponent > 100'000 || exponent < -100'000)
    exponent = number[at] == '-' ? -100'000 : 100'000;
  out.exponent += exponent;
  return out;
}

/// Two digits at `at`; -1 if there are none.
int two(std::string_view text, size_t at) {
  if (at + 2 > text.size() || !is_digit(text[at]) || !is_digit(text[at + 1])) return -1;
  return (text[at] - '0') * 10 + (text[at + 1] - '0');
}

/// A clock's µs and what stands behind it.
struct Clock {
  int64_t micros = 0;
  size_t end = 0;
};

/// "hh:mm", "hh:mm:ss", "hh:mm:ss.f…" from `at` on.
std::optional<Clock> read_clock(std::string_view text, size_t at, int precision) {
  const int hour = two(text, at);
  if (hour < 0 || hour > 23 || at + 5 > text.size() || text[at + 2] != ':') return std::nullopt;
  const int minute = two(text, at + 3);
  if (minute < 0 || minute > 59) return std::nullopt;
  Clock out{(hour * 60 + minute) * 60 * kMicrosPerSecond, at + 5};
  if (out.end >= text.size() || text[out.end] != ':') return out;
  const int second = two(text, out.end + 1);
  if (second < 0 || second > 59) return std::nullopt;
  out.micros += second * kMicrosPerSecond;
  out.end += 3;
  if (out.end >= text.size() || (text[out.end] != '.' && text[out.end] != ',')) return out;
  const size_t first = ++out.end;
  int64_t unit = kMicrosPerSecond / 10;
  int64_t last = kMicrosPerSecond;  // the unit of the last digit that is kept
  for (int i = 0; i < std::min(precision, 6); ++i) last /= 10;
  int64_t fraction = 0;
  bool up = false;
  for (; out.end < text.size() && is_digit(text[out.end]); ++out.end, unit /= 10) {
    if (out.end - first == static_cast<size_t>(std::min(precision, 6))) up = text[out.end] >= '5';
    if (unit >= last) fraction += (text[out.end] - '0') * unit;
  }
  if (out.end == first) return std::nullopt;
  out.micros += fraction + (up ? last : 0);
  return out;
}

/// "Z", "UTC", "+02:00", "+0200", "+02" and "" as µs east of UTC.
std::optional<int64_t> read_zone(std::string_view text) {
  if (text.starts_with(' ')) text.remove_prefix(1);
  if (text.empty() || text == "Z" || text == "z" || text == "UTC" || text == "GMT") return 0;
  if (text[0] != '+' && text[0] != '-') return std::nullopt;
  const int hours = two(text, 1);
  int minutes = 0;
  if (text.size() == 6 && text[3] == ':') {
    minutes = two(text, 4);
  } else if (text.size() == 5) {
    minutes = two(text, 3);
  } else if (text.size() != 3) {
    return std::nullopt;
  }
  if (hours < 0 || hours > 18 || minutes < 0 || minutes > 59) return std::nullopt;
  const int64_t east = hours * kMicrosPerHour + minutes * 60 * kMicrosPerSecond;
  return text[0] == '-' ? -east : east;
}

std::optional<int64_t> checked_day(int year, int month, int day) {
  if (year < 1 || month < 1 || month > 12 || day < 1) return std::nullopt;
  if (day > 28 && day > engine::month_days(year, month)) return std::nullopt;
  return lake::days_of({year, month, day});
}

/// The ten characters of "2025-01-15" at the beginning.
std::optional<int64_t> read_ten(std::string_view text) {
  if (text.size() < 10 || text[4] != '-' || text[7] != '-') return std::nullopt;
  const int century = two(text, 0), years = two(text, 2), month = two(text, 5), day = two(text, 8);
  if (century < 0 || years < 0) return std::nullopt;
  return checked_day(century * 100 + years, month, day);
}

/// What Trino's CAST takes beside ISO 8601: "2025-1-5 9:05".
std::optional<int64_t> read_like_cast(std::string_view text, int precision) {
  const auto moment = engine::read_moment(text);
  if (!moment) return std::nullopt;
  const auto east = read_zone(moment->zone);
  if (!east || !sensible_day(moment->days)) return std::nullopt;
  const int64_t nanos = engine::round_fraction(moment->nanos, 9, std::min(precision, 6));
  return moment->days * kMicrosPerDay + nanos / 1000 - *east;
}

}  // namespace

bool is_number(std::string_view text) {
  const char* at = text.data();
  const char* const end = at + text.size();
  const auto digits = [&] {
    const char* const first = at;
    while (at != end && is_digit(*at)) ++at;
    return at != first;
  };
  if (at != end && *at == '-') ++at;
  if (at == end) return false;
  if (*at == '0') {
    ++at;
  } else if (!digits()) {
    return false;
  }
  if (at != end && *at == '.') {
    ++at;
    if (!digits()) return false;
  }
  if (at != end && (*at == 'e' || *at == 'E')) {
    ++at;
    if (at != end && (*at == '+' || *at == '-')) ++at;
    if (!digits()) return false;
  }
  return at == end;
}

std::optional<__int128> scaled(std::string_view number, int scale, Digits digits) {
  Parts parts = take_apart(number);
  __int128 value = parts.digits;
  if (value == 0) return 0;
  const int64_t shift = parts.exponent + scale;
  if (shift >= 0) {
    if (parts.lost || shift > kMostDigits) return std::nullopt;
    if (value > (kPowers[kMostDigits] - 1) / kPowers[static_cast<size_t>(shift)])
      return std::nullopt;
    value *= kPowers[static_cast<size_t>(shift)];
  } else {
    const bool tiny = -shift > kMostDigits;
    const __int128 by = tiny ? 0 : kPowers[static_cast<size_t>(-shift)];
    const __int128 rest = tiny ? value : value % by;
    if (digits == Digits::kExact && (rest != 0 || parts.lost)) return std::nullopt;
    value = tiny ? 0 : value / by + (rest >= by - rest ? 1 : 0);
  }
  return parts.negative ? -value : value;
}

std::optional<int64_t> whole(std::string_view number) {
  int64_t value = 0;
  const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), value);
  if (error == std::errc() && end == number.data() + number.size()) return value;
  const auto wide = scaled(number, 0);
  if (!wide || *wide > INT64_MAX || *wide < INT64_MIN) return std::nullopt;
  return static_cast<int64_t>(*wide);
}

bool sensible_day(int64_t days) { return days >= kFirstDay && days <= kLastDay; }

bool sensible_moment(int64_t micros) {
  return micros >= kFirstDay * kMicrosPerDay && micros < (kLastDay + 1) * kMicrosPerDay;
}

std::optional<int64_t> read_day(std::string_view text) {
  if (text.size() == 10)
    if (const auto day = read_ten(text)) return day;
  const auto moment = engine::read_moment(text);
  if (!moment || moment->has_time || !moment->zone.empty() || !sensible_day(moment->days))
    return std::nullopt;
  return moment->days;
}

std::optional<int64_t> read_time_of_day(std::string_view text, int precision) {
  const auto clock = read_clock(text, 0, precision);
  if (!clock || clock->end != text.size()) return std::nullopt;
  return clock->micros % kMicrosPerDay;  // rounded up to midnight, as Trino
}

std::optional<int64_t> read_instant(std::string_view text, int precision) {
  const auto day = read_ten(text);
  if (!day || (text.size() > 10 && text[10] != 'T' && text[10] != ' ' && text[10] != 't'))
    return read_like_cast(text, precision);
  if (text.size() == 10) return *day * kMicrosPerDay;
  const auto clock = read_clock(text, 11, precision);
  if (!clock) return read_like_cast(text, precision);
  const auto east = read_zone(text.substr(clock->end));
  if (!east) return std::nullopt;
  const int64_t micros = *day * kMicrosPerDay + clock->micros - *east;
  if (!sensible_moment(micros)) return std::nullopt;
  return micros;
}

std::optional<int64_t> micros_of(std::string_view number, TimeFormat format) {
  const int scale = format == TimeFormat::kSeconds ? 6 : format == TimeFormat::kMicros ? 0 : 3;
  const auto micros = scaled(number, scale, Digits::kRounded);
  if (!micros || *micros > INT64_MAX || *micros < INT64_MIN) return std::nullopt;
  return static_cast<int64_t>(*micros);
}

std::optional<int64_t> micros_of(int64_t number, TimeFormat format) {
  const int64_t unit = format == TimeFormat::kSeconds  ? kMicrosPerSecond
                       : format == TimeFormat::kMicros ? 1
                                                       : 1000;
  int64_t micros = 0;
  if (__builtin_mul_overflow(number, unit, &micros)) return std::nullopt;
  return micros;
}

}  // namespace meesh::ingest
