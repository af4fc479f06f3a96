"""Feeds end to end: what readers of the folders see is what the lake's tables hold, each row once."""
import json
import stat
from collections import Counter

import duckdb
import pandas
import pyarrow.dataset
import pyarrow.parquet
import pytest

from support.processes import wait_until

NOW = "2025-01-20T12:00:00Z"  # retention counts from here


def rows_of(frame, columns):
    """Of a DataFrame, as comparable tuples."""
    return Counter(tuple("None" if pandas.isna(value) else str(value) for value in row)
                   for row in frame[columns].itertuples(index=False, name=None))


def same_rows(feeds, name, columns=("id", "amount", "name"), condition=""):
    """The folder, read by three readers that know nothing of tables, and the table: the same."""
    listed = [list(row) for row in
              feeds.query(f"SELECT {', '.join(columns)} FROM lake.data_lake.{name} {condition}")]
    table = Counter(tuple(str(value) for value in row) for row in listed)
    folder = str(feeds.folder(name))
    if not condition:
        assert rows_of(pandas.read_parquet(folder), list(columns)) == table
        whole = pyarrow.dataset.dataset(folder, partitioning="hive").to_table()
        assert rows_of(whole.to_pandas(), list(columns)) == table
    seen = duckdb.sql(f"SELECT {', '.join(columns)} FROM read_parquet('{folder}/**/*.parquet', "
                      f"hive_partitioning=true) {condition}").fetchall()
    assert Counter(tuple(str(value) for value in row) for row in seen) == table
    return sum(table.values())


def test_a_stream_is_appended_by_date_and_each_row_once(feeds):
    feeds.meesh.start()
    feeds.payments(0, 99)
    feeds.run("add", "payment_stream", "--type", "stream", "--source", "payments",
              "--description", "Payments")
    assert [end["rows"] for end in feeds.export("payment_stream", now=NOW)] == [100]
    assert [end["rows"] for end in feeds.export("payment_stream", now=NOW)] == [0]
    feeds.payments(100, 149)
    assert [end["rows"] for end in feeds.export("--all", now=NOW)] == [50]
    assert same_rows(feeds, "payment_stream") == 150
    folders = {str(file.parent.relative_to(feeds.folder("payment_stream")))
               for file in feeds.folder("payment_stream").rglob("*.parquet")}
    assert folders == {f"year=2025/month=01/day={day}" for day in range(15, 22)}
    assert all(file.name.startswith("data_")
               for file in feeds.folder("payment_stream").rglob("*.parquet"))
    assert feeds.query("SELECT min(_event_date), max(_event_date) FROM "
                       "lake.data_lake.payment_stream WHERE CAST(timestamp AS date) = _event_date "
                       )[0] == feeds.query("SELECT min(CAST(timestamp AS date)), "
                                           "max(CAST(timestamp AS date)) FROM "
                                           "lake.payments.payments")[0]


def test_files_are_packed_with_snappy_and_tell_their_dates_in_their_paths(feeds):
    feeds.meesh.start()
    feeds.payments(0, 30)
    feeds.run("add", "p", "--type", "stream", "--source", "lake.payments.payments")
    feeds.export("p", now=NOW)
    file = next(feeds.folder("p").rglob("*.parquet"))
    column = pyarrow.parquet.ParquetFile(file).metadata.row_group(0).column(0)
    assert column.compression == "SNAPPY"
    frame = pandas.read_parquet(feeds.folder("p"))
    assert set(frame["year"].astype(str)) == {"2025"}
    assert {int(day) for day in frame["day"]} == {15, 16}


def test_metadata_has_the_keys_and_sums_of_the_documents(feeds):
    feeds.meesh.start()
    feeds.payments(0, 47)
    feeds.run("add", "p", "--type", "stream", "--source", "payments")
    feeds.export("p", now=NOW)
    told = feeds.metadata("p")
    assert list(told) == ["source", "type", "storage_mode", "format", "partitioning", "last_export",
                          "total_records", "total_size_mb", "partitions"]
    assert {key: told[key] for key in list(told)[:7]} == {
        "source": "payments", "type": "stream", "storage_mode": "append", "format": "parquet",
        "partitioning": "date", "last_export": NOW, "total_records": 48}
    assert [(one["path"], one["records"]) for one in told["partitions"]] == [
        ("year=2025/month=01/day=15", 24), ("year=2025/month=01/day=16", 24)]
    size = sum(file.stat().st_size for file in feeds.folder("p").rglob("*.parquet"))
    assert told["total_size_mb"] == pytest.approx(size / 1e6, abs=0.001)
    assert sorted(told["partitions"][0]) == ["path", "records", "size_mb"]


