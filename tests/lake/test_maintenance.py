"""Tables that are kept in order by themselves, while they are written and while the server is
killed."""
import concurrent.futures
import contextlib
import sqlite3
import threading

import pytest
import requests
import yaml
from support.answers import rows_of
from support.iceberg import python_catalog
from support.meesh import write_yaml
from support.processes import wait_until
from support.s3_server import LakeServer, lake_mesh

# Statements that have begun before it have this time: their snapshot was the newest so lately.
SOON = {"history.expire.max-snapshot-age-ms": "5000"}
COMPACTED, EXPIRED = "files of a table were compacted", "snapshots of a table expired"


class KeptServer(LakeServer):
    """A server whose maintenance goes round every second."""

    def __init__(self, folder, **maintenance):
        mesh = lake_mesh(folder / "mesh")
        described = yaml.safe_load((mesh / "meesh.yaml").read_text())
        described["lake"] = {"maintenance": {"every": "1s", **maintenance}}
        write_yaml(mesh / "meesh.yaml", described)
        super().__init__(mesh, folder / "data")

    def sql(self, text):
        return [tuple(row) for row in rows_of(self.url, text, catalog="lake", schema="s")]

    def one(self, text):
        [[value]] = self.sql(text)
        return value

    def table(self, name, columns, **properties):
        keys, values = (", ".join(f"'{text}'" for text in texts)
                        for texts in (properties.keys(), properties.values()))
        self.sql(f"CREATE TABLE {name} ({columns}) WITH (extra_properties = "
                 f"MAP(ARRAY[{keys}], ARRAY[{values}]))")

    def files(self, table):
        return self.one(f'SELECT count(*) FROM "{table}$files"')

    def snapshots(self, table):
        return self.one(f'SELECT count(*) FROM "{table}$snapshots"')

    def told(self, message, table):
        """How often this process has logged it."""
        return sum(message in line and f"lake.s.{table}" in line
                   for line in self.log_text()[self.before:].splitlines())

    def objects(self):
        """The paths of all that is in the lake's bucket."""
        pages = self.endpoint().client().get_paginator("list_objects_v2").paginate(Bucket="lake")
        return {f"s3://lake/{item['Key']}" for page in pages for item in page.get("Contents", [])}


@pytest.fixture
def kept(folder):
    server = KeptServer(folder).start()
    server.sql("CREATE SCHEMA s")
    yield server
    server.stop()


def named(table):
    """Every path that a table's metadata names, as PyIceberg reads it."""
    paths = {entry.metadata_file for entry in table.metadata.metadata_log}
    paths.add(table.metadata_location)
    for snapshot in table.metadata.snapshots:
        paths.add(snapshot.manifest_list)
        for manifest in snapshot.manifests(table.io):
            paths.add(manifest.manifest_path)
            paths |= {entry.data_file.file_path
                      for entry in manifest.fetch_manifest_entry(table.io, discard_deleted=True)}
    return paths


def expect_whole(server, name):
    """Nothing that the table names is missing. Looked at until maintenance left it alone for as
    long as it took."""
    catalog = python_catalog(server)

    def looked():
        try:
            table = catalog.load_table(("s", name))
            paths, stored = named(table), server.objects()
            rows = [(row["n"],) for row in table.scan().to_arrow().sort_by("n").to_pylist()]
        except (OSError, requests.RequestException):  # a file of an older state went meanwhile
            return None
        now = catalog.load_table(("s", name)).metadata_location
        return (paths, stored, rows) if now == table.metadata_location else None
    paths, stored, rows = wait_until(looked, 60, "the table at rest")
    assert paths <= stored
    assert rows == server.sql(f"SELECT n FROM {name} ORDER BY n")


def looked_through(server):
    """The tables whose orphans were looked for."""
    path = (server.data / "meesh.db").resolve()
    with contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as database:
        return {uuid for [uuid] in database.execute("SELECT table_uuid FROM lake_orphan_run")}


