#!/usr/bin/env python3
"""Checks the installation: the program, the server, the feeds and their folders.

    python test_setup.py

Ends with `✓ Installation validée avec succès!` and exit code 0, or tells what is wrong and ends
with 1.
"""
import json
import stat
import subprocess
import sys

import data_lake_config as config


def check_program():
    version = subprocess.run([config.program(), "version"], text=True, capture_output=True)
    assert version.returncode == 0, version.stderr
    return version.stdout.strip()


def check_server():
    done = config.meesh_feed("list", "--json", quiet=True)
    assert done.returncode == 0, done.stderr.strip()
    return f"{config.SERVER}, {len(json.loads(done.stdout)['feeds'])} feeds"


def check_feeds():
    feeds = {feed["name"]: feed for feed in config.told("list")["feeds"]}
    for kind, wanted, retention in (("stream", config.STREAMS, "retention_days"),
                                    ("table", config.TABLES, "retention_versions")):
        for name, kept in wanted.items():
            assert name in feeds, f"the feed {name} is missing: feeds/active/{name}.json"
            assert "error" not in feeds[name], feeds[name].get("error")
            assert feeds[name]["type"] == kind, f"{name} is no {kind}"
            assert feeds[name][retention] == kept, f"{name} keeps {feeds[name][retention]}"
    return f"{len(config.STREAMS)} streams, {len(config.TABLES)} tables"


def check_folders():
    assert config.make_structure(), "feeds/active has mistakes"
    lake = config.root()
    for kind in ("streams", "tables", "feeds", "logs"):
        assert (lake / kind).is_dir(), f"{lake / kind} is missing"
    for feed in config.told("list")["feeds"]:
        folder = lake / f"{feed['type']}s" / feed["name"]
        mode = f"{stat.S_IMODE(folder.stat().st_mode):o}"
        assert mode == feed["permissions"], f"{folder} has permissions {mode}"
    return str(lake)


def main():
    failed = False
    for word, check in (("program", check_program), ("server", check_server),
                        ("feeds", check_feeds), ("folders", check_folders)):
        try:
            print(f"✓ {word}: {check()}")
        except (AssertionError, OSError) as wrong:
            print(f"✗ {word}: {wrong}", file=sys.stderr)
            failed = True
            break  # what follows needs it
    if failed:
        return 1
    print("✓ Installation validée avec succès!")
    return 0


if __name__ == "__main__":
    sys.exit(main())
