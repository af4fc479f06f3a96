-- Query B: the ten best customers and where their leads came from.
SELECT
    c.customer_name,
    COUNT(o.order_id) AS orders,
    SUM(o.total_amount) AS revenue,
    l.source AS lead_source
FROM sales.public.customers c
JOIN sales.public.orders o ON c.customer_id = o.customer_id
LEFT JOIN marketing.public.leads l ON c.email = l.email
GROUP BY c.customer_name, l.source
ORDER BY revenue DESC
LIMIT 10;
