"""ANALYZE and SHOW STATS, with Trino's answers; statistics files that Iceberg's other engines read
and those that they write. DataSketches' own library is the judge of the sketches in them."""
import json
import struct
import uuid

import datasketches
import pytest
import trino
import zstandard
from pyiceberg.table.statistics import BlobMetadata, StatisticsFile
from support.iceberg_files import check_files
from trino.exceptions import TrinoQueryError

THETA = "apache-datasketches-theta-v1"


@pytest.fixture
def stats(sql):
    """stats(table) → {column: (data size, distinct values, part of NULLs, rows, low, high)}."""
    def run(table):
        return {row[0]: row[1:] for row in sql(f"SHOW STATS FOR {table}")}
    return run


def objects(lake):
    return lake.endpoint().client()


def place(path):
    bucket, key = path.removeprefix("s3://").split("/", 1)
    return {"Bucket": bucket, "Key": key}


def read_puffin(data):
    """[(metadata, bytes)] of a Puffin file, by the spec."""
    assert data[:4] == data[-4:] == b"PFA1"
    length, flags = struct.unpack("<II", data[-12:-4])
    assert flags == 0
    footer = len(data) - 12 - length
    assert data[footer - 4:footer] == b"PFA1"
    found = []
    for blob in json.loads(data[footer:footer + length])["blobs"]:
        part = data[blob["offset"]:blob["offset"] + blob["length"]]
        codec = blob.get("compression-codec")
        found.append((blob, zstandard.decompress(part) if codec == "zstd" else part))
    return found


def puffin_of(blobs):
    """(file, length of its footer) of [(fields, properties, bytes)]."""
    data, described = b"PFA1", []
    for fields, properties, part in blobs:
        described.append({"type": THETA, "fields": fields, "snapshot-id": 1, "sequence-number": 1,
                          "offset": len(data), "length": len(part), "properties": properties})
        data += part
    text = json.dumps({"blobs": described}).encode()
    footer = b"PFA1" + text + struct.pack("<II", len(text), 0) + b"PFA1"
    return data + footer, len(footer)


def sketches(lake, table):
    """{field id: the sketch's bytes} of the newest statistics file."""
    file = table.metadata.statistics[-1]
    data = objects(lake).get_object(**place(file.statistics_path))["Body"].read()
    assert len(data) == file.file_size_in_bytes
    blobs = read_puffin(data)
    assert [blob["fields"] for blob, _ in blobs] == [blob.fields for blob in file.blob_metadata]
    assert [blob["properties"] for blob, _ in blobs] == [
        blob.properties for blob in file.blob_metadata]
    assert {blob["type"] for blob, _ in blobs} == {THETA}
    return {blob["fields"][0]: part for blob, part in blobs}


TYPES = """
    SELECT x AS id, x % 7 = 0 AS flag, CAST(x % 100 AS integer) AS small, CAST(x % 10 + 1 AS real) AS r,
      x / 4e0 AS d, CAST(x % 50 AS decimal(9, 2)) / 4 AS price,
      CAST(x % 20 AS decimal(38, 3)) AS wide, DATE '2025-01-01' + x % 30 * INTERVAL '1' DAY AS day,
      CAST(TIMESTAMP '2025-01-15 08:30:00.123456' + x % 5 * INTERVAL '1' HOUR AS timestamp(6))
        AS at,
      CAST(TIMESTAMP '2025-01-15 08:30:00.123456 UTC' AS timestamp(6) with time zone) AS zoned,
      IF(x % 4 = 0, NULL, 'n' || CAST(x % 12 AS varchar)) AS name,
      to_utf8('b' || CAST(x % 3 AS varchar)) AS raw, CAST(NULL AS bigint) AS nothing,
      ARRAY[x] AS tags, CAST(ROW(x) AS row(x bigint)) AS place
    FROM UNNEST(sequence(1, 1000)) AS s(x)"""


