"""External tables over folders of files: boto3 and pandas put them, SQL reads and adds, pyarrow and
pandas read what SQL wrote."""
import concurrent.futures
import datetime as dt
import decimal
import io
import itertools
import json

import pandas as pd
import pyarrow as pa
import pyarrow.dataset
import pyarrow.fs
import pyarrow.parquet as pq
import pytest
import trino
from trino.exceptions import TrinoExternalError, TrinoUserError

BUCKET = "files"
numbers = itertools.count(1)


@pytest.fixture(scope="module")
def s3(lake):
    client = lake.endpoint().client()
    client.create_bucket(Bucket=BUCKET)
    return client


@pytest.fixture(scope="module")
def sql(lake, s3):
    connection = trino.dbapi.connect(host="127.0.0.1", port=lake.port, user="tests",
                                     catalog="hive", schema="default")

    def run(text):
        cursor = connection.cursor()
        cursor.execute(text)
        return [tuple(row) for row in cursor.fetchall()]
    return run


@pytest.fixture
def folder(s3):
    """A place of the test's own: puts bytes or a pyarrow table, lists, reads."""
    class Folder:
        name = f"f{next(numbers)}"
        location = f"s3://{BUCKET}/{name}/"

        def put(self, key, content):
            if isinstance(content, pa.Table):
                buffer = io.BytesIO()
                pq.write_table(content, buffer)
                content = buffer.getvalue()
            s3.put_object(Bucket=BUCKET, Key=f"{self.name}/{key}",
                          Body=content.encode() if isinstance(content, str) else content)

        def keys(self):
            listed = s3.list_objects_v2(Bucket=BUCKET, Prefix=f"{self.name}/")
            return [entry["Key"][len(self.name) + 1:] for entry in listed.get("Contents", [])]

        def read(self, key):
            return s3.get_object(Bucket=BUCKET, Key=f"{self.name}/{key}")["Body"].read()
    return Folder()


@pytest.fixture
def table(sql):
    """A name for the test's table, which is dropped after it."""
    name = f"t{next(numbers)}"
    yield name
    sql(f"DROP TABLE IF EXISTS {name}")


@pytest.fixture(scope="module")
def arrow(lake):
    """pyarrow's own S3 client."""
    endpoint = lake.endpoint()
    return pa.fs.S3FileSystem(access_key=endpoint.keys.access_key,
                              secret_key=endpoint.keys.secret_key, scheme="http",
                              endpoint_override=endpoint.netloc, region="us-east-1")


EVENTS = pa.table({
    "event_id": ["e1", "e2", "e3"], "customer_id": pa.array([7, 8, None], pa.int64()),
    "event_type": ["buy", "look", None],
    "event_date": pa.array([dt.date(2025, 1, 1), dt.date(2025, 1, 2), None], pa.date32())})


def test_an_external_table_over_parquet(sql, folder):
    """The statements as they stand in the requirements (SQL-17, SQL-18)."""
    folder.put("part-0.parquet", EVENTS)
    folder.put("_SUCCESS", b"")
    sql("CREATE SCHEMA IF NOT EXISTS hive.default")
    sql(f"""CREATE TABLE hive.default.customer_events (
                event_id VARCHAR, customer_id BIGINT, event_type VARCHAR, event_date DATE)
            WITH (external_location = '{folder.location}', format = 'PARQUET')""")
    assert sql("SELECT * FROM hive.default.customer_events ORDER BY event_id") == [
        ("e1", 7, "buy", dt.date(2025, 1, 1)), ("e2", 8, "look", dt.date(2025, 1, 2)),
        ("e3", None, None, None)]
    assert len(sql("SELECT * FROM customer_events LIMIT 10")) == 3
    assert sql("SELECT count(*) FROM hive.default.customer_events WHERE customer_id > 7") == [(1,)]
    told = sql("SHOW CREATE TABLE hive.default.customer_events")[0][0]
    assert f"external_location = '{folder.location}'" in told and "format = 'PARQUET'" in told
    sql("DROP TABLE hive.default.customer_events")
    assert "part-0.parquet" in folder.keys()


