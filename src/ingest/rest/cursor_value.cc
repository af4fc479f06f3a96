#include "ingest/rest/cursor_value.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <boost/json/serialize.hpp>
#include <cmath>
#include <ctime>

#include "ingest/decode/numbers.h"
#include "ingest/decode/text_forms.h"
#include "ingest/rest/json_view.h"

namespace meesh::ingest {

namespace {

constexpr int64_t kMicros = 1'000'000;
constexpr int64_t kDaySeconds = 86'400;
constexpr int64_t kLookback = 5 * 60;  // seconds
constexpr int64_t kLookbackOfNumbers = 1000;
constexpr int kPrecision = 6;

int64_t floor_by(int64_t value, int64_t unit) {
  return value >= 0 ? value / unit : -((-value + unit - 1) / unit);
}

/// Holds every 64-bit integer.
long double number_of(const std::string& text) { return std::strtold(text.c_str(), nullptr); }

std::string number_text(long double value) {
  if (value == std::floor(value) && std::abs(value) < 9.2e18L)
    return fmt::format("{}", static_cast<int64_t>(value));
  return fmt::format("{}", static_cast<double>(value));
}

std::string formatted(int64_t seconds, const std::string& pattern) {
  const auto time = static_cast<std::time_t>(seconds);
  std::tm parts{};
  gmtime_r(&time, &parts);
  std::string text(256, '\0');
  text.resize(std::strftime(text.data(), text.size(), pattern.c_str(), &parts));
  return text;
}

}  // namespace

std::optional<CursorValue> CursorValue::of(std::string_view json) {
  CursorValue value;
  if (json.empty() || is_object(json) || is_array(json) || is_null(json) || json == "true" ||
      json == "false")
    return std::nullopt;
  value.text_ = plain_text(json);
  if (json[0] != '"') {
    value.sort_ = Sort::kNumber;
  } else if (const auto day = value.text_.size() == 10 ? read_day(value.text_) : std::nullopt) {
    value.sort_ = Sort::kDay;
    value.count_ = *day;
  } else if (const auto at =
                 value.text_.size() > 10 ? read_instant(value.text_, kPrecision) : std::nullopt) {
    value.sort_ = Sort::kMoment;
    value.count_ = *at;
  } else if (value.text_.empty()) {
    return std::nullopt;
  }
  return value;
}

CursorValue CursorValue::moment(int64_t micros) {
  CursorValue value;
  value.sort_ = Sort::kMoment;
  value.count_ = micros;
  return value;
}

std::optional<CursorValue> CursorValue::of_position(const boost::json::value& position) {
  if (!position.is_string() && !position.is_number()) return std::nullopt;
  std::string text = boost::json::serialize(position);
  return of(text);
}

boost::json::value CursorValue::position() const {
  switch (sort_) {
    case Sort::kNumber: {
      if (const auto count = whole(text_)) return *count;
      return static_cast<double>(number_of(text_));
    }
    case Sort::kMoment:
      return boost::json::string(instant_text(count_));
    case Sort::kDay:
      return boost::json::string(day_text(count_));
    case Sort::kText:
      return boost::json::string(text_);
  }
  return nullptr;
}

bool CursorValue::operator<(const CursorValue& other) const {
  if (sort_ != other.sort_) return text("") < other.text("");
  if (sort_ == Sort::kNumber) return number_of(text_) < number_of(other.text_);
  if (sort_ == Sort::kText) return text_ < other.text_;
  return count_ < other.count_;
}

CursorValue CursorValue::behind(const Lookback& lookback) const {
  CursorValue value = *this;
  const auto seconds = [&](int64_t usual) {
    return lookback.time ? static_cast<int64_t>(lookback.time->count()) : usual;
  };
  switch (sort_) {
    case Sort::kNumber:
      value.text_ =
          number_text(number_of(text_) -
                      static_cast<long double>(lookback.number.value_or(kLookbackOfNumbers)));
      break;
    case Sort::kMoment:
      value.count_ -= seconds(kLookback) * kMicros;
      break;
    case Sort::kDay:
      value.count_ -= (seconds(kDaySeconds) + kDaySeconds - 1) / kDaySeconds;
      break;
    case Sort::kText:
      break;
  }
  return value;
}

CursorValue CursorValue::capped(int64_t micros) const {
  CursorValue value = *this;
  if (sort_ == Sort::kMoment) value.count_ = std::min(count_, micros);
  if (sort_ == Sort::kDay) value.count_ = std::min(count_, floor_by(micros, kDaySeconds * kMicros));
  return value;
}

std::string CursorValue::text(const std::string& format) const {
  if (sort_ == Sort::kText || sort_ == Sort::kNumber) return text_;
  const bool day = sort_ == Sort::kDay;
  const int64_t micros = day ? count_ * kDaySeconds * kMicros : count_;
  const int64_t seconds = floor_by(micros, kMicros);
  if (format == "date" || (format.empty() && day)) return formatted(seconds, "%Y-%m-%d");
  if (format.empty() || format == "iso8601") return formatted(seconds, "%Y-%m-%dT%H:%M:%SZ");
  if (format == "epoch") return fmt::format("{}", seconds);
  if (format == "epoch_ms") return fmt::format("{}", floor_by(micros, 1000));
  return formatted(seconds, format);
}

}  // namespace meesh::ingest
