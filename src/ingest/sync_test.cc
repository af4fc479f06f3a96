// How rows land: one row a key, every version, or both; what policies make of them; and readings of
// large tables that are cut short.
#include <fmt/format.h>

#include "ingest/ingest_fixture_test.h"

namespace meesh::ingest {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr const char* kShop = "kind: postgresql\ncatalog: shop\n";

class SyncTest : public IngestTest {
 protected:
  SyncTest() { fresh_schema(); }
  void source(const std::string& text) { write("sources/s.yaml", kShop + text); }
  void people() {
    pg("CREATE TABLE people (id int PRIMARY KEY, name text, age int, updated_at timestamptz "
       "DEFAULT now() - interval '1 hour')");
    pg("INSERT INTO people SELECT i, 'Name ' || i, 20 + i FROM generate_series(1, 5) i");
  }
  std::vector<std::string> landed(const std::string& columns, const std::string& table = "people") {
    return rows(fmt::format("SELECT {} FROM lake.bronze.{} ORDER BY 1, 2", columns, table));
  }
};

TEST_F(SyncTest, AMergeKeepsOneRowAKey) {
  people();
  source("tables: { people: { mode: incremental, cursor: updated_at, write: merge } }\n");
  EXPECT_EQ(sync("s", "people").rows, 5u);
  pg("UPDATE people SET name = 'new', updated_at = now() WHERE id = 2");
  pg("INSERT INTO people VALUES (6, 'six', 26, now())");
  EXPECT_EQ(sync("s", "people", "2025-01-16").rows, 2u);
  EXPECT_EQ(sync("s", "people", "2025-01-17").rows, 0u);
  EXPECT_THAT(landed("id, name, CAST(_run_date AS varchar)"),
              ElementsAre("1|Name 1|2025-01-15", "2|new|2025-01-16", "3|Name 3|2025-01-15",
                          "4|Name 4|2025-01-15", "5|Name 5|2025-01-15", "6|six|2025-01-16"));
}

TEST_F(SyncTest, AFullRefreshOfAMergedTableForgetsWhatIsGone) {
  people();
  source("tables: { people: { mode: incremental, cursor: updated_at, write: merge } }\n");
  sync("s", "people");
  // Not even a clock that was set back keeps an old value.
  pg("DELETE FROM people WHERE id > 3; UPDATE people SET name = 'old', updated_at = '2000-01-01' "
     "WHERE id = 1");
  EXPECT_EQ(sync("s", "people", "2025-01-16").rows, 0u);
  EXPECT_EQ(sync("s", "people", "2025-01-16", true).rows, 3u);
  EXPECT_THAT(landed("id, name"), ElementsAre("1|old", "2|Name 2", "3|Name 3"));
  EXPECT_EQ(sync("s", "people", "2025-01-16").rows, 0u);
}

TEST_F(SyncTest, BothKeepsEveryVersionAndTheNewest) {
  people();
  source("tables: { people: { mode: incremental, cursor: updated_at, write: both } }\n");
  EXPECT_EQ(sync("s", "people").rows, 5u);
  for (int version = 1; version <= 3; ++version) {
    pg(fmt::format("UPDATE people SET name = 'v{}', updated_at = now() WHERE id = 1", version));
    EXPECT_EQ(sync("s", "people").rows, 1u);
  }
  EXPECT_EQ(one("SELECT count(*) FROM lake.bronze.people__changes"), "8");
  EXPECT_THAT(landed("id, name"),
              ElementsAre("1|v3", "2|Name 2", "3|Name 3", "4|Name 4", "5|Name 5"));
  pg("DELETE FROM people WHERE id = 5");
  sync("s", "people", "2025-01-16", true);
  EXPECT_EQ(one("SELECT count(*) FROM lake.bronze.people"), "4");
}

TEST_F(SyncTest, OfRowsWithOneKeyTheNewestLands) {
  pg("CREATE TABLE events (device int, seen timestamp, note text)");
  pg("INSERT INTO events VALUES (1, '2025-01-01', 'old'), (1, '2025-01-03', 'new'), (1, "
     "'2025-01-02', 'mid'), (2, '2025-01-01', 'one'), (NULL, '2025-01-01', 'a'), (NULL, "
     "'2025-01-02', 'b')");
  source("tables: { events: { write: merge, key: [device], cursor: seen } }\n");
  EXPECT_EQ(sync("s", "events").rows, 3u);
  pg("INSERT INTO events VALUES (NULL, '2025-01-03', 'c'), (2, '2024-01-01', 'late')");
  EXPECT_EQ(sync("s", "events").rows, 3u);
  EXPECT_THAT(landed("device, note", "events"), ElementsAre("1|new", "2|one", "NULL|c"));
}

TEST_F(SyncTest, AMergeNeedsAKeyAndATableOfItsOwn) {
  pg("CREATE TABLE bare (a int); INSERT INTO bare VALUES (1)");
  people();
  source("tables: { bare: { write: merge }, people: {} }\n");
  EXPECT_THAT(failure([&] { sync("s", "bare"); }), HasSubstr("has no key to merge by"));
  sync("s", "people");
  ingest_.reset();
  source("tables: { people: { write: merge } }\n");
  EXPECT_THAT(failure([&] { sync("s", "people"); }), HasSubstr("holds rows that were appended"));
  rows("DROP TABLE lake.bronze.people");
  EXPECT_EQ(sync("s", "people").rows, 5u);
  ingest_.reset();
  source("tables: { people: {} }\n");
  EXPECT_THAT(failure([&] { sync("s", "people"); }), HasSubstr("holds one row a key"));
  rows("DROP TABLE lake.bronze.people");
  EXPECT_EQ(sync("s", "people").rows, 5u);
  EXPECT_EQ(sync("s", "people").rows, 5u);
  EXPECT_EQ(one("SELECT count(*) FROM lake.bronze.people"), "5");
}

TEST_F(SyncTest, HashedAndMaskedValuesNeverLand) {
  pg("CREATE TABLE c (id int PRIMARY KEY, mail text, phone text, pin int, secret text, updated_at "
     "timestamptz DEFAULT now() - interval '1 hour')");
  pg("INSERT INTO c VALUES (1, 'ana@example.com', '+49 171-Ab', 1234, 'x'), (2, NULL, NULL, NULL, "
     "NULL)");
  source(
      "tables: { c: { mode: incremental, cursor: updated_at, hash: [mail, pin, id], mask: [phone], "
      "exclude: [secret] } }\n");
  EXPECT_EQ(sync("s", "c").rows, 2u);
  EXPECT_THAT(
      rows("SELECT mail, phone, pin FROM lake.bronze.c ORDER BY mail"),
      ElementsAre("8e43ca37701228e74983efdbd0cff5c16b3b1e5d4e29a7c05626d4d25a018e11|-nn-nnn-Xx|"
                  "03ac674216f3e15c761ee1a5e255f067953623c8b388b4459e13f978d7c846f4",
                  "NULL|NULL|NULL"));
  EXPECT_EQ(one("SELECT count(*) FROM lake.information_schema.columns WHERE table_name = 'c' AND "
                "column_name = 'secret'"),
            "0");
  // Rows that have landed are known again by the hash of their key.
  EXPECT_EQ(sync("s", "c").rows, 0u);
}

TEST_F(SyncTest, ASaltMakesHashesOthersCannot) {
  people();
  source("hash_salt: pepper\ntables: { people: { include: [id, name], hash: [name] } }\n");
  sync("s", "people");
  EXPECT_EQ(one("SELECT name FROM lake.bronze.people WHERE id = 1"),
            one("SELECT lower(to_hex(hmac_sha256(to_utf8('Name 1'), to_utf8('pepper'))))"));
  EXPECT_EQ(one("SELECT count(*) FROM lake.information_schema.columns WHERE table_name = 'people'"),
            "5");
}

TEST_F(SyncTest, ANameWrittenWrongLetsNothingLand) {
  people();
  source("tables: { people: { hash: [nam] } }\n");
  EXPECT_THAT(failure([&] { sync("s", "people"); }),
              AllOf(HasSubstr("has no column 'nam' to hash"), HasSubstr("name")));
  EXPECT_THAT(rows("SELECT table_name FROM lake.information_schema.tables WHERE table_schema = "
                   "'bronze'"),
              IsEmpty());
}

TEST_F(SyncTest, AFrozenTableTakesNoNewColumn) {
  people();
  source("tables: { people: { schema_contract: freeze } }\n");
  sync("s", "people");
  pg("ALTER TABLE people ADD COLUMN extra int");
  EXPECT_THAT(failure([&] { sync("s", "people"); }), HasSubstr("has a new column 'extra'"));
  pg("ALTER TABLE people DROP COLUMN extra, ALTER COLUMN age TYPE bigint");
  EXPECT_EQ(sync("s", "people").rows, 5u);
  pg("UPDATE people SET age = 5000000000 WHERE id = 3");
  EXPECT_THAT(failure([&] { sync("s", "people"); }), HasSubstr("age is no integer"));
  EXPECT_EQ(one("SELECT count(*), max(age) FROM lake.bronze.people"), "5|25");
}

TEST_F(SyncTest, RowsThatBreakTheContractArePutAside) {
  people();
  source(
      "max_malformed: 50%\ntables: { people: { schema_contract: discard_row, mask: [name] } }\n");
  sync("s", "people");
  pg("ALTER TABLE people ADD COLUMN extra int, ALTER COLUMN age TYPE text; UPDATE people SET age = "
     "'old' WHERE id = 2; UPDATE people SET extra = 1 WHERE id = 4");
  const auto result = sync("s", "people", "2025-01-16");
  EXPECT_EQ(result.rows, 3u);
  EXPECT_EQ(result.rejected, 2u);
  EXPECT_THAT(landed("id, age", "people WHERE _run_date = DATE '2025-01-16'"),
              ElementsAre("1|21", "3|23", "5|25"));
  const auto aside = landed("_column, _error, _text", "people__rejected");
  ASSERT_EQ(aside.size(), 2u);
  EXPECT_THAT(aside[0], AllOf(HasSubstr("age|age is no integer"), HasSubstr("\"age\":\"old\""),
                              HasSubstr("Xxxx-n")));
  EXPECT_THAT(aside[1], HasSubstr("extra|extra is a new column"));
  // The same once more puts the same aside, once.
  sync("s", "people", "2025-01-16");
  EXPECT_EQ(one("SELECT count(*) FROM lake.bronze.people__rejected"), "2");
}

TEST_F(SyncTest, ValuesThatBreakTheContractAreLeftOut) {
  people();
  source("tables: { people: { schema_contract: discard_value } }\n");
  sync("s", "people");
  pg("ALTER TABLE people ADD COLUMN extra int, ALTER COLUMN age TYPE text; UPDATE people SET age = "
     "'old' WHERE id = 2");
  EXPECT_EQ(sync("s", "people").rows, 5u);
  EXPECT_THAT(landed("id, age"), ElementsAre("1|21", "2|NULL", "3|23", "4|24", "5|25"));
}

TEST_F(SyncTest, TooManyRejectedRowsStopTheRun) {
  people();
  source("max_malformed: 30%\ntables: { people: { schema_contract: discard_row } }\n");
  sync("s", "people");
  pg("ALTER TABLE people ALTER COLUMN age TYPE text; UPDATE people SET age = 'x' WHERE id <= 2");
  EXPECT_THAT(failure([&] { sync("s", "people", "2025-01-16"); }),
              HasSubstr("2 rows of 5 cannot be read, more than 30%"));
  EXPECT_EQ(one("SELECT count(*) FROM lake.bronze.people WHERE _run_date > DATE '2025-01-15'"),
            "0");
}

class PortionsTest : public SyncTest {
 protected:
  void numbers() {
    pg("CREATE TABLE n (id bigint PRIMARY KEY, note text, updated_at timestamptz DEFAULT now() - "
       "interval '1 hour')");
    pg("INSERT INTO n SELECT i * 10, 'n' || i FROM generate_series(-300, 699) i; ANALYZE n");
  }
  /// A run that ends after so many commits, as one that is killed does.
  void cut_after(int commits) {
    TaskContext context = context_;
    std::stop_source stop;
    context.stop = stop.get_token();
    int seen = 0;
    uint64_t last = 0;
    context.progress = [&](uint64_t done, uint64_t total) {
      if (done != total || done == last) return;  // told after each commit
      last = done;
      if (++seen == commits) stop.request_stop();
    };
    EXPECT_NE(failure([&] { ingest().sync("s", "n", {false, "2025-01-15"}, context); }),
              "it did not fail");
  }
  std::string all() {
    return one("SELECT count(*), count(DISTINCT id), min(id), max(id) FROM lake.bronze.n");
  }
};

TEST_F(PortionsTest, ALargeTableIsTakenInPortionsAndGoneOnWith) {
  numbers();
  source("tables: { n: { chunk_rows: 100 } }\n");
  cut_after(3);
  EXPECT_THAT(ingest().state("s").at(0).position, HasSubstr("\"after\":\"-10\""));
  EXPECT_EQ(all(), "300|300|-3000|-10");
  pg("INSERT INTO n VALUES (5, 'new'), (-2999, 'behind')");
  EXPECT_EQ(sync("s", "n").rows, 701u);
  EXPECT_EQ(all(), "1001|1001|-3000|6990");
  EXPECT_EQ(ingest().state("s").at(0).position, "");
  EXPECT_EQ(sync("s", "n").rows, 1002u);
  EXPECT_EQ(all(), "1002|1002|-3000|6990");
}

TEST_F(PortionsTest, ARunOfAnotherDateBeginsAnew) {
  numbers();
  source("tables: { n: { chunk_rows: 400 } }\n");
  cut_after(1);
  EXPECT_EQ(sync("s", "n", "2025-01-16").rows, 1000u);
  EXPECT_EQ(one("SELECT count(*) FROM lake.bronze.n WHERE _run_date = DATE '2025-01-16'"), "1000");
}

TEST_F(PortionsTest, AnIncrementalTableBeginsInPortionsToo) {
  numbers();
  for (const char* how : {"append", "merge", "both"}) {
    ingest_.reset();
    source(
        fmt::format("tables: {{ n: {{ mode: incremental, cursor: updated_at, chunk_rows: 300, "
                    "write: {}, into: n }} }}\n",
                    how));
    cut_after(2);
    pg("UPDATE n SET note = 'new', updated_at = now() WHERE id = -3000; INSERT INTO n VALUES "
       "(7000, "
       "'late', now())");
    EXPECT_EQ(sync("s", "n").rows, 401u) << how;
    const bool appends = std::string(how) == "append";
    EXPECT_EQ(sync("s", "n").rows, 1u) << how;  // of two that changed, one came with its portion
    EXPECT_EQ(one("SELECT count(*) FROM lake.bronze.n WHERE id = -3000"), appends ? "2" : "1");
    EXPECT_EQ(one("SELECT count(*) FROM lake.bronze.n WHERE note = 'new'"), "1");
    EXPECT_EQ(one("SELECT count(DISTINCT id) FROM lake.bronze.n"), "1001");
    pg("DELETE FROM n WHERE id = 7000; UPDATE n SET note = 'n', updated_at = now() - interval '1 "
       "hour'");
    rows("DROP TABLE lake.bronze.n");
    ingest().set_state("s", "n", "");
  }
}

TEST_F(PortionsTest, ARefreshThatIsCutShortForgetsNothingTooEarly) {
  numbers();
  source("tables: { n: { write: merge, chunk_rows: 300 } }\n");
  EXPECT_EQ(sync("s", "n").rows, 1000u);
  pg("DELETE FROM n WHERE id >= 6900");
  cut_after(2);
  EXPECT_EQ(all(), "1000|1000|-3000|6990");
  EXPECT_EQ(sync("s", "n").rows, 390u);
  EXPECT_EQ(all(), "990|990|-3000|6890");
}

TEST_F(SyncTest, StateIsShownSetAndForgotten) {
  people();
  source("tables: { people: { mode: incremental, cursor: id, lookback: 0 } }\n");
  EXPECT_EQ(ingest().state("s").at(0).position, "");
  sync("s", "people");
  EXPECT_EQ(ingest().state("s").at(0).position, "{\"cursor\":\"5\"}");
  ingest().set_state("s", "people", "{\"cursor\":\"3\"}");
  rows("DELETE FROM lake.bronze.people WHERE id > 2");
  EXPECT_EQ(sync("s", "people").rows, 3u);
  ingest().set_state("s", "people", "");
  EXPECT_EQ(sync("s", "people").rows, 5u);
  EXPECT_EQ(one("SELECT count(*) FROM lake.bronze.people"), "5");
  EXPECT_THAT(failure([&] { ingest().set_state("s", "people", "[1]"); }),
              HasSubstr("a position is a JSON object"));
  EXPECT_THAT(failure([&] { ingest().set_state("s", "peopel", "{}"); }), HasSubstr("people"));
}

TEST_F(SyncTest, ASourceIsChangedOrStaysAsItIs) {
  people();
  const auto yaml = fmt::format(
      "kind: postgresql\nconnection: {{ host: 127.0.0.1, port: {}, name: shop, user: boss, "
      "password: \"it's \\\\ a \\\"secret\\\"\" }}\ntables: {{ people: {{}} }}\n",
      server().port());
  ingest().add("far", yaml);
  const std::string other = yaml + "malformed: fail\n";
  EXPECT_THAT(ingest().change("far", other), HasSubstr("PostgreSQL"));
  EXPECT_EQ(ingest().file("far"), other);
  EXPECT_EQ(ingest().source("far").malformed, Malformed::kFail);
  EXPECT_THAT(failure([&] { ingest().change("far", yaml + "tabels: {}\n"); }), HasSubstr("tables"));
  auto wrong = yaml;
  wrong.replace(wrong.find("name: shop"), 10, "name: none");
  EXPECT_THAT(failure([&] { ingest().change("far", wrong); }), HasSubstr("none"));
  EXPECT_EQ(ingest().file("far"), other);
  EXPECT_EQ(sync("far", "people").rows, 5u);
}

}  // namespace
}  // namespace meesh::ingest
