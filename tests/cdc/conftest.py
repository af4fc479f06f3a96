"""A mesh and a PostgreSQL server whose changes it follows: the system's, or the newest."""
from pathlib import Path

import pytest

from ingest.conftest import IngestMesh, LAKE
from support.meesh import ROOT, Meesh, external, plain_mesh
from support.postgres import PostgresServer, programs

SETTINGS = ["wal_level=logical", "fsync=off", "max_replication_slots=10"]


def newest():
    """Programs of the newest PostgreSQL, which setup/setup.sh fetches."""
    found = sorted((ROOT / ".deps").glob("postgresql-*/bin/postgres"))
    return found[-1].parent if found else None


def servers():
    """Parameters of tests that run on each version."""
    return [pytest.param(None, id=f"postgresql-{programs().parts[-2]}"),
            pytest.param("newest", id="newest",
                         marks=[] if newest() else pytest.mark.skip(
                             reason="setup/setup.sh --for test fetches it"))]


class FollowedMesh(IngestMesh):
    """The source is called `s`; `drain` lands what it has."""

    def follow(self, tables, **more):
        self.source("s", kind="postgresql", catalog="shop",
                    tables={name: {"mode": "cdc", **table} for name, table in tables.items()}, **more)
        self.meesh.start()

    def drain(self):
        return self.ingest("run", "s", timeout=300)

    def lake(self, sql):
        return self.query(sql)


@pytest.fixture
def followed(request, folder):
    """Not started yet: `follow` writes the source and starts it. On the newest server, unless the
    test is parametrized (indirectly) with another one of servers()."""
    which = getattr(request, "param", "newest" if newest() else None)
    server = PostgresServer(folder / "postgres", "shop", settings=SETTINGS,
                            server=newest() if which else None).create().start()
    mesh = plain_mesh(folder / "mesh", {"shop": external(server)}, **LAKE)
    made = FollowedMesh(Meesh(mesh, folder / "data"), server)
    yield made
    made.meesh.stop()
    server.remove()
