#!/usr/bin/env python3
"""A dashboard of 20 charts over 10 million rows as Chromium shows it: from the click until every
chart in the window is drawn.

    bench/console/dashboard_browser.py --server http://localhost:8080 [--console URL] [--rows 10000000]

*cold*: a row was written since the last time, so that no kept answer counts. *cached*: nothing has
changed. *visit*: the page from its address, with what the browser has kept of the program.
Goals: cold 1000 ms, cached 100 ms.
"""
import argparse
import shutil
import statistics
import sys
from pathlib import Path
from urllib.parse import urlparse

import requests
import yaml
from playwright.sync_api import sync_playwright

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from report import table  # noqa: E402

TABLE = "lake.bench.dashboard_orders"
NAME = "bench-20-charts"

KINDS = ["number", "number_trend", "gauge", "bar", "line", "area", "stacked_bar", "donut", "heat_map", "horizontal_bar",
         "treemap", "pivot", "scatter", "stacked_area", "pareto", "rose", "table", "radar", "funnel", "percent_bar"]

QUERIES = {
    "number": "SELECT sum(revenue) AS revenue FROM {t}",
    "number_trend": "SELECT date_trunc('month', day) AS month, sum(revenue) AS revenue FROM {t} GROUP BY 1 ORDER BY 1",
    "gauge": "SELECT avg(revenue) AS revenue FROM {t}",
    "line": "SELECT date_trunc('month', day) AS month, country, sum(revenue) AS revenue FROM {t} GROUP BY 1, 2 ORDER BY 1",
    "area": "SELECT day, count(*) AS orders FROM {t} GROUP BY 1 ORDER BY 1",
    "stacked_area": "SELECT date_trunc('month', day) AS month, category, sum(revenue) AS revenue FROM {t} GROUP BY 1, 2 ORDER BY 1",
    "stacked_bar": "SELECT category, country, sum(revenue) AS revenue FROM {t} GROUP BY 1, 2 ORDER BY 1, 2",
    "percent_bar": "SELECT country, category, count(*) AS orders FROM {t} GROUP BY 1, 2 ORDER BY 1, 2",
    "heat_map": "SELECT country, category, avg(revenue) AS revenue FROM {t} GROUP BY 1, 2",
    "pivot": "SELECT country, category, sum(revenue) AS revenue FROM {t} GROUP BY 1, 2 ORDER BY 1, 2",
    "treemap": "SELECT category, country, sum(revenue) AS revenue FROM {t} GROUP BY 1, 2",
    "scatter": "SELECT sum(revenue) AS revenue, count(*) AS orders, country FROM {t} GROUP BY customer % 200, country",
    "table": "SELECT customer, count(*) AS orders, sum(revenue) AS revenue FROM {t} GROUP BY 1 ORDER BY 3 DESC LIMIT 100",
    "radar": "SELECT country, sum(revenue) AS revenue, count(*) AS orders, max(revenue) AS largest FROM {t} GROUP BY 1",
}
PLAIN = "SELECT {by} AS name, sum(revenue) AS revenue FROM {t} GROUP BY 1 ORDER BY 2 DESC"


def sql(server, statement):
    answer = requests.post(f"{server}/v1/statement", data=statement.encode(),
                           headers={"X-Trino-User": "bench"}).json()
    while "nextUri" in answer:
        answer = requests.get(server + urlparse(answer["nextUri"]).path).json()
    if "error" in answer:
        raise SystemExit(answer["error"]["message"])


