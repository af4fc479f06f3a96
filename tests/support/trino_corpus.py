"""The corpus of statements with Trino's own answers (tests/trino/corpus): reading it, asking a
server, comparing.

FILE.sql holds statements, each ended by a `;` at the end of a line. Lines before a statement that
start with `--` belong to it; these of them mean something:

    -- @session catalog=memory schema=default time-zone=UTC    from here on; a new session
    -- @unordered         the next statement's rows come in any order
    -- @once              the next statement's rows are another's business (its answer is not fixed)
    -- @today             the next statement's rows tell the day, which is another one every day
    -- @limit 3           seconds the next statement has to answer, where it may never do so

FILE.expected.jsonl holds the answers, one line a statement, in the same order:

    {"sql": …, "columns": [[name, type], …], "rows": [[…], …], "update": …, "count": …, "set": {…}}
    {"sql": …, "error": {"code": …, "name": …, "type": …, "message": …, "line": …, "column": …}}

A column has a third part, the type's signature as the protocol tells it, where that reads otherwise
than the type. `set` holds what the answer asks the client to keep (session properties, prepared
statements). A statement that tells its session something new is followed by the rest of the file.
"""
import json
import math
import re
import time
import urllib.parse
from dataclasses import dataclass, field
from pathlib import Path

import urllib3

FOLDER = Path(__file__).resolve().parents[1] / "trino" / "corpus"
DIFFERS = FOLDER / "differs.jsonl"
WORDS = FOLDER / "differs_in_words.jsonl"

# What a client is asked to keep: the header of the answer, and that of the next question.
SETS = {"X-Trino-Set-Catalog": "X-Trino-Catalog", "X-Trino-Set-Schema": "X-Trino-Schema",
        "X-Trino-Set-Path": "X-Trino-Path"}
ADDS = {"X-Trino-Set-Session": ("session", "X-Trino-Session"),
        "X-Trino-Added-Prepare": ("prepared", "X-Trino-Prepared-Statement"),
        "X-Trino-Set-Role": ("role", "X-Trino-Role")}
TAKES = {"X-Trino-Clear-Session": "session", "X-Trino-Deallocated-Prepare": "prepared"}

NO_ANSWER = {"code": 0, "name": "NO_ANSWER", "type": "", "line": None, "column": None}


@dataclass
class Statement:
    file: str
    number: int  # in its file, from 1
    line: int    # where it starts
    sql: str
    session: dict | None = None  # a new session starts here
    unordered: bool = False
    once: bool = False
    today: bool = False
    limit: float = 120  # seconds

    def __str__(self):
        return f"{self.file}.sql:{self.line}"


def files():
    return sorted(path.stem for path in FOLDER.glob("*.sql"))


def read(name):
    """The statements of one file."""
    statements, lines, start = [], [], 0
    session, marks = None, {}
    for number, line in enumerate((FOLDER / f"{name}.sql").read_text().splitlines(), 1):
        if not lines:
            if not line.strip():
                continue
            if line.startswith("--"):
                words = line[2:].split()
                if words[:1] == ["@session"]:
                    session = dict(word.split("=", 1) for word in words[1:])
                elif words[:1] and words[0].startswith("@"):
                    marks[words[0][1:]] = words[1:]
                continue
            start = number
        lines.append(line)
        if line.endswith(";"):
            sql = "\n".join(lines)[:-1]
            statements.append(Statement(name, len(statements) + 1, start, sql, session,
                                        "unordered" in marks, "once" in marks, "today" in marks,
                                        float(marks.get("limit", [120])[0])))
            lines, session, marks = [], None, {}
    assert not lines, f"{name}.sql:{start}: the last statement has no ; at the end of a line"
    return statements


def expected(name):
    path = FOLDER / f"{name}.expected.jsonl"
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def differences():
    """Every entry of both lists: {file, number, sql, what, how, reason}."""
    return [json.loads(line) for path in (DIFFERS, WORDS) if path.exists()
            for line in path.read_text().splitlines()]


def listed():
    return {(d["file"], d["number"]): d["what"] for d in differences()}


