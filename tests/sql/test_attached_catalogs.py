"""Catalogs over MySQL servers and files of SQLite and DuckDB: what they show, and what may be
written."""
import datetime
import decimal
import sqlite3

import duckdb
import pytest
import trino

from ingest.test_mysql import check_types, make_types
from support.mariadb import MariaDBServer, external
from support.meesh import Meesh, plain_mesh


@pytest.fixture(scope="module")
def mariadb(work_folder):
    server = MariaDBServer(work_folder / "attached-mariadb").create().start()
    yield server
    server.stop()


@pytest.fixture(scope="module")
def mesh(work_folder, mariadb):
    files = work_folder / "attached-files"
    files.mkdir()
    with sqlite3.connect(files / "app.db") as app:
        app.execute("CREATE TABLE Users (Id INTEGER PRIMARY KEY, Name TEXT, score REAL, pic BLOB)")
        app.execute("INSERT INTO Users VALUES (1, 'ana', 1.5, x'00ff'), (2, NULL, NULL, NULL)")
    with duckdb.connect(files / "lab.duckdb") as lab:
        lab.execute("CREATE SCHEMA s; CREATE TABLE s.t (u UBIGINT, h HUGEINT, e ENUM ('a', 'b'), "
                    "d DECIMAL(10, 2), l INTEGER[], moment TIMESTAMPTZ); "
                    "INSERT INTO s.t VALUES (18446744073709551615, 5, 'b', 1.25, [1, 2], "
                    "'2024-01-01 00:00:00+00'); CREATE VIEW s.v AS SELECT u + 1 AS w FROM s.t")
    both = {"app": "app.db", "lab": "lab.duckdb"}
    kinds = {"app": "sqlite", "lab": "duckdb"}
    catalogs = {name: {"kind": kinds[name], "path": str(files / file)}
                for name, file in both.items()}
    catalogs["app_rw"] = {"kind": "sqlite", "path": str(files / "new.db"), "read_only": False}
    catalogs["lab_rw"] = {"kind": "duckdb", "path": str(files / "new.duckdb"), "read_only": False}
    catalogs["shop"] = external(mariadb)
    catalogs["all_of_it"] = {k: v for k, v in external(mariadb, read_only=False).items()
                             if k != "name"}
    catalogs["nobody"] = external(mariadb, password="wrong-secret")
    made = Meesh(plain_mesh(work_folder / "attached-mesh", catalogs=catalogs),
                 work_folder / "attached-data").start()
    yield made
    made.stop()


@pytest.fixture
def query(mesh):
    connection = trino.dbapi.connect(host=mesh.host, port=mesh.port, user="tester")

    def run(sql):
        cursor = connection.cursor()
        cursor.execute(sql)
        return cursor.fetchall()
    yield run
    connection.close()


def test_mysql_shows_schemas_tables_columns_and_comments(mariadb, query):
    mariadb.query("CREATE TABLE `MiXed` (`Id` int NOT NULL PRIMARY KEY COMMENT 'number', "
                  "`Na me` varchar(10)) COMMENT 'of all cases'",
                  "INSERT INTO `MiXed` VALUES (1, 'x')",
                  "CREATE VIEW seen AS SELECT `Id` FROM `MiXed`")
    assert ["shop"] in query("SHOW SCHEMAS FROM shop")
    assert ["sys"] not in query("SHOW SCHEMAS FROM all_of_it")
    assert {"mixed", "seen"} <= {row[0] for row in query("SHOW TABLES FROM shop.shop")}
    assert query("DESCRIBE shop.shop.mixed") == [["id", "integer", "", "number"],
                                                 ["na me", "varchar(10)", "", ""]]
    assert query('SELECT "na me", id FROM shop.shop.mixed') == [["x", 1]]
    assert query("SELECT * FROM shop.shop.seen") == [[1]]
    assert query("SELECT connector_name FROM system.metadata.catalogs "
                 "WHERE catalog_name = 'shop'") == [["mysql"]]


