#include "dashboards/statement.h"

#include <gmock/gmock.h>

#include <boost/json.hpp>

#include "dashboards/inputs.h"
#include "dashboards/semantic.h"
#include "mesh/mesh.h"
#include "sql/sql.h"

namespace meesh::dashboards {
namespace {

namespace json = boost::json;
using testing::ElementsAre;
using testing::HasSubstr;
using Kind = BoundValue::Kind;

BoundValue text(std::vector<json::value> values) { return {Kind::kText, std::move(values)}; }

std::string bound(const std::string& sql, const BoundValues& values) {
  auto statement = Statement::parse(sql, {});
  statement.bind(values);
  return statement.text();
}

/// What is left of a text when it is read and printed.
std::string same(const std::string& sql) { return sql::print_trino(*sql::parse(sql)); }

TEST(Statement, ValuesAreLiteralsWhateverTheySay) {
  for (const std::string evil :
       {"'; DROP TABLE t; --", "' OR '1'='1", "\\' OR 1=1 --", "/*", "*/ OR true /*", "?", ":b",
        "''", "x' UNION SELECT password FROM users --", "\n-- \n'", "$$", "é' OR ''='"}) {
    const std::string sql =
        bound("SELECT * FROM t WHERE a = :a AND b = 1", {{"a", text({json::value(evil)})}});
    const auto parsed = sql::parse(sql);
    std::string quoted = evil;
    for (size_t at = 0; (at = quoted.find('\'', at)) != std::string::npos; at += 2)
      quoted.insert(at, "'");
    EXPECT_EQ(sql::print_trino(*parsed),
              same("SELECT * FROM t WHERE a = '" + quoted + "' AND b = 1"))
        << evil;
  }
  for (const json::value& evil :
       {json::value("1; DROP TABLE t"), json::value("1 OR 1=1"), json::value("--"),
        json::value("NaN"), json::value("0x1"), json::value(json::array{1}), json::value(true)})
    EXPECT_THROW(bound("SELECT :a", {{"a", {Kind::kNumber, {evil}}}}), Error) << evil;
  EXPECT_THROW(bound("SELECT :a", {{"a", {Kind::kDate, {"2025-01-01' --"}}}}), Error);
}

TEST(Statement, ANegativeNumberIsNoComment) {
  EXPECT_EQ(same(bound("SELECT 5 -:a", {{"a", {Kind::kNumber, {-3}}}})), same("SELECT 5 - (-3)"));
}

TEST(Statement, ParametersInTextAndCommentsStay) {
  const std::string sql = "SELECT ':a', \":b\" -- :c\n, /* :d */ 1 FROM t WHERE x = :e";
  auto statement = Statement::parse(sql, {});
  EXPECT_THAT(statement.parameters(), ElementsAre("e"));
}

TEST(Statement, WithoutAValueTheConditionHolds) {
  const auto check = [](const std::string& sql, const std::string& expected) {
    EXPECT_EQ(bound(sql, {{"a", text({})}, {"b", text({"x"})}}), same(expected)) << sql;
  };
  check("SELECT 1 FROM t WHERE c IN (:a)", "SELECT 1 FROM t WHERE true");
  check("SELECT 1 FROM t WHERE c NOT IN (:a) AND d = :b", "SELECT 1 FROM t WHERE true AND d = 'x'");
  check("SELECT 1 FROM t WHERE NOT (c = :a) OR d = :b", "SELECT 1 FROM t WHERE true OR d = 'x'");
  check("SELECT 1 FROM t WHERE c BETWEEN :a AND :b", "SELECT 1 FROM t WHERE true");
  check("SELECT 1 FROM t WHERE lower(c) LIKE concat('%', :a, '%')", "SELECT 1 FROM t WHERE true");
  check("SELECT 1 FROM (SELECT 2 FROM u WHERE e > :a) WHERE :a IS NULL OR c = :a",
        "SELECT 1 FROM (SELECT 2 FROM u WHERE true) WHERE true OR true");
  check("SELECT coalesce(:a, 'none') FROM t", "SELECT coalesce(null, 'none') FROM t");
}

TEST(Statement, SeveralValuesStandInAList) {
  EXPECT_EQ(same(bound("SELECT 1 FROM t WHERE c IN (:a, 'z')", {{"a", text({"x", "y"})}})),
            same("SELECT 1 FROM t WHERE c IN ('x', 'y', 'z')"));
  EXPECT_THROW(bound("SELECT 1 FROM t WHERE c = :a", {{"a", text({"x", "y"})}}), Error);
}

TEST(Statement, OnlyQueries) {
  for (const char* sql : {"DROP TABLE t", "INSERT INTO t VALUES 1", "CALL x.y()", "SHOW TABLES",
                          "SET SESSION a = 1", "EXPLAIN SELECT 1", "DELETE FROM t",
                          "SELECT 1; DROP TABLE t", "CREATE TABLE a AS SELECT 1", ""})
    EXPECT_THROW(Statement::parse(sql, {}), Error) << sql;
  try {
    Statement::parse("\n  DROP TABLE t", {"d.yaml", 9, 4, 4});
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.location().file, "d.yaml");
    EXPECT_EQ(error.location().line, 11);
  }
}

TEST(Statement, AnUnknownParameterIsToldAtItsPlace) {
  auto statement = Statement::parse("SELECT 1\nFROM t WHERE a = :nobody", {"d.yaml", 4, 6, 6});
  try {
    statement.bind({});
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.location().line, 6);
    EXPECT_EQ(error.location().column, 6 + 18);
  }
}

