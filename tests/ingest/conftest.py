"""A mesh whose domain `shop` is a PostgreSQL server of the test's own, with sources."""
from dataclasses import dataclass

import pytest
import requests
import trino
import yaml

from support.meesh import Meesh, external, plain_mesh
from support.postgres import PostgresServer

LAKE = {"lake": {"location": "s3://lake", "allowed_locations": ["s3://bronze"]}}


@dataclass
class IngestMesh:
    meesh: Meesh
    postgres: PostgresServer

    def source(self, name, **content):
        """Writes sources/<name>.yaml; before the server starts."""
        path = self.meesh.mesh / "sources" / f"{name}.yaml"
        path.parent.mkdir(exist_ok=True)
        path.write_text(yaml.safe_dump({"name": name, **content}, sort_keys=False))

    def query(self, sql):
        connection = trino.dbapi.connect(host=self.meesh.host, port=self.meesh.port, user="tester")
        try:
            cursor = connection.cursor()
            cursor.execute(sql)
            return cursor.fetchall()
        finally:
            connection.close()

    def ingest(self, *arguments, code=0, **options):
        """`meesh ingest …`; its standard output."""
        done = self.meesh.run("ingest", *arguments, "--server", self.meesh.url, **options)
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout if code == 0 else done.stdout + done.stderr

    def api(self, path):
        answer = requests.get(f"{self.meesh.url}/api/v1/ingest/{path}", timeout=30)
        answer.raise_for_status()
        return answer.json()


@pytest.fixture
def shop(folder, postgres):
    """Not started yet: sources come first."""
    # Killed processes lose nothing that the system has; starting again after it is quick.
    server = postgres("shop", settings=["fsync=off"])
    mesh = plain_mesh(folder / "mesh", {"shop": external(server)}, **LAKE)
    made = IngestMesh(Meesh(mesh, folder / "data"), server)
    yield made
    made.meesh.stop()


@pytest.fixture
def lonely(folder):
    """A mesh without a database; not started yet."""
    made = IngestMesh(Meesh(plain_mesh(folder / "mesh", **LAKE), folder / "data"), None)
    yield made
    made.meesh.stop()
