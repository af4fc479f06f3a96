"""The statements of the source documents, as written there, against the two domains' servers; each
answer is held against one computed here from PostgreSQL's own rows."""
import collections
import os
import subprocess
import sys
from decimal import Decimal

import pytest

from support.meesh import ROOT
from support.statements import demo_query


@pytest.fixture(scope="module")
def rows(server):
    """Every table, read without meesh in between: {table: [row as dict]}."""
    found = {}
    for domain, table in (("sales", "customers"), ("sales", "orders"), ("marketing", "leads"),
                          ("marketing", "campaigns")):
        connection = server.databases[domain].connect()
        with connection, connection.cursor() as cursor:
            cursor.execute(f"SELECT * FROM {table}")
            names = [column.name for column in cursor.description]
            found[table] = [dict(zip(names, row)) for row in cursor.fetchall()]
        connection.close()
    assert all(found.values())
    return found


def joined(rows, leads):
    """customers ⋈ orders ⟕ leads, as (customer, order, lead or None)."""
    orders, by_email = collections.defaultdict(list), collections.defaultdict(list)
    for order in rows["orders"]:
        orders[order["customer_id"]].append(order)
    for lead in leads:
        by_email[lead["email"]].append(lead)
    for customer in rows["customers"]:
        for order in orders[customer["customer_id"]]:
            for lead in by_email[customer["email"]] or [None]:
                yield customer, order, lead


def totals(triples, last_column):
    """{(customer name, last column): (orders, revenue)}"""
    sums = collections.defaultdict(lambda: [0, Decimal(0)])
    for customer, order, lead in triples:
        group = sums[customer["customer_name"], last_column(lead)]
        group[0] += 1
        group[1] += order["total_amount"]
    return {key: tuple(value) for key, value in sums.items()}


def by_group(answer):
    return {(name, last): (count, revenue) for name, count, revenue, last in answer}


def campaign_of(rows):
    names = {c["campaign_id"]: c["campaign_name"] for c in rows["campaigns"]}
    return lambda lead: names.get(lead["campaign_id"]) if lead else None


def test_show_catalogs(query):
    catalogs = [row[0] for row in query("SHOW CATALOGS")]
    assert catalogs == sorted(catalogs) and {"sales", "marketing", "system"} <= set(catalogs)


def test_show_schemas(query):
    assert ["public"] in query("SHOW SCHEMAS FROM sales")
    assert ["information_schema"] in query("SHOW SCHEMAS FROM sales")


def test_show_tables_and_columns(query):
    assert query("SHOW TABLES FROM sales.public") == [["customers"], ["orders"]]
    assert query("SHOW TABLES FROM marketing.public") == [["campaigns"], ["leads"]]
    assert query("DESCRIBE sales.public.orders")[:3] == [
        ["order_id", "integer", "", ""], ["customer_id", "integer", "", ""],
        ["total_amount", "decimal(10,2)", "", ""]]


def test_first_customers(query, rows):
    answer = query("SELECT * FROM sales.public.customers LIMIT 5")
    every = [list(row.values()) for row in rows["customers"]]
    assert len(answer) == min(5, len(every)) and all(row in every for row in answer)


def test_three_part_names_and_session_names_are_the_same_table(query, rows):
    count = [[len(rows["customers"])]]
    assert query("SELECT COUNT(*) FROM sales.public.customers") == count
    assert query("SELECT COUNT(*) FROM public.customers", catalog="sales") == count
    assert query("SELECT COUNT(*) FROM customers", catalog="sales", schema="public") == count
    assert query('SELECT COUNT(*) FROM "SALES"."Public".CUSTOMERS') == count


@pytest.mark.parametrize("table", ["sales.public.customers", "sales.public.orders",
                                   "marketing.public.leads", "marketing.public.campaigns"])
def test_each_table_arrives_whole(query, rows, table):
    every = sorted(list(row.values()) for row in rows[table.split(".")[2]])
    assert sorted(query(f"SELECT * FROM {table}")) == every


def test_query_a(query, rows):
    answer = query(demo_query("query_a"))
    assert by_group(answer) == totals(joined(rows, rows["leads"]), campaign_of(rows))
    revenues = [row[2] for row in answer]
    assert revenues == sorted(revenues, reverse=True)


