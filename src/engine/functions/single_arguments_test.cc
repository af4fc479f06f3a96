#include <gtest/gtest.h>

#include "duckdb.hpp"
#include "engine/duck.h"

namespace meesh::engine {
namespace {

class SingleArguments : public testing::Test {
 protected:
  SingleArguments() : db_(nullptr), connection_(db_) { register_functions(*db_.instance); }

  std::string answer(const std::string& sql, size_t column = 0) {
    auto result = connection_.Query(sql);
    return result->HasError() ? result->GetError() : result->GetValue(column, 0).ToString();
  }
  std::string plan(const std::string& sql) { return answer("EXPLAIN " + sql, 1); }

  static std::string nested(const std::string& call, int times, const std::string& inside) {
    std::string out = inside;
    for (int i = 0; i < times; ++i) out = call + out + ")";
    return out;
  }

 private:
  duckdb::DuckDB db_;
  duckdb::Connection connection_;
};

TEST_F(SingleArguments, CallsWithinCallsDoNotDouble) {
  EXPECT_EQ(answer("SELECT " + nested("trino_greatest(1, ", 300, "x") + " FROM (VALUES (2)) t(x)"),
            "2");
  EXPECT_EQ(answer("SELECT " + nested("trino_greatest(1, ", 300, "2")), "2");
  EXPECT_EQ(answer("SELECT " + nested("trino_least(9, ", 300, "(SELECT max(x))") +
                   " FROM (VALUES (2), (3)) t(x)"),
            "3");
}

TEST_F(SingleArguments, ARandomValueIsOne) {
  EXPECT_EQ(answer("SELECT count(*) FROM (SELECT trino_greatest(random(), 0.5::DOUBLE) r FROM "
                   "range(10000)) WHERE r < 0.5"),
            "0");
}

TEST_F(SingleArguments, ASubqueryUsedOnceStaysWhereItIs) {
  EXPECT_EQ(plan("SELECT trino_add((SELECT max(x) FROM range(9) t(x)), 1)").find("meesh_once"),
            std::string::npos);
  EXPECT_NE(plan("SELECT trino_greatest((SELECT max(x) FROM range(9) t(x)), 1::BIGINT)")
                .find("meesh_once"),
            std::string::npos);
}

TEST_F(SingleArguments, NullsAndErrorsOfASubquery) {
  EXPECT_EQ(answer("SELECT trino_greatest((SELECT 1 WHERE FALSE), 2)"), "NULL");
  EXPECT_EQ(answer("SELECT trino_try(trino_divide(1, (SELECT 0)))"), "NULL");
  EXPECT_NE(answer("SELECT trino_greatest(trino_divide(1, (SELECT 0)), 2)").find("zero"),
            std::string::npos);
}

TEST_F(SingleArguments, KeysOfOuterJoinsAreHashed) {
  answer("CREATE TABLE a AS SELECT [x] l, x::DOUBLE d FROM range(9) t(x)");
  for (const char* key : {"l", "d"}) {
    for (const char* kind : {"LEFT", "RIGHT", "FULL"}) {
      const std::string join = "SELECT * FROM a " + std::string(kind) +
                               " JOIN a b ON trino_on_eq(a." + key + ", b." + key + ")";
      EXPECT_NE(plan(join).find("HASH_JOIN"), std::string::npos) << join;
    }
  }
}

}  // namespace
}  // namespace meesh::engine
