#include "pipelines/cron.h"

#include <date/tz.h>
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <stdexcept>
#include <vector>

#include "base/error.h"
#include "base/text.h"

namespace meesh::pipelines {

using std::chrono::days;
using std::chrono::local_days;
using std::chrono::local_seconds;

namespace {

constexpr int kMostYears = 40;
constexpr size_t kMostText = 256;

struct Field {
  const char* name;
  int least, most;
  std::vector<std::string> names;  // of least, least + 1 …
};

const Field kMinute{"minute", 0, 59, {}};
const Field kHour{"hour", 0, 23, {}};
const Field kDay{"day of month", 1, 31, {}};
const Field kMonth{
    "month",
    1,
    12,
    {"jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"}};
const Field kWeekday{"day of week", 0, 7, {"sun", "mon", "tue", "wed", "thu", "fri", "sat"}};

[[noreturn]] void wrong(const std::string& text, const std::string& why) {
  throw Error(Code::kConfigInvalid, fmt::format("'{}' is no schedule: {}", text, why))
      .with_hint(
          "five fields: minute, hour, day of month, month, day of week; such as \"30 2 * * "
          "MON-FRI\" or @daily");
}

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return out;
}

std::vector<std::string> split(std::string_view text, std::string_view separators) {
  std::vector<std::string> parts;
  for (size_t at = 0; at <= text.size();) {
    const size_t end = std::min(text.find_first_of(separators, at), text.size());
    parts.emplace_back(text.substr(at, end - at));
    at = end + 1;
  }
  return parts;
}

class FieldReader {
 public:
  FieldReader(const std::string& whole, const Field& field) : whole_(whole), field_(field) {}

  /// The values of "1-5,*/10"; `last` is set for L where the field knows it.
  std::vector<bool> read(std::string_view text, bool* last) const {
    std::vector<bool> values(static_cast<size_t>(field_.most) + 1);
    for (const std::string& item : split(text, ",")) {
      if (last != nullptr && lower(item) == "l") {
        *last = true;
        continue;
      }
      add(item, values);
    }
    return values;
  }

 private:
  void add(const std::string& item, std::vector<bool>& values) const {
    const size_t slash = item.find('/');
    const std::string range = item.substr(0, slash);
    int step = 1;
    if (slash != std::string::npos) {
      step = number(item.substr(slash + 1), "a step");
      if (step == 0) fail(item, "a step of 0 leads nowhere");
    }
    int first = field_.least, last = field_.most;
    if (range == "*") {
      // 0 and 7 are the same day.
      if (&field_ == &kWeekday) last = 6;
    } else if (const size_t dash = range.find('-'); dash != std::string::npos) {
      first = value(range.substr(0, dash));
      last = value(range.substr(dash + 1));
      if (first > last) fail(item, "the range runs backwards");
    } else {
      first = value(range);
      if (slash == std::string::npos) last = first;
    }
    for (int i = first; i <= last; i += step) values[static_cast<size_t>(i)] = true;
  }

  int value(const std::string& text) const {
    const std::string word = lower(text);
    for (size_t i = 0; i < field_.names.size(); ++i) {
      if (field_.names[i] == word) return field_.least + static_cast<int>(i);
    }
    const int found = number(text, "a value");
    if (found < field_.least || found > field_.most) {
      fail(text, fmt::format("values are {} to {}", field_.least, field_.most));
    }
    return found;
  }

  int number(const std::string& text, const char* what) const {
    int found = 0;
    const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), found);
    if (failed != std::errc{} || end != text.data() + text.size() || found < 0 || found > 1000) {
      fail(text, fmt::format("{} is expected", what));
    }
    return found;
  }

  [[noreturn]] void fail(const std::string& item, const std::string& why) const {
    wrong(whole_, fmt::format("in the {}, '{}': {}", field_.name, item, why));
  }

  const std::string& whole_;
  const Field& field_;
};

template <size_t N>
void take(const std::vector<bool>& values, std::bitset<N>& to) {
  for (size_t i = 0; i < values.size() && i < N; ++i) to[i] = values[i];
}

std::string expanded(const std::string& text) {
  const std::string word = lower(text);
  if (word == "@yearly" || word == "@annually") return "0 0 1 1 *";
  if (word == "@monthly") return "0 0 1 * *";
  if (word == "@weekly") return "0 0 * * 0";
  if (word == "@daily" || word == "@midnight") return "0 0 * * *";
  if (word == "@hourly") return "0 * * * *";
  if (word.starts_with('@')) {
    wrong(text, "the words are @yearly, @monthly, @weekly, @daily and @hourly");
  }
  return text;
}

