-- Aggregates
-- @session catalog=memory schema=default

-- count, sum, avg
SELECT count(*), count(x), count(DISTINCT x), count() FROM (VALUES 1, 1, NULL, 2) t(x);
SELECT count(*), count(x), sum(x), avg(x), min(x), max(x), array_agg(x) FROM (VALUES 1) t(x) WHERE false;
SELECT sum(x), avg(x), typeof(sum(x)), typeof(avg(x)) FROM (VALUES 1, 2, 4, NULL) t(x);
SELECT sum(x), avg(x), typeof(sum(x)), typeof(avg(x)) FROM (VALUES 1.50, 2.25) t(x);
SELECT sum(x), avg(x), typeof(sum(x)), typeof(avg(x)) FROM (VALUES 1.5E0, 2.25E0) t(x);
SELECT sum(x), avg(x), typeof(sum(x)), typeof(avg(x)) FROM (VALUES REAL '1.5', REAL '2.25') t(x);
SELECT sum(x), avg(x), typeof(sum(x)) FROM (VALUES TINYINT '100', TINYINT '100') t(x);
SELECT sum(x), avg(x), typeof(sum(x)) FROM (VALUES INTERVAL '1' DAY, INTERVAL '2' HOUR) t(x);
SELECT sum(x), avg(x) FROM (VALUES INTERVAL '1' YEAR, INTERVAL '3' MONTH) t(x);
SELECT sum(x) FROM (VALUES BIGINT '9223372036854775807', BIGINT '1') t(x);
SELECT avg(x) FROM (VALUES BIGINT '9223372036854775807', BIGINT '9223372036854775807') t(x);
SELECT sum(x) FROM (VALUES DECIMAL '99999999999999999999999999999999999999', DECIMAL '1') t(x);
SELECT avg(x) FROM (VALUES DECIMAL '1.0', DECIMAL '1.1', DECIMAL '1.1') t(x);
SELECT sum(x), avg(x) FROM (VALUES 1E0, nan()) t(x);
SELECT sum(x), avg(x) FROM (VALUES infinity(), -infinity()) t(x);
SELECT sum(x) FROM (VALUES 'a') t(x);
SELECT avg(x) FROM (VALUES DATE '2024-01-01') t(x);
SELECT sum(true);
SELECT sum(NULL), avg(NULL);
SELECT sum(DISTINCT x), avg(DISTINCT x), count(DISTINCT y) FROM (VALUES (1, 'a'), (1, 'b'), (2, 'a')) t(x, y);
SELECT sum(x) FILTER (WHERE x > 1), count(*) FILTER (WHERE x IS NULL), array_agg(x ORDER BY x DESC) FILTER (WHERE x < 5) FROM (VALUES 1, 2, 3, NULL, 9) t(x);
SELECT sum(x) FILTER (WHERE 1) FROM (VALUES 1) t(x);
SELECT sum(sum(x)) FROM (VALUES 1) t(x);
SELECT count(x, y) FROM (VALUES (1, 2)) t(x, y);
SELECT count(DISTINCT *) FROM (VALUES 1) t(x);

-- min, max, by
SELECT min(x), max(x), min(x, 2), max(x, 2), max(x, 10) FROM (VALUES 3, 1, 2, NULL) t(x);
SELECT min(x), max(x) FROM (VALUES 'b', 'a', 'é', 'Z') t(x);
SELECT min(x), max(x) FROM (VALUES 1E0, nan(), infinity()) t(x);
SELECT min(x), max(x) FROM (VALUES REAL '1', REAL 'NaN') t(x);
SELECT min(x), max(x) FROM (VALUES true, false) t(x);
SELECT min(x), max(x) FROM (VALUES ARRAY[1, 2], ARRAY[1]) t(x);
SELECT max(x) FROM (VALUES MAP(ARRAY[1], ARRAY[1])) t(x);
SELECT max(x, 0) FROM (VALUES 1) t(x);
SELECT max(x, -1) FROM (VALUES 1) t(x);
SELECT max(x, 100000) FROM (VALUES 1) t(x);
SELECT max_by(x, y), min_by(x, y), max_by(x, y, 2), min_by(x, y, 2) FROM (VALUES ('a', 1), ('b', 3), ('c', 2), (NULL, 0), ('d', NULL)) t(x, y);
SELECT max_by(x, y), min_by(x, y) FROM (VALUES (1, CAST(NULL AS integer))) t(x, y);
SELECT max_by(x, y, 0) FROM (VALUES (1, 2)) t(x, y);
SELECT any_value(x), arbitrary(x) FROM (VALUES NULL, 5, 5) t(x);
SELECT any_value(x), arbitrary(x) FROM (VALUES CAST(NULL AS integer)) t(x);

