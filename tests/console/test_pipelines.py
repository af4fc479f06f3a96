"""Pipelines, ingestion, streams, feeds and quality in a browser, as people use them."""
import json
import re

import pytest
import requests
from playwright.sync_api import expect
from support import kafka_server
from support.kafka_server import KafkaServer
from support.meesh import Meesh, plain_mesh
from support.pipelines import ended, run_of, write
from support.processes import wait_until
from support.rest_server import rest_server
from support.streams import StreamMesh, send, source

HOSTILE = ["<img src=x onerror=alert(1)>", "<script>alert(1)</script>", "'\"><svg onload=alert(1)>",
           "{{7*7}}", "${alert(1)}", "../../admin", "a%2Fb%3Fc", "\u202egnp.exe", "-", "x" * 120]

SLOW = "SELECT count(*) FROM tpch.tiny.lineitem a, tpch.tiny.lineitem b, tpch.tiny.orders c"

PIPELINES = {
    "steps": """
name: steps
description: A few statements.
parameters: { greeting: hello }
assets:
  first: { statement: "SELECT 1", tags: [quick] }
  second: { statement: "SELECT 2", depends_on: [first] }
  third: { statement: "SELECT 3", depends_on: [second] }
""",
    "broken": """
name: broken
assets:
  good: { statement: SELECT 1 }
  bad: { statement: SELECT 1 / 0, depends_on: [good] }
  after: { statement: SELECT 2, depends_on: [bad] }
""",
    "slow": f"""
name: slow
assets:
  quick: {{ statement: SELECT 1 }}
  endless: {{ statement: "{SLOW}", depends_on: [quick] }}
""",
    "daily": """
name: daily
partitions: { by: day, from: "2025-01-01" }
schedule: { cron: "0 6 * * *" }
assets:
  one: { statement: "SELECT 1" }
""",
}


@pytest.fixture(scope="module")
def mesh(work_folder):
    """A mesh of small pipelines, whose runs take no time."""
    folder = plain_mesh(work_folder / "console-pipelines", lake={"location": "s3://lake"})
    hostile = "name: hostile\nassets:\n" + "".join(
        f"  asset_{i}: {json.dumps({'statement': f'SELECT {i}', 'description': text.replace('${', '$${')})}\n"
        for i, text in enumerate(HOSTILE))
    write(folder, **PIPELINES)
    (folder / "pipelines" / "hostile.yaml").write_text(hostile)
    (folder / "data").mkdir()
    (folder / "data" / "people.csv").write_text("id,name\n1,Ana\n2,Boris\n3,<b>Carla</b>\n")
    server = Meesh(folder, work_folder / "console-pipelines-data").start()
    yield server
    server.stop()


@pytest.fixture
def small(console, mesh):
    """Opens pages of that mesh."""
    return lambda path, **options: console(path, url=mesh.url, **options)


def launch(server, pipeline, **body):
    answer = requests.post(f"{server.url}/api/v1/pipelines/{pipeline}/runs", json=body)
    assert answer.status_code == 201, answer.text
    return answer.json()["id"]


# ---- pipelines

def test_a_pipeline_is_launched_and_watched_to_its_end(small, mesh):
    page = small("/pipelines/steps")
    page.get_by_role("button", name="Launch").click()
    form = page.get_by_role("dialog")
    form.get_by_label("greeting").fill("good day")
    form.get_by_role("button", name="Launch").click()
    expect(page).to_have_url(re.compile(r"/pipelines/steps/runs/[\w-]+$"))
    expect(page.get_by_text("3 of 3 steps")).to_be_visible()
    expect(page.get_by_text("succeeded").first).to_be_visible()
    expect(page.get_by_test_id("log")).to_contain_text("third")
    expect(page.get_by_text("greeting=good day")).to_be_visible()
    gantt = page.get_by_role("group", name="Steps over time")
    expect(gantt.locator("[data-step]")).to_have_count(3)
    run = run_of(mesh, page.url.rsplit("/", 1)[1])
    assert run["state"] == "succeeded" and run["parameters"]["greeting"] == "good day"


def test_only_what_is_selected_runs(small, mesh):
    page = small("/pipelines/steps")
    page.get_by_role("button", name=re.compile("^second")).click()
    page.get_by_role("button", name="Run this and what follows").click()
    page.get_by_role("dialog").get_by_role("button", name="Launch").click()
    expect(page.get_by_text("2 of 2 steps")).to_be_visible()
    steps = run_of(mesh, page.url.rsplit("/", 1)[1])["steps"]
    assert [step["name"] for step in steps] == ["second", "third"]


