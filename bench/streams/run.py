"""meesh and Spark Structured Streaming on the messages of one broker. See run.sh."""
import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
os.environ.setdefault("MEESH_BINARY", str(ROOT / "build" / "release" / "meesh"))
sys.path[:0] = [str(Path(__file__).parent), str(ROOT / "tests"), str(ROOT / "bench"),
                str(ROOT / "bench" / "ingest")]

import report  # noqa: E402
from confluent_kafka import Consumer  # noqa: E402
from contenders import Ours, Spark  # noqa: E402
from measure import lateness  # noqa: E402
from support.kafka_server import KafkaServer  # noqa: E402
from support.meesh import binary  # noqa: E402

MESSAGES = 10_000_000
WARMING = 200_000
RATE, SECONDS, WARMING_SECONDS = 10_000, 60, 10  # of the latency
ROWS = ("lake", "live", "latency", "state")


class Bench:
    def __init__(self, options, folder):
        self.options, self.folder = options, folder
        self.messages = max(10_000, int(MESSAGES * options.scale))
        self.warming = max(1_000, int(WARMING * options.scale))
        self.kafka = KafkaServer(folder / "kafka")
        self.found = []  # {"row", "contender", …}
        self.topics = 0

    def prepare(self):
        self.kafka.start()
        if {"lake", "live"} & set(self.options.only):
            self.produce("sales", self.messages)
            self.produce("warming", self.warming)
        if "state" in self.options.only:
            self.produce("distinct", self.messages)
            self.produce("distinct", self.messages // 10)  # of the same seed: the same ids

    def produce(self, topic, count):
        subprocess.run(
            [str(binary()), "demo", "produce", "--kind", "sales", "--rate", "0", "--count",
             str(count), "--seed", "1", "--topic", topic, "--brokers", self.kafka.brokers,
             "--partitions", str(self.options.partitions)],
            check=True, stdout=subprocess.DEVNULL, timeout=3600)

    def stamped(self, topic, settled):
        """Produces for the latency: some messages that warm up, and when settled(moment of the last)
        has returned those that count; the moments of the first and the last of them."""
        settled(self.stamp(topic, WARMING_SECONDS)["last"])
        return self.stamp(topic, max(5, int(SECONDS * min(1, self.options.scale * 10))))

    def stamp(self, topic, seconds):
        done = subprocess.run(
            [sys.executable, str(Path(__file__).with_name("stamp.py")), self.kafka.brokers, topic,
             str(RATE), str(seconds)], check=True, text=True, stdout=subprocess.PIPE,
            timeout=seconds + 120)
        return json.loads(done.stdout.splitlines()[-1])

    def note(self, row, contender, **numbers):
        self.found.append({"row": row, "contender": contender.name, **numbers})
        shown = ", ".join(f"{key} {value:,.1f}" if isinstance(value, float) else f"{key} {value}"
                          for key, value in numbers.items() if key != "totals")
        print(f"{row}, {contender.name}: {shown}", flush=True)

    def row_lake(self, contender):
        found = contender.lake("sales", "warming")
        found["sum"] = str(found["sum"])
        if found["rows"] != self.messages:
            raise AssertionError(f"{contender.name} wrote {found['rows']} of {self.messages}")
        if "bytes" in found:  # what the same messages are as JSON, a line each
            found["of_json"] = found["bytes"] / (self.message_size("sales") * self.messages)
        self.note("lake", contender, **found)

    def message_size(self, topic, count=20_000):
        """The mean of the first messages' bytes, with a line's end."""
        consumer = Consumer({"bootstrap.servers": self.kafka.brokers, "group.id": "size",
                             "auto.offset.reset": "earliest", "enable.auto.commit": False})
        consumer.subscribe([topic])
        try:
            values = []
            while len(values) < min(count, self.messages):
                values += [message.value() for message in consumer.consume(1000, timeout=30)
                           if not message.error()]
            return 1 + statistics.mean(map(len, values))
        finally:
            consumer.close()

    def row_live(self, contender):
        found = contender.live("sales", "warming")
        if (rows := sum(one[2] for one in found["totals"])) != self.messages:
            raise AssertionError(f"{contender.name} counted {rows} of {self.messages}")
        self.note("live", contender, **found)

    def row_latency(self, contender):
        for kind in ("lake", "live"):
            self.topics += 1
            topic = f"latency-{self.topics}"
            self.kafka.create_topic(topic, self.options.partitions)
            found, seen, moments = contender.latency(topic, kind, self.stamped)
            contender.stop()
            self.note(f"latency, {kind}", contender, **found,
                      **lateness(seen, moments["first"], moments["last"]))

    def row_state(self, contender):
        found = contender.state("distinct", self.options.memory)
        if found["rows"] != self.messages:
            raise AssertionError(f"{contender.name} found {found['rows']} of {self.messages} ids")
        self.note("state", contender, **found)

    def measure(self, contenders):
        for row in self.options.only:
            for _ in range(self.options.rounds):
                for contender in contenders:
                    try:
                        getattr(self, f"row_{row}")(contender)
                    finally:
                        contender.stop()
            self.agree(row)

    def agree(self, row):
        """Answers that differ are no comparison."""
        for key in ("sum", "totals"):
            answers = {json.dumps(one[key]) for one in self.found
                       if one["row"] == row and key in one}
            if len(answers) > 1:
                raise AssertionError(f"{row}: the contenders disagree: {answers}")

    def median(self, row, contender, key):
        values = [one[key] for one in self.found
                  if one["row"] == row and one["contender"] == contender and one.get(key)]
        return statistics.median(values) if values else None

    def tell(self, contenders):
        ours, lines, waits = "meesh", [], []
        for row in dict.fromkeys(one["row"] for one in self.found):
            for name in (one.name for one in contenders):
                value = {key: self.median(row, name, key) for key in
                         ("seconds", "cpu", "peak", "p50", "p99", "max")}
                if value["p50"]:
                    # No processor time: being watched is in it.
                    waits.append([f"{row}, {name}", *(f"{value[k]:,.0f}" for k in
                                                      ("p50", "p99", "max")),
                                  f"{value['peak'] / 1e6:,.0f}"])
                elif value["seconds"]:
                    rate = self.messages * (1.1 if row == "state" else 1)
                    best = self.median(row, ours, "cpu")
                    quick = self.median(row, ours, "seconds")
                    lines.append([
                        f"{row}, {name}", f"{value['seconds']:.1f}",
                        f"{rate / value['seconds']:,.0f}", f"{value['cpu']:.1f}",
                        f"{rate / value['cpu']:,.0f}", f"{value['peak'] / 1e6:,.0f}",
                        *(f"{value[k] / base:.1f}" if base else "–"
                          for k, base in (("seconds", quick), ("cpu", best)))])
        if lines:
            report.table([f"{self.messages:,} messages", "s", "messages/s", "processor s",
                          "messages / processor s", "peak MB", "× meesh's time",
                          "× its processor time"], lines)
        for one in self.found:
            if "of_json" in one:
                print(f"{one['contender']}'s Parquet files are {1 - one['of_json']:.0%} smaller than "
                      "the JSON messages")
        if waits:
            report.table([f"{RATE:,} messages/s", "p50 ms", "p99 ms", "max ms", "peak MB"], waits)

    def stop(self):
        self.kafka.stop()


def arguments():
    parser = argparse.ArgumentParser(prog="bench/streams/run.sh")
    parser.add_argument("--scale", type=float, default=1.0, help="of ten million messages")
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--only", type=lambda t: t.split(","), default=list(ROWS),
                        help="some of: " + ", ".join(ROWS))
    parser.add_argument("--without", type=lambda t: t.split(","), default=[])
    parser.add_argument("--partitions", type=int, default=os.cpu_count(), help="of the topics")
    parser.add_argument("--memory", default="1GB", help="of both, for the state")
    parser.add_argument("--folder", type=Path, help="on the disk to measure")
    parser.add_argument("--json", type=Path, help="write everything measured to this file")
    options = parser.parse_args()
    if unknown := set(options.only) - set(ROWS):
        parser.error(f"--only knows {', '.join(ROWS)}, not {', '.join(unknown)}")
    return options


def main():
    options = arguments()
    folder = Path(tempfile.mkdtemp(prefix="bench-streams-", dir=options.folder))
    bench = Bench(options, folder)
    contenders = [Ours(folder, bench.kafka.brokers)]
    if "spark" not in options.without:
        if reason := Spark.why_not():
            print(f"leaving {Spark.name} out: {reason}")
        else:
            contenders.append(Spark(folder, bench.kafka.brokers))
    try:
        machine = report.machine(folder)
        bench.prepare()
        bench.measure(contenders)
        bench.tell(contenders)
        if options.json:
            options.json.write_text(json.dumps({"machine": machine, "scale": options.scale,
                                                "messages": bench.messages,
                                                "results": bench.found}, indent=2) + "\n")
    finally:
        for contender in contenders:
            contender.stop()
        bench.stop()
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
