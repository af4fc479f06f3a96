"""SIGKILL of meesh and of PostgreSQL at any moment of a random workload, and a network that is cut:
in the end the current state is the source's row by row, and the history replays to it."""
import random
import threading

import pytest

from support.processes import wait_until
from support.workload import Workload, history_comes_to_source, same_as_source

FULL = [pytest.mark.full, pytest.mark.timeout(7200)]
ROUNDS = [pytest.param(5, None, id="5-postgresql"),
          pytest.param(200, None, id="200-postgresql", marks=FULL),
          pytest.param(200, "newest", id="200-newest", marks=FULL)]
TABLES = ("people", "pairs")


class Working:
    """The workload goes on in a thread of its own."""

    def __init__(self, workload):
        self.workload, self.stopped, self.failure = workload, threading.Event(), None
        self.thread = threading.Thread(target=self._work)
        self.thread.start()

    def _work(self):
        try:
            while not self.stopped.is_set():
                if not self.workload.step():
                    self.stopped.wait(0.05)
        except Exception as error:
            self.failure = error

    def end(self):
        self.stopped.set()
        self.thread.join()
        if self.failure:
            raise self.failure


def killed_run(followed, kill, delay):
    """A run during which `kill` is called; how the run ends is of no interest."""
    timer = threading.Timer(delay, kill)
    timer.start()
    followed.meesh.run("ingest", "run", "s", "--server", followed.meesh.url, timeout=300)
    timer.join()


def compare(followed, workload):
    followed.drain()
    for table in TABLES:
        same_as_source(workload, followed.lake, table, f"lake.bronze.{table}")
        history_comes_to_source(workload, followed.lake, table, f"lake.bronze.{table}__changes")


@pytest.mark.parametrize("rounds, followed", ROUNDS, indirect=["followed"])
def test_whoever_is_killed_whenever_nothing_is_lost_or_doubled(followed, rounds):
    chance = random.Random(3)
    # SIGQUIT loses nothing that the system has: what was committed is there afterwards.
    workload = Workload(followed.postgres.connect, seed=5, most_columns=6)
    workload.create()
    for _ in range(30):
        workload.step()
    followed.follow({table: {"write": "both"} for table in TABLES})
    for step in range(rounds):
        working = Working(workload)
        try:
            if chance.random() < 0.6:
                killed_run(followed, followed.meesh.kill, chance.uniform(0.05, 1.2))
                followed.meesh.start()
            else:
                killed_run(followed, followed.postgres.kill, chance.uniform(0.05, 1.2))
                followed.postgres.start()
                wait_until(lambda: "PostgreSQL" in followed.ingest("check", "s"), 30,
                           "the source answers")
        finally:
            working.end()
        if step % 3 == 2 or step == rounds - 1:
            compare(followed, workload)
