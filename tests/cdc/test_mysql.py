"""Changes of MariaDB by its binlog: what lands, row by row, and what is told when it cannot."""
import pytest

from cdc.conftest import FollowedMesh
from ingest.conftest import LAKE
from ingest.test_mysql import ROW, TYPES, ZEROS, check_types
from support.mariadb import MariaDBServer, external
from support.meesh import Meesh, plain_mesh
from support.processes import wait_until
from support.workload import Workload, history_comes_to_source, same_as_source


class FollowedMariaDB(FollowedMesh):
    mariadb = None

    def follow(self, tables, **more):
        self.source("s", kind="mysql", catalog="shop", database="shop",
                    tables={name: {"mode": "cdc", **table} for name, table in tables.items()}, **more)
        self.meesh.start()

    def plain_connect(self):
        """With transactions that end when they are told to."""
        connection = self.mariadb.connect()
        connection.autocommit(False)
        return connection


def make_followed(folder, settings=()):
    server = MariaDBServer(folder / "mariadb", settings=settings).create().start()
    mesh = plain_mesh(folder / "mesh", {"shop": external(server)}, **LAKE)
    made = FollowedMariaDB(Meesh(mesh, folder / "data"), server)
    made.mariadb = server
    return made


@pytest.fixture
def followed(folder):
    made = make_followed(folder)
    yield made
    made.meesh.stop()
    made.mariadb.stop()


@pytest.fixture
def named_columns(folder):
    """The binlog names columns."""
    made = make_followed(folder, ["binlog-row-metadata=FULL"])
    yield made
    made.meesh.stop()
    made.mariadb.stop()


def bronze(followed, sql):
    return followed.query(sql.replace("FROM ", "FROM lake.bronze."))


def test_every_type_lands_alike_by_snapshot_and_by_change(followed):
    followed.mariadb.query("SET sql_mode = ''", "SET time_zone = '+00:00'", TYPES, ROW, ZEROS)
    followed.follow({"kinds": {}})
    followed.drain()
    columns = [row[0] for row in followed.query("SHOW COLUMNS FROM lake.bronze.kinds")]
    first = bronze(followed, "SELECT * FROM kinds ORDER BY id")
    check_types(first, columns)
    followed.mariadb.query("SET sql_mode = ''", "SET time_zone = '+00:00'", "DELETE FROM kinds",
                           ROW, ZEROS)
    followed.drain()
    again = bronze(followed, "SELECT * FROM kinds ORDER BY id")
    check_types(again, columns)
    own = [i for i, name in enumerate(columns) if not name.startswith("_")]
    assert [[row[i] for i in own] for row in again] == [[row[i] for i in own] for row in first]


def test_inserts_updates_deletes_and_changes_of_keys_land(followed):
    followed.mariadb.query("CREATE TABLE t (id int PRIMARY KEY, v varchar(9))",
                           "INSERT INTO t VALUES (1, 'a'), (2, 'b'), (3, 'c')")
    followed.follow({"t": {"write": "both"}})
    followed.drain()
    followed.mariadb.query("UPDATE t SET v = 'A' WHERE id = 1", "DELETE FROM t WHERE id = 2",
                           "UPDATE t SET id = 30 WHERE id = 3", "INSERT INTO t VALUES (4, NULL)")
    followed.drain()
    assert bronze(followed, "SELECT id, v FROM t ORDER BY id") == [[1, "A"], [4, None], [30, "c"]]
    history = bronze(followed, "SELECT _op, id, v, _before_id FROM t__changes "
                               "ORDER BY _major, _minor, id")
    assert history == [["r", 1, "a", None], ["r", 2, "b", None], ["r", 3, "c", None],
                       ["u", 1, "A", None], ["d", 2, "b", None], ["u", 30, "c", 3],
                       ["c", 4, None, None]]
    followed.drain()
    assert len(bronze(followed, "SELECT _op FROM t__changes")) == 7


def test_a_table_that_is_emptied_or_made_anew_is_so_in_the_lake(followed):
    followed.mariadb.query("CREATE TABLE t (id int PRIMARY KEY)",
                           "INSERT INTO t VALUES (1), (2)")
    followed.follow({"t": {}})
    followed.drain()
    followed.mariadb.query("INSERT INTO t VALUES (3)", "TRUNCATE TABLE t", "INSERT INTO t VALUES (9)")
    followed.drain()
    assert bronze(followed, "SELECT id FROM t") == [[9]]
    followed.mariadb.query("DROP TABLE t", "CREATE TABLE t (id int PRIMARY KEY)",
                           "INSERT INTO t VALUES (11)")
    followed.drain()
    assert bronze(followed, "SELECT id FROM t") == [[11]]


