"""Folders of Parquet files that pyarrow wrote become tables where they lie: SQL and PyIceberg read
the same rows, and the files stay what they were."""
import concurrent.futures
import datetime as dt
import decimal
import io
import itertools
import re

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import trino
from support.s3 import all_keys
from trino.exceptions import TrinoQueryError

UTC = dt.timezone.utc
numbers = itertools.count(1)


@pytest.fixture
def folder(lake):
    """A folder of the test's own in the warehouse's bucket."""
    s3 = lake.endpoint().client()

    class Folder:
        prefix = f"raw/f{next(numbers)}"
        location = f"s3://lake/{prefix}"

        def put(self, key, content, **options):
            if isinstance(content, pa.Table):
                buffer = io.BytesIO()
                pq.write_table(content, buffer, **options)
                content = buffer.getvalue()
            s3.put_object(Bucket="lake", Key=f"{self.prefix}/{key}", Body=content)

        def keys(self):
            listed = s3.list_objects_v2(Bucket="lake", Prefix=f"{self.prefix}/")
            return [entry["Key"][len(self.prefix) + 1:] for entry in listed.get("Contents", [])]

        def parquet(self):
            return sorted(key for key in self.keys() if key.endswith(".parquet"))
    return Folder()


def importing(space, folder, more="", name="t"):
    return (f"CALL lake.system.import_table(schema_name => '{space}', table_name => '{name}', "
            f"location => '{folder.location}'{more})")


def rows_of(catalog, space, order, name="t"):
    return catalog.load_table((space, name)).scan().to_arrow().sort_by(order).to_pylist()


EVERY_TYPE = pa.table({
    "n": pa.array([1, 2, 3], pa.int64()),
    "b": pa.array([True, False, None]),
    "i": pa.array([-2147483648, 2147483647, None], pa.int32()),
    "small": pa.array([-128, 127, None], pa.int8()),
    "f": pa.array([1.5, float("-inf"), None], pa.float32()),
    "d": pa.array([-0.0, float("nan"), None], pa.float64()),
    "p": pa.array([decimal.Decimal("-1.0000000001"), decimal.Decimal("7"), None],
                  pa.decimal128(38, 10)),
    "day": pa.array([dt.date(1969, 12, 31), dt.date(2025, 1, 15), None]),
    "at": pa.array([dt.time(0, 0), dt.time(23, 59, 59, 999999), None], pa.time64("us")),
    "since": pa.array([dt.datetime(1969, 7, 20, 20, 17, 40, 123456),
                       dt.datetime(2025, 1, 15, 8, 30), None], pa.timestamp("us")),
    "zoned": pa.array([dt.datetime(1969, 7, 20, tzinfo=UTC),
                       dt.datetime(2025, 1, 15, 8, 30, tzinfo=UTC), None],
                      pa.timestamp("us", "UTC")),
    "Größe": pa.array(["", "Zoë 東京 🚀", None]),
    "raw": pa.array([b"", b"\0\xff", None]),
    "tags": pa.array([[], ["a", None], None], pa.list_(pa.string())),
    "place": pa.array([{"x": 1, "y": None}, {"x": None, "y": "q"}, None],
                      pa.struct([("x", pa.int32()), ("y", pa.string())])),
    "counts": pa.array([[], [("k", 5), ("l", None)], None], pa.map_(pa.string(), pa.int64())),
    # No null: PyIceberg 0.12 reads one as an empty list where the elements are structs.
    "stops": pa.array([[{"name": "a", "at": [1]}], [], [{"name": None, "at": []}]],
                      pa.list_(pa.struct([("name", pa.string()), ("at", pa.list_(pa.int64()))]))),
})


