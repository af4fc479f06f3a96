"""Connectors for tests of Airbyte's protocol: those of the package index that set-up has installed,
and one of our own that behaves as badly as it is told to."""
import os
import subprocess
import sys
from pathlib import Path

INSTALLED = Path(__file__).resolve().parents[2] / ".deps" / "connectors"

# Follows no SDK: what it writes is what the test wants. `rows` events, from where the state says,
# with a state every `every` rows; `behave` says what happens at row `at`.
REPLAY = r'''
import json, os, signal, sys, time

def say(kind, body, **more):
    key = {"CONNECTION_STATUS": "connectionStatus"}.get(kind, kind.lower())
    sys.stdout.write(json.dumps({"type": kind, key: body, **more}) + "\n")

def loaded(name):
    return json.load(open(sys.argv[sys.argv.index("--" + name) + 1])) if "--" + name in sys.argv else None

SPEC = {"documentationUrl": "https://example.com/replay", "connectionSpecification": {
    "type": "object", "required": ["rows"], "properties": {
        "rows": {"type": "integer", "minimum": 0},
        "every": {"type": "integer", "default": 100},
        "at": {"type": "integer"}, "pause": {"type": "number"},
        "behave": {"type": "string", "enum": ["die", "hang", "eat", "garbage", "error", "config",
                                              "stderr", "bad_rows", "new_field", "two_pipes"]},
        "kind": {"type": "string", "enum": ["STREAM", "GLOBAL", "LEGACY"]},
        "account": {"type": "object", "oneOf": [
            {"properties": {"how": {"const": "key"}, "token": {"type": "string",
                                                                "airbyte_secret": True}},
             "required": ["how", "token"]},
            {"properties": {"how": {"const": "basic"}, "user": {"type": "string"},
                            "password": {"type": "string", "airbyte_secret": True}},
             "required": ["how", "user", "password"]}]},
        "rows_file": {"type": "string"}}}}

SCHEMA = {"type": "object", "properties": {
    "id": {"type": "integer"}, "Name": {"type": ["null", "string"]},
    "price": {"type": "number"}, "big": {"type": "integer", "airbyte_type": "big_integer"},
    "at": {"type": "string", "format": "date-time"},
    "local": {"type": "string", "format": "date-time", "airbyte_type": "timestamp_without_timezone"},
    "day": {"type": ["null", "string"], "format": "date"},
    "ok": {"type": "boolean"}, "tags": {"type": "array", "items": {"type": "string"}},
    "home": {"type": "object"}, "mixed": {"type": ["string", "integer"]}}}

CATALOG = {"streams": [{"name": "events", "json_schema": SCHEMA,
    "supported_sync_modes": ["full_refresh", "incremental"], "source_defined_cursor": True,
    "default_cursor_field": ["id"], "source_defined_primary_key": [["id"]]},
    {"name": "Whole", "json_schema": SCHEMA, "supported_sync_modes": ["full_refresh"]}]}

def state_message(kind, value):
    if kind == "LEGACY":
        return {"type": "LEGACY", "data": value}
    if kind == "GLOBAL":
        return {"type": "GLOBAL", "global": {"shared_state": value, "stream_states": []}}
    return {"type": "STREAM", "stream": {"stream_descriptor": {"name": "events"},
                                         "stream_state": value}, "sourceStats": {"recordCount": 1.0}}

def begun(state):
    if not state:
        return 0
    if isinstance(state, dict):
        return state["next"]
    one = state[0]
    return (one["global"]["shared_state"] if one["type"] == "GLOBAL"
            else one["stream"]["stream_state"])["next"]

def row(i):
    return {"id": i, "Name": None if i % 7 == 0 else "näme %d" % i, "price": i / 4,
            "big": 10 ** 30 + i, "at": "2025-01-15T10:%02d:%02d.5+02:00" % (i // 60 % 60, i % 60),
            "local": "2025-01-15T10:00:00", "day": "2025-01-%02d" % (i % 28 + 1), "ok": i % 2 == 0,
            "tags": ["a", str(i)], "home": {"city": "Bern", "no": i}, "mixed": i if i % 2 else "x"}

def misbehave(how, config):
    if how == "die":
        sys.stdout.flush(); os.kill(os.getpid(), signal.SIGKILL)
    if how == "hang":
        sys.stdout.flush(); time.sleep(3600)
    if how == "eat":
        sys.stdout.flush(); hoard = []
        while True:
            hoard.append(bytearray(os.urandom(1 << 20) * 20)); time.sleep(0.01)
    if how == "garbage":
        sys.stdout.write("Loading model weights...\n{\"type\": \"RECORD\", \"record\": {\"stream\":\n"
                         "{\"type\": \"NOTHING\"}\n[1, 2]\n\x00\x01\n" + "x" * 3000000 + "\n")
    if how in ("error", "config"):
        told = {"message": "the token %s is not valid" % config["account"]["token"],
                "internal_message": "401 for %s" % config["account"]["token"],
                "failure_type": "config_error" if how == "config" else "system_error"}
        say("TRACE", {"type": "ERROR", "emitted_at": 1.0, "error": told})
        sys.exit(1)
    if how == "stderr":
        sys.stderr.write("Traceback\nValueError: the cat ate it (%s)\n" % config["account"]["token"])
        sys.exit(3)

def read(config):
    stream = loaded("catalog")["streams"][0]
    name, mode = stream["stream"]["name"], stream["sync_mode"]
    start = begun(loaded("state")) if mode == "incremental" else 0
    rows = int(open(config["rows_file"]).read()) if "rows_file" in config else config["rows"]
    if os.environ.get("SECRET_OF_MEESH"):
        sys.exit("our environment has leaked")
    say("LOG", {"level": "INFO", "message": "starting at %d" % start})
    say("TRACE", {"type": "ESTIMATE", "emitted_at": 1.0, "estimate":
                  {"name": name, "type": "STREAM", "row_estimate": rows - start}})
    if config.get("account", {}).get("token") == "old-token":
        account = {"how": "key", "token": "renewed-token"}
        say("CONTROL", {"type": "CONNECTOR_CONFIG", "emitted_at": 1.0,
                        "connectorConfig": {"config": {**config, "account": account}}})
    for i in range(start + 1, rows + 1):
        how = config.get("behave")
        if how and i == config.get("at", 1):
            misbehave(how, config)
        data = row(i)
        if how == "bad_rows" and i % 10 == 0:
            data["price"] = "cheap"
        if how == "new_field":
            data["surprise"] = i
        say("RECORD", {"stream": name, "data": data, "emitted_at": 1})
        if mode == "incremental" and (i % config.get("every", 100) == 0 or i == rows):
            say("STATE", state_message(config.get("kind", "STREAM"), {"next": i}))
            if config.get("pause"):
                sys.stdout.flush(); time.sleep(config["pause"])

def main():
    command, config = sys.argv[1], loaded("config")
    if command == "spec":
        say("SPEC", SPEC)
    elif command == "check":
        token = config.get("account", {}).get("token", "")
        failed = token == "wrong-token"
        say("CONNECTION_STATUS", {"status": "FAILED", "message": "401: token %s refused" % token}
            if failed else {"status": "SUCCEEDED"})
    elif command == "discover":
        say("CATALOG", CATALOG)
    else:
        read(config)
'''


def make_replay(folder):
    """An environment source-replay-1.0 in the folder."""
    place = Path(folder) / "source-replay-1.0"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", place], check=True)
    packages = next(place.glob("lib/python3*/site-packages"))
    (packages / "source_replay.py").write_text(REPLAY)
    about = packages / "source_replay-1.0.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: source-replay\nVersion: 1.0\n")
    (about / "entry_points.txt").write_text(
        "[console_scripts]\nsource-replay = source_replay:main\n")
    (place / "meesh-environment").write_text("source-replay-1.0\n")
    return place


def share_installed(folder):
    """Those that set-up has installed, in the folder too."""
    for place in INSTALLED.glob("*-[0-9]*"):
        target = Path(folder) / place.name
        if not target.exists():
            os.symlink(place, target)


def connector_processes(meesh):
    """Processes of connectors that `meesh` runs, by pid."""
    runs = os.path.realpath(meesh.data / "connectors" / ".runs")
    found = []
    for entry in Path("/proc").iterdir():
        try:
            if entry.name.isdigit() and os.readlink(entry / "cwd").startswith(runs):
                found.append(int(entry.name))
        except OSError:
            continue
    return found
