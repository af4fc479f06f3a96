// Who sent a request: AWS Signature Version 4 in every form clients use, and the body as it was
// meant (aws-chunked framing undone, chunk signatures and trailers checked while reading).
// Format: "Authenticating Requests (AWS Signature Version 4)" in Amazon's S3 API reference.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "access/access.h"
#include "net/http.h"
#include "objects/checksum.h"

namespace meesh::serve::s3 {

/// A body read through its signature. read() throws S3Error when a chunk's or the trailer's
/// signature, or the payload's SHA-256, does not fit; the last byte is not given out before that is
/// known, so a writer that commits after the end commits only what was signed.
class Body {
 public:
  virtual ~Body() = default;
  /// Up to `size` bytes of content; 0 = end, checked.
  virtual size_t read(char* buffer, size_t size) = 0;
  /// The content's length if told beforehand (Content-Length, x-amz-decoded-content-length).
  virtual std::optional<uint64_t> length() const = 0;
  /// x-amz-checksum-… fields that came after the content; complete after read() gave 0.
  virtual const objects::Checksums& trailers() const = 0;
};

struct Authenticated {
  access::Credentials credentials;  // anonymous: empty access_key
  std::string signature_version;    // "", "AWS4-HMAC-SHA256", "AWS" (Version 2)
  bool presigned = false;
  std::string amz_content_sha256;  // header as sent
  std::unique_ptr<Body> body;
};

struct Version2Claim;

class Authenticator {
 public:
  struct Options {
    std::string region = "us-east-1";
    std::chrono::seconds max_skew{900};
    std::function<std::chrono::system_clock::time_point()> clock;  // tests; empty = the system's
  };
  /// Whose key this is; see Access::credentials. May throw S3Error itself.
  using Lookup = std::function<std::optional<access::Credentials>(
      const std::string& access_key, const std::string& session_token)>;
  Authenticator(const access::Access& access, Options options);
  Authenticator(Lookup lookup, Options options);

  /// Throws S3Error: InvalidAccessKeyId, SignatureDoesNotMatch (with the canonical request, as AWS
  /// tells it), RequestTimeTooSkewed, AccessDenied (expired presigned URL), AuthorizationHeader-
  /// Malformed, AuthorizationQueryParametersError, InvalidToken, ExpiredToken,
  /// XAmzContentSHA256Mismatch, MissingContentLength … Reads nothing of the body yet, but that of a
  /// call to STS (POST /, at most 64 KiB), whose signature needs it. `request` must outlive the
  /// body.
  /// `virtual_bucket`: the bucket the host names, "" in path style (URLs of Version 2 need it).
  Authenticated authenticate(net::Request& request, std::string_view virtual_bucket = {}) const;

  /// The policy of a browser's POST form (all fields but the file, names lower case): signature,
  /// expiry and each condition checked; gives whose it is, nobody's without a policy. `size` =
  /// content-length-range bounds. "key" is to come with ${filename} replaced.
  struct PostPolicy {
    access::Credentials credentials;
    std::optional<std::pair<uint64_t, uint64_t>> size;
  };
  PostPolicy check_post_policy(const std::map<std::string, std::string>& fields,
                               const std::string& bucket) const;

 private:
  std::chrono::sys_seconds now() const;
  Authenticated authenticate(net::Request& request, const Version2Claim& claim,
                             std::string_view virtual_bucket) const;

  const Lookup lookup_;
  const Options options_;
};

/// A signed URL for clients of our own (`meesh lake presign`, tests). `path` is decoded.
std::string presign(const std::string& method, const std::string& endpoint, const std::string& path,
                    const std::map<std::string, std::string>& query,
                    const access::Credentials& credentials, const std::string& region,
                    std::chrono::seconds lifetime, std::chrono::system_clock::time_point now);

}  // namespace meesh::serve::s3
