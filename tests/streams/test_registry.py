"""Messages whose schemas are in a registry: a real one, and what Confluent's own serializers put
there and into the topic."""
import uuid
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal

import pytest
from confluent_kafka import Producer
from confluent_kafka.schema_registry import Schema, SchemaRegistryClient
from confluent_kafka.schema_registry.avro import AvroSerializer
from confluent_kafka.schema_registry.protobuf import ProtobufSerializer
from confluent_kafka.serialization import MessageField, SerializationContext
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory, timestamp_pb2

from support import schema_registry
from support.schema_registry import Detour, SchemaRegistryServer
from support.streams import StreamMesh, source

NOON = datetime(2026, 1, 1, 12, tzinfo=timezone.utc)

SALE = """{"type": "record", "name": "Sale", "namespace": "shop", "fields": [
  {"name": "id", "type": "int"},
  {"name": "Country", "type": ["null", "string"], "default": null},
  {"name": "amount", "type": {"type": "bytes", "logicalType": "decimal", "precision": 12,
                              "scale": 2}},
  {"name": "at", "type": {"type": "long", "logicalType": "timestamp-millis"}},
  {"name": "day", "type": {"type": "int", "logicalType": "date"}},
  {"name": "kind", "type": {"type": "enum", "name": "Kind", "symbols": ["CARD", "CASH"]}},
  {"name": "key", "type": {"type": "string", "logicalType": "uuid"}},
  {"name": "tags", "type": {"type": "array", "items": "string"}},
  {"name": "customer", "type": ["null", {"type": "record", "name": "Customer", "fields": [
     {"name": "name", "type": "string"}, {"name": "points", "type": {"type": "map",
                                                                   "values": "long"}}]}]}]}"""
# The id is wider now, a field is gone, another has come.
LATER_SALE = SALE.replace('"type": "int"}', '"type": "long"}', 1).replace(
    '{"name": "kind", "type": {"type": "enum", "name": "Kind", "symbols": ["CARD", "CASH"]}},',
    '{"name": "shop", "type": "string", "default": "online"},')


def sale(n, **more):
    return {"id": n, "Country": [None, "France", "Italie"][n % 3],
            "amount": Decimal(n % 100_000 * 101 - 500).scaleb(-2),
            "at": NOON + timedelta(milliseconds=n), "day": date(2026, 1, 1 + n % 28),
            "kind": ["CARD", "CASH"][n % 2], "key": uuid.UUID(int=n), "tags": ["é"] * (n % 3),
            "customer": None if n % 4 == 0 else {"name": f"\"{n}\"", "points": {"p": n}}, **more}


@pytest.fixture(scope="module")
def registry(work_folder):
    if why_not := schema_registry.why_not():
        pytest.skip(why_not)
    server = SchemaRegistryServer(work_folder / "registry")
    try:
        yield server.start()
    finally:
        server.stop()


@pytest.fixture
def client(registry):
    return SchemaRegistryClient({"url": registry.url})


@pytest.fixture
def topic(kafka):
    name = f"r-{uuid.uuid4().hex[:8]}"
    kafka.create_topic(name, 1)
    return name


@pytest.fixture
def mesh(tmp_path):
    made = StreamMesh(tmp_path)
    yield made
    made.stop()


def put(kafka, topic, values, serializer=None):
    producer = Producer({"bootstrap.servers": kafka.brokers, "log_level": 0})
    context = SerializationContext(topic, MessageField.VALUE)
    for value in values:
        producer.produce(topic, serializer(value, context) if serializer else value)
    assert producer.flush(30) == 0


def of_registry(kafka, topic, registry, form, columns=None, **more):
    made = source(kafka, topic, columns, format=form, registry={"url": registry.url}, **more)
    if columns is None:
        del made["columns"]
    return made


AVRO_COLUMNS = {"id": "bigint", "country": "varchar", "amount": "decimal(12,2)",
                "at": "timestamp(3)", "day": "date", "kind": "varchar", "key": "varchar",
                "tags": "array(varchar)",
                "name": {"type": "varchar", "path": ["customer", "name"]}}


