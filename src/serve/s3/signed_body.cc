#include "serve/s3/signed_body.h"

#include "net/aws_signature.h"
#include "serve/s3/error.h"

namespace meesh::serve::s3 {
namespace {

class UnsignedBody final : public Body {
 public:
  UnsignedBody(ByteSource source, std::optional<uint64_t> length)
      : source_(std::move(source)), length_(length) {}
  size_t read(char* buffer, size_t size) override { return source_(buffer, size); }
  std::optional<uint64_t> length() const override { return length_; }
  const objects::Checksums& trailers() const override { return none_; }

 private:
  ByteSource source_;
  std::optional<uint64_t> length_;
  objects::Checksums none_;
};

class HashedBody final : public Body {
 public:
  HashedBody(ByteSource source, std::optional<uint64_t> length, std::string sha256)
      : source_(std::move(source)),
        length_(length),
        sha256_(std::move(sha256)),
        held_([this](char* buffer, size_t size) { return read_checked(buffer, size); }) {}
  size_t read(char* buffer, size_t size) override { return held_.read(buffer, size); }
  std::optional<uint64_t> length() const override { return length_; }
  const objects::Checksums& trailers() const override { return none_; }

 private:
  size_t read_checked(char* buffer, size_t size) {
    size_t got = source_(buffer, size);
    if (got > 0) {
      hash_.update({buffer, got});
      return got;
    }
    std::string computed = hash_.hex();
    if (!net::equal_in_constant_time(computed, sha256_)) {
      throw S3Error(
          "XAmzContentSHA256Mismatch", 400,
          "The provided 'x-amz-content-sha256' header does not match what was computed.",
          {{"ClientComputedContentSHA256", sha256_}, {"S3ComputedContentSHA256", computed}});
    }
    return 0;
  }

  ByteSource source_;
  std::optional<uint64_t> length_;
  std::string sha256_;
  net::Sha256 hash_;
  HeldBack held_;
  objects::Checksums none_;
};

}  // namespace

size_t HeldBack::read(char* buffer, size_t size) {
  if (failure_) std::rethrow_exception(failure_);
  if (size == 0 || ended_) return 0;
  try {
    return read_on(buffer, size);
  } catch (...) {
    failure_ = std::current_exception();
    throw;
  }
}

size_t HeldBack::read_on(char* buffer, size_t size) {
  if (!held_) {
    char first = 0;
    if (source_(&first, 1) == 0) {
      ended_ = true;
      return 0;
    }
    held_ = first;
  }
  char next = 0;
  char* behind = size > 1 ? buffer + 1 : &next;
  size_t got = source_(behind, std::max<size_t>(size - 1, 1));
  *buffer = *held_;
  if (got == 0) {
    ended_ = true;
    held_.reset();
    return 1;
  }
  held_ = behind[got - 1];
  return got;
}

ByteSource http_body(net::Request& request) {
  return [&request](char* buffer, size_t size) -> size_t {
    try {
      return request.read(buffer, size);
    } catch (const net::HttpError& e) {
      if (e.status() == 408) {
        throw S3Error(objects::Reason::kRequestTimeout,
                      "Your socket connection to the server was not read from or written to within "
                      "the timeout period. Idle connections will be closed.");
      }
      if (e.status() == 413) {
        throw S3Error(objects::Reason::kEntityTooLarge,
                      "Your proposed upload exceeds the maximum allowed size.");
      }
      throw S3Error(objects::Reason::kIncompleteBody,
                    "The request body terminated unexpectedly: " + e.message());
    }
  };
}

std::unique_ptr<Body> unsigned_body(ByteSource source, std::optional<uint64_t> length) {
  return std::make_unique<UnsignedBody>(std::move(source), length);
}

std::unique_ptr<Body> hashed_body(ByteSource source, std::optional<uint64_t> length,
                                  std::string sha256) {
  return std::make_unique<HashedBody>(std::move(source), length, std::move(sha256));
}

}  // namespace meesh::serve::s3
