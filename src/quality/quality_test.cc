// Checks and profiles over a real engine and a real metadata database.
#include "quality/quality.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <boost/json.hpp>
#include <filesystem>
#include <fstream>

#include "engine/ask.h"

namespace meesh::quality {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class QualityTest : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ =
        std::filesystem::temp_directory_path() / ("meesh-quality-" + std::to_string(::getpid()));
    std::filesystem::create_directories(folder_ / "checks");
    std::ofstream(folder_ / "checks" / "t.yaml") << "tables: []\n";
    engine::Options options;
    options.spill_directory = (folder_ / "spill").string();
    engine_ = engine::Engine::open(options);
    engine_->add_catalog(engine::make_memory_catalog("memory"));
    database_ = meta::Database::open({meta::Backend::kSqlite, (folder_ / "meta.db").string()});
    mesh_.folder = folder_;
    mesh::Domain domain;
    domain.name = "sales";
    domain.catalog = "memory";
    domain.products.push_back(
        {.name = "orders", .description = "", .table = "default.t", .contract = "", .tags = {}});
    mesh_.domains.push_back(domain);
    quality_ = std::make_unique<Quality>(*engine_, *database_, mesh_, std::vector<Suite>{});
    run("CREATE TABLE memory.default.t AS SELECT * FROM (VALUES "
        "(1, 'ana', 10.5, DATE '2025-01-01'), (2, 'bob', 0.0, DATE '2025-01-02'), "
        "(2, NULL, -1.0, NULL), (4, 'eve', nan(), DATE '2025-01-04')) AS v(id, name, amount, day)");
    run("CREATE TABLE memory.default.names AS SELECT * FROM (VALUES 'ana', 'bob') AS v(name)");
  }
  void TearDown() override {
    quality_.reset();
    engine_.reset();
    database_.reset();
    std::filesystem::remove_all(folder_);
  }

  engine::Answer run(const std::string& sql) {
    engine::Session session;
    session.user = "tester";
    return engine::ask(*engine_, sql, session);
  }

  std::vector<CheckResult> check(const std::string& items, const std::string& run_id = "") {
    auto document = yaml::parse(items, "checks/t.yaml");
    std::vector<Error> problems;
    base::check(checks_shape(), document, problems);
    Suite suite{"checks/t.yaml", "memory.default.t",
                parse_checks(document, document.root, problems)};
    EXPECT_TRUE(problems.empty()) << problems.front().what();
    TaskContext context;
    context.run_id = run_id;
    return quality_->run(suite, context);
  }
  CheckResult one(const std::string& item) { return check("- " + item).at(0); }

  std::filesystem::path folder_;
  mesh::Mesh mesh_;
  std::unique_ptr<engine::Engine> engine_;
  std::unique_ptr<meta::Database> database_;
  std::unique_ptr<Quality> quality_;
};

TEST_F(QualityTest, checks_of_rows_pass_and_fail) {
  EXPECT_EQ(one("{ kind: not_null, columns: [id] }").outcome, Outcome::kPass);
  const auto nulls = one("{ kind: not_null, columns: [name] }");
  EXPECT_EQ(nulls.outcome, Outcome::kFail);
  EXPECT_EQ(nulls.failing, 1u);
  EXPECT_EQ(nulls.checked, 4u);
  EXPECT_EQ(nulls.message, "1 of 4 rows fail");
  ASSERT_EQ(nulls.sample.rows.size(), 1u);
  EXPECT_EQ(nulls.sample.rows[0][1], std::nullopt);
  EXPECT_EQ(one("{ kind: not_null, columns: [name], also: [eve] }").failing, 2u);
  EXPECT_EQ(one("{ kind: not_null, columns: [name], at_most: 25% }").outcome, Outcome::kPass);
  EXPECT_EQ(one("{ kind: not_null, columns: [name], at_most: 24% }").outcome, Outcome::kFail);
  EXPECT_EQ(one("{ kind: not_null, columns: [name], where: id <> 2 }").checked, 2u);
  const auto twice = one("{ kind: unique, columns: [id] }");
  EXPECT_EQ(twice.failing, 1u);
  EXPECT_EQ(twice.sample.columns.back(), "rows");
  EXPECT_EQ(one("{ kind: unique, columns: [id, name] }").outcome, Outcome::kPass);
  EXPECT_EQ(one("{ kind: accepted_values, column: name, values: [ana, bob] }").failing, 1u);
  EXPECT_EQ(one("{ kind: regex, column: name, pattern: '^[a-o]+$' }").failing, 1u);
  EXPECT_EQ(
      one("{ kind: expression, sql: 'amount >= 0 OR is_nan(amount) OR day IS NULL' }").outcome,
      Outcome::kPass);
  EXPECT_EQ(one("{ kind: relationships, column: name, to: memory.default.names.name }").failing,
            1u);
  EXPECT_EQ(one("{ kind: sql, sql: 'SELECT * FROM {{ table }} WHERE id = 2;' }").failing, 2u);
}