def row_of(one):
    customer = one["customer"]
    return (one["id"], one["Country"], one["amount"], one["at"].replace(tzinfo=None), one["day"],
            one.get("kind"), str(one["key"]), one["tags"], customer and customer["name"])


def test_avro_of_two_versions(kafka, topic, mesh, registry, client):
    mesh.stream("sales", {"s": of_registry(kafka, topic, registry, "avro", AVRO_COLUMNS)},
                "SELECT id, country, amount, at, day, kind, key, tags, name FROM s",
                [{"lake": "lake.bronze.sales"}])
    mesh.start()
    first = [sale(n) for n in range(500)]
    put(kafka, topic, first, AvroSerializer(client, SALE))
    mesh.until_read("sales", 500)
    client.set_compatibility(f"{topic}-value", "NONE")
    later = [sale(n + (1 << 40), shop="Lyon") for n in range(500)]
    for one in later:
        del one["kind"]
    put(kafka, topic, later, AvroSerializer(client, LATER_SALE))
    mesh.until_read("sales", 1000)
    assert mesh.rows("SELECT * FROM lake.bronze.sales ORDER BY id") == \
        [row_of(one) for one in first + later]
    assert mesh.status("sales")["malformed"] == 0


def test_columns_that_the_schema_gives(kafka, topic, mesh, registry, client):
    put(kafka, topic, [sale(n) for n in range(10)], AvroSerializer(client, SALE))
    mesh.stream("sales", {"s": of_registry(kafka, topic, registry, "avro")},
                "SELECT id, country, amount, at, day, kind, tags, customer.name AS name, "
                "customer.points['p'] AS points FROM s", [{"lake": "lake.bronze.sales"}])
    mesh.start()
    mesh.until_read("sales", 10)
    expected = []
    for n in range(10):
        row = row_of(sale(n))
        expected.append((*row[:6], *row[7:], n if n % 4 else None))
    assert mesh.rows("SELECT * FROM lake.bronze.sales ORDER BY id") == expected


def protobuf_messages():
    """shop.Order with a message inside, and shop.Other behind it in the same file."""
    file = descriptor_pb2.FileDescriptorProto(name="order.proto", package="shop", syntax="proto3",
                                              dependency=["google/protobuf/timestamp.proto"])
    field = descriptor_pb2.FieldDescriptorProto
    order = file.message_type.add(name="Order")
    line = order.nested_type.add(name="Line")
    line.field.add(name="product", number=1, type=field.TYPE_STRING, label=field.LABEL_OPTIONAL)
    line.field.add(name="quantity", number=2, type=field.TYPE_INT32, label=field.LABEL_OPTIONAL)
    for name, number, kind, label, type_name in (
            ("id", 1, field.TYPE_INT64, field.LABEL_OPTIONAL, None),
            ("created_at", 2, field.TYPE_MESSAGE, field.LABEL_OPTIONAL,
             ".google.protobuf.Timestamp"),
            ("lines", 3, field.TYPE_MESSAGE, field.LABEL_REPEATED, ".shop.Order.Line"),
            ("rate", 4, field.TYPE_DOUBLE, field.LABEL_OPTIONAL, None)):
        order.field.add(name=name, number=number, type=kind, label=label, type_name=type_name)
    other = file.message_type.add(name="Other")
    other.field.add(name="id", number=1, type=field.TYPE_INT64, label=field.LABEL_OPTIONAL)
    pool = descriptor_pool.DescriptorPool()
    pool.AddSerializedFile(timestamp_pb2.DESCRIPTOR.serialized_pb)
    pool.Add(file)
    made = message_factory.GetMessageClassesForFiles(["order.proto"], pool)
    return made["shop.Order"], made["shop.Other"]


ORDER_PROTO = """syntax = "proto3";
package shop;
import "google/protobuf/timestamp.proto";
message Order {
  message Line { string product = 1; int32 quantity = 2; }
  int64 id = 1;
  google.protobuf.Timestamp created_at = 2;
  repeated Line lines = 3;
  double rate = 4;
}
message Other { int64 id = 1; }
"""


