"""The API does what its description says: every operation, with right and wrong input."""
import os
import re
import subprocess
import sys

import pytest
import requests
from support.meesh import ROOT, Meesh, demo_mesh

# Answers that go on for as long as somebody listens, and work that takes longer than a test has.
ENDLESS = r"/(live|changes|events|logs)$"
DEAR = r"/(run|runs|backfills|rerun|sync|export|profile|trial|test|streams|proposal|check)$"


@pytest.fixture(scope="module")
def closed(work_folder):
    """A demo of its own: it is told to delete what it has."""
    databases = demo_mesh(work_folder / "openapi")
    meesh = Meesh(work_folder / "openapi", work_folder / "openapi-data",
                  databases=databases).start(120)
    made = meesh.run("access", "add", "ada", "--policy", "consoleAdmin", "--mesh", meesh.mesh,
                     "--data", meesh.data)
    assert made.returncode == 0, made.stderr
    # Closed, so that no password that is given on the way shuts the caller out.
    meesh.run("access", "password", "ada", "--mesh", meesh.mesh, "--data", meesh.data,
              input="ada's long password\n")
    yield meesh
    meesh.stop()


@pytest.fixture(scope="module")
def token(closed):
    return (closed.data / "token").read_text().split()[1]


@pytest.fixture(scope="module")
def document(closed):
    answer = requests.get(closed.url + "/api/v1/openapi.json")
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_the_document_is_served_to_everybody_and_known_again(closed, document):
    assert document["openapi"].startswith("3.1")
    answer = requests.get(closed.url + "/api/v1/openapi.json")
    again = requests.get(closed.url + "/api/v1/openapi.json",
                         headers={"If-None-Match": answer.headers["ETag"]})
    assert again.status_code == 304


def test_operations_have_names_of_their_own(document):
    names = [operation["operationId"] for item in document["paths"].values()
             for method, operation in item.items() if method != "parameters"
             if "operationId" in operation]
    assert len(names) == len(set(names)) and all(re.fullmatch(r"[a-z]\w*", name) for name in names)


def test_every_route_of_the_program_is_described(document):
    """Routes are told by the source; `base + "/x"` is put together as it is there."""
    described = {re.sub(r"\{\w+\}", "{}", path) for path in document["paths"]}
    source = "\n".join(file.read_text() for file in (ROOT / "src/serve/api").glob("*.cc"))
    literal = set(re.findall(r'\("(?:GET|POST|PUT|DELETE|PATCH)", "(/api/v1/[^"]+)"', source))
    missing = {path for path in literal
               if re.sub(r"\{\w+(\.\.\.)?\}", "{}", path) not in described}
    assert missing <= {"/api/v1/openapi.json"}, missing


def schemathesis(meesh, token, *more, seed=1):
    # A method that HTTP servers need not know is answered 501, which is right.
    config = meesh.data / "schemathesis.toml"
    config.write_text('[phases.coverage]\nunexpected-methods = ["DELETE", "PATCH", "PUT"]\n')
    command = [sys.executable, "-m", "schemathesis.cli", "--config-file", str(config), "run",
               meesh.url + "/api/v1/openapi.json", "--url", meesh.url,
               "-H", f"Authorization: Bearer {token}",
               "--checks", "not_a_server_error,status_code_conformance,content_type_conformance,"
                           "response_headers_conformance,response_schema_conformance",
               "--phases", "examples,coverage,fuzzing", "--max-examples", "5", "--seed", str(seed),
               "--request-timeout", "20", "--suppress-health-check", "all", "--no-color",
               "--exclude-path-regex", ENDLESS, *more]
    environment = {**os.environ, "SCHEMATHESIS_HOOKS": "", "HYPOTHESIS_STORAGE_DIRECTORY":
                   str(meesh.data / "hypothesis")}
    return subprocess.run(command, text=True, capture_output=True, timeout=900, env=environment,
                          cwd=meesh.data)


def test_every_operation_answers_as_described(closed, token):
    done = schemathesis(closed, token, "--exclude-path-regex", f"{ENDLESS}|{DEAR}")
    assert done.returncode == 0, done.stdout[:12000] + done.stderr[-2000:]
    assert closed.process.poll() is None, "the server is still there"
