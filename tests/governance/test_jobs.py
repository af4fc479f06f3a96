"""Lineage of what the mesh runs by itself: ingestion, models, steps of pipelines and dbt."""
import subprocess

import pytest
import trino

from support.meesh import ROOT


def run_of(*events):
    """The run of the pipeline p that all of them are part of, as OpenLineage calls it."""
    parents = [event["run"]["facets"]["parent"] for event in events]
    assert {parent["job"]["name"] for parent in parents} == {"p"}
    run, = {parent["run"]["runId"] for parent in parents}
    return run


def kind(event):
    facet = event["job"]["facets"]["jobType"]
    return facet["integration"], facet["jobType"]


def rows(event):
    return [output["outputFacets"]["outputStatistics"]["rowCount"] for output in event["outputs"]]


def execute(connection, sql):
    """Outside of a transaction."""
    connection.autocommit = True
    with connection.cursor() as cursor:
        cursor.execute(sql)
    connection.close()


def test_ingestion_says_where_its_rows_come_from(jobs):
    into = {"schema": "lake.bronze"}
    jobs.write("sources/shop.yaml", {"kind": "postgresql", "catalog": "shop", "into": into,
                                     "tables": {"orders": {}}})
    elsewhere = {"host": "127.0.0.1", "port": jobs.shop.port, "name": "other",
                 "user": jobs.shop.user, "password": jobs.shop.password}
    execute(jobs.shop.connect(), "CREATE DATABASE other")
    jobs.write("sources/other.yaml", {"kind": "postgresql", "connection": elsewhere,
                                      "into": {**into, "table": "other_{table}"},
                                      "tables": {"leads": {}}})
    jobs.write("sources/files.yaml", {"kind": "files", "format": "csv", "into": into,
                                      "tables": {"clicks": {"path": "data/in/clicks*.csv"}}})
    jobs.write("data/in/clicks1.csv", "id,page\n1,start\n2,end\n3,end\n")
    jobs.pipeline(shop={"ingest": "shop"}, files={"ingest": "files"},
                  **{"lake.gold.pages": {"sql": "SELECT page, count(*) AS n FROM lake.bronze.clicks"
                                                " GROUP BY page"}})
    jobs.start().run()
    assert jobs.jobs("lake.bronze.orders") == {
        "shop.public.orders > lake.bronze.orders": "shop.orders"}
    clicks = f"file://{jobs.mesh.resolve()}/data/in"
    assert jobs.jobs("lake.gold.pages") == {
        "lake.bronze.clicks > lake.gold.pages": "lake.gold.pages",
        f"{clicks} > lake.bronze.clicks": "files.clicks"}
    assert jobs.lineage.edges("lake.gold.pages", column="page") == {
        "lake.bronze.clicks.page > lake.gold.pages.page",
        f"{clicks}.page > lake.bronze.clicks.page"}
    assert jobs.lineage.edges(clicks, direction="downstream", depth=1) == {
        f"{clicks} > lake.bronze.clicks"}
    for job, wanted, count in (("shop.orders", ("MEESH", "INGESTION"), 2),
                               ("files.clicks", ("MEESH", "INGESTION"), 3),
                               ("lake.gold.pages", ("MEESH", "MODEL"), 2)):
        event = jobs.event(job)
        assert kind(event) == wanted and rows(event) == [count]
    first = run_of(*map(jobs.event, ("shop.orders", "files.clicks", "lake.gold.pages")))
    jobs.run()
    assert run_of(jobs.event("shop.orders"), jobs.event("files.clicks")) != first

    # Not one of the domains' databases; not there at first.
    meesh = jobs.lineage.meesh
    done = meesh.run("ingest", "run", "other", "--server", meesh.url)
    assert done.returncode != 0
    failed = jobs.event("other.leads", "FAIL")
    assert "leads" in failed["run"]["facets"]["errorMessage"]["message"]
    assert kind(failed) == ("MEESH", "INGESTION")
    assert failed["outputs"][0]["name"] == "lake.bronze.other_leads"
    with_leads = trino.dbapi.connect(host=meesh.host, port=meesh.port, user="ada").cursor()
    with pytest.raises(Exception, match="TABLE_NOT_FOUND"):
        with_leads.execute("SELECT * FROM lake.bronze.other_leads").fetchall()
    execute(jobs.shop.connect("other"), "CREATE TABLE leads AS SELECT 1 AS id")
    done = meesh.run("ingest", "run", "other", "--server", meesh.url)
    assert done.returncode == 0, done.stderr
    assert jobs.jobs("lake.bronze.other_leads") == {
        f"postgres://127.0.0.1:{jobs.shop.port}/other.public.leads > lake.bronze.other_leads":
            "other.leads"}


