"""Iceberg tables in the mesh's own SQL, and what PyIceberg makes of them."""
import concurrent.futures
import datetime as dt
import decimal
import uuid

import pyarrow as pa
import pytest
import trino
from trino.exceptions import TrinoUserError


def test_every_type_goes_out_and_comes_back(sql, catalog, space):
    sql(f"""CREATE TABLE {space}.t (b boolean, i integer, l bigint NOT NULL, f real, d double,
            p decimal(38, 10), day date, since timestamp(6), zoned timestamp(6) with time zone,
            s varchar, u uuid, raw varbinary, tags array(varchar), place row(x integer, y varchar),
            counts map(varchar, bigint), at time(6))""")
    sql(f"""INSERT INTO {space}.t VALUES
        (true, -2147483648, 9223372036854775807, REAL '1.5', nan(),
         DECIMAL '-1.0000000001', DATE '1969-12-31', TIMESTAMP '1969-07-20 20:17:40.123456',
         TIMESTAMP '2025-01-15 08:30:00 UTC', U&'Zo\\00eb', UUID 'f47ac10b-58cc-4372-a567-0e02b2c3d479',
         X'00ff', ARRAY['a', NULL], ROW(1, 'q'), MAP(ARRAY['k'], ARRAY[BIGINT '5']),
         TIME '23:59:59.999999'),
        (NULL, NULL, 2, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL,
         NULL)""")
    first, second = catalog.load_table((space, "t")).scan().to_arrow().sort_by(
        [("l", "descending")]).to_pylist()
    assert str(first.pop("d")) == "nan"
    assert uuid.UUID(str(first["u"]) if not isinstance(first["u"], bytes) else first["u"].hex()) == \
        uuid.UUID("f47ac10b-58cc-4372-a567-0e02b2c3d479")
    del first["u"]
    assert first == {
        "b": True, "i": -2147483648, "l": 9223372036854775807, "f": 1.5,
        "p": decimal.Decimal("-1.0000000001"), "day": dt.date(1969, 12, 31),
        "since": dt.datetime(1969, 7, 20, 20, 17, 40, 123456),
        "zoned": dt.datetime(2025, 1, 15, 8, 30, tzinfo=dt.timezone.utc), "s": "Zoë",
        "raw": b"\0\xff", "tags": ["a", None], "place": {"x": 1, "y": "q"}, "counts": [("k", 5)],
        "at": dt.time(23, 59, 59, 999999)}
    assert set(second.values()) == {2, None}
    assert sql(f"SELECT l, s, CAST(u AS varchar), tags, place.y, counts['k'] FROM {space}.t "
               "ORDER BY l DESC") == [
        (9223372036854775807, "Zoë", "f47ac10b-58cc-4372-a567-0e02b2c3d479", ["a", None], "q", 5),
        (2, None, None, None, None, None)]


def test_create_table_as_and_what_pyiceberg_adds(sql, catalog, space):
    sql(f"""CREATE TABLE {space}.t WITH (partitioning = ARRAY['day(at)', 'bucket(id, 4)']) AS
            SELECT CAST(n AS bigint) AS id, TIMESTAMP '2025-01-01 00:00:00' + n * INTERVAL '1' HOUR
            AS at FROM UNNEST(sequence(0, 99)) AS s(n)""")
    table = catalog.load_table((space, "t"))
    assert table.scan().to_arrow().num_rows == 100
    assert len(list(table.scan(row_filter="id = 7").plan_files())) < len(
        list(table.scan().plan_files()))
    table.append(pa.table({"id": pa.array([1000], pa.int64()),
                           "at": pa.array([dt.datetime(2026, 1, 1)], pa.timestamp("us"))}))
    assert sql(f"SELECT count(*), max(id) FROM {space}.t") == [(101, 1000)]
    assert sql(f"SELECT id FROM {space}.t WHERE at >= TIMESTAMP '2026-01-01 00:00:00'") == [(1000,)]


def test_what_pyiceberg_deletes_is_gone(sql, catalog, space):
    data = pa.table({"id": pa.array(range(1000), pa.int64()),
                     "name": [f"n{n % 7}" for n in range(1000)]})
    table = catalog.create_table((space, "t"), data.schema)
    table.append(data)
    table.delete("id < 100")
    assert sql(f"SELECT count(*), min(id) FROM {space}.t") == [(900, 100)]
    for bound in (99, 100, 500, 999, 1000):
        assert sql(f"SELECT count(*) FROM {space}.t WHERE id <= {bound}") == [
            (max(0, min(bound, 999) - 99),)]


