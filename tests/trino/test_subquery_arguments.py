"""A scalar subquery in the place of an argument gives what its value in that place gives, for every
function that is listed. Functions are made of expressions that use an argument as often as they
like, and a subquery is planned only once."""
import re

import pytest
from trino.exceptions import TrinoQueryError

#: A value by type, as SHOW FUNCTIONS writes types without their lengths.
VALUES = {
    "bigint": "BIGINT '2'", "integer": "2", "smallint": "SMALLINT '2'", "tinyint": "TINYINT '2'",
    "double": "0.5e0", "real": "REAL '0.5'", "decimal": "1.5", "boolean": "true",
    "varchar": "'UTC'", "char": "CAST('ab' AS char(3))", "varbinary": "X'6162'",
    "json": "JSON '[1, {\"a\": 2}]'", "uuid": "UUID '12151fd2-7586-11e9-8f9e-2a86e4085a59'",
    "ipaddress": "IPADDRESS '10.0.0.1'", "date": "DATE '2024-02-29'",
    "time": "TIME '10:11:12.5'", "time with time zone": "TIME '10:11:12.5 +01:00'",
    "timestamp": "TIMESTAMP '2024-02-29 10:11:12.5'",
    "timestamp with time zone": "TIMESTAMP '2024-02-29 10:11:12.5 Europe/Vienna'",
    "interval day to second": "INTERVAL '26' HOUR", "interval year to month": "INTERVAL '14' MONTH",
    "unknown": "NULL", "t": "2", "e": "2", "s": "2", "u": "2", "any": "2", "k": "'k'", "v": "2",
    "map": "MAP(ARRAY['k', 'l'], ARRAY[2, 3])",
    "map(varchar,double)": "MAP(ARRAY['k', 'l'], ARRAY[2e0, 3e0])",
    "array(array(e))": "ARRAY[ARRAY[2, 1], ARRAY[3]]", "array(varchar)": "ARRAY['b', 'a']",
    "array(double)": "ARRAY[2e0, 1e0]", "array(row(k,v))": "ARRAY[ROW('k', 2)]",
    "array": "ARRAY[2, 1]", "hyperloglog": "approx_set(2)", "tdigest": "tdigest_agg(2e0)",
    "qdigest": "qdigest_agg(2)", "setdigest": "make_set_digest(2)",
    "jsonpath": "'$[0]'", "joniregexp": "'[a-z]'", "color": "color('red')",
    "function(t,boolean)": "x -> x > 1", "function(t,u)": "x -> x + 1",
    "function(t,t,integer)": "(x, y) -> IF(x < y, -1, IF(x > y, 1, 0))",
    "function(s,t,s)": "(s, x) -> s + x", "function(s,r)": "s -> s",
    "function(k,v,boolean)": "(k, v) -> v > 2", "function(k,v1,v2)": "(k, v) -> v + 1",
    "function(k1,v,k2)": "(k, v) -> k || 'x'", "function(t,u,r)": "(x, y) -> x + y",
    "function(k,v1,v2,v3)": "(k, v, w) -> v + w",
    "function(array(varchar),varchar(x))": "g -> upper(g[1])",
}
#: What else a function has to be given, for it to have an answer at all.
GIVEN = {
    "date_trunc": ["'month'"], "date_add": ["'day'"], "date_diff": ["'day'"],
    "date_parse": ["'2024-02-29'", "'%Y-%m-%d'"], "date_format": [None, "'%Y'"],
    "format_datetime": [None, "'yyyy'"], "parse_datetime": ["'2024'", "'yyyy'"],
    "from_base": ["'11'"], "at_timezone": [None, "'Asia/Tokyo'"], "rgb": ["1", "2", "3"],
    "with_timezone": [None, "'Asia/Tokyo'"], "from_iso8601_date": ["'2024-02-29'"],
    "from_iso8601_timestamp": ["'2024-02-29'"], "from_iso8601_timestamp_nanos": ["'2024-02-29'"],
    "from_hex": ["'61'"], "from_base64": ["'YWI='"], "from_base64url": ["'YWI='"],
    "from_base32": ["'MFRA===='"], "from_big_endian_32": ["X'00000001'"],
    "from_big_endian_64": ["X'0000000000000001'"], "from_ieee754_32": ["X'3f800000'"],
    "from_ieee754_64": ["X'3ff0000000000000'"], "json_parse": ["'[1]'"], "split_part": [None, "'b'"],
    "parse_duration": ["'2h'"], "human_readable_seconds": ["90e0"], "split": [None, "'b'"],
    "split_to_map": ["'a=1'", "','", "'='"], "split_to_multimap": ["'a=1'", "','", "'='"],
    "url_extract_parameter": ["'http://a/?b=c'", "'b'"], "contains": [], "chr": ["BIGINT '65'"],
    "to_utf8": [], "width_bucket": ["5e0", "ARRAY[2e0, 9e0]"], "repeat": ["'a'"],
    "sequence": ["1", "3", "1"], "wilson_interval_lower": ["5", "10", "1e0"],
    "wilson_interval_upper": ["5", "10", "1e0"], "parse_data_size": ["'1kB'"],
    "parse_presto_data_size": ["'1kB'"], "from_unixtime_nanos": [], "to_base": [None, "2"],
    "bitwise_right_shift": [], "hamming_distance": [], "array_first": [], "to_iso8601": [],
    "uuid": [], "word_stem": [None, "'en'"], "char2hexint": [], "date": ["'2024-02-29'"],
    "json_extract": [None, "'$[0]'"], "json_size": [None, "'$'"], "color": ["'red'"],
}


