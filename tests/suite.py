#!/usr/bin/env python3
"""Runs everything `./test` promises, in order: layers, format, C++ build, C++ unit tests, Python
tests with real clients, fuzzing. Prints one line per stage, the failures, and at the very end
`N passed, N failed`. Counts are GoogleTest cases, pytest cases and one per check or fuzz target.
"""
import argparse
import concurrent.futures
import os
import re
import shutil
import subprocess
import sys
import time
import xml.etree.ElementTree as ElementTree
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
REPORTS = ROOT / "build" / "reports"
BUILD = "dev"
ABOVE_THE_ENGINE = {"governance", "quality", "ingest", "streams", "transform", "pipelines",
                    "dashboards"}
APART = ("console", "cdc", "airbyte", "ingest", "demo")  # about half of the Python tests' time
MOST_UNSTEADY = 20  # failures that are asked again; more are no accident


@dataclass
class Stage:
    name: str
    passed: int = 0
    failures: list[str] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)
    unsteady: list[str] = field(default_factory=list)  # failed, and passed when run again alone
    seconds: float = 0

    def line(self):
        parts = [f"{self.passed} passed", f"{len(self.failures)} failed"]
        if self.skipped:
            parts.append(f"{len(self.skipped)} skipped")
        if self.unsteady:
            parts.append(f"{len(self.unsteady)} of the passed only when run again")
        return f"{self.name:<14} {', '.join(parts)} ({self.seconds:.0f} s)"


def output_of(command, **options):
    try:
        return subprocess.run(command, cwd=ROOT, text=True, errors="replace",
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, **options)
    except subprocess.TimeoutExpired as over:
        said = (over.stdout or b"").decode(errors="replace")
        return subprocess.CompletedProcess(command, 124, f"{said}\nno end in {over.timeout} s")


def layers(_):
    stage = Stage("layers")
    result = output_of([sys.executable, "tests/layers/check_layers.py"])
    if result.returncode == 0:
        stage.passed = 1
    else:
        stage.failures = result.stdout.splitlines()
    return stage


def sources(*suffixes):
    return sorted(str(path.relative_to(ROOT)) for suffix in suffixes
                  for path in (ROOT / "src").rglob(f"*{suffix}"))


def layout(_):
    stage = Stage("format")
    tool = next((t for t in ("clang-format-19", "clang-format") if shutil.which(t)), None)
    if not tool:
        stage.skipped.append("no clang-format-19: other versions lay the same code out otherwise")
        return stage
    result = output_of([tool, "--dry-run", "-Werror", *sources(".h", ".cc")])
    if result.returncode == 0:
        stage.passed = 1
    else:
        files = sorted({line.split(":")[0] for line in result.stdout.splitlines()
                        if "[-Wclang-format-violations]" in line})
        stage.failures = [f"{len(files)} files are not laid out by .clang-format; run: "
                          f"{tool} -i {' '.join(files)}" if files else result.stdout.strip()]
    return stage


def build(_):
    stage = Stage("build")
    if subprocess.run(["setup/build.sh", BUILD], cwd=ROOT).returncode == 0:
        stage.passed = 1
    else:
        stage.failures.append(f"build/{BUILD} does not build (see above)")
    return stage


