-- SELECT: columns, order, limits, samples
-- @session catalog=tpch schema=tiny
SELECT 1;
SELECT 1 a, 2 AS b, 3 "C d", 4 AS "select";
SELECT 1 AS A, 2 AS "A";
SELECT *;
SELECT * FROM region ORDER BY regionkey LIMIT 0;
SELECT r.* FROM region r ORDER BY 1 LIMIT 0;
SELECT region.regionkey, tiny.region.name, tpch.tiny.region.regionkey FROM tpch.tiny.region ORDER BY 1;
SELECT x.* FROM region r;
SELECT r.regionkey, "R"."NAME", R.Name FROM region r ORDER BY regionkey;
SELECT region.name FROM region r;
SELECT name, name FROM region ORDER BY 1 LIMIT 1;
SELECT name, name FROM region ORDER BY name LIMIT 1;
SELECT a FROM (SELECT 1 a, 2 a);
SELECT ALL regionkey FROM region ORDER BY 1;
SELECT DISTINCT regionkey FROM nation ORDER BY 1;
SELECT DISTINCT ON (regionkey) name FROM nation;
SELECT regionkey, name FROM nation WHERE regionkey = 1 AND name LIKE '%A' ORDER BY name;
SELECT name FROM nation WHERE regionkey;
SELECT name FROM nation WHERE NULL;
SELECT name FROM nation WHERE nationkey IN (1, 3) OR nationkey BETWEEN 23 AND 24 ORDER BY 1;
SELECT nationkey AS n FROM nation WHERE n = 1;

-- ORDER BY
SELECT x FROM (VALUES 2, NULL, 1) t(x) ORDER BY x;
SELECT x FROM (VALUES 2, NULL, 1) t(x) ORDER BY x DESC;
SELECT x FROM (VALUES 2, NULL, 1) t(x) ORDER BY x ASC NULLS FIRST;
SELECT x FROM (VALUES 2, NULL, 1) t(x) ORDER BY x DESC NULLS FIRST;
SELECT x, -x y FROM (VALUES 2, 1) t(x) ORDER BY y;
SELECT x, -x y FROM (VALUES 2, 1) t(x) ORDER BY y + x, 1;
SELECT x + 1 FROM (VALUES 2, 1) t(x) ORDER BY x + 1;
SELECT x FROM (VALUES 2, 1) t(x) ORDER BY 2;
SELECT x FROM (VALUES 2, 1) t(x) ORDER BY 0;
SELECT x FROM (VALUES 2, 1) t(x) ORDER BY 1 + 1, x;
SELECT x FROM (VALUES 2, 1) t(x) ORDER BY nothing;
SELECT x FROM (VALUES 2, 1) t(x) ORDER BY 'x', x;
SELECT -x AS x FROM (VALUES 2, 1) t(x) ORDER BY x;
SELECT -x AS x FROM (VALUES 2, 1) t(x) ORDER BY t.x;
SELECT x a, x a FROM (VALUES 2, 1) t(x) ORDER BY a;
SELECT x FROM (VALUES nan(), 1E0, NULL, -infinity(), infinity()) t(x) ORDER BY x;
SELECT x FROM (VALUES true, NULL, false) t(x) ORDER BY x;
SELECT x FROM (VALUES ROW(1, 'b'), ROW(1, 'a'), ROW(NULL, 'c')) t(x, y) ORDER BY x, y;

-- LIMIT, OFFSET, FETCH
SELECT nationkey FROM nation ORDER BY 1 LIMIT 2;
SELECT nationkey FROM nation ORDER BY 1 LIMIT ALL;
SELECT nationkey FROM nation ORDER BY 1 OFFSET 23;
SELECT nationkey FROM nation ORDER BY 1 OFFSET 2 ROWS LIMIT 2;
SELECT nationkey FROM nation ORDER BY 1 OFFSET 100;
SELECT nationkey FROM nation ORDER BY 1 LIMIT 2 OFFSET 2;
SELECT nationkey FROM nation ORDER BY 1 OFFSET 1 ROW FETCH FIRST 2 ROWS ONLY;
SELECT nationkey FROM nation ORDER BY 1 FETCH NEXT ROW ONLY;
SELECT nationkey FROM nation ORDER BY 1 FETCH FIRST 0 ROWS ONLY;
SELECT nationkey FROM nation ORDER BY 1 LIMIT -1;
SELECT nationkey FROM nation ORDER BY 1 LIMIT 1.5;
SELECT nationkey FROM nation ORDER BY 1 LIMIT 'a';
SELECT nationkey FROM nation ORDER BY 1 LIMIT 1 + 1;
SELECT regionkey FROM nation ORDER BY 1 FETCH FIRST 1 ROW WITH TIES;
SELECT regionkey FROM nation FETCH FIRST 1 ROW WITH TIES;
SELECT regionkey, nationkey FROM nation ORDER BY regionkey DESC OFFSET 4 ROWS FETCH NEXT 2 ROWS WITH TIES;
SELECT count(*) FROM (SELECT * FROM nation LIMIT 7);
SELECT nationkey FROM nation ORDER BY 1 FETCH FIRST 99999999999999999999 ROWS ONLY;

-- VALUES and TABLE
VALUES 1, 2;
VALUES (1, 'a'), (2, NULL);
VALUES (1, 'a'), (2);
VALUES 1, 'a';
VALUES 1, 2.5;
VALUES 'a', 'bcd';
VALUES (1), (NULL);
VALUES 3, 1, 2 ORDER BY 1 LIMIT 2;
SELECT * FROM (VALUES (1, 'a')) AS t (x, y);
SELECT * FROM (VALUES (1, 'a')) AS t (x);
SELECT * FROM (VALUES (1, 'a')) AS t;
SELECT _col0 FROM (VALUES 1);
TABLE region ORDER BY regionkey LIMIT 0;
SELECT * FROM (TABLE tpch.tiny.region) ORDER BY regionkey FETCH FIRST 0 ROWS ONLY;

-- samples
SELECT count(*) FROM nation TABLESAMPLE BERNOULLI (100);
SELECT count(*) FROM nation TABLESAMPLE SYSTEM (100);
SELECT count(*) FROM nation TABLESAMPLE BERNOULLI (0);
SELECT count(*) FROM nation TABLESAMPLE BERNOULLI (-1);
SELECT count(*) FROM nation TABLESAMPLE BERNOULLI (101);
SELECT count(*) FROM nation n TABLESAMPLE BERNOULLI ('a');
SELECT count(*) BETWEEN 0 AND 25 FROM nation TABLESAMPLE BERNOULLI (50);
SELECT count(*) FROM nation TABLESAMPLE RESERVOIR (10);

-- the names of columns
SELECT 1 + 1, abs(-1), 'a', CAST(1 AS bigint), (SELECT 1), nationkey FROM nation ORDER BY nationkey LIMIT 1;
SELECT count(*), max(name), CASE WHEN true THEN 1 END FROM nation;
SELECT n.name, r.name FROM nation n, region r WHERE n.regionkey = r.regionkey ORDER BY 1 LIMIT 1;
SELECT ROW(1, 2), ARRAY[1], t.x.a FROM (SELECT CAST(ROW(1) AS row(a integer)) x) t;
SELECT current_date = current_date, 1 IS NULL;
