"""Random statements on a lake table and on a DuckDB table in this process: both hold the same rows
after every step, and PyIceberg reads the same in the end. What fails tells its seed:

    MEESH_SEED=42 pytest tests/lake/test_random.py
"""
import collections
import dataclasses
import datetime as dt
import os
import random
import struct
import uuid

import duckdb
import pytest
import trino

STEPS = 30
SEEDS = [int(os.environ["MEESH_SEED"])] if "MEESH_SEED" in os.environ else [1, 2, 3, 4]
NAMES = ["a", "b", "c", "d", "größe", "two words", "a_bucket", "day", "東京"]
MOST_COLUMNS, MOST_ROWS = 7, 200

# Types as Trino writes them, with what DuckDB calls them and values that are edges somewhere: of
# the type, of bounds that are cut after 16 characters, of paths that partitions make.
DUCK_TYPES = {"timestamp(6)": "TIMESTAMP", "timestamp(6) with time zone": "TIMESTAMPTZ",
              "time(6)": "TIME", "varbinary": "BLOB"}
INTEGERS = ["-2147483648", "-7", "-1", "0", "1", "7", "34", "2147483647"]
REALS = ["-1.5", "-0.0", "0.0", "0.1", "1.5", "7", "NaN", "Infinity", "-Infinity"]
DECIMALS = ["-9999999.99", "-0.01", "0.00", "0.01", "1.50", "12.00", "9999999.99"]
TIMES = ["0001-01-01 00:00:00", "1969-12-31 23:59:59.999999", "1970-01-01 00:00:00",
         "2024-02-29 12:00:00.5", "2025-01-15 08:30:00", "9999-12-31 23:59:59.999999"]
VALUES = {
    "boolean": ["true", "false"],
    "integer": INTEGERS,
    "bigint": INTEGERS + ["-9223372036854775808", "5000000000", "9223372036854775807"],
    "real": REALS + ["3.4028235E38"],
    "double": REALS + ["1E-300"],
    "decimal(9, 2)": DECIMALS,
    "decimal(18, 2)": DECIMALS + ["9999999999999999.99"],
    "decimal(38, 2)": DECIMALS + ["-999999999999999999999999999999999999.99"],
    "date": [time.split()[0] for time in TIMES],
    "time(6)": ["00:00:00", "08:30:00.5", "23:59:59.999999"],
    "timestamp(6)": TIMES,
    "timestamp(6) with time zone": TIMES,
    "varchar": ["", "a", "A", "ab", "it''s", "Zoë", "東京", "🚀", "a/b=c %2F", "NULL",
                "__HIVE_DEFAULT_PARTITION__", "a long text that goes on", "\U0010ffff" * 17],
    "varbinary": ["", "00", "00FF", "FF", "FF" * 17, "61"],
    "uuid": ["00000000-0000-0000-0000-000000000000", "f47ac10b-58cc-4372-a567-0e02b2c3d479",
             "ffffffff-ffff-ffff-ffff-ffffffffffff"],
}
WIDER = {"integer": ["bigint"], "real": ["double"], "decimal(9, 2)": ["decimal(18, 2)",
                                                                      "decimal(38, 2)"],
         "decimal(18, 2)": ["decimal(38, 2)"]}
FLOATS = {"real", "double"}
DATES = {"date", "timestamp(6)", "timestamp(6) with time zone"}
EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.timezone.utc)


@dataclasses.dataclass
class Column:
    name: str
    kind: str
    id: int

    @property
    def quoted(self):
        return f'"{self.name}"'


@dataclasses.dataclass(frozen=True)
class Sql:
    """The same in Trino's words and in DuckDB's."""
    ours: str
    duck: str

    def __add__(self, other):
        other = both(other)
        return Sql(self.ours + other.ours, self.duck + other.duck)

    def __radd__(self, other):
        return both(other) + self


def both(text):
    return text if isinstance(text, Sql) else Sql(text, text)


def joined(separator, parts):
    parts = [both(part) for part in parts]
    return Sql(separator.join(part.ours for part in parts),
               separator.join(part.duck for part in parts))


def cast(value, kind):
    return "CAST(" + both(value) + " AS " + Sql(kind, DUCK_TYPES.get(kind, kind)) + ")"


def literal(kind, text):
    if kind == "varbinary":
        return both(f"from_hex('{text}')")
    if kind == "timestamp(6) with time zone":
        return Sql(f"TIMESTAMP '{text} UTC'", f"TIMESTAMPTZ '{text}+00'")
    return cast(f"'{text}'", kind)


