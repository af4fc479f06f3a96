"""Random SELECT statements in Trino's dialect that have one right answer: for differential.py.

A statement is a tree of Nodes, so that a finding can be made smaller: shrunk() gives every tree in
which one node is replaced by a child of its own type or by a literal. Rows have no order unless an
ORDER BY makes it whole; nothing random, nothing of the clock.
"""
import random

BIGINT, INTEGER, DOUBLE, DECIMAL, TEXT, TRUTH, DAY, MOMENT, LIST = (
    "bigint", "integer", "double", "decimal(12,2)", "varchar", "boolean", "date", "timestamp(3)",
    "array(bigint)")
TYPES = (BIGINT, INTEGER, DOUBLE, DECIMAL, TEXT, TRUTH, DAY, MOMENT, LIST)
ORDERED = (BIGINT, INTEGER, DOUBLE, DECIMAL, TEXT, DAY, MOMENT)

LITERALS = {
    BIGINT: ["BIGINT '0'", "BIGINT '1'", "BIGINT '-7'", "BIGINT '42'", "BIGINT '9223372036854775807'",
             "BIGINT '-9223372036854775808'", "CAST(NULL AS bigint)"],
    INTEGER: ["0", "1", "-1", "3", "12", "2147483647", "-2147483648", "CAST(NULL AS integer)"],
    DOUBLE: ["0E0", "-0E0", "1.5E0", "-2.25E0", "1E300", "nan()", "infinity()", "CAST(NULL AS double)"],
    DECIMAL: ["CAST(0 AS decimal(12,2))", "CAST(1.05 AS decimal(12,2))", "CAST(-99.99 AS decimal(12,2))",
              "CAST(9999999999.99 AS decimal(12,2))", "CAST(NULL AS decimal(12,2))"],
    TEXT: ["CAST('' AS varchar)", "CAST('a' AS varchar)", "CAST('Zoë' AS varchar)",
           "CAST('a,b,,c' AS varchar)", "CAST('  x ' AS varchar)", "CAST('12' AS varchar)",
           "CAST('2024-02-29' AS varchar)", "CAST('%_' AS varchar)", "CAST(NULL AS varchar)"],
    TRUTH: ["true", "false", "CAST(NULL AS boolean)"],
    DAY: ["DATE '2024-02-29'", "DATE '1970-01-01'", "DATE '1899-12-31'", "DATE '9999-12-31'",
          "CAST(NULL AS date)"],
    MOMENT: ["TIMESTAMP '2024-02-29 23:59:59.999'", "TIMESTAMP '1970-01-01 00:00:00.000'",
             "TIMESTAMP '1969-12-31 23:59:59.001'", "CAST(NULL AS timestamp(3))"],
    LIST: ["CAST(ARRAY[] AS array(bigint))", "ARRAY[BIGINT '1', BIGINT '2', BIGINT '1']",
           "ARRAY[BIGINT '3', CAST(NULL AS bigint)]", "CAST(NULL AS array(bigint))"],
}

