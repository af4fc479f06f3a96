-- What was sold in all, as known on the run's date.
SELECT
    CAST(sum(line_total) AS decimal(18, 2)) AS revenue,
    count(DISTINCT order_id) AS orders,
    count(*) AS order_lines,
    count(DISTINCT customer_id) AS customers,
    CAST(sum(line_total) / count(DISTINCT order_id) AS decimal(18, 2)) AS revenue_per_order,
    min(order_date) AS first_order_date,
    max(order_date) AS last_order_date
FROM lake.silver.sales_master
WHERE _run_date = DATE '{{ run_date }}'
