#include "meta/database.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>

#include "base/postgres_server_test.h"
#include "meta/leases.h"

namespace meesh::meta {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;

/// Every test runs on both backends; each gets a database of its own.
class DatabaseTest : public ::testing::TestWithParam<Backend> {
 protected:
  static void SetUpTestSuite() { server_ = new PostgresServer("first"); }
  static void TearDownTestSuite() {
    delete server_;
    server_ = nullptr;
  }
  void SetUp() override {
    options_.kind = GetParam();
    if (GetParam() == Backend::kPostgresql) {
      const std::string name = fmt::format("meta_{}", count_++);
      server_->run("CREATE DATABASE " + name);
      options_.location = server_->url(name);
      return;
    }
    std::string pattern = (std::filesystem::temp_directory_path() / "meesh-meta-XXXXXX").string();
    folder_ = mkdtemp(pattern.data());
    options_.location = folder_ / "deep" / "meesh.db";
  }
  void TearDown() override {
    database_.reset();
    if (!folder_.empty()) std::filesystem::remove_all(folder_);
  }
  Database& open() {
    database_ = Database::open(options_);
    return *database_;
  }
  static long long count(Database& database, const std::string& table) {
    long long n = -1;
    database.read(
        [&](soci::session& sql) { sql << "SELECT count(*) FROM " + table, soci::into(n); });
    return n;
  }
  static Code code_of(const std::function<void()>& action) {
    try {
      action();
    } catch (const Error& error) {
      return error.code();
    }
    ADD_FAILURE() << "no error";
    return Code::kGenericInternalError;
  }