def test_every_type_is_read_where_it_lies(sql, catalog, space, folder):
    folder.put("a.parquet", EVERY_TYPE.slice(0, 2))
    folder.put("b.parquet", EVERY_TYPE.slice(2, 1))
    folder.put("_SUCCESS", b"")
    sql(importing(space, folder))
    assert folder.parquet() == ["a.parquet", "b.parquet"]
    told = catalog.load_table((space, "t")).properties
    assert told["gc.enabled"] == told["meesh.maintenance.compaction"] == "false"
    assert [repr(row) for row in rows_of(catalog, space, "n")] == \
        [repr(row) for row in EVERY_TYPE.to_pylist()]
    columns = [row[0] for row in sql(f"DESCRIBE {space}.t")]
    assert columns == [name.lower() for name in EVERY_TYPE.column_names]
    first = sql(f"""SELECT n, b, i, small, f, d, p, day, at, since, CAST(zoned AS varchar),
                    "größe", raw, tags, place.x, place.y, counts, element_at(stops, 1).name,
                    element_at(stops, 1).at
                    FROM {space}.t ORDER BY n""")[0]
    assert first == (
        1, True, -2147483648, -128, 1.5, -0.0, decimal.Decimal("-1.0000000001"),
        dt.date(1969, 12, 31), dt.time(0, 0), dt.datetime(1969, 7, 20, 20, 17, 40, 123456),
        "1969-07-20 00:00:00.000000 UTC", "", b"", [], 1, None, {}, "a", [1])
    assert sql(f"""SELECT counts['k'], "größe", tags, raw FROM {space}.t WHERE i > 0""") == [
        (5, "Zoë 東京 🚀", ["a", None], b"\0\xff")]
    assert sql(f"SELECT n FROM {space}.t WHERE place IS NULL AND "
               "element_at(stops, 1).name IS NULL") == [(3,)]
    assert sql(f'SELECT count(*), sum(record_count) FROM {space}."t$files"') == [(2, 3)]


def test_the_footers_metrics_pass_over_files(sql, catalog, space, folder):
    for part in range(4):
        folder.put(f"{part}.parquet", pa.table({
            "id": pa.array(range(part * 1000, part * 1000 + 1000), pa.int64()),
            "name": pa.array([f"n{n % 7}" if part else None for n in range(1000)], pa.string()),
            "x": pa.array([float(part)] * 999 + [float("nan")])}), row_group_size=100)
    sql(importing(space, folder))
    table = catalog.load_table((space, "t"))
    for condition, files in [("id = 1500", 1), ("id < 1000", 1), ("id >= 2000", 2),
                             ("name is null", 1), ("name > 'n9'", 0)]:
        assert len(list(table.scan(row_filter=condition).plan_files())) == files, condition
    assert sql(f"SELECT count(*), min(id) FROM {space}.t WHERE id >= 2500") == [(1500, 2500)]
    assert sql(f"SELECT count(*) FROM {space}.t WHERE name IS NULL") == [(1000,)]
    assert sql(f"SELECT count(*) FROM {space}.t WHERE is_nan(x)") == [(4,)]
    sizes = dict(sql(f'SELECT file_path, record_count FROM {space}."t$files"'))
    assert set(sizes.values()) == {1000} and len(sizes) == 4


