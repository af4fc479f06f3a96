"""`meesh lake scrub`, `backup`, `rotate-key` and `rebuild`, on a running mesh and on a stopped one."""
import base64
import contextlib
import json
import os
import signal
import socket
import subprocess

import pytest
import yaml
from support.meesh import binary
from support.processes import wait_until
from support.s3 import Endpoint, Keys, code_of
from support.s3_server import MASTER_KEY, ROOT_KEYS, LakeServer, lake_mesh

NEW_KEY = base64.b64encode(b"n" * 32).decode()
SEALED = {"ServerSideEncryption": "AES256"}


class Lake:
    """A mesh that is started, stopped and told other keys; and the commands on it."""

    def __init__(self, folder):
        self.mesh = lake_mesh(folder / "mesh", buckets={"lake": {"versioning": True}})
        self.server = LakeServer(self.mesh, folder / "data")
        self.url = ""

    def start(self):
        self.server.start()
        self.url = self.server.s3_url
        return self.server.endpoint().client()

    def stop(self):
        assert self.server.stop() == 0
        self.url = ""

    def storage(self, **changes):
        """Changes meesh.yaml; None takes a key away."""
        file = self.mesh / "meesh.yaml"
        mesh = yaml.safe_load(file.read_text())
        mesh["storage"].update(changes)
        mesh["storage"] = {k: v for k, v in mesh["storage"].items() if v is not None}
        file.write_text(yaml.safe_dump(mesh))

    def run(self, *arguments, code=0, environment=None):
        """Standard output of the command, or what it complains of if it must fail."""
        # Only for commands that are told no mesh: another server's must not get their work.
        told = {**os.environ, **self.server.environment, "S3_ENDPOINT_URL": "http://127.0.0.1:1",
                **(environment or {})}
        done = subprocess.run(
            [str(binary()), "lake", *map(str, arguments), "--mesh", str(self.mesh),
             "--data", str(self.server.data)], text=True, timeout=60, capture_output=True, env=told)
        assert done.returncode == code, (done.returncode, done.stdout, done.stderr)
        return done.stdout + done.stderr if code else done.stdout

    def payload(self, content):
        """The payload file that begins with this content."""
        for file in (self.server.data / "objects" / "payload").rglob("*"):
            if file.is_file() and file.read_bytes().startswith(content):
                return file
        raise AssertionError("no such payload file")


@pytest.fixture
def lake(folder):
    lake = Lake(folder)
    yield lake
    lake.server.stop()


@pytest.mark.parametrize("running", [True, False])
def test_scrub_tells_what_is_damaged(lake, running):
    s3 = lake.start()
    content = os.urandom(50_000)
    version = s3.put_object(Bucket="lake", Key="folder/é", Body=content)["VersionId"]
    s3.put_object(Bucket="lake", Key="small", Body=b"x")
    if not running:
        lake.stop()
    assert "2 versions, 50.0 kB read, 0 damaged" in lake.run("scrub")
    with open(lake.payload(content[:100]), "r+b") as file:
        file.seek(40_000)
        byte = file.read(1)
        file.seek(40_000)
        file.write(bytes([byte[0] ^ 1]))
    told = lake.run("scrub", code=1)
    head, row = told.splitlines()[:2]
    assert head.split() == ["BUCKET", "KEY", "VERSION", "DAMAGE"]
    assert row.split(maxsplit=3) == ["lake", "folder/é", version, "its MD5 does not fit"]
    report = json.loads(lake.run("scrub", "--json", code=1))
    assert report["damaged"] == [{"bucket": "lake", "key": "folder/é", "version": version,
                                  "what": "its MD5 does not fit"}]
    assert "1 endommagées" in lake.run("scrub", code=1, environment={"MEESH_LANG": "fr"})


