// Statements about materialized views, and queries that read them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "sql/sql.h"

namespace meesh::sql {
namespace {

using ::testing::HasSubstr;

/// lake.s with a table t, a view, and materialized views that are fresh and stale.
class Lake : public CatalogReader {
 public:
  Lake() {
    TableInfo t = info("t", TableInfo::Kind::kTable);
    t.duckdb_source = "lake_scan('t')";
    t.duckdb_target = "t.json";
    add(t);
    add(info("plain", TableInfo::Kind::kView));
    TableInfo fresh = info("fresh", TableInfo::Kind::kMaterializedView);
    fresh.duckdb_source = "lake_scan('stored')";
    add(fresh);
    TableInfo stale = info("stale", TableInfo::Kind::kMaterializedView);
    add(stale);
    stale.name.table = "fails";
    stale.materialization->fails_when_stale = true;
    add(stale);
    stale.name.table = "changed";
    stale.materialization->fails_when_stale = false;
    stale.view_sql = "SELECT b AS a FROM t";
    add(stale);
  }
  bool catalog_exists(const std::string& catalog) override {
    return catalog == "lake" || catalog == "other";
  }
  bool schema_exists(const std::string&, const std::string& schema) override {
    return schema == "s";
  }
  bool runs_changes(const std::string& catalog) override { return catalog == "lake"; }
  std::optional<TableInfo> table(const TableName& name) override {
    const auto found = tables_.find(name.display());
    return found == tables_.end() ? std::nullopt : std::optional(found->second);
  }

 private:
  static TableInfo info(const char* name, TableInfo::Kind kind) {
    TableInfo made;
    made.name = {"lake", "s", name};
    made.kind = kind;
    made.columns.push_back({"a", Type::of(TypeKind::kInteger), true, "", "", false});
    if (kind == TableInfo::Kind::kTable) {
      made.columns.push_back({"b", Type::varchar(), true, "", "", false});
      return made;
    }
    made.view_sql = "SELECT CAST(a AS smallint) AS a FROM t";
    made.view_catalog = "lake";
    made.view_schema = "s";
    if (kind == TableInfo::Kind::kMaterializedView) made.materialization.emplace();
    return made;
  }
  void add(const TableInfo& made) { tables_[made.name.display()] = made; }

