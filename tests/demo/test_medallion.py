"""The Northwind pipeline, from PostgreSQL to gold, against answers computed apart from it."""
import datetime
import os
from decimal import Decimal
from pathlib import Path

import pytest
from support import northwind
from support.northwind import Gold

ENTITIES = ("customers", "categories", "products", "employees", "orders", "order_details",
            "sales_master")
METRICS = ("total_revenue", "top_countries", "sales_by_category", "employee_sales", "rfm",
           "rfm_segments")
FIRST, SECOND = "2025-07-01", "2025-07-02"


@pytest.fixture(scope="module")
def source(demo):
    return demo.databases["northwind"]


def load(demo, *options):
    loaded = demo.meesh.run("demo", "load", "--northwind", "--replace", "--mesh", demo.meesh.mesh,
                            "--data", demo.meesh.data, *options)
    assert loaded.returncode == 0, loaded.stderr


def day(text):
    return datetime.date.fromisoformat(text) if text else None


def rows(demo, columns, table, run_date):
    return [tuple(row) for row in demo.query(
        f"SELECT {columns} FROM lake.gold.{table} WHERE _run_date = DATE '{run_date}'")]


def check_gold(demo, expected, run_date):
    """Every row of gold is what plain Python makes of PostgreSQL's rows."""
    (revenue, orders, lines, customers, first, last), = rows(
        demo, "revenue, orders, order_lines, customers, first_order_date, last_order_date",
        "total_revenue", run_date)
    assert (Decimal(revenue), orders, lines, customers, day(first), day(last)
            ) == expected.total_revenue()
    assert sorted((position, country, Decimal(revenue)) for position, country, revenue in rows(
        demo, "position, country, revenue", "top_countries", run_date)) == expected.top_countries()
    assert {category: (Decimal(revenue), Decimal(share), orders, quantity)
            for category, revenue, share, orders, quantity in rows(
                demo, "category_name, revenue, share, orders, quantity", "sales_by_category",
                run_date)} == expected.sales_by_category()
    assert {employee: (Decimal(revenue), orders) for employee, revenue, orders in rows(
        demo, "employee_id, revenue, orders", "employee_sales", run_date)
            } == expected.employee_sales()
    rfm = {customer: (recency, frequency, Decimal(monetary), r, f, m, segment)
           for customer, recency, frequency, monetary, r, f, m, segment in rows(
               demo, "customer_id, recency_days, frequency, monetary, recency_score, "
               "frequency_score, monetary_score, segment", "rfm", run_date)}
    assert rfm == expected.rfm()
    segments = [row[-1] for row in rfm.values()]
    assert {segment: customers for segment, customers in rows(
        demo, "segment, customers", "rfm_segments", run_date)
            } == {segment: segments.count(segment) for segment in set(segments)}


@pytest.fixture(scope="module")
def sample(demo, source):
    """The pipeline has run over the sample: what gold must hold, and what was shown."""
    return Gold(northwind.read(source)), demo.succeed("northwind", FIRST)


def test_the_sample_goes_from_postgresql_to_gold(demo, sample):
    expected, shown = sample
    check_gold(demo, expected, FIRST)
    assert str(expected.total_revenue()[0]) in shown, "the marts are printed"
    assert all(country in shown for _, country, _ in expected.top_countries())
    assert "Champions" in shown and "Never ordered" in shown


def test_bronze_is_what_the_source_has(demo, source, sample):
    for table in northwind.TABLES:
        count, newest, origins = demo.query(
            f"SELECT count(*), max(_ingestion_timestamp) > current_timestamp - INTERVAL '1' HOUR, "
            f"array_join(array_agg(DISTINCT _source), ',') FROM lake.bronze.{table}")[0]
        assert (count, newest, origins) == (
            source.query(f"SELECT count(*) FROM {table}")[0][0], True,
            f"northwind.public.{table}")
    columns = ("customer_id, company_name, contact_name, contact_title, address, city, region, "
               "postal_code, country, phone, fax")
    assert sorted(map(tuple, demo.query(f"SELECT {columns} FROM lake.bronze.customers")), key=str
                  ) == sorted(source.query(f"SELECT {columns} FROM customers"), key=str)


def test_files_lie_by_table_and_run_date(demo, sample):
    for bucket, tables in (("bronze", northwind.TABLES), ("silver", ENTITIES), ("gold", METRICS)):
        for table in tables:
            keys = [key for key in demo.keys(bucket, f"{table}/") if key.endswith(".parquet")]
            assert keys and all(key.startswith(f"{table}/{FIRST}/") for key in keys), (table, keys)