TEST(Statement, TextStaysAsItWasWritten) {
  auto statement = Statement::parse("SELECT a\nFROM t -- the end\n;\n", {});
  statement.limit_rows(10);
  EXPECT_EQ(statement.text(), "SELECT a\nFROM t -- the end\nLIMIT 10");
  auto limited = Statement::parse("SELECT a FROM t LIMIT 5", {});
  limited.limit_rows(10);
  EXPECT_EQ(limited.text(), "SELECT a FROM t LIMIT 5");
}

TEST(Statement, ClicksFilterTheAnswer) {
  auto statement = Statement::parse("SELECT a, sum(b) AS s FROM t GROUP BY 1 ORDER BY s DESC", {});
  EXPECT_THAT(*statement.columns(), ElementsAre("a", "s"));
  statement.filter_answer({{"a", "in", {"x' OR 1=1", nullptr}}, {"s", "between", {1, 2}}});
  EXPECT_EQ(
      statement.text(),
      same("SELECT * FROM (SELECT a, sum(b) AS s FROM t GROUP BY 1 ORDER BY s DESC) AS chart "
           "WHERE (CAST(\"a\" AS varchar) = 'x'' OR 1=1' OR \"a\" IS NULL) AND (\"s\" >= 1 AND "
           "\"s\" <= 2) ORDER BY \"s\" DESC"));
  auto evil = Statement::parse("SELECT 1 AS a", {});
  evil.filter_answer({{"a\" = 1; DROP TABLE t --", "in", {1}}});
  EXPECT_EQ(sql::parse(evil.text())->kind, sql::StatementKind::kQuery);
  EXPECT_THROW(evil.filter_answer({{"a", "or 1=1", {1}}}), Error);
  EXPECT_THROW(evil.filter_answer({{"a", "in", {}}}), Error);
}

TEST(Statement, ClicksFilterTheSource) {
  auto statement = Statement::parse("SELECT sum(b) FROM t WHERE c OR d", {});
  EXPECT_TRUE(statement.filter_source({{"a", "in", {1}}}));
  EXPECT_EQ(statement.text(), same("SELECT sum(b) FROM t WHERE (c OR d) AND \"a\" = 1"));
  EXPECT_FALSE(Statement::parse("VALUES 1", {}).filter_source({{"a", "in", {1}}}));
}

