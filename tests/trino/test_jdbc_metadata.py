"""java.sql.DatabaseMetaData walked in full through trino-jdbc (jdbc/JdbcMetadata.java), held against
what Trino 476 gave (jdbc/metadata.expected.tsv, the program's own output there)."""
import subprocess
from pathlib import Path

import pytest

from support import java

pytestmark = pytest.mark.skipif(bool(java.why_not(java.JDBC)), reason=str(java.why_not(java.JDBC)))

FOLDER = Path(__file__).parent / "jdbc"
#: Types of geography, machine learning and other plugins of Trino, which are not here.
OTHER_TYPES = {"BingTile", "Classifier", "Geometry", "KdbTree", "Model", "ObjectId", "Regressor",
               "SphericalGeography", "color"}


def read(lines):
    """The program's output: what it showed by name, in order."""
    found = {}
    for line in lines:
        name, _, value = line.rstrip("\n").partition("\t")
        found.setdefault(name, []).append(value)
    return found


def wanted():
    with open(FOLDER / "metadata.expected.tsv", encoding="utf-8") as file:
        found = read(file)
    # Only the number of JDBC orders them, and Trino names one of them twice.
    types = {row for row in found["getTypeInfo() row"]
             if row[1:].partition(",")[0] not in OTHER_TYPES}
    return {**found, "getTypeInfo() row": sorted(types)}


EXPECTED = wanted()


@pytest.fixture(scope="module")
def walked(server, work_folder):
    finished = subprocess.run(
        java.java("-Duser.timezone=UTC", "-Dstdout.encoding=UTF-8", "-cp", java.JDBC,
                  FOLDER / "JdbcMetadata.java", f"{server.host}:{server.port}"),
        env=java.environment(work_folder), text=True, timeout=240, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, encoding="utf-8")
    assert finished.returncode == 0, finished.stderr
    found = read(finished.stdout.splitlines())
    found["getTypeInfo() row"] = sorted(
        {row for row in found["getTypeInfo() row"]
         if row[1:].partition(",")[0] not in OTHER_TYPES})
    return found


@pytest.mark.parametrize("name", EXPECTED)
def test_the_driver_gets(walked, name):
    assert walked.get(name) == EXPECTED[name]


def test_nothing_else_comes(walked):
    assert set(walked) - set(EXPECTED) == set()
