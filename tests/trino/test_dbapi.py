"""The Python client `trino` through its DB-API, unchanged."""
import datetime
import threading
import uuid
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
import trino
from dateutil.relativedelta import relativedelta
from trino.exceptions import TrinoExternalError, TrinoQueryError, TrinoUserError  # noqa: F401

from support.processes import wait_until
from support.statements import ENDLESS

VALUES = [
    ("true", "boolean", True),
    ("TINYINT '-128'", "tinyint", -128),
    ("SMALLINT '32767'", "smallint", 32767),
    ("7 / 2", "integer", 3),
    ("BIGINT '9223372036854775807'", "bigint", 9223372036854775807),
    ("CAST(1.5 AS real)", "real", 1.5),
    ("1e0", "double", 1.0),
    ("nan()", "double", "nan"),
    ("infinity()", "double", float("inf")),
    ("1.5", "decimal(2, 1)", Decimal("1.5")),
    ("DECIMAL '12345678901234567890.123456789012345678'", "decimal(38, 18)",
     Decimal("12345678901234567890.123456789012345678")),
    ("'it''s é'", "varchar(6)", "it's é"),
    ("CAST('ab' AS char(5))", "char(5)", "ab   "),
    ("x'4142'", "varbinary", b"AB"),
    ("DATE '2024-02-29'", "date", datetime.date(2024, 2, 29)),
    ("TIME '01:02:03.456'", "time(3)", datetime.time(1, 2, 3, 456000)),
    ("TIMESTAMP '2024-01-31 01:02:03'", "timestamp(0)", datetime.datetime(2024, 1, 31, 1, 2, 3)),
    ("TIMESTAMP '2024-01-31 01:02:03.123456'", "timestamp(6)",
     datetime.datetime(2024, 1, 31, 1, 2, 3, 123456)),
    ("TIMESTAMP '2024-07-31 01:02:03.123 Europe/Paris'", "timestamp(3) with time zone",
     datetime.datetime(2024, 7, 31, 1, 2, 3, 123000, tzinfo=ZoneInfo("Europe/Paris"))),
    ("TIMESTAMP '2024-01-31 01:02:03 +05:30'", "timestamp(0) with time zone",
     datetime.datetime(2024, 1, 31, 1, 2, 3,
                       tzinfo=datetime.timezone(datetime.timedelta(hours=5, minutes=30)))),
    ("INTERVAL '2' DAY", "INTERVAL DAY TO SECOND", datetime.timedelta(days=2)),
    ("INTERVAL '3' MONTH", "INTERVAL YEAR TO MONTH", relativedelta(months=3)),
    ("UUID '12151fd2-7586-11e9-8f9e-2a86e4085a59'", "uuid",
     uuid.UUID("12151fd2-7586-11e9-8f9e-2a86e4085a59")),
    ("ARRAY[1, NULL, 3]", "array(integer)", [1, None, 3]),
    ("MAP(ARRAY['a', 'b'], ARRAY[1, 2])", "map(varchar(1), integer)", {"a": 1, "b": 2}),
    ("CAST(ROW(1, 'x') AS ROW(a integer, b varchar))", "row(a integer, b varchar)", (1, "x")),
    ("ARRAY[CAST(ROW(DATE '2024-01-01') AS ROW(d date))]", "array(row(d date))",
     [(datetime.date(2024, 1, 1),)]),
    ("JSON '{\"a\": 1}'", "json", '{"a":1}'),
    ("NULL", "unknown", None),
]


@pytest.mark.parametrize("expression, type_name, value", VALUES, ids=[v[0] for v in VALUES])
def test_each_type_arrives_as_the_python_value_trino_sends(connect, expression, type_name, value):
    cursor = connect().cursor()
    cursor.execute(f"SELECT {expression} AS x")
    [[got]] = cursor.fetchall()
    [column] = cursor.description
    assert (column[0], column[1]) == ("x", type_name)
    if value == "nan":
        assert got != got
    else:
        assert got == value and type(got) is (type(value) if type(value) is not tuple else type(got))


def test_unnamed_columns_are_numbered_and_aliases_kept(connect):
    cursor = connect().cursor()
    cursor.execute("SELECT 1, 2 AS two, 3 \"Three Words\"")
    assert [d[0] for d in cursor.description] == ["_col0", "two", "Three Words"]


def test_rows_come_in_order_and_fetch_methods_share_one_cursor(connect):
    cursor = connect().cursor()
    cursor.execute("SELECT x FROM (VALUES 5, 3, 4, 1, 2) t(x) ORDER BY x")
    assert cursor.fetchone() == [1]
    assert cursor.fetchmany(2) == [[2], [3]]
    assert cursor.fetchall() == [[4], [5]]
    assert cursor.fetchone() is None


