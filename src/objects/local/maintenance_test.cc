// Scrub, backup, rebuild.
#include "objects/maintenance.h"

#include <fcntl.h>

#include "objects/local/test_store.h"

namespace meesh::objects {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;
using testing::UnorderedElementsAre;

constexpr size_t kPart = 5 << 20;

class MaintenanceTest : public LocalStoreTest {
 protected:
  MaintenanceTest() {
    make_bucket("lake", Versioning::kEnabled);
    put(*store_, "lake", "small", "tiny", {}, {.expected = {{ChecksumKind::kCrc32c, ""}}});
    put(*store_, "lake", "large", content_of(100'000, 1));
    put(*store_, "lake", "large", content_of(120'000, 2), {},
        {.expected = {{ChecksumKind::kSha256, ""}}}, {.content_type = "x/y"});
    put(*store_, "lake", "sealed", content_of(130'000, 3), {}, {.encryption = Encryption::kS3});
    put(*store_, "lake", "private", content_of(140'000, 4), {},
        {.encryption = Encryption::kCustomer, .customer_key = key_});
    put_parts("parts");
    store_->remove("lake", "gone", {});
    store_->copy("lake", "sealed", {}, "lake", "copied", {}, {.encryption = Encryption::kS3}, {});
  }

  void put_parts(const std::string& key) {
    const Upload upload =
        store_->start_upload("lake", key, {}, ChecksumKind::kCrc64Nvme, false, {});
    std::vector<CompletedPart> parts;
    for (int number : {1, 2}) {
      const auto writer = store_->put_part("lake", key, upload.id, number, {});
      writer->write(content_of(number == 1 ? kPart : 1000, 9));
      const Object made = writer->commit({});
      parts.push_back({number, made.etag, made.checksums});
    }
    store_->complete_upload("lake", key, upload.id, parts, {}, {});
  }
  static void expect_whole(Store& store) {
    EXPECT_TRUE(get(store, "lake", "large") == content_of(120'000, 2));
    EXPECT_EQ(store.head("lake", "large", {}).attributes.content_type, "x/y");
    EXPECT_TRUE(get(store, "lake", "sealed") == content_of(130'000, 3));
    EXPECT_TRUE(get(store, "lake", "copied") == content_of(130'000, 3));
    EXPECT_TRUE(get(store, "lake", "private", {.customer_key = CustomerKey(32, 'c')}) ==
                content_of(140'000, 4));
    EXPECT_TRUE(get(store, "lake", "parts") == content_of(kPart, 9) + content_of(1000, 9));
    EXPECT_EQ(store.head("lake", "parts", {}).parts.size(), 2u);
  }
  /// The payload file whose stored content begins as given.
  std::filesystem::path file_of(std::string_view content) {
    for (const auto& entry :
         std::filesystem::recursive_directory_iterator(folder_.path() / "objects" / "payload")) {
      if (!entry.is_regular_file()) continue;
      char begin[16] = {};
      read_at(Disk().open(entry.path()), 0, begin, sizeof begin);
      if (content.starts_with(std::string_view(begin, sizeof begin))) return entry.path();
    }
    ADD_FAILURE() << "no file";
    return {};
  }
  static void damage(const std::filesystem::path& file, uint64_t offset) {
    const Descriptor opened(::open(file.c_str(), O_RDWR | O_CLOEXEC));
    char byte = 0;
    read_at(opened, offset, &byte, 1);
    byte = static_cast<char>(byte ^ 1);
    Disk().write(opened, offset, {&byte, 1});
  }
  std::vector<std::string> damaged() {
    std::vector<std::string> found;
    for (const auto& damage : maintenance(*store_).scrub({}).damaged) {
      found.push_back(damage.key + ": " + damage.what);
    }
    return found;
  }

  const CustomerKey key_ = CustomerKey(32, 'c');
};

TEST_F(MaintenanceTest, ScrubFindsNothingWrong) {
  const ScrubReport report = maintenance(*store_).scrub({});
  EXPECT_TRUE(report.complete);
  EXPECT_THAT(report.damaged, IsEmpty());
  EXPECT_THAT(report.orphans, IsEmpty());
  EXPECT_EQ(report.versions, 8u);
  EXPECT_EQ(report.sealed_by_customers, 1u);
  EXPECT_EQ(report.bytes, 4 + 100'000 + 120'000 + 2 * 130'000 + kPart + 1000);
  int calls = 0;
  EXPECT_FALSE(
      maintenance(*store_).scrub([&](uint64_t, uint64_t) { return ++calls < 3; }).complete);
  EXPECT_EQ(calls, 3);
}

TEST_F(MaintenanceTest, ScrubFindsEveryDamage) {
  damage(file_of(content_of(100, 1)), 99'999);
  EXPECT_THAT(damaged(), ElementsAre("large: its MD5 does not fit"));
  const auto current = file_of(content_of(100, 2));
  damage(current, 120'010);
  EXPECT_THAT(damaged(), UnorderedElementsAre("large: its MD5 does not fit",
                                              "large: its file's footer is damaged"));
  std::filesystem::remove(current);
  EXPECT_THAT(damaged(),
              UnorderedElementsAre("large: its MD5 does not fit", "large: its file is missing"));
  EXPECT_REASON(kInternalError, get(*store_, "lake", "large"));
}

TEST_F(MaintenanceTest, ScrubTellsSealedBlocksThatWereChanged) {
  for (const auto& entry :
       std::filesystem::recursive_directory_iterator(folder_.path() / "objects" / "payload")) {
    if (entry.is_regular_file() && entry.file_size() > 130'000 && entry.file_size() < 139'000) {
      damage(entry.path(), 70'000);
    }
  }
  EXPECT_THAT(damaged(), SizeIs(2)) << "the object and its copy";
}

TEST_F(MaintenanceTest, BackupIsAStoreOfItsOwn) {
  const auto folder = folder_.path() / "deeper" / "backup";
  const BackupReport report = maintenance(*store_).backup(folder, {});
  EXPECT_EQ(report.payloads, payloads());
  EXPECT_EQ(report.linked, report.payloads);
  EXPECT_THROW(maintenance(*store_).backup(folder, {}), Error);
  for (const char* key : {"large", "sealed", "parts"}) {
    store_->remove("lake", key, {});
    for (const auto& version : store_->list_versions("lake", {.prefix = key}).versions) {
      store_->remove("lake", key, {.version = version.version});
    }
  }
  maintenance(*store_).collect_garbage();
  LocalOptions copied = options();
  copied.folder = folder;
  const auto backup = open_local(copied);
  expect_whole(*backup);
  EXPECT_EQ(get(*backup, "lake", "small"), "tiny");
  EXPECT_THAT(maintenance(*backup).scrub({}).damaged, IsEmpty());
  put(*backup, "lake", "new", content_of(50'000));
  EXPECT_REASON(kNoSuchKey, store_->head("lake", "new", {}));
}

TEST_F(MaintenanceTest, BackupGivenUpLeavesNothing) {
  const auto folder = folder_.path() / "backup";
  uint64_t told = 0;
  EXPECT_THROW(maintenance(*store_).backup(folder,
                                           [&](uint64_t done, uint64_t total) {
                                             EXPECT_GT(total, done);
                                             told = total;
                                             return false;
                                           }),
               Error);
  EXPECT_EQ(told, payloads());
  EXPECT_FALSE(std::filesystem::exists(folder));
  EXPECT_FALSE(std::filesystem::exists(folder.string() + ".part"));
  maintenance(*store_).backup(folder / "", {});
  EXPECT_TRUE(std::filesystem::exists(folder / "index.db"));
}

TEST_F(MaintenanceTest, TellsWhoHoldsTheFolder) {
  EXPECT_EQ(holder_of(options().folder), std::to_string(getpid()));
  store_.reset();
  EXPECT_EQ(holder_of(options().folder), std::nullopt);
  EXPECT_EQ(holder_of(folder_.path() / "none"), std::nullopt);
}

TEST_F(MaintenanceTest, BackupWhileWriting) {
  std::atomic<bool> stop = false;
  std::thread writer([&] {
    for (uint32_t i = 0; !stop; ++i) {
      put(*store_, "lake", "busy", content_of(20'000 + i % 7, i));
      maintenance(*store_).collect_garbage();
    }
  });
  for (int i = 0; i < 3; ++i) {
    LocalOptions copied = options();
    copied.folder = folder_.path() / fmt::format("backup{}", i);
    maintenance(*store_).backup(copied.folder, {});
    const auto backup = open_local(copied);
    const ScrubReport report = maintenance(*backup).scrub({});
    EXPECT_THAT(report.damaged, IsEmpty());
    EXPECT_THAT(report.orphans, IsEmpty());
  }
  stop = true;
  writer.join();
}

TEST_F(MaintenanceTest, RebuildFindsWhatLiesInFiles) {
  const auto versions = [&] {
    std::vector<std::string> told;
    for (const Object& object : store_->list_versions("lake", {}).versions) {
      if (object.delete_marker || object.key == "small") continue;
      told.push_back(fmt::format("{} {} {} {} {}", object.key, object.version, object.latest,
                                 object.etag, object.size));
    }
    return told;
  };
  make_bucket("plain");
  put(*store_, "plain", "k", content_of(30'000));
  const auto before = versions();
  EXPECT_THROW(rebuild_local(options()), Error) << "the index is there";
  store_.reset();
  for (const char* name : {"index.db", "index.db-wal", "index.db-shm"}) {
    std::filesystem::remove(folder_.path() / "objects" / name);
  }
  const RebuildReport report = rebuild_local(options());
  EXPECT_THAT(report.problems, IsEmpty());
  EXPECT_EQ(report.objects, before.size() + 1);
  reopen();
  EXPECT_EQ(versions(), before);
  expect_whole(*store_);
  EXPECT_TRUE(get(*store_, "plain", "k") == content_of(30'000));
  EXPECT_EQ(store_->bucket("plain").versioning, Versioning::kNever);
  EXPECT_EQ(store_->usage("lake").objects, 5u);
  EXPECT_THAT(maintenance(*store_).scrub({}).damaged, IsEmpty());
  EXPECT_REASON(kNoSuchKey, store_->head("lake", "small", {}));
  put(*store_, "lake", "large", "next");
  EXPECT_EQ(get(*store_, "lake", "large"), "next");
}

TEST_F(MaintenanceTest, RebuildTellsWhatIsMissing) {
  std::filesystem::remove(file_of(content_of(100, 9)));
  store_.reset();
  for (const char* name : {"index.db", "index.db-wal", "index.db-shm"}) {
    std::filesystem::remove(folder_.path() / "objects" / name);
  }
  const RebuildReport report = rebuild_local(options());
  ASSERT_THAT(report.problems, SizeIs(1));
  EXPECT_THAT(report.problems[0], testing::HasSubstr("'lake/parts' needs it"));
}

}  // namespace
}  // namespace meesh::objects
