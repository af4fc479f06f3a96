#include "lake/scan.h"

#include "lake/transaction_test_lake.h"

namespace meesh::lake {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;
using testing::UnorderedElementsAre;

class ScanTest : public LakeTest {
 protected:
  /// The paths of the delete files that a scan applies to a data file.
  static std::set<std::string> deletes_of(const ScanPlan& plan, const std::string& path) {
    for (const ScanFile& file : plan.files) {
      if (file.file->path != path) continue;
      std::set<std::string> paths;
      for (const uint32_t place : file.deletes) paths.insert(plan.deletes.at(place).file->path);
      EXPECT_THAT(file.deletes, SizeIs(paths.size()));
      return paths;
    }
    ADD_FAILURE() << path << " is not in the plan";
    return {};
  }
  void add_deletes(const Identifier& name, const DataFile& deletes, int spec_id = 0) {
    SnapshotChange change = lake_.change(lake_.load(name));
    change.deletes = {{deletes, spec_id}};
    lake_.commit(name, std::move(change));
  }
};

TEST_F(ScanTest, EmptyTableHasNoRows) {
  const Identifier name = lake_.create("t");
  const ScanPlan plan = lake_.scan(name);
  EXPECT_THAT(plan.files, IsEmpty());
  EXPECT_EQ(plan.rows, 0);
}

TEST_F(ScanTest, TotalsAreExactWithoutPredicateAndDeletes) {
  const Identifier name = lake_.create("t");
  const DataFile a = lake_.append(name, 10), b = lake_.append(name, 5);
  ScanPlan plan = lake_.scan(name);
  EXPECT_EQ(plan.rows, 15);
  EXPECT_EQ(plan.records, 15);
  EXPECT_EQ(plan.bytes, a.bytes + b.bytes);
  plan = lake_.scan(name, Predicate::compare(Predicate::Kind::kLess, 1, Value(int64_t{500})));
  EXPECT_EQ(plan.rows, std::nullopt);
  EXPECT_EQ(plan.records, 15);
  add_deletes(name, lake_.write_deletes(lake_.load(name), a, 2));
  plan = lake_.scan(name);
  EXPECT_EQ(plan.rows, std::nullopt);
  EXPECT_EQ(plan.records, 15);
  EXPECT_THAT(plan.deletes, SizeIs(1));
}

TEST_F(ScanTest, PrunesByPartitionAndMetrics) {
  const Identifier name = lake_.create("t", true);
  const Table table = lake_.load(name);
  const DataFile low = lake_.write(table, 1, "a", 0, 9), high = lake_.write(table, 1, "a", 10, 19);
  lake_.commit(name, lake_.change(table, {low, high}));
  const DataFile other = lake_.append(name, 1, "b");
  const auto part = Predicate::compare(Predicate::Kind::kEqual, 2, Value(std::string("a")));
  ScanPlan plan = lake_.scan(name, part);
  EXPECT_THAT(TestLake::paths(plan), UnorderedElementsAre(low.path, high.path));
  EXPECT_EQ(plan.manifests, 2);
  EXPECT_EQ(plan.manifests_skipped, 1);
  plan = lake_.scan(name, Predicate::all_of({part, Predicate::compare(Predicate::Kind::kGreater, 1,
                                                                      Value(int64_t{9}))}));
  EXPECT_THAT(TestLake::paths(plan), ElementsAre(high.path));
  EXPECT_EQ(plan.files_skipped, 1);
  plan = lake_.scan(name, Predicate::compare(Predicate::Kind::kEqual, 2, Value(std::string("b"))));
  EXPECT_THAT(TestLake::paths(plan), ElementsAre(other.path));
  const auto values = identity_values(table.metadata->spec(), *plan.files.front().file);
  EXPECT_THAT(values, ElementsAre(std::pair<int, Value>(2, Value(std::string("b")))));
}

TEST_F(ScanTest, PositionDeletesReachOlderAndEqualDataOfTheirPartition) {
  const Identifier name = lake_.create("t", true);
  const DataFile old = lake_.append(name, 10, "a"), elsewhere = lake_.append(name, 10, "b");
  const Table table = lake_.load(name);
  const DataFile with = lake_.write(table, 10, "a");
  const DataFile deletes = lake_.write_deletes(table, old, 1, false);
  SnapshotChange change = lake_.change(table, {with});
  change.deletes = {{deletes, 0}};
  lake_.commit(name, std::move(change));
  const DataFile later = lake_.append(name, 10, "a");
  const ScanPlan plan = lake_.scan(name);
  EXPECT_THAT(deletes_of(plan, old.path), ElementsAre(deletes.path));
  EXPECT_THAT(deletes_of(plan, with.path), ElementsAre(deletes.path));
  EXPECT_THAT(deletes_of(plan, later.path), IsEmpty());
  EXPECT_THAT(deletes_of(plan, elsewhere.path), IsEmpty());
  EXPECT_THAT(plan.deletes, SizeIs(1));
}

TEST_F(ScanTest, PositionDeletesOfOneFileReachNoOther) {
  const Identifier name = lake_.create("t");
  const DataFile a = lake_.append(name), b = lake_.append(name), c = lake_.append(name);
  const Table table = lake_.load(name);
  const DataFile named = lake_.write_deletes(table, a, 1);
  DataFile bounded = lake_.write_deletes(table, b, 1, false);
  constexpr int kDeleteFilePathId = 2147483546;
  bounded.metrics.set({kDeleteFilePathId, -1, 1, 0, -1, b.path, b.path});
  add_deletes(name, named);
  add_deletes(name, bounded);
  EXPECT_EQ(referenced_file(bounded), b.path);
  const ScanPlan plan = lake_.scan(name);
  EXPECT_THAT(deletes_of(plan, a.path), ElementsAre(named.path));
  EXPECT_THAT(deletes_of(plan, b.path), ElementsAre(bounded.path));
  EXPECT_THAT(deletes_of(plan, c.path), IsEmpty());
}

TEST_F(ScanTest, EqualityDeletesReachOnlyOlderData) {
  const Identifier name = lake_.create("t", true);
  const DataFile a = lake_.append(name, 10, "a"), b = lake_.append(name, 10, "b");
  const Table table = lake_.load(name);
  const DataFile with = lake_.write(table, 10, "a");
  const DataFile deletes = lake_.write_equality_deletes(table, 1, "a");
  SnapshotChange change = lake_.change(table, {with});
  change.deletes = {{deletes, 0}};
  lake_.commit(name, std::move(change));
  const ScanPlan plan = lake_.scan(name);
  EXPECT_THAT(deletes_of(plan, a.path), ElementsAre(deletes.path));
  EXPECT_THAT(deletes_of(plan, b.path), IsEmpty());
  EXPECT_THAT(deletes_of(plan, with.path), IsEmpty());
}

TEST_F(ScanTest, EqualityDeletesOfAnUnpartitionedSpecReachAllPartitions) {
  const Identifier name = lake_.create("t");
  const DataFile plain = lake_.append(name);
  lake_.catalog().commit(
      {{name, [](const Table& base) {
          PartitionSpec spec;
          spec.fields = {{2, 0, "part", parse_transform("identity")}};
          const std::vector<Update> updates{AddPartitionSpec{spec}, SetDefaultSpec{kLastAdded}};
          return apply(updates, base.metadata.get(), 1'700'000'000'001, base.metadata_location);
        }}});
  const DataFile parted = lake_.append(name, 10, "a");
  DataFile deletes = lake_.write_equality_deletes(lake_.load(name), 1);
  deletes.partition.clear();
  add_deletes(name, deletes, 0);
  const ScanPlan plan = lake_.scan(name);
  EXPECT_THAT(deletes_of(plan, plain.path), ElementsAre(deletes.path));
  EXPECT_THAT(deletes_of(plan, parted.path), ElementsAre(deletes.path));
}

TEST_F(ScanTest, ChangedAndMissingManifestsAreTold) {
  const Identifier name = lake_.create("t");
  lake_.append(name);
  const Table table = lake_.load(name);
  const Snapshot& snapshot = *table.metadata->current_snapshot();
  const std::string path = lake_.cache().list(*table.metadata, snapshot)->front().path;
  const std::string bytes = lake_.files().read(path);
  lake_.files().remove({path});
  ManifestCache fresh(lake_.files());
  EXPECT_LAKE_ERROR(Code::kIcebergMissingData, path,
                    plan_scan(fresh, *table.metadata, &snapshot, {}));
  lake_.files().write(path, bytes + "x", "application/avro");
  const Error error = lake_error([&] { (void)plan_scan(fresh, *table.metadata, &snapshot, {}); });
  EXPECT_EQ(error.code(), Code::kIcebergInvalidMetadata);
  EXPECT_THAT(error.message(), HasSubstr(table.metadata->location));
  EXPECT_THAT(error.message(), HasSubstr(fmt::format("'{}' has {} bytes, its manifest list says {}",
                                                     path, bytes.size() + 1, bytes.size())));
}

TEST_F(ScanTest, WhatFitsTheBudgetIsReadOnce) {
  const Identifier name = lake_.create("t");
  for (int i = 0; i < 30; ++i) lake_.append(name);
  const Table table = lake_.load(name);
  const Snapshot* snapshot = table.metadata->current_snapshot();
  ManifestCache large(lake_.files()), small(lake_.files(), 4000), none(lake_.files(), 0);
  const auto expected = TestLake::paths(plan_scan(large, *table.metadata, snapshot, {}));
  EXPECT_THAT(expected, SizeIs(30));
  EXPECT_EQ(TestLake::paths(plan_scan(small, *table.metadata, snapshot, {})), expected);
  EXPECT_EQ(TestLake::paths(plan_scan(none, *table.metadata, snapshot, {})), expected);
  const ManifestList list = large.list(*table.metadata, *snapshot);
  for (const ManifestFile& file : *list) lake_.files().remove({file.path});
  EXPECT_EQ(TestLake::paths(plan_scan(large, *table.metadata, snapshot, {})), expected);
  for (ManifestCache* cache : {&small, &none}) {
    EXPECT_LAKE_ERROR(Code::kIcebergMissingData, "-m0.avro",
                      plan_scan(*cache, *table.metadata, snapshot, {}));
  }
}

TEST_F(ScanTest, SnapshotsOfVersion1ListTheirManifestsThemselves) {
  const Identifier name = lake_.create("t");
  const DataFile file = lake_.append(name, 7);
  const Table table = lake_.load(name);
  TableMetadata old = *table.metadata;
  Snapshot& snapshot = old.snapshots.front();
  const ManifestList list = lake_.cache().list(old, snapshot);
  snapshot.manifests = {list->front().path};
  snapshot.manifest_list.clear();
  const ScanPlan plan = plan_scan(lake_.cache(), old, &snapshot, {});
  EXPECT_THAT(TestLake::paths(plan), ElementsAre(file.path));
  EXPECT_EQ(plan.rows, 7);
}

TEST_F(ScanTest, NamesSnapshotsAsTrinoDoes) {
  const Identifier name = lake_.create("t");
  lake_.append(name);
  const Table table = lake_.load(name);
  const TableMetadata& metadata = *table.metadata;
  const Snapshot& snapshot = *metadata.current_snapshot();
  EXPECT_EQ(&snapshot_by_id(metadata, snapshot.id), &snapshot);
  EXPECT_EQ(&snapshot_by_ref(metadata, "main"), &snapshot);
  EXPECT_EQ(&snapshot_by_time(metadata, "s.t", snapshot.timestamp_ms), &snapshot);
  EXPECT_LAKE_ERROR(Code::kInvalidArguments, "Iceberg snapshot ID does not exists: 5",
                    &snapshot_by_id(metadata, 5));
  EXPECT_LAKE_ERROR(Code::kInvalidArguments, "Cannot find snapshot with reference name: MAIN",
                    &snapshot_by_ref(metadata, "MAIN"));
  EXPECT_LAKE_ERROR(Code::kInvalidArguments,
                    "No version history table s.t at or before 2023-11-14T22:13:20.001Z",
                    &snapshot_by_time(metadata, "s.t", 1'700'000'000'001));
  EXPECT_LAKE_ERROR(Code::kInvalidArguments, "at or before 1969-12-31T23:59:59Z",
                    &snapshot_by_time(metadata, "s.t", -1000));
}

}  // namespace
}  // namespace meesh::lake
