"""Streams as they are run: the REST API, server-sent events, metrics and `meesh streams`, on a real
broker. What streams compute is tested elsewhere."""
import json
import subprocess
import time
from datetime import datetime, timedelta, timezone

import pytest
import requests
import trino
import yaml
from confluent_kafka import Consumer, Producer, TopicPartition
from prometheus_client.parser import text_string_to_metric_families

from support.meesh import Meesh, plain_mesh
from support.processes import wait_until

TOPIC, LATER, TIMES = "operations", "operations-later", "operations-times"
START = datetime(2025, 1, 15, 6, tzinfo=timezone.utc)


def source(kafka, topic, **more):
    return {"kafka": {"brokers": kafka.brokers, "topic": topic}, "format": "json",
            "columns": {"pays": "varchar", "montant": "decimal(12,2)", "moment": "timestamp(3)"},
            **more}


def write_stream(mesh, name, **content):
    path = mesh / "streams" / f"{name}.yaml"
    path.parent.mkdir(exist_ok=True)
    path.write_text(yaml.safe_dump(content, sort_keys=False))


class Events:
    """A listener of …/live."""

    def __init__(self, url, **options):
        headers = options.pop("headers", {})
        self.answer = requests.get(url, stream=True, timeout=(10, 60), headers=headers,
                                   params=options)
        self.lines = self.answer.iter_lines(chunk_size=1, decode_unicode=True)

    def next(self):
        """The next event, or comment, as {field: text}; AssertionError at the end."""
        found = {}
        for line in self.lines:
            if not line and found:
                return found
            if line:
                field, text = line.split(":", 1)
                found[field or "comment"] = text.strip()
        raise AssertionError("the events have ended")

    def commit(self, accept=lambda data: True):
        """(id, data) of the next commit that is accepted."""
        while True:
            event = self.next()
            if event.get("event") == "commit" and accept(data := json.loads(event["data"])):
                return int(event["id"]), data

    def close(self):
        self.answer.close()


