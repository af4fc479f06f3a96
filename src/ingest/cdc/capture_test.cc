// Change data capture of a real PostgreSQL server into a lake of its own.
#include "ingest/cdc/capture.h"

#include <ctime>
#include <thread>

#include "base/text.h"
#include "ingest/ingest_fixture_test.h"
#include "ingest/sources/postgresql_changes.h"

namespace meesh::ingest {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class CaptureTest : public IngestTest {
 protected:
  CaptureTest() {
    if (pg("SHOW wal_level") != "logical") {
      pg("ALTER SYSTEM SET wal_level = logical");
      server().kill();
      server().start();
    }
    forget_server();
    fresh_schema();
    buffers_ = std::make_shared<engine::BufferTables>("$changes");
    engine_->add_catalog(engine::make_buffers_catalog(buffers_));
    ledger_ = std::make_unique<Ledger>(*database_, "test");
    config_.name = "shop";
    config_.kind = "postgresql";
  }
  ~CaptureTest() override {
    capture_.reset();
    source_.reset();
    forget_server();
  }

  static void forget_server() {
    for (int tries = 0; tries < 100; ++tries) {
      try {
        pg("SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots");
        break;
      } catch (const std::exception&) {  // the connection before is not quite gone
        std::this_thread::sleep_for(std::chrono::milliseconds(50));
      }
    }
    pg("DROP PUBLICATION IF EXISTS meesh_shop");
  }

  void table(const std::string& name, Write write = Write::kMerge) {
    TableConfig table;
    table.name = table.into = name;
    table.mode = Mode::kCdc;
    table.write = write;
    config_.tables[name] = table;
    tables_.push_back(table);
  }
  Capture& capture() {
    if (capture_) return *capture_;
    PostgresChangesOptions options;
    options.source = "shop";
    options.server = shop();
    options.schema = "public";
    options.buffers = buffers_;
    options.ordered_from = ordered_from_;
    source_ = make_postgres_changes(options);
    capture_ = std::make_unique<Capture>(
        CaptureEnvironment{*engine_, *ledger_, buffers_, "s3://bronze", {}, portion_}, config_,
        source_, tables_);
    return *capture_;
  }
  void run() { capture().run(Capture::Until::kCaughtUp, context_); }
  /// As a process that was ended and begun again.
  void begin_anew() {
    capture_.reset();
    source_.reset();
  }
  std::vector<std::string> current(const std::string& columns, const std::string& order = "id") {
    return rows("SELECT " + columns + " FROM lake.bronze.t ORDER BY " + order);
  }

