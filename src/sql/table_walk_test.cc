#include "sql/table_walk.h"

#include <gtest/gtest.h>

#include "sql/sql.h"

namespace meesh::sql {
namespace {

struct Found {
  std::string tables;  // their last names, in the order they were told
  int queries = 0, made = 0;
};

Found found_in(const std::string& text) {
  const auto statement = parse(text);
  Found found;
  TableWalk walk({.table = [&](TableRef& table) { found.tables += table.name.back().value + " "; },
                  .query = [&](Query&) { ++found.queries; },
                  .made = [&](Relation&) { ++found.made; }});
  walk.query(*as<QueryStatement>(*statement).query);
  return found;
}

TEST(TableWalk, TablesStandInManyPlaces) {
  EXPECT_EQ(found_in("SELECT (SELECT max(x) FROM a), EXISTS (SELECT 1 FROM b) FROM c JOIN d ON c.i "
                     "IN (SELECT i FROM e) WHERE c.x > ALL (SELECT x FROM f) ORDER BY (SELECT 1 "
                     "FROM g)")
                .tables,
            "c d e a b f g ");
  EXPECT_EQ(found_in("TABLE a UNION (SELECT * FROM b EXCEPT VALUES (SELECT 1 FROM c))").tables,
            "a b c ");
  EXPECT_EQ(found_in("SELECT * FROM a CROSS JOIN LATERAL (SELECT * FROM b) l").tables, "a b ");
}

TEST(TableWalk, NamesOfQueriesAreNoTablesWhereTheyAreInScope) {
  EXPECT_EQ(found_in("WITH a AS (SELECT * FROM b), c AS (SELECT * FROM A) SELECT * FROM c, s.a, d")
                .tables,
            "b a d ");
  EXPECT_EQ(found_in("WITH a AS (SELECT * FROM a) SELECT * FROM a").tables, "a ");
  EXPECT_EQ(found_in("WITH RECURSIVE a (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM a) SELECT * "
                     "FROM a")
                .tables,
            "");
  EXPECT_EQ(found_in("SELECT * FROM (WITH a AS (SELECT 1) SELECT * FROM a) x, a").tables, "a ");
}

TEST(TableWalk, RowsThatAreMadeAreTold) {
  const Found sampled = found_in("SELECT * FROM a TABLESAMPLE BERNOULLI (10)");
  EXPECT_EQ(sampled.tables, "a ");
  EXPECT_EQ(sampled.made, 1);
  const Found called = found_in("SELECT * FROM TABLE(f(TABLE(a), 1))");
  EXPECT_EQ(called.tables, "a ");
  EXPECT_EQ(called.made, 1);
  EXPECT_EQ(found_in("SELECT 1 FROM (SELECT 2 FROM a)").queries, 2);
}

}  // namespace
}  // namespace meesh::sql
