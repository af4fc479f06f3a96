"""A PostgreSQL server that goes away under meesh, and comes back."""
import threading

import pytest

from support.answers import Statement, error_of, rows_of
from support.meesh import external, plain_mesh
from support.processes import wait_until

# Each row takes a moment, and there are very many.
SLOW = "CREATE VIEW slow AS SELECT i, (pg_sleep(0.01) IS NULL)::int AS waited " \
       "FROM generate_series(1, 1000000) AS i"


@pytest.fixture
def sales(postgres):
    server = postgres("sales_db")
    server.query("CREATE TABLE items (id integer, name varchar(20))")
    server.query("INSERT INTO items SELECT i, 'item ' || i FROM generate_series(1, 1000) AS i")
    server.query(SLOW)
    return server


@pytest.fixture
def meesh(start_meesh, folder, sales):
    return start_meesh(plain_mesh(folder / "mesh", {"sales": external(sales)}), folder / "data")


COUNT = "SELECT count(*) FROM sales.public.items"


def is_lost(error):
    return error["errorType"] == "EXTERNAL" and "sales" in error["message"]


def test_killed_under_a_query_the_query_fails_as_external_and_the_next_ones_work(meesh, sales):
    statement = Statement(meesh.url, "SELECT sum(waited) FROM sales.public.slow")
    result = {}
    thread = threading.Thread(target=lambda: result.update(zip(("rows", "error"),
                                                               statement.finish())))
    thread.start()
    wait_until(lambda: sales.query("SELECT count(*) FROM pg_stat_activity WHERE state = 'active' "
                                   "AND query LIKE '%slow%' AND pid <> pg_backend_pid()"
                                   )[0][0] > 0, 60, "the query at work in PostgreSQL")
    sales.kill()
    thread.join(60)
    assert not thread.is_alive() and is_lost(result["error"]), result

    assert is_lost(error_of(meesh.url, COUNT))
    assert rows_of(meesh.url, "SELECT count(*) FROM tpch.tiny.region") == [[5]]  # others go on
    sales.start()
    assert rows_of(meesh.url, COUNT) == [[1000]]


def test_restarted_between_queries_nobody_notices(meesh, sales):
    assert rows_of(meesh.url, COUNT) == [[1000]]
    sales.kill()
    sales.start()
    assert rows_of(meesh.url, COUNT) == [[1000]]


def test_a_mesh_starts_while_a_database_is_down_and_finds_it_later(start_meesh, folder, sales):
    sales.stop()
    meesh = start_meesh(plain_mesh(folder / "mesh", {"sales": external(sales)}), folder / "data")
    error = error_of(meesh.url, COUNT)
    assert is_lost(error)
    assert str(sales.port) in error["message"] and sales.password not in error["message"]
    sales.start()
    assert rows_of(meesh.url, COUNT) == [[1000]]


def test_a_wrong_password_is_an_external_error_that_does_not_show_it(start_meesh, folder, sales):
    where = {**external(sales), "password": "not-the-password"}
    meesh = start_meesh(plain_mesh(folder / "mesh", {"sales": where}), folder / "data")
    error = error_of(meesh.url, COUNT)
    assert is_lost(error)
    assert "not-the-password" not in str(error) and "not-the-password" not in meesh.log_text()


def test_a_cancelled_query_is_over_for_the_client_and_in_postgresql(meesh, sales):
    statement = Statement(meesh.url, "SELECT sum(waited) FROM sales.public.slow")

    def active():
        return sales.query("SELECT count(*) FROM pg_stat_activity WHERE state = 'active' "
                           "AND query LIKE '%slow%' AND pid <> pg_backend_pid()")[0][0]

    def step():
        statement.next()
        return active()

    wait_until(step, 60, "the query at work in PostgreSQL", every=0.1)
    statement.http.delete(statement.page["nextUri"], headers=statement.headers)
    wait_until(lambda: rows_of(meesh.url, "SELECT state, error_code FROM system.runtime.queries "
                               f"WHERE query_id = '{statement.page['id']}'")
               == [["FAILED", "USER_CANCELED"]], 30, "the query cancelled", every=0.1)
    wait_until(lambda: active() == 0, 10, "PostgreSQL at rest", every=0.1)
    assert rows_of(meesh.url, COUNT) == [[1000]]
    assert meesh.stop() == 0
