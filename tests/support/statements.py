"""Statements that several tests run."""
from pathlib import Path

QUERIES = Path(__file__).resolve().parents[2] / "demo" / "queries"

# Does not end in any time a test would wait.
ENDLESS = ("SELECT count(*) FROM tpch.tiny.lineitem a CROSS JOIN tpch.tiny.lineitem b "
           "CROSS JOIN tpch.tiny.lineitem c WHERE a.comment < b.comment AND b.comment < c.comment")

# Gives rows faster than anyone reads them, without end.
FLOOD = ("SELECT a.orderkey, b.comment FROM tpch.tiny.lineitem a CROSS JOIN tpch.tiny.lineitem b "
         "CROSS JOIN tpch.tiny.lineitem c")


def demo_query(name):
    """The text of demo/queries/NAME.sql without its final semicolon."""
    return (QUERIES / f"{name}.sql").read_text().rstrip().rstrip(";")
