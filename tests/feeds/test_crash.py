"""SIGKILL in the midst of exports: no row is lost or doubled, no file is half, and after the next
export the folder is what the table is."""
import random
import threading

import duckdb
import pyarrow.parquet
import pytest

ROUNDS = [pytest.param(5, 30_000),
          pytest.param(100, 5_000, marks=[pytest.mark.full, pytest.mark.timeout(3600)])]


def check_folder(feeds, name):
    """Every file that is there can be read, whatever was killed."""
    for file in feeds.folder(name).rglob("*.parquet"):
        pyarrow.parquet.ParquetFile(file).read()


@pytest.mark.parametrize("count, rows", ROUNDS)
def test_no_row_is_lost_or_doubled_by_a_killed_export(feeds, count, rows):
    feeds.meesh.start()
    feeds.run("add", "p", "--type", "stream", "--source", "payments", "--retention-days", "36500")
    feeds.run("add", "t", "--type", "table", "--source", "payments", "--retention-versions", "2")
    chance = random.Random(11)
    for step in range(count):
        feeds.payments(step * rows, (step + 1) * rows - 1, step="0")
        timer = threading.Timer(chance.uniform(0.02, 0.5), feeds.meesh.kill)
        timer.start()
        feeds.meesh.run("feed", "export", "--all", "--server", feeds.meesh.url)
        timer.join()
        for name in ("p", "t"):
            check_folder(feeds, name)
        feeds.meesh.start()
        if step % 2 == 0:
            continue
        feeds.export("--all")
        total = (step + 1) * rows
        assert feeds.query("SELECT count(*), count(DISTINCT id) FROM lake.data_lake.p") == [
            [total, total]]
        assert feeds.query("SELECT count(*), count(DISTINCT id) FROM lake.data_lake.t_current") == [
            [total, total]]
        seen = duckdb.sql(f"SELECT count(*), count(DISTINCT id) FROM read_parquet("
                          f"'{feeds.folder('p')}/**/*.parquet')").fetchone()
        assert seen == (total, total)
        current = (feeds.folder("t") / "_current").read_text().strip()
        seen = duckdb.sql(f"SELECT count(*), count(DISTINCT id) FROM read_parquet("
                          f"'{feeds.folder('t')}/{current}/*.parquet')").fetchone()
        assert seen == (total, total)
        assert len(list(feeds.folder("t").glob("version=*"))) <= 2
    states = {event["state"] for event in feeds.api("events?limit=1000")["events"]}
    assert states <= {"succeeded", "failed", "interrupted", "canceled"}
