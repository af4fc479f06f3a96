"""Lineage of what statements write: by the API, in the terminal, across a kill."""
import json
from concurrent.futures import ThreadPoolExecutor

import pytest

@pytest.fixture
def shop(lineage):
    """orders and customers → sales (a view between) → totals."""
    lineage.sql("CREATE TABLE customers (id bigint, country varchar)")
    lineage.sql("CREATE TABLE orders (id bigint, customer bigint, price double, quantity integer)")
    lineage.sql("INSERT INTO customers VALUES (1, 'FR')")
    lineage.sql("INSERT INTO orders VALUES (1, 1, 2.5, 4)")
    lineage.sql("CREATE VIEW paid AS SELECT id, customer, price * quantity AS total FROM orders "
                "WHERE quantity > 0")
    lineage.sql("CREATE TABLE sales AS SELECT c.country, p.total FROM paid p JOIN customers c "
                "ON c.id = p.customer")
    lineage.sql("CREATE TABLE totals AS SELECT country, sum(total) AS revenue FROM sales "
                "GROUP BY country")
    return lineage


def test_tables_are_followed_through_views(shop):
    assert shop.edges("lake.s.totals", direction="upstream") == {
        "lake.s.sales > lake.s.totals", "lake.s.orders > lake.s.sales",
        "lake.s.customers > lake.s.sales", "lake.s.paid > lake.s.sales",
        "lake.s.orders > lake.s.paid"}
    assert shop.edges("lake.s.orders", direction="downstream", depth=1) == {
        "lake.s.orders > lake.s.sales", "lake.s.orders > lake.s.paid"}


def test_columns_are_followed_with_how(shop):
    graph = shop.graph("lake.s.totals", column="revenue", direction="upstream")
    assert {(e["from"]["table"], e["from"]["column"], e["to"]["column"], tuple(e["influences"]))
            for e in graph["edges"]} == {
        ("lake.s.sales", "total", "revenue", ("AGGREGATION",)),
        ("lake.s.orders", "price", "total", ("TRANSFORMATION",)),
        ("lake.s.orders", "quantity", "total", ("TRANSFORMATION",))}
    assert graph["rows"] == [{"table": "lake.s.sales", "column": "country",
                              "influences": ["GROUP_BY"]}]


def test_catalogs_of_every_kind_take_part(lineage):
    lineage.sql("CREATE TABLE memory.default.nations AS SELECT nationkey, name FROM "
                "tpch.tiny.nation WHERE regionkey = 3")
    lineage.sql("CREATE TABLE europe AS SELECT upper(name) AS name FROM memory.default.nations")
    assert lineage.edges("lake.s.europe", column="name") == {
        "memory.default.nations.name > lake.s.europe.name",
        "tpch.tiny.nation.name > memory.default.nations.name"}


def test_insert_adds_and_replacing_starts_anew(lineage):
    for table in "abc":
        lineage.sql(f"CREATE TABLE {table} (n bigint)")
    lineage.sql("INSERT INTO c SELECT n FROM a")
    lineage.sql("INSERT INTO c SELECT n FROM b")
    assert lineage.edges("lake.s.c") == {"lake.s.a > lake.s.c", "lake.s.b > lake.s.c"}
    lineage.sql("CREATE OR REPLACE TABLE c AS SELECT n FROM b")
    assert lineage.edges("lake.s.c") == {"lake.s.b > lake.s.c"}
    lineage.sql("CREATE TABLE IF NOT EXISTS c AS SELECT n FROM a")
    assert lineage.edges("lake.s.c") == {"lake.s.b > lake.s.c"}, "it was there: nothing was done"


def test_merge_update_and_delete(lineage):
    lineage.sql("CREATE TABLE t (id bigint, name varchar)")
    lineage.sql("CREATE TABLE news (id bigint, name varchar)")
    lineage.sql("MERGE INTO t USING news ON t.id = news.id WHEN MATCHED THEN UPDATE SET name = "
                "news.name WHEN NOT MATCHED THEN INSERT VALUES (news.id, news.name)")
    assert lineage.edges("lake.s.t", column="name") == {"lake.s.news.name > lake.s.t.name"}
    lineage.sql("DELETE FROM t WHERE id IN (SELECT id FROM news)")
    lineage.sql("UPDATE t SET name = (SELECT max(name) FROM news)")
    assert lineage.edges("lake.s.t", column="id") == {"lake.s.news.id > lake.s.t.id"}


