"""SIGKILL of meesh: what was committed is there, nothing is left running, the next start is clean."""
import threading

import pytest

from support.answers import error_of, rows_of
from support.meesh import demo_mesh
from support.processes import wait_until


@pytest.fixture
def mesh(folder):
    databases = demo_mesh(folder / "demo")
    return {"mesh": folder / "demo", "data": folder / "data", "databases": databases}


def nothing_left(meesh):
    return not meesh.left_behind()


def test_committed_rows_survive_and_no_process_does(start_meesh, mesh):
    meesh = start_meesh(**mesh)
    assert any("postgres" in command for command in meesh.processes().values())
    written = []

    def write():
        number = 0
        while True:
            number += 1
            try:
                rows_of(meesh.url, "INSERT INTO sales.public.customers (customer_name) "
                                   f"VALUES ('crash {number}')")
            except Exception:  # killed: this one may be there or not
                return
            written.append(number)

    writer = threading.Thread(target=write)
    writer.start()
    wait_until(lambda: len(written) >= 20, 60, "twenty rows acknowledged")
    meesh.kill()
    writer.join(30)
    wait_until(lambda: nothing_left(meesh), 30, "every process of the mesh gone")

    again = start_meesh(**mesh)
    found = rows_of(again.url, "SELECT customer_name FROM sales.public.customers "
                               "WHERE customer_name LIKE 'crash %'")
    names = [name for [name] in found]
    assert len(names) == len(set(names))
    assert {f"crash {n}" for n in written} <= set(names)
    assert len(names) <= len(written) + 1


def test_an_orderly_stop_leaves_nothing_and_keeps_everything(start_meesh, mesh):
    meesh = start_meesh(**mesh)
    rows_of(meesh.url, "INSERT INTO sales.public.customers (customer_name) VALUES ('kept')")
    assert meesh.stop() == 0
    assert not meesh.left_behind()
    again = start_meesh(**mesh)
    assert rows_of(again.url, "SELECT count(*) FROM sales.public.customers "
                              "WHERE customer_name = 'kept'") == [[1]]
    # The sample rows came once, not again with the second start.
    assert rows_of(again.url, "SELECT count(*) FROM sales.public.customers "
                              "WHERE customer_name = 'Alice Johnson'") == [[1]]


def test_a_killed_database_server_is_started_again(start_meesh, mesh):
    meesh = start_meesh(**mesh)
    postmasters = [pid for pid, command in meesh.processes().items()
                   if command.split(" ")[0].endswith("postgres") and "sales" in command]
    assert len(postmasters) == 1, meesh.processes()
    import os
    import signal
    os.kill(postmasters[0], signal.SIGKILL)

    def answers():
        try:
            return rows_of(meesh.url, "SELECT count(*) > 0 FROM sales.public.customers") == [[True]]
        except AssertionError:
            return False

    wait_until(answers, 60, "sales answering again", every=0.2)
    assert rows_of(meesh.url, "SELECT count(*) > 0 FROM marketing.public.campaigns") == [[True]]


def test_a_second_meesh_on_the_same_data_is_refused(start_meesh, mesh):
    first = start_meesh(**mesh)
    second = start_meesh(**mesh, wait=False)
    assert second.process.wait(30) != 0
    # Both write to the same log file; the refusal names who has the folder.
    assert f"another meesh (process {first.process.pid}) uses" in second.log_text()
    assert rows_of(first.url, "SELECT 1") == [[1]]


def test_managed_servers_listen_on_loopback_alone_and_not_as_root(start_meesh, mesh):
    meesh = start_meesh(**mesh)
    for pid, command in meesh.processes().items():
        if command.split(" ")[0].endswith("postgres"):
            with open(f"/proc/{pid}/status") as status:
                uid = next(line.split()[1] for line in status if line.startswith("Uid:"))
            assert uid != "0"
    ports = {database.port for database in mesh["databases"].values()}
    listening = {}
    for file in ("/proc/net/tcp", "/proc/net/tcp6"):
        with open(file) as lines:
            for line in list(lines)[1:]:
                local, state = line.split()[1], line.split()[3]
                if state == "0A":
                    address, port = local.split(":")
                    listening.setdefault(int(port, 16), set()).add(address)
    for port in ports | {meesh.port}:
        assert listening[port] == {"0100007F"}, f"port {port} listens beyond 127.0.0.1"


def test_sigkill_while_the_first_start_creates_databases(start_meesh, mesh):
    meesh = start_meesh(**mesh, wait=False)
    wait_until(lambda: list(mesh["data"].glob("postgres/*/cluster/*")), 60, "a cluster in the making")
    meesh.kill()
    wait_until(lambda: nothing_left(meesh), 30, "every process of the mesh gone")
    again = start_meesh(**mesh)
    assert rows_of(again.url, "SELECT count(*) FROM sales.public.customers") == [[3]]
    assert error_of(again.url, "SELECT * FROM sales.public.nosuch")["errorName"] == "TABLE_NOT_FOUND"
