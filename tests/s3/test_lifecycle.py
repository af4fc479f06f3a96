"""Lifecycle rules: kept as given, refused when they make no sense, told with an object."""
import datetime

import pytest
from support.s3 import code_of, refused


def rule(**parts):
    return {"ID": "r", "Status": "Enabled", "Filter": {"Prefix": "logs/"}, **parts}


def put(s3, bucket, *rules):
    s3.put_bucket_lifecycle_configuration(Bucket=bucket, LifecycleConfiguration={
        "Rules": list(rules)})


@pytest.mark.parametrize("parts", [
    {"Expiration": {"Days": 30}},
    {"Expiration": {"Date": datetime.datetime(2035, 1, 1, tzinfo=datetime.timezone.utc)}},
    {"NoncurrentVersionExpiration": {"NoncurrentDays": 3, "NewerNoncurrentVersions": 2}},
    {"Expiration": {"ExpiredObjectDeleteMarker": True}},
    pytest.param({"AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 7}},
                 marks=pytest.mark.minio_differs("refuses it")),
    {"Expiration": {"Days": 1}, "Filter": {"Tag": {"Key": "a", "Value": "b"}}},
    {"Expiration": {"Days": 1}, "Filter": {"And": {"Prefix": "a/", "Tags": [
        {"Key": "a", "Value": "b"}, {"Key": "c", "Value": "d"}]}}},
    {"Expiration": {"Days": 1}, "Status": "Disabled"}])
def test_rules_are_kept(s3, bucket, parts):
    put(s3, bucket, rule(**parts))
    [kept] = s3.get_bucket_lifecycle_configuration(Bucket=bucket)["Rules"]
    assert {k: v for k, v in kept.items() if k != "ID"} == {
        k: v for k, v in rule(**parts).items() if k != "ID"}
    s3.delete_bucket_lifecycle(Bucket=bucket)
    with refused("NoSuchLifecycleConfiguration", 404):
        s3.get_bucket_lifecycle_configuration(Bucket=bucket)


@pytest.mark.parametrize("parts", [
    {"Expiration": {"Days": 0}}, {"Expiration": {"Days": -1}}, {}, {"Expiration": {"Days": 1},
                                                                    "Status": "Sometimes"},
    {"Expiration": {"Date": datetime.datetime(2035, 1, 1, 5, tzinfo=datetime.timezone.utc)}},
    {"Expiration": {"Days": 1}, "ID": "x" * 256}])
def test_rules_that_are_none(s3, bucket, parts):
    assert code_of(put, s3, bucket, rule(**parts)) in ("InvalidArgument", "InvalidRequest",
                                                       "MalformedXML")


def test_two_rules_of_one_name(s3, bucket):
    assert code_of(put, s3, bucket, rule(Expiration={"Days": 1}), rule(Expiration={"Days": 2})) in (
        "InvalidArgument", "InvalidRequest", "MalformedXML")


def test_an_object_tells_when_it_goes(s3, bucket):
    put(s3, bucket, rule(Expiration={"Days": 30}))
    told = s3.put_object(Bucket=bucket, Key="logs/a", Body=b"x").get("Expiration")
    for text in (told, s3.head_object(Bucket=bucket, Key="logs/a").get("Expiration")):
        assert text and 'rule-id="r"' in text and "00:00:00 GMT" in text
    s3.put_object(Bucket=bucket, Key="other", Body=b"x")
    assert "Expiration" not in s3.head_object(Bucket=bucket, Key="other")
