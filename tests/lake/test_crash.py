"""SIGKILL of the server while rows are inserted and merged, files compacted and snapshots expired:
after each restart every acknowledged row is there, no commit is half there, and every file that the
metadata names is there and as long as it says."""
import os
import random
import threading
import time

import pytest
import requests
import trino
from support.iceberg import python_catalog
from support.iceberg_files import check_files
from support.processes import wait_until
from support.s3_server import LakeServer, lake_mesh

TABLE = "killed.t"
WRITERS = 4
# Places where the program can be told to die, with how often it passes them at most before that.
POINTS = [("lake.manifest_written", 20), ("lake.list_written", 20), ("lake.before_swap", 20),
          ("lake.after_swap", 20), ("put.before_index", 60), ("index.before_commit", 60),
          ("index.after_commit", 60), ("delete.before_index", 10), ("delete.after_index", 10)]


class Killed(Exception):
    """Whether the statement was done is open."""


class Worker(threading.Thread):
    """Works until the server is killed. `done`: statements that were acknowledged."""

    def __init__(self, server, seed, number=0):
        super().__init__(daemon=True)
        self.server, self.number, self.random = server, number, random.Random(seed * 100 + number)
        self.done, self.failure = 0, None

    def run(self):
        try:
            self.connection = trino.dbapi.connect(
                host="127.0.0.1", port=self.server.port, user="tests", catalog="lake",
                max_attempts=1, request_timeout=60)
            while True:
                self.step()
        except Killed:
            pass
        except Exception as failure:
            self.failure = failure

    def sql(self, text):
        """False: another commit was faster, and this one did not take place."""
        try:
            cursor = self.connection.cursor()
            cursor.execute(text)
            cursor.fetchall()
        except trino.exceptions.TrinoExternalError as error:
            # The files that a statement reads may expire under it: its manifests or its data.
            gone = error.error_name == "IO_ERROR" and "key does not exist" in error.message
            assert gone or error.error_name in ("ICEBERG_COMMIT_ERROR", "ICEBERG_MISSING_DATA"), error
            return False
        except (requests.RequestException, trino.exceptions.TrinoConnectionError) as error:
            raise Killed from error
        self.done += 1
        return True


class Writer(Worker):
    """Changes rows of its own. `may`: the states, {n: value}, one of which the table is in."""

    def __init__(self, server, seed, number, state):
        super().__init__(server, seed, number)
        self.state, self.may, self.next = state, [state], max(state, default=-1) + 1

    def step(self):
        known = self.random.sample(sorted(self.state), min(3, len(self.state)))
        fresh = [self.next, self.next + 1]
        self.next += 2
        if len(known) < 3 or self.random.random() < 0.5:
            after = {**self.state, **{n: 0 for n in fresh}}
            text = f"INSERT INTO {TABLE} VALUES " + ", ".join(
                f"({self.number}, {n}, 0)" for n in fresh)
        else:
            # The first goes, the others change, and new ones come.
            after = {**{n: value for n, value in self.state.items() if n != known[0]},
                     **{n: self.state[n] + 1 for n in known[1:]}, **{n: 100 for n in fresh}}
            rows = ", ".join(f"({self.number}, {n})" for n in known + fresh)
            text = (f"MERGE INTO {TABLE} AS t USING (VALUES {rows}) AS s(writer, n) "
                    f"ON t.writer = s.writer AND t.n = s.n WHEN MATCHED AND s.n = {known[0]} THEN "
                    "DELETE WHEN MATCHED THEN UPDATE SET value = value + 1 WHEN NOT MATCHED THEN "
                    "INSERT (writer, n, value) VALUES (s.writer, s.n, 100)")
        self.may = [self.state, after]
        if self.sql(text):
            self.state = after
        self.may = [self.state]


class Upkeep(Worker):
    def step(self):
        self.sql(f"ALTER TABLE {TABLE} EXECUTE optimize")
        self.sql(f"ALTER TABLE {TABLE} EXECUTE expire_snapshots(retention_threshold => '0s')")


def ask(server, text):
    cursor = trino.dbapi.connect(host="127.0.0.1", port=server.port, user="tests",
                                 catalog="lake").cursor()
    cursor.execute(text)
    return [tuple(row) for row in cursor.fetchall()]


