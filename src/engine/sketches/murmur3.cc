#include "engine/sketches/murmur3.h"

#include <algorithm>
#include <bit>
#include <cstring>

namespace meesh::engine {
namespace {

uint64_t mixed(uint64_t k) {
  k = (k ^ k >> 33) * 0xFF51AFD7ED558CCD;
  k = (k ^ k >> 33) * 0xC4CEB9FE1A85EC53;
  return k ^ k >> 33;
}

/// Up to eight bytes as a number in little endian.
uint64_t number_of(std::string_view bytes) {
  uint64_t out = 0;
  if (!bytes.empty()) std::memcpy(&out, bytes.data(), std::min<size_t>(8, bytes.size()));
  return out;
}

}  // namespace

std::array<uint64_t, 2> murmur3_128(std::string_view bytes) {
  constexpr uint64_t c1 = 0x87C37B91114253D5, c2 = 0x4CF5AD432745937F;
  uint64_t h1 = 0, h2 = 0;
  const size_t size = bytes.size();
  for (; bytes.size() >= 16; bytes.remove_prefix(16)) {
    h1 ^= std::rotl(number_of(bytes.substr(0, 8)) * c1, 31) * c2;
    h1 = (std::rotl(h1, 27) + h2) * 5 + 0x52DCE729;
    h2 ^= std::rotl(number_of(bytes.substr(8, 8)) * c2, 33) * c1;
    h2 = (std::rotl(h2, 31) + h1) * 5 + 0x38495AB5;
  }
  if (bytes.size() > 8) h2 ^= std::rotl(number_of(bytes.substr(8)) * c2, 33) * c1;
  h1 ^= std::rotl(number_of(bytes.substr(0, 8)) * c1, 31) * c2;
  h1 ^= size;
  h2 ^= size;
  h1 += h2;
  h2 += h1;
  h1 = mixed(h1);
  h2 = mixed(h2);
  return {h1 + h2, h1 + h2 + h2};
}

uint64_t murmur3_64(std::string_view bytes) { return murmur3_128(bytes)[0]; }

uint64_t murmur3_64(int64_t value) {
  char bytes[8];
  std::memcpy(bytes, &value, 8);
  return murmur3_64(std::string_view(bytes, 8));
}

}  // namespace meesh::engine
