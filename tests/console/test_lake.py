"""The lake's pages as people use them: buckets, objects, previews, versions, tables."""
import io
import json
import re
import struct
import uuid
import zlib

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import requests
from playwright.sync_api import expect

HOSTILE = ["<img src=x onerror=alert(1)>", "../../etc/passwd", "..%2f", "a\nb", "\u202egnp.exe",
           "k" * 1024, "quo\"te's", "%00", "back\\slash", "😀 emoji"]


def png(width=24, height=16):
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    rows = b"".join(b"\0" + b"".join(bytes((x * 10 % 256, y * 10 % 256, 120)) for x in range(width))
                    for y in range(height))
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
            + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))


class Lake:
    """A bucket of one test on the server."""

    def __init__(self, url, versioning):
        self.url, self.name = url, "try-" + uuid.uuid4().hex[:10]
        made = requests.post(url + "/api/v1/buckets", json={"name": self.name, "versioning": versioning})
        assert made.status_code == 201, made.text
        self.page = f"/lake/buckets/{self.name}"

    def address(self, what):
        return f"{self.url}/api/v1/buckets/{self.name}/{what}"

    def put(self, key, data, kind=None):
        done = requests.put(self.address("content"), data=data, params={"key": key, "overwrite": "true"},
                            headers={"Content-Type": kind} if kind else {})
        assert done.status_code == 201, done.text
        return done.json()["version"]

    def get(self, key):
        return requests.get(self.address("content"), params={"key": key})

    def keys(self):
        listed = requests.get(self.address("objects"), params={"delimiter": "", "limit": 1000}).json()
        return [one["key"] for one in listed["objects"]]

    def object(self, key, **search):
        return "/lake/objects/" + self.name + "?" + "&".join(
            f"{name}={requests.utils.quote(value, safe='')}" for name, value in {"key": key, **search}.items())


@pytest.fixture
def lake(demo, request):
    return Lake(demo.url, "enabled" if "version" in request.node.name else "never")


@pytest.fixture
def page(console):
    """Opens pages in which no dialog ever opens: what is hostile would open one."""
    def open_page(*arguments, **options):
        opened = console(*arguments, **options)
        opened.on("dialog", lambda dialog: (console.watch.said.append("a dialog: " + dialog.message),
                                            dialog.dismiss()))
        return opened
    return open_page


def nothing_runs(opened, console):
    """No element of what was shown has anything that could run. Chromium complains of handlers in
    what is only parsed, to be cleaned, as well; that is left out."""
    handlers = """[...document.querySelectorAll('main *')].filter(one => one.matches(
        'script, iframe, object, embed, [href^="javascript:"]') || [...one.attributes].some(
        (attribute) => attribute.name.startsWith('on')))"""
    assert opened.evaluate(handlers + ".length") == 0
    console.watch.said = [one for one in console.watch.said if "Executing inline event handler" not in one]


def sql(url, statement):
    answer = requests.post(url + "/v1/statement", data=statement.encode(),
                           headers={"X-Trino-User": "local"}).json()
    rows = []
    while True:
        assert "error" not in answer, answer["error"]["message"]
        rows += answer.get("data", [])
        if "nextUri" not in answer:
            return rows
        answer = requests.get(answer["nextUri"]).json()


def upload(opened, label, files):
    with opened.expect_file_chooser() as chooser:
        opened.get_by_role("button", name=label, exact=True).click()
    chooser.value.set_files(files)


def row(opened, name):
    return opened.get_by_role("row").filter(has_text=name)


def test_a_bucket_from_its_making_to_its_end(page):
    opened = page("/lake")
    name = "made-" + uuid.uuid4().hex[:10]
    opened.get_by_role("button", name="New bucket").first.click()
    opened.get_by_label("Name").fill("NO")
    opened.get_by_role("button", name="Create", exact=True).click()
    expect(opened.get_by_role("alert")).to_contain_text("not valid")
    opened.get_by_label("Name").fill(name)
    opened.get_by_label("Keep versions").check()
    opened.get_by_role("button", name="Create", exact=True).click()
    expect(opened.get_by_role("heading", name=name)).to_be_visible()
    expect(opened.get_by_text("This bucket is empty")).to_be_visible()
    opened.get_by_role("tab", name="Settings").click()
    opened.get_by_label("Keys that begin with").fill("tmp/")
    opened.get_by_label("Delete after (days)").fill("3")
    opened.get_by_role("button", name="Add rule").click()
    expect(opened.get_by_role("table", name="Lifecycle rules")).to_contain_text("deletes after 3 days")
    opened.get_by_role("button", name="Delete bucket").click()
    opened.get_by_role("button", name="Delete", exact=True).click()
    expect(opened).to_have_url(re.compile("/lake$"))
    expect(opened.get_by_role("table", name="Buckets")).to_be_visible()
    expect(opened.get_by_text(name)).to_have_count(0)


