"""Buckets, objects and tables over /api/v1: what the console's lake pages stand on."""
import gzip
import json
import re
import socket
import subprocess
import uuid

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import requests
from support.meesh import binary
from support.s3_server import LakeServer, lake_mesh

HOSTILE = ["<img src=x onerror=alert(1)>", "../../etc/passwd", "..%2f..%2fetc", "a\nb\r\nSet-Cookie: x=1",
           "\u202egnp.exe", "k" * 1024, "quo\"te's;", "%00", "back\\slash\\..\\x", "😀/emoji 😀"]


class Api:
    """Requests of one caller."""

    def __init__(self, server, user=None, password=None):
        self.server, self.http = server, requests.Session()
        if user:
            self.http.auth = (user, password)

    def __call__(self, method, path, **options):
        return self.http.request(method, self.server.url + "/api/v1" + path, timeout=60, **options)

    def put(self, bucket, key, data, overwrite=False, **headers):
        return self("PUT", f"/buckets/{bucket}/content", data=data,
                    params={"key": key, "overwrite": str(overwrite).lower()}, headers=headers)

    def get(self, bucket, key, version=None, **headers):
        return self("GET", f"/buckets/{bucket}/content", headers=headers,
                    params={"key": key, **({"version": version} if version else {})})

    def post(self, bucket, what, **body):
        return self("POST", f"/buckets/{bucket}/{what}", json=body)

    def keys(self, bucket, **parameters):
        page = self("GET", f"/buckets/{bucket}/objects", params=parameters).json()
        return page["prefixes"], [one["key"] for one in page["objects"]]

    def delete(self, bucket, **body):
        """The last line told."""
        answer = self.post(bucket, "delete", **body)
        assert answer.status_code == 200, answer.text
        return json.loads(answer.text.strip().splitlines()[-1])

    def sql(self, statement):
        page = self.http.post(self.server.url + "/v1/statement", data=statement.encode(),
                              headers={"X-Trino-User": "local"}).json()
        rows = []
        while True:
            assert "error" not in page, page["error"]["message"]
            rows += page.get("data", [])
            if "nextUri" not in page:
                return rows
            page = self.http.get(page["nextUri"]).json()


@pytest.fixture(scope="module")
def mesh(work_folder):
    if not binary().exists():
        pytest.fail(f"{binary()} is not built: setup/build.sh dev", pytrace=False)
    server = LakeServer(lake_mesh(work_folder / "api-lake"), work_folder / "api-lake-data").start()
    yield server
    server.stop()


@pytest.fixture(scope="module")
def api(mesh):
    return Api(mesh)


@pytest.fixture
def bucket(api, request):
    """A new bucket; `versioned` in the test's name gives it versions."""
    name = re.sub("[^a-z0-9]+", "-", request.node.name.lower())[:40] + uuid.uuid4().hex[:8]
    versioning = "enabled" if "version" in name else "never"
    made = api("POST", "/buckets", json={"name": name, "versioning": versioning})
    assert made.status_code == 201, made.text
    return name


def test_a_bucket_is_made_told_and_deleted(api):
    made = api("POST", "/buckets", json={"name": "made-here", "quota": 1000})
    assert (made.status_code, made.json()["quota"]) == (201, 1000)
    assert api("POST", "/buckets", json={"name": "made-here"}).status_code == 409
    assert api.put("made-here", "a", b"12345").status_code == 201
    told = next(b for b in api("GET", "/buckets").json()["buckets"] if b["name"] == "made-here")
    assert (told["objects"], told["bytes"]) == (1, 5)
    assert api.put("made-here", "b", b"x" * 2000).status_code == 403  # over its quota
    refused = api("DELETE", "/buckets/made-here")
    assert refused.status_code == 409 and refused.json()["hint"]
    api.delete("made-here", keys=[{"key": "a"}])
    assert api("DELETE", "/buckets/made-here").status_code == 204
    assert api("GET", "/buckets/made-here").status_code == 404


@pytest.mark.parametrize("name", ["a", "UPPER", "..", "a/b", "a" * 64, "1.2.3.4", "x_y", "-a-", ""])
def test_names_that_are_none(api, name):
    assert api("POST", "/buckets", json={"name": name}).status_code == 400


