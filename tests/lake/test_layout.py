"""Files where those expect them who read the folders without the table."""
import datetime as dt

import pyarrow.dataset as ds
import pyarrow.fs
import pytest
import trino
from support.s3 import all_keys
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


@pytest.fixture(scope="module")
def files(lake):
    """PyArrow's own S3, which knows nothing of Iceberg."""
    endpoint = lake.endpoint()
    return pyarrow.fs.S3FileSystem(
        access_key=endpoint.keys.access_key, secret_key=endpoint.keys.secret_key,
        endpoint_override=endpoint.url, region="us-east-1")


def paths(sql, space, table):
    return sorted(path.split(f"/{table}/", 1)[1] for (path,) in
                  sql(f'SELECT file_path FROM {space}."{table}$files" WHERE content = 0'))


def test_a_folder_for_each_day_of_a_stream(sql, files, space):
    sql(f"""CREATE TABLE {space}.transaction_stream (id bigint, ts timestamp(6), amount double)
            WITH (location = 's3://lake/{space}/transaction_stream',
                  data_location = 's3://lake/{space}/transaction_stream',
                  partitioning = ARRAY['day(ts)'],
                  data_layout = 'year={{ts_day:%Y}}/month={{ts_day:%m}}/day={{ts_day:%d}}/data_{{file}}')""")
    sql(f"""INSERT INTO {space}.transaction_stream
            VALUES (1, TIMESTAMP '2025-01-15 08:30:00', 9.5), (2, TIMESTAMP '2025-01-15 23:59:59', 1),
                   (3, TIMESTAMP '2025-02-01 00:00:00', 2), (4, NULL, 3)""")
    found = paths(sql, space, "transaction_stream")
    assert [path.rsplit("/", 1)[0] for path in found] == [
        "year=2025/month=01/day=15", "year=2025/month=02/day=01",
        "year=__HIVE_DEFAULT_PARTITION__/month=__HIVE_DEFAULT_PARTITION__/"
        "day=__HIVE_DEFAULT_PARTITION__"]
    assert all(path.rsplit("/", 1)[1].startswith("data_") for path in found)
    hive = ds.partitioning(flavor="hive", schema=pyarrow.schema(
        [("year", pyarrow.int32()), ("month", pyarrow.int32()), ("day", pyarrow.int32())]))
    rows = ds.dataset(f"lake/{space}/transaction_stream", filesystem=files, partitioning=hive,
                      exclude_invalid_files=True)
    january = rows.to_table(filter=(ds.field("month") == 1)).sort_by("id")
    assert january.column("id").to_pylist() == [1, 2]
    assert sql(f"SELECT id FROM {space}.transaction_stream WHERE ts < DATE '2025-02-01' "
               "ORDER BY id") == [(1,), (2,)]


def test_a_folder_for_each_date_of_the_medallion(sql, space, catalog):
    sql(f"""CREATE TABLE {space}.orders
            WITH (location = 's3://lake/{space}/bronze/orders',
                  data_location = 's3://lake/{space}/bronze/orders',
                  partitioning = ARRAY['day(_ingestion_timestamp)'],
                  data_layout = '{{_ingestion_timestamp_day}}/{{file}}') AS
            SELECT n AS id, 'erp' AS _source,
                   TIMESTAMP '2025-01-15 12:00:00' + n * INTERVAL '1' DAY AS _ingestion_timestamp
            FROM UNNEST(sequence(0, 2)) AS s(n)""")
    assert [path.split("/")[0] for path in paths(sql, space, "orders")] == [
        "2025-01-15", "2025-01-16", "2025-01-17"]
    assert sorted(catalog.load_table((space, "orders")).scan().to_arrow()["id"].to_pylist()) == [
        0, 1, 2]
    sql(f"DELETE FROM {space}.orders WHERE id = 1")
    sql(f"UPDATE {space}.orders SET _source = 'crm' WHERE id = 2")
    assert sql(f"SELECT id, _source FROM {space}.orders ORDER BY id") == [(0, "erp"), (2, "crm")]
    sql(f"ALTER TABLE {space}.orders EXECUTE optimize")
    assert all(path.startswith("2025-01-") for path in paths(sql, space, "orders"))


def test_versions_of_a_table(sql, lake, space):
    sql(f"""CREATE TABLE {space}.totals (method varchar, total double, version varchar)
            WITH (location = 's3://lake/{space}/totals', data_location = 's3://lake/{space}/totals',
                  partitioning = ARRAY['version'],
                  data_layout = 'version={{version}}/snapshot_{{file}}')""")
    sql(f"INSERT INTO {space}.totals VALUES ('card', 1, 'v1'), ('cash', 2, 'v2'), ('iou', 3, '../x')")
    assert [path.rsplit("_", 1)[0] for path in paths(sql, space, "totals")] == [
        "version=..%2Fx/snapshot", "version=v1/snapshot", "version=v2/snapshot"]
    # Nothing is left where the files were written first.
    keys = [key for key in all_keys(lake.endpoint().client(), "lake")
            if key.startswith(f"{space}/totals/") and key.endswith(".parquet")]
    assert len(keys) == 3


def test_a_layout_that_does_not_fit_is_refused(sql, space):
    def refused(statement, words):
        with pytest.raises(TrinoUserError, match=words) as error:
            sql(statement)
        assert error.value.error_name == "INVALID_TABLE_PROPERTY"
    refused(f"CREATE TABLE {space}.t (a bigint) WITH (data_layout = '{{a}}/{{file}}')",
            "not partitioned by a")
    sql(f"""CREATE TABLE {space}.t (a bigint, day date) WITH (partitioning = ARRAY['day'],
            data_layout = '{{day:%Y}}/{{file}}')""")
    refused(f"ALTER TABLE {space}.t SET PROPERTIES partitioning = ARRAY['a']",
            "not partitioned by day")
    refused(f"ALTER TABLE {space}.t SET PROPERTIES data_layout = '{{day:%H}}/{{file}}'",
            "%Y, %m, %d")
    (create,), = sql(f"SHOW CREATE TABLE {space}.t")
    assert "data_layout = '{day:%Y}/{file}'" in create
    sql(f"""ALTER TABLE {space}.t SET PROPERTIES data_layout = DEFAULT,
            partitioning = ARRAY['a']""")
    sql(f"INSERT INTO {space}.t VALUES (1, DATE '2025-01-15')")
    assert sql(f"SELECT * FROM {space}.t") == [(1, dt.date(2025, 1, 15))]
