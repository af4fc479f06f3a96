"""Dashboards as documents: printed by a browser, sent by mail, put into a bucket; and what a stream
commits, in front of whoever looks."""
import base64
import io
import re
import stat
from contextlib import ExitStack
from pathlib import Path

import pytest
import requests
import yaml
from playwright.sync_api import expect
from pypdf import PdfReader
from support import kafka_server
from support.chromium import chromium
from support.inbox import Inbox
from support.kafka_server import KafkaServer
from support.meesh import Meesh, plain_mesh, write_yaml
from support.processes import free_ports, wait_until
from support.streams import StreamMesh, send, source

NAMES = ["Austria", "Belgium", "Croatia", "Denmark", "Estonia"]
ROWS = ", ".join(f"('{name}', {value})" for value, name in enumerate(NAMES, 11))
MAIL = ["ana@example.org", "bo@example.org"]


def chart(name, kind, title, statement="SELECT country, n FROM t ORDER BY country"):
    return {"id": name, "kind": kind, "title": title,
            "sql": f"WITH t (country, n) AS (VALUES {ROWS}) {statement}"}


BOARD = {
    "title": {"en": "Sales & <b>more</b>", "fr": "Ventes d’été"},
    "parameters": [{"name": "least", "kind": "number", "default": 11,
                    "label": {"en": "At least", "fr": "Au moins"}}],
    "charts": [
        chart("total", "number", {"en": "Total", "fr": "Somme"}, "SELECT sum(n) AS n FROM t WHERE n >= :least"),
        chart("parts", "donut", "Parts"), chart("bars", "bar", "Bars"),
        chart("list", "table", "List"),
        # A second page, and what no layout names.
        *(chart(f"more{i}", "line", f"More {i}") for i in range(8))],
    "layout": [{"id": "total", "x": 0, "y": 0, "w": 4, "h": 3}, {"id": "parts", "x": 4, "y": 0, "w": 8, "h": 5},
               {"id": "bars", "x": 0, "y": 5, "w": 6, "h": 5}, {"id": "list", "x": 6, "y": 5, "w": 6, "h": 5}],
    "alerts": [{"name": "high", "chart": "total", "above": 10, "every": "1s",
                "to": {"email": ["ops@example.org"]}}],
    "reports": [{"name": f"{kind}-{language}", "cron": "0 8 1 1 *", "format": kind,
                 "language": language, "to": {"email": MAIL, "bucket": "s3://reports/out"}}
                for kind in ("pdf", "png", "html") for language in ("en", "fr")],
}


@pytest.fixture(scope="module")
def inbox():
    with Inbox() as inbox:
        yield inbox


@pytest.fixture(scope="module")
def board(work_folder, inbox):
    """A server whose browser writes down how it was called, and whose scratch folders are its own."""
    if not chromium():
        pytest.skip("no Chromium on this machine")
    folder = work_folder / "reports"
    mesh = plain_mesh(folder / "mesh", storage={"buckets": {"reports": {}}}, smtp={
        "host": "127.0.0.1", "port": inbox.port, "tls": "none", "from": "mesh@example.org"})
    write_yaml(mesh / "dashboards" / "sales.yaml", BOARD)
    (folder / "scratch").mkdir()
    program = folder / "browser"
    program.write_text(f'#!/bin/sh\necho "$@" >>{folder}/calls\nexec {chromium()} "$@"\n')
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    meesh = Meesh(mesh, folder / "data", environment={
        "MEESH_BROWSER": str(program), "TMPDIR": str(folder / "scratch")}).start()
    meesh.folder = folder
    yield meesh
    meesh.stop()


def api(meesh, method, path, **options):
    return requests.request(method, f"{meesh.url}/api/v1{path}", timeout=200, **options)


def made(meesh, report):
    answer = api(meesh, "POST", f"/dashboards/sales/reports/{report}/run?download=true")
    assert answer.status_code == 200, answer.text
    return answer


