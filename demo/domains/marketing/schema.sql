-- Tables of marketing_db. Run by meesh on a new database and again when this file changes.

CREATE TABLE IF NOT EXISTS campaigns (
    campaign_id SERIAL PRIMARY KEY,
    campaign_name VARCHAR(100),
    budget DECIMAL(10,2),
    start_date DATE,
    end_date DATE
);

CREATE TABLE IF NOT EXISTS leads (
    lead_id SERIAL PRIMARY KEY,
    email VARCHAR(100),
    campaign_id INTEGER,
    source VARCHAR(50),
    created_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP
);
