"""Sixteen writers on one table, half in SQL and half with PyIceberg, while it is compacted, rows
are deleted and snapshots expire: no row is lost or there twice, no file is missing or left over."""
import collections
import re
import threading
import time

import pyarrow as pa
import pytest
import trino
from pyiceberg.exceptions import CommitFailedException, ValidationException
from pyiceberg.io.pyarrow import PyArrowFileIO
from support.iceberg import python_catalog
from support.iceberg_files import check_files
from support.processes import wait_until

PARTS = 3  # rows of one write, in several partitions: all of them are there or none
DOOMED = -1  # the writer of the rows that upkeep deletes
SCHEMA = pa.schema([("writer", pa.int64()), ("n", pa.int64()), ("part", pa.int64()),
                    ("stamp", pa.int64())])


class Worker(threading.Thread):
    """Works until it is told to end; `failure` is what it did not expect. `crew`: all workers."""

    def __init__(self, lake, table, stop, crew):
        super().__init__(daemon=True)
        self.lake, self.table, self.stop, self.crew = lake, table, stop, crew
        self.done, self.conflicts, self.failure = 0, collections.Counter(), None

    def outside_done(self):
        return sum(worker.done for worker in self.crew if isinstance(worker, PythonWriter))

    def wait_for(self, condition):
        """Commits of PyIceberg fail whenever somebody else commits in between: those that never do
        give way at times, or there would be no others."""
        wait_until(lambda: self.stop.is_set() or condition(), 300, "the share of PyIceberg")

    def run(self):
        try:
            self.connection = trino.dbapi.connect(
                host="127.0.0.1", port=self.lake.port, user="tests", catalog="lake")
            while not self.stop.is_set():
                self.work()
                self.done += 1
        except Exception as failure:
            self.failure = failure
            self.stop.set()

    def sql(self, text):
        """Whether it was done; False: it lost against another commit and may be done again."""
        try:
            cursor = self.connection.cursor()
            cursor.execute(text)
            cursor.fetchall()
            return True
        except trino.exceptions.TrinoExternalError as error:
            # What the statement read may have expired under it: only the newest snapshot is kept.
            if error.error_name != "ICEBERG_MISSING_DATA":
                assert error.error_name == "ICEBERG_COMMIT_ERROR", error
                assert "again" in error.message, error
            self.conflicts[error.error_name] += 1
            return False

    def until_done(self, text):
        while not self.sql(text):
            pass


class Writer(Worker):
    """Makes writes number 0, 1, … `stamps`: those that must be there; `maybe`: that may be."""

    def __init__(self, number, *rest):
        super().__init__(*rest)
        self.number, self.next, self.stamps, self.maybe = number, 0, {}, set()

    def expected(self):
        return {(self.number, n, part, stamp) for n, stamp in self.stamps.items()
                for part in range(PARTS)}

    def in_doubt(self):
        return [{(self.number, n, part, 0) for part in range(PARTS)} for n in self.maybe]


