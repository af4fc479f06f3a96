"""The Iceberg REST protocol, message by message. What clients make of it stands beside this file."""
import concurrent.futures
import uuid

import pytest
from support.iceberg import error_of

SCHEMA = {"type": "struct", "schema-id": 0, "fields": [
    {"id": 1, "name": "id", "required": True, "type": "long"},
    {"id": 2, "name": "name", "required": False, "type": "string"}]}


@pytest.fixture
def table(rest, space):
    """The load result of a new table `t`."""
    answer = rest("POST", f"namespaces/{space}/tables", {"name": "t", "schema": SCHEMA})
    assert answer.status_code == 200, answer.text
    return answer.json()


def snapshot(identifier, sequence=1, parent=None):
    found = {"snapshot-id": identifier, "sequence-number": sequence, "timestamp-ms": 1700000000000,
             "manifest-list": f"s3://lake/none/{identifier}.avro",
             "summary": {"operation": "append"}, "schema-id": 0}
    return found | ({"parent-snapshot-id": parent} if parent else {})


def append(identifier, sequence=1, parent=None):
    """The updates of a commit that puts a snapshot on main."""
    return [{"action": "add-snapshot", "snapshot": snapshot(identifier, sequence, parent)},
            {"action": "set-snapshot-ref", "ref-name": "main", "type": "branch",
             "snapshot-id": identifier}]


def test_config(rest):
    answer = rest.plain("GET", "config").json()
    assert answer["overrides"]["prefix"] == "lake"
    assert "POST /v1/{prefix}/transactions/commit" in answer["endpoints"]
    assert answer["defaults"]["s3.endpoint"].startswith("http://")
    assert rest.plain("GET", "config?warehouse=lake").json() == answer
    assert error_of(rest.plain("GET", "config?warehouse=other"))[:2] == (404, "NotFoundException")


def test_namespaces(rest):
    name = f"n{uuid.uuid4().hex[:8]}"
    made = rest("POST", "namespaces", {"namespace": [name], "properties": {"owner": "Ada"}})
    location = {"location": f"s3://lake/{name}"}
    assert made.json() == {"namespace": [name], "properties": {"owner": "Ada", **location}}
    again = rest("POST", "namespaces", {"namespace": [name]})
    assert error_of(again) == (409, "AlreadyExistsException", f"Namespace already exists: {name}")
    assert [name] in rest("GET", "namespaces").json()["namespaces"]
    assert rest("HEAD", f"namespaces/{name}").status_code == 204
    changed = rest("POST", f"namespaces/{name}/properties",
                   {"removals": ["owner", "none"], "updates": {"a": "1"}}).json()
    assert changed == {"updated": ["a"], "removed": ["owner"], "missing": ["none"]}
    assert rest("GET", f"namespaces/{name}").json()["properties"] == {"a": "1", **location}
    both = rest("POST", f"namespaces/{name}/properties",
                {"removals": ["a"], "updates": {"a": "1"}})
    assert both.status_code == 422
    assert rest("DELETE", f"namespaces/{name}").status_code == 204
    gone = rest("GET", f"namespaces/{name}")
    assert error_of(gone) == (404, "NoSuchNamespaceException", f"Namespace does not exist: {name}")
    assert rest("HEAD", f"namespaces/{name}").status_code == 404


def test_a_namespace_outside_the_warehouse_is_refused(rest):
    answer = rest("POST", "namespaces", {"namespace": ["out"], "properties": {
        "location": "s3://datalake/x"}})
    assert error_of(answer)[:2] == (403, "ForbiddenException")
    assert rest("HEAD", "namespaces/out").status_code == 404


def test_nested_namespaces(rest):
    name = f"n{uuid.uuid4().hex[:8]}"
    for levels in ([name], [name, "b"], [name, "b", "c"]):
        assert rest("POST", "namespaces", {"namespace": levels}).status_code == 200
    assert rest("GET", f"namespaces?parent={name}").json()["namespaces"] == [[name, "b"]]
    assert rest("GET", f"namespaces?parent={name}%1Fb").json()["namespaces"] == [[name, "b", "c"]]
    assert error_of(rest("DELETE", f"namespaces/{name}%1Fb"))[:2] == (
        409, "NamespaceNotEmptyException")
    assert rest("DELETE", f"namespaces/{name}%1Fb%1Fc").status_code == 204


