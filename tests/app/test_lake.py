"""`meesh lake` and `meesh access` as a user types them."""
import json
import os
import subprocess

import pytest
import requests
from support.meesh import binary
from support.processes import wait_until
from support.s3 import Keys, code_of
from support.s3_server import LakeServer, lake_mesh


@pytest.fixture(scope="module")
def server(work_folder):
    folder = work_folder / "lake-commands"
    server = LakeServer(lake_mesh(folder / "mesh", buckets={
        "lake": {}, "kept": {"versioning": True}}), folder / "data").start()
    yield server
    server.stop()


@pytest.fixture(scope="module")
def meesh(server):
    """meesh("lake", "ls", …) → the finished command; `fails` tells that it must."""

    def run(*arguments, fails=False):
        keys = {"AWS_ACCESS_KEY_ID": server.keys.access_key, "S3_ENDPOINT_URL": server.s3_url,
                "AWS_SECRET_ACCESS_KEY": server.keys.secret_key,
                "S3_ACCESS_KEY": server.keys.access_key, "S3_SECRET_KEY": server.keys.secret_key}
        result = subprocess.run([str(binary()), *map(str, arguments)], text=True, timeout=60,
                                capture_output=True, env={**os.environ, **keys})
        assert (result.returncode != 0) == fails, (result.stdout, result.stderr)
        return result.stderr if fails else result.stdout

    return run


@pytest.fixture
def files(folder):
    (folder / "up" / "deep").mkdir(parents=True)
    (folder / "up" / "é b.txt").write_text("hello\n")
    (folder / "up" / "deep" / "big").write_bytes(os.urandom(20 << 20))
    return folder / "up"


def test_a_folder_goes_up_and_comes_down(meesh, files, folder):
    meesh("lake", "cp", "-r", files, "s3://lake/a")
    names = [json.loads(line)["key"] for line in
             meesh("lake", "ls", "-r", "--json", "s3://lake/a/").splitlines()]
    assert names == ["a/deep/big", "a/é b.txt"]
    assert json.loads(meesh("lake", "du", "--json", "s3://lake/a/")) == {
        "objects": 2, "bytes": (20 << 20) + 6}
    meesh("lake", "cp", "-r", "s3://lake/a", folder / "down")
    assert (folder / "down/deep/big").read_bytes() == (files / "deep/big").read_bytes()
    assert meesh("lake", "cat", "s3://lake/a/é b.txt") == "hello\n"
    assert json.loads(meesh("lake", "stat", "--json", "s3://lake/a/é b.txt"))["size"] == 6
    meesh("lake", "mv", "s3://lake/a/é b.txt", "s3://lake/b/c.txt")
    assert "does not exist" in meesh("lake", "cat", "s3://lake/a/é b.txt", fails=True)
    meesh("lake", "rm", "-r", "s3://lake/a/")
    assert meesh("lake", "ls", "-r", "s3://lake/a/") == ""


def test_sync_copies_what_changed_and_removes_what_is_gone(meesh, files):
    assert "2 copied, 0 already there" in meesh("lake", "sync", files, "s3://lake/sync")
    assert "0 copied, 2 already there" in meesh("lake", "sync", files, "s3://lake/sync")
    (files / "é b.txt").write_text("longer than before\n")
    (files / "deep" / "big").unlink()
    assert "1 copied" in meesh("lake", "sync", "--delete", files, "s3://lake/sync")
    assert meesh("lake", "cat", "s3://lake/sync/é b.txt") == "longer than before\n"
    assert "deep/big" not in meesh("lake", "ls", "-r", "s3://lake/sync/")


def test_an_older_version_comes_back(meesh, files):
    for text in ("first", "second"):
        (files / "v").write_text(text)
        meesh("lake", "cp", files / "v", "s3://kept/v")
    meesh("lake", "restore", "s3://kept/v")
    assert meesh("lake", "cat", "s3://kept/v") == "first"
    meesh("lake", "rm", "s3://kept/v")
    assert len(meesh("lake", "versions", "s3://kept/v").splitlines()) == 4
    meesh("lake", "restore", "s3://kept/v")
    assert meesh("lake", "cat", "s3://kept/v") == "first"


def test_a_signed_link_works_for_those_without_a_key(meesh, files):
    meesh("lake", "cp", files / "é b.txt", "s3://lake/link/é b.txt")
    url = meesh("lake", "presign", "s3://lake/link/é b.txt", "--expires", "5m").strip()
    assert requests.get(url, timeout=10).text == "hello\n"
    assert "7 days" in meesh("lake", "presign", "s3://lake/x", "--expires", "8d", fails=True)


def test_a_key_that_leads_outside_is_not_written_there(meesh, server, folder):
    server.endpoint().client().put_object(Bucket="lake", Key="evil/../../out", Body=b"x")
    error = meesh("lake", "cp", "-r", "s3://lake/evil", folder / "in", fails=True)
    assert "outside" in error and not (folder.parent / "out").exists()


def test_mistakes_are_told(meesh):
    assert "s3://bucket/key" in meesh("lake", "cat", "s3://lake", fails=True)
    assert "bucket" in meesh("lake", "ls", "s3://no-such-bucket", fails=True)
    assert "one side must be s3://" in meesh("lake", "cp", "a", "b", fails=True)


def test_users_have_the_rights_of_their_policies(meesh, server):
    where = ["--mesh", server.mesh, "--data", server.data]
    told = meesh("access", "add", "ann", "--policy", "readonly", *where)
    keys = Keys(*(line.split("=", 1)[1] for line in told.splitlines()))
    root, ann = server.endpoint().client(), server.endpoint().client(keys)
    root.put_object(Bucket="lake", Key="ann", Body=b"x")
    wait_until(lambda: code_of(ann.get_object, Bucket="lake", Key="ann") == "", 10,
               "the running mesh to know ann")
    assert code_of(ann.put_object, Bucket="lake", Key="ann", Body=b"y") == "AccessDenied"
    assert "ann" in meesh("access", "ls", *where) and "readonly" in meesh("access", "ls", *where)
    meesh("access", "attach", "ann", "readwrite", *where)
    wait_until(lambda: code_of(ann.put_object, Bucket="lake", Key="ann", Body=b"y") == "", 10,
               "her new right")
    meesh("access", "disable", "ann", *where)
    wait_until(lambda: code_of(ann.get_object, Bucket="lake", Key="ann") == "InvalidAccessKeyId",
               10, "her key to be refused")
    assert "exists" in meesh("access", "add", "ann", *where, fails=True)
