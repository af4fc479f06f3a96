"""A disk that is full at one byte or another while ingestion, models, checks and exports write to it:
each says so and how to go on, readers keep whole tables, and with some space again all goes on."""
import boto3
import pytest
import requests
import yaml
from botocore.exceptions import ClientError
from support.answers import Statement, error_of, rows_of
from support.disk import small_disk  # a fixture
from support.meesh import external, plain_mesh
from support.processes import wait_until

ROWS = 20_000
KIB, MIB = 1 << 10, 1 << 20
# What is left on the disk: nothing at all, then enough to get a little further each time.
LEFT = [0, 16 * KIB, 128 * KIB, 512 * KIB, MIB, 2 * MIB, 3 * MIB, 5 * MIB]
TABLES = ("lake.bronze.items", "lake.silver.items", "lake.silver.named")
PIPELINE = """
name: shop
assets:
  bronze: { ingest: shop }
  lake.silver.items:
    sql: items.sql
    checks: [ { kind: unique, columns: [id] }, { kind: row_count, min: 1 } ]
  lake.silver.named: { sql: named.sql }
  file: { export: lake.silver.items, to: exports/items.csv }
"""


def fill_source(postgres, version):
    postgres.query("DROP TABLE IF EXISTS items; CREATE TABLE items AS SELECT i AS id, "
                   f"{version} AS version, md5(i::text || '{version}') || md5('x' || i || {version})"
                   f" AS junk FROM generate_series(1, {ROWS}) AS i")


@pytest.fixture
def shop(small_disk, postgres, start_meesh, folder):
    """A running mesh that has all its folders on a small disk, and PostgreSQL elsewhere."""
    disk = small_disk(64)
    source = postgres("shop")
    fill_source(source, 0)
    mesh = plain_mesh(disk.folder / "mesh", {"shop": external(source)},
                      lake={"location": "s3://lake", "allowed_locations": ["s3://bronze"]})
    for name, text in {
            "pipelines/shop.yaml": PIPELINE,
            "pipelines/items.sql": "SELECT id, version, junk FROM lake.bronze.items",
            "pipelines/named.sql": "SELECT version, junk || 'x' AS name FROM lake.silver.items",
            "sources/shop.yaml": yaml.safe_dump({"kind": "postgresql", "catalog": "shop",
                                                 "tables": {"items": {}}})}.items():
        (mesh / name).parent.mkdir(exist_ok=True)
        (mesh / name).write_text(text)
    meesh = start_meesh(mesh, disk.folder / "data", log=folder / "log")
    return meesh, source, disk


def run(meesh):
    done = meesh.run("run", "shop", "--run-date", "2025-01-15", "--server", meesh.url)
    return done.returncode, done.stdout + done.stderr


class Hindered:
    """A run on a disk that is full: perhaps it cannot even be begun, perhaps its end cannot be written
    down before there is space again."""

    def __init__(self, meesh):
        self.meesh, self.id, self.stuck = meesh, None, False
        done = meesh.run("run", "shop", "--run-date", "2025-01-15", "--detach", "--server", meesh.url)
        self.refused = done.stderr
        if done.returncode == 0:
            self.id = done.stdout.strip()
            try:
                wait_until(self.all_steps_ended, 30, "the end of its steps", every=0.1)
            except AssertionError:  # not even that can be written down
                self.stuck = True

    def all_steps_ended(self):
        steps = self.found()["steps"]
        return steps and all(step["state"] not in ("pending", "running") for step in steps)

    def found(self):
        answer = requests.get(f"{self.meesh.url}/api/v1/runs/{self.id}", timeout=30)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def errors(self):
        """What it tells of why it failed; nothing if it did not."""
        if self.id is None:
            return [self.refused]
        return [step["error"] for step in self.found()["steps"] if step["state"] == "failed"]

    def end(self):
        """With space again: its last state."""
        if self.id is None:
            return "refused"
        return wait_until(lambda: self.found()["state"] not in ("queued", "running") and
                          self.found()["state"], 120, "the run's end", every=0.1)


def seen(meesh):
    """{table: (least version, greatest, rows)}"""
    return {table: tuple(rows_of(meesh.url, f"SELECT min(version), max(version), count(*) "
                                            f"FROM {table}")[0]) for table in TABLES}


def exported(meesh):
    """The versions in the file, and its rows."""
    lines = (meesh.mesh / "data" / "exports" / "items.csv").read_text().splitlines()[1:]
    return {line.split(",")[1].strip('"') for line in lines}, len(lines)


