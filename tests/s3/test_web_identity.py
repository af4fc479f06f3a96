"""AssumeRoleWithWebIdentity with the issuers that meesh.yaml trusts."""
import base64
import hashlib
import hmac
import json
import subprocess
import time

import pytest
from support.s3 import Keys, body_of, code_of
from support.s3_server import LakeServer, lake_mesh

pytestmark = pytest.mark.ours_only("MinIO asks an OpenID provider for its keys")

SECRET = "a secret of at least thirty-two bytes"
LOGIN = "https://login.example/realm"


def encoded(raw):
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


class Issuers:
    """Signs tokens as the two issuers do."""

    def __init__(self, folder):
        folder.mkdir()
        self.key = folder / "login.key"
        self.public_key = folder / "login.pem"
        for command in (["genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048",
                         "-out", self.key],
                        ["pkey", "-in", self.key, "-pubout", "-out", self.public_key]):
            subprocess.run(["openssl", *map(str, command)], check=True, capture_output=True)

    def token(self, issuer=LOGIN, **claims):
        algorithm = "RS256" if issuer == LOGIN else "HS256"
        content = ".".join(encoded(json.dumps(part).encode()) for part in (
            {"alg": algorithm, "typ": "JWT"},
            {"iss": issuer, "sub": "ann", "aud": "meesh", "exp": int(time.time()) + 300,
             "policy": "readonly", **claims}))
        if algorithm == "HS256":
            signature = hmac.digest(SECRET.encode(), content.encode(), hashlib.sha256)
        else:
            signature = subprocess.run(["openssl", "dgst", "-sha256", "-sign", str(self.key)],
                                       input=content.encode(), check=True,
                                       capture_output=True).stdout
        return f"{content}.{encoded(signature)}"


@pytest.fixture(scope="module")
def issuers(work_folder):
    return Issuers(work_folder / "issuers")


@pytest.fixture(scope="module")
def endpoint(issuers, work_folder):
    server = LakeServer(lake_mesh(work_folder / "trusting", trust_issuers={
        LOGIN: {"public_key": str(issuers.public_key), "audiences": ["meesh"]},
        "partner": {"secret": "${PARTNER_SECRET}"}}), work_folder / "trusting-data",
        environment={"PARTNER_SECRET": SECRET})
    try:
        yield server.start().endpoint()
    finally:
        server.stop()


@pytest.fixture(scope="module")
def s3(endpoint):
    return endpoint.client()


def assume(endpoint, token, **options):
    sts = endpoint.client("anonymous", service="sts")
    return sts.assume_role_with_web_identity(RoleArn="arn:aws:iam::000000000000:role/any",
                                             RoleSessionName="tests", WebIdentityToken=token,
                                             **options)


def keys_of(answer):
    got = answer["Credentials"]
    return Keys(got["AccessKeyId"], got["SecretAccessKey"], got["SessionToken"])


@pytest.mark.parametrize("issuer,name", [(LOGIN, "web:ann@login.example/realm"),
                                         ("partner", "web:ann@partner")])
def test_a_token_gives_keys_that_may_what_its_policies_say(endpoint, issuers, s3, bucket, issuer,
                                                           name):
    s3.put_object(Bucket=bucket, Key="k", Body=b"content")
    answer = assume(endpoint, issuers.token(issuer), DurationSeconds=900)
    assert answer["SubjectFromWebIdentityToken"] == name
    session = endpoint.client(keys_of(answer))
    assert body_of(session, bucket, "k") == b"content"
    assert code_of(session.put_object, Bucket=bucket, Key="k", Body=b"") == "AccessDenied"


def test_a_policy_of_the_session_takes_away(endpoint, issuers, s3, bucket):
    s3.put_object(Bucket=bucket, Key="k", Body=b"")
    policy = {"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": "s3:*", "Resource": f"arn:aws:s3:::{bucket}/other"}]}
    session = endpoint.client(keys_of(assume(
        endpoint, issuers.token(policy=["readwrite"]), Policy=json.dumps(policy))))
    session.put_object(Bucket=bucket, Key="other", Body=b"")
    assert code_of(session.get_object, Bucket=bucket, Key="k") == "AccessDenied"


@pytest.mark.parametrize("claims", [
    {"aud": "others"}, {"exp": 1}, {"policy": "nothere"}, {"policy": ""}, {"iss": "stranger"},
    {"sub": ""}, {"nbf": 9999999999}], ids=str)
def test_tokens_that_are_refused(endpoint, issuers, claims):
    assert code_of(assume, endpoint, issuers.token(**claims)) == "InvalidIdentityToken"


def test_a_token_that_was_changed(endpoint, issuers):
    header, _, signature = issuers.token().split(".")
    content = encoded(json.dumps({"iss": LOGIN, "sub": "root", "aud": "meesh", "policy": "readwrite",
                                  "exp": int(time.time()) + 300}).encode())
    changed = f"{header}.{content}.{signature}"
    assert code_of(assume, endpoint, changed) == "InvalidIdentityToken"


def test_the_audience_of_one_issuer_is_not_the_others(endpoint, issuers):
    assert keys_of(assume(endpoint, issuers.token("partner", aud="anybody")))
