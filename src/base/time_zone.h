// Time zones by name: UTC, fixed offsets and the regions of the machine's tz database
// (/usr/share/zoneinfo, or $TZDIR), read once each and kept.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace meesh {

class TimeZone {
 public:
  /// Null if there is no such zone. Names are Trino's: case matters; "Z", "GMT", "Etc/UTC" … are
  /// "UTC"; "UTC+2", "+2", "+0200" are "+02:00". Thread-safe.
  static std::shared_ptr<const TimeZone> find(std::string_view name);
  static std::shared_ptr<const TimeZone> utc();

  /// The canonical name: "UTC", "+05:30", "Europe/Paris".
  const std::string& id() const { return id_; }

  /// A stretch of time with one offset: from <= t < to, in seconds since the epoch (UTC).
  struct Span {
    int64_t from, to;
    int32_t offset;  // seconds east of UTC
  };
  Span span_at(int64_t utc_seconds) const;

  /// Seconds since the epoch at which a clock in the zone shows `local`. Of two, the first; a time
  /// that the clock leaps over is as far after the leap (java.time's rule), and `leapt` says so.
  int64_t utc_of(int64_t local, bool* leapt = nullptr) const;

 private:
  TimeZone() = default;
  static std::shared_ptr<const TimeZone> fixed(std::string id, int32_t offset);
  static std::shared_ptr<const TimeZone> load(const std::string& name);
  bool parse(std::string_view file);
  bool extend(std::string_view rule);

  std::string id_;
  std::vector<int64_t> at_;      // ascending times of change
  std::vector<int32_t> offset_;  // offset_[i] holds before at_[i]; the last one after all
  bool cyclic_ = false;          // the last 400 years of at_ repeat for ever
};

}  // namespace meesh
