"""The lake with its pointers in PostgreSQL and its files in another S3: the life of a table,
writers at once, restarts, SIGKILL in the midst of commits, and two servers on one mesh."""
import collections
import itertools
import shutil
import threading
import time

import pyarrow as pa
import pytest
import requests
import trino
from pyiceberg.exceptions import CommitFailedException
from support import minio_server
from support.iceberg import python_catalog
from support.iceberg_files import check_files, stored_files
from support.meesh import plain_mesh
from support.minio_server import MinioServer
from support.processes import wait_until
from support.s3 import Keys
from support.s3_server import ROOT_KEYS, LakeServer, lake_mesh

pytestmark = pytest.mark.timeout(900)

FOUNDATIONS = [pytest.param(("postgresql", "minio"), id="postgresql-minio"),
               pytest.param(("postgresql", "meesh"), id="postgresql-meesh"),
               pytest.param(("postgresql", "local"), id="postgresql-local", marks=pytest.mark.full),
               pytest.param(("sqlite", "minio"), id="sqlite-minio", marks=pytest.mark.full)]
TABLE = "life.t"


class Foundation:
    """What the servers of one mesh share: `postgres`, if their pointers are there, and `remote`,
    the S3 that their files are in unless those are local."""

    def __init__(self, folder, postgres, objects):
        self.folder, self.postgres, self.servers = folder, postgres, []
        self.remote = None
        if objects == "minio":
            self.remote = MinioServer(folder / "minio").start()
            self.url = self.remote.url
            self.keys = Keys(self.remote.access_key, self.remote.secret_key)
        elif objects == "meesh":
            self.remote = LakeServer(lake_mesh(folder / "remote"), folder / "remote-data").start()
            self.url, self.keys = self.remote.s3_url, ROOT_KEYS

    def metadata(self):
        if not self.postgres:
            return {"kind": "sqlite"}
        where = self.postgres
        who = f"{where.user}:{where.password}"
        return {"kind": "postgresql",
                "url": f"postgresql://{who}@127.0.0.1:{where.port}/{where.database}"}

    def server(self, name="one"):
        """One that has not been started yet."""
        folder, keys = self.folder / name, self.keys if self.remote else ROOT_KEYS
        quiet = {"compaction": False, "expire_snapshots": False, "orphan_files": False}
        access = {"access_key": "${S3_ACCESS_KEY}", "secret_key": "${S3_SECRET_KEY}"}
        storage = {"kind": "local", "root": access}
        if self.remote:
            storage = {"kind": "s3", "endpoint": self.url, **access}
        server = LakeServer(plain_mesh(folder / "mesh", lake={"maintenance": quiet},
                                       storage=storage, metadata=self.metadata()),
                            folder / "data", keys=keys)
        self.servers.append(server)
        return server

    def stop(self):
        for server in [*self.servers, self.remote]:
            if server:
                server.stop()


@pytest.fixture
def lay(folder, postgres):
    """Makes a foundation."""
    made = []

    def make(metadata, objects):
        if objects == "minio" and (reason := minio_server.why_not()):
            pytest.skip(reason)
        where = postgres("mesh") if metadata == "postgresql" else None
        made.append(Foundation(folder, where, objects))
        return made[-1]
    yield make
    for foundation in made:
        foundation.stop()


@pytest.fixture(params=FOUNDATIONS)
def foundation(lay, request):
    return lay(*request.param)


def connect(server):
    return trino.dbapi.connect(host="127.0.0.1", port=server.port, user="tests", catalog="lake",
                               max_attempts=1, request_timeout=60)


def ask(server, text):
    cursor = connect(server).cursor()
    cursor.execute(text)
    return [tuple(row) for row in cursor.fetchall()]


def with_python(server):
    return python_catalog(server).load_table(tuple(TABLE.split(".")))