def test_a_running_run_is_cancelled(small, mesh):
    id = launch(mesh, "slow")
    page = small(f"/pipelines/slow/runs/{id}")
    expect(page.get_by_role("button", name="endless: running")).to_be_visible()
    expect(page.get_by_text("1 of 2 steps")).to_be_visible()
    page.get_by_role("button", name="Cancel").click()
    page.get_by_role("button", name="Stop it").click()
    expect(page.get_by_text("canceled").first).to_be_visible(timeout=30_000)
    assert ended(mesh, id)["state"] == "canceled"


def test_a_failure_is_told_and_run_again_from_there(small, mesh):
    id = launch(mesh, "broken")
    ended(mesh, id)
    page = small(f"/pipelines/broken/runs/{id}")
    page.get_by_role("button", name="bad: failed").click()
    expect(page.get_by_text(re.compile("[Dd]ivision by zero")).first).to_be_visible()
    expect(page.get_by_role("button", name="after: upstream failed")).to_be_visible()
    expect(page).to_have_url(re.compile(r"\?step=bad$"))
    page.get_by_role("button", name="Run again from the failure").click()
    page.wait_for_url(lambda url: id not in url)
    again = page.url.rsplit("/", 1)[1].split("?")[0]
    assert [step["name"] for step in ended(mesh, again)["steps"]] == ["bad", "after"]
    expect(page.get_by_text(id)).to_be_visible()


def test_the_log_of_one_step(small, mesh):
    id = launch(mesh, "steps")
    ended(mesh, id)
    page = small(f"/pipelines/steps/runs/{id}?step=second")
    log = page.get_by_test_id("log")
    expect(log).to_contain_text("second")
    assert "first" not in log.inner_text() and "third" not in log.inner_text()
    with page.expect_download() as download:
        page.get_by_role("link", name="Download").click()
    assert "second" in download.value.path().read_text()


def test_a_schedule_is_paused_and_goes_on(small, mesh):
    def paused():
        all = requests.get(f"{mesh.url}/api/v1/schedules").json()["schedules"]
        return next(one for one in all if one["pipeline"] == "daily")["paused"]
    page = small("/pipelines")
    switch = page.get_by_role("switch", name="Scheduled: daily")
    expect(switch).to_be_checked()
    # Mantine's switch lies beneath its track.
    switch.click(force=True)
    expect(switch).not_to_be_checked()
    assert wait_until(paused, 10, "daily paused")
    page.goto(mesh.url + "/pipelines/daily")
    expect(page.get_by_text("Its schedule is paused")).to_be_visible()
    page.get_by_role("switch", name="Scheduled").click(force=True)
    expect(page.get_by_text("Its schedule is paused")).to_have_count(0)
    assert not paused()


def test_a_range_is_made_up_for(small, mesh):
    page = small("/pipelines/daily")
    page.get_by_role("button", name="Launch").click()
    form = page.get_by_role("dialog")
    form.get_by_text("A range of partitions (backfill)").click()
    form.get_by_label("From").fill("2025-01-01")
    form.get_by_label("To", exact=True).fill("2025-01-03")
    form.get_by_role("button", name="Launch").click()
    expect(page).to_have_url(re.compile("tab=backfills"))
    row = page.get_by_role("table", name="Backfills").get_by_role("row").nth(1)
    expect(row).to_contain_text("3/3", timeout=30_000)
    runs = requests.get(f"{mesh.url}/api/v1/runs", params={"pipeline": "daily"}).json()["runs"]
    assert {run["partition"] for run in runs} == {"2025-01-01", "2025-01-02", "2025-01-03"}


def test_a_mistake_in_the_form_is_told(small):
    page = small("/pipelines/daily")
    page.get_by_role("button", name="Launch").click()
    page.get_by_role("dialog").get_by_role("textbox", name="Partition").fill("yesterday")
    page.get_by_role("dialog").get_by_role("button", name="Launch").click()
    expect(page.get_by_role("dialog").get_by_role("alert")).to_contain_text("yesterday")


def test_runs_are_filtered_by_the_address(small, mesh):
    ended(mesh, launch(mesh, "broken"))
    page = small("/pipelines?tab=runs&state=failed")
    rows = page.get_by_role("table", name="Runs").get_by_role("row")
    expect(rows.nth(1)).to_contain_text("broken")
    page.get_by_text("succeeded", exact=True).first.click()
    expect(page).to_have_url(re.compile("state=succeeded"))


def test_a_pipeline_that_is_not_there(small):
    page = small("/pipelines/nobody")
    expect(page.get_by_role("alert")).to_contain_text("nobody")


