"""Writes the systematic part of the corpus: what is one pattern over all types or all functions.

    bench/conformance/generate.py

casts.sql, operators.sql, positions.sql, null_arguments.sql and wrong_arguments.sql in
tests/trino/corpus come from here; edit this, not them. The other files are written by hand.
functions.tsv is Trino's SHOW FUNCTIONS (kind, name, arguments, result), kept by record.py.
"""
import re
from pathlib import Path

HERE = Path(__file__).resolve().parent
CORPUS = HERE.parents[1] / "tests" / "trino" / "corpus"

# One ordinary value and one at the edge, of each type.
VALUES = {
    "boolean": ("true", "false"),
    "tinyint": ("TINYINT '12'", "TINYINT '-128'"),
    "smallint": ("SMALLINT '123'", "SMALLINT '-32768'"),
    "integer": ("1234", "-2147483648"),
    "bigint": ("BIGINT '12345678901'", "BIGINT '-9223372036854775808'"),
    "real": ("REAL '1.5'", "REAL '-0.1'"),
    "double": ("1.5E0", "-1E100"),
    "decimal(5,2)": ("DECIMAL '123.45'", "DECIMAL '-999.99'"),
    "decimal(38,10)": ("CAST(DECIMAL '1234567890123456789.0123456789' AS decimal(38,10))",
                       "DECIMAL '-9999999999999999999999999999.9999999999'"),
    "varchar(5)": ("'hello'", "''"),
    "varchar": ("CAST('héllo wörld' AS varchar)", "CAST('' AS varchar)"),
    "char(5)": ("CAST('abc' AS char(5))", "CAST('' AS char(5))"),
    "varbinary": ("X'68656C6C6F'", "X''"),
    "json": ("JSON '{\"a\":[1,2.5,null]}'", "JSON 'null'"),
    "date": ("DATE '2024-02-29'", "DATE '-0001-12-31'"),
    "time(3)": ("TIME '01:02:03.456'", "TIME '23:59:59.999'"),
    "time(0)": ("TIME '01:02:03'", "TIME '00:00:00'"),
    "time(3) with time zone": ("TIME '01:02:03.456 +05:30'", "TIME '23:59:59.999 -14:00'"),
    "timestamp(3)": ("TIMESTAMP '2024-02-29 01:02:03.456'", "TIMESTAMP '1969-12-31 23:59:59.999'"),
    "timestamp(6)": ("TIMESTAMP '2024-02-29 01:02:03.456789'",
                     "TIMESTAMP '0001-01-01 00:00:00.000001'"),
    "timestamp(12)": ("TIMESTAMP '2024-02-29 01:02:03.456789012345'",
                      "TIMESTAMP '9999-12-31 23:59:59.999999999999'"),
    "timestamp(3) with time zone": ("TIMESTAMP '2024-02-29 01:02:03.456 America/New_York'",
                                    "TIMESTAMP '1969-12-31 23:59:59.999 UTC'"),
    "timestamp(6) with time zone": ("TIMESTAMP '2024-02-29 01:02:03.456789 Europe/Paris'",
                                    "TIMESTAMP '2024-10-27 02:30:00.000001 +02:00'"),
    "interval year to month": ("INTERVAL '1-2' YEAR TO MONTH", "INTERVAL '-1' MONTH"),
    "interval day to second": ("INTERVAL '1 02:03:04.567' DAY TO SECOND",
                               "INTERVAL '-1' SECOND"),
    "uuid": ("UUID '12151fd2-7586-11e9-8f9e-2a86e4085a59'",
             "UUID '00000000-0000-0000-0000-000000000000'"),
    "ipaddress": ("IPADDRESS '10.0.0.1'", "IPADDRESS '2001:db8::1'"),
    "array(integer)": ("ARRAY[3, 1, 2]", "ARRAY[1, NULL]"),
    "map(varchar(1),integer)": ("MAP(ARRAY['a', 'b'], ARRAY[1, 2])", "MAP(ARRAY['a'], ARRAY[NULL])"),
    "row(x integer,y varchar)": ("CAST(ROW(1, 'a') AS row(x integer, y varchar))",
                                 "CAST(ROW(NULL, NULL) AS row(x integer, y varchar))"),
}
# Left out where every pair of types is asked: they add a precision, not a kind.
FINER = {"varchar", "decimal(38,10)", "time(0)", "timestamp(12)", "timestamp(6) with time zone"}
ALIKE = {"smallint", "tinyint", "timestamp(6)", "map(varchar(1),integer)", "uuid", "ipaddress"}
NUMBERS = ["tinyint", "smallint", "integer", "bigint", "real", "double", "decimal(5,2)",
           "decimal(38,10)"]