# (type of the result, text over {0} {1} …, types of the arguments); "*" is any type, the same one
# wherever it stands in a row.
FORMS = [
    *[(t, f"({{0}} {o} {{1}})", (t, t)) for t in (BIGINT, INTEGER, DOUBLE) for o in "+-*/%"],
    *[(t, "(- {0})", (t,)) for t in (BIGINT, INTEGER, DOUBLE, DECIMAL)],
    *[(t, "abs({0})", (t,)) for t in (BIGINT, INTEGER, DOUBLE, DECIMAL)],
    *[(DECIMAL, f"CAST(({{0}} {o} {{1}}) AS decimal(12,2))", (DECIMAL, DECIMAL)) for o in "+-*/%"],
    *[(DOUBLE, f"{name}({{0}})", (DOUBLE,)) for name in
      ("sqrt", "floor", "ceil", "round", "sign", "truncate", "cbrt", "radians")],
    (DOUBLE, "round({0}, {1} % 5)", (DOUBLE, INTEGER)), (DECIMAL, "CAST(round({0}) AS decimal(12,2))", (DECIMAL,)),
    (DOUBLE, "({0} / {1})", (DOUBLE, BIGINT)), (DOUBLE, "({0} * {1})", (DECIMAL, DOUBLE)),
    (BIGINT, "({0} + {1})", (BIGINT, INTEGER)), (BIGINT, "greatest({0}, {1}, {2})", (BIGINT, BIGINT, BIGINT)),
    (BIGINT, "length({0})", (TEXT,)), (BIGINT, "strpos({0}, {1})", (TEXT, TEXT)),
    (BIGINT, "cardinality({0})", (LIST,)), (BIGINT, "element_at({0}, {1})", (LIST, INTEGER)),
    (BIGINT, "array_max({0})", (LIST,)), (BIGINT, "array_position({0}, {1})", (LIST, BIGINT)),
    (BIGINT, "reduce({0}, BIGINT '0', (s, x) -> s + coalesce(x % 100, 1), s -> s)", (LIST,)),
    (BIGINT, "day({0})", (DAY,)), (BIGINT, "week({0})", (DAY,)), (BIGINT, "year_of_week({0})", (DAY,)),
    (BIGINT, "day_of_week({0})", (MOMENT,)), (BIGINT, "hour({0})", (MOMENT,)), (BIGINT, "millisecond({0})", (MOMENT,)),
    *[(BIGINT, f"date_diff('{u}', {{0}}, {{1}})", (k, k)) for k, u in
      ((DAY, "day"), (DAY, "month"), (DAY, "year"), (MOMENT, "hour"), (MOMENT, "month"), (MOMENT, "quarter"))],
    (BIGINT, "bitwise_and({0}, {1})", (BIGINT, BIGINT)), (BIGINT, "levenshtein_distance({0}, {1})", (TEXT, TEXT)),
    (BIGINT, "TRY_CAST({0} AS bigint)", (TEXT,)), (INTEGER, "TRY_CAST({0} AS integer)", (DOUBLE,)),
    (INTEGER, "TRY_CAST({0} AS integer)", (BIGINT,)), (INTEGER, "TRY_CAST({0} AS integer)", (DECIMAL,)),
    (DOUBLE, "CAST({0} AS double)", (BIGINT,)), (DOUBLE, "CAST({0} AS double)", (DECIMAL,)),
    (DECIMAL, "TRY_CAST({0} AS decimal(12,2))", (DOUBLE,)), (DECIMAL, "TRY_CAST({0} AS decimal(12,2))", (TEXT,)),
    (TEXT, "CAST({0} AS varchar)", ("*",)), (TEXT, "({0} || {1})", (TEXT, TEXT)),
    *[(TEXT, f"{name}({{0}})", (TEXT,)) for name in ("upper", "lower", "trim", "reverse", "ltrim", "rtrim")],
    (TEXT, "substr({0}, {1})", (TEXT, INTEGER)), (TEXT, "substr({0}, {1}, {2})", (TEXT, INTEGER, INTEGER)),
    (TEXT, "replace({0}, {1}, {2})", (TEXT, TEXT, TEXT)), (TEXT, "lpad({0}, abs({1} % 20), '*')", (TEXT, INTEGER)),
    (TEXT, "split_part({0}, ',', 1 + abs({1} % 4))", (TEXT, INTEGER)), (TEXT, "regexp_replace({0}, '[aeiou]+', '<$0>')", (TEXT,)),
    (TEXT, "regexp_extract({0}, '([a-z])([a-z]*)', 2)", (TEXT,)), (TEXT, "date_format({0}, '%Y-%m-%d %H:%i:%s')", (MOMENT,)),
    (TEXT, "array_join({0}, '|', '-')", (LIST,)), (TEXT, "json_format(CAST({0} AS json))", (LIST,)),
    (TEXT, "json_format(CAST({0} AS json))", (TEXT,)), (TEXT, "to_hex(md5(to_utf8({0})))", (TEXT,)),
    (TEXT, "typeof({0})", ("*",)), (TEXT, "translate({0}, 'abc', 'xy')", (TEXT,)),
    *[(TRUTH, f"({{0}} {o} {{1}})", ("*", "*")) for o in ("=", "<>", "IS DISTINCT FROM", "IS NOT DISTINCT FROM")],
    *[(TRUTH, f"({{0}} {o} {{1}})", (t, t)) for t in ORDERED for o in ("<", ">=")],
    (TRUTH, "({0} AND {1})", (TRUTH, TRUTH)), (TRUTH, "({0} OR {1})", (TRUTH, TRUTH)), (TRUTH, "(NOT {0})", (TRUTH,)),
    (TRUTH, "({0} IS NULL)", ("*",)), (TRUTH, "({0} BETWEEN {1} AND {2})", (BIGINT, BIGINT, BIGINT)),
    (TRUTH, "({0} IN ({1}, {2}, {3}))", ("*", "*", "*", "*")), (TRUTH, "({0} NOT IN ({1}, {2}))", (TEXT, TEXT, TEXT)),
    (TRUTH, "({0} LIKE '%a_')", (TEXT,)), (TRUTH, "({0} LIKE {1})", (TEXT, TEXT)), (TRUTH, "regexp_like({0}, '^[A-Z].*[0-9]$')", (TEXT,)),
    (TRUTH, "contains({0}, {1})", (LIST, BIGINT)), (TRUTH, "any_match({0}, x -> x > {1})", (LIST, BIGINT)),
    (TRUTH, "starts_with({0}, {1})", (TEXT, TEXT)), (TRUTH, "is_nan({0})", (DOUBLE,)),
    (DAY, "CAST({0} AS date)", (MOMENT,)), (DAY, "date_trunc('month', {0})", (DAY,)), (DAY, "last_day_of_month({0})", (DAY,)),
    (DAY, "date_add('month', {1} % 50, {0})", (DAY, INTEGER)), (DAY, "({0} - INTERVAL '3' DAY)", (DAY,)),
    (DAY, "TRY_CAST({0} AS date)", (TEXT,)), (MOMENT, "CAST({0} AS timestamp(3))", (DAY,)),
    (MOMENT, "date_add('minute', {1} % 100000, {0})", (MOMENT, INTEGER)), (MOMENT, "date_trunc('hour', {0})", (MOMENT,)),
    (MOMENT, "({0} + INTERVAL '2' MONTH)", (MOMENT,)),
    (LIST, "ARRAY[{0}, {1}]", (BIGINT, BIGINT)), (LIST, "({0} || {1})", (LIST, LIST)), (LIST, "array_distinct({0})", (LIST,)),
    (LIST, "array_sort({0})", (LIST,)), (LIST, "slice({0}, 1, abs({1} % 3))", (LIST, INTEGER)), (LIST, "filter({0}, x -> x > {1})", (LIST, BIGINT)),
    (LIST, "transform({0}, x -> x % 5)", (LIST,)), (LIST, "reverse({0})", (LIST,)), (LIST, "array_remove({0}, {1})", (LIST, BIGINT)),
    (LIST, "array_union({0}, {1})", (LIST, LIST)), (LIST, "array_except({0}, {1})", (LIST, LIST)), (LIST, "sequence(BIGINT '1', abs({0} % 9))", (INTEGER,)),
    *[(t, text, (TRUTH, t, t)) for t in TYPES for text in ("CASE WHEN {0} THEN {1} ELSE {2} END", "if({0}, {1}, {2})")],
    *[(t, text, (t, t)) for t in TYPES for text in ("coalesce({0}, {1})", "nullif({0}, {1})")],
    *[(t, "TRY({0})", (t,)) for t in TYPES],
    *[(t, "CASE {0} WHEN {1} THEN {2} END", (BIGINT, BIGINT, t)) for t in TYPES],
]
AGGREGATES = [
    (BIGINT, "count({0})", ("*",)), (BIGINT, "count(DISTINCT {0})", ("*",)), (BIGINT, "count_if({0})", (TRUTH,)),
    (BIGINT, "sum({0} % 1000)", (BIGINT,)), (DOUBLE, "avg({0} % 1000)", (BIGINT,)), (TRUTH, "bool_and({0})", (TRUTH,)), (TRUTH, "every({0})", (TRUTH,)),
    *[(t, f"{name}({{0}})", (t,)) for t in ORDERED if t != DOUBLE for name in ("min", "max")],
    (LIST, "array_sort(array_agg({0}))", (BIGINT,)), (LIST, "array_sort(array_agg(DISTINCT {0}) FILTER (WHERE {1}))", (BIGINT, TRUTH)),
    (TEXT, "listagg({0}, ',') WITHIN GROUP (ORDER BY {0})", (TEXT,)), (BIGINT, "approx_distinct({0}) * 0", (BIGINT,)),
    (BIGINT, "cardinality(histogram({0}))", (TEXT,)), (BIGINT, "bitwise_or_agg({0})", (BIGINT,)), (BIGINT, "sum({0}) FILTER (WHERE {1})", (INTEGER, TRUTH)),
    (DECIMAL, "CAST(sum({0} / 1000) AS decimal(12,2))", (DECIMAL,)),
]
WINDOWS = [
    (BIGINT, "row_number() OVER (PARTITION BY {0} ORDER BY {k})", ("*",)), (BIGINT, "rank() OVER (ORDER BY {0})", (TEXT,)),
    (BIGINT, "dense_rank() OVER (PARTITION BY {0} ORDER BY {1} DESC NULLS FIRST)", (TRUTH, DAY)), (BIGINT, "ntile(3) OVER (ORDER BY {k})", ()),
    (BIGINT, "lag({0}, 2, BIGINT '-1') OVER (ORDER BY {k})", (BIGINT,)), (TEXT, "lead({0}) IGNORE NULLS OVER (ORDER BY {k})", (TEXT,)),
    (TEXT, "first_value({0}) OVER (PARTITION BY {1} ORDER BY {k} ROWS BETWEEN 2 PRECEDING AND CURRENT ROW)", (TEXT, TRUTH)),
    (BIGINT, "sum({0} % 1000) OVER (ORDER BY {k} ROWS BETWEEN UNBOUNDED PRECEDING AND 1 FOLLOWING)", (BIGINT,)),
    (BIGINT, "count({0}) OVER (ORDER BY {1} RANGE UNBOUNDED PRECEDING)", (TEXT, DAY)), (BIGINT, "nth_value({0}, 2) OVER (ORDER BY {k} GROUPS 3 PRECEDING)", (BIGINT,)),
]
# Tables that both sides have alike, the columns by type, the key.
TABLES = [
    ("tpch.tiny.nation", {BIGINT: ["nationkey", "regionkey"], TEXT: ["name"]}, "nationkey"),
    ("tpch.tiny.region", {BIGINT: ["regionkey"], TEXT: ["name"]}, "regionkey"),
    ("(SELECT * FROM tpch.tiny.customer WHERE custkey <= 60)",
     {BIGINT: ["custkey", "nationkey"], TEXT: ["name", "phone", "mktsegment"], DOUBLE: ["acctbal"]}, "custkey"),
    ("(SELECT * FROM tpch.tiny.orders WHERE orderkey <= 300)",
     {BIGINT: ["orderkey", "custkey"], TEXT: ["orderstatus", "orderpriority", "clerk"], DOUBLE: ["totalprice"],
      DAY: ["orderdate"], INTEGER: ["shippriority"]}, "orderkey"),
]


