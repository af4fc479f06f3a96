-- Orders. One that has not left yet has no shipped_date; it counts as revenue all the same.
SELECT
    o.order_id,
    nullif(trim(o.customer_id), '') AS customer_id,
    o.employee_id,
    o.order_date,
    o.required_date,
    o.shipped_date,
    o.shipped_date IS NOT NULL AS is_shipped,
    date_diff('day', o.order_date, o.shipped_date) AS days_to_ship,
    coalesce(o.shipped_date > o.required_date, false) AS is_late,
    CAST(o.freight AS decimal(12, 2)) AS freight,
    coalesce(nullif(trim(o.ship_region), ''), 'No region') AS ship_region,
    coalesce(n.country, nullif(trim(o.ship_country), ''), 'Unknown') AS ship_country
FROM lake.bronze.orders o
LEFT JOIN lake.silver.country_names n ON n.spelling = lower(trim(o.ship_country))
WHERE o._run_date = DATE '{{ run_date }}'
