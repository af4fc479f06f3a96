"""Bare DuckDB with the postgres extension, as a process of its own so that its memory can be
measured. Reads one JSON object a line from stdin ({"sql": …}), answers one a line ({"ms", "rows"}).

    python duckdb_worker.py EXTENSION-FOLDER '{"sales": "host=… dbname=…", …}'
"""
import json
import sys
import time

import duckdb

extensions, databases = sys.argv[1], json.loads(sys.argv[2])
connection = duckdb.connect(config={"allow_unsigned_extensions": "false"})
connection.execute(f"LOAD '{extensions}/postgres_scanner.duckdb_extension'")
for name, where in databases.items():
    connection.execute(f"ATTACH '{where}' AS {name} (TYPE postgres, READ_ONLY)")
for line in sys.stdin:
    start = time.perf_counter()
    rows = connection.execute(json.loads(line)["sql"]).fetchall()
    took = (time.perf_counter() - start) * 1000
    print(json.dumps({"ms": took, "rows": rows}, default=str), flush=True)