def test_a_table_is_exported_in_versions_that_can_be_rolled_back(feeds):
    feeds.meesh.start()
    feeds.query("CREATE SCHEMA lake.payments")
    feeds.query("CREATE TABLE lake.payments.totals (method varchar, total bigint)")
    feeds.run("add", "totals", "--type", "table", "--source", "totals",
              "--retention-versions", "3")
    for version in range(1, 6):
        feeds.query("DELETE FROM lake.payments.totals")
        feeds.query(f"INSERT INTO lake.payments.totals VALUES ('card', {version}), "
                    f"('cash', {version * 10})")
        assert feeds.export("totals")[0]["version"] == version
    current = "SELECT method, total FROM lake.data_lake.totals_current ORDER BY 1"
    assert feeds.query(current) == [["card", 5], ["cash", 50]]
    assert sorted(path.name for path in feeds.folder("totals").glob("version=*")) == [
        "version=v3", "version=v4", "version=v5"]
    assert (feeds.folder("totals") / "_current").read_text() == "version=v5\n"
    assert feeds.query("SELECT DISTINCT _version FROM lake.data_lake.totals ORDER BY 1") == [
        [3], [4], [5]]

    feeds.run("rollback", "totals", "--to", "3")
    assert feeds.query(current) == [["card", 3], ["cash", 30]]
    assert (feeds.folder("totals") / "_current").read_text() == "version=v3\n"
    now = pandas.read_parquet(feeds.folder("totals") /
                              (feeds.folder("totals") / "_current").read_text().strip())
    assert sorted(zip(now["method"], now["total"])) == [("card", 3), ("cash", 30)]
    assert "no version 2" in feeds.run("rollback", "totals", "--to", "2", code=1)
    told = feeds.show("totals")
    assert [v["version"] for v in told["versions"] if v["current"]] == [3]
    assert [v["version"] for v in told["versions"] if v["removed"]] == [2, 1]
    assert told["events"][0]["kind"] == "rollback"
    assert told["events"][0]["detail"] == "from version 5 to 3"

    # The version that counts stays, however old; the next one is a new one.
    feeds.run("update", "totals", "--retention-versions", "1")
    assert feeds.export("totals")[0]["version"] == 6
    assert sorted(path.name for path in feeds.folder("totals").glob("version=*")) == ["version=v6"]
    assert same_rows(feeds, "totals", ("method", "total")) == 2


def test_a_rolled_back_version_outlives_retention_until_the_next_export(feeds):
    feeds.meesh.start()
    feeds.payments(0, 4)
    feeds.run("add", "p", "--type", "table", "--source", "payments", "--retention-versions", "2")
    for _ in range(2):
        feeds.export("p")
    feeds.run("rollback", "p", "--to", "1")
    feeds.run("update", "p", "--retention-versions", "1")
    feeds.run("retain", "p")
    assert feeds.query("SELECT count(*) FROM lake.data_lake.p_current") == [[5]]
    assert sorted(path.name for path in feeds.folder("p").glob("version=*")) == [
        "version=v1", "version=v2"]


def test_a_month_of_retention(feeds):
    """A row an hour, from the first of January on; every day of the month is exported and kept for
    ten days."""
    feeds.meesh.start()
    feeds.run("add", "p", "--type", "stream", "--source", "payments", "--retention-days", "10")
    for day in range(31):
        feeds.payments(24 * day, 24 * day + 23, start="2025-01-01 00:00:00")
        done = feeds.export("p", now=f"2025-01-{day + 1:02}T23:00:00Z")[0]
        assert done["rows"] == 24
        gone = [f"year=2025/month=01/day={day - 10:02}"] if day > 10 else []
        assert done["removed"] == gone, day
        kept = min(day + 1, 11)
        assert done["records"] == 24 * kept
        assert len(feeds.metadata("p")["partitions"]) == kept
    assert same_rows(feeds, "p") == 24 * 11
    told = json.loads(feeds.run("retain", "--dry-run", "--now", "2025-02-03", "--json"))
    assert [one["path"] for one in told["feeds"][0]["removed"]] == [
        f"year=2025/month=01/day={day}" for day in (21, 22, 23)]
    assert same_rows(feeds, "p") == 24 * 11
    feeds.run("retain", "--now", "2025-02-03")
    assert same_rows(feeds, "p") == 24 * 8
    assert not (feeds.folder("p") / "year=2025/month=01/day=21").exists()


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


