"""`meesh export grafana|superset`: the files that Grafana and Superset take, from the demo's dashboards."""
import json
import uuid

import pytest
import yaml
from support.meesh import ROOT, Meesh, binary


@pytest.fixture(scope="module")
def exported(work_folder):
    if not binary().exists():
        pytest.fail(f"{binary()} is not built: setup/build.sh dev", pytrace=False)
    meesh = Meesh(ROOT / "demo", work_folder / "unused")
    folders = {}
    for kind in ("grafana", "superset"):
        folders[kind] = work_folder / f"export-{kind}"
        done = meesh.run("export", kind, "--mesh", ROOT / "demo", "--out", folders[kind],
                         "--host", "mesh.example", "--port", 8443)
        assert done.returncode == 0, done.stdout + done.stderr
    return folders


BOARDS = sorted(file.stem for file in (ROOT / "demo" / "dashboards").glob("*.yaml"))


def test_grafana_data_sources(exported):
    told = yaml.safe_load((exported["grafana"] / "provisioning/datasources/meesh.yaml").read_text())
    assert told["apiVersion"] == 1
    by_name = {source["name"]: source for source in told["datasources"]}
    assert by_name["DataMeesh"]["type"] == "trino-datasource"
    assert by_name["DataMeesh"]["url"] == "http://mesh.example:8443"
    for domain in ("sales", "marketing", "northwind"):
        assert by_name[domain]["type"] == "grafana-postgresql-datasource"
        assert "password" not in json.dumps(by_name[domain]["jsonData"])
        assert by_name[domain]["secureJsonData"]["password"].startswith("$")
    providers = yaml.safe_load((exported["grafana"] / "provisioning/dashboards/meesh.yaml").read_text())
    assert providers["providers"][0]["type"] == "file"


@pytest.mark.parametrize("board", BOARDS)
def test_grafana_dashboards(exported, board):
    told = json.loads((exported["grafana"] / "dashboards" / f"{board}.json").read_text())
    ours = yaml.safe_load((ROOT / "demo" / "dashboards" / f"{board}.yaml").read_text())
    assert told["schemaVersion"] >= 41 and len(told["uid"]) <= 40 and told["title"]
    assert len(told["panels"]) == len(ours["charts"])
    assert len({panel["id"] for panel in told["panels"]}) == len(told["panels"])
    for panel, chart in zip(told["panels"], ours["charts"]):
        place = panel["gridPos"]
        assert 0 <= place["x"] and place["x"] + place["w"] <= 24
        if chart["kind"] == "text":
            continue
        assert isinstance(panel["targets"], list) and panel["targets"][0]["refId"] == "A"
        assert panel["targets"][0]["rawSQL"].strip().upper().startswith(("SELECT", "WITH"))
        for parameter in ours.get("parameters", []):
            assert f":{parameter['name']})" not in panel["targets"][0]["rawSQL"]
    names = [parameter["name"] for parameter in ours.get("parameters", [])]
    assert [variable["name"] for variable in told["templating"]["list"]] == names


def read(folder):
    return {str(file.relative_to(folder)): yaml.safe_load(file.read_text())
            for file in folder.rglob("*.yaml")}


def test_superset_files_belong_together(exported):
    files = read(exported["superset"])
    assert files["metadata.yaml"]["type"] == "Dashboard"
    database = files["databases/DataMeesh.yaml"]
    assert database["sqlalchemy_uri"] == "trino://superset@mesh.example:8443/lake"
    assert database["allow_dml"] is False
    datasets = {told["uuid"] for name, told in files.items() if name.startswith("datasets/")}
    charts = {told["uuid"]: told for name, told in files.items() if name.startswith("charts/")}
    for name, told in files.items():
        if name != "metadata.yaml":
            uuid.UUID(told["uuid"])
            assert told["version"] == "1.0.0"
        if name.startswith("datasets/"):
            assert isinstance(told["metrics"], list) and isinstance(told["columns"], list)
            assert told["database_uuid"] == database["uuid"] and ":" + "country" not in told["sql"]
    assert len(charts) == sum(name.startswith("charts/") for name in files)
    for chart in charts.values():
        assert chart["dataset_uuid"] in datasets and isinstance(chart["params"], dict)
    for board in BOARDS:
        position = files[f"dashboards/{board}.yaml"]["position"]
        for key, node in position.items():
            if key == "DASHBOARD_VERSION_KEY":
                continue
            assert all(isinstance(node.get(part, []), list) for part in ("children", "parents"))
            assert all(child in position for child in node["children"])
            if node["type"] == "CHART":
                assert node["meta"]["uuid"] in charts
        assert position["GRID_ID"]["children"]