  std::map<std::string, TableInfo> tables_;
};

struct Resolved {
  StatementPtr statement;
  Analysis analysis;
};

Resolved resolve_text(const std::string& text) {
  Lake lake;
  ResolveContext context;
  context.catalogs = &lake;
  context.catalog = "lake";
  context.schema = "s";
  context.user = "ada";
  Resolved out;
  out.statement = parse(text);
  out.analysis = resolve(out.statement, context);
  return out;
}

std::string failure(const std::string& text) {
  try {
    resolve_text(text);
  } catch (const Error& error) {
    return std::string(code_name(error.code())) + ": " + error.sql_message();
  }
  return "it did not fail";
}

TEST(ResolveMaterialized, FreshOnesAreReadAndOthersAreRun) {
  const auto fresh = resolve_text("SELECT a FROM fresh");
  EXPECT_THAT(print_duckdb(*fresh.statement).text, HasSubstr("lake_scan('stored')"));
  ASSERT_EQ(fresh.analysis.reads.size(), 1u);
  EXPECT_EQ(fresh.analysis.reads[0].name.table, "fresh");
  const auto stale = resolve_text("SELECT a FROM stale");
  EXPECT_THAT(print_duckdb(*stale.statement).text, HasSubstr("lake_scan('t')"));
  ASSERT_EQ(stale.analysis.reads.size(), 2u);
  EXPECT_EQ(stale.analysis.reads[0].name.table, "t");
  EXPECT_EQ(stale.analysis.columns.at(0).declared, Type::of(TypeKind::kInteger))
      << "the type is that of the storage";
  EXPECT_EQ(failure("SELECT a FROM fails"),
            "VIEW_IS_STALE: line 1:15: Materialized view 'lake.s.fails' is stale");
  EXPECT_THAT(failure("SELECT a FROM changed"),
              HasSubstr("column [a] of type varchar projected from query view at position 0 cannot "
                        "be coerced to column [a] of type integer stored in view definition"));
}

TEST(ResolveMaterialized, CreateKnowsTheGracePeriod) {
  const auto made = resolve_text(
      "CREATE MATERIALIZED VIEW v GRACE PERIOD INTERVAL '1.5' SECOND WHEN STALE FAIL COMMENT 'x' "
      "AS SELECT a AS n FROM t");
  ASSERT_EQ(made.analysis.writes.size(), 1u);
  const auto& view = made.analysis.writes[0];
  EXPECT_EQ(view.kind, TableInfo::Kind::kMaterializedView);
  EXPECT_EQ(view.view_sql, "SELECT a AS n FROM t");
  EXPECT_EQ(view.view_owner, "ada");
  ASSERT_TRUE(view.materialization);
  EXPECT_EQ(view.materialization->grace_period_ms, 1500);
  EXPECT_TRUE(view.materialization->fails_when_stale);
  EXPECT_EQ(made.analysis.update_type, "CREATE MATERIALIZED VIEW");
  EXPECT_EQ(resolve_text("CREATE MATERIALIZED VIEW v AS SELECT 1 AS n")
                .analysis.writes[0]
                .materialization->grace_period_ms,
            std::nullopt);
}

TEST(ResolveMaterialized, RefreshGivesTheStoredColumns) {
  const auto made = resolve_text("REFRESH MATERIALIZED VIEW fresh");
  EXPECT_EQ(made.analysis.writes.at(0).name.table, "fresh");
  EXPECT_EQ(made.analysis.reads.at(0).name.table, "t");
  const auto& refresh = as<RefreshMaterializedView>(*made.statement);
  ASSERT_TRUE(refresh.query);
  EXPECT_THAT(print_trino(*refresh.query), HasSubstr("AS integer"));
  EXPECT_EQ(made.analysis.update_type, "REFRESH MATERIALIZED VIEW");
}

TEST(ResolveMaterialized, MistakesAreNamedAsTrinoNamesThem) {
  const std::pair<const char*, const char*> kCases[] = {
      {"CREATE MATERIALIZED VIEW other.s.v AS SELECT 1 AS a",
       "NOT_SUPPORTED: This connector does not support creating materialized views"},
      {"CREATE MATERIALIZED VIEW fresh AS SELECT 1 AS a",
       "ALREADY_EXISTS: line 1:1: Materialized view already exists: 'lake.s.fresh'"},
      {"CREATE OR REPLACE MATERIALIZED VIEW t AS SELECT 1 AS a",
       "TABLE_ALREADY_EXISTS: line 1:1: Table already exists: 'lake.s.t'"},
      {"CREATE OR REPLACE MATERIALIZED VIEW fresh AS SELECT * FROM fresh",
       "VIEW_IS_RECURSIVE: line 1:60: View is recursive"},
      {"CREATE MATERIALIZED VIEW v GRACE PERIOD INTERVAL -'1' DAY AS SELECT 1 AS a",
       "NUMERIC_VALUE_OUT_OF_RANGE: line 1:41: Grace period cannot be negative"},
      {"CREATE MATERIALIZED VIEW v AS SELECT 1",
       "MISSING_COLUMN_NAME: line 1:1: Column name not specified at position 1"},
      {"REFRESH MATERIALIZED VIEW t",
       "TABLE_NOT_FOUND: line 1:1: Materialized view 'lake.s.t' does not exist"},
      {"REFRESH MATERIALIZED VIEW changed",
       "TYPE_MISMATCH: line 1:1: Insert query has mismatched column types: Table: [integer], "
       "Query: [varchar]"},
      {"INSERT INTO fresh VALUES 1",
       "NOT_SUPPORTED: line 1:1: Inserting into materialized views is not supported"},
      {"INSERT INTO plain VALUES 1",
       "NOT_SUPPORTED: line 1:1: Inserting into views is not supported"},
      {"DROP TABLE fresh",
       "GENERIC_USER_ERROR: line 1:1: Table 'lake.s.fresh' does not exist, but a materialized view "
       "with that name exists. Did you mean DROP MATERIALIZED VIEW lake.s.fresh?"},
      {"DROP MATERIALIZED VIEW plain",
       "GENERIC_USER_ERROR: line 1:1: Materialized view 'lake.s.plain' does not exist, but a view "
       "with that name exists. Did you mean DROP VIEW lake.s.plain?"},
      {"DROP MATERIALIZED VIEW nope",
       "GENERIC_USER_ERROR: line 1:1: Materialized view 'lake.s.nope' does not exist"},
      {"ALTER MATERIALIZED VIEW fresh RENAME TO stale",
       "TABLE_ALREADY_EXISTS: line 1:1: Target materialized view 'lake.s.stale' already exists"},
      {"ALTER MATERIALIZED VIEW fresh SET PROPERTIES format = 'ORC'",
       "NOT_SUPPORTED: line 1:1: This connector does not support setting materialized view "
       "properties"},
  };
  for (const auto& [text, expected] : kCases) EXPECT_EQ(failure(text), expected) << text;
}

}  // namespace
}  // namespace meesh::sql
