"""SQLAlchemy's own dialect test suite with Trino's dialect: what passes on Trino 476 (catalog `memory`,
sqlalchemy_suite/passes_on_trino.txt) passes here. The list is made anew, against a server with empty
schemas memory.sqlalchemy_suite and memory.test_schema, with

    .venv/bin/python tests/trino/test_sqlalchemy_suite.py HOST:PORT > tests/trino/sqlalchemy_suite/passes_on_trino.txt
"""
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

FOLDER = Path(__file__).parent / "sqlalchemy_suite"
#: One combination of arguments after another of what other tests ask as well.
LEFT_OUT = "not get_multi"
#: Without --full: what tools depend on most, reflection and rows that come back as they went.
SHORT = ("HasTableTest", "HasIndexTest", "ComponentReflectionTest", "FetchLimitOffsetTest",
         "IntegerTest", "StringTest", "DateTimeTest", "JoinTest", "CTETest", "RowFetchTest")


def passed(address, selection, timeout):
    """The names of the tests that pass on the server, as `Class::test[arguments]`."""
    finished = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "plugin", "-p", "no:cacheprovider", "suite.py", "-v",
         "--rootdir", ".", "-c", "setup.cfg", "--confcutdir", ".", "-W", "ignore", "--tb=line",
         "-k", selection, "--dburi", f"trino://tester@{address}/memory/sqlalchemy_suite"],
        cwd=FOLDER, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=timeout,
        env={**os.environ, "PYTHONPATH": ".", "PYTHONDONTWRITEBYTECODE": "1", "COLUMNS": "200"})
    names = re.findall(r"^suite\.py::(.*) PASSED +\[ *\d+%\]$", finished.stdout, re.MULTILINE)
    return {re.sub(r"_trino\+rest_[0-9_]*(?=::)", "", name) for name in names}, finished.stdout


def on_trino(classes=None):
    lines = (FOLDER / "passes_on_trino.txt").read_text(encoding="utf-8").splitlines()
    return {line for line in lines if classes is None or line.partition("::")[0] in classes}


def run(server, query, selection, wanted):
    schemas = ("memory.sqlalchemy_suite", "memory.test_schema")  # the second by the suite's own name
    for schema in schemas:
        query(f"CREATE SCHEMA IF NOT EXISTS {schema}")
    try:
        found, output = passed(f"{server.host}:{server.port}", selection, 1500)
    finally:
        for schema in schemas:
            query(f"DROP SCHEMA IF EXISTS {schema} CASCADE")
    lacking = sorted(wanted - found)
    assert not lacking, f"{len(lacking)} of {len(wanted)}:\n" + "\n".join(lacking) + output[-3000:]


def test_what_tools_depend_on_passes(server, query):
    run(server, query, f"({' or '.join(SHORT)}) and {LEFT_OUT}", on_trino(SHORT))


@pytest.mark.full
@pytest.mark.timeout(1800)
def test_everything_that_passes_on_trino_passes(server, query):
    run(server, query, LEFT_OUT, on_trino())


if __name__ == "__main__":
    print("\n".join(sorted(passed(sys.argv[1], LEFT_OUT, 3600)[0])))
