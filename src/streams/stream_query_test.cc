#include "streams/stream_query.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace meesh::streams {
namespace {

using std::chrono::milliseconds;
using testing::ElementsAre;
using testing::HasSubstr;

SourceConfig source(const std::string& name, const std::string& time = "") {
  SourceConfig source;
  source.name = name;
  source.event_time = time;
  if (!time.empty()) source.watermark = milliseconds(10'000);
  return source;
}

StreamConfig stream(const std::string& sql, OutputMode output = OutputMode::kComplete) {
  StreamConfig config;
  config.name = "s";
  config.sql = sql;
  config.sql_file = "streams/s.yaml";
  config.output = output;
  config.sources = {source("t")};
  return config;
}

Aggregation aggregation(const std::string& sql) { return *analyse(stream(sql)).aggregation; }

std::string refused(const StreamConfig& config) {
  try {
    analyse(config);
  } catch (const Error& error) {
    return error.what();
  }
  return "nothing";
}

TEST(StreamQuery, RowsStayAsTheyAre) {
  const auto query = analyse(stream("SELECT a, upper(b) FROM t WHERE a > 1;", OutputMode::kAppend));
  EXPECT_FALSE(query.aggregation);
  EXPECT_THAT(query.text, HasSubstr("WHERE"));
  EXPECT_THAT(query.text, testing::Not(HasSubstr(";")));
}

TEST(StreamQuery, TakesAggregatesApart) {
  const auto found = aggregation(
      "SELECT k, sum(x) + 1 AS s, count(*) FROM t WHERE x > 0 GROUP BY k HAVING max(x) > 3");
  EXPECT_EQ(found.keys, 1u);
  EXPECT_THAT(found.delta, HasSubstr("SELECT k AS k0, sum(x) AS p0, count(*) AS p1, max(x) AS p2"));
  EXPECT_THAT(found.delta, HasSubstr("WHERE"));
  EXPECT_THAT(found.delta, HasSubstr("GROUP BY 1"));
  EXPECT_THAT(found.delta, testing::Not(HasSubstr("HAVING")));
  EXPECT_THAT(found.merge, ElementsAre("sum(p0)", "sum(p1)", "max(p2)"));
  EXPECT_THAT(found.answer("g"), HasSubstr("k0 AS \"k\""));
  EXPECT_THAT(found.having, HasSubstr("p2"));
  EXPECT_EQ(found.columns(), "k0, p0, p1, p2");
  EXPECT_EQ(found.same_keys("a", "b"), "a.k0 IS NOT DISTINCT FROM b.k0");
}

TEST(StreamQuery, KeepsTheSameAggregateOnce) {
  EXPECT_THAT(aggregation("SELECT sum(x), sum(x) / count(*) FROM t").merge,
              ElementsAre("sum(p0)", "sum(p1)"));
}

TEST(StreamQuery, GroupsByPlacesAndExpressions) {
  const auto found =
      aggregation("SELECT id % 10 AS d, upper(n), count(*) FROM t GROUP BY 1, upper(n)");
  EXPECT_EQ(found.keys, 2u);
  EXPECT_THAT(found.key_columns, ElementsAre("d", "_col1"));
}

TEST(StreamQuery, GroupsNothing) {
  const auto found = aggregation("SELECT count(*) FROM t");
  EXPECT_EQ(found.keys, 0u);
  EXPECT_EQ(found.same_keys("a", "b"), "true");
  EXPECT_THAT(found.merged("x"), testing::Not(HasSubstr("GROUP BY")));
}

TEST(StreamQuery, DistinctRowsAreGroups) {
  EXPECT_EQ(aggregation("SELECT DISTINCT a, b FROM t").keys, 2u);
}

TEST(StreamQuery, AveragesWaitForTheirType) {
  auto found = aggregation("SELECT avg(x) FILTER (WHERE y) FROM t");
  ASSERT_EQ(found.averages.size(), 1u);
  EXPECT_THAT(found.average_probe, HasSubstr("avg(x)"));
  found.averages[0].type = "double";
  EXPECT_THAT(found.answer("g"), HasSubstr("CAST(CAST(p0 AS double) / nullif(p1, 0) AS double)"));
  found.averages[0].type = "decimal(10,2)";
  EXPECT_THAT(found.answer("g"), HasSubstr("CAST(p0 / nullif(p1, 0) AS decimal(10,2))"));
}

TEST(StreamQuery, KeepsWhatIsWrittenInFront) {
  const auto found = aggregation(
      "WITH u AS (SELECT * FROM t WHERE a = 'SELECT 1') "
      "SELECT count(*) FROM u");
  EXPECT_THAT(found.delta, testing::StartsWith("WITH"));
  EXPECT_THAT(found.delta, HasSubstr("'SELECT 1'"));
  EXPECT_THAT(found.delta, HasSubstr("SELECT count(*) AS p0"));
}

TEST(StreamQuery, FindsTheKeyThatTimeCloses) {
  auto config =
      stream("SELECT window_start, count(*) FROM t GROUP BY window_start", OutputMode::kAppend);
  config.sources = {source("t", "at")};
  config.window = WindowConfig{milliseconds(60'000), milliseconds(60'000)};
  const auto found = *analyse(config).aggregation;
  EXPECT_EQ(found.time_key, 0u);
  EXPECT_EQ(found.time_after.count(), 60'000);
}

TEST(StreamQuery, RefusesWhatEachBatchWouldDoAnew) {
  const auto append = [](const std::string& sql) {
    return refused(stream(sql, OutputMode::kAppend));
  };
  EXPECT_THAT(append("SELECT a FROM t ORDER BY a"), HasSubstr("have no order"));
  EXPECT_THAT(append("SELECT a FROM t LIMIT 1"), HasSubstr("LIMIT"));
  EXPECT_THAT(append("SELECT row_number() OVER () FROM t"), HasSubstr("window function"));
  EXPECT_THAT(append("SELECT * FROM (SELECT count(*) FROM t)"), HasSubstr("outermost"));
  EXPECT_THAT(append("SELECT a FROM t UNION SELECT a FROM t"), HasSubstr("UNION ALL"));
  EXPECT_THAT(append("SELECT * FROM t RIGHT JOIN l.s.u ON true"), HasSubstr("outer join"));
  EXPECT_THAT(append("DELETE FROM t"), HasSubstr("is a query"));
  EXPECT_THAT(append("SELECT a, count(*) FROM t GROUP BY a"), HasSubstr("time closes"));
  EXPECT_THAT(refused(stream("SELECT a FROM t")), HasSubstr("queries with aggregates"));
  EXPECT_THAT(refused(stream("SELECT a, b, count(*) FROM t GROUP BY a")),
              HasSubstr("streams/s.yaml:1:11: 'b' must be an aggregate"));
  EXPECT_THAT(refused(stream("SELECT a, count(*) FROM t GROUP BY CUBE (a)")),
              HasSubstr("by expressions"));
  EXPECT_EQ(append("SELECT a FROM t UNION ALL SELECT a FROM t"), "nothing");
  EXPECT_EQ(append("SELECT a, (SELECT max(x) FROM l.s.u) FROM t"), "nothing");
}

StreamConfig joined(const std::string& condition) {
  auto config =
      stream("SELECT a.x FROM a JOIN b ON a.x = b.x AND " + condition, OutputMode::kAppend);
  config.sources = {source("a", "at"), source("b", "bt")};
  return config;
}

TEST(StreamQuery, ReadsHowLongJoinedRowsWait) {
  const auto interval = [](const std::string& condition) {
    const auto found = *analyse(joined(condition)).join;
    return std::pair(found.least.count() / 1000, found.most.count() / 1000);
  };
  EXPECT_EQ(interval("b.bt BETWEEN a.at AND a.at + INTERVAL '1' HOUR"), std::pair(0L, 3600L));
  EXPECT_EQ(interval("bt >= at - INTERVAL '5' MINUTE AND bt < at + INTERVAL '10' SECOND"),
            std::pair(-300L, 10L));
  EXPECT_EQ(interval("at BETWEEN bt - INTERVAL '2' DAY AND bt"), std::pair(0L, 172800L));
  EXPECT_EQ(interval("at = bt"), std::pair(0L, 0L));
  EXPECT_EQ(interval("at + INTERVAL '1' SECOND <= bt AND bt - INTERVAL '9' SECOND <= at"),
            std::pair(1L, 9L));
  EXPECT_THAT(refused(joined("b.bt >= a.at")), HasSubstr("within an interval"));
  EXPECT_THAT(refused(joined("a.y = b.y")), HasSubstr("within an interval"));
}

TEST(StreamQuery, WritesMoments) {
  const auto plain = sql::Type::of(sql::TypeKind::kTimestamp, 3);
  const auto zoned = sql::Type::of(sql::TypeKind::kTimestampTz, 3);
  EXPECT_EQ(moment_literal(0, plain), "TIMESTAMP '1970-01-01 00:00:00.000'");
  EXPECT_EQ(moment_literal(-1, plain), "TIMESTAMP '1969-12-31 23:59:59.999'");
  EXPECT_EQ(moment_literal(1'500, zoned), "TIMESTAMP '1970-01-01 00:00:01.500 UTC'");
}

}  // namespace
}  // namespace meesh::streams
