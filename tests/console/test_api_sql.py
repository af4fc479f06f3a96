"""The SQL lab's API: saved queries and whose they are, the history of statements, exports."""
import csv
import io
import json
import time
import zipfile

import duckdb
import pyarrow.parquet as pq
import pytest
import requests
import trino
from support.meesh import ROOT, Meesh, plain_mesh
from support.processes import wait_until

USERS = {"ada": "consoleAdmin", "bob": "readwrite", "eve": "readwrite", "vera": "readonly"}
TYPES = """SELECT 9223372036854775807 AS big, DECIMAL '12345678901234567890.12' AS exact,
    '=1+1' AS formula, CAST(NULL AS varchar) AS nothing, '' AS empty, 'a "b", c
d é' AS text, DATE '2024-02-29' AS day, TIMESTAMP '2024-01-01 00:00:00.123 Europe/Paris' AS moment,
    ARRAY[1, NULL, 3] AS list, MAP(ARRAY['k'], ARRAY[DATE '2024-01-01']) AS pairs,
    CAST(ROW(1, 'x') AS ROW(a integer, b varchar)) AS part, X'00ff' AS bytes, 1.5e0 AS number,
    nan() AS odd, true AS flag, UUID '12151fd2-7586-11e9-8f9e-2a86e4085a59' AS id,
    TIME '10:11:12.5' AS clock, INTERVAL '3' DAY AS span, JSON '{"a": [1]}' AS doc"""


def password(user):
    return f"{user}'s long password"


@pytest.fixture(scope="module")
def mesh(work_folder):
    """A closed one, so that users differ."""
    folder = work_folder / "sql-api"
    meesh = Meesh(plain_mesh(folder), work_folder / "sql-api-data").start()
    meesh.stop()
    for user, policy in USERS.items():
        for arguments in (["add", user, "--policy", policy], ["password", user]):
            done = meesh.run("access", *arguments, "--mesh", meesh.mesh, "--data", meesh.data,
                             input=password(user) + "\n")
            assert done.returncode == 0, done.stdout + done.stderr
    meesh.start()
    yield meesh
    meesh.stop()


class Person:
    def __init__(self, mesh, user):
        self.mesh, self.user = mesh, user

    def __call__(self, method, path, status=None, **options):
        answer = requests.request(method, f"{self.mesh.url}/api/v1/sql{path}",
                                  auth=(self.user, password(self.user)), timeout=60, **options)
        if status is not None:
            assert answer.status_code == status, answer.text
        return answer

    def save(self, name="Sales", **more):
        return self("POST", "/saved", 201, json={"name": name, "statement": "SELECT 1", **more}).json()

    def export(self, statement, format, status=200, **more):
        return self("POST", "/export", status, json={"statement": statement, "format": format, **more})

    def run(self, statement, source="test"):
        page = requests.post(f"{self.mesh.url}/v1/statement", data=statement.encode(),
                             headers={"X-Trino-User": self.user, "X-Trino-Source": source},
                             auth=(self.user, password(self.user))).json()
        rows = []
        while "nextUri" in page:
            page = requests.get(page["nextUri"], auth=(self.user, password(self.user)),
                                headers={"X-Trino-User": self.user}).json()
            rows += page.get("data", [])
        return page, rows


@pytest.fixture
def people(mesh):
    return {user: Person(mesh, user) for user in USERS}


@pytest.fixture
def ada(people):
    return people["ada"]


@pytest.fixture
def bob(people):
    return people["bob"]


@pytest.fixture
def eve(people):
    return people["eve"]


# ---- saved queries

def test_a_query_is_saved_read_changed_and_deleted(bob):
    made = bob.save("Ventes été", description="**Par** mois", catalog="tpch", schema="tiny")
    assert made["owner"] == "bob" and made["may_edit"] and not made["everyone"]
    assert bob("GET", f"/saved/{made['id']}", 200).json() == made
    changed = bob("PUT", f"/saved/{made['id']}", 200,
                  json={"name": "Other", "statement": "SELECT 2", "everyone": True}).json()
    assert (changed["name"], changed["statement"], changed["everyone"]) == ("Other", "SELECT 2", True)
    assert changed["created_ms"] == made["created_ms"] and "catalog" not in changed
    assert bob("DELETE", f"/saved/{made['id']}", 204).content == b""
    assert bob("GET", f"/saved/{made['id']}", 404).json()["code"] == "NOT_FOUND"


