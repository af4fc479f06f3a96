// Feeds over a lake of their own (a local store and a SQLite database in a folder).
#include "streams/feeds/feeds.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <filesystem>
#include <fstream>
#include <thread>

#include "engine/ask.h"
#include "engine/catalogs/lake.h"
#include "lake/catalog.h"
#include "lake/manifest_cache.h"

namespace meesh::streams {
namespace {

namespace fs = std::filesystem;
namespace json = boost::json;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr int64_t kDay = 86'400'000;
constexpr int64_t kNow = 1736942400000;  // 2025-01-15 12:00 UTC

class FeedsTest : public testing::Test {
 protected:
  FeedsTest() {
    std::string name = (fs::temp_directory_path() / "meesh_feeds_XXXXXX").string();
    if (!mkdtemp(name.data())) throw std::runtime_error("mkdtemp");
    folder_ = name;
    mesh_.folder = folder_ / "mesh";
    mesh_.shown = "mesh";
    mesh_.data = folder_ / "data";
    mesh_.secret = [](const std::string&) { return std::nullopt; };
    mesh_.lake = {"lake", "s3://lake", {"s3://data-lake"}};
    fs::create_directories(mesh_.folder);
    fs::create_directories(mesh_.data);
    store_ = objects::open_local({.folder = folder_ / "objects"});
    for (const char* bucket : {"lake", "data-lake"}) {
      objects::Bucket made;
      made.name = bucket;
      store_->create_bucket(made);
    }
    database_ = meta::Database::open(
        {.kind = meta::Backend::kSqlite, .location = (folder_ / "meta.db").string()});
    files_ = std::make_unique<lake::Files>(*store_, mesh_.lake.places());
    catalog_ = std::make_unique<lake::Catalog>(*database_, *files_,
                                               lake::Warehouse{"lake", mesh_.lake.location});
    cache_ = std::make_unique<lake::ManifestCache>(*files_);
    engine::Options options;
    options.spill_directory = (folder_ / "spill").string();
    for (const auto& entry : fs::directory_iterator(".deps"))
      if (entry.path().filename().string().starts_with("duckdb-"))
        options.extension_directory = (entry.path() / "extensions").string();
    options.threads = 2;
    engine_ = engine::Engine::open(options);
    engine_->use_objects(*store_, {});
    engine_->add_catalog(engine::make_lake_catalog("lake", *catalog_, *cache_, {}));
    ask("CREATE SCHEMA lake.payments");
  }
  ~FeedsTest() override {
    feeds_.reset();
    engine_.reset();
    catalog_.reset();
    cache_.reset();
    files_.reset();
    database_.reset();
    store_.reset();
    std::error_code ignored;
    fs::remove_all(folder_, ignored);
  }

  Feeds& feeds() {
    if (!feeds_) {
      FeedEnvironment environment{*engine_, *database_, mesh_, *store_};
      environment.holder = "here";
      environment.now_ms = [this] { return now_; };
      feeds_ = std::make_unique<Feeds>(environment);
    }
    return *feeds_;
  }
  engine::Answer ask(const std::string& sql) {
    engine::Session session;
    session.user = "ada";
    return engine::ask(*engine_, sql, session);
  }
  std::string one(const std::string& sql) { return ask(sql).rows.at(0).at(0).value_or("NULL"); }
  /// Rows of one day, an offset each.
  void events(int64_t first, int count, const std::string& day) {
    ask("CREATE TABLE IF NOT EXISTS lake.payments.events (id bigint, event_time timestamp(6), "
        "_partition integer, _offset bigint)");
    ask(
        fmt::format("INSERT INTO lake.payments.events SELECT x, TIMESTAMP '{} 10:00:00', 0, x FROM "
                    "UNNEST(sequence({}, {})) AS t(x)",
                    day, first, first + count - 1));
  }
  ExportResult run(const std::string& name) { return feeds().export_feed(name, {}, {}); }
  std::vector<std::string> paths(const std::string& name) {
    std::vector<std::string> found;
    for (const auto& partition : feeds().show(name).partitions) found.push_back(partition.path);
    return found;
  }
  template <class F>
  static std::string failure(F&& call) {
    try {
      call();
    } catch (const Error& error) {
      return error.what();
    }
    return "it did not fail";
  }

