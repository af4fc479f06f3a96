"""What a source's file says of its rows on their way in: one row a key or every version, columns that
must not land as they are, tables that do not change, schedules of a source's own."""
import hashlib
import hmac

import pytest
import requests

from support.processes import wait_until
from support.webhook import webhook

DAY = "2025-01-15"


def people(shop):
    shop.postgres.query(
        "CREATE TABLE people (id int PRIMARY KEY, mail text, phone text, age int, "
        "updated_at timestamptz DEFAULT now() - interval '1 hour');"
        "INSERT INTO people SELECT i, 'p' || i || '@example.com', '+49-171-' || i, 20 + i "
        "FROM generate_series(1, 100) i")


def source_rows(shop, columns="id, mail, age"):
    return [list(row) for row in shop.postgres.query(f"SELECT {columns} FROM people ORDER BY id")]


def test_current_rows_and_every_version(shop):
    people(shop)
    shop.source("s", kind="postgresql", catalog="shop", tables={
        "people": {"mode": "incremental", "cursor": "updated_at", "write": "both"}})
    shop.meesh.start()
    shop.ingest("run", "s", "--run-date", DAY)
    for version in range(3):
        shop.postgres.query(f"UPDATE people SET age = age + 1, updated_at = clock_timestamp() "
                            f"WHERE id % 10 = {version}; INSERT INTO people (id, mail, age, "
                            f"updated_at) VALUES ({200 + version}, 'new', 1, clock_timestamp())")
        assert "11 rows" in shop.ingest("run", "s.people", "--run-date", DAY)
    assert shop.query("SELECT id, mail, age FROM lake.bronze.people ORDER BY id") == source_rows(shop)
    assert shop.query("SELECT count(*) FROM lake.bronze.people__changes") == [[100 + 3 * 11]]
    # The newest of the versions are the current rows.
    assert shop.query(
        "SELECT id, max_by(mail, updated_at), max_by(age, updated_at) FROM "
        "lake.bronze.people__changes GROUP BY id ORDER BY id") == source_rows(shop)
    shop.postgres.query("DELETE FROM people WHERE id < 50")
    shop.ingest("run", "s", "--run-date", DAY, "--full-refresh")
    assert shop.query("SELECT id, mail, age FROM lake.bronze.people ORDER BY id") == source_rows(shop)


def test_what_is_hashed_and_masked_lies_nowhere_in_the_lake(shop):
    people(shop)
    shop.source("s", kind="postgresql", catalog="shop", hash_salt="${SALT}", tables={
        "people": {"hash": ["mail"], "mask": ["phone"], "exclude": ["age"]}})
    shop.meesh.environment["SALT"] = "pepper"
    shop.meesh.start()
    shop.ingest("run", "s", "--run-date", DAY)
    expected = hmac.new(b"pepper", b"p7@example.com", hashlib.sha256).hexdigest()
    assert shop.query("SELECT mail, phone FROM lake.bronze.people WHERE id = 7") == [
        [expected, "-nn-nnn-n"]]
    names = [row[0] for row in shop.query("DESCRIBE lake.bronze.people")]
    assert "age" not in names
    for file in (shop.meesh.data / "objects").rglob("*"):
        if file.is_file():
            content = file.read_bytes()
            assert b"@example.com" not in content and b"+49-171" not in content, file
    for row in shop.query("SELECT query FROM system.runtime.queries"):
        assert "pepper" not in row[0]


def test_rejected_rows_tell_nothing_that_must_not_land(shop):
    uploads = shop.meesh.mesh / "data" / "uploads"
    uploads.mkdir(parents=True)
    lines = [f"{i},m{i}@example.com" for i in range(100)]
    lines[40], lines[60] = "x,hidden@example.com", '3,"lost@example.com",lost@example.com'
    (uploads / "mails.csv").write_text("id,mail\n" + "\n".join(lines) + "\n")
    shop.source("up", kind="files", max_malformed="60%", tables={
        "mails": {"path": "data/uploads/*.csv", "hash": ["mail"], "columns": {"id": "bigint"}}})
    shop.meesh.start()
    shop.ingest("run", "up", "--run-date", DAY)
    rejected = shop.query("SELECT _line, _column, _error, _text, _position FROM "
                          "lake.bronze.mails__rejected ORDER BY _line")
    assert rejected and rejected[0][0] == 42 and rejected[0][3] is None
    assert "data/uploads/mails.csv" in rejected[0][4]
    assert "example.com" not in str([row[:4] for row in rejected])


@pytest.mark.parametrize("contract, told, landed", [
    ("freeze", "has a new column 'extra'", None),
    ("discard_row", "99 rows", 99),
    ("discard_value", "100 rows", 100),
    ("evolve", "100 rows", 100)])
def test_a_table_that_does_not_change(shop, contract, told, landed):
    people(shop)
    shop.source("s", kind="postgresql", catalog="shop",
                tables={"people": {"schema_contract": contract}})
    shop.meesh.start()
    shop.ingest("run", "s", "--run-date", DAY)
    shop.postgres.query("ALTER TABLE people ADD COLUMN extra text; UPDATE people SET extra = 'x' "
                        "WHERE id = 5")
    out = shop.ingest("run", "s", "--run-date", "2025-01-16", code=1 if landed is None else 0)
    assert told in out
    names = [row[0] for row in shop.query("DESCRIBE lake.bronze.people")]
    assert ("extra" in names) == (contract == "evolve")
    assert shop.query("SELECT count(*) FROM lake.bronze.people WHERE _run_date = DATE '2025-01-16'"
                      ) == [[landed or 0]]
    if contract == "discard_row":
        assert shop.query("SELECT _column, json_extract_scalar(_text, '$.mail') FROM "
                          "lake.bronze.people__rejected") == [["extra", "p5@example.com"]]


def test_a_source_runs_by_itself_and_tells_when_it_fails(shop):
    people(shop)
    with webhook() as hook:
        shop.source("s", kind="postgresql", catalog="shop", schedule="0 3 * * *",
                    notify={"webhook": hook.url}, tables={"people": {}})
        shop.meesh.start()
        pipelines = requests.get(f"{shop.meesh.url}/api/v1/pipelines", timeout=30).json()
        names = [one["name"] for one in pipelines["pipelines"]]
        assert names == ["ingest_s"]
        run = ("run", "ingest_s", "--server", shop.meesh.url)
        done = shop.meesh.run(*run)
        assert done.returncode == 0, done.stdout + done.stderr
        assert shop.query("SELECT count(*) FROM lake.bronze.people") == [[100]]
        shop.postgres.query("ALTER TABLE people ALTER COLUMN age TYPE text")
        assert shop.meesh.run(*run).returncode == 1
        wait_until(lambda: hook.bodies, 30, "the alert")
        assert hook.bodies[0]["event"] == "failure" and hook.bodies[0]["pipeline"] == "ingest_s"
