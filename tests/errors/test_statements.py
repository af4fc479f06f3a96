"""Bad statements: each gets its code, its text and its place, and the server goes on. What a test
here says about errors of Trino's own making was checked against Trino 476 (pytest --server)."""
import re

import pytest
import requests

from support.answers import Statement, error_of, rows_of

# statement, error name, number, beginning of the message
STATEMENTS = [
    # names
    ("SELECT * FROM nosuch.a.b", "CATALOG_NOT_FOUND", 44, "line 1:15: Catalog 'nosuch' not found"),
    ("SELECT * FROM tpch.nosuch.b", "SCHEMA_NOT_FOUND", 45,
     "line 1:15: Schema 'nosuch' does not exist"),
    ("SELECT * FROM tpch.tiny.nosuch", "TABLE_NOT_FOUND", 46,
     "line 1:15: Table 'tpch.tiny.nosuch' does not exist"),
    ("SELECT nosuch FROM tpch.tiny.nation", "COLUMN_NOT_FOUND", 47,
     "line 1:8: Column 'nosuch' cannot be resolved"),
    ("SELECT n.nosuch FROM tpch.tiny.nation n", "COLUMN_NOT_FOUND", 47,
     "line 1:8: Column 'n.nosuch' cannot be resolved"),
    ("SELECT name FROM tpch.tiny.nation a, tpch.tiny.region b", "AMBIGUOUS_NAME", 62,
     "line 1:8: Column 'name' is ambiguous"),
    ("SHOW TABLES FROM tpch.nosuch", "SCHEMA_NOT_FOUND", 45,
     "line 1:1: Schema 'nosuch' does not exist"),
    ("SHOW SCHEMAS FROM nosuch", "CATALOG_NOT_FOUND", 44, "Catalog 'nosuch' not found"),
    ("DESCRIBE tpch.tiny.nosuch", "TABLE_NOT_FOUND", 46,
     "line 1:1: Table 'tpch.tiny.nosuch' does not exist"),
    ("USE nosuch.a", "CATALOG_NOT_FOUND", 44, "Catalog 'nosuch' not found"),
    ("DROP TABLE memory.default.nosuch", "TABLE_NOT_FOUND", 46,
     "line 1:1: Table 'memory.default.nosuch' does not exist"),
    ("INSERT INTO memory.default.nosuch VALUES 1", "TABLE_NOT_FOUND", 46,
     "line 1:1: Table 'memory.default.nosuch' does not exist"),
    ("EXECUTE nosuch", "NOT_FOUND", 5, "Prepared statement not found: nosuch"),
    ("SET SESSION nosuch = 1", "INVALID_SESSION_PROPERTY", 14,
     "line 1:22: Session property 'nosuch' does not exist"),
    ("CALL system.runtime.nosuch()", "PROCEDURE_NOT_FOUND", 29, ""),
    # syntax
    ("SELECT 'open", "SYNTAX_ERROR", 1, "line 1:8: "),
    ("SELECT 1 FROM", "SYNTAX_ERROR", 1, "line 1:14: mismatched input '<EOF>'"),
    ("SELECT 1 1", "SYNTAX_ERROR", 1, "line 1:10: mismatched input '1'"),
    ("SELECT (1", "SYNTAX_ERROR", 1, "line 1:10: mismatched input '<EOF>'"),
    ("SELECT 1; SELECT 2", "SYNTAX_ERROR", 1, "line 1:9: mismatched input"),
    ("SELECT * FROM a.b.c.d", "SYNTAX_ERROR", 1, "Too many dots in table name: a.b.c.d"),
    ("\n\n  FROBNICATE", "SYNTAX_ERROR", 1, "line 3:3: mismatched input 'FROBNICATE'"),
    # types
    ("SELECT 1 + 'a'", "TYPE_MISMATCH", 58,
     "line 1:10: Cannot apply operator: integer + varchar"),
    ("SELECT * FROM tpch.tiny.nation WHERE name", "TYPE_MISMATCH", 58,
     "line 1:38: WHERE clause must evaluate to a boolean: actual type varchar(25)"),
    ("SELECT 1 UNION SELECT 'a'", "TYPE_MISMATCH", 58,
     "line 1:10: column 1 in UNION query has incompatible types: integer, varchar(1)"),
    ("SELECT lower(1)", "FUNCTION_NOT_FOUND", 6,
     "line 1:8: Unexpected parameters (integer) for function lower. Expected: "),
    ("SELECT CAST(DATE '2024-01-01' AS integer)", "TYPE_MISMATCH", 58,
     "line 1:8: Cannot cast date to integer"),
    ("SELECT DATE '2024-13-01'", "INVALID_LITERAL", 59,
     "line 1:8: '2024-13-01' is not a valid DATE literal"),
    ("VALUES (1, 2), (3)", "TYPE_MISMATCH", 58,
     "line 1:1: Values rows have mismatched sizes: 2 vs 1"),
    # aggregates
    ("SELECT name, count(*) FROM tpch.tiny.nation", "EXPRESSION_NOT_AGGREGATE", 73,
     "line 1:8: 'name' must be an aggregate expression or appear in GROUP BY clause"),
    ("SELECT sum(count(*)) FROM tpch.tiny.nation", "NESTED_AGGREGATION", 67,
     "line 1:8: Cannot nest aggregations inside aggregation 'sum': [count(*)]"),
    ("SELECT count(*) FROM tpch.tiny.nation WHERE count(*) > 1", "EXPRESSION_NOT_SCALAR", 74,
     "line 1:54: WHERE clause cannot contain aggregations, window functions or grouping operations"),
    ("SELECT 1 ORDER BY 2", "INVALID_COLUMN_REFERENCE", 63,
     "line 1:19: ORDER BY position 2 is not in select list"),
    # values
    ("SELECT 1 / 0", "DIVISION_BY_ZERO", 8, "Division by zero"),
    ("SELECT 2147483647 + 1", "NUMERIC_VALUE_OUT_OF_RANGE", 19,
     "integer addition overflow: 2147483647 + 1"),
    ("SELECT CAST('2.5' AS integer)", "INVALID_CAST_ARGUMENT", 9, "Cannot cast '2.5' to INT"),
    ("SELECT ARRAY[1, 2][5]", "INVALID_FUNCTION_ARGUMENT", 7,
     "Array subscript must be less than or equal to array length: 5 > 2"),
    ("SELECT (SELECT regionkey FROM tpch.tiny.region)", "SUBQUERY_MULTIPLE_ROWS", 28,
     "Scalar sub-query has returned multiple rows"),
    # not allowed
    ("INSERT INTO tpch.tiny.nation VALUES (1, 'x', 1, 'y')", "NOT_SUPPORTED", 13, ""),
    ("CREATE TABLE memory.default.t (a integer, a integer)", "DUPLICATE_COLUMN_NAME", 54,
     "line 1:43: Column name 'a' specified more than once"),
    ("COMMIT", "NOT_IN_TRANSACTION", 21, "No transaction in progress"),
]


