"""Administration over the API: users, keys, policies, the audit trail, statements, the log."""
import json
import threading
import time

import pytest
import requests
from support.processes import wait_until
from support.meesh import Meesh, plain_mesh

ADMIN = "/api/v1/admin"


class Api:
    """The API as one caller sees it; told what status to expect."""

    def __init__(self, meesh, auth=None):
        self.meesh, self.auth = meesh, auth

    def __call__(self, method, path, status=200, body=None, **options):
        answer = requests.request(method, self.meesh.url + path, auth=self.auth, json=body,
                                  timeout=30, **options)
        assert answer.status_code == status, f"{method} {path}: {answer.status_code} {answer.text}"
        if status >= 400:
            assert answer.headers["Content-Type"] == "application/problem+json"
        return answer.json() if answer.content else None

    def until(self, look):
        for _ in range(200):
            if (found := look()):
                return found
            time.sleep(0.05)
        raise AssertionError("it did not happen")


@pytest.fixture(scope="module")
def meesh(work_folder):
    meesh = Meesh(plain_mesh(work_folder / "admin"), work_folder / "admin-data").start()
    yield meesh
    meesh.stop()


@pytest.fixture
def fresh(folder):
    """A mesh of one test, still open."""
    meesh = Meesh(plain_mesh(folder / "mesh"), folder / "data").start()
    yield meesh
    meesh.stop()


def test_a_users_life(meesh):
    api = Api(meesh)
    made = api("POST", ADMIN + "/users", 201, {"name": "life", "policies": ["readwrite"]})
    assert (made["role"], made["enabled"], made["has_password"]) == ("editor", True, False)
    assert "life" in {user["name"] for user in api("GET", ADMIN + "/users")["users"]}
    api("POST", ADMIN + "/users", 409, {"name": "life"})
    api("POST", ADMIN + "/users", 409, {"name": "root"})
    path = ADMIN + "/users/life"
    assert api("PUT", path + "/policies/readonly")["policies"] == ["readonly", "readwrite"]
    assert api("DELETE", path + "/policies/readwrite")["role"] == "viewer"
    api("DELETE", path + "/policies/readwrite", 404)
    api("PUT", path + "/policies/nothing", 404)
    assert api("POST", path + "/disable")["enabled"] is False
    assert api("POST", path + "/enable")["enabled"] is True
    key = api("POST", path + "/keys", 201)
    assert key["secret_key"] and api("GET", path)["access_keys"] == [key["access_key"]]
    assert "secret" not in json.dumps(api("GET", path)), "told once"
    api("DELETE", f"{path}/keys/{key['access_key']}", 204)
    api("DELETE", f"{path}/keys/{key['access_key']}", 404)
    api("DELETE", path, 204)
    api("GET", path, 404)
    api("DELETE", path, 404)


def test_the_key_of_another_user_is_not_deleted_by_its_id(meesh):
    api = Api(meesh)
    for name in ("owner", "other"):
        api("POST", ADMIN + "/users", 201, {"name": name})
    key = api("POST", ADMIN + "/users/owner/keys", 201)["access_key"]
    api("DELETE", f"{ADMIN}/users/other/keys/{key}", 404)
    assert api("GET", ADMIN + "/users/owner")["access_keys"] == [key]


@pytest.mark.parametrize("name", ["", "a" * 65, "with space", "sl/ash", "../up", "<b>", "a:b",
                                  "nul\0", "é", "a\nb"])
def test_names_that_are_none(meesh, name):
    Api(meesh)("POST", ADMIN + "/users", 400, {"name": name})


def test_what_is_told_of_a_name_is_text_even_where_it_is_cut(meesh):
    name = "a" + "\U0001d4d4" * 40  # four bytes each: the 64th byte is in the middle of one
    told = Api(meesh)("POST", ADMIN + "/users", 400, {"name": name})
    assert name[:10] in told["detail"]


