"""meesh and Debezium's engine on the same table of PostgreSQL and its changes. See run.sh."""
import argparse
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "bench"), str(ROOT / "bench" / "ingest")]

import report  # noqa: E402
from load import processor_seconds  # noqa: E402
from support.meesh import Meesh, external, plain_mesh  # noqa: E402
from support.postgres import PostgresServer  # noqa: E402
from support.trino_server import find_jdk  # noqa: E402

ROWS, CHANGES = 5_000_000, 1_000_000
COLUMNS = ("id bigint PRIMARY KEY, customer int, amount numeric(12,2), status text, note text, "
           "changed timestamptz, paid boolean, weight float8")
VALUES = ("i, i % 1000, i % 999999 * 0.01, 'state ' || i % 7, 'a note of some length ' || i, now(), "
          "i % 2 = 0, i / 7.0")


class Bench:
    def __init__(self, options, folder):
        self.options, self.folder = options, folder
        self.rows, self.changes = int(ROWS * options.scale), int(CHANGES * options.scale)
        self.postgres = PostgresServer(folder / "postgres", "bench", settings=[
            "shared_buffers=1GB", "max_wal_size=16GB", "wal_level=logical"])
        mesh = plain_mesh(folder / "mesh", {"bench": external(self.postgres)}, lake={
            "location": "s3://lake", "allowed_locations": ["s3://bronze"]})
        self.meesh = Meesh(mesh, folder / "data")

    def prepare(self):
        self.postgres.create().start()
        self.postgres.query(f"CREATE TABLE rows ({COLUMNS}); INSERT INTO rows SELECT {VALUES} FROM "
                            f"generate_series(1, {self.rows}) i")
        self.postgres.query("ANALYZE rows")
        sources = self.meesh.mesh / "sources"
        sources.mkdir()
        (sources / "db.yaml").write_text(
            "kind: postgresql\ncatalog: bench\ntables: { rows: { mode: cdc } }\n")
        self.meesh.start()

    def change(self):
        """Two fifths new rows, a half updates and a tenth deletes, in transactions of 1 %."""
        new, updated, gone = self.changes * 4 // 10, self.changes // 2, self.changes // 10
        begin = self.postgres.query("SELECT max(id) FROM rows")[0][0]
        for part in range(100):
            self.postgres.query(
                f"INSERT INTO rows SELECT {VALUES} FROM generate_series({begin} + {new * part // 100} "
                f"+ 1, {begin} + {new * (part + 1) // 100}) i; UPDATE rows SET amount = amount + 1, "
                f"changed = now() WHERE id > {updated * part // 100} AND id <= "
                f"{updated * (part + 1) // 100}; DELETE FROM rows WHERE id > {begin} + "
                f"{gone * part // 100} AND id <= {begin} + {gone * (part + 1) // 100}")

    def ours(self):
        cpu, start = processor_seconds(self.meesh.process.pid), time.perf_counter()
        done = self.meesh.run("ingest", "run", "db", "--server", self.meesh.url, timeout=3600)
        if done.returncode != 0:
            raise AssertionError(done.stdout + done.stderr)
        return {"seconds": time.perf_counter() - start,
                "cpu": processor_seconds(self.meesh.process.pid) - cpu}

    def check_ours(self):
        """The lake has what the source has."""
        done = self.meesh.run("sql", "--server", self.meesh.url, "-q", "-o", "csv", "-e",
                              "SELECT count(*), sum(amount) FROM lake.bronze.rows")
        expected = ",".join(str(cell) for cell in self.postgres.query(
            "SELECT count(*), sum(amount) FROM rows")[0])
        if done.stdout.splitlines()[-1:] != [expected]:  # behind the names of the columns
            raise AssertionError(f"the lake has {done.stdout} and the source {expected}")

    def debezium(self, events, begin):
        settings = self.folder / "debezium.properties"
        settings.write_text("\n".join(f"{key}={value}" for key, value in {
            "name": "bench", "connector.class": "io.debezium.connector.postgresql.PostgresConnector",
            "offset.storage": "org.apache.kafka.connect.storage.FileOffsetBackingStore",
            "offset.storage.file.filename": self.folder / "offsets", "offset.flush.interval.ms": 1000,
            "database.hostname": "127.0.0.1", "database.port": self.postgres.port,
            "database.user": self.postgres.user, "database.password": self.postgres.password,
            "database.dbname": "bench", "topic.prefix": "bench", "plugin.name": "pgoutput",
            "table.include.list": "public.rows", "slot.name": "debezium",
            "publication.autocreate.mode": "filtered", "tombstones.on.delete": "false",
            "max.batch.size": 20480, "max.queue.size": 81920,
            "snapshot.mode": "initial" if begin else "no_data"}.items()))
        java = Path(find_jdk(17) or "/usr") / "bin" / "java"
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        done = subprocess.run(
            [str(java), "-Xmx4g", "-cp", f"{self.options.debezium}/*",
             str(ROOT / "bench" / "cdc" / "Follow.java"), str(settings), str(events)],
            text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=3600)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        if done.returncode != 0:
            raise AssertionError(done.stderr[-3000:])
        told = json.loads(done.stdout.splitlines()[-1])
        return {"seconds": told["seconds"], "cpu": after.ru_utime + after.ru_stime -
                before.ru_utime - before.ru_stime}

    def measure(self):
        found = {}
        rivals = [] if "debezium" in self.options.without else ["debezium"]
        for what, count in (("snapshot", self.rows), ("changes", self.changes)):
            if what == "changes":
                self.change()
            found[what, "meesh"] = {"rows": count, **self.ours()}
            print(what, "meesh", found[what, "meesh"], flush=True)
            for _ in rivals:
                found[what, "debezium"] = {"rows": count,
                                           **self.debezium(count, what == "snapshot")}
                print(what, "debezium", found[what, "debezium"], flush=True)
        return found


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--scale", type=float, default=1.0)
    parser.add_argument("--without", default="")
    parser.add_argument("--folder")
    parser.add_argument("--json")
    parser.add_argument("--debezium", required=True)
    options = parser.parse_args()
    os.environ.setdefault("MEESH_BINARY", str(ROOT / "build" / "release" / "meesh"))
    options.debezium = str(Path(options.debezium).resolve())
    folder = Path(tempfile.mkdtemp(prefix="meesh-bench-", dir=options.folder))
    folder.chmod(0o755)
    bench = Bench(options, folder)
    try:
        bench.prepare()
        found = bench.measure()
        bench.check_ours()
        machine = report.machine(folder)
    finally:
        bench.meesh.stop()
        bench.postgres.remove()
        shutil.rmtree(folder, ignore_errors=True)
    report.table(["", "rows", "s", "rows / s", "processor s", "rows / processor s"], [
        [f"{what}, {who}", f"{run['rows']:,}", f"{run['seconds']:.1f}",
         f"{run['rows'] / run['seconds']:,.0f}", f"{run['cpu']:.1f}",
         f"{run['rows'] / run['cpu']:,.0f}"] for (what, who), run in found.items()])
    if options.json:
        Path(options.json).write_text(json.dumps({
            "machine": machine, "scale": options.scale,
            "results": [{"what": what, "engine": who, **run}
                        for (what, who), run in found.items()]}, indent=2))


if __name__ == "__main__":
    main()
