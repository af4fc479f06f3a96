-- Sales by category, with each one's share of all sales in percent.
SELECT
    category_name,
    CAST(sum(line_total) AS decimal(18, 2)) AS revenue,
    CAST(100 * sum(line_total) / sum(sum(line_total)) OVER () AS decimal(5, 2)) AS share,
    count(DISTINCT order_id) AS orders,
    sum(quantity) AS quantity
FROM lake.silver.sales_master
WHERE _run_date = DATE '{{ run_date }}'
GROUP BY category_name
