"""The catalogue as people use it: searching as they type, describing, following lineage."""
import re

import pytest
import requests
import trino
import yaml
from playwright.sync_api import expect
from support.processes import wait_until


expect.set_options(timeout=20_000)


def sql(demo, text, user="ada"):
    cursor = trino.dbapi.connect(host=demo.host, port=demo.port, user=user).cursor()
    cursor.execute(text)
    return cursor.fetchall()


def asset(demo, name):
    answer = requests.get(f"{demo.url}/api/v1/catalogue/assets/"
                          f"{requests.utils.quote(name, safe='')}", timeout=30)
    assert answer.status_code == 200, answer.text
    return answer.json()


def found(demo, name):
    def look():
        answer = requests.get(f"{demo.url}/api/v1/catalogue/assets/"
                              f"{requests.utils.quote(name, safe='')}", timeout=30)
        return answer.status_code == 200
    wait_until(look, 60, f"{name} is in the catalogue")


@pytest.fixture
def ran(demo_ran):
    """The demo after its pipelines ran, once the catalogue has seen what they made."""
    for name in ("lake.curated.customer_360", "lake.gold.rfm", "lake.gold.top_countries"):
        found(demo_ran, name)
    return demo_ran


def test_results_come_while_typing(console, ran):
    page = console("/catalogue")
    box = page.get_by_role("searchbox", name="Search the catalogue")
    expect(page.get_by_text("Recently written")).to_be_visible()
    results = page.get_by_role("list", name="Results")
    box.press_sequentially("custom", delay=30)
    expect(results.get_by_role("link", name="sales.public.customers")).to_be_visible()
    box.press_sequentially(" 360", delay=30)
    expect(results.get_by_role("listitem").first).to_contain_text("customer_360")
    expect(results.get_by_role("link", name="sales.public.customers")).to_have_count(0)
    expect(page).to_have_url(re.compile(r"q=custom(\+|%20)360"))
    page.get_by_role("button", name=re.compile("^table")).click()
    expect(page).to_have_url(re.compile("kind=table"))
    results.get_by_role("link", name="lake.curated.customer_360", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("lake.curated.customer_360")
    page.go_back()
    expect(box).to_have_value("custom 360")


def test_an_address_with_a_search_shows_it(console, demo):
    page = console("/catalogue?q=Sales+team&kind=product")
    expect(page.get_by_role("list", name="Results")).to_contain_text("customers")
    expect(page.get_by_role("button", name=re.compile("data product"))).to_have_attribute(
        "aria-pressed", "true")


def test_ctrl_k_leads_to_an_asset(console, ran):
    page = console("/")
    expect(page.get_by_role("navigation", name="Areas")).to_be_visible()
    page.keyboard.press("Control+k")
    expect(page.get_by_role("combobox", name="Search everything")).to_be_focused()
    page.keyboard.type("curated.customer_360", delay=20)
    option = page.get_by_role("option", name=re.compile("lake.curated.customer_360")).first
    expect(option).to_be_visible()
    option.click()
    expect(page).to_have_url(re.compile("lake.curated.customer_360"))


def test_what_is_described_stands_in_the_mesh(console, demo):
    name = "marketing.public.campaigns"
    found(demo, name)
    page = console(f"/catalogue/{name}")
    page.get_by_role("button", name="Edit", exact=True).click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Description", exact=True).fill("Every **campaign**, with its budget.")
    dialog.get_by_label("Owner", exact=True).fill("Ünal & team")
    dialog.get_by_label("Tags", exact=True).fill("budget")
    dialog.get_by_label("Tags", exact=True).press("Enter")
    dialog.get_by_label("Description", exact=True).click()  # the list of tags lies over what is below
    dialog.get_by_role("button", name="Save").click()
    expect(dialog).to_have_count(0)
    expect(page.locator("strong", has_text="campaign")).to_be_visible()
    written = yaml.safe_load((demo.mesh / "catalogue/marketing.yaml").read_text())["assets"][name]
    assert written["description"].strip() == "Every **campaign**, with its budget."
    assert written["owner"] == "Ünal & team" and "budget" in written["tags"]
    # A column, with a tag and a term.
    page.get_by_role("button", name="Edit budget").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Tags", exact=True).fill("Finance.Budget")
    dialog.get_by_label("Tags", exact=True).press("Enter")
    dialog.get_by_label("Description", exact=True).click()  # the list of tags lies over what is below
    dialog.get_by_label("Terms", exact=True).fill("Camp")
    page.get_by_role("option", name="Campaign").click()
    dialog.get_by_label("Description", exact=True).click()
    dialog.get_by_role("button", name="Save").click()
    expect(dialog).to_have_count(0)
    row = page.get_by_role("row", name=re.compile("budget"))
    expect(row).to_contain_text("Finance.Budget")
    written = yaml.safe_load((demo.mesh / "catalogue/marketing.yaml").read_text())["assets"][name]
    assert written["columns"]["budget"] == {"tags": ["Finance.Budget"], "terms": ["Campaign"]}


def test_the_second_of_two_editors_is_told(console, demo):
    name = "northwind.public.products"
    found(demo, name)
    first, second = console(f"/catalogue/{name}"), console(f"/catalogue/{name}")
    for page in (first, second):
        page.get_by_role("button", name="Edit", exact=True).click()
    for page, owner in ((first, "first"), (second, "second")):
        page.get_by_role("dialog").get_by_label("Owner", exact=True).fill(owner)
        page.get_by_role("dialog").get_by_role("button", name="Save").click()
    expect(first.get_by_role("dialog")).to_have_count(0)
    expect(second.get_by_role("dialog")).to_contain_text("changed by somebody else")
    assert asset(demo, name)["owner"] == "first"


def test_lineage_of_a_column_and_its_impact(console, ran):
    page = console("/catalogue/sales.public.customers?tab=lineage")
    graph = page.get_by_role("group", name="Lineage")
    expect(graph.get_by_role("button", name=re.compile("customer_360")).first).to_be_visible()
    page.get_by_role("combobox", name="Lineage of").fill("email")
    page.get_by_role("option", name="email").click()
    expect(page).to_have_url(re.compile("of=email"))
    expect(graph.get_by_role("button", name=re.compile("lake.curated.customer_360"))).to_be_visible()
    impact = page.get_by_role("table", name="Impact")
    expect(impact).to_contain_text("lake.curated.customer_360 · email")
    expect(impact).not_to_contain_text("lake.gold.rfm")
    graph.get_by_role("button", name=re.compile("lake.curated.customer_360")).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("lake.curated.customer_360")
    # A tag that is said of the source came along.
    page.get_by_role("tab", name="Columns").click()
    expect(page.get_by_role("row", name=re.compile("email"))).to_contain_text("PII.Email")


def test_usage_counts_what_was_really_asked(console, ran):
    before = asset(ran, "lake.gold.top_countries")["usage"]["statements"]
    for _ in range(3):
        sql(ran, "SELECT * FROM lake.gold.top_countries", user="grace")
    wait_until(lambda: asset(ran, "lake.gold.top_countries")["usage"]["statements"]
               == before + 3, 20, "counted")
    page = console("/catalogue/lake.gold.top_countries?tab=usage")
    expect(page.get_by_text("Who uses it")).to_be_visible()
    expect(page.get_by_role("tabpanel")).to_contain_text("grace")


def test_every_tab_of_a_lake_table_shows_something(console, ran):
    page = console("/catalogue/lake.gold.rfm")
    page.get_by_role("button", name="Take a profile").click()
    expect(page.get_by_role("img", name="How values spread").first).to_be_visible(timeout=30_000)
    for tab, shown in (("Sample", "Champions"), ("Quality", "lake.gold.rfm"), ("Versions", "append"),
                       ("Code", "CREATE TABLE")):
        page.get_by_role("tab", name=tab).click()
        if tab == "Quality":
            expect(page.get_by_role("table", name="Quality")).to_contain_text("pass")
        elif tab == "Versions":
            expect(page.get_by_role("table", name="Snapshots")).to_be_visible()
            expect(page.get_by_text("pipelines/northwind/gold_rfm.sql")).to_be_visible()
        elif tab == "Sample":
            expect(page.get_by_role("table", name="Sample").get_by_role("row")).not_to_have_count(1)
        else:
            expect(page.get_by_role("tabpanel")).to_contain_text(shown)


def test_the_glossary_is_edited(console, demo):
    page = console("/catalogue/glossary")
    expect(page.get_by_role("button", name="Customer segment")).to_be_visible()
    page.get_by_role("button", name="New term").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Name").fill("Churn")
    dialog.get_by_label("Definition").fill("A customer who *left*.")
    dialog.get_by_label("Part of").fill("Custom")
    page.get_by_role("option", name="Customer", exact=True).click()
    dialog.get_by_role("button", name="Save").click()
    expect(page.get_by_role("heading", name="Churn")).to_be_visible()
    expect(page.locator("em", has_text="left")).to_be_visible()
    terms = yaml.safe_load((demo.mesh / "glossary/glossary.yaml").read_text())["terms"]
    assert terms["Churn"]["parent"] == "Customer"
    page.get_by_role("button", name="Remove", exact=True).click()
    # The question opens with a button of the same name.
    expect(page.get_by_role("button", name="Remove", exact=True)).to_have_count(2)
    page.get_by_role("button", name="Remove", exact=True).last.click()
    expect(page.get_by_role("button", name="Churn")).to_have_count(0)


def test_products_and_contracts(console, demo):
    page = console("/catalogue/products")
    expect(page.get_by_role("heading", name="leads")).to_be_visible()
    page.get_by_role("link", name="marketing.public.leads").first.click()
    expect(page.get_by_role("heading", level=1)).to_have_text("marketing.public.leads")
    page = console("/catalogue/contracts")
    page.get_by_role("button", name="Import a contract").click()
    page.locator("input[type=file]").set_input_files({
        "name": "leads.yaml", "mimeType": "text/yaml", "buffer": b"""\
apiVersion: v3.1.0
kind: DataContract
id: leads
name: Leads
version: 1.0.0
status: draft
servers:
  - { server: mesh, type: trino, host: localhost, port: 8080, catalog: marketing, schema: public }
schema:
  - name: leads
    physicalType: table
    properties:
      - { name: lead_id, logicalType: integer, required: true, unique: true }
      - { name: nothing, logicalType: string }
"""})
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_role("table", name="Differences")).to_contain_text(
        "marketing.public.leads.nothing")
    dialog.get_by_role("button", name="Store it").click()
    expect(page.get_by_role("table", name="Contracts")).to_contain_text("Leads")
    assert (demo.mesh / "contracts/leads.yaml").exists()
    (demo.mesh / "contracts/leads.yaml").unlink()