def test_an_empty_result_has_columns_and_no_rows(connect):
    cursor = connect(catalog="sales", schema="public").cursor()
    cursor.execute("SELECT customer_id, email FROM customers WHERE customer_id < 0")
    assert cursor.fetchall() == []
    assert [d[0] for d in cursor.description] == ["customer_id", "email"]


def test_description_carries_precision_and_scale(connect):
    cursor = connect().cursor()
    cursor.execute("SELECT DECIMAL '1.23' AS d, CAST('a' AS varchar(7)) AS v")
    cursor.fetchall()
    decimal, text = cursor.description
    assert (decimal.precision, decimal.scale) == (3, 2)
    assert text.internal_size == 7


@pytest.mark.parametrize("value, type_name", [
    (1, "integer"), (2**40, "bigint"), (1.5, "double"), ("it's", "varchar(4)"), (True, "boolean"),
    (b"\x00\xff", "varbinary"), (Decimal("10.50"), "decimal(4, 2)"),
    (datetime.date(2024, 2, 29), "date"), ([1, 2], "array(integer)"),
    (datetime.datetime(2024, 1, 1, 12, 0, 0, 5), "timestamp(6)"),
    (uuid.UUID("12151fd2-7586-11e9-8f9e-2a86e4085a59"), "uuid"),
], ids=lambda v: str(v))
def test_a_parameter_comes_back_as_it_went(connect, value, type_name):
    cursor = connect().cursor()
    cursor.execute("SELECT ? AS p", (value,))
    assert cursor.fetchall() == [[value]]
    assert cursor.description[0][1] == type_name


def test_parameters_work_in_predicates(query):
    assert query("SELECT name FROM tpch.tiny.nation WHERE regionkey = ? AND name LIKE ? ORDER BY 1",
                 (3, "R%")) == [["ROMANIA"], ["RUSSIA"]]


def test_parameters_work_with_prepare_and_execute(server):
    """The older way of the client: PREPARE, EXECUTE, DEALLOCATE with headers."""
    connection = trino.dbapi.connect(host=server.host, port=server.port, user="tester",
                                     legacy_prepared_statements=True)
    cursor = connection.cursor()
    cursor.execute("SELECT ? + 1, ?", (41, "x"))
    assert cursor.fetchall() == [[42, "x"]]


def test_prepared_statements_live_in_the_clients_session(connect):
    cursor = connect().cursor()
    cursor.execute("PREPARE add FROM SELECT CAST(? AS integer) + CAST(? AS integer)")
    cursor.fetchall()
    cursor.execute("EXECUTE add USING 40, 2")
    assert cursor.fetchall() == [[42]]
    cursor.execute("DESCRIBE INPUT add")
    assert [row[0] for row in cursor.fetchall()] == [0, 1]
    cursor.execute("DESCRIBE OUTPUT add")
    assert cursor.fetchall()[0][0] == "_col0"
    cursor.execute("DEALLOCATE PREPARE add")
    cursor.fetchall()
    with pytest.raises(TrinoUserError) as raised:
        cursor.execute("EXECUTE add USING 1, 2")
    assert raised.value.error_name == "NOT_FOUND"
    assert raised.value.message.endswith("Prepared statement not found: add")


