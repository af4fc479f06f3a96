-- The segments of gold.rfm: how many customers, and what they brought.
SELECT
    segment,
    count(*) AS customers,
    CAST(sum(monetary) AS decimal(18, 2)) AS revenue,
    CAST(avg(CAST(recency_days AS double)) AS decimal(10, 1)) AS mean_recency_days
FROM lake.gold.rfm
WHERE _run_date = DATE '{{ run_date }}'
GROUP BY segment
