"""Records of HTTP APIs: pages, who asks, what is new, parents and children, failures on the way."""
import base64
import random
import threading
from datetime import datetime, timedelta, timezone
from email.utils import format_datetime

import pytest

from support.processes import wait_until
from support.rest_server import Answer, rest_server

PATIENT = {"retries": {"first_wait": "10ms", "longest_wait": "50ms"}}


@pytest.fixture
def api():
    with rest_server() as server:
        yield server


@pytest.fixture
def mesh(lonely):
    return lonely


def items(count, first=1):
    return [{"id": i, "name": f"item {i}", "price": i + 0.5} for i in range(first, first + count)]


def run(mesh, table=None, code=0, date="2025-01-15"):
    target = f"api.{table}" if table else "api"
    return mesh.ingest("run", target, "--run-date", date, code=code, timeout=120)


def summary(mesh, table):
    return mesh.query(f"SELECT count(*), count(DISTINCT id), min(id), max(id) FROM lake.bronze.{table}")[0]


def test_every_way_of_splitting_a_list_gives_each_record_once(mesh, api):
    rows = lambda: items(95)
    api.by_page("/v1/pages", rows)
    api.by_page("/v1/totals", rows, first=0)
    api.by_offset("/v1/offsets", rows)
    api.by_cursor("/v1/cursors", rows)
    api.by_cursor("/v1/posted", rows)
    api.by_link("/v1/links", rows)
    api.route("/v1/whole", lambda _: Answer({"a": {"b": [{"inner": items(95)}]}}, packed=True))
    api.route("/v1/map", lambda _: {"items": {f"k{i['id']}": i for i in items(95)}})
    api.route("/v1/ids", lambda asked: [i for i in items(95)
                                        if i["id"] > int(asked.query.get("starting_after", 0))][:10])
    data = "data.items"
    mesh.source("api", kind="rest", base_url=api.url + "/v1/", tables={
        "pages": {"records": data, "pagination": {"kind": "page"}},
        "totals": {"records": data,
                   "pagination": {"kind": "page", "first": 0, "total": "meta.pages"}},
        # The server gives fewer records a page than it is asked for.
        "offsets": {"pagination": {"kind": "offset", "size": 50}},
        "cursors": {"records": "results", "pagination": {"kind": "cursor", "next": "paging.next"}},
        "posted": {"method": "POST", "body": {"filter": {"all": True}}, "parameters_in": "body",
                   "pagination": {"kind": "cursor", "next": "paging.next"}},
        "links": {"pagination": {"kind": "link"}},
        "whole": {"records": "$.a.b[0].inner"},
        "map": {"records": "items.*"},
        "ids": {"pagination": {"kind": "cursor", "parameter": "starting_after",
                               "next_of_record": "id"}}})
    mesh.meesh.start()
    run(mesh)
    for table in ("pages", "totals", "offsets", "cursors", "posted", "links", "whole", "map", "ids"):
        assert summary(mesh, table) == [95, 95, 1, 95], table
    assert len(api.requests_of("/v1/totals")) == 10  # the eleventh, empty one is not asked for
    assert all(asked.json["filter"] == {"all": True} for asked in api.requests_of("/v1/posted"))
    run(mesh)  # once more: the same
    assert summary(mesh, "cursors") == [95, 95, 1, 95]


def test_types_are_found_and_nested_values_are_kept(mesh, api):
    api.route("/t", lambda _: [
        {"ID": 1, "big": 9007199254740993, "price": 1, "on": True, "day": "2024-02-29",
         "at": "2024-02-29T10:15:30.5+02:00", "local": "2024-02-29T10:15:30", "none": None,
         "owner": {"Name": "Ann", "address": {"city": "Oslo"}}, "tags": ["a", {"b": 1}]},
        {"ID": 2, "price": 2.5, "big": 7, "text": "é\n\"x\"", "owner": None}])
    mesh.source("api", kind="rest", base_url=api.url, tables={
        "t": {"columns": {"price": "decimal(10,2)"}},
        "f": {"path": "/t", "flatten": True}})
    mesh.meesh.start()
    run(mesh)
    types = dict(mesh.query("SELECT column_name, data_type FROM lake.information_schema.columns "
                            "WHERE table_schema = 'bronze' AND table_name = 't'"))
    assert {k: v for k, v in types.items() if k[0] != "_"} == {
        "id": "bigint", "big": "bigint", "price": "decimal(10,2)", "on": "boolean", "day": "date",
        "at": "timestamp(6) with time zone", "local": "timestamp(6)", "owner": "varchar",
        "tags": "varchar", "text": "varchar"}
    assert mesh.query("SELECT big, CAST(price AS varchar), day = DATE '2024-02-29', CAST(at AS varchar), "
                      "CAST(local AS varchar), owner, tags FROM lake.bronze.t WHERE id = 1") == [
        [9007199254740993, "1.00", True, "2024-02-29 08:15:30.500000 UTC",
         "2024-02-29 10:15:30.000000", '{"Name":"Ann","address":{"city":"Oslo"}}', '["a",{"b":1}]']]
    assert mesh.query("SELECT text, owner FROM lake.bronze.t WHERE id = 2") == [["é\n\"x\"", None]]
    assert mesh.query("SELECT owner__name, owner__address FROM lake.bronze.f ORDER BY id") == [
        ["Ann", '{"city":"Oslo"}'], [None, None]]