def test_what_is_known_of_a_table(sql, stats, catalog, space):
    sql(f"CREATE TABLE {space}.t AS {TYPES}")
    known = stats(f"{space}.t")
    assert known[None] == (None, None, None, 1000, None, None)
    assert all(row[1] is None for row in known.values())  # nobody has counted values yet
    sql(f"ANALYZE {space}.t")
    known = stats(f"{space}.t")
    assert {name: row[1] for name, row in known.items()} == {
        "id": 1000, "flag": 2, "small": 100, "r": 10, "d": 1000, "price": 50, "wide": 20,
        "day": 30, "at": 5, "zoned": 1, "name": 9, "raw": 3, "nothing": 0, "tags": None,
        "place": None, None: None}
    assert {name: row[2] for name, row in known.items() if row[2]} == {"name": 0.25, "nothing": 1}
    assert {name: row[4:] for name, row in known.items() if row[4] is not None} == {
        "id": ("1", "1000"), "flag": ("false", "true"), "small": ("0", "99"), "r": ("1.0", "10.0"),
        "d": ("0.25", "250.0"), "price": ("0.0", "12.25"), "wide": ("0.0", "19.0"),
        "day": ("2025-01-01", "2025-01-30"),
        "at": ("2025-01-15 08:30:00.123456", "2025-01-15 12:30:00.123456"),
        "zoned": ("2025-01-15 08:30:00.123 UTC", "2025-01-15 08:30:00.123 UTC")}
    sizes = {name for name, row in known.items() if row[0] is not None}
    assert sizes == {"name", "raw", "nothing"}
    table = catalog.load_table((space, "t"))
    [file] = table.metadata.statistics
    assert file.snapshot_id == table.current_snapshot().snapshot_id
    assert {table.schema().find_column_name(blob.fields[0]): blob.properties["ndv"]
            for blob in file.blob_metadata}["small"] == "100"
    assert len(file.blob_metadata) == 13


def test_rows_come_and_go(sql, stats, catalog, space):
    sql(f"CREATE TABLE {space}.t AS SELECT x AS id, 'same' AS name FROM UNNEST(sequence(1, 100)) "
        "AS s(x)")
    sql(f"ANALYZE {space}.t")
    sql(f"INSERT INTO {space}.t SELECT x, 'other' FROM UNNEST(sequence(101, 300)) AS s(x)")
    known = stats(f"{space}.t")
    assert (known["id"][1], known["id"][4:], known[None][3]) == (100, ("1", "300"), 300)
    sql(f"ANALYZE {space}.t WITH (columns = ARRAY['id'])")
    known = stats(f"{space}.t")
    assert (known["id"][1], known["name"][1]) == (300, 1)  # the other column keeps what it has
    sql(f"ANALYZE {space}.t")
    assert stats(f"{space}.t")["name"][1] == 2
    assert len(catalog.load_table((space, "t")).metadata.statistics) == 2
    sql(f"ALTER TABLE {space}.t EXECUTE drop_extended_stats")
    assert stats(f"{space}.t")["id"] == (None, None, 0, None, "1", "300")
    assert catalog.load_table((space, "t")).metadata.statistics == []
    with pytest.raises(TrinoQueryError, match="Too many arguments"):
        sql(f"ALTER TABLE {space}.t EXECUTE drop_extended_stats('x')")


def test_a_table_without_rows(sql, stats, catalog, space):
    sql(f"CREATE TABLE {space}.t (id bigint, name varchar)")
    empty = {"id": (0, 0, 1, None, None, None), "name": (0, 0, 1, None, None, None),
             None: (None, None, None, 0, None, None)}
    assert stats(f"{space}.t") == empty
    sql(f"ANALYZE {space}.t")
    assert stats(f"{space}.t") == empty
    sql(f"INSERT INTO {space}.t VALUES (NULL, '')")
    sql(f"ANALYZE {space}.t")
    known = stats(f"{space}.t")
    assert known["id"] == (0, 0, 1, None, None, None)
    sql(f"DELETE FROM {space}.t")
    sql(f"ANALYZE {space}.t")
    assert stats(f"{space}.t")[None] == (None, None, None, 0, None, None)


