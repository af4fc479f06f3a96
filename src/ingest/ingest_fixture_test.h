// Ingestion into a lake of its own (a local store and a SQLite database in a folder), for tests.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <memory>

#include "base/postgres_server_test.h"
#include "engine/ask.h"
#include "engine/catalogs/lake.h"
#include "engine/engine.h"
#include "ingest/ingest.h"
#include "lake/catalog.h"
#include "lake/manifest_cache.h"
#include "objects/store.h"

namespace meesh::ingest {

/// A mesh folder, an engine with the catalogs `lake` and `shop` (of a server that the tests share),
/// and an Ingest that is made when it is first asked for, after the test has written its files.
class IngestTest : public testing::Test {
 protected:
  IngestTest() {
    std::string name = (std::filesystem::temp_directory_path() / "meesh_ingest_XXXXXX").string();
    if (!mkdtemp(name.data())) throw std::runtime_error("mkdtemp");
    folder_ = name;
    mesh_.folder = folder_ / "mesh";
    mesh_.shown = "mesh";
    mesh_.data = folder_ / "data";
    mesh_.secret = [](const std::string&) { return std::nullopt; };
    mesh_.lake = {"lake", "s3://datalake/warehouse", {"s3://bronze"}};
    std::filesystem::create_directories(mesh_.folder);
    std::filesystem::create_directories(mesh_.data);
    open_store();
    open_engine();
  }
  ~IngestTest() override {
    ingest_.reset();
    engine_.reset();
    catalog_.reset();
    cache_.reset();
    files_.reset();
    database_.reset();
    store_.reset();
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }

  static PostgresServer& server() {
    static PostgresServer server("shop");
    return server;
  }
  static engine::PostgresOptions shop() {
    engine::PostgresOptions options;
    options.name = "shop";
    options.host = "127.0.0.1";
    options.port = server().port();
    options.database = server().database();
    options.user = "boss";
    options.password = kTestPassword;
    return options;
  }
  /// An empty schema `public`, and a statement for it.
  static void fresh_schema() { server().run("DROP SCHEMA public CASCADE; CREATE SCHEMA public"); }
  static std::string pg(const std::string& sql) { return server().run(sql); }

  void write(const std::string& file, const std::string& text) {
    const auto path = mesh_.folder / file;
    std::filesystem::create_directories(path.parent_path());
    std::ofstream(path, std::ios::binary) << text;
  }
  void put(const std::string& bucket, const std::string& key, const std::string& text) {
    const auto writer = store_->put(bucket, key, {}, {});
    writer->write(text);
    writer->commit({});
  }
  std::string object(const std::string& bucket, const std::string& key) {
    const auto reader = store_->get(bucket, key, {});
    std::string text(reader->object().size, '\0');
    reader->read(0, text.data(), text.size());
    return text;
  }

  Environment environment() { return {*engine_, *database_, mesh_, *store_, {shop()}}; }
  Ingest& ingest() {
    if (!ingest_) ingest_ = std::make_unique<Ingest>(environment());
    return *ingest_;
  }
  SyncResult sync(const std::string& source, const std::string& stream,
                  const std::string& date = "2025-01-15", bool full = false) {
    return ingest().sync(source, stream, {full, date}, context_);
  }
  /// The whole text of what a call throws.
  template <class F>
  static std::string failure(F&& call) {
    try {
      call();
    } catch (const Error& error) {
      return std::string(code_name(error.code())) + " " + error.what();
    }
    return "it did not fail";
  }

  /// Cells between '|'.
  std::vector<std::string> rows(const std::string& sql) {
    std::vector<std::string> lines;
    for (const auto& row : engine::ask(*engine_, sql, session_).rows) {
      std::string line;
      for (const auto& cell : row) line += (&cell == row.data() ? "" : "|") + cell.value_or("NULL");
      lines.push_back(std::move(line));
    }
    return lines;
  }
  std::string one(const std::string& sql) {
    const auto found = rows(sql);
    return found.size() == 1 ? found[0] : std::to_string(found.size()) + " rows";
  }

  std::filesystem::path folder_;
  mesh::Mesh mesh_;
  std::unique_ptr<objects::Store> store_;
  std::unique_ptr<meta::Database> database_;
  std::unique_ptr<lake::Files> files_;
  std::unique_ptr<lake::Catalog> catalog_;
  std::unique_ptr<lake::ManifestCache> cache_;
  std::unique_ptr<engine::Engine> engine_;
  std::unique_ptr<Ingest> ingest_;
  engine::Session session_;
  std::vector<std::string> log_;
  TaskContext context_ = listening();

 private:
  TaskContext listening() {
    TaskContext context;
    context.log = [this](log::Level, const std::string& line) { log_.push_back(line); };
    return context;
  }
  void open_store() {
    store_ = objects::open_local({.folder = folder_ / "objects"});
    for (const char* name : {"datalake", "bronze"}) {
      objects::Bucket bucket;
      bucket.name = name;
      store_->create_bucket(bucket);
    }
    database_ = meta::Database::open(
        {.kind = meta::Backend::kSqlite, .location = (folder_ / "meta.db").string()});
  }
  void open_engine() {
    files_ = std::make_unique<lake::Files>(*store_, mesh_.lake.places());
    catalog_ = std::make_unique<lake::Catalog>(*database_, *files_,
                                               lake::Warehouse{"lake", mesh_.lake.location});
    cache_ = std::make_unique<lake::ManifestCache>(*files_);
    engine::Options options;
    options.spill_directory = (folder_ / "spill").string();
    for (const auto& entry : std::filesystem::directory_iterator(".deps"))
      if (entry.path().filename().string().starts_with("duckdb-"))
        options.extension_directory = (entry.path() / "extensions").string();
    options.threads = 2;
    engine_ = engine::Engine::open(options);
    engine_->use_objects(*store_, {});
    engine_->add_catalog(engine::make_lake_catalog("lake", *catalog_, *cache_, {}));
    engine_->add_catalog(engine::make_postgresql_catalog(shop()));
    session_.user = "ada";
  }
};

}  // namespace meesh::ingest
