"""Conditional writes: alone, and in histories of many writers that must be linearizable."""
import hashlib
import random
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from botocore.exceptions import ClientError
from support.s3 import body_of, code_of, refused


def test_if_none_match_makes_only_what_is_not_there(s3, bucket):
    s3.put_object(Bucket=bucket, Key="k", Body=b"first", IfNoneMatch="*")
    with refused("PreconditionFailed", 412):
        s3.put_object(Bucket=bucket, Key="k", Body=b"second", IfNoneMatch="*")
    assert body_of(s3, bucket, "k") == b"first"
    s3.delete_object(Bucket=bucket, Key="k")
    s3.put_object(Bucket=bucket, Key="k", Body=b"third", IfNoneMatch="*")


def test_if_match_replaces_only_what_was_seen(s3, bucket):
    with refused("NoSuchKey|PreconditionFailed"):
        s3.put_object(Bucket=bucket, Key="k", Body=b"x", IfMatch='"' + "0" * 32 + '"')
    tag = s3.put_object(Bucket=bucket, Key="k", Body=b"first")["ETag"]
    new = s3.put_object(Bucket=bucket, Key="k", Body=b"second", IfMatch=tag)["ETag"]
    with refused("PreconditionFailed", 412):
        s3.put_object(Bucket=bucket, Key="k", Body=b"third", IfMatch=tag)
    assert body_of(s3, bucket, "k") == b"second"
    s3.put_object(Bucket=bucket, Key="k", Body=b"third", IfMatch=new.strip('"'))  # no quotes


def complete(s3, bucket, body, **condition):
    began = s3.create_multipart_upload(Bucket=bucket, Key="k")["UploadId"]
    tag = s3.upload_part(Bucket=bucket, Key="k", UploadId=began, PartNumber=1, Body=body)["ETag"]
    return s3.complete_multipart_upload(
        Bucket=bucket, Key="k", UploadId=began,
        MultipartUpload={"Parts": [{"PartNumber": 1, "ETag": tag}]}, **condition)


def test_completions_know_conditions_too(s3, bucket):
    tag = complete(s3, bucket, b"first", IfNoneMatch="*")["ETag"]
    with refused("PreconditionFailed", 412):
        complete(s3, bucket, b"second", IfNoneMatch="*")
    complete(s3, bucket, b"third", IfMatch=tag)
    with refused("PreconditionFailed", 412):
        complete(s3, bucket, b"fourth", IfMatch=tag)
    assert body_of(s3, bucket, "k") == b"third"


def test_a_delete_marker_is_nothing_to_match(s3, versioned):
    tag = s3.put_object(Bucket=versioned, Key="k", Body=b"x")["ETag"]
    s3.delete_object(Bucket=versioned, Key="k")
    assert code_of(s3.put_object, Bucket=versioned, Key="k", Body=b"y", IfMatch=tag) in (
        "NoSuchKey", "PreconditionFailed")
    s3.put_object(Bucket=versioned, Key="k", Body=b"y", IfNoneMatch="*")


@pytest.mark.minio_differs("takes it")
def test_a_condition_amazon_does_not_know(endpoint, bucket):
    answer = endpoint.request("PUT", f"/{bucket}/k", headers={"if-none-match": '"abc"'}, body=b"x")
    assert (answer.status, answer.code) == (501, "NotImplemented")


def test_both_conditions_on_a_missing_key(endpoint, bucket):
    """There is nothing to match, which is 404 and not 412."""
    answer = endpoint.request("PUT", f"/{bucket}/k", body=b"x",
                              headers={"if-match": "*", "if-none-match": "*"})
    assert (answer.status, answer.code) == (404, "NoSuchKey")


@pytest.mark.parametrize("way", ["put", "multipart"])
def test_of_sixteen_first_writers_one_wins(s3, bucket, way):
    for turn in range(8):
        key, barrier = f"k{turn}", threading.Barrier(16)

        def write(n):
            body = b"%d" % n
            if way == "put":
                barrier.wait()
                return code_of(s3.put_object, Bucket=bucket, Key=key, Body=body, IfNoneMatch="*")
            began = s3.create_multipart_upload(Bucket=bucket, Key=key)["UploadId"]
            tag = s3.upload_part(Bucket=bucket, Key=key, UploadId=began, PartNumber=1,
                                 Body=body)["ETag"]
            barrier.wait()
            return code_of(s3.complete_multipart_upload, Bucket=bucket, Key=key, UploadId=began,
                           IfNoneMatch="*",
                           MultipartUpload={"Parts": [{"PartNumber": 1, "ETag": tag}]})

        with ThreadPoolExecutor(16) as pool:
            codes = list(pool.map(write, range(16)))
        assert codes.count("") == 1, codes
        assert set(codes) <= {"", "PreconditionFailed", "ConditionalRequestConflict"}
        assert body_of(s3, bucket, key) == b"%d" % codes.index("")


