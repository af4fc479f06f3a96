"""The same events through Spark Structured Streaming and through streams: windows, late rows,
duplicates and joins. What is expected was written down from Spark's guide ("Handling Late Data and
Watermarking", "Streaming Deduplication", "Inner Joins with optional Watermarking"), and is held
against both; Spark itself runs only with --full.

Each step is one run of an available-now trigger: the rows of the step, then, when the watermark has
moved, a batch without rows that lets go what the new watermark completes.
"""
import json
import os
import subprocess
import sys
from dataclasses import dataclass, field
from datetime import datetime

import pytest
import requests
import trino
import yaml
from confluent_kafka import Producer

from support.meesh import Meesh, plain_mesh
from support.trino_server import find_jdk


@dataclass
class Scenario:
    name: str
    steps: list      # of {source: [(word, "12:07"), …]}
    expected: list   # of each step: rows; of `update`: all rows of the table after it
    spark: str       # makes `out` of the frames in `sources`; F is there
    sql: str
    output: str = "append"
    key: list = field(default_factory=list)  # of update: what tells rows apart
    stream: dict = field(default_factory=dict)
    late: int = None  # rows dropped for being late, of all steps; None: they are counted otherwise


COUNTS = ("SELECT window_start, window_end, {word}count(*) AS n FROM events GROUP BY window_start, "
          "window_end{group}")
SPARK_COUNTS = """
out = sources["events"].groupBy(F.window("at", {window}){group}).count().select(
    F.date_format("window.start", "HH:mm"), F.date_format("window.end", "HH:mm"), {word} "count")
"""

SCENARIOS = [
    Scenario(
        name="windows_append",
        stream={"window": {"size": "10m"}},
        sql=COUNTS.format(word="", group=""),
        spark=SPARK_COUNTS.format(window="'10 minutes'", group="", word=""),
        steps=[{"events": [("a", "12:01"), ("b", "12:07"), ("a", "12:14")]},
               {"events": [("a", "12:21")]},
               # The first is late: its window ended before the watermark, 12:11. The second's has
               # not, though its own time is behind others.
               {"events": [("a", "12:05"), ("b", "12:12"), ("a", "12:38")]},
               {"events": [("a", "12:55")]}],
        expected=[[],
                  [("12:00", "12:10", 2)],
                  [("12:10", "12:20", 2)],
                  [("12:20", "12:30", 1), ("12:30", "12:40", 1)]],
        late=1),
    Scenario(
        # The events of the guide's own drawing.
        name="sliding_windows_update",
        stream={"window": {"size": "10m", "slide": "5m"}},
        output="update", key=["window_start", "window_end", "word"],
        sql=COUNTS.format(word="word, ", group=", word"),
        spark=SPARK_COUNTS.format(window="'10 minutes', '5 minutes'", group=", 'word'",
                                  word="'word',"),
        steps=[{"events": [("dog", "12:07"), ("owl", "12:08")]},
               {"events": [("dog", "12:14"), ("cat", "12:09")]},
               {"events": [("cat", "12:15"), ("dog", "12:08"), ("owl", "12:13")]},
               {"events": [("owl", "12:21")]},
               # The donkey's windows are over: the watermark is 12:11.
               {"events": [("donkey", "12:04"), ("owl", "12:17")]}],
        expected=[
            [("12:00", "12:10", "dog", 1), ("12:00", "12:10", "owl", 1),
             ("12:05", "12:15", "dog", 1), ("12:05", "12:15", "owl", 1)],
            [("12:00", "12:10", "cat", 1), ("12:00", "12:10", "dog", 1),
             ("12:00", "12:10", "owl", 1), ("12:05", "12:15", "cat", 1),
             ("12:05", "12:15", "dog", 2), ("12:05", "12:15", "owl", 1),
             ("12:10", "12:20", "dog", 1)],
            [("12:00", "12:10", "cat", 1), ("12:00", "12:10", "dog", 2),
             ("12:00", "12:10", "owl", 1), ("12:05", "12:15", "cat", 1),
             ("12:05", "12:15", "dog", 3), ("12:05", "12:15", "owl", 2),
             ("12:10", "12:20", "cat", 1), ("12:10", "12:20", "dog", 1),
             ("12:10", "12:20", "owl", 1), ("12:15", "12:25", "cat", 1)],
            [("12:00", "12:10", "cat", 1), ("12:00", "12:10", "dog", 2),
             ("12:00", "12:10", "owl", 1), ("12:05", "12:15", "cat", 1),
             ("12:05", "12:15", "dog", 3), ("12:05", "12:15", "owl", 2),
             ("12:10", "12:20", "cat", 1), ("12:10", "12:20", "dog", 1),
             ("12:10", "12:20", "owl", 1), ("12:15", "12:25", "cat", 1),
             ("12:15", "12:25", "owl", 1), ("12:20", "12:30", "owl", 1)],
            [("12:00", "12:10", "cat", 1), ("12:00", "12:10", "dog", 2),
             ("12:00", "12:10", "owl", 1), ("12:05", "12:15", "cat", 1),
             ("12:05", "12:15", "dog", 3), ("12:05", "12:15", "owl", 2),
             ("12:10", "12:20", "cat", 1), ("12:10", "12:20", "dog", 1),
             ("12:10", "12:20", "owl", 2), ("12:15", "12:25", "cat", 1),
             ("12:15", "12:25", "owl", 2), ("12:20", "12:30", "owl", 1)]]),
    Scenario(
        name="sliding_windows_append",
        stream={"window": {"size": "10m", "slide": "5m"}},
        sql=COUNTS.format(word="word, ", group=", word"),
        spark=SPARK_COUNTS.format(window="'10 minutes', '5 minutes'", group=", 'word'",
                                  word="'word',"),
        steps=[{"events": [("dog", "12:07"), ("owl", "12:08")]},
               {"events": [("dog", "12:14")]},
               {"events": [("owl", "12:21")]},
               {"events": [("dog", "12:26")]}],
        expected=[[],
                  [],
                  [("12:00", "12:10", "dog", 1), ("12:00", "12:10", "owl", 1)],
                  [("12:05", "12:15", "dog", 2), ("12:05", "12:15", "owl", 1)]]),
    Scenario(
        name="duplicates_within_watermark",
        stream={"deduplicate": {"columns": ["word"], "within": "10m"}},
        sql="SELECT word, at FROM events",
        spark="""
out = sources["events"].dropDuplicatesWithinWatermark(["word"]).select(
    "word", F.date_format("at", "HH:mm"))
""",
        steps=[{"events": [("1", "12:00"), ("1", "12:00"), ("2", "12:05")]},
               {"events": [("1", "12:08"), ("3", "12:14")]},
               {"events": [("2", "12:16"), ("4", "12:31")]},
               # The watermark is 12:21. What was known of 1 (until 12:10) is forgotten, of 3 (until
               # 12:24) it is not; 5 is late.
               {"events": [("1", "12:25"), ("3", "12:26"), ("5", "12:20")]}],
        expected=[[("1", "12:00"), ("2", "12:05")],
                  [("3", "12:14")],
                  [("4", "12:31")],
                  [("1", "12:25")]],
        late=1),
    Scenario(
        name="inner_interval_join",
        sql="SELECT i.word, i.at AS shown, c.at AS clicked FROM impressions i JOIN clicks c ON "
            "i.word = c.word AND c.at >= i.at AND c.at <= i.at + INTERVAL '1' HOUR",
        spark="""
i, c = sources["impressions"].alias("i"), sources["clicks"].alias("c")
out = i.join(c, F.expr("i.word = c.word AND c.at >= i.at AND c.at <= i.at + INTERVAL 1 HOUR")) \\
    .select("i.word", F.date_format("i.at", "HH:mm"), F.date_format("c.at", "HH:mm"))
""",
        steps=[{"impressions": [("1", "12:00"), ("2", "12:10")], "clicks": [("1", "12:05")]},
               {"impressions": [], "clicks": [("2", "12:40")]},
               {"impressions": [("3", "12:50")], "clicks": [("1", "13:05"), ("3", "13:00")]},
               # The watermark, the lesser of both, is 12:40: the impression is late.
               {"impressions": [("4", "12:30")], "clicks": [("4", "13:10"), ("3", "13:45")]}],
        expected=[[("1", "12:00", "12:05")],
                  [("2", "12:10", "12:40")],
                  [("3", "12:50", "13:00")],
                  [("3", "12:50", "13:45")]],
        late=1),
]
NAMES = [scenario.name for scenario in SCENARIOS]


