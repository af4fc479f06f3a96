"""A dbt project as an asset: its parts, what becomes of a full refresh, and its figures."""
import requests

from support.meesh import plain_mesh
from support.pipelines import rows, run, run_json, write

FILES = {
    "dbt_project.yml": "name: trial\nprofile: trial\n",
    "profiles.yml": """
trial:
  target: meesh
  outputs:
    meesh:
      type: trino
      method: none
      host: 127.0.0.1
      port: "{{ env_var('MEESH_PORT') | int }}"
      user: dbt
      database: lake
      schema: trial
      http_scheme: http
      threads: 2
""",
    "models/events.sql": "{{ config(materialized='incremental') }}\nSELECT 1 AS n\n",
    "models/good.sql": "SELECT n FROM {{ ref('events') }}\n",
    "models/schema.yml": """
models:
  - name: good
    columns:
      - name: n
        data_tests:
          - not_null
          - accepted_values: { arguments: { values: [2] } }
""",
}


def test_models_tests_and_full_refreshes(folder, start_meesh):
    mesh = plain_mesh(folder / "mesh")
    for name, text in FILES.items():
        path = mesh / "dbt" / "trial" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    write(mesh, p="""
name: p
assets:
  models: { dbt: trial, command: run }
  tests: { dbt: trial, command: test, depends_on: [models] }
""")
    meesh = start_meesh(mesh, folder / "data")
    code, done = run_json(meesh, "run", "p")
    log = run(meesh, "logs", done["id"]).stdout
    parts = {step["name"]: (step["kind"], step["state"]) for step in done["steps"]
             if step.get("part_of")}
    assert code == 1, log
    assert parts["lake.trial.events"] == ("dbt model", "succeeded"), log
    assert sorted(state for kind, state in parts.values() if kind == "dbt test") == [
        "failed", "succeeded"], log
    kinds = requests.get(f"{meesh.url}/api/v1/pipelines/metrics?hours=1").json()["kinds"]
    assert kinds["dbt model"]["steps"] == {"succeeded": 2}
    assert kinds["dbt model"]["success_rate"] == 1 and kinds["dbt model"]["mean_seconds"] > 0
    assert kinds["dbt test"]["steps"] == {"failed": 1, "succeeded": 1}

    assert run(meesh, "run", "p", "--select", "models").returncode == 0
    assert rows(meesh, "SELECT count(*) FROM lake.trial.events") == [[2]]
    # The tests' command knows no such flag, and is run nevertheless.
    _, done = run_json(meesh, "run", "p", "--full-refresh")
    log = run(meesh, "logs", done["id"]).stdout
    assert rows(meesh, "SELECT count(*) FROM lake.trial.events") == [[1]], log
    assert "No such option" not in log and "accepted_values" in log
