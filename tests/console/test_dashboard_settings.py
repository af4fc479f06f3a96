"""What a dashboard's settings change without a line of YAML."""
import re

import pytest
import requests
import yaml
from playwright.sync_api import expect

expect.set_options(timeout=20_000)
BOARD = {
    "title": "Nations",
    "parameters": [{"name": "size", "kind": "choice", "multiple": True, "options": [1, 2, {"value": 3, "label": "three"}],
                    "default": [1]}],
    "charts": [{"id": "list", "kind": "table", "title": "List",
                "sql": "SELECT nationkey, name FROM tpch.tiny.nation WHERE regionkey IN (:size) "
                       "AND name LIKE :word AND nationkey >= :least ORDER BY 1"}],
}


@pytest.fixture
def board(demo):
    url = f"{demo.url}/api/v1/dashboards"
    requests.delete(f"{url}/nations", timeout=30)
    requests.post(url, json={"name": "nations", "yaml": yaml.safe_dump(BOARD)}, timeout=30).raise_for_status()
    yield lambda: requests.get(f"{url}/nations", timeout=30).json()["dashboard"]
    requests.delete(f"{url}/nations", timeout=30)


def settings(page):
    page.get_by_role("button", name="Settings").click()
    return page.get_by_role("group", name="Parameters")


def leave(page):
    page.get_by_role("dialog").get_by_role("button", name="Close").click()
    expect(page.get_by_role("dialog")).to_have_count(0)


def choose(page, field, option):
    field.click()
    page.get_by_role("option", name=option, exact=True).click()


def test_parameters_are_made_changed_moved_and_removed(console, board):
    page = console("/dashboards/nations/edit")
    form = settings(page)
    form.get_by_role("button", name="Add a parameter").click()
    added = form.get_by_role("group", name="parameter_2")
    added.get_by_label("Label", exact=True).fill("Word")
    added.get_by_label("Label (French)").fill("Mot")
    added.get_by_label("Until somebody chooses").fill("%A%")
    added.get_by_label("Name", exact=True).fill("word")
    added.get_by_label("Name", exact=True).press("Tab")
    form.get_by_role("button", name="Move word up").click()
    form.get_by_role("button", name="Add a parameter").click()
    third = form.get_by_role("group", name="parameter_3")
    choose(page, third.get_by_role("combobox", name="Kind"), "Number")
    third.get_by_label("Until somebody chooses").fill("3")
    third.get_by_label("Name", exact=True).fill("least")
    third.get_by_label("Name", exact=True).press("Tab")
    sizes = form.get_by_role("group", name="size")
    values = sizes.get_by_label("Values")
    values.fill("4")
    values.press("Enter")
    leave(page)
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("All is saved")).to_be_visible()
    assert board()["parameters"] == [
        {"name": "word", "kind": "text", "label": {"en": "Word", "fr": "Mot"}, "default": "%A%"},
        {"name": "size", "kind": "choice", "multiple": True,
         "options": [1, 2, {"value": 3, "label": "three"}, 4], "default": [1]},
        {"name": "least", "kind": "number", "default": 3}]
    page.goto(page.url.removesuffix("/edit"))
    expect(page.get_by_label("Word")).to_have_value("%A%")
    rows = page.locator("[data-chart=list] tbody tr")
    expect(rows).to_have_count(2)  # CANADA and UNITED STATES
    page.goto(page.url + "/edit")
    settings(page).get_by_role("button", name="Remove least").click()
    leave(page)
    page.get_by_role("button", name="Undo", exact=True).click()
    expect(page.get_by_text("All is saved")).to_be_visible()


def test_a_choice_may_ask_for_its_values(console, board):
    page = console("/dashboards/nations/edit")
    one = settings(page).get_by_role("group", name="size")
    one.get_by_label("From a query").check()
    editor = one.locator(".cm-content")
    editor.click()
    page.keyboard.press("Control+a")
    page.keyboard.insert_text("SELECT regionkey, name FROM tpch.tiny.region ORDER BY 1")
    leave(page)
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("All is saved")).to_be_visible()
    told = board()["parameters"][0]
    assert told["sql"].startswith("SELECT regionkey") and "options" not in told
    page.goto(page.url.removesuffix("/edit"))
    page.get_by_label("size").first.click()
    expect(page.get_by_role("option", name="EUROPE")).to_be_visible()


def test_a_name_that_sql_cannot_hold_is_refused_at_once(console, board):
    page = console("/dashboards/nations/edit")
    one = settings(page).get_by_role("group", name="size")
    name = one.get_by_label("Name", exact=True)
    for wrong in ("2nd", "from", "a b", "é"):
        name.fill(wrong)
        expect(one.get_by_text(re.compile("Letters, digits"))).to_be_visible()
    name.press("Tab")
    expect(name).to_have_value("size")


def test_the_form_is_accessible_and_fits_a_phone(console, board, axe):
    for width in (1280, 390):
        page = console("/dashboards/nations/edit", width=width)
        settings(page).get_by_role("button", name="Add a parameter").click()
        page.wait_for_timeout(400)
        page.evaluate(axe)
        told = page.evaluate("axe.run({resultTypes: ['violations']})")
        serious = [(v["id"], [n["html"][:150] for n in v["nodes"]]) for v in told["violations"]
                   if v["impact"] in ("serious", "critical")]
        assert not serious, serious
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
