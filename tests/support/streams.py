"""Streams under test: a mesh folder with streams over topics of a real broker, events that are put
into these topics, and waiting for what becomes of them."""
import json

import requests
import trino
from confluent_kafka import Producer

from support.meesh import Meesh, plain_mesh, write_yaml
from support.processes import wait_until

QUIET = {"compaction": False, "expire_snapshots": False, "orphan_files": False}


def send(kafka, topic, values, key=None, partition=None, timestamp=None, headers=None):
    """Each value as a message: bytes, text, None (a tombstone) or something for JSON; `key` a
    function of the value."""
    producer = Producer({"bootstrap.servers": kafka.brokers, "linger.ms": 5, "log_level": 0})
    options = {}
    if partition is not None:
        options["partition"] = partition
    if headers:
        options["headers"] = headers
    for value in values:
        plain = value is None or isinstance(value, (bytes, str))
        producer.produce(topic, value if plain else json.dumps(value),
                         key=key(value) if key else None, **options,
                         **({"timestamp": timestamp(value)} if timestamp else {}))
        producer.poll(0)
    assert producer.flush(30) == 0


def source(kafka, topic, columns, **more):
    return {"kafka": {"brokers": kafka.brokers, "topic": topic}, "columns": columns, **more}


class StreamMesh:
    """A mesh whose streams can be written before it starts and while it is down."""

    def __init__(self, folder, domains=None, **top):
        top.setdefault("lake", {"location": "s3://lake", "maintenance": QUIET})
        self.folder = plain_mesh(folder / "mesh", domains, **top)
        self.data = folder / "data"
        self.server = None

    def stream(self, name, sources, sql, into, **more):
        write_yaml(self.folder / "streams" / f"{name}.yaml",
                   {"sources": sources, "sql": sql, "into": into,
                    "trigger": {"every": "100ms"}, **more})
        return self

    def start(self, **options):
        self.server = Meesh(self.folder, self.data, **options).start()
        return self

    def stop(self):
        if self.server:
            self.server.stop()

    def kill(self):
        self.server.kill()

    def rows(self, sql):
        connection = trino.dbapi.connect(host="127.0.0.1", port=self.server.port, user="tests")
        try:
            return [tuple(row) for row in connection.cursor().execute(sql).fetchall()]
        finally:
            connection.close()

    def api(self, method, path, **options):
        return requests.request(method, f"{self.server.url}/api/v1/streams{path}", timeout=60,
                                **options)

    def status(self, name):
        answer = self.api("GET", f"/{name}")
        assert answer.ok, answer.text
        return answer.json()

    def until(self, condition, what, seconds=60):
        return wait_until(condition, seconds, what, every=0.05)

    def until_read(self, name, messages, seconds=60):
        """Waits until so many messages have been read in this generation and are committed."""
        last = {}

        def enough():
            last.update(self.status(name))
            return last if last["messages"] >= messages else None
        try:
            return self.until(enough, f"{messages} messages of the stream {name}", seconds)
        except AssertionError as late:
            raise AssertionError(f"{late}: {last}") from None
