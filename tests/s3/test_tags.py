"""Tags of objects and buckets."""
import pytest
from support.s3 import code_of, refused


def tags(**pairs):
    return [{"Key": key, "Value": value} for key, value in sorted(pairs.items())]


def of(s3, bucket, key="k", **options):
    return sorted(s3.get_object_tagging(Bucket=bucket, Key=key, **options)["TagSet"],
                  key=lambda t: t["Key"])


def test_tags_come_with_an_object_or_later(s3, bucket):
    s3.put_object(Bucket=bucket, Key="k", Body=b"x", Tagging="a=1&b=two%20words&c=")
    assert of(s3, bucket) == tags(a="1", b="two words", c="")
    got = s3.get_object(Bucket=bucket, Key="k")
    assert got["TagCount"] == 3
    s3.put_object_tagging(Bucket=bucket, Key="k", Tagging={"TagSet": tags(d="4", **{"+/=@:._-": "a b"})})
    assert of(s3, bucket) == tags(d="4", **{"+/=@:._-": "a b"})
    answer = s3.delete_object_tagging(Bucket=bucket, Key="k")
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 204
    assert of(s3, bucket) == []
    assert "TagCount" not in s3.head_object(Bucket=bucket, Key="k")


def test_tags_belong_to_a_version(s3, versioned):
    first = s3.put_object(Bucket=versioned, Key="k", Body=b"1", Tagging="v=1")["VersionId"]
    s3.put_object(Bucket=versioned, Key="k", Body=b"2", Tagging="v=2")
    s3.put_object_tagging(Bucket=versioned, Key="k", VersionId=first, Tagging={"TagSet": tags(
        v="changed")})
    assert of(s3, versioned) == tags(v="2")
    assert of(s3, versioned, VersionId=first) == tags(v="changed")


def test_tags_do_not_touch_the_object(s3, bucket):
    s3.put_object(Bucket=bucket, Key="k", Body=b"x", Metadata={"a": "1"})
    before = s3.head_object(Bucket=bucket, Key="k")
    s3.put_object_tagging(Bucket=bucket, Key="k", Tagging={"TagSet": tags(a="1")})
    after = s3.head_object(Bucket=bucket, Key="k")
    for name in ("ETag", "LastModified", "Metadata", "ContentLength"):
        assert before[name] == after[name]


@pytest.mark.parametrize("bad", [
    tags(**{f"t{n:02}": "x" for n in range(11)}), tags(**{"k" * 129: "x"}), tags(k="v" * 257),
    [{"Key": "a", "Value": "1"}, {"Key": "a", "Value": "2"}]])
def test_tags_that_are_none(s3, bucket, bad):
    s3.put_object(Bucket=bucket, Key="k", Body=b"x", Tagging="kept=1")
    assert code_of(s3.put_object_tagging, Bucket=bucket, Key="k", Tagging={"TagSet": bad}) in (
        "InvalidTag", "BadRequest", "MalformedXML")
    assert of(s3, bucket) == tags(kept="1")


@pytest.mark.parametrize("tagging", ["&".join(f"t{n}=x" for n in range(11)), "a=1&a=2",
                                     "k" * 129 + "=1", "a=" + "v" * 257])
def test_a_header_of_tags_that_are_none(s3, bucket, tagging):
    assert code_of(s3.put_object, Bucket=bucket, Key="k", Body=b"x", Tagging=tagging) in (
        "InvalidTag", "BadRequest", "InvalidArgument")
    assert code_of(s3.head_object, Bucket=bucket, Key="k") == "404"


def test_limits_themselves_are_fine(s3, bucket):
    most = tags(**{f"{n:0128}": "v" * 256 for n in range(10)})
    s3.put_object(Bucket=bucket, Key="k", Body=b"x")
    s3.put_object_tagging(Bucket=bucket, Key="k", Tagging={"TagSet": most})
    assert of(s3, bucket) == most


def test_tags_of_what_is_not_there(s3, bucket):
    with refused("NoSuchKey", 404):
        s3.get_object_tagging(Bucket=bucket, Key="k")
    with refused("NoSuchKey", 404):
        s3.put_object_tagging(Bucket=bucket, Key="k", Tagging={"TagSet": tags(a="1")})


def test_tags_of_a_bucket(s3, bucket):
    s3.put_bucket_tagging(Bucket=bucket, Tagging={"TagSet": tags(team="sales", cost="12")})
    assert sorted(s3.get_bucket_tagging(Bucket=bucket)["TagSet"], key=lambda t: t["Key"]) == tags(
        team="sales", cost="12")
    s3.delete_bucket_tagging(Bucket=bucket)
    with refused("NoSuchTagSet", 404):
        s3.get_bucket_tagging(Bucket=bucket)


@pytest.mark.minio_differs("ASCII alone")
def test_letters_of_any_script(s3, bucket):
    s3.put_object(Bucket=bucket, Key="k", Body=b"x", Tagging="%C3%A9t%C3%A9=%E6%97%A5%E6%9C%AC")
    assert of(s3, bucket) == tags(**{"été": "日本"})
