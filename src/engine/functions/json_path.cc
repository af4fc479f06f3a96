#include "engine/functions/json_path.h"

#include <algorithm>
#include <cctype>

#include "base/error.h"

namespace meesh::engine {
namespace {

using Kind = PathNode::Kind;
using NodePtr = std::unique_ptr<PathNode>;

NodePtr make(Kind kind, std::string text = {}, NodePtr left = {}, NodePtr right = {}) {
  auto out = std::make_unique<PathNode>();
  out->kind = kind;
  out->text = std::move(text);
  out->left = std::move(left);
  out->right = std::move(right);
  return out;
}

[[noreturn]] void refuse(Code code, const std::string& message, const char* hint) {
  throw Error(code, message).with_hint(hint);
}

class PathParser {
 public:
  explicit PathParser(std::string_view text) : text_(text) {}

  JsonPath path() {
    constexpr size_t kLongest = 10'000;  // each operator may be one level of the tree
    if (text_.size() > kLongest)
      refuse(Code::kSyntaxError, "JSON path is longer than 10000 characters",
             "Write the path shorter.");
    skip_spaces();
    const std::string mode = word();
    if (mode != "lax" && mode != "strict") {
      const std::string met = mode.empty() ? met_here() : mode;
      refuse(Code::kSyntaxError, "mismatched input '" + met + "' expecting {'lax', 'strict'}",
             "A JSON path starts with lax or strict, as in 'lax $.name'.");
    }
    path_.lax = mode == "lax";
    path_.root = sum();
    skip_spaces();
    if (at_ < text_.size()) fail("<EOF>");
    return std::move(path_);
  }

 private:
  /// Keeps what nests within what a thread's stack holds.
  struct Nesting {
    explicit Nesting(int& depth) : depth_(depth) {
      constexpr int kDeepest = 200;
      if (++depth_ > kDeepest)
        refuse(Code::kSyntaxError, "JSON path nests deeper than 200 levels",
               "Write the path with fewer parentheses.");
    }
    ~Nesting() { --depth_; }
    int& depth_;
  };

  std::string met_here() const { return at_ < text_.size() ? std::string(1, text_[at_]) : "<EOF>"; }
  [[noreturn]] void fail(const std::string& expected) const {
    refuse(Code::kSyntaxError,
           "JSON path: mismatched input '" + met_here() + "' at character " +
               std::to_string(at_ + 1) + ", expecting " + expected,
           "See the path language of SQL/JSON.");
  }
  void skip_spaces() {
    while (at_ < text_.size() && std::isspace(static_cast<unsigned char>(text_[at_]))) ++at_;
  }
  char peek(size_t ahead = 0) const {
    return at_ + ahead < text_.size() ? text_[at_ + ahead] : '\0';
  }
  bool accept(std::string_view symbol) {
    skip_spaces();
    if (!text_.substr(at_).starts_with(symbol)) return false;
    at_ += symbol.size();
    return true;
  }
  void expect(std::string_view symbol) {
    if (!accept(symbol)) fail("'" + std::string(symbol) + "'");
  }
  static bool is_word(char c) {
    return std::isalnum(static_cast<unsigned char>(c)) || c == '_' ||
           static_cast<unsigned char>(c) >= 0x80;
  }
  std::string word() {
    const size_t start = at_;
    while (at_ < text_.size() && is_word(text_[at_])) ++at_;
    return std::string(text_.substr(start, at_ - start));
  }
  /// A whole word, letters as written.
  bool accept_word(std::string_view wanted) {
    skip_spaces();
    const std::string_view rest = text_.substr(at_);
    if (!rest.starts_with(wanted)) return false;
    if (rest.size() > wanted.size() && is_word(rest[wanted.size()])) return false;
    at_ += wanted.size();
    return true;
  }

  NodePtr sum() {
    const Nesting nesting(depth_);
    NodePtr out = product();
    for (;;) {
      skip_spaces();
      const char c = peek();
      if (c != '+' && c != '-') return out;
      ++at_;
      out = make(Kind::kArithmetic, std::string(1, c), std::move(out), product());
    }
  }
  NodePtr product() {
    NodePtr out = sign();
    for (;;) {
      skip_spaces();
      const char c = peek();
      if (c != '*' && c != '/' && c != '%') return out;
      ++at_;
      out = make(Kind::kArithmetic, std::string(1, c), std::move(out), sign());
    }
  }
  NodePtr sign() {
    const Nesting nesting(depth_);
    if (accept("+")) return make(Kind::kPlus, "", sign());
    if (accept("-")) return make(Kind::kMinus, "", sign());
    return accessors(primary());
  }

