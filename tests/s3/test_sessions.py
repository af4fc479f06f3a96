"""STS: temporary keys that may do less, end, and are worth nothing in parts."""
import datetime
import json

import pytest
from support.s3 import Keys, body_of, code_of


@pytest.fixture
def sts(endpoint):
    return endpoint.client(service="sts")


def assume(sts, policy=None, seconds=900):
    options = {"Policy": json.dumps(policy)} if policy else {}
    got = sts.assume_role(RoleArn="arn:aws:iam::000000000000:role/any", RoleSessionName="tests",
                          DurationSeconds=seconds, **options)["Credentials"]
    return Keys(got["AccessKeyId"], got["SecretAccessKey"], got["SessionToken"]), got["Expiration"]


def only_read(bucket):
    return {"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": "s3:GetObject", "Resource": f"arn:aws:s3:::{bucket}/*"}]}


def test_a_session_may_do_what_both_allow(endpoint, s3, sts, bucket):
    s3.put_object(Bucket=bucket, Key="k", Body=b"x")
    keys, expires = assume(sts, only_read(bucket))
    session = endpoint.client(keys)
    assert body_of(session, bucket, "k") == b"x"
    assert code_of(session.put_object, Bucket=bucket, Key="k", Body=b"y") == "AccessDenied"
    assert code_of(session.list_objects_v2, Bucket=bucket) == "AccessDenied"
    left = expires - datetime.datetime.now(datetime.timezone.utc)
    assert datetime.timedelta(minutes=13) < left <= datetime.timedelta(minutes=15, seconds=2)


def test_a_session_without_a_policy_is_who_asked(endpoint, sts, bucket):
    session = endpoint.client(assume(sts)[0])
    session.put_object(Bucket=bucket, Key="k", Body=b"x")
    assert body_of(session, bucket, "k") == b"x"
    url = session.generate_presigned_url("get_object", {"Bucket": bucket, "Key": "k"})
    assert endpoint.send("GET", *url.removeprefix(endpoint.url).split("?")).body == b"x"


@pytest.mark.parametrize("bend", [
    lambda k: Keys(k.access_key, k.secret_key), lambda k: Keys(k.access_key, k.secret_key, "x"),
    lambda k: Keys(k.access_key, k.secret_key + "x", k.session_token),
    lambda k: Keys(k.access_key, k.secret_key, k.session_token[:-4] + "AAAA"),
    lambda k: Keys(k.access_key, k.secret_key, k.session_token[:len(k.session_token) // 2])],
    ids=["no token", "another token", "another secret", "its end changed", "half of it"])
def test_keys_of_a_session_are_worth_nothing_in_parts(endpoint, sts, bucket, bend):
    keys, _ = assume(sts)
    assert code_of(endpoint.client(bend(keys)).list_objects_v2, Bucket=bucket) in (
        "InvalidAccessKeyId", "InvalidToken", "InvalidTokenId", "SignatureDoesNotMatch",
        "AccessDenied", "ExpiredToken")


def test_the_token_of_one_session_is_not_anothers(endpoint, sts, bucket):
    one, two = assume(sts, only_read(bucket))[0], assume(sts)[0]
    mixed = Keys(one.access_key, one.secret_key, two.session_token)
    assert code_of(endpoint.client(mixed).list_objects_v2, Bucket=bucket) != ""


@pytest.mark.parametrize("seconds", [1, 899, 12 * 3600 + 1, -1])
@pytest.mark.minio_differs("allows up to a year", only={"43201"})
def test_lifetimes_that_are_none(endpoint, seconds):
    answer = sts_call(endpoint, f"DurationSeconds={seconds}")
    assert answer.status == 400, answer


def sts_call(endpoint, extra, action="AssumeRole"):
    body = f"Action={action}&Version=2011-06-15&{extra}".encode()
    import hashlib
    signer = endpoint.signer(service="sts")
    headers = signer.headers("POST", "/", "", {
        "host": endpoint.netloc, "content-type": "application/x-www-form-urlencoded"},
        hashlib.sha256(body).hexdigest())
    return endpoint.send("POST", "/", headers=headers, body=body)


def test_a_policy_that_is_none(endpoint):
    assert sts_call(endpoint, "Policy=nonsense").status == 400


@pytest.mark.parametrize("token", ["", "nonsense", "a.b.c",
                                   "eyJhbGciOiJub25lIn0.eyJzdWIiOiJyb290In0."])
def test_web_identities_nobody_trusts(endpoint, token):
    body = (f"Action=AssumeRoleWithWebIdentity&Version=2011-06-15&WebIdentityToken={token}"
            "&RoleArn=arn:aws:iam::0:role/x&RoleSessionName=t").encode()
    answer = endpoint.send("POST", "/", headers={
        "content-type": "application/x-www-form-urlencoded"}, body=body)
    assert 400 <= answer.status < 500, answer
    assert b"SecretAccessKey" not in answer.body


def test_nobody_gets_no_session(endpoint):
    body = b"Action=AssumeRole&Version=2011-06-15&DurationSeconds=900"
    answer = endpoint.send("POST", "/", headers={
        "content-type": "application/x-www-form-urlencoded"}, body=body)
    assert answer.status in (400, 403) and b"SecretAccessKey" not in answer.body
