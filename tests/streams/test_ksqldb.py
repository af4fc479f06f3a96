"""Streams and tables of ksqlDB in the lake, by feeds: over a recorded conversation (see
support/ksqldb_server.py), with HTTP/2 as ksqlDB speaks it."""
import json
from contextlib import contextmanager
from datetime import date, datetime, time
from decimal import Decimal

import pytest
import trino
import yaml

from support.ksqldb_server import KsqldbServer, conversation
from support.meesh import Meesh, plain_mesh

LAKE = {"location": "s3://lake", "allowed_locations": ["s3://data-lake"]}
STREAMS = ("transaction_stream", "transaction_flattened", "transaction_stream_anonymized",
           "transaction_stream_blacklisted")
TABLES = ("user_transaction_summary", "user_transaction_summary_eur", "payment_method_totals",
          "product_purchase_counts")


class Lake:
    def __init__(self, folder, settings, feeds):
        mesh = plain_mesh(folder / "mesh", lake=LAKE)
        (mesh / "feeds" / "active").mkdir(parents=True)
        (mesh / "feeds" / "settings.yaml").write_text(yaml.safe_dump({"ksqldb": settings}))
        for name, kind in feeds.items():
            (mesh / "feeds" / "active" / f"{name}.json").write_text(json.dumps(
                {"feed_name": name, "feed_type": kind, "ksqldb_source": name}))
        self.meesh = Meesh(mesh, folder / "data").start()

    def query(self, sql):
        connection = trino.dbapi.connect(host=self.meesh.host, port=self.meesh.port, user="tester")
        try:
            cursor = connection.cursor()
            cursor.execute(sql)
            return [tuple(row) for row in cursor.fetchall()]
        finally:
            connection.close()

    def export(self, *names, code=0):
        done = self.meesh.run("feed", "export", *names, "--server", self.meesh.url)
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout + done.stderr


@contextmanager
def lake_of(folder, server, feeds, **settings):
    lake = Lake(folder, {"url": server.url, **settings}, feeds)
    try:
        yield lake
    finally:
        lake.meesh.stop()


@pytest.fixture(scope="module")
def server():
    with KsqldbServer(conversation("payments")) as server:
        yield server


@pytest.fixture(scope="module")
def lake(server, tmp_path_factory):
    feeds = {**dict.fromkeys([*STREAMS, "all_types"], "stream"), **dict.fromkeys(TABLES, "table"),
             "blacklisted_users": "table", "no_such_stream": "stream"}
    with lake_of(tmp_path_factory.mktemp("ksqldb"), server, feeds) as lake:
        yield lake


def row(offset, number):
    """Of TRANSACTION_STREAM, in partition 0."""
    return json.dumps([
        f"t{number}", "A0", "Ana Ruiz", "ana@example.com", "4111111111111111", 12.5, "EUR",
        "paypal", "completed", "FR", "10.0.0.9", "2025-02-01T12:00:00.000", [],
        {"STREET": "1 rue du Lac", "CITY": "Lyon", "ZIP": "69001", "COUNTRY": "FR"},
        1738411200000 + number, 0, offset])


def test_a_stream_goes_on_where_it_was(lake, server):
    count = "SELECT count(*), count(DISTINCT transaction_id) FROM lake.data_lake.transaction_stream"
    lake.export("transaction_stream")
    assert lake.query(count) == [(6, 6)]
    assert lake.query("SELECT amount FROM lake.data_lake.transaction_stream "
                      "WHERE transaction_id = 't1'") == [(Decimal("12345678901234567.89"),)]
    asked = [one for one in server.requests if one["path"] == "/query-stream"]
    assert {one["protocol"] for one in asked} == {"h2"}
    assert asked[-1]["properties"] == {"auto.offset.reset": "earliest"}
    lake.export("transaction_stream")
    assert lake.query(count) == [(6, 6)]
    server.add_rows("TRANSACTION_STREAM", [row(3, 7), row(4, 8)])
    lake.export("transaction_stream")
    assert lake.query(count) == [(8, 8)]
    assert lake.query("SELECT max(rowoffset) FROM lake.data_lake.transaction_stream "
                      "WHERE rowpartition = 0") == [(4,)]
    assert server.open_queries == 0


def test_every_type(lake):
    lake.export("all_types")
    rows = lake.query(
        "SELECT a_boolean, an_int, a_bigint, a_double, a_decimal, a_string, some_bytes, a_date, "
        'a_time, a_timestamp, a_map, "quoted `name`" FROM lake.data_lake.all_types '
        "WHERE rowoffset = 0")
    assert rows == [(True, -2147483648, 9223372036854775807, 0.30000000000000004,
                     Decimal("1234567890123456789012345678.0123456789"), 'Zoë "q" \\ \n€',
                     b"\x00\x01\x02\xff", date(2024, 2, 29), time(23, 59, 59, 999000),
                     datetime(1969, 12, 31, 23, 59, 59, 999000), '{"a":1,"b":null}',
                     '[{"k":"x","v":[1.5,2e+10,null]}]')]
    assert lake.query("SELECT a_string, a_map FROM lake.data_lake.all_types "
                      "WHERE rowoffset = 1") == [(None, None)]


@pytest.mark.parametrize("name", STREAMS[1:] + TABLES)
def test_each_feed_of_the_payments(lake, name):
    lake.export(name)
    (rows,), = lake.query(f"SELECT count(*) FROM lake.data_lake.{name}")
    assert rows > 0


def test_a_table_is_exported_as_it_is(lake):
    lake.export("user_transaction_summary")
    assert lake.query(
        "SELECT user_id, transactions, total FROM lake.data_lake.user_transaction_summary_current "
        "ORDER BY 1") == [("A0", 2, Decimal("100.10")), ("B1", 3, Decimal("12345678901234602.22")),
                          ("C2", 1, Decimal("487.90"))]


def test_what_ksqldb_refuses_is_told_in_its_words(lake):
    assert "CREATE TABLE QUERYABLE_BLACKLISTED_USERS" in lake.export("blacklisted_users", code=1)
    told = lake.export("no_such_stream", code=1)
    assert "has no stream or table 'no_such_stream'" in told


def test_password_and_a_server_that_goes(tmp_path):
    feeds = {"payment_method_totals": "table"}
    with KsqldbServer(conversation("payments"), user="ana", password="s3cret-word") as server:
        with lake_of(tmp_path / "wrong", server, feeds, user="ana", password="wr0ng-word") as lake:
            told = lake.export("payment_method_totals", code=1)
            assert "Unauthorized" in told
            assert "wr0ng-word" not in told + lake.meesh.log_text()
        right = lake_of(tmp_path / "right", server, feeds, user="ana", password="s3cret-word")
        with right as lake:
            lake.export("payment_method_totals")
            server.stop()
            told = lake.export("payment_method_totals", code=1)
            assert f"ksqlDB at {server.url} did not answer" in told
            assert "s3cret-word" not in told + lake.meesh.log_text()
            assert lake.query("SELECT count(*) FROM lake.data_lake.payment_method_totals") == [(2,)]


def test_a_server_that_speaks_http_1_alone(tmp_path):
    with KsqldbServer(conversation("payments"), only_http1=True) as server:
        with lake_of(tmp_path, server, {"transaction_stream": "stream"}) as lake:
            lake.export("transaction_stream")
            assert lake.query("SELECT count(*) FROM lake.data_lake.transaction_stream") == [(6,)]
    assert {one["path"] for one in server.requests if "SELECT" in one["statement"]} == {"/query"}
