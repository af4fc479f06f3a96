"""Dashboards in the browser: what is shown, clicked, changed, shared, and what is tried against it."""
import csv
import io
import json
import re
import shutil
import subprocess
from pathlib import Path
from urllib.parse import parse_qs, quote, urlparse

import pytest
import requests
import yaml
from playwright.sync_api import expect

expect.set_options(timeout=20_000)
ROOT = Path(__file__).resolve().parents[2]
CONSOLE = ROOT / "console"

SHOP = """
title: {en: Shop, fr: Boutique}
description: "Orders of the **shop**."
owner: sales
tags: [shop, sales]
time: {default: all}
parameters:
  - {name: country, label: {en: Country, fr: Pays}, kind: choice, multiple: true, default: [],
     sql: "SELECT DISTINCT country FROM lake.board.orders ORDER BY 1"}
  - {name: least, label: Least, kind: number, default: 0}
charts:
  - id: orders
    title: {en: Orders, fr: Commandes}
    kind: number
    sql: SELECT count(*) AS orders FROM lake.board.orders WHERE country IN (:country) AND revenue >= :least AND day >= :from AND day < :to
    live: true
  - id: countries
    title: By country
    kind: donut
    sql: SELECT country, sum(revenue) AS revenue FROM lake.board.orders GROUP BY 1 ORDER BY 1
    options: {format: currency, unit: EUR}
  - id: months
    title: By month
    kind: line
    sql: SELECT date_trunc('month', day) AS month, country, sum(revenue) AS revenue FROM lake.board.orders GROUP BY 1, 2 ORDER BY 1, 2
  - id: categories
    title: By category
    kind: table
    sql: SELECT category, product, sum(revenue) AS revenue FROM lake.board.orders GROUP BY 1, 2 ORDER BY 1, 2
    drill: {by: [category, product]}
  - id: list
    title: List
    kind: table
    sql: SELECT id, country, category, revenue FROM lake.board.orders ORDER BY id
    drill: {dashboard: board-detail, parameters: {category: category}}
  - id: broken
    title: Broken
    kind: bar
    sql: SELECT nothing FROM lake.board.orders
  - {id: notes, title: Notes, kind: text, text: {en: "Revenue is **net**.", fr: "Le chiffre est **net**."}}
layout:
  - {id: orders, x: 0, y: 0, w: 4, h: 3}
  - {id: countries, x: 4, y: 0, w: 4, h: 5}
  - {id: notes, x: 8, y: 0, w: 4, h: 3}
  - {id: months, x: 0, y: 5, w: 6, h: 5}
  - {id: categories, x: 6, y: 5, w: 6, h: 5}
  - {id: list, x: 0, y: 10, w: 8, h: 5}
  - {id: broken, x: 8, y: 10, w: 4, h: 5}
alerts:
  - {name: many, chart: orders, above: 1000000, every: 1h}
reports:
  - {name: weekly, cron: "0 8 * * 1", format: html, to: {email: [a@example.org]}}
"""

DETAIL = """
title: Detail
parameters: [{name: category, kind: text}]
charts:
  - {id: rows, title: Rows, kind: table, sql: "SELECT category, product FROM lake.board.orders WHERE category = :category LIMIT 5"}
"""

COUNTRIES = ["Austria", "Belgium", "Croatia", "Denmark", "Estonia"]


def sql(url, statement):
    answer = requests.post(f"{url}/v1/statement", data=statement.encode(),
                           headers={"X-Trino-User": "test"}).json()
    rows = []
    while True:
        assert "error" not in answer, answer["error"]["message"]
        rows += answer.get("data", [])
        if "nextUri" not in answer:
            return rows
        answer = requests.get(url + urlparse(answer["nextUri"]).path).json()


def api(url, method, path, **options):
    return requests.request(method, f"{url}/api/v1/{path}", timeout=60, **options)


