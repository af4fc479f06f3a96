"""The programs compared. Each answers to the same calls: lake(), live(), latency(), state()."""
import json
import os
import subprocess
import sys
import threading
import time
from decimal import Decimal
from pathlib import Path

import requests
import trino
import yaml

from measure import Largest, taking
from support.meesh import ROOT, Meesh, plain_mesh
from support.processes import die_with_parent, end, wait_until
from support.trino_server import find_jdk, versions

COLUMNS = {"id": "varchar", "pays": "varchar", "montant": "decimal(12,2)", "produit": "varchar",
           "quantite": "integer", "moment": "timestamp(3)"}
TOTALS = "SELECT pays, sum(montant) AS total, count(*) AS sales FROM ventes GROUP BY pays"


def totals(rows):
    """The same of whoever tells them."""
    return sorted((pays, str(Decimal(str(total)).quantize(Decimal("0.01"))), int(sales))
                  for pays, total, sales in rows)


class Ours:
    name = "meesh"

    def __init__(self, folder, brokers):
        self.folder, self.brokers = folder / "meesh", brokers
        self.server, self.servers = None, 0

    @staticmethod
    def why_not():
        return None

    def start(self, streams, **compute):
        """A server of its own with these streams: {name: content beside the source}."""
        self.servers += 1
        folder = self.folder / str(self.servers)
        quiet = {"compaction": False, "expire_snapshots": False, "orphan_files": False}
        mesh = plain_mesh(folder / "mesh", lake={"maintenance": quiet},
                          **({"compute": compute} if compute else {}))
        (mesh / "streams").mkdir()
        for name, content in streams.items():
            topic = content.pop("topic")
            (mesh / "streams" / f"{name}.yaml").write_text(yaml.safe_dump({
                "sources": {"ventes": {
                    "kafka": {"brokers": self.brokers, "topic": topic},
                    "format": "json", "columns": COLUMNS}},
                **content}, sort_keys=False))
        self.server = Meesh(mesh, folder / "data").start()

    def stop(self):
        if self.server:
            self.server.stop()
            self.server = None

    def query(self, sql):
        connection = trino.dbapi.connect(host="127.0.0.1", port=self.server.port, user="bench")
        try:
            cursor = connection.cursor()
            cursor.execute(sql)
            return cursor.fetchall()
        finally:
            connection.close()

    def status(self, stream):
        answer = requests.get(f"{self.server.url}/api/v1/streams/{stream}", timeout=60)
        answer.raise_for_status()
        return answer.json()

    def run(self, stream):
        with taking(self.server.process.pid) as found:
            done = self.server.run("streams", "run", stream, "--json", "--server", self.server.url,
                                   timeout=7200)
        if done.returncode:
            raise AssertionError(f"meesh: {done.stdout[-1000:]}{done.stderr[-1000:]}")
        return found

    def lake(self, topic, warming):
        every = {"sql": "SELECT * FROM ventes", "output": "append", "trigger": "available-now"}
        self.start({"warming": {**every, "topic": warming, "into": [{"lake": "lake.b.warming"}]},
                    "measured": {**every, "topic": topic, "into": [{"lake": "lake.b.sales"}]}})
        self.run("warming")
        found = self.run("measured")
        found["rows"], found["sum"] = self.query(
            "SELECT count(*), sum(montant) FROM lake.b.sales")[0]
        found["bytes"] = self.query("SELECT sum(file_size_in_bytes) FROM lake.b.\"sales$files\"")[0][0]
        return found

    def live(self, topic, warming):
        every = {"sql": TOTALS, "output": "complete", "trigger": "available-now"}
        self.start({"warming": {**every, "topic": warming, "into": [{"live": "warming"}]},
                    "measured": {**every, "topic": topic, "into": [{"live": "sales"}]}})
        self.run("warming")
        found = self.run("measured")
        found["totals"] = totals(self.query("SELECT * FROM live.default.sales"))
        return found

    def latency(self, topic, kind, produce):
        newest = "max(moment) AS newest"
        sql, sink = (("SELECT * FROM ventes", {"lake": "lake.b.latency"}) if kind == "lake" else
                     (f"SELECT pays, {newest} FROM ventes GROUP BY pays", {"live": "latency"}))
        self.start({"latency": {"topic": topic, "sql": sql, "trigger": {"every": "1s"},
                                "output": "append" if kind == "lake" else "complete",
                                "into": [sink]}})
        wait_until(lambda: self.status("latency")["state"] == "RUNNING", 60, "the stream runs")
        look = self.snapshot if kind == "lake" else self.newest
        seen, done = {}, threading.Event()

        def watch():
            while not done.wait(0.01):
                try:
                    what = look()
                except trino.exceptions.TrinoUserError:
                    continue  # there is no table yet
                if what is not None:
                    seen.setdefault(what, int(time.time() * 1000))
        watcher = threading.Thread(target=watch, daemon=True)
        watcher.start()

        def caught_up(_=None):
            wait_until(lambda: self.status("latency")["lag"] == 0, 120, "the stream catches up")
        with taking(self.server.process.pid) as found:
            moments = produce(topic, caught_up)
            caught_up()
        time.sleep(2)  # what was committed last is seen
        done.set()
        watcher.join()
        if kind == "lake":
            seen = {self.newest_of(snapshot): when for snapshot, when in seen.items()}
        return found, [(when, moment) for moment, when in seen.items()], moments

    def snapshot(self):
        rows = self.query('SELECT snapshot_id FROM lake.b."latency$snapshots" '
                          "ORDER BY committed_at DESC LIMIT 1")
        return rows[0][0] if rows else None

    MILLIS = "CAST(to_unixtime(max({})) * 1000 AS bigint)"

    def newest_of(self, snapshot):
        return self.query(f"SELECT {self.MILLIS.format('moment')} FROM lake.b.latency "
                          f"FOR VERSION AS OF {snapshot}")[0][0] or 0

    def newest(self):
        return self.query(f"SELECT {self.MILLIS.format('newest')} FROM live.default.latency")[0][0]

    def state(self, topic, memory):
        self.start({"distinct": {"topic": topic, "sql": "SELECT id, montant FROM ventes",
                                 "deduplicate": {"columns": ["id"]}, "output": "append",
                                 "trigger": "available-now", "into": [{"lake": "lake.b.ids"}]}},
                   memory=memory)
        with Largest(self.server.data / "spill") as spilled:
            found = self.run("distinct")
        status = self.status("distinct")
        found["rows"] = self.query("SELECT count(*) FROM lake.b.ids")[0][0]
        found["duplicates"], found["state"] = status["duplicates"], status["state_rows"]
        found["spilled"] = spilled.bytes
        return found