def test_models_outside_of_the_lake_show_their_table_alone(jobs):
    jobs.pipeline(**{
        "shop.public.daily": {"sql": "SELECT day, sum(price) AS total FROM shop.public.orders "
                                     "GROUP BY day",
                              "checks": [{"kind": "not_null", "columns": ["day"]}]},
        "shop.public.grown": {"sql": "SELECT id, price FROM shop.public.orders",
                              "materialized": "incremental", "strategy": "merge",
                              "unique_key": ["id"]},
        "lake.gold.seen": {"sql": "SELECT total FROM shop.public.daily", "materialized": "view"},
        "lake.gold.mart": {"sql": "SELECT max(total) AS best FROM lake.gold.seen"}})
    jobs.start()
    for _ in range(2):  # made, then exchanged
        jobs.run()
        assert jobs.jobs("lake.gold.mart") == {
            "lake.gold.seen > lake.gold.mart": "lake.gold.mart",
            "shop.public.daily > lake.gold.mart": "lake.gold.mart",
            "shop.public.daily > lake.gold.seen": "lake.gold.seen",
            "shop.public.orders > shop.public.daily": "shop.public.daily"}
        assert jobs.jobs("shop.public.grown") == {
            "shop.public.orders > shop.public.grown": "shop.public.grown"}
    columns = jobs.lineage.graph("shop.public.daily", column="total", direction="upstream")
    assert [(e["from"]["table"], e["from"]["column"], e["influences"]) for e in columns["edges"]
            ] == [("shop.public.orders", "price", ["AGGREGATION"])]
    first_seen = jobs.lineage.graph("shop.public.daily", direction="upstream")["edges"][0]
    assert first_seen["first_seen"] < first_seen["last_seen"]
    assert not [dataset["name"] for event in jobs.lineage.events()
                for dataset in event["inputs"] + event["outputs"] if "__" in dataset["name"]]
    assert jobs.lineage.get(table="shop.public.daily__candidate").status_code == 404
    assert rows(jobs.event("shop.public.daily")) == [2]


def test_a_model_that_fails_is_told_and_moves_nothing(jobs):
    jobs.pipeline(**{
        "lake.gold.checked": {"sql": "SELECT id FROM shop.public.orders",
                              "checks": [{"kind": "range", "column": "id", "max": 1}]},
        "shop.public.outside": {"sql": "SELECT id FROM shop.public.orders",
                                "checks": [{"kind": "range", "column": "id", "max": 1}]},
        "lake.gold.broken": {"sql": "SELECT 1 / (id - id) AS x FROM shop.public.orders"}})
    jobs.start().run(good=False)
    for model, words in (("lake.gold.checked", "range"), ("shop.public.outside", "range"),
                         ("lake.gold.broken", "Division by zero")):
        failed = jobs.event(model, "FAIL")
        assert words in failed["run"]["facets"]["errorMessage"]["message"], failed
        assert run_of(failed) and kind(failed) == ("MEESH", "MODEL")
        assert jobs.lineage.get(table=model).status_code == 404


def test_statements_and_exports_of_a_pipeline_are_its_steps(jobs):
    jobs.pipeline(
        fill={"statement": "CREATE SCHEMA IF NOT EXISTS lake.gold; "
                           "CREATE TABLE IF NOT EXISTS lake.gold.t (id integer); "
                           "INSERT INTO lake.gold.t SELECT id FROM shop.public.orders; "
                           "INSERT INTO lake.gold.t SELECT n FROM memory.default.more"},
        file={"export": "lake.gold.t", "to": "t.csv"})
    jobs.start()
    jobs.lineage.sql("CREATE TABLE memory.default.more AS SELECT 7 AS n")
    runs = set()
    for _ in range(2):
        jobs.run()
        assert jobs.jobs("lake.gold.t") == {"shop.public.orders > lake.gold.t": "p.fill",
                                            "memory.default.more > lake.gold.t": "p.fill"}
        runs.add(run_of(jobs.event("p.fill"), jobs.event("p.file")))
    assert len(runs) == 2
    file = f"file://{jobs.mesh}/data/exports/t.csv"
    assert jobs.jobs(file, depth=1) == {f"lake.gold.t > {file}": "p.file"}
    assert not [node for node in jobs.lineage.graph("lake.gold.t")["nodes"]
                if node["table"].startswith("hive.")]


SCRIPT = """
import json, os, urllib.request
def ask(url, **options):
    with urllib.request.urlopen(urllib.request.Request(url, **options)) as answer:
        return json.load(answer)
answer = ask(os.environ["MEESH_URL"] + "/v1/statement",
             data=b"CREATE TABLE lake.s.made AS SELECT id FROM shop.public.orders",
             headers={"X-Trino-User": "script",
                      "X-Trino-Client-Tags": os.environ["MEESH_CLIENT_TAGS"]})
while "nextUri" in answer:
    answer = ask(answer["nextUri"])
assert "error" not in answer, answer
"""


def test_a_python_step_can_say_that_its_statements_are_its(jobs):
    jobs.write("pipelines/make.py", SCRIPT)
    jobs.pipeline(make={"python": "make.py", "makes": ["lake.s.made"]})
    jobs.start().lineage.sql("CREATE SCHEMA lake.s")
    jobs.run()
    assert jobs.jobs("lake.s.made") == {"shop.public.orders > lake.s.made": "p.make"}
    assert run_of(jobs.event("p.make"))