def test_superset_charts_of_columns_that_are_not_all_alike(exported):
    params = {name: yaml.safe_load((exported["superset"] / "charts" / f"{name}.yaml").read_text())["params"]
              for name in ("rfm_bubbles", "rfm_profile", "rfm_grid", "campaign_performance_flow")}
    bubbles, grid, flow = (params[name] for name in ("rfm_bubbles", "rfm_grid", "campaign_performance_flow"))
    assert [bubbles["viz_type"], bubbles["entity"], bubbles["series"]] == ["bubble_v2", "company_name", "segment"]
    assert [bubbles[of]["label"] for of in "xy"] == ["recency_days", "frequency"]
    assert [metric["label"] for metric in params["rfm_profile"]["metrics"]] == ["recency", "frequency", "money"]
    assert [grid["x_axis"], grid["groupby"], grid["metric"]["label"]] == [
        "recency_score", "frequency_score", "customers"]
    assert [flow["source"], flow["target"], flow["metric"]["label"]] == ["campaign", "stage", "people"]


def test_superset_charts_that_do_not_say_what_their_columns_are(work_folder):
    folder = work_folder / "unsaid"
    mesh = folder / "mesh"
    (mesh / "dashboards").mkdir(parents=True)
    (mesh / "meesh.yaml").write_text("name: unsaid\n")
    select = {"scatter": "SELECT 1 AS a, 2 AS b, 'x' AS c", "radar": "SELECT 'x' AS a, 1 AS b, 2 AS c",
              "percent_bar": "SELECT 'x' AS a, 'y' AS b, 2 AS c", "pivot": "SELECT 'x' AS a, 'y' AS b, 2 AS c"}
    (mesh / "dashboards" / "d.yaml").write_text(yaml.safe_dump({"title": "d", "charts": [
        {"id": kind, "kind": kind, "title": kind, "sql": sql} for kind, sql in select.items()]}))
    done = Meesh(mesh, folder / "data").run("export", "superset", "--mesh", mesh, "--out", folder / "out",
                                            "--host", "mesh.example", "--port", 8443)
    assert done.returncode == 0, done.stdout + done.stderr
    told = {kind: yaml.safe_load((folder / f"out/charts/d_{kind}.yaml").read_text())["params"] for kind in select}
    assert [[metric["label"] for metric in told[kind]["metrics"]] for kind in select] == [["b"], ["b", "c"], ["c"], ["c"]]
    assert [told["scatter"]["x_axis"], told["scatter"]["groupby"]] == ["a", ["c"]]
    assert [told["percent_bar"]["x_axis"], told["percent_bar"]["groupby"]] == ["a", ["b"]]
    assert [told["pivot"]["groupbyRows"], told["pivot"]["groupbyColumns"]] == [["a"], ["b"]]


def test_exporting_again_gives_the_same(exported, work_folder):
    meesh = Meesh(ROOT / "demo", work_folder / "unused")
    again = work_folder / "export-again"
    arguments = ("export", "superset", "--mesh", ROOT / "demo", "--out", again,
                 "--host", "mesh.example", "--port", 8443)
    assert meesh.run(*arguments).returncode == 0
    assert read(again) == read(exported["superset"])
    refused = meesh.run(*arguments)
    assert refused.returncode == 1 and "--force" in refused.stderr
    assert meesh.run(*arguments, "--force").returncode == 0


def test_in_french(work_folder):
    meesh = Meesh(ROOT / "demo", work_folder / "unused")
    out = work_folder / "export-french"
    done = meesh.run("--lang", "fr", "export", "grafana", "--mesh", ROOT / "demo", "--out", out)
    assert done.returncode == 0 and "tableaux de bord" in done.stdout
    assert json.loads((out / "dashboards" / "rfm.json").read_text())["title"] == "Analyse RFM"
