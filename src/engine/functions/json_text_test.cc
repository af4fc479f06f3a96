#include "engine/functions/json_text.h"

#include <gtest/gtest.h>

#include "engine/functions/addresses.h"
#include "engine/functions/read_numbers.h"
#include "engine/functions/text.h"

namespace meesh::engine {
namespace {

TEST(CanonicalJson, SortsMembersAndKeepsTheLastOfEqualOnes) {
  EXPECT_EQ(canonical_json(R"( {"b": 1, "a": {"d": [ ], "c": null}, "b": 2} )"),
            R"({"a":{"c":null,"d":[]},"b":2})");
}

TEST(CanonicalJson, KeysAreOrderedByUtf16) {
  EXPECT_EQ(canonical_json("{\"\uFFFD\": 1, \"\U0001F600\": 2}"),
            "{\"\\uD83D\\uDE00\":2,\"\uFFFD\":1}");
}

TEST(CanonicalJson, WritesNumbersAsJavaDoes) {
  EXPECT_EQ(canonical_json("[1.50, 1e3, -0, -0.0, 12345678901234567890123, 1E400, 1e-4]"),
            R"([1.5,1000.0,0,-0.0,12345678901234567890123,"Infinity",1.0E-4])");
}

TEST(CanonicalJson, WritesEscapesInOneWay) {
  EXPECT_EQ(canonical_json(R"("\u00e9\/\u0001\t\ud83d\ude00")"), "\"é/\\u0001\\t\\uD83D\\uDE00\"");
}

TEST(CanonicalJson, RefusesWhatIsNoJson) {
  for (const char* text : {"", "[1,]", "{\"a\":}", "1 2", "01", "1.", "nul", "\"\\x\"", "\"\t\"",
                           "\"\\ud800\"", "{'a':1}", "[1 2]", "+1"})
    EXPECT_EQ(canonical_json(text), std::nullopt) << text;
  EXPECT_EQ(canonical_json(std::string(1001, '[') + std::string(1001, ']')), std::nullopt);
  EXPECT_NE(canonical_json(std::string(1000, '[') + std::string(1000, ']')), std::nullopt);
}

TEST(JsonCursor, StepsOverNestedValues) {
  JsonCursor cursor(R"([{"a": "]"}, 2 ,"x"])");
  ASSERT_TRUE(cursor.take('['));
  EXPECT_EQ(cursor.value(), R"({"a": "]"})");
  ASSERT_TRUE(cursor.take(','));
  EXPECT_EQ(cursor.value(), "2");
  ASSERT_TRUE(cursor.take(','));
  EXPECT_EQ(cursor.string(), "x");
  EXPECT_TRUE(cursor.take(']'));
  EXPECT_EQ(cursor.peek(), '\0');
}

std::string address(std::string_view text) {
  const auto bytes = read_address(text);
  return bytes ? address_text({reinterpret_cast<const char*>(bytes->data()), bytes->size()})
               : "none";
}

TEST(Addresses, AreWrittenInOneWay) {
  EXPECT_EQ(address("10.0.0.1"), "10.0.0.1");
  EXPECT_EQ(address("::ffff:1.2.3.4"), "1.2.3.4");
  EXPECT_EQ(address("::1.2.3.4"), "::102:304");
  EXPECT_EQ(address("2001:0DB8:0000:0000:0001:0000:0000:0001"), "2001:db8::1:0:0:1");
  EXPECT_EQ(address("1:0:0:0:0:0:0:0"), "1::");
  EXPECT_EQ(address("::"), "::");
  EXPECT_EQ(address("1:0:1:1:1:1:1:1"), "1:0:1:1:1:1:1:1");
  for (const char* text : {"", "1.2.3", "256.1.1.1", "::1::", "hello"})
    EXPECT_EQ(address(text), "none") << text;
  EXPECT_FALSE(address_of_bytes("12345"));
}

TEST(ReadNumbers, IntegersHaveSpacesAndOtherDigits) {
  int8_t small = 0;
  EXPECT_TRUE(read_integer(" +7 ", small));
  EXPECT_EQ(small, 7);
  EXPECT_TRUE(read_integer("-٤٢", small));
  EXPECT_EQ(small, -42);
  for (const char* text : {"", "128", "+-1", "1_0", "0x1", "1 2"})
    EXPECT_FALSE(read_integer(text, small)) << text;
}

TEST(ReadNumbers, DecimalsAreRoundedHalfUp) {
  duckdb::hugeint_t out;
  const char* why = "";
  ASSERT_TRUE(read_decimal("-1.255", 3, 2, out, why));
  EXPECT_EQ(out, duckdb::hugeint_t(-126));
  EXPECT_FALSE(read_decimal("9.996", 3, 2, out, why));
  EXPECT_STREQ(why, "Value too large.");
  EXPECT_FALSE(read_decimal("1.2.3", 3, 2, out, why));
  EXPECT_STREQ(why, "Value is not a number.");
}

TEST(ReadNumbers, FloatingNumbersThatDoNotFit) {
  int32_t out = 0;
  EXPECT_EQ(round_to_integer(-2.5, false, out), "");
  EXPECT_EQ(out, -3);
  EXPECT_EQ(round_to_integer(1e10, false, out), "Out of range for integer: 1.0E10");
  int64_t big = 0;
  EXPECT_EQ(round_to_integer(1e19, true, big), "Unable to cast 1.0E19 to bigint");
}

}  // namespace
}  // namespace meesh::engine