AUTHS = {
    "header": ({"kind": "api_key", "name": "X-Key", "key": "${API_SECRET}", "prefix": "Key "},
               lambda asked: asked.headers.get("x-key") == "Key s3cr3t&/+"),
    "query": ({"kind": "api_key", "in": "query", "name": "api_key", "key": "${API_SECRET}"},
              lambda asked: asked.query.get("api_key") == "s3cr3t&/+"),
    "bearer": ({"kind": "bearer", "token": "${API_SECRET}"},
               lambda asked: asked.headers.get("authorization") == "Bearer s3cr3t&/+"),
    "basic": ({"kind": "basic", "user": "ann", "password": "${API_SECRET}"},
              lambda asked: asked.headers.get("authorization") ==
              "Basic " + base64.b64encode("ann:s3cr3t&/+".encode()).decode()),
}


@pytest.mark.parametrize("name", AUTHS)
def test_who_asks_is_told_and_secrets_are_not(mesh, api, name):
    auth, allowed = AUTHS[name]
    api.allowed = allowed
    api.by_page("/p", lambda: items(25))
    mesh.source("api", kind="rest", base_url=api.url, auth=auth, **PATIENT, tables={
        "p": {"records": "data.items", "pagination": {"kind": "page"}},
        "gone": {"path": "/echo"}})
    echo = lambda asked: Answer({"error": f"{asked.headers} {asked.query}"}, 418)
    api.route("/echo", echo)
    mesh.meesh.environment = {"API_SECRET": "s3cr3t&/+"}
    mesh.meesh.start()
    run(mesh, "p")
    assert summary(mesh, "p") == [25, 25, 1, 25]
    api.failures = [Answer({}, 503)]
    told = run(mesh, "gone", code=1)
    assert "418" in told
    seen = told + mesh.meesh.log_text() + str(mesh.api("history")) + str(mesh.api("status"))
    for secret in ("s3cr3t", base64.b64encode("ann:s3cr3t&/+".encode()).decode()):
        assert secret not in seen
    api.allowed = lambda _: False
    assert "look at 'auth'" in run(mesh, "p", code=1)


def test_tokens_are_got_renewed_and_kept(mesh, api):
    given = {"access": 0, "refresh": "first", "uses": 0}

    def token(asked):
        form = asked.form
        if form["grant_type"] == "refresh_token":
            if form["refresh_token"] != given["refresh"]:
                return Answer({"error": "invalid_grant", "error_description": "used up"}, 400)
            given["refresh"] = f"r{given['access'] + 1}"
        elif (form.get("client_id"), form.get("client_secret")) != ("me", "hush"):
            return Answer({"error": "invalid_client"}, 401)
        given["access"] += 1
        return {"access_token": f"t{given['access']}", "expires_in": 3600,
                "refresh_token": given["refresh"]}

    def allowed(asked):
        # Each token ends after three requests, before its time.
        given["uses"] += 1
        if given["uses"] % 4 == 0:
            return False
        return asked.headers.get("authorization") == f"Bearer t{given['access']}"

    api.route("/oauth/token", token)
    api.allowed = allowed
    api.by_page("/p", lambda: items(95))
    table = {"p": {"records": "data.items", "pagination": {"kind": "page"}}}
    oauth = {"token_url": api.url + "/oauth/token", "client_id": "me", "scope": "read"}
    mesh.source("api", kind="rest", base_url=api.url, tables=table,
                auth={"kind": "oauth2_client_credentials", "client_secret": "hush", **oauth})
    mesh.source("person", kind="rest", base_url=api.url, tables=table, into={"table": "person_{table}"},
                auth={"kind": "oauth2_refresh_token", "refresh_token": "first", **oauth})
    mesh.meesh.start()
    run(mesh)
    assert summary(mesh, "p") == [95, 95, 1, 95]
    mesh.ingest("run", "person")
    mesh.meesh.stop()
    mesh.meesh.start()  # the refresh token that it was given is still known
    mesh.ingest("run", "person")
    assert summary(mesh, "person_p") == [95, 95, 1, 95]
    kept = list(mesh.meesh.data.glob("source-tokens/*"))
    assert [file.stat().st_mode & 0o777 for file in kept] == [0o600]
    given["refresh"] = "revoked"
    given["access"] += 1
    assert "gives no token: used up" in mesh.ingest("run", "person", code=1)