def test_folders_become_partitions(sql, catalog, space, folder):
    data = {}
    for year, month, place in [(2024, 12, "Zoë/a=b"), (2025, 1, None), (2025, 2, "x")]:
        name = "__HIVE_DEFAULT_PARTITION__" if place is None else place.replace("/", "%2F").replace(
            "=", "%3D")
        ids = pa.array([len(data) * 10 + n for n in range(3)], pa.int64())
        data.update({n.as_py(): (year, month, place) for n in ids})
        folder.put(f"year={year}/month={month:02}/place={name}/a.parquet", pa.table({"id": ids}))
    sql(importing(space, folder))
    assert [(name, kind) for name, kind, *_ in sql(f"DESCRIBE {space}.t")] == [
        ("id", "bigint"), ("year", "integer"), ("month", "integer"), ("place", "varchar")]
    expected = [(n, *values) for n, values in sorted(data.items())]
    assert sql(f"SELECT * FROM {space}.t ORDER BY id") == expected
    assert [tuple(row.values()) for row in rows_of(catalog, space, "id")] == expected
    assert len(list(catalog.load_table((space, "t")).scan(
        row_filter="year = 2025").plan_files())) == 2
    assert sql(f"SELECT id FROM {space}.t WHERE place IS NULL ORDER BY id") == [(30,), (31,), (32,)]
    assert sql(f"""SELECT DISTINCT "$partition" FROM {space}.t WHERE month = 2""") == [
        ("year=2025/month=2/place=x",)]
    sql(f"INSERT INTO {space}.t VALUES (100, 2026, 3, 'new')")
    sql(f"DELETE FROM {space}.t WHERE year = 2024 OR id = 31")
    expected = [row for row in expected if row[1] != 2024 and row[0] != 31]
    expected.append((100, 2026, 3, "new"))
    assert sql(f"SELECT * FROM {space}.t ORDER BY id") == expected
    assert [tuple(row.values()) for row in rows_of(catalog, space, "id")] == expected


def test_files_of_several_ages(sql, catalog, space, folder):
    folder.put("2024.parquet", pa.table({"id": pa.array([1], pa.int32()), "old": ["o"],
                                         "in": pa.array([{"a": 1}])}))
    folder.put("2025.parquet", pa.table({"new": [2.5], "id": pa.array([5_000_000_000], pa.int64()),
                                         "in": pa.array([{"b": "x", "a": 2}])}))
    sql(importing(space, folder))
    assert sql(f'SELECT id, old, "in".a, "in".b, new FROM {space}.t ORDER BY id') == [
        (1, "o", 1, None, None), (5_000_000_000, None, 2, "x", 2.5)]
    assert rows_of(catalog, space, "id") == [
        {"id": 1, "old": "o", "in": {"a": 1, "b": None}, "new": None},
        {"id": 5_000_000_000, "old": None, "in": {"a": 2, "b": "x"}, "new": 2.5}]


def test_columns_change_after_the_import(sql, catalog, space, folder):
    folder.put("a.parquet", pa.table({"id": pa.array([1, 2], pa.int32()), "userName": ["a", "b"]}))
    sql(importing(space, folder))
    sql(f"ALTER TABLE {space}.t RENAME COLUMN username TO title")
    sql(f"ALTER TABLE {space}.t ALTER COLUMN id SET DATA TYPE bigint")
    sql(f"ALTER TABLE {space}.t ADD COLUMN username varchar")
    sql(f"INSERT INTO {space}.t VALUES (3, 'c', 'new')")
    expected = [(1, "a", None), (2, "b", None), (3, "c", "new")]
    assert sql(f"SELECT * FROM {space}.t ORDER BY id") == expected
    assert [tuple(row.values()) for row in rows_of(catalog, space, "id")] == expected
    sql(f"UPDATE {space}.t SET title = 'B' WHERE id = 2")
    sql(f"ALTER TABLE {space}.t EXECUTE optimize")
    expected[1] = (2, "B", None)
    assert sql(f"SELECT * FROM {space}.t ORDER BY id") == expected
    assert [tuple(row.values()) for row in rows_of(catalog, space, "id")] == expected


def test_no_statement_removes_the_files_it_did_not_write(sql, space, folder):
    folder.put("a.parquet", pa.table({"id": [1, 2]}))
    sql(importing(space, folder))
    sql(f"INSERT INTO {space}.t VALUES 3")
    sql(f"ALTER TABLE {space}.t EXECUTE optimize")
    sql(f"DROP TABLE {space}.t")
    assert "a.parquet" in folder.keys()
    assert not [key for key in folder.keys() if key.endswith(".metadata.json")]