TEST(Statement, Levels) {
  auto statement = Statement::parse("SELECT cat, prod, sum(x) AS s FROM t GROUP BY 1, 2", {});
  statement.drill({{"cat", "prod"}, "sum"}, {"s"}, 1, {"Tea"});
  EXPECT_EQ(statement.text(),
            same("SELECT \"prod\", sum(\"s\") AS \"s\" FROM (SELECT cat, prod, sum(x) AS s FROM t "
                 "GROUP BY 1, 2) AS chart WHERE CAST(\"cat\" AS varchar) = 'Tea' GROUP BY \"prod\" "
                 "ORDER BY 1"));
  auto deep = Statement::parse("SELECT cat, prod, 1 AS s", {});
  EXPECT_THROW(deep.drill({{"cat", "prod"}, "sum"}, {"s"}, 1, {}), Error);
}

// ---- inputs

TableState table(std::string version) { return {std::move(version), "", "", "", false}; }

Inputs inputs(const std::string& sql, const std::map<std::string, TableState>& tables) {
  const FindTable find = [&](const sql::TableName& name) -> std::optional<TableState> {
    const auto found = tables.find(name.display());
    return found == tables.end() ? std::nullopt : std::optional(found->second);
  };
  TableStates states(find);
  const auto statement = Statement::parse(sql, {});
  return inputs_of(statement.query(), states);
}

TEST(Inputs, VersionsOfAllTablesThroughViews) {
  const std::map<std::string, TableState> tables{
      {"lake.a.t", table("1")},
      {"lake.a.u", table("2")},
      {"lake.a.v",
       {"v1", "SELECT * FROM u WHERE EXISTS (SELECT 1 FROM lake.a.t)", "lake", "a", false}}};
  const auto found = inputs(
      "WITH x AS (SELECT * FROM lake.a.v) SELECT (SELECT max(a) FROM x) FROM "
      "x JOIN lake.a.t ON true",
      tables);
  EXPECT_TRUE(found.cacheable());
  EXPECT_THAT(found.tables, ElementsAre("lake.a.t", "lake.a.u", "lake.a.v"));
  EXPECT_EQ(*found.versions, "lake.a.v=v1;lake.a.u=2;lake.a.t=1;");
}

TEST(Inputs, WhatIsNotKnownIsNotKept) {
  const std::map<std::string, TableState> tables{
      {"lake.a.t", table("1")},
      {"pg.a.t", table("")},
      {"lake.a.now", {"1", "SELECT now() AS n", "lake", "a", false}},
      {"lake.a.grace", {"1", "SELECT 1 AS n", "lake", "a", true}},
      {"lake.a.loop", {"1", "SELECT * FROM lake.a.loop", "lake", "a", false}}};
  for (const char* sql :
       {"SELECT * FROM pg.a.t", "SELECT * FROM lake.a.t, pg.a.t", "SELECT now()",
        "SELECT 1 FROM lake.a.t WHERE d > current_date", "SELECT random() FROM lake.a.t",
        "SELECT current_user", "SELECT * FROM lake.a.now", "SELECT * FROM lake.a.grace",
        "SELECT * FROM lake.a.t TABLESAMPLE BERNOULLI (10)", "SELECT * FROM t",
        "SELECT * FROM lake.a.missing", "SELECT uuid()", "SELECT 1 OFFSET 0 LIMIT 1",
        "SELECT * FROM lake.a.t FOR TIMESTAMP AS OF current_timestamp",
        "SELECT count(*) FILTER (WHERE now() > TIMESTAMP '2020-01-01 00:00:00') FROM lake.a.t",
        "SELECT sum(a) OVER (ORDER BY random()) FROM lake.a.t"}) {
    const bool constant = std::string_view(sql) == "SELECT 1 OFFSET 0 LIMIT 1";
    EXPECT_EQ(inputs(sql, tables).cacheable(), constant) << sql;
  }
  EXPECT_TRUE(inputs("SELECT * FROM lake.a.loop", tables).cacheable());
}

