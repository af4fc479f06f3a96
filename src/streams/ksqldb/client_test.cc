// The client against a recorded conversation (tests/support/ksqldb_server.py), over HTTP/2 and
// HTTP/1.1.
#include "streams/ksqldb/client.h"

#include <gmock/gmock.h>
#include <stdlib.h>

#include <atomic>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <thread>

#include "base/process.h"
#include "engine/ask.h"
#include "engine/catalogs/buffers.h"
#include "engine/engine.h"
#include "streams/ksqldb/exact_json.h"
#include "streams/ksqldb/ksqldb_reader.h"

namespace meesh::streams {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using testing::SizeIs;
using testing::StartsWith;
using Clock = std::chrono::steady_clock;

/// Where Python and its HTTP/2 are, or why the tests cannot run.
const fs::path kPython = fs::absolute(".venv/bin/python");

bool has_server() {
  static const bool has = [] {
    if (!fs::exists(kPython)) return false;
    return process::run({{kPython.string(), "-c", "import h2"}}, 30s).exit.good();
  }();
  return has;
}

class RecordedServer {
 public:
  explicit RecordedServer(std::vector<std::string> more = {}) {
    std::string name = (fs::temp_directory_path() / "meesh_ksqldb_XXXXXX").string();
    if (!mkdtemp(name.data())) throw std::runtime_error("mkdtemp");
    folder_ = name;
    process::Command command;
    command.arguments = {kPython.string(), fs::absolute("tests/support/ksqldb_server.py").string(),
                         fs::absolute("tests/streams/ksqldb/payments.json").string()};
    command.arguments.insert(command.arguments.end(), more.begin(), more.end());
    command.log = folder_ / "log";
    process_ = process::start(command);
    const auto deadline = Clock::now() + 20s;
    for (std::string word; port_ == 0; std::this_thread::sleep_for(10ms)) {
      std::ifstream(command.log) >> word >> port_;
      if (Clock::now() > deadline) throw std::runtime_error("no server: " + command.log.string());
    }
  }
  ~RecordedServer() {
    process_.reset();
    std::error_code ignored;
    fs::remove_all(folder_, ignored);
  }
  std::string url(const std::string& scheme = "http") const {
    return scheme + "://127.0.0.1:" + std::to_string(port_);
  }
  void kill() { process_.reset(); }

 private:
  fs::path folder_;
  std::unique_ptr<process::Process> process_;
  int port_ = 0;
};

template <typename F>
Error error_of(const F& run) {
  try {
    run();
  } catch (const Error& error) {
    return error;
  }
  ADD_FAILURE() << "nothing was thrown";
  return Error(Code::kGenericInternalError, "nothing was thrown");
}

/// With HTTP/2 (false) or over HTTP/1.1 alone (true).
class KsqldbClientTest : public testing::TestWithParam<bool> {
 protected:
  void SetUp() override {
    if (!has_server()) GTEST_SKIP() << "no .venv/bin/python with h2: run setup/setup.sh --for test";
    server_ = std::make_unique<RecordedServer>(GetParam() ? std::vector<std::string>{"--only-http1"}
                                                          : std::vector<std::string>{});
    client_ = std::make_unique<KsqldbClient>(KsqldbSettings{server_->url(), "", "", {}});
  }
  std::vector<std::string> rows(const std::string& sql, const StopWhen& when = {},
                                std::stop_token stop = {}) {
    std::vector<std::string> out;
    client_->query(
        sql, when, {}, [](const auto&) {},
        [&](const KsqldbRow& row) { write_json(row, out.emplace_back()); }, stop);
    return out;
  }

