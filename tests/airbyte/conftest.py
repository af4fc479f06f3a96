"""A mesh with a lake and sources of kind airbyte; no databases."""
from dataclasses import dataclass

import pytest
import requests
import trino

from support.airbyte_connectors import INSTALLED, make_replay, share_installed
from support.meesh import Meesh, plain_mesh, write_yaml

LAKE = {"lake": {"location": "s3://lake", "allowed_locations": ["s3://bronze"]}}


@dataclass
class AirbyteMesh:
    meesh: Meesh

    def source(self, name, **content):
        """Writes sources/<name>.yaml; before the server starts."""
        write_yaml(self.meesh.mesh / "sources" / f"{name}.yaml",
                   {"name": name, "kind": "airbyte", **content})

    def need(self, environment):
        if not (INSTALLED / environment / "meesh-environment").exists():
            pytest.skip(f"set-up has not installed {environment}: it is for another Python")

    def replay(self, name="s", tables=None, memory="2GB", timeout="5m", malformed="quarantine",
               max_malformed="5%", commit_rows=200000, **config):
        self.source(name, connector="source-replay", version="1.0", config={"rows": 0, **config},
                    tables=tables or {"events": {"mode": "incremental"}}, memory=memory,
                    timeout=timeout, malformed=malformed, max_malformed=max_malformed,
                    commit_rows=commit_rows)

    def query(self, sql):
        connection = trino.dbapi.connect(host=self.meesh.host, port=self.meesh.port, user="tester")
        try:
            cursor = connection.cursor()
            cursor.execute(sql)
            return cursor.fetchall()
        finally:
            connection.close()

    def one(self, sql):
        [[value]] = self.query(sql)
        return value

    def ingest(self, *arguments, code=0, **options):
        """`meesh ingest …`; its output."""
        done = self.meesh.run("ingest", *arguments, "--server", self.meesh.url, **options)
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout if code == 0 else done.stdout + done.stderr

    def api(self, path):
        answer = requests.get(f"{self.meesh.url}/api/v1/ingest/{path}", timeout=60)
        answer.raise_for_status()
        return answer.json()

    def airbyte(self, path, body=None, status=200):
        """A call of Airbyte's own API."""
        answer = requests.post(f"{self.meesh.url}/api/v1/{path}", json=body or {}, timeout=60)
        assert answer.status_code == status, answer.text
        return answer.json()


@pytest.fixture(scope="session")
def connectors(work_folder):
    """Environments that all meshes of these tests share."""
    folder = work_folder / "connectors"
    folder.mkdir()
    make_replay(folder)
    share_installed(folder)
    return folder


@pytest.fixture
def airbyte(folder, connectors):
    """Not started yet: sources come first."""
    mesh = plain_mesh(folder / "mesh", {}, **LAKE)
    made = AirbyteMesh(Meesh(mesh, folder / "data", environment={
        "MEESH_CONNECTORS": str(connectors), "SECRET_OF_MEESH": "leaked"}))
    yield made
    made.meesh.stop()
