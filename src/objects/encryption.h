// Content at rest: a stream is sealed in blocks with AES-256-GCM, so that a range is read by
// opening only the blocks it touches. Every stored stream (a payload file, an inline content, a
// part) has a data key of its own, made for it and used once; therefore a block's number may serve
// as its nonce. The data key lies beside the content, wrapped by a master key (SSE-S3) or by the
// key that the client sends with each request (SSE-C).
//
//   std::string key = new_data_key();
//   Sealer sealer(key);
//   sealer.update(bytes, out); …; sealer.finish(out);
//   Opener opener(key, content_size, [&](uint64_t offset, char* buffer, size_t size) { … });
//   opener.read(offset, buffer, size);
//
// Sealed form: blocks of kBlockBytes of content (the last one 1 … kBlockBytes; none for an empty
// stream), each followed by its tag of kTagBytes. Nonce: the block's number, 12 bytes big-endian.
// Associated data: one byte, 1 for the last block and 0 for others, so that a stream cut at a
// block's end does not pass for a whole one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "objects/error.h"

namespace meesh::objects {

inline constexpr size_t kBlockBytes = 64 << 10;
inline constexpr size_t kTagBytes = 16;
inline constexpr size_t kKeyBytes = 32;

/// Bytes that `size` bytes of content take when sealed.
uint64_t sealed_size(uint64_t size);

/// Seals a stream. One thread at a time.
class Sealer {
 public:
  /// `data_key`: kKeyBytes, used for this stream alone.
  explicit Sealer(std::string_view data_key);
  ~Sealer();
  Sealer(Sealer&&) noexcept;
  Sealer& operator=(Sealer&&) noexcept;

  /// Appends the blocks that are full to `sealed`; keeps the rest. A full block is kept back until
  /// it is known whether it is the last.
  void update(std::string_view content, std::string& sealed);
  /// Appends the last block. Once.
  void finish(std::string& sealed);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// Reads ranges of a sealed stream. Thread-safe if its source is.
class Opener {
 public:
  /// Gives `size` sealed bytes at `offset`, fewer only at the end.
  using Source = std::function<size_t(uint64_t offset, char* buffer, size_t size)>;
  /// `size`: of the content, as the index knows it.
  Opener(std::string_view data_key, uint64_t size, Source source);

  /// Up to `size` bytes of content at `offset`, fewer only at its end. Throws kInternalError if a
  /// block is not what was sealed.
  size_t read(uint64_t offset, char* buffer, size_t size) const;

 private:
  const std::string data_key_;
  const uint64_t size_;
  const Source source_;
};

/// kKeyBytes of the system's randomness.
std::string new_data_key();

/// A data key as it may lie on disk.
struct WrappedKey {
  std::string master_key;  // id of what wraps it; "" = the customer's key
  std::string bytes;       // 12 bytes nonce, sealed key, tag
};

/// What a master key is called beside what it wraps: 16 hex digits of a hash of it, which tell
/// nothing of the key itself.
std::string master_key_id(std::string_view master_key);

/// The operator's keys by id. Immutable, thread-safe.
class MasterKeys {
 public:
  MasterKeys() = default;
  /// Throws CONFIG_INVALID if a key has not kKeyBytes or `current` is not among them; both may be
  /// empty: then wrap() fails.
  MasterKeys(std::map<std::string, std::string> keys, std::string current);

  bool empty() const { return keys_.empty(); }
  const std::string& current() const { return current_; }
  /// With the current key. Throws kInvalidRequest if there is none.
  WrappedKey wrap(std::string_view data_key) const;
  /// With the key named, else with any that opens it: names were given by hand once. Throws
  /// kInternalError if none does.
  std::string unwrap(const WrappedKey& wrapped) const;
  /// The same data key under the current one. Throws as unwrap() and wrap().
  WrappedKey rewrap(const WrappedKey& wrapped) const { return wrap(unwrap(wrapped)); }
  /// It is wrapped with a master key (not a customer's), and not with the current one.
  bool outdated(const WrappedKey& wrapped) const {
    return !wrapped.master_key.empty() && wrapped.master_key != current_;
  }

 private:
  std::map<std::string, std::string> keys_;
  std::string current_;
};

/// With the client's key (SSE-C). Throws kInvalidArgument if it has not kKeyBytes.
WrappedKey wrap_with_customer_key(std::string_view data_key, std::string_view customer_key);
/// Throws kAccessDenied if this is not the key it was wrapped with.
std::string unwrap_with_customer_key(const WrappedKey& wrapped, std::string_view customer_key);
/// Base64, as in x-amz-server-side-encryption-customer-key-MD5.
std::string customer_key_md5(std::string_view customer_key);

}  // namespace meesh::objects
