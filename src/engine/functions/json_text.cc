#include "engine/functions/json_text.h"

#include <unicode/utf16.h>
#include <unicode/utf8.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <vector>

#include "engine/functions/json_path.h"
#include "engine/functions/kernels.h"
#include "engine/functions/text.h"

namespace meesh::engine {
namespace {

constexpr int kDeepest = 1000;
constexpr size_t kLongestNumber = 1000;  // bytes

bool is_space(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }

void append_unit(std::string& out, uint32_t unit) {
  static constexpr char kHex[] = "0123456789ABCDEF";
  out += "\\u";
  for (int shift = 12; shift >= 0; shift -= 4) out += kHex[unit >> shift & 15];
}

/// The four hexadecimal digits at `at`; nullopt if there are none.
std::optional<uint32_t> read_unit(std::string_view text, size_t at) {
  uint32_t unit = 0;
  if (at + 4 > text.size()) return std::nullopt;
  const auto [end, code] = std::from_chars(text.data() + at, text.data() + at + 4, unit, 16);
  if (code != std::errc() || end != text.data() + at + 4) return std::nullopt;
  return unit;
}

/// Appends what the escape at text[at] (a backslash) means and moves behind it.
bool read_escape(std::string_view text, size_t& at, std::string& out) {
  if (at + 1 >= text.size()) return false;
  const size_t known = std::string_view("\"\\/bfnrt").find(text[at + 1]);
  if (known != std::string_view::npos) {
    out += "\"\\/\b\f\n\r\t"[known];
    at += 2;
    return true;
  }
  auto unit = text[at + 1] == 'u' ? read_unit(text, at + 2) : std::nullopt;
  if (!unit || (*unit >= 0xDC00 && *unit < 0xE000)) return false;
  at += 6;
  if (*unit >= 0xD800 && *unit < 0xDC00) {
    const auto low = text.substr(at).starts_with("\\u") ? read_unit(text, at + 2) : std::nullopt;
    if (!low || *low < 0xDC00 || *low > 0xDFFF) return false;
    at += 6;
    *unit = 0x10000 + ((*unit - 0xD800) << 10) + (*low - 0xDC00);
  }
  append_code_point(out, *unit);
  return true;
}

/// The order of Java's strings, by units of UTF-16: surrogates stand before U+E000.
bool key_less(const std::string& a, const std::string& b) {
  const auto [x, y] = std::mismatch(a.begin(), a.end(), b.begin(), b.end());
  if (x == a.end() || y == b.end()) return x == a.end() && y != b.end();
  const auto left = static_cast<unsigned char>(*x), right = static_cast<unsigned char>(*y);
  if (left >= 0xEE && right >= 0xEE && (left >= 0xF0) != (right >= 0xF0)) return left >= 0xF0;
  return left < right;
}

/// Reads JSON strictly and writes it without spaces, members sorted by key, of equal keys the last.
class Canonical {
 public:
  explicit Canonical(std::string_view text) : text_(text) {}

  std::optional<std::string> whole() {
    out_.reserve(text_.size());
    if (!value(0)) return std::nullopt;
    skip_spaces();
    if (at_ != text_.size()) return std::nullopt;
    return std::move(out_);
  }

 private:
  struct Member {
    std::string key;
    size_t begin, end;  // of `"key":value` in out_
  };

  char peek() const { return at_ < text_.size() ? text_[at_] : '\0'; }
  void skip_spaces() {
    while (at_ < text_.size() && is_space(text_[at_])) ++at_;
  }
  bool take(char c) {
    skip_spaces();
    if (peek() != c) return false;
    ++at_;
    return true;
  }

  bool value(int depth) {
    skip_spaces();
    switch (peek()) {
      case '{':
        return depth < kDeepest && object(depth + 1);
      case '[':
        return depth < kDeepest && array(depth + 1);
      case '"':
        return string(nullptr);
      case 't':
        return word("true");
      case 'f':
        return word("false");
      case 'n':
        return word("null");
      default:
        return number();
    }
  }
  bool word(std::string_view word) {
    if (!text_.substr(at_).starts_with(word)) return false;
    at_ += word.size();
    out_ += word;
    return true;
  }
  bool string(std::string* key) {
    size_t length = 0;
    const auto read = read_json_string(text_.substr(at_), length);
    if (!read) return false;
    at_ += length;
    append_json_string(out_, *read);
    if (key) *key = *read;
    return true;
  }
  bool number() {
    bool integral = false;
    const size_t size = json_number_size(text_.substr(at_), integral);
    if (size == 0 || size > kLongestNumber) return false;
    const auto text = text_.substr(at_, size);
    at_ += size;
    if (!integral) {
      out_ += json_number(*read_double(text));
    } else {
      out_ += text == "-0" ? "0" : text;
    }
    return true;
  }
  bool array(int depth) {
    ++at_;
    out_ += '[';
    if (!take(']')) {
      if (!value(depth)) return false;
      while (take(',')) {
        out_ += ',';
        if (!value(depth)) return false;
      }
      if (!take(']')) return false;
    }
    out_ += ']';
    return true;
  }
  bool object(int depth) {
    ++at_;
    out_ += '{';
    std::vector<Member> members;
    bool ordered = true;
    if (!take('}')) {
      do {
        if (!members.empty()) out_ += ',';
        Member member{"", out_.size(), 0};
        skip_spaces();
        if (peek() != '"' || !string(&member.key) || !take(':')) return false;
        out_ += ':';
        if (!value(depth)) return false;
        member.end = out_.size();
        ordered = ordered && (members.empty() || key_less(members.back().key, member.key));
        members.push_back(std::move(member));
      } while (take(','));
      if (!take('}')) return false;
    }
    if (!ordered) sort(members);
    out_ += '}';
    return true;
  }
  void sort(std::vector<Member>& members) {
    const size_t begin = members.front().begin;
    std::sort(members.begin(), members.end(), [](const Member& a, const Member& b) {
      return a.key == b.key ? a.begin < b.begin : key_less(a.key, b.key);
    });
    std::string sorted;
    for (size_t i = 0; i < members.size(); ++i) {
      if (i + 1 < members.size() && members[i].key == members[i + 1].key) continue;
      if (!sorted.empty()) sorted += ',';
      sorted.append(out_, members[i].begin, members[i].end - members[i].begin);
    }
    out_.replace(begin, std::string::npos, sorted);
  }