def test_evolution_and_time_travel(sql, catalog, space):
    sql(f"CREATE TABLE {space}.t (id integer, name varchar)")
    sql(f"INSERT INTO {space}.t VALUES (1, 'a')")
    first = sql(f'SELECT snapshot_id FROM {space}."t$snapshots" ORDER BY committed_at')[-1][0]
    sql(f"ALTER TABLE {space}.t RENAME COLUMN name TO title")
    sql(f"ALTER TABLE {space}.t ADD COLUMN extra double")
    sql(f"ALTER TABLE {space}.t ALTER COLUMN id SET DATA TYPE bigint")
    sql(f"INSERT INTO {space}.t VALUES (5000000000, 'b', 1.5)")
    assert sql(f"SELECT * FROM {space}.t ORDER BY id") == [
        (1, "a", None), (5000000000, "b", 1.5)]
    assert sql(f"SELECT * FROM {space}.t FOR VERSION AS OF {first}") == [(1, "a")]
    sql(f"ALTER TABLE {space}.t DROP COLUMN title")
    assert sql(f"SELECT * FROM {space}.t ORDER BY id") == [(1, None), (5000000000, 1.5)]
    found = catalog.load_table((space, "t")).scan().to_arrow().sort_by("id").to_pylist()
    assert found == [{"id": 1, "extra": None}, {"id": 5000000000, "extra": 1.5}]


def test_the_catalog_tells_of_its_tables(sql, space):
    sql(f"CREATE TABLE {space}.t (id bigint NOT NULL COMMENT 'number', at date) "
        "COMMENT 'about it' WITH (partitioning = ARRAY['at'])")
    assert sql(f"SHOW TABLES FROM {space}") == [("t",)]
    told = sql(f"SHOW CREATE TABLE {space}.t")[0][0]
    assert "partitioning = ARRAY['at']" in told and "COMMENT 'about it'" in told
    assert sql(f"DESCRIBE {space}.t")[0] == ("id", "bigint", "", "number")
    sql(f"DROP TABLE {space}.t")
    assert sql(f"SHOW TABLES FROM {space}") == []


def test_views_are_iceberg_views(sql, rest, space):
    sql(f"CREATE VIEW {space}.v AS SELECT 42 AS answer")
    assert sql(f"SELECT * FROM {space}.v") == [(42,)]
    found = rest("GET", f"namespaces/{space}/views/v").json()["metadata"]
    assert found["versions"][0]["representations"][0]["dialect"] == "trino"
    sql(f"DROP VIEW {space}.v")
    assert rest("HEAD", f"namespaces/{space}/views/v").status_code == 404


def test_a_failed_statement_leaves_nothing(sql, lake, space):
    def files():
        listed = lake.endpoint().client().list_objects_v2(Bucket="lake", Prefix=f"{space}/")
        return [entry["Key"] for entry in listed.get("Contents", [])]
    with pytest.raises(TrinoUserError):
        sql(f"CREATE TABLE {space}.t AS SELECT 1 / (n - 50000) AS x FROM "
            "UNNEST(sequence(1, 100000)) AS s(n)")
    assert files() == [] and sql(f"SHOW TABLES FROM {space}") == []


def test_procedures_keep_a_table_small(sql, catalog, space):
    sql(f"CREATE TABLE {space}.t (id bigint, name varchar) WITH (partitioning = ARRAY['name'])")
    for n in range(6):
        sql(f"INSERT INTO {space}.t VALUES ({n}, '{'ab'[n % 2]}')")
    sql(f"DELETE FROM {space}.t WHERE id = 4")
    snapshots = [row[0] for row in sql(
        f'SELECT snapshot_id FROM {space}."t$snapshots" ORDER BY committed_at')]
    sql(f"ALTER TABLE {space}.t EXECUTE optimize")
    assert sql(f'SELECT count(*), sum(record_count) FROM {space}."t$files"') == [(2, 5)]
    assert sql(f"SELECT id FROM {space}.t ORDER BY id") == [(0,), (1,), (2,), (3,), (5,)]
    table = catalog.load_table((space, "t"))
    assert sorted(table.scan().to_arrow()["id"].to_pylist()) == [0, 1, 2, 3, 5]
    assert table.current_snapshot().summary.operation.value == "replace"
    sql(f"ALTER TABLE {space}.t EXECUTE rollback_to_snapshot({snapshots[2]})")
    assert sql(f"SELECT id FROM {space}.t ORDER BY id") == [(0,), (1,)]
    sql(f"ALTER TABLE {space}.t EXECUTE expire_snapshots(retention_threshold => '0s')")
    assert sql(f'SELECT count(*) FROM {space}."t$snapshots"') == [(1,)]
    assert sql(f"SELECT id FROM {space}.t ORDER BY id") == [(0,), (1,)]
    for wrong in ("remove_orphan_files(retention_threshold => '1d')", "nothing", "optimize(1, 2)",
                  "rollback_to_snapshot(12)", "expire_snapshots(retention_threshold => 'soon')"):
        with pytest.raises(TrinoUserError):
            sql(f"ALTER TABLE {space}.t EXECUTE {wrong}")