  fs::path folder_;
  mesh::Mesh mesh_;
  std::unique_ptr<objects::Store> store_;
  std::unique_ptr<meta::Database> database_;
  std::unique_ptr<lake::Files> files_;
  std::unique_ptr<lake::Catalog> catalog_;
  std::unique_ptr<lake::ManifestCache> cache_;
  std::unique_ptr<engine::Engine> engine_;
  std::unique_ptr<Feeds> feeds_;
  int64_t now_ = kNow;
};

TEST_F(FeedsTest, DaysLeaveWhenTheyAreOlderThanTheRetention) {
  feeds().add("f", {{"ksqldb_source", "events"}, {"retention_days", 2}});
  events(0, 3, "2025-01-13");
  events(3, 4, "2025-01-14");
  EXPECT_EQ(run("f").rows, 7u);
  EXPECT_THAT(paths("f"), ElementsAre("year=2025/month=01/day=13", "year=2025/month=01/day=14"));
  now_ += kDay;  // the 16th: the 14th is two days ago and stays
  const auto told = feeds().retain("f", {}, true, {});
  EXPECT_EQ(told.rows, 3u);
  EXPECT_EQ(one("SELECT count(*) FROM lake.data_lake.f"), "7");
  const auto done = run("f");
  EXPECT_EQ(done.rows, 0u);
  EXPECT_EQ(done.removed_rows, 3u);
  EXPECT_THAT(done.removed, ElementsAre("year=2025/month=01/day=13"));
  EXPECT_EQ(one("SELECT count(*) FROM lake.data_lake.f"), "4");
  EXPECT_FALSE(fs::exists(fs::path(done.folder) / "year=2025/month=01/day=13"));
  // What was exported and removed does not come back.
  EXPECT_EQ(run("f").records, 4u);
}

TEST_F(FeedsTest, TheFolderIsPutRightAfterAKilledExport) {
  feeds().add("f", {{"ksqldb_source", "events"}});
  events(0, 3, "2025-01-14");
  run("f");
  const fs::path folder = feeds().show("f").folder;
  // As if it had been killed between the commit and the last rename.
  fs::remove_all(folder / "year=2025");
  std::ofstream(folder / "left.parquet") << "half";
  fs::create_directories(mesh_.data / "data_lake/.staging/f");
  std::ofstream(mesh_.data / "data_lake/.staging/f/part") << "half";
  EXPECT_EQ(run("f").records, 3u);
  EXPECT_TRUE(fs::exists(folder / "year=2025/month=01/day=14"));
  EXPECT_FALSE(fs::exists(folder / "left.parquet"));
  EXPECT_FALSE(fs::exists(mesh_.data / "data_lake/.staging/f"));
}

TEST_F(FeedsTest, AnInterruptedExportIsSettledAtTheNextStart) {
  feeds().add("f", {{"ksqldb_source", "events"}});
  events(0, 3, "2025-01-14");
  run("f");
  const fs::path day = fs::path(feeds().show("f").folder) / "year=2025/month=01/day=14";
  {
    FeedStore store(*database_, "here");
    FeedEvent event;
    event.id = "x";
    event.feed = "f";
    event.kind = "export";
    event.state = "running";
    event.started_ms = now_ + 1;
    store.begin(event);
  }
  fs::remove_all(day);
  feeds_.reset();
  feeds().start();
  for (int i = 0; i < 500 && !fs::exists(day); ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  feeds().stop();
  EXPECT_TRUE(fs::exists(day));
  EXPECT_EQ(feeds().events("f", 1).at(0).state, "interrupted");
}

TEST_F(FeedsTest, VersionsAreKeptCountedAndRolledBack) {
  feeds().add(
      "t", {{"feed_type", "table"}, {"source", "lake.payments.events"}, {"retention_versions", 2}});
  events(0, 1, "2025-01-14");
  for (int i = 1; i <= 3; ++i) {
    EXPECT_EQ(run("t").version, i);
    events(i, 1, "2025-01-14");
  }
  EXPECT_THAT(paths("t"), ElementsAre("version=v2", "version=v3"));
  EXPECT_EQ(one("SELECT count(*) FROM lake.data_lake.t_current"), "3");
  feeds().roll_back("t", 2, {});
  EXPECT_EQ(one("SELECT count(*) FROM lake.data_lake.t_current"), "2");
  EXPECT_THAT(failure([&] { feeds().roll_back("t", 1, {}); }), HasSubstr("has no version 1"));
  const auto status = feeds().show("t");
  EXPECT_EQ(status.state.current_version, 2);
  EXPECT_EQ(status.versions.at(0).rows, 3u);
  EXPECT_TRUE(status.versions.at(2).removed);
  EXPECT_EQ(run("t").version, 4);  // numbers are not used again
}

TEST_F(FeedsTest, AnEmptyTableIsAVersionToo) {
  ask("CREATE TABLE lake.payments.nothing (id bigint)");
  feeds().add(
      "t",
      {{"feed_type", "table"}, {"source", "lake.payments.nothing"}, {"retention_versions", 1}});
  for (int i = 1; i <= 3; ++i) EXPECT_EQ(run("t").version, i);
  EXPECT_EQ(one("SELECT count(*) FROM lake.data_lake.t_current"), "0");
  EXPECT_TRUE(feeds().show("t").versions.at(1).removed);
}

TEST_F(FeedsTest, APositionOfAnotherKindIsRefused) {
  feeds().add("f", {{"ksqldb_source", "events"}});
  events(0, 3, "2025-01-14");
  run("f");
  ask("CREATE TABLE lake.payments.others AS SELECT id + 100 AS id, event_time FROM "
      "lake.payments.events");
  feeds().update("f", {{"ksqldb_source", "others"}, {"cursor", "id"}});
  now_ += 1000;
  EXPECT_THAT(failure([&] { run("f"); }), HasSubstr("was exported by _offset until now"));
  EXPECT_EQ(feeds().events("f", 1).at(0).state, "failed");
}

TEST_F(FeedsTest, FilesAreAddedUpdatedArchivedAndFound) {
  feeds().add("f", {{"ksqldb_source", "events"}, {"description", "d"}});
  EXPECT_THAT(failure([&] { feeds().add("f", {{"ksqldb_source", "events"}}); }),
              HasSubstr("there is a feed 'f' already"));
  EXPECT_THAT(failure([&] { feeds().add("../f", {{"ksqldb_source", "events"}}); }),
              HasSubstr("is no name of a feed"));
  EXPECT_THAT(failure([&] { feeds().add("g", {{"ksqldb_sorce", "events"}}); }),
              HasSubstr("did you mean 'ksqldb_source'?"));
  EXPECT_FALSE(fs::exists(mesh_.folder / "feeds/active/g.json"));
  feeds().update("f", {{"description", nullptr}, {"retention_days", 9}});
  EXPECT_EQ(feeds().show("f").config.retention_days, 9);
  EXPECT_EQ(feeds().show("f").config.description, "");
  EXPECT_THAT(failure([&] { feeds().update("f", {{"retention_days", "x"}}); }),
              HasSubstr("mesh/feeds/active/f.json"));
  EXPECT_EQ(feeds().show("f").config.retention_days, 9);
  EXPECT_THAT(feeds().sync().unchanged, ElementsAre("f"));
  feeds().archive("f");
  EXPECT_THAT(failure([&] { feeds().show("f"); }), HasSubstr("there is no feed 'f'"));
  EXPECT_THAT(feeds().sync().archived, IsEmpty());
  fs::rename(mesh_.folder / "feeds/archived/f.json", mesh_.folder / "feeds/active/f.json");
  EXPECT_THAT(feeds().sync().added, ElementsAre("f"));
}

}  // namespace
}  // namespace meesh::streams
