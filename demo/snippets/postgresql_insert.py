"""Customers of a CSV file go into the sales domain's own database, with psycopg2.

    pip install psycopg2-binary
    python postgresql_insert.py customers.csv      # customer_name, email, phone

All in one transaction; whoever has an account under the e-mail address already is left alone, so
that the same file may be loaded again.
"""
import csv
import os
import sys

import psycopg2

with open(sys.argv[1], newline="", encoding="utf-8") as file:
    customers = list(csv.DictReader(file))

connection = psycopg2.connect(
    host=os.environ.get("SALES_HOST", "127.0.0.1"),
    port=int(os.environ.get("SALES_PORT", "15432")),
    dbname="sales_db",
    user="admin",
    password="admin123",
)
inserted = 0
with connection, connection.cursor() as cursor:
    for customer in customers:
        cursor.execute(
            """
            INSERT INTO customers (customer_name, email, phone)
            SELECT %(customer_name)s, %(email)s, %(phone)s
            WHERE NOT EXISTS (SELECT FROM customers WHERE email = %(email)s)
            """,
            customer,
        )
        inserted += cursor.rowcount
connection.close()
print(f"{inserted} of {len(customers)} customers are new")
