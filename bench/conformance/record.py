"""Trino's own answers to tests/trino/corpus.

    bench/conformance/run.sh                 asks a real Trino and prints what it answers otherwise
                                             than the corpus says
    bench/conformance/run.sh --write         writes its answers into the corpus
    … FILE …                                 only these files, without .sql
    … --server URL                           asks a running Trino instead of starting one

A Trino is started with the catalogs memory and tpch and the functions of a Trino as it is delivered
but for those of geospatial data and machine learning. Needs setup/setup.sh --for bench and a JDK of
24 or newer; a quarter of an hour on two idle cores.
"""
import argparse
import json
import os
import shutil
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[1] / "tests"))

from support import trino_corpus as corpus, trino_server  # noqa: E402

PLUGINS = ("memory", "tpch", "teradata-functions")
CATALOGS = {name: {"connector.name": name} for name in ("memory", "tpch")}


def start(folder):
    """A Trino with only those plugins: it starts in a third of the time."""
    if why := trino_server.why_not():
        sys.exit(why)
    (folder / "plugin").mkdir()
    for name in PLUGINS:
        (folder / "plugin" / name).symlink_to(trino_server.home() / "plugin" / name)
    return trino_server.TrinoServer(folder, CATALOGS, heap="2G").start().wait()


def keep_functions(url):
    answer = corpus.Client(url).ask("SHOW FUNCTIONS")
    (HERE / "functions.tsv").write_text("".join(
        "\t".join([kind, name, arguments, result]) + "\n"
        for name, result, arguments, kind, *_ in answer["rows"]))


def write(name, answers):
    path = corpus.FOLDER / f"{name}.expected.jsonl"
    path.write_text("".join(json.dumps(a, ensure_ascii=False) + "\n" for a in answers))


def compare(name, statements, answers):
    """How many answers differ from the kept ones; tells each."""
    kept = corpus.expected(name)
    if [a["sql"] for a in kept] != [s.sql for s in statements]:
        print(f"{name}: other statements than those recorded; record it with --write")
        return len(statements)
    found = 0
    for statement, wanted, answer in zip(statements, kept, answers):
        if differs := corpus.difference(statement, wanted, answer):
            found += 1
            print(f"{statement}: {statement.sql}\n    {differs[0]}: {differs[1]}")
    return found


def record(url, name, options):
    """(statements, how many differ from the kept answers)"""
    started = time.monotonic()
    statements = corpus.read(name)
    asked = corpus.ask_all(corpus.Client(url), name, statements, patience=100)
    answers = [answer for _, answer in asked]
    found = 0
    if options.write:
        write(name, answers)
    else:
        found = compare(name, statements, answers)
    errors = sum("error" in answer for answer in answers)
    print(f"{name}: {len(answers)} statements, {errors} of them errors, {found} differ "
          f"({time.monotonic() - started:.0f} s)", flush=True)
    return len(answers), found


def main():
    parser = argparse.ArgumentParser(prog="bench/conformance/run.sh")
    parser.add_argument("--write", action="store_true", help="write the answers into the corpus")
    parser.add_argument("--server", help="a running Trino")
    parser.add_argument("files", nargs="*", help="only these files of the corpus")
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="trino-conformance-"))
    trino = None
    try:
        trino = None if options.server else start(folder)
        url = options.server or trino.url
        if options.write:
            keep_functions(url)
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            results = list(pool.map(lambda name: record(url, name, options),
                                    options.files or corpus.files()))
    finally:
        if trino:
            trino.stop()
        shutil.rmtree(folder, ignore_errors=True)
    found = sum(differ for _, differ in results)
    print(f"{sum(count for count, _ in results)} statements, {found} differ")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