def test_permissions_of_folders_and_files(feeds):
    feeds.meesh.start()
    feeds.payments(0, 9)
    feeds.run("add", "raw", "--type", "stream", "--source", "payments")
    feeds.run("add", "anonymized", "--type", "stream", "--source", "payments",
              "--permissions", "755", "--retention-days", "730")
    feeds.run("add", "summary", "--type", "table", "--source", "payments")
    assert mode(feeds.folder("raw")) == 0o750  # before the first export as well
    feeds.export("--all", now=NOW)
    for name, folders, files in (("raw", 0o750, 0o640), ("anonymized", 0o755, 0o644),
                                 ("summary", 0o755, 0o644)):
        everything = [feeds.folder(name), *feeds.folder(name).rglob("*")]
        assert {mode(path) for path in everything if path.is_dir()} == {folders}, name
        assert {mode(path) for path in everything if path.is_file()} == {files}, name
    feeds.run("update", "raw", "--permissions", "755")
    feeds.run("sync")
    assert {mode(path) for path in feeds.folder("raw").rglob("*.parquet")} == {0o644}


def test_sync_finds_new_changed_and_removed_files(feeds):
    feeds.feed("first", source="lake.payments.payments")
    feeds.meesh.start()
    assert "first" in feeds.run("sync")
    second = feeds.feed("second", ksqldb_source="payments", retention_days=5)
    feeds.feed("first", source="lake.payments.payments", description="changed")
    told = json.loads(feeds.run("sync", "--json"))
    assert (told["added"], told["changed"], told["archived"]) == (["second"], ["first"], [])
    assert feeds.folder("second").is_dir()
    feeds.payments(0, 9)
    assert feeds.export("second", now=NOW)[0]["rows"] == 10  # at once
    second.unlink()
    told = json.loads(feeds.run("sync", "--json"))
    assert (told["archived"], told["unchanged"]) == (["second"], ["first"])
    assert [one["name"] for one in feeds.api("feeds")["feeds"]] == ["first"]
    assert feeds.query("SELECT count(*) FROM lake.data_lake.second") == [[10]]  # its rows stay


def test_folders_of_feeds_are_there_after_the_start(feeds):
    feeds.feed("first", source="lake.payments.payments")
    feeds.feed("second", feed_type="table", source="lake.payments.payments")
    feeds.meesh.start()
    wait_until(lambda: (feeds.lake / "streams/first").is_dir()
               and (feeds.lake / "tables/second").is_dir(), 20, "folders")
    assert mode(feeds.lake / "streams/first") == 0o750


def test_archive_moves_the_file_and_keeps_the_rows(feeds):
    feeds.meesh.start()
    feeds.payments(0, 9)
    feeds.run("add", "p", "--type", "stream", "--source", "payments")
    feeds.export("p", now=NOW)
    feeds.run("archive", "p")
    assert (feeds.meesh.mesh / "feeds/archived/p.json").exists()
    assert not (feeds.meesh.mesh / "feeds/active/p.json").exists()
    assert "there is no feed 'p'" in feeds.run("show", "p", code=1)
    assert feeds.query("SELECT count(*) FROM lake.data_lake.p") == [[10]]
    kinds = [event["kind"] for event in feeds.api("events?feed=p")["events"]]
    assert kinds == ["archive", "export", "add"]


def test_mistakes_in_files_are_told_with_their_place(feeds):
    feeds.meesh.start()
    feeds.feed("good", source="lake.payments.payments")
    feeds.feed("bad", storage_mode="overwrite", retention_versions=3, extra=1)
    told = feeds.run("sync", code=1)
    assert "feeds/active/bad.json:6:" in told and "unknown key 'extra'" in told
    feeds.feed("bad", storage_mode="overwrite", retention_versions=3)
    told = feeds.run("show", "bad", code=1)
    assert "the storage_mode of a stream is append" in told
    assert "a feed needs one of 'ksqldb_source' and 'source'" in told
    assert "streams keep days" in told
    feeds.payments(0, 9)
    assert feeds.export("good", now=NOW)[0]["rows"] == 10  # others are not in its way
    feeds.meesh.stop()
    broken = feeds.meesh.run("serve", "--mesh", feeds.meesh.mesh, "--data", feeds.meesh.data)
    assert broken.returncode == 2 and "bad.json" in broken.stderr


