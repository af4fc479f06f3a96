// The time of day as the formats of the mesh write it.
#pragma once

#include <chrono>
#include <cstdint>

namespace meesh::base {

/// Milliseconds since 1970, by the system's clock.
inline int64_t now_ms() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

}  // namespace meesh::base