@pytest.mark.parametrize("registered_by", ["serializer", "text"])
def test_protobuf(kafka, topic, mesh, registry, client, registered_by):
    """Python's serializer registers a descriptor; others register the .proto."""
    Order, Other = protobuf_messages()
    if registered_by == "serializer":
        options = {"use.deprecated.format": False, "skip.known.types": True}
        of_order, of_other = (ProtobufSerializer(one, client, options) for one in (Order, Other))
    else:
        number = client.register_schema(f"{topic}-value", Schema(ORDER_PROTO, "PROTOBUF"))
        of_order, of_other = (
            lambda message, _, which=which:
            b"\0" + number.to_bytes(4, "big") + which + message.SerializeToString()
            for which in (b"\0", b"\2\2"))
    mesh.stream("orders", {"o": of_registry(
        kafka, topic, registry, "protobuf",
        {"id": "bigint", "created_at": "timestamp(6)", "rate": "double",
         "lines": "array(row(product varchar, quantity integer))"}, message="shop.Order")},
        "SELECT o.id, o.created_at, o.rate, l.product, l.quantity FROM o "
        "CROSS JOIN UNNEST(o.lines) AS l(product, quantity)",
        [{"lake": "lake.bronze.lines"}], dead_letter="lake.bronze.bad")
    mesh.start()
    orders = []
    for n in range(200):
        order = Order(id=n, rate=n / 7)
        order.created_at.FromDatetime(NOON.replace(tzinfo=None) + timedelta(microseconds=n))
        for k in range(n % 3):
            order.lines.add(product=f"p{k}", quantity=k)
        orders.append(order)
    put(kafka, topic, orders, of_order)
    put(kafka, topic, [Other(id=1)], of_other)
    mesh.until_read("orders", 201)
    assert mesh.rows("SELECT * FROM lake.bronze.lines ORDER BY id, product") == \
        [(n, NOON.replace(tzinfo=None) + timedelta(microseconds=n), n / 7, f"p{k}", k)
         for n in range(200) for k in range(n % 3)]
    [(why,)] = mesh.rows("SELECT _error FROM lake.bronze.bad")
    assert why == "expected a message shop.Order, found shop.Other"


def test_messages_of_no_schema(kafka, topic, mesh, registry, client):
    mesh.stream("sales", {"s": of_registry(kafka, topic, registry, "avro", AVRO_COLUMNS)},
                "SELECT id FROM s", [{"lake": "lake.bronze.ids"}], dead_letter="lake.bronze.bad")
    mesh.start()
    good = AvroSerializer(client, SALE)(sale(3), SerializationContext(topic, MessageField.VALUE))
    put(kafka, topic, [b"{}", b"\0\x7f\xff\xff\xffabc", good[:-3], good + b"x", good])
    mesh.until_read("sales", 5)
    assert mesh.rows("SELECT id FROM lake.bronze.ids") == [(3,)]
    found = [row[0] for row in mesh.rows("SELECT _error FROM lake.bronze.bad ORDER BY _offset")]
    assert found[0].startswith("not Avro of a registry") and \
        found[1] == "the registry has no schema 2147483647" and \
        all(one.startswith("not Avro of its schema") for one in found[2:]), found


def test_a_registry_that_is_away_loses_nothing(kafka, topic, mesh, registry, client):
    put(kafka, topic, [sale(n) for n in range(50)], AvroSerializer(client, SALE))
    detour = Detour(registry)
    mesh.stream("sales", {"s": of_registry(kafka, topic, detour, "avro", AVRO_COLUMNS)},
                "SELECT id FROM s", [{"lake": "lake.bronze.ids"}], dead_letter="lake.bronze.bad")
    mesh.start()
    status = mesh.until(lambda: next((s for s in [mesh.status("sales")] if s.get("error")), None),
                        "the stream to say that the registry is away")
    assert detour.url in status["error"] and status["state"] == "FAILED"
    detour.open()
    try:
        mesh.until(lambda: mesh.status("sales")["messages"] >= 50, "the messages to be read", 90)
    finally:
        detour.close()
    assert mesh.rows("SELECT count(*), sum(id) FROM lake.bronze.ids") == [(50, sum(range(50)))]
    assert mesh.status("sales")["malformed"] == 0
