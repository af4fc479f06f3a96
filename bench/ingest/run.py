"""meesh, dlt and Spark on the same tables of PostgreSQL and MariaDB and the same CSV file. See run.sh."""
import argparse
import json
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "bench")]

import duckdb  # noqa: E402

import report  # noqa: E402
from load import processor_seconds  # noqa: E402
from support.mariadb import MariaDBServer  # noqa: E402
from support.meesh import Meesh, external, plain_mesh  # noqa: E402
from support.postgres import PostgresServer  # noqa: E402
from support.trino_server import find_jdk  # noqa: E402

ROWS = 10_000_000
CSV_BYTES = 5_000_000_000
DRIVERS = {"postgresql": ROOT / ".deps" / "maven" / "postgresql-42.7.8.jar",
           "mariadb": ROOT / ".deps" / "maven" / "mysql-connector-j-9.4.0.jar"}
SOURCES = {"postgresql": "db", "mariadb": "maria", "csv": "files"}
# Sixteen columns like those of TPC-H's lineitem; the key is dense, so that Spark can cut it evenly.
COLUMNS = [("id", "bigint", "i"), ("partkey", "int", "i * 7919 % 2000000"),
           ("suppkey", "int", "i % 100000"), ("linenumber", "int", "i % 7"),
           ("quantity", "numeric(12,2)", "i % 50"), ("price", "numeric(12,2)", "i % 9999999 / 100.0"),
           ("discount", "numeric(12,2)", "i % 10 / 100.0"), ("tax", "numeric(12,2)", "0.04"),
           ("returnflag", "varchar(1)", "'N'"), ("linestatus", "varchar(1)", "'O'"),
           ("shipped", "date", "date '1995-01-01' + CAST(i % 2000 AS int)"),
           ("committed", "date", "date '1995-01-01' + CAST(i % 1999 AS int)"),
           ("received", "timestamp", "timestamp '1995-01-01' + i % 99999 * interval '1' second"),
           ("instruct", "varchar(25)", "'DELIVER IN PERSON'"), ("mode", "varchar(10)", "'TRUCK'"),
           ("comment", "varchar(44)", "md5(CAST(i AS varchar))")]
SPARK_TYPES = {"bigint": "bigint", "int": "int", "date": "date", "timestamp": "timestamp"}


def select(source):
    return f"SELECT {', '.join(f'CAST({e} AS {t}) AS {n}' for n, t, e in COLUMNS)} FROM {source}"


def mysql(expression):
    """In MariaDB's words, over its seq_1_to_N."""
    words = {
        "date '1995-01-01' + CAST(i % 2000 AS int)": "date '1995-01-01' + INTERVAL seq % 2000 DAY",
        "date '1995-01-01' + CAST(i % 1999 AS int)": "date '1995-01-01' + INTERVAL seq % 1999 DAY",
        "timestamp '1995-01-01' + i % 99999 * interval '1' second":
            "timestamp '1995-01-01 00:00:00' + INTERVAL seq % 99999 SECOND",
        "md5(CAST(i AS varchar))": "md5(seq)"}
    return words.get(expression) or re.sub(r"\bi\b", "seq", expression)