def test_rows_are_deleted_updated_and_merged(sql, catalog, space):
    sql(f"CREATE TABLE {space}.t AS SELECT CAST(n AS bigint) AS id, 'n' || CAST(n AS varchar) AS "
        "name FROM UNNEST(sequence(1, 100)) AS s(n)")
    assert sql(f"DELETE FROM {space}.t WHERE id % 2 = 0") == [(50,)]
    assert sql(f"UPDATE {space}.t SET name = 'changed' WHERE id = 7") == [(1,)]
    assert sql(f"""MERGE INTO {space}.t USING (VALUES (BIGINT '9', 'nine'), (1000, 'new')) AS
                   s(id, name) ON t.id = s.id WHEN MATCHED THEN UPDATE SET name = s.name
                   WHEN NOT MATCHED THEN INSERT (id, name) VALUES (s.id, s.name)""") == [(2,)]
    found = catalog.load_table((space, "t")).scan().to_arrow().to_pylist()
    assert len(found) == 51
    names = {row["id"]: row["name"] for row in found}
    assert (names[7], names[9], names[11], names[1000]) == ("changed", "nine", "n11", "new")


def test_writers_at_once_lose_no_row(lake, sql, catalog, space):
    sql(f"CREATE TABLE {space}.t (writer bigint, n bigint)")

    def write(writer):
        connection = trino.dbapi.connect(host="127.0.0.1", port=lake.port, user="tests",
                                         catalog="lake")
        for n in range(5):
            cursor = connection.cursor()
            cursor.execute(f"INSERT INTO {space}.t VALUES ({writer}, {n})")
            cursor.fetchall()
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        list(pool.map(write, range(8)))
    assert sorted(sql(f"SELECT writer, n FROM {space}.t")) == [
        (writer, n) for writer in range(8) for n in range(5)]
    assert catalog.load_table((space, "t")).scan().to_arrow().num_rows == 40


def test_bytes_and_zeros_are_found_by_their_value(sql, space):
    """A Bloom filter of DuckDB's says that they are not there."""
    for table in (f"{space}.t", "hive.default.bloom"):
        sql(f"""CREATE TABLE {table} AS
                SELECT CASE n % 2 WHEN 0 THEN DOUBLE '-0.0' ELSE DOUBLE '1' END AS a,
                       from_hex('FF') AS b FROM UNNEST(sequence(1, 10)) AS s(n)""")
        assert sql(f"SELECT count(*) FROM {table} WHERE a = 0e0") == [(5,)]
        assert sql(f"SELECT count(*) FROM {table} WHERE b = from_hex('FF')") == [(10,)]
    assert sql(f"DELETE FROM {space}.t WHERE b = from_hex('FF')") == [(10,)]
    sql("DROP TABLE hive.default.bloom")


def test_two_partition_columns_of_one_decimal_type(sql, catalog, space):
    sql(f"CREATE TABLE {space}.t (a decimal(18, 2), b decimal(18, 2)) "
        "WITH (partitioning = ARRAY['a', 'truncate(b, 10)'])")
    sql(f"INSERT INTO {space}.t VALUES (DECIMAL '1.50', DECIMAL '-2.55')")
    assert catalog.load_table((space, "t")).scan(row_filter="a = 1.50").to_arrow().to_pylist() == [
        {"a": decimal.Decimal("1.50"), "b": decimal.Decimal("-2.55")}]


@pytest.mark.parametrize("digits", [9, 38])
def test_a_decimal_truncated_to_more_digits_than_its_column_has(sql, catalog, space, digits):
    sql(f"CREATE TABLE {space}.t (a decimal({digits}, 2)) "
        "WITH (partitioning = ARRAY['truncate(a, 10)'])")
    lowest = decimal.Decimal("-" + (digits - 2) * "9" + ".99")
    sql(f"INSERT INTO {space}.t VALUES DECIMAL '{lowest}'")
    assert sql(f"SELECT a FROM {space}.t WHERE a < 0") == [(lowest,)]
    assert catalog.load_table((space, "t")).scan().to_arrow()["a"].to_pylist() == [lowest]


