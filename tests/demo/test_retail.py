"""The retail pipeline, from two domains to curated tables and files, against PostgreSQL's own rows."""
import collections
import csv
import io
from decimal import Decimal

import pandas
import pytest
import requests

SOURCES = {"sales": ("customers", "orders"), "marketing": ("leads", "campaigns")}


@pytest.fixture(scope="module")
def rows(demo):
    """Every table after a load, read without meesh in between; and the pipeline has run."""
    loaded = demo.meesh.run("demo", "load", "--scale", "0.002", "--mesh", demo.meesh.mesh, "--data",
                            demo.meesh.data)
    assert loaded.returncode == 0, loaded.stderr
    found = {}
    for domain, tables in SOURCES.items():
        connection = demo.databases[domain].connect()
        with connection, connection.cursor() as cursor:
            for table in tables:
                cursor.execute(f"SELECT * FROM {table}")
                names = [column.name for column in cursor.description]
                found[table] = [dict(zip(names, row)) for row in cursor.fetchall()]
        connection.close()
    found["shown"] = demo.succeed("retail")
    return found


def latest_leads(rows):
    """{address: its latest lead}"""
    latest = {}
    for lead in rows["leads"]:
        email = (lead["email"] or "").strip().lower()
        before = latest.get(email)
        if email and (not before or (lead["created_at"], lead["lead_id"]) > (
                before["created_at"], before["lead_id"])):
            latest[email] = lead
    return latest


def customer_360(rows):
    """{customer: (orders, revenue, leads)}"""
    orders, leads = collections.defaultdict(list), collections.Counter()
    for order in rows["orders"]:
        orders[order["customer_id"]].append(order["total_amount"])
    for lead in rows["leads"]:
        leads[lead["email"].strip().lower()] += 1
    return {c["customer_id"]: (len(orders[c["customer_id"]]), sum(orders[c["customer_id"]],
                                                                  Decimal(0)),
                               leads[c["email"].strip().lower()]) for c in rows["customers"]}


def test_raw_keeps_what_the_domains_have(demo, rows):
    for domain, tables in SOURCES.items():
        for table in tables:
            columns = list(rows[table][0])
            landed = demo.query(
                f"SELECT {', '.join(f'CAST({c} AS varchar)' for c in columns)} "
                f"FROM lake.raw.{domain}_{table}")
            assert len(landed) == len(rows[table])
            key = [str(row[columns[0]]) for row in rows[table]]
            assert sorted(row[0] for row in landed) == sorted(key)
            assert demo.query(f"SELECT DISTINCT _source FROM lake.raw.{domain}_{table}") == [
                [f"{domain}.public.{table}"]]
            assert any(k.endswith(".parquet") for k in demo.keys("datalake",
                                                                 f"raw/{domain}_{table}/"))


def test_processed_has_one_row_an_address(demo, rows):
    assert {email: lead for email, lead in demo.query(
        "SELECT email, lead_id FROM lake.processed.marketing_leads")} == {
            email: lead["lead_id"] for email, lead in latest_leads(rows).items()}
    assert demo.query("SELECT count(*) FROM lake.processed.sales_customers") == [
        [len(rows["customers"])]]


def test_customer_360_counts_every_order_once(demo, rows):
    assert {customer: (orders, Decimal(revenue), leads) for customer, orders, revenue, leads in
            demo.query("SELECT customer_id, order_count, lifetime_value, lead_count "
                       "FROM lake.curated.customer_360")} == customer_360(rows)
    assert any(k.endswith(".parquet") for k in demo.keys("datalake", "curated/customer_360/"))


def test_campaigns_earn_no_more_than_was_sold(demo, rows):
    orders = collections.defaultdict(Decimal)
    for order in rows["orders"]:
        orders[order["customer_id"]] += order["total_amount"]
    latest, earned = latest_leads(rows), collections.defaultdict(Decimal)
    for customer in rows["customers"]:
        lead = latest.get(customer["email"].strip().lower())
        if lead and lead["campaign_id"] is not None:
            earned[lead["campaign_id"]] += orders[customer["customer_id"]]
    assert {campaign: Decimal(revenue) for campaign, revenue in demo.query(
        "SELECT campaign_id, revenue FROM lake.curated.campaign_analytics")} == {
            campaign["campaign_id"]: earned[campaign["campaign_id"]]
            for campaign in rows["campaigns"]}
    assert any(k.endswith(".parquet") for k in demo.keys("datalake",
                                                         "curated/campaign_analytics/"))


def test_the_curated_tables_are_exported(demo, rows):
    with open(demo.meesh.mesh / "data" / "exports" / "customer_360.csv", newline="") as file:
        exported = {int(row["customer_id"]): (int(row["order_count"]),
                                              Decimal(row["lifetime_value"]),
                                              int(row["lead_count"]))
                    for row in csv.DictReader(file)}
    assert exported == customer_360(rows)
    body = demo.s3.get_object(Bucket="datalake",
                              Key="exports/campaign_analytics.parquet")["Body"].read()
    campaigns = pandas.read_parquet(io.BytesIO(body))
    assert sorted(campaigns["campaign_id"]) == sorted(c["campaign_id"] for c in rows["campaigns"])


def test_lineage_goes_from_the_export_to_the_domains(demo, rows):
    shown = demo.meesh.run("lineage", "lake.curated.customer_360", "--server",
                           demo.meesh.url).stdout
    for way in ("sales.public.orders  (datamesh.stg_sales__orders)", "(datamesh.customer_360)",
                "customer_360.csv  (retail.customer_360_file)"):
        assert way in shown, shown
    assert "__dbt_" not in shown and "hive." not in shown, shown


def test_the_documentation_of_the_models_is_served(demo, rows):
    page = requests.get(f"{demo.meesh.url}/dbt/datamesh/", timeout=30)
    assert page.status_code == 200 and "<html" in page.text
    catalog = requests.get(f"{demo.meesh.url}/dbt/datamesh/catalog.json", timeout=30).json()
    assert "email" in catalog["nodes"]["model.datamesh.customer_360"]["columns"]
    assert "catalog.json" in "".join(demo.keys("dbt-artifacts", "datamesh/latest/"))


def test_the_marts_are_shown(rows):
    assert "customer_360" in rows["shown"] and "campaign_analytics" in rows["shown"]