-- booleans and bits
SELECT bool_and(x), bool_or(x), every(x), count_if(x) FROM (VALUES true, false, NULL) t(x);
SELECT bool_and(x), bool_or(x), every(x), count_if(x) FROM (VALUES CAST(NULL AS boolean)) t(x);
SELECT count_if(x) FROM (VALUES 1) t(x);
SELECT bitwise_and_agg(x), bitwise_or_agg(x), bitwise_xor_agg(x) FROM (VALUES 6, 3, NULL) t(x);
SELECT bitwise_and_agg(x), bitwise_or_agg(x), bitwise_xor_agg(x) FROM (VALUES CAST(NULL AS bigint)) t(x);

-- collections
SELECT array_agg(x ORDER BY x), array_agg(x ORDER BY x DESC NULLS FIRST), array_agg(DISTINCT x ORDER BY x) FROM (VALUES 2, 1, NULL, 2) t(x);
SELECT array_agg(x ORDER BY y DESC, x) FROM (VALUES ('a', 1), ('b', 2), ('c', 2)) t(x, y);
SELECT array_agg(DISTINCT x ORDER BY y) FROM (VALUES ('a', 1), ('b', 2)) t(x, y);
SELECT map_agg(x, y), multimap_agg(x, y) FROM (VALUES ('a', 1), ('b', 2)) t(x, y);
SELECT map_agg(x, y) FROM (VALUES ('a', 1), (NULL, 2), ('c', NULL)) t(x, y);
SELECT map_agg(x, y) FROM (VALUES ('a', 1)) t(x, y) WHERE false;
SELECT multimap_agg(x, y) FROM (VALUES ('a', 1), ('a', 2), ('a', NULL)) t(x, y);
SELECT map_union(x) FROM (VALUES MAP(ARRAY['a'], ARRAY[1]), MAP(ARRAY['b'], ARRAY[2]), NULL) t(x);
SELECT histogram(x) FROM (VALUES 1, 1, 2, NULL) t(x);
SELECT histogram(x) FROM (VALUES 'a') t(x) WHERE false;
SELECT listagg(x, ',') WITHIN GROUP (ORDER BY x) FROM (VALUES 'b', 'a', NULL, 'c') t(x);
SELECT listagg(x) WITHIN GROUP (ORDER BY y DESC) FROM (VALUES ('a', 1), ('b', 2)) t(x, y);
SELECT listagg(DISTINCT x, '; ') WITHIN GROUP (ORDER BY x) FROM (VALUES 'b', 'a', 'b') t(x);
SELECT listagg(x, ',' ON OVERFLOW ERROR) WITHIN GROUP (ORDER BY x) FROM (VALUES 'a', 'b') t(x);
SELECT listagg(x, ',' ON OVERFLOW TRUNCATE '…' WITH COUNT) WITHIN GROUP (ORDER BY x) FROM (VALUES 'a', 'b') t(x);
SELECT listagg(x, ',') FILTER (WHERE x > 'a') WITHIN GROUP (ORDER BY x) FROM (VALUES 'a', 'b') t(x);
SELECT listagg(x, ',') WITHIN GROUP (ORDER BY x) FILTER (WHERE x > 'a') FROM (VALUES 'a', 'b', 'c') t(x);
SELECT listagg(x, ',') FROM (VALUES 'a') t(x);
SELECT listagg(x, ',') WITHIN GROUP (ORDER BY x) FROM (VALUES 1) t(x);
SELECT listagg(x, ',') WITHIN GROUP (ORDER BY x) FROM (VALUES 'a') t(x) WHERE false;
SELECT reduce_agg(x, 0, (a, b) -> a + b, (a, b) -> a + b) FROM (VALUES 1, 2, 3, NULL) t(x);
SELECT reduce_agg(x, 1, (a, b) -> a * b, (a, b) -> a * b) FROM (VALUES 2, 3, 4) t(x);
SELECT reduce_agg(x, '', (a, b) -> a || b, (a, b) -> a || b) FROM (VALUES 'a') t(x);
SELECT checksum(x) FROM (VALUES 1, 2, 3) t(x);
SELECT checksum(x) FROM (VALUES 'a', NULL) t(x);
SELECT checksum(x) FROM (VALUES 1) t(x) WHERE false;
SELECT checksum(x) FROM (VALUES ARRAY[1, 2]) t(x);