@pytest.mark.parametrize("running", [True, False])
def test_a_backup_takes_the_place_of_what_is_lost(lake, folder, running):
    s3 = lake.start()
    content = os.urandom(50_000)
    s3.put_object(Bucket="lake", Key="k", Body=content, **SEALED)
    if not running:
        lake.stop()
    told = lake.run("backup", folder / "copy")
    assert f"{folder / 'copy'}: 1 files" in told
    assert "is there already" in lake.run("backup", folder / "copy", code=1)
    if running:
        lake.stop()
    (lake.server.data / "objects").rename(folder / "lost")
    (folder / "copy").rename(lake.server.data / "objects")
    s3 = lake.start()
    assert s3.get_object(Bucket="lake", Key="k")["Body"].read() == content


@pytest.mark.parametrize("running", [True, False])
def test_the_master_key_is_replaced(lake, running):
    s3 = lake.start()
    contents = {f"k{i}": os.urandom(1_000 + 40_000 * i) for i in range(3)}
    for key, content in contents.items():
        s3.put_object(Bucket="lake", Key=key, Body=b"an older version", **SEALED)
        s3.put_object(Bucket="lake", Key=key, Body=content, **SEALED)
    told = lake.server.run("access", "add", "ann", "--policy", "readonly", "--mesh", lake.mesh,
                           "--data", lake.server.data).stdout
    ann = Keys(*(line.split("=", 1)[1] for line in told.splitlines()))
    lake.stop()

    lake.storage(master_key=NEW_KEY)
    refused = lake.server.run("serve", "--mesh", lake.mesh, "--data", lake.server.data, "--port",
                              lake.server.port, "--s3-port", 0)
    assert refused.returncode != 0
    assert "storage.old_master_keys" in refused.stdout + refused.stderr

    def check(s3):
        for key, content in contents.items():
            assert s3.get_object(Bucket="lake", Key=key)["Body"].read() == content
            older = [v["VersionId"] for v in s3.list_object_versions(
                Bucket="lake", Prefix=key)["Versions"] if not v["IsLatest"]]
            assert [s3.get_object(Bucket="lake", Key=key, VersionId=v)["Body"].read()
                    for v in older] == [b"an older version"]
        client = Endpoint(lake.url, ann).client()
        assert client.get_object(Bucket="lake", Key="k0")["Body"].read() == contents["k0"]

    lake.storage(old_master_keys=["${OLD_KEY}"])
    lake.server.environment["OLD_KEY"] = MASTER_KEY
    check(lake.start())
    if not running:
        lake.stop()
    assert "6 keys wrapped anew, 6 encrypted" in lake.run("rotate-key")
    assert json.loads(lake.run("rotate-key", "--json")) == {
        "complete": True, "sealed": 6, "rewrapped": 0, "missing_keys": {}}
    if running:
        lake.stop()

    lake.storage(old_master_keys=None)
    check(lake.start())


def test_rotation_tells_which_key_is_missing(lake):
    s3 = lake.start()
    s3.put_object(Bucket="lake", Key="k", Body=b"content", **SEALED)
    lake.stop()
    lake.storage(master_key=NEW_KEY, old_master_keys=[MASTER_KEY])
    lake.start()
    lake.stop()  # the users' secrets have the new key now, the object has the old one
    lake.storage(old_master_keys=None)
    s3 = lake.start()
    assert code_of(s3.get_object, Bucket="lake", Key="k") == "InternalError"
    told = lake.run("rotate-key", code=1)
    assert "1 contents need the master key" in told and "storage.old_master_keys" in told
    missing = json.loads(lake.run("rotate-key", "--json", code=1))["missing_keys"]
    assert list(missing.values()) == [1]


def test_a_key_made_by_meesh_is_replaced_by_one_of_ones_own(lake):
    lake.storage(master_key=None)
    s3 = lake.start()
    s3.put_object(Bucket="lake", Key="k", Body=b"content", **SEALED)
    lake.stop()
    lake.storage(master_key=NEW_KEY)
    s3 = lake.start()
    assert s3.get_object(Bucket="lake", Key="k")["Body"].read() == b"content"
    assert "1 keys wrapped anew" in lake.run("rotate-key")
    lake.stop()
    (lake.server.data / "keys" / "master.key").unlink()
    s3 = lake.start()
    assert s3.get_object(Bucket="lake", Key="k")["Body"].read() == b"content"


