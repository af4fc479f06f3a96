#include "lake/table_statistics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "lake/puffin.h"
#include "lake/theta_sketch.h"
#include "lake/transaction_test_lake.h"

namespace meesh::lake {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;
using testing::SizeIs;

class StatisticsTest : public LakeTest {
 protected:
  static std::string sketch(int64_t values) {
    ThetaSketch out;
    for (int64_t i = 0; i < values; ++i)
      out.add(to_bytes(primitive_type(TypeKind::kLong), Value(i)));
    return out.compact();
  }
  Table analyze(const Identifier& name, std::map<int, std::string> sketches) {
    return set_statistics(lake_.catalog(), name, news(lake_.load(name), std::move(sketches)));
  }
  static NewStatistics news(const Table& table, std::map<int, std::string> sketches) {
    return {table.metadata->location + "/metadata/" + base::random_uuid() + ".stats",
            table.metadata->uuid, *table.metadata->current_snapshot_id, std::move(sketches)};
  }
  std::map<int, int64_t> ndvs(const Identifier& name) {
    const Table table = lake_.load(name);
    return distinct_values(lake_.files(), *table.metadata, *table.metadata->current_snapshot());
  }
  TableSummary summary(const Identifier& name) {
    const Table table = lake_.load(name);
    return summarize(lake_.cache(), *table.metadata, *table.metadata->current_snapshot());
  }
  Table update(const Identifier& name, const std::vector<Update>& updates) {
    const auto make = [&](const Table& base) {
      return apply(updates, base.metadata.get(), base.metadata->last_updated_ms,
                   base.metadata_location);
    };
    return lake_.catalog().commit({{name, make}}).front();
  }
};

TEST_F(StatisticsTest, OfTheNearestAncestorCount) {
  const Identifier name = lake_.create("t");
  lake_.append(name);
  EXPECT_THAT(ndvs(name), IsEmpty());
  const Table table = analyze(name, {{1, sketch(10)}, {2, sketch(3)}});
  const StatisticsFile& file = table.metadata->statistics.at(0);
  EXPECT_EQ(file.snapshot_id, *table.metadata->current_snapshot_id);
  EXPECT_EQ(file.blobs.at(0).fields, std::vector{1});
  EXPECT_EQ(file.blobs.at(0).properties.at("ndv"), "10");
  const std::string bytes = lake_.files().read(file.path);
  EXPECT_EQ(bytes.size(), static_cast<size_t>(file.size));
  const Puffin puffin = parse_puffin(bytes);
  EXPECT_EQ(puffin.blobs.at(1).about, file.blobs.at(1));
  EXPECT_EQ(unpacked(puffin.blobs.at(0)), sketch(10));
  EXPECT_THAT(ndvs(name), ElementsAre(Pair(1, 10), Pair(2, 3)));

  const int64_t first = *table.metadata->current_snapshot_id;
  lake_.append(name);  // the parent's are good still
  EXPECT_THAT(ndvs(name), ElementsAre(Pair(1, 10), Pair(2, 3)));
  analyze(name, {{1, sketch(20)}, {2, sketch(4)}});
  EXPECT_THAT(ndvs(name), ElementsAre(Pair(1, 20), Pair(2, 4)));
  rollback_to_snapshot(lake_.catalog(), name, first);
  EXPECT_THAT(ndvs(name), ElementsAre(Pair(1, 10), Pair(2, 3)));
}

TEST_F(StatisticsTest, ColumnsNotAnalyzedKeepTheirs) {
  const Identifier name = lake_.create("t");
  lake_.append(name);
  analyze(name, {{1, sketch(10)}, {2, sketch(3)}});
  lake_.append(name);
  const Table table = analyze(name, {{1, sketch(9000)}});
  EXPECT_EQ(ndvs(name).at(2), 3);
  EXPECT_EQ(ndvs(name).at(1), static_cast<int64_t>(theta_estimate(sketch(9000))));
  // What was copied says what it was computed of.
  EXPECT_EQ(table.metadata->statistics.back().blobs.at(0).snapshot_id,
            table.metadata->statistics.front().snapshot_id);
  // Analyzed again, a snapshot has one file still, and the other is nobody's.
  const Table again = analyze(name, {{2, sketch(5)}});
  EXPECT_THAT(again.metadata->statistics, SizeIs(2));
  const auto orphans = remove_orphan_files(lake_.catalog(), lake_.cache(), name,
                                           {.older_than = std::chrono::milliseconds(-1000)});
  EXPECT_THAT(orphans.files, ElementsAre(table.metadata->statistics.back().path));
  EXPECT_EQ(ndvs(name).at(2), 5);
  EXPECT_EQ(lake_.stored(again), lake_.needed(again));
}

TEST_F(StatisticsTest, SketchesTellWherePropertiesDoNot) {
  const Identifier name = lake_.create("t");
  lake_.append(name);
  Table table = analyze(name, {{1, sketch(10)}, {2, sketch(3)}});
  StatisticsFile file = table.metadata->statistics.at(0);
  file.blobs.at(0).properties.clear();
  file.blobs.at(1).properties["ndv"] = "many";
  update(name, {SetStatistics{file}});
  EXPECT_THAT(ndvs(name), ElementsAre(Pair(1, 10), Pair(2, 3)));
  // What cannot be read tells nothing, and is in nobody's way.
  file.blobs.at(1).properties["ndv"] = "30";
  file.path = table.metadata->location + "/metadata/missing.stats";
  update(name, {SetStatistics{file}});
  EXPECT_THAT(ndvs(name), ElementsAre(Pair(2, 30)));
  file.path = "s3://elsewhere/t.stats";
  update(name, {SetStatistics{file}});
  EXPECT_THAT(ndvs(name), ElementsAre(Pair(2, 30)));
  analyze(name, {{1, sketch(4)}});
  EXPECT_THAT(ndvs(name), ElementsAre(Pair(1, 4)));
}

TEST_F(StatisticsTest, WhatWasAnalyzedMustBeThereStill) {
  const Identifier name = lake_.create("t");
  lake_.append(name);
  const Table table = lake_.load(name);
  NewStatistics gone = news(table, {{1, sketch(1)}});
  gone.snapshot_id = 77;
  EXPECT_LAKE_ERROR(Code::kIcebergCommitError, "the snapshot has expired",
                    set_statistics(lake_.catalog(), name, gone));
  NewStatistics other = news(table, {{1, sketch(1)}});
  other.table_uuid = base::random_uuid();
  EXPECT_LAKE_ERROR(Code::kIcebergCommitError, "another table",
                    set_statistics(lake_.catalog(), name, other));
  EXPECT_EQ(lake_.stored(table), lake_.needed(table));
}

TEST_F(StatisticsTest, DroppedStatisticsAreForgotten) {
  const Identifier name = lake_.create("t");
  lake_.append(name);
  analyze(name, {{1, sketch(10)}});
  lake_.append(name);
  analyze(name, {{1, sketch(11)}});
  EXPECT_THAT(drop_statistics(lake_.catalog(), name).metadata->statistics, IsEmpty());
  EXPECT_THAT(ndvs(name), IsEmpty());
}

TEST_F(StatisticsTest, ColumnsAreSummedUpOverFiles) {
  const Identifier name = lake_.create("t", true);
  const auto append = [&](int64_t records, const std::string& part, int64_t low, int64_t high) {
    const Table table = lake_.load(name);
    lake_.commit(name, lake_.change(table, {lake_.write(table, records, part, low, high)}));
  };
  append(10, "b", 5, 9);
  append(20, "a", -3, 4);
  TableSummary found = summary(name);
  EXPECT_EQ(found.files, 2);
  EXPECT_EQ(found.records, 30);
  EXPECT_EQ(found.columns.at(1).low, Value(int64_t{-3}));
  EXPECT_EQ(found.columns.at(1).high, Value(int64_t{9}));
  EXPECT_EQ(found.columns.at(1).nulls, 0);
  EXPECT_EQ(found.columns.at(1).bytes, 20);
  // Of the partition's column only the partition tells.
  EXPECT_EQ(found.columns.at(2).low, Value(std::string("a")));
  EXPECT_EQ(found.columns.at(2).high, Value(std::string("b")));
  EXPECT_EQ(found.columns.at(2).nulls, 0);
  EXPECT_EQ(found.columns.at(2).bytes, std::nullopt);
}

TEST_F(StatisticsTest, AFileThatDoesNotTellLeavesItOpen) {
  const Identifier name = lake_.create("t");
  const auto append = [&](const std::function<void(DataFile&)>& edit) {
    const Table table = lake_.load(name);
    DataFile file = lake_.write(table, 10, "", 1, 2);
    edit(file);
    lake_.commit(name, lake_.change(table, {file}));
  };
  append([](DataFile&) {});
  append([](DataFile& file) { file.metrics.set({1, 10, 10, 10, -1, {}, {}}); });  // all are NULL
  EXPECT_EQ(summary(name).columns.at(1).low, Value(int64_t{1}));
  EXPECT_EQ(summary(name).columns.at(1).nulls, 10);
  append([](DataFile& file) { file.metrics = {}; });
  append([](DataFile&) {});
  const ColumnSummary open = summary(name).columns.at(1);
  EXPECT_TRUE(is_null(open.low));
  EXPECT_TRUE(is_null(open.high));
  EXPECT_EQ(open.nulls, std::nullopt);
}

}  // namespace
}  // namespace meesh::lake
