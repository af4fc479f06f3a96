"""dbt's own tests of adapters (dbt-tests-adapter) with dbt-trino against meesh, in dbt's own Python
environment. What each catalog must do, and what is left out and why, stands in tests/dbt/adapter."""
import os
import subprocess
import xml.etree.ElementTree as ElementTree

import pytest

from support.meesh import ROOT

PYTHON = ROOT / ".deps" / "dbt" / "bin" / "python"
full = pytest.mark.full


@pytest.mark.timeout(2400)
@pytest.mark.parametrize("catalog, tests", [
    ("lake", "test_basic.py"),
    pytest.param("lake", "test_functions.py", marks=full),
    pytest.param("lake", "test_incremental.py", marks=full),
    pytest.param("lake", "test_projects.py", marks=full),
    pytest.param("lake", "test_contracts.py", marks=full),
    pytest.param("memory", "test_basic.py", marks=full),
    pytest.param("memory", "test_functions.py", marks=full),
    pytest.param("memory", "test_incremental.py", marks=full),
    pytest.param("sales", "test_basic.py", marks=full),
    pytest.param("sales", "test_functions.py", marks=full),
    pytest.param("sales", "test_incremental.py", marks=full),
])
def test_of_dbt(ours, folder, request, catalog, tests):
    report = folder / "report.xml"
    environment = {**os.environ, "MEESH_TEST_SERVER": ours.url, "MEESH_TEST_CATALOG": catalog,
                   "MEESH_TEST_FULL": "1" if request.config.getoption("--full") else ""}
    done = subprocess.run(
        [PYTHON, "-m", "pytest", "-c", "pytest.ini", "-q", "--tb=short", f"--junitxml={report}",
         f"--basetemp={folder / 'projects'}", tests],
        cwd=ROOT / "tests" / "dbt" / "adapter", env=environment, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    cases = list(ElementTree.parse(report).iter("testcase"))
    bad = [case.get("classname") + "::" + case.get("name") for case in cases
           if case.find("failure") is not None or case.find("error") is not None]
    ran = [case for case in cases if case.find("skipped") is None]
    assert not bad and done.returncode == 0, f"{bad}\n{done.stdout[-8000:]}"
    assert len(ran) >= 8
