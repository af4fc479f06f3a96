-- The sales master: one row a line of an order, with all that is asked of it joined in.
--   line_total = unit_price × quantity × (1 − discount), each line rounded half up to two decimals
-- The country is the customer's. Left joins: a line without a customer or a category is sold all the
-- same, and revenue must not depend on how well other tables are kept.
SELECT
    d.order_id,
    d.product_id,
    o.customer_id,
    o.employee_id,
    o.order_date,
    o.shipped_date,
    o.is_shipped,
    coalesce(c.company_name, 'Unknown customer') AS company_name,
    coalesce(c.country, 'Unknown') AS country,
    coalesce(c.region, 'No region') AS region,
    coalesce(p.product_name, 'Unknown product') AS product_name,
    p.category_id,
    coalesce(g.category_name, 'Uncategorised') AS category_name,
    d.quantity,
    d.unit_price,
    d.discount,
    CAST(round(d.unit_price * d.quantity * (1 - d.discount), 2) AS decimal(18, 2)) AS line_total
FROM lake.silver.order_details d
JOIN lake.silver.orders o ON o.order_id = d.order_id AND o._run_date = d._run_date
LEFT JOIN lake.silver.products p ON p.product_id = d.product_id AND p._run_date = d._run_date
LEFT JOIN lake.silver.categories g ON g.category_id = p.category_id AND g._run_date = d._run_date
LEFT JOIN lake.silver.customers c ON c.customer_id = o.customer_id AND c._run_date = d._run_date
WHERE d._run_date = DATE '{{ run_date }}'