class Spark:
    """worker.py in a process of its own, one for each measurement."""

    name = f"Spark {versions()['ICEBERG_SPARK'].split('_')[0]}"

    def __init__(self, folder, brokers):
        self.folder, self.brokers = folder / "spark", brokers
        self.process, self.workers = None, 0

    @staticmethod
    def jars():
        return [*sorted((ROOT / ".deps" / "spark-kafka").glob("*.jar")),
                ROOT / ".deps" / "maven" / f"iceberg-spark-runtime-{versions()['ICEBERG_SPARK']}-"
                                           f"{versions()['ICEBERG_VERSION']}.jar"]

    @classmethod
    def why_not(cls):
        try:
            import pyspark  # noqa: F401
        except ImportError:
            return "no pyspark: setup/setup.sh --for bench"
        if len(cls.jars()) < 5 or not all(jar.exists() for jar in cls.jars()):
            return "no jars in .deps/spark-kafka or .deps/maven: bench/streams/run.sh fetches them"
        return None if find_jdk(17) else "no JDK of 17 or newer"

    def settings(self, folder, heap):
        catalog = "spark.sql.catalog.lake"
        return {"spark.master": "local[*]", "spark.app.name": "bench", "spark.ui.enabled": "false",
                "spark.jars": ",".join(map(str, self.jars())), "spark.driver.memory": heap,
                "spark.driver.bindAddress": "127.0.0.1", "spark.driver.host": "127.0.0.1",
                "spark.local.dir": str(folder / "local"), "spark.sql.session.timeZone": "UTC",
                # 200, the default, are for clusters.
                "spark.sql.shuffle.partitions": str(os.cpu_count()),
                # What its guide advises for large states.
                "spark.sql.streaming.stateStore.providerClass":
                    "org.apache.spark.sql.execution.streaming.state.RocksDBStateStoreProvider",
                catalog: "org.apache.iceberg.spark.SparkCatalog", f"{catalog}.type": "hadoop",
                f"{catalog}.warehouse": str(folder / "warehouse"),
                # Otherwise reading does not see for half a minute what its own stream commits.
                f"{catalog}.cache-enabled": "false"}

    def start(self, heap="4g"):
        self.workers += 1
        folder = self.folder / str(self.workers)
        (folder / "conf").mkdir(parents=True)
        (folder / "conf" / "spark-defaults.conf").write_text(
            "".join(f"{key} {value}\n" for key, value in self.settings(folder, heap).items()))
        self.log = folder / "log"
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, str(Path(__file__).with_name("worker.py")), self.brokers,
                 str(folder)], text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                stderr=log, cwd=folder, preexec_fn=die_with_parent,
                env={**os.environ, "SPARK_CONF_DIR": str(folder / "conf"),
                     "JAVA_HOME": find_jdk(17), "SPARK_LOCAL_IP": "127.0.0.1"})
        self.ask(do="begin")

    def stop(self):
        if self.process:
            self.process.stdin.close()
            end(self.process)
            self.process = None

    def ask(self, **request):
        self.process.stdin.write(json.dumps(request) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        answer = json.loads(line) if line else {"error": "it ended"}
        if "error" in answer:
            raise AssertionError(f"{self.name}: {answer['error']}\n"
                                 f"{self.log.read_text(errors='replace')[-3000:]}")
        return answer

    def work(self, **request):
        with taking(self.process.pid) as found:
            answer = self.ask(**request)
        return {**found, **answer}

    def lake(self, topic, warming):
        self.start()
        self.ask(do="lake", topic=warming, name="warming")
        found = self.work(do="lake", topic=topic, name="sales")
        return {**found, **self.ask(do="count", name="sales")}

    def live(self, topic, warming):
        self.start()
        self.ask(do="live", topic=warming, name="warming")
        found = self.work(do="live", topic=topic, name="sales")
        found["totals"] = totals(self.ask(do="totals", name="sales")["rows"])
        return found

    def latency(self, topic, kind, produce):
        self.start()
        self.ask(do="follow", topic=topic, kind=kind)
        with taking(self.process.pid) as found:
            moments = produce(topic, lambda last: self.ask(do="reached", moment=last))
            self.ask(do="reached", moment=moments["last"])
        answer = self.ask(do="followed")
        return found, [tuple(pair) for pair in answer["seen"]], moments

    def state(self, topic, memory):
        self.start(heap=memory.replace("B", "").lower())
        found = self.work(do="distinct", topic=topic)
        found["spilled"] = None  # its state is on disk always
        return found
