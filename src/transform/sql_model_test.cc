// Models on catalogs that are no lake: memory and a real PostgreSQL.
#include "transform/sql_model.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>

#include "base/postgres_server_test.h"
#include "engine/ask.h"

namespace meesh::transform {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

/// The parameter is the place of tables: "memory.default" stands for it in the tests' texts.
class ModelTest : public ::testing::TestWithParam<std::string> {
 protected:
  static void TearDownTestSuite() { server_.reset(); }

  static std::string placed(std::string text) {
    const std::string from = "memory.default";
    for (size_t at = 0; (at = text.find(from, at)) != std::string::npos; at += GetParam().size())
      text.replace(at, from.size(), GetParam());
    return text;
  }

  void SetUp() override {
    folder_ =
        std::filesystem::temp_directory_path() / ("meesh-model-" + std::to_string(::getpid()));
    std::filesystem::create_directories(folder_ / "pipelines" / "p");
    engine::Options options;
    options.spill_directory = (folder_ / "spill").string();
    for (const auto& entry : std::filesystem::directory_iterator(".deps"))
      if (entry.path().filename().string().starts_with("duckdb-"))
        options.extension_directory = entry.path() / "extensions";
    engine_ = engine::Engine::open(options);
    if (GetParam().starts_with("memory")) {
      engine_->add_catalog(engine::make_memory_catalog("memory"));
    } else {
      if (!server_) server_ = std::make_unique<PostgresServer>();
      server_->run("DROP SCHEMA public CASCADE; CREATE SCHEMA public");
      engine::PostgresOptions shop;
      shop.name = "shop";
      shop.host = "127.0.0.1";
      shop.port = server_->port();
      shop.database = server_->database();
      shop.user = "boss";
      shop.password = kTestPassword;
      engine_->add_catalog(engine::make_postgresql_catalog(shop));
    }
    database_ = meta::Database::open({meta::Backend::kSqlite, (folder_ / "meta.db").string()});
    quality_ = std::make_unique<quality::Quality>(*engine_, *database_, mesh_,
                                                  std::vector<quality::Suite>{});
    files_.emplace(folder_, "mesh", [](const std::string&) { return std::nullopt; });
    context_.parameters["run_date"] = "2025-01-15";
  }
  void TearDown() override {
    quality_.reset();
    engine_.reset();
    database_.reset();
    std::filesystem::remove_all(folder_);
  }

  std::optional<Model> parse(const std::string& yaml) {
    auto document = yaml::parse(placed(yaml), "mesh/pipelines/p.yaml");
    base::check(base::object("", model_shape()), document, files_->problems());
    if (!files_->problems().empty()) return std::nullopt;
    return parse_model(placed("memory.default.m"), document.root, document, "pipelines", *files_);
  }
  std::vector<std::string> mistakes(const std::string& yaml) {
    files_.emplace(folder_, "mesh", [](const std::string&) { return std::nullopt; });
    EXPECT_FALSE(parse(yaml));
    std::vector<std::string> told;
    for (const auto& problem : files_->problems()) told.push_back(problem.what());
    return told;
  }

  ModelResult make(const std::string& yaml, bool full_refresh = false) {
    const auto model = parse(yaml);
    EXPECT_TRUE(model) << (files_->problems().empty() ? "" : files_->problems()[0].what());
    return Models(*engine_, *quality_).run(*model, context_, full_refresh);
  }
  std::string failure(const std::string& yaml) {
    try {
      make(yaml);
    } catch (const Error& e) {
      return e.what();
    }
    return "";
  }

  void run(const std::string& sql) { engine::ask(*engine_, placed(sql), {.user = "tester"}); }
  std::vector<std::string> rows(const std::string& sql) {
    std::vector<std::string> found;
    for (const auto& row : engine::ask(*engine_, placed(sql), {.user = "tester"}).rows) {
      std::string line;
      for (const auto& cell : row) line += (line.empty() ? "" : "|") + cell.value_or("NULL");
      found.push_back(line);
    }
    return found;
  }
  std::vector<std::string> model() {
    std::string cells;
    for (const auto& column :
         engine::ask(*engine_, placed("SELECT * FROM memory.default.m LIMIT 0"), {.user = "tester"})
             .columns)
      cells += (cells.empty() ? "CAST(" : ", CAST(") + column.name + " AS varchar)";
    auto found = rows("SELECT " + cells + " FROM memory.default.m");
    std::ranges::sort(found);
    return found;
  }

