"""The JVM clients of the tests, and why they cannot run where they cannot."""
import os
import subprocess
from pathlib import Path

from support.trino_server import find_jdk, versions

ROOT = Path(__file__).resolve().parents[2]
MAVEN = ROOT / ".deps" / "maven"


def jar(name):
    return MAVEN / name.format(version=versions()["TRINO_VERSION"])


CLI = jar("trino-cli-{version}-executable.jar")
JDBC = jar("trino-jdbc-{version}.jar")


def why_not(file):
    if not file.exists():
        return f"{file.name} is not in .deps/maven: run setup/setup.sh --for test"
    if not find_jdk(17):
        return "no JDK of 17 or newer"
    return None


def java(*arguments):
    """The command line of a JVM that starts quickly and stays small."""
    return [str(Path(find_jdk(17)) / "bin" / "java"), "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC",
            "-Xmx256m", *map(str, arguments)]


def environment(folder):
    """No settings from outside, and no files in the home of whoever runs the tests."""
    kept = {k: v for k, v in os.environ.items() if k in ("PATH", "LANG", "TERM")}
    return {**kept, "HOME": str(folder), "LANG": "C.UTF-8",
            "TRINO_HISTORY_FILE": str(Path(folder) / "history")}


def run(command, folder, **options):
    return subprocess.run(command, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          env=environment(folder), timeout=options.pop("timeout", 120), **options)