def test_credentials_do_not_follow_a_redirect_to_another_host(mesh, api):
    with rest_server() as other:
        api.allowed = lambda asked: asked.headers.get("authorization") == "Bearer tt0ken"
        api.route("/here", lambda _: Answer("", 302, {"Location": "/there?x=1"}))
        api.route("/there", lambda asked: items(3) if asked.query == {"x": "1"} else [])
        api.route("/away", lambda _: Answer("", 307, {"Location": f"{other.url}/items"}))
        api.route("/round", lambda _: Answer("", 301, {"Location": "/round"}))
        other.route("/items", lambda _: items(5))
        mesh.source("api", kind="rest", base_url=api.url, headers={"X-Other": "hdr-s3cret"},
                    auth={"kind": "bearer", "token": "tt0ken"},
                    tables={name: {} for name in ("here", "away", "round")})
        mesh.meesh.start()
        run(mesh, "here")
        run(mesh, "away")
        assert summary(mesh, "here")[0] == 3
        assert summary(mesh, "away")[0] == 5
        assert not {"authorization", "x-other"} & set(other.asked[0].headers)
        assert "without end" in run(mesh, "round", code=1)


def test_failures_are_waited_out(mesh, api):
    api.by_page("/p", lambda: items(40))
    mesh.source("api", kind="rest", base_url=api.url, timeout="500ms", **PATIENT, tables={
        "p": {"records": "data.items", "pagination": {"kind": "page"}}})
    mesh.meesh.start()
    later = format_datetime(datetime.now(timezone.utc) + timedelta(seconds=2), usegmt=True)
    slow = threading.Event()
    api.failures = [Answer({}, 429, {"Retry-After": "1"}), Answer({}, 503, {"Retry-After": later}),
                    Answer("<html>", 502), Answer(items(10), cut=30)]
    began = datetime.now(timezone.utc)
    run(mesh)
    assert datetime.now(timezone.utc) - began > timedelta(seconds=1)
    assert summary(mesh, "p") == [40, 40, 1, 40]
    api.route("/p", lambda _: (slow.wait(20), [])[1])
    assert "did not answer in time" in run(mesh, code=1)
    slow.set()
    api.by_page("/p", lambda: items(40))
    api.failures = [Answer({}, 429, {"Retry-After": "86400"})]
    assert "asks to wait for 86400 s" in run(mesh, code=1)
    api.failures = [Answer({"message": "no"}, 500) for _ in range(6)]
    assert 'GET ' in (told := run(mesh, code=1)) and '500' in told
    api.failures = [Answer("{\"data\": {\"items\": [{\"id\": 1}, ")]
    assert "is no JSON" in run(mesh, code=1)
    assert summary(mesh, "p") == [40, 40, 1, 40]  # what failed has landed nothing


def test_requests_keep_the_pace(mesh, api):
    api.by_page("/p", lambda: items(40))
    mesh.source("api", kind="rest", base_url=api.url, rate_limit="10", tables={
        "p": {"records": "data.items", "pagination": {"kind": "page"}}})
    mesh.meesh.start()
    began = datetime.now()
    run(mesh)
    assert len(api.asked) == 5
    assert datetime.now() - began > timedelta(milliseconds=400)


