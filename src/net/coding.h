// gzip and zstd, as Content-Encoding names them.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace meesh::net {

enum class Coding { kIdentity, kGzip, kZstd };
std::string_view coding_name(Coding coding);
/// Nothing for one we do not know. "" is kIdentity.
std::optional<Coding> coding_by_name(std::string_view name);

/// The best coding that an Accept-Encoding header allows; kIdentity without one.
Coding choose_coding(std::string_view accept_encoding);

/// Packs a stream. Appends to `out`.
class Encoder {
 public:
  virtual ~Encoder() = default;
  virtual void write(std::string_view in, std::string& out) = 0;
  /// What was written so far can be unpacked once `out` is sent.
  virtual void flush(std::string& out) = 0;
  virtual void finish(std::string& out) = 0;
  /// Ready for the next stream.
  virtual void reset() = 0;
};

/// Encoders are dear to make: each thread keeps one of a kind.
class EncoderLease {
 public:
  EncoderLease() = default;
  explicit EncoderLease(Coding coding);
  EncoderLease(EncoderLease&& other) noexcept = default;
  EncoderLease& operator=(EncoderLease&& other) noexcept = default;
  ~EncoderLease();
  Encoder* operator->() const { return encoder_.get(); }
  explicit operator bool() const { return encoder_ != nullptr; }

 private:
  Coding coding_ = Coding::kIdentity;
  std::unique_ptr<Encoder> encoder_;
};

/// Unpacks a whole body. Throws HttpError 400 (not of that coding, or cut short), 413 (more than
/// `limit` bytes).
std::string decode(Coding coding, std::string_view packed, size_t limit);

}  // namespace meesh::net
