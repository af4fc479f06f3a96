#!/usr/bin/env python3
"""Runs the comparison that run.sh prepares; see there."""
import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
os.environ.setdefault("MEESH_BINARY", str(ROOT / "build" / "release" / "meesh"))
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "bench")]

from report import machine, table  # noqa: E402
from support import minio_server  # noqa: E402
from support.minio_server import MinioServer  # noqa: E402
from support.processes import memory, reset_peak  # noqa: E402
from support.s3 import Endpoint, Keys  # noqa: E402
from support.s3_server import LakeServer, lake_mesh  # noqa: E402

LOAD = Path(os.environ.get("OBJECTS_LOAD", ROOT / "build" / "release" / "objects_load"))
LOOPBACK = LOAD.with_name("objects_loopback")
KIB, MIB = 1 << 10, 1 << 20
FOLDER_LISTS = 10  # a listing of the folders alone is one page: too short to be timed by itself


@dataclass
class Row:
    """One measurement: `count` objects of `size` under `prefix`. `unit` names what is told."""
    name: str
    operation: str
    size: int
    count: int
    clients: int
    prefix: str
    unit: str = "op/s"

    def value(self, result):
        if self.unit == "MB/s":
            return result["bytes"] / 1e6 / result["seconds"]
        if self.unit == "keys/s":
            return result["keys"] / result["seconds"]
        return result["requests"] / result["seconds"]


def rows_of(scale):
    """What is done in each round, in order: what is read was put before, what was put is deleted."""
    rows = []
    for title, size, alone, crowd, unit in (("4 KiB", 4 * KIB, 500, 6000, "op/s"),
                                            ("1 MiB", MIB, 100, 400, "MB/s"),
                                            ("64 MiB", 64 * MIB, 6, 32, "MB/s")):
        for clients, count in ((1, alone), (32, crowd)):
            count = max(clients, int(count * scale))
            prefix = f"{size}-{clients}/"
            rows += [Row(f"PUT {title}, {clients} cl.", "put", size, count, clients, prefix, unit),
                     Row(f"GET {title}, {clients} cl.", "get", size, count, clients, prefix, unit)]
            if size == 4 * KIB and clients == 32:
                rows.append(Row("mixed 4 KiB, 32 cl.", "mixed", size, count, clients, prefix))
            name = f"DELETE {title}, {clients} cl." if size == 4 * KIB else ""
            rows.append(Row(name, "delete", size, count, clients, prefix))
    return rows


