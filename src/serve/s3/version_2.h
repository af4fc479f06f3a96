// URLs and forms presigned with Signature Version 2, which boto3 still makes unless it is told
// "s3v4". Only these: Authorization headers of Version 2 stay refused.
// Format: "Signing and Authenticating REST Requests" in Amazon's S3 API reference.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "net/http.h"

namespace meesh::serve::s3 {

struct Version2Claim {
  std::string access_key, signature, token;
  std::string expires;  // as sent: seconds since 1970
  std::chrono::sys_seconds until{};
};

/// Nothing if the query has no AWSAccessKeyId or something else claims to say who asks. Throws
/// S3Error: AccessDenied (a parameter missing, given twice or malformed).
std::optional<Version2Claim> read_version_2(const net::Request& request);
/// The host is not signed: `virtual_bucket` is the bucket it names, "" in path style. Throws
/// S3Error: AccessDenied (expired), SignatureDoesNotMatch.
void check_version_2(const Version2Claim& claim, const net::Request& request,
                     std::string_view virtual_bucket, const std::string& secret_key,
                     std::chrono::sys_seconds now);

/// `signature` is that of a form's policy. Throws SignatureDoesNotMatch.
void check_version_2_form(std::string_view policy, std::string_view signature,
                          const std::string& secret_key);

}  // namespace meesh::serve::s3
