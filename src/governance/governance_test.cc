// Lineage as it is kept and asked for, on SQLite; events with a collector over HTTP.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <condition_variable>
#include <filesystem>
#include <mutex>

#include "base/uuid.h"
#include "governance/known_test.h"
#include "governance/lineage_store.h"
#include "governance/open_lineage.h"
#include "net/http.h"

namespace meesh::governance {
namespace {

namespace json = boost::json;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using testing::known;
using ::testing::UnorderedElementsAre;

class LineageTest : public ::testing::Test {
 protected:
  LineageTest() {
    folder_ = std::filesystem::temp_directory_path() / ("lineage-" + base::random_uuid());
    database_ = meta::Database::open(
        {.kind = meta::Backend::kSqlite, .location = (folder_ / "meesh.db").string()});
    open("");
  }
  ~LineageTest() override {
    store_.reset();
    database_.reset();
    std::filesystem::remove_all(folder_);
  }
  void open(const std::string& url) {
    store_.reset();
    store_ = std::make_unique<LineageStore>(*database_,
                                            LineageOptions{url, "key", "meesh://test", known()});
  }

  static sql::TableName table(const std::string& name) { return {"lake", "s", name}; }
  static Dataset data(const std::string& name) { return Dataset::of(table(name)); }
  static sql::ColumnSource source(const std::string& name, const std::string& column,
                                  sql::Influence influence = sql::Influence::kIdentity) {
    return {table(name), column, {influence}};
  }

  void wrote(const sql::Lineage& lineage, std::vector<std::string> tags = {},
             const std::string& id = base::random_uuid()) {
    engine::Session session;
    session.user = "ada";
    session.client_tags = std::move(tags);
    engine::QueryInfo query;
    query.id = id;
    query.text = lineage.statement + " …";
    query.created = std::chrono::system_clock::now();
    store_->written({query, session, lineage});
  }
  /// A statement that makes `to` of the column a of each of `from`.
  static sql::Lineage made(const std::string& statement, const std::string& to,
                           const std::vector<std::string>& from) {
    sql::Lineage lineage;
    lineage.statement = statement;
    lineage.outputs = {table(to)};
    lineage.replaces = statement.starts_with("CREATE");
    sql::ColumnLineage column{"a", {}, ""};
    for (const auto& one : from) {
      lineage.inputs.push_back(table(one));
      column.sources.push_back(source(one, "a"));
    }
    lineage.columns = {column};
    lineage.tables = {{table(to), {{"a", "integer"}}}};
    return lineage;
  }
  void create(const std::string& to, const std::vector<std::string>& from) {
    wrote(made("CREATE TABLE AS SELECT", to, from));
  }
  void insert(const std::string& to, const std::vector<std::string>& from) {
    wrote(made("INSERT", to, from));
  }

  json::object graph(const GraphQuery& query) { return store_->graph(query).as_object(); }
  /// "x>y" for every edge upstream and downstream of a table.
  std::vector<std::string> edges(const std::string& of, int up = 9, int down = 9) {
    return shown(graph({data(of), "", up, down, {}}));
  }
  static std::vector<std::string> shown(const json::object& graph) {
    std::vector<std::string> out;
    for (const auto& edge : graph.at("edges").as_array()) {
      out.push_back(end(edge.at("from")) + ">" + end(edge.at("to")));
    }
    return out;
  }
  static std::string end(const json::value& value) {
    const auto bare = [](std::string name) {
      return name.starts_with("lake.s.") ? name.substr(7) : name;
    };
    if (value.is_string()) return bare(std::string(value.as_string()));
    return bare(std::string(value.at("table").as_string())) + "." +
           std::string(value.at("column").as_string());
  }
  std::string code(const GraphQuery& query) {
    try {
      store_->graph(query);
    } catch (const Error& error) {
      return std::string(code_name(error.code()));
    }
    return "";
  }

