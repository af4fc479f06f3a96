-- Employees as sellers: who they are and whom they report to. Photographs, notes, birthdays and home
-- addresses are nobody's business here and stay in bronze.
SELECT
    e.employee_id,
    trim(e.first_name) || ' ' || trim(e.last_name) AS employee_name,
    nullif(trim(e.title), '') AS title,
    e.hire_date,
    e.reports_to,
    coalesce(n.country, nullif(trim(e.country), ''), 'Unknown') AS country
FROM lake.bronze.employees e
LEFT JOIN lake.silver.country_names n ON n.spelling = lower(trim(e.country))
WHERE e._run_date = DATE '{{ run_date }}'
