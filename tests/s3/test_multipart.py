"""Multipart uploads: parts in any order, copies, limits, abort, lists, completion asked twice."""
import hashlib
import os
from concurrent.futures import ThreadPoolExecutor

import pytest
from support.s3 import body_of, code_of, refused

MIB = 1 << 20
PART = 5 * MIB


@pytest.fixture
def upload(s3, bucket):
    """An upload of key "k": .part(number, body), .complete(numbers)."""

    class Upload:
        key = "k"

        def __init__(self):
            self.id = s3.create_multipart_upload(Bucket=bucket, Key=self.key)["UploadId"]
            self.tags = {}

        def part(self, number, body, **options):
            answer = s3.upload_part(Bucket=bucket, Key=self.key, UploadId=self.id,
                                    PartNumber=number, Body=body, **options)
            self.tags[number] = answer["ETag"]
            return answer

        def complete(self, numbers=None, **options):
            parts = [{"PartNumber": n, "ETag": self.tags[n]} for n in numbers or sorted(self.tags)]
            return s3.complete_multipart_upload(Bucket=bucket, Key=self.key, UploadId=self.id,
                                                MultipartUpload={"Parts": parts}, **options)

    return Upload()


def tag_of(bodies):
    together = b"".join(hashlib.md5(body).digest() for body in bodies)
    return f'"{hashlib.md5(together).hexdigest()}-{len(bodies)}"'


def test_parts_become_one_object(s3, bucket, upload):
    bodies = [os.urandom(PART), os.urandom(PART + 3), b"tail"]
    for number, body in enumerate(bodies, 1):
        assert upload.part(number, body)["ETag"] == f'"{hashlib.md5(body).hexdigest()}"'
    assert code_of(s3.head_object, Bucket=bucket, Key="k") == "404"
    done = upload.complete()
    assert done["ETag"] == tag_of(bodies) and done["Bucket"] == bucket and done["Key"] == "k"
    assert done["Location"]
    got = s3.get_object(Bucket=bucket, Key="k")
    assert got["Body"].read() == b"".join(bodies) and got["ETag"] == done["ETag"]
    assert s3.list_objects_v2(Bucket=bucket)["Contents"][0]["ETag"] == done["ETag"]
    assert "Uploads" not in s3.list_multipart_uploads(Bucket=bucket)


def test_parts_may_come_in_any_order_with_gaps_and_again(s3, bucket, upload):
    bodies = {9000: b"end", 7: os.urandom(PART), 300: os.urandom(PART)}
    upload.part(7, b"replaced")
    for number, body in bodies.items():
        upload.part(number, body)
    upload.part(400, b"left out")
    upload.complete([7, 300, 9000])
    assert body_of(s3, bucket, "k") == bodies[7] + bodies[300] + bodies[9000]


def test_parts_sent_side_by_side(s3, bucket, upload):
    bodies = {n: bytes([n]) * PART for n in range(1, 9)}
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda n: upload.part(n, bodies[n]), bodies))
    upload.complete()
    assert body_of(s3, bucket, "k") == b"".join(bodies.values())


def test_one_small_part_is_enough_but_the_others_need_five_mebibytes(s3, bucket, upload):
    upload.part(1, b"x")
    upload.part(2, b"y")
    with refused("EntityTooSmall", 400):
        upload.complete()
    upload.complete([1])
    assert body_of(s3, bucket, "k") == b"x"


def test_completion_holds_the_list_against_the_parts(s3, bucket, upload):
    upload.part(1, b"a" * PART)
    upload.part(2, b"b")
    with refused("InvalidPartOrder", 400):
        upload.complete([2, 1])
    right = upload.tags[2]
    upload.tags[2] = '"' + "0" * 32 + '"'
    with refused("InvalidPart", 400):
        upload.complete()
    upload.tags[2] = right
    upload.tags[3] = right
    with refused("InvalidPart", 400):
        upload.complete([1, 2, 3])
    upload.complete([1, 2])
    assert s3.head_object(Bucket=bucket, Key="k")["ContentLength"] == PART + 1


@pytest.mark.minio_differs("InvalidRequest")
def test_a_completion_without_parts_is_malformed(s3, bucket, upload, endpoint):
    answer = endpoint.request("POST", f"/{bucket}/k", {"uploadId": upload.id},
                              body=b"<CompleteMultipartUpload></CompleteMultipartUpload>")
    assert (answer.status, answer.code) == (400, "MalformedXML")


@pytest.mark.minio_differs("NoSuchUpload")
def test_a_completion_asked_again_gives_the_same_answer(s3, bucket, upload):
    upload.part(1, b"x")
    first = upload.complete()
    again = upload.complete()
    assert (again["ETag"], again["Key"]) == (first["ETag"], "k")
    assert body_of(s3, bucket, "k") == b"x"


@pytest.mark.parametrize("number", [0, 10001, -1])
@pytest.mark.minio_differs("InvalidPart", only={"0", "-1"})
def test_part_numbers_have_limits(endpoint, bucket, upload, number):
    answer = endpoint.request("PUT", f"/{bucket}/k",
                              {"partNumber": str(number), "uploadId": upload.id}, body=b"x")
    assert (answer.status, answer.code) == (400, "InvalidArgument")


