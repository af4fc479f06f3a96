"""`meesh ingest connectors` and Airbyte's own API."""
import base64
import hashlib
import json
import threading
import zipfile
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import pytest

from support.airbyte_connectors import REPLAY
from support.processes import wait_until


def make_wheel(folder, version):
    """airbyte-source-tiny, which is the connector of these tests under another name."""
    name = f"airbyte_source_tiny-{version}"
    files = {"source_tiny.py": REPLAY,
             f"{name}.dist-info/METADATA":
                 f"Metadata-Version: 2.1\nName: airbyte-source-tiny\nVersion: {version}\n",
             f"{name}.dist-info/WHEEL":
                 "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
             f"{name}.dist-info/entry_points.txt":
                 "[console_scripts]\nsource-tiny = source_tiny:main\n"}
    record = "".join(
        f"{path},sha256={base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).decode().rstrip('=')},"
        f"{len(text.encode())}\n" for path, text in files.items())
    files[f"{name}.dist-info/RECORD"] = record + f"{name}.dist-info/RECORD,,\n"
    wheel = folder / f"{name}-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as out:
        for path, text in files.items():
            out.writestr(path, text)
    return wheel


@pytest.fixture
def index(folder):
    """A package index of our own with two versions of one connector."""
    root = folder / "index"
    package = root / "simple" / "airbyte-source-tiny"
    package.mkdir(parents=True)
    wheels = [make_wheel(package, version) for version in ("1.0.0", "1.2.0")]
    package.joinpath("index.html").write_text(
        "".join(f'<a href="{wheel.name}">{wheel.name}</a>' for wheel in wheels))

    class Handler(SimpleHTTPRequestHandler):
        def __init__(self, *arguments):
            super().__init__(*arguments, directory=str(root))

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    server.root = package
    yield server
    server.shutdown()


def test_connectors_are_searched_installed_and_told_of(airbyte, index):
    port = index.server_port
    airbyte.meesh.environment.update(PIP_INDEX_URL=f"http://127.0.0.1:{port}/simple/",
                                     PIP_TRUSTED_HOST="127.0.0.1", PIP_CONFIG_FILE="/dev/null",
                                     PIP_NO_CACHE_DIR="1", PIP_EXTRA_INDEX_URL="",
                                     no_proxy="127.0.0.1", NO_PROXY="127.0.0.1")
    airbyte.source("late", connector="source-tiny", version="1.0.0", config={"rows": 7},
                   tables={"events": {}})
    airbyte.meesh.start()
    assert "source-faker" in airbyte.ingest("connectors", "search", "users", "products")
    assert "None that" in airbyte.ingest("connectors", "search", "qwertz")
    # The newest of the index, pinned with its hash.
    out = airbyte.ingest("connectors", "install", "source-tiny")
    assert "✓ source-tiny 1.2.0" in out
    place = airbyte.meesh.data / "connectors" / "source-tiny-1.2.0"
    wheel = next(index.root.glob("*1.2.0*.whl")).read_bytes()
    lock = (place / "requirements.lock").read_text()
    assert lock == f"airbyte-source-tiny==1.2.0 --hash=sha256:{hashlib.sha256(wheel).hexdigest()}\n"
    assert "source-tiny" in airbyte.ingest("connectors", "list")
    told = airbyte.ingest("connectors", "spec", "source-tiny")
    assert "account.token" in told and "secret" in told and "rows" in told
    assert "not installed" in airbyte.ingest("connectors", "spec", "source-nothing", code=1)
    assert "asking for the versions of source-nothing failed" in airbyte.ingest(
        "connectors", "install", "source-nothing", code=1)
    assert "is no connector" in airbyte.ingest("connectors", "install", "nonsense", code=1)
    # A source's connector is installed when it is first needed, exactly as a lock file pins it.
    locks = airbyte.meesh.mesh / "connectors"
    locks.mkdir()
    pinned = locks / "source-tiny-1.0.0.lock"
    pinned.write_text(f"airbyte-source-tiny==1.0.0 --hash=sha256:{'0' * 64}\n")
    assert "HASH" in airbyte.ingest("run", "late", code=1).upper()
    assert not (airbyte.meesh.data / "connectors" / "source-tiny-1.0.0").exists()
    wheel = next(index.root.glob("*1.0.0*.whl")).read_bytes()
    pinned.write_text("airbyte-source-tiny==1.0.0 --hash=sha256:"
                      f"{hashlib.sha256(wheel).hexdigest()}\n")
    assert ": 7 rows" in airbyte.ingest("run", "late")


