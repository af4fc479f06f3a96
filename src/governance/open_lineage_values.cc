// Times, identifiers and words of OpenLineage.
#include <fmt/chrono.h>

#include "base/text.h"
#include "governance/open_lineage.h"
#include "sql/lexer.h"

namespace meesh::governance {
namespace {

constexpr std::string_view kStates[] = {"START", "RUNNING", "COMPLETE", "ABORT", "FAIL", "OTHER"};

bool is_uuid(std::string_view text) {
  if (text.size() != 36) return false;
  for (size_t i = 0; i < text.size(); ++i) {
    const bool dash = i == 8 || i == 13 || i == 18 || i == 23;
    if (dash ? text[i] != '-' : !std::isxdigit(static_cast<unsigned char>(text[i]))) return false;
  }
  return true;
}

/// Takes exactly `count` digits; -1 if they are not there.
int digits(std::string_view& text, size_t count) {
  if (text.size() < count) return -1;
  int value = 0;
  for (size_t i = 0; i < count; ++i) {
    if (text[i] < '0' || text[i] > '9') return -1;
    value = value * 10 + (text[i] - '0');
  }
  text.remove_prefix(count);
  return value;
}

bool take(std::string_view& text, std::string_view any_of) {
  if (text.empty() || any_of.find(text.front()) == std::string_view::npos) return false;
  text.remove_prefix(1);
  return true;
}

/// Microseconds of ".123", of which a digit more than six is dropped; nothing if malformed.
std::optional<int64_t> fraction(std::string_view& text) {
  if (!take(text, ".,")) return 0;
  int64_t micros = 0;
  size_t count = 0;
  for (; !text.empty() && text.front() >= '0' && text.front() <= '9'; text.remove_prefix(1)) {
    if (count++ < 6) micros = micros * 10 + (text.front() - '0');
  }
  if (count == 0) return std::nullopt;
  for (; count < 6; ++count) micros *= 10;
  return micros;
}

/// Minutes east of Greenwich; nothing if malformed or not said.
std::optional<int> offset(std::string_view text) {
  if (text == "Z" || text == "z") return 0;
  const bool west = text.starts_with('-');
  if (!take(text, "+-")) return std::nullopt;
  const int hours = digits(text, 2);
  if (text.starts_with(':')) text.remove_prefix(1);
  const int minutes = digits(text, 2);
  if (hours < 0 || hours > 23 || minutes < 0 || minutes > 59 || !text.empty()) return std::nullopt;
  return (west ? -1 : 1) * (hours * 60 + minutes);
}

}  // namespace

std::string_view state_word(RunState state) { return kStates[static_cast<size_t>(state)]; }

std::optional<RunState> state_of(std::string_view word) {
  for (size_t i = 0; i < std::size(kStates); ++i) {
    if (kStates[i] == word) return static_cast<RunState>(i);
  }
  return std::nullopt;
}

std::string uuid_of(const std::string& text) {
  if (is_uuid(text)) return sql::lower(text);
  // RFC 9562's version 8: bits of our own, here two hashes.
  const uint64_t high = base::checksum("meesh-run:" + text);
  const uint64_t low = base::checksum(text + ":meesh-run");
  return fmt::format("{:08x}-{:04x}-8{:03x}-{:04x}-{:012x}", high >> 32, (high >> 16) & 0xffff,
                     high & 0xfff, 0x8000 | ((low >> 48) & 0x3fff), low & 0xffffffffffffULL);
}

std::string time_text(Time time) {
  const auto ms = std::chrono::floor<std::chrono::milliseconds>(time);
  const auto seconds = std::chrono::floor<std::chrono::seconds>(ms);
  return fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:03}Z",
                     fmt::gmtime(std::chrono::system_clock::to_time_t(seconds)),
                     (ms - seconds).count());
}

std::optional<Time> parse_time(std::string_view text) {
  const int year = digits(text, 4);
  const bool first = take(text, "-");
  const int month = digits(text, 2);
  const bool second = take(text, "-");
  const int day = digits(text, 2);
  const bool third = take(text, "Tt ");
  const int hour = digits(text, 2);
  const bool fourth = take(text, ":");
  const int minute = digits(text, 2);
  int seconds = 0;
  if (take(text, ":")) seconds = digits(text, 2);
  const auto micros = fraction(text);
  const auto east = offset(text);
  const std::chrono::year_month_day date{std::chrono::year(year),
                                         std::chrono::month(static_cast<unsigned>(month)),
                                         std::chrono::day(static_cast<unsigned>(day))};
  const bool well = first && second && third && fourth && year >= 1970 && year < 2200 &&
                    month > 0 && day > 0 && date.ok() && hour >= 0 && hour < 24 && minute >= 0 &&
                    minute < 60 && seconds >= 0 && seconds <= 60 && micros && east;
  if (!well) return std::nullopt;
  return std::chrono::sys_days(date) + std::chrono::minutes(hour * 60 + minute - *east) +
         std::chrono::seconds(seconds) + std::chrono::microseconds(*micros);
}

int64_t to_ms(Time time) {
  return std::chrono::floor<std::chrono::milliseconds>(time).time_since_epoch().count();
}

Time from_ms(int64_t ms) { return Time(std::chrono::milliseconds(ms)); }

}  // namespace meesh::governance
