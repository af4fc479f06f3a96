"""The catalogue's API over a small mesh: search, annotations, glossary, lineage of tags, usage,
contracts, Git."""
import json
import subprocess
import time

import psycopg2
import pytest
import requests
import trino
import yaml
from support.meesh import external, plain_mesh
from support.processes import wait_until


class Catalogue:
    """The API of one server, and SQL for its users."""

    def __init__(self, meesh):
        self.meesh, self.url = meesh, f"{meesh.url}/api/v1"

    def get(self, path, status=200, **query):
        answer = requests.get(f"{self.url}/{path}", params=query, timeout=30)
        assert answer.status_code == status, answer.text
        return answer.json()

    def send(self, method, path, body=None, status=200, **headers):
        answer = requests.request(method, f"{self.url}/{path}", json=body, timeout=30,
                                  headers=headers)
        assert answer.status_code == status, answer.text
        return answer.json() if answer.content else None

    def asset(self, name, status=200):
        return self.get(f"catalogue/assets/{requests.utils.quote(name, safe='')}", status)

    def put(self, name, note, etag="", status=200):
        headers = {"If-Match": f'"{etag}"'} if etag else {}
        return self.send("PUT", f"catalogue/assets/{requests.utils.quote(name, safe='')}", note,
                         status, **headers)

    def column(self, asset, column):
        return next(c for c in self.asset(asset)["columns"] if c["name"] == column)

    def names(self, text, **query):
        return [hit["name"] for hit in self.get("search", q=text, **query)["hits"]]

    def sql(self, text, user="ada"):
        cursor = trino.dbapi.connect(host=self.meesh.host, port=self.meesh.port, user=user,
                                     catalog="lake", schema="s").cursor()
        cursor.execute(text)
        return cursor.fetchall()

    def ready(self):
        wait_until(lambda: self.get("catalogue/home")["ready"], 30, "the catalogue is filled")
        return self


@pytest.fixture
def mesh(folder):
    return plain_mesh(folder / "mesh")


@pytest.fixture
def catalogue(mesh, folder, start_meesh):
    made = Catalogue(start_meesh(mesh, folder / "data"))
    made.sql("CREATE SCHEMA lake.s")
    return made.ready()


def customers(catalogue):
    """Two tables and a view, each made of the one before."""
    catalogue.sql("CREATE TABLE lake.s.customers (id integer, email varchar, name varchar)")
    catalogue.sql("INSERT INTO lake.s.customers VALUES (1, 'a@b.c', 'Ada')")
    catalogue.sql("CREATE TABLE lake.s.contacts AS SELECT id, lower(email) AS mail FROM customers")
    catalogue.sql("CREATE VIEW lake.s.mails AS SELECT mail AS address, id FROM contacts")
    wait_until(lambda: "lake.s.mails" in catalogue.names("mails"), 20, "the view is found")


def test_what_is_made_is_found_soon_and_what_is_dropped_is_not(catalogue):
    catalogue.sql("CREATE TABLE lake.s.customer_orders (order_id bigint, total_amount double)")
    wait_until(lambda: catalogue.names("customer ord") == ["lake.s.customer_orders"], 20, "found")
    assert "lake.s.customer_orders" in catalogue.names("total_am")
    assert "lake.s.customer_orders" in catalogue.names("tomer_ord")  # inside of words
    hit = catalogue.get("search", q="customer_orders")["hits"][0]
    assert hit["kind"] == "table" and hit["url"] == "/catalogue/lake.s.customer_orders"
    catalogue.sql("DROP TABLE lake.s.customer_orders")
    wait_until(lambda: catalogue.names("customer_orders") == [], 20, "gone")
    catalogue.asset("lake.s.customer_orders", 404)


