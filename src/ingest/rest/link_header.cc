#include "ingest/rest/link_header.h"

#include <algorithm>
#include <utility>

namespace meesh::ingest {

namespace {

bool same(std::string_view a, std::string_view b) {
  const auto small = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
  return std::ranges::equal(a, b, [&](char x, char y) { return small(x) == small(y); });
}

/// Whether the word is one of those between spaces.
bool holds_word(std::string_view text, std::string_view word) {
  while (!text.empty()) {
    const size_t end = std::min(text.find_first_of(" \t"), text.size());
    if (same(text.substr(0, end), word)) return true;
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return false;
}

class Reader {
 public:
  explicit Reader(std::string_view text) : rest_(text) {}

  bool take(char c) {
    skip();
    if (rest_.empty() || rest_[0] != c) return false;
    rest_.remove_prefix(1);
    return true;
  }
  /// Up to `end`, which is taken too; nothing if it never comes.
  std::optional<std::string_view> until(char end) {
    const size_t at = rest_.find(end);
    if (at == std::string_view::npos) return std::nullopt;
    const auto found = rest_.substr(0, at);
    rest_.remove_prefix(at + 1);
    return found;
  }
  std::string_view word() {
    skip();
    const size_t end = std::min(rest_.find_first_of(" \t;,=\"<>"), rest_.size());
    const auto found = rest_.substr(0, end);
    rest_.remove_prefix(end);
    return found;
  }
  /// Behind its first quote, which was taken.
  std::optional<std::string> quoted() {
    std::string out;
    for (size_t i = 0; i < rest_.size(); ++i) {
      if (rest_[i] == '"') {
        rest_.remove_prefix(i + 1);
        return out;
      }
      if (rest_[i] == '\\' && ++i == rest_.size()) break;
      out += rest_[i];
    }
    return std::nullopt;
  }

 private:
  void skip() { rest_.remove_prefix(std::min(rest_.find_first_not_of(" \t"), rest_.size())); }
  std::string_view rest_;
};

}  // namespace

std::optional<std::string> linked(std::string_view field, std::string_view relation) {
  Reader reader(field);
  while (true) {
    while (reader.take(',')) {
    }
    if (!reader.take('<')) return std::nullopt;
    const auto target = reader.until('>');
    if (!target) return std::nullopt;
    bool wanted = false, related = false;
    while (reader.take(';')) {
      const auto name = reader.word();
      if (!reader.take('=')) continue;
      std::string value;
      if (reader.take('"')) {
        const auto text = reader.quoted();
        if (!text) return std::nullopt;
        value = *text;
      } else {
        value = reader.word();
      }
      // Of several rel parameters the first counts.
      if (same(name, "rel") && !std::exchange(related, true)) wanted = holds_word(value, relation);
    }
    if (wanted) return std::string(*target);
  }
}

}  // namespace meesh::ingest
