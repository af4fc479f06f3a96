#include "access/policy_pattern.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>
#include <unordered_map>

#include "base/error.h"

namespace meesh::access {
namespace {

using Piece = Glob::Piece;
using Kind = Glob::Piece::Kind;

constexpr char32_t kAnyPoint = 0xFFFFFFFF;

/// Condition keys that may stand in ${…}: those that every request has at most one value of.
constexpr std::array<std::string_view, 13> kVariables = {
    "aws:username",  "aws:userid",   "aws:principalarn",     "aws:principaltype", "aws:sourceip",
    "aws:useragent", "aws:referer",  "aws:securetransport",  "aws:currenttime",   "aws:epochtime",
    "s3:prefix",     "s3:delimiter", "s3:locationconstraint"};

/// Code points; a byte that belongs to none becomes a number above all of them.
std::u32string code_points_of(std::string_view text) {
  std::u32string points;
  points.reserve(text.size());
  for (size_t i = 0; i < text.size();) {
    const auto lead = static_cast<unsigned char>(text[i]);
    const size_t length = lead < 0x80 ? 1 : lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
    char32_t point = length == 1 ? lead : lead & (0xFFu >> (length + 1));
    bool whole = (lead < 0x80 || lead >= 0xC0) && i + length <= text.size();
    for (size_t k = 1; whole && k < length; ++k) {
      const auto next = static_cast<unsigned char>(text[i + k]);
      whole = (next & 0xC0) == 0x80;
      point = (point << 6) | (next & 0x3Fu);
    }
    points += whole ? point : 0x110000 + char32_t{lead};
    i += whole ? length : 1;
  }
  return points;
}

bool stands_at(std::string_view text, size_t at, const std::string& segment) {
  return text.substr(at, segment.size()) == segment;
}
bool stands_at(std::u32string_view text, size_t at, const std::u32string& segment) {
  return std::equal(segment.begin(), segment.end(), text.begin() + static_cast<ptrdiff_t>(at),
                    [](char32_t wanted, char32_t c) { return wanted == kAnyPoint || wanted == c; });
}

/// Leftmost place from `from` on where `segment` stands.
size_t search(std::string_view text, size_t from, const std::string& segment) {
  // memmem of the C library takes linear time; std::string_view::find does not promise it.
  const void* found =
      memmem(text.data() + from, text.size() - from, segment.data(), segment.size());
  return found ? static_cast<size_t>(static_cast<const char*>(found) - text.data())
               : std::string_view::npos;
}

/// The same with ? in the segment: all its prefixes are followed at once, one bit each.
size_t search(std::u32string_view text, size_t from, const std::u32string& segment) {
  if (segment.empty()) return from;
  const size_t words = (segment.size() + 63) / 64;
  std::vector<uint64_t> any(words);
  for (size_t i = 0; i < segment.size(); ++i) {
    if (segment[i] == kAnyPoint) any[i / 64] |= uint64_t{1} << (i % 64);
  }
  std::unordered_map<char32_t, std::vector<uint64_t>> masks;
  for (size_t i = 0; i < segment.size(); ++i) {
    if (segment[i] == kAnyPoint) continue;
    masks.try_emplace(segment[i], any).first->second[i / 64] |= uint64_t{1} << (i % 64);
  }
  std::vector<uint64_t> state(words);
  const uint64_t whole = uint64_t{1} << ((segment.size() - 1) % 64);
  for (size_t at = from; at < text.size(); ++at) {
    const auto own = masks.find(text[at]);
    const std::vector<uint64_t>& mask = own == masks.end() ? any : own->second;
    uint64_t carry = 1;
    for (size_t w = 0; w < words; ++w) {
      const uint64_t shifted = (state[w] << 1) | carry;
      carry = state[w] >> 63;
      state[w] = shifted & mask[w];
    }
    if ((state[words - 1] & whole) != 0) return at + 1 - segment.size();
  }
  return std::u32string_view::npos;
}

/// The first segment stands at the start, the last at the end, those between anywhere in order.
template <typename View, typename Segment>
bool matches_segments(View text, const std::vector<Segment>& segments) {
  size_t shortest = 0;
  for (const auto& segment : segments) shortest += segment.size();
  if (segments.size() == 1 ? text.size() != shortest : text.size() < shortest) return false;
  if (!stands_at(text, 0, segments.front())) return false;
  if (segments.size() == 1) return true;
  size_t at = segments.front().size();
  const size_t last = text.size() - segments.back().size();
  if (!stands_at(text, last, segments.back())) return false;
  for (size_t i = 1; i + 1 < segments.size(); ++i) {
    at = search(text.substr(0, last), at, segments[i]);
    if (at == View::npos) return false;
    at += segments[i].size();
  }
  return at <= last;
}

void append_text(std::vector<Piece>& pieces, std::string_view text) {
  if (text.empty()) return;
  if (pieces.empty() || pieces.back().kind != Kind::kText) pieces.push_back({Kind::kText, {}});
  pieces.back().text += text;
}

/// What ${…} stands for.
Piece variable(std::string_view name) {
  if (name == "*" || name == "?" || name == "$") return {Kind::kText, std::string(name)};
  std::string key = to_lower(name);
  if (std::find(kVariables.begin(), kVariables.end(), key) == kVariables.end()) {
    throw Error(Code::kInvalidArguments,
                fmt::format("the policy variable ${{{}}} is not supported", name))
        .with_hint(
            "expected ${aws:username}, ${aws:userid}, ${aws:SourceIp}, ${s3:prefix} or, for the "
            "characters themselves, ${*}, ${?}, ${$}");
  }
  return {Kind::kVariable, std::move(key)};
}

}  // namespace

Glob::Glob(const std::vector<Piece>& pieces) : bytes_(1) {
  for (const Piece& piece : pieces) {
    if (piece.kind == Kind::kOne) single_ = true;
  }
  if (single_) points_.resize(1);
  for (const Piece& piece : pieces) {
    if (piece.kind == Kind::kMany) {
      if (single_) {
        points_.emplace_back();
      } else {
        bytes_.emplace_back();
      }
    } else if (piece.kind == Kind::kOne) {
      points_.back() += kAnyPoint;
    } else if (single_) {
      points_.back() += code_points_of(piece.text);
    } else {
      bytes_.back() += piece.text;
    }
  }
}

bool Glob::matches(std::string_view text) const {
  if (!single_) return matches_segments(text, bytes_);
  const std::u32string points = code_points_of(text);
  return matches_segments(std::u32string_view(points), points_);
}

Pattern Pattern::compile(std::string_view text, Options options) {
  Pattern pattern;
  pattern.any_case_ = options.any_case;
  const std::string lower = options.any_case ? to_lower(text) : std::string(text);
  const std::string_view source = lower;
  const std::string_view special = options.wildcards ? "*?$" : "$";
  bool variables = false;
  for (size_t at = 0; at < source.size();) {
    const size_t stop = std::min(source.find_first_of(special, at), source.size());
    append_text(pattern.pieces_, source.substr(at, stop - at));
    at = stop;
    if (at == source.size()) break;
    if (source[at] == '*') {
      if (pattern.pieces_.empty() || pattern.pieces_.back().kind != Kind::kMany) {
        pattern.pieces_.push_back({Kind::kMany, {}});
      }
    } else if (source[at] == '?') {
      pattern.pieces_.push_back({Kind::kOne, {}});
    } else if (!options.variables || source.substr(at, 2) != "${") {
      append_text(pattern.pieces_, "$");
    } else {
      const size_t end = source.find('}', at);
      if (end == std::string_view::npos) {
        throw Error(Code::kInvalidArguments, "a policy variable '${' has no end: expected '}'");
      }
      const std::string_view name = text.substr(at + 2, end - at - 2);
      Piece piece = variable(name);
      if (piece.kind == Kind::kText) {
        append_text(pattern.pieces_, piece.text);
      } else {
        variables = true;
        pattern.pieces_.push_back(std::move(piece));
      }
      at = end;
    }
    ++at;
  }
  if (!variables) pattern.ready_.emplace_back(pattern.pieces_);
  return pattern;
}

bool Pattern::matches(std::string_view text, const Facts& facts) const {
  std::string lower;
  if (any_case_) {
    lower = to_lower(text);
    text = lower;
  }
  if (!ready_.empty()) return ready_.front().matches(text);
  std::vector<Piece> filled = pieces_;
  for (Piece& piece : filled) {
    if (piece.kind != Kind::kVariable) continue;
    const auto* values = facts.find(piece.text);
    if (!values || values->size() != 1) return false;
    piece = {Kind::kText, any_case_ ? to_lower(values->front()) : values->front()};
  }
  return Glob(filled).matches(text);
}

bool Pattern::fixed() const {
  return std::all_of(pieces_.begin(), pieces_.end(),
                     [](const Piece& piece) { return piece.kind == Kind::kText; });
}

const std::string& Pattern::beginning() const {
  static const std::string kNothing;
  return !pieces_.empty() && pieces_.front().kind == Kind::kText ? pieces_.front().text : kNothing;
}

}  // namespace meesh::access
