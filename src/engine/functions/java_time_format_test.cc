#include "engine/functions/java_time_format.h"

#include <gtest/gtest.h>

namespace meesh::engine {
namespace {

JavaTime zoned(int64_t micros, const char* zone, int64_t offset) {
  JavaTime out;
  out.kind = JavaTime::Kind::kZoned;
  out.micros = micros;
  out.zone = zone;
  out.offset = offset;
  return out;
}

TEST(JavaTime, TextHasAsManyDigitsAsItNeeds) {
  auto time = zoned(3600000000, "Europe/Paris", 3600);
  EXPECT_EQ(time.text(), "1970-01-01T01:00+01:00[Europe/Paris]");
  time.micros += 1000;
  EXPECT_EQ(time.text(), "1970-01-01T01:00:00.001+01:00[Europe/Paris]");
  time.nanos = 5;
  EXPECT_EQ(time.text(), "1970-01-01T01:00:00.001000005+01:00[Europe/Paris]");
  EXPECT_EQ(zoned(0, "+05:30", 19800).text(), "1970-01-01T00:00+05:30");
}

TEST(JavaTime, InstantsBeforeTheEpoch) {
  const auto time = zoned(-1, "UTC", 0);
  EXPECT_EQ(time.converted('s'), "-1");
  EXPECT_EQ(time.converted('Q'), "-1");
  EXPECT_EQ(time.converted('c'), "Wed Dec 31 23:59:59 UTC 1969");
  EXPECT_EQ(time.converted('q'), std::nullopt);
}

TEST(JavaTime, WhatAValueHasNotIsAnError) {
  const auto date = JavaTime::of(duckdb::Value::DATE(duckdb::date_t(0)));
  ASSERT_TRUE(date.has_value());
  EXPECT_EQ(date->converted('F'), "1970-01-01");
  EXPECT_ANY_THROW(date->converted('H'));
  EXPECT_ANY_THROW(date->converted('z'));
}

}  // namespace
}  // namespace meesh::engine
