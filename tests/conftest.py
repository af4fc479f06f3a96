"""One `meesh serve` of a copy of the demo, with managed PostgreSQL inside, shared by every test
that does not need to break it.

    pytest tests                                   # build/dev/meesh
    pytest tests/trino --server http://127.0.0.1:8080 \
        --sales postgresql://… --marketing postgresql://…

The second form holds the tests against any server with the demo's tables, a real Trino for one: a
test of what is Trino's to define must pass there too.
"""
import os
import shutil
import signal
import tempfile
from pathlib import Path
from urllib.parse import urlparse

import pytest
import trino

from support.meesh import Database, Meesh, binary, demo_mesh
from support.postgres import PostgresServer

# A shell lets what it starts in the background ignore Ctrl-C, and children inherit that (a JVM keeps
# ignoring it for good). With a handler of our own here they start with the default again.
signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_addoption(parser):
    parser.addoption("--full", action="store_true", help="run the tests marked full as well")
    parser.addoption("--server", help="test this server instead of starting meesh")
    parser.addoption("--sales", help="with --server: URL of the sales database")
    parser.addoption("--marketing", help="with --server: URL of the marketing database")


def pytest_collection_modifyitems(config, items):
    for item in items:
        if "full" in item.keywords and not config.getoption("--full"):
            item.add_marker(pytest.mark.skip(reason="long; ./test --full runs it"))


class OtherServer:
    """A server that is not ours to start, with what the tests need of Meesh."""

    def __init__(self, url, databases):
        parsed = urlparse(url)
        self.url, self.host, self.port = url.rstrip("/"), parsed.hostname, parsed.port
        self.databases = {name: Database(u.port, u.path[1:], u.username, u.password, u.hostname)
                          for name, u in ((n, urlparse(d)) for n, d in databases.items() if d)}


@pytest.fixture(scope="session")
def work_folder():
    """A folder that PostgreSQL may enter even when the tests run as root (pytest's own is 0700)."""
    folder = Path(tempfile.mkdtemp(prefix="meesh-test-"))
    folder.chmod(0o755)
    yield folder
    if not os.environ.get("MEESH_KEEP"):
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def folder(work_folder, request):
    """A folder for one test."""
    name = "".join(c if c.isalnum() else "-" for c in request.node.name)[:40]
    path = Path(tempfile.mkdtemp(prefix=f"{name}-", dir=work_folder))
    path.chmod(0o755)
    return path


@pytest.fixture(scope="session")
def server(request, work_folder):
    """The server under test; `databases` are its PostgreSQL servers by domain."""
    if url := request.config.getoption("--server"):
        yield OtherServer(url, {name: request.config.getoption(f"--{name}")
                                for name in ("sales", "marketing")})
        return
    if not binary().exists():
        pytest.fail(f"{binary()} is not built: setup/build.sh dev", pytrace=False)
    databases = demo_mesh(work_folder / "demo")
    meesh = Meesh(work_folder / "demo", work_folder / "demo-data", databases=databases).start()
    try:
        loaded = meesh.run("demo", "load", "--mesh", meesh.mesh, "--data", meesh.data,
                           "--scale", "0.005")
        assert loaded.returncode == 0, loaded.stderr
        yield meesh
    finally:
        meesh.stop()


@pytest.fixture(scope="session")
def ours(server):
    """The server under test when it is meesh; skips for another."""
    if isinstance(server, OtherServer):
        pytest.skip("about meesh itself, not about what every Trino server does")
    return server


@pytest.fixture
def start_meesh(request):
    """Starts meesh servers that the test may break; all are stopped after it."""
    if request.config.getoption("--server"):
        pytest.skip("about meesh itself, not about what every Trino server does")
    started = []

    def start(mesh, data, wait=True, **options):
        meesh = Meesh(mesh, data, **options)
        started.append(meesh)
        return meesh.start() if wait else meesh.launch()

    yield start
    for meesh in started:
        meesh.stop()


@pytest.fixture
def postgres(folder):
    """Makes PostgreSQL servers that the test may break."""
    servers = []

    def make(database, **options):
        made = PostgresServer(folder / f"postgres-{database}", database, **options).create().start()
        servers.append(made)
        return made

    yield make
    for made in servers:
        made.remove()


@pytest.fixture
def connect(server):
    """DB-API connections to the server under test: connect(catalog="sales", schema="public", …)."""
    opened = []

    def make(**options):
        options = {"host": server.host, "port": server.port, "user": "tester", **options}
        opened.append(trino.dbapi.connect(**options))
        return opened[-1]

    yield make
    for connection in opened:
        connection.close()


@pytest.fixture
def query(connect):
    """query(sql, parameters=None, **connection options) → rows."""

    def run(sql, parameters=None, **options):
        cursor = connect(**options).cursor()
        cursor.execute(sql, parameters)
        return cursor.fetchall()

    return run
