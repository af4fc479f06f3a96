"""CopyObject: content, metadata, tags, conditions, itself, other buckets."""
import os

import pytest
from support.s3 import body_of, code_of, refused


@pytest.fixture
def source(s3, bucket):
    s3.put_object(Bucket=bucket, Key="source", Body=b"content", ContentType="text/plain",
                  Metadata={"a": "1"}, Tagging="t=1", CacheControl="no-store")
    return {"Bucket": bucket, "Key": "source"}


def test_a_copy_is_the_same_again(s3, bucket, source):
    answer = s3.copy_object(Bucket=bucket, Key="copy", CopySource=source)
    head, original = (s3.head_object(Bucket=bucket, Key=key) for key in ("copy", "source"))
    assert answer["CopyObjectResult"]["ETag"] == head["ETag"] == original["ETag"]
    for name in ("ContentType", "Metadata", "CacheControl", "ContentLength"):
        assert head[name] == original[name]
    assert s3.get_object_tagging(Bucket=bucket, Key="copy")["TagSet"] == [{"Key": "t",
                                                                           "Value": "1"}]
    s3.delete_object(Bucket=bucket, Key="source")
    assert body_of(s3, bucket, "copy") == b"content"


@pytest.mark.parametrize("size", [0, 100, 1 << 20, (6 << 20) + 1])
def test_copies_of_any_size_into_another_bucket(s3, bucket, make_bucket, size):
    body = os.urandom(size)
    s3.put_object(Bucket=bucket, Key="k", Body=body)
    other = make_bucket()
    s3.copy_object(Bucket=other, Key="k", CopySource=f"/{bucket}/k")
    assert body_of(s3, other, "k") == body


def test_metadata_and_tags_are_replaced_when_told(s3, bucket, source):
    s3.copy_object(Bucket=bucket, Key="copy", CopySource=source, MetadataDirective="REPLACE",
                   Metadata={"b": "2"}, ContentType="text/csv", TaggingDirective="REPLACE",
                   Tagging="u=2")
    head = s3.head_object(Bucket=bucket, Key="copy")
    assert (head["Metadata"], head["ContentType"]) == ({"b": "2"}, "text/csv")
    assert "CacheControl" not in head
    assert s3.get_object_tagging(Bucket=bucket, Key="copy")["TagSet"] == [{"Key": "u",
                                                                           "Value": "2"}]


def test_metadata_is_ignored_when_not_told_to_replace(s3, bucket, source):
    s3.copy_object(Bucket=bucket, Key="copy", CopySource=source, Metadata={"b": "2"},
                   MetadataDirective="COPY")
    assert s3.head_object(Bucket=bucket, Key="copy")["Metadata"] == {"a": "1"}


def test_onto_itself_only_with_a_change(s3, bucket, source):
    with refused("InvalidRequest", 400):
        s3.copy_object(Bucket=bucket, Key="source", CopySource=source)
    s3.copy_object(Bucket=bucket, Key="source", CopySource=source, MetadataDirective="REPLACE",
                   Metadata={"new": "1"})
    head = s3.head_object(Bucket=bucket, Key="source")
    assert head["Metadata"] == {"new": "1"}
    assert body_of(s3, bucket, "source") == b"content"


def test_conditions_of_the_source(s3, bucket, source):
    import datetime
    tag = s3.head_object(Bucket=bucket, Key="source")["ETag"]
    wrong = '"' + "0" * 32 + '"'
    past = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(days=1)
    future = past + datetime.timedelta(days=2)
    for condition, code in [
            ({"CopySourceIfMatch": tag}, ""), ({"CopySourceIfMatch": wrong}, "PreconditionFailed"),
            ({"CopySourceIfNoneMatch": wrong}, ""),
            ({"CopySourceIfNoneMatch": tag}, "PreconditionFailed"),
            ({"CopySourceIfModifiedSince": past}, ""),
            ({"CopySourceIfUnmodifiedSince": past}, "PreconditionFailed"),
            ({"CopySourceIfUnmodifiedSince": future}, "")]:
        assert code_of(s3.copy_object, Bucket=bucket, Key="copy", CopySource=source,
                       **condition) == code, condition


@pytest.mark.parametrize("given,codes", [
    ("none", {"NoSuchKey"}), ("", {"InvalidArgument"}), ("/", {"InvalidArgument", "NoSuchKey"})])
@pytest.mark.minio_differs("XMinioInvalidObjectName", only={"/-codes2"})
def test_sources_that_are_none(endpoint, bucket, given, codes):
    answer = endpoint.request("PUT", f"/{bucket}/copy",
                              headers={"x-amz-copy-source": f"{bucket}/{given}" if given != "" else
                                       ""})
    assert 400 <= answer.status < 500
    assert answer.code in codes | {"InvalidRequest"}, answer


def test_a_source_that_is_missing(s3, bucket):
    with refused("NoSuchBucket", 404):
        s3.copy_object(Bucket=bucket, Key="k", CopySource="no-such-bucket-at-all/k")
    with refused("NoSuchKey", 404):
        s3.copy_object(Bucket=bucket, Key="k", CopySource=f"{bucket}/none")


def test_a_range_is_not_for_whole_copies(s3, endpoint, bucket, source):
    """A copy under a wrong directive is refused rather than done in another way."""
    answer = endpoint.request("PUT", f"/{bucket}/copy", headers={
        "x-amz-copy-source": f"/{bucket}/source", "x-amz-metadata-directive": "NONSENSE"})
    assert (answer.status, answer.code) == (400, "InvalidArgument")


def test_a_multipart_object_copied_is_one_piece(s3, bucket):
    began = s3.create_multipart_upload(Bucket=bucket, Key="parts")["UploadId"]
    tags = [s3.upload_part(Bucket=bucket, Key="parts", UploadId=began, PartNumber=n + 1,
                           Body=body)["ETag"] for n, body in enumerate((b"x" * (5 << 20), b"y"))]
    s3.complete_multipart_upload(Bucket=bucket, Key="parts", UploadId=began, MultipartUpload={
        "Parts": [{"PartNumber": n + 1, "ETag": tag} for n, tag in enumerate(tags)]})
    s3.copy_object(Bucket=bucket, Key="copy", CopySource=f"{bucket}/parts")
    assert body_of(s3, bucket, "copy") == b"x" * (5 << 20) + b"y"
