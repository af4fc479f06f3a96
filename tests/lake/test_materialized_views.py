"""Materialized views of the lake: what a refresh stores, who reads it and when, and what is left of
a refresh that is killed."""
import concurrent.futures
import decimal
import threading

import pyarrow as pa
import pytest
import requests
import trino
from support.iceberg import python_catalog
from support.s3_server import LakeServer, lake_mesh
from trino.exceptions import TrinoQueryError


@pytest.fixture
def orders(sql, space):
    sql(f"CREATE TABLE {space}.orders AS SELECT * FROM (VALUES (1, 'CH', DECIMAL '10.00'), "
        "(2, 'CH', DECIMAL '20.00'), (3, 'AT', DECIMAL '5.00')) AS o(id, country, amount)")
    return f"{space}.orders"


def query(orders):
    return f"SELECT country, sum(amount) AS total FROM {orders} GROUP BY country"


def test_other_engines_read_the_storage_table(sql, catalog, rest, space, orders):
    sql(f"CREATE MATERIALIZED VIEW {space}.v WITH (partitioning = ARRAY['country']) AS "
        f"{query(orders)}")
    assert catalog.load_table((space, "v__storage")).scan().to_arrow().num_rows == 0
    assert sql(f"REFRESH MATERIALIZED VIEW {space}.v") == [(2,)]
    stored = catalog.load_table((space, "v__storage"))
    assert stored.scan().to_arrow().sort_by("country").to_pydict() == {
        "country": ["AT", "CH"], "total": [pytest.approx(5), pytest.approx(30)]}
    assert [field.name for field in stored.spec().fields] == ["country"]
    summary = stored.current_snapshot().summary
    source = catalog.load_table((space, "orders"))
    assert summary["dependsOnTables"] == f"{orders}={source.current_snapshot().snapshot_id}"
    view = rest("GET", f"namespaces/{space}/views/v").json()["metadata"]
    assert view["versions"][-1]["storage-table"] == {"namespace": [space], "name": "v__storage"}
    assert sql(f"SHOW TABLES FROM {space}") == [("orders",), ("v",)]


def test_rows_that_others_add_make_it_stale(sql, catalog, space, orders):
    sql(f"CREATE MATERIALIZED VIEW {space}.stored AS {query(orders)}")
    sql(f"CREATE MATERIALIZED VIEW {space}.current GRACE PERIOD INTERVAL '0' SECOND AS "
        f"{query(orders)}")
    fresh = (f"SELECT name, freshness, last_fresh_time IS NULL FROM "
             f"system.metadata.materialized_views WHERE schema_name = '{space}' ORDER BY name")
    assert sql(fresh) == [("current", "STALE", True), ("stored", "STALE", True)]
    for view in ("stored", "current"):
        sql(f"REFRESH MATERIALIZED VIEW {space}.{view}")
    assert sql(fresh) == [("current", "FRESH", True), ("stored", "FRESH", True)]
    table = catalog.load_table((space, "orders"))
    table.append(pa.Table.from_pylist(
        [{"id": 4, "country": "DE", "amount": decimal.Decimal("1.00")}],
        table.schema().as_arrow()))
    assert sql(fresh) == [("current", "STALE", False), ("stored", "STALE", False)]
    assert sql(f"SELECT count(*) FROM {space}.stored") == [(2,)]
    assert sql(f"SELECT count(*) FROM {space}.current") == [(3,)]
    assert sql(f"REFRESH MATERIALIZED VIEW {space}.stored") == [(3,)]
    assert sql(f"SELECT total FROM {space}.stored WHERE country = 'DE'") == [(1,)]


def test_storage_that_somebody_changed_is_not_read(sql, catalog, space, orders):
    sql(f"CREATE MATERIALIZED VIEW {space}.v AS SELECT id FROM {orders}")
    sql(f"REFRESH MATERIALIZED VIEW {space}.v")
    stored = catalog.load_table((space, "v__storage"))
    stored.append(pa.Table.from_pylist([{"id": 99}], stored.schema().as_arrow()))
    assert sql(f"SELECT max(id) FROM {space}.v") == [(3,)]
    assert sql(f"REFRESH MATERIALIZED VIEW {space}.v") == [(3,)]
    assert catalog.load_table((space, "v__storage")).scan().to_arrow()["id"].to_pylist() == [
        1, 2, 3]


def test_upkeep_tends_the_storage_table(sql, catalog, space, orders):
    sql(f"CREATE MATERIALIZED VIEW {space}.v AS SELECT id FROM {orders}")
    for n in range(3):
        sql(f"INSERT INTO {orders} VALUES ({10 + n}, 'CH', DECIMAL '1.00')")
        sql(f"REFRESH MATERIALIZED VIEW {space}.v")
    storage = f"{space}.v__storage"
    sql(f"ALTER TABLE {storage} EXECUTE optimize")
    sql(f"ALTER TABLE {storage} EXECUTE expire_snapshots(retention_threshold => '0s')")
    assert len(catalog.load_table((space, "v__storage")).snapshots()) == 1
    assert sql("SELECT freshness FROM system.metadata.materialized_views WHERE schema_name = "
               f"'{space}'") == [("FRESH",)]
    assert sql(f"SELECT count(*) FROM {space}.v") == [(6,)]


