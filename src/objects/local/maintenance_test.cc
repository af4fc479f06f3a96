// Scrub, backup, rebuild.
#include "objects/maintenance.h"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>

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
  maintenance(*store_).collect_garbage({});
  LocalOptions copied = options();
  copied.folder = folder;
  const auto backup = open_local(copied);
  expect_whole(*backup);
  EXPECT_EQ(get(*backup, "lake", "small"), "tiny");
  EXPECT_THAT(maintenance(*backup).scrub({}).damaged, IsEmpty());
  put(*backup, "lake", "new", content_of(50'000));
  EXPECT_REASON(kNoSuchKey, store_->head("lake", "new", {}));
}

/// Where files have but one name each.
class DiskWithoutLinks final : public Disk {
  bool link(const std::filesystem::path&, const std::filesystem::path&) override { return false; }
};

TEST_F(MaintenanceTest, BackupIsGivenUpInTheMiddleOfAFile) {
  store_.reset();
  LocalStore store(options(), std::make_shared<DiskWithoutLinks>());
  const auto folder = folder_.path() / "backup";
  const auto backup = [&](size_t steps) {
    size_t step = 0;
    const auto report = store.backup(folder, [&](uint64_t, uint64_t) { return ++step < steps; });
    EXPECT_EQ(report.linked, 0u);
    return step - report.payloads;
  };
  EXPECT_GE(backup(SIZE_MAX), kPart / (1 << 20)) << "calls beside the one for each file";
  LocalOptions copied = options();
  copied.folder = folder;
  expect_whole(*open_local(copied));
  std::filesystem::remove_all(folder);
  EXPECT_THROW(backup(1), Error);
  EXPECT_FALSE(std::filesystem::exists(folder.string() + ".part"));
}

TEST_F(MaintenanceTest, ABackupThatCannotBeMadeIsAnErrorOfItsOwn) {
  const auto folder = folder_.path() / "loop";
  std::filesystem::create_symlink("loop", folder);
  try {
    maintenance(*store_).backup(folder / "backup", {});
    ADD_FAILURE() << "made";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::kIoError);
  }
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
  const auto told = [&] {
    const auto holder = holder_of(options().folder);
    return holder ? holder->process + " " + holder->address : "nobody";
  };
  const std::string me = std::to_string(getpid());
  EXPECT_EQ(told(), me + " ");
  maintenance(*store_).tell_address("http://127.0.0.1:9000");
  EXPECT_EQ(told(), me + " http://127.0.0.1:9000");
  maintenance(*store_).tell_address("http://[::1]:1");
  EXPECT_EQ(told(), me + " http://[::1]:1");
  reopen();
  EXPECT_EQ(told(), me + " ") << "an address is that of one opening";
  EXPECT_THROW(open_local(options()), Error);
  store_.reset();
  EXPECT_EQ(told(), "nobody");
  EXPECT_FALSE(holder_of(folder_.path() / "none"));
}

TEST_F(MaintenanceTest, AHolderThatCannotBeAskedIsNotNobody) {
  const auto folder = folder_.path() / "loop";
  std::filesystem::create_directory(folder);
  std::filesystem::create_symlink("lock", folder / "lock");
  EXPECT_THROW(holder_of(folder), Error);
}

TEST_F(MaintenanceTest, WhoAsksForTheHolderKeepsNobodyFromOpening) {
  std::atomic<bool> stop = false;
  std::thread asking([&] {
    while (!stop) holder_of(options().folder);
  });
  for (int i = 0; i < 30; ++i) EXPECT_NO_THROW(reopen());
  stop = true;
  asking.join();
}

