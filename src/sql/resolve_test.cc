#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sql/resolve_test_catalog.h"

namespace meesh::sql {
namespace {

using testing::duckdb;
using testing::error_of;
using ::testing::HasSubstr;
using testing::resolve_text;
using ::testing::StartsWith;

// ---------------------------------------------------------------- errors, as Trino words them

struct Bad {
  const char* text;
  const char* error;
};
class ResolveErrors : public ::testing::TestWithParam<Bad> {};

TEST_P(ResolveErrors, SaysWhatAndWhere) {
  EXPECT_EQ(error_of(GetParam().text), GetParam().error) << GetParam().text;
}

INSTANTIATE_TEST_SUITE_P(
    Names, ResolveErrors,
    ::testing::Values(
        Bad{"SELECT * FROM nope.public.x",
            "CATALOG_NOT_FOUND: line 1:15: Catalog 'nope' not found"},
        Bad{"SELECT * FROM sales.nope.x",
            "SCHEMA_NOT_FOUND: line 1:15: Schema 'nope' does not exist"},
        Bad{"SELECT * FROM sales.public.x",
            "TABLE_NOT_FOUND: line 1:15: Table 'sales.public.x' does not exist"},
        Bad{"SELECT * FROM Nope",
            "TABLE_NOT_FOUND: line 1:15: Table 'memory.default.nope' does not exist"},
        Bad{"SELECT * FROM a.b.c.d", "SYNTAX_ERROR: Too many dots in table name: a.b.c.d"},
        Bad{"SELECT Zed FROM t", "COLUMN_NOT_FOUND: line 1:8: Column 'zed' cannot be resolved"},
        Bad{"SELECT\n  t.zed\nFROM t",
            "COLUMN_NOT_FOUND: line 2:3: Column 't.zed' cannot be resolved"},
        Bad{"SELECT a FROM t, u", "AMBIGUOUS_NAME: line 1:8: Column 'a' is ambiguous"},
        Bad{"SELECT t.a FROM t AS x",
            "COLUMN_NOT_FOUND: line 1:8: Column 't.a' cannot be resolved"},
        Bad{"SELECT x.* FROM t", "TABLE_NOT_FOUND: line 1:8: Unable to resolve reference x"},
        Bad{"SELECT *",
            "COLUMN_NOT_FOUND: line 1:8: SELECT * not allowed in queries without FROM clause"},
        Bad{"SELECT r.nope FROM nested",
            "COLUMN_NOT_FOUND: line 1:8: Column 'r.nope' cannot be resolved"},
        Bad{"SELECT a.x FROM t", "TYPE_MISMATCH: line 1:8: Expression a is not of type ROW"},
        Bad{"SELECT f(a) FROM t", "FUNCTION_NOT_FOUND: line 1:8: Function 'f' not registered"},
        Bad{"SELECT 1 FROM t AS x (a, b)",
            "MISMATCHED_COLUMN_ALIASES: line 1:15: Column alias list has 2 entries but 'x' has 3 "
            "columns available"},
        Bad{"WITH x (a, b) AS (SELECT 1) SELECT * FROM x",
            "MISMATCHED_COLUMN_ALIASES: line 1:9: Column alias list has 2 entries but relation has "
            "1 columns"},
        Bad{"WITH x AS (SELECT 1), X AS (SELECT 2) SELECT * FROM x",
            "DUPLICATE_NAMED_QUERY: line 1:23: WITH query name 'X' specified more than once"},
        Bad{"SELECT * FROM t JOIN u USING (b)",
            "COLUMN_NOT_FOUND: line 1:31: Column 'b' is missing from right side of join"},
        Bad{"SELECT t.a FROM t JOIN u USING (a)",
            "COLUMN_NOT_FOUND: line 1:8: Column 't.a' cannot be resolved"},
        Bad{"SELECT CAST(a AS nothing) FROM t", "TYPE_MISMATCH: line 1:8: Unknown type: nothing"}));

INSTANTIATE_TEST_SUITE_P(
    Grouping, ResolveErrors,
    ::testing::Values(
        Bad{"SELECT b, count(*) FROM t",
            "EXPRESSION_NOT_AGGREGATE: line 1:8: 'b' must be an aggregate expression or appear in "
            "GROUP BY clause"},
        Bad{"SELECT count(*), t.b FROM t GROUP BY a",
            "EXPRESSION_NOT_AGGREGATE: line 1:18: 't.b' must be an aggregate expression or appear "
            "in GROUP BY clause"},
        Bad{"SELECT a AS x FROM t GROUP BY x",
            "COLUMN_NOT_FOUND: line 1:31: Column 'x' cannot be resolved"},
        Bad{"SELECT a, count(*) FROM t GROUP BY 3",
            "INVALID_COLUMN_REFERENCE: line 1:36: GROUP BY position 3 is not in select list"},
        Bad{"SELECT a FROM t ORDER BY 2",
            "INVALID_COLUMN_REFERENCE: line 1:26: ORDER BY position 2 is not in select list"},
        Bad{"SELECT count(sum(a)) FROM t",
            "NESTED_AGGREGATION: line 1:8: Cannot nest aggregations inside aggregation 'count': "
            "[sum(a)]"},
        Bad{"SELECT a FROM t GROUP BY a ORDER BY b",
            "EXPRESSION_NOT_AGGREGATE: line 1:37: 'b' must be an aggregate expression or appear in "
            "GROUP BY clause"},
        Bad{"SELECT a, (SELECT max(d) FROM u WHERE u.a = t.a AND b = 'x') FROM t GROUP BY t.a",
            "EXPRESSION_NOT_AGGREGATE: line 1:53: Subquery uses 'b' which must appear in GROUP BY "
            "clause"},
        Bad{"SELECT max(a) AS a FROM t ORDER BY max(a)",
            "COLUMN_NOT_FOUND: line 1:40: Invalid reference to output projection attribute from "
            "ORDER BY aggregation"},
        Bad{"SELECT DISTINCT a FROM t ORDER BY b",
            "EXPRESSION_NOT_IN_DISTINCT: line 1:1: For SELECT DISTINCT, ORDER BY expressions must "
            "appear in select list"},
        Bad{"SELECT rank() FROM t",
            "MISSING_OVER: line 1:8: Window function system.builtin.rank requires an OVER clause"},
        Bad{"SELECT abs(a) OVER () FROM t",
            "FUNCTION_NOT_WINDOW: line 1:1: Not a window function: abs"},
        Bad{"SELECT 1, (SELECT sum(a) FILTER (WHERE a > 1) OVER () FROM t)",
            "NOT_SUPPORTED: line 1:12: FILTER is not yet supported for window functions"},
        Bad{"SELECT nosuch(nothing)",
            "COLUMN_NOT_FOUND: line 1:15: Column 'nothing' cannot be resolved"},
        Bad{"SELECT grouping(a) FROM t",
            "MISSING_GROUP_BY: line 1:1: A GROUPING() operation can only be used with a "
            "corresponding GROUPING SET/CUBE/ROLLUP/GROUP BY clause"}));

INSTANTIATE_TEST_SUITE_P(
    Types, ResolveErrors,
    ::testing::Values(
        Bad{"SELECT a FROM t UNION SELECT 'x'",
            "TYPE_MISMATCH: line 1:17: column 1 in UNION query has incompatible types: integer, "
            "varchar(1)"},
        Bad{"SELECT a FROM t UNION SELECT 1, 2",
            "TYPE_MISMATCH: line 1:17: UNION query has different number of fields: 1, 2"},
        Bad{"SELECT a FROM t WHERE a",
            "TYPE_MISMATCH: line 1:23: WHERE clause must evaluate to a boolean: actual type "
            "integer"},
        Bad{"SELECT CASE WHEN a = 1 THEN 1 ELSE 'x' END FROM t",
            "TYPE_MISMATCH: line 1:36: All CASE results must be the same type or coercible to a "
            "common type. Cannot find common type between integer and varchar(1), all types "
            "(without duplicates): [integer, varchar(1)]"},
        Bad{"SELECT DATE '2020-02-30'",
            "INVALID_LITERAL: line 1:8: '2020-02-30' is not a valid DATE literal"},
        Bad{"SELECT INTERVAL '1 25' DAY TO HOUR",
            "INVALID_LITERAL: line 1:8: '1 25' is not a valid INTERVAL literal"},
        Bad{"SELECT * FROM t WHERE a IN (SELECT b FROM t)",
            "TYPE_MISMATCH: line 1:25: Value expression and result of subquery must be of the same "
            "type: row(integer) vs row(b varchar)"},
        Bad{"SELECT * FROM t WHERE a = 'x'",
            "TYPE_MISMATCH: line 1:25: Cannot apply operator: integer = varchar(1)"},
        Bad{"SELECT a FROM t WHERE NOT a",
            "TYPE_MISMATCH: line 1:27: Value of logical NOT expression must evaluate to a boolean "
            "(actual: integer)"},
        Bad{"SELECT * FROM UNNEST(1)", "INVALID_FUNCTION_ARGUMENT: Cannot unnest type: integer"},
        Bad{"VALUES (1, 2), (3, 4, 5)",
            "TYPE_MISMATCH: line 1:1: Values rows have mismatched sizes: 2 vs 3"}));

INSTANTIATE_TEST_SUITE_P(
    Writes, ResolveErrors,
    ::testing::Values(
        Bad{"INSERT INTO t (a, zed) VALUES (1, 2)",
            "COLUMN_NOT_FOUND: line 1:1: Insert column name does not exist in target table: zed"},
        Bad{"INSERT INTO t (a, A) VALUES (1, 2)",
            "DUPLICATE_COLUMN_NAME: line 1:1: Insert column name is specified more than once: a"},
        Bad{"INSERT INTO u VALUES (1)",
            "TYPE_MISMATCH: line 1:1: Insert query has mismatched column types: Table: [integer, "
            "bigint], Query: [integer]"},
        Bad{"INSERT INTO u VALUES (1, 'x')",
            "TYPE_MISMATCH: line 1:1: Insert query has mismatched column types: Table: [integer, "
            "bigint], Query: [integer, varchar(1)]"},
        Bad{"INSERT INTO frozen VALUES (1, 'x', 'y')",
            "NOT_SUPPORTED: This connector does not support inserts"},
        Bad{"DELETE FROM v", "NOT_SUPPORTED: line 1:1: Deleting from views is not supported"},
        Bad{"UPDATE t SET zed = 1",
            "COLUMN_NOT_FOUND: line 1:14: The UPDATE SET target column zed doesn't exist"},
        Bad{"CREATE TABLE t (a integer)",
            "TABLE_ALREADY_EXISTS: line 1:1: Table 'memory.default.t' already exists"},
        Bad{"CREATE TABLE nope.n (a integer)", "NOT_FOUND: Schema nope not found"},
        Bad{"CREATE TABLE n (a integer, A bigint)",
            "DUPLICATE_COLUMN_NAME: line 1:28: Column name 'a' specified more than once"},
        Bad{"CREATE TABLE n (LIKE sales.public.orders INCLUDING PROPERTIES)",
            "NOT_SUPPORTED: line 1:1: CREATE TABLE LIKE table INCLUDING PROPERTIES across catalogs "
            "is not supported"},
        Bad{"CREATE TABLE n (LIKE t INCLUDING PROPERTIES, LIKE u INCLUDING PROPERTIES)",
            "NOT_SUPPORTED: line 1:1: Only one LIKE clause can specify INCLUDING PROPERTIES"},
        Bad{"CREATE TABLE n AS SELECT 1",
            "MISSING_COLUMN_NAME: line 1:1: Column name not specified at position 1"},
        Bad{"CREATE TABLE n AS SELECT NULL AS x",
            "COLUMN_TYPE_UNKNOWN: line 1:1: Column type is unknown: x"},
        Bad{"CREATE VIEW n AS SELECT a, a FROM t",
            "DUPLICATE_COLUMN_NAME: line 1:1: Column name 'a' specified more than once"},
        Bad{"DROP TABLE nope",
            "TABLE_NOT_FOUND: line 1:1: Table 'memory.default.nope' does not exist"},
        Bad{"DROP TABLE v",
            "GENERIC_USER_ERROR: line 1:1: Table 'memory.default.v' does not exist, but a view "
            "with "
            "that name exists. Did you mean DROP VIEW memory.default.v?"},
        Bad{"CREATE SCHEMA memory.other",
            "SCHEMA_ALREADY_EXISTS: line 1:1: Schema 'memory.other' already exists"},
        Bad{"DROP SCHEMA memory.nope",
            "SCHEMA_NOT_FOUND: line 1:1: Schema 'memory.nope' does not exist"},
        Bad{"ALTER TABLE t DROP COLUMN zed",
            "COLUMN_NOT_FOUND: line 1:1: Column 'zed' does not exist"},
        Bad{"ALTER TABLE t RENAME TO u",
            "TABLE_ALREADY_EXISTS: line 1:1: Target table 'memory.default.u' already exists"}));

INSTANTIATE_TEST_SUITE_P(
    Recursion, ResolveErrors,
    ::testing::Values(
        Bad{"WITH RECURSIVE x AS (SELECT 1 UNION ALL SELECT 2) SELECT * FROM x",
            "MISSING_COLUMN_ALIASES: line 1:16: missing column aliases in recursive WITH query"},
        Bad{"WITH RECURSIVE x (n) AS (SELECT n FROM x) SELECT * FROM x",
            "INVALID_RECURSIVE_REFERENCE: line 1:40: recursive reference not allowed in this "
            "context"},
        Bad{"WITH RECURSIVE x (n) AS (SELECT n FROM x UNION ALL SELECT 1) SELECT * FROM x",
            "INVALID_RECURSIVE_REFERENCE: line 1:40: WITH table name is referenced in the base "
            "relation of recursion"},
        Bad{"WITH RECURSIVE x (n) AS (SELECT 1 UNION ALL SELECT 2 WHERE EXISTS (SELECT 1 FROM x)) "
            "SELECT * FROM x",
            "INVALID_RECURSIVE_REFERENCE: line 1:82: recursive reference outside of FROM clause of "
            "the step relation of recursion"},
        Bad{"WITH RECURSIVE x (n) AS (SELECT 1 UNION ALL SELECT n FROM t LEFT JOIN x ON a = n) "
            "SELECT * FROM x",
            "INVALID_RECURSIVE_REFERENCE: line 1:71: recursive reference in right source of LEFT "
            "join"},
        Bad{"WITH RECURSIVE x (n) AS (SELECT 1 UNION ALL SELECT n FROM x LIMIT 1) SELECT * FROM x",
            "INVALID_LIMIT_CLAUSE: line 1:61: immediate FETCH FIRST / LIMIT clause in recursive "
            "query"},
        Bad{"WITH RECURSIVE x (n) AS (SELECT 1 UNION ALL SELECT n, 2 FROM x) SELECT * FROM x",
            "TYPE_MISMATCH: line 1:45: base and step relations of recursion have different number "
            "of fields: 1, 2"}));

INSTANTIATE_TEST_SUITE_P(
    Corresponding, ResolveErrors,
    ::testing::Values(
        Bad{"SELECT 1 AS a UNION CORRESPONDING SELECT 2 AS b",
            "MISMATCHED_COLUMN_ALIASES: line 1:15: No corresponding columns"},
        Bad{"SELECT 1 AS a, 2 AS A UNION CORRESPONDING SELECT 2 AS a",
            "AMBIGUOUS_NAME: line 1:23: Duplicate columns found when using CORRESPONDING in set "
            "operations: A"},
        Bad{"SELECT 1 UNION CORRESPONDING SELECT 2 AS b",
            "MISSING_COLUMN_NAME: line 1:10: Anonymous columns are not allowed in set operations "
            "with CORRESPONDING"}));

TEST(Resolve, SessionPropertiesOfRecursionsReachTheStatement) {
  EXPECT_THAT(duckdb("WITH RECURSIVE x (n) AS (SELECT 1 UNION SELECT n FROM x) SELECT * FROM x"),
              HasSubstr("meesh_recursion_step(\"depth\".\"$depth\", 10)"));
}

TEST(Resolve, InsertStoresWhatMeetsTheColumnInACommonType) {
  EXPECT_EQ(error_of("INSERT INTO u VALUES (DECIMAL '1', 2.5e0)"), "");
  EXPECT_THAT(duckdb("INSERT INTO u VALUES (DECIMAL '1', 2.5e0)"), HasSubstr("'bigint'"));
  EXPECT_THAT(error_of("INSERT INTO u VALUES (true, 2)"), StartsWith("TYPE_MISMATCH"));
}

TEST(Resolve, PredicatesHoldNoAggregates) {
  EXPECT_THAT(error_of("SELECT a FROM t WHERE count(*) > 1"),
              HasSubstr("WHERE clause cannot contain aggregations, window functions or grouping "
                        "operations: [count(*)]"));
  EXPECT_THAT(error_of("SELECT t.b FROM t JOIN u ON sum(d) > 1"),
              HasSubstr("JOIN clause cannot contain aggregations, window functions or grouping "
                        "operations: [sum(d)]"));
  EXPECT_THAT(error_of("SELECT 1 FROM t GROUP BY sum(a)"),
              HasSubstr("GROUP BY clause cannot contain aggregations"));
}

TEST(Resolve, SessionDefaultsAreMissed) {
  EXPECT_EQ(
      error_of("SELECT * FROM t", "", ""),
      "MISSING_SCHEMA_NAME: line 1:15: Schema must be specified when session schema is not set");
  EXPECT_EQ(
      error_of("SELECT * FROM s.t", "", ""),
      "MISSING_CATALOG_NAME: line 1:15: Catalog must be specified when session catalog is not "
      "set");
  EXPECT_EQ(error_of("SELECT * FROM memory.default.t", "", ""), "");
}

TEST(Resolve, ViewsThatCannotBeRead) {
  EXPECT_EQ(error_of("SELECT * FROM loop1"),
            "INVALID_VIEW: line 1:15: Failed analyzing stored view 'memory.default.loop1': line "
            "1:15: Failed analyzing stored view 'memory.default.loop2': line 1:15: View is "
            "recursive");
  EXPECT_EQ(error_of("SELECT * FROM broken"),
            "INVALID_VIEW: line 1:15: Failed analyzing stored view 'memory.default.broken': line "
            "1:8: Column 'nothing' cannot be resolved");
}

TEST(Resolve, RecursionHasItsShape) {
  EXPECT_THAT(error_of("WITH RECURSIVE x AS (SELECT 1 UNION ALL SELECT * FROM x) SELECT * FROM x"),
              HasSubstr("missing column aliases in recursive WITH query"));
  EXPECT_THAT(error_of("WITH RECURSIVE x (n) AS (SELECT n FROM x) SELECT * FROM x"),
              StartsWith("INVALID_RECURSIVE_REFERENCE"));
  EXPECT_THAT(
      error_of(
          "WITH RECURSIVE x (n) AS (SELECT 1 UNION ALL SELECT n + 1e0 FROM x) SELECT * FROM x"),
      HasSubstr("recursion step relation output type (double) is not coercible to recursion base "
                "relation output type (integer) at column 1"));
}

// ---------------------------------------------------------------- what resolution learns

std::vector<std::string> columns_of(std::string_view text) {
  std::vector<std::string> out;
  for (const auto& column : resolve_text(text).analysis.columns)
    out.push_back(column.name + ":" + (column.declared ? column.declared->display() : "?"));
  return out;
}

TEST(Analysis, NamesOutputsAsTrinoDoes) {
  EXPECT_THAT(
      columns_of("SELECT A, t.b, a + 1, a AS \"X y\", count FROM (SELECT a, b, 1 AS count "
                 "FROM t) AS t"),
      ::testing::ElementsAre("A:integer", "b:varchar", "_col2:?", "X y:integer", "count:?"));
  EXPECT_THAT(columns_of("SELECT * FROM (VALUES (1, 'ab')) "),
              ::testing::ElementsAre("_col0:?", "_col1:varchar(2)"));
}

TEST(Analysis, TracesDeclaredTypesToTheirColumns) {
  EXPECT_THAT(columns_of("WITH x AS (SELECT name AS n, customer_id AS id FROM "
                         "sales.public.customers) SELECT y.n, id FROM (SELECT * FROM x) AS y"),
              ::testing::ElementsAre("n:varchar(100)", "id:integer"));
  EXPECT_THAT(columns_of("SELECT name FROM sales.public.customers UNION SELECT c FROM t"),
              ::testing::ElementsAre("name:varchar(100)"));
  EXPECT_THAT(columns_of("SELECT c FROM t UNION SELECT c FROM t"),
              ::testing::ElementsAre("c:varchar(5)"));
  EXPECT_THAT(columns_of("SELECT CAST(a AS timestamp(3)) x, r.p.y FROM t, nested"),
              ::testing::ElementsAre("x:timestamp(3)", "y:varchar"));
}

TEST(Analysis, ListsTablesReadAndWritten) {
  const auto a = resolve_text(
                     "INSERT INTO t (a) SELECT number FROM v WHERE number IN (SELECT a "
                     "FROM u)")
                     .analysis;
  std::vector<std::string> reads, writes;
  for (const auto& table : a.reads) reads.push_back(table.name.display());
  for (const auto& table : a.writes) writes.push_back(table.name.display());
  EXPECT_THAT(reads,
              ::testing::ElementsAre("memory.default.t", "memory.default.v", "memory.default.u"));
  EXPECT_THAT(writes, ::testing::ElementsAre("memory.default.t"));
  EXPECT_EQ(a.update_type, "INSERT");
}

TEST(Analysis, UpdateTypes) {
  EXPECT_EQ(resolve_text("SELECT 1").analysis.update_type, "");
  EXPECT_EQ(resolve_text("CREATE TABLE n AS SELECT 1 AS x").analysis.update_type, "CREATE TABLE");
  EXPECT_EQ(resolve_text("DROP TABLE t").analysis.update_type, "DROP TABLE");
  EXPECT_EQ(resolve_text("ALTER TABLE t ADD COLUMN z integer").analysis.update_type, "ADD COLUMN");
  EXPECT_EQ(resolve_text("TRUNCATE TABLE t").analysis.update_type, "TRUNCATE TABLE");
}

TEST(Analysis, CreateViewTellsWhatToStore) {
  const auto a = resolve_text("CREATE VIEW n AS SELECT a AS x, b FROM t").analysis;
  ASSERT_EQ(a.writes.size(), 1u);
  EXPECT_EQ(a.writes[0].view_sql, "SELECT a AS x, b FROM t");
  EXPECT_EQ(a.writes[0].columns.at(0).name, "x");
  EXPECT_EQ(a.writes[0].columns.at(0).type.display(), "integer");
  EXPECT_EQ(a.writes[0].view_owner, "ada");
}

// ---------------------------------------------------------------- parameters

TEST(Parameters, TakeThePlaceOfQuestionMarks) {
  const ExprPtr one = parse_expression("1 + 1");
  const ExprPtr two = parse_expression("DATE '2020-01-01'");
  auto resolved = resolve_text("SELECT ? FROM t WHERE a > ?", {two.get(), one.get()});
  EXPECT_EQ(print_duckdb(*resolved.statement).text,
            "SELECT trino_cast('2020-01-01'::VARCHAR, 'date') AS \"_col0\" FROM "
            "\"memory\".\"default\".\"t\" AS \"t\" WHERE trino_gt(\"t\".\"a\", trino_add(1, 1))");
  EXPECT_EQ(resolved.analysis.parameters.size(), 2u);
}

TEST(Parameters, AreCounted) {
  EXPECT_EQ(error_of("SELECT a FROM t WHERE a = ?"),
            "INVALID_PARAMETER_USAGE: line 1:1: Incorrect number of parameters: expected 1 but "
            "found 0");
  const ExprPtr column = parse_expression("a");
  try {
    resolve_text("SELECT ? FROM t", {column.get()});
    FAIL() << "a column is no constant";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::kExpressionNotConstant);
  }
}

/// What DESCRIBE INPUT tells: "bigint, unknown".
std::string parameter_types(std::string_view text) {
  testing::TestCatalogs catalogs;
  ResolveContext context;
  context.catalogs = &catalogs;
  context.catalog = "sales";
  context.schema = "public";
  context.parameters_unknown = true;
  StatementPtr statement = parse(text);
  std::string out;
  for (const auto& type : resolve(statement, context).parameters)
    out += (out.empty() ? "" : ", ") + type.display();
  return out;
}

struct Described {
  const char* text;
  const char* types;
};
class DescribedParameters : public ::testing::TestWithParam<Described> {};

TEST_P(DescribedParameters, TakeTheTypeOfTheirPlace) {
  EXPECT_EQ(parameter_types(GetParam().text), GetParam().types) << GetParam().text;
}

// What Trino says stands in tests/trino/test_dbapi.py. It finds the first three here ambiguous,
// takes the fourth for an array and the arguments of the fifth for varchar(0).
INSTANTIATE_TEST_SUITE_P(
    Places, DescribedParameters,
    ::testing::Values(
        Described{"SELECT order_id * ? FROM orders", "bigint"},
        Described{"SELECT ? + ?, -?", "unknown, unknown, unknown"},
        Described{"SELECT substr(?, 1), date_add('day', ?, ?)", "varchar, bigint, timestamp(3)"},
        Described{"SELECT name || ? FROM customers", "varchar"},
        Described{"SELECT trim(?), strpos(name, ?), position(? IN name), regexp_like(name, ?) "
                  "FROM customers",
                  "varchar, varchar, varchar, varchar"},
        Described{"SELECT abs(?), nosuch FROM (SELECT 1 AS nosuch)", "unknown"},
        Described{"MERGE INTO orders o USING customers c ON o.customer_id = c.customer_id AND "
                  "c.name = ? WHEN MATCHED AND o.amount > ? THEN UPDATE SET paid = ? WHEN NOT "
                  "MATCHED THEN INSERT (order_id, order_date) VALUES (?, ?)",
                  "varchar(100), decimal(10,2), boolean, bigint, date"},
        Described{"SHOW TABLES", ""}));

// ---------------------------------------------------------------- size

TEST(Resolve, LongAndDeepStatements) {
  std::string ors = "SELECT a FROM t WHERE a = 0";
  for (int i = 1; i < 5000; ++i) ors += " OR a = " + std::to_string(i);
  EXPECT_EQ(error_of(ors), "");
  std::string deep(900, '(');
  deep = "SELECT " + deep + "a" + std::string(900, ')') + " FROM t";
  EXPECT_EQ(error_of(deep), "");
  std::string unions = "SELECT a FROM t";
  for (int i = 0; i < 300; ++i) unions += " UNION ALL SELECT a FROM t";
  EXPECT_EQ(error_of(unions), "");
}

}  // namespace
}  // namespace meesh::sql