def test_create_load_drop(rest, space, table):
    assert table["metadata"]["format-version"] == 2
    assert table["metadata"]["location"] == f"s3://lake/{space}/t"
    assert table["metadata-location"].startswith(f"s3://lake/{space}/t/metadata/00000-")
    loaded = rest("GET", f"namespaces/{space}/tables/t")
    assert loaded.json()["metadata"] == table["metadata"]
    assert rest("GET", f"namespaces/{space}/tables").json()["identifiers"] == [
        {"namespace": [space], "name": "t"}]
    again = rest("POST", f"namespaces/{space}/tables", {"name": "t", "schema": SCHEMA})
    assert error_of(again) == (409, "AlreadyExistsException", f"Table already exists: {space}.t")
    assert error_of(rest("DELETE", f"namespaces/{space}"))[1] == "NamespaceNotEmptyException"
    assert rest("DELETE", f"namespaces/{space}/tables/t").status_code == 204
    gone = rest("GET", f"namespaces/{space}/tables/t")
    assert error_of(gone) == (404, "NoSuchTableException", f"Table does not exist: {space}.t")
    assert rest("HEAD", f"namespaces/{space}/tables/t").status_code == 404
    nowhere = rest("POST", "namespaces/none/tables", {"name": "t", "schema": SCHEMA})
    assert error_of(nowhere)[:2] == (404, "NoSuchNamespaceException")


def test_etag(rest, space, table):
    first = rest("GET", f"namespaces/{space}/tables/t")
    path = f"namespaces/{space}/tables/t"
    assert rest("GET", path, headers={"If-None-Match": first.headers["ETag"]}).status_code == 304
    rest("POST", path, {"requirements": [], "updates": [
        {"action": "set-properties", "updates": {"a": "b"}}]})
    assert rest("GET", path, headers={"If-None-Match": first.headers["ETag"]}).status_code == 200


def test_commit_and_its_requirements(rest, space, table):
    path = f"namespaces/{space}/tables/t"
    first = {"requirements": [
        {"type": "assert-table-uuid", "uuid": table["metadata"]["table-uuid"]},
        {"type": "assert-ref-snapshot-id", "ref": "main", "snapshot-id": None}],
        "updates": append(11)}
    answer = rest("POST", path, first).json()
    assert answer["metadata"]["current-snapshot-id"] == 11
    assert answer["metadata-location"].startswith(f"s3://lake/{space}/t/metadata/00001-")
    assert answer["metadata"]["metadata-log"][-1]["metadata-file"] == table["metadata-location"]
    status, kind, message = error_of(rest("POST", path, first))
    assert (status, kind) == (409, "CommitFailedException")
    assert message.startswith("Requirement failed: branch main")
    assert rest("GET", path).json()["metadata"]["current-snapshot-id"] == 11


@pytest.mark.parametrize("body, told", [
    ({"requirements": [{"type": "assert-nothing"}], "updates": []}, "assert-nothing"),
    ({"requirements": [], "updates": [{"action": "add-shema"}]}, "updates[0]"),
    ({"requirements": [], "updates": [{"action": "add-schema", "schema": {"type": "struct"}}]},
     "updates[0]"),
    ({"requirements": []}, "updates"), ([], "object")])
def test_bad_commits(rest, space, table, body, told):
    status, kind, message = error_of(rest("POST", f"namespaces/{space}/tables/t", body))
    assert (status, kind) == (400, "BadRequestException") and told in message


def test_format_version_3_is_refused(rest, space, table):
    answer = rest("POST", f"namespaces/{space}/tables/t", {"requirements": [], "updates": [
        {"action": "upgrade-format-version", "format-version": 3}]})
    assert error_of(answer)[:2] == (406, "UnsupportedOperationException")


