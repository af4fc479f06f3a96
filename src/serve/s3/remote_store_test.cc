// The store that is another S3, against our own.
#include <gmock/gmock.h>

#include "base/text.h"
#include "objects/caller.h"
#include "objects/payload.h"
#include "serve/s3/s3_fixture_test.h"

namespace meesh::serve::s3 {
namespace {

using namespace objects;  // NOLINT(build/namespaces)
using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;
using testing::SizeIs;

std::string content_of(size_t size) {
  std::string out(size, '\0');
  for (size_t i = 0; i < size; ++i) out[i] = static_cast<char>((i * 31 + i / 4093) & 0xFF);
  return out;
}

std::string reason(const std::function<void()>& call) {
  try {
    call();
    return "done";
  } catch (const ObjectError& e) {
    return std::string(reason_name(e.reason()));
  }
}

class RemoteStoreTest : public S3Test {
 protected:
  void SetUp() override {
    S3Test::SetUp();
    remote_ = connect(root_.secret_key);
    Bucket lake;
    lake.name = "lake";
    remote_->create_bucket(lake);
  }
  void TearDown() override {
    remote_.reset();
    S3Test::TearDown();
  }
  std::unique_ptr<Store> connect(const std::string& secret) {
    return open_remote(
        {.endpoint = "http://" + host(), .access_key = root_.access_key, .secret_key = secret});
  }

  Object put(const std::string& key, const std::string& content, const WriteOptions& options = {},
             const WriteCondition& condition = {}, Attributes attributes = {}) {
    auto writer = remote_->put("lake", key, std::move(attributes), options);
    for (size_t at = 0; at < content.size(); at += 1 << 20) {
      writer->write(std::string_view(content).substr(at, 1 << 20));
    }
    return writer->commit(condition);
  }
  static std::string read(Store& store, const std::string& key, const ReadOptions& options = {},
                          size_t piece = 100000) {
    auto reader = store.get("lake", key, options);
    std::string out, buffer(piece, '\0');
    while (size_t got = reader->read(out.size(), buffer.data(), piece)) out.append(buffer, 0, got);
    EXPECT_EQ(out.size(), reader->object().size);
    return out;
  }
  static std::string md5_of(std::string_view bytes) {
    Md5 md5;
    md5.update(bytes);
    return md5.raw();
  }

