// Numbers and times as messages write them, read without a loss.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "ingest/decode/column.h"

namespace meesh::ingest {

/// A number as JSON writes it, from its first to its last character: "-12.50", "1e3".
bool is_number(std::string_view text);

enum class Digits {
  kExact,   // digits behind the scale that are not zero are refused
  kRounded  // half away from zero
};

/// The unscaled value of a number (see is_number) at a scale: "12.5" at 2 is 1250. Nothing if it
/// has more than 38 digits there, or loses some.
std::optional<__int128> scaled(std::string_view number, int scale, Digits digits = Digits::kExact);

/// A whole number: "12", "12.0", "1e3".
std::optional<int64_t> whole(std::string_view number);

/// Years 1 to 9999: what else appears are moments in the wrong unit.
bool sensible_day(int64_t days);
bool sensible_moment(int64_t micros);

/// "2025-01-15" as days since 1970-01-01.
std::optional<int64_t> read_day(std::string_view text);
/// "10:15", "10:15:30.123456" as µs of the day, rounded to `precision` digits.
std::optional<int64_t> read_time_of_day(std::string_view text, int precision);
/// "2025-01-15T10:15:30.123+02:00", with a space for the T, without a zone (UTC), without a time
/// (midnight), as µs since 1970 UTC, rounded to `precision` digits, six at most.
std::optional<int64_t> read_instant(std::string_view text, int precision);

/// A number in the unit of `format` (kText: milliseconds) as µs.
std::optional<int64_t> micros_of(std::string_view number, TimeFormat format);
std::optional<int64_t> micros_of(int64_t number, TimeFormat format);

}  // namespace meesh::ingest
