"""DuckDB's iceberg extension on the lake: it writes, PyIceberg reads, and the other way round."""
import datetime as dt
import decimal

import duckdb
import pyarrow as pa
import pytest
from support.meesh import ROOT

EXTENSIONS = sorted((ROOT / ".deps").glob("duckdb-*/extensions"))[-1]


@pytest.fixture(scope="module")
def duck(lake):
    connection = duckdb.connect()
    for name in ("httpfs", "avro", "iceberg"):
        connection.load_extension(str(EXTENSIONS / f"{name}.duckdb_extension"))
    connection.execute(f"""
        CREATE SECRET (TYPE iceberg, CLIENT_ID '{lake.keys.access_key}',
                       CLIENT_SECRET '{lake.keys.secret_key}',
                       OAUTH2_SERVER_URI '{lake.url}/iceberg/v1/oauth/tokens')""")
    connection.execute(f"ATTACH 'lake' AS lake (TYPE iceberg, ENDPOINT '{lake.url}/iceberg')")
    yield connection
    connection.close()


def test_duckdb_writes_pyiceberg_reads(duck, catalog, space):
    duck.execute(f"""
        CREATE TABLE lake.{space}.t (id BIGINT, name VARCHAR, price DECIMAL(9, 2), day DATE,
                                     since TIMESTAMP, tags VARCHAR[], place STRUCT(x INTEGER))""")
    duck.execute(f"""
        INSERT INTO lake.{space}.t VALUES
          (1, 'Zoë', 1.50, DATE '2025-01-15', TIMESTAMP '2025-01-15 08:30:00', ['a', NULL], {{'x': 1}}),
          (2, NULL, -9999999.99, NULL, NULL, [], NULL)""")
    found = catalog.load_table((space, "t")).scan().to_arrow().sort_by("id").to_pylist()
    assert found == [
        {"id": 1, "name": "Zoë", "price": decimal.Decimal("1.50"), "day": dt.date(2025, 1, 15),
         "since": dt.datetime(2025, 1, 15, 8, 30), "tags": ["a", None], "place": {"x": 1}},
        {"id": 2, "name": None, "price": decimal.Decimal("-9999999.99"), "day": None, "since": None,
         "tags": [], "place": None}]


def test_pyiceberg_writes_duckdb_reads(duck, catalog, space):
    data = pa.table({"id": pa.array(range(1000), pa.int64()),
                     "name": [f"n{n % 7}" for n in range(1000)]})
    table = catalog.create_table((space, "t"), data.schema)
    table.append(data)
    table.delete("id < 100")
    found = duck.execute(f"SELECT count(*), min(id), count(DISTINCT name) FROM lake.{space}.t")
    assert found.fetchall() == [(900, 100, 7)]


def test_duckdb_deletes_and_updates(duck, catalog, space):
    duck.execute(f"CREATE TABLE lake.{space}.t (id BIGINT, name VARCHAR)")
    duck.execute(f"INSERT INTO lake.{space}.t SELECT i, 'n' || i FROM range(100) r(i)")
    duck.execute(f"DELETE FROM lake.{space}.t WHERE id % 2 = 0")
    duck.execute(f"UPDATE lake.{space}.t SET name = 'changed' WHERE id = 7")
    found = catalog.load_table((space, "t")).scan().to_arrow()
    assert found.num_rows == 50
    assert found.filter(pa.compute.equal(found["id"], 7))["name"].to_pylist() == ["changed"]


def test_transaction_over_two_tables(duck, catalog, space):
    for name in ("a", "b"):
        duck.execute(f"CREATE TABLE lake.{space}.{name} (n BIGINT)")
    duck.execute("BEGIN")
    duck.execute(f"INSERT INTO lake.{space}.a VALUES (1)")
    duck.execute(f"INSERT INTO lake.{space}.b VALUES (2)")
    assert catalog.load_table((space, "a")).scan().to_arrow().num_rows == 0
    duck.execute("COMMIT")
    for name in ("a", "b"):
        assert catalog.load_table((space, name)).scan().to_arrow().num_rows == 1