class Shop:
    """A server with the streams `totals` (goes on and on), `sales` and `times` (available-now, into
    the lake) and `lost` (whose topic is not there)."""

    def __init__(self, kafka, folder):
        self.kafka = kafka
        mesh = plain_mesh(folder / "mesh", lake={"location": "s3://lake"})
        write_stream(mesh, "totals", description="Sales by country",
                     sources={"ventes": source(kafka, TOPIC, event_time="moment",
                                               watermark="10s")},
                     sql="SELECT pays, sum(montant) AS total, count(*) AS sales FROM ventes "
                         "GROUP BY pays",
                     output="complete", trigger={"every": "100ms"}, into=[{"live": "totals"}])
        for name, topic in (("sales", LATER), ("times", TIMES)):
            write_stream(mesh, name, sources={"ventes": source(kafka, topic)},
                         sql="SELECT pays, montant, moment FROM ventes", output="append",
                         trigger="available-now", into=[{"lake": f"lake.bronze.{name}"}])
        write_stream(mesh, "lost", sources={"ventes": source(kafka, "no-such-topic")},
                     sql="SELECT pays FROM ventes", output="append",
                     into=[{"lake": "lake.bronze.lost"}])
        self.meesh = Meesh(mesh, folder / "data").start()
        self.produced = 0

    def produce(self, count, topic=TOPIC, pays="France", timestamp=None):
        """Sales of 1.50 each, a second of event time apart."""
        producer = Producer({"bootstrap.servers": self.kafka.brokers, "log_level": 0})
        more = {"timestamp": timestamp} if timestamp else {}
        for _ in range(count):
            moment = START + timedelta(seconds=self.produced)
            producer.produce(topic, json.dumps({
                "pays": pays, "montant": 1.5,
                "moment": moment.isoformat(timespec="milliseconds")[:-6] + "Z"}), **more)
            self.produced += 1
        assert producer.flush(30) == 0

    def get(self, path, code=200):
        answer = requests.get(f"{self.meesh.url}/api/v1/streams{path}", timeout=30)
        assert answer.status_code == code, answer.text
        return answer.json()

    def post(self, path, code=200, **body):
        answer = requests.post(f"{self.meesh.url}/api/v1/streams{path}", json=body, timeout=60)
        assert answer.status_code == code, answer.text
        return answer.json()

    def work(self, path, **body):
        """The lines that long work tells."""
        answer = requests.post(f"{self.meesh.url}/api/v1/streams{path}", json=body, timeout=120)
        assert answer.headers["Content-Type"].startswith("application/x-ndjson"), answer.text
        return [json.loads(line) for line in answer.text.splitlines()]

    def events(self, stream="totals", **options):
        return Events(f"{self.meesh.url}/api/v1/streams/{stream}/live", **options)

    def query(self, sql):
        connection = trino.dbapi.connect(host=self.meesh.host, port=self.meesh.port, user="tester")
        try:
            cursor = connection.cursor()
            cursor.execute(sql)
            return cursor.fetchall()
        finally:
            connection.close()

    def cli(self, *arguments, code=0, **options):
        """`meesh streams …`; standard output, and of failures both."""
        done = self.meesh.run("streams", *arguments, "--server", self.meesh.url, **options)
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout if code == 0 else done.stdout + done.stderr

    def caught_up(self, stream="totals"):
        """The status once nothing waits in its topics."""
        ends = {one.partition: one.offset for one in self.kafka_ends()}

        def look():
            status = self.get(f"/{stream}")
            reached = {one["partition"]: one["committed"] for one in status["partitions"]}
            return status if all(reached.get(p, -1) >= end for p, end in ends.items()) else None
        return wait_until(look, 60, f"{stream} catches up", every=0.05)

    def kafka_ends(self):
        consumer = Consumer({"bootstrap.servers": self.kafka.brokers, "group.id": "ends",
                             "log_level": 0})
        try:
            found = consumer.list_topics(TOPIC, timeout=10).topics[TOPIC].partitions
            return [TopicPartition(TOPIC, one, consumer.get_watermark_offsets(
                TopicPartition(TOPIC, one), timeout=10)[1]) for one in found]
        finally:
            consumer.close()

    def sold(self):
        """What the live table counts in all; None while a stream that begins makes it anew."""
        try:
            return self.query("SELECT coalesce(sum(sales), 0) FROM live.default.totals")[0][0]
        except trino.exceptions.TrinoUserError as error:
            if error.error_name != "TABLE_NOT_FOUND":
                raise
            return None


@pytest.fixture(scope="module")
def shop(kafka, work_folder):
    for topic in (TOPIC, LATER, TIMES):
        kafka.create_topic(topic, 2)
    folder = work_folder / "operations"
    folder.mkdir()
    made = Shop(kafka, folder)
    made.produce(10)
    made.caught_up()
    yield made
    made.meesh.stop()


@pytest.fixture
def listen(shop):
    opened = []

    def make(stream="totals", **options):
        opened.append(shop.events(stream, **options))
        return opened[-1]
    yield make
    for one in opened:
        one.close()


# ---- reading

def test_a_stream_tells_its_numbers(shop):
    before = shop.caught_up()["messages"]
    shop.produce(100, pays="Italie")
    status = shop.caught_up()
    assert status["messages"] == before + 100
    assert status["state"] == "RUNNING" and "error" not in status
    assert status["description"] == "Sales by country" and status["output"] == "complete"
    assert status["lag"] == 0 and status["malformed"] == 0
    newest = START + timedelta(seconds=shop.produced - 1 - 10)
    assert status["watermark"] == newest.isoformat(timespec="milliseconds")[:-6] + "Z"
    assert abs(time.time() * 1000 - status["last_commit_ms"]) < 3600_000
    assert sum(one["committed"] for one in status["partitions"]) == sum(
        one.offset for one in shop.kafka_ends())
    assert all(one["end"] == one["committed"] and one["lag"] == 0 and one["topic"] == TOPIC
               for one in status["partitions"])
    assert "GROUP BY pays" in status["config"]["sql"]
    assert status["config"]["sinks"] == [{"kind": "live", "target": "totals"}]


