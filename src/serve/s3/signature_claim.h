// What a request says of its own signature, and whether that is true.
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "access/access.h"
#include "net/aws_signature.h"
#include "net/http.h"
#include "serve/s3/authentication.h"

namespace meesh::serve::s3 {

struct SignatureClaim {
  std::string access_key;
  net::SigningScope scope;
  std::vector<std::string> signed_headers;  // lower case, in the client's order
  std::string signature;                    // as given
  std::string timestamp;
  net::AwsTime time{};
  std::string token;  // session token, "" = none
  bool presigned = false;
  std::chrono::seconds lifetime{};  // presigned
};

/// From the Authorization header or the query; nothing of an anonymous request. Throws S3Error:
/// AuthorizationHeaderMalformed, AuthorizationQueryParametersError, InvalidRequest (Signature
/// Version 2), InvalidArgument, AccessDenied (no date).
std::optional<SignatureClaim> read_claim(const net::Request& request);

/// "KEY/20130524/us-east-1/s3/aws4_request"; the key may contain slashes. Nothing if it is none.
struct Credential {
  std::string access_key;
  net::SigningScope scope;
};
std::optional<Credential> parse_credential(std::string_view text);

enum class ClaimKind { kHeader, kQuery };
/// The scope is of this region, or of us-east-1, and of `services`. Throws the kind's Malformed.
void check_scope(const net::SigningScope& scope, const std::string& region,
                 const std::vector<std::string_view>& services, ClaimKind kind);
/// Neither expired nor of another hour. Throws RequestTimeTooSkewed, AccessDenied.
void check_time(const SignatureClaim& claim, net::AwsTime now, std::chrono::seconds max_skew);
/// Throws InvalidAccessKeyId, InvalidToken, ExpiredToken.
access::Credentials find_credentials(const Authenticator::Lookup& lookup,
                                     const std::string& access_key, const std::string& token,
                                     net::AwsTime now);
/// Host and every x-amz-… header of the request are signed. Throws AccessDenied.
void check_signed_headers(const SignatureClaim& claim, const net::Request& request);
/// Throws SignatureDoesNotMatch. Clients do not agree how to write odd characters in path and
/// query: what they sent literally counts as well as the one right encoding of it.
void check_signature(const SignatureClaim& claim, const net::Request& request,
                     std::string_view payload_hash, const std::string& signing_key);

}  // namespace meesh::serve::s3