def moment(time):
    return f"2025-01-15T{time}:00.000Z"


def events_of(rows):
    return [json.dumps({"word": word, "at": moment(time)}) for word, time in rows]


def as_table(scenario, steps):
    """What a table holds after each step, of the rows that each step gave."""
    if scenario.output == "append":
        return [sorted(map(tuple, rows)) for rows in steps]
    table, after = {}, []
    for rows in steps:
        for row in rows:
            table[tuple(row[:len(scenario.key)])] = tuple(row)
        after.append(sorted(table.values()))
    return after


# ---- Spark

SPARK = """
import json, pathlib, sys
from pyspark.sql import SparkSession, functions as F
folder, jobs = pathlib.Path(sys.argv[1]), json.load(open(sys.argv[2]))
spark = (SparkSession.builder.master("local[2]").config("spark.ui.enabled", "false")
    .config("spark.sql.shuffle.partitions", "2").config("spark.driver.memory", "900m")
    .config("spark.driver.bindAddress", "127.0.0.1").config("spark.driver.host", "127.0.0.1")
    .config("spark.sql.session.timeZone", "UTC").getOrCreate())
spark.sparkContext.setLogLevel("ERROR")
found = {}
for job in jobs:
    home, given, sources = folder / job["name"], [], {}
    for name in job["steps"][0]:
        (home / name).mkdir(parents=True)
        sources[name] = spark.readStream.schema("word STRING, at TIMESTAMP").json(
            str(home / name)).withWatermark("at", "10 minutes")
    exec(job["spark"])
    for number, step in enumerate(job["steps"]):
        rows = []
        for name, lines in step.items():
            if lines:
                (home / name / f"{number}.json").write_text("\\n".join(lines))
        (out.writeStream.outputMode(job["output"]).trigger(availableNow=True)
            .option("checkpointLocation", str(home / "checkpoint"))
            .foreachBatch(lambda frame, _: rows.extend(map(list, frame.collect())))
            .start().awaitTermination())
        given.append(rows)
    found[job["name"]] = given
(folder / "found.json").write_text(json.dumps(found))
spark.stop()
"""


