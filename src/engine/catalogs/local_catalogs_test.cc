// The catalog kinds that need no server: memory, tpch, system, and information_schema.
#include <gmock/gmock.h>

#include <thread>

#include "duckdb/parser/parsed_data/create_table_info.hpp"
#include "duckdb/transaction/meta_transaction.hpp"
#include "engine/catalog_set.h"
#include "engine/catalogs/postgres_fixture_test.h"
#include "engine/duck_types.h"

namespace meesh::engine {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

SystemHooks hooks() {
  SystemHooks hooks;
  hooks.queries = [] {
    QueryInfo running, failed;
    running.id = "q1";
    running.text = "SELECT 1";
    running.user = "ada";
    running.state = QueryState::kRunning;
    running.created =
        std::chrono::system_clock::time_point(std::chrono::milliseconds(1700000000123));
    running.queued_ms = 5;
    failed.id = "q2";
    failed.state = QueryState::kFailed;
    failed.created = running.created;
    failed.ended = running.created + std::chrono::seconds(2);
    failed.error = Error(Code::kTableNotFound, "no");
    return std::vector<QueryInfo>{running, failed};
  };
  hooks.transactions = [] {
    TransactionInfo transaction;
    transaction.id = "t1";
    transaction.catalogs = {"memory", "sales"};
    return std::vector<TransactionInfo>{transaction};
  };
  return hooks;
}

class LocalCatalogTest : public testing::Test {
 protected:
  LocalCatalogTest() {
    catalogs_.register_with(duck_);
    catalogs_.add(make_memory_catalog("memory"));
  }
  std::vector<std::string> virtual_rows(const std::string& path, const std::string& rest = "",
                                        const std::string& list = "*") {
    const auto dot = path.find('.'), second = path.find('.', dot + 1);
    return duck_.rows("SELECT " + list + " FROM meesh_virtual('" + path.substr(0, dot) + "', '" +
                      path.substr(dot + 1, second - dot - 1) + "', '" + path.substr(second + 1) +
                      "') " + rest);
  }
  sql::TableInfo table(const std::string& catalog, const std::string& schema,
                       const std::string& name) {
    auto info = catalogs_.table({catalog, schema, name});
    if (!info) throw std::runtime_error("no table " + name);
    return *info;
  }
  static sql::TableInfo view(const std::string& schema, const std::string& name) {
    sql::TableInfo info;
    info.name = {"memory", schema, name};
    info.view_sql = "SELECT 1 AS one";
    info.columns.push_back({.name = "one", .type = sql::Type::of(sql::TypeKind::kInteger)});
    return info;
  }

