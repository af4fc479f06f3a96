"""The programs compared: each starts on the same REST catalog, answers SQL, tells its memory and
stops. All know the catalog as `lake`, and `lake.tpch` as the schema of bare table names."""
import json
import os
import subprocess
import sys
import time
from decimal import Decimal
from pathlib import Path

import trino

from place import extension
from support import trino_server
from support.meesh import ROOT
from support.processes import die_with_parent, end, memory, reset_peak, tree
from support.trino_server import TrinoServer, find_jdk, versions

# A Python with pyspark, where it is not this one's.
SPARK_PYTHON = os.environ.get("LAKE_SPARK_PYTHON", sys.executable)


class Failure(Exception):
    """Why a contender did not answer; one line."""

    def __init__(self, text):
        super().__init__(" ".join(str(text).split())[:300])


class Contender:
    key = name = None
    peak = 0  # bytes of resident memory while it answered, the most so far

    def __init__(self, place):
        self.place = place

    def run(self, sql):
        """(milliseconds, rows); Failure"""
        try:
            reset_peak(self.pid)
            ms, rows = self.ask(sql)
            self.peak = max(self.peak, memory(self.pid)["VmHWM"])
        except (OSError, KeyError) as error:  # /proc knows it no more
            raise Failure(f"its process has ended: {error!r}") from error
        return ms, [[v if v is None or isinstance(v, (bool, int, float, Decimal, str)) else str(v)
                     for v in row] for row in rows]


class ThroughTrinoClient(Contender):
    """One kept-alive connection, as a notebook has."""

    connection = None

    def connect(self, port):
        self.connection = trino.dbapi.connect(host="127.0.0.1", port=port, user="bench",
                                              catalog="lake", schema="tpch")

    def ask(self, sql):
        start = time.perf_counter()
        try:
            cursor = self.connection.cursor()
            cursor.execute(sql)
            rows = cursor.fetchall()
        except (trino.exceptions.Error, OSError) as error:
            raise Failure(getattr(error, "message", None) or error) from error
        return (time.perf_counter() - start) * 1000, rows


class Ours(ThroughTrinoClient):
    """The server that is the others' catalog and store too, which must run before any of them."""

    key = name = "meesh"

    @property
    def pid(self):
        return self.place.server.process.pid

    def start(self):
        self.connect(self.place.server.port)

    def stop(self):
        self.connection = None


class Trino(ThroughTrinoClient):
    key, name = "trino", f"Trino {versions()['TRINO_VERSION']}"

    def __init__(self, place, heap):
        super().__init__(place)
        self.heap, self.server = heap, None
        self.folder = place.folder / "trino"
        # Of its plugins this one alone: it starts in half the time, and smaller.
        (self.folder / "plugin").mkdir(parents=True)
        (self.folder / "plugin" / "iceberg").symlink_to(trino_server.home() / "plugin" / "iceberg")

    why_not = staticmethod(trino_server.why_not)

    @property
    def pid(self):
        return self.server.process.pid

    def start(self):
        lake = self.place.server
        self.server = TrinoServer(self.folder, {"lake": {
            "connector.name": "iceberg", "iceberg.catalog.type": "rest",
            "iceberg.rest-catalog.uri": f"{lake.url}/iceberg",
            "iceberg.rest-catalog.warehouse": "lake",
            "iceberg.rest-catalog.security": "OAUTH2",
            "iceberg.rest-catalog.oauth2.credential":
                f"{lake.keys.access_key}:{lake.keys.secret_key}",
            "iceberg.rest-catalog.oauth2.server-uri": f"{lake.url}/iceberg/v1/oauth/tokens",
            "iceberg.rest-catalog.vended-credentials-enabled": "true",
            "fs.native-s3.enabled": "true", "s3.endpoint": self.place.s3_url,
            "s3.region": "us-east-1", "s3.path-style-access": "true"}}, heap=self.heap)
        self.server.start().wait(seconds=600)
        self.connect(self.server.port)
        deadline = time.monotonic() + 120
        while True:  # a starting server knows no nodes yet
            try:
                return self.ask("SELECT n FROM lake.bench.other")
            except Failure:
                if time.monotonic() > deadline or self.server.process.poll() is not None:
                    raise
                time.sleep(0.2)

    def stop(self):
        self.connection = None
        if self.server:
            self.server.stop()


class InWorker(Contender):
    """An engine in worker.py."""

    process = pid = None
    python = sys.executable

    def begin(self, configuration, folder, environment=None):
        folder.mkdir(exist_ok=True)
        self.log = folder / "log"
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                [self.python, str(Path(__file__).with_name("worker.py"))], text=True,
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, cwd=folder,
                env={**os.environ, **(environment or {})}, preexec_fn=die_with_parent)
        try:
            self.send(configuration)
        except Failure as error:
            raise AssertionError(f"{self.name} did not start: {error}\n"
                                 f"{self.log.read_text(errors='replace')[-2000:]}") from error
        self.pid = self.process.pid

    def send(self, request):
        try:
            self.process.stdin.write(json.dumps(request) + "\n")
            self.process.stdin.flush()
            line = self.process.stdout.readline()
        except BrokenPipeError:
            line = ""
        if not line:
            raise Failure(f"{self.name} ended: {self.log.read_text(errors='replace')[-300:]}")
        answer = json.loads(line, object_hook=lambda found: Decimal(found["decimal"])
                            if set(found) == {"decimal"} else found)
        if "error" in answer:
            raise Failure(answer["error"])
        return answer["ms"], answer["rows"]

    def ask(self, sql):
        return self.send({"sql": sql})

    def stop(self):
        if self.process:
            self.process.stdin.close()
            end(self.process)
            self.process = None


