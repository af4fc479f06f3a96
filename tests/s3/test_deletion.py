"""Deleting: one, many, versions, what is not there, what is refused."""
import hashlib

import pytest
from support.s3 import all_keys, all_versions, refused


def test_a_delete_is_idempotent(s3, bucket):
    s3.put_object(Bucket=bucket, Key="k", Body=b"x")
    for _ in range(3):
        assert s3.delete_object(Bucket=bucket, Key="k")["ResponseMetadata"][
            "HTTPStatusCode"] == 204
    assert all_keys(s3, bucket) == []


def test_a_thousand_at_once(s3, bucket):
    from concurrent.futures import ThreadPoolExecutor
    keys = [f"k{n:04}" for n in range(1000)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda k: s3.put_object(Bucket=bucket, Key=k, Body=b""), keys[::5]))
    answer = s3.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": k} for k in keys]})
    assert sorted(d["Key"] for d in answer["Deleted"]) == keys  # those that were not there as well
    assert "Errors" not in answer
    assert all_keys(s3, bucket) == []


def test_quiet_tells_errors_alone(s3, bucket):
    s3.put_object(Bucket=bucket, Key="k", Body=b"x")
    answer = s3.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": "k"}], "Quiet": True})
    assert "Deleted" not in answer and "Errors" not in answer
    assert all_keys(s3, bucket) == []


def test_more_than_a_thousand_are_refused(endpoint, s3, bucket):
    s3.put_object(Bucket=bucket, Key="k0", Body=b"x")
    body = ("<Delete>" + "".join(f"<Object><Key>k{n}</Key></Object>" for n in range(1001))
            + "</Delete>").encode()
    answer = multi_delete(endpoint, bucket, body)
    assert (answer.status, answer.code) == (400, "MalformedXML")
    assert all_keys(s3, bucket) == ["k0"]


def multi_delete(endpoint, bucket, body):
    import base64
    md5 = base64.b64encode(hashlib.md5(body).digest()).decode()
    return endpoint.request("POST", f"/{bucket}", {"delete": ""}, body=body,
                            headers={"content-md5": md5})


@pytest.mark.minio_differs("deletes")
def test_a_wrong_digest_deletes_nothing(endpoint, s3, bucket):
    s3.put_object(Bucket=bucket, Key="k", Body=b"x")
    body = b"<Delete><Object><Key>k</Key></Object></Delete>"
    answer = endpoint.request("POST", f"/{bucket}", {"delete": ""}, body=body,
                              headers={"content-md5": "1B2M2Y8AsgTpgAmY7PhCfg=="})
    assert answer.status == 400 and answer.code == "BadDigest"
    assert all_keys(s3, bucket) == ["k"]


@pytest.mark.parametrize("body", [b"", b"<Delete>", b"<Delete></Delete>", b"<Other/>", b"\0"])
@pytest.mark.minio_differs("MissingContentLength", only={""})
def test_lists_that_are_none(endpoint, s3, bucket, body):
    s3.put_object(Bucket=bucket, Key="k", Body=b"x")
    answer = multi_delete(endpoint, bucket, body)
    assert 400 <= answer.status < 500 and answer.code in ("MalformedXML", "MissingRequestBodyError")
    assert all_keys(s3, bucket) == ["k"]


def test_entities_in_keys(s3, bucket):
    keys = ["a&b", "<tag>", '"quoted"', "a\tb", " lead", "é"]
    for key in keys:
        s3.put_object(Bucket=bucket, Key=key, Body=b"")
    answer = s3.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": k} for k in keys]})
    assert {d["Key"] for d in answer["Deleted"]} == set(keys)
    assert all_keys(s3, bucket) == []


@pytest.mark.minio_differs("does not tell of the marker")
def test_versions_and_markers_at_once(s3, versioned):
    first = s3.put_object(Bucket=versioned, Key="a", Body=b"1")["VersionId"]
    s3.put_object(Bucket=versioned, Key="a", Body=b"2")
    s3.put_object(Bucket=versioned, Key="b", Body=b"3")
    answer = s3.delete_objects(Bucket=versioned, Delete={"Objects": [
        {"Key": "a", "VersionId": first}, {"Key": "b"}]})
    told = {d["Key"]: d for d in answer["Deleted"]}
    assert told["a"]["VersionId"] == first and not told["a"].get("DeleteMarker")
    assert told["b"]["DeleteMarker"] and told["b"]["DeleteMarkerVersionId"]
    assert all_keys(s3, versioned) == ["a"]
    marker = told["b"]["DeleteMarkerVersionId"]
    answer = s3.delete_objects(Bucket=versioned, Delete={"Objects": [
        {"Key": "b", "VersionId": marker}]})
    assert answer["Deleted"][0]["DeleteMarker"] and answer["Deleted"][0]["VersionId"] == marker
    assert all_keys(s3, versioned) == ["a", "b"]


@pytest.mark.minio_differs("ignores If-Match of DELETE")
def test_a_delete_may_ask_for_an_etag(endpoint, s3, bucket):
    tag = s3.put_object(Bucket=bucket, Key="k", Body=b"x")["ETag"]
    with refused("PreconditionFailed", 412):
        s3.delete_object(Bucket=bucket, Key="k", IfMatch='"' + "0" * 32 + '"')
    assert all_keys(s3, bucket) == ["k"]
    s3.delete_object(Bucket=bucket, Key="k", IfMatch=tag)
    assert all_keys(s3, bucket) == []


def test_a_folder_is_nothing_of_its_own(s3, bucket):
    s3.put_object(Bucket=bucket, Key="f/", Body=b"")
    s3.put_object(Bucket=bucket, Key="f/a", Body=b"x")
    s3.delete_object(Bucket=bucket, Key="f/")
    assert all_keys(s3, bucket) == ["f/a"]
    s3.delete_object(Bucket=bucket, Key="f")
    assert all_keys(s3, bucket) == ["f/a"]


def test_everything_of_a_bucket_can_go(s3, make_bucket):
    from support.s3 import remove_bucket
    name = make_bucket()
    s3.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
    for n in range(20):
        s3.put_object(Bucket=name, Key=f"k{n % 5}", Body=b"x")
    s3.delete_object(Bucket=name, Key="k1")
    s3.create_multipart_upload(Bucket=name, Key="k")
    remove_bucket(s3, name)
    assert name not in [b["Name"] for b in s3.list_buckets()["Buckets"]]
    s3.create_bucket(Bucket=name)
    assert all_versions(s3, name) == []
    s3.delete_bucket(Bucket=name)