def test_airbytes_own_api(airbyte):
    airbyte.replay(rows=120, account={"how": "key", "token": "hush-hush-token"},
                   tables={"events": {"mode": "incremental", "write": "merge"}, "whole": {}})
    airbyte.meesh.start()
    [workspace] = airbyte.airbyte("workspaces/list")["workspaces"]
    of = {"workspaceId": workspace["workspaceId"]}
    definitions = airbyte.airbyte("source_definitions/list", of)["sourceDefinitions"]
    [source] = airbyte.airbyte("sources/list", of)["sources"]
    assert source["name"] == "s" and source["sourceName"] == "source-replay"
    assert source["sourceDefinitionId"] in {d["sourceDefinitionId"] for d in definitions}
    assert airbyte.airbyte("sources/get", {"sourceId": source["sourceId"]}) == source
    assert "hush" not in json.dumps(source)
    checked = airbyte.airbyte("sources/check_connection", {"sourceId": source["sourceId"]})
    assert checked["status"] == "succeeded" and checked["jobInfo"]["succeeded"]
    catalog = airbyte.airbyte("sources/discover_schema", {"sourceId": source["sourceId"]})["catalog"]
    events = next(s for s in catalog["streams"] if s["stream"]["name"] == "events")
    assert events["stream"]["jsonSchema"]["properties"]["id"] == {"type": "integer"}
    assert events["stream"]["sourceDefinedPrimaryKey"] == [["id"]]
    [connection] = airbyte.airbyte("connections/list", of)["connections"]
    assert connection["sourceId"] == source["sourceId"] and connection["status"] == "active"
    configs = {s["stream"]["name"]: s["config"] for s in connection["syncCatalog"]["streams"]}
    assert configs["events"]["syncMode"] == "incremental"
    assert configs["events"]["destinationSyncMode"] == "append_dedup"
    [destination] = airbyte.airbyte("destinations/list", of)["destinations"]
    assert destination["destinationId"] == connection["destinationId"]
    key = {"connectionId": connection["connectionId"]}
    assert airbyte.airbyte("state/get", key)["stateType"] == "not_set"
    job = airbyte.airbyte("connections/sync", key)["job"]
    assert job["status"] == "running" and job["configId"] == key["connectionId"]

    def ended():
        now = airbyte.airbyte("jobs/get", {"id": job["id"]})
        return now if now["job"]["status"] != "running" else None

    done = wait_until(ended, 60, "the job ends")
    assert done["job"]["status"] == "succeeded"
    assert done["attempts"][0]["attempt"]["recordsSynced"] == 240
    [listed] = airbyte.airbyte("jobs/list", {"configTypes": ["sync"], "configId": job["configId"],
                                             "pagination": {"pageSize": 10}})["jobs"]
    assert listed["job"]["id"] == job["id"] and len(listed["attempts"][0]["streamStats"]) == 2
    state = airbyte.airbyte("state/get", key)
    assert {s["streamDescriptor"]["name"] for s in state["streamState"]} >= {"events"}
    for path in ("sources/get", "connections/sync", "jobs/get"):
        airbyte.airbyte(path, {"sourceId": "x", "connectionId": "x", "id": 1}, status=404)
    airbyte.airbyte("jobs/get", {"id": "x"}, status=400)