class Bench:
    def __init__(self, options, folder):
        self.options, self.folder = options, folder
        self.rows = int(ROWS * options.scale)
        self.postgres = PostgresServer(folder / "postgres", "bench",
                                       settings=["shared_buffers=1GB", "max_wal_size=16GB"])
        mesh = plain_mesh(folder / "mesh", {"bench": external(self.postgres)}, lake={
            "location": "s3://lake", "allowed_locations": ["s3://bronze"]})
        self.maria = MariaDBServer(folder / "mariadb", "bench", settings=[
            "innodb-buffer-pool-size=2G", "skip-log-bin"])
        self.meesh = Meesh(mesh, folder / "data")
        self.csv, self.csv_rows = folder / "rows.csv", 0

    def prepare(self):
        kinds = self.options.only
        self.postgres.create().start()
        if "postgresql" in kinds:
            series = f"generate_series(1::bigint, {self.rows}) s(i)"
            self.postgres.query(f"CREATE TABLE rows AS {select(series)}")
            self.postgres.query("ALTER TABLE rows ADD PRIMARY KEY (id); ANALYZE rows")
        if "mariadb" in kinds:
            self.maria.create().start()
            types = ", ".join(f"{n} {t.replace('timestamp', 'datetime')}" for n, t, _ in COLUMNS)
            self.maria.query(f"CREATE TABLE `rows` ({types}, PRIMARY KEY (id))",
                             f"INSERT INTO `rows` SELECT {', '.join(mysql(e) for _, _, e in COLUMNS)} "
                             f"FROM seq_1_to_{self.rows}", "ANALYZE TABLE `rows`")
        if "csv" in kinds:
            self.make_csv()
        sources = self.meesh.mesh / "sources"
        sources.mkdir()
        (sources / "db.yaml").write_text("kind: postgresql\ncatalog: bench\ntables: { rows: {} }\n")
        if "mariadb" in kinds:
            (sources / "maria.yaml").write_text(
                f"kind: mysql\nconnection: {{ host: 127.0.0.1, port: {self.maria.port}, "
                f"user: {self.maria.user}, password: {self.maria.password} }}\ndatabase: bench\n"
                "tables: { rows: { into: maria_rows } }\n")
        # The same types as the others are told.
        types = ", ".join(f"{n}: '{t.replace('numeric', 'decimal')}'"
                          for n, t, _ in COLUMNS)
        (sources / "files.yaml").write_text(
            f"kind: files\nallow_outside: true\ntables:\n  rows: {{ path: {self.csv}, into: csv_rows, "
            f"columns: {{ {types} }} }}\n")
        self.meesh.start()

    def make_csv(self):
        connection = duckdb.connect()
        sample = f"COPY ({select('range(1, 100001) s(i)')}) TO '{self.csv}' (FORMAT csv, HEADER)"
        connection.execute(sample)
        each = self.csv.stat().st_size / 100_000
        self.csv_rows = int(CSV_BYTES * self.options.scale / each)
        connection.execute(sample.replace("range(1, 100001)", f"range(1, {self.csv_rows + 1})"))

    def count(self, kind):
        return self.csv_rows if kind == "csv" else self.rows

    def ours(self, kind):
        source = SOURCES[kind]
        cpu, start = processor_seconds(self.meesh.process.pid), time.perf_counter()
        done = self.meesh.run("ingest", "run", f"{source}.rows", "--json", "--server", self.meesh.url,
                              timeout=3600)
        seconds = time.perf_counter() - start
        end = json.loads(done.stdout.splitlines()[-1])
        if end.get("rows") != self.count(kind):
            raise AssertionError(f"meesh took {end}")
        return {"seconds": seconds, "cpu": processor_seconds(self.meesh.process.pid) - cpu}

    def rival(self, engine, kind):
        out = self.folder / f"{engine}-{kind}"
        server = self.maria if kind == "mariadb" else self.postgres
        job = {"engine": engine, "kind": kind, "host": "127.0.0.1", "port": server.port,
               "database": "bench", "user": server.user, "password": server.password,
               "table": "rows", "rows": self.rows, "csv": str(self.csv), "out": str(out),
               "driver": str(DRIVERS.get(kind, DRIVERS["postgresql"])), "columns": ", ".join(
                   f"{n} {SPARK_TYPES.get(t) or ('string' if 'char' in t else t)}"
                   for n, t, _ in COLUMNS)}
        python = ROOT / (".venv" if engine == "spark" else ".deps/bench-ingest") / "bin" / "python"
        out.mkdir()
        try:
            done = subprocess.run(
                [str(python), str(ROOT / "bench" / "ingest" / "rival.py"), json.dumps(job)],
                text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=7200, cwd=out,
                env={**os.environ, "JAVA_HOME": str(find_jdk(17) or ""), "RUNTIME__DLTHUB_TELEMETRY":
                     "false"})
            if done.returncode != 0:
                raise AssertionError(f"{engine}: {done.stderr[-2000:]}")
            taken = duckdb.sql(f"SELECT count(*) FROM '{out}/lake/**/*.parquet'").fetchone()[0] \
                if engine == "spark" else self.dlt_rows(out)
            if taken != self.count(kind):
                raise AssertionError(f"{engine} took {taken} rows of {self.count(kind)}")
            return json.loads(done.stdout.splitlines()[-1])
        finally:
            shutil.rmtree(out, ignore_errors=True)

    def dlt_rows(self, out):
        files = [str(each) for each in (out / "lake" / "bench" / "rows").rglob("*.parquet")]
        return duckdb.read_parquet(files).aggregate("count(*)").fetchone()[0]

    def measure(self):
        found = {}
        for kind in self.options.only:
            rivals = ["dlt", "dlt-duckdb", "spark"] if kind == "csv" else ["dlt", "spark"]
            for engine in ["meesh", *[e for e in rivals if e not in self.options.without]]:
                runs = []
                for number in range(self.options.rounds):
                    runs.append(self.ours(kind) if engine == "meesh" else self.rival(engine, kind))
                    print(f"{kind}, {engine}, round {number + 1}: {runs[-1]['seconds']:.1f} s, "
                          f"{runs[-1]['cpu']:.1f} s of processor time", flush=True)
                found[kind, engine] = {key: statistics.median(run[key] for run in runs)
                                       for key in ("seconds", "cpu")}
        return found

    def tell(self, found):
        rows = []
        for (kind, engine), run in found.items():
            rate = self.count(kind) / run["cpu"]
            best = self.count(kind) / found[kind, "meesh"]["cpu"]
            rows.append([f"{kind}, {engine}", f"{self.count(kind):,}", f"{run['seconds']:.1f}",
                         f"{run['cpu']:.1f}", f"{rate:,.0f}", f"{best / rate:.1f}"])
        report.table(["", "rows", "s", "processor s", "rows / processor s", "meesh is × as fast"],
                     rows)

    def stop(self):
        self.meesh.stop()
        self.maria.stop()
        self.postgres.remove()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--scale", type=float, default=1.0)
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--only", type=lambda t: t.split(","), default=["postgresql", "mariadb", "csv"])
    parser.add_argument("--without", type=lambda t: t.split(","), default=[])
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    os.environ.setdefault("MEESH_BINARY", str(ROOT / "build" / "release" / "meesh"))
    folder = Path(tempfile.mkdtemp(prefix="bench-ingest-", dir=options.folder))
    folder.chmod(0o755)
    bench = Bench(options, folder)
    try:
        bench.prepare()
        found = bench.measure()
        bench.tell(found)
        if options.json:
            options.json.write_text(json.dumps({
                "machine": report.machine(folder), "scale": options.scale,
                "results": [{"kind": kind, "engine": engine, "rows": bench.count(kind), **run}
                            for (kind, engine), run in found.items()]}, indent=2))
    finally:
        bench.stop()
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
