"""A demo of its own for the tests that run its pipelines and change its sources."""
import boto3
import pytest
from support.answers import rows_of
from support.meesh import Meesh, demo_mesh


class DemoPipelines:
    """A running demo, its pipelines and what they made."""

    def __init__(self, meesh):
        self.meesh, self.databases = meesh, meesh.databases
        self.s3 = boto3.client("s3", endpoint_url=meesh.s3_address(), region_name="us-east-1",
                               aws_access_key_id="minioadmin", aws_secret_access_key="minioadmin")

    def run(self, pipeline, run_date=None):
        """`meesh demo run`: what it gave."""
        dated = ["--run-date", run_date] if run_date else []
        return self.meesh.run("demo", "run", pipeline, *dated, "--server", self.meesh.url,
                              timeout=300)

    def succeed(self, pipeline, run_date=None):
        done = self.run(pipeline, run_date)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def query(self, sql):
        return rows_of(self.meesh.url, sql)

    def keys(self, bucket, prefix=""):
        pages = self.s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
        return [entry["Key"] for page in pages for entry in page.get("Contents", [])]


@pytest.fixture(scope="module")
def demo(request, work_folder):
    if request.config.getoption("--server"):
        pytest.skip("about meesh itself, not about what every Trino server does")
    folder = work_folder / request.module.__name__.split(".")[-1]
    databases = demo_mesh(folder)
    meesh = Meesh(folder, folder.with_name(folder.name + "-data"), databases=databases).start()
    try:
        yield DemoPipelines(meesh)
    finally:
        meesh.stop()
