// PostgreSQL to the lake, end to end in one process.
#include <atomic>
#include <boost/json.hpp>
#include <thread>

#include "ingest/ingest_fixture_test.h"

namespace meesh::ingest {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr const char* kShop = "kind: postgresql\ncatalog: shop\n";

class PostgresIngestTest : public IngestTest {
 protected:
  PostgresIngestTest() { fresh_schema(); }
};

TEST_F(PostgresIngestTest, TakesATableWithWhereAndWhenItCameFrom) {
  pg("CREATE TABLE orders (id int PRIMARY KEY, who varchar(20), total numeric(10,2) NOT NULL)");
  pg("INSERT INTO orders VALUES (1, 'ann', 12.50), (2, NULL, 0)");
  write("sources/northwind.yaml", kShop);
  const auto result = sync("northwind", "orders");
  EXPECT_EQ(result.rows, 2u);
  EXPECT_GT(result.bytes, 0u);
  EXPECT_EQ(result.table, "lake.bronze.orders");
  EXPECT_THAT(rows("SELECT id, who, total, _source, CAST(_run_date AS varchar) FROM "
                   "lake.bronze.orders ORDER BY id"),
              ElementsAre("1|ann|12.50|northwind.public.orders|2025-01-15",
                          "2|NULL|0.00|northwind.public.orders|2025-01-15"));
  EXPECT_EQ(one("SELECT count(DISTINCT _ingestion_timestamp) FROM lake.bronze.orders WHERE "
                "_ingestion_timestamp BETWEEN current_timestamp - INTERVAL '1' HOUR AND "
                "current_timestamp"),
            "1");
  EXPECT_EQ(one("SELECT count(*) FROM lake.bronze.\"orders$files\" WHERE file_path LIKE "
                "'s3://bronze/orders/2025-01-15/%'"),
            "1");
}

TEST_F(PostgresIngestTest, TheSameDateAgainIsReplacedAndAnotherIsAdded) {
  pg("CREATE TABLE orders (id int); INSERT INTO orders SELECT generate_series(1, 1000)");
  write("sources/northwind.yaml", kShop);
  sync("northwind", "orders");
  pg("DELETE FROM orders WHERE id > 10");
  sync("northwind", "orders");
  EXPECT_EQ(one("SELECT count(*), max(id) FROM lake.bronze.orders"), "10|10");
  sync("northwind", "orders", "2025-01-16");
  EXPECT_THAT(rows("SELECT CAST(_run_date AS varchar), count(*) FROM lake.bronze.orders GROUP BY 1 "
                   "ORDER BY 1"),
              ElementsAre("2025-01-15|10", "2025-01-16|10"));
  // What was overwritten is still in the older snapshot.
  EXPECT_EQ(one("SELECT count(*) FROM lake.bronze.\"orders$snapshots\" WHERE operation = "
                "'overwrite'"),
            "1");
}

TEST_F(PostgresIngestTest, EveryTypeArrivesAsItIs) {
  pg("CREATE TYPE mood AS ENUM ('sad', 'glad')");
  pg("CREATE TABLE t (a smallint, b bigint, c real, d double precision, e numeric(20,5), f "
     "char(5), g text, h bytea, i date, j time, k timestamp, l timestamptz, m uuid, n jsonb, o "
     "inet, p mood, q int[], r boolean, s numeric)");
  pg("INSERT INTO t VALUES (1, 2, 1.5, 2.25, 3.14159, 'ALFKI', 'é', '\\x00ff', '2024-02-29', "
     "'01:02:03.000004', '2024-02-29 23:59:59.999999', '2024-02-29 23:59:59.5+02', "
     "'0c94a1f8-4b1c-4d8e-9a55-6a3f0a1b2c3d', '{\"a\": [1, null]}', '10.0.0.1', 'glad', '{1,2}', "
     "true, 1.25)");
  pg("INSERT INTO t (a) VALUES (NULL)");
  write("sources/s.yaml", kShop);
  EXPECT_EQ(sync("s", "t").rows, 2u);
  EXPECT_THAT(
      rows(
          "SELECT column_name, data_type FROM lake.information_schema.columns WHERE table_schema = "
          "'bronze' AND table_name = 't' AND column_name IN ('a', 'f', 'k', 'n', 'o', 'p', 'q') "
          "ORDER BY ordinal_position"),
      ElementsAre("a|integer", "f|varchar", "k|timestamp(6)", "n|varchar", "o|varchar", "p|varchar",
                  "q|array(integer)"));
  EXPECT_EQ(one("SELECT a, b, c, d, e, f, g, to_hex(h), CAST(i AS varchar), CAST(j AS varchar), "
                "CAST(k AS varchar), CAST(l AS varchar), CAST(m AS varchar), n, o, p, q[2], r "
                "FROM lake.bronze.t WHERE a = 1"),
            "1|2|1.5|2.25|3.14159|ALFKI|é|00FF|2024-02-29|01:02:03.000004|2024-02-29 "
            "23:59:59.999999|2024-02-29 21:59:59.500000 UTC|0c94a1f8-4b1c-4d8e-9a55-6a3f0a1b2c3d|"
            "{\"a\": [1, null]}|10.0.0.1/32|glad|2|true");
  EXPECT_EQ(one("SELECT count(*) FROM lake.bronze.t WHERE a IS NULL AND q IS NULL AND n IS NULL"),
            "1");
  EXPECT_THAT(log_, testing::Contains(HasSubstr("inet is kept as varchar")));
}

TEST_F(PostgresIngestTest, AnIncrementalRunAddsWhatIsNew) {
  pg("CREATE TABLE c (id int PRIMARY KEY, name text, updated_at timestamptz)");
  pg("INSERT INTO c SELECT i, 'v1', now() - interval '1 day' FROM generate_series(1, 100) i");
  write("sources/s.yaml",
        std::string(kShop) + "tables:\n  c: { mode: incremental, cursor: updated_at }\n");
  EXPECT_EQ(sync("s", "c").rows, 100u);
  EXPECT_EQ(sync("s", "c").rows, 0u);
  pg("UPDATE c SET name = 'v2', updated_at = now() WHERE id <= 3");
  pg("INSERT INTO c VALUES (101, 'v1', now())");
  EXPECT_EQ(sync("s", "c", "2025-01-16").rows, 4u);
  EXPECT_EQ(sync("s", "c", "2025-01-16").rows, 0u);
  EXPECT_THAT(
      rows("SELECT CAST(_run_date AS varchar), count(*) FROM lake.bronze.c GROUP BY 1 ORDER "
           "BY 1"),
      ElementsAre("2025-01-15|100", "2025-01-16|4"));
}

TEST_F(PostgresIngestTest, ACursorInTheFutureAndALateCommitLoseAndDoubleNothing) {
  pg("CREATE TABLE c (id int PRIMARY KEY, updated_at timestamp)");
  pg("INSERT INTO c VALUES (1, '2099-01-01'), (2, now() - interval '1 hour')");
  write("sources/s.yaml",
        std::string(kShop) +
            "tables:\n  c: { mode: incremental, cursor: updated_at, lookback: 10m }\n");
  EXPECT_EQ(sync("s", "c").rows, 2u);
  EXPECT_EQ(sync("s", "c").rows, 0u);
  pg("INSERT INTO c VALUES (3, now())");
  EXPECT_EQ(sync("s", "c").rows, 1u);
  // Its clock is behind, or it was committed after row 3.
  pg("INSERT INTO c VALUES (4, now() - interval '5 minutes')");
  EXPECT_EQ(sync("s", "c").rows, 1u);
  EXPECT_EQ(sync("s", "c").rows, 0u);
  EXPECT_EQ(one("SELECT count(*), count(DISTINCT id) FROM lake.bronze.c"), "4|4");
}

TEST_F(PostgresIngestTest, ATransactionThatStillWritesHoldsThePositionBack) {
  pg("CREATE TABLE c (id int PRIMARY KEY, updated_at timestamptz)");
  write("sources/s.yaml",
        std::string(kShop) +
            "tables:\n  c: { mode: incremental, cursor: updated_at, lookback: 0s }\n");
  pg("INSERT INTO c VALUES (1, now())");
  PGconn* writer = PQconnectdb(server().dsn().c_str());
  PQclear(PQexec(writer, "BEGIN; INSERT INTO c VALUES (2, now())"));
  pg("INSERT INTO c VALUES (3, clock_timestamp())");
  EXPECT_EQ(sync("s", "c").rows, 2u);
  PQclear(PQexec(writer, "COMMIT"));
  PQfinish(writer);
  EXPECT_EQ(sync("s", "c").rows, 1u);
  EXPECT_EQ(one("SELECT count(*), count(DISTINCT id) FROM lake.bronze.c"), "3|3");
}

TEST_F(PostgresIngestTest, NumbersAndTablesWithoutKeyAreCursorsToo) {
  pg("CREATE TABLE n (id bigint, note text)");
  pg("INSERT INTO n SELECT i, NULL FROM generate_series(-5, 10) i");
  write("sources/s.yaml",
        std::string(kShop) + "tables:\n  n: { mode: incremental, cursor: id, lookback: 3 }\n");
  EXPECT_EQ(sync("s", "n").rows, 16u);
  pg("INSERT INTO n VALUES (9, 'late'), (11, NULL)");
  EXPECT_EQ(sync("s", "n").rows, 2u);
  EXPECT_EQ(sync("s", "n").rows, 0u);
  EXPECT_THAT(rows("SELECT id, note FROM lake.bronze.n GROUP BY 1, 2 HAVING count(*) > 1"),
              ElementsAre());
  EXPECT_EQ(one("SELECT count(*) FROM lake.bronze.n"), "18");
}

TEST_F(PostgresIngestTest, AFullRefreshOfAnIncrementalTableTakesAllAndGoesOnFromThere) {
  pg("CREATE TABLE c (id int PRIMARY KEY)");
  pg("INSERT INTO c SELECT generate_series(1, 5)");
  write("sources/s.yaml", std::string(kShop) + "tables:\n  c: { mode: incremental, cursor: id }\n");
  sync("s", "c");
  EXPECT_EQ(sync("s", "c", "2025-01-15", true).rows, 5u);
  EXPECT_EQ(one("SELECT count(*) FROM lake.bronze.c"), "5");
  pg("INSERT INTO c VALUES (6)");
  EXPECT_EQ(sync("s", "c").rows, 1u);
}

TEST_F(PostgresIngestTest, TheTableGrowsWithItsSource) {
  pg("CREATE TABLE t (id int, gone text, amount numeric(6,2)); INSERT INTO t VALUES (1, 'x', 1)");
  write("sources/s.yaml", kShop);
  sync("s", "t");
  pg("ALTER TABLE t DROP COLUMN gone, ADD COLUMN fresh date NOT NULL DEFAULT '2024-01-01', ALTER "
     "COLUMN id TYPE bigint, ALTER COLUMN amount TYPE numeric(12,2)");
  const auto result = sync("s", "t", "2025-01-16");
  EXPECT_THAT(result.notes, testing::UnorderedElementsAre(
                                "column id was integer, and is bigint now",
                                "column amount was decimal(6,2), and is decimal(12,2) now",
                                "column fresh date is new"));
  EXPECT_THAT(rows("SELECT id, gone, amount, CAST(fresh AS varchar) FROM lake.bronze.t ORDER BY "
                   "_run_date"),
              ElementsAre("1|x|1.00|NULL", "1|NULL|1.00|2024-01-01"));
}

TEST_F(PostgresIngestTest, AColumnThatBecameSomethingElseIsToldWithTheWayOut) {
  pg("CREATE TABLE t (id int, v int); INSERT INTO t VALUES (1, 7)");
  write("sources/s.yaml", kShop);
  sync("s", "t");
  pg("ALTER TABLE t ALTER COLUMN v TYPE text USING 'seven'");
  const auto said = failure([&] { sync("s", "t"); });
  EXPECT_THAT(said,
              HasSubstr("TYPE_MISMATCH Column 'v' of s.public.t is varchar now, and integer in "
                        "lake.bronze.t"));
  EXPECT_EQ(one("SELECT v FROM lake.bronze.t"), "7");
  const std::string way = "ALTER TABLE lake.bronze.t RENAME COLUMN \"v\" TO \"v_until_now\"";
  ASSERT_THAT(said, HasSubstr(way));
  rows(way);
  sync("s", "t", "2025-01-16");
  EXPECT_THAT(rows("SELECT v_until_now, v FROM lake.bronze.t ORDER BY _run_date"),
              ElementsAre("7|NULL", "NULL|seven"));
}

TEST_F(PostgresIngestTest, ReadsOneStateOfATableThatChangesMeanwhile) {
  pg("CREATE TABLE account (id int PRIMARY KEY, money bigint)");
  pg("INSERT INTO account SELECT i, 100 FROM generate_series(1, 200000) i");
  write("sources/s.yaml", kShop);
  std::atomic<bool> stop = false;
  std::thread mover([&] {
    PGconn* connection = PQconnectdb(server().dsn().c_str());
    for (int i = 0; !stop; ++i) {
      // From one end of the table to the other, so that a torn read would lose or double it.
      const auto id = std::to_string(i % 100000 + 1);
      PQclear(PQexec(connection, ("UPDATE account SET money = CASE WHEN id = " + id +
                                  " THEN money - 10 ELSE money + 10 END WHERE id IN (" + id +
                                  ", 200001 - " + id + ")")
                                     .c_str()));
    }
    PQfinish(connection);
  });
  for (int day = 10; day < 15; ++day) sync("s", "account", "2025-01-" + std::to_string(day));
  stop = true;
  mover.join();
  EXPECT_THAT(rows("SELECT DISTINCT count(*), count(DISTINCT id), sum(money) FROM "
                   "lake.bronze.account GROUP BY _run_date"),
              ElementsAre("200000|200000|20000000"));
}

TEST_F(PostgresIngestTest, OfTwoServersThatSyncTheSameOneIsRefused) {
  pg("CREATE TABLE c (id int PRIMARY KEY)");
  pg("INSERT INTO c SELECT generate_series(1, 5)");
  write("sources/s.yaml", std::string(kShop) + "tables:\n  c: { mode: incremental, cursor: id }\n");
  auto& first = ingest();
  // The log of the sync is where another server's sync comes in between.
  pg("ALTER TABLE c ADD COLUMN o inet");
  bool once = true;
  TaskContext meddled = context_;
  meddled.log = [&](log::Level, const std::string&) {
    if (!std::exchange(once, false)) return;
    for (const char* catalog : {"$files", "$ingest"}) engine_->drop_catalog(catalog);
    Ingest other(environment());
    EXPECT_EQ(other.sync("s", "c", {false, "2025-01-15"}, context_).rows, 5u);
  };
  const auto said = failure([&] { first.sync("s", "c", {false, "2025-01-15"}, meddled); });
  EXPECT_FALSE(once);
  EXPECT_EQ(one("SELECT count(*) FROM lake.bronze.c"), "5") << said;
}

TEST_F(PostgresIngestTest, TheFolderTellsWhatIsInIt) {
  pg("CREATE TABLE orders (id int); INSERT INTO orders SELECT generate_series(1, 150)");
  write("sources/northwind.yaml", kShop);
  sync("northwind", "orders", "2025-01-14");
  pg("DELETE FROM orders WHERE id > 50");
  sync("northwind", "orders", "2025-01-15");
  const auto told = boost::json::parse(object("bronze", "orders/_metadata.json")).as_object();
  EXPECT_EQ(told.at("source"), "northwind.public.orders");
  EXPECT_EQ(told.at("type"), "postgresql");
  EXPECT_EQ(told.at("storage_mode"), "overwrite");
  EXPECT_EQ(told.at("total_records"), 200);
  const auto& partitions = told.at("partitions").as_array();
  ASSERT_EQ(partitions.size(), 2u);
  EXPECT_EQ(partitions[0].at("path"), "2025-01-14/");
  EXPECT_EQ(partitions[0].at("records"), 150);
  EXPECT_EQ(partitions[1].at("records"), 50);
}

TEST_F(PostgresIngestTest, DiscoversTablesKeysAndCursors) {
  pg("CREATE TABLE \"Orders\" (id int PRIMARY KEY, created_at timestamp, updated_at timestamp, odd "
     "numeric(3,-2)); CREATE VIEW v AS SELECT 1 AS one");
  write("sources/s.yaml", kShop);
  const auto streams = ingest().discover("s");
  ASSERT_EQ(streams.size(), 2u);
  EXPECT_EQ(streams[0].name, "orders");
  EXPECT_THAT(streams[0].key, ElementsAre("id"));
  EXPECT_THAT(streams[0].cursors, ElementsAre("updated_at", "id", "created_at"));
  EXPECT_THAT(streams[0].notes, ElementsAre(HasSubstr("odd")));
  EXPECT_TRUE(streams[1].is_view);
  EXPECT_THAT(ingest().check("s"), HasSubstr("schema public, 1 tables"));
  EXPECT_THAT(ingest().propose("s"),
              HasSubstr("orders: { mode: incremental, cursor: updated_at, key: [id] }"));
  EXPECT_EQ(sync("s", "orders").rows, 0u);
  EXPECT_EQ(one("SELECT count(*) FROM lake.bronze.orders"), "0");
}

TEST_F(PostgresIngestTest, HistoryTellsHowSyncsWent) {
  pg("CREATE TABLE t (id int); INSERT INTO t VALUES (1), (2)");
  write("sources/s.yaml", std::string(kShop) + "tables: { t: {}, missing: {} }\n");
  sync("s", "t");
  EXPECT_THAT(failure([&] { sync("s", "missing"); }),
              HasSubstr("mesh/sources/s.yaml:3:18: Source 's' has no table 'missing'"));
  const auto history = ingest().history("s", 10);
  ASSERT_EQ(history.size(), 2u);
  EXPECT_EQ(history[0].state, "failed");
  EXPECT_THAT(history[0].error, HasSubstr("missing"));
  EXPECT_EQ(history[1].state, "succeeded");
  EXPECT_EQ(history[1].rows, 2u);
  const auto status = ingest().status();
  ASSERT_EQ(status.size(), 2u);
  EXPECT_EQ(status[1].stream, "t");
  EXPECT_EQ(status[1].succeeded, 1u);
  EXPECT_EQ(status[1].table, "lake.bronze.t");
}

TEST_F(PostgresIngestTest, AServerThatIsNoCatalogOfTheMesh) {
  pg("CREATE TABLE t (id int); INSERT INTO t VALUES (1)");
  const auto yaml = fmt::format(
      "kind: postgresql\nconnection: {{ host: 127.0.0.1, port: {}, name: shop, user: boss, "
      "password: "
      "\"it's \\\\ a \\\"secret\\\"\" }}\ninto: {{ table: \"far_{{table}}\" }}\n",
      server().port());
  EXPECT_THAT(ingest().add("far", yaml), HasSubstr("PostgreSQL"));
  EXPECT_EQ(sync("far", "t").table, "lake.bronze.far_t");
  EXPECT_EQ(one("SELECT id, _source FROM lake.bronze.far_t"), "1|far.public.t");
  EXPECT_THAT(failure([&] { ingest().add("far", yaml); }), HasSubstr("ALREADY_EXISTS"));
}

TEST_F(PostgresIngestTest, RunDatesAreDays) {
  pg("CREATE TABLE t (id int)");
  write("sources/s.yaml", kShop);
  for (const char* wrong : {"2025-02-29", "yesterday", "2025-1-1", "2025-01-15' OR '1'='1"})
    EXPECT_THAT(failure([&] { sync("s", "t", wrong); }), HasSubstr("INVALID_ARGUMENTS")) << wrong;
}

}  // namespace
}  // namespace meesh::ingest
