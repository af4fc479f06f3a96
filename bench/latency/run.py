#!/usr/bin/env python3
"""Runs the measurements that run.sh prepares; see there. Exit code 1 over a budget."""
import argparse
import json
import os
import shutil
import statistics
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
os.environ.setdefault("MEESH_BINARY", str(ROOT / "build" / "release" / "meesh"))
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "bench"), str(Path(__file__).parent)]

import requests  # noqa: E402
import trino  # noqa: E402
from report import machine, table  # noqa: E402
from support.answers import Statement  # noqa: E402
from support.meesh import Meesh, plain_mesh  # noqa: E402
from support.trino_server import TrinoServer, why_not  # noqa: E402
from tpch import BareDuckDB, OverProtocol  # noqa: E402

SCHEMAS, METADATA_BUDGET_MS = 10, 50
ESCAPE = "ESCAPE '\\'"
#: What drivers and tools ask; {c} is the catalog, {s} a schema, {t} a table in it.
METADATA = {
    "SHOW SCHEMAS": "SHOW SCHEMAS FROM {c}",
    "SHOW TABLES": "SHOW TABLES FROM {c}.{s}",
    "DESCRIBE": "DESCRIBE {c}.{s}.{t}",
    "SHOW CREATE TABLE": "SHOW CREATE TABLE {c}.{s}.{t}",
    "SQLAlchemy: tables of a schema":
        "SELECT table_name FROM {c}.information_schema.tables WHERE table_schema = '{s}' "
        "AND table_type = 'BASE TABLE'",
    "SQLAlchemy: columns of a table":
        "SELECT column_name, data_type, column_default, is_nullable FROM "
        "{c}.information_schema.columns WHERE table_schema = '{s}' AND table_name = '{t}' "
        "ORDER BY ordinal_position ASC",
    "SQLAlchemy: comment of a table":
        "SELECT comment FROM system.metadata.table_comments WHERE catalog_name = '{c}' "
        "AND schema_name = '{s}' AND table_name = '{t}'",
    "JDBC: schemas":
        "SELECT table_schem, table_catalog FROM system.jdbc.schemas WHERE table_catalog = '{c}' "
        "ORDER BY table_catalog, table_schem",
    "JDBC: tables of a schema":
        "SELECT table_cat, table_schem, table_name, table_type, remarks FROM system.jdbc.tables "
        "WHERE table_cat = '{c}' AND table_schem LIKE '{s}' " + ESCAPE +
        " AND table_name LIKE '%' " + ESCAPE + " ORDER BY table_type, table_cat, table_schem, table_name",
    "JDBC: columns of a table":
        "SELECT table_cat, table_schem, table_name, column_name, data_type, type_name FROM "
        "system.jdbc.columns WHERE table_cat = '{c}' AND table_schem LIKE '{s}' " + ESCAPE +
        " AND table_name LIKE '{p}' " + ESCAPE + " AND column_name LIKE '%' " + ESCAPE +
        " ORDER BY table_cat, table_schem, table_name, ordinal_position",
    "how many tables": "SELECT count(*) FROM {c}.information_schema.tables",
}
TRIPS = {"a constant": "SELECT 1", "25 rows": "SELECT * FROM tpch.tiny.nation",
         "prepared": "EXECUTE IMMEDIATE 'SELECT name FROM tpch.tiny.nation WHERE nationkey = ?' USING 7"}
MILLION = ("SELECT a * 1000 + b AS n, 'row number ' || CAST(b AS varchar) AS t, a / 7e0 AS x "
           "FROM UNNEST(sequence(0, 999)) AS u(a) CROSS JOIN UNNEST(sequence(0, 999)) AS v(b)")


