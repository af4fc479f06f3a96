-- The sample rows, once: only into empty tables.

INSERT INTO customers (customer_name, email, phone)
SELECT * FROM (VALUES
    ('Alice Johnson', 'alice@example.com', '555-1001'),
    ('Bob Smith', 'bob@example.com', '555-1002'),
    ('Carol White', 'carol@example.com', '555-1003')
) AS sample (customer_name, email, phone)
WHERE NOT EXISTS (SELECT FROM customers);

INSERT INTO orders (customer_id, total_amount, created_at)
SELECT customers.customer_id, sample.total_amount, sample.created_at FROM (VALUES
    ('alice@example.com', 250.00, TIMESTAMP '2024-03-05 10:12:00'),
    ('alice@example.com', 125.50, TIMESTAMP '2024-11-26 18:40:00'),
    ('bob@example.com', 480.00, TIMESTAMP '2024-03-18 09:05:00'),
    ('carol@example.com', 99.90, TIMESTAMP '2024-06-02 14:30:00')
) AS sample (email, total_amount, created_at)
JOIN customers USING (email)
WHERE NOT EXISTS (SELECT FROM orders)
ORDER BY sample.created_at;
