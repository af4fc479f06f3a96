-- What was sold in all.
SELECT revenue, orders, order_lines, customers, revenue_per_order, first_order_date, last_order_date
FROM lake.gold.total_revenue
WHERE _run_date = DATE '{{ run_date }}'
