"""SIGKILL of meesh and of the broker, again and again, while messages come in: every sink has every
message once, whichever of them was in the midst of what."""
import json
import random
import threading
import time
import uuid
from datetime import datetime, timedelta, timezone

import pytest
from confluent_kafka import Consumer, KafkaError, Producer, TopicPartition

from support import kafka_server
from support.kafka_server import KafkaServer
from support.streams import StreamMesh, source

ROUNDS = [pytest.param(6, marks=pytest.mark.timeout(600)),
          pytest.param(40, marks=[pytest.mark.full, pytest.mark.timeout(3600)]),
          pytest.param(200, marks=[pytest.mark.full, pytest.mark.timeout(7200)])]
COLUMNS = {"id": "bigint", "pays": "varchar", "montant": "bigint", "moment": "timestamp(3)"}
COUNTRIES = ["France", "Italie", "Espagne", "Belgique"]
BEGIN = datetime(2026, 1, 1, tzinfo=timezone.utc)


class Sender(threading.Thread):
    """Puts numbered events into the topic, a tenth of them no JSON, until it is told to stop; each
    once, whatever becomes of the broker meanwhile."""

    def __init__(self, kafka, topic):
        super().__init__(daemon=True)
        self.producer = Producer({
            "bootstrap.servers": kafka.brokers, "enable.idempotence": True, "linger.ms": 5,
            "log_level": 0, "message.timeout.ms": 600_000, "reconnect.backoff.max.ms": 500})
        self.topic, self.sent, self.ending = topic, 0, threading.Event()
        self.failed = []

    def run(self):
        while not self.ending.is_set():
            for _ in range(20):
                try:
                    self.producer.produce(self.topic, self.value(self.sent),
                                          key=str(self.sent % 7), on_delivery=self.told)
                except BufferError:  # the broker has been away for a while
                    self.producer.poll(0.2)
                    break
                self.sent += 1
            self.producer.poll(0)
            time.sleep(0.01)
        assert self.producer.flush(120) == 0

    def told(self, error, _):
        if error:
            self.failed.append(error)

    @staticmethod
    def value(number):
        if number % 10 == 9:
            return f'{{"id": {number}, broken'
        moment = (BEGIN + timedelta(milliseconds=number * 10)).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3]
        return json.dumps({"id": number, "pays": COUNTRIES[number % 4], "montant": number % 1000,
                           "moment": moment})

    def stop(self):
        self.ending.set()
        self.join(180)
        assert not self.failed, self.failed[:3]
        return self.sent


@pytest.fixture
def kafka(work_folder):
    if reason := kafka_server.why_not():
        pytest.skip(reason)
    server = KafkaServer(work_folder / f"kafka-{uuid.uuid4().hex[:6]}")
    try:
        yield server.start()
    finally:
        server.stop()


def committed(kafka, topic):
    """The ids of the messages that transactions have committed."""
    consumer = Consumer({"bootstrap.servers": kafka.brokers, "group.id": "tests", "log_level": 0,
                         "isolation.level": "read_committed", "enable.auto.commit": False,
                         "enable.partition.eof": True})
    try:
        consumer.assign([TopicPartition(topic, 0, 0)])
        found = []
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline:
            for message in consumer.consume(1000, 1):
                if message.error() and message.error().code() == KafkaError._PARTITION_EOF:
                    return found
                assert not message.error(), message.error()
                found.append(json.loads(message.value())["id"])
        raise AssertionError("the topic has no end")
    finally:
        consumer.close()


