#include "serve/api/stream_live.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <filesystem>

#include "engine/ask.h"
#include "engine/catalog.h"

namespace meesh::serve::api {
namespace {

using testing::HasSubstr;

class NewestRows : public testing::Test {
 protected:
  NewestRows() {
    engine::Options options;
    options.spill_directory = folder_ / "spill";
    options.memory_limit = 256u << 20;
    options.threads = 2;
    engine_ = engine::Engine::open(options);
    engine_->add_catalog(engine::make_memory_catalog("live"));
  }
  ~NewestRows() override {
    engine_.reset();
    std::filesystem::remove_all(folder_);
  }

  void run(const std::string& sql) {
    engine::Session session;
    session.user = "test";
    engine::ask(*engine_, sql, session);
  }
  std::string newest(size_t most, bool in_memory = true, const std::string& event_time = "") {
    const LiveTable table{
        .name = {"live", "default", "t"}, .in_memory = in_memory, .event_time = event_time};
    return boost::json::serialize(newest_rows(*engine_, table, most, {}));
  }

  const std::filesystem::path folder_ =
      std::filesystem::temp_directory_path() / ("meesh-newest-rows-" + std::to_string(getpid()));
  std::unique_ptr<engine::Engine> engine_;
};

TEST_F(NewestRows, ValuesAreJson) {
  run("CREATE TABLE live.default.t AS SELECT true AS yes, 7 AS whole, bigint '9007199254740993' AS "
      "large, 0.5e0 AS half, nan() AS none, decimal '12.30' AS price, 'é\"x' AS name, date "
      "'2025-01-15' AS day, timestamp '2025-01-15 06:00:00.250' AS at, X'00ff' AS bytes, ARRAY[1, "
      "NULL] AS list, CAST(NULL AS varchar) AS nothing");
  const std::string expected =
      R"x({"columns":[{"name":"yes","type":"boolean"},{"name":"whole","type":"integer"},)x"
      R"x({"name":"large","type":"bigint"},{"name":"half","type":"double"},)x"
      R"x({"name":"none","type":"double"},{"name":"price","type":"decimal(4,2)"},)x"
      R"x({"name":"name","type":"varchar(3)"},{"name":"day","type":"date"},)x"
      R"x({"name":"at","type":"timestamp(3)"},{"name":"bytes","type":"varbinary"},)x"
      R"x({"name":"list","type":"array(integer)"},{"name":"nothing","type":"varchar"}],)x"
      R"x("rows":[[true,7,9007199254740993,5E-1,"NaN","12.30","é\"x","2025-01-15",)x"
      R"x("2025-01-15 06:00:00.250","AP8=",[1,null],null]],"more":false})x";
  EXPECT_EQ(newest(10), expected);
}

TEST_F(NewestRows, ThoseThatCameLast) {
  run("CREATE TABLE live.default.t (n integer)");
  run("INSERT INTO live.default.t VALUES 5, 3");
  run("INSERT INTO live.default.t VALUES 4, 1");
  EXPECT_THAT(newest(10), HasSubstr(R"("rows":[[5],[3],[4],[1]],"more":false)"));
  EXPECT_THAT(newest(4), HasSubstr(R"("rows":[[5],[3],[4],[1]],"more":false)"));
  EXPECT_THAT(newest(3), HasSubstr(R"("rows":[[3],[4],[1]],"more":true)"));
  EXPECT_THAT(newest(1), HasSubstr(R"("rows":[[1]],"more":true)"));
}

TEST_F(NewestRows, ByEventTimeWhereTheOrderIsNotKept) {
  run("CREATE TABLE live.default.t AS SELECT * FROM (VALUES 5, 3, 4) AS t(n)");
  EXPECT_THAT(newest(2, false, "n"), HasSubstr(R"("rows":[[4],[5]],"more":true)"));
  EXPECT_THAT(newest(3, false, "n"), HasSubstr(R"("rows":[[3],[4],[5]],"more":false)"));
  // The SQL of a stream need not keep its event time.
  EXPECT_THAT(newest(3, false, "gone"), HasSubstr(R"("more":false)"));
}

TEST_F(NewestRows, ATableThatIsGoneIsAnError) { EXPECT_THROW(newest(1), Error); }

}  // namespace
}  // namespace meesh::serve::api
