-- Query A: revenue of each customer and campaign, across the two domains' servers.
-- As people usually write it. It counts the orders of a customer once for each of their leads: see
-- query_a_deduplicated.sql.
SELECT
    c.customer_name,
    COUNT(o.order_id) AS total_orders,
    SUM(o.total_amount) AS revenue,
    camp.campaign_name
FROM sales.public.customers c
JOIN sales.public.orders o ON c.customer_id = o.customer_id
LEFT JOIN marketing.public.leads l ON c.email = l.email
LEFT JOIN marketing.public.campaigns camp ON l.campaign_id = camp.campaign_id
GROUP BY c.customer_name, camp.campaign_name
ORDER BY revenue DESC;