  std::unique_ptr<RecordedServer> server_;
  std::unique_ptr<KsqldbClient> client_;
};

INSTANTIATE_TEST_SUITE_P(, KsqldbClientTest, testing::Bool(),
                         [](const auto& info) { return info.param ? "Http1" : "Http2"; });

constexpr auto kSummary =
    "SELECT `USER_ID`, `TRANSACTIONS`, `TOTAL`, `LOWEST`, `HIGHEST`, `AVERAGE`, "
    "`LAST_TIMESTAMP`, ROWTIME FROM `USER_TRANSACTION_SUMMARY`";

TEST_P(KsqldbClientTest, TellsWhatThereIs) {
  EXPECT_EQ(client_->info().version, "0.29.0");
  EXPECT_EQ(client_->info().service_id, "default_");
  const auto sources = client_->sources();
  ASSERT_THAT(sources, SizeIs(11));
  EXPECT_EQ(sources[0].name, "ALL_TYPES");
  EXPECT_FALSE(sources[0].is_table);
  EXPECT_EQ(sources[1].name, "BLACKLISTED_USERS");
  EXPECT_TRUE(sources[1].is_table);
}

TEST_P(KsqldbClientTest, DescribesWhateverTheCase) {
  const KsqldbSource source = client_->describe("transaction_stream");
  EXPECT_EQ(source.name, "TRANSACTION_STREAM");
  EXPECT_EQ(source.topic, "payments");
  ASSERT_THAT(source.columns, SizeIs(14));
  EXPECT_TRUE(source.columns[0].key);
  EXPECT_EQ(source.columns[5].type, "DECIMAL(20, 2)");
  EXPECT_THAT(source.columns[12].type, StartsWith("ARRAY<STRUCT<`PRODUCT_ID` STRING, "));
  EXPECT_TRUE(client_->describe("SALES_BY_MINUTE").windowed);
  const Error error = error_of([&] { client_->describe("transaction_strean"); });
  EXPECT_EQ(error.code(), Code::kTableNotFound);
  EXPECT_EQ(error.hint(), "did you mean 'TRANSACTION_STREAM'?");
}

TEST_P(KsqldbClientTest, PullQuery) {
  const auto got = rows(kSummary);
  ASSERT_FALSE(got.empty());
  EXPECT_EQ(got[0], R"(["A0",2,100.1,0.1,100.0,50.05,"2025-01-15T10:00:04.500",1736848804000])");
}

TEST_P(KsqldbClientTest, PushQueryWithItsOwnLimit) {
  EXPECT_THAT(rows("SELECT ID FROM LIMITED EMIT CHANGES LIMIT 2"), ElementsAre("[1]", "[2]"));
}

TEST_P(KsqldbClientTest, StatementErrors) {
  EXPECT_THAT(client_->execute("CREATE STREAM FRESH (ID INT) WITH (KAFKA_TOPIC='payments', "
                               "VALUE_FORMAT='JSON')"),
              SizeIs(1));
  const Error twice = error_of([&] {
    client_->execute(
        "CREATE STREAM TWICE (ID INT) WITH (KAFKA_TOPIC='payments', VALUE_FORMAT='JSON');");
  });
  EXPECT_EQ(twice.code(), Code::kGenericUserError);
  EXPECT_THAT(twice.message(), HasSubstr("A stream with the same name already exists"));
  EXPECT_THAT(twice.message(), HasSubstr("40001"));
  EXPECT_THAT(error_of([&] { client_->execute("DROP STREAM BUSY"); }).message(),
              HasSubstr("CTAS_BUSY reads it"));
}

TEST_P(KsqldbClientTest, ErrorInTheMidstOfRows) {
  const Error error = error_of([&] { rows("SELECT ID FROM BROKEN EMIT CHANGES"); });
  EXPECT_EQ(error.code(), Code::kGenericExternal);
  EXPECT_THAT(error.message(), HasSubstr("Exceeded quota on state store"));
}

TEST_P(KsqldbClientTest, IsCanceledAtOnce) {
  std::stop_source stop;
  std::jthread canceler([&] {
    std::this_thread::sleep_for(300ms);
    stop.request_stop();
  });
  const KsqldbSource source = client_->describe("TRANSACTION_STREAM");
  KsqldbReader reader(*client_, source);
  std::string list;
  for (const auto& column : source.columns) list += "`" + column.name + "`, ";
  const auto begin = Clock::now();
  const Error error = error_of([&] {
    rows("SELECT " + list +
             "ROWTIME, ROWPARTITION, ROWOFFSET FROM `TRANSACTION_STREAM` EMIT CHANGES",
         {}, stop.get_token());
  });
  EXPECT_EQ(error.code(), Code::kUserCanceled);
  EXPECT_LT(Clock::now() - begin, 10s);
}

TEST_P(KsqldbClientTest, StopsWhenThereAreEnoughOrNoneCome) {
  const KsqldbSource source = client_->describe("TRANSACTION_STREAM");
  std::string list;
  for (const auto& column : source.columns) list += "`" + column.name + "`, ";
  const std::string sql =
      "SELECT " + list + "ROWTIME, ROWPARTITION, ROWOFFSET FROM `TRANSACTION_STREAM` EMIT CHANGES";
  EXPECT_THAT(rows(sql, {.rows = 2}), SizeIs(2));
  EXPECT_THAT(rows(sql, {.idle = 200ms}), SizeIs(6));
  EXPECT_THAT(rows(sql, {.at_most = 300ms}), SizeIs(6));
}

TEST_P(KsqldbClientTest, WhatTheConsumerThrowsEndsTheQuery) {
  EXPECT_THROW(client_->query(
                   kSummary, {}, {}, [](const auto&) {},
                   [](const KsqldbRow&) { throw std::runtime_error("mine"); }),
               std::runtime_error);
}

TEST_P(KsqldbClientTest, ServerThatIsGone) {
  server_->kill();
  const Error error = error_of([&] { rows(kSummary); });
  EXPECT_EQ(error.code(), Code::kUnavailable);
  EXPECT_THAT(error.message(), HasSubstr(server_->url()));
}

class KsqldbHttp2Test : public KsqldbClientTest {};
INSTANTIATE_TEST_SUITE_P(, KsqldbHttp2Test, testing::Values(false));

TEST_P(KsqldbHttp2Test, AnswerThatIsCut) {
  const Error error = error_of([&] { rows("SELECT ID FROM CUT EMIT CHANGES"); });
  EXPECT_EQ(error.code(), Code::kUnavailable);
}

TEST_P(KsqldbHttp2Test, ServerThatIsNotReady) {
  const Error error = error_of([&] { rows("SELECT ID FROM NOT_READY EMIT CHANGES"); });
  EXPECT_EQ(error.code(), Code::kUnavailable);
  EXPECT_THAT(error.message(), HasSubstr("not yet ready"));
}

TEST(KsqldbSettings, PasswordsAreNotShown) {
  EXPECT_EQ(KsqldbClient({"http://ana:s3cret@localhost:8088/", "", "", {}}).url(),
            "http://localhost:8088");
  const Error error = error_of([] {
    KsqldbClient client({"http://ana:s3cret@127.0.0.1:1", "", "", {}});
    client.info();
  });
  EXPECT_EQ(error.code(), Code::kUnavailable);
  EXPECT_THAT(error.what(), HasSubstr("http://127.0.0.1:1"));
  EXPECT_THAT(error.what(), Not(HasSubstr("s3cret")));
  for (const char* url : {"", "localhost:8088", "ftp://x", "http://"}) {
    EXPECT_EQ(error_of([&] { KsqldbClient client({url, "", "", {}}); }).code(),
              Code::kConfigInvalid)
        << url;
  }
}

TEST(KsqldbSettings, BasicAuthentication) {
  if (!has_server()) GTEST_SKIP() << "no .venv/bin/python with h2: run setup/setup.sh --for test";
  RecordedServer server({"--user", "ana", "--password", "p:w é"});
  EXPECT_EQ(KsqldbClient({server.url(), "ana", "p:w é", {}}).info().version, "0.29.0");
  const Error error = error_of([&] { KsqldbClient({server.url(), "ana", "other", {}}).info(); });
  EXPECT_EQ(error.code(), Code::kPermissionDenied);
  EXPECT_THAT(error.what(), Not(HasSubstr("other")));
}

TEST(KsqldbSettings, OverTls) {
  if (!has_server()) GTEST_SKIP() << "no .venv/bin/python with h2: run setup/setup.sh --for test";
  std::string name = (fs::temp_directory_path() / "meesh_ksqldb_XXXXXX").string();
  ASSERT_NE(mkdtemp(name.data()), nullptr);
  const fs::path folder = name;
  const auto made = process::run(
      {{"/usr/bin/openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
        "-nodes", "-days", "2", "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1",
        "-keyout", (folder / "key.pem").string(), "-out", (folder / "cert.pem").string()}},
      30s);
  ASSERT_TRUE(made.exit.good()) << made.output;
  const std::vector<std::string> tls = {"--certificate", (folder / "cert.pem").string(), "--key",
                                        (folder / "key.pem").string()};
  for (const bool only_http1 : {false, true}) {
    auto arguments = tls;
    if (only_http1) arguments.push_back("--only-http1");
    RecordedServer server(arguments);
    KsqldbClient client({server.url("https"), "", "", folder / "cert.pem"});
    EXPECT_EQ(client.info().version, "0.29.0");
    EXPECT_EQ(client.query(
                  "SELECT ID FROM LIMITED EMIT CHANGES LIMIT 2", {}, {}, [](const auto&) {},
                  [](const KsqldbRow&) {}),
              2);
    EXPECT_EQ(error_of([&] { KsqldbClient({server.url("https"), "", "", {}}).info(); }).code(),
              Code::kUnavailable);
  }
  fs::remove_all(folder);
}

/// Rows of ksqlDB in SQL.
class KsqldbReaderTest : public testing::Test {
 protected:
  void SetUp() override {
    if (!has_server()) GTEST_SKIP() << "no .venv/bin/python with h2: run setup/setup.sh --for test";
    server_ = std::make_unique<RecordedServer>();
    client_ = std::make_unique<KsqldbClient>(KsqldbSettings{server_->url(), "", "", {}});
    engine::Options options;
    options.threads = 2;
    engine_ = engine::Engine::open(options);
    engine_->add_catalog(engine::make_buffers_catalog(buffers_));
  }
  KsqldbRead read(const std::string& name, const KsqldbReadOptions& options = {.idle = 200ms}) {
    KsqldbReader reader(*client_, client_->describe(name));
    rows_ = buffers_->buffer(reader.columns());
    const KsqldbRead read = reader.read(options, *rows_);
    rows_->finish();
    return read;
  }
  /// The rows that were read last, `select` from the table t; each as "a|b".
  std::vector<std::string> select(const std::string& list) {
    const auto table =
        buffers_->add("ksqldb", "t", {.rows = rows_, .query = "", .query_columns = {}});
    const auto answer =
        engine::ask(*engine_, "SELECT " + list + " FROM " + engine::quote_table(table->name()), {});
    std::vector<std::string> lines;
    for (const auto& row : answer.rows) {
      std::string& line = lines.emplace_back();
      for (const auto& cell : row) line += (&cell == &row.front() ? "" : "|") + cell.value_or("-");
    }
    return lines;
  }