# Texts that are cast to each type: right ones, wrong ones, and those at the edge.
TEXTS = {
    "boolean": ["true", "T", "1", "0", "FALSE", "yes", " true", ""],
    "tinyint": ["127", "-128", "128", "1.0", " 1", "1 ", "+1", ""],
    "smallint": ["32767", "32768", "1e2"],
    "integer": ["2147483647", "2147483648", "0x1F", "1_000", "١"],
    "bigint": ["9223372036854775807", "9223372036854775808", "-0", "abc"],
    "real": ["1.5", "NaN", "Infinity", "-Infinity", "inf", "1e39", "1e-50", "1.5f", " 2 "],
    "double": ["1.5", "NaN", "-Infinity", "1e309", "1d", "0x1p3", ".5", "5.", "", "1,5"],
    "decimal(5,2)": ["123.45", "123.455", "-123.445", "1234.5", "1e2", ".5", "abc", " 1", "+1"],
    "decimal(38,10)": ["1234567890123456789.0123456789", "9999999999999999999999999999.9"],
    "varchar(5)": ["hello world", "", "héé"],
    "char(5)": ["hello world", "a", "a  "],
    "varbinary": ["hello", "é"],
    "json": ["{\"a\": 1}", "not json", "1"],
    "date": ["2024-02-29", "2023-02-29", "2024-2-9", " 2024-02-29 ", "20240229", "-0001-01-01",
             "99999-01-01", "2024-02-29 01:00:00", ""],
    "time(3)": ["01:02:03.456", "01:02", "1:2:3", "24:00:00", "01:02:03.4567", "23:59:59.9999"],
    "time(0)": ["01:02:03.5", "01:02:60"],
    "time(3) with time zone": ["01:02:03.456+05:30", "01:02 +05:30", "01:02:03 UTC", "01:02:03"],
    "timestamp(3)": ["2024-02-29 01:02:03.456", "2024-02-29", "2024-02-29 01:02",
                     "2024-02-29T01:02:03", "2024-02-29 25:00:00", "2024-02-29 01:02:03.4567",
                     "2024-02-29 01:02:03 UTC", "9999-12-31 23:59:59.9999", ""],
    "timestamp(6)": ["2024-02-29 01:02:03.4567895"],
    "timestamp(12)": ["2024-02-29 01:02:03.456789012345", "2024-02-29 01:02:03.4567890123456"],
    "timestamp(3) with time zone": ["2024-02-29 01:02:03.456 America/New_York",
                                    "2024-02-29 01:02:03", "2024-02-29 01:02:03 +05:30",
                                    "2024-02-29 01:02:03+0530", "2024-02-29 01:02:03 Z",
                                    "2024-03-10 02:30:00 America/New_York", "2024-02-29 Nowhere/No",
                                    "2024-02-29 01:02:03 EST"],
    "timestamp(6) with time zone": ["2024-02-29 01:02:03.4567895 UTC"],
    "interval year to month": ["1-2", "1"],
    "interval day to second": ["1 02:03:04.567", "1"],
    "uuid": ["12151fd2-7586-11e9-8f9e-2a86e4085a59", "12151FD2-7586-11E9-8F9E-2A86E4085A59",
             "12151fd2758611e98f9e2a86e4085a59", "x"],
    "ipaddress": ["10.0.0.1", "2001:db8::1", "::ffff:1.2.3.4", "1.2.3", "256.1.1.1"],
    "array(integer)": ["[1,2]"],
}
NOT_FIXED = {"now", "random", "rand", "uuid", "shuffle", "current_date", "current_timezone",
             "current_groups"}


def write(name, title, statements):
    """Statements of one file; a text that starts with -- is a heading or a mark."""
    lines = [f"-- {title}", "-- Written by bench/conformance/generate.py.",
             "-- @session catalog=memory schema=default"]
    known = set()
    for statement in statements:
        if statement.startswith("--"):
            lines += ["", statement] if not statement.startswith("-- @") else [statement]
        elif statement not in known:
            known.add(statement)
            if re.search(r"\bCAST\(TIME '[^']*' AS timestamp", statement):
                lines.append("-- @today")
            lines.append(statement + ";")
    (CORPUS / f"{name}.sql").write_text("\n".join(lines) + "\n")
    print(f"{name}.sql: {sum(line.endswith(';') for line in lines)}")


