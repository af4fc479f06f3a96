// A client that signs, a clock that stands, and a server's side that says what it refuses.
#pragma once

#include <gmock/gmock.h>

#include <string>
#include <utility>
#include <vector>

#include "net/aws_signature.h"
#include "serve/s3/authentication.h"
#include "serve/s3/error.h"
#include "serve/s3/fake_request_test.h"

namespace meesh::serve::s3::signing_test {

inline constexpr char kAccessKey[] = "AKIAIOSFODNN7EXAMPLE";
inline constexpr char kSecret[] = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
inline constexpr char kHost[] = "localhost:9000";
inline constexpr char kTimestamp[] = "20130524T000000Z";
inline const net::AwsTime kSigned = *net::parse_amz_timestamp(kTimestamp);
inline const net::AwsCredentials kCredentials = {kAccessKey, kSecret, ""};
using Parameters = std::vector<std::pair<std::string, std::string>>;

// A request as it goes over the wire, so that tests can change any part of it.
struct Wire {
  std::string method = "PUT", target = "/bucket/key", body;
  Parameters headers;
};

class AuthenticationTest : public testing::Test {
 protected:
  Authenticator authenticator(std::string region = "us-east-1") const {
    return {
        [this](const std::string& key, const std::string& token) { return look_up(key, token); },
        {.region = std::move(region), .clock = [this] { return now_; }}};
  }

  std::optional<access::Credentials> look_up(const std::string& key,
                                             const std::string& token) const {
    bool temporary = key == "TEMPORARY/KEY" && token == "session token";
    if (!temporary && (key != kAccessKey || !token.empty())) return std::nullopt;
    access::Credentials found;
    found.access_key = key;
    found.secret_key = kSecret;
    found.session_token = token;
    if (temporary) found.expires = access::Time(kSigned + std::chrono::hours(1));
    found.identity.user = "etl";
    return found;
  }

  static Wire wire(const net::RequestToSign& request, net::Headers headers, std::string body = "",
                   const net::AwsCredentials& credentials = kCredentials,
                   const std::string& region = "us-east-1") {
    net::sign_request(request, credentials, region, kSigned, headers);
    Wire out{std::string(request.method), net::canonical_path(request.path), std::move(body),
             headers.items()};
    if (request.query != nullptr) out.target += "?" + net::canonical_query(*request.query);
    return out;
  }
  // Content whose hash is signed.
  static Wire signed_put(const std::string& content = "Welcome to Amazon S3.") {
    std::string hash = net::sha256_hex(content);
    net::Headers headers;
    headers.add("x-amz-meta-note", "a  b");
    headers.add("Content-Type", "text/plain");
    return wire({"PUT", kHost, "/bucket/a key", nullptr, hash}, headers, content);
  }

  // "" and the content, or the error's name, status and message.
  std::string refused(const Wire& wire, std::string* content = nullptr,
                      const std::string& region = "us-east-1") const {
    try {
      FakeRequest request(wire.method, wire.target, wire.body);
      for (const auto& [name, value] : wire.headers) request.headers.add(name, value);
      Authenticated found = authenticator(region).authenticate(request);
      std::string got, buffer(1000, '\0');
      while (size_t count = found.body->read(buffer.data(), buffer.size())) {
        got.append(buffer, 0, count);
      }
      if (content != nullptr) *content = got;
      return found.credentials.access_key.empty() ? "anonymous" : "";
    } catch (const S3Error& e) {
      last_elements_ = e.elements();
      return fmt::format("{} {}: {}", e.name(), e.status(), e.message());
    } catch (const net::HttpError& e) {
      return "HTTP " + std::to_string(e.status());
    }
  }
  std::string element(const std::string& name) const {
    for (const auto& [key, value] : last_elements_) {
      if (key == name) return value;
    }
    return "";
  }

  static std::string& header(Wire& wire, const std::string& name) {
    for (auto& [key, value] : wire.headers) {
      if (key == name) return value;
    }
    wire.headers.emplace_back(name, "");
    return wire.headers.back().second;
  }
  static void drop(Wire& wire, const std::string& name) {
    std::erase_if(wire.headers, [&](const auto& item) { return item.first == name; });
  }

  std::chrono::system_clock::time_point now_ = kSigned;
  mutable std::vector<std::pair<std::string, std::string>> last_elements_;
};

}  // namespace meesh::serve::s3::signing_test
