"""Pipelines of a running server: from their files over the command line and HTTP to tables, files,
logs and alerts."""
import json
import os
import signal
import subprocess
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import requests
import trino

from support.meesh import binary, plain_mesh
from support.processes import free_ports, wait_until


def write(mesh, **files):
    """files: name → YAML text of pipelines/<name>.yaml."""
    for name, text in files.items():
        path = mesh / "pipelines" / f"{name}.yaml"
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)


def run(meesh, *arguments, **options):
    return meesh.run(*arguments, "--server", meesh.url, **options)


def run_json(meesh, *arguments):
    answer = run(meesh, *arguments, "--json")
    return answer.returncode, json.loads(answer.stdout.strip().splitlines()[-1])


def states(found):
    return {step["name"]: step["state"] for step in found["steps"]}


def rows(meesh, sql):
    with trino.dbapi.connect(host=meesh.host, port=meesh.port, user="tester") as connection:
        cursor = connection.cursor()
        cursor.execute(sql)
        return cursor.fetchall()


@contextmanager
def listener():
    """A webhook: .bodies that came; .status to answer with."""
    hook = type("Hook", (), {"bodies": [], "status": 200})()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if hook.status == 200:
                hook.bodies.append(json.loads(body))
            self.send_response(hook.status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    hook.url = f"http://127.0.0.1:{server.server_port}/hook"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield hook
    finally:
        server.shutdown()
        server.server_close()


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

    def ended():
        found = requests.get(f"{meesh.url}/api/v1/runs/{id}").json()
        return found if found["state"] not in ("queued", "running") else None

    done = wait_until(ended, 60, "the run's end")
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


def test_alerts_arrive_by_webhook_and_mail(folder, start_meesh):
    smtpd = pytest.importorskip("aiosmtpd.controller")
    mails = []

    class Inbox:
        async def handle_DATA(self, server, session, envelope):
            mails.append((envelope.rcpt_tos, envelope.content.decode()))
            return "250 OK"

    port = free_ports(1)[0]
    inbox = smtpd.Controller(Inbox(), hostname="127.0.0.1", port=port)
    inbox.start()
    try:
        with listener() as hook:
            hook.status = 503  # at first: what cannot be sent is sent again
            mesh = plain_mesh(folder / "mesh", smtp={
                "host": "127.0.0.1", "port": port, "tls": "none", "from": "mesh@example.com"})
            write(mesh, p=f"""
name: p
alerts: {{ on: [failure, recovery], webhook: "{hook.url}", email: [ops@example.com] }}
assets:
  bad: {{ statement: SELECT 1 / 0 }}
""")
            meesh = start_meesh(mesh, folder / "data")
            assert run(meesh, "run", "p").returncode == 1
            wait_until(lambda: mails, 30, "the mail")
            told = requests.get(f"{meesh.url}/api/v1/alerts").json()["alerts"]
            assert {alert["channel"] for alert in told} == {"webhook", "email:ops@example.com"}
            hook.status = 200
            wait_until(lambda: hook.bodies, 60, "the webhook's second attempt")
            assert hook.bodies[0]["event"] == "failure"
            assert hook.bodies[0]["failed_steps"][0]["step"] == "bad"
            assert "Division by zero" in hook.bodies[0]["text"]
            assert mails[0][0] == ["ops@example.com"] and "Subject:" in mails[0][1]

            write(mesh, p=(mesh / "pipelines" / "p.yaml").read_text().replace("1 / 0", "1"))
            assert run(meesh, "run", "p").returncode == 0
            wait_until(lambda: len(hook.bodies) == 2, 30, "the recovery")
            assert hook.bodies[1]["event"] == "recovery"
            assert run(meesh, "run", "p").returncode == 0
            told = requests.get(f"{meesh.url}/api/v1/alerts").json()["alerts"]
            assert len(told) == 4  # none for the third run
    finally:
        inbox.stop()


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
