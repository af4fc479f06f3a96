#include <gtest/gtest.h>

#include "duckdb.hpp"
#include "engine/duck.h"

namespace meesh::engine {
namespace {

class OuterJoins : public testing::Test {
 protected:
  OuterJoins() : db_(nullptr), connection_(db_) {
    register_functions(*db_.instance);
    connection_.Query("CREATE TABLE a AS FROM (VALUES (1, 10), (2, 20), (NULL, 30)) t(k, v)");
    connection_.Query("CREATE TABLE b AS FROM (VALUES (1, 5), (2, 6), (2, 7), (4, 8)) t(k, w)");
  }

  /// The rows "v-w", sorted.
  std::string rows(const std::string& join) {
    return answer(
        "SELECT string_agg(coalesce(v::VARCHAR, '') || '-' || coalesce(w::VARCHAR, ''), "
        "' ' ORDER BY v, w) FROM " +
            join,
        0);
  }
  bool hashed(const std::string& join) {
    return answer("EXPLAIN SELECT * FROM " + join, 1).find("HASH_JOIN") != std::string::npos;
  }

 private:
  std::string answer(const std::string& sql, size_t column) {
    auto result = connection_.Query(sql);
    return result->HasError() ? result->GetError() : result->GetValue(column, 0).ToString();
  }

  duckdb::DuckDB db_;
  duckdb::Connection connection_;
};

TEST_F(OuterJoins, AConditionOnTheSideThatIsKept) {
  const std::string left = "a LEFT JOIN b ON a.k = b.k AND a.v > 10";
  EXPECT_TRUE(hashed(left));
  EXPECT_EQ(rows(left), "10- 20-6 20-7 30-");
  const std::string right = "a RIGHT JOIN b ON b.w IN (6, 8) AND a.k = b.k";
  EXPECT_TRUE(hashed(right));
  EXPECT_EQ(rows(right), "20-6 -5 -7 -8");
}

TEST_F(OuterJoins, ConditionsOnBothSides) {
  const std::string full = "a FULL JOIN b ON a.k = b.k AND a.v > 10 AND b.w < 7";
  EXPECT_TRUE(hashed(full));
  EXPECT_EQ(rows(full), "10- 20-6 30- -5 -7 -8");
  const std::string none = "a FULL JOIN b ON a.k = b.k AND a.v > NULL";
  EXPECT_EQ(rows(none), "10- 20- 30- -5 -6 -7 -8");
}

TEST_F(OuterJoins, FurtherComparisons) {
  const std::string left = "a LEFT JOIN b ON b.k = a.k AND b.w * 3 > a.v AND a.v > 0";
  EXPECT_TRUE(hashed(left));
  EXPECT_EQ(rows(left), "10-5 20-7 30-");
  const std::string either = "a LEFT JOIN b ON a.k = b.k AND (a.v = 10 OR b.w = 7)";
  EXPECT_EQ(rows(either), "10-5 20-7 30-");
}

}  // namespace
}  // namespace meesh::engine
