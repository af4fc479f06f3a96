"""The console in Debian's Chromium, over one server of the demo for the whole folder.

`console(path, language="en", theme="light", width=1280)` opens a page. Whatever the browser
complains about (an exception, a violated content security policy, a request that leaves the
machine, an answer of 500) fails the test that opened it.
"""
import re
from pathlib import Path

import pytest
from playwright.sync_api import expect, sync_playwright
from support.chromium import chromium
from support.meesh import Meesh, binary, demo_mesh
from support.sql_lab import Lab

HEIGHTS = {1280: 860, 390: 844}
# A browser prints this for every refused request, which the page tells in words of its own.
EXPECTED = re.compile(r"Failed to load resource: the server responded with a status of 4\d\d")


@pytest.fixture(scope="session")
def browser():
    path = chromium()
    if not path:
        pytest.skip("no Chromium on this machine")
    with sync_playwright() as playwright:
        expect.set_options(timeout=20_000)  # whatever else the machine does meanwhile
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def demo(work_folder):
    """`meesh serve` of a copy of the demo, with its tables loaded small."""
    if not binary().exists():
        pytest.fail(f"{binary()} is not built: setup/build.sh dev", pytrace=False)
    databases = demo_mesh(work_folder / "console")
    meesh = Meesh(work_folder / "console", work_folder / "console-data",
                  databases=databases).start(120)
    try:
        loaded = meesh.run("demo", "load", "--mesh", meesh.mesh, "--data", meesh.data,
                           "--scale", "0.005")
        assert loaded.returncode == 0, loaded.stderr
        yield meesh
    finally:
        meesh.stop()


@pytest.fixture(scope="session")
def demo_ran(demo):
    """The same after its pipelines ran, so that the lake has its marts."""
    ran = demo.run("demo", "run", "--server", demo.url, timeout=300)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return demo


class Watch:
    """What a page's browser said that it should not have."""

    def __init__(self, server):
        self.server, self.said = server, []

    def follow(self, page):
        page.on("pageerror", lambda error: self.said.append(f"exception: {error}"))
        page.on("console", self.console)
        page.on("request", self.request)
        page.on("response", self.response)

    def console(self, message):
        if message.type == "error" and not EXPECTED.search(message.text):
            self.said.append(f"console: {message.text}")

    def request(self, request):
        if not request.url.startswith((self.server, "data:", "blob:")):
            self.said.append(f"a request to {request.url}")

    def response(self, response):
        if response.status >= 500:
            self.said.append(f"{response.status} of {response.url}")


@pytest.fixture
def console(browser, demo):
    """Opens pages of the console; what went wrong in them is told at the end."""
    contexts, watch = [], Watch(demo.url)

    def open_page(path="/", language="en", theme="light", width=1280, url=None, **options):
        context = browser.new_context(
            viewport={"width": width, "height": HEIGHTS.get(width, 860)}, locale=language,
            color_scheme=theme, accept_downloads=True, **options)
        contexts.append(context)
        context.add_init_script(f"localStorage.getItem('meesh.language') || "
                                f"localStorage.setItem('meesh.language', '{language}')")
        page = context.new_page()
        page.set_default_timeout(30_000)
        watch.server = url or demo.url
        watch.follow(page)
        page.goto((url or demo.url) + path)
        return page
    open_page.watch = watch
    yield open_page
    for context in contexts:
        context.close()
    assert not watch.said, "\n".join(watch.said)


@pytest.fixture(scope="session")
def axe():
    """The text of axe-core, whose checks of accessibility run inside a page."""
    path = Path(__file__).resolve().parents[2] / "console/node_modules/axe-core/axe.min.js"
    return path.read_text()


@pytest.fixture
def lab(console):
    def open_lab(path="/sql", **options):
        return Lab(console(path, permissions=["clipboard-read", "clipboard-write"], **options))
    return open_lab
