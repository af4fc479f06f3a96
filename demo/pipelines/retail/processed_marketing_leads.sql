-- One row an address: its latest lead, and how many it had.
SELECT email, lead_id, campaign_id, source, created_at, leads
FROM (
    SELECT
        lower(trim(email)) AS email,
        lead_id,
        campaign_id,
        lower(nullif(trim(source), '')) AS source,
        created_at,
        count(*) OVER (PARTITION BY lower(trim(email))) AS leads,
        row_number() OVER (PARTITION BY lower(trim(email)) ORDER BY created_at DESC, lead_id DESC)
            AS place
    FROM lake.raw.marketing_leads
    WHERE _run_date = DATE '{{ run_date }}' AND nullif(trim(email), '') IS NOT NULL
)
WHERE place = 1