def settled(rows, may, told):
    """{writer: state} of the rows, if each is one of those it may be in."""
    states = {number: {} for number in may}
    for writer, n, value in rows:
        assert n not in states[writer], f"{told}: row {n} of writer {writer} is there twice"
        states[writer][n] = value
    for number, state in states.items():
        if state not in may[number]:
            wanted = may[number][-1]
            raise AssertionError(
                f"{told}: writer {number}'s rows are neither as before nor as after its last "
                f"statement; lost {sorted(set(wanted) - set(state))}, should not be there "
                f"{sorted(set(state) - set(wanted))}, changed "
                f"{sorted(n for n in state if n in wanted and state[n] != wanted[n])}")
    return states


class Rounds:
    """One server that is killed and started again."""

    def __init__(self, folder, seed):
        self.seed, self.random = seed, random.Random(seed)
        self.server = LakeServer(lake_mesh(folder / "mesh"), folder / "data").start()
        self.states = {number: {} for number in range(WRITERS)}
        self.done, self.left_over = 0, 0
        ask(self.server, "CREATE SCHEMA killed")
        ask(self.server, f"CREATE TABLE {TABLE} (writer integer, n integer, value integer) "
                         "WITH (partitioning = ARRAY['bucket(n, 2)'])")

    def restart(self, crash_point=None):
        self.server.environment.pop("MEESH_CRASH_POINT", None)
        if crash_point:
            self.server.environment["MEESH_CRASH_POINT"] = crash_point
        self.server.start()

    def round(self, number, point=None):
        """Kills at `point`, or at a random moment."""
        told = f"seed {self.seed}, round {number}, killed at {point or 'a random moment'}"
        if point:
            self.server.stop()
            self.restart(point)
        writers = [Writer(self.server, self.seed + number, each, self.states[each])
                   for each in range(WRITERS)]
        workers = [*writers, Upkeep(self.server, self.seed + number, WRITERS)]
        for worker in workers:
            worker.start()
        if point:
            wait_until(lambda: self.server.process.poll() is not None or any(
                worker.failure for worker in workers), 200, f"{told}: the end")
        else:
            wait_until(lambda: sum(worker.done for worker in workers) > 2 * WRITERS or any(
                worker.failure for worker in workers), 200, f"{told}: writers at work")
            time.sleep(self.random.uniform(0, 0.6))
        self.server.kill()
        for worker in workers:
            worker.join(100)
            assert not worker.is_alive(), f"{told}: a writer hangs after the kill"
            if worker.failure:
                raise AssertionError(told) from worker.failure
            self.done += worker.done
        self.restart()
        self.check(writers, told)

    def check(self, writers, told):
        rows = ask(self.server, f"SELECT writer, n, value FROM {TABLE}")
        self.states = settled(rows, {w.number: w.may for w in writers}, told)
        table = python_catalog(self.server).load_table(tuple(TABLE.split(".")))
        self.left_over = len(check_files(self.server, table))
        outside = table.scan().to_arrow().select(["writer", "n", "value"])
        assert sorted(zip(*(c.to_pylist() for c in outside.columns))) == sorted(rows), told


@pytest.mark.timeout(3600)
@pytest.mark.parametrize("count", [8, pytest.param(200, marks=pytest.mark.full)],
                         ids=["short", "full"])
def test_acknowledged_commits_survive_being_killed(folder, count):
    rounds = Rounds(folder, int.from_bytes(os.urandom(4), "big"))
    points = rounds.random.sample(POINTS, len(POINTS))
    try:
        for number in range(count):
            name, passings = points[number // 2 % len(POINTS)]
            point = f"{name}:{rounds.random.randint(passings // 4, passings)}"
            rounds.round(number, point if number % 2 else None)
    finally:
        rounds.server.stop()
    print(f"{count} rounds, {rounds.done} statements acknowledged, {rounds.left_over} files left")
    assert rounds.done > count
    assert rounds.left_over > 0, "nothing was left over: no commit was ever interrupted"


@pytest.mark.parametrize("rows", [
    [(0, 1, 0)], [(0, 1, 0), (0, 2, 1)], [(0, 1, 0), (0, 2, 0), (0, 2, 0)],
    [(0, 1, 0), (0, 2, 0), (0, 3, 0)]], ids=["lost", "changed", "twice", "half"])
def test_the_check_notices_a_single_row(rows):
    before, after = {1: 0, 2: 0}, {1: 0, 2: 0, 3: 0, 4: 0}
    for state in (before, after):
        rows_of_state = [(0, n, value) for n, value in state.items()]
        assert settled(rows_of_state, {0: [before, after]}, "") == {0: state}
    with pytest.raises(AssertionError):
        settled(rows, {0: [before, after]}, "")
