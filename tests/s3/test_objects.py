"""Objects: put, get, head; sizes, fields, ranges, conditions."""
import datetime
import hashlib
import os
import threading

import pytest
from support.s3 import body_of, code_of, refused

MIB = 1 << 20
SIZES = [0, 1, 4095, 16 << 10, (16 << 10) + 1, 64 << 10, MIB, MIB + 1, 9 * MIB + 7]


@pytest.mark.parametrize("size", SIZES)
def test_what_goes_in_comes_out(s3, bucket, size):
    body = os.urandom(size)
    put = s3.put_object(Bucket=bucket, Key="k", Body=body)
    assert put["ETag"] == f'"{hashlib.md5(body).hexdigest()}"'
    got = s3.get_object(Bucket=bucket, Key="k")
    assert got["Body"].read() == body
    head = s3.head_object(Bucket=bucket, Key="k")
    for answer in (got, head):
        assert answer["ETag"] == put["ETag"]
        assert answer["ContentLength"] == size
        assert answer["AcceptRanges"] == "bytes"
        assert answer["ContentType"] == "binary/octet-stream"
        age = datetime.datetime.now(datetime.timezone.utc) - answer["LastModified"]
        assert abs(age) < datetime.timedelta(minutes=5)


def test_an_overwrite_replaces_everything(s3, bucket):
    s3.put_object(Bucket=bucket, Key="k", Body=b"a" * 100000, ContentType="text/plain",
                  Metadata={"one": "1"}, Tagging="a=b", CacheControl="no-cache")
    s3.put_object(Bucket=bucket, Key="k", Body=b"b")
    got = s3.get_object(Bucket=bucket, Key="k")
    assert got["Body"].read() == b"b"
    assert got["Metadata"] == {} and got["ContentType"] == "binary/octet-stream"
    assert "CacheControl" not in got
    assert s3.get_object_tagging(Bucket=bucket, Key="k")["TagSet"] == []
    assert s3.list_objects_v2(Bucket=bucket)["KeyCount"] == 1


FIELDS = {"ContentType": "text/csv; charset=utf-8", "CacheControl": "max-age=60, public",
          "ContentDisposition": 'attachment; filename="a b.csv"', "ContentEncoding": "gzip",
          "ContentLanguage": "fr-FR"}


def test_fields_are_kept(s3, bucket):
    expires = datetime.datetime(2031, 5, 6, 7, 8, 9, tzinfo=datetime.timezone.utc)
    s3.put_object(Bucket=bucket, Key="k", Body=b"x", Expires=expires, **FIELDS)
    for answer in (s3.head_object(Bucket=bucket, Key="k"), s3.get_object(Bucket=bucket, Key="k")):
        assert {name: answer[name] for name in FIELDS} == FIELDS
        assert answer["ExpiresString"] == "Tue, 06 May 2031 07:08:09 GMT"


def test_a_get_may_replace_fields_in_its_answer(s3, bucket):
    s3.put_object(Bucket=bucket, Key="k", Body=b"x", **FIELDS)
    got = s3.get_object(Bucket=bucket, Key="k", ResponseContentType="image/png",
                        ResponseCacheControl="no-store", ResponseContentDisposition="inline",
                        ResponseContentEncoding="identity", ResponseContentLanguage="de")
    assert got["ContentType"] == "image/png" and got["CacheControl"] == "no-store"
    assert got["ContentDisposition"] == "inline" and got["ContentEncoding"] == "identity"
    assert got["ContentLanguage"] == "de"
    assert s3.head_object(Bucket=bucket, Key="k")["ContentType"] == FIELDS["ContentType"]


@pytest.mark.minio_differs("lets anybody")
def test_only_who_signs_may_replace_fields(endpoint, s3, make_bucket):
    name = make_bucket()
    s3.put_object(Bucket=name, Key="k", Body=b"x")
    policy = ('{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*",'
              f'"Action":"s3:GetObject","Resource":"arn:aws:s3:::{name}/*"}}]}}')
    s3.put_bucket_policy(Bucket=name, Policy=policy)
    assert endpoint.send("GET", f"/{name}/k").body == b"x"
    answer = endpoint.send("GET", f"/{name}/k", "response-content-type=text/html")
    assert answer.status == 400 or answer.headers["content-type"] != "text/html"