def test_a_user_that_could_not_be_made_whole_is_not_made(meesh):
    api = Api(meesh)
    api("POST", ADMIN + "/users", 404, {"name": "half", "policies": ["readwrite", "nothing"]})
    api("POST", ADMIN + "/users", 400, {"name": "half", "password": "short"})
    api("GET", ADMIN + "/users/half", 404)


def test_the_first_password_must_be_an_administrators(fresh):
    api = Api(fresh)
    api("POST", ADMIN + "/users", 201, {"name": "eve", "policies": ["readwrite"]})
    told = api("PUT", ADMIN + "/users/eve/password", 409, {"password": "eve's long password"})
    assert "consoleAdmin" in told["hint"]
    api("POST", ADMIN + "/users", 409, {"name": "ina", "password": "ina's long password"})
    api("GET", ADMIN + "/users/ina", 404)
    assert api("GET", "/api/v1/session")["mode"] == "open"


def test_the_last_administrator_stays(fresh):
    api = Api(fresh)
    api("POST", ADMIN + "/users", 201, {"name": "ada", "policies": ["consoleAdmin"],
                                        "password": "ada's long password"})
    api("GET", "/api/v1/session", 401)  # closed from now on
    ada = Api(fresh, ("ada", "ada's long password"))
    for method, path in (("DELETE", ""), ("POST", "/disable"), ("DELETE", "/password"),
                         ("DELETE", "/policies/consoleAdmin")):
        told = ada(method, f"{ADMIN}/users/ada{path}", 409)
        assert "last administrator" in told["detail"]
    ada("POST", ADMIN + "/users", 201, {"name": "bea", "policies": ["consoleAdmin"],
                                        "password": "bea's long password"})
    ada("DELETE", ADMIN + "/users/ada", 204)
    ada("GET", "/api/v1/session", 401)
    bea = Api(fresh, ("bea", "bea's long password"))
    bea("DELETE", ADMIN + "/users/bea", 409)
    # Somebody later of the same name has nothing of the user before.
    bea("POST", ADMIN + "/users", 201, {"name": "ada", "policies": ["consoleAdmin"]})
    ada("GET", "/api/v1/session", 401)


def test_the_own_password(fresh):
    api = Api(fresh)
    api("POST", ADMIN + "/users", 201, {"name": "ada", "policies": ["consoleAdmin"],
                                        "password": "ada's long password"})
    ada = Api(fresh, ("ada", "ada's long password"))
    ada("PUT", "/api/v1/account/password", 403,
        {"current": "not this one", "password": "another long one"})
    ada("PUT", "/api/v1/account/password", 400,
        {"current": "ada's long password", "password": "short"})
    ada("PUT", "/api/v1/account/password", 204,
        {"current": "ada's long password", "password": "another long one"})
    ada("GET", "/api/v1/session", 401)
    Api(fresh, ("ada", "another long one"))("GET", "/api/v1/session")


def test_a_changed_password_ends_the_sessions(fresh):
    api = Api(fresh)
    api("POST", ADMIN + "/users", 201, {"name": "ada", "policies": ["consoleAdmin"],
                                        "password": "ada's long password"})
    page = requests.post(fresh.url + "/api/v1/session",
                         json={"user": "ada", "password": "ada's long password"})
    cookies = {"meesh_session": page.cookies["meesh_session"]}
    assert requests.get(fresh.url + "/api/v1/session", cookies=cookies).status_code == 200
    ada = Api(fresh, ("ada", "ada's long password"))
    ada("PUT", ADMIN + "/users/ada/password", 200, {"password": "another long one"})
    assert requests.get(fresh.url + "/api/v1/session", cookies=cookies).status_code == 401


DOCUMENT = {"Version": "2012-10-17", "Statement": [
    {"Effect": "Allow", "Action": ["s3:GetObject"], "Resource": ["arn:aws:s3:::reports/*"]}]}


