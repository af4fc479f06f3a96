"""Sources of kind airbyte: every mode, types, state, mistakes, and connectors that misbehave."""
import json

import pytest

from support.airbyte_connectors import connector_processes
from support.processes import wait_until


def test_every_type_lands_as_what_it_is(airbyte):
    airbyte.replay(rows=14, tables={"events": {}, "whole": {}})
    airbyte.meesh.start()
    assert "source-replay 1.0, 2 streams" in airbyte.ingest("check", "s")
    found = airbyte.ingest("discover", "s")
    assert "'Name' of the connector" in found and "array is kept as JSON in a varchar" in found
    out = airbyte.ingest("run", "s", "--run-date", "2025-01-15")
    assert "✓ events → lake.bronze.events: 14 rows" in out and "✓ whole" in out
    types = dict(airbyte.query("SELECT column_name, data_type FROM lake.information_schema.columns "
                               "WHERE table_name = 'events'"))
    assert types["id"] == "bigint" and types["big"] == "decimal(38,0)"
    assert types["at"] == "timestamp(6) with time zone" and types["local"] == "timestamp(6)"
    assert types["day"] == "date" and types["ok"] == "boolean" and types["tags"] == "varchar"
    row = airbyte.query("SELECT name, price, CAST(big AS varchar), to_unixtime(at), "
                        "CAST(local AS varchar), CAST(day AS varchar), ok, tags, home, mixed, "
                        "_source FROM lake.bronze.events WHERE id IN (3, 7) ORDER BY id")
    assert row[0] == ["näme 3", 0.75, "1" + "0" * 29 + "3", 1736928003.5,
                      "2025-01-15 10:00:00.000000", "2025-01-04", False, '["a","3"]',
                      '{"city":"Bern","no":3}', "3", "s.events"]
    assert row[1][0] is None
    # The same date again replaces the partition.
    airbyte.ingest("run", "s", "--run-date", "2025-01-15")
    assert airbyte.one("SELECT count(*) FROM lake.bronze.events") == 14


@pytest.mark.parametrize("kind", ["STREAM", "GLOBAL", "LEGACY"])
def test_an_incremental_read_goes_on_from_the_state(airbyte, folder, kind):
    counter = folder / "rows"
    counter.write_text("250")
    airbyte.replay(rows_file=str(counter), kind=kind)
    airbyte.meesh.start()
    assert ": 250 rows" in airbyte.ingest("run", "s")
    counter.write_text("300")
    out = airbyte.ingest("run", "s")
    assert "starting at 250" in out and ": 50 rows" in out
    assert ": 0 rows" in airbyte.ingest("run", "s")
    assert airbyte.query("SELECT count(*), count(DISTINCT id) FROM lake.bronze.events") == [
        [300, 300]]
    position = airbyte.api("status")["streams"][0]["position"]["state"]
    assert position["type"] == kind and "sourceStats" not in position
    # From the beginning.
    assert ": 300 rows" in airbyte.ingest("run", "s", "--full-refresh")


def test_faker_in_every_mode(airbyte):
    airbyte.need("source-faker-6.2.1")
    airbyte.source("f", connector="source-faker", version="6.2.1",
                   config={"count": 300, "seed": 1, "parallelism": 1, "always_updated": False},
                   tables={"users": {"mode": "incremental"}, "products": {},
                           "purchases": {"mode": "incremental", "write": "merge"}})
    airbyte.meesh.start()
    found = airbyte.ingest("discover", "f", "--yaml")
    assert "users: { mode: incremental, cursor: updated_at, key: [id]" in found
    out = airbyte.ingest("run", "f", "--run-date", "2025-01-15")
    assert "✓ users → lake.bronze.users: 300 rows" in out and "✓ products" in out
    assert airbyte.query("SELECT count(*), count(DISTINCT id), "
                         "count(json_extract_scalar(address, '$.city')) "
                         "FROM lake.bronze.users") == [[300, 300, 300]]
    purchases = airbyte.one("SELECT count(*) FROM lake.bronze.purchases")
    assert purchases > 100
    # Nothing is new, and what is merged stays one row a key.
    airbyte.ingest("run", "f.purchases", "--run-date", "2025-01-16")
    assert airbyte.query("SELECT count(*), count(DISTINCT id) FROM lake.bronze.purchases") == [
        [purchases, purchases]]


