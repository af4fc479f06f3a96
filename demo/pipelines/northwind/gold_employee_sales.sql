-- What each employee sold. Employees are no part of the sales master, which knows only their number:
-- this is where they are joined.
SELECT
    e.employee_id,
    e.employee_name,
    e.title,
    CAST(coalesce(sum(s.line_total), 0) AS decimal(18, 2)) AS revenue,
    count(DISTINCT s.order_id) AS orders,
    count(DISTINCT s.customer_id) AS customers
FROM lake.silver.employees e
LEFT JOIN lake.silver.sales_master s
    ON s.employee_id = e.employee_id AND s._run_date = e._run_date
WHERE e._run_date = DATE '{{ run_date }}'
GROUP BY e.employee_id, e.employee_name, e.title