def test_buckets_come_in_pages(api, bucket):
    names, cursor = [], None
    while True:
        page = api("GET", "/buckets", params={"limit": 1, "cursor": cursor}).json()
        names += [b["name"] for b in page["buckets"]]
        cursor = page.get("next")
        if not cursor:
            break
    assert names == sorted(names) and bucket in names
    assert names == [b["name"] for b in api("GET", "/buckets").json()["buckets"]]


def test_what_goes_up_comes_down(api, bucket):
    content = bytes(range(256)) * 5000
    made = api.put(bucket, "folder/all bytes.bin", content, **{"Content-Type": "text/html"})
    assert made.status_code == 201 and made.json()["size"] == len(content)
    down = api.get(bucket, "folder/all bytes.bin")
    assert down.content == content
    assert api.get(bucket, "folder/all bytes.bin", Range="bytes=10-19").content == content[10:20]
    part = api.get(bucket, "folder/all bytes.bin", Range="bytes=-7")
    assert (part.status_code, part.content) == (206, content[-7:])
    assert api.get(bucket, "folder/all bytes.bin", Range="bytes=9999999-").status_code == 416
    head = api("GET", f"/buckets/{bucket}/object", params={"key": "folder/all bytes.bin"}).json()
    assert head["content_type"] == "text/html" and "CRC64NVME" in head["checksums"]
    assert api.put(bucket, "empty", b"").status_code == 201
    assert api.get(bucket, "empty").content == b""


def test_nothing_is_overwritten_silently(api, bucket):
    assert api.put(bucket, "a", b"one").status_code == 201
    refused = api.put(bucket, "a", b"two")
    assert refused.status_code == 412 and "overwrite" in refused.json()["hint"]
    assert api.get(bucket, "a").content == b"one"
    assert api.put(bucket, "a", b"two", overwrite=True).status_code == 201
    assert api.get(bucket, "a").content == b"two"


def test_an_upload_that_is_cut_leaves_nothing(api, mesh, bucket):
    with socket.create_connection((mesh.host, mesh.port)) as wire:
        wire.sendall(f"PUT /api/v1/buckets/{bucket}/content?key=cut HTTP/1.1\r\nHost: x\r\n"
                     "Content-Length: 1000000\r\n\r\n".encode() + b"x" * 1000)
    assert api.keys(bucket) == ([], [])
    # In chunks, without a length told beforehand.
    assert api.put(bucket, "chunks", iter([b"a" * 1000, b"b" * 1000])).status_code == 201
    assert len(api.get(bucket, "chunks").content) == 2000


@pytest.mark.parametrize("kind", ["text/html", "image/svg+xml", "application/javascript", "text/css",
                                  "application/xhtml+xml", "text/xml", "application/pdf"])
def test_nothing_of_an_object_runs_in_our_origin(api, bucket, kind):
    api.put(bucket, "page.html", b"<script>alert(1)</script>", **{"Content-Type": kind})
    down = api.get(bucket, "page.html")
    assert down.headers["Content-Type"] == "application/octet-stream"
    assert down.headers["X-Content-Type-Options"] == "nosniff"
    assert down.headers["Content-Disposition"].startswith("attachment;")
    assert "sandbox" in down.headers["Content-Security-Policy"]
    assert "default-src 'none'" in down.headers["Content-Security-Policy"]
    assert down.headers["Cross-Origin-Resource-Policy"] == "same-origin"


@pytest.mark.parametrize("number", range(len(HOSTILE)))
def test_hostile_names_are_names_with_version(api, bucket, number):
    key = HOSTILE[number]
    assert api.put(bucket, key, b"content").status_code == 201
    assert api.keys(bucket, delimiter="")[1] == [key]
    down = api.get(bucket, key)
    assert down.content == b"content"
    # The name cannot end the header or add another.
    disposition = down.headers["Content-Disposition"]
    assert re.fullmatch(r"attachment; filename=\"[\w. -]*\"; filename\*=UTF-8''[\w.~%-]*",
                        disposition, re.ASCII), disposition
    assert "Set-Cookie" not in down.headers
    head = api("GET", f"/buckets/{bucket}/object", params={"key": key}).json()
    assert head["key"] == key
    tagged = api("PUT", f"/buckets/{bucket}/tags", json={"key": key, "tags": {"a": "b"}})
    assert tagged.json()["tags"] == {"a": "b"}
    shared = api.post(bucket, "share", key=key)
    if ".." in key.split("/"):  # no client would ask for it
        assert shared.status_code == 422
    else:
        assert requests.get(shared.json()["url"], timeout=30).content == b"content"
    moved = api.post(bucket, "copy", key=key, to_key="plain", move=True)
    assert moved.status_code == 200 and api.keys(bucket, delimiter="")[1] == ["plain"]
    assert api.delete(bucket, keys=[{"key": key}], for_good=True)["failed"] == 0


