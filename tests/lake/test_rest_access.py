"""Who may do what through the REST catalog, and what the keys that it vends open."""
import os
import subprocess

import pyarrow as pa
import pytest
import requests
from botocore.exceptions import ClientError
from pyiceberg.exceptions import ForbiddenError
from support.iceberg import error_of, python_catalog
from support.meesh import binary
from support.processes import wait_until
from support.s3 import Keys


@pytest.fixture(scope="module")
def reader(lake):
    """An access key that may read everything and write nothing."""
    told = subprocess.run(
        [str(binary()), "access", "add", "reader", "--policy", "readonly", "--mesh",
         str(lake.mesh), "--data", str(lake.data)],
        env={**os.environ, "S3_ACCESS_KEY": lake.keys.access_key,
             "S3_SECRET_KEY": lake.keys.secret_key},
        capture_output=True, text=True, check=True).stdout
    keys = Keys(*(line.split("=", 1)[1] for line in told.splitlines()))
    wait_until(lambda: "access_token" in ask(lake, keys), 10, "the running mesh to know the key")
    return keys


@pytest.fixture
def table(catalog, space):
    data = pa.table({"n": pa.array([1, 2, 3], pa.int64())})
    catalog.create_table((space, "t"), data.schema).append(data)
    return f"namespaces/{space}/tables/t"


def ask(lake, keys):
    return requests.post(f"{lake.url}/iceberg/v1/oauth/tokens", timeout=10, data={
        "grant_type": "client_credentials", "client_id": keys.access_key,
        "client_secret": keys.secret_key}).json()


def token(lake, keys):
    return {"Authorization": f"Bearer {ask(lake, keys)['access_token']}"}


def test_a_reader_reads_and_nothing_else(lake, rest, space, table, reader):
    headers = token(lake, reader)
    assert rest("GET", table, headers=headers).status_code == 200
    for method, path, body in [
            ("POST", table, {"requirements": [], "updates": []}), ("DELETE", table, None),
            ("POST", "namespaces", {"namespace": ["x"]}),
            ("POST", f"namespaces/{space}/tables", {"name": "u", "schema": {
                "type": "struct", "fields": []}}),
            ("POST", "tables/rename", {"source": {"namespace": [space], "name": "t"},
                                       "destination": {"namespace": [space], "name": "v"}})]:
        assert error_of(rest(method, path, body, headers=headers))[:2] == (
            403, "ForbiddenException"), path
    assert rest("HEAD", table).status_code == 204


def test_a_reader_with_pyiceberg(lake, catalog, space, table, reader):
    own = python_catalog(lake, credential=f"{reader.access_key}:{reader.secret_key}",
                         **{"oauth2-server-uri": f"{lake.url}/iceberg/v1/oauth/tokens"})
    found = own.load_table((space, "t"))
    assert found.scan().to_arrow().num_rows == 3
    with pytest.raises((ForbiddenError, PermissionError, OSError)):
        found.append(pa.table({"n": pa.array([4], pa.int64())}))
    assert catalog.load_table((space, "t")).scan().to_arrow().num_rows == 3


def test_vended_keys_open_the_tables_folder_alone(lake, rest, catalog, space, table):
    catalog.create_table((space, "other"), pa.schema([("n", pa.int64())]))
    config = rest("GET", table, headers={
        "X-Iceberg-Access-Delegation": "vended-credentials"}).json()["config"]
    keys = Keys(config["s3.access-key-id"], config["s3.secret-access-key"],
                config["s3.session-token"])
    s3 = lake.endpoint().client(keys)
    own = f"{space}/t/data/x"
    s3.put_object(Bucket="lake", Key=own, Body=b"x")
    assert s3.get_object(Bucket="lake", Key=own)["Body"].read() == b"x"
    assert s3.list_objects_v2(Bucket="lake", Prefix=f"{space}/t/")["KeyCount"] > 0
    for attempt in (
            lambda: s3.put_object(Bucket="lake", Key=f"{space}/other/data/x", Body=b"x"),
            lambda: s3.put_object(Bucket="lake", Key=f"{space}/t2/x", Body=b"x"),
            lambda: s3.list_objects_v2(Bucket="lake"),
            lambda: s3.list_objects_v2(Bucket="lake", Prefix=f"{space}/"),
            lambda: s3.get_bucket_policy(Bucket="lake")):
        with pytest.raises(ClientError) as refused:
            attempt()
        assert refused.value.response["Error"]["Code"] == "AccessDenied"
    s3.delete_object(Bucket="lake", Key=own)


def test_no_keys_unless_asked(rest, table):
    assert not any("secret" in key for key in rest("GET", table).json()["config"])


def test_denied_calls_are_in_the_audit_trail(lake, rest, table, reader):
    rest("DELETE", table, headers=token(lake, reader))

    def lines():
        return "".join(path.read_text() for path in (lake.data / "audit").glob("*.jsonl"))

    def found():
        return [line for line in lines().splitlines()
                if '"iceberg:DELETE"' in line and '"reader"' in line]
    wait_until(found, 10, "the line in the audit trail")
    assert '"denied"' in found()[0] and reader.secret_key not in lines()
