#include "serve/s3/authentication.h"

#include <charconv>
#include <cstring>

#include "serve/s3/chunked_body.h"
#include "serve/s3/error.h"
#include "serve/s3/signature_claim.h"
#include "serve/s3/signed_body.h"
#include "serve/s3/version_2.h"

namespace meesh::serve::s3 {
namespace {

using objects::ChecksumKind;
using objects::Reason;

constexpr size_t kMaxStsBody = 64 << 10;

// How the body is protected, as x-amz-content-sha256 says.
enum class Payload {
  kUnsigned,
  kHashed,
  kSignedChunks,
  kSignedChunksAndTrailer,
  kUnsignedChunksAndTrailer
};

bool with_signed_chunks(Payload payload) {
  return payload == Payload::kSignedChunks || payload == Payload::kSignedChunksAndTrailer;
}

Payload payload_of(std::string_view value) {
  if (value == net::kUnsignedPayload) return Payload::kUnsigned;
  if (value == "STREAMING-AWS4-HMAC-SHA256-PAYLOAD") return Payload::kSignedChunks;
  if (value == "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER") {
    return Payload::kSignedChunksAndTrailer;
  }
  if (value == "STREAMING-UNSIGNED-PAYLOAD-TRAILER") return Payload::kUnsignedChunksAndTrailer;
  if (value.starts_with("STREAMING-AWS4-ECDSA-")) {
    throw S3Error(Reason::kNotImplemented,
                  "Signature Version 4A (ECDSA) is not supported. Please use AWS4-HMAC-SHA256.");
  }
  bool hash = value.size() == 64 && std::all_of(value.begin(), value.end(), [](char c) {
                return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
              });
  if (hash) return Payload::kHashed;
  throw S3Error("InvalidArgument", 400,
                "x-amz-content-sha256 must be UNSIGNED-PAYLOAD, "
                "STREAMING-UNSIGNED-PAYLOAD-TRAILER, STREAMING-AWS4-HMAC-SHA256-PAYLOAD, "
                "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER, or a valid sha256 value.",
                {{"ArgumentName", "x-amz-content-sha256"}});
}

// A header that must not come twice, "" if absent.
std::string single(const net::Request& request, std::string_view name) {
  auto values = request.headers.all(name);
  if (values.size() > 1) {
    throw S3Error(Reason::kInvalidRequest, fmt::format("The header {} was given twice.", name));
  }
  return values.empty() ? "" : std::string(values[0]);
}

uint64_t decoded_length(const net::Request& request) {
  std::string text = single(request, "x-amz-decoded-content-length");
  if (text.empty()) {
    throw S3Error("MissingContentLength", 411,
                  "You must provide the x-amz-decoded-content-length HTTP header.");
  }
  uint64_t length = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), length);
  if (error != std::errc() || end != text.data() + text.size()) {
    throw S3Error(Reason::kInvalidArgument, "x-amz-decoded-content-length is no number.");
  }
  return length;
}

std::vector<ChecksumKind> announced_trailers(const net::Request& request) {
  std::vector<ChecksumKind> out;
  for (std::string_view value : request.headers.all("x-amz-trailer")) {
    while (!value.empty()) {
      size_t end = std::min(value.find(','), value.size());
      std::string name = net::canonical_value(value.substr(0, end));
      value.remove_prefix(std::min(end + 1, value.size()));
      if (name.empty()) continue;
      auto kind = objects::checksum_kind_of_header(name);
      if (!kind || std::find(out.begin(), out.end(), *kind) != out.end()) {
        throw S3Error(Reason::kInvalidRequest,
                      "The value specified in the x-amz-trailer header is not supported");
      }
      out.push_back(*kind);
    }
  }
  return out;
}

std::unique_ptr<Body> make_body(net::Request& request, Payload payload, std::string_view hash,
                                std::optional<ChunkSigning> signing) {
  ByteSource source = http_body(request);
  if (payload == Payload::kUnsigned) {
    return unsigned_body(std::move(source), request.content_length);
  }
  if (payload == Payload::kHashed) {
    return hashed_body(std::move(source), request.content_length, std::string(hash));
  }
  ChunkedOptions options;
  options.trailer = payload != Payload::kSignedChunks;
  options.length = decoded_length(request);
  options.announced = announced_trailers(request);
  if (!options.trailer && !options.announced.empty()) {
    throw S3Error(Reason::kInvalidRequest,
                  "x-amz-trailer needs an x-amz-content-sha256 that ends in -TRAILER.");
  }
  if (with_signed_chunks(payload)) options.signing = std::move(signing);
  return chunked_body(std::move(source), std::move(options));
}

