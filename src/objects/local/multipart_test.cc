// Multipart uploads, encryption and copies.
#include <openssl/evp.h>

#include "base/text.h"
#include "objects/local/test_store.h"

namespace meesh::objects {
namespace {

using testing::ElementsAre;

constexpr size_t kPart = 5 << 20;

class MultipartTest : public LocalStoreTest {
 protected:
  MultipartTest() { make_bucket("lake"); }

  Upload start(const std::string& key, std::optional<ChecksumKind> checksum = {},
               bool composite = true, const WriteOptions& options = {}) {
    return store_->start_upload("lake", key, {.content_type = "x/y"}, checksum, composite, options);
  }
  CompletedPart part(const Upload& upload, int number, std::string_view content,
                     const WriteOptions& options = {}) {
    const auto writer = store_->put_part("lake", upload.key, upload.id, number, options);
    writer->write(content);
    const Object made = writer->commit({});
    return {number, made.etag, made.checksums};
  }
  Object complete(const Upload& upload, const std::vector<CompletedPart>& parts,
                  const Checksums& expected = {}, const WriteCondition& condition = {}) {
    return store_->complete_upload("lake", upload.key, upload.id, parts, expected, condition);
  }
};

std::string md5_hex(std::string_view text) {
  Md5 md5;
  md5.update(text);
  return base::to_hex(md5.raw());
}

std::string value_of(ChecksumKind kind, std::string_view text) {
  const auto checksum = Checksum::start(kind);
  checksum->update(text);
  return base::to_base64(checksum->raw());
}

TEST_F(MultipartTest, PartsBecomeOneObject) {
  const std::string content = content_of(2 * kPart + 1000);
  const Upload upload = start("k");
  EXPECT_EQ(upload.checksum, ChecksumKind::kCrc64Nvme) << "the store's choice";
  EXPECT_FALSE(upload.composite);
  // In any order; one is sent twice and one not used.
  const auto third = part(upload, 7, content.substr(2 * kPart));
  part(upload, 1, "wrong");
  const auto first = part(upload, 1, content.substr(0, kPart));
  const auto second = part(upload, 3, content.substr(kPart, kPart));
  part(upload, 9, "unused");
  EXPECT_EQ(payloads(), 4u);
  EXPECT_REASON(kNoSuchKey, store_->head("lake", "k", {}));
  const Object made = complete(upload, {first, second, third});
  EXPECT_EQ(made.size, content.size());
  EXPECT_EQ(made.checksums.at(ChecksumKind::kCrc64Nvme),
            value_of(ChecksumKind::kCrc64Nvme, content));
  EXPECT_TRUE(made.etag.ends_with("-3"));
  EXPECT_EQ(made.attributes.content_type, "x/y");
  EXPECT_EQ(payloads(), 4u) << "three parts and the manifest";
  reopen();
  auto reader = store_->get("lake", "k", {});
  EXPECT_TRUE(read_all(*reader, 999'999) == content);
  EXPECT_FALSE(reader->file());
  EXPECT_EQ(reader->object().parts.size(), 3u);
  auto second_part = store_->get("lake", "k", {.part = 3});
  EXPECT_EQ(second_part->object().size, kPart);
  EXPECT_TRUE(read_all(*second_part) == content.substr(kPart, kPart));
  EXPECT_TRUE(second_part->file());
  EXPECT_REASON(kInvalidRange, store_->head("lake", "k", {.part = 2}));
  EXPECT_REASON(kNoSuchUpload, store_->upload("lake", "k", upload.id));
  // Again, the same answer; other parts are another question.
  EXPECT_EQ(complete(upload, {first, second, third}).etag, made.etag);
  EXPECT_EQ(complete(upload, {first, second, third}).size, made.size);
  EXPECT_REASON(kNoSuchUpload, complete(upload, {first, second}));
  store_->remove("lake", "k", {});
  EXPECT_EQ(payloads(), 3u) << "being read";
  EXPECT_TRUE(read_all(*reader) == content);
  reader.reset();
  second_part.reset();
  EXPECT_EQ(payloads(), 0u);
}

TEST_F(MultipartTest, WrongListsAreRefused) {
  const Upload upload = start("k");
  const auto first = part(upload, 1, "small"), second = part(upload, 2, "end");
  EXPECT_REASON(kEntityTooSmall, complete(upload, {first, second}));
  EXPECT_REASON(kInvalidPartOrder, complete(upload, {second, first}));
  EXPECT_REASON(kInvalidPartOrder, complete(upload, {first, first}));
  EXPECT_REASON(kInvalidPart, complete(upload, {{3, first.etag, {}}}));
  EXPECT_REASON(kInvalidPart, complete(upload, {{1, second.etag, {}}}));
  EXPECT_REASON(kMalformedXML, complete(upload, {}));
  EXPECT_REASON(kInvalidArgument, part(upload, 0, "x"));
  EXPECT_REASON(kInvalidArgument, part(upload, 10'001, "x"));
  EXPECT_REASON(kNoSuchUpload, store_->put_part("lake", "other", upload.id, 1, {}));
  EXPECT_REASON(kNoSuchUpload, store_->put_part("lake", "k", "nonsense", 1, {}));
  EXPECT_REASON(kBucketNotEmpty, store_->delete_bucket("lake"));
  EXPECT_REASON(kNoSuchKey, complete(upload, {first}, {}, {.if_match = "*"}));
  EXPECT_EQ(complete(upload, {first}).size, 5u);
  EXPECT_REASON(kPreconditionFailed, [&] {
    const Upload again = start("k");
    complete(again, {part(again, 1, "x")}, {}, {.if_none_match = "*"});
  }());
}

TEST_F(MultipartTest, Checksums) {
  const std::string content = content_of(kPart + 77), a = content.substr(0, kPart),
                    b = content.substr(kPart);
  for (const ChecksumKind kind : kChecksumKinds) {
    const Upload upload = start("k", kind, true);
    const auto first = part(upload, 1, a), second = part(upload, 2, b);
    EXPECT_EQ(first.checksums.at(kind), value_of(kind, a));
    CompletedPart wrong = second;
    wrong.checksums[kind] = first.checksums.at(kind);
    EXPECT_REASON(kInvalidPart, complete(upload, {first, wrong}));
    const Object made = complete(upload, {first, second});
    EXPECT_TRUE(made.composite);
    const std::string both =
        *base::from_base64(value_of(kind, a)) + *base::from_base64(value_of(kind, b));
    EXPECT_EQ(made.checksums.at(kind), value_of(kind, both) + "-2");
  }
  for (const ChecksumKind kind : kChecksumKinds) {
    if (!has_full_object_form(kind)) {
      EXPECT_REASON(kInvalidRequest, start("k", kind, false));
      continue;
    }
    const Upload upload = start("k", kind, false);
    const auto first = part(upload, 1, a), second = part(upload, 2, b);
    EXPECT_REASON(kBadDigest, complete(upload, {first, second}, {{kind, value_of(kind, a)}}));
    const Object made = complete(upload, {first, second}, {{kind, value_of(kind, content)}});
    EXPECT_FALSE(made.composite);
    EXPECT_EQ(made.checksums.at(kind), value_of(kind, content));
    EXPECT_EQ(store_->head("lake", "k", {}).checksums, made.checksums);
  }
}

TEST_F(MultipartTest, UploadsAndPartsAreListedAndAborted) {
  std::vector<Upload> uploads;
  for (const char* key : {"a", "a", "b/1", "b/2", "c"}) uploads.push_back(start(key));
  for (int number = 1; number <= 5; ++number) part(uploads[0], number, "x");
  const auto some = store_->parts("lake", "a", uploads[0].id, 2, 2);
  ASSERT_EQ(some.size(), 2u);
  EXPECT_EQ(some[0].number, 3);
  EXPECT_EQ(some[0].etag, md5_hex("x"));
  UploadListOptions options{.limit = 2};
  std::vector<std::string> ids;
  while (true) {
    const UploadListing page = store_->list_uploads("lake", options);
    for (const Upload& upload : page.uploads) ids.push_back(upload.id);
    if (!page.truncated) break;
    options.key_marker = page.next_key;
    options.id_marker = page.next_id;
  }
  ASSERT_EQ(ids.size(), 5u);
  for (size_t i = 0; i < ids.size(); ++i) EXPECT_EQ(ids[i], uploads[i].id);
  const UploadListing folded = store_->list_uploads("lake", {.delimiter = "/"});
  EXPECT_THAT(folded.common_prefixes, ElementsAre("b/"));
  EXPECT_EQ(folded.uploads.size(), 3u);
  // A part under way when its upload is aborted leaves no trace.
  const auto late = store_->put_part("lake", "a", uploads[0].id, 6, {});
  late->write("x");
  store_->abort_upload("lake", "a", uploads[0].id);
  EXPECT_REASON(kNoSuchUpload, late->commit({}));
  EXPECT_REASON(kNoSuchUpload, store_->abort_upload("lake", "a", uploads[0].id));
  EXPECT_REASON(kNoSuchUpload, store_->parts("lake", "a", uploads[0].id, 0, 1));
  EXPECT_EQ(store_->list_uploads("lake", {}).uploads.size(), 4u);
  EXPECT_EQ(payloads(), 0u);
}

TEST_F(MultipartTest, TwinsCompleteOnce) {
  make_bucket("versioned", Versioning::kEnabled);
  const Upload upload = store_->start_upload("versioned", "k", {}, {}, true, {});
  const auto writer = store_->put_part("versioned", "k", upload.id, 1, {});
  writer->write("content");
  const CompletedPart only{1, writer->commit({}).etag, {}};
  std::vector<std::string> versions(8);
  std::vector<std::thread> threads;
  for (auto& version : versions) {
    threads.emplace_back([&] {
      version = store_->complete_upload("versioned", "k", upload.id, {only}, {}, {}).version;
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(std::set<std::string>(versions.begin(), versions.end()).size(), 1u);
  EXPECT_EQ(store_->list_versions("versioned", {}).versions.size(), 1u);
  EXPECT_EQ(payloads(), 2u);
}

class EncryptionTest : public MultipartTest {};

TEST_F(EncryptionTest, ContentIsSealedAtRest) {
  for (const size_t size : std::initializer_list<size_t>{0, 5000, 200'000, 1 << 20}) {
    const std::string content(size, 'A');
    const Object made = put(*store_, "lake", "k", content, {}, {.encryption = Encryption::kS3});
    EXPECT_EQ(made.etag, md5_hex(content));
    EXPECT_EQ(made.size, size);
    EXPECT_TRUE(get(*store_, "lake", "k") == content);
    EXPECT_EQ(store_->head("lake", "k", {}).encryption, Encryption::kS3);
    const auto reader = store_->get("lake", "k", {});
    EXPECT_FALSE(reader->file());
    char buffer[100];
    if (size > 70'000) {
      EXPECT_EQ(reader->read(65'500, buffer, 100), 100u);
    }
  }
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder_.path())) {
    if (!entry.is_regular_file()) continue;
    const Descriptor file = Disk().open(entry.path());
    std::string bytes(entry.file_size(), '\0');
    read_at(file, 0, bytes.data(), bytes.size());
    EXPECT_EQ(bytes.find(std::string(64, 'A')), bytes.npos) << entry.path();
  }
}

TEST_F(EncryptionTest, OldMasterKeysStayReadable) {
  put(*store_, "lake", "k", "secret", {}, {.encryption = Encryption::kS3});
  current_key_ = "second";
  reopen();
  EXPECT_EQ(get(*store_, "lake", "k"), "secret");
  put(*store_, "lake", "n", "other", {}, {.encryption = Encryption::kS3});
  EXPECT_EQ(get(*store_, "lake", "n"), "other");
}

TEST_F(EncryptionTest, CustomersBringTheirKeys) {
  const CustomerKey key(32, 'c'), other(32, 'o');
  const WriteOptions write{.encryption = Encryption::kCustomer, .customer_key = key};
  for (const size_t size : {10, 300'000}) {
    const std::string content = content_of(size);
    EXPECT_EQ(put(*store_, "lake", "k", content, {}, write).customer_key_md5,
              customer_key_md5(key));
    EXPECT_TRUE(get(*store_, "lake", "k", {.customer_key = key}) == content);
    EXPECT_REASON(kInvalidRequest, get(*store_, "lake", "k"));
    EXPECT_REASON(kInvalidRequest, store_->head("lake", "k", {}));
    EXPECT_REASON(kAccessDenied, store_->head("lake", "k", {.customer_key = other}));
    EXPECT_EQ(store_->head("lake", "k", {.customer_key = key}).customer_key_md5,
              customer_key_md5(key));
  }
  put(*store_, "lake", "plain", "x");
  EXPECT_REASON(kInvalidRequest, store_->head("lake", "plain", {.customer_key = key}));
  EXPECT_REASON(kInvalidArgument,
                put(*store_, "lake", "k", "x", {},
                    {.encryption = Encryption::kCustomer, .customer_key = "short"}));
}

TEST_F(EncryptionTest, MultipartIsSealedToo) {
  const std::string content = content_of(kPart + 100'000);
  const CustomerKey key(32, 'c');
  for (const Encryption encryption : {Encryption::kS3, Encryption::kCustomer}) {
    WriteOptions write{.encryption = encryption};
    ReadOptions read;
    if (encryption == Encryption::kCustomer) write.customer_key = read.customer_key = key;
    const Upload upload = start("k", {}, true, write);
    if (encryption == Encryption::kCustomer) {
      EXPECT_REASON(kInvalidRequest, part(upload, 1, "x"));
      EXPECT_REASON(kAccessDenied, part(upload, 1, "x", {.customer_key = CustomerKey(32, 'o')}));
    }
    const auto first = part(upload, 1, content.substr(0, kPart), write);
    const auto second = part(upload, 2, content.substr(kPart), write);
    complete(upload, {first, second});
    EXPECT_TRUE(get(*store_, "lake", "k", read) == content);
    read.part = 2;
    EXPECT_TRUE(get(*store_, "lake", "k", read) == content.substr(kPart));
  }
}

class CopyTest : public MultipartTest {};

TEST_F(CopyTest, FilesAreSharedAndOutliveTheirSource) {
  make_bucket("other", Versioning::kEnabled);
  const std::string content = content_of(100'000);
  put(*store_, "lake", "k", content, {}, {}, {.content_type = "a/b", .tags = {{"t", "1"}}});
  put(*store_, "lake", "small", "tiny");
  const Object copied = store_->copy("lake", "k", {}, "other", "c", {}, {}, {});
  EXPECT_NE(copied.version, "null");
  EXPECT_EQ(copied.attributes.content_type, "a/b");
  EXPECT_EQ(copied.attributes.tags.size(), 1u);
  const Object replaced =
      store_->copy("lake", "small", {}, "other", "s", Attributes{.content_type = "n/n"}, {}, {});
  EXPECT_EQ(replaced.attributes.content_type, "n/n");
  EXPECT_EQ(payloads(), 2u) << "the content and the copy's manifest";
  store_->remove("lake", "k", {});
  store_->remove("lake", "small", {});
  EXPECT_EQ(payloads(), 2u);
  reopen();
  EXPECT_TRUE(get(*store_, "other", "c") == content);
  EXPECT_EQ(get(*store_, "other", "s"), "tiny");
  store_->remove("other", "c", {.version = copied.version});
  EXPECT_EQ(payloads(), 0u);
}

TEST_F(CopyTest, OntoItself) {
  const std::string content = content_of(100'000);
  put(*store_, "lake", "k", content);
  for (int i = 0; i < 3; ++i) {
    store_->copy("lake", "k", {}, "lake", "k", Attributes{.content_type = "n/n"}, {}, {});
  }
  EXPECT_TRUE(get(*store_, "lake", "k") == content);
  EXPECT_EQ(store_->head("lake", "k", {}).attributes.content_type, "n/n");
  EXPECT_EQ(payloads(), 2u);
  EXPECT_EQ(store_->usage("lake").bytes, content.size());
}

TEST_F(CopyTest, EncryptionMayChange) {
  const std::string content = content_of(100'000);
  const CustomerKey key(32, 'c');
  put(*store_, "lake", "k", content);
  store_->copy("lake", "k", {}, "lake", "sealed", {}, {.encryption = Encryption::kS3}, {});
  store_->copy("lake", "sealed", {}, "lake", "same", {}, {.encryption = Encryption::kS3}, {});
  store_->copy("lake", "sealed", {}, "lake", "mine", {},
               {.encryption = Encryption::kCustomer, .customer_key = key}, {});
  store_->copy("lake", "mine", {.customer_key = key}, "lake", "plain", {}, {}, {});
  store_->remove("lake", "sealed", {});
  EXPECT_TRUE(get(*store_, "lake", "same") == content);
  EXPECT_EQ(store_->head("lake", "same", {}).encryption, Encryption::kS3);
  EXPECT_TRUE(get(*store_, "lake", "mine", {.customer_key = key}) == content);
  EXPECT_TRUE(get(*store_, "lake", "plain") == content);
  EXPECT_TRUE(store_->get("lake", "plain", {})->file());
}

TEST_F(CopyTest, ConditionsAndErrors) {
  const Object made = put(*store_, "lake", "k", "1");
  const auto copy = [&](ReadCondition from, WriteCondition to) {
    store_->copy("lake", "k", {.condition = std::move(from)}, "lake", "c", {}, {}, to);
  };
  EXPECT_REASON(kPreconditionFailed, copy({.if_none_match = made.etag}, {}));
  EXPECT_REASON(kPreconditionFailed, copy({.if_match = "x"}, {}));
  EXPECT_REASON(kNoSuchKey, copy({}, {.if_match = "*"}));
  copy({}, {.if_none_match = "*"});
  EXPECT_REASON(kPreconditionFailed, copy({}, {.if_none_match = "*"}));
  EXPECT_REASON(kNoSuchKey, store_->copy("lake", "none", {}, "lake", "c", {}, {}, {}));
  EXPECT_REASON(kNoSuchBucket, store_->copy("lake", "k", {}, "none", "c", {}, {}, {}));
}

TEST_F(CopyTest, ChecksumsAskedForAreComputed) {
  put(*store_, "lake", "k", "content");
  const Object made = store_->copy("lake", "k", {}, "lake", "c", {},
                                   {.expected = {{ChecksumKind::kSha256, ""}}}, {});
  EXPECT_EQ(made.checksums.at(ChecksumKind::kSha256), value_of(ChecksumKind::kSha256, "content"));
}

TEST_F(CopyTest, OfAMultipartObject) {
  const std::string content = content_of(kPart + 5);
  const Upload upload = start("k");
  const auto first = part(upload, 1, content.substr(0, kPart)),
             second = part(upload, 2, content.substr(kPart));
  complete(upload, {first, second});
  store_->copy("lake", "k", {}, "lake", "c", {}, {}, {});
  store_->remove("lake", "k", {});
  EXPECT_TRUE(get(*store_, "lake", "c") == content);
  EXPECT_TRUE(get(*store_, "lake", "c", {.part = 2}) == content.substr(kPart));
  EXPECT_EQ(payloads(), 3u);
}

}  // namespace
}  // namespace meesh::objects