@pytest.mark.parametrize("key", ["", "k" * 1025, "a\0b", "é" * 600])
def test_keys_that_are_none(api, bucket, key):
    assert api.put(bucket, key, b"x").status_code == 400
    assert api.get(bucket, key).status_code == 400


def test_names_that_are_no_utf8_are_refused(api, mesh, bucket):
    for query in ("key=%ff%fe", "prefix=%ff", "cursor=%ff"):
        where = "object" if query.startswith("key") else "objects"
        assert requests.get(f"{mesh.url}/api/v1/buckets/{bucket}/{where}?{query}").status_code == 400


@pytest.mark.parametrize("name", ["..", "..%2f..", "%2e%2e", "lake%2f..%2fkeys", "a%00b", "~"])
def test_bucket_names_lead_nowhere_else(api, mesh, name):
    for rest in ("", "/objects", "/content?key=passwd", "/object?key=../../keys/master.key"):
        status = requests.get(f"{mesh.url}/api/v1/buckets/{name}{rest}").status_code
        assert status in (400, 404), (name, rest, status)


def test_folders_and_pages(api, bucket):
    for key in ("a", "b/1", "b/2", "b/c/3", "d/", "d/4", "z"):
        api.put(bucket, key, b"x")
    assert api.keys(bucket) == (["b/", "d/"], ["a", "z"])
    assert api.keys(bucket, prefix="b/") == (["b/c/"], ["b/1", "b/2"])
    assert api.keys(bucket, prefix="d/") == ([], ["d/", "d/4"])
    found, cursor = [], None
    while True:
        page = api("GET", f"/buckets/{bucket}/objects",
                   params={"limit": 1, "cursor": cursor, "delimiter": ""}).json()
        found += [one["key"] for one in page["objects"]]
        cursor = page.get("next")
        if not cursor:
            break
    assert found == ["a", "b/1", "b/2", "b/c/3", "d/", "d/4", "z"]


def test_versions_are_kept_told_and_restored(api, bucket):
    for text in (b"one", b"two"):
        api.put(bucket, "a", text, overwrite=True)
    api.put(bucket, "ab", b"another")
    newest, oldest = api("GET", f"/buckets/{bucket}/versions", params={"key": "a"}).json()["versions"]
    assert newest["latest"] and api.get(bucket, "a", oldest["version"]).content == b"one"
    # Deleted: a marker, which a restored version covers.
    assert api.delete(bucket, keys=[{"key": "a"}])["deleted"] == 1
    assert api.get(bucket, "a").status_code == 404
    page = api("GET", f"/buckets/{bucket}/objects", params={"versions": "true", "limit": 2}).json()
    assert [one["delete_marker"] for one in page["objects"]] == [True, False]
    rest = api("GET", f"/buckets/{bucket}/objects",
               params={"versions": "true", "cursor": page["next"]}).json()["objects"]
    assert [one["key"] for one in rest] == ["a", "ab"]
    assert api.post(bucket, "restore", key="a", version=oldest["version"]).status_code == 200
    assert api.get(bucket, "a").content == b"one"
    assert len(api("GET", f"/buckets/{bucket}/versions", params={"key": "a"}).json()["versions"]) == 4
    # One version for good, then all of them.
    api.delete(bucket, keys=[{"key": "a", "version": oldest["version"]}])
    assert api.get(bucket, "a", oldest["version"]).status_code == 404
    assert api.delete(bucket, keys=[{"key": "a"}], for_good=True)["deleted"] == 3
    assert api("GET", f"/buckets/{bucket}/versions", params={"key": "a"}).json()["versions"] == []
    assert api.get(bucket, "ab").content == b"another"


def test_folders_are_deleted_with_all_in_them(api, bucket):
    for number in range(1203):
        api.put(bucket, f"many/{number % 7}/{number}", b"x")
    api.put(bucket, "manyother", b"x")
    done = api.delete(bucket, prefixes=["many/"])
    assert (done["deleted"], done["failed"], done["errors"]) == (1203, 0, [])
    assert api.keys(bucket) == ([], ["manyother"])
    for body in ({}, {"prefixes": [""]}, {"keys": "a"}, {"keys": [1]}, {"prefixes": [1]}):
        assert api.post(bucket, "delete", **body).status_code == 400