  std::filesystem::path folder_;
  static inline std::unique_ptr<PostgresServer> server_;  // of all tests
  mesh::Mesh mesh_;
  std::unique_ptr<engine::Engine> engine_;
  std::unique_ptr<meta::Database> database_;
  std::unique_ptr<quality::Quality> quality_;
  std::optional<mesh::MeshFiles> files_;
  TaskContext context_;
};

TEST_P(ModelTest, mistakes_have_their_place) {
  EXPECT_THAT(mistakes("sql: SELEC 1\n"), ElementsAre(HasSubstr("mesh/pipelines/p.yaml:1:6")));
  EXPECT_THAT(mistakes("sql: p/gone.sql\n"), ElementsAre(HasSubstr("'p/gone.sql' cannot be read")));
  std::ofstream(folder_ / "pipelines" / "p" / "a.sql") << "SELECT 1 AS a\nFROM (\n";
  EXPECT_THAT(mistakes("sql: p/a.sql\n"), ElementsAre(HasSubstr("mesh/pipelines/p/a.sql:3:1")));
  EXPECT_THAT(mistakes("sql: DROP TABLE x\n"), ElementsAre(HasSubstr("A model is one query")));
  EXPECT_THAT(mistakes("sql: SELECT 1 AS a\nunique_key: [a]\n"),
              ElementsAre(HasSubstr("2:13: 'unique_key' is for materialized: incremental")));
  EXPECT_THAT(mistakes("{ sql: SELECT 1 AS a, materialized: incremental, strategy: merge }\n"),
              ElementsAre(HasSubstr("which rows are the same")));
  EXPECT_THAT(
      mistakes("{ sql: SELECT 1 AS a, materialized: incremental, strategy: replace_partition }"),
      ElementsAre(HasSubstr("needs to know the partition")));
  EXPECT_THAT(mistakes("{ sql: SELECT 1 AS a, materialised: table }\n"),
              Contains(HasSubstr("did you mean 'materialized'?")));
}

TEST_P(ModelTest, a_table_is_made_anew) {
  std::ofstream(folder_ / "pipelines" / "p" / "a.sql")
      << "SELECT 1 AS a, DATE '{{ run_date }}' AS day -- a comment at the end";
  EXPECT_EQ(make("sql: p/a.sql\n").action, "created");
  EXPECT_THAT(model(), ElementsAre("1|2025-01-15"));
  EXPECT_EQ(make("sql: \"SELECT 2 AS a, 'x' AS b;\"\n").action, "replaced");
  EXPECT_THAT(model(), ElementsAre("2|x"));
}

TEST_P(ModelTest, a_failed_check_keeps_what_was_there) {
  make("sql: SELECT 1 AS a\n");
  const std::string bad = "{ sql: SELECT -1 AS a, checks: [{ kind: range, column: a, min: 0 }] }\n";
  EXPECT_THAT(failure(bad),
              HasSubstr(placed("1 of 1 checks of 'memory.default.m' failed: range(a)")));
  EXPECT_THAT(model(), ElementsAre("1"));
  EXPECT_THAT(rows("SHOW TABLES FROM memory.default"), ElementsAre("m"));
  EXPECT_EQ(quality_->history().results(placed("memory.default.m"), "pipelines/p.yaml", 5).size(),
            1u);
  const auto warned = make(
      "{ sql: SELECT -2 AS a, checks: [{ kind: range, column: a, min: 0, severity: warn }] }\n");
  EXPECT_EQ(warned.checks.at(0).outcome, quality::Outcome::kFail);
  EXPECT_THAT(model(), ElementsAre("-2"));
}

TEST_P(ModelTest, a_view_is_audited_by_its_query) {
  if (GetParam() != "memory.default") GTEST_SKIP() << "PostgreSQL catalogs have no views of ours";
  make("{ sql: SELECT 1 AS a, materialized: view }\n");
  EXPECT_NE(failure("{ sql: SELECT -1 AS a, materialized: view, checks: [{ kind: range, column: a, "
                    "min: 0 }] }\n"),
            "");
  EXPECT_THAT(model(), ElementsAre("1"));
}

TEST_P(ModelTest, new_rows_are_added) {
  run("CREATE TABLE memory.default.s AS SELECT 1 AS a");
  const std::string yaml =
      "{ sql: SELECT a FROM memory.default.s, materialized: incremental, new_rows: 'a > (SELECT "
      "max(a) FROM {{ this }})' }\n";
  EXPECT_EQ(make(yaml).action, "created");
  run("INSERT INTO memory.default.s VALUES 2, 3");
  const auto second = make(yaml);
  EXPECT_EQ(second.action, "inserted");
  EXPECT_EQ(second.rows, 2u);
  EXPECT_EQ(make(yaml).rows, 0u);
  EXPECT_THAT(model(), ElementsAre("1", "2", "3"));
  run("DELETE FROM memory.default.s WHERE a = 1");
  make(yaml, true);
  EXPECT_THAT(model(), ElementsAre("2", "3"));
}

TEST_P(ModelTest, rows_of_the_same_key_are_replaced) {
  run("CREATE TABLE memory.default.s AS SELECT * FROM (VALUES (1, 'a'), (2, 'b')) AS v(id, t)");
  for (const char* strategy : {"merge", "delete+insert"}) {
    run("DROP TABLE IF EXISTS memory.default.m");
    run("CREATE TABLE memory.default.m AS SELECT * FROM (VALUES (2, 'old'), (3, 'c')) AS v(id, t)");
    make(std::string(
             "{ sql: 'SELECT * FROM memory.default.s', materialized: incremental, strategy: ") +
         strategy + ", unique_key: [id], checks: [{ kind: unique, columns: [id] }] }\n");
    EXPECT_THAT(model(), ElementsAre("1|a", "2|b", "3|c")) << strategy;
  }
}

TEST_P(ModelTest, an_audited_increment_is_seen_as_it_would_be) {
  run("CREATE TABLE memory.default.m AS SELECT * FROM (VALUES (1, 'a'), (2, 'b')) AS v(id, t)");
  EXPECT_THAT(failure("{ sql: \"SELECT 2 AS id, 'c' AS t\", materialized: incremental, checks: [{ "
                      "kind: unique, columns: [id] }] }\n"),
              HasSubstr("unique(id): 1 of 3 rows fail"));
  EXPECT_THAT(model(), ElementsAre("1|a", "2|b"));
}

TEST_P(ModelTest, a_partition_is_replaced) {
  const std::string yaml =
      "{ sql: \"SELECT 1 AS a\", materialized: incremental, strategy: replace_partition, "
      "partition: { "
      "_run_date: '{{ run_date }}' } }\n";
  make(yaml);
  make(yaml);
  context_.parameters["run_date"] = "2025-01-16";
  make(yaml);
  EXPECT_THAT(model(), ElementsAre("1|2025-01-15", "1|2025-01-16"));
}

TEST_P(ModelTest, changed_columns_are_told_or_followed) {
  run("CREATE TABLE memory.default.m AS SELECT 1 AS a, 'x' AS b");
  const std::string start = "{ sql: 'SELECT 2 AS a, 5 AS c', materialized: incremental";
  EXPECT_THAT(failure(start + " }\n"), HasSubstr("c is new, b is gone"));
  make(start + ", on_schema_change: ignore }\n");
  EXPECT_THAT(model(), ElementsAre("1|x", "2|NULL"));
  make(start + ", on_schema_change: append_new_columns }\n");
  EXPECT_THAT(rows("SELECT c FROM memory.default.m ORDER BY c"), ElementsAre("5", "NULL", "NULL"));
}

TEST_P(ModelTest, a_parameter_cannot_smuggle_sql) {
  context_.parameters["run_date"] = "' OR ''='";
  EXPECT_THAT(failure("sql: SELECT 1 AS a\n"),
              HasSubstr("the value of parameter 'run_date' holds"));
}

INSTANTIATE_TEST_SUITE_P(Catalogs, ModelTest, ::testing::Values("memory.default", "shop.public"),
                         [](const auto& place) {
                           return place.param.substr(0, place.param.find('.'));
                         });

}  // namespace
}  // namespace meesh::transform
