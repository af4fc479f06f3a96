#include "lake/transaction.h"

#include "lake/transaction_merge.h"
#include "lake/transaction_test_lake.h"
#include "lake/transaction_validate.h"

namespace meesh::lake {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Pair;
using testing::SizeIs;
using testing::UnorderedElementsAre;

class TransactionTest : public LakeTest {
 protected:
  /// Commits `change`, while `others` commits with another catalog after the change was first
  /// built: it has to be built again.
  Table commit_after(const Identifier& name, SnapshotChange change,
                     const std::function<void(Catalog&)>& others) {
    const auto elsewhere = lake_.new_catalog();
    SnapshotWriter writer(lake_.cache(), std::move(change));
    int attempts = 0;
    const TableChange part{name, [&](const Table& base) {
                             TableMetadata made = writer.make(base);
                             if (++attempts == 1) others(*elsewhere);
                             return made;
                           }};
    Table table = lake_.catalog().commit({part}).front();
    writer.committed();
    EXPECT_EQ(attempts, 2);
    return table;
  }
  void append_elsewhere(Catalog& catalog, const Identifier& name, const DataFile& file) {
    lake_.commit(catalog, name, lake_.change(catalog.load(name), {file}));
  }
  static const Properties& summary(const Table& table) {
    return table.metadata->current_snapshot()->summary;
  }
  ManifestList manifests(const Table& table) {
    return lake_.cache().list(*table.metadata, *table.metadata->current_snapshot());
  }
  /// Nothing is below the table's folder that it does not need.
  void expect_clean(const Identifier& name) {
    const Table table = lake_.load(name);
    EXPECT_EQ(lake_.stored(table), lake_.needed(table));
  }
};

TEST_F(TransactionTest, AppendSaysWhatJavaSays) {
  const Identifier name = lake_.create("t", true);
  Table table = lake_.load(name);
  const DataFile a = lake_.write(table, 10, "a"), b = lake_.write(table, 5, "b");
  SnapshotChange change = lake_.change(table, {a, b});
  change.summary = {{"engine-name", "meesh"}};
  table = lake_.commit(name, std::move(change));
  const std::string bytes = std::to_string(a.bytes + b.bytes);
  EXPECT_THAT(summary(table),
              ElementsAre(Pair("added-data-files", "2"), Pair("added-files-size", bytes),
                          Pair("added-records", "15"), Pair("changed-partition-count", "2"),
                          Pair("engine-name", "meesh"), Pair("operation", "append"),
                          Pair("total-data-files", "2"), Pair("total-delete-files", "0"),
                          Pair("total-equality-deletes", "0"), Pair("total-files-size", bytes),
                          Pair("total-position-deletes", "0"), Pair("total-records", "15")));
  const Snapshot& snapshot = *table.metadata->current_snapshot();
  EXPECT_EQ(snapshot.sequence_number, 1);
  EXPECT_EQ(snapshot.parent_id, std::nullopt);
  EXPECT_EQ(snapshot.schema_id, 0);
  EXPECT_EQ(table.metadata->snapshot_log.back().snapshot_id, snapshot.id);
  const ManifestList list = manifests(table);
  ASSERT_THAT(*list, SizeIs(1));
  EXPECT_EQ(list->front().added_files, 2);
  EXPECT_EQ(list->front().sequence_number, 1);
  EXPECT_EQ(lake_.live(name), (std::multiset<std::string>{a.path, b.path}));
  expect_clean(name);
}

TEST_F(TransactionTest, RowDeltaAddsDataAndDeletes) {
  const Identifier name = lake_.create("t");
  const DataFile old = lake_.append(name, 10);
  Table table = lake_.load(name);
  SnapshotChange change = lake_.change(table, {lake_.write(table, 3)});
  change.deletes = {{lake_.write_deletes(table, old, 2), 0}};
  change.referenced = {old.path};
  table = lake_.commit(name, std::move(change));
  Properties told = summary(table);
  EXPECT_EQ(told["operation"], "overwrite");
  EXPECT_EQ(told["added-position-delete-files"], "1");
  EXPECT_EQ(told["added-position-deletes"], "2");
  EXPECT_EQ(told["total-position-deletes"], "2");
  EXPECT_EQ(told["total-records"], "13");
  EXPECT_EQ(told["total-delete-files"], "1");

  change = lake_.change(table);
  change.deletes = {{lake_.write_equality_deletes(table, 4), 0}};
  table = lake_.commit(name, std::move(change));
  told = summary(table);
  EXPECT_EQ(told["operation"], "delete");
  EXPECT_EQ(told["added-equality-deletes"], "4");
  EXPECT_EQ(told["total-delete-files"], "2");
  EXPECT_EQ(lake_.scan(name).files.front().file->records, 3);
}

TEST_F(TransactionTest, OverwriteAndDeleteRewriteOnlyTheManifestsConcerned) {
  const Identifier name = lake_.create("t");
  Table table = lake_.load(name);
  const DataFile a = lake_.write(table, 1), b = lake_.write(table, 2);
  lake_.commit(name, lake_.change(table, {a, b}));
  const DataFile c = lake_.append(name, 4);
  table = lake_.load(name);
  const std::string untouched = manifests(table)->front().path;
  const DataFile d = lake_.write(table, 8);
  table = lake_.commit(name, lake_.change(table, {d}, {a.path}));
  Properties told = summary(table);
  EXPECT_EQ(told["operation"], "overwrite");
  EXPECT_EQ(told["deleted-data-files"], "1");
  EXPECT_EQ(told["deleted-records"], "1");
  EXPECT_EQ(told["total-records"], "14");
  EXPECT_EQ(lake_.live(name), (std::multiset<std::string>{b.path, c.path, d.path}));
  const ManifestList list = manifests(table);
  ASSERT_THAT(*list, SizeIs(3));
  EXPECT_EQ(list->at(1).path, untouched);
  EXPECT_EQ(list->at(2).deleted_files, 1);
  EXPECT_EQ(list->at(2).existing_files, 1);
  // What stays keeps its age.
  const Manifest rewritten = lake_.cache().manifest(*table.metadata, list->at(2));
  for (const ManifestEntry& entry : *rewritten) EXPECT_EQ(entry.sequence_number, 1);

  table = lake_.commit(name, lake_.change(table, {}, {b.path, c.path}));
  told = summary(table);
  EXPECT_EQ(told["operation"], "delete");
  EXPECT_EQ(told["total-data-files"], "1");
  EXPECT_EQ(lake_.live(name), std::multiset<std::string>{d.path});
  // Manifests without live files are told of once, by the snapshot that emptied them.
  lake_.append(name);
  EXPECT_THAT(*manifests(lake_.load(name)), SizeIs(2));
  expect_clean(name);
}

TEST_F(TransactionTest, RemovingWhatIsNotThereFails) {
  const Identifier name = lake_.create("t");
  const DataFile a = lake_.append(name);
  const Table table = lake_.load(name);
  lake_.commit(name, lake_.change(table, {}, {a.path}));
  const DataFile added = lake_.write(table, 1);
  SnapshotChange change = lake_.change(lake_.load(name), {added}, {a.path});
  EXPECT_LAKE_ERROR(Code::kIcebergCommitError, "Missing required files to delete: " + a.path,
                    lake_.commit(name, std::move(change)));
  EXPECT_FALSE(lake_.files().exists(added.path));
  EXPECT_THAT(lake_.live(name), IsEmpty());
  expect_clean(name);
}

TEST_F(TransactionTest, DeleteFilesLeaveWithTheirData) {
  const Identifier name = lake_.create("t");
  const DataFile a = lake_.append(name), b = lake_.append(name);
  Table table = lake_.load(name);
  SnapshotChange change = lake_.change(table);
  const DataFile of_a = lake_.write_deletes(table, a, 1), of_b = lake_.write_deletes(table, b, 1);
  change.deletes = {{of_a, 0}, {of_b, 0}, {lake_.write_equality_deletes(table, 1), 0}};
  lake_.commit(name, std::move(change));
  const DataFile c = lake_.append(name);
  table = lake_.commit(name, lake_.change(lake_.load(name), {}, {a.path}));
  EXPECT_EQ(summary(table).at("removed-position-delete-files"), "1");
  EXPECT_EQ(summary(table).at("total-delete-files"), "2");
  // b is the oldest data there is: when it goes, the deletes before c have nothing left.
  table = lake_.commit(name, lake_.change(lake_.load(name), {}, {b.path}));
  EXPECT_EQ(summary(table).at("total-delete-files"), "0");
  EXPECT_EQ(lake_.scan(name).rows, c.records);
}

TEST_F(TransactionTest, RetryUsesItsManifestsAgain) {
  const Identifier name = lake_.create("t");
  const DataFile old = lake_.append(name), other = lake_.append(name);
  const Table table = lake_.load(name);
  const DataFile mine = lake_.write(table, 1), theirs = lake_.write(table, 1);
  const Table after =
      commit_after(name, lake_.change(table, {mine}, {old.path}),
                   [&](Catalog& catalog) { append_elsewhere(catalog, name, theirs); });
  EXPECT_EQ(lake_.live(name), (std::multiset<std::string>{mine.path, theirs.path, other.path}));
  const Snapshot& snapshot = *after.metadata->current_snapshot();
  EXPECT_EQ(snapshot.sequence_number, 4);
  EXPECT_EQ(snapshot.summary.at("total-data-files"), "3");
  const ManifestList list = manifests(after);
  for (const ManifestFile& file : *list) {
    const Manifest entries = lake_.cache().manifest(*after.metadata, file);
    for (const ManifestEntry& entry : *entries) {
      if (entry.file.path == mine.path) EXPECT_EQ(entry.sequence_number, 4);
      if (entry.file.path == theirs.path) EXPECT_EQ(entry.sequence_number, 3);
      if (entry.file.path == old.path) EXPECT_EQ(entry.status, EntryStatus::kDeleted);
    }
  }
  // One manifest for the new file, one for the rewritten, and nothing of the first attempt.
  int mine_count = 0;
  for (const std::string& path : lake_.stored(after)) mine_count += path.ends_with("-m0.avro");
  EXPECT_EQ(mine_count, 4);
  expect_clean(name);
}

TEST_F(TransactionTest, RemovedFilesMustStillBeThereOnRetry) {
  const Identifier name = lake_.create("t");
  const DataFile old = lake_.append(name);
  const Table table = lake_.load(name);
  const DataFile mine = lake_.write(table, 1);
  EXPECT_LAKE_ERROR(
      Code::kIcebergCommitError, "Missing required files to delete",
      commit_after(name, lake_.change(table, {mine}, {old.path}), [&](Catalog& catalog) {
        lake_.commit(catalog, name, lake_.change(catalog.load(name), {}, {old.path}));
      }));
  EXPECT_FALSE(lake_.files().exists(mine.path));
  EXPECT_THAT(lake_.live(name), IsEmpty());
  expect_clean(name);
}

TEST_F(TransactionTest, PositionDeletesNeedTheirDataFile) {
  const Identifier name = lake_.create("t");
  const DataFile old = lake_.append(name);
  const Table table = lake_.load(name);
  SnapshotChange change = lake_.change(table);
  change.deletes = {{lake_.write_deletes(table, old, 1), 0}};
  change.referenced = {old.path};
  EXPECT_LAKE_ERROR(Code::kIcebergCommitError, "Cannot commit, missing data files: [" + old.path,
                    commit_after(name, std::move(change), [&](Catalog& catalog) {
                      lake_.commit(
                          catalog, name,
                          lake_.change(catalog.load(name), {lake_.write(table, 1)}, {old.path}));
                    }));
  expect_clean(name);
}

TEST_F(TransactionTest, SerializableConflictsWithNewMatchingFilesOnly) {
  const Identifier name = lake_.create("t", true);
  const DataFile old = lake_.append(name, 10, "a");
  const auto update = [&](bool serializable, const std::string& part) {
    const Table table = lake_.load(name);
    const auto live = lake_.scan(name).files;
    SnapshotChange change =
        lake_.change(table, {lake_.write(table, 10, "a")}, {live.back().file->path});
    if (serializable) {
      change.conflict = Predicate::compare(Predicate::Kind::kEqual, 2, Value(std::string("a")));
    }
    commit_after(name, std::move(change), [&](Catalog& catalog) {
      append_elsewhere(catalog, name, lake_.write(table, 10, part));
    });
  };
  update(true, "b");
  EXPECT_LAKE_ERROR(Code::kIcebergCommitError,
                    "Found conflicting files that can contain records matching part = a: [s3://",
                    update(true, "a"));
  update(false, "a");
  EXPECT_THAT(lake_.live(name), SizeIs(4));
  expect_clean(name);
}

TEST_F(TransactionTest, ReplacedByOthersCountsAsSeen) {
  const Identifier name = lake_.create("t");
  const DataFile a = lake_.append(name), b = lake_.append(name);
  const Table table = lake_.load(name);
  SnapshotChange change = lake_.change(table, {lake_.write(table, 1)});
  change.conflict = Predicate();
  commit_after(name, std::move(change), [&](Catalog& catalog) {
    SnapshotChange compaction =
        lake_.change(catalog.load(name), {lake_.write(table, 20)}, {a.path, b.path});
    compaction.same_rows = true;
    lake_.commit(catalog, name, std::move(compaction));
  });
  EXPECT_THAT(lake_.live(name), SizeIs(2));
}

TEST_F(TransactionTest, TwoUpdatesOfOneRowConflictTwoDeletesDoNot) {
  const Identifier name = lake_.create("t");
  const DataFile old = lake_.append(name);
  const auto race = [&](bool update) {
    const Table table = lake_.load(name);
    SnapshotChange change = lake_.change(table);
    change.deletes = {{lake_.write_deletes(table, old, 1), 0}};
    change.referenced = {old.path};
    change.no_new_deletes = update;
    commit_after(name, std::move(change), [&](Catalog& catalog) {
      SnapshotChange other = lake_.change(catalog.load(name));
      other.deletes = {{lake_.write_deletes(table, old, 1), 0}};
      other.referenced = {old.path};
      lake_.commit(catalog, name, std::move(other));
    });
  };
  race(false);
  EXPECT_LAKE_ERROR(Code::kIcebergCommitError, "found new delete for replaced data file",
                    race(true));
  EXPECT_THAT(lake_.scan(name).deletes, SizeIs(3));
}

TEST_F(TransactionTest, CompactionIsDoneOnTopOfAppendsAndEqualityDeletes) {
  const Identifier name = lake_.create("t");
  const DataFile a = lake_.append(name), b = lake_.append(name);
  const Table table = lake_.load(name);
  const DataFile both = lake_.write(table, 20), theirs = lake_.write(table, 1);
  SnapshotChange change = lake_.change(table, {both}, {a.path, b.path});
  change.same_rows = true;
  DataFile deletes;
  const Table after = commit_after(name, std::move(change), [&](Catalog& catalog) {
    append_elsewhere(catalog, name, theirs);
    SnapshotChange other = lake_.change(catalog.load(name));
    deletes = lake_.write_equality_deletes(table, 1);
    other.deletes = {{deletes, 0}};
    lake_.commit(catalog, name, std::move(other));
  });
  EXPECT_EQ(summary(after).at("operation"), "replace");
  EXPECT_EQ(summary(after).at("total-records"), "21");
  const ScanPlan plan = lake_.scan(name);
  EXPECT_EQ(TestLake::paths(plan), (std::multiset<std::string>{both.path, theirs.path}));
  // The rows are as old as they were, so that the deletes still reach them.
  for (const ScanFile& file : plan.files) {
    EXPECT_EQ(file.sequence_number, file.file->path == both.path ? 2 : 3);
    EXPECT_THAT(file.deletes, SizeIs(1));
  }
}

TEST_F(TransactionTest, CompactionFailsWhenItsInputsGetPositionDeletes) {
  const Identifier name = lake_.create("t");
  const DataFile a = lake_.append(name), b = lake_.append(name);
  const Table table = lake_.load(name);
  const DataFile both = lake_.write(table, 20);
  SnapshotChange change = lake_.change(table, {both}, {a.path, b.path});
  change.same_rows = true;
  EXPECT_LAKE_ERROR(Code::kIcebergCommitError,
                    "Cannot commit, found new position delete for replaced data file: ",
                    commit_after(name, std::move(change), [&](Catalog& catalog) {
                      SnapshotChange other = lake_.change(catalog.load(name));
                      other.deletes = {{lake_.write_deletes(table, a, 1), 0}};
                      lake_.commit(catalog, name, std::move(other));
                    }));
  EXPECT_FALSE(lake_.files().exists(both.path));
  EXPECT_EQ(lake_.live(name), (std::multiset<std::string>{a.path, b.path}));
  expect_clean(name);
}

TEST_F(TransactionTest, ManifestsMergeFromTheWantedCountOn) {
  const Identifier name = lake_.create("t", false, {{"commit.manifest.min-count-to-merge", "4"}});
  std::multiset<std::string> expected;
  for (size_t i = 1; i <= 10; ++i) {
    expected.insert(lake_.append(name).path);
    // 1 2 3 1, then 2 3 1, …
    EXPECT_EQ(manifests(lake_.load(name))->size(), i < 4 ? i : (i - 4) % 3 + 1) << i;
    EXPECT_EQ(lake_.live(name), expected);
  }
  const Table table = lake_.load(name);
  const Manifest entries = lake_.cache().manifest(*table.metadata, manifests(table)->front());
  ASSERT_THAT(*entries, SizeIs(10));
  EXPECT_EQ(entries->front().status, EntryStatus::kAdded);
  EXPECT_EQ(entries->front().sequence_number, 10);
  EXPECT_EQ(entries->back().status, EntryStatus::kExisting);
  EXPECT_EQ(entries->back().sequence_number, 1);
  // Files that leave while manifests merge are told of, and only once.
  Table after = lake_.load(name);
  for (int i = 0; i < 3; ++i) {
    after = lake_.commit(name, lake_.change(after, {lake_.write(after, 1)}, {*expected.begin()}));
    expected.erase(expected.begin());
    int told = 0;
    const ManifestList list = manifests(after);
    for (const ManifestFile& file : *list) {
      const Manifest of = lake_.cache().manifest(*after.metadata, file);
      told += static_cast<int>(
          std::ranges::count_if(*of, [](const ManifestEntry& entry) { return !entry.live(); }));
    }
    EXPECT_EQ(told, 1);
  }
  EXPECT_THAT(lake_.live(name), SizeIs(10));
  expect_clean(name);
}

TEST_F(TransactionTest, BinsOfManifestsArePackedFromTheOldest) {
  const auto file = [](int64_t length, int spec_id = 0) {
    ManifestFile made;
    made.length = length;
    made.spec_id = spec_id;
    return made;
  };
  using Bins = std::vector<std::vector<size_t>>;
  const MergeSettings settings{.enabled = true, .target_bytes = 10, .min_count = 3};
  EXPECT_EQ(merge_bins({file(1), file(1)}, settings), (Bins{{0}, {1}}));
  EXPECT_EQ(merge_bins({file(1), file(1), file(1)}, settings), (Bins{{0, 1, 2}}));
  EXPECT_EQ(merge_bins({file(1), file(8), file(9), file(5), file(5)}, settings),
            (Bins{{0}, {1}, {2}, {3, 4}}));
  EXPECT_EQ(merge_bins({file(1), file(1, 1), file(1), file(1, 1), file(20)}, settings),
            (Bins{{1, 3}, {0}, {2}, {4}}));
  EXPECT_EQ(merge_bins({file(1), file(1), file(1)}, {.enabled = false}), (Bins{{0}, {1}, {2}}));
  EXPECT_LAKE_ERROR(Code::kInvalidTableProperty, "commit.manifest.target-size-bytes is '8 MB'",
                    merge_settings({{"commit.manifest.target-size-bytes", "8 MB"}}));
}

TEST_F(TransactionTest, SeveralTablesChangeTogetherOrNotAtAll) {
  const Identifier a = lake_.create("a"), b = lake_.create("b");
  const auto both = [&](const AlsoCommit& also, const std::string& removed) {
    std::vector<std::pair<Identifier, SnapshotChange>> changes;
    changes.emplace_back(a, lake_.change(lake_.load(a), {lake_.write(lake_.load(a), 1)}));
    changes.emplace_back(b, lake_.change(lake_.load(b), {lake_.write(lake_.load(b), 1)}));
    if (!removed.empty()) changes.back().second.removed = {removed};
    return commit(lake_.catalog(), lake_.cache(), std::move(changes), also);
  };
  EXPECT_THAT(both(nullptr, ""), SizeIs(2));
  EXPECT_LAKE_ERROR(Code::kIcebergCommitError, "Missing required files to delete",
                    both(nullptr, std::string(kTestPlace) + "/s/b/data/none"));
  EXPECT_LAKE_ERROR(Code::kInvalidArguments, "no",
                    both([](soci::session&) { throw Error(Code::kInvalidArguments, "no"); }, ""));
  EXPECT_THROW(both([](soci::session&) { throw std::runtime_error("no"); }, ""),
               std::runtime_error);
  EXPECT_THAT(lake_.live(a), SizeIs(1));
  EXPECT_THAT(lake_.live(b), SizeIs(1));
  expect_clean(a);
  expect_clean(b);
}

TEST_F(TransactionTest, TableDroppedAndMadeAnewIsAnother) {
  const Identifier name = lake_.create("t");
  const Table table = lake_.load(name);
  SnapshotChange change = lake_.change(table, {lake_.write(table, 1)});
  lake_.catalog().drop(name);
  lake_.create("t");
  EXPECT_LAKE_ERROR(Code::kIcebergCommitError, "UUID does not match",
                    lake_.commit(name, std::move(change)));
  EXPECT_THAT(lake_.live(name), IsEmpty());
}

TEST_F(TransactionTest, AdoptedFilesStayWhenACommitFails) {
  const Identifier name = lake_.create("t");
  const Table table = lake_.load(name);
  const DataFile theirs = lake_.write(table, 1);
  SnapshotChange change = lake_.change(table, {theirs}, {theirs.path + "x"});
  change.adopted = true;
  EXPECT_LAKE_ERROR(Code::kIcebergCommitError, "Missing required",
                    lake_.commit(name, std::move(change)));
  EXPECT_TRUE(lake_.files().exists(theirs.path));
}

TEST_F(TransactionTest, AFileIsAdoptedOnce) {
  const Identifier name = lake_.create("t");
  lake_.append(name);
  const Table table = lake_.load(name);
  const DataFile shared = lake_.write(table, 5), other = lake_.write(table, 5);
  const auto adopting = [&](std::vector<DataFile> files) {
    SnapshotChange change = lake_.change(table, std::move(files));
    change.adopted = true;
    return change;
  };
  lake_.commit(name, adopting({shared}));
  // Computed from the same snapshot, by somebody who did not know.
  EXPECT_LAKE_ERROR(Code::kAlreadyExists, "File already exists: " + shared.path,
                    lake_.commit(name, adopting({other, shared})));
  lake_.commit(name, adopting({other}));
  EXPECT_EQ(lake_.live(name).size(), 3u);
  EXPECT_EQ(lake_.live(name).count(shared.path), 1u);
  lake_.commit(name, lake_.change(lake_.load(name), {}, {shared.path}));
  lake_.commit(name, adopting({shared}));
  EXPECT_EQ(lake_.live(name).count(shared.path), 1u);
}

TEST_F(TransactionTest, FilesOutsideTheWarehouseAreRefused) {
  const Identifier name = lake_.create("t");
  DataFile file = lake_.write(lake_.load(name), 1);
  file.path = "s3://other/data.parquet";
  EXPECT_LAKE_ERROR(Code::kPermissionDenied, "outside the warehouse",
                    lake_.commit(name, lake_.change(lake_.load(name), {file})));
}

TEST_F(TransactionTest, BranchesGrowOnTheirOwn) {
  const Identifier name = lake_.create("t");
  const DataFile first = lake_.append(name);
  const int64_t root = *lake_.load(name).metadata->current_snapshot_id;
  const auto set_ref = [&](const std::string& ref, bool tag) {
    lake_.catalog().commit({{name, [&](const Table& base) {
                               SnapshotRef made{.snapshot_id = root, .tag = tag};
                               if (!tag) made.min_snapshots_to_keep = 7;
                               const std::vector<Update> updates{SetSnapshotRef{ref, made}};
                               return apply(updates, base.metadata.get(),
                                            base.metadata->last_updated_ms, base.metadata_location);
                             }}});
  };
  set_ref("audit", false);
  set_ref("v1", true);
  const DataFile on_main = lake_.append(name);
  Table table = lake_.load(name);
  const DataFile on_branch = lake_.write(table, 1);
  SnapshotChange change = lake_.change(table, {on_branch});
  change.branch = "audit";
  table = lake_.commit(name, std::move(change));
  const SnapshotRef& ref = *table.metadata->find_ref("audit");
  EXPECT_EQ(ref.min_snapshots_to_keep, 7);
  const Snapshot& head = *table.metadata->find_snapshot(ref.snapshot_id);
  EXPECT_EQ(head.parent_id, root);
  EXPECT_EQ(TestLake::paths(plan_scan(lake_.cache(), *table.metadata, &head, {})),
            (std::multiset<std::string>{first.path, on_branch.path}));
  EXPECT_EQ(lake_.live(name), (std::multiset<std::string>{first.path, on_main.path}));

  change = lake_.change(table, {lake_.write(table, 1)});
  change.branch = "v1";
  EXPECT_LAKE_ERROR(Code::kInvalidArguments, "v1 is a tag, not a branch",
                    lake_.commit(name, std::move(change)));
  change = lake_.change(table, {lake_.write(table, 1)});
  change.branch = "none";
  EXPECT_LAKE_ERROR(Code::kInvalidArguments, "Cannot find snapshot with reference name: none",
                    lake_.commit(name, std::move(change)));
  expect_clean(name);
}

TEST_F(TransactionTest, CreatesATableWithItsRowsAtOnce) {
  const Identifier name{{"s"}, "t"};
  const TableMetadata fresh = lake_.fresh(name, true);
  const Table planned{name, "", std::make_shared<const TableMetadata>(fresh)};
  const DataFile file = lake_.write(planned, 10, "a");
  const Table made =
      create_table_as(lake_.catalog(), lake_.cache(), name, fresh, lake_.change(planned, {file}));
  EXPECT_EQ(lake_.live(name), std::multiset<std::string>{file.path});
  EXPECT_THAT(made.metadata->metadata_log, IsEmpty());
  EXPECT_THAT(made.metadata_location, HasSubstr("/00000-"));
  expect_clean(name);
  // There is one now: what the second wrote goes.
  const DataFile second = lake_.write(planned, 10, "a");
  EXPECT_LAKE_ERROR(Code::kTableAlreadyExists, "s.t",
                    create_table_as(lake_.catalog(), lake_.cache(), name, fresh,
                                    lake_.change(planned, {second})));
  expect_clean(name);
}

TEST_F(TransactionTest, ReplacesATableWithAnotherSchema) {
  const Identifier name = lake_.create("t");
  lake_.append(name);
  Table table = lake_.load(name);
  const int64_t old = *table.metadata->current_snapshot_id;
  const DataFile file = lake_.write(table, 3);
  SnapshotChange change = lake_.change(table, {file});
  change.from_nothing = true;
  Schema schema = table.metadata->schema();
  schema.fields.push_back({3, "more", primitive_type(TypeKind::kDate), false, ""});
  change.updates = {AddSchema{schema}, SetCurrentSchema{kLastAdded}};
  table = lake_.commit(name, std::move(change));
  EXPECT_THAT(table.metadata->schema().fields, SizeIs(3));
  const Snapshot& snapshot = *table.metadata->current_snapshot();
  EXPECT_EQ(snapshot.parent_id, std::nullopt);
  EXPECT_EQ(snapshot.schema_id, table.metadata->current_schema_id);
  EXPECT_EQ(snapshot.summary.at("total-records"), "3");
  EXPECT_EQ(lake_.live(name), std::multiset<std::string>{file.path});
  EXPECT_NE(table.metadata->find_snapshot(old), nullptr);
  EXPECT_THAT(table.metadata->metadata_log, SizeIs(2));
}

TEST_F(TransactionTest, PartitionsOfDroppedColumnsCanBeRewritten) {
  const Identifier name = lake_.create("t", true);
  const DataFile a = lake_.append(name, 1, "a"), b = lake_.append(name, 1, "b");
  lake_.catalog().commit({{name, [](const Table& base) {
                             Schema schema = base.metadata->schema();
                             schema.fields.pop_back();
                             const std::vector<Update> updates{
                                 AddPartitionSpec{}, SetDefaultSpec{kLastAdded}, AddSchema{schema},
                                 SetCurrentSchema{kLastAdded}};
                             return apply(updates, base.metadata.get(),
                                          base.metadata->last_updated_ms, base.metadata_location);
                           }}});
  const Table table = lake_.load(name);
  lake_.commit(name, lake_.change(table, {lake_.write(table, 5)}, {a.path}));
  const ScanPlan plan = lake_.scan(name);
  EXPECT_THAT(plan.files, SizeIs(2));
  EXPECT_EQ(plan.files.back().file->path, b.path);
  EXPECT_THAT(plan.files.back().file->partition, ElementsAre(Value(std::string("b"))));
}

TEST_F(TransactionTest, PredicatesReadAsPeopleWriteThem) {
  const Identifier name = lake_.create("t");
  const Schema& schema = lake_.load(name).metadata->schema();
  using Kind = Predicate::Kind;
  const auto one = Predicate::compare(Kind::kGreaterEqual, 1, Value(int64_t{5}));
  EXPECT_EQ(predicate_text({}, schema), "true");
  EXPECT_EQ(
      predicate_text(Predicate::all_of({one, Predicate::any_of({Predicate::is_null(2),
                                                                Predicate::starts_with(2, "x")})}),
                     schema),
      "id >= 5 and (part is null or part starts with x)");
  EXPECT_EQ(
      predicate_text(Predicate::negated(Predicate::in(1, {Value(int64_t{1}), Value(int64_t{2})})),
                     schema),
      "not (id in (1, 2))");
}

}  // namespace
}  // namespace meesh::lake
