-- History and now in one: Northwind's orders of the last pipeline run, from Parquet files, and the
-- sales that the stream ventes_live has counted until this second, from memory.
--   meesh run northwind; meesh streams resume ventes_live
WITH names (pays, country) AS (
    -- The cash registers write French.
    VALUES ('Allemagne', 'Germany'), ('Autriche', 'Austria'), ('Belgique', 'Belgium'),
           ('Espagne', 'Spain'), ('Italie', 'Italy'), ('Pays-Bas', 'Netherlands'),
           ('Suisse', 'Switzerland')
),
history AS (
    SELECT country, CAST(sum(line_total) AS decimal(18, 2)) AS revenue,
           count(DISTINCT order_id) AS orders
    FROM lake.silver.sales_master
    WHERE _run_date = (SELECT max(_run_date) FROM lake.silver.sales_master)
    GROUP BY country
),
now AS (
    SELECT coalesce(n.country, v.pays) AS country, v.total_ventes_live, v.nb_transactions
    FROM live.default.ventes_live AS v
    LEFT JOIN names AS n ON n.pays = v.pays
)
SELECT coalesce(h.country, n.country) AS country,
       coalesce(h.revenue, 0) AS revenue_history, coalesce(n.total_ventes_live, 0) AS revenue_live,
       coalesce(h.revenue, 0) + coalesce(n.total_ventes_live, 0) AS revenue,
       coalesce(h.orders, 0) + coalesce(n.nb_transactions, 0) AS orders
FROM history AS h
FULL JOIN now AS n ON n.country = h.country
ORDER BY revenue DESC;
