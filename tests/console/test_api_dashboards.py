"""Dashboards over HTTP: files, data, the cache that is never stale, events."""
import json
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests
import yaml
from support.dashboards import ORDERS, SHOP, api, data, make_mesh, one_chart, put, rows, sql
from support.meesh import Meesh
from support.processes import wait_until


@pytest.fixture(scope="module")
def meesh(work_folder):
    server = Meesh(make_mesh(work_folder / "boards"), work_folder / "boards-data").start()
    sql(server, "CREATE SCHEMA lake.shop")
    sql(server, ORDERS)
    yield server
    server.stop()


# ---- files


def test_list_and_show(meesh):
    told = {d["name"]: d for d in api(meesh, "GET", "/dashboards").json()["dashboards"]}["shop"]
    assert told["title"] == SHOP["title"] and told["charts"] == 5 and told["may_edit"]
    assert told["kinds"] == ["bar", "number", "text"]
    shown = api(meesh, "GET", "/dashboards/shop")
    assert shown.json()["dashboard"] == SHOP
    assert shown.headers["ETag"].removeprefix("W/") == f'"{shown.json()["etag"]}"'
    assert yaml.safe_load(shown.json()["yaml"]) == SHOP


def test_saving_json_keeps_every_value_and_writes_blocks(meesh):
    dashboard = one_chart("SELECT 'a: b' AS x -- #1\nFROM lake.shop.orders\nWHERE true\n",
                          tags=["true", "8080", "~", "a: b", "'"], owner="a #b")
    made = put(meesh, "values", dashboard)
    assert made["dashboard"] == dashboard
    assert "sql: |\n" in made["yaml"]
    file = meesh.mesh / "dashboards" / "values.yaml"
    assert yaml.safe_load(file.read_text()) == dashboard
    assert not list(file.parent.glob("*.new"))


def test_two_editors(meesh):
    made = put(meesh, "edited", one_chart("SELECT 1 AS a"))
    first = {"If-Match": f'"{made["etag"]}"'}
    answer = api(meesh, "PUT", "/dashboards/edited", headers=first,
                 json={"yaml": "# mine\ntitle: x\ncharts: []\n"})
    assert answer.status_code == 200 and answer.json()["yaml"].startswith("# mine")
    conflict = api(meesh, "PUT", "/dashboards/edited", headers=first, json={"dashboard": SHOP})
    assert conflict.status_code == 412 and conflict.json()["hint"], conflict.text
    assert api(meesh, "DELETE", "/dashboards/edited", headers=first).status_code == 412
    assert api(meesh, "POST", "/dashboards", json={"name": "edited"}).status_code == 409
    assert api(meesh, "DELETE", "/dashboards/edited").status_code == 204
    assert api(meesh, "GET", "/dashboards/edited").status_code == 404


def test_mistakes_are_located_and_nothing_is_written(meesh):
    text = "title: x\ncharts:\n  - {id: a, kind: bar, slq: SELECT 1}\n  - {id: A!, kind: bar, sql: x}\n"
    answer = api(meesh, "POST", "/dashboards", json={"name": "wrong", "yaml": text})
    assert answer.status_code == 422
    assert {(e["line"], e["column"]) for e in answer.json()["errors"]} >= {(3, 24), (4, 10)}
    assert not (meesh.mesh / "dashboards" / "wrong.yaml").exists()


def test_a_file_with_mistakes_can_be_mended(meesh):
    file = meesh.mesh / "dashboards" / "broken.yaml"
    file.write_text("titel: x\n")
    try:
        told = {d["name"]: d for d in api(meesh, "GET", "/dashboards").json()["dashboards"]}
        assert "titel" in told["broken"]["mistake"]
        answer = api(meesh, "GET", "/dashboards/broken")
        assert answer.status_code == 422 and answer.json()["yaml"] == "titel: x\n"
        assert api(meesh, "PUT", "/dashboards/broken",
                   json={"yaml": "title: x\ncharts: []\n"}).status_code == 200
    finally:
        file.unlink()


@pytest.mark.parametrize("name", ["..%2Fmeesh", "%2e%2e", "..%2f..%2fetc%2fpasswd", "a%2Fb", "A",
                                  "a.yaml", "%00", ".hidden", "a%0ab", "é"])
