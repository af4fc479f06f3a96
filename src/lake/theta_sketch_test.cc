#include "lake/theta_sketch.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>

#include "base/error.h"

namespace meesh::lake {
namespace {

using testing::HasSubstr;

std::string bytes_of(int64_t value) {
  return {reinterpret_cast<const char*>(&value), sizeof value};
}

ThetaSketch sketch_of(int64_t from, int64_t to) {
  ThetaSketch sketch;
  for (int64_t i = from; i < to; ++i) sketch.add(bytes_of(i));
  return sketch;
}

std::string hex(std::string_view bytes) {
  std::string text;
  for (const char byte : bytes) {
    constexpr const char* kDigits = "0123456789abcdef";
    text += kDigits[static_cast<uint8_t>(byte) >> 4];
    text += kDigits[static_cast<uint8_t>(byte) & 15];
  }
  return text;
}

TEST(ThetaSketch, HasTheCompactFormOfDataSketches) {
  ThetaSketch sketch;
  EXPECT_EQ(hex(sketch.compact()),
            "010303"
            "0000"
            "1e"
            "0000");
  sketch.add("");  // is no value
  EXPECT_EQ(sketch.estimate(), 0);
  sketch.add(bytes_of(1));
  const std::string one = sketch.compact();
  EXPECT_EQ(one.size(), 16U);
  EXPECT_EQ(hex(one.substr(0, 8)),
            "010303"
            "0000"
            "3a"
            "cc93");  // the hash of seed 9001
  sketch.add(bytes_of(1));
  EXPECT_EQ(sketch.compact(), one);
  sketch.add(bytes_of(2));
  const std::string two = sketch.compact();
  EXPECT_EQ(hex(two.substr(0, 16)),
            "020303"
            "0000"
            "1a"
            "cc93"
            "02000000"
            "0000803f");
  EXPECT_EQ(two.size(), 32U);
  EXPECT_EQ(theta_estimate(one), 1);
  EXPECT_EQ(theta_estimate(two), 2);
}

/// What DataSketches' own library makes of the numbers 0, 1 and 2.
TEST(ThetaSketch, HashesAsDataSketches) {
  const std::string compact = sketch_of(0, 3).compact();
  ASSERT_EQ(compact.size(), 40U);
  uint64_t hashes[3];
  std::memcpy(hashes, compact.data() + 16, sizeof hashes);
  EXPECT_THAT(hashes, testing::ElementsAre(405753591161026837U, 2206043092153046979U,
                                           2325124908111195109U));
}

TEST(ThetaSketch, CountsExactlyUpToTwiceItsEntries) {
  for (const int64_t count : {1, 31, 32, 33, 4096, 4097, 8192}) {
    const ThetaSketch sketch = sketch_of(0, count);
    EXPECT_EQ(sketch.estimate(), static_cast<double>(count));
    EXPECT_EQ(theta_estimate(sketch.compact()), static_cast<double>(count));
  }
}

TEST(ThetaSketch, EstimatesMany) {
  for (const int64_t count : {8193, 100'000, 2'000'000}) {
    const ThetaSketch sketch = sketch_of(0, count);
    EXPECT_NEAR(sketch.estimate(), static_cast<double>(count), static_cast<double>(count) * 0.05);
    const std::string compact = sketch.compact();
    EXPECT_EQ(compact.size(), 24 + 8 * ThetaSketch::kNominalEntries);
    EXPECT_EQ(theta_estimate(compact), sketch.estimate());
    std::vector<uint64_t> hashes(ThetaSketch::kNominalEntries);
    std::memcpy(hashes.data(), compact.data() + 24, compact.size() - 24);
    EXPECT_TRUE(std::is_sorted(hashes.begin(), hashes.end()));
    uint64_t theta = 0;
    std::memcpy(&theta, compact.data() + 16, 8);
    EXPECT_LT(hashes.back(), theta);
  }
}

TEST(ThetaSketch, IsTheSameHoweverValuesAreSpreadAndOrdered) {
  for (const int64_t count : {10, 5000, 9000, 50'000}) {
    const std::string whole = sketch_of(0, count).compact();
    ThetaSketch backwards;
    for (int64_t i = count; i-- > 0;) backwards.add(bytes_of(i));
    EXPECT_EQ(backwards.compact(), whole) << count;
    ThetaSketch merged;
    merged.merge(sketch_of(count / 3, count));
    merged.merge(ThetaSketch());
    merged.merge(sketch_of(0, count / 2));
    EXPECT_EQ(merged.compact(), whole) << count;
    ThetaSketch other = sketch_of(0, 7);
    other.merge(merged);
    EXPECT_EQ(other.compact(), whole) << count;
  }
}

TEST(ThetaSketch, RefusesWhatIsNone) {
  const std::string good = sketch_of(0, 20'000).compact();
  const auto error_of = [](const std::string& bytes) -> std::string {
    try {
      theta_estimate(bytes);
    } catch (const Error& error) {
      return error.message();
    }
    return "no error";
  };
  for (const size_t size : {0UL, 7UL, 8UL, 23UL, 24UL, good.size() - 1})
    EXPECT_THAT(error_of(good.substr(0, size)), HasSubstr("cut short")) << size;
  const auto with = [&](size_t at, char byte) {
    std::string bytes = good;
    bytes[at] = byte;
    return error_of(bytes);
  };
  EXPECT_THAT(with(2, 2), HasSubstr("family 2"));
  EXPECT_THAT(with(1, 4), HasSubstr("serial version 4"));
  EXPECT_THAT(with(5, '\x1b'), HasSubstr("big-endian"));
  EXPECT_THAT(with(6, 0), HasSubstr("another seed"));
  EXPECT_THAT(with(0, 9), HasSubstr("9 words"));
  EXPECT_THAT(with(0, 0), HasSubstr("0 words"));
  EXPECT_THAT(with(23, '\xff'), HasSubstr("the bound"));
}

}  // namespace
}  // namespace meesh::lake
