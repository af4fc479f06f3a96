#include "base/time_zone.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <limits>
#include <map>
#include <mutex>
#include <optional>

#include "base/calendar.h"

namespace meesh {
namespace {

constexpr int64_t kDay = 86400;
constexpr int64_t kCycle = 146097 * kDay;  // 400 Gregorian years, whole weeks

bool means_utc(std::string_view name) {
  static constexpr std::array<std::string_view, 10> kNames = {
      "Z",        "Zulu",    "UCT",           "Greenwich",     "Universal",
      "Etc/Zulu", "Etc/UCT", "Etc/Greenwich", "Etc/Universal", "GMT0"};
  return std::find(kNames.begin(), kNames.end(), name) != kNames.end() || name == "Etc/GMT0";
}

/// "+2", "-07", "+05:30", "-0730" as minutes; nullopt if it is none or beyond 14 hours.
std::optional<int> offset_minutes(std::string_view text) {
  if (text.size() < 2 || (text[0] != '+' && text[0] != '-')) return std::nullopt;
  const bool negative = text[0] == '-';
  text.remove_prefix(1);
  std::string_view hours = text, minutes;
  if (const size_t colon = text.find(':'); colon != std::string_view::npos) {
    hours = text.substr(0, colon);
    minutes = text.substr(colon + 1);
    if (minutes.size() != 2) return std::nullopt;
  } else if (text.size() == 4) {
    hours = text.substr(0, 2);
    minutes = text.substr(2);
  }
  if (hours.empty() || hours.size() > 2) return std::nullopt;
  const auto number = [](std::string_view digits) -> std::optional<int> {
    int value = 0;
    for (const char c : digits) {
      if (c < '0' || c > '9') return std::nullopt;
      value = value * 10 + (c - '0');
    }
    return value;
  };
  const auto h = number(hours), m = number(minutes);
  if (!h || !m || *m > 59) return std::nullopt;
  const int total = *h * 60 + *m;
  if (total > 14 * 60) return std::nullopt;
  return negative ? -total : total;
}

/// The offset a name stands for, if it stands for one: "UTC", "+02:00", "Etc/GMT-5".
std::optional<int> fixed_offset(std::string_view name) {
  if (means_utc(name)) return 0;
  for (const std::string_view prefix : {"Etc/GMT", "Etc/UTC", "Etc/UT", "GMT", "UTC", "UT"}) {
    if (!name.starts_with(prefix)) continue;
    const std::string_view rest = name.substr(prefix.size());
    if (rest.empty()) return 0;
    const auto minutes = offset_minutes(rest);
    if (!minutes) return std::nullopt;
    return prefix == "Etc/GMT" ? -*minutes : *minutes;  // POSIX counts westwards there
  }
  return offset_minutes(name);
}

/// Big-endian numbers of a tz file, never beyond its end.
class FileReader {
 public:
  explicit FileReader(std::string_view bytes) : bytes_(bytes) {}
  bool ok() const { return ok_; }
  std::string_view take(size_t n) {
    if (n > bytes_.size()) {
      ok_ = false;
      return {};
    }
    const auto piece = bytes_.substr(0, n);
    bytes_.remove_prefix(n);
    return piece;
  }
  int64_t number(size_t width) {
    uint64_t value = 0;
    const auto piece = take(width);
    for (const char c : piece) value = value << 8 | static_cast<unsigned char>(c);
    if (width < 8 && !piece.empty() && (piece[0] & 0x80) != 0) value |= ~uint64_t{0} << (8 * width);
    return static_cast<int64_t>(value);
  }
  std::string_view rest() const { return bytes_; }

 private:
  std::string_view bytes_;
  bool ok_ = true;
};

struct Header {
  int64_t isut, isstd, leaps, times, types, chars;
};

std::optional<Header> read_header(FileReader& in) {
  if (in.take(4) != "TZif") return std::nullopt;
  in.take(16);  // version and reserved
  Header h{};
  h.isut = in.number(4);
  h.isstd = in.number(4);
  h.leaps = in.number(4);
  h.times = in.number(4);
  h.types = in.number(4);
  h.chars = in.number(4);
  const auto sane = [](int64_t n) { return n >= 0 && n < 100000; };
  if (!in.ok() || !sane(h.isut) || !sane(h.isstd) || !sane(h.leaps) || !sane(h.times) ||
      !sane(h.types) || !sane(h.chars) || h.types == 0) {
    return std::nullopt;
  }
  return h;
}

/// The rule at the end of a tz file, in the notation of POSIX's TZ: "CET-1CEST,M3.5.0,M10.5.0/3".
struct Rule {
  struct Change {
    char kind = 'M';  // M month.week.day, J day 1..365 without 29 February, D day 0..365
    int month = 0, week = 0, day = 0;
    int64_t time = 7200;
  };
  int64_t standard = 0, summer = 0;  // seconds east
  bool has_summer = false;
  Change begin, end;
};

class RuleParser {
 public:
  explicit RuleParser(std::string_view text) : text_(text) {}

