#include "pipelines/pipeline_file.h"

#include <gmock/gmock.h>

#include "pipelines/pipelines_fixture_test.h"

namespace meesh::pipelines {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

std::vector<std::string> reads(const std::string& sql) {
  std::vector<std::string> names;
  for (const TableUse& use : tables_in(sql, "f.sql", "lake", "silver").reads) {
    names.push_back(use.table);
  }
  return names;
}

TEST(SqlTables, AreFoundWhereverTheyStand) {
  EXPECT_THAT(reads("SELECT * FROM a JOIN lake.gold.B USING (x), c.d.e"),
              ElementsAre("lake.silver.a", "lake.gold.b", "c.d.e"));
  EXPECT_THAT(reads("SELECT (SELECT max(x) FROM a) FROM b WHERE y IN (SELECT y FROM c) AND EXISTS "
                    "(SELECT 1 FROM d WHERE z > ALL (SELECT z FROM e))"),
              UnorderedElementsAre("lake.silver.a", "lake.silver.b", "lake.silver.c",
                                   "lake.silver.d", "lake.silver.e"));
  EXPECT_THAT(reads("SELECT * FROM a UNION (TABLE b) ORDER BY (SELECT 1 FROM c)"),
              ElementsAre("lake.silver.a", "lake.silver.b", "lake.silver.c"));
  EXPECT_THAT(reads("SELECT * FROM t CROSS JOIN UNNEST((SELECT l FROM u)) CROSS JOIN LATERAL "
                    "(SELECT * FROM v)"),
              ElementsAre("lake.silver.t", "lake.silver.u", "lake.silver.v"));
  EXPECT_THAT(reads("INSERT INTO lake.gold.x SELECT * FROM a"), ElementsAre("lake.silver.a"));
}

TEST(SqlTables, NamesOfQueriesAreNoTables) {
  EXPECT_THAT(reads("WITH a AS (SELECT * FROM b), c AS (SELECT * FROM a) SELECT * FROM c, a"),
              ElementsAre("lake.silver.b"));
  // A query that is not recursive does not see itself: the table of the same name is meant.
  EXPECT_THAT(reads("WITH a AS (SELECT * FROM a) SELECT * FROM a"), ElementsAre("lake.silver.a"));
  EXPECT_THAT(reads("WITH RECURSIVE a (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM a) SELECT * "
                    "FROM a"),
              IsEmpty());
  EXPECT_THAT(reads("SELECT * FROM (WITH a AS (SELECT 1) SELECT * FROM a) q, a"),
              ElementsAre("lake.silver.a"));
}

TEST(SqlTables, ParametersAndPlaces) {
  const auto found = tables_in("SELECT {{ n }}\nFROM  x WHERE d = DATE '{{ run_date }}'", "f.sql",
                               "lake", "silver");
  ASSERT_EQ(found.reads.size(), 1u);
  EXPECT_EQ(found.reads[0].where.line, 2);
  EXPECT_EQ(found.reads[0].where.column, 7);
  try {
    tables_in("SELECT\nFROM FROM", "f.sql", "lake", "silver");
    FAIL();
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("f.sql:2:"));
  }
}

