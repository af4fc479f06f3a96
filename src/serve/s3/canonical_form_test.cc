#include <gmock/gmock.h>

#include "serve/s3/signing_test.h"

namespace meesh::serve::s3 {
namespace {

using namespace signing_test;  // NOLINT(build/namespaces)
using testing::AllOf;
using testing::HasSubstr;

class CanonicalFormTest : public AuthenticationTest {};

TEST_F(CanonicalFormTest, HeadersThatMustBeSigned) {
  Wire w = signed_put();
  header(w, "x-amz-acl") = "public-read";
  EXPECT_EQ(refused(w),
            "AccessDenied 403: There were headers present in the request which were not signed");
  EXPECT_EQ(element("HeadersNotSigned"), "x-amz-acl");
  drop(w, "x-amz-acl");
  header(w, "X-AMZ-Tagging") = "a=b";
  refused(w);
  EXPECT_EQ(element("HeadersNotSigned"), "x-amz-tagging");
  // Others may be added on the way.
  Wire proxied = signed_put();
  header(proxied, "X-Forwarded-For") = "10.0.0.1";
  header(proxied, "Content-Type") = "text/csv";
  EXPECT_EQ(refused(proxied), "");
  // A signed header that is gone.
  Wire gone = signed_put();
  drop(gone, "x-amz-meta-note");
  EXPECT_THAT(refused(gone), HasSubstr("SignatureDoesNotMatch"));
  Wire twice = signed_put();
  twice.headers.emplace_back("x-amz-meta-note", "more");
  EXPECT_THAT(refused(twice), HasSubstr("SignatureDoesNotMatch"));
  for (const char* name : {"x-amz-date", "x-amz-content-sha256", "Authorization"}) {
    Wire doubled = signed_put();
    doubled.headers.emplace_back(name, header(doubled, name));
    EXPECT_THAT(refused(doubled), HasSubstr("was given twice")) << name;
  }
}

// Signs by hand what net::sign_request would not write.
Wire by_hand(const std::string& target, const std::string& path, const std::string& query,
             const Parameters& headers, const Parameters& canonical_headers,
             const std::string& separator = ", ") {
  const net::SigningScope scope = {"20130524", "us-east-1", "s3"};
  std::string hash(net::kEmptySha256);
  net::CanonicalParts parts{"GET", path, query, canonical_headers, hash};
  std::string signature =
      net::sign(net::signing_key(kSecret, scope),
                net::string_to_sign(kTimestamp, scope, net::canonical_request(parts)));
  Wire w{"GET", target, "", headers};
  w.headers.emplace_back("Authorization",
                         fmt::format("AWS4-HMAC-SHA256 Credential={}/{}{}SignedHeaders={}{}"
                                     "Signature={}",
                                     kAccessKey, scope.text(), separator,
                                     net::signed_header_names(parts), separator, signature));
  return w;
}

TEST_F(CanonicalFormTest, SpacesAndDuplicatesAsTheReferenceSays) {
  const std::string hash(net::kEmptySha256);
  const Parameters sent = {{"Host", kHost},
                           {"X-Amz-Date", kTimestamp},
                           {"X-Amz-Content-SHA256", hash},
                           {"X-Amz-Meta-A", "  one \t two  "},
                           {"x-amz-meta-a", "three"},
                           {"x-amz-meta-empty", ""}};
  const Parameters canonical = {{"host", kHost},
                                {"x-amz-content-sha256", hash},
                                {"x-amz-date", kTimestamp},
                                {"x-amz-meta-a", "one two,three"},
                                {"x-amz-meta-empty", ""}};
  for (const char* separator : {", ", ",", " ,  "}) {
    EXPECT_EQ(refused(by_hand("/b/k", "/b/k", "", sent, canonical, separator)), "") << separator;
  }
}

TEST_F(CanonicalFormTest, PathAndQueryAsClientsWriteThem) {
  const std::string hash(net::kEmptySha256);
  const Parameters sent = {
      {"Host", kHost}, {"x-amz-date", kTimestamp}, {"x-amz-content-sha256", hash}};
  const Parameters canonical = {
      {"host", kHost}, {"x-amz-content-sha256", hash}, {"x-amz-date", kTimestamp}};
  auto answer = [&](const std::string& target, const std::string& path, const std::string& query) {
    return refused(by_hand(target, path, query, sent, canonical));
  };
  struct Case {
    const char *target, *path, *query;
  };
  const Case right[] = {
      {"/b/a%20b", "/b/a%20b", ""},
      {"/b/a%2bb%c3%a9", "/b/a%2Bb%C3%A9", ""},  // lower-case digits on the wire
      {"/b/(a)!*'", "/b/%28a%29%21%2A%27", ""},  // sent bare, signed encoded
      {"/b/(a)!*'", "/b/(a)!*'", ""},            // sent and signed bare
      {"/b/a%2Fb", "/b/a/b", ""},
      {"/b/a%2Fb", "/b/a%2Fb", ""},
      {"/b//a/../c/./", "/b//a/../c/./", ""},  // nothing is normalised
      {"/b?z=1&a=2&a=1&a", "/b", "a=&a=1&a=2&z=1"},
      {"/b?prefix=a%20b%2F", "/b", "prefix=a%20b%2F"},
      {"/b?prefix=a+b/", "/b", "prefix=a%20b%2F"},
      {"/b?prefix=a+b/", "/b", "prefix=a+b/"},
      {"/b?uploads", "/b", "uploads="},
      {"/b?uploads&&", "/b", "uploads="},
  };
  for (const Case& c : right) {
    EXPECT_EQ(answer(c.target, c.path, c.query), "") << c.target << " signed as " << c.path;
  }
  const Case wrong[] = {
      {"/b/a%252Fb", "/b/a/b", ""},  {"/b/a", "/b/A", ""}, {"/b/a/", "/b/a", ""},
      {"/b?a=1&a=2", "/b", "a=1"},   {"/b?a=1", "/b", ""}, {"/b?a=1%26b=2", "/b", "a=1&b=2"},
      {"/b/c%3Fa=1", "/b/c", "a=1"}, {"/b", "/b", "acl="}, {"/b?a=%2B", "/b", "a=%20"},
  };
  for (const Case& c : wrong) {
    EXPECT_THAT(answer(c.target, c.path, c.query), HasSubstr("SignatureDoesNotMatch")) << c.target;
  }
}

TEST_F(CanonicalFormTest, DatesInTheDateHeader) {
  const std::string hash(net::kEmptySha256);
  for (const char* date : {"Fri, 24 May 2013 00:00:00 GMT", kTimestamp}) {
    EXPECT_EQ(refused(by_hand("/", "/", "",
                              {{"Host", kHost}, {"Date", date}, {"x-amz-content-sha256", hash}},
                              {{"date", date}, {"host", kHost}, {"x-amz-content-sha256", hash}})),
              "")
        << date;
  }
  for (const char* bad : {"", "yesterday", "Fri, 24 Foo 2013 00:00:00 GMT",
                          "Fri, 24 May 2013 00:00:00 CET", "Fri, xx May 2013 00:00:00 GMT"}) {
    Wire w = signed_put();
    drop(w, "x-amz-date");
    header(w, "Date") = bad;
    EXPECT_EQ(refused(w),
              "AccessDenied 403: AWS authentication requires a valid Date or x-amz-date header");
  }
}

TEST_F(CanonicalFormTest, OtherMechanisms) {
  EXPECT_THAT(
      refused({"GET", "/", "", {{"Authorization", "AWS AKID:frJIUN8DYpKDtOLCwo//yllqDzg="}}}),
      AllOf(HasSubstr("InvalidRequest 400"), HasSubstr("Please use AWS4-HMAC-SHA256")));
  EXPECT_THAT(refused({"GET", "/", "", {{"Authorization", "AWS4-ECDSA-P256-SHA256 Credential=…"}}}),
              HasSubstr("Please use AWS4-HMAC-SHA256"));
  for (const char* other : {"Basic dXNlcjpwYXNz", "Bearer secret-token", "x"}) {
    std::string answer = refused({"GET", "/", "", {{"Authorization", other}}});
    EXPECT_EQ(answer, "InvalidArgument 400: Unsupported Authorization Type");
    for (const auto& [name, value] : last_elements_) EXPECT_NE(value, other);
  }
}

TEST_F(CanonicalFormTest, MalformedAuthorization) {
  const std::string credential = "Credential=AK/20130524/us-east-1/s3/aws4_request";
  const std::string headers = "SignedHeaders=host;x-amz-date";
  const std::string signature = "Signature=" + std::string(64, 'a');
  const std::string bad[] = {
      "",
      " ",
      " x",
      " " + credential,
      " " + credential + "," + headers,
      " " + credential + "," + signature,
      " " + headers + "," + signature,
      " " + credential + "," + headers + "," + signature + ",x=y",
      " " + credential + "," + credential + "," + headers + "," + signature,
      " " + credential + "," + headers + "," + signature + ",",
      " " + credential + ",SignedHeaders=," + signature,
      " " + credential + ",SignedHeaders=host;host," + signature,
      " " + credential + ",SignedHeaders=Host," + signature,
      " " + credential + ",SignedHeaders=host;," + signature,
      " " + credential + "," + headers + ",Signature=",
      " " + credential + "," + headers + ",Signature=" + std::string(64, 'A'),
      " " + credential + "," + headers + ",Signature=" + std::string(65, 'a'),
      " Credential=," + headers + "," + signature,
      " Credential=/20130524/us-east-1/s3/aws4_request," + headers + "," + signature,
      " Credential=AK/2013052/us-east-1/s3/aws4_request," + headers + "," + signature,
      " Credential=AK/20130524//s3/aws4_request," + headers + "," + signature,
      " Credential=AK/20130524/us-east-1/s3," + headers + "," + signature,
      " Credential=AK/20130523/us-east-1/s3/aws4_request," + headers + "," + signature,
  };
  for (const std::string& text : bad) {
    Wire w = signed_put();
    header(w, "Authorization") = "AWS4-HMAC-SHA256" + text;
    EXPECT_THAT(refused(w), HasSubstr("AuthorizationHeaderMalformed 400")) << text;
  }
}

TEST_F(CanonicalFormTest, Anonymous) {
  std::string content;
  EXPECT_EQ(refused({"PUT", "/b/k", "hello", {{"Host", kHost}}}, &content), "anonymous");
  EXPECT_EQ(content, "hello");
  EXPECT_EQ(refused({"PUT",
                     "/b/k",
                     "5\r\nhello\r\n0\r\nx-amz-checksum-crc32:NhCmhg==\r\n\r\n",
                     {{"x-amz-content-sha256", "STREAMING-UNSIGNED-PAYLOAD-TRAILER"},
                      {"x-amz-decoded-content-length", "5"},
                      {"x-amz-trailer", "x-amz-checksum-crc32"}}},
                    &content),
            "anonymous");
  EXPECT_EQ(content, "hello");
  EXPECT_THAT(refused({"PUT",
                       "/b/k",
                       "0\r\n\r\n",
                       {{"x-amz-content-sha256", "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"},
                        {"x-amz-decoded-content-length", "0"}}}),
              HasSubstr("InvalidRequest"));
}

TEST_F(CanonicalFormTest, BodiesThatHttpCutsShort) {
  const std::pair<int, const char*> cases[] = {
      {400, "IncompleteBody"}, {408, "RequestTimeout"}, {413, "EntityTooLarge"}};
  for (const auto& [status, name] : cases) {
    FakeRequest request("PUT", "/b/k", "hell");
    request.cut_short = status;
    Authenticated found = authenticator().authenticate(request);
    char buffer[100];
    EXPECT_EQ(found.body->read(buffer, 100), 4u);
    try {
      found.body->read(buffer, 100);
      FAIL() << "accepted";
    } catch (const S3Error& e) {
      EXPECT_EQ(e.name(), name);
    }
  }
}

}  // namespace
}  // namespace meesh::serve::s3
