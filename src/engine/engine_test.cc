#include "engine/engine.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

namespace meesh::engine {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;

std::string extensions() {
  for (const auto& entry : std::filesystem::directory_iterator(".deps")) {
    if (entry.path().filename().string().starts_with("duckdb-")) return entry.path() / "extensions";
  }
  return "";
}

/// What came of a statement, drained to its end.
struct Answer {
  std::vector<Column> columns;
  uint64_t rows = 0;
  int64_t first = 0;  // of a bigint or integer first column
  std::optional<Error> error;
};

class EngineTest : public ::testing::Test {
 protected:
  void open(Options options = {}) {
    spill_ = std::filesystem::temp_directory_path() / fmt::format("meesh-engine-{}", getpid());
    options.spill_directory = spill_.string();
    options.extension_directory = extensions();
    engine_ = Engine::open(options);
    engine_->add_catalog(make_memory_catalog("memory"));
    engine_->add_catalog(make_tpch_catalog("tpch"));
  }
  void TearDown() override {
    engine_.reset();
    std::filesystem::remove_all(spill_);
  }
  QueryPtr submit(const std::string& text) { return engine_->submit(text, session_); }

  Answer drain(Query& query) {
    Answer answer;
    try {
      while (true) {
        const auto batch = query.next(100ms);
        if (!batch) {
          if (query.finished()) break;
          continue;
        }
        if (answer.rows == 0 && !batch->columns.empty()) {
          if (batch->columns[0].layout == Layout::kInt64)
            answer.first = batch->columns[0].at<int64_t>(0);
          if (batch->columns[0].layout == Layout::kInt32)
            answer.first = batch->columns[0].at<int32_t>(0);
        }
        answer.rows += batch->rows;
      }
    } catch (const Error& error) {
      answer.error = error;
    }
    answer.columns = query.columns();
    return answer;
  }
  /// Runs and takes over what the statement changed in the session, as a client does.
  Answer run(const std::string& text) {
    const auto query = submit(text);
    Answer answer = drain(*query);
    const auto changes = query->changes();
    if (changes.set_catalog) session_.catalog = *changes.set_catalog;
    if (changes.set_schema) session_.schema = *changes.set_schema;
    for (const auto& [name, value] : changes.set_properties) session_.properties[name] = value;
    for (const auto& [name, value] : changes.added_prepare)
      session_.prepared_statements[name] = value;
    if (changes.started_transaction_id) session_.transaction_id = *changes.started_transaction_id;
    if (changes.clear_transaction_id) session_.transaction_id.clear();
    return answer;
  }
  Code failure(const std::string& text) {
    const auto answer = run(text);
    if (!answer.error) {
      ADD_FAILURE() << text << " did not fail";
      return Code::kGenericInternalError;
    }
    return answer.error->code();
  }
  /// Waits for a state that is sure to come.
  void wait_for(const std::function<bool()>& condition) {
    const auto deadline = std::chrono::steady_clock::now() + 60s;
    while (!condition()) {
      ASSERT_LT(std::chrono::steady_clock::now(), deadline) << "waited a minute in vain";
      std::this_thread::sleep_for(1ms);
    }
  }

  static constexpr const char* kEndless =
      "SELECT count(*) FROM tpch.tiny.lineitem a CROSS JOIN tpch.tiny.lineitem b "
      "CROSS JOIN tpch.tiny.orders c WHERE a.comment < b.comment AND b.comment < c.comment";

