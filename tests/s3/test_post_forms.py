"""Uploads by a browser's form: the policy's signature, expiry and every kind of condition."""
import datetime

import pytest
import requests
from support.s3 import body_of, code_of
from support.s3_signature import now


def post(endpoint, bucket, fields, body=b"content", name="file.txt"):
    return requests.post(f"{endpoint.url}/{bucket}", data=fields,
                         files={"file": (name, body, "text/plain")}, timeout=30,
                         allow_redirects=False)


KEY = ["starts-with", "$key", "up/"]


def test_a_form_of_boto3(endpoint, s3, bucket):
    form = s3.generate_presigned_post(bucket, "up/${filename}", Conditions=[
        ["starts-with", "$key", "up/"], ["content-length-range", 1, 100]], ExpiresIn=60)
    answer = post(endpoint, bucket, form["fields"], name="a b.txt")
    assert answer.status_code == 204, answer.text
    assert body_of(s3, bucket, "up/a b.txt") == b"content"
    assert answer.headers["ETag"] and "a%20b.txt" in answer.headers["Location"]


@pytest.mark.parametrize("status", [200, 201, 204])
def test_the_status_asked_for(endpoint, s3, bucket, status):
    fields = {"success_action_status": str(status)}
    form = endpoint.signer().post_form(bucket, "up/k", [KEY, fields], fields)
    answer = post(endpoint, bucket, form)
    assert answer.status_code == status, answer.text
    assert (status == 201) == ("<Key>up/k</Key>" in answer.text)


def test_a_redirect_asked_for(endpoint, bucket):
    fields = {"success_action_redirect": "http://example.com/done?a=1"}
    form = endpoint.signer().post_form(bucket, "up/k", [KEY, fields], fields)
    answer = post(endpoint, bucket, form)
    assert answer.status_code == 303
    where = answer.headers["Location"]
    assert where.startswith("http://example.com/done?a=1&") and "key=up%2Fk" in where


def test_fields_become_metadata(endpoint, s3, bucket):
    fields = {"Content-Type": "image/png", "x-amz-meta-a": "1", "Cache-Control": "no-store"}
    form = endpoint.signer().post_form(
        bucket, "up/k", [KEY, ["starts-with", "$Content-Type", "image/"],
                         {"Cache-Control": "no-store"}], fields)
    assert post(endpoint, bucket, form).status_code == 204
    head = s3.head_object(Bucket=bucket, Key="up/k")
    assert (head["ContentType"], head["Metadata"]) == ("image/png", {"a": "1"})


@pytest.mark.parametrize("conditions,body,code", [
    ([["starts-with", "$key", "other/"]], b"x", "AccessDenied"),
    ([["eq", "$key", "up/other"]], b"x", "AccessDenied"),
    ([{"key": "up/other"}], b"x", "AccessDenied"),
    ([KEY, {"acl": "private"}], b"x", "AccessDenied"),  # a field that is missing
    ([KEY, ["content-length-range", 5, 10]], b"xxxx", "EntityTooSmall"),
    ([KEY, ["content-length-range", 5, 10]], b"x" * 11, "EntityTooLarge"),
    ([KEY, ["unknown", "$key", "up/"]], b"x", "AccessDenied|InvalidPolicyDocument|MalformedPOSTRequest|PostPolicyInvalidKeyName"),
])
def test_conditions_not_met(endpoint, s3, bucket, conditions, body, code):
    form = endpoint.signer().post_form(bucket, "up/k", conditions)
    answer = post(endpoint, bucket, form, body)
    assert answer.status_code in (400, 403), answer.text
    assert any(f"<Code>{c}</Code>" in answer.text for c in code.split("|")), answer.text
    assert code_of(s3.head_object, Bucket=bucket, Key="up/k") == "404"


@pytest.mark.parametrize("size", [5, 10])
def test_the_bounds_of_a_range_are_in_it(endpoint, s3, bucket, size):
    form = endpoint.signer().post_form(bucket, "up/k", [KEY, ["content-length-range", 5, 10]])
    assert post(endpoint, bucket, form, b"x" * size).status_code == 204


def test_a_field_no_condition_allows(endpoint, s3, bucket):
    form = endpoint.signer().post_form(bucket, "up/k", [KEY])
    answer = post(endpoint, bucket, {**form, "acl": "public-read"})
    assert answer.status_code == 403 and "AccessDenied" in answer.text


def test_fields_to_ignore_need_no_condition(endpoint, s3, bucket):
    form = endpoint.signer().post_form(bucket, "up/k", [KEY])
    assert post(endpoint, bucket, {**form, "x-ignore-me": "1"}).status_code == 204


@pytest.mark.parametrize("what", ["signature", "policy", "key", "bucket"])
def test_a_form_that_was_changed(endpoint, s3, bucket, make_bucket, what):
    form = endpoint.signer().post_form(bucket, "up/k", [KEY])
    target = bucket
    if what == "signature":
        form["x-amz-signature"] = form["x-amz-signature"][:-1] + (
            "0" if form["x-amz-signature"][-1] != "0" else "1")
    elif what == "policy":
        form["policy"] = endpoint.signer().post_form(bucket, "up/k", [KEY], seconds=9999)["policy"]
    elif what == "key":
        form["key"] = "elsewhere/k"
    else:
        target = make_bucket()
    answer = post(endpoint, target, form)
    assert answer.status_code == 403, answer.text
    assert "SignatureDoesNotMatch" in answer.text or "AccessDenied" in answer.text
    assert s3.list_objects_v2(Bucket=target)["KeyCount"] == 0


def test_a_form_that_expired(endpoint, s3, bucket):
    old = endpoint.signer(when=now() - datetime.timedelta(seconds=120))
    form = old.post_form(bucket, "up/k", [KEY], seconds=60)
    answer = post(endpoint, bucket, form)
    assert answer.status_code == 403 and "AccessDenied" in answer.text


@pytest.mark.minio_differs("400")
def test_without_a_policy_it_is_anonymous(endpoint, s3, bucket):
    answer = post(endpoint, bucket, {"key": "up/k"})
    assert answer.status_code == 403
    assert s3.list_objects_v2(Bucket=bucket)["KeyCount"] == 0


@pytest.mark.parametrize("body,kind", [
    (b"", "multipart/form-data; boundary=x"), (b"--x", "multipart/form-data; boundary=x"),
    (b"--x\r\n\r\n--x--", "multipart/form-data; boundary=x"), (b"a=b", "multipart/form-data"),
    (b"a=b", "application/x-www-form-urlencoded"),
    (b"--x\r\nContent-Disposition: form-data; name=\"key\"\r\n\r\n" + b"k" * 30000 + b"\r\n--x--",
     "multipart/form-data; boundary=x")])
def test_forms_that_are_none(endpoint, s3, bucket, body, kind):
    answer = endpoint.send("POST", f"/{bucket}", headers={"content-type": kind}, body=body)
    assert 400 <= answer.status < 500, answer
    assert s3.list_objects_v2(Bucket=bucket)["KeyCount"] == 0


def test_a_form_cut_off_leaves_nothing(endpoint, s3, bucket):
    form = endpoint.signer().post_form(bucket, "up/k", [KEY])
    whole = requests.Request("POST", f"{endpoint.url}/{bucket}", data=form,
                             files={"file": ("f", b"x" * 1000)}).prepare()
    cut = whole.body[:-200]
    answer = endpoint.send("POST", f"/{bucket}", body=cut,
                           headers={"content-type": whole.headers["Content-Type"]})
    assert answer.status >= 400, answer
    assert s3.list_objects_v2(Bucket=bucket)["KeyCount"] == 0
