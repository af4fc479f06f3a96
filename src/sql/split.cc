#include "sql/lexer.h"
#include "sql/sql.h"

namespace meesh::sql {
namespace {

/// Follows BEGIN … END and its kin inside a SQL routine, whose semicolons do not end the statement.
class RoutineBlocks {
 public:
  void start_statement() {
    words_ = 0;
    routine_ = false;
    depth_ = 0;
  }

  bool open() const { return depth_ > 0; }

  void see(const Token& token, const Token& before, const Token& next) {
    ++words_;
    // CREATE [OR REPLACE] FUNCTION …, WITH FUNCTION …
    if (token.keyword == Kw::kFUNCTION && words_ <= 4 &&
        (before.keyword == Kw::kCREATE || before.keyword == Kw::kREPLACE ||
         before.keyword == Kw::kWITH))
      routine_ = true;
    if (!routine_ || before.keyword == Kw::kEND) return;
    switch (token.keyword) {
      case Kw::kBEGIN:
      case Kw::kCASE:
      case Kw::kLOOP:
      case Kw::kWHILE:
        ++depth_;
        break;
      case Kw::kIF:
      case Kw::kREPEAT: {
        // Elsewhere these are functions: if(…), repeat(…).
        bool starts = before.symbol == Symbol::kSemicolon || before.symbol == Symbol::kColon ||
                      before.keyword == Kw::kTHEN || before.keyword == Kw::kELSE ||
                      before.keyword == Kw::kBEGIN || before.keyword == Kw::kDO ||
                      before.keyword == Kw::kLOOP || before.keyword == Kw::kREPEAT;
        if (starts && (depth_ > 0 || next.symbol != Symbol::kLeftParen)) ++depth_;
        break;
      }
      case Kw::kEND:
        if (depth_ > 0) --depth_;
        break;
      default:
        break;
    }
  }

 private:
  int words_ = 0;
  bool routine_ = false;
  int depth_ = 0;
};

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kBlank = " \t\r\n";
  size_t first = text.find_first_not_of(kBlank);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kBlank) - first + 1);
}

}  // namespace

std::vector<std::string_view> split_statements(std::string_view script) {
  std::vector<std::string_view> statements;
  std::vector<Token> tokens;
  try {
    tokens = tokenize(script);
  } catch (const Error&) {
    // An unclosed string or comment: the one who parses the whole reports it at its place.
    std::string_view whole = trimmed(script);
    if (!whole.empty()) statements.push_back(whole);
    return statements;
  }
  RoutineBlocks blocks;
  blocks.start_statement();
  const Token none;
  size_t first = 0;  // token
  for (size_t i = 0; i < tokens.size(); ++i) {
    const Token& token = tokens[i];
    bool end = token.kind == TokenKind::kEnd;
    if (end || (token.symbol == Symbol::kSemicolon && !blocks.open())) {
      if (i > first) {
        size_t from = tokens[first].offset;
        const Token& last = tokens[i - 1];
        statements.push_back(script.substr(from, last.offset + last.length - from));
      }
      first = i + 1;
      blocks.start_statement();
    } else {
      blocks.see(token, i > first ? tokens[i - 1] : none, end ? none : tokens[i + 1]);
    }
  }
  return statements;
}

}  // namespace meesh::sql
