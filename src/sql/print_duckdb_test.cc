#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sql/print_duckdb_writer.h"
#include "sql/resolve_test_catalog.h"

namespace meesh::sql {
namespace {

using testing::duckdb;
using testing::error_of;
using ::testing::HasSubstr;
using ::testing::Not;
using testing::resolve_text;

const std::string kT = "\"memory\".\"default\".\"t\" AS \"t\"";
const std::string kU = "\"memory\".\"default\".\"u\" AS \"u\"";

/// The one select item of `SELECT <expression> FROM t`.
std::string item(std::string_view expression) {
  const std::string text = duckdb("SELECT " + std::string(expression) + " AS x FROM t");
  const std::string end = " AS \"x\" FROM " + kT;
  EXPECT_TRUE(text.starts_with("SELECT ") && text.ends_with(end)) << text;
  return text.substr(7, text.size() - 7 - end.size());
}

TEST(PrintDuckdb, OperatorsAreTypedCalls) {
  EXPECT_EQ(item("a + 1 * 2 - a / 3 % 4"),
            "trino_subtract(trino_add(\"t\".\"a\", trino_multiply(1, 2)), "
            "trino_modulus(trino_divide(\"t\".\"a\", 3), 4))");
  EXPECT_EQ(item("b || c"), "trino_concat_op(\"t\".\"b\", \"t\".\"c\")");
  EXPECT_EQ(item("-a"), "trino_negate(\"t\".\"a\")");
  EXPECT_EQ(item("a = 1 AND (b <> c OR NOT a >= 2)"),
            "(trino_eq(\"t\".\"a\", 1) AND (trino_ne(\"t\".\"b\", \"t\".\"c\") OR (NOT "
            "trino_ge(\"t\".\"a\", 2))))");
  EXPECT_EQ(item("a NOT BETWEEN 1 AND 2"), "(NOT trino_between(\"t\".\"a\", 1, 2))");
  EXPECT_EQ(item("a IN (1, 2)"), "trino_in(\"t\".\"a\", 1, 2)");
  EXPECT_EQ(item("b LIKE 'x!%' ESCAPE '!'"),
            "trino_like(\"t\".\"b\", 'x!%'::VARCHAR, '!'::VARCHAR)");
  EXPECT_EQ(item("a IS NOT NULL"), "(\"t\".\"a\" IS NOT NULL)");
  EXPECT_EQ(item("TRY_CAST(b AS timestamp(3) with time zone)"),
            "trino_try_cast(\"t\".\"b\", 'timestamp(3) with time zone')");
  EXPECT_EQ(item("EXTRACT(year FROM current_date)"), "trino_extract('year', trino_current_date())");
  EXPECT_EQ(item("ARRAY[1, 2][1]"), "trino_subscript([1, 2], 1)");
}

TEST(PrintDuckdb, SpecialForms) {
  EXPECT_EQ(item("NULLIF(a, 1)"), "trino_nullif(\"t\".\"a\", 1)");
  EXPECT_EQ(item("IF(a > 1, 'x')"), "CASE WHEN trino_gt(\"t\".\"a\", 1) THEN 'x'::VARCHAR END");
  EXPECT_EQ(item("CASE a WHEN 1 THEN 2 ELSE 3 END"),
            "CASE WHEN trino_eq(\"t\".\"a\", 1) THEN 2 ELSE 3 END");
  EXPECT_EQ(item("COALESCE(b, c)"), "COALESCE(\"t\".\"b\", \"t\".\"c\")");
  EXPECT_EQ(item("TRY(1 / a)"), "trino_try(trino_divide(1, \"t\".\"a\"))");
  EXPECT_EQ(item("(1, 'x')"), "{'field0': 1, 'field1': 'x'::VARCHAR}");
  EXPECT_EQ(item("current_user"), "trino_cast('ada'::VARCHAR, 'varchar')");
}

TEST(PrintDuckdb, LiteralsKeepTheirTypes) {
  EXPECT_EQ(item("'it''s'"), "'it''s'::VARCHAR");
  EXPECT_EQ(item("1.50"), "CAST('1.50' AS DECIMAL(3,2))");
  EXPECT_EQ(item("0.5"), "CAST('0.5' AS DECIMAL(1,1))");
  EXPECT_EQ(item("1e3"), "CAST('1E3' AS DOUBLE)");
  EXPECT_EQ(item("X'4142'"), "'\\x41\\x42'::BLOB");
  EXPECT_EQ(item("0x1F"), "31");
  EXPECT_EQ(item("-9223372036854775808"), "CAST('-9223372036854775808' AS BIGINT)");
  EXPECT_EQ(item("TIMESTAMP '2020-01-01 10:00:00.123'"),
            "trino_cast('2020-01-01 10:00:00.123'::VARCHAR, 'timestamp(3)')");
  EXPECT_EQ(item("TIMESTAMP '2020-01-01 10:00 Europe/Paris'"),
            "trino_cast('2020-01-01 10:00 Europe/Paris'::VARCHAR, 'timestamp(0) with time zone')");
  EXPECT_EQ(item("TIME '10:00:00.50'"), "trino_cast('10:00:00.50'::VARCHAR, 'time(2)')");
  EXPECT_EQ(item("INTERVAL '1 02:03:04.5' DAY TO SECOND"),
            "trino_interval_day_time(93784500000::BIGINT)");
  EXPECT_EQ(item("INTERVAL -'2' YEAR"), "trino_interval_year_month(-24::INTEGER)");
}

TEST(PrintDuckdb, AggregatesAndWindows) {
  EXPECT_THAT(item("count(DISTINCT a)"), "count(DISTINCT \"t\".\"a\")");
  EXPECT_THAT(item("sum(a) FILTER (WHERE a > 1)"),
              HasSubstr("(\"t\".\"a\") FILTER (WHERE trino_gt(\"t\".\"a\", 1))"));
  EXPECT_EQ(
      item("lag(a) IGNORE NULLS OVER (PARTITION BY b ORDER BY c DESC)"),
      "lag(\"t\".\"a\" IGNORE NULLS) OVER (PARTITION BY \"t\".\"b\" ORDER BY \"t\".\"c\" DESC "
      "NULLS LAST)");
  EXPECT_THAT(item("listagg(b) WITHIN GROUP (ORDER BY a)"),
              HasSubstr("(\"t\".\"b\", '' ORDER BY \"t\".\"a\" ASC NULLS LAST)"));
  EXPECT_EQ(duckdb("SELECT rank() OVER w AS r FROM t WINDOW w AS (ORDER BY a NULLS FIRST)"),
            "SELECT rank() OVER \"w\" AS \"r\" FROM " + kT +
                " WINDOW \"w\" AS (ORDER BY \"t\".\"a\" ASC NULLS FIRST)");
}

TEST(PrintDuckdb, StarsJoinsAndUsing) {
  EXPECT_EQ(
      duckdb("SELECT * FROM t JOIN u USING (a)"),
      "SELECT \"t\".\"a\" AS \"a\", \"t\".\"b\" AS \"b\", \"t\".\"c\" AS \"c\", \"u\".\"d\" AS "
      "\"d\" FROM " +
          kT + " JOIN " + kU + " ON trino_eq(\"t\".\"a\", \"u\".\"a\")");
  EXPECT_EQ(duckdb("SELECT a FROM t FULL JOIN u USING (a)"),
            "SELECT COALESCE(\"t\".\"a\", \"u\".\"a\") AS \"a\" FROM " + kT + " FULL JOIN " + kU +
                " ON trino_on_eq(\"t\".\"a\", \"u\".\"a\")");
  EXPECT_EQ(duckdb("SELECT x.a FROM t x, t y WHERE x.a = y.a"),
            "SELECT \"x\".\"a\" AS \"a\" FROM \"memory\".\"default\".\"t\" AS \"x\" CROSS JOIN "
            "\"memory\".\"default\".\"t\" AS \"y\" WHERE trino_eq(\"x\".\"a\", \"y\".\"a\")");
}

TEST(PrintDuckdb, RelationsGetUniqueNames) {
  EXPECT_EQ(duckdb("SELECT a FROM t WHERE EXISTS (SELECT 1 FROM t WHERE t.a = 1)"),
            "SELECT \"t\".\"a\" AS \"a\" FROM " + kT +
                " WHERE EXISTS (SELECT 1 AS \"_col0\" FROM \"memory\".\"default\".\"t\" AS \"t_2\" "
                "WHERE trino_eq(\"t_2\".\"a\", 1))");
  EXPECT_EQ(
      duckdb("SELECT a FROM (SELECT a, a FROM t) AS x (a, b)"),
      "SELECT \"x\".\"a\" AS \"a\" FROM (SELECT \"t\".\"a\" AS \"a\", \"t\".\"a\" AS \"a\" FROM " +
          kT + ") AS \"x\"(\"a\", \"b\")");
}

TEST(PrintDuckdb, CorrelatedNamesComeFromOutside) {
  EXPECT_EQ(
      duckdb("SELECT (SELECT max(d) FROM u WHERE a = t.a AND b = 'x') AS m FROM t").substr(0, 8),
      "SELECT (");
  EXPECT_THAT(duckdb("SELECT (SELECT d FROM u WHERE u.a = t.a AND b = 'x') AS m FROM t"),
              HasSubstr("trino_eq(\"u\".\"a\", \"t\".\"a\") AND trino_eq(\"t\".\"b\", "
                        "'x'::VARCHAR)"));
}

TEST(PrintDuckdb, RowFieldsAndColumnsAreToldApart) {
  EXPECT_EQ(duckdb("SELECT r.p.x, nested.id, default.nested.id AS i FROM nested"),
            "SELECT struct_extract(struct_extract(\"nested\".\"r\", 'p'), 'x') AS \"x\", "
            "\"nested\".\"id\" AS \"id\", \"nested\".\"id\" AS \"i\" FROM "
            "\"memory\".\"default\".\"nested\" AS \"nested\"");
}

TEST(PrintDuckdb, OrderBySeesOutputsFirst) {
  EXPECT_EQ(duckdb("SELECT a AS b, b AS a FROM t ORDER BY a DESC, t.a"),
            "SELECT \"t\".\"a\" AS \"b\", \"t\".\"b\" AS \"a\" FROM " + kT +
                " ORDER BY 2 DESC NULLS LAST, 1 ASC NULLS LAST");
  EXPECT_THAT(duckdb("SELECT -a AS m FROM t ORDER BY m + 1"),
              HasSubstr("ORDER BY trino_add(trino_negate(\"t\".\"a\"), 1) ASC NULLS LAST"));
  EXPECT_THAT(duckdb("SELECT a FROM t UNION SELECT a FROM u ORDER BY a + 1"),
              HasSubstr("ORDER BY trino_add(\"query\".\"a\", 1) ASC NULLS LAST"));
}

TEST(PrintDuckdb, GroupingByOrdinalsAndSets) {
  EXPECT_THAT(duckdb("SELECT b, count(*) FROM t GROUP BY 1 HAVING count(*) > 1"),
              HasSubstr("GROUP BY 1 HAVING trino_gt(count(*), 1)"));
  EXPECT_THAT(duckdb("SELECT grouping(b) FROM t GROUP BY GROUPING SETS ((b, c), (b), ())"),
              HasSubstr("SELECT CAST(GROUPING(\"t\".\"b\") AS INTEGER) AS \"_col0\" FROM " + kT +
                        " GROUP BY GROUPING SETS ((\"t\".\"b\", \"t\".\"c\"), \"t\".\"b\", ())"));
}

TEST(PrintDuckdb, CommonTableExpressions) {
  EXPECT_EQ(duckdb("WITH x (n) AS (SELECT a FROM t) SELECT x.n FROM x"),
            "WITH \"x\"(\"n\") AS (SELECT \"t\".\"a\" AS \"a\" FROM " + kT +
                ") SELECT \"x_2\".\"n\" AS \"n\" FROM \"x\" AS \"x_2\"");
  EXPECT_EQ(
      duckdb("WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5) "
             "SELECT i FROM n"),
      "WITH RECURSIVE \"n\"(\"i\", \"$depth\") AS (SELECT \"base\".\"_col0\" AS \"i\", 0 AS "
      "\"$depth\" FROM (SELECT 1 AS \"_col0\") AS \"base\"(\"_col0\") UNION ALL SELECT "
      "\"step\".\"_col0\" AS \"i\", meesh_recursion_step(\"depth\".\"$depth\", 10) AS "
      "\"$depth\" FROM (SELECT trino_add(\"n_2\".\"i\", 1) AS \"_col0\" FROM \"n\" AS \"n_2\" "
      "WHERE trino_lt(\"n_2\".\"i\", 5)) AS \"step\"(\"_col0\") CROSS JOIN (SELECT "
      "\"n_3\".\"$depth\" AS \"$depth\" FROM \"n\" AS \"n_3\" LIMIT 1) AS "
      "\"depth\"(\"$depth\")) SELECT \"n_4\".\"i\" AS \"i\" FROM \"n\" AS \"n_4\"");
}

TEST(PrintDuckdb, SetOperations) {
  EXPECT_EQ(
      duckdb("SELECT 1 UNION ALL SELECT 2 UNION ALL SELECT 3"),
      "SELECT 1 AS \"_col0\" UNION ALL SELECT 2 AS \"_col0\" UNION ALL SELECT 3 AS \"_col0\"");
  EXPECT_EQ(
      duckdb("SELECT 1 UNION (SELECT 2 EXCEPT SELECT 3) ORDER BY 1 LIMIT ALL"),
      "SELECT 1 AS \"_col0\" UNION (SELECT 2 AS \"_col0\" EXCEPT SELECT 3 AS \"_col0\") ORDER "
      "BY 1 ASC NULLS LAST");
  EXPECT_EQ(duckdb("VALUES 1, 2"), "VALUES (1), (2)");
}

TEST(PrintDuckdb, UnnestUnfoldsSideBySide) {
  EXPECT_THAT(duckdb("SELECT id, e FROM nested CROSS JOIN UNNEST(xs) AS p (e)"),
              HasSubstr("CROSS JOIN unnest(\"nested\".\"xs\") AS \"p\"(\"e\")"));
  EXPECT_THAT(
      duckdb("SELECT e, o FROM nested LEFT JOIN UNNEST(xs) WITH ORDINALITY AS p (e, o) ON TRUE"),
      HasSubstr("LEFT JOIN unnest(\"nested\".\"xs\") WITH ORDINALITY AS \"p\"(\"e\", \"o\") "
                "ON TRUE"));
  EXPECT_THAT(
      duckdb("SELECT x, y FROM nested CROSS JOIN UNNEST(points) AS p (x, y)"),
      HasSubstr("LATERAL (SELECT struct_extract_at(\"$e0\", 1), struct_extract_at(\"$e0\", 2) "
                "FROM (SELECT unnest(\"$i0\") AS \"$e0\" FROM (SELECT "
                "\"nested\".\"points\" AS \"$i0\") AS \"$items\") AS \"$rows\") AS "
                "\"p\"(\"x\", \"y\")"));
  EXPECT_THAT(duckdb("SELECT k, v, e FROM nested CROSS JOIN UNNEST(m, xs) AS p (k, v, e)"),
              HasSubstr("unnest(map_keys(\"$i0\")) AS \"$e0\", unnest(map_values(\"$i0\")) AS "
                        "\"$v0\", unnest(\"$i1\") AS \"$e1\""));
  EXPECT_THAT(duckdb("SELECT * FROM UNNEST(sequence(1, 3))"), HasSubstr("FROM unnest("));
}

TEST(PrintDuckdb, TiesAndSamples) {
  EXPECT_THAT(
      duckdb("SELECT a FROM t ORDER BY b OFFSET 1 FETCH FIRST 2 ROWS WITH TIES"),
      HasSubstr("AS \"$all\"(\"$c0\", \"$c1\")) AS \"$ranked\" WHERE \"$rank\" <= 2 + 1 AND "
                "\"$row\" > 1 ORDER BY \"$row\""));
  EXPECT_THAT(duckdb("SELECT a FROM t TABLESAMPLE BERNOULLI (10)"),
              HasSubstr(kT + " TABLESAMPLE bernoulli(10%)"));
}

TEST(PrintDuckdb, LambdasHaveUniqueArguments) {
  EXPECT_THAT(duckdb("SELECT transform(xs, x -> x + id) FROM nested AS x"),
              HasSubstr("lambda \"x_2\": trino_add(\"x_2\", \"x\".\"id\")"));
}

TEST(PrintDuckdb, ViewsAreSubqueries) {
  EXPECT_EQ(duckdb("SELECT number FROM v AS w WHERE w.b = 'x'"),
            "SELECT \"w\".\"number\" AS \"number\" FROM (SELECT \"t\".\"a\" AS \"number\", "
            "\"t\".\"b\" AS \"b\" FROM " +
                kT +
                " WHERE trino_gt(\"t\".\"a\", 1)) AS "
                "\"w\"(\"number\", \"b\") WHERE trino_eq(\"w\".\"b\", 'x'::VARCHAR)");
}

// ---------------------------------------------------------------- writes

TEST(PrintDuckdb, InsertsFitTheTable) {
  EXPECT_EQ(duckdb("INSERT INTO t (c, a) VALUES ('abc', 1)"),
            "INSERT INTO \"memory\".\"default\".\"t\" (\"c\", \"a\") SELECT \"query\".\"_col0\" AS "
            "\"c\", \"query\".\"_col1\" AS \"a\" FROM (VALUES ('abc'::VARCHAR, 1)) AS "
            "\"query\"(\"_col0\", \"_col1\")");
  EXPECT_EQ(duckdb("INSERT INTO u SELECT * FROM u"),
            "INSERT INTO \"memory\".\"default\".\"u\" (\"a\", \"d\") SELECT \"u\".\"a\" AS \"a\", "
            "\"u\".\"d\" AS \"d\" FROM " +
                kU);
  EXPECT_THAT(duckdb("INSERT INTO t (c) SELECT b FROM t"),
              HasSubstr("trino_cast(meesh_fitting(CAST(\"query\".\"b\" AS VARCHAR), 5, 'Cannot "
                        "truncate non-space characters when casting from varchar to varchar(5) on "
                        "INSERT'), 'varchar(5)')"));
}

TEST(PrintDuckdb, UpdateDeleteMerge) {
  EXPECT_EQ(
      duckdb("UPDATE u SET d = a + 1 WHERE u.a = 1"),
      "UPDATE \"memory\".\"default\".\"u\" AS \"u\" SET \"d\" = trino_cast(trino_add(\"u\".\"a\", "
      "1), 'bigint') WHERE trino_eq(\"u\".\"a\", 1)");
  EXPECT_EQ(duckdb("DELETE FROM t WHERE a IN (SELECT a FROM u)"),
            "DELETE FROM \"memory\".\"default\".\"t\" AS \"t\" WHERE (\"t\".\"a\" IN (SELECT "
            "\"u\".\"a\" AS \"a\" FROM " +
                kU + "))");
  EXPECT_EQ(duckdb("MERGE INTO t x USING u ON x.a = u.a WHEN MATCHED AND d > 1 THEN DELETE WHEN "
                   "NOT MATCHED THEN INSERT (a) VALUES (u.a)"),
            "MERGE INTO \"memory\".\"default\".\"t\" AS \"t\" USING " + kU +
                " ON trino_eq(\"t\".\"a\", \"u\".\"a\") WHEN MATCHED AND trino_gt(\"u\".\"d\", 1) "
                "THEN DELETE WHEN NOT MATCHED THEN INSERT (\"a\") VALUES (\"u\".\"a\")");
}

TEST(PrintDuckdb, Definitions) {
  EXPECT_EQ(
      duckdb("CREATE TABLE IF NOT EXISTS n (a integer NOT NULL, b array(row(x varchar(3), y "
             "decimal(10,2))), c map(varchar, timestamp(9)))"),
      "CREATE TABLE IF NOT EXISTS \"memory\".\"default\".\"n\" (\"a\" INTEGER NOT NULL, \"b\" "
      "STRUCT(\"x\" VARCHAR, \"y\" DECIMAL(10,2))[], \"c\" MAP(VARCHAR, TIMESTAMP_NS))");
  EXPECT_EQ(duckdb("CREATE TABLE n (x, y) AS SELECT a, b FROM t"),
            "CREATE TABLE \"memory\".\"default\".\"n\" AS SELECT * FROM (SELECT \"t\".\"a\" AS "
            "\"a\", \"t\".\"b\" AS \"b\" FROM " +
                kT + ") AS \"query\"(\"x\", \"y\")");
  EXPECT_EQ(duckdb("DROP TABLE IF EXISTS nope"),
            "DROP TABLE IF EXISTS \"memory\".\"default\".\"nope\"");
  EXPECT_EQ(duckdb("ALTER TABLE t RENAME COLUMN a TO Z"),
            "ALTER TABLE \"memory\".\"default\".\"t\" RENAME COLUMN \"a\" TO \"z\"");
  EXPECT_EQ(duckdb("CREATE SCHEMA memory.fresh"), "CREATE SCHEMA \"memory\".\"fresh\"");
  EXPECT_EQ(duckdb("COMMENT ON COLUMN t.a IS 'it''s'"),
            "COMMENT ON COLUMN \"memory\".\"default\".\"t\".\"a\" IS 'it''s'");
}

// ---------------------------------------------------------------- refusals and positions

TEST(PrintDuckdb, RefusesWhatHasNoEquivalent) {
  const auto refused = [](std::string_view text) {
    try {
      duckdb(text);
    } catch (const Error& error) {
      return std::string(code_name(error.code())) + ": " + error.sql_message();
    }
    return std::string();
  };
  EXPECT_EQ(refused("SELECT * FROM t MATCH_RECOGNIZE (PATTERN (A) DEFINE A AS true)"),
            "TABLE_HAS_NO_COLUMNS: line 1:15: pattern recognition output table has no columns");
  EXPECT_EQ(refused("SELECT * FROM TABLE(f(1))"),
            "FUNCTION_NOT_FOUND: line 1:21: Table function 'f' not registered");
  EXPECT_THAT(refused("SELECT reduce_agg(a, 0, () -> 1, (x, y) -> x) FROM t"), Not(""));
  EXPECT_THAT(refused("CREATE TABLE n (a timestamp(12))"),
              HasSubstr("Columns of type timestamp(12) are not supported"));
}

TEST(PrintDuckdb, OffsetsLeadBackToTheText) {
  const auto resolved = resolve_text("SELECT a,\n       b || 'x' AS y\nFROM t");
  const Printed printed = print_duckdb(*resolved.statement);
  const auto at = [&](const char* piece) {
    const size_t offset = printed.text.find(piece);
    EXPECT_NE(offset, std::string::npos) << piece;
    const Position pos = printed.position_at(offset);
    return std::to_string(pos.line) + ":" + std::to_string(pos.column);
  };
  EXPECT_EQ(at("\"t\".\"a\""), "1:8");
  EXPECT_EQ(at("'x'"), "2:13");
  EXPECT_EQ(at("\"memory\""), "3:6");
}

TEST(ColumnTypes, AsDuckdbReadsThem) {
  EXPECT_EQ(duckdb_column_type(Type::parse("array(map(varchar, row(a integer, b time(3))))")),
            "MAP(VARCHAR, STRUCT(\"a\" INTEGER, \"b\" TIME))[]");
  EXPECT_EQ(duckdb_column_type(Type::parse("row(integer, char(3))")),
            "STRUCT(\"field0\" INTEGER, \"field1\" VARCHAR)");
}

}  // namespace
}  // namespace meesh::sql