def unit_tests(options):
    stage = Stage("C++ tests")
    reports = REPORTS / "gtest"
    shutil.rmtree(reports, ignore_errors=True)
    reports.mkdir(parents=True)
    environment = dict(os.environ, GTEST_OUTPUT=f"xml:{reports}/", GTEST_COLOR="no")
    if options.full:
        environment.setdefault("MEESH_KILL_ROUNDS", "1000")
        memory = Path("/dev/shm")  # what a process leaves is there too, and waits for no disk
        if memory.is_dir() and shutil.disk_usage(memory).free > 4 << 30:
            environment.setdefault("TMPDIR", str(memory))
    if options.filter:
        environment["GTEST_FILTER"] = f"*{options.filter}*"
    result = output_of(["ctest", "--test-dir", f"build/{BUILD}", "--output-on-failure", "--timeout",
                        "3000" if options.full else "600", "-j", str(os.cpu_count() or 1), "--no-tests=ignore"],
                       env=environment)
    for report in sorted(reports.glob("*.xml")):
        for case in ElementTree.parse(report).iter("testcase"):
            name = f"{case.get('classname')}.{case.get('name')}"
            if (skip := case.find("skipped")) is not None:
                reason = skip.get("message", "").partition("\n")[2]  # behind the place in the source
                stage.skipped.append(f"{name}: {reason or 'no reason given'}")
            elif case.get("status") == "notrun":
                continue
            elif (bad := case.find("failure")) is not None:
                stage.failures.append(f"{name}: {bad.get('message', '')[:1500]}")
            else:
                stage.passed += 1
    died = [match[1] for match in re.finditer(r"^\s*\d+ - (\S+) \(", result.stdout, re.MULTILINE)
            if not (reports / f"{match[1]}_test.xml").exists()]
    for name in died:  # a program that died writes no report: its own last words are all there is
        words = re.findall(rf"^.*{name}_test.*$|^\[.*$|^.*ERROR.*$", result.stdout, re.MULTILINE)
        stage.failures.append(f"{name}_test crashed or hung:\n" + "\n".join(words[-30:]))
    if result.returncode != 0 and not stage.failures:
        stage.failures.append("ctest failed:\n" + result.stdout[-4000:])
    return stage


def python_tests(options):
    """Two pytest processes at once: whoever waits for a browser or a database leaves its core free.
    A few failures are asked again with the machine for themselves: what passes then is told."""
    stage = Stage("Python tests")
    apart = [f"tests/{name}" for name in APART if (ROOT / "tests" / name).is_dir()]
    halves = {"rest": ["tests", *(f"--ignore={path}" for path in apart)], "apart": apart}
    with concurrent.futures.ThreadPoolExecutor(len(halves)) as pool:
        results = list(pool.map(lambda half: pytest(*half, options), halves.items()))
    for (name, paths), (passed, failures, skipped, said) in zip(halves.items(), results):
        print(said, flush=True)
        if 0 < len(failures) <= MOST_UNSTEADY:
            again, failures_again, _, said = pytest(name, paths, options, "--last-failed")
            print(said, flush=True)
            if again + len(failures_again) == len(failures):
                steady = {failure.partition(": ")[0] for failure in failures_again}
                stage.unsteady += [each for each in failures if each.partition(": ")[0] not in steady]
                passed, failures = passed + again, failures_again
        stage.passed += passed
        stage.failures += failures
        stage.skipped += skipped
    return stage


def pytest(name, paths, options, *more):
    """Runs those tests: how many passed, what failed, what was skipped, and what is left to print:
    one half prints as it goes."""
    report = REPORTS / f"pytest-{name}.xml"
    report.unlink(missing_ok=True)
    command = [sys.executable, "-m", "pytest", *paths, "-q", f"--junitxml={report}", *more,
               "-o", f"cache_dir={REPORTS / f'pytest-cache-{name}'}"]
    if options.filter:
        command += ["-k", options.filter]
    if options.full:
        command += ["--full"]
    environment = dict(os.environ, COLUMNS="100")
    result = (subprocess.run(command, cwd=ROOT, env=environment) if name == "rest"
              else output_of(command, env=environment))
    said = result.stdout or ""
    passed, failures, skipped = 0, [], []
    if report.exists():
        for case in ElementTree.parse(report).iter("testcase"):
            test = f"{case.get('classname')}::{case.get('name')}"
            bad = case.find("failure") if case.find("failure") is not None else case.find("error")
            if bad is not None:
                failures.append(f"{test}: {(bad.get('message') or '')[:600]}")
            elif (skip := case.find("skipped")) is not None:
                skipped.append(f"{test}: {skip.get('message')}")
            else:
                passed += 1
    ended = result.returncode in (0, 1, 5) and report.exists()  # 5: the filter leaves nothing
    if not ended and not failures:
        failures.append(f"pytest itself ended with {result.returncode}: {said[-2000:]}")
    return passed, failures, skipped, said


