"""MariaDB as a source: every type, every mode, large tables, errors that tell."""
import datetime
import decimal

import pytest

from ingest.conftest import LAKE, IngestMesh
from support.mariadb import MariaDBServer, external
from support.meesh import Meesh, plain_mesh

TYPES = """CREATE TABLE kinds (
  id bigint unsigned PRIMARY KEY, ti tinyint, tu tinyint unsigned, b1 tinyint(1), bi1 bit(1),
  bi10 bit(10), bi64 bit(64), su smallint unsigned, mu mediumint unsigned, iu int unsigned, y year,
  f float, d double, dc decimal(10,2), dcbig decimal(60,20), da date, ti6 time(6), dt datetime(6),
  ts timestamp(3) NULL, c char(5), vc varchar(20), tx text, bn binary(4), vb varbinary(10), bl blob,
  e enum('a','b''c'), s set('x','y'), j json, l1 varchar(10) CHARACTER SET latin1,
  u2 varchar(10) CHARACTER SET ucs2, u uuid, ip inet6)"""
ROW = """INSERT INTO kinds VALUES (18446744073709551615, -5, 200, 1, b'1', b'1000000001',
  18446744073709551615, 65000, 16000000, 4000000000, 2024, 1.2345679, 2.5, -12345.67,
  12345.678, '2024-01-31', '12:34:56.123456', '2024-01-31 01:02:03.123456',
  '2024-06-30 01:02:03.123', 'ab', 'väl€', 'text', 'ab', 'vb', x'00ff', 'b''c', 'x,y',
  '{"a": 1}', 'é', 'ü', '123e4567-e89b-12d3-a456-426655440000', '::1')"""
ZEROS = """INSERT INTO kinds (id, da, dt, ts, ti6, y) VALUES
  (1, '0000-00-00', '0000-00-00', '0000-00-00', '-120:00:00', 0),
  (2, '2024-00-00', '2024-05-00', NULL, '838:59:59', 1901)"""
EXPECTED = {
    "id": decimal.Decimal(18446744073709551615), "ti": -5, "tu": 200, "b1": 1, "bi1": True,
    "bi10": 513, "bi64": decimal.Decimal(18446744073709551615), "su": 65000, "mu": 16000000,
    "iu": 4000000000, "y": 2024, "f": pytest.approx(1.2345679, rel=1e-7), "d": 2.5,
    "dc": decimal.Decimal("-12345.67"), "dcbig": "12345.67800000000000000000",
    "da": datetime.date(2024, 1, 31), "ti6": datetime.time(12, 34, 56, 123456),
    "dt": datetime.datetime(2024, 1, 31, 1, 2, 3, 123456), "c": "ab", "vc": "väl€", "tx": "text",
    "bn": b"ab\0\0", "vb": b"vb", "bl": b"\0\xff", "e": "b'c", "s": "x,y", "j": '{"a": 1}',
    "l1": "é", "u2": "ü", "ip": "::1"}


@pytest.fixture
def mariadb(folder):
    server = MariaDBServer(folder / "mariadb").create().start()
    yield server
    server.stop()


@pytest.fixture
def shop(folder, mariadb):
    mesh = plain_mesh(folder / "mesh", {"shop": external(mariadb)}, **LAKE)
    made = IngestMesh(Meesh(mesh, folder / "data"), mariadb)
    made.mariadb = mariadb
    yield made
    made.meesh.stop()


def check_types(rows, columns):
    """Of the row of ROW and of those of ZEROS, by id."""
    full = dict(zip(columns, rows[-1]))
    for name, value in EXPECTED.items():
        assert full[name] == value, name
    assert str(full["u"]) == "123e4567-e89b-12d3-a456-426655440000"
    assert full["ts"].astimezone(datetime.timezone.utc) == datetime.datetime(
        2024, 6, 30, 1, 2, 3, 123000, datetime.timezone.utc)
    for zero in rows[:2]:
        named = dict(zip(columns, zero))
        assert [named[name] for name in ("da", "dt", "ts", "ti6")] == [None] * 4
    assert [dict(zip(columns, zero))["y"] for zero in rows[:2]] == [0, 1901]


