#include "base/time_zone.h"

#include <gtest/gtest.h>

#include "base/calendar.h"

namespace meesh {
namespace {

std::string id(const char* name) {
  const auto zone = TimeZone::find(name);
  return zone ? zone->id() : "none";
}

int64_t at(int64_t year, unsigned month, unsigned day, int hour, int minute = 0) {
  return days_from_civil(year, month, day) * 86400 + hour * 3600 + minute * 60;
}

TEST(TimeZone, NamesAreTrinos) {
  for (const char* name : {"UTC", "Z", "GMT", "Etc/UTC", "Etc/GMT0", "UTC+0", "+00:00", "-0000",
                           "Zulu", "Universal", "GMT-0"}) {
    EXPECT_EQ(id(name), "UTC") << name;
  }
  EXPECT_EQ(id("+05:30"), "+05:30");
  EXPECT_EQ(id("-0730"), "-07:30");
  EXPECT_EQ(id("+7"), "+07:00");
  EXPECT_EQ(id("UTC+2"), "+02:00");
  EXPECT_EQ(id("GMT-11:30"), "-11:30");
  EXPECT_EQ(id("Etc/GMT-5"), "+05:00");
  EXPECT_EQ(id("Europe/Paris"), "Europe/Paris");
  EXPECT_EQ(id("America/Argentina/Buenos_Aires"), "America/Argentina/Buenos_Aires");
}

TEST(TimeZone, WhatIsNoZone) {
  for (const char* name : {"", "Mars/Olympus", "europe/paris", "+15:00", "+1:5", "+ab", "UTC5",
                           "GMT+", "../etc/passwd", "/etc/passwd", "Europe", "zone.tab",
                           "Europe/../Europe/Paris", "posix/UTC", "localtime"}) {
    EXPECT_EQ(id(name), "none") << name;
  }
}

TEST(TimeZone, SummerTimeOfNewYork) {
  const auto zone = TimeZone::find("America/New_York");
  ASSERT_TRUE(zone);
  EXPECT_EQ(zone->span_at(at(2020, 1, 1, 0)).offset, -5 * 3600);
  EXPECT_EQ(zone->span_at(at(2020, 3, 8, 7) - 1).offset, -5 * 3600);
  EXPECT_EQ(zone->span_at(at(2020, 3, 8, 7)).offset, -4 * 3600);
  EXPECT_EQ(zone->span_at(at(2020, 11, 1, 6) - 1).offset, -4 * 3600);
  EXPECT_EQ(zone->span_at(at(2020, 11, 1, 6)).offset, -5 * 3600);
  EXPECT_EQ(zone->span_at(at(1850, 1, 1, 0)).offset, -17762);  // local mean time
}

TEST(TimeZone, RulesGoOnForEver) {
  const auto zone = TimeZone::find("Europe/Paris");
  ASSERT_TRUE(zone);
  for (const int64_t year : {2038, 2100, 2444, 2500, 9999}) {
    EXPECT_EQ(zone->span_at(at(year, 1, 15, 0)).offset, 3600) << year;
    EXPECT_EQ(zone->span_at(at(year, 7, 15, 0)).offset, 7200) << year;
  }
  // The last Sunday of March 2100 is the 28th, of October the 31st.
  EXPECT_EQ(zone->span_at(at(2100, 3, 28, 1) - 1).offset, 3600);
  EXPECT_EQ(zone->span_at(at(2100, 3, 28, 1)).offset, 7200);
  EXPECT_EQ(zone->span_at(at(2100, 10, 31, 1) - 1).offset, 7200);
  EXPECT_EQ(zone->span_at(at(2100, 10, 31, 1)).offset, 3600);
}

TEST(TimeZone, SouthernAndHalfHourRules) {
  const auto lord_howe = TimeZone::find("Australia/Lord_Howe");
  ASSERT_TRUE(lord_howe);
  EXPECT_EQ(lord_howe->span_at(at(2060, 1, 15, 0)).offset, 11 * 3600);
  EXPECT_EQ(lord_howe->span_at(at(2060, 7, 15, 0)).offset, 10 * 3600 + 1800);
  const auto tokyo = TimeZone::find("Asia/Tokyo");
  ASSERT_TRUE(tokyo);
  EXPECT_EQ(tokyo->span_at(at(2060, 7, 15, 0)).offset, 9 * 3600);
  const auto dublin = TimeZone::find("Europe/Dublin");  // standard time in summer
  ASSERT_TRUE(dublin);
  EXPECT_EQ(dublin->span_at(at(2060, 7, 15, 0)).offset, 3600);
  EXPECT_EQ(dublin->span_at(at(2060, 1, 15, 0)).offset, 0);
}

TEST(TimeZone, SpansMeetWithoutGaps) {
  const auto zone = TimeZone::find("Europe/Paris");
  ASSERT_TRUE(zone);
  int64_t t = at(1800, 1, 1, 0);
  int changes = 0;
  while (t < at(3000, 1, 1, 0)) {
    const auto span = zone->span_at(t);
    ASSERT_LE(span.from, t);
    ASSERT_GT(span.to, t);
    t = span.to;
    ++changes;
  }
  EXPECT_GT(changes, 2 * 1000);
}

TEST(TimeZone, LocalTimesOfClocksThatAreSet) {
  const auto paris = TimeZone::find("Europe/Paris");
  bool leapt = true;
  EXPECT_EQ(paris->utc_of(at(2024, 7, 1, 12), &leapt), at(2024, 7, 1, 10));
  EXPECT_FALSE(leapt);
  // 02:30 twice: the first is still summer's.
  EXPECT_EQ(paris->utc_of(at(2024, 10, 27, 2, 30), &leapt), at(2024, 10, 27, 0, 30));
  EXPECT_FALSE(leapt);
  // 02:30 never: as far after the leap.
  EXPECT_EQ(paris->utc_of(at(2024, 3, 31, 2, 30), &leapt), at(2024, 3, 31, 1, 30));
  EXPECT_TRUE(leapt);
}

}  // namespace
}  // namespace meesh
