"""Object lock: retention in both modes, legal hold, defaults, what bypasses and what never does."""
import datetime

import pytest
from support.s3 import body_of, code_of, refused


def later(days=1):
    return (datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(days=days)).replace(
        microsecond=0)


ANOTHER_WORD = pytest.mark.minio_differs("InvalidRequest")


@pytest.fixture
def locked(make_bucket):
    return make_bucket(ObjectLockEnabledForBucket=True)


def test_a_locked_bucket_has_versions(s3, locked, bucket):
    assert s3.get_bucket_versioning(Bucket=locked)["Status"] == "Enabled"
    assert s3.get_object_lock_configuration(Bucket=locked)["ObjectLockConfiguration"][
        "ObjectLockEnabled"] == "Enabled"
    with refused("InvalidBucketState"):
        s3.put_bucket_versioning(Bucket=locked, VersioningConfiguration={"Status": "Suspended"})
    assert code_of(s3.put_object, Bucket=bucket, Key="k", Body=b"x", ObjectLockMode="GOVERNANCE",
                   ObjectLockRetainUntilDate=later()) == "InvalidRequest"


@pytest.mark.parametrize("mode", ["GOVERNANCE", "COMPLIANCE"])
@ANOTHER_WORD
def test_a_retained_version_stays(s3, locked, mode):
    until = later()
    version = s3.put_object(Bucket=locked, Key="k", Body=b"kept", ObjectLockMode=mode,
                            ObjectLockRetainUntilDate=until)["VersionId"]
    head = s3.head_object(Bucket=locked, Key="k")
    assert (head["ObjectLockMode"], head["ObjectLockRetainUntilDate"]) == (mode, until)
    with refused("AccessDenied", 403):
        s3.delete_object(Bucket=locked, Key="k", VersionId=version)
    answer = s3.delete_objects(Bucket=locked, Delete={"Objects": [{"Key": "k",
                                                                   "VersionId": version}]})
    assert [e["Code"] for e in answer["Errors"]] == ["AccessDenied"]
    s3.delete_object(Bucket=locked, Key="k")  # a marker: nothing is lost
    assert body_of(s3, locked, "k", VersionId=version) == b"kept"
    code = code_of(s3.delete_object, Bucket=locked, Key="k", VersionId=version,
                   BypassGovernanceRetention=True)
    assert code == ("" if mode == "GOVERNANCE" else "AccessDenied")


@ANOTHER_WORD
def test_retention_can_be_longer_but_not_shorter(s3, locked):
    s3.put_object(Bucket=locked, Key="k", Body=b"x")

    def retain(mode, days, **options):
        return code_of(s3.put_object_retention, Bucket=locked, Key="k", Retention={
            "Mode": mode, "RetainUntilDate": later(days)}, **options)
    assert retain("GOVERNANCE", 2) == ""
    assert retain("GOVERNANCE", 3) == ""
    assert retain("GOVERNANCE", 1) == "AccessDenied"
    assert retain("GOVERNANCE", 1, BypassGovernanceRetention=True) == ""
    assert retain("COMPLIANCE", 2, BypassGovernanceRetention=True) == ""
    assert retain("COMPLIANCE", 1, BypassGovernanceRetention=True) == "AccessDenied"
    assert retain("GOVERNANCE", 3, BypassGovernanceRetention=True) == "AccessDenied"
    assert retain("COMPLIANCE", 3) == ""
    kept = s3.get_object_retention(Bucket=locked, Key="k")["Retention"]
    assert kept["Mode"] == "COMPLIANCE"


@ANOTHER_WORD
def test_a_legal_hold_holds_whatever_is_bypassed(s3, locked):
    version = s3.put_object(Bucket=locked, Key="k", Body=b"x",
                            ObjectLockLegalHoldStatus="ON")["VersionId"]
    assert s3.get_object_legal_hold(Bucket=locked, Key="k")["LegalHold"]["Status"] == "ON"
    with refused("AccessDenied", 403):
        s3.delete_object(Bucket=locked, Key="k", VersionId=version, BypassGovernanceRetention=True)
    s3.put_object_legal_hold(Bucket=locked, Key="k", LegalHold={"Status": "OFF"})
    s3.delete_object(Bucket=locked, Key="k", VersionId=version)


def test_a_default_is_applied_to_new_objects(s3, locked):
    s3.put_object(Bucket=locked, Key="before", Body=b"x")
    s3.put_object_lock_configuration(Bucket=locked, ObjectLockConfiguration={
        "ObjectLockEnabled": "Enabled",
        "Rule": {"DefaultRetention": {"Mode": "GOVERNANCE", "Days": 5}}})
    kept = s3.get_object_lock_configuration(Bucket=locked)["ObjectLockConfiguration"]
    assert kept["Rule"]["DefaultRetention"] == {"Mode": "GOVERNANCE", "Days": 5}
    s3.put_object(Bucket=locked, Key="after", Body=b"x")
    head = s3.head_object(Bucket=locked, Key="after")
    assert head["ObjectLockMode"] == "GOVERNANCE"
    assert abs(head["ObjectLockRetainUntilDate"] - later(5)) < datetime.timedelta(minutes=5)
    assert "ObjectLockMode" not in s3.head_object(Bucket=locked, Key="before")


@pytest.mark.parametrize("retention", [
    {"ObjectLockMode": "GOVERNANCE"}, {"ObjectLockRetainUntilDate": later()},
    {"ObjectLockMode": "GOVERNANCE", "ObjectLockRetainUntilDate": later(-1)},
    {"ObjectLockMode": "NONSENSE", "ObjectLockRetainUntilDate": later()}])
def test_retentions_that_are_none(s3, locked, retention):
    assert code_of(s3.put_object, Bucket=locked, Key="k", Body=b"x", **retention) in (
        "InvalidArgument", "InvalidRequest")
    assert code_of(s3.head_object, Bucket=locked, Key="k") == "404"


def test_no_retention_and_no_hold(s3, locked):
    s3.put_object(Bucket=locked, Key="k", Body=b"x")
    with refused("NoSuchObjectLockConfiguration"):
        s3.get_object_retention(Bucket=locked, Key="k")


def test_a_lock_needs_a_bucket_with_locks(s3, bucket):
    s3.put_object(Bucket=bucket, Key="k", Body=b"x")
    with refused("InvalidRequest", 400):
        s3.put_object_retention(Bucket=bucket, Key="k", Retention={
            "Mode": "GOVERNANCE", "RetainUntilDate": later()})
