"""The SQL lab as a person uses it."""
import json
import re
import uuid

import pytest
import requests
from playwright.sync_api import expect
from support.processes import wait_until
from support.sql_lab import Lab, clipboard, own

expect.set_options(timeout=20_000)
HOSTILE = ["<script>window.bad=1</script>", "<img src=x onerror=window.bad=1>", "\"><svg onload=window.bad=1>",
           "javascript:window.bad=1", "{{constructor.constructor('window.bad=1')()}}", "</textarea><script>window.bad=1</script>",
           "<style>*{display:none}</style>", "[x](javascript:window.bad=1)", "<a href=javascript:window.bad=1>x</a>",
           "<iframe srcdoc='<script>parent.bad=1</script>'>"]
MILLION = """SELECT n, 'row ' || CAST(n AS varchar) AS name, n + 9007199254740993 AS big,
CAST(n AS decimal(38, 10)) / 7 AS exact, n * 7919 % 1000003 AS mixed
FROM (SELECT a * 1000 + b AS n FROM UNNEST(sequence(0, 999)) AS x(a) CROSS JOIN UNNEST(sequence(0, 999)) AS y(b))"""


# ---- writing and running

def test_a_statement_is_run_and_its_rows_shown(lab):
    page = lab().run("SELECT nationkey, name, CAST(NULL AS varchar) AS nothing FROM tpch.tiny.nation ORDER BY 1")
    expect(page.status).to_contain_text("25 rows")
    assert page.cells()[:2] == [["0", "ALGERIA", "NULL"], ["1", "ARGENTINA", "NULL"]]
    heads = page.grid.get_by_role("columnheader").all_inner_texts()
    assert [re.split(r"\s+", head.strip()) for head in heads[:2]] == [["nationkey", "bigint"], ["name", "varchar(25)"]]


def test_big_numbers_and_decimals_are_exact(lab):
    page = lab().run("SELECT 9223372036854775807 AS a, -9007199254740993 AS b, "
                     "DECIMAL '0.12345678901234567890' AS c")
    assert page.cells() == [["9223372036854775807", "-9007199254740993", "0.12345678901234567890"]]
    page.run("SELECT 1e0 AS d, 0.1e0 + 0.2e0 AS e, '12345678901234567890' AS f, "
             "TIMESTAMP '2024-01-01 00:00:00.123456' AS g")
    expect(page.grid.get_by_role("columnheader").first).to_contain_text("double")
    assert page.cells() == [["1.0", "0.30000000000000004", "12345678901234567890",
                             "2024-01-01 00:00:00.123456"]]


def test_the_statement_at_the_cursor_or_the_selection_runs(lab):
    page = lab().write("SELECT 'first; one' AS a;\n-- a comment; with semicolons\nSELECT 'second' AS b;\n\nSELECT 'third' AS c")
    page.page.keyboard.press("Control+Home")
    page.page.keyboard.press("Control+Enter")
    expect(page.grid.get_by_role("gridcell")).to_have_text("first; one")
    for _ in range(2):
        page.page.keyboard.press("ArrowDown")
    page.page.keyboard.press("Control+Enter")
    expect(page.grid.get_by_role("gridcell")).to_have_text("second")
    page.page.keyboard.press("Control+End")
    page.page.keyboard.press("Control+Enter")
    expect(page.grid.get_by_role("gridcell")).to_have_text("third")


def test_all_statements_run_one_after_another(lab):
    table = f"memory.default.t{uuid.uuid4().hex[:8]}"
    page = lab().write(f"CREATE TABLE {table} AS SELECT 7 AS a; INSERT INTO {table} VALUES 8, 9;\n"
                       f"SELECT count(*) AS n FROM {table}; DROP TABLE {table}; SELECT nope; SELECT 'never'")
    page.page.get_by_role("button", name="More ways to run").click()
    page.page.get_by_role("menuitem", name="Run all statements").click()
    expect(page.status).to_contain_text("failed")
    tabs = page.page.get_by_role("tab", name="Statement")
    expect(tabs).to_have_count(5)
    tabs.nth(1).click()
    expect(page.status).to_contain_text("INSERT: 2 rows")
    tabs.nth(2).click()
    expect(page.grid.get_by_role("gridcell")).to_have_text("3")


def test_a_mistake_is_marked_at_its_place(lab):
    page = lab().write("SELECT 1;\n  SELECT name,\n    'é😀' || nope FROM tpch.tiny.nation")
    page.page.keyboard.press("Control+Enter")
    expect(page.page.get_by_role("alert")).to_contain_text("Column 'nope' cannot be resolved")
    mark = page.page.locator(".cm-lintRange-error")
    expect(mark).to_have_text("nope")
    assert mark.evaluate("e => [...document.querySelectorAll('.cm-line')].indexOf(e.closest('.cm-line'))") == 2
    page.page.keyboard.insert_text(" ")
    expect(mark).to_have_count(0)


