"""dbt as people run it: the program of .deps/dbt in a terminal, against a running meesh."""
import os
import re
import subprocess

import pytest

from support.meesh import ROOT

collect_ignore = ["adapter"]  # for dbt's environment: test_adapter.py runs them there

BIN = ROOT / ".deps" / "dbt" / "bin"


class Dbt:
    """dbt in one project; what it writes goes into a folder of its own."""

    def __init__(self, project, folder, server, profiles=None):
        self.project, self.folder, self.server = project, folder, server
        self.profiles = profiles or project

    @property
    def target(self):
        return self.folder / "target"

    def __call__(self, *arguments, good=True):
        """Its output; fails the test if the command's end is not as expected."""
        done = subprocess.run(
            [BIN / "dbt", "--no-use-colors", "--log-path", self.folder / "logs", *arguments,
             "--project-dir", self.project, "--profiles-dir", self.profiles,
             "--target-path", self.target],
            cwd=self.folder, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            env={**os.environ, "MEESH_PORT": str(self.server.port),
                 "DBT_SEND_ANONYMOUS_USAGE_STATS": "false"}, timeout=280)
        assert (done.returncode == 0) == good, done.stdout
        return done.stdout

    @staticmethod
    def summary(output):
        """{"PASS": 3, "ERROR": 0, …}"""
        line = re.findall(r"Done\. (.*TOTAL=\d+)", output)[-1]
        return {word: int(count) for word, count in re.findall(r"([A-Z-]+)=(\d+)", line)}


@pytest.fixture
def dbt(ours, folder):
    """dbt(project folder) → Dbt."""
    def make(project):
        return Dbt(project, folder, ours)
    return make
