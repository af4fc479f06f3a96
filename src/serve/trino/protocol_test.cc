#include "serve/trino/protocol.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <thread>

#include "serve/trino/fakes_test.h"
#include "serve/trino/query_json.h"

namespace meesh::serve::trino {
namespace {

using engine::QueryState;
using sql::Type;
using sql::TypeKind;
using testing::HasSubstr;
namespace json = boost::json;

struct Reply {
  int status;
  std::string text;
  net::Headers headers;

  json::object object() const { return json::parse(text).as_object(); }
  bool has(const char* member) const { return object().contains(member); }
  std::string next() const {
    const auto o = object();
    const auto* uri = o.if_contains("nextUri");
    return uri ? std::string(uri->as_string()) : "";
  }
  std::string state() const { return std::string(object().at("stats").at("state").as_string()); }
  std::string data() const { return has("data") ? json::serialize(object().at("data")) : ""; }
};

class ProtocolTest : public testing::Test {
 protected:
  using Endpoint = void (Protocol::*)(net::Request&, net::Response&);

  static Options options() {
    Options options;
    options.max_wait = std::chrono::milliseconds(2000);
    options.max_ended = 2;
    return options;
  }

  Reply call(Endpoint endpoint, FakeRequest& request) {
    FakeResponse response;
    (protocol.*endpoint)(request, response);
    return {response.status, response.sent, response.headers};
  }
  Reply post(const std::string& sql,
             std::vector<std::pair<std::string, std::string>> headers = {}) {
    FakeRequest request(sql);
    for (auto& [name, value] : headers) request.headers.add(name, value);
    return call(&Protocol::post_statement, request);
  }
  /// Follows a nextUri; `query` is appended ("maxWait=0s").
  Reply follow(const std::string& uri, Endpoint endpoint = &Protocol::get_page,
               std::vector<std::pair<std::string, std::string>> query = {}) {
    FakeRequest request;
    std::vector<std::string> parts;
    size_t from = uri.find("/v1/");
    while (from != std::string::npos) {
      const size_t to = uri.find('/', from + 1);
      parts.push_back(uri.substr(from + 1, to == std::string::npos ? to : to - from - 1));
      from = to;
    }
    EXPECT_EQ(parts.size(), 6u) << uri;
    parts.resize(6);
    request.path_params = {{"id", parts[3]}, {"slug", parts[4]}, {"token", parts[5]}};
    request.query = std::move(query);
    return call(endpoint, request);
  }
  Reply poll(const std::string& uri) {
    return follow(uri, &Protocol::get_page, {{"maxWait", "0s"}});
  }
  Reply by_id(Endpoint endpoint, const std::string& id, std::string body = {}) {
    FakeRequest request(std::move(body));
    request.path_params = {{"id", id}};
    return call(endpoint, request);
  }

  /// Every query gets one bigint column, this many rows, and ends.
  void answer_with_numbers(size_t rows) {
    engine.on_submit = [rows](FakeQuery& query) {
      query.columns_are({{"n", Type::of(TypeKind::kBigint)}});
      if (rows > 0) query.add(numbers(0, rows));
      query.end();
    };
  }

