"""Signing in: sessions, tokens and Basic over a closed mesh, and what must not get through."""
import base64
import json
import os
import re
import stat
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests
import trino
from support.certificates import certificate
from support.meesh import Meesh, plain_mesh

PASSWORDS = {"ada": "ada's long password", "eve": "eve's long password",
             "vera": "vera's long password"}
POLICIES = {"ada": "consoleAdmin", "eve": "readwrite", "vera": "readonly"}


def access(meesh, *arguments, **options):
    done = meesh.run("access", *arguments, "--mesh", meesh.mesh, "--data", meesh.data, **options)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def close(meesh):
    for user, password in PASSWORDS.items():
        access(meesh, "add", user, "--policy", POLICIES[user])
        access(meesh, "password", user, input=password + "\n")
    return meesh


@pytest.fixture(scope="module")
def closed(work_folder):
    """Passwords are given while nothing runs; the mesh is closed from its first moment on."""
    folder = work_folder / "sign-in"
    meesh = Meesh(plain_mesh(folder), work_folder / "sign-in-data").start()
    meesh.stop()
    close(meesh)
    meesh.start()
    yield meesh
    meesh.stop()


@pytest.fixture(scope="module")
def meesh(work_folder):
    """An open one."""
    meesh = Meesh(plain_mesh(work_folder / "open"), work_folder / "open-data").start()
    yield meesh
    meesh.stop()


class Browser(requests.Session):
    """A browser's page of the mesh: keeps the cookie, knows the session's csrf."""

    def __init__(self, meesh, user=None):
        super().__init__()
        self.meesh, self.csrf = meesh, None
        self.headers.update({"User-Agent": "Mozilla/5.0 (test)", "Sec-Fetch-Site": "same-origin"})
        if user:
            self.sign_in(user)

    def sign_in(self, user, password=None):
        answer = self.call("POST", "/api/v1/session",
                           json={"user": user, "password": password or PASSWORDS[user]})
        assert answer.status_code == 200, answer.text
        self.csrf = answer.json()["csrf"]
        return answer

    def call(self, method, path, csrf=True, **options):
        headers = dict(options.pop("headers", {}))
        if method not in ("GET", "HEAD"):
            headers.setdefault("Origin", self.meesh.url)
            if csrf and self.csrf:
                headers.setdefault("X-Meesh-Csrf", self.csrf)
        return self.request(method, self.meesh.url + path, headers=headers,
                            allow_redirects=False, **options)


def basic(user, password=None):
    pair = f"{user}:{password or PASSWORDS[user]}".encode()
    return {"Authorization": "Basic " + base64.b64encode(pair).decode()}


def problem(answer, status):
    assert answer.status_code == status, answer.text
    assert answer.headers["Content-Type"] == "application/problem+json", answer.headers
    told = answer.json()
    assert told["status"] == status and told["type"] == "about:blank" and told["detail"], told
    return told


# ---- open and closed


def test_an_open_mesh_takes_everybody_as_administrator(meesh):
    told = requests.get(meesh.url + "/api/v1/session").json()
    assert (told["user"], told["role"], told["mode"]) == ("local", "administrator", "open")
    assert requests.get(meesh.url + "/api/v1/admin/users").status_code == 200


def test_an_open_mesh_answers_browsers_as_localhost_alone(meesh):
    """Another site's name may be made to lead here (DNS rebinding)."""
    page = {"User-Agent": "Mozilla/5.0", "Host": "evil.example:8080",
            "Origin": "http://evil.example:8080"}
    for path in ("/api/v1/admin/users", "/v1/query", "/metrics"):
        answer = requests.get(meesh.url + path, headers=page)
        assert answer.status_code == 403 and "localhost" in answer.text, (path, answer.text)
    statement = requests.post(meesh.url + "/v1/statement", data="SELECT 1",
                              headers={**page, "X-Trino-User": "x"})
    assert statement.status_code == 403
    for host in ("localhost:1", "127.0.0.1", "[::1]:80", "mesh.localhost"):
        assert requests.get(meesh.url + "/api/v1/session",
                            headers={**page, "Host": host, "Origin": f"http://{host}"}).ok, host
    for host in ("localhost.evil.example", "127.0.0.1.evil.example", "127.evil.example"):
        assert requests.get(meesh.url + "/api/v1/session",
                            headers={**page, "Host": host}).status_code == 403, host