def test_copy_move_and_conflict(api, bucket):
    api("POST", "/buckets", json={"name": "other-side"})
    api.put(bucket, "a", b"a", **{"Content-Type": "text/csv"})
    api.put(bucket, "b", b"b")
    assert api.post(bucket, "copy", key="a", to_key="b").status_code == 412
    assert api.post(bucket, "copy", key="a", to_key="a").status_code == 400
    assert api.post(bucket, "copy", key="none", to_key="c").status_code == 404
    assert api.post(bucket, "copy", key="a", to_bucket="no-such-bucket", to_key="c").status_code == 404
    assert api.post(bucket, "copy", key="a", to_bucket="other-side", to_key="deep/a").status_code == 200
    head = api("GET", "/buckets/other-side/object", params={"key": "deep/a"}).json()
    assert head["content_type"] == "text/csv"
    assert api.post(bucket, "copy", key="a", to_key="b", overwrite=True, move=True).status_code == 200
    assert api.keys(bucket) == ([], ["b"]) and api.get(bucket, "b").content == b"a"


def test_tags_have_limits(api, bucket):
    api.put(bucket, "a", b"x")

    def put(tags):
        return api("PUT", f"/buckets/{bucket}/tags", json={"key": "a", "tags": tags}).status_code
    assert put({"team": "sales", "": "x"}) == 400
    assert put({f"k{n}": "v" for n in range(11)}) == 400
    assert put({"k" * 129: "v"}) == 400 and put({"k": "v" * 257}) == 400
    assert put({f"k{n}": "" for n in range(10)}) == 200
    assert put({}) == 200


def test_lifecycle_rules(api, bucket):
    rule = ("<Rule><ID>old</ID><Status>Enabled</Status><Filter><Prefix>tmp/</Prefix></Filter>"
            "<Expiration><Days>3</Days></Expiration></Rule>")
    xml = f"<LifecycleConfiguration>{rule}</LifecycleConfiguration>"

    def put(text):
        return api("PUT", f"/buckets/{bucket}/lifecycle", json={"xml": text})
    told = put(xml).json()["rules"]
    assert [(r["id"], r["prefix"], r["days"], r["enabled"]) for r in told] == [("old", "tmp/", 3, True)]
    assert api("GET", f"/buckets/{bucket}").json()["lifecycle"]["xml"] == xml
    for bad in ("<a/>", "no xml", xml.replace("3", "0"), xml.replace("<Status>Enabled</Status>", "")):
        assert put(bad).status_code == 400, bad
    assert api("GET", f"/buckets/{bucket}").json()["lifecycle"]["xml"] == xml
    entity = '<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>'
    assert "root:" not in put(entity + xml.replace("tmp/", "&e;")).text
    assert put("").json()["rules"] == []


def test_settings_of_a_bucket(api, bucket):
    def put(**body):
        return api("PUT", f"/buckets/{bucket}", json=body)
    assert put(versioning="enabled").json()["versioning"] == "enabled"
    assert put(versioning="suspended", quota=5).json()["quota"] == 5
    for bad in ({}, {"versioning": "never"}, {"quota": -1}, {"quota": "1"}, {"versioning": 1}):
        assert put(**bad).status_code == 400, bad


def test_a_link_is_good_for_one_object_and_a_time(api, bucket):
    api.put(bucket, "page.html", b"<b>x</b>", **{"Content-Type": "text/html"})
    api.put(bucket, "other", b"secret")
    url = api.post(bucket, "share", key="page.html", seconds=60).json()["url"]
    got = requests.get(url, timeout=30)
    assert got.content == b"<b>x</b>" and got.headers["Content-Disposition"] == "attachment"
    assert requests.get(url.replace("page.html", "other"), timeout=30).status_code == 403
    assert requests.put(url, data=b"x", timeout=30).status_code == 403
    assert api.post(bucket, "share", key="none").status_code == 404
    for seconds in (0, -1, 604801, "60", 1.5):
        assert api.post(bucket, "share", key="other", seconds=seconds).status_code == 400


def previewed(api, bucket, key, content, **parameters):
    assert api.put(bucket, key, content, overwrite=True).status_code == 201
    return api("GET", f"/buckets/{bucket}/preview", params={"key": key, **parameters})


