"""CORS: rules kept, preflights answered, fields on real answers."""
import pytest
from support.s3 import refused

pytestmark = pytest.mark.minio_differs("has no rules of its own per bucket")
RULES = {"CORSRules": [
    {"AllowedOrigins": ["https://app.example"], "AllowedMethods": ["GET", "PUT"],
     "AllowedHeaders": ["x-amz-*", "content-type"], "ExposeHeaders": ["ETag"],
     "MaxAgeSeconds": 600, "ID": "app"},
    {"AllowedOrigins": ["https://*.wild.example"], "AllowedMethods": ["GET"]}]}


@pytest.fixture
def shared(s3, bucket):
    s3.put_object(Bucket=bucket, Key="k", Body=b"x")
    s3.put_bucket_cors(Bucket=bucket, CORSConfiguration=RULES)
    return bucket


def preflight(endpoint, bucket, origin, method, headers=None):
    given = {"origin": origin, "access-control-request-method": method}
    if headers:
        given["access-control-request-headers"] = headers
    return endpoint.send("OPTIONS", f"/{bucket}/k", headers=given)


def test_rules_are_kept(s3, shared):
    assert s3.get_bucket_cors(Bucket=shared)["CORSRules"] == RULES["CORSRules"]
    s3.delete_bucket_cors(Bucket=shared)
    with refused("NoSuchCORSConfiguration", 404):
        s3.get_bucket_cors(Bucket=shared)


def test_a_preflight_that_fits(endpoint, shared):
    answer = preflight(endpoint, shared, "https://app.example", "PUT", "Content-Type, X-Amz-Meta-A")
    assert answer.status == 200
    assert answer.headers["access-control-allow-origin"] == "https://app.example"
    assert "PUT" in answer.headers["access-control-allow-methods"]
    assert {h.strip().lower() for h in answer.headers["access-control-allow-headers"].split(
        ",")} == {"content-type", "x-amz-meta-a"}
    assert answer.headers["access-control-max-age"] == "600"
    assert answer.headers["access-control-expose-headers"] == "ETag"
    assert "origin" in answer.headers["vary"].lower()


@pytest.mark.parametrize("origin,method,headers", [
    ("https://app.example", "DELETE", None), ("https://other.example", "GET", None),
    ("https://app.example.evil", "GET", None), ("http://app.example", "GET", None),
    ("https://app.example", "GET", "x-secret"), ("https://wild.example", "GET", None)])
def test_a_preflight_that_does_not_fit(endpoint, shared, origin, method, headers):
    answer = preflight(endpoint, shared, origin, method, headers)
    assert answer.status == 403 and "access-control-allow-origin" not in answer.headers


def test_a_star_in_the_origin(endpoint, shared):
    answer = preflight(endpoint, shared, "https://a.wild.example", "GET")
    assert answer.status == 200
    assert answer.headers["access-control-allow-origin"] == "https://a.wild.example"


def test_real_answers_carry_the_fields(endpoint, shared):
    answer = endpoint.request("GET", f"/{shared}/k", headers={"origin": "https://app.example"})
    assert answer.body == b"x"
    assert answer.headers["access-control-allow-origin"] == "https://app.example"
    assert answer.headers["access-control-expose-headers"] == "ETag"
    failed = endpoint.request("GET", f"/{shared}/none", headers={"origin": "https://app.example"})
    assert failed.status == 404
    assert failed.headers["access-control-allow-origin"] == "https://app.example"
    other = endpoint.request("GET", f"/{shared}/k", headers={"origin": "https://other.example"})
    assert other.body == b"x" and "access-control-allow-origin" not in other.headers


def test_without_rules_nothing_is_shared(endpoint, s3, bucket):
    s3.put_object(Bucket=bucket, Key="k", Body=b"x")
    answer = endpoint.request("GET", f"/{bucket}/k", headers={"origin": "https://app.example"})
    assert "access-control-allow-origin" not in answer.headers
    assert preflight(endpoint, bucket, "https://app.example", "GET").status == 403


@pytest.mark.parametrize("rule", [
    {"AllowedOrigins": ["*"], "AllowedMethods": ["PATCH"]},
    {"AllowedOrigins": ["https://*.*"], "AllowedMethods": ["GET"]},
    {"AllowedOrigins": [], "AllowedMethods": ["GET"]}])
def test_rules_that_are_none(s3, bucket, rule):
    with refused("InvalidRequest|MalformedXML", 400):
        s3.put_bucket_cors(Bucket=bucket, CORSConfiguration={"CORSRules": [rule]})