def quoted(text):
    return "'" + text.replace("'", "''") + "'"


def casts():
    for source, (value, edge) in VALUES.items():
        yield f"-- {source} to every type"
        for target in VALUES:
            if source not in FINER and target not in FINER:
                yield f"SELECT CAST({value} AS {target})"
        for target in VALUES:
            if target in FINER and (source in FINER or source.startswith(target.split("(")[0])):
                yield f"SELECT CAST({value} AS {target}), CAST({edge} AS {target})"
        for target in NUMBERS if source in NUMBERS else ["varchar", "json"]:
            yield f"SELECT TRY_CAST({edge} AS {target})"
    for target, texts in TEXTS.items():
        yield f"-- text to {target}"
        for text in texts:
            yield f"SELECT CAST({quoted(text)} AS {target})"
    yield "-- NULL to every type"
    for target in VALUES:
        yield f"SELECT CAST(NULL AS {target}), TRY_CAST(NULL AS {target})"
    yield "-- numbers with a fraction to whole ones: rounded, and out of range"
    for target in NUMBERS:
        for value in ("2.5E0", "-2.5E0", "DECIMAL '2.5'", "DECIMAL '3.5'", "REAL '3.5'", "1E20",
                      "nan()", "infinity()", "DECIMAL '99999999999999999999'", "128", "-129"):
            yield f"SELECT CAST({value} AS {target})"
    yield "-- lengths of text"
    for value in ("true", "12345678", "1.5E0", "1E100", "REAL '1.5'", "DECIMAL '1.50'",
                  "DATE '2024-02-29'", "TIME '01:02:03.4'", "TIMESTAMP '2024-02-29 01:02:03.456'",
                  "UUID '12151fd2-7586-11e9-8f9e-2a86e4085a59'", "'hello'", "CAST('ab' AS char(4))"):
        for length in (1, 4, 50):
            yield f"SELECT CAST({value} AS varchar({length})), typeof(CAST({value} AS varchar({length})))"
        yield f"SELECT CAST({value} AS char(3))"


def operators():
    yield "-- arithmetic of every number with every other: the result's type"
    for left in NUMBERS:
        for right in NUMBERS:
            for sign in "+-*/%":
                yield f"SELECT {VALUES[left][0]} {sign} {VALUES[right][0]}"
    yield "-- overflow, division by zero, negation"
    for kind in NUMBERS:
        value, edge = VALUES[kind]
        yield f"SELECT -({edge})"
        yield f"SELECT {edge} - {value}"
        yield f"SELECT {edge} * {edge}"
        yield f"SELECT {value} / CAST(0 AS {kind})"
        yield f"SELECT {value} % CAST(0 AS {kind})"
        yield f"SELECT {value} + CAST(NULL AS {kind})"
        yield f"SELECT +({value}), - {value}"
    yield "-- comparison within a type"
    for kind, (value, edge) in VALUES.items():
        yield f"SELECT {value} = {edge}, {value} <> {edge}"
        yield f"SELECT {value} < {edge}, {value} >= {edge}"
        yield f"SELECT {value} IS DISTINCT FROM {value}, {edge} IS NOT DISTINCT FROM NULL"
        yield f"SELECT {value} IN ({edge}, {value}), {value} NOT IN ({edge}, NULL)"
        yield f"SELECT {value} BETWEEN {edge} AND {value}"
        yield f"SELECT {value} = NULL, NULLIF({value}, {value}), NULLIF({value}, {edge})"
        yield f"SELECT greatest({value}, {edge}), least({value}, {edge})"
    yield "-- comparison across types"
    kinds = [kind for kind in VALUES if kind not in FINER]
    for left in kinds:
        for right in kinds:
            if left < right and not {left, right} & ALIKE:
                yield f"SELECT {VALUES[left][0]} = {VALUES[right][0]}"
    yield "-- dates, times and intervals"
    moments = [kind for kind in VALUES if kind.startswith(("date", "time", "interval"))
               and kind not in FINER]
    for left in moments:
        for right in moments:
            for sign in "+-":
                if not (left == right == "date" and sign == "+"):
                    yield f"SELECT {VALUES[left][0]} {sign} {VALUES[right][0]}"
        yield f"SELECT {VALUES[left][0]} * 2"
        yield f"SELECT {VALUES[left][0]} / 2"
        yield f"SELECT - {VALUES[left][0]}"
    yield "-- concatenation"
    for left in ("'a'", "CAST('b' AS varchar)", "CAST('c' AS char(3))", "X'01'", "ARRAY[1]", "1", "NULL"):
        for right in ("'a'", "CAST('b' AS varchar)", "CAST('c' AS char(3))", "X'01'", "ARRAY[1]", "1",
                      "NULL"):
            yield f"SELECT {left} || {right}"