def test_an_index_is_rebuilt_while_the_mesh_is_stopped(lake):
    s3 = lake.start()
    content = os.urandom(50_000)
    version = s3.put_object(Bucket="lake", Key="k", Body=content, **SEALED)["VersionId"]
    assert "in use by process" in lake.run("rebuild", code=1)
    lake.stop()
    assert "nothing needs to be rebuilt" in lake.run("rebuild", code=1)
    for file in (lake.server.data / "objects").glob("index.db*"):
        file.unlink()
    assert "1 versions found in 1 files" in lake.run("rebuild")
    s3 = lake.start()
    assert s3.get_object(Bucket="lake", Key="k", VersionId=version)["Body"].read() == content


def test_an_interrupted_rebuild_does_not_pass_as_whole(lake):
    s3 = lake.start()
    content = os.urandom(50_000)
    s3.put_object(Bucket="lake", Key="k", Body=content)
    lake.stop()
    for file in (lake.server.data / "objects").glob("index.db*"):
        file.unlink()
    lake.run("rebuild", code=-signal.SIGKILL,
             environment={"MEESH_CRASH_POINT": "index.before_commit:3"})
    refused = lake.server.run("serve", "--mesh", lake.mesh, "--data", lake.server.data, "--port",
                              lake.server.port, "--s3-port", 0)
    assert refused.returncode == 1
    assert "is not whole" in refused.stdout + refused.stderr
    assert "meesh lake rebuild" in lake.run("scrub", code=1)
    assert "1 versions found in 1 files" in lake.run("rebuild")
    s3 = lake.start()
    assert s3.get_object(Bucket="lake", Key="k")["Body"].read() == content


def test_what_may_not_be_read_is_told(lake, folder):
    lake.start()
    lake.stop()
    # A path that nobody can follow, whatever one's rights are.
    (folder / "loop").symlink_to("loop")
    told = lake.run("backup", folder / "loop" / "copy", code=1)
    assert "meesh: cannot look at" in told and "Too many levels of symbolic links" in told
    (lake.server.data / "objects").rename(folder / "objects")
    (lake.server.data / "objects").symlink_to("objects")
    told = lake.run("scrub", code=1)
    assert "meesh: cannot look at" in told and "Too many levels of symbolic links" in told


@contextlib.contextmanager
def serving(lake, *options):
    """`meesh serve` of a mesh that cannot be asked at http://127.0.0.1."""
    process = subprocess.Popen(
        [str(binary()), "serve", "--mesh", str(lake.mesh), "--data", str(lake.server.data),
         "--port", str(lake.server.port), *map(str, options)], stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, text=True, env={**os.environ, **lake.server.environment})
    try:
        told = []
        for line in process.stdout:
            told.append(line)
            if "Ctrl-C" in line:
                break
        else:
            raise AssertionError("".join(told))
        yield process
    finally:
        process.terminate()
        process.communicate(timeout=60)


def test_a_mesh_without_a_port_of_objects_cannot_be_asked(lake):
    lake.storage(port=None)
    with serving(lake) as process:
        told = lake.run("scrub", code=1)
        assert f"in use by process {process.pid}" in told and "storage.port" in told


def has_ipv6():
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::1", 0))
        return True
    except OSError:
        return False


@pytest.mark.parametrize("address", ["::1", "0.0.0.0", "::"])
def test_a_running_mesh_is_found_where_it_listens(lake, address):
    """On whatever address, and on a port that the mesh's file does not name."""
    if ":" in address and not has_ipv6():
        pytest.skip("no IPv6 here")
    file = lake.mesh / "meesh.yaml"
    mesh = yaml.safe_load(file.read_text())
    mesh.setdefault("listen", {})["address"] = address
    mesh["storage"]["port"] = 1
    file.write_text(yaml.safe_dump(mesh))
    with serving(lake, "--s3-port", 0):
        assert "0 damaged" in lake.run("scrub")