def test_all_streams_are_listed_by_name(shop):
    assert [one["name"] for one in shop.get("")["streams"]] == ["lost", "sales", "times",
                                                           "totals"]


def test_a_stream_that_cannot_run_says_why_and_when_it_tries_again(shop):
    def failed():
        status = shop.get("/lost")
        return status if status["state"] == "FAILED" else None
    status = wait_until(failed, 60, "the stream without a topic fails")
    assert "no-such-topic" in status["error"]
    assert "no-such-topic" in shop.cli("list")


def test_a_stream_that_is_not_there_is_404_and_names_those_that_are(shop):
    for method, path in (("get", "/nothing"), ("get", "/nothing/live"), ("post", "/nothing/pause"),
                         ("post", "/nothing/run")):
        told = getattr(shop, method)(path, code=404)
        assert told["code"] == "NOT_FOUND" and "totals" in told["text"], told


# ---- steering

def test_a_paused_stream_does_not_read_until_it_goes_on(shop):
    sold = shop.caught_up() and shop.sold()
    assert shop.post("/totals/pause") == {"paused": True}
    wait_until(lambda: shop.get("/totals")["state"] == "PAUSED", 30, "the stream pauses")
    shop.produce(20)
    # Enough for a stream that does not pause: its trigger is 100 ms, and another one reads on.
    assert shop.work("/sales/run")[-1]["end"] == "sales"
    assert shop.get("/totals")["state"] == "PAUSED" and shop.sold() == sold
    assert shop.post("/totals/resume") == {"paused": False}
    shop.caught_up()
    wait_until(lambda: shop.sold() == sold + 20, 30, "what came in the pause is counted")


def test_a_pause_outlives_the_server(kafka, folder, start_meesh):
    mesh = plain_mesh(folder / "mesh", lake={"location": "s3://lake"})
    kafka.create_topic("operations-pause", 1)
    write_stream(mesh, "one", sources={"ventes": source(kafka, "operations-pause")},
                 sql="SELECT pays FROM ventes", output="append",
                 into=[{"lake": "lake.bronze.one"}])
    meesh = start_meesh(mesh, folder / "data")

    def state():
        return requests.get(f"{meesh.url}/api/v1/streams/one", timeout=30).json()["state"]
    wait_until(lambda: state() == "RUNNING", 30, "the stream runs")
    assert requests.post(f"{meesh.url}/api/v1/streams/one/pause", timeout=30).ok
    meesh.stop()
    meesh.start()
    # ELSEWHERE as long as it has not found out that no other server runs the streams.
    assert wait_until(lambda: None if state() == "ELSEWHERE" else state(), 60,
                      "the server takes the streams") == "PAUSED"
    assert requests.post(f"{meesh.url}/api/v1/streams/one/resume", timeout=30).ok
    wait_until(lambda: state() == "RUNNING", 30, "the stream goes on")


def test_a_reset_begins_a_generation_that_counts_anew(shop):
    before = shop.caught_up()
    told = shop.post("/totals/reset", to="earliest", truncate=True)
    assert told["generation"] == before["generation"] + 1
    shop.caught_up()
    everything = sum(one.offset for one in shop.kafka_ends())
    wait_until(lambda: shop.sold() == everything, 30, "every message is counted once")


def test_a_reset_to_offsets_counts_what_is_behind_them(shop):
    shop.produce(10)
    ends = {one.partition: one.offset for one in shop.kafka_ends()}
    to = ",".join(f"{TOPIC}:{partition}={max(end - 2, 0)}" for partition, end in ends.items())
    wanted = sum(min(end, 2) for end in ends.values())
    out = shop.cli("reset", "totals", "--to", to, "--truncate", "--yes")
    assert to in out and "generation" in out
    wait_until(lambda: shop.sold() == wanted, 30, "the last messages are counted")
    shop.cli("reset", "totals", "--to", "latest", "--truncate", "--yes")
    shop.produce(5)
    wait_until(lambda: shop.sold() == 5, 30, "only what came afterwards is counted")
    shop.cli("reset", "totals", "--to", "earliest", "--truncate", "--yes")
    everything = sum(ends.values()) + 5
    wait_until(lambda: shop.sold() == everything, 30, "every message is counted")