def store(url, name, text):
    answer = api(url, "PUT", f"dashboards/{name}", json={"yaml": text})
    if answer.status_code == 404:
        answer = api(url, "POST", "dashboards", json={"name": name, "yaml": text})
    assert answer.status_code in (200, 201), answer.text
    return answer.json()


@pytest.fixture(scope="module")
def orders(demo):
    """A table of 600 orders: five countries of 120 each, three categories, ten months."""
    sql(demo.url, "CREATE SCHEMA IF NOT EXISTS lake.board")
    sql(demo.url, "DROP TABLE IF EXISTS lake.board.orders")
    names = ", ".join(f"'{name}'" for name in COUNTRIES)
    sql(demo.url, f"""CREATE TABLE lake.board.orders AS
        SELECT n AS id, date_add('day', CAST(n % 300 AS integer), DATE '2025-01-01') AS day,
               element_at(ARRAY[{names}], CAST(1 + n % 5 AS integer)) AS country,
               element_at(ARRAY['Bags', 'Lights', 'Locks'], CAST(1 + n % 3 AS integer)) AS category,
               'P' || CAST(n % 12 AS varchar) AS product, CAST(1 + n % 7 AS double) AS revenue
        FROM UNNEST(sequence(0, 599)) t(n)""")
    return demo


@pytest.fixture
def shop(orders):
    store(orders.url, "board-shop", SHOP)
    store(orders.url, "board-detail", DETAIL)
    return orders


def tile(page, chart):
    return page.locator(f"[data-chart={chart}]")


def ready(page, *charts):
    for chart in charts:
        expect(tile(page, chart)).to_have_attribute("data-state", "done")
        expect(tile(page, chart)).to_have_attribute("aria-busy", "false")


def search_of(page):
    return {key: values[0] for key, values in parse_qs(urlparse(page.url).query).items()}


def orders_shown(page, count):
    expect(tile(page, "orders").locator("[class*=value]")).to_have_text(count)


def click_slice(page, chart, share):
    """Clicks into a donut, so much of the way round from the top."""
    import math
    canvas = tile(page, chart).locator("canvas").first
    expect(canvas).to_be_visible()
    box = canvas.bounding_box()
    radius, angle = 0.58 * min(box["width"], box["height"]) / 2, 2 * math.pi * share
    canvas.click(position={"x": box["width"] / 2 + radius * math.sin(angle),
                           "y": box["height"] / 2 - radius * math.cos(angle)})


# ---- the list

def test_list_is_searched_and_chosen_by_tag_in_the_address(console, shop):
    page = console("/dashboards")
    expect(page.get_by_role("link", name="Shop", exact=True)).to_be_visible()
    page.get_by_role("button", name="shop", exact=True).click()
    expect(page).to_have_url(re.compile(r"tag=shop"))
    expect(page.get_by_role("link", name="Detail", exact=True)).to_have_count(0)
    page.get_by_placeholder("Search").last.fill("board-shop")
    expect(page).to_have_url(re.compile("q=board-shop"))
    page.get_by_role("link", name="Shop", exact=True).click()
    expect(page).to_have_url(re.compile("/dashboards/board-shop"))


def test_a_new_dashboard_is_named_after_its_title(console, shop):
    api(shop.url, "DELETE", "dashboards/ventes-d-ete")
    page = console("/dashboards", language="fr")
    page.get_by_role("button", name="Nouveau tableau de bord").first.click()
    page.get_by_role("textbox", name="Titre").fill("Ventes d’été")
    page.get_by_role("button", name="Créer").click()
    expect(page).to_have_url(re.compile("/dashboards/ventes-d-ete/edit"))
    assert api(shop.url, "GET", "dashboards/ventes-d-ete").json()["dashboard"]["title"] == "Ventes d’été"
    api(shop.url, "DELETE", "dashboards/ventes-d-ete")


# ---- the view

