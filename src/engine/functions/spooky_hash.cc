#include "engine/functions/spooky_hash.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>

namespace meesh::engine {
namespace {

using View = std::string_view;

constexpr uint64_t kFiller = 0xDEADBEEFDEADBEEF;
constexpr size_t kWords = 12, kBlock = 8 * kWords;  // of the hash of long texts
constexpr size_t kShort = 2 * kBlock;               // below this many bytes the short one is used

uint64_t number_of(View bytes) {
  uint64_t out = 0;
  if (!bytes.empty()) std::memcpy(&out, bytes.data(), std::min<size_t>(8, bytes.size()));
  return out;
}

/// Each word turns by one of the numbers of bits and is mixed into those beside it.
void mix_short(std::array<uint64_t, 4>& s) {
  static constexpr int kTurns[] = {50, 52, 30, 41, 54, 48, 38, 37, 62, 34, 5, 36};
  size_t i = 2;
  for (const int turn : kTurns) {
    uint64_t &word = s[i % 4], &next = s[(i + 1) % 4], &over = s[(i + 2) % 4];
    word = std::rotl(word, turn) + next;
    over ^= word;
    ++i;
  }
}

void end_short(std::array<uint64_t, 4>& s) {
  static constexpr int kTurns[] = {15, 52, 26, 51, 28, 9, 47, 54, 32, 25, 63};
  size_t i = 3;
  for (const int turn : kTurns) {
    uint64_t &word = s[i % 4], &before = s[(i + 3) % 4];
    word ^= before;
    before = std::rotl(before, turn);
    word += before;
    ++i;
  }
}

uint64_t hash_short(View bytes) {
  std::array<uint64_t, 4> s = {0, 0, kFiller, kFiller};
  const uint64_t size = bytes.size();
  for (; bytes.size() >= 32; bytes.remove_prefix(32)) {
    s[2] += number_of(bytes);
    s[3] += number_of(bytes.substr(8));
    mix_short(s);
    s[0] += number_of(bytes.substr(16));
    s[1] += number_of(bytes.substr(24));
  }
  if (bytes.size() >= 16) {
    s[2] += number_of(bytes);
    s[3] += number_of(bytes.substr(8));
    mix_short(s);
    bytes.remove_prefix(16);
  }
  s[3] += size << 56;
  if (bytes.empty()) {
    s[2] += kFiller;
    s[3] += kFiller;
  } else {
    s[2] += number_of(bytes);
    if (bytes.size() > 8) s[3] += number_of(bytes.substr(8));
  }
  end_short(s);
  return s[0];
}

using Words = std::array<uint64_t, kWords>;

void mix_long(Words& s, View block) {
  static constexpr int kTurns[] = {11, 32, 43, 31, 17, 28, 39, 57, 55, 54, 22, 46};
  for (size_t i = 0; i < kWords; ++i) {
    s[i] += number_of(block.substr(8 * i));
    s[(i + 2) % kWords] ^= s[(i + 10) % kWords];
    s[(i + 11) % kWords] ^= s[i];
    s[i] = std::rotl(s[i], kTurns[i]);
    s[(i + 11) % kWords] += s[(i + 1) % kWords];
  }
}

void end_long(Words& s) {
  static constexpr int kTurns[] = {44, 15, 34, 21, 38, 33, 10, 13, 38, 53, 42, 54};
  for (size_t i = 0; i < kWords; ++i) {
    s[(i + 11) % kWords] += s[(i + 1) % kWords];
    s[(i + 2) % kWords] ^= s[(i + 11) % kWords];
    s[(i + 1) % kWords] = std::rotl(s[(i + 1) % kWords], kTurns[i]);
  }
}

uint64_t hash_long(View bytes) {
  Words s;
  for (size_t i = 0; i < kWords; ++i) s[i] = i % 3 == 2 ? kFiller : 0;
  for (; bytes.size() >= kBlock; bytes.remove_prefix(kBlock)) mix_long(s, bytes);
  std::array<char, kBlock> last{};
  std::copy(bytes.begin(), bytes.end(), last.begin());
  last.back() = static_cast<char>(bytes.size());
  for (size_t i = 0; i < kWords; ++i) s[i] += number_of(View(last.data() + 8 * i, 8));
  for (int round = 0; round < 3; ++round) end_long(s);
  return s[0];
}

}  // namespace

uint64_t spooky_hash(View bytes) {
  return bytes.size() < kShort ? hash_short(bytes) : hash_long(bytes);
}

}  // namespace meesh::engine
