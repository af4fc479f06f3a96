// Stretches of time as people say them.
#include <fmt/format.h>

#include <boost/json.hpp>
#include <charconv>
#include <chrono>

#include "dashboards/dashboard.h"

namespace meesh::dashboards {
namespace {

namespace json = boost::json;
using std::chrono::days;
using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::months;
using std::chrono::sys_days;
using std::chrono::sys_seconds;
using std::chrono::year_month_day;
using std::chrono::years;

std::string written(sys_seconds time) {
  const auto day = std::chrono::floor<days>(time);
  const year_month_day date(day);
  const std::chrono::hh_mm_ss clock(time - day);
  return fmt::format("{:04}-{:02}-{:02} {:02}:{:02}:{:02}", static_cast<int>(date.year()),
                     static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                     clock.hours().count(), clock.minutes().count(), clock.seconds().count());
}

Error not_understood(const std::string& said) {
  return Error(Code::kBadRequest, fmt::format("'{}' is no stretch of time", said))
      .with_hint("last 90 days, last 12 months, today, this month, all, or { from, to }");
}

int two(std::string_view text) { return (text[0] - '0') * 10 + (text[1] - '0'); }

/// "2026-01-31", "2026-01-31T08:00:00Z", "2026-01-31 08:00": a moment in UTC.
std::optional<sys_seconds> moment(std::string text) {
  if (text.ends_with('Z')) text.pop_back();
  if (const size_t dot = text.find('.'); dot != std::string::npos) text.resize(dot);
  if (text.size() == 10) text += " 00:00:00";
  if (text.size() == 16) text += ":00";
  constexpr std::string_view kForm = "dddd-dd-dd dd:dd:dd";
  if (text.size() != kForm.size()) return std::nullopt;
  for (size_t i = 0; i < text.size(); ++i) {
    const bool digit = text[i] >= '0' && text[i] <= '9';
    if (kForm[i] == 'd' ? !digit : text[i] != kForm[i] && !(i == 10 && text[i] == 'T'))
      return std::nullopt;
  }
  const year_month_day date{std::chrono::year(two(text) * 100 + two(text.substr(2))),
                            std::chrono::month(static_cast<unsigned>(two(text.substr(5)))),
                            std::chrono::day(static_cast<unsigned>(two(text.substr(8))))};
  const int hour = two(text.substr(11)), minute = two(text.substr(14)),
            second = two(text.substr(17));
  if (!date.ok() || hour > 23 || minute > 59 || second > 59) return std::nullopt;
  return sys_days(date) + hours(hour) + minutes(minute) + std::chrono::seconds(second);
}

TimeRange between(sys_seconds from, sys_seconds to) { return {written(from), written(to)}; }

/// The day so many months ago, at a month's end if that month is shorter.
sys_days months_before(sys_days day, int64_t count) {
  year_month_day date(day);
  date -= months(count);
  return date.ok() ? sys_days(date) : sys_days(date.year() / date.month() / std::chrono::last);
}

/// "last 90 days": since the beginning of the day 90 days ago until the end of today.
std::optional<TimeRange> last(const std::string& said, sys_seconds now) {
  constexpr std::string_view kLast = "last ";
  if (!said.starts_with(kLast)) return std::nullopt;
  int64_t count = 1;
  const char* begin = said.data() + kLast.size();
  const char* end = said.data() + said.size();
  const auto [after, failed] = std::from_chars(begin, end, count);
  std::string unit(failed == std::errc{} ? after : begin, end);
  if (failed != std::errc{}) count = 1;
  std::erase(unit, ' ');
  if (unit.ends_with('s')) unit.pop_back();
  if (count < 1 || count > 100'000) return std::nullopt;
  const sys_days today = std::chrono::floor<days>(now);
  const sys_seconds tomorrow = today + days(1);
  if (unit == "minute") {
    const auto up = std::chrono::ceil<minutes>(now);
    return between(up - minutes(count), up);
  }
  if (unit == "hour") {
    const auto up = std::chrono::ceil<minutes>(now);
    return between(up - hours(count), up);
  }
  if (unit == "day") return between(today - days(count), tomorrow);
  if (unit == "week") return between(today - days(7 * count), tomorrow);
  if (unit == "month") return between(months_before(today, count), tomorrow);
  if (unit == "year") return between(months_before(today, 12 * count), tomorrow);
  return std::nullopt;
}

std::optional<TimeRange> calendar(const std::string& said, sys_seconds now) {
  const sys_days today = std::chrono::floor<days>(now);
  const year_month_day date(today);
  const sys_days month = sys_days(date.year() / date.month() / 1);
  const sys_days year = sys_days(date.year() / 1 / 1);
  const auto quarter_month = (static_cast<unsigned>(date.month()) - 1) / 3 * 3 + 1;
  const sys_days quarter = sys_days(date.year() / std::chrono::month(quarter_month) / 1);
  const sys_days week = today - days(std::chrono::weekday(today).iso_encoding() - 1);
  const auto after = [](sys_days from, int64_t count) {
    return sys_days(year_month_day(from) + months(count));
  };
  if (said == "today") return between(today, today + days(1));
  if (said == "yesterday") return between(today - days(1), today);
  if (said == "this week") return between(week, week + days(7));
  if (said == "this month") return between(month, after(month, 1));
  if (said == "this quarter") return between(quarter, after(quarter, 3));
  if (said == "this year") return between(year, after(year, 12));
  return std::nullopt;
}

}  // namespace

TimeRange time_range(const json::value& said, int64_t now_ms) {
  if (said.is_null()) return {};
  if (said.is_object()) {
    const std::string from = text_in(said.get_object(), "from", "en");
    const std::string to = text_in(said.get_object(), "to", "en");
    const auto first = moment(from), end = moment(to);
    if ((!from.empty() && !first) || (!to.empty() && !end))
      throw not_understood(json::serialize(said));
    TimeRange range;
    if (first) range.from = written(*first);
    if (end) range.to = written(*end);
    return range;
  }
  if (!said.is_string()) throw not_understood(json::serialize(said));
  const std::string text(said.get_string());
  if (text == "all" || text.empty()) return {};
  const auto now = std::chrono::floor<std::chrono::seconds>(
      std::chrono::sys_time<std::chrono::milliseconds>(std::chrono::milliseconds(now_ms)));
  if (auto range = last(text, now)) return *range;
  if (auto range = calendar(text, now)) return *range;
  throw not_understood(text);
}

}  // namespace meesh::dashboards