def test_charts_are_drawn_and_a_broken_one_stays_alone(console, shop):
    page = console("/dashboards/board-shop")
    ready(page, "orders", "countries", "months", "categories", "list")
    orders_shown(page, "600")
    expect(tile(page, "countries").locator("canvas")).to_be_visible()
    expect(tile(page, "broken")).to_have_attribute("data-state", "failed")
    expect(tile(page, "broken").get_by_role("alert")).to_contain_text("nothing")
    expect(tile(page, "notes").locator("strong")).to_have_text("net")
    expect(tile(page, "countries").locator("[aria-label^='By country. donut']")).to_have_count(1)


def test_french_has_french_titles_numbers_and_texts(console, shop):
    page = console("/dashboards/board-shop", language="fr")
    ready(page, "orders", "countries")
    expect(page.get_by_role("heading", name="Boutique")).to_be_visible()
    expect(tile(page, "orders")).to_have_attribute("aria-label", "Commandes")
    expect(tile(page, "notes")).to_contain_text("Le chiffre est net")


def test_a_click_on_a_mark_filters_the_others_and_is_taken_back(console, shop):
    page = console("/dashboards/board-shop")
    ready(page, "orders", "countries", "months")
    click_slice(page, "countries", 0.1)
    expect(page.get_by_role("listitem").filter(has_text="country: Austria")).to_be_visible()
    orders_shown(page, "120")
    assert json.loads(search_of(page)["f"]) == [
        {"column": "country", "values": ["Austria"], "source": "countries"}]
    page.reload()
    orders_shown(page, "120")
    page.get_by_role("button", name="Remove all filters").click()
    orders_shown(page, "600")
    assert "f" not in search_of(page)


def test_the_same_click_twice_is_none(console, shop):
    page = console("/dashboards/board-shop")
    ready(page, "orders", "countries")
    click_slice(page, "countries", 0.1)
    orders_shown(page, "120")
    ready(page, "countries")
    click_slice(page, "countries", 0.1)
    orders_shown(page, "600")


def test_levels_inside_a_chart_go_down_and_up(console, shop):
    page = console("/dashboards/board-shop")
    ready(page, "categories")
    rows = tile(page, "categories").locator("tbody tr")
    expect(rows).to_have_count(3)
    rows.filter(has_text="Lights").click()
    expect(rows).to_have_count(4)
    assert json.loads(search_of(page)["drill"]) == {"categories": ["Lights"]}
    tile(page, "categories").get_by_role("button", name="Up one level").click()
    expect(rows).to_have_count(3)


def test_a_click_opens_another_dashboard_with_its_parameter(console, shop):
    page = console("/dashboards/board-shop")
    ready(page, "list")
    # The first text column is the country; the category comes from the row that was clicked.
    tile(page, "list").locator("tbody tr").first.click()
    expect(page).to_have_url(re.compile(r"/dashboards/board-detail\?p\.category=Bags"))
    ready(page, "rows")
    expect(tile(page, "rows").locator("tbody tr")).to_have_count(5)


def test_parameters_stand_in_the_address(console, shop):
    page = console('/dashboards/board-shop?p.country=["Austria","Belgium"]')
    orders_shown(page, "240")
    page.get_by_label("Country").first.click()
    page.get_by_role("option", name="Croatia").click()
    orders_shown(page, "360")
    assert json.loads(search_of(page)["p.country"]) == ["Austria", "Belgium", "Croatia"]
    page.keyboard.press("Escape")
    page.get_by_label("Least").fill("7")
    page.get_by_label("Least").press("Enter")
    expect(page).to_have_url(re.compile(r"p\.least=7"))
    whole = sql(shop.url, "SELECT count(*) FROM lake.board.orders WHERE revenue >= 7 AND country "
                          "IN ('Austria', 'Belgium', 'Croatia')")[0][0]
    orders_shown(page, str(whole))


def test_the_time_range_is_chosen_and_shared(console, shop):
    page = console("/dashboards/board-shop?time=2025-01-01..2025-01-31")
    wanted = sql(shop.url, "SELECT count(*) FROM lake.board.orders "
                           "WHERE day >= DATE '2025-01-01' AND day < DATE '2025-01-31'")[0][0]
    orders_shown(page, str(wanted))
    page.get_by_role("button", name="2025-01-01").click()
    page.get_by_role("button", name="All the time").click()
    orders_shown(page, "600")
    assert search_of(page)["time"] == "all"


