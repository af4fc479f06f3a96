#include "sql/lexer.h"

#include <array>

namespace meesh::sql {
namespace {

struct KeywordInfo {
  std::string_view text;
  bool reserved;
};

constexpr auto kKeywords = std::to_array<KeywordInfo>({{"", false},
#define RESERVED(name) {#name, true},
#define FREE(name) {#name, false},
                                                       MEESH_SQL_KEYWORDS(RESERVED, FREE)
#undef RESERVED
#undef FREE
});

constexpr char ascii_upper(char c) {
  return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
}
constexpr char ascii_lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

constexpr uint32_t hash_word(std::string_view word) {
  uint32_t h = 2166136261u;
  for (char c : word) h = (h ^ static_cast<unsigned char>(ascii_upper(c))) * 16777619u;
  return h ^ (h >> 15);
}

constexpr size_t kSlots = 1024;
constexpr size_t kLongestKeyword = 17;

constexpr std::array<Kw, kSlots> build_slots() {
  std::array<Kw, kSlots> slots{};
  for (size_t i = 1; i < kKeywords.size(); ++i) {
    size_t at = hash_word(kKeywords[i].text) % kSlots;
    while (slots[at] != Kw::kNone) at = (at + 1) % kSlots;
    slots[at] = static_cast<Kw>(i);
  }
  return slots;
}
constexpr std::array<Kw, kSlots> kSlotTable = build_slots();

bool same_word(std::string_view keyword, std::string_view word) {
  if (keyword.size() != word.size()) return false;
  for (size_t i = 0; i < word.size(); ++i)
    if (keyword[i] != ascii_upper(word[i])) return false;
  return true;
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool is_word(char c) { return is_digit(c) || is_letter(c) || c == '_'; }
bool is_hex(char c) { return is_digit(c) || (ascii_lower(c) >= 'a' && ascii_lower(c) <= 'f'); }
bool is_octal(char c) { return c >= '0' && c <= '7'; }
bool is_bit(char c) { return c == '0' || c == '1'; }

/// Length of the UTF-8 sequence at the start, 0 if it is not one.
size_t utf8_length(std::string_view s) {
  auto byte = [&](size_t i) { return static_cast<unsigned char>(s[i]); };
  unsigned char c = byte(0);
  if (c < 0x80) return 1;
  size_t n = c >= 0xC2 && c < 0xE0 ? 2 : (c & 0xF0) == 0xE0 ? 3 : c >= 0xF0 && c < 0xF5 ? 4 : 0;
  if (n == 0 || n > s.size()) return 0;
  for (size_t i = 1; i < n; ++i)
    if ((byte(i) & 0xC0) != 0x80) return 0;
  if (c == 0xE0 && byte(1) < 0xA0) return 0;
  if (c == 0xED && byte(1) >= 0xA0) return 0;  // surrogates
  if (c == 0xF0 && byte(1) < 0x90) return 0;
  if (c == 0xF4 && byte(1) >= 0x90) return 0;
  return n;
}

class Lexer {
 public:
  Lexer(std::string_view text, Unclosed unclosed) : text_(text), unclosed_(unclosed) {}

  std::vector<Token> run() {
    std::vector<Token> tokens;
    tokens.reserve(text_.size() / 5 + 8);
    while (skip_blank()) tokens.push_back(next());
    Token end;
    end.offset = static_cast<uint32_t>(at_);
    end.pos = pos_;
    tokens.push_back(end);
    return tokens;
  }

 private:
  char peek(size_t ahead = 0) const {
    return at_ + ahead < text_.size() ? text_[at_ + ahead] : '\0';
  }

  [[noreturn]] static void fail(Position pos, std::string message) {
    throw Error(Code::kSyntaxError, std::move(message), {pos.line, pos.column, {}});
  }

  /// Moves over `bytes` bytes, counting lines and code points and checking UTF-8.
  void advance(size_t bytes) {
    size_t end = at_ + bytes;
    while (at_ < end) {
      char c = text_[at_];
      if (c == '\n') {
        ++pos_.line;
        pos_.column = 1;
        ++at_;
        continue;
      }
      size_t n = utf8_length(text_.substr(at_));
      if (n == 0) fail(pos_, "statement is not valid UTF-8");
      at_ += n;
      ++pos_.column;
    }
  }

  /// False at the end of the text.
  bool skip_blank() {
    while (at_ < text_.size()) {
      char c = text_[at_];
      if (c == ' ' || c == '\t' || c == '\r' || c == '\n') {
        advance(1);
      } else if (c == '-' && peek(1) == '-') {
        size_t end = text_.find_first_of("\r\n", at_);
        advance((end == std::string_view::npos ? text_.size() : end) - at_);
      } else if (c == '/' && peek(1) == '*') {
        size_t end = text_.find("*/", at_ + 2);
        if (end == std::string_view::npos) {
          if (unclosed_ == Unclosed::kUnknown) return true;
          fail(pos_, "comment is not closed. Expecting: '*/'");
        }
        advance(end + 2 - at_);
      } else {
        return true;
      }
    }
    return false;
  }

  Token next() {
    Token token;
    token.offset = static_cast<uint32_t>(at_);
    token.pos = pos_;
    size_t length = scan(token);
    advance(length);
    token.length = static_cast<uint32_t>(at_ - token.offset);
    return token;
  }

  /// A quoted token of the length, or if nothing ends it (length 0), its first character alone.
  static size_t quoted(Token& token, TokenKind kind, size_t length) {
    token.kind = length > 0 ? kind : TokenKind::kUnknown;
    return length > 0 ? length : 1;
  }

  /// Sets the token's kind and returns its length in bytes.
  size_t scan(Token& token) {
    char c = peek();
    if (is_letter(c) || c == '_') {
      if ((c == 'x' || c == 'X') && peek(1) == '\'') {
        token.kind = TokenKind::kBinary;
        if (size_t length = binary_length()) return length;
      }
      if ((c == 'u' || c == 'U') && peek(1) == '&' && peek(2) == '\'') {
        token.kind = TokenKind::kUnicodeString;
        if (size_t length = quoted_length(2, '\'', "string")) return 2 + length;
      }
      size_t n = 1;
      while (is_word(peek(n))) ++n;
      token.kind = TokenKind::kWord;
      token.keyword = find_keyword(text_.substr(at_, n));
      return n;
    }
    if (is_digit(c) || (c == '.' && is_digit(peek(1)))) return scan_number(token);
    if (c == '\'') {
      return quoted(token, TokenKind::kString, quoted_length(0, '\'', "string"));
    }
    if (c == '"') {
      return quoted(token, TokenKind::kQuoted, quoted_length(0, '"', "quoted identifier"));
    }
    if (c == '`') {
      return quoted(token, TokenKind::kBackquoted, quoted_length(0, '`', "backquoted identifier"));
    }
    if (c == '$' && peek(1) == '$') {
      size_t end = text_.find("$$", at_ + 2);
      if (end == std::string_view::npos && unclosed_ == Unclosed::kError)
        fail(pos_, "string is not closed. Expecting: '$$'");
      const bool closed = end != std::string_view::npos;
      return quoted(token, TokenKind::kDollarString, closed ? end + 2 - at_ : 0);
    }
    return scan_symbol(token);
  }

  /// Bytes from the quote at at_+skip to behind the closing one, 0 if there is none; a doubled
  /// quote stands for itself.
  size_t quoted_length(size_t skip, char quote, const char* what) {
    size_t i = at_ + skip + 1;
    while (true) {
      i = text_.find(quote, i);
      if (i == std::string_view::npos) {
        if (unclosed_ == Unclosed::kUnknown) return 0;
        fail(pos_, std::string(what) + " is not closed. Expecting: " + quote);
      }
      if (i + 1 < text_.size() && text_[i + 1] == quote)
        i += 2;
      else
        return i + 1 - at_ - skip;
    }
  }

  size_t binary_length() {
    size_t end = text_.find('\'', at_ + 2);
    if (end == std::string_view::npos) {
      if (unclosed_ == Unclosed::kUnknown) return 0;
      fail(pos_, "binary literal is not closed. Expecting: '");
    }
    return end + 1 - at_;
  }

  /// Digits with single underscores between them, from `i`; returns the index behind them.
  size_t digits(size_t i, bool (*accept)(char)) const {
    while (true) {
      if (accept(peek(i)))
        ++i;
      else if (peek(i) == '_' && accept(peek(i + 1)))
        i += 2;
      else
        return i;
    }
  }

  /// Index behind an exponent that starts at `i`, or `i` if there is none.
  size_t exponent(size_t i) const {
    if (ascii_upper(peek(i)) != 'E') return i;
    size_t j = i + 1;
    if (peek(j) == '+' || peek(j) == '-') ++j;
    if (!is_digit(peek(j))) return i;
    while (is_digit(peek(j))) ++j;
    return j;
  }

  size_t scan_number(Token& token) {
    size_t n = 0;
    token.kind = TokenKind::kInteger;
    if (peek() == '.') {
      token.kind = TokenKind::kDecimal;
      n = digits(1, is_digit);
    } else {
      char base = peek() == '0' ? ascii_upper(peek(1)) : '\0';
      bool (*accept)(char) = base == 'X'   ? is_hex
                             : base == 'O' ? is_octal
                             : base == 'B' ? is_bit
                                           : nullptr;
      if (accept) {
        n = digits(2, accept);
        if (n == 2) n = 1;
      } else {
        n = digits(0, is_digit);
      }
      if (!accept && peek(n) == '.') {
        token.kind = TokenKind::kDecimal;
        n = is_digit(peek(n + 1)) ? digits(n + 1, is_digit) : n + 1;
      }
    }
    // An exponent takes plain digits before it only.
    bool plain = text_.substr(at_, n).find('_') == std::string_view::npos;
    size_t behind = plain && !(n > 1 && is_letter(peek(1))) ? exponent(n) : n;
    if (behind > n) {
      token.kind = TokenKind::kDouble;
      n = behind;
    }
    // The longest match wins: 1abc and 1e5x are one (wrong) word.
    if (is_digit(peek())) {
      size_t word = 1;
      while (is_word(peek(word))) ++word;
      if (word > n) {
        token.kind = TokenKind::kDigitWord;
        return word;
      }
    }
    return n;
  }

  size_t scan_symbol(Token& token) {
    static constexpr struct {
      char first, second;
      Symbol symbol;
    } kPairs[] = {
        {'<', '>', Symbol::kNe},           {'!', '=', Symbol::kNe},
        {'<', '=', Symbol::kLe},           {'>', '=', Symbol::kGe},
        {'|', '|', Symbol::kConcat},       {'-', '>', Symbol::kArrow},
        {'=', '>', Symbol::kFatArrow},     {'{', '-', Symbol::kLeftExclude},
        {'-', '}', Symbol::kRightExclude},
    };
    char c = peek(), d = peek(1);
    token.kind = TokenKind::kSymbol;
    for (const auto& pair : kPairs) {
      if (pair.first == c && pair.second == d) {
        token.symbol = pair.symbol;
        return 2;
      }
    }
    switch (c) {
      case '=':
        token.symbol = Symbol::kEq;
        return 1;
      case '<':
        token.symbol = Symbol::kLt;
        return 1;
      case '>':
        token.symbol = Symbol::kGt;
        return 1;
      case '+':
        token.symbol = Symbol::kPlus;
        return 1;
      case '-':
        token.symbol = Symbol::kMinus;
        return 1;
      case '*':
        token.symbol = Symbol::kStar;
        return 1;
      case '/':
        token.symbol = Symbol::kSlash;
        return 1;
      case '%':
        token.symbol = Symbol::kPercent;
        return 1;
      case '?':
        token.symbol = Symbol::kQuestion;
        return 1;
      case ';':
        token.symbol = Symbol::kSemicolon;
        return 1;
      case ',':
        token.symbol = Symbol::kComma;
        return 1;
      case '.':
        token.symbol = Symbol::kDot;
        return 1;
      case '(':
        token.symbol = Symbol::kLeftParen;
        return 1;
      case ')':
        token.symbol = Symbol::kRightParen;
        return 1;
      case '[':
        token.symbol = Symbol::kLeftBracket;
        return 1;
      case ']':
        token.symbol = Symbol::kRightBracket;
        return 1;
      case '{':
        token.symbol = Symbol::kLeftBrace;
        return 1;
      case '}':
        token.symbol = Symbol::kRightBrace;
        return 1;
      case ':':
        token.symbol = Symbol::kColon;
        return 1;
      case '|':
        token.symbol = Symbol::kPipe;
        return 1;
      case '^':
        token.symbol = Symbol::kCaret;
        return 1;
      case '$':
        token.symbol = Symbol::kDollar;
        return 1;
      case '@':
        token.symbol = Symbol::kAt;
        return 1;
      default:
        break;
    }
    token.kind = TokenKind::kUnknown;
    size_t n = utf8_length(text_.substr(at_));
    if (n == 0) fail(pos_, "statement is not valid UTF-8");
    return n;
  }

  std::string_view text_;
  Unclosed unclosed_;
  size_t at_ = 0;
  Position pos_{1, 1};
};

}  // namespace

std::vector<Token> tokenize(std::string_view text, Unclosed unclosed) {
  if (text.size() > INT32_MAX)
    throw Error(Code::kQueryTextTooLarge, "statement is longer than 2 GiB");
  return Lexer(text, unclosed).run();
}

Kw find_keyword(std::string_view word) {
  if (word.empty() || word.size() > kLongestKeyword) return Kw::kNone;
  size_t at = hash_word(word) % kSlots;
  while (kSlotTable[at] != Kw::kNone) {
    if (same_word(kKeywords[static_cast<size_t>(kSlotTable[at])].text, word)) return kSlotTable[at];
    at = (at + 1) % kSlots;
  }
  return Kw::kNone;
}

std::string_view keyword_text(Kw keyword) { return kKeywords[static_cast<size_t>(keyword)].text; }
bool is_reserved(Kw keyword) { return kKeywords[static_cast<size_t>(keyword)].reserved; }

std::string_view symbol_text(Symbol symbol) {
  static constexpr std::string_view kTexts[] = {
      "",  "=", "<>", "<", "<=", ">", ">=", "+",  "-",  "*", "/",  "%",  "||", "?", ";", ",",
      ".", "(", ")",  "[", "]",  "{", "}",  "{-", "-}", ":", "->", "=>", "|",  "^", "$", "@"};
  return kTexts[static_cast<size_t>(symbol)];
}

bool is_plain_identifier(std::string_view word) {
  if (word.empty() || is_digit(word[0])) return false;
  for (char c : word)
    if (!is_word(c)) return false;
  return !is_reserved(find_keyword(word));
}

namespace {
std::string quote(std::string_view text, char with) {
  std::string out;
  out.reserve(text.size() + 2);
  out += with;
  for (char c : text) {
    if (c == with) out += with;
    out += c;
  }
  out += with;
  return out;
}
}  // namespace

std::string quote_identifier(std::string_view name) { return quote(name, '"'); }
std::string quote_string(std::string_view value) { return quote(value, '\''); }

std::string print_identifier(const Ident& ident) {
  return ident.quoted || !is_plain_identifier(ident.value) ? quote_identifier(ident.value)
                                                           : ident.value;
}

std::string print_name(const Name& name) {
  std::string out;
  for (const Ident& part : name) {
    if (!out.empty()) out += '.';
    out += print_identifier(part);
  }
  return out;
}

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = ascii_lower(c);
  return out;
}

std::string upper(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = ascii_upper(c);
  return out;
}

}  // namespace meesh::sql
