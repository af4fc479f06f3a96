"""A Kafka broker of its own (KRaft, one node) for a test: the jars of `setup/setup.sh --for test`."""
import shutil
import subprocess
from pathlib import Path

from confluent_kafka import Consumer, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic

from support.java import java
from support.processes import die_with_parent, end, free_ports, wait_until
from support.trino_server import ROOT, find_jdk, versions


def home():
    return ROOT / ".deps" / f"kafka-{versions()['KAFKA_VERSION']}"


def why_not():
    """The reason Kafka cannot be started here, or None."""
    if not home().is_dir():
        return f"no Kafka in {home().relative_to(ROOT)}: run setup/setup.sh --for test"
    if not find_jdk(17):
        return "no JDK of 17 or newer"
    return None


class KafkaServer:
    """Keeps its ports and its topics from one start() to the next."""

    def __init__(self, folder):
        self.folder = Path(folder)
        self.port, self.controller = free_ports(2)
        self.process = None

    @property
    def brokers(self):
        return f"127.0.0.1:{self.port}"

    def start(self):
        self.folder.mkdir(parents=True, exist_ok=True)
        settings = self.folder / "server.properties"
        if not settings.exists():
            settings.write_text("".join(f"{key}={value}\n" for key, value in {
                "process.roles": "broker,controller", "node.id": 1,
                "controller.quorum.voters": f"1@127.0.0.1:{self.controller}",
                "listeners": f"PLAINTEXT://127.0.0.1:{self.port},"
                             f"CONTROLLER://127.0.0.1:{self.controller}",
                "controller.listener.names": "CONTROLLER",
                "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
                "log.dirs": self.folder / "data", "offsets.topic.replication.factor": 1,
                "transaction.state.log.replication.factor": 1,
                "transaction.state.log.min.isr": 1, "group.initial.rebalance.delay.ms": 0,
                "auto.create.topics.enable": "false"}.items()))
            subprocess.run(self._command("kafka.tools.StorageTool", "format", "-t",
                                         "bWVlc2gtdGVzdHMtMDAwMQ", "-c", settings),
                           check=True, cwd=self.folder, stdout=subprocess.DEVNULL)
        with open(self.folder / "log", "ab") as log:
            self.process = subprocess.Popen(
                self._command("kafka.Kafka", settings), cwd=self.folder, stdout=log, stderr=log,
                preexec_fn=die_with_parent)
        wait_until(self.ready, 60, f"Kafka at {self.brokers} (log: {self.folder}/log)", every=0.1)
        return self

    def _command(self, program, *arguments):
        return java("-Dkafka.logs.dir=" + str(self.folder), "-cp", f"{home()}/*", program,
                    *arguments)

    def ready(self):
        if self.process.poll() is not None:
            raise AssertionError(f"Kafka ended: {(self.folder / 'log').read_text()[-2000:]}")
        try:
            return self._admin().list_topics(timeout=2).brokers
        except KafkaException:
            return False

    def _admin(self):
        return AdminClient({"bootstrap.servers": self.brokers, "log_level": 0})

    def create_topic(self, name, partitions=3):
        admin = self._admin()  # lives until the answer is there
        admin.create_topics([NewTopic(name, partitions, 1)])[name].result(30)

    def _partitions(self, topic):
        """The ids of its partitions; nothing while one has no leader."""
        try:
            found = self._admin().list_topics(topic, timeout=5).topics[topic].partitions
        except KafkaException:  # a broker that has just started
            return None
        return found.keys() if all(one.leader >= 0 for one in found.values()) else None

    def messages(self, topic, count, accept, seconds=30):
        """The messages of all partitions that `accept` takes, as they came; fewer than `count` are
        an error."""
        consumer = Consumer({"bootstrap.servers": self.brokers, "group.id": "tests",
                             "enable.auto.commit": False, "log_level": 0})
        try:
            partitions = wait_until(lambda: self._partitions(topic), seconds, f"leaders of {topic}")
            consumer.assign([TopicPartition(topic, one, 0) for one in partitions])
            found = []

            def enough():
                found.extend(m for m in consumer.consume(1000, 0.2)
                             if m.error() is None and accept(m))
                return len(found) >= count
            wait_until(enough, seconds, f"{count} messages of {topic}", every=0)
            return found
        finally:
            consumer.close()

    def kill(self):
        self.process.kill()
        self.process.wait()

    def stop(self):
        if self.process:
            end(self.process, seconds=15)
            shutil.rmtree(self.folder / "data", ignore_errors=True)
