"""Parquet files of the lake become a table of the catalog `hive`, so that SQL can ask them.

    pip install trino pyarrow
    python register_table.py s3://datalake/raw/events/ default.events

The columns are those of the newest file there. The files stay where they are.
"""
import os
import sys

import pyarrow as pa
import pyarrow.fs
import pyarrow.parquet as pq
from trino.dbapi import connect

location, table = sys.argv[1:3]
TYPES = {pa.int32(): "integer", pa.int64(): "bigint", pa.float32(): "real", pa.float64(): "double",
         pa.bool_(): "boolean", pa.date32(): "date", pa.string(): "varchar",
         pa.large_string(): "varchar"}


def sql_type(kind):
    if pa.types.is_timestamp(kind):
        return "timestamp(6)"
    if pa.types.is_decimal(kind):
        return f"decimal({kind.precision}, {kind.scale})"
    if kind not in TYPES:
        raise SystemExit(f"no SQL type is known here for {kind}")
    return TYPES[kind]


lake = pyarrow.fs.S3FileSystem(
    access_key=os.environ.get("AWS_ACCESS_KEY_ID", "minioadmin"),
    secret_key=os.environ.get("AWS_SECRET_ACCESS_KEY", "minioadmin"), region="us-east-1",
    endpoint_override=os.environ.get("S3_ENDPOINT_URL", "http://localhost:9000"))
folder = location.removeprefix("s3://").rstrip("/")
files = [f for f in lake.get_file_info(pyarrow.fs.FileSelector(folder, allow_not_found=True))
         if f.path.endswith(".parquet")]
if not files:
    raise SystemExit(f"no Parquet file in {location}")
columns = pq.read_schema(max(files, key=lambda f: f.mtime).path, filesystem=lake)

cursor = connect(host=os.environ.get("MEESH_HOST", "127.0.0.1"),
                 port=int(os.environ.get("MEESH_PORT", "8080")),
                 user=os.environ.get("USER", "analyst"), catalog="hive").cursor()
listed = ", ".join(f'"{field.name}" {sql_type(field.type)}' for field in columns)
cursor.execute(f"CREATE TABLE IF NOT EXISTS hive.{table} ({listed}) "
               f"WITH (external_location = '{location}', format = 'PARQUET')")
cursor.fetchall()
cursor.execute(f"SELECT count(*) FROM hive.{table}")
print(f"hive.{table} has {len(columns)} columns and {cursor.fetchone()[0]} rows")
