"""The benchmark's data: the tables of the demo mesh at any size, the same rows every time.

Made by PostgreSQL itself, so two million orders take seconds. Emails of customers and leads meet;
one email has several leads (on average 1.5 leads a customer), as in the sources.
"""

SALES = """
DROP TABLE IF EXISTS orders; DROP TABLE IF EXISTS customers;
CREATE TABLE customers (customer_id integer PRIMARY KEY, customer_name varchar(100),
  email varchar(100), phone varchar(20), created_at timestamp);
CREATE TABLE orders (order_id integer PRIMARY KEY, customer_id integer,
  total_amount decimal(10,2), created_at timestamp);
INSERT INTO customers
  SELECT i, 'Customer ' || i, 'user' || i || '@example.com', '555-' || lpad(i::text, 7, '0'),
         timestamp '2023-01-01' + (i % 730) * interval '1 day' + (i % 86400) * interval '1 second'
  FROM generate_series(1, {customers}) AS i;
INSERT INTO orders
  SELECT i, 1 + (i::bigint * 7919 % {customers}),
         (5 + (i::bigint * 104729 % 99500) / 100.0)::decimal(10,2),
         timestamp '2024-01-01' + (i % 525600) * interval '1 minute'
  FROM generate_series(1, {orders}) AS i;
ANALYZE;
"""

MARKETING = """
DROP TABLE IF EXISTS leads; DROP TABLE IF EXISTS campaigns;
CREATE TABLE campaigns (campaign_id integer PRIMARY KEY, campaign_name varchar(100),
  budget decimal(10,2), start_date date, end_date date);
CREATE TABLE leads (lead_id integer PRIMARY KEY, email varchar(100), campaign_id integer,
  source varchar(50), created_at timestamp);
INSERT INTO campaigns
  SELECT i, 'Campaign ' || i, 1000.00 * (1 + i % 90), date '2024-01-01' + i % 300,
         date '2024-01-31' + i % 300
  FROM generate_series(1, {campaigns}) AS i;
INSERT INTO leads
  SELECT i, 'user' || (1 + (i::bigint * 6007 % {emails})) || '@example.com', 1 + i % {campaigns},
         (ARRAY['web','email','social','event','referral'])[1 + i % 5],
         timestamp '2024-01-01' + (i % 525600) * interval '1 minute'
  FROM generate_series(1, {leads}) AS i;
ANALYZE;
"""

FULL = {"customers": 200_000, "orders": 2_000_000, "leads": 300_000, "campaigns": 200}


def scaled(factor):
    return {name: max(1, int(count * factor)) for name, count in FULL.items()}


def load(sales, marketing, counts):
    """Fills two support.postgres.PostgresServer unless they hold these counts already."""
    if loaded(sales, "customers", "orders") == [counts["customers"], counts["orders"]] and \
       loaded(marketing, "leads", "campaigns") == [counts["leads"], counts["campaigns"]]:
        return
    sales.query(SALES.format(**counts))
    marketing.query(MARKETING.format(emails=counts["customers"], **counts))


def loaded(server, *tables):
    return [server.query(f"SELECT count(*) FROM {table}")[0][0]
            if server.query("SELECT to_regclass(%s)", (table,))[0][0] else None for table in tables]