def test_columns_that_come_while_nobody_follows_land(followed):
    followed.mariadb.query("CREATE TABLE t (id int PRIMARY KEY, v int)", "INSERT INTO t VALUES (1, 1)")
    followed.follow({"t": {}})
    followed.drain()
    followed.mariadb.query("INSERT INTO t VALUES (2, 2)", "ALTER TABLE t ADD COLUMN w varchar(9)",
                           "INSERT INTO t VALUES (3, 3, 'x')", "ALTER TABLE t MODIFY v bigint",
                           "UPDATE t SET v = 5000000000 WHERE id = 1")
    followed.drain()
    assert bronze(followed, "SELECT id, v, w FROM t ORDER BY id") == [
        [1, 5000000000, None], [2, 2, None], [3, 3, "x"]]


def test_columns_are_told_apart_by_name_if_the_binlog_has_them(named_columns):
    followed = named_columns
    followed.mariadb.query("CREATE TABLE t (id int PRIMARY KEY, v int, w int)",
                           "INSERT INTO t VALUES (1, 1, 10)")
    followed.follow({"t": {}})
    followed.drain()
    followed.mariadb.query("INSERT INTO t VALUES (2, 2, 20)", "ALTER TABLE t DROP COLUMN v",
                           "INSERT INTO t VALUES (3, 30)",
                           "ALTER TABLE t ADD COLUMN x int AFTER id",
                           "INSERT INTO t VALUES (4, 44, 40)")
    followed.drain()
    assert bronze(followed, "SELECT id, w FROM t ORDER BY id") == [[1, 10], [2, 20], [3, 30], [4, 40]]
    assert bronze(followed, "SELECT x FROM t WHERE id = 4") == [[44]]


def test_a_large_transaction_lands_whole(followed):
    followed.mariadb.query("CREATE TABLE t (id int PRIMARY KEY, v varchar(100))")
    followed.follow({"t": {}})
    followed.drain()
    followed.mariadb.query("INSERT INTO t SELECT seq, repeat('x', 50) FROM seq_1_to_400000",
                           "UPDATE t SET v = concat(id, v) WHERE id % 2 = 0")
    followed.drain()
    assert bronze(followed, "SELECT count(*), count(DISTINCT id), sum(length(v)) FROM t") == [
        list(int(x) for x in followed.mariadb.query(
            "SELECT count(*), count(DISTINCT id), sum(length(v)) FROM t")[0])]


def test_a_random_workload_lands_row_by_row(followed):
    workload = Workload(followed.plain_connect, seed=11)
    workload.create()
    for _ in range(40):
        assert workload.step()
    followed.follow({"people": {"write": "both"}, "pairs": {"write": "both"}})
    for _ in range(4):
        for _ in range(40):
            assert workload.step()
        followed.drain()
        for table in ("people", "pairs"):
            same_as_source(workload, followed.query, table, f"lake.bronze.{table}")
            history_comes_to_source(workload, followed.query, table, f"lake.bronze.{table}__changes")


@pytest.mark.parametrize("setting, told", [
    ("binlog_format = STATEMENT", "binlog_format"), ("binlog_row_image = MINIMAL", "binlog_row_image")])
def test_what_is_in_the_way_is_told_with_how_to_mend_it(followed, setting, told):
    followed.mariadb.query("CREATE TABLE t (id int PRIMARY KEY)")
    followed.mariadb.root(f"SET GLOBAL {setting}")
    followed.follow({"t": {}})
    failed = followed.ingest("run", "s", code=1)
    assert told in failed and "SET GLOBAL" in failed


def test_a_user_who_may_not_read_the_binlog_is_told_which_right_is_missing(followed):
    followed.mariadb.query("CREATE TABLE t (id int PRIMARY KEY)")
    followed.mariadb.root(f"REVOKE ALL, GRANT OPTION FROM '{followed.mariadb.user}'@'%'",
                          f"GRANT SELECT ON shop.* TO '{followed.mariadb.user}'@'%'")
    followed.follow({"t": {}})
    failed = followed.ingest("run", "s", code=1)
    assert "GRANT REPLICATION SLAVE, BINLOG MONITOR" in failed


def test_a_binlog_that_is_gone_is_told_and_a_full_refresh_goes_on(followed):
    followed.mariadb.query("CREATE TABLE t (id int PRIMARY KEY)", "INSERT INTO t VALUES (1)")
    followed.follow({"t": {}})
    followed.drain()
    followed.mariadb.query("INSERT INTO t VALUES (2)")
    followed.mariadb.root("FLUSH BINARY LOGS", "FLUSH BINARY LOGS")

    def purged():  # a file that somebody still reads stays
        followed.mariadb.root("PURGE BINARY LOGS TO 'binlog.000003'")
        return len(followed.mariadb.query("SHOW BINARY LOGS")) == 1
    wait_until(purged, 30, "the old binlogs go")
    failed = followed.ingest("run", "s", code=1)
    assert "binlog" in failed and "--full-refresh" in failed
    followed.ingest("run", "s", "--full-refresh")
    assert bronze(followed, "SELECT id FROM t ORDER BY id") == [[1], [2]]