CLOSED = [("GET", "/api/v1/pipelines"), ("GET", "/api/v1/admin/users"), ("GET", "/v1/query"),
          ("GET", "/v1/status"), ("GET", "/metrics"), ("GET", "/dbt/"), ("POST", "/v1/statement"),
          ("GET", "/api/v1/lineage/events"), ("POST", "/api/v1/tokens"),
          ("GET", "/api/v1/admin/log/live"), ("DELETE", "/v1/query/x"), ("GET", "/api/v1/streams"),
          ("GET", "/iceberg/v1/config"), ("GET", "/api/%76%31/pipelines")]


@pytest.mark.parametrize("method, path", CLOSED)
def test_a_closed_mesh_tells_strangers_nothing(closed, method, path):
    answer = requests.request(method, closed.url + path)
    assert answer.status_code == 401, answer.text
    assert "WWW-Authenticate" in answer.headers or path.startswith("/iceberg")


def test_some_doors_stay_open(closed):
    for method, path in (("GET", "/v1/info"), ("GET", "/v1/info/state"), ("HEAD", "/v1/status"),
                         ("GET", "/"), ("GET", "/sign-in")):
        assert requests.request(method, closed.url + path).status_code == 200, path
    told = problem(requests.get(closed.url + "/api/v1/session"), 401)
    assert told["mesh"] == "test" and told["language"] == "en", "for the page that asks"


def test_a_browser_is_led_to_the_sign_in_page_and_never_asked_by_itself(closed):
    browser = Browser(closed)
    answer = browser.call("GET", "/dbt/?a=b", headers={"Accept": "text/html,*/*"})
    assert (answer.status_code, answer.headers["Location"]) == (302, "/sign-in?to=%2Fdbt%2F%3Fa%3Db")
    answer = browser.call("GET", "/v1/query")
    assert answer.status_code == 401 and answer.headers["WWW-Authenticate"].startswith("Bearer")


def test_beyond_loopback_a_mesh_without_passwords_says_how_to_set_one(work_folder):
    folder = plain_mesh(work_folder / "beyond", listen={"address": "0.0.0.0"})
    meesh = Meesh(folder, work_folder / "beyond-data").start()
    try:
        told = problem(requests.get(meesh.url + "/api/v1/pipelines"), 401)
        assert "meesh access password" in told["hint"]
        assert requests.post(meesh.url + "/v1/statement", data="SELECT 1",
                             headers={"X-Trino-User": "x"}).status_code == 401
        # The administrator's key opens it all the same.
        secret = (meesh.data / "keys" / "s3-root").read_text().split()[1]
        told = requests.get(meesh.url + "/api/v1/session", headers=basic("root", secret)).json()
        assert (told["user"], told["role"]) == ("root", "administrator")
    finally:
        meesh.stop()


# ---- sessions


def test_a_session_by_cookie(closed):
    browser = Browser(closed)
    answer = browser.sign_in("ada")
    cookie = answer.headers["Set-Cookie"]
    assert "HttpOnly" in cookie and "SameSite=Strict" in cookie and "Path=/" in cookie
    assert "Secure" not in cookie, "this one is not TLS"
    told = browser.call("GET", "/api/v1/session")
    assert told.json()["user"] == "ada" and told.json()["csrf"] == browser.csrf
    assert told.headers["Cache-Control"] == "no-store"
    assert told.headers["X-Content-Type-Options"] == "nosniff"
    assert browser.call("GET", "/api/v1/admin/users").status_code == 200
    assert browser.call("DELETE", "/api/v1/session").status_code == 204
    assert browser.call("GET", "/api/v1/session").status_code == 401


