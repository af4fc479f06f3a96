"""trino-jdbc, unchanged: one Java program asks for everything (jdbc/JdbcProbe.java), the tests here
judge the answers."""
from pathlib import Path

import pytest

from support import java
from support.statements import ENDLESS

pytestmark = pytest.mark.skipif(bool(java.why_not(java.JDBC)), reason=str(java.why_not(java.JDBC)))


@pytest.fixture(scope="module")
def probe(server, work_folder):
    """What the program printed, by name."""
    import subprocess
    source = Path(__file__).parent / "jdbc" / "JdbcProbe.java"
    finished = subprocess.run(
        java.java("-Duser.timezone=UTC", "-cp", java.JDBC, source, f"{server.host}:{server.port}",
                  "jdbc-probe"),
        env={**java.environment(work_folder), "ENDLESS": ENDLESS}, text=True, timeout=240,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert finished.returncode == 0, finished.stderr
    return dict(line.split("\t", 1) for line in finished.stdout.splitlines())


EXPECTED = {
    "schemas": "[[pg_catalog, sales], [public, sales]]",
    "tables": "[[customers, TABLE], [orders, TABLE]]",
    "columns": "[[customer_id, 4, integer, 10, 1, NO], [customer_name, 12, varchar(100), 100, 2, "
               "YES], [created_at, 93, timestamp(6), 28, 5, YES]]",
    "decimal column": "[[decimal(10,2), 10, 2]]",
    "table types": "[[TABLE], [VIEW]]",
    "types": "true",
    "primary keys": "[]",
    "procedures": "[]",
    "user types": "[]",
    "super tables": "[]",
    "values": "[3, 9000000000, 1.50, 1.0, 1.5, true, é, 2, 2024-02-29, 2024-01-31 01:02:03.123456, "
              "01:02:03, [1, 2], null]",
    "zoned": "2024-07-31T01:02:03.123+02:00[Europe/Paris]",
    "result metadata": "order_id integer 4 java.lang.Integer",
    "update count": "3",
    "max rows": "5",
    "prepared": "[41, it's, 10.50, 2024-02-29, 2024-01-31 01:02:03.5, null]",
    "prepared metadata": "varchar(100) integer",
    "transaction": "5",
}


@pytest.mark.parametrize("name", EXPECTED)
def test_the_driver_gets(probe, name):
    assert probe[name] == EXPECTED[name]


def test_the_driver_finds_the_catalogs(probe):
    catalogs = probe["catalogs"].strip("[]").split("], [")
    assert {"marketing", "memory", "sales", "system", "tpch"} <= set(catalogs)


def test_the_driver_knows_the_product(probe):
    name, version = probe["product"].split()
    assert name == "Trino" and int(version) >= 476


def test_a_mistake_becomes_an_sql_exception_with_code(probe):
    assert probe["mistake"].startswith("SQLException 47 ")
    assert "line 1:8: Column 'nosuch' cannot be resolved" in probe["mistake"]


def test_cancel_from_another_thread_ends_the_statement(probe, query):
    assert probe["cancel"].startswith("SQLException ")
    assert query("SELECT state, error_code FROM system.runtime.queries WHERE source = 'jdbc-probe' "
                 "AND query LIKE '%CROSS JOIN%' AND query NOT LIKE '%runtime%' "
                 "ORDER BY created DESC LIMIT 1") == [["FAILED", "USER_CANCELED"]]