@pytest.mark.parametrize("which", range(len(HOSTILE)))
def test_hostile_names_are_text(small, which):
    page = small(f"/pipelines/hostile?asset=asset_{which}")
    shown = []
    page.on("dialog", lambda dialog: (shown.append(dialog.message), dialog.dismiss()))
    expect(page.get_by_text(HOSTILE[which], exact=True).first).to_be_visible()
    assert page.locator("main img, main script, main [onload], main [onerror]").count() == 0
    page.goto(page.url.split("?")[0] + "?tab=assets")
    row = page.get_by_role("table", name="Assets").get_by_text(f"asset_{which}", exact=True)
    expect(row).to_have_attribute("title", HOSTILE[which])
    assert not shown


# ---- ingestion

def test_a_source_of_files_is_set_up_and_synced(small, mesh):
    """Kind, form, check and discover, the file, and the rows in the lake."""
    page = small("/ingestion")
    page.get_by_role("link", name="New source").click()
    page.get_by_role("button", name=re.compile("files")).click()
    page.get_by_label("Name of the source").fill("people")
    page.get_by_label("Table", exact=True).fill("persons")
    page.get_by_label("Files", exact=True).fill("data/people.csv")
    page.get_by_role("button", name="Check and discover").click()
    expect(page.get_by_text("The source answers")).to_be_visible()
    expect(page.locator("[data-stream=persons]")).to_contain_text("id bigint, name varchar")
    page.get_by_role("button", name="Next: the file").click()
    expect(page.locator(".cm-content")).to_contain_text("path: data/people.csv")
    page.get_by_role("button", name="Create the source").click()
    expect(page).to_have_url(mesh.url + "/ingestion/sources/people")
    assert (mesh.mesh / "sources" / "people.yaml").read_text().startswith("kind: files")

    page.get_by_role("button", name="Sync now", exact=True).click()
    form = page.get_by_role("dialog")
    form.get_by_role("button", name="Sync now").click()
    expect(form.locator("[data-sync=persons]")).to_contain_text("succeeded", timeout=30_000)
    expect(form.locator("[data-sync=persons]")).to_contain_text("3 rows")
    form.get_by_role("button", name="Close", exact=True).last.click()
    page.get_by_role("tab", name="Syncs").click()
    expect(page.get_by_role("table", name="Syncs").get_by_role("row").nth(1)).to_contain_text("persons")


def write_file(page, text):
    """Replaces what is in the editor."""
    editor = page.locator(".cm-content")
    editor.click()
    page.keyboard.press("Control+a")
    page.keyboard.insert_text(text)


def test_a_rest_source_is_written_and_then_changed(small, mesh):
    """Its file begins as a template; changed, it is tried before it is written."""
    with rest_server() as api:
        api.by_page("/orders", lambda: [{"id": number, "amount": number * 1.5}
                                        for number in range(3)])
        file = f"kind: rest\nbase_url: {api.url}\ntables:\n  orders: {{ path: orders, records: data.items }}\n"
        page = small("/ingestion/new")
        page.get_by_role("button", name=re.compile("^rest")).click()
        expect(page.locator(".cm-content")).to_contain_text("base_url:")
        page.get_by_label("Name of the source").fill("shop_api")
        write_file(page, file)
        page.get_by_role("button", name="Check and discover").click()
        expect(page.locator("[data-stream=orders]")).to_contain_text("amount")
        page.get_by_role("button", name="Next: the file").click()
        page.get_by_role("button", name="Create the source").click()
        expect(page).to_have_url(mesh.url + "/ingestion/sources/shop_api")

        page.get_by_role("tab", name="File").click()
        expect(page.locator(".cm-content")).to_contain_text("path: orders")
        save = page.get_by_role("button", name="Try and save")
        expect(save).to_be_disabled()
        write_file(page, file.replace("kind: rest", "kind: rest\nnonsense: 1"))
        save.click()
        expect(page.get_by_role("alert")).to_contain_text("nonsense")
        kept = mesh.mesh / "sources" / "shop_api.yaml"
        assert kept.read_text() == file
        changed = file.replace("path: orders,", "path: orders, into: web_orders,")
        write_file(page, changed)
        save.click()
        expect(page.get_by_text("Saved; the source answers")).to_be_visible()
        assert kept.read_text() == changed


def test_what_is_wrong_with_a_source_is_told(small, mesh):
    page = small("/ingestion/new")
    page.get_by_role("button", name=re.compile("files")).click()
    page.get_by_label("Name of the source").fill("nothing")
    page.get_by_label("Table", exact=True).fill("t")
    page.get_by_label("Files", exact=True).fill("../../../../etc/passwd")
    page.get_by_role("button", name="Check and discover").click()
    expect(page.get_by_role("alert")).to_be_visible()
    assert "root:" not in page.content()
    assert not (mesh.mesh / "sources" / "nothing.yaml").exists()


