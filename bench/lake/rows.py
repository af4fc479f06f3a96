"""The rows of the benchmark: each makes its tables, checks that all contenders say the same of them
and measures. All take (bench, options), where `bench` has the place, the running contenders, the
findings and report()."""
import statistics
import time

import duckdb

from contenders import DuckDBFiles
from findings import percentile
from place import extension

TPCH_TABLES = ("customer", "lineitem", "nation", "orders", "part", "partsupp", "region", "supplier")
TOTAL = "TPC-H, all 22"


def standard(text):
    """The extension's query as TPC-H has it: grouping by an output column is DuckDB's own."""
    return text.strip().rstrip(";").replace("GROUP BY\n        supplier_no",
                                            "GROUP BY\n        l_suppkey")


def tpch(bench, options):
    """TPC-H's 22 queries, and DuckDB over the very same Parquet files without a lake."""
    place, findings = bench.place, bench.findings
    connection = duckdb.connect()
    connection.load_extension(extension("tpch"))
    bench.report(f"making TPC-H, scale {options.sf:g}")
    connection.execute(f"CALL dbgen(sf = {options.sf})")
    for table in TPCH_TABLES:
        place.make(f"tpch.{table}", connection, f"SELECT * FROM {table}")
        bench.report(f"tpch.{table} is written")
    queries = {f"TPC-H {number}": standard(text) for number, text in connection.execute(
        "SELECT query_nr, query FROM tpch_queries() ORDER BY 1").fetchall()}
    connection.close()
    copies = place.folder / "copies"
    bare = DuckDBFiles(place, {table: place.copy_files(f"tpch.{table}", copies / table)
                               for table in TPCH_TABLES})
    bare.start()
    try:
        contenders = [*bench.contenders, bare]
        bench.also[bare.key] = bare
        findings.row(TOTAL)
        findings.interleave(contenders, queries, options.rounds, "TPC-H")
    finally:
        bare.stop()
    for contender in contenders:
        lacking = [title for title in queries if findings.out(title, contender)]
        if lacking:
            findings.strike(TOTAL, contender, "without " + ", ".join(lacking))
            continue
        for turn in range(options.rounds):
            findings.add(TOTAL, contender, sum(findings.values[title][contender.name][turn]
                                               for title in queries))
    ours, theirs = (findings.median(TOTAL, name) for name in ("meesh", bare.name))
    if ours and theirs:
        findings.notes.append(f"TPC-H: meesh takes {ours / theirs:.2f}× the time of DuckDB over "
                              "copies of the same Parquet files")


def files(bench, options):
    """A table of many files: all counted, one row found, and nothing found, which is planning
    alone. Cold is the first time an engine that has just started, and answered another query,
    meets the table."""
    place, findings = bench.place, bench.findings
    place.make_many("bench.many", options.files, 100, 10, bench.report)
    wanted = options.files * 100 * 2 // 3
    queries = {
        "count(*)": "SELECT count(*) FROM lake.bench.many",
        "look-up": f"SELECT id, name, value FROM lake.bench.many WHERE id = {wanted}",
        "planning": "SELECT count(*) FROM lake.bench.many WHERE id = -1"}
    titles = {what: f"{what}, {options.files:,} files" for what in queries}
    for what in ("count(*)", "look-up") if options.cold else ():
        title = titles[what] + ", cold"
        findings.row(title)
        for turn in range(options.cold):
            answers = {}
            for contender in bench.restart():
                bench.run_other(contender)
                if found := findings.ask(title, contender, queries[what]):
                    findings.add(title, contender, found[0])
                    answers[contender.name] = found[1]
            findings.compare(title, bench.contenders, answers)
            bench.report(f"{title}: {turn + 1} of {options.cold}")
    findings.interleave(bench.contenders, {titles[what] + ", warm": sql
                                           for what, sql in queries.items()},
                        max(options.rounds, 5), "many files", warming=3)


def commit_statement(table, number):
    """Ten rows, ids from 10 × number on."""
    rows = ", ".join(f"({10 * number + i}, 'row {i}', {i}.50, DATE '2025-01-15')"
                     for i in range(10))
    return f"INSERT INTO lake.bench.{table} VALUES {rows}"


