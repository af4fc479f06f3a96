#include <gtest/gtest.h>

#include "sql/resolve_test_catalog.h"

namespace meesh::sql {
namespace {

/// The pushed text, "" when the statement stays here.
std::string pushed(std::string_view text) {
  const auto resolved = testing::resolve_text(text, {}, "sales", "public");
  const auto out =
      print_postgres(*as<QueryStatement>(*resolved.statement).query, resolved.analysis);
  return out.value_or("");
}

const std::string kOrders = "\"public\".\"orders\" AS \"orders\"";
const std::string kCustomers = "\"public\".\"customers\" AS \"customers\"";

TEST(PrintPostgres, GlobalAggregatesKeepTrinosTypes) {
  EXPECT_EQ(pushed("SELECT count(*) FROM orders"), "SELECT count(*) AS \"_col0\" FROM " + kOrders);
  EXPECT_EQ(pushed("SELECT sum(order_id), avg(customer_id), max(order_date) FROM orders"),
            "SELECT sum(\"orders\".\"order_id\")::bigint AS \"_col0\", "
            "(sum(\"orders\".\"customer_id\")::double precision / "
            "nullif(count(\"orders\".\"customer_id\"), 0)) AS \"_col1\", "
            "max(\"orders\".\"order_date\") AS \"_col2\" FROM " +
                kOrders);
  EXPECT_EQ(pushed("SELECT sum(amount) FROM orders"),
            "SELECT CAST(sum(\"orders\".\"amount\")::numeric(38,2) AS numeric(38,2)) AS \"_col0\" "
            "FROM " +
                kOrders);
  EXPECT_EQ(
      pushed("SELECT max(name) FROM customers"),
      "SELECT max(\"customers\".\"name\"::text COLLATE \"C\") AS \"_col0\" FROM " + kCustomers);
}

TEST(PrintPostgres, TopNOrdersLikeTrino) {
  EXPECT_EQ(pushed("SELECT name, customer_id FROM customers ORDER BY name DESC, 2 LIMIT 10"),
            "SELECT \"customers\".\"name\"::text AS \"name\", \"customers\".\"customer_id\" AS "
            "\"customer_id\" FROM " +
                kCustomers +
                " ORDER BY \"customers\".\"name\"::text COLLATE \"C\" DESC NULLS LAST, 2 ASC NULLS "
                "LAST LIMIT 10");
}

TEST(PrintPostgres, FiltersMeanTheSame) {
  EXPECT_EQ(
      pushed("SELECT email FROM customers WHERE customer_id = 7 AND name LIKE 'a\\%' AND "
             "created_at >= TIMESTAMP '2024-01-01 00:00:00' AND name < 'm'"),
      "SELECT \"customers\".\"email\"::text AS \"email\" FROM " + kCustomers +
          " WHERE ((\"customers\".\"customer_id\" = 7) AND (\"customers\".\"name\"::text LIKE "
          "'a\\%' ESCAPE '') AND (\"customers\".\"created_at\" >= TIMESTAMP '2024-01-01 "
          "00:00:00') AND (\"customers\".\"name\"::text COLLATE \"C\" < 'm'::text))");
}

TEST(PrintPostgres, SelectiveJoinsGoWhole) {
  EXPECT_EQ(
      pushed("SELECT c.name, o.amount FROM customers c JOIN orders o ON c.customer_id = "
             "o.customer_id WHERE c.customer_id = 5 AND o.customer_id = 5"),
      "SELECT \"c\".\"name\"::text AS \"name\", \"o\".\"amount\" AS \"amount\" FROM "
      "\"public\".\"customers\" AS \"c\" JOIN \"public\".\"orders\" AS \"o\" ON "
      "(\"c\".\"customer_id\" = \"o\".\"customer_id\") WHERE ((\"c\".\"customer_id\" = 5) AND "
      "(\"o\".\"customer_id\" = 5))");
  EXPECT_EQ(
      pushed("SELECT region, count(*) FROM regions GROUP BY region ORDER BY 2"),
      "SELECT \"regions\".\"region\"::text AS \"region\", count(*) AS \"_col1\" FROM "
      "\"public\".\"regions\" AS \"regions\" GROUP BY \"regions\".\"region\"::text ORDER BY 2 "
      "ASC NULLS LAST");
}

TEST(PrintPostgres, WhatDoesNotPayStays) {
  EXPECT_EQ(pushed("SELECT customer_id, count(*) FROM orders GROUP BY customer_id"), "");
  EXPECT_EQ(pushed("SELECT * FROM orders"), "");
  EXPECT_EQ(pushed("SELECT count(*) FROM orders o JOIN customers c ON o.customer_id = "
                   "c.customer_id"),
            "");
  EXPECT_EQ(pushed("SELECT * FROM orders WHERE paid = true"), "");
}

TEST(PrintPostgres, WhatWouldDifferStays) {
  // Two servers.
  EXPECT_EQ(pushed("SELECT count(*) FROM orders, marketing.public.leads"), "");
  // NaN compares differently.
  EXPECT_EQ(pushed("SELECT count(*) FROM marketing.public.leads WHERE score > 0.5e0"), "");
  // Division, functions, own rounding.
  EXPECT_EQ(pushed("SELECT sum(order_id / 2) FROM orders"), "");
  EXPECT_EQ(pushed("SELECT max(lower(name)) FROM customers"), "");
  EXPECT_EQ(pushed("SELECT avg(amount) FROM orders"), "");
  // Not this server's at all.
  EXPECT_EQ(pushed("SELECT 1"), "");
  EXPECT_EQ(pushed("SELECT count(*) FROM memory.default.t"), "");
}

}  // namespace
}  // namespace meesh::sql
