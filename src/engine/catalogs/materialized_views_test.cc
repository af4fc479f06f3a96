// Materialized views of the lake.
#include <fmt/format.h>

#include <array>
#include <thread>

#include "engine/catalogs/lake_fixture_test.h"
#include "lake/maintenance.h"
#include "lake/refresh_state.h"
#include "lake/scan.h"

namespace meesh::engine {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

class MaterializedViewTest : public LakeTest {
 protected:
  MaterializedViewTest() {
    run("CREATE TABLE orders (id bigint, country varchar, amount decimal(10, 2))");
    run("INSERT INTO orders VALUES (1, 'CH', 10), (2, 'CH', 20), (3, 'AT', 5)");
  }
  /// How the rows of v are read now.
  std::string freshness(const std::string& view = "v") {
    return one("SELECT freshness FROM system.metadata.materialized_views WHERE name = '" + view +
               "'");
  }
  lake::Table storage() { return catalog_->load({{"s"}, "v__storage"}); }
  size_t snapshots() { return storage().metadata->snapshots.size(); }

  static constexpr const char* kTotals =
      "SELECT country, sum(amount) AS total FROM orders GROUP BY country";
};

TEST_F(MaterializedViewTest, RowsAreThoseOfTheLastRefresh) {
  run(std::string("CREATE MATERIALIZED VIEW v AS ") + kTotals);
  // Not refreshed yet: as a view.
  EXPECT_EQ(freshness(), "STALE");
  EXPECT_THAT(rows("SELECT country, CAST(total AS varchar) FROM v ORDER BY 1"),
              ElementsAre("AT|5.00", "CH|30.00"));
  EXPECT_EQ(run("REFRESH MATERIALIZED VIEW v").changed, 2u);
  EXPECT_EQ(freshness(), "FRESH");
  run("INSERT INTO orders VALUES (4, 'AT', 1)");
  EXPECT_EQ(freshness(), "STALE");
  // Without a grace period, however old they are.
  EXPECT_THAT(rows("SELECT country, CAST(total AS varchar) FROM v ORDER BY 1"),
              ElementsAre("AT|5.00", "CH|30.00"));
  EXPECT_EQ(run("REFRESH MATERIALIZED VIEW v").changed, 2u);
  EXPECT_THAT(rows("SELECT country, CAST(total AS varchar) FROM v ORDER BY 1"),
              ElementsAre("AT|6.00", "CH|30.00"));
}

TEST_F(MaterializedViewTest, BeyondTheGracePeriodTheQueryIsRun) {
  run(std::string("CREATE MATERIALIZED VIEW v GRACE PERIOD INTERVAL '0' SECOND AS ") + kTotals);
  run(std::string("CREATE MATERIALIZED VIEW w GRACE PERIOD INTERVAL '1' DAY AS ") + kTotals);
  run(std::string(
          "CREATE MATERIALIZED VIEW x GRACE PERIOD INTERVAL '0' SECOND WHEN STALE FAIL AS ") +
      kTotals);
  EXPECT_THAT(failure("SELECT * FROM x"), HasSubstr("VIEW_IS_STALE"));
  for (const char* view : {"v", "w", "x"}) run(std::string("REFRESH MATERIALIZED VIEW ") + view);
  EXPECT_EQ(one("SELECT count(*) FROM x"), "2");
  run("INSERT INTO orders VALUES (4, 'DE', 1)");
  EXPECT_EQ(one("SELECT count(*) FROM v"), "3");
  EXPECT_EQ(one("SELECT count(*) FROM w"), "2");
  EXPECT_THAT(failure("SELECT * FROM x"),
              HasSubstr("VIEW_IS_STALE: Materialized view 'lake.s.x' is stale"));
}

TEST_F(MaterializedViewTest, ARefreshIsOneSnapshotThatSaysWhatItWasMadeOf) {
  run(std::string("CREATE MATERIALIZED VIEW v AS ") + kTotals);
  EXPECT_EQ(snapshots(), 0u);
  run("REFRESH MATERIALIZED VIEW v");
  run("DELETE FROM orders WHERE country = 'AT'");
  run("REFRESH MATERIALIZED VIEW v");
  EXPECT_EQ(snapshots(), 2u);
  const auto table = storage();
  const auto plan =
      lake::plan_scan(*cache_, *table.metadata, table.metadata->current_snapshot(), {});
  ASSERT_EQ(plan.files.size(), 1u);
  EXPECT_EQ(plan.files[0].file->records, 1);
  const auto state = lake::refresh_state(*table.metadata);
  ASSERT_TRUE(state);
  const auto source = catalog_->load({{"s"}, "orders"});
  ASSERT_EQ(state->sources.size(), 1u);
  EXPECT_EQ(state->sources[0].snapshot_id, source.metadata->current_snapshot_id);
  EXPECT_EQ(state->sources[0].uuid, source.metadata->uuid);
  EXPECT_EQ(table.metadata->current_snapshot()->summary.at("dependsOnTables"),
            fmt::format("s.orders={}", *source.metadata->current_snapshot_id));
  // Nothing is to do.
  EXPECT_EQ(run("REFRESH MATERIALIZED VIEW v").changed, 0u);
  EXPECT_EQ(snapshots(), 2u);
}

TEST_F(MaterializedViewTest, CompactionMakesNothingStale) {
  for (int n = 10; n < 16; ++n) run(fmt::format("INSERT INTO orders VALUES ({}, 'CH', 1)", n));
  run("CREATE MATERIALIZED VIEW v GRACE PERIOD INTERVAL '0' SECOND WITH (partitioning = "
      "ARRAY['country']) AS SELECT id, country FROM orders");
  run("REFRESH MATERIALIZED VIEW v");
  run("ALTER TABLE orders EXECUTE optimize");
  EXPECT_EQ(freshness(), "FRESH");
  run("DELETE FROM orders WHERE id = 1");
  EXPECT_EQ(freshness(), "STALE");
}

TEST_F(MaterializedViewTest, TheStateOutlivesItsSnapshot) {
  run("CREATE MATERIALIZED VIEW v AS SELECT id FROM orders");
  run("REFRESH MATERIALIZED VIEW v");
  const auto refreshed = lake::refresh_state(*storage().metadata);
  ASSERT_TRUE(refreshed);
  // The snapshot that compaction leaves behind says nothing of the refresh.
  auto metadata = *storage().metadata;
  auto compacted = *metadata.current_snapshot();
  compacted.parent_id = compacted.id;
  compacted.id += 1;
  compacted.summary = {{"operation", "replace"}};
  metadata.snapshots = {compacted};
  metadata.current_snapshot_id = compacted.id;
  EXPECT_EQ(lake::refresh_state(metadata), refreshed);
  metadata.snapshots[0].summary = {{"operation", "append"}};
  EXPECT_EQ(lake::refresh_state(metadata), std::nullopt);
}

TEST_F(MaterializedViewTest, SourcesElsewhereAreNeverKnownToBeFresh) {
  run("CREATE TABLE memory.default.rates AS SELECT 'CH' AS country, 2 AS rate");
  const std::string query =
      "SELECT o.id, o.amount * r.rate AS value FROM orders AS o JOIN memory.default.rates AS r ON "
      "o.country = r.country";
  run("CREATE MATERIALIZED VIEW v AS " + query);
  run("CREATE MATERIALIZED VIEW w GRACE PERIOD INTERVAL '0' SECOND AS " + query);
  EXPECT_EQ(run("REFRESH MATERIALIZED VIEW v").changed, 2u);
  EXPECT_EQ(run("REFRESH MATERIALIZED VIEW v").changed, 2u);
  run("REFRESH MATERIALIZED VIEW w");
  EXPECT_EQ(freshness(), "UNKNOWN");
  EXPECT_EQ(storage().metadata->current_snapshot()->summary.at("dependsOnTables"), "UNKNOWN");
  run("INSERT INTO memory.default.rates VALUES ('AT', 3)");
  EXPECT_EQ(one("SELECT count(*) FROM v"), "2");
  EXPECT_EQ(one("SELECT count(*) FROM w"), "3");
}

TEST_F(MaterializedViewTest, ViewsOnViewsAreStaleWithThem) {
  run("CREATE VIEW big AS SELECT * FROM orders WHERE amount >= 10");
  run("CREATE MATERIALIZED VIEW v AS SELECT id FROM big");
  run("REFRESH MATERIALIZED VIEW v");
  EXPECT_EQ(freshness(), "FRESH");
  run("CREATE MATERIALIZED VIEW w AS SELECT count(*) AS n FROM v");
  run("REFRESH MATERIALIZED VIEW w");
  EXPECT_EQ(freshness("w"), "FRESH");
  run("CREATE OR REPLACE VIEW big AS SELECT * FROM orders WHERE amount > 10");
  EXPECT_EQ(freshness(), "STALE");
  EXPECT_EQ(run("REFRESH MATERIALIZED VIEW v").changed, 1u);
  EXPECT_EQ(freshness("w"), "STALE");
  EXPECT_EQ(one("SELECT n FROM w"), "2");
  run("REFRESH MATERIALIZED VIEW w");
  EXPECT_EQ(one("SELECT n FROM w"), "1");
}

TEST_F(MaterializedViewTest, ColumnsHaveTheTypesThatAreStored) {
  run("CREATE MATERIALIZED VIEW v GRACE PERIOD INTERVAL '0' SECOND AS SELECT CAST(id AS smallint) "
      "AS small, CAST(country AS varchar(5)) AS word, TIMESTAMP '2025-01-01 00:00:00.123' AS at "
      "FROM orders");
  const auto expected = ElementsAre("small integer", "word varchar", "at timestamp(6)");
  EXPECT_THAT(shape("SELECT * FROM v"), expected);
  run("REFRESH MATERIALIZED VIEW v");
  EXPECT_THAT(shape("SELECT * FROM v"), expected);
  EXPECT_EQ(one("SELECT CAST(max(at) AS varchar) FROM v"), "2025-01-01 00:00:00.123000");
  EXPECT_THAT(failure("CREATE MATERIALIZED VIEW x AS SELECT JSON '1' AS j"),
              StartsWith("NOT_SUPPORTED"));
  EXPECT_THAT(rows("SHOW TABLES LIKE 'x%'"), IsEmpty());
}

TEST_F(MaterializedViewTest, RefreshChecksTheColumns) {
  run("CREATE MATERIALIZED VIEW v AS SELECT * FROM orders");
  run("ALTER TABLE orders ADD COLUMN more integer");
  EXPECT_THAT(failure("REFRESH MATERIALIZED VIEW v"), StartsWith("VIEW_IS_STALE"));
  run("ALTER TABLE orders DROP COLUMN more");
  run("ALTER TABLE orders DROP COLUMN amount");
  run("ALTER TABLE orders ADD COLUMN amount varchar");
  EXPECT_THAT(failure("REFRESH MATERIALIZED VIEW v"),
              HasSubstr("TYPE_MISMATCH: Insert query has mismatched column types: Table: "
                        "[bigint, varchar, decimal(10,2)], Query: [bigint, varchar, varchar]"));
  run("DROP TABLE orders");
  EXPECT_THAT(failure("REFRESH MATERIALIZED VIEW v"), StartsWith("INVALID_VIEW"));
}

TEST_F(MaterializedViewTest, CreateReplaceRenameAndDrop) {
  run("CREATE MATERIALIZED VIEW v COMMENT 'totals' WITH (partitioning = ARRAY['country'], "
      "sorted_by = ARRAY['id']) AS SELECT id, country FROM orders");
  EXPECT_THAT(one("SHOW CREATE MATERIALIZED VIEW v"),
              testing::AllOf(StartsWith("CREATE MATERIALIZED VIEW lake.s.v\nCOMMENT 'totals'\nWITH "
                                        "(\n   format = 'PARQUET',\n   format_version = 2,\n   "
                                        "location = 's3://datalake/warehouse/s/v/storage-"),
                             HasSubstr("   partitioning = ARRAY['country'],\n   sorted_by = "),
                             testing::EndsWith("\n) AS\nSELECT\n  id\n, country\nFROM\n  orders")));
  run("REFRESH MATERIALIZED VIEW v");
  EXPECT_EQ(failure("CREATE MATERIALIZED VIEW v AS SELECT 1 AS a"),
            "ALREADY_EXISTS: Materialized view already exists: 'lake.s.v'");
  run("CREATE MATERIALIZED VIEW IF NOT EXISTS v AS SELECT 1 AS a");
  EXPECT_EQ(one("SELECT count(*) FROM v"), "3");
  const auto before = storage();
  run("CREATE OR REPLACE MATERIALIZED VIEW v GRACE PERIOD INTERVAL '90' MINUTE AS SELECT 7 AS a");
  EXPECT_NE(storage().metadata->uuid, before.metadata->uuid);
  EXPECT_THAT(one("SHOW CREATE MATERIALIZED VIEW v"),
              StartsWith("CREATE MATERIALIZED VIEW lake.s.v\nGRACE PERIOD INTERVAL '5400.000' "
                         "SECOND\nWITH ("));
  EXPECT_THAT(objects_ending(".parquet"), testing::Each(HasSubstr("/s/orders/")));
  EXPECT_EQ(one("SELECT a FROM v"), "7");
  run("REFRESH MATERIALIZED VIEW v");
  EXPECT_THAT(rows("SHOW TABLES"), ElementsAre("orders", "v"));
  run("ALTER MATERIALIZED VIEW v RENAME TO w");
  EXPECT_EQ(one("SELECT a FROM w"), "7");
  EXPECT_THAT(rows("SHOW TABLES"), ElementsAre("orders", "w"));
  run("CREATE MATERIALIZED VIEW v AS SELECT 8 AS a");
  run("REFRESH MATERIALIZED VIEW v");
  EXPECT_EQ(one("SELECT v.a + w.a FROM v, w"), "15");
  run("DROP MATERIALIZED VIEW w");
  EXPECT_EQ(one("SELECT a FROM v"), "8");
  run("DROP MATERIALIZED VIEW v");
  run("DROP MATERIALIZED VIEW IF EXISTS v");
  EXPECT_THAT(catalog_->tables({"s"}), ElementsAre("orders"));
  EXPECT_THAT(objects_ending(".parquet"), testing::Each(HasSubstr("/s/orders/")));
}

TEST_F(MaterializedViewTest, OtherStatementsSayWhatItIs) {
  run("CREATE TABLE t AS SELECT 1 AS a");
  run("CREATE VIEW plain AS SELECT 1 AS a");
  run("CREATE MATERIALIZED VIEW v AS SELECT a FROM t");
  EXPECT_THAT(failure("INSERT INTO v VALUES 1"),
              HasSubstr("Inserting into materialized views is not supported"));
  EXPECT_THAT(failure("DELETE FROM v"),
              HasSubstr("Deleting from materialized views is not supported"));
  EXPECT_THAT(failure("UPDATE v SET a = 1"),
              HasSubstr("Updating materialized views is not supported"));
  EXPECT_THAT(failure("DROP VIEW v"),
              HasSubstr("View 'lake.s.v' does not exist, but a materialized view with that name "
                        "exists. Did you mean DROP MATERIALIZED VIEW lake.s.v?"));
  EXPECT_THAT(failure("DROP TABLE v"),
              HasSubstr("Table 'lake.s.v' does not exist, but a materialized view with that name "
                        "exists. Did you mean DROP MATERIALIZED VIEW lake.s.v?"));
  EXPECT_THAT(failure("DROP MATERIALIZED VIEW plain"),
              HasSubstr("but a view with that name exists. Did you mean DROP VIEW lake.s.plain?"));
  EXPECT_THAT(failure("DROP MATERIALIZED VIEW t"),
              HasSubstr("but a table with that name exists. Did you mean DROP TABLE lake.s.t?"));
  EXPECT_THAT(failure("REFRESH MATERIALIZED VIEW plain"),
              HasSubstr("Materialized view 'lake.s.plain' does not exist"));
  EXPECT_THAT(failure("COMMENT ON VIEW v IS 'x'"),
              HasSubstr("Setting comments on materialized views is unsupported."));
  EXPECT_THAT(failure("CREATE OR REPLACE VIEW v AS SELECT 1 AS a"),
              HasSubstr("Materialized view already exists"));
  EXPECT_THAT(failure("CREATE OR REPLACE MATERIALIZED VIEW v AS SELECT * FROM v"),
              HasSubstr("VIEW_IS_RECURSIVE"));
  EXPECT_THAT(failure("CREATE MATERIALIZED VIEW x WITH (nope = 1) AS SELECT 1 AS a"),
              HasSubstr("INVALID_MATERIALIZED_VIEW_PROPERTY: Catalog 'lake' "
                        "materialized view property 'nope' does not exist"));
  EXPECT_THAT(failure("CREATE MATERIALIZED VIEW memory.default.x AS SELECT 1 AS a"),
              HasSubstr("This connector does not support creating materialized views"));
  EXPECT_THAT(failure("INSERT INTO v__storage VALUES 1"),
              HasSubstr("holds the rows of a materialized view"));
  EXPECT_THAT(failure("DROP TABLE v__storage"), HasSubstr("holds the rows of a materialized view"));
  run("COMMENT ON COLUMN v.a IS 'of t'");
  run("REFRESH MATERIALIZED VIEW v");
  run("COMMENT ON COLUMN v.a IS 'of all'");
  EXPECT_EQ(freshness(), "FRESH");
}

TEST_F(MaterializedViewTest, WhereTheRowsGoTheUserMustBeAllowedToWrite) {
  const std::string user = "owner of v";
  run("CREATE MATERIALIZED VIEW v AS SELECT 1 AS a", user);
  for (const std::string place : {"write.metadata.path", "write.data.path"}) {
    EXPECT_THAT(
        failure("CREATE OR REPLACE MATERIALIZED VIEW v WITH (extra_properties = MAP(ARRAY['" +
                    place + "'], ARRAY['" + kPlace + "/s/other/x'])) AS SELECT 1 AS a",
                user),
        HasSubstr("PERMISSION_DENIED"))
        << place;
  }
}

TEST_F(MaterializedViewTest, MetadataShowsThemAsTablesAndNotTheirStorage) {
  run("CREATE MATERIALIZED VIEW v AS SELECT id FROM orders");
  run("CREATE TABLE my__storage AS SELECT 1 AS a");
  EXPECT_THAT(rows("SELECT table_name, table_type FROM information_schema.tables WHERE "
                   "table_schema = 's' ORDER BY 1"),
              ElementsAre("my__storage|BASE TABLE", "orders|BASE TABLE", "v|BASE TABLE"));
  EXPECT_THAT(rows("SELECT table_name FROM information_schema.views WHERE table_schema = 's'"),
              IsEmpty());
  EXPECT_THAT(rows("SELECT table_name, table_type FROM system.jdbc.tables WHERE table_cat = 'lake' "
                   "AND table_schem = 's' AND table_name = 'v'"),
              ElementsAre("v|TABLE"));
  EXPECT_EQ(one("SELECT storage_catalog || storage_schema || storage_table || definition FROM "
                "system.metadata.materialized_views WHERE schema_name = 's'"),
            "lakesv__storageSELECT id FROM orders");
  EXPECT_THAT(failure("SHOW CREATE TABLE v"), HasSubstr("is a materialized view, not a table"));
  // An orphan is a table like any other.
  catalog_->drop_view({{"s"}, "v"});
  EXPECT_THAT(rows("SHOW TABLES"), ElementsAre("my__storage", "orders", "v__storage"));
  run("DROP TABLE v__storage");
}

TEST_F(MaterializedViewTest, WhoMayReadAndRefresh) {
  run("CREATE MATERIALIZED VIEW v AS SELECT id FROM orders");
  EXPECT_THAT(failure("REFRESH MATERIALIZED VIEW v", "reader"), HasSubstr("PERMISSION_DENIED"));
  run("REFRESH MATERIALIZED VIEW v");
  EXPECT_EQ(run("SELECT count(*) FROM v", "reader").rows, std::vector<std::string>{"3"});
  EXPECT_THAT(failure("SELECT * FROM v", "nobody"), HasSubstr("PERMISSION_DENIED"));
  for (const char* text : {"DROP MATERIALIZED VIEW v", "ALTER MATERIALIZED VIEW v RENAME TO w",
                           "CREATE OR REPLACE MATERIALIZED VIEW v AS SELECT 1 AS a"}) {
    EXPECT_THAT(failure(text, "reader"), HasSubstr("PERMISSION_DENIED")) << text;
  }
  EXPECT_EQ(one("SELECT count(*) FROM v"), "3");
}

TEST_F(MaterializedViewTest, RefreshesAtOnceLeaveEveryRowOnce) {
  run("CREATE MATERIALIZED VIEW v AS SELECT id FROM orders");
  for (int round = 0; round < 3; ++round) {
    run(fmt::format("INSERT INTO orders VALUES ({}, 'CH', 1)", 100 + round));
    std::vector<std::thread> threads;
    std::array<std::string, 4> failures;
    for (auto& told : failures) {
      threads.emplace_back([this, &told] {
        try {
          run("REFRESH MATERIALIZED VIEW v");
        } catch (const Error& error) {
          told = error.what();
        }
      });
    }
    for (auto& thread : threads) thread.join();
    EXPECT_THAT(failures, testing::Each(""));
    EXPECT_EQ(one("SELECT count(*), count(DISTINCT id) FROM v"), fmt::format("{0}|{0}", 4 + round));
    EXPECT_EQ(freshness(), "FRESH");
  }
}

TEST_F(MaterializedViewTest, AFailedRefreshLeavesTheRowsThatThereWere) {
  run("CREATE MATERIALIZED VIEW v AS SELECT 100 / (id - 9) AS x FROM orders");
  run("REFRESH MATERIALIZED VIEW v");
  const auto files = objects_ending(".parquet").size();
  run("INSERT INTO orders VALUES (9, 'CH', 1)");
  EXPECT_THAT(failure("REFRESH MATERIALIZED VIEW v"), HasSubstr("DIVISION_BY_ZERO"));
  EXPECT_EQ(one("SELECT count(*) FROM v"), "3");
  EXPECT_EQ(objects_ending(".parquet").size(), files + 1);
}

TEST_F(MaterializedViewTest, StorageThatIsGoneIsNoEnd) {
  run("CREATE MATERIALIZED VIEW v AS SELECT id FROM orders");
  run("REFRESH MATERIALIZED VIEW v");
  catalog_->drop({{"s"}, "v__storage"});
  EXPECT_EQ(one("SELECT count(*) FROM v"), "3");
  EXPECT_THAT(failure("REFRESH MATERIALIZED VIEW v"), HasSubstr("storage table"));
  run("CREATE OR REPLACE MATERIALIZED VIEW v AS SELECT id FROM orders");
  EXPECT_EQ(run("REFRESH MATERIALIZED VIEW v").changed, 3u);
  run("DROP SCHEMA s CASCADE");
}

}  // namespace
}  // namespace meesh::engine
