// The fields that a text of a date or time was read into, put together as Joda-Time does.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace meesh::engine {

/// What parsing has learnt so far; what the text does not tell is empty.
struct TimeParts {
  std::optional<int64_t> year;
  std::optional<int> month, day, day_of_year;
  std::optional<int> day_of_week;  // 1 = Monday
  int hour = 0, minute = 0, second = 0, micros = 0;
  int half = -1;            // 0 = AM, 1 = PM
  bool clock_hour = false;  // hour counts 1..12
  std::string zone;
};

/// µs since the epoch, by the clock that the text shows. Throws INVALID_FUNCTION_ARGUMENT in
/// Joda-Time's words when a field is out of its range; `text` is what was read.
int64_t micros_of(const TimeParts& parts, std::string_view text);

/// The error of a day that is none, in the words of java.time's LocalDate.
std::string no_such_date(int64_t year, int month, int day);

}  // namespace meesh::engine
