"""A PostgreSQL server that goes away while rows are written to it: that statement fails alone."""
import threading

import pytest
from support.answers import Statement, error_of, rows_of
from support.meesh import external, plain_mesh
from support.processes import wait_until

MANY = ("SELECT a * 10000 + b AS id, to_hex(sha256(to_utf8(CAST(a * 10000 + b AS varchar)))) AS junk "
        "FROM UNNEST(sequence(0, 999)) AS t(a) CROSS JOIN UNNEST(sequence(0, 9999)) AS u(b)")


@pytest.mark.parametrize("write", [
    f"INSERT INTO sales.public.items {MANY}",
    f"CREATE TABLE sales.public.made AS {MANY}",
    "UPDATE sales.public.slow SET id = id + (SELECT count(*) FROM tpch.tiny.region)",
], ids=["insert", "create", "update"])
def test_the_statement_fails_and_the_next_ones_work(start_meesh, folder, postgres, write):
    sales = postgres("sales_db", settings=["fsync=off"])
    sales.query("CREATE TABLE items (id bigint, junk text); INSERT INTO items VALUES (-1, 'kept');"
                "CREATE TABLE slow AS SELECT i AS id FROM generate_series(1, 100000) i;"
                "CREATE FUNCTION wait() RETURNS trigger LANGUAGE plpgsql AS "
                "$$ BEGIN PERFORM pg_sleep(0.01); RETURN NEW; END $$;"
                "CREATE TRIGGER slowly BEFORE UPDATE ON slow FOR EACH ROW EXECUTE FUNCTION wait()")
    meesh = start_meesh(plain_mesh(folder / "mesh", {"sales": external(sales)}), folder / "data")
    rows_of(meesh.url, "CREATE TABLE memory.default.mine AS SELECT 1 AS one")
    statement, result = Statement(meesh.url, write), {}
    thread = threading.Thread(target=lambda: result.update(zip(("rows", "error"),
                                                               statement.finish())))
    thread.start()
    wait_until(lambda: sales.query(
        "SELECT count(*) FROM pg_stat_activity WHERE state = 'active' AND pid <> pg_backend_pid() AND "
        "(query LIKE 'COPY%' OR query LIKE '%UPDATE%')")[0][0] > 0, 60, "the write at work")
    sales.kill()
    thread.join(60)
    assert not thread.is_alive()
    assert result["error"]["errorType"] == "EXTERNAL", result
    assert "sales" in result["error"]["message"]
    assert rows_of(meesh.url, "SELECT one FROM memory.default.mine") == [[1]]
    assert error_of(meesh.url, "SELECT * FROM sales.public.items")["errorType"] == "EXTERNAL"
    sales.start()
    assert rows_of(meesh.url, "SELECT id FROM sales.public.items") == [[-1]]
    assert rows_of(meesh.url, "SELECT min(id) FROM sales.public.slow") == [[1]]
    tables = [name for [name] in rows_of(meesh.url, "SHOW TABLES FROM sales.public")]
    assert [name for name in tables if name != "made"] == ["items", "slow"]
    if "made" in tables:  # the server went before it could be dropped again
        assert rows_of(meesh.url, "SELECT count(*) FROM sales.public.made") == [[0]]
    rows_of(meesh.url, "INSERT INTO sales.public.items VALUES (2, 'again')")
    assert sales.query("SELECT count(*) FROM items") == [(2,)]
