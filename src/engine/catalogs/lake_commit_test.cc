// What our own rooms take along in a commit of the lake, and what observers are told.
#include "engine/ask.h"
#include "engine/catalogs/lake_fixture_test.h"

namespace meesh::engine {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

class LakeCommitTest : public LakeTest {
 protected:
  LakeCommitTest() {
    database_->write([](soci::session& sql) { sql << "CREATE TABLE position (value TEXT)"; });
  }

  engine::Answer run_with(const std::string& text, LakeCommit commit) {
    Session session = session_;
    session.commit = std::make_shared<const LakeCommit>(std::move(commit));
    return ask(*engine_, text, session);
  }
  static LakeCommit moving_to(const std::string& value) {
    LakeCommit commit;
    commit.also = [value](soci::session& sql) {
      sql << "INSERT INTO position VALUES (:value)", soci::use(value);
    };
    return commit;
  }
  std::vector<std::string> positions() {
    std::vector<std::string> found;
    database_->read([&](soci::session& sql) {
      const soci::rowset<std::string> rows = sql.prepare << "SELECT value FROM position";
      found.assign(rows.begin(), rows.end());
    });
    return found;
  }
};

TEST_F(LakeCommitTest, APositionMovesWithTheRowsOrNotAtAll) {
  run("CREATE TABLE t (a integer)");
  EXPECT_EQ(run_with("INSERT INTO t VALUES 1, 2", moving_to("two")).update_count, 2u);
  EXPECT_THAT(positions(), ElementsAre("two"));
  LakeCommit failing;
  failing.also = [](soci::session& sql) {
    sql << "INSERT INTO position VALUES ('lost')";
    throw Error(Code::kNotFound, "no such step");
  };
  EXPECT_THROW(run_with("INSERT INTO t VALUES 3", failing), Error);
  EXPECT_THAT(positions(), ElementsAre("two"));
  EXPECT_THAT(rows("SELECT a FROM t ORDER BY a"), ElementsAre("1", "2"));
  EXPECT_THAT(objects_ending(".parquet"), SizeIs(1)) << "what the failed statement wrote is gone";
}

TEST_F(LakeCommitTest, APositionMovesWithoutRowsToo) {
  run("CREATE TABLE t (a integer)");
  EXPECT_EQ(run_with("INSERT INTO t SELECT 1 WHERE false", moving_to("none")).update_count, 0u);
  EXPECT_EQ(run_with("DELETE FROM t WHERE a = 1", moving_to("none left")).update_count, 0u);
  EXPECT_THAT(positions(), ElementsAre("none", "none left"));
}

TEST_F(LakeCommitTest, EveryKindOfChangeTakesItAlong) {
  run_with("CREATE TABLE t AS SELECT 1 AS a", moving_to("create"));
  run_with("CREATE OR REPLACE TABLE t AS SELECT 2 AS a", moving_to("replace"));
  run_with("MERGE INTO t USING (VALUES 2) AS n(a) ON t.a = n.a WHEN MATCHED THEN UPDATE SET a = 3",
           moving_to("merge"));
  run_with("UPDATE t SET a = 4", moving_to("update"));
  run_with("DELETE FROM t WHERE a = 4", moving_to("delete"));
  EXPECT_THAT(positions(), ElementsAre("create", "replace", "merge", "update", "delete"));
}

TEST_F(LakeCommitTest, APartitionIsReplacedInOneCommit) {
  run("CREATE TABLE t (day date, a integer) WITH (partitioning = ARRAY['day'])");
  run("INSERT INTO t VALUES (DATE '2025-01-14', 1), (DATE '2025-01-15', 2)");
  run("DELETE FROM t WHERE a = 2");
  run("INSERT INTO t VALUES (DATE '2025-01-15', 3), (DATE '2025-01-15', 4)");
  run("DELETE FROM t WHERE a = 4");
  LakeCommit commit;
  commit.replaced_partition = {{"day", "2025-01-15"}};
  for (int again = 0; again < 2; ++again) {
    run_with("INSERT INTO t VALUES (DATE '2025-01-15', 5), (DATE '2025-01-15', 6)", commit);
    EXPECT_THAT(rows("SELECT a FROM t ORDER BY a"), ElementsAre("1", "5", "6"));
  }
  const auto snapshots = one("SELECT count(*) FROM \"t$snapshots\"");
  run_with("INSERT INTO t SELECT DATE '2025-01-15', 1 WHERE false", commit);
  EXPECT_THAT(rows("SELECT a FROM t"), ElementsAre("1"));
  EXPECT_EQ(one("SELECT count(*) FROM \"t$snapshots\""), std::to_string(std::stoi(snapshots) + 1));
}

TEST_F(LakeCommitTest, APartitionThatIsNoneIsRefused) {
  run("CREATE TABLE t (day date, a integer) WITH (partitioning = ARRAY['month(day)'])");
  run("INSERT INTO t VALUES (DATE '2025-01-14', 1)");
  LakeCommit commit;
  commit.replaced_partition = {{"day", "2025-01-14"}};
  EXPECT_THROW(run_with("INSERT INTO t VALUES (DATE '2025-01-14', 2)", commit), Error);
  EXPECT_THAT(rows("SELECT a FROM t"), ElementsAre("1"));
}

TEST_F(LakeCommitTest, ACandidateIsReadBeforeAnybodySeesIt) {
  run("CREATE TABLE t AS SELECT 1 AS a");
  std::vector<std::string> seen;
  LakeCommit commit;
  commit.audit = [&](const std::string& candidate) {
    const auto answer = ask(*engine_, "SELECT max(a), count(*) FROM " + candidate, session_);
    seen.push_back(*answer.rows.at(0).at(0) + " of " + *answer.rows.at(0).at(1));
    seen.push_back("table " + one("SELECT max(a) FROM t"));
    EXPECT_EQ(one("SELECT count(*) FROM information_schema.tables WHERE table_schema = 's'"), "1");
  };
  run_with("INSERT INTO t VALUES 5", commit);
  run_with("CREATE OR REPLACE TABLE t AS SELECT 7 AS a, 'x' AS b", commit);
  run_with("MERGE INTO t USING (VALUES 7) AS n(a) ON t.a = n.a WHEN MATCHED THEN UPDATE SET a = 9",
           commit);
  EXPECT_THAT(seen, ElementsAre("5 of 2", "table 1", "7 of 1", "table 5", "9 of 1", "table 7"));
}

TEST_F(LakeCommitTest, WhatTheAuditRefusesNeverWas) {
  run("CREATE TABLE t AS SELECT 1 AS a");
  const auto before = objects_ending("");
  std::string name;
  LakeCommit commit;
  commit.audit = [&](const std::string& candidate) {
    name = candidate;
    throw Error(Code::kGenericUserError, "a is not unique");
  };
  EXPECT_THROW(run_with("INSERT INTO t VALUES 1", commit), Error);
  EXPECT_THROW(run_with("CREATE OR REPLACE TABLE t AS SELECT 'x' AS b", commit), Error);
  EXPECT_THROW(run_with("CREATE TABLE fresh AS SELECT 'x' AS b", commit), Error);
  EXPECT_THAT(rows("SELECT * FROM t"), ElementsAre("1"));
  EXPECT_THAT(failure("SELECT * FROM fresh"), testing::HasSubstr("TABLE_NOT_FOUND"));
  EXPECT_THAT(failure("SELECT * FROM " + name), testing::HasSubstr("TABLE_NOT_FOUND"));
  EXPECT_EQ(objects_ending(""), before);
}

class Notes : public StatementObserver {
 public:
  void committing(soci::session& sql, const WriteEvent& event) override {
    std::string value = event.lineage.statement;
    if (event.query.update_count) value += " " + std::to_string(*event.query.update_count);
    sql << "INSERT INTO position VALUES (:value)", soci::use(value);
  }
  void written(const WriteEvent& event) override { after.push_back(event.lineage.statement); }
  std::vector<std::string> after;
};

TEST_F(LakeCommitTest, ObserversAreToldInTheCommitOrAfterIt) {
  Notes notes;
  engine_->observe(notes);
  run("CREATE TABLE t AS SELECT 1 AS a");
  run("INSERT INTO t SELECT a FROM t CROSS JOIN (VALUES 1, 2) AS two(b)");
  run("UPDATE t SET a = 5");
  run("CREATE VIEW v AS SELECT a FROM t");
  run("CREATE TABLE memory.default.m AS SELECT a FROM v");
  EXPECT_THROW(run("INSERT INTO t SELECT 1 / (a - a) FROM t"), Error);
  run("SELECT * FROM v");
  EXPECT_THAT(positions(), ElementsAre("CREATE TABLE AS SELECT 1", "INSERT 2", "UPDATE 3"));
  EXPECT_THAT(notes.after, ElementsAre("CREATE VIEW", "CREATE TABLE AS SELECT"));
  engine_->shutdown(std::chrono::milliseconds(0));
}

TEST_F(LakeCommitTest, AnswersAreText) {
  const auto answer = ask(*engine_,
                          "SELECT true, 1, BIGINT '-5', DECIMAL '-0.05', 12345678901234567890.12, "
                          "DOUBLE '1.5', 'it''s', NULL",
                          session_);
  std::vector<std::string> cells;
  for (const auto& cell : answer.rows.at(0)) cells.push_back(cell.value_or("NULL"));
  EXPECT_THAT(cells, ElementsAre("true", "1", "-5", "-0.05", "12345678901234567890.12", "1.5",
                                 "it's", "NULL"));
  EXPECT_THROW(ask(*engine_, "SELECT ARRAY[1]", session_), Error);
  EXPECT_THAT(ask(*engine_, "SELECT 1 WHERE false", session_).rows, IsEmpty());
  std::stop_source stop;
  stop.request_stop();
  EXPECT_THROW(ask(*engine_,
                   "SELECT count(*) FROM UNNEST(sequence(1, 10000)) a(x), "
                   "UNNEST(sequence(1, 10000)) b(y), UNNEST(sequence(1, 1000)) c(z)",
                   session_, stop.get_token()),
               Error);
  EXPECT_EQ(quote_table({"lake", "s", "a\"b"}), "\"lake\".\"s\".\"a\"\"b\"");
}

}  // namespace
}  // namespace meesh::engine
