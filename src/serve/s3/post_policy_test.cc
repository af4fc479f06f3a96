#include "serve/s3/post_policy.h"

#include <gmock/gmock.h>

#include "base/text.h"
#include "net/aws_signature.h"
#include "objects/checksum.h"
#include "serve/s3/authentication.h"
#include "serve/s3/error.h"

namespace meesh::serve::s3 {
namespace {

using testing::HasSubstr;
using Fields = std::map<std::string, std::string>;

constexpr char kAccessKey[] = "AKIAIOSFODNN7EXAMPLE";
constexpr char kSecret[] = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
constexpr char kBucket[] = "sigv4examplebucket";

// The example of "Browser-Based Upload using HTTP POST", as the reference has it.
constexpr char kPolicy[] =
    "{ \"expiration\": \"2015-12-30T12:00:00.000Z\",\r\n  \"conditions\": [\r\n"
    "    {\"bucket\": \"sigv4examplebucket\"},\r\n"
    "    [\"starts-with\", \"$key\", \"user/user1/\"],\r\n"
    "    {\"acl\": \"public-read\"},\r\n"
    "    {\"success_action_redirect\": "
    "\"http://sigv4examplebucket.s3.amazonaws.com/successful_upload.html\"},\r\n"
    "    [\"starts-with\", \"$Content-Type\", \"image/\"],\r\n"
    "    {\"x-amz-meta-uuid\": \"14365123651274\"},\r\n"
    "    {\"x-amz-server-side-encryption\": \"AES256\"},\r\n"
    "    [\"starts-with\", \"$x-amz-meta-tag\", \"\"],\r\n\r\n"
    "    {\"x-amz-credential\": \"AKIAIOSFODNN7EXAMPLE/20151229/us-east-1/s3/aws4_request\"},\r\n"
    "    {\"x-amz-algorithm\": \"AWS4-HMAC-SHA256\"},\r\n"
    "    {\"x-amz-date\": \"20151229T000000Z\" }\r\n  ]\r\n}";
constexpr char kSignature[] = "8afdbf4008c03f22c2cd3cdb72e4afbb1f6a588f3255ac628749a66d7f09699e";

Fields example() {
  return {{"key", "user/user1/picture.jpg"},
          {"acl", "public-read"},
          {"success_action_redirect",
           "http://sigv4examplebucket.s3.amazonaws.com/successful_upload.html"},
          {"content-type", "image/jpeg"},
          {"x-amz-meta-uuid", "14365123651274"},
          {"x-amz-server-side-encryption", "AES256"},
          {"x-amz-credential", "AKIAIOSFODNN7EXAMPLE/20151229/us-east-1/s3/aws4_request"},
          {"x-amz-algorithm", "AWS4-HMAC-SHA256"},
          {"x-amz-date", "20151229T000000Z"},
          {"x-amz-meta-tag", ""},
          {"policy", base::to_base64(kPolicy)},
          {"x-amz-signature", kSignature}};
}

// Policies of our own, signed.
Fields with_policy(const std::string& policy, Fields fields) {
  std::string encoded = base::to_base64(policy);
  net::SigningScope scope = {"20151229", "us-east-1", "s3"};
  fields["x-amz-credential"] = std::string(kAccessKey) + "/" + scope.text();
  fields["x-amz-algorithm"] = "AWS4-HMAC-SHA256";
  fields["x-amz-date"] = "20151229T000000Z";
  fields["policy"] = encoded;
  fields["x-amz-signature"] = net::sign(net::signing_key(kSecret, scope), encoded);
  return fields;
}

// With the conditions every form needs.
std::string policy_of(const std::string& conditions) {
  return R"({"expiration": "2015-12-30T12:00:00Z", "conditions": [{"bucket": "sigv4examplebucket"},
      ["starts-with", "$x-amz-credential", ""], ["starts-with", "$x-amz-algorithm", ""],
      ["starts-with", "$x-amz-date", ""])" +
         (conditions.empty() ? "" : ", " + conditions) + "]}";
}

class PostPolicyTest : public testing::Test {
 protected:
  Authenticator authenticator() const {
    return {
        [](const std::string& key, const std::string& token) -> std::optional<access::Credentials> {
          if (key != kAccessKey || (!token.empty() && token != "token")) return std::nullopt;
          access::Credentials found;
          found.access_key = key;
          found.secret_key = kSecret;
          found.session_token = token;
          return found;
        },
        {.clock = [this] { return now_; }}};
  }
  // "" or the error's name and message.
  std::string refused(const Fields& fields, const std::string& bucket = kBucket) const {
    try {
      authenticator().check_post_policy(fields, bucket);
      return "";
    } catch (const S3Error& e) {
      return fmt::format("{} {}: {}", e.name(), e.status(), e.message());
    }
  }

