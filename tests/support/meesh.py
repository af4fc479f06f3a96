"""The program under test: a mesh folder made for the test, and one running `meesh serve`."""
import os
import shutil
import subprocess
from pathlib import Path

import psycopg2
import requests
import yaml

from support.processes import (die_with_parent, end, free_ports, memory, processes_in, tree,
                               wait_until)

ROOT = Path(__file__).resolve().parents[2]


def binary():
    return Path(os.environ.get("MEESH_BINARY", ROOT / "build" / "dev" / "meesh"))


class Database:
    """Where a domain's PostgreSQL is, and a way to ask it without meesh in between."""

    def __init__(self, port, name, user="admin", password="admin123", host="127.0.0.1"):
        self.host, self.port, self.name = host, port, name
        self.user, self.password = user, password

    def connect(self):
        return psycopg2.connect(host=self.host, port=self.port, dbname=self.name, user=self.user,
                                password=self.password, connect_timeout=5)

    def query(self, sql, parameters=None):
        connection = self.connect()
        try:
            with connection, connection.cursor() as cursor:
                cursor.execute(sql, parameters)
                return cursor.fetchall() if cursor.description else None
        finally:
            connection.close()


def write_yaml(path, content):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(yaml.safe_dump(content, sort_keys=False))


def demo_mesh(folder):
    """A copy of the demo whose managed databases have known ports and passwords; the databases by
    domain."""
    shutil.copytree(ROOT / "demo", folder, ignore=shutil.ignore_patterns("data"))
    databases = {}
    files = sorted(Path(folder).glob("domains/*/domain.yaml"))
    for file, port in zip(files, free_ports(len(files))):
        domain = yaml.safe_load(file.read_text())
        domain["database"].update(port=port, user="admin", password="admin123")
        write_yaml(file, domain)
        databases[file.parent.name] = Database(port, domain["database"]["name"])
    path = Path(folder) / "meesh.yaml"
    mesh = yaml.safe_load(path.read_text())
    mesh.setdefault("catalogs", {}).update(tpch={"kind": "tpch"}, memory={"kind": "memory"})
    write_yaml(path, mesh)
    return databases


def plain_mesh(folder, domains=None, **top):
    """A mesh of the given {domain: database description}; `top` goes into meesh.yaml."""
    folder = Path(folder)
    write_yaml(folder / "meesh.yaml", {
        "name": "test", "catalogs": {"tpch": {"kind": "tpch"}, "memory": {"kind": "memory"}}, **top})
    for name, database in (domains or {}).items():
        write_yaml(folder / "domains" / name / "domain.yaml",
                   {"owner": {"team": f"{name} team"}, "database": database})
    return folder


def external(server):
    """The description of a support.postgres.PostgresServer in a domain.yaml."""
    return {"kind": "postgresql", "host": "127.0.0.1", "port": server.port,
            "name": server.database, "user": server.user, "password": server.password}


class Meesh:
    """`meesh serve` of one mesh folder on a free port; its output goes to `log`."""

    def __init__(self, mesh, data, port=None, environment=None, databases=None, log=None):
        self.mesh, self.data = Path(mesh), Path(data)
        self.port = port or free_ports(1)[0]
        self.environment = environment or {}
        self.databases = databases or {}
        self.log = Path(log) if log else self.data.with_name(self.data.name + ".log")
        self.process = None

    host = "127.0.0.1"

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def launch(self):
        """Starts it and waits for nothing."""
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                [str(binary()), "serve", "--mesh", str(self.mesh),
                 "--data", str(self.data), "--port", str(self.port),
                 "--s3-port", "0"],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                env={**os.environ, **self.environment}, preexec_fn=die_with_parent)
        return self

    def start(self, seconds=60):
        self.launch()
        try:
            wait_until(self.ready, seconds, f"meesh at {self.url} ready")
        except AssertionError:
            self.stop()
            raise AssertionError(f"meesh did not start; its log says:\n{self.log_text()[-4000:]}")
        return self

    def ready(self):
        if self.process.poll() is not None:
            raise AssertionError(f"meesh ended with {self.process.returncode}")
        try:
            return not requests.get(f"{self.url}/v1/info", timeout=2).json()["starting"]
        except (requests.RequestException, ValueError):
            return False

    def stop(self, seconds=30):
        """Ends it as Ctrl-C does; the exit code."""
        return end(self.process, seconds) if self.process else None

    def kill(self):
        """SIGKILL, as when the machine's memory runs out."""
        self.process.kill()
        self.process.wait()

    def log_text(self):
        return self.log.read_text(errors="replace") if self.log.exists() else ""

    def s3_address(self):
        """Of the S3 endpoint, as the banner tells, which comes a moment after the first answer."""
        def told():
            return next((line.split()[-1] for line in self.log_text().splitlines()
                         if line.startswith("  S3 ")), None)
        return wait_until(told, 30, "the address of the S3 endpoint")

    def memory(self):
        return memory(self.process.pid)

    def processes(self):
        return tree(self.process.pid)

    def left_behind(self):
        """Processes that still work in the data folder, as {pid: command line}."""
        return processes_in(self.data)

    def run(self, *arguments, **options):
        """Another command of the same program, such as run("sql", "--server", …)."""
        return subprocess.run([str(binary()), *map(str, arguments)], text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              env={**os.environ, **self.environment, **options.pop("env", {})},
                              timeout=options.pop("timeout", 120), **options)
