#include "sql/query_facts.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sql/resolve_test_catalog.h"

namespace meesh::sql {
namespace {

using ::testing::ElementsAre;
using testing::resolve_text;

std::vector<bool> constants(const std::string& text, size_t columns) {
  const auto resolved = resolve_text(text);
  const bool insert = resolved.statement->kind == StatementKind::kInsert;
  const auto& query = insert ? *as<Insert>(*resolved.statement).query
                             : *as<QueryStatement>(*resolved.statement).query;
  std::vector<bool> found;
  for (size_t i = 0; i < columns; ++i) found.push_back(constant_column(query, i));
  return found;
}

TEST(QueryFacts, LiteralsAreConstantThroughCastsAndSubqueries) {
  EXPECT_THAT(constants("SELECT a, DATE '2026-01-31', NULL, CAST('1' AS bigint), b FROM t", 5),
              ElementsAre(false, true, true, true, false));
  EXPECT_THAT(constants("SELECT x, y FROM (SELECT a AS x, 'k' AS y FROM t) AS q", 2),
              ElementsAre(false, true));
  // The varchar(1) and integer of the query are fitted to the table's types by another SELECT.
  EXPECT_THAT(constants("INSERT INTO u (d, a) SELECT 7, a FROM t", 2), ElementsAre(true, false));
}

TEST(QueryFacts, WhatMayDifferIsNotConstant) {
  EXPECT_THAT(constants("SELECT 1 UNION ALL SELECT 2", 1), ElementsAre(false));
  EXPECT_THAT(constants("VALUES 1, 2", 1), ElementsAre(false));
  EXPECT_THAT(constants("SELECT 1, count(*) FROM t GROUP BY ROLLUP (a)", 1), ElementsAre(false));
  EXPECT_THAT(
      constants("SELECT q.y FROM t LEFT JOIN (SELECT a, 1 AS y FROM t) AS q ON t.a = q.a", 1),
      ElementsAre(false));
  EXPECT_THAT(constants("SELECT random()", 1), ElementsAre(false));
}

}  // namespace
}  // namespace meesh::sql
