-- JSON
-- @session catalog=memory schema=default

-- parsing and writing
SELECT json_parse('{"a": 1, "b": [true, null]}');
SELECT json_parse('[1, 2.50, 1e3]');
SELECT json_parse('x');
SELECT json_parse('');
SELECT json_parse(NULL);
SELECT json_parse('"\u00e9"');
SELECT json_parse(' {"b":1,"a":2} ');
SELECT json_parse('{"a":1,"a":2}');
SELECT json_parse('12345678901234567890123');
SELECT json_parse('1 2');
SELECT json_parse('null');
SELECT json_parse('"é😀"');
SELECT json_parse('[1,]');
SELECT json_parse('{"a":}');
SELECT json_format(JSON '{"b": 1, "a": "x\ty"}');
SELECT json_format(JSON '[1.0, 1e2, -0]');
SELECT json_format(JSON 'null');
SELECT json_format(NULL);
SELECT json_format(JSON '"é/"');
SELECT json_format('a');
SELECT JSON '{"b": 1, "a": 2}', JSON '[1,  2]', JSON '"x"', JSON '1.10', JSON 'true', JSON 'null';
SELECT JSON '{';
SELECT JSON '{"a":1,"b":2}' = JSON '{"b":2,"a":1}', JSON '1' = JSON '1.0', JSON 'null' IS NULL, JSON '[1]' <> JSON '[2]';
SELECT JSON '1' < JSON '2';
SELECT x FROM (VALUES JSON '1', JSON '2') t(x) ORDER BY x;
SELECT x, count(*) FROM (VALUES JSON '{"a":1}', JSON '{ "a": 1 }') t(x) GROUP BY x;
SELECT is_json_scalar(JSON '1');
SELECT is_json_scalar('[1]');
SELECT is_json_scalar('"x"');
SELECT is_json_scalar('null');
SELECT is_json_scalar('x');
SELECT is_json_scalar(NULL);

-- arrays
SELECT json_array_contains('[1, 2]', 2);
SELECT json_array_contains('[1, "a"]', 'a');
SELECT json_array_contains('[1.5]', 1.5E0);
SELECT json_array_contains('[true]', true);
SELECT json_array_contains('[1]', 5);
SELECT json_array_contains('{}', 1);
SELECT json_array_contains('x', 1);
SELECT json_array_contains(NULL, 1);
SELECT json_array_contains('[[1]]', 1);
SELECT json_array_contains(JSON '[1, 2]', 1);
SELECT json_array_get('["a", [3, 9], "c"]', 0);
SELECT json_array_get('["a", [3, 9], "c"]', 1);
SELECT json_array_get('["a"]', -1);
SELECT json_array_get('["a"]', 5);
SELECT json_array_get('{}', 0);
SELECT json_array_get(NULL, 0);
SELECT json_array_get('[null]', 0);
SELECT json_array_get(JSON '[1, {"a": 2}]', 1);
SELECT json_array_length('[1, 2, 3]');
SELECT json_array_length('[]');
SELECT json_array_length('{}');
SELECT json_array_length('x');
SELECT json_array_length(NULL);
SELECT json_array_length(JSON '[1]');

-- the old paths
SELECT json_extract('{"a": {"b": [1, 2]}}', '$.a.b[1]');
SELECT json_extract('{"a": 1}', '$.b');
SELECT json_extract('{"a": null}', '$.a');
SELECT json_extract('{"a b": 1}', '$["a b"]');
SELECT json_extract('[1, 2]', '$[0]');
SELECT json_extract('[1, 2]', '$[5]');
SELECT json_extract('{"a": [1, {"c": 2}]}', '$.a[*].c');
SELECT json_extract('{"a": 1}', '$');
SELECT json_extract('{"a": 1}', 'a');
SELECT json_extract('{"a": 1}', '');
SELECT json_extract('{"a": 1}', '$.');
SELECT json_extract('x', '$.a');
SELECT json_extract(NULL, '$');
SELECT json_extract(JSON '{"a": "x"}', '$.a');
SELECT json_extract('{"a":{"b":1}}', '$..b');
SELECT json_extract('{"a":[1,2,3]}', '$.a[-1]');
SELECT json_extract('{"a":[1,2,3]}', '$.a[0:2]');
SELECT json_extract_scalar('{"a": 1}', '$.a');
SELECT json_extract_scalar('{"a": "x"}', '$.a');
SELECT json_extract_scalar('{"a": [1]}', '$.a');
SELECT json_extract_scalar('{"a": true}', '$.a');
SELECT json_extract_scalar('{"a": null}', '$.a');
SELECT json_extract_scalar('{"a": 1.50}', '$.a');
SELECT json_extract_scalar('[1, 2]', '$[1]');
SELECT json_extract_scalar('{"a": "é\n"}', '$.a');
SELECT json_extract_scalar('x', '$.a');
SELECT json_extract_scalar('{"a": {"b": "c"}}', '$.a.b');
SELECT json_extract_scalar(JSON '"x"', '$');
SELECT json_extract_scalar('{"a": 1e5}', '$.a');
SELECT json_extract_scalar('{"a.b": 1}', '$["a.b"]');
SELECT json_extract_scalar('{"book":{"title":"x"}}', '$.book.title');
SELECT json_size('{"x": {"a": 1, "b": 2}}', '$.x');
SELECT json_size('{"x": [1, 2, 3]}', '$.x');
SELECT json_size('{"x": 1}', '$.x');
SELECT json_size('{"x": 1}', '$.y');
SELECT json_size(JSON '[1]', '$');
SELECT json_size(NULL, '$');