TEST_F(MaintenanceTest, WithoutHousekeepingNothingIsRemoved) {
  LocalOptions quiet, busy;
  quiet.folder = folder_.path() / "quiet";
  quiet.housekeeping = false;
  busy.folder = folder_.path() / "busy";
  const auto garbage_of = [](const LocalOptions& options) {
    auto store = open_local(options);
    store->create_bucket({.name = "lake"});
    put(*store, "lake", "k", content_of(50'000));
    store->remove("lake", "k", {});
    return store;
  };
  // The one that may do nothing had the time in which the other one did it.
  const auto first = garbage_of(quiet);
  const auto second = garbage_of(busy);
  while (files_in(busy.folder / "payload") > 0) std::this_thread::yield();
  EXPECT_EQ(files_in(quiet.folder / "payload"), 1u);
  EXPECT_EQ(maintenance(*first).collect_garbage({}), 1u);
}

TEST_F(MaintenanceTest, GarbageCollectionEndsWhenItIsAskedTo) {
  LocalOptions quiet;
  quiet.folder = folder_.path() / "quiet";
  quiet.housekeeping = false;
  const auto store = open_local(quiet);
  store->create_bucket({.name = "lake"});
  put(*store, "lake", "k", content_of(50'000));
  store->remove("lake", "k", {});
  EXPECT_EQ(maintenance(*store).collect_garbage([](uint64_t done, uint64_t total) {
    EXPECT_EQ(done, 0u);
    EXPECT_EQ(total, 1u);
    return false;
  }),
            0u);
  EXPECT_EQ(maintenance(*store).collect_garbage({}), 1u);
}

TEST_F(MaintenanceTest, BackupWhileWriting) {
  std::atomic<bool> stop = false;
  std::thread writer([&] {
    for (uint32_t i = 0; !stop; ++i) {
      put(*store_, "lake", "busy", content_of(20'000 + i % 7, i));
      maintenance(*store_).collect_garbage({});
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

constexpr const char* kRebuildFolder = "MEESH_REBUILD_FOLDER";

TEST(RebuildChild, Rebuilds) {
  const char* folder = std::getenv(kRebuildFolder);  // NOLINT(concurrency-mt-unsafe)
  if (!folder) GTEST_SKIP() << "runs in a child of InterruptedRebuildsDoNotPassAsWhole";
  LocalOptions options;
  options.folder = folder;
  rebuild_local(options);
}

/// The exit status of a rebuild in a process of its own.
int rebuild_in_child(const std::filesystem::path& folder, const std::string& crash_point) {
  std::vector<std::string> environment = {fmt::format("{}={}", kRebuildFolder, folder.string()),
                                          "MEESH_CRASH_POINT=" + crash_point};
  const char* arguments[] = {"/proc/self/exe", "--gtest_filter=RebuildChild.Rebuilds", nullptr};
  std::vector<char*> variables;
  for (auto& variable : environment) variables.push_back(variable.data());
  variables.push_back(nullptr);
  const pid_t child = fork();
  if (child == 0) {
    dup2(open("/dev/null", O_WRONLY | O_CLOEXEC), STDOUT_FILENO);
    execve("/proc/self/exe", const_cast<char**>(arguments), variables.data());
    _exit(127);
  }
  int status = -1;
  waitpid(child, &status, 0);
  return status;
}

TEST_F(MaintenanceTest, InterruptedRebuildsDoNotPassAsWhole) {
  store_.reset();
  for (const char* name : {"index.db", "index.db-wal", "index.db-shm"}) {
    std::filesystem::remove(folder_.path() / "objects" / name);
  }
  const auto killed_at = [&](int commit) {
    const int status =
        rebuild_in_child(options().folder, fmt::format("index.before_commit:{}", commit));
    return WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
  };
  // The opening, the bucket, the objects, the end. Every one finds what the one before left.
  for (int commit = 1; commit <= 4; ++commit) {
    ASSERT_TRUE(killed_at(commit)) << commit;
    try {
      open_local(options());
      ADD_FAILURE() << "opened before commit " << commit;
    } catch (const Error& error) {
      EXPECT_THAT(error.what(), testing::HasSubstr("is not whole"));
      EXPECT_THAT(error.hint(), testing::HasSubstr("meesh lake rebuild"));
    }
  }
  ASSERT_TRUE(killed_at(5)) << "the closing of a whole index";
  EXPECT_THROW(rebuild_local(options()), Error) << "a whole index stays";
  reopen();
  expect_whole(*store_);
  EXPECT_THAT(maintenance(*store_).scrub({}).damaged, IsEmpty());
  EXPECT_EQ(store_->usage("lake").objects, 5u);
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
