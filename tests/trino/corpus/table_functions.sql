-- Table functions
-- @session catalog=memory schema=default
SELECT * FROM TABLE(sequence(1, 5)) ORDER BY 1;
SELECT * FROM TABLE(sequence(start => 1, stop => 10, step => 3)) ORDER BY 1;
SELECT * FROM TABLE(sequence(5, 1)) ORDER BY 1;
SELECT * FROM TABLE(sequence(5, 1, -2)) ORDER BY 1 DESC;
SELECT * FROM TABLE(sequence(stop => 3)) ORDER BY 1;
SELECT * FROM TABLE(sequence(1, 5, 0));
SELECT * FROM TABLE(sequence(1));
SELECT * FROM TABLE(sequence());
SELECT * FROM TABLE(sequence('a', 5));
SELECT * FROM TABLE(sequence(1, NULL));
SELECT s.sequential_number, t.n FROM TABLE(sequence(1, 2)) s CROSS JOIN (VALUES 'a') t(n) ORDER BY 1;
SELECT x FROM TABLE(sequence(1, 2)) AS s(x) ORDER BY x;
SELECT count(*), sum(sequential_number) FROM TABLE(sequence(0, 1000000));
SELECT * FROM TABLE(exclude_columns(input => TABLE(tpch.tiny.region), columns => DESCRIPTOR(comment))) ORDER BY 1;
SELECT * FROM TABLE(exclude_columns(TABLE(SELECT 1 a, 2 b, 3 c), DESCRIPTOR(b, C)));
SELECT * FROM TABLE(exclude_columns(TABLE(SELECT 1 a), DESCRIPTOR(z)));
SELECT * FROM TABLE(exclude_columns(TABLE(SELECT 1 a), DESCRIPTOR(a)));
SELECT * FROM TABLE(exclude_columns(TABLE(SELECT 1 a, 2 b), DESCRIPTOR()));
SELECT * FROM TABLE(system.builtin.sequence(1, 2)) ORDER BY 1;
SELECT * FROM TABLE(nosuch(1));
SELECT * FROM TABLE(abs(1));
SELECT sequence(1, 3);
SELECT * FROM TABLE(tpch.tiny.region);
SELECT * FROM sequence(1, 5);
-- @session catalog=memory schema=default
SELECT * FROM TABLE(sequence(1, 5, 2, 9));
SELECT * FROM TABLE(sequence(1, stop => 5));
SELECT * FROM TABLE(sequence(foo => 5));
SELECT * FROM TABLE(sequence(stop => 5, stop => 6));
SELECT * FROM TABLE(sequence(TABLE(SELECT 1), 5));
SELECT * FROM TABLE(sequence(DESCRIPTOR(a), 5));
SELECT * FROM TABLE(sequence(1, n)) , (VALUES 1) t(n);
SELECT * FROM (VALUES 1) t(n), TABLE(sequence(1, n));
-- @unordered
SELECT * FROM TABLE(sequence(1, 2+3));
SELECT * FROM TABLE(sequence(1.5, 3));
SELECT * FROM TABLE(sequence(NULL, 3));
SELECT * FROM TABLE(sequence(1, 3, NULL));
SELECT * FROM TABLE(sequence(1, 3)) t(a, b);
SELECT * FROM TABLE(sequence(5, 5));
SELECT * FROM TABLE(sequence(5, 5, -1));
-- @unordered
SELECT * FROM TABLE(sequence(9223372036854775805, 9223372036854775807));
SELECT * FROM TABLE(exclude_columns(TABLE(SELECT 1 a), 5));
SELECT * FROM TABLE(exclude_columns(5, DESCRIPTOR(a)));
SELECT * FROM TABLE(exclude_columns(TABLE(SELECT 1 a)));
SELECT * FROM TABLE(exclude_columns(TABLE(SELECT 1 a, 2 b, 3 b), DESCRIPTOR(b)));
SELECT * FROM TABLE(exclude_columns(TABLE(SELECT 1 a, 2 b), DESCRIPTOR(b integer)));
SELECT * FROM TABLE(exclude_columns(TABLE(SELECT 1 a, 2 b), CAST(NULL AS DESCRIPTOR)));
SELECT t.a, t.c FROM TABLE(exclude_columns(TABLE(SELECT 1 a, 2 b, 3 c) AS q, DESCRIPTOR(b))) t;
SELECT q.a FROM TABLE(exclude_columns(TABLE(SELECT 1 a, 2 b, 3 c) AS q, DESCRIPTOR(b)));
SELECT * FROM TABLE(exclude_columns(TABLE(SELECT 1 a, 2 b, 3 c) PARTITION BY a, DESCRIPTOR(b)));
SELECT * FROM TABLE(memory.system.query(query => 'select 1'));
