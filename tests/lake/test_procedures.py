"""Procedures of the lake with Trino's names, arguments and errors: tables lose and get their names,
and optimize takes the partitions that WHERE names."""
import os
import subprocess

import pytest
import requests
import trino
from support.meesh import binary
from support.processes import wait_until
from trino.exceptions import TrinoQueryError


@pytest.fixture
def fails(sql):
    """fails(text) → (error's name, message)."""
    def run(text):
        with pytest.raises(TrinoQueryError) as caught:
            sql(text)
        return caught.value.error_name, caught.value.message
    return run


def register(space, table, location, more=""):
    return (f"CALL lake.system.register_table(schema_name => '{space}', table_name => '{table}', "
            f"table_location => '{location}'{more})")


def test_a_table_loses_its_name_and_gets_it_back(sql, catalog, space):
    sql(f"CREATE TABLE {space}.t AS SELECT * FROM (VALUES (1, 'Zoë'), (2, NULL)) AS v(id, name)")
    sql(f"INSERT INTO {space}.t VALUES (3, 'c')")
    location = catalog.load_table((space, "t")).location()
    sql(f"CALL lake.system.unregister_table(schema_name => '{space}', table_name => 't')")
    assert sql(f"SHOW TABLES FROM {space}") == []
    sql(register(space, "again", location))
    expected = [(1, "Zoë"), (2, None), (3, "c")]
    assert sql(f"SELECT * FROM {space}.again ORDER BY id") == expected
    found = catalog.load_table((space, "again")).scan().to_arrow().sort_by("id").to_pylist()
    assert [tuple(row.values()) for row in found] == expected
    sql(f"INSERT INTO {space}.again VALUES (4, 'd')")
    assert sql(f"SELECT count(*) FROM {space}.again") == [(4,)]
    sql(f"CALL lake.system.unregister_table('{space}', 'again')")


def test_the_newest_metadata_is_taken_unless_another_is_named(sql, lake, catalog, space):
    sql(f"CREATE TABLE {space}.t (id bigint)")
    sql(f"INSERT INTO {space}.t VALUES (1)")
    table = catalog.load_table((space, "t"))
    old, location = table.metadata_location.rsplit("/", 1)[1], table.location()
    sql(f"INSERT INTO {space}.t VALUES (2)")
    sql(f"CALL lake.system.unregister_table('{space}', 't')")
    sql(register(space, "old", f"{location}/", f", metadata_file_name => '{old}'"))
    sql(register(space, "new", location))
    assert sql(f"SELECT id FROM {space}.old") == [(1,)]
    assert sql(f"SELECT id FROM {space}.new ORDER BY id") == [(1,), (2,)]
    # Two files of one version: nobody knows which is the table.
    s3 = lake.endpoint().client()
    bucket, folder = location.removeprefix("s3://").split("/", 1)
    newest = catalog.load_table((space, "new")).metadata_location.rsplit("/", 1)[1]
    version = newest.split("-", 1)[0]
    s3.copy_object(Bucket=bucket, Key=f"{folder}/metadata/{version}-00.metadata.json",
                   CopySource={"Bucket": bucket, "Key": f"{folder}/metadata/{newest}"})
    with pytest.raises(TrinoQueryError, match="More than one latest metadata file found"):
        sql(register(space, "third", location))
    for name in ("old", "new"):
        sql(f"CALL lake.system.unregister_table('{space}', '{name}')")


