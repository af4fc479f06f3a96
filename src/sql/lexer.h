// Trino's words: text → tokens. A token points into the text, which must outlive it.
//
// Comments and white space vanish; everything else is a token, also what the grammar never takes
// (backquoted names, 1abc), so that the parser can say what is wrong with it and where.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "sql/ast.h"
#include "sql/lexer_keywords.h"

namespace meesh::sql {

enum class TokenKind : uint8_t {
  kEnd,
  kWord,  // identifier or keyword
  kQuoted,
  kBackquoted,
  kDigitWord,  // 1abc
  kString,
  kUnicodeString,  // U&'…'
  kBinary,         // X'…'
  kDollarString,   // $$…$$: bodies of functions in other languages
  kInteger,
  kDecimal,
  kDouble,
  kSymbol,
  kUnknown,  // a character that starts no token
};

enum class Symbol : uint8_t {
  kNone,
  kEq,
  kNe,
  kLt,
  kLe,
  kGt,
  kGe,
  kPlus,
  kMinus,
  kStar,
  kSlash,
  kPercent,
  kConcat,
  kQuestion,
  kSemicolon,
  kComma,
  kDot,
  kLeftParen,
  kRightParen,
  kLeftBracket,
  kRightBracket,
  kLeftBrace,
  kRightBrace,
  kLeftExclude,   // {-
  kRightExclude,  // -}
  kColon,
  kArrow,     // ->
  kFatArrow,  // =>
  kPipe,
  kCaret,
  kDollar,
  kAt,
};

struct Token {
  TokenKind kind = TokenKind::kEnd;
  Symbol symbol = Symbol::kNone;
  Kw keyword = Kw::kNone;
  uint32_t offset = 0, length = 0;  // bytes
  Position pos;
};

/// What a quote or the start of a comment is that nothing ends: an error, or, as in Trino's
/// grammar, a character for itself.
enum class Unclosed : uint8_t { kError, kUnknown };
/// All tokens, the last one kEnd. Throws SYNTAX_ERROR for text that is not UTF-8 and, if told so,
/// for strings, names and comments that do not end.
std::vector<Token> tokenize(std::string_view text, Unclosed unclosed = Unclosed::kError);

/// The keyword this word is in any letter case; kNone for plain names.
Kw find_keyword(std::string_view word);
/// "SELECT".
std::string_view keyword_text(Kw keyword);
std::string_view symbol_text(Symbol symbol);
bool is_reserved(Kw keyword);

/// True if the word can stand for itself without quotes: letters, digits, underscores, no leading
/// digit, not reserved.
bool is_plain_identifier(std::string_view word);
/// `"a ""b"""`.
std::string quote_identifier(std::string_view name);
/// `'it''s'`.
std::string quote_string(std::string_view value);
/// As Trino reads it back: quoted when written so or when it must be.
std::string print_identifier(const Ident& ident);
std::string print_name(const Name& name);

std::string lower(std::string_view text);  // ASCII
std::string upper(std::string_view text);

}  // namespace meesh::sql
