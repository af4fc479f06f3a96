"""Spark on the lake, with Iceberg's own runtime: what it writes PyIceberg reads, and the other way
round."""
import pyarrow as pa
import pytest

pytestmark = [pytest.mark.full, pytest.mark.timeout(600)]

SCRIPT = """
t = f"lake.{space}.written"
spark.sql(f'''CREATE TABLE {t} (id BIGINT, name STRING, price DECIMAL(9, 2), day DATE,
                at TIMESTAMP, tags ARRAY<STRING>, place STRUCT<x: INT>, counts MAP<STRING, BIGINT>)
              USING iceberg PARTITIONED BY (days(at), bucket(4, id))''')
spark.sql(f'''INSERT INTO {t} VALUES
    (1, 'Zo\\u00eb', 1.50, DATE '2025-01-15', TIMESTAMP '2025-01-15 08:30:00', array('a', NULL),
     named_struct('x', 1), map('k', 5L)),
    (2, NULL, NULL, NULL, NULL, NULL, NULL, NULL)''')
spark.sql(f"ALTER TABLE {t} ADD COLUMN extra INT")
spark.sql(f"ALTER TABLE {t} RENAME COLUMN name TO title")
spark.sql(f'''MERGE INTO {t} USING (SELECT 2L AS id, 7 AS extra UNION ALL SELECT 3L, 8) s
              ON {t}.id = s.id WHEN MATCHED THEN UPDATE SET extra = s.extra
              WHEN NOT MATCHED THEN INSERT (id, extra) VALUES (s.id, s.extra)''')
moved = f"lake.{space}.moved"
spark.sql(f'''CREATE TABLE {moved} USING iceberg TBLPROPERTIES ('write.delete.mode'='merge-on-read')
              AS SELECT id, cast(id AS string) AS name FROM range(100)''')
spark.sql(f"DELETE FROM {moved} WHERE id % 2 = 0")
assert spark.table(moved).count() == 50
read = spark.table(f"lake.{space}.read")
assert read.count() == 900 and read.agg(F.min("id")).first()[0] == 100
assert read.where("id >= 999").count() == 1
spark.sql(f"CALL lake.system.rewrite_data_files(table => '{space}.moved')")
spark.sql(f"CALL lake.system.expire_snapshots(table => '{space}.moved', retain_last => 1, "
          "older_than => TIMESTAMP '2100-01-01 00:00:00')")
assert spark.table(moved).count() == 50
"""


def test_spark_and_pyiceberg_share_tables(catalog, space, run_spark):
    data = pa.table({"id": pa.array(range(1000), pa.int64()),
                     "name": [f"n{n % 7}" for n in range(1000)]})
    table = catalog.create_table((space, "read"), data.schema)
    table.append(data)
    table.delete("id < 100")
    run_spark(SCRIPT)
    found = catalog.load_table((space, "written")).scan().to_arrow().sort_by("id").to_pylist()
    assert [(row["id"], row["title"], row["extra"]) for row in found] == [
        (1, "Zoë", None), (2, None, 7), (3, None, 8)]
    assert found[0]["tags"] == ["a", None] and found[0]["counts"] == [("k", 5)]
    moved = catalog.load_table((space, "moved")).scan().to_arrow()
    assert sorted(moved["id"].to_pylist()) == list(range(1, 100, 2))
