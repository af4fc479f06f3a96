"""The lake with the engines that read and write Iceberg, against one server for the whole folder."""
import itertools

import pytest
import requests
import trino
from support.iceberg import RestCatalog, python_catalog
from support.meesh import binary
from support.s3_server import LakeServer, lake_mesh

numbers = itertools.count(1)


@pytest.fixture(scope="session")
def lake(work_folder):
    if not binary().exists():
        pytest.fail(f"{binary()} is not built: setup/build.sh dev", pytrace=False)
    places = {"allowed_locations": ["s3://bronze", "s3://silver", "s3://gold"]}
    server = LakeServer(lake_mesh(work_folder / "iceberg", lake=places),
                        work_folder / "iceberg-data").start()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def rest(lake):
    """The protocol itself."""
    return RestCatalog(f"{lake.url}/iceberg/v1", requests.Session())


@pytest.fixture(scope="session")
def catalog(lake):
    """PyIceberg with keys that the catalog gives it."""
    return python_catalog(lake)


@pytest.fixture(scope="session")
def sql(lake):
    """Runs a statement with the Trino client: its rows."""
    connection = trino.dbapi.connect(host="127.0.0.1", port=lake.port, user="tests",
                                     catalog="lake")

    def run(text):
        cursor = connection.cursor()
        cursor.execute(text)
        return [tuple(row) for row in cursor.fetchall()]
    yield run
    connection.close()


@pytest.fixture
def space(catalog):
    """A namespace of the test's own."""
    name = f"n{next(numbers)}"
    catalog.create_namespace(name)
    return name