  TestDuck duck_;
  CatalogSet catalogs_{hooks()};
};

TEST_F(LocalCatalogTest, MemoryHasASchemaFromTheStart) {
  EXPECT_THAT(catalogs_.schemas("memory"), ElementsAre("default", "information_schema"));
  EXPECT_TRUE(catalogs_.schema_exists("memory", "default"));
  EXPECT_FALSE(catalogs_.schema_exists("memory", "main"));
  EXPECT_FALSE(catalogs_.table({"memory", "default", "t"}));
  duck_.run("CREATE SCHEMA memory.other");
  EXPECT_TRUE(catalogs_.schema_exists("memory", "other"));
}

TEST_F(LocalCatalogTest, MemoryTablesKeepTrinosTypes) {
  duckdb::Connection connection(*duck_.db);
  duck_.run(
      "CREATE TABLE memory.\"default\".t (id INTEGER NOT NULL, name VARCHAR, price DECIMAL(10,2) "
      "DEFAULT 1.5)");
  duck_.run("COMMENT ON COLUMN memory.\"default\".t.price IS 'in euros'");
  catalogs_.get("memory")->set_comment("default", "t", "", "it's a table");
  duck_.run("INSERT INTO memory.\"default\".t (id, name) VALUES (1, 'a')");
  const auto t = table("memory", "default", "t");
  ASSERT_EQ(t.columns.size(), 3u);
  EXPECT_EQ(t.comment, "it's a table");
  EXPECT_FALSE(t.columns[0].nullable);
  EXPECT_TRUE(t.columns[1].nullable);
  EXPECT_EQ(t.columns[2].type.display(), "decimal(10,2)");
  EXPECT_EQ(t.columns[2].comment, "in euros");
  EXPECT_EQ(t.columns[2].default_value, "1.5");
  EXPECT_EQ(t.estimated_rows, 1);
  EXPECT_THAT(duck_.rows("SELECT * FROM " + t.duckdb_source), ElementsAre("1|a|1.50"));
  catalogs_.get("memory")->set_comment("default", "t", "name", "who");
  EXPECT_EQ(table("memory", "default", "t").columns[1].comment, "who");
  catalogs_.get("memory")->set_comment("default", "t", "", std::nullopt);
  EXPECT_EQ(table("memory", "default", "t").comment, "");
}

TEST_F(LocalCatalogTest, MemoryTypesWithModifiersSurvive) {
  const auto type = to_duckdb(sql::Type::varchar(7));
  duckdb::Connection connection(*duck_.db);
  auto& context = *connection.context;
  context.RunFunctionInTransaction([&] {
    auto info = duckdb::make_uniq<duckdb::CreateTableInfo>("memory", "default", "typed");
    info->columns.AddColumn(duckdb::ColumnDefinition("v", type));
    auto& catalog = duckdb::Catalog::GetCatalog(context, "memory");
    duckdb::MetaTransaction::Get(context).ModifyDatabase(
        catalog.GetAttached(), duckdb::DatabaseModificationType::CREATE_CATALOG_ENTRY);
    catalog.CreateTable(context, std::move(info));
  });
  EXPECT_EQ(table("memory", "default", "typed").columns.at(0).type.display(), "varchar(7)");
}

TEST_F(LocalCatalogTest, MemoryViews) {
  auto memory = catalogs_.get("memory");
  memory->create_view(view("default", "v"), false);
  EXPECT_EQ(table("memory", "default", "v").kind, sql::TableInfo::Kind::kView);
  EXPECT_EQ(error_of([&] { memory->create_view(view("default", "v"), false); }).code(),
            Code::kTableAlreadyExists);
  memory->create_view(view("default", "v"), true);
  EXPECT_EQ(error_of([&] { memory->create_view(view("nowhere", "v"), false); }).code(),
            Code::kSchemaNotFound);
  duck_.run("CREATE TABLE memory.\"default\".t (a INTEGER)");
  EXPECT_EQ(error_of([&] { memory->create_view(view("default", "t"), true); }).code(),
            Code::kTableAlreadyExists);
  EXPECT_THAT(memory->tables("default"), ElementsAre("t", "v"));
  memory->set_comment("default", "v", "one", "a number");
  EXPECT_EQ(table("memory", "default", "v").columns[0].comment, "a number");
  EXPECT_THAT(virtual_rows("memory.information_schema.views"),
              ElementsAre("memory|default|v|SELECT 1 AS one"));
  EXPECT_THAT(
      virtual_rows("memory.information_schema.tables", "WHERE table_schema = 'default'"),
      ElementsAre("memory|default|t|BASE TABLE|TABLE|NULL", "memory|default|v|VIEW|VIEW|NULL"));
  EXPECT_EQ(error_of([&] { memory->rename_view("default", "v", "default", "t"); }).code(),
            Code::kTableAlreadyExists);
  memory->rename_view("default", "v", "default", "w");
  EXPECT_FALSE(catalogs_.table({"memory", "default", "v"}));
  memory->drop_view("default", "w");
  EXPECT_EQ(error_of([&] { memory->drop_view("default", "w"); }).code(), Code::kTableNotFound);
}

TEST_F(LocalCatalogTest, ViewsGoWithTheirSchema) {
  auto memory = catalogs_.get("memory");
  duck_.run("CREATE SCHEMA memory.side");
  memory->create_view(view("side", "v"), false);
  duck_.run("DROP SCHEMA memory.side");
  memory->invalidate();
  duck_.run("CREATE SCHEMA memory.side");
  EXPECT_FALSE(catalogs_.table({"memory", "side", "v"}));
}

TEST_F(LocalCatalogTest, AnyNameForAMemoryCatalog) {
  catalogs_.add(make_memory_catalog("scratch \"x\""));
  duck_.run("CREATE TABLE \"scratch \"\"x\"\"\".\"default\".t AS SELECT 5 AS a");
  EXPECT_THAT(duck_.rows("SELECT a FROM " + table("scratch \"x\"", "default", "t").duckdb_source),
              ElementsAre("5"));
  EXPECT_TRUE(catalogs_.drop("scratch \"x\""));
  catalogs_.add(make_memory_catalog("scratch \"x\""));
  EXPECT_FALSE(catalogs_.table({"scratch \"x\"", "default", "t"}));
  duck_.run("CREATE TABLE memory.\"default\".kept AS SELECT 1 AS a");
  EXPECT_TRUE(catalogs_.drop("memory"));
  catalogs_.add(make_memory_catalog("memory"));
  EXPECT_FALSE(catalogs_.table({"memory", "default", "kept"}));
}

TEST_F(LocalCatalogTest, NamesAreCheckedAndUnique) {
  EXPECT_EQ(error_of([&] { catalogs_.add(make_memory_catalog("memory")); }).code(),
            Code::kAlreadyExists);
  EXPECT_EQ(error_of([&] { catalogs_.add(make_memory_catalog("system")); }).code(),
            Code::kAlreadyExists);
  EXPECT_EQ(error_of([&] { catalogs_.add(make_memory_catalog("temp")); }).code(),
            Code::kInvalidArguments);
  EXPECT_EQ(error_of([&] { catalogs_.add(make_memory_catalog("Upper")); }).code(),
            Code::kInvalidArguments);
  EXPECT_EQ(error_of([&] { catalogs_.get("none"); }).message(), "Catalog 'none' not found");
  EXPECT_FALSE(catalogs_.drop("none"));
  EXPECT_EQ(error_of([&] {
              catalogs_.prepare(duck_, {sql::TableInfo{.name = {"none", "a", "b"}}});
            }).code(),
            Code::kCatalogNotFound);
}

TEST_F(LocalCatalogTest, ADroppedCatalogLivesAsLongAsItIsUsed) {
  auto used = catalogs_.prepare(duck_, {sql::TableInfo{.name = {"memory", "default", "t"}}});
  ASSERT_EQ(used.size(), 1u);
  std::weak_ptr<Catalog> watch = used[0];
  catalogs_.drop("memory");
  EXPECT_FALSE(watch.expired());
  used.clear();
  EXPECT_TRUE(watch.expired());
}

TEST_F(LocalCatalogTest, TpchListsWithoutGenerating) {
  catalogs_.add(make_tpch_catalog("tpch"));
  EXPECT_THAT(catalogs_.schemas("tpch"), ElementsAre("information_schema", "sf1", "tiny"));
  EXPECT_THAT(
      virtual_rows("tpch.information_schema.columns",
                   "WHERE table_schema = 'tiny' AND table_name = 'orders'",
                   "column_name, data_type, is_nullable"),
      ElementsAre("orderkey|bigint|NO", "custkey|bigint|NO", "orderstatus|varchar(1)|NO",
                  "totalprice|double|NO", "orderdate|date|NO", "orderpriority|varchar(15)|NO",
                  "clerk|varchar(15)|NO", "shippriority|integer|NO", "comment|varchar(79)|NO"));
  EXPECT_FALSE(catalogs_.table({"tpch", "tiny", "no"}));
  EXPECT_TRUE(catalogs_.table({"tpch", "sf0.5", "orders"}));
  for (const char* schema : {"sf", "sf0", "sf-1", "sf1x", "sf101", "sfnan", "sf1e9", "large"})
    EXPECT_FALSE(catalogs_.table({"tpch", schema, "orders"})) << schema;
  EXPECT_THAT(duck_.rows("SELECT database_name FROM duckdb_databases()"),
              Not(Contains(HasSubstr("tpch"))));
}

TEST_F(LocalCatalogTest, TpchGeneratesOnceForAll) {
  catalogs_.add(make_tpch_catalog("tpch"));
  const auto lineitem = table("tpch", "tiny", "lineitem");
  std::vector<std::thread> readers;
  for (int i = 0; i < 4; ++i) readers.emplace_back([&] { catalogs_.prepare(duck_, {lineitem}); });
  for (auto& reader : readers) reader.join();
  EXPECT_THAT(duck_.rows("SELECT count(*), sum(quantity) FROM " + lineitem.duckdb_source),
              ElementsAre("60175|1536127.0"));
  for (const char* name :
       {"customer", "lineitem", "nation", "orders", "part", "partsupp", "region", "supplier"}) {
    const auto info = table("tpch", "tiny", name);
    auto result = duck_.run("SELECT * FROM " + info.duckdb_source + " LIMIT 1");
    ASSERT_EQ(result->ColumnCount(), info.columns.size()) << name;
    for (size_t i = 0; i < info.columns.size(); ++i) {
      EXPECT_EQ(result->names[i], info.columns[i].name) << name;
      auto expected = info.columns[i].type;
      if (expected.kind == sql::TypeKind::kVarchar) expected = sql::Type::varchar();
      EXPECT_EQ(from_duckdb(result->types[i]).display(), expected.display())
          << name << "." << info.columns[i].name;
    }
    EXPECT_EQ(info.duckdb_target, "") << name;
  }
  EXPECT_THAT(duck_.rows("SELECT name FROM " + table("tpch", "tiny", "region").duckdb_source +
                         " ORDER BY regionkey"),
              ElementsAre("AFRICA", "AMERICA", "ASIA", "EUROPE", "MIDDLE EAST"));
  catalogs_.drop("tpch");
  EXPECT_THAT(duck_.rows("SELECT database_name FROM duckdb_databases()"),
              Not(Contains(HasSubstr("tpch"))));
}

TEST_F(LocalCatalogTest, InformationSchemaOfEveryCatalog) {
  catalogs_.add(make_tpch_catalog("tpch"));
  duck_.run("CREATE TABLE memory.\"default\".t (id INTEGER NOT NULL, name VARCHAR)");
  duck_.run("COMMENT ON TABLE memory.\"default\".t IS 'noted'");
  EXPECT_THAT(virtual_rows("memory.information_schema.schemata"),
              ElementsAre("memory|default", "memory|information_schema"));
  EXPECT_THAT(virtual_rows("memory.information_schema.columns", "WHERE table_schema = 'default'",
                           "table_name, column_name, ordinal_position, column_default, "
                           "is_nullable, data_type, comment"),
              ElementsAre("t|id|1|NULL|NO|integer|NULL", "t|name|2|NULL|YES|varchar|NULL"));
  EXPECT_THAT(virtual_rows("memory.information_schema.tables", "WHERE table_name = 't'",
                           "table_type, table_comment"),
              ElementsAre("BASE TABLE|noted"));
  EXPECT_THAT(virtual_rows("tpch.information_schema.tables",
                           "WHERE table_schema = 'information_schema'", "table_name"),
              ElementsAre("applicable_roles", "columns", "enabled_roles", "roles", "schemata",
                          "table_privileges", "tables", "views"));
  EXPECT_THAT(virtual_rows("system.information_schema.schemata", "", "schema_name"),
              ElementsAre("information_schema", "jdbc", "metadata", "runtime"));
  for (const char* empty : {"roles", "enabled_roles", "applicable_roles", "table_privileges"}) {
    EXPECT_THAT(virtual_rows(std::string("memory.information_schema.") + empty), IsEmpty())
        << empty;
  }
  const auto described = table("memory", "information_schema", "columns");
  EXPECT_EQ(described.duckdb_source, "meesh_virtual('memory', 'information_schema', 'columns')");
  EXPECT_TRUE(described.columns.back().hidden);
  EXPECT_FALSE(catalogs_.table({"none", "information_schema", "columns"}));
  EXPECT_FALSE(catalogs_.table({"memory", "information_schema", "none"}));
}

TEST_F(LocalCatalogTest, EverySystemTableCanBeRead) {
  catalogs_.add(make_tpch_catalog("tpch"));
  int count = 0;
  for (const auto& row :
       virtual_rows("system.information_schema.tables", "", "table_schema || '.' || table_name")) {
    auto info =
        catalogs_.table({"system", row.substr(0, row.find('.')), row.substr(row.find('.') + 1)});
    ASSERT_TRUE(info) << row;
    auto result = duck_.run("SELECT * FROM " + info->duckdb_source);
    EXPECT_EQ(result->ColumnCount(), info->columns.size()) << row;
    for (size_t i = 0; i < info->columns.size(); ++i) {
      EXPECT_EQ(from_duckdb(result->types[i]).display(), info->columns[i].type.display())
          << row << "." << info->columns[i].name;
    }
    ++count;
  }
  EXPECT_EQ(count, 13 + 8 + 5 + 8);  // jdbc, metadata, runtime, information_schema
}

TEST_F(LocalCatalogTest, JdbcMetadata) {
  catalogs_.add(make_tpch_catalog("tpch"));
  EXPECT_THAT(virtual_rows("system.jdbc.catalogs"), ElementsAre("memory", "system", "tpch"));
  EXPECT_THAT(virtual_rows("system.jdbc.schemas", "WHERE table_catalog = 'tpch'"),
              ElementsAre("information_schema|tpch", "sf1|tpch", "tiny|tpch"));
  EXPECT_THAT(
      virtual_rows("system.jdbc.tables",
                   "WHERE table_cat = 'tpch' AND table_schem LIKE 'ti%' AND table_name LIKE 'n%'"),
      ElementsAre("tpch|tiny|nation|TABLE|NULL|NULL|NULL|NULL|NULL|NULL"));
  EXPECT_THAT(
      virtual_rows(
          "system.jdbc.columns",
          "WHERE table_cat = 'tpch' AND table_schem = 'tiny' AND table_name = 'nation'",
          "column_name, data_type, type_name, column_size, num_prec_radix, ordinal_position"),
      ElementsAre("nationkey|-5|bigint|19|10|1", "name|12|varchar(25)|25|NULL|2",
                  "regionkey|-5|bigint|19|10|3", "comment|12|varchar(152)|152|NULL|4"));
  EXPECT_THAT(virtual_rows("system.jdbc.table_types"), ElementsAre("TABLE", "VIEW"));
  EXPECT_THAT(
      virtual_rows("system.jdbc.types", "WHERE type_name = 'bigint'", "data_type, precision"),
      ElementsAre("-5|19"));
  EXPECT_THAT(virtual_rows("system.metadata.catalogs"),
              ElementsAre("memory|memory|memory", "system|system|system", "tpch|tpch|tpch"));
  EXPECT_THAT(virtual_rows("system.metadata.table_comments",
                           "WHERE catalog_name = 'tpch' AND schema_name = 'tiny'", "count(*)"),
              ElementsAre("8"));
}

TEST_F(LocalCatalogTest, DriversAskByPatternsThatNameOneTable) {
  duck_.run("CREATE TABLE memory.\"default\".a_b(x INTEGER)");
  duck_.run("CREATE TABLE memory.\"default\".axb(y INTEGER)");
  const auto columns = [&](const std::string& pattern) {
    return virtual_rows("system.jdbc.columns",
                        "WHERE table_cat LIKE 'memory' ESCAPE '\\' AND table_schem = 'default' "
                        "AND table_name LIKE '" +
                            pattern + "' ESCAPE '\\'",
                        "table_name, column_name, nullable");
  };
  EXPECT_THAT(columns("a\\_b"), ElementsAre("a_b|x|1"));
  EXPECT_THAT(columns("a_b"), ElementsAre("a_b|x|1", "axb|y|1"));
  EXPECT_THAT(columns("nosuch"), IsEmpty());
  EXPECT_THAT(virtual_rows("memory.information_schema.columns", "WHERE table_name = 'axb'",
                           "table_schema, column_name"),
              ElementsAre("default|y"));
}

TEST_F(LocalCatalogTest, RuntimeTables) {
  duck_.run("SET GLOBAL TimeZone = 'UTC'");
  EXPECT_THAT(virtual_rows("system.runtime.nodes"),
              ElementsAre("meesh|http://127.0.0.1:8080|476|true|active"));
  EXPECT_THAT(virtual_rows("system.runtime.queries", "",
                           "query_id, state, \"user\", source, query, resource_group_id, "
                           "queued_time_ms, error_type, error_code"),
              ElementsAre("q1|RUNNING|ada|NULL|SELECT 1|[global]|5|NULL|NULL",
                          "q2|FAILED||NULL||[global]|0|USER_ERROR|TABLE_NOT_FOUND"));
  EXPECT_THAT(
      virtual_rows("system.runtime.queries", "",
                   "CAST(created AS VARCHAR), CAST(started AS VARCHAR), CAST(\"end\" AS VARCHAR)"),
      ElementsAre(
          "2023-11-14 22:13:20.123+00|2023-11-14 22:13:20.128+00|NULL",
          "2023-11-14 22:13:20.123+00|2023-11-14 22:13:20.123+00|2023-11-14 22:13:22.123+00"));
  EXPECT_THAT(virtual_rows("system.runtime.tasks", "", "task_id, state, running_splits"),
              ElementsAre("q1.0.0.0|RUNNING|1", "q2.0.0.0|FAILED|0"));
  EXPECT_THAT(virtual_rows("system.runtime.transactions", "", "transaction_id, catalogs"),
              ElementsAre("t1|[memory, sales]"));
}

TEST_F(LocalCatalogTest, VirtualTablesKnowTheirLimits) {
  EXPECT_EQ(error_of([&] { virtual_rows("system.jdbc.nothing"); }).code(), Code::kTableNotFound);
  EXPECT_EQ(error_of([&] { virtual_rows("none.information_schema.tables"); }).code(),
            Code::kCatalogNotFound);
  EXPECT_THAT(virtual_rows("system.jdbc.catalogs", "", "count(*)"), ElementsAre("2"));
  EXPECT_THAT(virtual_rows("system.jdbc.types", "", "type_name, type_name").size(), 38u);
}

TEST(Duck, AMissingExtensionSaysWhatToDo) {
  TestDuck duck;
  duck.extension_directory = "/nowhere";
  const Error error = error_of([&] { duck.load_extension("tpch"); });
  EXPECT_EQ(error.code(), Code::kIoError);
  EXPECT_EQ(error.message(), "DuckDB extension 'tpch' is not in /nowhere");
  EXPECT_THAT(error.hint(), HasSubstr("setup/setup.sh"));
}

}  // namespace
}  // namespace meesh::engine
