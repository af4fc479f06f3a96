#include <fmt/format.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <re2/re2.h>
#include <unicode/uchar.h>

#include "engine/functions/kernels.h"
#include "engine/functions/text.h"

namespace meesh::engine {

std::vector<uint32_t> code_points(std::string_view text) {
  std::vector<uint32_t> out;
  out.reserve(text.size());
  for (size_t i = 0; i < text.size();) {
    const auto lead = static_cast<unsigned char>(text[i]);
    const size_t length = lead < 0x80    ? 1
                          : lead >= 0xF0 ? 4
                          : lead >= 0xE0 ? 3
                          : lead >= 0xC0 ? 2
                                         : 1;
    uint32_t point = length == 1 ? lead : lead & (0xFF >> (length + 1));
    for (size_t k = 1; k < length && i + k < text.size(); ++k)
      point = point << 6 | (static_cast<unsigned char>(text[i + k]) & 0x3F);
    out.push_back(point);
    i += length;
  }
  return out;
}

void append_code_point(std::string& out, uint32_t p) {
  if (p < 0x80) {
    out += static_cast<char>(p);
  } else if (p < 0x800) {
    out += {static_cast<char>(0xC0 | p >> 6), static_cast<char>(0x80 | (p & 0x3F))};
  } else if (p < 0x10000) {
    out += {static_cast<char>(0xE0 | p >> 12), static_cast<char>(0x80 | (p >> 6 & 0x3F)),
            static_cast<char>(0x80 | (p & 0x3F))};
  } else {
    out += {static_cast<char>(0xF0 | p >> 18), static_cast<char>(0x80 | (p >> 12 & 0x3F)),
            static_cast<char>(0x80 | (p >> 6 & 0x3F)), static_cast<char>(0x80 | (p & 0x3F))};
  }
}

namespace {

/// [first, last) of a 1-based start (negative: from the end) and a length over `size` units.
std::pair<size_t, size_t> window(size_t size, int64_t start, int64_t length) {
  const auto n = static_cast<int64_t>(size);
  if (start == 0 || length <= 0 || n == 0) return {0, 0};
  const int64_t first = start > 0 ? start - 1 : n + start;
  if (first < 0 || first >= n) return {0, 0};
  const int64_t last = length > n - first ? n : first + length;
  return {static_cast<size_t>(first), static_cast<size_t>(last)};
}

/// Text to be stored as varchar(length) or char(length); spaces at its end may go.
std::string fitting(std::string_view text, int64_t length, std::string_view message) {
  std::string_view kept = text;
  while (!kept.empty() && kept.back() == ' ') kept.remove_suffix(1);
  if (count_points(kept) > static_cast<size_t>(length))
    raise(Code::kInvalidCastArgument, std::string(message));
  return std::string(text);
}

std::string substr_bytes(std::string_view text, int64_t start, int64_t length) {
  auto [first, last] = window(text.size(), start, length);
  return std::string(text.substr(first, last - first));
}

std::string substr_text(std::string_view text, int64_t start, int64_t length) {
  const size_t points = count_points(text);
  if (points == text.size()) return substr_bytes(text, start, length);
  auto [first, last] = window(points, start, length);
  const size_t skip = first_points(text, first).size();
  return std::string(first_points(text.substr(skip), last - first));
}

std::string repeated(std::string_view unit, size_t points, bool bytes) {
  std::string out;
  const size_t width = bytes ? unit.size() : count_points(unit);
  while (points >= width) {
    out += unit;
    points -= width;
  }
  return out += bytes ? unit.substr(0, points) : first_points(unit, points);
}

template <bool kLeft, bool kByte>
std::string pad(std::string_view text, int64_t size, std::string_view unit) {
  if (size < 0 || size > INT32_MAX)
    raise(Code::kInvalidFunctionArgument,
          "Target length must be in the range [0.." + std::to_string(INT32_MAX) + "]");
  if (unit.empty())
    raise(Code::kInvalidFunctionArgument,
          kByte ? "Padding bytes must not be empty" : "Padding string must not be empty");
  const size_t have = kByte ? text.size() : count_points(text), want = static_cast<size_t>(size);
  if (have >= want) return std::string(kByte ? text.substr(0, want) : first_points(text, want));
  const std::string fill = repeated(unit, want - have, kByte);
  return kLeft ? fill + std::string(text) : std::string(text) + fill;
}

std::string replace(std::string_view text, std::string_view what, std::string_view by) {
  std::string out;
  if (what.empty()) {  // between all code points, before and after
    out = by;
    while (!text.empty()) {
      auto one = first_points(text, 1);
      (out += one) += by;
      text.remove_prefix(one.size());
    }
    return out;
  }
  size_t from = 0;
  for (size_t at; (at = text.find(what, from)) != std::string_view::npos; from = at + what.size()) {
    (out += text.substr(from, at - from)) += by;
  }
  return out += text.substr(from);
}

std::string reverse_text(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (size_t end = text.size(); end > 0;) {
    size_t start = end - 1;
    while (start > 0 && (static_cast<unsigned char>(text[start]) & 0xC0) == 0x80) --start;
    out += text.substr(start, end - start);
    end = start;
  }
  return out;
}

using Texts = std::vector<std::optional<std::string>>;

Texts split(std::string_view text, std::string_view delimiter, int64_t limit) {
  if (limit <= 0) raise(Code::kInvalidFunctionArgument, "Limit must be positive");
  if (limit > INT32_MAX) raise(Code::kInvalidFunctionArgument, "Limit is too large");
  if (delimiter.empty())
    raise(Code::kInvalidFunctionArgument, "The delimiter may not be the empty string");
  Texts out;
  size_t from = 0;
  for (size_t at; static_cast<int64_t>(out.size()) + 1 < limit &&
                  (at = text.find(delimiter, from)) != std::string_view::npos;
       from = at + delimiter.size()) {
    out.emplace_back(text.substr(from, at - from));
  }
  out.emplace_back(text.substr(from));
  return out;
}

std::optional<std::string> split_part(std::string_view text, std::string_view delimiter,
                                      int64_t index) {
  if (index <= 0) raise(Code::kInvalidFunctionArgument, "Index must be greater than zero");
  if (delimiter.empty()) {
    auto [first, last] = std::pair(first_points(text, static_cast<size_t>(index - 1)).size(),
                                   first_points(text, static_cast<size_t>(index)).size());
    return first < last ? std::optional(std::string(text.substr(first, last - first)))
                        : std::nullopt;
  }
  size_t from = 0;
  for (int64_t i = 1;; ++i) {
    const size_t at = text.find(delimiter, from);
    if (i == index)
      return std::string(text.substr(from, at == std::string_view::npos ? at : at - from));
    if (at == std::string_view::npos) return std::nullopt;
    from = at + delimiter.size();
  }
}

int64_t strpos(std::string_view text, std::string_view what, int64_t instance) {
  if (instance == 0)
    raise(Code::kInvalidFunctionArgument, "'instance' must be a positive or negative number.");
  if (what.empty()) return instance > 0 ? 1 : static_cast<int64_t>(count_points(text)) + 1;
  size_t at = instance > 0 ? 0 : text.size();
  if (instance > 0) {
    for (int64_t i = 0; i < instance; ++i) {
      at = text.find(what, i == 0 ? 0 : at + 1);
      if (at == std::string_view::npos) return 0;
    }
  } else {
    for (int64_t i = 0; i > instance; --i) {
      if (i < 0 && at == 0) return 0;
      at = text.rfind(what, i == 0 ? std::string_view::npos : at - 1);
      if (at == std::string_view::npos) return 0;
    }
  }
  return static_cast<int64_t>(count_points(text.substr(0, at))) + 1;
}

std::string chr(int64_t point) {
  if (point < 0 || point > 0x10FFFF || (point >= 0xD800 && point < 0xE000)) {
    raise(Code::kInvalidFunctionArgument,
          "Not a valid Unicode code point: " + std::to_string(point));
  }
  std::string out;
  append_code_point(out, static_cast<uint32_t>(point));
  return out;
}

int32_t codepoint(std::string_view text) {
  auto points = code_points(text);
  if (points.size() != 1)
    raise(Code::kInvalidFunctionArgument, "Input string must be a single character string");
  return static_cast<int32_t>(points[0]);
}

std::string translate_points(std::string_view text, std::string_view from, std::string_view to) {
  const auto source = code_points(from), target = code_points(to);
  std::string out;
  for (uint32_t point : code_points(text)) {
    const auto at = std::find(source.begin(), source.end(), point) - source.begin();
    if (static_cast<size_t>(at) == source.size()) {
      append_code_point(out, point);
    } else if (static_cast<size_t>(at) < target.size()) {
      append_code_point(out, target[static_cast<size_t>(at)]);
    }
  }
  return out;
}

int64_t levenshtein(std::string_view left, std::string_view right) {
  const auto a = code_points(left), b = code_points(right);
  if (a.size() * b.size() > 1000000) {
    raise(Code::kInvalidFunctionArgument,
          "The combined inputs for Levenshtein distance are too large");
  }
  std::vector<int64_t> row(b.size() + 1);
  for (size_t j = 0; j <= b.size(); ++j) row[j] = static_cast<int64_t>(j);
  for (size_t i = 1; i <= a.size(); ++i) {
    int64_t diagonal = row[0];
    row[0] = static_cast<int64_t>(i);
    for (size_t j = 1; j <= b.size(); ++j) {
      const int64_t above = row[j];
      row[j] = std::min({above + 1, row[j - 1] + 1, diagonal + (a[i - 1] != b[j - 1])});
      diagonal = above;
    }
  }
  return row[b.size()];
}

int64_t hamming(std::string_view left, std::string_view right) {
  const auto a = code_points(left), b = code_points(right);
  if (a.size() != b.size())
    raise(Code::kInvalidFunctionArgument,
          "The input strings to hamming_distance function must have the same length");
  int64_t out = 0;
  for (size_t i = 0; i < a.size(); ++i) out += a[i] != b[i];
  return out;
}

std::string soundex(std::string_view text) {
  static constexpr std::string_view kCodes = "01230120022455012623010202";
  std::string out;
  char last = 0;
  for (const uint32_t point : code_points(text)) {
    if (!u_isalpha(static_cast<UChar32>(point))) continue;
    const auto upper = static_cast<uint32_t>(u_toupper(static_cast<UChar32>(point)));
    if (upper > 'Z') {
      std::string letter;
      append_code_point(letter, upper);
      raise(Code::kInvalidFunctionArgument,
            fmt::format("The character is not mapped: {} (index={})", letter, upper - 'A'));
    }
    const char c = static_cast<char>(upper);
    const char code = kCodes[static_cast<size_t>(c - 'A')];
    if (out.empty()) {
      out += c;
    } else if (code != '0' && code != last) {
      out += code;
    }
    if (c != 'H' && c != 'W') last = code;
    if (out.size() == 4) break;
  }
  if (!out.empty()) out.resize(4, '0');
  return out;
}

bool luhn(std::string_view text) {
  int sum = 0;
  bool twice = false;
  if (text.empty()) return false;
  for (size_t i = text.size(); i-- > 0; twice = !twice) {
    if (text[i] < '0' || text[i] > '9')
      raise(Code::kInvalidFunctionArgument, "Input contains non-digit character");
    const int digit = (text[i] - '0') * (twice ? 2 : 1);
    sum += digit > 9 ? digit - 9 : digit;
  }
  return sum % 10 == 0;
}

/// What stands for the four kinds of characters in masked text; "" leaves that kind as it is.
struct Masks {
  std::string_view upper, lower, digit, other;
};

std::string_view mask_of(std::string_view character, const Masks& masks) {
  static const RE2 kUpper("\\p{Lu}"), kLower("\\p{Ll}"), kDigit("\\p{Nd}");
  const char c = character[0];
  if (static_cast<unsigned char>(c) < 0x80) {
    if (c >= 'A' && c <= 'Z') return masks.upper;
    if (c >= 'a' && c <= 'z') return masks.lower;
    return c >= '0' && c <= '9' ? masks.digit : masks.other;
  }
  const re2::StringPiece text(character.data(), character.size());
  if (RE2::FullMatch(text, kUpper)) return masks.upper;
  if (RE2::FullMatch(text, kLower)) return masks.lower;
  return RE2::FullMatch(text, kDigit) ? masks.digit : masks.other;
}

/// ksqlDB's masks, of the characters [first, last) counted from the left or from the right.
template <bool kFromLeft>
std::string mask(std::string_view text, int64_t first, int64_t last, std::string_view upper,
                 std::string_view lower, std::string_view digit, std::string_view other) {
  if (first < 0 || last < 0)
    raise(Code::kInvalidFunctionArgument, "The number of characters to mask must not be negative");
  const Masks masks = {first_points(upper, 1), first_points(lower, 1), first_points(digit, 1),
                       first_points(other, 1)};
  const auto size = static_cast<int64_t>(count_points(text));
  if (!kFromLeft) std::tie(first, last) = std::pair(size - std::min(last, size), size - first);
  std::string out;
  for (int64_t at = 0; !text.empty(); ++at) {
    const std::string_view character = first_points(text, 1);
    text.remove_prefix(character.size());
    const std::string_view shown =
        at < first || at >= last ? std::string_view() : mask_of(character, masks);
    out += shown.empty() ? character : shown;
  }
  return out;
}

struct Sequence {
  size_t length;  // of bytes that belong together, at least 1
  bool valid;
};

/// The UTF-8 sequence at the start. One that is cut short, too long for its code point or stands
/// for none is invalid as a whole.
Sequence sequence_at(std::string_view text) {
  const auto lead = static_cast<unsigned char>(text[0]);
  if (lead < 0x80) return {1, true};
  const size_t length = lead >= 0xFC   ? 1
                        : lead >= 0xF8 ? 5
                        : lead >= 0xF0 ? 4
                        : lead >= 0xE0 ? 3
                        : lead >= 0xC0 ? 2
                                       : 1;
  if (length == 1) return {1, false};
  uint32_t point = lead & (0x7F >> length);
  for (size_t i = 1; i < length; ++i) {
    const auto next = i < text.size() ? static_cast<unsigned char>(text[i]) : 0;
    if ((next & 0xC0) != 0x80) return {i, false};
    point = point << 6 | (next & 0x3F);
  }
  static constexpr uint32_t kLeast[] = {0x80, 0x800, 0x10000, 0x200000};
  const bool valid =
      point >= kLeast[length - 2] && point <= 0x10FFFF && (point < 0xD800 || point > 0xDFFF);
  return {length, valid};
}

std::string from_utf8(std::string_view bytes, std::string_view replacement) {
  std::string out;
  while (!bytes.empty()) {
    const auto [length, valid] = sequence_at(bytes);
    out += valid ? bytes.substr(0, length) : replacement;
    bytes.remove_prefix(length);
  }
  return out;
}

std::string from_utf8_with(std::string_view bytes, std::string_view replacement) {
  if (first_points(replacement, 1).size() != replacement.size())
    raise(Code::kInvalidFunctionArgument,
          "Replacement character string must empty or a single character");
  return from_utf8(bytes, replacement);
}

std::string from_utf8_with_point(std::string_view bytes, int64_t point) {
  if (point < 0 || point > 0x10FFFF)
    raise(Code::kGenericInternalError,
          fmt::format("Invalid code point 0x{:X}", static_cast<uint32_t>(point)));
  std::string replacement;
  append_code_point(replacement, static_cast<uint32_t>(point));
  return from_utf8(bytes, replacement);
}

std::string to_hex(std::string_view bytes) {
  std::string out;
  for (unsigned char c : bytes) out += {"0123456789ABCDEF"[c >> 4], "0123456789ABCDEF"[c & 15]};
  return out;
}

std::string from_hex(std::string_view text) {
  auto value = [](char c) {
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
  };
  if (text.size() % 2 != 0)
    raise(Code::kInvalidFunctionArgument, "invalid input length " + std::to_string(text.size()));
  std::string out;
  for (size_t i = 0; i < text.size(); i += 2) {
    const int high = value(text[i]), low = value(text[i + 1]);
    if (high < 0 || low < 0)
      raise(Code::kInvalidFunctionArgument, "invalid hex input: " + std::string(text));
    out += static_cast<char>(high << 4 | low);
  }
  return out;
}

std::string digest(std::string_view name, std::string_view bytes) {
  unsigned char out[EVP_MAX_MD_SIZE];
  unsigned size = 0;
  const EVP_MD* type = EVP_get_digestbyname(std::string(name).c_str());
  if (!type || !EVP_Digest(bytes.data(), bytes.size(), out, &size, type, nullptr))
    internal_error("digest not available");
  return {reinterpret_cast<char*>(out), size};
}

std::string hmac(std::string_view name, std::string_view bytes, std::string_view key) {
  if (key.empty()) raise(Code::kGenericInternalError, "Empty key");
  unsigned char out[EVP_MAX_MD_SIZE];
  unsigned size = 0;
  const EVP_MD* type = EVP_get_digestbyname(std::string(name).c_str());
  if (!type ||
      !HMAC(type, key.data(), static_cast<int>(key.size()),
            reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(), out, &size)) {
    internal_error("digest not available");
  }
  return {reinterpret_cast<char*>(out), size};
}

int64_t crc32(std::string_view bytes) {
  static const auto table = [] {
    std::array<uint32_t, 256> made{};
    for (uint32_t i = 0; i < 256; ++i) {
      uint32_t c = i;
      for (int k = 0; k < 8; ++k) c = c & 1 ? 0xEDB88320u ^ (c >> 1) : c >> 1;
      made[i] = c;
    }
    return made;
  }();
  uint32_t crc = 0xFFFFFFFFu;
  for (unsigned char b : bytes) crc = table[(crc ^ b) & 0xFF] ^ (crc >> 8);
  return static_cast<int64_t>(crc ^ 0xFFFFFFFFu);
}

std::string big_endian(int64_t value) {
  std::string out(8, '\0');
  for (int i = 0; i < 8; ++i)
    out[static_cast<size_t>(i)] = static_cast<char>(static_cast<uint64_t>(value) >> (56 - 8 * i));
  return out;
}

int64_t from_big_endian(std::string_view bytes) {
  if (bytes.size() != 8)
    raise(Code::kInvalidFunctionArgument,
          "expected 8-byte input, but got instead: " + std::to_string(bytes.size()));
  uint64_t value = 0;
  for (unsigned char b : bytes) value = value << 8 | b;
  return static_cast<int64_t>(value);
}

}  // namespace

uint64_t xxhash64(std::string_view bytes) {
  constexpr uint64_t p1 = 0x9E3779B185EBCA87, p2 = 0xC2B2AE3D27D4EB4F, p3 = 0x165667B19E3779F9,
                     p4 = 0x85EBCA77C2B2AE63, p5 = 0x27D4EB2F165667C5;
  auto rotl = [](uint64_t x, int r) { return x << r | x >> (64 - r); };
  auto read64 = [](const char* p) {
    uint64_t v;
    std::memcpy(&v, p, 8);
    return v;
  };
  auto round = [&](uint64_t acc, uint64_t lane) { return rotl(acc + lane * p2, 31) * p1; };
  const char* p = bytes.data();
  const char* end = p + bytes.size();
  uint64_t hash = p5;
  if (bytes.size() >= 32) {
    uint64_t lanes[4] = {p1 + p2, p2, 0, -p1};
    for (; end - p >= 32; p += 32) {
      for (int i = 0; i < 4; ++i) lanes[i] = round(lanes[i], read64(p + 8 * i));
    }
    hash = rotl(lanes[0], 1) + rotl(lanes[1], 7) + rotl(lanes[2], 12) + rotl(lanes[3], 18);
    for (uint64_t lane : lanes) hash = (hash ^ round(0, lane)) * p1 + p4;
  }
  hash += bytes.size();
  for (; end - p >= 8; p += 8) hash = rotl(hash ^ round(0, read64(p)), 27) * p1 + p4;
  if (end - p >= 4) {
    uint32_t v;
    std::memcpy(&v, p, 4);
    hash = rotl(hash ^ v * p1, 23) * p2 + p3;
    p += 4;
  }
  for (; p < end; ++p) hash = rotl(hash ^ static_cast<unsigned char>(*p) * p5, 11) * p1;
  hash = (hash ^ hash >> 33) * p2;
  hash = (hash ^ hash >> 29) * p3;
  return hash ^ hash >> 32;
}

namespace {}  // namespace

void register_text_kernels(duckdb::ExtensionLoader& loader) {
  using View = std::string_view;
  add_kernel<View, int64_t, int64_t>(loader, "meesh_substr", {kText, kLong, kLong}, kText,
                                     substr_text);
  add_kernel<View, int64_t, int64_t>(loader, "meesh_substr_binary", {kBytes, kLong, kLong}, kBytes,
                                     substr_bytes);
  add_kernel<View, int64_t, View>(loader, "meesh_lpad", {kText, kLong, kText}, kText,
                                  pad<true, false>);
  add_kernel<View, int64_t, View>(loader, "meesh_rpad", {kText, kLong, kText}, kText,
                                  pad<false, false>);
  add_kernel<View, int64_t, View>(loader, "meesh_lpad_binary", {kBytes, kLong, kBytes}, kBytes,
                                  pad<true, true>);
  add_kernel<View, int64_t, View>(loader, "meesh_rpad_binary", {kBytes, kLong, kBytes}, kBytes,
                                  pad<false, true>);
  add_kernel<View, View, View>(loader, "meesh_replace", {kText, kText, kText}, kText, replace);
  add_kernel<View>(loader, "meesh_reverse", {kText}, kText, reverse_text);
  add_kernel<View>(loader, "meesh_reverse_binary", {kBytes}, kBytes,
                   [](View b) { return std::string(b.rbegin(), b.rend()); });
  add_kernel<View, View, int64_t>(loader, "meesh_split", {kText, kText, kLong},
                                  duckdb::LogicalType::LIST(kText), split);
  add_kernel<View, View, int64_t>(loader, "meesh_split_part", {kText, kText, kLong}, kText,
                                  split_part);
  add_kernel<View, View, int64_t>(loader, "meesh_strpos", {kText, kText, kLong}, kLong, strpos);
  add_kernel<View, int64_t, View>(loader, "meesh_fitting", {kText, kLong, kText}, kText, fitting);
  add_kernel<int64_t>(loader, "meesh_chr", {kLong}, kText, chr);
  add_kernel<View>(loader, "meesh_codepoint", {kText}, kInt, codepoint);
  add_kernel<View, View, View>(loader, "meesh_translate", {kText, kText, kText}, kText,
                               translate_points);
  add_kernel<View, View>(loader, "meesh_levenshtein", {kText, kText}, kLong, levenshtein);
  add_kernel<View, View>(loader, "meesh_hamming", {kText, kText}, kLong, hamming);
  add_kernel<View, int64_t, int64_t, View, View, View, View>(
      loader, "meesh_mask_left", {kText, kLong, kLong, kText, kText, kText, kText}, kText,
      mask<true>);
  add_kernel<View, int64_t, int64_t, View, View, View, View>(
      loader, "meesh_mask_right", {kText, kLong, kLong, kText, kText, kText, kText}, kText,
      mask<false>);
  add_kernel<View>(loader, "meesh_soundex", {kText}, kText, soundex);
  add_kernel<View>(loader, "meesh_luhn", {kText}, kBool, luhn);
  add_kernel<View>(loader, "meesh_from_utf8", {kBytes}, kText,
                   [](View b) { return from_utf8(b, "\xEF\xBF\xBD"); });
  add_kernel<View, View>(loader, "meesh_from_utf8_with", {kBytes, kText}, kText, from_utf8_with);
  add_kernel<View, int64_t>(loader, "meesh_from_utf8_with", {kBytes, kLong}, kText,
                            from_utf8_with_point);
  add_kernel<View>(loader, "meesh_to_hex", {kBytes}, kText, to_hex);
  add_kernel<View>(loader, "meesh_from_hex", {kText}, kBytes, from_hex);
  add_kernel<View>(loader, "meesh_from_hex", {kBytes}, kBytes, from_hex);
  add_kernel<View, View>(loader, "meesh_digest", {kText, kBytes}, kBytes, digest);
  add_kernel<View, View, View>(loader, "meesh_hmac", {kText, kBytes, kBytes}, kBytes, hmac);
  add_kernel<View>(loader, "meesh_crc32", {kBytes}, kLong, crc32);
  add_kernel<View>(loader, "meesh_xxhash64", {kBytes}, kBytes,
                   [](View b) { return big_endian(static_cast<int64_t>(xxhash64(b))); });
  add_kernel<int64_t>(loader, "meesh_big_endian", {kLong}, kBytes, big_endian);
  add_kernel<View>(loader, "meesh_from_big_endian", {kBytes}, kLong, from_big_endian);
}

}  // namespace meesh::engine
