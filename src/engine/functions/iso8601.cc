#include "engine/functions/iso8601.h"

#include <fmt/format.h>

#include <optional>

#include "engine/functions/build.h"
#include "engine/functions/text.h"
#include "engine/functions/time_parts.h"

namespace meesh::engine {
namespace {

constexpr int64_t kSecond = 1000000000;

class IsoReader {
 public:
  explicit IsoReader(std::string_view text) : text_(text) {}

  IsoMoment timestamp() {
    IsoMoment out;
    if (!peek('T')) out.days = date();
    if (take('T')) {
      if (is_digit(0)) out.nanos = time();
      out.zone = offset();
    }
    end();
    return out;
  }

  int64_t date_only() {
    const int64_t days = date();
    end();
    return days;
  }

  /// Nothing where text and form part; position() tells where. Values are looked at after the form.
  std::optional<IsoMoment> strict() {
    IsoMoment out;
    const auto year = digits(4, 4), month = part('-'), day = part('-');
    if (!year || !month || !day || !take('T')) return std::nullopt;
    const auto hour = digits(2, 2), minute = part(':');
    if (!hour || !minute) return std::nullopt;
    int64_t second = 0, nanos = 0;
    if (peek(':')) {
      const auto read = part(':');
      if (!read) return std::nullopt;
      second = *read;
      if (peek('.')) nanos = fraction(kSecond);
    }
    out.zone = offset();
    if (!done()) return std::nullopt;
    const int in_year = static_cast<int>(*month), in_month = static_cast<int>(*day);
    if (in_year < 1 || in_year > 12 || in_month < 1 || in_month > month_days(*year, in_year))
      not_parsed(no_such_date(*year, in_year, in_month));
    out.days = days_of(*year, in_year, in_month);
    out.nanos =
        (below("HourOfDay", *hour, 24) * 60 + below("MinuteOfHour", *minute, 60)) * 60 * kSecond +
        below("SecondOfMinute", second, 60) * kSecond + nanos;
    return out;
  }
  size_t position() const { return at_; }

 private:
  bool done() const { return at_ == text_.size(); }
  bool peek(char c) const { return at_ < text_.size() && text_[at_] == c; }
  bool is_digit(size_t ahead) const {
    return at_ + ahead < text_.size() && text_[at_ + ahead] >= '0' && text_[at_ + ahead] <= '9';
  }
  bool take(char c) {
    if (!peek(c)) return false;
    ++at_;
    return true;
  }
  std::optional<int64_t> digits(size_t least, size_t most) {
    size_t n = 0;
    int64_t value = 0;
    while (n < most && is_digit(n)) value = value * 10 + (text_[at_ + n++] - '0');
    if (n < least) return std::nullopt;
    at_ += n;
    return value;
  }
  std::optional<int64_t> part(char before) {
    if (!peek(before)) return std::nullopt;
    ++at_;
    return digits(2, 2);
  }

  [[noreturn]] void malformed() const {
    std::string message = "Invalid format: \"" + std::string(text_) + "\"";
    if (at_ > 0 && done()) message += " is too short";
    if (at_ > 0 && !done())
      message += " is malformed at \"" + std::string(text_.substr(at_)) + "\"";
    raise(Code::kInvalidFunctionArgument, message);
  }
  void end() const {
    if (!done()) malformed();
  }
  int64_t within(const char* field, int64_t value, int64_t least, int64_t most) const {
    if (value < least || value > most) {
      raise(Code::kInvalidFunctionArgument,
            fmt::format("Cannot parse \"{}\": Value {} for {} must be in the range [{},{}]", text_,
                        value, field, least, most));
    }
    return value;
  }
  [[noreturn]] void not_parsed(const std::string& why) const {
    raise(Code::kInvalidFunctionArgument,
          fmt::format("Text '{}' could not be parsed: {}", text_, why));
  }
  int64_t below(const char* field, int64_t value, int64_t limit) const {
    if (value >= limit)
      not_parsed(
          fmt::format("Invalid value for {} (valid values 0 - {}): {}", field, limit - 1, value));
    return value;
  }
  int64_t checked_date(int64_t year, int64_t month, int64_t day) const {
    within("monthOfYear", month, 1, 12);
    within("dayOfMonth", day, 1, month_days(year, static_cast<int>(month)));
    return days_of(year, static_cast<int>(month), static_cast<int>(day));
  }

