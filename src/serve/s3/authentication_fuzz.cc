// Requests of any bytes to the authenticator: nothing but its own errors may come of them, and
// nobody is known who did not sign. Input: "METHOD target\n", "name: value\n" …, "\n", body.
#include <cstdint>
#include <cstdlib>

#include "net/aws_signature.h"
#include "net/head.h"
#include "serve/s3/authentication.h"
#include "serve/s3/error.h"
#include "serve/s3/fake_request_test.h"

namespace {

using namespace meesh;             // NOLINT(build/namespaces)
using namespace meesh::serve::s3;  // NOLINT(build/namespaces)

constexpr char kSecret[] = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
constexpr char kTimestamp[] = "20130524T000000Z";

std::optional<access::Credentials> anybody(const std::string& key, const std::string& token) {
  access::Credentials found;
  found.access_key = key;
  found.secret_key = kSecret;
  found.session_token = token;
  return found;
}

const Authenticator& authenticator() {
  static const Authenticator kAuthenticator(
      anybody, {.clock = [] { return *net::parse_amz_timestamp(kTimestamp); }});
  return kAuthenticator;
}

std::string_view take_line(std::string_view& rest) {
  size_t end = std::min(rest.find('\n'), rest.size());
  std::string_view line = rest.substr(0, end);
  rest.remove_prefix(std::min(end + 1, rest.size()));
  return line;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string_view rest(reinterpret_cast<const char*>(data), size);
  std::string_view first = take_line(rest);
  size_t space = first.find(' ');
  if (space == std::string_view::npos) return 0;
  net::Headers headers;
  for (std::string_view line = take_line(rest); !line.empty(); line = take_line(rest)) {
    size_t colon = line.find(": ");
    if (colon == std::string_view::npos || !net::is_token(line.substr(0, colon))) return 0;
    headers.add(std::string(line.substr(0, colon)), std::string(line.substr(colon + 2)));
  }
  if (headers.items().size() > 200) return 0;
  // A forger who knows everything but the secret: the signature is never right by chance.
  try {
    FakeRequest request(std::string(first.substr(0, space)), std::string(first.substr(space + 1)),
                        std::string(rest), 100);
    request.headers = headers;
    Authenticated found = authenticator().authenticate(request);
    char buffer[50];
    uint64_t total = 0;
    while (size_t got = found.body->read(buffer, sizeof buffer)) total += got;
    if (total > rest.size()) std::abort();
    if (found.body->length() && *found.body->length() != total) std::abort();
  } catch (const S3Error& e) {
    if (e.name().empty() || e.status() < 400) std::abort();
  } catch (const net::HttpError&) {
    return 0;
  }
  // The same request signed by its own words must be known, whatever the path and query are.
  try {
    FakeRequest request("PUT", std::string(first.substr(space + 1)), std::string(rest));
    std::erase_if(request.query, [](const auto& item) {
      return item.first.starts_with("X-Amz-") || item.first == "AWSAccessKeyId";
    });
    headers.remove("x-amz-security-token");
    request.headers = headers;
    net::sign_request({"PUT", "host", request.path, &request.query, net::kUnsignedPayload},
                      {"key", kSecret, ""}, "us-east-1", *net::parse_amz_timestamp(kTimestamp),
                      request.headers);
    if (authenticator().authenticate(request).credentials.access_key != "key") std::abort();
  } catch (const net::HttpError&) {
    return 0;
  }
  return 0;
}
