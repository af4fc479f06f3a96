// Identifiers that nobody else makes.
#pragma once

#include <cstdint>
#include <string>

namespace meesh::base {

/// A random UUID (version 4) from the system's randomness: "0c94a1f8-…", lower case.
std::string random_uuid();
/// 63 random bits, never 0: how Iceberg numbers snapshots.
int64_t random_id();

}  // namespace meesh::base