def test_data_pushed_by_the_server_are_shown_without_asking(console, shop):
    page = console("/dashboards/board-shop")
    orders_shown(page, "600")
    page.wait_for_timeout(500)  # the stream of events is opened after the first drawing
    sql(shop.url, "INSERT INTO lake.board.orders VALUES (9999, DATE '2025-02-02', 'Austria', 'Bags', 'P1', 1e0)")
    try:
        expect(tile(page, "orders").locator("[class*=value]")).to_have_text("601", timeout=20_000)
    finally:
        sql(shop.url, "DELETE FROM lake.board.orders WHERE id = 9999")


def test_a_chart_is_seen_as_table_saved_and_its_sql_read(console, shop):
    page = console("/dashboards/board-shop")
    ready(page, "countries")

    def choose(name):
        tile(page, "countries").get_by_role("button", name="More about By country").click()
        page.get_by_role("menuitem", name=name).click()

    with page.expect_download() as saved:
        choose("CSV")
    rows = list(csv.reader(io.StringIO(Path(saved.value.path()).read_text())))
    assert rows[0] == ["country", "revenue"] and [row[0] for row in rows[1:]] == COUNTRIES
    expect(tile(page, "countries").locator("canvas").first).to_be_visible()
    with page.expect_download() as saved:
        choose("PNG")
    assert Path(saved.value.path()).read_bytes().startswith(b"\x89PNG")
    with page.expect_download() as saved:
        choose("SVG")
    assert "Austria" in Path(saved.value.path()).read_text()
    choose("Inspect the SQL")
    expect(page.get_by_role("dialog")).to_contain_text("lake.board.orders")
    page.keyboard.press("Escape")
    choose("View as table")
    expect(tile(page, "countries").locator("tbody tr")).to_have_count(5)


def test_full_screen_is_left_by_escape(console, shop):
    page = console("/dashboards/board-shop")
    page.get_by_role("button", name="Full screen").click()
    expect(page).to_have_url(re.compile("full=1"))
    ready(page, "orders")
    page.keyboard.press("Escape")
    expect(page.get_by_role("button", name="Share")).to_be_visible()


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_phone_shows_one_column(console, shop, theme):
    page = console("/dashboards/board-shop", width=390, theme=theme)
    ready(page, "orders", "countries")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    lefts = page.evaluate("[...document.querySelectorAll('[data-chart]')].map((e) => e.getBoundingClientRect().left)")
    assert len(set(lefts)) == 1
    expect(page.locator("canvas").first).to_be_visible()


@pytest.mark.parametrize("path", ["/dashboards", "/dashboards/board-shop", "/dashboards/board-shop/edit", "/alerts", "/reports"])
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_nothing_serious_for_who_cannot_see(console, shop, axe, path, theme):
    page = console(path, theme=theme)
    page.wait_for_load_state("networkidle")
    page.evaluate(axe)
    found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    serious = [(v["id"], [node["html"][:160] for node in v["nodes"]][:3])
               for v in found["violations"] if v["impact"] in ("serious", "critical")]
    assert not serious, serious


# ---- changing

def test_a_chart_is_added_from_sql_and_saved(console, shop):
    store(shop.url, "board-edit", "title: Edit\ncharts: []\n")
    page = console("/dashboards/board-edit/edit")
    page.get_by_role("button", name="Add a chart").first.click()
    page.get_by_label("Title", exact=True).fill("Revenue")
    editor = page.get_by_role("dialog").locator(".cm-content")
    editor.click()
    page.keyboard.press("Control+A")
    page.keyboard.type("SELECT country, sum(revenue) AS revenue FROM lake.board.orders GROUP BY 1")
    expect(page.get_by_role("dialog").locator("canvas").first).to_be_visible()
    page.get_by_role("button", name="Choose a kind").click()
    page.get_by_role("button", name="Treemap").click()
    page.get_by_role("button", name="Done").click()
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("All is saved")).to_be_visible()
    saved = api(shop.url, "GET", "dashboards/board-edit").json()
    chart = saved["dashboard"]["charts"][0]
    assert chart["kind"] == "treemap" and chart["title"] == "Revenue" and "sum(revenue)" in chart["sql"]
    assert yaml.safe_load(saved["yaml"])["charts"][0]["id"] == chart["id"]


