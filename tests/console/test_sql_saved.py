"""What the SQL lab keeps and hands out: saved queries, history, files, laid-out texts."""
import csv
import io
import json
import re
import time
import uuid

import pyarrow.parquet as pq
import pytest
import requests
from playwright.sync_api import expect
from support.processes import wait_until
from support.sql_lab import api, clipboard, own

expect.set_options(timeout=20_000)


# ---- saved, shared, remembered

def test_a_query_is_saved_shared_and_opened_by_its_link(lab, console, demo):
    name = f"Nations {uuid.uuid4().hex[:6]}"
    page = lab().run("SELECT name FROM tpch.tiny.nation ORDER BY 1")
    page.page.keyboard.press("Control+s")
    dialog = page.page.get_by_role("dialog")
    dialog.get_by_label("Name").fill(name)
    dialog.get_by_label("What it answers").fill("All of them")
    dialog.get_by_role("switch").check()
    dialog.get_by_role("button", name="Save", exact=True).click()
    expect(dialog).to_have_count(0)
    page.page.wait_for_url(re.compile(r"/sql/[0-9a-f-]{36}"))
    page.page.get_by_role("button", name="Copy link").click()
    expect(page.page.get_by_text("The link is copied")).to_be_visible()
    link = clipboard(page)
    other = lab(link.removeprefix(demo.url))  # another browser
    expect(other.editor).to_have_text("SELECT name FROM tpch.tiny.nation ORDER BY 1")
    expect(other.page.get_by_role("navigation", name="Open queries")).to_contain_text(name)
    other.write("SELECT 'changed'")
    other.page.keyboard.press("Control+s")
    other.page.get_by_role("dialog").get_by_role("button", name="Save", exact=True).click()
    saved = [one for one in api(demo, "GET", "/saved", params={"q": name}).json()["queries"]]
    expect(other.page.get_by_role("dialog")).to_have_count(0)
    saved = api(demo, "GET", f"/saved/{saved[0]['id']}").json()
    assert saved["statement"] == "SELECT 'changed'" and saved["everyone"] and saved["description"] == "All of them"
    page.page.get_by_role("tab", name="Saved").click()
    page.page.get_by_label("Search", exact=True).fill(name)
    expect(page.page.get_by_role("button", name=re.compile(name)).first).to_be_visible()


def test_a_link_that_leads_nowhere_says_so(lab):
    page = lab("/sql/00000000-0000-0000-0000-000000000000")
    expect(page.page.get_by_role("alert")).to_contain_text("there is no such saved query")


def test_a_saved_query_is_deleted(lab, demo):
    made = api(demo, "POST", "/saved", json={"name": "To delete", "statement": "SELECT 1"}).json()["id"]
    page = lab(f"/sql/{made}")
    expect(page.editor).to_have_text("SELECT 1")
    page.page.get_by_role("button", name="Save", exact=True).click()
    page.page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    page.page.get_by_role("button", name="Yes, do it").click()
    page.page.wait_for_url(re.compile(r"/sql$"))
    assert api(demo, "GET", f"/saved/{made}").status_code == 404


def test_history_shows_what_ran_and_opens_it(lab):
    text = own("SELECT 'remember me'")
    page = lab().run(text)
    page.page.get_by_role("tab", name="History").click()
    entry = page.page.get_by_role("button", name=re.compile(re.escape(text)))
    expect(entry).to_contain_text("finished")
    page.write("SELECT 2")
    entry.click()
    expect(page.editor).to_have_text(text)
    failing = own("SELECT nope")
    page.run(failing, "failed")
    expect(page.page.get_by_role("button", name=re.compile(re.escape(failing)))).to_contain_text("cannot be resolved")


# ---- files

def exported(page, item):
    page.page.get_by_role("button", name="Export", exact=True).click()
    with page.page.expect_download() as told:
        item().click()
    return told.value


@pytest.mark.parametrize("format", ["csv", "json", "parquet", "xlsx"])
def test_all_rows_are_exported_though_few_are_loaded(lab, format):
    page = lab()
    page.choose_limit("1,000")
    page.run("SELECT orderkey, totalprice FROM tpch.tiny.orders ORDER BY 1")
    file = exported(page, lambda: page.page.get_by_test_id(f"export-{format}"))
    assert file.suggested_filename == f"Query 1.{format}"
    content = open(file.path(), "rb").read()
    if format == "csv":
        rows = list(csv.DictReader(io.StringIO(content.decode())))
        assert len(rows) == 15_000 and rows[0]["orderkey"] == "1"
    elif format == "json":
        assert len(json.loads(content)) == 15_000
    elif format == "parquet":
        assert pq.read_table(io.BytesIO(content)).num_rows == 15_000
    else:
        assert content.startswith(b"PK")
    expect(page.page.get_by_text("is downloaded")).to_be_visible()


