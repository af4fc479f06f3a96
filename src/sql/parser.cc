#include "sql/parser.h"

#include <algorithm>

namespace meesh::sql {
namespace {

/// Trino's texts for words that its grammar knows only to refuse them.
std::string refused_identifier(TokenKind kind) {
  if (kind == TokenKind::kBackquoted)
    return "backquoted identifiers are not supported; use double quotes to quote identifiers";
  return "identifiers must not start with a digit; surround the identifier with double quotes";
}

/// Edits between two words, counting swapped neighbours as one; capped at 3.
size_t distance(std::string_view a, std::string_view b) {
  if (a.size() > b.size() + 2 || b.size() > a.size() + 2) return 3;
  std::vector<std::vector<size_t>> d(a.size() + 1, std::vector<size_t>(b.size() + 1));
  for (size_t i = 0; i <= a.size(); ++i) d[i][0] = i;
  for (size_t j = 0; j <= b.size(); ++j) d[0][j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    for (size_t j = 1; j <= b.size(); ++j) {
      d[i][j] = std::min(
          {d[i - 1][j] + 1, d[i][j - 1] + 1, d[i - 1][j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1)});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
        d[i][j] = std::min(d[i][j], d[i - 2][j - 2] + 1);
    }
  }
  return d[a.size()][b.size()];
}

std::string hint_for(const Token& token, std::string_view text,
                     const std::set<std::string>& expected) {
  if (token.kind == TokenKind::kUnknown && static_cast<unsigned char>(text[0]) >= 0x80)
    return "names with other than ASCII letters, digits and '_' go in double quotes";
  if (token.kind == TokenKind::kUnknown && (text == "'" || text == "\"" || text == "`"))
    return "a string or a quoted name is not closed";
  if (token.kind != TokenKind::kWord) return {};
  if (is_reserved(token.keyword) && expected.contains("<identifier>"))
    return std::string(keyword_text(token.keyword)) +
           " is a reserved word; as a name it goes in double quotes";
  std::string word = upper(text), best;
  size_t nearest = word.size() < 4 ? 2 : 3;
  auto consider = [&](std::string_view candidate) {
    size_t edits = distance(word, candidate);
    if (edits > 0 && edits < nearest) {
      nearest = edits;
      best = candidate;
    }
  };
  if (expected.contains("<query>"))
    for (const char* start : {"SELECT", "VALUES", "WITH", "TABLE"}) consider(start);
  for (const std::string& e : expected)
    if (e.size() >= 4 && e[0] == '\'') consider(std::string_view(e).substr(1, e.size() - 2));
  return best.empty() ? best : "did you mean " + best + "?";
}

[[noreturn]] void throw_mismatch(std::string_view text, const std::vector<Token>& tokens,
                                 size_t index, const std::set<std::string>& expected) {
  const Token& token = tokens[index];
  Location location{token.pos.line, token.pos.column, {}};
  if (token.kind == TokenKind::kBackquoted || token.kind == TokenKind::kDigitWord)
    throw Error(Code::kSyntaxError, refused_identifier(token.kind), location);
  std::string_view found = text.substr(token.offset, token.length);
  std::string message = "mismatched input '";
  message += token.kind == TokenKind::kEnd ? "<EOF>" : found;
  message += "'.";
  const char* separator = " Expecting: ";
  for (const std::string& e : expected) {
    message += separator;
    message += e;
    separator = ", ";
  }
  Error error(Code::kSyntaxError, message, location);
  std::string hint = hint_for(token, found, expected);
  if (!hint.empty()) error.with_hint(hint);
  throw error;
}

/// Parses; on a token that does not fit parses again to learn what would have.
template <class Result>
Result run(std::string_view text, Result (Parser::*entry)()) {
  std::vector<Token> tokens = tokenize(text, Unclosed::kUnknown);
  size_t where = 0;
  try {
    Parser parser(text, tokens);
    return (parser.*entry)();
  } catch (const Parser::Mismatch& m) {
    where = m.token;
  }
  Parser parser(text, tokens, where);
  try {
    (parser.*entry)();
  } catch (const Parser::Mismatch&) {
  }
  throw_mismatch(text, tokens, where, parser.expected());
}

}  // namespace

StatementPtr parse(std::string_view text) { return run(text, &Parser::single_statement); }
ExprPtr parse_expression(std::string_view text) { return run(text, &Parser::single_expression); }
TypeNodePtr parse_type(std::string_view text) { return run(text, &Parser::single_type); }

StatementPtr Parser::single_statement() {
  StatementPtr result = statement();
  note("<EOF>");
  // Trino has no `;`: its clients take it away. What stands behind one is not its statement's.
  const size_t end = at_;
  while (accept(Symbol::kSemicolon)) {
  }
  if (!is(TokenKind::kEnd)) {
    at_ = end;
    mismatch();
  }
  return result;
}

ExprPtr Parser::single_expression() {
  ExprPtr result = expression();
  note("<EOF>");
  if (!is(TokenKind::kEnd)) mismatch();
  return result;
}

TypeNodePtr Parser::single_type() {
  reserved_field_names_ = true;
  TypeNodePtr result = type();
  note("<EOF>");
  if (!is(TokenKind::kEnd)) mismatch();
  return result;
}

void Parser::too_deep() const {
  fail(pos(),
       "statement is too large (nested more than " + std::to_string(kMaxDepth) + " levels deep)");
}

void Parser::note(Kw keyword) { expected_.insert("'" + std::string(keyword_text(keyword)) + "'"); }
void Parser::note(Symbol symbol) {
  if (symbol == Symbol::kSemicolon) return;
  expected_.insert("'" + std::string(symbol_text(symbol)) + "'");
}

void Parser::mismatch() { throw Mismatch{std::min(at_, tokens_.size() - 1)}; }

void Parser::fail(Position pos, std::string message) const {
  throw Error(Code::kSyntaxError, std::move(message), {pos.line, pos.column, {}});
}

std::string Parser::written_since(size_t first) const {
  if (first >= at_) return {};
  const Token& last = tokens_[at_ - 1];
  return std::string(
      text_.substr(tokens_[first].offset, last.offset + last.length - tokens_[first].offset));
}

std::string Parser::canonical_since(size_t first) const {
  auto is_name = [](const Token& t) {
    return t.kind == TokenKind::kWord || t.kind == TokenKind::kQuoted;
  };
  std::string out;
  for (size_t i = first; i < at_; ++i) {
    const Token& t = tokens_[i];
    bool glued = i == first;
    if (!glued) {
      const Token& before = tokens_[i - 1];
      bool dotted = (t.symbol == Symbol::kDot && is_name(before)) ||
                    (before.symbol == Symbol::kDot && is_name(t) && i >= first + 2 &&
                     is_name(tokens_[i - 2]));
      glued = dotted || t.symbol == Symbol::kComma || t.symbol == Symbol::kRightParen ||
              t.symbol == Symbol::kRightBracket || before.symbol == Symbol::kLeftParen ||
              before.symbol == Symbol::kLeftBracket ||
              (t.symbol == Symbol::kLeftParen && before.kind == TokenKind::kWord &&
               before.keyword == Kw::kNone);
    }
    if (!glued) out += ' ';
    out += token_text(t);
  }
  return out;
}

bool Parser::at_identifier(size_t ahead) const {
  const Token& t = token(ahead);
  return t.kind == TokenKind::kQuoted ||
         (t.kind == TokenKind::kWord && (!is_reserved(t.keyword) || reserved_field_names_));
}

Ident Parser::identifier() {
  const Token& t = token();
  if (!at_identifier()) {
    note("<identifier>");
    mismatch();
  }
  Ident ident;
  ident.pos = t.pos;
  ident.quoted = t.kind == TokenKind::kQuoted;
  ident.value = ident.quoted ? unquoted(token_text(t)) : std::string(token_text(t));
  if (ident.value.empty()) fail(t.pos, "Zero-length delimited identifier not allowed");
  ++at_;
  return ident;
}

Name Parser::qualified_name() {
  Name name;
  name.push_back(identifier());
  while (accept(Symbol::kDot)) name.push_back(identifier());
  return name;
}

std::vector<Ident> Parser::identifiers_in_parens() {
  std::vector<Ident> names;
  expect(Symbol::kLeftParen);
  do names.push_back(identifier());
  while (accept(Symbol::kComma));
  expect(Symbol::kRightParen);
  return names;
}

std::string Parser::unquoted(std::string_view literal) {
  char quote = literal[0];
  std::string out;
  out.reserve(literal.size() - 2);
  for (size_t i = 1; i + 1 < literal.size(); ++i) {
    out += literal[i];
    if (literal[i] == quote) ++i;
  }
  return out;
}

std::string Parser::string() {
  const Token& t = token();
  if (is(TokenKind::kString)) {
    ++at_;
    return unquoted(token_text(t));
  }
  if (!is(TokenKind::kUnicodeString)) {
    note("<string>");
    mismatch();
  }
  ++at_;
  char escape = '\\';
  if (accept(kUESCAPE)) {
    if (!is(TokenKind::kString)) {
      note("<string>");
      mismatch();
    }
    std::string given = unquoted(token_text(token()));
    if (given.size() != 1 || static_cast<unsigned char>(given[0]) < 0x20 ||
        static_cast<unsigned char>(given[0]) >= 0x7F ||
        std::string_view("+'\" ").find(given[0]) != std::string_view::npos ||
        isxdigit(static_cast<unsigned char>(given[0])))
      fail(t.pos, "Invalid Unicode escape character: " + given);
    escape = given[0];
    ++at_;
  }
  return decode_unicode(t, escape);
}

namespace {
void append_utf8(std::string& out, uint32_t c) {
  if (c < 0x80) {
    out += static_cast<char>(c);
  } else if (c < 0x800) {
    out += static_cast<char>(0xC0 | (c >> 6));
    out += static_cast<char>(0x80 | (c & 0x3F));
  } else if (c < 0x10000) {
    out += static_cast<char>(0xE0 | (c >> 12));
    out += static_cast<char>(0x80 | ((c >> 6) & 0x3F));
    out += static_cast<char>(0x80 | (c & 0x3F));
  } else {
    out += static_cast<char>(0xF0 | (c >> 18));
    out += static_cast<char>(0x80 | ((c >> 12) & 0x3F));
    out += static_cast<char>(0x80 | ((c >> 6) & 0x3F));
    out += static_cast<char>(0x80 | (c & 0x3F));
  }
}

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}
}  // namespace

