#include "engine/functions/read_numbers.h"

#include <array>
#include <charconv>
#include <cmath>
#include <limits>

#include "engine/functions/kernels.h"
#include "engine/functions/text.h"

namespace meesh::engine {
namespace {

std::string_view trimmed(std::string_view text) {
  const auto blank = [](char c) { return static_cast<unsigned char>(c) <= ' '; };
  while (!text.empty() && blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && blank(text.back())) text.remove_suffix(1);
  return text;
}

/// Text with the decimal digits of other scripts as those of ASCII.
std::string ascii_digits(std::string_view text) {
  static constexpr std::array<uint32_t, 22> kZeros = {
      0x0660, 0x06F0, 0x07C0, 0x0966, 0x09E6, 0x0A66, 0x0AE6, 0x0B66, 0x0BE6, 0x0C66, 0x0CE6,
      0x0D66, 0x0DE6, 0x0E50, 0x0ED0, 0x0F20, 0x1040, 0x1090, 0x17E0, 0x1810, 0x1946, 0xFF10};
  std::string out;
  for (uint32_t point : code_points(text)) {
    for (uint32_t zero : kZeros) {
      if (point >= zero && point < zero + 10) point = '0' + (point - zero);
    }
    append_code_point(out, point);
  }
  return out;
}

template <class T>
const char* integer_name() {
  return sizeof(T) == 1 ? "tinyint" : sizeof(T) == 2 ? "smallint" : "integer";
}

/// What a decimal number is written with: its figures and how many of them stand behind the point.
struct Figures {
  bool negative = false;
  std::string digits;
  int scale = 0;
};

bool read_figures(std::string_view text, Figures& out) {
  if (!text.empty() && (text[0] == '-' || text[0] == '+')) {
    out.negative = text[0] == '-';
    text.remove_prefix(1);
  }
  bool point = false;
  size_t i = 0;
  for (; i < text.size(); ++i) {
    if (text[i] == '.' && !point) {
      point = true;
    } else if (text[i] >= '0' && text[i] <= '9') {
      out.digits += text[i];
      out.scale += point;
    } else {
      break;
    }
  }
  if (out.digits.empty()) return false;
  if (i == text.size()) return true;
  if (text[i] != 'e' && text[i] != 'E') return false;
  auto rest = text.substr(i + 1);
  if (!rest.empty() && rest[0] == '+') rest.remove_prefix(1);
  int exponent = 0;
  const auto [end, code] = std::from_chars(rest.data(), rest.data() + rest.size(), exponent);
  if (code != std::errc() || end != rest.data() + rest.size() || std::abs(exponent) > 1000)
    return false;
  out.scale -= exponent;
  return true;
}

}  // namespace

const char* cast_word(sql::TypeKind kind) {
  switch (kind) {
    case sql::TypeKind::kTinyint:
      return "TINYINT";
    case sql::TypeKind::kSmallint:
      return "SMALLINT";
    case sql::TypeKind::kInteger:
      return "INT";
    case sql::TypeKind::kBigint:
      return "BIGINT";
    case sql::TypeKind::kReal:
      return "REAL";
    case sql::TypeKind::kDouble:
      return "DOUBLE";
    default:
      return "BOOLEAN";
  }
}

template <class T>
bool read_integer(std::string_view whole, T& out) {
  auto text = trimmed(whole);
  std::string other;
  for (char c : text) {
    if (static_cast<unsigned char>(c) < 0x80) continue;
    other = ascii_digits(text);
    text = other;
    break;
  }
  if (text.size() > 1 && text[0] == '+' && text[1] != '-') text.remove_prefix(1);
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), out);
  return code == std::errc() && end == text.data() + text.size() && !text.empty();
}
template bool read_integer(std::string_view, int8_t&);
template bool read_integer(std::string_view, int16_t&);
template bool read_integer(std::string_view, int32_t&);
template bool read_integer(std::string_view, int64_t&);

bool read_boolean(std::string_view whole, bool& out) {
  std::string text(whole);
  for (char& c : text) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  out = text == "true" || text == "t" || text == "1";
  return out || text == "false" || text == "f" || text == "0";
}

bool read_decimal(std::string_view text, int precision, int scale, duckdb::hugeint_t& out,
                  const char*& why) {
  Figures read;
  why = "Value is not a number.";
  if (!read_figures(text, read)) return false;
  why = "Value too large.";
  std::string& digits = read.digits;
  if (read.scale < scale) {
    digits.append(static_cast<size_t>(scale - read.scale), '0');
    read.scale = scale;
  }
  bool up = false;
  if (read.scale > scale) {
    const auto drop = static_cast<size_t>(read.scale - scale);
    up = drop <= digits.size() && digits[digits.size() - drop] >= '5';
    digits.resize(drop >= digits.size() ? 0 : digits.size() - drop);
  }
  const auto first = digits.find_first_not_of('0');
  digits = first == std::string::npos ? "" : digits.substr(first);
  if (digits.size() > 38) return false;
  __int128 value = 0, limit = 1;
  for (char c : digits) value = value * 10 + (c - '0');
  for (int k = 0; k < precision; ++k) limit *= 10;
  value += up;
  if (value >= limit) return false;
  if (read.negative) value = -value;
  out.upper = static_cast<int64_t>(value >> 64);
  out.lower = static_cast<uint64_t>(value);
  return true;
}

template <class To>
std::string round_to_integer(double value, bool real, To& out) {
  const double rounded = std::round(value);
  constexpr double kLimit = static_cast<double>(std::numeric_limits<To>::max());
  const bool fits = sizeof(To) == 8
                        ? rounded >= -9223372036854775808.0 && rounded < 9223372036854775808.0
                        : rounded >= -kLimit - 1 && rounded <= kLimit;
  if (fits) {
    out = static_cast<To>(rounded);
    return "";
  }
  const std::string text = real ? scientific(static_cast<float>(value)) : scientific(value);
  if (sizeof(To) == 8) return "Unable to cast " + text + " to bigint";
  if (std::isnan(value))
    return std::string("Cannot cast ") + (real ? "real" : "double") + " NaN to " +
           integer_name<To>();
  return std::string("Out of range for ") + integer_name<To>() + ": " + text;
}
template std::string round_to_integer(double, bool, int8_t&);
template std::string round_to_integer(double, bool, int16_t&);
template std::string round_to_integer(double, bool, int32_t&);
template std::string round_to_integer(double, bool, int64_t&);

}  // namespace meesh::engine
