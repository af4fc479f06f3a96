"""Sources that are other ones at the next run: their columns, their clocks, and files of which one row
in twenty makes no sense."""
import random
from decimal import Decimal

import pytest

DAYS = ["2025-01-15", "2025-01-16", "2025-01-17"]


TABLES = ("added", "dropped", "widened", "narrowed", "renamed", "other", "clocks")


def prepare(shop, **mode):
    """Ten rows in each table, that have landed on the first day."""
    for table in TABLES:
        shop.postgres.query(
            f"CREATE TABLE {table} (id int PRIMARY KEY, amount numeric(6,2), weight real, note text, "
            "big bigint, updated_at timestamptz DEFAULT clock_timestamp());"
            f"INSERT INTO {table} SELECT i, i, i / 4.0, 'n' || i, i FROM generate_series(1, 10) i")
    shop.source("s", kind="postgresql", catalog="shop", tables={table: mode for table in TABLES})
    shop.meesh.start()
    take(shop, DAYS[0])


def take(shop, day, table="", **options):
    return shop.ingest("run", "s" + (table and "." + table), "--run-date", day, **options)


def types(shop, table):
    return {row[0]: row[1] for row in shop.query(f"DESCRIBE lake.bronze.{table}")}


def of_day(shop, columns, table, day):
    return shop.query(f"SELECT {columns} FROM lake.bronze.{table} WHERE _run_date = DATE '{day}' "
                      "ORDER BY id")


CHANGES = {
    "added": "ADD COLUMN fresh int NOT NULL DEFAULT 7",
    "dropped": "DROP COLUMN note",
    "widened": "ALTER COLUMN amount TYPE numeric(12,2), ALTER COLUMN weight TYPE double precision",
    "narrowed": "ALTER COLUMN big TYPE int, ALTER COLUMN amount TYPE numeric(4,1)",
    "renamed": "RENAME COLUMN note TO remark",
    "other": "ALTER COLUMN big TYPE text USING 'b' || big"}


@pytest.mark.parametrize("mode", [{}, {"mode": "incremental", "cursor": "updated_at"}],
                         ids=["full_refresh", "incremental"])
def test_columns_that_changed_between_runs(shop, mode):
    """An incremental run takes rows whose cursor is new, here row 1 alone."""
    prepare(shop, **mode)
    for table, change in CHANGES.items():
        shop.postgres.query(f"ALTER TABLE {table} {change}")
    shop.postgres.query("UPDATE widened SET amount = 9999999.5, weight = 1e300 WHERE id = 1")
    for table in TABLES:
        shop.postgres.query(f"UPDATE {table} SET updated_at = clock_timestamp() WHERE id = 1")
    told = take(shop, DAYS[1], code=1)  # one table cannot be taken; the others are

    assert types(shop, "added")["fresh"] == "integer" and "column fresh integer is new" in told
    assert of_day(shop, "fresh", "added", DAYS[0]) == [[None]] * 10
    assert of_day(shop, "id, fresh", "added", DAYS[1])[0] == [1, 7]

    assert of_day(shop, "id, note", "dropped", DAYS[1])[0] == [1, None]
    assert of_day(shop, "id, note", "dropped", DAYS[0])[0] == [1, "n1"]

    widened = types(shop, "widened")
    assert (widened["amount"], widened["weight"]) == ("decimal(12,2)", "double")
    assert of_day(shop, "id, amount, weight", "widened", DAYS[1])[0] == [
        1, Decimal("9999999.50"), 1e300]
    assert of_day(shop, "id, amount, weight", "widened", DAYS[0])[1] == [2, Decimal("2.00"), 0.5]

    narrowed = types(shop, "narrowed")
    assert (narrowed["big"], narrowed["amount"]) == ("bigint", "decimal(6,2)")
    assert of_day(shop, "id, big, amount", "narrowed", DAYS[1])[0] == [1, 1, Decimal("1.00")]

    assert of_day(shop, "id, note, remark", "renamed", DAYS[1])[0] == [1, None, "n1"]
    assert of_day(shop, "id, note, remark", "renamed", DAYS[0])[0] == [1, "n1", None]

    # Neither landed nor lost: after what the message says is done, it is taken.
    way = 'ALTER TABLE lake.bronze.other RENAME COLUMN "big" TO "big_until_now"'
    assert "Column 'big' of s.public.other is varchar now" in told and way in told, told
    assert of_day(shop, "id", "other", DAYS[1]) == []
    shop.query(way)
    shop.postgres.query("ALTER TABLE dropped ADD COLUMN note text DEFAULT 'again';"
                        "UPDATE dropped SET updated_at = clock_timestamp() WHERE id = 1")
    take(shop, DAYS[1])
    assert of_day(shop, "id, big_until_now, big", "other", DAYS[1])[0] == [1, None, "b1"]
    assert [1, "again"] in of_day(shop, "id, note", "dropped", DAYS[1])


