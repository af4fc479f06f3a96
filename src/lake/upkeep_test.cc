#include "lake/upkeep.h"

#include "base/clock.h"
#include "lake/transaction_test_lake.h"

namespace meesh::lake {
namespace {

using testing::Optional;
using testing::SizeIs;

constexpr int64_t kMiB = int64_t{1} << 20;
constexpr int64_t kHour = 60 * 60 * 1000;
constexpr int64_t kDay = 24 * kHour;
constexpr int64_t kSmall = 384 * kMiB;  // 3/4 of the target

class UpkeepTest : public LakeTest {
 protected:
  /// A commit of so many files that claim to be so long.
  void append(const Identifier& name, int files, int64_t bytes, const std::string& part = "") {
    const Table table = lake_.load(name);
    std::vector<DataFile> data;
    for (int i = 0; i < files; ++i) {
      data.push_back(lake_.write(table, 10, part));
      data.back().bytes = bytes;
    }
    lake_.commit(name, lake_.change(table, std::move(data)));
  }
  void hide(const Identifier& name, const DataFile& of, int64_t records) {
    const Table table = lake_.load(name);
    SnapshotChange change = lake_.change(table);
    change.deletes = {{lake_.write_deletes(table, of, records), 0}};
    change.referenced = {of.path};
    lake_.commit(name, std::move(change));
  }
  std::optional<int64_t> due(const Identifier& name) {
    return compaction_due(lake_.cache(), *lake_.load(name).metadata);
  }
  Table edit(const Identifier& name, const std::function<void(TableMetadata&)>& change) {
    return lake_.catalog()
        .commit({{name,
                  [&](const Table& base) {
                    TableMetadata made = *base.metadata;
                    change(made);
                    return made;
                  }}})
        .front();
  }
  /// How old the table's snapshots are, oldest first.
  void ages(const Identifier& name, const std::vector<int64_t>& ages_ms) {
    const int64_t now = base::now_ms();
    edit(name, [&](TableMetadata& made) {
      ASSERT_EQ(made.snapshots.size(), ages_ms.size());
      for (size_t i = 0; i < ages_ms.size(); ++i) made.snapshots[i].timestamp_ms = now - ages_ms[i];
    });
  }
  /// Runs it; how many snapshots are left.
  size_t expire(const Identifier& name) {
    const ExpireOptions options = gentle_expiry(*lake_.load(name).metadata, base::now_ms());
    expire_snapshots(lake_.catalog(), lake_.cache(), name, options);
    return lake_.load(name).metadata->snapshots.size();
  }
};

TEST_F(UpkeepTest, TablesSayWhatMayBeDoneToThem) {
  TableMetadata table;
  const auto policy = [&](const Properties& properties) {
    table.properties = properties;
    const UpkeepPolicy found = upkeep_policy(table);
    return std::string(found.compaction ? "c" : "") + (found.expire_snapshots ? "e" : "") +
           (found.orphan_files ? "o" : "");
  };
  EXPECT_EQ(policy({}), "ceo");
  EXPECT_EQ(policy({{"meesh.maintenance.enabled", "false"}}), "");
  EXPECT_EQ(policy({{"meesh.maintenance.compaction", "false"}}), "eo");
  EXPECT_EQ(policy({{"meesh.maintenance.expire-snapshots", "FALSE"}}), "co");
  EXPECT_EQ(policy({{"meesh.maintenance.orphan-files", "false"}}), "ce");
  EXPECT_EQ(policy({{"gc.enabled", "false"}}), "c");
  EXPECT_LAKE_ERROR(Code::kInvalidTableProperty, "meesh.maintenance.compaction",
                    policy({{"meesh.maintenance.compaction", "later"}}));
  table.format_version = 1;
  EXPECT_EQ(policy({}), "o");
}

TEST_F(UpkeepTest, FiveSmallFilesOfAPartitionAreACrowd) {
  const Identifier name = lake_.create("t", true);
  EXPECT_EQ(due(name), std::nullopt);
  append(name, 4, 1000, "a");
  append(name, 4, 1000, "b");
  EXPECT_EQ(due(name), std::nullopt);
  append(name, 1, 1000, "b");
  EXPECT_THAT(due(name), Optional(kSmall));
}

TEST_F(UpkeepTest, LargeFilesAreNotRewrittenForAFewSmallOnes) {
  const Identifier name = lake_.create("t");
  append(name, 1, 300 * kMiB);
  append(name, 4, kMiB);
  EXPECT_EQ(due(name), std::nullopt);
  append(name, 1, kMiB);
  EXPECT_THAT(due(name), Optional(kSmall / 8));  // the small ones among themselves
  append(name, 1, 290 * kMiB);
  EXPECT_THAT(due(name), Optional(kSmall));
  const Identifier full = lake_.create("full");
  append(full, 10, 500 * kMiB);
  EXPECT_EQ(due(full), std::nullopt);
}

TEST_F(UpkeepTest, TheTargetIsTheTablesOwn) {
  const Identifier name =
      lake_.create("t", false, {{"write.target-file-size-bytes", std::to_string(8 * kMiB)}});
  append(name, 10, 7 * kMiB);
  EXPECT_EQ(due(name), std::nullopt);
  append(name, 5, kMiB);
  EXPECT_THAT(due(name), Optional(6 * kMiB));
}

TEST_F(UpkeepTest, FilesWithManyDeletesAreRewrittenAlone) {
  const Identifier name = lake_.create("t");
  const DataFile file = lake_.append(name, 100);
  hide(name, file, 20);
  EXPECT_EQ(due(name), std::nullopt);
  hide(name, file, 15);
  EXPECT_NE(due(name), std::nullopt);
}

TEST_F(UpkeepTest, WhatWasReadADayAgoStays) {
  const Identifier name = lake_.create("t");
  for (int i = 0; i < 4; ++i) lake_.append(name);
  ages(name, {9 * kDay, 8 * kDay, 7 * kDay, kHour});
  EXPECT_EQ(expire(name), 2u);  // that of seven days ago was the newest an hour ago
  ages(name, {9 * kDay, 2 * kDay});
  EXPECT_EQ(expire(name), 1u);
}

TEST_F(UpkeepTest, ATableMayKeepMoreOrLess) {
  const Identifier name =
      lake_.create("t", false, {{"history.expire.max-snapshot-age-ms", "1000"}});
  for (int i = 0; i < 4; ++i) lake_.append(name);
  ages(name, {4000, 3000, 2500, 2000});
  EXPECT_EQ(expire(name), 1u);
  const Identifier other = lake_.create("o", false,
                                        {{"history.expire.max-snapshot-age-ms", "1000"},
                                         {"history.expire.min-snapshots-to-keep", "3"}});
  for (int i = 0; i < 4; ++i) lake_.append(other);
  ages(other, {4000, 3000, 2500, 2000});
  EXPECT_EQ(expire(other), 3u);
}

TEST_F(UpkeepTest, OrphansAreLookedForOnceAPeriod) {
  const auto database = meta::Database::open(
      {.kind = meta::Backend::kSqlite, .location = (folder_.path() / "runs.db").string()});
  OrphanRuns runs(*database);
  EXPECT_TRUE(runs.claim("a"));
  EXPECT_FALSE(runs.claim("a"));
  EXPECT_TRUE(runs.claim("b"));
  EXPECT_FALSE(OrphanRuns(*database).claim("a"));  // a restart
  runs.forget_old();
  EXPECT_FALSE(runs.claim("a"));
  EXPECT_TRUE(OrphanRuns(*database, std::chrono::milliseconds(0)).claim("a"));
}

TEST_F(UpkeepTest, ARunInTheFutureIsNoRun) {
  const auto database = meta::Database::open(
      {.kind = meta::Backend::kSqlite, .location = (folder_.path() / "runs.db").string()});
  OrphanRuns runs(*database);
  EXPECT_TRUE(runs.claim("a"));
  database->write([&](soci::session& sql) {
    sql << "UPDATE lake_orphan_run SET began_ms = began_ms + 1000000000";
  });
  EXPECT_TRUE(runs.claim("a"));
  EXPECT_FALSE(runs.claim("a"));
}

/// Metadata files below the table's folder.
size_t metadata_files(const std::set<std::string>& stored) {
  return static_cast<size_t>(
      std::ranges::count_if(stored, [](const auto& path) { return path.ends_with(".json"); }));
}

TEST_F(UpkeepTest, OldMetadataGoesWithTheCommitOrAsOrphans) {
  const Identifier at_once = lake_.create("t", false,
                                          {{"write.metadata.delete-after-commit.enabled", "true"},
                                           {"write.metadata.previous-versions-max", "2"}});
  for (int i = 0; i < 6; ++i) lake_.append(at_once);
  EXPECT_EQ(metadata_files(lake_.stored(lake_.load(at_once))), 3u);

  const Identifier later =
      lake_.create("u", false, {{"write.metadata.previous-versions-max", "2"}});
  for (int i = 0; i < 6; ++i) lake_.append(later);
  EXPECT_EQ(metadata_files(lake_.stored(lake_.load(later))), 7u);
  const OrphanReport report = remove_orphan_files(lake_.catalog(), lake_.cache(), later,
                                                  {.older_than = std::chrono::milliseconds(-1000)});
  EXPECT_THAT(report.files, SizeIs(4));
  EXPECT_EQ(metadata_files(lake_.stored(lake_.load(later))), 3u);
  EXPECT_EQ(lake_.stored(lake_.load(later)), lake_.needed(lake_.load(later)));
}

}  // namespace
}  // namespace meesh::lake