def test_user_metadata_is_kept(s3, bucket):
    metadata = {"plain": "value", "with-dash": "a, b; c=d", "empty": "", "upper": "MiXeD",
                "long": "v" * 1500}
    s3.put_object(Bucket=bucket, Key="k", Body=b"x", Metadata=metadata)
    assert s3.head_object(Bucket=bucket, Key="k")["Metadata"] == metadata


def test_names_of_metadata_are_lower_case(endpoint, s3, bucket):
    answer = endpoint.request("PUT", f"/{bucket}/k", headers={"x-amz-meta-camelcase": "X"})
    assert answer.status == 200
    assert s3.head_object(Bucket=bucket, Key="k")["Metadata"] == {"camelcase": "X"}


def test_metadata_over_two_kilobytes_is_refused(s3, bucket):
    with refused("MetadataTooLarge", 400):
        s3.put_object(Bucket=bucket, Key="k", Body=b"x",
                      Metadata={f"m{n}": "v" * 500 for n in range(5)})
    with refused("NoSuchKey"):
        s3.get_object(Bucket=bucket, Key="k")


def test_a_wrong_md5_is_refused_and_leaves_nothing(endpoint, s3, bucket):
    answer = endpoint.request("PUT", f"/{bucket}/k", body=b"body",
                              headers={"content-md5": "1B2M2Y8AsgTpgAmY7PhCfg=="})
    assert (answer.status, answer.code) == (400, "BadDigest")
    answer = endpoint.request("PUT", f"/{bucket}/k", body=b"body", headers={"content-md5": "nope"})
    assert (answer.status, answer.code) == (400, "InvalidDigest")
    assert code_of(s3.head_object, Bucket=bucket, Key="k") == "404"


CONTENT = bytes(range(256)) * 400  # 102,400 bytes: not inside an index


@pytest.mark.parametrize("size", [1000, len(CONTENT)])
@pytest.mark.parametrize("spec,slice_", [
    ("bytes=0-0", slice(0, 1)), ("bytes=0-9", slice(0, 10)), ("bytes=500-", slice(500, None)),
    ("bytes=-1", slice(-1, None)), ("bytes=-300", slice(-300, None)),
    ("bytes=999-99999999999", slice(999, None)), ("bytes=-99999999", slice(None)),
    ("bytes=7-899", slice(7, 900))])
def test_ranges(s3, bucket, size, spec, slice_):
    body = CONTENT[:size]
    s3.put_object(Bucket=bucket, Key="k", Body=body)
    got = s3.get_object(Bucket=bucket, Key="k", Range=spec)
    assert got["ResponseMetadata"]["HTTPStatusCode"] == 206
    expected = body[slice_]
    assert got["Body"].read() == expected
    first = range(size)[slice_][0]
    assert got["ContentRange"] == f"bytes {first}-{first + len(expected) - 1}/{size}"
    assert got["ContentLength"] == len(expected)
    assert got["ETag"] == f'"{hashlib.md5(body).hexdigest()}"'
    head = s3.head_object(Bucket=bucket, Key="k", Range=spec)
    assert head["ContentLength"] == len(expected)


@pytest.mark.parametrize("spec", ["bytes=1000-", "bytes=1000-2000", "bytes=-0"])
def test_ranges_beyond_the_end(s3, endpoint, bucket, spec):
    s3.put_object(Bucket=bucket, Key="k", Body=b"x" * 1000)
    with refused("InvalidRange", 416):
        s3.get_object(Bucket=bucket, Key="k", Range=spec)


def test_an_empty_object_has_no_range(s3, bucket):
    s3.put_object(Bucket=bucket, Key="k", Body=b"")
    with refused("InvalidRange", 416):
        s3.get_object(Bucket=bucket, Key="k", Range="bytes=0-0")


@pytest.mark.parametrize("spec", ["bytes=5-3", "bytes=a-b", "lines=1-2", "bytes="])
def test_what_is_no_range_is_ignored(endpoint, s3, bucket, spec):
    s3.put_object(Bucket=bucket, Key="k", Body=b"x" * 1000)
    answer = endpoint.request("GET", f"/{bucket}/k", headers={"range": spec})
    assert answer.status in (200, 416)  # Amazon: 200; nobody answers with a piece of it
    if answer.status == 200:
        assert answer.body == b"x" * 1000