PIXELS = """async (url) => {
  const image = new Image()
  image.src = url
  await image.decode()
  const canvas = document.createElement('canvas')
  canvas.width = image.width
  canvas.height = image.height
  const context = canvas.getContext('2d', { willReadFrequently: true })
  context.drawImage(image, 0, 0)
  const data = context.getImageData(0, 0, image.width, image.height).data
  const colours = {}
  let last = 0
  for (let at = 0; at < data.length; at += 4) {
    const name = [data[at], data[at + 1], data[at + 2]].join()
    colours[name] = (colours[name] ?? 0) + 1
    if (name !== '255,255,255') last = Math.floor(at / 4 / image.width)
  }
  return { width: image.width, height: image.height, last, colours }
}"""


def pixels(browser, content):
    page = browser.new_page()
    try:
        return page.evaluate(PIXELS, "data:image/png;base64," + base64.b64encode(content).decode())
    finally:
        page.close()


def test_a_pdf_has_every_chart_in_the_language_that_was_asked_for(board):
    answer = made(board, "pdf-fr")
    assert answer.headers["Content-Type"] == "application/pdf"
    pages = PdfReader(io.BytesIO(answer.content)).pages
    text = "\n".join(page.extract_text() for page in pages)
    assert "Ventes d’été" in text and "Somme" in text and "65" in text and "Au moins: 11" in text
    assert all(name in text for name in NAMES), "the table's rows"
    assert all(f"More {i}" in text for i in range(8))
    assert len(pages) == 2
    # Nothing is cut off at the right, and every chart is a picture.
    assert {(round(p.mediabox.width), round(p.mediabox.height)) for p in pages} == {(960, 1358)}
    drawn = sum(len(page["/Resources"].get("/XObject", {})) for page in pages)
    assert drawn >= 10, drawn


def test_a_png_is_as_high_as_the_dashboard_and_its_charts_are_drawn(board, browser):
    answer = made(board, "png-en")
    assert answer.headers["Content-Type"] == "image/png"
    seen = pixels(browser, answer.content)
    assert seen["width"] == 1280
    assert seen["height"] - 120 < seen["last"] < seen["height"] - 4, "neither cut off nor half empty"
    large = [name for name, count in seen["colours"].items() if count > 1500]
    assert len(large) >= 6, "five slices of the donut, and the ground"


def test_nothing_is_left_of_a_printing(board):
    made(board, "png-fr")
    calls = (board.folder / "calls").read_text()
    assert "--screenshot=" in calls and "/shared/" not in calls, "the link is a secret"
    assert api(board, "GET", "/dashboards/sales/shares").json()["shares"] == []
    assert list((board.folder / "scratch").glob("meesh-report-*")) == []


def test_a_report_is_mailed_and_put_into_a_bucket(board, inbox):
    told = api(board, "POST", "/dashboards/sales/reports/pdf-fr/run").json()
    name = told["file"]
    assert re.fullmatch(r"sales-pdf-fr-\d{8}T\d{6}Z\.pdf", name) and "note" not in told, told
    assert told["went"] == [f"s3://reports/out/{name}", *(f"email:{one}" for one in MAIL)]
    for address in MAIL:
        mail = inbox.to(address)[-1]
        assert mail["Subject"] == "Ventes d’été" and mail["From"] == "mesh@example.org"
        text, file = mail.iter_parts()
        assert "Ventes d’été" in text.get_content()
        assert file.get_content_type() == "application/pdf" and file.get_filename() == name
        assert "Somme" in PdfReader(io.BytesIO(file.get_content())).pages[0].extract_text()


def test_a_report_as_html_is_mailed_without_any_script(board, inbox):
    api(board, "POST", "/dashboards/sales/reports/html-en/run").raise_for_status()
    mail = inbox.to(MAIL[0])[-1]
    assert mail["Subject"] == "Sales & <b>more</b>"
    page = list(mail.iter_parts())[1].get_content()
    assert "<h1>Sales &amp; &lt;b&gt;more&lt;/b&gt;</h1>" in page
    assert "<svg" in page and "<script" not in page and "Croatia" in page


def test_an_alert_is_mailed(board, inbox):
    wait_until(lambda: inbox.to("ops@example.org"), 20, "the alert's mail")
    mail = inbox.to("ops@example.org")[0]
    assert "high" in mail["Subject"] or "sales" in mail["Subject"].lower()
    assert "65" in list(mail.iter_parts())[0].get_content()