-- statistics
SELECT stddev(x), stddev_pop(x), stddev_samp(x), variance(x), var_pop(x), var_samp(x) FROM (VALUES 1, 2, 4, NULL) t(x);
SELECT stddev(x), stddev_pop(x), variance(x), var_pop(x) FROM (VALUES 1) t(x);
SELECT stddev(x), var_pop(x) FROM (VALUES 1) t(x) WHERE false;
SELECT stddev(x), variance(x) FROM (VALUES 1.5E0, nan()) t(x);
SELECT skewness(x), kurtosis(x) FROM (VALUES 1, 2, 4, 9, 20) t(x);
SELECT skewness(x), kurtosis(x) FROM (VALUES 1, 2) t(x);
SELECT geometric_mean(x) FROM (VALUES 1, 2, 4) t(x);
SELECT geometric_mean(x) FROM (VALUES 1E0, 0E0) t(x);
SELECT geometric_mean(x) FROM (VALUES REAL '2', REAL '8') t(x);
SELECT geometric_mean(x) FROM (VALUES -1) t(x);
SELECT corr(y, x), covar_pop(y, x), covar_samp(y, x), regr_slope(y, x), regr_intercept(y, x) FROM (VALUES (1, 2), (2, 4.5), (3, 7)) t(x, y);
SELECT corr(y, x), covar_pop(y, x), covar_samp(y, x), regr_slope(y, x), regr_intercept(y, x) FROM (VALUES (1, 2)) t(x, y);
SELECT corr(y, x), regr_slope(y, x) FROM (VALUES (1, 2), (1, 3)) t(x, y);
SELECT corr(y, x), covar_pop(y, x) FROM (VALUES (1, 2)) t(x, y) WHERE false;
SELECT corr(y, x) FROM (VALUES (REAL '1', REAL '2'), (REAL '2', REAL '4')) t(x, y);

-- approximations, on so few values that they are exact
SELECT approx_distinct(x), approx_distinct(x, 0.01) FROM (VALUES 1, 2, 2, NULL) t(x);
SELECT approx_distinct(x, 0.5) FROM (VALUES 1) t(x);
SELECT approx_distinct(x) FROM (VALUES 'a', 'b') t(x) WHERE false;
SELECT approx_percentile(x, 0.5), approx_percentile(x, ARRAY[0, 0.5, 1]) FROM (VALUES 1, 2, 3, 4, 5) t(x);
SELECT approx_percentile(x, 0.5), approx_percentile(x, 0.9) FROM (VALUES 1E0, 2E0, 10E0) t(x);
SELECT approx_percentile(x, w, 0.5) FROM (VALUES (1, 1), (2, 5), (3, 1)) t(x, w);
SELECT approx_percentile(x, 1.5) FROM (VALUES 1) t(x);
SELECT approx_percentile(x, 0.5) FROM (VALUES CAST(NULL AS bigint)) t(x);
SELECT approx_most_frequent(3, x, 15) FROM (VALUES 'A', 'B', 'A', 'C', 'A', 'B', 'C', 'D', 'E') t(x);
SELECT approx_most_frequent(2, x, 10) FROM (VALUES 1, 2, 1, 3) t(x);
SELECT numeric_histogram(2, x) FROM (VALUES 1, 2, 10, 11) t(x);
SELECT numeric_histogram(1, x) FROM (VALUES 1) t(x);
SELECT cardinality(approx_set(x)), cardinality(merge(approx_set(x))) FROM (VALUES 1, 2, 2) t(x);
SELECT cardinality(empty_approx_set()), typeof(empty_approx_set());
SELECT cardinality(CAST(CAST(approx_set(x) AS varbinary) AS hyperloglog)) FROM (VALUES 'a', 'b') t(x);
SELECT value_at_quantile(tdigest_agg(x), 0.5), values_at_quantiles(tdigest_agg(x), ARRAY[0.25, 0.75]) FROM (VALUES 1E0, 2E0, 3E0, 4E0) t(x);
SELECT value_at_quantile(qdigest_agg(x), 0.5), values_at_quantiles(qdigest_agg(x), ARRAY[0E0, 1E0]), quantile_at_value(qdigest_agg(x), 3) FROM (VALUES 1, 2, 3, 4) t(x);
SELECT typeof(tdigest_agg(x)), typeof(qdigest_agg(x)), typeof(approx_set(x)), typeof(make_set_digest(x)) FROM (VALUES 1) t(x);
SELECT value_at_quantile(tdigest_agg(x), 1.5) FROM (VALUES 1E0) t(x);
SELECT cardinality(make_set_digest(x)), hash_counts(make_set_digest(x)) FROM (VALUES 1, 1, 2) t(x);
SELECT intersection_cardinality(make_set_digest(x), make_set_digest(y)), jaccard_index(make_set_digest(x), make_set_digest(y)) FROM (VALUES (1, 1), (NULL, 2), (2, 3), (3, 4)) t(x, y);
SELECT cardinality(merge_set_digest(d)) FROM (SELECT make_set_digest(x) d FROM (VALUES 1, 2) t(x) UNION ALL SELECT make_set_digest(x) FROM (VALUES 2, 3) t(x));

-- where they may stand
SELECT x FROM (VALUES 1) t(x) WHERE count(*) > 0;
SELECT x, count(*) FROM (VALUES 1) t(x);
SELECT sum(x) + x FROM (VALUES 1) t(x);
SELECT count(*) FROM (VALUES 1) t(x) HAVING count(*) > 5;
SELECT 1 FROM (VALUES 1) t(x) HAVING true;
SELECT abs(x) FILTER (WHERE true) FROM (VALUES 1) t(x);
SELECT abs(DISTINCT x) FROM (VALUES 1) t(x);
SELECT lower(x ORDER BY x) FROM (VALUES 'a') t(x);
SELECT count(*) ORDER BY 1;