def test_no_name_leads_out_of_the_folder(meesh, name):
    before = (meesh.mesh / "meesh.yaml").read_text()
    text = {"yaml": "title: x\ncharts: []\n"}
    assert api(meesh, "GET", f"/dashboards/{name}").status_code in (400, 404)
    assert api(meesh, "PUT", f"/dashboards/{name}", json=text).status_code in (400, 404)
    assert api(meesh, "DELETE", f"/dashboards/{name}").status_code in (400, 404)
    plain = requests.utils.unquote(name)
    assert api(meesh, "POST", "/dashboards", json={"name": plain, **text}).status_code == 400
    assert (meesh.mesh / "meesh.yaml").read_text() == before


# ---- data


def test_every_chart_answers(meesh):
    lines = data(meesh)
    assert set(lines) == {"by_country", "count", "levels", "metric"}
    assert lines["by_country"]["columns"] == [{"name": "country", "type": "varchar"},
                                              {"name": "total", "type": "decimal(38,2)"}]
    assert lines["by_country"]["rows"] == [["DE", "5.00"], ["FR", "30.50"], ["IT", None]]
    assert lines["levels"]["rows"] == [["cup", "5.00"], ["tea", "30.50"]]
    assert lines["metric"]["rows"] == [["DE", "5.00"], ["FR", "30.50"], ["IT", None]]


def test_parameters_and_time(meesh):
    def total(time=None, **parameters):
        return rows(meesh, "by_country", {"parameters": parameters, "time": time})
    assert total(country=["FR", "DE"]) == [["DE", "5.00"], ["FR", "30.50"]]
    assert total(country="FR", least=15) == [["FR", "20.00"]]
    assert total(least="15") == [["FR", "20.00"]]
    assert total(word="cup", country=["DE"]) == [["DE", "5.00"]]
    assert total(day="2025-02-05") == [["FR", "20.00"]]
    assert total(time={"from": "2025-02-01", "to": "2025-03-01"}) == [["DE", "5.00"], ["FR", "20.00"]]
    assert total(time="last 5 days") == []
    assert len(total(time="all", country=[], word="", least=None)) == 3


@pytest.mark.parametrize("evil", [
    "' OR '1'='1", "'; DROP TABLE lake.shop.orders; --", "\\'; --", "' UNION SELECT 'x', 1 --",
    "*/ OR 1=1 /*", ":country", "?", "${HOME}", "{{ run_date }}", "\u2019 OR 1=1 --"])
def test_parameters_are_values(meesh, evil):
    assert rows(meesh, "by_country", {"parameters": {"country": [evil]}}) == []
    assert rows(meesh, "by_country", {"parameters": {"word": evil}}) == []
    assert rows(meesh, "count", {"filters": [{"column": "country", "values": [evil]}]}) == [[0]]
    for body in ({"parameters": {"least": evil}}, {"parameters": {"day": evil}},
                 {"time": evil}, {"time": {"from": evil}}):
        assert api(meesh, "POST", "/dashboards/shop/data", json=body).status_code == 400
    assert rows(meesh, "count") == [[4]]


def test_clicks_filter_answers_and_sources(meesh):
    def clicked(chart, *filters):
        line = data(meesh, {"charts": [chart], "filters": list(filters)})[chart]
        return line["rows"], line.get("ignored", [])
    fr = {"column": "country", "op": "in", "values": ["FR"]}
    assert clicked("by_country", fr) == ([["FR", "30.50"]], [])
    assert clicked("count", fr) == ([[2]], [])
    assert clicked("metric", {"column": "category", "values": ["cup"]}) == (
        [["DE", "5.00"], ["IT", None]], [])
    assert clicked("levels", fr) == ([["tea", "30.50"]], [])
    assert clicked("by_country", {**fr, "source": "by_country"})[0] == rows(meesh, "by_country")
    assert clicked("count", {"column": "nobody", "values": [1]}) == ([[4]], ["nobody"])
    assert clicked("count", {"column": "id", "op": "between", "values": [2, 3]}) == ([[2]], [])
    assert clicked("by_country", {"column": "total", "values": [None]}) == ([["IT", None]], [])
    hostile = {"column": 'country" = country OR "country', "values": ["x"]}
    assert clicked("count", hostile) == ([[4]], [hostile["column"]])


def test_levels_inside_a_chart(meesh):
    drill = {"levels": {"level": 1, "values": ["tea"]}}
    assert rows(meesh, "levels", {"drill": drill}) == [["black", "20.00"], ["green", "10.50"]]
    drill = {"levels": {"level": 1, "values": ["' OR 1=1 --"]}}
    assert rows(meesh, "levels", {"drill": drill}) == []


