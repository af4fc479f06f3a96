"""Statements that are wide, long or deep: an answer or a clear error, soon, and the server goes on."""
import pytest
import requests

from support.answers import Statement

pytestmark = pytest.mark.timeout(120)  # never minutes

WIDE = 5000
ANSWERED = {
    "5,000 columns": ("SELECT " + ", ".join(f"{i} AS c{i}" for i in range(WIDE)),
                      [list(range(WIDE))]),
    "5,000 columns of a table": (
        "SELECT * FROM (VALUES (" + ", ".join(map(str, range(WIDE))) + ")) AS t("
        + ", ".join(f"c{i}" for i in range(WIDE)) + ")", [list(range(WIDE))]),
    "a literal of 1 MB": ("SELECT length('" + "x" * 1_000_000 + "')", [[1_000_000]]),
    "a comment of 1 MB": ("SELECT 1 /*" + "x" * 1_000_000 + "*/", [[1]]),
    "1 MB of rows": ("SELECT count(*), max(a) FROM (VALUES "
                     + ", ".join(f"({i}, 'row number {i}')" for i in range(40_000))
                     + ") AS t(a, b)", [[40_000, 39_999]]),
    "IN of 10,000 numbers": (
        "SELECT count(*) FROM tpch.tiny.orders WHERE orderkey IN ("
        + ", ".join(map(str, range(10_000))) + ")", [[2503]]),
    "IN of 10,000 texts": (
        "SELECT count(*) FROM tpch.tiny.customer WHERE name IN ("
        + ", ".join(f"'Customer#{i:09}'" for i in range(10_000)) + ")", [[1500]]),
    "IN of 10,000 expressions": (
        "SELECT 5 IN (" + ", ".join(f"{i} + 1" for i in range(10_000)) + ")", [[True]]),
    "500 parentheses": ("SELECT " + "(" * 500 + "1" + ")" * 500, [[1]]),
    "500 sums": ("SELECT " + " + ".join(["1"] * 500), [[500]]),
    "500 calls": ("SELECT " + "abs(" * 500 + "1" + ")" * 500, [[1]]),
    "500 cases": ("SELECT " + "CASE WHEN false THEN 0 ELSE " * 500 + "1" + " END" * 500, [[1]]),
    "500 casts": ("SELECT " + "CAST(" * 500 + "1" + " AS bigint)" * 500, [[1]]),
    "500 texts put together": ("SELECT length(" + " || ".join(["'a'"] * 500) + ")", [[500]]),
    "2,000 conditions": ("SELECT count(*) FROM tpch.tiny.nation WHERE "
                         + " AND ".join(f"nationkey <> {i + 100}" for i in range(2000)), [[25]]),
    "a case of 10,000 values": ("SELECT CASE 3 " + " ".join(
        f"WHEN {i} THEN {i}" for i in range(10_000)) + " END", [[3]]),
    "1,000 unions": (
        "SELECT count(*) FROM (" + " UNION ALL ".join(f"SELECT {i} AS a" for i in range(1000))
        + ")", [[1000]]),
    "100 names of WITH": (
        "WITH t0 AS (SELECT 1 AS a), "
        + ", ".join(f"t{i} AS (SELECT a + 1 AS a FROM t{i - 1})" for i in range(1, 100))
        + " SELECT a FROM t99", [[100]]),
    "50 joins": ("SELECT count(*) FROM tpch.tiny.nation t0 " + " ".join(
        f"JOIN tpch.tiny.nation t{i} ON t{i}.nationkey = t{i - 1}.nationkey"
        for i in range(1, 50)), [[25]]),
    "100 outer joins": ("SELECT count(*) FROM tpch.tiny.nation t0 " + " ".join(
        f"LEFT JOIN tpch.tiny.nation t{i} ON t{i}.nationkey = t0.nationkey"
        for i in range(1, 100)), [[25]]),
}
#: Beyond what is read or run: refused, or answered if it can be.
TOO_MUCH = {
    "5,000 parentheses": "SELECT " + "(" * 5000 + "1" + ")" * 5000,
    "5,000 sums": "SELECT " + " + ".join(["1"] * 5000),
    "5,000 negations": "SELECT " + "NOT " * 5000 + "true",
    "5,000 queries inside one another": "SELECT " + "(SELECT " * 5000 + "1" + ")" * 5000,
    "5,000 arrays inside one another": "SELECT " + "ARRAY[" * 5000 + "1" + "]" * 5000,
    "a type of 5,000 arrays": "SELECT CAST(NULL AS " + "array(" * 5000 + "integer" + ")" * 5000 + ")",
    "1,000 names of WITH": (
        "WITH t0 AS (SELECT 1 AS a), "
        + ", ".join(f"t{i} AS (SELECT a + 1 AS a FROM t{i - 1})" for i in range(1, 1000))
        + " SELECT a FROM t999"),
    "1,000 joins": "SELECT count(*) FROM tpch.tiny.nation t0 " + " ".join(
        f"JOIN tpch.tiny.nation t{i} ON t{i}.nationkey = t{i - 1}.nationkey"
        for i in range(1, 1000)),
}


def ask(server, sql):
    return Statement(server.url, sql, requests.Session()).finish()


@pytest.mark.parametrize("name", ANSWERED)
def test_it_is_answered(ours, name):
    sql, wanted = ANSWERED[name]
    rows, error = ask(ours, sql)
    assert error is None and rows == wanted


@pytest.mark.parametrize("name", TOO_MUCH)
def test_it_is_refused_or_answered(ours, name):
    rows, error = ask(ours, TOO_MUCH[name])
    if error:
        assert error["errorType"] in ("USER_ERROR", "INSUFFICIENT_RESOURCES"), error
        assert error["message"]
    else:
        assert len(rows) == 1
    assert ask(ours, "SELECT 1") == ([[1]], None)


def test_a_table_of_5000_columns_is_made_filled_described_and_read(ours, query):
    name = "memory.default.wide_table"
    query(f"CREATE TABLE {name} (" + ", ".join(f"c{i} integer" for i in range(WIDE)) + ")")
    try:
        query(f"INSERT INTO {name} SELECT " + ", ".join(map(str, range(WIDE))))
        assert query(f"SELECT * FROM {name}") == [list(range(WIDE))]
        assert len(query(f"DESCRIBE {name}")) == WIDE
    finally:
        query(f"DROP TABLE {name}")