def test_a_materialized_view_and_its_refresh(lineage):
    lineage.sql("CREATE TABLE t (n bigint)")
    lineage.sql("CREATE MATERIALIZED VIEW m AS SELECT n + 1 AS n FROM t")
    lineage.sql("REFRESH MATERIALIZED VIEW m")
    assert lineage.edges("lake.s.m", column="n") == {"lake.s.t.n > lake.s.m.n"}


def test_dropping_and_renaming(lineage):
    lineage.sql("CREATE TABLE source (n bigint)")
    lineage.sql("CREATE TABLE staging AS SELECT n FROM source")
    lineage.sql("CREATE TABLE target AS SELECT n FROM staging")
    lineage.sql("DROP TABLE staging")
    assert lineage.edges("lake.s.target") == {"lake.s.source > lake.s.target"}
    lineage.sql("ALTER TABLE source RENAME TO origin")
    assert lineage.edges("lake.s.target") == {"lake.s.origin > lake.s.target"}
    lineage.sql("ALTER TABLE origin RENAME COLUMN n TO m")
    assert lineage.edges("lake.s.target", column="n") == {"lake.s.origin.m > lake.s.target.n"}
    assert lineage.get(table="lake.s.origin", column="n").json()["code"] == (
        "COLUMN_NOT_FOUND")
    lineage.sql("CREATE VIEW v AS SELECT n FROM target")
    lineage.sql("ALTER VIEW v RENAME TO w")
    assert lineage.edges("lake.s.w", depth=1, direction="upstream") == {"lake.s.target > lake.s.w"}
    lineage.sql("DROP VIEW w")
    assert lineage.edges("lake.s.target", direction="downstream") == set()


def test_a_failed_statement_leaves_nothing(lineage):
    lineage.sql("CREATE TABLE t (n bigint)")
    lineage.sql("CREATE TABLE source AS SELECT 0 AS n")
    with pytest.raises(Exception, match="DIVISION_BY_ZERO"):
        lineage.sql("INSERT INTO t SELECT 1 / n FROM source")
    assert lineage.edges("lake.s.t") == set()


def test_lineage_is_there_exactly_when_the_rows_are(start_meesh, folder, lineage):
    """Killed right after the answer, the server knows both; a kill is a kill of both."""
    lineage.sql("CREATE TABLE source AS SELECT 1 AS n")
    for i in range(3):
        lineage.sql(f"CREATE TABLE t{i} AS SELECT n FROM source")
        lineage.meesh.kill()
        lineage.meesh = start_meesh(folder / "mesh", folder / "data")
        assert lineage.sql(f"SELECT n FROM t{i}") == [[1]]
        assert lineage.edges(f"lake.s.t{i}") == {f"lake.s.source > lake.s.t{i}"}


def test_the_api_says_what_is_wrong(shop):
    def error(status, **query):
        answer = shop.get(**query)
        assert answer.status_code == status, answer.text
        return answer.json()
    assert error(404, table="lake.s.nope")["code"] == "TABLE_NOT_FOUND"
    mistake = error(400, table="lake.s.totals", column="revenues")
    assert mistake["code"] == "COLUMN_NOT_FOUND" and "revenue" in mistake["hint"]
    for query in ({}, {"table": "lake.s.totals", "direction": "sideways"},
                  {"table": "lake.s.totals", "depth": "0"},
                  {"table": "lake.s.totals", "depth": "x"},
                  {"table": "lake.s.totals", "at": "yesterday"}):
        assert error(400, **query)["code"] == "BAD_REQUEST"


def command(lineage, *arguments):
    return lineage.meesh.run("lineage", *arguments, "--server", lineage.meesh.url)


def test_the_terminal_shows_a_tree(shop):
    done = command(shop, "lake.s.totals", "--up")
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [
        "Comes from:", "lake.s.totals", "└── lake.s.sales  (CREATE TABLE AS SELECT lake.s.totals)",
        "    ├── lake.s.customers  (CREATE TABLE AS SELECT lake.s.sales)",
        "    ├── lake.s.orders  (CREATE TABLE AS SELECT lake.s.sales)",
        "    └── lake.s.paid  (CREATE TABLE AS SELECT lake.s.sales)",
        "        └── lake.s.orders  (CREATE VIEW lake.s.paid)"]
    of_column = command(shop, "lake.s.totals", "--column", "revenue").stdout
    assert "└── lake.s.sales.total  (aggregation)" in of_column
    assert "Feeds nothing that is known" in of_column
    assert "lake.s.sales.country  (group by)" in of_column
    graph = json.loads(command(shop, "lake.s.orders", "--down", "--json").stdout)
    assert graph["table"] == "lake.s.orders" and graph["edges"]


