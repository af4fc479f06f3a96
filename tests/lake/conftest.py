"""The lake with the engines that read and write Iceberg, against one server for the whole folder."""
import itertools

import pytest
import requests
from support.iceberg import RestCatalog, python_catalog
from support.meesh import binary
from support.s3_server import LakeServer, lake_mesh

numbers = itertools.count(1)


@pytest.fixture(scope="session")
def lake(work_folder):
    if not binary().exists():
        pytest.fail(f"{binary()} is not built: setup/build.sh dev", pytrace=False)
    server = LakeServer(lake_mesh(work_folder / "iceberg"), work_folder / "iceberg-data").start()
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


@pytest.fixture
def space(catalog):
    """A namespace of the test's own."""
    name = f"n{next(numbers)}"
    catalog.create_namespace(name)
    return name
