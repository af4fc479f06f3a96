// SpookyHash V2 (Bob Jenkins, public domain) with seed 0.
#pragma once

#include <cstdint>
#include <string_view>

namespace meesh::engine {

/// The first 64 of its 128 bits; the hash of 32 bits is their lower half.
uint64_t spooky_hash(std::string_view bytes);

}  // namespace meesh::engine
