"""The S3 protocol with the clients people use, against one server for the whole folder.

    pytest tests/s3                                      # meesh, started here
    pytest tests/s3 --s3 http://127.0.0.1:9000 --s3-access-key … --s3-secret-key …
    S3_ENDPOINT=… S3_ACCESS_KEY=… S3_SECRET_KEY=… pytest tests/s3
    pytest tests/s3 --s3 minio                           # the MinIO of .deps, started here

What is tested is what Amazon S3 does. A test marked `minio_differs` must fail on MinIO: its reason
says what MinIO does instead.
"""
import json
import os
import uuid

import pytest
import requests
from minio import MinioAdmin
from minio.credentials import StaticProvider
from support import minio_server
from support.meesh import binary
from support.minio_server import MinioServer
from support.s3 import Endpoint, Keys, remove_bucket
from support.s3_server import LakeServer, lake_mesh


def pytest_addoption(parser):
    parser.addoption("--s3", help="test this endpoint instead of starting meesh; minio: start that")
    parser.addoption("--s3-access-key")
    parser.addoption("--s3-secret-key")


def pytest_configure(config):
    config.addinivalue_line("markers", "minio_differs(what, only=None): Amazon's way, not "
                            "MinIO's; only: the parameters' ids where they differ, else all")
    config.addinivalue_line("markers", "ours_only(why): what only meesh promises")


def option(config, name, variable):
    return config.getoption(name, default=None) or os.environ.get(variable)


def kind_of(config):
    where = option(config, "--s3", "S3_ENDPOINT")
    if not where:
        return "meesh"
    if where == "minio":
        return "minio"
    server = requests.get(where, timeout=10).headers.get("Server", "").lower()
    return next((kind for kind in ("minio", "meesh") if kind in server), "other")


def pytest_collection_modifyitems(config, items):
    here = [i for i in items if "/tests/s3/" in str(i.path)]
    kind = kind_of(config) if here else None
    for item in here:
        if kind == "minio" and (marker := item.get_closest_marker("minio_differs")):
            only = marker.kwargs.get("only")
            if only is None or item.callspec.id in only:
                item.add_marker(pytest.mark.xfail(reason=marker.args[0], strict=True))
        if kind != "meesh" and (marker := item.get_closest_marker("ours_only")):
            item.add_marker(pytest.mark.skip(reason=marker.args[0]))


@pytest.fixture(scope="session")
def endpoint(request, work_folder):
    config = request.config
    where = option(config, "--s3", "S3_ENDPOINT")
    if where == "minio":
        if reason := minio_server.why_not():
            pytest.fail(reason, pytrace=False)
        server = MinioServer(work_folder / "minio").start()
        try:
            yield Endpoint(server.url, Keys(server.access_key, server.secret_key), "minio", True,
                           server)
        finally:
            server.stop()
    elif where:
        yield Endpoint(where, Keys(option(config, "--s3-access-key", "S3_ACCESS_KEY"),
                                   option(config, "--s3-secret-key", "S3_SECRET_KEY")),
                       kind_of(config))
    else:
        if not binary().exists():
            pytest.fail(f"{binary()} is not built: setup/build.sh dev", pytrace=False)
        server = LakeServer(lake_mesh(work_folder / "lake"), work_folder / "lake-data").start()
        try:
            yield server.endpoint()
        finally:
            server.stop()


@pytest.fixture(scope="session")
def s3(endpoint):
    return endpoint.client()


@pytest.fixture
def make_bucket(endpoint, s3):
    """make_bucket(**create_bucket options) → the name of a new bucket, gone after the test."""
    made = []

    def make(name=None, **options):
        name = name or f"t-{uuid.uuid4().hex[:16]}"
        s3.create_bucket(Bucket=name, **options)
        made.append(name)
        return name

    yield make
    if endpoint.owned:
        return  # the server goes with its folder
    for name in made:
        try:
            remove_bucket(s3, name)
        except Exception as failure:  # locked on purpose, or deleted by the test
            print(f"{name} stays: {failure}")


@pytest.fixture
def bucket(make_bucket):
    return make_bucket()


@pytest.fixture
def versioned(make_bucket, s3):
    name = make_bucket()
    s3.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
    return name


@pytest.fixture
def user(endpoint, s3):
    """user(policy document) → Keys of somebody who may do what the policy says and no more."""
    made = []

    def make(policy):
        policy = {"Version": "2012-10-17", **policy}
        if endpoint.is_minio():
            return minio_user(policy)
        got = endpoint.client(service="sts").assume_role(
            RoleArn="arn:aws:iam::000000000000:role/tests", RoleSessionName="tests",
            DurationSeconds=900, Policy=json.dumps(policy))["Credentials"]
        return Keys(got["AccessKeyId"], got["SecretAccessKey"], got["SessionToken"])

    def minio_user(policy):
        admin = MinioAdmin(endpoint=endpoint.netloc, secure=endpoint.tls,
                           credentials=StaticProvider(endpoint.keys.access_key,
                                                      endpoint.keys.secret_key))
        name = f"user-{uuid.uuid4().hex[:12]}"
        made.append((admin, name))
        admin.user_add(name, "secret-of-" + name)
        admin.policy_add(name, policy=policy)
        admin.policy_set(name, user=name)
        return Keys(name, "secret-of-" + name)

    yield make
    for admin, name in made:
        admin.user_remove(name)
        admin.policy_remove(name)
