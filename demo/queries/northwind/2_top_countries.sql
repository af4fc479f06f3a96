-- The three countries whose customers spent most.
SELECT position, country, revenue, orders, customers
FROM lake.gold.top_countries
WHERE _run_date = DATE '{{ run_date }}'
ORDER BY position