def test_staged_creation(rest, space):
    staged = rest("POST", f"namespaces/{space}/tables",
                  {"name": "s", "schema": SCHEMA, "stage-create": True}).json()
    assert "metadata-location" not in staged
    assert rest("GET", f"namespaces/{space}/tables/s").status_code == 404
    metadata = staged["metadata"]
    updates = [
        {"action": "assign-uuid", "uuid": metadata["table-uuid"]},
        {"action": "upgrade-format-version", "format-version": 2},
        {"action": "add-schema", "schema": metadata["schemas"][0], "last-column-id": 2},
        {"action": "set-current-schema", "schema-id": -1},
        {"action": "add-spec", "spec": metadata["partition-specs"][0]},
        {"action": "set-default-spec", "spec-id": -1},
        {"action": "add-sort-order", "sort-order": metadata["sort-orders"][0]},
        {"action": "set-default-sort-order", "sort-order-id": -1},
        {"action": "set-location", "location": metadata["location"]}, *append(5)]
    commit = {"requirements": [{"type": "assert-create"}], "updates": updates}
    done = rest("POST", f"namespaces/{space}/tables/s", commit)
    assert done.status_code == 200, done.text
    assert done.json()["metadata"]["table-uuid"] == metadata["table-uuid"]
    assert done.json()["metadata"]["current-snapshot-id"] == 5
    assert error_of(rest("POST", f"namespaces/{space}/tables/s", commit))[:2] == (
        409, "CommitFailedException")


def test_paths_outside_the_warehouse(rest, space):
    for location in ("s3://datalake/x", "s3://lake/../x", "file:///etc", "s3://lakes/x"):
        answer = rest("POST", f"namespaces/{space}/tables",
                      {"name": "out", "schema": SCHEMA, "location": location})
        assert answer.status_code in (400, 403), location
    register = rest("POST", f"namespaces/{space}/register",
                    {"name": "out", "metadata-location": "s3://other/x/00000-a.metadata.json"})
    assert error_of(register)[:2] == (403, "ForbiddenException")
    assert rest("GET", f"namespaces/{space}/tables").json()["identifiers"] == []


def test_register(rest, space, table):
    location = table["metadata-location"]
    assert rest("DELETE", f"namespaces/{space}/tables/t").status_code == 204
    body = {"name": "again", "metadata-location": location}
    answer = rest("POST", f"namespaces/{space}/register", body).json()
    assert answer["metadata"] == table["metadata"]
    assert error_of(rest("POST", f"namespaces/{space}/register", body))[0] == 409
    missing = {"name": "m", "metadata-location": location.replace("00000", "00009")}
    assert rest("POST", f"namespaces/{space}/register", missing).status_code == 400


def test_rename(rest, space, table):
    def rename(source, destination):
        return rest("POST", "tables/rename",
                    {"source": {"namespace": [space], "name": source},
                     "destination": {"namespace": [space], "name": destination}})
    assert rename("t", "u").status_code == 204
    assert rest("GET", f"namespaces/{space}/tables/u").json()["metadata"] == table["metadata"]
    assert error_of(rename("t", "v"))[:2] == (404, "NoSuchTableException")
    rest("POST", f"namespaces/{space}/tables", {"name": "w", "schema": SCHEMA})
    assert error_of(rename("u", "w"))[:2] == (409, "AlreadyExistsException")


def test_transaction_of_two_tables_is_all_or_nothing(rest, space):
    for name in ("a", "b"):
        rest("POST", f"namespaces/{space}/tables", {"name": name, "schema": SCHEMA})

    def change(name, requirement=None):
        return {"identifier": {"namespace": [space], "name": name},
                "requirements": [requirement] if requirement else [], "updates": append(7)}
    wrong = {"type": "assert-table-uuid", "uuid": str(uuid.uuid4())}
    failed = rest("POST", "transactions/commit",
                  {"table-changes": [change("a"), change("b", wrong)]})
    assert error_of(failed)[:2] == (409, "CommitFailedException")
    for name in ("a", "b"):
        assert "current-snapshot-id" not in rest(
            "GET", f"namespaces/{space}/tables/{name}").json()["metadata"] or rest(
            "GET", f"namespaces/{space}/tables/{name}").json()["metadata"][
                "current-snapshot-id"] in (None, -1)
    done = rest("POST", "transactions/commit", {"table-changes": [change("a"), change("b")]})
    assert done.status_code == 204, done.text
    for name in ("a", "b"):
        loaded = rest("GET", f"namespaces/{space}/tables/{name}").json()
        assert loaded["metadata"]["current-snapshot-id"] == 7