TEST_F(QualityTest, a_nan_lies_in_no_range) {
  EXPECT_EQ(one("{ kind: range, column: amount, min: -5, max: 100 }").failing, 1u);
  EXPECT_EQ(one("{ kind: range, column: day, min: '2025-01-02' }").failing, 1u);
}

TEST_F(QualityTest, a_text_tells_how_fresh_a_table_is) {
  run("CREATE OR REPLACE TABLE memory.default.t AS SELECT * FROM (VALUES '2025-01-01T10:00:00Z', "
      "'2025-01-02 09:00') AS v(at)");
  EXPECT_EQ(one("{ kind: freshness, column: at, max_age: 36500d }").outcome, Outcome::kPass);
  EXPECT_EQ(one("{ kind: freshness, column: at, max_age: 1h }").outcome, Outcome::kFail);
}

TEST_F(QualityTest, checks_of_the_table_pass_and_fail) {
  EXPECT_EQ(one("{ kind: row_count, min: 4, max: 4 }").outcome, Outcome::kPass);
  EXPECT_EQ(one("{ kind: row_count, min: 5 }").message, "it is 4");
  EXPECT_EQ(one("{ kind: measure, sql: 'SELECT max(id) FROM {{ table }}', max: 3 }").message,
            "it is 4");
  EXPECT_EQ(one("{ kind: freshness, column: day, max_age: 1h }").outcome, Outcome::kFail);
  EXPECT_EQ(one("{ kind: freshness, column: day, max_age: 36500d }").outcome, Outcome::kPass);
  EXPECT_EQ(one("{ kind: freshness, column: day, max_age: 1h, where: id > 99 }").message,
            "there is no row with a time up to now");
  EXPECT_EQ(one("{ kind: schema, columns: { id: integer, name: any } }").outcome, Outcome::kPass);
  EXPECT_THAT(one("{ kind: schema, columns: { id: bigint } }").message,
              HasSubstr("'id' is integer, not bigint"));
}

TEST_F(QualityTest, what_cannot_be_measured_does_not_hold_up_the_others) {
  const auto results = check(
      "- { kind: not_null, columns: [gone] }\n- { kind: expression, sql: 'no_such_column > 1' }\n"
      "- { kind: measure, sql: 'SELECT id FROM {{ table }}', min: 1 }\n"
      "- { kind: not_null, columns: [id] }\n");
  EXPECT_EQ(results[0].outcome, Outcome::kError);
  EXPECT_THAT(results[0].message, HasSubstr("no column 'gone'"));
  EXPECT_EQ(results[1].outcome, Outcome::kError);
  EXPECT_THAT(results[2].message, HasSubstr("not one number"));
  EXPECT_EQ(results[3].outcome, Outcome::kPass);
  EXPECT_TRUE(blocks(results));
  EXPECT_THAT(failure(results).message(), HasSubstr("3 of 4 checks of 'memory.default.t' failed"));
}

TEST_F(QualityTest, a_table_that_is_not_there_is_an_error_of_the_run) {
  run("DROP TABLE memory.default.t");
  EXPECT_THROW(one("{ kind: row_count }"), Error);
}

