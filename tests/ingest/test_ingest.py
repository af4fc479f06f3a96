"""`meesh ingest` and its API, on a real PostgreSQL server."""
import json

import pytest
import requests


def test_a_source_is_added_checked_discovered_and_run(shop):
    shop.postgres.query("CREATE TABLE orders (id int PRIMARY KEY, total numeric(10,2), "
                        "updated_at timestamptz DEFAULT now());"
                        "INSERT INTO orders SELECT i, i * 1.5 FROM generate_series(1, 1000) i;"
                        "ANALYZE orders")
    shop.meesh.start()
    added = shop.ingest("add", "northwind", "--catalog", "shop")
    assert "PostgreSQL" in added and "1 tables" in added
    assert (shop.meesh.mesh / "sources" / "northwind.yaml").exists()
    assert "already" in shop.ingest("add", "northwind", "--catalog", "shop", code=1)
    assert "PostgreSQL" in shop.ingest("check")
    table = shop.ingest("discover", "northwind")
    assert "orders" in table and "~1,000" in table and "updated_at" in table
    proposed = shop.ingest("discover", "northwind", "--yaml")
    assert "orders: { mode: incremental, cursor: updated_at, key: [id] }" in proposed
    out = shop.ingest("run", "northwind", "--run-date", "2025-01-15")
    assert "✓ orders → lake.bronze.orders: 1,000 rows (2025-01-15)" in out
    assert shop.query("SELECT count(*), sum(total) FROM lake.bronze.orders") == [
        [1000, shop.postgres.query("SELECT sum(total) FROM orders")[0][0]]]
    assert "succeeded" in shop.ingest("status")
    status = shop.api("status")
    assert status["metrics"]["success_rate"] == 1 and status["metrics"]["rows"] == 1000
    assert status["streams"][0]["last"]["bytes"] > 0
    # The source is there after a restart, and so is its history.
    shop.meesh.stop()
    shop.meesh.start()
    assert shop.api("history")["syncs"][0]["state"] == "succeeded"
    lines = [json.loads(line) for line in shop.ingest("run", "northwind.orders", "--json").split("\n")
             if line]
    assert lines[0] == {"begin": "orders"} and lines[-1]["rows"] == 1000


def test_a_failed_table_fails_the_run_and_the_others_go_on(shop):
    shop.postgres.query("CREATE TABLE a (id int); CREATE TABLE z (id int); INSERT INTO z VALUES (1)")
    shop.source("s", kind="postgresql", catalog="shop", tables={"a": {"exclude": ["id"]}, "z": {}})
    shop.meesh.start()
    out = shop.ingest("run", code=1)
    assert "✗ a: " in out and "✓ z → lake.bronze.z: 1 rows" in out


@pytest.mark.parametrize("arguments, told", [
    (["run", "nothing"], "there is no source 'nothing'"),
    (["run", "s.missing"], "the source 's' takes no 'missing'"),
    (["run", "s", "--run-date", "2025-02-30"], "'2025-02-30' is no run date"),
    (["add", "../evil", "--catalog", "shop"], "is no name of a source"),
    (["add", "x", "--catalog", "nowhere"], "there is no catalog 'nowhere'"),
    (["add", "x", "--path", "/etc/passwd", "--kind", "files"], "outside of the mesh's folder"),
])
def test_mistakes_are_told(shop, arguments, told):
    shop.postgres.query("CREATE TABLE t (id int)")
    shop.source("s", kind="postgresql", catalog="shop", tables={"t": {}})
    shop.meesh.start()
    assert told in shop.ingest(*arguments, code=1)


def test_an_unreachable_server_is_named(shop):
    shop.postgres.query("CREATE TABLE t (id int)")
    shop.source("s", kind="postgresql", catalog="shop")
    shop.meesh.start()
    shop.postgres.kill()
    out = shop.ingest("check", "s", code=1)
    assert "Source 's'" in out and str(shop.postgres.port) in out


def test_a_page_of_another_site_cannot_make_sources(shop):
    shop.meesh.start()
    answer = requests.put(f"{shop.meesh.url}/api/v1/ingest/sources/x", timeout=10,
                          headers={"Content-Type": "text/plain"},
                          data=json.dumps({"yaml": "kind: files\ntables: {}\n"}))
    assert answer.status_code == 415
    assert not (shop.meesh.mesh / "sources").exists()


def test_files_land_with_what_is_malformed_put_aside(shop):
    text = "id,amount\n" + "".join(f"{i},{i}.5\n" if i % 20 else f"{i},1,2,3\n"
                                   for i in range(1, 2001))
    uploads = shop.meesh.mesh / "data" / "uploads"
    uploads.mkdir(parents=True)
    (uploads / "leads.csv").write_text(text)
    shop.source("uploads", kind="files", malformed="quarantine",
                tables={"leads": {"path": "data/uploads/*.csv"}})
    shop.meesh.start()
    assert "1,900 rows" in shop.ingest("run", "uploads")
    assert shop.query("SELECT count(*), count(DISTINCT id) FROM lake.bronze.leads") == [[1900, 1900]]
    rejected = shop.query("SELECT _line, _text FROM lake.bronze.leads__rejected ORDER BY _line")
    assert len(rejected) == 100 and rejected[0] == [21, "20,1,2,3"]