def test_a_session_survives_a_restart(work_folder):
    meesh = Meesh(plain_mesh(work_folder / "again"), work_folder / "again-data").start()
    close(meesh)
    try:
        browser = Browser(meesh)
        # The running server sees within a second that it is closed.
        for _ in range(100):
            if requests.get(meesh.url + "/api/v1/session").status_code == 401:
                break
            threading.Event().wait(0.05)
        browser.sign_in("eve")
        token = access(meesh, "token", "eve").strip().split("=")[1]
        meesh.stop()
        meesh.start()
        assert browser.call("GET", "/api/v1/session").json()["user"] == "eve"
        assert requests.get(meesh.url + "/api/v1/session",
                            headers={"Authorization": "Bearer " + token}).json()["user"] == "eve"
    finally:
        meesh.stop()


def test_a_wrong_password_looks_like_a_wrong_name(closed):
    told = [problem(requests.post(closed.url + "/api/v1/session",
                                  json={"user": user, "password": "a wrong password"}), 401)
            for user in ("vera", "nobody")]
    assert told[0] == told[1]


def test_wrong_passwords_have_to_wait(closed):
    answers = [requests.post(closed.url + "/api/v1/session",
                             json={"user": "throttled", "password": f"guess number {i}"})
               for i in range(12)]
    codes = [answer.status_code for answer in answers]
    assert codes[:5] == [401] * 5 and set(codes[5:]) <= {401, 429} and 429 in codes, codes
    assert "try again in" in problem(next(a for a in answers if a.status_code == 429), 429)["detail"]
    assert Browser(closed, "eve").csrf, "others are let in"


def test_a_crowd_at_the_door_gets_through(closed):
    with ThreadPoolExecutor(20) as pool:
        users = list(pool.map(lambda _: Browser(closed, "eve").call("GET", "/api/v1/session")
                              .json()["user"], range(20)))
    assert users == ["eve"] * 20


# ---- ten ways to forge a request of somebody who is signed in


FORGERIES = {
    "no token": dict(csrf=False, json={"name": "x"}),
    "wrong token": dict(headers={"X-Meesh-Csrf": "0" * 32}, json={"name": "x"}),
    "empty token": dict(headers={"X-Meesh-Csrf": ""}, json={"name": "x"}),
    "token in the query": dict(csrf=False, json={"name": "x"}, params={"csrf": "here"}),
    "token in the body": dict(csrf=False, json={"name": "x", "X-Meesh-Csrf": "here"}),
    "form": dict(csrf=False, data={"name": "x"}),
    "multipart form": dict(csrf=False, files={"name": (None, "x")}),
    "text that is JSON": dict(csrf=False, data='{"name": "x"}',
                              headers={"Content-Type": "text/plain"}),
    "other origin": dict(json={"name": "x"}, headers={"Origin": "http://evil.example"}),
    "other port": dict(json={"name": "x"}, headers={"Origin": "http://127.0.0.1:1"}),
    "null origin": dict(json={"name": "x"}, headers={"Origin": "null"}),
    "cross-site fetch": dict(json={"name": "x"}, headers={"Sec-Fetch-Site": "cross-site"}),
    "sibling site": dict(json={"name": "x"}, headers={"Sec-Fetch-Site": "same-site"}),
    "method override": dict(csrf=False, json={"name": "x"},
                            headers={"X-HTTP-Method-Override": "GET"}),
}


@pytest.mark.parametrize("forgery", FORGERIES)
def test_forged_requests_change_nothing(closed, forgery):
    browser = Browser(closed, "eve")
    before = browser.call("GET", "/api/v1/tokens").json()
    problem(browser.call("POST", "/api/v1/tokens", **FORGERIES[forgery]), 403)
    assert browser.call("GET", "/api/v1/tokens").json() == before


def test_the_token_of_another_session_is_not_this_ones(closed):
    one, other = Browser(closed, "eve"), Browser(closed, "eve")
    assert one.csrf != other.csrf
    problem(one.call("POST", "/api/v1/tokens", json={"name": "x"},
                     headers={"X-Meesh-Csrf": other.csrf}), 403)


