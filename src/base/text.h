// Small questions about text that several rooms ask.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace meesh::base {

/// Well-formed UTF-8: no overlong forms, no surrogates, nothing above U+10FFFF.
bool valid_utf8(std::string_view text);

/// Code points in well-formed UTF-8 (bytes that start one).
size_t code_points(std::string_view text);

/// 1-based line and column (in code points) of a byte offset; offsets past the end mean the end.
struct Position {
  int line = 1;
  int column = 1;
};
Position position_of(std::string_view text, size_t offset);

/// "a, b, c"
std::string join(std::span<const std::string> parts, std::string_view separator);

/// The candidate a person who typed `word` most likely meant: the fewest edits (swapped neighbours
/// count one), at most a third of the word's length; letters' case costs nothing. Nothing if none
/// is near.
std::optional<std::string> closest(std::string_view word, std::span<const std::string> candidates);

/// "did you mean 'x'?", or `otherwise` followed by the candidates, or "" without candidates.
std::string did_you_mean(std::string_view word, std::span<const std::string> candidates,
                         std::string_view otherwise);

/// Padded.
std::string to_base64(std::string_view bytes);
/// Strict: padded, no spaces, no bits left over, so that one text stands for one value.
std::optional<std::string> from_base64(std::string_view text);
/// With - and _ and without padding.
std::string to_base64url(std::string_view bytes);
/// As strict as from_base64.
std::optional<std::string> from_base64url(std::string_view text);
/// Lower case.
std::string to_hex(std::string_view bytes);
/// Either case; nothing for an odd number of digits or anything else.
std::optional<std::string> from_hex(std::string_view text);

/// FNV-1a, to notice that a text changed. Not for secrets.
uint64_t checksum(std::string_view text);

}  // namespace meesh::base