def test_files_go_up_and_come_down_the_same(page, lake):
    content = bytes(range(256)) * 1000
    opened = page(lake.page)
    upload(opened, "Upload files", [
        {"name": "all bytes.bin", "mimeType": "application/octet-stream", "buffer": content},
        {"name": "page.html", "mimeType": "text/html", "buffer": b"<script>alert(1)</script>"},
        {"name": "empty", "mimeType": "", "buffer": b""}])
    expect(opened.get_by_text("3 of 3 uploaded")).to_be_visible()
    expect(row(opened, "all bytes.bin")).to_contain_text("256 kB")
    row(opened, "all bytes.bin").get_by_role("button", name="Actions of all bytes.bin").click()
    with opened.expect_download() as download:
        opened.get_by_role("menuitem", name="Download").click()
    assert download.value.suggested_filename == "all bytes.bin"
    assert open(download.value.path(), "rb").read() == content
    assert lake.keys() == ["all bytes.bin", "empty", "page.html"]


def test_progress_is_seen_and_an_upload_can_be_cancelled(page, lake):
    opened = page(lake.page)
    expect(opened.get_by_text("This bucket is empty")).to_be_visible()
    slow = opened.context.new_cdp_session(opened)
    slow.send("Network.enable")
    slow.send("Network.emulateNetworkConditions",
              {"offline": False, "latency": 0, "downloadThroughput": -1, "uploadThroughput": 1_000_000})
    upload(opened, "Upload files", [{"name": "large", "mimeType": "x/y", "buffer": b"x" * 12_000_000}])
    line = opened.get_by_test_id("upload")
    expect(line).to_contain_text(re.compile(r"[1-9]\d? %"))
    bar = line.get_by_role("progressbar", name="Upload of large")
    assert 0 < int(bar.get_attribute("aria-valuenow")) < 100
    opened.get_by_role("button", name="Cancel the upload of large").click()
    expect(line).to_contain_text("cancelled")
    assert lake.keys() == []


def test_what_is_there_is_replaced_only_when_told(page, lake):
    lake.put("a.txt", b"before")
    lake.put("large", b"before")
    opened = page(lake.page)
    expect(row(opened, "a.txt")).to_be_visible()
    upload(opened, "Upload files", [{"name": "a.txt", "mimeType": "text/plain", "buffer": b"after"},
                                    {"name": "large", "mimeType": "text/plain", "buffer": b"y" * 3_000_000}])
    expect(opened.get_by_text("exists already")).to_have_count(2)
    assert lake.get("a.txt").content == b"before"
    opened.get_by_role("button", name="Replace all 2").click()
    expect(opened.get_by_text("2 of 2 uploaded")).to_be_visible()
    assert lake.get("a.txt").content == b"after" and len(lake.get("large").content) == 3_000_000


def test_folders_go_up_by_choice_and_files_by_drop(page, lake, folder):
    (folder / "top" / "deep").mkdir(parents=True)
    (folder / "top" / "one.csv").write_text("a\n1\n")
    (folder / "top" / "deep" / "two.csv").write_text("a\n2\n")
    opened = page(lake.page + "?prefix=in/")
    opened.get_by_test_id("folder-input").set_input_files(folder / "top")
    expect(opened.get_by_text("2 of 2 uploaded")).to_be_visible()
    assert lake.keys() == ["in/top/deep/two.csv", "in/top/one.csv"]
    files = opened.evaluate_handle("""() => {
        const data = new DataTransfer()
        data.items.add(new File(['dropped'], 'dropped.txt', {type: 'text/plain'}))
        data.items.add(new File(['x'], '<img src=x onerror=alert(1)>.txt'))
        return data }""")
    for event in ("dragenter", "dragover", "drop"):
        opened.get_by_test_id("drop").dispatch_event(event, {"dataTransfer": files})
    expect(opened.get_by_text("4 of 4 uploaded")).to_be_visible()
    assert lake.get("in/dropped.txt").content == b"dropped"
    expect(row(opened, "<img src=x onerror=alert(1)>.txt")).to_be_visible()
    # Into the folder and back by its trail.
    opened.get_by_role("button", name="top/", exact=True).click()
    expect(opened).to_have_url(re.compile(r"prefix=in(/|%2F)top(/|%2F)$"))
    expect(row(opened, "one.csv")).to_be_visible()
    opened.get_by_role("link", name="in", exact=True).click()
    expect(row(opened, "dropped.txt")).to_be_visible()


