#include "base/text.h"
#include "net/test_peer.h"
#include "serve/s3/s3_fixture_test.h"

namespace meesh::serve::s3 {
namespace {

using testing::HasSubstr;
using testing::Not;

class ObjectsTest : public S3Test {
 protected:
  void SetUp() override {
    S3Test::SetUp();
    ASSERT_EQ(ask("PUT", "/lake").status, 200);
  }
};

TEST_F(ObjectsTest, PutGetHeadDelete) {
  auto made = put("/lake/raw/a.csv", "a,b\n1,2\n",
                  {{"Content-Type", "text/csv"}, {"x-amz-meta-origin", "test"}});
  EXPECT_EQ(made.status, 200) << made.body;
  EXPECT_EQ(made.header("ETag"), "\"" + base::to_hex(md5("a,b\n1,2\n")) + "\"");
  auto got = ask("GET", "/lake/raw/a.csv");
  EXPECT_EQ(got.status, 200);
  EXPECT_EQ(got.body, "a,b\n1,2\n");
  EXPECT_EQ(got.header("Content-Type"), "text/csv");
  EXPECT_EQ(got.header("x-amz-meta-origin"), "test");
  EXPECT_EQ(got.header("ETag"), made.header("ETag"));
  EXPECT_EQ(got.header("Accept-Ranges"), "bytes");
  EXPECT_THAT(got.header("Last-Modified"), HasSubstr("GMT"));
  EXPECT_NE(got.header("x-amz-request-id"), "");
  EXPECT_EQ(got.header("x-amz-version-id"), "");
  auto head = ask("HEAD", "/lake/raw/a.csv");
  EXPECT_EQ(head.status, 200);
  EXPECT_EQ(head.header("Content-Length"), "8");
  EXPECT_EQ(head.body, "");
  EXPECT_EQ(ask("DELETE", "/lake/raw/a.csv").status, 204);
  EXPECT_EQ(ask("DELETE", "/lake/raw/a.csv").status, 204);
  auto gone = ask("GET", "/lake/raw/a.csv");
  EXPECT_EQ(gone.status, 404);
  EXPECT_EQ(gone.code(), "NoSuchKey");
  EXPECT_EQ(gone.at("Resource"), "/lake/raw/a.csv");
  auto head_gone = ask("HEAD", "/lake/raw/a.csv");
  EXPECT_EQ(head_gone.status, 404);
  EXPECT_EQ(head_gone.body, "");
}

TEST_F(ObjectsTest, KeysOfEveryKind) {
  for (std::string key : {"../../etc/passwd", "a//b", "//", "/lead", "a/./b", "é ü+%&?#=", "a\x01z",
                          "..", "trail/", " ", "~*'()!", "\xF0\x9F\x90\x9F"}) {
    auto made = put("/lake/" + key, "content of " + key);
    ASSERT_EQ(made.status, 200) << key << made.body;
    EXPECT_EQ(ask("GET", "/lake/" + key).body, "content of " + key);
    auto listed = ask("GET", "/lake", {{"prefix", key}, {"encoding-type", "url"}});
    EXPECT_EQ(net::percent_decode(listed.at("Contents/Key"), false), key);
    EXPECT_EQ(ask("DELETE", "/lake/" + key).status, 204);
  }
  std::string longest(1024, 'k');
  EXPECT_EQ(put("/lake/" + longest, "x").status, 200);
  auto refused = put("/lake/" + longest + "k", "x");
  EXPECT_EQ(refused.status, 400);
  EXPECT_EQ(refused.code(), "KeyTooLongError");
}

TEST_F(ObjectsTest, Ranges) {
  std::string content(100000, ' ');
  for (size_t i = 0; i < content.size(); ++i) content[i] = static_cast<char>(i * 7 + i / 256);
  for (std::string name : {"small", "large"}) {
    std::string body = name == "small" ? content.substr(0, 100) : content;
    ASSERT_EQ(put("/lake/" + name, body).status, 200);
    auto part = ask("GET", "/lake/" + name, {}, {{"Range", "bytes=10-19"}});
    EXPECT_EQ(part.status, 206);
    EXPECT_EQ(part.body, body.substr(10, 10));
    EXPECT_EQ(part.header("Content-Range"), fmt::format("bytes 10-19/{}", body.size()));
    EXPECT_EQ(ask("GET", "/lake/" + name, {}, {{"Range", "bytes=-5"}}).body,
              body.substr(body.size() - 5));
    EXPECT_EQ(ask("GET", "/lake/" + name, {}, {{"Range", "bytes=50-"}}).body, body.substr(50));
    EXPECT_EQ(ask("GET", "/lake/" + name, {}, {{"Range", "bytes=0-1,5-6"}}).body, body);
    auto head = ask("HEAD", "/lake/" + name, {}, {{"Range", "bytes=1-2"}});
    EXPECT_EQ(head.status, 206);
    EXPECT_EQ(head.header("Content-Length"), "2");
    auto beyond = ask("GET", "/lake/" + name, {}, {{"Range", "bytes=100000-"}});
    EXPECT_EQ(beyond.status, 416);
    EXPECT_EQ(beyond.code(), "InvalidRange");
    EXPECT_EQ(beyond.header("Content-Range"), fmt::format("bytes */{}", body.size()));
  }
  ASSERT_EQ(put("/lake/empty", "").status, 200);
  EXPECT_EQ(ask("GET", "/lake/empty").status, 200);
  EXPECT_EQ(ask("GET", "/lake/empty", {}, {{"Range", "bytes=0-"}}).status, 416);
}

TEST_F(ObjectsTest, ReadConditions) {
  std::string etag = put("/lake/a", "x").header("ETag");
  auto get = [&](const Fields& fields) { return ask("GET", "/lake/a", {}, fields).status; };
  const std::string past = "Sat, 01 Jan 2000 00:00:00 GMT";
  const std::string future = "Fri, 01 Jan 2100 00:00:00 GMT";
  EXPECT_EQ(get({{"If-Match", etag}}), 200);
  EXPECT_EQ(get({{"If-Match", "\"other\""}}), 412);
  EXPECT_EQ(get({{"If-Match", "\"other\", " + etag}}), 200);
  EXPECT_EQ(get({{"If-None-Match", etag}}), 304);
  EXPECT_EQ(get({{"If-None-Match", "*"}}), 304);
  EXPECT_EQ(get({{"If-None-Match", "\"other\""}}), 200);
  EXPECT_EQ(get({{"If-Modified-Since", past}}), 200);
  EXPECT_EQ(get({{"If-Modified-Since", future}}), 304);
  EXPECT_EQ(get({{"If-Unmodified-Since", past}}), 412);
  EXPECT_EQ(get({{"If-Unmodified-Since", future}}), 200);
  // The ETag goes before the time, whatever that says.
  EXPECT_EQ(get({{"If-Match", etag}, {"If-Unmodified-Since", past}}), 200);
  EXPECT_EQ(get({{"If-None-Match", "\"other\""}, {"If-Modified-Since", future}}), 200);
  EXPECT_EQ(get({{"If-Modified-Since", "yesterday"}}), 200);
  auto unchanged = ask("GET", "/lake/a", {}, {{"If-None-Match", etag}});
  EXPECT_EQ(unchanged.body, "");
  EXPECT_EQ(unchanged.header("ETag"), etag);
}

TEST_F(ObjectsTest, WriteConditions) {
  EXPECT_EQ(put("/lake/a", "1", {{"If-None-Match", "*"}}).status, 200);
  auto twice = put("/lake/a", "2", {{"If-None-Match", "*"}});
  EXPECT_EQ(twice.status, 412);
  EXPECT_EQ(twice.code(), "PreconditionFailed");
  EXPECT_EQ(put("/lake/a", "2", {{"If-None-Match", "\"x\""}}).status, 501);
  std::string etag = ask("HEAD", "/lake/a").header("ETag");
  EXPECT_EQ(put("/lake/a", "2", {{"If-Match", "\"0\""}}).status, 412);
  EXPECT_EQ(put("/lake/a", "2", {{"If-Match", etag}}).status, 200);
  EXPECT_EQ(put("/lake/none", "2", {{"If-Match", etag}}).code(), "NoSuchKey");
  EXPECT_EQ(ask("GET", "/lake/a").body, "2");
  EXPECT_EQ(ask("DELETE", "/lake/a", {}, {{"If-Match", "\"0\""}}).status, 412);
}

TEST_F(ObjectsTest, Digests) {
  EXPECT_EQ(put("/lake/a", "abc", {{"Content-MD5", md5_header("abc")}}).status, 200);
  auto wrong = put("/lake/a", "abc", {{"Content-MD5", md5_header("abd")}});
  EXPECT_EQ(wrong.status, 400);
  EXPECT_EQ(wrong.code(), "BadDigest");
  EXPECT_EQ(put("/lake/a", "abc", {{"Content-MD5", "nonsense"}}).code(), "InvalidDigest");
  for (auto kind : objects::kChecksumKinds) {
    auto sum = objects::Checksum::start(kind);
    sum->update("abc");
    std::string value = base::to_base64(sum->raw());
    std::string name(objects::checksum_header(kind));
    auto made = put("/lake/sum", "abc", {{name, value}});
    EXPECT_EQ(made.status, 200) << made.body;
    EXPECT_EQ(made.header(name), value);
    EXPECT_EQ(put("/lake/sum", "abd", {{name, value}}).code(), "BadDigest");
    EXPECT_EQ(put("/lake/sum", "abc", {{name, "AAAA"}}).code(), "InvalidRequest");
    EXPECT_EQ(ask("GET", "/lake/sum").header(name), "");
    auto checked = ask("GET", "/lake/sum", {}, {{"x-amz-checksum-mode", "ENABLED"}});
    EXPECT_EQ(checked.header(name), value);
    EXPECT_EQ(checked.header("x-amz-checksum-type"), "FULL_OBJECT");
    auto range =
        ask("GET", "/lake/sum", {}, {{"x-amz-checksum-mode", "ENABLED"}, {"Range", "bytes=0-1"}});
    EXPECT_EQ(range.status, 206);
    EXPECT_EQ(range.header(name), "") << "a range has another checksum than the object";
  }
  EXPECT_EQ(put("/lake/a", "abc", {{"x-amz-sdk-checksum-algorithm", "CRC32"}}).code(),
            "InvalidRequest");
}

TEST_F(ObjectsTest, KeepsAChecksumUnasked) {
  std::string value = put("/lake/a", "abc").header("x-amz-checksum-crc64nvme");
  EXPECT_NE(value, "");
  auto checked = ask("HEAD", "/lake/a", {}, {{"x-amz-checksum-mode", "enabled"}});
  EXPECT_EQ(checked.header("x-amz-checksum-crc64nvme"), value);
}

TEST_F(ObjectsTest, AsksForTheBodyOnlyWhenItIsWanted) {
  ask("PUT", "/lake", {{"acl", ""}}, {{"x-amz-acl", "public-read-write"}});
  put("/lake/there", "x");
  auto put_expecting = [&](const std::string& path, const std::string& more) {
    net::RawPeer peer(server_->port());
    peer.send(
        fmt::format("PUT {} HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\n"
                    "Content-Length: 4\r\n{}\r\n",
                    path, more));
    std::string first = peer.answer();
    if (!first.starts_with("HTTP/1.1 100 ")) return first;
    peer.send("body");
    return first + peer.answer();
  };
  EXPECT_THAT(put_expecting("/lake/a", ""), testing::MatchesRegex("HTTP/1.1 100 Continue\r\n\r\n"
                                                                  "HTTP/1.1 200 OK\r\n.*"));
  EXPECT_EQ(ask("GET", "/lake/a").body, "body");
  EXPECT_THAT(put_expecting("/none/a", ""), testing::StartsWith("HTTP/1.1 403 "));
  EXPECT_THAT(put_expecting("/lake/there", "If-None-Match: *\r\n"),
              testing::StartsWith("HTTP/1.1 412 "));
  EXPECT_THAT(put_expecting("/lake/there", "x-amz-acl: bad\r\n"),
              testing::StartsWith("HTTP/1.1 400 "));
}

TEST_F(ObjectsTest, ResponseHeadersAreForSignedRequestsAlone) {
  put("/lake/a", "x", {{"x-amz-acl", "public-read"}});
  auto changed = ask("GET", "/lake/a",
                     {{"response-content-type", "text/html"},
                      {"response-content-disposition", "attachment; filename=b"}});
  EXPECT_EQ(changed.header("Content-Type"), "text/html");
  EXPECT_EQ(changed.header("Content-Disposition"), "attachment; filename=b");
  EXPECT_EQ(ask_anonymously("GET", "/lake/a").status, 200);
  EXPECT_EQ(ask_anonymously("GET", "/lake/a", {{"response-content-type", "text/html"}}).code(),
            "InvalidRequest");
  EXPECT_EQ(ask("GET", "/lake/a", {{"response-content-type", "a\r\nX-Evil: 1"}}).code(),
            "InvalidArgument");
}

TEST_F(ObjectsTest, LimitsOfHeaders) {
  auto large = put("/lake/a", "x", {{"x-amz-meta-a", std::string(2100, 'v')}});
  EXPECT_EQ(large.code(), "MetadataTooLarge");
  EXPECT_EQ(put("/lake/a", "x", {{"x-amz-storage-class", "GLACIER"}}).code(),
            "InvalidStorageClass");
  EXPECT_EQ(put("/lake/a", "x", {{"x-amz-acl", "everybody"}}).code(), "InvalidArgument");
  EXPECT_EQ(put("/lake/a", "x", {{"x-amz-grant-read", "id=1"}}).code(), "NotImplemented");
  EXPECT_EQ(put("/lake/a", "x", {{"x-amz-tagging", "a=1&a=2"}}).code(), "InvalidTag");
  EXPECT_EQ(put("/lake/a", "x", {{"x-amz-server-side-encryption", "aws:kms"}}).code(),
            "NotImplemented");
  EXPECT_EQ(put("/lake/a", "x", {{"x-amz-tagging", "a=1&b=2"}}).status, 200);
  EXPECT_EQ(ask("HEAD", "/lake/a").header("x-amz-tagging-count"), "2");
}

TEST_F(ObjectsTest, DeletesMany) {
  for (const char* key : {"a", "b", "c"}) put(std::string("/lake/") + key, "x");
  std::string body =
      "<Delete><Object><Key>a</Key></Object><Object><Key>b</Key></Object>"
      "<Object><Key>none</Key></Object></Delete>";
  auto done = ask("POST", "/lake", {{"delete", ""}}, {{"Content-MD5", md5_header(body)}}, body);
  EXPECT_EQ(done.status, 200) << done.body;
  EXPECT_EQ(done.at("Deleted/Key"), "a,b,none");
  std::string quiet = "<Delete><Quiet>true</Quiet><Object><Key>c</Key></Object></Delete>";
  done = ask("POST", "/lake", {{"delete", ""}}, {{"Content-MD5", md5_header(quiet)}}, quiet);
  EXPECT_EQ(done.at("Deleted/Key"), "");
  EXPECT_EQ(ask("GET", "/lake").at("Contents/Key"), "");
  EXPECT_EQ(ask("POST", "/lake", {{"delete", ""}}, {}, body).code(), "InvalidRequest");
  for (std::string bad :
       {"", "<Delete/>", "<Delete><Object/></Delete>", "<Delete><Object><Key>a</Key>", "<Other/>",
        "<Delete><Object><Key>a&#0;b</Key></Object></Delete>",
        "<Delete><Object><Key>a</Key><Other/></Object></Delete>"}) {
    auto refused = ask("POST", "/lake", {{"delete", ""}}, {{"Content-MD5", md5_header(bad)}}, bad);
    EXPECT_EQ(refused.status, 400) << bad;
    EXPECT_EQ(refused.code(), "MalformedXML") << bad;
  }
  std::string many = "<Delete>";
  for (int i = 0; i < 1001; ++i) many += fmt::format("<Object><Key>{}</Key></Object>", i);
  many += "</Delete>";
  EXPECT_EQ(
      ask("POST", "/lake", {{"delete", ""}}, {{"Content-MD5", md5_header(many)}}, many).code(),
      "MalformedXML");
}

TEST_F(ObjectsTest, Encrypts) {
  auto made = put("/lake/a", "secret", {{"x-amz-server-side-encryption", "AES256"}});
  EXPECT_EQ(made.header("x-amz-server-side-encryption"), "AES256");
  EXPECT_EQ(ask("GET", "/lake/a").body, "secret");
  std::string key(32, 'K');
  Fields own = {{"x-amz-server-side-encryption-customer-algorithm", "AES256"},
                {"x-amz-server-side-encryption-customer-key", base::to_base64(key)},
                {"x-amz-server-side-encryption-customer-key-MD5", md5_header(key)}};
  made = put("/lake/own", "secret", own);
  ASSERT_EQ(made.status, 200) << made.body;
  EXPECT_EQ(made.header("x-amz-server-side-encryption-customer-key-MD5"), md5_header(key));
  EXPECT_EQ(ask("GET", "/lake/own", {}, own).body, "secret");
  EXPECT_EQ(ask("GET", "/lake/own").status, 400);
  own[2].second = md5_header("other");
  EXPECT_EQ(put("/lake/own", "secret", own).code(), "InvalidArgument");
  std::string rule =
      "<ServerSideEncryptionConfiguration><Rule><ApplyServerSideEncryptionByDefault>"
      "<SSEAlgorithm>AES256</SSEAlgorithm></ApplyServerSideEncryptionByDefault></Rule>"
      "</ServerSideEncryptionConfiguration>";
  EXPECT_EQ(ask("PUT", "/lake", {{"encryption", ""}}, {}, rule).status, 200);
  EXPECT_EQ(put("/lake/b", "x").header("x-amz-server-side-encryption"), "AES256");
}

TEST_F(ObjectsTest, MissingObjectsAreHiddenFromWhoMayNotList) {
  put("/lake/a", "x");
  auto reader = user("reader",
                     R"({"Version":"2012-10-17","Statement":[{"Effect":"Allow",
                       "Action":"s3:GetObject","Resource":"arn:aws:s3:::lake/*"}]})");
  EXPECT_EQ(ask_as(reader, "GET", "/lake/a").body, "x");
  auto hidden = ask_as(reader, "GET", "/lake/none");
  EXPECT_EQ(hidden.status, 403);
  EXPECT_EQ(hidden.code(), "AccessDenied");
  EXPECT_EQ(ask_as(reader, "PUT", "/lake/b", {}, {}, "x").status, 403);
  EXPECT_EQ(ask_as(reader, "GET", "/other/a").status, 403);
  EXPECT_EQ(ask_anonymously("GET", "/lake/a").status, 403);
  EXPECT_EQ(ask("GET", "/other/a").code(), "NoSuchBucket");
}

TEST_F(ObjectsTest, TheConnectionSurvivesErrorsBeforeTheBody) {
  // Each refused before its body was read; the next request must not be read out of it.
  std::string body = "GET /lake/x HTTP/1.1\r\nHost: a\r\n\r\n";
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(put("/none/a", body).code(), "NoSuchBucket");
    EXPECT_EQ(put("/lake/a", std::string(3 << 20, 'x'), {{"x-amz-acl", "bad"}}).status, 400);
    EXPECT_EQ(ask("GET", "/lake").status, 200);
  }
}

}  // namespace
}  // namespace meesh::serve::s3
