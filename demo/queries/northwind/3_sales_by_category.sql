-- Sales by category; share is in percent.
SELECT category_name, revenue, share, orders, quantity
FROM lake.gold.sales_by_category
WHERE _run_date = DATE '{{ run_date }}'
ORDER BY revenue DESC
