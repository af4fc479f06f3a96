"""Pipelines of a running server: from their files over the command line and HTTP to tables, files
and logs."""
import json
import os
import signal
import subprocess
import zipfile

import requests
import trino

from support.iceberg import python_catalog
from support.meesh import binary, plain_mesh
from support.pipelines import ended, rows, run, run_json, states, write
from support.processes import wait_until
from support.s3_server import LakeServer, lake_mesh


ORDERS = """
name: orders
parameters: { least: "2" }
assets:
  seed:
    statement: |
      CREATE SCHEMA IF NOT EXISTS lake.bronze;
      CREATE SCHEMA IF NOT EXISTS lake.silver;
      CREATE SCHEMA IF NOT EXISTS lake.gold;
      CREATE TABLE IF NOT EXISTS lake.bronze.orders AS
        SELECT * FROM (VALUES (1, 'a'), (2, 'b'), (3, 'c')) AS t(id, name)
  lake.silver.orders: { sql: orders/silver.sql, depends_on: [seed] }
  lake.gold.count: { sql: orders/gold.sql, tags: [nightly] }
  file: { export: lake.silver.orders, to: "exports/orders-{{ run_date }}.csv" }
  parquet: { export: "SELECT id FROM lake.silver.orders", to: s3://out/orders.parquet }
  tidy: { maintenance: lake.silver.orders, do: [optimize, analyze] }
"""


def orders_mesh(folder):
    mesh = plain_mesh(folder / "mesh", storage={"buckets": {"out": {}}})
    write(mesh, orders=ORDERS)
    sql = mesh / "pipelines" / "orders"
    sql.mkdir()
    (sql / "silver.sql").write_text(
        "SELECT id, name FROM lake.bronze.orders WHERE id >= {{ least }}\n")
    (sql / "gold.sql").write_text("SELECT count(*) AS n FROM lake.silver.orders\n")
    return mesh


def test_from_sql_to_tables_and_files(folder, start_meesh):
    meesh = start_meesh(orders_mesh(folder), folder / "data")
    code, done = run_json(meesh, "run", "orders", "--run-date", "2025-01-15")
    assert (code, done["state"]) == (0, "succeeded"), json.dumps(done, indent=1)
    assert set(states(done).values()) == {"succeeded"}
    assert rows(meesh, "SELECT n FROM lake.gold.count") == [[2]]
    text = (meesh.mesh / "data" / "exports" / "orders-2025-01-15.csv").read_text()
    assert text.splitlines()[0] == '"id","name"'
    assert sorted(text.splitlines()[1:]) == ['"2","b"', '"3","c"'] or \
        sorted(text.splitlines()[1:]) == ['2,b', '3,c']
    # From the SQL alone: gold after silver.
    graph = requests.get(f"{meesh.url}/api/v1/pipelines/orders").json()["graph"]
    needs = {node["name"]: node["needs"] for node in graph}
    assert needs["lake.gold.count"] == ["lake.silver.orders"]
    assert needs["file"] == ["lake.silver.orders"]

    code, done = run_json(meesh, "run", "orders", "--param", "least=3", "--select",
                          "lake.silver.orders+", "--exclude", "tidy")
    assert code == 0
    assert set(states(done)) == {"lake.silver.orders", "lake.gold.count", "file", "parquet"}
    assert rows(meesh, "SELECT n FROM lake.gold.count") == [[1]]
    assert "lake.gold.count" in run(meesh, "assets").stdout
    log = run(meesh, "logs", done["id"], "lake.gold.count").stdout
    assert "started" in log and "succeeded" in log and "parquet" not in log
    assert run(meesh, "runs", "--state", "failed").stdout.count("\n") == 1