def test_partitions_are_synchronized(sql, folder, table):
    sql(f"""CREATE TABLE {table} (event_id VARCHAR, customer_id BIGINT, event_type VARCHAR,
                                  event_date DATE)
            WITH (external_location = '{folder.location}', format = 'PARQUET',
                  partitioned_by = ARRAY['event_date'])""")
    rows = EVENTS.drop_columns("event_date")
    folder.put("event_date=2025-01-01/a.parquet", rows.slice(0, 1))
    folder.put("event_date=2025-01-02/a.parquet", rows.slice(1, 2))
    assert sql(f"SELECT count(*) FROM {table}") == [(0,)]
    sql(f"CALL hive.system.sync_partition_metadata('default', '{table}', 'ADD')")
    assert sql(f"SELECT event_date, count(*) FROM {table} GROUP BY 1 ORDER BY 1") == [
        (dt.date(2025, 1, 1), 1), (dt.date(2025, 1, 2), 2)]
    assert sql(f'SELECT * FROM "{table}$partitions" ORDER BY 1') == [
        (dt.date(2025, 1, 1),), (dt.date(2025, 1, 2),)]
    sql(f"""CALL hive.system.unregister_partition('default', '{table}', ARRAY['event_date'],
                                                  ARRAY['2025-01-01'])""")
    assert sql(f"SELECT count(*) FROM {table}") == [(2,)]
    sql(f"""CALL hive.system.register_partition('default', '{table}', ARRAY['event_date'],
                                                ARRAY['2025-01-01'])""")
    assert sql(f"SELECT count(*) FROM {table}") == [(3,)]
    with pytest.raises(TrinoUserError, match="Invalid partition metadata sync mode"):
        sql(f"CALL hive.system.sync_partition_metadata('default', '{table}', 'SOME')")


def test_pyarrow_reads_partitions_that_sql_wrote(sql, arrow, folder, table):
    sql(f"""CREATE TABLE {table} WITH (external_location = '{folder.location}', format = 'PARQUET',
                                       partitioned_by = ARRAY['day', 'place']) AS
            SELECT CAST(n AS bigint) AS id, CAST(n AS decimal(9, 2)) / 4 AS price,
                   TIMESTAMP '2025-01-01 00:00:00.5' AS at,
                   CAST(DATE '2025-01-01' + n % 2 * INTERVAL '1' DAY AS varchar) AS day,
                   if(n % 3 > 0, 'Zoë/a=b') AS place
            FROM UNNEST(sequence(1, 60)) AS s(n)""")
    found = pa.dataset.dataset(f"{BUCKET}/{folder.name}", filesystem=arrow, partitioning="hive",
                               format="parquet").to_table().to_pylist()
    assert sorted(row["id"] for row in found) == list(range(1, 61))
    assert {(row["day"], row["place"]) for row in found} == {
        (day, place) for day in ("2025-01-01", "2025-01-02") for place in ("Zoë/a=b", None)}
    first = next(row for row in found if row["id"] == 3)
    assert first["at"].replace(tzinfo=None) == dt.datetime(2025, 1, 1, 0, 0, 0, 500000)
    assert float(first["price"]) == 0.75
    assert sql(f"SELECT count(*), count(place) FROM {table} WHERE day = '2025-01-02'") == [(30, 20)]


def test_partitions_that_pyarrow_wrote(sql, arrow, folder, table):
    data = pa.table({"id": pa.array(range(100), pa.int64()),
                     "kind": [f"k {n % 4}/{n % 2}" for n in range(100)]})
    pa.dataset.write_dataset(data, f"{BUCKET}/{folder.name}", filesystem=arrow, format="parquet",
                             partitioning=pa.dataset.partitioning(
                                 pa.schema([("kind", pa.string())]), flavor="hive"))
    sql(f"""CREATE TABLE {table} (id bigint, kind varchar)
            WITH (external_location = '{folder.location}', partitioned_by = ARRAY['kind'])""")
    assert sql(f"SELECT kind, count(*) FROM {table} GROUP BY kind ORDER BY kind") == [
        ("k 0/0", 25), ("k 1/1", 25), ("k 2/0", 25), ("k 3/1", 25)]


