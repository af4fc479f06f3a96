"""What the machine has not enough of: ports, memory, disk. Each has its clear error, and meesh goes
on where it can."""
import socket

from support.answers import error_of, rows_of
from support.disk import small_disk  # a fixture
from support.meesh import plain_mesh

# Needs hundreds of megabytes in whatever way it is run: five million different, long keys.
LARGE = ("SELECT count(*) FROM (SELECT DISTINCT to_hex(sha256(to_utf8(CAST(a * 4000 + b AS varchar)))) "
         "FROM UNNEST(sequence(0, 1249)) AS t(a) CROSS JOIN UNNEST(sequence(0, 3999)) AS u(b))")


def test_a_port_in_use_is_named(start_meesh, folder):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        meesh = start_meesh(plain_mesh(folder / "mesh"), folder / "data", port=port, wait=False)
        assert meesh.process.wait(30) not in (0, None)
    log = meesh.log_text()
    assert str(port) in log and "in use" in log
    assert not meesh.left_behind()


def test_a_query_beyond_the_memory_limit_fails_alone(start_meesh, folder):
    mesh = plain_mesh(folder / "mesh", compute={"kind": "duckdb", "memory": "100MB", "threads": 2,
                                                "spill": {"limit": "1MB"}})
    meesh = start_meesh(mesh, folder / "data")
    error = error_of(meesh.url, LARGE)
    assert error["errorType"] == "INSUFFICIENT_RESOURCES", error
    assert rows_of(meesh.url, "SELECT count(*) FROM tpch.tiny.nation") == [[25]]
    assert error_of(meesh.url, LARGE)["errorName"] == error["errorName"]


def test_a_query_larger_than_memory_goes_through_the_spill_folder(start_meesh, folder):
    mesh = plain_mesh(folder / "mesh", compute={"kind": "duckdb", "memory": "300MB", "threads": 2})
    meesh = start_meesh(mesh, folder / "data")
    assert rows_of(meesh.url, LARGE) == [[5_000_000]]


def test_a_full_spill_disk_fails_the_query_alone(start_meesh, folder, small_disk):
    spill = small_disk(8).folder
    mesh = plain_mesh(folder / "mesh", compute={"kind": "duckdb", "memory": "100MB", "threads": 2,
                                                "spill": {"folder": str(spill / "spill")}})
    meesh = start_meesh(mesh, folder / "data")
    error = error_of(meesh.url, LARGE)
    assert error["errorType"] == "INSUFFICIENT_RESOURCES", error
    assert rows_of(meesh.url, "SELECT count(*) FROM tpch.tiny.nation") == [[25]]


def test_a_disk_too_small_for_the_databases_is_a_clear_refusal(start_meesh, folder, small_disk):
    disk = small_disk(12).folder
    mesh = plain_mesh(folder / "mesh", {"sales": {"kind": "managed", "name": "sales_db"}})
    meesh = start_meesh(mesh, disk / "data", log=folder / "log", wait=False)
    assert meesh.process.wait(60) not in (0, None)
    text = meesh.log_text()
    assert "No space left on device" in text and "sales" in text
    assert not meesh.left_behind()


def test_a_data_folder_that_cannot_be_written_is_named(start_meesh, folder):
    (folder / "data").write_text("a file where the folder should be")
    meesh = start_meesh(plain_mesh(folder / "mesh"), folder / "data", wait=False)
    assert meesh.process.wait(30) not in (0, None)
    assert str(folder / "data") in meesh.log_text()