class Model:
    """What the table must hold, {id: (name, amount)}, and that SQL and PyIceberg find it."""

    def __init__(self, rows):
        self.rows = rows

    def check(self, server, told):
        found = ask(server, f"SELECT id, name, amount FROM {TABLE}")
        assert len(found) == len(self.rows), told
        assert {n: (name, amount) for n, name, amount in found} == self.rows, told
        outside = with_python(server)
        columns = outside.scan().to_arrow().select(["id", "name", "amount"]).columns
        assert sorted(zip(*(c.to_pylist() for c in columns))) == sorted(found), told
        # An S3 of its own may keep the empty objects that Arrow makes of folders.
        left = [path for path in check_files(server, outside) if not path.endswith("/")]
        assert left == [], told


def changes(server, model):
    """Every statement that changes rows, and PyIceberg; the model is told."""
    rows = model.rows
    values = ", ".join(f"({n}, 'i', 1)" for n in range(200, 205))
    ask(server, f"INSERT INTO {TABLE} VALUES {values}")
    rows.update({n: ("i", 1) for n in range(200, 205)})
    model.check(server, "INSERT")
    ask(server, f"UPDATE {TABLE} SET amount = amount + 100 WHERE id % 5 = 0")
    rows.update({n: (name, amount + 100) for n, (name, amount) in rows.items() if n % 5 == 0})
    model.check(server, "UPDATE")
    ask(server, f"""MERGE INTO {TABLE} t USING (VALUES (1, 'd'), (2, 'u'), (300, 'n')) s(id, what)
                    ON t.id = s.id WHEN MATCHED AND what = 'd' THEN DELETE
                    WHEN MATCHED THEN UPDATE SET name = what
                    WHEN NOT MATCHED THEN INSERT VALUES (s.id, what, 9)""")
    del rows[1]
    rows.update({2: ("u", rows[2][1]), 300: ("n", 9)})
    model.check(server, "MERGE")
    ask(server, f"DELETE FROM {TABLE} WHERE id % 10 = 3")
    for n in [n for n in rows if n % 10 == 3]:
        del rows[n]
    model.check(server, "DELETE")
    table = with_python(server)
    table.append(pa.table({"id": [400, 401, 402], "name": ["p"] * 3,
                           "amount": pa.array([4] * 3, pa.int64())}))
    table.delete("id = 401")
    rows.update({400: ("p", 4), 402: ("p", 4)})
    model.check(server, "PyIceberg")


def test_the_life_of_a_table(foundation):
    server = foundation.server().start()
    ask(server, "CREATE SCHEMA life")
    ask(server, f"CREATE TABLE {TABLE} WITH (partitioning = ARRAY['bucket(id, 2)']) AS "
                "SELECT n AS id, 'v' || CAST(n AS varchar) AS name, n % 7 AS amount "
                "FROM UNNEST(sequence(0, 199)) AS s(n)")
    model = Model({n: (f"v{n}", n % 7) for n in range(200)})
    model.check(server, "CREATE TABLE AS")
    changes(server, model)
    assert server.stop() == 0
    server.start()
    model.check(server, "after a restart")
    if foundation.postgres:
        foundation.postgres.stop()
        foundation.postgres.start()
        model.check(server, "after a restart of PostgreSQL")
    ask(server, f"ALTER TABLE {TABLE} EXECUTE optimize")
    model.check(server, "optimize")
    snapshots = 'SELECT count(*) FROM life."t$snapshots"'
    assert ask(server, snapshots)[0][0] > 5
    ask(server, f"ALTER TABLE {TABLE} EXECUTE expire_snapshots(retention_threshold => '0s')")
    assert ask(server, snapshots) == [(1,)]
    ask(server, f"ALTER TABLE {TABLE} EXECUTE remove_orphan_files(retention_threshold => '7d')")
    model.check(server, "upkeep")
    location = with_python(server).location()
    ask(server, f"DROP TABLE {TABLE}")
    assert [path for path in stored_files(server, location) if not path.endswith("/")] == []