def test_what_is_loaded_is_exported_as_it_is_sorted(lab):
    page = lab().run("SELECT 9223372036854775807 - n AS big, '=' || CAST(n AS varchar) AS f "
                     "FROM UNNEST(sequence(1, 3)) AS t(n)")
    page.grid.get_by_role("columnheader").first.click()
    expect(page.grid.get_by_role("gridcell").first).to_have_text("9223372036854775804")
    items = page.page.get_by_role("menuitem")
    file = exported(page, lambda: items.filter(has_text="CSV").first)
    lines = open(file.path(), encoding="utf-8", newline="").read().split("\r\n")
    assert lines[:3] == ["big,f", "9223372036854775804,\"'=3\"", "9223372036854775805,\"'=2\""]
    file = exported(page, lambda: items.filter(has_text="JSON").first)
    assert json.load(open(file.path()))[0] == {"big": 9223372036854775804, "f": "=3"}


def test_an_export_that_fails_says_why(lab, demo):
    table = f"memory.default.t{uuid.uuid4().hex[:8]}"
    page = lab().run(f"CREATE TABLE {table} AS SELECT 1 AS a").run(f"SELECT * FROM {table}")
    requests.post(f"{demo.url}/v1/statement", data=f"DROP TABLE {table}", headers={"X-Trino-User": "local"})
    time.sleep(1)
    page.page.get_by_role("button", name="Export", exact=True).click()
    page.page.get_by_test_id("export-parquet").click()
    expect(page.page.get_by_text("The export failed")).to_be_visible()


# ---- found again

def search(page, text):
    page.keyboard.press("Control+k")
    page.get_by_role("combobox", name="Search everything").fill(text)
    return page.get_by_role("listbox", name="Search everything").get_by_role("option")


def test_a_saved_query_is_found_by_everyone_or_by_its_owner_alone(console, demo):
    word = f"zebra{uuid.uuid4().hex[:8]}"
    made = {}
    for everyone in (True, False):
        body = {"name": f"{word} {'ours' if everyone else 'mine'}", "statement": f"SELECT '{word}' AS stripes",
                "description": "How many stripes", "everyone": everyone}
        made[everyone] = api(demo, "POST", "/saved", json=body).json()["id"]

    def hits():
        told = requests.get(f"{demo.url}/api/v1/search", params={"q": word, "kind": "query"}, timeout=30)
        return told.json()["hits"]
    found = wait_until(hits, 20, "the query in the catalogue")
    assert [(one["title"], one["url"]) for one in found] == [(f"{word} ours", f"/sql/{made[True]}")]
    assert found[0]["description"] == "How many stripes" and found[0]["owner"] == "local"
    page = console("/")
    page.get_by_role("heading", level=1).wait_for()
    options = search(page, word)
    expect(options.filter(has_text="ours")).to_contain_text("saved query")
    expect(options).to_have_count(2)
    options.filter(has_text="mine").click()
    page.wait_for_url(re.compile(f"/sql/{made[False]}"))
    expect(page.locator(".cm-content")).to_have_text(f"SELECT '{word}' AS stripes")
    for one in made.values():
        api(demo, "DELETE", f"/saved/{one}")
    wait_until(lambda: not hits(), 20, "the query gone from the catalogue")


def test_a_link_opens_its_statement_once(lab):
    page = lab("/sql?sql=SELECT%20%27linked%27%20AS%20a")
    expect(page.editor).to_have_text("SELECT 'linked' AS a")
    assert "sql=" not in page.page.url


# ---- laid out

MESSY = ("select n.name, count(*) as c, max_by(c.name,c.acctbal) from tpch.tiny.customer c join tpch.tiny.nation n "
         "on c.nationkey=n.nationkey where c.acctbal>0 -- the rich\nand n.name like '%a  B%' group by 1 order by 2 desc")


def test_a_statement_is_laid_out_and_says_the_same(lab):
    page = lab().write(MESSY)
    page.page.get_by_role("button", name=re.compile("^Lay out")).click()
    lines = page.editor.locator(".cm-line")
    expect(lines.first).to_have_text("SELECT")
    text = "\n".join(lines.all_inner_texts())
    assert "  AND n.name LIKE '%a  B%'" in text and "-- the rich" in text, text
    assert re.sub(r"\s", "", text).lower() == re.sub(r"\s", "", MESSY).lower()
    page.run()
    page.editor.click()
    page.page.keyboard.press("Control+z")
    expect(lines.first).to_contain_text("select n.name")


def test_only_the_selection_is_laid_out_by_keyboard(lab):
    page = lab().write("select 1;\nselect a,b from t")
    page.page.keyboard.press("Control+Home")
    page.page.keyboard.press("Shift+End")
    page.page.keyboard.press("Shift+Alt+F")
    expect(page.editor.locator(".cm-line")).to_have_text(["SELECT", re.compile(r"\s*1;"), "select a,b from t"])


@pytest.mark.parametrize("text", ["SELECT 'never ends", "SELECT (((", "❤ {{ x }} '"])
def test_what_cannot_be_read_stays_as_it_is(lab, text):
    page = lab().write(text)
    page.page.get_by_role("button", name=re.compile("^Lay out")).click()
    page.page.wait_for_timeout(500)
    expect(page.editor).to_have_text(text)