class Bench:
    def __init__(self, options, folder):
        self.options, self.folder, self.found, self.late = options, folder, {}, []
        self.meesh = Meesh(plain_mesh(folder / "mesh"), folder / "data")
        self.http = requests.Session()

    def run(self, sql, rows=False, url=None, schema=None):
        """Milliseconds, and the rows or their number."""
        where = dict(zip(("Catalog", "Schema"), schema.split("."))) if schema else {}
        start = time.perf_counter()
        answer, error = Statement(url or self.meesh.url, sql, self.http, **where).finish()
        took = (time.perf_counter() - start) * 1000
        if error:
            raise SystemExit(f"{sql}: {error['message']}")
        return took, answer if rows else len(answer)

    def note(self, part, name, times, budget=None):
        times = sorted(times)
        p50, p99 = statistics.median(times), times[min(len(times) - 1, len(times) * 99 // 100)]
        self.found.setdefault(part, {})[name] = {"p50": p50, "p99": p99, "rounds": len(times)}
        if budget and p50 > budget:
            self.late.append(f"{part}, {name}: {p50:.1f} ms, more than {budget} ms")
        return [name, f"{p50:.1f}", f"{p99:.1f}"]

    def metadata(self):
        for catalog in ("memory", "lake"):
            self.make_tables(catalog)
            names = {"c": catalog, "s": "many3", "t": "table_00013", "p": "table\\_00013"}
            rows = []
            for name, sql in METADATA.items():
                times = [self.run(sql.format(**names))[0] for _ in range(self.options.rounds)]
                rows.append(self.note(f"metadata of {catalog}", name, times, METADATA_BUDGET_MS))
            table([f"{self.options.tables:,} tables of {catalog}", "p50 ms", "p99 ms"], rows)
            print(flush=True)

    def make_tables(self, catalog):
        start = time.monotonic()
        for i in range(SCHEMAS):
            self.run(f"CREATE SCHEMA {catalog}.many{i}")
        for i in range(self.options.tables):
            self.run(f"CREATE TABLE {catalog}.many{i % SCHEMAS}.table_{i:05} (id bigint, "
                     "name varchar(40), price decimal(12, 2), day date, at timestamp(6))")
        print(f"made {self.options.tables:,} tables of {catalog} in "
              f"{time.monotonic() - start:.0f} s", flush=True)

    def trip(self):
        rows = []
        for name, sql in TRIPS.items():
            self.run(sql)
            times = [self.run(sql)[0] for _ in range(self.options.rounds * 20)]
            rows.append(self.note("there and back", name, times))
        table(["there and back", "p50 ms", "p99 ms"], rows)
        print(flush=True)

    def rows(self):
        """A million rows through the Python client, which decodes them."""
        shown = []
        for encoding in (None, "json", "json+lz4", "json+zstd"):
            # An encoding nobody knows: the client has a list of its own instead of none.
            times = [self.fetch(encoding or "none") for _ in range(3)]
            shown.append(self.note("a million rows", encoding or "direct", times))
        table(["a million rows, Python client", "p50 ms", "p99 ms"], shown)
        print(flush=True)

    def fetch(self, encoding):
        connection = trino.dbapi.connect(host=self.meesh.host, port=self.meesh.port, user="bench",
                                         encoding=encoding)
        cursor = connection.cursor()
        start = time.perf_counter()
        cursor.execute(MILLION)
        count = sum(1 for _ in cursor)
        took = (time.perf_counter() - start) * 1000
        assert count == 1_000_000, count
        connection.close()
        return took

    def tpch(self):
        contenders = [OverProtocol("meesh", self.run, self.options.sf)]
        bare = BareDuckDB(self.options.sf)
        if "duckdb" not in self.options.without:
            contenders.append(bare)
        rival = None
        if "trino" not in self.options.without and not why_not():
            rival = TrinoServer(self.folder / "trino", {
                "memory": {"connector.name": "memory"}, "tpch": {"connector.name": "tpch"}})
            rival.start().wait()

            def ask(sql, **how):
                return self.run(sql, url=rival.url, **how)
            contenders.append(OverProtocol("Trino", ask, self.options.sf))
        try:
            self.compare(contenders, bare.queries())
        finally:
            if rival:
                rival.stop()

    def compare(self, contenders, queries):
        rows, totals = [], dict.fromkeys((c.name for c in contenders), 0.0)
        for number, sql in queries.items():
            row = [f"query {number}"]
            counts = set()
            for contender in contenders:
                asked = [contender.ask(sql) for _ in range(3)]
                times, counts = [took for took, _ in asked], counts | {n for _, n in asked}
                self.note(f"TPC-H, {contender.name}", f"query {number}", times)
                totals[contender.name] += statistics.median(times)
                row.append(f"{statistics.median(times):.1f}")
            if len(counts) > 1:
                self.late.append(f"TPC-H {number}: different numbers of rows: {counts}")
            rows.append(row)
        rows.append(["all 22", *(f"{totals[c.name]:.1f}" for c in contenders)])
        table([f"TPC-H, scale {self.options.sf:g}, ms", *(c.name for c in contenders)], rows)
        print(flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tables", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=11)
    parser.add_argument("--sf", type=float, default=1)
    parser.add_argument("--without", default="", help="trino,duckdb")
    parser.add_argument("--only", default="metadata,trip,rows,tpch")
    parser.add_argument("--json")
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="meesh-latency-"))
    folder.chmod(0o755)
    bench = Bench(options, folder)
    about = machine(folder)
    print("  ".join(f"{key}: {value}" for key, value in about.items()), flush=True)
    try:
        bench.meesh.start()
        for part in options.only.split(","):
            getattr(bench, part)()
    finally:
        bench.meesh.stop()
        shutil.rmtree(folder, ignore_errors=True)
    if options.json:
        Path(options.json).write_text(json.dumps({"machine": about, **bench.found}, indent=2))
    print("\n".join(bench.late))
    return 1 if bench.late else 0


if __name__ == "__main__":
    sys.exit(main())