def test_changes_are_undone_and_leaving_asks(console, shop):
    page = console("/dashboards/board-shop/edit")
    page.get_by_role("button", name="Remove Notes").click()
    expect(tile(page, "notes")).to_have_count(0)
    expect(page.get_by_text("Not saved yet")).to_be_visible()
    page.get_by_role("link", name="Dashboards").first.click()
    expect(page.get_by_text("Your changes are not saved")).to_be_visible()
    page.get_by_role("button", name="Stay").click()
    page.get_by_role("button", name="Undo").click()
    expect(tile(page, "notes")).to_have_count(1)
    expect(page.get_by_text("All is saved")).to_be_visible()


def test_a_chart_is_moved_by_its_head(console, shop):
    page = console("/dashboards/board-shop/edit")
    head = tile(page, "notes").locator("[class*=handle]")
    expect(head).to_be_visible()
    page.wait_for_timeout(500)
    box = head.bounding_box()
    page.mouse.move(box["x"] + 20, box["y"] + 15)
    page.mouse.down()
    page.mouse.move(box["x"] - 200, box["y"] + 420, steps=12)
    page.mouse.up()
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("All is saved")).to_be_visible()
    layout = {place["id"]: place for place in api(shop.url, "GET", "dashboards/board-shop").json()["dashboard"]["layout"]}
    assert layout["notes"]["y"] > 0


def test_yaml_is_changed_and_mistakes_are_marked(console, shop):
    page = console("/dashboards/board-shop/edit")
    page.get_by_text("YAML", exact=True).click()
    editor = page.locator(".cm-content")
    expect(editor).to_contain_text("board.orders")
    editor.click()
    page.keyboard.press("Control+Home")
    page.keyboard.type("nonsense: 1\n")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("alert").first).to_contain_text("nonsense")
    page.keyboard.press("Control+Home")
    editor.click()
    page.keyboard.press("Control+Home")
    page.keyboard.press("Shift+ArrowDown")
    page.keyboard.press("Delete")
    page.keyboard.type("owner: board\n")
    text = page.evaluate("document.querySelector('.cm-content').innerText")
    assert "owner: board" in text


def test_what_another_saved_is_not_lost(console, shop):
    page = console("/dashboards/board-shop/edit")
    page.get_by_role("button", name="Remove Notes").click()
    store(shop.url, "board-shop", SHOP.replace("owner: sales", "owner: somebody"))
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Somebody else has saved meanwhile")).to_be_visible()
    page.get_by_role("button", name="Take theirs").click()
    expect(tile(page, "notes")).to_have_count(1)
    assert api(shop.url, "GET", "dashboards/board-shop").json()["dashboard"]["owner"] == "somebody"


# ---- sharing, alerts, reports

def test_a_link_opens_one_dashboard_until_it_is_revoked(console, shop):
    page = console("/dashboards/board-shop")
    page.get_by_role("button", name="Share").click()
    page.get_by_role("button", name="Make a link").click()
    link = page.get_by_label("The link; it is shown only now").last.input_value()
    path = urlparse(link).path
    assert path.startswith("/shared/")
    other = console(path)
    ready(other, "orders", "countries")
    orders_shown(other, "600")
    expect(other.get_by_role("link", name="SQL lab")).to_have_count(0)
    page.get_by_role("button", name="Revoke").first.click()
    page.get_by_role("button", name="Yes, do it").click()
    expect(page.get_by_role("button", name="Revoke")).to_have_count(0)
    other.reload()
    expect(other.get_by_role("alert")).to_be_visible()
    expect(other.locator("[data-chart]")).to_have_count(0)