def test_a_table_of_postgresql_that_others_made_is_found(folder, postgres, start_meesh):
    server = postgres("shop")
    server.query("CREATE TABLE first (id integer)")
    mesh = plain_mesh(folder / "mesh", {"shop": external(server)})
    catalogue = Catalogue(start_meesh(mesh, folder / "data")).ready()
    hit = catalogue.get("search", q="first", kind="table")["hits"][0]
    assert hit["name"] == "shop.public.first"
    assert hit["domain"] == "shop" and hit["owner"] == "shop team"
    server.query("CREATE TABLE later (id integer)")
    wait_until(lambda: "shop.public.later" in catalogue.names("later"), 60, "found")


def test_pages_and_facets_agree(catalogue):
    everything = catalogue.get("search", limit=1000, facets="true")
    assert everything["total"] == len(everything["hits"])
    assert sum(f["count"] for f in everything["facets"]["kinds"]) == everything["total"]
    found, cursor = [], None
    while True:
        page = catalogue.get("search", limit=7, **({"cursor": cursor} if cursor else {}))
        found += [(hit["kind"], hit["name"]) for hit in page["hits"]]
        cursor = page.get("next")
        if not cursor:
            break
    assert sorted(found) == sorted((h["kind"], h["name"]) for h in everything["hits"])
    for query in ({"limit": 0}, {"limit": "x"}, {"cursor": "-1"}, {"missing": "all"}):
        problem = catalogue.get("search", 400, **query)
        assert problem["code"] == "BAD_REQUEST" and problem["status"] == 400


def test_what_an_editor_says_stands_in_the_file(catalogue, mesh):
    customers(catalogue)
    before = catalogue.asset("lake.s.customers")
    assert before["etag"] == "none" and before["description"] == ""
    after = catalogue.put("lake.s.customers", {
        "description": "Who *buys*.\n\nOne row a person.", "owner": "Sales team", "tier": "gold",
        "tags": ["KPI", "PII.Any"],
        "columns": {"email": {"description": "Of the person", "tags": ["PII.Email"]}}}, "none")
    assert after["owner"] == "Sales team" and not after["owner_of_domain"]
    assert after["file"] == "catalogue/lake.yaml"
    written = yaml.safe_load((mesh / "catalogue/lake.yaml").read_text())["assets"]
    assert written["lake.s.customers"]["description"].strip() == "Who *buys*.\n\nOne row a person."
    assert written["lake.s.customers"]["columns"]["email"]["tags"] == ["PII.Email"]
    assert "lake.s.customers" in catalogue.names("KPI")
    assert catalogue.names("buys") == ["lake.s.customers"]
    assert catalogue.names("", tag="PII.Email") == ["lake.s.customers"]
    # Somebody who looked before must not undo it.
    problem = catalogue.put("lake.s.customers", {"owner": "me"}, "none", status=412)
    assert problem["code"] == "TRANSACTION_CONFLICT" and problem["hint"]
    assert catalogue.asset("lake.s.customers")["owner"] == "Sales team"
    catalogue.put("lake.s.customers", {}, after["etag"])
    assert catalogue.asset("lake.s.customers")["etag"] == "none"


def test_what_people_write_by_hand_is_taken_in_and_mistakes_are_told(catalogue, mesh):
    customers(catalogue)
    file = mesh / "catalogue" / "mine.yaml"
    file.parent.mkdir(exist_ok=True)
    file.write_text("assets:\n  lake.s.customers: { owner: By hand }\n")
    wait_until(lambda: catalogue.asset("lake.s.customers")["owner"] == "By hand", 20, "read")
    file.write_text("assets:\n  lake.s.customers: { ownr: Typo }\n")
    wait_until(lambda: catalogue.get("catalogue/home")["problems"], 20, "told")
    problem = catalogue.get("catalogue/home")["problems"][0]
    assert problem["line"] == 2 and "owner" in problem["text"]
    assert catalogue.asset("lake.s.customers")["owner"] == "By hand"
    assert not catalogue.get("system/status")["searchInstance"]["passed"]
    assert catalogue.put("lake.s.customers", {"owner": "x"}, status=422)["code"] == "CONFIG_INVALID"
    assert "Typo" in file.read_text()


