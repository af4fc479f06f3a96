// Several threads change one table at random, held against a model: the live files. What is
// true of the table is told in the transaction that moves its pointer, one after another.
#include <random>
#include <thread>

#include "lake/transaction_test_lake.h"

namespace meesh::lake {
namespace {

constexpr int kThreads = 4;
constexpr int kSteps = 40;

class RandomTest : public LakeTest {
 protected:
  struct Model {
    std::mutex mutex;
    std::map<std::string, int64_t> live;                   // records by path
    std::map<std::string, std::set<std::string>> deletes;  // position deletes by data file
    int commits = 0, conflicts = 0;
  };

  /// Tells the model at the moment that the commit becomes true. `seen`: the position deletes that
  /// were applied to what is written again.
  AlsoCommit tell(const std::vector<DataFile>& added, const std::vector<std::string>& removed,
                  const std::set<std::string>& seen) {
    return [this, added, removed, seen](soci::session&) {
      const std::lock_guard lock(model_.mutex);
      std::set<std::string> gone;
      for (const std::string& path : removed) {
        EXPECT_EQ(model_.live.erase(path), 1U) << path;
        gone.merge(model_.deletes[path]);
        model_.deletes.erase(path);
      }
      if (!added.empty()) EXPECT_EQ(gone, seen) << "deleted rows came back";
      for (const DataFile& file : added) {
        EXPECT_TRUE(model_.live.emplace(file.path, file.records).second) << file.path;
      }
      ++model_.commits;
    };
  }
  AlsoCommit tell_deletes(const std::string& path, const std::string& of) {
    return [this, path, of](soci::session&) {
      const std::lock_guard lock(model_.mutex);
      EXPECT_TRUE(model_.live.contains(of)) << of;
      model_.deletes[of].insert(path);
      ++model_.commits;
    };
  }

  void commit_or_conflict(Catalog& catalog, SnapshotChange change, const AlsoCommit& also) {
    std::vector<NewFile> added = change.data;
    added.insert(added.end(), change.deletes.begin(), change.deletes.end());
    try {
      lake_.commit(catalog, name_, std::move(change), also);
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), Code::kIcebergCommitError) << error.what();
      for (const NewFile& file : added) EXPECT_FALSE(lake_.files().exists(file.file.path));
      const std::lock_guard lock(model_.mutex);
      ++model_.conflicts;
    }
  }

  void delete_rows(Catalog& catalog, std::mt19937& random) {
    const Table table = catalog.load(name_);
    ScanPlan plan;
    unless_expired([&] {
      plan = plan_scan(lake_.cache(), *table.metadata, table.metadata->current_snapshot(), {});
    });
    if (plan.files.empty()) return;
    const ScanFile& of = plan.files[random() % plan.files.size()];
    const DataFile deletes = lake_.write_deletes(table, *of.file, 1);
    SnapshotChange change = lake_.change(table);
    change.deletes = {{deletes, of.spec_id}};
    change.referenced = {of.file->path};
    commit_or_conflict(catalog, std::move(change), tell_deletes(deletes.path, of.file->path));
  }

  void change(Catalog& catalog, std::mt19937& random, bool compact, bool add, size_t most_removed) {
    const Table table = catalog.load(name_);
    ScanPlan plan;
    unless_expired([&] {
      plan = plan_scan(lake_.cache(), *table.metadata, table.metadata->current_snapshot(), {});
    });
    std::vector<std::string> removed;
    std::set<std::string> seen;
    int64_t records = 0;
    std::vector<size_t> places(plan.files.size());
    for (size_t i = 0; i < places.size(); ++i) places[i] = i;
    std::ranges::shuffle(places, random);
    for (size_t i = 0; i < std::min(most_removed, places.size()); ++i) {
      const ScanFile& file = plan.files[places[i]];
      removed.push_back(file.file->path);
      records += file.file->records;
      for (const uint32_t place : file.deletes) seen.insert(plan.deletes[place].file->path);
    }
    if (removed.empty() && (compact || !add)) return;
    std::vector<DataFile> added;
    if (add) {
      const std::string part(1, static_cast<char>('a' + random() % 3));
      added.push_back(lake_.write(table, compact ? records : 1 + random() % 9, part));
    }
    SnapshotChange made = lake_.change(table, added, removed);
    made.same_rows = compact;
    commit_or_conflict(catalog, std::move(made), tell(added, removed, seen));
  }

