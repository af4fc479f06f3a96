// AWS Signature Version 4 as pure functions, for those who check signatures and those who sign:
//
//   SigningScope scope{"20130524", "us-east-1", "s3"};
//   std::string key = signing_key(secret, scope);
//   std::string canonical = canonical_request({.method = "GET", .path = …});
//   std::string signature = sign(key, string_to_sign(timestamp, scope, canonical));
//
// Format: "Authenticating Requests (AWS Signature Version 4)", Amazon S3 API reference. Paths are
// encoded once and not normalised, as S3 alone among the services wants it.
#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "net/http.h"

namespace meesh::net {

inline constexpr std::string_view kAwsAlgorithm = "AWS4-HMAC-SHA256";
inline constexpr std::string_view kUnsignedPayload = "UNSIGNED-PAYLOAD";
/// SHA-256 of nothing, in hex.
inline constexpr std::string_view kEmptySha256 =
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

/// What a signing key is good for.
struct SigningScope {
  std::string date;  // "20130524"
  std::string region, service;
  std::string text() const;  // "20130524/us-east-1/s3/aws4_request"
};

using AwsTime = std::chrono::sys_seconds;
std::string amz_timestamp(AwsTime time);                         // "20130524T000000Z"
std::optional<AwsTime> parse_amz_timestamp(std::string_view t);  // nothing but this form

/// SHA-256 of what comes in pieces.
class Sha256 {
 public:
  Sha256();
  ~Sha256();
  Sha256(Sha256&&) noexcept;
  Sha256& operator=(Sha256&&) noexcept;
  void update(std::string_view bytes);
  std::string hex();  // ends it and begins anew

 private:
  struct State;
  std::unique_ptr<State> state_;
};
std::string sha256_hex(std::string_view bytes);
std::string hmac_sha256(std::string_view key, std::string_view text);  // 32 raw bytes
/// Takes as long for any two texts of one length.
bool equal_in_constant_time(std::string_view a, std::string_view b);

/// Each segment of a decoded path encoded, slashes kept; "" is "/".
std::string canonical_path(std::string_view decoded);
/// Decoded names and values, encoded and sorted.
std::string canonical_query(const std::vector<std::pair<std::string, std::string>>& query);

struct CanonicalParts {
  std::string_view method, path, query;  // path and query canonical
  /// Lower-case name and value, sorted by name; see canonical_value().
  std::vector<std::pair<std::string, std::string>> headers;
  std::string_view payload_hash;
};
std::string canonical_request(const CanonicalParts& parts);
/// A header's value trimmed, with single spaces inside.
std::string canonical_value(std::string_view value);
/// "host;x-amz-date"
std::string signed_header_names(const CanonicalParts& parts);

std::string signing_key(std::string_view secret_key, const SigningScope& scope);
/// signing_key(), remembered for the last few thousand askers. Thread-safe.
std::string cached_signing_key(std::string_view secret_key, const SigningScope& scope);
std::string string_to_sign(std::string_view timestamp, const SigningScope& scope,
                           std::string_view canonical);
std::string sign(std::string_view signing_key, std::string_view text);  // hex

/// A chunk's signature in aws-chunked framing: chained to the one before it, the first to the
/// request's. `hash`: SHA-256 of the chunk's bytes, in hex.
std::string chunk_signature(std::string_view signing_key, std::string_view timestamp,
                            const SigningScope& scope, std::string_view previous,
                            std::string_view hash);
/// The trailer's, chained to the last chunk's. `hash`: of its canonical lines "name:value\n".
std::string trailer_signature(std::string_view signing_key, std::string_view timestamp,
                              const SigningScope& scope, std::string_view previous,
                              std::string_view hash);

struct AwsCredentials {
  std::string access_key, secret_key, session_token;
};

/// Signs a request about to be sent: adds Host, x-amz-date, x-amz-content-sha256,
/// x-amz-security-token and Authorization; signs Host and every x-amz-… header.
struct RequestToSign {
  std::string_view method, host;
  std::string_view path;                                                    // decoded
  const std::vector<std::pair<std::string, std::string>>* query = nullptr;  // decoded
  std::string_view payload_hash;
};
void sign_request(const RequestToSign& request, const AwsCredentials& credentials,
                  const std::string& region, AwsTime now, Headers& headers);

/// The path and query of a presigned URL: no header but Host is signed, nor the payload.
std::string presigned_target(const RequestToSign& request, const AwsCredentials& credentials,
                             const std::string& region, std::chrono::seconds lifetime, AwsTime now);

}  // namespace meesh::net
