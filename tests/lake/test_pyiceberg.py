"""PyIceberg on the lake: what it writes through the REST catalog comes back as it was."""
import concurrent.futures
import datetime as dt
import decimal
import uuid

import pyarrow as pa
import pyarrow.compute as pc
import pytest
from pyiceberg.exceptions import (
    CommitFailedException, NamespaceNotEmptyError, NoSuchTableError, TableAlreadyExistsError)
from pyiceberg.expressions import EqualTo, GreaterThanOrEqual
from pyiceberg.partitioning import PartitionField, PartitionSpec
from pyiceberg.schema import Schema
from pyiceberg.transforms import BucketTransform, DayTransform, IdentityTransform
from pyiceberg.types import (
    LongType, NestedField, StringType, StructType, TimestampType)

UTC = dt.timezone.utc


def every_type():
    """Two rows of values, one of nulls, for every type that has a counterpart in Arrow."""
    def column(kind, *values):
        return pa.array([*values, None], kind)
    return pa.table({
        "b": column(pa.bool_(), True, False),
        "i": column(pa.int32(), -2147483648, 2147483647),
        "l": column(pa.int64(), -9223372036854775808, 9223372036854775807),
        "f": column(pa.float32(), 1.5, float("nan")),
        "d": column(pa.float64(), -0.0, float("inf")),
        "dec": column(pa.decimal128(38, 10), decimal.Decimal("-1.0000000001"),
                      decimal.Decimal("9999999999999999999999999999.9999999999")),
        "day": column(pa.date32(), dt.date(1969, 12, 31), dt.date(2025, 1, 15)),
        "t": column(pa.time64("us"), dt.time(0, 0), dt.time(23, 59, 59, 999999)),
        "ts": column(pa.timestamp("us"), dt.datetime(1969, 7, 20, 20, 17, 40, 123456),
                     dt.datetime(2025, 1, 15, 8, 30)),
        "tz": column(pa.timestamp("us", "UTC"), dt.datetime(1969, 7, 20, 20, 17, 40, tzinfo=UTC),
                     dt.datetime(2025, 1, 15, 8, 30, tzinfo=UTC)),
        "s": column(pa.string(), "", "Zoë 東京 🚀"),
        "u": column(pa.uuid(), uuid.UUID(int=0).bytes,
                    uuid.UUID("f47ac10b-58cc-4372-a567-0e02b2c3d479").bytes),
        "x": column(pa.binary(4), b"\0\1\2\3", b"\xff\xfe\xfd\xfc"),
        "bin": column(pa.binary(), b"", b"\0\xff"),
        "st": column(pa.struct([("a", pa.int32()), ("b", pa.string())]), {"a": 1, "b": None},
                     {"a": None, "b": "x"}),
        "li": column(pa.list_(pa.string()), [], ["a", None]),
        "ma": column(pa.map_(pa.string(), pa.int64()), [], [("k", 1), ("l", None)]),
    })


def rows(table, order="l"):
    """Rows as comparable values, in order."""
    found = table.sort_by([(order, "ascending")]).to_pylist() if order else table.to_pylist()
    return [repr(row) for row in found]


def test_every_type_comes_back(catalog, space):
    data = every_type()
    table = catalog.create_table((space, "types"), data.schema)
    table.append(data)
    assert rows(catalog.load_table((space, "types")).scan().to_arrow().select(data.column_names)) \
        == rows(data)


def test_partitions_prune(catalog, space):
    schema = Schema(NestedField(1, "at", TimestampType()), NestedField(2, "country", StringType()),
                    NestedField(3, "n", LongType()))
    spec = PartitionSpec(PartitionField(1, 1000, DayTransform(), "at_day"),
                         PartitionField(2, 1001, IdentityTransform(), "country"),
                         PartitionField(3, 1002, BucketTransform(4), "n_bucket"))
    table = catalog.create_table((space, "events"), schema, partition_spec=spec)
    data = pa.table({"at": [dt.datetime(2025, 1, 1 + n % 3, n % 24) for n in range(60)],
                     "country": [("de", "fr/é", None)[n % 3] for n in range(60)],
                     "n": list(range(60))},
                    schema=pa.schema([("at", pa.timestamp("us")), ("country", pa.string()),
                                      ("n", pa.int64())]))
    table.append(data)
    everything = len(list(table.scan().plan_files()))
    chosen = table.scan(row_filter=EqualTo("country", "fr/é"))
    assert 0 < len(list(chosen.plan_files())) < everything
    assert chosen.to_arrow().num_rows == 20
    assert table.scan(row_filter=GreaterThanOrEqual("at", "2025-01-03T00:00:00")) \
        .to_arrow().num_rows == 20


