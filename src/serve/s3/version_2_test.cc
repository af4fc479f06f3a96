// The signatures were made with botocore's HmacV1QueryAuth.
#include "serve/s3/version_2.h"

#include "serve/s3/signing_test.h"

namespace meesh::serve::s3 {
namespace {

using signing_test::AuthenticationTest;
using signing_test::Wire;
using testing::HasSubstr;

constexpr char kNoMatch[] =
    "SignatureDoesNotMatch 403: The request signature we calculated does not match the signature "
    "you provided. Check your key and signing method.";

std::string url(const std::string& path, const std::string& signature, const std::string& more = "",
                const std::string& expires = "1369357200",
                const std::string& key = "AKIAIOSFODNN7EXAMPLE") {
  return path + "?AWSAccessKeyId=" + key + "&Signature=" + signature + "&Expires=" + expires + more;
}
// GET of /bucket/a%20key.
constexpr char kGet[] = "AL%2BPaPm3Ra4BrHdoIgUiArQg8QE%3D";
// PUT of /bucket/a%20key?acl as text/plain with x-amz-meta-a: 1.
constexpr char kPut[] = "wZc3nxaApYF3RwreN8IpKooGSrI%3D";
// GET with x-amz-security-token: session token.
constexpr char kToken[] = "1RL4luDygFx6e%2BlPs%2FXQK4KiC8k%3D";

class Version2Test : public AuthenticationTest {
 protected:
  std::string get(const std::string& target) const { return refused({"GET", target, "", {}}); }
};

TEST_F(Version2Test, RightUrls) {
  EXPECT_EQ(get(url("/bucket/a%20key", kGet)), "");
  EXPECT_EQ(get(url("/bucket/a%20key", kGet, "&x-id=GetObject")), "");
  std::string content;
  EXPECT_EQ(refused({"PUT",
                     url("/bucket/a%20key", kPut, "&acl"),
                     "content",
                     {{"Content-Type", "text/plain"}, {"x-amz-meta-a", "1"}}},
                    &content),
            "");
  EXPECT_EQ(content, "content");
}

TEST_F(Version2Test, WrongInOneThing) {
  EXPECT_EQ(get(url("/bucket/another", kGet)), kNoMatch);
  EXPECT_EQ(refused({"DELETE", url("/bucket/a%20key", kGet), "", {}}), kNoMatch);
  EXPECT_EQ(refused({"GET", url("/bucket/a%20key", kGet), "", {{"x-amz-meta-a", "1"}}}), kNoMatch);
  EXPECT_EQ(refused({"GET", url("/bucket/a%20key", kGet), "", {{"Content-Type", "a/b"}}}),
            kNoMatch);
  EXPECT_EQ(get(url("/bucket/a%20key", kGet, "", "1369357201")), kNoMatch);
  EXPECT_EQ(get(url("/bucket/a%20key", "")), kNoMatch);
  EXPECT_EQ(get(url("/bucket/a%20key", "BL%2BPaPm3Ra4BrHdoIgUiArQg8QE%3D")), kNoMatch);
  for (const char* more : {"&acl", "&versionId=1", "&retention", "&response-content-type=text/html",
                           "&x-amz-security-token="}) {
    EXPECT_NE(get(url("/bucket/a%20key", kGet, more)), "") << more;
  }
  EXPECT_THAT(get(url("/bucket/a%20key", kGet, "", "1369357200", "AKIAIOSFODNN7EXAMPLF")),
              HasSubstr("InvalidAccessKeyId 403"));
}

// The host is not signed: a URL for one place must not open another one through it.
TEST_F(Version2Test, TheBucketOfAVirtualHostIsSigned) {
  auto opened = [&](std::string_view bucket, const std::string& target) {
    FakeRequest request("GET", target, "");
    try {
      authenticator().authenticate(request, bucket);
      return true;
    } catch (const S3Error&) {
      return false;
    }
  };
  EXPECT_TRUE(opened("", url("/bucket/a%20key", kGet)));
  EXPECT_TRUE(opened("bucket", url("/a%20key", kGet)));
  EXPECT_FALSE(opened("other", url("/bucket/a%20key", kGet)));
  EXPECT_FALSE(opened("other", url("/a%20key", kGet)));
}

TEST_F(Version2Test, Expiry) {
  now_ += std::chrono::hours(1);
  EXPECT_EQ(get(url("/bucket/a%20key", kGet)), "");
  now_ += std::chrono::seconds(1);
  EXPECT_EQ(get(url("/bucket/a%20key", kGet)), "AccessDenied 403: Request has expired");
}

TEST_F(Version2Test, Malformed) {
  for (const char* expires : {"", "x", "-1", "1e9", "99999999999999999999", "253402300800"}) {
    EXPECT_THAT(get(url("/bucket/a%20key", kGet, "", expires)), HasSubstr("AccessDenied 403"));
  }
  EXPECT_THAT(get("/bucket/k?AWSAccessKeyId=A"), HasSubstr("AccessDenied 403"));
  EXPECT_THAT(get("/bucket/k?AWSAccessKeyId=A&Expires=1"), HasSubstr("AccessDenied 403"));
  EXPECT_THAT(get(url("/bucket/a%20key", kGet, "&Expires=1369357200")), HasSubstr("given twice"));
}

TEST_F(Version2Test, Sessions) {
  const std::string key = "TEMPORARY%2FKEY", expires = "1369357200";
  EXPECT_EQ(
      get(url("/bucket/a%20key", kToken, "&x-amz-security-token=session%20token", expires, key)),
      "");
  EXPECT_THAT(get(url("/bucket/a%20key", kToken, "&x-amz-security-token=other", expires, key)),
              HasSubstr("InvalidToken"));
  EXPECT_THAT(get(url("/bucket/a%20key", kToken, "", expires, key)), HasSubstr("403"));
}

TEST_F(Version2Test, NotTogetherWithAnotherSignature) {
  EXPECT_THAT(refused({"GET", url("/bucket/a%20key", kGet), "", {{"Authorization", "x"}}}),
              HasSubstr("Only one auth mechanism"));
  EXPECT_THAT(get(url("/bucket/a%20key", kGet, "&X-Amz-Algorithm=AWS4-HMAC-SHA256")),
              HasSubstr("AuthorizationQueryParametersError"));
  EXPECT_THAT(refused({"PUT",
                       url("/bucket/a%20key", kPut, "&acl"),
                       "content",
                       {{"Content-Type", "text/plain"},
                        {"x-amz-meta-a", "1"},
                        {"x-amz-content-sha256", "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"}}}),
              HasSubstr("40"));
}

TEST(Version2Form, TheSignatureIsOfThePolicy) {
  EXPECT_NO_THROW(check_version_2_form("policy", "DQYKsMXInaBeQ2OuQ0nMglptC1c=", "secret"));
  EXPECT_THROW(check_version_2_form("policy", "DQYKsMXInaBeQ2OuQ0nMglptC1c=", "secret2"), S3Error);
  EXPECT_THROW(check_version_2_form("policy2", "DQYKsMXInaBeQ2OuQ0nMglptC1c=", "secret"), S3Error);
}

}  // namespace
}  // namespace meesh::serve::s3
