"""Events to a Kafka topic, beside a webhook: order, filters, a broker that goes and comes back, and
targets that do not answer."""
import json
from concurrent.futures import ThreadPoolExecutor

import pytest
from support import kafka_server
from support.kafka_server import KafkaServer
from support.processes import free_ports, wait_until
from support.s3 import code_of
from support.s3_server import LakeServer, lake_mesh
from support.webhook import webhook as listener

pytestmark = [pytest.mark.ours_only("MinIO names its topics in its environment"),
              pytest.mark.skipif(bool(kafka_server.why_not()), reason=str(kafka_server.why_not()))]

KAFKA = "arn:minio:sqs::events:kafka"
ABSENT = "arn:minio:sqs::absent:kafka"
HOOK = "arn:minio:sqs::tests:webhook"
TOPIC = "object-events"
HOOK_PORT = free_ports(1)[0]


@pytest.fixture(scope="module")
def kafka(work_folder):
    server = KafkaServer(work_folder / "kafka")
    try:
        server.start().create_topic(TOPIC)
        yield server
    finally:
        server.stop()


def mesh(folder, kafka):
    return lake_mesh(folder, webhooks={"tests": f"http://127.0.0.1:{HOOK_PORT}/"}, kafka={
        "events": {"brokers": kafka.brokers, "topic": TOPIC},
        "absent": {"brokers": "127.0.0.1:1", "topic": TOPIC}})


@pytest.fixture(scope="module")
def endpoint(kafka, work_folder):
    server = LakeServer(mesh(work_folder / "kafka-lake", kafka), work_folder / "kafka-lake-data")
    try:
        yield server.start().endpoint()
    finally:
        server.stop()


@pytest.fixture(scope="module")
def s3(endpoint):
    return endpoint.client()


def configure(s3, bucket, arns, prefix="", suffix="",
              events=("s3:ObjectCreated:*", "s3:ObjectRemoved:*")):
    rules = [{"Name": "prefix", "Value": prefix}, {"Name": "suffix", "Value": suffix}]
    s3.put_bucket_notification_configuration(Bucket=bucket, NotificationConfiguration={
        "QueueConfigurations": [{"Id": f"to-{n}", "QueueArn": arn, "Events": list(events),
                                 "Filter": {"Key": {"FilterRules": rules}}}
                                for n, arn in enumerate(arns)]})


def came(kafka, bucket, count, key=""):
    """[(event, key, record)] of a bucket, in the order of each key."""
    start = f"{bucket}/{key}".encode()
    found = []
    for message in kafka.messages(TOPIC, count, lambda m: m.key().startswith(start)):
        content = json.loads(message.value())
        assert message.key().decode() == content["Key"]
        found.append((content["EventName"].removeprefix("s3:"),
                      content["Key"].removeprefix(bucket + "/"), content["Records"][0]))
    return found


def test_what_fits_comes_in_order(s3, bucket, kafka):
    configure(s3, bucket, [KAFKA], "in/", ".csv")
    s3.put_object(Bucket=bucket, Key="in/a é.csv", Body=b"content")
    s3.put_object(Bucket=bucket, Key="in/a.txt", Body=b"")
    s3.put_object(Bucket=bucket, Key="out/a.csv", Body=b"")
    s3.delete_object(Bucket=bucket, Key="in/a é.csv")
    s3.put_object(Bucket=bucket, Key="in/a é.csv", Body=b"")
    found = came(kafka, bucket, 3)
    assert [(event, key) for event, key, _ in found] == [
        ("ObjectCreated:Put", "in/a é.csv"), ("ObjectRemoved:Delete", "in/a é.csv"),
        ("ObjectCreated:Put", "in/a é.csv")]
    record = found[0][2]
    assert record["s3"]["configurationId"] == "to-0"
    assert record["s3"]["bucket"]["name"] == bucket
    assert record["s3"]["object"]["size"] == 7


def test_many_of_one_key_in_order(s3, bucket, kafka):
    configure(s3, bucket, [KAFKA])
    for size in range(200):
        s3.put_object(Bucket=bucket, Key="k", Body=b"x" * size)
    found = came(kafka, bucket, 200)
    assert [record["s3"]["object"]["size"] for _, _, record in found] == list(range(200))


def test_a_broker_that_goes_and_comes_back(s3, bucket, kafka):
    with listener(HOOK_PORT) as hook:
        configure(s3, bucket, [KAFKA, HOOK])
        s3.put_object(Bucket=bucket, Key="k", Body=b"")
        came(kafka, bucket, 1)
        kafka.kill()
        try:
            for size in range(1, 50):
                s3.put_object(Bucket=bucket, Key="k", Body=b"x" * size)
            s3.delete_object(Bucket=bucket, Key="k")
            wait_until(lambda: len(hook.records) == 51, 20, "the webhook's events without a broker")
        finally:
            kafka.start()
    found = came(kafka, bucket, 51)
    assert [record["s3"]["object"].get("size") for _, _, record in found] == [*range(50), None]
    assert [event for event, _, _ in found][-1] == "ObjectRemoved:Delete"


def test_a_broker_killed_with_events_under_way(s3, bucket, kafka):
    """Each comes, in its key's order when seen first; what Kafka had taken may come again."""
    configure(s3, bucket, [KAFKA])
    keys, sizes = range(8), range(200)

    def write(key):
        for size in sizes:
            s3.put_object(Bucket=bucket, Key=f"{key}", Body=b"x" * size)

    with ThreadPoolExecutor(len(keys)) as pool:
        writing = [pool.submit(write, key) for key in keys]
        came(kafka, bucket, 40 * len(keys))
        kafka.kill()
        kafka.start()
        for one in writing:
            one.result()
    first = {f"{key}": [] for key in keys}

    def new(message):
        if not message.key().startswith(bucket.encode()):
            return False
        told = json.loads(message.value())["Records"][0]["s3"]["object"]
        sizes_so_far = first[told["key"]]
        if told["size"] in sizes_so_far:
            return False
        sizes_so_far.append(told["size"])
        return True

    kafka.messages(TOPIC, len(keys) * len(sizes), new, seconds=60)
    assert first == {f"{key}": list(sizes) for key in keys}


def test_targets_that_do_not_answer_hold_up_no_other(s3, bucket, kafka):
    """Neither a topic whose broker was never there nor a webhook that nobody listens to."""
    configure(s3, bucket, [ABSENT, HOOK, KAFKA])
    for size in range(20):
        s3.put_object(Bucket=bucket, Key="k", Body=b"x" * size)
    assert len(came(kafka, bucket, 20)) == 20


def test_what_waits_goes_out_at_the_end(folder, kafka):
    server = LakeServer(mesh(folder / "mesh", kafka), folder / "data").start()
    try:
        s3 = server.endpoint().client()
        bucket = "at-the-end"
        s3.create_bucket(Bucket=bucket)
        configure(s3, bucket, [KAFKA])
        for size in range(100):
            s3.put_object(Bucket=bucket, Key="k", Body=b"x" * size)
    finally:
        assert server.stop() == 0
    found = came(kafka, bucket, 100)
    assert [record["s3"]["object"]["size"] for _, _, record in found] == list(range(100))


def test_a_topic_nobody_named(s3, bucket):
    assert code_of(configure, s3, bucket, ["arn:minio:sqs::nothing:kafka"]) == "InvalidArgument"
    assert code_of(configure, s3, bucket, ["arn:minio:sqs::events:nats"]) == "NotImplemented"
