"""pandas over a domain's database: how many leads each source brought, and when the last one came.

    pip install pandas psycopg2-binary
    python pandas_leads.py leads_by_source.csv
"""
import os
import sys

import pandas as pd
import psycopg2

connection = psycopg2.connect(
    host=os.environ.get("MARKETING_HOST", "127.0.0.1"),
    port=int(os.environ.get("MARKETING_PORT", "15433")),
    dbname="marketing_db",
    user="admin",
    password="admin123",
)
with connection, connection.cursor() as cursor:
    cursor.execute("SELECT lead_id, email, source, created_at FROM leads")
    leads = pd.DataFrame(cursor.fetchall(), columns=[c.name for c in cursor.description])
connection.close()

by_source = (leads.groupby("source", dropna=False)
             .agg(leads=("lead_id", "count"), people=("email", "nunique"),
                  last=("created_at", "max"))
             .sort_values("leads", ascending=False))
by_source.to_csv(sys.argv[1])
print(by_source.to_string())