-- casts
SELECT CAST(JSON '1' AS integer), CAST(JSON '"1"' AS integer), CAST(JSON 'true' AS boolean), CAST(JSON '1.5' AS double), CAST(JSON '"x"' AS varchar), CAST(JSON 'null' AS varchar), CAST(JSON '1' AS boolean), CAST(JSON '1.50' AS decimal(5,2)), CAST(JSON '1.5' AS integer);
SELECT CAST(JSON '"x"' AS integer);
SELECT CAST(JSON '[1]' AS integer);
SELECT CAST(JSON '{"a":1}' AS varchar);
SELECT CAST(JSON '1e400' AS double);
SELECT CAST(JSON '[[1, 2], [3]]' AS array(array(integer))), CAST(JSON '{"k1": [1, 23], "k2": 456}' AS map(varchar, json)), CAST(JSON '[1, "x", null]' AS array(json)), CAST(JSON '{"a": {"b": 1}}' AS map(varchar, map(varchar, integer)));
SELECT CAST(JSON '{"a": 1}' AS array(integer));
SELECT CAST(JSON '{"X": 1, "y": 2}' AS row(x integer, y integer)), CAST(JSON '[1]' AS row(x integer));
SELECT CAST(JSON '[1, 2, 3]' AS row(x integer, y integer));
SELECT CAST(JSON '{"x": "a"}' AS row(x integer));
SELECT CAST('{"a":1}' AS json), CAST(1 AS json), CAST(1.5E0 AS json), CAST(DECIMAL '1.50' AS json), CAST(true AS json), CAST(NULL AS json), CAST(DATE '2024-01-01' AS json), CAST(TIMESTAMP '2024-01-01 00:00:00' AS json);
SELECT CAST(nan() AS json);
SELECT CAST(X'01' AS json);
SELECT CAST(ARRAY[ROW(1, 'a')] AS json), CAST(MAP(ARRAY[1, 2], ARRAY['a', 'b']) AS json), CAST(MAP(ARRAY['b', 'a'], ARRAY[1, NULL]) AS json), CAST(ROW(NULL, 1) AS json), CAST(CAST(ROW(1, NULL) AS row("Ab" integer, c varchar)) AS json);
SELECT CAST(TIMESTAMP '2024-01-01 00:00:00 UTC' AS json);
SELECT CAST(UUID '12151fd2-7586-11e9-8f9e-2a86e4085a59' AS json);

-- JSON_EXISTS
SELECT JSON_EXISTS('{"a": [1, 2]}', 'lax $.a[0]'), JSON_EXISTS('{"a": [1, 2]}', 'lax $.b'), JSON_EXISTS('{"a": [1, 2]}', 'strict $.b' FALSE ON ERROR), JSON_EXISTS('{"a": [1, 2]}', 'strict $.b' TRUE ON ERROR), JSON_EXISTS('{"a": 1}', 'strict $.b' UNKNOWN ON ERROR);
SELECT JSON_EXISTS('{"a": [1, 2]}', 'strict $.b' ERROR ON ERROR);
SELECT JSON_EXISTS('not json', 'lax $.a');
SELECT JSON_EXISTS('not json', 'lax $.a' ERROR ON ERROR);
SELECT JSON_EXISTS('[1, 2, 3]', 'lax $[*] ? (@ > 2)'), JSON_EXISTS('[1, 2, 3]', 'lax $[*] ? (@ > $limit)' PASSING 5 AS "limit");
SELECT JSON_EXISTS(NULL, 'lax $');
SELECT JSON_EXISTS('{}', 'nonsense $');