def test_a_browser_that_fails_leaves_html_and_a_mail_server_that_is_away_is_told_of(work_folder):
    mesh = plain_mesh(work_folder / "reports-failing", smtp={
        "host": "127.0.0.1", "port": free_ports(1)[0], "tls": "none", "from": "mesh@example.org"})
    write_yaml(mesh / "dashboards" / "sales.yaml",
               {**BOARD, "reports": [{**one, "to": {"email": MAIL}} for one in BOARD["reports"]]})
    meesh = Meesh(mesh, work_folder / "reports-failing-data",
                  environment={"MEESH_BROWSER": "/bin/false"}).start()
    try:
        answer = made(meesh, "pdf-en")
        assert answer.headers["Content-Type"].startswith("text/html") and "Croatia" in answer.text
        sent = api(meesh, "POST", "/dashboards/sales/reports/html-en/run")
        assert sent.status_code == 503 and "was not taken" in sent.json()["detail"], sent.text
    finally:
        meesh.stop()


def test_a_report_is_made_and_downloaded_in_the_console(console, board):
    page = console("/reports?q=png-en", url=board.url)
    with page.expect_download(timeout=60_000) as download:
        page.get_by_role("button", name="Download").click()
    assert download.value.suggested_filename == "sales-png-en.png"
    assert Path(download.value.path()).read_bytes().startswith(b"\x89PNG")
    page.get_by_role("button", name="Send now").click()
    expect(page.get_by_text(re.compile("s3://reports/out/sales-png-en-"))).to_be_visible(timeout=60_000)


@pytest.mark.full
@pytest.mark.timeout(180)
def test_a_report_comes_by_its_schedule(board, inbox):
    text = yaml.safe_dump({**BOARD, "title": "By schedule", "reports": [
        {"name": "often", "cron": "* * * * *", "format": "pdf", "to": {"email": ["cron@example.org"]}}]})
    api(board, "POST", "/dashboards", json={"name": "scheduled", "yaml": text}).raise_for_status()
    wait_until(lambda: inbox.to("cron@example.org"), 150, "the report's mail")
    told = next(r for r in api(board, "GET", "/dashboard-reports").json()["reports"] if r["name"] == "often")
    assert told["state"] == "ok" and "cron@example.org" in told["message"]


# ---- live

LIVE = {
    "title": "Live", "refresh": "",
    "charts": [
        {"id": "count", "kind": "number", "live": True, "title": "Sales",
         "sql": "SELECT coalesce(sum(sales), 0) AS sales FROM live.default.totals"},
        {"id": "table", "kind": "table", "live": True, "title": "By country",
         "sql": "SELECT country, sales FROM live.default.totals ORDER BY country"}],
}


@pytest.fixture(scope="module")
def stream(work_folder):
    if why_not := kafka_server.why_not():
        pytest.skip(why_not)
    with ExitStack() as stack:
        kafka = KafkaServer(work_folder / "reports-kafka").start()
        stack.callback(kafka.stop)
        kafka.create_topic("sales", 1)
        mesh = StreamMesh(work_folder / "reports-live")
        mesh.stream("totals", {"sales": source(kafka, "sales", {"country": "varchar"})},
                    "SELECT country, count(*) AS sales FROM sales GROUP BY country",
                    [{"live": "totals"}], output="complete")
        write_yaml(mesh.folder / "dashboards" / "live.yaml",
                   {key: value for key, value in LIVE.items() if value})
        mesh.start()
        stack.callback(mesh.stop)
        yield kafka, mesh


def test_what_a_stream_commits_is_pushed_into_an_open_dashboard(stream, console):
    kafka, mesh = stream
    send(kafka, "sales", [{"country": "FR"}, {"country": "FR"}, {"country": "DE"}])
    mesh.until_read("totals", 3)
    page = console("/dashboards/live", url=mesh.server.url)
    count = page.locator("[data-chart=count] [class*=value]")
    rows = page.locator("[data-chart=table] tbody tr")
    expect(count).to_have_text("3")
    expect(rows).to_have_count(2)
    page.evaluate("window.stayed = true")
    send(kafka, "sales", [{"country": "IT"}, {"country": "FR"}])
    expect(count).to_have_text("5", timeout=10_000)
    expect(rows).to_have_count(3)
    assert page.evaluate("window.stayed"), "nothing was loaded anew"
