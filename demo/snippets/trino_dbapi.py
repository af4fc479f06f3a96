"""Ask a question across domains with trino.dbapi (pip install trino).

`meesh` speaks Trino's protocol: catalogs are the domains, schemas and tables those of their
databases, and one statement may join them all.
"""
import os

from trino.dbapi import connect

connection = connect(
    host=os.environ.get("MEESH_HOST", "127.0.0.1"),
    port=int(os.environ.get("MEESH_PORT", "8080")),
    user=os.environ.get("USER", "analyst"),
    catalog="sales",
    schema="public",
)
cursor = connection.cursor()
cursor.execute(
    """
    SELECT c.customer_name, COUNT(o.order_id) AS orders, SUM(o.total_amount) AS revenue
    FROM sales.public.customers c
    JOIN sales.public.orders o ON c.customer_id = o.customer_id
    WHERE c.email IN (SELECT email FROM marketing.public.leads)
    GROUP BY c.customer_name
    ORDER BY revenue DESC
    LIMIT 10
    """
)
print([column[0] for column in cursor.description])
for row in cursor.fetchall():
    print(row)