def test_a_transaction_is_told_when_it_is_committed(jobs):
    jobs.start()
    jobs.lineage.sql("CREATE TABLE shop.public.copy (id integer)")
    connection = trino.dbapi.connect(
        host=jobs.lineage.meesh.host, port=jobs.lineage.meesh.port, user="ada", catalog="shop",
        schema="public", isolation_level=trino.transaction.IsolationLevel.READ_COMMITTED)

    def insert():
        cursor = connection.cursor()
        cursor.execute("INSERT INTO copy SELECT id FROM orders")
        cursor.fetchall()
    insert()
    assert jobs.lineage.edges("shop.public.copy") == set()
    connection.rollback()
    assert jobs.lineage.edges("shop.public.copy") == set()
    insert()
    connection.commit()
    assert jobs.lineage.edges("shop.public.copy") == {"shop.public.orders > shop.public.copy"}
    event = jobs.event("INSERT shop.public.copy")
    assert rows(event) == [2]
    assert len(jobs.lineage.events(job="INSERT shop.public.copy")) == 1


def test_changes_of_the_lake_tell_how_many_rows(jobs):
    lineage = jobs.start().lineage
    lineage.sql("CREATE SCHEMA lake.s")
    lineage.sql("CREATE TABLE t AS SELECT id, price FROM shop.public.orders")
    lineage.sql("INSERT INTO t SELECT id + 10, price FROM shop.public.orders WHERE id = 1")
    lineage.sql("UPDATE t SET price = price + 1")
    lineage.sql("DELETE FROM t WHERE id = 11")
    lineage.sql("CREATE MATERIALIZED VIEW mv AS SELECT id FROM t")
    lineage.sql("REFRESH MATERIALIZED VIEW mv")
    for job, count in (("CREATE TABLE AS SELECT lake.s.t", 2), ("INSERT lake.s.t", 1),
                       ("UPDATE lake.s.t", 3), ("DELETE lake.s.t", 1),
                       ("REFRESH MATERIALIZED VIEW lake.s.mv", 2)):
        assert rows(jobs.event(job)) == [count], job


PROJECT = {
    "dbt_project.yml": "name: trial\nprofile: trial\n",
    "models/staged.sql": "select id, price from shop.public.orders\n",
    "models/mart.sql": "{{ config(materialized='table') }} "
                       "select sum(price) as total from {{ ref('staged') }}\n",
    "models/grown.sql": "{{ config(materialized='incremental') }} select id from "
                        "{{ ref('staged') }} {% if is_incremental() %} where id > 1 "
                        "{% endif %}\n",
    "models/wrong.sql": "{{ config(materialized='table') }} "
                        "select 1 / (id - id) as x from {{ ref('staged') }}\n",
}


@pytest.mark.timeout(600)
def test_dbt_models_are_jobs_of_their_run(jobs):
    for path, text in PROJECT.items():
        jobs.write(f"dbt/trial/{path}", text)
    jobs.pipeline(trial={"dbt": "trial", "command": "run"})
    jobs.start()
    for _ in range(2):
        jobs.run(good=False)
        assert jobs.jobs("lake.trial.mart") == {
            "lake.trial.staged > lake.trial.mart": "trial.mart",
            "shop.public.orders > lake.trial.mart": "trial.mart",
            "shop.public.orders > lake.trial.staged": "trial.staged"}
        assert set(jobs.jobs("lake.trial.grown").values()) == {"trial.grown", "trial.staged"}
        made = [jobs.event(f"trial.{model}") for model in ("staged", "mart", "grown")]
        failed = jobs.event("trial.wrong", "FAIL")
        assert "Division by zero" in failed["run"]["facets"]["errorMessage"]["message"]
        assert {kind(event) for event in [*made, failed]} == {("DBT", "MODEL")}
        assert run_of(*made, failed)
    live = {node["table"] for node in jobs.lineage.graph("shop.public.orders")["nodes"]}
    assert live == {"shop.public.orders", "lake.trial.staged", "lake.trial.mart",
                    "lake.trial.grown"}

    # From a terminal, where nobody tells dbt what it is part of.
    meesh = jobs.lineage.meesh
    done = subprocess.run(
        [ROOT / ".deps" / "dbt" / "bin" / "dbt", "run", "--select", "mart", "--project-dir",
         jobs.mesh / "dbt" / "trial", "--profiles-dir", meesh.data / "dbt" / "trial",
         "--target-path", meesh.data.with_name("target"), "--log-path",
         meesh.data.with_name("logs")], stdout=subprocess.PIPE, text=True, timeout=280)
    assert done.returncode == 0, done.stdout
    event = jobs.event("trial.mart")
    assert kind(event) == ("DBT", "MODEL") and "parent" not in event["run"]["facets"]
