-- Categories without their pictures.
SELECT
    c.category_id,
    trim(c.category_name) AS category_name,
    nullif(trim(c.description), '') AS description
FROM lake.bronze.categories c
WHERE c._run_date = DATE '{{ run_date }}'