  std::filesystem::path spill_;
  std::unique_ptr<Engine> engine_;
  Session session_{.user = "ada"};
};

TEST_F(EngineTest, AnswersWithColumnsAndTypes) {
  open();
  const auto answer = run("SELECT 7 / 2 AS x, 'abc', CAST(NULL AS decimal(10,2))");
  ASSERT_FALSE(answer.error) << answer.error->what();
  ASSERT_EQ(answer.columns.size(), 3u);
  EXPECT_EQ(answer.columns[0].name, "x");
  EXPECT_EQ(answer.columns[1].name, "_col1");
  EXPECT_EQ(answer.columns[1].type.display(), "varchar(3)");
  EXPECT_EQ(answer.columns[2].type.display(), "decimal(10,2)");
  EXPECT_EQ(answer.first, 3);
}

TEST_F(EngineTest, ErrorsHaveTheirPlaceInTheStatement) {
  open();
  const auto answer = run("SELECT nationkey,\n       nope FROM tpch.tiny.nation");
  ASSERT_TRUE(answer.error);
  EXPECT_EQ(answer.error->code(), Code::kColumnNotFound);
  EXPECT_EQ(answer.error->sql_message(), "line 2:8: Column 'nope' cannot be resolved");
}

TEST_F(EngineTest, BackPressureHoldsTheProducer) {
  Options options;
  options.result_buffer = 1 << 20;
  open(options);
  const auto query = submit(
      "SELECT a.n * 1000000 + b.n FROM UNNEST(sequence(1, 3000)) AS a(n) "
      "CROSS JOIN UNNEST(sequence(1, 3000)) AS b(n)");
  ASSERT_TRUE(query->wait_for_columns(60s));
  wait_for([&] { return query->info().bytes_out >= (1u << 20); });
  // Nobody reads: the producer stands still a little above its limit although far from the end.
  const auto before = query->info().rows_out;
  EXPECT_LT(before, 1'000'000u);
  EXPECT_EQ(query->info().state, QueryState::kRunning);
  const auto answer = drain(*query);
  ASSERT_FALSE(answer.error) << answer.error->what();
  EXPECT_EQ(answer.rows, 9'000'000u);
}

TEST_F(EngineTest, CancelEndsARunningStatement) {
  open();
  const auto query = submit(kEndless);
  wait_for([&] { return query->info().state == QueryState::kRunning; });
  query->cancel(Code::kUserCanceled, "Query was canceled");
  const auto answer = drain(*query);
  ASSERT_TRUE(answer.error);
  EXPECT_EQ(answer.error->code(), Code::kUserCanceled);
  EXPECT_EQ(run("SELECT 5").first, 5);
}

TEST_F(EngineTest, CancelEndsAQueuedStatementAtOnce) {
  Options options;
  options.max_running = 1;
  open(options);
  const auto first = submit(kEndless);
  wait_for([&] { return first->info().state == QueryState::kRunning; });
  const auto second = submit("SELECT 1");
  EXPECT_EQ(second->info().state, QueryState::kQueued);
  second->cancel(Code::kUserCanceled, "Query was canceled");
  EXPECT_EQ(second->info().state, QueryState::kFailed);
  first->cancel(Code::kUserCanceled, "Query was canceled");
  EXPECT_TRUE(drain(*first).error);
}

TEST_F(EngineTest, AUserAtTheirLimitDoesNotHoldOthersUp) {
  Options options;
  options.max_running = 2;
  options.max_running_per_user = 1;
  open(options);
  const auto hog = submit(kEndless);
  wait_for([&] { return hog->info().state == QueryState::kRunning; });
  const auto waiting = submit("SELECT 1");
  session_.user = "grace";
  EXPECT_EQ(run("SELECT 2").first, 2);
  EXPECT_EQ(waiting->info().state, QueryState::kQueued);
  hog->cancel(Code::kUserCanceled, "Query was canceled");
  EXPECT_EQ(drain(*waiting).first, 1);
}

TEST_F(EngineTest, AFullQueueRefuses) {
  Options options;
  options.max_running = 1;
  options.max_queued = 1;
  open(options);
  const auto running = submit(kEndless);
  wait_for([&] { return running->info().state == QueryState::kRunning; });
  const auto queued = submit("SELECT 1");
  try {
    submit("SELECT 2");
    FAIL() << "accepted a statement beyond the limit";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::kQueryQueueFull);
  }
  running->cancel(Code::kUserCanceled, "Query was canceled");
  EXPECT_EQ(drain(*queued).first, 1);
}

TEST_F(EngineTest, KillQueryTellsWhoKilled) {
  open();
  const auto query = submit(kEndless);
  wait_for([&] { return query->info().state == QueryState::kRunning; });
  ASSERT_FALSE(
      run("CALL system.runtime.kill_query(query_id => '" + query->id() + "', message => 'enough')")
          .error);
  const auto answer = drain(*query);
  ASSERT_TRUE(answer.error);
  EXPECT_EQ(answer.error->code(), Code::kAdministrativelyKilled);
  EXPECT_THAT(answer.error->message(), HasSubstr("enough"));
}

TEST_F(EngineTest, AnAbandonedQueryEnds) {
  Options options;
  options.client_timeout = 1s;
  open(options);
  const auto query = submit(kEndless);
  wait_for([&] { return query->info().state == QueryState::kFailed; });
  EXPECT_EQ(query->info().error->code(), Code::kAbandonedQuery);
}

TEST_F(EngineTest, MemoryLimitFailsTheStatementAlone) {
  Options options;
  options.memory_limit = 60 << 20;
  options.spill_limit = 1 << 20;
  open(options);
  const auto answer =
      run("SELECT count(*) FROM (SELECT a.comment || CAST(b.linenumber AS varchar) || "
          "CAST(b.orderkey AS varchar) AS x, count(*) "
          "FROM tpch.tiny.lineitem a CROSS JOIN tpch.tiny.lineitem b GROUP BY 1) t");
  ASSERT_TRUE(answer.error);
  EXPECT_EQ(answer.error->kind(), ErrorKind::kInsufficientResources) << answer.error->what();
  EXPECT_EQ(run("SELECT 3").first, 3);
}

