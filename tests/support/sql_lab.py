"""The SQL lab as a person uses it."""
import uuid

import requests
from playwright.sync_api import expect


class Lab:
    """A page of the lab and what a person does in it."""

    def __init__(self, page):
        self.page = page
        self.editor = page.locator(".cm-content")
        self.editor.wait_for()
        self.grid = page.get_by_role("grid", name="Result")
        self.status = page.get_by_test_id("status")

    def write(self, text):
        """In one go, as pasted: typing would close brackets by itself."""
        self.editor.click()
        self.page.keyboard.press("Control+a")
        self.page.keyboard.insert_text(text)
        self.page.keyboard.press("Escape")
        return self

    def run(self, text=None, state="finished", seconds=20):
        if text is not None:
            self.write(text)
        self.editor.click()
        if text is not None:
            self.page.keyboard.press("Control+a")
        self.page.keyboard.press("Control+Enter")
        expect(self.status).to_contain_text(state, timeout=seconds * 1000)
        return self

    def cells(self):
        return [row.locator("[role=gridcell]").all_inner_texts() for row in
                self.grid.locator("[role=row]").all()[1:]]

    def choose_limit(self, rows):
        self.page.get_by_role("combobox", name="Rows to load at most").click()
        self.page.get_by_role("option", name=f"{rows} rows", exact=True).click()


def own(text):
    """A statement that no other test has run."""
    return f"{text} -- {uuid.uuid4().hex[:8]}"


def api(demo, method, path, **options):
    return requests.request(method, f"{demo.url}/api/v1/sql{path}", timeout=60, **options)


def clipboard(page):
    return page.page.evaluate("navigator.clipboard.readText()")