def test_policies(meesh):
    api = Api(meesh)
    path = ADMIN + "/policies/reports"
    assert api("PUT", path, 200, {"document": DOCUMENT})["document"] == DOCUMENT
    api("POST", ADMIN + "/users", 201, {"name": "reader", "policies": ["reports"]})
    assert api("GET", path)["users"] == ["reader"]
    told = api("DELETE", path, 409)
    assert "attached" in told["detail"]
    api("DELETE", ADMIN + "/users/reader", 204)
    api("DELETE", path, 204)
    api("GET", path, 404)
    built_in = {policy["name"] for policy in api("GET", ADMIN + "/policies")["policies"]
                if policy["built_in"]}
    assert built_in == {"readwrite", "readonly", "writeonly", "consoleAdmin"}
    api("DELETE", ADMIN + "/policies/readonly", 409)
    api("PUT", ADMIN + "/policies/readonly", 409, {"document": DOCUMENT})


@pytest.mark.parametrize("document", [None, "text", [], {}, {"Statement": []},
                                      {"Statement": [{"Effect": "Maybe"}]}])
def test_documents_that_are_no_policy(meesh, document):
    Api(meesh)("PUT", ADMIN + "/policies/wrong", 400, {"document": document})


# ---- the audit trail


def write_trail(meesh, day, count):
    lines = [json.dumps({"time": f"{day}T10:00:{i % 60:02}.{i % 1000:03}Z", "user": f"u{i % 3}",
                         "action": "s3:GetObject" if i % 2 else "s3:PutObject",
                         "resource": f"bucket/{day}/{i}",
                         "outcome": "denied" if i % 5 == 0 else "allowed"}) for i in range(count)]
    (meesh.data / "audit" / f"{day}.jsonl").write_text("\n".join(lines) + "\n")


def all_events(api, **query):
    found, cursor, pages = [], None, 0
    while True:
        told = api("GET", ADMIN + "/audit", params={**query, **({"cursor": cursor} if cursor else {})})
        found += told["events"]
        pages += 1
        if not (cursor := told.get("next")):
            return found, pages


def test_the_audit_trail_newest_first_over_days_and_pages(meesh):
    api = Api(meesh)
    write_trail(meesh, "2024-01-01", 250)
    write_trail(meesh, "2024-01-02", 333)
    old = dict(to_ms=1704326400000)  # before 2024-01-04
    found, pages = all_events(api, limit=100, **old)
    assert pages >= 6 and len(found) == 583
    expected = [f"bucket/{day}/{i}" for day, count in (("2024-01-02", 333), ("2024-01-01", 250))
                for i in reversed(range(count))]
    assert [event["resource"] for event in found] == expected
    assert len(all_events(api, limit=7, user="u1", **old)[0]) == 83 + 111
    denied = all_events(api, outcome="denied", action="s3:Put", **old)[0]
    assert len(denied) == 25 + 34 and {event["action"] for event in denied} == {"s3:PutObject"}
    second = all_events(api, from_ms=1704153600000, **old)[0]
    assert {event["resource"].split("/")[1] for event in second} == {"2024-01-02"}


def test_a_line_that_is_torn_or_none_does_not_hide_the_others(meesh):
    api = Api(meesh)
    good = json.dumps({"time": "2023-05-05T10:00:00.000Z", "user": "torn", "outcome": "allowed"})
    (meesh.data / "audit" / "2023-05-05.jsonl").write_bytes(
        b"\n\nno json\n" + good.encode() + b"\n\xff\xfe\n[1]\n" + b"x" * 300_000 + b"\n" +
        good.encode() + b'\n{"time": "2023-05-05T10:0')
    assert len(all_events(api, user="torn")[0]) == 2


@pytest.mark.parametrize("cursor", ["x", "2024-01-01", "2024-01-01:", "2024-01-01:-1",
                                    "2024-01-01:1x", "../../../etc/passwd:1", "2024-13-0:5",
                                    "/etc/passwd:10", "2024-01-01:99999999999999999999", ":5"])
def test_cursors_that_are_none(meesh, cursor):
    Api(meesh)("GET", ADMIN + "/audit", 400, params={"cursor": cursor})