  std::unique_ptr<Store> remote_;
};

TEST_F(RemoteStoreTest, KeepsContentAndAttributes) {
  Attributes a;
  a.content_type = "text/csv";
  a.cache_control = "no-cache";
  a.content_disposition = "attachment";
  a.content_encoding = "gzip";
  a.content_language = "fr";
  a.metadata = {{"note", "two  words"}, {"other", "x"}};
  a.tags = {{"team", "lake + co=1"}, {"empty", ""}};
  Object made = put("raw/a b+é.csv", "hello", {.expected = {{ChecksumKind::kCrc32, ""}}}, {}, a);
  EXPECT_EQ(made.etag, base::to_hex(md5_of("hello")));
  EXPECT_THAT(made.checksums, ElementsAre(Pair(ChecksumKind::kCrc32, "NhCmhg==")));
  for (Store* store : {remote_.get(), store_.get()}) {
    Object found = store->head("lake", "raw/a b+é.csv", {});
    EXPECT_EQ(found.size, 5u);
    EXPECT_EQ(found.etag, made.etag);
    EXPECT_EQ(found.attributes.content_type, "text/csv");
    EXPECT_EQ(found.attributes.cache_control, "no-cache");
    EXPECT_EQ(found.attributes.content_disposition, "attachment");
    EXPECT_EQ(found.attributes.content_encoding, "gzip");
    EXPECT_EQ(found.attributes.content_language, "fr");
    EXPECT_EQ(found.attributes.metadata.at("other"), "x");
    EXPECT_EQ(found.attributes.tags, a.tags);
    EXPECT_THAT(found.checksums, ElementsAre(Pair(ChecksumKind::kCrc32, "NhCmhg==")));
    EXPECT_EQ(read(*store, "raw/a b+é.csv"), "hello");
  }
  remote_->set_tags("lake", "raw/a b+é.csv", "", {{"a", " "}});
  EXPECT_EQ(remote_->head("lake", "raw/a b+é.csv", {}).attributes.tags, (Tags{{"a", " "}}));
  remote_->set_tags("lake", "raw/a b+é.csv", "", {});
  EXPECT_THAT(remote_->head("lake", "raw/a b+é.csv", {}).attributes.tags, IsEmpty());
  EXPECT_EQ(put("empty", "").size, 0u);
  EXPECT_EQ(read(*remote_, "empty"), "");
}

TEST_F(RemoteStoreTest, LargeContentsGoInParts) {
  const std::string content = content_of((33 << 20) + 5);
  for (bool told : {false, true}) {
    WriteOptions options;
    if (told) options.size = content.size();
    options.expected[ChecksumKind::kCrc64Nvme] = "";
    options.md5 = md5_of(content);
    Object made = put("large", content, options, {.if_none_match = "*"});
    EXPECT_TRUE(made.etag.ends_with("-3")) << made.etag;
    EXPECT_EQ(made.size, content.size());
    EXPECT_EQ(read(*remote_, "large"), content);
    EXPECT_TRUE(read(*store_, "large") == content);
    if (!told) remote_->remove("lake", "large", {});
  }
  auto reader = remote_->get("lake", "large", {});
  std::string range(1000, '\0');
  for (uint64_t offset : {uint64_t{0}, uint64_t{16777000}, uint64_t{content.size() - 1000}}) {
    EXPECT_EQ(reader->read(offset, range.data(), range.size()), 1000u);
    EXPECT_EQ(range, content.substr(offset, 1000)) << offset;
  }
  EXPECT_EQ(reader->read(content.size() - 10, range.data(), range.size()), 10u);
  EXPECT_EQ(reader->read(content.size(), range.data(), range.size()), 0u);
}

TEST_F(RemoteStoreTest, WhatIsNotCommittedLeavesNoTrace) {
  const std::string content = content_of(17 << 20);
  {
    remote_->put("lake", "small", {}, {})->write("x");
  }
  {
    auto writer = remote_->put("lake", "large", {}, {});
    writer->write(content);
  }
  EXPECT_EQ(reason([&] { put("large", content, {.md5 = std::string(16, 'x')}); }), "BadDigest");
  EXPECT_EQ(reason([&] { put("large", content, {.size = content.size() + 1}); }), "IncompleteBody");
  EXPECT_EQ(reason([&] { put("small", "x", {.md5 = std::string(16, 'x')}); }), "BadDigest");
  EXPECT_EQ(reason([&] { put("small", "x", {.size = 2}); }), "IncompleteBody");
  EXPECT_EQ(reason([&] { put("small", "xy", {.size = 1}); }), "IncompleteBody");
  EXPECT_EQ(reason([&] { put("small", "x", {.expected = {{ChecksumKind::kSha1, "x"}}}); }),
            "BadDigest");
  auto writer = remote_->put("lake", "small", {}, {.expected = {{ChecksumKind::kCrc32, ""}}});
  writer->write("hello");
  writer->expect(ChecksumKind::kCrc32, "AAAAAA==");
  EXPECT_EQ(reason([&] { writer->commit({}); }), "BadDigest");
  EXPECT_THAT(store_->list("lake", {}).objects, IsEmpty());
  EXPECT_THAT(store_->list_uploads("lake", {}).uploads, IsEmpty());
}

TEST_F(RemoteStoreTest, Conditions) {
  Object first = put("k", "1", {}, {.if_none_match = "*"});
  EXPECT_EQ(reason([&] { put("k", "2", {}, {.if_none_match = "*"}); }), "PreconditionFailed");
  EXPECT_EQ(reason([&] { put("k", "2", {}, {.if_match = "other"}); }), "PreconditionFailed");
  Object second = put("k", "2", {}, {.if_match = first.etag});
  auto head = [&](ReadCondition condition) {
    return reason([&] { remote_->head("lake", "k", {.condition = std::move(condition)}); });
  };
  EXPECT_EQ(head({.if_match = second.etag}), "done");
  EXPECT_EQ(head({.if_match = first.etag}), "PreconditionFailed");
  EXPECT_EQ(head({.if_none_match = second.etag}), "NotModified");
  Time modified = remote_->head("lake", "k", {}).modified;
  EXPECT_EQ(head({.if_modified_since = modified}), "NotModified");
  EXPECT_EQ(head({.if_unmodified_since = modified - std::chrono::hours(1)}), "PreconditionFailed");
  const std::string large = content_of(17 << 20);
  EXPECT_EQ(reason([&] { put("k", large, {}, {.if_none_match = "*"}); }), "PreconditionFailed");
  EXPECT_EQ(read(*remote_, "k"), "2");
  EXPECT_THAT(store_->list_uploads("lake", {}).uploads, IsEmpty());
  // A reader of what was replaced does not mix two contents.
  auto reader = remote_->get("lake", "k", {});
  put("k", "3");
  char c = 0;
  EXPECT_EQ(reason([&] { reader->read(0, &c, 1); }), "PreconditionFailed");
}

TEST_F(RemoteStoreTest, ErrorsKeepTheirReasons) {
  EXPECT_EQ(reason([&] { remote_->head("lake", "nothing", {}); }), "NoSuchKey");
  EXPECT_EQ(reason([&] { remote_->get("lake", "nothing", {}); }), "NoSuchKey");
  EXPECT_EQ(reason([&] { remote_->head("no-lake", "k", {}); }), "NoSuchBucket");
  EXPECT_EQ(reason([&] { remote_->bucket("no-lake"); }), "NoSuchBucket");
  EXPECT_EQ(reason([&] { remote_->list("no-lake", {}); }), "NoSuchBucket");
  EXPECT_EQ(reason([&] { remote_->create_bucket({.name = "A"}); }), "InvalidBucketName");
  EXPECT_EQ(reason([&] { remote_->create_bucket({.name = "lake"}); }), "BucketAlreadyOwnedByYou");
  put("k", "1");
  EXPECT_EQ(reason([&] { remote_->delete_bucket("lake"); }), "BucketNotEmpty");
  EXPECT_EQ(reason([&] { remote_->put("lake", std::string(1025, 'k'), {}, {}); }),
            "KeyTooLongError");
  EXPECT_EQ(reason([&] { remote_->abort_upload("lake", "k", "none"); }), "NoSuchUpload");
  EXPECT_EQ(reason([&] { connect("wrong secret")->head("lake", "k", {}); }), "AccessDenied");
  Attributes broken;
  broken.metadata["a"] = "line\nbreak";
  EXPECT_EQ(reason([&] { put("k", "1", {}, {}, broken); }), "InvalidArgument");
}

TEST_F(RemoteStoreTest, Versions) {
  remote_->edit_bucket("lake", [](Bucket& b) { b.versioning = Versioning::kEnabled; });
  EXPECT_EQ(remote_->bucket("lake").versioning, Versioning::kEnabled);
  Object first = put("k", "1"), second = put("k", "22");
  EXPECT_NE(first.version, second.version);
  EXPECT_EQ(read(*remote_, "k"), "22");
  EXPECT_EQ(read(*remote_, "k", {.version = first.version}), "1");
  Deleted marker = remote_->remove("lake", "k", {});
  EXPECT_TRUE(marker.delete_marker);
  try {
    remote_->head("lake", "k", {});
    FAIL() << "found";
  } catch (const ObjectError& e) {
    EXPECT_EQ(e.reason(), Reason::kNoSuchKey);
    EXPECT_TRUE(e.delete_marker);
    EXPECT_EQ(e.version, marker.version);
  }
  VersionListing all = remote_->list_versions("lake", {});
  ASSERT_THAT(all.versions, SizeIs(3));
  EXPECT_TRUE(all.versions[0].delete_marker);
  EXPECT_TRUE(all.versions[0].latest);
  EXPECT_EQ(all.versions[1].version, second.version);
  EXPECT_EQ(all.versions[2].version, first.version);
  VersionListing page = remote_->list_versions("lake", {.limit = 2});
  EXPECT_TRUE(page.truncated);
  page = remote_->list_versions("lake",
                                {.key_marker = page.next_key, .version_marker = page.next_version});
  ASSERT_THAT(page.versions, SizeIs(1));
  EXPECT_EQ(page.versions[0].version, first.version);
  Usage usage = remote_->usage("lake");
  EXPECT_EQ(usage.versions, 3u);
  EXPECT_EQ(usage.objects, 0u);
  EXPECT_EQ(usage.bytes, 3u);
  Deleted gone = remote_->remove("lake", "k", {.version = marker.version});
  EXPECT_TRUE(gone.delete_marker);
  EXPECT_EQ(gone.version, marker.version);
  EXPECT_EQ(read(*remote_, "k"), "22");
  EXPECT_EQ(reason([&] { remote_->head("lake", "k", {.version = "nonsense"}); }) == "done", false);
}

TEST_F(RemoteStoreTest, ListsAsTheOtherSideDoes) {
  const std::vector<std::string> keys = {"a",     "a b", "a+b",    "a/1", "a/2", "a/b/c", "a0",
                                         "b%2Fc", "é/ü", "x\x01y", "z",   "z/",  "z//",   "日本/1"};
  for (const std::string& key : keys) put(key, key);
  for (const char* prefix : {"", "a", "a/", "z/", "nothing"}) {
    for (const char* delimiter : {"", "/"}) {
      for (size_t limit : {size_t{1}, size_t{3}, size_t{1000}}) {
        ListOptions options{.prefix = prefix, .delimiter = delimiter, .limit = limit};
        std::vector<std::string> ours, theirs;
        auto walk = [&](Store& store, std::vector<std::string>& out) {
          ListOptions at = options;
          for (;;) {
            Listing page = store.list("lake", at);
            for (const Object& object : page.objects) out.push_back(object.key);
            for (const std::string& common : page.common_prefixes) out.push_back(common + "…");
            ASSERT_LE(page.objects.size() + page.common_prefixes.size(), limit);
            ASSERT_LT(out.size(), 100u);
            if (!page.truncated) return;
            at.after = page.next;
          }
        };
        walk(*remote_, ours);
        walk(*store_, theirs);
        EXPECT_EQ(ours, theirs) << prefix << " " << delimiter << " " << limit;
      }
    }
  }
  Object listed = remote_->list("lake", {.prefix = "a b"}).objects.at(0);
  EXPECT_EQ(listed.size, 3u);
  EXPECT_EQ(listed.etag, base::to_hex(md5_of("a b")));
  EXPECT_NE(listed.modified, Time{});
  for (const std::string& key : keys) EXPECT_EQ(read(*remote_, key), key);
  std::vector<std::pair<std::string, DeleteOptions>> all;
  for (const std::string& key : keys) all.emplace_back(key, DeleteOptions{});
  all.emplace_back("never was", DeleteOptions{});
  for (const auto& outcome : remote_->remove_all("lake", all)) EXPECT_FALSE(outcome.error);
  EXPECT_THAT(store_->list("lake", {}).objects, IsEmpty());
}

TEST_F(RemoteStoreTest, MultipartUploads) {
  const std::string large = content_of((17 << 20) + 3);  // more than is kept: streamed
  Attributes attributes;
  attributes.content_type = "text/x";
  Upload upload = remote_->start_upload("lake", "k", attributes, ChecksumKind::kCrc32, false, {});
  auto send = [&](int number, const std::string& bytes) {
    auto writer =
        remote_->put_part("lake", "k", upload.id, number,
                          {.size = bytes.size(), .expected = {{ChecksumKind::kCrc32, ""}}});
    writer->write(bytes);
    Object part = writer->commit({});
    EXPECT_EQ(part.size, bytes.size());
    EXPECT_EQ(part.etag, base::to_hex(md5_of(bytes)));
    return CompletedPart{number, part.etag, part.checksums};
  };
  std::vector<CompletedPart> parts = {send(1, large), send(3, "end")};
  {
    auto dropped = remote_->put_part("lake", "k", upload.id, 4, {.size = large.size()});
    dropped->write(std::string_view(large).substr(0, 1 << 20));
  }
  auto listed = remote_->parts("lake", "k", upload.id, 0, 1000);
  ASSERT_THAT(listed, SizeIs(2));
  EXPECT_EQ(listed[0].size, large.size());
  EXPECT_EQ(listed[1].number, 3);
  EXPECT_THAT(remote_->parts("lake", "k", upload.id, 1, 1000), SizeIs(1));
  EXPECT_THAT(remote_->parts("lake", "k", upload.id, 0, 1), SizeIs(1));
  EXPECT_EQ(remote_->upload("lake", "k", upload.id).checksum, ChecksumKind::kCrc32);
  auto uploads = remote_->list_uploads("lake", {}).uploads;
  ASSERT_THAT(uploads, SizeIs(1));
  EXPECT_EQ(uploads[0].id, upload.id);
  Object done = remote_->complete_upload("lake", "k", upload.id, parts, {}, {});
  EXPECT_TRUE(done.etag.ends_with("-2"));
  EXPECT_TRUE(read(*remote_, "k") == large + "end");
  EXPECT_EQ(remote_->head("lake", "k", {}).attributes.content_type, "text/x");
  auto part = remote_->get("lake", "k", {.part = 3});
  EXPECT_EQ(part->object().size, 3u);
  std::string bytes(10, '\0');
  EXPECT_EQ(part->read(1, bytes.data(), 10), 2u);
  EXPECT_EQ(bytes.substr(0, 2), "nd");
  EXPECT_NE(reason([&] { remote_->head("lake", "k", {.part = 7}); }), "done");
  Upload other = remote_->start_upload("lake", "k", {}, std::nullopt, true, {});
  EXPECT_EQ(reason([&] {
              remote_->complete_upload("lake", "k", other.id, {{1, std::string(32, '0'), {}}}, {},
                                       {});
            }),
            "InvalidPart");
  remote_->abort_upload("lake", "k", other.id);
  EXPECT_THAT(remote_->list_uploads("lake", {}).uploads, IsEmpty());
}

TEST_F(RemoteStoreTest, Copies) {
  Attributes attributes;
  attributes.content_type = "text/a";
  attributes.tags = {{"a", "1"}};
  Object source = put("from here", "content", {}, {}, attributes);
  Object same = remote_->copy("lake", "from here", {}, "lake", "to/é", std::nullopt, {}, {});
  EXPECT_EQ(same.etag, source.etag);
  EXPECT_EQ(same.attributes.content_type, "text/a");
  EXPECT_EQ(same.attributes.tags, attributes.tags);
  Attributes other;
  other.content_type = "text/b";
  Object changed = remote_->copy("lake", "from here", {}, "lake", "to/é", other, {}, {});
  EXPECT_EQ(changed.attributes.content_type, "text/b");
  EXPECT_THAT(changed.attributes.tags, IsEmpty());
  EXPECT_EQ(read(*remote_, "to/é"), "content");
  EXPECT_EQ(reason([&] {
              remote_->copy("lake", "from here", {.condition = {.if_match = "other"}}, "lake", "x",
                            std::nullopt, {}, {});
            }),
            "PreconditionFailed");
  EXPECT_EQ(
      reason([&] { remote_->copy("lake", "nothing", {}, "lake", "x", std::nullopt, {}, {}); }),
      "NoSuchKey");
}

TEST_F(RemoteStoreTest, SettingsOfBuckets) {
  const std::string policy =
      R"({"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*",)"
      R"("Action":"s3:GetObject","Resource":"arn:aws:s3:::lake/*"}]})";
  remote_->edit_bucket("lake", [&](Bucket& b) { b.documents["policy"] = policy; });
  EXPECT_EQ(remote_->bucket("lake").documents.at("policy"), policy);
  EXPECT_EQ(store_->bucket("lake").documents.at("policy"), policy);
  remote_->edit_bucket("lake", [](Bucket& b) { b.documents.erase("policy"); });
  EXPECT_FALSE(remote_->bucket("lake").documents.contains("policy"));
  EXPECT_EQ(reason([&] { remote_->edit_bucket("lake", [](Bucket& b) { b.quota = 1; }); }),
            "NotImplemented");
  Bucket locked;
  locked.name = "locked";
  locked.lock_enabled = true;
  locked.default_retention = {LockMode::kGovernance, 3, 0};
  remote_->create_bucket(locked);
  Bucket found = remote_->bucket("locked");
  EXPECT_TRUE(found.lock_enabled);
  EXPECT_EQ(found.versioning, Versioning::kEnabled);
  EXPECT_EQ(found.default_retention.days, 3);
  EXPECT_EQ(found.default_retention.mode, LockMode::kGovernance);
  auto all = remote_->buckets();
  ASSERT_THAT(all, SizeIs(2));
  EXPECT_EQ(all[0].name, "lake");
  EXPECT_EQ(all[1].name, "locked");
  auto writer = remote_->put("locked", "k", {}, {});
  writer->write("x");
  writer->commit({});
  Object held = remote_->head("locked", "k", {});
  EXPECT_EQ(held.attributes.retention.mode, LockMode::kGovernance);
  EXPECT_EQ(reason([&] { remote_->remove("locked", "k", {.version = held.version}); }),
            "AccessDenied");
  remote_->set_legal_hold("locked", "k", held.version, true);
  EXPECT_TRUE(remote_->head("locked", "k", {}).attributes.legal_hold);
  remote_->set_legal_hold("locked", "k", held.version, false);
  remote_->remove("locked", "k", {.version = held.version, .bypass_governance = true});
  remote_->delete_bucket("locked");
}

TEST_F(RemoteStoreTest, Encryption) {
  const std::string key(32, 'k'), other(32, 'o');
  const std::string large = content_of(17 << 20);
  for (const std::string& content : {std::string("secret"), large}) {
    put("k", content, {.encryption = Encryption::kS3});
    EXPECT_EQ(remote_->head("lake", "k", {}).encryption, Encryption::kS3);
    EXPECT_TRUE(read(*remote_, "k") == content);
    const WriteOptions customer{.encryption = Encryption::kCustomer, .customer_key = key};
    put("c", content, customer);
    EXPECT_TRUE(read(*remote_, "c", {.customer_key = key}) == content);
    EXPECT_EQ(remote_->head("lake", "c", {.customer_key = key}).encryption, Encryption::kCustomer);
    EXPECT_NE(reason([&] { remote_->get("lake", "c", {.customer_key = other}); }), "done");
    EXPECT_NE(reason([&] { remote_->get("lake", "c", {}); }), "done");
    Object copied = remote_->copy("lake", "c", {.customer_key = key}, "lake", "d", std::nullopt,
                                  {.encryption = Encryption::kCustomer, .customer_key = other}, {});
    EXPECT_TRUE(read(*remote_, "d", {.customer_key = other}) == content);
  }
  EXPECT_EQ(put("plain", "x").encryption, Encryption::kNone);
}

TEST_F(RemoteStoreTest, AnOwnerThatNobodyKnowsIsNotHeldAgainstAClient) {
  const auto local = std::exchange(store_, std::move(remote_));
  const auto behind = std::move(server_);
  start({});
  const Fields expected = {{"x-amz-expected-bucket-owner", "123456789012"}};
  EXPECT_EQ(ask("HEAD", "/lake", {}, expected).status, 200);
  EXPECT_EQ(ask("PUT", "/lake/k", {}, expected, "content").status, 200);
  EXPECT_EQ(ask("PUT", "/lake/copied", {},
                {{"x-amz-copy-source", "/lake/k"},
                 {"x-amz-source-expected-bucket-owner", "123456789012"}})
                .status,
            200);
  EXPECT_EQ(ask("GET", "/lake/copied", {}, expected).body, "content");
}

TEST_F(RemoteStoreTest, TellsWhatChanged) {
  std::vector<std::string> events;
  remote_->on_event([&](const Event& event) {
    events.push_back(event.name + " " + event.bucket + "/" + event.object.key);
    EXPECT_EQ(event.caller ? event.caller->user : "nobody", "ann");
  });
  const ActingFor acting({"ann", "", ""});
  put("a", "1");
  put("b", content_of(17 << 20));
  remote_->copy("lake", "a", {}, "lake", "c", std::nullopt, {}, {});
  remote_->remove("lake", "a", {});
  EXPECT_THAT(
      events,
      ElementsAre("s3:ObjectCreated:Put lake/a", "s3:ObjectCreated:CompleteMultipartUpload lake/b",
                  "s3:ObjectCreated:Copy lake/c", "s3:ObjectRemoved:Delete lake/a"));
}

}  // namespace
}  // namespace meesh::serve::s3