  std::filesystem::path folder_;
  std::unique_ptr<meta::Database> database_;
  std::unique_ptr<LineageStore> store_;
};

// ---------------------------------------------------------------- the graph

TEST_F(LineageTest, IsFollowedBothWaysAndSoFar) {
  create("b", {"a"});
  create("c", {"b"});
  create("d", {"c"});
  EXPECT_THAT(edges("c"), UnorderedElementsAre("a>b", "b>c", "c>d"));
  EXPECT_THAT(edges("c", 1, 0), ElementsAre("b>c"));
  EXPECT_THAT(edges("c", 0, 9), ElementsAre("c>d"));
  EXPECT_THAT(edges("d", 9, 0), UnorderedElementsAre("a>b", "b>c", "c>d"));
  EXPECT_EQ(code({data("nobody"), "", 1, 1, {}}), "TABLE_NOT_FOUND");
}

TEST_F(LineageTest, CirclesEnd) {
  insert("b", {"a"});
  insert("a", {"b"});
  insert("a", {"a"});
  EXPECT_THAT(edges("a"), UnorderedElementsAre("a>b", "b>a"));
  EXPECT_THAT(shown(graph({data("a"), "a", 9, 9, {}})), UnorderedElementsAre("a.a>b.a", "b.a>a.a"));
}

TEST_F(LineageTest, OfAColumnLeavesOthersOut) {
  auto lineage = made("INSERT", "t", {"x"});
  lineage.inputs.push_back(table("y"));
  lineage.columns.push_back({"n", {source("y", "m", sql::Influence::kAggregation)}, ""});
  lineage.rows = {source("y", "k", sql::Influence::kFilter)};
  wrote(lineage);
  const auto a = graph({data("t"), "a", 3, 0, {}});
  EXPECT_THAT(shown(a), ElementsAre("x.a>t.a"));
  const auto n = graph({data("t"), "n", 3, 0, {}});
  EXPECT_THAT(shown(n), ElementsAre("y.m>t.n"));
  EXPECT_EQ(json::serialize(n.at("edges").at(0).at("influences")), R"(["AGGREGATION"])");
  EXPECT_EQ(json::serialize(n.at("rows")),
            R"([{"table":"lake.s.y","column":"k","influences":["FILTER"]}])");
  EXPECT_THAT(shown(graph({data("y"), "m", 0, 3, {}})), ElementsAre("y.m>t.n"));
  EXPECT_EQ(code({data("t"), "nope", 1, 1, {}}), "COLUMN_NOT_FOUND");
}

TEST_F(LineageTest, AColumnThatIsNotUnderstoodSaysWhy) {
  auto lineage = made("INSERT", "t", {"x"});
  lineage.columns.push_back({"n", {}, "it is too large"});
  wrote(lineage);
  EXPECT_EQ(json::serialize(graph({data("t"), "", 1, 0, {}}).at("unknown")),
            R"([{"column":"n","reason":"it is too large"}])");
  EXPECT_FALSE(graph({data("t"), "a", 1, 0, {}}).contains("unknown"));
  create("t", {"x"});
  EXPECT_FALSE(graph({data("t"), "", 1, 0, {}}).contains("unknown"));
}

TEST_F(LineageTest, InsertsAddUpAndANewTableStartsAnew) {
  insert("t", {"x"});
  insert("t", {"y"});
  EXPECT_THAT(edges("t"), UnorderedElementsAre("x>t", "y>t"));
  create("t", {"z"});
  EXPECT_THAT(edges("t"), ElementsAre("z>t"));
  wrote(made("TRUNCATE TABLE", "t", {}));  // leaves the rest as it is unless it says it replaces
  EXPECT_THAT(edges("t"), ElementsAre("z>t"));
}

TEST_F(LineageTest, WhatANamedJobNoLongerReadsIsOver) {
  wrote(made("INSERT", "t", {"x", "y"}), {"meesh-job=daily"});
  wrote(made("INSERT", "t", {"x"}), {"meesh-job=daily"});
  EXPECT_THAT(edges("t"), ElementsAre("x>t"));
  const auto graph = this->graph({data("t"), "", 1, 0, {}});
  EXPECT_EQ(graph.at("edges").at(0).at("jobs").at(0).at("name").as_string(), "daily");
}

TEST_F(LineageTest, TablesOfOurOwnRoomsStandForWhatIsBehindThem) {
  auto lineage = made("INSERT", "t", {"x"});
  lineage.inputs = {{"$files", "uploads", "leads_7"}};
  lineage.columns[0].sources[0].table = lineage.inputs[0];
  wrote(lineage);
  EXPECT_THAT(edges("t"), IsEmpty());
  wrote(lineage, {"meesh-input=s3://raw/leads.csv"});
  EXPECT_THAT(edges("t"), ElementsAre("s3://raw/leads.csv>t"));
  EXPECT_THAT(shown(graph({data("t"), "a", 1, 0, {}})), ElementsAre("s3://raw/leads.csv.a>t.a"));
}

TEST_F(LineageTest, IsSeenAsItWas) {
  create("t", {"x"});
  const auto before = from_ms(to_ms(std::chrono::system_clock::now()) + 1);
  while (std::chrono::system_clock::now() <= before + std::chrono::milliseconds(1)) {
  }
  create("t", {"y"});
  EXPECT_THAT(edges("t"), ElementsAre("y>t"));
  EXPECT_THAT(shown(graph({data("t"), "", 9, 0, before})), ElementsAre("x>t"));
}

// ---------------------------------------------------------------- tables come and go

TEST_F(LineageTest, ThroughADroppedTableTheOriginStays) {
  create("tmp", {"x"});
  insert("t", {"tmp"});
  wrote(sql::lineage_of_drop("DROP TABLE", table("tmp")));
  EXPECT_THAT(edges("t"), ElementsAre("x>t"));
  EXPECT_THAT(shown(graph({data("t"), "a", 9, 0, {}})), ElementsAre("x.a>t.a"));
}

TEST_F(LineageTest, ADroppedOriginIsStillTold) {
  insert("t", {"x"});
  wrote(sql::lineage_of_drop("DROP TABLE", table("x")));
  const auto graph = this->graph({data("t"), "", 9, 0, {}});
  EXPECT_THAT(shown(graph), ElementsAre("x>t"));
  bool dropped = false;
  for (const auto& node : graph.at("nodes").as_array()) {
    dropped = dropped || node.as_object().contains("dropped_at");
  }
  EXPECT_TRUE(dropped);
}

TEST_F(LineageTest, DbtsWayOfReplacingATableChangesNothing) {
  create("t", {"x"});
  create("mart", {"t"});
  for (int i = 0; i < 2; ++i) {
    create("t__dbt_tmp", {"x"});
    wrote(sql::lineage_of_rename("RENAME TABLE", table("t"), table("t__dbt_backup")));
    wrote(sql::lineage_of_rename("RENAME TABLE", table("t__dbt_tmp"), table("t")));
    wrote(sql::lineage_of_drop("DROP TABLE", table("t__dbt_backup")));
    EXPECT_THAT(edges("t"), UnorderedElementsAre("x>t", "t>mart"));
    EXPECT_THAT(shown(graph({data("mart"), "a", 9, 0, {}})),
                UnorderedElementsAre("x.a>t.a", "t.a>mart.a"));
  }
}

TEST_F(LineageTest, ARenamedTableTakesItsPlace) {
  create("t", {"x"});
  create("mart", {"t"});
  wrote(sql::lineage_of_rename("RENAME TABLE", table("t"), table("u")));
  EXPECT_THAT(edges("mart"), UnorderedElementsAre("x>u", "u>mart"));
  EXPECT_THAT(edges("u"), UnorderedElementsAre("x>u", "u>mart"));
  EXPECT_THAT(edges("t"), UnorderedElementsAre("x>u", "u>mart")) << "the old name leads there";
}

TEST_F(LineageTest, ColumnsAreRenamedAndDropped) {
  create("t", {"x"});
  create("mart", {"t"});
  sql::Lineage renamed;
  renamed.statement = "RENAME COLUMN";
  renamed.inputs = renamed.outputs = {table("t")};
  renamed.columns = {{"b", {source("t", "a")}, ""}};
  wrote(renamed);
  EXPECT_THAT(shown(graph({data("t"), "b", 9, 9, {}})),
              UnorderedElementsAre("x.a>t.b", "t.b>mart.a"));
  sql::Lineage dropped;
  dropped.statement = "DROP COLUMN";
  dropped.outputs = {table("t")};
  dropped.columns = {{"b", {}, ""}};
  wrote(dropped);
  EXPECT_THAT(shown(graph({data("mart"), "a", 9, 0, {}})), ElementsAre("t.b>mart.a"));
}

TEST_F(LineageTest, ADroppedSchemaTakesItsTablesAlong) {
  create("t", {"x"});
  sql::Lineage lineage = made("CREATE TABLE AS SELECT", "t", {"t"});
  lineage.outputs = {{"lake", "other", "mart"}};
  wrote(lineage);
  wrote(sql::lineage_of_drop("DROP SCHEMA", {"lake", "s", ""}));
  const auto graph = this->graph({{"", "lake.other.mart"}, "", 9, 0, {}});
  EXPECT_THAT(shown(graph), ElementsAre("x>lake.other.mart"));
}

TEST_F(LineageTest, ATransactionThatFailsLeavesNothing) {
  engine::Session session;
  engine::QueryInfo query;
  query.id = "q1";
  const auto lineage = made("INSERT", "t", {"x"});
  EXPECT_THROW(database_->write([&](soci::session& sql) {
    store_->committing(sql, {query, session, lineage});
    throw Error(Code::kIoError, "no");
  }),
               Error);
  EXPECT_EQ(code({data("t"), "", 1, 1, {}}), "TABLE_NOT_FOUND");
  database_->write([&](soci::session& sql) { store_->committing(sql, {query, session, lineage}); });
  EXPECT_THAT(edges("t"), ElementsAre("x>t"));
}

TEST_F(LineageTest, AFailureIsKeptAndMovesNothing) {
  create("t", {"x"});
  JobRun failed;
  failed.job = "model";
  failed.state = RunState::kFail;
  failed.error = "no such column";
  failed.outputs.resize(2);
  failed.outputs[0].dataset = data("t");
  failed.outputs[1].dataset = data("never_made");
  store_->record(failed);
  const auto events = store_->events({data("t"), "model", "", 10}).as_array();
  ASSERT_EQ(events.size(), 1u);
  EXPECT_EQ(events[0].at("eventType"), "FAIL");
  EXPECT_EQ(events[0].at("run").at("facets").at("errorMessage").at("message"), "no such column");
  EXPECT_THAT(edges("t"), ElementsAre("x>t"));
  EXPECT_EQ(code({data("never_made"), "", 1, 1, {}}), "TABLE_NOT_FOUND");
}

TEST_F(LineageTest, OfAJobOnlyTheLatestEventsAreKept) {
  for (int i = 0; i < 130; ++i) insert("t", {"x"});
  EXPECT_EQ(store_->events({{}, "INSERT lake.s.t", "", 1000}).as_array().size(), 100u);
  EXPECT_EQ(store_->events({data("x"), "", "", 7}).as_array().size(), 7u);
  EXPECT_THAT(store_->events({data("nobody"), "", "", 7}).as_array(), IsEmpty());
}

// ---------------------------------------------------------------- events

json::object event(const std::string& type, const std::string& job, const std::string& run,
                   const char* inputs = "[]", const char* outputs = "[]") {
  return {{"eventType", type},
          {"eventTime", "2025-01-15T14:30:00.123456+01:00"},
          {"producer", "https://example.com/dbt"},
          {"schemaURL", "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/RunEvent"},
          {"run", {{"runId", run}}},
          {"job", {{"namespace", "dbt"}, {"name", job}}},
          {"inputs", json::parse(inputs)},
          {"outputs", json::parse(outputs)}};
}

constexpr const char* kRun = "0190b8a0-1111-7000-8000-0123456789ab";

TEST_F(LineageTest, EventsOfOneRunJoinAndNamesAreOurs) {
  store_->accept(
      event("START", "model", kRun,
            R"([{"namespace":"postgres://localhost:15432","name":"sales_db.public.orders"},
                           {"namespace":"kafka://broker:9092","name":"clicks"}])"));
  EXPECT_EQ(shown(graph({{"", "sales.public.orders"}, "", 9, 9, {}})), std::vector<std::string>{})
      << "a run that has only begun moved nothing";
  store_->accept(
      event("COMPLETE", "model", kRun, "[]",
            R"([{"namespace":"trino://127.0.0.1:8080","name":"lake.s.t","facets":{"columnLineage":{
           "fields":{"total":{"inputFields":[{"namespace":"postgres://localhost:15432",
             "name":"sales_db.public.orders","field":"amount",
             "transformations":[{"type":"DIRECT","subtype":"AGGREGATION"}]}]}}}}}])"));
  EXPECT_THAT(edges("t"),
              UnorderedElementsAre("sales.public.orders>t", "kafka://broker:9092/clicks>t"));
  EXPECT_THAT(shown(graph({data("t"), "total", 9, 0, {}})),
              ElementsAre("sales.public.orders.amount>t.total"));
  EXPECT_EQ(store_->events({data("t"), "model", kRun, 10}).as_array().size(), 1u);
  EXPECT_EQ(store_->events({{}, "model", kRun, 10}).as_array().size(), 2u);
}

