"""A network that is cut and slow, and a primary that fails: following goes on by itself."""
import random
import shutil
import subprocess

import pytest

from cdc.conftest import SETTINGS, newest
from cdc.tcp_proxy import TcpProxy
from ingest.conftest import LAKE, IngestMesh
from support.meesh import Meesh, plain_mesh
from support.postgres import PostgresServer
from support.processes import free_ports, wait_until
from support.workload import Workload, same_as_source

pytestmark = pytest.mark.skipif(not newest(), reason="setup/setup.sh --for test fetches it")


@pytest.fixture
def behind_a_proxy(folder):
    """A mesh that follows the newest server through a proxy: (mesh, server, proxy)."""
    server = PostgresServer(folder / "postgres", "shop", settings=SETTINGS,
                            server=newest()).create().start()
    proxy = TcpProxy(free_ports(1)[0], server.port)
    made = IngestMesh(Meesh(plain_mesh(folder / "mesh", **LAKE), folder / "data"), server)

    def follow(tables):
        made.source("s", kind="postgresql", continuous=True, connection={
            "host": "127.0.0.1", "port": proxy.port, "name": "shop",
            "user": server.user, "password": server.password},
            tables={table: {"mode": "cdc"} for table in tables})
        made.meesh.start()

    made.follow = follow
    yield made, server, proxy
    made.meesh.stop()
    proxy.close()
    server.remove()


def wait_for_rows(mesh, postgres, table="t"):
    def same():
        try:
            return mesh.query(f"SELECT count(*), sum(n) FROM lake.bronze.{table}") == [
                list(row) for row in postgres.query(f"SELECT count(*), sum(n) FROM {table}")]
        except Exception as error:
            if "does not exist" not in str(error):
                raise
            return False
    wait_until(same, 90, "the source's rows in the lake", every=0.2)


def test_a_network_that_is_cut_and_slow_loses_and_doubles_nothing(behind_a_proxy):
    mesh, server, proxy = behind_a_proxy
    workload = Workload(server.connect, seed=23, largest=500)
    workload.create("CREATE TABLE t (id int PRIMARY KEY, n int)")
    mesh.follow(["people", "pairs", "t"])
    chance = random.Random(1)
    for step in range(6):
        for _ in range(15):
            workload.step()
        proxy.bytes_a_second = 200_000 if step % 2 else 0
        proxy.break_connections()
        proxy.cut = chance.random() < 0.5
        workload.step()
        proxy.cut = False
    proxy.bytes_a_second = 0
    server.query("INSERT INTO t VALUES (1, 1)")
    wait_for_rows(mesh, server)  # the last change: all before it have landed or are about to
    for table in ("people", "pairs"):
        wait_until(lambda: landed(workload, mesh, table), 60, f"all of {table} in the lake", 0.5)


def landed(workload, mesh, table):
    try:
        same_as_source(workload, mesh.query, table, f"lake.bronze.{table}")
        return True
    except AssertionError:
        return False


@pytest.mark.full
def test_after_a_failover_the_slot_of_the_standby_goes_on(behind_a_proxy, folder):
    mesh, primary, proxy = behind_a_proxy
    primary.query("CREATE TABLE t (id int PRIMARY KEY, n int); INSERT INTO t VALUES (1, 1);"
                  "SELECT pg_create_physical_replication_slot('standby')")
    standby = standby_of(primary, folder / "standby")
    try:
        mesh.follow(["t"])
        wait_for_rows(mesh, primary)
        primary.query("INSERT INTO t SELECT g, g FROM generate_series(2, 1000) g")
        wait_for_rows(mesh, primary)
        primary.query("INSERT INTO t VALUES (5000, 1)")
        wait_until(lambda: standby.query(
            "SELECT 1 FROM pg_replication_slots WHERE slot_name = 'meesh_s' AND synced AND NOT "
            "temporary AND invalidation_reason IS NULL"), 60, "the slot at the standby")
        wait_until(lambda: standby.query("SELECT count(*) FROM t") == [(1001,)], 30,
                   "the rows at the standby")
        primary.kill()
        standby.query("SELECT pg_promote()")
        proxy.to = standby.port
        proxy.break_connections()
        standby.query("INSERT INTO t VALUES (6000, 6); DELETE FROM t WHERE id = 2")
        wait_for_rows(mesh, standby)
    finally:
        standby.remove()


def standby_of(primary, folder):
    """A copy of the primary that follows it, with its slots for failover."""
    primary.stop()
    folder.mkdir()
    subprocess.run(["cp", "-a", str(primary.folder / "data"), str(folder / "data")], check=True)
    shutil.copystat(primary.folder, folder)
    own = (primary.folder / "data").stat()
    (folder / "data" / "standby.signal").touch()
    for path in (folder, folder / "data" / "standby.signal"):
        shutil.chown(path, own.st_uid, own.st_gid)
    primary.settings.append("synchronized_standby_slots=standby")
    primary.start()
    standby = PostgresServer(folder, primary.database, server=primary.programs, settings=[
        *SETTINGS, "hot_standby_feedback=on", "sync_replication_slots=on",
        "primary_slot_name=standby",
        f"primary_conninfo=host=127.0.0.1 port={primary.port} user={primary.user} "
        f"password={primary.password} dbname={primary.database}"])
    return standby.start()
