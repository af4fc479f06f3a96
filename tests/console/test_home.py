"""The home page: what the mesh consists of and how it fares, and the way into it."""
import json
import re

import pytest
import requests
from playwright.sync_api import expect


def services(demo):
    return requests.get(demo.url + "/api/v1/services").json()["services"]


def test_the_inventory_is_what_runs(console, demo):
    page = console("/")
    table = page.get_by_role("table", name="Services")
    for service in services(demo):
        if service["kind"] == "postgresql":
            row = table.get_by_role("row").filter(has_text=f"Database {service['name']}")
            expect(row).to_contain_text("running")
            expect(row).to_contain_text(str(service["port"]))
    expect(page.get_by_text(f"{len(services(demo))} rows")).to_be_visible()


def test_an_address_is_copied(console, demo):
    page = console("/", permissions=["clipboard-read", "clipboard-write"])
    page.get_by_role("button", name=f"Copy http://localhost:{demo.port}", exact=True).first.click()
    assert page.evaluate("navigator.clipboard.readText()") == f"http://localhost:{demo.port}"


def test_the_inventory_is_searched_and_the_search_stands_in_the_address(console):
    page = console("/")
    page.get_by_role("textbox", name="Search: Services").fill("airbyte")
    expect(page.get_by_role("table", name="Services").get_by_role("row")).to_have_count(2)
    expect(page).to_have_url(re.compile(r"\?sq=airbyte$"))
    page.reload()
    expect(page.get_by_role("table", name="Services").get_by_role("row")).to_have_count(2)


def test_what_runs_is_told_and_leads_to_its_page(console, demo):
    statement = "SELECT count(*) FROM tpch.tiny.lineitem a, tpch.tiny.lineitem b, tpch.tiny.orders c"
    begun = requests.post(f"{demo.url}/v1/statement", data=statement,
                          headers={"X-Trino-User": "ana"}).json()
    try:
        page = console("/")
        running = page.get_by_role("region", name="Running now")
        running.get_by_role("link", name=statement).click()
        expect(page).to_have_url(f"{demo.url}/admin/queries/{begun['id']}")
    finally:
        requests.delete(f"{demo.url}/v1/query/{begun['id']}", headers={"X-Trino-User": "ana"})


def test_the_five_steps(console, demo):
    """Each step leads to where it happens; what is ticked off stays so."""
    page = console("/")
    tour = page.get_by_role("region", name="The live demonstration in five steps")
    tour.get_by_role("button", name="1. Connect a notebook").click()
    expect(tour.get_by_text(f"port={demo.port}")).to_be_visible()
    tour.get_by_role("checkbox", name="Done: Connect a notebook").check()
    page.reload()
    expect(tour.get_by_role("checkbox", name="Done: Connect a notebook")).to_be_checked()
    expect(tour.get_by_text("1 of 5 done")).to_be_visible()
    for step, button, path in [("3. Transform with dbt", "Open the pipeline", "/pipelines/retail"),
                               ("4. Look at a dashboard", "Open the dashboards", "/dashboards"),
                               ("5. Explore the lake", "Open the lake", "/lake")]:
        tour.get_by_role("button", name=step).click()
        tour.get_by_role("link", name=button).click()
        expect(page).to_have_url(re.compile(re.escape(demo.url + path)))
        page.go_back()
    tour.get_by_role("button", name="2. Ask two domains in one statement").click()
    tour.get_by_role("button", name="Open in the SQL lab").click()
    expect(page).to_have_url(re.compile(re.escape(demo.url) + "/sql"))
    expect(page.locator(".cm-content")).to_contain_text("marketing.public.leads")


def test_the_mesh_at_a_glance(console, demo):
    page = console("/home/about")
    expect(page.get_by_role("heading", name="Architecture")).to_be_visible()
    graph = page.get_by_role("button", name=re.compile("Domains' databases"))
    expect(graph).to_contain_text("marketing, northwind, sales")
    for service in services(demo):
        if service["kind"] == "postgresql":
            expect(page.get_by_role("cell", name=service["address"])).to_be_visible()
    page.get_by_role("button", name=re.compile("^Ingestion")).click()
    expect(page).to_have_url(demo.url + "/ingestion")


@pytest.mark.parametrize("text", [
    "<img src=x onerror=alert(1)>", "<script>alert(1)</script>", "javascript:alert(1)",
    "{{constructor.constructor('alert(1)')()}}", "${alert(1)}", "\"><svg onload=alert(1)>",
    "</title><script>alert(1)</script>", "{name}", "\u202eevil", "'; DROP TABLE x; --"])
def test_hostile_words_of_the_server_are_text(console, demo, text):
    """Whatever a name or an error holds is shown as it is, and links lead nowhere else."""
    page = console("/home/about")

    def answer(route):
        happening = {"kind": "run", "id": text, "title": text, "at_ms": 1, "error": text,
                     "link": "javascript:alert(1)", "because_of": [text]}
        route.fulfill(json={"running": [happening], "failed": [happening], "stale": [happening],
                            "memory": {"resident_bytes": 1, "limit_bytes": 1}, "storage": {}})
    page.route("**/api/v1/overview", answer)
    page.route("**/api/v1/services", lambda route: route.fulfill(body=json.dumps(
        {"mesh": text, "services": [
            {"name": text, "kind": "postgresql", "state": "running", "detail": text, "domain": text,
             "replaces": text, "address": "javascript:alert(1)", "page": "//evil.example/x"}]}),
        content_type="application/json"))
    shown = []
    page.on("dialog", lambda dialog: (shown.append(dialog.message), dialog.dismiss()))
    page.goto(demo.url + "/")
    expect(page.get_by_role("region", name="Failed").get_by_text(text, exact=True).first).to_be_visible()
    expect(page.get_by_role("table", name="Services").get_by_text(text, exact=True).first).to_be_visible()
    assert page.locator("a[href^='javascript:'], main img, main script").count() == 0
    assert not shown
