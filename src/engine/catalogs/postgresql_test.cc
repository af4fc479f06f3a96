#include <gmock/gmock.h>

#include <atomic>
#include <thread>

#include "engine/catalog_set.h"
#include "engine/catalogs/postgres_fixture_test.h"
#include "sql/sql.h"

namespace meesh::engine {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

class PostgresCatalogTest : public testing::Test {
 protected:
  // One server and one DuckDB for all: starting one and loading the extension take the time.
  struct Shared {
    Shared() { catalogs.register_with(duck); }
    PostgresServer server;
    TestDuck duck;
    CatalogSet catalogs;
  };
  static void SetUpTestSuite() { shared_ = std::make_unique<Shared>(); }
  static void TearDownTestSuite() { shared_.reset(); }

  PostgresCatalogTest() {
    server_->run("DROP SCHEMA IF EXISTS public CASCADE; CREATE SCHEMA public");
    catalogs_.add(make_postgresql_catalog(server_->options("sales")));
  }
  ~PostgresCatalogTest() override {
    used_.clear();
    for (const auto& name : catalogs_.names()) catalogs_.drop(name);
  }

  /// Resolves and prepares a table as a statement does.
  sql::TableInfo use(const std::string& table, const std::string& schema = "public") {
    auto info = catalogs_.table({"sales", schema, table});
    if (!info) throw std::runtime_error("no table " + table);
    used_ = catalogs_.prepare(duck_, {*info});
    return *info;
  }
  std::vector<std::string> read(const std::string& table, const std::string& list = "*") {
    return duck_.rows("SELECT " + list + " FROM " + use(table).duckdb_source);
  }
  /// Runs a statement over tables already used, with the catalogs' look at its error.
  void run(const std::string& sql) {
    try {
      duck_.run(sql);
    } catch (Error& error) {
      CatalogSet::on_error(error, used_);
      throw;
    }
  }
  std::string type_of(const sql::TableInfo& table, const std::string& column) {
    for (const auto& c : table.columns) {
      if (c.name == column) return c.type.display();
    }
    return "no column " + column;
  }