def test_tags_and_terms_flow_along_column_lineage(catalogue):
    customers(catalogue)
    catalogue.send("PUT", "glossary/Address", {"definition": "Where **mail** goes"})
    catalogue.put("lake.s.customers", {"columns": {
        "email": {"tags": ["PII.Email"], "terms": ["Address"]}, "id": {"tags": ["key"]}}})
    mail = catalogue.column("lake.s.contacts", "mail")
    assert sorted((i["kind"], i["value"]) for i in mail["inherited"]) == [
        ("tag", "PII.Email"), ("term", "Address")]
    assert mail["tags"] == []
    address = catalogue.column("lake.s.mails", "address")
    assert {i["from"]["asset"] for i in address["inherited"]} == {"lake.s.customers"}
    assert [i["value"] for i in catalogue.column("lake.s.mails", "id")["inherited"]] == ["key"]
    used = catalogue.get("glossary/Address")["used_by"]
    assert {(u["asset"], u["column"], u["inherited"]) for u in used} == {
        ("lake.s.customers", "email", False), ("lake.s.contacts", "mail", True),
        ("lake.s.mails", "address", True)}
    # It stops where it is told to.
    catalogue.put("lake.s.contacts", {"columns": {"mail": {"propagate": False}}})
    assert catalogue.column("lake.s.contacts", "mail")["inherited"]
    assert catalogue.column("lake.s.mails", "address")["inherited"] == []
    catalogue.put("lake.s.contacts", {"columns": {"mail": {"inherit": False}}})
    assert catalogue.column("lake.s.contacts", "mail")["inherited"] == []


def test_impact_names_everything_that_comes_of_a_column(catalogue, mesh):
    customers(catalogue)
    boards = mesh / "dashboards"
    boards.mkdir(exist_ok=True)
    (boards / "people.yaml").write_text(yaml.safe_dump({
        "title": {"en": "People", "fr": "Personnes"},
        "charts": [{"id": "a", "kind": "bar", "title": "Mails",
                    "sql": "SELECT address FROM lake.s.mails WHERE id = :id"}]}))
    items = catalogue.get("catalogue/impact", asset="lake.s.customers", column="email")["items"]
    assert [(i["kind"], i["name"], i["distance"]) for i in items] == [
        ("table", "lake.s.contacts", 1), ("view", "lake.s.mails", 2), ("dashboard", "people", 3)]
    assert items[1]["column"] == "address" and items[2]["via"] == "lake.s.mails"
    nothing = catalogue.get("catalogue/impact", asset="lake.s.customers", column="name")
    assert nothing["items"] == []


def test_usage_counts_statements_that_ran(catalogue):
    customers(catalogue)
    for _ in range(3):
        catalogue.sql("SELECT c.id FROM customers c JOIN contacts k ON c.id = k.id")
    catalogue.sql("WITH customers AS (SELECT 1) SELECT * FROM customers", user="bob")
    catalogue.sql("SELECT count(*) FROM lake.s.contacts WHERE id IN (SELECT id FROM mails)",
                  user="bob")
    with pytest.raises(trino.exceptions.TrinoUserError):
        catalogue.sql("SELECT nothing FROM contacts", user="eve")

    def usage(name):
        return catalogue.get("catalogue/usage", asset=name)
    wait_until(lambda: usage("lake.s.mails")["statements"] == 1, 20, "counted")
    found = usage("lake.s.contacts")
    users = {u["user"]: u["statements"] for u in found["users"]}
    assert users == {"ada": 4, "bob": 1}  # a view was made of it as well
    assert {j["name"] for j in found["joined_with"]} == {"lake.s.customers", "lake.s.mails"}
    assert found["days"][-1]["day_ms"] % 86_400_000 == 0
    assert abs(found["last_ms"] - time.time() * 1000) < 60_000
    assert usage("lake.s.customers")["users"] == [{"user": "ada", "statements": 4}]
    most = catalogue.get("catalogue/home")["most_used"]
    assert most[0]["name"] == "lake.s.contacts"