def test_csv_of_pandas_and_back(sql, folder, table):
    frame = pd.DataFrame({"id": ["1", "2"], "name": ['say "hi"; bye', "Zoë"], "note": ["", "x\ny"]})
    folder.put("a.csv", frame.to_csv(index=False, sep=";"))
    sql(f"""CREATE TABLE {table} (id VARCHAR, name VARCHAR, note VARCHAR)
            WITH (external_location = '{folder.location}', format = 'CSV', csv_separator = ';',
                  skip_header_line_count = 1)""")
    assert sql(f"SELECT * FROM {table} ORDER BY id") == [
        ("1", 'say "hi"; bye', ""), ("2", "Zoë", "x\ny")]
    sql(f"INSERT INTO {table} VALUES ('3', 'it''s \"q\"', 'a;b')")
    written = next(key for key in folder.keys() if key != "a.csv")
    assert pd.read_csv(io.BytesIO(folder.read(written)), sep=";", dtype=str).values.tolist() == [
        ["3", 'it\'s "q"', "a;b"]]
    with pytest.raises(TrinoUserError, match="Hive CSV storage format only supports VARCHAR"):
        sql(f"CREATE TABLE bad (id BIGINT) WITH (external_location = '{folder.location}', "
            "format = 'CSV')")


def test_text_files_with_types(sql, folder, table):
    folder.put("a.txt", "1\x01one\x012025-01-01\n\\N\x01\\N\x01\\N\n")
    sql(f"""CREATE TABLE {table} (id BIGINT, name VARCHAR, at DATE)
            WITH (external_location = '{folder.location}', format = 'TEXTFILE')""")
    assert sql(f"SELECT * FROM {table} ORDER BY id") == [
        (1, "one", dt.date(2025, 1, 1)), (None, None, None)]
    sql(f"INSERT INTO {table} VALUES (2, NULL, DATE '2025-02-02')")
    written = next(key for key in folder.keys() if key != "a.txt")
    assert folder.read(written) == b"2\x01\\N\x012025-02-02\n"


def test_json_lines(sql, folder, table):
    folder.put("a.json", "\n".join(json.dumps(row) for row in (
        {"id": 1, "userName": "Ann", "tags": ["x"], "place": {"lat": 1.5}},
        {"id": 2, "unknown": [1]})) + "\n")
    sql(f"""CREATE TABLE {table} (id BIGINT, username VARCHAR, tags ARRAY(VARCHAR),
                                  place ROW(lat DOUBLE), price DECIMAL(9, 2))
            WITH (external_location = '{folder.location}', format = 'JSON')""")
    assert sql(f"SELECT id, username, tags, place.lat FROM {table} ORDER BY id") == [
        (1, "Ann", ["x"], 1.5), (2, None, None, None)]
    sql(f"INSERT INTO {table} VALUES (3, 'Bob', ARRAY['a', NULL], ROW(2.5), 1.25)")
    written = next(key for key in folder.keys() if key != "a.json")
    assert json.loads(folder.read(written)) == {
        "id": 3, "userName": "Bob", "tags": ["a", None], "place": {"lat": 2.5}, "price": 1.25}
    assert sql(f"SELECT price FROM {table} WHERE id = 3") == [(decimal.Decimal("1.25"),)]


def test_files_with_other_columns(sql, folder, table):
    folder.put("a.parquet", EVENTS)
    folder.put("b.parquet", pa.table({"more": [1], "customer_id": pa.array([9], pa.int32()),
                                      "event_id": ["e9"]}))
    sql(f"""CREATE TABLE {table} (event_id VARCHAR, customer_id BIGINT, event_type VARCHAR)
            WITH (external_location = '{folder.location}')""")
    assert sql(f"SELECT * FROM {table} WHERE customer_id = 9") == [("e9", 9, None)]
    folder.put("c.parquet", pa.table({"customer_id": ["not a number"]}))
    with pytest.raises(TrinoExternalError, match=f"customer_id.*{folder.name}/c.parquet.*BIGINT"):
        sql(f"SELECT sum(customer_id) FROM {table}")
    assert sql(f"SELECT count(event_id) FROM {table}") == [(4,)]
    assert sql(f"""SELECT "$path" FROM {table} WHERE event_id = 'e9'""") == [
        (f"{folder.location}b.parquet",)]