HOSTILE = [
    "<script>window.hacked = 1</script>",
    "<img src=x onerror='window.hacked = 1'>",
    "[click](javascript:window.hacked=1)",
    "[click](JaVaScRiPt&#58;window.hacked=1)",
    "<a href='javascript:window.hacked=1'>click</a>",
    "<svg onload='window.hacked=1'></svg>",
    "<iframe srcdoc='<script>parent.hacked=1</script>'></iframe>",
    "![x](x\" onerror=\"window.hacked=1)",
    "<style>@import 'https://evil.example/x.css';</style>",
    "<form action='https://evil.example'><button>click</button></form>",
]


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_markdown_that_wants_more_is_only_read(console, demo, text):
    name = "sales.public.orders"
    found(demo, name)
    before = asset(demo, name)
    note = {"description": f"start {text} end", "columns": {"order_id": {"description": text}}}
    path = f"{demo.url}/api/v1/catalogue/assets/{name}"
    answer = requests.put(path, json=note, timeout=30)
    assert answer.status_code == 200, answer.text
    try:
        page = console(f"/catalogue/{name}")
        expect(page.get_by_text("start").first).to_be_visible()
        for link in page.get_by_role("link", name="click").all():
            assert not (link.get_attribute("href") or "").lower().startswith("javascript")
        page.wait_for_timeout(200)
        assert page.evaluate("window.hacked") is None
        assert page.locator("main iframe, main form, main script").count() == 0
        page = console(f"/catalogue?q={name}")
        expect(page.get_by_role("list", name="Results")).to_contain_text(name)
        assert page.evaluate("window.hacked") is None
        # The browser reports what the sanitiser's own parser, which runs nothing, came across.
        console.watch.said[:] = [line for line in console.watch.said
                                 if "Content Security Policy" not in line]
    finally:
        requests.put(path, json={k: before[k] for k in ("description", "owner", "tags", "terms",
                                                        "tier")}, timeout=30)


