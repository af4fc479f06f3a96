"""setup/setup.sh, ./run and setup/jdk.sh as a user meets them before anything runs."""
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from support.meesh import ROOT


def run(*command, cwd=ROOT, **options):
    return subprocess.run([str(word) for word in command], cwd=cwd, text=True, timeout=120,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, **options)


@pytest.fixture
def copy(folder):
    """The repository's set-up alone, in a folder of its own."""
    shutil.copytree(ROOT / "setup", folder / "setup")
    (folder / "tests" / "trino" / "js").mkdir(parents=True)
    shutil.copy(ROOT / "tests" / "trino" / "js" / "package-lock.json", folder / "tests/trino/js")
    return folder


def test_a_finished_set_up_has_nothing_to_do():
    assert run("setup/setup.sh", "--for", "test").returncode == 0
    result = run("setup/setup.sh", "--for", "test")
    assert (result.returncode, result.stdout) == (0, "setup (test): nothing to do\n")


@pytest.mark.parametrize("arguments", [["--for", "nothing"], ["--for"], ["--bogus"]])
def test_wrong_options_of_the_set_up_are_refused(arguments):
    result = run("setup/setup.sh", *arguments)
    assert result.returncode == 2 and "usage: setup/setup.sh" in result.stdout


def set_up_without_rights(copy, packages):
    if os.getuid() != 0:
        pytest.skip("needs root, to become a user without rights")
    if shutil.which("sudo"):
        pytest.skip("sudo is installed here, and would be used")
    (copy / "setup" / "packages.txt").write_text(packages)
    for path in [copy, *copy.rglob("*")]:
        os.chown(path, 65534, 65534)
    return run("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups",
               copy / "setup" / "setup.sh", cwd="/", env={"PATH": "/usr/bin:/bin", "HOME": "/"})


def test_without_root_and_sudo_the_missing_packages_are_listed(copy):
    result = set_up_without_rights(copy, "run meesh-nosuch-a|meesh-nosuch-b\nrun bash\n"
                                   "run meesh-nosuch-c bash\ntest meesh-nosuch-d\n")
    assert result.returncode == 1
    assert "missing: meesh-nosuch-a\n" in result.stdout  # not c: there is a bash; not d: for tests
    assert "apt-get install --no-install-recommends meesh-nosuch-a\n" in result.stdout


def test_what_apt_does_not_offer_and_need_not_is_not_demanded(copy):
    if not list(Path("/var/lib/apt/lists").glob("*_Packages*")):
        pytest.skip("apt has no package lists here, so nothing is known about what it offers")
    result = set_up_without_rights(copy, "run meesh-nosuch-a\nrun meesh-nosuch-b|meesh-nosuch-c|-\n")
    assert result.returncode == 1
    assert "missing: meesh-nosuch-a\n" in result.stdout


def test_the_newest_sufficient_jdk_is_found_or_none(folder):
    assert run("setup/jdk.sh", "99").returncode == 1
    jdk = folder / "jdk"
    (jdk / "bin").mkdir(parents=True)
    (jdk / "bin" / "javac").write_text("#!/bin/sh\n")
    (jdk / "bin" / "javac").chmod(0o755)
    (jdk / "release").write_text('JAVA_VERSION="98.0.1"\n')
    result = run("setup/jdk.sh", "97", env={**os.environ, "JAVA_HOME": str(jdk)})
    assert (result.returncode, result.stdout) == (0, f"{jdk}\n")


def test_run_explains_itself_and_refuses_what_it_does_not_know():
    assert "usage: ./run" in run("./run", "--help").stdout
    for arguments, words in [(["--port", "http"], "--port must be a number"), (["--port"], "--port needs a value"),
                             (["--bogus"], "unknown option '--bogus'"),
                             (["--mesh", "/nonexistent"], "no mesh in '/nonexistent'")]:
        result = run("./run", *arguments)
        assert result.returncode == 2 and words in result.stdout
