"""Versioning: every write kept, delete markers, suspension, lists, restoring."""
import pytest
from support.s3 import all_keys, all_versions, body_of, code_of, refused


def put(s3, bucket, key, body):
    return s3.put_object(Bucket=bucket, Key=key, Body=body)["VersionId"]


def test_every_write_is_kept(s3, versioned):
    assert s3.get_bucket_versioning(Bucket=versioned)["Status"] == "Enabled"
    ids = [put(s3, versioned, "k", b"%d" % n) for n in range(5)]
    assert len(set(ids)) == 5
    assert body_of(s3, versioned, "k") == b"4"
    for n, version in enumerate(ids):
        got = s3.get_object(Bucket=versioned, Key="k", VersionId=version)
        assert got["Body"].read() == b"%d" % n and got["VersionId"] == version
        assert s3.head_object(Bucket=versioned, Key="k", VersionId=version)["ContentLength"] == 1
    listed = s3.list_object_versions(Bucket=versioned)["Versions"]
    assert [v["VersionId"] for v in listed] == ids[::-1]
    assert [v["IsLatest"] for v in listed] == [True] + [False] * 4
    assert all_keys(s3, versioned) == ["k"]


def test_a_delete_makes_a_marker_and_its_delete_undoes_it(s3, versioned):
    version = put(s3, versioned, "k", b"content")
    answer = s3.delete_object(Bucket=versioned, Key="k")
    assert answer["DeleteMarker"] is True
    marker = answer["VersionId"]
    with refused("NoSuchKey", 404) as failure:
        s3.get_object(Bucket=versioned, Key="k")
    headers = failure.value.response["ResponseMetadata"]["HTTPHeaders"]
    assert headers["x-amz-delete-marker"] == "true" and headers["x-amz-version-id"] == marker
    with refused("MethodNotAllowed", 405):
        s3.get_object(Bucket=versioned, Key="k", VersionId=marker)
    assert all_keys(s3, versioned) == []
    listed = s3.list_object_versions(Bucket=versioned)
    assert [m["VersionId"] for m in listed["DeleteMarkers"]] == [marker]
    assert listed["DeleteMarkers"][0]["IsLatest"] and not listed["Versions"][0]["IsLatest"]
    assert body_of(s3, versioned, "k", VersionId=version) == b"content"

    undone = s3.delete_object(Bucket=versioned, Key="k", VersionId=marker)
    assert undone["DeleteMarker"] is True and undone["VersionId"] == marker
    assert body_of(s3, versioned, "k") == b"content"


def test_a_version_deleted_is_gone_and_the_one_before_is_back(s3, versioned):
    old, new = put(s3, versioned, "k", b"old"), put(s3, versioned, "k", b"new")
    answer = s3.delete_object(Bucket=versioned, Key="k", VersionId=new)
    assert answer["VersionId"] == new and not answer.get("DeleteMarker")
    assert body_of(s3, versioned, "k") == b"old"
    s3.delete_object(Bucket=versioned, Key="k", VersionId=old)
    assert all_versions(s3, versioned) == []
    with refused("NoSuchVersion", 404):
        s3.get_object(Bucket=versioned, Key="k", VersionId=old)


@pytest.mark.minio_differs("does not tell of the marker")
def test_deleting_what_never_was_makes_a_marker_too(s3, versioned):
    assert s3.delete_object(Bucket=versioned, Key="never")["DeleteMarker"]
    assert len(all_versions(s3, versioned)) == 1


@pytest.mark.parametrize("version", ["nonsense", "../../x", "0" * 32,
                                     "11111111-2222-3333-4444-555555555555"])
@pytest.mark.minio_differs("XMinioInvalidResourceName", only={"../../x"})
def test_versions_that_are_none(s3, versioned, version):
    put(s3, versioned, "k", b"x")
    assert code_of(s3.get_object, Bucket=versioned, Key="k", VersionId=version) in (
        "NoSuchVersion", "InvalidArgument")
    assert body_of(s3, versioned, "k") == b"x"


def test_what_was_there_before_versioning_is_null(s3, bucket):
    s3.put_object(Bucket=bucket, Key="k", Body=b"before")
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    assert all_versions(s3, bucket) == [("k", "null", False)]
    put(s3, bucket, "k", b"after")
    assert body_of(s3, bucket, "k", VersionId="null") == b"before"
    assert body_of(s3, bucket, "k") == b"after"