NAMES = ["<script>alert(1)</script>", "\" onmouseover=\"alert(1)", "a/b?c#d%20e", "naïve 表 🙂",
         "{{constructor}}"]


def test_hostile_names_of_tables_and_columns_are_text(console, demo):
    made = []
    for at, name in enumerate(NAMES):
        quoted = name.replace('"', '""')
        sql(demo, f'CREATE TABLE memory.default."{quoted}{at}" ("{quoted}" integer)')
        made.append(f"memory.default.{name.lower()}{at}")
    try:
        for name, plain in zip(made, NAMES):
            found(demo, name)
            page = console(f"/catalogue/{requests.utils.quote(name, safe='')}")
            expect(page.get_by_role("heading", level=1)).to_have_text(name)
            expect(page.get_by_role("table", name="Columns")).to_contain_text(plain.lower())
            page.get_by_role("tab", name="Sample").click()
            expect(page.get_by_text("It has no rows")).to_be_visible()
            page.get_by_role("tab", name="Code").click()
            expect(page.get_by_role("tabpanel")).to_contain_text("CREATE TABLE")
        page = console("/catalogue?q=script")
        expect(page.get_by_role("list", name="Results")).to_contain_text(made[0])
    finally:
        for at, name in enumerate(NAMES):
            quoted = name.replace('"', '""')
            sql(demo, f'DROP TABLE memory.default."{quoted}{at}"')


def test_the_graph_is_for_the_keyboard_too(console, ran):
    page = console("/catalogue/lake.gold.rfm?tab=lineage")
    box = page.get_by_role("group", name="Lineage").get_by_role(
        "button", name=re.compile("sales_master"))
    expect(box.first).to_be_visible()
    box.first.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("lake.silver.sales_master")
