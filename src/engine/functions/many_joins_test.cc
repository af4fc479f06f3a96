#include <gtest/gtest.h>

#include "duckdb.hpp"
#include "engine/duck.h"

namespace meesh::engine {
namespace {

/// More tables than are planned together, joined on k; each has the rows (1, i), (2, i), (3, i).
class ManyJoins : public testing::Test {
 protected:
  static constexpr int kTables = 70;

  ManyJoins() : db_(nullptr), connection_(db_) {
    register_functions(*db_.instance);
    for (int i = 0; i < kTables; ++i)
      connection_.Query("CREATE TABLE t" + std::to_string(i) + " AS SELECT k, " +
                        std::to_string(i) + " AS v FROM range(1, 4) r(k)");
  }

  static std::string joined(const std::string& kind, int tables = kTables) {
    std::string out = "t0";
    for (int i = 1; i < tables; ++i) {
      const std::string name = "t" + std::to_string(i);
      out += " " + kind + " JOIN " + name + " ON t" + std::to_string(i / 2) + ".k = " + name + ".k";
    }
    return out;
  }
  std::string answer(const std::string& sql, size_t column = 0) {
    auto result = connection_.Query(sql);
    return result->HasError() ? result->GetError() : result->GetValue(column, 0).ToString();
  }

 private:
  duckdb::DuckDB db_;
  duckdb::Connection connection_;
};

TEST_F(ManyJoins, AreDivided) {
  const auto plan = [&](int tables) {
    return answer("EXPLAIN (FORMAT json) SELECT count(*) FROM " + joined("", tables), 1);
  };
  EXPECT_EQ(plan(50).find("meesh_same"), std::string::npos);
  EXPECT_NE(plan(70).find("meesh_same"), std::string::npos);
}

TEST_F(ManyJoins, EveryColumnKeepsItsValue) {
  std::string all;
  for (int i = 0; i < kTables; ++i) all += (i ? " + t" : "t") + std::to_string(i) + ".v";
  EXPECT_EQ(answer("SELECT sum(" + all + ") FROM " + joined("")), std::to_string(3 * 69 * 35));
  EXPECT_EQ(answer("SELECT list(t7.v * 1000 + t60.v + t69.k ORDER BY t69.k) FROM " + joined("")),
            "[7061, 7062, 7063]");
}

TEST_F(ManyJoins, ConditionsOnBothSidesOfTheDivision) {
  EXPECT_EQ(answer("SELECT count(*) FROM " + joined("") + " WHERE t3.k > 1 AND t66.k < 3"), "1");
  EXPECT_EQ(answer("SELECT count(*) FROM " + joined("") + " WHERE t3.k + t66.k > 4"), "1");
  EXPECT_EQ(answer("SELECT count(*) FROM " + joined("") +
                   " WHERE EXISTS (SELECT 1 FROM t0 x WHERE x.k = t2.k AND x.k < t67.k + 0)"),
            "0");
  EXPECT_EQ(answer("SELECT (SELECT max(x.k) FROM t0 x WHERE x.k <= t5.k) FROM " + joined("") +
                   " ORDER BY t68.k DESC"),
            "3");
}

TEST_F(ManyJoins, BesideOtherOperators) {
  EXPECT_EQ(answer("SELECT count(*) FROM " + joined("LEFT")), "3");
  EXPECT_EQ(answer("SELECT count(*) FROM t1 AS x LEFT JOIN (SELECT t9.k, t60.v FROM " + joined("") +
                   ") y ON x.k = y.k WHERE y.v = 60"),
            "3");
  EXPECT_EQ(answer("WITH a AS (SELECT t9.k, t60.v FROM " + joined("") +
                   ") SELECT count(*) FROM a JOIN a b USING (k)"),
            "3");
}

}  // namespace
}  // namespace meesh::engine
