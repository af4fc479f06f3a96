"""Read one domain's own database with psycopg2 (pip install psycopg2-binary).

Straight to the PostgreSQL server of the sales domain, past the mesh: for work inside one domain.
`meesh` prints host and port when it starts; sales is 127.0.0.1:15432 unless that port was taken.
"""
import os

import psycopg2

connection = psycopg2.connect(
    host=os.environ.get("SALES_HOST", "127.0.0.1"),
    port=int(os.environ.get("SALES_PORT", "15432")),
    dbname="sales_db",
    user="admin",
    password="admin123",
)
with connection, connection.cursor() as cursor:
    cursor.execute("SELECT customer_id, customer_name, email FROM customers ORDER BY customer_id LIMIT 5")
    for customer_id, name, email in cursor.fetchall():
        print(f"{customer_id:>6}  {name:<24} {email}")
connection.close()