class Node:
    def __init__(self, kind, text, children=(), literal=False):
        self.kind, self.text, self.children, self.literal = kind, text, list(children), literal

    def sql(self):
        return self.text.format(*(child.sql() for child in self.children))

    def shrunk(self):
        """Every tree that has one node less, the boldest first."""
        if not self.literal and self.kind in LITERALS:
            yield Node(self.kind, LITERALS[self.kind][1], literal=True)
        for child in self.children:
            if child.kind == self.kind:
                yield child
        for at, child in enumerate(self.children):
            for smaller in child.shrunk():
                yield Node(self.kind, self.text, [*self.children[:at], smaller, *self.children[at + 1:]],
                           self.literal)


class Maker:
    def __init__(self, seed):
        self.random = random.Random(seed)
        self.aliases = 0

    def pick(self, options):
        return self.random.choice(options)

    def expression(self, kind, scope, depth):
        """A tree of that type over the columns of `scope`, {type: [name, …]}."""
        columns = scope.get(kind, [])
        if depth <= 0 or self.random.random() < 0.15:
            if columns and self.random.random() < 0.75:
                return Node(kind, self.pick(columns), literal=True)
            return Node(kind, self.pick(LITERALS[kind]), literal=True)
        return self.form([f for f in FORMS if f[0] == kind], scope, depth)

    def form(self, forms, scope, depth, **names):
        kind, text, takes = self.pick(forms)
        same = self.pick(TYPES)
        for name, value in names.items():
            text = text.replace(f"{{{name}}}", value)
        return Node(kind, text, [self.expression(same if t == "*" else t, scope, depth - 1)
                                 for t in takes])

    def relation(self, depth):
        """(node, scope, key or None): a table, a join, VALUES, or a query."""
        self.aliases += 1
        alias = f"t{self.aliases}"
        chance = self.random.random()
        if depth > 0 and chance < 0.35:
            return self.join(depth)
        if depth > 0 and chance < 0.5:
            kinds = [self.pick(TYPES) for _ in range(3)]
            inner = self.select(depth - 1, kinds)
            names = [f"c{at}" for at in range(3)]
            scope = {}
            for kind, name in zip(kinds, names):
                scope.setdefault(kind, []).append(f"{alias}.{name}")
            return Node("relation", f"({{0}}) {alias}({', '.join(names)})", [inner]), scope, None
        if chance < 0.65:
            kinds = [BIGINT, *(self.pick(TYPES) for _ in range(3))]
            rows = [Node("row", "(" + ", ".join(f"{{{at}}}" for at in range(4)) + ")",
                         [Node(BIGINT, f"BIGINT '{number}'", literal=True),
                          *(self.expression(kind, {}, 0) for kind in kinds[1:])]) for number in range(4)]
            scope = {}
            for at, kind in enumerate(kinds):
                scope.setdefault(kind, []).append(f"{alias}.c{at}")
            values = ", ".join(f"{{{at}}}" for at in range(4))
            return Node("relation", f"(VALUES {values}) {alias}(c0, c1, c2, c3)", rows), scope, f"{alias}.c0"
        table, columns, key = self.pick(TABLES)
        scope = {kind: [f"{alias}.{name}" for name in names] for kind, names in columns.items()}
        return Node("relation", f"{table} {alias}"), scope, f"{alias}.{key}"

    def join(self, depth):
        left, first, _ = self.relation(depth - 1)
        right, second, _ = self.relation(depth - 1)
        scope = {kind: first.get(kind, []) + second.get(kind, []) for kind in TYPES}
        shared = [kind for kind in TYPES if kind != DOUBLE and first.get(kind) and second.get(kind)]
        if not shared:
            return Node("relation", "{0} CROSS JOIN {1}", [left, right]), scope, None
        kind = self.pick(shared)
        how = self.pick(["JOIN", "LEFT JOIN", "RIGHT JOIN", "FULL JOIN"])
        on = f"{self.pick(first[kind])} = {self.pick(second[kind])}"
        return Node("relation", f"{{0}} {how} {{1}} ON {on}", [left, right]), scope, None

    def select(self, depth, kinds):
        """A query of these types of columns."""
        if depth > 0 and self.random.random() < 0.1:
            word = self.pick(["UNION", "UNION ALL", "INTERSECT", "EXCEPT"])
            return Node("query", f"{{0}} {word} {{1}}", [self.select(depth - 1, kinds) for _ in range(2)])
        source, scope, key = self.relation(depth)
        condition = self.expression(TRUTH, scope, 2)
        where = " WHERE {1}" if self.random.random() < 0.5 else ""
        parts = [source, condition]
        if self.random.random() < 0.35:
            return self.grouped(parts, where, scope, kinds)
        items = [self.form([w for w in WINDOWS if w[0] == kind], scope, 2, k=key)
                 if key and kind in (BIGINT, TEXT) and self.random.random() < 0.25
                 else self.expression(kind, scope, 3) for kind in kinds]
        distinct = "DISTINCT " if self.random.random() < 0.15 else ""
        order = ""
        if key and not distinct and self.random.random() < 0.3:
            order = f" ORDER BY {key} LIMIT 7"
        shown = ", ".join(f"{{{at + 2}}}" for at in range(len(items)))
        text = f"SELECT {distinct}{shown} FROM {{0}}{where}{order}"
        return Node("query", f"({text})" if order else text, [*parts, *items])

    def grouped(self, parts, where, scope, kinds):
        columns = [(kind, name) for kind in scope for name in scope[kind]]
        if not columns or self.random.random() < 0.1:
            group = Node("group", "()")
        elif self.random.random() < 0.5:
            group = Node("group", self.pick(columns)[1])
        else:  # never a bare literal: a number would be the position of a column
            group = Node("expression", "if(true, {0})", [self.expression(self.pick(TYPES), scope, 1)])
        items = []
        for kind in kinds:
            usable = [a for a in AGGREGATES if a[0] == kind]
            items.append(self.form(usable, scope, 2) if usable else
                         Node(kind, "max({0})", [self.expression(kind, scope, 1)]) if kind in ORDERED
                         else Node(kind, "any_value({0}) FILTER (WHERE false)", [self.expression(kind, scope, 1)]))
        shown = ", ".join(f"{{{at + 3}}}" for at in range(len(items)))
        column = group.kind == "group" and group.text != "()"  # sets take nothing else
        sets = self.pick(["GROUP BY {2}", *(["GROUP BY ROLLUP ({2})", "GROUP BY CUBE ({2})",
                                             "GROUP BY GROUPING SETS (({2}), ())"] if column else [])])
        if self.random.random() < 0.4:
            sets += " HAVING count(*) > 1"
        return Node("query", f"SELECT {shown} FROM {{0}}{where} {sets}", [*parts, group, *items])

    def statement(self):
        kinds = [self.pick(TYPES) for _ in range(self.random.randint(1, 3))]
        return self.select(2, kinds)
