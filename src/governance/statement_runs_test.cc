// Whose statements are whose: client tags, dbt's comments, tables that stand in for others.
#include "governance/statement_runs.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "governance/known_test.h"
#include "governance/work.h"

namespace meesh::governance {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class StatementRunsTest : public ::testing::Test {
 protected:
  /// What is told of "statement `to` FROM `from`", with one column a.
  std::optional<JobRun> run(const std::string& statement, const std::string& to,
                            const std::vector<sql::TableName>& from,
                            const std::vector<std::string>& tags = {},
                            const std::string& text = "…") {
    sql::Lineage lineage;
    lineage.statement = statement;
    lineage.outputs = {{"shop", "s", to}};
    lineage.inputs = from;
    sql::ColumnLineage column{"a", {}, ""};
    for (const auto& one : from) column.sources.push_back({one, "b", {sql::Influence::kIdentity}});
    lineage.columns = {column};
    engine::Session session;
    session.client_tags = tags;
    engine::QueryInfo query;
    query.id = "query " + std::to_string(++statements_);
    query.text = text;
    query.update_count = 7;
    return runs_.run_of({query, session, lineage});
  }
  static std::vector<std::string> inputs(const JobRun& run) {
    std::vector<std::string> out;
    for (const auto& input : run.inputs) out.push_back(input.dataset.display());
    return out;
  }
  static sql::TableName table(const std::string& name) { return {"shop", "s", name}; }

