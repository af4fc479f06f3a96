-- What each employee sold.
SELECT employee_name, title, revenue, orders, customers
FROM lake.gold.employee_sales
WHERE _run_date = DATE '{{ run_date }}'
ORDER BY revenue DESC
LIMIT 10