date::local_seconds theirs(local_seconds time) {
  return date::local_seconds(time.time_since_epoch());
}
local_seconds ours(date::local_seconds time) { return local_seconds(time.time_since_epoch()); }

}  // namespace

TimeZone TimeZone::find(const std::string& name) {
  TimeZone zone;
  try {
    zone.zone_ = date::locate_zone(name);
  } catch (const std::runtime_error&) {
    throw Error(Code::kConfigInvalid, fmt::format("there is no time zone '{}'", name))
        .with_hint("a name of the IANA database, such as Europe/Paris or UTC");
  }
  zone.name_ = name;
  return zone;
}

local_seconds TimeZone::local(Seconds time) const {
  return ours(zone_->to_local(date::sys_seconds(time.time_since_epoch())));
}

Seconds TimeZone::moment(local_seconds local) const {
  const date::local_info info = zone_->get_info(theirs(local));
  if (info.result == date::local_info::nonexistent) {
    return Seconds(info.second.begin.time_since_epoch());
  }
  return Seconds(local.time_since_epoch() - info.first.offset);
}

Cron Cron::parse(std::string_view text) {
  Cron cron;
  std::vector<std::string> words;
  if (text.size() <= kMostText) {
    for (const std::string& word : split(text, " \t")) {
      if (!word.empty()) words.push_back(word);
    }
  }
  cron.text_ = base::join(words, " ");
  if (words.size() == 1) words = split(expanded(words.front()), " ");
  if (words.size() != 5) {
    wrong(cron.text_.empty() ? std::string(text.substr(0, 40)) : cron.text_,
          fmt::format("it has {} fields", words.size()));
  }
  take(FieldReader(cron.text_, kMinute).read(words[0], nullptr), cron.minutes_);
  take(FieldReader(cron.text_, kHour).read(words[1], nullptr), cron.hours_);
  take(FieldReader(cron.text_, kDay).read(words[2], &cron.last_day_), cron.days_);
  take(FieldReader(cron.text_, kMonth).read(words[3], nullptr), cron.months_);
  const auto weekdays = FieldReader(cron.text_, kWeekday).read(words[4], nullptr);
  take(weekdays, cron.weekdays_);
  if (weekdays[7]) cron.weekdays_[0] = true;
  cron.any_hour_ = words[1].starts_with('*');
  cron.any_day_ = words[2].starts_with('*');
  cron.any_weekday_ = words[4].starts_with('*');
  return cron;
}

bool Cron::day_matches(local_days day) const {
  const std::chrono::year_month_day date(day);
  if (!months_[static_cast<unsigned>(date.month())]) return false;
  bool of_month = days_[static_cast<unsigned>(date.day())];
  if (last_day_) {
    const std::chrono::year_month_day tomorrow(day + days(1));
    of_month |= tomorrow.month() != date.month();
  }
  const bool of_week = weekdays_[std::chrono::weekday(day).c_encoding()];
  // Vixie's rule: a field that begins with * does not restrict.
  if (any_day_ || any_weekday_) return of_month && of_week;
  return of_month || of_week;
}

std::optional<Seconds> Cron::next(Seconds after, const TimeZone& zone) const {
  // A day back: near the date line and in the repeated hour, local time is not monotonous.
  local_days day = std::chrono::floor<days>(zone.local(after)) - days(1);
  const local_days last = day + days(366 * kMostYears);
  for (; day <= last; day += days(1)) {
    if (!day_matches(day)) continue;
    std::optional<Seconds> best;
    const auto offer = [&](Seconds moment) {
      if (moment > after && (!best || moment < *best)) best = moment;
    };
    for (size_t hour = 0; hour < hours_.size(); ++hour) {
      if (!hours_[hour]) continue;
      for (size_t minute = 0; minute < minutes_.size(); ++minute) {
        if (!minutes_[minute]) continue;
        const local_seconds local = day + std::chrono::hours(hour) + std::chrono::minutes(minute);
        const date::local_info info = zone.zone_->get_info(theirs(local));
        if (info.result == date::local_info::nonexistent) {
          if (!any_hour_) offer(Seconds(info.second.begin.time_since_epoch()));
          continue;
        }
        offer(Seconds(local.time_since_epoch() - info.first.offset));
        if (any_hour_ && info.result == date::local_info::ambiguous) {
          offer(Seconds(local.time_since_epoch() - info.second.offset));
        }
      }
    }
    if (best) return best;
  }
  return std::nullopt;
}

}  // namespace meesh::pipelines