YESTERDAY = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(days=1)
TOMORROW = YESTERDAY + datetime.timedelta(days=2)


@pytest.mark.parametrize("condition,code", [
    ({"IfMatch": "right"}, ""), ({"IfMatch": "wrong"}, "412"),
    ({"IfNoneMatch": "wrong"}, ""), ({"IfNoneMatch": "right"}, "304"),
    ({"IfModifiedSince": YESTERDAY}, ""),
    ({"IfUnmodifiedSince": TOMORROW}, ""), ({"IfUnmodifiedSince": YESTERDAY}, "412"),
    # RFC 9110, 13.2.2: what names the entity goes before what names a time.
    ({"IfMatch": "right", "IfUnmodifiedSince": YESTERDAY}, ""),
    ({"IfNoneMatch": "right", "IfModifiedSince": YESTERDAY}, "304"),
    pytest.param({"IfMatch": "wrong", "IfNoneMatch": "right"}, "412",
                 marks=pytest.mark.minio_differs("304"))])
def test_conditions_of_reading(s3, bucket, condition, code):
    tag = s3.put_object(Bucket=bucket, Key="k", Body=b"content")["ETag"]
    values = {"right": tag, "wrong": '"' + "0" * 32 + '"'}
    condition = {name: values[value] if value in ("right", "wrong") else value
                 for name, value in condition.items()}
    assert code_of(s3.head_object, Bucket=bucket, Key="k", **condition) == code
    code = {"412": "PreconditionFailed"}.get(code, code)
    assert code_of(s3.get_object, Bucket=bucket, Key="k", **condition) == code


def test_if_modified_since_the_object_itself(s3, bucket):
    s3.put_object(Bucket=bucket, Key="k", Body=b"content")
    modified = s3.head_object(Bucket=bucket, Key="k")["LastModified"]
    assert code_of(s3.get_object, Bucket=bucket, Key="k", IfModifiedSince=modified) == "304"
    assert code_of(s3.get_object, Bucket=bucket, Key="k", IfUnmodifiedSince=modified) == ""


def test_304_has_an_etag_and_no_body(endpoint, s3, bucket):
    tag = s3.put_object(Bucket=bucket, Key="k", Body=b"content")["ETag"]
    answer = endpoint.request("GET", f"/{bucket}/k", headers={"if-none-match": tag})
    assert (answer.status, answer.body, answer.headers["etag"]) == (304, b"", tag)


def test_the_attributes_of_an_object(s3, bucket):
    put = s3.put_object(Bucket=bucket, Key="k", Body=b"content", ChecksumAlgorithm="SHA256")
    got = s3.get_object_attributes(Bucket=bucket, Key="k", ObjectAttributes=[
        "ETag", "Checksum", "ObjectSize", "StorageClass", "ObjectParts"])
    assert got["ETag"] == put["ETag"].strip('"')
    assert got["ObjectSize"] == 7
    assert got["Checksum"]["ChecksumSHA256"] == put["ChecksumSHA256"]
    assert got.get("StorageClass", "STANDARD") == "STANDARD"
    only = s3.get_object_attributes(Bucket=bucket, Key="k", ObjectAttributes=["ObjectSize"])
    assert only["ObjectSize"] == 7 and "ETag" not in only and "Checksum" not in only
    with refused("NoSuchKey", 404):
        s3.get_object_attributes(Bucket=bucket, Key="none", ObjectAttributes=["ETag"])


def test_what_is_not_there(s3, bucket):
    with refused("NoSuchKey", 404):
        s3.get_object(Bucket=bucket, Key="k")
    with refused("404"):
        s3.head_object(Bucket=bucket, Key="k")
    s3.put_object(Bucket=bucket, Key="folder/file", Body=b"")
    with refused("NoSuchKey"):
        s3.get_object(Bucket=bucket, Key="folder")
    with refused("NoSuchKey"):
        s3.get_object(Bucket=bucket, Key="folder/")


@pytest.mark.minio_differs("XMinioParentIsObject or the like: keys are folders there")
def test_a_key_may_be_the_folder_of_another(s3, bucket):
    for key in ("a", "a/b", "a/b/c", "a/", "a//b"):
        s3.put_object(Bucket=bucket, Key=key, Body=key.encode())
    for key in ("a", "a/b", "a/b/c", "a/", "a//b"):
        assert body_of(s3, bucket, key) == key.encode()


