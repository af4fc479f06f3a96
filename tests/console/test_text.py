"""Every string of the console is there in English and in French, and nowhere else than in its
files of texts."""
import os
import subprocess

from support.meesh import ROOT


def test_everything_is_said_in_both_languages():
    path = f"{ROOT / '.deps/node/bin'}:{os.environ['PATH']}"
    checked = subprocess.run(["node", "check_text.mjs"], cwd=ROOT / "console", text=True,
                             capture_output=True, env={**os.environ, "PATH": path}, timeout=120)
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_types_agree():
    path = f"{ROOT / '.deps/node/bin'}:{os.environ['PATH']}"
    checked = subprocess.run(["sh", "-c", "npm run --silent types && npm run --silent check"], cwd=ROOT / "console", text=True,
                             capture_output=True, env={**os.environ, "PATH": path}, timeout=300)
    assert checked.returncode == 0, checked.stdout + checked.stderr
