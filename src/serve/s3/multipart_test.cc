#include "base/text.h"
#include "serve/s3/s3_fixture_test.h"

namespace meesh::serve::s3 {
namespace {

using testing::HasSubstr;

constexpr size_t kPart = 5 << 20;

std::string content(size_t size, int seed) {
  std::string out(size, ' ');
  for (size_t i = 0; i < size; ++i) out[i] = static_cast<char>(i * 7 + i / 251 + seed);
  return out;
}

class MultipartTest : public S3Test {
 protected:
  void SetUp() override {
    S3Test::SetUp();
    ASSERT_EQ(ask("PUT", "/lake").status, 200);
  }
  std::string begin(const std::string& path, const Fields& fields = {}) {
    auto made = ask("POST", path, {{"uploads", ""}}, fields);
    EXPECT_EQ(made.status, 200) << made.body;
    return made.at("UploadId");
  }
  Answer part(const std::string& path, const std::string& id, int number, std::string_view body,
              const Fields& fields = {}) {
    return ask("PUT", path, {{"partNumber", std::to_string(number)}, {"uploadId", id}}, fields,
               body);
  }
  Answer complete(const std::string& path, const std::string& id,
                  const std::vector<std::pair<int, std::string>>& parts,
                  const Fields& fields = {}) {
    std::string body = "<CompleteMultipartUpload>";
    for (const auto& [number, etag] : parts) {
      body += fmt::format("<Part><PartNumber>{}</PartNumber><ETag>{}</ETag></Part>", number, etag);
    }
    return ask("POST", path, {{"uploadId", id}}, fields, body + "</CompleteMultipartUpload>");
  }
};

TEST_F(MultipartTest, UploadsInParts) {
  std::string id = begin("/lake/big", {{"Content-Type", "a/b"}, {"x-amz-meta-m", "1"}});
  std::string first = content(kPart, 1), second = content(1000, 2);
  std::string two = part("/lake/big", id, 2, second).header("ETag");
  std::string one = part("/lake/big", id, 1, first).header("ETag");
  auto parts = ask("GET", "/lake/big", {{"uploadId", id}});
  EXPECT_EQ(parts.at("Part/PartNumber"), "1,2");
  EXPECT_EQ(parts.at("Part/Size"), fmt::format("{},1000", kPart));
  auto page = ask("GET", "/lake/big", {{"uploadId", id}, {"max-parts", "1"}});
  EXPECT_EQ(page.at("IsTruncated"), "true");
  EXPECT_EQ(page.at("NextPartNumberMarker"), "1");
  EXPECT_EQ(ask("GET", "/lake", {{"uploads", ""}}).at("Upload/UploadId"), id);
  auto done = complete("/lake/big", id, {{1, one}, {2, two}});
  EXPECT_EQ(done.status, 200) << done.body;
  EXPECT_THAT(done.at("ETag"), HasSubstr("-2\""));
  EXPECT_THAT(done.at("Location"), HasSubstr("/lake/big"));
  // A client that did not get the answer asks again.
  EXPECT_EQ(complete("/lake/big", id, {{1, one}, {2, two}}).at("ETag"), done.at("ETag"));
  auto got = ask("GET", "/lake/big");
  EXPECT_TRUE(got.body == first + second);
  EXPECT_EQ(got.header("Content-Type"), "a/b");
  EXPECT_EQ(got.header("x-amz-meta-m"), "1");
  auto of_part = ask("GET", "/lake/big", {{"partNumber", "2"}});
  EXPECT_EQ(of_part.status, 206);
  EXPECT_TRUE(of_part.body == second);
  EXPECT_EQ(of_part.header("x-amz-mp-parts-count"), "2");
  EXPECT_EQ(ask("GET", "/lake/big", {{"partNumber", "3"}}).code(), "InvalidPartNumber");
  EXPECT_EQ(ask("GET", "/lake/big", {{"partNumber", "1"}}, {{"Range", "bytes=0-1"}}).code(),
            "InvalidRequest");
  auto across =
      ask("GET", "/lake/big", {}, {{"Range", fmt::format("bytes={}-{}", kPart - 3, kPart + 2)}});
  EXPECT_TRUE(across.body == first.substr(kPart - 3) + second.substr(0, 3));
}

TEST_F(MultipartTest, Refusals) {
  EXPECT_EQ(part("/lake/a", "none", 1, "x").code(), "NoSuchUpload");
  std::string id = begin("/lake/a");
  EXPECT_EQ(part("/lake/a", id, 0, "x").code(), "InvalidArgument");
  EXPECT_EQ(part("/lake/a", id, 10001, "x").code(), "InvalidArgument");
  std::string one = part("/lake/a", id, 1, "x").header("ETag");
  std::string two = part("/lake/a", id, 2, "y").header("ETag");
  EXPECT_EQ(complete("/lake/a", id, {{2, two}, {1, one}}).code(), "InvalidPartOrder");
  EXPECT_EQ(complete("/lake/a", id, {{1, two}}).code(), "InvalidPart");
  EXPECT_EQ(complete("/lake/a", id, {{1, one}, {3, two}}).code(), "InvalidPart");
  EXPECT_EQ(complete("/lake/a", id, {{1, one}, {2, two}}).code(), "EntityTooSmall");
  EXPECT_EQ(complete("/lake/a", id, {}).code(), "MalformedXML");
  EXPECT_EQ(complete("/lake/a", id, {{1, one}}, {{"x-amz-mp-object-size", "9"}}).code(),
            "InvalidRequest");
  put("/lake/a", "there");
  EXPECT_EQ(complete("/lake/a", id, {{1, one}}, {{"If-None-Match", "*"}}).status, 412);
  EXPECT_EQ(ask("DELETE", "/lake/a", {{"uploadId", id}}).status, 204);
  EXPECT_EQ(ask("DELETE", "/lake/a", {{"uploadId", id}}).code(), "NoSuchUpload");
  EXPECT_EQ(ask("GET", "/lake/a").body, "there");
}

TEST_F(MultipartTest, AnotherS3IsAskedForNoChecksumThatNobodyAskedFor) {
  net::ServerOptions options;
  options.port = 0;
  options.access_log = false;
  net::Server other(options);
  other.route("GET", "/{path...}", [](net::Request& request, net::Response& response) {
    if (!request.query_param("versioning")) return response.empty(404);
    response.write("<VersioningConfiguration/>");
  });
  std::vector<std::string> asked;
  other.route("POST", "/{path...}", [&](net::Request& request, net::Response& response) {
    asked.emplace_back(request.headers.get("x-amz-checksum-algorithm").value_or("none"));
    response.write(
        "<InitiateMultipartUploadResult><UploadId>u</UploadId>"
        "</InitiateMultipartUploadResult>");
  });
  other.start();
  server_.reset();
  store_ = objects::open_remote({.endpoint = fmt::format("http://127.0.0.1:{}", other.port()),
                                 .access_key = "key",
                                 .secret_key = "secret"});
  start({});
  EXPECT_EQ(begin("/lake/a"), "u");
  EXPECT_EQ(begin("/lake/a", {{"x-amz-checksum-algorithm", "CRC32"}}), "u");
  EXPECT_THAT(asked, testing::ElementsAre("none", "CRC32"));
}

TEST_F(MultipartTest, Checksums) {
  auto made =
      ask("POST", "/lake/a", {{"uploads", ""}}, {{"x-amz-checksum-algorithm", "CRC64NVME"}});
  EXPECT_EQ(made.header("x-amz-checksum-type"), "FULL_OBJECT");
  std::string id = made.at("UploadId");
  std::string first = content(kPart, 3), second = "end";
  auto value = [](std::string_view bytes) {
    auto sum = objects::Checksum::start(objects::ChecksumKind::kCrc64Nvme);
    sum->update(bytes);
    return base::to_base64(sum->raw());
  };
  auto one = part("/lake/a", id, 1, first, {{"x-amz-checksum-crc64nvme", value(first)}});
  auto two = part("/lake/a", id, 2, second, {{"x-amz-checksum-crc64nvme", value(second)}});
  EXPECT_EQ(two.header("x-amz-checksum-crc64nvme"), value(second));
  std::vector<std::pair<int, std::string>> parts = {{1, one.header("ETag")},
                                                    {2, two.header("ETag")}};
  EXPECT_EQ(complete("/lake/a", id, parts, {{"x-amz-checksum-crc64nvme", value("other")}}).code(),
            "BadDigest");
  auto done = complete("/lake/a", id, parts, {{"x-amz-checksum-crc64nvme", value(first + second)}});
  EXPECT_EQ(done.at("ChecksumCRC64NVME"), value(first + second)) << done.body;
  auto told =
      ask("GET", "/lake/a", {{"attributes", ""}},
          {{"x-amz-object-attributes", "ETag,Checksum,ObjectParts,ObjectSize,StorageClass"}});
  EXPECT_EQ(told.at("Checksum/ChecksumType"), "FULL_OBJECT") << told.body;
  EXPECT_EQ(told.at("ObjectParts/PartsCount"), "2");
  EXPECT_EQ(told.at("ObjectParts/Part/Size"), fmt::format("{},3", kPart));
  EXPECT_EQ(told.at("ObjectSize"), std::to_string(kPart + 3));
  EXPECT_EQ(ask("POST", "/lake/b", {{"uploads", ""}},
                {{"x-amz-checksum-algorithm", "SHA256"}, {"x-amz-checksum-type", "FULL_OBJECT"}})
                .code(),
            "InvalidRequest");
}

TEST_F(MultipartTest, KeepsAChecksumUnasked) {
  auto sum = [](objects::ChecksumKind kind, std::string_view bytes) {
    auto running = objects::Checksum::start(kind);
    running->update(bytes);
    return base::to_base64(running->raw());
  };
  std::string first = content(kPart, 5), second = "end";
  std::string id = begin("/lake/a");
  // Parts may come with another one, or with none.
  std::string crc32 = sum(objects::ChecksumKind::kCrc32, first);
  auto one = part("/lake/a", id, 1, first, {{"x-amz-checksum-crc32", crc32}});
  EXPECT_EQ(one.status, 200) << one.body;
  auto two = part("/lake/a", id, 2, second);
  auto done = complete("/lake/a", id, {{1, one.header("ETag")}, {2, two.header("ETag")}});
  std::string whole = sum(objects::ChecksumKind::kCrc64Nvme, first + second);
  EXPECT_EQ(done.at("ChecksumCRC64NVME"), whole) << done.body;
  EXPECT_EQ(done.at("ChecksumType"), "FULL_OBJECT");
  auto told = ask("HEAD", "/lake/a", {}, {{"x-amz-checksum-mode", "ENABLED"}});
  EXPECT_EQ(told.header("x-amz-checksum-crc64nvme"), whole);
}

TEST_F(MultipartTest, ACompletionWithASizeMayBeAskedAgain) {
  std::string id = begin("/lake/a");
  std::string tag = part("/lake/a", id, 1, "content").header("ETag");
  EXPECT_EQ(complete("/lake/a", id, {{1, tag}}, {{"x-amz-mp-object-size", "8"}}).code(),
            "InvalidRequest");
  for (int turn = 0; turn < 2; ++turn) {
    auto done = complete("/lake/a", id, {{1, tag}}, {{"x-amz-mp-object-size", "7"}});
    EXPECT_EQ(done.status, 200) << done.body;
  }
}

class LimitsTest : public MultipartTest {
 protected:
  void SetUp() override {
    MultipartTest::SetUp();
    EXPECT_EQ(put("/lake/large", std::string(21, 'x')).status, 200);
    Options small;
    small.max_upload_bytes = 20;
    small.max_object_bytes = 30;
    start(small);
  }
};

TEST_F(LimitsTest, OfOneRequest) {
  EXPECT_EQ(put("/lake/a", std::string(20, 'x')).status, 200);
  auto refused = put("/lake/a", std::string(21, 'x'));
  EXPECT_EQ(refused.code(), "EntityTooLarge");
  EXPECT_EQ(refused.at("MaxSizeAllowed"), "20");
  std::string id = begin("/lake/a");
  EXPECT_EQ(part("/lake/a", id, 1, std::string(21, 'x')).code(), "EntityTooLarge");
  Fields source = {{"x-amz-copy-source", "/lake/large"}};
  EXPECT_EQ(ask("PUT", "/lake/b", {}, source).code(), "InvalidRequest");
  Query place = {{"partNumber", "1"}, {"uploadId", id}};
  EXPECT_EQ(ask("PUT", "/lake/a", place, source).code(), "InvalidRequest");
  source.emplace_back("x-amz-copy-source-range", "bytes=0-19");
  EXPECT_EQ(ask("PUT", "/lake/a", place, source).status, 200);
}

TEST_F(LimitsTest, OfAnObject) {
  // Parts before the last have 5 MiB at least: here the first is too small as well, but size is
  // looked at first.
  std::string id = begin("/lake/a");
  std::string one = part("/lake/a", id, 1, std::string(20, 'x')).header("ETag");
  std::string two = part("/lake/a", id, 2, std::string(11, 'x')).header("ETag");
  EXPECT_EQ(complete("/lake/a", id, {{1, one}, {2, two}}).code(), "EntityTooLarge");
}

TEST_F(MultipartTest, TheOwnerThatIsExpected) {
  access_->create_user("ann", "");
  put("/lake/a", "x");
  const char* header = "x-amz-expected-bucket-owner";
  auto id = ask("GET", "/lake", {{"acl", ""}}).at("Owner/ID");
  for (const std::string& owner : {std::string("root"), id}) {
    EXPECT_EQ(ask("GET", "/lake/a", {}, {{header, owner}}).status, 200) << owner;
  }
  for (const char* owner : {"ann", "111122223333", ""}) {
    Fields other = {{header, owner}};
    EXPECT_EQ(ask("GET", "/lake/a", {}, other).code(), "AccessDenied") << owner;
    EXPECT_EQ(ask("HEAD", "/lake", {}, other).status, 403);
    EXPECT_EQ(put("/lake/b", "x", other).code(), "AccessDenied");
    EXPECT_EQ(ask("DELETE", "/lake/a", {}, other).code(), "AccessDenied");
    EXPECT_EQ(ask("GET", "/lake", {{"list-type", "2"}}, other).code(), "AccessDenied");
  }
  EXPECT_EQ(ask("GET", "/none/a", {}, {{header, "ann"}}).code(), "NoSuchBucket");
  Fields copy = {{"x-amz-copy-source", "/lake/a"}, {"x-amz-source-expected-bucket-owner", "root"}};
  EXPECT_EQ(ask("PUT", "/lake/b", {}, copy).status, 200);
  copy[1].second = "ann";
  EXPECT_EQ(ask("PUT", "/lake/b", {}, copy).code(), "AccessDenied");
}

TEST_F(MultipartTest, CopiesParts) {
  std::string source = content(kPart + 100, 5);
  put("/lake/source", source);
  std::string id = begin("/lake/copy");
  auto copied = [&](int number, const Fields& fields) {
    return ask("PUT", "/lake/copy", {{"partNumber", std::to_string(number)}, {"uploadId", id}},
               fields);
  };
  auto one = copied(1, {{"x-amz-copy-source", "/lake/source"},
                        {"x-amz-copy-source-range", fmt::format("bytes=0-{}", kPart - 1)}});
  ASSERT_EQ(one.status, 200) << one.body;
  auto two =
      copied(2, {{"x-amz-copy-source", "lake/source"},
                 {"x-amz-copy-source-range", fmt::format("bytes={}-{}", kPart, kPart + 99)}});
  EXPECT_EQ(copied(3, {{"x-amz-copy-source", "/lake/source"},
                       {"x-amz-copy-source-range", "bytes=0-99999999"}})
                .code(),
            "InvalidRange");
  EXPECT_EQ(
      copied(3, {{"x-amz-copy-source", "/lake/source"}, {"x-amz-copy-source-range", "bytes=-5"}})
          .code(),
      "InvalidArgument");
  auto done = complete("/lake/copy", id, {{1, one.at("ETag")}, {2, two.at("ETag")}});
  EXPECT_EQ(done.status, 200) << done.body;
  EXPECT_TRUE(ask("GET", "/lake/copy").body == source);
}

TEST_F(MultipartTest, CopiesObjects) {
  std::string etag = put("/lake/a b+c", "x",
                         {{"x-amz-meta-m", "1"}, {"x-amz-tagging", "t=1"}, {"Content-Type", "a/b"}})
                         .header("ETag");
  Fields from = {{"x-amz-copy-source", "/lake/a%20b%2Bc"}};
  auto with = [&](Fields more) {
    more.insert(more.begin(), from.begin(), from.end());
    return more;
  };
  auto made = ask("PUT", "/lake/copy", {}, from);
  EXPECT_EQ(made.status, 200) << made.body;
  EXPECT_EQ(made.at("ETag"), etag);
  auto got = ask("GET", "/lake/copy");
  EXPECT_EQ(got.body, "x");
  EXPECT_EQ(got.header("x-amz-meta-m"), "1");
  EXPECT_EQ(got.header("Content-Type"), "a/b");
  EXPECT_EQ(ask("GET", "/lake/copy", {{"tagging", ""}}).at("TagSet/Tag/Key"), "t");
  ask("PUT", "/lake/copy", {},
      with({{"x-amz-metadata-directive", "REPLACE"},
            {"x-amz-tagging-directive", "REPLACE"},
            {"x-amz-meta-n", "2"}}));
  got = ask("GET", "/lake/copy");
  EXPECT_EQ(got.header("x-amz-meta-m"), "");
  EXPECT_EQ(got.header("x-amz-meta-n"), "2");
  EXPECT_EQ(got.header("x-amz-tagging-count"), "");
  EXPECT_EQ(ask("PUT", "/lake/a b+c", {}, from).code(), "InvalidRequest");
  EXPECT_EQ(ask("PUT", "/lake/copy", {}, with({{"x-amz-copy-source-if-match", "\"0\""}})).status,
            412);
  EXPECT_EQ(ask("PUT", "/lake/copy", {}, with({{"x-amz-copy-source-if-none-match", etag}})).status,
            412);
  EXPECT_EQ(ask("PUT", "/lake/copy", {}, with({{"x-amz-copy-source-if-match", etag}})).status, 200);
  EXPECT_EQ(ask("PUT", "/lake/copy", {}, with({{"If-None-Match", "*"}})).status, 412);
  EXPECT_EQ(ask("PUT", "/lake/copy", {}, {{"x-amz-copy-source", "/lake/none"}}).code(),
            "NoSuchKey");
  EXPECT_EQ(ask("PUT", "/lake/copy", {}, {{"x-amz-copy-source", "nonsense"}}).code(),
            "InvalidArgument");
  auto writer = user("writer", R"({"Version":"2012-10-17","Statement":[{"Effect":"Allow",
                                  "Action":"s3:PutObject","Resource":"arn:aws:s3:::lake/*"}]})");
  EXPECT_EQ(ask_as(writer, "PUT", "/lake/mine", {}, {}, "x").status, 200);
  EXPECT_EQ(ask_as(writer, "PUT", "/lake/mine", {}, from).code(), "AccessDenied");
}

