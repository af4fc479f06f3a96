#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "base/error.h"
#include "engine/functions/spooky_hash.h"
#include "engine/sketches/hyperloglog.h"
#include "engine/sketches/murmur3.h"
#include "engine/sketches/quantile_digest.h"
#include "engine/sketches/set_digest.h"
#include "engine/sketches/tdigest.h"

namespace meesh::engine {
namespace {

using testing::ElementsAre;

template <class S>
S reread(S& sketch) {
  return S::parse(sketch.bytes());
}

HyperLogLog log_of(int64_t from, int64_t to) {
  HyperLogLog out;
  for (int64_t i = from; i < to; ++i) out.add_hash(murmur3_64(i));
  return out;
}

TEST(HyperLogLog, CountsFewValuesExactly) {
  EXPECT_EQ(HyperLogLog().cardinality(), 0);
  EXPECT_EQ(log_of(0, 300).cardinality(), 300);
}

TEST(HyperLogLog, CountsManyWithinItsError) {
  for (const int64_t count : {1000, 5000, 12000, 40000, 1000000}) {
    const auto told = static_cast<double>(log_of(0, count).cardinality());
    EXPECT_NEAR(told / static_cast<double>(count), 1, 0.06) << count;
  }
}

TEST(HyperLogLog, BytesKeepSmallAndLarge) {
  for (const int64_t count : {0, 5, 300, 20000}) {
    auto log = log_of(0, count);
    const auto again = reread(log);
    EXPECT_EQ(again.cardinality(), log.cardinality());
    EXPECT_EQ(again.bytes(), log.bytes());
  }
}

TEST(HyperLogLog, MergeIsTheUnionWhateverTheForms) {
  for (const int64_t middle : {100, 10000}) {
    auto left = log_of(0, middle);
    left.merge(log_of(middle / 2, 20000));
    EXPECT_EQ(left.bytes(), log_of(0, 20000).bytes());
    auto right = log_of(middle / 2, 20000);
    right.merge(log_of(0, middle));
    EXPECT_EQ(right.bytes(), left.bytes());
  }
}

TEST(HyperLogLog, OfOtherBucketsIsRefused) {
  HyperLogLog coarse(11);
  EXPECT_THROW(coarse.merge(HyperLogLog()), Error);
}

TEST(Sketches, BrokenBytesAreRefused) {
  const std::string nothing, format(1, '\x7F'), cut("\x02\x0C\x05", 3);
  for (const auto& bytes : {nothing, format, cut}) {
    EXPECT_THROW(HyperLogLog::parse(bytes), Error);
    EXPECT_THROW(Tdigest::parse(bytes), Error);
    EXPECT_THROW(QuantileDigest::parse(bytes), Error);
    EXPECT_THROW(SetDigest::parse(bytes), Error);
  }
}

TEST(Tdigest, FewValuesAreThemselves) {
  Tdigest digest;
  for (const double value : {4, 1, 3, 2}) digest.add(value, 1);
  const auto again = reread(digest);
  EXPECT_THAT(again.values_at({0, 0.25, 0.5, 0.75, 1}), ElementsAre(1, 2, 3, 4, 4));
  EXPECT_TRUE(std::isnan(Tdigest().values_at({0.5})[0]));
}

TEST(Tdigest, ManyValuesAreCloseAndFew) {
  std::mt19937 random(7);
  std::uniform_real_distribution<double> uniform(0, 1000);
  Tdigest digest, half;
  for (int i = 0; i < 100000; ++i) (i % 2 ? digest : half).add(uniform(random), 1);
  digest.merge(half);
  EXPECT_LT(digest.bytes().size(), 4000U);
  const auto values = reread(digest).values_at({0.01, 0.5, 0.99});
  EXPECT_NEAR(values[0], 10, 2);
  EXPECT_NEAR(values[1], 500, 10);
  EXPECT_NEAR(values[2], 990, 2);
}

TEST(QuantileDigest, FewValuesAreThemselves) {
  QuantileDigest digest;
  for (const int64_t value : {4, 1, -3, 2}) digest.add(value, 1);
  const auto again = reread(digest);
  EXPECT_THAT(again.values_at({0, 0.5, 1}), ElementsAre(-3, 2, 4));
  EXPECT_EQ(again.quantile_of(2), 0.5);
  EXPECT_EQ(again.quantile_of(5), std::nullopt);
  EXPECT_EQ(QuantileDigest().quantile_of(5), std::nullopt);
}

TEST(QuantileDigest, ManyValuesAreCloseAndFew) {
  QuantileDigest digest, half;
  for (int64_t i = 0; i < 100000; ++i) (i % 3 ? digest : half).add(i * 7919 % 100000, 1);
  digest.merge(half);
  EXPECT_LT(digest.bytes().size(), 80000U);
  const auto values = reread(digest).values_at({0.1, 0.5, 0.9});
  EXPECT_NEAR(static_cast<double>(values[0]), 10000, 1500);
  EXPECT_NEAR(static_cast<double>(values[1]), 50000, 1500);
  EXPECT_NEAR(static_cast<double>(values[2]), 90000, 1500);
  EXPECT_NEAR(*digest.quantile_of(25000), 0.25, 0.02);
}

TEST(QuantileDigest, NumbersKeepTheirOrderAsBits) {
  const double values[] = {-INFINITY, -2.5, -0.0, 0.0, 1e-300, 7, INFINITY};
  for (size_t i = 0; i + 1 < std::size(values); ++i)
    EXPECT_LT(ordered_bits(values[i]), ordered_bits(values[i + 1]));
  EXPECT_EQ(double_of_bits(ordered_bits(-2.5)), -2.5);
  EXPECT_EQ(float_of_bits(ordered_bits(-2.5F)), -2.5F);
}

SetDigest set_of(int64_t from, int64_t to) {
  SetDigest out;
  for (int64_t i = from; i < to; ++i) out.add_hash(murmur3_64(i));
  return out;
}

TEST(SetDigest, KnowsSmallSetsExactly) {
  const auto a = set_of(0, 300), b = set_of(100, 400);
  EXPECT_EQ(a.cardinality(), 300);
  EXPECT_EQ(SetDigest::intersection(a, b), 200);
  auto both = a;
  both.merge(b);
  EXPECT_EQ(both.cardinality(), 400);
  EXPECT_EQ(reread(both).bytes(), both.bytes());
  EXPECT_TRUE(std::isnan(SetDigest::jaccard_index(a, SetDigest())));
}

TEST(SetDigest, ComparesLargeSets) {
  const auto a = set_of(0, 60000), b = set_of(30000, 90000);
  EXPECT_FALSE(a.exact());
  EXPECT_NEAR(SetDigest::jaccard_index(a, b), 1.0 / 3, 0.03);
  EXPECT_NEAR(static_cast<double>(SetDigest::intersection(a, b)), 30000, 5000);
}

TEST(SetDigest, CountsHowOftenAHashCame) {
  SetDigest set;
  for (int i = 0; i < 40000; ++i) set.add_hash(5);
  EXPECT_EQ(set.counts().at(5), 32767);
}

}  // namespace
}  // namespace meesh::engine
