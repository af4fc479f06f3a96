#include "serve/trino/json_text.h"

#include <algorithm>
#include <charconv>
#include <cmath>

namespace meesh::serve::trino {
namespace {

/// A word with the high bit set in every byte that JSON cannot take as it is: controls, quote,
/// backslash, anything beyond ASCII.
uint64_t special_bytes(uint64_t word) {
  constexpr uint64_t kOnes = 0x0101010101010101ull, kHighs = 0x8080808080808080ull;
  const uint64_t quote = word ^ (kOnes * '"');
  const uint64_t backslash = word ^ (kOnes * '\\');
  const uint64_t control = (word - kOnes * 0x20) & ~word;
  return (((quote - kOnes) & ~quote) | ((backslash - kOnes) & ~backslash) | control | word) &
         kHighs;
}

/// Length of the leading run that needs no care.
size_t plain_prefix(const char* text, size_t length) {
  size_t i = 0;
  for (; i + 8 <= length; i += 8) {
    uint64_t word;
    std::memcpy(&word, text + i, 8);
    if (special_bytes(word) != 0) break;
  }
  for (; i < length; ++i) {
    const auto c = static_cast<unsigned char>(text[i]);
    if (c < 0x20 || c == '"' || c == '\\' || c >= 0x80) break;
  }
  return i;
}

/// Bytes of the well-formed UTF-8 sequence at `p`, 0 if there is none.
size_t utf8_length(const unsigned char* p, size_t left) {
  const auto continuation = [&](size_t i) { return i < left && (p[i] & 0xC0) == 0x80; };
  if (p[0] >= 0xC2 && p[0] <= 0xDF) return continuation(1) ? 2 : 0;
  if (p[0] >= 0xE0 && p[0] <= 0xEF) {
    if (!continuation(1) || !continuation(2)) return 0;
    if (p[0] == 0xE0 && p[1] < 0xA0) return 0;  // overlong
    if (p[0] == 0xED && p[1] > 0x9F) return 0;  // surrogate
    return 3;
  }
  if (p[0] >= 0xF0 && p[0] <= 0xF4) {
    if (!continuation(1) || !continuation(2) || !continuation(3)) return 0;
    if (p[0] == 0xF0 && p[1] < 0x90) return 0;  // overlong
    if (p[0] == 0xF4 && p[1] > 0x8F) return 0;  // beyond U+10FFFF
    return 4;
  }
  return 0;
}

template <class T>
void write_real(JsonText& out, T value, bool quoted) {
  if (std::isnan(value)) return out.raw("\"NaN\"");
  if (std::isinf(value)) return out.raw(value > 0 ? "\"Infinity\"" : "\"-Infinity\"");
  char* const begin = out.reserve(48);
  char* p = begin;
  if (quoted) *p++ = '"';
  char* const digits = p;
  // All digits of a large real would be those of the double it is not.
  p = sizeof(T) == 4 && std::abs(value) >= 1e7
          ? std::to_chars(p, begin + 40, value, std::chars_format::scientific).ptr
          : std::to_chars(p, begin + 40, value).ptr;
  const std::string_view text(digits, static_cast<size_t>(p - digits));
  if (text.find_first_of(".e") == std::string_view::npos) {
    *p++ = '.';
    *p++ = '0';
  }
  if (quoted) *p++ = '"';
  out.commit(p);
}

}  // namespace

void JsonText::grow(size_t needed) {
  const size_t capacity = std::max({needed, capacity_ * 2, size_t{256}});
  auto bigger = std::make_unique_for_overwrite<char[]>(capacity);
  if (size_ > 0) std::memcpy(bigger.get(), data_.get(), size_);
  data_ = std::move(bigger);
  capacity_ = capacity;
}

void JsonText::string(std::string_view text) {
  // The common case in one go: short, plain ASCII.
  const size_t plain = plain_prefix(text.data(), text.size());
  char* p = reserve(text.size() + 2);
  *p++ = '"';
  if (plain > 0) std::memcpy(p, text.data(), plain);
  p += plain;
  if (plain == text.size()) {
    *p++ = '"';
    commit(p);
    return;
  }
  commit(p);
  string_body(text.substr(plain));
  raw('"');
}

void JsonText::string_body(std::string_view text) {
  static constexpr char kHex[] = "0123456789abcdef";
  size_t i = 0;
  while (i < text.size()) {
    const size_t plain = plain_prefix(text.data() + i, text.size() - i);
    raw(text.substr(i, plain));
    i += plain;
    if (i == text.size()) return;
    const auto c = static_cast<unsigned char>(text[i]);
    if (c >= 0x80) {
      const auto* p = reinterpret_cast<const unsigned char*>(text.data() + i);
      const size_t length = utf8_length(p, text.size() - i);
      raw(length > 0 ? text.substr(i, length) : std::string_view("\xEF\xBF\xBD"));
      i += std::max<size_t>(length, 1);
      continue;
    }
    char* p = reserve(6);
    *p++ = '\\';
    switch (c) {
      case '"':
        *p++ = '"';
        break;
      case '\\':
        *p++ = '\\';
        break;
      case '\n':
        *p++ = 'n';
        break;
      case '\r':
        *p++ = 'r';
        break;
      case '\t':
        *p++ = 't';
        break;
      case '\b':
        *p++ = 'b';
        break;
      case '\f':
        *p++ = 'f';
        break;
      default:
        *p++ = 'u';
        *p++ = '0';
        *p++ = '0';
        *p++ = kHex[c >> 4];
        *p++ = kHex[c & 15];
    }
    commit(p);
    ++i;
  }
}

void JsonText::base64_body(std::string_view bytes) {
  static constexpr char kAlphabet[] =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  char* p = reserve((bytes.size() + 2) / 3 * 4);
  const auto* in = reinterpret_cast<const unsigned char*>(bytes.data());
  size_t i = 0;
  for (; i + 3 <= bytes.size(); i += 3) {
    const uint32_t v = uint32_t{in[i]} << 16 | uint32_t{in[i + 1]} << 8 | in[i + 2];
    *p++ = kAlphabet[v >> 18];
    *p++ = kAlphabet[v >> 12 & 63];
    *p++ = kAlphabet[v >> 6 & 63];
    *p++ = kAlphabet[v & 63];
  }
  if (const size_t left = bytes.size() - i; left > 0) {
    const uint32_t v = uint32_t{in[i]} << 16 | (left == 2 ? uint32_t{in[i + 1]} << 8 : 0);
    *p++ = kAlphabet[v >> 18];
    *p++ = kAlphabet[v >> 12 & 63];
    *p++ = left == 2 ? kAlphabet[v >> 6 & 63] : '=';
    *p++ = '=';
  }
  commit(p);
}

void JsonText::integer(int64_t value) {
  char* p = reserve(24);
  commit(std::to_chars(p, p + 24, value).ptr);
}

void JsonText::unsigned_integer(uint64_t value) {
  char* p = reserve(24);
  commit(std::to_chars(p, p + 24, value).ptr);
}

void JsonText::real(float value, bool quoted) { write_real(*this, value, quoted); }
void JsonText::real(double value, bool quoted) { write_real(*this, value, quoted); }

}  // namespace meesh::serve::trino