def test_what_is_private_does_not_exist_for_others(ada, bob, eve):
    secret = bob.save("Secret")["id"]
    for other in (eve, ada):  # an administrator is an other too
        assert other("GET", f"/saved/{secret}").status_code == 404
        assert other("PUT", f"/saved/{secret}", json={"name": "x", "statement": "x"}).status_code == 404
        assert other("DELETE", f"/saved/{secret}").status_code == 404
        listed = other("GET", "/saved?q=Secret", 200).json()["queries"]
        assert secret not in [one["id"] for one in listed]
    assert bob("GET", f"/saved/{secret}", 200).json()["name"] == "Secret"


def test_what_is_for_everyone_is_changed_by_its_owner_and_administrators(people, ada, bob, eve):
    shared = bob.save("Shared", everyone=True)["id"]
    seen = eve("GET", f"/saved/{shared}", 200).json()
    assert seen["owner"] == "bob" and not seen["may_edit"]
    body = {"name": "Mine now", "statement": "SELECT 2", "everyone": True, "owner": "eve"}
    assert eve("PUT", f"/saved/{shared}", 403, json=body).json()["code"] == "PERMISSION_DENIED"
    eve("DELETE", f"/saved/{shared}", 403)
    people["vera"]("GET", f"/saved/{shared}", 200)
    people["vera"]("DELETE", f"/saved/{shared}", 403)
    changed = ada("PUT", f"/saved/{shared}", 200, json=body).json()
    assert changed["owner"] == "bob" and changed["name"] == "Mine now"


def test_a_viewer_saves_nothing(people):
    people["vera"]("POST", "/saved", 403, json={"name": "x", "statement": "SELECT 1"})


@pytest.mark.parametrize("body", [
    {}, {"name": "x"}, {"statement": "x"}, {"name": "", "statement": "x"}, {"name": " ", "statement": "x"},
    {"name": "x", "statement": " \n"}, {"name": "x" * 201, "statement": "x"}, {"name": 1, "statement": "x"},
    {"name": "x", "statement": "x", "everyone": "yes"}, {"name": "x\u0000y", "statement": "x"},
    {"name": "x", "statement": "x", "description": "d" * 10_001}])
def test_what_is_no_query_is_not_saved(bob, body):
    assert bob("POST", "/saved", 400, json=body).json()["detail"]


@pytest.mark.parametrize("id", ["nope", "%00", "..%2f..%2fsession", "%2e%2e", "' OR 1=1 --", "%ff%fe",
                                "x" * 5000, "0", "00000000-0000-0000-0000-000000000000", "%0d%0aX: y"])
def test_guessed_ids_lead_nowhere(eve, id):
    for method in ("GET", "PUT", "DELETE"):
        answer = eve(method, f"/saved/{id}", json={"name": "x", "statement": "x"})
        assert answer.status_code in (400, 404, 405), (method, answer.status_code)


def test_lists_go_on_where_the_page_before_ended(bob):
    made = [bob.save(f"Paged {number}")["id"] for number in range(7)]
    seen, cursor = [], None
    for _ in range(10):
        page = bob("GET", "/saved", 200, params={"limit": 3, "q": "paged", "cursor": cursor}).json()
        assert len(page["queries"]) <= 3
        seen += [one["id"] for one in page["queries"]]
        cursor = page.get("next")
        if not cursor:
            break
    assert seen == made[::-1]


@pytest.mark.parametrize("cursor", ["x", "", "AAAA", "MTIz", "OjEyMw", "%00", "-", "MTIzOmFiYw=="])
def test_made_up_cursors_are_refused(bob, cursor):
    assert bob("GET", f"/saved?cursor={cursor}").status_code == 400
    assert bob("GET", f"/history?cursor={cursor}").status_code == 400


# ---- history

def past(person, q, **more):
    return person("GET", "/history", 200, params={"q": q, **more}).json()["statements"]


