"""Profiles against numbers computed apart."""
import statistics

import requests

ROWS = 10_000


def table(quality, name):
    quality.sql(f"DROP TABLE IF EXISTS {name}")
    quality.sql(f"""CREATE TABLE {name} AS SELECT i AS id, CAST(i % 7 AS double) AS n,
        IF(i % 10 = 0, NULL, 'v' || CAST(i % 3 AS varchar)) AS t,
        date_add('day', i % 100, DATE '2025-01-01') AS d, ARRAY[i] AS parts
        FROM UNNEST(sequence(1, {ROWS})) AS s(i)""")


def profile(quality, *arguments):
    return quality.lines("profile", *arguments)[0]


def columns(taken):
    return {one["name"]: one for one in taken["columns"]}


def test_of_a_lake_and_of_postgresql(quality):
    for name in ("lake.silver.numbers", "shop.public.numbers"):
        if name.startswith("lake"):
            table(quality, name)
        else:
            quality.sql(f"DROP TABLE IF EXISTS {name}")
            quality.sql(f"CREATE TABLE {name} AS SELECT id, n, t, d FROM lake.silver.numbers")
        taken = profile(quality, name)
        one = columns(taken)
        assert taken["rows"] == ROWS
        assert taken["rows_from_files"] == name.startswith("lake")
        assert (one["id"]["nulls"], one["id"]["min"], one["id"]["max"]) == (0, "1", str(ROWS))
        assert abs(one["id"]["distinct"] - ROWS) < ROWS / 4  # it is an estimate
        assert sum(one["id"]["histogram"]) == ROWS
        assert max(one["id"]["histogram"]) - min(one["id"]["histogram"]) <= 2
        values = [i % 7 for i in range(1, ROWS + 1)]
        assert abs(one["n"]["mean"] - statistics.mean(values)) < 1e-9
        assert abs(one["n"]["deviation"] - statistics.stdev(values)) < 1e-9
        assert one["t"]["nulls"] == ROWS // 10 and one["t"]["mean_length"] == 2
        assert {top["value"] for top in one["t"]["top"]} == {"v0", "v1", "v2"}
        assert (one["d"]["min"], one["d"]["max"]) == ("2025-01-01", "2025-04-10")
        if name.startswith("lake"):
            assert one["parts"]["nulls"] == 0 and "top" not in one["parts"]
            assert one["id"]["from_files"] and not one["t"]["from_files"]


def test_files_alone_tell_what_is_exact(quality):
    table(quality, "lake.silver.files")
    one = columns(profile(quality, "lake.silver.files", "--files-only"))
    assert (one["id"]["min"], one["id"]["max"], one["id"]["nulls"]) == ("1", str(ROWS), 0)
    assert "min" not in one["t"] and "mean" not in one["id"]
    quality.sql("DELETE FROM lake.silver.files WHERE id = 1")
    done = quality.run("profile", "lake.silver.files", "--files-only", "--server", quality.url)
    assert done.returncode == 1 and "do not tell" in done.stderr
    after = profile(quality, "lake.silver.files")
    assert after["rows"] == ROWS - 1 and columns(after)["id"]["min"] == "2"


def test_a_sample_of_the_rows(quality):
    table(quality, "lake.silver.sampled")
    taken = profile(quality, "lake.silver.sampled", "--sample", "10")
    assert taken["rows"] == ROWS and taken["sample"] == 10
    assert 0 < sum(columns(taken)["id"]["histogram"]) < ROWS / 2


def test_profiles_are_kept(quality):
    table(quality, "lake.silver.kept")
    profile(quality, "lake.silver.kept")
    profile(quality, "lake.silver.kept")
    kept = requests.get(f"{quality.url}/api/v1/quality/profiles", {"table": "lake.silver.kept"},
                        timeout=30).json()["profiles"]
    assert len(kept) == 2 and kept[0]["at_ms"] >= kept[1]["at_ms"]


def test_people_see_a_histogram(quality):
    table(quality, "lake.silver.seen")
    done = quality.run("profile", "lake.silver.seen", "--server", quality.url)
    assert f"lake.silver.seen: {ROWS} rows" in done.stdout and "█" in done.stdout


def test_an_empty_table(quality):
    quality.sql("DROP TABLE IF EXISTS lake.silver.empty")
    quality.sql("CREATE TABLE lake.silver.empty (a bigint, t varchar)")
    taken = profile(quality, "lake.silver.empty")
    assert taken["rows"] == 0 and columns(taken)["a"]["nulls"] == 0