def test_rows_of_files(api, bucket):
    csv = "id;name\n" + "".join(f"{n};<script>{n}\n" for n in range(500))
    found = previewed(api, bucket, "a.csv", csv).json()
    assert [c["name"] for c in found["columns"]] == ["id", "name"]
    assert (len(found["rows"]), found["more"], found["rows"][1]) == (200, True, ["1", "<script>1"])
    packed = gzip.compress(csv.replace(";", ",").encode())
    assert previewed(api, bucket, "a.csv.gz", packed).json()["rows"] == found["rows"]
    lines = '{"a": 9007199254740993, "b": [1, {"c": null}]}\n{"a": null}\n'
    assert previewed(api, bucket, "weird * [x]?.jsonl", lines).json()["rows"][0][0] == "9007199254740993"
    table = pa.table({"i": [1, None], "d": pa.array([1.5, 2.5]), "b": [b"\x00\xff", b""],
                      "s": [{"x": 1}, None], "t": pa.array([0, 1], pa.timestamp("us"))})
    out = pa.BufferOutputStream()
    pq.write_table(table, out)
    rows = previewed(api, bucket, "t.parquet", out.getvalue().to_pybytes()).json()["rows"]
    assert rows[0][0] == "1" and rows[1][0] is None and rows[0][2] == "00FF"
    assert json.loads(rows[0][3]) == {"x": 1} and rows[1][4].startswith("1970-01-01 00:00:00.000001")


def test_of_large_files_the_beginning_is_read(api, bucket):
    csv = b"id,text\n" + b"".join(b"%d,%s\n" % (n, b"x" * 100) for n in range(120_000))
    found = previewed(api, bucket, "large.csv", csv).json()
    assert found["beginning_only"] and len(found["rows"]) == 200
    assert previewed(api, bucket, "large.csv.gz", gzip.compress(csv, 0)).status_code == 422
    out = pa.BufferOutputStream()
    pq.write_table(pa.table({"x": pa.array(range(3_000_000))}), out, compression="none",
                   use_dictionary=False)
    assert out.tell() > 8 << 20
    found = previewed(api, bucket, "large.parquet", out.getvalue().to_pybytes()).json()
    assert found["rows"][199] == ["199"] and found["more"]


def test_of_a_version_its_own_rows_are_shown(api, bucket):
    for number in (1, 2):
        previewed(api, bucket, "a.csv", f"n\n{number}\n")
    old = api("GET", f"/buckets/{bucket}/versions", params={"key": "a.csv"}).json()["versions"][1]
    rows = api("GET", f"/buckets/{bucket}/preview", params={"key": "a.csv", "version": old["version"]})
    assert rows.json()["rows"] == [["1"]]


@pytest.mark.parametrize("key,content", [
    ("a.parquet", b"PAR1 is no parquet file PAR1"), ("a.parquet", b"PAR1"), ("a.json", b"{"),
    ("a.csv.gz", b"no gzip"), ("a.json", b"\xff\xfe\x00"), ("a.zip", b"PK"), ("a.csv", b""),
    ("a.json", b"[" * 100_000), ("a.jsonl.zst", b"no zstd")])
def test_broken_files_are_problems_with_words(api, bucket, key, content):
    told = previewed(api, bucket, key, content)
    assert told.status_code == 422 and told.json()["detail"]


def test_no_file_is_left_behind(mesh):
    assert list((mesh.data / "preview").glob("*")) == []


def test_pages_of_other_sites_change_nothing(api, mesh, bucket):
    there = {"Origin": "https://evil.example"}
    place = f"{mesh.url}/api/v1/buckets/{bucket}"
    tries = [
        requests.put(f"{place}/content?key=a", data=b"x", headers=there),
        requests.put(f"{place}/content?key=a", data=b"x", headers={"Origin": "null"}),
        requests.post(f"{place}/delete", json={"prefixes": ["a"]}, headers=there),
        requests.post(f"{place}/delete", data='{"prefixes": ["a"]}', headers={"Content-Type": "text/plain"}),
        requests.post(f"{mesh.url}/api/v1/buckets", json={"name": "evil-bucket"}, headers=there),
        requests.post(f"{mesh.url}/api/v1/buckets", data={"name": "evil-bucket"}),
        requests.delete(place, headers=there),
        requests.put(place, json={"versioning": "enabled"}, headers=there),
        requests.put(f"{place}/lifecycle", json={"xml": ""}, headers=there),
        requests.post(f"{place}/share", json={"key": "a"}, headers=there),
    ]
    assert [one.status_code for one in tries if one.status_code not in (403, 415)] == []
    assert api.keys(bucket) == ([], [])
    assert api("GET", "/buckets/evil-bucket").status_code == 404