def counts():
    """The lines of the document's table: statements, alike, other words only, otherwise."""
    known = differences()
    lines, totals = [], [0, 0, 0, 0]
    for name in files():
        whats = [d["what"] for d in known if d["file"] == name]
        numbers = [len(expected(name)), 0, whats.count("words"), 0]
        numbers[3] = len(whats) - numbers[2]
        numbers[1] = numbers[0] - len(whats)
        totals = [a + b for a, b in zip(totals, numbers)]
        lines.append(f"| {name} | " + " | ".join(map(str, numbers)) + " |")
    return lines + ["| all | " + " | ".join(map(str, totals)) + " |"]


class Client:
    """A client of one server: keeps what answers ask it to keep, as every Trino client does."""

    def __init__(self, url):
        self.url, self.http = url.rstrip("/"), urllib3.PoolManager(retries=False)
        self.start({})

    def start(self, session):
        """A new session: catalog, schema, time-zone, language …"""
        self.headers = {"X-Trino-User": "tester", "X-Trino-Time-Zone": "UTC",
                        "X-Trino-Transaction-Id": "NONE",  # none now, but it knows them
                        "X-Trino-Client-Capabilities": "PARAMETRIC_DATETIME"}
        self.headers.update({f"X-Trino-{name.title()}": value for name, value in session.items()})
        self.kept = {"session": {}, "prepared": {}, "role": {}}

    def ask(self, sql, limit=120):
        """The answer, in the form of a line of expected.jsonl; after `limit` seconds without one
        the query is cancelled."""
        end = time.monotonic() + limit
        headers = dict(self.headers)
        for kind, header in ADDS.values():
            if self.kept[kind]:
                headers[header] = ",".join(f"{k}={v}" for k, v in self.kept[kind].items())
        response = self._call("POST", f"{self.url}/v1/statement", headers, sql.encode())
        answer, rows, told = {"sql": sql}, [], {}
        while True:
            page = response.json()
            self._keep(response.headers, told)
            if "columns" in page:
                answer["columns"] = [column(c) for c in page["columns"]]
            rows += page.get("data") or []
            if "updateType" in page:
                answer["update"] = page["updateType"]
            if "updateCount" in page:
                answer["count"] = page["updateCount"]
            if "error" in page:
                return {"sql": sql, "error": error(page["error"])}
            if "nextUri" not in page:
                break
            if time.monotonic() > end:
                self._call("DELETE", page["nextUri"], headers)
                return {"sql": sql, "error": {**NO_ANSWER, "message": f"none in {limit:g} s"}}
            response = self._call("GET", page["nextUri"], headers)
        if "columns" in answer:
            answer["rows"] = rows
        if told:
            answer["set"] = told
        return answer

    def _call(self, method, url, headers, body=None):
        response = self.http.request(method, url, body=body, headers=headers)
        assert response.status < 300, f"{method} {url}: {response.status} {response.data[:500]}"
        return response

    def _keep(self, headers, told):
        for name, header in SETS.items():
            if name in headers:
                self.headers[header] = told[name] = headers[name]
        for name, (kind, _) in ADDS.items():
            if name in headers:
                key, _, value = headers[name].partition("=")
                self.kept[kind][key] = value
                told[name] = urllib.parse.unquote_plus(headers[name])
                if kind == "prepared":  # how the text is laid out is the server's own business
                    told[name] = key
        for name, kind in TAKES.items():
            if name in headers:
                self.kept[kind].pop(headers[name], None)
                told[name] = headers[name]
        if transaction := headers.get("X-Trino-Started-Transaction-Id"):
            self.headers["X-Trino-Transaction-Id"] = transaction
            told["X-Trino-Started-Transaction-Id"] = "an identifier"
        if "X-Trino-Clear-Transaction-Id" in headers:
            self.headers["X-Trino-Transaction-Id"] = "NONE"
            told["X-Trino-Clear-Transaction-Id"] = "true"


def column(told):
    name, type_name, signature = told["name"], told["type"], signature_text(told["typeSignature"])
    return [name, type_name] if signature == type_name else [name, type_name, signature]


def signature_text(signature):
    """row(x varchar(5)) and the like, of a typeSignature."""
    def part(argument):
        value = argument["value"]
        if argument["kind"] == "NAMED_TYPE":
            of = signature_text(value["typeSignature"])
            named = (value.get("fieldName") or {}).get("name")
            return f'"{named}" {of}' if named else of
        return signature_text(value) if argument["kind"] == "TYPE" else str(value)
    parts = ", ".join(part(argument) for argument in signature.get("arguments", []))
    return f"{signature['rawType']}({parts})" if parts else signature["rawType"]


