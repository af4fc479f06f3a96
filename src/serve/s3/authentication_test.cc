#include <gmock/gmock.h>

#include "serve/s3/signing_test.h"

namespace meesh::serve::s3 {
namespace {

using namespace signing_test;          // NOLINT(build/namespaces)
using namespace std::chrono_literals;  // NOLINT(build/namespaces)
using testing::AnyOf;
using testing::HasSubstr;

TEST_F(AuthenticationTest, SignedPayload) {
  std::string content;
  EXPECT_EQ(refused(signed_put(), &content), "");
  EXPECT_EQ(content, "Welcome to Amazon S3.");
  Wire empty = wire({"GET", kHost, "/", nullptr, net::kEmptySha256}, {});
  EXPECT_EQ(refused(empty), "");
}

TEST_F(AuthenticationTest, SaysWhoItWas) {
  Wire w = signed_put();
  FakeRequest request(w.method, w.target, w.body);
  for (const auto& [name, value] : w.headers) request.headers.add(name, value);
  Authenticated found = authenticator().authenticate(request);
  EXPECT_EQ(found.credentials.identity.user, "etl");
  EXPECT_EQ(found.signature_version, "AWS4-HMAC-SHA256");
  EXPECT_FALSE(found.presigned);
  EXPECT_EQ(found.amz_content_sha256, net::sha256_hex(w.body));
  EXPECT_EQ(found.body->length(), w.body.size());
  EXPECT_EQ(request.bytes_read(), 0u);
}

TEST_F(AuthenticationTest, EveryChangedByteIsNoticed) {
  for (const char* name : {"Authorization", "Host", "x-amz-date", "x-amz-content-sha256"}) {
    Wire w = signed_put();
    std::string& text = header(w, name);
    ASSERT_EQ(refused(w), "");
    for (size_t at = 0; at < text.size(); ++at) {
      text[at] = static_cast<char>(text[at] ^ 1);
      std::string answer = refused(w);
      ASSERT_TRUE(answer != "" && answer != "anonymous") << name << ": " << text;
      text[at] = static_cast<char>(text[at] ^ 1);
    }
  }
  Wire w = signed_put();
  for (std::string* text : {&w.method, &w.target, &w.body, &header(w, "x-amz-meta-note")}) {
    for (size_t at = 0; at < text->size(); ++at) {
      // Two spaces count as one.
      if ((*text)[at] == ' ') continue;
      (*text)[at] = static_cast<char>((*text)[at] ^ 1);
      ASSERT_NE(refused(w), "") << *text;
      (*text)[at] = static_cast<char>((*text)[at] ^ 1);
    }
  }
  ASSERT_EQ(refused(w), "");
}

TEST_F(AuthenticationTest, WrongSecretTellsTheCanonicalRequest) {
  net::AwsCredentials wrong = kCredentials;
  wrong.secret_key.back() = 'z';
  const Parameters query = {{"prefix", "a b"}};
  Wire w = wire({"GET", kHost, "/bucket/", &query, net::kEmptySha256}, {}, "", wrong);
  EXPECT_THAT(refused(w), HasSubstr("SignatureDoesNotMatch 403: The request signature we "
                                    "calculated does not match"));
  EXPECT_EQ(element("AWSAccessKeyId"), kAccessKey);
  EXPECT_EQ(element("CanonicalRequest"),
            "GET\n/bucket/\nprefix=a%20b\nhost:localhost:9000\nx-amz-content-sha256:" +
                std::string(net::kEmptySha256) + "\nx-amz-date:20130524T000000Z\n\n" +
                "host;x-amz-content-sha256;x-amz-date\n" + std::string(net::kEmptySha256));
  EXPECT_THAT(element("StringToSign"), HasSubstr("20130524/us-east-1/s3/aws4_request"));
  EXPECT_EQ(element("SignatureProvided").size(), 64u);
  EXPECT_THAT(element("CanonicalRequest") + element("StringToSign"),
              testing::Not(HasSubstr(kSecret)));
}

TEST_F(AuthenticationTest, UnsignedPayload) {
  Wire w = wire({"PUT", kHost, "/bucket/k", nullptr, net::kUnsignedPayload}, {}, "anything");
  std::string content;
  EXPECT_EQ(refused(w, &content), "");
  EXPECT_EQ(content, "anything");
  w.body = "other";
  EXPECT_EQ(refused(w, &content), "");
  header(w, "x-amz-content-sha256") = net::sha256_hex("other");
  EXPECT_THAT(refused(w), HasSubstr("SignatureDoesNotMatch"));
}

Wire signed_stream(bool trailer, const std::string& content,
                   const std::string& path = "/bucket/stream") {
  const net::SigningScope scope = {"20130524", "us-east-1", "s3"};
  net::Headers headers;
  headers.add("Content-Encoding", "aws-chunked");
  headers.add("x-amz-decoded-content-length", std::to_string(content.size()));
  if (trailer) headers.add("x-amz-trailer", "x-amz-checksum-crc32");
  std::string hash =
      trailer ? "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER" : "STREAMING-AWS4-HMAC-SHA256-PAYLOAD";
  net::sign_request({"PUT", kHost, path, nullptr, hash}, kCredentials, "us-east-1", kSigned,
                    headers);
  std::string authorization(*headers.get("Authorization"));
  std::string previous = authorization.substr(authorization.find("Signature=") + 10);
  const std::string key = net::signing_key(kSecret, scope);
  Wire w{"PUT", path, "", headers.items()};
  for (const std::string& chunk : {content, std::string()}) {
    previous = net::chunk_signature(key, kTimestamp, scope, previous, net::sha256_hex(chunk));
    w.body += fmt::format("{:x};chunk-signature={}\r\n{}", chunk.size(), previous, chunk);
    if (!chunk.empty()) w.body += "\r\n";
  }
  if (trailer) {
    std::string line = "x-amz-checksum-crc32:NhCmhg==";
    w.body +=
        line + "\r\nx-amz-trailer-signature:" +
        net::trailer_signature(key, kTimestamp, scope, previous, net::sha256_hex(line + "\n")) +
        "\r\n";
  }
  w.body += "\r\n";
  return w;
}

TEST_F(AuthenticationTest, SignedStreams) {
  for (bool trailer : {false, true}) {
    Wire w = signed_stream(trailer, "hello");
    std::string content;
    EXPECT_EQ(refused(w, &content), "");
    EXPECT_EQ(content, "hello");
    std::string* body = &w.body;
    for (size_t at = 0; at < body->size(); ++at) {
      (*body)[at] = static_cast<char>((*body)[at] ^ 1);
      ASSERT_NE(refused(w), "") << at;
      (*body)[at] = static_cast<char>((*body)[at] ^ 1);
    }
    // Another request's body does not fit, though its own chain is right.
    Wire other = signed_stream(trailer, "hallo", "/bucket/other");
    std::swap(w.body, other.body);
    EXPECT_THAT(refused(w), HasSubstr("SignatureDoesNotMatch 403"));
    // Nor does one that calls itself unsigned.
    header(w, "x-amz-content-sha256") = "STREAMING-UNSIGNED-PAYLOAD-TRAILER";
    EXPECT_THAT(refused(w), HasSubstr("SignatureDoesNotMatch 403"));
  }
}

TEST_F(AuthenticationTest, UnsignedStreamWithTrailer) {
  net::Headers headers;
  headers.add("Content-Encoding", "aws-chunked");
  headers.add("x-amz-decoded-content-length", "5");
  headers.add("x-amz-trailer", "x-amz-checksum-crc32");
  Wire w = wire({"PUT", kHost, "/b/k", nullptr, "STREAMING-UNSIGNED-PAYLOAD-TRAILER"}, headers,
                "5\r\nhello\r\n0\r\nx-amz-checksum-crc32:NhCmhg==\r\n\r\n");
  FakeRequest request(w.method, w.target, w.body);
  for (const auto& [name, value] : w.headers) request.headers.add(name, value);
  Authenticated found = authenticator().authenticate(request);
  EXPECT_EQ(found.body->length(), 5u);
  char buffer[100];
  EXPECT_EQ(found.body->read(buffer, 100), 4u);
  EXPECT_EQ(found.body->read(buffer, 100), 1u);
  EXPECT_EQ(found.body->read(buffer, 100), 0u);
  EXPECT_EQ(found.body->trailers().at(objects::ChecksumKind::kCrc32), "NhCmhg==");
}

TEST_F(AuthenticationTest, StreamsNeedTheirHeaders) {
  auto stream = [&](const Parameters& extra) {
    net::Headers headers;
    for (const auto& [name, value] : extra) headers.add(name, value);
    return refused(wire({"PUT", kHost, "/b/k", nullptr, "STREAMING-UNSIGNED-PAYLOAD-TRAILER"},
                        headers, "0\r\n\r\n"));
  };
  EXPECT_THAT(stream({}), HasSubstr("MissingContentLength 411"));
  EXPECT_EQ(stream({{"x-amz-decoded-content-length", "0"}}), "");
  for (const char* bad : {"x", "-1", "1 ", "99999999999999999999", "0x1"}) {
    EXPECT_THAT(stream({{"x-amz-decoded-content-length", bad}}), HasSubstr("InvalidArgument 400"))
        << bad;
  }
  for (const char* bad : {"x-amz-meta-a", "x-amz-checksum-crc32,x-amz-checksum-crc32", "etag"}) {
    EXPECT_THAT(stream({{"x-amz-decoded-content-length", "0"}, {"x-amz-trailer", bad}}),
                HasSubstr("InvalidRequest 400: The value specified in the x-amz-trailer"))
        << bad;
  }
  Wire w = signed_stream(false, "x");
  header(w, "x-amz-trailer") = "x-amz-checksum-crc32";
  EXPECT_THAT(refused(w), HasSubstr("AccessDenied 403: There were headers"));
}

TEST_F(AuthenticationTest, PayloadHashHeader) {
  Wire w = signed_put();
  drop(w, "x-amz-content-sha256");
  EXPECT_THAT(refused(w), HasSubstr("InvalidRequest 400: Missing required header"));
  for (const char* bad : {"", "UNSIGNED", "e3b0", "STREAMING-AWS4-HMAC-SHA256"}) {
    header(w, "x-amz-content-sha256") = bad;
    EXPECT_THAT(refused(w), AnyOf(HasSubstr("InvalidArgument 400"), HasSubstr("InvalidRequest")));
  }
  header(w, "x-amz-content-sha256") = "STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD";
  EXPECT_THAT(refused(w), HasSubstr("NotImplemented 501"));
  Wire other = signed_put();
  other.body = "Welcome to Amazon S4.";
  EXPECT_THAT(refused(other), HasSubstr("XAmzContentSHA256Mismatch 400"));
  EXPECT_EQ(element("ClientComputedContentSHA256"), net::sha256_hex("Welcome to Amazon S3."));
  EXPECT_EQ(element("S3ComputedContentSHA256"), net::sha256_hex(other.body));
}

TEST_F(AuthenticationTest, ClockSkewAndReplay) {
  const Wire w = signed_put();
  for (auto offset : {0s, 899s, 900s, -899s, -900s}) {
    now_ = kSigned + offset;
    EXPECT_EQ(refused(w), "") << offset.count();
  }
  for (auto offset : {901s, -901s, 86400s, -86400s}) {
    now_ = kSigned + offset;
    EXPECT_THAT(refused(w), HasSubstr("RequestTimeTooSkewed 403: The difference between the "
                                      "request time and the current time is too large."));
    EXPECT_EQ(element("RequestTime"), kTimestamp);
    EXPECT_EQ(element("MaxAllowedSkewMilliseconds"), "900000");
  }
  now_ = kSigned + 24h;
  refused(w);
  EXPECT_EQ(element("ServerTime"), "2013-05-25T00:00:00Z");
}

TEST_F(AuthenticationTest, Presigned) {
  for (const char* method : {"GET", "PUT"}) {
    const Parameters query = {{"response-content-type", "text/csv; x"}};
    Wire w{method,
           net::presigned_target({method, kHost, "/bucket/a key+é", &query, ""}, kCredentials,
                                 "us-east-1", 1h, kSigned),
           "body",
           {{"Host", kHost}}};
    std::string content;
    EXPECT_EQ(refused(w, &content), "");
    EXPECT_EQ(content, "body");
    for (size_t at = 0; at < w.target.size(); ++at) {
      Wire changed = w;
      changed.target[at] = static_cast<char>(changed.target[at] ^ 1);
      // Without its question mark it is a request that nobody signed.
      ASSERT_EQ(refused(changed) == "anonymous", w.target[at] == '?') << changed.target;
      ASSERT_NE(refused(changed), "") << changed.target;
    }
    header(w, "Host") = "localhost:9001";
    EXPECT_THAT(refused(w), HasSubstr("SignatureDoesNotMatch"));
    header(w, "Host") = kHost;
    w.method = w.method == "GET" ? "PUT" : "GET";
    EXPECT_THAT(refused(w), HasSubstr("SignatureDoesNotMatch"));
  }
}

TEST_F(AuthenticationTest, PresignedExpires) {
  Wire w{"GET",
         net::presigned_target({"GET", kHost, "/b/k", nullptr, ""}, kCredentials, "us-east-1",
                               3600s, kSigned),
         "",
         {{"Host", kHost}}};
  for (auto offset : {0s, 3600s, -900s}) {
    now_ = kSigned + offset;
    EXPECT_EQ(refused(w), "");
  }
  now_ = kSigned + 3601s;
  EXPECT_EQ(refused(w), "AccessDenied 403: Request has expired");
  EXPECT_EQ(element("X-Amz-Expires"), "3600");
  EXPECT_EQ(element("Expires"), "2013-05-24T01:00:00Z");
  now_ = kSigned - 901s;
  EXPECT_EQ(refused(w), "AccessDenied 403: Request is not valid yet");
}

TEST_F(AuthenticationTest, PresignedForNoTimeOrTooMuch) {
  auto lasting = [](std::chrono::seconds lifetime) {
    return Wire{"GET",
                net::presigned_target({"GET", kHost, "/b/k", nullptr, ""}, kCredentials,
                                      "us-east-1", lifetime, kSigned),
                "",
                {{"Host", kHost}}};
  };
  now_ = kSigned;
  EXPECT_EQ(refused(lasting(0s)), "AccessDenied 403: Request has expired");
  EXPECT_EQ(refused(lasting(1s)), "");
  EXPECT_EQ(refused(lasting(604800s)), "");
  EXPECT_THAT(refused(lasting(604801s)), HasSubstr("AuthorizationQueryParametersError 400"));
}

TEST_F(AuthenticationTest, PresignedParameters) {
  auto with_lifetime = [&](std::chrono::seconds lifetime) {
    return refused({"GET",
                    net::presigned_target({"GET", kHost, "/b/k", nullptr, ""}, kCredentials,
                                          "us-east-1", lifetime, kSigned),
                    "",
                    {{"Host", kHost}}});
  };
  EXPECT_EQ(with_lifetime(604800s), "");
  EXPECT_THAT(with_lifetime(604801s), HasSubstr("AuthorizationQueryParametersError 400"));
  EXPECT_THAT(with_lifetime(-1s), HasSubstr("non-negative"));
  const std::string right = net::presigned_target({"GET", kHost, "/b/k", nullptr, ""}, kCredentials,
                                                  "us-east-1", 60s, kSigned);
  auto replaced = [&](const std::string& from, const std::string& to) {
    std::string target = right;
    target.replace(target.find(from), from.size(), to);
    return refused({"GET", target, "", {{"Host", kHost}}});
  };
  for (const char* parameter : {"X-Amz-Algorithm=AWS4-HMAC-SHA256&", "X-Amz-Date=20130524T000000Z&",
                                "X-Amz-Expires=60&", "X-Amz-SignedHeaders=host&"}) {
    EXPECT_THAT(replaced(parameter, ""), HasSubstr("AuthorizationQueryParametersError 400"));
    EXPECT_THAT(replaced(parameter, std::string(parameter) + parameter), HasSubstr("given twice"));
  }
  EXPECT_THAT(replaced("Expires=60", "Expires=6x"), HasSubstr("should be a number"));
  EXPECT_THAT(replaced("Expires=60", "Expires="), HasSubstr("should be a number"));
  EXPECT_THAT(replaced("Algorithm=AWS4-HMAC-SHA256", "Algorithm=AWS4-HMAC-SHA512"),
              HasSubstr("only supports"));
  EXPECT_THAT(replaced("20130524T000000Z", "20130524"), HasSubstr("ISO8601"));
  EXPECT_THAT(replaced("20130524T000000Z", "20130525T000000Z"),
              HasSubstr("Invalid credential date"));
  EXPECT_THAT(replaced("SignedHeaders=host", "SignedHeaders=host%0A"), HasSubstr("SignedHeaders"));
  EXPECT_THAT(replaced("aws4_request", "aws5_request"), HasSubstr("mal-formed"));
  // A header that says something to S3 must be signed too.
  EXPECT_THAT(refused({"GET", right, "", {{"Host", kHost}, {"x-amz-acl", "public-read"}}}),
              HasSubstr("AccessDenied 403: There were headers"));
  // Two ways at once.
  Wire both = wire({"GET", kHost, "/b/k", nullptr, net::kEmptySha256}, {});
  both.target = right;
  EXPECT_THAT(refused(both), HasSubstr("InvalidArgument 400: Only one auth mechanism allowed"));
}

TEST_F(AuthenticationTest, OurPresigner) {
  access::Credentials credentials;
  credentials.access_key = kAccessKey;
  credentials.secret_key = kSecret;
  const std::pair<const char*, const char*> endpoints[] = {
      {"http://localhost:9000", kHost},
      {"http://lake.example:80/", "lake.example"},
      {"https://lake.example:443", "lake.example"},
      {"https://lake.example", "lake.example"}};
  for (const auto& [endpoint, host] : endpoints) {
    std::string url = presign("PUT", endpoint, "/datalake/raw/a b.csv", {{"versionId", "null"}},
                              credentials, "us-east-1", 60s, kSigned);
    std::string target = url.substr(url.find('/', 8));
    std::string_view origin = endpoint;
    origin = origin.substr(0, origin.find('/', 8));
    EXPECT_THAT(url, testing::StartsWith(std::string(origin) + "/datalake/raw/a%20b.csv?"));
    EXPECT_EQ(refused({"PUT", target, "x", {{"Host", host}}}), "") << url;
  }
  EXPECT_THROW(presign("GET", "localhost:9000", "/", {}, credentials, "us-east-1", 60s, kSigned),
               Error);
}

TEST_F(AuthenticationTest, TemporaryCredentials) {
  const net::AwsCredentials temporary = {"TEMPORARY/KEY", kSecret, "session token"};
  const Wire right = wire({"GET", kHost, "/", nullptr, net::kEmptySha256}, {}, "", temporary);
  EXPECT_EQ(refused(right), "");
  Wire w = right;
  drop(w, "x-amz-security-token");
  EXPECT_THAT(refused(w), HasSubstr("InvalidAccessKeyId 403"));
  header(w, "x-amz-security-token") = "another token";
  EXPECT_THAT(refused(w), HasSubstr("InvalidToken 400"));
  Wire url{"GET",
           net::presigned_target({"GET", kHost, "/b/k", nullptr, ""}, temporary, "us-east-1", 24h,
                                 kSigned),
           "",
           {{"Host", kHost}}};
  EXPECT_EQ(refused(url), "");
  now_ = kSigned + 1h;
  EXPECT_THAT(refused(url), HasSubstr("ExpiredToken 400: The provided token has expired."));
  // A token that is not signed along could be changed.
  now_ = kSigned;
  net::Headers headers;
  net::sign_request({"GET", kHost, "/", nullptr, net::kEmptySha256}, {"TEMPORARY/KEY", kSecret, ""},
                    "us-east-1", kSigned, headers);
  headers.add("x-amz-security-token", "session token");
  EXPECT_THAT(refused({"GET", "/", "", headers.items()}), HasSubstr("not signed"));
}

TEST_F(AuthenticationTest, UnknownKey) {
  EXPECT_THAT(refused(wire({"GET", kHost, "/", nullptr, net::kEmptySha256}, {}, "",
                           {"AKIAIOSFODNN7EXAMPLF", kSecret, ""})),
              HasSubstr("InvalidAccessKeyId 403"));
  EXPECT_EQ(element("AWSAccessKeyId"), "AKIAIOSFODNN7EXAMPLF");
}

TEST_F(AuthenticationTest, Scope) {
  auto in_region = [&](const std::string& signed_for, const std::string& ours) {
    return refused(
        wire({"GET", kHost, "/", nullptr, net::kEmptySha256}, {}, "", kCredentials, signed_for),
        nullptr, ours);
  };
  EXPECT_EQ(in_region("eu-west-3", "eu-west-3"), "");
  EXPECT_EQ(in_region("us-east-1", "eu-west-3"), "");
  EXPECT_EQ(in_region("eu-west-1", "eu-west-3"),
            "AuthorizationHeaderMalformed 400: The authorization header is malformed; the region "
            "'eu-west-1' is wrong; expecting 'eu-west-3'");
  EXPECT_EQ(element("Region"), "eu-west-3");
  Wire w = signed_put();
  std::string& text = header(w, "Authorization");
  text.replace(text.find("/s3/"), 4, "/ec2/");
  EXPECT_THAT(refused(w), HasSubstr("incorrect service"));
  text.replace(text.find("/ec2/"), 5, "/sts/");
  EXPECT_THAT(refused(w), HasSubstr("incorrect service"));
}

// STS clients sign the body's hash without a header that tells it.
TEST_F(AuthenticationTest, CallsToSts) {
  const std::string body = "Action=AssumeRole&Version=2011-06-15";
  const net::SigningScope scope = {"20130524", "us-east-1", "sts"};
  auto call = [&](const std::string& path, const std::string& sent) {
    net::CanonicalParts parts{"POST",
                              path,
                              "",
                              {{"content-type", "application/x-www-form-urlencoded"},
                               {"host", kHost},
                               {"x-amz-date", kTimestamp}},
                              {}};
    std::string hash = net::sha256_hex(body);
    parts.payload_hash = hash;
    std::string signature =
        net::sign(net::signing_key(kSecret, scope),
                  net::string_to_sign(kTimestamp, scope, net::canonical_request(parts)));
    return Wire{"POST",
                path,
                sent,
                {{"Host", kHost},
                 {"Content-Type", "application/x-www-form-urlencoded"},
                 {"X-Amz-Date", kTimestamp},
                 {"Authorization",
                  fmt::format("AWS4-HMAC-SHA256 Credential={}/{}, SignedHeaders=content-type;host;"
                              "x-amz-date, Signature={}",
                              kAccessKey, scope.text(), signature)}}};
  };
  std::string content;
  EXPECT_EQ(refused(call("/", body), &content), "");
  EXPECT_EQ(content, body);
  EXPECT_THAT(refused(call("/", body + "&x")), HasSubstr("SignatureDoesNotMatch"));
  EXPECT_THAT(refused(call("/bucket", body)), HasSubstr("incorrect service"));
  EXPECT_THAT(refused(call("/", std::string(70000, 'x'))), HasSubstr("EntityTooLarge"));
}

}  // namespace
}  // namespace meesh::serve::s3