def test_a_statement_is_canceled(lab, demo):
    text = own("SELECT count(*) FROM tpch.tiny.lineitem a, tpch.tiny.lineitem b, tpch.tiny.lineitem c "
               "WHERE a.comment < b.comment || c.comment")
    page = lab().run(text, "running")
    page.page.get_by_role("button", name="Cancel").first.click()
    expect(page.status).to_contain_text("canceled")
    expect(page.page.get_by_role("button", name="Run", exact=True)).to_be_visible()
    queries = requests.get(f"{demo.url}/v1/query", timeout=10).json()
    assert [one["state"] for one in queries if one["query"].startswith(text[:60])][:1] == ["FAILED"]


def test_progress_tells_stage_rows_and_time(lab):
    page = lab().run("SELECT count(*) FROM tpch.tiny.lineitem a, tpch.tiny.lineitem b, tpch.tiny.orders c "
                     "WHERE a.comment < b.comment || c.comment", "running")
    expect(page.page.get_by_role("progressbar", name="Progress of the statement")).to_be_visible()
    expect(page.status).to_contain_text(re.compile(r"\d (ms|s)"))
    page.page.get_by_role("button", name="Cancel").first.click()


def test_session_statements_last_in_their_tab(lab):
    page = lab().run("USE tpch.tiny")
    expect(page.page.get_by_role("combobox", name="Catalog")).to_have_value("tpch")
    expect(page.page.get_by_role("combobox", name="Schema")).to_have_value("tiny")
    page.run("PREPARE p FROM SELECT name FROM nation WHERE nationkey = ?")
    page.run("EXECUTE p USING 3")
    expect(page.grid.get_by_role("gridcell")).to_have_text("CANADA")


# ---- completion

def completions(page):
    page.page.locator(".cm-tooltip-autocomplete li").first.wait_for()
    return page.page.locator(".cm-tooltip-autocomplete li .cm-completionLabel").all_inner_texts()


@pytest.mark.parametrize("before, typed, after, expected", [
    ("SELECT * FROM tp", "c", "", "tpch"),
    ("SELECT * FROM tpch", ".ti", "", "tiny"),
    ("SELECT * FROM tpch.tiny", ".nat", "", "nation"),
    ("SELECT n", ".reg", " FROM tpch.tiny.nation n", "regionkey"),
    ("SELECT acct", "b", " FROM tpch.tiny.customer c JOIN tpch.tiny.nation AS n ON true", "acctbal"),
    ("SELECT approx_dis", "t", "", "approx_distinct"),
    ("WITH latest AS (SELECT 1 AS a) SELECT * FROM late", "s", "", "latest"),
    ("SELECT 1 FRO", "M", "", "FROM")])
def test_names_are_completed(lab, before, typed, after, expected):
    page = lab().write(before + after)
    for _ in after:
        page.page.keyboard.press("ArrowLeft")
    page.page.keyboard.type(typed)
    assert expected in completions(page)


def test_a_chosen_name_is_written_as_sql_wants_it(lab, demo):
    table = f"t{uuid.uuid4().hex[:8]}"
    page = lab().run(f'CREATE TABLE memory.default.{table} AS SELECT 1 AS "Größe ""x""", 2 AS "order"')
    page.write(f"SELECT t FROM memory.default.{table} t")
    for _ in range(len(f" FROM memory.default.{table} t")):
        page.page.keyboard.press("ArrowLeft")
    page.page.keyboard.type(".gr")
    completions(page)
    page.page.wait_for_timeout(150)  # the editor takes no Enter for a list that has just come
    page.page.keyboard.press("Enter")
    expect(page.editor).to_contain_text('SELECT t."größe ""x""" FROM')
    page.run(None)
    expect(page.grid.get_by_role("gridcell")).to_have_text("1")


def test_functions_come_with_their_signatures(lab):
    page = lab().write("SELECT date_tr")
    page.page.keyboard.type("u")
    completions(page)
    expect(page.page.locator(".cm-tooltip-autocomplete li").filter(has_text="date_trunc")).to_contain_text("varchar(x), date")


def test_nothing_is_offered_inside_of_text(lab):
    page = lab().write("SELECT 'sel")
    page.page.keyboard.type("e")
    page.page.wait_for_timeout(500)
    assert page.page.locator(".cm-tooltip-autocomplete").count() == 0


