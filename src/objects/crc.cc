// One engine for all three: CRC-32 and CRC-32C, of polynomial P, are run as 64-bit CRCs of P·x³²,
// whose remainder is theirs times x³². Reflected (bit 0 is the highest power), that is the same
// 32-bit value in the low half of the register, so nothing needs to be shifted.
//
// Folding (Gopal et al., "Fast CRC Computation for Generic Polynomials Using PCLMULQDQ"): 128 bits
// at distance D before the end of what is read count as their product with x^D, which is taken of
// each half with a constant x^n mod P. A product of reflected words is one power too low, hence the
// "- 1" below.
#include "objects/crc.h"

#include <array>
#include <bit>
#include <cstring>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace meesh::objects {
namespace {

static_assert(std::endian::native == std::endian::little, "words are read as they lie in memory");

constexpr uint64_t kOne = uint64_t{1} << 63;  // x^0

constexpr uint64_t times_x(uint64_t value, uint64_t polynomial) {
  return (value >> 1) ^ ((value & 1) != 0 ? polynomial : 0);
}

constexpr uint64_t power_of_x(unsigned n, uint64_t polynomial) {
  uint64_t value = kOne;
  while (n-- > 0) value = times_x(value, polynomial);
  return value;
}

struct Engine {
  uint64_t polynomial;  // reflected, without its highest power
  uint64_t ones;        // what the register begins with and is turned over with
  uint64_t tables[8][256];
  // x^n mod P for folding over 4 × 128 and 1 × 128 bits: of the first and of the second word.
  uint64_t far[2], near[2];

  constexpr Engine(uint64_t p, uint64_t o)
      : polynomial(p),
        ones(o),
        tables{},
        far{power_of_x(512 + 64 - 1, p), power_of_x(512 - 1, p)},
        near{power_of_x(128 + 64 - 1, p), power_of_x(128 - 1, p)} {
    for (uint64_t byte = 0; byte < 256; ++byte) {
      uint64_t value = byte;
      for (int bit = 0; bit < 8; ++bit) value = times_x(value, p);
      tables[0][byte] = value;
    }
    for (size_t k = 1; k < 8; ++k) {
      for (size_t byte = 0; byte < 256; ++byte) {
        uint64_t before = tables[k - 1][byte];
        tables[k][byte] = (before >> 8) ^ tables[0][before & 0xFF];
      }
    }
  }
};

constexpr Engine kEngines[] = {
    {0xEDB88320, 0xFFFFFFFF}, {0x82F63B78, 0xFFFFFFFF}, {0x9A6C9329AC4BC9B5, 0xFFFFFFFFFFFFFFFF}};

const Engine& engine(CrcKind kind) { return kEngines[static_cast<size_t>(kind)]; }

uint64_t by_tables(const Engine& e, uint64_t state, const char* data, size_t size) {
  for (; size >= 8; data += 8, size -= 8) {
    uint64_t word;
    std::memcpy(&word, data, 8);
    state ^= word;
    uint64_t next = 0;
    for (unsigned k = 0; k < 8; ++k) next ^= e.tables[7 - k][state >> (8 * k) & 0xFF];
    state = next;
  }
  for (; size > 0; ++data, --size) {
    state = (state >> 8) ^ e.tables[0][(state ^ static_cast<unsigned char>(*data)) & 0xFF];
  }
  return state;
}

#if defined(__x86_64__)
constexpr size_t kFoldFrom = 128;  // bytes; below it tables are as fast

bool can_fold() {
  static const bool kCan =
      __builtin_cpu_supports("pclmul") != 0 && __builtin_cpu_supports("sse4.1") != 0;
  return kCan;
}

__attribute__((target("pclmul,sse4.1"))) inline __m128i load(const char* data) {
  return _mm_loadu_si128(reinterpret_cast<const __m128i*>(data));
}

__attribute__((target("pclmul,sse4.1"))) inline __m128i fold(__m128i value, __m128i constants,
                                                             __m128i next) {
  __m128i first = _mm_clmulepi64_si128(value, constants, 0x00);
  __m128i second = _mm_clmulepi64_si128(value, constants, 0x11);
  return _mm_xor_si128(_mm_xor_si128(first, second), next);
}

__attribute__((target("pclmul,sse4.1"))) uint64_t by_folding(const Engine& e, uint64_t state,
                                                             const char* data, size_t size) {
  auto word = [](uint64_t value) { return static_cast<long long>(value); };
  __m128i far = _mm_set_epi64x(word(e.far[1]), word(e.far[0]));
  __m128i near = _mm_set_epi64x(word(e.near[1]), word(e.near[0]));
  __m128i lanes[4];
  for (size_t k = 0; k < 4; ++k) lanes[k] = load(data + 16 * k);
  lanes[0] = _mm_xor_si128(lanes[0], _mm_set_epi64x(0, word(state)));
  for (data += 64, size -= 64; size >= 64; data += 64, size -= 64) {
    for (size_t k = 0; k < 4; ++k) lanes[k] = fold(lanes[k], far, load(data + 16 * k));
  }
  __m128i value = lanes[0];
  for (size_t k = 1; k < 4; ++k) value = fold(value, near, lanes[k]);
  for (; size >= 16; data += 16, size -= 16) value = fold(value, near, load(data));
  // What is left stands for the message so far: its 16 bytes from a register of zero, then the
  // rest.
  char left[16];
  _mm_storeu_si128(reinterpret_cast<__m128i*>(left), value);
  return by_tables(e, by_tables(e, 0, left, sizeof left), data, size);
}
#endif

// The product of two remainders.
uint64_t multiply(const Engine& e, uint64_t a, uint64_t b) {
  uint64_t product = 0;
  for (uint64_t bit = kOne; bit != 0; bit >>= 1) {
    if ((a & bit) != 0) product ^= b;
    b = times_x(b, e.polynomial);
  }
  return product;
}

}  // namespace

uint64_t crc_update_by_tables(CrcKind kind, uint64_t crc, std::string_view bytes) {
  const Engine& e = engine(kind);
  return by_tables(e, crc ^ e.ones, bytes.data(), bytes.size()) ^ e.ones;
}

uint64_t crc_update(CrcKind kind, uint64_t crc, std::string_view bytes) {
#if defined(__x86_64__)
  if (bytes.size() >= kFoldFrom && can_fold()) {
    const Engine& e = engine(kind);
    return by_folding(e, crc ^ e.ones, bytes.data(), bytes.size()) ^ e.ones;
  }
#endif
  return crc_update_by_tables(kind, crc, bytes);
}

uint64_t crc_combine(CrcKind kind, uint64_t a, uint64_t b, uint64_t length_of_b) {
  const Engine& e = engine(kind);
  // a · x^(8·length), by squaring.
  uint64_t square = power_of_x(8, e.polynomial);
  for (; length_of_b > 0; length_of_b >>= 1) {
    if ((length_of_b & 1) != 0) a = multiply(e, a, square);
    square = multiply(e, square, square);
  }
  return a ^ b;
}

}  // namespace meesh::objects