TEST_F(PipelinesTest, EveryMistakeIsToldAtItsPlace) {
  write("pools.yaml", "db: 2\n");
  write("a.yaml",
        "name: a\n"
        "schedule: { cron: \"0 25 * * *\", timezone: Europe/Lutetia }\n"
        "partitions: { by: day, from: \"2024-13-01\" }\n"
        "parameters: { n: \"1; DROP\" }\n"
        "assets:\n"
        "  one: { fake: \"SELECT 1\", pool: dd }\n"
        "  two: { fake: \"SELECT 1\", retries: { attempts: 0 } }\n"
        "  three: { sql: x.sql }\n"
        "  four: 5\n"
        "  five: { fake: \"SELEC 1\", tags: [\"a b\"] }\n");
  const auto all = mistakes();
  EXPECT_THAT(all, ElementsAre(HasSubstr("pipelines/a.yaml:4:18: expected text of letters")));
  write("a.yaml",
        "name: a\n"
        "schedule: { cron: \"0 25 * * *\", timezone: Europe/Lutetia }\n"
        "partitions: { by: day, from: \"2024-13-01\" }\n"
        "alerts: { on: [late] }\n"
        "assets:\n"
        "  one: { fake: \"SELECT 1\", pool: dd }\n"
        "  two: { fake: \"SELECT 1\", retries: { attempts: 0 } }\n"
        "  three: { sql: x.sql }\n"
        "  four: 5\n"
        "  five: { fake: \"SELEC 1\" }\n");
  EXPECT_THAT(mistakes(),
              UnorderedElementsAre(
                  HasSubstr("pipelines/a.yaml:2:43: there is no time zone 'Europe/Lutetia'"),
                  HasSubstr("pipelines/a.yaml:2:19: '0 25 * * *' is no schedule: in the hour"),
                  HasSubstr("pipelines/a.yaml:3:30: '2024-13-01' is no partition"),
                  HasSubstr("pipelines/a.yaml:4:9: alerts on late runs need a schedule"),
                  HasSubstr("pipelines/a.yaml:6:34: there is no pool 'dd' (did you mean 'db'?)"),
                  HasSubstr("pipelines/a.yaml:7:49: expected an integer from 1 to 100"),
                  HasSubstr("pipelines/a.yaml:8:10: the asset 'three' does not say what it is"),
                  HasSubstr("pipelines/a.yaml:9:9: the asset 'four' is no mapping"),
                  HasSubstr("pipelines/a.yaml:")));
}

TEST_F(PipelinesTest, CirclesAndReferencesToNothing) {
  write("a.yaml",
        "name: a\n"
        "assets:\n"
        "  lake.silver.x: { fake: \"SELECT * FROM lake.silver.z\" }\n"
        "  lake.silver.y: { fake: \"SELECT * FROM x\" }\n"
        "  lake.silver.z: { fake: \"SELECT * FROM y, lake.silver.ok\" }\n"
        "  lake.silver.ok: { fake: \"SELECT 1\", depends_on: [lake.silver.okk, lake.silver.w] }\n"
        "  after: { fake: \"SELECT * FROM z\" }\n");
  write("b.yaml",
        "name: b\n"
        "assets:\n"
        "  after: { fake: \"SELECT 1\" }\n"
        "  self: { fake: \"SELECT * FROM lake.silver.after\", depends_on: [b2] }\n"
        "  b2: { fake: \"SELECT 1\", depends_on: [self] }\n");
  EXPECT_THAT(mistakes(),
              UnorderedElementsAre(
                  HasSubstr("pipelines/b.yaml:3:3: there is an asset 'after' already"),
                  HasSubstr("pipelines/a.yaml:6:52: 'lake.silver.ok' depends on 'lake.silver.okk', "
                            "and there is no such asset (did you mean 'lake.silver.ok'?)"),
                  HasSubstr("pipelines/a.yaml:6:69: 'lake.silver.ok' depends on 'lake.silver.w'"),
                  HasSubstr("pipelines/a.yaml:3:26: these assets need each other: lake.silver.x → "
                            "lake.silver.z → lake.silver.y → lake.silver.x"),
                  HasSubstr("these assets need each other: self → b2 → self")));
}