# ---- tables on the left

def test_the_tree_leads_to_columns_and_inserts_them(lab):
    page = lab()
    tree = page.page.get_by_role("tree")
    for name in ("tpch", "tiny", "nation"):
        tree.get_by_role("treeitem").filter(has_text=re.compile(f"^{name}$")).first.click()
    column = tree.get_by_role("treeitem").filter(has_text="regionkey")
    expect(column).to_contain_text("bigint")
    column.click()
    expect(page.editor).to_contain_text("regionkey")


def test_tables_are_found_and_previewed(lab):
    page = lab()
    page.page.get_by_label("Search tables").fill("tiny nation")
    found = page.page.get_by_role("treeitem").filter(has_text="tpch.tiny")
    expect(found).to_have_count(1)
    found.hover()
    found.get_by_label("Show 100 rows of nation").click()
    expect(page.status).to_contain_text("25 rows")
    expect(page.editor).to_contain_text("SELECT * FROM tpch.tiny.nation LIMIT 100")


def test_the_tree_obeys_the_keyboard(lab):
    page = lab()
    tree = page.page.get_by_role("tree")
    tree.get_by_role("treeitem").first.wait_for()
    tree.focus()
    page.page.keyboard.press("End")
    page.page.keyboard.press("ArrowRight")
    page.page.keyboard.press("ArrowDown")
    expect(tree.locator("[aria-level='2'][aria-selected=true]")).to_have_count(1)
    page.page.keyboard.press("ArrowLeft")
    page.page.keyboard.press("ArrowLeft")
    expect(tree.locator("[aria-level='2']")).to_have_count(0)


# ---- tabs

def test_tabs_are_kept_with_what_is_written_in_them(lab):
    page = lab().write("SELECT 'kept text'")
    page.page.get_by_role("button", name="New tab").click()
    page.write("SELECT 'other'")
    tabs = page.page.get_by_role("navigation", name="Open queries")
    tabs.get_by_text("Query 2").dblclick()
    page.page.get_by_label("Name of the tab").fill("My numbers")
    page.page.keyboard.press("Enter")
    wait_until(lambda: "My numbers" in page.page.evaluate(
        "localStorage.getItem('meesh.sql.tabs') || ''"), 20, "the tabs are kept")
    page.page.reload()
    again = Lab(page.page)
    expect(tabs.get_by_text("My numbers")).to_be_visible()
    expect(again.editor).to_have_text("SELECT 'other'")
    tabs.get_by_text("Query 1").click()
    expect(again.editor).to_have_text("SELECT 'kept text'")
    page.page.get_by_role("button", name="What can be done with Query 1").click()
    page.page.get_by_role("menuitem", name="Move right").click()
    expect(tabs.locator("[draggable]").first).to_contain_text("My numbers")
    page.page.get_by_role("button", name="Close My numbers").click()
    expect(tabs.get_by_text("My numbers")).to_have_count(0)


def test_undoing_stays_with_its_tab(lab):
    page = lab().write("SELECT 'before'")
    page.page.keyboard.press("End")
    page.page.wait_for_timeout(600)  # longer than what is undone as one change
    page.page.keyboard.insert_text(" AS added")
    page.page.get_by_role("button", name="New tab").click()
    page.page.get_by_role("navigation", name="Open queries").get_by_text("Query 1").click()
    expect(page.editor).to_have_text("SELECT 'before' AS added")
    page.editor.click()
    page.page.keyboard.press("Control+z")
    expect(page.editor).to_have_text("SELECT 'before'")


# ---- the grid

@pytest.fixture(scope="module")
def million(browser, demo):
    """A page with a million rows."""
    context = browser.new_context(viewport={"width": 1280, "height": 860}, locale="en",
                                  permissions=["clipboard-read", "clipboard-write"])
    page = context.new_page()
    page.goto(demo.url + "/sql")
    lab = Lab(page)
    lab.choose_limit("1,000,000")
    lab.run(MILLION, seconds=120)
    expect(lab.status).to_contain_text("1,000,000 rows")
    yield lab
    context.close()