DESCRIBED = [
    ("SELECT ? FROM tpch.tiny.nation WHERE nationkey = ? AND name < ?",
     "unknown bigint varchar(25)"),
    ("SELECT * FROM tpch.tiny.nation WHERE nationkey IN (?, ?) AND ? BETWEEN regionkey AND 9",
     "bigint bigint bigint"),
    ("SELECT * FROM tpch.tiny.orders WHERE orderdate BETWEEN ? AND ? AND comment LIKE ? ESCAPE ?",
     "date date varchar varchar"),
    ("SELECT * FROM tpch.tiny.nation WHERE ? AND NOT ? OR name IS DISTINCT FROM ?",
     "boolean boolean varchar(25)"),
    ("SELECT * FROM tpch.tiny.nation WHERE ?", "boolean"),
    ("SELECT ? IN (1, 2.5), ? = ?, ? IS NULL", "decimal(11,1) unknown unknown unknown"),
    ("SELECT name FROM tpch.tiny.nation ORDER BY nationkey + ? OFFSET ? LIMIT ?",
     "bigint bigint bigint"),
    ("SELECT regionkey FROM tpch.tiny.nation GROUP BY 1 HAVING count(*) > ?", "bigint"),
    ("SELECT * FROM tpch.tiny.nation n JOIN tpch.tiny.region r "
     "ON n.regionkey = r.regionkey AND r.name = ?", "varchar(25)"),
    ("SELECT * FROM (SELECT nationkey + ? AS x FROM tpch.tiny.nation) WHERE x > ?",
     "bigint bigint"),
    ("SELECT ? + 1, ? % SMALLINT '2', acctbal - ?, CAST(1 AS decimal(10,2)) + ? "
     "FROM tpch.tiny.customer", "integer smallint double decimal(1,0)"),
    ("SELECT 1 + (? + 1) = ?", "integer integer"),
    ("SELECT CASE WHEN ? THEN 1 ELSE ? END, CASE ? WHEN 1 THEN ? ELSE 'abc' END",
     "boolean integer integer varchar(3)"),
    ("SELECT coalesce(?, name), nullif(name, ?), if(?, 1, ?) FROM tpch.tiny.nation",
     "varchar(25) unknown boolean integer"),
    ("SELECT CAST(? AS varchar), ARRAY[1, ?], ROW(1, ?), ARRAY[1][?], MAP(ARRAY['a'], ARRAY[1])[?]",
     "unknown integer unknown bigint varchar(1)"),
    ("SELECT substr(name, ?, ?), greatest(nationkey, ?), sqrt(?) FROM tpch.tiny.nation",
     "bigint bigint bigint double"),
    ("SELECT date_diff('day', orderdate, ?), year(?), to_unixtime(?) FROM tpch.tiny.orders",
     "date timestamp(3) timestamp(3) with time zone"),
    ("SELECT contains(ARRAY[1], ?), element_at(ARRAY[1], ?), array_join(ARRAY['a'], ?)",
     "integer bigint varchar"),
    ("SELECT lag(name, ?, ?) OVER (ORDER BY nationkey) FROM tpch.tiny.nation",
     "bigint varchar(25)"),
    ("SELECT sum(nationkey) FILTER (WHERE ?) FROM tpch.tiny.nation", "boolean"),
    ("SELECT TIMESTAMP '2024-01-31 01:02:03' > ?, true = ?, X'00' = ?, ARRAY[1] = ?",
     "timestamp(0) boolean varbinary array(integer)"),
    ("SELECT 1 UNION SELECT ?", "unknown"),
    ("SELECT * FROM tpch.tiny.nation WHERE nationkey IN (SELECT ?)", "unknown"),
    ("SELECT * FROM tpch.tiny.nation WHERE ? = (SELECT max(nationkey) FROM tpch.tiny.nation)",
     "bigint"),
    ("VALUES (1, ?), (?, 'x')", "varchar(1) integer"),
    ("INSERT INTO sales.public.customers (customer_id, customer_name) VALUES (?, ?)",
     "unknown unknown"),
    ("INSERT INTO sales.public.customers (customer_name) SELECT name FROM tpch.tiny.nation "
     "WHERE nationkey = ?", "bigint"),
    ("UPDATE sales.public.customers SET customer_name = ? WHERE customer_id = ?",
     "varchar(100) integer"),
    ("DELETE FROM sales.public.customers WHERE customer_id = ?", "integer"),
    ("SELECT 1", ""),
]


@pytest.mark.parametrize("statement, types", DESCRIBED)
def test_describe_input_tells_what_the_place_of_a_parameter_takes(connect, statement, types):
    cursor = connect().cursor()
    cursor.execute(f"PREPARE described FROM {statement}")
    cursor.fetchall()
    cursor.execute("DESCRIBE INPUT described")
    rows = cursor.fetchall()
    assert [row[0] for row in rows] == list(range(len(rows)))
    assert " ".join(row[1] for row in rows) == types


def test_describe_output_knows_the_types_of_parameters(connect):
    cursor = connect().cursor()
    cursor.execute("PREPARE described FROM "
                   "SELECT nationkey + ?, ? + 1, coalesce(?, name), ? FROM tpch.tiny.nation")
    cursor.fetchall()
    cursor.execute("DESCRIBE OUTPUT described")
    assert [row[4] for row in cursor.fetchall()] == ["bigint", "integer", "varchar(25)", "unknown"]


def test_describing_what_cannot_be_resolved_says_why(connect):
    cursor = connect().cursor()
    cursor.execute("PREPARE wrong FROM SELECT nosuch FROM tpch.tiny.nation WHERE nationkey = ?")
    cursor.fetchall()
    with pytest.raises(TrinoUserError) as raised:
        cursor.execute("DESCRIBE INPUT wrong")
    assert raised.value.error_name == "COLUMN_NOT_FOUND"


