#include "sql/lexer.h"

#include <gtest/gtest.h>

namespace meesh::sql {
namespace {

std::string kinds(std::string_view text) {
  static constexpr std::string_view kNames[] = {
      "end",    "word",   "quoted",  "backquoted", "digit-word", "string", "unicode",
      "binary", "dollar", "integer", "decimal",    "double",     "",       "unknown"};
  std::string out;
  for (const Token& t : tokenize(text)) {
    if (t.kind == TokenKind::kEnd) break;
    if (!out.empty()) out += ' ';
    out +=
        t.kind == TokenKind::kSymbol ? symbol_text(t.symbol) : kNames[static_cast<size_t>(t.kind)];
  }
  return out;
}

TEST(Lexer, Numbers) {
  EXPECT_EQ(kinds("1 1_0 0x1F 0b1 0o7 00"), "integer integer integer integer integer integer");
  EXPECT_EQ(kinds("1. .5 1.5 1_0.5_0"), "decimal decimal decimal decimal");
  EXPECT_EQ(kinds("1e5 1.5E-3 .5e+1 1.e5"), "double double double double");
  EXPECT_EQ(kinds("1abc 1_ 0xZ 1e5x 1__0 0b12"),
            "digit-word digit-word digit-word digit-word digit-word digit-word");
  EXPECT_EQ(kinds("1.5abc 1.e 1..2"), "decimal word decimal word decimal decimal");
  EXPECT_EQ(kinds("a.1b"), "word decimal word");
}

TEST(Lexer, SymbolsTakeTheLongestMatch) {
  EXPECT_EQ(kinds("<> != <= >= || -> => {- -} |"), "<> <> <= >= || -> => {- -} |");
  EXPECT_EQ(kinds("a->b"), "word -> word");
  EXPECT_EQ(kinds("1--2\n-3"), "integer - integer");
  EXPECT_EQ(kinds("a/**/b/*x\n*/c"), "word word word");
}

TEST(Lexer, Texts) {
  EXPECT_EQ(kinds("'a''b' \"a\"\"b\" `a``b` U&'x' u&'x' X'41' x'' $$a;b$$"),
            "string quoted backquoted unicode unicode binary binary dollar");
  EXPECT_EQ(kinds("u & 'x'"), "word unknown string");
  EXPECT_EQ(kinds("x 'a'"), "word string");
}

TEST(Lexer, PositionsCountCodePoints) {
  std::vector<Token> t = tokenize("é 'ü🦆' \r\n\t b -- ñ\n/* \n ñ */c");
  ASSERT_EQ(t.size(), 5u);
  EXPECT_EQ(t[0].pos.column, 1);
  EXPECT_EQ(t[1].pos.column, 3);
  EXPECT_EQ(t[2].pos.line, 2);
  EXPECT_EQ(t[2].pos.column, 3);
  EXPECT_EQ(t[3].pos.line, 4);
  EXPECT_EQ(t[3].pos.column, 6);
}

TEST(Lexer, KeywordsInAnyCase) {
  EXPECT_EQ(find_keyword("select"), Kw::kSELECT);
  EXPECT_EQ(find_keyword("Current_Timestamp"), Kw::kCURRENT_TIMESTAMP);
  EXPECT_EQ(find_keyword("selec"), Kw::kNone);
  EXPECT_TRUE(is_reserved(Kw::kSELECT));
  EXPECT_FALSE(is_reserved(Kw::kLIMIT));
  for (int i = 1; i < static_cast<int>(Kw::kCount); ++i) {
    auto keyword = static_cast<Kw>(i);
    EXPECT_EQ(find_keyword(lower(keyword_text(keyword))), keyword) << keyword_text(keyword);
  }
}

TEST(Lexer, QuotesNamesThatNeedIt) {
  EXPECT_EQ(print_identifier({"abc", false, {}}), "abc");
  EXPECT_EQ(print_identifier({"abc", true, {}}), "\"abc\"");
  EXPECT_EQ(print_identifier({"order", false, {}}), "\"order\"");
  EXPECT_EQ(print_identifier({"a b", false, {}}), "\"a b\"");
  EXPECT_EQ(print_identifier({"1a", false, {}}), "\"1a\"");
  EXPECT_EQ(quote_identifier("a\"b"), "\"a\"\"b\"");
  EXPECT_EQ(quote_string("it's"), "'it''s'");
}

}  // namespace
}  // namespace meesh::sql
