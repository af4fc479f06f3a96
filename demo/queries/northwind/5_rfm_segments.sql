-- Segments of customers by recency, frequency and monetary value; docs/decisions.md has the rule.
SELECT segment, customers, revenue, mean_recency_days
FROM lake.gold.rfm_segments
WHERE _run_date = DATE '{{ run_date }}'
ORDER BY revenue DESC
