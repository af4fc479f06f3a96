"""A Kafka broker of its own (KRaft, one node) for a test: the jars of `setup/setup.sh --for test`."""
import shutil
import subprocess
from pathlib import Path

from confluent_kafka import Consumer, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewPartitions, NewTopic

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


def make_certificates(folder):
    """ca.crt; broker.pem (key and certificate of 127.0.0.1); client.key, client.crt; and
    other.crt, an authority that has signed nothing."""
    def openssl(*arguments):
        subprocess.run(["openssl", *map(str, arguments)], check=True, cwd=folder,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    new = ("req", "-newkey", "rsa:2048", "-nodes", "-days", "30")
    for name in ("ca", "other"):
        openssl(*new, "-x509", "-keyout", f"{name}.key", "-out", f"{name}.crt", "-subj",
                f"/CN={name}")
    (folder / "names").write_text("subjectAltName=IP:127.0.0.1,DNS:localhost\n")
    for name in ("broker", "client"):
        openssl(*new, "-keyout", f"{name}.key", "-out", f"{name}.csr", "-subj", f"/CN={name}")
        openssl("x509", "-req", "-in", f"{name}.csr", "-CA", "ca.crt", "-CAkey", "ca.key",
                "-CAcreateserial", "-days", "30", "-extfile", "names", "-out", f"{name}.crt")
    (folder / "broker.pem").write_text((folder / "broker.key").read_text() +
                                       (folder / "broker.crt").read_text())


class KafkaServer:
    """Keeps its ports and its topics from one start() to the next. A secure one has two listeners
    more: TLS that asks for a client's certificate, and SASL over TLS for the user ana."""

    USER, PASSWORD = "ana", "open-sesame-1"

    def __init__(self, folder, secure=False):
        self.folder, self.secure = Path(folder), secure
        self.port, self.controller, self.tls_port, self.sasl_port = free_ports(4)
        self.process = None

    @property
    def brokers(self):
        return f"127.0.0.1:{self.port}"

    @property
    def tls_brokers(self):
        return f"127.0.0.1:{self.tls_port}"

    @property
    def sasl_brokers(self):
        return f"127.0.0.1:{self.sasl_port}"

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
                "auto.create.topics.enable": "false",
                **(self._secure_settings() if self.secure else {})}.items()))
            users = ["--add-scram", f"SCRAM-SHA-512=[name={self.USER},password={self.PASSWORD}]"]
            subprocess.run(self._command("kafka.tools.StorageTool", "format", "-t",
                                         "bWVlc2gtdGVzdHMtMDAwMQ", "-c", settings,
                                         *(users if self.secure else [])),
                           check=True, cwd=self.folder, stdout=subprocess.DEVNULL)
        with open(self.folder / "log", "ab") as log:
            self.process = subprocess.Popen(
                self._command("kafka.Kafka", settings), cwd=self.folder, stdout=log, stderr=log,
                preexec_fn=die_with_parent)
        wait_until(self.ready, 60, f"Kafka at {self.brokers} (log: {self.folder}/log)", every=0.1)
        return self

    def _secure_settings(self):
        """Listeners over TLS, with certificates of an authority that is made here."""
        make_certificates(self.folder)
        return {
            "listeners": f"PLAINTEXT://127.0.0.1:{self.port},SSL://127.0.0.1:{self.tls_port},"
                         f"SASL_SSL://127.0.0.1:{self.sasl_port},"
                         f"CONTROLLER://127.0.0.1:{self.controller}",
            "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,SSL:SSL,"
                                              "SASL_SSL:SASL_SSL",
            "inter.broker.listener.name": "PLAINTEXT",
            "ssl.keystore.type": "PEM", "ssl.keystore.location": self.folder / "broker.pem",
            "ssl.truststore.type": "PEM", "ssl.truststore.location": self.folder / "ca.crt",
            "listener.name.ssl.ssl.client.auth": "required",
            "sasl.enabled.mechanisms": "PLAIN,SCRAM-SHA-512",
            "listener.name.sasl_ssl.plain.sasl.jaas.config":
                "org.apache.kafka.common.security.plain.PlainLoginModule required "
                f'user_{self.USER}="{self.PASSWORD}";',
            "listener.name.sasl_ssl.scram-sha-512.sasl.jaas.config":
                "org.apache.kafka.common.security.scram.ScramLoginModule required;"}

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

    def add_partitions(self, topic, total):
        admin = self._admin()
        admin.create_partitions([NewPartitions(topic, total)])[topic].result(30)

    def delete_topic(self, name):
        admin = self._admin()
        admin.delete_topics([name])[name].result(30)

    def produce(self, topic, messages, **fields):
        """Values, or (key, value) pairs; `fields` as confluent_kafka's produce() has them."""
        producer = Producer({"bootstrap.servers": self.brokers, "log_level": 0})
        for message in messages:
            key, value = message if isinstance(message, tuple) else (None, message)
            producer.produce(topic, value, key, **fields)
            producer.poll(0)
        left = producer.flush(60)
        assert left == 0, f"{left} messages did not reach {topic}"

    def count(self, topic):
        """How many messages its partitions have behind them: offsets, ends of transactions too."""
        consumer = Consumer({"bootstrap.servers": self.brokers, "group.id": "tests",
                             "log_level": 0})
        try:
            partitions = wait_until(lambda: self._partitions(topic), 30, f"leaders of {topic}")
            return sum(consumer.get_watermark_offsets(TopicPartition(topic, one), 10)[1]
                       for one in partitions)
        finally:
            consumer.close()

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
