-- Lines of orders. The source keeps prices and discounts in four-byte floating point: 0.15 is
-- 0.150000006 there. Here they are decimals again.
SELECT
    d.order_id,
    d.product_id,
    CAST(d.unit_price AS decimal(12, 2)) AS unit_price,
    d.quantity,
    CAST(d.discount AS decimal(5, 4)) AS discount
FROM lake.bronze.order_details d
WHERE d._run_date = DATE '{{ run_date }}'
