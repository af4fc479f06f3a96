"""Files where those expect them who read the folders without the table."""
import datetime as dt
import io

import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.fs
import pyarrow.parquet as pq
import pytest
from botocore.exceptions import ClientError
from support.s3 import Keys, all_keys
from trino.exceptions import TrinoQueryError, TrinoUserError


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


def keys_below(lake, bucket, prefix):
    return [key for key in all_keys(lake.endpoint().client(), bucket) if key.startswith(prefix)]


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


def test_a_folder_for_each_date_of_the_medallion(lake, sql, space, catalog):
    sql(f"""CREATE TABLE {space}.orders
            WITH (location = 's3://bronze/{space}/orders',
                  data_location = 's3://bronze/{space}/orders',
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
    sql(f"DROP TABLE {space}.orders")
    assert keys_below(lake, "bronze", f"{space}/") == []


def test_layers_in_buckets_of_their_own(lake, sql, catalog, space, files):
    s3 = lake.endpoint().client()
    for layer in ("bronze", "silver", "gold"):
        sql(f"CREATE SCHEMA {layer}_{space} WITH (location = 's3://{layer}/{space}/')")
    sql(f"""CREATE TABLE bronze_{space}.orders (id bigint, at date, raw varchar)
            WITH (data_location = 's3://bronze/{space}/orders', partitioning = ARRAY['at'],
                  data_layout = '{{at}}/{{file}}')""")
    sql(f"""INSERT INTO bronze_{space}.orders VALUES (1, DATE '2025-01-15', 'a'),
            (2, DATE '2025-01-16', 'b')""")
    assert [key.split("/")[2] for key in keys_below(lake, "bronze", f"{space}/orders/2025")] == [
        "2025-01-15", "2025-01-16"]
    sql(f"""CREATE TABLE silver_{space}.orders AS
            SELECT id, upper(raw) AS name FROM bronze_{space}.orders""")
    assert keys_below(lake, "silver", f"{space}/orders/data/")
    gold = catalog.create_table((f"gold_{space}", "totals"), pa.schema([("n", pa.int64())]))
    assert gold.location() == f"s3://gold/{space}/totals"
    gold.append(pa.table({"n": pa.array([2], pa.int64())}))
    assert sql(f"""SELECT (SELECT count(*) FROM silver_{space}.orders) - n
                   FROM gold_{space}.totals""") == [(0,)]
    rows = ds.dataset(f"bronze/{space}/orders/2025-01-15", filesystem=files).to_table()
    assert rows.column("id").to_pylist() == [1]
    for layer, table in (("bronze", "orders"), ("silver", "orders"), ("gold", "totals")):
        sql(f"DROP TABLE {layer}_{space}.{table}")
        sql(f"DROP SCHEMA {layer}_{space}")
        assert keys_below(lake, layer, f"{space}/") == []
    assert {"bronze", "silver", "gold"} <= {b["Name"] for b in s3.list_buckets()["Buckets"]}


def test_data_in_another_bucket_than_the_metadata(lake, sql, rest, catalog, space):
    sql(f"""CREATE TABLE {space}.t (id bigint) WITH (data_location = 's3://silver/{space}/rows/')""")
    sql(f"INSERT INTO {space}.t VALUES 1, 2")
    catalog.load_table((space, "t")).append(pa.table({"id": pa.array([3], pa.int64())}))
    assert len(keys_below(lake, "silver", f"{space}/rows/")) == 2
    assert sql(f"SELECT sum(id) FROM {space}.t") == [(6,)]
    # The keys that the catalog gives for the table open both of its folders, and no third one.
    answer = rest("GET", f"namespaces/{space}/tables/t", headers={
        "X-Iceberg-Access-Delegation": "vended-credentials"}).json()
    config = answer["config"]
    s3 = lake.endpoint().client(Keys(config["s3.access-key-id"], config["s3.secret-access-key"],
                                     config["s3.session-token"]))
    assert {one["prefix"] for one in answer["storage-credentials"]} == {
        f"s3://lake/{space}/t", f"s3://silver/{space}/rows/"}
    s3.put_object(Bucket="silver", Key=f"{space}/rows/x", Body=b"x")
    s3.put_object(Bucket="lake", Key=f"{space}/t/x", Body=b"x")
    for bucket, key in (("silver", f"{space}/rows2/x"), ("silver", "x"), ("bronze", "x"),
                        ("lake", f"{space}/u/x")):
        with pytest.raises(ClientError, match="AccessDenied"):
            s3.put_object(Bucket=bucket, Key=key, Body=b"x")
    s3.delete_object(Bucket="silver", Key=f"{space}/rows/x")
    sql(f"DROP TABLE {space}.t")
    assert keys_below(lake, "silver", f"{space}/") == []


def test_files_of_all_places_become_tables(lake, sql, space):
    s3 = lake.endpoint().client()
    buffer = io.BytesIO()
    pq.write_table(pa.table({"id": pa.array([1], pa.int64())}), buffer)
    for bucket, key in (("bronze", "2025-01-15/a"), ("bronze", "2025-01-16/a"), ("gold", "more/b")):
        s3.put_object(Bucket=bucket, Key=f"{space}/raw/{key}.parquet", Body=buffer.getvalue())
    sql(f"""CALL lake.system.import_table('{space}', 't', 's3://bronze/{space}/raw', 'PARQUET',
            'true')""")
    sql(f"ALTER TABLE {space}.t EXECUTE add_files('s3://gold/{space}/raw/more', 'PARQUET')")
    assert sql(f"SELECT count(*) FROM {space}.t") == [(3,)]
    sql(f"CALL lake.system.unregister_table('{space}', 't')")
    sql(f"CALL lake.system.register_table('{space}', 't', 's3://bronze/{space}/raw')")
    assert sql(f"SELECT count(*) FROM {space}.t") == [(3,)]
    sql(f"DROP TABLE {space}.t")
    assert [key.rsplit("/", 1)[1] for bucket in ("bronze", "gold")
            for key in keys_below(lake, bucket, f"{space}/")] == ["a.parquet", "a.parquet",
                                                                  "b.parquet"]


def test_places_outside_the_lake_are_refused(lake, sql, space):
    lake.endpoint().client().create_bucket(Bucket=f"other-{space}")
    outside = f"s3://other-{space}/x"
    sql(f"CREATE TABLE {space}.t (a bigint)")
    for statement in (f"CREATE TABLE {space}.u (a bigint) WITH (location = '{outside}')",
                      f"CREATE TABLE {space}.u (a bigint) WITH (data_location = '{outside}')",
                      f"ALTER TABLE {space}.t SET PROPERTIES data_location = '{outside}'",
                      f"CREATE SCHEMA u_{space} WITH (location = '{outside}')",
                      f"ALTER TABLE {space}.t EXECUTE add_files('{outside}', 'PARQUET')"):
        with pytest.raises(TrinoQueryError, match=f"'{outside}' lies outside the warehouse"):
            sql(statement)


def test_versions_of_a_table(sql, lake, space):
    sql(f"""CREATE TABLE {space}.totals (method varchar, total double, version varchar)
            WITH (location = 's3://lake/{space}/totals', data_location = 's3://lake/{space}/totals',
                  partitioning = ARRAY['version'],
                  data_layout = 'version={{version}}/snapshot_{{file}}')""")
    sql(f"INSERT INTO {space}.totals VALUES ('card', 1, 'v1'), ('cash', 2, 'v2'), ('iou', 3, '../x')")
    assert [path.rsplit("_", 1)[0] for path in paths(sql, space, "totals")] == [
        "version=..%2Fx/snapshot", "version=v1/snapshot", "version=v2/snapshot"]
    # Nothing is left where the files were written first.
    keys = keys_below(lake, "lake", f"{space}/totals/")
    assert len([key for key in keys if key.endswith(".parquet")]) == 3


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
