-- MATCH_RECOGNIZE
-- @session catalog=memory schema=default
CREATE TABLE orders (customer varchar(10), day date, price integer);
INSERT INTO orders VALUES ('one', DATE '2020-05-11', 100), ('one', DATE '2020-05-12', 200), ('one', DATE '2020-05-13', 100), ('one', DATE '2020-05-14', 100), ('one', DATE '2020-05-15', 50), ('one', DATE '2020-05-16', 150), ('two', DATE '2020-05-11', 120), ('two', DATE '2020-05-12', 80), ('two', DATE '2020-05-13', 90);
SELECT m.customer, m.match, m.first_price, m.low, m.last_price, m.label FROM orders MATCH_RECOGNIZE (PARTITION BY customer ORDER BY day MEASURES match_number() AS match, A.price AS first_price, LAST(DOWN.price) AS low, LAST(UP.price) AS last_price, classifier() AS label ONE ROW PER MATCH AFTER MATCH SKIP PAST LAST ROW PATTERN (A DOWN+ UP+) DEFINE DOWN AS price < PREV(price), UP AS price > PREV(price)) AS m ORDER BY 1, 2;
SELECT customer, day, price, label FROM orders MATCH_RECOGNIZE (PARTITION BY customer ORDER BY day MEASURES RUNNING LAST(price) AS p, classifier() AS label ALL ROWS PER MATCH PATTERN (A B+) DEFINE B AS B.price <= PREV(B.price)) ORDER BY customer, day;
SELECT * FROM orders MATCH_RECOGNIZE (ORDER BY customer, day MEASURES count(*) AS n, sum(price) AS total PATTERN (X+) DEFINE X AS price >= 100) ORDER BY 1, 2;
SELECT * FROM orders MATCH_RECOGNIZE (PARTITION BY customer ORDER BY day MEASURES FIRST(A.day) AS d, count(B.price) AS n AFTER MATCH SKIP TO NEXT ROW PATTERN (A B*) DEFINE A AS price > 90, B AS price < FIRST(A.price)) ORDER BY 1, 2;
SELECT * FROM orders MATCH_RECOGNIZE (PARTITION BY customer ORDER BY day MEASURES match_number() AS m, classifier() AS c ALL ROWS PER MATCH WITH UNMATCHED ROWS PATTERN (A B) DEFINE A AS price = 200, B AS price = 100) ORDER BY customer, day;
SELECT * FROM orders MATCH_RECOGNIZE (PARTITION BY customer ORDER BY day MEASURES match_number() AS m ALL ROWS PER MATCH OMIT EMPTY MATCHES PATTERN (A?) DEFINE A AS price > 100) ORDER BY customer, day;
SELECT * FROM orders MATCH_RECOGNIZE (PARTITION BY customer ORDER BY day MEASURES A.price AS a, B.price AS b PATTERN (A B | B A) DEFINE A AS price = 100, B AS price > 100) ORDER BY 1, 2;
SELECT * FROM orders MATCH_RECOGNIZE (PARTITION BY customer ORDER BY day MEASURES count(*) AS n PATTERN (A{2,3}) DEFINE A AS price <= 100) ORDER BY 1, 2;
SELECT * FROM orders MATCH_RECOGNIZE (PARTITION BY customer ORDER BY day MEASURES count(*) AS n PATTERN (A{2,}?) DEFINE A AS price <= 100) ORDER BY 1, 2;
SELECT * FROM orders MATCH_RECOGNIZE (PARTITION BY customer ORDER BY day MEASURES count(*) AS n PATTERN (^ A+ $) DEFINE A AS price > 0) ORDER BY 1;
SELECT * FROM orders MATCH_RECOGNIZE (PARTITION BY customer ORDER BY day MEASURES LAST(U.price) AS p PATTERN (A {- B -} C) SUBSET U = (A, C) DEFINE B AS price < PREV(price)) ORDER BY 1, 2;
SELECT * FROM orders MATCH_RECOGNIZE (PARTITION BY customer ORDER BY day MEASURES classifier() AS c PATTERN (PERMUTE(A, B)) DEFINE A AS price = 200, B AS price = 100) ORDER BY 1;
SELECT * FROM orders MATCH_RECOGNIZE (PARTITION BY customer ORDER BY day MEASURES NEXT(A.price) AS n, PREV(A.price, 2) AS p PATTERN (A) DEFINE A AS price = 150);
SELECT * FROM orders MATCH_RECOGNIZE (ORDER BY day MEASURES A.price AS p PATTERN (A) DEFINE B AS true);
SELECT * FROM orders MATCH_RECOGNIZE (ORDER BY day MEASURES Z.price AS p PATTERN (A) DEFINE A AS true);
SELECT * FROM orders MATCH_RECOGNIZE (ORDER BY day PATTERN (A) DEFINE A AS 1);
SELECT * FROM orders MATCH_RECOGNIZE (ORDER BY day AFTER MATCH SKIP TO FIRST A PATTERN (A) DEFINE A AS true);
SELECT * FROM orders MATCH_RECOGNIZE (ORDER BY day PATTERN (A+ B+) DEFINE A AS PREV(price, 1) < FINAL LAST(price));
SELECT customer, m OVER w, price FROM orders WINDOW w AS (PARTITION BY customer ORDER BY day MEASURES match_number() AS m ROWS BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING PATTERN (A B+) DEFINE B AS price < PREV(price)) ORDER BY customer, day;
SELECT customer, n OVER w, price FROM orders WINDOW w AS (PARTITION BY customer ORDER BY day MEASURES LAST(price) AS n ROWS BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING PATTERN (A B+) DEFINE B AS price < PREV(price)) ORDER BY customer, day;
DROP TABLE orders;