def test_statements_for_others_are_refused(sql, space, orders):
    sql(f"CREATE MATERIALIZED VIEW {space}.v AS SELECT id FROM {orders}")
    for text, told in [
            (f"INSERT INTO {space}.v VALUES 1", "Inserting into materialized views"),
            (f"DROP VIEW {space}.v", f"Did you mean DROP MATERIALIZED VIEW lake.{space}.v?"),
            (f"DROP TABLE {space}.v", f"Did you mean DROP MATERIALIZED VIEW lake.{space}.v?"),
            (f"DROP TABLE {space}.v__storage", "holds the rows of a materialized view"),
            (f"ALTER MATERIALIZED VIEW {space}.v SET PROPERTIES format = 'ORC'",
             "does not support setting materialized view properties")]:
        with pytest.raises(TrinoQueryError, match=told.replace("?", r"\?")):
            sql(text)
    sql(f"DROP MATERIALIZED VIEW {space}.v")
    assert sql(f"SHOW TABLES FROM {space}") == [("orders",)]


def test_refreshes_at_once_leave_every_row_once(lake, sql, catalog, space, orders):
    sql(f"CREATE MATERIALIZED VIEW {space}.v AS SELECT id FROM {orders}")

    def refresh(_):
        cursor = trino.dbapi.connect(host="127.0.0.1", port=lake.port, user="tests",
                                     catalog="lake").cursor()
        cursor.execute(f"REFRESH MATERIALIZED VIEW {space}.v")
        return cursor.fetchall()
    for n in range(3):
        sql(f"INSERT INTO {orders} VALUES ({10 + n}, 'CH', DECIMAL '1.00')")
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            counts = sorted(rows[0][0] for rows in pool.map(refresh, range(2)))
        assert counts[-1] == 4 + n
        ids = catalog.load_table((space, "v__storage")).scan().to_arrow()["id"].to_pylist()
        assert sorted(ids) == [1, 2, 3, *range(10, 11 + n)]


POINTS = ["lake.manifest_written:1", "lake.list_written:1", "lake.before_swap:1",
          "lake.after_swap:1"]


@pytest.fixture(scope="module")
def killed(work_folder):
    server = LakeServer(lake_mesh(work_folder / "killed-views"), work_folder / "killed-views-data")
    server.start()
    yield server
    server.stop()


def ask(server, text):
    cursor = trino.dbapi.connect(host="127.0.0.1", port=server.port, user="tests",
                                 catalog="lake", max_attempts=1).cursor()
    cursor.execute(text)
    return [tuple(row) for row in cursor.fetchall()]


@pytest.mark.timeout(300)
@pytest.mark.parametrize("point", POINTS)
def test_a_refresh_that_is_killed_is_done_or_not(killed, point):
    space = "n_" + point.split(".")[1].split(":")[0]
    ask(killed, f"CREATE SCHEMA {space}")
    ask(killed, f"CREATE TABLE {space}.t AS SELECT 1 AS id")
    ask(killed, f"CREATE MATERIALIZED VIEW {space}.v AS SELECT id FROM {space}.t")
    ask(killed, f"REFRESH MATERIALIZED VIEW {space}.v")
    ask(killed, f"INSERT INTO {space}.t VALUES 2")
    killed.stop()
    killed.environment["MEESH_CRASH_POINT"] = point
    killed.start()
    with pytest.raises((requests.RequestException, trino.exceptions.TrinoConnectionError)):
        ask(killed, f"REFRESH MATERIALIZED VIEW {space}.v")
    killed.environment.pop("MEESH_CRASH_POINT")
    killed.kill()
    killed.start()
    rows = sorted(ask(killed, f"SELECT id FROM {space}.v"))
    assert rows == ([(1,), (2,)] if "after" in point else [(1,)])
    stored = python_catalog(killed).load_table((space, "v__storage")).scan().to_arrow()
    assert sorted(stored["id"].to_pylist()) == [row[0] for row in rows]
    ask(killed, f"REFRESH MATERIALIZED VIEW {space}.v")
    assert sorted(ask(killed, f"SELECT id FROM {space}.v")) == [(1,), (2,)]


@pytest.mark.timeout(300)
def test_views_are_whole_when_the_server_is_killed_while_they_come_and_go(killed):
    """Both names are there or none is: whatever is there can be read, refreshed and dropped."""
    space = "come_and_go"
    ask(killed, f"CREATE SCHEMA {space}")
    ask(killed, f"CREATE TABLE {space}.t AS SELECT 1 AS id")
    running = threading.Event()

    def make():
        try:
            for n in range(1000):
                ask(killed, f"CREATE MATERIALIZED VIEW {space}.v{n} AS SELECT id FROM {space}.t")
                ask(killed, f"REFRESH MATERIALIZED VIEW {space}.v{n}")
                if n % 2:
                    ask(killed, f"DROP MATERIALIZED VIEW {space}.v{n}")
                if n == 3:
                    running.set()
        except (requests.RequestException, trino.exceptions.TrinoConnectionError):
            running.set()
    worker = threading.Thread(target=make, daemon=True)
    worker.start()
    assert running.wait(200)
    killed.kill()
    worker.join(100)
    killed.start()
    views = [name for (name,) in ask(killed, f"SHOW TABLES FROM {space}") if name != "t"]
    tables = {name for _, name in python_catalog(killed).list_tables(space)}
    assert tables == {"t", *(f"{view}__storage" for view in views)}
    for view in views:
        assert ask(killed, f"SELECT id FROM {space}.{view}") == [(1,)]
        ask(killed, f"REFRESH MATERIALIZED VIEW {space}.{view}")
        ask(killed, f"DROP MATERIALIZED VIEW {space}.{view}")
    assert ask(killed, f"SHOW TABLES FROM {space}") == [("t",)]
