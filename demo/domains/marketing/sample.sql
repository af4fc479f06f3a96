-- The sample rows, once: only into empty tables.

INSERT INTO campaigns (campaign_name, budget, start_date, end_date)
SELECT * FROM (VALUES
    ('Spring Sale 2024', 50000.00, DATE '2024-03-01', DATE '2024-03-31'),
    ('Black Friday', 100000.00, DATE '2024-11-25', DATE '2024-11-30')
) AS sample (campaign_name, budget, start_date, end_date)
WHERE NOT EXISTS (SELECT FROM campaigns);

-- Alice answered both campaigns: two leads, one e-mail address. A query that joins leads on the
-- address counts her orders twice (see demo/queries/query_a_deduplicated.sql). Carol answered none,
-- and one lead never became a customer.
INSERT INTO leads (email, campaign_id, source, created_at)
SELECT sample.email, campaigns.campaign_id, sample.source, sample.created_at FROM (VALUES
    ('alice@example.com', 'Spring Sale 2024', 'email', TIMESTAMP '2024-03-02 08:00:00'),
    ('bob@example.com', 'Spring Sale 2024', 'web', TIMESTAMP '2024-03-15 17:25:00'),
    ('alice@example.com', 'Black Friday', 'social', TIMESTAMP '2024-11-25 07:45:00'),
    ('dave@example.com', 'Black Friday', 'web', TIMESTAMP '2024-11-27 21:10:00')
) AS sample (email, campaign_name, source, created_at)
JOIN campaigns USING (campaign_name)
WHERE NOT EXISTS (SELECT FROM leads)
ORDER BY sample.created_at;
