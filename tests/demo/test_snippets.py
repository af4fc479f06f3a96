"""The demo's notebook snippets, run as people run them."""
import csv
import os
import subprocess
import sys

import boto3
import pandas
import pytest

from support.meesh import ROOT
from support.trino_server import versions


@pytest.fixture(scope="module")
def s3_url(server):
    """Where the server's S3 endpoint is; its banner says so."""
    if not hasattr(server, "log_text"):
        pytest.skip("about meesh itself, not about what every Trino server does")
    return server.s3_address()


@pytest.fixture
def run(ours, s3_url):
    def run(name, *arguments):
        done = subprocess.run(
            [sys.executable, str(ROOT / "demo" / "snippets" / name), *map(str, arguments)],
            text=True, capture_output=True, timeout=400,
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


@pytest.mark.full
@pytest.mark.timeout(600)
def test_spark_makes_silver_and_gold_and_a_date_again(run, ours, query, monkeypatch):
    pytest.importorskip("pyspark", reason="setup/setup.sh --for full brings it")
    jars = [ROOT / ".deps" / "maven" / f"{name}-{versions()['ICEBERG_VERSION']}.jar" for name in
            (f"iceberg-spark-runtime-{versions()['ICEBERG_SPARK']}", "iceberg-aws-bundle")]
    monkeypatch.setenv("SPARK_JARS", ",".join(map(str, jars)))
    taken = ours.run("ingest", "run", "northwind", "--run-date", "2025-07-01", "--server", ours.url)
    assert taken.returncode == 0, taken.stderr
    for _ in range(2):
        assert "lake.spark.revenue: " in run("spark_medallion.py", "2025-07-01")
    expected = query("""
        SELECT coalesce(trim(category_name), 'Uncategorised'), sum(CAST(round(
                   CAST(d.unit_price AS decimal(12, 2)) * d.quantity *
                   (1 - CAST(d.discount AS decimal(5, 4))), 2) AS decimal(18, 2))),
               count(DISTINCT order_id)
        FROM northwind.public.order_details d JOIN northwind.public.orders o USING (order_id)
        LEFT JOIN northwind.public.products p USING (product_id)
        LEFT JOIN northwind.public.categories c USING (category_id) GROUP BY 1 ORDER BY 1""")
    assert len(expected) > 8
    assert query("SELECT category, revenue, orders FROM lake.spark.revenue ORDER BY 1") == expected


def test_pandas_over_a_domains_database(run, ours, folder):
    run("pandas_leads.py", folder / "leads.csv")
    made = {row.source: (row.leads, row.people)
            for row in pandas.read_csv(folder / "leads.csv").itertuples()}
    assert made == {source: (leads, people) for source, leads, people in
                    ours.databases["marketing"].query(
                        "SELECT source, count(*), count(DISTINCT email) FROM leads GROUP BY 1")}
