#!/usr/bin/env python3
"""A dashboard of 20 charts over 10 million rows of the lake, asked over HTTP: cold and kept, by 1 and
by 50 viewers.

    bench/console/dashboard_server.py [--rows 10000000] [--binary build/release/meesh]

Cold: after a commit, so that no answer is kept. Times are those of the whole answer, all 20 charts.
"""
import argparse
import json
import os
import shutil
import statistics
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests"))

import requests  # noqa: E402
import trino  # noqa: E402

TABLE = "lake.bench.sales"
DIMENSIONS = ["country", "category", "channel", "date_trunc('month', day)", "date_trunc('week', day)",
              "store", "day_of_week(day)", "discounted"]
METRICS = ["sum(amount)", "count(*)", "avg(amount)", "sum(quantity)", "max(amount)"]


def charts():
    made = []
    for i in range(20):
        dimension, metric = DIMENSIONS[i % len(DIMENSIONS)], METRICS[i % len(METRICS)]
        made.append({"id": f"c{i}", "kind": "bar",
                     "sql": f"SELECT {dimension} AS d, {metric} AS m FROM {TABLE} GROUP BY 1 ORDER BY 1"})
    return made


def load(server, rows):
    cursor = trino.dbapi.connect(host=server.host, port=server.port, user="bench").cursor()

    def run(statement):
        cursor.execute(statement)
        return cursor.fetchall()
    run("CREATE SCHEMA lake.bench")
    run(f"""CREATE TABLE {TABLE} AS
        SELECT 'C' || CAST(n % 40 AS varchar) AS country, 'K' || CAST(n % 12 AS varchar) AS category,
               'H' || CAST(n % 4 AS varchar) AS channel, n % 500 AS store, n % 7 = 0 AS discounted,
               date_add('day', CAST(n % 1095 AS integer), DATE '2023-01-01') AS day,
               CAST(n % 97 AS integer) AS quantity, CAST((n * 7919 % 100000) / 100.0 AS double) AS amount
        FROM (SELECT a.n * 10000 + b.n AS n
              FROM UNNEST(sequence(0, {rows // 10000 - 1})) AS a (n), UNNEST(sequence(0, 9999)) AS b (n))""")
    return run


def ask(url):
    begin = time.perf_counter()
    answer = requests.post(url, json={}, timeout=300)
    took = (time.perf_counter() - begin) * 1000
    lines = [json.loads(line) for line in answer.text.rstrip("\n").split("\n")]
    assert len(lines) == 20 and all("rows" in line for line in lines), answer.text[:500]
    return took, sum(line["cached"] for line in lines)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--binary", default=str(ROOT / "build" / "release" / "meesh"))
    parser.add_argument("--json", help="write the figures here as well")
    options = parser.parse_args()
    os.environ["MEESH_BINARY"] = options.binary
    from support.meesh import Meesh, plain_mesh, write_yaml
    folder = Path(tempfile.mkdtemp(prefix="meesh-bench-"))
    folder.chmod(0o755)
    server = Meesh(plain_mesh(folder / "mesh", lake={"location": "s3://lake"}), folder / "data")
    write_yaml(server.mesh / "dashboards" / "bench.yaml", {"title": "20 charts", "charts": charts()})
    figures = {"rows": options.rows}
    try:
        server.start()
        run = load(server, options.rows)
        url = f"{server.url}/api/v1/dashboards/bench/data"
        ask(url)  # the operating system has the files in memory then

        def commit():
            run(f"INSERT INTO {TABLE} SELECT * FROM {TABLE} LIMIT 1")
        for viewers in (1, 50):
            cold, kept = [], []
            with ThreadPoolExecutor(viewers) as pool:
                for _ in range(5):
                    commit()
                    cold.append(max(took for took, _ in pool.map(ask, [url] * viewers)))
                    told = list(pool.map(ask, [url] * viewers))
                    assert all(cached == 20 for _, cached in told)
                    kept.append(max(took for took, _ in told))
            for name, times in (("cold", cold), ("kept", kept)):
                figures[f"{name}_{viewers}_ms"] = round(statistics.median(times), 1)
                print(f"{viewers:3} viewers, {name}: {statistics.median(times):8.1f} ms for the last of them "
                      f"(of 5: {min(times):.0f} to {max(times):.0f})")
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)
    if options.json:
        Path(options.json).write_text(json.dumps(figures, indent=2) + "\n")


if __name__ == "__main__":
    main()