  std::chrono::system_clock::time_point now_ = *net::parse_amz_timestamp("20151229T000500Z");
};

TEST_F(PostPolicyTest, TheExampleOfTheReference) {
  auto checked = authenticator().check_post_policy(example(), kBucket);
  EXPECT_EQ(checked.credentials.access_key, kAccessKey);
  EXPECT_FALSE(checked.size);
}

TEST_F(PostPolicyTest, EveryChangedByteIsNoticed) {
  const Fields right = example();
  for (const auto& [name, value] : right) {
    for (size_t at = 0; at < value.size(); ++at) {
      // Their end is free by the policy.
      if (name == "key" && at >= 11) break;
      if (name == "content-type" && at >= 6) break;
      Fields changed = right;
      changed[name][at] = static_cast<char>(value[at] ^ 1);
      ASSERT_NE(refused(changed), "") << name << " at " << at;
    }
  }
}

TEST_F(PostPolicyTest, ExpiresAndIsForOneBucket) {
  EXPECT_THAT(refused(example(), "other"),
              HasSubstr("AccessDenied 403: Invalid according to "
                        "Policy: Policy Condition failed: "
                        "[\"eq\",\"$bucket\",\"sigv4examplebucket\"]"));
  now_ = *net::parse_amz_timestamp("20151230T115959Z");
  EXPECT_EQ(refused(example()), "");
  now_ = *net::parse_amz_timestamp("20151230T120000Z");
  EXPECT_EQ(refused(example()), "AccessDenied 403: Invalid according to Policy: Policy expired.");
}

TEST_F(PostPolicyTest, EveryFieldMustBeCovered) {
  Fields fields = example();
  fields["x-amz-meta-other"] = "1";
  EXPECT_THAT(refused(fields), HasSubstr("AccessDenied 403: Invalid according to Policy: Extra "
                                         "input fields: x-amz-meta-other"));
  fields.erase("x-amz-meta-other");
  fields["x-ignore-me"] = "1";
  EXPECT_EQ(refused(fields), "");
  fields.erase("x-amz-meta-uuid");
  EXPECT_THAT(refused(fields), HasSubstr("Policy Condition failed"));
  // A policy that says nothing of the bucket is good for none.
  Fields anywhere = with_policy(
      R"({"expiration": "2015-12-30T12:00:00Z", "conditions": [["starts-with", "$key", ""],
         ["starts-with", "$x-amz-credential", ""], ["starts-with", "$x-amz-algorithm", ""],
         ["starts-with", "$x-amz-date", ""]]})",
      {{"key", "a"}});
  EXPECT_THAT(refused(anywhere), HasSubstr("Extra input fields: bucket"));
}

TEST_F(PostPolicyTest, ConditionsOfEveryKind) {
  Fields fields = {{"key", "a/b"}, {"content-type", "image/png, image/gif"}};
  auto with = [&](const std::string& conditions) {
    return refused(with_policy(policy_of(conditions), fields));
  };
  EXPECT_EQ(with(R"({"KeY": "a/b"}, ["STARTS-WITH", "$Content-Type", "image/"])"), "");
  EXPECT_EQ(with(R"(["eq", "$key", "a/b"], ["starts-with", "$content-type", ""])"), "");
  EXPECT_THAT(with(R"(["eq", "$key", "a/"], ["starts-with", "$content-type", ""])"),
              HasSubstr("AccessDenied"));
  EXPECT_THAT(with(R"({"key": "A/b"}, ["starts-with", "$content-type", ""])"),
              HasSubstr("AccessDenied"));
  EXPECT_THAT(with(R"({"key": "a/b"}, ["starts-with", "$content-type", "image/p"])"),
              HasSubstr("AccessDenied"));
  auto ranged = authenticator().check_post_policy(
      with_policy(policy_of(R"({"key": "a/b"}, ["starts-with", "$content-type", ""],
                               ["content-length-range", 10, "1048576"])"),
                  fields),
      kBucket);
  EXPECT_EQ(ranged.size, (std::pair<uint64_t, uint64_t>(10, 1048576)));
}