def test_types_as_json(meesh):
    put(meesh, "types", one_chart("""SELECT BIGINT '9007199254740993' AS big, 7 AS n,
        DECIMAL '-0.05' AS d, nan() AS nan, DATE '2025-01-31' AS day,
        TIMESTAMP '2025-01-31 08:00:00.500' AS at,
        TIMESTAMP '2025-01-31 08:00:00 Europe/Paris' AS zone, ARRAY[1, NULL] AS list,
        MAP(ARRAY['k'], ARRAY[1.5]) AS map, CAST(ROW(1, 'x"') AS row(a integer, b varchar)) AS r,
        X'00ff' AS bytes, true AS yes, CAST(NULL AS varchar) AS nothing, U&'\\2028<\\000A' AS text"""))
    assert rows(meesh, "c", name="types") == [[
        "9007199254740993", 7, "-0.05", None, "2025-01-31", "2025-01-31T08:00:00.5",
        "2025-01-31T07:00:00Z", [1, None], {"k": "1.5"}, [1, 'x"'], "AP8=", True, None,
        "\u2028<\n"]]


def test_rows_are_limited_and_it_is_told(meesh):
    many = "SELECT * FROM (SELECT orderkey FROM tpch.tiny.orders ORDER BY 1 LIMIT 10000) AS t"
    put(meesh, "many", {"title": "t", "charts": [
        {"id": "fits", "kind": "table", "sql": many},
        {"id": "cut", "kind": "table", "sql": many.replace("10000", "10001")},
        {"id": "own", "kind": "table",
         "sql": "SELECT orderkey FROM tpch.tiny.orders LIMIT 12000"}]})
    lines = data(meesh, name="many")
    assert len(lines["fits"]["rows"]) == 10000 and "truncated" not in lines["fits"]
    for cut in ("cut", "own"):
        assert len(lines[cut]["rows"]) == 10000 and lines[cut]["truncated"] is True


@pytest.mark.parametrize("statement", [
    "DROP TABLE lake.shop.orders", "INSERT INTO lake.shop.orders SELECT * FROM lake.shop.orders",
    "DELETE FROM lake.shop.orders", "CALL system.runtime.kill_query('x', 'y')",
    "CREATE TABLE lake.shop.x AS SELECT 1 AS a", "SET SESSION time_zone_id = 'UTC'",
    "SELECT 1; DROP TABLE lake.shop.orders", "EXPLAIN ANALYZE DELETE FROM lake.shop.orders",
    "TRUNCATE TABLE lake.shop.orders", "GRANT SELECT ON lake.shop.orders TO ana"])
def test_charts_only_ask(meesh, statement):
    put(meesh, "asks", {"title": "t", "charts": [
        {"id": "c", "kind": "table", "sql": "\n  " + statement}, SHOP["charts"][1]]})
    lines = data(meesh, name="asks")
    assert lines["c"]["problem"]["code"] in ("NOT_SUPPORTED", "SYNTAX_ERROR")
    assert lines["c"]["problem"]["file"].endswith("asks.yaml") and lines["c"]["problem"]["line"] > 2
    assert lines["count"]["rows"] == [[4]]


def test_an_error_has_its_place_in_the_file(meesh):
    text = ("title: t\ncharts:\n  - id: c\n    kind: table\n    sql: |\n      SELECT id,\n"
            "             nobody\n      FROM lake.shop.orders\n")
    api(meesh, "DELETE", "/dashboards/place")
    assert api(meesh, "POST", "/dashboards", json={"name": "place", "yaml": text}).status_code == 201
    problem = data(meesh, name="place")["c"]["problem"]
    assert (problem["code"], problem["line"], problem["column"]) == ("COLUMN_NOT_FOUND", 7, 14)


def test_preview_and_options(meesh):
    chart = {"id": "p", "kind": "bar", "sql": "SELECT id FROM lake.shop.orders WHERE country = :c"}
    told = api(meesh, "POST", "/charts/data", json={"chart": chart, "parameters": {"c": "DE"}}).json()
    assert told["rows"] == [[3]] and told["id"] == "p"
    assert len(api(meesh, "POST", "/charts/data", json={"chart": chart}).json()["rows"]) == 4
    wrong = api(meesh, "POST", "/charts/data", json={"chart": {"id": "p", "kind": "bar"}})
    assert wrong.status_code == 422
    options = api(meesh, "GET", "/dashboards/shop/parameters/country").json()["options"]
    assert options == [{"value": c, "label": c.lower()} for c in ("DE", "FR", "IT")]
    assert api(meesh, "GET", "/dashboards/shop/parameters/nobody").status_code == 404


