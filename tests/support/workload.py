"""A random workload on a database: inserts, updates, deletes, changes of keys, large transactions,
transactions that are rolled back, and now and then a new column; and what the lake has to be
afterwards: the current state row by row, and a history that can be replayed to it.

    workload = Workload(server.connect, seed=7)
    workload.create()
    workload.step()              # one transaction; False if the server was away
    workload.rows("people")      # what the source has

The tables are `people` (a key of one column, values that lie apart from their rows) and `pairs` (a
key of two). Statements are those that PostgreSQL and MySQL have in common."""
import random
from decimal import Decimal

PEOPLE = ("CREATE TABLE people (id int PRIMARY KEY, name varchar(50), amount numeric(12,2), "
          "note text, born date, ok boolean)")
PAIRS = "CREATE TABLE pairs (a int, b varchar(20), n bigint, PRIMARY KEY (a, b))"
KEYS = {"people": ("id",), "pairs": ("a", "b")}


class Workload:
    def __init__(self, connect, seed, truncates=True, largest=3000, most_columns=3):
        self.connect, self.chance = connect, random.Random(seed)
        self.truncates, self.largest, self.most_columns = truncates, largest, most_columns
        self.next_id, self.columns = 1, 0

    def create(self, *more):
        connection = self.connect()
        cursor = connection.cursor()
        for statement in (PEOPLE, PAIRS, *more):
            cursor.execute(statement)
        connection.commit()
        connection.close()

    # ---- one transaction

    def step(self):
        """False: the server went away in its midst; whether it was committed is not known."""
        actions = [(self._insert, 30), (self._update, 30), (self._delete, 12), (self._move, 8),
                   (self._large, 5), (self._roll_back, 4), (self._add_column, 2),
                   (self._pairs, 20), (self._again, 8)]
        if self.truncates:
            actions.append((self._truncate, 1))
        action = self.chance.choices([a for a, _ in actions], [w for _, w in actions])[0]
        try:
            connection = self.connect()
        except Exception:
            return False
        try:
            cursor = connection.cursor()
            if action(cursor) is None:
                connection.commit()
            else:
                connection.rollback()
            return True
        except Exception as error:
            if not self._away(error):
                raise
            return False
        finally:
            try:
                connection.close()
            except Exception:
                pass

    @staticmethod
    def _away(error):
        return type(error).__name__ in ("OperationalError", "InterfaceError", "DatabaseError",
                                        "AdminShutdown", "CrashShutdown")

    def _ids(self, cursor, count):
        cursor.execute("SELECT id FROM people")
        ids = sorted(row[0] for row in cursor.fetchall())
        return self.chance.sample(ids, min(count, len(ids)))

    def _note(self):
        """Some of them are so long that a database keeps them apart from their row."""
        length = self.chance.choice([0, 10, 10, 4000])
        return "".join(self.chance.choices("0123456789abcdefé\n\t\\'\"", k=length))

    def _row(self):
        self.next_id += 1
        number = self.chance.randrange(-10**9, 10**9)
        return (self.next_id, self.chance.choice(["ana", "bob", "", None]),
                Decimal(number) / 100, self._note(),
                f"{self.chance.randrange(1900, 2100)}-02-{self.chance.randrange(1, 29):02}",
                self.chance.choice([True, False, None]))

    def _insert(self, cursor, count=None):
        for _ in range(count or self.chance.randrange(1, 20)):
            cursor.execute("INSERT INTO people (id, name, amount, note, born, ok) VALUES "
                           "(%s, %s, %s, %s, %s, %s)", self._row())

    def _update(self, cursor):
        for id_ in self._ids(cursor, self.chance.randrange(1, 20)):
            if self.chance.random() < 0.3:
                cursor.execute("UPDATE people SET note = %s WHERE id = %s", (self._note(), id_))
            else:  # the long value stays as it is
                cursor.execute("UPDATE people SET amount = amount + 1 WHERE id = %s", (id_,))

    def _delete(self, cursor):
        for id_ in self._ids(cursor, self.chance.randrange(1, 10)):
            cursor.execute("DELETE FROM people WHERE id = %s", (id_,))

    def _move(self, cursor):
        for id_ in self._ids(cursor, self.chance.randrange(1, 5)):
            self.next_id += 1
            cursor.execute("UPDATE people SET id = %s WHERE id = %s", (self.next_id, id_))
            if self.chance.random() < 0.5:
                cursor.execute("UPDATE people SET ok = NULL WHERE id = %s", (self.next_id,))

    def _again(self, cursor):
        """Gone and there again in one transaction."""
        for id_ in self._ids(cursor, 3):
            cursor.execute("DELETE FROM people WHERE id = %s", (id_,))
            cursor.execute("INSERT INTO people (id, name) VALUES (%s, 'again')", (id_,))

    def _large(self, cursor):
        rows = [self._row()[:3] for _ in range(self.chance.randrange(1, self.largest))]
        values = ", ".join(["(%s, %s, %s)"] * len(rows))
        cursor.execute(f"INSERT INTO people (id, name, amount) VALUES {values}",
                       [cell for row in rows for cell in row])
        cursor.execute("UPDATE people SET name = 'large' WHERE id >= %s", (rows[0][0],))
        if self.chance.random() < 0.7:
            cursor.execute("DELETE FROM people WHERE id >= %s AND id %% 3 <> 0", (rows[0][0],))

    def _roll_back(self, cursor):
        self._insert(cursor)
        self._delete(cursor)
        return "roll back"

    def _add_column(self, cursor):
        if self.columns >= self.most_columns:
            return
        self.columns += 1
        cursor.execute(f"ALTER TABLE people ADD COLUMN more{self.columns} int")
        self._insert(cursor, 2)
        cursor.execute(f"UPDATE people SET more{self.columns} = id WHERE id >= %s",
                       (self.next_id - 1,))

    def _pairs(self, cursor):
        for _ in range(self.chance.randrange(1, 10)):
            key = (self.chance.randrange(20), self.chance.choice(["x", "y", "z", "é'"]))
            cursor.execute("DELETE FROM pairs WHERE a = %s AND b = %s", key)
            if self.chance.random() < 0.8:
                cursor.execute("INSERT INTO pairs VALUES (%s, %s, %s)",
                               (*key, self.chance.randrange(2**62)))

    def _truncate(self, cursor):
        cursor.execute("TRUNCATE TABLE pairs")

    # ---- what there is

    def rows(self, table):
        """(columns, {key: row}) of the source."""
        connection = self.connect()
        try:
            cursor = connection.cursor()
            cursor.execute(f"SELECT * FROM {table}")
            columns = [part[0] for part in cursor.description]
            return columns, keyed(columns, cursor.fetchall(), KEYS[table])
        finally:
            connection.close()


