// The end of a payload file. The content lies first, as it is (or sealed), so that it can be given
// out by sendfile; behind it a footer says what it is, so that the index can be rebuilt from the
// files alone.
//
// Layout: stored content | JSON description | u32 length of the JSON | u32 CRC-32C of the JSON |
// 8 bytes kPayloadMagic. Numbers little-endian.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "objects/encryption.h"
#include "objects/store.h"

namespace meesh::objects {

inline constexpr std::string_view kPayloadMagic = "MEESHPL1";
/// u32, u32 and the magic.
inline constexpr size_t kPayloadTrailerBytes = 16;

/// What a payload file holds: an object, a part of a multipart upload, or no content but the
/// description of an object that was completed from parts (its manifest).
enum class PayloadKind { kObject, kPart, kManifest };

/// A manifest's parts: files of their own.
struct PayloadPart {
  uint64_t payload = 0;  // number of the part's payload file
  Part part;
};

struct PayloadDescription {
  PayloadKind kind = PayloadKind::kObject;
  uint64_t payload = 0;  // its own number
  std::string bucket;
  /// key, version, size, etag, modified, checksums, composite, attributes, encryption and, for a
  /// part, its size, etag, checksums and modified. `parts` is not written: see below.
  Object object;
  uint64_t stored = 0;             // bytes of the stored content: where the footer begins
  WrappedKey data_key;             // if encrypted
  std::string upload;              // kPart, kManifest: the upload's id
  int part_number = 0;             // kPart
  std::vector<PayloadPart> parts;  // kManifest, in order
};

/// The whole footer, ready to be appended.
std::string payload_footer(const PayloadDescription& description);

/// Bytes of the footer, told by a file's last kPayloadTrailerBytes; nothing if they are none.
std::optional<uint64_t> payload_footer_size(std::string_view trailer);
/// Nothing if `footer` is damaged or of another format.
std::optional<PayloadDescription> parse_payload_footer(std::string_view footer);

/// A running MD5. Its value is an ETag, no protection.
class Md5 {
 public:
  Md5();
  ~Md5();
  Md5(Md5&&) noexcept;
  Md5& operator=(Md5&&) noexcept;
  void update(std::string_view bytes);
  std::string raw();  // ends it: 16 bytes

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace meesh::objects