def commits(bench, options):
    """Commits of ten rows, one after the other, each contender into a table of its own; in turns of
    a twentieth of all."""
    place, findings = bench.place, bench.findings
    tenth = max(1, options.commits // 10)
    turn = max(1, options.commits // 20)
    titles = {(what, when): f"commit of 10 rows, {what}, {when} {tenth}"
              for when in ("first", "last") for what in ("median", "p99")}
    for title in titles.values():
        findings.row(title)
    first = titles["median", "first"]
    times = {c.name: [] for c in bench.contenders}
    for contender in bench.contenders:
        for table in (f"warm_{contender.key}", f"commits_{contender.key}"):
            place.sql(f"CREATE TABLE lake.bench.{table} (id bigint, name varchar, "
                      "amount decimal(12, 2), day date)")
        for n in range(max(2, options.commits // 50)):
            findings.ask(first, contender, commit_statement(f"warm_{contender.key}", n))
    for begin in range(0, options.commits, turn):
        for contender in bench.contenders:
            mine = times[contender.name]
            for n in range(begin, min(begin + turn, options.commits)):
                if len(mine) != n or sum(mine) > options.seconds * 1000:
                    break
                if found := findings.ask(first, contender,
                                         commit_statement(f"commits_{contender.key}", n)):
                    mine.append(found[0])
        bench.report(f"commits: {min(begin + turn, options.commits)} of {options.commits}")
    for contender in bench.contenders:
        mine = times[contender.name]
        check_commits(bench, contender, titles.values(), len(mine))
        if findings.out(first, contender) or not mine:
            for title in titles.values():
                findings.strike(title, contender, findings.reasons.get(first, {}).get(
                    contender.name, "no commit within the time"))
            continue
        if len(mine) < options.commits:
            findings.notes.append(
                f"commits: {contender.name} made {len(mine)} of {options.commits} in "
                f"{options.seconds} s; its last {tenth} are the last of these")
        for when, part in (("first", mine[:tenth]), ("last", mine[-tenth:])):
            findings.add(titles["median", when], contender, statistics.median(part))
            findings.add(titles["p99", when], contender, percentile(part, 0.99))


def check_commits(bench, contender, titles, count):
    rows = 10 * count
    found = bench.place.sql("SELECT count(*), coalesce(sum(id), 0), count(DISTINCT id) FROM "
                            f"lake.bench.commits_{contender.key}")[0]
    if found != (rows, rows * (rows - 1) // 2, rows):
        bench.findings.wrong.append(f"commits: {contender.name} lost or doubled rows: {found}")
        for title in titles:
            bench.findings.strike(title, contender, f"its table has {found[0]} rows, not {rows}")


MERGE = """MERGE INTO lake.bench.target t USING lake.bench.updates s ON t.id = s.id
WHEN MATCHED THEN UPDATE SET name = s.name, amount = s.amount
WHEN NOT MATCHED THEN INSERT (id, name, amount, day) VALUES (s.id, s.name, s.amount, s.day)"""


def merge(bench, options):
    """Every hundredth row of a table changed, and a hundredth as many added. The table is rolled
    back after each, so that all begin with the same."""
    place, findings = bench.place, bench.findings
    rows = options.merge_rows
    title = f"MERGE of 1 % into {rows:,} rows"
    findings.row(title)
    connection = duckdb.connect()
    columns = ("{id} AS id, {name} AS name, CAST((i % 100000) / 100.0 AS DECIMAL(12, 2)) + {more} "
               "AS amount, DATE '2025-01-01' + CAST(i % 365 AS INTEGER) AS day")
    place.make("bench.target", connection, "SELECT " + columns.format(
        id="i", name="'name ' || (i % 1000)", more=0) + f" FROM range({rows}) s(i)")
    place.make("bench.updates", connection, "SELECT " + columns.format(
        id=f"CASE WHEN i % 10000 = 0 THEN i + {rows} ELSE i END", name="'merged'", more=1) +
        f" FROM range(0, {rows}, 100) s(i)")
    connection.close()
    bench.report("bench.target is written")
    changed, new = range(0, rows, 100), range(0, rows, 10000)
    wanted = (rows + len(new), rows * (rows - 1) // 2 + sum(new) + rows * len(new), len(changed))
    begin = place.snapshot("bench.target")
    for turn in range(options.rounds + 1):
        for contender in bench.contenders:
            place.roll_back("bench.target", begin)
            if (found := findings.ask(title, contender, MERGE)) is None:
                continue
            told = place.sql("SELECT count(*), sum(id), count_if(name = 'merged') FROM "
                             "lake.bench.target")[0]
            if told != wanted:
                findings.wrong.append(f"{title}: {contender.name} leaves {told}, not {wanted}")
                findings.strike(title, contender, f"it leaves {told}, not {wanted}")
            elif turn:
                findings.add(title, contender, found[0])
        bench.report(f"MERGE: round {turn} of {options.rounds}" if turn else "MERGE: warmed up")


COMPACT = {"meesh": "ALTER TABLE lake.bench.small EXECUTE optimize",
           "trino": "ALTER TABLE lake.bench.small EXECUTE optimize",
           "spark": "CALL lake.system.rewrite_data_files(table => 'bench.small')"}


def compact(bench, options):
    """Small files made into large ones, of a table that is rolled back after each."""
    place, findings = bench.place, bench.findings
    title = f"compaction of {options.small_files:,} files"
    findings.row(title, "MB/s")
    place.make_many("bench.small", options.small_files, 5000, 1, bench.report)
    before = place.files("bench.small")
    size = sum(length for _, length in before)
    findings.notes.append(f"compaction: {size / 1e6:,.1f} MB of Parquet in {len(before):,} files")
    rows = options.small_files * 5000
    wanted = (rows, rows * (rows - 1) // 2)
    begin = place.snapshot("bench.small")
    for turn in range(options.rounds + 1):
        for contender in bench.contenders:
            place.roll_back("bench.small", begin)
            if contender.key not in COMPACT:
                if not turn:
                    findings.strike(title, contender, "it has no statement that rewrites files")
                continue
            if (found := findings.ask(title, contender, COMPACT[contender.key])) is None:
                continue
            told = place.sql("SELECT count(*), sum(id) FROM lake.bench.small")[0]
            left = len(place.files("bench.small"))
            if told != wanted:
                findings.wrong.append(f"{title}: {contender.name} leaves {told}, not {wanted}")
                findings.strike(title, contender, f"it leaves {told}, not {wanted}")
            elif left * 2 > len(before):
                findings.strike(title, contender, f"it leaves {left} files of {len(before)}")
            elif turn:
                findings.add(title, contender, size / 1e6 / (found[0] / 1000))
        bench.report(f"compaction: round {turn} of {options.rounds}" if turn
                     else "compaction: warmed up")


ROWS = {"tpch": tpch, "files": files, "commits": commits, "merge": merge, "compact": compact}
