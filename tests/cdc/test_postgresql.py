"""Change data capture of PostgreSQL servers, from outside: what lands, what is said, what waits."""
import pytest

from cdc.conftest import servers
from support.processes import wait_until
from support.workload import Workload, history_comes_to_source, same_as_source


@pytest.mark.parametrize("followed", servers(), indirect=True)
def test_a_random_workload_lands_row_by_row_and_its_history_replays(followed):
    workload = Workload(followed.postgres.connect, seed=11)
    workload.create()
    for _ in range(40):
        workload.step()
    followed.follow({"people": {"write": "both"}, "pairs": {"write": "both"}})
    for _ in range(3):
        for _ in range(40):
            workload.step()
        followed.drain()
        for table in ("people", "pairs"):
            same_as_source(workload, followed.lake, table, f"lake.bronze.{table}")
            history_comes_to_source(workload, followed.lake, table, f"lake.bronze.{table}__changes")


def test_columns_come_and_grow_with_the_source(followed):
    followed.postgres.query("CREATE TABLE t (id int PRIMARY KEY, a int); INSERT INTO t VALUES (1, 1)")
    followed.follow({"t": {}})
    followed.drain()
    followed.postgres.query("ALTER TABLE t ADD b text; INSERT INTO t VALUES (2, 2, 'x'); "
                            "ALTER TABLE t ALTER a TYPE bigint; "
                            "INSERT INTO t VALUES (3, 5000000000, 'y'); ALTER TABLE t DROP b; "
                            "UPDATE t SET a = 22 WHERE id = 2")
    followed.drain()
    assert followed.lake("SELECT id, a, b FROM lake.bronze.t ORDER BY id") == [
        [1, 1, None], [2, 22, "x"], [3, 5000000000, "y"]]


def test_partitions_are_one_table_and_truncate_empties_it(followed):
    followed.postgres.query(
        "CREATE TABLE t (id int, at date, PRIMARY KEY (id, at)) PARTITION BY RANGE (at);"
        "CREATE TABLE t24 PARTITION OF t FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');"
        "CREATE TABLE t25 PARTITION OF t FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');"
        "INSERT INTO t VALUES (1, '2024-05-05'), (2, '2025-05-05')")
    followed.follow({"t": {}})
    followed.drain()
    followed.postgres.query("UPDATE t SET at = '2025-01-01' WHERE id = 1; INSERT INTO t VALUES "
                            "(3, '2024-01-01'); DELETE FROM t25 WHERE id = 2")
    followed.drain()
    assert followed.lake("SELECT id, CAST(at AS varchar) FROM lake.bronze.t ORDER BY id") == [
        [1, "2025-01-01"], [3, "2024-01-01"]]
    followed.postgres.query("TRUNCATE t; INSERT INTO t VALUES (9, '2024-09-09')")
    followed.drain()
    assert followed.lake("SELECT id FROM lake.bronze.t") == [[9]]


def test_one_transaction_larger_than_a_batch_lands_whole(followed):
    followed.postgres.query("CREATE TABLE t (id int PRIMARY KEY, n int)")
    followed.follow({"t": {}})
    followed.drain()
    followed.postgres.query("INSERT INTO t SELECT i, i FROM generate_series(1, 400000) i; "
                            "UPDATE t SET n = -n WHERE id % 2 = 0; DELETE FROM t WHERE id % 5 = 0")
    followed.drain()
    assert followed.lake("SELECT count(*), sum(n), max(id) FROM lake.bronze.t") == [
        list(row) for row in followed.postgres.query("SELECT count(*), sum(n), max(id) FROM t")]


def test_a_table_is_taken_anew_while_the_others_are_followed(followed):
    followed.postgres.query("CREATE TABLE t (id int PRIMARY KEY); CREATE TABLE o (id int PRIMARY "
                            "KEY); INSERT INTO t VALUES (1), (2); INSERT INTO o VALUES (1)")
    followed.follow({"t": {}, "o": {}})
    followed.drain()
    followed.lake("DELETE FROM lake.bronze.t WHERE id = 1")
    followed.postgres.query("INSERT INTO t VALUES (3); INSERT INTO o VALUES (2)")
    followed.ingest("run", "s.t", "--full-refresh", timeout=300)
    assert followed.lake("SELECT id FROM lake.bronze.t ORDER BY id") == [[1], [2], [3]]
    followed.drain()
    assert followed.lake("SELECT id FROM lake.bronze.o ORDER BY id") == [[1], [2]]


def test_a_slot_that_is_gone_is_said_with_the_way_out(followed):
    followed.postgres.query("CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t VALUES (1)")
    followed.follow({"t": {}})
    followed.drain()
    wait_until(lambda: not followed.postgres.query(
        "SELECT 1 FROM pg_replication_slots WHERE active"), 30, "the slot to be free")
    followed.postgres.query("SELECT pg_drop_replication_slot('meesh_s')")
    followed.postgres.query("INSERT INTO t VALUES (2)")
    said = followed.ingest("run", "s", code=1, timeout=300)
    assert "its replication slot 'meesh_s' is gone" in said
    assert "--full-refresh" in said
    followed.ingest("run", "s", "--full-refresh", timeout=300)
    assert followed.lake("SELECT id FROM lake.bronze.t ORDER BY id") == [[1], [2]]


def test_tables_without_a_key_are_refused_before_anything_is_made(followed):
    followed.postgres.query("CREATE TABLE t (id int)")
    followed.follow({"t": {}})
    said = followed.ingest("run", "s", code=1, timeout=300)
    assert "has no primary key" in said and "REPLICA IDENTITY FULL" in said
    assert followed.postgres.query("SELECT count(*) FROM pg_publication") == [(0,)]
    followed.postgres.query("INSERT INTO t VALUES (1); UPDATE t SET id = 2")  # as before
