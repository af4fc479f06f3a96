"""What happens to runs when servers are killed, and when there are two of them on one mesh."""
import random
import time

import pytest
import requests

from support.meesh import Database, plain_mesh
from support.pipelines import ended, rows, run, run_of, write
from support.processes import wait_until
from support.s3_server import MASTER_KEY

STEPS = """
name: p
schedule: { cron: "0 0 1 1 *" }
assets:
  first: { python: first.py }
  second: { python: second.py, depends_on: [first] }
"""


@pytest.fixture
def pair(folder, postgres, start_meesh):
    """Two servers on one mesh whose metadata is in PostgreSQL; (servers, database, what ran, door)"""
    made = postgres("meta")
    database = Database(made.port, made.database, made.user, made.password)
    url = (f"postgresql://{made.user}:{made.password}@127.0.0.1:{made.port}/"
           f"{made.database}")
    ran, door = folder / "ran", folder / "door"
    servers = []
    for name in ("one", "two"):
        mesh = plain_mesh(folder / name / "mesh", metadata={"kind": "postgresql", "url": url},
                          storage={"kind": "local", "master_key": MASTER_KEY})
        write(mesh, p=STEPS)
        (mesh / "pipelines" / "first.py").write_text(f"open({str(ran)!r}, 'a').write('1')\n")
        (mesh / "pipelines" / "second.py").write_text(f"""
import os, time
open({str(ran)!r}, 'a').write('2')
while not os.path.exists({str(door)!r}): time.sleep(0.05)
""")
        servers.append(start_meesh(mesh, folder / name / "data"))
    return servers, database, ran, door


def holder(servers, database):
    """The server that runs the pipelines, and the other one."""
    question = "SELECT holder FROM lease WHERE name = 'pipelines'"
    (name,), = wait_until(lambda: database.query(question), 60, "the lease")
    one, two = servers
    return (one, two) if name.endswith(str(one.data)) else (two, one)


def test_one_of_two_servers_runs_and_the_other_takes_over(pair):
    servers, database, ran, door = pair
    first, other = holder(servers, database)
    id = run(other, "run", "p", "--detach").stdout.strip()  # asked of the one that does not run it
    wait_until(lambda: ran.exists() and ran.read_text() == "12", 60, "the second step")
    assert run_of(first, id)["state"] == "running"
    first.kill()
    wait_until(lambda: ran.read_text() == "122", 60, "the second step on the other server")
    door.touch()
    done = ended(other, id)
    assert done["state"] == "succeeded"
    assert ran.read_text() == "122"  # the first step had succeeded, and was not repeated
    assert holder(servers, database) == (other, first)
    first.start()
    assert run_of(first, id)["state"] == "succeeded"


def scheduled(server):
    found = requests.get(f"{server.url}/api/v1/runs").json()["runs"]
    return [one["id"] for one in found if one["trigger"] == "schedule"]


def test_a_schedule_begins_one_run_of_two_servers(pair):
    servers, database, ran, door = pair
    door.touch()
    schedules = "SELECT last_ms FROM pipelines_schedule"
    wait_until(lambda: database.query(schedules), 60, "the schedule's beginning")
    # As if the last time had been a year ago: one was missed.
    database.query("UPDATE pipelines_schedule SET last_ms = last_ms - 366::bigint * 86400000")
    first, other = holder(servers, database)
    done = ended(other, wait_until(lambda: scheduled(first), 60, "the scheduled run")[0])
    assert done["state"] == "succeeded" and ran.read_text() == "12"
    # Whoever takes over knows that this time has been taken care of.
    first.kill()
    wait_until(lambda: holder(servers, database)[0] is other, 60, "the other server's lease")
    id = run(other, "run", "p", "--detach").stdout.strip()
    assert ended(other, id)["state"] == "succeeded"
    assert len(scheduled(other)) == 1


@pytest.mark.parametrize("rounds", [5, pytest.param(100, marks=pytest.mark.full)])
@pytest.mark.timeout(3600)
def test_what_was_published_is_not_made_twice(folder, start_meesh, rounds):
    """The server is killed at any moment while models append; each run adds its row once."""
    mesh = plain_mesh(folder / "mesh")
    write(mesh, p="""
name: p
parameters: { n: "0" }
assets:
  lake.silver.model: { sql: "SELECT {{ n }} AS n", materialized: incremental, strategy: append }
  lake.silver.statement:
    statement: INSERT INTO lake.silver.statement SELECT n FROM lake.silver.model WHERE n = {{ n }}
""")
    data = folder / "data"
    meesh = start_meesh(mesh, data)
    rows(meesh, "CREATE SCHEMA lake.silver")
    rows(meesh, "CREATE TABLE lake.silver.statement (n integer)")
    seed = random.randrange(1 << 32)
    moments = random.Random(seed)
    for n in range(1, rounds + 1):
        id = run(meesh, "run", "p", "--param", f"n={n}", "--detach").stdout.strip()
        time.sleep(moments.uniform(0, 0.4))
        meesh.kill()
        meesh.start()
        assert ended(meesh, id)["state"] == "succeeded", (seed, n)
        expected = [[i] for i in range(1, n + 1)]
        for table in ("model", "statement"):
            assert rows(meesh, f"SELECT n FROM lake.silver.{table} ORDER BY n") == expected, \
                (seed, n, table)
