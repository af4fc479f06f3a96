"""SIGKILL under eight writers: after the restart every acknowledged object is whole, none is half
written, and the listing tells what GET gives."""
import hashlib
import os
import random
import threading
import time

import pytest
from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError
from support.processes import wait_until
from support.s3 import all_keys
from support.s3_server import LakeServer, lake_mesh

BUCKET = "durable"
PART = 5 << 20
WRITERS, KEYS = 8, 6
SIZES = [0, 10, 5_000, 40_000, 300_000, 2_000_000]


class Lost(Exception):
    """The server was killed: whether this operation happened is open."""


class Writer(threading.Thread):
    """Works on keys of its own. `may`: key → set of MD5s that may be there (None: nothing)."""

    def __init__(self, number, endpoint, seed, state):
        super().__init__(daemon=True)
        self.number, self.endpoint, self.state = number, endpoint, state
        self.random = random.Random(seed * 100 + number)
        self.acknowledged, self.failure = 0, None

    def run(self):
        try:
            s3 = self.endpoint.client(read_timeout=20)
            while True:
                self.step(s3)
        except Lost:
            pass
        except Exception as failure:
            self.failure = failure

    def step(self, s3):
        key = f"w{self.number}/k{self.random.randrange(KEYS)}"
        kind = self.random.choice(["put", "put", "put", "delete", "multipart", "copy"])
        if kind == "delete":
            after, call = None, lambda: s3.delete_object(Bucket=BUCKET, Key=key)
        elif kind == "multipart":
            body = [self.random.randbytes(PART), self.random.randbytes(1000)]
            after, call = b"".join(body), lambda: self.multipart(s3, key, body)
        elif kind == "copy":
            source = f"w{self.number}/k{self.random.randrange(KEYS)}"
            content = self.state.get(source, {None})
            if source == key or content == {None}:
                return
            [after] = content
            call = lambda: s3.copy_object(Bucket=BUCKET, Key=key, CopySource=f"{BUCKET}/{source}")
        else:
            after = self.random.randbytes(self.random.choice(SIZES))
            call = lambda: s3.put_object(Bucket=BUCKET, Key=key, Body=after)
        told = after if after is None or isinstance(after, str) else hashlib.md5(after).hexdigest()
        before = self.state.get(key, {None})
        self.state[key] = before | {told}
        try:
            call()
        except ClientError as error:
            if error.response["ResponseMetadata"]["HTTPStatusCode"] < 500:
                raise
            raise Lost from error
        except (BotoCoreError, HTTPClientError, OSError) as error:
            raise Lost from error
        self.state[key] = {told}
        self.acknowledged += 1

    @staticmethod
    def multipart(s3, key, bodies):
        began = s3.create_multipart_upload(Bucket=BUCKET, Key=key)["UploadId"]
        tags = [s3.upload_part(Bucket=BUCKET, Key=key, UploadId=began, PartNumber=n,
                               Body=body)["ETag"] for n, body in enumerate(bodies, 1)]
        s3.complete_multipart_upload(Bucket=BUCKET, Key=key, UploadId=began, MultipartUpload={
            "Parts": [{"PartNumber": n, "ETag": tag} for n, tag in enumerate(tags, 1)]})


def check(s3, state, round_):
    """Settles `state` to what is there; fails if that is nothing allowed."""
    listed = {o["Key"]: o for page in s3.get_paginator("list_objects_v2").paginate(Bucket=BUCKET)
              for o in page.get("Contents", [])}
    assert set(listed) <= set(state), (round_, set(listed) - set(state))
    for key, may in state.items():
        try:
            got = s3.get_object(Bucket=BUCKET, Key=key, ChecksumMode="ENABLED")
            body = got["Body"].read()  # boto3 holds it against the checksum
            found = hashlib.md5(body).hexdigest()
            assert len(body) == got["ContentLength"] == listed[key]["Size"], (round_, key)
            assert got["ETag"] == listed[key]["ETag"], (round_, key)
            if "-" not in got["ETag"]:
                assert got["ETag"] == f'"{found}"', (round_, key)
        except s3.exceptions.NoSuchKey:
            found = None
            assert key not in listed, (round_, key)
        assert found in may, (f"round {round_}: {key} is {found}, allowed were {may}")
        state[key] = {found}