def test_files_may_be_handed_over_to_the_table(sql, space, folder):
    folder.put("a.parquet", pa.table({"id": [1, 2]}))
    sql(importing(space, folder))
    with pytest.raises(TrinoQueryError, match="GC is disabled"):
        sql(f"ALTER TABLE {space}.t EXECUTE expire_snapshots(retention_threshold => '0s')")
    sql(f"ALTER TABLE {space}.t SET PROPERTIES extra_properties = "
        "MAP(ARRAY['gc.enabled'], ARRAY['true'])")
    sql(f"DROP TABLE {space}.t")
    assert folder.keys() == []


def test_partition_columns_that_are_in_the_files_too(sql, catalog, space, folder):
    for day in (1, 2):
        at = dt.date(2026, 1, day)
        folder.put(f"Day={at}/a.parquet", pa.table({"id": pa.array([day], pa.int64()),
                                                    "day": pa.array([at])}))
    sql(importing(space, folder))
    expected = [(1, dt.date(2026, 1, 1)), (2, dt.date(2026, 1, 2))]
    assert sql(f"SELECT * FROM {space}.t ORDER BY id") == expected
    assert [tuple(row.values()) for row in rows_of(catalog, space, "id")] == expected
    assert sql(f"SELECT id FROM {space}.t WHERE day > DATE '2026-01-01'") == [(2,)]
    folder.put("day=soon/a.parquet", pa.table({"id": [3]}))
    with pytest.raises(TrinoQueryError, match="'soon' in the folder of .* is not of the type date"):
        sql(f"ALTER TABLE {space}.t EXECUTE add_files('{folder.location}/day=soon', 'PARQUET')")
    folder.put("day=2026-01-03/a.parquet", pa.table({"id": [3]}))
    sql(f"ALTER TABLE {space}.t EXECUTE add_files('{folder.location}/day=2026-01-03', 'PARQUET')")
    expected.append((3, dt.date(2026, 1, 3)))
    assert sql(f"SELECT * FROM {space}.t ORDER BY id") == expected
    assert [tuple(row.values()) for row in rows_of(catalog, space, "id")] == expected


def test_files_join_a_table(sql, catalog, space, folder):
    sql(f"CREATE TABLE {space}.t (id bigint, username varchar)")
    sql(f"INSERT INTO {space}.t VALUES (1, 'ours')")
    folder.put("a.parquet", pa.table({"userName": ["theirs", None],
                                      "id": pa.array([2, 3], pa.int32())}))
    add = (f"ALTER TABLE {space}.t EXECUTE add_files(location => '{folder.location}', "
           "format => 'PARQUET'{})")
    sql(add.format(""))
    expected = [(1, "ours"), (2, "theirs"), (3, None)]
    assert sql(f"SELECT * FROM {space}.t ORDER BY id") == expected
    with pytest.raises(TrinoQueryError, match="File already exists: .*a.parquet"):
        sql(add.format(""))
    folder.put("deep/b.parquet", pa.table({"id": [4]}))
    with pytest.raises(TrinoQueryError, match="Recursive directory must not exist"):
        sql(add.format(""))
    with pytest.raises(TrinoQueryError, match="only PARQUET is supported"):
        sql(f"ALTER TABLE {space}.t EXECUTE add_files('{folder.location}', 'ORC')")
    sql(f"ALTER TABLE {space}.t EXECUTE add_files('{folder.location}/deep', 'PARQUET')")
    expected.append((4, None))
    assert sql(f"SELECT * FROM {space}.t ORDER BY id") == expected
    sql(f"CREATE TABLE {space}.u (id bigint)")
    place = catalog.load_table((space, "t")).location()
    with pytest.raises(TrinoQueryError, match=f"of table {space}.t lie in each other"):
        sql(f"ALTER TABLE {space}.u EXECUTE add_files('{place}/data', 'PARQUET')")
    sql(f"CREATE TABLE {space}.days (id bigint, at timestamp(6)) "
        "WITH (partitioning = ARRAY['day(at)'])")
    with pytest.raises(TrinoQueryError, match=r"partitioned by day\(at\)"):
        sql(f"ALTER TABLE {space}.days EXECUTE add_files('{folder.location}/deep', 'PARQUET')")