def test_usage_survives_a_restart(mesh, folder, start_meesh):
    catalogue = Catalogue(start_meesh(mesh, folder / "data")).ready()
    catalogue.sql("CREATE SCHEMA lake.s")
    catalogue.sql("CREATE TABLE lake.s.t AS SELECT 1 AS x")
    catalogue.sql("SELECT * FROM lake.s.t")
    wait_until(lambda: catalogue.get("catalogue/usage", asset="lake.s.t")["statements"] == 1, 20,
               "counted")
    assert catalogue.meesh.stop() == 0
    catalogue.meesh.start()
    assert catalogue.get("catalogue/usage", asset="lake.s.t")["statements"] == 1


def test_the_glossary_is_a_tree_that_stays_whole(catalogue, mesh):
    put = lambda name, body, status=200, **h: catalogue.send(  # noqa: E731
        "PUT", f"glossary/{requests.utils.quote(name, safe='')}", body, status, **h)
    put("Customer", {"definition": "Who buys", "synonyms": ["client"], "status": "approved"})
    put("Segment / RFM", {"parent": "Customer", "related": ["Customer"]})
    assert put("Lost", {"parent": "Custmer"}, 404)["hint"] == "did you mean 'Customer'?"
    assert put("Customer", {"parent": "Segment / RFM"}, 400)["code"] == "CONSTRAINT_VIOLATION"
    assert put("Customer", {"status": "agreed"}, 422)["code"] == "CONFIG_INVALID"
    assert catalogue.names("client") == ["Customer"]
    terms = {t["name"]: t for t in catalogue.get("glossary")["terms"]}
    assert terms["Segment / RFM"]["parent"] == "Customer"
    put("Customer", {"definition": "x"}, 412, **{"If-Match": '"none"'})
    catalogue.send("DELETE", "glossary/Customer", None, 400)
    catalogue.send("DELETE", "glossary/Segment%20%2F%20RFM", None, 204)
    catalogue.send("DELETE", "glossary/Customer", None, 204)
    assert catalogue.get("glossary")["terms"] == []
    assert yaml.safe_load((mesh / "glossary/glossary.yaml").read_text()) == {"terms": {}}


CONTRACT = """\
apiVersion: v3.1.0
kind: DataContract
id: people
name: People
version: 1.0.0
status: active
servers:
  - { server: mesh, type: trino, host: localhost, port: 8080, catalog: lake, schema: s }
schema:
  - name: customers
    physicalType: table
    properties:
      - { name: id, logicalType: integer, physicalType: integer, required: true, unique: true }
      - { name: email, logicalType: string, physicalType: varchar }
"""


def test_a_contract_is_compared_before_it_is_stored(catalogue, mesh):
    customers(catalogue)
    check = catalogue.send("POST", "catalogue/contracts/check", {"yaml": CONTRACT})
    assert not check["exists"] and check["name"] == "people" and check["differences"] == []
    assert check["contract"]["tables"] == ["lake.s.customers"] and check["contract"]["checks"] >= 3
    assert not (mesh / "contracts").exists()
    stored = catalogue.send("PUT", "catalogue/contracts/people", {"yaml": CONTRACT}, 201,
                            **{"If-Match": '"none"'})
    assert (mesh / "contracts/people.yaml").read_text() == CONTRACT
    changed = CONTRACT.replace("1.0.0", "2.0.0").replace(
        "physicalType: varchar }", "physicalType: bigint }\n"
        "      - { name: phone, logicalType: string, physicalType: varchar }")
    check = catalogue.send("POST", "catalogue/contracts/check", {"yaml": changed})
    told = {(d["of"], d["change"], d["where"], d["before"], d["after"])
            for d in check["differences"]}
    assert ("contract", "changed", "version", "1.0.0", "2.0.0") in told
    assert ("table", "type", "lake.s.customers.email", "varchar", "bigint") in told
    assert ("table", "missing", "lake.s.customers.phone", "", "varchar") in told
    assert any(d[:2] == ("contract", "added") and "properties[phone]" in d[2] for d in told)
    assert check["etag"] == stored["etag"]
    catalogue.send("PUT", "catalogue/contracts/people", {"yaml": changed}, 412,
                   **{"If-Match": '"0000"'})
    assert [c["version"] for c in catalogue.get("catalogue/contracts")["contracts"]] == ["1.0.0"]


