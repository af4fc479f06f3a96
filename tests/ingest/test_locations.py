"""Files of web servers and SFTP servers: what is new, who may, slow and broken networks."""
import gzip
import os
import threading
from email.utils import formatdate

import pytest

from support.bad_network import bad_network
from support.processes import wait_until
from support.rest_server import Answer, rest_server
from support.sftp_server import sftp_server


@pytest.fixture
def mesh(lonely):
    return lonely


@pytest.fixture(scope="module")
def sftp(work_folder):
    with sftp_server(work_folder / "sftp") as server:
        yield server


def csv(first, count):
    return "id,name\n" + "".join(f"{i},n{i}\n" for i in range(first, first + count))


def put(sftp, name, content):
    path = sftp.folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())


def credentials(sftp, **more):
    return {"sftp": {"host_key": sftp.host_key, "key": "${SFTP_KEY}", "timeout": "2s", **more}}


def run(mesh, table=None, code=0):
    return mesh.ingest("run", f"files.{table}" if table else "files", "--run-date", "2025-01-15",
                       code=code, timeout=120)


def count(mesh, table):
    return mesh.query(f"SELECT count(*), count(DISTINCT id), max(id) FROM lake.bronze.{table}")[0]


def test_files_of_an_sftp_server_are_taken_once(mesh, sftp):
    put(sftp, "in/a.csv", csv(1, 10))
    put(sftp, "in/2025/b.csv.gz", gzip.compress(csv(11, 10).encode()))
    put(sftp, "in/2025/.hidden.csv", csv(1, 1))
    put(sftp, "in/2025/empty.csv", "")
    put(sftp, "other/c.json", '{"rows": [{"id": 1}]}')
    os.symlink(sftp.folder / "in/a.csv", sftp.folder / "other/link.csv")
    mesh.source("files", kind="files", **credentials(sftp), tables={
        "new": {"path": sftp.url("in/**/*.csv*"), "mode": "incremental"},
        "flat": {"path": sftp.url("in/*.csv")},
        "linked": {"path": sftp.url("other/*.csv")},
        "home": {"path": f"sftp://{sftp.user}@127.0.0.1:{sftp.port}/~/{os.path.relpath(sftp.folder, os.path.expanduser('~'))}/in/a.csv"},
        "records": {"path": sftp.url("other/c.json"), "records": "rows"},
        "none": {"path": sftp.url("nowhere/*.csv")}})
    mesh.meesh.environment = {"SFTP_KEY": sftp.key}
    mesh.meesh.start()
    told = run(mesh, code=1)
    assert "no file matches 'sftp://" in told
    assert count(mesh, "new") == [20, 20, 20]
    assert count(mesh, "flat") == [10, 10, 10]
    assert count(mesh, "linked") == [10, 10, 10]
    assert count(mesh, "home") == [10, 10, 10]
    assert count(mesh, "records")[0] == 1
    put(sftp, "in/2025/d.csv", csv(21, 5))
    run(mesh, "new")
    assert count(mesh, "new") == [25, 25, 25]
    run(mesh, "new")
    assert count(mesh, "new") == [25, 25, 25]
    put(sftp, "in/2025/d.csv", csv(21, 7))
    assert "has changed and is taken again" in run(mesh, "new")
    shown = told + mesh.meesh.log_text() + str(mesh.api("status")) + str(mesh.api("history"))
    assert "PRIVATE KEY" not in shown and sftp.key.splitlines()[2] not in shown


def test_only_the_pinned_server_and_the_right_user_will_do(mesh, sftp):
    put(sftp, "in/a.csv", csv(1, 10))
    other = "SHA256:" + "A" * 43
    table = {"t": {"path": sftp.url("in/a.csv")}}
    mesh.source("wrong", kind="files", sftp={"host_key": other, "password": "hush-hush"}, tables=table)
    mesh.source("refused", kind="files", sftp={"host_key": sftp.host_key, "password": "hush-hush"},
                tables=table)
    mesh.source("several", kind="files", into={"table": "s_{table}"}, tables=table,
                sftp={"host_keys": [other, sftp.host_key], "key_file": str(sftp.home / "user")})
    mesh.meesh.start()
    wrong = mesh.ingest("run", "wrong", code=1)
    assert f"has the host key {sftp.host_key}, which the source's file does not name" in wrong
    refused = mesh.ingest("run", "refused", code=1)
    assert "refuses the user" in refused and "hush" not in refused + mesh.meesh.log_text()
    mesh.ingest("run", "several")
    assert count(mesh, "s_t") == [10, 10, 10]


def test_an_sftp_address_needs_a_pinned_key(mesh, sftp):
    mesh.source("files", kind="files", tables={"t": {"path": sftp.url("a.csv")}})
    done = mesh.meesh.run("serve", "--mesh", mesh.meesh.mesh, "--data", mesh.meesh.data)
    assert done.returncode != 0 and "need the server's host key" in done.stderr