TEST_F(LineageTest, AFailedRunMovesNothing) {
  store_->accept(event("FAIL", "model", kRun, R"([{"namespace":"a://b","name":"x"}])",
                       R"([{"namespace":"trino://localhost:8080","name":"lake.s.t"}])"));
  EXPECT_THAT(edges("t"), IsEmpty());
}

TEST_F(LineageTest, SparkNamesATableByItsFilesOrItsSymlink) {
  store_->accept(event("COMPLETE", "spark", kRun,
                       R"([{"namespace":"s3://silver","name":"/orders"}])",
                       R"([{"namespace":"file","name":"/tmp/x","facets":{"symlinks":{"identifiers":[
           {"namespace":"trino://localhost:8080","name":"lake.s.t","type":"TABLE"}]}}}])"));
  EXPECT_THAT(edges("t"), ElementsAre("lake.silver.orders>t"));
}

TEST_F(LineageTest, WhoseTableItIsIsAskedOutsideOfTransactions) {
  store_.reset();
  // One connection alone: what asked within a transaction would wait for itself.
  database_ = meta::Database::open({.kind = meta::Backend::kSqlite,
                                    .location = (folder_ / "one.db").string(),
                                    .connections = 1});
  Known asking = known();
  asking.table_at = [this](const std::string&) -> std::optional<sql::TableName> {
    int one = 0;
    database_->read([&](soci::session& sql) { sql << "SELECT 1", soci::into(one); });
    return table("orders");
  };
  store_ =
      std::make_unique<LineageStore>(*database_, LineageOptions{"", "", "meesh://test", asking});
  const char* input = R"([{"namespace":"s3://silver","name":"orders"}])";
  store_->accept(event("START", "spark", kRun, input));
  store_->accept(event("COMPLETE", "spark", kRun, input,
                       R"([{"namespace":"trino://localhost:8080","name":"lake.s.t"}])"));
  JobRun run;
  run.job = "ingest";
  run.inputs = {{{"s3://silver", "orders"}, {}}};
  run.outputs.emplace_back();
  run.outputs[0].dataset = data("u");
  store_->record(run);
  EXPECT_THAT(edges("orders"), UnorderedElementsAre("orders>t", "orders>u"));
}

TEST_F(LineageTest, JobAndDatasetEventsAreTaken) {
  auto job = event("", "static", kRun, R"([{"namespace":"a://b","name":"x"}])",
                   R"([{"namespace":"trino://localhost:8080","name":"lake.s.t"}])");
  job.erase("run");
  job.erase("eventType");
  store_->accept(job);
  EXPECT_THAT(edges("t"), ElementsAre("a://b/x>t"));
  store_->accept(json::parse(R"({"eventTime":"2025-01-15T14:30:00Z","producer":"p","schemaURL":"s",
    "dataset":{"namespace":"trino://localhost:8080","name":"lake.s.t",
    "facets":{"schema":{"fields":[{"name":"n","type":"bigint"}]}}}})"));
  EXPECT_EQ(json::serialize(graph({data("t"), "", 0, 0, {}}).at("nodes").at(0).at("columns")),
            R"([{"name":"n","type":"bigint"}])");
}

TEST_F(LineageTest, MistakesOfEventsAreNamedWithTheirPlace) {
  const auto pointer = [&](const std::function<void(json::object&)>& spoil) {
    auto spoilt = event("COMPLETE", "job", kRun, R"([{"namespace":"a://b","name":"x"}])",
                        R"([{"namespace":"a://b","name":"y","facets":{"columnLineage":{
      "fields":{"c/d":{"inputFields":[{"namespace":"a://b","name":"x","field":"f"}]}}}}}])");
    spoil(spoilt);
    try {
      store_->accept(spoilt);
    } catch (const EventError& error) {
      return error.pointer();
    }
    return std::string("taken");
  };
  EXPECT_EQ(pointer([](json::object&) {}), "taken");
  EXPECT_EQ(pointer([](json::object& e) { e.erase("eventTime"); }), "/eventTime");
  EXPECT_EQ(pointer([](json::object& e) { e["eventTime"] = "yesterday"; }), "/eventTime");
  EXPECT_EQ(pointer([](json::object& e) { e["eventTime"] = "2025-02-30T00:00:00Z"; }),
            "/eventTime");
  EXPECT_EQ(pointer([](json::object& e) { e.erase("producer"); }), "/producer");
  EXPECT_EQ(pointer([](json::object& e) { e.erase("schemaURL"); }), "/schemaURL");
  EXPECT_EQ(pointer([](json::object& e) { e["eventType"] = "DONE"; }), "/eventType");
  EXPECT_EQ(pointer([](json::object& e) { e["run"].as_object()["runId"] = "7"; }), "/run/runId");
  EXPECT_EQ(pointer([](json::object& e) { e["run"] = 7; }), "/run");
  EXPECT_EQ(pointer([](json::object& e) { e["job"].as_object().erase("name"); }), "/job/name");
  EXPECT_EQ(pointer([](json::object& e) { e["inputs"] = "x"; }), "/inputs");
  EXPECT_EQ(pointer([](json::object& e) { e["inputs"].at(0).as_object()["name"] = ""; }),
            "/inputs/0/name");
  EXPECT_EQ(pointer([](json::object& e) {
              e["outputs"].at(0).at("facets").at("columnLineage").at("fields").as_object()["c/d"] =
                  json::object{{"inputFields", json::array{json::object{}}}};
            }),
            "/outputs/0/facets/columnLineage/fields/c~1d/inputFields/0/namespace");
  EXPECT_THROW(store_->accept(json::array{}), EventError);
}

