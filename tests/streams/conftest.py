"""One Kafka broker for all tests of this folder; each makes topics of its own."""
import pytest
from support import kafka_server
from support.kafka_server import KafkaServer


@pytest.fixture(scope="session")
def kafka(work_folder):
    if why_not := kafka_server.why_not():
        pytest.skip(why_not)
    server = KafkaServer(work_folder / "streams-kafka")
    try:
        yield server.start()
    finally:
        server.stop()


@pytest.fixture(scope="session")
def secure(work_folder, kafka):  # `kafka` for its reason to skip
    server = KafkaServer(work_folder / "secure-kafka", secure=True)
    try:
        server.start().create_topic("secured", 1)
        yield server
    finally:
        server.stop()