def test_the_terminal_says_what_is_wrong(shop):
    done = command(shop, "lake.s.nope")
    assert done.returncode == 1 and "lake.s.nope" in done.stderr
    done = shop.meesh.run("lineage", "lake.s.totals", "--server", "http://127.0.0.1:1")
    assert done.returncode == 3 and done.stderr
    assert "Examples:" in shop.meesh.run("lineage", "--help").stdout


def test_postgresql_tables_take_part(postgres, lineage_of):
    server = postgres("shop")
    lineage = lineage_of({"shop": server})
    lineage.sql("CREATE TABLE shop.public.orders (id integer, price double)")
    lineage.sql("CREATE TABLE shop.public.big AS SELECT id FROM shop.public.orders WHERE price > 9")
    lineage.sql("CREATE TABLE bronze AS SELECT id FROM shop.public.big")
    assert lineage.edges("lake.s.bronze", column="id") == {
        "shop.public.big.id > lake.s.bronze.id", "shop.public.orders.id > shop.public.big.id"}


def test_lineage_is_kept_in_postgresql_too(postgres, lineage_of):
    server = postgres("metadata")
    url = f"postgresql://{server.user}:{server.password}@127.0.0.1:{server.port}/metadata"
    lineage = lineage_of({}, metadata={"kind": "postgresql", "url": url})
    lineage.sql("CREATE TABLE source (n bigint)")
    lineage.sql("CREATE TABLE staging AS SELECT n FROM source")
    lineage.sql("CREATE TABLE target AS SELECT n + 1 AS n FROM staging")
    lineage.sql("INSERT INTO target SELECT n FROM source")
    lineage.sql("DROP TABLE staging")
    lineage.sql("ALTER TABLE source RENAME TO origin")
    lineage.sql("ALTER TABLE origin RENAME COLUMN n TO m")
    assert lineage.edges("lake.s.target", column="n") == {"lake.s.origin.m > lake.s.target.n"}
    graph = lineage.graph("lake.s.target", column="n")
    assert {tuple(e["influences"]) for e in graph["edges"]} == {("IDENTITY",), ("TRANSFORMATION",)}
    assert len(lineage.events(table="lake.s.target")) == 2
    event = {"eventType": "COMPLETE", "eventTime": "2025-01-15T14:30:00Z", "producer": "p",
             "schemaURL": "s", "run": {"runId": "0190b8a0-1111-7000-8000-0123456789ab"},
             "job": {"namespace": "a", "name": "b"}, "inputs": [{"namespace": "a://b", "name": "é"}],
             "outputs": [{"namespace": f"trino://localhost:{lineage.meesh.port}",
                          "name": "lake.s.target"}]}
    assert lineage.post(event).status_code == 201
    assert "a://b/é > lake.s.target" in lineage.edges("lake.s.target")
    lineage.sql("DROP SCHEMA lake.s CASCADE")
    assert lineage.get(table="lake.s.target").json()["nodes"][0]["dropped_at"]


@pytest.mark.parametrize("metadata", ["sqlite", "postgresql"])
def test_writers_at_the_same_time_do_not_lose_lineage(metadata, postgres, lineage_of):
    kept = {"kind": "sqlite"}
    if metadata == "postgresql":
        server = postgres("metadata")
        kept = {"kind": "postgresql", "url": f"postgresql://{server.user}:{server.password}"
                                             f"@127.0.0.1:{server.port}/metadata"}
    lineage = lineage_of({}, metadata=kept)
    lineage.sql("CREATE TABLE source AS SELECT 1 AS n")

    def work(i):
        lineage.sql(f"CREATE TABLE t{i} AS SELECT n FROM source")
        for _ in range(3):
            lineage.sql(f"INSERT INTO t{i} SELECT n FROM source")

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(work, range(6)))
    assert lineage.edges("lake.s.source") == {f"lake.s.source > lake.s.t{i}" for i in range(6)}
    assert all(len(lineage.events(job=f"INSERT lake.s.t{i}")) == 3 for i in range(6))