def comparable(kind, value):
    """A value of the Trino client, DuckDB or Arrow in one form. Zeros are equal: what is sorted
    loses their sign, as DuckDB's ORDER BY does it."""
    if value is None:
        return None
    if kind in FLOATS:
        return "NaN" if value != value else struct.unpack("<f", struct.pack("<f", value))[0] \
            if kind == "real" else value
    if kind == "timestamp(6) with time zone" and not isinstance(value, int):
        return (value - EPOCH) // dt.timedelta(microseconds=1)
    if kind == "varbinary":
        return bytes(value)
    if kind == "uuid":
        return value.hex() if isinstance(value, bytes) else uuid.UUID(str(value)).hex
    return value


class Mismatch(AssertionError):
    """With the seed and the statements, to do it again."""


class Run:
    """One sequence on the lake table `space`.`t<seed>` and on DuckDB's `t`."""

    def __init__(self, seed, sql, space):
        self.seed, self.sql, self.random = seed, sql, random.Random(seed)
        self.table = f"{space}.t{seed}"
        self.hidden = lambda name: f'{space}."t{seed}${name}"'
        self.duck = duckdb.connect()
        self.log, self.columns, self.last_id, self.head = [], [], 0, None
        # Ids of columns: in any of the table's partition specs, in the newest, in its sort order.
        self.bound_for_good, self.partitioned_by, self.sorted_by = set(), set(), set()
        self.kept = {}  # snapshot → (DuckDB's copy of it, its columns)
        self.copies = 0

    # ------------------------------------------------------------- statements

    def fail(self, why, last="", cause=None):
        statements = "".join(f"{text};\n" for text in [*self.log, last] if text)
        raise Mismatch(f"{why}\nMEESH_SEED={self.seed} runs this again:\n{statements}") from cause

    def lake(self, text, log=True):
        if log:
            self.log.append(text)
        try:
            return self.sql(text)
        except Exception as error:
            self.fail(str(error), "" if log else text, error)

    def model(self, text):
        return self.duck.execute(text).fetchall()

    def change(self, statement):
        """Runs it on both sides, where it must change as many rows."""
        ours = self.lake(statement.ours)
        theirs = self.model(statement.duck)
        if theirs and ours != theirs:
            self.fail(f"{ours} rows changed, and {theirs} in DuckDB")

    def target(self, before, after=""):
        return before + Sql(self.table, "t") + after

    # ------------------------------------------------------------- fragments

    def value(self, column, nulls=True):
        if nulls and self.random.random() < 0.15:
            return cast("NULL", column.kind)
        return literal(column.kind, self.random.choice(VALUES[column.kind]))

    def pick(self, kinds=None):
        return self.random.choice([c for c in self.columns if kinds is None or c.kind in kinds])

    def simple_condition(self, before):
        column = self.pick()
        name, kind = before + column.quoted, self.random.randrange(10)
        if kind == 0:
            return both(f"{name} IS NULL")
        if kind == 1:
            return both(f"{name} IS NOT NULL")
        if kind == 2:
            return f"{name} IS NOT DISTINCT FROM " + self.value(column)
        if kind == 3:
            values = [self.value(column, nulls=False) for _ in range(self.random.randint(1, 3))]
            return f"{name} IN (" + joined(", ", values) + ")"
        if kind == 4:
            return (f"{name} BETWEEN " + self.value(column, nulls=False) + " AND "
                    + self.value(column, nulls=False))
        if kind == 5 and column.kind == "varchar":
            pattern = self.random.choice(["a%", "Zo%", "東%", "%b%", "\U0010ffff" * 16 + "%"])
            return both(f"{name} {self.random.choice(['LIKE', 'NOT LIKE'])} '{pattern}'")
        # NaN is larger than all numbers and equal to itself, as in DuckDB.
        operator = self.random.choice(["=", "<>", "<", "<=", ">", ">="])
        return f"{name} {operator} " + self.value(column, nulls=False)

    def condition(self, before=""):
        kind = self.random.randrange(6)
        if kind == 0:
            return "NOT (" + self.condition(before) + ")"
        if kind == 1:
            return ("(" + self.simple_condition(before) + self.random.choice([" AND ", " OR "])
                    + self.condition(before) + ")")
        return self.simple_condition(before)

    def transform(self, column):
        """A partition field on the column, as the property `partitioning` has it."""
        name, kind = column.quoted, column.kind
        choices = [name]
        taken = {other.name for other in self.columns}
        if kind not in FLOATS | {"boolean"} and f"{column.name}_bucket" not in taken:
            choices.append(f"bucket({name}, {self.random.choice([1, 3, 16])})")
        if kind in {"integer", "bigint", "varchar", "varbinary"} or kind.startswith("decimal"):
            choices.append(f"truncate({name}, {self.random.choice([1, 3, 10])})")
        if kind in DATES:
            choices += [f"year({name})", f"month({name})", f"day({name})"]
        if kind in DATES - {"date"}:
            choices.append(f"hour({name})")
        return self.random.choice(choices)

    def partitioning(self):
        chosen = self.random.sample(self.columns, min(self.random.randrange(3), len(self.columns)))
        self.partitioned_by = {column.id for column in chosen}
        fields = ", ".join(f"'{self.transform(column)}'" for column in chosen)
        return f"partitioning = ARRAY[{fields}]"

    def ordering(self):
        chosen = self.random.sample(self.columns, min(self.random.randrange(3), len(self.columns)))
        self.sorted_by = {column.id for column in chosen}
        terms = [f"'{c.quoted}{self.random.choice(['', ' DESC', ' ASC NULLS LAST'])}'"
                 for c in chosen]
        return f"sorted_by = ARRAY[{', '.join(terms)}]"

    def fresh_column(self):
        name = self.random.choice([n for n in NAMES if n not in {c.name for c in self.columns}])
        self.last_id += 1
        return Column(name, self.random.choice(list(VALUES)), self.last_id)

    def names(self, columns=None):
        return ", ".join(column.quoted for column in columns or self.columns)

    # ------------------------------------------------------------- steps

    def create(self):
        for _ in range(self.random.randint(2, 5)):
            self.columns.append(self.fresh_column())
        if self.random.random() < 0.4:
            rows = [self.row(cast) for _ in range(self.random.randint(1, 5))]
            query = (" AS SELECT * FROM (VALUES " + joined(", ", rows)
                     + f") AS v({self.names()})")
            self.change(self.target("CREATE TABLE ", Sql(f" WITH ({self.partitioning()})", "")
                                    + query))
        else:
            declared = joined(", ", [f"{c.quoted} " + Sql(c.kind, DUCK_TYPES.get(c.kind, c.kind))
                                     for c in self.columns])
            with_ = f" WITH ({self.partitioning()}, {self.ordering()})"
            self.change(self.target("CREATE TABLE ", " (" + declared + ")" + Sql(with_, "")))
        self.bound_for_good |= self.partitioned_by

    def row(self, typed=lambda value, kind: value):
        return "(" + joined(", ", [typed(self.value(c), c.kind) for c in self.columns]) + ")"

    def insert(self):
        rows = [self.row() for _ in range(self.random.randint(1, 8))]
        self.change(self.target("INSERT INTO ", f" ({self.names()}) VALUES " + joined(", ", rows)))

    def insert_what_is_there(self):
        if self.model("SELECT count(*) FROM t")[0][0] > MOST_ROWS:
            return
        chosen = self.random.sample(self.columns, self.random.randint(1, len(self.columns)))
        self.change(self.target("INSERT INTO ", f" ({self.names(chosen)}) ") + self.target(
            f"SELECT {self.names(chosen)} FROM ", " WHERE " + self.condition()))

    def delete(self):
        self.change(self.target("DELETE FROM ", " WHERE " + self.condition()))

    def new_value(self, column):
        kind = self.random.randrange(4)
        twins = [c for c in self.columns if c.kind == column.kind]
        if kind == 0:
            return both(self.random.choice(twins).quoted)
        if kind == 1:
            return f"coalesce({column.quoted}, " + self.value(column) + ")"
        if kind == 2:
            return ("CASE WHEN " + self.condition() + " THEN " + self.value(column)
                    + f" ELSE {column.quoted} END")
        return self.value(column)

    def update(self):
        chosen = self.random.sample(self.columns, self.random.randint(1, min(2, len(self.columns))))
        sets = [f"{column.quoted} = " + self.new_value(column) for column in chosen]
        self.change(self.target("UPDATE ", " SET " + joined(", ", sets) + " WHERE "
                                + self.condition()))

    def merge(self):
        if len(self.columns) < 2 or not any(c.kind not in FLOATS for c in self.columns):
            return
        key = self.pick(set(VALUES) - FLOATS)
        other = self.random.choice([c for c in self.columns if c is not key])
        keys = self.random.sample(VALUES[key.kind], self.random.randint(1, 2))
        rows = ["(" + literal(key.kind, k) + ", " + self.value(other) + ")" for k in keys]
        cases = self.random.sample([
            " WHEN MATCHED AND s.v IS NULL THEN DELETE",
            " WHEN MATCHED AND " + self.condition("m.") + f" THEN UPDATE SET {other.quoted} = s.v",
            f" WHEN NOT MATCHED THEN INSERT ({key.quoted}, {other.quoted}) VALUES (s.k, s.v)"],
            self.random.randint(1, 3))
        # The last one has no condition, so nothing may follow it in its kind.
        if self.random.random() < 0.3:
            cases.append(" WHEN MATCHED THEN " + self.random.choice(
                ["DELETE", f"UPDATE SET {other.quoted} = s.v"]))
        self.change(self.target("MERGE INTO ", " AS m USING (VALUES ") + joined(", ", rows)
                    + f") AS s(k, v) ON m.{key.quoted} = s.k" + joined("", cases))

    def truncate(self):
        self.lake(f"TRUNCATE TABLE {self.table}")
        self.model("TRUNCATE TABLE t")

    def add_column(self):
        if len(self.columns) == MOST_COLUMNS:
            return
        column = self.fresh_column()
        self.change(self.target("ALTER TABLE ", f" ADD COLUMN {column.quoted} " + Sql(
            column.kind, DUCK_TYPES.get(column.kind, column.kind))))
        self.columns.append(column)

    def drop_column(self):
        column = self.pick()
        statement = self.target("ALTER TABLE ", f" DROP COLUMN {column.quoted}")
        if len(self.columns) == 1 or column.id in self.bound_for_good | self.sorted_by:
            # As in Trino, a table keeps what it is or was partitioned or is sorted by.
            try:
                self.sql(statement.ours)
            except trino.exceptions.TrinoUserError as error:
                if error.error_name != "NOT_SUPPORTED":
                    self.fail(str(error), statement.ours, error)
            else:
                self.fail("this must be refused", statement.ours)
            return
        self.change(statement)
        self.columns.remove(column)

    def rename_column(self):
        column = self.pick()
        taken = {c.name for c in self.columns}
        name = self.random.choice([n for n in NAMES if n not in taken])
        self.change(self.target("ALTER TABLE ", f' RENAME COLUMN {column.quoted} TO "{name}"'))
        column.name = name

    def widen(self):
        if not any(c.kind in WIDER for c in self.columns):
            return
        column = self.pick(WIDER)
        kind = self.random.choice(WIDER[column.kind])
        self.change(self.target("ALTER TABLE ",
                                f" ALTER COLUMN {column.quoted} SET DATA TYPE {kind}"))
        column.kind = kind

    def repartition(self):
        statement = f"ALTER TABLE {self.table} SET PROPERTIES {self.partitioning()}"
        try:
            self.lake(statement)
        except Mismatch as refused:
            # The field was there before and has its name; now a column has that, as no column may.
            if "Cannot create partition from name that exists in schema" not in str(refused):
                raise
            self.log.pop()
        else:
            self.bound_for_good |= self.partitioned_by

    def sort(self):
        self.lake(f"ALTER TABLE {self.table} SET PROPERTIES {self.ordering()}")

    def optimize(self):
        self.lake(f"ALTER TABLE {self.table} EXECUTE optimize")

    def expire(self):
        self.lake(f"ALTER TABLE {self.table} EXECUTE "
                  "expire_snapshots(retention_threshold => '0s')")
        there = {row[0] for row in self.lake(
            f"SELECT snapshot_id FROM {self.hidden('snapshots')}", log=False)}
        if self.head is not None and self.head not in there:
            self.fail(f"the current snapshot {self.head} was expired")
        for snapshot in set(self.kept) - there:
            self.model(f"DROP TABLE {self.kept.pop(snapshot)[0]}")

    def roll_back(self):
        if not self.kept:
            return
        snapshot = self.random.choice(list(self.kept))
        self.lake(f"ALTER TABLE {self.table} EXECUTE rollback_to_snapshot({snapshot})")
        # Read with the columns of now: those that the snapshot did not have are null.
        copy, columns = self.kept[snapshot]
        there = {column.id: column for column in columns}
        values = [cast(there[c.id].quoted if c.id in there else "NULL", c.kind) + f" AS {c.quoted}"
                  for c in self.columns]
        self.model(f"CREATE OR REPLACE TABLE t AS SELECT {joined(', ', values).duck} FROM {copy}")

    def look_back(self):
        if not self.kept:
            return
        snapshot = self.random.choice(list(self.kept))
        copy, columns = self.kept[snapshot]
        self.compare(columns, f"{self.table} FOR VERSION AS OF {snapshot}", copy)

    def replace(self):
        query = self.target(f" AS SELECT {self.names()} FROM ", " WHERE " + self.condition())
        for column in self.columns:
            self.last_id += 1
            column.id = self.last_id
        with_ = f" WITH ({self.partitioning()}, {self.ordering()})"
        self.change(self.target("CREATE OR REPLACE TABLE ", Sql(with_, "")) + query)
        self.bound_for_good |= self.partitioned_by

    # ------------------------------------------------------------- comparing

    def counted(self, columns, rows):
        return collections.Counter(tuple(comparable(c.kind, value) for c, value in zip(
            columns, row, strict=True)) for row in rows)

    def differ(self, found, wanted, query):
        if found != wanted:
            self.fail(f"rows that should not be there {list((found - wanted).items())[:5]}, "
                      f"rows that are missing {list((wanted - found).items())[:5]}", query)

    def model_rows(self, columns, source):
        read = [f"epoch_us({c.quoted})" if c.kind == "timestamp(6) with time zone" else c.quoted
                for c in columns]
        return self.counted(columns, self.model(f"SELECT {', '.join(read)} FROM {source}"))

    def compare(self, columns, ours, theirs, where=""):
        query = f"SELECT {self.names(columns)} FROM {ours}{both(where).ours}"
        found = self.lake(query, log=False)
        self.differ(self.counted(columns, found),
                    self.model_rows(columns, theirs + both(where).duck), query)

    def remember(self):
        """A copy of the snapshot that the last statement made, if it made one."""
        head = self.lake(f"SELECT snapshot_id FROM {self.hidden('refs')} WHERE name = 'main'",
                         log=False)
        head = head[0][0] if head else None
        if head not in {self.head, *self.kept} and self.random.random() < 0.5:
            self.copies += 1
            self.model(f"CREATE TABLE copy{self.copies} AS SELECT * FROM t")
            columns = [dataclasses.replace(column) for column in self.columns]
            self.kept[head] = (f"copy{self.copies}", columns)
        self.head = head

    def check(self):
        self.remember()
        self.compare(self.columns, self.table, "t")
        self.compare(self.columns, self.table, "t", " WHERE " + self.condition())

    def steps(self, count):
        weighted = {self.insert: 10, self.insert_what_is_there: 3, self.delete: 5, self.update: 5,
                    self.merge: 5, self.truncate: 0.5, self.add_column: 2, self.drop_column: 2,
                    self.rename_column: 2, self.widen: 2, self.repartition: 3, self.sort: 1,
                    self.optimize: 3, self.expire: 1, self.roll_back: 2, self.look_back: 2,
                    self.replace: 0.5}
        for step in self.random.choices(list(weighted), list(weighted.values()), k=count):
            step()
            self.check()

    def read_outside(self, catalog):
        table = catalog.load_table(tuple(self.table.split(".")))
        found = table.scan().to_arrow().to_pylist()
        rows = [[row[column.name] for column in self.columns] for row in found]
        self.differ(self.counted(self.columns, rows), self.model_rows(self.columns, "t"),
                    "-- PyIceberg reads it")


def run_all(seed, sql, catalog, space):
    run = Run(seed, sql, space)
    run.create()
    run.check()
    run.steps(STEPS)
    run.read_outside(catalog)
    sql(f"DROP TABLE {run.table}")


@pytest.mark.parametrize("seed", SEEDS)
def test_the_lake_stays_equal_to_duckdb(sql, catalog, space, seed):
    run_all(seed, sql, catalog, space)


@pytest.mark.full
@pytest.mark.timeout(3600)
def test_the_lake_stays_equal_to_duckdb_two_hundred_times(sql, catalog, space):
    first = int.from_bytes(os.urandom(4), "big")
    for seed in range(first, first + 200):
        run_all(seed, sql, catalog, space)


def test_a_difference_of_one_row_is_noticed(sql, catalog, space):
    run = Run(SEEDS[0], sql, space)
    run.create()
    run.insert()
    run.check()
    run.duck.execute("DELETE FROM t WHERE rowid = (SELECT min(rowid) FROM t)")
    with pytest.raises(Mismatch, match=f"MEESH_SEED={SEEDS[0]} "):
        run.check()
    with pytest.raises(Mismatch, match="PyIceberg"):
        run.read_outside(catalog)