def test_what_administrators_do_is_written_down(meesh):
    api = Api(meesh)
    api("POST", ADMIN + "/users", 201, {"name": "noted"})
    api("DELETE", ADMIN + "/users/noted", 204)
    api.until(lambda: {event["action"] for event in api(
        "GET", ADMIN + "/audit", params={"user": "local"})["events"]
        if event.get("resource") == "noted"} == {"console:CreateUser", "console:DeleteUser"})


# ---- statements


def test_statements_are_listed_shown_and_ended(meesh):
    api = Api(meesh)
    page = requests.post(meesh.url + "/v1/statement", headers={"X-Trino-User": "ann"},
                         data="SELECT count(*) FROM tpch.sf1.lineitem a, tpch.sf1.lineitem b").json()
    listed = api("GET", "/api/v1/queries", params={"state": "running", "user": "ann"})["queries"]
    assert [query["id"] for query in listed] == [page["id"]]
    path = "/api/v1/queries/" + page["id"]
    assert api("GET", path)["user"] == "ann"
    api("POST", path + "/cancel")
    ended = api.until(lambda: (told := api("GET", path))["state"] == "FAILED" and told)
    assert ended["error"]["code"] == "ADMINISTRATIVELY_KILLED"
    assert "local" in ended["error"]["detail"]
    api("GET", "/api/v1/queries/none", 404)


def test_statements_in_pages(meesh):
    api = Api(meesh)
    for i in range(5):
        page = requests.post(meesh.url + "/v1/statement", data=f"SELECT {i}",
                             headers={"X-Trino-User": "pages"}).json()
        while "nextUri" in page:
            page = requests.get(page["nextUri"]).json()
    found, cursor = [], None
    while True:
        told = api("GET", "/api/v1/queries",
                   params={"user": "pages", "limit": 2, **({"cursor": cursor} if cursor else {})})
        found += [query["statement"] for query in told["queries"]]
        if not (cursor := told.get("next")):
            break
    assert found == [f"SELECT {i}" for i in (4, 3, 2, 1, 0)]


# ---- settings and the log


def test_settings_hold_no_secret(folder):
    mesh = plain_mesh(folder / "mesh", smtp={
        "host": "mail.example", "tls": "none", "user": "mailer", "password": "mail-secret-word",
        "from": "mesh@example.com"})
    meesh = Meesh(mesh, folder / "data").start()
    try:
        text = requests.get(meesh.url + ADMIN + "/settings").text
    finally:
        meesh.stop()
    settings = json.loads(text)
    assert settings["smtp"]["host"] == "mail.example" and settings["mode"] == "open"
    for secret in ("mail-secret-word", (meesh.data / "keys" / "s3-root").read_text().split()[1],
                   (meesh.data / "keys" / "master.key").read_text().strip()):
        assert secret not in text


def test_the_log_and_its_filters(meesh):
    api = Api(meesh)
    requests.get(meesh.url + "/v1/info/state?looked-for")
    # A request is written down when its answer is out.
    lines = wait_until(lambda: api("GET", ADMIN + "/log", params={"search": "/V1/INFO/state"})["lines"],
                       10, "the request in the log")
    assert all(line["fields"]["path"] == "/v1/info/state" for line in lines)
    ids = [line["id"] for line in api("GET", ADMIN + "/log")["lines"]]
    assert ids == sorted(ids)
    assert all(line["level"] in ("warn", "error")
               for line in api("GET", ADMIN + "/log", params={"level": "warn"})["lines"])
    api("GET", ADMIN + "/log", 400, params={"level": "loud"})


def test_the_log_as_it_is_written(meesh):
    with requests.get(meesh.url + ADMIN + "/log/live", stream=True, timeout=20,
                      params={"search": "/v1/info/coordinator"}) as answer:
        assert answer.headers["Content-Type"].startswith("text/event-stream")
        lines = answer.iter_lines(chunk_size=1, decode_unicode=True)
        assert next(lines) == ": log"
        threading.Timer(0.2, lambda: requests.get(meesh.url + "/v1/info/coordinator")).start()
        data = next(line for line in lines if line.startswith("data: "))
    assert json.loads(data[6:])["fields"]["path"] == "/v1/info/coordinator"
