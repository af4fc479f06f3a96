#include <gmock/gmock.h>

#include "net/http.h"

namespace meesh::net {
namespace {

using testing::ElementsAre;
using testing::Pair;

TEST(Percent, EncodesAllButUnreserved) {
  EXPECT_EQ(percent_encode("a b/ü~"), "a%20b%2F%C3%BC~");
  EXPECT_EQ(percent_encode(std::string_view("\0", 1)), "%00");
}

TEST(Percent, DecodesWhatItEncodes) {
  std::string all;
  for (int i = 0; i < 256; ++i) all += static_cast<char>(i);
  EXPECT_EQ(percent_decode(percent_encode(all), true), all);
  EXPECT_EQ(percent_decode("a+b%2b", true), "a b+");
  EXPECT_EQ(percent_decode("a+b%2B", false), "a+b+");
}

TEST(Percent, RefusesCutOrWrongEscapes) {
  for (const char* bad : {"%", "%1", "a%", "%zz", "%1g", "%-1"}) {
    EXPECT_FALSE(percent_decode(bad, false)) << bad;
  }
}

TEST(Query, SplitsAndDecodes) {
  EXPECT_THAT(*parse_query("a=1&b&&c=%20x+y&d=e=f"),
              ElementsAre(Pair("a", "1"), Pair("b", ""), Pair("c", " x y"), Pair("d", "e=f")));
  EXPECT_TRUE(parse_query("")->empty());
  EXPECT_FALSE(parse_query("a=%x"));
}

struct RangeCase {
  const char* header;
  uint64_t size;
  RangeResult result;
  uint64_t first = 0, last = 0;
};

class Range : public testing::TestWithParam<RangeCase> {};

TEST_P(Range, Parses) {
  ByteRange out;
  ASSERT_EQ(parse_range(GetParam().header, GetParam().size, out), GetParam().result);
  if (GetParam().result == RangeResult::kPartial) {
    EXPECT_EQ(out.first, GetParam().first);
    EXPECT_EQ(out.last, GetParam().last);
  }
}

INSTANTIATE_TEST_SUITE_P(
    Cases, Range,
    testing::Values(RangeCase{"bytes=0-9", 100, RangeResult::kPartial, 0, 9},
                    RangeCase{"bytes=5-", 100, RangeResult::kPartial, 5, 99},
                    RangeCase{"bytes=-10", 100, RangeResult::kPartial, 90, 99},
                    RangeCase{"bytes=-1000", 100, RangeResult::kPartial, 0, 99},
                    RangeCase{"bytes=0-1000", 100, RangeResult::kPartial, 0, 99},
                    RangeCase{"Bytes= 99-99 ", 100, RangeResult::kPartial, 99, 99},
                    RangeCase{"bytes=0-99999999999999999999", 100, RangeResult::kPartial, 0, 99},
                    RangeCase{"bytes=100-", 100, RangeResult::kUnsatisfiable},
                    RangeCase{"bytes=99999999999999999999-", 100, RangeResult::kUnsatisfiable},
                    RangeCase{"bytes=-0", 100, RangeResult::kUnsatisfiable},
                    RangeCase{"bytes=0-", 0, RangeResult::kUnsatisfiable},
                    RangeCase{"bytes=-5", 0, RangeResult::kUnsatisfiable},
                    RangeCase{"bytes=9-5", 100, RangeResult::kAll},
                    RangeCase{"bytes=0-1,5-6", 100, RangeResult::kAll},
                    RangeCase{"bytes=", 100, RangeResult::kAll},
                    RangeCase{"bytes=-", 100, RangeResult::kAll},
                    RangeCase{"bytes=a-b", 100, RangeResult::kAll},
                    RangeCase{"bytes=+1-2", 100, RangeResult::kAll},
                    RangeCase{"items=0-1", 100, RangeResult::kAll},
                    RangeCase{"", 100, RangeResult::kAll}));

TEST(Range, NoHeaderIsAll) {
  ByteRange out;
  EXPECT_EQ(parse_range(std::nullopt, 10, out), RangeResult::kAll);
}

TEST(HeadersTest, NamesIgnoreCase) {
  Headers headers;
  headers.add("X-A", "1");
  headers.add("x-a", "2");
  headers.add("B", "3");
  EXPECT_EQ(headers.get("X-a"), "1");
  EXPECT_THAT(headers.all("x-A"), ElementsAre("1", "2"));
  headers.set("x-A", "9");
  EXPECT_THAT(headers.all("X-A"), ElementsAre("9"));
  headers.remove("b");
  EXPECT_FALSE(headers.get("B"));
}

}  // namespace
}  // namespace meesh::net