  std::string_view text_;
  size_t at_ = 0;
  std::string out_;
};

}  // namespace

void append_json_escaped(std::string& out, std::string_view text) {
  for (size_t i = 0; i < text.size();) {
    size_t end = i;  // of what is written as it is
    while (end < text.size()) {
      const auto byte = static_cast<unsigned char>(text[end]);
      if (byte < 0x20 || byte == '"' || byte == '\\' || byte >= 0xF0) break;
      ++end;
    }
    out.append(text, i, end - i);
    if (end == text.size()) return;
    const size_t known = std::string_view("\"\\\b\f\n\r\t").find(text[end]);
    if (known != std::string_view::npos) {
      out += {'\\', "\"\\bfnrt"[known]};
      i = end + 1;
    } else if (static_cast<unsigned char>(text[end]) < 0x20) {
      append_unit(out, static_cast<unsigned char>(text[end]));
      i = end + 1;
    } else {
      UChar32 point = 0;
      i = end;
      U8_NEXT(text.data(), i, text.size(), point);
      if (point < 0) {  // broken UTF-8 stays what it is
        out.append(text, end, i - end);
        continue;
      }
      append_unit(out, static_cast<uint32_t>(U16_LEAD(point)));
      append_unit(out, static_cast<uint32_t>(U16_TRAIL(point)));
    }
  }
}

void append_json_string(std::string& out, std::string_view text) {
  out += '"';
  append_json_escaped(out, text);
  out += '"';
}

std::optional<std::string> read_json_string(std::string_view text, size_t& length) {
  std::string out;
  if (text.empty() || text[0] != '"') return std::nullopt;
  for (size_t at = 1; at < text.size();) {
    if (text[at] == '"') {
      length = at + 1;
      return out;
    }
    if (static_cast<unsigned char>(text[at]) < 0x20) return std::nullopt;
    if (text[at] == '\\') {
      if (!read_escape(text, at, out)) return std::nullopt;
    } else {
      out += text[at++];
    }
  }
  return std::nullopt;
}

size_t json_number_size(std::string_view text, bool& integral) {
  size_t at = text.starts_with('-') ? 1 : 0;
  const auto digits = [&] {
    const size_t start = at;
    while (at < text.size() && is_digit(text[at])) ++at;
    return at > start;
  };
  integral = true;
  if (at < text.size() && text[at] == '0') {
    ++at;
  } else if (!digits()) {
    return 0;
  }
  if (at < text.size() && text[at] == '.') {
    integral = false;
    ++at;
    if (!digits()) return 0;
  }
  if (at < text.size() && (text[at] == 'e' || text[at] == 'E')) {
    integral = false;
    ++at;
    if (at < text.size() && (text[at] == '+' || text[at] == '-')) ++at;
    if (!digits()) return 0;
  }
  return at;
}

std::optional<std::string> canonical_json(std::string_view text) { return Canonical(text).whole(); }

// ---------------------------------------------------------------- cursor

void JsonCursor::skip_spaces() {
  while (at_ < text_.size() && is_space(text_[at_])) ++at_;
}
void JsonCursor::step(size_t bytes) {
  at_ = std::min(at_ + bytes, text_.size());
  skip_spaces();
}
bool JsonCursor::take(char c) {
  if (peek() != c || c == '\0') return false;
  step(1);
  return true;
}
std::string JsonCursor::string() {
  size_t length = 0;
  auto out = read_json_string(rest(), length);
  step(out ? length : text_.size());
  return out ? *out : "";
}
std::string_view JsonCursor::value() {
  const size_t start = at_;
  size_t depth = 0, end = at_;
  do {
    const char c = end < text_.size() ? text_[end] : '\0';
    if (c == '\0') break;
    if (c == '"') {
      for (++end; end < text_.size() && text_[end] != '"'; ++end) end += text_[end] == '\\';
      end = std::min(end + 1, text_.size());
    } else if (c == '{' || c == '[') {
      ++depth;
      ++end;
    } else if (c == '}' || c == ']') {
      if (depth == 0) break;
      --depth;
      ++end;
    } else if (is_space(c) || c == ',' || c == ':') {
      if (depth == 0) break;
      ++end;
    } else {
      while (end < text_.size() &&
             std::string_view(",:]}[{\" \t\r\n").find(text_[end]) == std::string_view::npos)
        ++end;
    }
  } while (depth > 0);
  at_ = end;
  skip_spaces();
  return text_.substr(start, end - start);
}

}  // namespace meesh::engine
