// Random statements on an Iceberg table and on a table in memory, which must stay the same.
#include <random>

#include "engine/catalogs/lake_fixture_test.h"

namespace meesh::engine {
namespace {

using testing::ElementsAreArray;

class LakeRandomTest : public LakeTest {
 protected:
  using Random = std::mt19937;

  struct Kept {
    std::string snapshot;
    std::string list;  // the columns there were
    std::vector<std::string> rows;
  };

  size_t below(size_t limit) {
    return std::uniform_int_distribution<size_t>(0, limit - 1)(random_);
  }

  std::string list() const {
    std::string out;
    for (const auto& column : columns_) out += (out.empty() ? "" : ", ") + column;
    return out;
  }
  std::vector<std::string> state(const std::string& table) {
    return rows(fmt::format("SELECT {0} FROM {1} ORDER BY {0}", list(), table));
  }
  std::string value() {
    return below(6) == 0 ? "NULL" : std::to_string(static_cast<int>(below(40)) - 20);
  }
  std::string condition() {
    const std::string column = columns_[below(columns_.size())];
    switch (below(6)) {
      case 0:
        return column + " IS NULL";
      case 1:
        return fmt::format("{} IN ({}, {})", column, below(20), below(20));
      case 2:
        return fmt::format("NOT ({} > {} AND {} IS NOT NULL)", column, below(20), columns_[0]);
      case 3:
        return fmt::format("{} BETWEEN -{} AND {}", column, below(20), below(20));
      case 4:
        return fmt::format("({} < {} OR {} = {})", column, below(20), columns_[0], below(20));
      default:
        return fmt::format("{} {} {}", column, below(2) ? "<=" : "<>", below(20));
    }
  }
  void both(const std::string& start, const std::string& rest) {
    SCOPED_TRACE(start + "t" + rest);
    const auto lake = run(start + "t" + rest), memory = run(start + kMemory + rest);
    EXPECT_EQ(lake.changed, memory.changed);
  }

  void insert() {
    std::string values;
    for (size_t n = 1 + below(8); n > 0; --n) {
      std::string row;
      for (size_t i = 0; i < columns_.size(); ++i) row += (i ? ", " : "") + value();
      values += (values.empty() ? "(" : ", (") + row + ")";
    }
    both("INSERT INTO ", " (" + list() + ") VALUES " + values);
  }
  void add_column() {
    if (columns_.size() > 5) return;
    columns_.push_back(fmt::format("c{}", ++named_));
    both("ALTER TABLE ", " ADD COLUMN " + columns_.back() + " integer");
  }
  void drop_column() {
    if (columns_.size() < 4) return;
    // The first two are what the table is partitioned by.
    const size_t at = 2 + below(columns_.size() - 2);
    both("ALTER TABLE ", " DROP COLUMN " + columns_[at]);
    columns_.erase(columns_.begin() + static_cast<std::ptrdiff_t>(at));
  }
  void rename_column() {
    auto& column = columns_[below(columns_.size())];
    const std::string to = fmt::format("c{}", ++named_);
    both("ALTER TABLE ", fmt::format(" RENAME COLUMN {} TO {}", column, to));
    column = to;
  }
  void repartition() {
    static const char* kSpecs[] = {"ARRAY['{0}']", "ARRAY['bucket({0}, 3)']",
                                   "ARRAY['truncate({1}, 10)']", "ARRAY[]",
                                   "ARRAY['{1}', 'bucket({0}, 2)']"};
    const std::string spec = fmt::format(fmt::runtime(kSpecs[below(5)]), columns_[0], columns_[1]);
    if (spec == "ARRAY[]") return;
    run("ALTER TABLE t SET PROPERTIES partitioning = " + spec);
  }
  void merge() {
    const std::string& key = columns_[0];
    const std::string& other = columns_[1];
    const auto text = fmt::format(
        " AS m USING (SELECT k, max(v) AS v FROM (VALUES ({}, {}), ({}, {}), ({}, {})) AS s(k, v) "
        "GROUP BY k) AS s ON m.{} = s.k WHEN MATCHED AND s.v > 10 THEN DELETE WHEN MATCHED THEN "
        "UPDATE SET {} = s.v WHEN NOT MATCHED THEN INSERT ({}, {}) VALUES (s.k, s.v)",
        below(20), below(20), below(20), below(20), below(20), below(20), key, other, key, other);
    both("MERGE INTO ", text);
  }

  void step() {
    switch (below(12)) {
      case 0:
        return add_column();
      case 1:
        return drop_column();
      case 2:
        return rename_column();
      case 3:
        return repartition();
      case 4:
        return both("DELETE FROM ", " WHERE " + condition());
      case 5:
        return both("UPDATE ", fmt::format(" SET {} = {} WHERE {}",
                                           columns_[below(columns_.size())], value(), condition()));
      case 6:
        return merge();
      default:
        return insert();
    }
  }

  void check() {
    ASSERT_THAT(state("t"), ElementsAreArray(state(kMemory)));
    const std::string where = condition();
    SCOPED_TRACE(where);
    ASSERT_EQ(one("SELECT count(*) FROM t WHERE " + where),
              one(fmt::format("SELECT count(*) FROM {} WHERE {}", kMemory, where)));
  }

  static constexpr const char* kMemory = "memory.default.m";
  Random random_{::testing::UnitTest::GetInstance()->random_seed() == 0
                     ? 20250115u
                     : static_cast<unsigned>(::testing::UnitTest::GetInstance()->random_seed())};
  std::vector<std::string> columns_ = {"a", "b", "c"};
  int named_ = 0;
};

TEST_F(LakeRandomTest, StaysEqualToATableInMemory) {
  run("CREATE TABLE t (a integer, b integer, c integer) WITH (partitioning = ARRAY['bucket(a, "
      "3)'])");
  run(fmt::format("CREATE TABLE {} (a integer, b integer, c integer)", kMemory));
  std::vector<Kept> kept;
  for (int i = 0; i < 60 && !HasFatalFailure(); ++i) {
    SCOPED_TRACE(fmt::format("step {}", i));
    step();
    check();
    if (i % 10 != 9) continue;
    const auto snapshot = catalog_->load({{"s"}, "t"}).metadata->current_snapshot_id;
    // Columns are those of the snapshot's own schema, which may be older than the table's.
    std::string names;
    for (const auto& column :
         run(fmt::format("SELECT * FROM t FOR VERSION AS OF {}", *snapshot)).columns)
      names += (names.empty() ? "" : ", ") + column.name;
    kept.push_back({std::to_string(*snapshot), names, {}});
    kept.back().rows = rows(fmt::format("SELECT {0} FROM t FOR VERSION AS OF {1} ORDER BY {0}",
                                        names, kept.back().snapshot));
  }
  for (const auto& old : kept) {
    EXPECT_THAT(rows(fmt::format("SELECT {0} FROM t FOR VERSION AS OF {1} ORDER BY {0}", old.list,
                                 old.snapshot)),
                ElementsAreArray(old.rows));
  }
}

}  // namespace
}  // namespace meesh::engine