def test_what_pyiceberg_adopted_is_read_by_name(sql, catalog, space, folder):
    data = pa.table({"id": pa.array([1, 2], pa.int64()), "name": ["a", None]})
    folder.put("a.parquet", data)
    table = catalog.create_table((space, "t"), data.schema, location=folder.location)
    table.add_files([f"{folder.location}/a.parquet"])
    sql(f"ALTER TABLE {space}.t RENAME COLUMN name TO title")
    assert sql(f"SELECT id, title FROM {space}.t ORDER BY id") == [(1, "a"), (2, None)]


def test_what_cannot_be_imported(sql, space, folder):
    def fails(match, text=None):
        with pytest.raises(TrinoQueryError, match=match):
            sql(text or importing(space, folder))
        assert sql(f"SHOW TABLES FROM {space}") == []
    fails("There are no files in")
    folder.put("a.parquet", pa.table({"x": [1]}))
    fails("Schema 'nowhere' does not exist", importing("nowhere", folder))
    fails("lies outside the warehouse",
          importing(space, folder).replace("s3://lake/", "s3://elsewhere/"))
    fails("'location' is missing|'LOCATION' is missing",
          f"CALL lake.system.import_table('{space}', 't')")
    fails("Unknown format: csv", importing(space, folder, ", format => 'csv'"))
    folder.put("deep/b.parquet", pa.table({"x": [1]}))
    fails("Recursive directory must not exist")
    folder.put("deep/b.parquet", pa.table({"x": ["text"]}))
    fails("Column 'x' is long in .*a.parquet and string in .*b.parquet",
          importing(space, folder, ", recursive_directory => 'true'"))
    folder.put("b.parquet", pa.table({"X": [1]}))
    fails("The column is 'x' in .* and 'X' in",
          importing(space, folder, ", recursive_directory => 'false'"))
    folder.put("b.parquet", b"no parquet")
    fails("b.parquet", importing(space, folder, ", recursive_directory => 'false'"))
    folder.put("b.parquet", pa.table({"x": [1]}, schema=pa.schema(
        [pa.field("x", pa.int64(), metadata={b"PARQUET:field_id": b"7"})])))
    fails("field ids", importing(space, folder, ", recursive_directory => 'false'"))
    assert folder.parquet() == ["a.parquet", "b.parquet", "deep/b.parquet"]
    assert len(folder.keys()) == 3


def test_a_table_is_not_imported_twice(sql, space, folder):
    folder.put("a.parquet", pa.table({"x": [1]}))
    folder.put("sub/k=1/a.parquet", pa.table({"x": [1]}))
    sql(importing(space, folder, ", recursive_directory => 'false'"))
    with pytest.raises(TrinoQueryError, match=f"Table '{space}.t' already exists"):
        sql(importing(space, folder))
    with pytest.raises(TrinoQueryError, match="There is an Iceberg table already in"):
        sql(importing(space, folder, ", recursive_directory => 'true'", name="u"))
    with pytest.raises(TrinoQueryError, match=f"of table {space}.t lie in each other"):
        sql(importing(space, folder, name="u").replace(folder.location, f"{folder.location}/sub"))