def test_hostile_names_are_only_names(page, lake):
    for key in HOSTILE:
        lake.put(key, b"content of it")
    opened = page(lake.page)
    expect(row(opened, "<img src=x onerror=alert(1)>")).to_be_visible()
    expect(row(opened, "a\\u000ab")).to_be_visible()
    expect(row(opened, "\\u202egnp.exe")).to_be_visible()
    assert opened.locator("[role=table] img").count() == 0
    for key in HOSTILE:
        opened.goto(lake.url + lake.object(key))
        expect(opened.get_by_text("content of it")).to_be_visible()
        with opened.expect_download() as download:
            opened.get_by_role("link", name="Download").click()
        assert open(download.value.path(), "rb").read() == b"content of it"
        assert "/" not in download.value.suggested_filename
    opened.goto(lake.url + lake.page + "?prefix=../../")
    opened.get_by_role("button", name="etc/").click()
    expect(row(opened, "passwd")).to_be_visible()


@pytest.mark.parametrize("name,kind", [("page.html", "text/html"), ("drawing.svg", "image/svg+xml"),
                                       ("code.js", "text/javascript"), ("page.png", "text/html")])
def test_no_object_is_ever_a_page_or_picture_with_script(page, lake, name, kind):
    lake.put(name, b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"><script>alert(2)</script></svg>', kind)
    opened = page(lake.object(name))
    expect(opened.get_by_text("<script>alert(2)</script>")).to_be_visible()  # as text
    assert opened.locator("main svg script, main img, main iframe, main object, main embed").count() == 0
    with opened.expect_download():  # its address, opened, is a file to keep
        opened.evaluate("url => { location.href = url }", lake.address("content") + "?key=" + name)
    assert opened.url.endswith(name) and "/lake/objects/" in opened.url


def test_previews_of_each_kind(page, console, lake):
    lake.put("a.csv", "id;name\n" + "".join(f"{n};<b>name {n}</b>\n" for n in range(300)))
    lake.put("b.jsonl", '{"big": 9007199254740993, "nested": {"a": [1, null]}}\n')
    out = io.BytesIO()
    pq.write_table(pa.table({"n": [1, None], "text": ["x", "y"]}), out)
    lake.put("c.parquet", out.getvalue())
    lake.put("d.png", png(), "text/html")
    lake.put("e.md", "# A heading\n\n<script>alert(1)</script><img src=x onerror=alert(2)>[x](javascript:alert(3))\n")
    lake.put("f.avro", b'Obj\x01\x02\x16avro.schema\x30{"type":"record","name":"r","fields":[]}' + bytes(50))
    lake.put("g.log", "a line of it\n" * 20_000)
    lake.put("broken.csv.gz", b"no gzip at all")
    opened = page(lake.object("a.csv"))
    rows = opened.get_by_role("table", name="Preview")
    expect(rows).to_contain_text("<b>name 3</b>")
    expect(opened.get_by_text("There are more rows.")).to_be_visible()
    opened.get_by_text("Text", exact=True).click()
    expect(opened.get_by_text("id;name")).to_be_visible()
    opened.goto(lake.url + lake.object("b.jsonl"))
    expect(rows).to_contain_text("9007199254740993")
    expect(rows).to_contain_text('{"a":[1,null]}')
    opened.goto(lake.url + lake.object("c.parquet"))
    expect(rows).to_contain_text("NULL")
    opened.goto(lake.url + lake.object("d.png"))
    picture = opened.get_by_role("img", name="d.png")
    expect(picture).to_have_attribute("src", re.compile("^blob:"))
    assert picture.evaluate("async it => { await it.decode(); return it.naturalWidth }") == 24
    opened.goto(lake.url + lake.object("e.md"))
    expect(opened.get_by_role("heading", name="A heading")).to_be_visible()
    assert opened.locator("main img").count() == 0
    nothing_runs(opened, console)
    opened.goto(lake.url + lake.object("f.avro"))
    expect(opened.get_by_text("Apache Avro")).to_be_visible()
    expect(opened.get_by_text('"name": "r"')).to_be_visible()
    expect(opened.get_by_text("4f 62 6a 01")).to_be_visible()
    opened.goto(lake.url + lake.object("g.log"))
    expect(opened.get_by_text("The first 131,072 bytes")).to_be_visible()
    opened.goto(lake.url + lake.object("broken.csv.gz"))
    expect(opened.get_by_text("cannot be read as rows")).to_be_visible()
    expect(opened.get_by_text("no gzip at all")).to_be_visible()


def test_notebooks_without_their_html(page, console, lake):
    pixel = __import__("base64").b64encode(png()).decode()
    lake.put("n.ipynb", json.dumps({"cells": [
        {"cell_type": "markdown", "source": ["## Words\n", "<img src=x onerror=alert(1)>"]},
        {"cell_type": "code", "execution_count": 7, "source": "print('<b>')", "outputs": [
            {"output_type": "stream", "text": ["<b>\n"]},
            {"output_type": "display_data", "data": {"text/html": "<script>alert(2)</script>"}},
            {"output_type": "display_data", "data": {"image/svg+xml": "<svg onload=alert(3)/>"}},
            {"output_type": "display_data", "data": {"image/png": pixel}},
            {"output_type": "error", "traceback": ["\u001b[31mValueError\u001b[0m"]}]}],
        "metadata": {}, "nbformat": 4}))
    opened = page(lake.object("n.ipynb"))
    notebook = opened.get_by_test_id("notebook")
    expect(notebook.get_by_role("heading", name="Words")).to_be_visible()
    expect(notebook.get_by_text("[7]")).to_be_visible()
    expect(notebook.get_by_text("ValueError")).to_be_visible()
    expect(notebook.get_by_text("Output of type text/html is not shown")).to_be_visible()
    expect(notebook.get_by_text("Output of type image/svg+xml is not shown")).to_be_visible()
    expect(notebook.get_by_role("img", name="Output of a cell")).to_have_attribute("src", re.compile("^blob:"))
    nothing_runs(opened, console)
    lake.put("broken.ipynb", "{no json")
    opened.goto(lake.url + lake.object("broken.ipynb"))
    expect(opened.get_by_text("{no json")).to_be_visible()


def test_versions_are_restored_and_deleted(page, lake):
    first = lake.put("a.txt", b"first words")
    lake.put("a.txt", b"second words")
    opened = page(lake.object("a.txt"))
    expect(opened.get_by_text("second words")).to_be_visible()
    opened.get_by_role("tab", name="Versions").click()
    opened.get_by_role("link", name=first).click()
    expect(opened.get_by_text("This is the older version")).to_be_visible()
    opened.get_by_role("tab", name="Preview").click()
    expect(opened.get_by_text("first words")).to_be_visible()
    opened.get_by_role("tab", name="Versions").click()
    opened.get_by_role("button", name="Restore").click()
    expect(opened.locator("tr[data-version]")).to_have_count(3)
    assert lake.get("a.txt").content == b"first words"
    # Deleted, seen among the versions, and back.
    opened.get_by_role("button", name="Delete", exact=True).first.click()
    opened.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(opened.get_by_text("This bucket is empty")).to_be_visible()
    opened.get_by_label("Versions and deleted").check()
    expect(row(opened, "a.txt")).to_have_count(4)
    opened.goto(lake.url + lake.object("a.txt"))
    expect(opened.get_by_text("There is no such object")).to_be_visible()
    opened.get_by_role("button", name="Restore").last.click()
    expect(opened.get_by_role("tab", name="Preview")).to_be_visible()
    assert lake.get("a.txt").content == b"first words"


def test_details_tags_and_a_link(page, lake):
    lake.put("a.txt", b"words", "text/plain")
    opened = page(lake.object("a.txt", tab="details"))
    expect(opened.get_by_text("text/plain")).to_be_visible()
    opened.get_by_role("button", name="Edit tags").click()
    opened.get_by_label("Name of the tag").fill("team")
    opened.get_by_label("Value of the tag").fill("<b>sales</b>")
    opened.get_by_role("button", name="Save").click()
    expect(opened.get_by_role("alert")).to_be_visible()  # S3 allows no < there
    opened.get_by_label("Value of the tag").fill("sales")
    opened.get_by_role("button", name="Save").click()
    expect(opened.get_by_text("team: sales")).to_be_visible()
    opened.get_by_role("button", name="Share").click()
    opened.get_by_role("button", name="Make link").click()
    link = opened.get_by_role("dialog").locator("pre")
    expect(link).to_contain_text("X-Amz-Signature")
    assert requests.get(link.inner_text()).content == b"words"


def test_rename_conflict_and_folder(page, lake):
    lake.put("a.txt", b"words")
    lake.put("taken.txt", b"other")
    opened = page(lake.object("a.txt"))
    opened.get_by_role("button", name="Rename or move").click()
    opened.get_by_label("Key", exact=True).fill("taken.txt")
    opened.get_by_role("dialog").get_by_role("button", name="Rename or move").click()
    expect(opened.get_by_role("alert")).to_contain_text("already")
    opened.get_by_label("Key", exact=True).fill("new folder/b.txt")
    opened.get_by_role("dialog").get_by_role("button", name="Rename or move").click()
    expect(opened.get_by_role("heading", name="b.txt")).to_be_visible()
    assert lake.keys() == ["new folder/b.txt", "taken.txt"]


def test_many_are_deleted_at_once(page, lake):
    for number in range(30):
        lake.put(f"folder/{number}", b"x")
    lake.put("a", b"x")
    lake.put("keep", b"x")
    opened = page(lake.page)
    opened.get_by_label("Choose a", exact=True).check()
    opened.get_by_label("Choose folder/").check()
    expect(opened.get_by_text("2 chosen")).to_be_visible()
    opened.get_by_role("button", name="Delete", exact=True).click()
    opened.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(opened.get_by_text("31 deleted")).to_be_visible()
    expect(row(opened, "folder/")).to_have_count(0)
    assert lake.keys() == ["keep"]


def test_long_lists_come_in_parts_and_are_searched(page, lake):
    with requests.Session() as http:
        for number in range(1100):
            http.put(lake.address("content"), params={"key": f"k{number:04}"}, data=b"x")
    opened = page(lake.page)
    expect(opened.get_by_text("1,000 rows")).to_be_visible()
    assert opened.get_by_role("row").count() < 100  # only what is seen is made
    opened.get_by_role("button", name="More (after 1,000)").click()
    expect(opened.get_by_text("1,100 rows")).to_be_visible()
    opened.get_by_label("Search: Objects").fill("k1099")
    expect(row(opened, "k1099")).to_be_visible()
    expect(opened).to_have_url(re.compile("q=k1099"))


@pytest.fixture
def table(demo):
    """lake.try_<n>.orders with four snapshots: 0, 10, 30 and 60 rows."""
    schema = "try_" + uuid.uuid4().hex[:8]
    sql(demo.url, f"CREATE SCHEMA lake.{schema}")
    name = f"lake.{schema}.orders"
    sql(demo.url, f"CREATE TABLE {name} (id bigint COMMENT 'its number', country varchar) WITH (partitioning = "
        "ARRAY['country'], extra_properties = MAP(ARRAY['meesh.maintenance.enabled'], ARRAY['false']))")
    for rows in (10, 20, 30):
        sql(demo.url, f"INSERT INTO {name} SELECT x + 9007199254740990, '<b>FR</b>' "
            f"FROM UNNEST(sequence(1, {rows})) t(x)")
    return name


def metadata(name, kind):
    catalog, schema, table = name.split(".")
    return f'{catalog}.{schema}."{table}${kind}"'


def table_page(name, tab):
    return "/lake/tables/" + name.replace(".", "/") + "?tab=" + tab


def test_tables_are_found_and_described(page, demo, table):
    opened = page("/lake")
    opened.get_by_role("link", name="All tables").click()
    opened.get_by_label("Search: Tables").fill(table)
    expect(row(opened, table)).to_contain_text("60")
    opened.get_by_role("link", name=table).click()
    expect(opened.get_by_role("heading", name="orders")).to_be_visible()
    expect(row(opened, "its number")).to_contain_text("bigint")
    expect(opened.get_by_text("country").first).to_be_visible()
    opened.get_by_role("tab", name="Files").click()
    expect(opened.get_by_text("3 rows")).to_be_visible()
    expect(opened.get_by_role("table", name="Files")).to_contain_text("id: 9007199254740991")
    opened.get_by_role("tab", name="Partitions").click()
    expect(row(opened, "<b>FR</b>")).to_contain_text("60")
    opened.get_by_role("tab", name="History").click()
    expect(opened.get_by_text("4 rows")).to_be_visible()
    opened.get_by_role("tab", name="DDL").click()
    expect(opened.get_by_text("CREATE TABLE lake.")).to_be_visible()
    opened.goto(demo.url + "/lake/tables/lake/none/none")
    expect(opened.get_by_role("alert")).to_contain_text("TABLE_NOT_FOUND")


def test_a_table_is_opened_in_the_sql_lab(page, table):
    opened = page(table_page(table, "columns"))
    opened.get_by_role("link", name="Open in the SQL lab").click()
    expect(opened).to_have_url(re.compile("/sql"))
    quoted = ".".join(f'"{part}"' for part in table.split("."))
    expect(opened.locator(".cm-content")).to_have_text(f"SELECT * FROM {quoted} LIMIT 100")


def test_time_travel_and_rollback(page, demo, table):
    opened = page(table_page(table, "sample"))
    sample = opened.get_by_role("table", name="Sample")
    expect(opened.get_by_text("All 60 rows")).to_be_visible()
    expect(sample).to_contain_text("9007199254740993")  # exact, though no number of JavaScript's
    opened.get_by_role("tab", name="Snapshots").click()
    snapshots = opened.locator("tr[data-snapshot]")
    expect(snapshots).to_have_count(4)
    expect(opened.locator("canvas")).to_have_count(1)
    older = snapshots.nth(2)
    older.get_by_role("button", name="See rows").click()
    expect(opened.get_by_text("All 10 rows")).to_be_visible()
    expect(opened).to_have_url(re.compile(r"snapshot=\d{10,}"))
    opened.get_by_role("tab", name="Snapshots").click()
    older.get_by_role("button", name="Summary").click()
    expect(opened.get_by_text("added-records")).to_be_visible()
    older.get_by_role("button", name="Roll back").click()
    assert sql(demo.url, f"SELECT count(*) FROM {table}") == [[60]]  # it asks first
    opened.get_by_role("dialog").get_by_role("button", name="Roll back").click()
    expect(opened.get_by_text("The table is what it was")).to_be_visible()
    assert sql(demo.url, f"SELECT count(*) FROM {table}") == [[10]]
    expect(older).to_contain_text("current")


def test_optimise_and_properties(page, demo, table):
    opened = page(table_page(table, "maintenance"))
    opened.get_by_role("button", name="Optimise").click()
    done = opened.get_by_role("status").filter(has_text="done")
    expect(done).to_contain_text("Files: 3 → 1")
    assert sql(demo.url, f"SELECT count(*) FROM {metadata(table, 'files')}") == [[1]]
    opened.get_by_label("Older than").nth(1).fill("1d")
    opened.get_by_role("button", name="Remove orphan files").click()
    opened.get_by_role("dialog").get_by_role("button", name="Yes, do it").click()
    expect(opened.get_by_role("alert")).to_contain_text("minimum retention")
    opened.get_by_role("tab", name="Properties").click()
    opened.get_by_role("button", name="Set property").click()
    opened.get_by_role("textbox", name="Property").fill("my.note")
    opened.get_by_role("textbox", name="Value").fill("it's <b>")
    opened.get_by_role("button", name="Save").click()
    expect(row(opened, "my.note")).to_contain_text("it's <b>")
    assert sql(demo.url, f"SELECT value FROM {metadata(table, 'properties')} WHERE key = 'my.note'") == [["it's <b>"]]


PAGES = ["/lake", "/lake/buckets/{}", "/lake/buckets/{}?tab=settings", "/lake/objects/{}?key=a.csv",
         "/lake/objects/{}?key=a.csv&tab=details", "/lake/objects/{}?key=a.csv&tab=versions", "/lake/tables"]


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_pages_fit_and_can_be_used_by_everybody_with_versions(page, lake, table, axe, width, theme):
    lake.put("a.csv", b"a,b\n1,2\n")
    places = [place.format(lake.name) for place in PAGES] + [
        table_page(table, tab) for tab in ("columns", "sample", "snapshots", "files", "properties", "maintenance")]
    opened = page(places[0], theme=theme, width=width, language="fr", bypass_csp=True)
    for place in places:
        opened.goto(lake.url + place)
        expect(opened.get_by_role("heading", level=1)).to_be_visible()
        expect(opened.get_by_role("status", name="Chargement")).to_have_count(0)
        opened.wait_for_load_state("networkidle")
        assert opened.evaluate("document.documentElement.scrollWidth") <= width, place
        opened.evaluate(axe)
        found = opened.evaluate("axe.run('main', {resultTypes: ['violations']})")["violations"]
        serious = [(one["id"], [node["html"][:160] for node in one["nodes"][:3]]) for one in found
                   if one["impact"] in ("serious", "critical")]
        assert serious == [], (place, serious)