  std::unique_ptr<RecordedServer> server_;
  std::unique_ptr<KsqldbClient> client_;
  std::shared_ptr<engine::BufferTables> buffers_ =
      std::make_shared<engine::BufferTables>("$streams");
  std::unique_ptr<engine::Engine> engine_;
  std::shared_ptr<engine::RowBuffer> rows_;
};

TEST_F(KsqldbReaderTest, EveryType) {
  EXPECT_EQ(read("all_types").rows, 3);
  EXPECT_THAT(select("a_boolean, an_int, a_bigint, a_double, a_decimal, a_string, "
                     "to_hex(some_bytes), CAST(a_date AS varchar), CAST(a_time AS varchar), "
                     "CAST(a_timestamp AS varchar), a_map, \"quoted `name`\", "
                     "rowtime"),
              ElementsAre("true|-2147483648|9223372036854775807|0.30000000000000004|"
                          "1234567890123456789012345678.0123456789|Zoë \"q\" \\ \n€|000102FF|"
                          "2024-02-29|23:59:59.999|1969-12-31 23:59:59.999|{\"a\":1,\"b\":null}|"
                          "[{\"k\":\"x\",\"v\":[1.5,2e+10,null]}]|1736848800001",
                          "-|-|-|-|-|-|-|-|-|-|-|-|1736848800002",
                          "false|0|-9223372036854775808|nan|-0.0000000001|||0001-01-01|"
                          "10:30:00.000|2024-02-29 10:30:00.000|{}|[]|1736848800003"));
}

TEST_F(KsqldbReaderTest, AStreamFromWhereItWasReadTo) {
  const KsqldbRead first = read("transaction_stream", {.rows = 4, .idle = 200ms});
  EXPECT_EQ(first.rows, 4);
  EXPECT_TRUE(first.more);
  const auto before = select("transaction_id");
  const KsqldbRead second = read("transaction_stream", {.from = first.next, .idle = 200ms});
  EXPECT_EQ(second.rows, 2);
  EXPECT_FALSE(second.more);
  auto all = before;
  for (const auto& id : select("transaction_id")) all.push_back(id);
  EXPECT_THAT(all, testing::UnorderedElementsAre("t1", "t2", "t3", "t4", "t5", "t6"));
  EXPECT_EQ(second.next, (KsqldbPosition{{0, 3}, {1, 3}}));
  const KsqldbRead third = read("transaction_stream", {.from = second.next, .idle = 200ms});
  EXPECT_EQ(third.rows, 0);
  EXPECT_EQ(third.next, second.next);
}

/// `at_most` is for streams whose rows say that they are old.
TEST_F(KsqldbReaderTest, AStreamThatNeverPausesIsReadToNow) {
  for (const auto& [name, options] :
       {std::pair("TICKS", KsqldbReadOptions{.idle = 300ms, .at_most = 1h}),
        std::pair("TICKS_OF_THE_PAST", KsqldbReadOptions{.idle = 300ms, .at_most = 400ms})}) {
    KsqldbReader reader(*client_, {.name = name, .columns = {{"ID", "BIGINT"}}});
    rows_ = buffers_->buffer(reader.columns());
    const KsqldbRead read = reader.read(options, *rows_);
    rows_->finish();
    EXPECT_GT(read.rows, 0) << name;
    EXPECT_FALSE(read.more);
    EXPECT_EQ(read.next.at(0), static_cast<int64_t>(read.rows));
    EXPECT_THAT(select("max(id) + 1"), ElementsAre(std::to_string(read.rows)));
  }
}

TEST_F(KsqldbReaderTest, NestedColumnsAreJson) {
  KsqldbReader reader(*client_, client_->describe("transaction_stream"));
  EXPECT_EQ(reader.columns()[12].type.display(), "varchar");
  EXPECT_EQ(reader.type(12).display(),
            "array(row(product_id varchar, name varchar, category varchar, price decimal(10,2), "
            "quantity integer))");
  read("transaction_stream");
  EXPECT_THAT(select("sum(cardinality(CAST(json_parse(products) AS " + reader.type(12).display() +
                     "))), max(amount)"),
              ElementsAre("5|12345678901234567.89"));
}

TEST_F(KsqldbReaderTest, ATableIsWhatItHoldsNow) {
  EXPECT_EQ(read("USER_TRANSACTION_SUMMARY").rows, 3);
  EXPECT_THAT(select("user_id, total, average"),
              ElementsAre("A0|100.10|50.05", "B1|12345678901234602.22|4115226300411534",
                          "C2|487.90|487.9"));
}

TEST_F(KsqldbReaderTest, AWindowedTableHasItsBounds) {
  EXPECT_EQ(read("sales_by_minute").rows, 1);
  EXPECT_THAT(select("country, sales, windowend - windowstart"), ElementsAre("FR|7|60000"));
}

TEST_F(KsqldbReaderTest, ATableThatCannotBeAskedSaysWhatToDo) {
  const Error error = error_of([&] { read("blacklisted_users"); });
  EXPECT_EQ(error.code(), Code::kGenericUserError);
  EXPECT_THAT(error.message(), HasSubstr("CREATE TABLE QUERYABLE_BLACKLISTED_USERS AS SELECT"));
}

}  // namespace
}  // namespace meesh::streams