def test_a_local_file_through_source_file(airbyte, folder):
    airbyte.need("source-file-0.5.32")
    path = folder / "people.csv"
    path.write_text("id,name\n1,ana\n2,bo\n3,\n")
    airbyte.source("people", connector="source-file", version="0.5.32",
                   config={"dataset_name": "people", "format": "csv", "url": str(path),
                           "provider": {"storage": "local"}}, tables={"people": {}})
    airbyte.meesh.start()
    airbyte.ingest("run", "people")
    assert airbyte.query("SELECT CAST(id AS integer), name FROM lake.bronze.people ORDER BY 1") == [
        [1, "ana"], [2, "bo"], [3, None]]


def test_mistakes_in_the_configuration_have_a_place(airbyte):
    airbyte.source("s", connector="source-replay", version="1.0", config={
        "rows": "many", "evry": 5, "behave": "sing", "account": {"how": "key"}},
        tables={"events": {}})
    airbyte.meesh.start()
    told = airbyte.ingest("check", "s", code=1)
    lines = (airbyte.meesh.mesh / "sources" / "s.yaml").read_text().splitlines()
    place = 1 + next(i for i, line in enumerate(lines) if "rows: many" in line)
    assert f"s.yaml:{place}:" in told and "config.rows: expected integer, found" in told
    assert "knows no key 'evry'" in told and "did you mean 'every'" in told
    assert "config.behave: expected one of 'die'" in told
    assert "config.account: it is none of the forms" in told


def test_secrets_are_seen_nowhere(airbyte):
    airbyte.replay("refused", rows=1, account={"how": "key", "token": "wrong-token"})
    for behave in ("error", "config", "stderr"):
        airbyte.replay(behave, rows=9, at=5, behave=behave,
                       account={"how": "key", "token": "hush-hush-token"})
    airbyte.replay("slow", rows=300, every=10, pause=0.1,
                   account={"how": "key", "token": "hush-hush-token"})
    airbyte.meesh.start()
    assert "401: token ****** refused" in airbyte.ingest("check", "refused", code=1)
    assert "the token ****** is not valid" in airbyte.ingest("run", "error", code=1)
    told = airbyte.ingest("run", "config", code=1)
    assert "the token ****** is not valid" in told and "mend 'config'" in told
    told = airbyte.ingest("run", "stderr", code=1)
    assert "exit code 3" in told and "the cat ate it (******)" in told
    import threading
    run = threading.Thread(target=lambda: airbyte.ingest("run", "slow"))
    run.start()
    pids = wait_until(lambda: connector_processes(airbyte.meesh), 20, "the connector runs")
    for pid in pids:
        for file in ("cmdline", "environ"):
            seen = open(f"/proc/{pid}/{file}", "rb").read()
            assert b"hush-hush" not in seen and b"leaked" not in seen
    folders = list((airbyte.meesh.data / "connectors" / ".runs").iterdir())
    assert folders and all(f.stat().st_mode & 0o777 == 0o700 for f in folders)
    assert all(f.stat().st_mode & 0o777 == 0o600 for f in folders[0].glob("*.json"))
    run.join()
    assert list((airbyte.meesh.data / "connectors" / ".runs").iterdir()) == []
    assert "hush-hush" not in airbyte.meesh.log_text()
    assert "hush-hush" not in json.dumps(airbyte.api("history"))


def test_a_renewed_configuration_is_kept(airbyte):
    airbyte.replay(rows=5, account={"how": "key", "token": "old-token"})
    airbyte.meesh.start()
    assert "has changed its configuration" in airbyte.ingest("run", "s")
    kept = airbyte.meesh.data / "connectors" / ".configs" / "s.json"
    assert json.loads(kept.read_text())["config"]["account"]["token"] == "renewed-token"
    assert kept.stat().st_mode & 0o777 == 0o600
    # The connector gets it: it has nothing to renew any more.
    assert "has changed" not in airbyte.ingest("run", "s")


