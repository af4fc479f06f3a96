"""Apache Iceberg's own tests of REST catalogs (its REST Compatibility Kit, as it is published), with
Iceberg's client and its S3 files, against one mesh."""
import collections
import re
import subprocess
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest
from support import java
from support.meesh import ROOT
from support.s3_server import LakeServer, lake_mesh
from support.trino_server import find_jdk, versions

pytestmark = [pytest.mark.full, pytest.mark.timeout(900)]

CLASSES = ["LakeCatalogTests", "org.apache.iceberg.rest.RESTCompatibilityKitViewCatalogTests"]
VERSION_3 = "tables of format version 3 are refused"
VERSION_2 = "tables are made in format version 2; version 1 is only read"
OUTSIDE = "it puts a view on the local disk, and places outside the warehouse are refused"

# What cannot pass: the test, what it must fail with, and why. Views in places of their own are in
# test_rest_catalog.py.
RULES = [
    (r"testCreateTableWithDefaultColumnValue\(\)", "belong to format version 3", VERSION_3),
    (r"createTableTransaction\(int\)\[3\]", "format version 3 is not supported", VERSION_3),
    (r"createTableTransaction\(int\)\[1\]", "expected: 1", VERSION_2),
    (r"replaceTableTransaction\(int\)\[1\]", "expected: 1", VERSION_2),
    (r"testLoadTableWithMissingMetadataFile\(Path\)", "NoSuchFileException: ",
     "it takes the metadata file for one on the local disk"),
    *((name + r"\(\)", "'file:/", OUTSIDE) for name in (
        "completeCreateView", "createViewWithCustomMetadataLocation",
        "createAndReplaceViewWithLocation", "updateViewLocation")),
]


def kit():
    return ROOT / ".deps" / f"iceberg-kit-{versions()['ICEBERG_KIT_VERSION']}"


def properties(server):
    """The catalog's, as environment variables of the kit."""
    asked = {"uri": f"{server.url}/iceberg", "warehouse": "lake",
             "credential": f"{server.keys.access_key}:{server.keys.secret_key}",
             "oauth2-server-uri": f"{server.url}/iceberg/v1/oauth/tokens",
             # Not vended ones: it replaces tables at other places, and looks for files that are gone.
             "s3.access-key-id": server.keys.access_key,
             "s3.secret-access-key": server.keys.secret_key,
             "io-impl": "org.apache.iceberg.aws.s3.S3FileIO",
             "rck.requires-namespace-create": "true", "rck.supports-serverside-retry": "true"}
    # What the tests of default and overriding properties expect to be set.
    for key, which in ((1, "default"), (2, "default"), (3, "override"), (4, "override")):
        asked[f"table-{which}.{which}-key{key}"] = f"catalog-{which}-key{key}"
        asked[f"view-{which}.key{key}"] = f"catalog-{which}-key{key}"
    return {"CATALOG_" + name.replace("-", "__").replace(".", "_").upper(): value
            for name, value in asked.items()}


def run_kit(server, folder):
    """{test: what it failed with, "" if it passed, None if it was skipped}."""
    home = Path(find_jdk(17))
    path = f"{folder}:{kit()}/*"
    source = Path(__file__).parent / "kit" / "LakeCatalogTests.java"
    compiled = java.run([str(home / "bin" / "javac"), "-nowarn", "-d", str(folder), "-cp", path,
                         str(source)], folder)
    assert compiled.returncode == 0, compiled.stderr
    command = [str(home / "bin" / "java"), "-XX:+UseSerialGC", "-Xmx512m", "-Drck.local=false",
               "-cp", path, "org.junit.platform.console.ConsoleLauncher", "execute",
               "--disable-banner", "--details=none", f"--reports-dir={folder}/reports",
               *(f"--select-class={name}" for name in CLASSES)]
    done = subprocess.run(command, text=True, timeout=800, capture_output=True, cwd=folder,
                          env={**java.environment(folder), **properties(server),
                               "AWS_REGION": "us-east-1"})
    report = folder / "reports" / "TEST-junit-jupiter.xml"
    assert report.exists(), done.stdout[-3000:] + done.stderr[-3000:]
    results = {}
    for case in ElementTree.parse(report).iter("testcase"):
        broken = next((case.find(kind) for kind in ("failure", "error")
                       if case.find(kind) is not None), None)
        text = "" if broken is None else f"{broken.get('message')}\n{broken.text}"
        name = f"{case.get('classname')}.{case.get('name')}"
        results[name] = None if case.find("skipped") is not None else text
    return results


def test_icebergs_own_tests_pass(folder):
    if not kit().exists() or not find_jdk(17):
        pytest.skip("no kit of Iceberg, or no JDK of 17 or newer: setup/setup.sh --for full")
    server = LakeServer(lake_mesh(folder / "mesh"), folder / "data").start()
    try:
        results = run_kit(server, folder)
    finally:
        server.stop()
    unexpected, applied = {}, collections.Counter()
    for name, failure in results.items():
        rule = next((rule for rule in RULES if re.fullmatch(rf".*\.{rule[0]}", name)), None)
        if rule and failure and rule[1] in failure:
            applied[rule[0]] += 1
            print(f"excluded: {name}: {rule[2]}")
        elif rule or failure:
            unexpected[name] = failure[:1500] if failure else "has passed or was skipped"
    passed = sum(failure == "" for failure in results.values())
    print(f"{passed} passed, {sum(applied.values())} excluded, "
          f"{sum(failure is None for failure in results.values())} skipped by the kit")
    assert not unexpected, "\n\n".join(f"{name}: {text}" for name, text in unexpected.items())
    assert set(applied) == {rule[0] for rule in RULES}, "a rule is about no test any more"
    assert passed >= 140, "the kit has become small"
