// MurmurHash3, the x64 variant of 128 bits with seed 0: the hash behind Trino's sketches.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace meesh::engine {

std::array<uint64_t, 2> murmur3_128(std::string_view bytes);
/// Its first half.
uint64_t murmur3_64(std::string_view bytes);
/// The same of the eight bytes of a number.
uint64_t murmur3_64(int64_t value);

}  // namespace meesh::engine
