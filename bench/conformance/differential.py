"""Random statements, asked of meesh and of a real Trino: prints every one that they answer otherwise,
made as small as it can be.

    bench/conformance/differential.sh [--minutes M] [--seed S] [--ours URL] [--trino URL]

An error counts as the same answer when its name is the same. When only one side fails at run time
(a division by zero, a value out of range), that is a question of what is evaluated first, which SQL
leaves open, and is counted apart; so is what is an internal error of Trino's own. Findings belong into tests/trino/corpus/differential.sql.
"""
import argparse
import collections
import json
import math
import shutil
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parents[1] / "tests"), str(HERE)]

from record import start as start_trino  # noqa: E402
from statements import Maker  # noqa: E402
from support import trino_corpus as corpus  # noqa: E402
from support.meesh import Meesh, plain_mesh  # noqa: E402

AT_RUN_TIME = {"DIVISION_BY_ZERO", "NUMERIC_VALUE_OUT_OF_RANGE", "INVALID_FUNCTION_ARGUMENT",
               "INVALID_CAST_ARGUMENT", "SUBQUERY_MULTIPLE_ROWS", "EXCEEDED_FUNCTION_MEMORY_LIMIT"}

ORDER = "failed on one side alone, by what is evaluated first"
FAULT = "failed with an internal error of Trino's"


def rounded(value):
    """A value in which numbers with a fraction have ten digits: sums come in any order."""
    if isinstance(value, list):
        return [rounded(each) for each in value]
    if isinstance(value, float) and math.isfinite(value):
        return float(f"{value:.10g}")
    return value


def difference(theirs, ours):
    """None, ORDER, FAULT, or how the answers differ."""
    errors = [answer["error"]["name"] if "error" in answer else None for answer in (theirs, ours)]
    if any(errors):
        if errors[0] == errors[1]:
            return None
        if errors[0] == "GENERIC_INTERNAL_ERROR":
            return FAULT
        if {name for name in errors if name} <= AT_RUN_TIME:
            return ORDER
        return f"{errors[0] or shown(theirs)}, not {errors[1] or shown(ours)}: " \
               f"{(theirs if errors[0] else ours)['error']['message']}" \
               f"{' / ' + ours['error']['message'] if all(errors) else ''}"
    types = [[c[1] for c in answer["columns"]] for answer in (theirs, ours)]
    if types[0] != types[1]:
        return f"{types[0]}, not {types[1]}"
    rows = [sorted((json.dumps(rounded(row), sort_keys=True) for row in answer["rows"]))
            for answer in (theirs, ours)]
    if rows[0] != rows[1]:
        mine = collections.Counter(rows[1])
        mine.subtract(rows[0])
        return f"{[r for r, n in mine.items() if n < 0][:3]}, not {[r for r, n in mine.items() if n > 0][:3]}"
    return None


def shown(answer):
    return corpus.shown(answer["rows"], 120)


class Pair:
    def __init__(self, trino, ours):
        self.trino, self.ours = corpus.Client(trino), corpus.Client(ours)

    def differs(self, sql):
        return difference(self.trino.ask(sql, 60), self.ours.ask(sql, 60))


def smaller(pair, tree, how, most=150):
    """The smallest tree found by replacing nodes while the answers still differ."""
    asked, again = 0, True
    while again and asked < most:
        again = False
        for candidate in tree.shrunk():
            asked += 1
            found = pair.differs(candidate.sql())
            if found and found not in (ORDER, FAULT):
                tree, how, again = candidate, found, True
                break
            if asked >= most:
                break
    return tree, how


def hunt(pair, minutes, seed):
    end, asked, apart, found = time.monotonic() + 60 * minutes, 0, collections.Counter(), 0

    def tell():
        others = "".join(f", {number} {what}" for what, number in apart.items())
        print(f"{asked} statements, {found} answered otherwise{others}", flush=True)

    while time.monotonic() < end:
        tree = Maker(seed + asked).statement()
        asked += 1
        how = pair.differs(tree.sql())
        if how in (ORDER, FAULT):
            apart[how] += 1
        elif how:
            tree, how = smaller(pair, tree, how)
            found += 1
            print(f"seed {seed + asked - 1}: {tree.sql()}\n    {how[:600]}", flush=True)
        if asked % 500 == 0:
            tell()
    tell()
    return found


def main():
    parser = argparse.ArgumentParser(prog="bench/conformance/differential.sh")
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--ours", help="a running meesh")
    parser.add_argument("--trino", help="a running Trino")
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="trino-differential-"))
    servers = []
    try:
        if not options.trino:
            (folder / "trino").mkdir()
            servers.append(start_trino(folder / "trino"))
        trino = options.trino or servers[-1].url
        if not options.ours:
            servers.append(Meesh(plain_mesh(folder / "mesh"), folder / "data").start())
        found = hunt(Pair(trino, options.ours or servers[-1].url), options.minutes, options.seed)
    finally:
        for server in servers:
            server.stop()
        shutil.rmtree(folder, ignore_errors=True)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