def test_reading_changes_nothing(closed):
    browser = Browser(closed, "eve")
    for path in ("/api/v1/tokens?name=x", "/api/v1/queries/x/cancel", "/api/v1/quality/run",
                 "/v1/statement", "/api/v1/data-lake/sync"):
        assert browser.call("GET", path).status_code in (200, 404, 405), path
    assert all(token["name"] != "x" for token in browser.call("GET", "/api/v1/tokens").json()["tokens"])


def test_a_session_that_was_there_before_the_sign_in_is_worth_nothing(closed):
    browser = Browser(closed)
    browser.cookies.set("meesh_session", "F" * 43, domain="127.0.0.1", path="/")
    browser.sign_in("eve")
    assert browser.cookies["meesh_session"] != "F" * 43
    planted = requests.get(closed.url + "/api/v1/session", cookies={"meesh_session": "F" * 43})
    assert planted.status_code == 401
    # Signing in again ends the session before.
    first = browser.cookies["meesh_session"]
    browser.sign_in("eve")
    assert requests.get(closed.url + "/api/v1/session",
                        cookies={"meesh_session": first}).status_code == 401


def test_a_session_that_ended_stays_ended(closed):
    browser = Browser(closed, "eve")
    cookie, csrf = browser.cookies["meesh_session"], browser.csrf
    browser.call("DELETE", "/api/v1/session")
    answer = requests.post(closed.url + "/api/v1/tokens", json={"name": "x"},
                           cookies={"meesh_session": cookie}, headers={"X-Meesh-Csrf": csrf})
    assert answer.status_code == 401


def test_signing_out_needs_the_token_too(closed):
    browser = Browser(closed, "eve")
    problem(browser.call("DELETE", "/api/v1/session", csrf=False), 403)
    assert browser.call("GET", "/api/v1/session").status_code == 200


def test_statements_of_a_browser_need_the_token(closed):
    browser = Browser(closed, "eve")
    assert browser.call("POST", "/v1/statement", csrf=False, data="SELECT 1").status_code == 403
    assert browser.call("POST", "/v1/statement", data="SELECT 1").status_code == 200


@pytest.mark.parametrize("cookie", ["", "x", "F" * 43, "F" * 5000, "../../etc/passwd", "' OR 1=1 --",
                                    "meesh_session=x", '"', "%00", "é" * 3])
def test_what_is_no_session_is_nobody(closed, cookie):
    answer = requests.get(closed.url + "/api/v1/tokens",
                          headers={"Cookie": f"meesh_session={cookie}".encode()})
    assert answer.status_code == 401


@pytest.mark.parametrize("header", [
    "Basic", "Basic ", "Basic !!!", "Basic " + base64.b64encode(b"ada").decode(),
    "Basic " + base64.b64encode(b"ada:").decode(), "Basic " + base64.b64encode(b":x").decode(),
    "Basic " + base64.b64encode(b"ada\0:ada's long password").decode(), "Bearer", "Bearer ",
    "Bearer meesh_", "Bearer meesh_" + "x" * 43, "Digest username=ada", "Negotiate x",
    "Bearer meesh_local_" + "A" * 43])
def test_what_is_no_credential_opens_nothing(closed, header):
    answer = requests.get(closed.url + "/api/v1/tokens", headers={"Authorization": header})
    assert answer.status_code == 401, answer.text


# ---- roles, and what belongs to others


def test_roles(closed):
    for user, role in (("ada", "administrator"), ("eve", "editor"), ("vera", "viewer")):
        assert requests.get(closed.url + "/api/v1/session",
                            headers=basic(user)).json()["role"] == role
    for path in ("users", "policies", "audit", "settings", "log", "log/live", "users/ada",
                 "policies/readonly"):
        for user in ("eve", "vera"):
            problem(requests.get(f"{closed.url}/api/v1/admin/{path}", headers=basic(user)), 403)
    for path in ("quality/run", "data-lake/sync", "ingest/sync", "pipelines/x/runs",
                 "streams/x/pause", "lineage"):
        problem(requests.post(f"{closed.url}/api/v1/{path}", json={}, headers=basic("vera")), 403)


