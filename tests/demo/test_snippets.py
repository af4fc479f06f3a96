"""The demo's notebook snippets, run as people run them."""
import csv
import os
import subprocess
import sys

import boto3
import pandas
import pytest

from support.meesh import ROOT


@pytest.fixture(scope="module")
def s3_url(server):
    """Where the server's S3 endpoint is; its banner says so."""
    if not hasattr(server, "log_text"):
        pytest.skip("about meesh itself, not about what every Trino server does")
    line = next(line for line in server.log_text().splitlines() if line.startswith("  S3 "))
    return line.split()[-1]


@pytest.fixture
def run(ours, s3_url):
    def run(name, *arguments):
        done = subprocess.run(
            [sys.executable, str(ROOT / "demo" / "snippets" / name), *map(str, arguments)],
            text=True, capture_output=True, timeout=120,
            env={**os.environ, "MEESH_PORT": str(ours.port), "S3_ENDPOINT_URL": s3_url,
                 "S3_ENDPOINT": s3_url.removeprefix("http://"),
                 "SALES_PORT": str(ours.databases["sales"].port),
                 "MARKETING_PORT": str(ours.databases["marketing"].port)})
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run


@pytest.fixture
def events(folder):
    rows = [(n, f"type {n % 3}", n / 4) for n in range(500)]
    with open(folder / "events.csv", "w", newline="") as file:
        csv.writer(file).writerows([("event_id", "event_type", "amount"), *rows])
    return folder / "events.csv", rows


def test_a_csv_file_becomes_parquet_in_the_lake_and_a_table(run, query, events):
    path, rows = events
    said = run("minio_upload.py", path, "raw/snippet_events/events.parquet")
    assert "is in the bucket datalake, as raw/snippet_events/events.parquet" in said
    said = run("register_table.py", "s3://datalake/raw/snippet_events/", "default.snippet_events")
    assert "hive.default.snippet_events has 3 columns and 500 rows" in said
    try:
        answer = query("SELECT event_type, count(*), sum(amount) FROM hive.default.snippet_events "
                       "GROUP BY 1 ORDER BY 1")
        expected = pandas.DataFrame(rows, columns=["id", "kind", "amount"]).groupby("kind").agg(
            n=("id", "count"), amount=("amount", "sum"))
        assert [(kind, n, amount) for kind, n, amount in answer] == [
            (kind, row.n, row.amount) for kind, row in expected.iterrows()]
        # A second time it is the same table.
        assert "500 rows" in run("register_table.py", "s3://datalake/raw/snippet_events/",
                                 "default.snippet_events")
    finally:
        query("DROP TABLE IF EXISTS hive.default.snippet_events")


def test_a_folder_without_files_is_no_table(run):
    with pytest.raises(AssertionError, match="no Parquet file"):
        run("register_table.py", "s3://datalake/raw/nothing_here/", "default.nothing")


def test_a_file_goes_into_a_bucket_and_comes_out_of_it(run, s3_url, events, folder):
    path, _ = events
    said = run("boto3_upload.py", path, "datasets/events.csv")
    assert "is s3://datamesh-datalake-demo/datasets/events.csv" in said
    run("boto3_download.py", "datasets/events.csv", folder / "back.csv")
    assert (folder / "back.csv").read_bytes() == path.read_bytes()
    s3 = boto3.client("s3", endpoint_url=s3_url, aws_access_key_id="minioadmin",
                      aws_secret_access_key="minioadmin", region_name="us-east-1")
    s3.delete_object(Bucket="datamesh-datalake-demo", Key="datasets/events.csv")


def test_rows_go_into_a_domains_database_once(run, ours, query, folder):
    with open(folder / "customers.csv", "w", newline="") as file:
        csv.writer(file).writerows([("customer_name", "email", "phone"),
                                    ("Zoë Ünal", "zoe@snippet.example", "555-2001"),
                                    ("Alice Johnson", "alice@example.com", "555-1001")])
    try:
        assert run("postgresql_insert.py", folder / "customers.csv") == (
            "1 of 2 customers are new\n")
        assert run("postgresql_insert.py", folder / "customers.csv") == (
            "0 of 2 customers are new\n")
        assert query("SELECT customer_name, phone FROM sales.public.customers "
                     "WHERE email = 'zoe@snippet.example'") == [["Zoë Ünal", "555-2001"]]
    finally:
        ours.databases["sales"].query(
            "DELETE FROM customers WHERE email = 'zoe@snippet.example'")


def test_pandas_over_a_domains_database(run, ours, folder):
    run("pandas_leads.py", folder / "leads.csv")
    made = {row.source: (row.leads, row.people)
            for row in pandas.read_csv(folder / "leads.csv").itertuples()}
    assert made == {source: (leads, people) for source, leads, people in
                    ours.databases["marketing"].query(
                        "SELECT source, count(*), count(DISTINCT email) FROM leads GROUP BY 1")}
