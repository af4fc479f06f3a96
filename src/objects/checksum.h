// The checksums S3 keeps with objects. Values are base64 as on the wire.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace meesh::objects {

enum class ChecksumKind { kCrc32, kCrc32c, kCrc64Nvme, kSha1, kSha256 };
inline constexpr std::array kChecksumKinds = {ChecksumKind::kCrc32, ChecksumKind::kCrc32c,
                                              ChecksumKind::kCrc64Nvme, ChecksumKind::kSha1,
                                              ChecksumKind::kSha256};
/// Kind → base64 value; composite ones end in "-N".
using Checksums = std::map<ChecksumKind, std::string>;

std::string_view checksum_name(ChecksumKind kind);                 // "CRC64NVME"
std::string_view checksum_header(ChecksumKind kind);               // "x-amz-checksum-crc64nvme"
std::optional<ChecksumKind> checksum_kind(std::string_view name);  // by name, any case
std::optional<ChecksumKind> checksum_kind_of_header(std::string_view header);
/// CRCs can be computed over a whole multipart object; SHAs are only composite there.
bool has_full_object_form(ChecksumKind kind);

/// One running computation.
class Checksum {
 public:
  static std::unique_ptr<Checksum> start(ChecksumKind kind);
  virtual ~Checksum() = default;
  virtual void update(std::string_view bytes) = 0;
  virtual std::string raw() = 0;  // ends it: big-endian bytes
};

/// The CRC of A followed by B from theirs and the length of B (raw big-endian bytes).
std::string combine_crc(ChecksumKind kind, const std::string& a, const std::string& b,
                        uint64_t length_of_b);

}  // namespace meesh::objects