def make_types(mariadb):
    mariadb.query("SET sql_mode = ''", "SET time_zone = '+00:00'", TYPES, ROW, ZEROS)


def test_every_type_lands_as_it_is(shop):
    make_types(shop.mariadb)
    shop.source("s", kind="mysql", catalog="shop", database="shop")
    shop.meesh.start()
    shop.ingest("run", "s", "--run-date", "2025-01-15")
    columns = [row[0] for row in shop.query("SHOW COLUMNS FROM lake.bronze.kinds")]
    check_types(shop.query("SELECT * FROM lake.bronze.kinds ORDER BY id"), columns)


def test_a_large_table_is_read_in_ranges_and_lands_once(shop):
    shop.mariadb.query("CREATE TABLE big (id int PRIMARY KEY, note varchar(20))",
                       "INSERT INTO big SELECT CAST(seq AS signed) * 3 - 900000, concat('n', seq) "
                       "FROM seq_1_to_600000", "ANALYZE TABLE big")
    shop.source("s", kind="mysql", catalog="shop", database="shop")
    shop.meesh.start()
    for _ in range(2):
        shop.ingest("run", "s", "--run-date", "2025-01-15")
        assert shop.query("SELECT count(*), count(DISTINCT id), min(id), max(id), "
                          "count_if(note = concat('n', CAST((id + 900000) / 3 AS varchar))) "
                          "FROM lake.bronze.big") == [[600000, 600000, -899997, 900000, 600000]]


def test_an_incremental_run_takes_what_is_new(shop):
    shop.mariadb.query(
        "CREATE TABLE orders (id int PRIMARY KEY, state varchar(9), updated_at timestamp(6) NOT "
        "NULL DEFAULT current_timestamp(6) ON UPDATE current_timestamp(6))",
        "INSERT INTO orders (id, state) SELECT seq, 'new' FROM seq_1_to_1000")
    shop.source("s", kind="mysql", catalog="shop", database="shop", tables={
        "orders": {"mode": "incremental", "cursor": "updated_at"}})
    shop.meesh.start()
    shop.ingest("run", "s", "--run-date", "2025-01-15")
    shop.ingest("run", "s", "--run-date", "2025-01-15")
    assert shop.query("SELECT count(*) FROM lake.bronze.orders") == [[1000]]
    shop.mariadb.query("UPDATE orders SET state = 'paid' WHERE id <= 10",
                       "INSERT INTO orders (id, state) VALUES (2000, 'new')",
                       "DELETE FROM orders WHERE id = 500")
    shop.ingest("run", "s", "--run-date", "2025-01-15")
    assert shop.query("SELECT count(*), count_if(state = 'paid'), count_if(id = 2000) "
                      "FROM lake.bronze.orders") == [[1011, 10, 1]]


def test_a_server_that_is_no_catalog_is_named_by_its_connection(folder, mariadb):
    mariadb.query("CREATE TABLE `MiXed` (`Id` int PRIMARY KEY, `Na me` varchar(10))",
                  "INSERT INTO `MiXed` VALUES (1, 'a')")
    mesh = IngestMesh(Meesh(plain_mesh(folder / "mesh", **LAKE), folder / "data"), None)
    mesh.source("s", kind="mysql", database="shop", connection={
        "host": "127.0.0.1", "port": mariadb.port, "user": mariadb.user,
        "password": mariadb.password})
    mesh.meesh.start()
    try:
        told = mesh.ingest("discover", "s")
        assert "mixed" in told
        mesh.ingest("run", "s")
        assert mesh.query('SELECT id, "na me" FROM lake.bronze.mixed') == [[1, "a"]]
        mariadb.stop()
        failed = mesh.ingest("run", "s", code=1)
        assert "is MySQL running at 127.0.0.1" in failed and mariadb.password not in failed
    finally:
        mesh.meesh.stop()