def make_token(closed, user, **body):
    answer = requests.post(closed.url + "/api/v1/tokens", json={"name": "test", **body},
                           headers=basic(user))
    assert answer.status_code == 201, answer.text
    return answer.json()


def test_tokens_of_others_cannot_be_seen_or_revoked(closed):
    made = make_token(closed, "ada", days=1)
    mine = requests.get(closed.url + "/api/v1/tokens", headers=basic("eve")).json()["tokens"]
    assert made["id"] not in {token["id"] for token in mine}
    problem(requests.delete(f"{closed.url}/api/v1/tokens/{made['id']}", headers=basic("eve")), 404)
    headers = {"Authorization": "Bearer " + made["token"]}
    assert requests.get(closed.url + "/api/v1/session", headers=headers).json()["user"] == "ada"
    assert requests.delete(f"{closed.url}/api/v1/tokens/{made['id']}",
                           headers=basic("ada")).status_code == 204
    assert requests.get(closed.url + "/api/v1/session", headers=headers).status_code == 401


GUESSES = ["1", "0", "-1", "..", "%2e%2e", "'", "%00", "x" * 200, "*", "a%2Fb"]


@pytest.mark.parametrize("guess", GUESSES)
def test_guessed_ids_find_nothing(closed, guess):
    for method, path in (("DELETE", "tokens/{}"), ("GET", "queries/{}"),
                         ("POST", "queries/{}/cancel")):
        answer = requests.request(method, f"{closed.url}/api/v1/{path.format(guess)}",
                                  headers=basic("eve"))
        assert answer.status_code in (400, 404, 405), (path, answer.status_code, answer.text)


def test_statements_of_others(closed):
    started = requests.post(closed.url + "/v1/statement", headers=basic("ada"),
                            data="SELECT count(*) FROM tpch.sf1.lineitem a, tpch.sf1.lineitem b").json()
    query = started["id"]
    try:
        assert requests.get(f"{closed.url}/v1/query/{query}", headers=basic("ada")).ok
        for method, path in (("GET", f"/v1/query/{query}"), ("DELETE", f"/v1/query/{query}"),
                             ("PUT", f"/v1/query/{query}/killed"), ("GET", "/v1/query"),
                             ("GET", f"/api/v1/queries/{query}"),
                             ("POST", f"/api/v1/queries/{query}/cancel")):
            answer = requests.request(method, closed.url + path, headers=basic("eve"))
            assert answer.status_code in (403, 404, 410), (path, answer.text)
        listed = requests.get(closed.url + "/api/v1/queries", headers=basic("eve")).json()
        assert all(one["user"] == "eve" for one in listed["queries"])
        own = requests.get(closed.url + "/api/v1/queries", headers=basic("ada")).json()
        assert query in {one["id"] for one in own["queries"]}
    finally:
        ended = requests.post(f"{closed.url}/api/v1/queries/{query}/cancel", headers=basic("ada"))
        assert ended.status_code == 200


def test_nobody_names_another_as_the_statements_user(closed):
    post = lambda user, named: requests.post(  # noqa: E731
        closed.url + "/v1/statement", data="SELECT current_user",
        headers={**basic(user), **({"X-Trino-User": named} if named else {})})
    assert post("eve", "ada").status_code == 403
    assert post("eve", "EVE").status_code == 403
    assert post("eve", "eve").status_code == 200
    assert post("eve", "").status_code == 200
    assert post("ada", "eve").status_code == 200, "an administrator may"
    original = requests.post(closed.url + "/v1/statement", data="SELECT 1",
                             headers={**basic("eve"), "X-Trino-User": "eve",
                                      "X-Trino-Original-User": "ada"})
    assert original.status_code == 200


