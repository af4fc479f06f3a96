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

}  // namespace
}  // namespace meesh::base
