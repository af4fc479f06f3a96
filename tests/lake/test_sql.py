"""Iceberg tables in the mesh's own SQL, and what PyIceberg makes of them."""
import concurrent.futures
import datetime as dt
import decimal
import uuid

import pyarrow as pa
import pytest
import trino
from trino.exceptions import TrinoUserError


@pytest.fixture(scope="module")
def sql(lake):
    connection = trino.dbapi.connect(host="127.0.0.1", port=lake.port, user="tests",
                                     catalog="lake")

    def run(text):
        cursor = connection.cursor()
        cursor.execute(text)
        return [tuple(row) for row in cursor.fetchall()]
    return run


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
