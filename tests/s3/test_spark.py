"""Spark on Hadoop's s3a: Parquet written, read, overwritten and committed in an S3 bucket."""
import os
import shutil
import subprocess
import sys

import pytest
from support.meesh import ROOT
from support.s3 import all_keys
from support.trino_server import versions

SCRIPT = """
import os, sys
from pyspark.sql import SparkSession, functions as F
endpoint, bucket, jars = sys.argv[1:]
spark = (SparkSession.builder.master("local[2]").appName("tests")
    .config("spark.jars", jars).config("spark.ui.enabled", "false")
    .config("spark.sql.shuffle.partitions", "2").config("spark.driver.memory", "700m")
    .config("spark.driver.bindAddress", "127.0.0.1").config("spark.driver.host", "127.0.0.1")
    .config("spark.hadoop.fs.s3a.endpoint", endpoint)
    .config("spark.hadoop.fs.s3a.endpoint.region", "us-east-1")
    .config("spark.hadoop.fs.s3a.access.key", os.environ["S3_ACCESS_KEY"])
    .config("spark.hadoop.fs.s3a.secret.key", os.environ["S3_SECRET_KEY"])
    .config("spark.hadoop.fs.s3a.path.style.access", "true")
    .config("spark.hadoop.fs.s3a.connection.ssl.enabled", "false")
    .config("spark.hadoop.fs.s3a.multipart.size", "5M")
    .getOrCreate())
root = f"s3a://{bucket}/lake"
frame = spark.range(300000).withColumn("part", F.col("id") % 3).withColumn(
    "text", F.sha2(F.col("id").cast("string"), 256))
frame.write.partitionBy("part").parquet(f"{root}/rows")
back = spark.read.parquet(f"{root}/rows")
assert back.count() == 300000
assert back.where("part = 1").agg(F.sum("id")).first()[0] == sum(range(1, 300000, 3))
spark.range(10).write.mode("overwrite").parquet(f"{root}/rows")
assert spark.read.parquet(f"{root}/rows").count() == 10
spark.range(5).write.mode("append").parquet(f"{root}/rows")
assert spark.read.parquet(f"{root}/rows").count() == 15
spark.range(100).coalesce(1).write.option("header", True).csv(f"{root}/as csv+é")
assert spark.read.option("header", True).csv(f"{root}/as csv+é").count() == 100
hadoop = spark._jvm.org.apache.hadoop.fs
path = hadoop.Path(f"{root}/as csv+é")
fs = path.getFileSystem(spark._jsc.hadoopConfiguration())
assert fs.rename(path, hadoop.Path(f"{root}/renamed"))
assert not fs.exists(path) and fs.exists(hadoop.Path(f"{root}/renamed"))
assert fs.delete(hadoop.Path(f"{root}/renamed"), True)
spark.stop()
print("all good")
"""


@pytest.mark.full
@pytest.mark.timeout(600)
def test_spark_works_in_a_bucket(endpoint, s3, bucket, folder):
    pytest.importorskip("pyspark", reason="setup/setup.sh --for full brings it")
    jars = [ROOT / ".deps" / "maven" / f"{name}-{versions()[version]}.jar" for name, version in (
        ("hadoop-aws", "HADOOP_VERSION"), ("bundle", "AWS_SDK_VERSION"),
        ("analyticsaccelerator-s3", "ANALYTICS_ACCELERATOR_VERSION"))]
    if not all(jar.exists() for jar in jars) or not shutil.which("java"):
        pytest.skip("no hadoop-aws and AWS SDK, or no Java: setup/setup.sh --for full")
    script = folder / "job.py"
    script.write_text(SCRIPT)
    result = subprocess.run(
        [sys.executable, str(script), endpoint.url, bucket, ",".join(map(str, jars))], text=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=580, cwd=folder,
        env={**os.environ, "S3_ACCESS_KEY": endpoint.keys.access_key,
             "S3_SECRET_KEY": endpoint.keys.secret_key, "PYSPARK_PYTHON": sys.executable})
    assert result.returncode == 0 and "all good" in result.stdout, result.stdout[-6000:]
    keys = all_keys(s3, bucket)
    assert "lake/rows/_SUCCESS" in keys and not [k for k in keys if "_temporary" in k]
