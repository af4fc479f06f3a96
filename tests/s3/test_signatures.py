"""Signature Version 4: right in every form, wrong by one byte of each ingredient, old, early, moved."""
import datetime
import hashlib

import pytest
from botocore.auth import S3SigV4Auth, S3SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from support.s3 import Keys, body_of, code_of, refused
from support.s3_signature import EMPTY, UNSIGNED, encode_query, now


@pytest.fixture
def object_(s3, bucket):
    s3.put_object(Bucket=bucket, Key="a key+1", Body=b"content")
    return f"/{bucket}/a%20key%2B1"


def signed_get(endpoint, path, query="", payload=EMPTY, signer=None, **headers):
    return (signer or endpoint.signer()).headers(
        "GET", path, query, {"host": endpoint.netloc, **headers}, payload)


def test_both_signers_agree(endpoint, object_):
    """Ours, which the tests bend, and botocore's."""
    keys = endpoint.keys
    request = AWSRequest("GET", endpoint.url + object_, headers={"x-amz-content-sha256": EMPTY})
    S3SigV4Auth(Credentials(keys.access_key, keys.secret_key), "s3", "us-east-1").add_auth(request)
    answer = endpoint.send("GET", object_, headers={k.lower(): v for k, v in
                                                    request.headers.items()})
    assert answer.body == b"content"
    when = datetime.datetime.strptime(request.headers["X-Amz-Date"], "%Y%m%dT%H%M%SZ").replace(
        tzinfo=datetime.timezone.utc)
    ours = signed_get(endpoint, object_, signer=endpoint.signer(when=when))
    assert ours["authorization"].split("Signature=")[1] == request.headers[
        "Authorization"].split("Signature=")[1]


@pytest.mark.parametrize("payload", [EMPTY, UNSIGNED])
def test_a_right_signature(endpoint, object_, payload):
    assert endpoint.send("GET", object_, headers=signed_get(
        endpoint, object_, payload=payload)).body == b"content"


def flipped(text, at):
    at %= len(text)
    return text[:at] + ("0" if text[at] != "0" else "1") + text[at + 1:]


def bend_signature(headers):
    return {**headers, "authorization": flipped(headers["authorization"], -1)}


def bend_scope(old, new):
    return lambda headers: {**headers, "authorization": headers["authorization"].replace(old, new)}


BENT = {
    "the signature's last digit": (bend_signature, "SignatureDoesNotMatch"),
    "the signature's first digit": (lambda h: {**h, "authorization": flipped(
        h["authorization"], h["authorization"].index("Signature=") + 10)}, "SignatureDoesNotMatch"),
    "a digit less": (lambda h: {**h, "authorization": h["authorization"][:-1]},
                     "SignatureDoesNotMatch|AuthorizationHeaderMalformed"),
    "no signature": (lambda h: {**h, "authorization": h["authorization"].split(", Signature")[0]},
                     "AuthorizationHeaderMalformed|MissingFields"),
    "a signed header": (lambda h: {**h, "x-amz-meta-a": "other"}, "SignatureDoesNotMatch"),
    "the host": (lambda h: {**h, "host": "elsewhere:80"}, "SignatureDoesNotMatch"),
    "the payload's hash": (lambda h: {**h, "x-amz-content-sha256": hashlib.sha256(
        b"x").hexdigest()}, "SignatureDoesNotMatch"),
    "the date by a second": (lambda h: {**h, "x-amz-date": flipped(h["x-amz-date"], -2)},
                             "SignatureDoesNotMatch"),
    "the region": (bend_scope("us-east-1", "eu-west-1"),
                   "AuthorizationHeaderMalformed|SignatureDoesNotMatch"),
    "the service": (bend_scope("/s3/", "/ec2/"),
                    "AuthorizationHeaderMalformed|SignatureDoesNotMatch"),
    "the scope's end": (bend_scope("aws4_request", "aws5_request"),
                        "AuthorizationHeaderMalformed"),
    "the algorithm": (bend_scope("AWS4-HMAC-SHA256", "AWS4-HMAC-SHA1"),
                      "AuthorizationHeaderMalformed|InvalidArgument|InvalidRequest|"
                      "SignatureDoesNotMatch|AccessDenied"),
    "the access key": (bend_scope("Credential=", "Credential=A"), "InvalidAccessKeyId"),
    "a signed header gone": (lambda h: {k: v for k, v in h.items() if k != "x-amz-meta-a"},
                             "SignatureDoesNotMatch|AccessDenied"),
    "a name more": (bend_scope("SignedHeaders=", "SignedHeaders=accept;"),
                    "SignatureDoesNotMatch|AccessDenied"),
    "the host unsigned": (bend_scope("SignedHeaders=host;", "SignedHeaders="),
                          "SignatureDoesNotMatch|AccessDenied|AuthorizationHeaderMalformed"),
}