def test_the_commands(lake, sql, catalog, space, folder):
    folder.put("k=1/a.parquet", pa.table({"x": pa.array([1, 2], pa.int64())}))

    def meesh(*arguments, code=0):
        done = lake.run("lake", *arguments, "--server", lake.url)
        assert done.returncode == code, (done.stdout, done.stderr)
        return done.stdout + done.stderr
    told = meesh("import", folder.location, f"{space}.t", "--json")
    assert '"files":1,"rows":2' in told.replace(" ", "")
    assert sorted(row["x"] for row in rows_of(catalog, space, "x")) == [1, 2]
    out = f"s3://lake/exports/{space}"
    meesh("export", f"lake.{space}.t", out)
    sql(f"INSERT INTO {space}.t VALUES (3, 1)")
    meesh("optimize", f"{space}.t", "--where", "k = 1")
    assert sql(f'SELECT count(*) FROM {space}."t$files"') == [(1,)]
    s3 = lake.endpoint().client()
    written = [entry["Key"] for entry in
               s3.list_objects_v2(Bucket="lake", Prefix=f"exports/{space}/")["Contents"]]
    body = b"".join(s3.get_object(Bucket="lake", Key=key)["Body"].read() for key in written)
    assert pq.read_table(io.BytesIO(body)).sort_by("x").to_pylist() == [
        {"x": 1, "k": 1}, {"x": 2, "k": 1}]
    assert "Target directory" in meesh("export", f"{space}.t", out, code=1)
    assert sql("SHOW TABLES FROM hive.default LIKE 'export%'") == []
    assert "write schema.table" in meesh("import", "s3://lake/x", "t", code=1)
    assert "is not s3://bucket/folder" in meesh("import", "gs://x", f"{space}.u", code=1)
    told = meesh("import", "s3://elsewhere/raw", f"{space}.u", code=1)
    assert "'s3://elsewhere/raw' lies outside the warehouse" in told
    assert "allowed_locations" in told and "meesh lake cp -r s3://elsewhere/raw" in told


@pytest.fixture
def meesh(lake):
    """`meesh lake …` with the keys and addresses of the server: its exit code must be `code`."""
    def run(*arguments, code=0, **environment):
        keys = {"AWS_ACCESS_KEY_ID": lake.keys.access_key, "S3_ENDPOINT_URL": lake.s3_url,
                "AWS_SECRET_ACCESS_KEY": lake.keys.secret_key, "MEESH_SERVER": lake.url}
        done = lake.run("lake", *arguments, env={**keys, **environment})
        assert done.returncode == code, (done.stdout, done.stderr)
        return done.stdout + done.stderr
    return run


def below(lake, prefix):
    return all_keys(lake.endpoint().client(), "lake", Prefix=prefix)


def test_a_folder_of_this_machine_becomes_a_table(lake, sql, catalog, space, folder, meesh,
                                                  tmp_path):
    for day in (1, 2):
        part = tmp_path / "orders" / f"day=2026-01-0{day}"
        part.mkdir(parents=True)
        pq.write_table(pa.table({"id": pa.array([day, day * 10], pa.int64())}), part / "a.parquet")
    (tmp_path / "orders" / "_temporary").mkdir()
    (tmp_path / "orders" / "_temporary" / "b.parquet").write_bytes(b"half")
    (tmp_path / "orders" / "README.md").write_text("not ours")
    told = meesh("import", tmp_path / "orders", f"{space}.orders")
    assert f"-> s3://lake/{space}/orders/day=2026-01-01/a.parquet" in told
    assert sql(f"SELECT sum(id), min(day) FROM {space}.orders") == [(33, dt.date(2026, 1, 1))]
    told = catalog.load_table((space, "orders"))
    assert told.location() == f"s3://lake/{space}/orders"
    assert told.properties["gc.enabled"] == "true"
    assert told.scan().to_arrow().num_rows == 4
    sql(f"DELETE FROM {space}.orders WHERE id = 1")
    sql(f"DROP TABLE {space}.orders")
    assert below(lake, f"{space}/") == []
    # What lies where the table would go is nothing of its own.
    lake.endpoint().client().put_object(Bucket="lake", Key=f"{space}/one/old.parquet", Body=b"x")
    meesh("import", tmp_path / "orders" / "day=2026-01-01" / "a.parquet", f"lake.{space}.One", "-q")
    assert sql(f"SELECT count(*) FROM {space}.one") == [(2,)]
    assert catalog.load_table((space, "one")).location().startswith(f"s3://lake/{space}/one-")