// STS clients hash the body into the signature without saying so in a header.
std::string read_sts_body(net::Request& request) {
  std::string body;
  char piece[4096];
  ByteSource source = http_body(request);
  while (size_t got = source(piece, sizeof piece)) {
    if (body.size() + got > kMaxStsBody) {
      throw S3Error(Reason::kEntityTooLarge, "A call to STS is at most 64 KiB long.");
    }
    body.append(piece, got);
  }
  return body;
}

std::unique_ptr<Body> body_in_memory(std::string text) {
  uint64_t length = text.size();
  return unsigned_body(
      [text = std::move(text), at = size_t{0}](char* buffer, size_t size) mutable {
        size_t count = std::min(size, text.size() - at);
        std::memcpy(buffer, text.data() + at, count);
        at += count;
        return count;
      },
      length);
}

// What stands for the body in the canonical request; "" if the client must still be asked (STS).
std::string told_payload_hash(const net::Request& request, const SignatureClaim& claim) {
  std::string told = single(request, "x-amz-content-sha256");
  if (told.empty() && claim.presigned) {
    told = request.query_param("X-Amz-Content-Sha256").value_or(net::kUnsignedPayload);
  }
  if (told.empty() && claim.scope.service != "sts") {
    throw S3Error(Reason::kInvalidRequest,
                  "Missing required header for this request: x-amz-content-sha256");
  }
  return told;
}

// Of a request whose body nothing signs.
Authenticated without_signed_body(net::Request& request) {
  Authenticated out;
  out.amz_content_sha256 = single(request, "x-amz-content-sha256");
  std::string told = out.amz_content_sha256;
  if (told.empty()) told = net::kUnsignedPayload;
  Payload payload = payload_of(told);
  if (with_signed_chunks(payload)) {
    throw S3Error(Reason::kInvalidRequest, "Signed chunks need a signed request.");
  }
  out.body = make_body(request, payload, told, std::nullopt);
  return out;
}

}  // namespace

Authenticator::Authenticator(const access::Access& access, Options options)
    : Authenticator(
          [&access](const std::string& access_key, const std::string& session_token) {
            auto found = access.credentials(access_key, session_token);
            if (!found && !session_token.empty() && access.expired(session_token)) {
              throw S3Error("ExpiredToken", 400, "The provided token has expired.");
            }
            return found;
          },
          std::move(options)) {}

Authenticator::Authenticator(Lookup lookup, Options options)
    : lookup_(std::move(lookup)), options_(std::move(options)) {}

std::chrono::sys_seconds Authenticator::now() const {
  return std::chrono::floor<std::chrono::seconds>(
      options_.clock ? options_.clock() : std::chrono::system_clock::now());
}

Authenticated Authenticator::authenticate(net::Request& request, const Version2Claim& claim,
                                          std::string_view virtual_bucket) const {
  access::Credentials credentials = find_credentials(lookup_, claim.access_key, claim.token, now());
  check_version_2(claim, request, virtual_bucket, credentials.secret_key, now());
  Authenticated out = without_signed_body(request);
  out.credentials = std::move(credentials);
  out.signature_version = "AWS";
  out.presigned = true;
  return out;
}

Authenticated Authenticator::authenticate(net::Request& request,
                                          std::string_view virtual_bucket) const {
  if (auto old = read_version_2(request)) return authenticate(request, *old, virtual_bucket);
  auto claim = read_claim(request);
  if (!claim) return without_signed_body(request);
  ClaimKind kind = claim->presigned ? ClaimKind::kQuery : ClaimKind::kHeader;
  std::vector<std::string_view> services = {"s3"};
  if (request.path == "/") services.push_back("sts");
  check_scope(claim->scope, options_.region, services, kind);
  std::string told = told_payload_hash(request, *claim);
  std::optional<Payload> payload;
  if (!told.empty()) payload = payload_of(told);
  check_time(*claim, now(), options_.max_skew);

  Authenticated out;
  out.credentials = find_credentials(lookup_, claim->access_key, claim->token, now());
  out.signature_version = net::kAwsAlgorithm;
  out.presigned = claim->presigned;
  out.amz_content_sha256 = single(request, "x-amz-content-sha256");
  check_signed_headers(*claim, request);
  std::string sts_body;
  if (!payload) {
    sts_body = read_sts_body(request);
    told = net::sha256_hex(sts_body);
  }
  std::string key = net::cached_signing_key(out.credentials.secret_key, claim->scope);
  check_signature(*claim, request, told, key);
  if (payload) {
    ChunkSigning signing{std::move(key), claim->timestamp, claim->scope, claim->signature};
    out.body = make_body(request, *payload, told, std::move(signing));
  } else {
    out.body = body_in_memory(std::move(sts_body));
  }
  return out;
}

}  // namespace meesh::serve::s3
