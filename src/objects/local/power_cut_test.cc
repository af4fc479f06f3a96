// Power cuts: everything that was not synced is lost, at any moment of eight writers' work. Payload
// files go through a disk that remembers what was synced; SQLite is trusted to sync what it says it
// commits (its files are taken as they are when the power goes), so that this tests the order
// between the two: nothing may be in the index whose file, length or folder entry was not on disk.
#include <fmt/format.h>

#include "objects/local/history.h"

namespace meesh::objects {
namespace {

namespace fs = std::filesystem;

/// Does everything for real and keeps account of what a power cut would leave.
class CutDisk final : public Disk {
 public:
  explicit CutDisk(fs::path attic) : attic_(std::move(attic)) { fs::create_directories(attic_); }

  /// After so many more operations nothing works any more.
  void cut_after(int operations) {
    const std::lock_guard lock(mutex_);
    left_ = operations;
  }
  void cut_now() { cut_after(0); }
  bool cut() {
    const std::lock_guard lock(mutex_);
    return left_ == 0;
  }

  void make_folder(const fs::path& folder) override {
    const std::lock_guard lock(mutex_);
    use_power();
    const bool there = fs::exists(folder);
    Disk::make_folder(folder);
    if (!there) entries_[folder] = {.folder = true};
  }
  Descriptor create(const fs::path& file) override {
    const std::lock_guard lock(mutex_);
    use_power();
    Descriptor made = Disk::create(file);
    entries_[file] = {};
    return made;
  }
  void write(const Descriptor& file, uint64_t offset, std::string_view bytes) override {
    const std::lock_guard lock(mutex_);
    use_power();
    Disk::write(file, offset, bytes);
  }
  void sync(const Descriptor& file, const fs::path& name) override {
    const std::lock_guard lock(mutex_);
    use_power();
    entries_.at(name).synced_bytes = size_of(file);
  }
  void sync_folder(const fs::path& folder) override {
    const std::lock_guard lock(mutex_);
    use_power();
    for (auto entry = entries_.begin(); entry != entries_.end();) {
      const bool within = entry->first.parent_path() == folder;
      if (within) entry->second.entry_synced = true;
      entry = within && entry->second.removed ? entries_.erase(entry) : std::next(entry);
    }
  }
  bool unlink(const fs::path& file) override {
    const std::lock_guard lock(mutex_);
    use_power();
    if (!fs::exists(file)) return false;
    // A file of an earlier opening is on disk since long.
    const auto entry =
        entries_.try_emplace(file, Entry{.entry_synced = true, .synced_bytes = fs::file_size(file)})
            .first;
    // Until the folder is synced it may come back.
    fs::rename(file, attic_ / file.filename());
    entry->second.removed = true;
    return true;
  }

  /// What is on disk when the power comes back.
  void restore(const fs::path& from, const fs::path& to, std::mt19937& random) {
    const std::lock_guard lock(mutex_);
    for (const auto& [path, entry] : entries_) {
      if (!survives(path) || entry.folder) continue;
      if (entry.removed && random() % 2) continue;
      const fs::path target = to / fs::relative(path, from);
      fs::create_directories(target.parent_path());
      fs::copy_file(entry.removed ? attic_ / path.filename() : path, target);
      fs::resize_file(target, entry.synced_bytes);
    }
    for (const auto& [path, entry] : entries_) {
      if (entry.folder && survives(path)) fs::create_directories(to / fs::relative(path, from));
    }
  }

 private:
  struct Entry {
    bool folder = false, entry_synced = false, removed = false;
    uint64_t synced_bytes = 0;
  };
  void use_power() {
    if (left_ == 0) throw Error(Code::kIoError, "the power is off");
    if (left_ > 0) --left_;
  }
  bool survives(const fs::path& path) const {
    const auto entry = entries_.find(path);
    return entry == entries_.end() || (entry->second.entry_synced && survives(path.parent_path()));
  }

  const fs::path attic_;
  std::mutex mutex_;
  int left_ = -1;                      // guarded; below 0: no cut planned
  std::map<fs::path, Entry> entries_;  // guarded; what was made since the store was opened
};

class PowerCutTest : public testing::Test {
 protected:
  /// Works on `folder` until the power goes, leaves what survives in `next`.
  void work_until_cut(const fs::path& folder, const fs::path& next, uint32_t seed) {
    std::mt19937 random(seed);
    const auto disk = std::make_shared<CutDisk>(folder / "attic");
    LocalOptions options;
    options.folder = folder;
    LocalStore store(options, disk);
    if (store.buckets().empty()) store.create_bucket({.name = kHistoryBucket});
    disk->cut_after(50 + static_cast<int>(random() % 1500));
    std::mutex mutex;
    const std::function<void(const std::string&)> tell = [&](const std::string& line) {
      const std::lock_guard lock(mutex);
      history_.read(line);
    };
    std::vector<std::thread> writers;
    for (int i = 0; i < 8; ++i) {
      writers.emplace_back([&, i] {
        try {
          write_history(store, i, seed, 1000, tell);
        } catch (const Error&) {
          // The power is off.
        }
      });
    }
    for (auto& writer : writers) writer.join();
    EXPECT_TRUE(disk->cut());
    fs::create_directories(next / "payload");
    for (const char* name : {"index.db", "index.db-wal"}) {
      fs::copy_file(folder / name, next / name);
    }
    copy_older_payloads(folder, next);
    disk->restore(folder, next, random);
  }

  /// Those of earlier rounds are on disk for long; gone are those removed since.
  static void copy_older_payloads(const fs::path& folder, const fs::path& next) {
    const std::string newest = std::to_string([&] {
      uint64_t last = 0;
      for (const auto& entry : fs::directory_iterator(folder / "payload")) {
        last = std::max<uint64_t>(last, std::stoull(entry.path().filename().string()));
      }
      return last;
    }());
    for (const auto& entry : fs::directory_iterator(folder / "payload")) {
      if (entry.path().filename() == newest) continue;
      fs::copy(entry.path(), next / "payload" / entry.path().filename(),
               fs::copy_options::recursive | fs::copy_options::create_hard_links);
    }
  }

  TestFolder folder_;
  History history_;
};

TEST_F(PowerCutTest, WhatWasAcknowledgedIsWhole) {
  const char* wanted = std::getenv("MEESH_KILL_ROUNDS");  // NOLINT(concurrency-mt-unsafe)
  const int rounds = wanted ? std::atoi(wanted) : 6;
  const uint32_t seed = std::random_device{}();
  size_t acknowledged = 0;
  for (int i = 0; i < rounds && !HasFailure(); ++i) {
    SCOPED_TRACE(fmt::format("seed {}", seed + static_cast<uint32_t>(i)));
    if (i % kDeathsOfAStore == 0) {
      acknowledged += std::exchange(history_, {}).acknowledged();
      fs::remove_all(folder_.path() / fmt::format("round{}", i));
    }
    const fs::path folder = folder_.path() / fmt::format("round{}", i),
                   next = folder_.path() / fmt::format("round{}", i + 1);
    work_until_cut(folder, next, seed + static_cast<uint32_t>(i));
    {
      LocalOptions options;
      options.folder = next;
      history_.check(*open_local(options), next / "payload");
    }
    fs::remove_all(folder);
  }
  EXPECT_GT(acknowledged + history_.acknowledged(), 20u);
}

}  // namespace
}  // namespace meesh::objects