@pytest.fixture(scope="module")
def spark_rows(work_folder):
    """{scenario: rows that each step gave} of all scenarios, in one JVM."""
    pytest.importorskip("pyspark", reason="setup/setup.sh --for full brings it")
    if not find_jdk(17):
        pytest.skip("no JDK of 17 or newer")
    folder = work_folder / "spark-semantics"
    folder.mkdir()
    (folder / "job.py").write_text(SPARK)
    (folder / "jobs.json").write_text(json.dumps([
        {"name": one.name, "spark": one.spark, "output": one.output,
         "steps": [{name: events_of(rows) for name, rows in step.items()} for step in one.steps]}
        for one in SCENARIOS]))
    done = subprocess.run(
        [sys.executable, str(folder / "job.py"), str(folder), str(folder / "jobs.json")],
        text=True, capture_output=True, timeout=800, cwd=folder,
        env={**os.environ, "JAVA_HOME": find_jdk(17), "SPARK_LOCAL_IP": "127.0.0.1"})
    told = [line for line in done.stderr.splitlines() if not line.startswith("\t")]
    assert done.returncode == 0, "\n".join(told)[-6000:]
    return json.loads((folder / "found.json").read_text())


@pytest.mark.full
@pytest.mark.timeout(900)
@pytest.mark.parametrize("scenario", SCENARIOS, ids=NAMES)
def test_spark_gives_what_its_guide_says(spark_rows, scenario):
    assert as_table(scenario, spark_rows[scenario.name]) == scenario.expected


# ---- ours

def topic_of(scenario, source):
    return f"semantics-{scenario.name}-{source}"


def write_scenario(mesh, brokers, scenario):
    sources = {name: {"kafka": {"brokers": brokers, "topic": topic_of(scenario, name)},
                      "format": "json", "columns": {"word": "varchar", "at": "timestamp(3)"},
                      "event_time": "at", "watermark": "10m"} for name in scenario.steps[0]}
    into = {"lake": f"lake.semantics.{scenario.name}"}
    if scenario.key:
        into["key"] = scenario.key
    path = mesh / "streams" / f"{scenario.name}.yaml"
    path.parent.mkdir(exist_ok=True)
    path.write_text(yaml.safe_dump({
        "sources": sources, "sql": scenario.sql, **scenario.stream,
        "output": scenario.output, "trigger": "available-now", "into": [into]}, sort_keys=False))


@pytest.fixture(scope="module")
def ours(kafka, work_folder):
    mesh = plain_mesh(work_folder / "semantics", lake={"location": "s3://lake"})
    for scenario in SCENARIOS:
        write_scenario(mesh, kafka.brokers, scenario)
        for source in scenario.steps[0]:
            kafka.create_topic(topic_of(scenario, source), 1)
    meesh = Meesh(mesh, work_folder / "semantics-data").start()
    yield meesh
    meesh.stop()


def step_of_ours(meesh, kafka, scenario, step):
    """Produces the events, runs the stream until it has done them; the table's rows then."""
    producer = Producer({"bootstrap.servers": kafka.brokers, "log_level": 0})
    for source, rows in step.items():
        for line in events_of(rows):
            producer.produce(topic_of(scenario, source), line)
    assert producer.flush(30) == 0
    answer = requests.post(f"{meesh.url}/api/v1/streams/{scenario.name}/run", timeout=120)
    end = json.loads(answer.text.splitlines()[-1])
    assert end.get("end") == scenario.name, end
    connection = trino.dbapi.connect(host=meesh.host, port=meesh.port, user="tester")
    try:
        cursor = connection.cursor()
        cursor.execute(f"SELECT * FROM lake.semantics.{scenario.name}")
        return sorted(tuple(value.strftime("%H:%M") if isinstance(value, datetime) else value
                            for value in row) for row in cursor.fetchall())
    finally:
        connection.close()


@pytest.mark.parametrize("scenario", SCENARIOS, ids=NAMES)
def test_a_stream_gives_what_sparks_guide_says(ours, kafka, scenario):
    found, before = [], []
    for step in scenario.steps:
        rows = step_of_ours(ours, kafka, scenario, step)
        new = list(rows)
        if scenario.output == "append":
            for row in before:
                new.remove(row)  # ValueError: a row that was appended is gone
        found.append(new)
        before = rows
    assert found == scenario.expected
    status = requests.get(f"{ours.url}/api/v1/streams/{scenario.name}", timeout=30).json()
    if scenario.late is not None:
        assert status["late"] == scenario.late
    assert status["messages"] == sum(len(rows) for step in scenario.steps
                                     for rows in step.values())