  SourceConfig config_;
  std::vector<TableConfig> tables_;
  double ordered_from_ = 1e6;
  uint64_t portion_ = 1'000'000;
  std::shared_ptr<engine::BufferTables> buffers_;
  std::unique_ptr<Ledger> ledger_;
  std::shared_ptr<ChangeSource> source_;
  std::unique_ptr<Capture> capture_;
};

TEST_F(CaptureTest, SnapshotThenChanges) {
  pg("CREATE TABLE t (id int PRIMARY KEY, name text); INSERT INTO t VALUES (1, 'a'), (2, 'b')");
  table("t", Write::kBoth);
  run();
  EXPECT_THAT(current("id, name"), ElementsAre("1|a", "2|b"));
  pg("INSERT INTO t VALUES (3, 'c'); UPDATE t SET name = 'B' WHERE id = 2; DELETE FROM t WHERE id "
     "= 1");
  run();
  EXPECT_THAT(current("id, name"), ElementsAre("2|B", "3|c"));
  pg("INSERT INTO t VALUES (1, 'again')");
  begin_anew();
  run();
  EXPECT_THAT(current("id, name"), ElementsAre("1|again", "2|B", "3|c"));
  EXPECT_THAT(rows("SELECT _op, id, name FROM lake.bronze.t__changes ORDER BY _major, _minor, id"),
              ElementsAre("r|1|a", "r|2|b", "c|3|c", "u|2|B", "d|1|NULL", "c|1|again"));
}

TEST_F(CaptureTest, ChangedKeysMoveTheirRows) {
  pg("CREATE TABLE t (id int PRIMARY KEY, name text); INSERT INTO t SELECT g, 'n' || g FROM "
     "generate_series(1, 4) g");
  table("t", Write::kBoth);
  run();
  pg("UPDATE t SET id = id + 10 WHERE id > 2");
  run();
  EXPECT_THAT(current("id, name"), ElementsAre("1|n1", "2|n2", "13|n3", "14|n4"));
  EXPECT_THAT(rows("SELECT _op, id, _before_id FROM lake.bronze.t__changes WHERE _op <> 'r' ORDER "
                   "BY _major, _minor"),
              ElementsAre("u|13|3", "u|14|4"));
}

TEST_F(CaptureTest, UnchangedValuesThatLieApartStay) {
  pg("CREATE TABLE t (id int PRIMARY KEY, n int, body text); ALTER TABLE t ALTER body SET STORAGE "
     "EXTERNAL; INSERT INTO t SELECT g, 0, repeat(g::text, 9000) FROM generate_series(1, 6) g");
  table("t");
  run();
  pg("UPDATE t SET n = 1 WHERE id = 1");
  // One batch: set and kept, kept twice, moved and kept, gone and made anew.
  pg("BEGIN; UPDATE t SET body = repeat('x', 9000) WHERE id = 2; UPDATE t SET n = 2 WHERE id = 2; "
     "UPDATE t SET n = 3 WHERE id = 3; UPDATE t SET n = 4 WHERE id = 3; UPDATE t SET id = 14 WHERE "
     "id = 4; UPDATE t SET n = 7 WHERE id = 14; DELETE FROM t WHERE id = 5; INSERT INTO t VALUES "
     "(5, 5, 'new'); UPDATE t SET body = repeat('y', 9000) WHERE id = 6; UPDATE t SET id = 16 "
     "WHERE "
     "id = 6; COMMIT");
  run();
  EXPECT_THAT(current("id, n, length(body), substr(body, 1, 1)"),
              ElementsAre("1|1|9000|1", "2|2|9000|x", "3|4|9000|3", "5|5|3|n", "14|7|9000|4",
                          "16|0|9000|y"));
}

TEST_F(CaptureTest, TruncateEmpties) {
  pg("CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t VALUES (1), (2)");
  table("t", Write::kBoth);
  run();
  pg("INSERT INTO t VALUES (3); TRUNCATE t; INSERT INTO t VALUES (4)");
  run();
  EXPECT_THAT(current("id"), ElementsAre("4"));
  EXPECT_THAT(rows("SELECT _op, id FROM lake.bronze.t__changes WHERE _op <> 'r' ORDER BY _major, "
                   "_minor"),
              ElementsAre("c|3", "t|NULL", "c|4"));
}

TEST_F(CaptureTest, AllTypesLandAlikeFromSnapshotAndStream) {
  pg("CREATE TYPE mood AS ENUM ('sad', 'ok'); CREATE DOMAIN posint AS int CHECK (VALUE > 0);"
     "CREATE TABLE t (id int PRIMARY KEY, a bool, b smallint, c bigint, d real, e float8, f "
     "numeric(12,3), g numeric, h varchar(9), i char(4), j text, k date, l time, m timestamp, n "
     "timestamptz(3), o uuid, p bytea, q jsonb, r int[], s text[], u mood, v posint, w inet, x "
     "interval, y timestamp[], z numeric(5,2)[], aa oid, bb int4range)");
  const std::string row =
      ", true, -5, 9007199254740993, 1.1, 1e-300, -123456789.125, 12345.6789, 'vär', 'c', E'tab\\t"
      "back\\\\ nl\\n', '0044-03-15 BC', '23:59:59.5', '1999-12-31 23:59:59.999999', '2024-02-29 "
      "12:00:00+05:30', 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', '\\x00ff5c', '{\"a\": [1, "
      "\"é\"]}', '{1,NULL,3}', E'{a,\"b,\\\\\"c\",NULL,\"NULL\"}', 'ok', 7, '10.0.0.1/8', '1 day "
      "02:00', '{2020-01-01 00:00:00}', '{1.25,-3.5}', 4294967295, '[1,5)')";
  pg("INSERT INTO t VALUES (1" + row + "; INSERT INTO t (id) VALUES (3)");
  table("t");
  run();
  pg("INSERT INTO t VALUES (2" + row + "; INSERT INTO t (id) VALUES (4)");
  run();
  const std::string columns =
      "a, b, c, d, e, f, g, h, i, j, CAST(k AS varchar), CAST(l AS varchar), CAST(m AS varchar), "
      "CAST(n AS varchar), CAST(o AS varchar), to_hex(p), q, json_format(CAST(r AS JSON)), "
      "json_format(CAST(s AS JSON)), u, v, w, x, CAST(y[1] AS varchar), CAST(z[2] AS varchar), aa, "
      "bb";
  const auto landed = current(columns);
  ASSERT_EQ(landed.size(), 4);
  EXPECT_EQ(landed[0], landed[1]);
  EXPECT_EQ(landed[2], landed[3]);
  EXPECT_EQ(
      landed[0],
      "true|-5|9007199254740993|1.1|1e-300|-123456789.125|12345.6789000000|vär|c   "
      "|tab\tback\\ nl\n|-0043-03-15|23:59:59.500000|1999-12-31 23:59:59.999999|2024-02-29 "
      "06:30:00.000000 UTC|a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11|00FF5C|{\"a\": [1, \"é\"]}|[1,"
      "null,3]|[\"a\",\"b,\\\"c\",null,\"NULL\"]|ok|7|10.0.0.1/8|1 day 02:00:00|2020-01-01 "
      "00:00:00.000000|-3.50|4294967295|[1,5)");
}

TEST_F(CaptureTest, PartitionedTablesAreOne) {
  pg("CREATE TABLE t (id int, at date, PRIMARY KEY (id, at)) PARTITION BY RANGE (at); CREATE TABLE "
     "t1 PARTITION OF t FOR VALUES FROM ('2024-01-01') TO ('2025-01-01'); CREATE TABLE t2 "
     "PARTITION "
     "OF t FOR VALUES FROM ('2025-01-01') TO ('2026-01-01'); INSERT INTO t VALUES (1, "
     "'2024-05-05'), (2, '2025-05-05')");
  table("t");
  run();
  pg("INSERT INTO t VALUES (3, '2025-06-06'); UPDATE t SET at = '2025-01-01' WHERE id = 1; DELETE "
     "FROM t2 WHERE id = 2");
  run();
  EXPECT_THAT(current("id, CAST(at AS varchar)"), ElementsAre("1|2025-01-01", "3|2025-06-06"));
}

TEST_F(CaptureTest, ColumnsOfTheSourceComeAndGrow) {
  pg("CREATE TABLE t (id int PRIMARY KEY, a int); INSERT INTO t VALUES (1, 1)");
  table("t");
  run();
  pg("ALTER TABLE t ADD b text DEFAULT 'd'; INSERT INTO t VALUES (2, 2, 'x'); ALTER TABLE t ALTER "
     "a "
     "TYPE bigint; INSERT INTO t VALUES (3, 5000000000, 'y'); ALTER TABLE t DROP COLUMN b; INSERT "
     "INTO t VALUES (4, 4)");
  run();
  EXPECT_THAT(current("id, a, b"), ElementsAre("1|1|NULL", "2|2|x", "3|5000000000|y", "4|4|NULL"));
}

TEST_F(CaptureTest, WholeRowsCanBeTheKey) {
  pg("CREATE TABLE t (id int, name text); ALTER TABLE t REPLICA IDENTITY FULL; INSERT INTO t "
     "VALUES "
     "(1, NULL), (2, 'b')");
  table("t");
  run();
  pg("UPDATE t SET name = 'a' WHERE id = 1; DELETE FROM t WHERE id = 2; INSERT INTO t VALUES (3, "
     "NULL); UPDATE t SET id = 4 WHERE id = 3");
  run();
  EXPECT_THAT(current("id, name"), ElementsAre("1|a", "4|NULL"));
}

TEST_F(CaptureTest, WhatIsInTheWayIsSaidBefore) {
  pg("CREATE TABLE t (id int)");
  table("t");
  EXPECT_THAT(failure([&] { run(); }), HasSubstr("has no primary key"));
  EXPECT_EQ(pg("SELECT count(*) FROM pg_replication_slots"), "0");
  EXPECT_EQ(pg("SELECT count(*) FROM pg_publication"), "0");
  pg("ALTER TABLE t ADD PRIMARY KEY (id); ALTER TABLE t SET UNLOGGED");
  EXPECT_THAT(failure([&] { run(); }), HasSubstr("UNLOGGED"));
}

TEST_F(CaptureTest, OneTableIsTakenAnewOnARunningSlot) {
  pg("CREATE TABLE t (id int PRIMARY KEY); CREATE TABLE other (id int PRIMARY KEY); INSERT INTO t "
     "VALUES (1), (2); INSERT INTO other VALUES (1)");
  table("t", Write::kBoth);
  table("other");
  run();
  rows("DELETE FROM lake.bronze.t WHERE id = 2");
  rows(
      "INSERT INTO lake.bronze.t (id, _ingestion_timestamp) VALUES (77, TIMESTAMP '2020-01-01 "
      "00:00:00 UTC')");
  Capture::resync(*ledger_, config_, "t");
  pg("INSERT INTO t VALUES (3); INSERT INTO other VALUES (2)");
  run();
  EXPECT_THAT(current("id"), ElementsAre("1", "2", "3"));
  EXPECT_THAT(rows("SELECT _op, id FROM lake.bronze.t__changes ORDER BY _major, _minor, id NULLS "
                   "FIRST"),
              ElementsAre("r|1", "r|2", "t|NULL", "r|1", "r|2", "r|3"));
  EXPECT_THAT(rows("SELECT id FROM lake.bronze.other ORDER BY id"), ElementsAre("1", "2"));
}

TEST_F(CaptureTest, ALostSlotIsSaidAndTakenAnew) {
  pg("CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t VALUES (1)");
  table("t");
  run();
  begin_anew();
  forget_server();
  pg("DELETE FROM t; INSERT INTO t VALUES (2)");
  EXPECT_THAT(failure([&] { run(); }), HasSubstr("slot 'meesh_shop' is gone"));
  Capture::resync(*ledger_, config_, "");
  run();
  EXPECT_THAT(current("id"), ElementsAre("2"));
}

TEST_F(CaptureTest, RowsThatTheLakeCannotHoldArePutAside) {
  pg("CREATE TABLE t (id int PRIMARY KEY, n numeric); INSERT INTO t VALUES (1, 'NaN'), (2, 2)");
  table("t");
  run();
  pg("INSERT INTO t VALUES (3, 1e40), (4, 4)");
  run();
  EXPECT_THAT(current("id"), ElementsAre("2", "4"));
  EXPECT_THAT(rows("SELECT _error, _text FROM lake.bronze.t__rejected ORDER BY _text"),
              ElementsAre("column n: 'NaN' is no decimal(38,10)|{\"id\":\"1\",\"n\":\"NaN\"}",
                          HasSubstr("{\"id\":\"3\"")));
}

TEST_F(CaptureTest, AFollowerSeesChangesAndReconnects) {
  pg("CREATE TABLE t (id int PRIMARY KEY)");
  table("t");
  run();
  std::stop_source stop;
  auto context = context_;
  context.stop = stop.get_token();
  std::thread follower([&] {
    try {
      capture().run(Capture::Until::kForever, context);
    } catch (const Error&) {  // it was stopped
    }
  });
  const auto wait_for = [&](const std::string& expected) {
    for (int i = 0; i < 400; ++i) {
      if (one("SELECT count(*) FROM lake.bronze.t") == expected) return true;
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
    }
    return false;
  };
  pg("INSERT INTO t VALUES (1)");
  EXPECT_TRUE(wait_for("1"));
  server().kill();
  server().start();
  pg("INSERT INTO t VALUES (2)");
  EXPECT_TRUE(wait_for("2"));
  stop.request_stop();
  follower.join();
}

TEST_F(CaptureTest, ASnapshotThatWasKilledGoesOnWhereItWas) {
  pg("CREATE TABLE t (id int PRIMARY KEY, n int); INSERT INTO t SELECT g, 0 FROM "
     "generate_series(1, "
     "40) g; ANALYZE t");
  table("t", Write::kBoth);
  ordered_from_ = 1;
  portion_ = 7;
  uint64_t portions = 0;
  const auto stop_at = [&](uint64_t portion) {
    return [&, portion](const std::string&, uint64_t, uint64_t) {
      if (++portions == portion) throw Error(Code::kGenericInternalError, "killed");
    };
  };
  // After the history's second portion, and before that of the current state.
  EXPECT_THAT(failure([&] { capture().run(Capture::Until::kCaughtUp, context_, stop_at(3)); }),
              HasSubstr("killed"));
  EXPECT_EQ(one("SELECT count(*) FROM lake.bronze.t"), "7");
  EXPECT_EQ(one("SELECT count(*) FROM lake.bronze.t__changes"), "14");
  // On either side of where it was: gone, changed, moved to the other side, new.
  pg("DELETE FROM t WHERE id IN (2, 39); UPDATE t SET n = 1 WHERE id IN (3, 38); UPDATE t SET id = "
     "100 WHERE id = 4; UPDATE t SET id = -5 WHERE id = 37; INSERT INTO t VALUES (0, 2), (50, 2)");
  begin_anew();
  run();
  const auto expected = pg("SELECT string_agg(id || '|' || n, ' ' ORDER BY id) FROM t");
  EXPECT_EQ(base::join(current("id, n"), " "), expected);
  EXPECT_EQ(one("SELECT count(*) FROM lake.bronze.t__changes WHERE _op = 't'"), "0");
  // Each row once, in the last change of its key.
  EXPECT_EQ(base::join(rows("SELECT id, n FROM (SELECT id, n, _op, row_number() OVER (PARTITION BY "
                            "id ORDER BY _major DESC, _minor DESC) AS nth FROM (SELECT id, n, _op, "
                            "_major, _minor FROM lake.bronze.t__changes UNION ALL SELECT "
                            "_before_id, NULL, 'd', _major, _minor FROM lake.bronze.t__changes "
                            "WHERE _before_id IS NOT NULL)) WHERE nth = 1 AND _op <> 'd' ORDER BY "
                            "id"),
                       " "),
            expected);
}

TEST_F(CaptureTest, PoliciesHoldForChangesToo) {
  pg("CREATE TABLE t (id int PRIMARY KEY, mail text, phone text, secret text, n numeric); INSERT "
     "INTO t VALUES (1, 'a@b', '1', 's', 1)");
  table("t", Write::kBoth);
  tables_[0].hash = {"mail"};
  tables_[0].mask = {"phone"};
  tables_[0].exclude = {"secret"};
  tables_[0].contract = SchemaContract::kDiscardValue;
  run();
  pg("UPDATE t SET mail = 'c@d' WHERE id = 1; ALTER TABLE t ADD new int; INSERT INTO t VALUES (2, "
     "'a@b', '22', 't', 'NaN', 5), (3, NULL, NULL, NULL, 3, 5)");
  run();
  const std::string hash = one("SELECT lower(to_hex(sha256(to_utf8('c@d'))))");
  EXPECT_THAT(current("id, mail, phone, n"),
              ElementsAre("1|" + hash + "|n|1.0000000000", "3|NULL|NULL|3.0000000000"));
  EXPECT_THAT(rows("SELECT column_name FROM lake.information_schema.columns WHERE table_name = 't' "
                   "AND column_name IN ('secret', 'new')"),
              IsEmpty());
  EXPECT_THAT(rows("SELECT _error, _text FROM lake.bronze.t__rejected"),
              ElementsAre("column n: … is no decimal(38,10)|NULL"));
}

}  // namespace
}  // namespace meesh::ingest
