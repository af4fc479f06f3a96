#include "engine/catalogs/hive.h"

#include <fstream>

#include "base/postgres_server_test.h"
#include "duckdb.hpp"
#include "engine/catalogs/lake_fixture_test.h"
#include "engine/statement_runner.h"
#include "lake/external_files.h"

namespace meesh::engine {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

class HiveTest : public LakeTest {
 protected:
  HiveTest() {
    tables_ = std::make_unique<lake::ExternalTables>(*database_,
                                                     lake::Warehouse{"hive", "s3://datalake/hive"});
    const auto authorize = [](const std::string& user, std::string_view action, const std::string&,
                              const std::string&) {
      if (user == "ada" || (user == "reader" && action == "s3:GetObject")) return;
      throw Error(Code::kPermissionDenied, user + " may not do " + std::string(action));
    };
    auto catalog = make_hive_catalog("hive", *tables_, *store_, authorize);
    hive_ = catalog.get();
    engine_->add_catalog(std::move(catalog));
    session_.catalog = "hive";
    session_.schema = "default";
  }
  ~HiveTest() override { engine_.reset(); }

  void put(const std::string& key, const std::string& bytes) {
    const auto writer = store_->put("datalake", key, {}, {});
    writer->write(bytes);
    writer->commit({});
  }
  /// A Parquet file with the rows of a DuckDB query.
  void put_parquet(const std::string& key, const std::string& query) {
    const std::string path = (folder_ / "made.parquet").string();
    duckdb::DuckDB database;
    duckdb::Connection connection(database);
    const auto made = connection.Query("COPY (" + query + ") TO '" + path + "' (FORMAT parquet)");
    ASSERT_FALSE(made->HasError()) << made->GetError();
    std::ifstream file(path, std::ios::binary);
    put(key, std::string(std::istreambuf_iterator<char>(file), {}));
  }
  std::string content(const std::string& key) {
    const auto reader = store_->get("datalake", key, {});
    std::string text(reader->object().size, '\0');
    text.resize(reader->read(0, text.data(), text.size()));
    return text;
  }
  void call(const std::string& text, const std::string& user = "ada") {
    const auto statement = sql::parse(text);
    call_hive_procedure(*hive_, sql::as<sql::Call>(*statement), user);
  }
  std::string call_failure(const std::string& text, const std::string& user = "ada") {
    try {
      call(text, user);
    } catch (const Error& error) {
      return std::string(code_name(error.code())) + ": " + error.message();
    }
    return "it did not fail";
  }
  std::vector<std::string> keys_below(const std::string& prefix) {
    return lake::all_keys(*store_, lake::parse_folder("s3://datalake/" + prefix));
  }