def keyed(columns, rows, key):
    """The rows by key; none may be there twice."""
    places = [columns.index(name) for name in key]
    found = {}
    for row in rows:
        place = tuple(row[at] for at in places)
        assert place not in found, f"{place} is there twice"
        found[place] = tuple(plain(cell) for cell in row)
    return found


def plain(cell):
    """MySQL has no booleans but 0 and 1."""
    return int(cell) if isinstance(cell, bool) else cell


def same_as_source(workload, query, table, into=None):
    """The current state in the lake is the source's, row by row."""
    columns, expected = workload.rows(table)
    landed = keyed(columns, query(f"SELECT {', '.join(columns)} FROM {into or table}"), KEYS[table])
    different = {key: (landed.get(key), expected.get(key))
                 for key in landed.keys() | expected.keys() if landed.get(key) != expected.get(key)}
    assert not different, (f"{table}: {len(different)} rows of {len(expected)} differ "
                           f"(lake, source): {list(different.items())[:3]}")


def replayed(query, table, key, columns):
    """What the history in <table> comes to: {key: row}."""
    names = [*columns, *(f"_before_{name}" for name in key)]
    history = query(f"SELECT _op, _unchanged, {', '.join(names)} FROM {table} "
                    "ORDER BY _major, _minor")
    state = {}
    for op, unchanged, *cells in history:
        row = dict(zip(columns, cells[:len(columns)]))
        place = tuple(row[name] for name in key)
        if op == "t":
            state.clear()
        elif op == "d":
            state.pop(place, None)
        else:
            before = tuple(cells[len(columns):])
            was = state.pop(before, None) if op == "u" and None not in before else state.get(place)
            for name in columns:
                if unchanged and f'"{name}"' in unchanged:
                    row[name] = was[name]
            state[place] = row
    return {place: tuple(plain(row[name]) for name in columns) for place, row in state.items()}


def history_comes_to_source(workload, query, table, history):
    columns, expected = workload.rows(table)
    assert replayed(query, history, KEYS[table], columns) == expected