def test_a_page_that_leads_to_itself_fails(mesh, api):
    api.route("/c", lambda _: {"results": items(3), "next": "again"})
    api.by_page("/p", lambda: items(100))
    mesh.source("api", kind="rest", base_url=api.url, tables={
        "c": {"records": "results", "pagination": {"kind": "cursor", "next": "next"}},
        "p": {"records": "data.items", "max_pages": 3, "pagination": {"kind": "page"}}})
    mesh.meesh.start()
    assert "the cursor that it was asked with" in run(mesh, "c", code=1)
    assert "more than 3 pages" in run(mesh, "p", code=1)


class Changing:
    """Records with versions, as an API that can be asked for what changed."""

    def __init__(self, api, path, size=7):
        self.rows, self.clock = {}, datetime(2025, 1, 1, tzinfo=timezone.utc)
        self.versions = set()

        def answer(asked):
            since = asked.query.get("since", "")
            found = sorted((r for r in self.rows.values() if r["updated_at"] >= since),
                           key=lambda r: (r["updated_at"], r["id"]))
            at = int(asked.query.get("cursor", 0))
            after = at + size
            return {"results": found[at:after], "next": str(after) if after < len(found) else ""}
        api.route(path, answer)

    def put(self, ids):
        for i in ids:
            self.clock += timedelta(seconds=1)
            version = self.rows.get(i, {}).get("version", 0) + 1
            self.rows[i] = {"id": i, "version": version,
                            "updated_at": self.clock.strftime("%Y-%m-%dT%H:%M:%SZ")}
            self.versions.add((i, version))


CHANGING = {"records": "results", "mode": "incremental", "cursor": "updated_at", "key": ["id"],
            "pagination": {"kind": "cursor", "next": "next"},
            "incremental": {"parameter": "since", "start": "2024-01-01T00:00:00Z"}}


def test_incremental_takes_what_is_new_once(mesh, api):
    changing = Changing(api, "/c")
    mesh.source("api", kind="rest", base_url=api.url, tables={
        "c": {**CHANGING, "lookback": "10s"},
        "m": {**CHANGING, "path": "/c", "write": "merge"},
        "here": {**{k: v for k, v in CHANGING.items() if k != "incremental"}, "path": "/c"}})
    changing.put(range(1, 31))
    mesh.meesh.start()
    run(mesh)
    assert api.requests_of("/c")[0].query["since"] == "2024-01-01T00:00:00Z"
    assert "c: 0" in run(mesh).replace("  ", " ") or summary(mesh, "c")[0] == 30
    changing.put([3, 5, 31])
    api.asked.clear()
    run(mesh, date="2025-01-16")
    assert api.asked[0].query["since"] == "2025-01-01T00:00:20Z"
    for table in ("c", "here"):
        landed = mesh.query(f"SELECT id, version FROM lake.bronze.{table}")
        assert len(landed) == 33
        assert {tuple(row) for row in landed} == changing.versions
    assert sorted(map(tuple, mesh.query("SELECT id, version FROM lake.bronze.m"))) == sorted(
        (r["id"], r["version"]) for r in changing.rows.values())


def test_children_are_asked_for_parent_by_parent(mesh, api):
    api.by_page("/repos", lambda: [{"id": i, "owner": {"login": f"o/{i}"}} for i in range(1, 24)])
    api.route(r"/repos/(.+)/issues", lambda asked: Answer({"message": "none"}, 404)
              if asked.query["repo"] == "5" else
              [{"id": int(asked.query["repo"]) * 100 + i} for i in range(3)])
    api.route(r"/issues/(\d+)/notes", lambda asked: [{"id": int(asked.match[1]) * 10}, "plain"])
    mesh.source("api", kind="rest", base_url=api.url, tables={
        "repos": {"records": "data.items", "pagination": {"kind": "page"}},
        "issues": {"path": "/repos/{parent.owner.login}/issues", "params": {"repo": "{parent.id}"},
                   "parent": {"table": "repos", "columns": ["id"]}, "ignore_status": [404]},
        "notes": {"path": "/issues/{parent.id}/notes", "parent": {"table": "issues"}}})
    mesh.meesh.start()
    run(mesh)
    assert mesh.query("SELECT count(*), count(DISTINCT _repos_id), min(id - _repos_id * 100) FROM "
                      "lake.bronze.issues") == [[66, 22, 0]]
    assert mesh.query("SELECT count(*), count(id), min(value), min(_issues_id) FROM "
                      "lake.bronze.notes") == [[132, 66, "plain", 100]]
    assert any(a.path == "/repos/o%2F7/issues" for a in api.asked)


