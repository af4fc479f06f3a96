#include "pipelines/partitions.h"

#include <fmt/format.h>

#include <charconv>

#include "base/error.h"

namespace meesh::pipelines {

using std::chrono::days;
using std::chrono::local_days;
using std::chrono::local_seconds;

namespace {

constexpr size_t kMost = 100'000;

/// All of `text` fits `pattern`, in which 0 stands for a digit.
bool fits(std::string_view text, std::string_view pattern) {
  if (text.size() != pattern.size()) return false;
  for (size_t i = 0; i < text.size(); ++i) {
    const bool digit = text[i] >= '0' && text[i] <= '9';
    if (pattern[i] == '0' ? !digit : text[i] != pattern[i]) return false;
  }
  return true;
}

int number(std::string_view text) {
  int value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

std::string_view pattern(Partitions::By by) {
  switch (by) {
    case Partitions::By::kHour:
      return "0000-00-00T00";
    case Partitions::By::kDay:
      return "0000-00-00";
    case Partitions::By::kMonth:
      return "0000-00";
  }
  return "";
}

/// The local time a key begins at; nothing for a date that is none.
std::optional<local_seconds> start_of(Partitions::By by, std::string_view text) {
  if (!fits(text, pattern(by))) return std::nullopt;
  const unsigned day =
      by == Partitions::By::kMonth ? 1 : static_cast<unsigned>(number(text.substr(8, 2)));
  const std::chrono::year_month_day date(
      std::chrono::year(number(text.substr(0, 4))),
      std::chrono::month(static_cast<unsigned>(number(text.substr(5, 2)))), std::chrono::day(day));
  const int hour = by == Partitions::By::kHour ? number(text.substr(11, 2)) : 0;
  if (!date.ok() || hour > 23) return std::nullopt;
  return local_days(date) + std::chrono::hours(hour);
}

std::string key_of(Partitions::By by, local_seconds time) {
  const auto day = std::chrono::floor<days>(time);
  const std::chrono::year_month_day date(day);
  std::string text = fmt::format("{:04}-{:02}", static_cast<int>(date.year()),
                                 static_cast<unsigned>(date.month()));
  if (by != Partitions::By::kMonth) {
    text += fmt::format("-{:02}", static_cast<unsigned>(date.day()));
  }
  if (by == Partitions::By::kHour) {
    text += fmt::format("T{:02}", std::chrono::floor<std::chrono::hours>(time - day).count());
  }
  return text;
}

local_seconds following(Partitions::By by, local_seconds time) {
  if (by == Partitions::By::kHour) return time + std::chrono::hours(1);
  const auto day = std::chrono::floor<days>(time);
  if (by == Partitions::By::kDay) return day + days(1);
  const std::chrono::year_month_day date(day);
  return local_days(date.year() / date.month() / 1 + std::chrono::months(1));
}

std::string moment_text(local_seconds time) {
  const auto day = std::chrono::floor<days>(time);
  return fmt::format("{} {:02}:00:00", date_of(day),
                     std::chrono::floor<std::chrono::hours>(time - day).count());
}

}  // namespace

std::string Partitions::key(std::string_view text) const {
  if (!start_of(by, text)) {
    throw Error(Code::kBadRequest, fmt::format("'{}' is no partition", text))
        .with_hint(by == By::kHour  ? "an hour is written 2025-01-15T06"
                   : by == By::kDay ? "a day is written 2025-01-15"
                                    : "a month is written 2025-01");
  }
  if (text < from) {
    throw Error(Code::kBadRequest,
                fmt::format("the partition '{}' is before the first one, {}", text, from));
  }
  return std::string(text);
}

std::string Partitions::key_at(local_seconds time) const { return key_of(by, time); }

std::vector<std::string> Partitions::range(std::string_view first, std::string_view last) const {
  const std::string begin = key(first), end = key(last);
  if (begin > end) {
    throw Error(Code::kBadRequest,
                fmt::format("the range from {} to {} runs backwards", begin, end));
  }
  std::vector<std::string> all;
  for (local_seconds at = *start_of(by, begin); key_of(by, at) <= end; at = following(by, at)) {
    if (all.size() == kMost) {
      throw Error(Code::kBadRequest, fmt::format("these are more than {} partitions", kMost));
    }
    all.push_back(key_of(by, at));
  }
  return all;
}

std::map<std::string, std::string> Partitions::parameters(const std::string& key) const {
  const local_seconds start = *start_of(by, key);
  return {{"partition", key},
          {"run_date", date_of(start)},
          {"partition_start", moment_text(start)},
          {"partition_end", moment_text(following(by, start))}};
}

std::string checked_date(std::string_view text) {
  if (!start_of(Partitions::By::kDay, text)) {
    throw Error(Code::kBadRequest, fmt::format("'{}' is no date", text))
        .with_hint("a date is written 2025-01-15");
  }
  return std::string(text);
}

std::string date_of(local_seconds time) { return key_of(Partitions::By::kDay, time); }

}  // namespace meesh::pipelines
