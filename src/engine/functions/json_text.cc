#include <algorithm>
#include <vector>

#include "engine/functions/text.h"

namespace meesh::engine {
namespace {

/// Copies valid JSON without spaces, members sorted by key. `at` moves behind the value.
class Canonical {
 public:
  explicit Canonical(std::string_view text) : text_(text) {}

  std::string value() {
    skip_spaces();
    if (peek() == '{') return object();
    if (peek() == '[') return array();
    if (peek() == '"') return std::string(string());
    const size_t start = at_;
    while (at_ < text_.size() &&
           std::string_view(",]} \t\r\n").find(text_[at_]) == std::string_view::npos)
      ++at_;
    return std::string(text_.substr(start, at_ - start));
  }

 private:
  char peek() const { return at_ < text_.size() ? text_[at_] : '\0'; }
  void skip_spaces() {
    while (at_ < text_.size() &&
           std::string_view(" \t\r\n").find(text_[at_]) != std::string_view::npos)
      ++at_;
  }
  /// With its quotes.
  std::string_view string() {
    const size_t start = at_++;
    while (at_ < text_.size() && text_[at_] != '"') at_ += text_[at_] == '\\' ? 2 : 1;
    at_ = std::min(at_ + 1, text_.size());
    return text_.substr(start, at_ - start);
  }
  /// Steps over a comma; false at the end of the list.
  bool more(char close) {
    skip_spaces();
    const char c = peek();
    if (at_ < text_.size()) ++at_;
    return c != close && c != '\0';
  }
  bool empty(char close) {
    ++at_;
    skip_spaces();
    if (peek() != close) return false;
    ++at_;
    return true;
  }
  std::string array() {
    std::string out = "[";
    if (empty(']')) return "[]";
    do {
      if (out.size() > 1) out += ',';
      out += value();
    } while (more(']'));
    return out + ']';
  }
  std::string object() {
    if (empty('}')) return "{}";
    std::vector<std::pair<std::string_view, std::string>> members;
    do {
      skip_spaces();
      const auto key = string();
      skip_spaces();
      ++at_;  // the colon
      members.emplace_back(key, value());
    } while (more('}'));
    std::sort(members.begin(), members.end());
    std::string out = "{";
    for (const auto& [key, value] : members) {
      if (out.size() > 1) out += ',';
      out.append(key).append(":").append(value);
    }
    return out + '}';
  }

  std::string_view text_;
  size_t at_ = 0;
};

}  // namespace

std::optional<std::string> canonical_json(std::string_view text) {
  constexpr int kDeepest = 1000;
  int depth = 0;
  bool quoted = false;
  for (size_t i = 0; i < text.size(); ++i) {
    if (quoted && text[i] == '\\') {
      ++i;
    } else if (text[i] == '"') {
      quoted = !quoted;
    } else if (!quoted && (text[i] == '[' || text[i] == '{')) {
      if (++depth > kDeepest) return std::nullopt;
    } else if (!quoted && (text[i] == ']' || text[i] == '}')) {
      --depth;
    }
  }
  return Canonical(text).value();
}

}  // namespace meesh::engine