TEST_F(EngineTest, TransactionsCommitAndRollBack) {
  open();
  run("USE memory.default");
  ASSERT_FALSE(run("CREATE TABLE t (a bigint)").error);
  ASSERT_FALSE(run("START TRANSACTION").error);
  ASSERT_FALSE(session_.transaction_id.empty());
  ASSERT_FALSE(run("INSERT INTO t VALUES 1").error);
  ASSERT_FALSE(run("ROLLBACK").error);
  EXPECT_TRUE(session_.transaction_id.empty());
  EXPECT_EQ(run("SELECT count(*) FROM t").first, 0);
  run("START TRANSACTION");
  run("INSERT INTO t VALUES 1, 2");
  ASSERT_FALSE(run("COMMIT").error);
  EXPECT_EQ(run("SELECT count(*) FROM t").first, 2);
}

TEST_F(EngineTest, AFailedTransactionOnlyRollsBack) {
  open();
  run("START TRANSACTION READ ONLY");
  EXPECT_EQ(failure("CREATE TABLE memory.default.t (a bigint)"), Code::kReadOnlyViolation);
  EXPECT_EQ(failure("SELECT 1"), Code::kTransactionAlreadyAborted);
  EXPECT_FALSE(run("ROLLBACK").error);
  EXPECT_EQ(failure("COMMIT"), Code::kNotInTransaction);
  session_.transaction_id = "no-such";
  EXPECT_EQ(failure("SELECT 1"), Code::kUnknownTransaction);
}

TEST_F(EngineTest, PreparedStatements) {
  open();
  run("PREPARE p FROM SELECT ? + 1");
  EXPECT_EQ(run("EXECUTE p USING 41").first, 42);
  EXPECT_EQ(run("DESCRIBE INPUT p").rows, 1u);
  EXPECT_EQ(run("DESCRIBE OUTPUT p").rows, 1u);
  EXPECT_EQ(failure("EXECUTE p"), Code::kInvalidParameterUsage);
  EXPECT_EQ(failure("EXECUTE missing"), Code::kNotFound);
  EXPECT_EQ(run("EXECUTE IMMEDIATE 'SELECT ? * 2' USING 4").first, 8);
}

TEST_F(EngineTest, TablesFromQueries) {
  open();
  const auto made =
      submit("CREATE TABLE memory.default.n AS SELECT name, nationkey FROM tpch.tiny.nation");
  ASSERT_FALSE(drain(*made).error);
  EXPECT_EQ(made->info().update_type, "CREATE TABLE");
  EXPECT_EQ(made->info().update_count, 25u);
  EXPECT_FALSE(run("CREATE TABLE IF NOT EXISTS memory.default.n AS SELECT 1 x").error);
  EXPECT_EQ(failure("CREATE TABLE memory.default.n AS SELECT 1 x"), Code::kTableAlreadyExists);
  EXPECT_EQ(failure("INSERT INTO tpch.tiny.nation SELECT * FROM tpch.tiny.nation"),
            Code::kNotSupported);
}

TEST_F(EngineTest, CatalogsAreTheMeshs) {
  open();
  EXPECT_EQ(failure("CREATE CATALOG lab USING memory"), Code::kNotSupported);
  EXPECT_EQ(failure("DROP CATALOG memory"), Code::kNotSupported);
  EXPECT_FALSE(run("SELECT 1").error);
}

TEST_F(EngineTest, RenamedSchemasTakeTheirTablesAlong) {
  open();
  ASSERT_FALSE(run("CREATE SCHEMA memory.a").error);
  ASSERT_FALSE(
      run("CREATE TABLE memory.a.t (x varchar(5) NOT NULL COMMENT 'of x') COMMENT 'of t'").error);
  ASSERT_FALSE(run("INSERT INTO memory.a.t VALUES 'one'").error);
  ASSERT_FALSE(run("CREATE VIEW memory.a.v AS SELECT 1 one").error);
  ASSERT_FALSE(run("ALTER SCHEMA memory.a RENAME TO b").error);
  EXPECT_EQ(failure("SELECT * FROM memory.a.t"), Code::kSchemaNotFound);
  EXPECT_FALSE(run("SELECT x FROM memory.b.t CROSS JOIN memory.b.v").error);
  EXPECT_EQ(failure("INSERT INTO memory.b.t VALUES NULL"), Code::kConstraintViolation);
  EXPECT_EQ(failure("ALTER SCHEMA memory.b RENAME TO default"), Code::kSchemaAlreadyExists);
}

TEST_F(EngineTest, ShutdownCancelsWhatRuns) {
  open();
  const auto query = submit(kEndless);
  wait_for([&] { return query->info().state == QueryState::kRunning; });
  engine_->shutdown(0ms);
  EXPECT_EQ(query->info().error->code(), Code::kServerShuttingDown);
  try {
    submit("SELECT 1");
    FAIL() << "accepted a statement after shutdown";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::kServerShuttingDown);
  }
}

TEST_F(EngineTest, SpillFolderIsEmptiedAtStart) {
  const auto folder =
      std::filesystem::temp_directory_path() / fmt::format("meesh-engine-{}", getpid());
  std::filesystem::create_directories(folder);
  std::ofstream(folder / "left-over.tmp") << "of a killed process";
  open();
  EXPECT_FALSE(std::filesystem::exists(folder / "left-over.tmp"));
}

}  // namespace
}  // namespace meesh::engine
