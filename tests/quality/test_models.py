"""Write, audit, publish: what readers see of models whose checks fail, and of a server that is
killed at it."""
import random
import threading
import time

import pytest
from support.meesh import plain_mesh, write_yaml
from support.processes import free_ports
from support.quality_server import Server

ROWS = 10_000


def mesh(folder, assets):
    port = free_ports(1)[0]
    plain_mesh(folder, {"shop": {"kind": "managed", "name": "shop_db", "port": port,
                                 "user": "admin", "password": "admin123"}})
    write_yaml(folder / "pipelines" / "shop.yaml", {"name": "shop", "assets": assets})
    return folder


def fill(server, version, amount=1):
    """Every row of the source says which version it is of. The rows change in one transaction, as a
    run that was resumed may be reading them (in PostgreSQL a table that is made anew is empty to who
    has begun before)."""
    if server.sql("SHOW TABLES FROM shop.public LIKE 'source'"):
        server.sql(f"UPDATE shop.public.source SET version = {version}, amount = {amount}")
        return
    server.sql(f"""CREATE TABLE shop.public.source AS
        SELECT i AS id, {version} AS version, {amount} AS amount
        FROM UNNEST(sequence(1, {ROWS})) AS s(i)""")


def model(table, **more):
    return {table: {"sql": "SELECT * FROM shop.public.source",
                    "checks": [{"kind": "range", "column": "amount", "min": 0}], **more}}


def run(server, code=0):
    done = server.run("run", "shop", "--server", server.url)
    assert done.returncode == code, done.stdout + done.stderr
    return done


def seen(server, table):
    """What a reader sees: versions, rows and the least amount."""
    return server.sql(f"SELECT min(version), max(version), count(*), min(amount) FROM {table}")[0]


def run_while_read(server, table, code=0):
    """A run of the pipeline, and all that readers saw meanwhile."""
    over, found = threading.Event(), []

    def read():
        while not over.is_set():
            one = list(seen(server, table))
            if one not in found:
                found.append(one)

    readers = [threading.Thread(target=read) for _ in range(3)]
    for reader in readers:
        reader.start()
    try:
        return run(server, code), found
    finally:
        over.set()
        for reader in readers:
            reader.join()


@pytest.mark.parametrize("table", ["lake.silver.orders", "shop.public.orders"])
def test_readers_keep_the_last_good_rows(folder, request, table):
    server = Server(mesh(folder / "mesh", model(table)), folder / "data").start()
    request.addfinalizer(server.stop)
    fill(server, 1)
    run(server)
    old, new = [1, 1, ROWS, 1], [3, 3, ROWS, 1]
    fill(server, 2, amount=-1)
    refused, found = run_while_read(server, table, code=1)
    assert found == [old]
    assert "range(amount)" in refused.stdout + refused.stderr
    fill(server, 3)
    _, found = run_while_read(server, table)
    assert all(one in (old, new) for one in found), found
    assert list(seen(server, table)) == new
    left = server.sql("SHOW TABLES FROM shop.public LIKE '%candidate%'")
    assert left == []


def killed(folder, request, rounds):
    table = "lake.silver.orders"
    server = Server(mesh(folder / "mesh", model(table)), folder / "data").start()
    request.addfinalizer(server.stop)
    chance = random.Random(7)
    fill(server, 0)
    run(server)
    for version in range(1, rounds + 1):
        before = seen(server, table)[0]
        fill(server, version, amount=chance.choice([1, -1]))
        server.run("run", "shop", "--detach", "--server", server.url)
        time.sleep(chance.random())  # anywhere in the run
        server.kill()
        server.start()
        low, high, rows, amount = seen(server, table)
        assert low == high and before <= low <= version and rows == ROWS and amount == 1
    fill(server, rounds + 1)
    run(server)
    assert list(seen(server, table)) == [rounds + 1, rounds + 1, ROWS, 1]


def test_a_server_killed_at_it_leaves_nothing_half(folder, request):
    killed(folder, request, 4)


@pytest.mark.full
def test_a_server_killed_at_it_leaves_nothing_half_forty_times(folder, request):
    killed(folder, request, 40)
