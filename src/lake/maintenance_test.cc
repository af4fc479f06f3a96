#include "lake/maintenance.h"

#include "lake/maintenance_reach.h"
#include "lake/transaction_test_lake.h"

namespace meesh::lake {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;
using testing::UnorderedElementsAre;

constexpr int64_t kDay = int64_t{24} * 60 * 60 * 1000;

class MaintenanceTest : public LakeTest {
 protected:
  /// Changes the metadata by updates.
  Table update(const Identifier& name, const std::vector<Update>& updates) {
    return lake_.catalog()
        .commit({{name,
                  [&](const Table& base) {
                    return apply(updates, base.metadata.get(), base.metadata->last_updated_ms,
                                 base.metadata_location);
                  }}})
        .front();
  }
  /// Moves all that has happened to the table so many days back.
  void age(const Identifier& name, int days) {
    lake_.catalog().commit({{name, [&](const Table& base) {
                               TableMetadata aged = *base.metadata;
                               for (Snapshot& one : aged.snapshots) one.timestamp_ms -= days * kDay;
                               for (auto& one : aged.snapshot_log) one.timestamp_ms -= days * kDay;
                               aged.last_updated_ms -= days * kDay;
                               aged.metadata_log.push_back(
                                   {aged.last_updated_ms, base.metadata_location});
                               return aged;
                             }}});
  }
  OrphanReport orphans(const Identifier& name, bool only_list = false) {
    return remove_orphan_files(
        lake_.catalog(), lake_.cache(), name,
        {.older_than = std::chrono::milliseconds(-1000), .only_list = only_list});
  }
  int64_t head(const Identifier& name) { return *lake_.load(name).metadata->current_snapshot_id; }
  ExpireReport expire(const Identifier& name, const ExpireOptions& options = {}) {
    return expire_snapshots(lake_.catalog(), lake_.cache(), name, options);
  }
  void expect_clean(const Identifier& name) {
    const Table table = lake_.load(name);
    EXPECT_EQ(lake_.stored(table), lake_.needed(table));
  }
};

TEST_F(MaintenanceTest, ExpiryRemovesOnlyWhatNothingReaches) {
  const Identifier name = lake_.create("t");
  const DataFile a = lake_.append(name), b = lake_.append(name);
  const int64_t kept = head(name);
  const DataFile c = lake_.append(name);
  lake_.commit(name, lake_.change(lake_.load(name), {}, {a.path}));
  const int64_t middle = head(name);
  age(name, 6);
  update(name, {SetSnapshotRef{"keep", {.snapshot_id = kept, .tag = true}}});
  lake_.commit(name, lake_.change(lake_.load(name), {}, {c.path}));

  ExpireReport report = expire(name);
  EXPECT_THAT(report.snapshots, SizeIs(3));
  EXPECT_THAT(report.snapshots, Contains(middle));
  EXPECT_THAT(report.snapshots, Not(Contains(kept)));
  EXPECT_EQ(report.data_files, 1);  // c; a is in the tag still
  EXPECT_EQ(report.bytes, c.bytes);
  EXPECT_EQ(report.manifest_lists, 3);
  EXPECT_TRUE(lake_.files().exists(a.path));
  EXPECT_FALSE(lake_.files().exists(c.path));
  EXPECT_EQ(lake_.live(name), std::multiset<std::string>{b.path});
  expect_clean(name);

  update(name, {RemoveSnapshotRef{"keep"}});
  report = expire(name);
  EXPECT_THAT(report.snapshots, ElementsAre(kept));
  EXPECT_EQ(report.data_files, 1);
  EXPECT_FALSE(lake_.files().exists(a.path));
  EXPECT_THAT(expire(name).snapshots, IsEmpty());
  expect_clean(name);
}

TEST_F(MaintenanceTest, FilesOfExpiredManifestsStayIfOthersNameThem) {
  const Identifier name = lake_.create("t", false, {{"commit.manifest.min-count-to-merge", "2"}});
  const DataFile a = lake_.append(name), b = lake_.append(name);
  age(name, 6);
  const DataFile c = lake_.append(name);
  const ExpireReport report = expire(name);
  EXPECT_THAT(report.snapshots, SizeIs(2));
  EXPECT_EQ(report.manifests, 2);  // all files are in the merged one
  EXPECT_EQ(report.data_files, 0);
  for (const DataFile& file : {a, b, c}) EXPECT_TRUE(lake_.files().exists(file.path));
  EXPECT_EQ(lake_.live(name), (std::multiset<std::string>{a.path, b.path, c.path}));
  expect_clean(name);
}

TEST_F(MaintenanceTest, PropertiesBranchesAndOptionsSayWhatStays) {
  const Identifier name = lake_.create("t");
  std::vector<int64_t> ids;
  for (int i = 0; i < 6; ++i) {
    lake_.append(name);
    ids.push_back(head(name));
  }
  EXPECT_THAT(expire(name).snapshots, IsEmpty());
  age(name, 4);
  EXPECT_THAT(expire(name).snapshots, IsEmpty());
  update(name, {SetProperties{{{"history.expire.max-snapshot-age-ms", std::to_string(3 * kDay)},
                               {"history.expire.min-snapshots-to-keep", "5"}}}});
  EXPECT_THAT(expire(name).snapshots, ElementsAre(ids[0]));
  EXPECT_THAT(
      expire(name, {.older_than_ms = std::nullopt, .retain_last = 4, .snapshot_ids = {}}).snapshots,
      ElementsAre(ids[1]));
  update(name, {SetSnapshotRef{"main",
                               {.snapshot_id = ids[5],
                                .tag = false,
                                .min_snapshots_to_keep = 3,
                                .max_snapshot_age_ms = 3 * kDay,
                                .max_ref_age_ms = std::nullopt}}});
  EXPECT_THAT(expire(name).snapshots, ElementsAre(ids[2]));
  EXPECT_THAT(
      expire(name, {.older_than_ms = 0, .retain_last = {}, .snapshot_ids = {ids[3]}}).snapshots,
      ElementsAre(ids[3]));
  EXPECT_LAKE_ERROR(
      Code::kInvalidArguments, "Still referenced by refs: main",
      expire(name, {.older_than_ms = 0, .retain_last = {}, .snapshot_ids = {ids[5]}}));
  EXPECT_LAKE_ERROR(Code::kInvalidArguments, "must be at least 1, cannot be: 0",
                    expire(name, {.older_than_ms = 0, .retain_last = 0, .snapshot_ids = {}}));
  EXPECT_THAT(lake_.live(name), SizeIs(6));
  expect_clean(name);
}

TEST_F(MaintenanceTest, OldRefsAndStagedSnapshotsExpire) {
  const Identifier name = lake_.create("t");
  lake_.append(name);
  const int64_t first = head(name);
  update(name, {SetSnapshotRef{"old",
                               {.snapshot_id = first,
                                .tag = true,
                                .min_snapshots_to_keep = {},
                                .max_snapshot_age_ms = {},
                                .max_ref_age_ms = kDay}}});
  lake_.append(name);
  const int64_t undone = head(name);
  rollback_to_snapshot(lake_.catalog(), name, first);
  const DataFile last = lake_.append(name);
  age(name, 6);
  update(name, {SetSnapshotRef{"main",
                               {.snapshot_id = head(name),
                                .tag = false,
                                .min_snapshots_to_keep = {},
                                .max_snapshot_age_ms = 10 * kDay,
                                .max_ref_age_ms = {}}}});
  const ExpireReport report = expire(name);
  EXPECT_THAT(report.refs, ElementsAre("old"));
  EXPECT_THAT(report.snapshots, ElementsAre(undone));
  EXPECT_EQ(report.data_files, 1);
  EXPECT_THAT(lake_.live(name), Contains(last.path));
  expect_clean(name);
}

TEST_F(MaintenanceTest, StatisticsLeaveWithTheirSnapshot) {
  const Identifier name = lake_.create("t");
  lake_.append(name);
  const Table table = lake_.load(name);
  const auto statistics = [&](int64_t snapshot, const std::string& file) {
    const std::string path = table.metadata->location + "/metadata/" + file;
    lake_.files().write(path, "puffin", "application/octet-stream");
    update(name, {SetStatistics{{.snapshot_id = snapshot,
                                 .path = path,
                                 .size = 6,
                                 .footer_size = 1,
                                 .key_metadata = {},
                                 .blobs = {}}}});
    return path;
  };
  const std::string old = statistics(head(name), "old.stats");
  age(name, 6);
  lake_.append(name);
  const std::string young = statistics(head(name), "young.stats");
  EXPECT_EQ(expire(name).statistics_files, 1);
  EXPECT_FALSE(lake_.files().exists(old));
  EXPECT_TRUE(lake_.files().exists(young));
  EXPECT_THAT(lake_.load(name).metadata->statistics, SizeIs(1));
  EXPECT_THAT(orphans(name).files, IsEmpty());
}

TEST_F(MaintenanceTest, AStatisticsFileOfTwoSnapshotsLeavesWithTheLast) {
  const Identifier name = lake_.create("t");
  const std::string path = lake_.load(name).metadata->location + "/metadata/shared.stats";
  lake_.files().write(path, "puffin", "application/octet-stream");
  const auto shared = [&](const std::string& written) {
    StatisticsFile file;
    file.snapshot_id = head(name);
    file.path = written;
    file.size = 6;
    file.footer_size = 1;
    update(name, {SetStatistics{file}});
  };
  lake_.append(name);
  shared("s3a" + path.substr(2));
  age(name, 6);
  lake_.append(name);
  shared(path);
  EXPECT_EQ(expire(name).statistics_files, 0);
  EXPECT_TRUE(lake_.files().exists(path));
  age(name, 6);
  lake_.append(name);
  EXPECT_EQ(expire(name).statistics_files, 1);
  EXPECT_FALSE(lake_.files().exists(path));
}

TEST_F(MaintenanceTest, NothingIsRemovedWhileGarbageCollectionIsOff) {
  const Identifier name = lake_.create("t", false, {{"gc.enabled", "false"}});
  const DataFile file = lake_.append(name);
  age(name, 6);
  lake_.append(name);
  EXPECT_LAKE_ERROR(Code::kInvalidArguments, "Cannot expire snapshots: GC is disabled",
                    expire(name));
  EXPECT_LAKE_ERROR(Code::kInvalidArguments, "Cannot remove orphan files: GC is disabled",
                    orphans(name));
  purge(lake_.cache(), lake_.catalog().drop(name));
  EXPECT_TRUE(lake_.files().exists(file.path));
}

TEST_F(MaintenanceTest, OrphansAreFoundByAgeAndBelongToNobody) {
  const Identifier name = lake_.create("t");
  lake_.append(name);
  const Table table = lake_.load(name);
  const std::string& location = table.metadata->location;
  const auto stray = [&](const std::string& path) {
    lake_.files().write(path, "stray", "application/octet-stream");
    return path;
  };
  const std::string lost = stray(location + "/data/lost.parquet");
  const std::string deep = stray(location + "/data/a=1/b=2/lost.parquet");
  const std::string hint = stray(location + "/metadata/version-hint.text");
  const std::string beside = stray(location + "2/data/file.parquet");
  // Another table and a view in folders of their own below this one.
  const Identifier inner{{"s"}, "inner"};
  TableMetadata fresh = lake_.fresh(inner, false);
  fresh.location = location + "/inner";
  lake_.catalog().create(inner, fresh);
  const DataFile of_inner = lake_.append(inner);
  const std::string unknown = stray(location + "/inner/data/lost.parquet");

  EXPECT_THAT(remove_orphan_files(lake_.catalog(), lake_.cache(), name, {}).files, IsEmpty());
  OrphanReport report = orphans(name, true);
  EXPECT_THAT(report.files, UnorderedElementsAre(lost, deep));
  EXPECT_EQ(report.bytes, 10);
  EXPECT_TRUE(lake_.files().exists(lost));
  EXPECT_THAT(orphans(name).files, SizeIs(2));
  EXPECT_FALSE(lake_.files().exists(lost));
  EXPECT_FALSE(lake_.files().exists(deep));
  for (const std::string& path : {hint, beside, unknown, of_inner.path}) {
    EXPECT_TRUE(lake_.files().exists(path)) << path;
  }
  EXPECT_THAT(orphans(inner).files, ElementsAre(unknown));
  EXPECT_THAT(lake_.live(name), SizeIs(1));
  EXPECT_THAT(lake_.live(inner), SizeIs(1));
}

TEST_F(MaintenanceTest, ASearchForOrphansCanBeEnded) {
  const Identifier name = lake_.create("t");
  lake_.append(name);
  const std::string lost = lake_.load(name).metadata->location + "/data/lost.parquet";
  lake_.files().write(lost, "stray", "application/octet-stream");
  OrphanOptions options{.older_than = std::chrono::milliseconds(-1000), .pause = {}};
  int pauses = 0;
  options.pause = [&] { ++pauses; };
  options.only_list = true;
  EXPECT_THAT(remove_orphan_files(lake_.catalog(), lake_.cache(), name, options).files,
              ElementsAre(lost));
  ASSERT_GT(pauses, 1);
  options.only_list = false;
  options.pause = [left = pauses]() mutable {
    if (--left == 0) throw Error(Code::kServerShuttingDown, "the server is shutting down");
  };
  EXPECT_LAKE_ERROR(Code::kServerShuttingDown, "shutting down",
                    remove_orphan_files(lake_.catalog(), lake_.cache(), name, options));
  EXPECT_TRUE(lake_.files().exists(lost));
}

TEST_F(MaintenanceTest, TablesThatShareAFolderKeepTheirFiles) {
  const Identifier name = lake_.create("t"), copy{{"s"}, "copy"};
  lake_.append(name);
  lake_.catalog().register_table(copy, lake_.load(name).metadata_location, false);
  const DataFile file = lake_.append(copy);
  EXPECT_LAKE_ERROR(Code::kInvalidArguments, "tables s.t and s.copy have the same folder",
                    orphans(name));
  EXPECT_TRUE(lake_.files().exists(file.path));
}

TEST_F(MaintenanceTest, OrphansStayIfTheMetadataCannotBeRead) {
  const Identifier name = lake_.create("t");
  const DataFile file = lake_.append(name);
  const Table table = lake_.load(name);
  const std::string list = table.metadata->current_snapshot()->manifest_list;
  lake_.files().remove({list});
  ManifestCache cache(lake_.files());
  EXPECT_LAKE_ERROR(
      Code::kIcebergMissingData, list,
      remove_orphan_files(lake_.catalog(), cache, name,
                          {.older_than = std::chrono::milliseconds(-1000), .only_list = false}));
  EXPECT_TRUE(lake_.files().exists(file.path));
}

TEST_F(MaintenanceTest, PlacesAreTheSameInAllSchemes) {
  EXPECT_EQ(place_of("s3a://b/k/x"), place_of("s3://b/k/x"));
  EXPECT_EQ(place_of("s3n://b/k"), "b/k");
  EXPECT_EQ(place_of("hdfs://b/k"), "");
}

TEST_F(MaintenanceTest, PurgeRemovesAllThatATableReaches) {
  const Identifier name = lake_.create("t"), other = lake_.create("u");
  const DataFile a = lake_.append(name);
  lake_.append(name);
  lake_.commit(name, lake_.change(lake_.load(name), {}, {a.path}));
  lake_.append(other);
  const Table dropped = lake_.catalog().drop(name);
  const size_t files = lake_.stored(dropped).size();
  const PurgeReport report = purge(lake_.cache(), dropped);
  EXPECT_EQ(static_cast<size_t>(report.files), files);
  EXPECT_THAT(report.unreadable, IsEmpty());
  EXPECT_THAT(lake_.stored(dropped), IsEmpty());
  EXPECT_THAT(lake_.live(other), SizeIs(1));
  expect_clean(other);
}

TEST_F(MaintenanceTest, PurgeGoesOnPastWhatIsMissing) {
  const Identifier name = lake_.create("t");
  lake_.append(name);
  const std::string list = lake_.load(name).metadata->current_snapshot()->manifest_list;
  lake_.append(name);
  lake_.files().remove({list});
  const Table dropped = lake_.catalog().drop(name);
  ManifestCache cache(lake_.files());
  EXPECT_THAT(purge(cache, dropped).unreadable, ElementsAre(list));
  EXPECT_THAT(lake_.stored(dropped), IsEmpty());
}

TEST_F(MaintenanceTest, RollsBackToSnapshotsThereAre) {
  const Identifier name = lake_.create("t");
  const DataFile a = lake_.append(name);
  const int64_t first = head(name);
  lake_.append(name);
  const int64_t second = head(name);
  EXPECT_EQ(rollback_to_snapshot(lake_.catalog(), name, first).metadata->current_snapshot_id,
            first);
  EXPECT_EQ(lake_.live(name), std::multiset<std::string>{a.path});
  rollback_to_snapshot(lake_.catalog(), name, second);
  EXPECT_THAT(lake_.live(name), SizeIs(2));
  EXPECT_LAKE_ERROR(Code::kInvalidArguments, "Cannot roll back to unknown snapshot id: 5",
                    rollback_to_snapshot(lake_.catalog(), name, 5));
  EXPECT_LAKE_ERROR(Code::kInvalidArguments, "there is no branch 'none'",
                    rollback_to_snapshot(lake_.catalog(), name, first, "none"));
}

class CompactionTest : public MaintenanceTest {
 protected:
  CompactionPlan plan(const Identifier& name, CompactionOptions options) {
    const Table table = lake_.load(name);
    if (options.target_bytes == 0) options.target_bytes = 1000;
    return plan_compaction(lake_.cache(), *table.metadata, table.metadata->current_snapshot(),
                           options);
  }
  void add(const Identifier& name, const std::string& part, int64_t bytes, int count = 1) {
    const Table table = lake_.load(name);
    std::vector<DataFile> files;
    for (int i = 0; i < count; ++i) {
      files.push_back(lake_.write(table, 10, part));
      files.back().bytes = bytes;
    }
    lake_.commit(name, lake_.change(table, files));
  }
};

TEST_F(CompactionTest, EnoughSmallFilesOfAPartitionMakeAGroup) {
  const Identifier name = lake_.create("t", true);
  EXPECT_THAT(plan(name, {}).groups, IsEmpty());
  add(name, "few", 100, 4);
  add(name, "many", 100, 5);
  add(name, "large", 750, 9);
  add(name, "filling", 600, 2);
  add(name, "alone", 10, 1);
  const CompactionPlan made = plan(name, {});
  EXPECT_EQ(made.snapshot_id, head(name));
  std::map<std::string, const CompactionGroup*> groups;
  for (const auto& group : made.groups) {
    groups[std::get<std::string>(group.partition.front())] = &group;
  }
  ASSERT_THAT(groups, SizeIs(2));
  ASSERT_TRUE(groups.contains("many") && groups.contains("filling"));
  EXPECT_THAT(groups["many"]->files, SizeIs(5));
  EXPECT_EQ(groups["many"]->records, 50);
  EXPECT_EQ(groups["many"]->output_files, 1);
  EXPECT_EQ(groups["filling"]->output_files, 2);
  CompactionOptions options;
  options.min_input_files = 2;
  options.file_size_threshold = 101;
  EXPECT_THAT(plan(name, options).groups, SizeIs(2));  // few, many
  options.most_group_bytes = 250;
  EXPECT_THAT(plan(name, options).groups, SizeIs(4));  // of two; the fifth would stand alone
  options.where = Predicate::compare(Predicate::Kind::kEqual, 2, Value(std::string("few")));
  EXPECT_THAT(plan(name, options).groups, SizeIs(2));
}

TEST_F(CompactionTest, FilesWithManyDeletesAreRewrittenAlone) {
  const Identifier name = lake_.create("t");
  const Table table = lake_.load(name);
  DataFile large = lake_.write(table, 100), fine = lake_.write(table, 100);
  large.bytes = fine.bytes = 5000;
  lake_.commit(name, lake_.change(table, {large, fine}));
  const auto add_deletes = [&](const DataFile& file) {
    SnapshotChange change = lake_.change(lake_.load(name));
    change.deletes = {{file, 0}};
    lake_.commit(name, std::move(change));
  };
  add_deletes(lake_.write_deletes(table, large, 29));
  add_deletes(lake_.write_deletes(table, fine, 1));
  EXPECT_THAT(plan(name, {}).groups, IsEmpty());
  add_deletes(lake_.write_deletes(table, large, 1));
  const CompactionPlan made = plan(name, {});
  ASSERT_THAT(made.groups, SizeIs(1));
  ASSERT_THAT(made.groups.front().files, SizeIs(1));
  const ScanFile& file = made.groups.front().files.front();
  EXPECT_EQ(file.file->path, large.path);
  EXPECT_THAT(file.deletes, SizeIs(2));
  EXPECT_THAT(made.groups.front().obsolete_deletes, IsEmpty());  // they leave with the file
}

TEST_F(CompactionTest, DeletesThatNothingElseNeedsAreNamed) {
  const Identifier name = lake_.create("t", true);
  add(name, "a", 100, 5);
  add(name, "b", 5000, 2);
  const Table table = lake_.load(name);
  SnapshotChange change = lake_.change(table);
  const DataFile in_a = lake_.write_equality_deletes(table, 1, "a");
  change.deletes = {{in_a, 0}, {lake_.write_equality_deletes(table, 1, "b"), 0}};
  lake_.commit(name, std::move(change));
  const CompactionPlan made = plan(name, {});
  ASSERT_THAT(made.groups, SizeIs(1));
  const CompactionGroup& group = made.groups.front();
  EXPECT_THAT(group.obsolete_deletes, ElementsAre(in_a.path));

  change = lake_.change(lake_.load(name), {lake_.write(table, 45, "a")});
  for (const ScanFile& file : group.files) change.removed.push_back(file.file->path);
  change.removed.push_back(in_a.path);
  change.read_snapshot_id = made.snapshot_id;
  change.same_rows = true;
  lake_.commit(name, std::move(change));
  const ScanPlan scan = lake_.scan(name);
  EXPECT_THAT(scan.files, SizeIs(3));
  EXPECT_THAT(scan.deletes, SizeIs(1));
}

}  // namespace
}  // namespace meesh::lake