-- JSON_VALUE
SELECT JSON_VALUE('{"a": "x"}', 'lax $.a'), JSON_VALUE('{"a": 1}', 'lax $.a' RETURNING integer), JSON_VALUE('{"a": 1.5}', 'lax $.a' RETURNING double), JSON_VALUE('{"a": true}', 'lax $.a' RETURNING boolean), JSON_VALUE('{"a": 1}', 'lax $.a');
SELECT JSON_VALUE('{"a": [1]}', 'lax $.a'), JSON_VALUE('{}', 'lax $.a'), JSON_VALUE('{}', 'lax $.a' DEFAULT 'none' ON EMPTY), JSON_VALUE('{"a": [1, 2]}', 'lax $.a[*]' DEFAULT 'bad' ON ERROR);
SELECT JSON_VALUE('{}', 'lax $.a' ERROR ON EMPTY);
SELECT JSON_VALUE('{"a": [1, 2]}', 'lax $.a' ERROR ON ERROR);
SELECT JSON_VALUE('{"a": "x"}', 'lax $.a' RETURNING integer ERROR ON ERROR);
SELECT JSON_VALUE('{"a": "x"}', 'lax $.a' RETURNING integer NULL ON ERROR);
SELECT JSON_VALUE('[1, 2, 3]', 'lax $.size()' RETURNING integer), JSON_VALUE('[-1]', 'lax $[0].abs()' RETURNING integer), JSON_VALUE('[1.5]', 'lax $[0].floor()'), JSON_VALUE('[1.5]', 'lax $[0].ceiling()'), JSON_VALUE('["1.5"]', 'lax $[0].double()' RETURNING double), JSON_VALUE('["x"]', 'lax $[0].type()');
SELECT JSON_VALUE('[1, 2, 3]', 'lax $[last]'), JSON_VALUE('[1, 2, 3]', 'lax $[0] + 5'), JSON_VALUE('[7]', 'lax $[0] % 4'), JSON_VALUE('{"a": 2}', 'lax -$.a');
SELECT JSON_VALUE('{"a": 1}', 'lax $.a' RETURNING varchar(3)), JSON_VALUE('{"a": "abcd"}', 'lax $.a' RETURNING varchar(2)), JSON_VALUE('{"a": "2024-01-01"}', 'lax $.a' RETURNING date);
SELECT JSON_VALUE(X'7B2261223A317D' FORMAT JSON ENCODING UTF8, 'lax $.a');
SELECT JSON_VALUE(JSON '{"a": 1}', 'lax $.a');
SELECT JSON_VALUE('{"a": null}', 'lax $.a'), JSON_VALUE('{"a": [1]}', 'lax $.a[0]'), JSON_VALUE('[{"a": 1}]', 'lax $.a');

