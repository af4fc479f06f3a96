"""The server whose catalog and objects all contenders use, and the tables that are made in it."""
import shutil

import duckdb
import pyarrow as pa
import trino

from support.iceberg import python_catalog
from support.meesh import ROOT
from support.s3_server import LakeServer, lake_mesh
from support.trino_server import versions

STAGING = "staging"  # a bucket for Parquet files on their way into the lake
SPACES = ("tpch", "bench")

# Engines may copy whole files instead when rows change; here all of them write deletes beside them.
MERGE_ON_READ = {f"write.{what}.mode": "merge-on-read" for what in ("delete", "update", "merge")}


def extension(name):
    return str(ROOT / ".deps" / f"duckdb-{versions()['DUCKDB_VERSION']}" / "extensions" /
               f"{name}.duckdb_extension")


class Place:
    """`meesh serve` over `folder`. What is asked here is never measured."""

    def __init__(self, folder):
        self.folder = folder
        self.server = LakeServer(lake_mesh(folder / "mesh"), folder / "meesh-data")
        self.connection = None

    def start(self):
        """Also after stop(): its S3 port is another one then."""
        self.server.start()
        self.s3_url = self.server.s3_url
        self.connection = trino.dbapi.connect(host="127.0.0.1", port=self.server.port,
                                              user="bench", catalog="lake")

    def stop(self):
        self.connection = None
        self.server.stop()

    def check(self):
        """Without it nobody can go on: AssertionError, with its last words."""
        if (code := self.server.process.poll()) is not None:
            raise AssertionError(f"meesh ended with {code}; its log ends with\n"
                                 f"{self.server.log_text()[-6000:]}")

    def prepare(self):
        """What every row of the benchmark needs."""
        self.s3().create_bucket(Bucket=STAGING)
        for space in SPACES:
            self.sql(f"CREATE SCHEMA lake.{space}")
        self.sql("CREATE TABLE lake.bench.other AS SELECT 1 AS n")

    @property
    def keys(self):
        return self.server.keys

    def s3(self):
        return self.server.endpoint().client()

    def sql(self, text):
        cursor = self.connection.cursor()
        cursor.execute(text)
        return [tuple(row) for row in cursor.fetchall()]

    def make(self, table, connection, query):
        """The table in the lake ("tpch.orders"), written by meesh, of what the DuckDB connection
        answers."""
        name = table.replace(".", "_")
        file = self.folder / f"{name}.parquet"
        connection.execute(f"COPY ({query}) TO '{file}' (FORMAT parquet)")
        self.s3().upload_file(str(file), STAGING, f"{name}/all.parquet")
        columns = ", ".join(f"{column} {kind.lower()}" for column, kind, *_ in
                            connection.execute(f"DESCRIBE {query}").fetchall())
        self.sql(f"CREATE TABLE hive.default.{name} ({columns}) WITH (external_location = "
                 f"'s3://{STAGING}/{name}/', format = 'PARQUET')")
        self.sql(f"CREATE TABLE lake.{table} AS SELECT * FROM hive.default.{name}")
        self.sql(f"DROP TABLE hive.default.{name}")
        self.s3().delete_object(Bucket=STAGING, Key=f"{name}/all.parquet")
        file.unlink()
        self.properties(table, MERGE_ON_READ)

    def properties(self, table, properties):
        with python_catalog(self.server).load_table(table).transaction() as change:
            change.set_properties(properties)

    def make_many(self, table, files, rows_each, commits, report):
        """A table of `files` files with `rows_each` consecutive ids, in as many commits."""
        connection = duckdb.connect()
        made = None
        each = max(1, files // commits)
        for first in range(0, files, each):
            last = min(files, first + each)
            rows = connection.execute(
                f"""SELECT i AS id, 'name ' || lpad(CAST(i % 1000000 AS VARCHAR), 7, '0') AS name,
                           CAST(i % 997 AS DOUBLE) AS value, DATE '2025-01-01' +
                           CAST(i % 365 AS INTEGER) AS day
                    FROM range({first * rows_each}, {last * rows_each}) s(i)""").to_arrow_table()
            rows = rows.combine_chunks()
            if made is None:
                # PyIceberg cuts what it appends by its size in memory: all rows have the same.
                made = python_catalog(self.server).create_table(table, rows.schema, properties={
                    **MERGE_ON_READ, "write.target-file-size-bytes":
                        str(-(-rows.nbytes * rows_each // rows.num_rows) + 1)})
            made.append(rows)
            report(f"{table}: {last:,} of {files:,} files")
        with made.transaction() as change:  # the engines' own default when they rewrite it
            change.remove_properties("write.target-file-size-bytes")
        found = self.files(table)
        if len(found) != files:
            raise AssertionError(f"{table} has {len(found)} files, not {files}")

    def files(self, table):
        """[(location, bytes)] of the live data files."""
        space, name = table.split(".")
        return self.sql(f'SELECT file_path, file_size_in_bytes FROM lake.{space}."{name}$files" '
                        "WHERE content = 0")

    def copy_files(self, table, folder):
        """The table's data files on this machine's disk; their paths."""
        folder.mkdir(parents=True)
        client, paths = self.s3(), []
        for n, (location, _) in enumerate(self.files(table)):
            bucket, key = location.removeprefix("s3://").split("/", 1)
            paths.append(folder / f"{n}.parquet")
            with open(paths[-1], "wb") as out:
                shutil.copyfileobj(client.get_object(Bucket=bucket, Key=key)["Body"], out)
        return paths

    def snapshot(self, table):
        return python_catalog(self.server).load_table(table).current_snapshot().snapshot_id

    def roll_back(self, table, snapshot):
        if self.snapshot(table) != snapshot:
            self.sql(f"ALTER TABLE lake.{table} EXECUTE rollback_to_snapshot({snapshot})")