def test_a_contract_with_mistakes_says_where_and_is_not_stored(catalogue, mesh):
    bad = CONTRACT.replace("version: 1.0.0\n", "version: 1.0.0\nversoin: 2\n").replace(
        "kind: DataContract", "kind: Contract")
    problem = catalogue.send("PUT", "catalogue/contracts/people", {"yaml": bad}, 422)
    assert problem["code"] == "CONFIG_INVALID" and problem["line"] >= 1
    for name in ("..", "%2e%2e%2fx", "A", "a.yaml", "a%20b", "x" * 81):
        answer = requests.put(f"{catalogue.url}/catalogue/contracts/{name}",
                              json={"yaml": CONTRACT}, timeout=30)
        assert answer.status_code in (400, 404, 405), (name, answer.status_code)
    assert not (mesh / "contracts").exists()
    assert not list(mesh.parent.glob("*.yaml"))


def test_the_last_commits_of_the_files_that_define_an_asset(catalogue, mesh):
    customers(catalogue)
    catalogue.put("lake.s.customers", {"owner": "Sales"})
    before = catalogue.get("catalogue/commits", asset="lake.s.customers")
    assert before["files"] == ["catalogue/lake.yaml"]
    assert not before["repository"] and before["commits"] == []

    def git(*arguments):
        subprocess.run(["git", "-C", mesh, "-c", "user.name=Ada Ünal", "-c", "user.email=a@b.c",
                        "-c", "init.defaultBranch=main", "-c", "commit.gpgsign=false", *arguments],
                       check=True, capture_output=True)
    git("init")
    git("add", "catalogue")
    git("commit", "-m", "Say who answers for <b>customers</b>")
    after = catalogue.get("catalogue/commits", asset="lake.s.customers")
    assert after["repository"] and len(after["commits"]) == 1
    commit = after["commits"][0]
    assert commit["author"] == "Ada Ünal" and len(commit["id"]) == 40
    assert commit["subject"] == "Say who answers for <b>customers</b>"
    assert abs(commit["time_ms"] - time.time() * 1000) < 120_000


HOSTILE = ["<script>alert(1)</script>", "a'b\"c", "../../etc/passwd", "x y", "naïve 表 🙂", "a/b",
           "%2e%2e", "a\\b", "--", "{{7*7}}"]


def test_hostile_names_are_names(catalogue, mesh):
    for name in HOSTILE:
        quoted = name.replace('"', '""')
        catalogue.sql(f'CREATE TABLE memory.default."{quoted}" (a integer)')
    wanted = {f"memory.default.{name.lower()}" for name in HOSTILE}
    # A catalog in memory tells nobody that it changed.
    wait_until(lambda: wanted <= {hit["name"] for hit in
                                  catalogue.get("search", q="", kind="table", limit=1000)["hits"]},
               60, "all are found")
    for name in HOSTILE:
        full = f"memory.default.{name.lower()}"
        after = catalogue.put(full, {"description": name, "tags": ["safe"]})
        assert after["name"] == full and after["description"] == name.rstrip()
        assert catalogue.asset(full)["tags"] == ["safe"]
    files = [p for p in mesh.rglob("*") if p.is_file() and "data" not in p.parts[-2:]]
    assert {p.name for p in files} >= {"memory.yaml"}
    assert all(p.parent.name in ("mesh", "catalogue") for p in files), files
    assert wanted == set(yaml.safe_load((mesh / "catalogue/memory.yaml").read_text())["assets"])