def test_clocks_that_differ(shop):
    """A row that is late by less than the lookback is taken once; later than that it escapes until a
    full refresh; one from the future hides no other."""
    prepare(shop, mode="incremental", cursor="updated_at", lookback="10m")
    for id, skew in [(101, "interval '-9 minutes'"), (102, "interval '2 minutes'"),
                     (103, "interval '70 years'"), (104, "interval '-3 days'"),
                     (105, "interval '0'")]:
        shop.postgres.query("INSERT INTO clocks (id, updated_at) VALUES "
                            f"({id}, clock_timestamp() + {skew})")
        for _ in range(2):
            take(shop, DAYS[1], "clocks")
    assert of_day(shop, "id", "clocks", DAYS[1]) == [[101], [102], [103], [105]]
    shop.postgres.query("UPDATE clocks SET note = 'new', updated_at = clock_timestamp() "
                        "WHERE id IN (101, 103)")
    for _ in range(2):
        take(shop, DAYS[2], "clocks")
    assert of_day(shop, "id, note", "clocks", DAYS[2]) == [[101, "new"], [103, "new"]]
    shop.ingest("run", "s.clocks", "--run-date", DAYS[2], "--full-refresh")
    for _ in range(2):
        assert len(of_day(shop, "id", "clocks", DAYS[2])) == 15
        take(shop, DAYS[2], "clocks")


def broken(chance, i):
    return chance.choice([f"{i},{i}.25,2025-01-15,a,b,c", f"{i},{i}.25", f"x{i},{i}.25,2025-01-15,a",
                          f"{i},much,2025-01-15,a", f"{i},{i}.25,2025-02-31,a",
                          f'{i},"{i}.25",20250115x,"a, b"'])


@pytest.mark.parametrize("rows", [20_000, pytest.param(1_000_000, marks=pytest.mark.full)])
def test_one_row_in_twenty_is_malformed(shop, rows):
    """Each of them is put aside with its line, and no other."""
    chance = random.Random(11)
    bad = set(chance.sample(range(1, rows + 1), rows // 20))
    uploads = shop.meesh.mesh / "data" / "uploads"
    uploads.mkdir(parents=True)
    lines = {i: broken(chance, i) if i in bad else f'{i},{i}.25,2025-01-{1 + i % 31:02},"t ""{i}"", x"'
             for i in range(1, rows + 1)}
    for part in range(2):  # of two files
        mine = range(1 + part * rows // 2, 1 + (part + 1) * rows // 2)
        (uploads / f"leads{part}.csv").write_text(
            "id,amount,day,note\n" + "".join(lines[i] + "\n" for i in mine))
    shop.source("uploads", kind="files", malformed="quarantine", max_malformed="5%", tables={"leads": {
        "path": "data/uploads/leads*.csv", "columns": {
            "id": "bigint", "amount": "decimal(12,2)", "day": "date", "note": "varchar"}}})
    shop.meesh.start()
    told = shop.ingest("run", "uploads", "--run-date", DAYS[0], timeout=300)
    assert f"{rows - len(bad):,} rows" in told
    good = [i for i in range(1, rows + 1) if i not in bad]
    assert shop.query("SELECT count(*), count(DISTINCT id), sum(id), sum(amount), "
                      "count_if(note <> 't \"' || CAST(id AS varchar) || '\", x') "
                      "FROM lake.bronze.leads") == [
        [len(good), len(good), sum(good), sum(Decimal(i) + Decimal("0.25") for i in good), 0]]
    found = shop.query("SELECT _file, _line, _text FROM lake.bronze.leads__rejected")
    half = rows // 2
    expected = sorted((f"leads{(i - 1) // half}.csv", 2 + (i - 1) % half, lines[i]) for i in bad)
    assert sorted((file.rpartition("/")[2], line, text) for file, line, text in found) == expected
