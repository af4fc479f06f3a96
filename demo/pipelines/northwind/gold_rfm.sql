-- RFM: how recently, how often and for how much each customer bought.
--   recency     days from the customer's last order to the last order of all: the data's own date,
--               so that old data gives the same answer every day
--   frequency   orders
--   monetary    the sum of line_total
-- Scores are quintiles from 1 (worst) to 5 among the customers that have bought:
--   score = 1 + 5 × (rank − 1) / customers, in whole numbers; equal values share the lowest rank
-- The segment is the first that fits:
--   Never ordered     no order
--   Champions         R ≥ 4 and F + M ≥ 8
--   Loyal             R ≥ 3 and F + M ≥ 6
--   Potential         R ≥ 4
--   Needs attention   R = 3
--   At risk           F + M ≥ 6
--   Hibernating       the others
WITH newest AS (
    SELECT max(order_date) AS order_date
    FROM lake.silver.sales_master
    WHERE _run_date = DATE '{{ run_date }}'
),
bought AS (
    SELECT
        customer_id,
        max(order_date) AS last_order_date,
        count(DISTINCT order_id) AS frequency,
        CAST(sum(line_total) AS decimal(18, 2)) AS monetary
    FROM lake.silver.sales_master
    WHERE _run_date = DATE '{{ run_date }}' AND customer_id IS NOT NULL
    GROUP BY customer_id
),
scored AS (
    SELECT
        bought.*,
        date_diff('day', bought.last_order_date, newest.order_date) AS recency,
        1 + 5 * (rank() OVER (ORDER BY last_order_date) - 1) / count(*) OVER () AS r,
        1 + 5 * (rank() OVER (ORDER BY frequency) - 1) / count(*) OVER () AS f,
        1 + 5 * (rank() OVER (ORDER BY monetary) - 1) / count(*) OVER () AS m
    FROM bought CROSS JOIN newest
)
SELECT
    c.customer_id,
    c.company_name,
    c.country,
    s.last_order_date,
    s.recency AS recency_days,
    coalesce(s.frequency, 0) AS frequency,
    coalesce(s.monetary, DECIMAL '0.00') AS monetary,
    s.r AS recency_score,
    s.f AS frequency_score,
    s.m AS monetary_score,
    CASE
        WHEN s.customer_id IS NULL THEN 'Never ordered'
        WHEN s.r >= 4 AND s.f + s.m >= 8 THEN 'Champions'
        WHEN s.r >= 3 AND s.f + s.m >= 6 THEN 'Loyal'
        WHEN s.r >= 4 THEN 'Potential'
        WHEN s.r = 3 THEN 'Needs attention'
        WHEN s.f + s.m >= 6 THEN 'At risk'
        ELSE 'Hibernating'
    END AS segment
FROM lake.silver.customers c
LEFT JOIN scored s ON s.customer_id = c.customer_id
WHERE c._run_date = DATE '{{ run_date }}'