def test_snapshots_refs(rest, space, table):
    path = f"namespaces/{space}/tables/t"
    rest("POST", path, {"requirements": [], "updates": append(1, 1)})
    rest("POST", path, {"requirements": [], "updates": append(2, 2, 1)})
    assert len(rest("GET", path).json()["metadata"]["snapshots"]) == 2
    named = rest("GET", f"{path}?snapshots=refs").json()["metadata"]["snapshots"]
    assert [one["snapshot-id"] for one in named] == [2]


def test_concurrent_commits_lose_nothing(rest, space, table):
    """Sixteen writers set a property each, without requirements: all of them must be there."""
    def write(n):
        return rest("POST", f"namespaces/{space}/tables/t", {"requirements": [], "updates": [
            {"action": "set-properties", "updates": {f"p{n}": str(n)}}]}).status_code
    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        assert set(pool.map(write, range(64))) == {200}
    properties = rest("GET", f"namespaces/{space}/tables/t").json()["metadata"]["properties"]
    assert {f"p{n}" for n in range(64)} <= set(properties)


def test_one_of_many_wins_a_requirement(rest, space, table):
    def write(n):
        return rest("POST", f"namespaces/{space}/tables/t", {
            "requirements": [{"type": "assert-ref-snapshot-id", "ref": "main",
                              "snapshot-id": None}], "updates": append(100 + n)}).status_code
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        answers = sorted(pool.map(write, range(8)))
    assert answers == [200] + [409] * 7


def test_idempotency_key(rest, space):
    headers = {"Idempotency-Key": str(uuid.uuid4())}
    body = {"name": "once", "schema": SCHEMA}
    first = rest("POST", f"namespaces/{space}/tables", body, headers=headers)
    again = rest("POST", f"namespaces/{space}/tables", body, headers=headers)
    assert first.status_code == again.status_code == 200
    assert first.json()["metadata-location"] == again.json()["metadata-location"]
    other = rest("DELETE", f"namespaces/{space}/tables/once", headers=headers)
    assert other.status_code == 422
    commit = {"requirements": [{"type": "assert-ref-snapshot-id", "ref": "main",
                                "snapshot-id": None}], "updates": append(3)}
    headers = {"Idempotency-Key": str(uuid.uuid4())}
    for _ in range(2):
        answer = rest("POST", f"namespaces/{space}/tables/once", commit, headers=headers)
        assert answer.status_code == 200, answer.text
        assert answer.json()["metadata"]["current-snapshot-id"] == 3


def view_of(space, name="v", **more):
    """The body of a request to create a view."""
    return {"name": name, "properties": {}, "view-version": {
        "version-id": 1, "timestamp-ms": 1700000000000, "schema-id": 0,
        "summary": {"engine-name": "tests"}, "default-namespace": [space],
        "representations": [{"type": "sql", "sql": "SELECT 1 AS a", "dialect": "trino"}]},
        "schema": {"type": "struct", "schema-id": 0, "fields": [
            {"id": 1, "name": "a", "required": False, "type": "int"}]}, **more}