def test_statements_of_any_client_are_remembered(mesh, people, bob):
    bob.run("SELECT 'by http' FROM tpch.tiny.nation")
    found = past(bob, "by http")[0]
    assert (found["state"], found["rows"], found["user"], found["source"]) == ("FINISHED", 25, "bob", "test")
    assert abs(found["started_ms"] - time.time() * 1000) < 60_000 and found["elapsed_ms"] >= 0
    bob.run("SELECT 'it fails', nope")
    failed = past(bob, "it fails")[0]
    assert failed["state"] == "FAILED" and failed["error_code"] == "COLUMN_NOT_FOUND"
    assert "nope" in failed["error"]
    bob.run("CREATE TABLE memory.default.remembered AS SELECT * FROM tpch.tiny.region")
    assert past(bob, "remembered")[0]["rows"] == 5


def test_a_canceled_statement_says_so(bob):
    auth = ("bob", password("bob"))
    page = requests.post(f"{bob.mesh.url}/v1/statement", auth=auth, headers={"X-Trino-User": "bob"},
                         data="SELECT count(*) FROM tpch.tiny.lineitem a, tpch.tiny.lineitem b, "
                              "tpch.tiny.lineitem c WHERE a.comment < b.comment || c.comment").json()
    requests.delete(page["nextUri"], auth=auth, headers={"X-Trino-User": "bob"})
    wait_until(lambda: [one for one in past(bob, "tiny.lineitem a") if one["state"] == "CANCELED"], 20,
               "the canceled statement in the history")


def test_everybody_sees_his_own(ada, bob, eve):
    bob.run("SELECT 'only bob knows'")
    assert past(bob, "only bob knows")
    assert not past(eve, "only bob knows") and not past(ada, "only bob knows")
    assert [one["user"] for one in past(ada, "only bob knows", everyone="true")] == ["bob"]
    eve("GET", "/history?everyone=true", 403)


def test_the_consoles_own_questions_and_passwords_are_not_remembered(bob):
    bob.run("SELECT 'asked by the page'", source="console-meta")
    bob.run("CREATE CATALOG shop USING postgresql WITH (\"connection-password\" = 'geheim')")
    assert not past(bob, "asked by the page")
    assert not past(bob, "geheim")
    assert past(bob, "create catalog shop")


def test_history_outlives_the_server(mesh, bob):
    bob.run("SELECT 'before the restart'")
    saved = bob.save("Stays")["id"]
    mesh.stop()
    mesh.start()
    assert past(bob, "before the restart")[0]["state"] == "FINISHED"
    assert bob("GET", f"/saved/{saved}", 200).json()["name"] == "Stays"


# ---- exports

def rows_of_csv(answer):
    return list(csv.reader(io.StringIO(answer.content.decode(), newline="")))


def test_csv_has_every_value_as_it_is(bob):
    answer = bob.export(TYPES, "csv", name="Été 1", time_zone="Europe/Paris")
    assert answer.headers["Content-Type"].startswith("text/csv")
    assert answer.headers["Content-Disposition"] == \
        "attachment; filename=\"__t__ 1.csv\"; filename*=UTF-8''%C3%89t%C3%A9%201.csv"
    head, row = rows_of_csv(answer)
    told = dict(zip(head, row))
    assert told["big"] == "9223372036854775807" and told["exact"] == "12345678901234567890.12"
    assert told["formula"] == "'=1+1"
    assert told["text"] == 'a "b", c\nd é' and told["nothing"] == "" and told["empty"] == ""
    assert told["day"] == "2024-02-29" and told["moment"] == "2024-01-01 00:00:00.123 Europe/Paris"
    assert json.loads(told["list"]) == [1, None, 3] and told["odd"] == "NaN" and told["number"] == "1.5"
    assert told["clock"].startswith("10:11:12.5") and json.loads(told["doc"]) == {"a": [1]}
    # NULL is nothing between commas, empty text is "".
    assert b',,"",' in answer.content


def test_formulas_may_be_left_as_they_are(bob):
    head, row = rows_of_csv(bob.export(TYPES, "csv", guard_formulas=False))
    assert dict(zip(head, row))["formula"] == "=1+1"


def test_formulas_in_column_names_are_guarded_too(bob):
    head, _ = rows_of_csv(bob.export('SELECT 1 AS "=cmd|calc!A1", -5 AS n', "csv"))
    assert head == ["'=cmd|calc!A1", "n"]


