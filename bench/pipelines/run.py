"""Pipelines measured: a thousand trivial assets, and the time from a launch to the start of its
step, on meesh and, beside it, on Dagster.

    bench/pipelines/run.sh [--assets N] [--launches N] [--without dagster] [--json FILE]
"""
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

import requests

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests"))
os.environ.setdefault("MEESH_BINARY", str(ROOT / "build" / "release" / "meesh"))

from support.meesh import Meesh, plain_mesh  # noqa: E402

DAGSTER_JOB = '''
import sys, time
from dagster import asset, define_asset_job, Definitions, AssetSelection

COUNT = {count}

def make(i):
    @asset(name=f"a{{i}}", deps=[] if i % 10 == 0 else [f"a{{i - 1}}"])
    def one():
        return None
    return one

defs = Definitions(assets=[make(i) for i in range(COUNT)],
                   jobs=[define_asset_job("all", AssetSelection.all())])
'''


def ended(server, run):
    while True:
        found = requests.get(f"{server}/api/v1/runs/{run}").json()
        if found["state"] not in ("queued", "running"):
            return found
        time.sleep(0.02)


def launch(server, pipeline):
    return requests.post(f"{server}/api/v1/pipelines/{pipeline}/runs", json={}).json()["id"]


def measure_meesh(folder, count, launches):
    mesh = plain_mesh(folder / "mesh")
    (mesh / "pipelines").mkdir()
    assets = "".join(
        f"  a{i}: {{ statement: SELECT 1"
        + ("" if i % 10 == 0 else f", depends_on: [a{i - 1}]") + " }\n" for i in range(count))
    (mesh / "pipelines" / "many.yaml").write_text(
        f"name: many\nconcurrency: 8\nassets:\n{assets}")
    (mesh / "pipelines" / "one.yaml").write_text(
        "name: one\nassets:\n  single: { statement: SELECT 1 }\n")
    meesh = Meesh(mesh, folder / "data").start()
    try:
        ended(meesh.url, launch(meesh.url, "one"))  # warm
        begin = time.monotonic()
        run = ended(meesh.url, launch(meesh.url, "many"))
        whole = time.monotonic() - begin
        assert run["state"] == "succeeded", run.get("error")
        waits = []
        for _ in range(launches):
            run = ended(meesh.url, launch(meesh.url, "one"))
            waits.append(run["steps"][0]["started_ms"] - run["created_ms"])
        return whole, waits
    finally:
        meesh.stop()


def measure_dagster(folder, count):
    """Seconds for one asset and for `count` of them, by Dagster's own command in one process (its
    quickest way; runs that its daemon launches start a process each)."""
    dagster = ROOT / ".deps" / "bench-pipelines" / "bin" / "dagster"
    in_process = folder / "in_process.yaml"
    in_process.write_text("execution: {config: {in_process: {}}}\n")
    seconds = []
    for number in (1, count):
        file = folder / f"job_{number}.py"
        file.write_text(DAGSTER_JOB.format(count=number))
        home = folder / f"home_{number}"
        home.mkdir()
        begin = time.monotonic()
        done = subprocess.run(
            [dagster, "job", "execute", "-f", file, "-j", "all", "-c", in_process],
            text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            env={**os.environ, "DAGSTER_HOME": str(home), "DAGSTER_DISABLE_TELEMETRY": "1"})
        if done.returncode != 0 or done.stdout.count("STEP_SUCCESS") != number:
            raise AssertionError(f"Dagster: {done.stdout[-2000:]}")
        seconds.append(time.monotonic() - begin)
    return seconds


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--assets", type=int, default=1000)
    parser.add_argument("--launches", type=int, default=50)
    parser.add_argument("--without", default="")
    parser.add_argument("--json")
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="meesh-bench-"))
    folder.chmod(0o755)
    result = {"assets": options.assets}
    try:
        whole, waits = measure_meesh(folder, options.assets, options.launches)
        result.update(meesh_seconds=whole, launch_to_start_ms_median=statistics.median(waits),
                      launch_to_start_ms_p95=sorted(waits)[int(len(waits) * 0.95)])
        print(f"meesh     {options.assets} assets      {whole:8.2f} s   (to reach: under 10 s)")
        print(f"meesh     launch to step start  median {statistics.median(waits):.0f} ms, "
              f"95 % {result['launch_to_start_ms_p95']} ms   (to reach: under 10 ms)")
        if "dagster" not in options.without:
            one, many = measure_dagster(folder, options.assets)
            result.update(dagster_one_seconds=one, dagster_seconds=many)
            print(f"Dagster   1 asset          {one:8.2f} s")
            print(f"Dagster   {options.assets} assets      {many:8.2f} s")
            print(f"ratio     {many / whole:.1f} times for {options.assets} assets")
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    if options.json:
        Path(options.json).write_text(json.dumps(result, indent=2) + "\n")


if __name__ == "__main__":
    main()