def test_what_cannot_be_analyzed(sql, space):
    sql(f"CREATE TABLE {space}.t AS SELECT 1 AS id, ARRAY[1] AS tags")
    sql(f"CREATE VIEW {space}.v AS SELECT 1 AS id")

    def fails(text, name, message):
        with pytest.raises(TrinoQueryError) as caught:
            sql(text)
        assert caught.value.error_name == name
        assert message in caught.value.message
    for given, message in [
            ("columns = NULL",
             "Invalid null value for catalog 'lake' analyze property 'columns' from [null]"),
            ("columns = ARRAY[]", "Cannot specify empty list of columns for analysis"),
            ("columns = ARRAY['id', 'blah', 'tags']",
             "Invalid columns specified for analysis: [blah, tags]"),
            ("columns = ARRAY['ID']", "Invalid columns specified for analysis: [ID]"),
            ("columns = ARRAY['id', NULL]", "Unable to set catalog 'lake' analyze property"),
            ("columns = 'id'", "Unable to set catalog 'lake' analyze property"),
            ("partitions = ARRAY['id']",
             "Catalog 'lake' analyze property 'partitions' does not exist")]:
        fails(f"ANALYZE {space}.t WITH ({given})", "INVALID_ANALYZE_PROPERTY", message)
    fails(f"ANALYZE {space}.v", "NOT_SUPPORTED", "Analyzing views is not supported")
    for table in (f'{space}."t$files"', "system.runtime.nodes"):
        fails(f"ANALYZE {table}", "NOT_SUPPORTED", "This connector does not support analyze")
    fails(f"ANALYZE {space}.missing", "TABLE_NOT_FOUND", "missing")


@pytest.mark.parametrize("count", [1, 5000, 50_000])
def test_sketches_are_those_of_datasketches(sql, lake, catalog, space, count):
    sql(f"""CREATE TABLE {space}.t AS SELECT x AS id, x * 0.5e0 AS half, 'n' || CAST(x AS varchar)
              AS name, TIMESTAMP '1970-01-01 00:00:00.000000' + x * INTERVAL '1' SECOND AS at,
              'same' AS same
            FROM (SELECT a * 100 + b AS x FROM UNNEST(sequence(0, {max(count // 100 - 1, 0)})) AS
                  s(a) CROSS JOIN UNNEST(sequence(1, {min(count, 100)})) AS t(b))""")
    sql(f"ANALYZE {space}.t")
    table = catalog.load_table((space, "t"))
    found = sketches(lake, table)
    numbers = range(1, count + 1)
    values = {"id": numbers, "half": [n * 0.5 for n in numbers],
              "name": [f"n{n}" for n in numbers], "at": [n * 1_000_000 for n in numbers],
              "same": ["same"]}
    for column, all_values in values.items():
        theirs = datasketches.update_theta_sketch(17)  # so large that it keeps every hash
        for value in all_values:
            theirs.update(value)
        hashes = sorted(theirs.compact())
        field = table.schema().find_field(column).field_id
        ours = datasketches.compact_theta_sketch.deserialize(found[field])
        kept = len(hashes) if len(hashes) <= 8192 else 4096
        assert ours.is_ordered()
        assert list(ours) == hashes[:kept]
        assert ours.theta64 == (hashes[kept] if kept < len(hashes) else 2**63 - 1)
        [blob] = [blob for blob in table.metadata.statistics[0].blob_metadata
                  if blob.fields == [field]]
        assert int(blob.properties["ndv"]) == int(ours.get_estimate())
        # A union of theirs takes it for one of its own.
        union = datasketches.theta_union(12)
        union.update(ours)
        union.update(theirs.compact())
        assert union.get_result().get_estimate() == pytest.approx(len(all_values), rel=0.1)