def test_rows_that_do_not_fit_are_put_aside(airbyte):
    airbyte.replay(rows=100, behave="bad_rows", max_malformed="20%")
    airbyte.replay("strict", rows=100, behave="bad_rows", malformed="fail",
                   tables={"events": {"mode": "incremental", "into": "strict"}})
    airbyte.replay("few", rows=100, behave="bad_rows", max_malformed="5%",
                   tables={"events": {"mode": "incremental", "into": "few"}})
    airbyte.meesh.start()
    assert ": 90 rows" in airbyte.ingest("run", "s")
    rejected = airbyte.query("SELECT _line, _column, _error, json_extract_scalar(_text, '$.id') "
                             "FROM lake.bronze.events__rejected ORDER BY _line")
    assert len(rejected) == 10
    assert rejected[0][:2] == [10, "price"] and "expected double" in rejected[0][2]
    assert rejected[0][3] == "10"
    assert "record 10" in airbyte.ingest("run", "strict", code=1)
    assert "more than 5%" in airbyte.ingest("run", "few", code=1)


def test_what_is_hashed_is_not_shown_among_rejected_rows_either(airbyte):
    airbyte.replay(rows=20, behave="bad_rows", max_malformed="50%",
                   tables={"events": {"mode": "incremental", "hash": ["name"]}})
    airbyte.meesh.start()
    airbyte.ingest("run", "s")
    [[name]] = airbyte.query("SELECT name FROM lake.bronze.events WHERE id = 1")
    assert len(name) == 64
    assert airbyte.query("SELECT count(*), count(_text) FROM lake.bronze.events__rejected") == [
        [2, 0]]


def test_without_tables_all_streams_are_taken(airbyte):
    airbyte.source("s", connector="source-replay", version="1.0", config={"rows": 3})
    airbyte.meesh.start()
    out = airbyte.ingest("run", "s")
    assert "✓ events" in out and "✓ whole" in out


def test_garbage_between_messages_is_told_and_loses_nothing(airbyte):
    airbyte.replay(rows=50, at=20, behave="garbage", max_malformed="50%")
    airbyte.meesh.start()
    out = airbyte.ingest("run", "s")
    assert "Loading model weights" in out and ": 50 rows" in out
    assert airbyte.one("SELECT count(*) FROM lake.bronze.events__rejected") == 1


def test_members_that_the_schema_does_not_name_are_told(airbyte):
    airbyte.replay(rows=5, behave="new_field")
    airbyte.meesh.start()
    out = airbyte.ingest("run", "s")
    assert "does not name" in out and "surprise" in out and ": 5 rows" in out


def test_a_connector_that_dies_keeps_what_its_state_covers(airbyte):
    airbyte.replay(rows=1000, at=555, behave="die", every=100)
    airbyte.meesh.start()
    assert "signal 9" in airbyte.ingest("run", "s", code=1)
    assert airbyte.query("SELECT count(*), max(id) FROM lake.bronze.events") == [[500, 500]]
    source = airbyte.meesh.mesh / "sources" / "s.yaml"
    source.write_text(source.read_text().replace("at: 555", "at: 5"))
    airbyte.meesh.stop()
    airbyte.meesh.start()
    assert ": 500 rows" in airbyte.ingest("run", "s")
    assert airbyte.query("SELECT count(*), count(DISTINCT id) FROM lake.bronze.events") == [
        [1000, 1000]]


def test_a_connector_that_hangs_or_eats_memory_is_stopped(airbyte):
    airbyte.replay("hangs", rows=9, at=5, behave="hang", timeout="2s")
    airbyte.replay("eats", rows=9, at=5, behave="eat", memory="300MB")
    airbyte.meesh.start()
    assert "has said nothing for 2 s" in airbyte.ingest("run", "hangs", code=1)
    assert "more than 300 MB" in airbyte.ingest("run", "eats", code=1)
    assert connector_processes(airbyte.meesh) == []


def test_a_stream_that_is_not_there_is_named(airbyte):
    airbyte.replay(rows=1, tables={"evnts": {}})
    airbyte.meesh.start()
    told = airbyte.ingest("run", "s", code=1)
    assert "no stream 'evnts'" in told and "did you mean 'events'" in told


def test_a_stream_without_an_incremental_mode_says_so(airbyte):
    airbyte.replay(rows=1, tables={"whole": {"mode": "incremental"}})
    airbyte.meesh.start()
    assert "cannot be read incrementally" in airbyte.ingest("run", "s", code=1)