def test_a_counter_by_compare_and_set_loses_no_step(s3, bucket):
    s3.put_object(Bucket=bucket, Key="counter", Body=b"0")
    steps = []

    def count(_):
        for _ in range(6):
            while True:
                got = s3.get_object(Bucket=bucket, Key="counter")
                value = int(got["Body"].read())
                if code_of(s3.put_object, Bucket=bucket, Key="counter", Body=b"%d" % (value + 1),
                           IfMatch=got["ETag"]) == "":
                    steps.append(value + 1)
                    break

    with ThreadPoolExecutor(16) as pool:
        list(pool.map(count, range(16)))
    assert sorted(steps) == list(range(1, 97))
    assert body_of(s3, bucket, "counter") == b"96"


# --- linearizability --------------------------------------------------------------------------


class Operation:
    """kind: "read" (value seen), "write", "cas" (expected, value, ok). Times are monotonic."""

    def __init__(self, kind, value=None, expected=None):
        self.kind, self.value, self.expected = kind, value, expected
        self.ok = True
        self.start = self.end = 0.0

    def __repr__(self):
        return (f"{self.kind}({self.expected}→{self.value}, {'ok' if self.ok else 'no'}, "
                f"{self.start:.6f}…{self.end:.6f})")


def applied(state, operation):
    """The register after the operation, or None if it could not have ended so in this state."""
    if operation.kind == "read":
        return (state,) if operation.value == state else None
    if operation.kind == "write":
        return (operation.value,)
    if (operation.expected == state) != operation.ok:
        return None
    return (operation.value if operation.ok else state,)


def linearizable(history, initial):
    """Wing and Gong's search with Lowe's memory of configurations seen, over one register.

    An operation that may come next and changes nothing comes next at once: any order that has it
    later is as good with it here. Of the others, what ended first is tried first."""
    order = sorted(history, key=lambda o: o.start)
    everything = (1 << len(order)) - 1
    seen = set()
    stack = [(0, initial)]  # which are done as bits, the register
    while stack:
        done, state = stack.pop()
        if done == everything:
            return True
        left = [(n, o) for n, o in enumerate(order) if not done >> n & 1]
        first_end = min(o.end for _, o in left)
        nexts = [(n, o, applied(state, o)) for n, o in left if o.start <= first_end]
        nexts = [(n, o, after[0]) for n, o, after in nexts if after is not None]
        idle = [each for each in nexts if each[2] == state]
        for n, _, after in sorted(idle[:1] or nexts, key=lambda each: -each[1].end):
            if (done | 1 << n, after) not in seen:
                seen.add((done | 1 << n, after))
                stack.append((done | 1 << n, after))
    return False


def test_the_check_finds_what_is_not_linearizable():
    def made(kind, start, end, **options):
        operation = Operation(kind, **options)
        operation.start, operation.end = start, end
        return operation
    write = made("write", 0, 1, value="a")
    assert linearizable([write, made("read", 2, 3, value="a")], "")
    assert not linearizable([write, made("read", 2, 3, value="")], "")  # a stale read
    assert linearizable([write, made("read", 0.5, 3, value="")], "")
    two = [made("cas", 0, 2, expected="", value=v) for v in "ab"]
    assert not linearizable(two, "")  # both won
    two[1].ok = False
    assert linearizable(two, "")


def history_of(s3, bucket, key, threads, steps, seed):
    """What `threads` clients did to one key, with when each operation began and ended."""
    history, lock, barrier = [], threading.Lock(), threading.Barrier(threads)

    def tag(value):
        return f'"{hashlib.md5(value.encode()).hexdigest()}"'

    def client(n):
        chosen = random.Random(seed * 1000 + n)
        mine, seen = [], "first"
        barrier.wait()
        for step in range(steps):
            kind = chosen.choice(["read", "write", "cas", "cas"])
            operation = Operation(kind, f"{n}.{step}", seen if kind == "cas" else None)
            operation.start = time.monotonic()
            try:
                if kind == "read":
                    operation.value = s3.get_object(Bucket=bucket, Key=key)["Body"].read().decode()
                    seen = operation.value
                elif kind == "write":
                    s3.put_object(Bucket=bucket, Key=key, Body=operation.value.encode())
                else:
                    s3.put_object(Bucket=bucket, Key=key, Body=operation.value.encode(),
                                  IfMatch=tag(seen))
                    seen = operation.value
            except ClientError as error:
                code = error.response["Error"]["Code"]
                if code == "ConditionalRequestConflict":
                    continue  # did nothing and told nothing of the register
                assert kind == "cas" and code == "PreconditionFailed", error
                operation.ok = False
            operation.end = time.monotonic()
            mine.append(operation)
        with lock:
            history.extend(mine)

    s3.put_object(Bucket=bucket, Key=key, Body=b"first")
    workers = [threading.Thread(target=client, args=(n,)) for n in range(threads)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    return history


@pytest.mark.parametrize("rounds", [6, pytest.param(100, marks=pytest.mark.full)])
def test_histories_of_sixteen_clients_are_linearizable(s3, bucket, rounds):
    swapped = 0
    for turn in range(rounds):
        history = history_of(s3, bucket, f"k{turn}", 16, 8, turn)
        assert linearizable(history, "first"), sorted(history, key=lambda o: o.start)
        swapped += sum(o.ok for o in history if o.kind == "cas")
    assert swapped > 0
