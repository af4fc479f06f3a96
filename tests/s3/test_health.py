"""What monitors and load balancers ask, without keys."""
import pytest


@pytest.mark.parametrize("path", ["/minio/health/live", "/minio/health/ready"])
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_health(endpoint, path, method):
    answer = endpoint.send(method, path)
    assert answer.status == 200 and answer.body == b""


def test_health_is_no_bucket(endpoint, s3):
    assert "minio" not in [b["Name"] for b in s3.list_buckets()["Buckets"]]