def test_tables_of_the_lake(api):
    api.sql("CREATE SCHEMA IF NOT EXISTS lake.shop")
    api.sql("CREATE TABLE lake.shop.orders (id bigint, country varchar COMMENT 'ISO', at timestamp(6)) "
            "WITH (partitioning = ARRAY['country', 'day(at)'], sorted_by = ARRAY['id DESC'])")
    for number in range(3):
        api.sql(f"INSERT INTO lake.shop.orders VALUES ({number}, 'FR', TIMESTAMP '2026-01-01 00:00:00')")
    api.sql("CREATE VIEW lake.shop.totals AS SELECT count(*) AS n FROM lake.shop.orders")
    api.sql("CREATE TABLE hive.default.shop_files (a bigint) WITH (format = 'PARQUET')")
    listed = {f"{t['catalog']}.{t['schema']}.{t['name']}": t
              for t in api("GET", "/lake/tables").json()["tables"]}
    orders = listed["lake.shop.orders"]
    assert (orders["rows"], orders["files"], orders["kind"]) == (3, 3, "table")
    assert orders["partitioned_by"] == ["country", "day(at)"]
    assert listed["lake.shop.totals"]["kind"] == "view"
    assert listed["hive.default.shop_files"]["format"] == "parquet"
    assert [t["name"] for t in api("GET", "/lake/tables", params={"search": "ORDERS"}).json()["tables"]] == [
        "orders"]
    page = api("GET", "/lake/tables", params={"limit": 1}).json()
    assert page["next"] == "hive.default.shop_files"
    whole = api("GET", "/lake/tables/lake/shop/orders").json()
    assert whole["sorted_by"] == ["id DESC NULLS LAST"]
    assert [c.get("comment") for c in whole["column_list"]] == [None, "ISO", None]
    exact = {row[0] for row in api.sql('SELECT CAST(snapshot_id AS varchar) FROM lake.shop."orders$snapshots"')}
    assert {snapshot["id"] for snapshot in whole["snapshot_list"]} == exact
    assert sum(snapshot["current"] for snapshot in whole["snapshot_list"]) == 1
    assert api("GET", "/lake/tables/lake/shop/totals").json()["kind"] == "view"
    for name in ("lake/shop/none", "none/shop/orders", "lake/none/orders", "lake/shop/..%2forders"):
        assert api("GET", f"/lake/tables/{name}").status_code == 404


# A closed mesh: ann may do all in the bucket `hers`, bob may read everything, eve nothing.

PASSWORD = "a long password of the tests"
POLICY = {"Version": "2012-10-17", "Statement": [
    {"Effect": "Allow", "Action": "s3:*", "Resource": ["arn:aws:s3:::hers", "arn:aws:s3:::hers/*"]}]}


@pytest.fixture(scope="module")
def closed(work_folder):
    folder = lake_mesh(work_folder / "api-lake-closed", **{
        "buckets": {"hers": {"versioning": True}, "theirs": {}}})
    server = LakeServer(folder, work_folder / "api-lake-closed-data").start()
    Api(server).put("theirs", "secret.csv", b"a\nsecret\n")
    Api(server).put("hers", "open.csv", b"a\n1\n")
    Api(server).sql("CREATE SCHEMA lake.s")
    Api(server).sql("CREATE TABLE lake.s.secret AS SELECT 1 AS a")
    policy = work_folder / "hers.json"
    policy.write_text(json.dumps(POLICY))
    where = ("--mesh", server.mesh, "--data", server.data)

    def access(*arguments, **options):
        done = subprocess.run([str(binary()), "access", *map(str, arguments), *map(str, where)],
                              capture_output=True, text=True,
                              env={**server.environment, "PATH": "/usr/bin"}, **options)
        assert done.returncode == 0, done.stdout + done.stderr
    access("put-policy", "hers", policy)
    for name, attached in (("ann", "hers"), ("bob", "readonly"), ("eve", None)):
        access("add", name, *(("--policy", attached) if attached else ()))
        access("password", name, input=PASSWORD + "\n")
    yield server
    server.stop()


