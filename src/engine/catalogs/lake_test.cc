#include "engine/catalogs/lake.h"

#include <thread>

#include "engine/catalogs/lake_fixture_test.h"
#include "engine/duck.h"
#include "engine/lake/metadata_rows.h"
#include "engine/object_files.h"
#include "lake/scan.h"
#include "lake/transaction.h"

namespace meesh::engine {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

TEST_F(LakeTest, RowsOfEveryTypeComeBackAsTheyWentIn) {
  run("CREATE TABLE t (b boolean, i integer, l bigint, r real, d double, dec decimal(20,3), "
      "dt date, tm time(6), ts timestamp(6), tz timestamp(6) with time zone, v varchar, "
      "u uuid, bin varbinary, st row(x integer, y varchar), xs array(bigint), m map(varchar, "
      "integer))");
  const auto inserted = run(
      "INSERT INTO t VALUES (true, 1, 2, REAL '1.5', 2.5E0, 3.250, DATE '2025-01-15', "
      "TIME '01:02:03.000004', TIMESTAMP '2025-01-15 10:11:12.000013', "
      "TIMESTAMP '2025-01-15 10:11:12.000013 UTC', 'é', "
      "UUID '12151fd2-7586-11e9-8f9e-2a86e4085a59', X'00ff', ROW(7, 'seven'), ARRAY[1, NULL, 3], "
      "MAP(ARRAY['a', 'b'], ARRAY[1, 2])), "
      "(NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, "
      "NULL)");
  EXPECT_EQ(inserted.changed, 2u);
  EXPECT_EQ(one("SELECT concat_ws(',', CAST(b AS varchar), CAST(i AS varchar), CAST(l AS varchar), "
                "CAST(r AS varchar), CAST(dec AS varchar), CAST(dt AS varchar), CAST(tm AS "
                "varchar), CAST(ts AS varchar), v, CAST(u AS varchar), to_hex(bin), st.y, "
                "CAST(xs[3] AS varchar), CAST(m['b'] AS varchar)) FROM t WHERE i = 1"),
            "true,1,2,1.5E0,3.250,2025-01-15,01:02:03.000004,2025-01-15 10:11:12.000013,é,"
            "12151fd2-7586-11e9-8f9e-2a86e4085a59,00FF,seven,3,2");
  EXPECT_EQ(
      one("SELECT count(*) FROM t WHERE b IS NULL AND st IS NULL AND xs IS NULL AND m IS NULL"),
      "1");
  EXPECT_THAT(
      shape("SELECT i, r, tm, ts, tz, bin, st, xs, m FROM t"),
      ElementsAre("i integer", "r real", "tm time(6)", "ts timestamp(6)",
                  "tz timestamp(6) with time zone", "bin varbinary", "st row(x integer, y varchar)",
                  "xs array(bigint)", "m map(varchar, integer)"));
}

TEST_F(LakeTest, ColumnsCanBeLeftOutAndReordered) {
  run("CREATE TABLE t (a integer, b varchar, c bigint)");
  run("INSERT INTO t (c, a) VALUES (30, 1)");
  run("INSERT INTO t SELECT 2, 'two', 20");
  EXPECT_THAT(rows("SELECT a, b, c FROM t ORDER BY a"), ElementsAre("1|NULL|30", "2|two|20"));
}

TEST_F(LakeTest, CreateTableAsCountsRowsAndIsThereWholeOrNotAtAll) {
  EXPECT_EQ(run("CREATE TABLE t AS SELECT x AS id, CAST(x AS smallint) AS small, 'n' || "
                "CAST(x AS varchar) AS name FROM UNNEST(sequence(1, 100)) AS u(x)")
                .changed,
            100u);
  EXPECT_THAT(shape("SELECT * FROM t"), ElementsAre("id bigint", "small integer", "name varchar"));
  EXPECT_EQ(one("SELECT sum(id) FROM t"), "5050");
  EXPECT_THAT(failure("CREATE TABLE bad AS SELECT 1 / (x - 50) AS y FROM UNNEST(sequence(1, 100)) "
                      "AS u(x)"),
              HasSubstr("DIVISION_BY_ZERO"));
  EXPECT_THAT(failure("SELECT * FROM bad"), HasSubstr("TABLE_NOT_FOUND"));
  EXPECT_THAT(objects_ending(".parquet"), SizeIs(1));
  EXPECT_THAT(failure("CREATE TABLE t AS SELECT 1 AS x"), HasSubstr("TABLE_ALREADY_EXISTS"));
  EXPECT_EQ(run("CREATE TABLE IF NOT EXISTS t AS SELECT 1 AS x").changed, 0u);
  run("CREATE TABLE empty AS SELECT 1 AS x WITH NO DATA");
  EXPECT_EQ(one("SELECT count(*) FROM empty"), "0");
}

TEST_F(LakeTest, AFailedInsertLeavesNoFile) {
  run("CREATE TABLE t (a integer NOT NULL, p varchar) WITH (partitioning = ARRAY['p'])");
  EXPECT_EQ(
      failure(
          "INSERT INTO t SELECT CAST(if(x = 400, NULL, x) AS integer), CAST(x % 7 AS varchar) FROM "
          "UNNEST(sequence(1, 500)) AS u(x)"),
      "CONSTRAINT_VIOLATION: NULL value not allowed for NOT NULL column: a");
  EXPECT_THAT(objects_ending(".parquet"), IsEmpty());
  run("INSERT INTO t VALUES (1, 'x')");
  EXPECT_EQ(one("SELECT a FROM t"), "1");
}

TEST_F(LakeTest, CountsNeedNoFile) {
  run("CREATE TABLE t AS SELECT x FROM UNNEST(sequence(1, 1000)) AS u(x)");
  remove_objects("data/");
  EXPECT_EQ(one("SELECT count(*) FROM t"), "1000");
  EXPECT_THAT(failure("SELECT sum(x) FROM t"), HasSubstr("parquet"));
}

TEST_F(LakeTest, FilesThatCannotMatchAreNotOpened) {
  run("CREATE TABLE t (id bigint, name varchar, at timestamp(6), n integer) WITH (partitioning = "
      "ARRAY['day(at)', 'bucket(id, 4)'])");
  run("INSERT INTO t SELECT x, 'a' || CAST(x AS varchar), TIMESTAMP '2025-01-01 12:00:00' + x % 3 "
      "* INTERVAL '1' DAY, CAST(x AS integer) FROM UNNEST(sequence(1, 300)) AS u(x)");
  EXPECT_THAT(objects_ending(".parquet"), SizeIs(12));
  EXPECT_EQ(one("SELECT count(*) FROM t WHERE n > 0"), "300");
  remove_objects("at_day=2025-01-02");
  EXPECT_EQ(one("SELECT count(*) FROM t WHERE at < TIMESTAMP '2025-01-02 00:00:00' AND n > 0"),
            "100");
  EXPECT_EQ(one("SELECT count(*) FROM t WHERE CAST(at AS date) = DATE '2025-01-03' AND n > 0"),
            "100");
  EXPECT_EQ(one("SELECT count(*) FROM t WHERE NOT at BETWEEN TIMESTAMP '2025-01-02 00:00:00' AND "
                "TIMESTAMP '2025-01-02 23:59:59' AND n > 0"),
            "200");
  EXPECT_THAT(failure("SELECT count(*) FROM t WHERE n > 0"), HasSubstr("at_day=2025-01-02"));
  // By a bucket, with the day that is still there.
  EXPECT_EQ(one("SELECT name FROM t WHERE id = 3 AND at > TIMESTAMP '2024-12-31 00:00:00' AND at < "
                "TIMESTAMP '2025-01-02 00:00:00'"),
            "a3");
}

TEST_F(LakeTest, FilesArePassedOverByTheirBounds) {
  run("CREATE TABLE t (id bigint, name varchar)");
  for (const char* values : {"(1, 'apple'), (9, 'avocado')", "(10, 'banana'), (19, 'cherry')",
                             "(20, NULL), (29, NULL)"}) {
    run(std::string("INSERT INTO t VALUES ") + values);
  }
  const auto files = rows("SELECT \"$path\" FROM t WHERE id IN (1, 10, 20) ORDER BY id");
  ASSERT_THAT(files, SizeIs(3));
  EXPECT_EQ(one("SELECT count(id) FROM t WHERE CAST(id AS decimal(20,1)) = 1.5"), "0");
  remove_objects(files[1].substr(files[1].rfind('/') + 1));
  EXPECT_EQ(one("SELECT count(name) FROM t WHERE id < 10"), "2");
  EXPECT_EQ(one("SELECT count(id) FROM t WHERE id IN (1, 29)"), "2");
  EXPECT_EQ(one("SELECT id FROM t WHERE name LIKE 'app%'"), "1");
  EXPECT_EQ(one("SELECT count(id) FROM t WHERE name IS NULL"), "2");
  EXPECT_EQ(one("SELECT count(id) FROM t WHERE id >= 20 OR name = 'avocado'"), "3");
  // A join hands the bounds of the other side down.
  EXPECT_EQ(one("SELECT max(name) FROM t JOIN (VALUES 1, 2, 9) AS v(k) ON id = k"), "avocado");
}

TEST_F(LakeTest, SchemasEvolveWithoutTouchingFiles) {
  run("CREATE TABLE t (a integer, b varchar, st row(x integer, y varchar), xs array(row(k "
      "integer)))");
  run("INSERT INTO t VALUES (1, 'one', ROW(1, 'y'), ARRAY[ROW(5)])");
  run("ALTER TABLE t ADD COLUMN c double");
  run("ALTER TABLE t RENAME COLUMN a TO id");
  run("ALTER TABLE t ALTER COLUMN id SET DATA TYPE bigint");
  run("ALTER TABLE t ADD COLUMN st.z bigint");
  run("ALTER TABLE t RENAME COLUMN st.x TO ex");
  run("ALTER TABLE t DROP COLUMN b");
  run("ALTER TABLE t ADD COLUMN b integer");
  run("INSERT INTO t VALUES (5000000000, ROW(2, 'yy', 3), ARRAY[ROW(6)], 2.5E0, 8)");
  EXPECT_THAT(shape("SELECT * FROM t"),
              ElementsAre("id bigint", "st row(ex integer, y varchar, z bigint)",
                          "xs array(row(k integer))", "c double", "b integer"));
  EXPECT_THAT(rows("SELECT id, b, st.ex, st.y, st.z, xs[1].k, c IS NULL FROM t ORDER BY id"),
              ElementsAre("1|NULL|1|y|NULL|5|true", "5000000000|8|2|yy|3|6|false"));
  EXPECT_EQ(one("SELECT id FROM t WHERE id > 1000"), "5000000000");
  EXPECT_EQ(one("SELECT count(*) FROM t WHERE b < 5000000000"), "1");
  EXPECT_EQ(one("SELECT count(*) FROM t WHERE b > 5000000000 OR b = 8"), "1");
  // Files without the column, under every kind of filter.
  run("ALTER TABLE t ADD COLUMN late row(x integer, s varchar)");
  run("ALTER TABLE t ADD COLUMN word varchar");
  for (const char* where :
       {"late.x = 1", "late.s LIKE 'a%'", "word LIKE '%z'", "word = 'a'", "word IN ('a', 'b')",
        "length(word) > 1", "word > 'a' OR late.x > 3", "upper(late.s) = 'A'", "word IS NOT NULL",
        "word IN (SELECT CAST(k AS varchar) FROM (VALUES 1, 2) AS v(k))"}) {
    EXPECT_EQ(one(std::string("SELECT count(*) FROM t WHERE ") + where), "0") << where;
  }
  EXPECT_EQ(one("SELECT count(*) FROM t WHERE late IS NULL AND word IS NULL AND late.x IS NULL"),
            "2");
  EXPECT_EQ(one("SELECT count(*) FROM t WHERE xs[1].k = 6 AND st.y = 'yy' AND st.z = 3"), "1");
  EXPECT_THAT(rows("SELECT word, id FROM t ORDER BY word DESC, id LIMIT 1"), ElementsAre("NULL|1"));
  EXPECT_THAT(failure("ALTER TABLE t ALTER COLUMN id SET DATA TYPE integer"),
              HasSubstr("TYPE_MISMATCH"));
  EXPECT_THAT(failure("ALTER TABLE t DROP COLUMN nothing"), HasSubstr("COLUMN_NOT_FOUND"));
}

TEST_F(LakeTest, OlderStatesStayReadable) {
  run("CREATE TABLE t (a integer)");
  run("INSERT INTO t VALUES 1");
  const auto before = catalog_->load({{"s"}, "t"}).metadata;
  const std::string first = std::to_string(*before->current_snapshot_id);
  const auto between = one("SELECT CAST(max(committed_at) AS varchar) FROM \"t$snapshots\"");
  // States are told apart by the millisecond of their commit.
  while (std::chrono::system_clock::now().time_since_epoch() <=
         std::chrono::milliseconds(before->last_updated_ms + 1)) {
    std::this_thread::yield();
  }
  run("ALTER TABLE t ADD COLUMN b integer");
  run("INSERT INTO t VALUES (2, 20)");
  EXPECT_EQ(one("SELECT count(*) FROM t"), "2");
  EXPECT_THAT(shape("SELECT * FROM t FOR VERSION AS OF " + first), ElementsAre("a integer"));
  EXPECT_EQ(one("SELECT a FROM t FOR VERSION AS OF " + first), "1");
  EXPECT_EQ(one("SELECT a FROM t FOR TIMESTAMP AS OF TIMESTAMP '" + between + "'"), "1");
  EXPECT_EQ(one("SELECT count(*) FROM t FOR VERSION AS OF 'main'"), "2");
  EXPECT_EQ(one("SELECT count(*) FROM t FOR TIMESTAMP AS OF current_timestamp"), "2");
  EXPECT_EQ(one("SELECT sum(n.a - coalesce(o.a, 0)) FROM t n LEFT JOIN t FOR VERSION AS OF " +
                first + " o ON n.a = o.a"),
            "2");
  EXPECT_THAT(failure("SELECT * FROM t FOR VERSION AS OF 7"), HasSubstr("INVALID_ARGUMENTS"));
  EXPECT_THAT(failure("SELECT * FROM t FOR VERSION AS OF 'no'"), HasSubstr("INVALID_ARGUMENTS"));
  EXPECT_THAT(failure("SELECT * FROM t FOR TIMESTAMP AS OF TIMESTAMP '2001-01-01 00:00:00'"),
              HasSubstr("INVALID_ARGUMENTS"));
}

TEST_F(LakeTest, MetadataTablesHaveTrinosColumns) {
  run("CREATE TABLE t (a integer, p varchar) WITH (partitioning = ARRAY['p'])");
  run("INSERT INTO t VALUES (1, 'x'), (2, 'y'), (NULL, 'y')");
  EXPECT_THAT(shape("SELECT * FROM \"t$snapshots\""),
              ElementsAre("committed_at timestamp(3) with time zone", "snapshot_id bigint",
                          "parent_id bigint", "operation varchar", "manifest_list varchar",
                          "summary map(varchar, varchar)"));
  EXPECT_THAT(shape("SELECT * FROM \"t$partitions\""),
              ElementsAre("partition row(p varchar)", "record_count bigint", "file_count bigint",
                          "total_size bigint",
                          "data row(a row(min integer, max integer, null_count bigint, nan_count "
                          "bigint))"));
  EXPECT_THAT(rows("SELECT partition.p, record_count, file_count, data.a.min, data.a.max, "
                   "data.a.null_count FROM \"t$partitions\" ORDER BY 1"),
              ElementsAre("x|1|1|1|1|0", "y|2|1|2|2|1"));
  EXPECT_THAT(rows("SELECT content, file_format, partition.p, record_count, value_counts[1], "
                   "null_value_counts[1], lower_bounds[1], upper_bounds[2] FROM \"t$files\" ORDER "
                   "BY 3"),
              ElementsAre("0|PARQUET|x|1|1|0|1|x", "0|PARQUET|y|2|2|1|2|y"));
  EXPECT_EQ(one("SELECT json_extract_scalar(readable_metrics, '$.a.lower_bound') FROM \"t$files\" "
                "WHERE partition.p = 'y'"),
            "2");
  EXPECT_THAT(rows("SELECT status, data_file.record_count FROM \"t$entries\" ORDER BY 2"),
              ElementsAre("1|1", "1|2"));
  EXPECT_EQ(one("SELECT sum(added_data_files_count) FROM \"t$manifests\""), "2");
  EXPECT_EQ(one("SELECT partition_summaries[1].upper_bound FROM \"t$manifests\" WHERE "
                "added_rows_count = 3"),
            "y");
  EXPECT_EQ(one("SELECT name || type FROM \"t$refs\""), "mainBRANCH");
  EXPECT_EQ(one("SELECT count(*) FROM \"t$history\" WHERE is_current_ancestor"), "2");
  EXPECT_EQ(one("SELECT value FROM \"t$properties\" WHERE key = 'format'"), "iceberg/parquet");
  EXPECT_EQ(one("SELECT count(*) FROM \"t$metadata_log_entries\""), "2");
  EXPECT_EQ(one("SELECT \"$partition\" FROM t WHERE a = 1"), "p=x");
  EXPECT_EQ(one("SELECT count(*) FROM t WHERE \"$file_modified_time\" > TIMESTAMP '2020-01-01 "
                "00:00:00 UTC'"),
            "3");
  EXPECT_THAT(failure("SELECT * FROM \"t$nothing\""), HasSubstr("TABLE_NOT_FOUND"));
}

TEST_F(LakeTest, PropertiesAreSaidBack) {
  run("CREATE TABLE t (id bigint, at timestamp(6), name varchar COMMENT 'who') COMMENT 'people' "
      "WITH (partitioning = ARRAY['month(at)', 'truncate(name, 2)'], sorted_by = ARRAY['id DESC'], "
      "max_commit_retry = 7)");
  EXPECT_EQ(one("SHOW CREATE TABLE t"),
            "CREATE TABLE lake.s.t (\n   id bigint,\n   at timestamp(6),\n   name varchar COMMENT "
            "'who'\n)\nCOMMENT 'people'\nWITH (\n   format = 'PARQUET',\n   format_version = 2,\n  "
            " location = 's3://datalake/warehouse/s/t',\n   max_commit_retry = 7,\n   partitioning "
            "= ARRAY['month(at)','truncate(name, 2)'],\n   sorted_by = ARRAY['id DESC NULLS "
            "LAST']\n)");
  run("ALTER TABLE t SET PROPERTIES partitioning = ARRAY['day(at)'], max_commit_retry = DEFAULT");
  EXPECT_THAT(one("SHOW CREATE TABLE t"), HasSubstr("partitioning = ARRAY['day(at)']"));
  EXPECT_EQ(failure("CREATE TABLE u (a integer) WITH (foo = 1)"),
            "INVALID_TABLE_PROPERTY: Catalog 'lake' table property 'foo' does not exist");
  EXPECT_THAT(failure("CREATE TABLE u (a integer) WITH (format = 'ORC')"),
              HasSubstr("NOT_SUPPORTED"));
  EXPECT_THAT(failure("CREATE TABLE u (a integer) WITH (format_version = 1)"),
              HasSubstr("NOT_SUPPORTED"));
  EXPECT_THAT(failure("CREATE TABLE u (a integer) WITH (partitioning = ARRAY['day(a)'])"),
              HasSubstr("Unable to parse partitioning value"));
  EXPECT_THAT(failure("CREATE TABLE u (a integer) WITH (location = 's3://elsewhere/u')"),
              HasSubstr("PERMISSION_DENIED"));
}

TEST_F(LakeTest, EveryTransformPartitionsAndIsFoundAgain) {
  run("CREATE TABLE t (id integer, y timestamp(6), m timestamp(6) with time zone, h timestamp(6), "
      "s varchar, dec decimal(9,2), d date) WITH (partitioning = ARRAY['year(y)', 'month(m)', "
      "'hour(h)', 'truncate(s, 3)', 'truncate(dec, 100)', 'bucket(d, 3)', 's'])");
  run("INSERT INTO t VALUES (1, TIMESTAMP '1969-12-31 23:59:59', TIMESTAMP '1969-12-31 23:59:59 "
      "UTC', TIMESTAMP '1969-12-31 23:30:00', 'a/b=%é', -1.05, DATE '1950-02-03'), "
      "(2, TIMESTAMP '2025-03-04 01:02:03', TIMESTAMP '2025-03-04 01:02:03 UTC', TIMESTAMP "
      "'2025-03-04 01:02:03', '', 12.34, DATE '2025-03-04'), (3, NULL, NULL, NULL, NULL, NULL, "
      "NULL)");
  EXPECT_EQ(one("SELECT id FROM t WHERE y < TIMESTAMP '1970-01-01 00:00:00'"), "1");
  EXPECT_EQ(one("SELECT id FROM t WHERE m > TIMESTAMP '2025-03-01 00:00:00 UTC'"), "2");
  EXPECT_EQ(one("SELECT id FROM t WHERE h = TIMESTAMP '1969-12-31 23:30:00'"), "1");
  EXPECT_EQ(one("SELECT id FROM t WHERE s = 'a/b=%é'"), "1");
  EXPECT_EQ(one("SELECT id FROM t WHERE s = ''"), "2");
  EXPECT_EQ(one("SELECT id FROM t WHERE s IS NULL"), "3");
  EXPECT_EQ(one("SELECT id FROM t WHERE dec < 0"), "1");
  EXPECT_EQ(one("SELECT id FROM t WHERE d = DATE '2025-03-04'"), "2");
  EXPECT_THAT(
      rows("SELECT partition.y_year, partition.m_month, partition.h_hour, "
           "CAST(partition.dec_trunc AS varchar), partition.s FROM \"t$partitions\" ORDER "
           "BY 1"),
      ElementsAre("-1|-1|-1|-2.00|a/b=%é", "55|662|483625|12.00|", "NULL|NULL|NULL|NULL|NULL"));
}

TEST_F(LakeTest, FilesAreWrittenInTheTablesOrder) {
  run("CREATE TABLE t (a bigint, b varchar) WITH (sorted_by = ARRAY['b DESC', 'a'])");
  run("INSERT INTO t SELECT x * 7 % 100, CAST(x % 3 AS varchar) FROM UNNEST(sequence(1, 99)) AS "
      "u(x)");
  const auto found = rows("SELECT b, a FROM t");
  EXPECT_EQ(found, rows("SELECT b, a FROM t ORDER BY b DESC NULLS LAST, a NULLS FIRST"));
  EXPECT_EQ(one("SELECT sort_order_id FROM \"t$files\""), "1");
}

TEST_F(LakeTest, AStatementReadsWhatItChangesAsItWas) {
  run("CREATE TABLE t AS SELECT x FROM UNNEST(sequence(1, 1000)) AS u(x)");
  EXPECT_EQ(run("INSERT INTO t SELECT x + 1000 FROM t").changed, 1000u);
  EXPECT_EQ(run("UPDATE t SET x = (SELECT max(x) FROM t) WHERE x <= 10").changed, 10u);
  EXPECT_EQ(one("SELECT count(*) FROM t WHERE x = 2000"), "11");
  EXPECT_EQ(
      run("DELETE FROM t WHERE x IN (SELECT x FROM t GROUP BY x HAVING count(*) > 1)").changed,
      11u);
  EXPECT_EQ(one("SELECT count(*) FROM t"), "1989");
  EXPECT_EQ(run("INSERT INTO t SELECT x FROM t WHERE x < 0").changed, 0u);
  EXPECT_EQ(one("SELECT count(*) FROM \"t$snapshots\""), "4");
}

TEST_F(LakeTest, PlansAreShown) {
  run("CREATE TABLE t AS SELECT CAST(1 AS bigint) AS a");
  EXPECT_THAT(one("EXPLAIN SELECT * FROM t WHERE a = 1"), HasSubstr("LAKE_SCAN"));
  EXPECT_THAT(one("EXPLAIN INSERT INTO t SELECT a + 1 FROM t"), HasSubstr("LAKE_SCAN"));
  EXPECT_EQ(one("SELECT count(*) FROM t"), "1");
}

TEST_F(LakeTest, RowsAreDeletedUpdatedAndMerged) {
  run("CREATE TABLE t (id integer, v varchar, p integer) WITH (partitioning = ARRAY['p'])");
  run("INSERT INTO t SELECT CAST(x AS integer), 'v' || CAST(x AS varchar), CAST(x % 3 AS integer) "
      "FROM UNNEST(sequence(1, 30)) AS u(x)");
  EXPECT_EQ(run("DELETE FROM t WHERE id <= 5").changed, 5u);
  EXPECT_EQ(one("SELECT min(id) FROM t"), "6");
  EXPECT_EQ(one("SELECT count(*) FROM t"), "25");
  EXPECT_EQ(run("DELETE FROM t WHERE p = 0").changed, 9u);  // whole files, but for one deleted row
  EXPECT_EQ(one("SELECT count(*) FROM t WHERE p = 0"), "0");
  EXPECT_EQ(run("UPDATE t SET v = v || '!', p = 9 WHERE id > 28").changed, 1u);
  EXPECT_EQ(one("SELECT v FROM t WHERE p = 9"), "v29!");
  EXPECT_EQ(one("SELECT count(*) FROM t"), "16");
  EXPECT_EQ(run("MERGE INTO t USING (VALUES (7, 'seven'), (8, 'gone'), (100, 'new')) AS s(k, w) ON "
                "t.id = s.k WHEN MATCHED AND s.w = 'gone' THEN DELETE WHEN MATCHED THEN UPDATE SET "
                "v = s.w WHEN NOT MATCHED THEN INSERT (id, v) VALUES (s.k, s.w)")
                .changed,
            3u);
  EXPECT_THAT(rows("SELECT id, v, p FROM t WHERE id IN (7, 8, 100) ORDER BY id"),
              ElementsAre("7|seven|1", "100|new|NULL"));
  EXPECT_THAT(
      failure("MERGE INTO t USING (VALUES (7), (7)) AS s(k) ON t.id = s.k WHEN MATCHED THEN "
              "DELETE"),
      HasSubstr("MERGE_TARGET_ROW_MULTIPLE_MATCHES"));
  EXPECT_EQ(one("SELECT count(*) FROM t WHERE id = 7"), "1");
  EXPECT_EQ(run("DELETE FROM t WHERE id = 12345").changed, 0u);
  EXPECT_EQ(run("DELETE FROM t").changed, 16u);
  EXPECT_EQ(one("SELECT count(*) FROM t"), "0");
}

TEST_F(LakeTest, DeletesOfOthersAreApplied) {
  run("CREATE TABLE t (id integer, v varchar)");
  run("INSERT INTO t VALUES (1, 'a'), (2, 'b'), (NULL, 'c'), (4, 'd')");
  // Equality deletes as Flink writes them: a Parquet file of keys.
  run("CREATE TABLE keys AS SELECT x AS id FROM (VALUES 2, NULL) AS k(x)");
  const auto keys = catalog_->load({{"s"}, "keys"}), table = catalog_->load({{"s"}, "t"});
  const auto plan = lake::plan_scan(*cache_, *keys.metadata, keys.metadata->current_snapshot(), {});
  lake::DataFile deletes = *plan.files.at(0).file;
  deletes.content = lake::FileContent::kEqualityDeletes;
  deletes.equality_ids = {1};
  lake::SnapshotChange change;
  change.table_uuid = table.metadata->uuid;
  change.read_snapshot_id = table.metadata->current_snapshot_id;
  change.deletes = {{deletes, 0}};
  std::vector<std::pair<lake::Identifier, lake::SnapshotChange>> changes;
  changes.emplace_back(table.name, std::move(change));
  lake::commit(*catalog_, *cache_, std::move(changes));
  EXPECT_THAT(rows("SELECT id, v FROM t ORDER BY id"), ElementsAre("1|a", "4|d"));
  EXPECT_EQ(one("SELECT count(*) FROM t"), "2");
  run("INSERT INTO t VALUES (2, 'again')");
  EXPECT_THAT(rows("SELECT id, v FROM t ORDER BY id"), ElementsAre("1|a", "2|again", "4|d"));
}

TEST_F(LakeTest, FilesOfOthersMayLackColumnsAndFieldIds) {
  run("CREATE TABLE t (a integer, p varchar, q bigint) WITH (partitioning = ARRAY['p'])");
  Duck duck;
  duck.db = std::make_unique<duckdb::DuckDB>(nullptr);
  register_object_files(duck, *store_, nullptr);
  const std::string place = "s3://datalake/warehouse/s/t/data/";
  duck.run("COPY (SELECT 1 AS a) TO '" + place + "x.parquet' (FORMAT parquet, FIELD_IDS {a: 1})");
  duck.run("COPY (SELECT 7 AS q, 2 AS a, 'n' AS p) TO '" + place + "n.parquet' (FORMAT parquet)");
  const auto table = catalog_->load({{"s"}, "t"});
  lake::SnapshotChange change;
  change.table_uuid = table.metadata->uuid;
  for (const std::string name : {"x", "n"}) {
    lake::DataFile file;
    file.path = place + name + ".parquet";
    file.partition = {name};
    file.records = 1;
    file.bytes = static_cast<int64_t>(
        store_->head("datalake", file.path.substr(std::string("s3://datalake/").size()), {}).size);
    change.data.push_back({file, table.metadata->default_spec_id});
  }
  std::vector<std::pair<lake::Identifier, lake::SnapshotChange>> changes;
  changes.emplace_back(table.name, std::move(change));
  lake::commit(*catalog_, *cache_, std::move(changes));
  EXPECT_THAT(rows("SELECT a, p, q FROM t ORDER BY a"), ElementsAre("1|x|NULL", "2|n|7"));
  EXPECT_EQ(one("SELECT a FROM t WHERE p = 'x'"), "1");
  EXPECT_EQ(one("SELECT a FROM t WHERE upper(p) = 'X' AND q IS NULL"), "1");
  EXPECT_EQ(run("DELETE FROM t WHERE p = 'x'").changed, 1u);
  EXPECT_EQ(one("SELECT q FROM t"), "7");
}

TEST_F(LakeTest, AnotherReaderSeesTheSameRows) {
  run("CREATE TABLE t (id integer, v varchar, at timestamp(6) with time zone, p integer, st row(x "
      "bigint, y double), xs array(integer), m map(varchar, bigint)) WITH (partitioning = "
      "ARRAY['day(at)', 'bucket(v, 3)', 'p'])");
  run("INSERT INTO t SELECT CAST(x AS integer), 'v' || CAST(x AS varchar), TIMESTAMP '2025-01-01 "
      "00:00:00 UTC' + x * INTERVAL '1' HOUR, CAST(x % 2 AS integer), ROW(x, x / 2.0E0), "
      "ARRAY[1, NULL], MAP(ARRAY['k'], ARRAY[x]) FROM UNNEST(sequence(1, 100)) AS u(x)");
  run("DELETE FROM t WHERE id % 10 = 3");
  run("UPDATE t SET v = v || '?', p = NULL WHERE id BETWEEN 40 AND 45");
  run("ALTER TABLE t RENAME COLUMN id TO number");
  run("ALTER TABLE t ALTER COLUMN number SET DATA TYPE bigint");
  run("ALTER TABLE t ADD COLUMN st.z integer");
  run("INSERT INTO t (number, v, p) VALUES (5000000000, NULL, 7)");

  Duck duck;  // with DuckDB's own reader of Iceberg tables
  duck.db = std::make_unique<duckdb::DuckDB>(nullptr);
  duck.extension_directory = extensions();
  register_object_files(duck, *store_, nullptr);
  for (const char* extension : {"avro", "iceberg"}) duck.load_extension(extension);
  const auto location = catalog_->load({{"s"}, "t"}).metadata_location;
  for (const char* where :
       {"true", "number < 20", "v = 'v50'", "p IS NULL", "p = 1 AND number > 60", "v LIKE 'v4%?'",
        "st.x = 77", "p = 0 AND v > 'v7'", "number > 4000000000"}) {
    const auto theirs =
        duck.run(fmt::format("SELECT count(*) || '|' || coalesce(sum(number), 0) || '|' || "
                             "coalesce(sum(p), 0) || '|' || "
                             "coalesce(sum(st.x), 0) || '|' || coalesce(sum(m['k']), 0) FROM "
                             "iceberg_scan('{}') WHERE {}",
                             location, where));
    EXPECT_EQ(
        one(fmt::format("SELECT CAST(count(*) AS varchar) || '|' || CAST(coalesce(sum(number), "
                        "0) AS varchar) || '|' || CAST(coalesce(sum(p), 0) AS varchar) || '|' "
                        "|| CAST(coalesce(sum(st.x), 0) AS varchar) || '|' || "
                        "CAST(coalesce(sum(element_at(m, 'k')), 0) AS varchar) FROM t WHERE "
                        "{}",
                        where)),
        theirs->GetValue(0, 0).ToString())
        << where;
  }
}

TEST_F(LakeTest, LiteralsInAllRowsGiveThePartition) {
  run("CREATE TABLE t (a integer, day date, n integer) WITH (partitioning = ARRAY['month(day)', "
      "'bucket(n, 4)', 'day'])");
  run("INSERT INTO t SELECT x, DATE '2026-01-31', 7 FROM UNNEST(sequence(1, 1000)) AS u(x)");
  run("INSERT INTO t (a) SELECT x FROM UNNEST(sequence(1, 10)) AS u(x)");
  run("INSERT INTO t SELECT x, d, n FROM (SELECT x, CAST('1969-12-31' AS date) AS d, -1 AS n FROM "
      "UNNEST(sequence(1, 20)) AS u(x)) AS q");
  run("INSERT INTO t SELECT 1, DATE '2026-01-31', 7 WHERE false");
  // Not the same in all rows, though literals.
  run("INSERT INTO t SELECT 1, DATE '2026-03-01', 1 UNION ALL SELECT 2, DATE '2026-03-02', 1");
  run("INSERT INTO t SELECT count(*), DATE '2026-04-01', n FROM t WHERE n = 7 GROUP BY ROLLUP (n)");
  const auto counted = one(
      "SELECT array_join(array_agg(CAST(partition.day AS varchar) || ' ' || CAST(record_count AS "
      "varchar) ORDER BY partition.day, record_count), ', ') FROM \"t$partitions\" WHERE "
      "partition.day IS NOT NULL");
  EXPECT_EQ(counted,
            "1969-12-31 20, 2026-01-31 1000, 2026-03-01 1, 2026-03-02 1, 2026-04-01 1, "
            "2026-04-01 1");
  EXPECT_EQ(one("SELECT count(*) FROM \"t$files\""), "7");
  // Files are found by each of the values.
  EXPECT_EQ(one("SELECT count(*) FROM t WHERE day = DATE '2026-01-31' AND n = 7"), "1000");
  EXPECT_EQ(one("SELECT count(*) FROM t WHERE day < DATE '1970-01-01' AND n = -1"), "20");
  EXPECT_EQ(one("SELECT count(*) FROM t WHERE day IS NULL AND n IS NULL"), "10");
  run("CREATE TABLE c WITH (partitioning = ARRAY['day']) AS SELECT a, DATE '2026-05-01' AS day "
      "FROM "
      "t");
  EXPECT_EQ(one("SELECT count(*) FROM c WHERE day = DATE '2026-05-01'"), "1034");
}

TEST_F(LakeTest, TablesAreReplacedTruncatedRenamedAndDropped) {
  run("CREATE TABLE t AS SELECT 1 AS a, 'x' AS b");
  run("CREATE OR REPLACE TABLE t AS SELECT DATE '2025-01-01' AS a, 5 AS c");
  EXPECT_EQ(one("SELECT CAST(a AS varchar) || CAST(c AS varchar) FROM t"), "2025-01-015");
  run("TRUNCATE TABLE t");
  EXPECT_EQ(one("SELECT count(*) FROM t"), "0");
  run("CREATE SCHEMA other");
  run("ALTER TABLE t RENAME TO lake.other.u");
  EXPECT_EQ(one("SELECT count(*) FROM other.u"), "0");
  EXPECT_THAT(failure("DROP SCHEMA other"), HasSubstr("SCHEMA_NOT_EMPTY"));
  run("DROP TABLE other.u");
  run("DROP SCHEMA other");
  EXPECT_THAT(objects_ending(".parquet"), IsEmpty());
  EXPECT_THAT(objects_ending(".avro"), IsEmpty());
  run("DROP TABLE IF EXISTS other.u");
}

TEST_F(LakeTest, ViewsAreStoredAsTrinosOwn) {
  run("CREATE TABLE t AS SELECT 1 AS a, 'x' AS b");
  run("CREATE VIEW v COMMENT 'few' AS SELECT b, a + 1 AS next FROM t");
  EXPECT_EQ(one("SELECT next FROM v"), "2");
  run("CREATE OR REPLACE VIEW v AS SELECT a + 10 AS next FROM t");
  EXPECT_EQ(one("SELECT next FROM v"), "11");
  run("COMMENT ON VIEW v IS 'many'");
  run("ALTER VIEW v RENAME TO w");
  EXPECT_THAT(one("SHOW CREATE VIEW w"), HasSubstr("COMMENT 'many'"));
  EXPECT_EQ(catalog_->load_view({{"s"}, "w"}).metadata->sql("trino")->sql,
            "SELECT a + 10 AS next FROM t");
  EXPECT_THAT(rows("SHOW TABLES"), ElementsAre("t", "w"));
  run("DROP VIEW w");
  EXPECT_THAT(failure("SELECT * FROM w"), HasSubstr("TABLE_NOT_FOUND"));
}

TEST_F(LakeTest, MetadataTablesHoldWhatTheCacheDrops) {
  run("CREATE TABLE t (a integer, b varchar)");
  for (int i = 0; i < 9; ++i) run(fmt::format("INSERT INTO t VALUES ({}, 'row {}')", i, i));
  const auto table = catalog_->load({{"s"}, "t"});
  lake::ManifestCache nothing_kept(*files_, 0);
  const auto files = metadata_rows(nothing_kept, *table.metadata, "", "files");
  ASSERT_EQ(files.size(), 9);
  for (const auto& row : files) EXPECT_THAT(row.at(1).ToString(), testing::EndsWith(".parquet"));
  EXPECT_EQ(metadata_rows(nothing_kept, *table.metadata, "", "manifests").size(),
            rows("SELECT path FROM \"t$manifests\"").size());
}

TEST_F(LakeTest, CommentsAreKept) {
  run("CREATE TABLE t (a integer)");
  run("COMMENT ON TABLE t IS 'all of them'");
  run("COMMENT ON COLUMN t.a IS 'the first'");
  EXPECT_EQ(
      one("SELECT comment FROM system.metadata.table_comments WHERE catalog_name = 'lake' AND "
          "schema_name = 's' AND table_name = 't'"),
      "all of them");
  EXPECT_EQ(one("SHOW COLUMNS FROM t"), "a|integer||the first");
  EXPECT_THAT(rows("SELECT table_name, column_name FROM information_schema.columns WHERE "
                   "table_schema = 's'"),
              ElementsAre("t|a"));
  EXPECT_THAT(rows("SHOW SCHEMAS"), ElementsAre("information_schema", "s"));
}

TEST_F(LakeTest, WhoMayNotReachTheFilesMayNotReachTheTable) {
  run("CREATE TABLE t AS SELECT 1 AS a");
  EXPECT_EQ(run("SELECT a FROM t", "reader").rows, std::vector<std::string>{"1"});
  EXPECT_THAT(failure("SELECT count(*) FROM t", "nobody"), HasSubstr("PERMISSION_DENIED"));
  EXPECT_THAT(failure("SELECT * FROM \"t$snapshots\"", "nobody"), HasSubstr("PERMISSION_DENIED"));
  EXPECT_THAT(failure("INSERT INTO t VALUES 2", "reader"), HasSubstr("PERMISSION_DENIED"));
  EXPECT_THAT(failure("DELETE FROM t", "reader"), HasSubstr("PERMISSION_DENIED"));
  EXPECT_THAT(failure("DROP TABLE t", "reader"), HasSubstr("PERMISSION_DENIED"));
  EXPECT_THAT(failure("ALTER TABLE t ADD COLUMN b integer", "reader"),
              HasSubstr("PERMISSION_DENIED"));
  EXPECT_THAT(failure("CREATE TABLE u AS SELECT 1 AS a", "reader"), HasSubstr("PERMISSION_DENIED"));
  EXPECT_THAT(failure("CREATE VIEW v AS SELECT 1 AS a", "reader"), HasSubstr("PERMISSION_DENIED"));
  EXPECT_THAT(failure("COMMENT ON TABLE t IS 'mine'", "reader"), HasSubstr("PERMISSION_DENIED"));
  EXPECT_EQ(one("SELECT count(*) FROM t"), "1");
}

TEST_F(LakeTest, TransactionsAreRefused) {
  run("CREATE TABLE t (a integer)");
  const auto query = engine_->submit("START TRANSACTION", session_);
  while (!query->finished()) query->next(std::chrono::milliseconds(50));
  session_.transaction_id = *query->changes().started_transaction_id;
  EXPECT_EQ(failure("INSERT INTO t VALUES 1"),
            "AUTOCOMMIT_WRITE_CONFLICT: Catalog only supports writes using autocommit: lake");
}

TEST_F(LakeTest, ConcurrentInsertsAllArrive) {
  run("CREATE TABLE t (a integer)");
  std::vector<std::thread> writers;
  for (int i = 0; i < 4; ++i) {
    writers.emplace_back([this, i] {
      for (int k = 0; k < 5; ++k) run(fmt::format("INSERT INTO t VALUES {}", i * 100 + k));
    });
  }
  for (auto& writer : writers) writer.join();
  EXPECT_EQ(one("SELECT count(DISTINCT a) FROM t"), "20");
  EXPECT_EQ(one("SELECT count(*) FROM t"), "20");
}

}  // namespace
}  // namespace meesh::engine
