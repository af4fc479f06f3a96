"""Spark Structured Streaming as a process of its own: worker.py BROKERS FOLDER. Reads JSON lines,
{"do": …} each, from standard input and answers each with one. Its settings are those of
SPARK_CONF_DIR."""
import json
import os
import sys
import threading
import time
from pathlib import Path

from pyspark.sql import SparkSession
from pyspark.sql import functions as F

SCHEMA = ("id STRING, pays STRING, montant DECIMAL(12, 2), produit STRING, quantite INT, "
          "moment TIMESTAMP")
TABLE = f"CREATE TABLE lake.b.{{}} ({SCHEMA}) USING iceberg"


class Worker:
    def __init__(self, brokers, folder):
        self.brokers, self.folder = brokers, Path(folder)
        self.spark = SparkSession.builder.getOrCreate()
        self.spark.sparkContext.setLogLevel("ERROR")
        self.spark.sql("CREATE NAMESPACE IF NOT EXISTS lake.b")
        self.query = self.seen = self.watcher = None
        self.stop = threading.Event()

    def begin(self):
        return {}

    def source(self, topic, start="earliest", **options):
        frame = self.spark.readStream.format("kafka").options(**{
            "kafka.bootstrap.servers": self.brokers, "subscribe": topic, "startingOffsets": start,
            **options}).load()
        return frame.select(F.from_json(F.col("value").cast("string"), SCHEMA).alias("m")) \
            .select("m.*")

    def into_lake(self, frame, name):
        return (frame.writeStream.format("iceberg").outputMode("append")
                .option("checkpointLocation", str(self.folder / "checkpoints" / name)))

    def lake(self, topic, name):
        self.spark.sql(TABLE.format(name))
        (self.into_lake(self.source(topic), name).trigger(availableNow=True)
         .toTable(f"lake.b.{name}").awaitTermination())
        return {}

    def count(self, name):
        row = self.spark.sql(f"SELECT count(*), sum(montant) FROM lake.b.{name}").first()
        return {"rows": row[0], "sum": str(row[1])}

    def live(self, topic, name):
        totals = self.source(topic).groupBy("pays").agg(F.sum("montant"), F.count("*"))
        (totals.writeStream.format("memory").queryName(name).outputMode("complete")
         .trigger(availableNow=True).start().awaitTermination())
        return {}

    def totals(self, name):
        return {"rows": [[row[0], str(row[1]), row[2]] for row in
                         self.spark.table(name).collect()]}

    def distinct(self, topic):
        """Batches as large as those of meesh: more do not fit into the memory."""
        self.spark.sql("CREATE TABLE lake.b.ids (id STRING, montant DECIMAL(12, 2)) USING iceberg")
        ids = self.source(topic, maxOffsetsPerTrigger=500_000).dropDuplicates(["id"])
        query = (self.into_lake(ids.select("id", "montant"), "ids").trigger(availableNow=True)
                 .toTable("lake.b.ids"))
        query.awaitTermination()
        rows = self.spark.table("lake.b.ids").count()
        states = [operator["numRowsTotal"] for progress in query.recentProgress
                  for operator in progress["stateOperators"]]
        return {"rows": rows, "state": max(states)}

    # ---- how late it is

    def follow(self, topic, kind):
        """Begins a query that commits every second, and notes when its results are there."""
        self.seen = []
        frame = self.source(topic, start="earliest")
        if kind == "lake":
            self.spark.sql(TABLE.format("latency"))
            self.query = (self.into_lake(frame, "latency").trigger(processingTime="1 second")
                          .toTable("lake.b.latency"))
            self.watcher = threading.Thread(target=self.watch_versions, daemon=True)
            self.watcher.start()
        else:
            newest = frame.groupBy("pays").agg(F.max("moment").alias("newest"))

            def note(batch, _):
                found = [row.newest for row in batch.collect() if row.newest is not None]
                if found:
                    self.seen.append((int(time.time() * 1000), max(map(millis, found))))
            self.query = (newest.writeStream.outputMode("complete").foreachBatch(note)
                          .trigger(processingTime="1 second").start())
        return {}

    def watch_versions(self):
        """A version of a table of Hadoop's catalog is there when its file is."""
        hint = self.folder / "warehouse" / "b" / "latency" / "metadata" / "version-hint.text"
        before = None
        while not self.stop.wait(0.005):
            try:
                version = hint.read_text().strip()
            except FileNotFoundError:
                continue
            if version and version != before:
                self.seen.append((int(time.time() * 1000), version))
                before = version

    def reached(self, moment):
        """Waits until the message of that moment was seen."""
        deadline = time.monotonic() + 180
        while time.monotonic() < deadline:
            if self.query.exception():
                raise self.query.exception()
            newest = self.newest() if self.watcher else max([m for _, m in self.seen], default=0)
            if newest >= moment:
                return {}
            time.sleep(1)
        raise TimeoutError("what was produced was not seen")

    def followed(self):
        """Ends the query; when which newest message was there."""
        self.query.stop()
        self.stop.set()
        if not self.watcher:
            return {"seen": self.seen}
        self.watcher.join()
        metadata = self.folder / "warehouse" / "b" / "latency" / "metadata"
        found = []
        for when, version in self.seen:
            snapshot = json.loads((metadata / f"v{version}.metadata.json").read_text()).get(
                "current-snapshot-id", -1)
            if snapshot and snapshot > 0:
                found.append((when, self.newest(snapshot)))
        return {"seen": found}

    def newest(self, snapshot=None):
        reader = self.spark.read.option("versionAsOf", snapshot) if snapshot else self.spark.read
        found = reader.table("lake.b.latency").agg(F.max("moment")).first()[0]
        return millis(found) if found else 0


def millis(moment):
    """Of what Spark gives: local time without a zone."""
    return round(moment.timestamp() * 1000)


def main():
    # What Spark prints itself must not stand between the answers.
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    worker = Worker(*sys.argv[1:3])
    for line in sys.stdin:
        request = json.loads(line)
        try:
            answer = getattr(worker, request.pop("do"))(**request)
        except Exception as error:  # whatever Spark throws is its answer
            answer = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps(answer), file=answers, flush=True)


if __name__ == "__main__":
    main()