  NodePtr primary() {
    skip_spaces();
    const char c = peek();
    if (c == '$') {
      ++at_;
      std::string name = word();
      if (name.empty() && peek() == '"') name = quoted();
      if (name.empty()) return make(Kind::kContext);
      path_.variables.push_back(name);
      return make(Kind::kVariable, name);
    }
    if (c == '@') {
      ++at_;
      return make(Kind::kCurrent);
    }
    if (c == '(') {
      ++at_;
      NodePtr out = sum();
      expect(")");
      return out;
    }
    auto out = make(Kind::kLiteral);
    if (c == '"') {
      out->literal = quoted();
    } else if (std::isdigit(static_cast<unsigned char>(c))) {
      out->literal = number();
    } else if (accept_word("true")) {
      out->literal = true;
    } else if (accept_word("false")) {
      out->literal = false;
    } else if (accept_word("null")) {
      out->literal = nullptr;
    } else if (accept_word("last")) {
      out->kind = Kind::kLast;
    } else {
      fail("a path expression");
    }
    return out;
  }

  /// A JSON string, escapes and all.
  std::string quoted() {
    const size_t start = at_++;
    while (at_ < text_.size() && text_[at_] != '"') at_ += text_[at_] == '\\' ? 2 : 1;
    if (at_ >= text_.size()) {
      at_ = text_.size();
      fail("'\"'");
    }
    ++at_;
    boost::system::error_code error;
    const auto value = boost::json::parse(text_.substr(start, at_ - start), error);
    if (error || !value.is_string()) {
      at_ = start;
      fail("a string");
    }
    return std::string(value.as_string());
  }
  boost::json::value number() {
    const size_t start = at_;
    const auto digits = [&] {
      while (std::isdigit(static_cast<unsigned char>(peek()))) ++at_;
    };
    digits();
    if (peek() == '.' && std::isdigit(static_cast<unsigned char>(peek(1)))) {
      ++at_;
      digits();
    }
    if (peek() == 'e' || peek() == 'E') {
      const size_t sign = peek(1) == '+' || peek(1) == '-' ? 1 : 0;
      if (std::isdigit(static_cast<unsigned char>(peek(1 + sign)))) {
        at_ += 1 + sign;
        digits();
      }
    }
    boost::system::error_code error;
    auto value = boost::json::parse(text_.substr(start, at_ - start), error);
    if (error) {
      at_ = start;
      fail("a number");
    }
    return value;
  }

  NodePtr accessors(NodePtr out) {
    // Each accessor is one level of the tree.
    constexpr int kMost = 200;
    for (int count = 0;; ++count) {
      skip_spaces();
      const char c = peek();
      if (c != '.' && c != '[' && c != '?') return out;
      if (count == kMost)
        refuse(Code::kSyntaxError, "JSON path has more than 200 accessors",
               "Write the path with fewer steps.");
      ++at_;
      if (c == '.') {
        out = member(std::move(out));
      } else if (c == '[') {
        out = subscript(std::move(out));
      } else {
        expect("(");
        NodePtr predicate = any_of();
        expect(")");
        out = make(Kind::kFilter, "", std::move(out), std::move(predicate));
      }
    }
  }

  NodePtr member(NodePtr base) {
    const bool deep = peek() == '.';
    if (deep) ++at_;
    skip_spaces();
    if (!deep && accept("*")) return make(Kind::kAnyMember, "", std::move(base));
    if (peek() == '"')
      return make(deep ? Kind::kDescendant : Kind::kMember, quoted(), std::move(base));
    const std::string name = word();
    if (name.empty() || std::isdigit(static_cast<unsigned char>(name[0]))) fail("a member's name");
    if (deep) return make(Kind::kDescendant, name, std::move(base));
    skip_spaces();
    if (peek() != '(') return make(Kind::kMember, name, std::move(base));
    static constexpr std::string_view kMethods[] = {"type",    "size",  "double",  "abs",
                                                    "ceiling", "floor", "keyvalue"};
    if (name == "datetime")
      refuse(Code::kNotSupported, "datetime method in JSON path is not yet supported",
             "Compare the text, or cast what JSON_VALUE returns.");
    if (std::find(std::begin(kMethods), std::end(kMethods), name) == std::end(kMethods))
      fail("type, size, double, abs, ceiling, floor or keyvalue before '('");
    expect("(");
    expect(")");
    return make(Kind::kMethod, name, std::move(base));
  }

