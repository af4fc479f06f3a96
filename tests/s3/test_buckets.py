"""Buckets: names, life, location, what they answer when something is not there."""
import datetime

import pytest
from support.s3 import code_of, refused


def test_a_bucket_is_made_listed_found_and_deleted(s3, make_bucket):
    names = sorted(make_bucket() for _ in range(3))
    listed = {b["Name"]: b for b in s3.list_buckets()["Buckets"]}
    assert set(names) <= set(listed)
    assert list(listed) == sorted(listed)
    age = datetime.datetime.now(datetime.timezone.utc) - listed[names[0]]["CreationDate"]
    assert abs(age) < datetime.timedelta(minutes=5)
    head = s3.head_bucket(Bucket=names[0])
    assert head["ResponseMetadata"]["HTTPStatusCode"] == 200
    answer = s3.delete_bucket(Bucket=names[0])
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 204
    assert names[0] not in [b["Name"] for b in s3.list_buckets()["Buckets"]]
    with refused("404"):
        s3.head_bucket(Bucket=names[0])
    with refused("NoSuchBucket", 404):
        s3.delete_bucket(Bucket=names[0])


def test_the_owner_is_told(s3, make_bucket):
    make_bucket()
    assert s3.list_buckets()["Owner"]["ID"]


@pytest.mark.minio_differs("ignores Prefix and MaxBuckets")
def test_a_list_of_buckets_comes_in_pages(s3, make_bucket):
    names = sorted(make_bucket(f"pages-{n}-{id(s3) % 10**8}") for n in range(5))
    found, token = [], {}
    while True:
        page = s3.list_buckets(Prefix="pages-", MaxBuckets=2, **token)
        assert len(page["Buckets"]) <= 2
        found += [b["Name"] for b in page["Buckets"]]
        if "ContinuationToken" not in page:
            break
        token = {"ContinuationToken": page["ContinuationToken"]}
    assert found == names


def test_making_ones_own_bucket_again_keeps_what_is_in_it(s3, bucket):
    s3.put_object(Bucket=bucket, Key="kept", Body=b"kept")
    assert code_of(s3.create_bucket, Bucket=bucket) in ("", "BucketAlreadyOwnedByYou")
    assert s3.get_object(Bucket=bucket, Key="kept")["Body"].read() == b"kept"


@pytest.mark.parametrize("name", [
    "ab", "a" * 64, "Upper", "under_score", "-lead", "trail-", ".lead", "dots..dots", "192.168.0.1",
    "spa ce", "umläut", pytest.param("xn--it", marks=pytest.mark.minio_differs("allows xn--"))])
def test_names_that_are_none(endpoint, name):
    answer = endpoint.request("PUT", f"/{name}")
    assert (answer.status, answer.code) == (400, "InvalidBucketName"), answer


@pytest.mark.parametrize("name", ["abc", "a" * 63, "with.dots.in-it", "0123", "a-b"])
def test_names_that_are_ones(s3, make_bucket, name):
    if code_of(s3.head_bucket, Bucket=name):
        make_bucket(name)
    s3.put_object(Bucket=name, Key="a/b", Body=b"x")
    assert s3.get_object(Bucket=name, Key="a/b")["Body"].read() == b"x"


@pytest.mark.parametrize("what", ["object", "version", "upload"])
def test_a_bucket_that_is_not_empty_stays(s3, versioned, what):
    if what == "upload":
        s3.create_multipart_upload(Bucket=versioned, Key="k")
        # Amazon deletes a bucket with nothing but unfinished uploads; others keep them.
        assert code_of(s3.delete_bucket, Bucket=versioned) in ("", "BucketNotEmpty")
        return
    s3.put_object(Bucket=versioned, Key="k", Body=b"")
    if what == "version":
        s3.delete_object(Bucket=versioned, Key="k")
    with refused("BucketNotEmpty", 409):
        s3.delete_bucket(Bucket=versioned)
    s3.head_bucket(Bucket=versioned)


def test_location(s3, make_bucket, bucket):
    assert s3.get_bucket_location(Bucket=bucket)["LocationConstraint"] in (None, "")


ABSENT = "no-such-bucket-anywhere"


