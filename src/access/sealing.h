// Secrets under lock: authenticated encryption and random values.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace meesh::access {

inline constexpr size_t kKeyBytes = 32;

/// AES-256-GCM under a key of its own for each purpose, derived from one master key. A sealed text
/// is base64url (no padding) of: format (one byte, 1), nonce (12), content, tag (16).
/// Thread-safe.
class Seal {
 public:
  /// `master`: 32 bytes, else INVALID_ARGUMENTS. `purpose` makes another key of it.
  Seal(std::string_view master, std::string_view purpose);
  ~Seal();
  Seal(const Seal&) = delete;
  Seal& operator=(const Seal&) = delete;

  /// `about` is not in the result but must be the same when it is opened: a sealed text cannot be
  /// moved to another place.
  std::string seal(std::string_view content, std::string_view about) const;
  /// Nothing if it was not sealed with this key and `about`, or was changed since.
  std::optional<std::string> open(std::string_view sealed, std::string_view about) const;
  /// HMAC-SHA256 under the same key, base64url: a name for `content` that tells nothing of it.
  std::string fingerprint(std::string_view content) const;

 private:
  std::string key_;
};

/// From OpenSSL's generator; throws GENERIC_INTERNAL_ERROR if that fails.
std::string random_bytes(size_t count);
/// Digits of A-Z2-7.
std::string random_key_id(std::string_view prefix);
/// 40 characters of A-Za-z0-9+, as AWS's are long.
std::string random_secret();

std::string hmac_sha256(std::string_view key, std::string_view content);
/// Takes the same time wherever the texts differ.
bool same_secret(std::string_view a, std::string_view b);

}  // namespace meesh::access