def test_views(rest, space, table):
    body = view_of(space, properties={"p": "1"})
    version = body["view-version"]
    made = rest("POST", f"namespaces/{space}/views", body)
    assert made.status_code == 200, made.text
    metadata = made.json()["metadata"]
    assert metadata["versions"][0]["representations"] == version["representations"]
    assert error_of(rest("POST", f"namespaces/{space}/views", body))[0] == 409
    assert error_of(rest("POST", f"namespaces/{space}/views", body | {"name": "t"}))[0] == 409
    replaced = rest("POST", f"namespaces/{space}/views/v", {
        "requirements": [{"type": "assert-view-uuid", "uuid": metadata["view-uuid"]}],
        "updates": [{"action": "add-view-version", "view-version": version | {
            "version-id": 2,
            "representations": [{"type": "sql", "sql": "SELECT 2 AS a", "dialect": "trino"}]}},
            {"action": "set-current-view-version", "view-version-id": -1}]})
    assert replaced.status_code == 200, replaced.text
    assert replaced.json()["metadata"]["current-version-id"] == 2
    assert rest("GET", f"namespaces/{space}/views").json()["identifiers"] == [
        {"namespace": [space], "name": "v"}]
    assert rest("GET", f"namespaces/{space}/tables").json()["identifiers"] == [
        {"namespace": [space], "name": "t"}]
    renamed = rest("POST", "views/rename", {"source": {"namespace": [space], "name": "v"},
                                            "destination": {"namespace": [space], "name": "w"}})
    assert renamed.status_code == 204
    assert rest("HEAD", f"namespaces/{space}/views/w").status_code == 204
    assert error_of(rest("GET", f"namespaces/{space}/views/v"))[:2] == (404, "NoSuchViewException")
    assert rest("DELETE", f"namespaces/{space}/views/w").status_code == 204


def test_a_table_in_no_namespace_is_no_table(rest, space, table):
    """Java's clients look for metadata tables (`namespace.table.files`) only after this answer."""
    for path in (f"namespaces/{space}%1Ft/tables/files", "namespaces/none/tables/t"):
        for method in ("GET", "DELETE"):
            assert error_of(rest(method, path))[:2] == (404, "NoSuchTableException")
        commit = {"requirements": [], "updates": []}
        assert error_of(rest("POST", path, commit))[:2] == (404, "NoSuchTableException")


def test_names_of_tables_and_views_are_one_set(rest, space, table):
    """Each refusal says what has the name."""
    views, tables = f"namespaces/{space}/views", f"namespaces/{space}/tables"
    assert rest("POST", views, view_of(space)).status_code == 200
    as_table = {"name": "v", "schema": SCHEMA}
    commit = {"requirements": [{"type": "assert-create"}], "updates": [
        {"action": "add-schema", "schema": SCHEMA}, {"action": "set-current-schema",
                                                     "schema-id": -1},
        {"action": "set-location", "location": f"s3://lake/{space}/v2"}]}

    def name(which):
        return {"namespace": [space], "name": which}
    a_view, a_table = (f"{what} with same name already exists: {space}.{which}"
                       for what, which in (("View", "v"), ("Table", "t")))
    for method, path, body, text in [
            ("POST", views, view_of(space), f"View already exists: {space}.v"),
            ("POST", views, view_of(space, "t"), a_table),
            ("POST", tables, as_table, a_view),
            ("POST", tables, as_table | {"stage-create": True}, a_view),
            ("POST", f"{tables}/v", commit, a_view),
            ("POST", "tables/rename", {"source": name("t"), "destination": name("v")},
             f"Cannot rename {space}.t to {space}.v. View already exists"),
            ("POST", "views/rename", {"source": name("v"), "destination": name("t")},
             f"Cannot rename {space}.v to {space}.t. Table already exists")]:
        assert error_of(rest(method, path, body)) == (409, "AlreadyExistsException", text)


def test_two_queries_in_one_dialect_are_refused(rest, space):
    body = view_of(space)
    body["view-version"]["representations"] *= 2
    answer = rest("POST", f"namespaces/{space}/views", body)
    assert error_of(answer) == (
        400, "IllegalArgumentException",
        "Invalid view version: Cannot add multiple queries for dialect trino")


def test_places_of_views(rest, space):
    """A view lies and moves where it is told, within the warehouse; its metadata elsewhere."""
    views, place = f"namespaces/{space}/views", f"s3://lake/{space}/elsewhere"

    def commit(location):
        return rest("POST", f"{views}/v", {"requirements": [], "updates": [
            {"action": "set-location", "location": location}]})
    body = view_of(space, location=f"{place}/v/",
                   properties={"write.metadata.path": f"{place}/metadata"})
    made = rest("POST", views, body).json()
    assert made["metadata"]["location"] == f"{place}/v"
    assert made["metadata-location"].startswith(f"{place}/metadata/00000-")
    moved = commit(f"{place}/w").json()
    assert moved["metadata"]["location"] == f"{place}/w"
    assert moved["metadata-location"].startswith(f"{place}/metadata/00001-")
    assert moved["metadata"]["versions"] == made["metadata"]["versions"]
    for outside in ("s3://datalake/x", "file:///tmp/x"):
        assert commit(outside).status_code in (400, 403)
        for place in ({"location": outside}, {"properties": {"write.metadata.path": outside}}):
            answer = rest("POST", views, view_of(space, "out", **place))
            assert answer.status_code in (400, 403), answer.text
    assert rest("GET", f"{views}/v").json()["metadata"] == moved["metadata"]
    assert rest("HEAD", f"{views}/out").status_code == 404