  std::unique_ptr<lake::ExternalTables> tables_;
  Catalog* hive_ = nullptr;  // the engine's
};

constexpr const char* kEvents =
    "CREATE TABLE hive.default.customer_events (event_id VARCHAR, customer_id BIGINT, event_type "
    "VARCHAR, event_date DATE) WITH (external_location = 's3://datalake/events/', format = "
    "'PARQUET'";

TEST_F(HiveTest, ParquetFilesThatOthersWroteAreReadByName) {
  put_parquet("events/a.parquet",
              "SELECT 'e1' AS event_id, 7::BIGINT AS customer_id, 'buy' AS event_type, "
              "DATE '2025-01-01' AS event_date");
  // Columns in another order and case, one missing, one more, one narrower.
  put_parquet("events/b.parquet",
              "SELECT 1 AS more, 8::INTEGER AS \"Customer_ID\", 'e2' AS event_id");
  put("events/_SUCCESS", "");
  put("events/_metadata", "no parquet");
  put("events/empty.parquet", "");
  run(std::string(kEvents) + ")");
  EXPECT_THAT(rows("SELECT event_id, customer_id, event_type, CAST(event_date AS varchar) FROM "
                   "customer_events ORDER BY 1"),
              ElementsAre("e1|7|buy|2025-01-01", "e2|8|NULL|NULL"));
  EXPECT_EQ(one("SELECT count(*) FROM customer_events"), "2");
  EXPECT_EQ(one("SELECT \"$path\" FROM customer_events WHERE customer_id = 8"),
            "s3://datalake/events/b.parquet");
  EXPECT_THAT(shape("SELECT * FROM customer_events"),
              ElementsAre("event_id varchar", "customer_id bigint", "event_type varchar",
                          "event_date date"));
}

TEST_F(HiveTest, AFolderWithoutFilesHasNoRows) {
  run(std::string(kEvents) + ")");
  EXPECT_EQ(one("SELECT count(*) FROM customer_events"), "0");
  EXPECT_THAT(rows("SELECT *, \"$path\" FROM customer_events"), IsEmpty());
  put_parquet("events/a.parquet", "SELECT 'e1' AS event_id");
  EXPECT_EQ(one("SELECT event_id FROM customer_events"), "e1");
}

TEST_F(HiveTest, AWrongTypeIsToldWithItsFile) {
  put_parquet("events/good.parquet", "SELECT 'e1' AS event_id, 1::BIGINT AS customer_id");
  put_parquet("events/bad.parquet", "SELECT 'e2' AS event_id, 1.5::DOUBLE AS customer_id");
  run(std::string(kEvents) + ")");
  EXPECT_EQ(failure("SELECT sum(customer_id) FROM customer_events"),
            "GENERIC_EXTERNAL: Column 'customer_id' of the file s3://datalake/events/bad.parquet "
            "has type DOUBLE, but the table declares BIGINT");
  EXPECT_EQ(one("SELECT count(event_id) FROM customer_events"), "2");
  store_->remove("datalake", "events/bad.parquet", {});
  put("events/torn.parquet", "PAR1 not at all");
  EXPECT_THAT(failure("SELECT sum(customer_id) FROM customer_events"), HasSubstr("torn.parquet"));
}

TEST_F(HiveTest, PartitionsComeFromFoldersAndAreChosenByFilters) {
  for (const char* day : {"2025-01-01", "2025-01-02"}) {
    put_parquet(fmt::format("events/event_date={}/x.parquet", day),
                fmt::format("SELECT 'e{}' AS event_id, 1::BIGINT AS customer_id", day));
  }
  put_parquet("events/event_date=__HIVE_DEFAULT_PARTITION__/x.parquet", "SELECT 'n' AS event_id");
  run(std::string(kEvents) + ", partitioned_by = ARRAY['event_date'])");
  EXPECT_THAT(rows("SELECT event_id, CAST(event_date AS varchar) FROM customer_events ORDER BY 1"),
              ElementsAre("e2025-01-01|2025-01-01", "e2025-01-02|2025-01-02", "n|NULL"));
  EXPECT_THAT(
      rows("SELECT CAST(event_date AS varchar) FROM \"customer_events$partitions\" ORDER BY 1"),
      ElementsAre("2025-01-01", "2025-01-02", "NULL"));
  EXPECT_EQ(one("SELECT \"$partition\" FROM customer_events WHERE event_id = 'e2025-01-02'"),
            "event_date=2025-01-02");
  // The others' files are not even opened.
  put("events/event_date=2025-01-01/x.parquet", "no parquet");
  EXPECT_EQ(one("SELECT event_id FROM customer_events WHERE event_date = DATE '2025-01-02'"),
            "e2025-01-02");
  EXPECT_EQ(one("SELECT event_id FROM customer_events WHERE event_date IS NULL"), "n");
  EXPECT_THAT(failure("SELECT count(event_id) FROM customer_events"),
              HasSubstr("event_date=2025-01-01/x.parquet"));
}

TEST_F(HiveTest, NewFoldersAreKnownAfterASync) {
  run(std::string(kEvents) + ", partitioned_by = ARRAY['event_date'])");
  put_parquet("events/event_date=2025-01-01/x.parquet", "SELECT 'a' AS event_id");
  put_parquet("events/event_date=2025-01-02/x.parquet", "SELECT 'b' AS event_id");
  put_parquet("events/Event_Date=2025-01-03/x.parquet", "SELECT 'c' AS event_id");
  EXPECT_EQ(one("SELECT count(*) FROM customer_events"), "0");
  call("CALL hive.system.sync_partition_metadata('default', 'customer_events', 'ADD')");
  EXPECT_THAT(rows("SELECT event_id FROM customer_events ORDER BY 1"), ElementsAre("a", "b"));
  for (const auto& key : keys_below("events/event_date=2025-01-01"))
    store_->remove("datalake", key, {});
  call(
      "CALL hive.system.sync_partition_metadata(schema_name => 'default', table_name => "
      "'customer_events', mode => 'DROP')");
  EXPECT_EQ(one("SELECT count(*) FROM \"customer_events$partitions\""), "1");
  call("CALL hive.system.sync_partition_metadata('default', 'customer_events', 'full', false)");
  EXPECT_THAT(rows("SELECT event_id, CAST(event_date AS varchar) FROM customer_events ORDER BY 1"),
              ElementsAre("b|2025-01-02", "c|2025-01-03"));
}

TEST_F(HiveTest, ProceduresAreCalledFromSql) {
  run(std::string(kEvents) + ", partitioned_by = ARRAY['event_date'])");
  put_parquet("events/event_date=2025-01-01/x.parquet", "SELECT 'a' AS event_id");
  run("CALL hive.system.sync_partition_metadata('default', 'customer_events', 'ADD')");
  EXPECT_EQ(one("SELECT event_id FROM customer_events"), "a");
  EXPECT_THAT(
      failure("CALL system.sync_partition_metadata('default', 'customer_events', 'ADD')", "reader"),
      HasSubstr("PERMISSION_DENIED"));
}

TEST_F(HiveTest, ProceduresRefuseWhatTheyCannotDo) {
  run(std::string(kEvents) + ")");
  EXPECT_EQ(call_failure("CALL hive.system.sync_partition_metadata('default', 'none', 'ADD')"),
            "TABLE_NOT_FOUND: Table 'default.none' not found");
  EXPECT_EQ(
      call_failure("CALL hive.system.sync_partition_metadata('default', 'customer_events', 'ADD')"),
      "INVALID_PROCEDURE_ARGUMENT: Table is not partitioned: default.customer_events");
  EXPECT_EQ(call_failure("CALL hive.system.nothing()"),
            "PROCEDURE_NOT_FOUND: Procedure not registered: system.nothing");
  EXPECT_EQ(call_failure("CALL hive.system.sync_partition_metadata('default')"),
            "INVALID_PROCEDURE_ARGUMENT: Required procedure argument 'TABLE_NAME' is missing");
  run("DROP TABLE customer_events");
  run(std::string(kEvents) + ", partitioned_by = ARRAY['event_date'])");
  EXPECT_EQ(call_failure(
                "CALL hive.system.sync_partition_metadata('default', 'customer_events', 'SOME')"),
            "INVALID_PROCEDURE_ARGUMENT: Invalid partition metadata sync mode: SOME");
  EXPECT_THAT(
      call_failure("CALL hive.system.sync_partition_metadata('default', 'customer_events', 'ADD')",
                   "reader"),
      HasSubstr("PERMISSION_DENIED"));
}

TEST_F(HiveTest, PartitionsAreRegisteredOneByOneWhereverTheyLie) {
  put_parquet("events/event_date=2025-01-01/x.parquet", "SELECT 'a' AS event_id");
  put_parquet("archive/old/x.parquet", "SELECT 'b' AS event_id");
  run(std::string(kEvents) + ", partitioned_by = ARRAY['event_date'])");
  const std::string add =
      "CALL hive.system.register_partition('default', 'customer_events', ARRAY['event_date'], ";
  EXPECT_EQ(call_failure(add + "ARRAY['2025-01-01'])"),
            "ALREADY_EXISTS: Partition [event_date=2025-01-01] is already registered");
  call(add + "ARRAY['2024-12-31'], 's3://datalake/archive/old')");
  EXPECT_THAT(
      rows("SELECT event_id, CAST(event_date AS varchar), \"$partition\" FROM "
           "customer_events ORDER BY 1"),
      ElementsAre("a|2025-01-01|event_date=2025-01-01", "b|2024-12-31|event_date=2024-12-31"));
  EXPECT_THAT(call_failure(add + "ARRAY['2024-12-30'])"),
              HasSubstr("Partition location does not exist"));
  EXPECT_THAT(call_failure(add + "ARRAY['1', '2'])"), HasSubstr("counts differ"));
  run("INSERT INTO customer_events (event_id, event_date) VALUES ('c', DATE '2024-12-31')");
  EXPECT_THAT(keys_below("archive/old"), SizeIs(2));
  call(
      "CALL hive.system.unregister_partition('default', 'customer_events', ARRAY['event_date'], "
      "ARRAY['2024-12-31'])");
  EXPECT_EQ(one("SELECT count(*) FROM customer_events"), "1");
  EXPECT_THAT(call_failure("CALL hive.system.unregister_partition('default', 'customer_events', "
                           "ARRAY['event_date'], ARRAY['2024-12-31'])"),
              HasSubstr("NOT_FOUND: Partition 'event_date=2024-12-31' does not exist"));
}

TEST_F(HiveTest, CsvIsTextWithSeparatorsOfItsOwn) {
  put("csv/a.csv", "id;name;note\n1;\"x; \"\"y\"\"\";\n2;z\n3;q;w;extra\n");
  put("csv/b.csv", "id;name;note\r\n4;\"two\nlines\";crlf\r\n");
  run("CREATE TABLE c (id VARCHAR, name VARCHAR, note VARCHAR) WITH (external_location = "
      "'s3://datalake/csv', format = 'CSV', csv_separator = ';', skip_header_line_count = 1)");
  EXPECT_THAT(rows("SELECT id, name, note FROM c ORDER BY 1"),
              ElementsAre("1|x; \"y\"|", "2|z|NULL", "3|q|w", "4|two\nlines|crlf"));
  run("INSERT INTO c VALUES ('5', 'say \"hi\"; bye', NULL)");
  EXPECT_EQ(one("SELECT name FROM c WHERE id = '5'"), "say \"hi\"; bye");
  for (const auto& key : keys_below("csv")) {
    if (key == "csv/a.csv" || key == "csv/b.csv") continue;
    EXPECT_EQ(content(key), "\"id\";\"name\";\"note\"\n\"5\";\"say \"\"hi\"\"; bye\";\n");
  }
  EXPECT_EQ(failure("CREATE TABLE bad (id BIGINT, name VARCHAR, at DATE) WITH (format = 'CSV')"),
            "NOT_SUPPORTED: Hive CSV storage format only supports VARCHAR (unbounded). Unsupported "
            "columns: id bigint, at date");
}

TEST_F(HiveTest, CsvEscapesCanBeChosen) {
  put("csv/a.csv", "1,'it\\'s',C:\n");
  run("CREATE TABLE c (a VARCHAR, b VARCHAR, c VARCHAR) WITH (external_location = "
      "'s3://datalake/csv', format = 'CSV', csv_quote = '''', csv_escape = '\\')");
  EXPECT_EQ(one("SELECT b FROM c"), "it's");
  run("INSERT INTO c VALUES ('2', 'a''b\\c', '')");
  EXPECT_EQ(one("SELECT b FROM c WHERE a = '2'"), "a'b\\c");
}

TEST_F(HiveTest, TextFilesHoldTypes) {
  put("text/a.txt", "1|one|2025-01-01|1.50|true\n\\N|\\N|\\N|\\N|\\N\n");
  run("CREATE TABLE t (id BIGINT, name VARCHAR, at DATE, price DECIMAL(5,2), ok BOOLEAN) WITH "
      "(external_location = 's3://datalake/text', format = 'TEXTFILE', textfile_field_separator = "
      "'|')");
  EXPECT_THAT(rows("SELECT id, name, CAST(at AS varchar), CAST(price AS varchar), ok FROM t ORDER "
                   "BY id"),
              ElementsAre("1|one|2025-01-01|1.50|true", "NULL|NULL|NULL|NULL|NULL"));
  run("INSERT INTO t VALUES (2, 'two', DATE '2025-02-02', 2.25, false), (3, NULL, NULL, NULL, "
      "NULL)");
  EXPECT_EQ(one("SELECT name FROM t WHERE at = DATE '2025-02-02' AND price = 2.25 AND NOT ok"),
            "two");
  EXPECT_THAT(failure("INSERT INTO t (name) VALUES 'a|b'"), HasSubstr("field separator"));
  put("text/b.txt", "zz|x|\\N|\\N|\\N\n");
  EXPECT_THAT(failure("SELECT sum(id) FROM t"),
              HasSubstr("Column 'id' of type bigint cannot hold 'zz', as the file says: "
                        "s3://datalake/text/b.txt"));
  EXPECT_EQ(failure("CREATE TABLE bad (xs ARRAY(BIGINT)) WITH (format = 'TEXTFILE')"),
            "NOT_SUPPORTED: Column 'xs' of type array(bigint) is not supported by storage format "
            "TEXTFILE");
}

TEST_F(HiveTest, JsonIsReadByNameWhateverItsCase) {
  put("json/a.json",
      "{\"id\": 1, \"customerName\": \"Ann\", \"tags\": [\"x\", null], \"place\": {\"x\": 5}}\n"
      "{\"id\": 2, \"other\": true, \"at\": \"2025-01-15 10:00:00.25\"}\n");
  run("CREATE TABLE j (id BIGINT, customername VARCHAR, tags ARRAY(VARCHAR), place ROW(x INTEGER), "
      "at TIMESTAMP(3)) WITH (external_location = 's3://datalake/json', format = 'JSON')");
  EXPECT_THAT(rows("SELECT id, customername, tags[1], place.x, CAST(at AS varchar) FROM j ORDER BY "
                   "id"),
              ElementsAre("1|Ann|x|5|NULL", "2|NULL|NULL|NULL|2025-01-15 10:00:00.250"));
  run("INSERT INTO j (id, customername, tags) VALUES (3, 'Zo' || chr(10) || '\"', ARRAY['q'])");
  EXPECT_EQ(one("SELECT tags[1] FROM j WHERE customername = 'Zo' || chr(10) || '\"'"), "q");
  put("json/b.json", "{\"id\": \"zz\"}\n");
  EXPECT_THAT(failure("SELECT sum(id) FROM j"), HasSubstr("json/b.json"));
}

TEST_F(HiveTest, InsertsGoIntoPartitionsOfTheirOwn) {
  for (const char* format : {"PARQUET", "JSON", "TEXTFILE", "CSV"}) {
    const std::string table = std::string("p_") + format;
    run(
        fmt::format("CREATE TABLE {0} (name VARCHAR, place VARCHAR, day DATE) WITH (format = "
                    "'{1}', external_location = 's3://datalake/p/{1}/', partitioned_by = "
                    "ARRAY['place', 'day'])",
                    table, format));
    const auto inserted = run(fmt::format(
        "INSERT INTO {} SELECT 'n' || CAST(x AS varchar), if(x % 2 = 0, 'a/b=c ü'), DATE "
        "'2025-01-01' + (x % 3) * INTERVAL '1' DAY FROM UNNEST(sequence(1, 60)) AS u(x)",
        table));
    EXPECT_EQ(inserted.changed, 60u) << format;
    EXPECT_EQ(one(fmt::format("SELECT count(DISTINCT \"$path\") FROM {}", table)), "6") << format;
    EXPECT_EQ(one(fmt::format("SELECT count(*) FROM \"{}$partitions\"", lower_case(table))), "6")
        << format;
    EXPECT_EQ(one(fmt::format("SELECT count(*) FROM {} WHERE place = 'a/b=c ü' AND day = DATE "
                              "'2025-01-02'",
                              table)),
              "10")
        << format;
    EXPECT_EQ(one(fmt::format("SELECT min(name) FROM {} WHERE place IS NULL AND day = DATE "
                              "'2025-01-01'",
                              table)),
              "n15")
        << format;
    EXPECT_THAT(keys_below(std::string("p/") + format), SizeIs(6)) << format;
    EXPECT_THAT(keys_below(std::string("p/") + format + "/place=a%2Fb%3Dc ü"), SizeIs(3)) << format;
    run(fmt::format("INSERT INTO {} VALUES ('more', '', DATE '2025-01-01')", table));
    EXPECT_EQ(one(fmt::format("SELECT count(*) FROM {} WHERE place IS NULL", table)), "31")
        << format;
  }
}

TEST_F(HiveTest, AFailedInsertLeavesNothing) {
  run(std::string(kEvents) + ", partitioned_by = ARRAY['event_date'])");
  run("CREATE TABLE plain (a BIGINT) WITH (external_location = 's3://datalake/plain')");
  EXPECT_THAT(failure("INSERT INTO customer_events SELECT 'e', 1 / (x - 4000), 't', DATE "
                      "'2025-01-01' FROM UNNEST(sequence(1, 5000)) AS u(x)"),
              HasSubstr("DIVISION_BY_ZERO"));
  EXPECT_THAT(failure("INSERT INTO plain SELECT 1 / (x - 4000) FROM UNNEST(sequence(1, 5000)) AS "
                      "u(x)"),
              HasSubstr("DIVISION_BY_ZERO"));
  EXPECT_THAT(keys_below("events"), IsEmpty());
  EXPECT_THAT(keys_below("plain"), IsEmpty());
  EXPECT_EQ(one("SELECT count(*) FROM \"customer_events$partitions\""), "0");
  EXPECT_EQ(run("INSERT INTO plain SELECT a FROM plain").changed, 0u);
  EXPECT_THAT(keys_below("plain"), IsEmpty());
}

TEST_F(HiveTest, CreateTableAsWritesAndCounts) {
  EXPECT_EQ(run("CREATE TABLE made WITH (partitioned_by = ARRAY['k']) AS SELECT x AS id, 'v' AS v, "
                "CAST(x % 2 AS varchar) AS k FROM UNNEST(sequence(1, 10)) AS u(x)")
                .changed,
            10u);
  EXPECT_THAT(rows("SELECT k, count(*), sum(id) FROM made GROUP BY k ORDER BY k"),
              ElementsAre("0|5|30", "1|5|25"));
  EXPECT_THAT(keys_below("hive/default/made/k=0"), SizeIs(1));
  EXPECT_THAT(failure("CREATE TABLE made AS SELECT 1 AS x"), HasSubstr("TABLE_ALREADY_EXISTS"));
  EXPECT_EQ(run("CREATE TABLE IF NOT EXISTS made AS SELECT 1 AS x").changed, 0u);
  EXPECT_THAT(failure("CREATE TABLE bad AS SELECT 1 / (x - 5) AS y FROM UNNEST(sequence(1, 9)) AS "
                      "u(x)"),
              HasSubstr("DIVISION_BY_ZERO"));
  EXPECT_THAT(keys_below("hive/default/bad"), IsEmpty());
  EXPECT_THAT(failure("CREATE TABLE other WITH (external_location = 's3://datalake/hive') AS "
                      "SELECT 1 AS x"),
              HasSubstr("Target directory for table 'default.other' already exists"));
  run("CREATE TABLE empty AS SELECT 1 AS x WITH NO DATA");
  EXPECT_EQ(one("SELECT count(*) FROM empty"), "0");
}

TEST_F(HiveTest, FilesStayOrGoWithTheirTable) {
  put_parquet("events/a.parquet", "SELECT 'e1' AS event_id");
  run(std::string(kEvents) + ")");
  EXPECT_THAT(failure("TRUNCATE TABLE customer_events"),
              HasSubstr("Cannot truncate non-managed Hive table"));
  run("DROP TABLE customer_events");
  EXPECT_THAT(keys_below("events"), SizeIs(1));
  run("CREATE TABLE own AS SELECT 1 AS x");
  EXPECT_THAT(keys_below("hive/default/own"), SizeIs(1));
  run("ALTER TABLE own RENAME TO moved");
  run("CREATE TABLE own AS SELECT 2 AS x");
  EXPECT_EQ(one("SELECT o.x + m.x * 10 FROM own o, moved m"), "12");
  run("TRUNCATE TABLE own");
  EXPECT_EQ(one("SELECT count(*) FROM own"), "0");
  run("DROP TABLE own");
  EXPECT_EQ(one("SELECT x FROM moved"), "1");
  run("DROP TABLE moved");
  EXPECT_THAT(keys_below("hive"), IsEmpty());
}

TEST_F(HiveTest, ColumnsComeAndGo) {
  put_parquet("events/event_date=2025-01-01/a.parquet", "SELECT 'e1' AS event_id, 5 AS added");
  run(std::string(kEvents) + ", partitioned_by = ARRAY['event_date'])");
  run("ALTER TABLE customer_events ADD COLUMN added BIGINT");
  run("ALTER TABLE customer_events DROP COLUMN event_type");
  run("ALTER TABLE customer_events RENAME COLUMN customer_id TO client_id");
  EXPECT_THAT(
      shape("SELECT * FROM customer_events"),
      ElementsAre("event_id varchar", "client_id bigint", "added bigint", "event_date date"));
  EXPECT_EQ(one("SELECT added FROM customer_events"), "5");
  EXPECT_THAT(failure("ALTER TABLE customer_events DROP COLUMN event_date"),
              HasSubstr("Cannot drop partition column"));
  EXPECT_THAT(failure("ALTER TABLE customer_events RENAME COLUMN event_date TO d"),
              HasSubstr("Renaming partition columns is not supported"));
  EXPECT_THAT(failure("ALTER TABLE customer_events DROP COLUMN nothing"),
              HasSubstr("COLUMN_NOT_FOUND"));
  run("CREATE SCHEMA s");
  run("ALTER TABLE customer_events RENAME TO hive.s.renamed");
  EXPECT_EQ(one("SELECT event_id FROM s.renamed"), "e1");
  EXPECT_THAT(failure("DROP SCHEMA s"), HasSubstr("SCHEMA_NOT_EMPTY"));
  run("DROP SCHEMA s CASCADE");
  EXPECT_THAT(rows("SHOW SCHEMAS FROM hive"), ElementsAre("default", "information_schema"));
}

TEST_F(HiveTest, DefinitionsAreShownAsTheyWereMade) {
  run("CREATE TABLE c (id VARCHAR COMMENT 'its number', day VARCHAR) COMMENT 'all of it' WITH "
      "(external_location = 's3://datalake/csv/', format = 'csv', csv_separator = U&'\\0009', "
      "partitioned_by = ARRAY['day'], skip_header_line_count = 1)");
  EXPECT_EQ(
      one("SHOW CREATE TABLE c"),
      "CREATE TABLE hive.default.c (\n   id varchar COMMENT 'its number',\n   day varchar\n)\n"
      "COMMENT 'all of it'\nWITH (\n   csv_separator = U&'\\0009',\n   external_location = "
      "'s3://datalake/csv/',\n   format = 'CSV',\n   partitioned_by = ARRAY['day'],\n   "
      "skip_header_line_count = 1\n)");
  run("COMMENT ON TABLE c IS 'new'");
  run("COMMENT ON COLUMN c.day IS NULL");
  run("COMMENT ON COLUMN c.id IS 'key'");
  EXPECT_THAT(rows("DESCRIBE c"), ElementsAre("id|varchar||key", "day|varchar||"));
  EXPECT_EQ(one("SELECT count(*) FROM information_schema.columns WHERE table_name = 'c'"), "2");
  EXPECT_THAT(rows("SHOW TABLES"), ElementsAre("c"));
}

TEST_F(HiveTest, WhatCannotBeIsRefused) {
  const auto with = [&](const std::string& properties) {
    return failure("CREATE TABLE x (a VARCHAR, b VARCHAR) WITH (" + properties + ")");
  };
  EXPECT_EQ(with("format = 'ORC'"), "NOT_SUPPORTED: Tables of format ORC are not supported");
  EXPECT_EQ(with("format = 'AVRO'"), "NOT_SUPPORTED: Tables of format AVRO are not supported");
  EXPECT_THAT(with("format = 'WORD'"), HasSubstr("INVALID_TABLE_PROPERTY"));
  EXPECT_EQ(with("external_location = 's3://nowhere/x'"),
            "INVALID_TABLE_PROPERTY: The mesh's object store has no bucket 'nowhere'");
  EXPECT_THAT(with("external_location = 'file:///etc'"), HasSubstr("INVALID_TABLE_PROPERTY"));
  EXPECT_EQ(with("csv_separator = ';'"),
            "INVALID_TABLE_PROPERTY: Cannot specify csv_separator table property for storage "
            "format: PARQUET");
  EXPECT_EQ(with("format = 'CSV', csv_separator = ';;'"),
            "INVALID_TABLE_PROPERTY: csv_separator must be a single character string, but was: "
            "';;'");
  EXPECT_EQ(with("partitioned_by = ARRAY['a']"),
            "INVALID_TABLE_PROPERTY: Partition keys must be the last columns in the table and in "
            "the same order as the table properties: [a]");
  EXPECT_EQ(with("partitioned_by = ARRAY['c']"),
            "INVALID_TABLE_PROPERTY: Partition columns [c] not present in schema");
  EXPECT_EQ(with("partitioned_by = ARRAY['a', 'b']"),
            "INVALID_TABLE_PROPERTY: Table contains only partition columns");
  EXPECT_EQ(with("bucket_count = 5"),
            "NOT_SUPPORTED: The table property bucket_count is not supported");
  EXPECT_EQ(with("colour = 'red'"),
            "INVALID_TABLE_PROPERTY: Catalog 'hive' table property 'colour' does not exist");
  EXPECT_EQ(with("format = 'CSV', format = 'JSON'"),
            "DUPLICATE_PROPERTY: Duplicate property: format");
  EXPECT_THAT(failure("CREATE TABLE x (a TIME)"), HasSubstr("NOT_SUPPORTED"));
  run("CREATE TABLE t (a BIGINT)");
  EXPECT_THAT(failure("DELETE FROM t"), HasSubstr("Modifying Hive table rows is not supported"));
  EXPECT_THAT(failure("UPDATE t SET a = 1"),
              HasSubstr("Modifying Hive table rows is not supported"));
}

TEST_F(HiveTest, EverybodyHasTheRightsOfTheirOwn) {
  put_parquet("events/a.parquet", "SELECT 'e1' AS event_id");
  run(std::string(kEvents) + ")");
  EXPECT_EQ(run("SELECT event_id FROM customer_events", "reader").rows,
            std::vector<std::string>{"e1"});
  EXPECT_THAT(failure("SELECT event_id FROM customer_events", "mallory"),
              HasSubstr("PERMISSION_DENIED"));
  EXPECT_THAT(failure("INSERT INTO customer_events (event_id) VALUES 'x'", "reader"),
              HasSubstr("PERMISSION_DENIED"));
  EXPECT_THAT(failure("DROP TABLE customer_events", "reader"), HasSubstr("PERMISSION_DENIED"));
  EXPECT_THAT(failure("ALTER TABLE customer_events DROP COLUMN event_type", "reader"),
              HasSubstr("PERMISSION_DENIED"));
  EXPECT_THAT(failure("COMMENT ON TABLE customer_events IS 'mine'", "reader"),
              HasSubstr("PERMISSION_DENIED"));
  EXPECT_THAT(failure("CREATE TABLE mine (a BIGINT)", "reader"), HasSubstr("PERMISSION_DENIED"));
  run("CREATE TABLE mine (event_id VARCHAR) WITH (external_location = 's3://datalake/events/')",
      "reader");
  run("DROP TABLE mine", "reader");
  EXPECT_THAT(keys_below("events"), SizeIs(1));
}

TEST_F(HiveTest, EveryTypeOfParquetComesBackAsItWentIn) {
  run("CREATE TABLE t (b boolean, y tinyint, s smallint, i integer, l bigint, r real, d double, "
      "dec decimal(20,3), dt date, ts timestamp(3), v varchar(3), c char(4), bin varbinary, st "
      "row(x integer, y varchar), xs array(bigint), m map(varchar, integer))");
  run("INSERT INTO t VALUES (true, TINYINT '1', SMALLINT '2', 3, 4, REAL '1.5', 2.5E0, 3.250, DATE "
      "'2025-01-15', TIMESTAMP '2025-01-15 10:11:12.013', 'abc', 'de', X'00ff', ROW(7, 'seven'), "
      "ARRAY[1, NULL], MAP(ARRAY['a'], ARRAY[1]))");
  EXPECT_THAT(shape("SELECT * FROM t"),
              ElementsAre("b boolean", "y tinyint", "s smallint", "i integer", "l bigint", "r real",
                          "d double", "dec decimal(20,3)", "dt date", "ts timestamp(3)",
                          "v varchar(3)", "c char(4)", "bin varbinary",
                          "st row(x integer, y "
                          "varchar)",
                          "xs array(bigint)", "m map(varchar, integer)"));
  EXPECT_EQ(one("SELECT concat_ws(',', CAST(b AS varchar), CAST(y + s + i + l AS varchar), CAST(r "
                "+ d AS varchar), CAST(dec AS varchar), CAST(dt AS varchar), CAST(ts AS varchar), "
                "v, to_hex(bin), st.y, CAST(xs[1] AS varchar), CAST(m['a'] AS varchar)) FROM t "
                "WHERE c = 'de' AND ts = TIMESTAMP '2025-01-15 10:11:12.013'"),
            "true,10,4.0E0,3.250,2025-01-15,2025-01-15 10:11:12.013,abc,00FF,seven,1,1");
}

TEST_F(HiveTest, RowsInsideColumnsAreReadByNameToo) {
  put_parquet("n/a.parquet",
              "SELECT 1::BIGINT AS id, {'y': 'why', 'x': 5::SMALLINT, 'z': true} AS st, [{'k': 1}] "
              "AS xs, MAP{'m': 2} AS m");
  put_parquet("n/b.parquet", "SELECT 2::BIGINT AS id, {'y': 'only'} AS st");
  put_parquet("n/c.parquet", "SELECT 3::BIGINT AS id, {'x': 'text'} AS st");
  run("CREATE TABLE n (id BIGINT, st ROW(x BIGINT, y VARCHAR), xs ARRAY(ROW(k BIGINT)), m "
      "MAP(VARCHAR, BIGINT)) WITH (external_location = 's3://datalake/n')");
  store_->remove("datalake", "n/c.parquet", {});
  EXPECT_THAT(rows("SELECT id, st.x, st.y, xs[1].k, m['m'] FROM n ORDER BY id"),
              ElementsAre("1|5|why|1|2", "2|NULL|only|NULL|NULL"));
  put_parquet("n/c.parquet", "SELECT 3::BIGINT AS id, {'x': 'text'} AS st");
  EXPECT_THAT(failure("SELECT st.x FROM n"), HasSubstr("Column 'st' of the file "
                                                       "s3://datalake/n/c.parquet has type"));
}

TEST_F(HiveTest, InstantsAreReadAsUtcTellsThemWhateverTheSession) {
  put_parquet("i/a.parquet", "SELECT TIMESTAMPTZ '2025-01-15 10:00:00+00' AS at, 1 AS n");
  run("CREATE TABLE i (at TIMESTAMP(6), n INTEGER) WITH (external_location = 's3://datalake/i')");
  for (const char* zone : {"UTC", "America/New_York"}) {
    session_.time_zone = zone;
    EXPECT_EQ(one("SELECT CAST(at AS varchar) FROM i"), "2025-01-15 10:00:00.000000") << zone;
    EXPECT_EQ(one("SELECT n FROM i WHERE at = TIMESTAMP '2025-01-15 10:00:00'"), "1") << zone;
    EXPECT_EQ(one("SELECT count(*) FROM i WHERE at > TIMESTAMP '2025-01-15 12:00:00'"), "0")
        << zone;
  }
}

TEST_F(HiveTest, CompressedTextIsReadByItsExtension) {
  const std::string path = (folder_ / "made.csv.gz").string();
  duckdb::DuckDB database;
  duckdb::Connection connection(database);
  const auto made = connection.Query("COPY (SELECT 1 AS a, 'x' AS b) TO '" + path +
                                     "' (FORMAT csv, HEADER false, COMPRESSION gzip)");
  ASSERT_FALSE(made->HasError()) << made->GetError();
  std::ifstream file(path, std::ios::binary);
  put("z/a.csv.gz", std::string(std::istreambuf_iterator<char>(file), {}));
  put("z/b.csv", "2,y\n");
  run("CREATE TABLE z (a VARCHAR, b VARCHAR) WITH (external_location = 's3://datalake/z', format = "
      "'CSV')");
  EXPECT_THAT(rows("SELECT a, b FROM z ORDER BY a"), ElementsAre("1|x", "2|y"));
}

TEST_F(HiveTest, NamesOfFilesAndColumnsMayBeStrange) {
  put_parquet("w/a*b?[c]'d.parquet", "SELECT 1 AS \"a \"\"b'\", 2 AS filename");
  run("CREATE TABLE w (\"a \"\"b'\" BIGINT, filename BIGINT, \"p q\" VARCHAR) WITH "
      "(external_location = 's3://datalake/w', partitioned_by = ARRAY['p q'])");
  run("INSERT INTO w VALUES (3, 4, 'x''y z')");
  EXPECT_EQ(one("SELECT \"a \"\"b'\", filename, \"$partition\" FROM w WHERE \"p q\" = 'x''y z'"),
            "3|4|p q=x%27y z");
  run("CREATE TABLE v (\"a \"\"b'\" BIGINT, filename BIGINT) WITH (external_location = "
      "'s3://datalake/w')");
  EXPECT_THAT(rows("SELECT * FROM v"), ElementsAre("1|2"));
}

TEST_F(HiveTest, TablesOfBothCatalogsJoin) {
  put("csv/a.csv", "1,one\n2,two\n");
  run("CREATE TABLE c (id VARCHAR, name VARCHAR) WITH (external_location = 's3://datalake/csv', "
      "format = 'CSV')");
  run("CREATE TABLE lake.s.n (id BIGINT)");
  run("INSERT INTO lake.s.n SELECT CAST(id AS bigint) FROM c WHERE name = 'two'");
  EXPECT_EQ(one("SELECT name FROM c JOIN lake.s.n AS n ON CAST(c.id AS bigint) = n.id"), "two");
}

TEST(HiveDefinitionsTest, AreTheSameInPostgresql) {
  PostgresServer server;
  const auto database = meta::Database::open(
      {.kind = meta::Backend::kPostgresql, .location = server.url("shop"), .connections = 2});
  lake::ExternalTables tables(*database, {"hive", "s3://datalake/hive"});
  lake::ExternalTable table;
  table.schema = "default";
  table.name = "t";
  table.columns = {{"a", "bigint", "ü"}, {"p", "date", ""}};
  table.partitioned_by = {"p"};
  table.location = "s3://datalake/t/";
  const auto id = tables.create(table, {{{std::nullopt}, "s3://datalake/t/x"}}).id;
  EXPECT_EQ(tables.add_partitions(id, {{{std::nullopt}, "other"}, {{"1"}, "s3://datalake/t/y"}}),
            1u);
  tables.edit("default", "t", [](lake::ExternalTable& edited) { edited.comment = "said"; });
  tables.create_schema("s", "");
  tables.rename("default", "t", "s", "u");
  const auto found = lake::ExternalTables(*database, {"hive", ""}).find("s", "u");
  ASSERT_TRUE(found);
  EXPECT_EQ(found->comment, "said");
  EXPECT_EQ(found->columns, table.columns);
  EXPECT_THAT(tables.partitions(found->id), SizeIs(2));
  EXPECT_EQ(tables.remove_partitions(id, {{{std::nullopt}}, {{"2"}}}), 1u);
  EXPECT_TRUE(tables.location_in_use("s3://datalake/t"));
  EXPECT_THROW(tables.drop_schema("s"), Error);
  tables.drop("s", "u");
  EXPECT_THAT(tables.partitions(id), IsEmpty());
  EXPECT_FALSE(tables.location_in_use("s3://datalake/t"));
}

}  // namespace
}  // namespace meesh::engine
