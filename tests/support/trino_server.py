"""A real Trino on this machine: what the benchmark compares with, and what `pytest --server` can
hold the tests against. Needs `setup/setup.sh --for bench` and a JDK of 24 or newer."""
import os
import shutil
import subprocess
from pathlib import Path

import requests

from support.processes import die_with_parent, end, free_ports, wait_until

ROOT = Path(__file__).resolve().parents[2]


def versions():
    lines = (ROOT / "setup" / "versions.env").read_text().splitlines()
    return dict(line.split("=", 1) for line in lines if "=" in line and not line.startswith("#"))


def home():
    return ROOT / ".deps" / f"trino-server-{versions()['TRINO_VERSION']}"


def find_jdk(at_least):
    """The home of a JDK, or None."""
    found = subprocess.run([ROOT / "setup" / "jdk.sh", str(at_least)], stdout=subprocess.PIPE,
                           text=True)
    return found.stdout.strip() or None


def why_not():
    """The reason Trino cannot be started here, or None."""
    if not (home() / "lib").is_dir():
        return f"no Trino in {home().relative_to(ROOT)}: run setup/setup.sh --for bench"
    if not find_jdk(24):
        return "no JDK of 24 or newer: install one and set JAVA_HOME"
    return None


class TrinoServer:
    """`catalogs` is {name: {property: value}}. Started by the JVM itself, not Trino's launcher, so
    that the process is ours to measure and end."""

    def __init__(self, folder, catalogs, heap="4G", port=None):
        self.folder, self.catalogs, self.heap = Path(folder), catalogs, heap
        self.port = port or free_ports(1)[0]
        self.process = None

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def start(self):
        etc = self.folder / "etc"
        shutil.rmtree(etc, ignore_errors=True)
        (etc / "catalog").mkdir(parents=True)
        (self.folder / "data").mkdir(exist_ok=True)
        self._write(etc / "config.properties", {
            "coordinator": "true", "node-scheduler.include-coordinator": "true",
            "http-server.http.port": self.port, "discovery.uri": self.url,
            "node.internal-address": "127.0.0.1", "http-server.log.enabled": "false",
            "catalog.management": "static"})
        (etc / "log.properties").write_text("io.trino=WARN\n")
        for name, properties in self.catalogs.items():
            self._write(etc / "catalog" / f"{name}.properties", properties)
        for name in ("plugin", "secrets-plugin"):
            if not (self.folder / name).exists():
                (self.folder / name).symlink_to(home() / name)
        java = Path(find_jdk(24)) / "bin" / "java"
        environment = {k: v for k, v in os.environ.items() if k != "JAVA_TOOL_OPTIONS"}
        with open(self.folder / "log", "wb") as log:
            # The flags of Trino's own jvm.config.
            self.process = subprocess.Popen(
                [str(java), "-server", f"-Xmx{self.heap}", "-XX:InitialRAMPercentage=10",
                 "-XX:G1HeapRegionSize=32M", "-XX:+ExplicitGCInvokesConcurrent",
                 "-XX:+ExitOnOutOfMemoryError", "-XX:ReservedCodeCacheSize=512M",
                 "-XX:PerMethodRecompilationCutoff=10000", "-XX:PerBytecodeRecompilationCutoff=10000",
                 "-Djdk.attach.allowAttachSelf=true", "-Djdk.nio.maxCachedBufferSize=2000000",
                 "-XX:+UnlockDiagnosticVMOptions", "-XX:G1NumCollectionsKeepPinned=10000000",
                 "-Dfile.encoding=UTF-8", "--enable-native-access=ALL-UNNAMED",
                 "--add-modules=jdk.incubator.vector",
                 f"-Dconfig={etc}/config.properties", f"-Dnode.data-dir={self.folder}/data",
                 "-Dnode.environment=bench", "-Dnode.id=bench",
                 f"-Dlog.levels-file={etc}/log.properties", "-cp", f"{home()}/lib/*",
                 "io.trino.server.TrinoServer"],
                cwd=self.folder, env=environment, stdout=log, stderr=log,
                preexec_fn=die_with_parent)
        return self

    def wait(self, seconds=180):
        def ready():
            if self.process.poll() is not None:
                raise AssertionError(f"Trino ended with {self.process.returncode}: "
                                     f"see {self.folder}/log")
            try:
                return not requests.get(f"{self.url}/v1/info", timeout=2).json()["starting"]
            except (requests.RequestException, ValueError):
                return False
        wait_until(ready, seconds, f"Trino at {self.url} (log: {self.folder}/log)", every=0.1)
        return self

    def stop(self):
        if self.process:
            end(self.process, seconds=30)
            self.process = None

    @staticmethod
    def _write(path, properties):
        path.write_text("".join(f"{key}={value}\n" for key, value in properties.items()))


def postgresql_catalog(server):
    """Catalog properties for a support.postgres.PostgresServer."""
    return {"connector.name": "postgresql",
            "connection-url": f"jdbc:postgresql://127.0.0.1:{server.port}/{server.database}",
            "connection-user": server.user, "connection-password": server.password}