def test_a_connection_that_is_cut_or_stalls_is_made_anew(mesh, sftp):
    rows = 60_000
    put(sftp, "big/a.csv", csv(1, rows))
    with bad_network(sftp.port) as network:
        network.cuts = [20, 3000, 200_000]
        mesh.source("files", kind="files", **credentials(sftp), tables={
            "t": {"path": sftp.url("big/a.csv", network.port)}})
        mesh.meesh.environment = {"SFTP_KEY": sftp.key}
        mesh.meesh.start()
        run(mesh)
        assert count(mesh, "t") == [rows, rows, rows]
        assert network.connections >= 4
        network.cuts = [500] * 20
        assert "sftp://127.0.0.1" in run(mesh, code=1)
        assert count(mesh, "t") == [rows, rows, rows]
    sftp.process.send_signal(19)  # SIGSTOP: connections are accepted by the kernel, nobody answers
    try:
        mesh.meesh.stop()
        mesh.source("files", kind="files", **credentials(sftp, timeout="1s"),
                    tables={"t": {"path": sftp.url("big/a.csv")}})
        mesh.meesh.start()
        assert "sftp://127.0.0.1" in run(mesh, code=1)
    finally:
        sftp.process.send_signal(18)


class Shelf:
    """A web server's files, with what tells their versions."""

    def __init__(self, api):
        self.files, self.api, self.told = {}, api, "etag"
        api.route(r"/files/(.+)", self.answer)

    def answer(self, asked):
        found = self.files.get(asked.match[1])
        if not found:
            return Answer("", 404)
        version, content = found
        headers = {"Content-Type": "text/csv"}
        if self.told == "etag":
            headers["ETag"] = f'"{version}"'
        elif self.told == "date":
            headers["Last-Modified"] = formatdate(1_700_000_000 + version, usegmt=True)
        elif asked.method == "HEAD":
            return Answer("", 405)
        return Answer(content, headers=headers)


@pytest.mark.parametrize("told", ["etag", "date"])
def test_files_of_a_web_server_are_taken_when_they_are_new(mesh, told):
    with rest_server() as api:
        shelf = Shelf(api)
        shelf.told = told
        api.allowed = lambda asked: asked.headers.get("authorization") == "Bearer tt0ken"
        shelf.files = {"2025-01-15.csv": (1, csv(1, 10)), "x.csv": (1, csv(1, 5))}
        base = f"{api.url}/files"
        mesh.source("files", kind="files", http={"auth": {"kind": "bearer", "token": "tt0ken"},
                                                 "retries": {"first_wait": "10ms"}},
                    tables={"d": {"path": base + "/{date}.csv", "mode": "incremental"},
                            "x": {"path": base + "/x.csv?sig=${SIG}", "mode": "incremental"},
                            "gone": {"path": base + "/gone.csv?sig=${SIG}"}})
        mesh.meesh.environment = {"SIG": "s1gn4ture"}
        mesh.meesh.start()
        api.failures = [Answer("", 503), Answer(csv(1, 10), 500)]
        told_to_us = run(mesh, code=1)
        assert "no file matches" in told_to_us and "s1gn4ture" not in told_to_us
        assert count(mesh, "d") == [10, 10, 10] and count(mesh, "x") == [5, 5, 5]
        before = len([a for a in api.asked if a.method == "GET"])
        run(mesh, "d"), run(mesh, "x")
        assert len([a for a in api.asked if a.method == "GET"]) == before
        shelf.files["x.csv"] = (2, csv(6, 5))
        run(mesh, "x")
        assert count(mesh, "x") == [10, 10, 10]
        assert "s1gn4ture" not in mesh.meesh.log_text() + str(mesh.api("status"))
        assert api.requests_of("/files/x.csv")[0].query == {"sig": "s1gn4ture"}


def test_a_web_server_that_tells_no_version_and_one_that_breaks_off(mesh):
    with rest_server() as api, bad_network(api.port) as network:
        shelf = Shelf(api)
        shelf.told = ""
        rows = 40_000
        shelf.files = {"x.csv": (1, csv(1, rows))}
        mesh.source("files", kind="files", http={"retries": {"first_wait": "10ms"}, "timeout": "2s"},
                    tables={"x": {"path": f"http://127.0.0.1:{network.port}/files/x.csv"}})
        mesh.meesh.start()
        network.cuts = [10, 100_000]
        run(mesh)
        assert count(mesh, "x") == [rows, rows, rows]
        network.cuts = [1000] * 20
        assert "broke" in (told := run(mesh, code=1)) or "connection" in told
        assert count(mesh, "x") == [rows, rows, rows]


def test_a_slow_download_can_be_canceled_and_killed(mesh, sftp):
    rows = 60_000
    put(sftp, "slow/a.csv", csv(1, rows))
    with bad_network(sftp.port) as network:
        network.rate = 100_000
        mesh.source("files", kind="files", **credentials(sftp), tables={
            "t": {"path": sftp.url("slow/a.csv", network.port), "mode": "incremental"}})
        mesh.meesh.environment = {"SFTP_KEY": sftp.key}
        mesh.meesh.start()
        ended = threading.Thread(target=mesh.meesh.run, args=(
            "ingest", "run", "files", "--server", mesh.meesh.url))
        ended.start()
        copies = mesh.meesh.data / "ingest"
        wait_until(lambda: any(f.stat().st_size for f in copies.glob("*/*")), 30, "a copy under way")
        mesh.meesh.kill()
        ended.join()
        network.rate = None
        mesh.meesh.start()
        assert not list(copies.glob("*"))  # what a killed run left is gone
        run(mesh)
        assert count(mesh, "t") == [rows, rows, rows]