def test_short_numbers_are_hashed_as_iceberg_stores_them(sql, lake, catalog, space):
    """An integer has four bytes; a decimal has as few as it needs, the highest first."""
    sql(f"""CREATE TABLE {space}.t AS SELECT 1684234849 AS n, CAST(65.13 AS decimal(9, 2)) AS price,
              UUID '61626364-6566-4768-696a-6b6c6d6e6f70' AS u, X'616263' AS raw,
              CAST(2.3694278E-38 AS real) AS r""")
    sql(f"ANALYZE {space}.t")
    table = catalog.load_table((space, "t"))
    found = sketches(lake, table)

    def hashes(column):
        field = table.schema().find_field(column).field_id
        return list(datasketches.compact_theta_sketch.deserialize(found[field]))

    def hash_of(text):
        sketch = datasketches.update_theta_sketch(12)
        sketch.update(text)
        return list(sketch.compact())
    assert hashes("n") == hash_of("abcd")  # 0x64636261
    assert hashes("price") == hash_of("\x19q")  # 6513 = 0x1971
    assert hashes("u") == hash_of("abcdefGhijklmnop")
    assert hashes("raw") == hash_of("abc")
    assert hashes("r") == hash_of(struct.pack("<f", 2.3694278e-38).decode())


def test_sketches_of_others_are_read(sql, stats, lake, catalog, space):
    sql(f"""CREATE TABLE {space}.t AS SELECT x AS id, x AS a, x AS b, x AS c FROM (
              SELECT a * 1000 + b AS x FROM UNNEST(sequence(0, 99)) AS s(a)
              CROSS JOIN UNNEST(sequence(1, 1000)) AS t(b))""")
    table = catalog.load_table((space, "t"))
    sketch = datasketches.update_theta_sketch(12)
    for value in range(60_000):
        sketch.update(value)
    blobs = [([1], {}, sketch.compact(True).serialize()),
             ([2], {}, sketch.compact(False).serialize()),
             ([3], {"ndv": "77"}, b"not looked at"), ([3, 4], {"ndv": "9"}, b"of pairs")]
    data, footer = puffin_of(blobs)
    path = f"{table.location()}/metadata/{uuid.uuid4()}.stats"
    objects(lake).put_object(**place(path), Body=data)
    snapshot = table.current_snapshot()
    with table.update_statistics() as update:
        update.set_statistics(StatisticsFile(**{
            "snapshot-id": snapshot.snapshot_id, "statistics-path": path,
            "file-size-in-bytes": len(data), "file-footer-size-in-bytes": footer,
            "blob-metadata": [BlobMetadata(**{
                "type": THETA, "snapshot-id": snapshot.snapshot_id, "sequence-number": 1,
                "fields": fields, "properties": properties})
                for fields, properties, _ in blobs]}))
    known = stats(f"{space}.t")
    told = int(sketch.compact().get_estimate())
    assert [known[column][1] for column in ("id", "a", "b", "c")] == [told, told, 77, None]
    # What is not a sketch of the column stays when the table is analyzed here.
    sql(f"ANALYZE {space}.t WITH (columns = ARRAY['a'])")
    [file] = catalog.load_table((space, "t")).metadata.statistics
    assert sorted(blob.fields for blob in file.blob_metadata) == [[1], [2], [3], [3, 4]]
    known = stats(f"{space}.t")
    assert [known[column][1] for column in ("id", "b")] == [told, 77]
    assert known["a"][1] == pytest.approx(100_000, rel=0.1)
    with catalog.load_table((space, "t")).update_statistics() as update:
        update.remove_statistics(snapshot.snapshot_id)
    assert stats(f"{space}.t")["b"][1] is None


