"""The scripts of demo/data_lake with the demo's eight feeds, as the documents call them."""
import json
import os
import shutil
import subprocess
import sys
from collections import Counter

import pandas
import pytest

from support.meesh import ROOT, binary

SCRIPTS = ROOT / "demo" / "data_lake"
STREAMS = {"transaction_stream": (365, "750"), "transaction_flattened": (365, "750"),
           "transaction_stream_anonymized": (730, "755"),
           "transaction_stream_blacklisted": (365, "750")}
TABLES = ["user_transaction_summary", "user_transaction_summary_eur", "payment_method_totals",
          "product_purchase_counts"]


@pytest.fixture
def demo_feeds(feeds):
    shutil.copytree(ROOT / "demo" / "feeds", feeds.meesh.mesh / "feeds")
    feeds.meesh.start()
    for name in [*STREAMS, *TABLES]:
        feeds.payments(0, 99, start="2026-01-15 00:00:00", table=name)
    return feeds


@pytest.fixture
def script(demo_feeds):
    def run(name, *arguments, code=0):
        done = subprocess.run(
            [sys.executable, str(SCRIPTS / f"{name}.py"), *map(str, arguments)], text=True,
            capture_output=True, timeout=120,
            env={**os.environ, "MEESH": str(binary()), "MEESH_SERVER": demo_feeds.meesh.url})
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout + done.stderr
    return run


def test_the_demo_has_its_eight_feeds(demo_feeds):
    told = {feed["name"]: feed for feed in demo_feeds.api("feeds")["feeds"]}
    assert Counter(feed["type"] for feed in told.values()) == {"stream": 4, "table": 4}
    for name, (days, permissions) in STREAMS.items():
        assert (told[name]["retention_days"], told[name]["permissions"]) == (days, permissions)
        assert (told[name]["storage_mode"], told[name]["partitioning"]) == ("append", "date")
    for name in TABLES:
        assert (told[name]["retention_versions"], told[name]["permissions"]) == (7, "755")
        assert (told[name]["storage_mode"], told[name]["partitioning"]) == ("overwrite", "version")


def test_the_installation_is_validated(demo_feeds, script):
    printed = script("data_lake_config")
    assert "streams/transaction_stream" in printed and "logs" in printed
    assert script("test_setup").endswith("✓ Installation validée avec succès!\n")
    (demo_feeds.meesh.mesh / "feeds/active/transaction_stream.json").unlink()
    assert "transaction_stream is missing" in script("test_setup", code=1)
    demo_feeds.meesh.stop()
    assert "server" in script("test_setup", code=1)


def test_a_stream_a_table_and_all_are_exported(demo_feeds, script):
    script("export_to_data_lake", "--stream", "transaction_stream_anonymized")
    script("export_to_data_lake", "--table", "user_transaction_summary")
    assert demo_feeds.metadata("transaction_stream_anonymized")["total_records"] == 100
    assert demo_feeds.metadata("user_transaction_summary")["total_records"] == 100
    assert "is a table" in script("export_to_data_lake", "--stream", "user_transaction_summary",
                                  code=1)
    script("export_to_data_lake", "--all")
    for name in STREAMS:
        assert demo_feeds.metadata(name)["total_records"] == 100
        assert len(pandas.read_parquet(demo_feeds.folder(name))) == 100
    assert (demo_feeds.folder("user_transaction_summary") / "_current").read_text() == \
        "version=v2\n"


def test_feeds_are_managed(demo_feeds, script):
    demo_feeds.payments(0, 9, table="new_stream")
    script("manage_feeds", "add", "--name", "new_stream", "--type", "stream", "--source",
           "new_stream", "--description", "A new one")
    script("export_to_data_lake", "--stream", "new_stream")  # at once
    written = json.loads((demo_feeds.meesh.mesh / "feeds/active/new_stream.json").read_text())
    assert {"feed_name", "feed_type", "ksqldb_source", "description", "partitioning",
            "storage_mode", "format", "retention_days", "enabled"} <= set(written)
    script("manage_feeds", "update", "--name", "new_stream", "--retention-days", "30")
    assert "new_stream" in script("manage_feeds", "list")
    assert "30 " in script("manage_feeds", "show", "--name", "new_stream")
    script("manage_feeds", "cleanup")
    script("manage_feeds", "archive", "--name", "new_stream")
    assert "new_stream" not in script("manage_feeds", "list")
    assert "unchanged  transaction_stream\n" in script("manage_feeds", "sync")
    for _ in range(2):
        script("export_to_data_lake", "--table", "payment_method_totals")
    script("manage_feeds", "rollback", "--name", "payment_method_totals", "--version", "1")
    assert demo_feeds.show("payment_method_totals")["current_version"] == 1


def test_reports_are_written(script, folder):
    script("export_to_data_lake", "--all")
    assert "800" in script("metadata_utils", "--stats")
    assert "export" in script("metadata_utils", "--report")
    script("metadata_utils", "--csv", folder / "report.csv", "--html", folder / "report.html")
    assert len(pandas.read_csv(folder / "report.csv")) == 8
    assert (folder / "report.html").stat().st_size > 2000