  const DatasetNames names_{testing::known()};
  StatementRuns runs_{names_};
  int statements_ = 0;
};

TEST_F(StatementRunsTest, AStatementOfNobodyIsAJobByItself) {
  const auto told = run("INSERT", "t", {table("x")}).value();
  EXPECT_EQ(told.job, "INSERT shop.s.t");
  EXPECT_EQ(told.type, "QUERY");
  EXPECT_TRUE(told.adds);
  EXPECT_THAT(inputs(told), ElementsAre("shop.s.x"));
  EXPECT_EQ(told.outputs.at(0).row_count, 7u);
}

TEST_F(StatementRunsTest, TagsNameJobAndRun) {
  Work work;
  work.job = "shop.orders";
  work.type = "INGESTION";
  work.input = "s3://landing/orders";
  TaskContext task;
  task.run_id = "r1";
  task.pipeline = "nightly";
  const auto tags = tags_of(work, task);
  const sql::TableName hidden{"$files", "s", "x"};
  const auto told = run("INSERT", "t", {hidden}, tags).value();
  EXPECT_EQ(told.job + " " + told.type + " " + told.parent_job + " " + told.parent_run,
            "shop.orders INGESTION nightly r1");
  EXPECT_FALSE(told.adds) << "what it moved before is over";
  EXPECT_THAT(inputs(told), ElementsAre("s3://landing/orders"));
  EXPECT_EQ(told.outputs.at(0).lineage.at(0).sources.at(0).dataset.name_space, "s3://landing");
  EXPECT_TRUE(run("INSERT", "t", {table("y")}, tags)->adds) << "of the same run";
  EXPECT_FALSE(run("INSERT", "u", {table("y")}, tags)->adds) << "the first to another table";
  task.run_id = "r2";
  EXPECT_FALSE(run("INSERT", "t", {hidden}, tags_of(work, task))->adds);
}

TEST_F(StatementRunsTest, WhatIsBehindHiddenCatalogsIsSaidOrUnknown) {
  const sql::TableName hidden{"$shop", "public", "orders"};
  EXPECT_THAT(inputs(*run("INSERT", "t", {hidden})), IsEmpty());
  const auto behind = [&](const std::string& address) {
    return inputs(*run("INSERT", "t", {hidden}, {"meesh-input=" + address}));
  };
  EXPECT_THAT(behind("postgres://elsewhere:5432/shop.public.orders"),
              ElementsAre("postgres://elsewhere:5432/shop.public.orders"));
  EXPECT_THAT(behind("postgres://localhost:15432/sales_db.public.orders"),
              ElementsAre("sales.public.orders"))
      << "a domain's database";
  EXPECT_THAT(behind("file:///data/in"), ElementsAre("file:///data/in"));
  EXPECT_THAT(behind("s3://bucket"), ElementsAre("s3://bucket/"));
}

TEST_F(StatementRunsTest, DbtSaysInACommentWhichNodeItIs) {
  const auto job = [&](const std::string& text, const std::vector<std::string>& tags = {}) {
    const auto told = run("INSERT", "t", {}, tags, text).value();
    return told.integration + " " + told.type + " " + told.job;
  };
  const std::string comment = R"(/* {"app": "dbt", "node_id": "model.shop.customers"} */ )";
  EXPECT_EQ(job(comment + "insert into t …"), "DBT MODEL shop.customers");
  EXPECT_EQ(job("\n " + comment), "DBT MODEL shop.customers");
  EXPECT_EQ(job(comment, {"meesh-job=mine"}), "MEESH QUERY mine");
  for (const char* other :
       {"insert into t /* {\"app\": \"dbt\", \"node_id\": \"model.a.b\"} */", "/* {} */ insert",
        "/* {\"app\": \"dbt\", \"node_id\": 7} */", "/* dbt", "/* [] */",
        "/* {\"app\": \"other\", \"node_id\": \"model.a.b\"} */", "/**/"}) {
    EXPECT_EQ(job(other), "MEESH QUERY INSERT shop.s.t") << other;
  }
}

TEST_F(StatementRunsTest, AStandInIsNeverSeen) {
  Work work;
  work.job = "shop.s.t";
  work.stand_in = "shop.s.t__candidate";
  const auto tags = tags_of(work, {});
  EXPECT_FALSE(run("DROP TABLE", "t__candidate", {}, tags)) << "left by a run that was killed";
  EXPECT_FALSE(run("CREATE TABLE AS SELECT", "t__candidate", {table("x")}, tags, "the query"));
  EXPECT_FALSE(run("DELETE", "t", {table("t__candidate")}, tags));
  EXPECT_FALSE(run("DELETE", "t", {}, tags)) << "all rows make room";
  const auto told = run("INSERT", "t", {table("t__candidate")}, tags).value();
  EXPECT_EQ(told.outputs.at(0).dataset.name, "shop.s.t");
  EXPECT_THAT(inputs(told), ElementsAre("shop.s.x"));
  EXPECT_EQ(told.outputs.at(0).lineage.at(0).sources.at(0).dataset.name, "shop.s.x");
  EXPECT_EQ(told.sql, "the query");
  EXPECT_FALSE(run("DROP TABLE", "t__candidate", {}, tags));
  EXPECT_TRUE(run("DROP TABLE", "t", {}, tags)) << "the table itself";
  EXPECT_THAT(inputs(*run("INSERT", "t", {table("y")}, tags)), ElementsAre("shop.s.y"));
}

TEST_F(StatementRunsTest, AnExportGoesWhereItsFileIs) {
  auto work = work_of_step("retail", "file");
  work.target = "file:///exports/t.csv";
  const auto told =
      run("CREATE TABLE AS SELECT", "on the way", {table("x")}, tags_of(work, {})).value();
  EXPECT_EQ(told.job, "retail.file");
  EXPECT_EQ(told.outputs.at(0).dataset.display(), "file:///exports/t.csv");
  EXPECT_FALSE(run("DROP TABLE", "on the way", {}, tags_of(work, {})));
}

TEST_F(StatementRunsTest, FailuresAreOfTheSameJob) {
  TaskContext task;
  task.run_id = "r1";
  task.pipeline = "nightly";
  auto work = work_of_dbt("model.shop.customers");
  work.output = "lake.s.customers";
  const auto failed = failure_of(work, task, {}, "password=secret is wrong");
  EXPECT_EQ(failed.job, "shop.customers");
  EXPECT_EQ(failed.state, RunState::kFail);
  EXPECT_EQ(failed.parent_run, "r1");
  EXPECT_EQ(failed.outputs.at(0).dataset.name, "lake.s.customers");
  EXPECT_THAT(failed.error, ::testing::Not(::testing::HasSubstr("secret")));
  std::stop_source stop;
  stop.request_stop();
  task.stop = stop.get_token();
  EXPECT_EQ(failure_of(work, task, {}, "stopped").state, RunState::kAbort);
}

}  // namespace
}  // namespace meesh::governance
