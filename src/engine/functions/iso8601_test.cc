#include "engine/functions/iso8601.h"

#include <gtest/gtest.h>

#include <exception>

namespace meesh::engine {
namespace {

std::string refusal(std::string_view text) {
  try {
    parse_iso_timestamp(text);
  } catch (const std::exception& e) {
    return e.what();
  }
  return "taken";
}

TEST(Iso8601, WeeksAndDaysOfTheYear) {
  EXPECT_EQ(parse_iso_date("2024-060"), parse_iso_date("2024-02-29"));
  EXPECT_EQ(parse_iso_date("2024-W09-4"), parse_iso_date("2024-02-29"));
  EXPECT_EQ(parse_iso_date("2021-W01"), parse_iso_date("2021-01-04"));
  EXPECT_EQ(parse_iso_date("2020-W53-7"), parse_iso_date("2021-01-03"));
  EXPECT_EQ(parse_iso_date("-0001-12-31") + 1, parse_iso_date("0000-01-01"));
}

TEST(Iso8601, FractionsOfWhateverIsLast) {
  EXPECT_EQ(parse_iso_timestamp("2024-01-01T12.5").nanos, 45000000000000);
  EXPECT_EQ(parse_iso_timestamp("T00:00,5").nanos, 30000000000);
  EXPECT_EQ(parse_iso_timestamp("T00:00:00.0000000019").nanos, 1);
  EXPECT_EQ(parse_iso_timestamp("T01:02-0730").zone, "-07:30");
}

TEST(Iso8601, WhatIsNoDate) {
  EXPECT_NE(refusal("2023-366").find("Value 366 for dayOfYear must be in the range [1,365]"),
            std::string::npos);
  EXPECT_NE(refusal("2021-W53").find("weekOfWeekyear"), std::string::npos);
  for (const char* text : {"", "x", "2024-", "2024-02-30", "2024-01-01T25", "2024-01-01T01:02:03.",
                           "2024-01-01T01+", "2024-01-01 01:02"}) {
    EXPECT_NE(refusal(text), "taken") << text;
  }
}

}  // namespace
}  // namespace meesh::engine
