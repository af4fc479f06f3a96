#!/usr/bin/env python3
"""Runs the comparison that run.sh prepares; see there."""
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

import contenders  # noqa: E402
import data  # noqa: E402
from report import machine, table  # noqa: E402
from support.meesh import external, plain_mesh  # noqa: E402
from support.postgres import PostgresServer, programs  # noqa: E402
from support.trino_server import why_not  # noqa: E402

QUERY_A = (ROOT / "demo" / "queries" / "query_a.sql").read_text().rstrip().rstrip(";")
FIRST = "SELECT count(*) FROM marketing.public.campaigns"

# name: (statement, times in each round, columns whose values must agree)
QUERIES = {
    "SELECT 1": ("SELECT 1", 20, None),
    "selective aggregate": (
        "SELECT count(*), sum(total_amount), max(total_amount) FROM sales.public.orders "
        "WHERE customer_id BETWEEN 1000 AND 1999", 1, None),
    "full aggregate": (
        "SELECT count(*), sum(total_amount), min(total_amount), max(total_amount), "
        "count(DISTINCT customer_id) FROM sales.public.orders", 1, None),
    # Ten rows: with all of them the client, the same for both servers, would take most of the time.
    "query A": (QUERY_A + "\nLIMIT 10", 1, (2,)),
}


def megabytes(count):
    return count / 1e6


def starts(contender, times):
    """Milliseconds from the start of the process to the first answer from a database."""
    taken = []
    for turn in range(times):
        if turn:
            contender.stop()
        start = time.perf_counter()
        contender.start()
        contender.first_answer(FIRST)
        taken.append((time.perf_counter() - start) * 1000)
    return taken


def agree(name, columns, answers):
    """The contenders gave the same rows, in the columns where the order of equals cannot matter."""
    def shown(rows):
        chosen = [tuple(row[i] for i in columns) if columns else tuple(row) for row in rows]
        return sorted(chosen)
    [(first, rows), *others] = answers.items()
    for other, other_rows in others:
        if shown(rows) != shown(other_rows):
            sys.exit(f"{name}: {first} and {other} disagree:\n{rows[:3]}\n{other_rows[:3]}")


def measure(names, rounds, report):
    """Interleaved: every round runs every query on every contender, in turn."""
    times = {name: {c: [] for c in names} for name in QUERIES}
    for turn in range(rounds + 2):  # two rounds to warm up: Trino's compilers need them
        for name, (sql, repeat, columns) in QUERIES.items():
            answers = {}
            for title, contender in names.items():
                for _ in range(repeat):
                    ms, answers[title] = contender.run(sql)
                    if turn >= 2:
                        times[name][title].append(ms)
            agree(name, columns, answers)
        report(f"round {turn - 1} of {rounds}" if turn >= 2 else "warming up")
    return times


def show(result):
    names = result["contenders"]
    us = "meesh" if "meesh" in names else None
    ratios = [f"{n} ÷ meesh" for n in names if us and n != us]

    def row(title, values, unit):
        cells = [f"{values[n]:,.1f}" if n in values else "-" for n in names]
        if us and us in values:
            cells += [f"{values[n] / values[us]:.1f}" if n in values else "-"
                      for n in names if n != us]
        return [f"{title} ({unit})", *cells]

    rows = [row("start to first answer", {n: statistics.median(v) for n, v in
                                          result["start_ms"].items()}, "ms")]
    for query, times in result["query_ms"].items():
        rows.append(row(query, {n: statistics.median(v) for n, v in times.items()}, "ms"))
    rows.append(row("memory, idle", result["idle_mb"], "MB"))
    rows.append(row("memory, peak", result["peak_mb"], "MB"))
    machine_, counts = result["machine"], result["counts"]
    print(f"\n{machine_['date']}, {machine_['cores']} cores ({machine_['cpu']}), "
          f"{machine_['memory_gb']} GB, PostgreSQL {machine_['postgresql']}, "
          + ", ".join(f"{count:,} {name}" for name, count in counts.items()))
    print(f"medians of {result['rounds']} interleaved rounds; memory is resident\n")
    table(["", *names, *ratios], rows)


def main():
    parser = argparse.ArgumentParser(prog="bench/federation/run.sh")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--scale", type=float, default=1, help="1 is two million orders")
    parser.add_argument("--json", type=Path, help="write everything measured to this file")
    parser.add_argument("--without", default="", help="leave out: trino, duckdb, meesh")
    parser.add_argument("--heap", default="4G", help="Trino's heap")
    options = parser.parse_args()
    without = set(filter(None, options.without.split(",")))
    if unknown := without - {"trino", "duckdb", "meesh"}:
        parser.error(f"--without knows trino, duckdb and meesh, not {', '.join(unknown)}")
    if "trino" not in without and (reason := why_not()):
        print(f"leaving Trino out: {reason}")
        without.add("trino")

    folder = Path(tempfile.mkdtemp(prefix="meesh-bench-"))
    folder.chmod(0o755)
    databases = {name: PostgresServer(folder / f"postgres-{name}", f"{name}_db")
                 for name in ("sales", "marketing")}
    running = {}
    try:
        for server in databases.values():
            server.create().start()
        mesh = plain_mesh(folder / "mesh", {name: external(server)
                                            for name, server in databases.items()})
        counts = data.load(mesh, folder / "load-data", databases, options.scale)

        made = {"trino": lambda: contenders.Trino(folder, databases, options.heap),
                "duckdb": lambda: contenders.DuckDB(databases),
                "meesh": lambda: contenders.Ours(mesh, folder / "mesh-data")}
        result = {"machine": machine(folder, postgresql=programs().parent.name),
                  "counts": counts, "rounds": options.rounds, "start_ms": {}, "idle_mb": {}, "peak_mb": {}}
        for key in [k for k in made if k not in without]:
            contender = made[key]()
            running[contender.name] = contender
            print(f"starting {contender.name}", flush=True)
            result["start_ms"][contender.name] = starts(contender, 2 if key == "trino" else 5)
        time.sleep(5)  # what starts late and what is freed late, before "idle" is read
        for title, contender in running.items():
            result["idle_mb"][title] = megabytes(contenders.memory(contender.pid)["VmRSS"])
            contenders.reset_peak(contender.pid)
        result["query_ms"] = measure(running, options.rounds, lambda s: print(s, flush=True))
        for title, contender in running.items():
            result["peak_mb"][title] = megabytes(contenders.memory(contender.pid)["VmHWM"])
        result["contenders"] = list(running)
        show(result)
        if options.json:
            options.json.write_text(json.dumps(result, indent=1) + "\n")
    finally:
        for contender in running.values():
            contender.stop()
        for server in databases.values():
            server.stop()
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