def test_an_aborted_upload_is_gone(s3, bucket, upload):
    upload.part(1, b"x")
    assert s3.abort_multipart_upload(Bucket=bucket, Key="k", UploadId=upload.id)[
        "ResponseMetadata"]["HTTPStatusCode"] == 204
    with refused("NoSuchUpload", 404):
        upload.part(2, b"y")
    with refused("NoSuchUpload", 404):
        upload.complete()
    with refused("NoSuchUpload", 404):
        s3.list_parts(Bucket=bucket, Key="k", UploadId=upload.id)
    assert code_of(s3.head_object, Bucket=bucket, Key="k") == "404"
    assert "Uploads" not in s3.list_multipart_uploads(Bucket=bucket)


@pytest.mark.parametrize("which", ["nonsense", "../../../etc", "0" * 32, ""])
@pytest.mark.minio_differs("XMinioInvalidResourceName", only={"../../../etc"})
def test_uploads_that_are_none(endpoint, bucket, which):
    answer = endpoint.request("PUT", f"/{bucket}/k", {"partNumber": "1", "uploadId": which},
                              body=b"x")
    assert (answer.status, answer.code) in ((404, "NoSuchUpload"), (400, "InvalidArgument"))


def test_an_upload_belongs_to_its_key(s3, bucket, upload):
    with refused("NoSuchUpload", 404):
        s3.upload_part(Bucket=bucket, Key="other", UploadId=upload.id, PartNumber=1, Body=b"x")


def test_parts_are_listed_in_pages(s3, bucket, upload):
    for number in (3, 1, 20, 7, 5):
        upload.part(number, b"x" * number)
    found, marker = [], 0
    while True:
        page = s3.list_parts(Bucket=bucket, Key="k", UploadId=upload.id, MaxParts=2,
                             PartNumberMarker=marker)
        found += page["Parts"]
        if not page["IsTruncated"]:
            break
        assert len(page["Parts"]) == 2
        marker = page["NextPartNumberMarker"]
    assert [(p["PartNumber"], p["Size"], p["ETag"]) for p in found] == [
        (n, n, upload.tags[n]) for n in (1, 3, 5, 7, 20)]


@pytest.mark.minio_differs("lists the uploads of one key alone")
def test_uploads_are_listed_by_key_and_in_pages(s3, bucket):
    made = {(key, s3.create_multipart_upload(Bucket=bucket, Key=key)["UploadId"])
            for key in ("b/2", "a", "b/1", "a", "c")}
    found, markers = [], {}
    while True:
        page = s3.list_multipart_uploads(Bucket=bucket, MaxUploads=2, **markers)
        found += [(u["Key"], u["UploadId"]) for u in page.get("Uploads", [])]
        if not page["IsTruncated"]:
            break
        markers = {"KeyMarker": page["NextKeyMarker"], "UploadIdMarker": page["NextUploadIdMarker"]}
    assert set(found) == made and len(found) == 5
    assert [k for k, _ in found] == sorted(k for k, _ in found)
    by_prefix = s3.list_multipart_uploads(Bucket=bucket, Prefix="b/")
    assert [u["Key"] for u in by_prefix["Uploads"]] == ["b/1", "b/2"]
    folders = s3.list_multipart_uploads(Bucket=bucket, Delimiter="/")
    assert [p["Prefix"] for p in folders["CommonPrefixes"]] == ["b/"]
    assert {u["Key"] for u in folders["Uploads"]} == {"a", "c"}


def test_parts_may_be_copies(s3, bucket, upload):
    source = os.urandom(2 * PART)
    s3.put_object(Bucket=bucket, Key="source", Body=source)
    whole = s3.upload_part_copy(Bucket=bucket, Key="k", UploadId=upload.id, PartNumber=1,
                                CopySource={"Bucket": bucket, "Key": "source"})
    assert whole["CopyPartResult"]["ETag"] == f'"{hashlib.md5(source).hexdigest()}"'
    some = s3.upload_part_copy(Bucket=bucket, Key="k", UploadId=upload.id, PartNumber=2,
                               CopySource={"Bucket": bucket, "Key": "source"},
                               CopySourceRange="bytes=100-299")
    upload.tags = {1: whole["CopyPartResult"]["ETag"], 2: some["CopyPartResult"]["ETag"]}
    upload.complete()
    assert body_of(s3, bucket, "k") == source + source[100:300]


def test_copies_of_parts_know_ranges_and_conditions(s3, bucket, upload):
    tag = s3.put_object(Bucket=bucket, Key="source", Body=b"0123456789")["ETag"]
    copy = {"Bucket": bucket, "Key": "k", "UploadId": upload.id, "PartNumber": 1,
            "CopySource": {"Bucket": bucket, "Key": "source"}}
    for bad in ("bytes=5-20", "bytes=20-30", "bytes=5-", "bytes=-5", "5-6"):
        assert code_of(s3.upload_part_copy, CopySourceRange=bad, **copy) in (
            "InvalidRange", "InvalidArgument", "InvalidRequest"), bad
    assert code_of(s3.upload_part_copy, CopySourceIfNoneMatch=tag, **copy) == "PreconditionFailed"
    assert code_of(s3.upload_part_copy, CopySourceIfMatch=tag, **copy) == ""
    copy["CopySource"] = {"Bucket": bucket, "Key": "none"}
    assert code_of(s3.upload_part_copy, **copy) == "NoSuchKey"