@pytest.mark.parametrize("what", BENT)
@pytest.mark.minio_differs("another code", only={
    "the service", "the scope's end", "the algorithm"})
def test_a_signature_wrong_in_one_thing(endpoint, object_, what):
    bend, codes = BENT[what]
    headers = signed_get(endpoint, object_, **{"x-amz-meta-a": "one"})
    answer = endpoint.send("GET", object_, headers=bend(headers))
    assert answer.status in (400, 403) and answer.body != b"content", answer
    assert answer.code in codes.split("|"), answer


@pytest.mark.parametrize("part", ["method", "path", "query added", "query changed"])
def test_a_request_other_than_the_one_signed(endpoint, object_, part):
    headers = signed_get(endpoint, object_, "response-content-type=text%2Fplain")
    method, path, query = "GET", object_, "response-content-type=text%2Fplain"
    if part == "method":
        method = "HEAD"
    elif part == "path":
        path = object_[:-1] + "2"
    elif part == "query added":
        query += "&versionId=null"
    else:
        query = "response-content-type=text%2Fhtml"
    answer = endpoint.send(method, path, query, headers)
    assert answer.status == 403
    assert method == "HEAD" or answer.code == "SignatureDoesNotMatch"


def test_the_secret_key_is_what_counts(endpoint, bucket):
    wrong = Keys(endpoint.keys.access_key, endpoint.keys.secret_key + "x")
    with refused("SignatureDoesNotMatch", 403):
        endpoint.client(wrong).list_objects_v2(Bucket=bucket)
    with refused("InvalidAccessKeyId", 403):
        endpoint.client(Keys("nobody-has-this", "secret")).list_objects_v2(Bucket=bucket)


def test_a_token_that_is_none(endpoint, bucket):
    keys = Keys(endpoint.keys.access_key, endpoint.keys.secret_key, "no token at all")
    assert code_of(endpoint.client(keys).list_objects_v2, Bucket=bucket) in (
        "InvalidToken", "InvalidTokenId", "InvalidAccessKeyId", "AccessDenied")


@pytest.mark.parametrize("minutes", [-16, 16, -60 * 24 * 400, 60 * 24])
def test_a_clock_that_is_wrong(endpoint, object_, minutes):
    signer = endpoint.signer(when=now() + datetime.timedelta(minutes=minutes))
    answer = endpoint.send("GET", object_, headers=signed_get(endpoint, object_, signer=signer))
    assert (answer.status, answer.code) == (403, "RequestTimeTooSkewed")


@pytest.mark.parametrize("minutes", [-13, 13])
def test_a_clock_that_is_nearly_right(endpoint, object_, minutes):
    signer = endpoint.signer(when=now() + datetime.timedelta(minutes=minutes))
    assert endpoint.send("GET", object_, headers=signed_get(
        endpoint, object_, signer=signer)).status == 200


@pytest.mark.parametrize("authorization", [
    "", "AWS4-HMAC-SHA256", "AWS4-HMAC-SHA256 Credential=", "AWS4-HMAC-SHA256 Credential=a/b/c",
    "Bearer abc", "Basic YWRtaW46YWRtaW4=", "AWS access:signature", "\x7f",
    "AWS4-HMAC-SHA256 " + "a" * 6000, "AWS4-HMAC-SHA256 Credential=a/b/c/d/e/f, SignedHeaders=, "
    "Signature="])
def test_fields_that_are_no_authorization(endpoint, object_, authorization):
    answer = endpoint.send("GET", object_, headers={"authorization": authorization,
                                                    "x-amz-content-sha256": EMPTY})
    assert 400 <= answer.status < 500 and answer.body != b"content", answer