@pytest.mark.parametrize("rounds", ROUNDS)
def test_each_message_once(kafka, work_folder, rounds):
    dice = random.Random(rounds)
    kafka.create_topic("events", 2)
    mesh = StreamMesh(work_folder / f"kills-{rounds}", {"shop": {"kind": "managed", "name": "shop"}})
    kept = {"ventes": source(kafka, "events", COLUMNS)}
    events = {"ventes": source(kafka, "events", COLUMNS, malformed="skip")}
    timed = {"ventes": source(kafka, "events", COLUMNS, event_time="moment", watermark="2s",
                              malformed="skip")}
    mesh.stream("brutes", kept, "SELECT id, pays, montant FROM ventes",
                [{"lake": "lake.bronze.ventes"}], dead_letter="lake.bronze.bad")
    mesh.stream("totaux", events, "SELECT pays, sum(montant) AS total, count(*) AS nb FROM ventes "
                "GROUP BY pays", [{"live": "totaux"}, {"lake": "lake.gold.totaux"}],
                output="complete")
    mesh.stream("soldes", events, "SELECT id % 50 AS groupe, sum(montant) AS total, count(*) AS nb "
                "FROM ventes GROUP BY 1",
                [{"database": "shop.public.soldes"}, {"lake": "lake.gold.soldes"}],
                output="update")
    mesh.stream("fenetres", timed, "SELECT window_start, count(*) AS nb FROM ventes "
                "GROUP BY window_start", [{"lake": "lake.gold.fenetres"}],
                window={"size": "1s"})
    mesh.stream("copie", events, "SELECT id, pays FROM ventes", [{"kafka": "copie"}])
    mesh.start()
    sender = Sender(kafka, "events")
    sender.start()
    for number in range(rounds):
        time.sleep(dice.uniform(0.1, 1.5))
        if dice.random() < 0.25:
            kafka.kill()
            time.sleep(dice.uniform(0, 1))
            kafka.start()
        else:
            mesh.kill()
            mesh.start()
    sent = sender.stop()
    good = [n for n in range(sent) if n % 10 != 9]
    for stream in ("brutes", "totaux", "soldes", "fenetres", "copie"):
        mesh.until(lambda: mesh.status(stream)["messages"] >= sent, f"the end of {stream}", 180)
    check(mesh, kafka, sent, good)
    mesh.stop()


def check(mesh, kafka, sent, good):
    assert mesh.rows("SELECT count(*), count(DISTINCT id), sum(id), sum(montant) "
                     "FROM lake.bronze.ventes") == \
        [(len(good), len(good), sum(good), sum(n % 1000 for n in good))]
    bad = sent - len(good)
    assert mesh.rows("SELECT count(*), count(DISTINCT (_partition, _offset)) FROM lake.bronze.bad") \
        == [(bad, bad)]
    expected = {c: (sum(n % 1000 for n in good if n % 4 == i), sum(1 for n in good if n % 4 == i))
                for i, c in enumerate(COUNTRIES)}
    for table in ("live.default.totaux", "lake.gold.totaux"):
        assert {c: tuple(rest) for c, *rest in mesh.rows(f"SELECT * FROM {table}")} == expected
    groups = {g: (sum(n % 1000 for n in good if n % 50 == g), sum(1 for n in good if n % 50 == g))
              for g in {n % 50 for n in good}}
    for table in ("shop.public.soldes", "lake.gold.soldes"):
        found = mesh.rows(f"SELECT groupe, total, nb FROM {table}")
        assert len(found) == len(groups), table
        assert {g: tuple(rest) for g, *rest in found} == groups, table
    # Windows that are closed are whole; of two partitions one may lag, and what came too late is
    # counted and in no window.
    windows = mesh.rows("SELECT window_start, nb FROM lake.gold.fenetres")
    assert len(windows) == len({start for start, _ in windows})
    status = mesh.status("fenetres")
    still = status["state_rows"]
    assert sum(nb for _, nb in windows) + status["late"] <= len(good)
    assert len(good) - sum(nb for _, nb in windows) - status["late"] <= still * 100
    copied = sorted(committed(kafka, "copie"))
    missing = sorted(set(good) - set(copied))
    assert copied == good, (len(copied), len(good), missing[:10], missing[-10:])
