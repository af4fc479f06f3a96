"""`meesh demo produce`: what arrives in the topic, and what it says when it cannot."""
import json
import os
import signal
import subprocess
from collections import defaultdict
from datetime import datetime, timedelta

import pytest
from support.kafka_server import KafkaServer
from support.meesh import binary
from support.processes import wait_until


def produce(brokers, *arguments, environment=None):
    return subprocess.run([str(binary()), "demo", "produce", "--brokers", brokers,
                           *map(str, arguments)], text=True, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, timeout=120,
                          env={**os.environ, "LC_ALL": "C.UTF-8", **(environment or {})})


@pytest.fixture
def sent(kafka, request):
    """sent("--rate", 0, …) → what the program says it did, and the messages that arrived."""
    def run(*arguments, topic="produce-" + request.node.name.replace("[", "-").rstrip("]")):
        done = produce(kafka.brokers, "--topic", topic, "--json", *arguments)
        assert done.returncode == 0, done.stderr
        told = json.loads(done.stdout)
        messages = kafka.messages(topic, told["sent"], lambda message: True)
        assert len(messages) == told["sent"] == kafka.count(topic)
        return told, messages
    return run


def moment(text):
    return datetime.fromisoformat(text.replace("Z", "+00:00"))


def test_as_many_as_asked_for_each_key_in_one_partition(sent):
    told, messages = sent("--rate", 0, "--count", 3000, "--keys", 7, "--partitions", 3)
    assert (told["sent"], told["malformed"], told["late"], told["interrupted"]) == (
        3000, 0, 0, False)
    assert told["bytes"] == sum(len(one.key()) + len(one.value()) for one in messages)
    partitions = defaultdict(set)
    for one in messages:
        partitions[one.key()].add(one.partition())
    assert len(partitions) == 7 and all(len(found) == 1 for found in partitions.values())
    assert len({one.partition() for one in messages}) > 1
    assert len({json.loads(one.value())["id"] for one in messages}) == 3000


def test_the_same_seed_sends_the_same(sent):
    def values(topic, seed):
        _, messages = sent("--rate", 0, "--count", 200, "--seed", seed, "--start", "2025-01-15",
                           topic=f"produce-{topic}")
        return [(one.key(), one.value()) for one in messages]
    first = values("seed-a", 5)
    assert values("seed-b", 5) == first
    assert values("seed-c", 6) != first


def test_the_rate_says_when_they_happen(sent):
    told, messages = sent("--rate", "40/s", "--count", 21, "--start", "2025-01-15T10:00:00Z")
    begin = moment("2025-01-15T10:00:00Z")
    assert [moment(json.loads(one.value())["moment"]) for one in messages] == [
        begin + timedelta(milliseconds=25 * n) for n in range(21)]
    assert told["seconds"] >= 0.5  # the last is due half a second after the first


@pytest.mark.parametrize("kind,amount", [("sales", "montant"), ("payments", "amount")])
def test_malformed_ones_are_counted(sent, kind, amount):
    told, messages = sent("--rate", 0, "--count", 2000, "--kind", kind, "--malformed", 0.2)

    def readable(value):
        try:
            return isinstance(json.loads(value)[amount], float)
        except ValueError:  # UnicodeDecodeError is one
            return False
    unreadable = [one.value() or b"" for one in messages if not readable(one.value() or b"")]
    assert told["malformed"] == len(unreadable)
    assert 300 < len(unreadable) < 500
    assert b"" in unreadable
    assert any(b'"beaucoup"' in value for value in unreadable)
    assert any(b"\xff" in value for value in unreadable)


def test_late_ones_happened_minutes_before(sent):
    told, messages = sent("--rate", 0, "--count", 400, "--late", 0.25, "--clock-skew", "-30s")
    late = 0
    for one in messages:
        behind = one.timestamp()[1] / 1000 - moment(
            json.loads(one.value())["moment"]).timestamp()
        late += behind >= 60
        assert abs(behind) < 0.001 or 60 <= behind <= 600
    assert told["late"] == late and 50 < late < 150


def test_payments_have_users_products_and_addresses(sent):
    _, messages = sent("--rate", 0, "--count", 300, "--kind", "payments", "--keys", 12)
    assert len({one.key() for one in messages}) == 12
    users = {}
    for one in messages:
        payment = json.loads(one.value())
        assert payment["user_id"].encode() == one.key()
        assert payment["amount"] == pytest.approx(
            sum(product["price"] * product["quantity"] for product in payment["products"]))
        kept = (payment["user_name"], payment["email"], payment["card_number"],
                payment["currency"], tuple(payment["address"].values()))
        assert users.setdefault(one.key(), kept) == kept


