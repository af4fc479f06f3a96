"""The clients of the data lake at work: boto3, minio-py, s3fs, pandas, PyArrow, DuckDB, aws, rclone."""
import io
import os
import shutil
import subprocess
import sys
from pathlib import Path

import duckdb
import pandas
import pyarrow
import pyarrow.fs
import pyarrow.parquet
import pytest
import s3fs
from minio import Minio
from minio.commonconfig import CopySource
from minio.deleteobjects import DeleteObject
from minio.error import S3Error
from support.meesh import ROOT
from support.s3 import all_keys, body_of

MIB = 1 << 20
FRAME = pandas.DataFrame({"id": range(5000), "name": [f"name {n}" for n in range(5000)],
                          "amount": [n / 7 for n in range(5000)]})


# --- the documents' own snippets ----------------------------------------------------------------


@pytest.fixture
def data_csv(folder):
    FRAME.to_csv(folder / "data.csv", index=False)
    return folder / "data.csv"


def test_boto3_uploads_a_file_as_parquet(endpoint, s3, bucket, data_csv):
    def upload_to_s3(file_name, bucket, object_name=None):
        client = endpoint.session.client(
            "s3", endpoint_url=endpoint.url, aws_access_key_id=endpoint.keys.access_key,
            aws_secret_access_key=endpoint.keys.secret_key, region_name="us-east-1")
        client.upload_file(str(file_name), bucket, object_name or Path(file_name).name)

    parquet = data_csv.with_suffix(".parquet")
    pandas.read_csv(data_csv).to_parquet(parquet)
    upload_to_s3(parquet, bucket, "raw/data.parquet")
    back = pandas.read_parquet(io.BytesIO(body_of(s3, bucket, "raw/data.parquet")))
    pandas.testing.assert_frame_equal(back, FRAME)


def test_minio_puts_a_file_as_parquet(minio_client, s3, bucket, data_csv):
    parquet = data_csv.with_suffix(".parquet")
    pandas.read_csv(data_csv).to_parquet(parquet)
    if not minio_client.bucket_exists(bucket_name=bucket):
        minio_client.make_bucket(bucket_name=bucket)
    minio_client.fput_object(bucket_name=bucket, object_name="raw/data.parquet",
                             file_path=str(parquet))
    assert all_keys(s3, bucket) == ["raw/data.parquet"]
    assert body_of(s3, bucket, "raw/data.parquet") == parquet.read_bytes()


# --- minio-py -----------------------------------------------------------------------------------


@pytest.fixture
def minio_client(endpoint):
    return Minio(endpoint.netloc, access_key=endpoint.keys.access_key,
                 secret_key=endpoint.keys.secret_key, secure=endpoint.tls)


def test_minio_py(minio_client, bucket):
    big = os.urandom(11 * MIB)
    minio_client.put_object(bucket, "small", io.BytesIO(b"hello"), 5, content_type="text/plain",
                            metadata={"a": "1"})
    minio_client.put_object(bucket, "dir/é +", io.BytesIO(big), -1, part_size=5 * MIB)
    stat = minio_client.stat_object(bucket, "small")
    assert (stat.size, stat.content_type, stat.metadata["x-amz-meta-a"]) == (5, "text/plain", "1")
    answer = minio_client.get_object(bucket, "dir/é +")
    assert answer.read() == big
    answer.close()
    assert minio_client.get_object(bucket, "small", offset=1, length=3).read() == b"ell"
    minio_client.copy_object(bucket, "copy", CopySource(bucket, "small"))
    assert {o.object_name for o in minio_client.list_objects(bucket)} == {"copy", "dir/", "small"}
    assert [o.object_name for o in minio_client.list_objects(bucket, recursive=True)] == [
        "copy", "dir/é +", "small"]
    with pytest.raises(S3Error, match="NoSuchKey"):
        minio_client.get_object(bucket, "none")
    url = minio_client.presigned_get_object(bucket, "small")
    import requests
    assert requests.get(url, timeout=10).content == b"hello"
    errors = list(minio_client.remove_objects(bucket, [DeleteObject(n) for n in
                                                       ("small", "copy", "dir/é +")]))
    assert errors == [] and list(minio_client.list_objects(bucket)) == []


# --- s3fs, pandas, PyArrow ----------------------------------------------------------------------


@pytest.fixture
def options(endpoint):
    """storage_options of fsspec."""
    return {"key": endpoint.keys.access_key, "secret": endpoint.keys.secret_key,
            "client_kwargs": {"endpoint_url": endpoint.url, "region_name": "us-east-1"}}


