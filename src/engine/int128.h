// 128-bit integers: DuckDB's and the compiler's.
#pragma once

#include <cstdint>

#include "duckdb/common/types/hugeint.hpp"

namespace meesh::engine {

inline __int128 wide(const duckdb::hugeint_t& value) {
  return static_cast<__int128>(
      (static_cast<unsigned __int128>(static_cast<uint64_t>(value.upper)) << 64) | value.lower);
}

inline __int128 wide(int64_t value) { return value; }

inline duckdb::hugeint_t narrow(__int128 value) {
  return {static_cast<int64_t>(value >> 64), static_cast<uint64_t>(value)};
}

}  // namespace meesh::engine
