"""Many clients at once, and results larger than the memory they may take."""
import threading

import pytest
import requests
import trino

from support.answers import Statement, rows_of
from support.meesh import plain_mesh
from support.processes import reset_peak, wait_until
from support.statements import FLOOD

MB = 1_000_000


def test_200_clients_at_once_each_get_their_own_answer(server):
    answers, failures = {}, []
    start = threading.Barrier(200)

    def ask(number):
        try:
            connection = trino.dbapi.connect(host=server.host, port=server.port,
                                             user=f"client{number}")
            start.wait(60)
            for turn in range(3):
                cursor = connection.cursor()
                cursor.execute(f"SELECT {number}, {turn}, count(*), sum(regionkey) "
                               "FROM tpch.tiny.nation")
                answers[number, turn] = cursor.fetchall()
            connection.close()
        except Exception as error:
            failures.append((number, repr(error)))

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(200)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(250)
    assert not failures, failures[:3]
    assert answers == {(n, t): [[n, t, 25, 50]] for n in range(200) for t in range(3)}


# Ten million rows: 2500 numbers times 4000.
TEN_MILLION = ("SELECT a * 4000 + b AS n, 'row ' || CAST(b AS varchar) AS label "
               "FROM UNNEST(sequence(0, 2499)) AS t(a) CROSS JOIN UNNEST(sequence(0, 3999)) AS u(b)")


@pytest.fixture
def meesh(start_meesh, folder):
    return start_meesh(plain_mesh(folder / "mesh"), folder / "data")


@pytest.mark.timeout(600)
def test_ten_million_rows_stream_in_bounded_memory(meesh):
    rows_of(meesh.url, TEN_MILLION + " LIMIT 1")  # what the first query loads is not the result's
    reset_peak(meesh.process.pid)
    before = meesh.memory()["VmRSS"]
    count = total = size = 0
    statement = Statement(meesh.url, TEN_MILLION, session=requests.Session())
    for page in statement.pages():
        data = page.get("data") or []
        count += len(data)
        total += sum(row[0] for row in data)
        size += sum(len(row[1]) for row in data[:1]) * len(data)
    assert not statement.page.get("error"), statement.page["error"]
    assert (count, total) == (10_000_000, 10_000_000 * 9_999_999 // 2)
    grown = meesh.memory()["VmHWM"] - before
    assert grown < 300 * MB, f"{grown / MB:.0f} MB more than before for a result of 10 million rows"


def test_a_client_that_does_not_read_holds_the_query_back(meesh):
    """Rows without end and a reader who stops: memory stays, and the query can be cancelled."""
    rows_of(meesh.url, "SELECT count(*) FROM tpch.tiny.lineitem")
    statement = Statement(meesh.url, FLOOD)
    while not statement.page.get("data"):
        statement.next()
    reset_peak(meesh.process.pid)
    before = meesh.memory()["VmRSS"]
    # Other work goes on meanwhile.
    for _ in range(20):
        assert rows_of(meesh.url, "SELECT count(*) FROM tpch.tiny.orders") == [[15000]]
    assert meesh.memory()["VmHWM"] - before < 300 * MB
    statement.http.delete(statement.page["nextUri"], headers=statement.headers)
    wait_until(lambda: rows_of(meesh.url, "SELECT count(*) FROM system.runtime.queries "
                               "WHERE state = 'RUNNING' AND query LIKE '%CROSS JOIN%' "
                               "AND query NOT LIKE '%runtime%'") == [[0]],
               30, "the query gone")


def test_stopping_under_load_is_orderly(meesh):
    """SIGTERM while clients ask: each gets an answer or an error, and meesh ends with 0."""
    stop = threading.Event()
    outcomes = []

    def ask():
        while not stop.is_set():
            try:
                outcomes.append(rows_of(meesh.url, "SELECT count(*) FROM tpch.tiny.nation"))
            except (AssertionError, requests.RequestException) as error:
                outcomes.append(error)

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    wait_until(lambda: len(outcomes) >= 16, 60, "clients at work")
    code = meesh.stop()
    stop.set()
    for thread in threads:
        thread.join(30)
    assert code == 0
    assert all(o == [[25]] for o in outcomes if isinstance(o, list))
