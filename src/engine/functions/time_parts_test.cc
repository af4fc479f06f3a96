#include "engine/functions/time_parts.h"

#include <gtest/gtest.h>

#include "duckdb.hpp"
#include "engine/functions/text.h"
#include "engine/functions/time_format.h"

namespace meesh::engine {
namespace {

std::string parsed(std::string_view text, std::string_view pattern) {
  try {
    return timestamp_text(mysql_parse(text, pattern), 6, 0);
  } catch (const duckdb::Exception& error) {
    return duckdb::ErrorData(error).RawMessage();
  }
}

TEST(TimeParts, WithoutAYearItIsALeapYear) {
  EXPECT_EQ(parsed("02-29", "%m-%d"), "2000-02-29 00:00:00");
  EXPECT_EQ(parsed("10:20", "%H:%i"), "1970-01-01 10:20:00");
}

TEST(TimeParts, TheDayOfTheWeekMovesTheDate) {
  EXPECT_EQ(parsed("Monday February", "%W %M"), "2000-02-28 00:00:00");
  EXPECT_EQ(parsed("Monday 2024-02-06", "%W %Y-%m-%d"), "2024-02-05 00:00:00");
}

TEST(TimeParts, FieldsOutOfTheirRangeAreNamed) {
  EXPECT_EQ(parsed("2024-02-30", "%Y-%m-%d"), "Invalid date 'FEBRUARY 30'");
  EXPECT_EQ(parsed("2023-02-29", "%Y-%m-%d"),
            "Invalid date 'February 29' as '2023' is not a leap year");
  EXPECT_EQ(parsed("25", "%H"),
            "Cannot parse \"25\": Value 25 for hourOfDay must be in the range [0,23]");
  EXPECT_EQ(parsed("0 PM", "%l %p"),
            "Cannot parse \"0 PM\": Value 0 for clockhourOfHalfday must be in the range [1,12]");
}

}  // namespace
}  // namespace meesh::engine