@pytest.mark.parametrize("sql, name, number, message", STATEMENTS,
                         ids=[s[0][:60].strip() for s in STATEMENTS])
def test_a_bad_statement_is_named_and_placed(server, sql, name, number, message):
    error = error_of(server.url, sql)
    assert (error["errorName"], error["errorCode"]) == (name, number), error["message"][:300]
    # Where Trino points at a whole clause another server may point at the word that is wrong:
    # the text must be the same, the place given and the same in both ways it is told.
    place, text = re.fullmatch(r"(?:line (\d+:\d+): )?(.*)", error["message"], re.DOTALL).groups()
    expected = re.sub(r"^line \d+:\d+: ", "", message)
    assert text.startswith(expected), error["message"][:300]
    if place:
        line, column = map(int, place.split(":"))
        assert error["errorLocation"] == {"lineNumber": line, "columnNumber": column}
        assert sql.split("\n")[line - 1][column - 1:column].strip() or "<EOF>" in text
    else:
        assert not message.startswith("line "), error["message"][:300]


@pytest.mark.parametrize("sql, names, text", [
    # The second name is the one Trino 476 gives, the first says more.
    ("SELECT CAST(1 AS nosuch)", ("TYPE_NOT_FOUND", "TYPE_MISMATCH"), "Unknown type: nosuch"),
    ("CREATE TABLE memory.nosuch.t (a integer)", ("SCHEMA_NOT_FOUND", "NOT_FOUND"), "nosuch"),
])
def test_what_does_not_exist_is_named(server, sql, names, text):
    error = error_of(server.url, sql)
    assert error["errorName"] in names and text in error["message"]


