// The three reflected CRCs of S3, at memory speed: carry-less multiplication where the processor
// has it, tables of eight bytes elsewhere.
#pragma once

#include <cstdint>
#include <string_view>

namespace meesh::objects {

enum class CrcKind { kCrc32, kCrc32c, kCrc64Nvme };

/// The CRC of what `crc` covers followed by `bytes`; 0 covers nothing.
uint64_t crc_update(CrcKind kind, uint64_t crc, std::string_view bytes);
/// As crc_update, by tables alone; for tests and processors without PCLMULQDQ.
uint64_t crc_update_by_tables(CrcKind kind, uint64_t crc, std::string_view bytes);
/// The CRC of A followed by B from theirs and B's length in bytes.
uint64_t crc_combine(CrcKind kind, uint64_t a, uint64_t b, uint64_t length_of_b);

}  // namespace meesh::objects