def test_a_table_of_many_commits_stays_small(kept):
    kept.table("t", "n integer, text varchar", **SOON)
    kept.table("alone", "n integer", **{**SOON, "meesh.maintenance.enabled": "false"})
    kept.table("whole_history", "n integer", **{"meesh.maintenance.expire-snapshots": "false"})
    for n in range(8):
        kept.sql(f"INSERT INTO alone VALUES ({n})")
        kept.sql(f"INSERT INTO whole_history VALUES ({n})")

    def write(worker):
        for n in range(15):
            kept.sql(f"INSERT INTO t VALUES ({worker * 15 + n}, 'row {n}')")
    with concurrent.futures.ThreadPoolExecutor(4) as writers:
        list(writers.map(write, range(4)))
    wait_until(lambda: kept.files("t") < 5 and kept.snapshots("t") == 1, 120,
               "few files in one snapshot")
    assert kept.sql("SELECT n FROM t ORDER BY n") == [(n,) for n in range(60)]
    expect_whole(kept, "t")
    data = {path for path in kept.objects() if path.endswith(".parquet") and "/s/t" in path}
    assert len(data) == kept.files("t")

    wait_until(lambda: kept.files("whole_history") < 5, 120, "fewer files, of all snapshots")
    assert kept.snapshots("whole_history") >= 10  # with that of CREATE TABLE and a compaction's
    assert kept.files("alone") == 8 and kept.snapshots("alone") == 9
    assert kept.told(COMPACTED, "t") and kept.told(EXPIRED, "t")
    assert not kept.told(COMPACTED, "alone") and not kept.told(EXPIRED, "alone")
    assert not kept.told(EXPIRED, "whole_history")
    catalog = python_catalog(kept)
    # And once a day the places of external tables, for what killed writes left.
    assert looked_through(kept) == {"hive.default", *(
        str(catalog.load_table(("s", name)).metadata.table_uuid) for name in ("t", "whole_history"))}


def test_deleted_rows_leave_the_files(kept):
    kept.table("t", "n bigint", **SOON)
    kept.sql("INSERT INTO t SELECT n FROM UNNEST(sequence(1, 1000)) AS s(n)")
    kept.sql("DELETE FROM t WHERE n % 2 = 0")
    wait_until(lambda: kept.sql('SELECT content, record_count FROM "t$files"') == [(0, 500)], 120,
               "one file without deleted rows")
    assert kept.sql("SELECT count(*), min(n), max(n) FROM t") == [(500, 1, 999)]


def test_what_the_mesh_switches_off_stays_off(folder):
    server = KeptServer(folder, compaction=False).start()
    try:
        server.sql("CREATE SCHEMA s")
        server.table("t", "n integer", **SOON)
        for n in range(8):
            server.sql(f"INSERT INTO t VALUES ({n})")
        wait_until(lambda: server.snapshots("t") == 1, 120, "one snapshot")
        assert server.files("t") == 8
        assert not server.told(COMPACTED, "t")
    finally:
        server.stop()


def test_a_broken_table_keeps_no_other_from_its_turn(kept):
    kept.table("broken", "n integer", **{"meesh.maintenance.compaction": "perhaps"})
    kept.table("t", "n integer")
    for n in range(6):
        kept.sql(f"INSERT INTO t VALUES ({n})")
    wait_until(lambda: kept.files("t") < 5, 120, "fewer files")
    wait_until(lambda: kept.told("maintenance of a table failed", "broken"), 120, "a complaint")


def at_work(server):
    """A compaction is running."""
    return server.one("SELECT count(*) FROM system.runtime.queries WHERE \"user\" = "
                      "'meesh maintenance' AND state NOT IN ('FINISHED', 'FAILED')")


KILLS = {
    "compacting": at_work,
    "compacted": lambda server: server.told(COMPACTED, "t"),
    "expired": lambda server: server.told(EXPIRED, "t"),
}


def test_killed_at_work_it_loses_nothing(kept):
    kept.table("t", "n integer", **SOON)
    acknowledged, begun = set(), [0]

    def write():
        while True:
            begun[0] += 1
            try:
                kept.sql(f"INSERT INTO t VALUES ({begun[0]})")
            except (requests.RequestException, AssertionError):  # killed: it may be there or not
                return
            acknowledged.add(begun[0])

    def expect_all():
        found = [n for [n] in kept.sql("SELECT n FROM t ORDER BY n")]
        assert len(found) == len(set(found))
        assert acknowledged <= set(found) <= acknowledged | in_doubt
        expect_whole(kept, "t")

    def stop():
        assert kept.stop() == 0

    in_doubt = set()
    ends = [(moment, kept.kill) for moment in KILLS] * 2 + [("compacting", stop)]
    for moment, end in ends:
        writer = threading.Thread(target=write)
        writer.start()
        try:
            wait_until(lambda: KILLS[moment](kept), 120, moment)
        finally:
            end()
            writer.join(60)
        in_doubt.add(begun[0])
        kept.start()
        expect_all()
    wait_until(lambda: kept.files("t") < 5 and kept.snapshots("t") == 1, 120,
               "few files in one snapshot")
    expect_all()
