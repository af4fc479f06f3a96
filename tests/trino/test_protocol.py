"""The statement protocol as it is on the wire."""
import pytest
import requests

from support.answers import Statement, error_of, rows_of
from support.processes import wait_until
from support.statements import ENDLESS

USER = {"X-Trino-User": "tester"}


def test_info_and_status(server):
    info = requests.get(f"{server.url}/v1/info").json()
    assert info["coordinator"] is True and info["starting"] is False
    assert int(info["nodeVersion"]["version"].split("-")[0]) >= 476
    assert requests.head(f"{server.url}/v1/status", headers=USER).status_code == 200


def test_an_empty_statement_is_a_bad_request(server):
    assert requests.post(f"{server.url}/v1/statement", data="", headers=USER).status_code == 400


def test_a_statement_without_user_is_refused(server):
    assert requests.post(f"{server.url}/v1/statement", data="SELECT 1").status_code in (400, 401)


def test_the_first_answer_is_queued_and_every_page_has_what_clients_need(server):
    statement = Statement(server.url, "SELECT 1")
    assert statement.page["stats"]["state"] == "QUEUED"
    assert "data" not in statement.page and statement.page["nextUri"]
    pages = list(statement.pages())
    assert all({"id", "infoUri", "stats"} <= set(page) for page in pages)
    assert all("columns" in page for page in pages if "data" in page)
    assert pages[-1]["stats"]["state"] == "FINISHED" and "nextUri" not in pages[-1]
    assert sum((page.get("data", []) for page in pages), []) == [[1]]


def test_a_page_can_be_fetched_again(server):
    statement = Statement(server.url, "SELECT * FROM tpch.tiny.lineitem")
    while not statement.page.get("data"):
        uri = statement.page["nextUri"]
        assert statement.next()
    again = requests.get(uri, headers=USER).json()
    assert again["data"] == statement.page["data"]
    assert again["nextUri"] == statement.page["nextUri"]
    rest = sum((page.get("data") or [] for page in statement.pages()), [])
    assert len(rest) == 60175


def test_unknown_statements_are_not_found(server):
    statement = Statement(server.url, "SELECT 1")
    uri = statement.page["nextUri"]
    query_id, slug = uri.split("/")[-3:-1]
    assert requests.get(uri.replace(query_id, "20200101_000000_00000_xxxxx"),
                        headers=USER).status_code == 404
    assert requests.get(uri.replace(slug, "y" + "0" * (len(slug) - 1)),
                        headers=USER).status_code == 404


def test_delete_answers_204_and_cancels(server):
    statement = Statement(server.url, ENDLESS)
    wait_until(lambda: statement.next()["stats"]["state"] == "RUNNING", 60, "the query running")
    assert requests.delete(statement.page["nextUri"], headers=USER).status_code == 204
    wait_until(lambda: rows_of(server.url, "SELECT state, error_code FROM system.runtime.queries "
                               f"WHERE query_id = '{statement.page['id']}'")
               == [["FAILED", "USER_CANCELED"]], 30, "the query cancelled")


def test_an_error_says_where_and_of_what_kind(server):
    error = error_of(server.url, "SELECT 1,\n       nosuch\nFROM tpch.tiny.nation")
    assert (error["errorName"], error["errorCode"], error["errorType"]) == (
        "COLUMN_NOT_FOUND", 47, "USER_ERROR")
    assert error["errorLocation"] == {"lineNumber": 2, "columnNumber": 8}
    assert error["message"] == "line 2:8: Column 'nosuch' cannot be resolved"
    assert error["failureInfo"]["message"] == error["message"]


def test_types_without_the_datetime_capability_are_rounded_and_bare(server):
    statement = Statement(server.url, "SELECT TIMESTAMP '2024-01-31 01:02:03.123987'")
    pages = [page for page in statement.pages() if page.get("data")]
    assert pages[0]["columns"][0]["type"] == "timestamp"
    assert pages[0]["data"] == [["2024-01-31 01:02:03.124"]]


def test_values_are_encoded_as_trino_encodes_them(server):
    assert rows_of(
        server.url,
        "SELECT REAL '1.5', 1e0, 1e300, nan(), -infinity(), DECIMAL '1.50', CAST('ab' AS char(4)), "
        "x'00ff', INTERVAL '1' DAY + INTERVAL '2' HOUR, INTERVAL '-14' MONTH, "
        "MAP(ARRAY[1], ARRAY['x']), ROW(1, ARRAY[DATE '2024-01-01']), JSON '{\"b\": [1, 2]}'",
        Client_Capabilities="PARAMETRIC_DATETIME") == [
        [1.5, 1.0, 1e300, "NaN", "-Infinity", "1.50", "ab  ", "AP8=", "1 02:00:00.000", "-1-2",
         {"1": "x"}, [1, ["2024-01-01"]], '{"b":[1,2]}']]


@pytest.mark.parametrize("headers", [
    {"Prepared-Statement": "p=SELECT+%3F+%2B+1"},
    {"Prepared-Statement": "other=SELECT+2,p=SELECT+%3F+%2B+1"}])
def test_prepared_statements_come_in_one_header_or_several_values(server, headers):
    statement = Statement(server.url, "EXECUTE p USING 41",
                          **{k.replace("-", "_"): v for k, v in headers.items()})
    rows, error = statement.finish()
    assert (rows, error) == ([[42]], None)


def test_transactions_are_announced_in_headers(server):
    http = requests.Session()
    response = http.post(f"{server.url}/v1/statement", data="START TRANSACTION READ ONLY",
                         headers={**USER, "X-Trino-Transaction-Id": "NONE"})
    transaction = None
    while True:
        transaction = transaction or response.headers.get("X-Trino-Started-Transaction-Id")
        if "nextUri" not in response.json():
            break
        response = http.get(response.json()["nextUri"], headers=USER)
    assert transaction
    assert rows_of(server.url, "SELECT count(*) FROM tpch.tiny.region",
                   Transaction_Id=transaction) == [[5]]
    response = http.post(f"{server.url}/v1/statement", data="COMMIT",
                         headers={**USER, "X-Trino-Transaction-Id": transaction})
    cleared = []
    while True:
        cleared.append(response.headers.get("X-Trino-Clear-Transaction-Id"))
        if "nextUri" not in response.json():
            break
        response = http.get(response.json()["nextUri"], headers=USER)
    assert "true" in cleared
    assert error_of(server.url, "SELECT 1", Transaction_Id=transaction)["errorName"] == (
        "UNKNOWN_TRANSACTION")


def test_a_statement_without_result_has_an_empty_list_of_columns(server):
    """Not none at all: the Java client fails with "Query has no columns" then."""
    statement = Statement(server.url, "PREPARE p FROM SELECT 1")
    assert statement.finish() == ([], None)
    assert (statement.page["columns"], statement.page["updateType"]) == ([], "PREPARE")