def test_mistakes_have_file_and_line(folder, start_meesh):
    mesh = orders_mesh(folder)
    (mesh / "pipelines" / "orders" / "gold.sql").write_text(
        "SELECT count(*) AS n\nFROM lake.silver.orders JOIN lake.gold.count USING (n),\n"
        "lake.bronze.missing\n")
    write(mesh, other="name: other\nassets:\n"
                      "  lake.gold.x: { sql: orders/x.sql }\n"
                      "  lake.gold.y: { sql: orders/y.sql, depends_on: [nobody] }\n")
    (mesh / "pipelines" / "orders" / "x.sql").write_text("SELECT *\nFROM lake.gold.y")
    (mesh / "pipelines" / "orders" / "y.sql").write_text("SELECT 1 AS a,\nb FROM lake.gold.x")
    started = subprocess.run([str(binary()), "serve", "--mesh", str(mesh), "--data",
                              str(folder / "data"), "--port", "0"], text=True, timeout=60,
                             capture_output=True)
    told = started.stdout + started.stderr
    assert started.returncode != 0
    assert "other.yaml:4:" in told and "'nobody'" in told
    assert "x.sql:2:6" in told or "y.sql:2:8" in told
    assert "lake.gold.x → lake.gold.y → lake.gold.x" in told

    (mesh / "pipelines" / "other.yaml").unlink()
    meesh = start_meesh(mesh, folder / "data")
    refused = run(meesh, "run", "orders")
    assert refused.returncode != 0
    assert "gold.sql:3:1" in refused.stderr and "lake.bronze.missing" in refused.stderr


def test_a_changed_file_counts_at_the_next_run(folder, start_meesh):
    mesh = plain_mesh(folder / "mesh")
    write(mesh, p="name: p\nassets:\n  one: { statement: SELECT 1 }\n")
    meesh = start_meesh(mesh, folder / "data")
    assert run(meesh, "run", "p").returncode == 0
    write(mesh, p="name: p\nassets:\n  one: { statement: SELEC 1 }\n")
    refused = run(meesh, "run", "p")
    assert refused.returncode != 0 and "p.yaml:3:" in refused.stderr
    write(mesh, p="name: p\nassets:\n  one: { statement: SELECT 1 }\n"
                  "  two: { statement: SELECT 2 }\n")
    code, done = run_json(meesh, "run", "p")
    assert code == 0 and set(states(done)) == {"one", "two"}


def test_failures_retries_and_reruns(folder, start_meesh):
    mesh = plain_mesh(folder / "mesh")
    write(mesh, p="""
name: p
retries: { attempts: 3, delay: 10ms }
assets:
  flaky: { python: flaky.py }
  after: { statement: SELECT 1, depends_on: [flaky] }
  other: { statement: SELECT 1 }
""")
    script = mesh / "pipelines" / "flaky.py"
    counter = folder / "count"
    script.write_text(f"""
import os, sys
with open({str(counter)!r}, "a") as file:
    file.write(os.environ["MEESH_ATTEMPT"])
print("attempt", os.environ["MEESH_ATTEMPT"], "of", os.environ["MEESH_STEP"])
sys.exit(3)
""")
    meesh = start_meesh(mesh, folder / "data")
    code, done = run_json(meesh, "run", "p")
    assert code == 1
    assert states(done) == {"flaky": "failed", "after": "upstream_failed", "other": "succeeded"}
    assert counter.read_text() == "123"
    assert "exit code 3" in done["steps"][0]["error"] or \
        "exit code 3" in json.dumps(done["steps"])
    assert "attempt 2 of flaky" in run(meesh, "logs", done["id"], "flaky").stdout

    script.write_text("""
import json, os
json.dump({"rows": 5, "message": "mended", "metadata": {"x": 1}}, open(os.environ["MEESH_RESULT"], "w"))
""")
    wrong = run(meesh, "run", "--rerun", done["id"], "--full-refresh")
    assert wrong.returncode != 0 and "--rerun repeats" in wrong.stderr
    code, again = run_json(meesh, "run", "--rerun", done["id"])
    assert code == 0
    assert set(states(again)) == {"flaky", "after"}
    flaky = next(step for step in again["steps"] if step["name"] == "flaky")
    assert (flaky["rows"], flaky["message"]) == (5, "mended")


