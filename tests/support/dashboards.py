"""Dashboards over HTTP: a mesh that has some, and asking it."""
import json

import requests
import trino

from support.meesh import plain_mesh, write_yaml

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