def test_a_managed_tables_files_go_with_it(lake, sql, s3):
    sql("CREATE TABLE own AS SELECT 1 AS x, 'a' AS y")
    path = sql('SELECT "$path" FROM own')[0][0]
    bucket, key = path.removeprefix("s3://").split("/", 1)
    assert pq.read_table(io.BytesIO(s3.get_object(Bucket=bucket, Key=key)["Body"].read())
                         ).to_pylist() == [{"x": 1, "y": "a"}]
    sql("DROP TABLE own")
    assert "Contents" not in s3.list_objects_v2(Bucket=bucket, Prefix=key)


def test_columns_and_comments(sql, folder, table):
    folder.put("a.parquet", EVENTS)
    sql(f"CREATE TABLE {table} (event_id VARCHAR) WITH (external_location = '{folder.location}')")
    sql(f"ALTER TABLE {table} ADD COLUMN customer_id BIGINT")
    sql(f"COMMENT ON TABLE {table} IS 'what happened'")
    sql(f"COMMENT ON COLUMN {table}.event_id IS 'its number'")
    assert sql(f"SELECT max(customer_id) FROM {table}") == [(8,)]
    assert sql(f"DESCRIBE {table}") == [("event_id", "varchar", "", "its number"),
                                       ("customer_id", "bigint", "", "")]
    assert "COMMENT 'what happened'" in sql(f"SHOW CREATE TABLE {table}")[0][0]
    sql(f"ALTER TABLE {table} DROP COLUMN event_id")
    assert sql(f"SELECT count(*) FROM {table}") == [(3,)]


def test_a_failed_insert_leaves_no_file(sql, folder, table):
    sql(f"""CREATE TABLE {table} (x BIGINT, k VARCHAR)
            WITH (external_location = '{folder.location}', partitioned_by = ARRAY['k'])""")
    with pytest.raises(TrinoUserError):
        sql(f"INSERT INTO {table} SELECT 1 / (n - 50000), CAST(n % 3 AS varchar) FROM "
            "UNNEST(sequence(1, 100000)) AS s(n)")
    assert folder.keys() == []


def test_folders_of_writes_under_way_stay(sql, folder, table):
    sql(f"""CREATE TABLE {table} (a bigint, k varchar) WITH (external_location =
            '{folder.location}', format = 'PARQUET', partitioned_by = ARRAY['k'])""")
    under_way = ".meesh-0d3c9a5e-58a1-4c37-9d3f-0c5c8f7d1a01/k=x/a.parquet"
    folder.put(under_way, "of another server, just now")
    sql(f"INSERT INTO {table} VALUES (1, 'x'), (2, 'y')")
    assert sql(f"SELECT a FROM {table} ORDER BY a") == [(1,), (2,)]
    assert under_way in folder.keys() and len(folder.keys()) == 3


def test_writers_at_once_lose_no_row(lake, sql, folder, table):
    sql(f"""CREATE TABLE {table} (writer BIGINT, n BIGINT, k VARCHAR)
            WITH (external_location = '{folder.location}', partitioned_by = ARRAY['k'])""")

    def write(writer):
        connection = trino.dbapi.connect(host="127.0.0.1", port=lake.port, user="tests",
                                         catalog="hive", schema="default")
        for n in range(5):
            cursor = connection.cursor()
            cursor.execute(f"INSERT INTO {table} VALUES ({writer}, {n}, 'k{n % 2}')")
            cursor.fetchall()
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        list(pool.map(write, range(8)))
    assert sorted(sql(f"SELECT writer, n FROM {table}")) == [
        (writer, n) for writer in range(8) for n in range(5)]


def test_formats_that_are_not_there(sql, folder):
    for name in ("ORC", "AVRO"):
        with pytest.raises(TrinoUserError, match=f"format {name} are not supported"):
            sql(f"CREATE TABLE bad (x BIGINT) WITH (external_location = '{folder.location}', "
                f"format = '{name}')")
    with pytest.raises(TrinoUserError, match="no bucket"):
        sql("CREATE TABLE bad (x BIGINT) WITH (external_location = 's3://nobody-has-it/x')")