def test_who_only_looks_changes_nothing_by_a_statement(closed):
    def outcome(user, sql, **headers):
        page = requests.post(closed.url + "/v1/statement", data=sql,
                             headers={**basic(user), **headers}).json()
        while "nextUri" in page:
            page = requests.get(page["nextUri"], headers=basic(user)).json()
        return page.get("error", {}).get("errorName", "fine")
    assert outcome("eve", "CREATE TABLE memory.default.seen (a bigint)") == "fine"
    for sql in ("DROP TABLE memory.default.seen", "INSERT INTO memory.default.seen VALUES 1",
                "EXECUTE IMMEDIATE 'DROP TABLE memory.default.seen'",
                "EXPLAIN ANALYZE INSERT INTO memory.default.seen VALUES 1",
                "CREATE TABLE memory.default.other AS SELECT 1 AS a"):
        assert outcome("vera", sql) == "PERMISSION_DENIED", sql
    assert outcome("vera", "EXECUTE p", **{
        "X-Trino-Prepared-Statement": "p=DROP+TABLE+memory.default.seen"}) == "PERMISSION_DENIED"
    assert outcome("vera", "SELECT count(*) FROM memory.default.seen") == "fine"
    assert outcome("eve", "DROP TABLE memory.default.seen") == "fine"


# ---- programs


def test_our_own_commands_go_on_working(closed):
    told = closed.run("sql", "--server", closed.url, "-e", "SELECT 41 + 1")
    assert told.returncode == 0 and "42" in told.stdout, told.stderr
    assert closed.run("runs", "--server", closed.url).returncode == 0
    token = closed.data / "token"
    assert stat.S_IMODE(os.stat(token).st_mode) == 0o600


def test_a_command_may_be_given_a_token(closed):
    token = make_token(closed, "vera")["token"]
    told = closed.run("sql", "--server", closed.url, "-e", "SELECT current_user", "--user", "vera",
                      env={"MEESH_TOKEN": token})
    assert told.returncode == 0 and "vera" in told.stdout, told.stdout + told.stderr
    refused = closed.run("runs", "--server", closed.url, env={"MEESH_TOKEN": "meesh_wrong"})
    assert refused.returncode != 0 and "token is not valid" in refused.stderr + refused.stdout


def test_a_stranger_on_another_port_does_not_get_the_token(closed, work_folder):
    """A server of somebody else on this machine names the token file of this one."""
    from http.server import BaseHTTPRequestHandler, HTTPServer
    seen = []

    class Stranger(BaseHTTPRequestHandler):
        def do_GET(self):
            seen.append(self.headers.get("Authorization"))
            self.send_response(401)
            self.send_header("X-Meesh-Token-File", str(closed.data / "token"))
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *arguments):
            pass

    with HTTPServer(("127.0.0.1", 0), Stranger) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        done = closed.run("runs", "--server", f"http://127.0.0.1:{server.server_port}")
        server.shutdown()
    assert done.returncode != 0 and seen and set(seen) == {None}


def test_trino_clients_with_a_password_over_tls(work_folder, monkeypatch):
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):  # which would win over `verify`
        monkeypatch.delenv(name, raising=False)
    pem, key = certificate(work_folder / "tls-sign-in")
    folder = plain_mesh(work_folder / "tls-mesh",
                        tls={"certificate": str(pem), "key": str(key)})
    meesh = TlsMeesh(folder, work_folder / "tls-data")
    meesh.start()
    try:
        close(meesh)

        def ask(user, password, named=None):
            auth = trino.auth.BasicAuthentication(user, password)
            with trino.dbapi.connect(host="localhost", port=meesh.port, http_scheme="https",
                                     user=named or user, auth=auth, verify=str(pem)) as connection:
                cursor = connection.cursor()
                cursor.execute("SELECT current_user, count(*) FROM tpch.tiny.orders")
                return cursor.fetchall()

        for _ in range(100):  # the running server sees it within a second
            answer = requests.get(meesh.url + "/api/v1/session", verify=str(pem))
            if answer.status_code == 401:
                break
            threading.Event().wait(0.05)
        assert ask("eve", PASSWORDS["eve"]) == [["eve", 15000]]
        with pytest.raises(Exception, match="401|password"):
            ask("eve", "a wrong password")
        with pytest.raises(Exception, match="impersonate"):
            ask("eve", PASSWORDS["eve"], named="ada")
        answer = requests.post(meesh.url + "/api/v1/session", verify=str(pem),
                               json={"user": "eve", "password": PASSWORDS["eve"]})
        assert "Secure" in answer.headers["Set-Cookie"]
    finally:
        meesh.stop()