def test_a_million_rows_scroll(million):
    page, grid = million.page, million.grid
    page.evaluate("""() => { window.gaps = []; let last = performance.now()
        const frame = () => { const now = performance.now(); window.gaps.push(now - last); last = now
                              window.halt || requestAnimationFrame(frame) }
        requestAnimationFrame(frame) }""")
    grid.hover()
    for _ in range(40):
        page.mouse.wheel(0, 5000)
        page.wait_for_timeout(16)
    expect(million.grid.get_by_role("rowheader").first).not_to_have_text("1")
    grid.evaluate("e => { e.scrollTop = 1e9 }")
    expect(grid.get_by_role("rowheader").last).to_have_text("1000000")
    assert million.cells()[-1][:3] == ["999999", "row 999999", "9007199255740992"]
    # However long the result, the page holds what is seen.
    assert grid.locator("[role=gridcell]").count() < 400
    # The page drew all the while: it did not hang until the end.
    assert page.evaluate("window.gaps.length") > 20
    page.evaluate("window.halt = true")


def test_a_million_rows_are_sorted_while_the_page_lives(million):
    page, grid = million.page, million.grid
    page.evaluate("""() => { window.halt = false; window.gaps = []; let last = performance.now()
        const frame = () => { const now = performance.now(); window.gaps.push(now - last); last = now
                              window.halt || requestAnimationFrame(frame) }
        requestAnimationFrame(frame) }""")
    grid.evaluate("e => { e.scrollTop = 0 }")
    head = grid.get_by_role("columnheader", name="big bigint")
    head.click()
    head.click()
    expect(head).to_have_attribute("aria-sort", "descending")
    expect(grid.get_by_role("gridcell").first).to_have_text("999999", timeout=60_000)
    assert [row[2] for row in million.cells()[:3]] == ["9007199255740992", "9007199255740991", "9007199255740990"]
    assert page.evaluate("window.gaps.length") > 5
    head.click()
    expect(grid.get_by_role("gridcell").first).to_have_text("0", timeout=60_000)
    page.evaluate("window.halt = true")


def test_the_grid_obeys_the_keyboard(million):
    grid = million.grid
    grid.focus()
    million.page.keyboard.press("Control+End")
    expect(grid.get_by_role("rowheader").last).to_have_text("1000000")
    million.page.keyboard.press("Control+Home")
    expect(grid.get_by_role("rowheader").first).to_have_text("1")
    million.page.keyboard.press("ArrowRight")
    million.page.keyboard.press("PageDown")
    active = grid.get_attribute("aria-activedescendant")
    expect(million.page.locator(f"#{active}")).to_be_visible()


def test_more_rows_than_wanted_are_told_of(lab):
    page = lab()
    page.choose_limit("1,000")
    page.run("SELECT orderkey FROM tpch.tiny.orders")
    expect(page.page.get_by_test_id("cut")).to_contain_text("The first 1,000 rows")
    page.page.get_by_role("button", name="Load up to 10,000").click()
    expect(page.page.get_by_test_id("cut")).to_contain_text("The first 10,000 rows")


def test_cells_are_copied(lab):
    page = lab().run("SELECT * FROM (VALUES (1, 'a\tb', '=1'), (2, NULL, 'x\"y')) AS t(n, s, f) ORDER BY 1")
    page.grid.get_by_role("gridcell").first.click()
    page.page.keyboard.press("Control+c")
    expect(page.page.get_by_text("1 cells copied")).to_be_visible()
    assert clipboard(page) == "1"
    page.grid.focus()
    page.page.keyboard.press("Control+a")
    page.page.keyboard.press("Control+c")
    expect(page.page.get_by_text("6 cells copied")).to_be_visible()
    assert clipboard(page) == "n\ts\tf\n1\ta b\t=1\n2\t\tx\"y"
    page.page.get_by_role("button", name="Copy", exact=True).click()
    page.page.get_by_role("menuitem", name="Copy as CSV").click()
    wait_until(lambda: page.page.evaluate("navigator.clipboard.readText()").startswith("n,s,f"), 20,
               "the rows are copied")
    assert clipboard(page).splitlines() == ["n,s,f", "1,a\tb,\"'=1\"", "2,,\"x\"\"y\""]


def test_a_cell_is_seen_whole(lab):
    page = lab().run("SELECT rpad('', 5000, 'long ') AS text, JSON '{\"a\": [1, {\"b\": null}]}' AS doc")
    page.grid.get_by_role("gridcell").first.dblclick()
    dialog = page.page.get_by_role("dialog")
    assert len(dialog.locator("pre").inner_text()) >= 4999
    page.page.keyboard.press("Escape")
    page.grid.focus()
    page.page.keyboard.press("ArrowRight")
    page.page.keyboard.press("Enter")
    expect(dialog).to_contain_text("doc, row 1")
    assert json.loads(dialog.locator("pre").inner_text()) == {"a": [1, {"b": None}]}