@pytest.mark.parametrize("body, code", [
    ({"tags": "x"}, 400), ({"tags": [1]}, 400), ({"tags": ["a,b"]}, 422), ({"tags": ["a\nb"]}, 422),
    ({"description": 5}, 400), ({"columns": []}, 400), ({"columns": {"a": 1}}, 400),
    ({"columns": {"a": {"propagate": "no"}}}, 400), ({"owner": "x\ny"}, 422),
    ({"description": "x" * 40_000}, 422)])
def test_what_makes_no_sense_is_refused_and_nothing_written(catalogue, mesh, body, code):
    customers(catalogue)
    problem = catalogue.put("lake.s.customers", body, status=code)
    assert problem["status"] == code and problem["detail"]
    assert not (mesh / "catalogue").exists()


def test_other_sites_and_viewers_change_nothing(catalogue):
    customers(catalogue)
    for headers in ({"Origin": "https://evil.example"}, {"Origin": "null"}):
        answer = requests.put(f"{catalogue.url}/catalogue/assets/lake.s.customers", timeout=30,
                              json={"owner": "evil"}, headers=headers)
        assert answer.status_code == 403, answer.text
    answer = requests.put(f"{catalogue.url}/catalogue/assets/lake.s.customers", timeout=30,
                          data=json.dumps({"owner": "evil"}), headers={"Content-Type": "text/plain"})
    assert answer.status_code == 415
    assert catalogue.asset("lake.s.customers")["owner"] == ""


def test_status_and_version_have_the_shape_of_openmetadata(catalogue):
    status = catalogue.get("system/status")
    assert set(status) == {"database", "searchInstance", "pipelineServiceClient", "jwks",
                           "migrations"}
    assert all(step["passed"] is True and step["description"] for step in status.values())
    assert catalogue.get("system/version")["version"]


def test_products_have_owner_ports_and_contract(folder, postgres, start_meesh):
    server = postgres("shop")
    server.query("CREATE TABLE orders (id integer)")
    mesh = plain_mesh(folder / "mesh", {"shop": external(server)})
    file = mesh / "domains/shop/domain.yaml"
    domain = yaml.safe_load(file.read_text())
    domain["products"] = [{"name": "orders", "description": "All *orders*", "table": "public.orders",
                           "tags": ["revenue"]}]
    file.write_text(yaml.safe_dump(domain))
    catalogue = Catalogue(start_meesh(mesh, folder / "data")).ready()
    product, = catalogue.get("catalogue/products")["products"]
    assert product["table"] == "shop.public.orders" and product["exists"]
    assert product["owner"] == "shop team" and product["ports"][0]["kind"] == "sql"
    assert catalogue.asset("shop.public.orders")["products"] == ["shop/orders"]
    assert catalogue.get("search", q="orders", kind="product")["total"] == 1


def test_usage_and_lineage_work_on_postgresql(folder, postgres, start_meesh):
    """The metadata database may be PostgreSQL, whose types are stricter."""
    server = postgres("metadata")
    mesh = plain_mesh(folder / "mesh", metadata={
        "kind": "postgresql",
        "url": f"postgresql://{server.user}:{server.password}@127.0.0.1:{server.port}/"
               f"{server.database}"})
    catalogue = Catalogue(start_meesh(mesh, folder / "data")).ready()
    catalogue.sql("CREATE SCHEMA lake.s")
    customers(catalogue)
    catalogue.put("lake.s.customers", {"columns": {"email": {"tags": ["PII"]}}})
    assert catalogue.column("lake.s.mails", "address")["inherited"][0]["value"] == "PII"
    wait_until(lambda: catalogue.get("catalogue/home")["most_used"], 20, "counted")
    assert catalogue.get("catalogue/home")["recent"][0]["name"].startswith("lake.s.")
    with psycopg2.connect(host="127.0.0.1", port=server.port, dbname=server.database,
                          user=server.user, password=server.password) as connection:
        cursor = connection.cursor()
        cursor.execute("SELECT count(*) FROM usage_daily")
        assert cursor.fetchone()[0] > 0
