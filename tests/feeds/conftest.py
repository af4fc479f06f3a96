"""A mesh with feeds: what they export is tables of its own lake."""
import json
from dataclasses import dataclass
from pathlib import Path

import pytest
import requests
import trino

from support.meesh import Meesh, plain_mesh

LAKE = {"lake": {"location": "s3://lake", "allowed_locations": ["s3://data-lake"]}}
DAY = 86_400_000  # milliseconds


@dataclass
class FeedMesh:
    meesh: Meesh

    def feed(self, name, **keys):
        """Writes feeds/active/<name>.json as people do."""
        path = self.meesh.mesh / "feeds" / "active" / f"{name}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        keys = {"feed_name": name, "feed_type": "stream", **keys}
        path.write_text(json.dumps(keys, indent=2))
        return path

    def query(self, sql):
        connection = trino.dbapi.connect(host=self.meesh.host, port=self.meesh.port, user="tester")
        try:
            cursor = connection.cursor()
            cursor.execute(sql)
            return cursor.fetchall()
        finally:
            connection.close()

    def run(self, *arguments, code=0, **options):
        """`meesh feed …`; its output."""
        done = self.meesh.run("feed", *arguments, "--server", self.meesh.url, **options)
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout if code == 0 else done.stdout + done.stderr

    def export(self, *names, now=None, code=0):
        """What each export told at its end."""
        when = ["--now", now] if now else []
        done = self.meesh.run("feed", "export", *names, *when, "--json", "--server", self.meesh.url)
        assert done.returncode == code, done.stdout + done.stderr
        lines = [json.loads(line) for line in done.stdout.splitlines()]
        return [line for line in lines if "end" in line]

    def show(self, name):
        return json.loads(self.run("show", name, "--json"))

    def api(self, path):
        answer = requests.get(f"{self.meesh.url}/api/v1/data-lake/{path}", timeout=30)
        answer.raise_for_status()
        return answer.json()

    @property
    def lake(self):
        return Path(self.meesh.data) / "data_lake"

    def folder(self, name):
        """The feed's, wherever it lies."""
        found = [self.lake / kind / name for kind in ("streams", "tables")
                 if (self.lake / kind / name).exists()]
        assert len(found) == 1, found
        return found[0]

    def metadata(self, name):
        return json.loads((self.folder(name) / "_metadata.json").read_text())

    def payments(self, first, last, start="2025-01-15 00:00:00", step="1", table="payments"):
        """Rows first … last of a table that a stream of Kafka's messages might have written."""
        self.query("CREATE SCHEMA IF NOT EXISTS lake.payments")
        self.query(f"CREATE TABLE IF NOT EXISTS lake.payments.{table} (id bigint, amount "
                   "decimal(10,2), name varchar, tags array(varchar), timestamp timestamp(3), "
                   "_partition integer, _offset bigint)")
        self.query(f"INSERT INTO lake.payments.{table} SELECT x, x * DECIMAL '1.25', "
                   "'name ' || CAST(x AS varchar), ARRAY['a', CAST(x AS varchar)], "
                   f"TIMESTAMP '{start}' + x * INTERVAL '{step}' HOUR, CAST(x % 3 AS integer), "
                   "x / 3 FROM (SELECT 1000 * a + b FROM UNNEST(sequence(0, 999)) AS u(a), "
                   "UNNEST(sequence(0, 999)) AS v(b)) AS t(x) "
                   f"WHERE x BETWEEN {first} AND {last}")


@pytest.fixture
def feeds(folder):
    """Not started yet: files may come first."""
    made = FeedMesh(Meesh(plain_mesh(folder / "mesh", **LAKE), folder / "data"))
    yield made
    made.meesh.stop()