def test_json_keeps_numbers_and_names(bob):
    answer = bob.export('SELECT 9223372036854775807 AS big, 1 AS "x""y", 2 AS "x""y", NULL AS n', "json")
    assert answer.json() == [{"big": 9223372036854775807, 'x"y': 1, 'x"y_1': 2, "n": None}]
    assert bob.export("SELECT 1 AS a WHERE false", "json").json() == []


def test_parquet_has_types(bob):
    table = pq.read_table(io.BytesIO(bob.export(TYPES, "parquet").content))
    row = table.to_pylist()[0]
    types = {field.name: str(field.type) for field in table.schema}
    assert row["big"] == 9223372036854775807 and str(row["exact"]) == "12345678901234567890.12"
    assert types["exact"].startswith("decimal128(22, 2") and types["day"].startswith("date32")
    assert row["formula"] == "=1+1" and row["nothing"] is None and row["empty"] == ""
    assert row["list"] == [1, None, 3] and row["part"] == {"a": 1, "b": "x"} and row["bytes"] == b"\x00\xff"
    assert row["moment"].isoformat().startswith("2023-12-31T23:00:00.123")


def sheet(content, work_folder, name):
    file = work_folder / f"{name}.xlsx"
    file.write_bytes(content)
    connection = duckdb.connect()
    extension = next(ROOT.glob(".deps/duckdb-*/extensions/excel.duckdb_extension"))
    connection.execute(f"LOAD '{extension}'")
    return connection.execute(f"SELECT * FROM read_xlsx('{file}', header = true)").fetchdf()


def test_excel_has_no_formulas_and_loses_no_digits(bob, work_folder):
    answer = bob.export(TYPES, "xlsx")
    with zipfile.ZipFile(io.BytesIO(answer.content)) as parts:
        cells = parts.read("xl/worksheets/sheet1.xml").decode()
    assert "<f>" not in cells and "<f " not in cells and "=1+1" in cells
    told = sheet(answer.content, work_folder, "types").iloc[0]
    assert str(told["big"]) == "9223372036854775807" and str(told["exact"]) == "12345678901234567890.12"
    assert told["number"] == 1.5 and str(told["day"]).startswith("2024-02-29")
    small = sheet(bob.export("SELECT nationkey, name FROM tpch.tiny.nation ORDER BY 1", "xlsx").content,
                  work_folder, "small")
    assert len(small) == 25 and small["nationkey"].tolist() == list(range(25))
    assert small["name"][0] == "ALGERIA"


def test_more_rows_than_excel_has_are_refused(bob):
    told = bob.export("SELECT a.x FROM UNNEST(sequence(1, 1100)) AS a(x), UNNEST(sequence(1, 1000)) AS b(x)",
                      "xlsx", 400).json()
    assert "1048575" in told["detail"] and "Parquet" in told["hint"]


@pytest.mark.parametrize("format", ["csv", "json", "parquet", "xlsx"])
def test_all_rows_come(bob, format, work_folder):
    answer = bob.export("SELECT orderkey, totalprice, comment FROM tpch.tiny.orders ORDER BY orderkey", format)
    count = {"csv": lambda: len(rows_of_csv(answer)) - 1, "json": lambda: len(answer.json()),
             "parquet": lambda: pq.read_table(io.BytesIO(answer.content)).num_rows,
             "xlsx": lambda: len(sheet(answer.content, work_folder, "orders"))}[format]()
    assert count == 15_000


@pytest.mark.parametrize("format", ["csv", "json", "parquet", "xlsx"])
def test_nothing_found_is_a_file_too(bob, format, work_folder):
    answer = bob.export("SELECT nationkey, name FROM tpch.tiny.nation WHERE false", format)
    if format == "csv":
        assert answer.text == "nationkey,name\r\n"
    if format == "parquet":
        table = pq.read_table(io.BytesIO(answer.content))
        assert table.num_rows == 0 and table.column_names == ["nationkey", "name"]
    if format == "xlsx":
        assert answer.content.startswith(b"PK")


def test_show_and_explain_are_exported(bob):
    assert ["tpch"] in rows_of_csv(bob.export("SHOW CATALOGS", "csv"))
    assert rows_of_csv(bob.export("EXPLAIN SELECT 1", "csv"))[0] == ["Query Plan"]