def test_without_sign_in_nothing_is_told(closed):
    def answers():
        return {Api(closed)("GET", path).status_code for path in (
            "/buckets", "/buckets/hers", "/buckets/hers/objects", "/buckets/hers/content?key=open.csv",
            "/lake/tables", "/buckets/hers/preview?key=open.csv")}
    from support.processes import wait_until
    wait_until(lambda: answers() == {401}, 10, "the door is closed")


def test_each_sees_and_changes_what_policies_allow(closed):
    ann, bob, eve = (Api(closed, name, PASSWORD) for name in ("ann", "bob", "eve"))
    assert [b["name"] for b in ann("GET", "/buckets").json()["buckets"]] == ["hers"]
    assert eve("GET", "/buckets").json()["buckets"] == []
    assert ann.get("hers", "open.csv").content == b"a\n1\n"
    assert bob.get("theirs", "secret.csv").status_code == 200
    assert ann.put("hers", "new", b"x").status_code == 201
    assert bob.put("hers", "bobs", b"x").status_code == 403
    assert ann.delete("hers", keys=[{"key": "new"}])["deleted"] == 1
    assert requests.get(ann.post("hers", "share", key="open.csv").json()["url"], timeout=30).status_code == 200
    assert ann("PUT", "/buckets/hers", json={"quota": 1}).status_code == 403  # an administrator's
    # bob's policy allows reading objects, not tables' absence of rights: the table is listed to him.
    assert [t["name"] for t in bob("GET", "/lake/tables").json()["tables"]] == ["secret"]
    assert ann("GET", "/lake/tables").json()["tables"] == []
    assert ann("GET", "/lake/tables/lake/s/secret").status_code == 404


def test_buckets_of_others_are_closed(closed):
    for name in ("ann", "eve"):
        caller = Api(closed, name, PASSWORD)
        tries = [
            caller("GET", "/buckets/theirs"), caller("GET", "/buckets/theirs/objects"),
            caller("GET", "/buckets/theirs/objects?versions=1&prefix=sec"),
            caller.get("theirs", "secret.csv"), caller.get("theirs", "no-such-key"),
            caller("GET", "/buckets/theirs/object?key=secret.csv"),
            caller("GET", "/buckets/theirs/versions?key=secret.csv"),
            caller("GET", "/buckets/theirs/preview?key=secret.csv"),
            caller.put("theirs", "mine", b"x"), caller.put("theirs", "secret.csv", b"x", overwrite=True),
            caller.post("theirs", "delete", keys=[{"key": "secret.csv"}]),
            caller.post("theirs", "delete", prefixes=["s"]),
            caller.post("theirs", "copy", key="secret.csv", to_bucket="hers", to_key="stolen"),
            caller.post("theirs", "restore", key="secret.csv", version="null"),
            caller.post("theirs", "share", key="secret.csv"),
            caller("PUT", "/buckets/theirs/tags", json={"key": "secret.csv", "tags": {}}),
            caller("PUT", "/buckets/theirs/lifecycle", json={"xml": ""}),
            caller("PUT", "/buckets/theirs", json={"versioning": "enabled"}),
            caller("DELETE", "/buckets/theirs"),
            # What is not there looks the same as what is another's.
            caller("GET", "/buckets/no-such-bucket"), caller("GET", "/buckets/no-such-bucket/objects"),
            caller("GET", "/buckets/lake/content?key=../theirs/secret.csv"),
        ]
        assert [(t.request.method, t.url, t.status_code) for t in tries if t.status_code != 403] == []
        assert not any("secret\n" in t.text for t in tries)
    root = Api(closed, "root", closed.keys.secret_key)
    assert root.get("theirs", "secret.csv").content == b"a\nsecret\n"
    assert root.keys("hers")[1] == ["open.csv"]


def test_denials_and_changes_are_in_the_audit_trail(closed):
    Api(closed, "eve", PASSWORD).get("theirs", "secret.csv")
    Api(closed, "ann", PASSWORD).put("hers", "audited", b"x")
    from support.processes import wait_until

    def lines():
        return [json.loads(line) for file in closed.data.glob("audit/*.jsonl")
                for line in file.read_text().splitlines()]

    def told(user, action, outcome):
        return any(one.get("user") == user and one["action"] == action and one["outcome"] == outcome
                   for one in lines())
    wait_until(lambda: told("eve", "s3:GetObject", "denied"), 5, "eve's line")
    wait_until(lambda: told("ann", "s3:PutObject", "allowed"), 5, "ann's line")
