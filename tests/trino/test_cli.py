"""trino-cli, unchanged."""
import signal
import subprocess

import pytest

from support import java
from support.processes import wait_until
from support.statements import ENDLESS

pytestmark = pytest.mark.skipif(bool(java.why_not(java.CLI)), reason=str(java.why_not(java.CLI)))


@pytest.fixture
def cli(server, folder):
    """cli("--execute", …) → the finished process."""

    def run(*arguments, **options):
        return java.run([*java.java("-jar", java.CLI), "--server", server.url, "--user", "tester",
                         *arguments], folder, **options)

    return run


def test_execute_prints_csv(cli):
    result = cli("--execute", "SELECT 1 AS a, 'x,\"y' AS b, NULL AS c")
    assert (result.returncode, result.stdout) == (0, '"1","x,""y",""\n'), result.stderr


@pytest.mark.parametrize("layout, expected", [
    ("TSV_HEADER", "a\tb\n1\tx\n2\ty\n"),
    ("JSON", '{"a":1,"b":"x"}\n{"a":2,"b":"y"}\n'),
    ("ALIGNED", " a | b \n---+---\n 1 | x \n 2 | y \n(2 rows)\n"),
])
def test_output_formats(cli, layout, expected):
    result = cli("--output-format", layout, "--execute",
                 "SELECT * FROM (VALUES (1, 'x'), (2, 'y')) t(a, b) ORDER BY a")
    assert (result.returncode, result.stdout) == (0, expected), result.stderr


def test_catalog_and_schema_options_and_several_statements(cli):
    result = cli("--catalog", "tpch", "--schema", "tiny", "--output-format", "CSV_UNQUOTED",
                 "--execute", "SELECT count(*) FROM nation; SHOW CATALOGS LIKE 'sa%'; "
                              "USE tpch.sf1; SELECT current_schema")
    assert (result.returncode, result.stdout) == (0, "25\nsales\nsf1\n"), result.stderr


def test_a_file_of_statements(cli, folder):
    file = folder / "statements.sql"
    file.write_text("-- two statements\nSELECT 1;\nSELECT 'é';\n")
    result = cli("--file", str(file), "--output-format", "CSV_UNQUOTED")
    assert (result.returncode, result.stdout) == (0, "1\né\n"), result.stderr


def test_a_mistake_is_shown_with_its_position_and_ends_with_1(cli):
    result = cli("--execute", "SELECT nosuch FROM tpch.tiny.nation")
    assert result.returncode == 1
    assert "line 1:8: Column 'nosuch' cannot be resolved" in result.stderr


def test_progress_statistics_are_complete_enough_for_debug_output(cli):
    result = cli("--debug", "--execute", "SELECT count(*) FROM tpch.tiny.orders")
    assert (result.returncode, result.stdout) == (0, '"15000"\n'), result.stderr


def test_ctrl_c_cancels_the_query(server, folder, query):
    process = subprocess.Popen(
        [*java.java("-jar", java.CLI), "--server", server.url, "--user", "tester",
         "--source", folder.name, "--execute", ENDLESS],
        env=java.environment(folder), stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    mine = f"SELECT state, error_code FROM system.runtime.queries WHERE source = '{folder.name}'"
    try:
        wait_until(lambda: query(mine) == [["RUNNING", None]], 60, "the query running", every=0.2)
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=60)
    finally:
        process.kill()
    wait_until(lambda: query(mine) == [["FAILED", "USER_CANCELED"]], 30, "the query cancelled")
    assert process.returncode != 0