@pytest.mark.parametrize("count,code", [([], 0), (["--count", "1000000"], 130)])
def test_ctrl_c_ends_and_tells_how_many(kafka, count, code):
    topic = f"produce-ctrl-c-{code}"
    kafka.create_topic(topic, 1)
    process = subprocess.Popen(
        [str(binary()), "demo", "produce", "--brokers", kafka.brokers, "--topic", topic, "--rate",
         "200/s", "--json", *count], stdout=subprocess.PIPE, text=True)
    try:
        wait_until(lambda: kafka.count(topic) > 20, 30, "messages")
        process.send_signal(signal.SIGINT)
        told = json.loads(process.communicate(timeout=40)[0])
    finally:
        process.kill()
    assert process.returncode == code
    assert told["interrupted"] and told["sent"] == kafka.count(topic)


def test_a_broker_that_goes_and_comes_back(kafka):
    topic = "produce-restart"
    kafka.create_topic(topic, 2)
    process = subprocess.Popen(
        [str(binary()), "demo", "produce", "--brokers", kafka.brokers, "--topic", topic, "--rate",
         "500/s", "--count", "5000", "--json"], stdout=subprocess.PIPE, text=True)
    try:
        wait_until(lambda: kafka.count(topic) > 100, 30, "messages")
        kafka.kill()
        kafka.start()
        told = json.loads(process.communicate(timeout=100)[0])
    finally:
        process.kill()
    assert process.returncode == 0 and told["sent"] == 5000
    ids = [json.loads(one.value())["id"] for one in kafka.messages(topic, 5000, lambda _: True)]
    assert len(ids) == len(set(ids)) == 5000 == kafka.count(topic)


def test_a_broker_that_is_not_there():
    done = produce("127.0.0.1:1", "--count", 1)
    assert done.returncode == 1 and done.stdout == ""
    assert "Kafka at 127.0.0.1:1, topic 'ventes-temps-reel': no broker answers" in done.stderr
    assert "Connection refused" in done.stderr


@pytest.mark.parametrize("arguments,text", [
    (["--rate", "fast"], "a rate is 10/s, 600/m or 0"), (["--malformed", "2"], "--malformed"),
    (["--clock-skew", "10"], "a time is"), (["--start", "2025-02-30"], "2025-01-15"),
    (["--kind", "orders"], "sales"), (["--property", "linger"], "name=value")])
def test_wrong_options(arguments, text):
    done = produce("127.0.0.1:1", *arguments)
    assert done.returncode == 2 and text in done.stderr


@pytest.mark.parametrize("name,text", [
    ("fetch.mni.bytes=1", "librdkafka has no property 'fetch.mni.bytes'"),
    ("linger.ms=hunter2", "librdkafka does not take this value of 'linger.ms'"),
    ("acks=1", "'acks' is not a property to be set"),
    ("plugin.library.paths=/tmp/x.so", "it loads code into this program")])
def test_properties_that_are_none(name, text):
    done = produce("127.0.0.1:1", "--property", name)
    assert done.returncode == 1 and text in done.stderr
    assert "hunter2" not in done.stderr


def ana(secure, password=KafkaServer.PASSWORD, ca="ca.crt", mechanism="PLAIN"):
    return produce(secure.sasl_brokers, "--topic", "secured", "--count", 3, "--rate", 0, "--ca",
                   secure.folder / ca, "--sasl", mechanism, "--user", secure.USER,
                   environment={"MEESH_KAFKA_PASSWORD": password})


def test_tls_with_a_clients_certificate(secure):
    before = secure.count("secured")
    done = produce(secure.tls_brokers, "--topic", "secured", "--count", 3, "--rate", 0, "--ca",
                   secure.folder / "ca.crt", "--certificate", secure.folder / "client.crt",
                   "--key", secure.folder / "client.key")
    assert done.returncode == 0, done.stderr
    assert secure.count("secured") == before + 3


def test_a_password_over_tls(secure):
    before = secure.count("secured")
    done = ana(secure)
    assert done.returncode == 0, done.stderr
    assert secure.count("secured") == before + 3


def test_scram_works_or_says_which_librdkafka_it_needs(secure):
    before = secure.count("secured")
    done = ana(secure, mechanism="SCRAM-SHA-512")
    if done.returncode == 0:
        assert secure.count("secured") == before + 3
    else:
        assert "cannot sign in to Kafka 4 with SCRAM-SHA-512, 2.6.1 can" in done.stderr


def test_a_wrong_password_is_told_and_not_shown(secure):
    done = ana(secure, password="hunter2")
    assert done.returncode == 1
    assert "authentication" in done.stderr.lower() and "hunter2" not in done.stderr


def test_an_authority_that_did_not_sign_the_brokers_certificate(secure):
    done = ana(secure, ca="other.crt")
    assert done.returncode == 1
    assert "certificate verify failed" in done.stderr
