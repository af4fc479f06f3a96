#!/usr/bin/env python3
"""The dashboard of dashboard_browser.py in Apache Superset, which asks the same mesh over Trino's
protocol: what `meesh export superset` wrote, imported.

    bench/console/superset.py --server http://localhost:8080 --mesh FOLDER --binary build/release/meesh

Superset is the one of bench/console/requirements.txt (bench/venv.sh console) and runs as its
documentation says for a small installation: gunicorn, SQLite. *cold*: its cache is off. *cached*: answers are kept
for a day. From the moment the page is asked for until no chart waits.
"""
import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import zipfile
from pathlib import Path

import requests
from playwright.sync_api import sync_playwright

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
sys.path.insert(0, str(HERE))
from dashboard_browser import NAME, TABLE, sql, store  # noqa: E402
from report import table  # noqa: E402

PROGRAMS = HERE.parents[1] / ".deps" / "bench-console" / "bin"

CONFIG = """
import os
SECRET_KEY = os.environ["BENCH_SECRET"]
SQLALCHEMY_DATABASE_URI = "sqlite:///" + os.environ["BENCH_FOLDER"] + "/superset.db"
WTF_CSRF_ENABLED = False
TALISMAN_ENABLED = False
if os.environ["BENCH_CACHE"]:
    DATA_CACHE_CONFIG = {"CACHE_TYPE": "FileSystemCache", "CACHE_DEFAULT_TIMEOUT": 86400,
                         "CACHE_DIR": os.environ["BENCH_FOLDER"] + "/cache"}
else:
    DATA_CACHE_CONFIG = {"CACHE_TYPE": "NullCache"}
"""

# Superset marks charts that wait.
DRAWN = """() => document.querySelectorAll('.dashboard-chart').length >= %d &&
  !document.querySelector('.dashboard-chart [data-test="loading-indicator"]')"""


class Superset:
    def __init__(self, programs, folder, port):
        self.programs, self.folder, self.port, self.process = programs, folder, port, None
        (folder / "superset_config.py").write_text(CONFIG)

    def environment(self, cache=""):
        return {**os.environ, "SUPERSET_CONFIG_PATH": str(self.folder / "superset_config.py"),
                "SUPERSET_HOME": str(self.folder), "FLASK_APP": "superset.app:create_app()",
                "BENCH_FOLDER": str(self.folder), "BENCH_CACHE": cache,
                "BENCH_SECRET": "for this measurement alone, and for nothing else"}

    def run(self, *arguments):
        done = subprocess.run([self.programs / "superset", *arguments], env=self.environment(),
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        if done.returncode != 0:
            raise SystemExit(f"superset {arguments[0]}: {done.stdout[-2000:]}")

    def prepare(self, package):
        self.run("db", "upgrade")
        self.run("fab", "create-admin", "--username", "admin", "--firstname", "a", "--lastname", "b",
                 "--email", "a@example.org", "--password", "admin")
        self.run("init")
        self.run("import-dashboards", "-p", str(package), "-u", "admin")

    def start(self, cache):
        log = open(self.folder / "log", "ab")
        self.process = subprocess.Popen(
            [self.programs / "gunicorn", "-w", "2", "-k", "gthread", "--threads", "20", "--timeout", "120",
             "-b", f"127.0.0.1:{self.port}", "superset.app:create_app()"],
            env=self.environment("yes" if cache else ""), stdout=log, stderr=log)
        for _ in range(300):
            try:
                if requests.get(f"http://127.0.0.1:{self.port}/health", timeout=2).ok:
                    return
            except requests.RequestException:
                pass
            time.sleep(0.2)
        raise SystemExit(f"Superset did not start: {(self.folder / 'log').read_text()[-2000:]}")

    def stop(self):
        if self.process:
            self.process.terminate()
            self.process.wait()


def exported(asked, folder):
    """The ZIP that Superset imports: this dashboard alone."""
    out = folder / "out"
    port = asked.server.rsplit(":", 1)[1]
    subprocess.run([asked.binary, "export", "superset", "--mesh", asked.mesh, "--out", str(out), "--host",
                    "127.0.0.1", "--port", port], check=True, stdout=subprocess.DEVNULL)
    package = folder / "meesh.zip"
    with zipfile.ZipFile(package, "w") as archive:
        for file in sorted(out.rglob("*.yaml")):
            if file.parts[len(out.parts)] in ("dashboards", "charts", "datasets") and not file.name.startswith(NAME):
                continue
            archive.write(file, file.relative_to(folder))
    return package


def visit(page, address, charts):
    begin = time.perf_counter()
    page.goto(address, wait_until="commit")
    page.wait_for_function(DRAWN % charts, timeout=120_000, polling=20)
    return (time.perf_counter() - begin) * 1000


def measured(superset, asked, cache, charts):
    times = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1680, "height": 3200})
        page.goto(f"http://127.0.0.1:{superset.port}/login/")
        page.fill("input#username", "admin")
        page.fill("input#password", "admin")
        page.keyboard.press("Enter")
        page.wait_for_url("**/superset/welcome/**")
        address = f"http://127.0.0.1:{superset.port}/superset/dashboard/meesh-{NAME}/"
        visit(page, address, charts)
        for run in range(asked.runs):
            if not cache:
                sql(asked.server, f"INSERT INTO {TABLE} VALUES ({-run - 1}, 1, DATE '2024-01-01', 'France', 'Bags', 1e0)")
            times.append(visit(page, address, charts))
        failed = page.locator('.ant-alert-error, [role="alert"]:has-text("error")').count()
        if asked.picture:
            page.screenshot(path=asked.picture)
        browser.close()
    return times, failed


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--server", required=True)
    parser.add_argument("--mesh", required=True, help="the folder that the server runs on")
    parser.add_argument("--binary", default="build/release/meesh")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--port", type=int, default=18088)
    parser.add_argument("--programs", type=Path, default=PROGRAMS, help="where Superset's are")
    parser.add_argument("--picture", help="a file for what the browser showed")
    asked = parser.parse_args()
    store(asked.server)
    folder = Path(tempfile.mkdtemp(prefix="superset-bench-"))
    rows = []
    try:
        superset = Superset(asked.programs, folder, asked.port)
        superset.prepare(exported(asked, folder))
        for name, cache in (("cold", False), ("cached", True)):
            superset.start(cache)
            try:
                times, failed = measured(superset, asked, cache, 20)
            finally:
                superset.stop()
            rows.append([name, *(f"{value:.0f}" for value in (statistics.median(times), min(times), max(times))), failed])
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    table(["Superset", "median ms", "least", "most", "charts that failed"], rows)


if __name__ == "__main__":
    main()
