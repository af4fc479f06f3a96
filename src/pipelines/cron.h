// Cron's five fields and the moments they name in a time zone.
//
//   Cron cron = Cron::parse("30 2 * * MON-FRI");
//   auto next = cron.next(now, TimeZone::find("Europe/Paris"));
//
// As Vixie cron has it: minute, hour, day of month, month, day of week; `*`, numbers, names (JAN,
// MON), ranges, lists, steps; 0 and 7 are Sunday; where both days are restricted either will do; L
// is the last day of the month; @yearly, @monthly, @weekly, @daily and @hourly.
//
// When clocks go forward, a time that does not exist runs once, right after the gap; when they go
// back, one that comes twice runs the first time. Schedules of every hour (the hour field begins
// with `*`) follow elapsed time instead: nothing is made up for, nothing left out.
#pragma once

#include <array>
#include <bitset>
#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace date {
class time_zone;
}

namespace meesh::pipelines {

using Seconds = std::chrono::sys_seconds;

/// A zone of the IANA database. Cheap to copy.
class TimeZone {
 public:
  /// Throws CONFIG_INVALID for an unknown name.
  static TimeZone find(const std::string& name);
  static TimeZone utc() { return find("UTC"); }

  const std::string& name() const { return name_; }
  /// Local time as if it were UTC.
  std::chrono::local_seconds local(Seconds time) const;
  /// The moment a local time names: the first of two; the end of the gap if it does not exist.
  Seconds moment(std::chrono::local_seconds local) const;

 private:
  friend class Cron;
  std::string name_;
  const date::time_zone* zone_ = nullptr;
};

class Cron {
 public:
  /// Throws CONFIG_INVALID naming the field that is wrong.
  static Cron parse(std::string_view text);

  const std::string& text() const { return text_; }
  /// The first moment after `after`; nothing if there is none within 40 years (31 February).
  std::optional<Seconds> next(Seconds after, const TimeZone& zone) const;

 private:
  bool day_matches(std::chrono::local_days day) const;

  std::string text_;
  std::bitset<60> minutes_;
  std::bitset<24> hours_;
  std::bitset<32> days_;                                           // 1…31
  std::bitset<13> months_;                                         // 1…12
  std::bitset<7> weekdays_;                                        // 0 = Sunday
  bool last_day_ = false;                                          // L
  bool any_day_ = false, any_weekday_ = false, any_hour_ = false;  // the field begins with *
};

}  // namespace meesh::pipelines
