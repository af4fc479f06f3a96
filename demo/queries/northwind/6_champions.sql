-- The best customers.
SELECT company_name, country, recency_days, frequency, monetary,
       recency_score AS r, frequency_score AS f, monetary_score AS m
FROM lake.gold.rfm
WHERE _run_date = DATE '{{ run_date }}' AND segment = 'Champions'
ORDER BY monetary DESC
LIMIT 10