  FakeEngine engine;
  Protocol protocol{engine, options()};
};

TEST_F(ProtocolTest, ASelectFromPostToFinish) {
  answer_with_numbers(2);
  const auto first = post("SELECT n FROM t");
  EXPECT_EQ(first.status, 200);
  EXPECT_EQ(first.state(), "QUEUED");
  EXPECT_FALSE(first.has("data"));
  EXPECT_FALSE(first.has("columns"));
  EXPECT_EQ(first.object().at("id").as_string(), "q1");
  EXPECT_EQ(first.object().at("infoUri").as_string(), "http://localhost:8080/admin/queries/q1");
  EXPECT_THAT(first.next(),
              testing::MatchesRegex("http://localhost:8080/v1/statement/queued/q1/y[0-9a-f]+/1"));
  EXPECT_EQ(engine.last()->info().text, "SELECT n FROM t");

  const auto second = follow(first.next());
  EXPECT_EQ(second.data(), "[[0],[1]]");
  EXPECT_EQ(
      json::serialize(second.object().at("columns")),
      R"([{"name":"n","type":"bigint","typeSignature":{"rawType":"bigint","arguments":[]}}])");
  EXPECT_EQ(second.object().at("warnings").as_array().size(), 0u);
  EXPECT_EQ(second.state(), "FINISHED");
  EXPECT_EQ(second.next(), "") << "the result fits its page, so no other page is needed";
  EXPECT_FALSE(second.has("error"));
  EXPECT_EQ(json::serialize(second.object().at("stats").at("progressPercentage")), "1E2");
}

TEST_F(ProtocolTest, AResultThatGoesOnHasAnotherPage) {
  engine.on_submit = [](FakeQuery& query) {
    query.columns_are({{"n", Type::of(TypeKind::kBigint)}});
    query.add(numbers(0, 2));
  };
  const auto page = follow(post("SELECT n FROM t").next());
  EXPECT_EQ(page.data(), "[[0],[1]]");
  EXPECT_EQ(page.state(), "RUNNING");
  EXPECT_THAT(page.next(), HasSubstr("/v1/statement/executing/q1/"));
  engine.last()->end();
  const auto end = follow(page.next());
  EXPECT_EQ(end.state(), "FINISHED");
  EXPECT_EQ(end.next(), "");
  EXPECT_FALSE(end.has("data"));
}

TEST_F(ProtocolTest, AResultWithoutRowsEndsAtOnceAndHasItsColumns) {
  answer_with_numbers(0);
  const auto page = follow(post("SELECT n FROM t").next());
  EXPECT_EQ(page.next(), "");
  EXPECT_TRUE(page.has("columns"));
  EXPECT_FALSE(page.has("data"));
}

TEST_F(ProtocolTest, TheLastPageCanBeFetchedAgain) {
  answer_with_numbers(3);
  const auto first = post("SELECT 1");
  const auto page = follow(first.next(), &Protocol::get_page, {{"targetResultSize", "1B"}});
  EXPECT_EQ(follow(first.next()).text, page.text);
  const auto end = follow(page.next());
  EXPECT_EQ(end.state(), "FINISHED");
  EXPECT_EQ(follow(page.next()).text, end.text);
  EXPECT_EQ(follow(first.next()).status, 410);
}

TEST_F(ProtocolTest, UnknownIdSlugAndTokenAreNotFound) {
  answer_with_numbers(3);
  const auto next = post("SELECT 1").next();
  const auto replaced = [&](const std::string& from, const std::string& to) {
    std::string uri = next;
    return uri.replace(uri.rfind(from), from.size(), to);
  };
  EXPECT_EQ(follow(replaced("/q1/", "/q9/")).status, 404);
  EXPECT_EQ(follow(replaced("/y", "/z")).status, 404);
  EXPECT_EQ(follow(replaced("/1", "/2")).status, 404);
  EXPECT_EQ(follow(replaced("/1", "/18446744073709551615")).status, 404);
  EXPECT_EQ(follow(replaced("/1", "/x")).status, 404);
  EXPECT_EQ(follow(replaced("/1", "/-1")).status, 404);
  EXPECT_EQ(follow(replaced("/y", "/z")).text, "Query not found");
  EXPECT_EQ(follow(next).status, 200);
}

TEST_F(ProtocolTest, WaitingPagesTellTheStateAndMoveOn) {
  const auto first = post("SELECT 1");
  const auto queued = poll(first.next());
  EXPECT_EQ(queued.state(), "QUEUED");
  EXPECT_THAT(queued.next(), testing::MatchesRegex(".*/queued/q1/y[0-9a-f]+/2"));
  engine.last()->with_info([](engine::QueryInfo& info) {
    info.state = QueryState::kRunning;
    info.progress = 41.7;
    info.progress_known = true;
    info.rows_read = 1234;
    info.elapsed_ms = 77;
  });
  const auto running = poll(queued.next());
  EXPECT_EQ(running.state(), "RUNNING");
  EXPECT_THAT(running.next(), HasSubstr("/executing/"));
  const auto stats = running.object().at("stats").as_object();
  EXPECT_EQ(stats.at("completedSplits").as_int64(), 41);
  EXPECT_EQ(stats.at("processedRows").as_int64(), 1234);
  EXPECT_EQ(stats.at("elapsedTimeMillis").as_int64(), 77);
  EXPECT_DOUBLE_EQ(stats.at("progressPercentage").as_double(), 41.7);
  EXPECT_TRUE(stats.at("rootStage").is_object());
  EXPECT_EQ(stats.at("rootStage").at("subStages").as_array().size(), 0u);
}

TEST_F(ProtocolTest, AWaitingRequestGetsRowsAsTheyCome) {
  const auto first = post("SELECT 1");
  const auto query = engine.last();
  std::thread producer([query] {
    query->columns_are({{"n", Type::of(TypeKind::kBigint)}});
    query->add(numbers(7, 1));
  });
  const auto page = follow(first.next());
  producer.join();
  EXPECT_EQ(page.data(), "[[7]]");
  query->add(numbers(8, 1));
  query->end();
  const auto second = follow(page.next());
  EXPECT_EQ(second.data(), "[[8]]");
  EXPECT_EQ(second.next(), "");
}

TEST_F(ProtocolTest, PagesEndAtTheTargetSizeEvenWithinABatch) {
  engine.on_submit = [](FakeQuery& query) {
    query.columns_are({{"n", Type::of(TypeKind::kBigint)}});
    query.add(numbers(0, 1500));
    query.add(numbers(1500, 1500));
    query.end();
  };
  std::string next = post("SELECT n FROM t").next();
  int64_t expected = 0;
  int pages = 0;
  while (!next.empty()) {
    const auto page = follow(next, &Protocol::get_page, {{"targetResultSize", "4kB"}});
    ASSERT_EQ(page.status, 200);
    ++pages;
    next = page.next();
    if (!page.has("data")) continue;
    EXPECT_LT(page.text.size(), 4096u + 2000u);
    const auto object = page.object();
    for (const auto& row : object.at("data").as_array()) {
      EXPECT_EQ(row.as_array().at(0).as_int64(), expected++);
    }
  }
  EXPECT_EQ(expected, 3000);
  EXPECT_GT(pages, 4);
}

TEST_F(ProtocolTest, MalformedPagingParametersAreBadRequests) {
  answer_with_numbers(1);
  const auto next = post("SELECT 1").next();
  EXPECT_EQ(follow(next, &Protocol::get_page, {{"maxWait", "soon"}}).status, 400);
  EXPECT_EQ(follow(next, &Protocol::get_page, {{"targetResultSize", "10"}}).status, 400);
  EXPECT_EQ(follow(next, &Protocol::get_page, {{"targetResultSize", "1PB"}}).data(), "[[0]]");
}

TEST_F(ProtocolTest, ErrorsAreAnswersWithPosition) {
  engine.on_submit = [](FakeQuery& query) {
    query.fail(Error(Code::kTableNotFound, "Table 'c.s.t' does not exist", {1, 15}));
  };
  const auto page = follow(post("SELECT * FROM c.s.t").next());
  EXPECT_EQ(page.status, 200);
  EXPECT_EQ(page.state(), "FAILED");
  EXPECT_EQ(page.next(), "");
  EXPECT_EQ(json::serialize(page.object().at("error")),
            R"({"message":"line 1:15: Table 'c.s.t' does not exist","errorCode":46,)"
            R"("errorName":"TABLE_NOT_FOUND","errorType":"USER_ERROR",)"
            R"("errorLocation":{"lineNumber":1,"columnNumber":15},)"
            R"("failureInfo":{"type":"io.trino.spi.TrinoException",)"
            R"("message":"line 1:15: Table 'c.s.t' does not exist","suppressed":[],"stack":[],)"
            R"("errorInfo":{"code":46,"name":"TABLE_NOT_FOUND","type":"USER_ERROR"},)"
            R"("errorLocation":{"lineNumber":1,"columnNumber":15}}})");
}

TEST_F(ProtocolTest, AnErrorAfterRowsComesAfterThem) {
  engine.on_submit = [](FakeQuery& query) {
    query.columns_are({{"n", Type::of(TypeKind::kBigint)}});
    query.add(numbers(0, 1));
    query.fail(Error(Code::kDivisionByZero, "Division by zero"));
  };
  const auto page = follow(post("SELECT 1/n FROM t").next());
  EXPECT_EQ(page.data(), "[[0]]");
  EXPECT_FALSE(page.has("error"));
  const auto end = follow(page.next());
  EXPECT_EQ(end.object().at("error").at("errorCode").as_int64(), 8);
  EXPECT_EQ(end.next(), "");
}

TEST_F(ProtocolTest, HintsOfFailuresOutsideReachTheClient) {
  engine.on_submit = [](FakeQuery& query) {
    query.fail(Error(Code::kUnavailable, "sales is not reachable").with_hint("start its server"));
  };
  const auto error = follow(post("SELECT 1").next()).object().at("error").as_object();
  EXPECT_EQ(error.at("message").as_string(), "sales is not reachable (start its server)");
  EXPECT_EQ(error.at("errorType").as_string(), "EXTERNAL");
  engine.on_submit = [](FakeQuery& query) {
    query.fail(Error(Code::kColumnNotFound, "Column 'nmae' cannot be resolved", {1, 8})
                   .with_hint("did you mean 'name'?"));
  };
  const auto mistake = follow(post("SELECT nmae").next()).object().at("error").as_object();
  EXPECT_EQ(mistake.at("message").as_string(), "line 1:8: Column 'nmae' cannot be resolved");
  EXPECT_EQ(mistake.at("hint").as_string(), "did you mean 'name'?");
}

TEST_F(ProtocolTest, UpdatesTellTheirCount) {
  engine.on_submit = [](FakeQuery& query) {
    query.with_info([](engine::QueryInfo& info) {
      info.update_type = "INSERT";
      info.update_count = 42;
    });
    query.end();
  };
  const auto page = follow(post("INSERT INTO t VALUES 1").next());
  EXPECT_EQ(page.data(), "[[42]]");
  EXPECT_EQ(page.object().at("columns").at(0).at("name").as_string(), "rows");
  EXPECT_EQ(page.object().at("updateType").as_string(), "INSERT");
  EXPECT_EQ(page.object().at("updateCount").as_int64(), 42);
  EXPECT_EQ(page.next(), "");
}

TEST_F(ProtocolTest, StatementsWithoutResultHaveNoColumns) {
  engine.on_submit = [](FakeQuery& query) {
    query.with_info([](engine::QueryInfo& info) { info.update_type = "CREATE TABLE"; });
    query.end();
  };
  const auto page = follow(post("CREATE TABLE t (a integer)").next());
  EXPECT_FALSE(page.has("columns"));
  EXPECT_EQ(page.object().at("updateType").as_string(), "CREATE TABLE");
  EXPECT_FALSE(page.has("updateCount"));
  EXPECT_EQ(page.next(), "");
}

TEST_F(ProtocolTest, SessionChangesComeAsHeaders) {
  engine.on_submit = [](FakeQuery& query) {
    engine::SessionChanges changes;
    changes.set_catalog = "sales";
    changes.added_prepare = {{"q", "SELECT ?"}};
    query.set_changes(changes);
    query.end();
  };
  const auto first = post("PREPARE q FROM SELECT ?");
  const auto page = follow(first.next());
  EXPECT_EQ(page.headers.get("X-Trino-Set-Catalog"), "sales");
  EXPECT_EQ(page.headers.get("X-Trino-Added-Prepare"), "q=SELECT+%3F");
  EXPECT_EQ(follow(first.next()).headers.get("X-Trino-Added-Prepare"), "q=SELECT+%3F");
}

TEST_F(ProtocolTest, DateTimesFollowTheCapability) {
  engine.on_submit = [](FakeQuery& query) {
    const auto type = Type::of(TypeKind::kTimestamp, 6);
    query.columns_are({{"t", type}});
    query.add(make_batch(1, {FakeColumn::of<int64_t>(type, engine::Layout::kInt64, {1999})}));
    query.end();
  };
  const auto old = follow(post("SELECT t").next());
  EXPECT_EQ(old.data(), R"([["1970-01-01 00:00:00.002"]])");
  EXPECT_EQ(old.object().at("columns").at(0).at("type").as_string(), "timestamp");
  const auto full =
      follow(post("SELECT t", {{"X-Trino-Client-Capabilities", "PARAMETRIC_DATETIME"}}).next());
  EXPECT_EQ(full.data(), R"([["1970-01-01 00:00:00.001999"]])");
  EXPECT_EQ(full.object().at("columns").at(0).at("type").as_string(), "timestamp(6)");
}

TEST_F(ProtocolTest, CancelAnswers204AndFreesTheClient) {
  const auto first = post("SELECT 1");
  EXPECT_EQ(follow(first.next(), &Protocol::delete_statement).status, 204);
  EXPECT_TRUE(engine.last()->canceled());
  const auto page = follow(first.next());
  EXPECT_EQ(page.object().at("error").at("errorName").as_string(), "USER_CANCELED");
  EXPECT_EQ(page.next(), "");
  EXPECT_EQ(follow(first.next(), &Protocol::delete_statement).status, 204);
}

TEST_F(ProtocolTest, CancelReachesAQueryThatSomebodyWaitsFor) {
  const auto next = post("SELECT 1").next();
  std::thread canceler([&] { follow(next, &Protocol::delete_statement); });
  const auto page = follow(next);
  canceler.join();
  EXPECT_EQ(page.state(), "FAILED");
}

TEST_F(ProtocolTest, HeadTellsWhetherTheStatementIsThere) {
  answer_with_numbers(1);
  const auto next = post("SELECT 1").next();
  EXPECT_EQ(follow(next, &Protocol::head_page).status, 200);
  EXPECT_EQ(follow(next).data(), "[[0]]");  // untouched by HEAD
  std::string other = next;
  other.replace(other.find("/q1/"), 4, "/q2/");
  EXPECT_EQ(follow(other, &Protocol::head_page).status, 404);
}

TEST_F(ProtocolTest, RefusedPosts) {
  EXPECT_EQ(post("").status, 400);
  EXPECT_EQ(post("").text, "SQL statement is empty");
  FakeRequest nobody("SELECT 1");
  nobody.headers.remove("X-Trino-User");
  const auto reply = call(&Protocol::post_statement, nobody);
  EXPECT_EQ(reply.status, 401);
  EXPECT_EQ(reply.headers.get("WWW-Authenticate"), "Basic realm=\"Trino\"");
  EXPECT_EQ(post("SELECT 1", {{"X-Trino-Time-Zone", "Nowhere"}}).status, 400);
  EXPECT_EQ(engine.last(), nullptr);
}

TEST_F(ProtocolTest, PagesOfOtherOriginsAreRefused) {
  EXPECT_EQ(post("SELECT 1", {{"Origin", "http://evil.example"}}).status, 403);
  EXPECT_EQ(post("SELECT 1", {{"Origin", "null"}}).status, 403);
  EXPECT_EQ(engine.last(), nullptr);
  EXPECT_EQ(post("SELECT 1", {{"Origin", "http://localhost:8080"}}).status, 200);
}

TEST_F(ProtocolTest, ShuttingDownIs503AndAFullQueueIsAnError) {
  engine.refuse = Error(Code::kServerShuttingDown, "Server is shutting down");
  EXPECT_EQ(post("SELECT 1").status, 503);
  engine.refuse = Error(Code::kQueryQueueFull, "Too many queued queries");
  const auto reply = post("SELECT 1");
  EXPECT_EQ(reply.status, 200);
  EXPECT_EQ(reply.object().at("error").at("errorName").as_string(), "QUERY_QUEUE_FULL");
  EXPECT_EQ(reply.object().at("error").at("errorCode").as_int64(), 131074);
  EXPECT_EQ(reply.next(), "");
}

TEST_F(ProtocolTest, EndedStatementsAreForgottenInOrder) {
  answer_with_numbers(0);
  const auto first = post("SELECT 1").next();
  follow(first);
  for (int i = 0; i < 3; ++i) follow(post("SELECT 1").next());
  EXPECT_EQ(protocol.statements(), 2u);
  EXPECT_EQ(follow(first).status, 404);
}

TEST_F(ProtocolTest, LocalClientsGetUncompressedPages) {
  answer_with_numbers(1);
  EXPECT_EQ(follow(post("SELECT 1").next()).headers.get("Cache-Control"), "no-store, no-transform");
}

TEST_F(ProtocolTest, QueriesAreListedAndFilteredByState) {
  answer_with_numbers(1);
  post("SELECT 'a\"b'");
  engine.on_submit = nullptr;
  post("SELECT 2");
  FakeRequest all;
  const auto list = json::parse(call(&Protocol::list_queries, all).text).as_array();
  ASSERT_EQ(list.size(), 2u);
  EXPECT_EQ(list[0].at("queryId").as_string(), "q2");
  EXPECT_EQ(list[1].at("query").as_string(), "SELECT 'a\"b'");
  EXPECT_EQ(list[1].at("session").at("user").as_string(), "alice");
  EXPECT_EQ(list[1].at("self").as_string(), "http://localhost:8080/v1/query/q1");
  FakeRequest queued;
  queued.query = {{"state", "running,QUEUED"}};
  const auto some = json::parse(call(&Protocol::list_queries, queued).text).as_array();
  ASSERT_EQ(some.size(), 1u);
  EXPECT_EQ(some[0].at("state").as_string(), "QUEUED");
}

TEST_F(ProtocolTest, OneQueryCanBeReadCanceledAndKilled) {
  post("SELECT 1");
  EXPECT_EQ(by_id(&Protocol::get_query, "q1").object().at("state").as_string(), "QUEUED");
  EXPECT_EQ(by_id(&Protocol::get_query, "q7").status, 410);
  EXPECT_EQ(by_id(&Protocol::delete_query, "q7").status, 204);
  EXPECT_EQ(by_id(&Protocol::delete_query, "q1").status, 204);
  EXPECT_TRUE(engine.last()->canceled());
  const auto failed = by_id(&Protocol::get_query, "q1").object();
  EXPECT_EQ(failed.at("state").as_string(), "FAILED");
  EXPECT_EQ(failed.at("errorCode").at("name").as_string(), "USER_CANCELED");
  EXPECT_EQ(failed.at("failureInfo").at("message").as_string(), "Query was canceled");
  EXPECT_EQ(by_id(&Protocol::kill_query, "q1").status, 409);
  post("SELECT 2");
  EXPECT_EQ(by_id(&Protocol::kill_query, "q2", "lunch").status, 202);
  EXPECT_EQ(engine.last()->info().error->message(), "Query killed. Message: lunch");
}

TEST_F(ProtocolTest, InfoNamesTheVersion) {
  FakeRequest request;
  const auto info = call(&Protocol::info, request).object();
  EXPECT_EQ(info.at("nodeVersion").at("version").as_string(), "476");
  EXPECT_EQ(info.at("environment").as_string(), "production");
  EXPECT_TRUE(info.at("coordinator").as_bool());
  EXPECT_FALSE(info.at("starting").as_bool());
  EXPECT_EQ(call(&Protocol::status, request).object().at("nodeId").as_string(), "meesh");
}

TEST(QueryJson, DurationsAreSuccinct) {
  EXPECT_EQ(succinct_duration(0), "0.00ms");
  EXPECT_EQ(succinct_duration(999), "999.00ms");
  EXPECT_EQ(succinct_duration(1500), "1.50s");
  EXPECT_EQ(succinct_duration(90000), "1.50m");
  EXPECT_EQ(succinct_duration(5400000), "1.50h");
  EXPECT_EQ(succinct_duration(129600000), "1.50d");
}

}  // namespace
}  // namespace meesh::serve::trino