def test_executemany_writes_every_row(connect, table):
    name = table("(a integer, b varchar)")
    cursor = connect().cursor()
    cursor.executemany(f"INSERT INTO {name} VALUES (?, ?)", [(1, "x"), (2, "y"), (3, None)])
    cursor.execute(f"SELECT * FROM {name} ORDER BY a")
    assert cursor.fetchall() == [[1, "x"], [2, "y"], [3, None]]


def test_a_write_tells_how_many_rows(connect, table):
    name = table("(a integer)")
    cursor = connect().cursor()
    cursor.execute(f"INSERT INTO {name} VALUES 1, 2, 3")
    assert cursor.fetchall() == [[3]]
    assert (cursor.rowcount, cursor.update_type) == (3, "INSERT")


def test_use_and_session_properties_stay_with_the_connection(connect):
    connection = connect()
    cursor = connection.cursor()
    cursor.execute("USE sales.public")
    cursor.fetchall()
    cursor.execute("SELECT count(*) FROM customers")
    assert cursor.fetchone()[0] > 0
    cursor.execute("SET SESSION query_max_run_time = '2h'")
    cursor.fetchall()
    cursor.execute("SHOW SESSION LIKE 'query_max_run_time'")
    assert cursor.fetchall()[0][:2] == ["query_max_run_time", "2h"]
    cursor.execute("RESET SESSION query_max_run_time")
    cursor.fetchall()
    cursor.execute("SHOW SESSION LIKE 'query_max_run_time'")
    assert cursor.fetchall()[0][1] != "2h"


def test_the_session_is_known_inside_a_statement(query):
    assert query("SELECT current_user, current_catalog, current_schema", user="alice",
                 catalog="sales", schema="public") == [["alice", "sales", "public"]]
    assert query("SELECT current_timezone()", timezone="America/New_York") == [["America/New_York"]]


def test_the_version_is_one_trino_clients_accept(query):
    assert int(query("SELECT version()")[0][0].split("-")[0].split(".")[0]) >= 476


ERRORS = [
    ("SELECT 1 / 0", "DIVISION_BY_ZERO", 8, "Division by zero"),
    ("SELECT * FROM nosuch.public.t", "CATALOG_NOT_FOUND", 44,
     "line 1:15: Catalog 'nosuch' not found"),
    ("SELECT * FROM sales.nosuch.t", "SCHEMA_NOT_FOUND", 45,
     "line 1:15: Schema 'nosuch' does not exist"),
    ("SELECT * FROM sales.public.nosuch", "TABLE_NOT_FOUND", 46,
     "line 1:15: Table 'sales.public.nosuch' does not exist"),
    ("SELECT nosuch FROM sales.public.customers", "COLUMN_NOT_FOUND", 47,
     "line 1:8: Column 'nosuch' cannot be resolved"),
    ("SELECT\n  1,\n  nosuch(1)", "FUNCTION_NOT_FOUND", 6,
     "line 3:3: Function 'nosuch' not registered"),
    ("SELEC 1", "SYNTAX_ERROR", 1, "line 1:1: mismatched input 'SELEC'"),
    ("SELECT 1 +", "SYNTAX_ERROR", 1, "line 1:11: mismatched input '<EOF>'"),
    ("SELECT 1 = '1'", "TYPE_MISMATCH", 58, "line 1:10: Cannot apply operator: integer = varchar(1)"),
    ("SELECT CAST('x' AS integer)", "INVALID_CAST_ARGUMENT", 9, "Cannot cast 'x' to INT"),
    ("SELECT count(*), customer_name FROM sales.public.customers", "EXPRESSION_NOT_AGGREGATE", 73,
     "line 1:18: 'customer_name' must be an aggregate expression or appear in GROUP BY clause"),
    ("SELECT * FROM customers", "MISSING_SCHEMA_NAME", 57,
     "line 1:15: Schema must be specified when session schema is not set"),
    ("SELECT CAST(300 AS tinyint)", "NUMERIC_VALUE_OUT_OF_RANGE", 19, "Out of range for tinyint: 300"),
    ("SELECT sum(x) FROM (VALUES BIGINT '9223372036854775807', 1) t(x)",
     "NUMERIC_VALUE_OUT_OF_RANGE", 19, "bigint addition overflow"),
]


