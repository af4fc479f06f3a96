"""What streams make of messages, on a real broker: rows in tables of the lake, in memory, in a
domain's PostgreSQL and in topics; windows and watermarks with the rows that Spark's documentation
promises (test_spark_semantics.py asks Spark itself)."""
import json
import uuid
from datetime import datetime, timedelta, timezone
from decimal import Decimal

import pytest
from confluent_kafka import Producer

from support.streams import StreamMesh, send, source

SALES = {"id": "bigint", "pays": "varchar", "montant": "decimal(12,2)", "moment": "timestamp(3)"}
NOON = datetime(2026, 1, 1, 12, tzinfo=timezone.utc)


def at(seconds):
    return (NOON + timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"


def clock(value):
    """The seconds after noon of a timestamp that a query gave."""
    return (value.replace(tzinfo=timezone.utc) - NOON).total_seconds()


def sales(ids):
    return [{"id": i, "pays": ["France", "Italie", "Espagne"][i % 3],
             "montant": f"{i % 500}.{i % 100:02}", "moment": at(i)} for i in ids]


def total(ids, country):
    found = [one for one in sales(ids) if one["pays"] == country]
    return sum(Decimal(one["montant"]) for one in found), len(found)


@pytest.fixture
def topic(kafka):
    name = f"t-{uuid.uuid4().hex[:8]}"
    kafka.create_topic(name, 1)
    return name


@pytest.fixture
def mesh(tmp_path, request):
    made = StreamMesh(tmp_path)
    yield made
    made.stop()


TOTALS = ("SELECT pays, sum(montant) AS total, count(*) AS nb, avg(montant) AS moyenne, "
          "min(id) AS least, max_by(id, montant) AS largest, count(DISTINCT id % 7) AS kinds "
          "FROM ventes GROUP BY pays HAVING count(*) > 1")


def test_rows_of_the_lake(kafka, topic, mesh):
    ventes = source(kafka, topic, {**SALES, "tags": "array(varchar)"})
    mesh.stream("brutes", {"ventes": ventes},
                "SELECT v.id, v.montant, t.tag, _offset AS at, _topic AS topic, "
                "from_utf8(_key) AS key FROM ventes AS v CROSS JOIN UNNEST(v.tags) AS t(tag) "
                "WHERE v.montant >= 10", [{"lake": "lake.bronze.ventes"}])
    mesh.start()
    events = [{**one, "tags": ["a", "b"][:one["id"] % 3]} for one in sales(range(1000))]
    send(kafka, topic, events, key=lambda value: f"k{value['id']}")
    mesh.until_read("brutes", 1000)
    expected = sorted((one["id"], Decimal(one["montant"]), tag, one["id"], topic, f"k{one['id']}")
                      for one in events for tag in one["tags"] if Decimal(one["montant"]) >= 10)
    assert mesh.rows("SELECT * FROM lake.bronze.ventes ORDER BY id, tag") == \
        [(*row[:3], *row[3:]) for row in expected]


def test_goes_on_where_it_was(kafka, topic, mesh):
    mesh.stream("brutes", {"ventes": source(kafka, topic, SALES)}, "SELECT id FROM ventes",
                [{"lake": "lake.bronze.ids"}])
    mesh.stream("totaux", {"ventes": source(kafka, topic, SALES)}, TOTALS,
                [{"live": "totaux"}, {"lake": "lake.gold.totaux"}], output="complete")
    for generation in range(3):
        mesh.start()
        send(kafka, topic, sales(range(generation * 300, generation * 300 + 300)))
        for stream in ("brutes", "totaux"):
            mesh.until_read(stream, (generation + 1) * 300)
        ids = range((generation + 1) * 300)
        assert mesh.rows("SELECT count(*), count(DISTINCT id), sum(id) FROM lake.bronze.ids") == \
            [(len(ids), len(ids), sum(ids))]
        for table in ("live.default.totaux", "lake.gold.totaux"):
            found = {row[0]: row for row in mesh.rows(f"SELECT * FROM {table}")}
            assert found.keys() == {"France", "Italie", "Espagne"}
            for country, row in found.items():
                sum_, count = total(ids, country)
                assert row[1:3] == (sum_, count)
                assert row[3] == (sum_ / count).quantize(Decimal("0.01"), "ROUND_HALF_UP")
                assert row[6] == 7
        mesh.stop()


def test_messages_that_cannot_be_read(kafka, topic, mesh):
    mesh.stream("brutes", {"ventes": source(kafka, topic, SALES)}, "SELECT id FROM ventes",
                [{"lake": "lake.bronze.ids"}], dead_letter="lake.bronze.bad")
    mesh.start()
    bad = [b"{", b"\xff\xfe", b"", b"[1]", b'{"id": "x"}', b'{"id": 1e40}',
           b'{"id": 1, "montant": "1.234"}', b'{"moment": "yesterday"}', b"null", b'{"id": 1} x']
    good = [{"id": n} for n in range(90)]
    mixed = [value for n in range(10) for value in (*good[n * 9:n * 9 + 9], bad[n])]
    send(kafka, topic, mixed, key=lambda value: b"key")
    mesh.until_read("brutes", 100)
    assert mesh.rows("SELECT count(*), sum(id) FROM lake.bronze.ids") == [(90, sum(range(90)))]
    found = mesh.rows("SELECT _offset, _value, _key, _topic, _partition, _stream, _error "
                      "FROM lake.bronze.bad ORDER BY 1")
    assert [row[:6] for row in found] == [(n * 10 + 9, bad[n], b"key", topic, 0, "ventes")
                                          for n in range(10)]
    assert all(len(row[6]) > 5 for row in found), found
    assert mesh.status("brutes")["malformed"] == 10


def test_windows_that_time_closes(kafka, topic, mesh):
    """Spark's rules: a batch drops what the watermark of the batches before has passed, and gives
    the windows it has passed."""
    ventes = source(kafka, topic, SALES, event_time="moment", watermark="10s")
    mesh.stream("fenetres", {"ventes": ventes},
                "SELECT window_start, window_end, pays, count(*) AS nb FROM ventes "
                "GROUP BY window_start, window_end, pays",
                [{"lake": "lake.gold.fenetres"}], window={"size": "10s"})
    mesh.start()

    def batch(*seconds):
        read = mesh.status("fenetres")["messages"]
        send(kafka, topic, [{"id": s, "pays": "F", "montant": 1, "moment": at(s)} for s in seconds])
        return mesh.until_read("fenetres", read + len(seconds))

    def closed():
        return [(clock(start), clock(end), country, count) for start, end, country, count in
                mesh.rows("SELECT * FROM lake.gold.fenetres ORDER BY 1")]
    batch(1, 2, 15)                       # watermark: 5
    assert closed() == []
    batch(3, 21)                          # 3 is late but not too late; watermark: 11
    mesh.until(lambda: closed() == [(0, 10, "F", 3)], "the first window")
    batch(4, 12)                          # 4 belongs to a window that is closed
    mesh.until(lambda: mesh.status("fenetres")["late"] == 1, "a late row")
    batch(45)                             # watermark: 35
    mesh.until(lambda: closed() == [(0, 10, "F", 3), (10, 20, "F", 2), (20, 30, "F", 1)],
               "two more windows")
    mesh.until(lambda: mesh.status("fenetres")["state_rows"] == 1, "the closed windows forgotten")


def test_sliding_windows(kafka, topic, mesh):
    ventes = source(kafka, topic, SALES, event_time="moment", watermark="1s")
    mesh.stream("glissantes", {"ventes": ventes},
                "SELECT window_start, count(*) AS nb FROM ventes GROUP BY window_start",
                [{"live": "glissantes"}], window={"size": "10s", "slide": "5s"}, output="complete")
    mesh.start()
    send(kafka, topic, [{"id": s, "moment": at(s)} for s in (0, 4, 5, 12)])
    mesh.until_read("glissantes", 4)
    found = {clock(start): count for start, count in mesh.rows("SELECT * FROM live.default.glissantes")}
    assert found == {-5: 2, 0: 3, 5: 2, 10: 1}


def test_changed_groups(kafka, topic, tmp_path, mesh):
    mesh.stream("soldes", {"ventes": source(kafka, topic, SALES)},
                "SELECT pays, sum(montant) AS total, count(*) AS nb FROM ventes GROUP BY pays",
                [{"lake": "lake.gold.soldes"}, {"live": "soldes"}], output="update")
    mesh.start()
    for first in (0, 30, 60):
        send(kafka, topic, sales(range(first, first + 30)))
        mesh.until_read("soldes", first + 30)
    send(kafka, topic, [{"id": 1, "pays": None, "montant": 5, "moment": None}])
    mesh.until_read("soldes", 91)
    for table in ("lake.gold.soldes", "live.default.soldes"):
        found = {row[0]: row[1:] for row in mesh.rows(f"SELECT * FROM {table}")}
        assert found == {None: (Decimal("5.00"), 1),
                         **{country: total(range(90), country)
                            for country in ("France", "Italie", "Espagne")}}


def test_what_came_before(kafka, topic, mesh):
    ventes = source(kafka, topic, SALES, event_time="moment", watermark="10s")
    mesh.stream("uniques", {"ventes": ventes}, "SELECT id, pays FROM ventes",
                [{"lake": "lake.bronze.uniques"}], deduplicate={"columns": ["id"], "within": "20s"})
    mesh.start()
    send(kafka, topic, sales([1, 2, 2, 1, 3]))
    mesh.until_read("uniques", 5)
    send(kafka, topic, sales([3, 2, 4]))
    mesh.until_read("uniques", 8)
    mesh.stop()
    mesh.start()
    send(kafka, topic, sales([1, 4, 5]))
    mesh.until_read("uniques", 11)
    assert mesh.rows("SELECT id FROM lake.bronze.uniques ORDER BY 1") == [(n,) for n in range(1, 6)]
    assert mesh.status("uniques")["duplicates"] == 6
    send(kafka, topic, sales([500]))          # the watermark passes all of them
    mesh.until_read("uniques", 12)
    send(kafka, topic, sales([501]))
    mesh.until_read("uniques", 13)
    mesh.until(lambda: mesh.status("uniques")["state_rows"] == 2, "old keys forgotten")


def test_two_streams_joined(kafka, topic, mesh):
    kafka.create_topic(topic + "-clicks", 1)
    views = source(kafka, topic, {"ad": "bigint", "moment": "timestamp(3)"}, event_time="moment",
                   watermark="10s")
    clicks = source(kafka, topic + "-clicks", {"ad": "bigint", "moment": "timestamp(3)"},
                    event_time="moment", watermark="10s")
    mesh.stream("paires", {"vues": views, "clics": clicks},
                "SELECT v.ad, v.moment AS vue, c.moment AS clic FROM vues v JOIN clics c "
                "ON v.ad = c.ad AND c.moment BETWEEN v.moment AND v.moment + INTERVAL '30' SECOND",
                [{"lake": "lake.gold.paires"}])
    mesh.start()
    send(kafka, topic, [{"ad": n, "moment": at(n)} for n in range(10)])
    mesh.until_read("paires", 10)
    send(kafka, topic + "-clicks", [{"ad": n, "moment": at(n + 20)} for n in range(5)] +
         [{"ad": 5, "moment": at(40)}, {"ad": 6, "moment": at(2)}, {"ad": 7, "moment": at(37)}])
    mesh.until_read("paires", 18)
    send(kafka, topic + "-clicks", [{"ad": 8, "moment": at(38)}])
    mesh.until_read("paires", 19)
    found = [(ad, clock(view), clock(click)) for ad, view, click in
             mesh.rows("SELECT * FROM lake.gold.paires ORDER BY 1")]
    assert found == [*((n, n, n + 20) for n in range(5)), (7, 7, 37), (8, 8, 38)]
    send(kafka, topic, [{"ad": 100, "moment": at(200)}])
    send(kafka, topic + "-clicks", [{"ad": 100, "moment": at(200)}])
    mesh.until_read("paires", 21)
    send(kafka, topic, [{"ad": 101, "moment": at(201)}])
    mesh.until_read("paires", 22)
    mesh.until(lambda: mesh.status("paires")["state_rows"] <= 3, "old rows forgotten")


def test_rows_joined_to_a_table(kafka, topic, mesh):
    mesh.stream("riches", {"ventes": source(kafka, topic, SALES)},
                "SELECT v.id, c.code FROM ventes v LEFT JOIN lake.bronze.codes c ON v.pays = c.pays",
                [{"lake": "lake.silver.riches"}], paused=True)
    mesh.start()
    mesh.rows("CREATE SCHEMA IF NOT EXISTS lake.bronze")
    mesh.rows("CREATE TABLE lake.bronze.codes AS SELECT * FROM (VALUES ('France', 'FR'), "
              "('Italie', 'IT')) AS t(pays, code)")
    assert mesh.api("POST", "/riches/resume").ok
    send(kafka, topic, sales(range(6)))
    mesh.until_read("riches", 6)
    assert mesh.rows("SELECT id, code FROM lake.silver.riches ORDER BY 1") == \
        [(n, ["FR", "IT", None][n % 3]) for n in range(6)]


def test_into_a_topic(kafka, topic, mesh):
    target = topic + "-out"
    mesh.stream("copie", {"ventes": source(kafka, topic, SALES)},
                "SELECT id, pays, montant * 2 AS double, moment FROM ventes",
                [{"kafka": target, "key": ["id"]}])
    mesh.start()
    send(kafka, topic, sales(range(50)))
    mesh.until_read("copie", 50)
    found = kafka.messages(target, 50, lambda message: True)
    assert sorted(int(one.key()) for one in found) == list(range(50))
    seven = next(json.loads(one.value()) for one in found if one.key() == b"7")
    assert seven["id"] == 7 and seven["pays"] == "Italie"
    assert Decimal(str(seven["double"])) == Decimal("14.14")
    assert seven["moment"].startswith("2026-01-01 12:00:07")


def test_available_now(kafka, topic, mesh):
    mesh.stream("lot", {"ventes": source(kafka, topic, SALES)}, "SELECT id FROM ventes",
                [{"lake": "lake.bronze.lot"}], trigger="available-now", max_messages=40)
    send(kafka, topic, sales(range(100)))
    mesh.start()
    assert mesh.status("lot")["state"] == "FINISHED"
    told = [json.loads(line) for line in mesh.api("POST", "/lot/run").text.splitlines()]
    assert mesh.rows("SELECT count(*), sum(id) FROM lake.bronze.lot") == [(100, sum(range(100)))]
    assert told[-1].get("result", told[-1])["messages"] == 100, told
    assert mesh.status("lot")["batch"] == 3
    send(kafka, topic, sales(range(100, 110)))
    mesh.api("POST", "/lot/run")
    assert mesh.rows("SELECT count(*), sum(id) FROM lake.bronze.lot") == [(110, sum(range(110)))]


def test_begins_anew(kafka, topic, mesh):
    mesh.stream("totaux", {"ventes": source(kafka, topic, SALES)},
                "SELECT pays, count(*) AS nb FROM ventes GROUP BY pays",
                [{"lake": "lake.gold.totaux"}], output="complete")
    mesh.start()
    send(kafka, topic, sales(range(30)))
    mesh.until_read("totaux", 30)
    answer = mesh.api("POST", "/totaux/reset", json={"to": "earliest", "truncate": True})
    assert answer.ok, answer.text
    status = mesh.until(lambda: (s := mesh.status("totaux"))["generation"] == 2
                        and s["messages"] == 30 and s, "the second generation")
    assert status["batch"] >= 1
    assert mesh.rows("SELECT sum(nb) FROM lake.gold.totaux") == [(30,)]


def test_stored_messages_once_more(kafka, topic, mesh):
    mesh.stream("brutes", {"ventes": source(kafka, topic, SALES)}, "SELECT id FROM ventes",
                [{"lake": "lake.bronze.ids"}])
    mesh.start()
    send(kafka, topic, sales(range(100)), timestamp=lambda value: 1_700_000_000_000 + value["id"])
    mesh.until_read("brutes", 100)
    answer = mesh.api("POST", "/brutes/replay", json={
        "into": "lake.bronze.again", "from": "1700000000020", "to": "1700000000050"})
    assert answer.ok and "error" not in answer.text, answer.text
    assert mesh.rows("SELECT count(*), min(id), max(id) FROM lake.bronze.again") == [(30, 20, 49)]
    again = mesh.api("POST", "/brutes/replay", json={"into": "lake.bronze.again"})
    assert "exists already" in again.text


def test_more_partitions(kafka, mesh):
    topic = f"t-{uuid.uuid4().hex[:8]}"
    kafka.create_topic(topic, 1)
    mesh.stream("brutes", {"ventes": source(kafka, topic, SALES)},
                "SELECT id, _partition AS part FROM ventes", [{"lake": "lake.bronze.ids"}])
    mesh.start()
    send(kafka, topic, sales(range(10)))
    mesh.until_read("brutes", 10)
    kafka.add_partitions(topic, 3)
    send(kafka, topic, sales(range(10, 20)), partition=2)
    mesh.until_read("brutes", 20)
    assert mesh.rows("SELECT part, count(*), sum(id) FROM lake.bronze.ids GROUP BY part ORDER BY 1") \
        == [(0, 10, sum(range(10))), (2, 10, sum(range(10, 20)))]


def test_a_topic_made_anew(kafka, mesh):
    topic = f"t-{uuid.uuid4().hex[:8]}"
    kafka.create_topic(topic, 1)
    mesh.stream("brutes", {"ventes": source(kafka, topic, SALES)}, "SELECT id FROM ventes",
                [{"lake": "lake.bronze.ids"}])
    mesh.start()
    send(kafka, topic, sales(range(10)))
    mesh.until_read("brutes", 10)
    mesh.stop()
    kafka.delete_topic(topic)
    kafka.create_topic(topic, 1)
    send(kafka, topic, sales(range(3)))
    mesh.start()
    status = mesh.until(lambda: (s := mesh.status("brutes"))["state"] == "FAILED" and s, "a failure")
    assert "10 is the next to be read" in str(status["error"])
    assert mesh.rows("SELECT count(*) FROM lake.bronze.ids") == [(10,)]
    assert mesh.api("POST", "/brutes/reset", json={"to": "earliest"}).ok
    mesh.until_read("brutes", 3)
    assert mesh.rows("SELECT count(*) FROM lake.bronze.ids") == [(13,)]


def test_a_clock_that_runs_ahead(kafka, topic, mesh):
    """One event of next year must not make everybody else late."""
    now = datetime.now(timezone.utc)

    def event(seconds):
        return {"id": 1, "moment": (now + timedelta(seconds=seconds)).isoformat()}
    ventes = source(kafka, topic, SALES, event_time="moment", watermark="60s")
    mesh.stream("fenetres", {"ventes": ventes},
                "SELECT window_start, count(*) AS nb FROM ventes GROUP BY window_start",
                [{"lake": "lake.gold.fenetres"}], window={"size": "10s"}, output="update")
    mesh.start()
    send(kafka, topic, [event(0), event(365 * 86400)])
    mesh.until_read("fenetres", 2)
    send(kafka, topic, [event(1), event(2)])
    mesh.until_read("fenetres", 4)
    status = mesh.status("fenetres")
    assert status["late"] == 0
    assert mesh.rows("SELECT sum(nb) FROM lake.gold.fenetres") == [(4,)]


def test_what_transactions_gave_up(kafka, topic, mesh):
    mesh.stream("brutes", {"ventes": source(kafka, topic, SALES)}, "SELECT id FROM ventes",
                [{"lake": "lake.bronze.ids"}], trigger="continuous")
    mesh.start()
    producer = Producer({"bootstrap.servers": kafka.brokers, "transactional.id": topic,
                         "log_level": 0})
    producer.init_transactions(30)
    for number in range(20):
        producer.begin_transaction()
        for one in sales(range(number * 5, number * 5 + 5)):
            producer.produce(topic, json.dumps(one))
        producer.flush()
        if number % 2:
            producer.abort_transaction(30)
        else:
            producer.commit_transaction(30)
    mesh.until_read("brutes", 50)
    kept = [n for n in range(100) if n // 5 % 2 == 0]
    assert mesh.rows("SELECT count(*), sum(id) FROM lake.bronze.ids") == [(50, sum(kept))]
    mesh.until(lambda: mesh.status("brutes")["lag"] in (0, 1), "no lag but the end of a transaction")


def test_keys_of_a_compacted_topic(kafka, topic, mesh):
    """The newest row of each key, as a table; a tombstone has no value."""
    mesh.stream("clients", {"ventes": source(kafka, topic, {"id": "bigint", "pays": "varchar"})},
                "SELECT from_utf8(_key) AS cle, max_by(pays, _offset) AS pays, "
                "max_by(id IS NULL, _offset) AS supprime FROM ventes GROUP BY 1",
                [{"lake": "lake.silver.clients"}], output="update")
    mesh.start()
    send(kafka, topic, [{"id": 1, "pays": "France"}], key=lambda _: "a")
    send(kafka, topic, [{"id": 2, "pays": "Italie"}], key=lambda _: "b")
    send(kafka, topic, [None], key=lambda _: "a")
    send(kafka, topic, [{"id": 3, "pays": "Espagne"}], key=lambda _: "b")
    mesh.until_read("clients", 4)
    assert mesh.rows("SELECT * FROM lake.silver.clients ORDER BY 1") == \
        [("a", None, True), ("b", "Espagne", False)]


def test_csv_and_raw_messages(kafka, topic, mesh):
    csv = source(kafka, topic, {"id": "bigint", "nom": "varchar", "prix": "decimal(8,2)"},
                 format="csv", delimiter=";", csv_header=["nom", "id", "prix"])
    raw = {"kafka": {"brokers": kafka.brokers, "topic": topic}, "format": "raw"}
    mesh.stream("csv", {"lignes": csv}, "SELECT id, nom, prix FROM lignes",
                [{"lake": "lake.bronze.csv"}])
    mesh.stream("brut", {"lignes": raw}, "SELECT value, length(value) AS octets, _headers AS h "
                "FROM lignes", [{"lake": "lake.bronze.brut"}])
    mesh.start()
    values = ['"Dupont; ""Jo""";1;12.50', 'Martin;2;', 'x;y;z']
    send(kafka, topic, values, headers=[("trace", b"t-1"), ("vide", None)])
    mesh.until_read("csv", 3)
    mesh.until_read("brut", 3)
    assert mesh.rows("SELECT * FROM lake.bronze.csv ORDER BY 1") == \
        [(1, 'Dupont; "Jo"', Decimal("12.50")), (2, "Martin", None)]
    assert mesh.status("csv")["malformed"] == 1
    found = mesh.rows("SELECT * FROM lake.bronze.brut ORDER BY 2")
    assert sorted(row[0].decode() for row in found) == sorted(values)
    assert {json.dumps(json.loads(row[2]), sort_keys=True) for row in found} == \
        {'{"trace": "t-1", "vide": null}'}


@pytest.mark.parametrize("how", ["certificate", "password"])
def test_over_tls(secure, tmp_path, how):
    topic = f"t-{uuid.uuid4().hex[:8]}"
    secure.create_topic(topic, 1)
    files = {name: str(secure.folder / file) for name, file in
             (("ca", "ca.crt"), ("certificate", "client.crt"), ("key_file", "client.key"))}
    reached = {"brokers": secure.tls_brokers, **files} if how == "certificate" else {
        "brokers": secure.sasl_brokers, "ca": files["ca"], "mechanism": "PLAIN",
        "user": secure.USER, "password": "${KAFKA_PASSWORD}"}
    mesh = StreamMesh(tmp_path)
    mesh.stream("brutes", {"ventes": {"kafka": {**reached, "tls": True, "topic": topic},
                                      "columns": SALES}},
                "SELECT id FROM ventes", [{"lake": "lake.bronze.ids"}])
    try:
        mesh.start(environment={"KAFKA_PASSWORD": secure.PASSWORD})
        send(secure, topic, sales(range(20)))
        mesh.until_read("brutes", 20)
        assert mesh.rows("SELECT count(*), sum(id) FROM lake.bronze.ids") == [(20, sum(range(20)))]
        told = mesh.server.log_text() + mesh.api("GET", "/brutes").text
        assert secure.PASSWORD not in told
    finally:
        mesh.stop()


@pytest.mark.parametrize("change, told", [
    ({"sql": "SELECT id FROM ventes ORDER BY id"}, ":37: the rows of a stream have no order"),
    ({"sql": "SELECT id FROM ventes LIMIT 3"}, "LIMIT"),
    ({"sql": "SELECT pays, stddev(id) FROM ventes GROUP BY pays", "output": "complete"},
     ":19: stddev cannot be kept from batch to batch"),
    ({"sql": "SELECT pays, id FROM ventes GROUP BY pays", "output": "complete"},
     ":19: 'id' must be an aggregate expression"),
    ({"sql": "SELECT pays, count(*) FROM ventes GROUP BY pays"}, "needs a group that time closes"),
    ({"output": "complete"}, "output: complete is for queries with aggregates"),
    ({"sql": "SELECT FROM"}, "faux.yaml:"),
    ({"sql": "SELECT id\nFROM ventes\n  LIMIT 3\n"}, "LIMIT"),
    ({"trigger": "sometimes"}, "'trigger' is available-now"),
    ({"into": []}, "the rows go nowhere"),
    ({"deduplicate": {"columns": ["id"], "within": "soon"}}, "'within' is a duration"),
])
def test_mistakes_are_told_where_they_are(kafka, tmp_path, change, told):
    made = StreamMesh(tmp_path)
    content = {"sql": "SELECT id FROM ventes", "into": [{"lake": "lake.bronze.x"}], **change}
    made.stream("faux", {"ventes": source(kafka, "t", SALES)}, content.pop("sql"),
                content.pop("into"), **content)
    with pytest.raises(AssertionError) as failed:
        made.start()
    assert "faux.yaml" in str(failed.value) and told in str(failed.value)