def test_a_local_import_that_fails_leaves_nothing(lake, sql, space, meesh, tmp_path):
    def fails(match, *arguments):
        told = meesh("import", *arguments, code=1)
        assert re.search(match, told), told
        assert below(lake, f"{space}/") == [] and sql(f"SHOW TABLES FROM {space}") == []
    fails("there is no '.*nothing'", tmp_path / "nothing", f"{space}.t")
    fails("there are no Parquet files in", tmp_path, f"{space}.t")
    (tmp_path / "deep").mkdir()
    pq.write_table(pa.table({"x": [1]}), tmp_path / "deep" / "a.parquet")
    fails("is no partition.*-r takes the files of all folders", tmp_path, f"{space}.t")
    fails(r"there is no schema lake.nowhere.*CREATE SCHEMA lake.nowhere", "-r", tmp_path,
          "nowhere.t")
    pq.write_table(pa.table({"x": ["text"]}), tmp_path / "b.parquet")
    fails("Column 'x' is", "-r", tmp_path, f"{space}.t")
    (tmp_path / "b.parquet").unlink()
    meesh("import", "-r", tmp_path, f"{space}.t")
    there = below(lake, f"{space}/")
    assert "is there already" in meesh("import", "-r", tmp_path, f"{space}.t", code=1)
    assert below(lake, f"{space}/") == there


def test_a_table_goes_to_a_folder_of_this_machine(lake, sql, space, meesh, tmp_path):
    sql(f"CREATE TABLE {space}.t AS SELECT n, 'é' || CAST(n AS varchar) AS s "
        "FROM UNNEST(sequence(1, 1000)) AS q(n)")
    sql(f"DELETE FROM {space}.t WHERE n = 7")
    told = meesh("export", f"{space}.t", tmp_path / "out")
    assert f"-> {tmp_path}/out/t.parquet" in told
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["t.parquet"]
    rows = pq.read_table(tmp_path / "out" / "t.parquet").sort_by("n")
    assert rows.column("n").to_pylist() == [n for n in range(1, 1001) if n != 7]
    assert rows.column("s")[0].as_py() == "é1"
    assert "is there and is no empty folder" in meesh("export", f"{space}.t", tmp_path / "out",
                                                      code=1)
    assert "does not exist" in meesh("export", f"{space}.nothing", tmp_path / "none", code=1)
    # The keys do not fit: nothing comes, and nothing stays on the way either.
    meesh("export", f"{space}.t", tmp_path / "none", code=1, AWS_SECRET_ACCESS_KEY="wrong")
    sql(f"DELETE FROM {space}.t")
    assert "has no rows" in meesh("export", f"{space}.t", tmp_path / "none")
    assert sql("SHOW TABLES FROM hive.default LIKE 'export%'") == []
    assert [key for key in below(lake, "hive/") if "/export_" in key] == []


def test_files_added_by_several_at_once_join_once(lake, sql, space, folder):
    sql(f"CREATE TABLE {space}.t (x bigint)")
    for part in range(3):
        folder.put(f"{part}.parquet", pa.table({"x": pa.array([part], pa.int64())}))

    def add(_):
        cursor = trino.dbapi.connect(host="127.0.0.1", port=lake.port, user="tests",
                                     catalog="lake").cursor()
        try:
            cursor.execute(f"ALTER TABLE {space}.t EXECUTE add_files('{folder.location}', "
                           "'PARQUET')")
            cursor.fetchall()
            return "done"
        except TrinoQueryError as error:
            return error.message
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        told = sorted(pool.map(add, range(8)))
    assert told.count("done") == 1, told
    assert all("File already exists: " in one for one in told if one != "done"), told
    assert sql(f"SELECT count(*), sum(x) FROM {space}.t") == [(3, 3)]
    assert folder.parquet() == ["0.parquet", "1.parquet", "2.parquet"]
