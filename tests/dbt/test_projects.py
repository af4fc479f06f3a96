"""What dbt-trino can do beyond the demo's project, on each kind of catalog."""
import json

import pytest
import yaml

pytestmark = pytest.mark.timeout(900)  # a dbt takes seconds of CPU to start


@pytest.fixture
def project(dbt, folder, ours):
    """project(catalog, {path: text}) → Dbt of a new project that writes to that catalog."""
    def make(catalog, files, schema="trial"):
        root = folder / f"on-{catalog}"
        top = {"dbt_project.yml": yaml.safe_dump({"name": "trial", "profile": "trial"}),
               "profiles.yml": yaml.safe_dump({"trial": {"target": "t", "outputs": {"t": {
                   "type": "trino", "method": "none", "host": ours.host, "port": ours.port,
                   "user": "admin", "database": catalog, "schema": schema, "threads": 2}}}})}
        for path, text in {**top, **files}.items():
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_text(text)
        return dbt(root)
    return make


SEED = "id,name,day\n1,one,2024-01-01\n2,two,2024-01-02\n"


def test_postgresql_keeps_tables_and_says_what_to_do_about_views(project, ours, query):
    run = project("sales", schema="trial_pg", files={
        "seeds/things.csv": SEED,
        "models/kept.sql": "select id, name, cast(day as date) as day from {{ ref('things') }}",
        "models/grown.sql": "{{ config(materialized='incremental', "
                            "incremental_strategy='append') }} select id * 10 as id from "
                            "{{ ref('kept') }} {% if is_incremental() %} where id = 2 {% endif %}",
        "models/merged.sql": "{{ config(materialized='incremental', unique_key='id', "
                             "incremental_strategy='merge') }} select id, count(*) as n from "
                             "{{ ref('grown') }} group by id",
        "snapshots/history.yml": yaml.safe_dump({"snapshots": [
            {"name": "history", "relation": "ref('merged')",
             "config": {"unique_key": "id", "strategy": "check", "check_cols": ["n"]}}]}),
        "models/models.yml": yaml.safe_dump({"version": 2, "models": [
            {"name": "kept", "config": {"materialized": "table"},
             "columns": [{"name": "id", "data_tests": ["unique", "not_null"]}]}]}),
    })
    # A connector to PostgreSQL makes no views, so what dbt puts aside is a table.
    (run.project / "dbt_project.yml").write_text(yaml.safe_dump(
        {"name": "trial", "profile": "trial", "models": {"+views_enabled": False}}))
    for _ in range(2):
        done = run.summary(run("build"))
        assert done["ERROR"] == 0 and done["PASS"] == 7, done
    assert query("SELECT * FROM sales.trial_pg.grown ORDER BY id") == [[10], [20], [20]]
    assert query("SELECT * FROM sales.trial_pg.merged ORDER BY id") == [[10, 1], [20, 2]]
    assert query("SELECT id, n, dbt_valid_to IS NULL FROM sales.trial_pg.history ORDER BY id, n"
                 ) == [[10, 1, True], [20, 1, False], [20, 2, True]]
    found = ours.databases["sales"].query("SELECT name FROM trial_pg.kept ORDER BY id")
    assert found == [("one",), ("two",)]
    (run.project / "models" / "seen.sql").write_text("select * from {{ ref('kept') }}")
    refused = run("run", "--select", "seen", good=False)
    assert "does not support creating views: make a table" in refused


def test_memory_keeps_seeds_tables_and_views(project, query):
    run = project("memory", schema="trial_m", files={
        "seeds/things.csv": SEED,
        "models/kept.sql": "{{ config(materialized='table') }} select * from {{ ref('things') }}",
        "models/seen.sql": "select count(*) as n from {{ ref('kept') }}",
    })
    for _ in range(2):
        assert run.summary(run("build"))["ERROR"] == 0
    assert query("SELECT n FROM memory.trial_m.seen") == [[2]]


def test_a_materialized_view_of_the_lake_is_made_refreshed_and_replaced(project, query):
    model = ("{{ config(materialized='materialized_view') }} "
             "select count(*) as n from {{ ref('things') }}")
    run = project("lake", schema="trial_mv", files={"seeds/things.csv": SEED,
                                                    "models/counted.sql": model})
    run("build")
    assert query("SELECT n FROM lake.trial_mv.counted") == [[2]]
    query("INSERT INTO lake.trial_mv.things VALUES (3, 'three', DATE '2024-01-03')")
    run("run")
    assert query("SELECT n FROM lake.trial_mv.counted") == [[3]]
    (run.project / "models" / "counted.sql").write_text(model.replace("count(*)", "max(id)"))
    run("run", "--full-refresh")
    assert query("SELECT n FROM lake.trial_mv.counted") == [[3]]
    assert query("SELECT count(*) FROM system.metadata.materialized_views "
                 "WHERE schema_name = 'trial_mv'") == [[1]]


def test_contracts_hooks_and_ephemeral_models(project, query):
    run = project("lake", schema="trial_c", files={
        "models/inner_part.sql": "{{ config(materialized='ephemeral') }} select 1 as id, 'x' as t",
        "models/agreed.sql": "{{ config(materialized='table', post_hook=\"insert into {{ this }} "
                             "values (2, 'hook')\") }} select id, t from {{ ref('inner_part') }}",
        "models/models.yml": yaml.safe_dump({"version": 2, "models": [
            {"name": "agreed", "config": {"contract": {"enforced": True}},
             "columns": [{"name": "id", "data_type": "integer",
                          "constraints": [{"type": "not_null"}]},
                         {"name": "t", "data_type": "varchar"}]}]}),
    })
    run("run")
    assert query("SELECT * FROM lake.trial_c.agreed ORDER BY id") == [[1, "x"], [2, "hook"]]
    (run.project / "models" / "inner_part.sql").write_text(
        "{{ config(materialized='ephemeral') }} select 'no' as id, 'x' as t")
    assert "does not match" in run("run", good=False).replace("mismatch", "does not match")


def test_run_results_and_manifest_are_what_other_tools_expect(project):
    run = project("memory", schema="trial_r", files={"models/one.sql": "select 1 as id"})
    run("run")
    results = json.loads((run.target / "run_results.json").read_text())
    assert [(r["unique_id"], r["status"]) for r in results["results"]] == [
        ("model.trial.one", "success")]
    assert results["results"][0]["adapter_response"]["query_id"]
