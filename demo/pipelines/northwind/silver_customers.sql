-- Customers, cleaned: no blanks around texts, the country's one name, a region said to be missing.
SELECT
    trim(c.customer_id) AS customer_id,
    trim(c.company_name) AS company_name,
    nullif(trim(c.contact_name), '') AS contact_name,
    nullif(trim(c.contact_title), '') AS contact_title,
    nullif(trim(c.city), '') AS city,
    coalesce(nullif(trim(c.region), ''), 'No region') AS region,
    nullif(trim(c.postal_code), '') AS postal_code,
    coalesce(n.country, nullif(trim(c.country), ''), 'Unknown') AS country,
    nullif(trim(c.phone), '') AS phone
FROM lake.bronze.customers c
LEFT JOIN lake.silver.country_names n ON n.spelling = lower(trim(c.country))
WHERE c._run_date = DATE '{{ run_date }}'
