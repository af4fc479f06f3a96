"""Buckets as host names (virtual-host style), and the endpoint over TLS."""
import socket
import ssl
import subprocess

import boto3
import pytest
import requests
import yaml
from botocore.config import Config
from support.meesh import write_yaml
from support.s3 import all_keys, body_of
from support.s3_server import LakeServer, lake_mesh

pytestmark = pytest.mark.ours_only("MinIO is told its host names in its environment")


@pytest.fixture
def localhosts(monkeypatch):
    """bucket.localhost is this machine, also where the resolver does not know that."""
    resolve = socket.getaddrinfo

    def ours(host, *arguments, **options):
        name = host.decode() if isinstance(host, bytes) else host
        return resolve("127.0.0.1" if name and name.endswith(".localhost") else host, *arguments,
                       **options)
    monkeypatch.setattr(socket, "getaddrinfo", ours)


def client(endpoint, url, style="virtual", **options):
    return boto3.client("s3", endpoint_url=url, region_name="us-east-1",
                        aws_access_key_id=endpoint.keys.access_key,
                        aws_secret_access_key=endpoint.keys.secret_key,
                        config=Config(s3={"addressing_style": style}), **options)


def whole_life(s3, bucket):
    seen = []
    s3.meta.events.register("before-send.s3", lambda request, **_: seen.append(request.url))
    s3.put_object(Bucket=bucket, Key="a b/é+.txt", Body=b"content")
    assert body_of(s3, bucket, "a b/é+.txt") == b"content"
    assert all_keys(s3, bucket, Prefix="a b/") == ["a b/é+.txt"]
    s3.copy_object(Bucket=bucket, Key="copy", CopySource={"Bucket": bucket, "Key": "a b/é+.txt"})
    url = s3.generate_presigned_url("get_object", {"Bucket": bucket, "Key": "copy"})
    s3.delete_object(Bucket=bucket, Key="a b/é+.txt")
    assert all_keys(s3, bucket) == ["copy"]
    assert seen and all(f"//{bucket}.localhost:" in each for each in [*seen, url]), seen
    return url


def test_boto3_in_virtual_host_style(endpoint, bucket, localhosts):
    s3 = client(endpoint, f"http://localhost:{endpoint.port}")
    url = whole_life(s3, bucket)
    assert requests.get(url, timeout=10).content == b"content"


@pytest.mark.parametrize("host", ["{}.localhost", "{}.s3.localhost", "{}.LOCALHOST"])
def test_the_bucket_stands_in_the_host(endpoint, s3, bucket, host):
    s3.put_object(Bucket=bucket, Key="k", Body=b"content")
    name = f"{host.format(bucket)}:{endpoint.port}"
    headers = endpoint.signer().headers("GET", "/k", "", {"host": name}, "UNSIGNED-PAYLOAD")
    answer = endpoint.send("GET", "/k", headers=headers)
    assert (answer.status, answer.body) == (200, b"content"), answer


def test_a_host_of_somebody_else_is_no_bucket(endpoint, s3, bucket):
    s3.put_object(Bucket=bucket, Key="k", Body=b"content")
    name = f"{bucket}.elsewhere:{endpoint.port}"
    headers = endpoint.signer().headers("GET", "/k", "", {"host": name}, "UNSIGNED-PAYLOAD")
    assert endpoint.send("GET", "/k", headers=headers).code == "NoSuchBucket"


TLS_BUCKET = "over-tls-virtual"  # which the certificate names


class TlsServer(LakeServer):
    """Serves HTTPS with a certificate of its own."""

    def __init__(self, folder):
        mesh = lake_mesh(folder / "mesh")
        self.certificate = mesh / "cert.pem"
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
             "-nodes", "-days", "2", "-subj", "/CN=localhost", "-addext",
             f"subjectAltName=DNS:localhost,DNS:{TLS_BUCKET}.localhost,IP:127.0.0.1",
             "-keyout", mesh / "key.pem", "-out", self.certificate],
            check=True, capture_output=True)
        settings = yaml.safe_load((mesh / "meesh.yaml").read_text())
        write_yaml(mesh / "meesh.yaml",
                   {**settings, "tls": {"certificate": "cert.pem", "key": "key.pem"}})
        super().__init__(mesh, folder / "data")

    def ready(self):
        assert self.process.poll() is None, self.log_text()
        try:
            return not requests.get(f"https://127.0.0.1:{self.port}/v1/info", timeout=2,
                                    verify=self.certificate).json()["starting"]
        except (requests.RequestException, ValueError):
            return False


@pytest.fixture(scope="module")
def tls(work_folder):
    server = TlsServer(work_folder / "tls")
    try:
        yield server.start()
    finally:
        server.stop()


@pytest.mark.parametrize("style", ["path", "virtual"])
def test_over_tls(tls, localhosts, style):
    endpoint = tls.endpoint()
    assert endpoint.tls
    url = f"https://localhost:{endpoint.port}"
    bucket = TLS_BUCKET if style == "virtual" else "over-tls"
    s3 = client(endpoint, url, style, verify=str(tls.certificate))
    s3.create_bucket(Bucket=bucket)
    if style == "virtual":
        presigned = whole_life(s3, bucket)
        assert requests.get(presigned, timeout=10, verify=tls.certificate).content == b"content"
        return
    policy = ('{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*",'
              f'"Action":"s3:GetObject","Resource":"arn:aws:s3:::{bucket}/*",'
              '"Condition":{"Bool":{"aws:SecureTransport":"true"}}}]}')
    s3.put_bucket_policy(Bucket=bucket, Policy=policy)
    s3.put_object(Bucket=bucket, Key="k", Body=b"content")
    answer = requests.get(f"{url}/{bucket}/k", timeout=10, verify=tls.certificate)
    assert (answer.status_code, answer.content) == (200, b"content")


def test_a_stranger_to_the_certificate_does_not_talk(tls):
    endpoint = tls.endpoint()
    with pytest.raises(ssl.SSLError):
        with ssl.create_default_context().wrap_socket(endpoint.socket(),
                                                      server_hostname="localhost"):
            pass
    with endpoint.socket(5) as plain:  # and nobody is answered without TLS
        plain.sendall(b"GET /minio/health/live HTTP/1.1\r\nHost: localhost\r\n\r\n")
        try:
            assert not plain.recv(100).startswith(b"HTTP/1.1 2")
        except (ConnectionError, TimeoutError):
            pass
