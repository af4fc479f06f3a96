-- The tables that the streams of payments look up. Before they are resumed:
--   meesh sql -f demo/streams/payments_tables.sql
CREATE SCHEMA IF NOT EXISTS lake.payments;

-- Whose payments go to transaction_stream_blacklisted. Rows that are added count from the next
-- batch on.
CREATE TABLE IF NOT EXISTS lake.payments.blacklisted_users (
    user_id varchar,
    reason varchar,
    since date
);
DELETE FROM lake.payments.blacklisted_users;
INSERT INTO lake.payments.blacklisted_users VALUES
    ('user-3', 'chargebacks', DATE '2024-11-02'),
    ('user-7', 'stolen card', DATE '2025-01-10'),
    ('user-13', 'sanctions list', DATE '2023-06-30');

-- What one unit of a currency is worth in euros.
CREATE TABLE IF NOT EXISTS lake.payments.exchange_rates (
    currency varchar,
    to_eur decimal(12, 6)
);
DELETE FROM lake.payments.exchange_rates;
INSERT INTO lake.payments.exchange_rates VALUES
    ('EUR', 1.000000),
    ('USD', 0.961200),
    ('GBP', 1.184300),
    ('CHF', 1.063800),
    ('AUD', 0.596100),
    ('CAD', 0.667400);
