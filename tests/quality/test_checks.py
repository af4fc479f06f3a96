"""Every kind of check on PostgreSQL and on the lake; results, scores, exit codes, contracts."""
import json

import requests
from support.meesh import plain_mesh

FAIL = {"not_null(status)": 1, "unique(id)": 1, "accepted_values(status)": 1,
        "relationships(customer)": 1, "range(placed)": 1, "regex(email)": 1,
        "freshness(placed)": None, "schema": None, "sql": 1}
PASS = {"not_null(id)", "one order a status", "range(amount)", "expression", "row_count", "measure",
        "anomaly(row_count)"}


def by_check(lines):
    return {line["result"]["check"]: line["result"] for line in lines if "result" in line}


def test_every_kind_of_check_on_postgresql(quality):
    results = by_check(quality.lines("check", "shop.public.orders", code=1))
    assert {name for name, one in results.items() if one["outcome"] == "pass"} == PASS
    assert {name: one.get("failing") for name, one in results.items()
            if one["outcome"] == "fail"} == FAIL
    assert results["range(placed)"]["severity"] == "warn"
    assert results["range(amount)"]["value"] == 25
    sample = results["accepted_values(status)"]["sample"]
    assert dict(zip(sample["columns"], sample["rows"][0]))["placed"] == "2025-01-03"
    assert results["unique(id)"]["sample"] == {"columns": ["id", "rows"], "rows": [["3", "2"]]}
    assert "decimal(10,2), not double" in results["schema"]["message"]


def test_a_file_a_table_and_all(quality):
    suite = quality.lines("check", "checks/orders.yaml", code=1)
    assert [line["unreadable"]["table"] for line in suite if "unreadable" in line] == [
        "lake.silver.missing"]
    assert len(by_check(quality.lines("check", "contracts/orders.yaml", code=1))) == 6
    assert len(quality.lines("check", code=1)) > len(suite)
    nothing = quality.run("check", "a.b.c", "--server", quality.url)
    assert nothing.returncode == 1 and "there are no checks of 'a.b.c'" in nothing.stderr


def test_people_read_a_table(quality):
    done = quality.run("check", "shop.public.orders", "--server", quality.url)
    assert "✗ not_null(status)" in done.stdout and "1 of 4 rows fail" in done.stdout
    assert "! range(placed)" in done.stdout
    assert done.stdout.endswith("7 passed, 1 warnings, 8 failed\n"), done.stdout


def test_a_contract_holds_the_data(quality):
    results = by_check(quality.lines("check", "contracts/orders.yaml", code=1))
    assert {name: one["outcome"] for name, one in results.items()} == {
        "schema": "pass", "not_null(status)": "fail", "not_null(status) #2": "pass",
        "not_null(id)": "pass", "unique(id)": "fail", "row_count": "pass"}


def test_results_become_history_and_scores(quality):
    quality.lines("check", "shop.public.orders", code=1)
    kept = requests.get(f"{quality.url}/api/v1/quality/results",
                        {"table": "shop.public.orders", "limit": 16}, timeout=30).json()["results"]
    assert {"not_null(id)", "not_null(status)", "sql", "measure"} <= {one["check"] for one in kept}
    scores = requests.get(f"{quality.url}/api/v1/quality/scores", timeout=30).json()
    # 7 passed of weight 3, 8 failed of weight 3, one warning of weight 1.
    product = scores["products"][0]
    assert (product["name"], product["domain"], product["passed"]) == ("orders", "shop", 7)
    assert abs(product["score"] - 100 * 21 / 46) < 1e-9
    assert product["failures"] == 8 and product["warnings"] == 1


def test_bad_requests_are_told(quality):
    def post(**headers):
        return requests.post(f"{quality.url}/api/v1/quality/run", data="[", timeout=30,
                             headers=headers)
    answer = post(**{"Content-Type": "application/json"})
    assert answer.status_code == 400 and "JSON" in answer.json()["detail"]
    # What a page of another site can send.
    assert post().status_code == 415
    assert post(**{"Content-Type": "application/json", "Origin": "http://elsewhere"}
                ).status_code == 403
    answer = requests.get(f"{quality.url}/api/v1/quality/results", {"limit": "x"}, timeout=30)
    assert answer.status_code == 400


def test_no_server_is_told(quality):
    done = quality.run("check", "--server", "http://127.0.0.1:1")
    assert done.returncode != 0 and "127.0.0.1:1" in done.stderr


def test_a_wrong_file_stops_the_start_with_its_place(folder, start_meesh):
    plain_mesh(folder / "mesh")
    (folder / "mesh" / "checks").mkdir()
    (folder / "mesh" / "checks" / "bad.yaml").write_text(
        "tables:\n  - table: lake.silver.t\n    checks:\n      - { kind: not_nul, columns: [a] }\n")
    (folder / "mesh" / "contracts").mkdir()
    (folder / "mesh" / "contracts" / "bad.yaml").write_text("apiVersion: v3.1.0\nkind: Contract\n")
    meesh = start_meesh(folder / "mesh", folder / "data", wait=False)
    assert meesh.process.wait(60) == 2
    log = meesh.log_text()
    assert "checks/bad.yaml:4:17" in log and "did you mean 'not_null'?" in log
    assert "contracts/bad.yaml:2:7" in log


def test_results_outlive_the_server(folder, start_meesh):
    plain_mesh(folder / "mesh")
    (folder / "mesh" / "checks").mkdir()
    (folder / "mesh" / "checks" / "t.yaml").write_text(json.dumps(
        {"tables": [{"table": "lake.s.t", "checks": [{"kind": "row_count", "min": 2}]}]}))
    meesh = start_meesh(folder / "mesh", folder / "data")
    meesh.run("sql", "--server", meesh.url, "-e",
              "CREATE SCHEMA lake.s; CREATE TABLE lake.s.t AS SELECT 1 AS a")
    assert meesh.run("check", "--server", meesh.url).returncode == 1
    meesh.kill()
    meesh.start()
    kept = requests.get(f"{meesh.url}/api/v1/quality/results", timeout=30).json()["results"]
    assert [(one["check"], one["value"]) for one in kept] == [("row_count", 1.0)]