def test_query_a_limited(query, rows):
    answer = query(demo_query("query_a") + "\nLIMIT 10")
    expected = totals(joined(rows, rows["leads"]), campaign_of(rows))
    best = sorted((revenue for _, revenue in expected.values()), reverse=True)[:10]
    assert [row[2] for row in answer] == best
    assert all(expected[key] == value for key, value in by_group(answer).items())


def test_query_b(query, rows):
    answer = query(demo_query("query_b"))
    expected = totals(joined(rows, rows["leads"]), lambda lead: lead["source"] if lead else None)
    best = sorted((revenue for _, revenue in expected.values()), reverse=True)[:10]
    assert [row[2] for row in answer] == best
    assert all(expected[key] == value for key, value in by_group(answer).items())


def test_query_a_with_one_lead_an_address_counts_revenue_once(query, rows):
    answer = query(demo_query("query_a_deduplicated"))
    latest = {}
    for lead in rows["leads"]:
        before = latest.get(lead["email"])
        if not before or (lead["created_at"], lead["lead_id"]) > (before["created_at"],
                                                                  before["lead_id"]):
            latest[lead["email"]] = lead
    assert by_group(answer) == totals(joined(rows, latest.values()), campaign_of(rows))
    sold = sum(order["total_amount"] for order in rows["orders"])
    assert sum(row[2] for row in answer) == sold
    # The defect that it mends is there to be seen in query A.
    assert sum(row[2] for row in query(demo_query("query_a"))) > sold


def test_query_a_has_the_types_of_its_columns(connect):
    cursor = connect().cursor()
    cursor.execute(demo_query("query_a") + "\nLIMIT 1")
    cursor.fetchall()
    assert [(d[0], d[1]) for d in cursor.description] == [
        ("customer_name", "varchar(100)"), ("total_orders", "bigint"),
        ("revenue", "decimal(38, 2)"), ("campaign_name", "varchar(100)")]


def test_the_sources_own_rows_are_there(ours, query):
    assert query("SELECT customer_name, email, phone FROM sales.public.customers "
                 "ORDER BY customer_id LIMIT 3") == [
        ["Alice Johnson", "alice@example.com", "555-1001"],
        ["Bob Smith", "bob@example.com", "555-1002"],
        ["Carol White", "carol@example.com", "555-1003"]]
    assert query("SELECT campaign_name, budget, CAST(start_date AS varchar), "
                 "CAST(end_date AS varchar) FROM marketing.public.campaigns "
                 "ORDER BY campaign_id LIMIT 2") == [
        ["Spring Sale 2024", Decimal("50000.00"), "2024-03-01", "2024-03-31"],
        ["Black Friday", Decimal("100000.00"), "2024-11-25", "2024-11-30"]]
    assert query("SELECT created_at IS NOT NULL FROM sales.public.customers WHERE customer_id = 1"
                 ) == [[True]]


def test_a_write_reaches_postgresql_and_back(ours, query):
    sales = ours.databases["sales"]
    try:
        query("INSERT INTO sales.public.customers (customer_name, email) VALUES ('Zoë', 'z@x')")
        assert sales.query("SELECT customer_name FROM customers WHERE email = 'z@x'") == [("Zoë",)]
        query("UPDATE sales.public.customers SET phone = '1' WHERE email = 'z@x'")
        assert sales.query("SELECT phone FROM customers WHERE email = 'z@x'") == [("1",)]
        sales.query("UPDATE customers SET phone = '2' WHERE email = 'z@x'")
        assert query("SELECT phone FROM sales.public.customers WHERE email = 'z@x'") == [["2"]]
        query("DELETE FROM sales.public.customers WHERE email = 'z@x'")
        assert sales.query("SELECT count(*) FROM customers WHERE email = 'z@x'") == [(0,)]
    finally:
        sales.query("DELETE FROM customers WHERE email = 'z@x'")


@pytest.mark.parametrize("name, shown", [("trino_dbapi.py", "['customer_name', 'orders', 'revenue']"),
                                         ("postgresql_psycopg2.py", "Alice Johnson")])
def test_the_notebook_snippets_run(ours, name, shown):
    done = subprocess.run([sys.executable, str(ROOT / "demo" / "snippets" / name)], text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=60,
                          env={**os.environ, "MEESH_PORT": str(ours.port),
                               "SALES_PORT": str(ours.databases["sales"].port)})
    assert done.returncode == 0, done.stderr
    assert shown in done.stdout and len(done.stdout.splitlines()) >= 4