def test_what_cannot_be_registered(sql, fails, catalog, space):
    sql(f"CREATE TABLE {space}.t (id bigint)")
    table = catalog.load_table((space, "t"))
    location, file = table.location(), table.metadata_location.rsplit("/", 1)[1]
    for text, name, message in [
            (register(space, "t", location), "TABLE_ALREADY_EXISTS", f"'{space}.t' already exists"),
            (register("nowhere", "u", location), "INVALID_PROCEDURE_ARGUMENT",
             "Schema 'nowhere' does not exist"),
            (register(space, "u", "s3://lake/nothing"), "ICEBERG_INVALID_METADATA",
             "No versioned metadata file exists at location: s3://lake/nothing/metadata"),
            (register(space, "u", "s3://elsewhere/t"), "PERMISSION_DENIED",
             "outside the warehouse"),
            (register(space, "u", "lake/t"), "ICEBERG_INVALID_METADATA", "lake/t"),
            (register(space, "u", f"{location}/../t"), "ICEBERG_INVALID_METADATA", ".."),
            (register(space, "u", location, ", metadata_file_name => 'x.metadata.json'"),
             "INVALID_PROCEDURE_ARGUMENT", "x.metadata.json does not exist"),
            (register(space, "u", location, f", metadata_file_name => '../metadata/{file}'"),
             "INVALID_PROCEDURE_ARGUMENT", "is not a valid metadata file"),
            (register(space, "u", location, ", metadata_file_name => ' '"),
             "INVALID_PROCEDURE_ARGUMENT", "metadata_file_name cannot be empty"),
            (register(space, "", location), "INVALID_PROCEDURE_ARGUMENT",
             "table_name cannot be null or empty"),
            (f"CALL lake.system.register_table('{space}', 'u')", "INVALID_PROCEDURE_ARGUMENT",
             "Required procedure argument 'TABLE_LOCATION' is missing"),
            (register(space, "u", location, ", wrong => 1"), "INVALID_PROCEDURE_ARGUMENT",
             "Unknown argument name: wrong"),
            (f"CALL lake.system.unregister_table('{space}', 'u')", "TABLE_NOT_FOUND",
             f"'{space}.u' not found"),
            ("CALL lake.system.nothing()", "PROCEDURE_NOT_FOUND",
             "Procedure not registered: system.nothing")]:
        found = fails(text)
        assert found[0] == name and message in found[1], (text, found)


def test_metadata_of_another_place_is_refused(sql, fails, lake, catalog, space):
    sql(f"CREATE TABLE {space}.t (id bigint)")
    source = catalog.load_table((space, "t")).metadata_location.removeprefix("s3://")
    bucket, key = source.split("/", 1)
    s3 = lake.endpoint().client()
    s3.copy_object(Bucket=bucket, Key=f"{space}/moved/metadata/{key.rsplit('/', 1)[1]}",
                   CopySource={"Bucket": bucket, "Key": key})
    assert "differs from location provided" in fails(
        register(space, "u", f"s3://{bucket}/{space}/moved"))[1]
    s3.put_object(Bucket=bucket, Key=f"{space}/bad/metadata/00000-00.metadata.json", Body=b"{}")
    assert fails(register(space, "u", f"s3://{bucket}/{space}/bad"))[0] == \
        "ICEBERG_INVALID_METADATA"


def files_of(sql, space):
    """Live data files by partition value."""
    return dict(sql(f'SELECT partition.name, count(*) FROM {space}."t$files" '
                    "WHERE content = 0 GROUP BY 1"))


def test_optimize_takes_the_partitions_that_where_names(sql, catalog, space):
    sql(f"CREATE TABLE {space}.t (id bigint, name varchar, note varchar) "
        "WITH (partitioning = ARRAY['name'])")
    for n in range(9):
        sql(f"INSERT INTO {space}.t VALUES ({n}, '{'abc'[n % 3]}', 'x')")
    sql(f"DELETE FROM {space}.t WHERE id = 4")
    assert files_of(sql, space) == {"a": 3, "b": 2, "c": 3}
    sql(f"ALTER TABLE {space}.t EXECUTE optimize WHERE name = 'a'")
    assert files_of(sql, space) == {"a": 1, "b": 2, "c": 3}
    sql(f"ALTER TABLE {space}.t EXECUTE optimize(file_size_threshold => '10MB') "
        "WHERE name IN ('a', 'c') AND name <> 'a'")
    assert files_of(sql, space) == {"a": 1, "b": 2, "c": 1}
    sql(f"ALTER TABLE {space}.t EXECUTE optimize WHERE name = 'z'")
    assert files_of(sql, space) == {"a": 1, "b": 2, "c": 1}
    expected = [(n,) for n in range(9) if n != 4]
    assert sql(f"SELECT id FROM {space}.t ORDER BY id") == expected
    found = catalog.load_table((space, "t")).scan().to_arrow()["id"].to_pylist()
    assert sorted(found) == [n for n, in expected]


