// Values of the field that tells what is new: compared, kept in positions, put into requests.
#pragma once

#include <boost/json/value.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "ingest/source_config.h"

namespace meesh::ingest {

class CursorValue {
 public:
  /// Of a JSON value: a number, or a text, which may be a moment or a day. Nothing for others.
  static std::optional<CursorValue> of(std::string_view json);
  static std::optional<CursorValue> of_position(const boost::json::value& position);
  /// A moment, in µs since 1970 UTC.
  static CursorValue moment(int64_t micros);

  boost::json::value position() const;
  /// Values of different sorts compare as texts.
  bool operator<(const CursorValue& other) const;
  /// This value less what an incremental read looks behind it: 5 minutes of times, a day of days,
  /// 1,000 of numbers, unless told.
  CursorValue behind(const Lookback& lookback) const;
  /// At most `micros`, if it is a moment or a day.
  CursorValue capped(int64_t micros) const;
  /// As a request says it; `format` as Since has it, "" = as APIs usually take it: iso8601 of
  /// moments, date of days, others as they are.
  std::string text(const std::string& format) const;

 private:
  enum class Sort { kNumber, kMoment, kDay, kText };
  Sort sort_ = Sort::kText;
  int64_t count_ = 0;  // µs, days
  std::string text_;   // as written: numbers and texts
};

}  // namespace meesh::ingest
