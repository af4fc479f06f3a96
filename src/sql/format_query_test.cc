#include "sql/format_query.h"

#include <gtest/gtest.h>

namespace meesh::sql {
namespace {

TEST(FormatQuery, ClausesStandOnLinesOfTheirOwn) {
  EXPECT_EQ(formatted_query("SELECT 1 one"), "SELECT 1 one");
  EXPECT_EQ(formatted_query("select 1 AS one, 'x' two"), "SELECT\n  1 one\n, 'x' two");
  EXPECT_EQ(formatted_query("SELECT DISTINCT a, count(*) FROM t WHERE b < 2 AND c GROUP BY a, 2 "
                            "HAVING count(*) > 1 ORDER BY a LIMIT 3"),
            "SELECT DISTINCT\n  a\n, count(*)\nFROM\n  t\nWHERE ((b < 2) AND c)\nGROUP BY a, 2\n"
            "HAVING (count(*) > 1)\nORDER BY a ASC\nLIMIT 3");
}

TEST(FormatQuery, RelationsAndNestedQueries) {
  EXPECT_EQ(
      formatted_query("SELECT * FROM (SELECT a, b FROM t) x JOIN u ON x.a = u.a, v"),
      "SELECT *\nFROM\n  ((\n   SELECT\n     a\n   , b\n   FROM\n     t\n)  x\nINNER JOIN u ON "
      "(x.a = u.a))\n, v");
  EXPECT_EQ(formatted_query("WITH w (n) AS (SELECT 1) SELECT n FROM w UNION ALL SELECT 2"),
            "WITH\n  w (n) AS (\n   SELECT 1\n) \nSELECT n\nFROM\n  w\nUNION ALL \nSELECT 2");
}

TEST(FormatQuery, WhatWouldReadOtherwiseStays) {
  for (const char* text : {"SELECT (SELECT max(a) FROM t)", "SELECT 1.5 price", "nonsense",
                           "SELECT a FROM t WHERE b NOT LIKE 'x' WINDOW w AS (ORDER BY a)"})
    EXPECT_EQ(formatted_query(text), text);
}

}  // namespace
}  // namespace meesh::sql