def make(server, rows):
    sql(server, "CREATE SCHEMA IF NOT EXISTS lake.bench")
    sql(server, f"DROP TABLE IF EXISTS {TABLE}")
    sql(server, f"""CREATE TABLE {TABLE} AS
        SELECT n AS id, n * 7919 % 50000 AS customer, date_add('day', CAST(n % 730 AS integer), DATE '2024-01-01') AS day,
               element_at(ARRAY['France','Germany','Spain','Italy','Portugal','Belgium','Austria','Ireland'], CAST(1 + n * 31 % 8 AS integer)) AS country,
               element_at(ARRAY['Bicycles','Helmets','Lights','Locks','Bags','Tyres'], CAST(1 + n * 17 % 6 AS integer)) AS category,
               CAST(5 + n * 37 % 495 AS double) AS revenue
        FROM (SELECT a * 10000 + b AS n FROM UNNEST(sequence(0, {rows // 10000 - 1})) x(a)
              CROSS JOIN UNNEST(sequence(0, 9999)) y(b))""")


def store(server):
    charts, layout = [], []
    for i, kind in enumerate(KINDS):
        query = QUERIES.get(kind) or PLAIN.replace("{by}", ["country", "category", "day_of_week(day)"][i % 3])
        charts.append({"id": f"c{i}", "title": f"{kind.replace('_', ' ')} {i}", "kind": kind, "sql": query.format(t=TABLE)})
        layout.append({"id": f"c{i}", "x": i % 5 * 2, "y": i // 5 * 3, "w": 2, "h": 3})
    charts[2]["options"] = {"max": 500}
    text = yaml.safe_dump({"title": "Twenty charts", "charts": charts, "layout": layout}, sort_keys=False)
    told = requests.put(f"{server}/api/v1/dashboards/{NAME}", json={"yaml": text})
    if told.status_code == 404:
        told = requests.post(f"{server}/api/v1/dashboards", json={"name": NAME, "yaml": text})
    told.raise_for_status()


# Until all charts in the window are drawn, and that is painted; milliseconds.
DRAWN = """async (start) => {
  const frame = () => new Promise((done) => requestAnimationFrame(done))
  for (;;) {
    await frame()
    const tiles = [...document.querySelectorAll('[data-chart]')].filter((tile) => tile.getBoundingClientRect().top < innerHeight)
    const drawn = (tile) => tile.dataset.state === 'done' && tile.getAttribute('aria-busy') === 'false' &&
      tile.querySelector('canvas, table, [class*=value]')
    if (tiles.length && tiles.every(drawn)) break
    if (performance.now() - start > 60000) throw new Error('not drawn: ' + tiles.filter((tile) => !drawn(tile)).map((tile) => tile.dataset.chart))
  }
  await frame()
  return performance.now() - start
}"""
CLICKED = "async () => { const start = performance.now(); document.querySelector(\"[aria-label='Ask again now']\").click(); return (%s)(start) }" % DRAWN


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--server", required=True)
    parser.add_argument("--console", help="where the console is, if elsewhere")
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--runs", type=int, default=7)
    parser.add_argument("--keep", action="store_true", help="the table is there already")
    asked = parser.parse_args()
    if not asked.keep:
        make(asked.server, asked.rows)
    store(asked.server)
    times = {"cold": [], "cached": [], "visit": []}
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        context = browser.new_context(viewport={"width": 1680, "height": 1050}, locale="en")
        page = context.new_page()
        address = f"{asked.console or asked.server}/dashboards/{NAME}"
        page.goto(address)
        page.evaluate(DRAWN, 0)
        for run in range(asked.runs):
            sql(asked.server, f"INSERT INTO {TABLE} VALUES ({-run - 1}, 1, DATE '2024-01-01', 'France', 'Bags', 1e0)")
            page.wait_for_timeout(300)
            times["cold"].append(page.evaluate(CLICKED))
            page.wait_for_timeout(300)
            times["cached"].append(page.evaluate(CLICKED))
        for _ in range(asked.runs):
            page.goto(address, wait_until="commit")
            times["visit"].append(page.evaluate(DRAWN, 0))
        browser.close()
    table(["20 charts", "median ms", "least", "most"],
          [[name, *(f"{value:.0f}" for value in (statistics.median(list_), min(list_), max(list_)))]
           for name, list_ in times.items()])


if __name__ == "__main__":
    main()
