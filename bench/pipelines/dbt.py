#!/usr/bin/env python3
"""A dbt run of many small models on the lake: how much of its time is ours, how much is dbt's own?

    .venv/bin/python bench/pipelines/dbt.py [--models 200] [--threads 4] [--rounds 3]

Each model is an Iceberg table of a few rows that reads the one before it in its chain; the chains
run side by side. Ours are the seconds in which dbt's threads wait for a statement, from when we
take it to when it has ended, spread over the threads; the rest is dbt and the network.
Needs a release build (setup/build.sh release) or MEESH_BINARY.
"""
import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests"))
os.environ.setdefault("MEESH_BINARY", str(ROOT / "build" / "release" / "meesh"))

import trino  # noqa: E402

from support.meesh import Meesh, plain_mesh  # noqa: E402

CHAIN = 10


def write_project(folder, models, server, threads):
    (folder / "models").mkdir(parents=True)
    (folder / "dbt_project.yml").write_text(
        "name: bench\nprofile: bench\nflags: {send_anonymous_usage_stats: false}\n"
        "models: {+materialized: table, +on_table_exists: replace}\n")
    (folder / "profiles.yml").write_text(
        f"bench: {{target: t, outputs: {{t: {{type: trino, method: none, host: 127.0.0.1, "
        f"port: {server.port}, user: admin, database: lake, schema: bench, "
        f"threads: {threads}}}}}}}\n")
    for n in range(models):
        before = f"{{{{ ref('model_{n - 1}') }}}}" if n % CHAIN else "(VALUES 1, 2, 3) AS t (id)"
        (folder / "models" / f"model_{n}.sql").write_text(
            f"select id, {n} as model from {before}\n")


def ask(server, sql):
    connection = trino.dbapi.connect(host="127.0.0.1", port=server.port, user="bench")
    cursor = connection.cursor()
    cursor.execute(sql)
    return cursor.fetchall()


def cpu_seconds(pid):
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def dbt_run(project):
    started = time.monotonic()
    done = subprocess.run(
        [ROOT / ".deps/dbt/bin/dbt", "--quiet", "run", "--project-dir", project,
         "--profiles-dir", project], text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        cwd=project)
    if done.returncode:
        sys.exit(done.stdout)
    return time.monotonic() - started


def one_round(server, project, threads):
    before = ask(server, "SELECT current_timestamp")[0][0]
    cpu = cpu_seconds(server.process.pid)
    wall = dbt_run(project)
    cpu = cpu_seconds(server.process.pid) - cpu
    count, milliseconds = ask(server, f"""
        SELECT count(*), sum(date_diff('millisecond', created, "end"))
        FROM system.runtime.queries
        WHERE source LIKE 'dbt%' AND created >= TIMESTAMP '{before:%Y-%m-%d %H:%M:%S.%f} UTC'""")[0]
    waited = milliseconds / 1000 / threads
    print(f"{wall:7.2f} s wall, {count} statements: {waited:6.2f} s ours ({waited / wall:.0%}), "
          f"{milliseconds / count:.1f} ms each; {cpu:.2f} s of our CPU ({cpu / wall:.0%})",
          flush=True)
    return waited / wall


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--models", type=int, default=200)
    parser.add_argument("--threads", type=int, default=4)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="meesh-bench-") as folder:
        folder = Path(folder)
        server = Meesh(plain_mesh(folder / "mesh"), folder / "data").start()
        try:
            write_project(folder / "project", options.models, server, options.threads)
            print(f"{options.models} models, {options.threads} threads")
            shares = [one_round(server, folder / "project", options.threads)
                      for _ in range(options.rounds)]
            print(f"our share of the time, median: {statistics.median(shares):.0%} "
                  "(aim: under 20%)")
        finally:
            server.stop()


if __name__ == "__main__":
    main()
