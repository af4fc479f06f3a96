"""How far streams were read: shown, set and forgotten; and the history of runs. A large table that is
cut short by SIGKILL is gone on with where it was."""
import json
import random
import threading

import pytest
import requests

from support.processes import wait_until

DAY = "2025-01-15"


def orders(shop, rows=1000):
    shop.postgres.query("CREATE TABLE orders (id int PRIMARY KEY, note text);"
                        f"INSERT INTO orders SELECT i, 'n' || i FROM generate_series(1, {rows}) i;"
                        "ANALYZE orders")


def test_state_is_shown_set_and_reset(shop):
    orders(shop)
    shop.source("s", kind="postgresql", catalog="shop", tables={
        "orders": {"mode": "incremental", "cursor": "id", "lookback": 0}})
    shop.meesh.start()
    assert shop.api("sources/s/state")["streams"] == [
        {"stream": "orders", "table": "lake.bronze.orders", "mode": "incremental",
         "configured": True, "position": None, "moved_ms": 0}]
    shop.ingest("run", "s", "--run-date", DAY)
    assert '{"cursor":"1000"}' in shop.ingest("state", "show", "s")
    shop.query("DELETE FROM lake.bronze.orders WHERE id > 900")
    assert "goes on from there" in shop.ingest("state", "set", "s.orders", '{"cursor": "900"}')
    assert "100 rows" in shop.ingest("run", "s", "--run-date", DAY)
    assert shop.query("SELECT count(*), count(DISTINCT id) FROM lake.bronze.orders") == [[1000, 1000]]
    assert "takes everything" in shop.ingest("state", "reset", "s")
    shown = json.loads(shop.ingest("state", "show", "s.orders", "--json"))
    assert shown["streams"][0]["position"] is None
    assert "1,000 rows" in shop.ingest("run", "s", "--run-date", DAY)
    assert shop.query("SELECT count(*) FROM lake.bronze.orders") == [[1000]]
    assert "takes no 'nothing'" in shop.ingest("state", "reset", "s.nothing", code=1)
    assert "JSON object" in shop.ingest("state", "set", "s.orders", "7", code=2)
    answer = requests.put(f"{shop.meesh.url}/api/v1/ingest/sources/s/state", timeout=10,
                          json={"table": "orders", "position": [1]})
    assert answer.status_code == 422 or answer.status_code == 400


def test_history_has_rows_bytes_and_how_long_it_took(shop):
    orders(shop)
    shop.source("s", kind="postgresql", catalog="shop", tables={"orders": {}, "missing": {}})
    shop.meesh.start()
    shop.ingest("run", "s", "--run-date", DAY, code=1)
    told = shop.ingest("history", "s")
    assert "failed" in told and "succeeded" in told and "1,000" in told and "kB" in told
    syncs = shop.api("history?source=s&table=orders")["syncs"]
    assert [(one["stream"], one["rows"], one["mode"]) for one in syncs] == [
        ("orders", 1000, "full_refresh")]
    assert syncs[0]["bytes"] > 0 and syncs[0]["ended_ms"] >= syncs[0]["started_ms"]


def test_a_large_table_goes_on_where_a_killed_run_was(shop):
    orders(shop, 200_000)
    shop.source("s", kind="postgresql", catalog="shop",
                tables={"orders": {"chunk_rows": 10_000, "write": "merge"}})
    shop.meesh.start()

    def after():
        position = shop.api("sources/s/state")["streams"][0]["position"]
        return int(position["snapshot"]["after"]) if position else 0

    def end_it():
        wait_until(lambda: after() > 30_000, 60, "three portions")
        shop.meesh.kill()

    killer = threading.Thread(target=end_it)
    killer.start()
    shop.meesh.run("ingest", "run", "s", "--run-date", DAY, "--server", shop.meesh.url)
    killer.join()
    shop.meesh.start()
    done = after()
    assert 30_000 < done < 200_000
    assert f"{200_000 - done:,} rows" in shop.ingest("run", "s", "--run-date", DAY)
    assert shop.query("SELECT count(*), count(DISTINCT id) FROM lake.bronze.orders") == [
        [200_000, 200_000]]
    assert after() == 0


@pytest.mark.parametrize("rounds", [4, pytest.param(100, marks=[pytest.mark.full,
                                                                pytest.mark.timeout(3600)])])
def test_kills_leave_current_rows_and_versions_whole(shop, rounds):
    """SIGKILL at any moment, also between the commit of the versions and that of the merge."""
    shop.postgres.query("CREATE TABLE every (id int PRIMARY KEY, version int, updated_at timestamptz "
                        "DEFAULT clock_timestamp()); CREATE TABLE merged (LIKE every INCLUDING ALL);"
                        "INSERT INTO every SELECT i, 0 FROM generate_series(1, 2000) i;"
                        "INSERT INTO merged SELECT * FROM every")
    how = {"mode": "incremental", "cursor": "updated_at"}
    shop.source("s", kind="postgresql", catalog="shop", tables={
        "every": {**how, "write": "both"}, "merged": {**how, "write": "merge"}})
    shop.meesh.start()
    dice = random.Random(rounds)
    for step in range(rounds):
        for table in ("every", "merged"):
            shop.postgres.query(f"UPDATE {table} SET version = version + 1, updated_at = "
                                f"clock_timestamp() WHERE id % 7 = {step} % 7; INSERT INTO {table} "
                                f"SELECT i, 0 FROM generate_series({3000 + step * 10}, "
                                f"{3009 + step * 10}) i")
        killer = threading.Timer(dice.uniform(0.05, 0.9), shop.meesh.kill)
        killer.start()
        shop.meesh.run("ingest", "run", "s", "--run-date", DAY, "--server", shop.meesh.url)
        killer.join()
        shop.meesh.start()
    shop.ingest("run", "s", "--run-date", DAY)
    for table in ("every", "merged"):
        assert shop.query(f"SELECT id, version FROM lake.bronze.{table} ORDER BY id") == [
            list(row) for row in shop.postgres.query(f"SELECT id, version FROM {table} ORDER BY id")]
    assert shop.query("SELECT count(*) FROM (SELECT id, version FROM lake.bronze.every__changes "
                      "GROUP BY id, version HAVING count(*) > 1)") == [[0]]
    assert shop.query("SELECT id, max(version) FROM lake.bronze.every__changes GROUP BY id "
                      "ORDER BY id") == shop.query("SELECT id, version FROM lake.bronze.every "
                                                   "ORDER BY id")