def test_a_cursor_tells_what_is_new_and_ties_are_not_lost(feeds):
    feeds.meesh.start()
    feeds.query("CREATE SCHEMA lake.payments")
    feeds.query("CREATE TABLE lake.payments.events (id bigint, at timestamp(3), note varchar)")
    insert = "INSERT INTO lake.payments.events SELECT {id}, TIMESTAMP '{at}', {note}"
    feeds.query(insert.format(id=1, at="2025-01-15 10:00:00", note="'a'"))
    feeds.run("add", "e", "--type", "stream", "--source", "events", "--cursor", "at",
              "--event-time", "at")
    assert feeds.export("e", now=NOW)[0]["rows"] == 1
    # The same row once more with the same cursor is another row; a NULL is a value like others.
    feeds.query(insert.format(id=1, at="2025-01-15 10:00:00", note="'a'"))
    feeds.query(insert.format(id=2, at="2025-01-15 10:00:00", note="NULL"))
    feeds.query(insert.format(id=3, at="2025-01-16 10:00:00", note="'c'"))
    assert feeds.export("e", now=NOW)[0]["rows"] == 3
    assert feeds.export("e", now=NOW)[0]["rows"] == 0
    feeds.query(insert.format(id=4, at="2025-01-16 10:00:00", note="NULL"))
    assert feeds.export("e", now=NOW)[0]["rows"] == 1
    assert same_rows(feeds, "e", ("id", "note")) == 5


def test_without_anything_that_tells_what_is_new_doubles_are_refused(feeds):
    feeds.meesh.start()
    feeds.query("CREATE SCHEMA lake.payments")
    feeds.query("CREATE TABLE lake.payments.plain AS SELECT 1 AS id, 'x' AS name")
    feeds.run("add", "p", "--type", "stream", "--source", "plain")
    assert feeds.export("p", now=NOW)[0]["rows"] == 1
    end = feeds.export("p", now=NOW, code=1)[0]
    assert "1 rows of lake.payments.plain are in the feed 'p' already" in end["error"]["text"]
    assert "cursor" in end["error"]["text"]
    feeds.query("DELETE FROM lake.payments.plain")
    feeds.query("INSERT INTO lake.payments.plain VALUES (2, 'y')")
    assert feeds.export("p", now=NOW)[0]["rows"] == 1
    assert same_rows(feeds, "p", ("id", "name")) == 2
    event = feeds.api("events?feed=p")["events"]
    assert [one["state"] for one in event if one["kind"] == "export"] == [
        "succeeded", "failed", "succeeded"]


def test_event_times_of_every_kind_say_the_day(feeds):
    feeds.meesh.start()
    feeds.query("CREATE SCHEMA lake.payments")
    kinds = {"a_date": "DATE '2025-01-15'", "a_zone": "TIMESTAMP '2025-01-16 01:00:00 +05:00'",
             "iso": "'2025-01-15T23:59:59.5Z'", "offset": "'2025-01-16T01:00:00+05:00'",
             "spaced": "'2025-01-16 01:00:00 +05:00'", "plain": "'2025-01-15 10:00:00'",
             "bare": "'2025-01-15T23:10:00'", "day": "'2025-01-15'",
             "seconds": "1736942400", "millis": "1736942400123", "decimals": "DECIMAL '1736942400.5'"}
    for name, value in kinds.items():
        feeds.query(f"CREATE TABLE lake.payments.{name} AS SELECT 1 AS id, {value} AS created_at "
                    "UNION ALL SELECT 2, NULL")
        feeds.run("add", name, "--type", "stream", "--source", name)
    feeds.export("--all", now=NOW)
    for name in kinds:
        days = feeds.query(f"SELECT id, CAST(_event_date AS varchar) FROM lake.data_lake.{name} "
                           "ORDER BY 1")
        # A row without a time lies where its export was.
        assert days == [[1, "2025-01-15"], [2, "2025-01-20"]], name
    feeds.query("CREATE TABLE lake.payments.wrong AS SELECT 'soon' AS created_at, 3 AS id")
    feeds.run("add", "wrong", "--type", "stream", "--source", "wrong")
    feeds.export("wrong", now=NOW)
    assert feeds.query("SELECT CAST(_event_date AS varchar) FROM lake.data_lake.wrong") == [
        ["2025-01-20"]]
    feeds.run("add", "odd", "--type", "stream", "--source", "wrong", "--event-time", "nothing")
    assert "no column 'nothing'" in feeds.export("odd", code=1)[0]["error"]["text"]