class Contender:
    def __init__(self, name, server, endpoint):
        self.name, self.server, self.endpoint = name, server, endpoint

    @property
    def pid(self):
        return self.server.process.pid

    def load(self, operation, bucket, count=0, size=0, clients=1, prefix="", delimiter=""):
        os.sync()  # what the load before left to the disk is not this one's burden
        result = subprocess.run(
            [str(LOAD), "--port", str(self.endpoint.port), "--bucket", bucket, "--operation",
             operation, "--count", str(count), "--size", str(size), "--clients", str(clients),
             "--prefix", prefix, "--delimiter", delimiter],
            env={**os.environ, "S3_ACCESS_KEY": self.endpoint.keys.access_key,
                 "S3_SECRET_KEY": self.endpoint.keys.secret_key},
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        if result.returncode != 0:
            sys.exit(f"{self.name}: {operation} failed: {result.stderr[:2000]}")
        return json.loads(result.stdout)


def start_meesh(folder):
    server = LakeServer(lake_mesh(folder / "mesh"), folder / "meesh-data").start()
    return Contender("meesh", server, server.endpoint())


def start_minio(folder):
    server = MinioServer(folder / "minio-data").start()
    return Contender("MinIO", server, Endpoint(
        server.url, Keys(server.access_key, server.secret_key), "minio"))


def measure(contenders, rows, rounds, report):
    """Interleaved: each row on each contender, in turn; one round before to warm up."""
    found = {row.name: {c.name: [] for c in contenders} for row in rows if row.name}
    details = []
    for turn in range(rounds + 1):
        for row in rows:
            for contender in contenders:
                result = contender.load(row.operation, "bench", row.count, row.size, row.clients,
                                        row.prefix)
                if turn and row.name:
                    found[row.name][contender.name].append(row.value(result))
                    details.append({"row": row.name, "contender": contender.name, "round": turn,
                                    **result})
        report(f"round {turn} of {rounds}" if turn else "warmed up")
    return found, details


def measure_lists(contenders, keys, rounds, report):
    """Listings of `keys` keys in folders of a thousand: every page, and the folders alone."""
    found = {name: {c.name: [] for c in contenders} for name in (
        "list flat", "list folders", "fill, 32 cl.")}
    for contender in contenders:
        report(f"filling {contender.name} with {keys:,} keys")
        result = contender.load("fill", "lists", keys, clients=32)
        found["fill, 32 cl."][contender.name].append(keys / result["seconds"])
    folders = (keys + 999) // 1000
    for turn in range(rounds + 1):
        for contender in contenders:
            flat = contender.load("list", "lists", 1)
            deep = contender.load("list", "lists", FOLDER_LISTS, delimiter="/")
            told = deep["keys"] // FOLDER_LISTS
            if (flat["keys"], told) != (keys, folders):
                sys.exit(f"{contender.name} lists {flat['keys']} keys and {told} folders, "
                         f"not {keys} and {folders}")
            if turn:
                found["list flat"][contender.name].append(keys / flat["seconds"])
                found["list folders"][contender.name].append(deep["keys"] / deep["seconds"])
        report(f"listing {turn} of {rounds}" if turn else "listings warmed up")
    return found


def loopback(clients, rounds):
    """MB/s that sockets of this machine carry from a cached file, without any server: the median."""
    found = []
    for _ in range(rounds):
        line = subprocess.run([str(LOOPBACK), str(clients), str(64 * MIB), str(max(1, 24 // clients))],
                              stdout=subprocess.PIPE, check=True).stdout
        result = json.loads(line)
        found.append(result["bytes"] / 1e6 / result["seconds"])
    return statistics.median(found)


def show(result):
    names = result["contenders"]
    both = {"meesh", "MinIO"} <= set(names)

    def row(title, unit, values, more_is_better=True):
        cells = [f"{values[n]:,.1f}" for n in names]
        if both:
            ours, theirs = values["meesh"], values["MinIO"]
            cells.append(f"{(ours / theirs if more_is_better else theirs / ours):.1f}×")
        return [f"{title} ({unit})", *cells]

    rows = [row(title, result["units"][title], {n: statistics.median(v) for n, v in values.items()})
            for title, values in result["values"].items()]
    rows.append(row("memory, idle", "MB", result["idle_mb"], False))
    rows.append(row("memory, peak", "MB", result["peak_mb"], False))
    machine_ = result["machine"]
    print(f"\n{machine_['date']}, {machine_['cores']} cores ({machine_['cpu']}), "
          f"{machine_['memory_gb']} GB, {machine_['disk']}, MinIO {machine_['minio']}, load "
          f"{machine_['load_before']:.1f} before; {result['keys']:,} keys listed")
    print(f"medians of {result['rounds']} interleaved rounds, every acknowledged object on the "
          "disk; memory is resident\n")
    for clients, speed in result["loopback"].items():
        print(f"the loopback itself carries {speed:,.0f} MB/s to {clients} clients")
    table(["", *names, *(["meesh is better by"] if both else [])], rows)


def main():
    parser = argparse.ArgumentParser(prog="bench/objects/run.sh")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--keys", type=int, default=1_000_000, help="in the listings; 0: none")
    parser.add_argument("--scale", type=float, default=1, help="of the numbers of objects")
    parser.add_argument("--folder", type=Path, help="on the disk to measure (default: build/bench)")
    parser.add_argument("--json", type=Path, help="write everything measured to this file")
    parser.add_argument("--without", default="", help="leave out: meesh, minio")
    options = parser.parse_args()
    starters = {"meesh": start_meesh, "minio": start_minio}
    without = set(filter(None, options.without.split(",")))
    if unknown := without - set(starters):
        parser.error(f"--without knows meesh and minio, not {', '.join(unknown)}")
    if "minio" not in without and (reason := minio_server.why_not()):
        print(f"leaving MinIO out: {reason}")
        without.add("minio")

    parent = options.folder or ROOT / "build" / "bench"
    parent.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix="objects-", dir=parent))
    contenders = []

    def report(line):
        print(line, flush=True)
    try:
        for starter in [start for name, start in starters.items() if name not in without]:
            contenders.append(starter(folder))
            for bucket in ("bench", "lists"):
                contenders[-1].endpoint.client().create_bucket(Bucket=bucket)
        result = {"machine": machine(folder, minio=minio_server.version()),
                  "rounds": options.rounds, "keys": options.keys,
                  "contenders": [c.name for c in contenders],
                  "idle_mb": {c.name: memory(c.pid)["VmRSS"] / 1e6 for c in contenders}}
        for contender in contenders:
            reset_peak(contender.pid)
        result["loopback"] = {n: loopback(n, options.rounds + 1) for n in (1, 32)}
        rows = rows_of(options.scale)
        result["values"], result["details"] = measure(contenders, rows, options.rounds, report)
        result["units"] = {row.name: row.unit for row in rows}
        if options.keys:
            result["values"] |= measure_lists(contenders, options.keys, options.rounds, report)
            result["units"] |= {"list flat": "keys/s", "list folders": "folders/s",
                                "fill, 32 cl.": "keys/s"}
        result["peak_mb"] = {c.name: memory(c.pid)["VmHWM"] / 1e6 for c in contenders}
        show(result)
        if options.json:
            options.json.write_text(json.dumps(result, indent=1) + "\n")
    finally:
        for contender in contenders:
            contender.server.stop()
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
