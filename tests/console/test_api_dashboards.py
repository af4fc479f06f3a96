"""Dashboards over HTTP: files, data, the cache that is never stale, links, events, alerts, reports."""
import json
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import requests
import trino
import yaml
from support.meesh import Meesh, plain_mesh, write_yaml
from support.processes import free_ports, wait_until
from support.webhook import webhook

ORDERS = """CREATE TABLE lake.shop.orders AS SELECT * FROM (VALUES
  (1, 'FR', 'tea', 'green', DECIMAL '10.50', TIMESTAMP '2025-01-05 10:00:00'),
  (2, 'FR', 'tea', 'black', DECIMAL '20.00', TIMESTAMP '2025-02-05 10:00:00'),
  (3, 'DE', 'cup', 'blue', DECIMAL '5.00', TIMESTAMP '2025-02-06 10:00:00'),
  (4, 'IT', 'cup', 'red', NULL, TIMESTAMP '2025-03-06 10:00:00'))
  AS t (id, country, category, product, amount, at)"""

SHOP = {
    "title": {"en": "Shop", "fr": "Boutique"}, "owner": "sales", "tags": ["a"],
    "parameters": [
        {"name": "country", "kind": "choice", "multiple": True, "default": [],
         "sql": "SELECT DISTINCT country, lower(country) FROM lake.shop.orders ORDER BY 1"},
        {"name": "least", "kind": "number"}, {"name": "word", "kind": "text"},
        {"name": "day", "kind": "date"}],
    "charts": [
        {"id": "by_country", "kind": "bar",
         "sql": "SELECT country, sum(amount) AS total FROM lake.shop.orders\n"
                "WHERE country IN (:country) AND amount >= :least AND category = :word\n"
                "  AND at >= :from AND at < :to AND CAST(at AS date) = :day GROUP BY 1 ORDER BY 1"},
        {"id": "count", "kind": "number", "sql": "SELECT count(*) AS n FROM lake.shop.orders"},
        {"id": "levels", "kind": "bar", "drill": {"by": ["category", "product"]},
         "sql": "SELECT category, product, sum(amount) AS total FROM lake.shop.orders GROUP BY 1, 2"},
        {"id": "metric", "kind": "bar",
         "query": {"model": "orders", "metrics": ["revenue"], "dimensions": ["country"]}},
        {"id": "note", "kind": "text", "text": "**hello**"}],
    "layout": [{"id": "count", "x": 0, "y": 0, "w": 6, "h": 2}],
}
MODEL = {"table": "lake.shop.orders",
         "dimensions": [{"name": "country"}, {"name": "at", "kind": "time"}, {"name": "category"}],
         "metrics": [{"name": "revenue", "sql": "sum(amount)", "format": "currency"},
                     {"name": "orders", "sql": "count(*)"},
                     {"name": "mean", "ratio": ["revenue", "orders"]}]}


def sql(meesh, statement, user="ana", auth=None):
    connection = trino.dbapi.connect(host=meesh.host, port=meesh.port, user=user, auth=auth)
    cursor = connection.cursor()
    cursor.execute(statement)
    return cursor.fetchall()


def make_mesh(folder, **top):
    mesh = plain_mesh(folder, lake={"location": "s3://lake"},
                      storage={"buckets": {"reports": {}}, **top.pop("storage", {})}, **top)
    write_yaml(mesh / "dashboards" / "shop.yaml", SHOP)
    write_yaml(mesh / "semantic" / "orders.yaml", MODEL)
    return mesh


@pytest.fixture(scope="module")
def meesh(work_folder):
    server = Meesh(make_mesh(work_folder / "boards"), work_folder / "boards-data").start()
    sql(server, "CREATE SCHEMA lake.shop")
    sql(server, ORDERS)
    yield server
    server.stop()


def api(meesh, method, path, **options):
    return requests.request(method, f"{meesh.url}/api/v1{path}", timeout=60, **options)


def data(meesh, body=None, name="shop", path=None, **options):
    answer = api(meesh, "POST", path or f"/dashboards/{name}/data", json=body or {}, **options)
    assert answer.status_code == 200, answer.text
    return {line["id"]: line for line in map(json.loads, answer.text.rstrip("\n").split("\n"))}


def rows(meesh, chart, body=None, **options):
    line = data(meesh, {"charts": [chart], **(body or {})}, **options)[chart]
    assert "problem" not in line, line
    return line["rows"]


def put(meesh, name, dashboard):
    api(meesh, "DELETE", f"/dashboards/{name}")
    answer = api(meesh, "POST", "/dashboards", json={"name": name, "dashboard": dashboard})
    assert answer.status_code == 201, answer.text
    return answer.json()


def one_chart(statement, **more):
    return {"title": "t", "charts": [{"id": "c", "kind": "table", "sql": statement}], **more}


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