def test_every_type_of_mysql_is_read(mariadb, query):
    make_types(mariadb)
    columns = [row[0] for row in query("SHOW COLUMNS FROM shop.shop.kinds")]
    check_types(query("SELECT * FROM shop.shop.kinds ORDER BY id"), columns)
    types = {row[0]: row[1] for row in query("SHOW COLUMNS FROM shop.shop.kinds")}
    assert types["id"] == "decimal(20,0)" and types["tu"] == "smallint" and types["j"] == "json"
    assert types["ts"] == "timestamp(3) with time zone" and types["dt"] == "timestamp(6)"


def test_text_is_equal_as_sql_says_not_as_a_collation_does(mariadb, query):
    mariadb.query("CREATE TABLE words (id int PRIMARY KEY, word varchar(9))",
                  "INSERT INTO words VALUES (1, 'a'), (2, 'A'), (3, 'b'), (4, 'a '), (5, NULL)")
    assert query("SELECT id FROM shop.shop.words WHERE word = 'a'") == [[1]]
    assert query("SELECT id FROM shop.shop.words WHERE word IN ('a', 'b') ORDER BY id") == [[1], [3]]
    assert query("SELECT id FROM shop.shop.words WHERE word > 'B' ORDER BY id") == [[1], [3], [4]]
    assert query("SELECT word, count(*) FROM shop.shop.words GROUP BY 1 ORDER BY 1 NULLS FIRST") == [
        [None, 1], ["A", 1], ["a", 1], ["a ", 1], ["b", 1]]
    assert query("SELECT count(*) FROM shop.shop.words") == [[5]]


def test_filters_reach_the_server_and_give_what_they_would_without_it(mariadb, query):
    mariadb.query("CREATE TABLE n (id int PRIMARY KEY, d date, t datetime(3), z timestamp NULL, "
                  "amount decimal(8,2))",
                  "INSERT INTO n SELECT seq, '2024-01-01' + INTERVAL seq DAY, '2024-01-01' + "
                  "INTERVAL seq HOUR, '2024-01-01' + INTERVAL seq HOUR, seq / 4 "
                  "FROM seq_1_to_100")
    mariadb.root("SET GLOBAL general_log = ON", "SET GLOBAL log_output = 'TABLE'")
    for where, count in {"id = 7": 1, "id BETWEEN 10 AND 19": 10, "id IN (1, 2, 500)": 2,
                         "d < DATE '2024-01-11'": 9, "amount > DECIMAL '20'": 20,
                         "t >= TIMESTAMP '2024-01-02 00:00:00.000'": 77,
                         "z < TIMESTAMP '2024-01-02 00:00:00 UTC' AND id > 20": 3,
                         "id + 1 = 8": 1, "id < 5 OR amount = 25": 5}.items():
        assert query(f"SELECT count(id) FROM shop.shop.n WHERE {where}") == [[count]], where
    mariadb.root("SET GLOBAL general_log = OFF")
    asked = [str(row[0]) for row in
             mariadb.query("SELECT argument FROM mysql.general_log WHERE argument LIKE '%`n`%'")]
    assert any("WHERE `id` = 7" in text for text in asked), asked


def test_rows_of_mysql_are_written_in_one_transaction(mariadb, query):
    query("CREATE SCHEMA all_of_it.made")
    query("CREATE TABLE all_of_it.made.t (id bigint, name varchar(20), moment timestamp(6) with time "
          "zone, raw varbinary, ok boolean, price decimal(10,2)) COMMENT 'ours'")
    query("SET TIME ZONE 'America/New_York'")
    assert query("INSERT INTO all_of_it.made.t VALUES (1, 'it''s', TIMESTAMP '2024-06-01 12:00:00 "
                 "Europe/Paris', X'00ff', true, 1.25), (2, NULL, NULL, NULL, NULL, NULL)") == [[2]]
    assert mariadb.query("SET time_zone = '+00:00'", "SELECT id, name, moment, hex(raw), ok + 0, price "
                         "FROM made.t ORDER BY id") == [
        (1, "it's", datetime.datetime(2024, 6, 1, 10), "00FF", 1, decimal.Decimal("1.25")),
        (2, None, None, None, None, None)]
    assert query("CREATE TABLE all_of_it.made.u AS SELECT id, name FROM all_of_it.made.t") == [[2]]
    query("ALTER TABLE all_of_it.made.u ADD COLUMN more integer")
    with pytest.raises(trino.exceptions.TrinoQueryError):
        query("INSERT INTO all_of_it.made.u SELECT id, name, 1 / (id - 2) FROM all_of_it.made.t")
    assert query("SELECT count(*) FROM all_of_it.made.u") == [[2]]
    query("DROP TABLE all_of_it.made.u")
    query("DROP SCHEMA all_of_it.made CASCADE")
    assert ["made"] not in query("SHOW SCHEMAS FROM all_of_it")