def test_semantic_layer(meesh):
    model = api(meesh, "GET", "/semantic").json()["models"][0]
    assert [m["name"] for m in model["metrics"]] == ["revenue", "orders", "mean"]
    assert "month" in model["dimensions"][1]["grains"]
    query = {"model": "orders", "metrics": ["mean", "orders"], "order": ["-orders"], "limit": 2,
             "dimensions": [{"name": "at", "grain": "month"}],
             "filters": [{"dimension": "country", "op": "in", "values": ["FR", "DE", "x'--"]}]}
    chart = {"id": "q", "kind": "bar", "query": query}
    told = api(meesh, "POST", "/charts/data", json={"chart": chart}).json()
    assert told["rows"] == [["2025-02-01T00:00:00", 12.5, 2], ["2025-01-01T00:00:00", 10.5, 1]]
    query["metrics"] = ["revenu"]
    problem = api(meesh, "POST", "/charts/data", json={"chart": chart}).json()["problem"]
    assert problem["hint"] == "did you mean 'revenue'?" and problem["line"] == 1


# ---- the cache


def test_a_kept_answer_is_one_that_is_true(meesh):
    sql(meesh, "CREATE TABLE lake.shop.t (n integer)")
    sql(meesh, "CREATE VIEW lake.shop.v AS SELECT sum(n) AS s FROM lake.shop.t")
    put(meesh, "kept", {"title": "t", "charts": [
        {"id": "table", "kind": "number", "sql": "SELECT count(*) AS n FROM lake.shop.t"},
        {"id": "view", "kind": "number", "sql": "SELECT s FROM lake.shop.v"},
        {"id": "now", "kind": "number", "sql": "SELECT count(*) AS n, now() AS t FROM lake.shop.t"},
        {"id": "memory", "kind": "number", "sql": "SELECT count(*) AS n FROM memory.default.t"}]})
    sql(meesh, "CREATE TABLE memory.default.t (n integer)")
    for round in range(1, 4):
        sql(meesh, f"INSERT INTO lake.shop.t VALUES {round}")
        sql(meesh, f"INSERT INTO memory.default.t VALUES {round}")
        for turn in range(2):
            lines = data(meesh, name="kept")
            assert lines["table"]["rows"] == [[round]]
            assert lines["view"]["rows"] == [[sum(range(round + 1))]]
            assert lines["now"]["rows"][0][0] == lines["memory"]["rows"][0][0] == round
            assert [lines[c]["cached"] for c in ("table", "view", "now", "memory")] == [
                turn == 1, turn == 1, False, False]
    sql(meesh, "CREATE OR REPLACE VIEW lake.shop.v AS SELECT -1 AS s")
    assert rows(meesh, "view", name="kept") == [[-1]]
    sql(meesh, "DROP TABLE lake.shop.t")
    assert data(meesh, name="kept")["table"]["problem"]["code"] == "TABLE_NOT_FOUND"


def test_no_answer_is_older_than_a_commit_acknowledged_before(meesh):
    """Writers, while viewers of several tables, views and catalogs ask: what was acknowledged
    before a request is in its answer."""
    sql(meesh, "CREATE TABLE lake.shop.w (n integer)")
    sql(meesh, "CREATE TABLE memory.default.w (n integer)")
    sql(meesh, "CREATE VIEW lake.shop.wv AS SELECT * FROM lake.shop.w")
    put(meesh, "race", {"title": "t", "charts": [
        {"id": "table", "kind": "number", "sql": "SELECT count(*) AS n FROM lake.shop.w"},
        {"id": "view", "kind": "number", "sql": "SELECT max(n) AS n FROM lake.shop.wv"},
        {"id": "memory", "kind": "number", "sql": "SELECT count(*) AS n FROM memory.default.w"}]})
    done = {"lake": 0, "memory": 0}
    stop = threading.Event()

    def write(kind, table):
        while not stop.is_set():
            sql(meesh, f"INSERT INTO {table} VALUES {done[kind] + 1}")
            done[kind] += 1
            time.sleep(0.02)  # leaves room for answers that can be kept

    def read():
        asked = cached = 0
        while not stop.is_set():
            lake, memory = done["lake"], done["memory"]
            lines = data(meesh, name="race")
            assert lines["table"]["rows"][0][0] >= lake, lines
            assert (lines["view"]["rows"][0][0] or 0) >= lake, lines
            assert lines["memory"]["rows"][0][0] >= memory, lines
            asked += 1
            cached += lines["table"]["cached"] + lines["view"]["cached"]
        return asked, cached

    with ThreadPoolExecutor(10) as pool:
        writers = [pool.submit(write, "lake", "lake.shop.w"),
                   pool.submit(write, "memory", "memory.default.w")]
        readers = [pool.submit(read) for _ in range(6)]
        time.sleep(12)
        stop.set()
        for writer in writers:
            writer.result()
        counts = [reader.result() for reader in readers]
    assert done["lake"] > 10 and done["memory"] > 10
    assert sum(asked for asked, _ in counts) > 50
    assert sum(cached for _, cached in counts) > 0, "nothing was ever kept: this proves nothing"


