// Bodies that must prove what they are before their last byte is given out.
#pragma once

#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "net/http.h"
#include "serve/s3/authentication.h"

namespace meesh::serve::s3 {

/// Up to `size` bytes; 0 = end. Throws S3Error.
using ByteSource = std::function<size_t(char* buffer, size_t size)>;

/// The request's body as it lies in HTTP; what goes wrong there in S3's words: IncompleteBody,
/// RequestTimeout, EntityTooLarge. `request` must outlive it.
ByteSource http_body(net::Request& request);

/// Bytes nobody signed.
std::unique_ptr<Body> unsigned_body(ByteSource source, std::optional<uint64_t> length);
/// Bytes whose SHA-256, in hex, was signed; another one is XAmzContentSHA256Mismatch.
std::unique_ptr<Body> hashed_body(ByteSource source, std::optional<uint64_t> length,
                                  std::string sha256);

/// Gives out the last byte of `source` only when source has said that it was the last: its own
/// checks, made before it says so, come first. What it threw it throws again at every later read.
class HeldBack {
 public:
  explicit HeldBack(ByteSource source) : source_(std::move(source)) {}
  size_t read(char* buffer, size_t size);

 private:
  size_t read_on(char* buffer, size_t size);

  ByteSource source_;
  std::exception_ptr failure_;
  std::optional<char> held_;
  bool ended_ = false;
};

}  // namespace meesh::serve::s3