@pytest.mark.parametrize("statement", [
    "CREATE TABLE memory.default.no AS SELECT 1 AS a", "DROP TABLE memory.default.no", "CALL system.x()",
    "EXPLAIN ANALYZE CREATE TABLE memory.default.no AS SELECT 1 AS a", "SET SESSION x = 1", "START TRANSACTION",
    "PREPARE p FROM SELECT 1", "EXECUTE IMMEDIATE 'DROP TABLE memory.default.no'", "USE tpch.tiny",
    "DELETE FROM memory.default.no"])
def test_an_export_changes_nothing(bob, statement):
    assert "only the rows of a query" in bob.export(statement, "csv", 400).json()["detail"]
    assert bob.run("SHOW TABLES FROM memory.default LIKE 'no'")[1] == []


def test_mistakes_are_told_at_their_place(bob):
    for format in ("csv", "parquet"):
        told = bob.export("SELECT *\nFROM tpch.tiny.nope", format, 404).json()
        assert (told["code"], told["line"], told["column"]) == ("TABLE_NOT_FOUND", 2, 6)
    told = bob.export("SELECT name FROM nation WHERE 1 / (nationkey - nationkey) = 1", "xlsx", 400,
                      catalog="tpch", schema="tiny").json()
    assert told["code"] == "DIVISION_BY_ZERO"


@pytest.mark.parametrize("body", [
    {}, {"statement": "SELECT 1"}, {"format": "csv"}, {"statement": "SELECT 1", "format": "pdf"},
    {"statement": 1, "format": "csv"}, {"statement": "SELECT 1", "format": "csv", "time_zone": "Mars/Base"},
    {"statement": "SELECT 1", "format": "csv", "guard_formulas": "no"},
    {"statement": "SELECT 1; SELECT 2", "format": "csv"}, {"statement": "", "format": "csv"}])
def test_what_is_no_export_is_refused(bob, body):
    assert bob("POST", "/export", 400, json=body).json()["detail"]


@pytest.mark.parametrize("name", ["a\r\nX-Evil: 1", "../../etc/passwd", '"; rm', "\u202egnp", "é" * 200, "",
                                  "a/b\\c", "\t", "%00", "😀"])
def test_a_files_name_breaks_no_header(bob, name):
    answer = bob.export("SELECT 1 AS a", "csv", name=name)
    assert "X-Evil" not in answer.headers
    plain = answer.headers["Content-Disposition"].split("; ")[1]
    assert plain.startswith('filename="') and plain.endswith('.csv"')
    assert not set(plain[10:-1]) & set('/\\"\r\n;'), plain


def test_who_leaves_ends_the_statement(mesh, bob):
    statement = ("SELECT a.comment FROM tpch.tiny.lineitem a, tpch.tiny.lineitem b "
                 "WHERE a.comment <> b.comment -- left alone")
    answer = requests.post(f"{mesh.url}/api/v1/sql/export", stream=True, auth=("bob", password("bob")),
                           json={"statement": statement, "format": "csv"}, timeout=60)
    next(answer.iter_content(1000))
    answer.close()
    wait_until(lambda: [one for one in past(bob, "left alone") if one["state"] == "CANCELED"], 30,
               "the end of an export that nobody reads")


def test_exports_leave_no_files(mesh, bob):
    bob.export("SELECT 1 AS a", "parquet")
    bob.export("SELECT nope", "parquet", 400)
    bob.export("SELECT 1 / (nationkey - nationkey) FROM tpch.tiny.nation", "xlsx", 400)
    assert list((mesh.data / "spill" / "exports").iterdir()) == []


def test_clients_of_trino_go_on_as_before(mesh, bob):
    connection = trino.dbapi.connect(host="localhost", port=mesh.port, user="bob", source="dbapi",
                                     auth=None, http_headers={}, catalog="tpch", schema="tiny",
                                     http_scheme="http", session_properties={},
                                     http_session=_session("bob"))
    cursor = connection.cursor()
    assert cursor.execute("SELECT count(*) AS through_dbapi FROM nation").fetchall() == [[25]]
    assert past(bob, "through_dbapi")[0]["source"] == "dbapi"


def _session(user):
    session = requests.Session()
    session.auth = (user, password(user))
    return session
