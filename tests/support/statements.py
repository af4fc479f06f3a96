"""Statements that several tests run."""

# Does not end in any time a test would wait.
ENDLESS = ("SELECT count(*) FROM tpch.tiny.lineitem a CROSS JOIN tpch.tiny.lineitem b "
           "CROSS JOIN tpch.tiny.lineitem c WHERE a.comment < b.comment AND b.comment < c.comment")

# Gives rows faster than anyone reads them, without end.
FLOOD = ("SELECT a.orderkey, b.comment FROM tpch.tiny.lineitem a CROSS JOIN tpch.tiny.lineitem b "
         "CROSS JOIN tpch.tiny.lineitem c")

# Query A of the sources (features SQL-13 and SQL-14 of the demo), as written there.
QUERY_A = """
SELECT c.customer_name, COUNT(o.order_id) AS total_orders, SUM(o.total_amount) AS revenue,
       camp.campaign_name
FROM sales.public.customers c
JOIN sales.public.orders o ON c.customer_id = o.customer_id
LEFT JOIN marketing.public.leads l ON c.email = l.email
LEFT JOIN marketing.public.campaigns camp ON l.campaign_id = camp.campaign_id
GROUP BY c.customer_name, camp.campaign_name
ORDER BY revenue DESC
"""

# Query B: revenue by the source of the lead.
QUERY_B = """
SELECT c.customer_name, COUNT(o.order_id) AS orders, SUM(o.total_amount) AS revenue,
       l.source AS lead_source
FROM sales.public.customers c
JOIN sales.public.orders o ON c.customer_id = o.customer_id
LEFT JOIN marketing.public.leads l ON c.email = l.email
GROUP BY c.customer_name, l.source
ORDER BY revenue DESC
LIMIT 10
"""

# Query A without its defect: one e-mail with several leads multiplies the orders before the sum.
# Only the earliest lead of an e-mail counts here.
QUERY_A_ONE_LEAD = """
WITH first_leads AS (
  SELECT email, campaign_id FROM (
    SELECT email, campaign_id,
           row_number() OVER (PARTITION BY email ORDER BY created_at, lead_id) AS position
    FROM marketing.public.leads) ranked
  WHERE position = 1)
SELECT c.customer_name, COUNT(o.order_id) AS total_orders, SUM(o.total_amount) AS revenue,
       camp.campaign_name
FROM sales.public.customers c
JOIN sales.public.orders o ON c.customer_id = o.customer_id
LEFT JOIN first_leads l ON c.email = l.email
LEFT JOIN marketing.public.campaigns camp ON l.campaign_id = camp.campaign_id
GROUP BY c.customer_name, camp.campaign_name
ORDER BY revenue DESC
"""
