"""One job of dlt or Spark, in a process of its own. The job is JSON on the command line; the answer,
the last line of standard output, is {"seconds", "cpu"} of the job alone: neither starting Python nor
a JVM is in it.

    {"engine": "dlt" (pandas reads CSV files), "dlt-duckdb" or "spark",
     "kind": "postgresql", "mariadb" or "csv", "host", "port", "database", "user", "password", "table", "rows",
     "csv", "columns": Spark's schema of the CSV file, "driver": of JDBC,
     "out": folder for Parquet files}
"""
import json
import os
import sys
import time

from load import processor_seconds


def dlt_job(job):
    import dlt
    os.environ["DLT_PROJECT_DIR"] = job["out"]
    pipeline = dlt.pipeline("bench", pipelines_dir=job["out"] + "/state", dataset_name="bench",
                            destination=dlt.destinations.filesystem(f"file://{job['out']}/lake"))
    if job["kind"] != "csv":
        from dlt.sources.sql_database import sql_table
        dialect = "mysql+pymysql" if job["kind"] == "mariadb" else "postgresql+psycopg2"
        url = dialect + "://{user}:{password}@{host}:{port}/{database}".format(**job)
        # The fastest of its ways that keeps the types, in the chunks its documentation suggests.
        source = sql_table(url, job["table"], schema=None if job["kind"] == "mariadb" else "public", backend="pyarrow",
                           chunk_size=100_000, reflection_level="full_with_precision")
    else:
        from dlt.sources.filesystem import filesystem, read_csv, read_csv_duckdb
        folder, name = os.path.split(job["csv"])
        reader = (read_csv_duckdb(use_pyarrow=True, chunk_size=100_000)
                  if job["engine"] == "dlt-duckdb" else read_csv(chunksize=100_000))
        source = (filesystem(f"file://{folder}", file_glob=name) | reader).with_name("rows")
    return lambda: pipeline.run(source, write_disposition="replace",
                                loader_file_format="parquet").raise_on_failed_jobs()


def spark_job(job):
    from pyspark.sql import SparkSession
    session = (SparkSession.builder.master(f"local[{os.cpu_count()}]")
               .config("spark.driver.memory", "6g").config("spark.ui.enabled", "false")
               .config("spark.local.dir", job["out"] + "/spark")
               .config("spark.jars", job["driver"]).getOrCreate())
    session.sparkContext.setLogLevel("ERROR")
    if job["kind"] != "csv":
        # Several connections by ranges of the key, as its documentation advises for large tables.
        maria = job["kind"] == "mariadb"  # Spark speaks to it as to MySQL
        place = "{host}:{port}/{database}".format(**job)
        options = {"url": f"jdbc:mysql://{place}?useCursorFetch=true" if maria
                   else f"jdbc:postgresql://{place}",
                   "driver": "com.mysql.cj.jdbc.Driver" if maria else "org.postgresql.Driver",
                   "dbtable": f"`{job['table']}`" if maria else job["table"], "user": job["user"],
                   "password": job["password"], "fetchsize": "50000", "partitionColumn": "id",
                   "lowerBound": "1", "upperBound": str(job["rows"]),
                   "numPartitions": str(4 * os.cpu_count())}
        frame = session.read.format("jdbc").options(**options).load()
    else:
        frame = session.read.csv(job["csv"], header=True, schema=job["columns"])
    return lambda: frame.write.mode("overwrite").option("compression", "zstd").parquet(
        job["out"] + "/lake")


def main():
    job = json.loads(sys.argv[1])
    run = (spark_job if job["engine"] == "spark" else dlt_job)(job)
    cpu, start = processor_seconds(os.getpid()), time.perf_counter()
    run()
    print(json.dumps({"seconds": time.perf_counter() - start,
                      "cpu": processor_seconds(os.getpid()) - cpu}), flush=True)


if __name__ == "__main__":
    main()