def test_statistics_leave_with_their_snapshot(sql, stats, lake, catalog, space):
    sql(f"CREATE TABLE {space}.t AS SELECT 1 AS id")
    sql(f"ANALYZE {space}.t")
    sql(f"INSERT INTO {space}.t VALUES (2)")
    sql(f"ANALYZE {space}.t")
    first, second = catalog.load_table((space, "t")).metadata.statistics
    sql(f"ALTER TABLE {space}.t EXECUTE expire_snapshots(retention_threshold => '0s')")
    table = catalog.load_table((space, "t"))
    assert [file.statistics_path for file in table.metadata.statistics] == [second.statistics_path]
    assert check_files(lake, table) == set()
    assert stats(f"{space}.t")["id"][1] == 2


# ---------------------------------------------------------------- Trino and Spark themselves

@pytest.mark.full
@pytest.mark.timeout(600)
def test_trino_tells_the_same(sql, trino_sql, catalog, space):
    show = f"SHOW STATS FOR {space}."
    sql(f"CREATE TABLE {space}.ours WITH (partitioning = ARRAY['day', 'flag']) AS {TYPES}")
    assert trino_sql(show + "ours") == sql(show + "ours")
    sql(f"ANALYZE {space}.ours")
    assert {row[0]: row[2] for row in trino_sql(show + "ours")}["small"] == 100
    assert trino_sql(show + "ours") == sql(show + "ours")
    sql(f"INSERT INTO {space}.ours (id, name) VALUES (1001, NULL), (NULL, 'x')")
    assert trino_sql(show + "ours") == sql(show + "ours")
    trino_sql(f"CREATE TABLE {space}.theirs AS {TYPES}")
    trino_sql(f"ANALYZE {space}.theirs")
    assert {row[0]: row[2] for row in sql(show + "theirs")}["small"] == 100
    assert sql(show + "theirs") == trino_sql(show + "theirs")
    # Each goes on with the other's file.
    sql(f"ANALYZE {space}.theirs WITH (columns = ARRAY['small'])")
    assert sql(show + "theirs") == trino_sql(show + "theirs")
    trino_sql(f"INSERT INTO {space}.ours (id, small) VALUES (2000, 5000)")
    assert sql(show + "ours") == trino_sql(show + "ours")
    for run, table in ((sql, "theirs"), (trino_sql, "ours")):
        run(f"ALTER TABLE {space}.{table} EXECUTE drop_extended_stats")
        assert sql(show + table) == trino_sql(show + table)
        assert catalog.load_table((space, table)).metadata.statistics == []


SPARK = """
spark.sql(f"CREATE TABLE lake.{space}.theirs USING iceberg AS "
          "SELECT id, cast(id % 7 AS string) AS name FROM range(20000)")
for table in ("theirs", "ours"):
    print(spark.sql(f"CALL lake.system.compute_table_stats(table => '{space}.{table}')").collect())
"""


@pytest.mark.full
@pytest.mark.timeout(600)
def test_what_spark_computes_is_read(sql, stats, lake, catalog, space, run_spark):
    sql(f"CREATE TABLE {space}.ours AS SELECT x AS id, 'n' || CAST(x % 5 AS varchar) AS name "
        "FROM UNNEST(sequence(1, 3000)) AS s(x)")
    run_spark(SPARK)
    known = stats(f"{space}.theirs")
    assert known["id"][1] == pytest.approx(20_000, rel=0.1)
    assert known["name"][1] == 7
    assert (stats(f"{space}.ours")["id"][1], stats(f"{space}.ours")["name"][1]) == (3000, 5)
    # Of 3000 values both engines keep every hash: the same ones.
    theirs = sketches(lake, catalog.load_table((space, "ours")))
    sql(f"ANALYZE {space}.ours")
    ours = sketches(lake, catalog.load_table((space, "ours")))
    for field, sketch in ours.items():
        assert (list(datasketches.compact_theta_sketch.deserialize(sketch))
                == sorted(datasketches.compact_theta_sketch.deserialize(theirs[field])))