def test_dates_that_are_none(endpoint, object_):
    for date in ("", "yesterday", "20261301T000000Z", "2026-11-21T00:00:00Z", "99999999T999999Z"):
        headers = {**signed_get(endpoint, object_), "x-amz-date": date}
        answer = endpoint.send("GET", object_, headers=headers)
        assert answer.status in (400, 403), (date, answer)


def test_spaces_in_signed_fields_are_folded(endpoint, s3, bucket):
    path = f"/{bucket}/k"
    headers = endpoint.signer().headers("PUT", path, "", {
        "host": endpoint.netloc, "x-amz-meta-a": "two   spaces"}, EMPTY)
    assert endpoint.send("PUT", path, headers=headers).status == 200


def test_nobody_gets_nothing(endpoint, s3, bucket, object_):
    nobody = endpoint.client("anonymous")
    with refused("AccessDenied", 403):
        nobody.get_object(Bucket=bucket, Key="a key+1")
    with refused("AccessDenied", 403):
        nobody.list_objects_v2(Bucket=bucket)
    with refused("AccessDenied", 403):
        nobody.put_object(Bucket=bucket, Key="x", Body=b"x")
    # Not even whether a key is there.
    with refused("AccessDenied", 403):
        nobody.get_object(Bucket=bucket, Key="none")


# --- presigned --------------------------------------------------------------------------------


def test_presigned_by_boto3(endpoint, s3, bucket):
    put = s3.generate_presigned_url("put_object", {"Bucket": bucket, "Key": "é +%"}, 60)
    assert endpoint.send("PUT", *put.removeprefix(endpoint.url).split("?"), body=b"x").status == 200
    got = s3.generate_presigned_url("get_object", {"Bucket": bucket, "Key": "é +%"}, 60)
    assert endpoint.send("GET", *got.removeprefix(endpoint.url).split("?")).body == b"x"
    keys = endpoint.keys
    request = AWSRequest("DELETE", f"{endpoint.url}/{bucket}/k")
    S3SigV4QueryAuth(Credentials(keys.access_key, keys.secret_key), "s3", "us-east-1",
                     expires=60).add_auth(request)
    assert endpoint.send("DELETE", *request.url.removeprefix(endpoint.url).split("?")).status == 204


def test_presigned_by_boto3_as_it_does_unasked(endpoint, bucket):
    """boto3 still signs URLs with version 2 unless it is told "s3v4"; its users do not tell it."""
    s3 = endpoint.client(signature_version=None)
    for method, call, body in (("PUT", "put_object", b"x"), ("GET", "get_object", b""),
                               ("DELETE", "delete_object", b"")):
        url = s3.generate_presigned_url(call, {"Bucket": bucket, "Key": "a é+%/k"}, 60)
        path, query = url.removeprefix(endpoint.url).split("?")
        answer = endpoint.send(method, path, query, body=body)
        assert answer.status in (200, 204), answer
        assert method != "GET" or answer.body == b"x"
        bent = endpoint.send(method, path + "2", query, body=body)
        assert (bent.status, bent.code) == (403, "SignatureDoesNotMatch")
    old = s3.generate_presigned_url("list_objects_v2", {"Bucket": bucket}, -5)
    answer = endpoint.send("GET", *old.removeprefix(endpoint.url).split("?"))
    assert (answer.status, answer.code) == (403, "AccessDenied")


def test_a_presigned_request_may_be_repeated_until_it_expires(endpoint, s3, bucket):
    s3.put_object(Bucket=bucket, Key="k", Body=b"x")
    made = encode_query(endpoint.signer().presign("GET", endpoint.netloc, f"/{bucket}/k"))
    for _ in range(3):
        assert endpoint.send("GET", f"/{bucket}/k", made).body == b"x"


@pytest.mark.parametrize("name", ["X-Amz-Signature", "X-Amz-Date", "X-Amz-Credential",
                                  "X-Amz-Expires", "X-Amz-SignedHeaders", "X-Amz-Algorithm"])
@pytest.mark.parametrize("way", ["bent", "gone"])
def test_a_presigned_query_wrong_in_one_thing(endpoint, s3, bucket, name, way):
    s3.put_object(Bucket=bucket, Key="k", Body=b"content")

    def bend(query):
        if way == "gone":
            return {k: v for k, v in query.items() if k != name}
        return {**query, name: flipped(query[name], 0 if name == "X-Amz-Expires" else -1)}
    answer = endpoint.presigned("GET", f"/{bucket}/k", bend=bend)
    assert answer.status in (400, 403) and answer.body != b"content", answer
    assert answer.code


