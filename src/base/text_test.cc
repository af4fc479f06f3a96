#include "base/text.h"

#include <gtest/gtest.h>

namespace meesh::base {
namespace {

TEST(Text, RecognisesWellFormedUtf8) {
  EXPECT_TRUE(valid_utf8("caf\xC3\xA9 \xF0\x9F\x98\x80"));
  EXPECT_FALSE(valid_utf8("\xC0\xAF"));          // overlong
  EXPECT_FALSE(valid_utf8("\xE0\x80\xAF"));      // overlong
  EXPECT_FALSE(valid_utf8("\xED\xA0\x80"));      // surrogate
  EXPECT_FALSE(valid_utf8("\xF4\x90\x80\x80"));  // above U+10FFFF
  EXPECT_FALSE(valid_utf8("\xC3"));              // cut off
}

TEST(Text, CountsColumnsInCodePoints) {
  const Position position = position_of("one\nd\xC3\xA9j\xC3\xA0 x", 4 + 7);
  EXPECT_EQ(position.line, 2);
  EXPECT_EQ(position.column, 6);
}

TEST(Text, FindsWhatWasMeant) {
  const std::vector<std::string> keys{"owner", "catalog", "database", "description"};
  EXPECT_EQ(closest("onwer", keys), "owner");
  EXPECT_EQ(closest("Catalogue", keys), "catalog");
  EXPECT_EQ(closest("DATABASE", keys), "database");
  EXPECT_EQ(closest("price", keys), std::nullopt);
  EXPECT_EQ(did_you_mean("price", keys, "known: "), "known: owner, catalog, database, description");
}

TEST(Text, Base64IsStrict) {
  const std::string raw("\0\xFF\x10 any", 7);
  for (size_t size = 0; size <= raw.size(); ++size) {
    const std::string bytes = raw.substr(0, size);
    EXPECT_EQ(to_base64(bytes).size() % 4, 0u);
    EXPECT_EQ(from_base64(to_base64(bytes)), bytes);
    EXPECT_EQ(from_base64url(to_base64url(bytes)), bytes);
    EXPECT_EQ(from_hex(to_hex(bytes)), bytes);
  }
  // RFC 4648, 10.
  EXPECT_EQ(to_base64("f"), "Zg==");
  EXPECT_EQ(to_base64("fo"), "Zm8=");
  EXPECT_EQ(to_base64("foo"), "Zm9v");
  EXPECT_EQ(to_base64("foobar"), "Zm9vYmFy");
  EXPECT_EQ(to_base64("\xFB\xFF"), "+/8=");
  EXPECT_EQ(to_base64url("\xFB\xFF"), "-_8");
  for (const char* wrong : {"YQ", "YQ=", "=YQ=", "Zm9=", "YQ===", "YR==", "Y===", "====", "Y Q=",
                            "YQ==YQ==", "-_8=", "YQ=\n", "YW=5"}) {
    EXPECT_EQ(from_base64(wrong), std::nullopt) << wrong;
  }
  for (const char* wrong : {"Y", "YQ==", "YR", "+/8", "Y Q"}) {
    EXPECT_EQ(from_base64url(wrong), std::nullopt) << wrong;
  }
}

TEST(Text, HexHasTwoDigitsAByte) {
  EXPECT_EQ(to_hex(std::string_view("\0\x9a\xFF", 3)), "009aff");
  EXPECT_EQ(from_hex("009AfF"), std::string("\0\x9a\xFF", 3));
  EXPECT_EQ(from_hex("0"), std::nullopt);
  EXPECT_EQ(from_hex("0g"), std::nullopt);
}

}  // namespace
}  // namespace meesh::base
