"""Trino itself on the lake, with its Iceberg connector: what it writes PyIceberg reads, and the
other way round."""
import datetime as dt
import decimal

import pyarrow as pa
import pytest

pytestmark = [pytest.mark.full, pytest.mark.timeout(600)]


@pytest.fixture
def sql(trino_sql):
    return trino_sql


def test_trino_writes_pyiceberg_reads(sql, catalog, space):
    sql(f"""CREATE TABLE {space}.t (id bigint NOT NULL, name varchar, price decimal(9, 2), day date,
                since timestamp(6), zoned timestamp(6) with time zone, tags array(varchar),
                place row(x integer, y varchar), counts map(varchar, bigint), raw varbinary)
            WITH (partitioning = ARRAY['day', 'bucket(id, 4)'])""")
    sql(f"""INSERT INTO {space}.t VALUES
            (1, U&'Zo\\00eb', 1.50, DATE '2025-01-15', TIMESTAMP '2025-01-15 08:30:00.123456',
             TIMESTAMP '2025-01-15 08:30:00 UTC', ARRAY['a', NULL], ROW(1, 'q'),
             MAP(ARRAY['k'], ARRAY[5]), X'00ff'),
            (2, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL)""")
    found = catalog.load_table((space, "t")).scan().to_arrow().sort_by("id").to_pylist()
    assert found[0] == {
        "id": 1, "name": "Zoë", "price": decimal.Decimal("1.50"), "day": dt.date(2025, 1, 15),
        "since": dt.datetime(2025, 1, 15, 8, 30, 0, 123456),
        "zoned": dt.datetime(2025, 1, 15, 8, 30, tzinfo=dt.timezone.utc), "tags": ["a", None],
        "place": {"x": 1, "y": "q"}, "counts": [("k", 5)], "raw": b"\0\xff"}
    assert set(found[1].values()) == {2, None}


def test_pyiceberg_writes_trino_reads(sql, catalog, space):
    data = pa.table({"id": pa.array(range(1000), pa.int64()),
                     "name": [f"n{n % 7}" for n in range(1000)],
                     "at": [dt.datetime(2025, 1, 1) + dt.timedelta(hours=n) for n in range(1000)]})
    table = catalog.create_table((space, "t"), data.schema)
    table.append(data)
    table.delete("id < 100")
    assert sql(f"SELECT count(*), min(id), max(at) FROM {space}.t") == [
        (900, 100, dt.datetime(2025, 2, 11, 15))]
    for bound in (99, 100, 500, 999, 1000):  # a bound off by one would drop rows without a word
        assert sql(f"SELECT count(*) FROM {space}.t WHERE id <= {bound}") == [
            (max(0, min(bound, 999) - 99),)]


def test_deletes_updates_merges_evolution(sql, catalog, space):
    sql(f"CREATE TABLE {space}.t AS SELECT n AS id, 'n' || CAST(n AS varchar) AS name "
        "FROM UNNEST(sequence(1, 100)) AS s(n)")
    sql(f"DELETE FROM {space}.t WHERE id % 2 = 0")
    sql(f"UPDATE {space}.t SET name = 'changed' WHERE id = 7")
    sql(f"ALTER TABLE {space}.t ADD COLUMN extra integer")
    sql(f"ALTER TABLE {space}.t RENAME COLUMN name TO title")
    sql(f"""MERGE INTO {space}.t USING (VALUES (7, 1), (1000, 2)) AS s(id, extra) ON t.id = s.id
            WHEN MATCHED THEN UPDATE SET extra = s.extra
            WHEN NOT MATCHED THEN INSERT (id, title, extra) VALUES (s.id, 'new', s.extra)""")
    found = catalog.load_table((space, "t")).scan().to_arrow().sort_by("id")
    assert found.num_rows == 51
    assert found.slice(50).to_pylist() == [{"id": 1000, "title": "new", "extra": 2}]
    assert found.slice(3, 1).to_pylist() == [{"id": 7, "title": "changed", "extra": 1}]
    sql(f"ALTER TABLE {space}.t EXECUTE optimize")
    assert sql(f"SELECT count(*) FROM {space}.t") == [(51,)]
    assert catalog.load_table((space, "t")).scan().to_arrow().num_rows == 51


def test_views_are_kept_as_iceberg_views(sql, rest, space):
    sql(f"CREATE VIEW {space}.v AS SELECT 42 AS answer")
    assert sql(f"SELECT * FROM {space}.v") == [(42,)]
    found = rest("GET", f"namespaces/{space}/views/v").json()["metadata"]
    assert found["versions"][0]["representations"][0]["dialect"] == "trino"
    sql(f"CREATE OR REPLACE VIEW {space}.v AS SELECT 43 AS answer")
    assert sql(f"SELECT * FROM {space}.v") == [(43,)]
    sql(f"DROP VIEW {space}.v")


def test_metadata_tables(sql, catalog, space):
    data = pa.table({"n": pa.array([1, 2, 3], pa.int64())})
    table = catalog.create_table((space, "t"), data.schema)
    table.append(data)
    table.append(data)
    assert sql(f'SELECT operation FROM {space}."t$snapshots" ORDER BY committed_at') == [
        ("append",), ("append",)]
    assert sql(f'SELECT sum(record_count) FROM {space}."t$files"') == [(6,)]
    first = table.metadata.snapshots[0].snapshot_id
    assert sql(f"SELECT count(*) FROM {space}.t FOR VERSION AS OF {first}") == [(3,)]


def test_drop_with_its_files(sql, rest, space):
    sql(f"CREATE TABLE {space}.t AS SELECT 1 AS n")
    sql(f"DROP TABLE {space}.t")
    assert rest("HEAD", f"namespaces/{space}/tables/t").status_code == 404