def test_python_sees_what_it_is_given_and_no_more(folder, start_meesh):
    mesh = plain_mesh(folder / "mesh")
    write(mesh, p="""
name: p
parameters: { size: large }
assets:
  script: { python: look.py, arguments: [one], environment: { TOKEN: "${SECRET_TOKEN}" } }
""")
    (mesh / "pipelines" / "look.py").write_text("""
import os, sys, urllib.request
assert os.environ["MEESH_PARAM_SIZE"] == "large"
assert os.environ["MEESH_PARAM_RUN_DATE"] == "2025-01-15"
assert os.environ["TOKEN"] == "hush"
assert "SECRET_TOKEN" not in os.environ
assert sys.argv[1] == "one"
assert sys.prefix != sys.base_prefix
urllib.request.urlopen(os.environ["MEESH_URL"] + "/v1/info").read()
""")
    meesh = start_meesh(mesh, folder / "data", environment={"SECRET_TOKEN": "hush"})
    answer = run(meesh, "run", "p", "--run-date", "2025-01-15")
    assert answer.returncode == 0, answer.stdout + run(
        meesh, "logs", answer.stdout.split()[1]).stdout


def test_a_script_ends_with_all_it_started(folder, start_meesh):
    mesh = plain_mesh(folder / "mesh")
    write(mesh, p="name: p\nassets:\n  s: { python: s.py, timeout: 3s }\n")
    mark = folder / "started"
    (mesh / "pipelines" / "s.py").write_text(f"""
import subprocess, time
child = subprocess.Popen(["sleep", "600"])
open({str(mark)!r}, "w").write(str(child.pid))
time.sleep(600)
""")
    meesh = start_meesh(mesh, folder / "data")
    code, done = run_json(meesh, "run", "p")
    assert code == 1 and "timeout" in done["steps"][0]["error"]
    child = int(mark.read_text())
    wait_until(lambda: not os.path.exists(f"/proc/{child}") or
               open(f"/proc/{child}/stat").read().split()[2] == "Z", 10, "the child's end")