def test_optimize_where_by_days(sql, space):
    sql(f"CREATE TABLE {space}.t (at timestamp(6)) WITH (partitioning = ARRAY['day(at)'])")
    for hour in (1, 5, 9):
        for day in (1, 2):
            sql(f"INSERT INTO {space}.t VALUES TIMESTAMP '2026-01-0{day} 0{hour}:00:00'")

    def files():
        return [row[0] for row in sql(
            f'SELECT count(*) FROM {space}."t$files" GROUP BY partition.at_day '
            "ORDER BY partition.at_day")]
    sql(f"INSERT INTO {space}.t VALUES TIMESTAMP '2026-01-03 01:00:00', "
        "TIMESTAMP '2026-01-03 23:00:00'")
    with pytest.raises(TrinoQueryError, match="some rows of a data file and not others"):
        sql(f"ALTER TABLE {space}.t EXECUTE optimize WHERE at > TIMESTAMP '2026-01-03 12:00:00'")
    sql(f"ALTER TABLE {space}.t EXECUTE optimize WHERE CAST(at AS date) = DATE '2026-01-02'")
    assert files() == [3, 1, 1]
    sql(f"ALTER TABLE {space}.t EXECUTE optimize WHERE at < TIMESTAMP '2026-01-02 00:00:00'")
    assert files() == [1, 1, 1]


def test_where_that_is_refused(sql, fails, space):
    sql(f"CREATE TABLE {space}.t (id bigint, name varchar) WITH (partitioning = ARRAY['name'])")
    sql(f"INSERT INTO {space}.t VALUES (1, 'a')")
    alter = f"ALTER TABLE {space}.t EXECUTE"
    for text, name, message in [
            (f"{alter} optimize WHERE id = 1", "NOT_SUPPORTED", "'id' is none"),
            (f"{alter} optimize WHERE name = 'a' AND t.id > 0", "NOT_SUPPORTED", "'id' is none"),
            (f"{alter} optimize WHERE missing = 1", "COLUMN_NOT_FOUND", "missing"),
            (f"{alter} optimize WHERE name IN (SELECT 'a')", "NOT_SUPPORTED", "Subqueries"),
            (f"{alter} expire_snapshots WHERE name = 'a'", "NOT_SUPPORTED", "WHERE not supported")]:
        found = fails(text)
        assert found[0] == name and message in found[1], (text, found)


def test_where_of_the_files_themselves(sql, space):
    sql(f"CREATE TABLE {space}.t (id bigint)")
    for n in range(4):
        sql(f"INSERT INTO {space}.t VALUES {n}")
    kept = sql(f'SELECT "$path" FROM {space}.t WHERE id = 0')[0][0]
    sql(f"""ALTER TABLE {space}.t EXECUTE optimize WHERE "$path" <> '{kept}'""")
    paths = {row[0] for row in sql(f'SELECT file_path FROM {space}."t$files"')}
    assert kept in paths and len(paths) == 2
    assert sql(f"SELECT id FROM {space}.t ORDER BY id") == [(n,) for n in range(4)]


@pytest.fixture(scope="module")
def onlooker(lake):
    """The name of a user who may read everything and write nothing."""
    told = subprocess.run(
        [str(binary()), "access", "add", "onlooker", "--policy", "readonly", "--mesh",
         str(lake.mesh), "--data", str(lake.data)],
        env={**os.environ, "S3_ACCESS_KEY": lake.keys.access_key,
             "S3_SECRET_KEY": lake.keys.secret_key},
        capture_output=True, text=True, check=True).stdout
    key, secret = (line.split("=", 1)[1] for line in told.splitlines())
    wait_until(lambda: "access_token" in requests.post(
        f"{lake.url}/iceberg/v1/oauth/tokens", timeout=10, data={
            "grant_type": "client_credentials", "client_id": key,
            "client_secret": secret}).json(), 10, "the running mesh to know the key")
    return "onlooker"


def test_names_are_for_those_who_may_write(sql, lake, catalog, space, onlooker):
    sql(f"CREATE TABLE {space}.t AS SELECT 1 AS id")
    sql(f"CREATE TABLE {space}.named AS SELECT 1 AS id")
    location = catalog.load_table((space, "t")).location()
    sql(f"CALL lake.system.unregister_table('{space}', 't')")
    connection = trino.dbapi.connect(host="127.0.0.1", port=lake.port, user=onlooker,
                                     catalog="lake")
    cursor = connection.cursor()
    cursor.execute(f"SELECT id FROM {space}.named")
    assert cursor.fetchall() == [[1]]
    for text in (register(space, "t", location),
                 f"CALL lake.system.unregister_table('{space}', 'named')",
                 f"CALL lake.system.import_table('{space}', 'u', '{location}/data')",
                 f"ALTER TABLE {space}.named EXECUTE add_files('{location}/data', 'PARQUET')",
                 f"ALTER TABLE {space}.named EXECUTE optimize"):
        with pytest.raises(TrinoQueryError) as caught:
            cursor.execute(text)
        assert caught.value.error_name == "PERMISSION_DENIED", text
    sql(register(space, "t", location))