class Writer(threading.Thread):
    """Writes pairs of rows (number, n, 0) and (number, n, 1), until it has done `count` or its
    server is gone. `done`: those acknowledged; `doubtful`: those of which nobody told what became."""

    def __init__(self, server, number, count=None, first=0, patient=False):
        super().__init__(daemon=True)
        self.server, self.number, self.count, self.patient = server, number, count, patient
        self.first = self.next = first
        self.done, self.doubtful, self.failure = set(), set(), None

    def run(self):
        try:
            self.open()
            while self.count is None or len(self.done) < self.count:
                n, self.next = self.next, self.next + 1
                self.doubtful.add(n)
                if self.write(n):
                    self.doubtful.remove(n)
                    self.done.add(n)
        except (requests.RequestException, trino.exceptions.TrinoConnectionError) as error:
            if self.count is not None:
                self.failure = error
        except Exception as failure:
            self.failure = failure

    def finish(self):
        self.join(300)
        assert not self.is_alive(), "a writer hangs"
        if self.failure:
            raise AssertionError(f"writer {self.number} failed") from self.failure


class SqlWriter(Writer):
    def open(self):
        self.connection = connect(self.server)

    def write(self, n):
        while True:
            try:
                cursor = self.connection.cursor()
                cursor.execute(f"INSERT INTO {TABLE} VALUES ({self.number}, {n}, 0), "
                               f"({self.number}, {n}, 1)")
                cursor.fetchall()
                return True
            except trino.exceptions.TrinoQueryError as error:
                if error.error_name == "ICEBERG_COMMIT_ERROR":  # it is certain not to be there
                    continue
                if self.patient:
                    return False
                raise


class PythonWriter(Writer):
    def open(self):
        self.catalog = python_catalog(self.server)

    def write(self, n):
        rows = pa.table({"writer": [self.number] * 2, "n": [n] * 2, "part": [0, 1]})
        while True:
            try:
                self.catalog.load_table(tuple(TABLE.split("."))).append(rows)
                return True
            except CommitFailedException:
                continue


def make_table(server):
    ask(server, "CREATE SCHEMA life")
    ask(server, f"CREATE TABLE {TABLE} (writer bigint, n bigint, part bigint) "
                "WITH (partitioning = ARRAY['bucket(part, 2)'])")


def settled(rows, writers):
    """{number: the n that are there}: every pair acknowledged is there once, of those in doubt both
    rows or none, and nothing else."""
    twice = {row: times for row, times in collections.Counter(rows).items() if times > 1}
    assert not twice, f"rows are there twice: {twice}"
    there = collections.defaultdict(set)
    for number, n, part in rows:
        there[number, n].add(part)
    assert all(parts == {0, 1} for parts in there.values()), "half a commit is there"
    found = collections.defaultdict(set)
    for number, n in there:
        found[number].add(n)
    for writer in writers:
        mine = {n for n in found[writer.number] if n >= writer.first}
        assert writer.done <= mine, f"writer {writer.number} lost {writer.done - mine}"
        assert mine <= writer.done | writer.doubtful, f"nobody wrote {mine - writer.done}"
    assert set(found) <= {writer.number for writer in writers}
    return found


def check_table(server, writers):
    rows = ask(server, f"SELECT writer, n, part FROM {TABLE}")
    found = settled(rows, writers)
    outside = with_python(server)
    check_files(server, outside)
    columns = outside.scan().to_arrow().select(["writer", "n", "part"]).columns
    assert sorted(zip(*(c.to_pylist() for c in columns))) == sorted(rows)
    return found


def run_to_the_end(writers):
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.finish()


def test_four_writers_lose_nothing(foundation):
    server = foundation.server().start()
    make_table(server)
    writers = [(SqlWriter, PythonWriter)[n % 2](server, n, count=5) for n in range(4)]
    run_to_the_end(writers)
    found = check_table(server, writers)
    assert {number: len(there) for number, there in found.items()} == dict.fromkeys(range(4), 5)


KILLS = ["lake.before_swap:3", "lake.after_swap:3", "lake.list_written:4", None]