// ---------------------------------------------------------------- events for others

/// A collector that answers what it is told to.
class Collector {
 public:
  Collector() : server_(net::ServerOptions{.port = 0, .access_log = false}) {
    server_.route("POST", "/api/v1/lineage",
                  [this](net::Request& request, net::Response& response) {
                    const std::string body = request.body(1 << 20);
                    const std::lock_guard lock(mutex_);
                    response.empty(status_);
                    keys_.insert(std::string(request.headers.get("Authorization").value_or("")));
                    (status_ < 300 ? taken_ : refused_).push_back(json::parse(body).as_object());
                    changed_.notify_all();
                  });
    server_.start();
  }
  std::string url() const {
    return "http://127.0.0.1:" + std::to_string(server_.port()) + "/api/v1/lineage";
  }
  void answer(int status) {
    const std::lock_guard lock(mutex_);
    status_ = status;
  }
  /// "START INSERT lake.s.t" …, once there are so many.
  std::vector<std::string> taken(size_t count) { return wait(taken_, count); }
  std::vector<std::string> refused(size_t count) { return wait(refused_, count); }
  std::set<std::string> keys() {
    const std::lock_guard lock(mutex_);
    return keys_;
  }

 private:
  std::vector<std::string> wait(const std::vector<json::object>& events, size_t count) {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, std::chrono::seconds(60), [&] { return events.size() >= count; });
    std::vector<std::string> out;
    for (const auto& event : events) {
      out.push_back(std::string(event.at("eventType").as_string()) + " " +
                    std::string(event.at("job").at("name").as_string()));
    }
    return out;
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  int status_ = 201;
  std::vector<json::object> taken_, refused_;
  std::set<std::string> keys_;
  net::Server server_;
};

