#include "sql/lineage.h"

#include <gtest/gtest.h>

#include "sql/resolve_test_catalog.h"

namespace meesh::sql {
namespace {

using testing::resolve_text;

std::string short_name(const TableName& name) {
  if (name.catalog == "memory" && name.schema == "default") return name.table;
  return name.catalog + "." + (name.schema == "public" ? "" : name.schema + ".") + name.table;
}

std::string list(const std::vector<TableName>& names) {
  std::string out;
  for (const auto& name : names) out += (out.empty() ? "" : ",") + short_name(name);
  return out;
}

/// "t.a=I u.d=A": I, T, A direct; c(ondition) w(indow) j(oin) g(roup by) f(ilter) s(ort) indirect.
std::string list(const std::vector<ColumnSource>& sources) {
  std::string out;
  for (const auto& source : sources) {
    out += (out.empty() ? "" : " ") + short_name(source.table) + "." + source.column + "=";
    for (const auto influence : source.influences) {
      const char letter = influence_name(influence)[0];
      out += is_direct(influence) ? letter : static_cast<char>(letter - 'A' + 'a');
    }
  }
  return out;
}

/// "INSERT u < t | a: t.a=I; d: | t.b=f"
std::string shown(const Lineage& lineage) {
  std::string out = lineage.statement + " " + list(lineage.outputs) + " <";
  if (!lineage.inputs.empty()) out += " " + list(lineage.inputs);
  if (!lineage.views.empty()) out += " through " + list(lineage.views);
  if (!lineage.columns.empty()) out += " |";
  for (size_t i = 0; i < lineage.columns.size(); ++i) {
    const auto& column = lineage.columns[i];
    out += (i ? "; " : " ") + column.column + ":";
    if (!column.sources.empty()) out += " " + list(column.sources);
    if (!column.reason.empty()) out += " ?" + column.reason;
  }
  if (!lineage.rows.empty()) out += " | " + list(lineage.rows);
  if (!lineage.rows_reason.empty()) out += " | ?" + lineage.rows_reason;
  return out;
}

std::optional<Lineage> lineage(const std::string& text) {
  const auto resolved = resolve_text(text);
  testing::TestCatalogs catalogs;
  return lineage_of(*resolved.statement, resolved.analysis, catalogs);
}

std::string of(const std::string& text) {
  const auto found = lineage(text);
  return found ? shown(*found) : "nothing";
}

/// The columns and rows of a query, seen through CREATE TABLE n AS.
std::string of_query(const std::string& query) {
  const std::string all = of("CREATE TABLE n AS " + query);
  const std::string start = "CREATE TABLE AS SELECT n < ";
  return all.starts_with(start) ? all.substr(start.size()) : all;
}

TEST(Lineage, FollowsEveryValueOfAQuery) {
  const std::pair<const char*, const char*> kCases[] = {
      // Values themselves.
      {"SELECT a, b FROM t", "t | a: t.a=I; b: t.b=I"},
      {"SELECT a AS x, a AS y FROM t", "t | x: t.a=I; y: t.a=I"},
      {"SELECT * FROM t", "t | a: t.a=I; b: t.b=I; c: t.c=I"},
      {"SELECT t.*, 1 AS one FROM t", "t | a: t.a=I; b: t.b=I; c: t.c=I; one:"},
      {"SELECT x.a FROM t AS x", "t | a: t.a=I"},
      {"SELECT p AS r FROM t AS x (p, q, s)", "t | r: t.a=I"},
      {"TABLE u", "u | a: u.a=I; d: u.d=I"},
      {"SELECT name FROM sales.public.customers", "sales.customers | name: sales.customers.name=I"},
      // Computed ones.
      {"SELECT a + 1 AS x FROM t", "t | x: t.a=T"},
      {"SELECT upper(b) || c AS x FROM t", "t | x: t.b=T t.c=T"},
      {"SELECT CAST(a AS bigint) AS x FROM t", "t | x: t.a=T"},
      {"SELECT coalesce(b, c) AS x FROM t", "t | x: t.b=T t.c=T"},
      {"SELECT a = 1 AND b IS NULL AS x FROM t", "t | x: t.a=T t.b=T"},
      {"SELECT a IN (1, 2) AS x FROM t", "t | x: t.a=T"},
      {"SELECT now() AS at, 'x' AS x FROM t", "t | at:; x:"},
      {"SELECT CASE WHEN a > 1 THEN b ELSE c END AS x FROM t", "t | x: t.a=c t.b=T t.c=T"},
      {"SELECT CASE a WHEN 1 THEN b END AS x FROM t", "t | x: t.a=c t.b=T"},
      {"SELECT if(a > 1, b) AS x FROM t", "t | x: t.a=c t.b=T"},
      {"SELECT nullif(b, c) AS x FROM t", "t | x: t.b=T t.c=T"},
      {"SELECT if(a > 1, a, 0) AS x FROM t", "t | x: t.a=Tc"},
      // Parts of values.
      {"SELECT r.f AS x FROM nested", "nested | x: nested.r=T"},
      {"SELECT r.p.y AS x FROM nested", "nested | x: nested.r=T"},
      {"SELECT xs[1] AS x, m['k'] AS y FROM nested", "nested | x: nested.xs=T; y: nested.m=T"},
      {"SELECT ROW(id, 1) AS x FROM nested", "nested | x: nested.id=T"},
      {"SELECT transform(xs, e -> e + id) AS x FROM nested", "nested | x: nested.id=T nested.xs=T"},
      {"SELECT json_object('k' VALUE a) AS x FROM t", "t | x: t.a=T"},
      // Which rows there are.
      {"SELECT a FROM t WHERE b = 'x'", "t | a: t.a=I | t.b=f"},
      {"SELECT a FROM t ORDER BY b", "t | a: t.a=I | t.b=s"},
      {"SELECT a, b FROM t ORDER BY 2 LIMIT 3", "t | a: t.a=I; b: t.b=I | t.b=s"},
      {"SELECT DISTINCT a FROM t", "t | a: t.a=I | t.a=g"},
      {"SELECT t.a, d FROM t JOIN u ON t.a = u.a", "t,u | a: t.a=I; d: u.d=I | t.a=j u.a=j"},
      {"SELECT a, d FROM t LEFT JOIN u USING (a)", "t,u | a: t.a=I; d: u.d=I | t.a=j u.a=j"},
      {"SELECT a, d FROM t FULL JOIN u USING (a)", "t,u | a: t.a=T u.a=T; d: u.d=I | t.a=j u.a=j"},
      {"SELECT t.a, u.d FROM t, u", "t,u | a: t.a=I; d: u.d=I"},
      {"SELECT x.a, y.b FROM t x JOIN t y ON x.a = y.a", "t | a: t.a=I; b: t.b=I | t.a=j"},
      // Groups.
      {"SELECT b, sum(a) AS s FROM t GROUP BY b", "t | b: t.b=I; s: t.a=A | t.b=g"},
      {"SELECT b, count(*) AS n FROM t GROUP BY 1", "t | b: t.b=I; n: | t.b=g"},
      {"SELECT sum(a) + 1 AS s FROM t", "t | s: t.a=A"},
      {"SELECT sum(a + 1) AS s FROM t", "t | s: t.a=A"},
      {"SELECT sum(a) FILTER (WHERE c = 'x') AS s FROM t", "t | s: t.a=A t.c=f"},
      {"SELECT array_agg(b ORDER BY a) AS s FROM t", "t | s: t.a=s t.b=A"},
      {"SELECT b FROM t GROUP BY b HAVING max(a) > 1", "t | b: t.b=I | t.a=f t.b=g"},
      {"SELECT b, c, grouping(b) AS g FROM t GROUP BY ROLLUP (b, c)",
       "t | b: t.b=I; c: t.c=I; g: | t.b=g t.c=g"},
      // Windows.
      {"SELECT sum(a) OVER (PARTITION BY b ORDER BY c) AS s FROM t", "t | s: t.a=A t.b=w t.c=w"},
      {"SELECT row_number() OVER (ORDER BY a) AS n FROM t", "t | n: t.a=w"},
      {"SELECT lag(a) OVER w AS s FROM t WINDOW w AS (ORDER BY b)", "t | s: t.a=T t.b=w"},
      {"SELECT max(a) OVER (w ORDER BY c) AS s FROM t WINDOW w AS (PARTITION BY b)",
       "t | s: t.a=A t.b=w t.c=w"},
      // Subqueries.
      {"SELECT x FROM (SELECT a AS x, b FROM t WHERE c = 'x') WHERE b = 'y'",
       "t | x: t.a=I | t.b=f t.c=f"},
      {"SELECT (SELECT max(d) FROM u WHERE u.a = t.a) AS m FROM t", "t,u | m: t.a=f u.a=f u.d=A"},
      {"SELECT a FROM t WHERE a IN (SELECT a FROM u WHERE d > 1)",
       "t,u | a: t.a=I | t.a=f u.a=f u.d=f"},
      {"SELECT a FROM t WHERE EXISTS (SELECT d FROM u WHERE u.a = t.a)",
       "t,u | a: t.a=I | t.a=f u.a=f"},
      {"SELECT a > ALL (SELECT d FROM u) AS x FROM t", "t,u | x: t.a=T u.d=T"},
      {"SELECT t.a, l.m FROM t CROSS JOIN LATERAL (SELECT d + t.a AS m FROM u) l",
       "t,u | a: t.a=I; m: t.a=T u.d=T"},
      // WITH.
      {"WITH x AS (SELECT a + 1 AS y FROM t) SELECT y, y AS z FROM x", "t | y: t.a=T; z: t.a=T"},
      {"WITH x (p, q) AS (SELECT a, b FROM t WHERE c = 'x') SELECT q FROM x JOIN u ON p = d",
       "t,u | q: t.b=I | t.a=j t.c=f u.d=j"},
      {"WITH x AS (SELECT a FROM t), y AS (SELECT a FROM x) SELECT x.a, y.a AS z FROM x, y",
       "t | a: t.a=I; z: t.a=I"},
      {"WITH RECURSIVE x (n, p) AS (SELECT d, CAST('x' AS varchar) FROM u UNION ALL SELECT a, b "
       "FROM x JOIN t ON n "
       "= "
       "t.a) SELECT n, p FROM x",
       "u,t | n: u.d=I t.a=T; p: t.b=I | u.d=j t.a=j"},
      {"WITH RECURSIVE x (p, q, r) AS (SELECT a, 0, 0 FROM t UNION ALL SELECT 1, p, q FROM x) "
       "SELECT p, q, r FROM x",
       "t | p: t.a=I; q: t.a=I; r: t.a=I"},
      // Set operations.
      {"SELECT a FROM t UNION ALL SELECT d FROM u", "t,u | a: t.a=T u.d=I"},
      {"SELECT a FROM t UNION SELECT a FROM u", "t,u | a: t.a=I u.a=I | t.a=g u.a=g"},
      {"SELECT a FROM t INTERSECT SELECT a FROM u", "t,u | a: t.a=I u.a=I | t.a=f u.a=f"},
      {"SELECT a FROM t EXCEPT SELECT a FROM u", "t,u | a: t.a=I | t.a=f u.a=f"},
      {"SELECT x FROM (VALUES (1), (2)) v (x)", "| x:"},
      // UNNEST.
      {"SELECT id, e FROM nested CROSS JOIN UNNEST(xs) AS x (e)",
       "nested | id: nested.id=I; e: nested.xs=T"},
      {"SELECT k, v, n FROM nested CROSS JOIN UNNEST(m) WITH ORDINALITY AS x (k, v, n)",
       "nested | k: nested.m=T; v: nested.m=T; n: nested.m=T"},
      {"SELECT x, y FROM nested CROSS JOIN UNNEST(points)",
       "nested | x: nested.points=T; y: nested.points=T"},
      {"SELECT p, q FROM nested CROSS JOIN UNNEST(xs, m) AS x (p, k, q)",
       "nested | p: nested.xs=T; q: nested.m=T"},
      {"SELECT a FROM t TABLESAMPLE BERNOULLI (10)", "t | a: t.a=I"},
      // Views.
      {"SELECT number, b FROM v", "t through v | number: t.a=I; b: t.b=I | t.a=f"},
      {"SELECT v.number, u.d FROM v JOIN u ON u.a = v.number",
       "t,u through v | number: t.a=I; d: u.d=I | t.a=jf u.a=j"},
  };
  for (const auto& [query, expected] : kCases) EXPECT_EQ(of_query(query), expected) << query;
}

TEST(Lineage, KnowsWhatEachStatementWrites) {
  const std::pair<const char*, const char*> kCases[] = {
      {"INSERT INTO u SELECT a, a FROM t", "INSERT u < t | a: t.a=I; d: t.a=T"},
      {"INSERT INTO u (d) SELECT a FROM t WHERE b = 'x'", "INSERT u < t | d: t.a=T | t.b=f"},
      {"INSERT INTO u VALUES (1, 2)", "INSERT u < | a:; d:"},
      {"INSERT INTO u SELECT * FROM u", "INSERT u < u | a: u.a=I; d: u.d=I"},
      {"CREATE TABLE n (x, y) AS SELECT a, b FROM t",
       "CREATE TABLE AS SELECT n < t | x: t.a=I; y: t.b=I"},
      {"CREATE TABLE n AS SELECT a FROM t WITH NO DATA", "CREATE TABLE AS SELECT n <"},
      {"CREATE TABLE IF NOT EXISTS t AS SELECT a FROM u", "nothing"},
      {"CREATE TABLE n (x integer)", "CREATE TABLE n <"},
      {"CREATE TABLE IF NOT EXISTS t (x integer)", "nothing"},
      {"CREATE OR REPLACE VIEW v AS SELECT a FROM t", "CREATE VIEW v < t | a: t.a=I"},
      {"CREATE VIEW w AS SELECT b FROM v", "CREATE VIEW w < t through v | b: t.b=I | t.a=f"},
      {"UPDATE t SET b = c, a = 1 WHERE a = 2", "UPDATE t < t | b: t.c=I; a: | t.a=f"},
      {"UPDATE t SET b = (SELECT max(email) FROM sales.public.customers)",
       "UPDATE t < sales.customers | b: sales.customers.email=A"},
      {"DELETE FROM t WHERE a IN (SELECT a FROM u)", "DELETE t < u | t.a=f u.a=f"},
      {"DELETE FROM t", "DELETE t <"},
      {"MERGE INTO t USING u ON t.a = u.a WHEN MATCHED AND u.d > 5 THEN DELETE "
       "WHEN MATCHED THEN UPDATE SET b = CAST(u.d AS varchar) "
       "WHEN NOT MATCHED THEN INSERT (a, b) VALUES (u.a, 'new')",
       "MERGE t < u | b: u.d=T; a: u.a=I | t.a=j u.a=j u.d=f"},
      {"MERGE INTO t x USING (SELECT a, d FROM u WHERE d > 1) s ON x.a = s.a "
       "WHEN MATCHED THEN UPDATE SET a = x.a + s.d",
       "MERGE t < u,t | a: t.a=T u.d=T | t.a=j u.a=j u.d=f"},
      {"TRUNCATE TABLE t", "TRUNCATE TABLE t <"},
      {"DROP TABLE t", "DROP TABLE t <"},
      {"DROP VIEW v", "DROP VIEW v <"},
      {"DROP SCHEMA other CASCADE", "DROP SCHEMA memory.other. <"},
      {"ALTER TABLE t RENAME TO n", "RENAME TABLE n < t"},
      {"ALTER VIEW v RENAME TO w", "RENAME VIEW w < v"},
      {"ALTER TABLE t RENAME COLUMN b TO z", "RENAME COLUMN t < t | z: t.b=I"},
      {"ALTER TABLE t DROP COLUMN b", "DROP COLUMN t < | b:"},
      {"ALTER TABLE t DROP COLUMN IF EXISTS nope", "nothing"},
      {"ALTER TABLE t ADD COLUMN n integer", "nothing"},
      {"COMMENT ON TABLE t IS 'x'", "nothing"},
      {"CREATE SCHEMA memory.fresh", "nothing"},
      {"SELECT a FROM t", "nothing"},
      {"SHOW TABLES", "nothing"},
  };
  for (const auto& [text, expected] : kCases) EXPECT_EQ(of(text), expected) << text;
}

TEST(Lineage, SaysWhatLeavesNothingOfTheRowsBefore) {
  for (const char* text : {"CREATE TABLE n AS SELECT a FROM t", "CREATE TABLE n (x integer)",
                           "TRUNCATE TABLE t", "CREATE OR REPLACE VIEW v AS SELECT a FROM t"}) {
    EXPECT_TRUE(lineage(text)->replaces) << text;
  }
  for (const char* text : {"INSERT INTO u SELECT a, a FROM t", "DELETE FROM t",
                           "UPDATE t SET a = 1", "DROP TABLE t", "ALTER TABLE t RENAME TO n"}) {
    EXPECT_FALSE(lineage(text)->replaces) << text;
  }
}

TEST(Lineage, TellsColumnsAndTypesOfWhatItTouches) {
  const auto found = lineage("CREATE TABLE n AS SELECT c, a FROM t");
  ASSERT_EQ(found->tables.size(), 2u);
  EXPECT_EQ(found->tables[0].table.table, "n");
  const std::vector<std::pair<std::string, std::string>> made = {{"c", "varchar(5)"},
                                                                 {"a", "integer"}};
  EXPECT_EQ(found->tables[0].columns, made);
  EXPECT_EQ(found->tables[1].table.table, "t");
  EXPECT_EQ(found->tables[1].columns.size(), 3u);
}

TEST(Lineage, OfAViewFollowsItsOwnQuery) {
  const auto body = resolve_text("SELECT a, max(d) FROM u GROUP BY a");
  TableInfo view;
  view.name = {"memory", "default", "w"};
  for (const char* name : {"x", "most"}) {
    view.columns.emplace_back();
    view.columns.back().name = name;
  }
  EXPECT_EQ(shown(lineage_of_view(*body.statement, body.analysis, view)),
            "CREATE VIEW w < u | x: u.a=I; most: u.d=A | u.a=g");
}

TEST(Lineage, ATooLargeStatementLosesItsColumnsAndNotItsTables) {
  // Every level doubles what a column comes from, so that following it would take for ever.
  std::string text = "SELECT a AS x FROM t";
  for (int i = 0; i < 40; ++i) {
    text = "SELECT (SELECT max(x) FROM (" + text + ")) + (SELECT min(d) FROM u) AS x FROM u";
  }
  const auto small = lineage("CREATE TABLE n AS " + text);
  EXPECT_EQ(small->columns.at(0).reason, "");
  // Every step of the recursion moves values one column on, so that each has to be followed anew.
  std::string names = "c0", first = "a", shifted = "0";
  for (int i = 1; i < 3000; ++i) {
    names += ", c" + std::to_string(i);
    first += ", 0";
    shifted += ", c" + std::to_string(i - 1);
  }
  const std::string inner = "WITH RECURSIVE r (" + names + ") AS (SELECT " + first +
                            " FROM t UNION ALL SELECT " + shifted +
                            " FROM r) SELECT c2999 AS c FROM r";
  const auto found = lineage("CREATE TABLE n AS " + inner);
  EXPECT_EQ(found->columns.at(0).reason, "the statement is too large to follow its columns");
  EXPECT_TRUE(found->columns.at(0).sources.empty());
  EXPECT_EQ(found->rows_reason, found->columns.at(0).reason);
  EXPECT_EQ(found->inputs.size(), 1u);
}

TEST(Lineage, InfluencesHaveOpenLineagesNames) {
  for (const char* name : {"IDENTITY", "TRANSFORMATION", "AGGREGATION", "CONDITIONAL", "WINDOW",
                           "JOIN", "GROUP_BY", "FILTER", "SORT"}) {
    const auto influence = influence_of(name);
    ASSERT_TRUE(influence) << name;
    EXPECT_EQ(influence_name(*influence), name);
  }
  EXPECT_EQ(influence_of("identity"), std::nullopt);
  EXPECT_TRUE(is_direct(Influence::kAggregation));
  EXPECT_FALSE(is_direct(Influence::kConditional));
}

}  // namespace
}  // namespace meesh::sql