@pytest.mark.parametrize("to", ["sometime", "operations:0=", "operations:x=1", "", 7.5])
def test_a_reset_to_nowhere_changes_nothing(shop, to):
    generation = shop.get("/totals")["generation"]
    assert shop.post("/totals/reset", code=400, to=to)["code"] == "BAD_REQUEST"
    assert shop.get("/totals")["generation"] == generation


# ---- long work

def test_a_run_does_what_waits_and_tells_of_it(shop):
    shop.work("/sales/run")
    before = shop.query("SELECT count(*) FROM lake.bronze.sales")[0][0]
    shop.produce(50, topic=LATER)
    lines = shop.work("/sales/run")
    assert lines[0] == {"begin": "sales"}
    assert lines[-1]["end"] == "sales" and lines[-1]["messages"] == 50 and lines[-1]["rows"] == 50
    assert shop.query("SELECT count(*) FROM lake.bronze.sales")[0][0] == before + 50
    assert shop.work("/sales/run")[-1]["messages"] == 0
    shop.produce(3, topic=LATER)
    assert "3 messages, 3 rows" in shop.cli("run", "sales")


def test_a_replay_makes_a_new_table_of_what_kafka_has(shop):
    shop.work("/sales/run")
    rows = shop.query("SELECT count(*) FROM lake.bronze.sales")[0][0]
    end = shop.work("/sales/replay", into="lake.bronze.again")[-1]
    assert end["end"] == "sales" and end["rows"] == rows
    assert shop.query("SELECT count(*) FROM lake.bronze.again")[0][0] == rows
    # The stream itself is where it was.
    assert shop.work("/sales/run")[-1]["messages"] == 0
    there = shop.work("/sales/replay", into="lake.bronze.again")[-1]["error"]
    assert "lake.bronze.again" in there["text"]
    assert "lake.bronze.again" in shop.cli("replay", "sales", "--into", "lake.bronze.again", code=1)


def test_a_replay_takes_a_range_of_time(shop):
    then = datetime.now(timezone.utc).replace(microsecond=0) - timedelta(hours=3)
    for hour, count in enumerate((4, 3, 2)):
        at = then + timedelta(hours=hour)
        shop.produce(count, topic=TIMES, pays=f"heure {hour}",
                     timestamp=int(at.timestamp() * 1000))
    shop.cli("replay", "times", "--into", "lake.bronze.second", "--from",
             (then + timedelta(minutes=30)).isoformat(), "--to",
             (then + timedelta(minutes=90)).strftime("%Y-%m-%d %H:%M:%S"))
    assert shop.query("SELECT pays, count(*) FROM lake.bronze.second GROUP BY pays") == [
        ["heure 1", 3]]
    assert "is no moment" in shop.post("/times/replay", code=400, into="lake.bronze.third",
                                       **{"from": "in May"})["text"]


# ---- server-sent events

def test_live_rows_come_at_once_and_after_each_commit(shop, listen):
    shop.caught_up()
    events = listen()
    assert events.answer.headers["Content-Type"].startswith("text/event-stream")
    first, data = events.commit()
    assert data["stream"] == "totals" and data["table"] == "live.default.totals"
    assert data["columns"] == [{"name": "pays", "type": "varchar"},
                               {"name": "total", "type": "decimal(38,2)"},
                               {"name": "sales", "type": "bigint"}]
    assert data["more"] is False

    def sold(told, pays):
        return {row[0]: (row[1], row[2]) for row in told["rows"]}.get(pays)
    assert sold(data, "Malte") is None
    shop.produce(2, pays="Malte")
    second, data = events.commit(lambda told: sold(told, "Malte") == ("3.00", 2))
    assert second > first
    newest = START + timedelta(seconds=shop.produced - 1 - 10)
    assert data["watermark"] == newest.isoformat(timespec="milliseconds")[:-6] + "Z"