std::string Parser::decode_unicode(const Token& literal, char escape) const {
  std::string text = unquoted(token_text(literal).substr(2));
  std::string out;
  for (size_t i = 0; i < text.size();) {
    if (text[i] != escape) {
      out += text[i++];
      continue;
    }
    if (i + 1 < text.size() && text[i + 1] == escape) {
      out += escape;
      i += 2;
      continue;
    }
    bool wide = i + 1 < text.size() && text[i + 1] == '+';
    size_t first = i + (wide ? 2 : 1), count = wide ? 6 : 4;
    uint32_t c = 0;
    for (size_t j = first; j < first + count; ++j) {
      if (j >= text.size()) fail(literal.pos, "Incomplete escape sequence: " + text.substr(i + 1));
      int digit = hex_digit(text[j]);
      if (digit < 0)
        fail(literal.pos, "Invalid hexadecimal digit: " + text.substr(i, first + count - i));
      c = c * 16 + static_cast<uint32_t>(digit);
    }
    std::string sequence = text.substr(i, first + count - i);
    if (c > 0x10FFFF) fail(literal.pos, "Invalid escaped character: " + sequence);
    if (c >= 0xD800 && c <= 0xDFFF)
      fail(literal.pos, "Invalid escaped character: " + text.substr(first, count) +
                            ". Escaped character is a surrogate. Use '\\+123456' instead.");
    append_utf8(out, c);
    i = first + count;
  }
  return out;
}

uint64_t Parser::integer() {
  if (!is(TokenKind::kInteger)) {
    note("<integer>");
    mismatch();
  }
  uint64_t value = integer_value(token());
  ++at_;
  return value;
}

uint64_t Parser::integer_value(const Token& literal) const {
  std::string_view text = token_text(literal);
  uint64_t base = 10;
  size_t i = 0;
  if (text.size() > 2 && text[0] == '0') {
    char kind = text[1];
    base = kind == 'x' || kind == 'X'   ? 16
           : kind == 'o' || kind == 'O' ? 8
           : kind == 'b' || kind == 'B' ? 2
                                        : 10;
    if (base != 10) i = 2;
  }
  constexpr uint64_t kLimit = uint64_t{1} << 63;
  uint64_t value = 0;
  for (; i < text.size(); ++i) {
    if (text[i] == '_') continue;
    auto digit = static_cast<uint64_t>(hex_digit(text[i]));
    if (value > (kLimit - digit) / base)
      fail(literal.pos, "Invalid numeric literal: " + std::string(text));
    value = value * base + digit;
  }
  return value;
}

}  // namespace meesh::sql