class SqlWriter(Writer):
    """Every fourth of its statements changes or deletes a write of its own."""

    def work(self):
        self.wait_for(lambda: self.done <= 3 + self.outside_done() // 2)
        n, self.next = self.next, self.next + 1
        rows = ", ".join(f"({self.number}, {n}, {part}, 0)" for part in range(PARTS))
        self.until_done(f"INSERT INTO {self.table} VALUES {rows}")
        self.stamps[n] = 0
        if n % 8 == 3:
            self.until_done(f"UPDATE {self.table} SET stamp = stamp + 1 WHERE writer = "
                            f"{self.number} AND n = {n - 2}")
            self.stamps[n - 2] += 1
        elif n % 8 == 7:
            self.until_done(f"DELETE FROM {self.table} WHERE writer = {self.number} AND n = "
                            f"{n - 1}")
            del self.stamps[n - 1]


class PythonWriter(Writer):
    """`commits` has the UUIDs in the names of the files of its commits."""

    def __init__(self, *rest):
        super().__init__(*rest)
        self.commits, self.catalog = set(), None

    def work(self):
        n, self.next = self.next, self.next + 1
        self.catalog = self.catalog or python_catalog(self.lake)
        while True:
            rows = pa.table({"writer": [self.number] * PARTS, "n": [n] * PARTS,
                             "part": list(range(PARTS)), "stamp": [0] * PARTS}, schema=SCHEMA)
            try:
                self.catalog.load_table(tuple(self.table.split("."))).append(rows)
            except (CommitFailedException, ValidationException) as error:
                self.conflicts[type(error).__name__] += 1  # it is certain not to be there
                if self.stop.is_set():
                    return
            except OSError as error:
                # The snapshot that it builds on expired; whether before its commit is not told.
                missing = any(name in str(error) for name in ("NO_SUCH_KEY", "RESOURCE_NOT_FOUND"))
                assert missing or isinstance(error, FileNotFoundError), error
                self.conflicts["OSError"] += 1
                self.maybe.add(n)
                n, self.next = self.next, self.next + 1
                if self.stop.is_set():
                    return
            else:
                self.stamps[n] = 0
                self.commits.add(self.list_uuid)
                return


class Upkeep(Worker):
    """Compacts, deletes rows that it knows, and keeps nothing but the newest snapshot."""

    def work(self):
        self.wait_for(lambda: self.done <= self.outside_done() // 2)
        self.sql(f"ALTER TABLE {self.table} EXECUTE optimize")
        self.until_done(f"DELETE FROM {self.table} WHERE writer = {DOOMED} AND n = {self.done}")
        self.sql(f"ALTER TABLE {self.table} EXECUTE "
                 "expire_snapshots(retention_threshold => '0s')")


def rows_of(cursor, table):
    cursor.execute(f"SELECT writer, n, part, stamp FROM {table}")
    return collections.Counter(tuple(row) for row in cursor.fetchall())


def check_rows(found, workers, doomed):
    """Those acknowledged once; of those in doubt all or nothing; no others."""
    twice = {row: times for row, times in found.items() if times > 1}
    assert not twice, f"rows are there twice: {twice}"
    there, wanted = set(found), set(doomed)
    for worker in workers:
        wanted |= worker.expected()
        for batch in worker.in_doubt():
            assert batch <= there or not batch & there, f"half a write: {batch & there}"
            there -= batch
    assert there == wanted, (f"lost: {sorted(wanted - there)[:20]}, "
                             f"should not be there: {sorted(there - wanted)[:20]}")


def work_for(seconds, workers, stop):
    """Until the time is over and all have done their share: two turns each, PyIceberg's writers
    together as many as half of them."""
    python = [worker for worker in workers if isinstance(worker, PythonWriter)]
    others = [worker for worker in workers if worker not in python]
    for worker in workers:
        worker.start()
    deadline = time.monotonic() + seconds

    def enough():
        return stop.is_set() or (
            time.monotonic() > deadline and all(worker.done >= 2 for worker in others)
            and sum(worker.done for worker in python) >= len(python) // 2)
    try:
        wait_until(enough, seconds + 400, "every writer's share")
    finally:
        stop.set()
    for worker in workers:
        worker.join(300)
        assert not worker.is_alive(), "a writer hangs"
        if worker.failure:
            raise AssertionError(f"{type(worker).__name__} failed") from worker.failure


@pytest.fixture
def written_outside(monkeypatch):
    """The paths of all files that PyIceberg begins in this test; a thread that begins a manifest
    list gets the UUID in its name as `list_uuid`."""
    paths, begin = set(), PyArrowFileIO.new_output

    def new_output(self, location):
        paths.add(location)
        if found := re.search(r"/snap-[^/]*([0-9a-f-]{36})\.avro$", location):
            threading.current_thread().list_uuid = found[1]
        return begin(self, location)
    monkeypatch.setattr(PyArrowFileIO, "new_output", new_output)
    return paths


@pytest.mark.timeout(1500)
@pytest.mark.parametrize("seconds", [10, pytest.param(600, marks=pytest.mark.full)],
                         ids=["short", "full"])
def test_sixteen_writers_and_upkeep_lose_nothing(lake, catalog, space, written_outside, seconds):
    table, stop = f"{space}.t", threading.Event()
    cursor = trino.dbapi.connect(host="127.0.0.1", port=lake.port, user="tests",
                                 catalog="lake").cursor()
    cursor.execute(f"""
        CREATE TABLE {table} (writer bigint, n bigint, part bigint, stamp bigint) WITH (
            partitioning = ARRAY['bucket(part, 2)'], max_commit_retry = 0, extra_properties =
            MAP(ARRAY['write.metadata.delete-after-commit.enabled'], ARRAY['true']))""").fetchall()
    cursor.execute(f"INSERT INTO {table} SELECT {DOOMED}, n, 0, 0 FROM "
                   "UNNEST(sequence(0, 9999)) AS s(n)").fetchall()
    crew = []
    writers = [(SqlWriter, PythonWriter)[n % 2](n, lake, table, stop, crew) for n in range(16)]
    upkeep = Upkeep(lake, table, stop, crew)
    crew += [*writers, upkeep]
    work_for(seconds, crew, stop)

    for worker in crew:
        print(type(worker).__name__, worker.done, dict(worker.conflicts))
    doomed = {(DOOMED, n, 0, 0) for n in range(upkeep.done, 10_000)}
    found = rows_of(cursor, table)
    check_rows(found, writers, doomed)
    outside = catalog.load_table((space, "t"))
    columns = outside.scan().to_arrow().select(["writer", "n", "part", "stamp"])
    assert collections.Counter(zip(*(c.to_pylist() for c in columns.columns))) == found
    # Left over are PyIceberg's files of commits that failed, of which it does not remove the data
    # files, and the empty object that Arrow makes of the folder from which it removes the others.
    commits = set().union(*(w.commits for w in writers if isinstance(w, PythonWriter)))
    nobodys = [path for path in check_files(lake, outside) if not path.endswith("/metadata/") and (
        path not in written_outside or any(commit in path for commit in commits))]
    assert nobodys == []


def test_a_file_too_few_or_many_is_noticed(lake, catalog, space):
    data = pa.table({"n": [1]})
    table = catalog.create_table((space, "t"), data.schema)
    table.append(data)
    assert check_files(lake, table) == set()
    path = next(iter(table.scan().plan_files())).file.file_path
    bucket, key = path.removeprefix("s3://").split("/", 1)
    s3 = lake.endpoint().client()
    s3.put_object(Bucket=bucket, Key=key + "-left", Body=b"x")
    assert check_files(lake, table) == {path + "-left"}
    s3.put_object(Bucket=bucket, Key=key, Body=b"x")
    with pytest.raises(AssertionError, match="another length"):
        check_files(lake, table)
    s3.delete_object(Bucket=bucket, Key=key)
    with pytest.raises(AssertionError, match="missing"):
        check_files(lake, table)


@pytest.mark.parametrize("spoil", [
    lambda found, one: found.pop(one), lambda found, one: found.update([one]),
    lambda found, one: found.update([(5, 0, 0, 0)])], ids=["lost", "twice", "unknown"])
def test_the_check_notices_a_single_row(spoil):
    writer = SqlWriter(5, None, "t", None, [])
    writer.stamps = {1: 0, 2: 1}
    found = collections.Counter(writer.expected())
    check_rows(found, [writer], set())
    spoil(found, (5, 2, 1, 1))
    with pytest.raises(AssertionError):
        check_rows(found, [writer], set())