TEST_F(PostPolicyTest, MalformedPolicies) {
  const std::string bad[] = {
      "",
      "{",
      "[]",
      "{}",
      R"({"expiration": "2015-12-30T12:00:00Z"})",
      R"({"expiration": "2015-12-30T12:00:00Z", "conditions": []})",
      R"({"expiration": "2015-12-30T12:00:00Z", "conditions": {}})",
      R"({"expiration": "2015-12-30T12:00:00Z", "CONDITIONS": [{"key": "a"}]})",
      R"({"EXPIRATION": "2015-12-30T12:00:00Z", "conditions": [{"key": "a"}]})",
      R"({"expiration": "2015-12-30 12:00:00", "conditions": [{"key": "a"}]})",
      R"({"expiration": "2015-13-30T12:00:00Z", "conditions": [{"key": "a"}]})",
      R"({"expiration": "2015-12-30T12:00:00.Z", "conditions": [{"key": "a"}]})",
      R"({"expiration": 1, "conditions": [{"key": "a"}]})",
      policy_of(R"({"key": "a", "acl": "b"})"),
      policy_of(R"({})"),
      policy_of(R"({"key": null})"),
      policy_of(R"({"key": ["a"]})"),
      policy_of(R"("key")"),
      policy_of(R"(["eq", "$key"])"),
      policy_of(R"(["eq", "key", "a"])"),
      policy_of(R"(["eq", "$", "a"])"),
      policy_of(R"(["eq", 1, "a"])"),
      policy_of(R"(["ends-with", "$key", "a"])"),
      policy_of(R"([1, "$key", "a"])"),
      policy_of(R"(["content-length-range", 0])"),
      policy_of(R"(["content-length-range", -1, 0])"),
      policy_of(R"(["content-length-range", 2, 1])"),
      policy_of(R"(["content-length-range", 0, 1.5])"),
      policy_of(R"(["content-length-range", "", "x"])"),
      policy_of(R"(["content-length-range", 0, 99999999999999999999999])"),
      std::string(1000, '['),
  };
  for (const std::string& policy : bad) {
    EXPECT_THAT(refused(with_policy(policy, {{"key", "a"}})),
                HasSubstr("InvalidPolicyDocument 400: Invalid Policy: "))
        << policy;
  }
  Fields fields = with_policy(policy_of(""), {{"key", "a"}});
  fields["policy"] = "not base64!";
  fields["x-amz-signature"] =
      net::sign(net::signing_key(kSecret, {"20151229", "us-east-1", "s3"}), fields["policy"]);
  EXPECT_THAT(refused(fields), HasSubstr("InvalidPolicyDocument"));
}

TEST_F(PostPolicyTest, SignatureFields) {
  EXPECT_EQ(refused({{"key", "a"}}), "");
  EXPECT_EQ(authenticator().check_post_policy({{"key", "a"}}, kBucket).credentials.access_key, "");
  for (const char* missing :
       {"policy", "x-amz-signature", "x-amz-credential", "x-amz-algorithm", "x-amz-date"}) {
    Fields fields = example();
    fields.erase(missing);
    EXPECT_THAT(refused(fields), HasSubstr("InvalidArgument 400")) << missing;
  }
  Fields v2 = {{"key", "a"}, {"policy", "e30="}, {"awsaccesskeyid", "A"}, {"signature", "x"}};
  EXPECT_NE(refused(v2), "");
  Fields wrong = example();
  wrong["x-amz-credential"] = "UNKNOWN/20151229/us-east-1/s3/aws4_request";
  EXPECT_THAT(refused(wrong), HasSubstr("InvalidAccessKeyId 403"));
  wrong["x-amz-credential"] = "AKIAIOSFODNN7EXAMPLE/20151229/eu-west-1/s3/aws4_request";
  EXPECT_THAT(refused(wrong), HasSubstr("AuthorizationQueryParametersError 400"));
  wrong["x-amz-credential"] = "AKIAIOSFODNN7EXAMPLE/20151228/us-east-1/s3/aws4_request";
  EXPECT_THAT(refused(wrong), HasSubstr("InvalidArgument 400"));
  Fields temporary = with_policy(policy_of(R"({"key": "a"}, {"x-amz-security-token": "token"})"),
                                 {{"key", "a"}, {"x-amz-security-token", "token"}});
  EXPECT_EQ(refused(temporary), "");
  temporary["x-amz-security-token"] = "tokem";
  EXPECT_THAT(refused(temporary), HasSubstr("InvalidToken 400"));
}

}  // namespace
}  // namespace meesh::serve::s3