  std::optional<Rule> parse() {
    Rule rule;
    if (!name() || !time(rule.standard)) return std::nullopt;
    rule.standard = -rule.standard;  // POSIX counts westwards
    if (text_.empty()) return rule;
    rule.has_summer = true;
    if (!name()) return std::nullopt;
    rule.summer = rule.standard + 3600;
    if (!text_.empty() && text_[0] != ',') {
      if (!time(rule.summer)) return std::nullopt;
      rule.summer = -rule.summer;
    }
    if (!change(rule.begin) || !change(rule.end) || !text_.empty()) return std::nullopt;
    return rule;
  }

 private:
  bool eat(char c) {
    if (text_.empty() || text_[0] != c) return false;
    text_.remove_prefix(1);
    return true;
  }
  bool name() {
    size_t n = 0;
    if (eat('<')) {
      n = text_.find('>');
      if (n == std::string_view::npos) return false;
      text_.remove_prefix(n + 1);
      return true;
    }
    while (n < text_.size() && ((text_[n] | 32) >= 'a' && (text_[n] | 32) <= 'z')) ++n;
    text_.remove_prefix(n);
    return n >= 3;
  }
  bool number(int64_t& value) {
    const auto [end, error] = std::from_chars(text_.data(), text_.data() + text_.size(), value);
    if (error != std::errc() || value > 1000 || value < 0) return false;
    text_.remove_prefix(static_cast<size_t>(end - text_.data()));
    return true;
  }
  bool time(int64_t& seconds) {
    const bool negative = eat('-');
    if (!negative) eat('+');
    int64_t h = 0, m = 0, s = 0;
    if (!number(h)) return false;
    if (eat(':') && !number(m)) return false;
    if (eat(':') && !number(s)) return false;
    seconds = h * 3600 + m * 60 + s;
    if (negative) seconds = -seconds;
    return true;
  }
  bool change(Rule::Change& to) {
    if (!eat(',')) return false;
    int64_t a = 0, b = 0, c = 0;
    if (eat('M')) {
      if (!number(a) || !eat('.') || !number(b) || !eat('.') || !number(c)) return false;
      if (a < 1 || a > 12 || b < 1 || b > 5 || c > 6) return false;
      to = {'M', static_cast<int>(a), static_cast<int>(b), static_cast<int>(c)};
    } else {
      const char kind = eat('J') ? 'J' : 'D';
      if (!number(a) || a > 365) return false;
      to = {kind, 0, 0, static_cast<int>(a)};
    }
    return !eat('/') || time(to.time);
  }

  std::string_view text_;
};

/// Local seconds since the epoch at which a change of the rule falls in a year.
int64_t change_in_year(const Rule::Change& change, int64_t year) {
  int64_t day = 0;
  if (change.kind == 'M') {
    const auto month = static_cast<unsigned>(change.month);
    const int64_t first = days_from_civil(year, month, 1);
    const int64_t next =
        month == 12 ? days_from_civil(year + 1, 1, 1) : days_from_civil(year, month + 1, 1);
    const int64_t weekday = ((first + 4) % 7 + 7) % 7;  // 0 = Sunday
    day = first + (change.day - weekday + 7) % 7 + (change.week - 1) * 7;
    while (day >= next) day -= 7;
  } else {
    day = days_from_civil(year, 1, 1) + change.day;
    if (change.kind == 'J') {
      const bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
      day += (leap && change.day >= 60 ? 1 : 0) - 1;
    }
  }
  return day * kDay + change.time;
}

}  // namespace

std::shared_ptr<const TimeZone> TimeZone::fixed(std::string id, int32_t offset) {
  auto zone = std::shared_ptr<TimeZone>(new TimeZone);
  zone->id_ = std::move(id);
  zone->offset_ = {offset};
  return zone;
}

std::shared_ptr<const TimeZone> TimeZone::utc() {
  static const auto zone = fixed("UTC", 0);
  return zone;
}

std::shared_ptr<const TimeZone> TimeZone::find(std::string_view name) {
  if (name == "UTC") return utc();
  if (name.empty() || name.size() > 64) return nullptr;
  if (const auto minutes = fixed_offset(name)) {
    if (*minutes == 0) return utc();
    return fixed(fmt::format("{}{:02}:{:02}", *minutes < 0 ? '-' : '+', std::abs(*minutes) / 60,
                             std::abs(*minutes) % 60),
                 *minutes * 60);
  }
  static std::mutex mutex;
  static std::map<std::string, std::shared_ptr<const TimeZone>, std::less<>> known;
  {
    const std::lock_guard lock(mutex);
    if (const auto it = known.find(name); it != known.end()) return it->second;
  }
  auto zone = load(std::string(name));
  if (zone) {
    const std::lock_guard lock(mutex);
    known.emplace(zone->id_, zone);
  }
  return zone;
}

std::shared_ptr<const TimeZone> TimeZone::load(const std::string& name) {
  const bool letters = std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '/' ||
           c == '_' || c == '-' || c == '+';
  });
  // posix/ and right/ are the database's own copies; localtime is whatever this machine is set to.
  if (!letters || name.front() == '/' || name.starts_with("posix") || name.starts_with("right") ||
      name == "localtime" || name == "Factory") {
    return nullptr;
  }
  const char* folder = std::getenv("TZDIR");
  const std::string path = std::string(folder ? folder : "/usr/share/zoneinfo") + "/" + name;
  std::error_code no_file;
  if (!std::filesystem::is_regular_file(path, no_file)) return nullptr;
  std::ifstream file(path, std::ios::binary);
  if (!file) return nullptr;
  const std::string bytes{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  auto zone = std::shared_ptr<TimeZone>(new TimeZone);
  zone->id_ = name;
  if (!zone->parse(bytes)) return nullptr;
  return zone;
}

