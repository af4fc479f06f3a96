"""An S3 endpoint as the tests see it: boto3 clients, raw signed requests, errors by their code."""
import http.client
import re
import socket
from contextlib import contextmanager
from dataclasses import dataclass
from urllib.parse import quote, urlparse

import boto3
import pytest
from botocore import UNSIGNED as NO_SIGNATURE
from botocore.config import Config
from botocore.exceptions import ClientError

from support import s3_signature
from support.s3_signature import Signer, encode_path, encode_query


@dataclass(frozen=True)
class Keys:
    access_key: str
    secret_key: str
    session_token: str | None = None


@dataclass
class Answer:
    status: int
    headers: dict  # names in lower case
    body: bytes

    @property
    def code(self):
        """The code of S3's error document, "" if it is none."""
        found = re.search(rb"<Code>([^<]*)</Code>", self.body)
        return found[1].decode() if found else ""

    def element(self, name):
        found = re.search(rf"<{name}>([^<]*)</{name}>".encode(), self.body)
        return found[1].decode() if found else None


class Endpoint:
    """`kind` is "meesh", "minio" or "other". `owned`: started by the tests, gone after them."""

    def __init__(self, url, keys, kind="other", owned=False, server=None):
        parsed = urlparse(url)
        self.url = url.rstrip("/")
        self.host, self.port, self.tls = parsed.hostname, parsed.port, parsed.scheme == "https"
        self.keys, self.kind, self.owned, self.server = keys, kind, owned, server
        self.session = boto3.session.Session()

    region = "us-east-1"

    @property
    def netloc(self):
        return f"{self.host}:{self.port}"

    def client(self, keys=None, service="s3", **config):
        """A boto3 client that does not repeat what fails; `keys` may be Keys or "anonymous"."""
        settings = {"retries": {"max_attempts": 1, "mode": "standard"}, "max_pool_connections": 64,
                    "s3": {"addressing_style": "path"}, "read_timeout": 60,
                    "signature_version": "s3v4" if service == "s3" else "v4", **config}
        credentials = {}
        if keys == "anonymous":
            settings["signature_version"] = NO_SIGNATURE
        else:
            keys = keys or self.keys
            credentials = {"aws_access_key_id": keys.access_key,
                           "aws_secret_access_key": keys.secret_key,
                           "aws_session_token": keys.session_token}
        return self.session.client(service, endpoint_url=self.url, region_name=self.region,
                                   config=Config(**settings), **credentials)

    def signer(self, keys=None, **options):
        keys = keys or self.keys
        return Signer(keys.access_key, keys.secret_key, keys.session_token, **options)

    def connect(self, timeout=30):
        kind = http.client.HTTPSConnection if self.tls else http.client.HTTPConnection
        return kind(self.host, self.port, timeout=timeout)

    def socket(self, timeout=30):
        return socket.create_connection((self.host, self.port), timeout)

    def send(self, method, path, query="", headers=None, body=b"", connection=None):
        """One request as it is; `path` and `query` are encoded. Nothing is added but Host and
        Content-Length."""
        connection = connection or self.connect()
        try:
            target = path + ("?" + query if query else "")
            connection.putrequest(method, target, skip_host=True, skip_accept_encoding=True)
            headers = {"host": self.netloc, **(headers or {})}
            if (body or method in ("PUT", "POST")) and "content-length" not in headers \
                    and "transfer-encoding" not in headers:
                headers["content-length"] = str(len(body))
            for name, value in headers.items():
                connection.putheader(name, value)
            connection.endheaders(body or None)
            return read_answer(connection)
        finally:
            connection.close()

    def request(self, method, path, query=None, headers=None, body=b"", keys=None, payload=None,
                signer=None, timeout=30):
        """One signed request. `path` is decoded ("/bucket/a key"), `query` a dict."""
        path, query = encode_path(path), encode_query(query or {})
        if payload is None:
            payload = s3_signature.hashlib.sha256(body).hexdigest()
        signer = signer or self.signer(keys)
        headers = {"host": self.netloc, **(headers or {})}
        return self.send(method, path, query,
                         signer.headers(method, path, query, headers, payload), body,
                         self.connect(timeout))

    def presigned(self, method, path, query=None, seconds=300, headers=None, body=b"", signer=None,
                  bend=lambda query: query):
        """One presigned request; `bend` may change its query after it was signed."""
        encoded = encode_path(path)
        made = (signer or self.signer()).presign(method, self.netloc, encoded, query, seconds,
                                                 headers)
        return self.send(method, encoded, encode_query(bend(made)), headers or {}, body)

    def is_minio(self):
        return self.kind == "minio"


def read_answer(connection):
    response = connection.getresponse()
    return Answer(response.status, {k.lower(): v for k, v in response.getheaders()},
                  response.read())


def exchange(sock, data):
    """Sends bytes and gives everything that comes until the other side closes or is silent for as
    long as the socket's timeout."""
    sock.sendall(data)
    got = b""
    try:
        while piece := sock.recv(65536):
            got += piece
    except (TimeoutError, ConnectionError):
        pass
    return got


@contextmanager
def refused(code, status=None):
    """The block fails with this S3 code (several, as alternatives: "A|B")."""
    with pytest.raises(ClientError) as raised:
        yield raised
    found = raised.value.response
    assert found["Error"]["Code"] in code.split("|"), found
    if status:
        assert found["ResponseMetadata"]["HTTPStatusCode"] == status, found


def code_of(call, *arguments, **options):
    """The S3 code a call fails with, "" if it does not."""
    try:
        call(*arguments, **options)
        return ""
    except ClientError as error:
        return error.response["Error"]["Code"]


def body_of(s3, bucket, key, **options):
    return s3.get_object(Bucket=bucket, Key=key, **options)["Body"].read()


def all_keys(s3, bucket, **options):
    return [item["Key"] for page in s3.get_paginator("list_objects_v2").paginate(
        Bucket=bucket, **options) for item in page.get("Contents", [])]


def all_versions(s3, bucket):
    """[(key, version id, is a marker)] of everything in the bucket."""
    found = []
    for page in s3.get_paginator("list_object_versions").paginate(Bucket=bucket):
        found += [(v["Key"], v["VersionId"], False) for v in page.get("Versions", [])]
        found += [(v["Key"], v["VersionId"], True) for v in page.get("DeleteMarkers", [])]
    return found


def remove_bucket(s3, bucket):
    """Empties and deletes a bucket as far as locks allow."""
    doomed = [{"Key": key, "VersionId": version} for key, version, _ in all_versions(s3, bucket)]
    for start in range(0, len(doomed), 1000):
        s3.delete_objects(Bucket=bucket, BypassGovernanceRetention=True,
                          Delete={"Objects": doomed[start:start + 1000], "Quiet": True})
    for upload in s3.list_multipart_uploads(Bucket=bucket).get("Uploads", []):
        s3.abort_multipart_upload(Bucket=bucket, Key=upload["Key"], UploadId=upload["UploadId"])
    s3.delete_bucket(Bucket=bucket)


def header_safe(text):
    return quote(text, safe="")
