#!/usr/bin/env python3
"""Runs the comparison that run.sh prepares; see there."""
import argparse
import json
import os
import shutil
import signal
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
os.environ.setdefault("MEESH_BINARY", str(ROOT / "build" / "release" / "meesh"))
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "bench"), str(Path(__file__).parent)]

from contenders import DuckDB, Failure, Ours, Spark, Trino  # noqa: E402
from findings import Findings  # noqa: E402
from place import Place  # noqa: E402
from report import machine, table  # noqa: E402
from rows import ROWS  # noqa: E402

RIVALS = {"duckdb": DuckDB, "spark": Spark, "trino": Trino}


class Bench:
    """The running servers. The place runs before all contenders and ends after them."""

    def __init__(self, folder, without, heap):
        self.began = time.monotonic()
        self.findings = Findings(self.report)
        self.place = Place(folder)
        self.without, self.heap = without, heap
        self.contenders = []
        self.also = {}  # who takes part in one row alone, by key

    def report(self, line):
        print(f"{time.monotonic() - self.began:7.1f} s  {line}", flush=True)

    def start(self):
        self.place.start()
        self.place.prepare()
        made = {"meesh": Ours, "duckdb": DuckDB,
                "spark": lambda place: Spark(place, self.heap),
                "trino": lambda place: Trino(place, self.heap)}
        self.contenders = [make(self.place) for key, make in made.items()
                           if key not in self.without]
        for contender in self.contenders:
            contender.start()
            self.report(f"{contender.name} runs")

    def restart(self):
        """Each contender after it has started anew, one after the other."""
        for contender in self.contenders:
            contender.stop()
        self.place.stop()
        self.place.start()
        for contender in self.contenders:
            contender.start()
            yield contender

    def run_other(self, contender):
        """A query on a table that no row measures: connections, tokens and compilers are ready."""
        try:
            for _ in range(3):
                contender.run("SELECT count(*) FROM lake.bench.other WHERE n = 1")
        except Failure as failure:  # the row itself will tell
            self.report(f"  {contender.name}: {failure}")

    def stop(self):
        for contender in [*self.contenders, *self.also.values()]:
            contender.stop()
        self.place.stop()

    def peaks(self):
        return {c.name: c.peak / 1e6 for c in [*self.contenders, *self.also.values()]}


def shown_row(title, unit, medians, names):
    """Cells of a line: the numbers, then how many times better meesh is than each of the others."""
    ours = medians.get("meesh")

    def better(theirs):
        if not ours or not theirs:
            return "–"
        return f"{(ours / theirs if unit == 'MB/s' else theirs / ours):.2f}×"
    return [f"{title} ({unit})", *("–" if medians.get(n) is None else f"{medians[n]:,.1f}"
                                   for n in names),
            *(better(medians.get(n)) for n in names if n != "meesh" and "meesh" in names)]


def show(result, findings):
    names, options = result["contenders"], result["options"]
    lines = [shown_row(title, findings.units[title],
                       {n: findings.median(title, n) for n in names}, names)
             for title in findings.values]
    lines.append(shown_row("memory, peak", "MB", result["peak_mb"], names))
    told = result["machine"]
    print(f"\n{told['date']}, {told['cores']} cores ({told['cpu']}), {told['memory_gb']} GB, "
          f"{told['disk']}, load {told['load_before']:.1f} before; TPC-H scale {options['sf']:g}")
    print(f"medians of {options['rounds']} interleaved rounds after what warms up, of at least 5 "
          f"for many files, of {options['cold']} starts where cold;\nmemory is resident while a "
          "contender answers: meesh's holds the catalog and the objects of all\n")
    ratios = [f"meesh : {n}" for n in names if n != "meesh" and "meesh" in names]
    table(["", *names, *ratios], lines)
    if findings.notes or findings.reasons:
        print("\n" + "\n".join(findings.notes))
    for title, reasons in findings.reasons.items():
        for name, reason in reasons.items():
            print(f"– {title}: {name}: {reason}")


def arguments():
    parser = argparse.ArgumentParser(prog="bench/lake/run.sh")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--cold", type=int, default=3, help="starts, each for one cold query")
    parser.add_argument("--scale", type=float, default=1, help="of all that is counted below")
    parser.add_argument("--sf", type=float, help="TPC-H's scale factor (1)")
    parser.add_argument("--files", type=int, help="of the table of many files (10000)")
    parser.add_argument("--commits", type=int, help="of ten rows each (1000)")
    parser.add_argument("--merge-rows", type=int, help="of the table that is merged into (10 M)")
    parser.add_argument("--small-files", type=int, help="to be compacted, 5,000 rows each (1000)")
    parser.add_argument("--seconds", type=int, default=900, help="at most, of one's commits")
    parser.add_argument("--heap", default="4G", help="of Trino and of Spark")
    parser.add_argument("--only", default=",".join(ROWS), help="some of: " + ", ".join(ROWS))
    parser.add_argument("--without", default="", help="leave out: meesh, " + ", ".join(RIVALS))
    parser.add_argument("--folder", type=Path, help="on the disk to measure (default: build/bench)")
    parser.add_argument("--json", type=Path, help="write everything measured to this file")
    options = parser.parse_args()
    for name, whole, least in (("sf", 1.0, 0.001), ("files", 10_000, 10), ("commits", 1000, 10),
                               ("merge_rows", 10_000_000, 10_000), ("small_files", 1000, 10)):
        if getattr(options, name) is None:
            setattr(options, name, type(whole)(max(least, whole * options.scale)))
    options.only = list(filter(None, options.only.split(",")))
    options.without = set(filter(None, options.without.split(",")))
    if unknown := set(options.only) - set(ROWS):
        parser.error(f"--only knows {', '.join(ROWS)}, not {', '.join(unknown)}")
    if unknown := options.without - {"meesh", *RIVALS}:
        parser.error(f"--without knows meesh, {', '.join(RIVALS)}, not {', '.join(unknown)}")
    return options


def main():
    options = arguments()
    for key, rival in RIVALS.items():
        if key not in options.without and (reason := rival.why_not()):
            print(f"leaving {rival.name} out: {reason}")
            options.without.add(key)
    parent = options.folder or ROOT / "build" / "bench"
    parent.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix="lake-", dir=parent))
    bench = Bench(folder, options.without, options.heap)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended from outside"))
    try:
        result = {"machine": machine(folder),
                  "options": {name: value for name, value in vars(options).items()
                              if isinstance(value, (int, float, str, list))}}
        bench.start()
        findings = bench.findings
        try:
            for name in options.only:
                ROWS[name](bench, options)
        finally:  # an end before the last row does not take what was measured with it
            result |= {"peak_mb": bench.peaks(), "values": findings.values,
                       "units": findings.units, "reasons": findings.reasons,
                       "notes": findings.notes, "wrong": findings.wrong}
            result["contenders"] = list(result["peak_mb"])
            show(result, findings)
            if options.json:
                options.json.write_text(json.dumps(result, indent=1) + "\n")
    finally:
        bench.stop()
        shutil.rmtree(folder, ignore_errors=True)
    if findings.wrong:
        sys.exit("answers differ:\n" + "\n".join(findings.wrong))


if __name__ == "__main__":
    main()
