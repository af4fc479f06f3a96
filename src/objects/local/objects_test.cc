// Buckets and single objects on local disk.
#include <set>
#include <thread>

#include "base/text.h"
#include "objects/caller.h"
#include "objects/local/test_store.h"
#include "objects/local/versions.h"

namespace meesh::objects {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class ObjectsTest : public LocalStoreTest {
 protected:
  ObjectsTest() { make_bucket("lake"); }
};

TEST_F(ObjectsTest, BucketsComeGoAndChange) {
  make_bucket("another");
  EXPECT_EQ(store_->buckets().size(), 2u);
  EXPECT_REASON(kBucketAlreadyOwnedByYou, make_bucket("lake"));
  EXPECT_REASON(kBucketAlreadyExists, store_->create_bucket({.name = "lake", .owner = "you"}));
  EXPECT_REASON(kInvalidBucketName, make_bucket("Lake"));
  EXPECT_REASON(kNoSuchBucket, store_->bucket("none"));
  EXPECT_REASON(kNoSuchBucket, put(*store_, "none", "k", "x"));
  store_->edit_bucket("lake", [](Bucket& bucket) {
    bucket.documents["policy"] = "{}";
    bucket.quota = 7;
  });
  put(*store_, "lake", "k", "x");
  EXPECT_REASON(kBucketNotEmpty, store_->delete_bucket("lake"));
  reopen();
  EXPECT_EQ(store_->bucket("lake").documents.at("policy"), "{}");
  EXPECT_EQ(store_->bucket("lake").quota, 7u);
  EXPECT_EQ(store_->bucket("lake").owner, "me");
  store_->remove("lake", "k", {});
  store_->delete_bucket("lake");
  EXPECT_REASON(kNoSuchBucket, store_->list("lake", {}));
  make_bucket("lake");
  EXPECT_THAT(store_->list("lake", {}).objects, IsEmpty());
}

TEST_F(ObjectsTest, ObjectsOfEverySizeComeBack) {
  const size_t inline_bytes = options().inline_bytes;
  for (const size_t size :
       std::initializer_list<size_t>{0, 1, inline_bytes - 1, inline_bytes, inline_bytes + 1,
                                     512 << 10, (512 << 10) + 1, 5'000'000, 12 << 20}) {
    const std::string content = content_of(size, static_cast<uint32_t>(size));
    for (const bool declared : {false, true}) {
      WriteOptions write;
      if (declared) write.size = size;
      for (const ChecksumKind kind : kChecksumKinds) write.expected[kind] = "";
      const Object made = put(*store_, "lake", "k", content, {}, write);
      Md5 md5;
      md5.update(content);
      EXPECT_EQ(made.etag, base::to_hex(md5.raw()));
      EXPECT_EQ(made.checksums.size(), kChecksumKinds.size());
      for (const ChecksumKind kind : kChecksumKinds) {
        const auto checksum = Checksum::start(kind);
        checksum->update(content);
        EXPECT_EQ(made.checksums.at(kind), base::to_base64(checksum->raw()));
      }
      const auto reader = store_->get("lake", "k", {});
      EXPECT_EQ(reader->object().size, size);
      EXPECT_TRUE(read_all(*reader, 300'001) == content) << size;
      EXPECT_EQ(reader->file().has_value(), size > inline_bytes);
      const Object head = store_->head("lake", "k", {});
      EXPECT_EQ(head.etag, made.etag);
      EXPECT_EQ(head.checksums, made.checksums);
    }
  }
  EXPECT_EQ(payloads(), 1u);
  reopen();
  EXPECT_EQ(get(*store_, "lake", "k"), content_of(12 << 20, 12 << 20));
}

TEST_F(ObjectsTest, ManySmallWritesMakeOneObject) {
  const std::string content = content_of(1'300'000);
  const auto writer = store_->put("lake", "k", {}, {});
  for (size_t at = 0; at < content.size(); at += 777) {
    writer->write(std::string_view(content).substr(at, 777));
  }
  writer->commit({});
  EXPECT_TRUE(get(*store_, "lake", "k") == content);
  char buffer[10];
  const auto reader = store_->get("lake", "k", {});
  EXPECT_EQ(reader->read(1'299'995, buffer, 10), 5u);
  EXPECT_EQ(std::string_view(buffer, 5), content.substr(1'299'995));
  EXPECT_EQ(reader->read(1'300'000, buffer, 10), 0u);
}

TEST_F(ObjectsTest, AttributesComeBack) {
  Attributes attributes{.content_type = "text/csv",
                        .cache_control = "no-cache",
                        .content_disposition = "inline",
                        .content_encoding = "gzip",
                        .content_language = "de",
                        .expires = "Thu, 01 Dec 1994 16:00:00 GMT",
                        .metadata = {{"a", "1"}, {"ü", std::string("\0x", 2)}},
                        .tags = {{"k", "v"}},
                        .storage_class = "STANDARD_IA",
                        .acl = "public-read",
                        .owner = "me"};
  put(*store_, "lake", "k", "x", {}, {}, attributes);
  reopen();
  const Attributes back = store_->head("lake", "k", {}).attributes;
  EXPECT_EQ(back.content_type, "text/csv");
  EXPECT_EQ(back.cache_control, "no-cache");
  EXPECT_EQ(back.content_disposition, "inline");
  EXPECT_EQ(back.content_encoding, "gzip");
  EXPECT_EQ(back.content_language, "de");
  EXPECT_EQ(back.expires, attributes.expires);
  EXPECT_EQ(back.metadata, attributes.metadata);
  EXPECT_EQ(back.tags, attributes.tags);
  EXPECT_EQ(back.storage_class, "STANDARD_IA");
  EXPECT_EQ(back.acl, "public-read");
  EXPECT_EQ(back.owner, "me");
  store_->set_tags("lake", "k", "", {{"n", "2"}});
  store_->set_acl("lake", "k", "", "private");
  EXPECT_EQ(store_->head("lake", "k", {}).attributes.tags, (Tags{{"n", "2"}}));
  EXPECT_EQ(store_->head("lake", "k", {}).attributes.acl, "private");
  EXPECT_REASON(kNoSuchKey, store_->set_tags("lake", "none", "", {}));
}

TEST_F(ObjectsTest, WrongBodiesLeaveNoTrace) {
  const std::string content = content_of(100'000);
  EXPECT_REASON(kIncompleteBody, put(*store_, "lake", "k", content, {}, {.size = 100'001}));
  EXPECT_REASON(kIncompleteBody, put(*store_, "lake", "k", content, {}, {.size = 99'999}));
  EXPECT_REASON(kBadDigest, put(*store_, "lake", "k", content, {}, {.md5 = std::string(16, 'x')}));
  EXPECT_REASON(kBadDigest, put(*store_, "lake", "k", content, {},
                                {.expected = {{ChecksumKind::kCrc32, "AAAAAA=="}}}));
  {
    const auto writer =
        store_->put("lake", "k", {}, {.expected = {{ChecksumKind::kCrc64Nvme, ""}}});
    writer->write(content);
    writer->expect(ChecksumKind::kCrc64Nvme, "AAAAAAAAAAA=");
    EXPECT_REASON(kBadDigest, writer->commit({}));
  }
  {
    const auto writer = store_->put("lake", "k", {}, {});
    writer->write(content_of(3 << 20));
  }
  EXPECT_REASON(kNoSuchKey, store_->head("lake", "k", {}));
  EXPECT_EQ(payloads(), 0u);
  EXPECT_EQ(store_->usage("lake").versions, 0u);
}

TEST_F(ObjectsTest, KeysAreCheckedAndNeverPaths) {
  EXPECT_REASON(kInvalidArgument, put(*store_, "lake", "", "x"));
  EXPECT_REASON(kKeyTooLong, put(*store_, "lake", std::string(1025, 'k'), "x"));
  EXPECT_REASON(kInvalidArgument, put(*store_, "lake", "\xff", "x"));
  const std::string large = content_of(50'000);
  std::vector<std::string> keys = {"../../escape", "/absolute", "a//b", ".",
                                   "..",           "a\nb\x01",  "ключ", std::string(1024, 'k')};
  for (const auto& key : keys) put(*store_, "lake", key, large);
  for (const auto& key : keys) EXPECT_TRUE(get(*store_, "lake", key) == large) << key;
  std::sort(keys.begin(), keys.end());
  EXPECT_EQ(keys_of(store_->list("lake", {})), keys);
  EXPECT_EQ(payloads(), keys.size());
}

TEST_F(ObjectsTest, AReaderKeepsWhatItOpened) {
  const std::string content = content_of(200'000);
  put(*store_, "lake", "k", content);
  const auto reader = store_->get("lake", "k", {});
  put(*store_, "lake", "k", "new");
  EXPECT_EQ(payloads(), 1u) << "pinned";
  EXPECT_TRUE(read_all(*reader) == content);
  EXPECT_EQ(get(*store_, "lake", "k"), "new");
}

TEST_F(ObjectsTest, WriteConditions) {
  EXPECT_REASON(kNoSuchKey, put(*store_, "lake", "k", "x", {.if_match = "*"}));
  const Object first = put(*store_, "lake", "k", "1", {.if_none_match = "*"});
  EXPECT_REASON(kPreconditionFailed, put(*store_, "lake", "k", "x", {.if_none_match = "*"}));
  EXPECT_REASON(kPreconditionFailed, put(*store_, "lake", "k", "x", {.if_none_match = first.etag}));
  EXPECT_REASON(kPreconditionFailed, put(*store_, "lake", "k", "x", {.if_match = "other"}));
  put(*store_, "lake", "k", "2", {.if_match = first.etag});
  EXPECT_EQ(get(*store_, "lake", "k"), "2");
  EXPECT_REASON(kPreconditionFailed,
                store_->remove("lake", "k", {.condition = {.if_match = first.etag}}));
  EXPECT_REASON(kNoSuchKey, store_->remove("lake", "none", {.condition = {.if_match = "*"}}));
  store_->remove("lake", "k", {.condition = {.if_match = "*"}});
  EXPECT_REASON(kNoSuchKey, store_->head("lake", "k", {}));
}

TEST_F(ObjectsTest, ReadConditions) {
  const Object made = put(*store_, "lake", "k", "1");
  const auto head = [&](ReadCondition condition) {
    return store_->head("lake", "k", {.condition = std::move(condition)});
  };
  const Time before = made.modified - std::chrono::seconds(2);
  head({.if_match = made.etag, .if_none_match = "other"});
  head({.if_modified_since = before, .if_unmodified_since = made.modified});
  head({.if_match = "*", .if_unmodified_since = before});
  head({.if_none_match = "other", .if_modified_since = made.modified});
  EXPECT_REASON(kPreconditionFailed, head({.if_match = "other"}));
  EXPECT_REASON(kPreconditionFailed, head({.if_unmodified_since = before}));
  EXPECT_REASON(kNotModified, head({.if_none_match = made.etag}));
  EXPECT_REASON(kNotModified, head({.if_none_match = "*"}));
  EXPECT_REASON(kNotModified, head({.if_modified_since = made.modified}));
}

TEST_F(ObjectsTest, OnlyOneOfManyCreates) {
  std::atomic<int> won = 0, lost = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < 16; ++i) {
    threads.emplace_back([&, i] {
      try {
        put(*store_, "lake", "k", std::to_string(i), {.if_none_match = "*"});
        ++won;
      } catch (const ObjectError& error) {
        lost += error.reason() == Reason::kPreconditionFailed;
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(won, 1);
  EXPECT_EQ(lost, 15);
}

TEST_F(ObjectsTest, ACounterByIfMatchLosesNothing) {
  put(*store_, "lake", "counter", "0");
  constexpr int kThreads = 8, kEach = 20;
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([&] {
      for (int done = 0; done < kEach;) {
        const auto reader = store_->get("lake", "counter", {});
        const int value = std::stoi(read_all(*reader));
        try {
          // An ETag is the content's, so that a value that comes again would be an ABA: it never
          // does here.
          put(*store_, "lake", "counter", std::to_string(value + 1),
              {.if_match = reader->object().etag});
          ++done;
        } catch (const ObjectError& error) {
          ASSERT_EQ(error.reason(), Reason::kPreconditionFailed);
        }
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(get(*store_, "lake", "counter"), std::to_string(kThreads * kEach));
}

TEST_F(ObjectsTest, RemoveAllTellsEachOutcome) {
  put(*store_, "lake", "a", "1");
  put(*store_, "lake", "b", content_of(50'000));
  const auto outcomes = store_->remove_all(
      "lake", {{"a", {}}, {"none", {}}, {"", {}}, {"b", {.condition = {.if_match = "x"}}}});
  ASSERT_EQ(outcomes.size(), 4u);
  EXPECT_FALSE(outcomes[0].error);
  EXPECT_FALSE(outcomes[1].error);
  EXPECT_EQ(outcomes[2].error->reason(), Reason::kInvalidArgument);
  EXPECT_EQ(outcomes[3].error->reason(), Reason::kPreconditionFailed);
  EXPECT_THAT(keys_of(store_->list("lake", {})), ElementsAre("b"));
}

TEST_F(ObjectsTest, UsageAndQuota) {
  store_->edit_bucket("lake", [](Bucket& bucket) { bucket.quota = 100; });
  put(*store_, "lake", "a", std::string(60, 'x'));
  EXPECT_REASON(kQuotaExceeded, put(*store_, "lake", "b", std::string(41, 'x')));
  put(*store_, "lake", "a", std::string(100, 'x'));
  EXPECT_EQ(store_->usage("lake").bytes, 100u);
  EXPECT_EQ(store_->usage("lake").objects, 1u);
  EXPECT_REASON(kQuotaExceeded, put(*store_, "lake", "a", std::string(101, 'x')));
  store_->remove("lake", "a", {});
  EXPECT_EQ(store_->usage("lake").bytes, 0u);
  EXPECT_EQ(store_->usage("lake").objects, 0u);
}

TEST_F(ObjectsTest, OneProcessAtATime) {
  try {
    open_local(options());
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::kConfigInvalid);
    EXPECT_THAT(error.what(), testing::HasSubstr(std::to_string(getpid())));
  }
  const auto mode = std::filesystem::status(folder_.path() / "objects").permissions();
  EXPECT_EQ(mode & std::filesystem::perms::mask, std::filesystem::perms::owner_all);
}

/// So many bytes fit; what is removed makes room again.
class SmallDisk final : public Disk {
 public:
  void write(const Descriptor& file, uint64_t offset, std::string_view bytes) override {
    if (full_) throw ObjectError(Reason::kStorageFull, "full");
    Disk::write(file, offset, bytes);
  }
  void sync(const Descriptor& file, const std::filesystem::path& name) override {
    if (broken_) throw Error(Code::kIoError, "sync failed");
    Disk::sync(file, name);
  }
  std::atomic<bool> full_ = false, broken_ = false;
};

TEST_F(ObjectsTest, AFullDiskLosesAndLeaksNothing) {
  const auto disk = std::make_shared<SmallDisk>();
  store_ = nullptr;
  store_ = std::make_unique<LocalStore>(options(), disk);
  const std::string content = content_of(2 << 20);
  put(*store_, "lake", "k", content);
  const Upload upload = store_->start_upload("lake", "u", {}, {}, true, {});
  {
    const auto under_way = store_->put("lake", "k", {}, {});
    under_way->write(content_of(3 << 20));
    disk->full_ = true;
    EXPECT_REASON(kStorageFull, under_way->write(content_of(3 << 20)));
  }
  EXPECT_REASON(kStorageFull, put(*store_, "lake", "k", content_of(50'000)));
  EXPECT_REASON(kStorageFull, [&] {
    const auto writer = store_->put_part("lake", "u", upload.id, 1, {});
    writer->write("x");
    writer->commit({});
  }());
  disk->full_ = false;
  disk->broken_ = true;
  EXPECT_THROW(put(*store_, "lake", "k", content_of(50'000)), Error);
  EXPECT_TRUE(get(*store_, "lake", "k") == content);
  disk->broken_ = false;
  put(*store_, "lake", "k", content_of(50'000));
  EXPECT_TRUE(get(*store_, "lake", "k") == content_of(50'000));
  EXPECT_EQ(store_->usage("lake").bytes, 50'000u);
  EXPECT_TRUE(store_->parts("lake", "u", upload.id, 0, 10).empty());
  store_.reset();
  reopen();
  EXPECT_THAT(maintenance(*store_).scrub({}).orphans, IsEmpty());
  EXPECT_EQ(payloads(), 1u);
}

TEST_F(ObjectsTest, EventsAreToldInOrder) {
  std::vector<std::string> told;
  store_->on_event([&](const Event& event) {
    told.push_back(event.name + " " + event.bucket + "/" + event.object.key);
  });
  put(*store_, "lake", "a", "1");
  EXPECT_REASON(kPreconditionFailed, put(*store_, "lake", "a", "1", {.if_none_match = "*"}));
  store_->copy("lake", "a", {}, "lake", "b", {}, {}, {});
  store_->remove("lake", "a", {});
  store_->remove("lake", "a", {});
  EXPECT_THAT(told, ElementsAre("s3:ObjectCreated:Put lake/a", "s3:ObjectCreated:Copy lake/b",
                                "s3:ObjectRemoved:Delete lake/a"));
}

TEST_F(ObjectsTest, EventsNameWhoAskedForTheChangeAndNotWhoTellsOfIt) {
  std::vector<std::string> told;
  std::set<std::thread::id> tellers;
  std::thread other;
  store_->on_event([&](const Event& event) {
    told.push_back(event.object.key + " by " + (event.caller ? event.caller->user : "nobody"));
    tellers.insert(std::this_thread::get_id());
    if (event.object.key != "a") return;
    other = std::thread([&] {
      const ActingFor acting({"ben", "", ""});
      put(*store_, "lake", "b", "");
    });
    while (store_->list("lake", {.prefix = "b"}).objects.empty()) std::this_thread::yield();
    make_bucket("behind");  // when it is made the index has handed over the event of "b"
  });
  {
    const ActingFor acting({"ann", "", ""});
    put(*store_, "lake", "a", "");
  }
  other.join();
  EXPECT_THAT(told, ElementsAre("a by ann", "b by ben"));
  EXPECT_THAT(tellers, ElementsAre(std::this_thread::get_id()));
  put(*store_, "lake", "c", "");
  EXPECT_EQ(told.back(), "c by nobody");
}

}  // namespace
}  // namespace meesh::objects