def test_columns_that_come_later_and_types_that_widen(feeds):
    feeds.meesh.start()
    feeds.query("CREATE SCHEMA lake.payments")
    feeds.query("CREATE TABLE lake.payments.w AS SELECT 1 AS n, 0 AS _partition, BIGINT '0' AS "
                "_offset")
    feeds.run("add", "w", "--type", "stream", "--source", "w")
    feeds.export("w", now=NOW)
    feeds.query("ALTER TABLE lake.payments.w ALTER COLUMN n SET DATA TYPE bigint")
    feeds.query("ALTER TABLE lake.payments.w ADD COLUMN note varchar")
    feeds.query("INSERT INTO lake.payments.w (n, note, _partition, _offset) VALUES "
                "(5000000000, 'new', 0, 1)")
    end = feeds.export("w", now=NOW)[0]
    assert end["rows"] == 1 and len(end["notes"]) == 2
    assert feeds.query("SELECT n, note FROM lake.data_lake.w ORDER BY 1") == [
        [1, None], [5000000000, "new"]]


def test_rows_deleted_in_the_table_leave_the_folder_with_the_next_export(feeds):
    feeds.meesh.start()
    feeds.payments(0, 30)
    feeds.run("add", "p", "--type", "stream", "--source", "payments")
    feeds.export("p", now=NOW)
    feeds.query("DELETE FROM lake.data_lake.p WHERE id IN (3, 7, 28)")
    feeds.export("p", now=NOW)
    assert same_rows(feeds, "p") == 28


def test_reports(feeds, folder):
    feeds.meesh.start()
    feeds.payments(0, 99)
    feeds.run("add", "p", "--type", "stream", "--source", "payments")
    feeds.run("add", "t", "--type", "table", "--source", "payments", "--description", "a < b")
    feeds.export("--all", now=NOW)
    feeds.export("--all", now=NOW)
    feeds.run("report", "--csv", folder / "report.csv", "--html", folder / "report.html")
    table = pandas.read_csv(folder / "report.csv")
    assert list(table["feed"]) == ["p", "t"] and list(table["records"]) == [100, 200]
    assert list(table["current_version"].fillna(0)) == [0, 2]
    page = (folder / "report.html").read_text()
    assert page.count("<svg") == 4 and "http" not in page and "<script" not in page
    french = feeds.meesh.run("--lang", "fr", "feed", "report", "--html", folder / "fr.html",
                             "--server", feeds.meesh.url)
    assert french.returncode == 0
    assert "Croissance" in (folder / "fr.html").read_text()
    stats = json.loads(feeds.run("stats", "--json"))
    assert (stats["streams"], stats["tables"], stats["records"]) == (1, 1, 300)
    assert "300" in feeds.run("stats") and "export" in feeds.run("report")


def test_logs_tell_what_happened(feeds):
    feeds.meesh.start()
    feeds.payments(0, 9)
    feeds.run("add", "p", "--type", "stream", "--source", "payments")
    feeds.export("p", now=NOW)
    feeds.run("add", "gone", "--type", "stream", "--source", "lake.payments.gone")
    feeds.export("gone", code=1)
    lines = [line for file in (feeds.lake / "logs").glob("export_*.log")
             for line in file.read_text().splitlines()]
    assert any("INFO  p export done: 10 rows, 10 records" in line for line in lines)
    assert any("ERROR gone export failed" in line and "does not exist" in line for line in lines)


def test_the_lake_has_its_place_in_the_bucket_too(feeds):
    feeds.meesh.start()
    feeds.payments(0, 9)
    feeds.run("add", "p", "--type", "stream", "--source", "payments")
    feeds.export("p", now=NOW)
    paths = [row[0] for row in feeds.query('SELECT file_path FROM lake.data_lake."p$files"')]
    assert all(path.startswith("s3://data-lake/streams/p/year=2025/month=01/day=15/data_")
               for path in paths)
    assert (feeds.lake / "feeds" / "active" / "p.json").exists()
