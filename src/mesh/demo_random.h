// Numbers for generated rows: each row begins its own sequence, so that rows may be made in any
// order and are always the same.
#pragma once

#include <cstdint>
#include <iterator>

namespace meesh::mesh {

inline uint64_t mixed(uint64_t z) {
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
  return z ^ (z >> 31);
}

/// SplitMix64 of a seed, a kind of row and the row's index.
class Random {
 public:
  Random(uint64_t seed, uint64_t kind, uint64_t index)
      : state_(mixed(mixed(seed + 0x9e3779b97f4a7c15ULL) ^ (kind << 56) ^ index)) {}
  /// 0 … limit - 1; 0 if limit is 0.
  uint64_t below(uint64_t limit) {
    state_ += 0x9e3779b97f4a7c15ULL;
    return static_cast<uint64_t>((static_cast<unsigned __int128>(mixed(state_)) * limit) >> 64);
  }
  template <typename List>
  auto pick(const List& list) {
    return list[below(std::size(list))];
  }

 private:
  uint64_t state_;
};

}  // namespace meesh::mesh