TEST_F(MultipartTest, Tagging) {
  put("/lake/a", "x");
  std::string tags = "<Tagging><TagSet><Tag><Key>a</Key><Value>1</Value></Tag></TagSet></Tagging>";
  EXPECT_EQ(ask("PUT", "/lake/a", {{"tagging", ""}}, {}, tags).status, 200);
  EXPECT_EQ(ask("GET", "/lake/a", {{"tagging", ""}}).at("TagSet/Tag/Value"), "1");
  EXPECT_EQ(ask("DELETE", "/lake/a", {{"tagging", ""}}).status, 204);
  EXPECT_EQ(ask("GET", "/lake/a", {{"tagging", ""}}).at("TagSet/Tag/Value"), "");
  EXPECT_EQ(ask("PUT", "/lake/none", {{"tagging", ""}}, {}, tags).code(), "NoSuchKey");
  std::string key(32, 'K');
  Fields own = {{"x-amz-server-side-encryption-customer-algorithm", "AES256"},
                {"x-amz-server-side-encryption-customer-key", base::to_base64(key)},
                {"x-amz-server-side-encryption-customer-key-MD5", md5_header(key)}};
  put("/lake/own", "x", own);
  EXPECT_EQ(ask("PUT", "/lake/own", {{"tagging", ""}}, {}, tags).status, 200);
  EXPECT_EQ(ask("GET", "/lake/own", {{"tagging", ""}}, own).at("TagSet/Tag/Value"), "1");
}

}  // namespace
}  // namespace meesh::serve::s3
