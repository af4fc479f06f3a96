"""SIGKILL of meesh and of the connector at any moment of a sync: whatever landed, landed once."""
import os
import random
import signal
import threading

import pytest

from support.airbyte_connectors import connector_processes
from support.processes import wait_until

ROUNDS = [pytest.param(5), pytest.param(200, marks=[pytest.mark.full, pytest.mark.timeout(5400)])]
STEP, WHOLE = 1500, 1000  # rows that come in a round, and that are there all the time


def killed_run(airbyte, delay, kill):
    """A run during which `kill` is called; how the run ends is of no interest."""
    timer = threading.Timer(delay, kill)
    timer.start()
    airbyte.meesh.run("ingest", "run", "--run-date", "2025-01-15", "--server", airbyte.meesh.url,
                      timeout=300)
    timer.join()


def kill_connector(airbyte):
    for pid in connector_processes(airbyte.meesh):
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            pass


@pytest.mark.parametrize("rounds", ROUNDS)
def test_no_row_is_lost_or_doubled_by_a_killed_server_or_connector(airbyte, folder, rounds):
    counter = folder / "rows"
    counter.write_text("0")
    airbyte.replay(rows_file=str(counter), every=50, pause=0.005, timeout="1m", commit_rows=200)
    airbyte.replay("w", rows=WHOLE, tables={"whole": {}})
    airbyte.meesh.start()
    chance = random.Random(11)
    for step in range(rounds):
        counter.write_text(str((step + 1) * STEP))
        if chance.random() < 0.5:
            killed_run(airbyte, chance.uniform(0.05, 1.0), airbyte.meesh.kill)
            wait_until(lambda: not connector_processes(airbyte.meesh), 10,
                       "the connector dies with the server")
            airbyte.meesh.start()
        else:
            killed_run(airbyte, chance.uniform(0.05, 1.0), lambda: kill_connector(airbyte))
        if step % 5 == 4 or step == rounds - 1:
            airbyte.ingest("run", "--run-date", "2025-01-15", timeout=300)
            rows = (step + 1) * STEP
            assert airbyte.query("SELECT count(*), count(DISTINCT id), min(id), max(id) "
                                 "FROM lake.bronze.events") == [[rows, rows, 1, rows]]
            assert airbyte.query("SELECT count(*), count(DISTINCT id) FROM lake.bronze.whole") == [
                [WHOLE, WHOLE]]
    assert list((airbyte.meesh.data / "connectors" / ".runs").iterdir()) == []
    states = {sync["state"] for sync in airbyte.api("history?limit=1000")["syncs"]}
    assert states <= {"succeeded", "failed", "interrupted"}