def rounds_of_murder(folder, count, seconds):
    """(rounds done, operations acknowledged)"""
    server = LakeServer(lake_mesh(folder / "mesh"), folder / "data").start()
    server.endpoint().client().create_bucket(Bucket=BUCKET)
    seed = int.from_bytes(os.urandom(4), "big")
    chosen, state, acknowledged = random.Random(seed), {}, 0
    deadline = time.monotonic() + seconds
    try:
        for turn in range(count):
            if time.monotonic() > deadline:
                return turn, acknowledged
            mine = [{k: v for k, v in state.items() if k.startswith(f"w{n}/")}
                    for n in range(WRITERS)]
            writers = [Writer(n, server.endpoint(), seed + turn, mine[n]) for n in range(WRITERS)]
            for writer in writers:
                writer.start()
            wait_until(lambda: sum(writer.acknowledged for writer in writers) >= WRITERS or
                       any(writer.failure for writer in writers), 60, "writers at work")
            time.sleep(chosen.uniform(0, 0.6))
            server.kill()
            for writer in writers:
                writer.join(60)
                assert not writer.is_alive(), "a writer hangs after the kill"
                if writer.failure:
                    raise AssertionError(f"seed {seed}, round {turn}") from writer.failure
                acknowledged += writer.acknowledged
                state.update(writer.state)
            server.start()
            check(server.endpoint().client(), state, turn)
        return count, acknowledged
    finally:
        server.stop()


@pytest.mark.ours_only("kills the server")
@pytest.mark.parametrize("count,seconds", [
    (3, 60), pytest.param(1000, 10 * 60, marks=[pytest.mark.full, pytest.mark.timeout(1200)])],
    ids=["short", "full"])
def test_acknowledged_objects_survive_being_killed(folder, count, seconds, record_property):
    done, acknowledged = rounds_of_murder(folder, count, seconds)
    print(f"{done} rounds, {acknowledged} operations acknowledged")
    record_property("rounds", done)
    assert acknowledged > done  # the writers wrote


@pytest.mark.ours_only("kills the server")
def test_uploads_and_versions_survive_being_killed(folder):
    server = LakeServer(lake_mesh(folder / "mesh"), folder / "data").start()
    try:
        s3 = server.endpoint().client()
        s3.create_bucket(Bucket=BUCKET)
        s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
        ids = [s3.put_object(Bucket=BUCKET, Key="k", Body=b"%d" % n)["VersionId"] for n in range(3)]
        began = s3.create_multipart_upload(Bucket=BUCKET, Key="parts")["UploadId"]
        tag = s3.upload_part(Bucket=BUCKET, Key="parts", UploadId=began, PartNumber=1,
                             Body=b"x" * 100_000)["ETag"]
        s3.delete_object(Bucket=BUCKET, Key="k")
        server.kill()
        server.start()
        s3 = server.endpoint().client()
        assert s3.get_bucket_versioning(Bucket=BUCKET)["Status"] == "Enabled"
        assert all_keys(s3, BUCKET) == []
        for n, version in enumerate(ids):
            assert s3.get_object(Bucket=BUCKET, Key="k", VersionId=version)["Body"].read() == (
                b"%d" % n)
        s3.complete_multipart_upload(Bucket=BUCKET, Key="parts", UploadId=began, MultipartUpload={
            "Parts": [{"PartNumber": 1, "ETag": tag}]})
        assert s3.head_object(Bucket=BUCKET, Key="parts")["ContentLength"] == 100_000
    finally:
        server.stop()


@pytest.mark.ours_only("looks into the data folder")
def test_unfinished_writes_leave_no_files_behind(folder):
    """What a killed PUT had written is cleared away at the next start."""
    server = LakeServer(lake_mesh(folder / "mesh"), folder / "data").start()
    try:
        endpoint = server.endpoint()
        s3 = endpoint.client()
        s3.create_bucket(Bucket=BUCKET)
        signed = endpoint.signer().headers(
            "PUT", f"/{BUCKET}/half", "", {"host": endpoint.netloc,
                                           "content-length": str(50 << 20)}, "UNSIGNED-PAYLOAD")
        lines = "".join(f"{name}: {value}\r\n" for name, value in signed.items())
        with endpoint.socket() as sock:
            sock.sendall(f"PUT /{BUCKET}/half HTTP/1.1\r\n{lines}\r\n".encode())
            sock.sendall(b"x" * (20 << 20))
            server.kill()
        server.start()
        assert all_keys(server.endpoint().client(), BUCKET) == []
        kept = sum(p.stat().st_size for p in server.data.rglob("*") if p.is_file())
        assert kept < 10 << 20, {str(p): p.stat().st_size for p in server.data.rglob("*")
                                 if p.is_file() and p.stat().st_size > 1 << 20}
    finally:
        server.stop()