class DuckDB(InWorker):
    key, name = "duckdb", f"DuckDB {versions()['DUCKDB_VERSION']}"

    @staticmethod
    def why_not():
        missing = [name for name in ("httpfs", "avro", "iceberg")
                   if not Path(extension(name)).exists()]
        return f"no extension {missing[0]}: setup/setup.sh --for bench" if missing else None

    def start(self):
        lake = self.place.server
        self.begin({"engine": "duckdb", "extensions": [
            extension(name) for name in ("httpfs", "avro", "iceberg")], "setup": [
            f"CREATE SECRET (TYPE iceberg, CLIENT_ID '{lake.keys.access_key}', CLIENT_SECRET "
            f"'{lake.keys.secret_key}', OAUTH2_SERVER_URI '{lake.url}/iceberg/v1/oauth/tokens')",
            f"ATTACH 'lake' AS lake (TYPE iceberg, ENDPOINT '{lake.url}/iceberg')",
            "USE lake.tpch"]}, self.place.folder / "duckdb")


class DuckDBFiles(InWorker):
    """DuckDB over copies of the same files, without a catalog or a store in between; only reads.
    `tables` is {name: [path]}."""

    key, name = "files", "DuckDB, bare files"

    def __init__(self, place, tables):
        super().__init__(place)
        self.tables = tables

    def start(self):
        self.begin({"engine": "duckdb", "extensions": [], "setup": [
            f"CREATE VIEW {table} AS SELECT * FROM read_parquet({[str(p) for p in paths]})"
            for table, paths in self.tables.items()]}, self.place.folder / "duckdb-files")


class Spark(InWorker):
    key, name = "spark", f"Spark {versions()['ICEBERG_SPARK'].split('_')[0]}"
    python = SPARK_PYTHON

    def __init__(self, place, heap):
        super().__init__(place)
        self.heap = heap
        self.pid = None  # the JVM's, not that of the Python that talks to it

    @staticmethod
    def jars():
        return [ROOT / ".deps" / "maven" / f"{name}-{versions()['ICEBERG_VERSION']}.jar" for name in
                (f"iceberg-spark-runtime-{versions()['ICEBERG_SPARK']}", "iceberg-aws-bundle")]

    @classmethod
    def why_not(cls):
        wanted = versions()["ICEBERG_SPARK"].split("_")[0]
        found = subprocess.run([SPARK_PYTHON, "-c", "import pyspark; print(pyspark.__version__)"],
                               stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True).stdout
        if not found.startswith(wanted + "."):
            return (f"pyspark is {found.strip() or 'missing'}, and Iceberg's runtime is for "
                    f"{wanted}: setup/setup.sh --for bench")
        if missing := [jar.name for jar in cls.jars() if not jar.exists()]:
            return f"no {missing[0]} in .deps/maven: setup/setup.sh --for bench"
        return None if find_jdk(17) else "no JDK of 17 or newer"

    def settings(self):
        lake, catalog = self.place.server, "spark.sql.catalog.lake"
        folder = self.place.folder / "spark"
        return {
            "spark.master": "local[*]", "spark.app.name": "bench", "spark.ui.enabled": "false",
            "spark.jars": ",".join(map(str, self.jars())), "spark.driver.memory": self.heap,
            "spark.driver.bindAddress": "127.0.0.1", "spark.driver.host": "127.0.0.1",
            "spark.local.dir": str(folder), "spark.sql.warehouse.dir": str(folder / "warehouse"),
            # 200 partitions, the default, are for clusters.
            "spark.sql.shuffle.partitions": str(2 * os.cpu_count()),
            "spark.sql.session.timeZone": "UTC",
            "spark.sql.extensions":
                "org.apache.iceberg.spark.extensions.IcebergSparkSessionExtensions",
            catalog: "org.apache.iceberg.spark.SparkCatalog", f"{catalog}.type": "rest",
            f"{catalog}.uri": f"{lake.url}/iceberg", f"{catalog}.warehouse": "lake",
            f"{catalog}.credential": f"{lake.keys.access_key}:{lake.keys.secret_key}",
            f"{catalog}.oauth2-server-uri": f"{lake.url}/iceberg/v1/oauth/tokens",
            f"{catalog}.header.X-Iceberg-Access-Delegation": "vended-credentials",
            f"{catalog}.io-impl": "org.apache.iceberg.aws.s3.S3FileIO",
            # Otherwise it does not see for half a minute what others commit.
            f"{catalog}.cache-enabled": "false"}

    def start(self):
        folder = self.place.folder / "spark"
        # In a file: what pyspark is told itself stands on the JVM's command line.
        (folder / "conf").mkdir(parents=True, exist_ok=True)
        (folder / "conf" / "spark-defaults.conf").write_text(
            "".join(f"{name} {value}\n" for name, value in self.settings().items()))
        self.begin({"engine": "spark", "setup": ["USE lake.tpch"]}, folder, {
            "SPARK_CONF_DIR": str(folder / "conf"), "AWS_REGION": "us-east-1",
            "JAVA_HOME": find_jdk(17), "SPARK_LOCAL_IP": "127.0.0.1"})
        self.pid = next(pid for pid, command in tree(self.process.pid).items()
                        if "org.apache.spark" in command)