def test_what_with_may_name_is_told(sql, space):
    told = {table: dict(sql("SELECT property_name, type FROM system.metadata." + table +
                            " WHERE catalog_name = 'lake'"))
            for table in ("table_properties", "materialized_view_properties", "schema_properties",
                          "analyze_properties", "column_properties")}
    tables = told["table_properties"]
    assert tables["partitioning"] == "array(varchar)" and tables["format_version"] == "integer"
    assert told["materialized_view_properties"] == tables | {"storage_schema": "varchar"}
    assert told["schema_properties"] == {"location": "varchar"}
    assert told["analyze_properties"] == {"columns": "array(varchar)"}
    assert told["column_properties"] == {}
    all_of_them = ", ".join(name + " = DEFAULT" for name in tables)
    sql(f"CREATE TABLE {space}.t (a integer) WITH ({all_of_them})")
    assert sql("SELECT property_name FROM system.metadata.table_properties "
               "WHERE catalog_name = 'tpch'") == []


def test_a_table_like_another_with_its_properties(sql, space):
    sql(f"""CREATE TABLE {space}.a (id bigint COMMENT 'key', at timestamp(6), name varchar) WITH (
            partitioning = ARRAY['day(at)', 'bucket(id, 4)'], sorted_by = ARRAY['name DESC'],
            data_layout = '{{at_day}}/{{file}}', data_location = 's3://lake/{space}/else',
            max_commit_retry = 7)""")
    sql(f"CREATE TABLE {space}.b (LIKE {space}.a INCLUDING PROPERTIES, more integer)")
    (create,), = sql(f"SHOW CREATE TABLE {space}.b")
    for kept in ("partitioning = ARRAY['day(at)','bucket(id, 4)']", "max_commit_retry = 7",
                 "sorted_by = ARRAY['name DESC NULLS LAST']", "data_layout = '{at_day}/{file}'",
                 f"location = 's3://lake/{space}/b'", "COMMENT 'key'", "more integer"):
        assert kept in create
    assert "data_location" not in create
    sql(f"INSERT INTO {space}.b VALUES (1, TIMESTAMP '2025-01-15 08:00:00', 'x', 2)")
    (path,), = sql(f'SELECT file_path FROM {space}."b$files"')
    assert path.startswith(f"s3://lake/{space}/b/data/2025-01-15/")
    sql(f"""CREATE TABLE {space}.c (LIKE {space}.a INCLUDING PROPERTIES)
            WITH (Partitioning = ARRAY['month(at)'], data_layout = DEFAULT)""")
    (create,), = sql(f"SHOW CREATE TABLE {space}.c")
    assert "ARRAY['month(at)']" in create and "sorted_by" in create and "layout" not in create
    for words in ("", " EXCLUDING PROPERTIES"):
        sql(f"CREATE OR REPLACE TABLE {space}.d (LIKE {space}.a{words})")
        (create,), = sql(f"SHOW CREATE TABLE {space}.d")
        assert "partitioning" not in create and "max_commit_retry" not in create
    for elements, told in (
            (f"LIKE {space}.a INCLUDING PROPERTIES, LIKE {space}.b INCLUDING PROPERTIES",
             "Only one LIKE clause can specify INCLUDING PROPERTIES"),
            ("LIKE tpch.tiny.nation INCLUDING PROPERTIES", "across catalogs is not supported")):
        with pytest.raises(TrinoUserError, match=told) as refused:
            sql(f"CREATE TABLE {space}.e ({elements})")
        assert refused.value.error_name == "NOT_SUPPORTED"


def test_a_partition_field_that_would_have_a_columns_name(sql, space):
    for statement in (
            f"CREATE TABLE {space}.t (a bigint, a_bucket bigint) WITH (partitioning = "
            "ARRAY['bucket(a, 4)'])",
            f"CREATE TABLE {space}.t WITH (partitioning = ARRAY['truncate(a, 4)']) AS "
            "SELECT 1 AS a, 2 AS a_trunc"):
        with pytest.raises(TrinoUserError, match="which a column has already") as refused:
            sql(statement)
        assert refused.value.error_name == "INVALID_TABLE_PROPERTY"
    sql(f"CREATE TABLE {space}.t (a bigint, a_bucket bigint)")
    with pytest.raises(TrinoUserError, match=r"bucket\(a, 4\) makes a partition field") as refused:
        sql(f"ALTER TABLE {space}.t SET PROPERTIES partitioning = ARRAY['bucket(a, 4)']")
    assert refused.value.error_name == "INVALID_TABLE_PROPERTY"
    sql(f"ALTER TABLE {space}.t RENAME COLUMN a_bucket TO b")
    sql(f"ALTER TABLE {space}.t SET PROPERTIES partitioning = ARRAY['bucket(a, 4)']")
    sql(f"INSERT INTO {space}.t VALUES (1, 2)")
    assert sql(f"SELECT * FROM {space}.t") == [(1, 2)]
