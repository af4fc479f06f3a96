"""A schema registry of its own for a test: Apicurio, which speaks Confluent's REST API besides its
own, with its schemas in memory. It comes by `setup/setup.sh --for test`."""
import socket
import socketserver
import subprocess
import threading
from pathlib import Path

import requests

from support.java import java
from support.processes import die_with_parent, end, free_ports, wait_until
from support.trino_server import ROOT, find_jdk, versions


def home():
    return ROOT / ".deps" / f"apicurio-{versions()['APICURIO_VERSION']}"


def why_not():
    """The reason it cannot be started here, or None."""
    if not home().is_dir():
        return f"no Apicurio in {home().relative_to(ROOT)}: run setup/setup.sh --for test"
    if not find_jdk(17):
        return "no JDK of 17 or newer"
    return None


class SchemaRegistryServer:
    """Keeps its port from one start() to the next, and no schemas."""

    def __init__(self, folder):
        self.folder = Path(folder)
        (self.port,) = free_ports(1)
        self.process = None

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}/apis/ccompat/v7"

    def start(self):
        self.folder.mkdir(parents=True, exist_ok=True)
        (program,) = home().glob("*-runner.jar")
        with open(self.folder / "log", "ab") as log:
            self.process = subprocess.Popen(
                java("-Dquarkus.http.host=127.0.0.1", f"-Dquarkus.http.port={self.port}",
                     "-Dquarkus.log.level=WARN", "-jar", program),
                cwd=self.folder, stdout=log, stderr=log, preexec_fn=die_with_parent)
        wait_until(self.ready, 120, f"the registry at {self.url} (log: {self.folder}/log)",
                   every=0.2)
        return self

    def ready(self):
        if self.process.poll() is not None:
            raise AssertionError(f"Apicurio ended: {(self.folder / 'log').read_text()[-2000:]}")
        try:
            return requests.get(f"{self.url}/subjects", timeout=5).ok
        except requests.RequestException:
            return False

    def stop(self):
        if self.process:
            end(self.process, seconds=15)
            self.process = None


class Detour:
    """Another port of a registry, which can be away while the registry itself is not."""

    def __init__(self, registry):
        (self.port,) = free_ports(1)
        self.url = registry.url.replace(f":{registry.port}/", f":{self.port}/")
        self.target = ("127.0.0.1", registry.port)
        self.server = None

    def open(self):
        target = self.target

        class Handler(socketserver.BaseRequestHandler):
            def handle(self):
                with socket.create_connection(target) as other:
                    back = threading.Thread(target=pump, args=(other, self.request), daemon=True)
                    back.start()
                    pump(self.request, other)
                    back.join()
        socketserver.ThreadingTCPServer.allow_reuse_address = True
        self.server = socketserver.ThreadingTCPServer(("127.0.0.1", self.port), Handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        if self.server:
            self.server.shutdown()
            self.server.server_close()


def pump(source, to):
    try:
        while data := source.recv(65536):
            to.sendall(data)
        to.shutdown(socket.SHUT_WR)
    except OSError:  # one side has left
        pass
