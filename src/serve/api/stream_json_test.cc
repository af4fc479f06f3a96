#include "serve/api/stream_json.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace meesh::serve::api {
namespace {

using streams::ResetTo;
using testing::HasSubstr;

std::string complaint(const std::function<void()>& of) {
  try {
    of();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::kBadRequest);
    return error.what();
  }
  return "none";
}

TEST(StreamJson, MomentsAreReadAsPeopleWriteThem) {
  constexpr int64_t kMoment = 1'736'920'800'000;  // 2025-01-15T06:00:00Z
  for (const char* text :
       {"2025-01-15T06:00:00Z", "2025-01-15T06:00:00", "2025-01-15 06:00",
        "2025-01-15T07:00:00+01:00", "2025-01-15T06:00:00.000Z", "1736920800000"})
    EXPECT_EQ(instant_of(text, "from"), kMoment) << text;
  EXPECT_EQ(instant_of("2025-01-15", "from"), kMoment - 6 * 3'600'000);
  EXPECT_EQ(instant_of("2025-01-15T06:00:00.250Z", "from"), kMoment + 250);
  EXPECT_EQ(instant_text(kMoment + 250), "2025-01-15T06:00:00.250Z");
}

TEST(StreamJson, WhatIsNoMomentIsRefused) {
  for (const char* text : {"", "yesterday", "2025-02-30", "2025-01-15T25:00:00Z", "-5", "2025"})
    EXPECT_THAT(complaint([&] { instant_of(text, "from"); }), HasSubstr("is no moment")) << text;
}

TEST(StreamJson, AResetNamesABeginning) {
  EXPECT_EQ(reset_to("earliest").kind, ResetTo::Kind::kEarliest);
  EXPECT_EQ(reset_to("latest").kind, ResetTo::Kind::kLatest);
  const auto time = reset_to("2025-01-15T06:00:00Z");
  EXPECT_EQ(time.kind, ResetTo::Kind::kTime);
  EXPECT_EQ(time.time_ms, 1'736'920'800'000);
  const auto offsets = reset_to("ventes-temps-reel:0=1500,b.c_d:12=0");
  EXPECT_EQ(offsets.kind, ResetTo::Kind::kOffsets);
  const streams::Offsets expected{{{.topic = "ventes-temps-reel", .partition = 0}, 1500},
                                  {{.topic = "b.c_d", .partition = 12}, 0}};
  EXPECT_EQ(offsets.offsets, expected);
}

TEST(StreamJson, WhatIsNoBeginningIsRefused) {
  for (const char* text :
       {"a=1", ":0=1", "a:0=", "a:0=-1", "a:x=1", "a:0=1,", "a:0=1,,b:0=2", "a:0=1x"})
    EXPECT_THAT(complaint([&] { reset_to(text); }), HasSubstr("is no offset")) << text;
  EXPECT_THAT(complaint([&] { reset_to("a:0=1,a:0=2"); }), HasSubstr("named twice"));
  EXPECT_THAT(complaint([&] { reset_to("soon"); }), HasSubstr("is no moment"));
}

TEST(StreamJson, WhatIsNotKnownIsNull) {
  streams::StreamStatus status;
  status.partitions = {{.partition = {.topic = "t", .partition = 0}, .committed = 7, .end = -1},
                       {.partition = {.topic = "t", .partition = 1}, .committed = 7, .end = 9}};
  const auto told = to_json(status);
  EXPECT_TRUE(told.at("lag").is_null());
  EXPECT_TRUE(told.at("watermark").is_null());
  EXPECT_FALSE(told.contains("error"));
  EXPECT_TRUE(told.at("partitions").at(0).at("lag").is_null());
  EXPECT_EQ(told.at("partitions").at(1).at("lag").as_int64(), 2);
}

TEST(StreamJson, PasswordsStayBehind) {
  streams::StreamConfig config;
  config.sources.emplace_back();
  config.sources[0].kafka.password = "hush";
  config.sources[0].format.registry.password = "hush";
  config.text = "password: hush";
  config.sinks.emplace_back();
  config.sinks[0].kafka.password = "hush";
  EXPECT_THAT(boost::json::serialize(to_json(config)), Not(HasSubstr("hush")));
}

}  // namespace
}  // namespace meesh::serve::api