def test_silver_has_no_blanks_nulls_or_spellings_left(demo, sample):
    assert demo.query(
        "SELECT count(*) FROM lake.silver.customers WHERE country IS NULL OR region IS NULL OR "
        "company_name <> trim(company_name) OR country IN ('USA', 'UK', 'Deutschland', 'usa')"
    ) == [[0]]
    assert demo.query("SELECT count(DISTINCT country) FROM lake.silver.customers "
                      "WHERE country = 'United States'") == [[1]]
    assert demo.query("SELECT count(*) FROM lake.silver.customers WHERE country = 'Unknown'"
                      ) == [[2]]
    assert demo.query("SELECT count(*) > 0 FROM lake.silver.orders "
                      "WHERE shipped_date IS NULL AND NOT is_shipped") == [[True]]
    types = {row[0]: row[1] for row in demo.query("DESCRIBE lake.silver.sales_master")}
    assert (types["unit_price"], types["discount"], types["line_total"], types["_run_date"]) == (
        "decimal(12,2)", "decimal(5,4)", "decimal(18,2)", "date")


def test_lineage_goes_from_rfm_to_the_source(demo, sample):
    shown = demo.meesh.run("lineage", "lake.gold.rfm", "--up", "--server", demo.meesh.url).stdout
    for way in ("lake.silver.sales_master  (lake.gold.rfm)",
                "lake.silver.orders  (lake.silver.sales_master)",
                "lake.bronze.orders  (lake.silver.orders)",
                "northwind.public.orders  (northwind.orders)"):
        assert way in shown, shown
    column = demo.meesh.run("lineage", "lake.gold.rfm", "--column", "monetary", "--up", "--server",
                            demo.meesh.url).stdout
    assert "northwind.public.order_details.unit_price" in column, column


def test_a_date_is_replaced_and_the_others_stay(demo, source, sample):
    before, _ = sample
    snapshot, = demo.query("SELECT snapshot_id FROM lake.bronze.\"orders$snapshots\" "
                           "ORDER BY committed_at DESC LIMIT 1")[0]
    load(demo, "--scale", "2", "--seed", "7")
    after = Gold(northwind.read(source))
    assert after.total_revenue() != before.total_revenue()
    demo.succeed("northwind", SECOND)
    check_gold(demo, before, FIRST)
    check_gold(demo, after, SECOND)
    for _ in range(2):  # any number of times
        demo.succeed("northwind", FIRST)
        check_gold(demo, after, FIRST)
        check_gold(demo, after, SECOND)
    orders = len({line["order"] for line in before.lines})
    assert demo.query("SELECT count(DISTINCT order_id) FROM lake.bronze.orders "
                      f"FOR VERSION AS OF {snapshot}") == [[orders]], "what was replaced"


def test_rows_that_fail_a_check_are_not_published(demo, source):
    load(demo)
    demo.succeed("northwind", FIRST)
    good = Gold(northwind.read(source))
    source.query("UPDATE order_details SET quantity = -quantity WHERE order_id = 10248")
    failed = demo.run("northwind", FIRST)
    assert failed.returncode == 1
    assert "quantity" in failed.stdout + failed.stderr
    check_gold(demo, good, FIRST)
    assert demo.query("SELECT count(*) FROM lake.silver.order_details WHERE quantity < 0 AND "
                      f"_run_date = DATE '{FIRST}'") == [[0]]
    source.query("UPDATE order_details SET quantity = -quantity WHERE order_id = 10248")
    demo.succeed("northwind", FIRST)
    check_gold(demo, good, FIRST)


def test_a_country_nobody_has_listed_is_a_warning(demo, source):
    source.query("UPDATE customers SET country = 'Atlantis' WHERE customer_id = "
                 "(SELECT min(customer_id) FROM customers)")
    demo.succeed("northwind", FIRST)
    assert demo.query("SELECT count(*) FROM lake.silver.customers WHERE country = 'Atlantis' AND "
                      f"_run_date = DATE '{FIRST}'") == [[1]]
    check_gold(demo, Gold(northwind.read(source)), FIRST)


@pytest.mark.parametrize("scale, seed", [(0.1, 11), (30, 5)])
def test_other_amounts_and_seeds(demo, source, scale, seed):
    load(demo, "--scale", scale, "--seed", seed)
    demo.succeed("northwind", SECOND)
    check_gold(demo, Gold(northwind.read(source)), SECOND)


@pytest.mark.parametrize("dump", ["ours", "real"])
def test_a_northwind_dump_as_it_is(demo, source, dump):
    path = northwind.DUMP
    if dump == "real":
        if not (named := os.environ.get("MEESH_NORTHWIND_DUMP")):
            pytest.skip("MEESH_NORTHWIND_DUMP names no dump of the real Northwind")
        path = Path(named)
    northwind.restore_dump(source, path)
    demo.succeed("northwind", SECOND)
    check_gold(demo, Gold(northwind.read(source)), SECOND)