def value_of(kind):
    kind = re.sub(r"\((?:[a-z_]+|\d+|[a-z]_[a-z]+,[a-z]_[a-z]+|p,s)\)", "", kind.lower()) \
        if not kind.lower().startswith(("array(", "map(", "function(", "qdigest(")) else kind.lower()
    if kind in VALUES:
        return VALUES[kind]
    return VALUES.get(kind.split("(")[0], VALUES.get(re.sub(r"\d", "", kind)))


def types_of(text):
    """The types in "a(b, c), d"."""
    out, depth = [""], 0
    for c in text:
        depth += (c == "(") - (c == ")")
        if c == "," and depth == 0:
            out.append("")
        else:
            out[-1] += c
    return [t.strip() for t in out if t.strip()]


def calls(functions):
    """(call with plain values, the same with a subquery in one place each)"""
    for name, _, types, kind, deterministic, _ in functions:
        if kind != "scalar" or not deterministic:
            continue
        given = GIVEN.get(name, [])
        args = [given[i] if i < len(given) and given[i] else value_of(t)
                for i, t in enumerate(types_of(types))]
        if not args or None in args:
            continue
        places = [i for i, arg in enumerate(args) if "->" not in arg]
        yield (f"{name}({', '.join(args)})",
               [f"{name}({', '.join(f'(SELECT {a})' if i == at else a for i, a in enumerate(args))})"
                for at in places])


@pytest.fixture
def answer(connect):
    connection = connect(catalog="memory", schema="default")

    def run(*items):
        cursor = connection.cursor()
        try:
            cursor.execute("SELECT " + ", ".join(items))
            return list(map(repr, cursor.fetchall()[0]))
        except TrinoQueryError as error:
            return error.error_name

    return run


def test_every_function_takes_a_subquery_for_an_argument(query, answer):
    differ, answered = [], 0
    for plain, others in calls(query("SHOW FUNCTIONS")):
        together = answer(plain, *others)
        if isinstance(together, list) and len(set(together)) == 1:
            answered += 1
            continue
        expected = answer(plain)
        differ += [f"{other}: {found}, not {expected}" for other in others
                   if (found := answer(other)) != expected]
    assert differ == []
    assert answered > 400
