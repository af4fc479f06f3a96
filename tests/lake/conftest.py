"""The lake with the engines that read and write Iceberg, against one server for the whole folder."""
import itertools
import os
import shutil
import subprocess
import sys

import pytest
import requests
import trino
from support import trino_server
from support.iceberg import RestCatalog, python_catalog
from support.meesh import ROOT, binary
from support.s3_server import LakeServer, lake_mesh
from support.trino_server import TrinoServer, versions

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


def runner(port):
    """Runs a statement with the Trino client: its rows."""
    connection = trino.dbapi.connect(host="127.0.0.1", port=port, user="tests", catalog="lake")

    def run(text):
        cursor = connection.cursor()
        cursor.execute(text)
        return [tuple(row) for row in cursor.fetchall()]
    return run


@pytest.fixture(scope="session")
def sql(lake):
    return runner(lake.port)


@pytest.fixture(scope="session")
def trino_sql(lake, work_folder):
    """The same on Trino itself, with its Iceberg connector. Keys to the files come from the
    catalog."""
    if reason := trino_server.why_not():
        pytest.skip(reason)
    folder = work_folder / "trino-of-the-lake"
    folder.mkdir()
    server = TrinoServer(folder, {"lake": {
        "connector.name": "iceberg", "iceberg.catalog.type": "rest",
        "iceberg.rest-catalog.uri": f"{lake.url}/iceberg",
        "iceberg.rest-catalog.warehouse": "lake",
        "iceberg.rest-catalog.security": "OAUTH2",
        "iceberg.rest-catalog.oauth2.credential":
            f"{lake.keys.access_key}:{lake.keys.secret_key}",
        "iceberg.rest-catalog.oauth2.server-uri": f"{lake.url}/iceberg/v1/oauth/tokens",
        "iceberg.rest-catalog.vended-credentials-enabled": "true",
        "fs.native-s3.enabled": "true", "s3.endpoint": lake.s3_url, "s3.region": "us-east-1",
        "s3.path-style-access": "true"}}, heap="2G").start().wait(400)
    yield runner(server.port)
    server.stop()


SPARK = """
import os, sys
from pyspark.sql import SparkSession, functions as F
url, space, jars = sys.argv[1:]
catalog = "spark.sql.catalog.lake"
spark = (SparkSession.builder.master("local[2]").appName("tests")
    .config("spark.jars", jars).config("spark.ui.enabled", "false")
    .config("spark.sql.shuffle.partitions", "2").config("spark.driver.memory", "900m")
    .config("spark.driver.bindAddress", "127.0.0.1").config("spark.driver.host", "127.0.0.1")
    .config("spark.sql.session.timeZone", "UTC")
    .config("spark.sql.extensions",
            "org.apache.iceberg.spark.extensions.IcebergSparkSessionExtensions")
    .config(catalog, "org.apache.iceberg.spark.SparkCatalog").config(catalog + ".type", "rest")
    .config(catalog + ".uri", url + "/iceberg").config(catalog + ".warehouse", "lake")
    .config(catalog + ".credential", os.environ["S3_ACCESS_KEY"] + ":" + os.environ["S3_SECRET_KEY"])
    .config(catalog + ".oauth2-server-uri", url + "/iceberg/v1/oauth/tokens")
    .config(catalog + ".header.X-Iceberg-Access-Delegation", "vended-credentials")
    .config(catalog + ".io-impl", "org.apache.iceberg.aws.s3.S3FileIO")
    .getOrCreate())
"""


@pytest.fixture
def run_spark(lake, space, folder):
    """Runs a Python text in which `spark` knows the lake as the catalog `lake`; there are `F`, its
    functions, and `space` too."""
    pytest.importorskip("pyspark", reason="setup/setup.sh --for full brings it")
    jars = [str(ROOT / ".deps" / "maven" / f"{name}-{versions()['ICEBERG_VERSION']}.jar")
            for name in (f"iceberg-spark-runtime-{versions()['ICEBERG_SPARK']}",
                         "iceberg-aws-bundle")]
    if not all(map(os.path.exists, jars)) or not shutil.which("java"):
        pytest.skip("no Iceberg runtime for Spark, or no Java: setup/setup.sh --for full")

    def run(text):
        script = folder / "job.py"
        script.write_text(f"{SPARK}{text}\nspark.stop()\nprint('all good')\n")
        result = subprocess.run(
            [sys.executable, str(script), lake.url, space, ",".join(jars)], text=True,
            capture_output=True, timeout=500,
            env={**os.environ, "S3_ACCESS_KEY": lake.keys.access_key,
                 "S3_SECRET_KEY": lake.keys.secret_key, "AWS_REGION": "us-east-1"})
        told = [line for line in result.stderr.splitlines() if not line.startswith("\t")]
        assert result.returncode == 0, result.stdout[-2000:] + "\n".join(told)[-6000:]
        assert "all good" in result.stdout
    return run


@pytest.fixture
def space(catalog):
    """A namespace of the test's own."""
    name = f"n{next(numbers)}"
    catalog.create_namespace(name)
    return name
