-- Products as they are listed today. What was paid stands in the order's lines.
SELECT
    p.product_id,
    trim(p.product_name) AS product_name,
    p.supplier_id,
    p.category_id,
    nullif(trim(p.quantity_per_unit), '') AS quantity_per_unit,
    CAST(p.unit_price AS decimal(12, 2)) AS list_price,
    p.units_in_stock,
    p.discontinued = 1 AS is_discontinued
FROM lake.bronze.products p
WHERE p._run_date = DATE '{{ run_date }}'