TEST_F(PipelinesTest, SelectorsAreThoseOfDbt) {
  write("a.yaml",
        "name: a\n"
        "assets:\n"
        "  lake.bronze.o: { fake: \"SELECT 1\", tags: [daily] }\n"
        "  lake.silver.o: { fake: \"SELECT * FROM lake.bronze.o\" }\n"
        "  lake.gold.k: { fake: \"SELECT * FROM lake.silver.o\", tags: [daily] }\n"
        "  lake.gold.r: { fake: \"SELECT * FROM lake.silver.o\" }\n"
        "  mail: { fake: \"SELECT 1\", depends_on: [lake.gold.k, lake.gold.r] }\n");
  Pipelines& pipelines = start();
  const auto set = pipelines.pipelines();
  const Graph& graph = *set->graph;
  const auto select = [&](std::vector<std::string> these, std::vector<std::string> without = {}) {
    std::string names;
    for (const size_t i : graph.select(*graph.pipeline("a"), these, without).nodes) {
      names += (names.empty() ? "" : " ") + graph.nodes()[i].asset->name;
    }
    return names;
  };
  EXPECT_EQ(select({}), "lake.bronze.o lake.silver.o lake.gold.k lake.gold.r mail");
  EXPECT_EQ(select({"lake.gold.k"}), "lake.gold.k");
  EXPECT_EQ(select({"+lake.gold.k"}), "lake.bronze.o lake.silver.o lake.gold.k");
  EXPECT_EQ(select({"1+lake.gold.k"}), "lake.silver.o lake.gold.k");
  EXPECT_EQ(select({"lake.gold.k+"}), "lake.gold.k mail");
  EXPECT_EQ(select({"lake.silver.o+1"}), "lake.silver.o lake.gold.k lake.gold.r");
  EXPECT_EQ(select({"lake.gold.*"}), "lake.gold.k lake.gold.r");
  EXPECT_EQ(select({"tag:daily"}), "lake.bronze.o lake.gold.k");
  EXPECT_EQ(select({"tag:daily,lake.gold.*"}), "lake.gold.k");
  EXPECT_EQ(select({"tag:daily", "mail"}), "lake.bronze.o lake.gold.k mail");
  EXPECT_EQ(select({"+mail"}, {"lake.gold.r", "lake.bronze.*"}), "lake.silver.o lake.gold.k mail");
  EXPECT_THROW(select({"lake.gold.q"}), Error);
  EXPECT_THROW(select({"+"}), Error);
}

TEST(Partitions, KeysRangesAndParameters) {
  Partitions days{Partitions::By::kDay, "2024-01-01"};
  EXPECT_THAT(days.range("2024-02-28", "2024-03-01"),
              ElementsAre("2024-02-28", "2024-02-29", "2024-03-01"));
  EXPECT_THROW(days.key("2023-12-31"), Error);
  EXPECT_THROW(days.key("2024-02-30"), Error);
  EXPECT_THROW(days.key("2024-2-3"), Error);
  EXPECT_THROW(days.range("2024-02-02", "2024-02-01"), Error);
  Partitions months{Partitions::By::kMonth, "2024-01"};
  EXPECT_THAT(months.range("2024-11", "2025-01"), ElementsAre("2024-11", "2024-12", "2025-01"));
  EXPECT_EQ(months.parameters("2024-12").at("partition_end"), "2025-01-01 00:00:00");
  Partitions hours{Partitions::By::kHour, "2024-01-01T00"};
  EXPECT_THAT(hours.range("2024-01-01T23", "2024-01-02T00"),
              ElementsAre("2024-01-01T23", "2024-01-02T00"));
  EXPECT_EQ(hours.parameters("2024-01-01T23").at("run_date"), "2024-01-01");
  EXPECT_EQ(hours.parameters("2024-01-01T23").at("partition_end"), "2024-01-02 00:00:00");
}

TEST(Retries, WaitsGrowToALimit) {
  Retries retries{5, Millis(1000), 2, Millis(3000), false};
  EXPECT_EQ(retries.wait_before(2, 0.9).count(), 1000);
  EXPECT_EQ(retries.wait_before(3, 0.9).count(), 2000);
  EXPECT_EQ(retries.wait_before(4, 0.9).count(), 3000);
  EXPECT_EQ(retries.wait_before(5, 0.9).count(), 3000);
  retries.jitter = true;
  EXPECT_EQ(retries.wait_before(2, 0.5).count(), 750);
}

}  // namespace
}  // namespace meesh::pipelines
