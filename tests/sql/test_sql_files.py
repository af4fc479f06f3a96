"""Statements with their expected answers, one file a capability, in cases/*.test:

    # a remark
    query integer | varchar(5)        the result's types
    SELECT 7 / 2, 'hello'
    ----
    3 | hello                         one line a row, values as the protocol's JSON tells them

    query integer sorted              rows come in any order
    error DIVISION_BY_ZERO Division by zero
    SELECT 1 / 0
    statement                         must succeed; its answer does not matter
    session catalog=memory schema=default

NULL is a null, text stands as it is, everything else as JSON. After `error` comes the code, then
text the message must contain. Runs on any server of the Trino protocol (see tests/conftest.py),
but for *.ours.test: what we do and Trino's connectors do not.
"""
import json
from pathlib import Path

import pytest
import requests

CASES = Path(__file__).parent / "cases"


class Case:
    def __init__(self, file, line, kind, head, sql, rows, session):
        self.file, self.line, self.kind, self.head = file, line, kind, head
        self.sql, self.rows, self.session = sql, rows, session

    def __str__(self):
        return f"{self.file.stem}:{self.line}"


def read(file):
    session, blocks, block = {}, [], []
    for number, line in enumerate(file.read_text().splitlines() + [""], 1):
        if line.startswith("#"):
            continue
        if line.strip():
            block.append((number, line))
            continue
        if not block:
            continue
        (first, head), body = block[0], [text for _, text in block[1:]]
        block = []
        word, _, rest = head.partition(" ")
        if word == "session":
            session = dict(pair.split("=", 1) for pair in rest.split())
            continue
        rows = None
        if "----" in body:
            cut = body.index("----")
            body, rows = body[:cut], body[cut + 1:]
        blocks.append(Case(file, first, word, rest, "\n".join(body), rows or [], session))
    return blocks


def ask(server, sql, session):
    headers = {"X-Trino-User": "tests", "X-Trino-Client-Capabilities": "PARAMETRIC_DATETIME"}
    for name in ("catalog", "schema", "time-zone"):
        if name in session:
            headers[f"X-Trino-{name.title()}"] = session[name]
    page = requests.post(f"{server.url}/v1/statement", data=sql.encode(), headers=headers).json()
    columns, rows = None, []
    while True:
        columns = page.get("columns", columns)
        rows += page.get("data") or []
        if "error" in page:
            return None, None, page["error"]
        if "nextUri" not in page:
            return columns, rows, None
        page = requests.get(page["nextUri"], headers=headers).json()


def text(value):
    if value is None:
        return "NULL"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def check(server, case):
    columns, rows, error = ask(server, case.sql, case.session)
    if case.kind == "error":
        code, _, message = case.head.partition(" ")
        assert error, f"no error but {rows}"
        assert (error["errorName"], message in error["message"]) == (code, True), error["message"]
        return
    assert error is None, f"{error['errorName']}: {error['message']}"
    if case.kind == "statement":
        return
    assert case.kind == "query", f"unknown word {case.kind}"
    types, in_any_order = case.head, False
    if types.endswith(" sorted"):
        types, in_any_order = types.removesuffix(" sorted"), True
    assert " | ".join(column["type"] for column in columns) == types
    answered = [" | ".join(text(value) for value in row).rstrip() for row in rows]
    expected = [row.rstrip() for row in case.rows]
    if in_any_order:
        answered, expected = sorted(answered), sorted(expected)
    assert answered == expected


@pytest.mark.parametrize("file", sorted(CASES.glob("*.test")), ids=lambda file: file.stem)
def test_file(request, server, file):
    """Statements of a file build on each other, so one file is one test; it tells every failure."""
    if file.name.endswith(".ours.test"):
        request.getfixturevalue("ours")
    failures = []
    for case in read(file):
        try:
            check(server, case)
        except (AssertionError, KeyError) as failure:
            failures.append(f"{file.name}:{case.line}: {case.sql}\n    {failure}")
    if failures:
        pytest.fail("\n".join(failures), pytrace=False)