def test_commits_survive_being_killed(foundation):
    server = foundation.server().start()
    make_table(server)
    known = collections.defaultdict(set)
    for number, point in enumerate(KILLS):
        if point:
            server.stop()
            server.environment["MEESH_CRASH_POINT"] = point
            server.start()
        writers = [SqlWriter(server, each, first=1000 * number) for each in range(4)]
        for writer in writers:
            writer.start()
        if point:
            wait_until(lambda: server.process.poll() is not None or any(
                writer.failure for writer in writers), 200, f"the end at {point}")
        else:
            wait_until(lambda: sum(len(writer.done) for writer in writers) > 8 or any(
                writer.failure for writer in writers), 200, "writers at work")
        server.kill()
        for writer in writers:
            writer.finish()
        server.environment.pop("MEESH_CRASH_POINT", None)
        server.start()
        found = check_table(server, writers)
        for writer in writers:
            assert known[writer.number] <= found[writer.number], "what was there before is lost"
        known = found


def test_postgresql_dies_under_commits(lay):
    """Statements fail, but none that was acknowledged is lost, and the server goes on by itself."""
    foundation = lay("postgresql", "local")
    server = foundation.server().start()
    make_table(server)
    writers = [SqlWriter(server, number, count=12, patient=True) for number in range(4)]
    for writer in writers:
        writer.start()
    for wanted in (4, 16, 28):
        wait_until(lambda: sum(len(w.done) for w in writers) >= wanted or any(
            w.failure for w in writers), 200, "writers at work")
        foundation.postgres.kill()
        foundation.postgres.start()
    for writer in writers:
        writer.finish()
    check_table(server, writers)
    assert python_catalog(server).list_namespaces(), "the catalog answers"


@pytest.mark.parametrize("objects", ["minio", "meesh"])
def test_two_servers_on_one_mesh(lay, objects):
    """Each has its own data folder; the key that seals secrets in the database is the same."""
    foundation = lay("postgresql", objects)
    one = foundation.server("one").start()
    two = foundation.server("two")
    keys = two.data / "keys"
    keys.mkdir(parents=True, mode=0o700)
    shutil.copy(one.data / "keys" / "master.key", keys / "master.key")
    two.start()
    make_table(one)
    numbers = itertools.count()
    writers = [kind(server, next(numbers), count=5)
               for server in (one, two) for kind in (SqlWriter, PythonWriter)]
    run_to_the_end(writers)
    for server in (one, two):
        found = check_table(server, writers)
        assert {n: len(there) for n, there in found.items()} == dict.fromkeys(range(4), 5)
    # One compacts while the other writes, and one dies while the other goes on.
    writers = [SqlWriter(one, 0, first=100), SqlWriter(two, 1, count=12, first=100),
               PythonWriter(two, 2, count=4, first=100)]
    earlier = {number: set(there) for number, there in found.items()}
    for writer in writers:
        writer.start()
    deadline = time.monotonic() + 200
    while not (len(writers[0].done) > 2 and len(writers[1].done) > 2):
        assert time.monotonic() < deadline and not any(w.failure for w in writers)
        try:
            ask(two, f"ALTER TABLE {TABLE} EXECUTE optimize")
        except trino.exceptions.TrinoExternalError as error:
            assert error.error_name == "ICEBERG_COMMIT_ERROR", error
    one.kill()
    for writer in writers:
        writer.finish()
    idle = [Writer(two, 3, first=100)]
    found = check_table(two, [*writers, *idle])
    assert all(there <= found[number] for number, there in earlier.items())
    one.start()
    assert check_table(one, [*writers, *idle]) == found


@pytest.mark.parametrize("rows", [
    [], [(0, 1, 0)], [(0, 1, 0), (0, 1, 1), (0, 1, 1)], [(0, 1, 0), (0, 1, 1), (0, 2, 0)],
    [(0, 1, 0), (0, 1, 1), (0, 3, 0), (0, 3, 1)]],
    ids=["lost", "half", "twice", "half in doubt", "unknown"])
def test_the_check_notices_a_single_row(rows):
    writer = Writer(None, 0)
    writer.done, writer.doubtful = {1}, {2}
    for fine in ([(0, 1, 0), (0, 1, 1)], [(0, n, part) for n in (1, 2) for part in (0, 1)]):
        settled(fine, [writer])
    with pytest.raises(AssertionError):
        settled(rows, [writer])