class TlsMeesh(Meesh):
    @property
    def url(self):
        return f"https://localhost:{self.port}"

    def ready(self):
        if self.process.poll() is not None:
            raise AssertionError(f"meesh ended with {self.process.returncode}")
        try:
            return requests.get(f"{self.url}/v1/info", timeout=2, verify=False).ok
        except requests.RequestException:
            return False


def test_who_signed_in_stands_in_the_audit_trail(closed):
    Browser(closed, "eve")
    requests.post(closed.url + "/api/v1/session", json={"user": "eve", "password": "wrong guess"})

    def outcomes():
        told = requests.get(closed.url + "/api/v1/admin/audit?action=console:SignIn&user=eve",
                            headers=basic("ada")).json()["events"]
        return {event["outcome"] for event in told}
    for _ in range(100):
        if outcomes() == {"allowed", "denied"}:
            break
        threading.Event().wait(0.05)
    assert outcomes() == {"allowed", "denied"}


def test_no_secret_stands_in_the_log_or_the_trail(closed):
    token = make_token(closed, "eve")["token"]
    requests.get(closed.url + "/api/v1/session", headers={"Authorization": "Bearer " + token})
    Browser(closed, "eve")
    threading.Event().wait(0.3)  # the trail is written a moment later
    text = closed.log_text() + "".join(file.read_text() for file in (closed.data / "audit").iterdir())
    local = (closed.data / "token").read_text().split()[1]
    for secret in (*PASSWORDS.values(), token, local):
        assert secret not in text
    assert not re.search(r"meesh_[0-9A-Za-z]{43}", text)
    assert json.dumps(PASSWORDS["eve"])[1:-1] not in text


PIPELINE = """
name: p
assets:
  models: { dbt: trial, command: run }
  script: { python: ask.py, depends_on: [models] }
"""
SCRIPT = """
import os, urllib.request
def ask(headers):
    request = urllib.request.Request(os.environ["MEESH_URL"] + "/api/v1/session", headers=headers)
    return urllib.request.urlopen(request).status
assert ask({"Authorization": "Bearer " + os.environ["MEESH_TOKEN"]}) == 200
try:
    ask({})
    raise SystemExit("a script without its token is let in")
except urllib.error.HTTPError as error:
    assert error.code == 401
"""


def test_dbt_and_python_steps_go_on_working(work_folder):
    mesh = plain_mesh(work_folder / "steps")
    for name, text in {"dbt/trial/dbt_project.yml": "name: trial\nprofile: trial\n",
                       "dbt/trial/models/one.sql": "SELECT 1 AS n\n",
                       "pipelines/p.yaml": PIPELINE, "pipelines/ask.py": SCRIPT}.items():
        (mesh / name).parent.mkdir(parents=True, exist_ok=True)
        (mesh / name).write_text(text)
    meesh = Meesh(mesh, work_folder / "steps-data").start()
    try:
        meesh.stop()
        close(meesh)
        meesh.start()
        done = meesh.run("run", "p", "--server", meesh.url)
        log = requests.get(meesh.url + "/api/v1/runs", headers=basic("ada")).text
        assert done.returncode == 0, done.stdout + done.stderr + log
        assert requests.post(meesh.url + "/v1/statement", data="SELECT 1").status_code == 401
    finally:
        meesh.stop()
