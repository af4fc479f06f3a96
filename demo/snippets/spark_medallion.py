"""Silver and gold with PySpark: bronze tables of the lake in, cleaned lines and revenue out.

    pip install pyspark==4.1.*          # and Java 17 or newer
    meesh ingest run northwind
    python spark_medallion.py 2025-07-01

Without a date, the newest one of bronze. A date that is run again replaces its own partition. As a
step of a pipeline:

    spark: { python: spark_medallion.py, requirements: ["pyspark==4.1.*"],
             reads: [lake.bronze.orders], makes: [lake.spark.order_lines, lake.spark.revenue] }
"""
import os
import sys

from pyspark.sql import SparkSession, functions as F

ICEBERG = "1.12.0"
url = os.environ.get("MEESH_URL", f"http://localhost:{os.environ.get('MEESH_PORT', '8080')}")
key = os.environ.get("AWS_ACCESS_KEY_ID", "minioadmin")
secret = os.environ.get("AWS_SECRET_ACCESS_KEY", "minioadmin")
# Maven's names, or files that are here already.
packages = {"spark.jars": os.environ["SPARK_JARS"]} if "SPARK_JARS" in os.environ else {
    "spark.jars.packages": f"org.apache.iceberg:iceberg-spark-runtime-4.1_2.13:{ICEBERG},"
                           f"org.apache.iceberg:iceberg-aws-bundle:{ICEBERG}"}
catalog = {"": "org.apache.iceberg.spark.SparkCatalog", ".type": "rest",
           ".uri": f"{url}/iceberg", ".warehouse": "lake",
           ".rest.auth.type": "oauth2", ".credential": f"{key}:{secret}",
           ".oauth2-server-uri": f"{url}/iceberg/v1/oauth/tokens",
           ".header.X-Iceberg-Access-Delegation": "vended-credentials",
           ".io-impl": "org.apache.iceberg.aws.s3.S3FileIO",
           ".rest-metrics-reporting-enabled": "false"}
os.environ.setdefault("AWS_REGION", "us-east-1")

builder = SparkSession.builder.master("local[2]").appName("medallion")
settings = {**packages, **{f"spark.sql.catalog.lake{name}": value
                           for name, value in catalog.items()},
            "spark.sql.extensions":
                "org.apache.iceberg.spark.extensions.IcebergSparkSessionExtensions",
            "spark.sql.session.timeZone": "UTC", "spark.sql.shuffle.partitions": "4",
            "spark.ui.enabled": "false"}
for name, value in settings.items():
    builder = builder.config(name, value)
spark = builder.getOrCreate()


def bronze(table):
    return spark.table(f"lake.bronze.{table}").where(F.col("_run_date") == F.lit(day))


def publish(rows, table):
    """Takes the place of the day's rows, and of no others."""
    rows = rows.withColumn("_run_date", F.lit(day))
    if spark.catalog.tableExists(table):
        rows.writeTo(table).overwritePartitions()
    else:
        rows.writeTo(table).partitionedBy(F.col("_run_date")).create()
    print(f"{table}: {spark.table(table).where(F.col('_run_date') == F.lit(day)).count()} rows")


day = spark.sql(f"SELECT DATE '{sys.argv[1]}'" if len(sys.argv) > 1 else
                "SELECT max(_run_date) FROM lake.bronze.orders").first()[0]
spark.sql("CREATE NAMESPACE IF NOT EXISTS lake.spark")

# Silver: real numbers become decimals before anything is computed with them; see docs/decisions.md.
price = F.col("d.unit_price").cast("decimal(12, 2)")
discount = F.col("d.discount").cast("decimal(5, 4)")
lines = (bronze("order_details").alias("d")
         .join(bronze("orders").alias("o"), "order_id")
         .join(bronze("products").alias("p"), "product_id", "left")
         .join(bronze("categories").alias("c"), "category_id", "left")
         .select("order_id", "product_id", "o.customer_id", "o.order_date",
                 F.coalesce(F.trim("c.category_name"), F.lit("Uncategorised")).alias("category"),
                 F.round(price * F.col("d.quantity") * (1 - discount), 2)
                 .cast("decimal(18, 2)").alias("line_total")))
publish(lines, "lake.spark.order_lines")

# Gold, from silver as it was published.
silver = spark.table("lake.spark.order_lines").where(F.col("_run_date") == F.lit(day))
revenue = silver.groupBy("category").agg(
    F.sum("line_total").alias("revenue"), F.countDistinct("order_id").alias("orders"))
publish(revenue, "lake.spark.revenue")
spark.stop()