def test_register_a_view(rest, space):
    views, register = f"namespaces/{space}/views", f"namespaces/{space}/register-view"
    made = rest("POST", views, view_of(space)).json()
    body = {"name": "v", "metadata-location": made["metadata-location"]}
    assert error_of(rest("POST", register, body)) == (
        409, "AlreadyExistsException", f"View already exists: {space}.v")
    assert rest("DELETE", f"{views}/v").status_code == 204
    again = rest("POST", register, body).json()
    assert again["metadata"] == made["metadata"]
    assert again["metadata-location"] == made["metadata-location"]
    assert rest("GET", f"{views}/v").json()["metadata"] == made["metadata"]
    outside = body | {"name": "w", "metadata-location": "s3://other/x/00000-a.metadata.json"}
    assert error_of(rest("POST", register, outside))[:2] == (403, "ForbiddenException")
    nowhere = rest("POST", "namespaces/none/register-view", body)
    assert error_of(nowhere)[:2] == (404, "NoSuchNamespaceException")


def test_field_ids_of_the_format_itself_are_refused(rest, space, table):
    reserved = {"id": 2147483448, "name": "reserved", "required": False, "type": "string"}
    schema = SCHEMA | {"fields": [*SCHEMA["fields"], reserved]}
    answer = rest("POST", f"namespaces/{space}/tables/t", {"requirements": [], "updates": [
        {"action": "add-schema", "schema": schema},
        {"action": "set-current-schema", "schema-id": -1}]})
    assert error_of(answer)[:2] == (400, "BadRequestException")
    loaded = rest("GET", f"namespaces/{space}/tables/t").json()
    assert loaded["metadata"] == table["metadata"]


def test_pages(rest, space):
    for n in range(5):
        rest("POST", f"namespaces/{space}/tables", {"name": f"t{n}", "schema": SCHEMA})
    names, token = [], ""
    while token is not None:
        answer = rest("GET", f"namespaces/{space}/tables?pageToken={token}&pageSize=2").json()
        names += [one["name"] for one in answer["identifiers"]]
        token = answer["next-page-token"]
    assert names == [f"t{n}" for n in range(5)]


def test_tokens(lake, rest, space, table):
    def ask(**form):
        return rest.plain("POST", "oauth/tokens", data=form)
    right = {"grant_type": "client_credentials", "client_id": lake.keys.access_key,
             "client_secret": lake.keys.secret_key, "scope": "catalog"}
    token = ask(**right).json()
    assert token["token_type"] == "bearer" and token["expires_in"] == 3600
    path = f"namespaces/{space}/tables/t"

    def load(bearer):
        return rest("GET", path, headers={"Authorization": f"Bearer {bearer}"})
    assert load(token["access_token"]).status_code == 200
    exchanged = ask(grant_type="urn:ietf:params:oauth:grant-type:token-exchange",
                    subject_token=token["access_token"],
                    subject_token_type="urn:ietf:params:oauth:token-type:access_token").json()
    assert load(exchanged["access_token"]).status_code == 200
    wrong = token["access_token"][:-4] + "AAAA"
    assert error_of(load(wrong))[:2] == (401, "NotAuthorizedException")
    for form, status, error in [({**right, "client_secret": "wrong"}, 401, "invalid_client"),
                                ({**right, "client_id": "nobody"}, 401, "invalid_client"),
                                ({**right, "grant_type": "password"}, 400,
                                 "unsupported_grant_type")]:
        answer = ask(**form)
        assert (answer.status_code, answer.json()["error"]) == (status, error)