bool TimeZone::parse(std::string_view file) {
  FileReader in(file);
  const char version = file.size() > 4 ? file[4] : '\0';
  auto header = read_header(in);
  if (!header) return false;
  size_t width = 4;
  if (version >= '2') {  // the first half, in 32 bits, is for old readers
    in.take(static_cast<size_t>(header->times * 5 + header->types * 6 + header->chars +
                                header->leaps * 8 + header->isstd + header->isut));
    header = read_header(in);
    if (!header) return false;
    width = 8;
  }
  std::vector<int64_t> times;
  for (int64_t i = 0; i < header->times; ++i) times.push_back(in.number(width));
  const auto indexes = in.take(static_cast<size_t>(header->times));
  std::vector<int32_t> offsets;
  for (int64_t i = 0; i < header->types; ++i) {
    offsets.push_back(static_cast<int32_t>(in.number(4)));
    in.take(2);
  }
  in.take(static_cast<size_t>(header->chars + header->leaps * static_cast<int64_t>(width + 4) +
                              header->isstd + header->isut));
  if (!in.ok() || !std::is_sorted(times.begin(), times.end())) return false;
  offset_ = {offsets[0]};
  for (size_t i = 0; i < times.size(); ++i) {
    const auto index = static_cast<unsigned char>(indexes[i]);
    if (index >= offsets.size()) return false;
    at_.push_back(times[i]);
    offset_.push_back(offsets[index]);
  }
  if (width == 4) return true;
  auto rule = in.rest();
  if (rule.size() < 2 || rule.front() != '\n') return true;
  rule.remove_prefix(1);
  rule = rule.substr(0, rule.find('\n'));
  return rule.empty() || extend(rule);
}

bool TimeZone::extend(std::string_view text) {
  const auto rule = RuleParser(text).parse();
  if (!rule) return false;
  if (!rule->has_summer) {
    // The rule only confirms the last offset; without any change it is the offset.
    if (at_.empty()) offset_.back() = static_cast<int32_t>(rule->standard);
    return true;
  }
  const int64_t last = at_.empty() ? 0 : at_.back();
  const int64_t first_year = civil_from_days(floor_divide(last, kDay)).year;
  for (int64_t year = first_year; year <= first_year + 401; ++year) {
    std::array<std::pair<int64_t, int64_t>, 2> changes = {
        std::pair{change_in_year(rule->begin, year) - rule->standard, rule->summer},
        std::pair{change_in_year(rule->end, year) - rule->summer, rule->standard}};
    std::sort(changes.begin(), changes.end());
    for (const auto& [time, offset] : changes) {
      if (!at_.empty() && time <= at_.back()) continue;
      at_.push_back(time);
      offset_.push_back(static_cast<int32_t>(offset));
    }
  }
  cyclic_ = true;
  return true;
}

TimeZone::Span TimeZone::span_at(int64_t utc_seconds) const {
  int64_t shift = 0;
  if (cyclic_ && utc_seconds >= at_.back()) {
    shift = ((utc_seconds - at_.back()) / kCycle + 1) * kCycle;
  }
  const int64_t t = utc_seconds - shift;
  const auto next = std::upper_bound(at_.begin(), at_.end(), t);
  const auto index = static_cast<size_t>(next - at_.begin());
  Span span{std::numeric_limits<int64_t>::min(), std::numeric_limits<int64_t>::max(),
            offset_[index]};
  if (index > 0) span.from = at_[index - 1] + shift;
  if (next != at_.end()) span.to = *next + shift;
  return span;
}

int64_t TimeZone::utc_of(int64_t local, bool* leapt) const {
  const int64_t before = span_at(local - kDay).offset, after = span_at(local + kDay).offset;
  const int64_t early = local - before, late = local - after;
  const bool early_fits = span_at(early).offset == before,
             late_fits = span_at(late).offset == after;
  if (leapt) *leapt = !early_fits && !late_fits;
  if (early_fits && late_fits) return std::min(early, late);
  return late_fits ? late : early;
}

}  // namespace meesh
