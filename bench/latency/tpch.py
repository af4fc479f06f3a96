"""TPC-H's 22 queries as DuckDB's extension has them, over tables whose columns carry their prefixes:
views of the catalog `tpch` in Trino's dialect, DuckDB's own tables in DuckDB."""
import time

import duckdb

from support.trino_server import ROOT, versions

PREFIXES = {"customer": "c", "lineitem": "l", "nation": "n", "orders": "o", "part": "p",
            "partsupp": "ps", "region": "r", "supplier": "s"}
SCHEMA = "memory.tpch_views"


def extension(name):
    return str(ROOT / ".deps" / f"duckdb-{versions()['DUCKDB_VERSION']}" / "extensions"
               / f"{name}.duckdb_extension")


def standard(text):
    """The extension's query as TPC-H has it: grouping by an output column is DuckDB's own."""
    return text.strip().rstrip(";").replace("GROUP BY\n        supplier_no",
                                            "GROUP BY\n        l_suppkey")


class BareDuckDB:
    name = "DuckDB"

    def __init__(self, scale):
        self.connection = duckdb.connect()
        self.connection.load_extension(extension("tpch"))
        self.connection.execute(f"CALL dbgen(sf = {scale})")

    def queries(self):
        rows = self.connection.execute("SELECT query_nr, query FROM tpch_queries() ORDER BY 1")
        return {number: standard(text) for number, text in rows.fetchall()}

    def ask(self, sql):
        start = time.perf_counter()
        rows = self.connection.execute(sql).fetchall()
        return (time.perf_counter() - start) * 1000, len(rows)


class OverProtocol:
    """A server that speaks Trino's protocol; `run` asks it and gives milliseconds and rows."""

    def __init__(self, name, run, scale):
        self.name, self.run = name, run
        schema = "tiny" if scale < 1 else f"sf{scale:g}"
        run(f"CREATE SCHEMA IF NOT EXISTS {SCHEMA}")
        for table, prefix in PREFIXES.items():
            _, columns = run(f"SHOW COLUMNS FROM tpch.{schema}.{table}", rows=True)
            listed = ", ".join(f"{column[0]} AS {prefix}_{column[0]}" for column in columns)
            run(f"CREATE OR REPLACE VIEW {SCHEMA}.{table} AS SELECT {listed} "
                f"FROM tpch.{schema}.{table}")
            run(f"SELECT count(*) FROM tpch.{schema}.{table}")  # made now, not while measured

    def ask(self, sql):
        return self.run(sql, schema=SCHEMA)
