"""A CSV file becomes Parquet in the lake, with the `minio` client.

    pip install minio pandas pyarrow
    python minio_upload.py data.csv [raw/data.parquet]
"""
import os
import sys
import tempfile

import pandas as pd
from minio import Minio

client = Minio(os.environ.get("S3_ENDPOINT", "localhost:9000"),
               access_key=os.environ.get("AWS_ACCESS_KEY_ID", "minioadmin"),
               secret_key=os.environ.get("AWS_SECRET_ACCESS_KEY", "minioadmin"), secure=False)
source = sys.argv[1]
name = sys.argv[2] if len(sys.argv) > 2 else "raw/data.parquet"

with tempfile.TemporaryDirectory() as folder:
    parquet = os.path.join(folder, "data.parquet")
    pd.read_csv(source).to_parquet(parquet)
    client.fput_object("datalake", name, parquet)
print(f"{source} is in the bucket datalake, as {name}")