def test_s3fs(options, bucket):
    fs = s3fs.S3FileSystem(**options, use_listings_cache=False, skip_instance_cache=True)
    with fs.open(f"{bucket}/dir/a.txt", "w") as file:
        file.write("one\ntwo\n")
    big = os.urandom(12 * MIB)
    with fs.open(f"{bucket}/dir/big", "wb", block_size=5 * MIB) as file:
        file.write(big)
    assert fs.ls(f"{bucket}/dir") == [f"{bucket}/dir/a.txt", f"{bucket}/dir/big"]
    assert fs.info(f"{bucket}/dir/big")["size"] == 12 * MIB
    assert fs.cat_file(f"{bucket}/dir/big", start=7 * MIB, end=7 * MIB + 50) == big[
        7 * MIB:7 * MIB + 50]
    fs.cp(f"{bucket}/dir/a.txt", f"{bucket}/b.txt")
    fs.mv(f"{bucket}/b.txt", f"{bucket}/c.txt")
    assert fs.find(bucket) == [f"{bucket}/c.txt", f"{bucket}/dir/a.txt", f"{bucket}/dir/big"]
    assert fs.glob(f"{bucket}/**/*.txt") == [f"{bucket}/c.txt", f"{bucket}/dir/a.txt"]
    fs.rm(f"{bucket}/dir", recursive=True)
    assert not fs.exists(f"{bucket}/dir") and fs.exists(f"{bucket}/c.txt")


def test_pandas(options, bucket):
    FRAME.to_parquet(f"s3://{bucket}/a/frame.parquet", storage_options=options)
    FRAME.to_csv(f"s3://{bucket}/a/frame.csv", index=False, storage_options=options)
    for back in (pandas.read_parquet(f"s3://{bucket}/a/frame.parquet", storage_options=options),
                 pandas.read_csv(f"s3://{bucket}/a/frame.csv", storage_options=options)):
        pandas.testing.assert_frame_equal(back, FRAME)


def test_pyarrow_with_its_own_client(endpoint, s3, bucket):
    fs = pyarrow.fs.S3FileSystem(
        access_key=endpoint.keys.access_key, secret_key=endpoint.keys.secret_key,
        endpoint_override=endpoint.netloc, scheme="http", region="us-east-1")
    table = pyarrow.Table.from_pandas(FRAME)
    pyarrow.parquet.write_to_dataset(table.append_column("part", pyarrow.array(
        [n % 3 for n in range(5000)])), f"{bucket}/set", partition_cols=["part"], filesystem=fs)
    back = pyarrow.parquet.read_table(f"{bucket}/set", filesystem=fs)
    assert back.num_rows == 5000 and set(back["part"].to_pylist()) == {0, 1, 2}
    only = pyarrow.parquet.read_table(f"{bucket}/set", filesystem=fs, columns=["id"],
                                      filters=[("part", "=", 1)])
    assert only.num_rows == len([n for n in range(5000) if n % 3 == 1])
    big = os.urandom(11 * MIB)
    with fs.open_output_stream(f"{bucket}/big") as stream:
        stream.write(big)
    with fs.open_input_file(f"{bucket}/big") as file:
        file.seek(6 * MIB)
        assert file.read(100) == big[6 * MIB:6 * MIB + 100]
    assert body_of(s3, bucket, "big") == big
    names = {i.base_name: i.type for i in fs.get_file_info(pyarrow.fs.FileSelector(bucket))}
    assert names == {"set": pyarrow.fs.FileType.Directory, "big": pyarrow.fs.FileType.File}
    fs.delete_dir(f"{bucket}/set")
    assert all_keys(s3, bucket) == ["big"]


# --- DuckDB -------------------------------------------------------------------------------------


@pytest.fixture
def duck(endpoint):
    version = duckdb.__version__
    extension = ROOT / ".deps" / f"duckdb-{version}" / "extensions" / "httpfs.duckdb_extension"
    if not extension.exists():
        pytest.skip(f"no {extension}: setup/setup.sh --for test fetches it")
    connection = duckdb.connect()
    connection.execute(f"LOAD '{extension}'")
    keys = endpoint.keys
    connection.execute(f"""CREATE SECRET (TYPE s3, KEY_ID '{keys.access_key}',
        SECRET '{keys.secret_key}', ENDPOINT '{endpoint.netloc}', URL_STYLE 'path', USE_SSL false,
        REGION 'us-east-1')""")
    yield connection
    connection.close()


