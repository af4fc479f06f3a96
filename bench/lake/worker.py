"""DuckDB or Spark as a process of its own, so that its memory can be measured. Reads JSON lines
from stdin: first {"engine": "duckdb" or "spark", …} as below, then {"sql": …} each; answers with
{"ms", "rows"} or {"error"}. Decimals go out as {"decimal": "1.50"}, dates as text.

    {"engine": "duckdb", "extensions": [file, …], "setup": [statement, …]}
    {"engine": "spark", "setup": [statement, …]}     its settings are in SPARK_CONF_DIR
"""
import json
import os
import sys
import time
from decimal import Decimal


def duckdb_engine(configuration):
    import duckdb
    connection = duckdb.connect()
    for file in configuration["extensions"]:
        connection.load_extension(file)

    def run(sql):
        found = connection.execute(sql)
        return found.fetchall() if found.description else []
    return run


def spark_engine(_):
    from pyspark.sql import SparkSession
    session = SparkSession.builder.getOrCreate()
    session.sparkContext.setLogLevel("ERROR")
    return lambda sql: [tuple(row) for row in session.sql(sql).collect()]


def shown(value):
    return {"decimal": str(value)} if isinstance(value, Decimal) else str(value)


def main():
    # What the engines print themselves must not stand between the answers.
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)

    def answer(content):
        print(json.dumps(content, default=shown), file=answers, flush=True)
    engines = {"duckdb": duckdb_engine, "spark": spark_engine}
    run = None
    for line in sys.stdin:
        request = json.loads(line)
        try:
            if run is None:
                run = engines[request["engine"]](request)
                for sql in request["setup"]:
                    run(sql)
                answer({"ms": 0, "rows": []})
                continue
            start = time.perf_counter()
            rows = run(request["sql"])
            answer({"ms": (time.perf_counter() - start) * 1000, "rows": rows})
        except Exception as error:  # whatever an engine throws is its answer
            answer({"error": f"{type(error).__name__}: {error}"})


if __name__ == "__main__":
    main()