@pytest.mark.parametrize("sql, name, number, message", ERRORS, ids=[e[0] for e in ERRORS])
def test_a_mistake_is_named_as_trino_names_it(connect, sql, name, number, message):
    with pytest.raises(TrinoUserError) as raised:
        cursor = connect().cursor()
        cursor.execute(sql)
        cursor.fetchall()
    error = raised.value
    assert (error.error_name, error.error_code, error.error_type) == (name, number, "USER_ERROR")
    if message.startswith("line "):
        assert error.message.startswith(message)
    else:  # found while running; a server may know the place all the same
        assert message in error.message
    if message.startswith("line "):
        line, column = message.split(":")[:2]
        assert error._error["errorLocation"] == {"lineNumber": int(line[5:]),
                                                 "columnNumber": int(column)}
    assert error.query_id


def test_a_cursor_works_on_after_an_error(connect):
    cursor = connect().cursor()
    with pytest.raises(TrinoQueryError):
        cursor.execute("SELECT 1 / 0")
        cursor.fetchall()
    cursor.execute("SELECT 1")
    assert cursor.fetchall() == [[1]]


def test_cancel_ends_the_query_on_the_server(connect, query):
    cursor = connect().cursor()
    failure = []

    def run():
        try:
            cursor.execute(ENDLESS)
            cursor.fetchall()
        except Exception as error:  # the client's own end of a cancelled fetch varies
            failure.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    wait_until(lambda: cursor.stats and cursor.stats["state"] == "RUNNING", 60, "the query running")
    query_id = cursor.query_id
    cursor.cancel()
    thread.join(60)
    assert not thread.is_alive()
    wait_until(lambda: query("SELECT state, error_code FROM system.runtime.queries "
                             "WHERE query_id = ?", (query_id,)) == [["FAILED", "USER_CANCELED"]],
               30, "the query failed as cancelled")


def test_kill_query_ends_another_users_query(connect, query):
    cursor = connect().cursor()
    failure = []

    def run():
        try:
            cursor.execute(ENDLESS)
            cursor.fetchall()
        except TrinoQueryError as error:
            failure.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    wait_until(lambda: cursor.stats and cursor.stats["state"] == "RUNNING", 60, "the query running")
    query(f"CALL system.runtime.kill_query(query_id => '{cursor.query_id}', message => 'enough')")
    thread.join(60)
    assert [e.error_name for e in failure] == ["ADMINISTRATIVELY_KILLED"]
    assert "enough" in failure[0].message


def test_statistics_move_and_end(connect):
    cursor = connect().cursor()
    cursor.execute("SELECT count(*) FROM tpch.tiny.lineitem")
    assert cursor.fetchall() == [[60175]]
    stats = cursor.stats
    assert stats["state"] == "FINISHED"
    assert stats["elapsedTimeMillis"] >= 0 and stats["processedRows"] >= 0
    assert cursor.info_uri and cursor.query_id in cursor.info_uri


def test_source_and_user_are_recorded(connect, query):
    cursor = connect(user="alice", source="a notebook").cursor()
    cursor.execute("SELECT 'who am I'")
    cursor.fetchall()
    assert query('SELECT "user", source, query FROM system.runtime.queries WHERE query_id = ?',
                 (cursor.query_id,)) == [["alice", "a notebook", "SELECT 'who am I'"]]


def test_a_transaction_over_the_connection(server, table):
    name = table("(a integer)")
    connection = trino.dbapi.connect(
        host=server.host, port=server.port, user="tester",
        isolation_level=trino.transaction.IsolationLevel.READ_UNCOMMITTED)
    with connection:
        cursor = connection.cursor()
        cursor.execute("SELECT count(*) FROM tpch.tiny.region")
        assert cursor.fetchall() == [[5]]
        cursor.execute(f"SELECT count(*) FROM {name}")
        assert cursor.fetchall() == [[0]]


def test_a_rolled_back_write_leaves_nothing(server, ours):
    """Trino's PostgreSQL connector cannot write in a transaction; meesh can."""
    connection = trino.dbapi.connect(
        host=server.host, port=server.port, user="tester",
        isolation_level=trino.transaction.IsolationLevel.READ_COMMITTED)
    cursor = connection.cursor()
    cursor.execute("INSERT INTO sales.public.customers (customer_name, email) VALUES ('R', 'r@x')")
    assert cursor.fetchall() == [[1]]
    connection.rollback()
    assert ours.databases["sales"].query(
        "SELECT count(*) FROM customers WHERE email = 'r@x'") == [(0,)]
    cursor = connection.cursor()
    cursor.execute("INSERT INTO sales.public.customers (customer_name, email) VALUES ('R', 'r@x')")
    cursor.fetchall()
    connection.commit()
    try:
        assert ours.databases["sales"].query(
            "SELECT count(*) FROM customers WHERE email = 'r@x'") == [(1,)]
    finally:
        ours.databases["sales"].query("DELETE FROM customers WHERE email = 'r@x'")