  NodePtr subscript(NodePtr base) {
    if (accept("*")) {
      expect("]");
      return make(Kind::kAnyElement, "", std::move(base));
    }
    auto out = make(Kind::kSubscript, "", std::move(base));
    do {
      NodePtr from = sum();
      NodePtr to = accept_word("to") ? sum() : nullptr;
      out->ranges.emplace_back(std::move(from), std::move(to));
    } while (accept(","));
    expect("]");
    return out;
  }

  NodePtr any_of() {
    const Nesting nesting(depth_);
    NodePtr out = all_of();
    while (accept("||")) out = make(Kind::kOr, "", std::move(out), all_of());
    return out;
  }
  NodePtr all_of() {
    NodePtr out = negated();
    while (accept("&&")) out = make(Kind::kAnd, "", std::move(out), negated());
    return out;
  }
  NodePtr negated() {
    const Nesting nesting(depth_);
    skip_spaces();
    if (peek() == '!' && peek(1) != '=') {
      ++at_;
      return make(Kind::kNot, "", negated());
    }
    if (accept_word("exists")) {
      expect("(");
      NodePtr path = sum();
      expect(")");
      return make(Kind::kExists, "", std::move(path));
    }
    if (peek() == '(' && parenthesis_is_predicate()) {
      ++at_;
      NodePtr inner = any_of();
      expect(")");
      if (!accept_word("is")) return inner;
      if (!accept_word("unknown")) fail("'unknown'");
      return make(Kind::kIsUnknown, "", std::move(inner));
    }
    return comparison();
  }

  /// Whether the parenthesis here encloses a predicate and not an operand: it has a comparison, a
  /// connective or a test of its own at its first level.
  bool parenthesis_is_predicate() const {
    int depth = 0;
    for (size_t i = at_; i < text_.size(); ++i) {
      const char c = text_[i];
      if (c == '"') {
        for (++i; i < text_.size() && text_[i] != '"'; ++i)
          if (text_[i] == '\\') ++i;
        continue;
      }
      if (c == '(' || c == '[') ++depth;
      if (c == ')' || c == ']') --depth;
      if (depth == 0) return false;
      if (c == '?' && depth == 1) return false;
      const std::string_view rest = text_.substr(i);
      const bool test = c == '=' || c == '<' || c == '>' || c == '!' || rest.starts_with("&&") ||
                        rest.starts_with("||") || rest.starts_with("exists") ||
                        rest.starts_with("starts ") || rest.starts_with("like_regex");
      if (test) return true;
    }
    return false;
  }

  NodePtr comparison() {
    NodePtr left = sum();
    if (accept_word("starts")) {
      if (!accept_word("with")) fail("'with'");
      skip_spaces();
      if (peek() != '"' && peek() != '$') fail("a string or a variable");
      return make(Kind::kStartsWith, "", std::move(left), primary());
    }
    if (accept_word("like_regex"))
      refuse(Code::kNotSupported, "like_regex predicate in JSON path is not yet supported",
             "Filter with regexp_like on what JSON_VALUE returns.");
    for (const auto& [symbol, name] :
         {std::pair("==", "=="), std::pair("!=", "<>"), std::pair("<>", "<>"),
          std::pair("<=", "<="), std::pair(">=", ">="), std::pair("<", "<"), std::pair(">", ">")}) {
      if (accept(symbol)) return make(Kind::kCompare, name, std::move(left), sum());
    }
    fail("a comparison");
  }

  std::string_view text_;
  size_t at_ = 0;
  int depth_ = 0;
  JsonPath path_;
};

}  // namespace

JsonPath parse_json_path(std::string_view text) { return PathParser(text).path(); }

}  // namespace meesh::engine