def test_who_comes_again_is_sent_only_what_is_newer(shop, listen):
    shop.caught_up()
    events = listen()
    last, _ = events.commit()
    events.close()
    again = listen(headers={"Last-Event-ID": str(last)})
    newest, _ = listen().commit()  # others are served at once
    shop.produce(1, pays="Chypre")
    got, data = again.commit(lambda told: any(row[0] == "Chypre" for row in told["rows"]))
    assert got > last and got >= newest
    # An id that was never given is no reason to wait for it.
    assert listen(headers={"Last-Event-ID": str(got + 10**9)}).commit()[0] >= got


def test_a_quiet_stream_is_known_to_be_alive(shop, listen):
    shop.caught_up()
    events = listen()
    events.commit()
    wait_until(lambda: "comment" in events.next(), 30, "a comment comes")


def test_rows_of_a_lake_table_and_how_many(shop, listen):
    shop.produce(30, topic=LATER)
    shop.work("/sales/run")
    _, data = listen("sales", limit=7).commit()
    assert data["table"] == "lake.bronze.sales" and len(data["rows"]) == 7 and data["more"] is True
    assert [one["name"] for one in data["columns"]] == ["pays", "montant", "moment"]
    _, data = listen("sales", table="lake.bronze.sales").commit()
    assert len(data["rows"]) > 7


def test_a_table_that_the_stream_does_not_write_is_refused(shop):
    told = shop.get("/totals/live?table=lake.bronze.sales", code=404)["text"]
    assert "lake.bronze.sales" in told and "it writes totals" in told
    for limit in (0, 1001, "all"):
        shop.get(f"/totals/live?limit={limit}", code=400)


def test_listeners_leave_their_places_to_others(shop, listen):
    shop.caught_up()

    def served():
        one = listen()
        return one if one.answer.status_code == 200 else None
    # Those of other tests may not all have been missed yet.
    all_of_them = [wait_until(served, 60, "a place", every=0.2) for _ in range(32)]
    for one in all_of_them:
        one.commit()
    assert "listeners" in shop.get("/totals/live", code=503)["text"]
    for one in all_of_them:
        one.close()
    wait_until(served, 60, "a place becomes free", every=0.5)


def test_a_listener_does_not_hold_up_the_server(kafka, folder, start_meesh):
    mesh = plain_mesh(folder / "mesh", lake={"location": "s3://lake"})
    kafka.create_topic("operations-stop", 1)
    write_stream(mesh, "one", sources={"ventes": source(kafka, "operations-stop")},
                 sql="SELECT pays, count(*) AS sales FROM ventes GROUP BY pays", output="complete",
                 into=[{"live": "one"}])
    meesh = start_meesh(mesh, folder / "data")
    events = Events(f"{meesh.url}/api/v1/streams/one/live")
    assert events.next()
    assert meesh.stop() == 0
    with pytest.raises((AssertionError, requests.RequestException)):
        while True:
            events.next()


# ---- metrics

def scrape(shop):
    """{(name, labels): value} of all samples, and the families."""
    answer = requests.get(f"{shop.meesh.url}/metrics", timeout=30)
    assert answer.status_code == 200, answer.text
    assert answer.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
    families = list(text_string_to_metric_families(answer.text))
    return {(one.name, tuple(sorted(one.labels.items()))): one.value
            for family in families for one in family.samples}, families