def test_overwrite_delete_upsert(catalog, space):
    data = pa.table({"id": pa.array(range(100), pa.int64()),
                     "name": [f"n{n}" for n in range(100)]})
    table = catalog.create_table((space, "t"), data.schema)
    table.append(data)
    table.delete("id >= 90")
    assert table.scan().to_arrow().num_rows == 90
    table.overwrite(pa.table({"id": pa.array([1], pa.int64()), "name": ["one"]}),
                    overwrite_filter="id < 10")
    found = table.scan(row_filter="id < 10").to_arrow().to_pylist()
    assert found == [{"id": 1, "name": "one"}]
    table.upsert(pa.table({"id": pa.array([1, 1000], pa.int64()), "name": ["eins", "neu"]}),
                 join_cols=["id"])
    assert sorted(table.scan(row_filter="id < 10 or id >= 1000").to_arrow()["name"].to_pylist()) \
        == ["eins", "neu"]


def test_evolution(catalog, space):
    data = pa.table({"id": pa.array([1, 2], pa.int32()), "old": ["a", "b"]})
    table = catalog.create_table((space, "t"), data.schema)
    table.append(data)
    with table.update_schema() as change:
        change.rename_column("old", "new")
        change.update_column("id", LongType())
        change.add_column("added", StructType(NestedField(100, "x", LongType())))
    with table.update_spec() as change:
        change.add_field("id", BucketTransform(2), "id_bucket")
    table.append(pa.table({"id": pa.array([3], pa.int64()), "new": ["c"],
                           "added": pa.array([{"x": 5}], pa.struct([("x", pa.int64())]))}))
    found = catalog.load_table((space, "t")).scan().to_arrow().sort_by("id").to_pylist()
    assert found == [{"id": 1, "new": "a", "added": None}, {"id": 2, "new": "b", "added": None},
                     {"id": 3, "new": "c", "added": {"x": 5}}]
    assert len(table.metadata.schemas) >= 2 and len(table.metadata.partition_specs) == 2


def test_time_travel_branches_tags(catalog, space):
    data = pa.table({"n": pa.array([1], pa.int64())})
    table = catalog.create_table((space, "t"), data.schema)
    table.append(data)
    first = table.current_snapshot().snapshot_id
    table.manage_snapshots().create_tag(first, "v1").commit()
    table.manage_snapshots().create_branch(first, "audit").commit()
    table.append(data)
    assert table.scan(snapshot_id=first).to_arrow().num_rows == 1
    assert table.scan().use_ref("v1").to_arrow().num_rows == 1
    table.append(data, branch="audit")
    assert table.scan().use_ref("audit").to_arrow().num_rows == 2
    assert table.scan().to_arrow().num_rows == 2
    table.manage_snapshots().remove_tag("v1").commit()
    assert "v1" not in catalog.load_table((space, "t")).metadata.refs


def test_errors_are_the_clients_own(catalog, space):
    schema = Schema(NestedField(1, "n", LongType()))
    catalog.create_table((space, "t"), schema)
    with pytest.raises(TableAlreadyExistsError):
        catalog.create_table((space, "t"), schema)
    with pytest.raises(NoSuchTableError):
        catalog.load_table((space, "none"))
    with pytest.raises(NamespaceNotEmptyError):
        catalog.drop_namespace(space)
    assert catalog.table_exists((space, "t")) and not catalog.table_exists((space, "none"))
    assert catalog.list_tables(space) == [(space, "t")]
    catalog.rename_table((space, "t"), (space, "u"))
    assert catalog.list_tables(space) == [(space, "u")]


def test_create_table_transaction(catalog, space):
    data = pa.table({"n": pa.array([1, 2, 3], pa.int64())})
    with catalog.create_table_transaction((space, "t"), data.schema) as transaction:
        transaction.append(data)
        assert not catalog.table_exists((space, "t"))
    assert catalog.load_table((space, "t")).scan().to_arrow().num_rows == 3


def test_writers_at_once_lose_no_row(catalog, space):
    """Each writer appends until its commit is taken: every row is there once."""
    data = pa.schema([("writer", pa.int64()), ("n", pa.int64())])
    catalog.create_table((space, "t"), data)

    def write(writer):
        for n in range(4):
            one = pa.table({"writer": [writer], "n": [n]}, schema=data)
            while True:
                try:
                    catalog.load_table((space, "t")).append(one)
                    break
                except CommitFailedException:
                    continue
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        list(pool.map(write, range(4)))
    found = catalog.load_table((space, "t")).scan().to_arrow()
    assert sorted(zip(found["writer"].to_pylist(), found["n"].to_pylist())) == [
        (writer, n) for writer in range(4) for n in range(4)]
    assert pc.count(found["n"]).as_py() == 16
