"""Starts the program under test as an S3 server."""
import json
import re

from support.meesh import Meesh, plain_mesh
from support.processes import free_ports, wait_until
from support.s3 import Endpoint, Keys

ROOT_KEYS = Keys("tests-access-key", "tests-secret-key-0123456789")
WEBHOOK_PORT = free_ports(1)[0]
WEBHOOK_ARN = "arn:minio:sqs::tests:webhook"
MASTER_KEY = "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="


def lake_mesh(folder, lake=None, **storage):
    """A mesh without databases whose S3 endpoint has known keys and whose tables nobody touches
    unasked; `lake` and `storage` change their sections."""
    quiet = {"compaction": False, "expire_snapshots": False, "orphan_files": False}
    return plain_mesh(folder, lake={"maintenance": quiet, **(lake or {})}, storage={
        "kind": "local", "port": free_ports(1)[0],
        "root": {"access_key": "${S3_ACCESS_KEY}", "secret_key": "${S3_SECRET_KEY}"},
        "master_key": MASTER_KEY,
        "webhooks": {"tests": f"http://127.0.0.1:{WEBHOOK_PORT}/events"}, **storage})


class LakeServer(Meesh):
    """`meesh serve` of such a mesh."""

    def __init__(self, mesh, data, keys=ROOT_KEYS, **options):
        options["environment"] = {"S3_ACCESS_KEY": keys.access_key,
                                  "S3_SECRET_KEY": keys.secret_key,
                                  **options.get("environment", {})}
        super().__init__(mesh, data, **options)
        self.keys = keys
        self.before = 0

    def launch(self):
        self.before = len(self.log_text())
        return super().launch()

    @property
    def s3_url(self):
        """What the log of the running process tells, with a loopback address for `localhost`."""
        def told():
            for line in self.log_text()[self.before:].splitlines():
                if '"the mesh is up"' in line and line.startswith("{"):
                    return json.loads(line).get("s3")
            found = re.search(r"s3=\"?(https?://[^\s\"]+)", self.log_text()[self.before:])
            return found[1] if found else None
        url = wait_until(told, 10, "the address of the S3 endpoint in the log")
        return re.sub(r"//(localhost|0\.0\.0\.0)\b", "//127.0.0.1", url)

    def endpoint(self):
        return Endpoint(self.s3_url, self.keys, "meesh", owned=True, server=self)