def error(told):
    place = told.get("errorLocation") or {}
    return {"code": told["errorCode"], "name": told["errorName"], "type": told["errorType"],
            "message": told["message"], "line": place.get("lineNumber"),
            "column": place.get("columnNumber")}


def same(one, other):
    """Values alike: numbers with a fraction up to the order in which they were added."""
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same(one[k], other[k]) for k in one)
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, float) and isinstance(other, (int, float)):
        return math.isclose(one, other, rel_tol=1e-12, abs_tol=1e-300)
    return type(one) is type(other) and one == other


def in_order(rows):
    return sorted(rows, key=lambda row: json.dumps(row, sort_keys=True))


def difference(statement, wanted, answered):
    """None, or (what differs, in a word: refused, accepted, error, position, words, columns, types,
    rows, update, set; and how)."""
    if "error" in wanted or "error" in answered:
        return error_difference(wanted, answered)
    names = [[c[0] for c in answer.get("columns", [])] for answer in (wanted, answered)]
    types = [[c[1:] for c in answer.get("columns", [])] for answer in (wanted, answered)]
    if len(names[0]) != len(names[1]):
        return "columns", f"{names[0]}, not {names[1]}"
    if types[0] != types[1]:
        return "types", f"{types[0]}, not {types[1]}"
    if names[0] != names[1]:
        return "columns", f"{names[0]}, not {names[1]}"
    rows = [answer.get("rows", []) for answer in (wanted, answered)]
    if statement.today:
        rows = [json.loads(re.sub(r"\d{4}-\d\d-\d\d", "today", json.dumps(part))) for part in rows]
    if statement.unordered:
        rows = [in_order(part) for part in rows]
    if not statement.once and not same(*rows):
        return "rows", f"{shown(rows[0])}, not {shown(rows[1])}"
    for key in ("update", "count", "set"):
        if wanted.get(key) != answered.get(key):
            return "update" if key == "count" else key, \
                f"{key} {wanted.get(key)}, not {answered.get(key)}"
    return None


def error_difference(wanted, answered):
    if "error" not in wanted:
        told = answered["error"]
        return "refused", f"{told['name']}: {told['message']}"
    if "error" not in answered:
        return "accepted", f"{wanted['error']['name']}: {wanted['error']['message']}, " \
            f"not {shown(answered.get('rows'))}"
    theirs, ours = wanted["error"], answered["error"]
    if (theirs["name"], theirs["code"]) != (ours["name"], ours["code"]):
        return "error", (f"{theirs['name']}: {theirs['message']}, "
                         f"not {ours['name']}: {ours['message']}")
    # A place that we tell and Trino does not (of errors at run time) is no difference.
    if theirs["line"] and (theirs["line"], theirs["column"]) != (ours["line"], ours["column"]):
        return "position", (f"{theirs['line']}:{theirs['column']}, "
                            f"not {ours['line']}:{ours['column']}")
    if not theirs["line"]:
        ours = {**ours, "message": re.sub(r"^line \d+:\d+: ", "", ours["message"])}
    if words(theirs["message"]) != words(ours["message"]):
        return "words", f"{theirs['message']}, not {ours['message']}"
    return None


def words(message):
    """A message without what Trino itself tells otherwise the next time: the query's identifier, the
    order of candidates."""
    message = re.sub(r"\d{8}_\d{6}_\d{5}_\w{5}", "QUERY", message)
    return re.sub(r"(\n\t \* [^\n]*)+", lambda m: "".join(
        f"\n{line}" for line in sorted(m[0][1:].split("\n"))), message)


def shown(rows, most=300):
    text = json.dumps(rows, ensure_ascii=False)
    return text if len(text) <= most else text[:most] + "…"


def ask_all(client, name, statements=None, patience=1):
    """(statement, answer) of every statement of a file, in one session after the other. `patience`
    multiplies the limits of their time."""
    client.start({})
    for statement in statements or read(name):
        if statement.session is not None:
            client.start(statement.session)
        yield statement, client.ask(statement.sql, statement.limit * patience)
