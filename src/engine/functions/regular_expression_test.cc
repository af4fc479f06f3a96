#include "engine/functions/regular_expression.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace meesh::engine {
namespace {

std::string matched(std::string_view pattern, std::string_view text, size_t from = 0) {
  RegularExpression::Groups groups;
  if (!RegularExpression::compiled(pattern).match(text, from, groups)) return "none";
  std::string out;
  for (const auto& group : groups)
    out += group.data() ? "<" + std::string(group.data(), group.size()) + ">" : "<>?";
  return out;
}

std::string refused(std::string_view pattern) {
  try {
    RegularExpression::compiled(pattern);
    return "accepted";
  } catch (const duckdb::Exception& error) {
    return duckdb::ErrorData(error).RawMessage();
  }
}

TEST(RegularExpression, WhatRe2HasNotIsMatchedToo) {
  EXPECT_EQ(matched("foo(?=bar)", "xfoobar"), "<foo>");
  EXPECT_EQ(matched("(?<!a)b", "abb"), "<b>");
  EXPECT_EQ(matched("(ab)(x)?\\1", "abab"), "<abab><ab><>?");
  EXPECT_EQ(matched("(?>a+)ab", "aaab"), "none");
  EXPECT_EQ(matched("(?=é)é", "aé", 1), "<é>");
  EXPECT_EQ(matched("(?=a)a", "", 0), "none");
  EXPECT_FALSE(RegularExpression::compiled("a++b").is_linear());
}

TEST(RegularExpression, TheRestIsLinear) {
  EXPECT_TRUE(RegularExpression::compiled("(a*)*b").is_linear());
  const auto& named = RegularExpression::compiled("(?<n>a)(b)");
  EXPECT_TRUE(named.is_linear());
  EXPECT_EQ(named.groups(), 2);
  EXPECT_EQ(named.group_named("n"), 1);
  EXPECT_EQ(named.group_named("m"), std::nullopt);
}

TEST(RegularExpression, ClassesWithinClassesAreJavas) {
  EXPECT_EQ(matched("[a-z&&[^b]]", "b&c"), "<c>");
  EXPECT_EQ(matched("[a[bc]]+", "abc]"), "<abc>");
}

TEST(RegularExpression, ErrorsAreOnigurumas) {
  EXPECT_EQ(refused("a{2,1}"), "upper is smaller than lower in repeat range");
  EXPECT_EQ(refused("\\p{IsLatin}"), "invalid character property name <IsLatin>");
  EXPECT_EQ(refused("(?P<n>a)"), "undefined group option");
  EXPECT_EQ(refused("["), "premature end of char-class");
}

TEST(RegularExpression, BacktrackingHasALimit) {
  try {
    matched("(?=a)(a+)+$", std::string(60, 'a') + "b");
    FAIL();
  } catch (const duckdb::Exception& error) {
    EXPECT_NE(std::string_view(error.what()).find("too many steps"), std::string_view::npos);
  }
}

TEST(RegularExpression, TheCLibraryKeepsItsOwn) {
  EXPECT_EQ(matched("(a+)+b", "aab"), "<aab><aa>");
  EXPECT_THAT("y0af/1", testing::MatchesRegex("y[0-9a-f]+/1"));  // by regcomp and regexec
}

}  // namespace
}  // namespace meesh::engine