def positions():
    for kind, (value, edge) in VALUES.items():
        table = "t_" + re.sub(r"\W+", "_", kind).strip("_")
        yield f"-- {kind} in every position"
        yield f"SELECT {value}, {edge}"
        yield f"SELECT typeof({value}), typeof(CAST(NULL AS {kind}))"
        yield f"SELECT ARRAY[{value}, NULL, {edge}]"
        yield f"SELECT MAP(ARRAY['k'], ARRAY[{value}])"
        yield f"SELECT MAP(ARRAY[{value}], ARRAY[1])"
        yield f"SELECT ROW({value}, 1), CAST(ROW({value}) AS row(f {kind})).f"
        yield f"SELECT coalesce(NULL, {value}), IF(false, {value}), CASE WHEN true THEN {edge} END"
        yield f"SELECT TRY({value}), count({value}), count(DISTINCT {value})"
        yield f"SELECT x, count(*) FROM (VALUES {value}, {value}, {edge}) t(x) GROUP BY x ORDER BY 2, 1"
        yield f"SELECT DISTINCT x FROM (VALUES {value}, {edge}, {value}, NULL) t(x) ORDER BY x"
        yield f"SELECT x FROM (VALUES {value}, NULL, {edge}) t(x) ORDER BY x DESC NULLS LAST"
        yield f"SELECT min(x), max(x), arbitrary(x) FROM (VALUES {value}, {value}) t(x)"
        yield f"SELECT array_agg(x ORDER BY x) FROM (VALUES {value}, {edge}) t(x)"
        yield f"SELECT max_by(x, y), min_by(x, y) FROM (VALUES ({value}, 1), ({edge}, 2)) t(x, y)"
        yield f"SELECT * FROM UNNEST(ARRAY[{value}, {edge}, NULL]) WITH ORDINALITY"
        yield (f"SELECT a.x FROM (VALUES {value}, {edge}) a(x) "
               f"JOIN (VALUES {edge}) b(x) ON a.x = b.x")
        yield "-- @unordered"
        yield f"SELECT {value} UNION ALL SELECT NULL"
        yield (f"SELECT lag(x) OVER (ORDER BY y), first_value(x) OVER (ORDER BY y) "
               f"FROM (VALUES ({value}, 1), ({edge}, 2)) t(x, y) ORDER BY y")
        yield f"CREATE TABLE {table} (id integer, x {kind})"
        yield f"INSERT INTO {table} VALUES (1, {value}), (2, {edge}), (3, NULL)"
        yield f"SELECT * FROM {table} ORDER BY id"
        yield f"SELECT id FROM {table} WHERE x = {edge}"
        yield f"DESCRIBE {table}"
        yield f"PREPARE p FROM SELECT x FROM {table} WHERE x = ?"
        yield f"EXECUTE p USING {value}"
        yield f"DROP TABLE {table}"
        yield f"SELECT CAST(ARRAY[{value}] AS json)"
        yield f"SELECT approx_distinct({value}), checksum({value})"


def arguments(text):
    """The types between the commas of the outermost level."""
    parts, depth, part = [], 0, ""
    for letter in text:
        depth += (letter == "(") - (letter == ")")
        if letter == "," and depth == 0:
            parts.append(part.strip())
            part = ""
        else:
            part += letter
    return parts + [part.strip()] if part.strip() else parts