-- JSON_QUERY
SELECT JSON_QUERY('{"a": [1, 2]}', 'lax $.a'), JSON_QUERY('{"a": 1}', 'lax $.a'), JSON_QUERY('{"a": [1, 2]}', 'lax $.a[*]' WITH ARRAY WRAPPER), JSON_QUERY('{"a": "x"}', 'lax $.a' WITH CONDITIONAL ARRAY WRAPPER), JSON_QUERY('{"a": [1]}', 'lax $.a' WITH UNCONDITIONAL ARRAY WRAPPER);
SELECT JSON_QUERY('{"a": "x"}', 'lax $.a' KEEP QUOTES), JSON_QUERY('{"a": "x"}', 'lax $.a' OMIT QUOTES), JSON_QUERY('{"a": "x"}', 'lax $.a' OMIT QUOTES ON SCALAR STRING);
SELECT JSON_QUERY('{"a": [1, 2]}', 'lax $.a[*]'), JSON_QUERY('{}', 'lax $.a' EMPTY ARRAY ON EMPTY), JSON_QUERY('{}', 'lax $.a' EMPTY OBJECT ON EMPTY), JSON_QUERY('{"a": [1, 2]}', 'lax $.a[*]' EMPTY ARRAY ON ERROR);
SELECT JSON_QUERY('{}', 'lax $.a' ERROR ON EMPTY);
SELECT JSON_QUERY('{"a": [1, 2]}', 'lax $.a[*]' ERROR ON ERROR);
SELECT JSON_QUERY('{"a": 1}', 'lax $.a' RETURNING varchar(5)), typeof(JSON_QUERY('{"a": 1}', 'lax $.a')), typeof(JSON_VALUE('{"a": 1}', 'lax $.a'));
SELECT JSON_QUERY('{"a": {"b": 1}, "c": {"b": 2}}', 'lax $.*.b' WITH ARRAY WRAPPER), JSON_QUERY('{"a": {"b": 1}, "c": {"b": 2}}', 'lax $..b' WITH ARRAY WRAPPER), JSON_QUERY('[1, 2, 3, 4]', 'lax $[1 to 2]' WITH ARRAY WRAPPER), JSON_QUERY('[1, 2, 3, 4]', 'lax $[0, 3]' WITH ARRAY WRAPPER), JSON_QUERY('[1, 2, 3]', 'lax $[*] ? (@ >= 2 && @ < 3)' WITH ARRAY WRAPPER);
SELECT JSON_QUERY('[{"n": "ab"}, {"n": "cb"}]', 'lax $[*] ? (@.n starts with "a")' WITH ARRAY WRAPPER), JSON_QUERY('{"a": 1}', 'lax $.keyvalue()' WITH ARRAY WRAPPER), JSON_QUERY('[1, "a", null]', 'lax $[*].type()' WITH ARRAY WRAPPER), JSON_QUERY('[{"a":1},{}]', 'lax $[*] ? (exists(@.a))' WITH ARRAY WRAPPER);
SELECT JSON_QUERY('[1]', 'lax $[*] ? (@ like_regex "a")');

-- JSON_OBJECT and JSON_ARRAY
SELECT JSON_OBJECT('a' : 1, 'b' VALUE 'x'), JSON_OBJECT(KEY 'a' VALUE true), JSON_OBJECT(), JSON_OBJECT('a' : NULL), JSON_OBJECT('a' : NULL ABSENT ON NULL), JSON_OBJECT('a' : 1.5, 'b' : DATE '2024-01-01');
SELECT JSON_OBJECT('a' : '[1]' FORMAT JSON);
SELECT JSON_OBJECT('a' : JSON_ARRAY(1, 2));
SELECT JSON_OBJECT('a' : 1 RETURNING varchar(20));
SELECT JSON_OBJECT('a' : ARRAY[1]);
SELECT JSON_OBJECT('a' : 1, 'a' : 2 WITH UNIQUE KEYS);
SELECT JSON_OBJECT('a' : 1, 'a' : 2 WITHOUT UNIQUE KEYS);
SELECT JSON_OBJECT(NULL : 1);
SELECT JSON_OBJECT(1 : 1);
SELECT JSON_ARRAY(1, 'a', true, NULL), JSON_ARRAY(1, NULL NULL ON NULL), JSON_ARRAY(), JSON_ARRAY('[1]' FORMAT JSON), JSON_ARRAY(1.50, 1E0, DATE '2024-01-01'), typeof(JSON_ARRAY(1));

-- JSON_TABLE
SELECT * FROM JSON_TABLE('[{"id": 1, "n": "a"}, {"id": 2}]', 'lax $[*]' COLUMNS (id integer PATH 'lax $.id', n varchar PATH 'lax $.n'));
SELECT * FROM JSON_TABLE('[1, 2]', 'lax $[*]' COLUMNS (row_number FOR ORDINALITY, x integer PATH 'lax $'));
SELECT * FROM JSON_TABLE('[{"a": [1, 2]}, {"a": []}]', 'lax $[*]' COLUMNS (NESTED PATH 'lax $.a[*]' COLUMNS (x integer PATH 'lax $')));
SELECT t.x FROM (VALUES '[1, 2]', '[3]') v(j), JSON_TABLE(v.j, 'lax $[*]' COLUMNS (x integer PATH 'lax $')) t ORDER BY 1;
SELECT * FROM JSON_TABLE('{"a": {"b": 1}}', 'lax $' COLUMNS (j varchar FORMAT JSON PATH 'lax $.a', d varchar PATH 'lax $.z' DEFAULT 'none' ON EMPTY));