def test_a_catalog_is_read_only_unless_it_says_so(mariadb, query):
    mariadb.query("CREATE TABLE safe (id int)")
    for sql in ("INSERT INTO shop.shop.safe VALUES (1)", "DROP TABLE shop.shop.safe",
                "INSERT INTO app.main.users (id) VALUES (9)", "CREATE TABLE lab.s.x (i integer)"):
        with pytest.raises(trino.exceptions.TrinoQueryError) as refused:
            query(sql)
        assert refused.value.error_name in ("PERMISSION_DENIED", "NOT_SUPPORTED"), sql
    assert mariadb.query("SELECT count(*) FROM safe") == [(0,)]


def test_what_is_wrong_is_told_without_the_password(mariadb, query):
    with pytest.raises(trino.exceptions.TrinoQueryError) as refused:
        query("SELECT * FROM nobody.shop.t")
    assert "Catalog 'nobody'" in str(refused.value) and "Access denied" in str(refused.value)
    assert "wrong-secret" not in str(refused.value)


def test_a_sqlite_file_is_read_and_written(query):
    assert query("SHOW SCHEMAS FROM app") == [["information_schema"], ["main"]]
    assert query("SELECT id, name, score, pic FROM app.main.users ORDER BY id") == [
        [1, "ana", 1.5, b"\0\xff"], [2, None, None, None]]
    query("CREATE TABLE app_rw.main.t (id bigint, name varchar)")
    assert query("INSERT INTO app_rw.main.t VALUES (1, 'a'), (2, 'b')") == [[2]]
    assert query("UPDATE app_rw.main.t SET name = 'c' WHERE id = 2") == [[1]]
    assert query("DELETE FROM app_rw.main.t WHERE id = 1") == [[1]]
    assert query("SELECT * FROM app_rw.main.t") == [[2, "c"]]


def test_a_duckdb_file_is_read_and_written(query):
    row = query("SELECT u, h, e, d, l, moment FROM lab.s.t")[0]
    assert row[:5] == [decimal.Decimal(18446744073709551615), decimal.Decimal(5), "b",
                       decimal.Decimal("1.25"), [1, 2]]
    assert query("SELECT CAST(u AS varchar) FROM lab.s.t WHERE e = 'b'") == [["18446744073709551615"]]
    query("CREATE SCHEMA lab_rw.s")
    query("CREATE TABLE lab_rw.s.t AS SELECT e, d FROM lab.s.t")
    assert query("SELECT * FROM lab_rw.s.t") == [["b", decimal.Decimal("1.25")]]
    assert query("UPDATE lab_rw.s.t SET d = 2 WHERE e = 'b'") == [[1]]
    query("DROP TABLE lab_rw.s.t")
    assert query("SHOW TABLES FROM lab_rw.s") == []


def test_tables_of_all_kinds_are_joined(mariadb, query):
    mariadb.query("CREATE TABLE joined (id int PRIMARY KEY, name varchar(9))",
                  "INSERT INTO joined VALUES (1, 'ana')")
    assert query("SELECT m.name FROM shop.shop.joined m JOIN app.main.users u ON u.name = m.name "
                 "JOIN lab.s.t ON t.d > m.id") == [["ana"]]