def test_duckdb_httpfs(duck, s3, bucket):
    duck.execute(f"""COPY (SELECT range AS id, range % 7 AS part, 'row ' || range AS name
        FROM range(200000)) TO 's3://{bucket}/one.parquet'""")
    assert duck.execute(f"""SELECT count(*), sum(id), min(name) FROM
        's3://{bucket}/one.parquet' WHERE part = 3""").fetchone() == (
        28571, sum(range(3, 200000, 7)), "row 10")
    duck.execute(f"""COPY (SELECT * FROM 's3://{bucket}/one.parquet') TO 's3://{bucket}/many'
        (FORMAT parquet, PARTITION_BY (part))""")
    assert len({k.split("/")[1] for k in all_keys(s3, bucket, Prefix="many/")}) == 7
    assert duck.execute(f"SELECT count(*) FROM 's3://{bucket}/many/*/*.parquet' WHERE part = 2"
                        ).fetchone() == (28572,)
    duck.execute(f"COPY (SELECT 42 AS answer) TO 's3://{bucket}/a b+é.csv'")
    assert duck.execute(f"SELECT answer FROM 's3://{bucket}/a b+é.csv'").fetchone() == (42,)
    with pytest.raises(duckdb.Error, match="404|No files found|NoSuchKey|Not Found"):
        duck.execute(f"SELECT * FROM 's3://{bucket}/none.parquet'")


# --- aws ----------------------------------------------------------------------------------------


@pytest.fixture
def aws(endpoint, folder):
    def run(*words, code=0):
        result = subprocess.run(
            [str(Path(sys.executable).with_name("aws")), "--endpoint-url", endpoint.url, *words],
            text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=120, cwd=folder,
            env={**os.environ, "AWS_ACCESS_KEY_ID": endpoint.keys.access_key,
                 "AWS_SECRET_ACCESS_KEY": endpoint.keys.secret_key,
                 "AWS_DEFAULT_REGION": "us-east-1", "AWS_EC2_METADATA_DISABLED": "true",
                 "AWS_CONFIG_FILE": str(folder / "none"), "AWS_PAGER": ""})
        assert result.returncode == code, result.stdout
        return result.stdout
    return run


def test_aws_s3(aws, s3, bucket, folder):
    source = folder / "source"
    (source / "sub").mkdir(parents=True)
    (source / "a b.txt").write_text("a")
    (source / "sub" / "big").write_bytes(os.urandom(17 * MIB))
    aws("s3", "sync", "source", f"s3://{bucket}/copy")
    assert all_keys(s3, bucket) == ["copy/a b.txt", "copy/sub/big"]
    assert aws("s3", "sync", "source", f"s3://{bucket}/copy") == ""  # nothing changed
    aws("s3", "cp", "--recursive", f"s3://{bucket}/copy", "back")
    assert (folder / "back/sub/big").read_bytes() == (source / "sub/big").read_bytes()
    assert "Total Objects: 2" in aws("s3", "ls", "--recursive", "--summarize", f"s3://{bucket}")
    aws("s3", "rm", "--recursive", f"s3://{bucket}/")
    assert all_keys(s3, bucket) == []


# --- rclone -------------------------------------------------------------------------------------


@pytest.fixture
def rclone(endpoint, folder):
    found = next((str(p) for p in (ROOT / ".deps").glob("rclone-*/rclone")), None) or shutil.which(
        "rclone")
    if not found:
        pytest.skip("no rclone: setup/setup.sh --for full builds it")
    (folder / "rclone.conf").touch()

    def run(*words):
        result = subprocess.run(
            [found, *words], text=True, timeout=120, cwd=folder, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env={**os.environ, "RCLONE_CONFIG": str(folder / "rclone.conf"),
                 "RCLONE_CONFIG_LAKE_TYPE": "s3", "RCLONE_CONFIG_LAKE_PROVIDER": "Minio",
                 "RCLONE_CONFIG_LAKE_ENDPOINT": endpoint.url,
                 "RCLONE_CONFIG_LAKE_ACCESS_KEY_ID": endpoint.keys.access_key,
                 "RCLONE_CONFIG_LAKE_SECRET_ACCESS_KEY": endpoint.keys.secret_key})
        assert result.returncode == 0, result.stdout
        return result.stdout
    return run


def test_rclone(rclone, s3, bucket, folder):
    source = folder / "source"
    (source / "sub").mkdir(parents=True)
    (source / "é +%.txt").write_text("a")
    (source / "sub" / "big").write_bytes(os.urandom(12 * MIB))
    rclone("copy", "source", f"lake:{bucket}/to", "--s3-upload-cutoff", "6M", "--s3-chunk-size",
           "5M")
    assert all_keys(s3, bucket) == ["to/sub/big", "to/é +%.txt"]
    assert "0 differences" in rclone("check", "source", f"lake:{bucket}/to", "--download")
    assert sorted(rclone("lsf", "-R", f"lake:{bucket}").splitlines()) == [
        "to/", "to/sub/", "to/sub/big", "to/é +%.txt"]
    rclone("purge", f"lake:{bucket}/to")
    assert all_keys(s3, bucket) == []
