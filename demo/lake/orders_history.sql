-- The orders of today as an Iceberg table in the bucket silver, by month, and a mart in gold that
-- is computed again only when its sources have changed. PyIceberg, Spark, Trino and DuckDB open both.
CREATE SCHEMA IF NOT EXISTS lake.sales;

CREATE OR REPLACE TABLE lake.sales.orders_history
WITH (location = 's3://silver/orders_history', partitioning = ARRAY['month(created_at)']) AS
SELECT order_id, customer_id, total_amount, created_at FROM sales.public.orders;

CREATE MATERIALIZED VIEW IF NOT EXISTS lake.sales.revenue_by_month
WITH (location = 's3://gold/revenue_by_month') AS
SELECT date_trunc('month', created_at) AS month, count(*) AS orders, sum(total_amount) AS revenue
FROM lake.sales.orders_history
GROUP BY 1;

REFRESH MATERIALIZED VIEW lake.sales.revenue_by_month;

SELECT * FROM lake.sales.revenue_by_month ORDER BY month;

SELECT made_current_at, snapshot_id, is_current_ancestor
FROM lake.sales."orders_history$history" ORDER BY 1;