def test_ctrl_c_cancels_the_run(folder, start_meesh):
    mesh = plain_mesh(folder / "mesh")
    write(mesh, p="name: p\nassets:\n  s: { python: s.py }\n"
                  "  t: { statement: SELECT 1, depends_on: [s] }\n")
    mark = folder / "started"
    (mesh / "pipelines" / "s.py").write_text(
        f"import time\nopen({str(mark)!r}, 'w').close()\ntime.sleep(600)\n")
    meesh = start_meesh(mesh, folder / "data")
    watching = subprocess.Popen([str(binary()), "run", "p", "--server", meesh.url], text=True,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    wait_until(mark.exists, 30, "the script's start")
    watching.send_signal(signal.SIGINT)
    assert watching.wait(30) == 130
    found = requests.get(f"{meesh.url}/api/v1/runs").json()["runs"][0]
    assert found["state"] == "canceled"
    watching.stdout.close()
    watching.stderr.close()


def test_a_killed_server_goes_on(folder, start_meesh):
    mesh = plain_mesh(folder / "mesh")
    write(mesh, p="""
name: p
assets:
  first: { python: first.py }
  second: { python: second.py, depends_on: [first] }
  third: { statement: SELECT 1, depends_on: [second] }
""")
    ran, door = folder / "ran", folder / "door"
    (mesh / "pipelines" / "first.py").write_text(f"open({str(ran)!r}, 'a').write('1')\n")
    (mesh / "pipelines" / "second.py").write_text(f"""
import os, time
open({str(ran)!r}, 'a').write('2')
while not os.path.exists({str(door)!r}): time.sleep(0.05)
""")
    meesh = start_meesh(mesh, folder / "data")
    id = run(meesh, "run", "p", "--detach").stdout.strip()
    wait_until(lambda: ran.exists() and ran.read_text() == "12", 60, "the second step")
    meesh.kill()
    door.touch()
    meesh = start_meesh(mesh, folder / "data")
    done = ended(meesh, id)
    assert done["state"] == "succeeded"
    assert ran.read_text() == "122"  # what had succeeded was not repeated


def test_logs_are_followed_to_the_end(folder, start_meesh):
    mesh = plain_mesh(folder / "mesh")
    write(mesh, p="name: p\nassets:\n  s: { python: s.py }\n")
    door = folder / "door"
    (mesh / "pipelines" / "s.py").write_text(f"""
import os, time
print("before")
while not os.path.exists({str(door)!r}): time.sleep(0.05)
print("after")
""")
    meesh = start_meesh(mesh, folder / "data")
    id = run(meesh, "run", "p", "--detach").stdout.strip()
    following = subprocess.Popen([str(binary()), "logs", id, "-f", "--server", meesh.url],
                                 text=True, stdout=subprocess.PIPE)
    for line in following.stdout:
        if "before" in line:
            break
    door.touch()
    rest = following.stdout.read()
    assert "after" in rest and "succeeded" in rest
    assert following.wait(10) == 0
    following.stdout.close()


def test_a_backfill_fills_its_partitions(folder, start_meesh):
    mesh = plain_mesh(folder / "mesh")
    write(mesh, p="""
name: p
partitions: { by: day, from: "2025-01-01" }
assets:
  lake.silver.days:
    statement: INSERT INTO lake.silver.days VALUES DATE '{{ run_date }}'
""")
    meesh = start_meesh(mesh, folder / "data")
    rows(meesh, "CREATE SCHEMA lake.silver")
    rows(meesh, "CREATE TABLE lake.silver.days (d date)")
    answer = run(meesh, "backfill", "p", "--from", "2025-01-30", "--to", "2025-02-02",
                 "--concurrency", "2")
    assert answer.returncode == 0, answer.stdout + answer.stderr
    days = rows(meesh, "SELECT CAST(d AS varchar) FROM lake.silver.days ORDER BY 1")
    assert days == [["2025-01-30"], ["2025-01-31"], ["2025-02-01"], ["2025-02-02"]]
    wrong = run(meesh, "backfill", "p", "--from", "2024-12-30", "--to", "2025-01-02")
    assert wrong.returncode != 0 and "before the first one" in wrong.stderr


def test_a_new_snapshot_upstream_begins_a_run(folder, start_meesh):
    mesh = plain_mesh(folder / "mesh")
    write(mesh, p="name: p\nschedule: { on: upstream }\nassets:\n"
                  "  lake.silver.copy: { sql: copy.sql }\n")
    (mesh / "pipelines" / "copy.sql").write_text("SELECT max(n) AS n FROM lake.bronze.source")
    meesh = start_meesh(mesh, folder / "data")
    rows(meesh, "CREATE SCHEMA lake.silver")
    rows(meesh, "CREATE SCHEMA lake.bronze")
    rows(meesh, "CREATE TABLE lake.bronze.source AS SELECT 1 AS n")

    def copied(value):
        try:
            return rows(meesh, "SELECT n FROM lake.silver.copy") == [[value]]
        except trino.exceptions.TrinoUserError:
            return False

    wait_until(lambda: copied(1), 90, "the first copy", every=0.2)
    rows(meesh, "INSERT INTO lake.bronze.source VALUES 2")
    wait_until(lambda: copied(2), 90, "the second copy", every=0.2)


def test_schedules_are_listed_and_paused(folder, start_meesh):
    mesh = plain_mesh(folder / "mesh")
    write(mesh, p="name: p\nschedule: { cron: \"30 2 * * *\", timezone: Europe/Paris }\nassets:\n"
                  "  s: { statement: SELECT 1 }\n")
    meesh = start_meesh(mesh, folder / "data")
    assert run(meesh, "schedule", "next", "p", "-n", "3").stdout.count("\n") == 4
    assert run(meesh, "schedule", "pause", "p").returncode == 0
    found = requests.get(f"{meesh.url}/api/v1/schedules").json()["schedules"][0]
    assert found["paused"] and found["next_ms"] == []
    assert run(meesh, "schedule", "resume", "p").returncode == 0
    assert run(meesh, "schedule", "pause", "q").returncode != 0


def test_a_thousand_assets_of_which_a_tenth_fail(folder, start_meesh):
    mesh = plain_mesh(folder / "mesh")
    lines = ["name: big", "concurrency: 8", "assets:"]
    for i in range(1000):
        sql = "SELECT 1 / 0" if i % 10 == 3 else "SELECT 1"
        needs = "" if i % 7 == 0 else f", depends_on: [a{i - 1}]"
        lines.append(f"  a{i}: {{ statement: {sql}{needs} }}")
    write(mesh, big="\n".join(lines) + "\n")
    fine = {}
    for i in range(1000):
        fine[i] = i % 7 == 0 or (fine[i - 1] and (i - 1) % 10 != 3)
    meesh = start_meesh(mesh, folder / "data")
    code, done = run_json(meesh, "run", "big")
    assert code == 1
    found = states(done)
    for i in range(1000):
        expected = ("upstream_failed" if not fine[i] else
                    "failed" if i % 10 == 3 else "succeeded")
        assert found[f"a{i}"] == expected, i


def test_a_commit_of_another_engine_begins_a_run(folder):
    """PyIceberg's commit comes through the catalog's REST API. Without a word of it, the scheduler
    would look after a minute."""
    import pyarrow as pa
    mesh = lake_mesh(folder / "mesh")
    write(mesh, p="name: p\nschedule: { on: upstream }\nassets:\n"
                  "  lake.silver.copy: { sql: copy.sql }\n")
    (mesh / "pipelines" / "copy.sql").write_text("SELECT max(n) AS n FROM lake.bronze.source")
    meesh = LakeServer(mesh, folder / "data").start()
    try:
        catalog = python_catalog(meesh)
        catalog.create_namespace("bronze")
        data = pa.table({"n": pa.array([1], pa.int64())})
        table = catalog.create_table(("bronze", "source"), data.schema)

        def copied(value):
            try:
                return rows(meesh, "SELECT n FROM lake.silver.copy") == [[value]]
            except trino.exceptions.TrinoUserError:
                return False

        table.append(data)
        wait_until(lambda: copied(1), 90, "the first copy", every=0.2)
        table.append(pa.table({"n": pa.array([2], pa.int64())}))
        wait_until(lambda: copied(2), 30, "the second copy", every=0.2)
    finally:
        meesh.stop()


def test_what_checks_compare_with_comes_first(folder, start_meesh):
    mesh = plain_mesh(folder / "mesh")
    write(mesh, p="""
name: p
assets:
  lake.silver.lines:
    sql: "SELECT 1 AS customer, 5 AS amount"
    checks:
      - { kind: relationships, column: customer, to: lake.silver.customers.id }
      - { kind: expression, sql: "amount <= (SELECT max(most) FROM lake.silver.limits)" }
      - { kind: sql, sql: "SELECT * FROM {{ table }} JOIN lake.silver.forbidden USING (customer)" }
  lake.silver.customers: { sql: "SELECT 1 AS id" }
  lake.silver.limits: { sql: "SELECT 9 AS most" }
  lake.silver.forbidden: { sql: "SELECT 2 AS customer" }
  audit:
    check: lake.silver.customers
    checks:
      - { kind: relationships, column: id, to: lake.silver.lines.customer }
""")
    meesh = start_meesh(mesh, folder / "data")
    graph = requests.get(f"{meesh.url}/api/v1/pipelines/p").json()["graph"]
    needs = {node["name"]: sorted(node["needs"]) for node in graph}
    assert needs["lake.silver.lines"] == [
        "lake.silver.customers", "lake.silver.forbidden", "lake.silver.limits"]
    assert needs["audit"] == ["lake.silver.customers", "lake.silver.lines"]
    code, done = run_json(meesh, "run", "p")
    assert code == 0, json.dumps(done, indent=1)


def test_full_refresh_makes_incremental_models_anew(folder, start_meesh):
    mesh = plain_mesh(folder / "mesh")
    write(mesh, p="""
name: p
assets:
  lake.silver.events: { sql: "SELECT 1 AS n", materialized: incremental, strategy: append }
""")
    meesh = start_meesh(mesh, folder / "data")
    for expected in (1, 2):
        assert run(meesh, "run", "p").returncode == 0
        assert rows(meesh, "SELECT count(*) FROM lake.silver.events") == [[expected]]
    answer = run(meesh, "run", "p", "--full-refresh")
    assert answer.returncode == 0, answer.stderr
    assert rows(meesh, "SELECT count(*) FROM lake.silver.events") == [[1]]
    wrong = run(meesh, "run", "p", "--param", "full_refresh=perhaps")
    assert wrong.returncode != 0 and "true or false" in wrong.stderr


def wheel(folder, name, text):
    """A package of one module, as pip installs it without asking anybody."""
    file = folder / f"{name}-1.0-py3-none-any.whl"
    info = f"{name}-1.0.dist-info"
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr(f"{name}.py", text)
        archive.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        archive.writestr(f"{info}/WHEEL",
                         "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\n"
                         "Tag: py3-none-any\n")
        archive.writestr(f"{info}/RECORD", f"{name}.py,,\n{info}/METADATA,,\n{info}/WHEEL,,\n"
                                           f"{info}/RECORD,,\n")
    return file


def test_a_script_has_the_packages_it_requires(folder, start_meesh):
    mesh = plain_mesh(folder / "mesh")
    package = wheel(folder, "meesh_words", "WORD = 'mesh'\n")
    write(mesh, p=f"""
name: p
assets:
  with: {{ python: with.py, requirements: ["{package}"] }}
  again: {{ python: with.py, requirements_file: requirements.txt, depends_on: [with] }}
  without: {{ python: without.py }}
  wrong: {{ python: without.py, requirements: ["{folder}/nothing-1.0-py3-none-any.whl"] }}
""")
    pipelines = mesh / "pipelines"
    (pipelines / "requirements.txt").write_text(f"{package}")
    (pipelines / "with.py").write_text("import meesh_words\nprint(meesh_words.WORD)\n")
    (pipelines / "without.py").write_text(
        "import importlib.util\nassert importlib.util.find_spec('meesh_words') is None\n")
    meesh = start_meesh(mesh, folder / "data")
    code, done = run_json(meesh, "run", "p")
    found = states(done)
    assert found == {"with": "succeeded", "again": "succeeded", "without": "succeeded",
                     "wrong": "failed"}, run(meesh, "logs", done["id"]).stdout
    wrong = next(step for step in done["steps"] if step["name"] == "wrong")
    assert "Python environment could not be made" in wrong["error"]
    assert "nothing-1.0" in run(meesh, "logs", done["id"], "wrong").stdout
    # One environment for the same requirements, one without any; what failed is not taken for one.
    assert len([e for e in (folder / "data" / "python").glob("*/ready")]) == 2


def test_a_notebook_runs_as_a_script(folder, start_meesh):
    mesh = plain_mesh(folder / "mesh")
    write(mesh, p="""
name: p
assets:
  good: { python: good.ipynb, arguments: [five] }
  bad: { python: bad.ipynb }
""")

    def notebook(name, *cells):
        (mesh / "pipelines" / name).write_text(json.dumps({
            "nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": [
                {"cell_type": "markdown", "metadata": {}, "source": ["# Words"]},
                *({"cell_type": "code", "metadata": {}, "outputs": [], "execution_count": None,
                   "source": cell.splitlines(True)} for cell in cells)]}))
    notebook("good.ipynb", "import sys\nword = sys.argv[1]", "print('the word is', word)")
    notebook("bad.ipynb", "x = 0", "y = 1\nprint(1 / x)")
    meesh = start_meesh(mesh, folder / "data")
    _, done = run_json(meesh, "run", "p")
    log = run(meesh, "logs", done["id"]).stdout
    assert states(done) == {"good": "succeeded", "bad": "failed"}, log
    assert "the word is five" in log
    assert "bad.ipynb, cell 3\", line 2" in log and "print(1 / x)" in log


def test_metrics_tell_of_pipelines_and_kinds(folder, start_meesh):
    mesh = plain_mesh(folder / "mesh")
    write(mesh, p="""
name: p
assets:
  lake.silver.model: { sql: "SELECT * FROM (VALUES 1, 2, 3) AS t(n)" }
  lake.silver.wrong: { sql: "SELECT 1 / 0 AS n" }
  audit: { check: lake.silver.model, checks: [{ kind: row_count, min: 3 }] }
""")
    meesh = start_meesh(mesh, folder / "data")
    assert run(meesh, "run", "p").returncode == 1
    found = requests.get(f"{meesh.url}/api/v1/pipelines/metrics?hours=1").json()
    assert found["pipelines"]["p"]["runs"] == {"failed": 1}
    assert found["pipelines"]["p"]["success_rate"] == 0
    sql, check = found["kinds"]["sql"], found["kinds"]["check"]
    assert sql["steps"] == {"succeeded": 1, "failed": 1}
    assert (sql["success_rate"], sql["rows"]) == (0.5, 3) and sql["mean_seconds"] > 0
    assert check["steps"] == {"succeeded": 1} and check["success_rate"] == 1
