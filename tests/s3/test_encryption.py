"""Encryption at rest: SSE-S3 by request and by default, SSE-C with the right key and wrong ones."""
import base64
import hashlib
import os
from pathlib import Path

import pytest
from support.s3 import body_of, code_of, refused

KEY, OTHER = b"k" * 32, b"o" * 32
NEEDS_TLS = pytest.mark.minio_differs("SSE-C only over TLS")


def customer(key, prefix=""):
    return {f"{prefix}SSECustomerAlgorithm": "AES256", f"{prefix}SSECustomerKey": key}


@pytest.mark.parametrize("size", [0, 1, 16 << 10, 65536, 65537, (1 << 20) + 5])
def test_sse_s3_gives_back_what_it_got(s3, bucket, size):
    body = os.urandom(size)
    put = s3.put_object(Bucket=bucket, Key="k", Body=body, ServerSideEncryption="AES256")
    assert put["ServerSideEncryption"] == "AES256"
    got = s3.get_object(Bucket=bucket, Key="k")
    assert got["Body"].read() == body and got["ServerSideEncryption"] == "AES256"
    assert got["ContentLength"] == size
    assert s3.list_objects_v2(Bucket=bucket)["Contents"][0]["Size"] == size
    if size > 100:
        for first, last in ((0, 0), (size - 1, size - 1), (size // 2, size // 2 + 50)):
            assert body_of(s3, bucket, "k", Range=f"bytes={first}-{last}") == body[first:last + 1]


def test_a_bucket_that_encrypts_everything(s3, bucket):
    s3.put_bucket_encryption(Bucket=bucket, ServerSideEncryptionConfiguration={"Rules": [
        {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}]})
    kept = s3.get_bucket_encryption(Bucket=bucket)["ServerSideEncryptionConfiguration"]["Rules"][0]
    assert kept["ApplyServerSideEncryptionByDefault"]["SSEAlgorithm"] == "AES256"
    assert s3.put_object(Bucket=bucket, Key="k", Body=b"x")["ServerSideEncryption"] == "AES256"
    assert body_of(s3, bucket, "k") == b"x"
    s3.delete_bucket_encryption(Bucket=bucket)


@pytest.mark.ours_only("looks into the data folder")
@pytest.mark.parametrize("size", [100, 200_000])
@pytest.mark.parametrize("way", [{}, {"ServerSideEncryption": "AES256"}, customer(KEY)],
                         ids=["plain", "SSE-S3", "SSE-C"])
def test_nothing_readable_lies_on_the_disk(endpoint, s3, bucket, size, way):
    marker = os.urandom(16).hex().encode()
    body = (marker * (size // 32 + 1))[:size]
    s3.put_object(Bucket=bucket, Key="k", Body=body, **way)
    found = any(marker in path.read_bytes() for path in Path(endpoint.server.data).rglob("*")
                if path.is_file())
    assert found == (not way)


@NEEDS_TLS
@pytest.mark.parametrize("size", [0, 100, (1 << 20) + 5])
def test_sse_c_needs_the_same_key_again(s3, bucket, size):
    body = os.urandom(size)
    put = s3.put_object(Bucket=bucket, Key="k", Body=body, **customer(KEY))
    assert put["SSECustomerKeyMD5"] == base64.b64encode(hashlib.md5(KEY).digest()).decode()
    assert body_of(s3, bucket, "k", **customer(KEY)) == body
    assert s3.head_object(Bucket=bucket, Key="k", **customer(KEY))["ContentLength"] == size
    assert code_of(s3.get_object, Bucket=bucket, Key="k") == "InvalidRequest"
    assert code_of(s3.head_object, Bucket=bucket, Key="k") == "400"
    assert code_of(s3.get_object, Bucket=bucket, Key="k", **customer(OTHER)) == "AccessDenied"
    assert code_of(s3.head_object, Bucket=bucket, Key="k", **customer(OTHER)) == "403"


@NEEDS_TLS
def test_sse_c_of_parts(s3, bucket):
    began = s3.create_multipart_upload(Bucket=bucket, Key="k", **customer(KEY))["UploadId"]
    bodies = [os.urandom(5 << 20), os.urandom(70_000)]
    tags = []
    for number, body in enumerate(bodies, 1):
        tags.append(s3.upload_part(Bucket=bucket, Key="k", UploadId=began, PartNumber=number,
                                   Body=body, **customer(KEY))["ETag"])
    assert code_of(s3.upload_part, Bucket=bucket, Key="k", UploadId=began, PartNumber=3, Body=b"x",
                   **customer(OTHER)) in ("InvalidRequest", "AccessDenied", "InvalidArgument")
    assert code_of(s3.upload_part, Bucket=bucket, Key="k", UploadId=began, PartNumber=3,
                   Body=b"x") == "InvalidRequest"
    s3.complete_multipart_upload(Bucket=bucket, Key="k", UploadId=began, MultipartUpload={
        "Parts": [{"PartNumber": n, "ETag": tag} for n, tag in enumerate(tags, 1)]})
    whole = b"".join(bodies)
    at = (5 << 20) - 10
    assert body_of(s3, bucket, "k", Range=f"bytes={at}-{at + 29}", **customer(KEY)) == whole[
        at:at + 30]


@NEEDS_TLS
def test_copies_between_ways_of_encryption(s3, bucket):
    s3.put_object(Bucket=bucket, Key="c", Body=b"content", **customer(KEY))
    s3.copy_object(Bucket=bucket, Key="plain", CopySource=f"{bucket}/c",
                   **customer(KEY, "CopySource"))
    assert body_of(s3, bucket, "plain") == b"content"
    s3.copy_object(Bucket=bucket, Key="other", CopySource=f"{bucket}/c", **customer(OTHER),
                   **customer(KEY, "CopySource"))
    assert body_of(s3, bucket, "other", **customer(OTHER)) == b"content"
    assert code_of(s3.copy_object, Bucket=bucket, Key="x", CopySource=f"{bucket}/c") in (
        "InvalidRequest", "AccessDenied")
    s3.copy_object(Bucket=bucket, Key="sealed", CopySource=f"{bucket}/plain",
                   ServerSideEncryption="AES256")
    assert s3.head_object(Bucket=bucket, Key="sealed")["ServerSideEncryption"] == "AES256"


@pytest.mark.parametrize("headers", [
    {"x-amz-server-side-encryption": "AES128"},
    {"x-amz-server-side-encryption-customer-algorithm": "AES256"},
    {"x-amz-server-side-encryption-customer-algorithm": "AES256",
     "x-amz-server-side-encryption-customer-key": base64.b64encode(b"short").decode(),
     "x-amz-server-side-encryption-customer-key-md5": base64.b64encode(
         hashlib.md5(b"short").digest()).decode()},
    {"x-amz-server-side-encryption-customer-algorithm": "AES256",
     "x-amz-server-side-encryption-customer-key": base64.b64encode(KEY).decode(),
     "x-amz-server-side-encryption-customer-key-md5": base64.b64encode(
         hashlib.md5(OTHER).digest()).decode()}])
def test_demands_that_make_no_sense(endpoint, s3, bucket, headers):
    answer = endpoint.request("PUT", f"/{bucket}/k", headers=headers, body=b"x")
    assert answer.status == 400 and answer.code in ("InvalidArgument", "InvalidRequest",
                                                    "InvalidEncryptionAlgorithmError"), answer
    assert code_of(s3.head_object, Bucket=bucket, Key="k") == "404"


def test_kms_is_told_apart(s3, bucket, endpoint):
    """Encryption under a key service is not silently another one."""
    code = code_of(s3.put_object, Bucket=bucket, Key="k", Body=b"x", ServerSideEncryption="aws:kms",
                   SSEKMSKeyId="no-such-key")
    assert code != ""
    with refused("404"):
        s3.head_object(Bucket=bucket, Key="k")
