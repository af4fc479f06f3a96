-- JSON_TABLE
-- @session catalog=memory schema=default
-- @unordered
SELECT * FROM JSON_TABLE('[{"a": 1.5, "b": true, "c": "2020-01-01"}, {"a": null}]', 'lax $[*]' COLUMNS(a decimal(5,2), b boolean PATH 'lax $.b', c date PATH 'lax $.c', d bigint PATH 'lax $.a.size()'));
SELECT * FROM JSON_TABLE('{"a": 1, "b": [1, 2]}', 'lax $' COLUMNS(a integer PATH 'lax $.a', n FOR ORDINALITY, b varchar FORMAT JSON PATH 'lax $.b', c varchar));
-- @unordered
SELECT * FROM JSON_TABLE('[1, 2, 3]', 'lax $[*]' COLUMNS(n FOR ORDINALITY, v integer PATH 'lax $'));
-- @unordered
SELECT * FROM JSON_TABLE('{"o": [{"id": 1, "i": ["x", "y"]}, {"id": 2, "i": []}]}', 'lax $.o[*]' AS root COLUMNS(id integer PATH 'lax $.id', NESTED PATH 'lax $.i[*]' AS item COLUMNS(k FOR ORDINALITY, v varchar PATH 'lax $')));
-- @unordered
SELECT * FROM JSON_TABLE('{"o": [{"id": 1, "i": ["x", "y"], "j": [7]}, {"id": 2, "i": [], "j": [8, 9]}]}', 'lax $.o[*]' COLUMNS(id integer PATH 'lax $.id', NESTED PATH 'lax $.i[*]' COLUMNS(v varchar PATH 'lax $'), NESTED PATH 'lax $.j[*]' COLUMNS(w integer PATH 'lax $')));
-- @unordered
SELECT * FROM JSON_TABLE('{"o": [{"id": 1, "i": ["x", "y"], "j": [7]}, {"id": 2, "i": [], "j": [8, 9]}]}', 'lax $.o[*]' AS r COLUMNS(id integer PATH 'lax $.id', NESTED PATH 'lax $.i[*]' AS a COLUMNS(v varchar PATH 'lax $'), NESTED PATH 'lax $.j[*]' AS b COLUMNS(w integer PATH 'lax $')) PLAN DEFAULT(INNER, CROSS));
-- @unordered
SELECT * FROM JSON_TABLE('{"o": [{"id": 1, "i": ["x", "y"], "j": [7]}, {"id": 2, "i": [], "j": [8, 9]}]}', 'lax $.o[*]' AS r COLUMNS(id integer PATH 'lax $.id', NESTED PATH 'lax $.i[*]' AS a COLUMNS(v varchar PATH 'lax $'), NESTED PATH 'lax $.j[*]' AS b COLUMNS(w integer PATH 'lax $')) PLAN (r OUTER (a CROSS b)));
SELECT * FROM JSON_TABLE('{"a": "x"}', 'lax $' COLUMNS(a integer PATH 'lax $.a', b integer PATH 'lax $.b' DEFAULT -1 ON EMPTY, c integer PATH 'lax $.a' DEFAULT -2 ON ERROR));
SELECT * FROM JSON_TABLE('{"a": "x"}', 'lax $' COLUMNS(a integer PATH 'lax $.a') ERROR ON ERROR);
SELECT * FROM JSON_TABLE('{"a": "x"}', 'lax $' COLUMNS(a integer PATH 'lax $.a' ERROR ON ERROR));
SELECT * FROM JSON_TABLE('not json', 'lax $' COLUMNS(a integer PATH 'lax $.a'));
SELECT * FROM JSON_TABLE('not json', 'lax $' COLUMNS(a integer PATH 'lax $.a') ERROR ON ERROR);
SELECT * FROM JSON_TABLE('not json', 'lax $' COLUMNS(a integer PATH 'lax $.a') EMPTY ON ERROR);
SELECT * FROM JSON_TABLE('{"a": 1}', 'strict $.z' COLUMNS(a integer PATH 'lax $.a') ERROR ON ERROR);
SELECT * FROM JSON_TABLE('{"a": 1}', 'strict $.z' COLUMNS(a integer PATH 'lax $.a'));
SELECT * FROM JSON_TABLE(CAST(NULL AS varchar), 'lax $' COLUMNS(a integer PATH 'lax $.a'));
-- @unordered
SELECT * FROM (VALUES '[1,2]', '[3]', NULL) t(j), JSON_TABLE(j, 'lax $[*]' COLUMNS(v integer PATH 'lax $')) jt;
-- @unordered
SELECT * FROM (VALUES '[1,2]', '[]') t(j) LEFT JOIN JSON_TABLE(j, 'lax $[*]' COLUMNS(v integer PATH 'lax $')) ON true;
SELECT * FROM (VALUES '[1,2]', '[]') t(j) LEFT JOIN JSON_TABLE(j, 'lax $[*]' COLUMNS(v integer PATH 'lax $')) ON v = 1;
SELECT * FROM JSON_TABLE(1, 'lax $' COLUMNS(a integer PATH 'lax $.a'));
SELECT * FROM JSON_TABLE(JSON '{"a":1}', 'lax $' COLUMNS(a integer PATH 'lax $.a'));
SELECT * FROM JSON_TABLE('{"a":1}', 'lax $' COLUMNS(a integer PATH 'lax $.a', a integer PATH 'lax $.a'));
SELECT * FROM JSON_TABLE('{"a":1}', 'lax $' COLUMNS(a nosuch PATH 'lax $'));
SELECT * FROM JSON_TABLE('{"a":[1]}', 'lax $' COLUMNS(a varchar FORMAT JSON PATH 'lax $.a[*]' WITH WRAPPER, b varchar FORMAT JSON PATH 'lax $.z' EMPTY ARRAY ON EMPTY, c varchar FORMAT JSON PATH 'lax $.s' KEEP QUOTES));
-- @unordered
SELECT * FROM JSON_TABLE('[1,2,3]', 'lax $[*] ? (@ > $m)' PASSING 1 AS "m" COLUMNS(a integer PATH 'lax $'));
-- @unordered
SELECT t.a FROM JSON_TABLE('[1,2,3]', 'lax $[*]' COLUMNS(a integer PATH 'lax $')) AS t(a);
-- @unordered
SELECT * FROM JSON_TABLE('[null, 1]', 'lax $[*]' COLUMNS(a integer PATH 'lax $', b varchar FORMAT JSON PATH 'lax $'));
SELECT * FROM JSON_TABLE('{"A": 1}', 'lax $' COLUMNS(A integer, "A" integer));
SELECT * FROM JSON_TABLE('[]', 'lax $' COLUMNS(NESTED PATH 'lax $[*]' COLUMNS(a integer PATH 'lax $')));
SELECT * FROM JSON_TABLE('[]', 'lax $' AS a COLUMNS(x FOR ORDINALITY, NESTED PATH 'lax $[*]' AS b COLUMNS(a integer PATH 'lax $')) PLAN (a INNER c));
SELECT * FROM JSON_TABLE('[]', 'lax $' COLUMNS(x FOR ORDINALITY, NESTED PATH 'lax $[*]' AS b COLUMNS(a integer PATH 'lax $')) PLAN (a INNER b));
