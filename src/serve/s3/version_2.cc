#include "serve/s3/version_2.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <map>

#include "base/text.h"
#include "net/aws_signature.h"
#include "objects/checksum.h"
#include "serve/s3/error.h"

namespace meesh::serve::s3 {
namespace {

// The parameters that belong to what is signed; others do not change what a request means.
constexpr std::string_view kSubresources[] = {"accelerate",
                                              "acl",
                                              "analytics",
                                              "attributes",
                                              "cors",
                                              "defaultObjectAcl",
                                              "delete",
                                              "encryption",
                                              "id",
                                              "intelligent-tiering",
                                              "inventory",
                                              "legal-hold",
                                              "lifecycle",
                                              "location",
                                              "logging",
                                              "metrics",
                                              "notification",
                                              "object-lock",
                                              "ownershipControls",
                                              "partNumber",
                                              "policy",
                                              "policyStatus",
                                              "publicAccessBlock",
                                              "replication",
                                              "requestPayment",
                                              "response-cache-control",
                                              "response-content-disposition",
                                              "response-content-encoding",
                                              "response-content-language",
                                              "response-content-type",
                                              "response-expires",
                                              "restore",
                                              "retention",
                                              "select",
                                              "select-type",
                                              "storageClass",
                                              "tagging",
                                              "torrent",
                                              "uploadId",
                                              "uploads",
                                              "versionId",
                                              "versioning",
                                              "versions",
                                              "website"};

[[noreturn]] void denied(std::string message) {
  throw S3Error("AccessDenied", 403, std::move(message));
}

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c;
  return out;
}

// A header's value, or the parameter that boto3 makes of a header when it signs a URL.
std::string field(const net::Request& request, std::string_view name) {
  if (auto header = request.headers.get(name)) return std::string(*header);
  for (const auto& [parameter, value] : request.query) {
    if (lower(parameter) == name) return value;
  }
  return "";
}

std::string amz_lines(const net::Request& request) {
  std::map<std::string, std::string> lines;
  auto add = [&](std::string_view name, std::string_view value) {
    std::string& line = lines[lower(name)];
    line += (line.empty() ? "" : ",") + std::string(value);
  };
  for (const auto& [name, value] : request.headers.items()) {
    if (lower(name).starts_with("x-amz-")) add(name, value);
  }
  for (const auto& [name, value] : request.query) {
    if (lower(name).starts_with("x-amz-") && !request.headers.get(name)) add(name, value);
  }
  std::string out;
  for (const auto& [name, value] : lines) out += name + ":" + value + "\n";
  return out;
}

std::string resource(const net::Request& request, std::string_view virtual_bucket) {
  std::string out = virtual_bucket.empty() ? "" : "/" + std::string(virtual_bucket);
  out += request.target.substr(0, request.target.find('?'));
  std::vector<std::pair<std::string, std::string>> parts;
  for (const auto& part : request.query) {
    if (std::ranges::find(kSubresources, part.first) != std::end(kSubresources))
      parts.push_back(part);
  }
  std::ranges::sort(parts);
  char separator = '?';
  for (const auto& [name, value] : parts) {
    out += separator + name + (value.empty() ? "" : "=" + value);
    separator = '&';
  }
  return out;
}

std::string hmac_sha1(std::string_view key, std::string_view text) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> out;
  unsigned length = 0;
  HMAC(EVP_sha1(), key.data(), static_cast<int>(key.size()),
       reinterpret_cast<const unsigned char*>(text.data()), text.size(), out.data(), &length);
  return {reinterpret_cast<const char*>(out.data()), length};
}

void check_mac(std::string_view text, std::string_view signature, const std::string& secret_key) {
  std::string expected = base::to_base64(hmac_sha1(secret_key, text));
  if (net::equal_in_constant_time(expected, signature)) return;
  throw S3Error("SignatureDoesNotMatch", 403,
                "The request signature we calculated does not match the signature you provided. "
                "Check your key and signing method.");
}

}  // namespace

std::optional<Version2Claim> read_version_2(const net::Request& request) {
  auto parameter = [&](std::string_view wanted) {
    std::optional<std::string> found;
    for (const auto& [name, value] : request.query) {
      if (name != wanted) continue;
      if (found) denied(fmt::format("{} was given twice.", wanted));
      found = value;
    }
    return found;
  };
  auto access_key = parameter("AWSAccessKeyId");
  if (!access_key || request.headers.get("authorization") || parameter("X-Amz-Algorithm") ||
      parameter("X-Amz-Credential") || parameter("X-Amz-Signature")) {
    return std::nullopt;
  }
  auto signature = parameter("Signature"), expires = parameter("Expires");
  if (!signature || !expires) {
    denied(
        "Query-string authentication requires the Signature, Expires and AWSAccessKeyId "
        "parameters");
  }
  int64_t until = 0;
  auto [end, error] = std::from_chars(expires->data(), expires->data() + expires->size(), until);
  constexpr int64_t kYear9999 = 253402300799;
  if (error != std::errc() || end != expires->data() + expires->size() || until < 0 ||
      until > kYear9999) {
    denied(fmt::format("Invalid date (should be seconds since epoch): {}", *expires));
  }
  return Version2Claim{*access_key, *signature, field(request, "x-amz-security-token"), *expires,
                       std::chrono::sys_seconds(std::chrono::seconds(until))};
}

void check_version_2(const Version2Claim& claim, const net::Request& request,
                     std::string_view virtual_bucket, const std::string& secret_key,
                     std::chrono::sys_seconds now) {
  if (now > claim.until) denied("Request has expired");
  check_mac(request.method + "\n" + field(request, "content-md5") + "\n" +
                field(request, "content-type") + "\n" + claim.expires + "\n" + amz_lines(request) +
                resource(request, virtual_bucket),
            claim.signature, secret_key);
}

void check_version_2_form(std::string_view policy, std::string_view signature,
                          const std::string& secret_key) {
  check_mac(policy, signature, secret_key);
}

}  // namespace meesh::serve::s3
