"""SIGKILL of meesh and of its source at any moment of a sync: whatever landed, landed once."""
import random
import threading

import pytest

from support.processes import wait_until

# Long enough a run to be killed in its midst; many rounds have fewer rows each.
ROUNDS = [pytest.param(6, 20000),
          pytest.param(200, 2000, marks=[pytest.mark.full, pytest.mark.timeout(5400)])]
TABLES = {"changes": {"mode": "incremental", "cursor": "updated_at", "key": ["id"]}, "whole": {}}


def prepare(shop):
    shop.postgres.query("CREATE TABLE changes (id int PRIMARY KEY, version int, "
                        "updated_at timestamptz DEFAULT clock_timestamp());"
                        "CREATE TABLE whole (id int, note text)")
    shop.source("s", kind="postgresql", catalog="shop", tables=TABLES)
    shop.meesh.start()


def change(shop, step, rows):
    """New rows, and new versions of old ones."""
    shop.postgres.query(
        f"INSERT INTO changes (id, version) SELECT i, 0 FROM generate_series({step * rows} + 1, "
        f"{(step + 1) * rows}) i; UPDATE changes SET version = version + 1, updated_at = "
        f"clock_timestamp() WHERE id % 100 = {step} % 100;"
        f"INSERT INTO whole SELECT i, 'x' FROM generate_series(1, {rows}) i")


def killed_run(shop, kill, delay):
    """A run during which `kill` is called; how the run ends is of no interest."""
    timer = threading.Timer(delay, kill)
    timer.start()
    shop.meesh.run("ingest", "run", "s", "--run-date", "2025-01-15", "--server", shop.meesh.url)
    timer.join()


def check(shop, versions):
    """`versions`: all (id, version) that ever were; bronze has no other, and none twice."""
    doubled = shop.query("SELECT id, version, updated_at, count(*) FROM lake.bronze.changes "
                         "GROUP BY 1, 2, 3 HAVING count(*) > 1 LIMIT 5")
    assert doubled == []
    landed = {tuple(row) for row in shop.query("SELECT id, version FROM lake.bronze.changes")}
    assert landed <= versions
    newest = set(shop.postgres.query("SELECT id, version FROM changes"))
    assert newest <= landed
    assert shop.query("SELECT count(*), max(_run_date) = min(_run_date) FROM lake.bronze.whole") == [
        [shop.postgres.query("SELECT count(*) FROM whole")[0][0], True]]


@pytest.mark.parametrize("count, rows", ROUNDS)
def test_no_row_is_lost_or_doubled_by_a_killed_server_or_source(shop, count, rows):
    prepare(shop)
    chance = random.Random(7)
    versions = set()
    for step in range(count):
        change(shop, step, rows)
        versions |= set(shop.postgres.query("SELECT id, version FROM changes"))
        if chance.random() < 0.6:
            killed_run(shop, shop.meesh.kill, chance.uniform(0.02, 0.6))
            shop.meesh.start()
        else:
            killed_run(shop, shop.postgres.kill, chance.uniform(0.02, 0.6))
            shop.postgres.start()
            wait_until(lambda: "PostgreSQL" in shop.ingest("check", "s"), 30, "the source answers")
        if step % 3 == 2:
            shop.ingest("run", "s", "--run-date", "2025-01-15", timeout=300)
            check(shop, versions)
    states = {sync["state"] for sync in shop.api("history?limit=1000")["syncs"]}
    assert states <= {"succeeded", "failed", "interrupted"}
