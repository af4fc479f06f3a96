// Models of a lake: what is published, and what readers see meanwhile.
#include <atomic>
#include <thread>

#include "engine/catalogs/lake_fixture_test.h"
#include "transform/sql_model.h"

namespace meesh::transform {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class LakeModelTest : public engine::LakeTest {
 protected:
  LakeModelTest()
      : quality_(*engine_, *database_, mesh_, {}, "ada"), models_(*engine_, quality_, "ada") {
    context_.parameters["run_date"] = "2025-01-15";
    context_.run_id = "run-7";
    model_.name = "lake.s.m";
    model_.suite = "pipelines/p.yaml";
  }
  ~LakeModelTest() override = default;

  ModelResult make(const std::string& sql, bool full_refresh = false) {
    model_.sql = sql;
    return models_.run(model_, context_, full_refresh);
  }
  std::string refused(const std::string& sql) {
    try {
      make(sql);
      return "it was not refused";
    } catch (const Error& e) {
      return std::string(code_name(e.code())) + ": " + e.message();
    }
  }
  void positive() {
    quality::Check check;
    check.kind = quality::CheckKind::kRange;
    check.columns = {"a"};
    check.min = quality::Literal{"0", true};
    model_.checks = {check};
    quality::name_checks(model_.checks);
  }
  std::string snapshots() { return one("SELECT count(*) FROM lake.s.\"m$snapshots\""); }

