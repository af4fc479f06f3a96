"""The demo's dbt project from a terminal: what its models say, against the databases themselves."""
import json
import shutil
from decimal import Decimal

import pytest

from support.meesh import ROOT

pytestmark = pytest.mark.timeout(900)  # a dbt takes seconds of CPU to start
PROJECT = ROOT / "demo" / "dbt" / "datamesh"


@pytest.fixture
def demo(dbt):
    return dbt(PROJECT)


def orders_by_customer(ours):
    return dict(ours.databases["sales"].query(
        "SELECT customer_id, sum(total_amount) FROM orders JOIN customers USING (customer_id) "
        "GROUP BY 1"))


def test_build_makes_every_model_and_every_test_passes(demo, ours, query):
    done = demo.summary(demo("build"))
    assert done["ERROR"] == done["SKIP"] == 0 and done["PASS"] > 50, done
    spent = orders_by_customer(ours)
    rows = query("SELECT customer_id, lifetime_value FROM lake.curated.customer_360")
    assert {customer: value for customer, value in rows if value} == spent
    assert query("SELECT sum(lifetime_value) FROM lake.marts.mart_sales__customer_lifetime_value"
                 ) == [[sum(spent.values())]]
    # An order is credited to one campaign at most, however many leads its customer has.
    credited = query("SELECT sum(revenue) FROM lake.curated.campaign_analytics")[0][0]
    reached = {email for email, in ours.databases["marketing"].query(
        "SELECT DISTINCT lower(trim(email)) FROM leads")}
    of_reached = sum((total for email, total in ours.databases["sales"].query(
        "SELECT lower(trim(email)), sum(total_amount) FROM orders JOIN customers "
        "USING (customer_id) GROUP BY 1") if email in reached), Decimal(0))
    assert 0 < credited <= of_reached
    # The curated tables lie where the lake's other readers look for them.
    files = query('SELECT file_path FROM lake.curated."customer_360$files"')
    assert files and all(path.startswith("s3://datalake/curated/customer_360/") for path, in files)


def test_who_was_a_customer_before_the_first_contact_was_not_converted(demo, query):
    demo("build", "--select", "+mart_customer_360", "--exclude", "resource_type:test")
    assert query("SELECT count(*) FROM lake.marts.mart_customer_360 WHERE days_to_convert < 0 OR "
                 "(first_contact > created_at) = (days_to_convert IS NOT NULL)") == [[0]]
    assert query("SELECT count(*) > 0 FROM lake.marts.mart_customer_360 "
                 "WHERE days_to_convert >= 0") == [[True]]


def test_a_second_run_adds_what_is_new_and_remembers_what_changed(demo, ours, query):
    demo("build")
    sales = ours.databases["sales"]
    history = "SELECT count(*) FROM lake.history.customers_history WHERE customer_id = 1"
    before = query(history)[0][0]
    days = query("SELECT count(*), sum(revenue) FROM lake.marts.mart_sales__daily_revenue")[0]
    with sales.connect() as connection, connection.cursor() as cursor:
        cursor.execute("INSERT INTO orders (customer_id, total_amount, created_at) "
                       "VALUES (1, 12.34, '2031-05-06 07:08:09')")
        cursor.execute("UPDATE customers SET phone = phone || '9' WHERE customer_id = 1")
    try:
        demo("build")
        assert query("SELECT count(*), sum(revenue) FROM lake.marts.mart_sales__daily_revenue"
                     ) == [[days[0] + 1, days[1] + Decimal("12.34")]]
        assert query(history) == [[before + 1]]
        assert query("SELECT count(*) FROM lake.history.customers_history "
                     "WHERE customer_id = 1 AND dbt_valid_to IS NULL") == [[1]]
    finally:
        with sales.connect() as connection, connection.cursor() as cursor:
            cursor.execute("DELETE FROM orders WHERE created_at = '2031-05-06 07:08:09'")
            cursor.execute("UPDATE customers SET phone = left(phone, -1) WHERE customer_id = 1")


def test_docs_name_columns_tables_and_comments(demo, query):
    demo("build", "--exclude", "resource_type:test")
    demo("docs", "generate")
    catalog = json.loads((demo.target / "catalog.json").read_text())
    table = catalog["nodes"]["model.datamesh.customer_360"]
    assert table["metadata"]["type"] == "BASE TABLE"
    assert table["metadata"]["comment"].startswith("Business-ready")
    assert table["columns"]["customer_id"]["comment"] == "Key of the customer."
    assert "source.datamesh.sales.orders" in catalog["sources"]
    page = (demo.target / "index.html").read_text(errors="replace")
    assert 'src="http' not in page and 'rel="stylesheet" href="http' not in page
    assert query("SHOW CREATE VIEW lake.staging.stg_sales__orders")[0][0].count("COMMENT") >= 1


def test_a_failing_model_is_named_with_the_reason_and_the_others_go_on(demo, folder):
    project = folder / "copy"
    shutil.copytree(PROJECT, project)
    broken = project / "models" / "marts" / "marketing" / "mart_marketing__campaign_leads.sql"
    broken.write_text(broken.read_text().replace("k.budget,", "k.budgit,", 1))
    demo.project = demo.profiles = project
    output = demo("run", "--select", "+mart_marketing__campaign_leads+",
                  "mart_sales__customer_lifetime_value", good=False)
    assert "COLUMN_NOT_FOUND" in output and "budgit" in output
    done = demo.summary(output)
    assert done["ERROR"] == 1 and done["SKIP"] == 1, output  # campaign_analytics
    assert "OK created sql table model marts.mart_sales__customer_lifetime_value" in output