def test_alerts_and_reports_are_listed(console, shop):
    page = console("/alerts")
    expect(page.get_by_role("row").filter(has_text="board-shop")).to_contain_text("many")
    page.get_by_role("row").filter(has_text="board-shop").click()
    page.get_by_role("button", name="Evaluate now").click()
    expect(page.get_by_role("dialog")).to_contain_text("ok")
    page.goto(page.url.replace("/alerts", "/reports"))
    expect(page.get_by_role("row").filter(has_text="board-shop")).to_contain_text("weekly")
    with page.expect_download() as saved:
        page.get_by_role("row").filter(has_text="board-shop").get_by_role("button", name="Download").click()
    assert b"<html" in Path(saved.value.path()).read_bytes().lower()


# ---- what people try

SCRIPTS = [
    "<script>window.hacked = 1</script>", "<img src=x onerror='window.hacked=1'>", "<svg onload=window.hacked=1>",
    "\"><iframe srcdoc='<script>parent.hacked=1</script>'>", "{{constructor.constructor('window.hacked=1')()}}",
    "javascript:window.hacked=1", "</title><script>window.hacked=1</script>", "<a href='javascript:window.hacked=1'>x</a>",
    "<style>body{display:none}</style>", "<math><mi//xlink:href='data:x,<script>window.hacked=1</script>'>",
]

MARKDOWN = [
    "[click](javascript:window.hacked=1)", "[click](JaVaScRiPt:window.hacked=1)", "![x](x\" onerror=\"window.hacked=1)",
    "<img src=x onerror=window.hacked=1>", "<svg><script>window.hacked=1</script></svg>", "<iframe src=javascript:window.hacked=1>",
    "[x](data:text/html,<script>window.hacked=1</script>)", "<form action=javascript:window.hacked=1><button>x</button></form>",
    "<style>*{display:none}</style>", "<a href='vbscript:x' onclick='window.hacked=1'>click</a>",
]


def clean(page):
    assert page.evaluate("window.hacked") is None
    assert page.evaluate("document.querySelectorAll('iframe, svg script, img[onerror], form[action^=javascript]').length") == 0
    assert page.evaluate("[...document.querySelectorAll('a')].filter((a) => /^(javascript|data|vbscript):/i.test(a.href)).length") == 0


def test_scripts_in_titles_names_and_values_are_text(console, orders):
    values = ", ".join("'" + text.replace("'", "''") + "'" for text in SCRIPTS)
    charts = [
        {"id": f"c{i}", "title": text, "description": text, "kind": kind,
         "sql": f"SELECT name, count(*) AS \"{text.replace(chr(34), chr(34) * 2)}\" FROM UNNEST(ARRAY[{values}]) t(name) GROUP BY 1"}
        for i, (text, kind) in enumerate(zip(SCRIPTS, [
            "bar", "pie", "table", "treemap", "word_cloud", "horizontal_bar", "funnel", "radar", "sunburst", "pivot"]))]
    charts[9]["encode"] = {"rows": "name", "columns": "name"}
    store(orders.url, "board-hostile", yaml.safe_dump({"title": SCRIPTS[0], "description": SCRIPTS[1], "tags": [SCRIPTS[2]], "charts": charts}))
    page = console("/dashboards/board-hostile")
    ready(page, *[chart["id"] for chart in charts])
    for chart in charts:
        expect(tile(page, chart["id"]).locator("h2")).to_have_text(chart["title"])
    expect(tile(page, "c2").locator("tbody")).to_contain_text(SCRIPTS[0])
    for chart in ("c0", "c1", "c3"):
        tile(page, chart).locator("canvas").first.hover()
    page.wait_for_timeout(400)
    clean(page)
    page.goto(page.url + "/edit")
    expect(tile(page, "c0")).to_be_visible()
    clean(page)


