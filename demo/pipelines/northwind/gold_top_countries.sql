-- The three countries whose customers spent most; equal ones by name. Lines without a known country
-- take no place.
SELECT position, country, revenue, orders, customers
FROM (
    SELECT
        row_number() OVER (ORDER BY sum(line_total) DESC, country) AS position,
        country,
        CAST(sum(line_total) AS decimal(18, 2)) AS revenue,
        count(DISTINCT order_id) AS orders,
        count(DISTINCT customer_id) AS customers
    FROM lake.silver.sales_master
    WHERE _run_date = DATE '{{ run_date }}' AND country <> 'Unknown'
    GROUP BY country
)
WHERE position <= 3