TEST_F(LineageTest, EventsAreSentWithTheirStart) {
  Collector collector;
  open(collector.url());
  insert("t", {"x"});
  EXPECT_THAT(collector.taken(2), ElementsAre("START INSERT lake.s.t", "COMPLETE INSERT lake.s.t"));
  EXPECT_THAT(collector.keys(), ElementsAre("Bearer key"));
}

TEST_F(LineageTest, FailuresAreSentToo) {
  Collector collector;
  open(collector.url());
  JobRun failed;
  failed.job = "model";
  failed.state = RunState::kFail;
  store_->record(failed);
  EXPECT_THAT(collector.taken(2), ElementsAre("START model", "FAIL model"));
}

TEST_F(LineageTest, EventsWaitForACollectorThatFails) {
  Collector collector;
  collector.answer(503);
  open(collector.url());
  insert("t", {"x"});
  EXPECT_THAT(collector.refused(1), Contains("START INSERT lake.s.t"));
  collector.answer(200);
  EXPECT_THAT(collector.taken(2), ElementsAre("START INSERT lake.s.t", "COMPLETE INSERT lake.s.t"));
}

TEST_F(LineageTest, EventsOutliveTheProcess) {
  {
    Collector collector;
    collector.answer(503);
    open(collector.url());
    insert("t", {"x"});
    collector.refused(1);
    store_.reset();
  }
  Collector collector;
  open(collector.url());
  EXPECT_THAT(collector.taken(2), ElementsAre("START INSERT lake.s.t", "COMPLETE INSERT lake.s.t"));
}

TEST_F(LineageTest, AnEventThatIsNotWantedHoldsUpNoOther) {
  Collector collector;
  collector.answer(422);
  open(collector.url());
  insert("t", {"x"});
  collector.refused(2);
  collector.answer(201);
  insert("u", {"x"});
  EXPECT_THAT(collector.taken(2), ElementsAre("START INSERT lake.s.u", "COMPLETE INSERT lake.s.u"));
}

}  // namespace
}  // namespace meesh::governance