def fuzz(name, seconds):
    """One libFuzzer program, from its corpus and with new inputs."""
    corpus = ROOT / "build" / "fuzz" / "corpus" / name
    artifacts = REPORTS / "fuzz" / name
    corpus.mkdir(parents=True, exist_ok=True)
    artifacts.mkdir(parents=True, exist_ok=True)
    seeds = [str(p) for p in [ROOT / "tests" / "corpus" / name] if p.is_dir()]
    program = next(str(p) for p in (ROOT / "build" / "fuzz").rglob(name)
                   if p.is_file() and os.access(p, os.X_OK))
    return output_of([program, str(corpus), *seeds, f"-max_total_time={seconds}", "-timeout=10",
                      "-rss_limit_mb=2048", "-print_final_stats=1",
                      f"-artifact_prefix={artifacts}/"], timeout=seconds + 300)


def fuzzing(options):
    """Every libFuzzer program for its share of the time, as many at once as there are cores."""
    stage = Stage("fuzzing")
    targets = [Path(source) for source in sources("_fuzz.cc")]
    if not options.full:  # these rooms need the engine built anew with sanitizers: a quarter of an hour
        above = [path for path in targets if path.parts[1] in ABOVE_THE_ENGINE]
        stage.skipped += [f"{path.stem}: --full runs it, with the engine it needs" for path in above]
        targets = [path for path in targets if path not in above]
    names = [path.stem for path in targets]
    if not names:
        stage.skipped.append("no fuzz targets")
        return stage
    if subprocess.run(["setup/build.sh", "fuzz", *names], cwd=ROOT).returncode != 0:
        stage.failures.append("build/fuzz does not build (see above)")
        return stage
    seconds = max(1, (3600 if options.full else 30) // len(names))
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for name, result in zip(names, pool.map(lambda name: fuzz(name, seconds), names)):
            if result.returncode == 0:
                stage.passed += 1
            else:
                stage.failures.append(f"{name}: input kept in build/reports/fuzz/{name}\n"
                                      + result.stdout[-3000:])
    return stage


def tell_skipped(stages):
    """Each reason once, with how many tests it kept away: their names are in a file."""
    reasons = {}
    for stage in stages:
        for test, _, reason in (said.partition(": ") for said in stage.skipped):
            reasons.setdefault(reason or test, []).append(f"{stage.name}: {test}")
    listed = REPORTS / "skipped.txt"
    listed.write_text("".join(f"{test}: {reason}\n" for reason, tests in reasons.items() for test in tests))
    for reason, tests in reasons.items():
        print(f"skipped: {len(tests)}, first {tests[0]}: {reason}")
    if reasons:
        print(f"skipped tests are named in {listed.relative_to(ROOT)}")


def main():
    parser = argparse.ArgumentParser(prog="./test")
    parser.add_argument("--full", action="store_true", help="an hour of fuzzing, a thousand deaths, tests marked full")
    parser.add_argument("filter", nargs="?", help="only tests whose name contains it")
    options = parser.parse_args()
    REPORTS.mkdir(parents=True, exist_ok=True)
    stages = []
    plan = [layers, layout, build, unit_tests, python_tests, fuzzing]
    if options.filter:
        plan = [build, unit_tests, python_tests]
    for run in plan:
        if run in (unit_tests, python_tests) and any(s.name == "build" and s.failures
                                                     for s in stages):
            continue
        started = time.monotonic()
        stage = run(options)
        stage.seconds = time.monotonic() - started
        stages.append(stage)
        print(stage.line(), flush=True)
    print()
    tell_skipped(stages)
    for stage in stages:
        for failure in stage.unsteady:
            print(f"passed only when run again: {stage.name}: {failure}")
        for failure in stage.failures:
            print(f"FAILED: {stage.name}: {failure}")
    print("\n".join(["summary:"] + [f"  {stage.line()}" for stage in stages]))
    passed, failed = sum(s.passed for s in stages), sum(len(s.failures) for s in stages)
    if passed + failed == 0:
        print(f"no test matches '{options.filter}'")
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or passed == 0 else 0


if __name__ == "__main__":
    sys.exit(main())
