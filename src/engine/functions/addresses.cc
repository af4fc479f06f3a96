#include "engine/functions/addresses.h"

#include <arpa/inet.h>
#include <fmt/format.h>

#include <algorithm>

namespace meesh::engine {
namespace {

constexpr std::array<unsigned char, 12> kMapped = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF};

/// Of eight groups the longest run of at least two zeros: where it starts and how long it is.
std::pair<size_t, size_t> longest_zeros(const std::array<unsigned, 8>& groups) {
  size_t best = 0, length = 0;
  for (size_t i = 0; i < groups.size();) {
    size_t end = i;
    while (end < groups.size() && groups[end] == 0) ++end;
    if (end - i > length) {
      best = i;
      length = end - i;
    }
    i = std::max(end, i + 1);
  }
  return {best, length < 2 ? 0 : length};
}

}  // namespace

std::optional<AddressBytes> read_address(std::string_view text) {
  const std::string whole(text);
  if (whole.size() != text.size() || whole.find('\0') != std::string::npos) return std::nullopt;
  AddressBytes out{};
  if (inet_pton(AF_INET6, whole.c_str(), out.data()) == 1) return out;
  std::copy(kMapped.begin(), kMapped.end(), out.begin());
  if (inet_pton(AF_INET, whole.c_str(), out.data() + kMapped.size()) == 1) return out;
  return std::nullopt;
}

std::optional<AddressBytes> address_of_bytes(std::string_view bytes) {
  AddressBytes out{};
  if (bytes.size() == 16) {
    std::copy(bytes.begin(), bytes.end(), out.begin());
  } else if (bytes.size() == 4) {
    std::copy(kMapped.begin(), kMapped.end(), out.begin());
    std::copy(bytes.begin(), bytes.end(), out.begin() + kMapped.size());
  } else {
    return std::nullopt;
  }
  return out;
}

std::string address_text(std::string_view bytes) {
  if (bytes.size() != 16) return "";
  const auto byte = [&](size_t i) { return unsigned{static_cast<unsigned char>(bytes[i])}; };
  bool mapped = true;
  for (size_t i = 0; i < kMapped.size(); ++i) mapped = mapped && byte(i) == kMapped[i];
  if (mapped) return fmt::format("{}.{}.{}.{}", byte(12), byte(13), byte(14), byte(15));
  std::array<unsigned, 8> groups;
  for (size_t i = 0; i < groups.size(); ++i) groups[i] = byte(2 * i) << 8 | byte(2 * i + 1);
  const auto [start, length] = longest_zeros(groups);
  std::string out;
  for (size_t i = 0; i < groups.size(); ++i) {
    if (length > 0 && i == start) {
      out += "::";
      i += length - 1;
      continue;
    }
    if (!out.empty() && !out.ends_with(':')) out += ':';
    out += fmt::format("{:x}", groups[i]);
  }
  return out;
}

}  // namespace meesh::engine