@pytest.mark.parametrize("bend", [
    lambda q: {**q, "versionId": "null"}, lambda q: {**q, "response-content-type": "text/html"}])
def test_a_presigned_query_with_more_than_was_signed(endpoint, s3, bucket, bend):
    s3.put_object(Bucket=bucket, Key="k", Body=b"content")
    answer = endpoint.presigned("GET", f"/{bucket}/k", bend=bend)
    assert (answer.status, answer.code) == (403, "SignatureDoesNotMatch")


def test_a_presigned_request_expires(endpoint, s3, bucket):
    s3.put_object(Bucket=bucket, Key="k", Body=b"content")
    old = endpoint.signer(when=now() - datetime.timedelta(seconds=62))
    answer = endpoint.presigned("GET", f"/{bucket}/k", seconds=60, signer=old)
    assert (answer.status, answer.code) == (403, "AccessDenied")
    assert "expired" in answer.body.decode().lower()
    fresh = endpoint.signer(when=now() - datetime.timedelta(hours=20))
    assert endpoint.presigned("GET", f"/{bucket}/k", seconds=86400, signer=fresh).status == 200


@pytest.mark.parametrize("seconds", [-1, 0, 7 * 86400 + 1, "x"])
def test_lifetimes_that_are_none(endpoint, s3, bucket, seconds):
    s3.put_object(Bucket=bucket, Key="k", Body=b"content")
    answer = endpoint.presigned("GET", f"/{bucket}/k", seconds=seconds)
    assert answer.status in (400, 403), answer
    assert answer.code in ("AuthorizationQueryParametersError", "AccessDenied")


def test_a_presigned_request_from_the_future(endpoint, s3, bucket):
    s3.put_object(Bucket=bucket, Key="k", Body=b"content")
    early = endpoint.signer(when=now() + datetime.timedelta(hours=2))
    answer = endpoint.presigned("GET", f"/{bucket}/k", signer=early)
    assert answer.status == 403, answer


def test_presigned_fields_must_come_as_signed(endpoint, s3, bucket):
    fields = {"content-type": "text/plain", "x-amz-meta-a": "1"}
    assert endpoint.presigned("PUT", f"/{bucket}/k", headers=fields, body=b"x").status == 200
    head = s3.head_object(Bucket=bucket, Key="k")
    assert (head["ContentType"], head["Metadata"]) == ("text/plain", {"a": "1"})
    made = encode_query(endpoint.signer().presign("PUT", endpoint.netloc, f"/{bucket}/k",
                                                  headers=fields))
    answer = endpoint.send("PUT", f"/{bucket}/k", made, {**fields, "x-amz-meta-a": "2"}, b"y")
    assert answer.status == 403 and body_of(s3, bucket, "k") == b"x"


def test_two_signatures_at_once_are_refused(endpoint, s3, bucket):
    s3.put_object(Bucket=bucket, Key="k", Body=b"content")
    path = f"/{bucket}/k"
    query = encode_query(endpoint.signer().presign("GET", endpoint.netloc, path))
    headers = endpoint.signer().headers("GET", path, query, {"host": endpoint.netloc}, EMPTY)
    answer = endpoint.send("GET", path, query, headers)
    # Amazon: InvalidArgument, only one mechanism allowed.
    assert answer.status in (400, 403) or endpoint.is_minio(), answer


@pytest.mark.parametrize("name", ["x-amz-meta-late", "x-amz-tagging", "x-amz-acl"])
@pytest.mark.minio_differs("takes it")
def test_unsigned_amz_fields_are_refused(endpoint, s3, bucket, name):
    """Amazon wants every x-amz-… field signed: one slipped in is not what was meant."""
    value = {"x-amz-acl": "public-read", "x-amz-tagging": "a=b"}.get(name, "x")
    path = f"/{bucket}/k"
    headers = endpoint.signer().headers("PUT", path, "", {"host": endpoint.netloc}, EMPTY)
    answer = endpoint.send("PUT", path, headers={**headers, name: value})
    assert (answer.status, answer.code) == (403, "AccessDenied"), answer
    assert code_of(s3.head_object, Bucket=bucket, Key="k") == "404"