def test_one_part_can_be_read(s3, bucket, upload):
    bodies = [b"a" * PART, b"b" * PART, b"c" * 5]
    for number, body in enumerate(bodies, 1):
        upload.part(number, body)
    upload.complete()
    for number, body in enumerate(bodies, 1):
        got = s3.get_object(Bucket=bucket, Key="k", PartNumber=number)
        assert got["Body"].read() == body and got["PartsCount"] == 3
        assert got["ResponseMetadata"]["HTTPStatusCode"] == 206
        assert s3.head_object(Bucket=bucket, Key="k", PartNumber=number)["ContentLength"] == len(
            body)
    assert code_of(s3.get_object, Bucket=bucket, Key="k", PartNumber=4) in (
        "InvalidPartNumber", "InvalidPart", "InvalidRange")


def test_what_an_upload_began_with_the_object_has(s3, bucket):
    began = s3.create_multipart_upload(Bucket=bucket, Key="k", ContentType="text/plain",
                                       Metadata={"a": "b"}, Tagging="x=1", CacheControl="no-store")
    tag = s3.upload_part(Bucket=bucket, Key="k", UploadId=began["UploadId"], PartNumber=1,
                         Body=b"x")["ETag"]
    s3.complete_multipart_upload(Bucket=bucket, Key="k", UploadId=began["UploadId"],
                                 MultipartUpload={"Parts": [{"PartNumber": 1, "ETag": tag}]})
    head = s3.head_object(Bucket=bucket, Key="k")
    assert (head["ContentType"], head["Metadata"], head["CacheControl"]) == (
        "text/plain", {"a": "b"}, "no-store")
    assert s3.get_object_tagging(Bucket=bucket, Key="k")["TagSet"] == [{"Key": "x", "Value": "1"}]


def test_the_object_before_stays_until_completion(s3, bucket):
    s3.put_object(Bucket=bucket, Key="k", Body=b"before")
    began = s3.create_multipart_upload(Bucket=bucket, Key="k")["UploadId"]
    tag = s3.upload_part(Bucket=bucket, Key="k", UploadId=began, PartNumber=1, Body=b"x")["ETag"]
    assert body_of(s3, bucket, "k") == b"before"
    s3.complete_multipart_upload(Bucket=bucket, Key="k", UploadId=began,
                                 MultipartUpload={"Parts": [{"PartNumber": 1, "ETag": tag}]})
    assert body_of(s3, bucket, "k") == b"x"


def test_the_transfer_manager_of_boto3(s3, bucket, folder):
    from boto3.s3.transfer import TransferConfig
    source, back = folder / "source", folder / "back"
    source.write_bytes(os.urandom(23 * MIB + 11))
    config = TransferConfig(multipart_threshold=PART, multipart_chunksize=PART, max_concurrency=6)
    s3.upload_file(str(source), bucket, "k", Config=config)
    assert s3.head_object(Bucket=bucket, Key="k")["ETag"].endswith('-5"')
    s3.download_file(bucket, "k", str(back), Config=config)
    assert back.read_bytes() == source.read_bytes()


def test_of_two_completions_at_once_one_object_comes(s3, bucket, upload):
    upload.part(1, os.urandom(PART))
    upload.part(2, b"x")
    with ThreadPoolExecutor(8) as pool:
        codes = list(pool.map(lambda _: code_of(upload.complete), range(8)))
    assert codes.count("") >= 1 and set(codes) <= {"", "NoSuchUpload"}
    assert s3.head_object(Bucket=bucket, Key="k")["ContentLength"] == PART + 1


@pytest.mark.full
def test_ten_thousand_parts(s3, bucket, upload):
    # 5 MiB each would be 49 GiB: the content is one object copied in.
    s3.put_object(Bucket=bucket, Key="source", Body=b"\0" * PART)
    with ThreadPoolExecutor(8) as pool:
        answers = pool.map(lambda n: (n, s3.upload_part_copy(
            Bucket=bucket, Key="k", UploadId=upload.id, PartNumber=n,
            CopySource={"Bucket": bucket, "Key": "source"})["CopyPartResult"]["ETag"])
            if n % 100 == 0 else (n, s3.upload_part(
                Bucket=bucket, Key="k", UploadId=upload.id, PartNumber=n, Body=b"x")["ETag"]),
            range(1, 10001))
        upload.tags = dict(answers)
    with refused("EntityTooSmall"):
        upload.complete()
    big = [n for n in upload.tags if n % 100 == 0]
    assert len(s3.list_parts(Bucket=bucket, Key="k", UploadId=upload.id)["Parts"]) == 1000
    upload.complete(big)
    assert s3.head_object(Bucket=bucket, Key="k")["ContentLength"] == len(big) * PART
