"""What a mesh says of itself: its services and whether they answer, what runs and what failed, the
health checks of the tools it takes the place of, metrics; and a source tried before it is there."""
import threading

import pytest
import requests
from support.meesh import Meesh, external, plain_mesh
from support.pipelines import ended, write
from support.postgres import PostgresServer
from support.processes import wait_until

STATES = {"running", "degraded", "failed", "off", "unknown"}


def get(server, path, **options):
    answer = requests.get(server.url + path, timeout=20, **options)
    assert answer.status_code == 200, answer.text
    return answer


def services(server):
    return get(server, "/api/v1/services").json()["services"]


def named(server, name):
    return next(one for one in services(server) if one["name"] == name)


@pytest.fixture(scope="module")
def small(work_folder):
    """A mesh without domains: an empty one, in which tests may leave failures behind."""
    mesh = plain_mesh(work_folder / "inventory", lake={"location": "s3://lake"})
    write(mesh, broken="""
name: broken
assets:
  good: { statement: SELECT 1 }
  bad: { statement: SELECT 1 / 0, depends_on: [good] }
  after: { statement: SELECT 2, depends_on: [bad] }
""")
    server = Meesh(mesh, work_folder / "inventory-data").start()
    yield server
    server.stop()


def test_the_inventory_is_what_runs(demo):
    all = services(demo)
    assert {one["state"] for one in all} <= STATES
    kinds = {one["kind"] for one in all}
    assert kinds >= {"console", "sql", "objects", "iceberg", "metadata", "postgresql", "pipelines",
                     "ingestion", "streams", "feeds", "dbt", "quality"}
    databases = {one["domain"]: one for one in all if one["kind"] == "postgresql"}
    assert set(databases) == set(demo.databases)
    for domain, database in demo.databases.items():
        assert databases[domain]["port"] == database.port
        assert databases[domain]["detail"].startswith("PostgreSQL 1")
        assert databases[domain]["latency_ms"] > 0
    assert named(demo, "console")["address"].endswith(f":{demo.port}")
    assert named(demo, "objects")["address"] == demo.s3_address()


def test_what_is_told_holds_no_secret(demo):
    text = get(demo, "/api/v1/services").text
    assert "admin123" not in text and "minioadmin" not in text


def test_a_database_that_is_gone_is_told(work_folder):
    """And is told well again when it is back."""
    database = PostgresServer(work_folder / "gone-postgres", "shop_db")
    database.create().start()
    mesh = plain_mesh(work_folder / "gone", {"shop": external(database)})
    server = Meesh(mesh, work_folder / "gone-data")
    try:
        server.start()
        wait_until(lambda: named(server, "shop")["state"] == "running", 20, "shop running")
        database.stop()
        gone = wait_until(lambda: (one := named(server, "shop"))["state"] == "failed" and one, 20,
                          "shop failed")
        assert "latency_ms" not in gone and str(database.port) in gone["detail"]
        database.start()
        wait_until(lambda: named(server, "shop")["state"] == "running", 20, "shop running again")
    finally:
        server.stop()
        database.stop()


def test_a_crowd_is_told_what_one_is(demo):
    """Many pages that look at once do not have a statement run for each of them."""
    def checked():
        times = {one["name"]: one.get("checked_ms") for one in services(demo)}
        return times if all(times.values()) else None
    first = wait_until(checked, 20, "an answer of every service")
    seen = []
    crowd = [threading.Thread(target=lambda: seen.append(named(demo, "sql")["checked_ms"]))
             for _ in range(40)]
    for one in crowd:
        one.start()
    for one in crowd:
        one.join()
    assert len(seen) == 40
    assert len(set(seen) | {first["sql"]}) <= 2, "a statement was run for a second look"


def test_the_overview_tells_what_failed(small):
    id = requests.post(f"{small.url}/api/v1/pipelines/broken/runs", json={}).json()["id"]
    assert ended(small, id)["state"] == "failed"
    told = get(small, "/api/v1/overview").json()
    failed = next(one for one in told["failed"] if one["id"] == id)
    assert failed["kind"] == "run" and failed["title"] == "broken"
    assert failed["link"] == f"/pipelines/broken/runs/{id}"
    assert told["memory"]["resident_bytes"] > 10_000_000
    assert told["memory"]["limit_bytes"] > 0
    assert 0 < told["storage"]["disk_free_bytes"] <= told["storage"]["disk_bytes"]
    assert "unreadable" not in told


