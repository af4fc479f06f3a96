"""trino-client from npm, unchanged: one program asks (js/probe.mjs), the tests judge."""
import json
import shutil
import subprocess
from pathlib import Path

import pytest

from support.statements import FLOOD

FOLDER = Path(__file__).parent / "js"

pytestmark = [
    pytest.mark.skipif(not shutil.which("node"), reason="no node: run setup/setup.sh --for test"),
    pytest.mark.skipif(not (FOLDER / "node_modules").is_dir(),
                       reason="trino-client is not installed: run setup/setup.sh --for test"),
]


@pytest.fixture(scope="module")
def probe(server):
    finished = subprocess.run(["node", str(FOLDER / "probe.mjs"), server.url, FLOOD], text=True,
                              timeout=60, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert finished.returncode == 0, finished.stderr
    return json.loads(finished.stdout)


def test_columns_and_values(probe):
    assert probe["values"]["columns"] == [
        ["i", "integer"], ["s", "varchar(1)"], ["d", "decimal(3, 2)"], ["f", "double"],
        ["b", "boolean"], ["n", "unknown"], ["a", "array(integer)"],
        ["r", "row(p integer, q varchar)"], ["t", "date"]]
    assert probe["values"]["data"] == [[3, "é", "1.50", 1, True, None, [1, 2], [1, "x"],
                                        "2024-02-29"]]
    assert probe["values"]["state"] == "FINISHED"


def test_the_connection_has_catalog_and_schema(probe, server):
    assert probe["count"]["data"] == [
        [server.databases["sales"].query("SELECT count(*) FROM customers")[0][0]]]


def test_every_page_arrives(probe):
    assert probe["many"] == 15000


def test_a_mistake_is_in_the_answer(probe):
    assert probe["mistake"]["error"] == {
        "name": "COLUMN_NOT_FOUND",
        "message": "line 1:8: Column 'nosuch' cannot be resolved"}


def test_cancel_and_query_info(probe):
    assert probe["cancelled"]["rows"] > 0
    assert probe["cancelled"]["query"] == FLOOD