@pytest.mark.minio_differs("does not tell of the marker")
def test_suspended_writes_replace_the_null_version_alone(s3, versioned):
    kept = put(s3, versioned, "k", b"kept")
    s3.put_bucket_versioning(Bucket=versioned, VersioningConfiguration={"Status": "Suspended"})
    assert s3.get_bucket_versioning(Bucket=versioned)["Status"] == "Suspended"
    s3.put_object(Bucket=versioned, Key="k", Body=b"null 1")
    s3.put_object(Bucket=versioned, Key="k", Body=b"null 2")
    assert {v for _, v, _ in all_versions(s3, versioned)} == {kept, "null"}
    assert body_of(s3, versioned, "k") == b"null 2"
    assert body_of(s3, versioned, "k", VersionId=kept) == b"kept"
    marker = s3.delete_object(Bucket=versioned, Key="k")
    assert marker["DeleteMarker"] and marker.get("VersionId", "null") == "null"
    assert {(v, m) for _, v, m in all_versions(s3, versioned)} == {(kept, False), ("null", True)}
    with refused("NoSuchKey"):
        s3.get_object(Bucket=versioned, Key="k")


def test_versions_are_listed_in_pages(s3, versioned):
    expected = []
    for key in ("a", "b/1", "b/2", "c"):
        mine = [put(s3, versioned, key, b"%d" % n) for n in range(3)]
        if key != "c":
            mine.append(s3.delete_object(Bucket=versioned, Key=key)["VersionId"])
        expected += [(key, version) for version in reversed(mine)]
    for limit in (1, 2, 5, 1000):
        found, markers = [], {}
        while True:
            page = s3.list_object_versions(Bucket=versioned, MaxKeys=limit, **markers)
            items = page.get("Versions", []) + page.get("DeleteMarkers", [])
            assert len(items) <= limit
            order = {pair: n for n, pair in enumerate(expected)}
            found += sorted(((i["Key"], i["VersionId"]) for i in items), key=order.get)
            if not page["IsTruncated"]:
                break
            markers = {"KeyMarker": page["NextKeyMarker"]}
            if "NextVersionIdMarker" in page:
                markers["VersionIdMarker"] = page["NextVersionIdMarker"]
        assert found == expected, limit
    folders = s3.list_object_versions(Bucket=versioned, Delimiter="/")
    assert [p["Prefix"] for p in folders["CommonPrefixes"]] == ["b/"]
    assert {v["Key"] for v in folders["Versions"]} == {"a", "c"}
    assert {v["Key"] for v in s3.list_object_versions(Bucket=versioned, Prefix="b/")[
        "Versions"]} == {"b/1", "b/2"}


def test_versions_and_markers_stand_in_one_order(endpoint, s3, versioned):
    put(s3, versioned, "a", b"1")
    s3.delete_object(Bucket=versioned, Key="a")
    put(s3, versioned, "a", b"2")
    put(s3, versioned, "b", b"3")
    body = endpoint.request("GET", f"/{versioned}", {"versions": ""}).body.decode()
    import re
    assert re.findall(r"<(Version|DeleteMarker)>", body) == ["Version", "DeleteMarker", "Version",
                                                             "Version"]


def test_an_old_version_is_restored_by_a_copy(s3, versioned):
    old = put(s3, versioned, "k", b"old")
    put(s3, versioned, "k", b"new")
    answer = s3.copy_object(Bucket=versioned, Key="k", CopySource={
        "Bucket": versioned, "Key": "k", "VersionId": old})
    assert answer["CopySourceVersionId"] == old and answer["VersionId"] != old
    assert body_of(s3, versioned, "k") == b"old"
    assert len(all_versions(s3, versioned)) == 3


def test_a_multipart_object_is_a_version(s3, versioned):
    put(s3, versioned, "k", b"first")
    began = s3.create_multipart_upload(Bucket=versioned, Key="k")["UploadId"]
    tag = s3.upload_part(Bucket=versioned, Key="k", UploadId=began, PartNumber=1, Body=b"x")["ETag"]
    done = s3.complete_multipart_upload(
        Bucket=versioned, Key="k", UploadId=began,
        MultipartUpload={"Parts": [{"PartNumber": 1, "ETag": tag}]})
    assert done["VersionId"] and len(all_versions(s3, versioned)) == 2
    assert body_of(s3, versioned, "k", VersionId=done["VersionId"]) == b"x"


def test_versioning_cannot_be_taken_back(s3, versioned, endpoint):
    body = b"<VersioningConfiguration><Status>Never</Status></VersioningConfiguration>"
    answer = endpoint.request("PUT", f"/{versioned}", {"versioning": ""}, body=body)
    assert answer.status == 400
    assert s3.get_bucket_versioning(Bucket=versioned)["Status"] == "Enabled"