  static inline std::unique_ptr<Shared> shared_;
  PostgresServer* const server_ = &shared_->server;
  TestDuck& duck_ = shared_->duck;
  CatalogSet& catalogs_ = shared_->catalogs;
  CatalogsInUse used_;
};

struct TypeCase {
  const char* type;
  const char* literal;
  const char* trino;
  const char* value;  // DuckDB's text of what is read
};

TEST_F(PostgresCatalogTest, TypesAndValuesAreTrinos) {
  server_->run("DROP TYPE IF EXISTS mood; CREATE TYPE mood AS ENUM ('sad', 'ok')");
  server_->run("DROP TYPE IF EXISTS pair; CREATE TYPE pair AS (a int, b text)");
  server_->run(
      "CREATE DOMAIN positive AS integer CHECK (value > 0); CREATE DOMAIN money2 AS numeric(12,2)");
  const TypeCase cases[] = {
      {"boolean", "true", "boolean", "true"},
      {"smallint", "-32768", "smallint", "-32768"},
      {"integer", "7", "integer", "7"},
      {"bigint", "9223372036854775807", "bigint", "9223372036854775807"},
      {"real", "1.5", "real", "1.5"},
      {"double precision", "2.5", "double", "2.5"},
      {"numeric(10,2)", "12.34", "decimal(10,2)", "12.34"},
      {"numeric(38,10)", "1234567890123456789012345678.0123456789", "decimal(38,10)",
       "1234567890123456789012345678.0123456789"},
      {"numeric", "12345.6789", "decimal(38,10)", "12345.6789000000"},
      {"numeric(45,12)", "1.5", "decimal(38,5)", "1.50000"},
      {"numeric(2,4)", "0.0012", "decimal(4,4)", ".0012"},
      {"varchar(20)", "'x'", "varchar(20)", "x"},
      {"varchar", "'é'", "varchar", "é"},
      {"text", "'t'", "varchar", "t"},
      {"char(5)", "'c'", "char(5)", "c    "},
      {"bytea", "'\\x4142'", "varbinary", "AB"},
      {"date", "'2024-01-02'", "date", "2024-01-02"},
      {"time", "'01:02:03.456789'", "time(6)", "01:02:03.456789"},
      {"time(3)", "'01:02:03.456'", "time(3)", "01:02:03.456"},
      {"timestamp", "'2024-01-02 03:04:05.678901'", "timestamp(6)", "2024-01-02 03:04:05.678901"},
      {"timestamp(0)", "'2024-01-02 03:04:05'", "timestamp(0)", "2024-01-02 03:04:05"},
      {"timestamptz", "'2024-01-02 03:04:05+00'", "timestamp(6) with time zone",
       "2024-01-02 03:04:05+00"},
      {"timestamptz(3)", "'2024-01-02 03:04:05.5+00'", "timestamp(3) with time zone",
       "2024-01-02 03:04:05.5+00"},
      {"uuid", "'00000000-0000-0000-0000-000000000001'", "uuid",
       "00000000-0000-0000-0000-000000000001"},
      {"json", "'{\"a\": 1}'", "json", "{\"a\": 1}"},
      {"jsonb", "'{\"a\":1}'", "json", "{\"a\": 1}"},
      {"integer[]", "'{1,2,NULL}'", "array(integer)", "[1, 2, NULL]"},
      {"text[]", "'{a,b}'", "array(varchar)", "[a, b]"},
      {"integer[][]", "'{{1,2},{3,4}}'", "array(array(integer))", "[[1, 2], [3, 4]]"},
      {"numeric(10,2)[]", "'{1.25}'", "array(decimal(10,2))", "[1.25]"},
      {"numeric[]", "'{1.25}'", "array(decimal(38,10))", "[1.2500000000]"},
      {"mood", "'ok'", "varchar", "ok"},
      {"mood[]", "'{ok,sad}'", "array(varchar)", "[ok, sad]"},
      {"positive", "5", "integer", "5"},
      {"money2", "5.25", "decimal(12,2)", "5.25"},
      {"inet", "'10.0.0.1'", "varchar", "10.0.0.1/32"},
      {"interval", "'1 day 02:00:00'", "varchar", "1 day 02:00:00"},
      {"pair", "'(1,x)'", "varchar", "{'a': 1, 'b': x}"},
      {"oid", "77", "bigint", "77"},
      {"xml", "'<a/>'", "varchar", "<a/>"},
      {"money", "12.5", "varchar", "$12.50"},
  };
  std::string columns, values;
  for (size_t i = 0; i < std::size(cases); ++i) {
    columns += (i ? ", c" : "c") + std::to_string(i) + " " + cases[i].type;
    values += (i ? std::string(", ") : std::string()) + cases[i].literal;
  }
  server_->run("CREATE TABLE types (" + columns + ")");
  server_->run("INSERT INTO types VALUES (" + values + "), (" + std::string("NULL") + [&] {
    std::string nulls;
    for (size_t i = 1; i < std::size(cases); ++i) nulls += ", NULL";
    return nulls;
  }() + ")");
  const auto table = use("types");
  duck_.run("SET GLOBAL TimeZone = 'UTC'");
  for (size_t i = 0; i < std::size(cases); ++i) {
    const std::string column = "c" + std::to_string(i);
    EXPECT_EQ(type_of(table, column), cases[i].trino) << cases[i].type;
    const auto rows = duck_.rows("SELECT CAST(" + column + " AS VARCHAR) FROM " +
                                 table.duckdb_source + " ORDER BY c2 NULLS LAST");
    EXPECT_THAT(rows, ElementsAre(cases[i].value, "NULL")) << cases[i].type;
  }
}

TEST_F(PostgresCatalogTest, AColumnThatCannotBeReadIsLeftOut) {
  server_->run(
      "CREATE TABLE t (id int, tens numeric(3,-2), name text); INSERT INTO t VALUES (1, 12300, "
      "'x')");
  const auto table = use("t");
  ASSERT_EQ(table.columns.size(), 2u);
  EXPECT_THAT(read("t"), ElementsAre("1|x"));
  EXPECT_EQ(table.remote_database, "");
}

TEST_F(PostgresCatalogTest, DescribesTables) {
  server_->run(
      "CREATE TABLE orders (id serial PRIMARY KEY, note varchar(10) DEFAULT 'none', amount "
      "numeric(10,2) NOT NULL);"
      "COMMENT ON TABLE orders IS 'what was bought'; COMMENT ON COLUMN orders.amount IS 'in euros';"
      "INSERT INTO orders (amount) SELECT g FROM generate_series(1, 500) g; ANALYZE orders");
  const auto table = use("orders");
  EXPECT_EQ(table.comment, "what was bought");
  EXPECT_EQ(table.estimated_rows, 500);
  EXPECT_EQ(table.remote_database, "sales");
  EXPECT_EQ(table.remote_schema, "public");
  EXPECT_EQ(table.duckdb_source, "\"sales\".\"public\".\"orders\"");
  EXPECT_EQ(table.duckdb_target, table.duckdb_source);
  EXPECT_FALSE(table.insert_only);
  ASSERT_EQ(table.columns.size(), 3u);
  EXPECT_FALSE(table.columns[0].nullable);
  EXPECT_EQ(table.columns[0].default_value, "");
  EXPECT_TRUE(table.columns[1].nullable);
  EXPECT_EQ(table.columns[1].default_value, "'none'::character varying");
  EXPECT_FALSE(table.columns[2].nullable);
  EXPECT_EQ(table.columns[2].comment, "in euros");
  EXPECT_FALSE(catalogs_.table({"sales", "public", "nothing"}));
  EXPECT_FALSE(catalogs_.table({"sales", "nowhere", "orders"}));
}

TEST_F(PostgresCatalogTest, ListsSchemasAsTrinoDoes) {
  server_->run("DROP SCHEMA IF EXISTS \"Extra\" CASCADE; CREATE SCHEMA \"Extra\"");
  EXPECT_THAT(catalogs_.schemas("sales"),
              ElementsAre("extra", "information_schema", "pg_catalog", "public"));
  EXPECT_TRUE(catalogs_.schema_exists("sales", "extra"));
  EXPECT_TRUE(catalogs_.schema_exists("sales", "information_schema"));
  EXPECT_FALSE(catalogs_.schema_exists("sales", "pg_toast"));
  EXPECT_THAT(duck_.rows("SELECT nspname FROM " + use("pg_namespace", "pg_catalog").duckdb_source),
              Contains("public"));
  server_->run("DROP SCHEMA \"Extra\"");
}

TEST_F(PostgresCatalogTest, SeesViewsPartitionsAndForeignTables) {
  server_->run(
      "CREATE TABLE base (id int); INSERT INTO base VALUES (1);"
      "CREATE VIEW v AS SELECT id + 1 AS id FROM base;"
      "CREATE MATERIALIZED VIEW m AS SELECT id + 2 AS id FROM base;"
      "CREATE TABLE parts (id int, k int) PARTITION BY RANGE (k);"
      "CREATE TABLE parts_a PARTITION OF parts FOR VALUES FROM (0) TO (10);"
      "CREATE TABLE parts_b PARTITION OF parts FOR VALUES FROM (10) TO (20);"
      "INSERT INTO parts VALUES (3, 1), (4, 11)");
  EXPECT_THAT(catalogs_.get("sales")->tables("public"),
              ElementsAre("base", "m", "parts", "parts_a", "parts_b", "v"));
  EXPECT_THAT(read("v"), ElementsAre("2"));
  EXPECT_THAT(read("m"), ElementsAre("3"));
  EXPECT_EQ(use("v").duckdb_target, "");
  EXPECT_EQ(use("m").duckdb_target, "");
  EXPECT_THAT(read("parts", "sum(id)"), ElementsAre("7"));
  // The extension finds rows by ctid, which two partitions share.
  EXPECT_TRUE(use("parts").insert_only);
  EXPECT_FALSE(use("parts_a").insert_only);
  duck_.run("INSERT INTO " + use("parts").duckdb_target + " VALUES (5, 12)");
  EXPECT_EQ(server_->run("SELECT sum(id) FROM parts_b"), "9");
}

TEST_F(PostgresCatalogTest, NamesWithCaseQuotesAndAccents) {
  server_->run(
      "CREATE TABLE \"Upper Tab\" (\"Mixed Col\" int, \"qu\"\"ote\" text, plain int);"
      "INSERT INTO \"Upper Tab\" VALUES (1, 'a', 2);"
      "CREATE TABLE \"été\" (\"naïve\" text); INSERT INTO \"été\" VALUES ('ü');"
      "CREATE TABLE twice (id int, \"ID\" int); INSERT INTO twice VALUES (1, 2);"
      "CREATE TABLE \"Pair\" (a int); CREATE TABLE pair (b int)");
  const auto table = use("upper tab");
  ASSERT_EQ(table.columns.size(), 3u);
  EXPECT_EQ(table.columns[0].name, "mixed col");
  EXPECT_EQ(table.remote_table, "Upper Tab");
  EXPECT_EQ(table.remote_database, "") << "its columns' names are not those of the statement";
  EXPECT_THAT(read("upper tab", "\"mixed col\", \"qu\"\"ote\", plain"), ElementsAre("1|a|2"));
  EXPECT_THAT(read("été"), ElementsAre("ü"));
  EXPECT_THAT(read("twice"), ElementsAre("1"));
  EXPECT_EQ(use("pair").columns[0].name, "b") << "the exact spelling wins";
  EXPECT_THAT(catalogs_.get("sales")->tables("public"),
              ElementsAre("pair", "twice", "upper tab", "été"));
}

TEST_F(PostgresCatalogTest, SeesWhatChangedOutsideAMomentAgo) {
  server_->run("CREATE TABLE a (x int); INSERT INTO a VALUES (1); CREATE TABLE b (x int NOT NULL)");
  EXPECT_THAT(read("a"), ElementsAre("1"));
  server_->run("ALTER TABLE a ADD COLUMN y text DEFAULT 'new'");
  EXPECT_THAT(read("a"), ElementsAre("1|new"));
  server_->run("ALTER TABLE a RENAME COLUMN y TO z");
  EXPECT_THAT(read("a", "z"), ElementsAre("new"));
  server_->run("ALTER TABLE a DROP COLUMN x");
  EXPECT_THAT(read("a"), ElementsAre("new"));
  server_->run("ALTER TABLE a ALTER COLUMN z TYPE varchar(7)");
  EXPECT_EQ(type_of(use("a"), "z"), "varchar(7)");
  // Not used before the extension read the schema, changed since.
  server_->run(
      "ALTER TABLE b ALTER COLUMN x DROP NOT NULL; ALTER TABLE b ADD COLUMN w int; INSERT INTO b "
      "VALUES (NULL, 2)");
  EXPECT_THAT(read("b", "x IS NULL, w"), ElementsAre("true|2"));
  server_->run("CREATE TABLE fresh (k int); INSERT INTO fresh VALUES (5)");
  EXPECT_THAT(read("fresh"), ElementsAre("5"));
  server_->run(
      "DROP TABLE fresh; CREATE TABLE fresh (other text, k bigint); INSERT INTO fresh VALUES ('o', "
      "6)");
  EXPECT_THAT(read("fresh"), ElementsAre("o|6"));
  server_->run("DROP TABLE fresh");
  EXPECT_FALSE(catalogs_.table({"sales", "public", "fresh"}));
  server_->run(
      "CREATE TYPE colour AS ENUM ('red'); CREATE TABLE paint (c colour); INSERT INTO paint VALUES "
      "('red')");
  EXPECT_THAT(read("paint"), ElementsAre("red"));
  server_->run("ALTER TYPE colour ADD VALUE 'blue'");
  server_->run("INSERT INTO paint VALUES ('blue')");
  EXPECT_THAT(read("paint"), ElementsAre("red", "blue"));
}

TEST_F(PostgresCatalogTest, Writes) {
  used_ = catalogs_.prepare(duck_, {sql::TableInfo{.name = {"sales", "", ""}}});
  run("CREATE TABLE sales.public.w (id INTEGER NOT NULL, name VARCHAR, price DECIMAL(10,2), made "
      "TIMESTAMP, data BLOB)");
  catalogs_.get("sales")->invalidate();
  const auto table = use("w");
  EXPECT_EQ(type_of(table, "price"), "decimal(10,2)");
  EXPECT_FALSE(table.columns[0].nullable);
  run("INSERT INTO " + table.duckdb_target +
      " SELECT i, 'n' || i, i * 1.5, TIMESTAMP '2024-01-01', 'x' FROM range(5) r(i)");
  run("UPDATE " + use("w").duckdb_target + " SET name = 'changed' WHERE id > 2");
  run("DELETE FROM " + use("w").duckdb_target + " WHERE id = 0");
  EXPECT_EQ(server_->run("SELECT string_agg(id || name, ',' ORDER BY id) FROM w"),
            "1n1,2n2,3changed,4changed");
  run("MERGE INTO " + use("w").duckdb_target +
      " AS t USING (VALUES (1, 'merged'), (9, 'added')) AS s(id, name) ON t.id = s.id"
      " WHEN MATCHED THEN UPDATE SET name = s.name WHEN NOT MATCHED THEN INSERT (id, name) VALUES "
      "(s.id, s.name)");
  EXPECT_EQ(server_->run("SELECT string_agg(id || name, ',' ORDER BY id) FROM w"),
            "1merged,2n2,3changed,4changed,9added");
  run("CREATE TABLE sales.public.copy AS SELECT id, name FROM sales.public.w");
  run("ALTER TABLE sales.public.copy ADD COLUMN extra INTEGER");
  run("ALTER TABLE sales.public.copy RENAME COLUMN extra TO more");
  run("ALTER TABLE sales.public.copy DROP COLUMN name");
  run("ALTER TABLE sales.public.copy RENAME TO copied");
  catalogs_.get("sales")->invalidate();
  EXPECT_THAT(read("copied", "count(*), count(more)"), ElementsAre("5|0"));
  run("CREATE SCHEMA sales.side");
  run("CREATE TABLE sales.side.t (a INTEGER)");
  EXPECT_TRUE(catalogs_.schema_exists("sales", "side"));
  EXPECT_THAT(error_of([&] { run("DROP SCHEMA sales.side"); }).message(),
              HasSubstr("cannot drop schema side"));
  run("DROP TABLE sales.side.t");
  run("DROP SCHEMA sales.side");
  EXPECT_FALSE(catalogs_.schema_exists("sales", "side"));
  run("DROP TABLE sales.public.copied");
  EXPECT_FALSE(catalogs_.table({"sales", "public", "copied"}));
}

/// As the engine does outside transactions; false if it is left to DuckDB.
bool define(Catalog& catalog, const std::string& sql, const std::string& table) {
  const auto statement = sql::parse(sql);
  const bool done = catalog.define(*statement, {"sales", "public", table});
  catalog.invalidate();
  return done;
}

TEST_F(PostgresCatalogTest, DefinesTablesWithExactTypes) {
  auto sales = catalogs_.get("sales");
  ASSERT_TRUE(
      define(*sales,
             "CREATE TABLE d (id bigint NOT NULL, name varchar(10) DEFAULT 'none' COMMENT 'who''s "
             "it', c char(3), "
             "price decimal(8,3), made timestamp(3), seen timestamp(0) with time zone, at time(0), "
             "doc json, "
             "raw varbinary, tags array(varchar(5)), key uuid, tiny tinyint) COMMENT 'all of them'",
             "d"));
  auto d = use("d");
  const char* types[] = {"bigint",       "varchar(10)",
                         "char(3)",      "decimal(8,3)",
                         "timestamp(3)", "timestamp(0) with time zone",
                         "time(0)",      "json",
                         "varbinary",    "array(varchar(5))",
                         "uuid",         "smallint"};
  ASSERT_EQ(d.columns.size(), std::size(types));
  for (size_t i = 0; i < std::size(types); ++i) EXPECT_EQ(d.columns[i].type.display(), types[i]);
  EXPECT_FALSE(d.columns[0].nullable);
  EXPECT_EQ(d.columns[1].comment, "who's it");
  EXPECT_EQ(d.comment, "all of them");
  run("INSERT INTO " + d.duckdb_target + " (id, c) VALUES (1, 'ab')");
  EXPECT_EQ(server_->run("SELECT name FROM d"), "none");
  EXPECT_TRUE(define(*sales, "CREATE TABLE IF NOT EXISTS d (other integer)", "d"));
  EXPECT_EQ(use("d").columns.size(), std::size(types));
  EXPECT_TRUE(define(*sales, "ALTER TABLE d ALTER COLUMN name SET DATA TYPE varchar(20)", "d"));
  EXPECT_TRUE(define(*sales, "ALTER TABLE d ADD COLUMN more decimal(5,1)", "d"));
  EXPECT_TRUE(define(*sales, "ALTER TABLE d ALTER COLUMN id DROP NOT NULL", "d"));
  d = use("d");
  EXPECT_EQ(type_of(d, "name"), "varchar(20)");
  EXPECT_EQ(type_of(d, "more"), "decimal(5,1)");
  EXPECT_TRUE(d.columns[0].nullable);
  EXPECT_FALSE(define(*sales, "ALTER TABLE d DROP COLUMN more", "d"));
  EXPECT_FALSE(define(*sales, "DROP TABLE d", "d"));
  EXPECT_TRUE(define(*sales, "CREATE OR REPLACE TABLE d (only_one integer)", "d"));
  EXPECT_EQ(use("d").columns.size(), 1u);
  const Error error =
      error_of([&] { define(*sales, "CREATE TABLE m (a map(varchar, integer))", "m"); });
  EXPECT_EQ(error.code(), Code::kNotSupported);
  EXPECT_EQ(error.message(), "Unsupported column type: map(varchar, integer)");
}

TEST_F(PostgresCatalogTest, CreatesATableFromItsDescription) {
  sql::TableInfo table;
  table.name = {"sales", "public", "made"};
  table.comment = "made here";
  table.columns.push_back({.name = "code",
                           .type = sql::Type::parse("char(5)"),
                           .nullable = false,
                           .comment = "it's short"});
  table.columns.push_back({.name = "at", .type = sql::Type::parse("timestamp(3)")});
  auto sales = catalogs_.get("sales");
  ASSERT_TRUE(sales->create_table(table));
  sales->invalidate();
  const auto made = use("made");
  EXPECT_EQ(made.comment, "made here");
  EXPECT_EQ(made.columns.at(0).type.display(), "char(5)");
  EXPECT_EQ(made.columns.at(0).comment, "it's short");
  EXPECT_FALSE(made.columns.at(0).nullable);
  EXPECT_EQ(made.columns.at(1).type.display(), "timestamp(3)");
  run("INSERT INTO " + made.duckdb_target + " VALUES ('ab', NULL)");
  EXPECT_THAT(read("made", "code"), ElementsAre("ab   "));
  EXPECT_THAT(error_of([&] { sales->create_table(table); }).message(),
              HasSubstr("relation \"made\" already exists"));
}

TEST_F(PostgresCatalogTest, ARefusedWriteSaysWhatTheServerSaid) {
  server_->run("CREATE TABLE u (id int PRIMARY KEY); INSERT INTO u VALUES (1)");
  const auto table = use("u");
  const Error error = error_of([&] { run("INSERT INTO " + table.duckdb_target + " VALUES (1)"); });
  EXPECT_EQ(error.code(), Code::kJdbcError);
  EXPECT_EQ(error.message(),
            "PostgreSQL: duplicate key value violates unique constraint \"u_pkey\" (Key (id)=(1) "
            "already exists.)");
}

TEST_F(PostgresCatalogTest, Comments) {
  server_->run(
      "CREATE TABLE \"Noted\" (\"Col\" int); CREATE VIEW noted_view AS SELECT 1 AS a; "
      "CREATE MATERIALIZED VIEW noted_kept AS SELECT 1 AS a");
  auto sales = catalogs_.get("sales");
  sales->set_comment("public", "noted", "", "it's");
  sales->set_comment("public", "noted", "col", "a \\ column");
  sales->set_comment("public", "noted_view", "", "seen");
  sales->set_comment("public", "noted_kept", "", "kept");
  EXPECT_EQ(use("noted").comment, "it's");
  EXPECT_EQ(use("noted").columns[0].comment, "a \\ column");
  EXPECT_EQ(use("noted_view").comment, "seen");
  EXPECT_EQ(use("noted_kept").comment, "kept");
  sales->set_comment("public", "noted", "", std::nullopt);
  EXPECT_EQ(use("noted").comment, "");
}

TEST_F(PostgresCatalogTest, ReadOnlyCatalogsCannotBeWritten) {
  server_->run("CREATE TABLE r (a int)");
  auto options = server_->options("archive");
  options.read_only = true;
  catalogs_.add(make_postgresql_catalog(options));
  const auto table = catalogs_.table({"archive", "public", "r"});
  ASSERT_TRUE(table);
  EXPECT_EQ(table->duckdb_target, "");
  EXPECT_FALSE(catalogs_.get("archive")->writable());
  catalogs_.prepare(duck_, {*table});
  EXPECT_THROW(duck_.run("INSERT INTO archive.public.r VALUES (1)"), Error);
  EXPECT_EQ(server_->run("SELECT count(*) FROM r"), "0");
}

TEST_F(PostgresCatalogTest, NothingShowsThePassword) {
  server_->run("CREATE TABLE t (a int)");
  use("t");
  const std::string secret = "secret\"";
  for (const char* table : {"duckdb_databases()", "duckdb_secrets()", "duckdb_settings()"}) {
    for (const auto& row : duck_.rows(std::string("SELECT * FROM ") + table)) {
      EXPECT_THAT(row, Not(HasSubstr(secret))) << table;
    }
  }
  auto options = server_->options("wrong");
  options.password = "not the one";
  catalogs_.add(make_postgresql_catalog(options));
  const Error error = error_of([&] { catalogs_.table({"wrong", "public", "t"}); });
  EXPECT_EQ(error.kind(), ErrorKind::kExternal);
  EXPECT_THAT(error.what(), HasSubstr("password authentication failed for user \"boss\""));
  EXPECT_THAT(error.what(), Not(HasSubstr("not the one")));
}

TEST_F(PostgresCatalogTest, ListsManyTables) {
  server_->run(
      "DO $$ BEGIN FOR i IN 1..200 LOOP EXECUTE format('CREATE TABLE t%s (a int, b text)', i); END "
      "LOOP; END $$");
  EXPECT_EQ(catalogs_.get("sales")->tables("public").size(), 200u);
  EXPECT_EQ(catalogs_.get("sales")->describe("public").size(), 200u);
  EXPECT_THAT(duck_.rows("SELECT count(*) FROM meesh_virtual('sales', 'information_schema', "
                         "'columns') WHERE table_schema = 'public'"),
              ElementsAre("400"));
  EXPECT_THAT(
      duck_.rows("SELECT table_name FROM meesh_virtual('sales', 'information_schema', 'tables') "
                 "WHERE table_schema = 'public' AND table_name = 't77'"),
      ElementsAre("t77"));
  EXPECT_THAT(read("t200"), IsEmpty());
}

TEST_F(PostgresCatalogTest, ADroppedCatalogCanBeAddedAgain) {
  server_->run("CREATE TABLE t (a int); INSERT INTO t VALUES (1)");
  EXPECT_THAT(read("t"), ElementsAre("1"));
  EXPECT_TRUE(catalogs_.drop("sales"));
  EXPECT_FALSE(catalogs_.catalog_exists("sales"));
  EXPECT_THAT(duck_.rows("SELECT database_name FROM duckdb_databases()"), Not(Contains("sales")));
  catalogs_.add(make_postgresql_catalog(server_->options("sales")));
  EXPECT_THAT(read("t"), ElementsAre("1"));
}

TEST_F(PostgresCatalogTest, ALostServerIsExternalAndHeals) {
  server_->run("CREATE TABLE t (a int); INSERT INTO t VALUES (1)");
  const auto table = use("t");
  EXPECT_THAT(read("t"), ElementsAre("1"));
  server_->kill();
  const std::string address = "127.0.0.1:" + std::to_string(server_->port());
  const Error metadata = error_of([&] { catalogs_.table({"sales", "public", "t"}); });
  EXPECT_EQ(metadata.code(), Code::kJdbcError);
  EXPECT_THAT(metadata.message(), HasSubstr("Catalog 'sales': the PostgreSQL server at " + address +
                                            " cannot be reached: "));
  EXPECT_THAT(metadata.hint(), HasSubstr("check that the server runs"));
  for (int i = 0; i < 2; ++i) {
    const Error data = error_of([&] { run("SELECT * FROM " + table.duckdb_source); });
    EXPECT_EQ(data.code(), Code::kJdbcError);
    EXPECT_THAT(data.message(), HasSubstr("Catalog 'sales': the PostgreSQL server at " + address +
                                          " cannot be reached: "));
  }
  server_->start();
  EXPECT_THAT(read("t"), ElementsAre("1"));
  // Connections cut while the server lives: kept ones are replaced without a word.
  server_->run(
      "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE "
      "'meesh%'");
  EXPECT_THAT(read("t"), ElementsAre("1"));
}

TEST_F(PostgresCatalogTest, AServerThatIsDownFromTheStartHealsToo) {
  server_->run("CREATE TABLE t (a int); INSERT INTO t VALUES (1)");
  auto info = *catalogs_.table({"sales", "public", "t"});
  server_->kill();
  const Error error = error_of([&] { catalogs_.prepare(duck_, {info}); });
  EXPECT_EQ(error.code(), Code::kJdbcError);
  EXPECT_THAT(error.message(), HasSubstr("Catalog 'sales'"));
  EXPECT_THAT(error.message(), HasSubstr("cannot be reached: Connection refused"));
  server_->start();
  EXPECT_THAT(read("t"), ElementsAre("1"));
}

TEST_F(PostgresCatalogTest, AConnectionCutUnderAScanIsExternal) {
  server_->run(
      "CREATE TABLE big AS SELECT g AS id, repeat('x', 100) AS pad FROM generate_series(1, 300000) "
      "g");
  const auto table = use("big");
  duckdb::Connection connection(*duck_.db);
  auto stream = connection.SendQuery("SELECT id, pad FROM " + table.duckdb_source);
  ASSERT_FALSE(stream->HasError());
  ASSERT_TRUE(stream->Fetch());
  server_->kill();
  std::optional<Error> error;
  try {
    while (auto chunk = stream->Fetch()) {
    }
    if (stream->HasError()) error = translate(stream->GetErrorObject());
  } catch (const std::exception& e) {
    error = translate(duckdb::ErrorData(e));
  }
  server_->start();
  ASSERT_TRUE(error);
  CatalogSet::on_error(*error, used_);
  EXPECT_EQ(error->code(), Code::kJdbcError) << error->what();
  EXPECT_THAT(read("big", "count(*)"), ElementsAre("300000"));
}

TEST_F(PostgresCatalogTest, ReadersAndOutsideChangesAtOnce) {
  server_->run(
      "CREATE TABLE still (a int); INSERT INTO still SELECT generate_series(1, 100); CREATE TABLE "
      "moving (a int)");
  std::atomic<bool> stop = false;
  std::atomic<int> good = 0, bad = 0;
  std::vector<std::string> wrong(6);
  std::vector<std::thread> readers;
  for (auto& failure : wrong) {
    readers.emplace_back([&] {
      for (; !stop && failure.empty(); bad += failure.empty() ? 0 : 1) {
        CatalogsInUse used;
        try {
          auto info = catalogs_.table({"sales", "public", "still"});
          used = catalogs_.prepare(duck_, {*info});
          const auto rows = duck_.rows("SELECT sum(a) FROM " + info->duckdb_source);
          if (rows != std::vector<std::string>{"5050"}) failure = "wrong sum";
          // This one changes under us: any clean answer will do.
          if (auto moving = catalogs_.table({"sales", "public", "moving"})) {
            try {
              used = catalogs_.prepare(duck_, {*moving});
              duck_.rows("SELECT * FROM " + moving->duckdb_source);
            } catch (Error& error) {
              CatalogSet::on_error(error, used);
              if (error.kind() == ErrorKind::kInternal) failure = error.what();
            }
          }
          ++good;
        } catch (const Error& error) {
          failure = error.what();
        }
      }
    });
  }
  for (int i = 0; i < 30 || (good < 10 && bad == 0); ++i) {
    server_->run("ALTER TABLE moving ADD COLUMN c" + std::to_string(i) + " int");
    if (i % 5 == 4)
      server_->run("DROP TABLE moving; CREATE TABLE moving (b" + std::to_string(i) + " text)");
  }
  stop = true;
  for (auto& reader : readers) reader.join();
  EXPECT_THAT(wrong, testing::Each(""));
  EXPECT_THAT(read("moving", "count(*)"), ElementsAre("0"));
  EXPECT_EQ(duck_.run("SELECT * FROM " + use("moving").duckdb_source)->ColumnCount(),
            use("moving").columns.size());
}

TEST_F(PostgresCatalogTest, AServerThatNeverAnswersBlocksOnlyItself) {
  server_->run("CREATE TABLE t (a int); INSERT INTO t VALUES (1)");
  const int listener = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  ASSERT_EQ(bind(listener, reinterpret_cast<sockaddr*>(&address), size), 0);
  ASSERT_EQ(listen(listener, 8), 0);
  getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size);
  auto options = server_->options("hung");
  options.port = ntohs(address.sin_port);
  catalogs_.add(make_postgresql_catalog(options));
  std::optional<Error> of_metadata, of_attach;
  std::thread metadata(
      [&] { of_metadata = error_of([&] { catalogs_.table({"hung", "public", "t"}); }); });
  const int first = accept(listener, nullptr, nullptr);
  std::thread attach([&] {
    of_attach =
        error_of([&] { catalogs_.prepare(duck_, {sql::TableInfo{.name = {"hung", "", ""}}}); });
  });
  const int second = accept(listener, nullptr, nullptr);
  // Both wait for an answer that does not come; the other catalog goes on.
  EXPECT_THAT(read("t"), ElementsAre("1"));
  EXPECT_THAT(catalogs_.names(), ElementsAre("hung", "sales", "system"));
  for (const int fd : {first, second, listener}) close(fd);
  metadata.join();
  attach.join();
  for (const auto& error : {of_metadata, of_attach}) {
    EXPECT_EQ(error->code(), Code::kJdbcError);
    EXPECT_THAT(error->message(), HasSubstr("Catalog 'hung': the PostgreSQL server at"));
  }
}

TEST_F(PostgresCatalogTest, ADownServerDoesNotHideOthers) {
  PostgresOptions gone = server_->options("gone");
  gone.port = 1;  // nothing listens there
  catalogs_.add(make_postgresql_catalog(gone));
  server_->run("CREATE TABLE here (a int)");
  EXPECT_THAT(duck_.rows("SELECT table_name FROM meesh_virtual('system', 'jdbc', 'tables') WHERE "
                         "table_schem = 'public'"),
              ElementsAre("here"));
  EXPECT_THAT(duck_.rows("SELECT DISTINCT table_catalog FROM meesh_virtual('system', 'jdbc', "
                         "'schemas') ORDER BY 1"),
              ElementsAre("sales", "system"));
  const Error error =
      error_of([&] { duck_.run("FROM meesh_virtual('gone', 'information_schema', 'tables')"); });
  EXPECT_EQ(error.kind(), ErrorKind::kExternal);
  EXPECT_THAT(error.message(), HasSubstr("Catalog 'gone'"));
}

}  // namespace
}  // namespace meesh::engine