@pytest.mark.parametrize("sql", ["SELECT " + "(" * 20_000 + "1" + ")" * 20_000,
                                 "SELECT " + " + ".join(["1"] * 100_000),
                                 "SELECT " + "NOT " * 50_000 + "true"],
                         ids=["parentheses", "sum", "negations"])
def test_a_statement_too_deep_to_read_is_refused_or_answered(server, sql):
    rows, error = Statement(server.url, sql).finish()
    if error:
        assert error["errorName"] in ("SYNTAX_ERROR", "STACK_OVERFLOW", "QUERY_TEXT_TOO_LARGE")
    else:
        assert rows in ([[1]], [[100_000]], [[True]])


def test_a_type_too_deep_is_refused_or_answered(ours):  # Trino 476 thinks about it for minutes
    rows, error = Statement(ours.url, "SELECT " + "ARRAY[" * 5_000 + "]" * 5_000).finish()
    assert len(rows) == 1 or error["errorType"] in ("USER_ERROR", "INSUFFICIENT_RESOURCES")


def test_the_server_goes_on_after_all_that(server):
    assert rows_of(server.url, "SELECT 1") == [[1]]


@pytest.mark.parametrize("sql", ["\x00", "SELECT '\x00'", "SELECT \U0001f600", "`", "SELECT $$",
                                 "SELECT ?", "/* open", "--", ";", ";;;", "SELECT " + "a." * 500 + "b"],
                         ids=ascii)
def test_odd_text_is_an_error_of_the_users(server, sql):
    error = error_of(server.url, sql) if sql != "SELECT '\x00'" else None
    assert error is None or error["errorType"] == "USER_ERROR", error


def test_text_that_is_no_utf8_does_no_harm(server):
    response = requests.post(f"{server.url}/v1/statement", data=b"SELECT '\xff\xfe'",
                             headers={"X-Trino-User": "tester"})
    assert response.status_code in (200, 400)
    assert rows_of(server.url, "SELECT 1") == [[1]]


@pytest.mark.parametrize("header", [
    {"X-Trino-Session": "no-equals-sign"},
    {"X-Trino-Prepared-Statement": "x"},
    {"X-Trino-Schema": "s"},  # a schema without a catalog
])
def test_bad_headers_are_bad_requests(server, header):
    response = requests.post(f"{server.url}/v1/statement", data="SELECT 1",
                             headers={"X-Trino-User": "tester", **header})
    assert response.status_code == 400 and response.text


@pytest.mark.parametrize("sql, what", [
    ("GRANT SELECT ON tpch.tiny.nation TO somebody", "permission management"),
])
def test_what_is_parsed_but_not_run_says_so(ours, sql, what):
    error = error_of(ours.url, sql)
    assert (error["errorName"], error["errorCode"]) == ("NOT_SUPPORTED", 13)
    assert what in error["message"]


@pytest.mark.parametrize("sql, words", [
    ("INSERT INTO sales.public.customers (customer_id) VALUES (1)", "duplicate key"),
    ("INSERT INTO sales.public.customers (customer_id) VALUES ('x')", "mismatched column types"),
    ("INSERT INTO sales.public.customers (nosuch) VALUES (1)", "nosuch"),
    ("INSERT INTO sales.public.customers (phone) VALUES ('123456789012345678901')", ""),
    ("INSERT INTO marketing.public.campaigns (budget) VALUES (99999999999.00)", ""),
])
def test_a_bad_write_changes_nothing_and_says_why(ours, sql, words):
    def counts():
        return [ours.databases[domain].query(f"SELECT count(*) FROM {table}")
                for domain, table in (("sales", "customers"), ("marketing", "campaigns"))]

    before = counts()
    error = error_of(ours.url, sql)
    assert words in error["message"] and error["errorType"] in ("USER_ERROR", "EXTERNAL")
    assert counts() == before
