"""A MinIO server for comparisons: the one of .deps/minio-VERSION (`setup/setup.sh --for bench`)."""
import base64
import os
import subprocess
from pathlib import Path

import requests

from support.meesh import ROOT
from support.processes import die_with_parent, end, free_ports, memory, wait_until


def version():
    for line in (ROOT / "setup" / "versions.env").read_text().splitlines():
        if line.startswith("MINIO_VERSION="):
            return line.split("=", 1)[1]
    raise KeyError("MINIO_VERSION")


def program():
    return ROOT / ".deps" / f"minio-{version()}" / "minio"


def why_not():
    """Why there is no MinIO to start, or None."""
    return None if program().exists() else f"no {program()}: setup/setup.sh --for bench builds it"


class MinioServer:
    """MinIO over one folder, on a free port; with a key of its own for SSE-S3."""

    host = "127.0.0.1"

    def __init__(self, folder, access_key="minioadmin", secret_key="minioadmin-secret", port=None,
                 environment=None):
        self.folder = Path(folder)
        self.access_key, self.secret_key = access_key, secret_key
        self.port = port or free_ports(1)[0]
        self.environment = environment or {}
        self.log = self.folder.with_name(self.folder.name + ".log")
        self.process = None

    @property
    def url(self):
        return f"http://{self.host}:{self.port}"

    def launch(self):
        self.folder.mkdir(parents=True, exist_ok=True)
        key = base64.b64encode(b"a key of 32 bytes for the tests.").decode()
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                [str(program()), "server", str(self.folder), "--address",
                 f"{self.host}:{self.port}", "--quiet"],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, preexec_fn=die_with_parent,
                env={**os.environ, "MINIO_ROOT_USER": self.access_key,
                     "MINIO_ROOT_PASSWORD": self.secret_key, "MINIO_BROWSER": "off",
                     "MINIO_UPDATE": "off", "MINIO_KMS_SECRET_KEY": f"tests:{key}",
                     **self.environment})
        return self

    def start(self, seconds=60):
        self.launch()
        wait_until(self.ready, seconds, f"MinIO at {self.url} ready")
        return self

    def ready(self):
        if self.process.poll() is not None:
            raise AssertionError(f"MinIO ended: {self.log.read_text(errors='replace')[-2000:]}")
        try:
            return requests.get(f"{self.url}/minio/health/ready", timeout=2).status_code == 200
        except requests.RequestException:
            return False

    def stop(self, seconds=15):
        return end(self.process, seconds) if self.process else None

    def kill(self):
        self.process.kill()
        self.process.wait()

    def memory(self):
        return memory(self.process.pid)