def test_markdown_cannot_do_more_than_be_read(console, orders):
    charts = [{"id": f"m{i}", "title": f"m{i}", "kind": "text", "text": text} for i, text in enumerate(MARKDOWN)]
    store(orders.url, "board-markdown", yaml.safe_dump({"title": "Markdown", "description": "\n\n".join(MARKDOWN), "charts": charts}))
    page = console("/dashboards/board-markdown")
    expect(tile(page, "m0")).to_be_visible()
    page.wait_for_timeout(500)
    for link in page.locator("main a:has-text('click'), main a:has-text('x')").all():
        if link.is_visible():
            link.click(no_wait_after=True)
    clean(page)


ADDRESSES = [
    "?f=<script>window.hacked=1</script>", "?f=[{\"column\":\"country\",\"values\":[{\"a\":1}]}]", "?f=null", "?f=" + "[" * 3000,
    "?f=[{\"column\":\"country'; DROP TABLE lake.board.orders --\",\"values\":[\"x\"]}]", "?drill={\"__proto__\":[1]}", "?drill=[1]",
    "?time=1; DROP TABLE lake.board.orders", "?time=2025-01-01'--..x", "?p.country=\"' OR 1=1 --", "?p.least=1e999", "?refresh=0s&full=<script>",
    "?p.country=[\"' OR '1'='1\"]",
]


@pytest.mark.parametrize("address", ADDRESSES)
def test_an_address_that_somebody_made_up_harms_nothing(console, shop, address):
    query = "&".join(f"{part.split('=', 1)[0]}={quote(part.split('=', 1)[1], safe='')}" for part in address[1:].split("&"))
    page = console(f"/dashboards/board-shop?{query}")
    expect(tile(page, "orders")).to_have_attribute("aria-busy", "false")
    expect(tile(page, "notes").locator("strong")).to_have_text("net")
    clean(page)
    assert sql(shop.url, "SELECT count(*) FROM lake.board.orders") == [[600]]


def test_a_parameter_is_a_value_and_shown_as_text(console, shop):
    page = console("/dashboards/board-shop?p.country=" + quote(json.dumps(["x' OR '1'='1", "<b>bold</b>"])))
    orders_shown(page, "0")
    expect(page.get_by_text("<b>bold</b>").first).to_be_visible()
    clean(page)


@pytest.mark.parametrize("target", ["javascript:window.hacked=1", "//evil.example", "../admin", "https://evil.example", "a/b"])
def test_a_drill_leads_to_dashboards_only(console, orders, target):
    answer = api(orders.url, "POST", "dashboards", json={"name": "board-drill", "dashboard": {"title": "Drill", "charts": [
        {"id": "a", "kind": "table", "sql": "SELECT 'x' AS name", "drill": {"dashboard": target}}]}})
    assert answer.status_code == 422, answer.text


# ---- kinds

def test_kinds_draw_what_they_should():
    node = shutil.which("node")
    if not node:
        pytest.skip("no Node.js on this machine")
    done = subprocess.run([node, "--test", "gallery/kinds.test.mjs"], cwd=CONSOLE, capture_output=True, text=True, timeout=240)
    assert done.returncode == 0, done.stdout[-4000:]


def kind_names():
    found = []
    for file in sorted((CONSOLE / "src/ui/charts/kinds").glob("*.ts")):
        text = file.read_text()
        found += re.findall(r"\bname: '([a-z_]+)', family:", text) + re.findall(r"(?:trend|bar)\('([a-z_]+)'", text)
        found += re.findall(r"\bname: '([a-z_]+)',\n\s+family:", text)
    return sorted(set(found))


def test_every_kind_has_its_picture_and_its_words():
    names = kind_names()
    assert len(names) >= 50
    words = (ROOT / "docs/charts.md").read_text()
    for name in names:
        picture = ROOT / f"docs/images/charts/{name}.png"
        assert picture.exists(), name
        assert picture.stat().st_size <= 15_000, name
        assert f"images/charts/{name}.png" in words, name
