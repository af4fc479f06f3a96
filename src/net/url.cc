// Percent coding, query strings and Range headers: everything small that parses bytes of a request.
#include <charconv>

#include "net/http.h"

namespace meesh::net {
namespace {

bool unreserved(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
         c == '.' || c == '_' || c == '~';
}

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

bool is_number(std::string_view text) {
  return !text.empty() &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

// A number too large for 64 bits is as good as the largest.
uint64_t clamped_number(std::string_view digits) {
  uint64_t value = 0;
  auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  return error == std::errc::result_out_of_range ? UINT64_MAX : value;
}

std::string_view trim(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

}  // namespace

std::string percent_encode(std::string_view text) {
  constexpr char kHex[] = "0123456789ABCDEF";
  std::string out;
  out.reserve(text.size());
  for (char c : text) {
    if (unreserved(c)) {
      out += c;
    } else {
      auto byte = static_cast<unsigned char>(c);
      out += {'%', kHex[byte >> 4], kHex[byte & 15]};
    }
  }
  return out;
}

std::optional<std::string> percent_decode(std::string_view text, bool plus_is_space) {
  std::string out;
  out.reserve(text.size());
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '+' && plus_is_space) {
      out += ' ';
    } else if (text[i] != '%') {
      out += text[i];
    } else {
      if (text.size() - i < 3) return std::nullopt;
      int high = hex_digit(text[i + 1]);
      int low = hex_digit(text[i + 2]);
      if (high < 0 || low < 0) return std::nullopt;
      out += static_cast<char>(high * 16 + low);
      i += 2;
    }
  }
  return out;
}

std::optional<std::vector<std::pair<std::string, std::string>>> parse_query(std::string_view text) {
  std::vector<std::pair<std::string, std::string>> out;
  while (!text.empty()) {
    size_t end = std::min(text.find('&'), text.size());
    std::string_view part = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (part.empty()) continue;
    size_t equals = std::min(part.find('='), part.size());
    auto name = percent_decode(part.substr(0, equals), true);
    auto value = percent_decode(part.substr(std::min(equals + 1, part.size())), true);
    if (!name || !value) return std::nullopt;
    out.emplace_back(std::move(*name), std::move(*value));
  }
  return out;
}

RangeResult parse_range(std::optional<std::string_view> header, uint64_t size, ByteRange& out) {
  constexpr std::string_view kUnit = "bytes=";
  if (!header || header->size() < kUnit.size()) return RangeResult::kAll;
  for (size_t i = 0; i < kUnit.size(); ++i) {
    char c = (*header)[i];
    if ((c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c) != kUnit[i]) {
      return RangeResult::kAll;
    }
  }
  std::string_view range = trim(header->substr(kUnit.size()));
  size_t dash = range.find('-');
  if (dash == std::string_view::npos) return RangeResult::kAll;
  std::string_view from = range.substr(0, dash);
  std::string_view to = range.substr(dash + 1);
  if (from.empty()) {  // the last n bytes
    if (!is_number(to)) return RangeResult::kAll;
    uint64_t count = clamped_number(to);
    if (count == 0 || size == 0) return RangeResult::kUnsatisfiable;
    out = {size - std::min(count, size), size - 1};
    return RangeResult::kPartial;
  }
  if (!is_number(from) || (!to.empty() && !is_number(to))) return RangeResult::kAll;
  uint64_t first = clamped_number(from);
  uint64_t last = to.empty() ? UINT64_MAX : clamped_number(to);
  if (last < first) return RangeResult::kAll;
  if (first >= size) return RangeResult::kUnsatisfiable;
  out = {first, std::min(last, size - 1)};
  return RangeResult::kPartial;
}

}  // namespace meesh::net