def test_the_overview_tells_what_runs(demo):
    """Of a statement that is under way: who asked, and what."""
    statement = "SELECT count(*) FROM tpch.tiny.lineitem a, tpch.tiny.lineitem b, tpch.tiny.orders c"
    begun = requests.post(f"{demo.url}/v1/statement", data=statement,
                          headers={"X-Trino-User": "ana"}).json()
    try:
        def running():
            all = get(demo, "/api/v1/overview").json()["running"]
            return next((one for one in all if one["id"] == begun["id"]), None)
        found = wait_until(running, 20, "the statement among what runs")
        assert found["user"] == "ana" and found["title"] == statement
        assert found["link"] == f"/admin/queries/{begun['id']}"
    finally:
        requests.delete(f"{demo.url}/v1/query/{begun['id']}", headers={"X-Trino-User": "ana"})


def test_health_as_other_tools_tell_it(demo):
    assert get(demo, "/api/v1/health").json() == {"available": True}
    assert get(demo, "/health").text == "OK"
    dremio = requests.get(demo.url + "/apiv2/login")
    assert dremio.status_code in (200, 401) and dremio.json()
    assert requests.get(demo.s3_address() + "/minio/health/live").status_code == 200


def test_metrics_of_all_rooms(demo_ran):
    text = get(demo_ran, "/metrics").text
    values = dict(line.rsplit(" ", 1) for line in text.splitlines() if not line.startswith("#"))
    assert float(values['meesh_sync_success_ratio{source="northwind",stream="orders"}']) == 1
    assert float(values['meesh_sync_rows{source="northwind",stream="orders"}']) > 0
    assert float(values['meesh_syncs{source="northwind",stream="orders",state="failed"}']) == 0
    assert float(values['meesh_dbt_commands_total{project="datamesh"}']) >= 1
    assert float(values['meesh_quality_score{table="lake.gold.rfm"}']) == 100
    assert float(values['meesh_quality_checks{outcome="pass"}']) > 10
    assert float(values["meesh_memory_limit_bytes"]) > 0
    assert "meesh_metrics_incomplete" not in values


# ---- a source that is not there yet

def trial(server, name, yaml):
    return requests.post(f"{server.url}/api/v1/ingest/trial", json={"name": name, "yaml": yaml})


def test_kinds_of_sources_can_be_made_forms_of(small):
    kinds = {one["kind"]: one for one in get(small, "/api/v1/ingest/kinds").json()["kinds"]}
    assert set(kinds) == {"postgresql", "mysql", "files", "rest", "airbyte"}
    assert kinds["files"]["schema"]["properties"]["kind"] == {"const": "files"}
    connection = kinds["postgresql"]["schema"]["properties"]["connection"]["properties"]
    assert connection["password"]["writeOnly"] is True


def test_a_trial_tells_what_there_is_and_leaves_nothing(small):
    data = small.mesh / "data"
    data.mkdir(exist_ok=True)
    (data / "people.csv").write_text("id,name\n1,Ana\n2,Boris\n")
    answer = trial(small, "people", "kind: files\ntables:\n  people: {path: data/people.csv}\n")
    assert answer.status_code == 200, answer.text
    (stream,) = answer.json()["streams"]
    assert [column["name"] for column in stream["columns"]] == ["id", "name"]
    assert not (small.mesh / "sources").exists()
    assert get(small, "/api/v1/ingest/sources").json()["sources"] == []


@pytest.mark.parametrize("name, yaml, status", [
    ("../../evil", "kind: files", 400),
    ("a/b", "kind: files", 400),
    ("UPPER", "kind: files", 400),
    ("x" * 64, "kind: files", 400),
    ("ok", "kind: nothing", 422),
    ("ok", "kind: files\ntables: {}\nallow_outside: true", 422),
    ("ok", "kind: files\ntables: {t: {path: /etc/passwd}}", 422),
    ("ok", "kind: files\ntables: {t: {path: ../../../../etc/passwd}}", 422),
    ("ok", "kind: [unclosed", 422),
    ("ok", "&a [*a, *a]", 422),
])
def test_hostile_sources_are_refused(small, name, yaml, status):
    for answer in (trial(small, name, yaml),
                   requests.put(f"{small.url}/api/v1/ingest/sources/"
                                f"{requests.utils.quote(name, safe='')}", json={"yaml": yaml})):
        assert 400 <= answer.status_code < 500, answer.text
        assert answer.status_code == status or "path" in yaml, answer.text
        assert "root:" not in answer.text
    assert not (small.mesh / "sources").exists()