# ---- rights and links, in a closed mesh

PASSWORDS = {user: f"{user}'s long password" for user in ("ada", "eve", "vera", "rita")}
POLICIES = {"ada": "consoleAdmin", "eve": "readwrite", "vera": "readonly", "rita": "narrow"}
NARROW = {"Version": "2012-10-17", "Statement": [
    {"Effect": "Allow", "Action": "s3:*", "Resource": "arn:aws:s3:::*"},
    {"Effect": "Deny", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::lake/shop/secret*"}]}


@pytest.fixture(scope="module")
def closed(work_folder):
    meesh = Meesh(make_mesh(work_folder / "closed"), work_folder / "closed-data").start()
    sql(meesh, "CREATE SCHEMA lake.shop")
    sql(meesh, ORDERS)
    sql(meesh, "CREATE TABLE lake.shop.secret AS SELECT 42 AS n")
    meesh.stop()
    policy = work_folder / "narrow.json"
    policy.write_text(json.dumps(NARROW))

    def access(*arguments, **options):
        done = meesh.run("access", *arguments, "--mesh", meesh.mesh, "--data", meesh.data, **options)
        assert done.returncode == 0, done.stdout + done.stderr
    access("put-policy", "narrow", policy)
    for user, password in PASSWORDS.items():
        access("add", user, "--policy", POLICIES[user])
        access("password", user, input=password + "\n")
    meesh.start()
    yield meesh
    meesh.stop()


def as_user(user):
    return {"auth": (user, PASSWORDS[user].encode())}


def test_viewers_look_and_editors_change(closed):
    assert api(closed, "GET", "/dashboards").status_code == 401
    assert data(closed, **as_user("vera"))["count"]["rows"] == [[4]]
    body = {"name": "mine", "dashboard": one_chart("SELECT 1 AS a")}
    assert api(closed, "POST", "/dashboards", json=body, **as_user("vera")).status_code == 403
    assert api(closed, "PUT", "/dashboards/shop", json=body, **as_user("vera")).status_code == 403
    assert api(closed, "DELETE", "/dashboards/shop", **as_user("vera")).status_code == 403
    assert api(closed, "POST", "/dashboards/shop/shares", json={}, **as_user("vera")).status_code == 403
    assert api(closed, "POST", "/charts/data", json={"chart": SHOP["charts"][1]},
               **as_user("vera")).status_code == 403
    assert api(closed, "POST", "/dashboards", json=body, **as_user("eve")).status_code == 201


def test_a_kept_answer_is_not_for_those_who_may_not_read(closed):
    api(closed, "POST", "/dashboards", **as_user("eve"),
        json={"name": "secret", "dashboard": one_chart("SELECT n FROM lake.shop.secret")})
    assert rows(closed, "c", name="secret", **as_user("eve")) == [[42]]
    assert data(closed, name="secret", **as_user("vera"))["c"]["rows"] == [[42]]
    told = data(closed, name="secret", **as_user("rita"))["c"]
    assert told["problem"]["code"] == "PERMISSION_DENIED" and "rows" not in told


def share(closed, body=None, name="shop", user="eve"):
    answer = api(closed, "POST", f"/dashboards/{name}/shares", json=body or {}, **as_user(user))
    assert answer.status_code == 201, answer.text
    told = answer.json()
    return told, told["url"].removeprefix("/shared/")


def test_a_link_opens_one_dashboard_without_signing_in(closed):
    made, token = share(closed, {"parameters": {"country": ["FR"]}})
    shown = api(closed, "GET", f"/shares/{token}")
    assert shown.status_code == 200 and "yaml" not in shown.json()
    assert "lake.shop" not in shown.text and "SELECT" not in shown.text
    assert [p["name"] for p in shown.json()["dashboard"]["parameters"]] == ["least", "word", "day"]
    lines = data(closed, {"parameters": {"country": ["DE"]}}, path=f"/shares/{token}/data")
    assert lines["by_country"]["rows"] == [["FR", "30.50"]]
    assert all("statement" not in line for line in lines.values())
    assert api(closed, "GET", f"/shares/{token}/parameters/country").status_code == 404
    for path in ("/dashboards", "/dashboards/shop", "/dashboards/shop/shares", "/semantic"):
        assert api(closed, "GET", path, headers={"Authorization": "Bearer " + token}).status_code == 401
    assert token not in json.dumps(api(closed, "GET", "/dashboards/shop/shares",
                                       **as_user("eve")).json())
    for file in Path(closed.data).rglob("*"):
        if file.is_file() and file.stat().st_size < 50_000_000 and file.suffix in (".db", ".wal", ".jsonl"):
            assert token.encode() not in file.read_bytes(), file


def test_a_link_tells_nothing_of_what_the_dashboard_does_not_show(closed):
    _, token = share(closed)
    probe = {"charts": ["count"], "filters": [{"column": "id", "values": [1]}]}
    line = data(closed, probe, path=f"/shares/{token}/data")["count"]
    assert line["rows"] == [[4]] and line["ignored"] == ["id"]
    shown = {"charts": ["count"], "filters": [{"column": "country", "values": ["FR"]}]}
    assert data(closed, shown, path=f"/shares/{token}/data")["count"]["rows"] == [[2]]


def test_links_end(closed):
    made, token = share(closed)
    assert api(closed, "DELETE", f"/dashboards/shop/shares/{made['id']}",
               **as_user("eve")).status_code == 204
    assert api(closed, "GET", f"/shares/{token}").status_code == 404
    assert api(closed, "DELETE", f"/dashboards/shop/shares/{made['id']}",
               **as_user("eve")).status_code == 404
    _, short = share(closed, {"expires_ms": int(time.time() * 1000) + 1500})
    assert api(closed, "GET", f"/shares/{short}").status_code == 200
    wait_until(lambda: api(closed, "GET", f"/shares/{short}").status_code == 404, 10, "the end")
    past = api(closed, "POST", "/dashboards/shop/shares", json={"expires_ms": 1}, **as_user("eve"))
    assert past.status_code == 400


@pytest.mark.parametrize("token", ["x", "A" * 43, "..%2f..%2fdashboards", "%00", "' OR 1=1 --",
                                   "a" * 5000, "shop", "1", "null", "%2e%2e"])
def test_guessed_links_open_nothing(closed, token):
    for method, path in (("GET", ""), ("POST", "/data"), ("GET", "/events"),
                         ("GET", "/parameters/country")):
        answer = api(closed, method, f"/shares/{token}{path}", **({"json": {}} if method == "POST" else {}))
        assert answer.status_code in (400, 401, 404), (method, path, answer.status_code)


def test_a_link_has_the_rights_of_its_maker(closed):
    body = {"name": "forbidden", "dashboard": one_chart("SELECT n FROM lake.shop.secret")}
    api(closed, "POST", "/dashboards", json=body, **as_user("eve"))
    _, token = share(closed, name="forbidden", user="rita")
    told = data(closed, path=f"/shares/{token}/data")["c"]
    assert told["problem"]["code"] == "PERMISSION_DENIED" and "lake" not in json.dumps(told)


# ---- alerts and reports


@pytest.fixture(scope="module")
def alerting(work_folder):
    port = free_ports(1)[0]
    mesh = make_mesh(work_folder / "alerting",
                     storage={"webhooks": {"ops": f"http://127.0.0.1:{port}/hook"}})
    meesh = Meesh(mesh, work_folder / "alerting-data").start()
    sql(meesh, "CREATE SCHEMA lake.shop")
    sql(meesh, ORDERS)
    with webhook(port) as hook:
        yield meesh, hook
    meesh.stop()


def state(meesh, dashboard, name="a"):
    return next(a for a in api(meesh, "GET", "/dashboard-alerts").json()["alerts"]
                if (a["dashboard"], a["name"]) == (dashboard, name))


def alert_board(table, **alert):
    return one_chart(f"SELECT sum(n) AS n FROM {table}",
                     alerts=[{"name": "a", "chart": "c", "every": "1s", "to": {"webhook": "ops"},
                              **alert}])


def told_of(hook, dashboard):
    return [body for body in list(hook.bodies) if body["dashboard"] == dashboard]


def test_an_alert_fires_once_and_is_resolved(alerting):
    meesh, hook = alerting
    sql(meesh, "CREATE TABLE lake.shop.level AS SELECT 5 AS n")
    put(meesh, "level", alert_board("lake.shop.level", above=10))
    wait_until(lambda: state(meesh, "level")["state"] == "ok", 15, "asked")
    assert told_of(hook, "level") == []
    sql(meesh, "INSERT INTO lake.shop.level VALUES 50")
    wait_until(lambda: told_of(hook, "level"), 15, "the webhook called")
    time.sleep(2.5)  # asked again twice
    assert [b["event"] for b in told_of(hook, "level")] == ["firing"]
    assert told_of(hook, "level")[0]["value"] == 55 and "above 10" in told_of(hook, "level")[0]["message"]
    sql(meesh, "DELETE FROM lake.shop.level WHERE n = 50")
    wait_until(lambda: len(told_of(hook, "level")) == 2, 15, "resolved")
    assert told_of(hook, "level")[1]["event"] == "resolved"
    history = api(meesh, "GET", "/dashboard-alerts/history?dashboard=level").json()["history"]
    assert [event["state"] for event in history] == ["ok", "firing", "ok"]


def test_a_firing_alert_repeats_if_asked_to(alerting):
    meesh, hook = alerting
    put(meesh, "again", alert_board("(VALUES 1) AS t (n)", below=10, repeat="2s"))
    wait_until(lambda: len(told_of(hook, "again")) >= 3, 20, "told three times")
    assert {b["event"] for b in told_of(hook, "again")} == {"firing"}


def test_change_no_data_and_errors(alerting):
    meesh, hook = alerting
    sql(meesh, "CREATE TABLE lake.shop.sales AS SELECT 100 AS n")
    put(meesh, "change", alert_board("lake.shop.sales", change={"percent": -20, "periods": 1},
                                     no_data=True))
    wait_until(lambda: state(meesh, "change")["state"] == "ok", 15, "asked")
    sql(meesh, "UPDATE lake.shop.sales SET n = 70")
    wait_until(lambda: told_of(hook, "change"), 15, "told")
    assert "-30.0 %" in told_of(hook, "change")[0]["message"]
    wait_until(lambda: state(meesh, "change")["state"] == "ok", 15, "the change is over")
    sql(meesh, "DELETE FROM lake.shop.sales")
    wait_until(lambda: state(meesh, "change")["state"] == "no_data", 15, "no data")
    sql(meesh, "DROP TABLE lake.shop.sales")
    wait_until(lambda: state(meesh, "change")["state"] == "error", 15, "an error")
    assert "does not exist" in state(meesh, "change")["message"]


def test_notices_arrive_after_the_webhook_was_away(alerting):
    meesh, hook = alerting
    hook.status = 500
    put(meesh, "away", alert_board("(VALUES 1) AS t (n)", below=10))
    wait_until(lambda: state(meesh, "away")["state"] == "firing", 15, "firing")
    time.sleep(1)
    hook.status = 200
    wait_until(lambda: told_of(hook, "away"), 20, "told in the end")


def test_trying_an_alert(alerting):
    meesh, hook = alerting
    put(meesh, "tried", alert_board("(VALUES 1) AS t (n)", above=10, every="1h"))
    told = api(meesh, "POST", "/dashboard-alerts/tried/a/test", json={"notify": True}).json()
    assert (told["state"], told["value"]) == ("ok", 1)
    assert [b["event"] for b in told_of(hook, "tried")] == ["test"]
    assert api(meesh, "POST", "/dashboard-alerts/tried/nobody/test").status_code == 404


def test_a_report_goes_into_a_bucket_and_can_be_downloaded(alerting):
    meesh, _ = alerting
    dashboard = {**SHOP, "title": "<script>alert(1)</script>", "reports": [
        {"name": "weekly", "cron": "0 8 * * 1", "to": {"bucket": "s3://reports/weekly"}}]}
    put(meesh, "reported", dashboard)
    page = api(meesh, "POST", "/dashboards/reported/reports/weekly/run?download=true")
    assert page.status_code == 200 and "<svg" in page.text and "<script>alert" not in page.text
    assert "30.50" in page.text or "FR" in page.text
    went = api(meesh, "POST", "/dashboards/reported/reports/weekly/run").json()["went"]
    assert went and went[0].startswith("s3://reports/weekly/reported-weekly-")
    listed = api(meesh, "GET", "/dashboard-reports").json()["reports"]
    assert [r["name"] for r in listed if r["dashboard"] == "reported"] == ["weekly"]
    assert api(meesh, "POST", "/dashboards/reported/reports/nobody/run").status_code == 404


def test_without_a_browser_a_pdf_is_html_and_says_so(work_folder):
    mesh = make_mesh(work_folder / "no-browser")
    write_yaml(mesh / "dashboards" / "r.yaml", one_chart("SELECT 1 AS a", reports=[
        {"name": "r", "cron": "0 8 * * 1", "format": "pdf", "to": {"bucket": "s3://reports"}}]))
    meesh = Meesh(mesh, work_folder / "no-browser-data", environment={"MEESH_BROWSER": ""}).start()
    try:
        told = api(meesh, "POST", "/dashboards/r/reports/r/run").json()
        assert told["content_type"].startswith("text/html") and "no browser" in told["note"]
    finally:
        meesh.stop()


# ---- the demo's own


def test_every_chart_of_the_demo_answers(demo_ran):
    boards = api(demo_ran, "GET", "/dashboards").json()["dashboards"]
    assert {b["name"] for b in boards} == {
        "campaign_performance", "customer_metrics", "live_sales", "northwind_kpi", "platform",
        "retail_kpi", "rfm"}
    for board in boards:
        assert "mistake" not in board, board
        if board["name"] == "live_sales":
            continue  # its stream waits for Kafka
        for line in data(demo_ran, name=board["name"]).values():
            assert "problem" not in line, (board["name"], line["id"], line.get("problem"))
            assert line["rows"] or line["id"] == "failures", (board["name"], line["id"])
