#include "serve/api/viewer_engine.h"

#include <gtest/gtest.h>

namespace meesh::serve::api {
namespace {

TEST(OnlyReads, Statements) {
  for (const char* reading :
       {"SELECT 1", "WITH a AS (SELECT 1) SELECT * FROM a", "VALUES 1", "SHOW TABLES", "DESCRIBE t",
        "EXPLAIN DELETE FROM t", "EXPLAIN ANALYZE SELECT 1", "USE a.b", "SET SESSION x = 1",
        "PREPARE p FROM DELETE FROM t", "EXECUTE IMMEDIATE 'SELECT 1'", "START TRANSACTION",
        "SELECT", "no statement"})
    EXPECT_TRUE(only_reads(reading, {})) << reading;
  for (const char* changing : {"INSERT INTO t VALUES 1",
                               "DELETE FROM t",
                               "UPDATE t SET a = 1",
                               "TRUNCATE TABLE t",
                               "CREATE TABLE t (a bigint)",
                               "CREATE TABLE t AS SELECT 1 AS a",
                               "DROP TABLE t",
                               "CREATE SCHEMA s",
                               "CREATE VIEW v AS SELECT 1 AS a",
                               "CALL system.runtime.kill_query('x')",
                               "EXPLAIN ANALYZE DELETE FROM t",
                               "EXECUTE IMMEDIATE 'DELETE FROM t'",
                               "ANALYZE t",
                               "EXECUTE IMMEDIATE 'EXECUTE IMMEDIATE ''DELETE FROM t'''",
                               "/* SELECT */ DELETE FROM t",
                               "SET SESSION AUTHORIZATION ada",
                               "ALTER TABLE t EXECUTE optimize",
                               "COMMENT ON TABLE t IS 'x'",
                               "GRANT SELECT ON t TO ann",
                               "MERGE INTO t USING u ON t.a = u.a WHEN MATCHED THEN DELETE"})
    EXPECT_FALSE(only_reads(changing, {})) << changing;
}

TEST(OnlyReads, PreparedStatements) {
  engine::Session session;
  session.prepared_statements["good"] = "SELECT ?";
  EXPECT_TRUE(only_reads("EXECUTE good USING 1", session));
  session.prepared_statements["bad"] = "DELETE FROM t";
  EXPECT_FALSE(only_reads("EXECUTE bad", session));
  session.prepared_statements["bad"] = "EXECUTE bad";  // it goes round in circles
  EXPECT_FALSE(only_reads("EXECUTE bad", session));
}

}  // namespace
}  // namespace meesh::serve::api