def test_many_viewers_share_a_run(meesh):
    """The same question of fifty at once is computed once, and a handful of times where versions
    are not known."""
    slow = "SELECT count(*) AS n FROM tpch.tiny.lineitem WHERE rand() >= 0 AND :salt > 0"
    lake = "SELECT sum(a.id * b.id) AS n FROM lake.shop.orders AS a, lake.shop.orders AS b WHERE :salt > 0"
    put(meesh, "crowd", {"title": "t", "parameters": [{"name": "salt", "kind": "number"}], "charts": [
        {"id": "lake", "kind": "number", "sql": lake}, {"id": "other", "kind": "number", "sql": slow}]})

    def statements(part):
        return sql(meesh, "SELECT count(*) FROM system.runtime.queries WHERE source = 'dashboards' "
                          f"AND query LIKE '%{part}%'")[0][0]
    salt = 17
    with ThreadPoolExecutor(50) as pool:
        answers = list(pool.map(
            lambda _: data(meesh, {"parameters": {"salt": salt}}, name="crowd"), range(50)))
    assert len({json.dumps(a["lake"]["rows"]) for a in answers}) == 1
    assert statements("b.id)%17 %>") == 1
    assert statements("rand()%17 %>") <= 25


def test_metrics_of_the_cache(meesh):
    data(meesh), data(meesh)
    text = requests.get(meesh.url + "/metrics").text
    hits = [line for line in text.splitlines()
            if line.startswith('meesh_dashboard_answers_total{result="hit"}')]
    assert hits and float(hits[0].split()[-1]) > 0


# ---- events


class Events:
    """Server-sent events, read on a thread."""

    def __init__(self, url):
        self.answer = requests.get(url, stream=True, timeout=60)
        assert self.answer.status_code == 200, self.answer.text
        self.seen = []
        threading.Thread(target=self.read, daemon=True).start()

    def read(self):
        name = None
        try:
            for line in self.answer.iter_lines(chunk_size=1):
                if line.startswith(b"event: "):
                    name = line[7:].decode()
                elif line.startswith(b"data: "):
                    self.seen.append((name, json.loads(line[6:])))
        except Exception:  # closed
            return

    def charts(self):
        return {chart for name, told in list(self.seen) if name == "changed" for chart in told["charts"]}


def test_changed_charts_are_pushed_to_all_viewers(meesh):
    sql(meesh, "CREATE TABLE lake.shop.p (n integer)")
    put(meesh, "pushed", {"title": "t", "charts": [
        {"id": "p", "kind": "number", "sql": "SELECT count(*) AS n FROM lake.shop.p"},
        {"id": "q", "kind": "number", "sql": "SELECT count(*) AS n FROM lake.shop.orders"}]})
    viewers = [Events(f"{meesh.url}/api/v1/dashboards/pushed/events") for _ in range(20)]
    time.sleep(0.5)  # the watch has looked once
    sql(meesh, "INSERT INTO lake.shop.p VALUES 1")
    wait_until(lambda: all(v.charts() == {"p"} for v in viewers), 10, "all viewers told")
    api(meesh, "PUT", "/dashboards/pushed", json={"yaml": "title: x\ncharts: []\n"})
    wait_until(lambda: all(("edited", {}) in v.seen for v in viewers), 10, "all told of the edit")


def test_no_events_of_what_is_not_there(meesh):
    assert api(meesh, "GET", "/dashboards/nobody/events").status_code == 404
