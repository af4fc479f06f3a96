-- Query A with every order counted once.
--
-- What is wrong with query_a.sql: it joins customers to leads on the e-mail address, and one address
-- may have several leads. Each of the customer's orders then appears once for every lead, before
-- SUM and COUNT see it. With the sample rows Alice has two orders (375.50) and two leads, and query
-- A's rows for her add up to four orders and 751.00: revenue that does not exist.
--
--   SELECT SUM(revenue) FROM (query A)             1330.90 with the sample rows
--   SELECT SUM(total_amount) FROM sales.public.orders    955.40
--
-- The cure: bring leads down to one row an address before the join. Here the latest lead wins (the
-- campaign that reached the customer last gets the credit); lead_id decides between two of the same
-- moment, so that the answer is always the same.
WITH latest_leads AS (
    SELECT email, campaign_id
    FROM (
        SELECT
            email,
            campaign_id,
            ROW_NUMBER() OVER (PARTITION BY email ORDER BY created_at DESC, lead_id DESC) AS position
        FROM marketing.public.leads
    ) AS numbered
    WHERE position = 1
)
SELECT
    c.customer_name,
    COUNT(o.order_id) AS total_orders,
    SUM(o.total_amount) AS revenue,
    camp.campaign_name
FROM sales.public.customers c
JOIN sales.public.orders o ON c.customer_id = o.customer_id
LEFT JOIN latest_leads l ON c.email = l.email
LEFT JOIN marketing.public.campaigns camp ON l.campaign_id = camp.campaign_id
GROUP BY c.customer_name, camp.campaign_name
ORDER BY revenue DESC;