def test_prometheus_reads_the_metrics(shop):
    status = shop.caught_up()
    samples, families = scrape(shop)
    assert all(family.documentation and family.type in ("gauge", "counter") for family in families)
    assert len({family.name for family in families}) == len(families)
    totals = (("stream", "totals"),)
    assert samples["meesh_stream_messages_total", totals] == status["messages"]
    assert samples["meesh_stream_rows_total", totals] == status["rows"]
    assert samples["meesh_stream_lag_messages", totals] == 0
    for name in ("malformed_total", "late_total", "duplicates_total", "messages_per_second",
                 "state_rows", "state_bytes", "last_batch_seconds"):
        assert samples[f"meesh_stream_{name}", totals] >= 0
    watermark = datetime.fromisoformat(status["watermark"].replace("Z", "+00:00")).timestamp()
    assert samples["meesh_stream_watermark_seconds", totals] == watermark
    assert samples["meesh_stream_watermark_delay_seconds", totals] > 86_400  # its events are old
    assert samples["meesh_stream_last_commit_timestamp_seconds", totals] == pytest.approx(
        status["last_commit_ms"] / 1000)
    states = {dict(labels)["state"]: value for (name, labels), value in samples.items()
              if name == "meesh_stream_state" and ("stream", "totals") in labels}
    assert states == {"RUNNING": 1, "PAUSED": 0, "FINISHED": 0, "FAILED": 0, "ELSEWHERE": 0}
    # A stream without a watermark has no sample of it.
    assert ("meesh_stream_watermark_seconds", (("stream", "sales"),)) not in samples
    assert samples["process_resident_memory_bytes", ()] > 10e6
    assert samples["process_cpu_seconds_total", ()] > 0


def test_metrics_follow_what_happens(shop):
    before, _ = scrape(shop)
    shop.produce(40)
    shop.caught_up()
    shop.query("SELECT 1")
    after, _ = scrape(shop)
    totals = (("stream", "totals"),)
    finished = "meesh_statements", (("state", "FINISHED"),)
    assert after["meesh_stream_messages_total", totals] == \
        before["meesh_stream_messages_total", totals] + 40
    assert after[finished] > before[finished]
    assert after["meesh_http_requests_total", ()] > before["meesh_http_requests_total", ()]


# ---- the command line

def test_the_command_lists_and_shows(shop):
    shop.caught_up()
    header, *lines = shop.cli().splitlines()
    assert header.split()[:3] == ["stream", "state", "output"]
    assert any(line.split()[:4] == ["totals", "running", "complete", "0"] for line in lines)
    assert json.loads(shop.cli("--json"))["streams"][-1]["name"] == "totals"
    shown = shop.cli("show", "totals")
    for text in ("Sales by country", "GROUP BY pays", f"{TOPIC}:0", f"{TOPIC}:1", "running"):
        assert text in shown
    assert json.loads(shop.cli("show", "totals", "--json"))["name"] == "totals"


def test_the_command_speaks_french(shop):
    french = {"env": {"MEESH_LANG": "fr"}}
    assert shop.cli(**french).split()[:2] == ["flux", "état"]
    assert "génération" in shop.cli("show", "totals", **french)
    assert "Exemples" in shop.cli("reset", "--help", **french)


def test_the_command_watches(shop):
    shop.caught_up()
    drawn = shop.cli("watch", "--times", "2", "--every", "0.1")
    assert drawn.count("totals") == 2
    rows = shop.cli("watch", "totals", "--times", "1")
    assert "live.default.totals" in rows and "France" in rows
    event = json.loads(shop.cli("watch", "totals", "--times", "1", "--json"))
    assert event["columns"][0]["name"] == "pays"
    # More than fits: the newest of them, and it is said.
    assert "the newest 1 rows" in shop.cli("watch", "totals", "--times", "1", "--rows", "1")


def test_the_command_pauses_and_goes_on(shop):
    assert "paused" in shop.cli("pause", "totals")
    wait_until(lambda: "paused" in shop.cli("show", "totals"), 30, "the stream pauses")
    assert json.loads(shop.cli("resume", "totals", "--json")) == {"paused": False}
    wait_until(lambda: "running" in shop.cli("show", "totals"), 30, "the stream goes on")


def test_mistakes_have_their_exit_codes(shop):
    assert "totals" in shop.cli("show", "nothing", code=1)
    assert "--yes" in shop.cli("reset", "totals", "--to", "earliest", code=2,
                               stdin=subprocess.DEVNULL)
    assert "--to" in shop.cli("reset", "totals", code=2)
    nobody = shop.meesh.run("streams", "--server", "http://127.0.0.1:1")
    assert nobody.returncode == 3 and "meesh serve" in nobody.stderr
