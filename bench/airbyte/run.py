"""Records of Airbyte's protocol per second. See run.sh."""
import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "bench")]

import report  # noqa: E402
from support.meesh import Meesh, plain_mesh, write_yaml  # noqa: E402

EVERY = 10_000  # records between two states

# `cat` writes the messages: the connector itself costs next to nothing.
TAPE = r'''
import json, os, sys

SCHEMA = {"type": "object", "properties": {
    "id": {"type": "integer"}, "name": {"type": "string"}, "email": {"type": "string"},
    "telephone": {"type": "string"}, "title": {"type": "string"}, "age": {"type": "integer"},
    "gender": {"type": "string"}, "language": {"type": "string"}, "height": {"type": "string"},
    "weight": {"type": "integer"}, "occupation": {"type": "string"}, "score": {"type": "number"},
    "created_at": {"type": "string", "format": "date-time"},
    "updated_at": {"type": "string", "format": "date-time"}, "address": {"type": "object"}}}

def main():
    command = sys.argv[1]
    if command == "spec":
        print(json.dumps({"type": "SPEC", "spec": {"connectionSpecification": {"type": "object"}}}))
    elif command == "check":
        print(json.dumps({"type": "CONNECTION_STATUS", "connectionStatus": {"status": "SUCCEEDED"}}))
    elif command == "discover":
        print(json.dumps({"type": "CATALOG", "catalog": {"streams": [
            {"name": "users", "json_schema": SCHEMA, "source_defined_cursor": True,
             "supported_sync_modes": ["full_refresh", "incremental"]}]}}))
    else:
        config = json.load(open(sys.argv[sys.argv.index("--config") + 1]))
        os.execv("/bin/cat", ["cat", config["file"]])
'''


def record(i):
    """As source-faker's users: some 550 bytes."""
    return {"type": "RECORD", "record": {"stream": "users", "data": {
        "id": i, "name": f"Person {i}", "email": f"person{i}@example.com",
        "telephone": f"+41-{i:09d}", "title": "Dr.", "age": i % 90, "gender": "Other",
        "language": "Rumantsch", "height": "1.75", "weight": 40 + i % 60,
        "occupation": "Lighthouse keeper", "score": i / 7,
        "created_at": f"2024-{i % 12 + 1:02d}-{i % 28 + 1:02d}T10:11:12+00:00",
        "updated_at": f"2025-{i % 12 + 1:02d}-{i % 28 + 1:02d}T10:11:12.123456+00:00",
        "address": {"street_number": str(i % 300), "street_name": "Main Street", "city": "Bern",
                    "state": "Bern", "postal_code": f"{i % 10000:04d}", "country_code": "CH"}},
        "emitted_at": 1_700_000_000_000 + i}}


def write_tape(path, rows):
    with open(path, "w") as out:
        for i in range(1, rows + 1):
            out.write(json.dumps(record(i)) + "\n")
            if i % EVERY == 0 or i == rows:
                out.write(json.dumps({"type": "STATE", "state": {"type": "STREAM", "stream": {
                    "stream_descriptor": {"name": "users"}, "stream_state": {"next": i}}}}) + "\n")


def make_tape_connector(folder):
    place = folder / "source-tape-1.0"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", place], check=True)
    packages = next(place.glob("lib/python3*/site-packages"))
    (packages / "source_tape.py").write_text(TAPE)
    about = packages / "source_tape-1.0.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: source-tape\nVersion: 1.0\n")
    (about / "entry_points.txt").write_text("[console_scripts]\nsource-tape = source_tape:main\n")
    (place / "meesh-environment").write_text("source-tape-1.0\n")


def processor_seconds(pid):
    """User and system time of the process itself."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def run_once(meesh, mode, rows):
    before, begun = processor_seconds(meesh.process.pid), time.monotonic()
    done = meesh.run("ingest", "run", mode, "--full-refresh", "--server", meesh.url, timeout=3600)
    seconds = time.monotonic() - begun
    processor = processor_seconds(meesh.process.pid) - before
    assert done.returncode == 0 and f"{rows:,} rows" in done.stdout, done.stdout + done.stderr
    return seconds, processor


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=2_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    os.environ.setdefault("MEESH_BINARY", str(ROOT / "build" / "release" / "meesh"))
    folder = Path(tempfile.mkdtemp(prefix="meesh-bench-airbyte-", dir=options.folder))
    results = []
    try:
        tape = folder / "messages.jsonl"
        write_tape(tape, options.rows)
        connectors = folder / "connectors"
        connectors.mkdir()
        make_tape_connector(connectors)
        mesh = plain_mesh(folder / "mesh", lake={"location": "s3://lake",
                                                 "allowed_locations": ["s3://bronze"]})
        for mode in ("full_refresh", "incremental"):
            write_yaml(mesh / "sources" / f"{mode}.yaml", {
                "name": mode, "kind": "airbyte", "connector": "source-tape", "version": "1.0",
                "config": {"file": str(tape)},
                "tables": {"users": {"mode": mode, "into": f"users_{mode}"}}})
        facts = report.machine(folder, rows=options.rows, bytes=tape.stat().st_size)
        meesh = Meesh(mesh, folder / "data",
                      environment={"MEESH_CONNECTORS": str(connectors)}).start()
        try:
            for mode in ("full_refresh", "incremental"):
                runs = [run_once(meesh, mode, options.rows) for _ in range(options.rounds)]
                results.append({"mode": mode, "runs": runs,
                                "seconds": statistics.median(r[0] for r in runs),
                                "processor_seconds": statistics.median(r[1] for r in runs)})
        finally:
            meesh.stop()
        report.table(["mode", "records", "time", "processor", "records/s", "per processor-second"], [
            [r["mode"], f"{options.rows:,}", f"{r['seconds']:.1f} s",
             f"{r['processor_seconds']:.1f} s", f"{options.rows / r['seconds']:,.0f}",
             f"{options.rows / r['processor_seconds']:,.0f}"] for r in results])
        if options.json:
            options.json.write_text(json.dumps({**facts, "results": results}, indent=1) + "\n")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