def test_values_of_another_type_are_put_aside(mesh, api):
    rows = items(60)
    api.by_page("/p", lambda: rows)
    mesh.source("api", kind="rest", base_url=api.url, tables={
        "p": {"records": "data.items", "pagination": {"kind": "page"}}})
    mesh.meesh.start()
    run(mesh)
    rows[30]["price"] = {"amount": 3}
    rows[40]["new"] = "a column"
    run(mesh)
    assert mesh.query("SELECT count(*), count(new) FROM lake.bronze.p") == [[59, 1]]
    assert mesh.query("SELECT _file, _line, _column, _text FROM lake.bronze.p__rejected") == [
        [f"{api.url}/p?page=4", 1, "price", '{"id":31,"name":"item 31","price":{"amount":3}}']]
    for row in rows[:10]:
        row["id"] = "no number"
    assert "more than 5" in run(mesh, code=1)
    assert mesh.query("SELECT count(*) FROM lake.bronze.p") == [[59]]


def test_mistakes_in_the_file_are_named(mesh, api):
    mistakes = {
        "a": ({"path": "/{parent.id}"}, "there is no parent"),
        "b": ({"parent": {"table": "u"}}, "there is no table 'u'"),
        "c": ({"parent": {"table": "c"}}, "its own parent"),
        "d": ({"records": "a..b"}, "is no path to records"),
        "e": ({"mode": "incremental"}, "has no cursor"),
        "f": ({"pagination": {"kind": "cursor"}}, "needs one of")}

    def told(**content):
        mesh.source("api", kind="rest", **content)
        done = mesh.meesh.run("serve", "--mesh", mesh.meesh.mesh, "--data", mesh.meesh.data)
        assert done.returncode == 2
        return done.stderr

    all_of_it = told(base_url="http://u:p@host/", tables={k: v for k, (v, _) in mistakes.items()})
    for _, text in [*mistakes.values(), (0, "no http:// or https:// address")]:
        assert text in all_of_it
    shape = told(base_url=api.url, auth={"kind": "bearer"},
                 tables={"t": {"pagination": {"kind": "pages"}}})
    assert "did you mean 'page'" in shape and "'token'" in shape


ROUNDS = [pytest.param(2, 300), pytest.param(200, 300, marks=[pytest.mark.full,
                                                              pytest.mark.timeout(5400)])]


@pytest.mark.parametrize("count, rows", ROUNDS)
def test_no_record_is_lost_or_doubled_by_a_killed_server(mesh, api, count, rows):
    changing = Changing(api, "/c", size=20)
    rounds = random.Random(11)
    source = {**CHANGING, "commit_every": 40}
    mesh.source("api", kind="rest", base_url=api.url, **PATIENT, tables={
        "c": source, "m": {**source, "path": "/c", "write": "merge"},
        "pages": {"records": "data.items", "path": "/p", "pagination": {"kind": "page"}}})
    api.by_page("/p", lambda: list(changing.rows.values()), size=50)
    mesh.meesh.start()
    resumed = 0
    for step in range(count):
        changing.put(range(step * rows, (step + 1) * rows))
        changing.put(rounds.sample(sorted(changing.rows), 20))
        before = len(api.asked)
        killed = threading.Thread(target=mesh.meesh.run, args=(
            "ingest", "run", "api", "--run-date", "2025-01-15", "--server", mesh.meesh.url))
        killed.start()
        after = rounds.randrange(1, 30)
        wait_until(lambda: len(api.asked) - before >= after or not killed.is_alive(), 60, "requests")
        mesh.meesh.kill()
        killed.join()
        mesh.meesh.start()
        api.asked.clear()
        run(mesh)
        resumed += api.requests_of("/c")[0].query.get("cursor") is not None
        landed = [tuple(row) for row in mesh.query("SELECT id, version FROM lake.bronze.c")]
        newest = {(r["id"], r["version"]) for r in changing.rows.values()}
        assert len(landed) == len(set(landed)) and newest <= set(landed) <= changing.versions
        assert {tuple(r) for r in mesh.query("SELECT id, version FROM lake.bronze.m")} == newest
        assert {tuple(r) for r in mesh.query("SELECT id, version FROM lake.bronze.pages")} == newest
    assert resumed > 0  # at least one run went on in the middle of the pages
