#include "net/aws_signature.h"

#include <gmock/gmock.h>

namespace meesh::net {
namespace {

using testing::EndsWith;
using testing::HasSubstr;

// The examples of Amazon's S3 API reference, all of 24 May 2013, us-east-1.
constexpr char kSecret[] = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
constexpr char kTimestamp[] = "20130524T000000Z";
constexpr char kHost[] = "examplebucket.s3.amazonaws.com";
const AwsCredentials kCredentials = {"AKIAIOSFODNN7EXAMPLE", kSecret, ""};
const SigningScope kScope = {"20130524", "us-east-1", "s3"};
const AwsTime kNow = *parse_amz_timestamp(kTimestamp);

std::string signature_of(const CanonicalParts& parts) {
  return sign(signing_key(kSecret, kScope),
              string_to_sign(kTimestamp, kScope, canonical_request(parts)));
}

TEST(AwsSignature, GetObjectExample) {
  CanonicalParts parts{"GET",
                       "/test.txt",
                       "",
                       {{"host", kHost},
                        {"range", "bytes=0-9"},
                        {"x-amz-content-sha256", std::string(kEmptySha256)},
                        {"x-amz-date", kTimestamp}},
                       kEmptySha256};
  EXPECT_EQ(string_to_sign(kTimestamp, kScope, canonical_request(parts)),
            "AWS4-HMAC-SHA256\n20130524T000000Z\n20130524/us-east-1/s3/aws4_request\n"
            "7344ae5b7ee6c3e7e6b0fe0640412a37625d1fbfff95c48bbb2dc43964946972");
  EXPECT_EQ(signature_of(parts),
            "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41");
}

TEST(AwsSignature, PutObjectExample) {
  std::string hash = sha256_hex("Welcome to Amazon S3.");
  EXPECT_EQ(hash, "44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072");
  std::string path = canonical_path("/test$file.text");
  EXPECT_EQ(path, "/test%24file.text");
  EXPECT_EQ(signature_of({"PUT",
                          path,
                          "",
                          {{"date", "Fri, 24 May 2013 00:00:00 GMT"},
                           {"host", kHost},
                           {"x-amz-content-sha256", hash},
                           {"x-amz-date", kTimestamp},
                           {"x-amz-storage-class", "REDUCED_REDUNDANCY"}},
                          hash}),
            "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd");
}

TEST(AwsSignature, BucketExamplesAsSentByOurClients) {
  const std::vector<std::pair<std::string, std::string>> lifecycle = {{"lifecycle", ""}};
  const std::vector<std::pair<std::string, std::string>> list = {{"prefix", "J"},
                                                                 {"max-keys", "2"}};
  Headers headers;
  sign_request({"GET", kHost, "/", &lifecycle, kEmptySha256}, kCredentials, "us-east-1", kNow,
               headers);
  EXPECT_EQ(headers.get("Authorization"),
            "AWS4-HMAC-SHA256 "
            "Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request, "
            "SignedHeaders=host;x-amz-content-sha256;x-amz-date, "
            "Signature=fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543");
  EXPECT_EQ(headers.get("x-amz-date"), kTimestamp);
  EXPECT_EQ(headers.get("host"), kHost);

  Headers others;
  others.add("Content-Type", "text/plain");  // not signed, so that a proxy may change it
  sign_request({"GET", kHost, "/", &list, kEmptySha256}, kCredentials, "us-east-1", kNow, others);
  EXPECT_THAT(
      std::string(*others.get("Authorization")),
      EndsWith("Signature=34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7"));
}

TEST(AwsSignature, TokensAndMetadataAreSigned) {
  Headers headers;
  headers.add("X-Amz-Meta-B", "  two   words ");
  headers.add("x-amz-meta-a", "1");
  headers.add("x-amz-meta-a", " 2");
  AwsCredentials temporary = kCredentials;
  temporary.session_token = "token";
  sign_request({"PUT", kHost, "/k", nullptr, kUnsignedPayload}, temporary, "eu-west-3", kNow,
               headers);
  EXPECT_THAT(std::string(*headers.get("Authorization")),
              HasSubstr("SignedHeaders=host;x-amz-content-sha256;x-amz-date;x-amz-meta-a;"
                        "x-amz-meta-b;x-amz-security-token, "));
  SigningScope scope = {"20130524", "eu-west-3", "s3"};
  CanonicalParts parts{"PUT",
                       "/k",
                       "",
                       {{"host", kHost},
                        {"x-amz-content-sha256", "UNSIGNED-PAYLOAD"},
                        {"x-amz-date", kTimestamp},
                        {"x-amz-meta-a", "1,2"},
                        {"x-amz-meta-b", "two words"},
                        {"x-amz-security-token", "token"}},
                       kUnsignedPayload};
  EXPECT_THAT(
      std::string(*headers.get("Authorization")),
      EndsWith("Signature=" + sign(signing_key(kSecret, scope),
                                   string_to_sign(kTimestamp, scope, canonical_request(parts)))));
}

TEST(AwsSignature, PresignedExample) {
  EXPECT_EQ(presigned_target({"GET", kHost, "/test.txt", nullptr, ""}, kCredentials, "us-east-1",
                             std::chrono::hours(24), kNow),
            "/test.txt?X-Amz-Algorithm=AWS4-HMAC-SHA256"
            "&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2Faws4_request"
            "&X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-SignedHeaders=host"
            "&X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404");
}

TEST(AwsSignature, ChunkedUploadExample) {
  const std::string key = signing_key(kSecret, kScope);
  std::string seed = signature_of({"PUT",
                                   "/examplebucket/chunkObject.txt",
                                   "",
                                   {{"content-encoding", "aws-chunked"},
                                    {"content-length", "66824"},
                                    {"host", "s3.amazonaws.com"},
                                    {"x-amz-content-sha256", "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"},
                                    {"x-amz-date", kTimestamp},
                                    {"x-amz-decoded-content-length", "66560"},
                                    {"x-amz-storage-class", "REDUCED_REDUNDANCY"}},
                                   "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"});
  EXPECT_EQ(seed, "4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9");
  std::string first =
      chunk_signature(key, kTimestamp, kScope, seed, sha256_hex(std::string(65536, 'a')));
  EXPECT_EQ(first, "ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648");
  std::string second =
      chunk_signature(key, kTimestamp, kScope, first, sha256_hex(std::string(1024, 'a')));
  EXPECT_EQ(second, "0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497");
  EXPECT_EQ(chunk_signature(key, kTimestamp, kScope, second, kEmptySha256),
            "b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9");
}

TEST(AwsSignature, TrailerExample) {
  const std::string key = signing_key(kSecret, kScope);
  EXPECT_EQ(trailer_signature(key, kTimestamp, kScope,
                              "2ca2aba2005185cf7159c6277faf83795951dd77a3a99e6e65d5c9f85863f992",
                              sha256_hex("x-amz-checksum-crc32c:sOO8/Q==\n")),
            "d81f82fc3505edab99d459891051a732e8730629a2e4a59689829ca17fe2e435");
}

TEST(AwsSignature, CachedKeysAreTheSameKeys) {
  for (const char* region : {"us-east-1", "eu-west-3", "us-east-1"}) {
    for (const char* secret : {"one", "two"}) {
      SigningScope scope = {"20260101", region, "s3"};
      EXPECT_EQ(cached_signing_key(secret, scope), signing_key(secret, scope));
    }
  }
  EXPECT_EQ(hmac_sha256("", "").size(), 32u);
  EXPECT_EQ(sign("", ""), "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad");
  EXPECT_EQ(sign("key", "The quick brown fox jumps over the lazy dog"),
            "f7bc83f430538424b13298e6aa6fb143ef4d59a14946175997479dbc2d1a3cd8");
}

TEST(AwsSignature, CanonicalForms) {
  EXPECT_EQ(canonical_path(""), "/");
  EXPECT_EQ(canonical_path("/"), "/");
  EXPECT_EQ(canonical_path("/a b/../é+~/"), "/a%20b/../%C3%A9%2B~/");
  EXPECT_EQ(canonical_path("//a///b"), "//a///b");
  EXPECT_EQ(canonical_query({}), "");
  // Sorted as encoded, values of one name too.
  EXPECT_EQ(canonical_query({{"b", ""}, {"a", "/"}, {"a", "+ "}, {"ab", "é"}, {"A", "x"}}),
            "A=x&a=%2B%20&a=%2F&ab=%C3%A9&b=");
  EXPECT_EQ(canonical_value("  a   b\t c  "), "a b c");
  EXPECT_EQ(canonical_value(" \t "), "");
  EXPECT_EQ(canonical_value("\"a  b\""), "\"a b\"");
}

TEST(AwsSignature, Timestamps) {
  EXPECT_EQ(amz_timestamp(*parse_amz_timestamp("20240229T235959Z")), "20240229T235959Z");
  for (const char* bad :
       {"", "20130524", "20130524T000000", "20130524T000000+", "20130524t000000Z",
        "20130229T000000Z", "20131301T000000Z", "20130524T240000Z", "20130524T006000Z",
        "20130524T000060Z", "2013052 T000000Z", " 20130524T000000Z", "20130524T000000Z "}) {
    EXPECT_FALSE(parse_amz_timestamp(bad)) << bad;
  }
}

TEST(AwsSignature, ComparesWholeTexts) {
  EXPECT_TRUE(equal_in_constant_time("", ""));
  EXPECT_TRUE(equal_in_constant_time("abc", "abc"));
  EXPECT_FALSE(equal_in_constant_time("abc", "abd"));
  EXPECT_FALSE(equal_in_constant_time("abc", "ab"));
}

TEST(Sha256, InPiecesAndAgain) {
  Sha256 hash;
  hash.update("a");
  hash.update("bc");
  EXPECT_EQ(hash.hex(), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(hash.hex(), kEmptySha256);
}

}  // namespace
}  // namespace meesh::net