@pytest.mark.parametrize("call,options", [
    ("put_object", {"Key": "k", "Body": b"x"}), ("get_object", {"Key": "k"}),
    ("delete_object", {"Key": "k"}), ("list_objects", {}), ("list_objects_v2", {}),
    ("list_object_versions", {}), ("list_multipart_uploads", {}),
    ("create_multipart_upload", {"Key": "k"}), ("get_bucket_versioning", {}),
    pytest.param("get_bucket_tagging", {}, marks=pytest.mark.minio_differs("NoSuchTagSet")),
    ("get_bucket_location", {}), ("get_bucket_policy", {}),
    ("get_bucket_lifecycle_configuration", {}), ("get_object_tagging", {"Key": "k"}),
    ("copy_object", {"Key": "k", "CopySource": f"{ABSENT}/x"}),
    ("delete_objects", {"Delete": {"Objects": [{"Key": "k"}]}}),
    ("get_object_attributes", {"Key": "k", "ObjectAttributes": ["ETag"]})])
def test_every_call_knows_that_the_bucket_is_missing(s3, call, options):
    with refused("NoSuchBucket", 404):
        getattr(s3, call)(Bucket=ABSENT, **options)


@pytest.mark.parametrize("call,code", [
    ("get_bucket_policy", "NoSuchBucketPolicy"),
    ("get_bucket_cors", "NoSuchCORSConfiguration"),
    ("get_bucket_lifecycle_configuration", "NoSuchLifecycleConfiguration"),
    ("get_bucket_tagging", "NoSuchTagSet"),
    ("get_object_lock_configuration", "ObjectLockConfigurationNotFoundError"),
    ("get_bucket_replication", "ReplicationConfigurationNotFoundError")])
def test_what_a_bucket_does_not_have(s3, bucket, call, code):
    with refused(code, 404):
        getattr(s3, call)(Bucket=bucket)


def test_a_bucket_that_never_had_versions_says_nothing_of_them(s3, bucket):
    assert "Status" not in s3.get_bucket_versioning(Bucket=bucket)


@pytest.mark.minio_differs("MalformedXML")
def test_websites_are_not_implemented(endpoint, bucket):
    body = (b'<WebsiteConfiguration xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><IndexDocument>'
            b"<Suffix>index.html</Suffix></IndexDocument></WebsiteConfiguration>")
    answer = endpoint.request("PUT", f"/{bucket}", {"website": ""}, body=body)
    assert (answer.status, answer.code) == (501, "NotImplemented")


@pytest.mark.parametrize("subresource", [
    "tagging", "lifecycle", "policy", "versioning"])
@pytest.mark.parametrize("document", [
    b"", b"<", b"<a/>", b"nonsense", b"\0\0",
    b'<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><Tagging>&b;</Tagging>'],
    ids=["nothing", "half", "another", "text", "zeros", "entity"])
@pytest.mark.minio_differs("500", only={
    f"{document}-versioning" for document in ("nothing", "another", "text", "entity")})
def test_documents_that_are_none(endpoint, bucket, subresource, document):
    answer = endpoint.request("PUT", f"/{bucket}", {subresource: ""}, body=document)
    assert 400 <= answer.status < 500, answer
    assert b"root:" not in answer.body
    assert answer.code


def test_errors_name_request_resource_and_code(endpoint, bucket):
    answer = endpoint.request("GET", f"/{bucket}/not here")
    assert answer.status == 404 and answer.code == "NoSuchKey"
    assert answer.headers["content-type"] == "application/xml"
    assert answer.headers["x-amz-request-id"] and answer.element("RequestId")
    assert answer.element("Message")
    assert answer.element("Resource") or answer.element("Key")


def test_an_unknown_method_or_subresource_does_no_harm(endpoint, s3, bucket):
    s3.put_object(Bucket=bucket, Key="k", Body=b"x")
    for method, query in (("PATCH", {}), ("PUT", {"accelerate": ""}), ("POST", {}),
                          ("PUT", {"inventory": "", "id": "x"})):
        answer = endpoint.request(method, f"/{bucket}", query)
        assert 400 <= answer.status < 600 and answer.status != 500, (method, query, answer)
    assert s3.get_object(Bucket=bucket, Key="k")["Body"].read() == b"x"
