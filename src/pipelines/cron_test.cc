#include "pipelines/cron.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"

namespace meesh::pipelines {
namespace {

using std::chrono::local_days;
using std::chrono::local_seconds;

/// "2025-03-30 02:30" in UTC.
Seconds utc(const std::string& text) {
  int y = 0, mo = 0, d = 0, h = 0, mi = 0;
  EXPECT_EQ(std::sscanf(text.c_str(), "%d-%d-%d %d:%d", &y, &mo, &d, &h, &mi), 5) << text;
  return std::chrono::sys_days(std::chrono::year(y) / mo / d) + std::chrono::hours(h) +
         std::chrono::minutes(mi);
}

std::string text(Seconds time) {
  const auto day = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date(day);
  const auto minutes = std::chrono::duration_cast<std::chrono::minutes>(time - day).count();
  return fmt::format("{:04}-{:02}-{:02} {:02}:{:02}", static_cast<int>(date.year()),
                     static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                     minutes / 60, minutes % 60);
}

std::vector<std::string> next(const std::string& cron, const std::string& zone,
                              const std::string& after, int count) {
  const Cron schedule = Cron::parse(cron);
  const TimeZone where = TimeZone::find(zone);
  std::vector<std::string> found;
  Seconds at = utc(after);
  for (int i = 0; i < count; ++i) {
    const auto moment = schedule.next(at, where);
    if (!moment) break;
    found.push_back(text(*moment));
    at = *moment;
  }
  return found;
}

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

TEST(Cron, FieldsAreValuesRangesListsAndSteps) {
  EXPECT_THAT(next("0 6 * * *", "UTC", "2025-01-15 06:00", 2),
              ElementsAre("2025-01-16 06:00", "2025-01-17 06:00"));
  EXPECT_THAT(next("*/20 * * * *", "UTC", "2025-01-15 23:39", 3),
              ElementsAre("2025-01-15 23:40", "2025-01-16 00:00", "2025-01-16 00:20"));
  EXPECT_THAT(
      next("5,35 8-10/2 * * *", "UTC", "2025-01-15 08:05", 4),
      ElementsAre("2025-01-15 08:35", "2025-01-15 10:05", "2025-01-15 10:35", "2025-01-16 08:05"));
  EXPECT_THAT(next("50/5 1 * * *", "UTC", "2025-01-15 01:50", 2),
              ElementsAre("2025-01-15 01:55", "2025-01-16 01:50"));
  EXPECT_THAT(next("0 0 1 FEB,aug *", "UTC", "2025-01-15 00:00", 2),
              ElementsAre("2025-02-01 00:00", "2025-08-01 00:00"));
}

TEST(Cron, SundayIsZeroAndSeven) {
  for (const char* day : {"0", "7", "SUN", "6-7"}) {
    EXPECT_EQ(next(fmt::format("0 0 * * {}", day), "UTC", "2025-01-18 12:00", 1).at(0),
              "2025-01-19 00:00")
        << day;
  }
  EXPECT_THAT(next("0 0 * * MON-FRI", "UTC", "2025-01-17 00:00", 1),
              ElementsAre("2025-01-20 00:00"));
}

TEST(Cron, EitherDayWillDoWhereBothAreRestricted) {
  // Friday 13th was in June 2025; the rule gives every 13th and every Friday.
  EXPECT_THAT(next("0 0 13 * 5", "UTC", "2025-06-12 00:00", 3),
              ElementsAre("2025-06-13 00:00", "2025-06-20 00:00", "2025-06-27 00:00"));
  EXPECT_THAT(next("0 0 13 * *", "UTC", "2025-06-13 00:00", 1), ElementsAre("2025-07-13 00:00"));
  // A field that begins with * does not restrict, steps or not.
  EXPECT_THAT(next("0 0 */2 * 1", "UTC", "2025-06-01 00:00", 2),
              ElementsAre("2025-06-09 00:00", "2025-06-23 00:00"));
}

TEST(Cron, WordsAndTheLastDay) {
  EXPECT_THAT(next("@daily", "UTC", "2025-01-15 06:00", 1), ElementsAre("2025-01-16 00:00"));
  EXPECT_THAT(next("@hourly", "UTC", "2025-01-15 06:00", 1), ElementsAre("2025-01-15 07:00"));
  EXPECT_THAT(next("@weekly", "UTC", "2025-01-15 06:00", 1), ElementsAre("2025-01-19 00:00"));
  EXPECT_THAT(next("@monthly", "UTC", "2025-01-15 06:00", 1), ElementsAre("2025-02-01 00:00"));
  EXPECT_THAT(next("@yearly", "UTC", "2025-01-15 06:00", 1), ElementsAre("2026-01-01 00:00"));
  EXPECT_THAT(next("0 0 L * *", "UTC", "2024-02-01 00:00", 3),
              ElementsAre("2024-02-29 00:00", "2024-03-31 00:00", "2024-04-30 00:00"));
  EXPECT_THAT(next("0 0 29 2 *", "UTC", "2025-01-01 00:00", 1), ElementsAre("2028-02-29 00:00"));
  EXPECT_THAT(next("0 0 31 2 *", "UTC", "2025-01-01 00:00", 1), IsEmpty());
}

TEST(Cron, SkippedTimesRunOnceRightAfterTheGap) {
  // Paris, 30 March 2025: 02:00 becomes 03:00 at 01:00 UTC.
  EXPECT_THAT(next("30 2 * * *", "Europe/Paris", "2025-03-28 12:00", 3),
              ElementsAre("2025-03-29 01:30", "2025-03-30 01:00", "2025-03-31 00:30"));
  EXPECT_THAT(next("0,30 2 * * *", "Europe/Paris", "2025-03-29 12:00", 2),
              ElementsAre("2025-03-30 01:00", "2025-03-31 00:00"));
  EXPECT_THAT(next("30 2,3 * * *", "Europe/Paris", "2025-03-29 12:00", 3),
              ElementsAre("2025-03-30 01:00", "2025-03-30 01:30", "2025-03-31 00:30"));
  // New York, 9 March 2025: 02:00 becomes 03:00 at 07:00 UTC.
  EXPECT_THAT(next("15 2 * * *", "America/New_York", "2025-03-08 12:00", 2),
              ElementsAre("2025-03-09 07:00", "2025-03-10 06:15"));
  // Lord Howe, 5 October 2025: 02:00 becomes 02:30 at 15:30 UTC of the day before.
  EXPECT_THAT(next("15 2 * * *", "Australia/Lord_Howe", "2025-10-03 18:00", 2),
              ElementsAre("2025-10-04 15:30", "2025-10-05 15:15"));
}

TEST(Cron, TimesThatComeTwiceRunOnce) {
  // Paris, 26 October 2025: 03:00 becomes 02:00 at 01:00 UTC.
  EXPECT_THAT(next("30 2 * * *", "Europe/Paris", "2025-10-25 12:00", 2),
              ElementsAre("2025-10-26 00:30", "2025-10-27 01:30"));
  // New York, 2 November 2025: 02:00 becomes 01:00 at 06:00 UTC.
  EXPECT_THAT(next("30 1 * * *", "America/New_York", "2025-11-01 12:00", 2),
              ElementsAre("2025-11-02 05:30", "2025-11-03 06:30"));
  // Lord Howe, 6 April 2025: 02:00 becomes 01:30 at 15:00 UTC of the day before.
  EXPECT_THAT(next("45 1 * * *", "Australia/Lord_Howe", "2025-04-04 18:00", 2),
              ElementsAre("2025-04-05 14:45", "2025-04-06 15:15"));
}

TEST(Cron, SchedulesOfEveryHourFollowElapsedTime) {
  EXPECT_THAT(next("*/30 * * * *", "Europe/Paris", "2025-10-25 23:59", 5),
              ElementsAre("2025-10-26 00:00", "2025-10-26 00:30", "2025-10-26 01:00",
                          "2025-10-26 01:30", "2025-10-26 02:00"));
  EXPECT_THAT(next("15 * * * *", "Europe/Paris", "2025-03-30 00:00", 3),
              ElementsAre("2025-03-30 00:15", "2025-03-30 01:15", "2025-03-30 02:15"));
}

TEST(Cron, ADayThatDoesNotExist) {
  // Apia skipped 30 December 2011.
  EXPECT_THAT(next("0 12 * * *", "Pacific/Apia", "2011-12-29 00:00", 3),
              ElementsAre("2011-12-29 22:00", "2011-12-30 10:00", "2011-12-30 22:00"));
}

TEST(Cron, MistakesNameTheField) {
  const auto mistake = [](const std::string& cron) {
    try {
      Cron::parse(cron);
    } catch (const Error& error) {
      return std::string(error.what());
    }
    return std::string("none");
  };
  EXPECT_THAT(mistake(""), HasSubstr("fields"));
  EXPECT_THAT(mistake("* * * *"), HasSubstr("4 fields"));
  EXPECT_THAT(mistake("60 * * * *"), HasSubstr("in the minute, '60': values are 0 to 59"));
  EXPECT_THAT(mistake("* 24 * * *"), HasSubstr("in the hour"));
  EXPECT_THAT(mistake("* * 0 * *"), HasSubstr("in the day of month"));
  EXPECT_THAT(mistake("* * * 13 *"), HasSubstr("in the month"));
  EXPECT_THAT(mistake("* * * * 8"), HasSubstr("in the day of week"));
  EXPECT_THAT(mistake("*/0 * * * *"), HasSubstr("leads nowhere"));
  EXPECT_THAT(mistake("9-5 * * * *"), HasSubstr("backwards"));
  EXPECT_THAT(mistake("1,, * * * *"), HasSubstr("expected"));
  EXPECT_THAT(mistake("* * * * noday"), HasSubstr("'noday'"));
  EXPECT_THAT(mistake("@reboot"), HasSubstr("@yearly"));
  EXPECT_THROW(TimeZone::find("Europe/Lutetia"), Error);
  EXPECT_THROW(TimeZone::find("../../etc/passwd"), Error);
}

}  // namespace
}  // namespace meesh::pipelines