  static inline PostgresServer* server_ = nullptr;
  static inline int count_ = 0;
  DatabaseOptions options_;
  std::filesystem::path folder_;
  std::unique_ptr<Database> database_;
};

const std::vector<Migration> kTable = {
    {1, "table", {"CREATE TABLE t (id BIGINT PRIMARY KEY, text TEXT)"}}};

TEST_P(DatabaseTest, MigratesStepByStepAndOnlyOnce) {
  auto& database = open();
  migrate(database, "room", kTable);
  auto longer = kTable;
  longer.push_back(
      {2, "column", {"ALTER TABLE t ADD COLUMN more BIGINT", "INSERT INTO t VALUES (1, 'a', 2)"}});
  migrate(database, "room", longer);
  migrate(database, "room", longer);
  EXPECT_EQ(count(database, "t"), 1);
  EXPECT_EQ(code_of([&] { migrate(database, "room", kTable); }), Code::kConfigInvalid);
}

TEST_P(DatabaseTest, AFailedMigrationLeavesNothing) {
  auto& database = open();
  const std::vector<Migration> broken = {
      {1, "broken", {"CREATE TABLE kept (a BIGINT)", "NOT SQL AT ALL"}}};
  EXPECT_EQ(code_of([&] { migrate(database, "room", broken); }), Code::kIoError);
  const std::vector<Migration> mended = {{1, "mended", {"CREATE TABLE kept (a BIGINT)"}}};
  migrate(database, "room", mended);
  EXPECT_EQ(count(database, "kept"), 0);
}

TEST_P(DatabaseTest, ServersThatStartTogetherMigrateOnce) {
  const auto first = Database::open(options_);
  const auto second = Database::open(options_);
  std::exception_ptr failed;
  std::thread other([&] {
    try {
      migrate(*first, "room", kTable);
    } catch (...) {
      failed = std::current_exception();
    }
  });
  migrate(*second, "room", kTable);
  other.join();
  ASSERT_FALSE(failed);
  EXPECT_EQ(count(*first, "t"), 0);
}

TEST_P(DatabaseTest, AnExceptionRollsBack) {
  auto& database = open();
  migrate(database, "room", kTable);
  EXPECT_THROW(database.write([](soci::session& sql) {
    sql << "INSERT INTO t VALUES (1, 'a')";
    throw std::runtime_error("on purpose");
  }),
               std::runtime_error);
  EXPECT_EQ(count(database, "t"), 0);
  EXPECT_EQ(code_of([&] {
              database.write([](soci::session& sql) {
                sql << "INSERT INTO t VALUES (1, 'a')";
                sql << "INSERT INTO t VALUES (1, 'b')";
              });
            }),
            Code::kAlreadyExists);
  EXPECT_EQ(count(database, "t"), 0);
}

TEST_P(DatabaseTest, ConcurrentWritersLoseNothing) {
  auto& database = open();
  migrate(database, "room", kTable);
  database.write([](soci::session& sql) { sql << "INSERT INTO t VALUES (1, '0')"; });
  std::atomic<int> failures = 0;
  std::vector<std::thread> writers;
  for (int w = 0; w < 4; ++w) {
    writers.emplace_back([&] {
      for (int i = 0; i < 25; ++i) {
        // A serialization failure past the retries is told, never lost: the caller asks again.
        for (bool done = false; !done;) {
          try {
            database.write([](soci::session& sql) {
              std::string text;
              sql << "SELECT text FROM t WHERE id = 1", soci::into(text);
              text = std::to_string(std::stoi(text) + 1);
              sql << "UPDATE t SET text = :text WHERE id = 1", soci::use(text);
            });
            done = true;
          } catch (const Error&) {
            ++failures;
          }
        }
      }
    });
  }
  for (auto& writer : writers) writer.join();
  std::string text;
  database.read(
      [&](soci::session& sql) { sql << "SELECT text FROM t WHERE id = 1", soci::into(text); });
  EXPECT_EQ(text, "100") << failures << " conflicts past the retries";
}

TEST_P(DatabaseTest, WhatWasAcknowledgedSurvivesAKill) {
  auto& database = open();
  migrate(database, "room", kTable);
  database_.reset();
  int acknowledged[2];
  ASSERT_EQ(pipe(acknowledged), 0);
  const pid_t child = fork();
  if (child == 0) {
    const auto mine = Database::open(options_);
    for (long long i = 1;; ++i) {
      mine->write(
          [&](soci::session& sql) { sql << "INSERT INTO t VALUES (:id, 'x')", soci::use(i); });
      if (write(acknowledged[1], &i, sizeof i) != sizeof i) _exit(1);
    }
  }
  long long last = 0;
  while (last < 20)
    ASSERT_EQ(read(acknowledged[0], &last, sizeof last), static_cast<ssize_t>(sizeof last));
  kill(child, SIGKILL);
  waitpid(child, nullptr, 0);
  close(acknowledged[1]);
  while (read(acknowledged[0], &last, sizeof last) == sizeof last) {
  }
  close(acknowledged[0]);
  EXPECT_GE(count(open(), "t"), last);
}

TEST_P(DatabaseTest, OneHolderAtATime) {
  Leases leases(open());
  const auto mine = leases.acquire("scheduler", "a", 60s);
  ASSERT_TRUE(mine);
  EXPECT_FALSE(leases.acquire("scheduler", "b", 60s));
  EXPECT_TRUE(leases.renew(*mine, 60s));
  EXPECT_EQ(leases.acquire("scheduler", "a", 60s)->token, mine->token);
  EXPECT_EQ(leases.current("scheduler")->holder, "a");
  leases.release(*mine);
  EXPECT_FALSE(leases.current("scheduler"));
  EXPECT_FALSE(leases.renew(*mine, 60s));
  const auto theirs = leases.acquire("scheduler", "b", 60s);
  ASSERT_TRUE(theirs);
  EXPECT_GT(theirs->token, mine->token);
}

TEST_P(DatabaseTest, AnExpiredLeaseIsAnybodys) {
  Leases leases(open());
  const auto old = leases.acquire("job", "a", 0ms);
  ASSERT_TRUE(old);
  const auto next = leases.acquire("job", "b", 60s);
  ASSERT_TRUE(next);
  EXPECT_GT(next->token, old->token);
  EXPECT_FALSE(leases.renew(*old, 60s));
}

TEST_P(DatabaseTest, UnreachableIsSaid) {
  if (GetParam() == Backend::kPostgresql) {
    options_.location = "postgresql://y@127.0.0.1:1/x?connect_timeout=2";
    EXPECT_EQ(code_of([&] { open(); }), Code::kUnavailable);
  } else {
    options_.location = "/proc/no-such-folder/meesh.db";
    EXPECT_EQ(code_of([&] { open(); }), Code::kIoError);
  }
}

TEST_P(DatabaseTest, AServerThatIsStartedAgainIsFoundAgain) {
  if (GetParam() == Backend::kSqlite) return;  // there is none
  auto& database = open();
  migrate(database, "room", kTable);
  const auto insert = [&](int id) {
    database.write(
        [&](soci::session& sql) { sql << "INSERT INTO t VALUES (:id, 'x')", soci::use(id); });
  };
  insert(1);
  server_->kill();
  EXPECT_EQ(code_of([&] { insert(2); }), Code::kUnavailable);
  EXPECT_EQ(code_of([&] { count(database, "t"); }), Code::kUnavailable);
  server_->start();
  for (int id = 3; id < 10; ++id) insert(id);  // on each of the connections
  EXPECT_EQ(count(database, "t"), 8);
  // Lost in the middle.
  EXPECT_EQ(code_of([&] {
              database.write([&](soci::session& sql) {
                sql << "INSERT INTO t VALUES (100, 'x')";
                server_->kill();
                sql << "INSERT INTO t VALUES (101, 'x')";
              });
            }),
            Code::kUnavailable);
  server_->start();
  EXPECT_EQ(count(database, "t"), 8);
}

TEST_P(DatabaseTest, ConflictsWithoutEndAreTold) {
  if (GetParam() == Backend::kSqlite) return;  // one writer at a time
  auto& database = open();
  migrate(database, "room", kTable);
  database.write([](soci::session& sql) { sql << "INSERT INTO t VALUES (1, '0')"; });
  const auto others = Database::open(options_);
  int attempts = 0;
  EXPECT_EQ(code_of([&] {
              database.write([&](soci::session& sql) {
                std::string text;
                sql << "SELECT text FROM t WHERE id = 1", soci::into(text);
                others->write([&](soci::session& other) {
                  other << "UPDATE t SET text = 'theirs' WHERE id = 1";
                });
                ++attempts;
                sql << "UPDATE t SET text = 'mine' WHERE id = 1";
              });
            }),
            Code::kTransactionConflict);
  EXPECT_GT(attempts, 10);
  std::string text;
  database.read(
      [&](soci::session& sql) { sql << "SELECT text FROM t WHERE id = 1", soci::into(text); });
  EXPECT_EQ(text, "theirs");
}

TEST_P(DatabaseTest, TheFileIsItsOwnersAlone) {
  if (GetParam() == Backend::kPostgresql) return;  // no file of ours
  open();
  struct stat status{};
  ASSERT_EQ(stat(options_.location.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600u);
}

INSTANTIATE_TEST_SUITE_P(Backends, DatabaseTest,
                         ::testing::Values(Backend::kSqlite, Backend::kPostgresql),
                         [](const auto& info) {
                           return info.param == Backend::kSqlite ? "Sqlite" : "Postgresql";
                         });

}  // namespace
}  // namespace meesh::meta