def test_readers_see_whole_objects_while_writers_replace_them(s3, bucket):
    bodies = [bytes([n]) * (200_000 + n) for n in range(8)]
    s3.put_object(Bucket=bucket, Key="k", Body=bodies[0])
    failures, stop = [], threading.Event()

    def write(body):
        while not stop.is_set():
            s3.put_object(Bucket=bucket, Key="k", Body=body)

    def read():
        for _ in range(20):
            got = s3.get_object(Bucket=bucket, Key="k")
            body = got["Body"].read()
            if body not in bodies or got["ETag"] != f'"{hashlib.md5(body).hexdigest()}"':
                failures.append((len(body), body[:1], got["ETag"]))

    writers = [threading.Thread(target=write, args=(body,)) for body in bodies[:4]]
    readers = [threading.Thread(target=read) for _ in range(4)]
    for thread in writers + readers:
        thread.start()
    for thread in readers:
        thread.join()
    stop.set()
    for thread in writers:
        thread.join()
    assert not failures


@pytest.mark.minio_differs("cuts the download")
def test_an_open_download_survives_deletion(endpoint, s3, bucket):
    body = os.urandom(8 * MIB)
    s3.put_object(Bucket=bucket, Key="k", Body=body)
    stream = s3.get_object(Bucket=bucket, Key="k")["Body"]
    first = stream.read(1000)
    s3.delete_object(Bucket=bucket, Key="k")
    s3.put_object(Bucket=bucket, Key="k", Body=b"another")
    assert first + stream.read() == body


@pytest.mark.full
def test_an_object_of_five_gigabytes(s3, bucket, folder):
    path = folder / "sparse"
    with open(path, "wb") as file:
        file.truncate(5 << 30)
        file.seek(1 << 30)
        file.write(b"marker")
    from boto3.s3.transfer import TransferConfig
    s3.upload_file(str(path), bucket, "big", Config=TransferConfig(multipart_chunksize=256 * MIB))
    assert s3.head_object(Bucket=bucket, Key="big")["ContentLength"] == 5 << 30
    got = s3.get_object(Bucket=bucket, Key="big", Range=f"bytes={(1 << 30) - 1}-{(1 << 30) + 6}")
    assert got["Body"].read() == b"\0marker\0"


@pytest.mark.parametrize("way", [
    pytest.param("put", marks=pytest.mark.minio_differs("takes an object's 5 TiB at once")),
    pytest.param("part", marks=pytest.mark.minio_differs("takes an object's 5 TiB at once"))])
def test_more_than_five_gibibytes_are_refused_before_they_come(endpoint, s3, bucket, way):
    query = {}
    if way == "part":
        query = {"partNumber": "1", "uploadId": s3.create_multipart_upload(
            Bucket=bucket, Key="k")["UploadId"]}
    answer = endpoint.request("PUT", f"/{bucket}/k", query, payload="UNSIGNED-PAYLOAD", timeout=5,
                              headers={"content-length": str((5 << 30) + 1)})
    assert (answer.status, answer.code) == (400, "EntityTooLarge")


@pytest.mark.minio_differs("looks at the account alone")
def test_the_owner_that_a_client_expects(s3, bucket):
    owner = s3.get_bucket_acl(Bucket=bucket)["Owner"]["ID"]
    s3.put_object(Bucket=bucket, Key="k", Body=b"x", ExpectedBucketOwner=owner)
    for other in ("111122223333", "0" * 64):
        for call, options in ((s3.put_object, {"Key": "k", "Body": b"y"}),
                              (s3.get_object, {"Key": "k"}), (s3.delete_object, {"Key": "k"}),
                              (s3.list_objects_v2, {}), (s3.get_bucket_versioning, {}),
                              (s3.create_multipart_upload, {"Key": "k"})):
            with refused("AccessDenied", 403):
                call(Bucket=bucket, ExpectedBucketOwner=other, **options)
        with refused("AccessDenied", 403):
            s3.copy_object(Bucket=bucket, Key="copy", CopySource=f"{bucket}/k",
                           ExpectedSourceBucketOwner=other)
    assert body_of(s3, bucket, "k") == b"x"