def make_certificates(folder):
    """An authority's certificate for lake.example.com: key.pem, and cert.pem with the chain."""
    def openssl(*arguments):
        subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True)
    key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
    openssl("req", "-x509", *key, "-days", 2, "-subj", "/CN=An authority", "-keyout",
            folder / "ca.key", "-out", folder / "ca.pem")
    openssl("req", *key, "-subj", "/CN=lake.example.com", "-addext",
            "subjectAltName=DNS:lake.example.com", "-keyout", folder / "key.pem", "-out",
            folder / "request.pem")
    openssl("x509", "-req", "-in", folder / "request.pem", "-CA", folder / "ca.pem", "-CAkey",
            folder / "ca.key", "-CAcreateserial", "-days", 2, "-copy_extensions", "copy", "-out",
            folder / "leaf.pem")
    (folder / "cert.pem").write_text((folder / "leaf.pem").read_text() +
                                     (folder / "ca.pem").read_text())


def test_a_mesh_with_a_certificate_for_another_name(lake):
    """Whoever has its files knows the server by its certificate, not by its name."""
    make_certificates(lake.mesh)
    file = lake.mesh / "meesh.yaml"
    mesh = yaml.safe_load(file.read_text())
    mesh["tls"] = {"certificate": "cert.pem", "key": "key.pem"}
    file.write_text(yaml.safe_dump(mesh))
    with serving(lake):
        assert "0 damaged" in lake.run("scrub")
        make_certificates(lake.mesh)
        (lake.mesh / "key.pem").write_text("not the key")  # the server keeps the certificate it has
        assert "certificate rejected" in lake.run("scrub", code=1)


def test_a_backup_is_in_the_audit_trail_before_it_begins(lake, folder):
    lake.start()
    (folder / "there").mkdir()
    assert "is there already" in lake.run("backup", folder / "there", code=1)
    lake.run("backup", folder / "copy")
    lake.stop()
    lines = [json.loads(line) for file in sorted((lake.server.data / "audit").iterdir())
             for line in file.read_text().splitlines()]
    told = [(line["reason"], line["resource"]) for line in lines
            if line["action"] == "admin:Backup"]
    assert [reason for reason, _ in told] == ["AdminBackup begins", "AdminBackup"] * 2
    assert [resource for _, resource in told[::2]] == [str(folder / "there"), str(folder / "copy")]


def test_another_data_folders_keys_go_with_an_endpoint(lake):
    lake.storage(root=None)
    lake.start()
    told = subprocess.run(
        [str(binary()), "lake", "scrub", "--endpoint", lake.url, "--mesh", str(lake.mesh), "--data",
         str(lake.server.data)], text=True, timeout=60, capture_output=True,
        env={**os.environ, **lake.server.environment})
    assert "0 damaged" in told.stdout, told.stderr


def test_only_administrators_may(lake):
    lake.start()
    told = lake.server.run("access", "add", "ann", "--policy", "readwrite", "--mesh", lake.mesh,
                           "--data", lake.server.data).stdout
    ann = dict(line.split("=", 1) for line in told.splitlines())

    def scrub(keys):
        return subprocess.run([str(binary()), "lake", "scrub", "--endpoint", lake.url], text=True,
                              cwd=lake.server.data, timeout=60, capture_output=True,
                              env={**os.environ, **keys})
    # A running server takes in within a second what another process changed.
    wait_until(lambda: "InvalidAccessKeyId" not in scrub(ann).stderr, 10, "the key is known")
    assert "Access Denied" in scrub(ann).stderr
    root = {"AWS_ACCESS_KEY_ID": ROOT_KEYS.access_key,
            "AWS_SECRET_ACCESS_KEY": ROOT_KEYS.secret_key}
    assert "0 damaged" in scrub(root).stdout