  int64_t date() {
    const bool negative = take('-');
    if (!negative) take('+');
    const auto size = digits(1, 6);
    if (!size) malformed();
    const int64_t year = negative ? -*size : *size;
    if (!peek('-')) return days_of(year, 1, 1);
    if (at_ + 1 < text_.size() && text_[at_ + 1] == 'W') return week_date(year);
    ++at_;
    const size_t before = at_;
    const auto month = digits(1, 3);
    if (!month) malformed();
    if (at_ - before == 3) {
      const bool leap = month_days(year, 2) == 29;
      return days_of(year, 1, 1) + within("dayOfYear", *month, 1, leap ? 366 : 365) - 1;
    }
    if (!take('-')) return checked_date(year, *month, 1);
    const auto day = digits(1, 2);
    if (!day) malformed();
    return checked_date(year, *month, *day);
  }

  int64_t week_date(int64_t year) {
    at_ += 2;
    const auto week = digits(1, 2);
    if (!week) malformed();
    int64_t weekday = 1;
    if (take('-')) {
      const auto day = digits(1, 1);
      if (!day) malformed();
      weekday = within("dayOfWeek", *day, 1, 7);
    }
    // The first week has the 4th of January.
    const int64_t fourth = days_of(year, 1, 4), next = days_of(year + 1, 1, 4);
    const auto monday = [](int64_t days) { return days - ((days + 3) % 7 + 7) % 7; };
    within("weekOfWeekyear", *week, 1, (monday(next) - monday(fourth)) / 7);
    return monday(fourth) + (*week - 1) * 7 + weekday - 1;
  }

  /// ".5" of `unit` nanoseconds; digits below a nanosecond are read over.
  int64_t fraction(int64_t unit) {
    ++at_;
    if (!is_digit(0)) malformed();
    __int128 out = 0;
    for (__int128 share = unit; is_digit(0); ++at_) {
      out += share * (text_[at_] - '0') / 10;
      share /= 10;
    }
    return static_cast<int64_t>(out);
  }
  bool at_fraction() const { return peek('.') || peek(','); }

  int64_t time() {
    const auto hour = digits(1, 2);
    if (!hour) malformed();
    int64_t nanos = within("hourOfDay", *hour, 0, 23) * 3600 * kSecond;
    if (at_fraction()) return nanos + fraction(3600 * kSecond);
    if (!take(':')) return nanos;
    const auto minute = digits(1, 2);
    if (!minute) malformed();
    nanos += within("minuteOfHour", *minute, 0, 59) * 60 * kSecond;
    if (at_fraction()) return nanos + fraction(60 * kSecond);
    if (!take(':')) return nanos;
    const auto second = digits(1, 2);
    if (!second) malformed();
    nanos += within("secondOfMinute", *second, 0, 59) * kSecond;
    return at_fraction() ? nanos + fraction(kSecond) : nanos;
  }

  std::string offset() {
    if (take('Z')) return "UTC";
    if (!peek('+') && !peek('-')) return "";
    const char sign = text_[at_++];
    const auto hours = digits(2, 2);
    if (!hours) malformed();
    int64_t minutes = 0;
    if (take(':') || is_digit(0)) {
      const auto read = digits(2, 2);
      if (!read) malformed();
      minutes = *read;
    }
    return fmt::format("{}{:02}:{:02}", sign, *hours, minutes);
  }

  std::string_view text_;
  size_t at_ = 0;
};

}  // namespace

IsoMoment parse_iso_timestamp(std::string_view text) { return IsoReader(text).timestamp(); }

int64_t parse_iso_date(std::string_view text) { return IsoReader(text).date_only(); }

IsoMoment parse_iso_nanos(std::string_view text) {
  IsoReader reader(text);
  if (auto moment = reader.strict()) return *moment;
  raise(Code::kInvalidFunctionArgument,
        fmt::format("Text '{}' could not be parsed at index {}", text, reader.position()));
}

}  // namespace meesh::engine
