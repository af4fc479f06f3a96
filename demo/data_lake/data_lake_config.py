#!/usr/bin/env python3
"""The data lake's configuration in one place; run, it makes the lake's folders.

    python data_lake_config.py

Feeds themselves stand in feeds/active/*.json of the mesh. The other scripts of this folder ask the
running mesh through the command `meesh`; environment variables say where things are:

    MEESH            the program (otherwise: `meesh` on the PATH, or the build beside the demo)
    MEESH_SERVER     the running server, http://127.0.0.1:8080 unless told
    DATA_LAKE_ROOT   the lake's folder, unless the server tells
"""
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

SERVER = os.environ.get("MEESH_SERVER", "http://127.0.0.1:8080")
FILE_FORMAT = "parquet"
COMPRESSION = "snappy"
STREAM_PARTITIONS = ["year", "month", "day"]
TABLE_PARTITIONS = ["version"]
DEFAULT_RETENTION_DAYS = 365  # of a new stream
DEFAULT_TABLE_VERSIONS = 7

STREAMS = {  # days that are kept
    "transaction_stream": 365,
    "transaction_flattened": 365,
    "transaction_stream_anonymized": 730,
    "transaction_stream_blacklisted": 365,
}
TABLES = {  # versions that are kept
    "user_transaction_summary": DEFAULT_TABLE_VERSIONS,
    "user_transaction_summary_eur": DEFAULT_TABLE_VERSIONS,
    "payment_method_totals": DEFAULT_TABLE_VERSIONS,
    "product_purchase_counts": DEFAULT_TABLE_VERSIONS,
}


def program():
    """The command that is asked."""
    if named := os.environ.get("MEESH"):
        return named
    if found := shutil.which("meesh"):
        return found
    root = Path(__file__).resolve().parents[2]
    for build in ("release", "dev"):
        if (built := root / "build" / build / "meesh").exists():
            return str(built)
    sys.exit("meesh is not found: put it on the PATH, or name it in MEESH")


def meesh_feed(*arguments, quiet=False):
    """Runs `meesh feed …`; with `quiet`, gives the finished process with its output."""
    command = [program(), "feed", arguments[0], "--server", SERVER, *map(str, arguments[1:])]
    if quiet:
        return subprocess.run(command, text=True, capture_output=True)
    return subprocess.run(command)


def told(*arguments):
    """The answer of `meesh feed … --json`; ends the script if it failed."""
    done = meesh_feed(*arguments, "--json", quiet=True)
    if done.returncode not in (0, 1) or not done.stdout.strip():
        sys.stderr.write(done.stderr)
        sys.exit(done.returncode or 1)
    return json.loads(done.stdout)


def root():
    """The lake's folder on this machine."""
    named = os.environ.get("DATA_LAKE_ROOT")
    return Path(named) if named else Path(told("list")["folder"])


def make_structure():
    """A folder a feed, with the feed's permissions; whether all files of feeds are good."""
    synced = told("sync")
    for error in synced["errors"]:
        print(error, file=sys.stderr)
    return not synced["errors"]


if __name__ == "__main__":
    good = make_structure()
    lake = root()
    for path in sorted(p for kind in ("streams", "tables", "feeds", "logs")
                       for p in [lake / kind, *(lake / kind).glob("*")] if p.is_dir()):
        print(path)
    sys.exit(0 if good else 1)