def test_columns_are_made_wider(lab):
    page = lab().run("SELECT 1 AS a, 2 AS b")
    head = page.grid.get_by_role("columnheader").first
    before = head.bounding_box()["width"]
    box = head.bounding_box()
    page.page.mouse.move(box["x"] + box["width"] - 3, box["y"] + 10)
    page.page.mouse.down()
    page.page.mouse.move(box["x"] + box["width"] + 97, box["y"] + 10)
    page.page.mouse.up()
    assert abs(head.bounding_box()["width"] - before - 100) < 3


@pytest.mark.parametrize("text", HOSTILE)
def test_script_in_values_and_names_is_text(lab, text):
    name = text.replace('"', '""')
    value = text.replace("'", "''")
    page = lab().run(f"SELECT '{value}' AS \"{name}\", ARRAY['{value}'] AS list, '{value}' AS again")
    expect(page.grid.get_by_role("gridcell").first).to_have_text(text)
    expect(page.grid.get_by_role("columnheader").first).to_contain_text(text.lower()[:20], ignore_case=True)
    page.grid.get_by_role("gridcell").nth(1).dblclick()
    expect(page.page.get_by_role("dialog").locator("pre")).to_contain_text(json.dumps(text)[1:12])
    page.page.keyboard.press("Escape")
    page.page.get_by_text("Chart", exact=True).click()
    page.page.get_by_test_id("chart").wait_for()
    assert page.page.evaluate("window.bad") is None
    assert page.page.locator("main img[src=x], main svg[onload], main iframe, main script").count() == 0


# ---- chart, plan

def test_a_result_is_drawn(lab):
    page = lab().run("SELECT o.orderstatus, date_trunc('month', o.orderdate) AS month, sum(o.totalprice) AS revenue "
                     "FROM tpch.tiny.orders o GROUP BY 1, 2 ORDER BY 2")
    page.page.get_by_text("Chart", exact=True).click()
    assert "panel=chart" in page.page.url
    expect(page.page.get_by_role("combobox", name="Kind")).to_have_value("Line")
    expect(page.page.get_by_role("combobox", name="Along")).to_have_value("month")
    expect(page.page.get_by_role("combobox", name="Split by")).to_have_value("orderstatus")
    expect(page.page.get_by_test_id("chart").locator("canvas")).to_be_visible()
    page.page.get_by_role("combobox", name="Kind").click()
    page.page.get_by_role("option", name="Stacked bar").click()
    expect(page.page.get_by_test_id("chart").locator("canvas")).to_be_visible()


def test_a_plan_is_drawn_with_its_text_beside(lab):
    page = lab().write("SELECT r.name, count(*) FROM tpch.tiny.nation n JOIN tpch.tiny.region r "
                       "ON n.regionkey = r.regionkey GROUP BY 1")
    page.page.get_by_role("button", name="Explain", exact=True).click()
    nodes = page.page.locator(".react-flow__node")
    expect(nodes.filter(has_text="HASH_JOIN")).to_have_count(1)
    expect(nodes.filter(has_text="SEQ_SCAN")).to_have_count(2)
    # join ← two scans, and on to the end: a tree
    assert page.page.locator(".react-flow__edge").count() == nodes.count() - 1
    page.page.get_by_text("As text").click()
    expect(page.page.locator("pre")).to_contain_text("HASH_JOIN")


def test_a_plan_with_a_mistake_marks_it(lab):
    page = lab().write("SELECT nope FROM tpch.tiny.nation")
    page.page.get_by_role("button", name="Explain", exact=True).click()
    expect(page.page.locator(".cm-lintRange-error")).to_have_text("nope")


# ---- looks

@pytest.mark.parametrize("language, theme, width", [("en", "light", 1280), ("fr", "dark", 390), ("fr", "light", 1280),
                                                    ("en", "dark", 390)])
def test_it_is_accessible_everywhere(console, axe, language, theme, width):
    page = console("/sql", language=language, theme=theme, width=width)
    page.locator(".cm-content").click()
    page.keyboard.insert_text("SELECT nationkey, name, comment FROM tpch.tiny.nation")
    page.keyboard.press("Escape")
    page.keyboard.press("Control+Enter")
    page.get_by_role("grid").wait_for()
    page.wait_for_timeout(300)
    assert page.evaluate("document.documentElement.scrollWidth - window.innerWidth") <= 0
    page.evaluate(axe)
    found = page.evaluate("""async () => (await axe.run(document, {resultTypes: ['violations']})).violations
        .filter(v => ['serious', 'critical'].includes(v.impact))
        .map(v => `${v.id}: ${v.nodes.slice(0, 3).map(n => n.html).join(' | ')}`)""")
    assert not found, "\n".join(found)