def concrete(kind):
    """A type for one with variables in it; None where there is none to write."""
    kind = re.sub(r"\b(decimal)\([a-z_]+,\s?[a-z_]+\)", r"\1(10,2)", kind)
    kind = re.sub(r"\bvarchar\([a-z]\)", "varchar", kind)
    kind = re.sub(r"\bchar\([a-z]\)", "char(5)", kind)
    kind = re.sub(r"\((p)\)", "(3)", kind)
    kind = re.sub(r"\b(joniregexp|jsonpath|codepoints)\b", "varchar", kind)
    kind = re.sub(r"\b(K|k|K1|K2)\b", "varchar", kind)
    return re.sub(r"\b(T|t|E|e|U|V|v|V1|V2|V3|S|R|T\d)\b", "integer", kind)


# What stands for an argument of a type where another one is NULL.
ORDINARY = {"varchar": "'abc'", "integer": "2", "bigint": "2", "double": "0.5E0", "boolean": "true",
            "varbinary": "X'6162'", "date": "DATE '2024-02-29'", "array(integer)": "ARRAY[3, 1, 2]",
            "array(varchar)": "ARRAY['a', 'b']", "array(double)": "ARRAY[1E0, 2E0]",
            "map(varchar,integer)": "MAP(ARRAY['a'], ARRAY[1])", "json": "JSON '[1]'",
            "timestamp(3)": "TIMESTAMP '2024-02-29 01:02:03.456'", "color": "color('red')",
            "timestamp(3) with time zone": "TIMESTAMP '2024-02-29 01:02:03.456 UTC'",
            "smallint": "SMALLINT '2'", "tinyint": "TINYINT '2'", "real": "REAL '0.5'",
            "decimal(10,2)": "DECIMAL '12345678.90'", "char(5)": "CAST('abc' AS char(5))",
            "time(3)": "TIME '01:02:03.456'", "time(3) with time zone": "TIME '01:02:03.456 +01:00'",
            "interval day to second": "INTERVAL '1' DAY", "ipaddress": "IPADDRESS '10.0.0.1'",
            "interval year to month": "INTERVAL '1' MONTH"}
# Texts that mean something to the function, for arguments that are no free text.
MEANT = {"date_add": "'day'", "date_diff": "'day'", "date_trunc": "'day'", "at_timezone": "'UTC'",
         "with_timezone": "'UTC'", "json_extract": "'$'", "json_extract_scalar": "'$'",
         "json_size": "'$'", "from_unixtime": "'UTC'"}


def functions(kinds=("scalar",)):
    for line in (HERE / "functions.tsv").read_text().splitlines():
        kind, name, args, result = (line.split("\t") + [""])[:4]
        if kind in kinds:
            yield name, [concrete(a) for a in arguments(args)]


def typed_null(name, kind):
    if kind.startswith("function("):
        count = len(arguments(kind[len("function("):-1])) - 1
        names = ", ".join("abc"[:count])
        return f"({names}) -> NULL"
    return f"CAST(NULL AS {kind})"


def null_arguments():
    asked = {}
    for name, args in functions():
        asked[name] = asked.get(name, 0) + 1
        if asked[name] > 3:  # what takes every number or moment takes NULL of each alike
            continue
        if name in NOT_FIXED or not args or any(re.search(r"T\d", a) for a in args):
            continue
        simple = [a for a in args if not a.startswith("function(")]
        if not simple:
            continue
        yield f"SELECT {name}({', '.join(typed_null(name, a) for a in args)})"
        if len(args) < 2 or any(a not in ORDINARY for a in args):
            continue
        ordinary = [MEANT.get(name, ORDINARY[a]) if a == "varchar" and name in MEANT else ORDINARY[a]
                    for a in args]
        for place in range(len(args)):
            given = [*ordinary[:place], "NULL", *ordinary[place + 1:]]
            yield f"SELECT {name}({', '.join(given)})"


def wrong_arguments():
    last = None
    for name, _ in functions(("scalar", "aggregate", "window")):
        if name == last:
            continue
        last = name
        zero_allowed = any(not args for n, args in
                           functions(("scalar", "aggregate", "window")) if n == name)
        if not zero_allowed:
            yield f"SELECT {name}()"
        else:
            yield f"SELECT 1,\n  {name}(true, DATE '2024-01-01', 1, 2, 3, 4, 5)"


def main():
    write("casts", "Casts of every type to every type.", casts())
    write("operators", "Operators on every type.", operators())
    write("positions", "Every type in every position.", positions())
    write("null_arguments", "Every scalar function with NULL.", null_arguments())
    write("wrong_arguments", "Every function with arguments it does not take.", wrong_arguments())


if __name__ == "__main__":
    main()
