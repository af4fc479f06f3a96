"""The programs compared: each starts, answers SQL, tells its memory and stops."""
import json
import subprocess
import sys
import time
from pathlib import Path

import trino
from trino.exceptions import TrinoConnectionError, TrinoQueryError

from support.meesh import ROOT, Meesh
from support.processes import die_with_parent, end, memory, reset_peak
from support.trino_server import TrinoServer, postgresql_catalog, versions


class ThroughTrinoClient:
    """What answers the Python client `trino`; one kept-alive connection, as a notebook has."""

    connection = None

    def run(self, sql):
        """(milliseconds, rows)"""
        if not self.connection:
            self.connection = trino.dbapi.connect(host="127.0.0.1", port=self.server.port,
                                                  user="bench")
        start = time.perf_counter()
        cursor = self.connection.cursor()
        cursor.execute(sql)
        rows = cursor.fetchall()
        return (time.perf_counter() - start) * 1000, [[str(v) for v in row] for row in rows]

    def first_answer(self, sql, seconds=180):
        """Asks until it is answered: a starting server refuses, or knows no nodes or catalogs."""
        deadline = time.monotonic() + seconds
        while True:
            try:
                return self.run(sql)
            except (TrinoConnectionError, TrinoQueryError, OSError):
                if time.monotonic() > deadline or self.server.process.poll() is not None:
                    raise
                self.connection = None
                time.sleep(0.005)

    @property
    def pid(self):
        return self.server.process.pid

    def stop(self):
        self.connection = None
        self.server.stop()


class Trino(ThroughTrinoClient):
    name = f"Trino {versions()['TRINO_VERSION']}"

    def __init__(self, folder, databases, heap):
        (folder / "trino").mkdir()
        self.server = TrinoServer(folder / "trino", {name: postgresql_catalog(database)
                                                     for name, database in databases.items()}, heap)

    def start(self):
        self.server.start()


class Ours(ThroughTrinoClient):
    name = "meesh"

    def __init__(self, mesh, data):
        self.server = Meesh(mesh, data)

    def start(self):
        self.server.launch()


class DuckDB:
    name = f"DuckDB {versions()['DUCKDB_VERSION']}"

    def __init__(self, databases):
        self.databases = {name: f"host=127.0.0.1 port={d.port} dbname={d.database} user={d.user} "
                                f"password={d.password}" for name, d in databases.items()}
        self.process = None

    def start(self):
        extensions = ROOT / ".deps" / f"duckdb-{versions()['DUCKDB_VERSION']}" / "extensions"
        self.process = subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name("duckdb_worker.py")), str(extensions),
             json.dumps(self.databases)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, preexec_fn=die_with_parent)

    def run(self, sql):
        self.process.stdin.write(json.dumps({"sql": sql}) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"DuckDB ended at: {sql}")
        answer = json.loads(line)
        return answer["ms"], [[str(v) for v in row] for row in answer["rows"]]

    first_answer = run

    @property
    def pid(self):
        return self.process.pid

    def stop(self):
        if self.process:
            self.process.stdin.close()
            end(self.process)
            self.process = None


__all__ = ["DuckDB", "Ours", "Trino", "memory", "reset_peak"]