def test_a_source_of_a_domain_is_chosen_by_tables(console, demo):
    """Against the demo's sales database: two of its tables are there to take; one is left out."""
    page = console("/ingestion/new")
    page.get_by_role("button", name=re.compile("postgresql")).click()
    page.get_by_label("Name of the source").fill("sales_again")
    page.get_by_role("combobox", name="Database of the mesh").click()
    page.get_by_role("option", name="sales").click()
    page.get_by_role("button", name="Check and discover").click()
    expect(page.get_by_text(re.compile("PostgreSQL 1"))).to_be_visible()
    page.get_by_role("checkbox", name="Take orders").uncheck()
    page.get_by_role("button", name="Next: the file").click()
    text = page.locator(".cm-content")
    expect(text).to_contain_text("customers:")
    assert "orders" not in text.inner_text()
    assert not (demo.mesh / "sources" / "sales_again.yaml").exists()


# ---- streams and feeds

def test_streams_without_a_broker_say_how_to_start_one(console):
    page = console("/streams")
    rows = page.get_by_role("table", name="Streams").get_by_role("row")
    expect(rows.filter(has_text="ventes_live")).to_contain_text("paused")
    expect(page.get_by_text("How to start one")).to_be_visible()
    expect(page.get_by_text("meesh demo produce")).to_be_visible()
    rows.filter(has_text="ventes_live").click()
    page.get_by_role("tab", name="Query").click()
    expect(page.locator(".cm-content")).to_contain_text("total_ventes_live")


def test_a_stream_is_watched_paused_and_goes_on(console, work_folder):
    if why_not := kafka_server.why_not():
        pytest.skip(why_not)
    kafka = KafkaServer(work_folder / "console-kafka").start()
    streams = StreamMesh(work_folder / "console-streams")
    try:
        kafka.create_topic("sales", 2)
        streams.stream("sales", {"s": source(kafka, "sales", {"country": "varchar", "amount": "bigint"})},
                       "SELECT country, sum(amount) AS total FROM s GROUP BY country",
                       [{"live": "sales"}], output="complete").start()
        send(kafka, "sales", [{"country": "FR", "amount": 2}] * 10)
        page = console("/streams/sales?tab=table", url=streams.server.url)
        table = page.get_by_role("table", name="live.default.sales")
        expect(table.get_by_role("row").nth(1)).to_contain_text("20", timeout=30_000)
        send(kafka, "sales", [{"country": "FR", "amount": 1}])
        expect(table.get_by_role("row").nth(1)).to_contain_text("21")
        page.get_by_role("button", name="Pause").click()
        expect(page.get_by_role("button", name="Resume")).to_be_visible()
        send(kafka, "sales", [{"country": "FR", "amount": 4}])
        expect(table.get_by_role("row").nth(1)).to_contain_text("21")
        page.get_by_role("button", name="Resume").click()
        expect(table.get_by_role("row").nth(1)).to_contain_text("25")
        page.get_by_role("tab", name="Partitions").click()
        expect(page.get_by_role("table", name="Partitions").get_by_role("row")).to_have_count(3)
        page.get_by_role("tab", name="Live").click()
        expect(page.locator("main canvas")).to_be_visible()
        page.close()  # it would ask on, and be refused
    finally:
        streams.stop()
        kafka.stop()


def test_feeds(console, demo):
    feeds = requests.get(f"{demo.url}/api/v1/data-lake/feeds").json()["feeds"]
    page = console("/feeds")
    expect(page.get_by_role("table", name="Feeds").get_by_role("row")).to_have_count(len(feeds) + 1)
    page.get_by_role("table", name="Feeds").get_by_text(feeds[0]["name"], exact=True).first.click()
    expect(page).to_have_url(f"{demo.url}/feeds/{feeds[0]['name']}")
    expect(page.get_by_text(feeds[0]["description"])).to_be_visible()


# ---- quality

def test_quality_of_a_table(console, demo_ran):
    page = console("/quality")
    page.get_by_role("textbox", name="Search: Tables").fill("lake.gold.rfm")
    page.get_by_role("table", name="Tables").get_by_text("lake.gold.rfm", exact=True).click()
    expect(page).to_have_url(re.compile(r"/quality/table\?table=lake.gold.rfm$"))
    results = page.get_by_role("table", name="Results")
    expect(results.get_by_role("row").nth(1)).to_contain_text("passed")
    results.get_by_text("not_null(customer_id)").first.click()
    expect(page.get_by_role("dialog")).to_contain_text("not_null")