// ---- the semantic layer

Models models() {
  return read_models({{"orders", R"(
table: lake.gold.orders
dimensions:
  - {name: country}
  - {name: at, sql: created_at, kind: time}
  - {name: size, sql: CASE WHEN n > 1 THEN 'big' ELSE 'small' END}
metrics:
  - {name: revenue, sql: sum(amount)}
  - {name: paid, sql: sum(amount), filter: status = 'paid'}
  - {name: rate, ratio: [paid, revenue]}
joins:
  - {name: customer, model: customers, on: {customer_id: id}}
)"},
                      {"customers", R"(
sql: SELECT id, city FROM lake.gold.customers
dimensions: [{name: city}]
metrics: [{name: people, sql: count(*)}]
)"}},
                     "semantic");
}

TEST(Semantic, AQuestionBecomesOneStatement) {
  MetricQuery query;
  query.model = "orders";
  query.metrics = {"revenue", "rate"};
  query.dimensions = {{"at", "month"}, {"customer.city", ""}};
  query.filters = {{"country", "in", {"FR", "x' OR 1=1"}}, {"at", ">=", {"2025-01-01"}}};
  query.order = {"-revenue"};
  query.limit = 5;
  EXPECT_EQ(same(compile(query, models())),
            same("SELECT date_trunc('month', (created_at)) AS \"at\", \"customer.city\" AS "
                 "\"customer.city\", sum(amount) AS \"revenue\", CAST(sum(amount) FILTER (WHERE "
                 "status = 'paid') AS double) / nullif(sum(amount), 0) AS \"rate\" FROM "
                 "\"lake\".\"gold\".\"orders\" AS base LEFT JOIN (SELECT \"id\" AS "
                 "\"customer.$key0\", \"city\" AS \"customer.city\" FROM (SELECT id, city FROM "
                 "lake.gold.customers) AS base) AS \"customer\" ON base.\"customer_id\" = "
                 "\"customer\".\"customer.$key0\" WHERE \"country\" IN ('FR', 'x'' OR 1=1') AND "
                 "(created_at) >= timestamp '2025-01-01 00:00:00' GROUP BY 1, 2 ORDER BY "
                 "\"revenue\" DESC LIMIT 5"));
}

TEST(Semantic, MistakesAreLocated) {
  MetricQuery query;
  query.model = "orders";
  query.metrics = {"revenu"};
  query.where = {7, 5, "dashboards/d.yaml"};
  try {
    compile(query, models());
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.location().line, 7);
    EXPECT_THAT(error.hint(), HasSubstr("revenue"));
  }
  query.metrics = {"revenue"};
  query.dimensions = {{"country", "month"}};
  EXPECT_THROW(compile(query, models()), Error);
  query.dimensions = {{"customer.nobody", ""}};
  EXPECT_THROW(compile(query, models()), Error);
  const auto wrong = [](const std::string& text) {
    EXPECT_THROW(read_models({{"m", text}}, "semantic"), mesh::ConfigError) << text;
  };
  wrong("table: a.b.c\ndimensions: []\nmetrics: [{name: a, sql: 'sum('}]\n");
  wrong("table: a.b.c\ndimensions: []\nmetrics: [{name: a, ratio: [b, c]}]\n");
  wrong("dimensions: []\nmetrics: [{name: a, sql: count(*)}]\n");
  wrong("sql: DROP TABLE x\ndimensions: []\nmetrics: [{name: a, sql: count(*)}]\n");
  wrong("table: a.b.c\ndimensions: [{name: a}, {name: a}]\nmetrics: []\n");
  wrong("table: a.b.c\ndimensions: []\nmetrics: [{name: a, sql: sum(x) + 1, filter: y}]\n");
  wrong(
      "table: a.b.c\ndimensions: []\nmetrics: []\njoins: [{name: j, model: nobody, on: {a: b}}]\n");
}

}  // namespace
}  // namespace meesh::dashboards
