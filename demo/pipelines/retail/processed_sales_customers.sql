-- Customers as they were that day, with addresses that can be compared.
SELECT
    customer_id,
    nullif(trim(customer_name), '') AS customer_name,
    lower(nullif(trim(email), '')) AS email,
    nullif(trim(phone), '') AS phone,
    created_at
FROM lake.raw.sales_customers
WHERE _run_date = DATE '{{ run_date }}'