TEST_F(QualityTest, an_anomaly_is_far_from_its_history) {
  const std::string item = "- { kind: anomaly, metric: row_count }\n";
  for (int i = 0; i < 6; ++i) EXPECT_EQ(check(item).at(0).outcome, Outcome::kPass);
  run("INSERT INTO memory.default.t SELECT 9, 'x', 1.0, NULL FROM UNNEST(sequence(1, 100))");
  const auto far = check(item).at(0);
  EXPECT_EQ(far.outcome, Outcome::kFail);
  EXPECT_THAT(far.message, HasSubstr("row_count is 104; the median of the last 6 results is 4"));
  // What was refused is no history.
  EXPECT_THAT(check(item).at(0).message, HasSubstr("the last 6 results"));
  EXPECT_EQ(one("{ kind: anomaly, metric: null_fraction, column: day }").outcome, Outcome::kPass);
}

TEST_F(QualityTest, results_are_kept_and_make_a_score) {
  check("- { kind: not_null, columns: [name] }\n", "r1");
  check(
      "- { kind: not_null, columns: [id] }\n- { kind: not_null, columns: [name], severity: warn "
      "}\n",
      "r2");
  const auto kept = quality_->history().results("memory.default.t", "", 10);
  ASSERT_EQ(kept.size(), 3u);
  EXPECT_EQ(kept[0].run_id, "r2");
  EXPECT_EQ(kept[1].sample.rows.size(), 1u);
  // The newest run counts alone: an error that passed (3) against a warning (1).
  const auto tables = quality_->table_scores();
  ASSERT_EQ(tables.size(), 1u);
  EXPECT_DOUBLE_EQ(tables[0].score, 75);
  EXPECT_EQ(tables[0].warnings, 1);
  const auto products = quality_->product_scores();
  ASSERT_EQ(products.size(), 1u);
  EXPECT_EQ(products[0].name, "orders");
  EXPECT_EQ(products[0].domain, "sales");
  std::filesystem::remove(folder_ / "checks" / "t.yaml");
  EXPECT_TRUE(quality_->table_scores().empty());
}

TEST_F(QualityTest, no_check_keeps_more_than_its_share_of_results) {
  for (int i = 0; i < 205; ++i)
    quality_->history().keep(
        {{.table = "a.b.c", .suite = "s", .check = "k", .value = i, .at_ms = i + 1}});
  EXPECT_EQ(quality_->history().results("a.b.c", "", 1000).size(), 200u);
}

TEST_F(QualityTest, a_profile_tells_what_is_in_the_table) {
  TaskContext context;
  const auto profile = quality_->profile("memory.default.t", {}, context);
  EXPECT_EQ(profile.rows, 4u);
  const auto& id = profile.columns.at(0);
  EXPECT_EQ(id.nulls, 0u);
  EXPECT_EQ(id.distinct, 3u);
  EXPECT_EQ(id.min, "1");
  EXPECT_EQ(id.max, "4");
  EXPECT_DOUBLE_EQ(*id.mean, 2.25);
  ASSERT_EQ(id.histogram.size(), 20u);
  EXPECT_EQ(id.histogram.front(), 1u);
  EXPECT_EQ(id.histogram.back(), 1u);
  EXPECT_EQ(id.top.at(0), (std::pair<std::string, uint64_t>("2", 2)));
  const auto& name = profile.columns.at(1);
  EXPECT_EQ(name.nulls, 1u);
  EXPECT_DOUBLE_EQ(*name.mean, 3);
  EXPECT_TRUE(name.of_length);
  EXPECT_EQ(profile.columns.at(3).min, "2025-01-01");
  const auto kept = quality_->history().profiles("memory.default.t", 5);
  ASSERT_EQ(kept.size(), 1u);
  EXPECT_EQ(kept[0].at("rows"), 4);
  EXPECT_THROW(quality_->profile("memory.default.t", {.files_only = true}, context), Error);
  EXPECT_THROW(quality_->profile("memory.default.t", {.sample = 0}, context), Error);
}

}  // namespace
}  // namespace meesh::quality
