#include "sql/rewrite.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sql/resolve_test_catalog.h"

namespace meesh::sql {
namespace {

using testing::duckdb;
using ::testing::ElementsAre;
using testing::error_of;
using ::testing::HasSubstr;
using testing::resolve_text;

std::vector<std::string> names(std::string_view text) {
  std::vector<std::string> out;
  for (const auto& column : resolve_text(text).analysis.columns) out.push_back(column.name);
  return out;
}

TEST(Show, HasTrinosColumns) {
  EXPECT_THAT(names("SHOW CATALOGS"), ElementsAre("Catalog"));
  EXPECT_THAT(names("SHOW SCHEMAS FROM sales"), ElementsAre("Schema"));
  EXPECT_THAT(names("SHOW TABLES"), ElementsAre("Table"));
  EXPECT_THAT(names("SHOW COLUMNS FROM t"), ElementsAre("Column", "Type", "Extra", "Comment"));
  EXPECT_THAT(names("DESCRIBE t"), ElementsAre("Column", "Type", "Extra", "Comment"));
  EXPECT_THAT(names("SHOW FUNCTIONS"),
              ElementsAre("Function", "Return Type", "Argument Types", "Function Type",
                          "Deterministic", "Description"));
  EXPECT_THAT(names("SHOW SESSION"),
              ElementsAre("Name", "Value", "Default", "Type", "Description"));
  EXPECT_THAT(names("SHOW CREATE TABLE t"), ElementsAre("Create Table"));
  EXPECT_THAT(names("SHOW CREATE VIEW v"), ElementsAre("Create View"));
  EXPECT_THAT(names("SHOW CREATE SCHEMA memory.other"), ElementsAre("Create Schema"));
  EXPECT_THAT(names("SHOW STATS FOR t"),
              ElementsAre("column_name", "data_size", "distinct_values_count", "nulls_fraction",
                          "row_count", "low_value", "high_value"));
  EXPECT_THAT(names("SHOW ROLES"), ElementsAre("Role"));
  EXPECT_THAT(names("SHOW ROLE GRANTS"), ElementsAre("Role Grants"));
  EXPECT_THAT(names("SHOW GRANTS"),
              ElementsAre("Grantor", "Grantor Type", "Grantee", "Grantee Type", "Catalog", "Schema",
                          "Table", "Privilege", "Grantable", "With Hierarchy"));
}

TEST(Show, FunctionsOfASchemaAreItsOwnAlone) {
  EXPECT_THAT(duckdb("SHOW FUNCTIONS FROM memory.other"), ::testing::Not(HasSubstr("'abs'")));
  EXPECT_THAT(duckdb("SHOW FUNCTIONS"), HasSubstr("'abs'"));
}

TEST(Show, ReadsInformationSchema) {
  EXPECT_EQ(duckdb("SHOW TABLES FROM sales.public LIKE 'c$_%' ESCAPE '$'"),
            "SELECT \"tables\".\"table_name\" AS \"Table\" FROM "
            "\"sales\".\"information_schema\".\"tables\" AS \"tables\" WHERE "
            "(trino_eq(\"tables\".\"table_schema\", 'public'::VARCHAR) AND "
            "trino_like(\"tables\".\"table_name\", 'c$_%'::VARCHAR, '$'::VARCHAR)) ORDER BY 1 ASC "
            "NULLS LAST");
  EXPECT_EQ(duckdb("SHOW CATALOGS LIKE 's%'"),
            "SELECT \"catalogs\".\"catalog_name\" AS \"Catalog\" FROM "
            "\"system\".\"metadata\".\"catalogs\" AS \"catalogs\" WHERE "
            "trino_like(\"catalogs\".\"catalog_name\", 's%'::VARCHAR) ORDER BY 1 ASC NULLS LAST");
}

TEST(Show, ColumnsAreExact) {
  const std::string text = duckdb("DESCRIBE sales.public.customers");
  EXPECT_THAT(text, HasSubstr("('name'::VARCHAR, 'varchar(100)'::VARCHAR, ''::VARCHAR, "
                              "''::VARCHAR)"));
  EXPECT_THAT(text, HasSubstr("('email'::VARCHAR, 'varchar'::VARCHAR, ''::VARCHAR, 'who to write "
                              "to'::VARCHAR)"));
}

TEST(Show, CreateTable) {
  EXPECT_THAT(duckdb("SHOW CREATE TABLE sales.public.customers"),
              HasSubstr("'CREATE TABLE sales.public.customers (\n"
                        "   customer_id integer NOT NULL,\n"
                        "   name varchar(100),\n"
                        "   email varchar COMMENT ''who to write to'',\n"
                        "   created_at timestamp(6)\n"
                        ")'"));
  EXPECT_THAT(duckdb("SHOW CREATE VIEW v"),
              HasSubstr("'CREATE VIEW memory.default.v SECURITY DEFINER AS\nSELECT\n  a number\n"
                        ", b\nFROM\n  t\nWHERE (a > 1)'"));
  EXPECT_EQ(error_of("SHOW CREATE VIEW t"),
            "NOT_SUPPORTED: line 1:1: Relation 'memory.default.t' is a table, not a view");
}

TEST(Show, WhatIsAbsent) {
  EXPECT_EQ(error_of("SHOW TABLES FROM nope.x"),
            "CATALOG_NOT_FOUND: line 1:1: Catalog 'nope' not found");
  EXPECT_EQ(error_of("SHOW TABLES FROM nope"),
            "SCHEMA_NOT_FOUND: line 1:1: Schema 'nope' does not exist");
  EXPECT_EQ(error_of("DESCRIBE nope"),
            "TABLE_NOT_FOUND: line 1:1: Table 'memory.default.nope' does not exist");
  EXPECT_EQ(error_of("SHOW SCHEMAS", "", ""),
            "MISSING_CATALOG_NAME: line 1:1: Catalog must be specified when session catalog is not "
            "set");
  EXPECT_EQ(error_of("SHOW TABLES", "memory", ""),
            "MISSING_SCHEMA_NAME: line 1:1: Schema must be specified when session schema is not "
            "set");
}

TEST(Show, SessionShowsWhatIsSet) {
  testing::TestCatalogs catalogs;
  const std::map<std::string, std::string> set = {{"query_max_run_time", "5m"}};
  ResolveContext context;
  context.catalogs = &catalogs;
  context.session_properties = &set;
  StatementPtr statement = parse("SHOW SESSION LIKE 'query%'");
  resolve(statement, context);
  EXPECT_THAT(print_duckdb(*statement).text,
              HasSubstr("('query_max_run_time'::VARCHAR, '5m'::VARCHAR, '100.00d'::VARCHAR"));
}

}  // namespace
}  // namespace meesh::sql