def test_whatever_is_left_of_it(shop):
    meesh, source, disk = shop
    code, told = run(meesh)
    assert code == 0, told
    failed = 0
    for version, left in enumerate(LEFT, 1):
        before = seen(meesh)
        fill_source(source, version)
        disk.fill(left)
        hindered = Hindered(meesh)
        errors = hindered.errors()
        failed += bool(errors)
        for error in errors:
            assert "full" in error or "No space left" in error
            assert str(disk.folder) in error and "free" in error
        now = seen(meesh)  # asked while the disk is full
        for table in TABLES:
            assert now[table] in (before[table], (version, version, ROWS))
        versions, rows = exported(meesh)
        assert len(versions) == 1 and rows == ROWS
        disk.free()
        ends = ["failed", "refused"] if errors else ["succeeded"]
        assert hindered.end() in (ends if not hindered.stuck else ["failed", "succeeded"])
        code, told = run(meesh)
        assert code == 0, told
        assert set(seen(meesh).values()) == {(version, version, ROWS)}
        assert exported(meesh) == ({str(version)}, ROWS)
    assert failed >= len(LEFT) / 2
    assert requests.get(f"{meesh.url}/v1/info", timeout=10).ok
    assert meesh.stop() == 0
    meesh.start()
    assert set(seen(meesh).values()) == {(len(LEFT), len(LEFT), ROWS)}


def test_s3_clients_are_told_but_not_where(small_disk, start_meesh, folder):
    disk = small_disk(24)
    keys = {"access_key": "minioadmin", "secret_key": "minioadmin"}
    mesh = plain_mesh(disk.folder / "mesh", storage={"root": keys, "buckets": {"files": {}}})
    meesh = start_meesh(mesh, disk.folder / "data", log=folder / "log")
    s3 = boto3.client("s3", endpoint_url=meesh.s3_address(), region_name="us-east-1",
                      aws_access_key_id="minioadmin", aws_secret_access_key="minioadmin")
    s3.put_object(Bucket="files", Key="kept", Body=b"kept")
    disk.fill(256 * KIB)
    with pytest.raises(ClientError) as refused:
        s3.put_object(Bucket="files", Key="large", Body=b"x" * MIB)
    error = refused.value.response["Error"]
    assert (error["Code"], error["Message"]) == ("XMinioStorageFull", "The storage is full.")
    assert f"No space left on the disk of '{disk.folder}" in meesh.log_text()
    assert [entry["Key"] for entry in s3.list_objects_v2(Bucket="files")["Contents"]] == ["kept"]
    disk.free()
    s3.put_object(Bucket="files", Key="large", Body=b"x" * MIB)
    assert s3.get_object(Bucket="files", Key="large")["Body"].read() == b"x" * MIB


def test_a_domains_server_on_it_goes_on_too(small_disk, start_meesh, folder):
    """What is written to a managed database says that the disk is full; what was committed is there,
    also after a start on the full disk's leftovers."""
    disk = small_disk(256)
    mesh = plain_mesh(disk.folder / "mesh", {"sales": {"kind": "managed", "name": "sales_db"}})
    meesh = start_meesh(mesh, disk.folder / "data", log=folder / "log")
    rows_of(meesh.url, "CREATE TABLE sales.public.items (id bigint, junk varchar)")
    more = ("INSERT INTO sales.public.items SELECT a * 1000 + b, to_hex(sha256(to_utf8(CAST(a * 1000 + "
            "b AS varchar)))) FROM UNNEST(sequence(0, 499)) AS t(a) CROSS JOIN "
            "UNNEST(sequence(0, 999)) AS u(b)")
    rows_of(meesh.url, "INSERT INTO sales.public.items VALUES (-1, 'kept')")
    for left in (0, 2 * MIB, 20 * MIB):
        disk.fill(left)
        error = error_of(meesh.url, more)
        # PostgreSQL gives up altogether when there is no space for its log, and is started again.
        assert error["errorType"] == "EXTERNAL", error
        assert any(words in error["message"] for words in (
            "No space left on device", "could not extend file", "'sales'")), error
        disk.free()
        wait_until(lambda: answer_of(meesh, "SELECT count(*) FROM sales.public.items") == [[1]], 60,
                   "the table as it was", every=0.2)
        assert rows_of(meesh.url, "SELECT count(*) FROM tpch.tiny.region") == [[5]]
    assert meesh.stop() == 0
    disk.fill()
    meesh.launch()
    assert wait_until(lambda: meesh.process.poll() is not None or meesh_ready(meesh), 60,
                      "a start, or its refusal")
    if meesh.process.poll() is not None:
        assert "No space left" in meesh.log_text() or "full" in meesh.log_text()
    meesh.stop()
    disk.free()
    meesh.start()
    assert answer_of(meesh, "SELECT id FROM sales.public.items") == [[-1]]
    rows_of(meesh.url, more)


def answer_of(meesh, sql):
    """Its rows; nothing while the database is being started again."""
    rows, error = Statement(meesh.url, sql).finish()
    return None if error else rows


def meesh_ready(meesh):
    try:
        return meesh.ready()
    except AssertionError:
        return False
