#include "ingest/decode/json_text.h"

#include <fmt/format.h>

#include <cstdint>
#include <cstring>
#include <optional>

namespace meesh::ingest {
namespace {

/// Four hexadecimal digits at `at`.
std::optional<uint32_t> code_unit(std::string_view text, size_t at) {
  if (at + 4 > text.size()) return std::nullopt;
  uint32_t value = 0;
  for (size_t i = at; i < at + 4; ++i) {
    const char c = text[i];
    uint32_t digit = 0;
    if (c >= '0' && c <= '9') {
      digit = static_cast<uint32_t>(c - '0');
    } else if (c >= 'a' && c <= 'f') {
      digit = static_cast<uint32_t>(c - 'a' + 10);
    } else if (c >= 'A' && c <= 'F') {
      digit = static_cast<uint32_t>(c - 'A' + 10);
    } else {
      return std::nullopt;
    }
    value = value << 4 | digit;
  }
  return value;
}

bool is_high(uint32_t unit) { return unit >= 0xD800 && unit <= 0xDBFF; }
bool is_low(uint32_t unit) { return unit >= 0xDC00 && unit <= 0xDFFF; }

/// The code point of the \u that stands at `at`, and how long it is with its second half.
struct Escape {
  uint32_t point = 0;
  size_t size = 0;  // 0: none
};

Escape read_escape(std::string_view text, size_t at) {
  const auto first = code_unit(text, at + 2);
  if (!first || is_low(*first)) return {};
  if (!is_high(*first)) return {*first, 6};
  if (at + 8 > text.size() || text[at + 6] != '\\' || text[at + 7] != 'u') return {};
  const auto second = code_unit(text, at + 8);
  if (!second || !is_low(*second)) return {};
  return {0x10000 + ((*first - 0xD800) << 10) + (*second - 0xDC00), 12};
}

void append_point(uint32_t point, std::string& out) {
  const auto put = [&](uint32_t byte) { out += static_cast<char>(byte); };
  if (point < 0x80) {
    put(point);
  } else if (point < 0x800) {
    put(0xC0 | point >> 6);
    put(0x80 | (point & 0x3F));
  } else if (point < 0x10000) {
    put(0xE0 | point >> 12);
    put(0x80 | (point >> 6 & 0x3F));
    put(0x80 | (point & 0x3F));
  } else {
    put(0xF0 | point >> 18);
    put(0x80 | (point >> 12 & 0x3F));
    put(0x80 | (point >> 6 & 0x3F));
    put(0x80 | (point & 0x3F));
  }
}

char simple_escape(char c) {
  switch (c) {
    case 'b':
      return '\b';
    case 'f':
      return '\f';
    case 'n':
      return '\n';
    case 'r':
      return '\r';
    case 't':
      return '\t';
    default:
      return c;  // " \ /
  }
}

}  // namespace

bool valid_escapes(std::string_view text) {
  for (size_t at = text.find('\\'); at != std::string_view::npos; at = text.find('\\', at)) {
    if (at + 1 >= text.size()) return false;
    if (text[at + 1] == 'u') {
      const auto escape = read_escape(text, at);
      if (escape.size == 0) return false;
      at += escape.size;
    } else if (std::strchr("\"\\/bfnrt", text[at + 1]) != nullptr && text[at + 1] != '\0') {
      at += 2;
    } else {
      return false;
    }
  }
  return true;
}

void unescape(std::string_view inside, std::string& out) {
  out.clear();
  for (size_t at = 0; at < inside.size();) {
    const size_t next = std::min(inside.find('\\', at), inside.size());
    out.append(inside, at, next - at);
    at = next;
    if (at == inside.size()) break;
    if (inside[at + 1] == 'u') {
      const auto escape = read_escape(inside, at);
      append_point(escape.point, out);
      at += escape.size;
    } else {
      out += simple_escape(inside[at + 1]);
      at += 2;
    }
  }
}

void append_quoted(std::string_view text, std::string& out) {
  out += '"';
  for (const char c : text) {
    switch (c) {
      case '"':
        out += "\\\"";
        break;
      case '\\':
        out += "\\\\";
        break;
      case '\n':
        out += "\\n";
        break;
      case '\r':
        out += "\\r";
        break;
      case '\t':
        out += "\\t";
        break;
      default:
        if (static_cast<uint8_t>(c) < 0x20) {
          out += fmt::format("\\u{:04x}", static_cast<int>(c));
        } else {
          out += c;
        }
    }
  }
  out += '"';
}

}  // namespace meesh::ingest