  mesh::Mesh mesh_;
  quality::Quality quality_;
  Models models_;
  Model model_;
  TaskContext context_;
};

TEST_F(LakeModelTest, a_table_is_replaced_with_its_run_in_the_snapshot) {
  EXPECT_EQ(make("SELECT 1 AS a").action, "created");
  const auto second = make("SELECT 2 AS a, '{{ run_date }}' AS d");
  EXPECT_EQ(second.action, "replaced");
  EXPECT_EQ(second.rows, 1u);
  EXPECT_THAT(rows("SELECT * FROM lake.s.m"), ElementsAre("2|2025-01-15"));
  EXPECT_THAT(one("SELECT count(*) FROM lake.s.\"m$snapshots\" WHERE "
                  "element_at(summary, 'meesh.run-id') = 'run-7'"),
              ::testing::Ne("0"));
}

TEST_F(LakeModelTest, a_failed_check_publishes_nothing) {
  make("SELECT 1 AS a");
  positive();
  const auto before = snapshots();
  const auto files = objects_ending(".parquet").size();
  EXPECT_THAT(refused("SELECT -1 AS a"), HasSubstr("CONSTRAINT_VIOLATION: 1 of 1 checks"));
  EXPECT_THAT(rows("SELECT * FROM lake.s.m"), ElementsAre("1"));
  EXPECT_EQ(snapshots(), before);
  EXPECT_EQ(objects_ending(".parquet").size(), files);
  EXPECT_EQ(quality_.history().results("lake.s.m", "", 5).at(0).failing, 1u);
}

TEST_F(LakeModelTest, a_table_that_was_never_good_is_not_there) {
  positive();
  EXPECT_THAT(refused("SELECT -1 AS a"), HasSubstr("CONSTRAINT_VIOLATION"));
  EXPECT_THAT(failure("SELECT * FROM lake.s.m"), HasSubstr("TABLE_NOT_FOUND"));
}

TEST_F(LakeModelTest, readers_never_see_what_was_refused) {
  make("SELECT 1 AS a");
  positive();
  std::atomic<bool> over = false;
  std::atomic<int> reads = 0, wrong = 0;
  std::thread reader([&] {
    while (!over || reads == 0) {
      if (one("SELECT min(a) FROM lake.s.m") != "1") ++wrong;
      ++reads;
    }
  });
  for (int i = 0; i < 5; ++i) refused("SELECT -1 AS a");
  over = true;
  reader.join();
  EXPECT_EQ(wrong, 0);
}

TEST_F(LakeModelTest, a_table_that_is_replaced_keeps_its_place) {
  model_.properties = {{"location", "'s3://datalake/warehouse/place'"}};
  make("SELECT 1 AS a");
  make("SELECT 2 AS a");
  EXPECT_THAT(one("SHOW CREATE TABLE lake.s.m"), HasSubstr("s3://datalake/warehouse/place"));
}

TEST_F(LakeModelTest, every_strategy_of_an_increment) {
  model_.kind = Model::Kind::kIncremental;
  make("SELECT * FROM (VALUES (1, 'a'), (2, 'b')) AS v(a, t)");
  model_.strategy = Model::Strategy::kAppend;
  EXPECT_EQ(make("SELECT * FROM (VALUES (3, 'c')) AS v(a, t)").rows, 1u);
  model_.strategy = Model::Strategy::kMerge;
  model_.unique_key = {"A"};
  make("SELECT * FROM (VALUES (3, 'C'), (4, 'd')) AS v(a, t)");
  model_.strategy = Model::Strategy::kDeleteInsert;
  make("SELECT * FROM (VALUES (1, 'x'), (1, 'y'), (9, 'z')) AS v(a, t)");
  EXPECT_THAT(rows("SELECT a, t FROM lake.s.m ORDER BY 1, 2"),
              ElementsAre("1|x", "1|y", "2|b", "3|C", "4|d", "9|z"));
  positive();
  const auto before = snapshots();
  EXPECT_THAT(refused("SELECT -1 AS a, 'q' AS t"), HasSubstr("CONSTRAINT_VIOLATION"));
  EXPECT_EQ(snapshots(), before);
  model_.strategy = Model::Strategy::kMerge;
  EXPECT_THAT(refused("SELECT -1 AS a, 'q' AS t"), HasSubstr("CONSTRAINT_VIOLATION"));
  EXPECT_EQ(snapshots(), before);
}

TEST_F(LakeModelTest, a_date_that_is_run_again_replaces_its_partition) {
  model_.kind = Model::Kind::kIncremental;
  model_.strategy = Model::Strategy::kReplacePartition;
  model_.partition = {{"_run_date", "{{ run_date }}"}};
  model_.properties = {{"location", "'s3://datalake/warehouse/sales'"}};
  make("SELECT 1 AS a");
  make("SELECT 2 AS a UNION ALL SELECT 3");
  context_.parameters["run_date"] = "2025-01-16";
  make("SELECT 9 AS a");
  EXPECT_THAT(rows("SELECT a, CAST(_run_date AS varchar) FROM lake.s.m ORDER BY 1"),
              ElementsAre("2|2025-01-15", "3|2025-01-15", "9|2025-01-16"));
  for (const auto& key : objects_ending(".parquet"))
    EXPECT_THAT(key, ::testing::AnyOf(HasSubstr("warehouse/sales/2025-01-15/"),
                                      HasSubstr("warehouse/sales/2025-01-16/")));
  context_.parameters["run_date"] = "2025-01-15";
  model_.new_rows = "a > 5";
  EXPECT_EQ(make("SELECT 2 AS a").rows, 0u);
  EXPECT_EQ(one("SELECT count(*) FROM lake.s.m"), "1");
}

TEST_F(LakeModelTest, columns_are_appended) {
  model_.kind = Model::Kind::kIncremental;
  make("SELECT 1 AS a");
  model_.on_schema_change = Model::SchemaChange::kAppendNewColumns;
  make("SELECT 2 AS a, 'x' AS t");
  EXPECT_THAT(rows("SELECT a, t FROM lake.s.m ORDER BY 1"), ElementsAre("1|NULL", "2|x"));
}

TEST_F(LakeModelTest, views_and_materialized_views) {
  run("CREATE TABLE src AS SELECT 1 AS a");
  model_.kind = Model::Kind::kView;
  EXPECT_EQ(make("SELECT a FROM lake.s.src").action, "view");
  model_.kind = Model::Kind::kMaterializedView;
  EXPECT_EQ(make("SELECT a FROM lake.s.src").rows, 1u);
  EXPECT_EQ(make("SELECT a FROM lake.s.src;").rows, 0u);
  positive();
  run("INSERT INTO src VALUES -5");
  EXPECT_THAT(refused("SELECT a FROM lake.s.src"), HasSubstr("CONSTRAINT_VIOLATION"));
  model_.checks.clear();
  model_.kind = Model::Kind::kTable;
  make("SELECT 7 AS a");
  EXPECT_THAT(rows("SELECT * FROM lake.s.m"), ElementsAre("7"));
}

TEST_F(LakeModelTest, a_view_becomes_a_table_in_one_commit) {
  model_.kind = Model::Kind::kView;
  make("SELECT 1 AS a");
  model_.kind = Model::Kind::kTable;
  positive();
  EXPECT_THAT(refused("SELECT -1 AS a"), HasSubstr("CONSTRAINT_VIOLATION"));
  EXPECT_THAT(rows("SELECT * FROM lake.s.m"), ElementsAre("1"));
  std::atomic<bool> over = false;
  std::atomic<int> reads = 0, wrong = 0;
  std::thread reader([&] {
    while (!over) {
      try {
        const std::string seen = one("SELECT min(a) FROM lake.s.m");
        if (seen != "1" && seen != "2") ++wrong;
      } catch (const Error&) {
        ++wrong;
      }
      ++reads;
    }
  });
  while (reads == 0) std::this_thread::yield();
  make("SELECT 2 AS a");
  const int when_made = reads;
  while (reads < when_made + 2) std::this_thread::yield();
  over = true;
  reader.join();
  EXPECT_EQ(wrong, 0);
  EXPECT_THAT(rows("SELECT * FROM lake.s.m"), ElementsAre("2"));
  EXPECT_EQ(one("SELECT table_type FROM lake.information_schema.tables WHERE table_name = 'm'"),
            "BASE TABLE");
}

TEST_F(LakeModelTest, what_goes_along_is_published_or_not_with_the_rows) {
  database_->write([](soci::session& sql) { sql << "CREATE TABLE ran (n BIGINT)"; });
  const auto also = [](soci::session& sql) { sql << "INSERT INTO ran VALUES (1)"; };
  const auto ran = [&] {
    long long n = 0;
    database_->read([&](soci::session& sql) { sql << "SELECT count(*) FROM ran", soci::into(n); });
    return n;
  };
  model_.sql = "SELECT 1 AS a";
  models_.run(model_, context_, false, also);
  EXPECT_EQ(ran(), 1);
  positive();
  model_.sql = "SELECT -1 AS a";
  EXPECT_THROW(models_.run(model_, context_, false, also), Error);
  EXPECT_EQ(ran(), 1);
}

}  // namespace
}  // namespace meesh::transform