  /// Others may expire a snapshot while it is read.
  static void unless_expired(const std::function<void()>& read) {
    try {
      read();
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), Code::kIcebergMissingData) << error.what();
    }
  }

  /// Every thread has a catalog of its own, as if it was another process.
  void work(uint32_t seed) {
    std::mt19937 random(seed);
    const auto catalog = lake_.new_catalog();
    for (int step = 0; step < kSteps; ++step) {
      switch (random() % 12) {
        case 0:
        case 1:
          change(*catalog, random, false, false, 1 + random() % 2);
          break;
        case 2:
          change(*catalog, random, false, true, 2);
          break;
        case 3:
        case 4:
          change(*catalog, random, true, true, 2 + random() % 3);
          break;
        case 5:
          expire_snapshots(*catalog, lake_.cache(), name_,
                           {.older_than_ms = INT64_MAX, .retain_last = 2, .snapshot_ids = {}});
          break;
        case 6:  // nothing that a commit under way has written is so old
          unless_expired([&] {
            EXPECT_TRUE(remove_orphan_files(*catalog, lake_.cache(), name_, {}).files.empty());
          });
          break;
        case 7:
        case 8:
          delete_rows(*catalog, random);
          break;
        default:
          change(*catalog, random, false, true, 0);
      }
    }
  }

  void check() {
    const Table table = lake_.load(name_);
    std::multiset<std::string> expected;
    int64_t records = 0;
    for (const auto& [path, count] : model_.live) {
      expected.insert(path);
      records += count;
    }
    EXPECT_EQ(lake_.live(name_), expected);
    const ScanPlan plan = lake_.scan(name_);
    EXPECT_EQ(plan.records, records);
    std::set<std::string> deletes, expected_deletes;
    for (const ScanDelete& one : plan.deletes) deletes.insert(one.file->path);
    for (const auto& [of, paths] : model_.deletes) {
      expected_deletes.insert(paths.begin(), paths.end());
    }
    EXPECT_EQ(deletes, expected_deletes);
    EXPECT_EQ(table.metadata->current_snapshot()->summary.at("total-delete-files"),
              std::to_string(deletes.size()));
    EXPECT_EQ(table.metadata->current_snapshot()->summary.at("total-records"),
              std::to_string(records));
    for (const std::string& path : lake_.needed(table)) {
      EXPECT_TRUE(lake_.files().exists(path)) << path;
    }
    for (const auto& [path, count] : model_.live) {
      EXPECT_EQ(lake_.files().read(path), TestLake::content(path));
    }
  }

  Identifier name_;
  Model model_;
};

TEST_F(RandomTest, NothingIsLostOrDoubled) {
  name_ = lake_.create("t", true, {{"commit.manifest.min-count-to-merge", "5"}});
  const uint32_t seed = std::random_device{}();
  SCOPED_TRACE(seed);
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([this, seed, i] {
      try {
        work(seed + static_cast<uint32_t>(i));
      } catch (const std::exception& error) {
        ADD_FAILURE() << error.what();
      }
    });
  }
  for (auto& thread : threads) thread.join();
  check();
  EXPECT_GT(model_.commits, kThreads * kSteps / 4);
  RecordProperty("conflicts", model_.conflicts);
  // Files of snapshots that expired while others read them may be left over; nothing else is.
  remove_orphan_files(lake_.catalog(), lake_.cache(), name_,
                      {.older_than = std::chrono::milliseconds(-1000), .only_list = false});
  check();
  const Table table = lake_.load(name_);
  EXPECT_EQ(lake_.stored(table), lake_.needed(table));
}

}  // namespace
}  // namespace meesh::lake
