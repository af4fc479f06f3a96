"""The spooled protocol with real clients: the same rows as without it, and nothing left behind."""
import base64
import json

import lz4.block
import pytest
import requests
import zstandard

from support import java
from support.answers import Statement, rows_of
from support.meesh import plain_mesh
from support.processes import wait_until

ENCODINGS = ["json", "json+lz4", "json+zstd"]
MANY = ("SELECT a * 1000 + b AS n, 'row number ' || CAST(b AS varchar) AS t, a / 7e0 AS x, "
        "DECIMAL '1.50' AS d, CAST(NULL AS integer) AS e, ARRAY[a, b] AS l "
        "FROM UNNEST(sequence(0, 199)) AS u(a) CROSS JOIN UNNEST(sequence(0, 999)) AS v(b)")


def segments(server, sql, encoding):
    """Every segment of an answer as the protocol tells it, fetched and unpacked, not acknowledged."""
    found = []
    for page in Statement(server.url, sql, Query_Data_Encoding=encoding).pages():
        data = page.get("data")
        if data is None:
            continue
        assert data["encoding"] == encoding
        for segment in data["segments"]:
            if segment["type"] == "spooled":
                answer = requests.get(segment["uri"])
                assert answer.status_code == 200
                packed = answer.content
            else:
                packed = base64.b64decode(segment["data"])
            found.append((segment, unpack(packed, segment["metadata"], encoding)))
    return found


def unpack(packed, metadata, encoding):
    assert len(packed) == metadata["segmentSize"]
    size = metadata.get("uncompressedSize")
    if size is None:
        return json.loads(packed)
    plain = (lz4.block.decompress(packed, uncompressed_size=size) if encoding == "json+lz4"
             else zstandard.ZstdDecompressor().decompress(packed))
    assert len(plain) == size
    return json.loads(plain)


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("sql", ["SELECT 1, 'é', ARRAY[1, NULL]", MANY,
                                 "SELECT * FROM tpch.tiny.nation WHERE false"])
def test_the_python_client_gets_the_same_rows(query, sql, encoding):
    assert sorted(query(sql, encoding=encoding), key=str) == sorted(query(sql, encoding="none"),
                                                                    key=str)


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_segments_follow_one_another(ours, encoding):
    found = segments(ours, MANY, encoding)
    assert {segment["type"] for segment, _ in found} >= {"spooled"}
    offset = 0
    for segment, rows in found:
        assert segment["metadata"]["rowOffset"] == offset
        assert segment["metadata"]["rowsCount"] == len(rows)
        offset += len(rows)
    assert offset == 200_000
    direct = rows_of(ours.url, MANY)
    assert sorted(sum((rows for _, rows in found), [])) == sorted(direct)


def test_few_rows_stand_in_the_page(ours):
    [(segment, rows)] = segments(ours, "SELECT 1 AS a", "json+zstd")
    assert segment["type"] == "inline" and rows == [[1]]


def test_statements_without_rows_and_errors_come_as_ever(ours, query):
    assert query("SHOW SCHEMAS FROM tpch LIKE 'tiny'", encoding="json+zstd") == [["tiny"]]
    statement = Statement(ours.url, "SELECT nosuch", Query_Data_Encoding="json")
    assert statement.finish()[1]["errorName"] == "COLUMN_NOT_FOUND"


def test_an_acknowledged_segment_is_gone(ours):
    segment = next(segment for segment, _ in segments(ours, MANY, "json+lz4")
                   if segment["type"] == "spooled")
    assert requests.get(segment["ackUri"]).status_code == 200
    assert requests.get(segment["uri"]).status_code == 404
    assert requests.get(segment["ackUri"]).status_code == 200, "once more does no harm"


def test_a_segments_address_cannot_be_guessed(ours):
    segment = next(s for s, _ in segments(ours, MANY, "json") if s["type"] == "spooled")
    uri = segment["uri"]
    for other in (uri[:-1] + ("0" if uri[-1] != "0" else "1"), uri[:-3], uri + "0",
                  uri.rpartition("/")[0] + "/..%2F" + uri.rpartition("/")[2]):
        assert requests.get(other).status_code == 404, other
    assert requests.get(segment["ackUri"]).status_code == 200


def test_what_is_read_goes_and_what_a_crash_leaves_goes_at_the_start(start_meesh, folder):
    mesh, data = plain_mesh(folder / "mesh"), folder / "data"
    meesh = start_meesh(mesh, data)
    spooled = data / "spooled"
    for segment, _ in segments(meesh, MANY, "json"):
        if segment["type"] == "spooled":
            requests.get(segment["ackUri"])
    wait_until(lambda: not list(spooled.iterdir()), 30, "read segments removed")
    segments(meesh, MANY, "json")
    assert list(spooled.iterdir())
    meesh.kill()
    again = start_meesh(mesh, data)
    assert not list(spooled.iterdir())
    assert rows_of(again.url, "SELECT 1") == [[1]]


def test_a_canceled_statement_takes_its_segments_along(start_meesh, folder):
    meesh = start_meesh(plain_mesh(folder / "mesh"), folder / "data")
    statement = Statement(meesh.url, MANY.replace("199", "4999"), Query_Data_Encoding="json")
    while not statement.page.get("data"):
        assert statement.next()
    spooled = folder / "data" / "spooled"
    assert list(spooled.iterdir())
    assert statement.http.delete(statement.page["nextUri"],
                                 headers=statement.headers).status_code == 204
    wait_until(lambda: not list(spooled.iterdir()), 30, "segments of the canceled statement removed")


def test_in_a_closed_mesh_a_segment_is_for_whoever_got_its_address(start_meesh, folder):
    """Clients fetch segments without their password; another user's password opens none."""
    mesh, data = plain_mesh(folder / "mesh"), folder / "data"
    meesh = start_meesh(mesh, data)
    meesh.stop()
    where = ("--mesh", mesh, "--data", data)
    for user in ("ada", "bob"):
        made = meesh.run("access", "add", user, "--policy", "consoleAdmin", *where)
        assert made.returncode == 0, made.stderr
        made = meesh.run("access", "password", user, *where, input=f"{user}'s long password\n")
        assert made.returncode == 0, made.stderr
    meesh.start()
    http = requests.Session()
    http.auth = ("ada", "ada's long password")
    statement = Statement(meesh.url, MANY, http, User="ada", Query_Data_Encoding="json")
    while not statement.page.get("data"):
        assert statement.next()
    uri = statement.page["data"]["segments"][0]["uri"]
    assert requests.get(uri, auth=("bob", "bob's long password")).status_code == 404
    assert requests.get(uri, auth=("ada", "wrong")).status_code == 401
    assert requests.get(uri, auth=("ada", "ada's long password")).status_code == 200
    assert len(requests.get(uri).json()) == statement.page["data"]["segments"][0]["metadata"][
        "rowsCount"]
    assert requests.get(uri[:-4] + "0000").status_code == 404


@pytest.mark.skipif(bool(java.why_not(java.CLI)), reason=str(java.why_not(java.CLI)))
@pytest.mark.parametrize("encoding", ENCODINGS)
def test_the_cli_reads_them(server, folder, encoding):
    result = java.run([*java.java("-jar", java.CLI), "--server", server.url, "--user", "tester",
                       "--encoding", encoding, "--output-format", "CSV_UNQUOTED", "--execute",
                       "SELECT orderkey, comment FROM tpch.tiny.orders ORDER BY orderkey"], folder)
    assert result.returncode == 0, result.stderr
    lines = result.stdout.splitlines()
    assert len(lines) == 15_000 and lines[0].startswith("1,")
